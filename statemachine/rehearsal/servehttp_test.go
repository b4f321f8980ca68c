package rehearsal

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

func TestTheControlCallMovesTimeOn(t *testing.T) {
	s, _, url := served(t, `{}`)
	before := s.Now()
	post := func(body string) (int, string) {
		answer, err := http.Post(url+TimePath, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(text)
	}
	if status, text := post(`{"advance": 90}`); status != http.StatusOK || !s.Now().Equal(before.Add(90*time.Second)) {
		t.Errorf("%d %s: it is %s after %s", status, text, s.Now(), before)
	}
	for _, wrong := range []string{``, `{}`, `{"advance": -1}`, `{"advance": 1e9}`, `{"advance": "1"}`, `[]`} {
		if status, text := post(wrong); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", wrong, status, text)
		}
	}
}

// TestWhatIsNotSupportedIsReportedOnce, also if it is asked for often, and not without end.
func TestWhatIsNotSupportedIsReportedOnce(t *testing.T) {
	conditions, err := ParseScenario([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	var reported []string
	s, err := NewServed(ServeOptions{Scenario: conditions, Template: stacktemplate.Template(), Start: started, Unsupported: func(text string) { reported = append(reported, text) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	get := func(path, host string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil)
		r.Host = host
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	for range 3 {
		get("/restapis", "127.0.0.1")
		get("/2015-03-31/functions/f/policy", "127.0.0.1")
		get("/2015-03-31/functions/MyFunction", "127.0.0.1")
		if w := get("/key", "bucket.s3.amazonaws.com"); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), `for the host \"bucket.s3.amazonaws.com\"`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	want := []string{"GET /restapis", "GetPolicy", "bucket.s3.amazonaws.com"}
	if len(reported) != len(want) {
		t.Fatalf("reported: %q", reported)
	}
	for i := range want {
		if !strings.Contains(reported[i], want[i]) {
			t.Errorf("reported: %q, want one with %q", reported[i], want[i])
		}
	}
	for i := range 2 * maxNoted {
		get(fmt.Sprintf("/%d", i), "127.0.0.1")
	}
	if len(reported) != maxNoted {
		t.Errorf("%d texts are reported", len(reported))
	}
	stop()
	<-ended
}
