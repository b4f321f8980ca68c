package main

import (
	"context"
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

func TestStartWaits(t *testing.T) {
	for name, test := range map[string]struct {
		scenario, input string
		flags           []string
		code            int
		says            []string
	}{
		"promoted":    {`{}`, blog, nil, 0, []string{"started first: alias MyAlias of MyFunction to version 2", "execution:LambdaRollout", "lambda-rollout rollback first", "shift     step 2 of 5", "PROMOTED: "}},
		"rolled back": {`{"new-version": {"error-rate": 0.3}}`, blog, nil, 1, []string{"ROLLED BACK: Rolled back at 20%"}},
		"unverified":  {`{"requests-per-second": 0}`, strings.Replace(blog, "}", `, "health": {"on-no-traffic": "proceed"}}`, 1), nil, 4, []string{"PROMOTED, UNVERIFIED: too little was seen"}},
		"unverified, allowed": {`{"requests-per-second": 0}`, strings.Replace(blog, "}", `, "health": {"on-no-traffic": "proceed"}}`, 1), []string{"--allow-unverified"}, 0,
			[]string{"PROMOTED, UNVERIFIED"}},
		"refused by the workflow": {`{}`, strings.Replace(blog, `"2"`, `"9"`, 1), []string{"--no-check"}, 2, []string{"REFUSED: nothing was changed: there is no version 9"}},
		"already there":           {`{}`, strings.Replace(blog, `"2"`, `"1"`, 1), nil, 0, []string{"NOTHING TO DO: "}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, test.scenario, nil)
			file := a.write("rollout.json", test.input)
			a.want(a.run(append([]string{"start", "-f", file, "--name", "first", "--wait"}, test.flags...)...), test.code, test.says...)
		})
	}
}

func TestStartIsRefusedBeforeItStarts(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	file := a.write("rollout.json", "{\n \"function-name\": \"MyFunction\",\n \"alias-name\": \"MyAlias\",\n \"new-version\": \"9\",\n \"steps\": 5,\n \"interval\": 60\n}")
	a.want(a.run("start", "-f", file), 2, "rollout.json would be refused:\n- VersionNotFound: there is no version 9")
	a.want(a.run("start", "-f", file, "--new-version", "2", "--alias", "other"), 2, "AliasNotFound")
	if n := a.calls["StartExecution"]; n > 0 {
		t.Errorf("%d executions were started", n)
	}
	a.want(a.run("start", "-f", file, "--new-version", "2"), 0, "started MyFunction-MyAlias-20261102T1200", "to version 2")
}

func TestStartPublishes(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	file := a.write("rollout.json", `{"function-name": "MyFunction", "alias-name": "MyAlias", "steps": 2, "interval": 60}`)
	a.want(a.run("start", "-f", file, "--publish", "--code-sha256", "c29tZQ=="), 2, "not started: ")
	if a.calls["StartExecution"] > 0 {
		t.Error("other code was rolled out")
	}
	if _, err := a.lambda().UpdateFunctionConfiguration(context.Background(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("MyFunction"), Description: aws.String("new")}); err != nil {
		t.Fatal(err)
	}
	a.want(a.run("start", "-f", file, "--publish", "--wait"), 0, "published version 3 of MyFunction", "to version 3", "PROMOTED: ")
	if at := *a.alias().FunctionVersion; at != "3" {
		t.Errorf("the alias is at version %s", at)
	}
	a.want(a.run("start", "-f", a.write("bad.json", `{"function-name": "MyFunction", "alias-name": "MyAlias", "stepps": 2}`), "--publish"), 2, "did you mean", "bad.json:1")
}

// TestStartIsRepeated with the same name: a rollout is started once.
func TestStartIsRepeated(t *testing.T) {
	for _, kind := range []localaws.FaultKind{localaws.CutAfter, localaws.CutBefore, localaws.Throttled, localaws.ServerError, localaws.ProxyUnavailable} {
		t.Run(string(kind), func(t *testing.T) {
			a := newAccount(t, `{}`, nil)
			file := a.write("rollout.json", blog)
			a.inject(localaws.Fault{Operation: "StartExecution", Kind: kind, Count: 2})
			first := a.run("start", "-f", file, "--name", "first")
			if a.want(first, 0, "started first: alias"); strings.Contains(first.stdout, "already") {
				t.Errorf("the first start prints %s", first.stdout)
			}
			a.advance(70 * time.Second)
			a.want(a.run("start", "-f", file, "--name", "first"), 0, "already started first ", " ago, at 2026-11-02 12:00:", "watch       lambda-rollout watch first")
			a.want(a.run("start", "-f", file, "--name", "first", "--no-check", "-o", "json"), 0, `"started-before": true`, `"started": "2026-11-02T12:00:`)
			a.want(a.run("start", "-f", file, "--name", "first", "--wait"), 0, "already started first ", "PROMOTED: ")
			ended := a.run("start", "-f", file, "--name", "first")
			if a.want(ended, 0, "already started first ", "ended       first: PROMOTED"); strings.Contains(ended.stdout, "rollback") {
				t.Errorf("what has ended can be steered: %s", ended.stdout)
			}
			a.want(a.run("start", "-f", a.write("other.json", strings.Replace(blog, "120", "60", 1)), "--name", "first", "--wait"), 2, "started before with a different input")
		})
	}
}

func TestStartThatIsNotKnown(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	file := a.write("rollout.json", blog)
	a.inject(localaws.Fault{Operation: "StartExecution", Kind: localaws.CutAfter})
	a.inject(localaws.Fault{Operation: "DescribeExecution", Kind: localaws.Unavailable})
	a.want(a.run("start", "-f", file, "--name", "first"), 3, "whether the rollout was started is not known; repeat the command with --name first")
}

func TestStartLosesTheRollout(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	file := a.write("rollout.json", blog)
	a.slept = func() {
		a.inject(localaws.Fault{Operation: "DescribeExecution", Kind: localaws.Unavailable})
		a.slept = nil
	}
	a.want(a.run("start", "-f", file, "--wait"), 3, "can't be read, 5 times in a row, and may go on: arn:")
}

func TestStartSurvivesLostReads(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	file := a.write("rollout.json", blog)
	a.inject(localaws.Fault{Operation: "DescribeExecution", Kind: localaws.Throttled, Count: 4})
	a.inject(localaws.Fault{Operation: "GetExecutionHistory", Kind: localaws.Unavailable, First: 3, Count: 4})
	a.want(a.run("start", "-f", file, "--wait"), 0, "PROMOTED: ")
}

// TestAnInterruptedStart stops the rollout, or leaves it.
func TestAnInterruptedStart(t *testing.T) {
	for _, test := range []struct {
		signal syscall.Signal
		flags  []string
		fault  *localaws.Fault
		code   int
		says   string
		split  bool // the alias, a minute later
	}{
		{syscall.SIGINT, nil, nil, 130, "interrupted; the rollout was stopped, and its alias returns to the baseline", false},
		{syscall.SIGTERM, []string{"--on-interrupt", "leave"}, nil, 143, "interrupted; the rollout continues: arn:", true},
		{syscall.SIGTERM, nil, &localaws.Fault{Operation: "StopExecution", Kind: localaws.Throttled}, 143, "interrupted, but the rollout could not be stopped: AWS has too many calls", true},
	} {
		a := newAccount(t, `{}`, nil)
		file := a.write("rollout.json", blog)
		if test.fault != nil {
			a.inject(*test.fault)
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		waits := 0
		a.slept = func() {
			if waits++; waits == 10 {
				cancel(interruption{test.signal})
			}
		}
		a.want(a.runIn(ctx, 0, append([]string{"start", "-f", file, "--wait"}, test.flags...)...), test.code, test.says)
		a.advance(time.Minute)
		if split := a.alias().RoutingConfig != nil; split != test.split {
			t.Errorf("%v: split is %v", test, split)
		}
	}
}

// TestAnInterruptedCall may have started the rollout.
func TestAnInterruptedCall(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	file := a.write("rollout.json", blog)
	ctx, cancel := context.WithCancelCause(context.Background())
	a.inject(localaws.Fault{Operation: "StartExecution", Kind: localaws.CutAfter})
	a.slept = func() { cancel(interruption{syscall.SIGINT}) }
	a.want(a.runIn(ctx, 0, "start", "-f", file, "--name", "first"), 130, "the rollout was stopped")
	a.want(a.run("promote", "first"), 1, "the rollout first has ended (stopped)")

	a.advance(time.Minute) // the cleanup
	ctx, cancel = context.WithCancelCause(context.Background())
	a.slept = func() { cancel(interruption{syscall.SIGTERM}) }
	a.want(a.runIn(ctx, 0, "start", "-f", file, "--name", "second", "--on-interrupt", "leave"), 143, "interrupted; if it was started, the rollout continues: arn:")
}

func TestAQuietStart(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	file := a.write("rollout.json", blog)
	r := a.run("start", "-f", file, "--name", "first", "--publish", "--quiet")
	if a.want(r, 0); r.stdout != strings.Replace(a.served.StateMachine(), ":stateMachine:", ":execution:", 1)+":first\n" || !strings.Contains(r.stderr, "published version 2") {
		t.Errorf("it prints %q, and on the standard error %q", r.stdout, r.stderr)
	}
	a.want(a.run("start", "-f", file, "--quiet", "--wait"), 2, "--quiet prints one line")
	a.want(a.run("start", "-f", file, "--quiet", "-o", "json"), 2, "--quiet prints one line")
}

func TestStartAsJSON(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	r := a.run("start", "-f", a.write("rollout.json", blog), "--wait", "-o", "json", "--name", "first")
	var got startedRollout
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != 0 || got.Result != "promoted" || got.Name != "first" || got.Version != "2" || got.Ended.IsZero() || got.Console != "" {
		t.Errorf("%d: %v: %s", r.code, err, r.stdout)
	}
	if !strings.Contains(r.stderr, "step 2 of 5") {
		t.Errorf("the progress is not on the standard error: %s", r.stderr)
	}
}

func TestWait(t *testing.T) {
	a := begun(t, `{}`, blog, 10*time.Second)
	r := a.run("wait", "first", "-o", "json")
	a.want(r, 0, `"result": "promoted"`, `"new-version": "2"`)
	a.want(a.run("wait", "none"), 3, "there is no rollout none")
	a.want(a.run("wait", "first", "--on-interrupt", "maybe"), 2, "--on-interrupt must be stop or leave")

	a = begun(t, `{}`, blog, 10*time.Second)
	ctx, cancel := context.WithCancelCause(context.Background())
	a.slept = func() { cancel(interruption{syscall.SIGTERM}) }
	a.want(a.runIn(ctx, 0, "wait", "first"), 143, "interrupted; the rollout was stopped")
}
