package verify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// Case is one state with what it is given.
type Case struct {
	State string
	What  string // what it tries, in words
	Input string // JSON
	Mock  *types.MockInput
	// Retries is how many retries the retrier that matches the mocked error has made.
	Retries int

	definition, partition string
}

// account is the account in the ARNs of cases. AWS keeps it for examples.
const account = "123456789012"

// state is a state of the definition, as far as cases depend on it.
type state struct {
	Type, Resource   string
	Choices          []map[string]any
	Default          string
	Retry            []retrier
	Catch            []struct{ ErrorEquals []string }
	SecondsPath      string
	name, definition string
	fields           map[string]any
}

type retrier struct {
	ErrorEquals []string
	MaxAttempts *int
}

// attempts returns how many retries the retrier makes.
func (r retrier) attempts() int {
	if r.MaxAttempts == nil {
		return 3 // the language's default
	}
	return *r.MaxAttempts
}

// Cases returns the cases of a workflow, in the order of its states' names: for each
// state, ordinary input; for each Choice, every rule, no rule, and a variable that
// is not there; for each Task, a result, an error for each retrier, and every error
// that Retry or Catch name, and some that they do not, when all retries have been
// made. workflow is a definition with the placeholders of package statemachine, and
// partition AWS's partition, such as "aws-cn". Cases returns an error for a rule or
// a Wait for which it can't make an input.
func Cases(workflow, partition string) ([]Case, error) {
	definition, err := asl.Substitute(workflow, statemachine.Substitutions(partition, func(f statemachine.Function) string {
		return "arn:" + partition + ":lambda:us-east-1:" + account + ":function:" + f.Name
	}))
	if err != nil {
		return nil, err
	}
	var machine struct{ States map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(definition), &machine); err != nil {
		return nil, err
	}
	var all []Case
	for _, name := range names(machine.States) {
		s := state{name: name, definition: definition}
		if err := json.Unmarshal(machine.States[name], &s); err != nil {
			return nil, fmt.Errorf("state %q: %w", name, err)
		}
		if err := json.Unmarshal(machine.States[name], &s.fields); err != nil {
			return nil, fmt.Errorf("state %q: %w", name, err)
		}
		some, err := s.cases()
		if err != nil {
			return nil, fmt.Errorf("state %q: %w", name, err)
		}
		for i := range some {
			some[i].partition = partition
		}
		all = append(all, some...)
	}
	return all, nil
}

func names[V any](m map[string]V) []string {
	var list []string
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func (s state) cases() ([]Case, error) {
	switch s.Type {
	case "Task":
		return s.taskCases(), nil
	case "Choice":
		return s.choiceCases()
	case "Wait":
		return s.waitCases()
	case "Pass", "Succeed", "Fail":
		all := []Case{s.with("ordinary input", nil)}
		if len(s.paths()) > 0 {
			all = append(all, Case{State: s.name, What: "input without what its paths lead to", Input: "{}", definition: s.definition})
		}
		return all, nil
	}
	return nil, fmt.Errorf("there are no cases for the type %q", s.Type)
}

// with returns a case with ordinary input: what the state's paths lead to, and these
// values instead of others.
func (s state) with(what string, values map[string]any) Case {
	return Case{State: s.name, What: what, Input: s.input(values), definition: s.definition}
}

// failing returns a case with a mocked error.
func (s state) failing(name string, retries int) Case {
	c := s.with(fmt.Sprintf("the error %s after %d retries", name, retries), nil)
	c.Retries = retries
	c.Mock = &types.MockInput{
		ErrorOutput:         &types.MockErrorOutput{Error: aws.String(name), Cause: aws.String(`{"errorMessage":"why","errorType":"` + name + `"}`)},
		FieldValidationMode: types.MockResponseValidationModeNone,
	}
	return c
}

// unlisted is the name of an error that no workflow names.
const unlisted = "Unlisted"

func (s state) taskCases() []Case {
	result := `{"answer":[1,"two",null],"progress":{"wait":1}}`
	if strings.Contains(s.Resource, ":states:::states:startExecution") {
		result = `{"ExecutionArn":"arn:aws:states:us-east-1:` + account + `:execution:verify:child","Name":"child","StateMachineArn":"arn:aws:states:us-east-1:` + account +
			`:stateMachine:verify","StartDate":"2030-01-31T12:00:00Z","Status":"SUCCEEDED","Input":"{}","Output":"{\"health\":{\"decision\":\"promote\"}}"}`
	}
	c := s.with("a result", nil)
	c.Mock = &types.MockInput{Result: aws.String(result), FieldValidationMode: types.MockResponseValidationModeNone}
	all := []Case{c}
	exhausted := map[string]int{} // the retries after which an error is no longer retried
	listed := []string{unlisted, "States.Timeout", "States.DataLimitExceeded", "Lambda.Unknown"}
	for _, r := range s.Retry {
		first := r.ErrorEquals[0]
		for _, name := range r.ErrorEquals {
			if _, ok := exhausted[name]; !ok {
				exhausted[name] = r.attempts()
			}
		}
		if first == "States.ALL" {
			first = unlisted
		}
		if r.attempts() > 0 {
			all = append(all, s.failing(first, 0), s.failing(first, r.attempts()-1))
		}
		listed = append(listed, r.ErrorEquals...)
	}
	for _, c := range s.Catch {
		listed = append(listed, c.ErrorEquals...)
	}
	slices.Sort(listed)
	for _, name := range slices.Compact(listed) {
		if name == "States.ALL" {
			continue
		}
		retries, ok := exhausted[name]
		if !ok {
			retries = exhausted["States.ALL"]
		}
		all = append(all, s.failing(name, retries))
	}
	return all
}

// choiceCases has a case for each rule. A rule is about one variable and compares
// strings.
func (s state) choiceCases() ([]Case, error) {
	var all []Case
	variables := map[string]any{}
	for _, rule := range s.Choices {
		variable, _ := rule["Variable"].(string)
		value, ok := rule["StringEquals"].(string)
		if pattern, matches := rule["StringMatches"].(string); matches {
			value, ok = strings.ReplaceAll(pattern, "*", "Other"), true
		}
		if !ok || !strings.HasPrefix(variable, "$.") {
			return nil, fmt.Errorf("there is no input for the rule %v: a rule must compare a variable with StringEquals or StringMatches", rule)
		}
		all = append(all, s.with(fmt.Sprintf("%s is %q", variable, value), map[string]any{variable: value}))
		variables[variable] = "something else"
	}
	all = append(all, s.with("no rule holds", variables))
	for variable := range variables {
		variables[variable] = 1
	}
	return append(all, s.with("the variable is a number", variables),
		Case{State: s.name, What: "the variable is not there", Input: `{}`, definition: s.definition}), nil
}

func (s state) waitCases() ([]Case, error) {
	if !strings.HasPrefix(s.SecondsPath, "$.") {
		return nil, fmt.Errorf("there are only inputs for a Wait with SecondsPath")
	}
	var all []Case
	for _, seconds := range []any{1, -1, 1.5, 100000000, "1", nil} {
		all = append(all, s.with(fmt.Sprintf("%s is %v", s.SecondsPath, seconds), map[string]any{s.SecondsPath: seconds}))
	}
	return append(all, Case{State: s.name, What: "the seconds are not there", Input: `{}`, definition: s.definition}), nil
}

// call returns the call of TestState. role may be empty.
func (c Case) call(role string) *sfn.TestStateInput {
	in := &sfn.TestStateInput{Definition: aws.String(c.definition), StateName: aws.String(c.State), Input: aws.String(c.Input), Mock: c.Mock}
	if role != "" {
		in.RoleArn = aws.String(role)
	}
	if c.Mock == nil {
		return in // the API takes neither a context object nor retries without a mock
	}
	in.Context = aws.String(fmt.Sprintf(contextObject, c.partition, account, c.State, c.Retries))
	in.StateConfiguration = &types.TestStateConfiguration{RetrierRetryCount: aws.Int32(int32(c.Retries))}
	return in
}

// contextObject is the context object of cases with a mock.
const contextObject = `{"Execution":{"Id":"arn:%[1]s:states:us-east-1:%[2]s:execution:verify:verify","Input":{},"Name":"verify",` +
	`"RoleArn":"arn:%[1]s:iam::%[2]s:role/verify","StartTime":"2030-01-31T12:00:00.000Z","RedriveCount":0},` +
	`"State":{"EnteredTime":"2030-01-31T12:00:01.000Z","Name":%[3]q,"RetryCount":%[4]d},` +
	`"StateMachine":{"Id":"arn:%[1]s:states:us-east-1:%[2]s:stateMachine:verify","Name":"verify"}}`
