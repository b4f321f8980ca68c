package runtimeapi

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Instance is one execution environment of a function. It serves one invocation
// at a time. If its process has ended, the next invocation starts another one.
type Instance struct {
	function Function
	turn     sync.Mutex // held during an invocation
	process  *process
	count    int // number of invocations so far
}

// startLimit limits the time that a process may take until it asks for its first
// invocation. Lambda allows ten seconds on a processor; here the process may have
// to share one.
const startLimit = time.Minute

// Start starts a function's process and waits until it asks for its first
// invocation. The error is a *Failure if the process ended, reported a failure or
// took too long; the returned instance then has its output.
func Start(f Function) (*Instance, error) {
	i := &Instance{function: f}
	return i, i.start()
}

// start starts a process for the instance.
func (i *Instance) start() error {
	p, err := newProcess(i.function)
	if err != nil {
		return fmt.Errorf("start %s: %w", i.function.ARN, err)
	}
	i.process = p
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case <-p.ready:
		return nil
	case <-p.ended:
		if failure := p.initFailure.Load(); failure != nil {
			return failure
		}
		return exited(requestID(i.count), p.command.ProcessState)
	case <-limit.C:
		p.kill()
		return timedOut(requestID(i.count), startLimit)
	}
}

// Invoke invokes the function with a JSON input and returns its JSON output. The
// error is a *Failure if the function failed, crashed or took too long. A function
// that took too long loses its process, as on Lambda.
func (i *Instance) Invoke(input json.RawMessage) (json.RawMessage, error) {
	i.turn.Lock()
	defer i.turn.Unlock()
	i.count++
	id := requestID(i.count)
	limit := time.NewTimer(i.function.Timeout)
	defer limit.Stop()
	one := &invocation{
		id: id, arn: i.function.ARN, input: input,
		deadline: time.Now().Add(i.function.Timeout), answered: make(chan answer, 1),
	}
	if err := i.handOver(one, limit.C); err != nil {
		return nil, err
	}
	select {
	case a := <-one.answered:
		return a.result()
	case <-i.process.ended:
	case <-limit.C:
		i.process.kill()
		return nil, timedOut(id, i.function.Timeout)
	}
	select {
	case a := <-one.answered: // before it ended
		return a.result()
	default:
		return nil, exited(id, i.process.command.ProcessState)
	}
}

// handOver waits until the process takes an invocation. If the process has ended,
// or ends after a failure, handOver starts another one.
func (i *Instance) handOver(one *invocation, limit <-chan time.Time) error {
	for {
		select {
		case <-i.process.ended:
			if err := i.start(); err != nil {
				return err
			}
		default:
		}
		select {
		case i.process.invocations <- one:
			return nil
		case <-i.process.ended:
		case <-limit:
			i.process.kill()
			return timedOut(one.id, i.function.Timeout)
		}
	}
}

// PID returns the process's id.
func (i *Instance) PID() int { return i.process.command.Process.Pid }

// Output returns what the process has written to its standard output and error; ""
// if no process could be started.
func (i *Instance) Output() string {
	if i.process == nil {
		return ""
	}
	return i.process.output.String()
}

// Stop kills the process and waits for its end.
func (i *Instance) Stop() {
	i.process.kill()
}

// requestID returns the ID of the n-th invocation.
func requestID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", n) }
