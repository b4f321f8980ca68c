package runtimeapi

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"sync"
)

// child is a running program.
type child struct {
	command *exec.Cmd
	output  output
	ended   chan struct{} // closed when it has ended
}

// newChild returns a child that is not started yet.
func newChild(path string, arguments ...string) *child {
	return &child{command: exec.Command(path, arguments...), ended: make(chan struct{})}
}

// start starts the program, and calls atEnd when it has ended. It ends when this
// program ends, at the latest; for that, the thread that starts it must exist until
// it has ended.
func (c *child) start(atEnd func()) error {
	c.command.Dir = os.TempDir()
	c.command.Stdout, c.command.Stderr = &c.output, &c.output
	c.command.SysProcAttr = endWithParent
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.command.Start()
		started <- err
		if err == nil {
			_ = c.command.Wait() // ProcessState has how it ended
			atEnd()
			close(c.ended)
		}
	}()
	return <-started
}

// kill kills the program and waits until it has ended.
func (c *child) kill() {
	_ = c.command.Process.Kill() // it may have ended already
	<-c.ended
}

// output collects what a program writes. It can be read at the same time.
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

// String returns what the program has written so far.
func (o *output) String() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.text.String()
}
