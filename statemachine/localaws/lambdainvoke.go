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

// Handler is what a version does when it is invoked: it answers JSON after a duration, or fails after it. It is called
// without any lock, by several goroutines when several invoke. A duration above the version's timeout is cut off there.
type Handler func(payload []byte) (answer []byte, duration time.Duration, err error)

// SetHandler gives a version ("" or "$LATEST": the unpublished one) its behaviour. A version that is published later
// takes over that of $LATEST. Without a handler a version answers {} at once.
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

// invoke runs a function synchronously. Its duration passes on the clock before the answer comes.
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

// defaultMemory is what a function has that was given none, in MB.
const defaultMemory = 128

// errTimedOut is the failure of a handler that takes longer than it may.
var errTimedOut = errors.New("timed out")

// pick is the version that serves one request.
type pick struct {
	number   string
	handler  Handler
	timeout  time.Duration
	memory   int32 // MB
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
	return pick{*v.config.Version, v.handler, time.Duration(seconds) * time.Second, memory, l.recorderFor(key)}, nil
}

// nobody is the request id where Lambda tells one in a text. The answer's own is not known when the text is written.
var nobody = identifier(0)

// tailOfLog is the end of the log of one invocation, as Lambda's text format has it. The handler itself logs nothing.
func tailOfLog(p pick, duration time.Duration) string {
	ms := duration.Seconds() * 1000
	return fmt.Sprintf("START RequestId: %[1]s Version: %[2]s\nEND RequestId: %[1]s\n"+
		"REPORT RequestId: %[1]s\tDuration: %.2[3]f ms\tBilled Duration: %.0[4]f ms\tMemory Size: %[5]d MB\tMax Memory Used: %[5]d MB\t\n",
		nobody, p.number, ms, math.Ceil(ms), p.memory)
}

// timeoutBody is how Lambda tells that a function ran into its timeout.
func timeoutBody(timeout time.Duration) []byte {
	return fmt.Appendf(nil, `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: %s Error: Task timed out after %.2f seconds"}`, nobody, timeout.Seconds())
}

// failureBody is how Lambda's Go runtime tells an error: its message, and the name of its outermost type.
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
