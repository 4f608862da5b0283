package sdktests

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Where a language's tools are missing, the package passes without it, but not with POLYMQ_REQUIRE_SDKS=all; and who runs go test reads of
// it, though go test keeps what a package prints that passes.
func TestMissingToolsAreToldOf(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for require, passes := range map[string]bool{"": true, "all": false} {
		goTest := exec.CommandContext(t.Context(), "/bin/sh", "-c", `kept=$(exec "$0" -test.run='^TestNode$' 2>&1); exit $?`, program)
		goTest.Env = append(os.Environ(), "PATH="+t.TempDir(), "POLYMQ_REQUIRE_SDKS="+require)
		output, err := goTest.CombinedOutput()
		if passed := err == nil; passed != passes || !strings.HasPrefix(string(output), "NOT RUN: node") {
			t.Errorf("with POLYMQ_REQUIRE_SDKS=%q: %v\n%s", require, err, output)
		}
	}
}
