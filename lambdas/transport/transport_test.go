package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lambda-rollout/lambda-rollout/lambdas/transport"
)

// sdkBody is a request's body as the SDK has it: net/http does not know its type.
type sdkBody struct {
	io.Reader
	closed int
}

func (b *sdkBody) Close() error { b.closed++; return nil }

// send sends a request, and returns the response's status and what the first packet to the server was.
func send(t *testing.T, body *sdkBody, length int64) (status int, packet string, err error) {
	t.Helper()
	client := transport.New()
	packets := make(chan string, 1)
	client.BuildableClient = client.WithTransportOptions(func(t *http.Transport) {
		t.DialContext = func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				buffer := make([]byte, 64<<10)
				n, _ := far.Read(buffer) // what was written at once
				packets <- string(buffer[:n])
				_, _ = far.Write([]byte("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"))
			}()
			return near, nil
		}
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://aws.invalid/", body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = length
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	return response.StatusCode, <-packets, response.Body.Close()
}

// TestARequestIsSentAtOnce, its head with its body: each packet, and each TLS record, takes time.
func TestARequestIsSentAtOnce(t *testing.T) {
	const text = `{"Name": "/lambda-rollout/e"}`
	body := &sdkBody{Reader: strings.NewReader(text)}
	status, packet, err := send(t, body, int64(len(text)))
	if err != nil || status != http.StatusNoContent {
		t.Fatalf("%d, %v", status, err)
	}
	if !strings.HasPrefix(packet, "POST / HTTP/1.1\r\n") || !strings.HasSuffix(packet, "\r\n\r\n"+text) {
		t.Errorf("the first packet is %q", packet)
	}
	if body.closed != 1 {
		t.Errorf("the body was closed %d times", body.closed)
	}
}

// TestABodyThatCannotBeReadIsAnError, and nothing is sent.
func TestABodyThatCannotBeReadIsAnError(t *testing.T) {
	broken := errors.New("broken")
	body := &sdkBody{Reader: iotest.ErrReader(broken)}
	if _, packet, err := send(t, body, 7); !errors.Is(err, broken) || packet != "" || body.closed != 1 {
		t.Errorf("%v, sent %q, closed %d times", err, packet, body.closed)
	}
}
