package localaws

import (
	"net/http"
	"strings"
)

// The paths of Lambda's operations. Provisioned concurrency has a path of its own: see provisionedPath.
const (
	functionsPath = "/2015-03-31/functions"
	tagsPath      = "/2017-03-31/tags/"
)

// downloadCode is the operation behind the address of a function's code that GetFunction returns. AWS has S3 there.
const downloadCode = "(download of a function's code)"

// claims implements service. A bucket of S3 could have the name of a date.
func (l *lambdaService) claims(r *http.Request) bool {
	if signed := signedFor(r); signed != "" {
		return signed == "lambda"
	}
	path := r.URL.Path
	return len(path) > 12 && path[0] == '/' && path[5] == '-' && path[11] == '/' && isVersion(path[1:5]) && isLambdaPath(path[12:]) // "/2015-03-31/…"
}

// isLambdaPath reports whether a path, without the date of an API, is one of Lambda's.
func isLambdaPath(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	switch first {
	case "functions", "tags", "event-source-mappings", "layers", "layers-by-arn", "account-settings", "code-signing-configs",
		"capacity-providers", "durable-executions", "durable-execution-callbacks":
		return true
	}
	return false
}

func (l *lambdaService) route(r *http.Request) (operation, target string, err *apiError) {
	if arn, ok := strings.CutPrefix(r.URL.Path, tagsPath); ok {
		if operation = tagOperation(r.Method); operation != "" {
			return operation, strings.TrimPrefix(arn, l.arn(functionRef{})), nil
		}
	}
	name, resource, alias := splitPath(r.URL.Path)
	operation = operationOf(r.Method, name, resource, alias)
	known := functionsPath
	if resource == provisionedResource {
		known = provisionedPath
	}
	if operation == "" || !strings.HasPrefix(r.URL.Path, known) || strings.Contains(r.URL.RawQuery, "List=ALL") {
		operation = unsupportedLambda(r, resource)
		return operation, "", unknownOperation(operation, r)
	}
	target = name
	if alias == "" && r.URL.RawQuery != "" {
		alias = qualifierOf(r.URL)
	}
	if alias != "" {
		target += ":" + alias
	}
	return operation, target, nil
}

// operationOf returns the name of the operation with this method and these parts of its path, which are empty if missing;
// "" if there is no such operation.
func operationOf(method, name, resource, alias string) string {
	switch {
	case name == "" && resource == "":
		switch method {
		case http.MethodPost:
			return "CreateFunction"
		case http.MethodGet:
			return "ListFunctions"
		}
	case alias != "":
		switch method + " " + resource {
		case "GET aliases":
			return "GetAlias"
		case "PUT aliases":
			return "UpdateAlias"
		case "DELETE aliases":
			return "DeleteAlias"
		}
	case name != "":
		return functionOperations[method+" "+resource]
	}
	return ""
}

// functionOperations are the operations on one function, by method and by what follows the name in the path.
var functionOperations = map[string]string{
	"GET ":                          "GetFunction",
	"DELETE ":                       "DeleteFunction",
	"PUT code":                      "UpdateFunctionCode",
	"GET code":                      downloadCode,
	"PUT configuration":             "UpdateFunctionConfiguration",
	"GET configuration":             "GetFunctionConfiguration",
	"POST versions":                 "PublishVersion",
	"GET versions":                  "ListVersionsByFunction",
	"POST aliases":                  "CreateAlias",
	"GET aliases":                   "ListAliases",
	"POST invocations":              "Invoke",
	"GET " + provisionedResource:    "GetProvisionedConcurrencyConfig",
	"PUT " + provisionedResource:    "PutProvisionedConcurrencyConfig",
	"DELETE " + provisionedResource: "DeleteProvisionedConcurrencyConfig",
}

// unsupportedOperations are the names of operations on functions that the local AWS does not have, as functionOperations.
var unsupportedOperations = map[string]string{
	"POST policy":                         "AddPermission",
	"GET policy":                          "GetPolicy",
	"DELETE policy":                       "RemovePermission",
	"PUT concurrency":                     "PutFunctionConcurrency",
	"GET concurrency":                     "GetFunctionConcurrency",
	"DELETE concurrency":                  "DeleteFunctionConcurrency",
	"PUT event-invoke-config":             "PutFunctionEventInvokeConfig",
	"POST event-invoke-config":            "UpdateFunctionEventInvokeConfig",
	"GET event-invoke-config":             "GetFunctionEventInvokeConfig",
	"DELETE event-invoke-config":          "DeleteFunctionEventInvokeConfig",
	"POST url":                            "CreateFunctionUrlConfig",
	"GET url":                             "GetFunctionUrlConfig",
	"PUT url":                             "UpdateFunctionUrlConfig",
	"DELETE url":                          "DeleteFunctionUrlConfig",
	"GET urls":                            "ListFunctionUrlConfigs",
	"GET code-signing-config":             "GetFunctionCodeSigningConfig",
	"PUT code-signing-config":             "PutFunctionCodeSigningConfig",
	"GET runtime-management-config":       "GetRuntimeManagementConfig",
	"PUT runtime-management-config":       "PutRuntimeManagementConfig",
	"GET recursion-config":                "GetFunctionRecursionConfig",
	"PUT recursion-config":                "PutFunctionRecursionConfig",
	"POST invoke-async":                   "InvokeAsync",
	"POST response-streaming-invocations": "InvokeWithResponseStream",
	"GET " + provisionedResource:          "ListProvisionedConcurrencyConfigs",
}

// unsupportedLambda returns the name of an operation that the local AWS does not have: Lambda's if it is known, and
// otherwise its method and path.
func unsupportedLambda(r *http.Request, resource string) string {
	_, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if strings.HasPrefix(rest, "functions/") {
		if _, tail, ok := strings.Cut(strings.TrimPrefix(rest, "functions/"), "/"); ok {
			resource, _, _ = strings.Cut(tail, "/")
		}
		if name := unsupportedOperations[r.Method+" "+resource]; name != "" {
			return name
		}
	}
	return r.Method + " " + r.URL.Path
}

// splitPath splits /2015-03-31/functions/{name}/{resource}/{alias} into its parts, also with the date of provisionedPath.
func splitPath(path string) (name, resource, alias string) {
	rest := strings.Trim(strings.TrimPrefix(strings.TrimPrefix(path, functionsPath), provisionedPath), "/")
	name, rest, _ = strings.Cut(rest, "/")
	resource, alias, _ = strings.Cut(rest, "/")
	return name, resource, alias
}
