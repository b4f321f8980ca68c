package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/browsertest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// reader is who uses the console in a browser, beside a client that moves time on.
type reader struct {
	*browsertest.Tab
	t       *testing.T
	browser browsertest.Browser
	aws     *servedCommand
}

// open opens the console of `serve` under a scenario. Time passes only by advance.
func open(t *testing.T, scenario string) reader {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.json")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	served := serving(t, "-speed", "0", "-scenario", file)
	ctx, b := browsertest.Start(t)
	return reader{browsertest.Visit(t, ctx, served.console), t, b, served}
}

// advance moves time on by the control call.
func (r reader) advance(seconds int) {
	r.t.Helper()
	answer, err := http.Post(r.aws.env["AWS_ENDPOINT_URL"]+rehearsal.TimePath, "application/json", strings.NewReader(fmt.Sprintf(`{"advance": %d}`, seconds)))
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
		r.t.Fatalf("time is not moved on: %s", text)
	}
}

// until waits until an expression in the page is true.
func (r reader) until(expression string) {
	r.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if browsertest.Ask[bool](r.Tab, expression) {
			return
		}
	}
	r.t.Fatalf("the page never has %s; it says %.1500s", expression, browsertest.Ask[string](r.Tab, "document.body.innerText"))
}

// shows waits until the first element of a selector has a text.
func (r reader) shows(selector, text string) {
	r.t.Helper()
	r.until(fmt.Sprintf("(document.querySelector(%q)?.textContent ?? '').replace(/\\s+/g, ' ').includes(%q)", selector, text))
}

// sound checks the page, with all its details open, on screens of two widths, light and dark.
func (r reader) sound() {
	r.t.Helper()
	r.until(`document.readyState == "complete"`) // with its style sheet
	title := browsertest.Ask[string](r.Tab, `for (const d of document.querySelectorAll("details")) d.open = true; document.title`)
	for _, screen := range []struct {
		width  int64
		medium string
	}{{320, "dark"}, {1200, "light"}} {
		r.On(screen.width, screen.medium)
		if over := r.TooWide(); over > 0 {
			r.t.Errorf("%s: on a screen of %d the page is %d pixels too wide", title, screen.width, over)
		}
		if over := browsertest.Ask[int](r.Tab, `(h => h.scrollHeight - h.clientHeight)(document.querySelector("header"))`); over > 1 {
			r.t.Errorf("%s: on a screen of %d the header lies over %d pixels of the page", title, screen.width, over)
		}
		for _, barrier := range r.Violations(r.browser) {
			r.t.Errorf("%s, %s: %s", title, screen.medium, barrier)
		}
	}
}

// click clicks in the middle of the first element of a selector or XPath. It looks for
// the place at once, as the page may renew the element at any time.
func (r reader) click(selector string) {
	r.t.Helper()
	find := fmt.Sprintf("document.querySelector(%q)", selector)
	if strings.HasPrefix(selector, "//") {
		find = fmt.Sprintf("document.evaluate(%q, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue", selector)
	}
	r.until(`document.readyState == "complete" && ` + find + " != null")
	at := browsertest.Ask[[]float64](r.Tab, fmt.Sprintf(`(e => { e.scrollIntoView({block: "center"}); const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2] })(%s)`, find))
	r.Do(chromedp.MouseClickXY(at[0], at[1]))
}

// fill replaces the values of fields, in pairs of an id and a value, of the page that a
// click has led to.
func (r reader) fill(pairs ...string) {
	r.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		r.until(fmt.Sprintf(`document.readyState == "complete" && document.getElementById(%q) != null`, pairs[i]))
		r.Do(chromedp.Evaluate(fmt.Sprintf(`document.getElementById(%q).value = ""`, pairs[i]), nil), chromedp.SendKeys("#"+pairs[i], pairs[i+1], chromedp.ByQuery))
	}
}

// TestRolloutsInABrowser rolls out a version that goes bad in the third minute of each
// rollout: once until it is rolled back, once promoted before by orders, once stopped,
// without scripts, and once in a release.
func TestRolloutsInABrowser(t *testing.T) {
	r := open(t, `{"changes": [{"after": 150, "new-version": {"error-rate": 0.3}}]}`)
	r.shows("#live", "There are no executions.")
	r.sound()
	r.startByForm()
	r.watchItRolledBack()
	r.readWhy()
	r.steer()
	r.stopWithoutScripts()
	r.releaseIt()
	for _, complaint := range r.Complaints() {
		if !strings.Contains(complaint, "422") { // the form that was refused
			t.Error(complaint)
		}
	}
}

// startByForm sends the form empty, and then filled in.
func (r reader) startByForm() {
	r.click(`nav a[href$="start"]`)
	r.Do(chromedp.WaitVisible("#field-function-name", chromedp.ByQuery))
	r.click("button.primary")
	r.Do(chromedp.WaitVisible("#problems", chromedp.ByQuery))
	for _, id := range []string{"function-name", "alias-name", "new-version"} {
		if !browsertest.Ask[bool](r.Tab, fmt.Sprintf(`document.querySelector("#field-%s").ariaInvalid == "true" && !!document.querySelector("#problems a[href='#field-%s']")`, id, id)) {
			r.t.Errorf("%s is not said to be wrong", id)
		}
	}
	r.sound()
	r.fill("name", "first", "field-function-name", "MyFunction", "field-alias-name", "MyAlias", "field-new-version", "2", "field-steps", "5", "field-interval", "120")
	r.click("button.primary")
	r.shows("#content", "The execution was started.")
}

// watchItRolledBack moves time on, while the page changes below what the reader does.
func (r reader) watchItRolledBack() {
	r.advance(1)
	r.shows("#weight", "20%")
	r.shows("#progress", "In the state Wait; step 1 of 5")
	if current := browsertest.Ask[string](r.Tab, `document.querySelector("svg.machine .current")?.textContent ?? "none"`); !strings.Contains(current, "Wait") {
		r.t.Errorf("the workflow's picture is at %s", current)
	}
	r.Do(chromedp.Evaluate(`document.querySelector("#states summary").click(); document.querySelector("#states summary").focus();
		document.querySelector("#stop").open = true; document.querySelector("#cause").value = "half a cause"; window.unchanged = document.querySelector("#states")`, nil))
	r.advance(120)
	r.shows("#weight", "40%")
	r.shows("#routing", "version 1 with 40% on version 2")
	r.shows("#decision", "advance")
	if !browsertest.Ask[bool](r.Tab, `document.querySelector("#states").open && document.activeElement == document.querySelector("#states summary") && window.unchanged.isConnected`) {
		r.t.Error("an update closes what is open, or takes the focus")
	}
	if got := browsertest.Ask[string](r.Tab, `document.querySelector("#cause").value`); got != "half a cause" {
		r.t.Errorf("a half-filled form has %q after an update", got)
	}
	r.advance(120)
	r.shows("#outcome", "failed")
}

// rolledBack says with which numbers the new version fails.
var rolledBack = regexp.MustCompile(`^Rolled back at 40%: version 2 failed (\d+) of ([\d,]+) requests \((\d+(?:\.\d)?)%\), version 1 none of ([\d,]+); by chance in at most 1 of (?:[\d,]+|a billion) rollouts. Alias MyAlias of MyFunction is back on version 1\.$`)

// readWhy reads the reason, the failing check, the alarm and the data of the check.
func (r reader) readWhy() {
	reason := strings.TrimPrefix(r.Text("reason"), "Unhealthy")
	numbers := rolledBack.FindStringSubmatch(reason)
	if numbers == nil {
		r.t.Fatalf("the reason is %s", reason)
	}
	failing := browsertest.Ask[string](r.Tab, `[...document.querySelectorAll("#readings tr")].find(r => r.textContent.includes("fails"))?.textContent ?? "none"`)
	if !strings.HasPrefix(failing, "errors✕ fails") || !strings.Contains(failing, numbers[1]+" of "+numbers[2]) {
		r.t.Errorf("the failing reading is %s, and the reason %s", failing, reason)
	}
	counted := browsertest.Ask[string](r.Tab, `[...document.querySelectorAll("#counts tbody td")].map(c => c.textContent).join(" ")`)
	if want := fmt.Sprintf("%s %s %s%% %s 0 0%%", numbers[2], numbers[1], numbers[3], numbers[4]); counted != want {
		r.t.Errorf("the check counted %s, want %s", counted, want)
	}
	for range 6 { // until the alarm has been evaluated
		r.advance(30)
		r.Do(chromedp.Reload())
		if browsertest.Ask[bool](r.Tab, `!!document.querySelector("tr.alarm")`) {
			break
		}
	}
	r.shows("tr.alarm", "RolloutExecutionsFailed")
	r.shows("tr.alarm", "ALARM")
	r.shows("tr.alarm", "Threshold Crossed: 1 datapoint [1.0 (")
	r.shows("#routing", "version 1")
	r.shows("#notified ~ ol", "MyAlias of MyFunction")
	if taken := browsertest.Ask[string](r.Tab, `[...document.querySelectorAll("svg.machine .node.taken")].map(n => n.textContent).join()`); !strings.Contains(taken, "Rolled back") || strings.Contains(taken, "Finalize") {
		r.t.Errorf("the path is %s", taken)
	}
	if charts := browsertest.Ask[string](r.Tab, `[...document.querySelectorAll("figure h3")].map(n => n.textContent).join()`); charts != "Requests per minute,Error rate,Latency: 95th percentile" {
		r.t.Errorf("the charts are %s", charts)
	}
	r.sound()
	r.click(`//a[text()="HealthCheck"]`)
	r.Do(chromedp.WaitVisible("#attempts", chromedp.ByQuery))
	r.shows("#output ~ pre", `"decision": "roll-back"`)
	r.shows("#output ~ pre", fmt.Sprintf(`"errors": %s`, numbers[1]))
	r.shows("#attempt-1", "What attempt 1 got")
	r.sound()
	r.click(`//nav/a[text()="Notifications"]`)
	r.shows("ol.sent li pre", reason)
	r.sound()
}

// steer promotes a rollout by two orders before the version goes bad.
func (r reader) steer() {
	r.click(`//nav/a[text()="Executions"]`)
	r.shows("tbody tr", "first✕ failed")
	r.sound()
	r.click(`//a[text()="first"]`)
	r.click(`//a[text()="Start a rollout with this input"]`)
	r.fill("name", "second")
	r.click("button.primary")
	r.shows("#content", "The execution was started.")
	r.advance(1)
	r.shows("#progress", "step 1 of 5")
	r.click(`//button[text()="Advance to the next step"]`)
	r.shows("#content", "The order advance was given.")
	r.advance(65)
	r.shows("#progress", "step 2 of 5, 40% of the traffic on version 2")
	r.shows("#orders ~ ul", "advance by arn:aws:iam::123456789012:user/local: obeyed")
	r.click(`//button[text()="Promote now"]`)
	r.shows("#content", "The order promote was given.")
	r.advance(70) // until before it goes bad
	r.shows("#outcome", "succeeded")
	r.shows("#routing", "version 2")
	r.shows("#orders ~ ul", "promote by arn:aws:iam::123456789012:user/local: obeyed")
	r.sound()
}

// stopWithoutScripts rolls version 2 back to version 1 and stops that, with pages that
// only the reader renews.
func (r reader) stopWithoutScripts() {
	r.Do(emulation.SetScriptExecutionDisabled(true))
	r.click(`//a[text()="Start a rollout with this input"]`)
	r.fill("name", "third", "field-new-version", "1")
	r.click("button.primary")
	r.shows("#content", "The execution was started.")
	r.Do(chromedp.SetValue("#by", "1m", chromedp.ByQuery))
	r.click(`//button[text()="Move on"]`)
	r.shows("#content", "Time was moved on.")
	r.shows("#routing", "version 2 with 20% on version 1")
	r.click("#stop summary")
	r.fill("cause", `<b>not</b> "today"`)
	r.click("button.danger")
	r.shows("#outcome", "stopped")
	r.shows("#reason", `<b>not</b> "today"`)
	r.click(`//button[text()="Move on"]`)
	r.shows("#content", "Time was moved on.")
	if routing := r.Text("routing"); routing != "version 2" {
		r.t.Errorf("after the stop, the alias is at %s", routing)
	}
	r.Do(emulation.SetScriptExecutionDisabled(false), chromedp.Reload()) // axe-core is a script
	r.sound()
}
