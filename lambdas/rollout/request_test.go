package rollout_test

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// blogInput is the execution input of the AWS Compute Blog's post, to the byte.
const blogInput = `{
  "function-name": "MyFunction",
  "alias-name": "MyAlias",
  "new-version": "2",
  "steps": 10,
  "interval" : 120,
  "type": "linear"
}
`

func TestTheBlogsInputIsTakenAsItIs(t *testing.T) {
	got, err := rollout.Decode([]byte(blogInput))
	if err != nil {
		t.Fatal(err)
	}
	want := rollout.Request{
		FunctionName: "MyFunction", AliasName: "MyAlias", NewVersion: "2",
		Steps: 10, Interval: 120, Type: "linear",
		CheckInterval: 60, Advance: "schedule", HealthCheck: true,
		Gates: rollout.Gates{
			Errors:      rollout.ErrorsGate{Alpha: 0.01, Ratio: 1.1, ProofMargin: 0.01, Tolerance: 2, Dispersion: 1, MaxHold: 600},
			Latency:     &rollout.LatencyGate{Alpha: 0.01, Ratio: 1.25, Tolerance: 2, WarmUp: 180, MinPerMinute: 10},
			MinRequests: 1, OnNoTraffic: "proceed",
		},
		MaxPause: 86400, ProvisionedConcurrency: "refuse", RedAlarmsAtStart: "ignore",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	steps, err := got.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	for i, weight := range []float64{.1, .2, .3, .4, .5, .6, .7, .8, .9, 1} {
		if steps[i].Weight != weight || steps[i].Seconds != 120 {
			t.Errorf("step %d is %+v, want weight %v for 120 s", i+1, steps[i], weight)
		}
	}
}

func TestEverySettingOfHealthIsTaken(t *testing.T) {
	got, err := rollout.Decode([]byte(`{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "canary", "interval": 60, "advance": "evidence", "health": {
		"errors": {"alpha": 0.001, "ratio": 1.5, "margin": 0.002, "proof-margin": 0.05, "tolerance": 3, "dispersion": 2.5, "strict": true, "throttles": true, "max-hold": 0},
		"latency": {"alpha": 0.05, "ratio": 2, "tolerance": 4, "strict": true, "warm-up": 0, "min-requests-per-minute": 2, "p50": 80.5, "p90": 120, "p95": 200, "p99": 300},
		"alarms": ["broken"], "min-invocations": 100, "on-no-traffic": "wait"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := rollout.Gates{
		Errors:  rollout.ErrorsGate{Alpha: 0.001, Ratio: 1.5, Margin: 0.002, ProofMargin: 0.05, Tolerance: 3, Dispersion: 2.5, Strict: true, Throttles: true},
		Latency: &rollout.LatencyGate{Alpha: 0.05, Ratio: 2, Tolerance: 4, Strict: true, MinPerMinute: 2, P50: 80.5, P90: 120, P95: 200, P99: 300},
		Alarms:  []string{"broken"}, MinRequests: 100, OnNoTraffic: rollout.OnNoTrafficWait,
	}
	if diff := cmp.Diff(want, got.Gates); diff != "" || got.Advance != rollout.OnEvidence {
		t.Errorf("advance %q, %s", got.Advance, diff)
	}
	got, err = rollout.Decode([]byte(`{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "canary", "interval": 60, "health": {"latency": false}}`))
	if err != nil || got.Gates.Latency != nil {
		t.Errorf("latency was not wanted: %+v, %v", got.Gates.Latency, err)
	}
	_, err = rollout.Decode([]byte(`{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "canary", "interval": 60, "health": {"latency": true}}`))
	if want := "health.latency must be false or an object; given: true"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestBadInputIsRefused runs testdata/refused.txtar: each file is an input
// that is wrong in its own way, each followed by all that is said about it.
func TestBadInputIsRefused(t *testing.T) {
	archive := readArchive(t, "testdata/refused.txtar")
	defer writeArchive(t, "testdata/refused.txtar", archive)
	if len(archive.Files)%2 != 0 {
		t.Fatal("an input without its problems")
	}
	for i := 0; i < len(archive.Files); i += 2 {
		input, want := archive.Files[i], archive.Files[i+1]
		t.Run(strings.TrimSuffix(input.Name, ".json"), func(t *testing.T) {
			if !strings.HasSuffix(input.Name, ".json") || want.Name != "problems" {
				t.Fatalf("%s is followed by %s", input.Name, want.Name)
			}
			_, err := rollout.Decode(input.Data)
			var invalid *rollout.RequestError
			if !errors.As(err, &invalid) {
				t.Fatalf("not refused: %v", err)
			}
			var got strings.Builder
			for _, problem := range invalid.Problems {
				got.WriteString(problem.Error() + "\n")
			}
			if *update {
				archive.Files[i+1].Data = []byte(got.String())
			} else if diff := cmp.Diff(string(want.Data), got.String()); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(err.Error(), "nothing was changed") {
				t.Errorf("the error does not say that nothing was changed: %v", err)
			}
		})
	}
}

func TestFunctionNamesInAllTheirForms(t *testing.T) {
	for _, given := range []string{
		"MyFunction",
		"123456789012:function:MyFunction",
		"arn:aws:lambda:eu-west-1:123456789012:function:MyFunction",
		"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:MyFunction",
	} {
		req, err := rollout.Decode([]byte(strings.Replace(blogInput, "MyFunction", given, 1)))
		if err != nil {
			t.Errorf("%s: %v", given, err)
			continue
		}
		if req.FunctionName != given || req.Function() != "MyFunction" {
			t.Errorf("%s became %q with the plain name %q", given, req.FunctionName, req.Function())
		}
	}
}

func TestAnExecutionMayBeStartedByAnother(t *testing.T) {
	if _, err := rollout.Decode([]byte(strings.Replace(blogInput, "{", `{"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "arn", `, 1))); err != nil {
		t.Error(err)
	}
}

func TestAVersionMayBeANumber(t *testing.T) {
	req, err := rollout.Decode([]byte(strings.Replace(blogInput, `"2"`, `2`, 1)))
	if err != nil || req.NewVersion != "2" {
		t.Errorf("got version %q, error %v", req.NewVersion, err)
	}
}

var update = flag.Bool("update", false, "write what is seen into the golden files")

// writeArchive writes an archive that a test has changed, with -update alone.
func writeArchive(t *testing.T, path string, archive *txtar.Archive) {
	t.Helper()
	if !*update {
		return
	}
	if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
		t.Error(err)
	}
}

func readArchive(t *testing.T, path string) *txtar.Archive {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return txtar.Parse(data)
}
