package localaws

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
)

// TestRequestsForOtherServicesAreRefused in each service's own protocol, by names.
func TestRequestsForOtherServicesAreRefused(t *testing.T) {
	socket := httptest.NewServer(New(Options{}))
	defer socket.Close()
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	for name, test := range map[string]struct {
		method, path, service string
		header                [2]string
		body                  string
		status                int
		want                  []string // in the answer
	}{
		"S3":                        {"GET", "/bucket/key?versions", "s3", [2]string{}, "", 501, []string{"<Error><Code>NotImplemented</Code><Message>", "Amazon S3", "GET /bucket/key"}},
		"S3's dates":                {"GET", "/2015-03-31/functions", "s3", [2]string{}, "", 501, []string{"Amazon S3"}},
		"Route 53":                  {"GET", "/2013-04-01/hostedzone", "route53", [2]string{}, "", 501, []string{"<ErrorResponse><Error><Type>Sender</Type><Code>NotImplemented</Code>", "Amazon Route 53"}},
		"DynamoDB":                  {"POST", "/", "dynamodb", [2]string{"X-Amz-Target", "DynamoDB_20120810.PutItem"}, "{}", 400, []string{`"__type":"UnknownOperationException"`, "Amazon DynamoDB", "DynamoDB_20120810.PutItem"}},
		"IAM":                       {"POST", "/", "iam", [2]string{"Content-Type", form}, "Action=ListUsers&Version=2010-05-08", 400, []string{"<ErrorResponse><Error>", "<Code>InvalidAction</Code>", "AWS IAM", "ListUsers"}},
		"EC2":                       {"POST", "/", "ec2", [2]string{"Content-Type", form}, "Action=DescribeVpcs&Version=2016-11-15", 400, []string{"<Response><Errors><Error><Code>InvalidAction</Code>", "Amazon EC2", "DescribeVpcs"}},
		"REST":                      {"GET", "/restapis", "apigateway", [2]string{}, "", 404, []string{`"__type":"UnknownOperationException"`, "Amazon API Gateway", "GET /restapis"}},
		"one that nobody knows":     {"POST", "/", "quantum", [2]string{"X-Amz-Target", "Q.Run"}, "{}", 400, []string{"the service quantum", "Q.Run"}},
		"unsigned":                  {"GET", "/favicon.ico", "", [2]string{}, "", 404, []string{"GET /favicon.ico"}},
		"CloudWatch Logs, to write": {"POST", "/", "logs", [2]string{"X-Amz-Target", "Logs_20140328.PutLogEvents"}, "{}", 400, []string{"UnknownOperationException", "PutLogEvents"}},
		"Lambda's policies":         {"POST", "/2015-03-31/functions/f/policy", "lambda", [2]string{}, "{}", 404, []string{"AddPermission"}},
		"Lambda's layers":           {"GET", "/2018-10-31/layers/x/versions", "lambda", [2]string{}, "", 404, []string{"GET /2018-10-31/layers/x/versions"}},
		"Lambda's provisioned list": {"GET", "/2019-09-30/functions/f/provisioned-concurrency?List=ALL", "lambda", [2]string{}, "", 404, []string{"ListProvisionedConcurrencyConfigs"}},
		"a path that is none":       {"GET", "/2015-03-31/functions/f/aliases/a/b/../c", "lambda", [2]string{}, "", 404, []string{"ResourceNotFoundException"}},
		"no action":                 {"POST", "/", "sns", [2]string{"Content-Type", form}, "Version=2010-03-31", 400, []string{"<Code>MissingAction</Code>", "parameter Action"}},
		"no action, of STS":         {"POST", "/", "sts", [2]string{"Content-Type", form}, "Version=2011-06-15", 400, []string{"<Code>MissingAction</Code>"}},
		"neither":                   {"POST", "/", "sns", [2]string{"Content-Type", form}, "a=b", 400, []string{"<Code>MissingAction</Code>"}},
		"an action of SNS":          {"POST", "/", "sns", [2]string{"Content-Type", form}, "Action=CreateTopic&Version=2010-03-31", 400, []string{"<Code>InvalidAction</Code>", "Could not find operation CreateTopic for version 2010-03-31"}},
		"a version of SNS":          {"POST", "/", "sns", [2]string{"Content-Type", form}, "Action=ListTopics&Version=2009-01-01", 400, []string{"<Code>InvalidAction</Code>", "Could not find operation ListTopics for version 2009-01-01"}},
		"a version of CloudWatch":   {"POST", "/", "monitoring", [2]string{"Content-Type", form}, "Action=ListMetrics&Version=2009-05-15", 400, []string{"<Code>InvalidAction</Code>", "ListMetrics for version 2009-05-15"}},
		"an action of CloudWatch":   {"POST", "/", "monitoring", [2]string{"Content-Type", form}, "Action=PutDashboard&Version=2010-08-01", 400, []string{"<Code>InvalidAction</Code>", "Could not find operation PutDashboard for version 2010-08-01"}},
		"a target of CloudWatch":    {"POST", "/", "monitoring", [2]string{"X-Amz-Target", "GraniteServiceVersion20100801.PutDashboard"}, "{}", 400, []string{"UnknownOperationException", "PutDashboard"}},
		"a wrong target":            {"POST", "/", "states", [2]string{"X-Amz-Target", "AWSStepFunction.ListExecutions"}, "{}", 400, []string{`"__type":"UnknownOperationException"`, "does not support the operation AWSStepFunction.ListExecutions"}},
		"a target without a name":   {"POST", "/", "states", [2]string{"X-Amz-Target", "AWSStepFunctions."}, "{}", 400, []string{"UnknownOperationException"}},
		"an operation of SFN":       {"POST", "/", "states", [2]string{"X-Amz-Target", "AWSStepFunctions.CreateActivity"}, "{}", 400, []string{"UnknownOperationException", "CreateActivity"}},
		"no target":                 {"POST", "/", "states", [2]string{"Content-Type", "application/x-amz-json-1.0"}, "{}", 404, []string{"UnknownOperationException", "neither the header X-Amz-Target"}},
		"presigned, of S3":          {"GET", "/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20260301%2Feu-central-1%2Fs3%2Faws4_request", "", [2]string{}, "", 501, []string{"<Code>NotImplemented</Code>", "Amazon S3"}},
		"presigned, of IAM":         {"GET", "/?Action=ListUsers&Version=2010-05-08&X-Amz-Credential=a%2F20260301%2Fus-east-1%2Fiam%2Faws4_request", "", [2]string{}, "", 400, []string{"<Code>InvalidAction</Code>", "AWS IAM"}},
		"presigned, of STS":         {"GET", "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential=local%2F20260301%2Feu-central-1%2Fsts%2Faws4_request", "", [2]string{}, "", 200, []string{"<GetCallerIdentityResult>", "123456789012"}},
		"presigned, of SNS":         {"GET", "/?Action=ListTopics&Version=2010-03-31&X-Amz-Credential=local%2F20260301%2Feu-central-1%2Fsns%2Faws4_request", "", [2]string{}, "", 200, []string{"<ListTopicsResult>"}},
		"markup":                    {"GET", "/<script>", "s3", [2]string{}, "", 501, []string{"&lt;script&gt;"}},
	} {
		r, err := http.NewRequest(test.method, socket.URL, strings.NewReader(test.body))
		check(t, err)
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(test.path, "?")
		if test.header[0] != "" {
			r.Header.Set(test.header[0], test.header[1])
		}
		if test.service != "" {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260301/eu-central-1/"+test.service+"/aws4_request, SignedHeaders=host, Signature=00")
		}
		response, err := http.DefaultClient.Do(r)
		check(t, err)
		content, err := io.ReadAll(response.Body)
		check(t, err)
		response.Body.Close()
		for _, want := range test.want {
			if response.StatusCode != test.status || !strings.Contains(string(content)+response.Header.Get("X-Amzn-Errortype"), want) {
				t.Errorf("%s: %d %s, want %d with %q", name, response.StatusCode, content, test.status, want)
			}
		}
	}
}

// TestCallsSayWhatIsNotSupported, for those who log it.
func TestCallsSayWhatIsNotSupported(t *testing.T) {
	var calls []Call
	s := New(Options{OnCall: func(c Call) { calls = append(calls, c) }})
	for _, r := range []*http.Request{
		httptest.NewRequest(http.MethodGet, "/restapis", nil),
		httptest.NewRequest(http.MethodGet, "/2015-03-31/functions/f/policy", nil),
		httptest.NewRequest(http.MethodGet, "/2015-03-31/functions/f", nil), // there is no such function
	} {
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	if len(calls) != 3 || !strings.Contains(calls[0].Unsupported, "GET /restapis") || !strings.Contains(calls[1].Unsupported, "GetPolicy") || calls[2].Unsupported != "" {
		t.Errorf("the calls are %+v", calls)
	}
}

func TestRefuseSpeaksTheProtocolOfTheRequest(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/key", nil)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260301/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=00")
	w := httptest.NewRecorder()
	Refuse(w, r, http.StatusForbidden, "AccessDenied", "not here")
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "<Error><Code>AccessDenied</Code><Message>not here</Message>") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestAnUnknownServiceWithCBORIsRefused(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/service/Other/operation/Do", nil)
	r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
	w := httptest.NewRecorder()
	New(Options{}).ServeHTTP(w, r)
	value, err := cbor.Decode(w.Body.Bytes())
	check(t, err)
	fields, _ := value.(cbor.Map)
	if w.Code != 404 || fields["__type"] != cbor.String("UnknownOperationException") || !strings.Contains(string(fields["message"].(cbor.String)), "/service/Other/operation/Do") {
		t.Errorf("%d %v", w.Code, value)
	}
}
