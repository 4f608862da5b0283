package checks

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// TestDockerfile reads the Dockerfile as `docker build --check` does, and holds its two images to what they promise.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	file, err := os.Open("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	parsed, err := parser.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range parsed.Warnings {
		t.Errorf("Dockerfile: %s", w.Short)
	}
	warn := func(rule, description, _, text string, _ []parser.Range) {
		t.Errorf("%s: %s (%s)", rule, text, description)
	}
	stages, _, err := instructions.Parse(parsed.AST, linter.New(&linter.Config{Warn: warn}))
	if err != nil {
		t.Fatal(err)
	}
	images := map[string]instructions.Stage{}
	for _, stage := range stages {
		images[stage.Name] = stage
		for _, c := range stage.Commands {
			if from, ok := c.(*instructions.CopyCommand); ok && from.From == "" {
				for _, source := range from.SourcePaths {
					exists(t, filepath.Join("../..", source))
				}
			}
		}
	}
	static, local := images["polymq"], images["local"]
	if !strings.HasPrefix(static.BaseName, "gcr.io/distroless/static") || !strings.HasSuffix(static.BaseName, ":nonroot") {
		t.Errorf("the static image is made of %s", static.BaseName)
	}
	for name, stage := range map[string]instructions.Stage{"polymq": static, "local": local} {
		health, entry, stop := find[*instructions.HealthCheckCommand](stage), find[*instructions.EntrypointCommand](stage), find[*instructions.StopSignalCommand](stage)
		if health == nil || entry == nil || stop == nil || stop.Signal != "SIGTERM" || slices.Contains(health.Health.Test, "NONE") {
			t.Fatalf("image %s: health check %+v, entry point %+v, signal %+v", name, health, entry, stop)
		}
		if name == "polymq" && (health.Health.Test[0] != "CMD" || health.Health.Test[1] != "polymq" || entry.PrependShell) {
			t.Errorf("the static image has no shell for %q and %q", health.Health.Test, entry.CmdLine)
		}
		if expose := find[*instructions.ExposeCommand](stage); expose == nil || !slices.Contains(expose.Ports, "4566") {
			t.Errorf("image %s exposes %+v", name, expose)
		}
	}
	if user := find[*instructions.UserCommand](local); user == nil || user.User == "root" {
		t.Errorf("the local image runs as %+v", user)
	}
	for _, c := range local.Commands {
		if env, ok := c.(*instructions.EnvCommand); ok {
			for _, pair := range env.Env {
				checkVariables(t, pair.Key)
			}
		}
	}
}

// find gives the last instruction of a kind, nil where there is none.
func find[C instructions.Command](stage instructions.Stage) (found C) {
	for _, c := range stage.Commands {
		if c, ok := c.(C); ok {
			found = c
		}
	}
	return found
}
