package report

import (
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// TestWhenHarmBegan: in a rehearsal when the profile became worse, but not before the first
// traffic; of a recorded rollout at the first check in doubt.
func TestWhenHarmBegan(t *testing.T) {
	scenario := func(text string) rehearsal.Scenario {
		s, err := rehearsal.ParseScenario([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	late := scenario(`{"changes": [{"after": 400, "new-version": {"error-rate": 0.1}}]}`)
	now := scenario(`{"new-version": {"error-rate": 0.1}}`)
	shifts := []rehearsal.Shift{{At: 0, Weight: 0}, {At: 60, Weight: 0.1}, {At: 660, Weight: 0}}
	back := rehearsal.Result{Outcome: rehearsal.RolledBack, Error: rollout.Unhealthy, NewVersion: "2", Baseline: "1", Seconds: 700, Shifts: shifts}
	promoted := back
	promoted.Outcome, promoted.Error, promoted.Shifts = rehearsal.Promoted, "", shifts[:2]
	early := back
	early.Seconds, early.Shifts = 300, shifts[:2]
	doubt := func(at, log10 float64) rehearsal.Entry {
		return rehearsal.Entry{At: at, Evidence: []health.Strength{{Gate: rollout.ErrorsGateName, Log10: log10}}}
	}
	recorded := back
	recorded.Recorded, recorded.Lines = &rehearsal.Recorded{}, []rehearsal.Entry{doubt(60, 0.1), doubt(120, 0.6), doubt(180, 3)}
	alarmed := recorded
	alarmed.Error = "AccessDenied"
	for name, test := range map[string]struct {
		page Page
		want string
	}{
		"late":              {Page{Result: back, Scenario: late}, "harm began 0:06:40 version 2 became worse than version 1; from then until the rollback 0:04:20 at 0:11:00"},
		"with the traffic":  {Page{Result: back, Scenario: now}, "harm began 0:01:00 with its first traffic: version 2 is worse than version 1; from then until the rollback 0:10:00 at 0:11:00"},
		"never":             {Page{Result: back}, ""},
		"after the end":     {Page{Result: early, Scenario: late}, ""},
		"missed":            {Page{Result: promoted, Scenario: late}, "harm began 0:06:40 version 2 became worse than version 1, and was promoted"},
		"without traffic":   {Page{Result: rehearsal.Result{Outcome: rehearsal.Refused}, Scenario: now}, ""},
		"recorded":          {Page{Result: recorded}, "first sign of harm 0:02:00 at the first check in doubt; from then until the rollback 0:09:00 at 0:11:00"},
		"another reason":    {Page{Result: alarmed}, ""},
		"without any input": {Page{Result: back, Scenario: late, Input: []byte("{")}, ""},
	} {
		if test.page.Input == nil {
			test.page.Input = []byte(example)
		}
		var facts []string
		for _, f := range harmOf(test.page).facts(test.page.Result) {
			facts = append(facts, f.Name+" "+f.Value+" "+f.Of)
		}
		if got := strings.Join(facts, "; "); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestTheEvidenceIsNeverCutOff, however strong it is for or against harm.
func TestTheEvidenceIsNeverCutOff(t *testing.T) {
	for _, log10 := range []float64{-400, -2, 0, 1.9, 6, 3000} {
		s := sketch{end: 120, view: &view{verdict: verdicts[rehearsal.RolledBack]}, Result: rehearsal.Result{Checks: 1}}
		s.Lines = []rehearsal.Entry{{At: 60, Evidence: []health.Strength{{Gate: rollout.ErrorsGateName, Log10: log10, Threshold: 2}}}}
		d := s.evidence()
		if drawn := d.Marks[2].Points[0].Y; d.Y.Min >= 0 || d.Y.Max <= max(log10, 2) || drawn != max(log10, 0) {
			t.Errorf("evidence of 10^%v is cut off: it is drawn at %v, and the axis goes from %v to %v", log10, drawn, d.Y.Min, d.Y.Max)
		}
		ticks, _ := d.Y.Ticks(d.Y.Min, d.Y.Max, 4)
		if len(ticks) == 0 || ticks[0].Text != "none" {
			t.Errorf("the ticks are %v", ticks)
		}
	}
}

// TestOrders shows who gave which order, why, and what came of it.
func TestOrders(t *testing.T) {
	p := rehearse(t, "healthy", example)
	order := func(n int64, o rollout.Order) rehearsal.TimedOrder {
		o.Number, o.At = n, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		return rehearsal.TimedOrder{Order: o, Seconds: float64(n) * 60}
	}
	p.Result.Orders = []rehearsal.TimedOrder{
		order(1, rollout.Order{Command: rollout.PauseNow, By: "arn:aws:iam::1:user/ops", Effect: "obeyed"}),
		order(2, rollout.Order{Command: "<script>", Unknown: true, By: "x\x1b[2J\u202e"}),
	}
	p.Reasons, p.ReasonsNote = map[int64]string{1: "the <b>shop</b> is\x1b[2J slow"}, "it was <denied>"
	page := string(written(t, p))
	for _, want := range []string{
		`<h2 id="orders">`, `<th scope="row">0:01:00</th><td>pause</td><td>arn:aws:iam::1:user/ops</td><td>the &lt;b&gt;shop&lt;/b&gt; is`, "<td>obeyed</td>",
		`<th scope="row">0:02:00</th><td>unknown: &lt;script&gt;</td>`, "<td>–</td><td>not obeyed yet</td>", "Why they were given is not known: it was &lt;denied&gt;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not there", want)
		}
	}
	if strings.ContainsAny(page, "\x1b\u202e") || strings.Contains(page, "<script") {
		t.Error("something is not escaped, or not plain")
	}
	if without := string(written(t, rehearse(t, "healthy", example))); strings.Contains(without, `id="orders"`) {
		t.Error("a rollout without orders has a table of them")
	}
}
