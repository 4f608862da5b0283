package checks

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/coreos/go-systemd/v22/unit"
	"github.com/goreleaser/goreleaser/v2/pkg/config"
)

func TestCompose(t *testing.T) {
	t.Parallel()
	for profile, want := range map[string][]string{"": {"polymq", "postgres"}, "monitoring": {"grafana", "polymq", "postgres", "prometheus"}} {
		options, err := cli.NewProjectOptions([]string{"../../docker-compose.yml"}, cli.WithProfiles(strings.Fields(profile)), cli.WithResolvedPaths(true))
		if err != nil {
			t.Fatal(err)
		}
		project, err := options.LoadProject(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if got := project.ServiceNames(); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("profile %q starts %q, want %q", profile, got, want)
		}
		for name, service := range project.Services {
			if service.Build != nil {
				exists(t, filepath.Join(service.Build.Context, service.Build.Dockerfile))
			} else if service.Image == "" || strings.HasSuffix(service.Image, ":latest") || !strings.Contains(service.Image, ":") {
				t.Errorf("service %s has the image %q, want one with a version", name, service.Image)
			}
			for _, volume := range service.Volumes {
				if volume.Type == "bind" {
					exists(t, volume.Source)
				}
			}
			for variable := range service.Environment {
				checkVariables(t, variable)
			}
		}
	}
}

func TestGoReleaser(t *testing.T) {
	t.Parallel()
	project, err := config.Load("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(project.Builds) != 1 {
		t.Fatalf("%d builds, want one", len(project.Builds))
	}
	build := project.Builds[0]
	exists(t, filepath.Join("../..", build.Main))
	if !slices.Equal(build.Goos, []string{"linux", "darwin"}) || !slices.Equal(build.Goarch, []string{"amd64", "arm64"}) {
		t.Errorf("builds for %q on %q", build.Goos, build.Goarch)
	}
	source, err := os.ReadFile("../../cmd/polymq/server/version.go")
	if err != nil || !strings.Contains(build.Ldflags[0], "-X github.com/polymq/polymq/cmd/polymq/server.release=") || !strings.Contains(string(source), "var release string") {
		t.Errorf("%v: %q does not set the version", err, build.Ldflags)
	}
}

func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	file, err := os.Open("../systemd/polymq.service")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	options, err := unit.Deserialize(file)
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, o := range options {
		settings[o.Section+"."+o.Name] = o.Value
	}
	checkFlags(t, strings.Fields(settings["Service.ExecStart"]))
	for name, want := range map[string]string{"Service.DynamicUser": "yes", "Service.ProtectSystem": "strict", "Service.NoNewPrivileges": "yes",
		"Service.Restart": "always", "Unit.StartLimitIntervalSec": "0", "Install.WantedBy": "multi-user.target"} {
		if settings[name] != want {
			t.Errorf("%s is %q, want %q", name, settings[name], want)
		}
	}
}

func exists(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
