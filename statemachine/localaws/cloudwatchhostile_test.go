package localaws

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// TestLargestPut: CloudWatch takes 1,000 data in a request. With dimensions, that is more parameters than [net/url] reads.
func TestLargestPut(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, w *world) {
		dimensions := make([]types.Dimension, 4)
		for i := range dimensions {
			dimensions[i] = types.Dimension{Name: aws.String(fmt.Sprint("D", i)), Value: aws.String("a&b=c;d+e %")}
		}
		in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("N")}
		for range 1000 {
			in.MetricData = append(in.MetricData, types.MetricDatum{MetricName: aws.String("M"), Value: aws.Float64(2), Timestamp: &noon, Unit: types.StandardUnitCount, Dimensions: dimensions})
		}
		_, err := w.cloudwatch.PutMetricData(t.Context(), in)
		check(t, err)
		const value = "a&b=c;d+e %"
		if got := w.data(t, "N", "M", "Sum", "D0", value, "D1", value, "D2", value, "D3", value); len(got) != 1 || got[0].Value != 2000 {
			t.Errorf("recorded %v", got)
		}
	})
}

// inCBOR returns a request with a body that no client writes.
func inCBOR(operation string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, cloudWatchPath+operation, bytes.NewReader(body))
	r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
	return r
}

// TestDeepRequests: a request that is nested without an end is refused or read. It does not end the process.
func TestDeepRequests(t *testing.T) {
	s := New(Options{})
	unknown := []byte("\xa1\x61x") // a map with one member, that no operation has
	deep := func(head string, levels int) []byte {
		return append(bytes.Clone(unknown), bytes.Repeat([]byte(head), levels)...)
	}
	for name, r := range map[string]*http.Request{
		"arrays":      inCBOR("DescribeAlarms", deep("\x81", 15<<20)),
		"open arrays": inCBOR("DescribeAlarms", deep("\x9f", 15<<20)),
		"maps":        inCBOR("DescribeAlarms", deep("\xa1\x00", 7<<20)),
		"open maps":   inCBOR("DescribeAlarms", deep("\xbf\x61x", 5<<20)),
		"tags":        inCBOR("DescribeAlarms", deep("\xc1", 15<<20)),
		"long heads":  inCBOR("DescribeAlarms", deep("\x9b\x00\x00\x00\x00\x00\x00\x00\x01", 1<<20)),
	} {
		if status, _, body := ask(t, s, r); status != http.StatusBadRequest || !strings.Contains(body, "nested more than") {
			t.Errorf("%s: %d %q", name, status, body)
		}
	}
	if status, _, body := ask(t, s, form("Action=DescribeAlarms&Version=2010-08-01&a"+strings.Repeat(".a", 1<<20)+"=1")); status != http.StatusOK {
		t.Errorf("a deep parameter: %d %s", status, body)
	}
	if tree := parseForm(map[string][]string{"a" + strings.Repeat(".a", deepestParameter+1): {"1"}, "b": {"1"}}); len(tree.children) != 1 {
		t.Errorf("%d parameters are kept, want only the one that is not too deep", len(tree.children))
	}
}

// TestUnreadableForms are refused by CloudWatch, for which they are signed.
func TestUnreadableForms(t *testing.T) {
	for _, body := range []string{"Action=DescribeAlarms&Version=2010-08-01&a=%zz", "Action=DescribeAlarms&Version=2010-08-01;a=b", "%=1"} {
		r := form(body)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260301/eu-central-1/monitoring/aws4_request, SignedHeaders=host, Signature=00")
		if status, _, answer := ask(t, New(Options{}), r); status != http.StatusBadRequest || !strings.Contains(answer, "<Code>MalformedInput</Code>") {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}

// TestPromisedLength: a request allocates what it has, not what its header says.
func TestPromisedLength(t *testing.T) {
	for _, length := range []int64{100 << 30, 1 << 62} {
		r := inCBOR("DescribeAlarms", []byte("\xa0"))
		r.ContentLength = length
		if status, _, body := ask(t, New(Options{}), r); status != http.StatusOK { // a real connection reports what is missing by itself
			t.Errorf("%d bytes: %d %q", length, status, body)
		}
	}
}

// TestCBORDepth: what is large but flat passes, in all forms of CBOR.
func TestCBORDepth(t *testing.T) {
	zeros := strings.Repeat("\x00", smallCBOR)
	nest := func(inner string, levels int) string { return strings.Repeat("\x81", levels) + inner }
	long := fmt.Sprintf("\x5a\x00\x01\x00\x00%s", zeros) // a byte string
	for name, c := range map[string]struct {
		body  string
		taken bool
	}{
		"as deep as may be":      {nest(long, deepestCBOR-1), true},
		"one deeper":             {nest(long, deepestCBOR), false},
		"many shallow ones":      {"\x9f" + strings.Repeat("\x81\x81\xa1\x00\x80\xbf\xff\xc1\x00\x7f\x61a\xff\xf6\xfb\x00\x00\x00\x00\x00\x00\x00\x00", 10_000) + "\xff", true},
		"deep after shallow":     {"\x9f" + strings.Repeat("\x81\x80", 40_000) + strings.Repeat("\x81", 70), false},
		"small":                  {strings.Repeat("\x81", smallCBOR), true},
		"heads within a string":  {"\x5a\x00\x02\x00\x00" + strings.Repeat("\x81", 2*smallCBOR), true},
		"an impossible length":   {"\x5b\xff\xff\xff\xff\xff\xff\xff\xff" + strings.Repeat("\x81", 2*smallCBOR), true},
		"a reserved head":        {"\x1c" + strings.Repeat("\x81", 2*smallCBOR), true},
		"bytes after the value":  {"\xa0" + strings.Repeat("\x81", 2*smallCBOR), true},
		"a break that ends none": {"\xff" + strings.Repeat("\x81", 2*smallCBOR), true},
	} {
		if err := checkCBORDepth([]byte(c.body)); (err == nil) != c.taken {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFillIsBounded: FILL over all time would not fit in memory.
func TestFillIsBounded(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, w *world) {
		fill := func(days int) error {
			_, err := w.cloudwatch.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{StartTime: aws.Time(noon.AddDate(0, 0, -days)), EndTime: aws.Time(noon.AddDate(200, 0, 0)),
				MetricDataQueries: []types.MetricDataQuery{metricQuery("m", "N", "M", "Sum", 60), {Id: aws.String("e"), Expression: aws.String("FILL(m, 0)")}}})
			return err
		}
		check(t, fill(60))
		for _, days := range []int{80, 100_000} { // the SDK cannot write times before 1678 in JSON
			if code, _ := outcome(fill(days)); code != "ValidationError" && code != "ValidationException" {
				t.Errorf("%d days: %s", days, code)
			}
		}
	})
}

// FuzzCBORRequest: no body in CBOR makes CloudWatch panic, and each is answered.
func FuzzCBORRequest(f *testing.F) {
	for i, seed := range []string{"\xa0", "\xbf\xff", "\xf6", "", "\xa1\x61x\x81\x81", "\xa1\x6aAlarmNames\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", "\xa1\x6aAlarmNames\x81\xf6", "\xa1\x69StartTime\xc1\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00",
		"\xa2\x69Namespace\x61N\x6aMetricData\x81\xa2\x6aMetricName\x61M\x65Value\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00"} {
		f.Add(i, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, operation int, body []byte) {
		s := New(Options{})
		name := cloudWatchOperationNames[uint(operation)%uint(len(cloudWatchOperationNames))]
		status, header, answer := ask(t, s, inCBOR(name, body))
		s.EvaluateAlarms()
		if status < 200 || status > 499 || header.Get("Content-Type") != "application/cbor" || status >= 400 && answer == "" {
			t.Errorf("%s %x: %d %v %q", name, body, status, header, answer)
		}
	})
}

// TestCBORErrorsAreAlwaysTheSame, byte for byte: a served AWS compares them after a restart.
func TestCBORErrorsAreAlwaysTheSame(t *testing.T) {
	for _, operation := range []string{"PutMetricData", "Nope"} {
		answers := map[string]bool{}
		for range 50 {
			w := httptest.NewRecorder()
			New(Options{}).ServeHTTP(w, inCBOR(operation, []byte("\xbf\xff")))
			answers[w.Body.String()] = true
		}
		if len(answers) != 1 {
			t.Errorf("%s has %d answers", operation, len(answers))
		}
	}
}
