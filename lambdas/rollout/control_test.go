package rollout_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// order is a command that Ann gives.
func order(number int64, c rollout.Command) rollout.Order {
	return rollout.Order{Number: number, Command: c, By: "ann", At: start}
}

// TestOrders gives orders in a step of two minutes, the first of two; the second
// needs an approval where the request says so.
func TestOrders(t *testing.T) {
	const (
		free     = ``
		known    = "; known are advance, promote, roll-back, approve, refuse, pause, resume"
		held     = ". If no order ends that within 1 day, the rollout is rolled back; errors: who knows"
		notKnown = "not known, so the weight is held; known are advance, promote, roll-back, approve, refuse, pause, resume"
		approval = `"approval": {"before-weights": [1], "timeout": 600}, `
	)
	seconds := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	for _, test := range []struct {
		name    string
		fields  string
		asked   int // seconds after the step's beginning; 0 if nothing is waited for
		after   int
		reading rollout.Reading
		orders  []rollout.Order
		want    string
		effects string
	}{
		{"advance", free, 0, 60, undecided, []rollout.Order{order(1, rollout.AdvanceNow)}, "advance: step 1 of 2 ended, ordered by ann; errors: who knows", "obeyed"},
		{"advance in doubt", free, 0, 60, doubtful, []rollout.Order{order(1, rollout.AdvanceNow)}, "advance: step 1 of 2 ended, ordered by ann; errors (in doubt): perhaps", "obeyed"},
		{"promote", free, 0, 60, undecided, []rollout.Order{order(1, rollout.PromoteNow)}, "promote: step 1 of 2 ended, ordered by ann; errors: who knows", "obeyed"},
		{"roll back", free, 0, 60, proven, []rollout.Order{order(1, rollout.RollBackNow)}, "roll-back Ordered: ordered by ann; errors (proven): fine", "obeyed"},
		{"roll back comes before all else", free, 0, 60, proven, []rollout.Order{order(1, rollout.PromoteNow), order(2, rollout.RollBackNow), order(3, rollout.AdvanceNow)}, "roll-back Ordered: ordered by ann; errors (proven): fine", "superseded by another order, obeyed, superseded by another order"},
		{"the last one counts", free, 0, 60, undecided, []rollout.Order{order(1, rollout.PromoteNow), order(2, rollout.AdvanceNow)}, "advance: step 1 of 2 ended, ordered by ann; errors: who knows", "superseded by another order, obeyed"},
		{"harm comes before all orders", free, 0, 60, harmful, []rollout.Order{order(1, rollout.PromoteNow)}, "roll-back Unhealthy: latency failed: slow", "overruled: the check found harm"},
		{"nonsense", free, 0, 60, undecided, []rollout.Order{order(1, "dance")}, "watch 60: step 1 of 2 is held: the order \"dance\" by ann is not known" + known + held, notKnown},
		{"an approval that is not waited for", free, 0, 60, undecided, []rollout.Order{order(1, rollout.Approve)}, "watch 60: errors: who knows", "ignored: the rollout does not wait for approval"},

		{"approval is asked for at the step's end", approval, 0, 120, undecided, nil, "watch 60: waiting up to 10 minutes for approval of 100% on version 2; errors: who knows", ""},
		{"not before", approval, 0, 60, undecided, nil, "watch 60: errors: who knows", ""},
		{"it is waited for", approval, 120, 700, undecided, nil, "watch 20: waiting up to 20 seconds for approval of 100% on version 2; errors: who knows", ""},
		{"for so long", approval, 120, 720, undecided, nil, "roll-back NotApproved: 100% on version 2 was not approved in time; errors: who knows", ""},
		{"harm meanwhile", approval, 120, 180, harmful, nil, "roll-back Unhealthy: latency failed: slow", ""},
		{"approve", approval, 120, 180, undecided, []rollout.Order{order(1, rollout.Approve)}, "advance: step 1 of 2 ended, and the next one was approved by ann; errors: who knows", "obeyed"},
		{"refuse", approval, 120, 180, undecided, []rollout.Order{order(1, rollout.Disapprove)}, "roll-back Ordered: approval refused by ann; errors: who knows", "obeyed"},
		{"advance does not approve", approval, 0, 60, undecided, []rollout.Order{order(1, rollout.AdvanceNow)}, "watch 60: waiting up to 10 minutes for approval of 100% on version 2; errors: who knows", "the step ended, and the next one waits for approval"},
		{"an approval counts whatever comes after it", approval, 120, 180, undecided, []rollout.Order{order(1, rollout.Approve), order(2, rollout.AdvanceNow)}, "advance: step 1 of 2 ended, ordered by ann; errors: who knows", "obeyed, obeyed"},
		{"doubt does not outlive an approval's time", approval, 120, 720, doubtful, nil, "roll-back NotApproved: 100% on version 2 was not approved in time; errors (in doubt): perhaps", ""},
	} {
		s := shift(t, begin(t, `{"function-name": "f", "alias-name": "live", "new-version": "2", `+test.fields+` "type": "canary", "interval": 120}`))
		s.Progress.Since, s.Progress.Began = start, start
		if test.asked > 0 {
			s.Progress.ApprovalRequestedAt = seconds(test.asked)
		}
		s = s.Check(seconds(test.after), rollout.Health{Readings: []rollout.Reading{test.reading}, Recent: 10}, rollout.Instructions{Orders: test.orders})
		got := string(s.Health.Decision)
		if s.Progress.Wait > 0 {
			got += fmt.Sprintf(" %d", s.Progress.Wait)
		}
		if s.Health.Cause != "" {
			got += " " + s.Health.Cause
		}
		if got += ": " + s.Health.Reason; got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
		var effects []string
		for _, o := range s.Progress.Orders {
			effects = append(effects, o.Effect)
		}
		if got := strings.Join(effects, ", "); got != test.effects {
			t.Errorf("%s: effects %q, want %q", test.name, got, test.effects)
		}
		again := s.Check(seconds(test.after), rollout.Health{Readings: []rollout.Reading{undecided}, Recent: 10}, rollout.Instructions{Orders: test.orders})
		if len(again.Progress.Orders) != len(s.Progress.Orders) {
			t.Errorf("%s: orders are taken again", test.name)
		}
	}
}

func TestOnlyTheLastOrdersAreKept(t *testing.T) {
	s := shift(t, begin(t, blogInput))
	for n := range int64(30) {
		s.Progress.Since, s.Progress.Began = start, start
		s = s.Check(start.Add(time.Minute), rollout.Health{Recent: 1}, rollout.Instructions{Orders: []rollout.Order{order(n+1, "dance"), order(n+1, "dance")}})
	}
	if n := len(s.Progress.Orders); n != 10 || s.Progress.Orders[9].Number != 30 {
		t.Errorf("%d orders, the last %+v", n, s.Progress.Orders[n-1])
	}
}

func TestWhereOrdersAreGiven(t *testing.T) {
	s := rollout.State{Plan: rollout.Plan{Owner: "release-42"}}
	if got := s.CommandLine(rollout.Approve, "arn:aws:states:eu-west-1:123456789012:execution:m:release-42"); got != `aws ssm put-parameter --region eu-west-1 --cli-input-json '{"Name":"/lambda-rollout/release-42","Value":"approve","Type":"String","Overwrite":true}'` {
		t.Error(got)
	}
	if got := rollout.ControlParameter("ünusual; rm -rf"); !strings.HasPrefix(got, "/lambda-rollout/") || strings.ContainsAny(got, "; ü") {
		t.Error(got)
	}
}
