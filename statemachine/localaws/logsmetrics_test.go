package localaws

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// embedded returns a log event in the embedded metric format, with a change.
func embedded(from, to string) string {
	return strings.Replace(fmt.Sprintf(`{"msg":"m","Shop":"s","Till":"t","Sold":3,"Took":[1,2],"_aws":{"Timestamp":%d,"CloudWatchMetrics":[`+
		`{"Namespace":"Mine","Dimensions":[["Shop"],["Shop","Till"]],"Metrics":[{"Name":"Sold","Unit":"Count"},{"Name":"Took"}]}]}}`, noon.UnixMilli()), from, to, 1)
}

func TestEmbeddedMetricsAreRecorded(t *testing.T) {
	for change, want := range map[[2]string]string{
		{}:                                     "Sold[Shop=s]=3 Sold[Shop=s Till=t]=3 Took[Shop=s]=3 Took[Shop=s Till=t]=3",
		{`[["Shop"],["Shop","Till"]]`, `[[]]`}: "Sold[]=3 Took[]=3",
		{`"Sold":3`, `"Sold":"3"`}:             "Took[Shop=s]=3 Took[Shop=s Till=t]=3",
		{`"Sold":3`, `"Sold":null`}:            "Took[Shop=s]=3 Took[Shop=s Till=t]=3",
		{`"Took":[1,2]`, `"Took":[]`}:          "Sold[Shop=s]=3 Sold[Shop=s Till=t]=3",
		{`"Count"`, `"Parsec"`}:                "Took[Shop=s]=3 Took[Shop=s Till=t]=3",
		{`"Till":"t"`, `"Till":5`}:             "Sold[Shop=s]=3 Took[Shop=s]=3",
		{`"Till":"t"`, `"Till":""`}:            "Sold[Shop=s]=3 Took[Shop=s]=3",
		{`"Timestamp"`, `"Time"`}:              "",
		{`"Mine"`, `""`}:                       "",
		{`{"msg"`, `["msg"`}:                   "",
		{`{"Namespace"`, `7,{"Namespace"`}:     "",
		{`"_aws"`, `"_AWS"`}:                   "",
	} {
		w := newWorld(t, Options{})
		check(t, w.AppendLog("g", "s", noon.Add(time.Hour), embedded(change[0], change[1])))
		if got := recorded(w.Server, "Mine"); got != want {
			t.Errorf("%q: %q, want %q", change, got, want)
		}
	}
}

func TestMetricFilters(t *testing.T) {
	w := newWorld(t, Options{})
	check(t, w.AddMetricFilter("g", MetricFilter{Pattern: `{ ($.type = "Failed") && ($.details.error = "Bad") }`, Namespace: "Mine", Metric: "Bad", Value: 2}))
	for _, message := range []string{`{"type":"Failed","details":{"error":"Bad"}}`, `{"type":"Failed","details":{"error":"Good"}}`, `Failed Bad`, `{"type":"Failed","details":{"error":"Bad"}}`} {
		check(t, w.AppendLog("g", "s", noon, message))
		check(t, w.AppendLog("other", "s", noon, message))
	}
	if got := recorded(w.Server, "Mine"); got != "Bad[]=4" {
		t.Errorf("the metrics are %q", got)
	}
	for _, wrong := range []MetricFilter{{Pattern: "[a]", Namespace: "n", Metric: "m"}, {Namespace: "", Metric: "m"}, {Namespace: "n", Metric: "ü"}} {
		if w.AddMetricFilter("g", wrong) == nil {
			t.Errorf("%+v is accepted", wrong)
		}
	}
}

// recorded returns the sums of all metrics in a namespace in the minute of noon.
func recorded(s *Server, namespace string) string {
	var all []string
	store := s.cloudwatch.metrics
	sum, _ := parseStatistic("Sum")
	for _, key := range slices.Sorted(maps.Keys(store.byKey)) {
		of := store.byKey[key]
		if of.namespace != namespace {
			continue
		}
		var dimensions []string
		for _, d := range of.dimensions {
			dimensions = append(dimensions, d.name+"="+d.value)
		}
		for _, point := range store.read(nil, of.namespace, of.name, of.dimensions, "", sum, 60, noon.Unix(), noon.Unix()+60) {
			all = append(all, fmt.Sprintf("%s[%s]=%v", of.name, strings.Join(dimensions, " "), point.value))
		}
	}
	return strings.Join(all, " ")
}
