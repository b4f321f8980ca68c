package localaws

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// awsJSON implements what services with the protocol AWS JSON 1.1 have in common.
type awsJSON struct {
	target string   // the prefix of X-Amz-Target for the service's operations, with the dot
	fault  string   // the service's error code for internal failures
	known  []string // the service's operations
}

func (s awsJSON) operations() []string { return s.known }

func (s awsJSON) claims(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("X-Amz-Target"), s.target)
}

func (s awsJSON) route(r *http.Request) (operation, target string, err *apiError) {
	operation = strings.TrimPrefix(r.Header.Get("X-Amz-Target"), s.target)
	if !slices.Contains(s.known, operation) {
		err = unknownOperation(operation, r)
	}
	return operation, "", err
}

// decode reads the request's body into the SDK's input type, whose field names are those on the wire.
func (s awsJSON) decode(r *request, input any) *apiError {
	if err := json.Unmarshal(r.body, input); err != nil {
		return malformed(err)
	}
	return nil
}

// encode returns an answer with the output as JSON.
func (s awsJSON) encode(output any) (reply, *apiError) {
	body, err := json.Marshal(output)
	if err != nil {
		return reply{}, &apiError{http.StatusInternalServerError, s.fault, err.Error()}
	}
	return reply{http.StatusOK, http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, body}, nil
}

func (s awsJSON) throttled() *apiError {
	return badRequest("ThrottlingException", "Rate exceeded")
}

func (s awsJSON) broken() *apiError {
	return &apiError{http.StatusInternalServerError, s.fault, "Internal failure"}
}

func (s awsJSON) unavailable() *apiError {
	return &apiError{http.StatusServiceUnavailable, "ServiceUnavailable", "Service unavailable"}
}

func (s awsJSON) refusal(e *apiError) reply {
	body, err := json.Marshal(errorBody{e.code, e.message})
	if err != nil {
		panic(err) // two strings
	}
	return reply{e.status, http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, body}
}

// errorBody is the body of an error in AWS JSON.
type errorBody struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}
