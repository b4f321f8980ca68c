package rehearsal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/loopback"
)

// TimePath is the path of the control call that moves virtual time on: a POST with the
// body {"advance": seconds}, whose answer is {"now": time} when all that happens until
// then has happened. A GET answers the time.
const TimePath = "/_lambda-rollout/time"

// maxRequestBody is the size of the largest request, in bytes: that of an update with
// the largest ZIP file, as base64.
const maxRequestBody = 70 << 20

// maxAdvance is the longest time that one control call moves on, in seconds.
const maxAdvance = 31 * 24 * 60 * 60

// ServeHTTP answers AWS calls, and the control call at TimePath. It refuses requests
// from web pages of other sites, and those that name another host than a loopback
// address: a page could have a browser make calls here.
func (s *ServedAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := loopback.Check(r); err != nil {
		s.unsupported.note(err.Error())
		localaws.Refuse(w, r, http.StatusForbidden, "AccessDenied", err.Error())
		return
	}
	w.Header().Set("Date", s.Now().UTC().Format(http.TimeFormat)) // as of AWS, by which clients correct their clocks
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	if r.URL.Path == TimePath {
		s.answerTime(w, r.Method, body)
		return
	}
	rewind := func() { r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body)) }
	rewind()
	reads := s.server.Reads(r) && !s.faulty
	rewind()
	if reads {
		err = s.clock.Do(func() { s.server.ServeRead(w, r) })
	} else {
		err = s.change(w, r, body)
	}
	var lost *unstoredError
	switch {
	case errors.As(err, &lost):
		rewind()
		s.server.Refuse(w, r, lost.Error())
	case errors.Is(err, asl.ErrStopped):
		http.Error(w, "the local AWS has stopped", http.StatusServiceUnavailable)
	case err != nil:
		panic(http.ErrAbortHandler) // the server cut the connection
	}
}

// noted passes each of the first texts on, once.
type noted struct {
	mutex  sync.Mutex
	seen   map[string]bool
	report func(string) // nil to pass nothing on
}

// maxNoted is how many different texts are passed on.
const maxNoted = 100

func (n *noted) note(text string) {
	n.mutex.Lock()
	fresh := n.report != nil && !n.seen[text] && len(n.seen) < maxNoted
	if fresh {
		n.seen[text] = true
	}
	n.mutex.Unlock()
	if fresh {
		n.report(text)
	}
}

// answerTime answers the control call.
func (s *ServedAWS) answerTime(w http.ResponseWriter, method string, body []byte) {
	now := s.Now()
	switch method {
	case http.MethodGet:
	case http.MethodPost:
		var in struct{ Advance *float64 }
		if err := json.Unmarshal(body, &in); err != nil || in.Advance == nil || !(*in.Advance >= 0 && *in.Advance <= maxAdvance) {
			http.Error(w, `the body must be {"advance": seconds}, with 0 to 2678400 seconds`, http.StatusBadRequest)
			return
		}
		var err error
		if now, err = s.Advance(seconds(*in.Advance)); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	default:
		http.Error(w, "use GET or POST", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"now": now.Format(time.RFC3339Nano)}) // a client that has gone needs none
}
