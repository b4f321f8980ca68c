package rollout

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// Endpoint is a URL that is requested at each check, and what a healthy answer is.
type Endpoint struct {
	// Name is unique among the endpoints of the rollout.
	Name string `json:"name"`
	// URL is https://host[:443][/path][?query], where the host is a name.
	URL string `json:"url"`
	// Method is GET or POST.
	Method string `json:"method"`
	// Body is the JSON to post; empty for none.
	Body json.RawMessage `json:"body,omitempty"`
	// Headers are sent as they are. None is a credential.
	Headers map[string]string `json:"headers,omitempty"`
	// SecretHeaders are sent with the values of these references:
	// "secretsmanager:<name or ARN>[#<key>]" or "ssm:<parameter>".
	SecretHeaders map[string]string `json:"secret-headers,omitempty"`
	// Status has the statuses of a healthy answer; if empty, 200 to 299.
	Status []int `json:"status,omitempty"`
	// Expect is JSON that a healthy answer contains; empty accepts any answer.
	Expect json.RawMessage `json:"expect,omitempty"`
	// Timeout is how long an answer may take, from the look-up of the host's name to
	// the last byte, including redirects, in seconds, 1 to 30.
	Timeout int64 `json:"timeout"`
	// MustHaveData rolls back instead of promoting if the gate never had a conclusive
	// reading.
	MustHaveData bool `json:"must-have-data,omitempty"`
}

// Limits of endpoints.
const (
	MaxEndpoints       = 10
	MaxEndpointURL     = 2048 // characters
	MaxEndpointHeaders = 20   // of each kind
	MaxHeaderValue     = 1024 // characters

	MaxEndpointTimeout     = 30 // seconds
	DefaultEndpointTimeout = 10
)

var (
	endpointNames = []string{"name", "url", "method", "body", "headers", "secret-headers", "status", "expect", "timeout", mustHaveData}

	// hostForm matches a name of labels in plain ASCII: case-insensitive matching
	// would accept letters that only fold to it. The last label is not a number, so
	// no notation of an address matches.
	hostForm        = lazyregexp.New(`^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	headerNameForm  = lazyregexp.New("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")
	headerValueForm = lazyregexp.New(`^[\x20-\x7e]+$`)
	// secretForm matches references that may be right; AWS checks the rest.
	secretForm = lazyregexp.New(`^(?:secretsmanager:(?:arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@-]{1,512}(?:#[^\x00-\x1f\x7f]{1,128})?|ssm:[A-Za-z0-9/_.-]{1,1000})$`)
	// credentialForm matches names of headers whose values are likely to be secret.
	credentialForm = lazyregexp.New(`(?i)authori[sz]|authent|x-auth|cookie|token|secret|passw|api-?key|-key$|credential|signature|session`)
)

// connectionHeaders belong to the connection, or follow from other fields.
var connectionHeaders = []string{"host", "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
	"te", "trailer", "transfer-encoding", "upgrade", "content-length", "content-encoding", "accept-encoding", "expect"}

// endpoints reads a list of endpoints. What may contain a credential is not quoted
// in a problem.
func (r *reader) endpoints(path string) []Endpoint {
	if !r.has(path) {
		return nil
	}
	var items []json.RawMessage
	if json.Unmarshal(r.fields[path], &items) != nil || len(items) == 0 || len(items) > MaxEndpoints {
		r.add(Problem{Path: path, Want: wantEndpoints()})
		return nil
	}
	endpoints := make([]Endpoint, len(items))
	names := map[string]bool{}
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", path, i)
		fields := &reader{prefix: r.prefix + at + ".", problems: r.problems}
		if json.Unmarshal(item, &fields.fields) != nil || fields.fields == nil {
			r.add(Problem{Path: at, Want: wantEndpoint})
			continue
		}
		endpoints[i] = fields.endpoint()
		if name := endpoints[i].Name; name != "" && names[name] {
			fields.refuse("name", wantNewEndpoint)
		}
		names[endpoints[i].Name] = true
	}
	return endpoints
}

// endpoint reads the endpoint whose fields the reader has.
func (r *reader) endpoint() Endpoint {
	e := Endpoint{Method: r.enum("method", "GET", "POST")}
	e.Name = r.form("name", gateNameForm, wantGateName)
	e.URL = r.endpointURL("url")
	e.Body = r.value("body", "")
	if r.has("body") && e.Method == "GET" {
		r.add(Problem{Path: "body", Want: wantPost})
	}
	e.Headers = r.headers("headers", r.plainHeader)
	e.SecretHeaders = r.headers("secret-headers", func(at, _, value string) {
		if !secretForm.MatchString(value) {
			r.add(Problem{Path: at, Want: wantSecret})
		}
	})
	r.refuseTwins(e)
	e.Status = r.statuses("status")
	e.Expect = r.value("expect", "")
	e.Timeout = r.integer("timeout", 1, MaxEndpointTimeout, DefaultEndpointTimeout)
	e.MustHaveData = r.boolean(mustHaveData, false)
	r.refuseUnknown(endpointNames)
	return e
}

func (r *reader) endpointURL(path string) string {
	given, ok := r.required(path, wantURL)
	if !ok {
		return ""
	}
	u, err := url.Parse(given)
	switch {
	case len(given) > MaxEndpointURL:
		r.refuse(path, wantCharacters(MaxEndpointURL))
	case strings.Contains(given, "@") && (err != nil || u.User != nil):
		r.add(Problem{Path: path, Want: wantNoUser})
	case err != nil || !headerValueForm.MatchString(given) || u.Scheme != "https" || u.Opaque != "" || strings.HasSuffix(u.Host, ":"):
		r.refuse(path, wantURL)
	case strings.Contains(given, "#"):
		r.refuse(path, wantFragment)
	case !hostForm.MatchString(u.Hostname()) || len(u.Hostname()) > 253 || isLocalhost(u.Hostname()):
		r.refuse(path, wantHost)
	case u.Port() != "" && strings.TrimLeft(u.Port(), "0") != "443":
		r.refuse(path, wantPort)
	}
	return given
}

func isLocalhost(host string) bool {
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// headers reads header names and their values, and calls check with each.
func (r *reader) headers(path string, check func(at, name, value string)) map[string]string {
	if !r.has(path) {
		return nil
	}
	var given map[string]json.RawMessage
	if json.Unmarshal(r.fields[path], &given) != nil || len(given) == 0 || len(given) > MaxEndpointHeaders {
		r.add(Problem{Path: path, Want: wantHeaders()})
		return nil
	}
	headers := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		at, value := path+"."+fieldPath(name), ""
		switch {
		case !headerNameForm.MatchString(name):
			r.add(Problem{Path: at, Want: wantHeaderName})
		case slices.Contains(connectionHeaders, strings.ToLower(name)):
			r.add(Problem{Path: at, Want: wantFreeHeader})
		case json.Unmarshal(given[name], &value) != nil || value == "":
			r.add(Problem{Path: at, Want: wantHeaderText})
		default:
			headers[name] = value
			check(at, name, value)
		}
	}
	return headers
}

func (r *reader) plainHeader(at, name, value string) {
	switch {
	case credentialForm.MatchString(name):
		r.add(Problem{Path: at, Want: wantPublicHeader})
	case !headerValueForm.MatchString(value) || len(value) > MaxHeaderValue:
		r.add(Problem{Path: at, Want: wantHeaderValue()})
	}
}

// refuseTwins adds a problem for each header that is given more than once, whose
// names may differ in case.
func (r *reader) refuseTwins(e Endpoint) {
	seen := map[string]bool{}
	for _, of := range []struct {
		path    string
		headers map[string]string
	}{{"headers", e.Headers}, {"secret-headers", e.SecretHeaders}} {
		for _, name := range slices.Sorted(maps.Keys(of.headers)) {
			if seen[strings.ToLower(name)] {
				r.add(Problem{Path: of.path + "." + name, Want: wantOneHeader})
			}
			seen[strings.ToLower(name)] = true
		}
	}
}

// statuses reads a status or a list of statuses.
func (r *reader) statuses(path string) []int {
	if !r.has(path) {
		return nil
	}
	items := []json.RawMessage{r.fields[path]}
	if _, single := AsNumber(items[0]); !single {
		if json.Unmarshal(r.fields[path], &items) != nil || len(items) == 0 || len(items) > 20 {
			r.refuse(path, wantEndpointStatus)
			return nil
		}
	}
	var statuses []int
	for _, item := range items {
		status, ok := asWhole(item)
		if !ok || status < 200 || status > 599 {
			r.refuse(path, wantEndpointStatus)
			return nil
		}
		statuses = append(statuses, int(status))
	}
	return statuses
}
