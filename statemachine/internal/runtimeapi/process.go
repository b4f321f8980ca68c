package runtimeapi

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// process is a running executable with its own Runtime API.
type process struct {
	command *exec.Cmd
	output  output
	server  *http.Server

	invocations chan *invocation
	ready       chan struct{} // closed when it asks for its first invocation
	asks        sync.Once
	ended       chan struct{} // closed when it has ended
	current     atomic.Pointer[invocation]
	initFailure atomic.Pointer[Failure]
}

// newProcess starts a process of a function.
func newProcess(f Function) (*process, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &process{
		command:     exec.Command(f.Executable),
		invocations: make(chan *invocation),
		ready:       make(chan struct{}),
		ended:       make(chan struct{}),
	}
	p.server = &http.Server{Handler: p.handler(), ReadHeaderTimeout: time.Minute}
	if p.command.Env, err = f.environment(listener.Addr().String()); err == nil {
		go func() { _ = p.server.Serve(listener) }() // ends with the process
		err = p.start()
	}
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	return p, nil
}

// start starts the executable. It ends when this program ends, at the latest; for
// that, the thread that starts it must exist until it has ended.
func (p *process) start() error {
	p.command.Dir = os.TempDir()
	p.command.Stdout, p.command.Stderr = &p.output, &p.output
	p.command.SysProcAttr = endWithParent
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.command.Start()
		started <- err
		if err == nil {
			_ = p.command.Wait() // ProcessState has how it ended
			_ = p.server.Close()
			close(p.ended)
		}
	}()
	return <-started
}

// kill kills the process and waits until it has ended.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended already
	<-p.ended
}

// output collects what a process writes. It can be read at the same time.
type output struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(text []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.text.Write(text)
}

// String returns what the process has written so far.
func (o *output) String() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.text.String()
}
