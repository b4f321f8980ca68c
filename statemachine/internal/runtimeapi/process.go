package runtimeapi

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// process is a running executable with its own Runtime API.
type process struct {
	*child
	server *http.Server

	invocations chan *invocation
	ready       chan struct{} // closed when it asks for its first invocation
	asks        sync.Once
	initFailure atomic.Pointer[Failure]

	mutex   sync.Mutex // protects state and current
	state   state
	current *invocation // the latest that it has, answered or not
}

// newProcess starts a process of a function.
func newProcess(f Function) (*process, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &process{
		child:       newChild(f.Executable),
		invocations: make(chan *invocation),
		ready:       make(chan struct{}),
		state:       started,
	}
	p.server = &http.Server{Handler: p.handler(), ReadHeaderTimeout: time.Minute}
	if p.command.Env, err = f.environment(listener.Addr().String()); err == nil {
		go func() { _ = p.server.Serve(listener) }() // ends with the process
		err = p.start(func() { _ = p.server.Close() })
	}
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	return p, nil
}
