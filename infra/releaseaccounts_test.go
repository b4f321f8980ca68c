package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

const (
	accountsMachine = "arn:aws:states:eu-west-1:111111111111:stateMachine:lambda-rollout-accounts"
	accountsInput   = `{"bake": 3600, "accounts": [
		{"role": "arn:aws:iam::222222222222:role/lambda-rollout-release-target", "machine": "arn:aws:states:eu-west-1:222222222222:stateMachine:releases", "release": {"release": "shop", "rollouts": {"a": {"new-version": 7}}}},
		{"role": "arn:aws:iam::333333333333:role/lambda-rollout-release-target", "machine": "arn:aws:states:eu-west-1:333333333333:stateMachine:releases", "release": {"release": "shop", "rollouts": {"a": {"new-version": 4}}}},
		{"role": "arn:aws:iam::444444444444:role/lambda-rollout-release-target", "machine": "arn:aws:states:eu-west-1:444444444444:stateMachine:releases", "release": {"release": "shop", "rollouts": {"a": {"new-version": 9}}}}]}`
)

// runAccounts runs a definition of releases to several accounts. Each release takes an hour,
// and that of the account number failing, from 0, fails. It returns what was started, when,
// as whom, and how the execution ended.
func runAccounts(t *testing.T, text string, failing int, refused ...*asl.TaskError) (started []string, result asl.Result) {
	t.Helper()
	return runAccountsWith(t, text, accountsInput, failing, refused...)
}

// runAccountsWith is runAccounts with another input.
func runAccountsWith(t *testing.T, text, input string, failing int, refused ...*asl.TaskError) (started []string, result asl.Result) {
	t.Helper()
	text, err := asl.Substitute(text, map[string]string{"Partition": "aws"})
	if err != nil {
		t.Fatal(err)
	}
	definition, err := asl.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	clock := asl.NewClock(start)
	none := func(context.Context, string, json.RawMessage) (json.RawMessage, error) { return nil, nil }
	execution, err := definition.Start(asl.Options{
		Clock: clock, Invoke: none, StateMachineARN: accountsMachine, Name: "shop-1", Input: json.RawMessage(input),
		StartExecution: func(s asl.StartExecution) (*asl.Execution, error) {
			if len(refused) > 0 {
				refusal := refused[0]
				refused = refused[1:]
				return nil, refusal
			}
			end := `{"Type": "Succeed"}`
			if len(started) == failing {
				end = `{"Type": "Fail", "Error": "Unhealthy", "Cause": "rolled back"}`
			}
			at := clock.Now().Sub(start).Truncate(time.Minute)
			started = append(started, fmt.Sprintf("%s: %s of %s by %s: %s", at, s.Name, s.StateMachineARN, s.RoleARN, s.Input))
			child, err := asl.Parse([]byte(`{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "Next": "End"}, "End": ` + end + `}}`))
			if err != nil {
				return nil, err
			}
			return child.Start(asl.Options{Clock: clock, Invoke: none})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := clock.Run(); err != nil {
		t.Fatal(err)
	}
	return started, execution.Result()
}

// releasedTo returns what is started in the accounts at these times.
func releasedTo(at ...string) []string {
	accounts, versions := []string{"222222222222", "333333333333", "444444444444"}, []int{7, 4, 9}
	var all []string
	for i, when := range at {
		all = append(all, fmt.Sprintf(`%s: shop-1-%d of arn:aws:states:eu-west-1:%s:stateMachine:releases by arn:aws:iam::%[3]s:role/lambda-rollout-release-target: {"release":"shop","rollouts":{"a":{"new-version":%[4]d}}}`, when, i, accounts[i], versions[i]))
	}
	return all
}

// TestAccountsAreReleasedToInOrder runs the example of docs/releases.md: one account after
// another, with time between, until one fails.
func TestAccountsAreReleasedToInOrder(t *testing.T) {
	text := readPage(t, "releases/accounts.asl.json")
	started, result := runAccounts(t, text, -1)
	if diff := cmp.Diff(releasedTo("0s", "2h0m0s", "4h0m0s"), started); diff != "" || result.Status != asl.Succeeded {
		t.Errorf("%s: %s %s (-want +got):\n%s", result.Status, result.Error, result.Cause, diff)
	}
	for failing, at := range [][]string{{"0s"}, {"0s", "2h0m0s"}, {"0s", "2h0m0s", "4h0m0s"}} {
		started, result := runAccounts(t, text, failing)
		if diff := cmp.Diff(releasedTo(at...), started); diff != "" || result.Status != asl.Failed || result.Error != "NotAllAccounts" ||
			!strings.Contains(result.Cause, fmt.Sprintf("Stopped at account %d of 3", failing)) || !strings.Contains(result.Cause, "Unhealthy") {
			t.Errorf("if account %d fails, %s: %s %s (-want +got):\n%s", failing, result.Status, result.Error, result.Cause, diff)
		}
	}
	started, result = runAccounts(t, text, -1, asl.Refused("ThrottlingException", "slow down", "1"), asl.Refused("ThrottlingException", "slow down", "2"))
	if len(started) != 3 || result.Status != asl.Succeeded {
		t.Errorf("throttled twice: %d started, %s %s", len(started), result.Error, result.Cause)
	}
	started, result = runAccounts(t, text, -1, asl.Refused("AccessDeniedException", "no", "1"))
	if len(started) != 0 || result.Error != "NotFollowed" || !strings.Contains(result.Cause, "AccessDenied") || !strings.Contains(result.Cause, "describe-execution --region eu-west-1 --execution-arn arn:aws:states:eu-west-1:222222222222:execution:releases:shop-1-0 ") {
		t.Errorf("without access: %d started, %s %s", len(started), result.Error, result.Cause)
	}
	// The checks can fail.
	var definition map[string]any
	if err := json.Unmarshal([]byte(text), &definition); err != nil {
		t.Fatal(err)
	}
	states := definition["States"].(map[string]any)
	states["Release"].(map[string]any)["Catch"].([]any)[0].(map[string]any)["Next"] = "Count"
	for _, name := range []string{"Failed", "Name release", "Not followed", "Stopped"} {
		delete(states, name)
	}
	changed, err := json.Marshal(definition)
	if err != nil {
		t.Fatal(err)
	}
	goesOn := string(changed)
	if started, _ := runAccounts(t, goesOn, 0); len(started) != 3 {
		t.Errorf("a definition that goes on after a failure started %d", len(started))
	}
}

// TestAnInputOfAccountsIsChecked before the first account is released to.
func TestAnInputOfAccountsIsChecked(t *testing.T) {
	text := readPage(t, "releases/accounts.asl.json")
	rest := accountsInput[strings.Index(accountsInput, `"accounts"`):]
	for _, input := range []string{"{" + rest, `{"bake": "3600", ` + rest, `{"bake": -1, ` + rest, `{"bake": null, ` + rest, `{"bake": 1}`, `{"bake": 1, "accounts": []}`, `{"bake": 1, "accounts": null}`, `[]`, `null`} {
		if started, result := runAccountsWith(t, text, input, -1); len(started) > 0 || result.Error != "InvalidRequest" {
			t.Errorf("%s: %d started, %s %s", input, len(started), result.Error, result.Cause)
		}
	}
	const role, machine, release = `"role": "arn:aws:iam::333333333333:role/r"`, `"machine": "arn:aws:states:eu-west-1:333333333333:stateMachine:releases"`, `"release": {"release": "shop", "rollouts": {}}`
	for account, good := range map[string]bool{
		"{" + role + "," + machine + "," + release + "}": true,
		"{" + machine + "," + release + "}":              false, "{" + role + "," + release + "}": false, "{" + role + "," + machine + "}": false,
		`{"role": 7,` + machine + "," + release + "}": false, `{"role": "lambda-rollout",` + machine + "," + release + "}": false,
		"{" + role + `, "machine": null, ` + release + "}": false, "{" + role + `, "machine": "arn:aws:states:eu-west-1:333333333333:execution:a:b", ` + release + "}": false,
		"{" + role + "," + machine + `, "release": "shop"}`: false, "{" + role + "," + machine + `, "release": {"release": "shop"}}`: false, "{" + role + "," + machine + `, "release": {"release": 1, "rollouts": {}}}`: false,
		"null": false, "7": false, "[]": false, "{}": false,
	} {
		input := `{"bake": 1, ` + strings.TrimSuffix(rest, "]}") + "," + account + "]}" // after three that are right
		started, result := runAccountsWith(t, text, input, -1)
		if good && (len(started) != 4 || result.Status != asl.Succeeded) || !good && (len(started) > 0 || result.Error != "InvalidRequest" || !strings.Contains(result.Cause, "Account 3 of 4")) {
			t.Errorf("%s: %d started, %s %s", account, len(started), result.Error, result.Cause)
		}
	}
	if started, result := runAccountsWith(t, text, `{"bake": 0, `+rest, -1); len(started) != 3 || result.Status != asl.Succeeded {
		t.Errorf("%d started, %s %s", len(started), result.Error, result.Cause)
	}
}

// TestTheTemplatesOfAccounts checks the templates of docs/releases: CDK finds nothing wrong
// with them, the definition is the example's, and the roles allow what it needs, and no more.
func TestTheTemplatesOfAccounts(t *testing.T) {
	parent, problem := built(t, readPage(t, "releases/accounts.yaml"), "")
	if problem != nil {
		t.Fatal(problem)
	}
	text, err := json.Marshal(parent.Resources["StateMachine"].Properties["DefinitionString"])
	if err != nil {
		t.Fatal(err)
	}
	var deployed, example any
	var definition string
	if err := json.Unmarshal(text, &definition); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(definition), &deployed); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(readPage(t, "releases/accounts.asl.json")), &example); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example, deployed); diff != "" {
		t.Errorf("the definition (-accounts.asl.json +accounts.yaml):\n%s", diff)
	}
	target, problem := built(t, readPage(t, "releases/target.yaml"), "")
	if problem != nil {
		t.Fatal(problem)
	}
	of := func(tmpl template) (all []string) {
		for _, name := range tmpl.ofType("AWS::IAM::Role") {
			role := tmpl.Resources[name].Properties
			all = append(all, statements(role["AssumeRolePolicyDocument"])...)
			for _, policy := range role["Policies"].([]any) {
				all = append(all, statements(policy.(map[string]any)["PolicyDocument"])...)
			}
		}
		return all
	}
	const states = `{"Fn::Sub":"arn:${AWS::Partition}:states:${AWS::Region}:`
	want := []string{
		trustsStates,
		"Allow sts:AssumeRole on ${TargetRoles}",
		`Allow sts:AssumeRole on null by {"AWS":{"Fn::Sub":"arn:${AWS::Partition}:iam::${ParentAccount}:role/lambda-rollout-accounts"}} if {"StringEquals":{"sts:ExternalId":` + states + `${ParentAccount}:stateMachine:lambda-rollout-accounts"}}}`,
		"Allow states:StartExecution on " + states + `${AWS::AccountId}:stateMachine:${ReleaseStateMachineName}"}`,
		"Allow states:DescribeExecution, states:StopExecution on " + states + `${AWS::AccountId}:execution:${ReleaseStateMachineName}:*"}`,
	}
	if diff := cmp.Diff(want, append(of(parent), of(target)...)); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	// The names that the target's role trusts are those of the parent.
	if role, machine := parent.Resources["Role"].Properties["RoleName"], parent.Resources["StateMachine"].Properties["StateMachineName"]; role != "lambda-rollout-accounts" || machine != "lambda-rollout-accounts" {
		t.Errorf("the parent's role is named %v, and its machine %v", role, machine)
	}
}
