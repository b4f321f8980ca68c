package report

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is for a browser that shares the machine with others.
const patience = 10 * time.Minute

// startBrowser starts a browser for a test.
func startBrowser(t *testing.T) (context.Context, browser) {
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

// tab is a page in a browser, with what the browser complained of.
type tab struct {
	t    *testing.T
	ctx  context.Context
	mu   sync.Mutex
	seen []string
}

// open shows a page.
func open(t *testing.T, ctx context.Context, page []byte) *tab {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, page, 0o644); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: path}).String()
	ctx, stop := chromedp.NewContext(ctx)
	t.Cleanup(stop)
	tab := &tab{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			tab.saw("exception: " + e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			tab.saw("console: " + string(e.Type))
		case *log.EventEntryAdded:
			tab.saw("log: " + e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if e.Request.URL != address {
				tab.saw("request: " + e.Request.URL)
			}
		}
	})
	tab.do(network.Enable(), log.Enable(), runtime.Enable(), chromedp.Navigate(address))
	return tab
}

func (t *tab) saw(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = append(t.seen, what)
}

// complaints are those so far.
func (t *tab) complaints() []string {
	t.do() // what came before has been reported by then
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.seen...)
}

func (t *tab) do(actions ...chromedp.Action) {
	t.t.Helper()
	var one int
	if err := chromedp.Run(t.ctx, append(actions, chromedp.Evaluate("1", &one))...); err != nil {
		t.t.Fatal(err)
	}
}

// ask evaluates an expression in the page; a promise is waited for.
func ask[T any](t *tab, expression string) T {
	t.t.Helper()
	var answer T
	waits := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	if err := chromedp.Run(t.ctx, chromedp.Evaluate(expression, &answer, waits)); err != nil {
		t.t.Fatalf("%.100s: %v", expression, err)
	}
	return answer
}

// text is that of the element with an id, with single spaces.
func (t *tab) text(id string) string {
	t.t.Helper()
	return strings.Join(strings.Fields(ask[string](t, fmt.Sprintf("document.getElementById(%q).textContent", id))), " ")
}

// on shows the page on a screen of that width, light or dark, or on paper.
func (t *tab) on(width int64, medium string) {
	t.t.Helper()
	media := emulation.SetEmulatedMedia()
	if medium == "print" {
		media = media.WithMedia(medium)
	} else {
		media = media.WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: medium}})
	}
	t.do(chromedp.EmulateViewport(width, 800), media)
}

// tooWide returns by how many pixels the page is wider than the screen.
func (t *tab) tooWide() int {
	return ask[int](t, "document.documentElement.scrollWidth - document.documentElement.clientWidth")
}

// barriers are what axe-core finds that is serious or critical.
func (t *tab) barriers(b browser) []string {
	t.t.Helper()
	axe, err := os.ReadFile(filepath.Join(b.packages, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.t.Fatal(err)
	}
	found := ask[json.RawMessage](t, string(axe)+`;axe.run(document, {resultTypes: ["violations"]}).then(r =>
		r.violations.filter(v => v.impact == "serious" || v.impact == "critical").map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 120) + " " + n.failureSummary).slice(0, 3).join("; ")))`)
	var barriers []string
	if err := json.Unmarshal(found, &barriers); err != nil {
		t.t.Fatalf("axe-core answered %s", found)
	}
	return barriers
}
