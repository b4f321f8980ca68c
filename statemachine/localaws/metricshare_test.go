package localaws

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// TestCopyInvocations holds two functions with a common past, and what each then has of its own, to two that were recorded in
// full.
func TestCopyInvocations(t *testing.T) {
	w := newWorld(t, Options{})
	names := []string{"shared", "sharing", "full", "other"}
	for _, name := range names {
		check(t, w.AddFunction(name, 1, 2))
		check(t, w.AddAlias(name, "live", "1", ""))
	}
	record := func(name string, at time.Time, n int64) {
		t.Helper()
		check(t, w.RecordInvocations(Invocations{Function: name, Alias: "live", Version: "1", At: at, Invocations: n, Errors: n / 3,
			Duration: DurationStats{Values: []DurationCount{{time.Second, n - 1}, {2 * time.Second, 1}}}}))
	}
	past := func(name string) {
		for i := range 400 { // more than the 300 minutes that a query below asks for, and not to the end of an hour
			record(name, noon.Add(time.Duration(i)*time.Minute), int64(i%7+2))
		}
	}
	past("shared")
	past("full")
	past("other")
	w.clock.Sleep(400 * time.Minute)
	common := InvokedVersion{"shared", "live", "1"}
	check(t, w.CopyInvocations(common, InvokedVersion{"sharing", "live", "1"}))
	if err := w.CopyInvocations(common, InvokedVersion{"other", "live", "1"}); err == nil {
		t.Error("the past of a function is replaced")
	}
	if err := w.CopyInvocations(common, InvokedVersion{"sharing", "live", "3"}); err == nil {
		t.Error("a version that does not exist gets a past")
	}
	for _, of := range [][2]string{{"sharing", "full"}, {"shared", "other"}} {
		for _, name := range of {
			extra := int64(len(of[0]))
			record(name, noon.Add(399*time.Minute), extra)   // in the minute that both have
			record(name, noon.Add(405*time.Minute), extra+1) // and in the common hour
		}
	}
	read := func(name string) (all [][]datapoint) {
		for _, stat := range []string{"Sum", "p50", "Maximum"} {
			for _, period := range []int32{60, 300, 3600} {
				all = append(all, w.query(t, &cloudwatch.GetMetricDataInput{StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(8 * time.Hour)),
					MetricDataQueries: []types.MetricDataQuery{metricQuery("d", "AWS/Lambda", "Duration", stat, period, "FunctionName", name, "Resource", name+":live", "ExecutedVersion", "1")}}))
			}
		}
		return all
	}
	compare := func() {
		t.Helper()
		for i, name := range []string{"sharing", "shared"} {
			if diff := cmp.Diff(read(names[2+i]), read(name), cmp.AllowUnexported(datapoint{})); diff != "" {
				t.Errorf("%s differs from a function with the same requests (-full +%s):\n%s", name, name, diff)
			}
		}
	}
	w.clock.Sleep(10 * time.Minute)
	compare()
	for _, name := range []string{"sharing", "full"} { // late, into the common past
		record(name, noon.Add(time.Minute), 5)
	}
	w.clock.Sleep(10 * time.Minute)
	compare()
	w.clock.Sleep(15*24*time.Hour - 3*time.Hour) // the first minutes expire
	for _, name := range names {
		record(name, w.clock.Now(), 4)
	}
	w.clock.Sleep(time.Minute)
	compare()
}

// TestBeforeFunction has the option called for the functions of calls, and only for those.
func TestBeforeFunction(t *testing.T) {
	var seen []string
	w := newWorld(t, Options{BeforeFunction: func(name string) { seen = append(seen, name) }})
	seen = nil
	_, err := w.shift(t.Context(), "2", 0.5)
	check(t, err)
	w.query(t, &cloudwatch.GetMetricDataInput{StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(time.Hour)), MetricDataQueries: []types.MetricDataQuery{
		metricQuery("a", "AWS/Lambda", "Errors", "Sum", 60, "FunctionName", "shop"), metricQuery("b", "AWS/Lambda", "Duration", "Sum", 60, "FunctionName", "shop"),
		metricQuery("c", "Shop", "Orders", "Sum", 60),
	}})
	_, err = w.cloudwatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	check(t, err)
	if diff := cmp.Diff([]string{"f", "shop", ""}, seen); diff != "" {
		t.Errorf("called for (-want +got):\n%s", diff)
	}
}
