package rehearsal

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestRolloutsWithLaggingAliases: with reads and routing behind every change of the
// alias, rollouts end as planned, harm is rolled back, and no split is left.
func TestRolloutsWithLaggingAliases(t *testing.T) {
	for _, reads := range []float64{0, 3, 20} {
		for _, routing := range []float64{0, 5, 45, 90} {
			for _, bad := range []bool{false, true} {
				t.Run(fmt.Sprintf("reads %v s, routing %v s, bad: %v", reads, routing, bad), func(t *testing.T) {
					t.Parallel()
					world, version, outcome := "", "8", Promoted
					if bad {
						world, version, outcome = `, "new-version": {"error-rate": 0.3}`, "7", RolledBack
					}
					scenario, err := ParseScenario(fmt.Appendf(nil, `{"history": 3600, "alias-read-lag": %v, "alias-routing-lag": %v%s}`, reads, routing, world))
					if err != nil {
						t.Fatal(err)
					}
					r, err := Run(Options{Input: []byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "custom", "weights": [0.2, 0.5, 1], "interval": 180}`), Scenario: scenario, Seed: 1})
					if err != nil {
						t.Fatal(err)
					}
					if a := r.AliasAfter; r.Outcome != outcome || a == nil || a.Version != version || len(a.Weights) > 0 || a.Description != "Rehearsed" {
						t.Errorf("%s: %s; the alias is %+v", r.Outcome, r.Reason, a)
					}
					if r.Served["8"].Invocations == 0 || bad && r.Served["8"].Errors == 0 {
						t.Errorf("served %+v", r.Served)
					}
				})
			}
		}
	}
}

// TestRequestsFollowTheAliasAfterTheLag, to the second, although nothing reads in between.
func TestRequestsFollowTheAliasAfterTheLag(t *testing.T) {
	r := newRoad(t, `{"requests-per-second": 1000, "history": 0, "metric-delay": 0, "alias-routing-lag": 33, "changes": [{"after": 600, "alias-routing-lag": 0}]}`)
	point := func(version string) {
		t.Helper()
		_, err := lambda.NewFromConfig(r.aws.Config()).UpdateAlias(t.Context(), &lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: &version})
		if err != nil {
			t.Fatal(err)
		}
	}
	counts := func(when string, old, fresh float64) {
		t.Helper()
		if by7, by8 := float64(r.served["7"].Invocations), float64(r.served["8"].Invocations); !near(by7, old, old) || !near(by8, fresh, fresh) {
			t.Errorf("%s, version 7 has served %v requests of about %v, and version 8 %v of %v", when, by7, old, by8, fresh)
		}
	}
	point("8")
	r.drive(t, 5*time.Minute)
	counts("after five minutes", 33_000, 267_000)
	r.drive(t, 6*time.Minute)
	point("7")
	r.drive(t, time.Minute)
	counts("without a lag", 93_000, 627_000)
}

func TestBadAliasLagsAreRefused(t *testing.T) {
	_, err := ParseScenario([]byte(`{"alias-read-lag": -1, "alias-routing-lag": 1e9, "changes": [{"after": 1, "alias-read-lag": 90000}]}`))
	for _, want := range []string{"\nalias-read-lag must be a number from 0 to 86400; given: -1", "\nalias-routing-lag must be a number", "\nchanges[0].alias-read-lag must be a number"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

// TestLagsDisturbNoRollout: every kind of rollout ends as without lags, also if answers
// of UpdateAlias are lost besides.
func TestLagsDisturbNoRollout(t *testing.T) {
	for _, s := range subjects() {
		for _, seconds := range []float64{2, 25} {
			for _, lost := range []bool{false, true} {
				s := s
				s.scenario.AliasLag = AliasLag{AliasReadLag: &seconds, AliasRoutingLag: &seconds}
				tr := trial{subject: s, harmless: true, deliveries: 1, disturb: func(o *observed) {
					for i := 1; lost && i < 8; i += 2 {
						o.inject(localaws.Fault{Operation: "UpdateAlias", Kind: localaws.CutAfter, First: i, Count: 1})
					}
				}}
				if _, err := tr.try(); err != nil {
					t.Errorf("%s, %v s behind, answers lost: %v: %v", s.name, seconds, lost, err)
				}
			}
		}
	}
}
