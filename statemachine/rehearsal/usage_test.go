package rehearsal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// planned is a linear plan of ten steps, with more members of its input.
func planned(t *testing.T, interval int, more ...string) (plannedInput, Options) {
	t.Helper()
	members := strings.Join(append([]string{`"function-name": "f", "alias-name": "live", "new-version": "2", "steps": 10`}, more...), ", ")
	input := fmt.Appendf(nil, `{%s, "interval": %d}`, members, interval)
	plan, err := plainly(input)
	if err != nil {
		t.Fatal(err)
	}
	healthy, _ := LoadBuiltIn("healthy")
	plan.start = healthy.start()
	return plan, Options{Input: input, Scenario: healthy, Seed: 1, Brief: true}
}

// TestALongPlanIsWhatItsPartsAddUpTo rehearses a plan that goes on in two more
// executions from beginning to end, and adds it up from shorter ones.
func TestALongPlanIsWhatItsPartsAddUpTo(t *testing.T) {
	t.Parallel()
	plan, options := planned(t, 340*60)
	whole, err := plan.walk(0)
	if err != nil || whole.checks != 3400 || whole.parts != 2 {
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
	whole.parts++
	whole.hours--
	if added, err = plan.compose(options, whole); err != nil || len(differences(counted, added)) != 1 {
		t.Errorf("an hour less is not seen: %v", err)
	}
}

// TestThePlanPredictsTheHoursOfMetrics holds the hours that a plan predicts to
// those that the log lines of its rehearsal have, with checks that are more and
// less often than hourly: what is not predicted has data once.
func TestThePlanPredictsTheHoursOfMetrics(t *testing.T) {
	const hooks = `"hooks": {"pre-traffic": ["a"], "post-traffic": ["b"]}`
	succeeded := json.RawMessage(`{"status": "SUCCEEDED"}`)
	for _, test := range []struct {
		interval    int
		more        string
		unpredicted int64
	}{
		{900, `"check-interval": 100`, 2}, // Outcome, BadInvocations
		{9000, `"check-interval": 1000`, 2},
		{36000, `"check-interval": 7200`, 2},
		{9000, `"check-interval": 1000, ` + hooks, 3}, // and promote after post-traffic
		{9000, `"health-check": false`, 1},            // no BadInvocations
	} {
		plan, options := planned(t, test.interval, test.more)
		options.Scenario.Functions = map[string]Function{"a": {Answer: succeeded}, "b": {Answer: succeeded}}
		predicted, err := plan.walk(0)
		if err != nil {
			t.Fatal(err)
		}
		used, err := plan.measure(options, 0)
		if err != nil || used[metricHours] != predicted.hours+test.unpredicted {
			t.Errorf("every %d s, %s: %d hours, predicted are %d and %d: %v", test.interval, test.more, used[metricHours], predicted.hours, test.unpredicted, err)
		}
	}
}

func TestTheMeterCountsTheHoursOfMetrics(t *testing.T) {
	const line = `{"msg":"checked","Result":"%s","Decision":1,"Old":2,"_aws":{"Timestamp":%d,"CloudWatchMetrics":[` +
		`{"Namespace":"Mine","Dimensions":[["Result"],[]],"Metrics":[{"Name":"Decision"},{"Name":"Old"}]}]}}`
	m := meter{data: map[metricHour]bool{}}
	for _, step := range []struct {
		line string
		want int64 // more than before
	}{
		{`{"msg":"begun","Result":"watch","Decision":1}`, 0},
		{fmt.Sprintf(line, "watch", 0), 4}, // two metrics by two sets of dimensions
		{fmt.Sprintf(line, "watch", 3599999), 0},
		{fmt.Sprintf(line, "advance", 3599999), 2}, // another value of one of them
		{fmt.Sprintf(line, "watch", 3600000), 4},
		{fmt.Sprintf(line, "watch", 1), 0},
	} {
		before := m.used[metricHours]
		if _, err := m.Write([]byte(step.line)); err != nil || m.err != nil || m.used[metricHours]-before != step.want {
			t.Errorf("%d more hours, want %d: %v, %v: %s", m.used[metricHours]-before, step.want, err, m.err, step.line)
		}
	}
	if _, _ = m.Write([]byte(`{"_aws":[]}`)); m.err == nil || !strings.Contains(m.err.Error(), `{"_aws":[]}`) {
		t.Errorf("a line that is not in the format: %v", m.err)
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
		transitions:  75,             // CalculateWeights, Begin; 10 UpdateAlias; 20 of Wait, HealthCheck, Decide; Finalize, Allocated, Promoted
		healthChecks: 20,             // every minute
		otherTasks:   1 + 10 + 1 + 1, // CalculateWeights, UpdateAlias, Finalize, and Rollback at the end
		metricReads:  10 + 3 + 19*8,  // the first check reads the record and the last days, the others slow requests
		publishes:    2,              // started, promoted
		busEvents:    2,              // likewise
		traces:       2,              // the execution, and what notifies of its end
		metricHours:  6,              // of one hour: Weight; Decision watch, advance, promote; Outcome, BadInvocations
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
		onEvent := r.machine.onEvent
		r.machine.onEvent = func(e *execution, event asl.Event) {
			line, err := logLine(event)
			size, sizeErr := loggedSize(event)
			if err != nil || sizeErr != nil || size != int64(len(unescaped(t, line))) {
				t.Errorf("%d bytes are measured, %v, of %s", size, sizeErr, line)
			}
			sizes += int(size) + logOverhead
			onEvent(e, event)
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
	t.Parallel()
	_, options := planned(t, 120)
	options.Input = []byte(`{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "Canary10Percent5Minutes", "bake": 200000, "advance": "evidence"}`)
	used, err := Count(options)
	if want := int64((5*60 + 5*60 + 200000 + 59) / 60); err != nil || used[healthChecks] != want {
		t.Errorf("%d checks, want %d: %v", used[healthChecks], want, err)
	}
}

// TestBilledMetrics: up to five statistics of a metric are billed as one metric.
func TestBilledMetrics(t *testing.T) {
	query := func(name, dimension string) types.MetricDataQuery {
		return types.MetricDataQuery{MetricStat: &types.MetricStat{Metric: &types.Metric{
			Namespace: aws.String("n"), MetricName: aws.String(name), Dimensions: []types.Dimension{{Name: aws.String("d"), Value: aws.String(dimension)}},
		}}}
	}
	six := slices.Repeat([]types.MetricDataQuery{query("m", "a")}, 6)
	others := []types.MetricDataQuery{query("m", "b"), query("other", "a"), {Expression: aws.String("m1+m2")}, {MetricStat: &types.MetricStat{}}}
	for want, queries := range map[int64][]types.MetricDataQuery{0: nil, 1: six[:5], 2: six, 4: slices.Concat(six, others)} {
		if got := billedMetrics(queries); got != want {
			t.Errorf("%d queries are billed as %d metrics, not %d", len(queries), got, want)
		}
	}
}
