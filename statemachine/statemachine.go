// Package statemachine holds the workflow's one definition: the Amazon States
// Language file that CDK deploys, the rehearsal runs and the tests read.
package statemachine

import _ "embed"

// Definition is the workflow in Amazon States Language, byte for byte as it is
// deployed. It names its task functions and AWS's partition by placeholders, to
// which Substitutions gives their values.
//
//go:embed rollout.asl.json
var Definition string

// Function is one of the Lambda functions that do the workflow's work.
type Function struct {
	// Name is the task's name: that of its state in the definition.
	Name string
	// Substitution is the placeholder, without ${ }, that the definition has
	// in place of the function's ARN.
	Substitution string
	// Package is the folder of the function's main package, from the module's root.
	Package string
}

// Functions returns the functions that the definition calls, in the order of
// a rollout.
func Functions() []Function {
	return []Function{
		{"CalculateWeights", "CalculateWeightsArn", "lambdas/calculateweights"},
		{"UpdateAlias", "UpdateAliasArn", "lambdas/updatealias"},
		{"HealthCheck", "HealthCheckArn", "lambdas/healthcheck"},
		{"Rollback", "RollbackArn", "lambdas/rollback"},
		{"Finalize", "FinalizeArn", "lambdas/finalize"},
	}
}

// partition is the placeholder of AWS's partition. An execution fails at once in
// a state whose resource is in another partition than the execution itself, and
// that is caught by nothing (https://github.com/aws/aws-cdk/issues/4597).
const partition = "Partition"

// Substitutions returns the values of all placeholders in Definition: the
// partition that it is deployed to, such as "aws-us-gov", and the ARN of each
// of Functions.
func Substitutions[T any](of T, arn func(Function) T) map[string]T {
	values := map[string]T{partition: of}
	for _, f := range Functions() {
		values[f.Substitution] = arn(f)
	}
	return values
}
