package localaws

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// FuzzRequest: no request makes the server panic, and each is answered.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][6]string{
		{"POST", "/2015-03-31/functions", "", "application/json", `{"FunctionName":"g","Runtime":"python3.12","Handler":"a","Role":"` + someRole + `","Code":{"S3Key":"k"},"Publish":true}`, "lambda"},
		{"PUT", "/2015-03-31/functions/f/configuration", "", "application/json", `{"SnapStart":{},"LoggingConfig":{},"Environment":{},"TracingConfig":{}}`, ""},
		{"POST", "/2015-03-31/functions/f/aliases", "", "application/json", `{"Name":"x","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"2":1e-7}}}`, ""},
		{"GET", "/2015-03-31/functions/f/versions?MaxItems=1&Marker=2", "", "", "", ""},
		{"DELETE", "/2017-03-31/tags/arn:aws:lambda:eu-central-1:123456789012:function:f?tagKeys=a", "", "", "", "lambda"},
		{"POST", "/", "Logs_20140328.FilterLogEvents", "", `{"logGroupName":"g","filterPattern":"{ $.a = \"b*\" }","limit":1,"nextToken":"x"}`, "logs"},
		{"POST", "/", "Logs_20140328.GetLogEvents", "", `{"logGroupIdentifier":"g","logStreamName":"s","nextToken":"f/1"}`, "logs"},
		{"POST", "/", "AWSEvents.ListRules", "", `{"NamePrefix":"x"}`, "events"},
		{"POST", "/", "AmazonSSM.PutParameter", "", `{"Name":"/a","Value":"b","Type":"String"}`, "ssm"},
		{"POST", "/", "", "application/x-www-form-urlencoded", "Action=ListTopics&Version=2010-03-31&NextToken=1", "sns"},
		{"POST", "/", "", "application/x-www-form-urlencoded", "Action=GetCallerIdentity&Version=2011-06-15", "sts"},
		{"HEAD", "/bucket", "", "", "", "s3"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4], seed[5])
	}
	f.Fuzz(func(t *testing.T, method, target, operation, contentType, body, service string) {
		s := New(Options{FunctionUpdates: time.Minute, Sleep: func(time.Duration) {}})
		check(t, s.AddFunction("f", 1, 2))
		check(t, s.AppendLog("g", "s", noon, `{"a":"bc"}`))
		address, err := url.ParseRequestURI(target)
		if err != nil || !isWord(method) {
			return
		}
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.URL = address
		r.Header = http.Header{"Content-Type": {contentType}, "X-Amz-Target": {operation},
			"Authorization": {"AWS4-HMAC-SHA256 Credential=local/20260301/eu-central-1/" + service + "/aws4_request, SignedHeaders=host, Signature=00"}}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code < 200 || w.Code > 599 || w.Code >= 400 && w.Body.Len() == 0 {
			t.Errorf("%s %s: %d %q", method, target, w.Code, w.Body)
		}
	})
}
