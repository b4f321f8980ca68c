package localaws

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func (w *world) provision(t testing.TB, qualifier string, executions int32) (*lambda.PutProvisionedConcurrencyConfigOutput, error) {
	return w.lambda.PutProvisionedConcurrencyConfig(t.Context(), &lambda.PutProvisionedConcurrencyConfigInput{
		FunctionName: aws.String("f"), Qualifier: &qualifier, ProvisionedConcurrentExecutions: &executions})
}

func (w *world) provisionedOf(t testing.TB, function, qualifier string) (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
	return w.lambda.GetProvisionedConcurrencyConfig(t.Context(), &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: &function, Qualifier: &qualifier})
}

func TestProvisionedConcurrency(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		missing := func(when, qualifier string) {
			t.Helper()
			_, err := w.provisionedOf(t, "f", qualifier)
			if code, status := outcome(err); code != "ProvisionedConcurrencyConfigNotFoundException" || status != 404 {
				t.Errorf("%s, %s has: %v", when, qualifier, err)
			}
		}
		missing("at first", "live")
		missing("at first", "2")
		put, err := w.provision(t, "live", 5)
		check(t, err)
		got, err := w.provisionedOf(t, "arn:aws:lambda:eu-central-1:123456789012:function:f", "live")
		check(t, err)
		if put.Status != types.ProvisionedConcurrencyStatusEnumInProgress || *put.AvailableProvisionedConcurrentExecutions != 0 ||
			got.Status != types.ProvisionedConcurrencyStatusEnumReady || *got.AvailableProvisionedConcurrentExecutions != 5 ||
			*got.RequestedProvisionedConcurrentExecutions != 5 || *got.LastModified != "2026-03-01T12:00:00+0000" {
			t.Errorf("put %s, then %s with %d of %d", put.Status, got.Status, *got.AvailableProvisionedConcurrentExecutions, *got.RequestedProvisionedConcurrentExecutions)
		}
		missing("provisioned on its alias", "1")

		_, err = w.shift(t.Context(), "2", 0.5) // weights after provisioning are allowed
		check(t, err)
		_, err = w.provision(t, "live", 6)
		if code, status := outcome(err); code != "InvalidParameterValueException" || status != 400 ||
			!strings.Contains(err.Error(), "Alias with weights can not be used with Provisioned Concurrency") {
			t.Errorf("changed under weights: %v", err)
		}
		for range 2 {
			_, err = w.lambda.DeleteProvisionedConcurrencyConfig(t.Context(), &lambda.DeleteProvisionedConcurrencyConfigInput{
				FunctionName: aws.String("f"), Qualifier: aws.String("live")})
			check(t, err)
			missing("after its deletion", "live")
		}
		_, err = w.provision(t, "2", 1)
		check(t, err)

		check(t, w.AddAlias("f", "next", "3", ""))
		_, err = w.provision(t, "next", 1)
		check(t, err)
		_, err = w.lambda.DeleteAlias(t.Context(), &lambda.DeleteAliasInput{FunctionName: aws.String("f"), Name: aws.String("next")})
		check(t, err)
		check(t, w.AddAlias("f", "next", "3", ""))
		missing("created again", "next")
	})
}

func TestProvisionedConcurrencyRefusals(t *testing.T) {
	put := func(qualifier string, executions int32) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			_, err := w.provision(t, qualifier, executions)
			return err
		}
	}
	get := func(function, qualifier string) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			_, err := w.provisionedOf(t, function, qualifier)
			return err
		}
	}
	after := func(first, second func(*testing.T, *world) error) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			check(t, first(t, w))
			return second(t, w)
		}
	}
	for _, c := range []struct {
		name   string
		call   func(*testing.T, *world) error
		code   string
		status int
	}{
		{"none at all", put("live", 0), "ValidationException", 400},
		{"without a qualifier", get("f", ""), "ValidationException", 400},
		{"on $LATEST", put("$LATEST", 1), "InvalidParameterValueException", 400},
		{"of $LATEST", get("f", "$LATEST"), "InvalidParameterValueException", 400},
		{"on an alias of $LATEST", func(t *testing.T, w *world) error {
			check(t, w.AddAlias("f", "dev", "$LATEST", ""))
			return put("dev", 1)(t, w)
		}, "InvalidParameterValueException", 400},
		{"on an alias of a provisioned version", after(put("1", 1), put("live", 1)), "ResourceConflictException", 409},
		{"on the version of a provisioned alias", after(put("live", 1), put("1", 1)), "ResourceConflictException", 409},
		{"of an unknown function", get("g", "live"), "ResourceNotFoundException", 404},
		{"of an unknown alias", get("f", "dead"), "ResourceNotFoundException", 404},
		{"of an unknown version", get("f", "4"), "ResourceNotFoundException", 404},
		{"listing", func(t *testing.T, w *world) error {
			_, err := w.lambda.ListProvisionedConcurrencyConfigs(t.Context(), &lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: aws.String("f")})
			return err
		}, "UnknownOperationException", 404},
		{"and what is right goes through", after(put("2", 1), put("live", 1)), "", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			overBothTransports(t, func(t *testing.T, w *world) {
				if code, status := outcome(c.call(t, w)); code != c.code || status != c.status {
					t.Errorf("got %d %s, want %d %s", status, code, c.status, c.code)
				}
			})
		})
	}
}
