package browsertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is for a browser that shares the machine with others.
const patience = 10 * time.Minute

// Start starts a browser for a test. The tabs of the context are closed at its end.
func Start(t *testing.T) (context.Context, Browser) {
	t.Helper()
	b, err := findBrowser()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), patience)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, b.options()...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("the browser %s does not start: %v", b.path, err)
	}
	return ctx, b
}

// Tab is a page in a browser, with what the browser complained of.
type Tab struct {
	t    *testing.T
	ctx  context.Context
	mu   sync.Mutex
	seen []string
}

// Open shows a page that needs no other file. Every request for one is a complaint.
func Open(t *testing.T, ctx context.Context, page []byte) *Tab {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, page, 0o644); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: path}).String()
	return show(t, ctx, address, func(requested string) bool { return requested == address })
}

// Visit shows the page at an address. Requests of another origin are complaints.
func Visit(t *testing.T, ctx context.Context, address string) *Tab {
	t.Helper()
	home, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return show(t, ctx, address, func(requested string) bool {
		there, err := url.Parse(requested)
		return err == nil && there.Scheme == home.Scheme && there.Host == home.Host
	})
}

// show opens a tab at an address.
func show(t *testing.T, ctx context.Context, address string, allowed func(requested string) bool) *Tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(ctx)
	t.Cleanup(stop)
	tab := &Tab{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			tab.saw("exception: " + e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			tab.saw("console: " + string(e.Type))
		case *log.EventEntryAdded:
			tab.saw("log: " + e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if !allowed(e.Request.URL) {
				tab.saw("request: " + e.Request.URL)
			}
		}
	})
	tab.Do(network.Enable(), log.Enable(), runtime.Enable(), chromedp.Navigate(address))
	return tab
}

func (t *Tab) saw(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = append(t.seen, what)
}

// Complaints returns what was wrong with the page so far: exceptions, entries of the
// console and the log, and requests that are not allowed.
func (t *Tab) Complaints() []string {
	t.Do() // what came before has been reported by then
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.seen...)
}

// Do performs actions and waits until the page has answered after them.
func (t *Tab) Do(actions ...chromedp.Action) {
	t.t.Helper()
	err := chromedp.Run(t.ctx, actions...)
	for err == nil {
		var one int
		err = chromedp.Run(t.ctx, chromedp.Evaluate("1", &one))
		var refused *cdproto.Error
		if !errors.As(err, &refused) || refused.Message != leftThePage {
			break
		}
		err = nil // a click leads to another page, which is asked next
	}
	if err != nil {
		t.t.Fatal(err)
	}
}

// leftThePage is what the browser says of an evaluation in a page that it leaves meanwhile.
const leftThePage = "Inspected target navigated or closed"

// Ask evaluates an expression in the page; a promise is waited for.
func Ask[T any](t *Tab, expression string) T {
	t.t.Helper()
	var answer T
	waits := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	if err := chromedp.Run(t.ctx, chromedp.Evaluate(expression, &answer, waits)); err != nil {
		t.t.Fatalf("%.100s: %v", expression, err)
	}
	return answer
}

// Text returns the text of the element with an id, with single spaces.
func (t *Tab) Text(id string) string {
	t.t.Helper()
	return strings.Join(strings.Fields(Ask[string](t, fmt.Sprintf("document.getElementById(%q).textContent", id))), " ")
}

// On shows the page on a screen of that width, light or dark, or on paper.
func (t *Tab) On(width int64, medium string) {
	t.t.Helper()
	media := emulation.SetEmulatedMedia()
	if medium == "print" {
		media = media.WithMedia(medium)
	} else {
		media = media.WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: medium}})
	}
	t.Do(chromedp.EmulateViewport(width, 800), media)
}

// TooWide returns by how many pixels the page is wider than the screen.
func (t *Tab) TooWide() int {
	return Ask[int](t, "document.documentElement.scrollWidth - document.documentElement.clientWidth")
}

// Barriers returns what axe-core finds that is serious or critical.
func (t *Tab) Barriers(b Browser) []string {
	t.t.Helper()
	return t.violations(b, `v => v.impact == "serious" || v.impact == "critical"`)
}

// Violations returns all that axe-core finds.
func (t *Tab) Violations(b Browser) []string {
	t.t.Helper()
	return t.violations(b, "v => true")
}

func (t *Tab) violations(b Browser, which string) []string {
	t.t.Helper()
	axe, err := os.ReadFile(filepath.Join(b.packages, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.t.Fatal(err)
	}
	found := Ask[json.RawMessage](t, string(axe)+`;axe.run(document, {resultTypes: ["violations"]}).then(r =>
		r.violations.filter(`+which+`).map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 120) + " " + n.failureSummary).slice(0, 3).join("; ")))`)
	var barriers []string
	if err := json.Unmarshal(found, &barriers); err != nil {
		t.t.Fatalf("axe-core answered %s", found)
	}
	return barriers
}
