package localaws

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
)

// TestPastIsAsRecorded: a past that is recorded at once reads as the same requests, recorded one after the other, do.
func TestPastIsAsRecorded(t *testing.T) {
	const minutes = 8 * 60 // more than minutes are retained for
	start := newWorld(t, Options{}).clock.Now()
	usual := func(i int) Invocations {
		took := time.Duration(100+i%7) * time.Millisecond / 3
		return Invocations{
			Invocations: int64(10 + i%3), Errors: int64(i % 11 / 10), Throttles: int64(i % 5),
			Duration: DurationStats{Sum: time.Duration(10+i%3) * took, Minimum: took, Maximum: took},
		}
	}
	at := func(r Invocations, before time.Duration) Invocations {
		r.At = start.Add(-before)
		return r
	}
	var days []Invocations
	for i := range minutes {
		days = append(days, at(usual(i), time.Duration(minutes-i)*time.Minute))
	}
	late := days[minutes-100]
	late.Late = 3 * time.Hour
	values := Invocations{Invocations: 3, Duration: DurationStats{Values: []DurationCount{{time.Second, 1}, {2 * time.Second, 2}}}}
	for name, test := range map[string]struct {
		before, past, after []Invocations
		delay               time.Duration
	}{
		"days":                       {past: days},
		"days, and a minute of them": {past: days, after: []Invocations{late}},
		"none":                       {after: days[:3]},
		"after others":               {before: days[5:10], past: days[:20]},
		"not visible at the end":     {past: days[minutes-30:], delay: 10 * time.Minute},
		"values":                     {past: []Invocations{at(values, time.Hour), at(values, time.Hour), at(values, 59*time.Minute)}, after: []Invocations{at(values, time.Hour)}},
		"nothing served":             {past: []Invocations{at(Invocations{}, time.Hour), at(Invocations{Throttles: 2}, time.Minute)}},
	} {
		var read [2]map[string][]figure
		for i := range read {
			w := newWorld(t, Options{Minutes: 4 * time.Hour})
			check(t, w.AddFunction("g", 1))
			check(t, w.AddAlias("g", "live", "1", ""))
			w.SetMetricDelay(test.delay)
			of := InvokedVersion{"g", "live", "1"}
			record := func(all []Invocations) {
				for _, r := range all {
					r.Function, r.Alias, r.Version = of.Function, of.Alias, of.Version
					check(t, w.RecordInvocations(r))
				}
			}
			record(test.before)
			if i == 0 {
				record(test.past)
			} else {
				check(t, w.RecordPast(of, len(test.past), slices.Values(test.past)))
			}
			record(test.after)
			read[i] = map[string][]figure{}
			for range 2 { // now, and when all is visible
				readAll(t, w, read[i])
				w.clock.Sleep(2 * time.Hour)
			}
		}
		if diff := cmp.Diff(read[0], read[1], cmp.AllowUnexported(figure{})); diff != "" {
			t.Errorf("%s (-one after the other +at once): %s", name, diff)
		}
	}
}

// readAll adds what all metrics of function g are read as, in all of their sets of dimensions and for minutes, five minutes and hours.
func readAll(t *testing.T, w *world, into map[string][]figure) {
	t.Helper()
	sets := [][]dimension{{{"FunctionName", "g"}}, {{"FunctionName", "g"}, {"Resource", "g:live"}},
		{{"FunctionName", "g"}, {"Resource", "g:live"}, {"ExecutedVersion", "1"}}}
	end := w.clock.Now().Unix()
	for _, metric := range []string{"Invocations", "Errors", "Throttles", "Duration"} {
		for i, dimensions := range sets {
			for _, name := range []string{"Sum", "Maximum", "p50"} {
				stat, ok := parseStatistic(name)
				if !ok {
					t.Fatal(name)
				}
				for _, period := range []int64{60, 300, 3600} {
					key := metric + " " + string(rune('0'+i)) + " " + name + " " + time.Duration(period*1e9).String()
					into[key] = append(into[key], w.Server.cloudwatch.metrics.read(nil, "AWS/Lambda", metric, slices.Clone(dimensions), types.StandardUnit(""), stat, period, (end-24*3600)/3600*3600, end)...)
				}
			}
		}
	}
}
