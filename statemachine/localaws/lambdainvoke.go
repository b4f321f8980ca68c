package localaws

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Handler does what a version does when it is invoked. It returns a JSON answer or an error, and how long the invocation
// takes; at the version's timeout, the invocation is cut off. It is called without any lock, possibly concurrently.
type Handler func(payload []byte) (answer []byte, duration time.Duration, err error)

// SetHandler sets the handler of a version ("" or "$LATEST": the unpublished one). A version that is published later
// inherits that of $LATEST. Without a handler, a version answers {} at once.
func (s *Server) SetHandler(functionName, number string, h Handler) error {
	s.lambda.mu.Lock()
	defer s.lambda.mu.Unlock()
	v, err := s.lambda.versionOf(functionName, number)
	if err != nil {
		return err
	}
	v.handler = h
	return nil
}

// The largest payloads of an invocation, in bytes.
const (
	maxPayload = 6291456
	maxEvent   = 1048576
)

// invoke invokes a function: synchronously, so that its duration passes on the clock before the answer; as an event, whose
// answer does not wait for the function; or only to find out whether that would be allowed. l.mu is not held.
//
// An event runs once, in a goroutine of its own: its duration does not pass on the clock, and AWS's retries of an event that
// failed are not made.
func (l *lambdaService) invoke(name string, r *request) (reply, *apiError) {
	kind := types.InvocationType(r.Header.Get("X-Amz-Invocation-Type"))
	if kind != "" && !slices.Contains(kind.Values(), kind) {
		return reply{}, invalid(kind, "invocationType", "Member must satisfy enum value set: [Event, RequestResponse, DryRun]")
	}
	logType := types.LogType(r.Header.Get("X-Amz-Log-Type"))
	if logType != "" && logType != types.LogTypeNone && logType != types.LogTypeTail {
		return reply{}, unsatisfied(string(logType), "logType", "[Tail, None]")
	}
	most := maxPayload
	if kind == types.InvocationTypeEvent {
		most = maxEvent
	}
	switch {
	case len(r.body) > most:
		return reply{}, &apiError{http.StatusRequestEntityTooLarge, "RequestTooLargeException", fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", most)}
	case len(r.body) > 0 && !json.Valid(r.body):
		return reply{}, &apiError{http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json"}
	}
	ref, err := l.qualified(name, qualifierOf(r.URL))
	if err != nil {
		return reply{}, err
	}
	picked, err := l.pick(ref)
	if err != nil {
		return reply{}, err
	}
	if picked.tenants && r.Header.Get("X-Amz-Tenant-Id") == "" {
		return reply{}, invalidParameter("The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.")
	}
	switch kind {
	case types.InvocationTypeDryRun:
		return reply{status: http.StatusNoContent, header: http.Header{}}, nil
	case types.InvocationTypeEvent:
		l.background(func() { picked.run(r.body, l.now(), nil) })
		return reply{status: http.StatusAccepted, header: http.Header{}}, nil
	}

	answer, duration, failed := picked.run(r.body, l.now(), l.sleep)
	header := http.Header{"Content-Type": {"application/json"}, "X-Amz-Executed-Version": {picked.number}}
	if failed {
		header["X-Amz-Function-Error"] = []string{"Unhandled"}
	}
	if logType == types.LogTypeTail {
		header["X-Amz-Log-Result"] = []string{base64.StdEncoding.EncodeToString([]byte(tailOfLog(picked, duration)))}
	}
	return reply{http.StatusOK, header, answer}, nil
}

// run serves one request that starts at an instant, lets its duration pass unless sleep is nil, and records it.
func (p pick) run(payload []byte, start time.Time, sleep func(time.Duration)) (answer []byte, duration time.Duration, failed bool) {
	answer = []byte("{}")
	var failure error
	if p.handler != nil {
		answer, duration, failure = p.handler(payload)
	}
	if duration > p.timeout {
		duration, failure = p.timeout, errTimedOut
	}
	if duration > 0 && sleep != nil {
		sleep(duration)
	}
	served := Invocations{At: start, Invocations: 1, Duration: DurationStats{Sum: duration, Minimum: duration, Maximum: duration}}
	if failure != nil {
		served.Errors = 1
		answer = failureBody(failure)
		if failure == errTimedOut {
			answer = timeoutBody(duration)
		}
	}
	p.recorder.record(&served)
	return answer, duration, failure != nil
}

// defaultMemory is a function's default memory size, in MB.
const defaultMemory = 128

// errTimedOut is the failure of a handler that exceeds the version's timeout.
var errTimedOut = errors.New("timed out")

// pick is the version that serves one request.
type pick struct {
	number   string
	handler  Handler
	timeout  time.Duration
	memory   int32 // MB
	tenants  bool  // each invocation must name one
	recorder *recorder
}

// pick chooses the version that serves one request; behind a weighted alias, by drawing.
func (l *lambdaService) pick(ref functionRef) (pick, *apiError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.find(ref)
	if err != nil {
		return pick{}, err
	}
	number := ref.qualifier
	key := recorderKey{function: ref.name, qualifier: ref.qualifier}
	if alias, ok := f.aliases[ref.qualifier]; ok {
		alias = f.aliasBefore(alias, l.now().Add(-l.lag.Routing))
		number = alias.Version
		if alias.Additional != "" && l.draws.Float64() < alias.Weight {
			number = alias.Additional
		}
		key.executed = number
	}
	v := f.version(number)
	if v == nil {
		return pick{}, notFound("Function not found: %s", l.arn(ref))
	}
	if err := l.checkState(f, v, l.now()); err != nil {
		return pick{}, err
	}
	seconds := aws.ToInt32(v.config.Timeout)
	if seconds == 0 {
		seconds = defaultTimeout
	}
	memory := aws.ToInt32(v.config.MemorySize)
	if memory == 0 {
		memory = defaultMemory
	}
	return pick{*v.config.Version, v.handler, time.Duration(seconds) * time.Second, memory, v.config.TenancyConfig != nil, l.recorderFor(key)}, nil
}

// textRequestID is the request id in texts that contain one. The answer's own is not known when the text is written.
var textRequestID = identifier(0)

// tailOfLog returns the end of the log of one invocation, in Lambda's text format. The handler itself logs nothing.
func tailOfLog(p pick, duration time.Duration) string {
	ms := duration.Seconds() * 1000
	return fmt.Sprintf("START RequestId: %[1]s Version: %[2]s\nEND RequestId: %[1]s\n"+
		"REPORT RequestId: %[1]s\tDuration: %.2[3]f ms\tBilled Duration: %.0[4]f ms\tMemory Size: %[5]d MB\tMax Memory Used: %[5]d MB\t\n",
		textRequestID, p.number, ms, math.Ceil(ms), p.memory)
}

// timeoutBody returns the answer of an invocation that timed out, as Lambda writes it.
func timeoutBody(timeout time.Duration) []byte {
	return fmt.Appendf(nil, `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: %s Error: Task timed out after %.2f seconds"}`, textRequestID, timeout.Seconds())
}

// failureBody returns an error as Lambda's Go runtime reports it: its message, and the name of its outermost type.
func failureBody(err error) []byte {
	kind := reflect.TypeOf(err)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	body, marshalErr := json.Marshal(map[string]string{"errorMessage": err.Error(), "errorType": kind.Name()})
	if marshalErr != nil {
		panic(fmt.Sprintf("localaws: two strings: %v", marshalErr))
	}
	return body
}
