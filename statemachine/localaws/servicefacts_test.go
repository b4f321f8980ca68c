package localaws

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// serviceFact is what AWS was recorded doing: in words, and as a request with its answer. A local AWS that answers otherwise
// on purpose has the reason in Differs.
type serviceFact struct {
	Did, Date     string
	Given         []serviceRequest // what precedes the request
	Request       string
	Body, Answer  any
	Status        int
	Code, Message string
	Differs       string
}

// serviceRequest is a request: the method and path of Lambda, or another service's operation; "wait" lets a minute pass.
type serviceRequest struct {
	Request string
	Body    any
}

// TestRecordedFactsOfServices makes each recorded request in a new account with the function "shop", which has the versions 1 and 2 and
// the alias "live", and the topic "news".
func TestRecordedFactsOfServices(t *testing.T) {
	for _, area := range []string{"lambda", "sns", "events", "ssm", "cloudwatch", "states"} {
		t.Run(area, func(t *testing.T) {
			agree, refused, differ := 0, 0, 0
			for _, fact := range readServiceFacts(t, area) {
				got := replayServiceFact(t, area, fact)
				diff := got.differs(fact)
				switch {
				case diff == "" && fact.Differs != "":
					t.Errorf("%s It agrees now: drop the reason.", fact.Did)
				case diff == "":
					agree++
				case strings.Contains(strings.ToLower(got.message), "the local aws does not support"):
					refused++
				case fact.Differs != "":
					differ++
				default:
					t.Errorf("%s (%s): %s", fact.Did, fact.Request, diff)
				}
			}
			t.Logf("recorded facts of %s: %d agree, %d refused by name, %d differ for listed reasons", area, agree, refused, differ)
		})
	}
}

// TestServiceFactsCanDiffer holds the comparison to what it is for.
func TestServiceFactsCanDiffer(t *testing.T) {
	got := serviceAnswer{status: 200, body: map[string]any{"a": "1", "b": json.Number("2")}}
	for name, fact := range map[string]serviceFact{
		"another status":     {Status: 201, Answer: map[string]any{"a": "1", "b": json.Number("2")}},
		"a refusal":          {Status: 200, Code: "X"},
		"another value":      {Status: 200, Answer: map[string]any{"a": "2", "b": json.Number("2")}},
		"a missing field":    {Status: 200, Answer: map[string]any{"a": "1", "b": json.Number("2"), "c": "*"}},
		"one field too many": {Status: 200, Answer: map[string]any{"a": "1"}},
	} {
		if got.differs(fact) == "" {
			t.Errorf("%s is not noticed", name)
		}
	}
	if diff := got.differs(serviceFact{Status: 200, Answer: map[string]any{"a": "*", "b": "*"}}); diff != "" {
		t.Errorf("the same: %s", diff)
	}
	refusal := serviceAnswer{status: 400, code: "X", message: "no (1) at all"}
	for message, same := range map[string]bool{"no (1) at all": true, "no (*) at all": true, "no (2) at all": false, "no": false} {
		if diff := refusal.differs(serviceFact{Status: 400, Code: "X", Message: message}); (diff == "") != same {
			t.Errorf("%q: %q", message, diff)
		}
	}
}

func readServiceFacts(t *testing.T, area string) []serviceFact {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "recorded", area+".json"))
	check(t, err)
	defer file.Close()
	var table struct {
		Source string
		Facts  []serviceFact
	}
	decoder := json.NewDecoder(file)
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	check(t, decoder.Decode(&table))
	if table.Source == "" || len(table.Facts) == 0 {
		t.Fatalf("%s has no facts or no source", file.Name())
	}
	for _, fact := range table.Facts {
		if _, err := time.Parse(time.DateOnly, fact.Date); err != nil || fact.Did == "" {
			t.Errorf("%s: %q of %q has no words or no date", area, fact.Request, fact.Date)
		}
	}
	return table.Facts
}

// serviceAnswer is an answer of the local AWS.
type serviceAnswer struct {
	status        int
	code, message string
	body          any
}

// differs returns how an answer differs from what AWS did; empty if it does not.
func (a serviceAnswer) differs(fact serviceFact) string {
	if a.status != fact.Status || a.code != fact.Code {
		return fmt.Sprintf("%d %s %q, on AWS %d %s", a.status, a.code, a.message, fact.Status, fact.Code)
	}
	if fact.Code != "" {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(fact.Message), `\*`, ".*")
		if fact.Message != a.message && !regexp.MustCompile("^"+pattern+"$").MatchString(a.message) {
			return fmt.Sprintf("the text %q, on AWS %q", a.message, fact.Message)
		}
		return ""
	}
	if fact.Answer == nil {
		return ""
	}
	return cmp.Diff(fact.Answer, blankVarying(fact.Answer, a.body))
}

// blankVarying returns a value with "*" in each place where that stands in the wanted one.
func blankVarying(want, got any) any {
	switch want := want.(type) {
	case string:
		if want == "*" && got != nil {
			return "*"
		}
	case map[string]any:
		if fields, ok := got.(map[string]any); ok {
			out := map[string]any{}
			for name, value := range fields {
				out[name] = blankVarying(want[name], value)
			}
			return out
		}
	case []any:
		if items, ok := got.([]any); ok && len(items) == len(want) {
			out := make([]any, len(items))
			for i := range items {
				out[i] = blankVarying(want[i], items[i])
			}
			return out
		}
	}
	return got
}

func replayServiceFact(t *testing.T, area string, fact serviceFact) serviceAnswer {
	t.Helper()
	clock := &virtualClock{now: noon}
	s := New(Options{Now: clock.Now, Sleep: clock.Sleep, FunctionUpdates: time.Second, Executions: &machine{now: clock.Now}})
	addTopic(t, s, "news")
	before := fact.Given
	if area == "lambda" {
		shop := []serviceRequest{
			{"POST /2015-03-31/functions/", map[string]any{"FunctionName": "shop", "Runtime": "python3.12", "Handler": "app.handler",
				"Role": "arn:aws:iam::123456789012:role/shop", "Code": map[string]any{"ZipFile": archive("0")}, "Publish": true}},
			{"wait", nil},
			{"PUT /2015-03-31/functions/shop/code", map[string]any{"ZipFile": archive("1"), "Publish": true}},
			{"wait", nil},
			{"POST /2015-03-31/functions/shop/aliases", map[string]any{"Name": "live", "FunctionVersion": "1", "Description": "customers"}},
		}
		before = append(shop, before...)
	}
	for _, r := range before {
		if r.Request == "wait" {
			clock.Sleep(time.Minute)
			continue
		}
		if got := callRaw(t, s, area, r); got.status >= 300 {
			t.Fatalf("%s: before it, %s: %d %s %s", fact.Did, r.Request, got.status, got.code, got.message)
		}
	}
	return callRaw(t, s, area, serviceRequest{fact.Request, fact.Body})
}

// callRaw makes a request in its service's protocol.
func callRaw(t *testing.T, s *Server, area string, in serviceRequest) serviceAnswer {
	t.Helper()
	method, path, _ := strings.Cut(in.Request, " ")
	var body string
	header := http.Header{"Content-Type": {"application/x-amz-json-1.1"}}
	switch area {
	case "sns":
		form := url.Values{"Action": {in.Request}, "Version": {"2010-03-31"}}
		for name, value := range in.Body.(map[string]any) {
			text, times, repeated := strings.Cut(value.(string), "*")
			if n, err := strconv.Atoi(times); repeated && err == nil {
				text = strings.Repeat(text, n)
			}
			form.Set(name, text)
		}
		method, path, body = http.MethodPost, "/", form.Encode()
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	case "events", "ssm", "cloudwatch", "states":
		content, err := json.Marshal(in.Body)
		check(t, err)
		method, path, body = http.MethodPost, "/", string(content)
		header.Set("X-Amz-Target", map[string]string{"events": "AWSEvents.", "ssm": "AmazonSSM.", "cloudwatch": cloudWatchTarget, "states": stepFunctionsTarget}[area]+in.Request)
		header.Set("X-Amzn-Query-Mode", "true")
	default:
		if in.Body != nil {
			content, err := json.Marshal(in.Body)
			check(t, err)
			body = strings.Replace(string(content), `"ZipFile":"zip"`, `"ZipFile":"`+base64.StdEncoding.EncodeToString(archive("2"))+`"`, 1)
		}
	}
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header = header
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return readAnswer(t, w.Result())
}

// readAnswer reads an answer in JSON or XML.
func readAnswer(t *testing.T, r *http.Response) serviceAnswer {
	t.Helper()
	content, err := io.ReadAll(r.Body)
	check(t, err)
	out := serviceAnswer{status: r.StatusCode}
	if r.Header.Get("Content-Type") == "text/xml" {
		var answer struct {
			MessageID string `xml:"PublishResult>MessageId"`
			Code      string `xml:"Error>Code"`
			Message   string `xml:"Error>Message"`
		}
		check(t, xml.Unmarshal(content, &answer))
		out.code, out.message, out.body = answer.Code, answer.Message, map[string]any{"MessageId": answer.MessageID}
		return out
	}
	if len(content) == 0 {
		return out
	}
	decoder := json.NewDecoder(strings.NewReader(string(content)))
	decoder.UseNumber()
	check(t, decoder.Decode(&out.body))
	if r.StatusCode >= 300 {
		fields := out.body.(map[string]any)
		out.code, _ = fields["__type"].(string)
		if code := r.Header.Get("X-Amzn-Errortype"); code != "" {
			out.code = code
		}
		if code, _, ok := strings.Cut(r.Header.Get("X-Amzn-Query-Error"), ";"); ok {
			out.code = code
		}
		for _, name := range []string{"message", "Message"} {
			if text, ok := fields[name].(string); ok {
				out.message = text
			}
		}
	}
	return out
}
