package localaws

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
)

// lambdaService implements AWS Lambda: functions, their versions and aliases, and their invocation.
type lambdaService struct {
	region, account string
	now             func() time.Time
	sleep           func(time.Duration)
	background      func(func())
	metrics         *metricStore
	tags            *tags
	updating        time.Duration // see Options.FunctionUpdates
	storage         int64         // for deployment packages, in bytes
	protocol        *restjson1.Protocol
	answer          *smithy.OperationSchema // every answer is written as this operation's input

	mu        sync.Mutex // guards all that follows; not held while a handler runs
	functions map[string]*function
	revisions uint64
	draws     *rand.Rand
	recorders map[recorderKey]*recorder
	allocates Allocating
	lag       AliasLag
	lagged    bool // whether there has been any lag
}

func newLambdaService(o Options, metrics *metricStore, tags *tags) *lambdaService {
	post := smithy.NewSchema(smithy.ShapeID{Name: "Answer"}, smithy.ShapeTypeOperation, 0, &traits.HTTP{Method: http.MethodPost, URI: "/"})
	return &lambdaService{
		region: o.Region, account: o.Account, now: o.Now, sleep: o.Sleep, background: o.Go,
		metrics: metrics, tags: tags, updating: o.FunctionUpdates, storage: maxStored,
		protocol:  restjson1.New(nil),
		answer:    smithy.NewOperationSchema(post, post, nil), // the operation only needs to have an input
		functions: map[string]*function{},
		draws:     rand.New(rand.NewPCG(o.Seed, 0)),
		recorders: map[recorderKey]*recorder{},
	}
}

func (l *lambdaService) operations() []string {
	return []string{
		"CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "GetFunction", "GetFunctionConfiguration", "ListFunctions",
		"PublishVersion", "ListVersionsByFunction", "DeleteFunction", "TagResource", "UntagResource", "ListTags",
		"CreateAlias", "GetAlias", "UpdateAlias", "DeleteAlias", "ListAliases", "Invoke",
		"GetProvisionedConcurrencyConfig", "PutProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig",
	}
}

// handle implements service. It holds l.mu during every operation but Invoke, which lets time pass.
func (l *lambdaService) handle(operation string, r *request) (reply, *apiError) {
	name, _, alias := splitPath(r.URL.Path)
	if operation == "Invoke" {
		return l.invoke(name, r)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch operation {
	case "CreateFunction":
		return l.createFunction(r)
	case "UpdateFunctionCode":
		return l.updateFunctionCode(name, r)
	case "UpdateFunctionConfiguration":
		return l.updateFunctionConfiguration(name, r)
	case "GetFunction":
		return l.getFunction(name, r)
	case "GetFunctionConfiguration":
		return l.getFunctionConfiguration(name, r)
	case "ListFunctions":
		return l.listFunctions(r)
	case "PublishVersion":
		return l.publishVersion(name, r)
	case "ListVersionsByFunction":
		return l.listVersions(name, r)
	case "DeleteFunction":
		return l.deleteFunction(name, r)
	case "TagResource", "UntagResource", "ListTags":
		return l.handleTags(operation, r)
	case "CreateAlias":
		return l.createAlias(name, r)
	case "GetAlias":
		return l.getAlias(name, alias)
	case "UpdateAlias":
		return l.updateAlias(name, alias, r)
	case "DeleteAlias":
		return l.deleteAlias(name, alias)
	case "ListAliases":
		return l.listAliases(name, r)
	case "GetProvisionedConcurrencyConfig":
		return l.getProvisioned(name, r)
	case "PutProvisionedConcurrencyConfig":
		return l.putProvisioned(name, r)
	case "DeleteProvisionedConcurrencyConfig":
		return l.deleteProvisioned(name, r)
	case downloadCode:
		return l.downloadCode(name, r)
	}
	return reply{}, unknownOperation(operation, r.Request)
}

// decode reads a request's JSON body into the SDK's input type, whose field names are those on the wire.
func decode(r *request, input any) *apiError {
	if len(r.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.body, input); err != nil {
		return &apiError{http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json: " + err.Error()}
	}
	return nil
}

// encode returns an answer with one of the SDK's types as its body, written with the SDK's protocol applied in reverse.
func (l *lambdaService) encode(status int, output smithy.Serializable) (reply, *apiError) {
	body, err := serialize(l.protocol, l.answer, output)
	if err != nil {
		return reply{}, &apiError{http.StatusInternalServerError, "ServiceException", err.Error()}
	}
	return reply{status, http.Header{"Content-Type": {"application/json"}}, body}, nil
}

// serialize returns an answer's body, which a client's protocol writes as if it were a request.
func serialize(p smithyhttp.ClientProtocol, operation *smithy.OperationSchema, v smithy.Serializable) ([]byte, error) {
	r := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	if err := p.SerializeRequest(context.Background(), operation, v, r); err != nil {
		return nil, err
	}
	size, known, err := r.StreamLength()
	if err != nil || !known {
		return nil, err
	}
	body := make([]byte, size)
	_, err = io.ReadFull(r.GetStream(), body)
	return body, err
}

// nextRevision returns a new RevisionId. l.mu is held.
func (l *lambdaService) nextRevision() string {
	l.revisions++
	return identifier(l.revisions)
}

func (l *lambdaService) throttled() *apiError {
	return &apiError{http.StatusTooManyRequests, "TooManyRequestsException", "Rate exceeded"}
}

func (l *lambdaService) broken() *apiError {
	return &apiError{http.StatusInternalServerError, "ServiceException", "An error occurred and the request cannot be processed."}
}

func (l *lambdaService) unavailable() *apiError {
	return &apiError{http.StatusServiceUnavailable, "ServiceUnavailableException", "Service is unavailable, please try again later."}
}

// refusal returns an error as Lambda writes it. The name of the message's field depends on the error.
func (l *lambdaService) refusal(e *apiError) reply {
	fields := map[string]string{"Type": "User", "message": e.message}
	switch e.code {
	case "ResourceNotFoundException", "ServiceException", "AccessDeniedException":
		delete(fields, "message")
		fields["Message"] = e.message
	case "TooManyRequestsException":
		fields["Reason"] = "CallerRateLimitExceeded"
	}
	if e.status >= http.StatusInternalServerError {
		fields["Type"] = "Service"
	}
	body, err := json.Marshal(fields)
	if err != nil {
		panic(err) // strings only
	}
	return reply{e.status, http.Header{"Content-Type": {"application/json"}, "X-Amzn-Errortype": {e.code}}, body}
}

// notFound returns Lambda's error for a resource that does not exist.
func notFound(format string, args ...any) *apiError {
	return &apiError{http.StatusNotFound, "ResourceNotFoundException", fmt.Sprintf(format, args...)}
}

// invalidParameter returns Lambda's error for input that an operation refuses.
func invalidParameter(format string, args ...any) *apiError {
	return &apiError{http.StatusBadRequest, "InvalidParameterValueException", fmt.Sprintf(format, args...)}
}

// invalid returns the error of AWS's request validation, which precedes the operation itself.
func invalid(value any, at, constraint string) *apiError {
	return &apiError{http.StatusBadRequest, "ValidationException", fmt.Sprintf(
		"1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, at, constraint)}
}

// absent returns the validation error for a missing value.
func absent(at string) *apiError {
	return &apiError{http.StatusBadRequest, "ValidationException", "1 validation error detected: Value null at '" + at +
		"' failed to satisfy constraint: Member must not be null"}
}

// conflict returns Lambda's error for an operation that the resource's state forbids.
func conflict(message string) *apiError {
	return &apiError{http.StatusConflict, "ResourceConflictException", message}
}

// unsatisfied returns the validation error for a value that does not match its pattern.
func unsatisfied(value, at, pattern string) *apiError {
	return invalid(value, at, "Member must satisfy regular expression pattern: "+pattern)
}

// staleRevision returns the error for a RevisionId that is not the latest.
func staleRevision() *apiError {
	return &apiError{http.StatusPreconditionFailed, "PreconditionFailedException", "The Revision Id provided does not match the " +
		"latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id"}
}
