package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/browsertest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

const shopRelease = `{"release": "shop", "waves": [["cart", "pay"], ["mail"]], "defaults": {"alias-name": "live", "type": "linear", "steps": 3, "interval": 120},
	"rollouts": {"cart": {"function-name": "cart", "new-version": "8"}, "pay": {"function-name": "pay", "new-version": "3"}, "mail": {"function-name": "mail", "new-version": "2"}}}`

// rehearsedRelease has pay go bad.
func rehearsedRelease(t testing.TB) RehearsedRelease {
	t.Helper()
	world, err := rehearsal.ParseScenario([]byte(`{"members": {"pay": {"changes": [{"after-share": 0.4, "new-version": {"error-rate": 0.2}}]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	result, err := rehearsal.RunRelease(rehearsal.ReleaseOptions{Input: []byte(shopRelease), Scenario: world, Seed: 1, Limits: localaws.AWSLimits()})
	if err != nil {
		t.Fatal(err)
	}
	return RehearsedRelease{Result: result, Input: []byte(shopRelease), Scenario: world, ScenarioName: "bad-pay.json", Seed: 1, Command: "go run ./statemachine/lambda-rollout rehearse --release"}
}

// manyMembers is a release of a thousand, of which some end in each way.
func manyMembers() ReleasePage {
	at := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	p := ReleasePage{
		Name: "large", Outcome: rehearsal.Split, Error: "ReleaseSplit", Start: at, Seconds: 4000,
		Reason: "rolled back: m0007 failed. Manual action is needed for 2 aliases, all other aliases are on their baselines" +
			"\n- m0007: f:live sends its traffic to version 9, which is neither. To put it back, run: aws lambda update-alias --region eu-west-1 --cli-input-json '{\"FunctionName\":\"f\"}'" +
			"\n- m0008: f:live no longer exists",
		Decision: &release.Decision{Decision: rollout.Promote, Reason: "all are ready", At: at.Add(time.Hour)},
		Reversal: &release.Decision{Decision: rollout.RollBack, Reason: "m0007 failed", At: at.Add(time.Hour + time.Minute)},
		Orders:   []rollout.Order{{Command: rollout.PauseNow, By: "arn:aws:iam::1:user/ops", At: at.Add(time.Minute), Effect: "obeyed"}},
		Actions:  []Action{{"why m0007 ended", "lambda-rollout explain m0007"}},
	}
	standings := []release.Standing{release.TakenBack, release.RolledBack, release.OnBaseline}
	for i := range 1000 {
		m := ReleaseMember{
			Name: fmt.Sprintf("m%04d", i), Wave: 1 + i/100, Function: fmt.Sprintf("a-function-with-a-long-name-%04d", i), Alias: "live", NewVersion: "12",
			Standing: standings[i%3], Error: rollout.ReleaseRolledBack, Started: float64(10 + i), Ready: float64(1500 + i), Ended: 3700,
		}
		if i%10 == 7 {
			m.Red, m.Standing, m.Error, m.Reason = true, release.NotRestored, "Unhealthy", strings.Repeat("<&it failed> ", 100)
		}
		p.Members = append(p.Members, m)
	}
	return p
}

func writtenRelease(t testing.TB, p ReleasePage) string {
	t.Helper()
	var out bytes.Buffer
	if err := WriteRelease(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestReleasePagesInABrowser(t *testing.T) {
	ctx, b := browsertest.Start(t)
	var small bytes.Buffer
	of := rehearsedRelease(t)
	if err := WriteRehearsedRelease(&small, of); err != nil {
		t.Fatal(err)
	}
	few := manyMembers()
	few.Members = few.Members[:120]
	for name, page := range map[string][]byte{"rehearsed": small.Bytes(), "many": []byte(writtenRelease(t, few))} {
		t.Run(name, func(t *testing.T) {
			tab := browsertest.Open(t, ctx, page)
			for _, screen := range []struct {
				width  int64
				medium string
			}{{1200, "light"}, {320, "dark"}} {
				tab.On(screen.width, screen.medium)
				if over := tab.TooWide(); over > 0 {
					t.Errorf("on a screen of %d the page is %d pixels too wide", screen.width, over)
				}
				for _, wrong := range badlyDrawn(tab) {
					t.Errorf("on a screen of %d %s", screen.width, wrong)
				}
				for _, violation := range tab.Violations(b) {
					t.Error(violation)
				}
			}
			prints(t, tab)
			keyboard(t, tab)
			for _, complaint := range tab.Complaints() {
				t.Error(complaint)
			}
			if name == "rehearsed" {
				releaseFigures(t, tab, of.Result)
			}
		})
	}
}

// releaseFigures holds what the page says against the result.
func releaseFigures(t *testing.T, tab *browsertest.Tab, r rehearsal.ReleaseResult) {
	t.Helper()
	var began, ended float64
	for _, m := range r.Members {
		if m.Member == "pay" {
			began = m.FirstBad
		}
		ended = max(ended, m.Ended)
	}
	if began == 0 || ended <= began || r.Decision == nil {
		t.Fatalf("the result has harm from %v to %v", began, ended)
	}
	for id, want := range map[string]string{
		"outcome": "Rolled back", "seconds": rehearsal.Clock(r.Seconds), "harm": rehearsal.Clock(began), "back": rehearsal.Clock(ended - began),
		"bad-requests": rollout.Thousands(r.BadRequests), "command": "go run ./statemachine/lambda-rollout rehearse --release",
	} {
		if got := tab.Text(id); got != want {
			t.Errorf("the page says %q for %s, the result %q", got, id, want)
		}
	}
	if names := browsertest.Ask[string](tab, `[...document.querySelectorAll("tbody th[role]")].map(e => e.textContent).join()`); names != "pay,cart,mail" {
		t.Errorf("the rollouts are %s", names)
	}
	if bars := browsertest.Ask[int](tab, `document.querySelectorAll(".named .bar-bad").length`); bars != 1 {
		t.Errorf("%d bars are red", bars)
	}
}

// The page of a thousand rollouts is below a megabyte, and its parts are there.
func TestAThousandRollouts(t *testing.T) {
	p := manyMembers()
	page := writtenRelease(t, p)
	if n := strings.Count(page, `role="rowheader"`); n != 1000 || len(page) > 1<<20 {
		t.Errorf("%d rows in %d bytes", n, len(page))
	}
	for i := range p.Members { // the worst
		p.Members[i].Red, p.Members[i].Standing, p.Members[i].Reason = true, release.RolledBack, strings.Repeat(`<"&'>`, 300)
	}
	if n := len(writtenRelease(t, p)); n > 1<<20 {
		t.Errorf("the page of a thousand bad rollouts has %d bytes", n)
	}
	order := []string{"Not together: manual action needed", "What to do", "aws lambda update-alias", "m0008: f:live no longer exists", "lambda-rollout explain m0007", "The waves over time", "Wave 10: 100 rollouts", `id="red"`, ">m0007<", `id="others"`, "order: pause", "decision: promote", "reversal of the promotion"}
	at := 0
	for _, part := range order {
		i := strings.Index(page[at:], part)
		if i < 0 {
			t.Fatalf("%q is not there, or not after what it follows", part)
		}
		at += i
	}
}

// Names, reasons and commands may contain anything.
func TestHostileReleasesAreEscaped(t *testing.T) {
	const evil = "<script>alert(\"'&\x1b[2J\u202e"
	p := manyMembers()
	p.Members = p.Members[:60]
	for i := range p.Members {
		m := &p.Members[i]
		m.Name, m.Function, m.Alias, m.NewVersion, m.Error, m.Reason, m.Standing = evil, evil, evil, evil, evil, evil, evil
		m.Red = i%2 == 0
	}
	p.Name, p.Error, p.Headline, p.Unverified, p.Waits = evil, evil, evil, []string{evil}, []string{evil}
	p.Decision.Reason, p.Decision.Decision, p.Reversal.Reason = evil, evil, evil
	p.Orders[0].By, p.Orders[0].Command, p.Orders[0].Effect = evil, evil, evil
	p.Actions = []Action{{evil, evil}}
	p.Reason = evil + "\n- " + evil
	p.Rehearsed = &RehearsedRelease{Input: []byte(evil), ScenarioName: evil, Command: evil, Scenario: rehearsal.Scenario{Description: evil},
		Result: rehearsal.ReleaseResult{Limits: []rehearsal.LimitResult{{Limit: evil}}, Notified: map[string]int{evil: 1}, Denied: []string{evil}}}
	for _, few := range []int{3, 60} {
		p.Members = p.Members[:min(few, len(p.Members))]
		p.Members = append([]ReleaseMember(nil), p.Members...)
		page := writtenRelease(t, p)
		if strings.Contains(page, "<script") || strings.Contains(page, `alert("`) || strings.ContainsAny(page, "\x1b\u202e") {
			t.Error("something is not escaped, or not plain")
		}
		if !strings.Contains(page, "&lt;script&gt;alert") {
			t.Error("nothing of it is there")
		}
		p.Members = manyMembers().Members[:60]
	}
}

// Only what is surely one plain command is shown as one.
func TestCommandsToPaste(t *testing.T) {
	const good = `aws lambda update-alias --region eu-west-1 --cli-input-json '{"FunctionName":"f$(x)"}'`
	for command, want := range map[string]bool{
		good: true, good + "; rm -rf ~": false, good + " && true": false, good + "\nrm": false, good[:len(good)-1]: false, good[:40] + "…": false,
		"aws lambda update-alias --name $(id)": false, "aws lambda delete-function --function-name f": false, "rm -rf ~": false,
	} {
		if got := repair("m: look, run: " + command); (got.Command == command) != want {
			t.Errorf("%q: %+v", command, got)
		}
	}
}

// Every outcome has words, also that of a release whose input is refused.
func TestEveryOutcomeOfAReleaseHasAPage(t *testing.T) {
	for _, outcome := range []rehearsal.Outcome{
		rehearsal.Promoted, rehearsal.Unchanged, rehearsal.RolledBack, rehearsal.Split, rehearsal.PartlyPromoted, rehearsal.Refused,
		rehearsal.NotStarted, rehearsal.Stopped, rehearsal.TimedOut, rehearsal.Failed, rehearsal.Running,
	} {
		v := newReleaseView(ReleasePage{Outcome: outcome, Reason: "r"})
		page := writtenRelease(t, ReleasePage{Outcome: outcome, Reason: "r"})
		if v.Words == "" || v.Sign == "" || !strings.Contains(page, "<title>"+v.Words) || strings.Contains(page, "The waves over time") {
			t.Errorf("the page of %s is wrong", outcome)
		}
	}
}

// TestStandingsOfRehearsedRollouts: where the alias is counts, once the release was rolled back.
func TestStandingsOfRehearsedRollouts(t *testing.T) {
	on := func(version string, weights map[string]float64) *rehearsal.AliasState {
		return &rehearsal.AliasState{Version: version, Weights: weights}
	}
	for _, test := range []struct {
		outcome rehearsal.Outcome
		after   *rehearsal.AliasState
		back    bool
		error   string
		want    release.Standing
		red     bool
	}{
		{"", on("1", nil), true, "", release.Waiting, false},
		{rehearsal.Promoted, on("2", nil), false, "", release.Promoted, false},
		{rehearsal.Promoted, on("1", nil), true, "", release.TakenBack, false},
		{rehearsal.Promoted, on("1", map[string]float64{"2": 0.5}), true, "", release.NotRestored, true},
		{rehearsal.Promoted, nil, true, "", release.NotRestored, true},
		{rehearsal.RolledBack, on("1", nil), true, rollout.ReleaseRolledBack, release.RolledBack, false},
		{rehearsal.RolledBack, on("1", nil), true, rollout.Unhealthy, release.RolledBack, true},
		{rehearsal.Failed, on("1", nil), true, "", release.Refused, true},
		{rehearsal.AliasChanged, on("7", nil), true, "", release.AliasChanged, true},
	} {
		m := rehearsedMember(rehearsal.MemberResult{Outcome: test.outcome, AliasAfter: test.after, Baseline: "1", NewVersion: "2", Error: test.error}, test.back)
		if m.Standing != test.want || m.Red != test.red {
			t.Errorf("%+v: %s, red %v", test, m.Standing, m.Red)
		}
	}
	for _, standing := range release.Standings() {
		if looks[standing].order == 0 {
			t.Errorf("%s has no place", standing)
		}
	}
}
