// Package runtimeapi runs the executables of Lambda functions on this machine as
// Lambda runs them on AWS: in their own processes, which get invocations from the
// Runtime API and answer there, with the environment variables that Lambda sets
// and none of the caller's.
//
// Start starts an Instance of a Function, and Instance.Invoke invokes it:
//
//	instance, err := runtimeapi.Start(runtimeapi.Function{ARN: arn, Executable: bootstrap, Timeout: time.Minute})
//	output, err := instance.Invoke(input)
//	instance.Stop()
package runtimeapi

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// Function describes a deployed function.
type Function struct {
	// ARN is the function's unqualified ARN. Name and Region are taken from it.
	ARN string
	// Executable is the absolute path of the function's bootstrap.
	Executable string
	// Timeout is how long an invocation may take, in real time.
	Timeout time.Duration
	// Environment holds the environment variables that are deployed with the
	// function. They override Lambda's.
	Environment map[string]string
}

// memory is the functions' memory size in MB. It is reported to them, and not
// enforced.
const memory = statemachine.MemoryMB

// environment returns the variables of a process: those that Lambda sets for a
// custom runtime, and the function's own. It returns an error if the ARN is not
// that of a function.
func (f Function) environment(runtimeAPI string) ([]string, error) {
	parts := strings.Split(f.ARN, ":") // arn:aws:lambda:<Region>:<account>:function:<name>
	if len(parts) != 7 {
		return nil, fmt.Errorf("%q is not a function's ARN, such as arn:aws:lambda:eu-central-1:123456789012:function:f", f.ARN)
	}
	region, name := parts[3], parts[6]
	variables := map[string]string{
		"AWS_LAMBDA_RUNTIME_API":          runtimeAPI,
		"AWS_REGION":                      region,
		"AWS_DEFAULT_REGION":              region,
		"AWS_ACCESS_KEY_ID":               "local",
		"AWS_SECRET_ACCESS_KEY":           "local",
		"AWS_SESSION_TOKEN":               "local",
		"AWS_LAMBDA_FUNCTION_NAME":        name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      "local",
		"_HANDLER":                        "bootstrap",
		"LANG":                            "en_US.UTF-8",
		"TZ":                              ":UTC",
	}
	maps.Copy(variables, f.Environment)
	all := make([]string, 0, len(variables))
	for _, key := range slices.Sorted(maps.Keys(variables)) {
		all = append(all, key+"="+variables[key])
	}
	return all, nil
}
