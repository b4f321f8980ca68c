package rehearsal

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// unstoredError is the error of a request that could not be stored, and so was not
// performed.
type unstoredError struct{ err error }

func (e *unstoredError) Error() string {
	return "The request could not be stored, and was not performed: " + e.err.Error() + "."
}

func (e *unstoredError) Unwrap() error { return e.err }

// keepEvery is how often the time that passes is stored, in real time. What is lost when
// the process is killed is at most that, and runs again as it ran.
const keepEvery = time.Second

// keepTime stores the time that is reached, until over is closed.
func (s *ServedAWS) keepTime(over <-chan struct{}) {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			return
		case <-ticker.C:
		}
		var reached asl.Moment
		if err := s.clock.Do(func() { reached = s.clock.Moment() }); err != nil {
			return // it has stopped
		}
		s.report(s.journal.Reach(reached))
	}
}

// report reports what could not be stored, if anything.
func (s *ServedAWS) report(err error) {
	if err != nil && s.trouble != nil {
		s.trouble(err)
	}
}

// change answers a request that may change the AWS, after it has been stored.
func (s *ServedAWS) change(w http.ResponseWriter, r *http.Request, body []byte) error {
	if s.journal == nil {
		return s.clock.Do(func() { s.server.ServeHTTP(w, r) })
	}
	text, err := wireForm(r, body)
	if err != nil {
		return err
	}
	stored, err := fromWire(text) // so that both times it is the same request
	if err != nil {
		return err
	}
	var number uint64
	record := func(at asl.Moment) (err error) {
		if number, err = s.journal.Add(at, text); err != nil {
			s.report(err)
			return &unstoredError{err}
		}
		return nil
	}
	return s.clock.DoRecorded(record, func() {
		answer := newWitness(w)
		s.server.ServeHTTP(answer, stored)
		s.journal.Answered(number, answer.sum())
	})
}

// Restore brings back the AWS that its journal has: it performs the requests again, each
// at its time, and lets the time that passed pass again. It does nothing for a new
// journal. It must be called before Serve, once. The error is ctx's if that is done
// before, or names the first request with another answer than when it was stored.
func (s *ServedAWS) Restore(ctx context.Context) error {
	count, number, done := s.journal.Len(), uint64(0), false
	last, until := s.journal.Reached()
	var failed error
	var before asl.Moment
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	s.giveUp = giveUp
	next := func() (asl.Recorded, bool) {
		switch {
		case number < count:
			number++
			entry, err := s.journal.Entry(number)
			if failed = err; err != nil {
				giveUp()
				return asl.Recorded{}, false
			}
			before = entry.Moment
			of := number
			return asl.Recorded{Moment: entry.Moment, Do: func() { s.again(of, entry.Request, entry.Answer) }}, true
		case !done && last.Turns > before.Turns && !last.Time.Before(before.Time):
			done = true
			return asl.Recorded{Moment: last}, true
		}
		return asl.Recorded{}, false
	}
	err := s.clock.Replay(ctx, next, until)
	s.pacer = asl.NewPacer(s.clock.Now(), s.speed)
	switch {
	case failed != nil:
		return failed
	case s.departed != nil:
		return s.departed
	case errors.Is(err, asl.ErrDiverged):
		return fmt.Errorf("%s can't be restored by this version of lambda-rollout, whose AWS does not do what it did (%w): use the version that wrote it, or choose another name", s.journal.Path(), err)
	}
	return err
}

// again performs a stored request again.
func (s *ServedAWS) again(number uint64, text, answer []byte) {
	defer func() { _ = recover() }() // as it did when it came: Do returns it to the one caller
	r, err := fromWire(text)
	if err != nil {
		s.depart(fmt.Errorf("request %d in %s can't be read: %w", number, s.journal.Path(), err))
		return
	}
	w := newWitness(nil)
	s.server.ServeHTTP(w, r)
	if got := w.sum(); len(answer) == 0 {
		s.journal.Answered(number, got)
	} else if !bytes.Equal(got, answer) {
		s.depart(fmt.Errorf("%s can't be restored by this version of lambda-rollout, whose AWS answers request %d in another way (%s %s): use the version that wrote it, or choose another name",
			s.journal.Path(), number, r.Method, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("X-Amz-Target"))))
	}
}

// depart ends the replay under way.
func (s *ServedAWS) depart(err error) {
	if s.departed == nil {
		s.departed = err
		s.giveUp()
	}
}

// wireForm returns a request as on the wire, without what it need not be stored with:
// its signature, security token and cookies.
func wireForm(r *http.Request, body []byte) ([]byte, error) {
	header := r.Header.Clone()
	for _, name := range []string{"X-Amz-Security-Token", "Cookie", "Proxy-Authorization", "Expect", "Connection", "Content-Length"} {
		header.Del(name)
	}
	if given := header.Get("Authorization"); given != "" {
		scope, _, _ := strings.Cut(given, ",") // the key id and the service, which decide on the answer
		header.Set("Authorization", scope)
	}
	stored := &http.Request{
		Method: r.Method, Host: r.Host, Header: header, ContentLength: int64(len(body)), Body: http.NoBody,
		URL: &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
	}
	if len(body) > 0 {
		stored.Body = io.NopCloser(bytes.NewReader(body))
	}
	var text bytes.Buffer
	err := stored.Write(&text)
	return text.Bytes(), err
}

// fromWire returns the request of wireForm.
func fromWire(text []byte) (*http.Request, error) {
	return http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
}

// witness notes what a request is answered, and passes it on.
type witness struct {
	http.ResponseWriter // nil to pass nothing on
	header              http.Header
	status              int
	body                bytes.Buffer
	cut                 bool
}

func newWitness(w http.ResponseWriter) *witness {
	return &witness{ResponseWriter: w, header: http.Header{}}
}

func (w *witness) Header() http.Header {
	if w.ResponseWriter != nil {
		return w.ResponseWriter.Header()
	}
	return w.header
}

func (w *witness) WriteHeader(status int) {
	w.status = status
	if w.ResponseWriter != nil {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *witness) Write(b []byte) (int, error) {
	w.body.Write(b)
	if w.ResponseWriter != nil {
		_, _ = w.ResponseWriter.Write(b) // a client that has gone receives nothing
	}
	return len(b), nil
}

// Hijack implements [http.Hijacker]: the server cuts connections.
func (w *witness) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.cut = true
	if hijacker, ok := w.ResponseWriter.(http.Hijacker); ok {
		return hijacker.Hijack()
	}
	server, client := net.Pipe()
	_ = client.Close()
	return server, nil, nil
}

// canonical returns JSON with its names in order, which answers may have in any; other
// text as it is.
func canonical(text []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) == nil {
		if sorted, err := json.Marshal(value); err == nil {
			return sorted
		}
	}
	return text
}

// sum returns a short form of the answer.
func (w *witness) sum() []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d %v\n", w.status, w.cut)
	h.Write(canonical(w.body.Bytes()))
	return h.Sum(nil)[:12]
}
