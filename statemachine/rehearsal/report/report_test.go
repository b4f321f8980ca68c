package report

import (
	"strconv"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// The largest pages: of the blog post's rollout, and of one of months.
const mostBytes, mostBytesOfMonths = 120 << 10, 900 << 10

func TestEveryOutcomeHasAPage(t *testing.T) {
	for _, outcome := range []rehearsal.Outcome{
		rehearsal.Promoted, rehearsal.RolledBack, rehearsal.Refused, rehearsal.NotStarted, rehearsal.AliasChanged,
		rehearsal.RollbackFailed, rehearsal.Unchanged, rehearsal.Stopped, rehearsal.TimedOut, rehearsal.Failed, rehearsal.Running,
	} {
		page := string(written(t, Page{Result: rehearsal.Result{Outcome: outcome, Reason: "r"}}))
		if verdicts[outcome].Words == "" || !strings.Contains(page, "<title>"+verdicts[outcome].Words) {
			t.Errorf("the page of %s does not say so in its title", outcome)
		}
	}
}

func TestEverythingIsEscaped(t *testing.T) {
	const evil = `<script>alert("'&`
	p := rehearse(t, "late-errors", example)
	r := &p.Result
	r.Reason, r.Error, r.Function, r.Alias, r.Undo, r.Notified = evil, evil, evil, evil, evil, []string{evil}
	r.AliasBefore.Description, r.AliasAfter.Description, p.ScenarioName, p.Scenario.Description = evil, evil, evil, evil
	for i := range r.Lines {
		r.Lines[i].Text, r.Lines[i].State, r.Lines[i].Decision, r.Lines[i].Error = evil, evil, evil, evil
	}
	r.NewVersion, r.Baseline = evil, evil
	p.Input = []byte(evil)
	page := string(written(t, p))
	if strings.Contains(page, "<script") || strings.Contains(page, `alert("`) {
		t.Error("something is not escaped")
	}
	if !strings.Contains(page, "&lt;script&gt;alert") {
		t.Error("nothing of it is there")
	}
}

func TestPagesStaySmall(t *testing.T) {
	p := rehearse(t, "healthy", example)
	if n := len(written(t, p)); n > mostBytes {
		t.Errorf("the page of the blog post's rollout has %d bytes", n)
	}
	check := p.Result.Lines[len(p.Result.Lines)-2]
	check.Decision = rollout.Watch
	const minutes = 90 * 24 * 60
	for range minutes {
		check.At += 60
		p.Result.Lines = append(p.Result.Lines, check)
	}
	p.Result.Checks, p.Result.Seconds = minutes, check.At
	period := p.Result.Periods[3]
	for range 360 {
		period.At += period.Seconds
		p.Result.Periods = append(p.Result.Periods, period)
	}
	page := string(written(t, p))
	if len(page) > mostBytesOfMonths {
		t.Errorf("the page of a rollout of months has %d bytes", len(page))
	}
	if !strings.Contains(page, "lines are left out") || !strings.Contains(page, "promote</td>") && !strings.Contains(page, "Finalize") {
		t.Error("the page leaves something out and does not say so, or leaves out what matters")
	}
}

func TestThinningKeepsWhatMatters(t *testing.T) {
	var lines []rehearsal.Entry
	for i := range 10_000 {
		line := rehearsal.Entry{At: float64(i), State: "HealthCheck", Decision: rollout.Watch}
		if i == 5_001 {
			line.Decision = rollout.RollBack
		}
		lines = append(lines, line)
	}
	shown, leftOut := rows(lines)
	if len(shown) > mostRows || len(shown)+leftOut != len(lines) {
		t.Errorf("%d are shown, %d left out", len(shown), leftOut)
	}
	found := 0
	for _, r := range shown {
		if r.Decision == string(rollout.RollBack) {
			found++
		}
	}
	if found != 1 || shown[0].At != "0:00:00" || shown[len(shown)-1].At != rehearsal.Clock(9999) {
		t.Errorf("what matters is left out: from %s to %s, %d rollbacks", shown[0].At, shown[len(shown)-1].At, found)
	}
}

func TestTheStrongestEvidenceIsDrawn(t *testing.T) {
	s := sketch{end: 1e6, Result: rehearsal.Result{Checks: 10_000}}
	for i := range 10_000 {
		strength := health.Strength{Gate: rollout.ErrorsGateName, Threshold: 2}
		if i == 4_321 {
			strength.Log10 = 1.9
		}
		s.Lines = append(s.Lines, rehearsal.Entry{At: float64(i) * 100, Evidence: []health.Strength{strength}})
	}
	points, threshold := s.strengths(true)
	if len(points) > mostChecks+1 || peak(points) != "1 of 79" || threshold != 2 {
		t.Errorf("%d points, at most %s, threshold %v", len(points), peak(points), threshold)
	}
}

// TestIntervalsAreJeffreys holds the intervals to those of Brown, Cai and
// DasGupta's table (2001) for ten requests.
func TestIntervalsAreJeffreys(t *testing.T) {
	for errors, want := range map[int64]string{0: "0.000 0.217", 1: "0.011 0.381", 5: "0.224 0.776", 10: "0.783 1.000", 11: "0.783 1.000", -1: "0.000 0.217"} {
		low, high := interval95(rehearsal.Tally{Invocations: 10, Errors: errors})
		text := strconv.FormatFloat(low, 'f', 3, 64) + " " + strconv.FormatFloat(high, 'f', 3, 64)
		if text != want {
			t.Errorf("%d errors in 10: %s, want %s", errors, text, want)
		}
	}
}
