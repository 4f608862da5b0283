//go:build unix && !linux

package embedded

import "os/exec"

// dieWithThread does nothing where the kernel offers no such thing: what a killed polymq leaves running is
// stopped by the next start.
func dieWithThread(*exec.Cmd) {}
