package rollout_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// decodeEndpoints decodes a request that is good but for its endpoints, and
// gives them, and the problems one a line.
func decodeEndpoints(t *testing.T, endpoints string) ([]rollout.Endpoint, string) {
	t.Helper()
	req, err := rollout.Decode([]byte(strings.TrimSuffix(strings.TrimSpace(blogInput), "}") + `, "health": {"endpoints": ` + endpoints + `}}`))
	var invalid *rollout.RequestError
	if err != nil && !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	problems := ""
	if invalid != nil {
		for _, problem := range invalid.Problems {
			problems += problem.Error() + "\n"
		}
	}
	return req.Gates.Endpoints, problems
}

func TestEndpointsAreTakenAndReadBackTheSame(t *testing.T) {
	got, problems := decodeEndpoints(t, `[
		{"name": "home", "url": "https://www.example.com"},
		{"name": "orders", "url": "https://API.example.com:0443/v1/orders?dry=1&x=%20", "method": "POST",
		 "body": {"sku": "<1> & ", "amount": 12345678901234567890.10},
		 "headers": {"Accept": "text/plain", "X-Request-From": "rollout"},
		 "secret-headers": {"Authorization": "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/key-AbCdEf#bearer", "X-Api-Key": "ssm:/shop/key", "X-Other": "secretsmanager:plain"},
		 "status": [200, 202], "expect": {"ok": true, "lines": [ ]}, "timeout": 30},
		{"name": "moved", "url": "https://xn--bcher-kva.example/", "status": 301, "expect": null}]`)
	if problems != "" {
		t.Fatal(problems)
	}
	want := []rollout.Endpoint{
		{Name: "home", URL: "https://www.example.com", Method: "GET", Timeout: 10},
		{
			Name: "orders", URL: "https://API.example.com:0443/v1/orders?dry=1&x=%20", Method: "POST",
			Body:    json.RawMessage(`{"sku":"<1> & ","amount":12345678901234567890.10}`),
			Headers: map[string]string{"Accept": "text/plain", "X-Request-From": "rollout"},
			SecretHeaders: map[string]string{
				"Authorization": "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/key-AbCdEf#bearer",
				"X-Api-Key":     "ssm:/shop/key", "X-Other": "secretsmanager:plain"},
			Status: []int{200, 202}, Expect: json.RawMessage(`{"ok":true,"lines":[]}`), Timeout: 30,
		},
		{Name: "moved", URL: "https://xn--bcher-kva.example/", Method: "GET", Status: []int{301}, Expect: json.RawMessage("null"), Timeout: 10},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	state := asTasksAnswer(t, got)
	var again []rollout.Endpoint
	if err := json.Unmarshal(state, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("read back from the state: %s", diff)
	}
}

func TestBadEndpointsAreRefused(t *testing.T) {
	const good = `"name": "n", "url": "https://example.com"`
	const list = "health.endpoints must be a list of 1 to 10 endpoints, each with a name and a url\n"
	const at = "health.endpoints[0]"
	const host = " must name a public host, not an IP address or localhost; given: "
	for _, c := range []struct{ given, want string }{
		{`{}`, list}, {`[]`, list}, {`null`, list}, {"[" + strings.Repeat(`{},`, 10) + "{}]", list},
		{`[1]`, at + " must be an object with a name and a url\n"},
		{`[{}]`, at + ".name is missing\n" + at + ".url is missing\n"},
		{`[{"name": "a b", "url": "http://example.com", "method": "PUT", "timeout": 31, "status": 99, "expekt": {}}]`,
			at + ".method must be one of GET, POST; given: \"PUT\"\n" +
				at + ".name must be a name: at most 64 letters, digits, - and _; given: \"a b\"\n" +
				at + ".url must be an HTTPS URL, such as https://api.example.com/health; given: \"http://example.com\"\n" +
				at + ".status must be a status from 200 to 599, such as 200, or a list of 1 to 20 of them; given: 99\n" +
				at + ".timeout must be a whole number from 1 to 30; given: 31\n" +
				at + ".expekt is not a known field (did you mean \"expect\"?); given: {}\n"},
		{`[{` + good + `}, {` + good + `}]`, "health.endpoints[1].name is already used by another endpoint; given: \"n\"\n"},
		{`[{"name": "n", "url": "https://joe:hunter2@example.com"}]`, at + ".url must not contain a user or a password: use a reference in secret-headers\n"},
		{`[{"name": "n", "url": "https://example.com/#top"}]`, at + ".url must not have a fragment, the part after #; given: \"https://example.com/#top\"\n"},
		{`[{"name": "n", "url": "https://example.com:0/"}]`, at + ".url must have port 443 or none: endpoints are called at no other port; given: \"https://example.com:0/\"\n"},
		{`[{"name": "n", "url": "https://example.com:8443/health"}]`, at + ".url must have port 443 or none: endpoints are called at no other port; given: \"https://example.com:8443/health\"\n"},
		{`[{"name": "n", "url": "https://example.com:4430"}]`, at + ".url must have port 443 or none: endpoints are called at no other port; given: \"https://example.com:4430\"\n"},
		{`[{"name": "n", "url": "https://127.0.0.1/"}]`, at + ".url" + host + "\"https://127.0.0.1/\"\n"},
		{`[{"name": "n", "url": "https://[fd00::1]/"}]`, at + ".url" + host + "\"https://[fd00::1]/\"\n"},
		{`[{"name": "n", "url": "https://127.1/"}]`, at + ".url" + host + "\"https://127.1/\"\n"},
		{`[{"name": "n", "url": "https://2130706433/"}]`, at + ".url" + host + "\"https://2130706433/\"\n"},
		{`[{"name": "n", "url": "https://0x7f000001/"}]`, at + ".url" + host + "\"https://0x7f000001/\"\n"},
		{`[{"name": "n", "url": "https://a.LocalHost/"}]`, at + ".url" + host + "\"https://a.LocalHost/\"\n"},
		{`[{` + good + `, "body": {}}]`, at + ".body applies only to the method POST\n"},
		{`[{` + good + `, "method": "POST", "body": "` + strings.Repeat("x", 16384) + `"}]`, at + ".body must be JSON of at most 16384 bytes; it has 16386\n"},
		{`[{` + good + `, "headers": {"authorization": "Bearer hunter2", "Cookie": "hunter2", "X-API-Key": "hunter2", "Host": "x", "connection": "x", "a b": "x", "X-1": "a\r\nb", "X-2": 1}}]`,
			at + ".headers.Cookie must not be in the request, where others can read it: use a reference in secret-headers\n" +
				at + ".headers.Host must not be set: the connection determines it\n" +
				at + ".headers.X-1 must be at most 1024 printable ASCII characters\n" +
				at + ".headers.X-2 must be a string that is not empty\n" +
				at + ".headers.X-API-Key must not be in the request, where others can read it: use a reference in secret-headers\n" +
				at + ".headers.a b is not a valid header name\n" +
				at + ".headers.authorization must not be in the request, where others can read it: use a reference in secret-headers\n" +
				at + ".headers.connection must not be set: the connection determines it\n"},
		{`[{` + good + `, "headers": {"Accept": "a", "accept": "b"}, "secret-headers": {"ACCEPT": "ssm:/x"}}]`,
			at + ".headers.accept is given twice: header names are case-insensitive\n" +
				at + ".secret-headers.ACCEPT is given twice: header names are case-insensitive\n"},
		{`[{` + good + `, "secret-headers": {"Authorization": "Bearer hunter2", "X-1": "ssm:", "X-2": "secretsmanager:a b", "X-3": "secretsmanager:a#"}}]`,
			strings.ReplaceAll(at+".secret-headers.Authorization WANT\n"+at+".secret-headers.X-1 WANT\n"+at+".secret-headers.X-2 WANT\n"+at+".secret-headers.X-3 WANT\n", "WANT",
				`must refer to a secret, as "secretsmanager:<name or ARN>", "secretsmanager:<name or ARN>#<key>" or "ssm:<parameter>"; the secret itself must not be in the request`)},
	} {
		_, got := decodeEndpoints(t, c.given)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.given, diff)
		}
		if strings.Contains(got, "hunter2") {
			t.Errorf("%s: a credential is repeated: %s", c.given, got)
		}
	}
}

func TestURLsThatAreTooLongAreRefused(t *testing.T) {
	for length, good := range map[int]bool{2048: true, 2049: false} {
		url := "https://example.com/" + strings.Repeat("x", length-len("https://example.com/"))
		_, problems := decodeEndpoints(t, `[{"name": "n", "url": "`+url+`"}]`)
		if (problems == "") != good {
			t.Errorf("a URL of %d characters: %q", length, problems)
		}
	}
}
