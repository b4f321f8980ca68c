package localaws

import (
	"context"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Lambda is an SDK client of Lambda that answers GetAlias, UpdateAlias and GetFunctionConfiguration without the wire if nothing on it
// matters: see [Server.CloudWatch].
type Lambda struct {
	*lambda.Client
	typed
	options *lambda.Options
}

// Lambda returns a client with a configuration, as [Server.CloudWatch] does.
func (s *Server) Lambda(cfg aws.Config) Lambda {
	client := lambda.NewFromConfig(cfg)
	options := client.Options()
	options.APIOptions = slices.Clip(options.APIOptions)
	return Lambda{client, s.typedBy(cfg), &options}
}

// GetAlias calls the operation of that name.
func (c Lambda) GetAlias(ctx context.Context, in *lambda.GetAliasInput, options ...func(*lambda.Options)) (*lambda.GetAliasOutput, error) {
	const operation = "GetAlias"
	of := changed(c.options, options)
	if !c.bypasses(ctx, operation, of.HTTPClient, of.Retryer) || in == nil || !isPlainPath(in.FunctionName) || !isPlainPath(in.Name) {
		return c.Client.GetAlias(ctx, in, options...)
	}
	out, lost := perform(ctx, c.typed, c.server.lambda, aliasCall(operation, in.FunctionName, in.Name), c.needs(operation, in.FunctionName), func() (*lambda.GetAliasOutput, *apiError) {
		is, err := c.alias(func(l *lambdaService) (Alias, *apiError) { return l.readAlias(*in.FunctionName, *in.Name) })
		if err != nil {
			return nil, err
		}
		return &lambda.GetAliasOutput{
			AliasArn: is.AliasArn, Description: is.Description, FunctionVersion: is.FunctionVersion, Name: is.Name,
			RevisionId: is.RevisionId, RoutingConfig: is.RoutingConfig,
		}, nil
	})
	if lost != nil {
		return c.Client.GetAlias(lost.during, in, func(o *lambda.Options) { o.HTTPClient = lost })
	}
	return out, nil
}

// UpdateAlias calls the operation of that name.
func (c Lambda) UpdateAlias(ctx context.Context, in *lambda.UpdateAliasInput, options ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error) {
	const operation = "UpdateAlias"
	of := changed(c.options, options)
	if !c.bypasses(ctx, operation, of.HTTPClient, of.Retryer) || in == nil || !isPlainPath(in.FunctionName) || !isPlainPath(in.Name) || !isPlainAlias(in) {
		return c.Client.UpdateAlias(ctx, in, options...)
	}
	out, lost := perform(ctx, c.typed, c.server.lambda, aliasCall(operation, in.FunctionName, in.Name), c.needs(operation, in.FunctionName), func() (*lambda.UpdateAliasOutput, *apiError) {
		is, err := c.alias(func(l *lambdaService) (Alias, *apiError) { return l.writeAlias(*in.FunctionName, *in.Name, in) })
		if err != nil {
			return nil, err
		}
		return &lambda.UpdateAliasOutput{
			AliasArn: is.AliasArn, Description: is.Description, FunctionVersion: is.FunctionVersion, Name: is.Name,
			RevisionId: is.RevisionId, RoutingConfig: is.RoutingConfig,
		}, nil
	})
	if lost != nil {
		return c.Client.UpdateAlias(lost.during, in, func(o *lambda.Options) { o.HTTPClient = lost })
	}
	return out, nil
}

// alias returns an alias as the SDK's type. What do does has Lambda's lock.
func (c Lambda) alias(do func(*lambdaService) (Alias, *apiError)) (types.AliasConfiguration, *apiError) {
	l := c.server.lambda
	l.mu.Lock()
	defer l.mu.Unlock()
	a, err := do(l)
	if err != nil {
		return types.AliasConfiguration{}, err
	}
	return a.wire(l.arn(functionRef{a.Function, a.Name})), nil
}

// needs returns a function that returns the permissions that an operation on one function needs.
func (c Lambda) needs(operation string, function *string) func() ([]need, *apiError) {
	return func() ([]need, *apiError) { return c.server.lambda.needsOf(operation, *function, "") }
}

// aliasCall describes a call about an alias as the wire's path would.
func aliasCall(operation string, function, name *string) Call {
	return Call{Operation: operation, Target: *function + ":" + *name}
}

// isPlainPath reports whether a name, or an ARN, stands in a path as it is.
func isPlainPath(name *string) bool {
	return name != nil && isWord(strings.ReplaceAll(*name, ":", "_"))
}

// isPlainAlias reports whether JSON can carry what is to be written as it is.
func isPlainAlias(in *lambda.UpdateAliasInput) bool {
	for _, text := range []*string{in.Description, in.FunctionVersion, in.RevisionId} {
		if !utf8.ValidString(aws.ToString(text)) {
			return false
		}
	}
	if in.RoutingConfig == nil {
		return true
	}
	for version, weight := range in.RoutingConfig.AdditionalVersionWeights {
		if !utf8.ValidString(version) || math.IsNaN(weight) || math.IsInf(weight, 0) {
			return false
		}
	}
	return in.RoutingConfig.AdditionalVersionWeights != nil
}
