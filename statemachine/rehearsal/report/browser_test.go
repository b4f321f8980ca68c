package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/browsertest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// example is the blog post's input.
const example = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 120, "type": "linear"}`

// hostile would be a script if it were not escaped.
const hostile = `{"function-name": "</code><script>alert(1)</script><img src=x onerror=alert(2)>", "alias-name": "\"'><b>"}`

func rehearse(t testing.TB, scenario, input string) Page {
	t.Helper()
	world, ok := rehearsal.LoadBuiltIn(scenario)
	if !ok {
		t.Fatalf("there is no scenario %s", scenario)
	}
	result, err := rehearsal.Run(rehearsal.Options{Input: []byte(input), Scenario: world, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return Page{Result: result, Input: []byte(input), Scenario: world, ScenarioName: scenario, Seed: 1, Command: "lambda-rollout rehearse --scenario x"}
}

func written(t testing.TB, p Page) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestPagesInABrowser(t *testing.T) {
	ctx, b := browsertest.Start(t)
	pages := map[string]func(*testing.T) *browsertest.Tab{
		"many": func(t *testing.T) *browsertest.Tab {
			p := mixed()
			tab := browsertest.Open(t, ctx, writtenMany(t, p))
			for _, wrong := range manyFigures(t, tab, p.Distribution) {
				t.Error(wrong)
			}
			return tab
		},
	}
	for scenario, input := range map[string]string{"healthy": hostile, "late-errors": example, "throttled": example, "no-traffic": example, "stopped": example} {
		pages[scenario] = func(t *testing.T) *browsertest.Tab {
			p := rehearse(t, scenario, input)
			tab := browsertest.Open(t, ctx, written(t, p))
			figures(t, tab, p.Result)
			return tab
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		t.Run(name, func(t *testing.T) {
			tab := pages[name](t)
			papers := map[string]bool{}
			for _, screen := range []struct {
				width  int64
				medium string
			}{{1200, "light"}, {1200, "dark"}, {320, "light"}, {320, "dark"}} {
				tab.On(screen.width, screen.medium)
				if over := tab.TooWide(); over > 0 {
					t.Errorf("on a %s screen of %d the page is %d pixels too wide", screen.medium, screen.width, over)
				}
				for _, wrong := range badlyDrawn(tab) {
					t.Errorf("on a %s screen of %d %s", screen.medium, screen.width, wrong)
				}
				papers[browsertest.Ask[string](tab, "getComputedStyle(document.body).backgroundColor")] = true
			}
			tab.On(1200, "light")
			barriers := tab.Violations(b)
			tab.On(320, "dark")
			for _, barrier := range append(barriers, tab.Violations(b)...) {
				t.Error(barrier)
			}
			if len(papers) != 2 {
				t.Errorf("light and dark are %v", papers)
			}
			prints(t, tab)
			keyboard(t, tab)
			for _, complaint := range tab.Complaints() {
				t.Error(complaint)
			}
		})
	}
}

// figures holds what the page says against the result in JSON.
func figures(t *testing.T, tab *browsertest.Tab, result rehearsal.Result) {
	t.Helper()
	data, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Outcome, Reason string
		Seconds         float64
		Served          map[string]struct{ Invocations int64 }
		BadRequests     int64                     `json:"bad-requests"`
		NewVersion      string                    `json:"new-version"`
		AliasAfter      *struct{ Version string } `json:"alias-after"`
		Price           float64
		Checks          int64
		Lines           []any
		Periods         []any
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	same := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("the page says %v for %s, the result %v", got, what, want)
		}
	}
	word, _, _ := strings.Cut(strings.ToLower(tab.Text("outcome")), ",")
	same("outcome", strings.ReplaceAll(word, " ", "-"), r.Outcome)
	same("unverified", strings.Contains(tab.Text("outcome"), "unverified"), result.Unverified)
	if reason := strings.Join(strings.Fields(r.Reason), " "); !strings.HasSuffix(tab.Text("reason"), reason) {
		t.Errorf("the page says %q for the reason, the result %q", tab.Text("reason"), reason)
	}
	same("bad requests", number(t, tab.Text("bad-requests")), r.BadRequests)
	same("checks", number(t, tab.Text("checks")), r.Checks)
	same("price", tab.Text("price"), fmt.Sprintf("$%.4f", r.Price))
	same("time", inSeconds(t, tab.Text("seconds")), int64(r.Seconds))
	same("command", tab.Text("command"), "lambda-rollout rehearse --scenario x")
	if _, harmful := result.Served[r.NewVersion]; harmful && r.Outcome == "rolled-back" {
		same("first facts", browsertest.Ask[string](tab, `[...document.querySelectorAll(".facts strong")].slice(0, 2).map(e => e.id).join()`), "harm,back")
	}
	if len(result.Shifts) > 0 {
		units := browsertest.Ask[[]string](tab, `[...document.querySelectorAll("figure svg.wide")].map(e => e.textContent).filter(t => !t.includes("virtual time since the start, hours:minutes"))`)
		same("charts without a unit of time", len(units), 0)
	}
	same("lines", browsertest.Ask[int](tab, `document.querySelectorAll(".happened tbody tr").length`), len(r.Lines))
	if r.AliasAfter != nil {
		same("alias", tab.Text("traffic-after"), "version "+r.AliasAfter.Version)
	}
	if len(r.Periods) > 0 {
		requests := browsertest.Ask[[]string](tab, `[...document.querySelectorAll("#traffic ~ details tbody td:nth-child(3)")].map(e => e.textContent)`)
		same("periods", len(requests), len(r.Periods))
		var all int64
		for _, text := range requests {
			all += number(t, text)
		}
		same("invocations of the new version", all, r.Served[r.NewVersion].Invocations)
	}
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, 64)
	if err != nil {
		t.Error(err)
	}
	return n
}

// inSeconds reads h:mm:ss.
func inSeconds(t *testing.T, text string) (seconds int64) {
	t.Helper()
	for part := range strings.SplitSeq(text, ":") {
		seconds = seconds*60 + number(t, part)
	}
	return seconds
}

// badlyDrawn returns texts of charts that lie on each other, and what is wrong with the diagram
// of the state machine: the start has to be in view, and what was not visited to be seen.
func badlyDrawn(tab *browsertest.Tab) (wrong []string) {
	for _, pair := range browsertest.Ask[[]string](tab, `[...document.querySelectorAll(".chart")].filter(c => c.checkVisibility()).flatMap(c => {
		const texts = [...c.querySelectorAll("text")].map(e => ({e, r: e.getBoundingClientRect()}))
		return texts.flatMap((a, i) => texts.slice(0, i).filter(b => a.r.left < b.r.right - 1 && b.r.left < a.r.right - 1 && a.r.top < b.r.bottom - 4 && b.r.top < a.r.bottom - 4).map(b => c.id + a.e.textContent + " / " + b.e.textContent))
	})`) {
		wrong = append(wrong, "texts lie on each other: "+pair)
	}
	return append(wrong, browsertest.Ask[[]string](tab, `[...document.querySelectorAll(".picture")].flatMap(p => {
		const wrong = [], start = p.querySelector("#s0 path").getBoundingClientRect(), seen = p.getBoundingClientRect()
		if (start.left < seen.left || start.right > seen.right) wrong.push("the start is out of view: " + start.right + " of " + seen.right)
		const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b }
		const rgb = c => c.match(/[\d.]+/g).slice(0, 3).map(Number), paper = rgb(getComputedStyle(document.body).backgroundColor)
		for (const line of p.querySelectorAll(".idle path")) {
			const style = getComputedStyle(line), opacity = Number(style.strokeOpacity)
			const [a, b] = [light(paper), light(rgb(style.stroke).map((v, i) => v * opacity + paper[i] * (1 - opacity)))]
			const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05)
			if (contrast < 3) { wrong.push("a line has the contrast " + contrast); break }
		}
		return wrong
	})`)...)
}

// prints checks for white paper, the wide charts, and a file that a printer takes.
func prints(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	tab.On(700, "print")
	if paper := browsertest.Ask[string](tab, "getComputedStyle(document.body).backgroundColor"); paper != "rgb(255, 255, 255)" {
		t.Errorf("on paper the background is %s", paper)
	}
	if cut := browsertest.Ask[int](tab, `[...document.querySelectorAll(".narrow, .scroll")].filter(e => e.matches(".narrow") ? e.checkVisibility() : getComputedStyle(e).overflowX != "visible").length`); cut > 0 {
		t.Errorf("on paper %d parts are narrow or cut", cut)
	}
	for _, wrong := range badlyPrinted(tab) {
		t.Error("on paper " + wrong)
	}
	var pdf []byte
	tab.Do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = page.PrintToPDF().Do(ctx)
		return err
	}))
	if !bytes.HasPrefix(pdf, []byte("%PDF")) {
		t.Errorf("printed, the page is %.20q", pdf)
	}
}

// badlyPrinted returns what is wrong with a page on paper: details that are shut, and headings
// that a page may separate from what they stand above.
func badlyPrinted(tab *browsertest.Tab) []string {
	return append(browsertest.Ask[[]string](tab, `[...document.querySelectorAll("details > :not(summary)")].filter(e => !e.checkVisibility()).map(e => "it is shut: " + e.outerHTML.slice(0, 80))`),
		browsertest.Ask[[]string](tab, `[...document.querySelectorAll("h2, h3, figcaption")].filter(e => getComputedStyle(e).breakAfter != "avoid").concat([...document.querySelectorAll("figure, .picture")].filter(e => getComputedStyle(e).breakInside != "avoid")).map(e => "a page may end there: " + e.outerHTML.slice(0, 80))`)...)
}

// keyboard goes through the page with the tabulator key, and wants all that can
// be opened or scrolled to be reached and seen.
func keyboard(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	tab.On(320, "light")
	want := browsertest.Ask[int](tab, `document.querySelectorAll("summary, [tabindex='0']").length`)
	hidden := browsertest.Ask[int](tab, `document.querySelectorAll("details:not([open]) [tabindex='0']").length`)
	reached := 0
	for range want - hidden {
		tab.Do(chromedp.KeyEvent("\t"))
		if browsertest.Ask[bool](tab, `document.activeElement.matches("summary, [tabindex='0']") && getComputedStyle(document.activeElement).outlineStyle == "solid" && getComputedStyle(document.activeElement).outlineWidth != "0px"`) {
			reached++
		}
	}
	if reached != want-hidden || reached == 0 {
		t.Errorf("%d of %d parts are reached by keyboard, and seen to be", reached, want-hidden)
	}
}

// TestDefectsAreSeen breaks a page, and wants each defect found.
func TestDefectsAreSeen(t *testing.T) {
	ctx, b := browsertest.Start(t)
	wrongFigures(t, ctx)
	whole := string(written(t, rehearse(t, "late-errors", example)))
	broken := strings.NewReplacer(
		"<main>", `<main><script>1</script><p style="color: #999">faint</p><div style="width: 500px">wide</div>`,
		"</main>", `<img src="https://example.invalid/x.png"></main>`,
		`lang="en"`, "",
	).Replace(whole)
	tab := browsertest.Open(t, ctx, []byte(broken))
	tab.On(320, "light")
	if tab.TooWide() <= 0 {
		t.Error("a page that is too wide passes")
	}
	found := strings.Join(append(tab.Barriers(b), tab.Complaints()...), "\n")
	for _, want := range []string{"color-contrast", "html-has-lang", "image-alt", "script-src", "img-src"} {
		if !strings.Contains(found, want) {
			t.Errorf("no %s is found, only\n%s", want, found)
		}
	}
	loose := strings.Replace(whole, "<main>", `<main><link rel="stylesheet" href="other.css"><script>console.log(1); throw 1</script>`, 1)
	loose = strings.Replace(loose, "default-src 'none'; style-src 'unsafe-inline'", "default-src * 'unsafe-inline'", 1)
	found = strings.Join(browsertest.Open(t, ctx, []byte(loose)).Complaints(), "\n")
	for _, want := range []string{"request: ", "exception: ", "console: "} {
		if !strings.Contains(found, want) {
			t.Errorf("no %s is found, only\n%s", want, found)
		}
	}
	rules := strings.NewReplacer("details::details-content", "details::other", "h2, h3, h2 + .note, caption", "h9, caption", ".machine path, .machine polyline { fill: none; stroke: var(--quiet)", ".machine path { stroke: var(--grid)",
		".machine { min-width: 38rem", ".machine { min-width: 90rem", ".chart text {", ".chart text { font-size: 30px !important;").Replace(whole)
	tab = browsertest.Open(t, ctx, []byte(rules))
	tab.On(320, "light")
	found = strings.Join(badlyDrawn(tab), "\n")
	tab.On(700, "print")
	found += strings.Join(badlyPrinted(tab), "\n")
	for _, want := range []string{"texts lie on each other: ", "the start is out of view: ", "a line has the contrast ", "it is shut: ", "a page may end there: <h2"} {
		if !strings.Contains(found, want) {
			t.Errorf("no %s is found, only\n%s", want, found)
		}
	}
}
