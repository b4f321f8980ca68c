// Package statemachine embeds the rollout workflow, written in Amazon States
// Language. The CDK construct deploys it, the rehearsal runs it and the tests
// read it: there is no other copy.
//
// Definition is the workflow's text. Its task functions and AWS's partition are
// placeholders; Substitutions returns the values for them, and Functions lists
// the Lambda functions that do the work:
//
//	values := statemachine.Substitutions("aws", arnOf)
//	text, err := asl.Substitute(statemachine.Definition, values)
package statemachine

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
)

// Definition is the workflow in Amazon States Language, exactly as it is
// deployed. It refers to its task functions and to AWS's partition by
// placeholders, such as ${UpdateAliasArn}; Substitutions returns their values.
//
//go:embed rollout.asl.json
var Definition string

// ReleaseDefinition is the workflow of releases, which starts executions of the rollouts'
// state machine. It is deployed as Definition is; SubstitutionsOf returns the values
// of its placeholders.
//
//go:embed release.asl.json
var ReleaseDefinition string

// Function describes one of the Lambda functions that the workflow calls.
type Function struct {
	// Name is the task's name, which is also the name of its state in the definition.
	Name string
	// Substitution is the placeholder for the function's ARN in the definition,
	// without ${ }.
	Substitution string
	// Package is the folder of the function's main package, relative to the
	// module's root.
	Package string
}

// Functions returns the functions that the definition calls, in the order in
// which a rollout first calls them.
func Functions() []Function {
	return []Function{
		{"CalculateWeights", "CalculateWeightsArn", "lambdas/calculateweights"},
		{"UpdateAlias", "UpdateAliasArn", "lambdas/updatealias"},
		{"HealthCheck", "HealthCheckArn", "lambdas/healthcheck"},
		{"Rollback", "RollbackArn", "lambdas/rollback"},
		{"Finalize", "FinalizeArn", "lambdas/finalize"},
	}
}

// ReleaseFunctions returns the functions that ReleaseDefinition calls, in the order in which
// a release first calls them.
func ReleaseFunctions() []Function {
	return []Function{
		{"PlanRelease", "PlanReleaseArn", "lambdas/planrelease"},
		{"CheckRelease", "CheckReleaseArn", "lambdas/checkrelease"},
		{"RevertRelease", "RevertReleaseArn", "lambdas/revertrelease"},
	}
}

// partitionPlaceholder stands for AWS's partition in the definition. An execution
// fails in a state whose resource is in another partition than the execution
// itself, and no Catch matches that failure
// (https://github.com/aws/aws-cdk/issues/4597).
const partitionPlaceholder = "Partition"

// Substitutions returns the value of every placeholder in Definition by its
// name: the partition to which the workflow is deployed, such as "aws-us-gov",
// and the ARN of each of Functions. T is string, or *string for tokens of CDK.
func Substitutions[T any](partition T, arn func(Function) T) map[string]T {
	return SubstitutionsOf(Functions(), partition, arn)
}

// SubstitutionsOf is Substitutions for the functions of either definition.
func SubstitutionsOf[T any](functions []Function, partition T, arn func(Function) T) map[string]T {
	values := map[string]T{partitionPlaceholder: partition}
	for _, f := range functions {
		values[f.Substitution] = arn(f)
	}
	return values
}

// ReleaseMachineName returns the name of the state machine of releases that stands beside
// that of rollouts with a name: at most 80 characters, as names have.
func ReleaseMachineName(rollouts string) string {
	const suffix, longest = "-releases", 80
	if len(rollouts)+len(suffix) > longest {
		rollouts = fmt.Sprintf("%s-%.4x", rollouts[:longest-len(suffix)-9], sha256.Sum256([]byte(rollouts)))
	}
	return rollouts + suffix
}
