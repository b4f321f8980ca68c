package localaws

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func TestReadsAreKnownByTheirNames(t *testing.T) {
	changes := []string{
		"CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion", "DeleteFunction", "TagResource", "UntagResource",
		"CreateAlias", "UpdateAlias", "DeleteAlias", "Invoke", "PutProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig",
		"PutParameter", "DeleteParameter", "DeleteParameters", "Publish", "PutEvents", "StartExecution", "StopExecution", "RedriveExecution", "TestState", "PutMetricData",
		"PutMetricAlarm", "PutCompositeAlarm", "DeleteAlarms", "SetAlarmState", "EnableAlarmActions", "DisableAlarmActions",
		"EnableRule", "DisableRule",
	}
	known := map[string]bool{}
	for _, operation := range changes {
		known[operation] = true
	}
	for _, operation := range New(Options{}).Operations() {
		if isRead(operation) == known[operation] {
			t.Errorf("%s reads: %v", operation, isRead(operation))
		}
	}
}

func TestARequestThatNamesNoOperationDoesNotRead(t *testing.T) {
	s := New(Options{})
	for path, want := range map[string]bool{
		"/2015-03-31/functions/":                  true,
		"/2015-03-31/functions/f/aliases/a":       true,
		"/2015-03-31/functions/f/policy":          false,
		"/2015-03-31/functions/f/code?Qualifier=": true,
		"/": false,
	} {
		if got := s.Reads(httptest.NewRequest(http.MethodGet, path, nil)); got != want {
			t.Errorf("GET %s reads: %v", path, got)
		}
	}
}

// readAt reads the duration's sum over HTTP, and returns the answer.
func readAt(t *testing.T, s *Server, serve http.HandlerFunc) (float64, string) {
	t.Helper()
	var id string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve(w, r)
		id = w.Header().Get("X-Amzn-Requestid")
	}))
	defer server.Close()
	out, err := cloudwatch.NewFromConfig(s.ConfigAt(server.URL)).GetMetricStatistics(context.Background(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Duration"), Dimensions: []types.Dimension{{Name: aws.String("FunctionName"), Value: aws.String("f")}},
		StartTime: aws.Time(s.options.Now().Truncate(time.Minute)), EndTime: aws.Time(s.options.Now().Add(time.Minute)), Period: aws.Int32(60), Statistics: []types.Statistic{"Sum"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Datapoints) == 0 {
		return 0, id
	}
	return *out.Datapoints[0].Sum, id
}

func TestReadsLeaveNoTrace(t *testing.T) {
	sumAfter := func(between func(*Server) http.HandlerFunc) (sum float64, id string) {
		now := time.Date(2026, 1, 1, 0, 0, 50, 0, time.UTC)
		called := 0
		s := New(Options{Now: func() time.Time { return now }, BeforeCall: func(string) { called++ }, OnCall: func(Call) { called++ }})
		if err := s.AddFunction("f", 1); err != nil {
			t.Fatal(err)
		}
		if err := s.AddAlias("f", "a", "1", ""); err != nil {
			t.Fatal(err)
		}
		for i, took := range []time.Duration{100 * time.Microsecond, 200 * time.Microsecond, 300 * time.Microsecond} {
			if err := s.RecordInvocations(Invocations{Function: "f", Alias: "a", Version: "1", At: now.Add(-time.Duration(10*i+5) * time.Second), Invocations: 1,
				Duration: DurationStats{Sum: took, Minimum: took, Maximum: took}}); err != nil {
				t.Fatal(err)
			}
			if between != nil {
				readAt(t, s, between(s))
			}
		}
		if sum, id = readAt(t, s, s.ServeHTTP); called != 2 && between == nil {
			t.Errorf("the hooks were called %d times", called)
		}
		return sum, id
	}
	want, wantID := sumAfter(nil)
	if got, id := sumAfter(func(s *Server) http.HandlerFunc { return s.ServeRead }); got != want || id != wantID {
		t.Errorf("after reads, the sum is %v and the next request id %s, want %v and %s", got, id, want, wantID)
	}
	if got, id := sumAfter(func(s *Server) http.HandlerFunc { return s.ServeHTTP }); got == want || id == wantID {
		t.Errorf("calls that leave a trace have no effect, so that the test shows nothing: %v, %s", got, id)
	}
}

func TestARefusalIsInTheProtocolOfTheRequest(t *testing.T) {
	s := New(Options{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Refuse(w, r, "no space") }))
	defer server.Close()
	_, err := cloudwatch.NewFromConfig(s.ConfigAt(server.URL)).PutMetricData(context.Background(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("n"), MetricData: []types.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1)}}})
	if err == nil || !strings.Contains(err.Error(), "StatusCode: 503") || !strings.Contains(err.Error(), "no space") {
		t.Errorf("the error is %v", err)
	}
}
