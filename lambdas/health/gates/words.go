package gates

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
)

// What readings say, in the words that people read. Texts that came from outside
// are quoted on one line, up to a length, and nothing of a secret is.

const (
	asExpected    = "answered as expected"
	withoutError  = "answered without an error"
	notAsExpected = "did not answer as expected"
	noExpectation = "the expected answer could not be read"
	noDuration    = "took an unknown time: the end of its log has no report of it"
	tooLong       = "answered more than 256 KB, which is too long to read"
)

// noAnswer returns why there is no answer.
func noAnswer(err error) string {
	var known *InvokeError
	if errors.As(err, &known) {
		return known.Because
	}
	return "could not be invoked"
}

// late says that there was no answer in time: "no answer within 10 s".
func late(limit time.Duration) string { return fmt.Sprintf("no answer within %v s", limit.Seconds()) }

// invokeFailure says why a function could not be invoked. Of AWS's error it has only
// the name: the text may quote the payload.
func invokeFailure(err error) string {
	var (
		api  smithy.APIError
		many *types.TooManyRequestsException
	)
	switch {
	case errors.As(err, &many) && many.Reason != "":
		return "throttled (" + string(many.Reason) + ")"
	case awserror.Of(err) == awserror.Throttled:
		return "throttled"
	case awserror.Answer(err) != "":
		return "could not be invoked: " + awserror.Answer(err)
	case errors.As(err, &api):
		switch code := api.ErrorCode(); code {
		case "ResourceNotFoundException":
			return "there is no such function, or no such version or alias of it, in this account and Region"
		case "AccessDeniedException", "AccessDenied":
			return "the stack may not invoke it: tag the function of a check or hook with lambda-rollout-check=enabled, and look for a policy that denies it"
		default:
			return "could not be invoked: AWS answered " + oneLine(code, maxQuoted)
		}
	}
	return "could not be invoked: AWS Lambda could not be reached, or did not answer"
}

// maxQuoted is the most of an answer that a reason has, in characters.
const maxQuoted = 200

// quote returns the beginning of an answer, as compact JSON if it is JSON, on one
// line.
func quote(answer []byte) string {
	var compact bytes.Buffer
	if json.Compact(&compact, answer) == nil {
		answer = compact.Bytes()
	}
	if len(answer) == 0 {
		return "nothing"
	}
	return oneLine(string(answer), maxQuoted)
}

// oneLine returns at most so many characters of a text, on one line. It drops what
// is no character, controls a terminal, or changes the direction of writing.
func oneLine(text string, most int) string {
	var line strings.Builder
	n := 0
	for _, c := range text {
		switch {
		case c == unicode.ReplacementChar || unicode.Is(unicode.Cf, c):
			continue
		case unicode.IsSpace(c):
			c = ' '
		case unicode.IsControl(c):
			continue
		}
		if n++; n > most {
			return line.String() + "…"
		}
		line.WriteRune(c)
	}
	return line.String()
}

// functionError says with which error a function failed.
func functionError(answer []byte) string {
	var of struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}
	switch {
	case json.Unmarshal(answer, &of) != nil || of.Message == "" && of.Type == "":
		return "ended with an error: " + quote(answer)
	case of.Message == "" || of.Type == "":
		return "ended with an error: " + oneLine(of.Type+of.Message, maxQuoted)
	}
	return "ended with an error: " + oneLine(of.Type+": "+of.Message, maxQuoted)
}

// inMilliseconds writes a duration to a hundredth of one.
func inMilliseconds(d time.Duration) string {
	return strconv.FormatFloat(math.Round(float64(d)/1e4)/100, 'f', -1, 64) + " ms"
}

// within says where in an answer something is; empty for the whole.
func within(at string) string {
	if at == "$" {
		return ""
	}
	return " in " + at
}

// snippet returns the beginning of a part of a document, as JSON.
func snippet(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) != nil {
		return "something else"
	}
	return oneLine(strings.TrimSpace(text.String()), 60)
}

func (e endpoint) wanted() string {
	if len(e.Status) == 0 {
		return "200 to 299"
	}
	texts := make([]string, len(e.Status))
	for i, status := range e.Status {
		texts[i] = strconv.Itoa(status)
	}
	return strings.Join(texts, " or ")
}

// excerpt returns the beginning of an answer, unless it may repeat a secret.
func (e endpoint) excerpt(body []byte) string {
	text := strings.TrimSpace(oneLine(string(body), maxExcerpt))
	switch {
	case text == "":
		return ""
	case len(e.SecretHeaders) > 0:
		return " (the answer is not shown, as the request had secrets)"
	}
	return ": " + text
}

// failure says why there is no answer. The text of other errors may come from the
// other side, with a secret in it.
func (e endpoint) failure(err error) string {
	var (
		refused     *refusedAddress
		lookup      *net.DNSError
		certificate *tls.CertificateVerificationError
		network     *net.OpError
		outer       *url.Error // has the whole URL in its text
	)
	switch {
	case errors.As(err, &refused):
		return "not called: " + refused.Error()
	case errors.As(err, &lookup):
		return "no answer: the host's name can't be resolved: " + oneLine(lookup.Err, maxExcerpt)
	case errors.As(err, &network) && network.Op == "dial":
		return "no answer: " + oneLine(network.Error(), maxExcerpt)
	case len(e.SecretHeaders) > 0 && errors.As(err, &certificate):
		return "no answer: the host's certificate can't be verified"
	case len(e.SecretHeaders) > 0:
		return "no answer: the connection failed"
	case errors.As(err, &outer):
		err = outer.Err
	}
	return "no answer: " + oneLine(err.Error(), maxExcerpt)
}
