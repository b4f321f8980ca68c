package rollouts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// TestLinesOfLongAndDeepTexts are found in one pass, though a value deep inside has no path of
// its own.
func TestLinesOfLongAndDeepTexts(t *testing.T) {
	const n = 500_000
	began := time.Now()
	at := rollouts.Lines([]byte("{\"a\": [\n" + strings.Repeat("1,\n", n) + "2], \"b\":\n" + strings.Repeat(`{"b":`, 9_000) + "1" + strings.Repeat("}", 9_000) + ",\n\"c\": 3}"))
	if at["a[0]"] != 2 || at["a[500000]"] != n+2 || at["b"] != n+3 || at["b.b.b"] != n+3 || at["c"] != n+4 {
		t.Errorf("a[0] on %d, a[%d] on %d, b on %d, b.b.b on %d, c on %d", at["a[0]"], n, at["a[500000]"], at["b"], at["b.b.b"], at["c"])
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it takes %v", took)
	}
}
