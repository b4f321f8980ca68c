package console

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// bad is a scenario in which 30% of the requests to the new version fail.
const bad = `{"new-version": {"error-rate": 0.3}}`

// caller asks a console as a browser does.
type caller struct {
	t *testing.T
	h http.Handler
}

func callerOf(t *testing.T, o Options) caller {
	t.Helper()
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return caller{t, h}
}

// get returns a page's text, after a check of its status.
func (c caller) get(status int, path string, query ...string) string {
	c.t.Helper()
	return c.ask(status, http.MethodGet, path, nil, query...).Body.String()
}

// post sends a form as a page of the console does.
func (c caller) post(status int, path string, form ...string) *httptest.ResponseRecorder {
	c.t.Helper()
	return c.ask(status, http.MethodPost, path, map[string]string{"Sec-Fetch-Site": "same-origin"}, form...)
}

func (c caller) ask(status int, method, path string, header map[string]string, pairs ...string) *httptest.ResponseRecorder {
	c.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	target, body := "http://127.0.0.1:8080"+prefix+path, io.Reader(nil)
	if method == http.MethodGet {
		target += "?" + values.Encode()
	} else {
		body = strings.NewReader(values.Encode())
	}
	r := httptest.NewRequest(method, target, body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range header {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	if w.Code != status {
		c.t.Errorf("%s %s answers %d, want %d: %.600s", method, path, w.Code, status, w.Body)
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'") {
		c.t.Errorf("%s %s has the policy %q", method, path, policy)
	}
	return w
}

// holds checks that a page has texts, as they stand after escaping.
func holds(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, html.EscapeString(text)) && !strings.Contains(page, text) {
			t.Errorf("%q is not on the page:\n%.3000s", text, page[strings.Index(page, "<main"):])
		}
	}
}

func TestARolloutFromStartToRedrive(t *testing.T) {
	w := newWorld(t, bad)
	c := callerOf(t, w.options())
	holds(t, c.get(200, ""), "There are no executions.", "ExecutionsFailed", "INSUFFICIENT_DATA")
	started := c.post(http.StatusSeeOther, "start", "name", "r1", "function-name", "MyFunction", "alias-name", "MyAlias", "new-version", "2", "steps", "5", "interval", "120")
	if to := started.Header().Get("Location"); to != prefix+"execution?did=started&name=r1" {
		t.Errorf("the start leads to %s", to)
	}
	w.advance(time.Second)
	holds(t, c.get(200, "execution", "name", "r1", "did", "started"), "The execution was started.", "In the state Wait; step 1 of 5, 20% of the traffic on version 2.",
		`id="routing">version 1 with 20% on version 2`, "▶ Wait", `data-every="1"`, "Stop it", "Rollout started", "Steer")
	holds(t, c.get(200, "start", "from", "r1"), `value="MyFunction"`, `value="5"`)
	c.post(http.StatusSeeOther, "order", "name", "r1", "owner", "r1", "command", "advance")
	if to := c.post(http.StatusSeeOther, "advance", "by", "1m", "back", prefix+"execution?name=r1").Header().Get("Location"); to != prefix+"execution?did=advanced&name=r1" {
		t.Errorf("moving on leads to %s", to)
	}
	page := c.get(200, "execution", "name", "r1")
	holds(t, page, "Unhealthy", "It decided <b id=\"decision\">roll-back</b>", "fails", "version 2 failed", "advance</b> by", ": overruled: the check found harm",
		`id="routing">version 1</b>`, "Redrive", "ExecutionsFailed", "Threshold Crossed", `class="node taken"`, "Requests per minute", "Error rate", "ExecutionFailed", `data-every="5"`)
	if strings.Contains(page, "Stop it") || strings.Contains(page, "▶ ") && strings.Contains(page, `taken current`) {
		t.Error("an execution that ended is shown as running")
	}
	w.advance(time.Minute)
	holds(t, c.get(200, ""), "failed", "RolloutExecutionsFailed", "▲", " ALARM</td>")
	holds(t, c.get(200, "", "status", "RUNNING"), "There are no executions with this status.")
	holds(t, c.get(200, "notifications"), "Rollout started")
	c.post(http.StatusSeeOther, "redrive", "name", "r1")
	w.advance(time.Second)
	holds(t, c.get(200, "execution", "name", "r1"), "ExecutionRedriven", "<dt>redrives</dt><dd><strong>1</strong>")
	c.post(http.StatusSeeOther, "start", "name", "r2", "json", example)
	w.advance(time.Second)
	c.post(http.StatusSeeOther, "stop", "name", "r2", "cause", "<enough>")
	holds(t, c.get(200, "execution", "name", "r2"), "stopped", "<enough>", "ExecutionAborted")
}

func TestVisitsHaveTheirData(t *testing.T) {
	w := newWorld(t, bad)
	c := callerOf(t, w.options())
	c.post(http.StatusSeeOther, "start", "name", "r1", "json", example)
	w.advance(10 * time.Minute)
	page := c.get(200, "visit", "name", "r1", "event", "2")
	holds(t, page, "CalculateWeights, visit 1 of 1", "left after", `"function-name": "MyFunction"`, "Attempt 1", `"execution":`, "What attempt 1 answered", "LambdaFunctionScheduled")
	last := regexp.MustCompile(`id="visit-(\d+)"`).FindStringSubmatch(c.get(200, "execution", "name", "r1"))
	holds(t, c.get(200, "visit", "name", "r1", "event", last[1]), "Rolled back, visit 1 of 1", "the execution ended in it")
	for _, event := range []string{"", "0", "-1", "3", "99999999999999999999", "2 "} {
		holds(t, c.get(404, "visit", "name", "r1", "event", event), "There is no such page.")
	}
}

func TestUnknownIsNotFound(t *testing.T) {
	w := newWorld(t, `{}`)
	c := callerOf(t, w.options())
	for _, name := range []string{"none", "..", "a b", "<script>", "a:b", strings.Repeat("ü", 41), ""} {
		page := c.get(404, "execution", "name", name)
		if strings.Contains(page, "<script>") {
			t.Errorf("%q is not escaped", name)
		}
	}
	holds(t, c.get(404, "nowhere"), "There is no such page.")
	holds(t, c.get(404, "static/none.js"), "There is no such page.")
	holds(t, c.get(200, "static/live.js"), "Idiomorph.morph")
	holds(t, c.get(200, "static/console.css"), "prefers-color-scheme: dark", ".problems")
	holds(t, c.get(502, "", "status", "WRONG"), "AWS answered ValidationException")
	holds(t, c.get(502, "", "next", "wrong"), "AWS answered InvalidToken")
	holds(t, c.post(http.StatusNotFound, "stop", "name", "none").Body.String(), "AWS answered ExecutionDoesNotExist")
	holds(t, c.post(http.StatusNotFound, "order", "name", "none", "command", "advance").Body.String(), "AWS answered ExecutionDoesNotExist")
	holds(t, c.post(http.StatusBadRequest, "order", "name", "none", "command", "destroy").Body.String(), "There is no such order.")
	holds(t, c.post(http.StatusBadRequest, "advance", "by", "-1h").Body.String(), "Time can't be moved on by that.")
}

// TestHostileTexts gives everything that a user can give the form of a script.
func TestHostileTexts(t *testing.T) {
	const evil = "\"><script>alert(1)</script>\u202egnp.\u2066\ufeff\u0085"
	w := newWorld(t, `{}`)
	o := w.options()
	o.Notifications = func() []Notification {
		return []Notification{{evil, evil, "eu-central-1" + evil + "arn:aws:states:eu-central-1:123456789012:execution:lambda-rollout:r=1", start}}
	}
	c := callerOf(t, o)
	if _, err := cloudwatch.NewFromConfig(w.cfg).PutMetricAlarm(context.Background(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(evil), Namespace: aws.String("N"), MetricName: aws.String("M"), Statistic: types.StatisticSum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
	}); err != nil {
		t.Fatal(err)
	}
	c.post(http.StatusSeeOther, "start", "name", "r=1", "json", `{"function-name": "`+strings.ReplaceAll(evil, `"`, `\"`)+`", "x": "\u001b[31m</code></pre><script>"}`)
	w.advance(time.Minute)
	refused := c.post(http.StatusUnprocessableEntity, "start", "name", evil, "function-name", evil, "steps", evil, "weights", evil).Body.String()
	pages := []string{refused, c.get(200, ""), c.get(200, "execution", "name", "r=1"), c.get(200, "visit", "name", "r=1", "event", "2"), c.get(200, "notifications"), c.get(200, "start", "from", "r=1"),
		c.post(http.StatusUnprocessableEntity, "start", "name", evil, "json", evil).Body.String(), c.get(404, "execution", "name", evil), c.get(200, "execution", "name", "r=1", "did", evil, "before", evil, "older", evil)}
	for i, page := range pages {
		if strings.Contains(page, "<script>") || strings.Contains(page, `"><script`) {
			t.Errorf("page %d has something that is not escaped", i)
		}
		if strings.ContainsAny(page, "\u202e\u2066\ufeff\u0085\x1b") {
			t.Errorf("page %d has something that is not seen", i)
		}
	}
	holds(t, pages[2], "InvalidRequest", "failed", `"><script>alert(1)</script>\u202egnp.\u2066\ufeff`)
	for _, want := range []string{"weights must be JSON"} {
		holds(t, refused, want)
	}
}

func TestTheFormSaysWhatIsWrong(t *testing.T) {
	w := newWorld(t, `{}`)
	c := callerOf(t, w.options())
	page := c.post(http.StatusUnprocessableEntity, "start", "function-name", "MyFunction", "alias-name", "MyAlias", "new-version", "two", "steps", "many", "interval", "0", "health.errors.alpha", "7", "weights", "[1]").Body.String()
	holds(t, page, "Not started", `value="many"`, `<a href="#field-steps">`, `<a href="#field-interval">`, `<a href="#field-health-errors-alpha">`, `id="field-health" open`, "must be a whole number")
	if len(w.inputs()) > 0 {
		t.Error("an execution was started")
	}
	c.post(http.StatusSeeOther, "start", "function-name", "MyFunction", "alias-name", "MyAlias", "new-version", "2", "steps", "5", "interval", "120", "health.errors.alpha", "0.05", "health-check", "true", "approval.before-weights", "[0.4]", "notify.shifted", "true")
	request, err := rollout.Decode([]byte(w.inputs()[0]))
	if err != nil || request.Gates.Errors.Alpha != 0.05 || request.Approval == nil || !request.Notify.Shifted {
		t.Errorf("the input is %s: %v", w.inputs(), err)
	}
}

func TestOnlyItsOwnPages(t *testing.T) {
	w := newWorld(t, `{}`)
	c := callerOf(t, w.options())
	for _, header := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://example.com"}, {"Origin": "http://127.0.0.1:9999"}, {"Origin": "null"},
		{"Sec-Fetch-Site": "same-origin", "Host": "example.com"}, {"Host": "127.0.0.1.example.com"}, {"Host": "10.0.0.1:8080"}, {"Host": ""},
	} {
		for _, path := range []string{"start", "stop", "redrive", "order", "advance", "release/start", "release/stop", "release/order"} {
			c.ask(http.StatusForbidden, http.MethodPost, path, header, "name", "r1", "json", "{}", "by", "1h", "command", "advance")
		}
	}
	for _, host := range []string{"example.com", "localhost.example.com", "192.168.1.1:80", "[::2]:80", "127.0.0.1@example.com"} {
		c.ask(http.StatusForbidden, http.MethodGet, "", map[string]string{"Host": host})
	}
	for _, host := range []string{"localhost:8080", "LOCALHOST", "127.0.0.2:1", "[::1]:8080", "[::1]"} {
		c.ask(http.StatusOK, http.MethodGet, "", map[string]string{"Host": host})
	}
	c.ask(http.StatusSeeOther, http.MethodPost, "start", map[string]string{"Origin": "http://127.0.0.1:8080"}, "json", "{}")
	if n := len(w.inputs()); n != 1 || !w.aws.Now().Equal(start) {
		t.Errorf("%d executions were started, and it is %s", n, w.aws.Now())
	}
	c.post(http.StatusBadRequest, "start", "json", strings.Repeat(" ", maxBody+1))
	for _, back := range []string{"https://example.com/", "//example.com" + prefix, `/\example.com`, "/elsewhere", prefix + "%zz", "javascript:alert(1)"} {
		if to := c.post(http.StatusSeeOther, "advance", "by", "1m", "back", back).Header().Get("Location"); to != prefix+"?did=advanced" {
			t.Errorf("%q leads to %s", back, to)
		}
	}
}

// TestWhatAWSRefusesIsSaid lets each service fail by itself.
func TestWhatAWSRefusesIsSaid(t *testing.T) {
	w := newWorld(t, `{}`)
	c := callerOf(t, w.options())
	c.post(http.StatusSeeOther, "start", "name", "r1", "json", example)
	w.advance(time.Second)
	c.get(200, "execution", "name", "r1")
	denied := func(what string) {
		w.refuse = func(r *http.Request) *http.Response {
			if !strings.Contains(r.URL.Path+r.Header.Get("X-Amz-Target")+r.Header.Get("Smithy-Protocol"), what) && !strings.HasSuffix(r.URL.Path, what) {
				return nil
			}
			body := `{"__type": "AccessDeniedException", "message": "User is not authorized <b>here</b>"}`
			return &http.Response{StatusCode: 400, Header: http.Header{"X-Amzn-Errortype": {"AccessDeniedException"}, "Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
		}
	}
	for what, says := range map[string]string{"GetExecutionHistory": "The newest events can’t be shown. AWS answered AccessDenied", "/aliases/": "AWS answered AccessDenied"} {
		denied(what)
		holds(t, c.get(200, "execution", "name", "r1"), says, "User is not authorized &lt;b&gt;here", "In the state", "Input and output")
	}
	denied("DescribeExecution")
	holds(t, c.get(502, "execution", "name", "r1"), "AWS refused that", "AWS answered AccessDenied")
	w.refuse = func(*http.Request) *http.Response {
		return &http.Response{StatusCode: 503, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("<html>proxy"))}
	}
	holds(t, c.get(502, ""), "AWS did not answer")
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{StateMachineARN: machineARN, Definition: statemachine.Definition}
	for name, change := range map[string]func(*Options){
		"prefix": func(o *Options) { o.Prefix = "rollouts" }, "prefix without end": func(o *Options) { o.Prefix = "/a" }, "prefix with pattern": func(o *Options) { o.Prefix = "/{a}/" },
		"arn": func(o *Options) { o.StateMachineARN = "lambda-rollout" }, "arn of releases": func(o *Options) { o.ReleaseStateMachineARN = "releases" }, "definition": func(o *Options) { o.Definition = "{" },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("a wrong %s passes", name)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}
