package telemetry_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestALineIsADocument(t *testing.T) {
	var text strings.Builder
	log := telemetry.NewLogger(&text, "Mine")
	log.Info("checked", "weight", 0.29, telemetry.Metrics(noon, telemetry.Decision(rollout.Watch), telemetry.Weight("f", "live", 0.29)))
	log.Info("done", "error", fmt.Errorf("none"), telemetry.Metrics(noon))
	want := []string{
		`"msg":"checked","weight":0.29,"Result":"watch","Decision":1,"FunctionName":"f","AliasName":"live","Weight":29,` +
			`"_aws":{"Timestamp":1767268800000,"CloudWatchMetrics":[` +
			`{"Namespace":"Mine","Dimensions":[["Result"]],"Metrics":[{"Name":"Decision","Unit":"Count"}]},` +
			`{"Namespace":"Mine","Dimensions":[["FunctionName","AliasName"]],"Metrics":[{"Name":"Weight","Unit":"Percent"}]}]}}`,
		`"msg":"done","error":"none"}`,
	}
	for i, line := range strings.Split(strings.TrimSpace(text.String()), "\n") {
		if _, rest, _ := strings.Cut(line, `"level":"INFO",`); rest != want[i] {
			t.Errorf("%s\nwant %s", rest, want[i])
		}
	}
}

func TestOnce(t *testing.T) {
	var once telemetry.Once
	if !once.First("a") || once.First("a") {
		t.Error("the second time is a first one, or there is no first")
	}
	for i := range 100 {
		once.First(fmt.Sprint(i))
	}
	if !once.First("a") {
		t.Error("it remembers for ever")
	}
	var never *telemetry.Once
	for range 2 {
		if !never.First("a") {
			t.Error("nil remembers")
		}
	}
}

// BenchmarkDiscarded measures a line that no one reads.
func BenchmarkDiscarded(b *testing.B) {
	log := slog.New(slog.DiscardHandler)
	for b.Loop() {
		log.Info("checked", telemetry.Metrics(noon, telemetry.Decision(rollout.Watch), telemetry.Weight("f", "live", 0.3)))
	}
}
