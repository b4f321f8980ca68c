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
