package console

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/report"
)

//go:embed pages static
var files embed.FS

// pages are the templates by name.
type pages map[string]*template.Template

// page is what a template shows.
type page struct {
	name   string // of the template
	status int    // 200 if 0
	// Title is the page's, without the console's name.
	Title string
	// Every is how often the page renews itself, in seconds; 0 for never.
	Every int
	Data  any

	// The rest is filled in by show.
	Now     time.Time
	Advance bool
	Here    string // the page's address
	// Releases means that there are pages about releases.
	Releases bool
	Said     string // what an action did
}

// readPages reads the templates.
func readPages(prefix string) (pages, error) {
	functions := template.FuncMap{
		"link": func(page string, pairs ...string) string {
			query := url.Values{}
			for i := 0; i+1 < len(pairs); i += 2 {
				query.Set(pairs[i], pairs[i+1])
			}
			if len(query) == 0 {
				return prefix + page
			}
			return prefix + page + "?" + query.Encode()
		},
		"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"day":   func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"moment": func(t time.Time) string {
			return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
		},
		"short":  func(resource string) string { return resource[strings.LastIndex(resource, ":")+1:] },
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
		"count":  func(n int) string { return rollout.Thousands(int64(n)) },
		"weight": rollout.Weight,
	}
	names, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		return nil, err
	}
	all := pages{}
	for _, name := range names {
		if name == "pages/frame.html" {
			continue
		}
		t, err := template.New("frame.html").Funcs(functions).ParseFS(files, "pages/frame.html", name)
		if err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(path.Base(name), ".html")] = t
	}
	return all, nil
}

// errNotFound is the error of an address that has no page.
var errNotFound = errors.New("there is no such page")

// show answers a request with a page, or with one that says what went wrong.
func (c *console) show(w http.ResponseWriter, r *http.Request, answer func(*http.Request) (*page, error)) {
	p, err := answer(r)
	if err != nil {
		p = failed(err)
	}
	c.write(w, r, p)
}

// write writes a page.
func (c *console) write(w http.ResponseWriter, r *http.Request, p *page) {
	p.Now, p.Advance, p.Said = c.Now(), c.Advance != nil, whatWasDone(r.URL.Query().Get("did"))
	p.Releases = c.releases != nil
	here := *r.URL
	query := here.Query()
	query.Del("did")
	here.RawQuery = query.Encode()
	if p.Here = here.RequestURI(); r.Method != http.MethodGet {
		p.Here = c.Prefix
	}
	var body bytes.Buffer
	if err := c.pages[p.name].Execute(&body, p); err != nil {
		http.Error(w, "The page can't be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if p.status != 0 {
		w.WriteHeader(p.status)
	}
	_, _ = w.Write(visible(body.Bytes())) // the browser may have gone
}

// failed returns the page about an error.
func failed(err error) *page {
	p := &page{name: "failed", status: http.StatusBadGateway, Title: "AWS did not answer", Data: words(err)}
	var api smithy.APIError
	var form formError
	switch {
	case errors.Is(err, errNotFound):
		p.status, p.Title, p.Data = http.StatusNotFound, "Not found", "There is no such page."
	case errors.As(err, &form):
		p.status, p.Title = http.StatusBadRequest, "That was not done"
		p.Data = form.Error()
	case errors.As(err, &api):
		p.Title = "AWS refused that"
		switch api.ErrorCode() {
		case "ExecutionDoesNotExist", "StateMachineDoesNotExist", "InvalidArn":
			p.status, p.Title = http.StatusNotFound, "Not found"
		}
	}
	return p
}

// formError is an error of what was sent to the console; AWS was not called.
type formError string

func (e formError) Error() string { return string(e) }

// words says what AWS answered.
func words(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return rollout.Shorten("AWS answered "+api.ErrorCode()+": "+api.ErrorMessage(), 1000)
	}
	return rollout.Shorten("AWS did not answer: "+awserror.Plain(err).Error(), 1000)
}

// static serves the script and the style sheet.
func (c *console) static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	data, err := files.ReadFile("static/" + name)
	if err == nil && name == "console.css" {
		var shared []byte
		if shared, err = report.StyleSheet(); err == nil {
			data = append(append([]byte{}, shared...), data...)
		}
	}
	kind, known := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".txt": "text/plain; charset=utf-8"}[path.Ext(name)]
	if err != nil || !known {
		c.show(w, r, func(*http.Request) (*page, error) { return nil, errNotFound })
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(data) // the browser may have gone
}
