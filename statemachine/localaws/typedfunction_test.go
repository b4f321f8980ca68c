package localaws_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestTypedConfigurations reads the configurations of versions. Wire says that a call needs the wire, or is refused.
func TestTypedConfigurations(t *testing.T) {
	const arn = "arn:aws:lambda:eu-central-1:123456789012:function:f"
	configure := func(w *typedWorld) {
		err := w.SetConfiguration("f", "2", func(c *types.FunctionConfiguration) {
			c.State, c.StateReason, c.StateReasonCode = types.StateFailed, aws.String("é <b>"), types.StateReasonCodeInternalError
			c.LastUpdateStatusReason, c.LastUpdateStatusReasonCode = aws.String("\u2028"), types.LastUpdateStatusReasonCodeInternalError
			c.DeadLetterConfig, c.Timeout = &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:q")}, aws.Int32(900)
			c.TenancyConfig = &types.TenancyConfig{TenantIsolationMode: types.TenantIsolationModePerTenant}
			c.DurableConfig = &types.DurableConfig{ExecutionTimeout: aws.Int32(60)}
			c.Environment = &types.EnvironmentResponse{Variables: map[string]string{"A": "\"", "B": ""}}
			c.CapacityProviderConfig = &types.CapacityProviderConfig{LambdaManagedInstancesCapacityProviderConfig: &types.LambdaManagedInstancesCapacityProviderConfig{CapacityProviderArn: aws.String("c")}}
			c.Layers, c.VpcConfig = []types.Layer{{Arn: aws.String("l"), CodeSize: 3}}, &types.VpcConfigResponse{SubnetIds: []string{"s"}}
			c.CodeSize, c.MasterArn, c.KMSKeyArn = 1<<40, aws.String("m"), aws.String("")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, each := range map[string]struct {
		function, qualifier *string
		wire                bool
	}{
		"a version":          {function: aws.String("f"), qualifier: aws.String("1")},
		"one with all":       {function: aws.String("f"), qualifier: aws.String("2")},
		"of an alias":        {function: aws.String("f"), qualifier: aws.String("live")},
		"the latest":         {function: aws.String("f"), qualifier: aws.String("$LATEST")},
		"no qualifier":       {function: aws.String("f")},
		"an empty one":       {function: aws.String("f"), qualifier: aws.String("")},
		"by ARN":             {function: aws.String(arn), qualifier: aws.String("2")},
		"in the ARN":         {function: aws.String(arn + ":2")},
		"twice":              {function: aws.String("f:2"), qualifier: aws.String("2")},
		"two that differ":    {wire: true, function: aws.String("f:1"), qualifier: aws.String("2")},
		"no such version":    {wire: true, function: aws.String("f"), qualifier: aws.String("9")},
		"no such function":   {wire: true, function: aws.String("g"), qualifier: aws.String("1")},
		"an odd qualifier":   {wire: true, function: aws.String("f"), qualifier: aws.String("a b&List=ALL")},
		"half a character":   {wire: true, function: aws.String("f"), qualifier: aws.String("\xc3")},
		"an odd name":        {wire: true, function: aws.String("a/../b"), qualifier: aws.String("1")},
		"an empty name":      {wire: true, function: aws.String("")},
		"no name":            {wire: true},
		"in another account": {wire: true, function: aws.String("arn:aws:lambda:eu-central-1:210987654321:function:f")},
	} {
		t.Run(name, func(t *testing.T) {
			compareTyped(t, func(w *typedWorld) (any, middleware.Metadata, error) {
				out, err := w.aliases.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: each.function, Qualifier: each.qualifier})
				if err != nil {
					return nil, middleware.Metadata{}, err
				}
				return out, out.ResultMetadata, nil
			}, caller{}, each.wire, configure)
		})
	}
	reads := func(w *typedWorld) (any, middleware.Metadata, error) {
		out, err := w.aliases.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
		if err != nil {
			return nil, middleware.Metadata{}, err
		}
		return out, out.ResultMetadata, nil
	}
	compareTyped(t, reads, caller{}, true, injected(t, localaws.Fault{Operation: "GetFunctionConfiguration", Kind: localaws.FaultKinds()[0], First: 1}))
}
