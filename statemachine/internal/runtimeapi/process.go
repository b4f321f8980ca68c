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

// process is a running executable, with a Runtime API of its own.
type process struct {
	command *exec.Cmd
	output  output
	server  *http.Server

	invocations chan *invocation
	ready       chan struct{} // closed when it asks for its first invocation
	asks        sync.Once
	ended       chan struct{} // closed when it is no more
	current     atomic.Pointer[invocation]
	initFailure atomic.Pointer[Failure]
}

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

// start starts the executable, which ends with this program at the latest: for
// that the thread that starts it must stay until it has ended.
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
			_ = p.command.Wait() // how it ended is in its ProcessState
			_ = p.server.Close()
			close(p.ended)
		}
	}()
	return <-started
}

// kill ends the process and waits until it is no more.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended already
	<-p.ended
}

// output is what a process writes. It may be read meanwhile.
type output struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (o *output) Write(text []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.text.Write(text)
}

func (o *output) String() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.text.String()
}
