package gates_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}

// atHome resolves the name in the certificate of httptest's servers to them.
var atHome = names{"example.com": {"127.0.0.1"}}

// site is an HTTPS server here, and how many requests it got.
type site struct {
	*httptest.Server
	asked atomic.Int32
}

func serve(t *testing.T, handler http.HandlerFunc) *site {
	s := &site{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		handler(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are to fail
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// at is the site's URL of a path, by name.
func (s *site) at(path string) string {
	return strings.Replace(s.URL, "127.0.0.1", "example.com", 1) + path
}

// trusting is the client of production, which trusts the certificate of httptest's servers as well.
func (s *site) trusting(client *http.Client) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	client.Transport.(*http.Transport).TLSClientConfig.RootCAs = roots
	return client
}

func (s *site) client() *http.Client { return s.trusting(gates.NewHTTPClient(loopback, atHome)) }

func read(t *testing.T, gate gates.Gate) rollout.Reading {
	t.Helper()
	reading, err := gate.Read(t.Context())
	if err != nil || reading.Gate != gate.Name() {
		t.Fatalf("%s reads %+v, %v", gate.Name(), reading, err)
	}
	return reading
}

// secrets are values by their references.
type secrets map[string]string

func (s secrets) Secret(_ context.Context, reference string) (string, error) {
	if value, ok := s[reference]; ok {
		return value, nil
	}
	return "", errors.New(reference + " can't be read: ParameterNotFound")
}

func get(target string) rollout.Endpoint {
	return rollout.Endpoint{Name: "e", URL: target, Method: "GET", Timeout: 10}
}

func TestEndpointsAreJudgedByStatusAndAnswer(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   []int
		expect string
		sign   rollout.Status
		reason string
	}{
		{"any 2xx", 204, "", nil, "", rollout.Pass, "status 204"},
		{"one of a list", 404, "gone", []int{404, 410}, "", rollout.Pass, "status 404"},
		{"a redirect that is wanted", 302, "", []int{302}, "", rollout.Pass, "status 302"},
		{"an error", 503, "try \x00again\n later", nil, "", rollout.Fail, "status 503, expected 200 to 299: try again  later"},
		{"an error without a word", 500, "", []int{200, 204}, "", rollout.Fail, "status 500, expected 200 or 204"},
		{"not in the list", 200, "ok", []int{204}, "", rollout.Fail, "status 200, expected 204: ok"},
		{"a long answer", 500, long, nil, "", rollout.Fail, "status 500, expected 200 to 299: " + long[:200] + "…"},
		{"contains it", 200, `{"ok": true, "lines": [{"n": 1.0, "x": null}], "more": 1}`, nil, `{"ok":true,"lines":[{"n":1}]}`, rollout.Pass,
			"status 200, answered as expected"},
		{"has another value", 200, `{"ok": "no"}`, nil, `{"ok":true}`, rollout.Fail, `status 200, but the answer has "no", not true in $.ok`},
		{"lacks a field", 200, `{}`, nil, `{"ok":true}`, rollout.Fail, `status 200, but the answer lacks "ok": true`},
		{"is not JSON", 200, "<html>", nil, `{"ok":true}`, rollout.Fail, "status 200, but the answer is not JSON: <html>"},
		{"is nothing", 200, "", nil, "null", rollout.Fail, "status 200, but the answer is not JSON"},
		{"is null", 200, "null", nil, "null", rollout.Pass, "status 200, answered as expected"},
		{"just short enough", 200, `"` + long[:65534] + `"`, nil, `"` + long[:65534] + `"`, rollout.Pass, "status 200, answered as expected"},
		{"too long", 200, `"` + long[:65535] + `"`, nil, `"` + long[:65535] + `"`, rollout.Inconclusive,
			"status 200, but the answer is longer than 65,536 bytes, too long to compare"},
		{"too long, and nothing to compare", 200, long, nil, "", rollout.Pass, "status 200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			e := get(s.at("/health"))
			e.Status, e.Expect = c.want, json.RawMessage(c.expect)
			got := read(t, gates.NewEndpoint(e, s.client(), nil))
			if want := (rollout.Reading{Gate: "endpoints.e", Status: c.sign, Reason: c.reason}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

func TestEndpointsAreAskedAsTheyAreWritten(t *testing.T) {
	var asked, body string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body = string(text)
		asked = r.Method + " " + r.RequestURI
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			asked += " " + name + "=" + r.Header.Get(name)
		}
		_, _ = io.WriteString(w, "{}")
	})
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	e := get(s.at("/a%20b?q=1"))
	read(t, gates.NewEndpoint(e, s.client(), nil))
	if want := "GET /a%20b?q=1 Connection=close User-Agent=lambda-rollout"; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
	e.Method, e.Body, e.Expect = "POST", json.RawMessage(`{"sku":1}`), json.RawMessage(`{}`)
	e.Headers = map[string]string{"accept": "text/json", "X-From": "me"}
	e.SecretHeaders = map[string]string{"Authorization": "ssm:/key"}
	read(t, gates.NewEndpoint(e, s.client(), secrets{"ssm:/key": "Bearer hunter2"}))
	if want := "POST /a%20b?q=1 Accept=text/json Authorization=Bearer hunter2 Connection=close Content-Length=9 Content-Type=application/json User-Agent=lambda-rollout X-From=me"; asked != want || body != `{"sku":1}` {
		t.Errorf("asked %s with %s, want %s", asked, body, want)
	}
}

// TestNoReasonHasASecret has the other side repeat what it was told, in every way it can.
func TestNoReasonHasASecret(t *testing.T) {
	const secret = "hunter2"
	told := func(r *http.Request) string { return r.Header.Get("X-Key") }
	for name, handler := range map[string]http.HandlerFunc{
		"wrong status": func(w http.ResponseWriter, r *http.Request) { http.Error(w, told(r), 500) },
		"wrong value":  func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `{"ok": %q}`, told(r)) },
		"no JSON":      func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, told(r)) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+told(r)+".example.com/", http.StatusFound)
		},
		"no HTTP": func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, told(r)+"\r\n\r\n")
				conn.Close()
			}
		},
	} {
		s := serve(t, handler)
		e := get(s.at("/?token=" + secret))
		e.Expect = json.RawMessage(`{"ok":true}`)
		e.SecretHeaders = map[string]string{"X-Key": "ssm:/key"}
		got := read(t, gates.NewEndpoint(e, s.client(), secrets{"ssm:/key": secret}))
		if got.Status == rollout.Pass || got.Reason == "" || strings.Contains(got.Reason, secret) || s.asked.Load() != 1 {
			t.Errorf("%s: %+v", name, got)
		}
		e.SecretHeaders, e.Headers = nil, map[string]string{"X-Key": secret}
		if got := read(t, gates.NewEndpoint(e, s.client(), nil)); !strings.Contains(got.Reason, secret) {
			t.Errorf("%s, and it was no secret: %+v shows nothing of the answer", name, got)
		}
	}
}

func TestSecretsThatCanNotBeSentAreInconclusive(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {})
	e := get(s.at("/"))
	e.SecretHeaders = map[string]string{"X-Key": "ssm:/key"}
	for value, want := range map[string]string{
		"":                     "no value for the header X-Key: ssm:/key can't be read: ParameterNotFound",
		"hunter2\r\nX-Evil: 1": "no value for the header X-Key: ssm:/key has characters that a header can't have",
	} {
		known := secrets{"ssm:/key": value}
		if value == "" {
			known = nil
		}
		if got := read(t, gates.NewEndpoint(e, s.client(), known)); got.Status != rollout.Inconclusive || got.Reason != want {
			t.Errorf("%q: %+v, want %s", value, got, want)
		}
	}
	if s.asked.Load() != 0 {
		t.Error("it was asked without its secret")
	}
}

func TestCompressedAnswersAreNotExpanded(t *testing.T) {
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	_, err := packer.Write([]byte(`{"ok": true}` + strings.Repeat(" ", 10<<20)))
	must(t, err)
	must(t, packer.Close())
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("it asks for %s", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	e := get(s.at("/"))
	e.Expect = json.RawMessage(`{"ok":true}`)
	if got := read(t, gates.NewEndpoint(e, s.client(), nil)); got.Status != rollout.Fail || !strings.HasPrefix(got.Reason, "status 200, but the answer is not JSON") {
		t.Errorf("%+v", got)
	}
}
