package localaws

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
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

// invoke runs a function synchronously. Its duration passes on the clock before the answer. l.mu is not held.
func (l *lambdaService) invoke(name string, r *request) (reply, *apiError) {
	if kind := r.Header.Get("X-Amz-Invocation-Type"); kind != "" && kind != string(types.InvocationTypeRequestResponse) {
		return reply{}, invalidParameter("The local AWS invokes synchronously only; the invocation type %q is not supported.", kind)
	}
	logType := types.LogType(r.Header.Get("X-Amz-Log-Type"))
	if logType != "" && logType != types.LogTypeNone && logType != types.LogTypeTail {
		return reply{}, unsatisfied(string(logType), "logType", "[Tail, None]")
	}
	if len(r.body) > 0 && !json.Valid(r.body) {
		return reply{}, &apiError{http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json"}
	}
	ref, err := l.qualified(name, r.URL.Query().Get("Qualifier"))
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

	start := l.now()
	answer, duration, failure := []byte("{}"), time.Duration(0), error(nil)
	if picked.handler != nil {
		answer, duration, failure = picked.handler(r.body)
	}
	if duration > picked.timeout {
		duration, failure = picked.timeout, errTimedOut
	}
	if duration > 0 {
		l.sleep(duration)
	}
	served := Invocations{At: start, Invocations: 1, Duration: DurationStats{Sum: duration, Minimum: duration, Maximum: duration}}
	header := http.Header{"Content-Type": {"application/json"}, "X-Amz-Executed-Version": {picked.number}}
	if failure != nil {
		served.Errors = 1
		header["X-Amz-Function-Error"] = []string{"Unhandled"}
		answer = failureBody(failure)
		if failure == errTimedOut {
			answer = timeoutBody(duration)
		}
	}
	if logType == types.LogTypeTail {
		header["X-Amz-Log-Result"] = []string{base64.StdEncoding.EncodeToString([]byte(tailOfLog(picked, duration)))}
	}
	picked.recorder.record(served)
	return reply{http.StatusOK, header, answer}, nil
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
	key := recorderKey{function: ref.name, resource: ref.String()}
	if alias, ok := f.aliases[ref.qualifier]; ok {
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
