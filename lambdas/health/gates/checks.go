package gates

import (
	"context"
	"encoding/json"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Phase is when in a rollout a user's function is called.
type Phase string

// The phases.
const (
	DuringCheck Phase = "check"
	PreTraffic  Phase = "pre-traffic"
	PostTraffic Phase = "post-traffic"
)

// HookEvent is the event with which checks and hooks are called: as JSON, the phase,
// the rollout's facts, and the payload of the request as input.
type HookEvent struct {
	Phase Phase `json:"phase"`
	rollout.Facts
	Input json.RawMessage `json:"input"`
}

// check is the gate of a user's own function.
type check struct {
	rollout.CheckFunction
	facts    rollout.Facts
	invoker  Invoker
	together Parallel
}

// NewCheck returns the gate of a check function. It reads as the function answers. A
// function that fails, is late or answers anything but a status is inconclusive. Read
// returns no such failure as an error: the next check asks again anyway, and the
// other gates' readings are kept.
func NewCheck(c rollout.CheckFunction, f rollout.Facts, by Invoker, together Parallel) Gate {
	return check{CheckFunction: c, facts: f, invoker: by, together: together}
}

// Name implements Gate.
func (c check) Name() string { return "checks." + c.CheckFunction.Name }

// Read implements Gate.
func (c check) Read(ctx context.Context) (rollout.Reading, error) {
	status, reason, err := ask(ctx, c.invoker, c.together, c.Function, c.Timeout, HookEvent{DuringCheck, c.facts, c.Payload})
	if err != nil {
		return rollout.Reading{}, err
	}
	reading := rollout.Reading{Gate: c.Name(), Status: rollout.Inconclusive, Reason: reason}
	switch status {
	case succeeded:
		reading.Status = rollout.Pass
	case failed:
		reading.Status = rollout.Fail
	}
	return reading, nil
}

// status is the status that a check or a hook answers; empty for anything else.
type status string

const (
	succeeded    status = "SUCCEEDED"
	failed       status = "FAILED"
	inconclusive status = "INCONCLUSIVE"
)

// ask calls a check or a hook, and returns the status that it answers with the
// reason. An error means that the event could not be encoded.
func ask(ctx context.Context, by Invoker, together Parallel, function string, seconds int64, asked HookEvent) (status, string, error) {
	payload, err := json.Marshal(asked)
	if err != nil {
		return "", "", err
	}
	invoked, err := callOnce(ctx, by, together, time.Duration(seconds)*time.Second, Invocation{Function: function, Payload: payload})
	switch {
	case err != nil:
		return "", noAnswer(err), nil
	case invoked.FunctionError != "":
		return "", functionError(invoked.Answer), nil
	}
	got, reason := statusOf(invoked.Answer)
	return got, reason, nil
}

// statusOf reads an answer such as {"status": "FAILED", "reason": "2 open tickets"}.
// Other fields are ignored, and the reason may be missing.
func statusOf(answer []byte) (status, string) {
	wrong := "answered " + quote(answer) + `, which is not {"status": "SUCCEEDED", "FAILED" or "INCONCLUSIVE", "reason": …}`
	var fields map[string]json.RawMessage // not a struct: encoding/json takes "Status" for "status"
	var word status
	if json.Unmarshal(answer, &fields) != nil || json.Unmarshal(fields["status"], &word) != nil {
		return "", wrong
	}
	if word != succeeded && word != failed && word != inconclusive {
		return "", wrong
	}
	reason, why := "answered "+string(word), ""
	if raw, ok := fields["reason"]; ok {
		if json.Unmarshal(raw, &why) != nil {
			why = string(raw)
		}
		if why = oneLine(why, maxQuoted); why != "" {
			reason += ": " + why
		}
	}
	return word, reason
}
