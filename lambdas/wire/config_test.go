package wire_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

// TestTheEnvironmentNamesTheNamespace of the metrics that functions log.
func TestTheEnvironmentNamesTheNamespace(t *testing.T) {
	for variable, want := range map[string]string{"": "LambdaRollout", "Mine": "Mine"} {
		t.Setenv("METRICS_NAMESPACE", variable)
		name := filepath.Join(t.TempDir(), "log")
		file, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		stdout := os.Stdout
		os.Stdout = file
		log := wire.Deployed().Log
		os.Stdout = stdout
		log.Info("promoted", telemetry.Metrics(noon, telemetry.TimeToRollback(time.Second)))
		if text, err := os.ReadFile(name); err != nil || !strings.Contains(string(text), `"Namespace":"`+want+`","Dimensions":[[]]`) {
			t.Errorf("%s, %v", text, err)
		}
	}
}
