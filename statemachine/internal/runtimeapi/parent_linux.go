package runtimeapi

import "syscall"

// endWithParent makes the kernel kill a process when this program ends, for any
// reason.
var endWithParent = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
