package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// warmChecks is how many checks are measured after the first.
const warmChecks = 100

// healthChecks measures HealthCheck in a process of its own, which calls the local AWS
// over HTTP.
func healthChecks() figure {
	return figure{
		rows:   []row{{name: "healthcheck: from start to first check", unit: "ms CPU"}, {name: "healthcheck: a warm check", unit: "ms CPU"}},
		of:     func(t tree) ([]float64, error) { return firstAndAll(t.checks) },
		finish: firstAndWarm,
	}
}

// blogChecks measures the health check of the blog's sample in the same way, beside
// HealthCheck.
func blogChecks(blog *sample) figure {
	const name = "the blog's health check in Python with boto3, as many times the CPU of healthcheck"
	return figure{
		rows: []row{{name: name, unit: "from start to first check"}, {name: name, unit: "a warm check"}},
		of: func(t tree) ([]float64, error) {
			theirs, err := firstAndAll(blog.checks)
			if err != nil {
				return nil, err
			}
			ours, err := firstAndAll(t.checks)
			return append(theirs, ours...), err
		},
		finish: func(best []float64) []float64 {
			theirs, ours := firstAndWarm(best[:2]), firstAndWarm(best[2:])
			return []float64{theirs[0] / ours[0], theirs[1] / ours[1]}
		},
	}
}

// firstAndAll returns the processor times of two processes until they have answered, one
// once, and the other warmChecks times more, given that until a number of answers.
func firstAndAll(until func(answers int) (float64, error)) ([]float64, error) {
	first, err := until(1)
	if err != nil {
		return nil, err
	}
	all, err := until(1 + warmChecks)
	return []float64{first, all}, err
}

// firstAndWarm returns the processor time of the first answer, and that of each further
// one, given the best of firstAndAll.
func firstAndWarm(best []float64) []float64 {
	return []float64{best[0], (best[1] - best[0]) / warmChecks}
}

// checks returns the processor time of HealthCheck until it has answered a number of
// times, a minute apart in virtual time.
func (t tree) checks(times int) (float64, error) {
	r, err := newRollout(t)
	if err != nil {
		return 0, err
	}
	defer r.world.close()
	return r.invoke("healthcheck", times)
}

// rollout is a rollout whose functions run as processes. It has begun: HealthCheck comes
// next.
type rollout struct {
	tree  tree
	world *world
	state json.RawMessage
}

func newRollout(t tree) (*rollout, error) {
	w, err := newWorld(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	if err != nil {
		return nil, err
	}
	// A step lasts for longer than there are checks.
	r := &rollout{t, w, json.RawMessage(`{"function-name": "f", "alias-name": "live", "new-version": "2", "steps": 10, "interval": 86400}`)}
	for _, name := range []string{"calculateweights", "updatealias"} {
		if _, err := r.invoke(name, 1); err != nil {
			w.close()
			return nil, err
		}
	}
	return r, nil
}

// invoke invokes a function as the workflow does, with the state that it answered last,
// and returns the processor time of its process.
func (r *rollout) invoke(name string, times int) (float64, error) {
	var marshalling error
	api := runtimeAPI{times: times, event: func(i int, last []byte) []byte {
		if i > 0 {
			r.state = last
		}
		if err := r.world.advance(time.Minute); err != nil {
			marshalling = err
		}
		event, err := json.Marshal(map[string]any{
			"execution": "arn:aws:states:eu-central-1:123456789012:execution:Rollout:e", "now": r.world.now(), "retries": 0, "redrives": 0, "rollout": r.state,
		})
		if err != nil {
			marshalling = err
		}
		return event
	}}
	took, err := api.serve(exec.Command(filepath.Join(r.tree.built, name)), r.tree.environment("AWS_ENDPOINT_URL="+r.world.url))
	if err == nil {
		err = marshalling
	}
	r.state = api.last
	return took, err
}

// world is a local AWS that serves HTTP, with a function f whose alias live sends version
// 2 a tenth of 50 requests a second.
type world struct {
	server *localaws.Server
	url    string
	http   http.Server
	spy    func(body []byte, r *http.Request) // sees each call; nil for none

	mutex sync.Mutex
	at    time.Time
}

// newWorld returns a world at a time, after three days of traffic.
func newWorld(at time.Time) (*world, error) {
	const history = 73 * time.Hour
	w := &world{at: at}
	w.server = localaws.New(localaws.Options{Now: w.now})
	if err := w.server.AddFunction("f", 1, 2); err != nil {
		return nil, err
	}
	if err := w.server.AddAlias("f", "live", "1", ""); err != nil {
		return nil, err
	}
	for before := history; before > 0; before -= time.Minute {
		if err := w.record("1", at.Add(-before), 3000); err != nil {
			return nil, err
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w.url, w.http.Handler = "http://"+listener.Addr().String(), spied{w}
	go w.http.Serve(listener) //nolint:errcheck // it ends when it is closed
	return w, nil
}

func (w *world) close() { _ = w.http.Close() }

func (w *world) now() time.Time {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.at
}

// advance serves the requests of some time, one in a thousand with an error, and lets it
// pass.
func (w *world) advance(d time.Duration) error {
	at := w.now()
	for version, requests := range map[string]int64{"1": 2700, "2": 300} {
		if err := w.record(version, at, requests); err != nil {
			return err
		}
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.at = at.Add(d)
	return nil
}

func (w *world) record(version string, at time.Time, requests int64) error {
	err := w.server.RecordInvocations(localaws.Invocations{
		Function: "f", Alias: "live", Version: version, At: at, Invocations: requests, Errors: requests / 1000,
		Duration: localaws.DurationStats{Values: []localaws.DurationCount{
			{Duration: 20 * time.Millisecond, Count: requests / 2},
			{Duration: 45 * time.Millisecond, Count: requests - requests/2},
		}},
	})
	if err != nil {
		return fmt.Errorf("record traffic: %w", err)
	}
	return nil
}
