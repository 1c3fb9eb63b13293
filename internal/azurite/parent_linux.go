package azurite

import "syscall"

// dieWithParent lets the emulator end when the process that started it does,
// however that happens.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
