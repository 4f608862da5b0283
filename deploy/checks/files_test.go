package checks

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// given reads the file that a variable names.
func given(t *testing.T, variable string) string {
	t.Helper()
	text, err := os.ReadFile(os.Getenv(variable))
	if err != nil {
		t.Fatalf("%s: %v; run the test of package deploy", variable, err)
	}
	return string(text)
}

// checkFlags checks that the flags of a command line are those of polymq serve.
func checkFlags(t *testing.T, args []string) {
	t.Helper()
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`).FindAllStringSubmatch(given(t, "POLYMQ_HELP"), -1) {
		known[m[1]] = true
	}
	for _, arg := range args {
		flag, ok := strings.CutPrefix(arg, "--")
		flag, _, _ = strings.Cut(flag, "=")
		if ok && !known[flag] {
			t.Errorf("polymq serve has no flag --%s", flag)
		}
	}
}

// checkVariables checks that variables of polymq stand for flags of it.
func checkVariables(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if setting, ok := strings.CutPrefix(name, "POLYMQ_"); ok && setting != "MASTER_KEY" {
			checkFlags(t, []string{"--" + strings.ReplaceAll(strings.ToLower(setting), "_", "-")})
		}
	}
}
