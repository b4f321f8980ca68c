package localaws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/cbor"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
)

// wire is one of the protocols that CloudWatch speaks.
type wire interface {
	// claims reports whether a request is for CloudWatch in this protocol.
	claims(r *http.Request) bool
	// operation returns the operation that such a request asks for.
	operation(r *http.Request) (string, *apiError)
	// decode reads a request into an input, whose shape the schema describes.
	decode(r *request, schema *smithy.Schema, in smithy.Deserializable) error
	// encode returns the answer of an operation. Output and schema are nil for an operation without output.
	encode(operation string, schema *smithy.Schema, out smithy.Serializable) (reply, error)
	// refuse returns an error as an answer.
	refuse(e *apiError) reply
}

// cloudWatchFace is CloudWatch in one of its protocols.
type cloudWatchFace struct {
	*cloudWatchService
	wire wire
}

// faces returns CloudWatch in each of its protocols, the one of the SDK for Go first.
func (c *cloudWatchService) faces() []service {
	inJSON := jsonWire{protocol: awsjson.New10(schemas.GraniteServiceVersion20100801)}
	compatible := inJSON
	compatible.queryMode = true
	return []service{
		cloudWatchFace{c, cborWire{rpcv2.NewCBOR(schemas.GraniteServiceVersion20100801)}},
		cloudWatchFace{c, inJSON}, cloudWatchFace{c, compatible},
		stampedFace{cloudWatchFace{c, formWire{}}},
	}
}

func (f cloudWatchFace) claims(r *http.Request) bool { return f.wire.claims(r) }

func (f cloudWatchFace) route(r *http.Request) (operation, target string, err *apiError) {
	operation, err = f.wire.operation(r)
	if err == nil && cloudWatchOperations[operation] == nil {
		err = unknownOperation(operation, r)
	}
	return operation, "", err
}

// operations returns the operations once, for the first protocol.
func (f cloudWatchFace) operations() []string {
	if _, ok := f.wire.(cborWire); ok {
		return cloudWatchOperationNames
	}
	return nil
}

func (f cloudWatchFace) handle(operation string, r *request) (reply, *apiError) {
	if err := unzip(r); err != nil {
		return reply{}, malformed(err)
	}
	return cloudWatchOperations[operation].perform(f.cloudWatchService, f.wire, r)
}

func (f cloudWatchFace) refusal(e *apiError) reply { return f.wire.refuse(e) }

// cloudWatchOperation is an operation of CloudWatch, in any protocol.
type cloudWatchOperation interface {
	// perform decodes the request, performs the operation and encodes the answer.
	perform(c *cloudWatchService, w wire, r *request) (reply, *apiError)
	// input decodes the request only, into a pointer to the operation's input.
	input(w wire, r *request) (any, *apiError)
}

// typedOperation is an operation with the input In. Without output, its second schema is nil, and so is what do returns.
type typedOperation[In any] struct {
	name   string
	in     *smithy.Schema
	output *smithy.Schema
	do     func(*cloudWatchService, *In) (smithy.Serializable, *apiError)
}

func (o typedOperation[In]) input(w wire, r *request) (any, *apiError) {
	in := new(In)
	return in, o.decode(w, r, in)
}

func (o typedOperation[In]) decode(w wire, r *request, in *In) *apiError {
	to, ok := any(in).(smithy.Deserializable)
	if !ok {
		to = shapeInput{o.in, in}
	}
	err := w.decode(r, o.in, to)
	if unsupported := (*unsupportedError)(nil); errors.As(err, &unsupported) {
		return badRequest("ValidationError", "%s", unsupported.Error())
	}
	if err != nil {
		return malformed(err)
	}
	return nil
}

func (o typedOperation[In]) perform(c *cloudWatchService, w wire, r *request) (reply, *apiError) {
	var in In
	if err := o.decode(w, r, &in); err != nil {
		return reply{}, err
	}
	out, refused := o.do(c, &in)
	if refused != nil {
		return reply{}, refused
	}
	answer, err := w.encode(o.name, o.output, out)
	if err != nil {
		return reply{}, &apiError{http.StatusInternalServerError, "InternalServiceError", err.Error()}
	}
	return answer, nil
}

// deserialize reads a body with the SDK's client protocol, applied in reverse: to a request instead of an answer.
func deserialize(p smithyhttp.ClientProtocol, schema *smithy.Schema, body []byte, in smithy.Deserializable) error {
	response := &smithyhttp.Response{Response: &http.Response{
		StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}}
	return p.DeserializeResponse(context.Background(), smithy.NewOperationSchema(schema, nil, schema), nil, response, in)
}

// faultOf returns on which side an error is, as errors of the query protocol say.
func faultOf(e *apiError) string {
	if e.status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

// messageKey returns the name of the member that has an error's message: the model writes one of them in upper case.
func messageKey(e *apiError) string {
	if e.code == "InternalServiceError" {
		return "Message"
	}
	return "message"
}

// cborWire is Smithy's RPC v2 with CBOR bodies, which current SDKs speak.
type cborWire struct{ protocol *rpcv2.Protocol }

func (cborWire) claims(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, cloudWatchPath) }

func (cborWire) operation(r *http.Request) (string, *apiError) {
	return r.URL.Path[len(cloudWatchPath):], nil
}

func (w cborWire) decode(r *request, schema *smithy.Schema, in smithy.Deserializable) error {
	if err := checkCBORDepth(r.body); err != nil {
		return err
	}
	return deserialize(w.protocol, schema, r.body, in)
}

func (w cborWire) encode(_ string, schema *smithy.Schema, out smithy.Serializable) (reply, error) {
	if out == nil {
		return reply{http.StatusOK, cborHeader(), nil}, nil
	}
	body, err := serialize(w.protocol, smithy.NewOperationSchema(schema, schema, nil), out)
	return reply{http.StatusOK, cborHeader(), body}, err
}

// cborHeader returns the header of every answer.
func cborHeader() http.Header {
	return http.Header{"Content-Type": {"application/cbor"}, "Smithy-Protocol": {"rpc-v2-cbor"}}
}

// refuse returns an error as a service writes it that once spoke the query protocol: the shape is in the body, the error
// code of the query protocol in a header. The SDK's ErrorCode returns that code.
func (cborWire) refuse(e *apiError) reply {
	header := cborHeader()
	header["X-Amzn-Query-Error"] = []string{e.code + ";" + faultOf(e)}
	return reply{e.status, header, cborError(shapeOf(e.code), messageKey(e), e.message)}
}

// cborError returns an error's body: a map of two texts, always in the same order, which
// cbor.Map does not have.
func cborError(shape, key, message string) []byte {
	body := []byte{0xa2} // a map of two pairs
	for _, text := range []string{"__type", shape, key, message} {
		body = append(body, cbor.Encode(cbor.String(text))...)
	}
	return body
}

// jsonWire is AWS JSON 1.0. A client in query mode receives the error codes of the query protocol in a header.
type jsonWire struct {
	protocol  *awsjson.Protocol
	queryMode bool
}

// cloudWatchTarget is the prefix of X-Amz-Target for CloudWatch's operations.
const cloudWatchTarget = "GraniteServiceVersion20100801."

func (w jsonWire) claims(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("X-Amz-Target"), cloudWatchTarget) && strings.EqualFold(r.Header.Get("X-Amzn-Query-Mode"), "true") == w.queryMode
}

func (jsonWire) operation(r *http.Request) (string, *apiError) {
	return strings.TrimPrefix(r.Header.Get("X-Amz-Target"), cloudWatchTarget), nil
}

func (w jsonWire) decode(r *request, schema *smithy.Schema, in smithy.Deserializable) error {
	if len(r.body) == 0 {
		r.body = []byte("{}")
	}
	var object map[string]json.RawMessage // the SDK's reader expects valid JSON
	if err := json.Unmarshal(r.body, &object); err != nil {
		return err
	}
	if object == nil {
		return errors.New("null stands where an object is expected")
	}
	return deserialize(w.protocol, schema, r.body, in)
}

func (w jsonWire) encode(_ string, schema *smithy.Schema, out smithy.Serializable) (reply, error) {
	body, err := []byte("{}"), error(nil)
	if out != nil {
		body, err = serialize(w.protocol, smithy.NewOperationSchema(schema, schema, nil), out)
	}
	return reply{http.StatusOK, http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, body}, err
}

func (w jsonWire) refuse(e *apiError) reply {
	body, err := json.Marshal(map[string]string{"__type": shapeOf(e.code), messageKey(e): e.message})
	if err != nil {
		panic(err) // strings only
	}
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	if w.queryMode {
		header["X-Amzn-Query-Error"] = []string{e.code + ";" + faultOf(e)}
	}
	return reply{e.status, header, body}
}
