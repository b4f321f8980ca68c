//go:build unix

package main

import (
	"errors"
	"os/exec"
	"runtime"
	"syscall"
)

// peak returns how many megabytes of memory a process that has ended used at most.
func peak(p *exec.Cmd) (float64, error) {
	usage, ok := p.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, errors.New("the system does not say how much memory a process used")
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" { // in bytes
		return float64(usage.Maxrss) / (1 << 20), nil
	}
	return float64(usage.Maxrss) / (1 << 10), nil
}
