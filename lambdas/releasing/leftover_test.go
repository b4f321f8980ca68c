package releasing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/releasing"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// TestStartsGoOnWhileOthersAreLookedAt, if the check before began them and nothing new speaks
// against it.
func TestStartsGoOnWhileOthersAreLookedAt(t *testing.T) {
	order := func(w *world) {
		w.orders = []rollout.Order{{Command: rollout.PauseNow, By: "me", Number: 1, At: noon.Add(time.Minute)}}
	}
	for name, test := range map[string]struct {
		change func(*world)
		wait   int64
		want   bool
	}{
		"plainly":                       {func(*world) {}, 1, true},
		"the check before only watched": {func(*world) {}, 60, false},
		"a new order":                   {order, 1, false},
		"it is decided": {func(w *world) {
			w.parameters[release.NamesOf(owner).Decision] = `{"decision": "roll-back", "reason": "r", "at": "2026-11-28T12:00:00Z"}`
		}, 1, false},
	} {
		w := newWorld(t)
		var rollouts, wave string
		for i := range 400 {
			rollouts += fmt.Sprintf(`, "m%d": {"function-name": "f%d"}`, i, i)
			wave += fmt.Sprintf(`, "m%d"`, i)
		}
		text := `{"release": "large", "defaults": {"alias-name": "live", "new-version": "2", "type": "linear", "steps": 2, "interval": 1800}, "waves": [["z"` + wave + `]],
			"rollouts": {"z": {"function-name": "z"}` + rollouts + `}}`
		w.add(owner, task.Running, text)
		r, err := release.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		s := release.Begun(r, owner, noon)
		for i := range 390 {
			m := fmt.Sprintf("m%d", i)
			s = s.StartedMember(m)
			w.member(m, task.Running, "Wait", rollout.State{})
		}
		s.Progress.Wave, s.Progress.Wait = 1, test.wait
		test.change(w)
		counted := counting{world: w, starts: new(int), before: new(int)}
		check := w.check()
		check.Executions = counted
		if _, err := check.Handle(context.Background(), call(s)); err != nil {
			t.Fatal(err)
		}
		if during := *counted.before > 0; during != test.want {
			t.Errorf("%s: %d starts before the last look", name, *counted.before)
		}
	}
}

// counting counts the starts, and those before the last look.
type counting struct {
	*world
	starts, before *int
}

func (c counting) Start(ctx context.Context, machine, name string, input json.RawMessage) error {
	*c.starts++
	return c.world.Start(ctx, machine, name, input)
}

func (c counting) Last(ctx context.Context, arn string) (task.Last, error) {
	*c.before = *c.starts
	return c.world.Last(ctx, arn)
}

// TestTwoRowsOfCallsKeepTheirPaces, the second within the time of the first.
func TestTwoRowsOfCallsKeepTheirPaces(t *testing.T) {
	w := newWorld(t)
	begin := w.now
	at := map[string][]time.Duration{}
	call := func(name string) func(int) error {
		return func(i int) error {
			if i != len(at[name]) {
				t.Errorf("call %d of %s follows %d", i, name, len(at[name]))
			}
			at[name] = append(at[name], w.now.Sub(begin))
			return nil
		}
	}
	done, err := releasing.EachBeside(w.pace(), context.Background(), releasing.NewRow(100, 20, 100*time.Millisecond, call("looks")), releasing.NewRow(50, 0, time.Second, call("starts")), time.Hour)
	if done != 100 || err != nil || len(at["starts"]) != 7 || at["starts"][0] != time.Second || at["starts"][6] != 7*time.Second {
		t.Errorf("%d looks, starts at %v: %v", done, at["starts"], err)
	}
	if n := len(at["looks"]); n != 100 || at["looks"][19] != 0 || at["looks"][99] != 7900*time.Millisecond {
		t.Errorf("looks at %v", at["looks"])
	}
}
