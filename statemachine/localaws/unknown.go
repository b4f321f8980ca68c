package localaws

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// unknownService refuses, by name, the requests that no other service claims.
type unknownService struct{}

func (unknownService) claims(*http.Request) bool { return true }

func (unknownService) operations() []string { return nil }

func (unknownService) route(r *http.Request) (string, string, *apiError) {
	operation := r.Header.Get("X-Amz-Target")
	if operation == "" {
		operation = r.URL.Query().Get("Action")
	}
	if operation == "" {
		operation = r.Method + " " + r.URL.Path
	}
	return operation, "", unknownOperation(operation, r)
}

// unknownOperation returns the error for an operation that the local AWS does not have.
func unknownOperation(operation string, r *http.Request) *apiError {
	return &apiError{http.StatusNotFound, "UnknownOperationException", fmt.Sprintf(
		"the local AWS does not support the operation %q (%s %s)", operation, r.Method, r.URL.Path)}
}

func (unknownService) handle(operation string, r *request) (reply, *apiError) {
	return reply{}, unknownOperation(operation, r.Request)
}

func (unknownService) throttled() *apiError {
	return &apiError{http.StatusTooManyRequests, "ThrottlingException", "Rate exceeded"}
}

func (unknownService) broken() *apiError {
	return &apiError{http.StatusInternalServerError, "InternalFailure", "Internal failure"}
}

func (unknownService) unavailable() *apiError {
	return &apiError{http.StatusServiceUnavailable, "ServiceUnavailable", "Service unavailable"}
}

func (unknownService) refusal(e *apiError) reply {
	body, err := json.Marshal(map[string]string{"__type": e.code, "message": e.message})
	if err != nil {
		panic(err) // two strings
	}
	return reply{e.status, http.Header{"Content-Type": {"application/json"}, "X-Amzn-Errortype": {e.code}}, body}
}
