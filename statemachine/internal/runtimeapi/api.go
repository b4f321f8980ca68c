package runtimeapi

import (
	"encoding/json"
	"fmt"
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
	mux.HandleFunc("POST "+version+"invocation/{id}/response", p.takes(invocationResponse, response))
	mux.HandleFunc("POST "+version+"invocation/{id}/error", p.takes(invocationErrorResponse, func(body []byte) answer { return answer{failure: reported(body)} }))
	mux.HandleFunc("POST "+version+"init/error", p.initError)
	return mux
}

// state is how far a process is with its calls of the Runtime API. Its values are the
// names that the API's refusals give.
type state string

const (
	started   state = "Started"                  // it has not called the API yet
	initError state = "InitError"                // it has reported why it can't start
	ready     state = "Ready"                    // it waits for an invocation
	running   state = "Running"                  // it has the current invocation
	answering state = "RuntimeResponseSentState" // it has answered the current invocation
)

// Transitions that the API refuses by name without entering such a state.
const (
	invocationResponse      state = "InvocationResponse"
	invocationErrorResponse state = "InvocationErrorResponse"
)

// next waits for an invocation and writes it to the process. A process that asks
// again before it has answered gets the same invocation.
func (p *process) next(w http.ResponseWriter, r *http.Request) {
	p.mutex.Lock()
	before, one := p.state, p.current
	if before != initError && before != running {
		p.state = ready
	}
	p.mutex.Unlock()
	switch before {
	case initError:
		refuse(w, before, ready)
		return
	case running:
	default:
		p.asks.Do(func() { close(p.ready) })
		select {
		case one = <-p.invocations:
		case <-r.Context().Done(): // the process has ended
			return
		}
		p.mutex.Lock()
		p.state, p.current = running, one
		p.mutex.Unlock()
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", one.id)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(one.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", one.arn)
	header.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-"+one.id[:8]+one.id[20:]+"0000;Parent=0000000000000001;Sampled=0")
	_, _ = w.Write(one.input) // if the process has ended, that is noticed separately
}

// largestResponse is the size of the largest response that Lambda accepts, in bytes.
const largestResponse = 6*1024*1024 + 100

// response returns the answer that a response is.
func response(body []byte) answer {
	if len(body) > largestResponse {
		return answer{failure: tooLarge()}
	}
	return answer{output: body}
}

// takes returns a handler that receives the answer to the current invocation.
func (p *process) takes(to state, read func(body []byte) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the process has ended, which is noticed separately
		}
		p.mutex.Lock()
		before, one := p.state, p.current
		current := one != nil && one.id == r.PathValue("id")
		if current && before == running {
			p.state = answering
		}
		p.mutex.Unlock()
		switch {
		case !current:
			write(w, http.StatusBadRequest, problem{"Invalid request ID", "InvalidRequestID"})
			return
		case before != running:
			refuse(w, before, to)
			return
		}
		a := read(body)
		if to == invocationResponse && a.failure != nil {
			write(w, http.StatusRequestEntityTooLarge, problem{
				fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", largestResponse), "RequestEntityTooLarge",
			})
		} else {
			accept(w)
		}
		one.answered <- a
	}
}

// initError receives the process's report of why it can't start.
func (p *process) initError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p.mutex.Lock()
	before := p.state
	if before == started {
		p.state = initError
	}
	p.mutex.Unlock()
	if before != started {
		refuse(w, before, initError)
		return
	}
	p.initFailure.Store(reported(body))
	accept(w)
}

// problem is the API's answer to a call that it refuses.
type problem struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

// refuse answers a call that the process must not make in its state.
func refuse(w http.ResponseWriter, from, to state) {
	write(w, http.StatusForbidden, problem{
		fmt.Sprintf("State transition from %s to %s failed for runtime. Error: State transition is not allowed", from, to), "InvalidStateTransition",
	})
}

// accept answers a call that the API accepts.
func accept(w http.ResponseWriter) {
	write(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

// write writes an answer. If the process has ended, that is noticed separately.
func write(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}
