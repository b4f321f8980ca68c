// Package statemachine holds the workflow's one definition: the Amazon States
// Language file that CDK deploys, the rehearsal runs and the tests read.
package statemachine

import _ "embed"

// Definition is the workflow in Amazon States Language, byte for byte as it is
// deployed. It names its task functions by placeholders, listed by Functions.
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
// a rollout. There is one for every placeholder in Definition.
func Functions() []Function {
	return []Function{
		{"CalculateWeights", "CalculateWeightsArn", "lambdas/calculateweights"},
		{"UpdateAlias", "UpdateAliasArn", "lambdas/updatealias"},
		{"HealthCheck", "HealthCheckArn", "lambdas/healthcheck"},
		{"Rollback", "RollbackArn", "lambdas/rollback"},
		{"Finalize", "FinalizeArn", "lambdas/finalize"},
	}
}
