package localaws

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/cbor"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
)

// cloudWatchPath is the path prefix of CloudWatch's operations in Smithy's RPC v2 protocol.
const cloudWatchPath = "/service/GraniteServiceVersion20100801/operation/"

// cloudWatchService implements Amazon CloudWatch's metrics and alarms. Its protocol is Smithy's RPC v2 with CBOR bodies,
// which it reads and writes with the SDK's own client protocol and schemas, applied in reverse.
type cloudWatchService struct {
	region, account string
	metrics         *metricStore
	protocol        *rpcv2.Protocol

	mu     sync.Mutex // guards what follows
	alarms []*alarm   // by name
}

func newCloudWatchService(o Options, metrics *metricStore) *cloudWatchService {
	return &cloudWatchService{
		region: o.Region, account: o.Account,
		metrics:  metrics,
		protocol: rpcv2.NewCBOR(schemas.GraniteServiceVersion20100801),
	}
}

func (c *cloudWatchService) operations() []string {
	return []string{"PutMetricData", "GetMetricData", "DescribeAlarms", "SetAlarmState"}
}

func (c *cloudWatchService) claims(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, cloudWatchPath)
}

func (c *cloudWatchService) route(r *http.Request) (operation, target string, err *apiError) {
	operation = r.URL.Path[len(cloudWatchPath):]
	if !slices.Contains(c.operations(), operation) {
		err = unknownOperation(operation, r)
	}
	return operation, "", err
}

func (c *cloudWatchService) handle(operation string, r *request) (reply, *apiError) {
	if err := unzip(r); err != nil {
		return reply{}, malformed(err)
	}
	switch operation {
	case "PutMetricData":
		return c.putMetricData(r)
	case "GetMetricData":
		return c.getMetricData(r)
	case "DescribeAlarms":
		return c.describeAlarms(r)
	case "SetAlarmState":
		return c.setAlarmState(r)
	}
	return reply{}, unknownOperation(operation, r.Request)
}

// unzip decompresses a body that the client has compressed, as it does with large ones.
func unzip(r *request) error {
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "":
		return nil
	case "gzip":
		plain, err := gzip.NewReader(bytes.NewReader(r.body))
		if err != nil {
			return err
		}
		r.body, err = io.ReadAll(plain)
		return err
	default:
		return fmt.Errorf("unknown content encoding %q", encoding)
	}
}

// decode reads the request's body into input. The schema describes its shape.
func (c *cloudWatchService) decode(r *request, schema *smithy.Schema, input smithy.Deserializable) *apiError {
	response := &smithyhttp.Response{Response: &http.Response{
		StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(r.body)), ContentLength: int64(len(r.body)),
	}}
	operation := smithy.NewOperationSchema(schema, nil, schema)
	if err := c.protocol.DeserializeResponse(context.Background(), operation, nil, response, input); err != nil {
		return malformed(err)
	}
	return nil
}

// encode returns an answer with output as its body. The schema describes its shape.
func (c *cloudWatchService) encode(schema *smithy.Schema, output smithy.Serializable) (reply, *apiError) {
	body, err := serialize(c.protocol, smithy.NewOperationSchema(schema, schema, nil), output)
	if err != nil {
		return reply{}, &apiError{http.StatusInternalServerError, "InternalServiceError", err.Error()}
	}
	return reply{http.StatusOK, cborHeader(), body}, nil
}

// cborHeader returns the header of every answer.
func cborHeader() http.Header {
	return http.Header{"Content-Type": {"application/cbor"}, "Smithy-Protocol": {"rpc-v2-cbor"}}
}

func (c *cloudWatchService) throttled() *apiError {
	return &apiError{http.StatusBadRequest, "Throttling", "Rate exceeded"}
}

func (c *cloudWatchService) broken() *apiError {
	return &apiError{http.StatusInternalServerError, "InternalServiceError", "Internal service fault"}
}

func (c *cloudWatchService) unavailable() *apiError {
	return &apiError{http.StatusServiceUnavailable, "ServiceUnavailable", "Service unavailable"}
}

// refusal returns an error as a service writes it that once spoke the query protocol: the shape is in the body, the error
// code of the query protocol in a header. The SDK's ErrorCode returns that code.
func (c *cloudWatchService) refusal(e *apiError) reply {
	shape, message := shapeOf(e.code), "message"
	if e.code == "InternalServiceError" {
		message = "Message"
	}
	header := cborHeader()
	fault := "Sender"
	if e.status >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	header["X-Amzn-Query-Error"] = []string{e.code + ";" + fault}
	return reply{e.status, header, cbor.Encode(cbor.Map{"__type": cbor.String(shape), message: cbor.String(e.message)})}
}

// shapeOf returns the shape, in CloudWatch's model or in the frameworks in front of it, that belongs to an error code.
func shapeOf(code string) string {
	switch code {
	case "AccessDenied":
		return "com.amazon.coral.service#AccessDeniedException"
	case "ValidationError":
		return "com.amazon.coral.validate#ValidationException"
	case "Throttling":
		return "com.amazon.coral.availability#ThrottlingException"
	case "ServiceUnavailable":
		return "com.amazon.coral.availability#ServiceUnavailableException"
	case "InternalServiceError":
		return "com.amazonaws.cloudwatch#InternalServiceFault"
	case "MissingParameter":
		return "com.amazonaws.cloudwatch#MissingRequiredParameterException"
	case "InvalidParameterValue", "InvalidParameterCombination":
		return "com.amazonaws.cloudwatch#" + code + "Exception"
	case "InvalidFormat":
		return "com.amazonaws.cloudwatch#InvalidFormatFault"
	}
	return "com.amazonaws.cloudwatch#" + code
}

// badRequest returns an error with the status 400.
func badRequest(code, format string, args ...any) *apiError {
	return &apiError{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

// malformed returns the error for a request that can't be read.
func malformed(err error) *apiError {
	return badRequest("SerializationException", "cannot read the request: %v", err)
}
