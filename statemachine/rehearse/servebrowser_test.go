package console

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/browsertest"
)

// until waits until an expression in the page is true.
func until(t *testing.T, tab *browsertest.Tab, expression string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if browsertest.Ask[bool](tab, expression) {
			return
		}
	}
	t.Fatalf("the page never has %s; it says %.1500s", expression, browsertest.Ask[string](tab, "document.body.innerText"))
}

// sound checks the page on screens of two widths, light and dark.
func sound(t *testing.T, tab *browsertest.Tab, b browsertest.Browser) {
	t.Helper()
	title := browsertest.Ask[string](tab, "document.title")
	for _, screen := range []struct {
		width  int64
		medium string
	}{{320, "dark"}, {1200, "light"}} {
		tab.On(screen.width, screen.medium)
		if over := tab.TooWide(); over > 0 {
			t.Errorf("%s: on a screen of %d the page is %d pixels too wide", title, screen.width, over)
		}
		for _, barrier := range tab.Violations(b) {
			t.Errorf("%s, %s: %s", title, screen.medium, barrier)
		}
	}
}

// TestARolloutInABrowser starts a rollout of a version that fails, watches it being
// rolled back, and reads why.
func TestARolloutInABrowser(t *testing.T) {
	w := newWorld(t, 40, 0.3)
	h, err := New(w.options())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	ctx, b := browsertest.Start(t)
	tab := browsertest.Visit(t, ctx, server.URL+prefix)
	sound(t, tab, b)
	tab.Do(chromedp.Click(`a[href$="start"]`, chromedp.ByQuery), chromedp.WaitVisible("#field-function-name", chromedp.ByQuery))
	tab.Do(chromedp.Click("button.primary", chromedp.ByQuery), chromedp.WaitVisible("#problems", chromedp.ByQuery))
	for _, id := range []string{"function-name", "alias-name", "new-version"} {
		if !browsertest.Ask[bool](tab, fmt.Sprintf(`document.querySelector("#field-%s").ariaInvalid == "true" && !!document.querySelector("#problems a[href='#field-%s']")`, id, id)) {
			t.Errorf("%s is not said to be wrong", id)
		}
	}
	tab.Do(chromedp.Evaluate(`for (const d of document.querySelectorAll("details")) d.open = true`, nil))
	sound(t, tab, b)
	for id, value := range map[string]string{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": "5", "interval": "120"} {
		tab.Do(chromedp.SendKeys("#field-"+id, value, chromedp.ByQuery))
	}
	tab.Do(chromedp.SendKeys("#name", "by-form", chromedp.ByQuery), chromedp.Click("button.primary", chromedp.ByQuery))
	until(t, tab, `!!document.querySelector("#outcome")`)
	if !strings.Contains(tab.Text("content"), "The execution was started.") {
		t.Error("the page does not say that the execution was started")
	}

	// While it runs, the page changes below what the reader does.
	tab.Do(chromedp.Evaluate(`document.querySelector("#states summary").click(); document.querySelector("#states summary").focus();
		document.querySelector("#stop").open = true; document.querySelector("#cause").value = "half a cause"; window.unchanged = document.querySelector("#states"); window.before = document.querySelector("#now").textContent`, nil))
	until(t, tab, `document.querySelector("#weight")?.textContent == "20%" && document.querySelector("#progress").textContent.includes("step 1 of 5")`)
	until(t, tab, `document.querySelector("#now").textContent != window.before && document.querySelectorAll("[id^=visit-]").length > 4`)
	if !browsertest.Ask[bool](tab, `document.querySelector("#states").open && document.activeElement == document.querySelector("#states summary") && window.unchanged.isConnected`) {
		t.Error("the update closes what is open, or takes the focus")
	}
	if got := browsertest.Ask[string](tab, `document.querySelector("#cause")?.value ?? "gone"`); got != "half a cause" && got != "gone" {
		t.Errorf("a half-filled form has %q after an update", got)
	}

	until(t, tab, `document.querySelector("#outcome").textContent.includes("failed")`)
	until(t, tab, `!!document.querySelector("tr.alarm")?.textContent.includes("ALARM")`)
	if alarm := browsertest.Ask[string](tab, `document.querySelector("tr.alarm").textContent`); !strings.Contains(alarm, "ExecutionsFailed") || !strings.Contains(alarm, "Threshold Crossed") {
		t.Errorf("the alarm is %s", alarm)
	}
	if tab.Text("error") != "Unhealthy" || !strings.Contains(tab.Text("reason"), "version 2 failed") {
		t.Errorf("the reason is %s", tab.Text("reason"))
	}
	failing := browsertest.Ask[string](tab, `[...document.querySelectorAll("#readings tr")].find(r => r.textContent.includes("fails"))?.textContent ?? "none"`)
	if !strings.Contains(failing, "errors") || !strings.Contains(failing, "version 2") {
		t.Errorf("the failing reading is %s", failing)
	}
	if routing := tab.Text("routing"); routing != "version 1" {
		t.Errorf("the alias is at %s", routing)
	}
	if taken := browsertest.Ask[int](tab, `document.querySelectorAll("svg.machine .node.taken").length`); taken < 8 {
		t.Errorf("%d states are marked", taken)
	}
	if charts := browsertest.Ask[int](tab, `document.querySelectorAll("figure svg.wide").length`); charts != 3 {
		t.Errorf("there are %d charts", charts)
	}
	tab.Do(chromedp.Evaluate(`for (const d of document.querySelectorAll("details")) d.open = true`, nil))
	sound(t, tab, b)
	tab.Do(chromedp.Click(`//a[text()="HealthCheck"]`, chromedp.BySearch), chromedp.WaitVisible("#attempts", chromedp.ByQuery))
	if !strings.Contains(tab.Text("content"), `"decision": "roll-back"`) {
		t.Errorf("the visit says %.500s", tab.Text("content"))
	}
	tab.Do(chromedp.Evaluate(`for (const d of document.querySelectorAll("details")) d.open = true`, nil))
	sound(t, tab, b)
	for _, complaint := range tab.Complaints() {
		if !strings.Contains(complaint, "422") { // the form that was refused
			t.Error(complaint)
		}
	}
}
