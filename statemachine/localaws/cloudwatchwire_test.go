package localaws

import (
	"bytes"
	"compress/gzip"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// protocolNames are the protocols that CloudWatch speaks.
var protocolNames = []string{"CBOR", "JSON", "Query"}

// speaking returns the SDK's client for CloudWatch, in one of the protocols.
func speaking(cfg aws.Config, protocol string) *cloudwatch.Client {
	return cloudwatch.NewFromConfig(cfg, func(o *cloudwatch.Options) {
		switch protocol {
		case "JSON":
			o.Protocol = awsjson.New10(schemas.GraniteServiceVersion20100801)
		case "Query":
			o.Protocol = awsquery.New(schemas.GraniteServiceVersion20100801)
		}
	})
}

// inEachProtocol runs the test over a socket in each protocol, each time in a new world.
func inEachProtocol(t *testing.T, test func(*testing.T, *world)) {
	for _, protocol := range protocolNames {
		t.Run(protocol, func(t *testing.T) {
			w := newWorld(t, Options{})
			socket := httptest.NewServer(w.Server)
			t.Cleanup(socket.Close)
			w.cloudwatch = speaking(w.ConfigAt(socket.URL), protocol)
			test(t, w)
		})
	}
}

// TestProtocolsAgree: the protocols give the same answers to the same requests.
func TestProtocolsAgree(t *testing.T) {
	ignored := []cmp.Option{cmpopts.IgnoreTypes(middleware.Metadata{}), cmpopts.IgnoreUnexported(cloudwatch.GetMetricDataOutput{}, cloudwatch.DescribeAlarmsOutput{}, cloudwatch.GetMetricStatisticsOutput{},
		cloudwatch.ListMetricsOutput{}, types.MetricDataResult{}, types.MetricAlarm{}, types.CompositeAlarm{}, types.Dimension{}, types.Datapoint{}, types.Metric{}, types.MetricDataQuery{}, types.MetricStat{}),
		cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(time.Microsecond)}
	text := rapid.StringMatching(`[ -~]{0,8}[!-~]`)
	rapid.Check(t, func(t *rapid.T) {
		clock := &virtualClock{now: noon}
		s := New(Options{Now: clock.Now, Sleep: clock.Sleep})
		name, value := "D"+text.Draw(t, "dimension"), text.Draw(t, "value")
		dimensions := []types.Dimension{{Name: &name, Value: &value}}
		write := speaking(s.Config(), rapid.SampledFrom(protocolNames).Draw(t, "writer"))
		for range rapid.IntRange(0, 5).Draw(t, "values") {
			at := noon.Add(time.Duration(rapid.IntRange(-600, 0).Draw(t, "at")) * time.Second)
			_, err := write.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("N"), MetricData: []types.MetricDatum{{
				MetricName: aws.String("M"), Dimensions: dimensions, Timestamp: &at, Value: aws.Float64(rapid.Float64Range(-1e12, 1e12).Draw(t, "value")),
				Unit: rapid.SampledFrom([]types.StandardUnit{"Count", "Seconds"}).Draw(t, "unit"), StorageResolution: aws.Int32(rapid.SampledFrom([]int32{1, 60}).Draw(t, "resolution")),
			}}})
			must(t, err)
		}
		description := rapid.StringMatching(`[ -~äß<&"'\n]{0,20}`).Draw(t, "description")
		_, err := write.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String("a" + text.Draw(t, "alarm")), AlarmDescription: &description, Threshold: aws.Float64(rapid.Float64Range(-1e9, 1e9).Draw(t, "threshold")),
			Namespace: aws.String("N"), MetricName: aws.String("M"), Dimensions: dimensions, Statistic: "Sum", Period: aws.Int32(60), EvaluationPeriods: aws.Int32(2),
			ComparisonOperator: types.ComparisonOperatorLessThanThreshold, ActionsEnabled: aws.Bool(rapid.Bool().Draw(t, "enabled"))})
		must(t, err)
		s.EvaluateAlarms()
		get := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(noon.Add(-12 * time.Minute)), EndTime: aws.Time(noon.Add(time.Minute)), MetricDataQueries: []types.MetricDataQuery{
			{Id: aws.String("m"), Label: &description, MetricStat: &types.MetricStat{Metric: &types.Metric{Namespace: aws.String("N"), MetricName: aws.String("M"), Dimensions: dimensions},
				Period: aws.Int32(rapid.SampledFrom([]int32{1, 10, 60, 300}).Draw(t, "period")), Stat: aws.String(rapid.SampledFrom([]string{"Sum", "Average", "p50"}).Draw(t, "stat"))}},
			{Id: aws.String("e"), Expression: aws.String("m * 2")}}}
		statistics := &cloudwatch.GetMetricStatisticsInput{StartTime: get.StartTime, EndTime: get.EndTime, Namespace: aws.String("N"), MetricName: aws.String("M"), Dimensions: dimensions,
			Period: aws.Int32(60), Statistics: []types.Statistic{"Sum", "Maximum"}, ExtendedStatistics: []string{"p99"}}
		var first []any
		for _, protocol := range protocolNames {
			c := speaking(s.Config(), protocol)
			data, err := c.GetMetricData(t.Context(), get)
			must(t, err)
			alarms, err := c.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
			must(t, err)
			points, err := c.GetMetricStatistics(t.Context(), statistics)
			must(t, err)
			metrics, err := c.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Dimensions: []types.DimensionFilter{{Name: &name, Value: &value}}})
			must(t, err)
			all := []any{data, alarms, points, metrics}
			if first == nil {
				first = all
			}
			if diff := cmp.Diff(first, all, ignored...); diff != "" {
				t.Fatalf("%s differs from CBOR: %s", protocol, diff)
			}
			if len(alarms.MetricAlarms) != 1 || *alarms.MetricAlarms[0].AlarmDescription != description || len(data.MetricDataResults) != 2 {
				t.Fatalf("%s: %d alarms, %d results", protocol, len(alarms.MetricAlarms), len(data.MetricDataResults))
			}
		}
	})
}

func must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestProtocolErrors: each protocol gives the same code, text and status, in its own form.
func TestProtocolErrors(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, w *world) {
		_, err := w.cloudwatch.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("gone"), StateValue: "OK", StateReason: aws.String("r")})
		if code, status := outcome(err); code != "ResourceNotFound" || status != 404 {
			t.Errorf("a missing alarm: %d %s", status, code)
		}
		_, err = w.cloudwatch.ListDashboards(t.Context(), &cloudwatch.ListDashboardsInput{})
		if code, _ := outcome(err); code != "UnknownOperationException" && code != "InvalidAction" || !strings.Contains(err.Error(), "ListDashboards") {
			t.Errorf("an unknown operation: %v", err)
		}
		_, err = w.cloudwatch.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{AlarmName: aws.String("a"), ComparisonOperator: "x", EvaluationPeriods: aws.Int32(1)})
		// In the query protocol, the SDK names the error by its type and not by its code.
		if code, status := outcome(err); code != "ValidationError" && code != "ValidationException" || status != 400 {
			t.Errorf("an unknown operator: %d %s", status, code)
		}
		injected, faulty := w.Inject(Fault{Operation: "DescribeAlarms", Kind: ServerError})
		check(t, faulty)
		_, err = w.cloudwatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
		if _, status := outcome(err); status != 500 || injected.Fired() != 1 {
			t.Errorf("a fault: %v", err)
		}
	})
}

// ask makes a request without a client, and returns the answer's status, header and body.
func ask(t *testing.T, s *Server, r *http.Request) (int, http.Header, string) {
	t.Helper()
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, r)
	body, err := io.ReadAll(answer.Body)
	check(t, err)
	return answer.Code, answer.Result().Header, string(body)
}

func form(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

// TestQueryOnTheWire holds the query protocol to the form that AWS documents.
func TestQueryOnTheWire(t *testing.T) {
	s := New(Options{Now: func() time.Time { return noon }})
	check(t, s.AddAlarm("a", false))
	const version = "&Version=2010-08-01"
	for _, c := range []struct {
		name    string
		request *http.Request
		status  int
		wants   []string
	}{
		{"an answer", form("Action=DescribeAlarms&AlarmNames.member.1=a" + version), 200, []string{
			`<DescribeAlarmsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><DescribeAlarmsResult>`, "<MetricAlarms><member>", "<AlarmName>a</AlarmName>",
			"<StateUpdatedTimestamp>2026-03-01T12:00:00.000Z</StateUpdatedTimestamp>", "<CompositeAlarms></CompositeAlarms>", "<ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000001</RequestId></ResponseMetadata>"}},
		{"a URL", httptest.NewRequest(http.MethodGet, "/?Action=DescribeAlarms"+version, nil), 200, []string{"<AlarmName>a</AlarmName>"}},
		{"no output", form("Action=PutMetricData&Namespace=N&MetricData.member.1.MetricName=M&MetricData.member.1.Value=1.5e1&MetricData.member.1.Timestamp=2026-03-01T12%3A00%3A00" + version), 200,
			[]string{"<PutMetricDataResponse ", "<ResponseMetadata>"}},
		{"what was put", form("Action=GetMetricStatistics&Namespace=N&MetricName=M&StartTime=2026-03-01T11:00:00Z&EndTime=2026-03-01T13:00:00%2B00:00&Period=60&Statistics.member.1=Sum" + version), 200,
			[]string{"<Timestamp>2026-03-01T12:00:00.000Z</Timestamp>", "<Sum>15.0</Sum>", "<Unit>None</Unit>"}},
		{"an error", form("Action=SetAlarmState&AlarmName=a&StateReason=x&StateValue=RED" + version), 400, []string{
			`<ErrorResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>`, "&#39;RED&#39;", "</Error><RequestId>0000"}},
		{"an unknown action", form("Action=Sing" + version), 400, []string{"<Code>InvalidAction</Code>", "Sing"}},
		{"no action", form("Action=" + version), 400, []string{"<Code>MissingAction</Code>"}},
		{"a word for a number", form("Action=DescribeAlarms&MaxRecords=many" + version), 400, []string{"<Code>MalformedInput</Code>", "many"}},
		{"a value for a list", form("Action=DescribeAlarms&AlarmNames=a" + version), 400, []string{"<Code>MalformedInput</Code>", "a list is expected"}},
		{"a list without numbers", form("Action=DescribeAlarms&AlarmNames.member.first=a" + version), 400, []string{"<Code>MalformedInput</Code>", "first"}},
		{"a structure for a value", form("Action=DescribeAlarms&StateValue.x=a" + version), 400, []string{"<Code>MalformedInput</Code>"}},
		{"an empty list", form("Action=DescribeAlarms&AlarmNames=" + version), 200, []string{"<AlarmName>a</AlarmName>"}},
		{"numbers with gaps", form("Action=DescribeAlarms&AlarmNames.member.12=a&AlarmNames.member.3=b" + version), 200, []string{"<AlarmName>a</AlarmName>"}},
	} {
		if status, _, body := ask(t, s, c.request); status != c.status {
			t.Errorf("%s: %d %s", c.name, status, body)
		} else {
			for _, want := range c.wants {
				if !strings.Contains(body, want) {
					t.Errorf("%s: %s, want %s", c.name, body, want)
				}
			}
		}
	}
}

// TestJSONOnTheWire: times are seconds, and the query protocol's error code is in a header if the client asks for it.
func TestJSONOnTheWire(t *testing.T) {
	s := New(Options{Now: func() time.Time { return noon }})
	check(t, s.AddAlarm("a", false))
	call := func(operation, body string, mode ...string) (int, http.Header, string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		r.Header.Set("X-Amz-Target", cloudWatchTarget+operation)
		if len(mode) > 0 {
			r.Header.Set("X-Amzn-Query-Mode", mode[0])
		}
		return ask(t, s, r)
	}
	if status, header, body := call("DescribeAlarms", ""); status != 200 || !strings.Contains(body, `"StateUpdatedTimestamp":1772366400`) || header.Get("Content-Type") != "application/x-amz-json-1.0" {
		t.Errorf("%d %v %s", status, header, body)
	}
	if status, _, body := call("DeleteAlarms", `{"AlarmNames":["a"],"Unknown":[{}]}`); status != 200 || body != "{}" {
		t.Errorf("no output: %d %s", status, body)
	}
	const gone = `{"AlarmNames":["a"]}`
	status, header, body := call("DeleteAlarms", gone, "true")
	if status != 404 || header.Get("X-Amzn-Query-Error") != "ResourceNotFound;Sender" || !strings.Contains(body, `"__type":"com.amazonaws.cloudwatch#ResourceNotFound"`) {
		t.Errorf("an error: %d %v %s", status, header, body)
	}
	if _, header, _ := call("DeleteAlarms", gone); header.Get("X-Amzn-Query-Error") != "" {
		t.Errorf("an error has a header that was not asked for: %v", header)
	}
	for _, body := range []string{"[]", "null", "{", `{"AlarmNames":{}}`, `{"AlarmNames":[1]}`, `"x"`, `{} {}`} {
		if status, _, answer := call("DeleteAlarms", body); status != 400 || !strings.Contains(answer, "SerializationException") {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	if status, _, answer := call("PutMetricAlarm", `{"AlarmName":"w","EvaluationWindow":{"SlidingWindow":{}}}`); status != 400 || !strings.Contains(answer, "does not support the parameter EvaluationWindow") {
		t.Errorf("an unsupported parameter: %d %s", status, answer)
	}
}

// TestCompressedRequests: bodies may be compressed, in each protocol, but not without limit.
func TestCompressedRequests(t *testing.T) {
	compressed := func(body string) *bytes.Buffer {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write([]byte(body))
		check(t, err)
		check(t, z.Close())
		return &b
	}
	s := New(Options{Now: func() time.Time { return noon }})
	query := func(body string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/", compressed(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Content-Encoding", "gzip")
		return r
	}
	put := url.Values{"Action": {"PutMetricData"}, "Version": {"2010-08-01"}, "Namespace": {"N"}, "MetricData.member.1.MetricName": {"M"}, "MetricData.member.1.Value": {"1"}}
	if status, _, body := ask(t, s, query(put.Encode())); status != 200 {
		t.Errorf("Query: %d %s", status, body)
	}
	inJSON := func(body *bytes.Buffer, encoding string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/", body)
		r.Header.Set("X-Amz-Target", cloudWatchTarget+"PutMetricData")
		r.Header.Set("Content-Encoding", encoding)
		return r
	}
	if status, _, body := ask(t, s, inJSON(compressed(`{"Namespace":"N","MetricData":[{"MetricName":"M","Value":2}]}`), "gzip")); status != 200 {
		t.Errorf("JSON: %d %s", status, body)
	}
	for name, r := range map[string]*http.Request{
		"a bomb":              inJSON(compressed(strings.Repeat(" ", 17<<20)), "gzip"),
		"not compressed":      inJSON(bytes.NewBufferString("{}"), "gzip"),
		"another compression": inJSON(bytes.NewBufferString("{}"), "br"),
	} {
		if status, _, body := ask(t, s, r); status != 400 {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	w := &world{Server: s, cloudwatch: cloudwatch.NewFromConfig(s.Config())}
	if got := w.data(t, "N", "M", "Sum"); len(got) != 1 || got[0].Value != 3 {
		t.Errorf("recorded %v", got)
	}
}

func TestFormatDouble(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0.0", 1: "1.0", -2.5: "-2.5", 0.001: "0.001", 0.0001: "1.0E-4", 1e7: "1.0E7", 12345678: "1.2345678E7", 9999999: "9999999.0", -1.5e-10: "-1.5E-10",
		math.Inf(1): "Infinity", math.Inf(-1): "-Infinity", 1e100: "1.0E100",
	} {
		if got := formatDouble(value); got != want {
			t.Errorf("%v is written %s, want %s", value, got, want)
		}
	}
	if got := formatDouble(math.NaN()); got != "NaN" {
		t.Error(got)
	}
}
