package rehearsal

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// releaseInput returns the input of a release with n members, m000 and so on, whose plan has
// ten steps of that many seconds.
func releaseInput(t testing.TB, n, interval int, more map[string]any) []byte {
	t.Helper()
	rollouts := map[string]any{}
	for i := range n {
		rollouts[memberName(i)] = map[string]any{"function-name": fmt.Sprintf("function-%03d", i), "new-version": "8"}
	}
	input := map[string]any{
		"release": "checkout", "rollouts": rollouts,
		"defaults": map[string]any{"alias-name": "live", "type": "linear", "steps": 10, "interval": interval},
	}
	for name, value := range more {
		input[name] = value
	}
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func memberName(i int) string { return fmt.Sprintf("m%03d", i) }

// scenarioOf parses a scenario.
func scenarioOf(t testing.TB, text string) Scenario {
	t.Helper()
	s, err := ParseScenario([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// runRelease rehearses a release, and logs what came out.
func runRelease(t testing.TB, o ReleaseOptions) ReleaseResult {
	t.Helper()
	began := time.Now()
	result, err := RunRelease(o)
	if err != nil {
		t.Fatal(err)
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	names, counts := result.Outcomes()
	t.Logf("%s after %s of virtual time (settled %s) and %v, with %d MB in use, %d obtained: %v %v; %d bad; baseline %d, new %d, between %d; %d throttled; state %d bytes, events %d and %d; %d executions; %s",
		result.Outcome, Clock(result.Seconds), Clock(result.Settled), time.Since(began).Round(time.Millisecond), memory.HeapAlloc>>20, memory.Sys>>20, names, counts,
		result.BadRequests, result.OnBaseline, result.OnNew, result.Between, result.Throttled(), result.StateBytes, result.Events, result.MemberEvents, result.Executions, result.Reason)
	for _, l := range result.Limits {
		t.Logf("  %+v", l)
	}
	return result
}

// oneBad has the fourth member's new version go bad at 40% of its plan.
const oneBad = `{"members": {"m003": {"changes": [{"after-share": 0.4, "new-version": {"error-rate": 0.2}}]}}}`

// TestReleaseWithOneBad rolls back 30 functions because of one, within the limits of AWS.
func TestReleaseWithOneBad(t *testing.T) {
	t.Parallel()
	o := ReleaseOptions{Input: releaseInput(t, 30, 120, nil), Scenario: scenarioOf(t, oneBad), Seed: 1, Limits: localaws.AWSLimits()}
	result := runRelease(t, o)
	if result.Outcome != RolledBack || result.OnBaseline != 30 {
		t.Errorf("the release is %s with %d aliases on their baselines: %s", result.Outcome, result.OnBaseline, result.Reason)
	}
	if len(result.Notified) == 0 || result.StateBytes == 0 || result.Events == 0 || result.Calls["UpdateAlias"] == 0 {
		t.Errorf("the result lacks figures: %+v", result)
	}
	o.apart = true
	apart := runRelease(t, o)
	if apart.Outcome != PartlyPromoted || apart.OnNew != 29 || apart.OnBaseline != 1 {
		t.Errorf("without a release, %d aliases are on the new versions and %d on their baselines", apart.OnNew, apart.OnBaseline)
	}
	if alone := apart.Members[3].BadRequests; alone == 0 || float64(result.BadRequests) > 1.2*float64(alone) {
		t.Errorf("the release serves %d bad requests, and the one rollout alone %d", result.BadRequests, alone)
	}
}

// TestReleaseOfHealthy promotes 30 functions together.
func TestReleaseOfHealthy(t *testing.T) {
	t.Parallel()
	result := runRelease(t, ReleaseOptions{Input: releaseInput(t, 30, 120, map[string]any{"waves": waves(30, 3)}), Scenario: scenarioOf(t, `{}`), Seed: 2, Limits: localaws.AWSLimits()})
	if result.Outcome != Promoted || result.OnNew != 30 || result.Throttled() > 0 {
		t.Errorf("the release is %s with %d aliases on the new versions and %d throttles: %s", result.Outcome, result.OnNew, result.Throttled(), result.Reason)
	}
	first, last := result.Members[0].Ended, result.Members[0].Ended
	for _, m := range result.Members {
		first, last = min(first, m.Ended), max(last, m.Ended)
	}
	if last-first > 60 {
		t.Errorf("the members are promoted within %v s", last-first)
	}
	if wave := result.Members[29].Started - result.Members[0].Started; result.Members[29].Wave != 3 || wave < 600 {
		t.Errorf("the last member is of wave %d, which starts %v s after the first", result.Members[29].Wave, wave)
	}
}

// waves puts n members into so many waves of the same size.
func waves(n, waves int) [][]string {
	all := make([][]string, waves)
	for i := range n {
		all[i*waves/n] = append(all[i*waves/n], memberName(i))
	}
	return all
}

// TestReleasesAreDeterministic compares two rehearsals with the same seed, and another one
// with another seed.
func TestReleasesAreDeterministic(t *testing.T) {
	o := ReleaseOptions{Input: releaseInput(t, 4, 120, nil), Scenario: scenarioOf(t, oneBad), Seed: 3, Limits: localaws.AWSLimits()}
	text := func() string {
		all, err := json.Marshal(runRelease(t, o))
		if err != nil {
			t.Fatal(err)
		}
		return string(all)
	}
	first := text()
	if first != text() {
		t.Error("with the same seed the results differ")
	}
	if o.Seed = 4; first == text() {
		t.Error("with another seed the result is the same")
	}
}

// TestReleaseScenarios are refused that the release can't have.
func TestReleaseScenarios(t *testing.T) {
	input := releaseInput(t, 3, 120, nil)
	for text, want := range map[string]string{
		`{"members": {"m0001": {}}}`:                              `members.m0001 must be the name of one of the release's rollouts (did you mean "m000"?)`,
		`{"changes": [{"after": 60, "alias": {"version": "6"}}]}`: "changes[0].alias must be left out for a release: write it in a member's changes",
	} {
		if _, err := RunRelease(ReleaseOptions{Input: input, Scenario: scenarioOf(t, text)}); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, and not %s", text, err, want)
		}
	}
	if _, err := Run(Options{Input: []byte("{}"), Scenario: scenarioOf(t, `{"members": {"a": {}}}`)}); err == nil || !strings.Contains(err.Error(), wantNoMembers) {
		t.Errorf("a rollout with members: %v", err)
	}
	for text, want := range map[string]string{
		`{"members": {"a": {"baseline": {"version": "3"}}}}`:                        wantSharedVersion,
		`{"members": {"a": {"new-version": {"inactive": true}}}}`:                   wantSharedInactive,
		`{"members": {"a": {"newversion": {}}}}`:                                    `did you mean "new-version"?`,
		`{"members": {"a": {"requests-per-second": -1}}}`:                           "members.a.requests-per-second must be a number from 0 to",
		`{"members": {"a b": {"changes": [{"after": 1, "after-share": 0.5}]}}}`:     wantTime,
		`{"members": {"a": {"changes": [{"after": 5, "order": "pause"}]}}}`:         "members.a.changes[0].order is not a known field",
		`{"members": {"a": {"timeout": 901}}}`:                                      "members.a.timeout must be a number from 1 to 900",
		`{"members": {"a": {"changes": [{"after": 5, "alias": {"weight": 1.5}}]}}}`: "members.a.changes[0].alias.weight must be",
	} {
		if _, err := ParseScenario([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, and not %s", text, err, want)
		}
	}
}

// TestReleaseActions has users stop a member, change the alias of another, and give the
// release an order.
func TestReleaseActions(t *testing.T) {
	for _, test := range []struct {
		scenario string
		want     Outcome
		said     string
	}{
		{`{"members": {"m001": {"changes": [{"after": 300, "stop": true}]}}}`, RolledBack, "a user stops the execution"},
		{`{"changes": [{"after": 400, "order": "roll-back", "by": "ada"}]}`, RolledBack, "ada orders roll-back"},
		{`{"members": {"m002": {"changes": [{"after": 300, "alias": {"version": "6", "weight": 0, "description": "mine"}}]}}}`, Split, "another user changes the alias"},
		{`{"changes": [{"after": 300, "stop": true}]}`, RolledBack, "concludes the release"},
		{`{"changes": [{"after": 300, "metric-delay": 90}, {"after": 400, "requests-per-second": 20}]}`, Promoted, ""},
	} {
		result := runRelease(t, ReleaseOptions{Input: releaseInput(t, 4, 120, nil), Scenario: scenarioOf(t, test.scenario), Seed: 5})
		if result.Outcome != test.want {
			t.Errorf("%s: the release is %s: %s", test.scenario, result.Outcome, result.Reason)
		}
		if !slices.ContainsFunc(result.Lines, func(e ReleaseEntry) bool { return strings.Contains(e.Text, test.said) }) {
			t.Errorf("%s: no line says %q", test.scenario, test.said)
		}
	}
}

// TestThousand rehearses a release of a thousand functions. It takes a minute of CPU time,
// so it runs only when asked: RELEASE_MEMBERS=1000 go test -run TestThousand -v.
func TestThousand(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("RELEASE_MEMBERS"))
	if n == 0 {
		t.Skip("RELEASE_MEMBERS is not set")
	}
	for name, text := range map[string]string{"one bad": oneBad, "healthy": "{}"} {
		t.Run(name, func(t *testing.T) {
			result := runRelease(t, ReleaseOptions{Input: releaseInput(t, n, 240, nil), Scenario: scenarioOf(t, text), Seed: 1, Limits: localaws.AWSLimits(), Brief: true})
			if result.OnBaseline != n && result.OnNew != n {
				t.Errorf("%d aliases are on their baselines, and %d on the new versions", result.OnBaseline, result.OnNew)
			}
		})
	}
}
