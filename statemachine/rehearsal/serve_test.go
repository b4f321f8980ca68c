package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

// served serves an AWS under a scenario until the test ends. Its time passes only by
// Advance.
func served(t *testing.T, scenario string) (*ServedAWS, aws.Config, string) {
	t.Helper()
	conditions, err := ParseScenario([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewServed(ServeOptions{Scenario: conditions, Seed: 1, Template: stacktemplate.Template(), Start: started})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve returned %v", err)
		}
		server.Close()
	})
	return s, s.server.ConfigAt(server.URL), server.URL
}

// advance moves the time of a served AWS on.
func advance(t *testing.T, s *ServedAWS, d time.Duration) {
	t.Helper()
	if _, err := s.Advance(d); err != nil {
		t.Fatal(err)
	}
}

// startOn starts a rollout of an alias over HTTP, and returns its ARN.
func startOn(t *testing.T, s *ServedAWS, cfg aws.Config, function, name string) string {
	t.Helper()
	started, err := sfn.NewFromConfig(cfg).StartExecution(context.Background(), &sfn.StartExecutionInput{
		StateMachineArn: aws.String(s.StateMachine()), Name: &name,
		Input: aws.String(fmt.Sprintf(`{"function-name": %q, "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 120, "type": "linear"}`, function)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *started.ExecutionArn
}

// describe describes an execution over HTTP.
func describe(t *testing.T, cfg aws.Config, execution string) *sfn.DescribeExecutionOutput {
	t.Helper()
	out, err := sfn.NewFromConfig(cfg).DescribeExecution(context.Background(), &sfn.DescribeExecutionInput{ExecutionArn: &execution})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// aliasOf returns the alias of a function over HTTP.
func aliasOf(t *testing.T, cfg aws.Config, function string) *lambda.GetAliasOutput {
	t.Helper()
	out, err := lambda.NewFromConfig(cfg).GetAlias(context.Background(), &lambda.GetAliasInput{FunctionName: &function, Name: aws.String("MyAlias")})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAServedRolloutIsPromoted(t *testing.T) {
	s, cfg, _ := served(t, `{}`)
	arn := startOn(t, s, cfg, servedFunction, "good")
	advance(t, s, 10*time.Minute)
	if status := describe(t, cfg, arn).Status; status != types.ExecutionStatusRunning {
		t.Fatalf("after half of its plan, the rollout is %s", status)
	}
	if weights := aliasOf(t, cfg, servedFunction).RoutingConfig; weights == nil || weights.AdditionalVersionWeights["2"] < 0.3 {
		t.Errorf("after half of its plan, the alias has the weights %v", weights)
	}
	advance(t, s, 15*time.Minute)
	if e := describe(t, cfg, arn); e.Status != types.ExecutionStatusSucceeded {
		t.Fatalf("the rollout ended %s: %s", e.Status, aws.ToString(e.Cause))
	}
	if a := aliasOf(t, cfg, servedFunction); *a.FunctionVersion != "2" || a.RoutingConfig != nil {
		t.Errorf("the alias is at version %s with the weights %v", *a.FunctionVersion, a.RoutingConfig)
	}
}

func TestAServedRolloutIsRolledBackAndItsScenarioStartsAgain(t *testing.T) {
	s, cfg, _ := served(t, `{"changes": [{"after": 300, "new-version": {"error-rate": 0.3}}]}`)
	for _, name := range []string{"first", "second"} {
		arn := startOn(t, s, cfg, servedFunction, name)
		advance(t, s, 25*time.Minute)
		e := describe(t, cfg, arn)
		if took := e.StopDate.Sub(*e.StartDate); e.Status != types.ExecutionStatusFailed || took < 5*time.Minute || took > 12*time.Minute {
			t.Errorf("%s ended %s after %v, want FAILED soon after five minutes: %s", name, e.Status, took, aws.ToString(e.Cause))
		}
		if a := aliasOf(t, cfg, servedFunction); *a.FunctionVersion != "1" || a.RoutingConfig != nil {
			t.Errorf("the alias is at version %s with the weights %v", *a.FunctionVersion, a.RoutingConfig)
		}
	}
}

func TestAStoppedServedRolloutIsCleanedUp(t *testing.T) {
	s, cfg, _ := served(t, `{}`)
	arn := startOn(t, s, cfg, servedFunction, "stopped")
	advance(t, s, 5*time.Minute)
	if _, err := sfn.NewFromConfig(cfg).StopExecution(context.Background(), &sfn.StopExecutionInput{ExecutionArn: &arn}); err != nil {
		t.Fatal(err)
	}
	if a := aliasOf(t, cfg, servedFunction); a.RoutingConfig == nil {
		t.Fatal("the alias is not split when the rollout is stopped, so that the cleanup shows nothing")
	}
	advance(t, s, time.Minute)
	if a := aliasOf(t, cfg, servedFunction); *a.FunctionVersion != "1" || a.RoutingConfig != nil {
		t.Errorf("the alias is at version %s with the weights %v", *a.FunctionVersion, a.RoutingConfig)
	}
}

func TestManyServedRollouts(t *testing.T) {
	t.Parallel()
	const many = 40
	s, cfg, _ := served(t, `{"requests-per-second": 5}`)
	functions := lambda.NewFromConfig(cfg)
	var arns []string
	for i := range many {
		name := fmt.Sprintf("F%d", i)
		if err := s.clock.Do(func() {
			if err := errors.Join(s.server.AddFunction(name, 1, 2), s.server.AddAlias(name, "MyAlias", "1", ""),
				s.server.SetTags("arn:aws:lambda:"+region+":"+account+":function:"+name, map[string]string{"lambda-rollout": "enabled"})); err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	advance(t, s, time.Hour)
	for i := range many {
		arns = append(arns, startOn(t, s, cfg, fmt.Sprintf("F%d", i), fmt.Sprintf("r%d", i)))
	}
	var wait sync.WaitGroup
	wait.Go(func() { advance(t, s, 45*time.Minute) })
	for range 100 { // clients call while time passes
		if _, err := functions.GetAlias(context.Background(), &lambda.GetAliasInput{FunctionName: aws.String("F0"), Name: aws.String("MyAlias")}); err != nil {
			t.Fatal(err)
		}
	}
	wait.Wait()
	for _, arn := range arns {
		if e := describe(t, cfg, arn); e.Status != types.ExecutionStatusSucceeded {
			t.Errorf("%s ended %s: %s", *e.Name, e.Status, aws.ToString(e.Cause))
		}
	}
}

// TestWebPagesAreRefused asks what listens: the served AWS, and that of one rehearsal.
func TestWebPagesAreRefused(t *testing.T) {
	_, _, url := served(t, `{}`)
	r := &run{options: Options{Listen: "127.0.0.1:0"}, server: localaws.New(localaws.Options{})}
	cfg, hangUp, err := r.connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hangUp)
	for _, c := range []struct{ name, address, host, header string }{
		{"a client", url + TimePath, "", ""},
		{"another page", url + TimePath, "", "Origin: https://example.com"},
		{"another page's link", url + "/?Action=DeleteAlarms", "", "Sec-Fetch-Site: cross-site"},
		{"a name that leads here", url + TimePath, "rebound.example:80", ""},
		{"a rehearsal's client", *cfg.BaseEndpoint, "", ""},
		{"another page, of a rehearsal", *cfg.BaseEndpoint, "", "Origin: null"},
		{"a name that leads to a rehearsal", *cfg.BaseEndpoint, "rebound.example:80", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			request, err := http.NewRequest(http.MethodGet, c.address, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Host = c.host
			if name, value, ok := strings.Cut(c.header, ": "); ok {
				request.Header.Set(name, value)
			}
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if refused := answer.StatusCode == http.StatusForbidden; refused != (c.host+c.header != "") {
				text, _ := io.ReadAll(answer.Body)
				t.Errorf("the answer is %s: %s", answer.Status, text)
			}
		})
	}
}

func TestUsersActionsAreForTheClients(t *testing.T) {
	conditions, err := ParseScenario([]byte(`{"changes": [{"after": 60, "stop": true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewServed(ServeOptions{Scenario: conditions, Template: stacktemplate.Template(), Start: started}); err == nil || !strings.Contains(err.Error(), "changes[0]") {
		t.Errorf("the error is %v", err)
	}
}
