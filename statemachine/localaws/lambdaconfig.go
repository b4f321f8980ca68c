package localaws

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// runtimes are the runtimes that Lambda accepts, in the order in which its refusal lists them (recorded on AWS, 12 January
// 2026).
var runtimes = strings.Fields(`nodejs20.x python3.14 provided.al2023 python3.12 python3.13 nodejs24.x nodejs22.x java25 python3.10
	python3.11 java21 ruby3.3 ruby3.4 ruby3.2 python3.8 python3.9 java17 nodejs16.x dotnet10 dotnet8 java11 dotnet6 nodejs18.x
	provided.al2 java8.al2`)

const rolePattern = `arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`

var (
	roleARN    = regexp.MustCompile("^(?:" + rolePattern + ")$")
	runtimeARN = regexp.MustCompile(`^arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+::runtime:[a-z0-9]{1,64}$`)
)

// complete fills in the fields that Lambda's answers always have.
func (l *lambdaService) complete(c *types.FunctionConfiguration) {
	orElse(&c.Description, "")
	orElse(&c.Timeout, defaultTimeout)
	orElse(&c.MemorySize, defaultMemory)
	orElse(&c.EphemeralStorage, types.EphemeralStorage{Size: aws.Int32(512)})
	orElse(&c.SnapStart, types.SnapStartResponse{ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff})
	orElse(&c.TracingConfig, types.TracingConfigResponse{Mode: types.TracingModePassThrough})
	if c.PackageType == "" {
		c.PackageType = types.PackageTypeZip
	}
	if len(c.Architectures) == 0 {
		c.Architectures = []types.Architecture{types.ArchitectureX8664}
	}
	c.LoggingConfig = l.logging(*c.FunctionName, c.LoggingConfig)
	l.setRuntimeVersion(c)
}

// logging returns a function's logging configuration with what Lambda adds to it.
func (l *lambdaService) logging(name string, given *types.LoggingConfig) *types.LoggingConfig {
	var out types.LoggingConfig
	if given != nil {
		out = *given
	}
	if out.LogFormat == "" {
		out.LogFormat = types.LogFormatText
	}
	orElse(&out.LogGroup, "/aws/lambda/"+name)
	return &out
}

// setRuntimeVersion sets the version of the runtime. Functions in images have none.
func (l *lambdaService) setRuntimeVersion(c *types.FunctionConfiguration) {
	c.RuntimeVersionConfig = nil
	if c.Runtime != "" {
		c.RuntimeVersionConfig = &types.RuntimeVersionConfig{
			RuntimeVersionArn: aws.String("arn:aws:lambda:" + l.region + "::runtime:" + fmt.Sprintf("%x", sha256.Sum256([]byte(c.Runtime)))),
		}
	}
}

// configure applies the fields that a request has and keeps the others.
func (l *lambdaService) configure(c *types.FunctionConfiguration, in *lambda.UpdateFunctionConfigurationInput) {
	replace(&c.Role, in.Role)
	replace(&c.DeadLetterConfig, in.DeadLetterConfig)
	replace(&c.Description, in.Description)
	replace(&c.Handler, in.Handler)
	replace(&c.Timeout, in.Timeout)
	replace(&c.MemorySize, in.MemorySize)
	replace(&c.EphemeralStorage, in.EphemeralStorage)
	replace(&c.KMSKeyArn, in.KMSKeyArn)
	if in.Runtime != "" {
		c.Runtime = in.Runtime
		l.setRuntimeVersion(c)
	}
	if in.Environment != nil {
		c.Environment = environmentOf(in.Environment)
	}
	if in.TracingConfig != nil {
		c.TracingConfig = &types.TracingConfigResponse{Mode: in.TracingConfig.Mode}
	}
	if in.SnapStart != nil {
		c.SnapStart = &types.SnapStartResponse{ApplyOn: in.SnapStart.ApplyOn, OptimizationStatus: types.SnapStartOptimizationStatusOff}
	}
	if in.LoggingConfig != nil {
		c.LoggingConfig = l.logging(*c.FunctionName, in.LoggingConfig)
	}
}

// environmentOf returns an environment as Lambda's answers have it.
func environmentOf(in *types.Environment) *types.EnvironmentResponse {
	out := &types.EnvironmentResponse{Variables: in.Variables}
	if out.Variables == nil {
		out.Variables = map[string]string{}
	}
	return out
}

// checkCreate returns an error for input that Lambda refuses or that is not supported.
func checkCreate(in *lambda.CreateFunctionInput) *apiError {
	switch {
	case in.Role == nil:
		return absent("role")
	case in.Code == nil:
		return absent("code")
	case in.PackageType != "" && !slices.Contains(in.PackageType.Values(), in.PackageType):
		return invalid(in.PackageType, "packageType", "Member must satisfy enum value set: [Image, Zip]")
	}
	if err := checkShared(in.Role, in.Description, in.Timeout, in.MemorySize); err != nil {
		return err
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	place := lambda.UpdateFunctionCodeInput{ZipFile: in.Code.ZipFile, S3Bucket: in.Code.S3Bucket, S3Key: in.Code.S3Key, ImageUri: in.Code.ImageUri}
	if err := checkCode(in.PackageType, &place); err != nil {
		return err
	}
	if in.PackageType != types.PackageTypeImage && (in.Runtime == "" || aws.ToString(in.Handler) == "") {
		return invalidParameter("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if err := checkRuntime(in.Runtime); err != nil {
		return err
	}
	return unsupported(map[string]bool{
		"VpcConfig": in.VpcConfig != nil && len(in.VpcConfig.SubnetIds)+len(in.VpcConfig.SecurityGroupIds) > 0, "Layers": len(in.Layers) > 0,
		"FileSystemConfigs": len(in.FileSystemConfigs) > 0, "ImageConfig": in.ImageConfig != nil, "CodeSigningConfigArn": in.CodeSigningConfigArn != nil,
		"CapacityProviderConfig": in.CapacityProviderConfig != nil, "DurableConfig": in.DurableConfig != nil,
	})
}

// checkConfiguration returns an error for input that Lambda refuses before it looks for the function, or that is not
// supported.
func checkConfiguration(in *lambda.UpdateFunctionConfigurationInput) *apiError {
	if err := checkShared(in.Role, in.Description, in.Timeout, in.MemorySize); err != nil {
		return err
	}
	return unsupported(map[string]bool{
		"VpcConfig": in.VpcConfig != nil && len(in.VpcConfig.SubnetIds)+len(in.VpcConfig.SecurityGroupIds) > 0, "Layers": len(in.Layers) > 0,
		"FileSystemConfigs": len(in.FileSystemConfigs) > 0, "ImageConfig": in.ImageConfig != nil,
		"CapacityProviderConfig": in.CapacityProviderConfig != nil, "DurableConfig": in.DurableConfig != nil,
	})
}

// checkShared checks what CreateFunction and UpdateFunctionConfiguration have in common.
func checkShared(role, description *string, timeout, memory *int32) *apiError {
	if role != nil && !roleARN.MatchString(*role) {
		return unsatisfied(*role, "role", rolePattern)
	}
	if err := checkDescription(description); err != nil {
		return err
	}
	if err := checkRange(timeout, "timeout", 1, 900); err != nil {
		return err
	}
	return checkRange(memory, "memorySize", 128, 10240)
}

func checkRange(given *int32, at string, least, most int32) *apiError {
	switch {
	case given != nil && *given < least:
		return invalid(*given, at, fmt.Sprintf("Member must have value greater than or equal to %d", least))
	case given != nil && *given > most:
		return invalid(*given, at, fmt.Sprintf("Member must have value less than or equal to %d", most))
	}
	return nil
}

// checkDescription checks the length of a description, in code points, as the length trait of AWS's API models counts.
func checkDescription(description *string) *apiError {
	if description != nil && utf8.RuneCountInString(*description) > 256 {
		return invalid(*description, "description", "Member must have length less than or equal to 256")
	}
	return nil
}

// checkRuntime returns an error for a runtime that Lambda does not have; none for a function that needs none.
func checkRuntime(runtime types.Runtime) *apiError {
	if runtime == "" || slices.Contains(runtimes, string(runtime)) || runtimeARN.MatchString(string(runtime)) {
		return nil
	}
	return invalidParameter("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] or be a valid ARN",
		runtime, strings.Join(runtimes, ", "))
}

// unsupported returns an error that names the first parameter, by name, that a request has and the local AWS does not
// support.
func unsupported(given map[string]bool) *apiError {
	var names []string
	for name, is := range given {
		if is {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return invalidParameter("The local AWS does not support %s.", strings.Join(names, ", "))
}

// orElse sets a field to a value if it has none.
func orElse[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}
