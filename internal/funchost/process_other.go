//go:build !linux

package funchost

import "os/exec"

// dieWithParent does nothing where the kernel offers no such thing; the handler
// itself leaves when its parent is gone.
func dieWithParent(*exec.Cmd) {}
