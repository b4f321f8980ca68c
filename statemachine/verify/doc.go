// Package verify compares this project's interpreter of the Amazon States Language
// with AWS, state by state: it sends each state of the deployed workflow, with
// inputs and mocked results, to Step Functions' TestState API.
//
//	cases, err := verify.Cases(statemachine.Definition, "aws")
//	report, err := verify.Compare(ctx, client, cases, verify.Options{})
//	fmt.Print(report)
//
// TestState calls no function and changes nothing. The cases contain no data of the
// account.
package verify

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// Tester is the one operation of a Step Functions client that Compare calls.
type Tester interface {
	TestState(ctx context.Context, in *sfn.TestStateInput, options ...func(*sfn.Options)) (*sfn.TestStateOutput, error)
}
