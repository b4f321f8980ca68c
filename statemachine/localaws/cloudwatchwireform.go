package localaws

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// formWire is AWS's query protocol, which older clients speak, such as the AWS CLI of most Linux distributions. A request is a
// form, or a URL with parameters.
type formWire struct{}

const (
	cloudWatchVersion   = "2010-08-01"
	cloudWatchNamespace = "http://monitoring.amazonaws.com/doc/2010-08-01/"
	requestIDElement    = "<RequestId></RequestId>"
)

func (w formWire) claims(r *http.Request) bool {
	form, err := w.parameters(r)
	if err != nil { // of an unreadable form, the signature alone shows the service
		return isForm(r) && signedFor(r) == "monitoring"
	}
	return form.Get("Version") == cloudWatchVersion
}

func isForm(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

// parameters returns a request's parameters, and leaves the body readable.
func (formWire) parameters(r *http.Request) (url.Values, error) {
	if r.Method == http.MethodGet {
		return r.URL.Query(), nil
	}
	if !isForm(r) {
		return nil, errors.New("not a form")
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	plain, err := unzipped(body, r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, err
	}
	return parseParameters(string(plain))
}

func (w formWire) operation(r *http.Request) (string, *apiError) {
	form, err := w.parameters(r)
	if err != nil {
		return "", malformed(err)
	}
	if form.Get("Action") == "" {
		return "", badRequest("MissingAction", "The request has no parameter Action.")
	}
	return form.Get("Action"), nil
}

func (w formWire) decode(r *request, _ *smithy.Schema, in smithy.Deserializable) error {
	query := cmp.Or(string(r.body), r.URL.RawQuery)
	form, err := parseParameters(query)
	if err != nil {
		return err
	}
	return in.Deserialize(&formReader{at: parseForm(form)})
}

func (formWire) encode(operation string, _ *smithy.Schema, out smithy.Serializable) (reply, error) {
	result := &xmlWriter{root: operation + "Result"}
	if out != nil {
		out.Serialize(result)
	}
	return inXML(http.StatusOK, operation+"Response", string(result.Bytes())+"<ResponseMetadata>"+requestIDElement+"</ResponseMetadata>"), nil
}

// inXML returns an answer whose body is one element with that content.
func inXML(status int, name, content string) reply {
	body := "<" + name + ` xmlns="` + cloudWatchNamespace + `">` + content + "</" + name + ">"
	return reply{status, http.Header{"Content-Type": {"text/xml"}}, []byte(body)}
}

func (formWire) refuse(e *apiError) reply {
	code := e.code
	if code == "SerializationException" {
		code = "MalformedInput"
	}
	var detail bytes.Buffer
	for _, member := range [][2]string{{"Type", faultOf(e)}, {"Code", code}, {"Message", e.message}} {
		detail.WriteString("<" + member[0] + ">")
		_ = xml.EscapeText(&detail, []byte(member[1])) // a buffer takes everything
		detail.WriteString("</" + member[0] + ">")
	}
	return inXML(e.status, "ErrorResponse", "<Error>"+detail.String()+"</Error>"+requestIDElement)
}

// stampedFace is CloudWatch in the protocol whose bodies name the request's id.
type stampedFace struct{ cloudWatchFace }

// stamp puts the request's id into a body.
func (stampedFace) stamp(body []byte, id string) []byte {
	if i := bytes.LastIndex(body, []byte(requestIDElement)); i >= 0 {
		return slices.Concat(body[:i], []byte("<RequestId>"+id+"</RequestId>"), body[i+len(requestIDElement):])
	}
	return body
}
