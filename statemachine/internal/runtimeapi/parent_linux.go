package runtimeapi

import "syscall"

// endWithParent has a process killed when this program ends, however that ends.
var endWithParent = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
