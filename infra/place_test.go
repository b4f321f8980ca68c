package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
)

// TestFunctionsElsewhereAreRefused opts in functions of other accounts and Regions.
func TestFunctionsElsewhereAreRefused(t *testing.T) {
	const own = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
	for other, refused := range map[string]bool{
		own: false, "orders": false,
		"arn:aws:lambda:eu-west-2:123456789012:function:orders": true,
		"arn:aws:lambda:eu-west-1:210987654321:function:orders": true,
	} {
		named, err := lambdarollout.Named(own, other)
		if err != nil {
			t.Fatal(err)
		}
		problem := func() (problem string) {
			app := awscdk.NewApp(&awscdk.AppProps{Context: &map[string]any{withoutBuilding: []any{}}, Outdir: jsii.String(t.TempDir())})
			stack := awscdk.NewStack(app, jsii.String("LambdaRollout"), &awscdk.StackProps{
				Env: &awscdk.Environment{Account: jsii.String("123456789012"), Region: jsii.String("eu-west-1")},
			})
			defer func() {
				if p := recover(); p != nil {
					problem = fmt.Sprint(p)
				}
			}()
			lambdarollout.NewLambdaRollout(stack, "Rollout", &lambdarollout.Props{OptIn: named})
			return ""
		}()
		if want := fmt.Sprintf("[%q]: the functions must be in the stack's account and Region (123456789012, eu-west-1)", other); refused && !strings.HasPrefix(problem, want) || !refused && problem != "" {
			t.Errorf("with %s: %q", other, problem)
		}
	}
}
