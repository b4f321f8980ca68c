package localaws

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"slices"
)

// awsQuery implements what services with the query protocol have in common: form-encoded requests, and answers in XML.
type awsQuery struct {
	version   string   // of the service's API, which each request names
	namespace string   // of the answers
	fault     string   // the service's error code for internal failures
	known     []string // the service's operations
}

func (s awsQuery) operations() []string { return s.known }

func (s awsQuery) claims(r *http.Request) bool {
	if protocolOf(r) != queryProtocol {
		return false
	}
	form, err := readForm(r)
	return err == nil && form.Get("Version") == s.version
}

// call returns the operation that a request asks for, and its parameters.
func (s awsQuery) call(r *http.Request) (operation string, form url.Values, err *apiError) {
	form, err = readForm(r)
	operation = form.Get("Action")
	if err == nil && !slices.Contains(s.known, operation) {
		err = unknownOperation(operation, r)
	}
	return operation, form, err
}

// readForm reads the parameters from the body of a request, and restores the body; those of a GET, such as a presigned one, from
// its address. It parses them once, for all that ask, and keeps them as the request's Form.
func readForm(r *http.Request) (url.Values, *apiError) {
	if r.Form != nil {
		return r.Form, nil
	}
	form, err := parametersOf(r)
	if err == nil {
		r.Form = form
	}
	return form, err
}

// parametersOf implements readForm for a request that has no Form yet.
func parametersOf(r *http.Request) (url.Values, *apiError) {
	if r.Method == http.MethodGet {
		form, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return nil, malformed(err)
		}
		return form, nil
	}
	body, err := readBody(r)
	if err != nil {
		return nil, malformed(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, malformed(err)
	}
	return form, nil
}

// formOf returns the parameters of a request whose body has been read.
func formOf(r *request) (url.Values, *apiError) {
	if r.Form != nil {
		return r.Form, nil
	}
	text := string(r.body)
	if r.Method == http.MethodGet {
		text = r.URL.RawQuery
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, malformed(err)
	}
	return form, nil
}

// encode returns an operation's answer with its result as XML.
func (s awsQuery) encode(operation string, result any) reply {
	return s.write(http.StatusOK, operation+"Response", func(e *xml.Encoder) error {
		return e.EncodeElement(result, xml.StartElement{Name: xml.Name{Local: operation + "Result"}})
	})
}

// write returns an answer whose body is one element.
func (s awsQuery) write(status int, name string, content func(*xml.Encoder) error) reply {
	var body bytes.Buffer
	e, start := xml.NewEncoder(&body), xml.StartElement{Name: xml.Name{Space: s.namespace, Local: name}}
	for _, step := range []func() error{
		func() error { return e.EncodeToken(start) },
		func() error { return content(e) },
		func() error { return e.EncodeToken(start.End()) },
		e.Close,
	} {
		if err := step(); err != nil {
			panic(err) // structs of texts
		}
	}
	return reply{status, http.Header{"Content-Type": {"text/xml"}}, body.Bytes()}
}

func (s awsQuery) throttled() *apiError {
	return badRequest("Throttling", "Rate exceeded")
}

func (s awsQuery) broken() *apiError {
	return &apiError{http.StatusInternalServerError, s.fault, "We encountered an internal error"}
}

func (s awsQuery) unavailable() *apiError {
	return &apiError{http.StatusServiceUnavailable, "ServiceUnavailable", "Service unavailable"}
}

func (s awsQuery) refusal(e *apiError) reply {
	fault := "Sender"
	if e.status >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	type detail struct{ Type, Code, Message string }
	return s.write(e.status, "ErrorResponse", func(x *xml.Encoder) error {
		return x.EncodeElement(detail{fault, e.code, e.message}, xml.StartElement{Name: xml.Name{Local: "Error"}})
	})
}
