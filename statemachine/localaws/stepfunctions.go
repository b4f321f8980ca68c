package localaws

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// Executions provides the executions of state machines, which run elsewhere. The local AWS reports them through Step
// Functions' read operations, starts and stops them if the value is also a [Runner], restarts them if it is a
// [Redriver], tests single states if it is a [StateTester], and reports state machines if it is a [Catalog]. The methods return the current state.
// They are called without any lock, possibly concurrently.
type Executions interface {
	// Executions returns all executions of a state machine, in any order; false if there is no such state machine.
	Executions(stateMachineARN string) (iter.Seq[Execution], bool)
	// Execution returns one execution; false if there is no such execution.
	Execution(executionARN string) (Execution, bool)
}

// Execution is the state of an execution of a state machine.
type Execution struct {
	ARN             string
	Name            string
	StateMachineARN string
	Status          string // RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED
	Started         time.Time
	Stopped         time.Time // zero while it runs
	Input           json.RawMessage
	Output          json.RawMessage // nil unless it succeeded
	Error, Cause    string          // empty if there is none
	Redrives        int             // how often it was redriven
	Redriven        time.Time       // the time of the last redrive; zero if there was none
	NotRedrivable   string          // why an execution that did not succeed can't be redriven; empty if it can

	// History returns the first events of the execution whose id is at least from, with ascending ids, but no more than
	// most; in reverse, the last ones whose id is at most from, with descending ids. From 0 they begin with the first one,
	// or the last one. Some may be missing, so that long executions need to keep only the first and the last few. Only
	// GetExecutionHistory calls it. Nil if no events are kept.
	History func(from int64, reverse bool, most int) []HistoryEvent
	// Typed returns what the SDK reads of an event's Wire. It serves typed clients: see [Server.StepFunctions]. Nil if they
	// have to read the history over the wire.
	Typed func(e HistoryEvent, withData bool) types.HistoryEvent
}

// HistoryEvent is an event of an execution's history.
type HistoryEvent interface {
	// Number returns the event's id, from 1.
	Number() int64
	// Wire returns the event's JSON as GetExecutionHistory answers it, with its input and output only if withData is set.
	Wire(withData bool) json.RawMessage
}

// HistoryOf returns an [Execution]'s History of the events that are kept, with ascending ids.
func HistoryOf(kept func() []HistoryEvent) func(from int64, reverse bool, most int) []HistoryEvent {
	return func(from int64, reverse bool, most int) (some []HistoryEvent) {
		events := kept()
		if !reverse {
			n := sort.Search(len(events), func(i int) bool { return events[i].Number() >= from })
			return slices.Clone(events[n : n+min(most, len(events)-n)])
		}
		n := len(events)
		if from > 0 {
			n = sort.Search(n, func(i int) bool { return events[i].Number() > from })
		}
		some = slices.Clone(events[n-min(most, n) : n])
		slices.Reverse(some)
		return some
	}
}

// stepFunctionsTarget is the prefix of X-Amz-Target for Step Functions' operations.
const stepFunctionsTarget = "AWSStepFunctions."

// stepFunctionsService implements the operations of AWS Step Functions on executions. Its protocol is AWS JSON 1.0.
type stepFunctionsService struct {
	executions Executions
	now        func() time.Time
	tokens     redriveTokens
	starts     starts
}

func newStepFunctionsService(o Options) *stepFunctionsService {
	if o.Executions == nil {
		o.Executions = noExecutions{}
	}
	return &stepFunctionsService{executions: o.Executions, now: o.Now}
}

// noExecutions implements Executions for an account without state machines.
type noExecutions struct{}

func (noExecutions) Executions(string) (iter.Seq[Execution], bool) { return nil, false }

func (noExecutions) Execution(string) (Execution, bool) { return Execution{}, false }

func (s *stepFunctionsService) operations() []string {
	return []string{"StartExecution", "StopExecution", "ListExecutions", "DescribeExecution", "GetExecutionHistory", "RedriveExecution", "TestState",
		"ListStateMachines", "DescribeStateMachine", "DescribeStateMachineForExecution", "ListTagsForResource"}
}

func (s *stepFunctionsService) claims(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("X-Amz-Target"), stepFunctionsTarget)
}

func (s *stepFunctionsService) route(r *http.Request) (operation, target string, err *apiError) {
	operation = strings.TrimPrefix(r.Header.Get("X-Amz-Target"), stepFunctionsTarget)
	if !slices.Contains(s.operations(), operation) {
		err = unknownOperation(operation, r)
	}
	return operation, "", err
}

func (s *stepFunctionsService) handle(operation string, r *request) (reply, *apiError) {
	switch operation {
	case "StartExecution":
		return s.startExecution(r)
	case "StopExecution":
		return s.stopExecution(r)
	case "ListExecutions":
		return s.listExecutions(r)
	case "DescribeExecution":
		return s.describeExecution(r)
	case "GetExecutionHistory":
		return s.getExecutionHistory(r)
	case "RedriveExecution":
		return s.redriveExecution(r)
	case "TestState":
		return s.testState(r)
	case "ListStateMachines":
		return s.listStateMachines(r)
	case "DescribeStateMachine":
		return s.describeStateMachine(r)
	case "DescribeStateMachineForExecution":
		return s.describeStateMachineForExecution(r)
	case "ListTagsForResource":
		return s.listTagsForResource(r)
	}
	return reply{}, unknownOperation(operation, r.Request)
}

// decode reads the request's body into the SDK's input type, whose field names are, except for case, those on the wire.
func (s *stepFunctionsService) decode(r *request, input any) *apiError {
	if err := json.Unmarshal(r.body, input); err != nil {
		return malformed(err)
	}
	return nil
}

// encode returns an answer with the output as JSON.
func (s *stepFunctionsService) encode(output any) (reply, *apiError) {
	body, err := json.Marshal(output)
	if err != nil {
		return reply{}, &apiError{http.StatusInternalServerError, "InternalFailure", err.Error()}
	}
	return s.answer(body), nil
}

// answer returns an answer with that body.
func (s *stepFunctionsService) answer(body []byte) reply {
	return reply{http.StatusOK, http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, body}
}

func (s *stepFunctionsService) throttled() *apiError {
	return badRequest("ThrottlingException", "Rate exceeded")
}

func (s *stepFunctionsService) broken() *apiError {
	return &apiError{http.StatusInternalServerError, "InternalFailure", "Internal failure"}
}

func (s *stepFunctionsService) unavailable() *apiError {
	return &apiError{http.StatusServiceUnavailable, "ServiceUnavailable", "Service unavailable"}
}

func (s *stepFunctionsService) refusal(e *apiError) reply {
	body, err := json.Marshal(errorBody{e.code, e.message})
	if err != nil {
		panic(err) // two strings
	}
	return reply{e.status, http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, body}
}

// find returns the execution with that ARN.
func (s *stepFunctionsService) find(arn string) (Execution, *apiError) {
	if err := checkARN(arn, "execution", 8); err != nil {
		return Execution{}, err
	}
	e, ok := s.executions.Execution(arn)
	if !ok {
		return Execution{}, badRequest("ExecutionDoesNotExist", "Execution Does Not Exist: '%s'", arn)
	}
	return e, nil
}

// checkARN returns an error unless the text is an ARN of Step Functions for this type of resource, with so many parts.
func checkARN(arn, resource string, parts int) *apiError {
	given := strings.Split(arn, ":")
	switch {
	case len(given) < 7 || given[0] != "arn" || given[2] != "states":
		return badRequest("InvalidArn", "Invalid Arn: '%s'", arn)
	case given[5] != resource:
		return badRequest("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: %s'", given[5])
	case len(given) != parts || slices.Contains(given[1:], ""):
		return badRequest("InvalidArn", "Invalid Arn: '%s'", arn)
	}
	return nil
}

// checkPage returns the size of a page: maxResults, or 100 if it is 0.
func checkPage(maxResults int32) (int, *apiError) {
	switch {
	case maxResults < 0:
		return 0, invalid(maxResults, "maxResults", "Member must have value greater than or equal to 0")
	case maxResults > 1000:
		return 0, invalid(maxResults, "maxResults", "Member must have value less than or equal to 1000")
	case maxResults == 0:
		return 100, nil
	}
	return int(maxResults), nil
}

// invalidToken returns the error for a NextToken that was not returned before.
func invalidToken(token string) *apiError {
	return badRequest("InvalidToken", "Invalid Token: '%s'", token)
}

// epochSeconds returns a time as AWS JSON writes it: in seconds since 1970, to the millisecond.
func epochSeconds(t time.Time) json.Number {
	return json.Number(fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/int(time.Millisecond)))
}
