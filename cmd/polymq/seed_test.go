package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestServeSeed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seed.yaml")
	declared := "queues: [{name: orders, delay_seconds: 3}]\n" +
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
	if err != nil || strings.Contains(dump, "secret-of-orders") || !strings.Contains(dump, "id: AKIAORDERS") {
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
