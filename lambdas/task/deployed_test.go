package task_test

import (
	"context"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire/clients"
)

// TestTheDeployedHealthCheckChecks runs the health check as the functions' mains
// make it, with everything that it asks: what is not wired is seen here.
func TestTheDeployedHealthCheckChecks(t *testing.T) {
	w := newWorld(t)
	deployed := clients.Connect(wire.Deployed(), w.server.Config()).HealthCheck()
	s := w.twice(w.shift.Handle, w.started())
	s.Hooks.PreTraffic = []rollout.Hook{{Function: "f", Timeout: 1, Payload: []byte("{}")}}
	s.Plan.Gates.Alarms = []string{"gone"}
	s.Plan.Gates.Checks = []rollout.CheckFunction{{Name: "f", Function: "f", Timeout: 1, Payload: []byte("{}")}}
	s.Plan.Gates.Endpoints = []rollout.Endpoint{{Name: "e", URL: "https://127.0.0.1/", Method: "GET", Timeout: 1}}
	for _, phase := range []gates.Phase{gates.PreTraffic, "", gates.PostTraffic} {
		call := newCall(w, s)
		call.Phase = phase
		after, err := deployed.Handle(context.Background(), call)
		if err != nil {
			t.Fatalf("phase %q: %v", phase, err)
		}
		if phase == "" && len(after.Health.Readings) != 5 {
			t.Errorf("read %+v", after.Health.Readings)
		}
	}

}
