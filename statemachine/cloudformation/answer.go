package cloudformation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// The limits of an answer and of its physical ID, in bytes, and how long the URL for it is valid.
const (
	maxAnswer     = 4096
	maxPhysicalID = 1024
	urlLifetime   = 7200 * time.Second
)

// Answer is a PUT to a pre-signed URL.
type Answer struct {
	At time.Time
	// RequestID is that of the request whose URL it is, or the logical ID of a wait condition's handle; empty if the URL is none
	// of the engine's.
	RequestID string
	Body      string
	Status    int // HTTP status of the response; 0 if the connection was cut
	// Accepted is whether it is the answer that the stack goes on with, and Ignored why it is not, or why it has failed the
	// resource all the same.
	Accepted bool
	Ignored  string
}

// Answers returns all PUTs, in the order in which they came.
func (e *Engine) Answers() []Answer { return append([]Answer(nil), e.answers...) }

// presigned is a pre-signed URL.
type presigned struct {
	url      string
	signed   time.Time
	lifetime time.Duration
	of       string // Answer.RequestID
	take     func(body []byte) (accepted bool, problem string)
}

// sign returns a pre-signed URL for PUT requests to a key in one of CloudFormation's buckets. As in AWS, the bucket has the
// region in its name.
func (e *Engine) sign(bucket, key string, p presigned) string {
	region := e.options.Server.Config().Region
	p.signed = e.clock.Now()
	p.url = fmt.Sprintf("https://%s.s3.%s.amazonaws.com/%s?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=%s&X-Amz-SignedHeaders=host&X-Amz-Expires=%d&X-Amz-Credential=%s&X-Amz-Signature=%x",
		bucket, region, url.QueryEscape(key), p.signed.Format("20060102T150405Z"), int(p.lifetime.Seconds()),
		url.QueryEscape("AKIALOCALLOCALLOCAL1/"+p.signed.Format("20060102")+"/"+region+"/s3/aws4_request"), e.draw())
	e.signed["/"+key] = p
	return p.url
}

// RoundTrip implements [http.RoundTripper]: it takes answers. It has no other hosts than those of the URLs that it gave.
func (e *Engine) RoundTrip(q *http.Request) (*http.Response, error) {
	var body []byte
	if q.Body != nil {
		defer q.Body.Close()
		var err error
		if body, err = io.ReadAll(q.Body); err != nil {
			return nil, err
		}
	}
	a := Answer{At: e.clock.Now(), Body: string(body), Status: http.StatusOK}
	var fault localaws.FaultKind
	if e.options.OnPut != nil {
		fault = e.options.OnPut(len(e.answers) + 1)
	}
	p := e.signed[q.URL.Path]
	a.RequestID = p.of
	switch fault {
	case localaws.CutBefore:
		a.Status, a.Ignored = 0, "the connection was cut"
	case localaws.ServerError:
		a.Status, a.Ignored = http.StatusInternalServerError, "S3 had an internal error"
	case localaws.Unavailable:
		a.Status, a.Ignored = http.StatusServiceUnavailable, "S3 was unavailable"
	default:
		if a.Ignored = p.refusal(q, a.At); a.Ignored != "" {
			a.Status = http.StatusForbidden
			break
		}
		a.Accepted, a.Ignored = p.take(body)
		if fault == localaws.CutAfter {
			a.Status = 0
		}
	}
	e.answers = append(e.answers, a)
	if a.Status == 0 {
		return nil, fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", io.ErrUnexpectedEOF)
	}
	return &http.Response{
		Status: fmt.Sprint(a.Status, " ", http.StatusText(a.Status)), StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(nil)), Request: q,
	}, nil
}

// refusal returns why S3 refuses a PUT, or "": the signature is for the whole URL, for that method and for no Content-Type.
func (p presigned) refusal(q *http.Request, now time.Time) string {
	switch {
	case q.URL.String() != p.url || q.Method != http.MethodPut || q.Header.Get("Content-Type") != "":
		return "SignatureDoesNotMatch"
	case now.Sub(p.signed) > p.lifetime:
		return "AccessDenied: Request has expired"
	}
	return ""
}

// take takes an answer, if the request still waits for one, and returns what is wrong with it.
func (r *request) take(body []byte) (accepted bool, problem string) {
	if r.over {
		return false, "the request was answered before, or is no longer waited for"
	}
	var a response
	err := json.Unmarshal(body, &a)
	switch {
	case len(body) > maxAnswer:
		problem = "Response object is too long."
	case err != nil:
		problem = "it is not JSON"
	case a.StackID != r.StackID || a.RequestID != r.RequestID || a.LogicalResourceID != r.LogicalResourceID:
		problem = "StackId, RequestId or LogicalResourceId is not the request's"
	case a.Status != "SUCCESS" && a.Status != "FAILED":
		problem = "Status is neither SUCCESS nor FAILED"
	case a.PhysicalResourceID == "" || len(a.PhysicalResourceID) > maxPhysicalID:
		problem = "Invalid PhysicalResourceId"
	}
	r.over, r.problem = true, problem
	if problem == "" {
		r.answer = a
	}
	r.answered.Fire()
	return problem == "", problem
}
