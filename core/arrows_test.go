package core_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/polymq/polymq"

// arrows says which packages of polymq a package may import, both with or without "/..." for all
// that lies below them. What is not drawn here must not be; tests are free.
var arrows = map[string][]string{
	"core":               {"core/policy"},
	"core/policy":        {},
	"migrations":         {},
	"workers/...":        {"core"},
	"pg/...":             {"core", "migrations", "pg/..."},
	"protocols/caller":   {"core", "core/policy"},
	"protocols/coverage": {},
	"protocols/signing":  {"core"},
	"protocols/openapi":  {"core", "core/policy", "protocols/caller"},
	"protocols/smq":      {"core", "protocols/caller", "protocols/coverage", "protocols/openapi", "protocols/mns"}, // the control plane of mns
	"protocols/aws":      {"core", "protocols/caller", "protocols/coverage"},
	"protocols/awsquery": {"core", "protocols/caller", "protocols/coverage", "protocols/aws"},
	"protocols/iam":      {"core", "core/policy", "protocols/caller", "protocols/coverage", "protocols/aws", "protocols/awsquery"},
	"protocols/sts":      {"core", "core/policy", "protocols/caller", "protocols/coverage", "protocols/aws", "protocols/awsquery"},
	"protocols/sqs":      {"core", "core/policy", "protocols/caller", "protocols/coverage", "protocols/aws"},
	"protocols/sns/...":  {"core", "core/policy", "protocols/caller", "protocols/coverage", "protocols/aws", "protocols/signing", "protocols/sns/..."},
	"protocols/mns":      {"core", "protocols/caller", "protocols/coverage", "protocols/signing"},
	"protocols/api":      {"core", "core/policy", "protocols/caller", "protocols/coverage", "protocols/aws"},
	"protocols/console":  {"core", "core/policy", "protocols/caller"},
	"protocols":          {"core", "docs", "protocols/..."}, // mounts them all
	"sdktests/...":       {},
	"deploy":             {},
	"docs":               {},
	"cmd/...":            {"..."},

	"protocols/localstack": {"core", "protocols/caller"},
	"protocols/aliyunsts":  {"core", "core/policy", "protocols/caller", "protocols/coverage", "protocols/openapi"},
	"protocols/ram":        {"core", "protocols/caller", "protocols/coverage", "protocols/openapi"},
	"protocols/dybase":     {"core", "protocols/caller", "protocols/coverage", "protocols/openapi"},
}

// testOnly are packages that only tests may import, and each other.
var testOnly = []string{"pg/pgtest", "cmd/polymq/polymqtest"}

// A goPackage is what `go list -json` says of one.
type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestArrows(t *testing.T) {
	t.Parallel()
	packages := list(t, module+"/...")
	if len(packages) < 5 {
		t.Fatalf("go list gave only %d packages", len(packages))
	}
	for _, p := range packages {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		allowed, drawn := arrowsOf(name)
		if !drawn {
			t.Errorf("%s: its arrows are not drawn", name)
			continue
		}
		for _, imported := range p.Imports {
			target, ours := strings.CutPrefix(imported, module+"/")
			switch {
			case !ours && matches(name, "core/...") && !standard(imported):
				t.Errorf("%s imports %s: core has the standard library only", name, imported)
			case ours && !slices.ContainsFunc(allowed, func(drawn string) bool { return matches(target, drawn) }):
				t.Errorf("%s imports %s: no such arrow is drawn", name, target)
			case ours && slices.Contains(testOnly, target) && !slices.Contains(testOnly, name):
				t.Errorf("%s imports %s, which is for tests", name, target)
			}
		}
	}
}

// arrowsOf gives what the package may import.
func arrowsOf(name string) (allowed []string, drawn bool) {
	for owner, allowed := range arrows {
		if matches(name, owner) {
			return allowed, true
		}
	}
	return nil, false
}

// matches reports whether a package is the one drawn or, if "/..." follows that, below it.
func matches(name, drawn string) bool {
	folder, below := strings.CutSuffix(drawn, "...")
	return name == strings.TrimSuffix(folder, "/") || below && strings.HasPrefix(name, folder)
}

// standard reports whether a package is of the standard library, whose paths have no dot in front.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func list(t *testing.T, pattern string) []goPackage {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "-e", pattern).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	decoder := json.NewDecoder(bytes.NewReader(output))
	for {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("decode the output of go list: %v", err)
		}
		packages = append(packages, p)
	}
}

// The rules above must refuse what they are there to refuse.
func TestArrowsAreRead(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"core": true, "core/below": false, "pg": true, "pg/embedded": true, "pgx": false,
		"protocols": true, "protocols/sqs": true, "protocols/new": false, "cmd/polymq/bench": true, "util": false,
	} {
		if _, got := arrowsOf(name); got != want {
			t.Errorf("arrows of %s are drawn: got %t, want %t", name, got, want)
		}
	}
	if !matches("pg", "...") || matches("pg/pgtest", "pg") {
		t.Error("what a pattern covers is misread")
	}
	if standard("github.com/jackc/pgx/v5") || !standard("net/http") {
		t.Error("the standard library is not told from the rest")
	}
}
