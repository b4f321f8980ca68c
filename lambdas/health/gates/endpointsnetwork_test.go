package gates_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

func TestRedirectsAreFollowedToTheSameHostOnly(t *testing.T) {
	var other *site
	var cookies, bodies string
	s := serve(t, nil)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		cookies += r.Header.Get("Cookie")
		bodies += string(body) + r.Header.Get("X-Key") + " "
		to, status := r.URL.Query().Get("to"), http.StatusFound
		if r.URL.Path == "/keep" {
			status = http.StatusTemporaryRedirect
		}
		if to == "" && r.URL.Path != "/nowhere" {
			return
		}
		w.Header().Set("Set-Cookie", "session=1")
		w.Header().Set("Location", to)
		w.WriteHeader(status)
	})
	other = serve(t, func(http.ResponseWriter, *http.Request) {})
	chain := func(n int) string {
		target := "/end"
		for range n {
			target = "/go?to=" + url.QueryEscape(target)
		}
		return target
	}
	const stopped = "status 302, expected 200 to 299; the redirect was not followed: "
	for _, c := range []struct {
		path, method string
		asked        int32
		sign         rollout.Status
		reason       string
	}{
		{chain(1), "GET", 2, rollout.Pass, "status 200"},
		{chain(3), "GET", 4, rollout.Pass, "status 200"},
		{chain(4), "GET", 4, rollout.Fail, stopped + "there were 3 already"},
		{"/go?to=" + url.QueryEscape(s.at("/end#top")), "GET", 2, rollout.Pass, "status 200"},
		{"/go?to=" + url.QueryEscape(strings.ToUpper(s.at(""))+"/end"), "GET", 2, rollout.Pass, "status 200"},
		{"/keep?to=/end", "POST", 2, rollout.Pass, "status 200"},
		{"/go?to=/end", "POST", 1, rollout.Fail, stopped + "it asks for a method other than POST"},
		{"/nowhere", "GET", 1, rollout.Fail, stopped + "it has no target"},
		{"/go?to=" + url.QueryEscape(other.at("/")), "GET", 1, rollout.Fail, stopped + "it leads to another host"},
		{"/go?to=" + url.QueryEscape(other.URL), "GET", 1, rollout.Fail, stopped + "it leads to another host"},
		{"/go?to=" + url.QueryEscape(s.URL), "GET", 1, rollout.Fail, stopped + "it leads to another host"},
		{"/go?to=" + url.QueryEscape(strings.Replace(s.at("/"), "https", "http", 1)), "GET", 1, rollout.Fail, stopped + "it leads away from HTTPS"},
		{"/go?to=" + url.QueryEscape("//joe:x@"+strings.TrimPrefix(s.at("/"), "https://")), "GET", 1, rollout.Fail, stopped + "it contains a user name"},
		{"/go?to=https://127.0.0.1/", "GET", 1, rollout.Fail, stopped + "it leads to another host"},
		{"/go?to=https://169.254.169.254/latest/meta-data/", "GET", 1, rollout.Fail, stopped + "it leads to another host"},
		{"/go?to=" + url.QueryEscape("https://[fd00::1]/"), "GET", 1, rollout.Fail, stopped + "it leads to another host"},
		{"/go?to=http://169.254.169.254/", "GET", 1, rollout.Fail, stopped + "it leads away from HTTPS"},
		{"/go?to=file:///etc/passwd", "GET", 1, rollout.Fail, stopped + "it leads away from HTTPS"},
	} {
		s.asked.Store(0)
		bodies = ""
		e := get(s.at(c.path))
		e.Method = c.method
		if c.method == "POST" {
			e.Body = json.RawMessage("1")
		}
		e.SecretHeaders = map[string]string{"X-Key": "ssm:/key"}
		got := read(t, gates.NewEndpoint(e, s.client(), secrets{"ssm:/key": "hunter2"}))
		if got.Status != c.sign || got.Reason != c.reason || s.asked.Load() != c.asked {
			t.Errorf("%s %s: asked %d times, %+v, want %d times, %s: %s", c.method, c.path, s.asked.Load(), got, c.asked, c.sign, c.reason)
		}
		if want := strings.Repeat(map[string]string{"GET": "hunter2 ", "POST": "1hunter2 "}[c.method], int(c.asked)); bodies != want {
			t.Errorf("%s %s: the same host got %q, want %q", c.method, c.path, bodies, want)
		}
		e.SecretHeaders = nil
		if got := read(t, gates.NewEndpoint(e, s.client(), nil)); got.Status != c.sign || !strings.HasPrefix(got.Reason, c.reason) {
			t.Errorf("%s %s without secrets: %+v, want %s: %s", c.method, c.path, got, c.sign, c.reason)
		}
	}
	if other.asked.Load() != 0 || cookies != "" {
		t.Errorf("the other host was asked %d times; cookies %q", other.asked.Load(), cookies)
	}
}

// rebinding gives another answer each time it is asked; the last goes on.
type rebinding struct {
	answers []string
	asked   int
}

func (r *rebinding) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	answer := r.answers[min(r.asked, len(r.answers)-1)]
	r.asked++
	return []netip.Addr{netip.MustParseAddr(answer)}, nil
}

func TestNamesThatAreReboundAreRefused(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/go" {
			http.Redirect(w, r, "/end", http.StatusFound)
		}
	})
	ask := func(path string, answers ...string) (rollout.Reading, *rebinding) {
		resolver := &rebinding{answers: answers}
		return read(t, gates.NewEndpoint(get(s.at(path)), s.trusting(gates.NewHTTPClient(loopback, resolver)), nil)), resolver
	}
	// What was checked is what is dialled: no second look-up comes between.
	if got, resolver := ask("/end", "127.0.0.1", "169.254.169.254"); got.Status != rollout.Pass || resolver.asked != 1 {
		t.Errorf("%+v after %d look-ups", got, resolver.asked)
	}
	// A redirect to the same name is a new connection, and checked anew.
	for _, evil := range []string{"127.0.0.2", "169.254.169.254", "fd00::1"} {
		s.asked.Store(0)
		got, _ := ask("/go", "127.0.0.1", evil)
		if want := "not called: example.com resolves to " + evil + ", which is refused: "; got.Status != rollout.Inconclusive || !strings.HasPrefix(got.Reason, want) || s.asked.Load() != 1 {
			t.Errorf("%+v, want %s…", got, want)
		}
	}
	if got, _ := ask("/go", "127.0.0.1"); got.Status != rollout.Pass {
		t.Errorf("a name that stays: %+v", got)
	}
}

func TestNoAnswerIsInconclusive(t *testing.T) {
	good := serve(t, func(http.ResponseWriter, *http.Request) {})
	old := serve(t, func(http.ResponseWriter, *http.Request) {})
	old.TLS.MinVersion, old.TLS.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	cut := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "{")
	})
	closed := serve(t, func(http.ResponseWriter, *http.Request) {})
	closed.Close()
	for name, c := range map[string]struct {
		target string
		client *http.Client
		want   string
	}{
		"a certificate that nobody vouches for": {good.at("/"), gates.NewHTTPClient(loopback, atHome), "certificate"},
		"another host's certificate":            {strings.Replace(good.at("/"), "example.com", "other.test", 1), good.trusting(gates.NewHTTPClient(loopback, names{"other.test": {"127.0.0.1"}})), "certificate"},
		"an old TLS":                            {old.at("/"), old.client(), "protocol version"},
		"a cut connection":                      {cut.at("/"), cut.client(), "EOF"},
		"a cut answer":                          {cut.at("/half"), cut.client(), "status 200, but the answer is incomplete"},
		"nobody listens":                        {closed.at("/"), closed.client(), "refused"},
		"no such name":                          {"https://gone.test/", gates.NewHTTPClient(nil, names{}), "can't be resolved: no such host"},
		"loopback is not allowed":               {good.at("/"), good.trusting(gates.NewHTTPClient(nil, atHome)), "not called: example.com resolves to 127.0.0.1, which is refused: a loopback address"},
	} {
		e := get(c.target)
		e.Expect = json.RawMessage("{}")
		if got := read(t, gates.NewEndpoint(e, c.client, nil)); got.Status != rollout.Inconclusive || !strings.Contains(got.Reason, c.want) || strings.Contains(got.Reason, "https://") {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
	}
}

// clientFunc is a client without a network.
type clientFunc func(*http.Request) (*http.Response, error)

func (f clientFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// stalled is a body that says something and then nothing until the request is over.
type stalled struct {
	io.Reader
	ctx context.Context
}

func (s stalled) Read(p []byte) (int, error) {
	if n, err := s.Reader.Read(p); err == nil {
		return n, nil
	}
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func TestSlowEndpointsAreInconclusive(t *testing.T) {
	for reason, client := range map[string]clientFunc{
		"no answer within 7 s": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: r.Context().Err()}
		},
		"status 200, and no complete answer within 7 s": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(stalled{strings.NewReader("{"), r.Context()})}, nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			e := get("https://example.com/")
			e.Timeout, e.Expect = 7, json.RawMessage("{}")
			got := read(t, gates.NewEndpoint(e, client, nil))
			if took := time.Since(began); got.Status != rollout.Inconclusive || got.Reason != reason || took != 7*time.Second {
				t.Errorf("%+v after %s, want %s", got, took, reason)
			}
		})
	}
}
