// Package runtimeapi runs the executables of Lambda functions on this machine
// as Lambda runs them on AWS: as processes of their own, which ask the Runtime
// API for invocations and answer there, with the environment variables that
// Lambda sets and none of the caller's.
package runtimeapi

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Function is a function as it is deployed.
type Function struct {
	// ARN is the function's, which has its name and its Region.
	ARN string
	// Executable is the absolute path of its bootstrap.
	Executable string
	// Timeout is how long an invocation may take, in real time.
	Timeout time.Duration
	// Environment are the variables that the function is deployed with.
	Environment map[string]string
}

// memory is the functions' size in MB. They are told of it, and not held to it.
const memory = 128

// environment are the variables of a process: those that Lambda sets for a
// runtime of its own executable, and the function's.
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
