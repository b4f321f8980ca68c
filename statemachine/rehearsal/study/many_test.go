package study_test

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// blogInput is the execution input of the AWS Compute Blog's post.
const blogInput = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 120, "type": "linear"}`

// repeat rehearses the blog's input in a scenario, with the seeds from 1 on.
func repeat(t *testing.T, scenario string, runs int) study.Distribution {
	t.Helper()
	world, ok := rehearsal.LoadBuiltIn(scenario)
	if !ok {
		t.Fatalf("there is no scenario %s", scenario)
	}
	d, err := study.Repeat(t.Context(), rehearsal.Options{Input: []byte(blogInput), Scenario: world, Seed: 1}, runs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestManyAreTheSingleOnes holds a distribution to the rehearsals that it is of.
func TestManyAreTheSingleOnes(t *testing.T) {
	world, _ := rehearsal.LoadBuiltIn("worse-2x")
	d := repeat(t, "worse-2x", 5)
	bad, until := map[float64]int{}, map[float64]int{}
	for seed := range uint64(5) {
		r, err := rehearsal.Run(rehearsal.Options{Input: []byte(blogInput), Scenario: world, Seed: seed + 1})
		if err != nil {
			t.Fatal(err)
		}
		bad[float64(r.BadRequests)]++
		until[r.Seconds]++
	}
	for _, spread := range []struct {
		got  *study.Spread
		want map[float64]int
	}{{&d.BadRequests, bad}, {d.SecondsToRollback, until}} {
		got := map[float64]int{}
		for _, value := range spread.got.Values {
			got[value]++
		}
		if diff := cmp.Diff(spread.want, got); diff != "" || spread.got.Median != spread.got.Values[2] || spread.got.Worst != spread.got.Values[4] || spread.got.P95 != spread.got.Worst {
			t.Errorf("%+v: (-want +got)\n%s", spread.got, diff)
		}
	}
	// Clopper and Pearson's interval of 5 in 5 is from (5%/2)^(1/5) on.
	if o := d.Outcomes[0]; o.Outcome != rehearsal.RolledBack || o.Count != 5 || o.Share.Share != 1 || o.High != 1 || o.Low < 0.4781 || o.Low > 0.4783 {
		t.Errorf("outcomes %+v", d.Outcomes)
	}
}

func TestManyAreTheSameOnAnyNumberOfCores(t *testing.T) {
	all := repeat(t, "sick-environment", 12)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if diff := cmp.Diff(all, repeat(t, "sick-environment", 12)); diff != "" {
		t.Errorf("on one core (-all +one):\n%s", diff)
	}
}

// TestFalseAlarmsAreOfNoHarm counts rollbacks of a version that has the
// baseline's rate, those before a version turns bad, and those of a bad one.
func TestFalseAlarmsAreOfNoHarm(t *testing.T) {
	if d := repeat(t, "sick-environment", 30); d.HarmFound != nil || d.FalseAlarms.Count == 0 || d.FalseAlarms.Count != len(d.SecondsToRollback.Values) {
		t.Errorf("of a harmless version: %+v", d.FalseAlarms)
	}
	if d := repeat(t, "late-errors", 10); d.FalseAlarms.Count != 0 || d.SecondsToRollback == nil || d.HarmFound == nil || d.HarmFound.Count != 10 {
		t.Errorf("of one that turned bad: %+v, %+v", d.FalseAlarms, d.HarmFound)
	}
	if d := repeat(t, "errors", 3); d.FalseAlarms != nil || d.HarmFound == nil || d.HarmFound.Count != 3 {
		t.Errorf("of a bad one: %+v, %+v", d.FalseAlarms, d.HarmFound)
	}
	early, err := rehearsal.ParseScenario([]byte(`{"baseline": {"error-rate": 0.01}, "new-version": {"error-rate": 0.01, "cluster": 200},
		"changes": [{"after": 1199, "new-version": {"error-rate": 0.5}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	d, err := study.Repeat(t.Context(), rehearsal.Options{Input: []byte(blogInput), Scenario: early, Seed: 1}, 10, nil)
	if err != nil || d.FalseAlarms.Count == 0 || d.FalseAlarms.Count == d.Runs || d.HarmFound == nil || d.HarmFound.Count > 0 {
		t.Errorf("before it turned bad, in its last second: %+v and %+v of %d, %v", d.FalseAlarms, d.HarmFound, d.Runs, err)
	}
	alarmed, err := rehearsal.ParseScenario([]byte(`{"alarms": {"a": "OK"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if d, err := study.Repeat(t.Context(), rehearsal.Options{Input: []byte(blogInput), Scenario: alarmed, Seed: 1}, 1, nil); err != nil || d.FalseAlarms != nil {
		t.Errorf("with an alarm that may have been the reason: %+v, %v", d.FalseAlarms, err)
	}
}

// TestFalseAlarmsOfWhatIsCompared has a new version that is as it should be but
// for its throttles, and changes that come together. Errors come in clusters, and there is
// no history to learn that from.
func TestFalseAlarmsOfWhatIsCompared(t *testing.T) {
	const (
		short     = `{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "linear", "steps": 5, "interval": 120`
		throttles = short + `, "health": {"errors": {"throttles": true}}}`
		clusters  = `"cluster": 200, "error-rate": 0.01`
		sick      = `{"history": 0, "baseline": {` + clusters + `}, "new-version": {` + clusters + `}`
	)
	for name, test := range map[string]struct {
		input, scenario string
		simple, alarms  bool
	}{
		"throttled more, which counts":  {throttles, `{"new-version": {"throttled": 0.5}}`, false, false},
		"throttled more, which doesn't": {short + "}", `{"history": 0, "baseline": {` + clusters + `}, "new-version": {"throttled": 0.1, ` + clusters + `}}`, false, true},
		"both worse at once": {short + "}", sick + `, "changes": [{"after": 1, "new-version": {"error-rate": 0.02, "cluster": 200}},
			{"after": 1, "baseline": {"error-rate": 0.02, "cluster": 200}}]}`, false, true},
		"by the one-function deployer": {short + "}", sick + "}", true, true},
	} {
		world, err := rehearsal.ParseScenario([]byte(test.scenario))
		if err != nil {
			t.Fatal(err)
		}
		d, err := study.Repeat(t.Context(), rehearsal.Options{Input: []byte(test.input), Scenario: world, Seed: 1, Simple: test.simple}, 30, nil)
		if err != nil || d.SecondsToRollback == nil || (d.FalseAlarms != nil && d.FalseAlarms.Count > 0) != test.alarms || (d.HarmFound != nil) == test.alarms {
			t.Errorf("%s: %+v, %v", name, d.FalseAlarms, err)
		}
	}
}

func TestManyThatCanNotBe(t *testing.T) {
	for want, options := range map[string]rehearsal.Options{
		"the input is not JSON":                          {Input: []byte("nonsense")},
		"leave out one of the two":                       {Input: []byte(blogInput), Listen: "127.0.0.1:0"},
		"every rehearsal is refused: ":                   {Input: []byte("{}")},
		"the first must be at most 18446744073709551614": {Input: []byte(blogInput), Seed: 1<<64 - 1},
	} {
		if _, err := study.Repeat(t.Context(), options, 2, nil); err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), want) > 1 {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestManyEndWithTheFirstThatFails begins no more rehearsals than are under way.
func TestManyEndWithTheFirstThatFails(t *testing.T) {
	var over atomic.Int64
	_, err := study.Repeat(t.Context(), rehearsal.Options{Input: []byte("nonsense")}, 1000, func(int) { over.Add(1) })
	if err == nil || strings.Contains(err.Error(), "\n") || over.Load() > int64(runtime.GOMAXPROCS(0)) {
		t.Errorf("%d of 1000 were begun: %v", over.Load(), err)
	}
}
