package localaws

import (
	"fmt"
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

// FuzzCloudWatchRequest: no form and no JSON makes CloudWatch panic, and each is answered in its protocol.
func FuzzCloudWatchRequest(f *testing.F) {
	for _, seed := range []string{
		"Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1=a", "Action=PutMetricAlarm&Version=2010-08-01&AlarmName=b&Metrics.member.1.MetricStat.Metric.MetricName=x&Metrics.member.1.Id=m",
		"Action=GetMetricData&Version=2010-08-01&StartTime=2026&MetricDataQueries.member.0=", "Action=PutCompositeAlarm&Version=2010-08-01&AlarmName=c&AlarmRule=NOT+(ALARM(a)+OR",
		"Action=PutMetricData&Version=2010-08-01&MetricData.member.1.Dimensions..=1", `DescribeAlarmHistory {"MaxRecords":1,"StartDate":1e300,"NextToken":"MQ"}`, `ListMetrics {"Dimensions":[null]}`,
		`PutMetricAlarm {"AlarmName":"d","Metrics":[{"Id":"m","MetricStat":null},null],"Threshold":"NaN"}`, `GetMetricStatistics {"Namespace":"N","Period":1,"StartTime":-1e18,"EndTime":1}`, `DeleteAlarms nul`,
		`PutMetricAlarm {"AlarmName":"d","Namespace":"N","MetricName":"M","Statistic":"Sum","Period":60,"EvaluationPeriods":1440,"Threshold":1,"ComparisonOperator":"GreaterThanThreshold"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := New(Options{Now: func() time.Time { return noon }})
		check(t, s.AddAlarm("a", false))
		r, want := form(text), "text/xml"
		if operation, body, ok := strings.Cut(text, " "); ok {
			r, want = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), "application/x-amz-json-1.0"
			r.Header.Set("X-Amz-Target", cloudWatchTarget+operation)
		}
		status, header, body := ask(t, s, r)
		s.EvaluateAlarms()
		if status < 200 || status > 500 || body == "" {
			t.Errorf("%q: %d %q", text, status, body)
		}
		if known := header.Get("Content-Type"); known != want && !strings.HasPrefix(known, "application/json") {
			t.Errorf("%q: %s", text, fmt.Sprint(header))
		}
	})
}
