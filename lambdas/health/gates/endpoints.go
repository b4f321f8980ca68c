package gates

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// HTTPClient sends one request and follows no redirect, as NewHTTPClient's does.
type HTTPClient interface {
	Do(*http.Request) (*http.Response, error)
}

// Limits of what an endpoint may answer.
const (
	maxRedirects = 3
	maxAnswer    = 64 << 10 // bytes of an answer that is compared
	maxExcerpt   = 200      // characters of it that are shown
)

// endpoint is the gate of one URL.
type endpoint struct {
	rollout.Endpoint
	client  HTTPClient
	secrets Secrets
}

// NewEndpoint returns the gate of a URL. An unexpected status, or an answer without
// the expected JSON, fails it. No answer, and a secret that can't be read, are
// inconclusive. At most three redirects are followed, to the same host only. Reasons
// hold nothing of secrets; with secrets in the request, they show nothing of the
// answer but its status, because the answer may repeat them.
func NewEndpoint(e rollout.Endpoint, client HTTPClient, secrets Secrets) Gate {
	return endpoint{e, client, secrets}
}

// Name implements Gate.
func (e endpoint) Name() string { return "endpoints." + e.Endpoint.Name }

// Read implements Gate. It returns no errors.
func (e endpoint) Read(ctx context.Context) (rollout.Reading, error) {
	sign, reason := e.read(ctx)
	return rollout.Reading{Gate: e.Name(), Status: sign, Reason: reason}, nil
}

func (e endpoint) read(ctx context.Context) (rollout.Status, string) {
	header, err := e.header(ctx)
	if err != nil {
		return rollout.Inconclusive, oneLine(err.Error(), 2*maxExcerpt)
	}
	limit := time.Duration(e.Timeout) * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	response, stopped, err := e.ask(ctx, header)
	if err != nil {
		if ctx.Err() != nil {
			return rollout.Inconclusive, late(limit)
		}
		return rollout.Inconclusive, e.failure(err)
	}
	defer response.Body.Close()
	status := "status " + strconv.Itoa(response.StatusCode)
	switch {
	case !e.wants(response.StatusCode) && stopped != "":
		return rollout.Fail, fmt.Sprintf("%s, expected %s; the redirect was not followed: %s", status, e.wanted(), stopped)
	case !e.wants(response.StatusCode):
		body, _ := io.ReadAll(io.LimitReader(response.Body, 4*maxExcerpt)) // what there is of it may say why
		return rollout.Fail, fmt.Sprintf("%s, expected %s%s", status, e.wanted(), e.excerpt(body))
	case len(e.Expect) == 0:
		return rollout.Pass, status
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return rollout.Inconclusive, fmt.Sprintf("%s, and no complete answer within %v s", status, limit.Seconds())
	case err != nil:
		return rollout.Inconclusive, status + ", but the answer is incomplete"
	case len(body) > maxAnswer:
		return rollout.Inconclusive, fmt.Sprintf("%s, but the answer is longer than %s bytes, too long to compare", status, rollout.Thousands(maxAnswer))
	}
	sign, reason := e.compare(body)
	return sign, status + reason
}

// header returns the header of every request, secrets included.
func (e endpoint) header(ctx context.Context) (http.Header, error) {
	header := http.Header{}
	header.Set("User-Agent", "lambda-rollout")
	if len(e.Body) > 0 {
		header.Set("Content-Type", "application/json")
	}
	if len(e.Expect) > 0 {
		header.Set("Accept", "application/json")
	}
	for name, value := range e.Headers {
		header.Set(name, value)
	}
	for _, name := range slices.Sorted(maps.Keys(e.SecretHeaders)) {
		value, err := e.secrets.Secret(ctx, e.SecretHeaders[name])
		if err != nil {
			return nil, fmt.Errorf("no value for the header %s: %w", name, err)
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == '\x7f' }) {
			return nil, fmt.Errorf("no value for the header %s: %s has characters that a header can't have", name, e.SecretHeaders[name])
		}
		header.Set(name, value)
	}
	return header, nil
}

// ask sends the request and follows redirects. If the answer is a redirect that was
// not followed, stopped says why.
func (e endpoint) ask(ctx context.Context, header http.Header) (response *http.Response, stopped string, err error) {
	target := e.URL
	for redirects := 0; ; redirects++ {
		request, err := http.NewRequestWithContext(ctx, e.Method, target, bytes.NewReader(e.Body))
		if err != nil {
			return nil, "", err
		}
		request.Header = header.Clone()
		if response, err = e.client.Do(request); err != nil {
			return nil, "", err
		}
		if e.wants(response.StatusCode) || !isRedirect(response.StatusCode) {
			return response, "", nil
		}
		next, stopped := e.next(request.URL, response)
		if stopped == "" && redirects == maxRedirects {
			stopped = fmt.Sprintf("there were %d already", maxRedirects)
		}
		if stopped != "" {
			return response, stopped, nil
		}
		_ = response.Body.Close() // of no interest, and its connection is not used again
		target = next
	}
}

func isRedirect(status int) bool {
	return slices.Contains([]int{301, 302, 303, 307, 308}, status)
}

// next returns where a redirect leads, or why it is not followed.
func (e endpoint) next(from *url.URL, response *http.Response) (target, stopped string) {
	to, err := from.Parse(response.Header.Get("Location"))
	switch {
	case err != nil || response.Header.Get("Location") == "":
		return "", "it has no target"
	case e.Method != http.MethodGet && response.StatusCode < 307:
		return "", "it asks for a method other than " + e.Method
	case to.Scheme != "https":
		return "", "it leads away from HTTPS"
	case to.User != nil:
		return "", "it contains a user name"
	case authority(to) != authority(from):
		if len(e.SecretHeaders) > 0 {
			return "", "it leads to another host"
		}
		return "", "it leads to another host, " + oneLine(to.Host, 80)
	}
	to.Fragment = ""
	return to.String(), ""
}

// authority returns a URL's host, in lower case, and port.
func authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

func (e endpoint) wants(status int) bool {
	if len(e.Status) == 0 {
		return status >= 200 && status <= 299
	}
	return slices.Contains(e.Status, status)
}

// compare looks for the expected JSON in the answer.
func (e endpoint) compare(body []byte) (rollout.Status, string) {
	want, err := document(e.Expect)
	if err != nil {
		return rollout.Inconclusive, ", and " + noExpectation
	}
	got, err := document(body)
	if err != nil {
		return rollout.Fail, ", but the answer is not JSON" + e.excerpt(body)
	}
	switch wrong := differ(want, got, "$", true); {
	case wrong != "" && len(e.SecretHeaders) > 0:
		return rollout.Fail, ", but the answer is not as expected" + e.excerpt(body)
	case wrong != "":
		return rollout.Fail, ", but the answer " + oneLine(wrong, maxExcerpt)
	}
	return rollout.Pass, ", " + asExpected
}
