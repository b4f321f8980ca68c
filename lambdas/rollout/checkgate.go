package rollout

import "encoding/json"

// CheckFunction is somebody's own function that is asked for health at each
// check. It is called with what is known of the rollout.
type CheckFunction struct {
	// Name tells it from the other checks of the rollout.
	Name string `json:"name"`
	// Function is its name, partial ARN or ARN, with or without a version or an
	// alias, as given.
	Function string `json:"function"`
	// Timeout is how long its answer is waited for, in seconds, 1 to 30.
	Timeout int64 `json:"timeout"`
	// Payload is JSON that it is handed beside the facts, as "input".
	Payload json.RawMessage `json:"payload"`
}

// Limits of checks.
const (
	MaxChecks           = 10
	MaxCheckTimeout     = 30 // seconds
	DefaultCheckTimeout = 20 // seconds
)

var checkNames = []string{"name", "function", "timeout", "payload"}

// checkFunctions reads a list of them.
func (r *reader) checkFunctions(path string) []CheckFunction {
	var checks []CheckFunction
	names := map[string]bool{}
	for _, item := range r.elements(path, MaxChecks, "function", wantCall) {
		check := CheckFunction{
			Function: item.called("function"),
			Timeout:  item.integer("timeout", 1, MaxCheckTimeout, DefaultCheckTimeout),
			Payload:  item.value("payload", "{}"),
		}
		check.Name = PlainFunction(check.Function)
		if item.has("name") {
			check.Name = item.text("name", wantGateName, "")
			if check.Name != "" && !gateNameForm.MatchString(check.Name) {
				item.refuse("name", wantGateName)
			}
		}
		at := "name"
		if !item.has("name") {
			at = "function"
		}
		item.refuseTwin(at, check.Name, names)
		item.refuseUnknown(checkNames)
		checks = append(checks, check)
	}
	return checks
}

// called reads which function is to be called.
func (r *reader) called(path string) string {
	function, ok := r.required(path, wantCalled)
	if ok && !functionForm.MatchString(function) {
		r.refuse(path, wantCalled)
	}
	return function
}

// PlainFunction is the plain name in a function's name, partial ARN or ARN with
// or without a version or an alias; empty if it is none of these.
func PlainFunction(function string) string {
	if parts := functionForm.FindStringSubmatch(function); parts != nil {
		return parts[1]
	}
	return ""
}
