package embedded

import (
	"os/exec"
	"syscall"
)

// dieWithThread has the kernel send PostgreSQL a fast shutdown when the thread that started it ends, as it
// does when polymq is killed.
func dieWithThread(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGINT }
