package localaws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// GetFunctionConfiguration calls the operation of that name. What the output points at must not be modified.
func (c Lambda) GetFunctionConfiguration(ctx context.Context, in *lambda.GetFunctionConfigurationInput, options ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error) {
	const operation = "GetFunctionConfiguration"
	of := changed(c.options, options)
	if !c.bypasses(ctx, operation, of.HTTPClient, of.Retryer) || in == nil || !isPlainPath(in.FunctionName) || !areTexts(aws.ToString(in.Qualifier)) {
		return c.Client.GetFunctionConfiguration(ctx, in, options...)
	}
	l, qualifier := c.server.lambda, aws.ToString(in.Qualifier)
	target := *in.FunctionName
	if qualifier != "" {
		target += ":" + qualifier
	}
	needs := func() ([]need, *apiError) { return l.needsOf(operation, *in.FunctionName, qualifier) }
	out, lost := perform(ctx, c.typed, l, Call{Operation: operation, Target: target}, needs, func() (*lambda.GetFunctionConfigurationOutput, *apiError) {
		l.mu.Lock()
		defer l.mu.Unlock()
		is, err := l.configuration(*in.FunctionName, qualifier)
		if err != nil {
			return nil, err
		}
		return functionOutput(is), nil
	})
	if lost != nil {
		return c.Client.GetFunctionConfiguration(lost.during, in, func(o *lambda.Options) { o.HTTPClient = lost })
	}
	return out, nil
}

// configuration implements GetFunctionConfiguration. l.mu is held.
func (l *lambdaService) configuration(name, qualifier string) (types.FunctionConfiguration, *apiError) {
	_, v, ref, err := l.findVersion(name, qualifier)
	if err != nil {
		return types.FunctionConfiguration{}, err
	}
	config := v.config
	config.FunctionArn = aws.String(l.arn(ref))
	return config, nil
}

// functionOutput returns a configuration as GetFunctionConfiguration returns it.
func functionOutput(is types.FunctionConfiguration) *lambda.GetFunctionConfigurationOutput {
	return &lambda.GetFunctionConfigurationOutput{
		Architectures: is.Architectures, CapacityProviderConfig: is.CapacityProviderConfig, CodeSha256: is.CodeSha256,
		CodeSize: is.CodeSize, ConfigSha256: is.ConfigSha256, DeadLetterConfig: is.DeadLetterConfig,
		Description: is.Description, DurableConfig: is.DurableConfig, Environment: is.Environment,
		EphemeralStorage: is.EphemeralStorage, FileSystemConfigs: is.FileSystemConfigs, FunctionArn: is.FunctionArn,
		FunctionName: is.FunctionName, Handler: is.Handler, ImageConfigResponse: is.ImageConfigResponse,
		KMSKeyArn: is.KMSKeyArn, LastModified: is.LastModified, LastUpdateStatus: is.LastUpdateStatus,
		LastUpdateStatusReason: is.LastUpdateStatusReason, LastUpdateStatusReasonCode: is.LastUpdateStatusReasonCode,
		Layers: is.Layers, LoggingConfig: is.LoggingConfig, MasterArn: is.MasterArn, MemorySize: is.MemorySize,
		PackageType: is.PackageType, RevisionId: is.RevisionId, Role: is.Role, Runtime: is.Runtime,
		RuntimeConfig: is.RuntimeConfig, RuntimeVersionConfig: is.RuntimeVersionConfig, SigningJobArn: is.SigningJobArn,
		SigningProfileVersionArn: is.SigningProfileVersionArn, SnapStart: is.SnapStart, State: is.State,
		StateReason: is.StateReason, StateReasonCode: is.StateReasonCode, TenancyConfig: is.TenancyConfig,
		Timeout: is.Timeout, TracingConfig: is.TracingConfig, Version: is.Version, VpcConfig: is.VpcConfig,
	}
}
