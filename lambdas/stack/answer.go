package stack

import (
	"encoding/json"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Status is how a request ended.
type Status string

// The statuses of an answer.
const (
	Success Status = "SUCCESS"
	Failed  Status = "FAILED"
)

// Answer is what CloudFormation is sent at a request's end.
type Answer struct {
	Status             Status            `json:"Status"`
	Reason             string            `json:"Reason,omitempty"`
	PhysicalResourceID string            `json:"PhysicalResourceId"`
	StackID            string            `json:"StackId"`
	RequestID          string            `json:"RequestId"`
	LogicalResourceID  string            `json:"LogicalResourceId"`
	Data               map[string]string `json:"Data,omitempty"`
}

// The attributes of the resource, for Fn::GetAtt.
const (
	VersionAttribute    = "Version"      // that the alias routes its traffic to
	ExecutionAttribute  = "ExecutionArn" // of the rollout; empty if none was needed
	UnverifiedAttribute = "Unverified"   // "true" if the promotion is unverified
	AliasAttribute      = "AliasArn"
)

// maxAnswer is the longest answer that CloudFormation takes, in bytes, and maxReason the
// longest reason in one: escaped as JSON, a byte may take six.
const (
	maxAnswer = 4096
	maxReason = 1500
)

// Document returns the answer as CloudFormation takes it. A reason that is too long is
// cut short.
func (a Answer) Document() []byte {
	a.Reason = rollout.Shorten(a.Reason, maxReason)
	document, err := json.Marshal(a)
	if err != nil {
		panic(err) // texts can be written
	}
	if len(document) > maxAnswer {
		a.Reason = rollout.Shorten(a.Reason, maxReason/6)
		document, _ = json.Marshal(a)
	}
	return document
}

// Signal is what a wait condition is sent.
type Signal struct {
	Status   string `json:"Status"` // SUCCESS or FAILURE
	Reason   string `json:"Reason"`
	UniqueID string `json:"UniqueId"`
	Data     string `json:"Data"`
}

// Signal returns the answer as a wait condition takes it, which has a word of its own for
// a failure.
func (a Answer) Signal() Signal {
	s := Signal{Status: "SUCCESS", Reason: rollout.Shorten(a.Reason, maxReason), UniqueID: a.RequestID, Data: a.Data[VersionAttribute]}
	if a.Status == Failed {
		s.Status = "FAILURE"
	}
	return s
}
