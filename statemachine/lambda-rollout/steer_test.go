package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// begun starts a rollout named first, and lets some of it pass.
func begun(t *testing.T, scenario, input string, after time.Duration) *account {
	t.Helper()
	a := newAccount(t, scenario, nil)
	a.want(a.run("start", "-f", a.write("rollout.json", input), "--name", "first"), 0)
	a.advance(after)
	return a
}

func TestOrdersAreTaken(t *testing.T) {
	approval := strings.Replace(blog, "}", `, "approval": {"before-weights": [0.4]}}`, 1)
	harm := `{"changes": [{"after": 170, "new-version": {"error-rate": 0.9}}]}`
	for _, test := range []struct {
		order, scenario, input string
		after                  time.Duration
		code                   int
		says                   []string
	}{
		{"promote", `{}`, blog, 130 * time.Second, 0, []string{"first: the order to promote was written as version 1 of /lambda-rollout/first; the rollout is at 40%, in step 2 of 5", "obeyed: the rollout has ended: PROMOTED"}},
		{"advance", `{}`, blog, 130 * time.Second, 0, []string{"obeyed: the rollout is at "}},
		{"rollback", `{}`, blog, 130 * time.Second, 0, []string{"obeyed: the rollout has ended: ROLLED BACK"}},
		{"roll-back", `{}`, blog, 10 * time.Second, 0, []string{"obeyed: "}},
		{"approve", `{}`, approval, 200 * time.Second, 0, []string{"obeyed: "}},
		{"refuse", `{}`, approval, 200 * time.Second, 0, []string{"obeyed: "}},
		{"approve", `{}`, approval, 10 * time.Second, 1, []string{"the rollout first does not wait for an approval: it is at 20%, in step 1 of 5"}},
		{"refuse", `{}`, blog, 10 * time.Second, 1, []string{"does not wait for an approval"}},
		{"advance", harm, blog, 235 * time.Second, 1, []string{"not obeyed (overruled: the check found harm)"}},
		{"promote", `{"new-version": {"error-rate": 0.5}}`, blog, 30 * time.Minute, 1, []string{"the rollout first has ended (rolled-back), and takes no orders: Rolled back at 20%"}},
	} {
		t.Run(test.order+" "+test.says[0], func(t *testing.T) {
			a := begun(t, test.scenario, test.input, test.after)
			a.want(a.run(test.order, "first", "--reason", "the dashboard\x1b[2J says so"), test.code, test.says...)
			if test.code == 1 && !strings.Contains(test.says[0], "overruled") && a.calls["PutParameter"] > 0 {
				t.Error("an order was written that has no effect")
			}
		})
	}
}

// TestEveryOrderHasASubcommand that gives it.
func TestEveryOrderHasASubcommand(t *testing.T) {
	for _, command := range rollout.Commands() {
		a := begun(t, `{}`, blog, 10*time.Second)
		if command == rollout.Approve || command == rollout.Disapprove {
			continue // nothing to answer
		}
		a.want(a.run(word(command), "first", "--no-wait"), 0, "the order to "+strings.ReplaceAll(string(command), "-", " ")+" was written")
	}
}

// TestTheReasonIsKept with the order, and is no part of it.
func TestTheReasonIsKept(t *testing.T) {
	a := begun(t, `{}`, blog, 10*time.Second)
	a.want(a.run("promote", "first", "--no-wait", "--reason", strings.Repeat("é", 1025)), 2, "the reason has 1025 characters")
	a.want(a.run("promote", "first", "--no-wait", "--reason", "the dashboard\x1b[2J says so"), 0)
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out, err := ssm.NewFromConfig(cfg).GetParameterHistory(context.Background(), &ssm.GetParameterHistoryInput{Name: aws.String("/lambda-rollout/first")})
	if err != nil || len(out.Parameters) != 1 || *out.Parameters[0].Value != "promote" || aws.ToString(out.Parameters[0].Description) != "the dashboard [2J says so" {
		t.Errorf("%+v, %v", out.Parameters, err)
	}
}

// TestAnOrderIsGivenOnce, though its answers are lost: twice would advance two steps.
func TestAnOrderIsGivenOnce(t *testing.T) {
	for _, kind := range []localaws.FaultKind{localaws.CutAfter, localaws.CutBefore, localaws.Throttled, localaws.ServerError, localaws.BareThrottle} {
		t.Run(string(kind), func(t *testing.T) {
			a := begun(t, `{}`, blog, 10*time.Second)
			a.inject(localaws.Fault{Operation: "PutParameter", Kind: kind, Count: 2})
			a.want(a.run("advance", "first"), 0, "was written as version 1 of", "obeyed: ")
			a.want(a.run("advance", "first", "--no-wait"), 0, "was written as version 2 of")
		})
	}
}

func TestOrdersThatAreLost(t *testing.T) {
	a := begun(t, `{}`, blog, 10*time.Second)
	a.inject(localaws.Fault{Operation: "GetExecutionHistory", Kind: localaws.Unavailable, First: 2})
	a.want(a.run("advance", "first"), 3, "can't be read, 5 times in a row")
}

func TestAnOrderAsJSON(t *testing.T) {
	a := begun(t, `{}`, blog, 10*time.Second)
	r := a.run("advance", "first", "-o", "json")
	var got orderGiven
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != 0 || !got.Obeyed || !got.Read || got.Number != 1 || got.Command != "advance" || got.At.IsZero() {
		t.Errorf("%d, %v: %s", r.code, err, r.stdout)
	}
}

// TestALongRolloutIsSteered by the name of any of its executions.
func TestALongRolloutIsSteered(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	input := `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 4, "interval": 9000, "check-interval": 10}`
	a.want(a.run("start", "-f", a.write("rollout.json", input), "--name", "first"), 0)
	a.advance(200 * time.Minute)
	part := ""
	for _, name := range a.executions() {
		if strings.HasPrefix(name, "first-part-1-") {
			part = name
		}
	}
	if part == "" {
		t.Fatalf("the rollout does not continue in another execution: %q", a.executions())
	}
	a.want(a.run("advance", part), 0, "first: the order to advance was written as version 1 of /lambda-rollout/first; the rollout is at 50%, in step 2 of 4", "obeyed: ")
	a.want(a.run("stop", part), 0, "stopped first, which was at 75%", "alias MyAlias of MyFunction is at version 1")
}

func TestStop(t *testing.T) {
	for _, columns := range []int{40, 80, 200} {
		a := begun(t, `{}`, blog, 130*time.Second)
		r := a.runIn(t.Context(), columns, "stop", "first", "--reason", "wrong version")
		a.want(r, 0)
		golden(t, fmt.Sprintf("stop-%d", columns), r.stdout)
		if at := a.alias(); *at.FunctionVersion != "1" || at.RoutingConfig != nil {
			t.Errorf("the alias is at version %s", *at.FunctionVersion)
		}
		a.want(a.run("stop", "first"), 1, "the rollout first has ended (stopped), and can't be stopped: wrong version")
	}
}

func TestStartAndOrdersAtEachWidth(t *testing.T) {
	for _, columns := range []int{40, 80, 200} {
		a := newAccount(t, `{}`, nil)
		start := a.runIn(t.Context(), columns, "start", "-f", a.write("rollout.json", blog), "--name", "first")
		a.advance(130 * time.Second)
		order := a.runIn(t.Context(), columns, "advance", "first")
		a.want(order, 0)
		golden(t, fmt.Sprintf("steer-%d", columns), start.all()+order.all())
	}
}
