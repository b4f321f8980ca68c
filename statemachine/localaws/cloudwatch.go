package localaws

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// cloudWatchService implements Amazon CloudWatch's metrics and alarms. It speaks three protocols: see cloudWatchFace. The two
// of current SDKs it reads and writes with the SDK's own client protocols and schemas, applied in reverse.
type cloudWatchService struct {
	region, account string
	metrics         *metricStore
	// publish sends an alarm's message to a topic; it returns false if there is no such topic. It is called without any lock.
	publish        func(topic, subject, message string) bool
	beforeFunction func(name string) // nil for none

	mu      sync.Mutex // guards what follows
	alarms  []*alarm   // by name
	history alarmHistory
}

func newCloudWatchService(o Options, metrics *metricStore, publish func(topic, subject, message string) bool) *cloudWatchService {
	return &cloudWatchService{region: o.Region, account: o.Account, metrics: metrics, publish: publish, beforeFunction: o.BeforeFunction}
}

// unzip decompresses a body that the client has compressed, as it does with large ones.
func unzip(r *request) error {
	encoding := r.Header.Get("Content-Encoding")
	if encoding == "" {
		return nil
	}
	plain, err := unzipped(r.body, encoding)
	r.body = plain
	return err
}

// unzipped returns a body without its content encoding.
func unzipped(body []byte, encoding string) ([]byte, error) {
	const largest = 16 << 20 // CloudWatch takes 1 MB
	switch encoding {
	case "":
		return body, nil
	case "gzip":
		plain, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		all, err := io.ReadAll(io.LimitReader(plain, largest+1))
		if len(all) > largest {
			return nil, fmt.Errorf("the body is larger than %d bytes", largest)
		}
		return all, err
	}
	return nil, fmt.Errorf("unknown content encoding %q", encoding)
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

// shapeOf returns the shape, in CloudWatch's model or in the frameworks in front of it, that belongs to an error code.
func shapeOf(code string) string {
	switch code {
	case "SerializationException", "UnknownOperationException":
		return "com.amazon.coral.service#" + code
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
