package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/creack/pty"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// leaveSplit makes a stopped rollout whose alias stays split: as the cleanup put it back, it is
// written as the rollout had left it.
func leaveSplit(t *testing.T) *account {
	t.Helper()
	a := begun(t, `{}`, blog, 130*time.Second)
	split := a.alias()
	a.want(a.run("stop", "first"), 0)
	a.set(split)
	return a
}

// set writes the alias.
func (a *account) set(to *lambda.GetAliasOutput) {
	a.t.Helper()
	routing := to.RoutingConfig
	if routing == nil {
		routing = &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}}
	}
	if _, err := a.lambda().UpdateAlias(context.Background(), &lambda.UpdateAliasInput{
		FunctionName: aws.String("MyFunction"), Name: to.Name, FunctionVersion: to.FunctionVersion, Description: to.Description, RoutingConfig: routing,
	}); err != nil {
		a.t.Fatal(err)
	}
}

func TestUndo(t *testing.T) {
	for _, columns := range []int{40, 80, 200} {
		a := leaveSplit(t)
		a.want(a.run("undo", "MyFunction", "MyAlias"), 2, "nothing was changed: without a terminal, confirm with --yes")
		if a.alias().RoutingConfig == nil {
			t.Fatal("the alias is not split")
		}
		r := a.runIn(t.Context(), columns, "undo", "MyFunction", "MyAlias", "--yes")
		a.want(r, 0)
		golden(t, fmt.Sprintf("undo-%d", columns), r.stdout)
		if at := a.alias(); *at.FunctionVersion != "1" || at.RoutingConfig != nil || strings.Contains(aws.ToString(at.Description), "rollout") {
			t.Errorf("the alias is at version %s, %q", *at.FunctionVersion, aws.ToString(at.Description))
		}
		a.want(a.run("undo", "MyFunction", "MyAlias"), 0, "nothing to undo: alias MyAlias of MyFunction has no rollout's marker, and routes to version 1")
	}
}

func TestUndoRefuses(t *testing.T) {
	mark := func(a *account, description string, weight float64) {
		found := a.alias()
		found.Description, found.RoutingConfig = &description, &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": weight}}
		a.set(found)
	}
	for name, test := range map[string]struct {
		change func(*account)
		code   int
		want   string
	}{
		"another user's split":          {func(a *account) { mark(a, aws.ToString(a.alias().Description), 0.9) }, 1, "was changed by another user and is left as it is"},
		"a marker of no execution":      {func(a *account) { mark(a, "[rollout forged 2->1 30%]", 0.3) }, 2, "carries the marker of the rollout forged, but the state machine LambdaRollout731340B9 has no such execution"},
		"another version in the marker": {func(a *account) { mark(a, "[rollout first 7->2 30%]", 0.3) }, 2, "but that execution was of version 2, from version 1"},
		"a hash of no name":             {func(a *account) { mark(a, "[rollout sha256:00 1->2 30%]", 0.3) }, 2, "has no such execution"},
	} {
		t.Run(name, func(t *testing.T) {
			a := leaveSplit(t)
			test.change(a)
			before := a.alias()
			a.want(a.run("undo", "MyFunction", "MyAlias", "--yes"), test.code, test.want)
			if *a.alias().RevisionId != *before.RevisionId {
				t.Error("the alias was written")
			}
		})
	}
	a := begun(t, `{}`, blog, 130*time.Second)
	a.want(a.run("undo", "MyFunction", "MyAlias", "--yes"), 2, "the rollout first still runs: give it the order to roll back instead (lambda-rollout rollback first)")
	a.want(a.run("undo", "MyFunction", "none", "--yes"), 2, "there is no alias none of MyFunction")
	a.want(a.run("undo", "None", "MyAlias", "--yes"), 2, "there is no alias MyAlias of None")
}

// TestUndoWithLostAnswers puts the alias back nevertheless.
func TestUndoWithLostAnswers(t *testing.T) {
	for _, kind := range []localaws.FaultKind{localaws.CutAfter, localaws.CutBefore, localaws.Throttled, localaws.ServerError} {
		a := leaveSplit(t)
		a.inject(localaws.Fault{Operation: "UpdateAlias", Kind: kind, Count: 2})
		a.want(a.run("undo", "MyFunction", "MyAlias", "--yes"), 0, "put back: alias MyAlias of MyFunction is at version 1")
	}
}

func TestUndoWithoutPermission(t *testing.T) {
	a := newAccount(t, `{}`, func(principal, action, _ string, _ map[string][]string) error {
		if principal == operator && action == "lambda:UpdateAlias" {
			return fmt.Errorf("no identity-based policy allows the %s action", action)
		}
		return nil
	})
	a.want(a.run("start", "-f", a.write("rollout.json", blog), "--name", "first"), 0)
	a.advance(130 * time.Second)
	split := a.alias()
	a.want(a.run("stop", "first"), 0)
	a.set(split)
	a.want(a.run("undo", "MyFunction", "MyAlias", "--yes"), 3, "the AWS credentials don't allow lambda:UpdateAlias")
}

func TestUndoAsJSON(t *testing.T) {
	a := leaveSplit(t)
	r := a.run("undo", "MyFunction", "MyAlias", "--yes", "-o", "json")
	var got undone
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != 0 || !got.PutBack || got.Rollout != "first" || got.Before != "version 1 with 40% on version 2" || got.After != "version 1" {
		t.Errorf("%d, %v: %s", r.code, err, r.stdout)
	}
}

// TestUndoAsks on a terminal.
func TestUndoAsks(t *testing.T) {
	for answer, want := range map[string]int{"y\n": 0, "YES\n": 0, "\n": 1, "no\n": 1, "yy\n": 1} {
		a := leaveSplit(t)
		keyboard, screen, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keyboard.WriteString(answer); err != nil {
			t.Fatal(err)
		}
		a.stdin = screen
		r := a.run("undo", "MyFunction", "MyAlias")
		a.want(r, want, "Put the alias back? [y/N]")
		if split := a.alias().RoutingConfig != nil; split != (want == 1) {
			t.Errorf("%q: the alias is split: %v", answer, split)
		}
		for _, file := range []*os.File{keyboard, screen} {
			_ = file.Close()
		}
	}
}

// TestUndoOfANameThatIsNotASCII finds the execution by the hash in the marker.
func TestUndoOfANameThatIsNotASCII(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	name, input := "über", blog
	out, err := sfn.NewFromConfig(cfg).StartExecution(context.Background(), &sfn.StartExecutionInput{StateMachineArn: aws.String(a.served.StateMachine()), Name: &name, Input: &input})
	if err != nil {
		t.Fatal(err)
	}
	a.advance(130 * time.Second)
	split := a.alias()
	if !strings.Contains(aws.ToString(split.Description), "sha256:") {
		t.Fatalf("the marker has no hash: %q", aws.ToString(split.Description))
	}
	a.want(a.run("stop", *out.ExecutionArn), 0)
	a.set(split)
	a.want(a.run("undo", "MyFunction", "MyAlias", "--yes"), 0, "put back: alias MyAlias of MyFunction is at version 1")
}
