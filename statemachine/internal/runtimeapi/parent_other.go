//go:build !linux

package runtimeapi

import "syscall"

// endWithParent leaves it to the process: it ends when it next asks for an
// invocation, and nobody is there.
var endWithParent *syscall.SysProcAttr
