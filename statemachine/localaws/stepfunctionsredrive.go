package localaws

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// Redriver can be implemented by [Executions] to support RedriveExecution. Without it, every redrive is refused with
// ExecutionNotRedrivable.
type Redriver interface {
	// Redrive restarts an existing execution. The error's text is why it can't be redriven, in the words of
	// DescribeExecution's redriveStatusReason.
	Redrive(executionARN string) error
}

// Bounds of the client tokens by which RedriveExecution is idempotent, as its API reference gives them.
const (
	keptTokens    = 10
	tokenLifetime = 15 * time.Minute
)

// redriveTokens holds the client tokens of executions' last redrives.
type redriveTokens struct {
	mu sync.Mutex
	by map[string][]redriveToken // by the execution's ARN, the oldest first
}

// redriveToken is a client token and when it was used.
type redriveToken struct {
	token string
	at    time.Time
}

// find returns when an execution was redriven with a token; false if the token is unknown or has expired.
func (r *redriveTokens) find(arn, token string, now time.Time) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, used := range r.by[arn] {
		if used.token == token && token != "" && now.Sub(used.at) <= tokenLifetime {
			return used.at, true
		}
	}
	return time.Time{}, false
}

// keep stores a token, and drops the oldest ones.
func (r *redriveTokens) keep(arn, token string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by = map[string][]redriveToken{}
	}
	all := append(r.by[arn], redriveToken{token, now})
	r.by[arn] = slices.Clone(all[max(0, len(all)-keptTokens):])
}

// redriveExecution restarts an execution, once for each client token.
func (s *stepFunctionsService) redriveExecution(r *request) (reply, *apiError) {
	var in sfn.RedriveExecutionInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	if token := aws.ToString(in.ClientToken); in.ClientToken != nil && (token == "" || len(token) > 64) {
		return reply{}, invalid(token, "clientToken", "Member must have length between 1 and 64")
	}
	e, err := s.find(aws.ToString(in.ExecutionArn))
	if err != nil {
		return reply{}, err
	}
	now, token := s.now(), aws.ToString(in.ClientToken)
	at, done := s.tokens.find(e.ARN, token, now)
	if !done {
		if err := s.redrive(e); err != nil {
			return reply{}, err
		}
		at = now
		s.tokens.keep(e.ARN, token, at)
	}
	return s.encode(struct {
		RedriveDate json.Number `json:"redriveDate"`
	}{epochSeconds(at)})
}

// redrive restarts an execution through the Redriver, if there is one.
func (s *stepFunctionsService) redrive(e Execution) *apiError {
	redriver, ok := s.executions.(Redriver)
	if !ok {
		return badRequest("ExecutionNotRedrivable", "This local AWS does not support redriving executions.")
	}
	if err := redriver.Redrive(e.ARN); err != nil {
		return badRequest("ExecutionNotRedrivable", "%s", err)
	}
	return nil
}

// redrivable returns whether an execution can be redriven, and if not, why.
func (e Execution) redrivable() (types.ExecutionRedriveStatus, string) {
	reason := e.NotRedrivable
	switch types.ExecutionStatus(e.Status) {
	case types.ExecutionStatusRunning, types.ExecutionStatusSucceeded:
		reason = "Execution is " + e.Status + " and cannot be redriven"
	}
	if reason != "" {
		return types.ExecutionRedriveStatusNotRedrivable, reason
	}
	return types.ExecutionRedriveStatusRedrivable, ""
}
