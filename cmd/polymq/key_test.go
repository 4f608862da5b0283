package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

const testMasterKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

// startServer starts a server on a database of its own and gives its URL.
func startServer(t *testing.T, config server.Config) *server.Server {
	t.Helper()
	config.Listen, config.LogLevel = []string{"127.0.0.1:0"}, "error"
	srv, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	return srv
}

// polymq runs the command line and gives its output.
func polymq(environ []string, args ...string) (string, error) {
	var out bytes.Buffer
	root := rootCommand(environ)
	root.SetArgs(args)
	root.SetOut(&out)
	err := root.ExecuteContext(context.Background())
	return out.String(), err
}

func TestKeyCommands(t *testing.T) {
	srv := startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t), Auth: "verify", MasterKey: testMasterKey, AdminKey: "root:hunter22"})
	environ := []string{"POLYMQ_ADMIN_KEY=root:hunter22", "POLYMQ_ENDPOINT=" + srv.URL()}
	key := func(args ...string) string {
		t.Helper()
		out, err := polymq(environ, append([]string{"key"}, args...)...)
		if err != nil {
			t.Fatalf("polymq key %s: %v", strings.Join(args, " "), err)
		}
		return out
	}
	if out, err := polymq(environ, "user", "create", "ci", "--account", "444455556666"); err != nil {
		t.Fatalf("%s%v", out, err)
	}
	made := regexp.MustCompile(`^ID:      (AKIA[A-Z2-7]{16})\nSecret:  (\S{40})\nAccount: 444455556666\n$`).FindStringSubmatch(key("create", "--account", "444455556666", "--user", "ci"))
	if made == nil {
		t.Fatal("no key was made")
	}
	id, secret := made[1], made[2]
	state := func() string {
		t.Helper()
		for line := range strings.Lines(key("list")) {
			if fields := strings.Fields(line); fields[0] == id {
				return strings.Join(fields[1:4], " ")
			}
		}
		return "gone"
	}
	if list := key("list"); strings.Contains(list, secret) || strings.Contains(list, "hunter22") || strings.Count(list, "\n") != 3 {
		t.Errorf("listed\n%s", list)
	}
	var shown keyRow
	if line := key("list", "--json", "--account", "444455556666"); json.Unmarshal([]byte(line), &shown) != nil || shown.ID != id || shown.User != "ci" || shown.Secret != "" {
		t.Errorf("listed as JSON: %s", line)
	}
	if line := key("create", "--json"); json.Unmarshal([]byte(line), &shown) != nil || shown.ID == id || shown.Secret == "" {
		t.Errorf("made as JSON: %s", line)
	}
	for _, step := range []struct{ do, want string }{{"disable", "444455556666 ci disabled"}, {"enable", "444455556666 ci good"}, {"delete", "gone"}} {
		if key(step.do, id); state() != step.want {
			t.Errorf("after %s: %q, want %q", step.do, state(), step.want)
		}
	}
	for name, tt := range map[string]struct {
		environ []string
		args    []string
		want    string
	}{
		"nobody":           {environ[1:], []string{"list"}, "POLYMQ_ADMIN_KEY"},
		"a wrong secret":   {environ, []string{"list", "--admin-key", "root:hunter23"}, "POLYMQ_ADMIN_KEY"},
		"no such key":      {environ, []string{"delete", id}, "there is no access key of that id"},
		"no such user":     {environ, []string{"create", "--user", "cy"}, "The user with name cy cannot be found"},
		"a bad account":    {environ, []string{"create", "--account", "1"}, "body.account"},
		"no server":        {nil, []string{"list", "--endpoint", "http://127.0.0.1:1"}, "is it running there?"},
		"an id too many":   {environ, []string{"delete", "a", "b"}, "accepts 1 arg"},
		"an id too few":    {environ, []string{"disable"}, "accepts 1 arg"},
		"other characters": {environ, []string{"delete", "../queues/orders"}, "refuses"},
	} {
		if _, err := polymq(tt.environ, append([]string{"key"}, tt.args...)...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// The first administrator's key is shown by the banner, and nowhere else.
func TestFirstAdministrator(t *testing.T) {
	log := &lockedBuffer{}
	config := server.Config{DatabaseURL: pgtest.DatabaseURL(t), Auth: "verify", MasterKey: testMasterKey, LogOutput: log}
	srv := startServer(t, config)
	admin := srv.FirstAdmin()
	if admin == nil {
		t.Fatal("no key was made")
	}
	shown := banner(config, srv.URL(), admin)
	if !strings.Contains(shown, admin.ID) || !strings.Contains(shown, string(admin.Secret)) {
		t.Errorf("the banner is\n%s", shown)
	}
	if _, err := polymq(nil, "key", "list", "--endpoint", srv.URL(), "--admin-key", admin.ID+":"+string(admin.Secret)); err != nil {
		t.Errorf("the key is refused: %v", err)
	}
	if again := startServer(t, config).FirstAdmin(); again != nil {
		t.Errorf("the next start made %s", again.ID)
	}
	if strings.Contains(log.String(), string(admin.Secret)) {
		t.Error("the secret is in the log")
	}
	if text := banner(config, srv.URL(), nil); strings.Contains(text, `"test"`) || strings.Contains(text, core.Secret("x").String()) {
		t.Errorf("without a new key the banner is\n%s", text)
	}
}

func TestRotateMasterKey(t *testing.T) {
	url, file := pgtest.DatabaseURL(t), filepath.Join(t.TempDir(), "new.key")
	const next = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	if err := os.WriteFile(file, []byte(next), 0o600); err != nil {
		t.Fatal(err)
	}
	config := server.Config{DatabaseURL: url, Auth: "verify", MasterKey: testMasterKey, AdminKey: "root:hunter22"}
	srv := startServer(t, config)
	environ := []string{"POLYMQ_MASTER_KEY=" + testMasterKey, "POLYMQ_DATABASE_URL=" + url}
	if _, err := polymq(environ, "migrate", "rotate-master-key", file); err == nil || !strings.Contains(err.Error(), "servers run") {
		t.Errorf("while a server runs: %v", err)
	}
	if err := srv.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if out, err := polymq(environ, "migrate", "rotate-master-key", file); err != nil || !strings.Contains(out, "secrets are encrypted under the new master key") {
		t.Fatalf("got %q, %v", out, err)
	}
	config.MasterKey, config.AdminKey = next, ""
	again := startServer(t, config)
	if _, err := polymq(nil, "key", "list", "--endpoint", again.URL(), "--admin-key", "root:hunter22"); err != nil {
		t.Errorf("the administrator's key is not what it was: %v", err)
	}
}

func TestKeysFromTheEnvironment(t *testing.T) {
	config, err := load(t, nil, []string{"POLYMQ_AUTH=verify", "POLYMQ_ADMIN_KEY=root:hunter22", "POLYMQ_MASTER_KEY=" + testMasterKey}, "")
	if err != nil || config.Auth != "verify" || config.AdminKey != "root:hunter22" || config.MasterKey != testMasterKey {
		t.Errorf("auth %s, an administrator's key of %d and a master key of %d characters, %v", config.Auth, len(config.AdminKey), len(config.MasterKey), err)
	}
	file := filepath.Join(t.TempDir(), "master")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if config, err = load(t, nil, []string{"POLYMQ_MASTER_KEY_FILE=" + file}, ""); err != nil || config.MasterKeyFile != file {
		t.Errorf("master key file %q, %v", config.MasterKeyFile, err)
	}
	if _, err = load(t, nil, []string{"POLYMQ_ADMIN_KEY=hunter22"}, "master-key: hunter22\nmaster-key-file: x"); err == nil || strings.Contains(err.Error(), "hunter22") {
		t.Errorf("got %v", err)
	}
}
