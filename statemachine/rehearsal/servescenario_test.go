package rehearsal

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// servedBy are the dimensions of a version's requests through the served alias.
func servedBy(version string) []string {
	return []string{"FunctionName", servedFunction, "Resource", servedFunction + ":" + servedAlias, "ExecutedVersion", version}
}

// point points the served alias at a version over HTTP, with a share of the requests for
// version 2.
func point(t *testing.T, cfg aws.Config, version string, weight float64) {
	t.Helper()
	routing := &lambdatypes.AliasRoutingConfiguration{}
	if weight > 0 {
		routing.AdditionalVersionWeights = map[string]float64{"2": weight}
	}
	_, err := lambda.NewFromConfig(cfg).UpdateAlias(t.Context(), &lambda.UpdateAliasInput{
		FunctionName: aws.String(servedFunction), Name: aws.String(servedAlias), FunctionVersion: &version, RoutingConfig: routing,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestServedAliasesLag: reads and requests are behind a client's change, each by its own
// lag, and a rollout that starts has the scenario's first lags again.
func TestServedAliasesLag(t *testing.T) {
	s, cfg, _ := served(t, `{"requests-per-second": 100, "metric-delay": 0, "alias-read-lag": 20, "alias-routing-lag": 40,
		"changes": [{"after": 1, "alias-read-lag": 0, "alias-routing-lag": 0, "metric-delay": 600, "alarms": {"shop": "ALARM"}}]}`)
	invocations := func(version string, from, to int32) (sum float64) {
		for _, n := range metricOf(t, cfg, "Invocations", "Sum", 60, from, to, servedBy(version)...) {
			sum += n
		}
		return sum
	}
	alarm := func() cwtypes.StateValue {
		out, err := cloudwatch.NewFromConfig(cfg).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"shop"}})
		if err != nil || len(out.MetricAlarms) != 1 {
			t.Fatalf("%d alarms: %v", len(out.MetricAlarms), err)
		}
		return out.MetricAlarms[0].StateValue
	}
	functions, another := lambda.NewFromConfig(cfg), aws.String("Another")
	if _, err := functions.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String(servedFunction), Name: another, FunctionVersion: aws.String("1")}); err != nil {
		t.Fatal(err)
	}
	behind := func(text string) bool { // whether reads do not have a change that was just made
		if _, err := functions.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{FunctionName: aws.String(servedFunction), Name: another, Description: &text}); err != nil {
			t.Fatal(err)
		}
		out, err := functions.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String(servedFunction), Name: another})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.Description) != text
	}
	advance(t, s, time.Minute)
	point(t, cfg, "2", 0)
	if now := *aliasOf(t, cfg, servedFunction).FunctionVersion; now != "1" {
		t.Errorf("a read soon after the change has version %s", now)
	}
	advance(t, s, 30*time.Second)
	if now := *aliasOf(t, cfg, servedFunction).FunctionVersion; now != "2" {
		t.Errorf("a read half a minute after the change has version %s", now)
	}
	advance(t, s, 90*time.Second+grain)
	if old, fresh := invocations("1", 60, 180), invocations("2", 60, 180); !near(old, 4000, 4000) || !near(fresh, 8000, 8000) {
		t.Errorf("in two minutes, version 1 has served %v of about 4000 requests, and version 2 %v of 8000", old, fresh)
	}
	point(t, cfg, "1", 0)
	for _, name := range []string{"first", "second"} {
		advance(t, s, time.Minute)
		startOn(t, s, cfg, servedFunction, name)
		if !behind(name) || alarm() != cwtypes.StateValueOk {
			t.Errorf("as the %s rollout starts, reads lag: %v, and the alarm is %s", name, behind(name), alarm())
		}
		advance(t, s, time.Minute)
		if behind("then") || alarm() != cwtypes.StateValueAlarm {
			t.Errorf("a minute after it, reads lag: %v, and the alarm is %s", behind("then"), alarm())
		}
	}
}

// TestServedVersionsAreSlowAtFirst, and their durations have the scenario's spread.
func TestServedVersionsAreSlowAtFirst(t *testing.T) {
	const slow = `{"duration": 0.1, "spread": 0, "environments": {"factor": 3, "warm-up": 180, "cold-start": 2}}`
	s, cfg, _ := served(t, `{"requests-per-second": 500, "metric-delay": 0, "history": 60, "baseline": `+slow+`, "new-version": `+slow+`}`)
	point(t, cfg, "1", 0.4)
	advance(t, s, 5*time.Minute)
	for i, want := range []float64{100 + 200*5.0/6, 200, 100 + 200/6.0, 100, 100} {
		if got := metricOf(t, cfg, "Duration", "Average", 60, 0, 300, servedBy("2")...)[i]; math.Abs(got-want) > 10 {
			t.Errorf("minute %d: a mean of %v ms, want %v", i, got, want)
		}
		if got := metricOf(t, cfg, "Duration", "Maximum", 60, 0, 300, servedBy("1")...)[i]; got != 100 {
			t.Errorf("minute %d: the baseline takes up to %v ms", i, got)
		}
	}
	if longest := metricOf(t, cfg, "Duration", "Maximum", 60, 0, 60, servedBy("2")...)[0]; longest < 2200 {
		t.Errorf("the longest cold start takes %v ms", longest)
	}
}

// TestServedVersionsAreInactive until a request has restored them: those of the baseline
// come by themselves, and a client sends the new version's.
func TestServedVersionsAreInactive(t *testing.T) {
	s, cfg, _ := served(t, `{"requests-per-second": 100, "metric-delay": 0, "baseline": {"inactive": true}, "new-version": {"inactive": true}}`)
	functions := lambda.NewFromConfig(cfg)
	state := func(version string) lambdatypes.State {
		out, err := functions.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(servedFunction), Qualifier: &version})
		if err != nil {
			t.Fatal(err)
		}
		return out.State
	}
	if a, b := state("1"), state("2"); a != lambdatypes.StateInactive || b != lambdatypes.StateInactive {
		t.Errorf("the versions are %s and %s", a, b)
	}
	advance(t, s, 2*time.Minute+grain)
	if n := metricOf(t, cfg, "Invocations", "Sum", 60, 0, 120, servedBy("1")...); len(n) != 1 || !near(n[0], 6000, 6000) || state("1") != lambdatypes.StateActive {
		t.Errorf("version 1 is %s, and has served %v", state("1"), n)
	}
	refused := startOn(t, s, cfg, servedFunction, "early")
	advance(t, s, time.Minute)
	if e := describe(t, cfg, refused); e.Status != types.ExecutionStatusFailed || !strings.Contains(aws.ToString(e.Cause), "version 2 of MyFunction is Inactive") {
		t.Errorf("it ended %s: %s", e.Status, aws.ToString(e.Cause))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // a request that is served takes virtual time, of which none passes
	defer cancel()
	_, err := functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(servedFunction), Qualifier: aws.String("2")}, func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} })
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(http.StatusBadGateway)) {
		t.Errorf("the first request of version 2: %v", err)
	}
	advance(t, s, restoring)
	late := startOn(t, s, cfg, servedFunction, "late")
	advance(t, s, 25*time.Minute)
	if e := describe(t, cfg, late); e.Status != types.ExecutionStatusSucceeded {
		t.Errorf("it ended %s: %s", e.Status, aws.ToString(e.Cause))
	}
}

// TestServedRequestsEndAtTheTimeout that a client has configured.
func TestServedRequestsEndAtTheTimeout(t *testing.T) {
	s, cfg, _ := served(t, `{"requests-per-second": 100, "metric-delay": 0, "baseline": {"duration": 2, "spread": 0}, "new-version": {"duration": 2, "spread": 0}}`)
	functions, own := lambda.NewFromConfig(cfg), aws.String("Own")
	_, err := functions.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: own, Runtime: lambdatypes.RuntimeNodejs22x, Handler: aws.String("index.handler"), Role: aws.String("arn:aws:iam::123456789012:role/own"),
		Code: &lambdatypes.FunctionCode{S3Bucket: aws.String("bucket"), S3Key: aws.String("key")}, Timeout: aws.Int32(1),
	})
	if err != nil {
		t.Fatal(err)
	}
	advance(t, s, 5*time.Second)
	if _, err := functions.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: own}); err != nil {
		t.Fatal(err)
	}
	if _, err := functions.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: own, Name: aws.String("live"), FunctionVersion: aws.String("1")}); err != nil {
		t.Fatal(err)
	}
	advance(t, s, 3*time.Minute)
	for alias, want := range map[string]struct{ duration, errors float64 }{"Own:live": {1000, 1}, servedFunction + ":" + servedAlias: {2000, 0}} {
		name, _, _ := strings.Cut(alias, ":")
		of := []string{"FunctionName", name, "Resource", alias, "ExecutedVersion", "1"}
		longest, failed, all := metricOf(t, cfg, "Duration", "Maximum", 60, 60, 120, of...), metricOf(t, cfg, "Errors", "Sum", 60, 60, 120, of...), metricOf(t, cfg, "Invocations", "Sum", 60, 60, 120, of...)
		if len(all) != 1 || longest[0] != want.duration || failed[0] != want.errors*all[0] {
			t.Errorf("%s: requests of up to %v ms, %v of %v failed", alias, longest, failed, all)
		}
	}
}
