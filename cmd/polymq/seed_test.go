package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestServeSeed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seed.yaml")
	declared := "accounts: [{id: '111122223333', alias: '1234567890123456'}]\nqueues: [{name: orders, delay_seconds: 3}]\n" +
		"keys:\n  - {id: AKIAORDERS, secret: '${ORDERS_SECRET}', user: orders}\n  - {id: AKIADISABLED, secret: '${ORDERS_SECRET}', disabled: true}\n"
	if err := os.WriteFile(file, []byte(declared), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ORDERS_SECRET", "secret-of-orders")
	config := server.Config{DatabaseURL: pgtest.DatabaseURL(t), Auth: "verify", MasterKey: testMasterKey, AdminKey: "root:hunter22", Seed: file}
	srv := startServer(t, config)
	environ := []string{"POLYMQ_ADMIN_KEY=root:hunter22", "POLYMQ_ENDPOINT=" + srv.URL(), "ORDERS_SECRET=another-secret"}
	if out, err := polymq(environ, "queue", "show", "orders"); err != nil || !strings.Contains(out, "Delay:               3s\n") {
		t.Errorf("the queue is\n%s%v", out, err)
	}
	list, err := polymq(environ, "key", "list")
	if err != nil || !strings.Contains(list, "orders") || !strings.Contains(list, "disabled") {
		t.Errorf("the keys are\n%s%v", list, err)
	}
	if out, err := polymq(environ, "seed", file); err != nil || out != "0 created, 0 changed, 0 deleted\n" {
		t.Errorf("the file again changes\n%s%v", out, err)
	}
	dump, err := polymq(environ, "dump-config")
	if err != nil || strings.Contains(dump, "secret-of-orders") || !strings.Contains(dump, "id: AKIAORDERS") || !strings.HasPrefix(dump, "accounts:\n  - id: \"111122223333\"\n    alias: \"1234567890123456\"\n") {
		t.Errorf("the dump is\n%s%v", dump, err)
	}
	if err := os.WriteFile(file, []byte("keys: [{id: AKIADISABLED, disabled: false}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := polymq(environ, "seed", file, "--prune"); err != nil || out != "~ key AKIADISABLED\n    disabled: true -> false\n- key AKIAORDERS\n0 created, 1 changed, 1 deleted\n" {
		t.Errorf("changed keys: %s%v", out, err)
	}
	if list, err := polymq(environ, "key", "list"); err != nil || !strings.Contains(list, "root") {
		t.Errorf("the administrator is gone:\n%s%v", list, err)
	}
	if err := os.WriteFile(file, []byte("queues: [{name: orders, colour: red}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config.Listen, config.LogLevel = []string{"127.0.0.1:0"}, "disabled"
	if _, err := server.Start(t.Context(), config); err == nil || !strings.Contains(err.Error(), "colour") {
		t.Errorf("a server with a wrong file: %v", err)
	}
}

// Who administers one account dumps all but the accounts, which are not his to see, and is told so.
func TestDumpOfAnAccountsAdministrator(t *testing.T) {
	t.Parallel()
	srv := startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t), DatabasePoolSize: pgtest.PoolSize, Auth: "verify", MasterKey: testMasterKey, AdminKey: "root:hunter22"})
	environ := []string{"POLYMQ_ADMIN_KEY=root:hunter22", "POLYMQ_ENDPOINT=" + srv.URL(), "POLYMQ_ACCOUNT=111122223333"}
	for _, line := range []string{"account create 111122223333 --alias 1234567890123456", "user create ann --access admin", "key create --id AKIAANN --secret secret-of-ann --user ann"} {
		if _, err := polymq(environ, strings.Fields(line)...); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	environ[0] = "POLYMQ_ADMIN_KEY=AKIAANN:secret-of-ann"
	var stdout, stderr bytes.Buffer
	root := rootCommand(environ)
	root.SetArgs([]string{"dump-config"})
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(stdout.String(), "accounts:") || !strings.Contains(stdout.String(), "name: ann") || !strings.Contains(stderr.String(), "left out: the accounts") {
		t.Errorf("the dump is\n%swith\n%s", &stdout, &stderr)
	}
}

// A configuration moves to another server by its dump, which has no secrets in it, and is the same there.
func TestDumpMovesWithoutSecrets(t *testing.T) {
	t.Parallel()
	const secret = "topsecret"
	const declared = `
queues: [{name: orders, delay_seconds: 3}]
topics:
  - name: events
    subscriptions:
      - {name: plain, queue: orders}
      - {name: hook, url: "https://user:topsecret@hooks.example/x", format: mns}
      - {name: token, url: "https://hooks.example/x?access_token=topsecret", format: mns}
users: [{name: ann}]
keys: [{id: AKIAMOVED, secret: topsecret, user: ann}]
alerts:
  - name: late
    metric: depth
    queue: orders
    threshold: 1
    to:
      - {type: slack, target: "https://hooks.slack.com/services/topsecret"}
      - {type: slack, target: "https://hooks.slack.com/services/topsecret2"}
      - {type: webhook, target: "https://hooks.example/", secret: topsecret}
      - {type: email, target: ops@example.com}
`
	start := func() []string {
		config := server.Config{DatabaseURL: pgtest.DatabaseURL(t), DatabasePoolSize: pgtest.PoolSize, Auth: "verify", MasterKey: testMasterKey, AdminKey: "root:hunter22"}
		return []string{"POLYMQ_ADMIN_KEY=root:hunter22", "POLYMQ_ENDPOINT=" + startServer(t, config).URL()}
	}
	run := func(environ []string, input string, args ...string) (out, notes string, err error) {
		var stdout, stderr bytes.Buffer
		root := rootCommand(environ)
		root.SetArgs(args)
		root.SetIn(strings.NewReader(input))
		root.SetOut(&stdout)
		root.SetErr(&stderr)
		err = root.ExecuteContext(t.Context())
		return stdout.String(), stderr.String(), err
	}
	must := func(environ []string, input string, args ...string) string {
		t.Helper()
		out, _, err := run(environ, input, args...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return out
	}
	from, to := start(), start()
	if made := must(from, declared, "seed", "-"); strings.Contains(made, secret) {
		t.Errorf("seed tells\n%s", made)
	}
	dump, notes, err := run(from, "", "dump-config")
	for name, text := range map[string]string{"the dump": dump, "what is said of it": notes, "the doctor": must(from, "", "doctor"), "the dump in JSON": must(from, "", "dump-config", "--json")} {
		if err != nil || strings.Contains(text, secret) || strings.Contains(text, "hunter22") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	variables := []string{"KEY_AKIAMOVED_SECRET", "SUBSCRIPTION_EVENTS_HOOK_URL", "SUBSCRIPTION_EVENTS_TOKEN_URL", "ALERT_LATE_SLACK", "ALERT_LATE_SLACK_2", "ALERT_LATE_WEBHOOK"}
	for _, name := range variables {
		if !strings.Contains(dump, "${"+name) || !strings.Contains(notes, "secret: "+name+" is ") {
			t.Errorf("there is no variable %s in\n%s%s", name, dump, notes)
		}
	}
	if _, _, err := run(to, dump, "seed", "-"); err == nil || !strings.Contains(err.Error(), "is not set") {
		t.Errorf("without its secrets: %v", err)
	}
	whole := must(from, "", "dump-config", "--secrets")
	if _, _, err := run(to, whole, "seed", "-", "--dry-run"); err != nil {
		t.Errorf("whole: %v", err)
	}
	given := []string{variables[0] + "=topsecret", variables[1] + "=https://user:topsecret@hooks.example/x", variables[2] + "=https://hooks.example/x?access_token=topsecret",
		variables[3] + "=https://hooks.slack.com/services/topsecret", variables[4] + "=https://hooks.slack.com/services/topsecret2", variables[5] + "=https://hooks.example/"}
	must(append(to, given...), dump, "seed", "-")
	if again := must(to, "", "dump-config"); again != dump {
		t.Errorf("there it is\n%swhere it was\n%s", again, dump)
	}
	for name, text := range map[string]string{"the dump": dump, "with its secrets": whole, "in JSON": must(to, "", "dump-config", "--json")} {
		if out := must(append(to, given[1:]...), text, "seed", "-", "--prune"); out != "0 created, 0 changed, 0 deleted\n" {
			t.Errorf("%s changes\n%s", name, out)
		}
	}
}
