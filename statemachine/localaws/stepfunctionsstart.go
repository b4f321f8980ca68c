package localaws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// Runner can be implemented by [Executions] to support StartExecution and StopExecution. Without it, both are refused.
type Runner interface {
	// StartExecution starts an execution of an existing state machine, whose executions have other names.
	StartExecution(stateMachineARN, name string, input json.RawMessage) (Execution, error)
	// StopExecution stops an existing execution. It does nothing if the execution has ended.
	StopExecution(executionARN, errorName, cause string)
}

// starts makes the check for an execution's name and its start one step, and counts the names that are generated.
type starts struct {
	mu        sync.Mutex
	generated uint64
}

// maxExecutionInput is the largest input of an execution, in bytes.
const maxExecutionInput = 256 << 10

// startExecution starts an execution. If one of that name is running with the same input, it returns that one.
func (s *stepFunctionsService) startExecution(r *request) (reply, *apiError) {
	var in sfn.StartExecutionInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	machine, input := aws.ToString(in.StateMachineArn), json.RawMessage("{}")
	if in.Input != nil {
		input = json.RawMessage(*in.Input)
	}
	if err := checkStart(&in, input); err != nil {
		return reply{}, err
	}
	runner, err := s.runner()
	if err != nil {
		return reply{}, err
	}
	s.starts.mu.Lock()
	defer s.starts.mu.Unlock()
	if _, ok := s.executions.Executions(machine); !ok {
		return reply{}, badRequest("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", machine)
	}
	if in.Name == nil {
		s.starts.generated++
		in.Name = aws.String(identifier(s.starts.generated))
	}
	arn := strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + *in.Name
	switch e, ok := s.executions.Execution(arn); {
	case ok && e.Status == "RUNNING" && string(e.Input) == string(input):
		return s.answerStart(e)
	case ok:
		return reply{}, badRequest("ExecutionAlreadyExists", "Execution Already Exists: '%s'", e.ARN)
	}
	e, startErr := runner.StartExecution(machine, *in.Name, input)
	if startErr != nil {
		return reply{}, badRequest("ValidationException", "The execution could not be started: %s", startErr)
	}
	return s.answerStart(e)
}

func (s *stepFunctionsService) answerStart(e Execution) (reply, *apiError) {
	return s.encode(struct {
		ExecutionARN string      `json:"executionArn"`
		StartDate    json.Number `json:"startDate"`
	}{e.ARN, epochSeconds(e.Started)})
}

// checkStart returns an error for input that StartExecution refuses or that is not supported.
func checkStart(in *sfn.StartExecutionInput, input json.RawMessage) *apiError {
	name := aws.ToString(in.Name)
	switch {
	case in.Name != nil && (name == "" || len(name) > 80):
		return invalid(name, "name", "Member must have length between 1 and 80")
	case strings.ContainsFunc(name, isBadInName):
		return badRequest("InvalidName", "Invalid Name: '%s'", name)
	case len(input) > maxExecutionInput:
		return invalid("…", "input", "Member must have length less than or equal to 262144")
	case !json.Valid(input):
		return badRequest("InvalidExecutionInput", "Invalid State Machine Execution Input: '%s'", whyNotJSON(string(input)))
	case in.TraceHeader != nil:
		return badRequest("ValidationException", "The local AWS does not support traceHeader.")
	}
	return checkARN(aws.ToString(in.StateMachineArn), "stateMachine", 7)
}

// whyNotJSON says what is wrong with an input that is not JSON. The words for a bare word and for a name without double
// quotes were recorded on AWS 2023-06-22, by LocalStack's tests; AWS has others for other mistakes.
func whyNotJSON(input string) string {
	const space = " \t\r\n"
	text := strings.TrimLeft(input, space)
	word := text
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '$' }); i >= 0 {
		word = text[:i]
	}
	if word != "" && unicode.IsLetter([]rune(word)[0]) && !slices.Contains([]string{"null", "true", "false"}, word) {
		return "Unrecognized token '" + word + "': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
	}
	inside, isObject := strings.CutPrefix(text, "{")
	if inside = strings.TrimLeft(inside, space); isObject && inside != "" && inside[0] != '"' && inside[0] != '}' {
		r, _ := utf8.DecodeRuneInString(inside)
		return fmt.Sprintf("Unexpected character ('%c' (code %d)): was expecting double-quote to start field name", r, r)
	}
	return "not JSON"
}

// isBadInName reports whether Step Functions refuses a character in an execution's name.
func isBadInName(r rune) bool {
	return r <= ' ' || r >= 0x7f && r <= 0x9f || strings.ContainsRune("<>{}[]?*\"#%\\^|~`$&,;:/", r)
}

// stopExecution stops an execution. For one that has ended, it succeeds without an effect.
func (s *stepFunctionsService) stopExecution(r *request) (reply, *apiError) {
	var in sfn.StopExecutionInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	errorName, cause := aws.ToString(in.Error), aws.ToString(in.Cause)
	switch {
	case len(errorName) > 256:
		return reply{}, invalid(errorName, "error", "Member must have length less than or equal to 256")
	case len(cause) > 32768:
		return reply{}, invalid("…", "cause", "Member must have length less than or equal to 32768")
	}
	e, err := s.find(aws.ToString(in.ExecutionArn))
	if err != nil {
		return reply{}, err
	}
	runner, err := s.runner()
	if err != nil {
		return reply{}, err
	}
	runner.StopExecution(e.ARN, errorName, cause)
	stopped := s.now()
	if e, ok := s.executions.Execution(e.ARN); ok && !e.Stopped.IsZero() {
		stopped = e.Stopped
	}
	return s.encode(struct {
		StopDate json.Number `json:"stopDate"`
	}{epochSeconds(stopped)})
}

func (s *stepFunctionsService) runner() (Runner, *apiError) {
	runner, ok := s.executions.(Runner)
	if !ok {
		return nil, badRequest("ValidationException", "This local AWS does not support starting and stopping executions.")
	}
	return runner, nil
}
