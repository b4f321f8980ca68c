package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// RequestType is what CloudFormation wants done with the resource.
type RequestType string

// The request types.
const (
	Create RequestType = "Create"
	Update RequestType = "Update"
	Delete RequestType = "Delete"
)

// Event is a request of CloudFormation to the provider of a custom resource. An Update
// that goes back is one whose properties are the old ones; only the stack's status
// says that it is part of a rollback.
type Event struct {
	RequestType RequestType `json:"RequestType"`
	// RequestID is used again when CloudFormation repeats a request.
	RequestID string `json:"RequestId"`
	// ResponseURL takes the answer by PUT. It is pre-signed, and so a secret.
	ResponseURL       string `json:"ResponseURL"`
	StackID           string `json:"StackId"`
	LogicalResourceID string `json:"LogicalResourceId"`
	// PhysicalResourceID is empty for a Create. A Delete may have one that was never
	// issued, if another resource failed during the Create.
	PhysicalResourceID string          `json:"PhysicalResourceId,omitempty"`
	Properties         json.RawMessage `json:"ResourceProperties,omitempty"`
	OldProperties      json.RawMessage `json:"OldResourceProperties,omitempty"`
}

// Check returns an error if the event is no request that can be answered.
func (e Event) Check() error {
	var problems []error
	switch e.RequestType {
	case Create, Update, Delete:
	default:
		problems = append(problems, fmt.Errorf("RequestType %q: must be Create, Update or Delete", e.RequestType))
	}
	id, ok := arn.Parse(e.StackID)
	if !ok || id.Service != "cloudformation" || !strings.HasPrefix(id.Resource, "stack/") {
		problems = append(problems, fmt.Errorf("StackId %q: must be the ARN of a stack", e.StackID))
	}
	for name, text := range map[string]string{"RequestId": e.RequestID, "LogicalResourceId": e.LogicalResourceID, "ResponseURL": e.ResponseURL} {
		if text == "" {
			problems = append(problems, errors.New(name+" is missing"))
		}
	}
	return errors.Join(problems...)
}

// StackName returns the stack's name.
func (e Event) StackName() string { return stackName(e.StackID) }

func stackName(id string) string {
	parsed, _ := arn.Parse(id)
	name, _, _ := strings.Cut(strings.TrimPrefix(parsed.Resource, "stack/"), "/")
	return name
}

// ID identifies a request: by the resource, which all of its requests have in common,
// and by the attempt.
type ID struct {
	// Resource is made from the stack's ID and the logical resource ID.
	Resource string `json:"resource"`
	// Attempt is made from the request's ID and its answer's URL: a second delivery of
	// an event has the same of both, while a request that CloudFormation repeats
	// has another URL.
	Attempt string `json:"attempt"`
}

// ID returns what identifies the request.
func (e Event) ID() ID {
	return ID{Resource: digest(e.StackID, e.LogicalResourceID), Attempt: digest(e.RequestID, e.ResponseURL)}
}

// digest returns 16 hexadecimal digits that stand for the texts.
func digest(texts ...string) string {
	joined, err := json.Marshal(texts) // unlike a separator, unambiguous
	if err != nil {
		panic(err) // texts can be written
	}
	sum := sha256.Sum256(joined)
	return hex.EncodeToString(sum[:8])
}

// namePrefix begins the name of every execution that a stack started.
const namePrefix = "stack-"

var unnamed = lazyregexp.New(`[^A-Za-z0-9-]+`)

// ExecutionName returns the name of the request's execution: it begins with the names of the
// stack and the resource, as far as there is room, and ends with its ID.
func (e Event) ExecutionName() string {
	const room = 80 - len(namePrefix) - 2*17
	shown := unnamed.ReplaceAllString(e.StackName()+"-"+e.LogicalResourceID, "")
	id := e.ID()
	return namePrefix + shown[:min(len(shown), room)] + "-" + id.Resource + "-" + id.Attempt
}

var idForm = lazyregexp.New(`^` + namePrefix + `.*-([0-9a-f]{16})-([0-9a-f]{16})$`)

// IDOf returns the ID of the request in an execution's name; false if it has none. Anyone
// may give an execution such a name.
func IDOf(execution string) (ID, bool) {
	parts := idForm.FindStringSubmatch(execution)
	if parts == nil {
		return ID{}, false
	}
	return ID{Resource: parts[1], Attempt: parts[2]}, true
}
