package runtimeapi

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// invocation is one invocation of a function.
type invocation struct {
	id       string
	arn      string
	input    json.RawMessage
	deadline time.Time
	answered chan answer // has room for one answer
}

// answer is a function's answer: an output or a failure.
type answer struct {
	output  []byte
	failure *Failure
}

// result returns the answer as the results of Invoke.
func (a answer) result() (json.RawMessage, error) {
	if a.failure != nil {
		return nil, a.failure
	}
	return a.output, nil
}

// handler returns the handler of the process's Runtime API, version 2018-06-01.
func (p *process) handler() http.Handler {
	const version = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+version+"invocation/next", p.next)
	mux.HandleFunc("POST "+version+"invocation/{id}/response", p.takes(func(body []byte) answer { return answer{output: body} }))
	mux.HandleFunc("POST "+version+"invocation/{id}/error", p.takes(func(body []byte) answer { return answer{failure: reported(body)} }))
	mux.HandleFunc("POST "+version+"init/error", p.initError)
	return mux
}

// next waits for an invocation and writes it to the process.
func (p *process) next(w http.ResponseWriter, r *http.Request) {
	p.asks.Do(func() { close(p.ready) })
	var one *invocation
	select {
	case one = <-p.invocations:
	case <-r.Context().Done(): // the process has ended
		return
	}
	p.current.Store(one)
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", one.id)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(one.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", one.arn)
	header.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-"+one.id[:8]+one.id[20:]+"0000;Parent=0000000000000001;Sampled=0")
	_, _ = w.Write(one.input) // if the process has ended, that is noticed separately
}

// takes returns a handler that receives the answer to the current invocation.
func (p *process) takes(read func(body []byte) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the process has ended, which is noticed separately
		}
		one := p.current.Load()
		if one == nil || one.id != r.PathValue("id") || !p.current.CompareAndSwap(one, nil) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"}`)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		one.answered <- read(body)
	}
}

// initError receives the process's report of why it can't start.
func (p *process) initError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p.initFailure.Store(reported(body))
	w.WriteHeader(http.StatusAccepted)
}
