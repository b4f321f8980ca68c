package rehearsal_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// officeHours is a rollout within a window, as docs/windows.md has it.
func officeHours(fields string) string {
	return `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", ` + fields + `,
		"windows": [{"days": "mon-thu", "from": "09:00", "to": "16:00", "time-zone": "Europe/Berlin"}]}`
}

// TestShiftsHappenWithinWindows rehearses rollouts over weekends, both changes of the
// clock and a freeze, also with so many checks that they continue in other executions:
// every shift is within a window, and the plan's end is the one that was planned.
func TestShiftsHappenWithinWindows(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, fields, start string
		shifts              []string
		executions          int
	}{
		{"over a weekend, with so many checks that it continues in another execution", `"steps": 3, "interval": 3600, "check-interval": 240`, "2026-11-26T14:30:00+01:00",
			[]string{"Thu 14:30", "Thu 15:30", "Mon 09:00", "Mon 10:00"}, 2},
		{"the clock goes forward", `"steps": 2, "interval": 7200, "check-interval": 1800`, "2026-03-26T14:30:00+01:00",
			[]string{"Thu 14:30", "Mon 09:00", "Mon 11:00"}, 1},
		{"the clock goes back", `"steps": 2, "interval": 7200, "check-interval": 1800`, "2026-10-23T12:00:00+02:00",
			[]string{"Mon 09:00", "Mon 11:00", "Mon 13:00"}, 1},
		{"a freeze before the first shift, so long that it continues in another execution", `"steps": 1, "interval": 600, "freeze": [{"from": "2026-12-20T00:00:00Z", "to": "2026-12-30T10:30:00+01:00"}]`, "2026-12-24T12:00:00+01:00",
			[]string{"Wed 10:30", "Wed 10:40"}, 2},
		{"without health checks", `"steps": 2, "interval": 7200, "check-interval": 3600, "health-check": false`, "2026-11-26T14:30:00+01:00",
			[]string{"Thu 14:30", "Mon 09:00", "Mon 11:00"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rehearse(t, officeHours(test.fields), "healthy", func(o *rehearsal.Options) {
				o.Scenario.Start, o.Scenario.RequestsPerSecond = test.start, 0.2
			})
			start, _ := time.Parse(time.RFC3339, test.start)
			var got []string
			at := func(line rehearsal.Entry) string {
				return start.Add(time.Duration(line.At * float64(time.Second))).In(berlin).Format("Mon 15:04")
			}
			for _, line := range r.Lines {
				if line.State == "UpdateAlias" || line.State == "Finalize" {
					got = append(got, at(line))
				}
			}
			if !slices.Equal(got, test.shifts) || r.Outcome != rehearsal.Promoted || r.Executions != test.executions {
				t.Errorf("%s in %d executions, with shifts at %q", r.Outcome, r.Executions, got)
			}
			if r.Planned != r.Seconds {
				t.Errorf("it takes %v s, planned are %v", r.Seconds, r.Planned)
			}
			if r.Events > 22_000 {
				t.Errorf("a history of %d events", r.Events)
			}
			scenario, _ := rehearsal.LoadBuiltIn("healthy")
			scenario.Start, scenario.RequestsPerSecond = test.start, 2
			usage, err := rehearsal.Count(rehearsal.Options{Input: []byte(officeHours(test.fields)), Scenario: scenario, Seed: 1})
			if off := usage[0] - r.Transitions; err != nil || off < -2 || off > 2 { // parts of transitions are rounded
				t.Errorf("%d transitions are counted, %d were used: %v", usage[0], r.Transitions, err)
			}
		})
	}
}

// TestOthersWaitForWindowsToo has the deployers that can't wait long.
func TestOthersWaitForWindowsToo(t *testing.T) {
	t.Parallel()
	const input = `"type": "all-at-once", "interval": 60`
	run := func(start, fields string, stack *rehearsal.Stack) rehearsal.Result {
		return rehearse(t, officeHours(fields), "healthy", func(o *rehearsal.Options) {
			o.Scenario.Start, o.Scenario.RequestsPerSecond, o.Stack, o.Simple = start, 0.2, stack, stack == nil
		})
	}
	if r := run("2026-11-26T08:55:00+01:00", input, nil); r.Outcome != rehearsal.Promoted || r.Seconds != 360 {
		t.Errorf("the function, five minutes before the window: %s after %v s: %s", r.Outcome, r.Seconds, r.Reason)
	}
	if r := run("2026-11-26T16:00:00+01:00", input, nil); r.Error != "TooLong" || !strings.Contains(r.Reason, "the plan needs ") {
		t.Errorf("the function, after the window: %s: %s", r.Error, r.Reason)
	}
	if r := run("2026-11-26T15:00:00+01:00", input, &rehearsal.Stack{}); string(r.Stack.Status) != "UPDATE_COMPLETE" {
		t.Errorf("a stack, within the window: %s: %s", r.Stack.Status, r.Stack.Answers)
	}
	if r := run("2026-11-26T16:00:00+01:00", input, &rehearsal.Stack{}); string(r.Stack.Status) == "UPDATE_COMPLETE" || !strings.Contains(strings.Join(r.Stack.Answers, " "), "Wait needs a plan of at most 50 minutes") {
		t.Errorf("a stack, after the window: %s: %s", r.Stack.Status, r.Stack.Answers)
	}
	if r := run("2026-11-26T16:00:00+01:00", input+`, "wait": "false"`, &rehearsal.Stack{}); string(r.Stack.Status) != "UPDATE_COMPLETE" || r.Outcome != rehearsal.Promoted {
		t.Errorf("a stack that does not wait, after the window: %s: %s; %s", r.Stack.Status, r.Stack.Answers, r.Outcome)
	}
}

// TestAnotherDeploymentWhileTheFirstShiftWaits: the alias is free meanwhile, and a rollout
// that finds it changed changes nothing.
func TestAnotherDeploymentWhileTheFirstShiftWaits(t *testing.T) {
	r := rehearse(t, officeHours(`"type": "all-at-once", "interval": 60`), "healthy", func(o *rehearsal.Options) {
		o.Scenario.Start = "2026-11-26T08:00:00+01:00"
		o.Scenario.Changes = []rehearsal.Change{{After: 600, Alias: &rehearsal.AliasChange{Version: "2"}}}
	})
	if r.Outcome != rehearsal.AliasChanged || r.AliasAfter.Version != "2" || r.Seconds != 3600 {
		t.Errorf("%s after %v s, with the alias %+v: %s", r.Outcome, r.Seconds, r.AliasAfter, r.Reason)
	}
}

// TestOrdersBeforeTheFirstShift: to roll back ends the wait, and nothing was changed.
func TestOrdersBeforeTheFirstShift(t *testing.T) {
	for order, want := range map[rollout.Command]rehearsal.Outcome{rollout.RollBackNow: rehearsal.RolledBack, rollout.AdvanceNow: rehearsal.Promoted, rollout.PromoteNow: rehearsal.Promoted} {
		r := rehearse(t, officeHours(`"type": "canary", "interval": 3600`), "healthy", func(o *rehearsal.Options) {
			o.Scenario.Start, o.Scenario.RequestsPerSecond = "2026-11-26T08:00:00+01:00", 0.2
			o.Scenario.Changes = []rehearsal.Change{{After: 700, Order: order}}
		})
		seconds := map[rollout.Command]float64{rollout.RollBackNow: 900, rollout.AdvanceNow: 3 * 3600, rollout.PromoteNow: 3600 + 60}[order]
		if r.Outcome != want || r.Seconds != seconds {
			t.Errorf("%s: %s after %v s: %s", order, r.Outcome, r.Seconds, r.Reason)
		}
		if wait := "Alias MyAlias of MyFunction is back on version 1."; order == rollout.RollBackNow && !strings.HasSuffix(r.Reason, wait) {
			t.Errorf("%s: %s", order, r.Reason)
		}
	}
}
