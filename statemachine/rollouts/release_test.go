package rollouts_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

var releaseOutcomes = []rollouts.Outcome{rollouts.Running, rollouts.Promoted, rollouts.Unchanged, rollouts.RolledBack, rollouts.Split, rollouts.PartlyPromoted,
	rollouts.Refused, rollouts.NotStarted, rollouts.Stopped, rollouts.TimedOut, rollouts.Failed, "odd\x1b[2J"}

// TestHostileReleases shows a release whose every text steers terminals and writes backwards.
func TestHostileReleases(t *testing.T) {
	const hostile = "a\x1b[2J\x07\u202eb\u2028c\r\nd\u009b31m"
	for _, outcome := range releaseOutcomes {
		r, plain := filledRelease(outcome, hostile), filledRelease(outcome, "plain")
		now := time.Now()
		pages := func(r *rollouts.Release) []*rollouts.Page {
			return []*rollouts.Page{r.Text(now), r.Live(now), r.Explain(now).Text()}
		}
		for i, page := range pages(r) {
			same := pages(plain)[i]
			if more := len(page.Lines(0, false)) - len(same.Lines(0, false)); more > 0 && outcome == rollouts.Running || more > 3 { // a reason may have lines
				t.Errorf("%s has %d more lines than with plain texts: %q", outcome, more, page.Lines(0, false))
			}
			for _, width := range []int{0, 40, 80, 200} {
				for _, line := range append(page.Lines(width, false), page.Rows(width, false)...) {
					if line != rollout.OneLine(line) {
						t.Errorf("%s at %d: %q", outcome, width, line)
					}
				}
			}
		}
		if line := r.Line(); line != rollout.OneLine(line) {
			t.Errorf("%s: %q", outcome, line)
		}
	}
	list := rollouts.List{Releases: make([]rollouts.ReleaseItem, 1)}
	fill(reflect.ValueOf(&list).Elem(), hostile)
	for _, line := range list.Table(0, false) {
		if line != rollout.OneLine(line) {
			t.Errorf("%q", line)
		}
	}
}

func filledRelease(outcome rollouts.Outcome, text string) *rollouts.Release {
	r := &rollouts.Release{
		Rollouts: make([]rollouts.ReleaseMember, 2), Orders: make([]rollout.Order, 1), OrderReasons: map[int64]string{0: text}, Decision: &release.Decision{}, Reversal: &release.Decision{},
		Approval: &rollouts.ReleaseApproval{}, Pause: &rollout.Pause{}, Pending: &rollouts.PendingOrder{}, UnverifiedRollouts: make([]string, 1),
	}
	fill(reflect.ValueOf(r).Elem(), text)
	r.Outcome, r.Rollouts[0].Red, r.Standings = outcome, true, map[release.Standing]int{release.Standing(text): 1}
	return r
}

// TestEachEndOfAReleaseIsExplained with what happened, why, where the aliases are, and what to do.
func TestEachEndOfAReleaseIsExplained(t *testing.T) {
	var all strings.Builder
	at := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	decided := &release.Decision{Decision: rollout.RollBack, Reason: "cart ended as rolled-back: Unhealthy", At: at}
	promoting := &release.Decision{Decision: rollout.Promote, Reason: "all are ready", At: at}
	bad := []rollouts.ReleaseMember{{Name: "cart", Rollout: "r.cart", Standing: release.RolledBack, Red: true, Error: "Unhealthy", Reason: "errors"}, {Name: "pay", Rollout: "r.pay", Standing: release.RolledBack}}
	for _, r := range []rollouts.Release{
		{Outcome: rollouts.Running, Status: "RUNNING", Wave: 1, Waves: 2, Weight: 0.3, Reason: "of 2 rollouts, 2 under way", NextCheck: at.Add(time.Minute)},
		{Outcome: rollouts.Running, Status: "RUNNING"},
		{Outcome: rollouts.Running, Status: "PENDING_REDRIVE"},
		{Outcome: rollouts.Promoted, Reason: "all 2 rollouts of the release are promoted", Standings: map[release.Standing]int{release.Promoted: 1, release.Unchanged: 1}, UnverifiedRollouts: []string{"pay"}, Rollouts: bad},
		{Outcome: rollouts.Unchanged},
		{Outcome: rollouts.RolledBack, Error: "Unhealthy", Reason: "rolled back: cart", Decision: decided, Rollouts: bad, Standings: map[release.Standing]int{release.Unchanged: 1}},
		{Outcome: rollouts.Split, Error: "ReleaseSplit", Reason: "rolled back: cart. Manual action is needed for 1 alias, all other aliases are on their baselines\n- pay: run aws lambda update-alias", Decision: promoting, Reversal: decided,
			Rollouts: append(bad[:1:1], rollouts.ReleaseMember{Name: "pay", Rollout: "r.pay", Standing: release.NotRestored, Red: true, Reason: "run it"}), Standings: map[release.Standing]int{release.NotRestored: 1}},
		{Outcome: rollouts.PartlyPromoted, Error: "NotAllPromoted", Reason: "of 2 rollouts, 1 promoted", Rollouts: bad, Standings: map[release.Standing]int{release.Promoted: 1}},
		{Outcome: rollouts.Refused, Error: "InvalidRequest", Reason: "the input is wrong:\n- waves: is wrong\n- rollouts.a: is wrong"},
		{Outcome: rollouts.NotStarted, Error: "NotStarted", Reason: "throttled"},
		{Outcome: rollouts.Stopped}, {Outcome: rollouts.TimedOut}, {Outcome: rollouts.Failed, Error: "States.Runtime"},
	} {
		r.Name = "first"
		fmt.Fprintf(&all, "%s %s\n%s\n\n", r.Outcome, r.Status, strings.Join(r.Explain(at).Text().Lines(100, false), "\n"))
	}
	golden(t, "release-explained", all.String())
}

// TestAScreenOfAThousand rollouts has those that need attention, and as many others as fit.
func TestAScreenOfAThousand(t *testing.T) {
	r := &rollouts.Release{Name: "big", Outcome: rollouts.Running}
	for i := range 1000 {
		r.Rollouts = append(r.Rollouts, rollouts.ReleaseMember{Name: fmt.Sprintf("m%03d", i), Standing: release.UnderWay, Red: i < 2, Reason: "bad"})
	}
	now := time.Now()
	for _, size := range [][2]int{{80, 24}, {200, 60}, {40, 24}, {80, 5}} {
		width, rows := size[0], size[1]
		r.Fit(width, rows, now)
		lines := r.Text(now).Lines(width, false)
		text := strings.Join(lines, "\n")
		least := rows > 20 && width > 40
		if least && (len(lines) > rows || len(lines) < rows-1) || !strings.Contains(text, "m000") || !strings.Contains(text, "more rollouts") {
			t.Errorf("%d lines of %d:\n%s", len(lines), rows, text)
		}
	}
	if r.Fit(80, 0, now); len(r.Text(now).Lines(80, false)) < 1000 {
		t.Error("not all are shown")
	}
}

// TestEveryEndOfAReleaseIsKnown: the workflow's terminal states are those that have outcomes,
// or that another execution ends.
func TestEveryEndOfAReleaseIsKnown(t *testing.T) {
	var definition struct {
		States map[string]struct{ Type string }
	}
	if err := json.Unmarshal([]byte(statemachine.ReleaseDefinition), &definition); err != nil {
		t.Fatal(err)
	}
	known := append(rollouts.ReleaseEndings(), "Handed back", "Not checked")
	for name, state := range definition.States {
		if ends := state.Type == "Succeed" || state.Type == "Fail"; ends != slices.Contains(known, name) {
			t.Errorf("%s is a %s", name, state.Type)
		}
	}
	if definition.States[release.FirstState].Type == "" {
		t.Errorf("there is no state %s", release.FirstState)
	}
}

// TestForgedReleases reads executions whose data a user wrote: it is not taken for a release's.
func TestForgedReleases(t *testing.T) {
	a := servedtest.New(t, `{}`)
	t.Setenv("RELEASE_STATE_MACHINE_ARN", "")
	c := clientOf(t, a).Releases()
	prefix := strings.Replace(c.Machine, ":stateMachine:", ":execution:", 1) + ":"
	begin := func(name string, input any) {
		text, err := json.Marshal(input)
		if err != nil {
			t.Fatal(err)
		}
		body := string(text)
		if _, err := sfn.NewFromConfig(a.Config).StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: &c.Machine, Name: &name, Input: &body}); err != nil {
			t.Fatal(err)
		}
	}
	data := func(owner string) map[string]any {
		return map[string]any{"release": "forged", "plan": map[string]any{"owner": prefix + owner, "execution": prefix + owner, "waves": 9}, "members": map[string]any{"a": map[string]any{"state": "promoted"}}}
	}
	begin("planned", data("planned"))
	begin("part", map[string]any{"continue": data("planned")})
	begin("itself", map[string]any{"continue": data("itself")})
	begin("ends", map[string]any{"conclude": prefix + "planned"})
	begin("else", map[string]any{"conclude": "arn:aws:states:eu-central-1:123456789012:execution:other:x"})
	a.Advance(time.Minute)
	for name, want := range map[string]string{"planned": "planned", "part": "planned", "itself": "itself", "ends": "planned"} {
		r, err := c.ReadRelease(t.Context(), name, a.Now())
		if err != nil || r.Name != want || r.Outcome != rollouts.Refused || r.Waves != 0 || len(r.Rollouts) > 0 || r.Title != "" {
			t.Errorf("%s is %+v, %v", name, r, err)
		}
	}
	if r, err := c.ReadRelease(t.Context(), "else", a.Now()); err == nil {
		t.Errorf("one that ends another machine's is %s", r.Name)
	}
}

// TestEveryMemberOfReleasesIsDocumented in docs/command.md.
func TestEveryMemberOfReleasesIsDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "command.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range []any{rollouts.Release{}, rollouts.ReleaseMember{}, rollouts.ReleaseApproval{}, rollouts.ReleaseItem{}, rollouts.Membership{}, release.Decision{}} {
		of := reflect.TypeOf(document)
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if name != "" && !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("%s.%s is not in docs/command.md", of.Name(), name)
			}
		}
	}
	for _, standing := range release.Standings() {
		if !strings.Contains(string(page), "`"+string(standing)+"`") {
			t.Errorf("%s is not in docs/command.md", standing)
		}
	}
}
