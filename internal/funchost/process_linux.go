package funchost

import (
	"os/exec"
	"syscall"
)

// dieWithParent asks the kernel to kill the handler when the host dies without
// having stopped it: a safety net, not the way it normally ends.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
