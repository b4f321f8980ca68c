package localaws

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

func BenchmarkGetAlias(b *testing.B) {
	w := newWorld(b, Options{})
	in := &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")}
	b.ReportAllocs()
	for b.Loop() {
		_, err := w.lambda.GetAlias(b.Context(), in)
		check(b, err)
	}
}

func BenchmarkUpdateAlias(b *testing.B) {
	w := newWorld(b, Options{})
	b.ReportAllocs()
	for b.Loop() {
		_, err := w.shift(b.Context(), "2", 0.5)
		check(b, err)
	}
}

// BenchmarkGetMetricData reads what a health check reads: both versions' invocations and errors of ten minutes, out of
// two weeks of minutes.
func BenchmarkGetMetricData(b *testing.B) {
	w := newWorld(b, Options{})
	for range 14 * 24 * 60 {
		for _, version := range []string{"1", "2"} {
			check(b, w.RecordInvocations(Invocations{Function: "f", Alias: "live", Version: version, At: w.clock.Now(), Invocations: 100}))
		}
		w.clock.Sleep(time.Minute)
	}
	now := w.clock.Now()
	in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(now.Add(-10 * time.Minute)), EndTime: &now}
	for _, version := range []string{"1", "2"} {
		for _, metric := range []string{"Invocations", "Errors"} {
			in.MetricDataQueries = append(in.MetricDataQueries, metricQuery("m"+version+metric, "AWS/Lambda", metric, "Sum", 60,
				"FunctionName", "f", "Resource", "f:live", "ExecutedVersion", version))
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		out, err := w.cloudwatch.GetMetricData(b.Context(), in)
		check(b, err)
		if len(out.MetricDataResults) != 4 || len(out.MetricDataResults[3].Values) != 10 {
			b.Fatalf("got %d results", len(out.MetricDataResults))
		}
	}
}

func BenchmarkServe(b *testing.B) {
	w := newWorld(b, Options{})
	b.ReportAllocs()
	for b.Loop() {
		check(b, w.RecordInvocations(Invocations{Function: "f", Alias: "live", Version: "2", At: w.clock.Now(), Invocations: 100, Errors: 1}))
		w.clock.Sleep(time.Minute)
	}
}
