package console

import (
	"errors"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/docs"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// kind is what the executions of a state machine are: rollouts or releases.
type kind struct {
	machine string // the state machine's ARN
	// Noun is "rollout" or "release", and Title that of the list.
	Noun, Title string
	// List, Page and Start are the paths of the list, of an execution's page and of the form
	// that starts one.
	List, Page, Start string
	form              []*field
	// decode reads an input; a *rollout.RequestError lists what is wrong with it.
	decode func(input []byte) error
}

// kinds returns those of the options; releases is nil if there are none.
func kinds(o Options) (rollouts, releases *kind, err error) {
	rollouts = &kind{machine: o.StateMachineARN, Noun: "rollout", Title: "Executions", Page: "execution", Start: "start", decode: func(input []byte) error {
		_, err := rollout.Decode(input)
		return err
	}}
	rollouts.form, err = readForm(docs.RolloutSchema)
	if o.ReleaseStateMachineARN == "" {
		return rollouts, nil, err
	}
	releases = &kind{machine: o.ReleaseStateMachineARN, Noun: "release", Title: "Releases", List: "releases", Page: "release", Start: "release/start", decode: func(input []byte) error {
		_, err := release.Decode(input)
		return err
	}}
	var formErr error
	releases.form, formErr = readForm(docs.ReleaseSchema)
	return rollouts, releases, errors.Join(err, formErr)
}

// executionARN returns the ARN of the execution with a name.
func (k *kind) executionARN(name string) string {
	return strings.Replace(k.machine, ":stateMachine:", ":execution:", 1) + ":" + name
}
