package rehearsal

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// withRelease is with for a play of a release.
func (p play) withRelease(template *Template, without held) (result Result, needed map[held]int, err error) {
	o := *p.release
	o.Template = template
	adjust := o.adjust
	o.adjust = func(r *releaseRun) {
		if adjust != nil {
			adjust(r)
		}
		if permits := r.machine.permits; permits != nil {
			permits.without, needed = without, permits.needed
			if without != (held{}) {
				r.mostSweeps = 3 // without a permission, each of them may fail alike
			}
		}
	}
	released, err := RunRelease(o)
	if err != nil {
		return result, needed, err
	}
	result = Result{Outcome: released.Outcome, Error: released.Error, Reason: released.Reason, Seconds: released.Seconds, Denied: released.Denied}
	released.Denied, released.StateBytes = nil, 0 // ARNs differ in length
	result.Output, err = json.Marshal(released)
	return result, needed, err
}

// releasePlays are releases that end in different ways.
func releasePlays(t testing.TB) []play {
	t.Helper()
	var all []play
	add := func(name, scenario string, more map[string]any) {
		none := 0.0
		if more == nil {
			more = map[string]any{}
		}
		more["max-wait"] = 3600
		world := scenarioOf(t, scenario)
		world.History = &none
		all = append(all, play{name: "a release, " + name, release: &ReleaseOptions{Input: releaseInput(t, 2, 60, more), Scenario: world, Seed: 1}})
	}
	add("promoted", `{"alarms": {"orders": "OK"}, "changes": [{"after": 300, "order": "approve"}]}`, map[string]any{
		"approval": map[string]any{"before-promotion": true}, "notify": map[string]any{"topics": []string{topics}},
		"defaults": map[string]any{"alias-name": "live", "type": "linear", "steps": 2, "interval": 60, "health": map[string]any{"alarms": []string{"orders"}}},
	})
	add("rolled back on order", `{"changes": [{"after": 200, "order": "roll-back"}]}`, nil)
	add("stopped", `{"changes": [{"after": 200, "stop": true}]}`, nil)
	add("stopped late", stoppedLate(t), nil)
	add("stopped, and not concluded at once", `{"changes": [{"after": 200, "stop": true}], "faults": [{"task": "CheckRelease", "kind": "inactive", "from": 199, "until": 600}]}`, nil)
	for name, change := range map[string]string{"stopped": `"stop": true`, "approved": `"order": "approve"`} {
		add("continued, and "+name, `{"changes": [{"after": 1200, `+change+`}]}`, map[string]any{"check-interval": 10, "approval": map[string]any{"before-promotion": true}})
		all[len(all)-1].release.adjust = func(r *releaseRun) { r.releases.wrap = nearlyFull() }
	}
	return all
}

// stoppedLate has a member stopped when another one has been promoted, so that it has to be
// taken back.
func stoppedLate(t testing.TB) string {
	t.Helper()
	result, err := RunRelease(ReleaseOptions{Input: releaseInput(t, 2, 60, nil), Scenario: scenarioOf(t, `{"history": 0}`), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	last := result.Members[1]
	text, err := json.Marshal(map[string]any{"members": map[string]any{last.Member: map[string]any{"changes": []any{map[string]any{"after": last.Ended - last.Started - 0.1, "stop": true}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// nearlyFull has the history of a release's first execution nearly full from the start, so
// that it soon continues in another one.
func nearlyFull() func(asl.Invoke) asl.Invoke {
	first := true
	return func(call asl.Invoke) asl.Invoke {
		return func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
			answer, err := call(ctx, resource, input)
			var s release.State
			if !first || err != nil || resource != functionARN("CheckRelease") || json.Unmarshal(answer, &s) != nil {
				return answer, err
			}
			first = false
			s.Progress.Events += 10_000
			return json.Marshal(s)
		}
	}
}
