//go:build !linux

package runtimeapi

import "syscall"

// endWithParent sets nothing: a process ends by itself when it next asks for an
// invocation and the Runtime API is gone.
var endWithParent *syscall.SysProcAttr
