package localaws

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Options say in which world the local AWS lives. The zero value is a working one: real time, no latency.
type Options struct {
	Now   func() time.Time    // the clock; time.Now when nil
	Sleep func(time.Duration) // how a call's duration passes; time.Sleep when nil

	Region  string // eu-central-1 when empty
	Account string // 123456789012 when empty

	// Executions is where state machines run, for Step Functions to tell of. Nil for none.
	Executions Executions

	// Latency is how long every call takes before it has its effect. Invoke takes its handler's duration on top.
	Latency time.Duration

	// Seed of the draws that send an Invoke to one of a weighted alias's two versions. The same seed and the same
	// calls give the same draws.
	Seed uint64

	// BeforeCall is called when a call's latency has passed, right before it has its effect (or is refused, or cut):
	// here a simulation brings its traffic up to the present, and a test lets somebody else come first. It is called
	// without any lock, in the goroutine that serves the call: it may use the Server, make calls (for which it is called
	// again) and let time pass with Sleep. Nil for none.
	BeforeCall func(operation string)

	// Authorize decides on each call that a client of [Server.As] makes, when BeforeCall has been called and unless a fault
	// refuses the call anyway. Nil: everybody may do everything.
	Authorize Authorize

	// OnCall is called after each call's effect, when its answer is ready, and before the caller sees that. It may do
	// what BeforeCall may do; the answer stays as it is. Calls at the same time have it called at the same time. Nil for none.
	OnCall func(Call)
}

// Call is what became of one call.
type Call struct {
	Operation string // as AWS names it: "UpdateAlias"; for an unknown one, what there is to name it
	Target    string // what it was about, where the address tells: "function", "function:alias"
	Status    int    // HTTP status of the answer; 0 when the connection was cut
	Code      string // AWS's error code; empty for success, for a cut, and for an answer that is not AWS's
}

// Server is the local AWS. It is safe for concurrent use.
type Server struct {
	options    Options
	services   []service
	lambda     *lambdaService
	cloudwatch *cloudWatchService
	ssm        *ssmService
	secrets    *secretsManagerService
	sns        *snsService
	events     *eventBridgeService
	faults     faults
	tags       tags
	requests   atomic.Uint64
}

// New gives an AWS account with nothing in it.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = time.Sleep
	}
	if o.Region == "" {
		o.Region = "eu-central-1"
	}
	if o.Account == "" {
		o.Account = "123456789012"
	}
	metrics := newMetricStore(o.Now)
	s := &Server{options: o, lambda: newLambdaService(o, metrics), cloudwatch: newCloudWatchService(o, metrics),
		ssm: newSSMService(o), secrets: newSecretsManagerService(o),
		sns: newSNSService(o), events: newEventBridgeService(o), tags: tags{by: map[string]map[string][]string{}}}
	s.services = []service{s.lambda, s.cloudwatch, newStepFunctionsService(o), s.ssm, s.secrets, s.sns, s.events, unknownService{}}
	return s
}

// service is one AWS service, speaking its own protocol.
type service interface {
	// claims reports whether the request is meant for this service, known operation or not.
	claims(r *http.Request) bool
	// route names the operation that the request asks for and what it is about. An operation that the service does
	// not have is an error, and the name is then whatever names it best.
	route(r *http.Request) (operation, target string, err *apiError)
	// operations lists the operations that the service has.
	operations() []string
	// needs lists the permissions that an operation takes; none if they are not known. What is so wrong with the request
	// that they can't be told is an error.
	needs(operation string, r *request) ([]need, *apiError)
	// handle does what the operation does.
	handle(operation string, r *request) (reply, *apiError)
	// throttled, broken and unavailable are the errors of a service in trouble, as this one words them.
	throttled() *apiError
	broken() *apiError
	unavailable() *apiError
	// denied is the error for a principal that may not do what it asks for.
	denied(message string) *apiError
	// refusal puts an error into the service's protocol.
	refusal(*apiError) reply
}

// request is an HTTP request whose body has been read.
type request struct {
	*http.Request
	body      []byte
	principal string // whose call it is; empty for nobody's
}

// reply is an HTTP answer before it is written.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// apiError is an error answer of AWS: a code that clients branch on, and a sentence for people.
type apiError struct {
	status  int
	code    string
	message string
}

// errCut is how a call ends whose answer never comes.
var errCut = errors.New("connection cut")

// answer serves one request of a principal: the one path that both transports take. The error is errCut, or the caller's context's
// when that ended while time passed here: then the effect may have happened, and nobody hears of it.
func (s *Server) answer(r *http.Request, principal string) (reply, error) {
	svc := s.serviceFor(r)
	operation, target, refused := svc.route(r)
	body, err := readBody(r) // even if nobody looks at it: a client that is still writing does not hear its answer
	if err != nil && refused == nil {
		refused = &apiError{http.StatusBadRequest, "RequestBodyUnreadable", err.Error()}
	}
	trouble := s.faults.strike(operation, s.options.Now())
	s.sleep(s.options.Latency + trouble.before)
	if s.options.BeforeCall != nil {
		s.options.BeforeCall(operation)
	}

	cut := trouble.kind == CutBefore
	answer, intercepted := trouble.intercepted()
	switch {
	case intercepted:
		refused = nil // AWS has not even seen it
		s.sleep(trouble.after)
	case !cut:
		if refused == nil {
			refused = trouble.refusalOf(svc)
		}
		answer, refused = s.perform(svc, operation, &request{r, body, principal}, refused)
		s.sleep(trouble.after)
		cut = trouble.kind == CutAfter
	}

	call := Call{Operation: operation, Target: target}
	if !cut {
		call.Status = answer.status
		if refused != nil {
			call.Code = refused.code
		}
	}
	if s.options.OnCall != nil {
		s.options.OnCall(call)
	}
	if cut {
		return reply{}, errCut
	}
	return answer, context.Cause(r.Context())
}

// perform has the service do the call unless it is refused already or not allowed, and signs the answer with a request id.
func (s *Server) perform(svc service, operation string, r *request, refused *apiError) (reply, *apiError) {
	var answer reply
	if refused == nil {
		refused = s.authorize(svc, operation, r)
	}
	if refused == nil {
		answer, refused = svc.handle(operation, r)
	}
	if refused != nil {
		answer = svc.refusal(refused)
	}
	answer.header["X-Amzn-Requestid"] = []string{identifier(s.requests.Add(1))}
	return answer, refused
}

func (s *Server) serviceFor(r *http.Request) service {
	for _, svc := range s.services {
		if svc.claims(r) {
			return svc
		}
	}
	panic("localaws: the last service claims every request")
}

func (s *Server) sleep(d time.Duration) {
	if d > 0 {
		s.options.Sleep(d)
	}
}

func readBody(r *http.Request) ([]byte, error) {
	switch {
	case r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0:
		return nil, nil
	case r.ContentLength < 0:
		return io.ReadAll(r.Body)
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// identifier writes n in the shape of AWS's identifiers, so that they are unique, and the same in every rehearsal.
func identifier(n uint64) string {
	const shape = "00000000-0000-4000-8000-000000000000"
	hex := strconv.FormatUint(n&(1<<48-1), 16)
	return shape[:len(shape)-len(hex)] + hex
}
