package rollout

import "encoding/json"

// CheckFunction is a user's own function that is asked for the new version's health
// at each check. It is called with the rollout's Facts.
type CheckFunction struct {
	// Name is unique among the checks of the rollout.
	Name string `json:"name"`
	// Function is its name, partial ARN or ARN, with or without a version or an
	// alias, as given.
	Function string `json:"function"`
	// Timeout is how long the check waits for its answer, in seconds, 1 to 30.
	Timeout int64 `json:"timeout"`
	// Payload is JSON that it receives beside the facts, as "input".
	Payload json.RawMessage `json:"payload"`
	// MustHaveData rolls back instead of promoting if the gate never had a conclusive
	// reading.
	MustHaveData bool `json:"must-have-data,omitempty"`
}

// Limits of checks.
const (
	MaxChecks           = 10
	MaxCheckTimeout     = 30 // seconds
	DefaultCheckTimeout = 20 // seconds
)

var checkNames = []string{"name", "function", "timeout", "payload", mustHaveData}

// checkFunctions reads a list of check functions.
func (r *reader) checkFunctions(path string) []CheckFunction {
	var checks []CheckFunction
	names := map[string]bool{}
	for _, item := range r.elements(path, MaxChecks, "function", wantCall) {
		check := CheckFunction{
			Function: item.called("function"),
			Timeout:  item.integer("timeout", 1, MaxCheckTimeout, DefaultCheckTimeout),
			Payload:  item.value("payload", "{}"),

			MustHaveData: item.boolean(mustHaveData, false),
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

// called reads the name of a function to call.
func (r *reader) called(path string) string {
	function, ok := r.required(path, wantCalled)
	if ok && !functionForm.MatchString(function) {
		r.refuse(path, wantCalled)
	}
	return function
}

// PlainFunction returns the plain name in a function's name, partial ARN or ARN,
// with or without a version or an alias; "" if the text is none of these.
func PlainFunction(function string) string {
	if parts := functionForm.FindStringSubmatch(function); parts != nil {
		return parts[1]
	}
	return ""
}
