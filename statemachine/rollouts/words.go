package rollouts

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// gateLines returns what each gate found, a line each.
func (r *Rollout) gateLines() []string {
	lines := make([]string, len(r.Gates))
	for i, g := range r.Gates {
		sign := map[rollout.Status]string{rollout.Pass: "✓", rollout.Fail: "✕", rollout.Inconclusive: "–"}[g.Status]
		lines[i] = cmp.Or(sign, "?") + " " + g.text()
	}
	return lines
}

// text returns the reading with a word for what it means: "errors (fails): …".
func (g Gate) text() string { return g.Gate + " (" + g.word() + "): " + g.Reason }

// word returns the reading in a word.
func (g Gate) word() string {
	switch {
	case g.Verdict == rollout.VerdictProven:
		return "proven"
	case g.Verdict == rollout.VerdictHold:
		return "in doubt"
	case g.Status == rollout.Pass:
		return "passes"
	case g.Status == rollout.Fail:
		return "fails"
	}
	return rollout.OneLine(string(g.Status))
}

func (r *Rollout) requestLines() []string {
	return []string{
		fmt.Sprintf("version %s (new): %s", r.NewVersion, r.Requests.NewVersion),
		fmt.Sprintf("version %s (baseline): %s", r.Baseline, r.Requests.Baseline),
		fmt.Sprintf("counted from %s to %s", stamp(r.Counted.From), stamp(r.Counted.To)),
	}
}

// evidenceLines returns the evidence of harm in words, a line for each gate that has some.
func (r *Rollout) evidenceLines() []string {
	var lines []string
	for _, g := range r.Gates {
		if g.Evidence == nil {
			continue
		}
		threshold := health.Chance(*g.Threshold)
		text := "no sign of harm; rolls back when chance alone explains it in at most " + threshold + " rollouts"
		if *g.Evidence > 0 {
			text = "chance alone explains it in at most " + health.Chance(*g.Evidence) + " rollouts; rolls back at " + threshold
		}
		lines = append(lines, g.Gate+": "+text)
	}
	return lines
}

// shellWord returns a name for a shell: as it is if it is plain, else in quotes.
func shellWord(name string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r)
	}
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// stamp formats a time for people.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// Ago formats how long ago a time was, and the time itself: "20 s ago, at …".
func Ago(at, now time.Time) string { return span(max(0, now.Sub(at))) + " ago, at " + stamp(at) }

// span formats a time from now on, in seconds or as a clock.
func span(d time.Duration) string {
	if d < 100*time.Second {
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	}
	return rehearsal.Clock(d.Seconds())
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return rollout.Thousands(int64(n)) + " " + noun + "s"
}
