package localaws

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Options configure a Server. The zero value works, with real time and no latency.
type Options struct {
	Now   func() time.Time    // the clock; time.Now if nil
	Sleep func(time.Duration) // lets a call's duration pass; time.Sleep if nil

	Region  string // eu-central-1 if empty
	Account string // 123456789012 if empty

	// Executions provides the executions that Step Functions reports. Nil for none.
	Executions Executions

	// Go runs an asynchronous invocation in the background; a new goroutine if nil.
	Go func(func())

	// Latency is how long every call takes before it has its effect. Invoke additionally takes its handler's duration.
	Latency time.Duration

	// FunctionUpdates is how long a function stays Pending after it was created, and how long the LastUpdateStatus of
	// $LATEST stays InProgress after its code or configuration was updated. Meanwhile it can be neither updated again nor
	// published, as on AWS, where this takes seconds. 0 means that all of this happens at once.
	FunctionUpdates time.Duration

	// Minutes is how long metrics' minutes are kept; the 15 days of CloudWatch if 0. Much less keeps the memory of a long
	// simulation small, and a request for older minutes gets nothing.
	Minutes time.Duration

	// Seed determines the draws that send an Invoke to one of a weighted alias's two versions. The same seed and the
	// same calls give the same draws.
	Seed uint64

	// Limits are the rates at which calls are throttled, such as [AWSLimits]; none to throttle only what faults do. A call
	// of ServeRead is not counted.
	Limits []Limit

	// BeforeCall is called when a call's latency has passed, right before the call has its effect (or is refused, or
	// cut). A simulation can bring its traffic up to date there, and a test can let another user act first. It is called
	// without any lock, in the goroutine that serves the call: it may use the Server, make calls (for which it is called
	// again) and let time pass with Sleep. Nil for none.
	BeforeCall func(operation string)

	// BeforeFunction is called after BeforeCall with the name of each function that the call is about: whose versions or
	// aliases it reads or changes, or whose metrics it reads; and with "" for metrics that are of no function. A simulation
	// of many functions can bring the traffic of just that one up to date. It may do what BeforeCall may do, but not let
	// time pass. It is not called for calls of ServeRead. Nil for none.
	BeforeFunction func(name string)

	// Authorize decides on each call of a client that [Server.As] configured. It is called after BeforeCall, unless a
	// fault refuses the call anyway. If nil, every call is allowed.
	Authorize Authorize

	// OnCall is called after each call's effect, when its answer is ready and before the caller receives it. It may do
	// what BeforeCall may do; it does not affect the answer. Concurrent calls call it concurrently. Nil for none.
	OnCall func(Call)
}

// Call describes a call and its answer.
type Call struct {
	Operation string // as AWS names it, such as "UpdateAlias"; for an unknown one, what identifies it best
	Target    string // what the call was about, if the request shows it: "function", "function:alias", a topic's name
	Status    int    // HTTP status of the answer; 0 if the connection was cut
	Code      string // AWS's error code; empty for success, for a cut, and for an answer that is not AWS's
	// Unsupported is why the local AWS does not have what the request asks for: an operation, or a whole service. Empty if it
	// does.
	Unsupported string
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
	logs       *logsService
	stacks     *cloudFormationService
	states     *stepFunctionsService
	faults     faults
	limits     *limits // nil for none
	tags       *tags
	requests   atomic.Uint64
	reads      atomic.Uint64 // those of ServeRead
}

// New returns a local AWS with an empty account.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = time.Sleep
	}
	if o.Go == nil {
		o.Go = func(f func()) { go f() }
	}
	if o.Region == "" {
		o.Region = "eu-central-1"
	}
	if o.Account == "" {
		o.Account = "123456789012"
	}
	metrics := newMetricStore(o.Now, cmp.Or(o.Minutes, 15*24*time.Hour))
	tags := &tags{by: map[string]map[string][]string{}}
	topics := newSNSService(o)
	s := &Server{options: o, lambda: newLambdaService(o, metrics, tags), cloudwatch: newCloudWatchService(o, metrics, topics.deliver),
		ssm: newSSMService(o), secrets: newSecretsManagerService(o),
		sns: topics, events: newEventBridgeService(o), logs: newLogsService(o), stacks: newCloudFormationService(o), states: newStepFunctionsService(o), tags: tags,
		limits: newLimits(o.Limits, o.Now())}
	cloudwatch := s.cloudwatch.faces()
	s.services = append([]service{s.lambda, cloudwatch[0], s.states, s.ssm, s.secrets, s.sns, s.events, s.logs, s.stacks, newSTSService(o)}, cloudwatch[1:]...)
	return s
}

// service is one AWS service, speaking its own protocol.
type service interface {
	// claims reports whether the request is for this service, even if its operation is unknown.
	claims(r *http.Request) bool
	// route returns the operation that the request asks for and what it is about. An operation that the service does
	// not have is an error; the name is then whatever identifies it best.
	route(r *http.Request) (operation, target string, err *apiError)
	// operations returns the names of the operations that the service has.
	operations() []string
	// needs returns the permissions that an operation needs; none if they are not known. It returns an error if the
	// request is too malformed to determine them.
	needs(operation string, r *request) ([]need, *apiError)
	// handle performs the operation.
	handle(operation string, r *request) (reply, *apiError)
	// throttled, broken and unavailable return the service's errors for throttling, status 500 and status 503.
	throttled() *apiError
	broken() *apiError
	unavailable() *apiError
	// denied returns the error for a principal that lacks a permission.
	denied(message string) *apiError
	// refusal returns an error as an answer in the service's protocol.
	refusal(*apiError) reply
}

// request is an HTTP request whose body has been read.
type request struct {
	*http.Request
	body      []byte
	principal string // who makes the call; empty for none
}

// reply is an HTTP answer before it is written.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// apiError is an error answer of AWS: a code for clients, and a message for people.
type apiError struct {
	status  int
	code    string
	message string
}

// errCut is the error of a call whose answer is lost.
var errCut = errors.New("connection cut")

// answer serves one request of a principal, for both transports. The error is errCut, or the error of the caller's context
// if that ended while time passed here: the effect may then have happened without an answer.
func (s *Server) answer(r *http.Request, principal string) (reply, error) {
	return s.answerAs(r, principal, false)
}

// answerAs implements answer. A call that only reads leaves no trace: see ServeRead.
func (s *Server) answerAs(r *http.Request, principal string, reads bool) (reply, error) {
	svc := s.serviceFor(r)
	operation, target, refused := svc.route(r)
	unsupported := ""
	if refused != nil {
		unsupported = refused.message
	}
	body, err := readBody(r) // even if it is not needed: a client that is still writing does not receive its answer
	if err != nil && refused == nil {
		refused = &apiError{http.StatusBadRequest, "RequestBodyUnreadable", err.Error()}
	}
	trouble := s.faults.strike(operation, s.options.Now())
	s.sleep(s.options.Latency + trouble.before)
	if !reads {
		s.before(operation, target, svc)
	}

	cut := trouble.kind == CutBefore
	answer, intercepted := trouble.intercepted()
	switch {
	case intercepted:
		refused = nil // the call has not reached AWS
		s.sleep(trouble.after)
	case !cut:
		if refused == nil {
			refused = trouble.refusalOf(svc)
		}
		if s.limits != nil && !reads && s.limits.take(prefixOf(svc), operation, s.options.Now()) && refused == nil {
			refused = svc.throttled()
		}
		answer, refused = s.perform(svc, operation, &request{r, body, principal}, refused, reads)
		s.sleep(trouble.after)
		cut = trouble.kind == CutAfter
	}

	call := Call{Operation: operation, Target: target, Unsupported: unsupported}
	if !cut {
		call.Status = answer.status
		if refused != nil {
			call.Code = refused.code
		}
	}
	if s.options.OnCall != nil && !reads {
		s.options.OnCall(call)
	}
	if cut {
		return reply{}, errCut
	}
	return answer, context.Cause(r.Context())
}

// before calls the options BeforeCall and, for a call of Lambda, BeforeFunction.
func (s *Server) before(operation, target string, svc service) {
	if s.options.BeforeCall != nil {
		s.options.BeforeCall(operation)
	}
	if s.options.BeforeFunction != nil && target != "" && svc == service(s.lambda) {
		if ref, err := s.lambda.parseFunction(target); err == nil {
			s.options.BeforeFunction(ref.name)
		}
	}
}

// perform lets the service handle the call, unless it is already refused or not authorized, and adds a request id to the
// answer.
func (s *Server) perform(svc service, operation string, r *request, refused *apiError, reads bool) (reply, *apiError) {
	var answer reply
	if refused == nil {
		refused = s.authorize(svc, operation, r)
	}
	if reads {
		s.cloudwatch.metrics.readers.Add(1)
		defer s.cloudwatch.metrics.readers.Add(-1)
	}
	if refused == nil {
		answer, refused = svc.handle(operation, r)
	}
	if refused != nil {
		answer = svc.refusal(refused)
	}
	id := ""
	if reads {
		id = identifier(readIDs + s.reads.Add(1))
	} else {
		id = identifier(s.requests.Add(1))
	}
	answer.header["X-Amzn-Requestid"] = []string{id}
	if stamped, ok := svc.(stampedFace); ok {
		answer.body = stamped.stamp(answer.body, id)
	}
	return answer, refused
}

// serviceFor returns the first service that claims the request, or one that refuses it.
func (s *Server) serviceFor(r *http.Request) service {
	for _, svc := range s.services {
		if svc.claims(r) {
			return svc
		}
	}
	return newUnknownService(r)
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
	case r.ContentLength < 0 || r.ContentLength > 64<<20: // a header alone must not allocate so much
		return io.ReadAll(r.Body)
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// identifier returns n in the format of AWS's identifiers. They are unique, and the same in every rehearsal.
func identifier(n uint64) string {
	const shape = "00000000-0000-4000-8000-000000000000"
	hex := strconv.FormatUint(n&(1<<48-1), 16)
	return shape[:len(shape)-len(hex)] + hex
}
