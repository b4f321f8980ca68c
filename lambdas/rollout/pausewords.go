package rollout

import (
	"fmt"
	"strings"
	"time"
)

// pausedBecause says what holds the weight, and for how long at most.
func pausedBecause(p Progress, left time.Duration) string {
	text := stepName(p.Step, p.Of) + " is held"
	if !p.Pause.Unknown {
		text = stepName(p.Step, p.Of) + " is paused by " + p.Pause.By
	}
	if o := p.unknownNow(); o != nil {
		text += ": " + unknownOrder(o.Command, o.By)
	}
	return text + ". If no order ends that within " + duration(left) + ", the rollout is rolled back"
}

// unknownOrder says that an order is not known, and which ones are.
func unknownOrder(c Command, by string) string {
	return fmt.Sprintf("the order %q by %s is not known%s; known are %s", string(c), by, DidYouMean(string(c), CommandWords()), strings.Join(commandNames(), ", "))
}

func notResumed(p Pause) string {
	if p.Unknown {
		return fmt.Sprintf("no known order came in time after %q by %s held the weight", string(p.Order), p.By)
	}
	return "the rollout that " + p.By + " paused was not resumed in time"
}

// pauseReason says what an order to pause or to resume, or an unknown one, leads to.
func pauseReason(s State, event Event) string {
	p := s.Progress.Pause
	if p == nil {
		return fmt.Sprintf("The rollout continues at %s on version %s.", Weight(s.Progress.Weight), s.NewVersion)
	}
	text := "Paused by " + p.By + "."
	if unknown := s.Progress.lastUnknown(); event == EventOrderUnknown {
		text = "Held: " + unknownOrder(unknown.Command, unknown.By) + "."
	}
	return text + fmt.Sprintf(" Version %s stays at %s, and its health is checked. If no order ends that by %s, the rollout is rolled back.",
		s.NewVersion, Weight(s.Progress.Weight), p.Until.UTC().Format(time.RFC3339))
}
