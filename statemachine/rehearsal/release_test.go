package rehearsal

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
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

// runRelease rehearses a release, and returns the result with the CPU time.
func runRelease(t testing.TB, o ReleaseOptions) ReleaseResult {
	t.Helper()
	began := time.Now()
	result, err := RunRelease(o)
	if err != nil {
		t.Fatal(err)
	}
	if f := os.Getenv("HEAP"); f != "" {
		w, _ := os.Create(f)
		_ = pprof.WriteHeapProfile(w)
		_ = w.Close()
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

func TestManyApart(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("MEMBERS"))
	o := ReleaseOptions{Input: releaseInput(t, max(n, 5), 240, nil), Seed: 1, apart: os.Getenv("TOGETHER") == "",
		Scenario: scenarioOf(t, `{"members": {"m003": {"changes": [{"after-share": 0.4, "new-version": {"error-rate": 0.2}}]}}}`)}
	if os.Getenv("LIMITS") != "" {
		o.Limits = localaws.AWSLimits()
	}
	result := runRelease(t, o)
	for i, l := range result.Lines {
		if i < 60 || l.Member == "" && i < 100000 {
			t.Logf("%s %s %s: %s %s", Clock(l.At), l.Member, l.State, l.Error, l.Text)
		}
	}
}
