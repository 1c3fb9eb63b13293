//go:build !linux

package azurite

import "syscall"

// dieWithParent has no counterpart here; Stop is what ends the emulator.
func dieWithParent() *syscall.SysProcAttr { return nil }
