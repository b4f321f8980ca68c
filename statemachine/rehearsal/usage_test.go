package rehearsal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// planned is a linear plan of ten steps.
func planned(t *testing.T, interval int) (plannedInput, Options) {
	t.Helper()
	input := fmt.Appendf(nil, `{"function-name": "f", "alias-name": "live", "new-version": "2", "steps": 10, "interval": %d}`, interval)
	plan, err := plainly(input)
	if err != nil {
		t.Fatal(err)
	}
	healthy, _ := LoadBuiltIn("healthy")
	return plan, Options{Input: input, Scenario: healthy, Seed: 1, Brief: true}
}

// TestALongPlanIsWhatItsPartsAddUpTo rehearses a plan that goes on in two more
// executions from beginning to end, and adds it up from shorter ones.
func TestALongPlanIsWhatItsPartsAddUpTo(t *testing.T) {
	plan, options := planned(t, 340*60)
	whole, err := plan.walk(0)
	if err != nil || whole != (length{3400, 2}) {
		t.Fatalf("the plan is walked as %+v: %v", whole, err)
	}
	counted, err := plan.measure(options, 0)
	if err != nil {
		t.Fatal(err)
	}
	added, err := plan.compose(options, whole)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := differences(counted, added); wrong != nil {
		t.Errorf("added up it differs:\n%s", strings.Join(wrong, "\n"))
	}
	whole.parts--
	if added, err = plan.compose(options, whole); err != nil || len(differences(counted, added)) == 0 {
		t.Errorf("an execution less is not seen: %v", err)
	}
}

// differences are the items that differ: at all or, of bytes, by more than one in
// a hundred, as their length depends on the traffic.
func differences(counted, added Usage) (wrong []string) {
	for i := range counted {
		allowed := 0.0
		if i == executionLog || i == functionLog {
			allowed = float64(counted[i]) / 100
		}
		if math.Abs(float64(added[i]-counted[i])) > allowed {
			wrong = append(wrong, fmt.Sprintf("item %d: counted %d, added up %d", i, counted[i], added[i]))
		}
	}
	return wrong
}

// TestWhatTheBlogsRolloutUses has the figures that can be counted by hand: 20
// checks in 10 steps.
func TestWhatTheBlogsRolloutUses(t *testing.T) {
	_, options := planned(t, 120)
	used, err := Count(options)
	if err != nil {
		t.Fatal(err)
	}
	used[executionLog], used[functionLog] = 0, 0
	want := Usage{
		transitions:  74,                // CalculateWeights, Begin; 10 UpdateAlias; 20 of Wait, HealthCheck, Decide; Finalize, Promoted
		healthChecks: 20,                // every minute
		otherTasks:   1 + 10 + 1 + 1,    // CalculateWeights, UpdateAlias, Finalize, and Rollback at the end
		metricReads:  14 + 19*13,        // the first check reads the record, the others slow requests
		publishes:    2,                 // started, promoted
		busEvents:    2,                 // likewise
		traces:       2,                 // the execution, and what tells of its end
		metricHours:  metricsOfFunction, // of one started hour
	}
	if used != want {
		t.Errorf("used %v, want %v", used, want)
	}
}

func TestALoggedEventIsMeasuredAsItIsWritten(t *testing.T) {
	sizes := 0
	var m meter
	_, options := planned(t, 60)
	options.adjust = func(r *run) {
		m.watch(r)
		tell := r.machine.onEvent
		r.machine.onEvent = func(e *execution, event asl.Event) {
			line, err := logLine(event)
			size, sizeErr := loggedSize(event)
			if err != nil || sizeErr != nil || size != int64(len(unescaped(t, line))) {
				t.Errorf("%d bytes are measured, %v, of %s", size, sizeErr, line)
			}
			sizes += int(size) + logOverhead
			tell(e, event)
		}
	}
	if _, err := Run(options); err != nil {
		t.Fatal(err)
	}
	if m.err != nil || m.used[executionLog] != int64(sizes) || sizes == 0 {
		t.Errorf("%d bytes counted, %v, of %d", m.used[executionLog], m.err, sizes)
	}
}

// unescaped writes a line without what package json escapes for web pages alone.
func unescaped(t *testing.T, line []byte) []byte {
	t.Helper()
	var value any
	if err := json.Unmarshal(line, &value); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

func TestOnlyWhatIsPromotedHasACost(t *testing.T) {
	_, options := planned(t, 120)
	options.Scenario, _ = LoadBuiltIn("errors")
	if _, err := Count(options); err == nil || !strings.Contains(err.Error(), "it ends as rolled-back: ") {
		t.Errorf("a rollout that is rolled back: %v", err)
	}
	options.Input = []byte(`{"function-name": "f"}`)
	if _, err := Count(options); err == nil || !strings.Contains(err.Error(), "alias-name is missing") {
		t.Errorf("an input that is refused: %v", err)
	}
}

func TestAPresetWithALongBakeHasACost(t *testing.T) {
	_, options := planned(t, 120)
	options.Input = []byte(`{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "Canary10Percent5Minutes", "bake": 200000, "advance": "evidence"}`)
	used, err := Count(options)
	if want := int64((5*60 + 5*60 + 200000 + 59) / 60); err != nil || used[healthChecks] != want {
		t.Errorf("%d checks, want %d: %v", used[healthChecks], want, err)
	}
}
