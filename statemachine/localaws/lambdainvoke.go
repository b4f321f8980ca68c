package localaws

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Handler is what a version does when it is invoked: it answers JSON after a duration, or fails after it. It is called
// without any lock, by several goroutines when several invoke.
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
	if len(r.body) > 0 && !json.Valid(r.body) {
		return reply{}, &apiError{http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json"}
	}
	ref, err := l.qualified(name, r.URL.Query().Get("Qualifier"))
	if err != nil {
		return reply{}, err
	}
	number, handler, recorder, err := l.pick(ref)
	if err != nil {
		return reply{}, err
	}

	start := l.now()
	answer, duration, failure := []byte("{}"), time.Duration(0), error(nil)
	if handler != nil {
		answer, duration, failure = handler(r.body)
	}
	if duration > 0 {
		l.sleep(duration)
	}
	served := ServedRequests{At: start, Invocations: 1, Duration: DurationStats{Sum: duration, Minimum: duration, Maximum: duration}}
	header := http.Header{"Content-Type": {"application/json"}, "X-Amz-Executed-Version": {number}}
	if failure != nil {
		served.Errors = 1
		header["X-Amz-Function-Error"] = []string{"Unhandled"}
		answer = failureBody(failure)
	}
	recorder.record(served)
	return reply{http.StatusOK, header, answer}, nil
}

// pick chooses the version that serves one request; behind a weighted alias, by drawing.
func (l *lambdaService) pick(ref functionRef) (number string, h Handler, rec *recorder, err *apiError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.find(ref.name)
	if err != nil {
		return "", nil, nil, err
	}
	number = ref.qualifier
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
		return "", nil, nil, notFound("Function not found: %s", l.arn(ref))
	}
	return *v.config.Version, v.handler, l.recorderFor(key), nil
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
