package localaws

import (
	"encoding/base64"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

func (w *world) invoke(t testing.TB, name, payload string) *lambda.InvokeOutput {
	t.Helper()
	out, err := w.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(payload)})
	check(t, err)
	return out
}

func TestInvokeDrawsByWeight(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		const n, weight = 2000, 0.3
		_, err := w.shift(t.Context(), "2", weight)
		check(t, err)
		count := map[string]float64{}
		for range n {
			count[*w.invoke(t, "f:live", "").ExecutedVersion]++
		}
		// Five standard deviations of a binomial: with an honest draw, one run in two million fails.
		if bound := 5 * math.Sqrt(n*weight*(1-weight)); math.Abs(count["2"]-n*weight) > bound || count["1"]+count["2"] != n {
			t.Errorf("%d requests at weight %v went to %v", n, weight, count)
		}
		for _, edge := range []struct {
			weight float64
			want   string
		}{{0, "1"}, {1, "2"}} {
			_, err := w.shift(t.Context(), "2", edge.weight)
			check(t, err)
			for range 50 {
				if got := *w.invoke(t, "f:live", "").ExecutedVersion; got != edge.want {
					t.Fatalf("at weight %v version %s served", edge.weight, got)
				}
			}
		}
	})
}

type quotaError struct{}

func (*quotaError) Error() string { return "no quota" }

func TestInvokeRunsTheHandler(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		check(t, w.SetHandler("f", "2", func(payload []byte) ([]byte, time.Duration, error) {
			if string(payload) == `"fail"` {
				return nil, 50 * time.Millisecond, &quotaError{}
			}
			return payload, 200 * time.Millisecond, nil
		}))
		before := w.clock.Now()
		ok := w.invoke(t, "f:2", `{"a":1}`)
		if string(ok.Payload) != `{"a":1}` || ok.FunctionError != nil || *ok.ExecutedVersion != "2" || w.clock.Now().Sub(before) != 200*time.Millisecond {
			t.Errorf("got %s, error %v, version %s after %v", ok.Payload, ok.FunctionError, *ok.ExecutedVersion, w.clock.Now().Sub(before))
		}
		failed := w.invoke(t, "f:2", `"fail"`)
		if aws.ToString(failed.FunctionError) != "Unhandled" || string(failed.Payload) != `{"errorMessage":"no quota","errorType":"quotaError"}` {
			t.Errorf("a failing handler: %v %s", aws.ToString(failed.FunctionError), failed.Payload)
		}
		if plain := w.invoke(t, "f", ""); string(plain.Payload) != "{}" || *plain.ExecutedVersion != latest {
			t.Errorf("without a handler: %s by %s", plain.Payload, *plain.ExecutedVersion)
		}
	})
}

func TestInvokeReturnsTheLogIfAsked(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		check(t, w.SetHandler("f", "2", func([]byte) ([]byte, time.Duration, error) { return nil, 12340 * time.Microsecond, nil }))
		const id = "00000000-0000-4000-8000-000000000000"
		for logType, want := range map[types.LogType]string{
			"": "", types.LogTypeNone: "",
			types.LogTypeTail: "START RequestId: " + id + " Version: 2\nEND RequestId: " + id + "\nREPORT RequestId: " + id +
				"\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t\n",
		} {
			out, err := w.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f:2"), LogType: logType})
			check(t, err)
			log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
			check(t, err)
			if diff := cmp.Diff(want, string(log)); diff != "" || (out.LogResult != nil) != (want != "") {
				t.Errorf("log type %q:\n%s", logType, diff)
			}
		}
		if _, err := w.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f:2"), LogType: "Head"}); err == nil {
			t.Error("the log type Head was taken")
		}
	})
}

func TestInvokeEndsAtTheTimeout(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		const cut = `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 00000000-0000-4000-8000-000000000000 Error: Task timed out after 3.00 seconds"}`
		for _, c := range []struct {
			takes, want time.Duration
			answer      string
		}{
			{3 * time.Second, 3 * time.Second, "1"},
			{3*time.Second + 1, 3 * time.Second, cut},
			{time.Hour, 3 * time.Second, cut},
		} {
			check(t, w.SetHandler("f", "2", func([]byte) ([]byte, time.Duration, error) { return []byte("1"), c.takes, nil }))
			before := w.clock.Now()
			out := w.invoke(t, "f:2", "")
			if took := w.clock.Now().Sub(before); took != c.want || string(out.Payload) != c.answer || (out.FunctionError != nil) != (c.answer == cut) {
				t.Errorf("a handler of %v: %s, error %q, after %v", c.takes, out.Payload, aws.ToString(out.FunctionError), took)
			}
		}
		if got := w.data(t, "AWS/Lambda", "Errors", "Sum", "FunctionName", "f", "Resource", "f:2"); !cmp.Equal(got, []datapoint{{0, 2}}) {
			t.Errorf("errors: %v, want 2", got)
		}
		if got := w.data(t, "AWS/Lambda", "Duration", "Maximum", "FunctionName", "f", "Resource", "f:2"); !cmp.Equal(got, []datapoint{{0, 3000}}) {
			t.Errorf("the longest duration is %v, want 3000 ms", got)
		}
		check(t, w.SetConfiguration("f", "2", func(c *types.FunctionConfiguration) { c.Timeout = aws.Int32(3600) }))
		if out := w.invoke(t, "f:2", ""); string(out.Payload) != "1" {
			t.Errorf("with a longer timeout: %s", out.Payload)
		}
	})
}

// TestRecordInvocationsRecordsWhatInvokesRecord makes the same requests once one by one and once in bulk.
func TestRecordInvocationsRecordsWhatInvokesRecord(t *testing.T) {
	durations := []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, 200 * time.Millisecond, 50 * time.Millisecond}
	invoked := newWorld(t, Options{})
	_, err := invoked.shift(t.Context(), "2", 1)
	check(t, err)
	for i, d := range durations {
		check(t, invoked.SetHandler("f", "2", func([]byte) ([]byte, time.Duration, error) {
			if i == 1 {
				return nil, d, errors.New("once")
			}
			return []byte("1"), d, nil
		}))
		invoked.invoke(t, "f:live", "")
		invoked.invoke(t, "f:2", "")
	}

	served := newWorld(t, Options{})
	stats := DurationStats{Sum: 650 * time.Millisecond, Minimum: 50 * time.Millisecond, Maximum: 300 * time.Millisecond}
	for _, alias := range []string{"live", ""} {
		check(t, served.RecordInvocations(Invocations{Function: "f", Alias: alias, Version: "2", At: noon, Invocations: 4, Errors: 1, Duration: stats}))
	}
	served.clock.Sleep(time.Second)

	sets := [][]string{
		{"FunctionName", "f"},
		{"FunctionName", "f", "Resource", "f:live"},
		{"FunctionName", "f", "Resource", "f:live", "ExecutedVersion", "2"},
		{"FunctionName", "f", "Resource", "f:2"},
	}
	for i, dimensions := range sets {
		for _, metric := range []string{"Invocations", "Errors", "Duration"} {
			for _, stat := range []string{"Sum", "SampleCount", "Average", "Minimum", "Maximum"} {
				want := invoked.data(t, "AWS/Lambda", metric, stat, dimensions...)
				got := served.data(t, "AWS/Lambda", metric, stat, dimensions...)
				if diff := cmp.Diff(want, got); diff != "" || len(got) != 1 {
					t.Errorf("%s of %s, %v: (-invoked +served)\n%s", stat, metric, dimensions, diff)
				}
			}
		}
		perCall := map[bool]float64{true: 8, false: 4}[i == 0]
		if got := served.data(t, "AWS/Lambda", "Errors", "SampleCount", dimensions...); got[0].Value != perCall {
			t.Errorf("Errors of %v have %v samples, want one for each of %v invocations", dimensions, got[0].Value, perCall)
		}
	}

	check(t, served.RecordInvocations(Invocations{Function: "f", Alias: "live", Version: "3", At: noon, Invocations: 10}))
	want := []datapoint{{0, 0}}
	if got := served.data(t, "AWS/Lambda", "Errors", "Sum", "FunctionName", "f", "Resource", "f:live", "ExecutedVersion", "3"); !cmp.Equal(got, want) {
		t.Errorf("without errors the metric Errors is %v, want %v", got, want)
	}
	check(t, served.RecordInvocations(Invocations{Function: "f", Version: "3", At: noon, Invocations: 2, Errors: 2}))
	if got := served.data(t, "AWS/Lambda", "Errors", "Minimum", "FunctionName", "f", "Resource", "f:3"); !cmp.Equal(got, []datapoint{{0, 1}}) {
		t.Errorf("when all fail, the least error of an invocation is %v", got)
	}
	for name, bad := range map[string]Invocations{
		"fewer than no throttles":     {Function: "f", Version: "1", Throttles: -1},
		"before they came":            {Function: "f", Version: "1", Invocations: 1, Late: -1},
		"unknown version":             {Function: "f", Version: "9", Invocations: 1},
		"unknown alias":               {Function: "f", Alias: "dead", Version: "1", Invocations: 1},
		"more errors than requests":   {Function: "f", Version: "1", Invocations: 1, Errors: 2},
		"a minimum above the maximum": {Function: "f", Version: "1", Invocations: 1, Duration: DurationStats{Minimum: 2, Maximum: 1}},
	} {
		if served.RecordInvocations(bad) == nil {
			t.Errorf("%s was served", name)
		}
	}
}

// TestRecordThrottledAndLate: throttled requests are neither invocations nor errors, and late ones show later.
func TestRecordThrottledAndLate(t *testing.T) {
	w := newWorld(t, Options{})
	w.SetMetricDelay(30 * time.Second)
	check(t, w.RecordInvocations(Invocations{Function: "f", Alias: "live", Version: "2", At: noon, Invocations: 3, Errors: 3, Throttles: 5}))
	check(t, w.RecordInvocations(Invocations{Function: "f", Alias: "live", Version: "2", At: noon, Throttles: 2, Late: time.Minute}))
	check(t, w.RecordInvocations(Invocations{Function: "f", Alias: "live", Version: "2", At: noon, Invocations: 4, Late: time.Minute}))
	for _, c := range []struct {
		sleep                          time.Duration
		throttles, invocations, errors []datapoint
	}{
		{29 * time.Second, []datapoint{}, []datapoint{}, []datapoint{}},
		{time.Second, []datapoint{{0, 5}}, []datapoint{{0, 3}}, []datapoint{{0, 3}}},
		{59 * time.Second, []datapoint{{0, 5}}, []datapoint{{0, 3}}, []datapoint{{0, 3}}},
		{time.Second, []datapoint{{0, 7}}, []datapoint{{0, 7}}, []datapoint{{0, 3}}},
	} {
		w.clock.Sleep(c.sleep)
		for _, set := range [][]string{{"FunctionName", "f"}, {"FunctionName", "f", "Resource", "f:live"}, {"FunctionName", "f", "Resource", "f:live", "ExecutedVersion", "2"}} {
			for name, want := range map[string][]datapoint{"Throttles": c.throttles, "Invocations": c.invocations, "Errors": c.errors} {
				if diff := cmp.Diff(want, w.data(t, "AWS/Lambda", name, "Sum", set...)); diff != "" {
					t.Errorf("at %v, %s of %v: (-want +got)\n%s", w.clock.Now().Sub(noon), name, set, diff)
				}
			}
		}
	}
	if got := w.data(t, "AWS/Lambda", "Throttles", "SampleCount", "FunctionName", "f"); !cmp.Equal(got, []datapoint{{0, 7}}) {
		t.Errorf("samples of throttles: %v, want one for each", got)
	}
}

func TestTimeoutIsThreeSecondsUnlessSet(t *testing.T) {
	w := newWorld(t, Options{})
	check(t, w.AddFunction("g", 7))
	check(t, w.SetConfiguration("f", "2", func(c *types.FunctionConfiguration) { c.Timeout = aws.Int32(30) }))
	for _, c := range []struct {
		function, version string
		want              int32
	}{{"f", "1", 3}, {"f", "2", 30}, {"f", "live", 3}, {"g", "7", 3}} {
		got, err := w.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &c.function, Qualifier: &c.version})
		check(t, err)
		if aws.ToInt32(got.Timeout) != c.want {
			t.Errorf("the timeout of %s:%s is %v s, want %d", c.function, c.version, aws.ToInt32(got.Timeout), c.want)
		}
	}
}

// TestTenantIsolation: an invocation of a version with tenant isolation must name a tenant,
// and Lambda reports the configurations of such, managed and durable versions.
func TestTenantIsolation(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		check(t, w.SetConfiguration("f", "2", func(c *types.FunctionConfiguration) {
			c.TenancyConfig = &types.TenancyConfig{TenantIsolationMode: types.TenantIsolationModePerTenant}
			c.DurableConfig = &types.DurableConfig{ExecutionTimeout: aws.Int32(86400)}
			c.CapacityProviderConfig = &types.CapacityProviderConfig{LambdaManagedInstancesCapacityProviderConfig: &types.LambdaManagedInstancesCapacityProviderConfig{CapacityProviderArn: aws.String("fleet")}}
		}))
		got, err := w.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f"), Qualifier: aws.String("2")})
		check(t, err)
		if got.TenancyConfig.TenantIsolationMode != types.TenantIsolationModePerTenant || *got.DurableConfig.ExecutionTimeout != 86400 ||
			*got.CapacityProviderConfig.LambdaManagedInstancesCapacityProviderConfig.CapacityProviderArn != "fleet" {
			t.Errorf("the configuration is %+v", got)
		}
		for _, c := range []struct {
			version string
			tenant  *string
			refused bool
		}{{"1", nil, false}, {"2", nil, true}, {"2", aws.String("blue"), false}} {
			_, err := w.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Qualifier: &c.version, TenantId: c.tenant})
			var invalid *types.InvalidParameterValueException
			if errors.As(err, &invalid) != c.refused || !c.refused && err != nil {
				t.Errorf("version %s for tenant %q: %v", c.version, aws.ToString(c.tenant), err)
			}
		}
	})
}
