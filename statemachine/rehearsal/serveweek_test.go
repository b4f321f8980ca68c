package rehearsal

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// TestAServedWeekDoesNotGrow: with a rollout every six hours, what a served AWS keeps of
// the things that happen stays within bounds that do not depend on the time. Metrics and
// logs still grow within theirs: 15 days of minutes, and 8 MiB a log group.
func TestAServedWeekDoesNotGrow(t *testing.T) {
	s, cfg, _ := served(t, `{"requests-per-second": 2, "new-version": {"error-rate": 0.5}, "history": 600}`)
	begun := time.Now()
	functions := lambda.NewFromConfig(cfg)
	executions := 0
	var heap []uint64 // MB, at the end of each day
	for day := range 7 {
		for range 4 {
			startOn(t, s, cfg, servedFunction, fmt.Sprintf("r%d", executions))
			executions++
			advance(t, s, 6*time.Hour)
		}
		if _, err := functions.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String(servedFunction), Name: aws.String(servedAlias)}); err != nil {
			t.Fatal(err)
		}
		for name, n := range map[string]int{
			"traffics": len(s.traffics), "refusals": len(s.machine.permits.denied), "texts of what is not supported": len(s.unsupported.seen),
			"entries of a timeline": len(s.timeline.lines), "messages of queues": len(s.queues["lambda-rollout-RolloutUndeliveredCleanups4C706945"].sent),
		} {
			if n > 10 {
				t.Errorf("on day %d there are %d %s", day, n, name)
			}
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		heap = append(heap, m.HeapAlloc>>20)
	}
	if len(s.machine.executions) != executions {
		t.Errorf("%d executions are kept of %d", len(s.machine.executions), executions)
	}
	if heap[6] > 200 {
		t.Errorf("after a week, %d MB are kept", heap[6])
	}
	t.Logf("a week took %v; MB kept after each day: %v", time.Since(begun), heap)
}
