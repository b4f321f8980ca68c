package main

import "github.com/lambda-rollout/lambda-rollout/statemachine"

// A workflow is one of the stack's state machines: its resource's name, its definition and
// the functions that it calls.
type workflow struct {
	resource, definition string
	functions            []statemachine.Function
}

var workflows = []workflow{
	{"StateMachine", statemachine.Definition, statemachine.Functions()},
	{"ReleaseStateMachine", statemachine.ReleaseDefinition, statemachine.ReleaseFunctions()},
}

// tasks returns the functions that the workflows call.
func tasks() []statemachine.Function {
	var all []statemachine.Function
	for _, w := range workflows {
		all = append(all, w.functions...)
	}
	return all
}

// withReleases returns the environment of CalculateWeights, which has the ARN of the machine
// of releases, and others, which sort after it; withMachine that of a function with the ARN
// of the other machine. Both machines depend on their functions, so neither is referred to.
func withReleases(others string) string {
	return `{"Variables":{` + everyVariable + `,"RELEASE_MACHINE_ARN":` + joinedARN(releases) + others + `}}`
}

func withMachine(others string) string {
	return `{"Variables":{` + everyVariable + `,"STATE_MACHINE_ARN":` + joinedARN(machine) + others + `}}`
}

func joinedARN(name string) string {
	return `{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":states:",{"Ref":"AWS::Region"},":",{"Ref":"AWS::AccountId"},":stateMachine:` + name + `"]]}`
}
