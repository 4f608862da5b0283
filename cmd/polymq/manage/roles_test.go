package manage_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// What messages say stands in every body, attribute and deduplication id of these tests.
const needle = "needle"

// startVerifying gives a shell for each kind of user of a server that verifies signatures. Who reads is a viewer that may see bodies.
func startVerifying(t *testing.T) (operator, reader, viewer *shell) {
	t.Helper()
	srv, err := server.Start(t.Context(), server.Config{
		Listen: []string{"127.0.0.1:0"}, DatabaseURL: pgtest.DatabaseURL(t), DatabasePoolSize: pgtest.PoolSize, TestMode: true, MessageLog: "all",
		Auth: "verify", MasterKey: core.Secret(strings.Repeat("01", 32)), AdminKey: "root:hunter22", LogLevel: "error", LogOutput: t.Output(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	as := func(name string, access core.Access, bodies bool) *shell {
		user := core.Identity{IdentityName: core.IdentityName{Account: "000000000000", Kind: core.User, Name: name}, Access: access, Bodies: bodies}
		if _, err := srv.Broker().CreateIdentity(t.Context(), user); err != nil {
			t.Fatal(err)
		}
		key, err := srv.Broker().CreateKey(t.Context(), core.NewKey{Account: "000000000000", User: name})
		if err != nil {
			t.Fatal(err)
		}
		return &shell{t, srv, []string{"POLYMQ_ENDPOINT=" + srv.URL(), "POLYMQ_ADMIN_KEY=" + key.ID + ":" + string(key.Secret)}}
	}
	return as("olga", core.Operator, false), as("rita", core.Viewer, true), as("vera", core.Viewer, false)
}

// TestViewersSeeNoBodies runs each command that shows messages as who may see what they say, and as who may not.
func TestViewersSeeNoBodies(t *testing.T) {
	t.Parallel()
	operator, reader, viewer := startVerifying(t)
	operator.must("queue", "create", "orders")
	operator.must("queue", "create", "ordered.fifo")
	operator.must("message", "send", "orders", "a "+needle, "--attribute", "kind="+needle)
	operator.must("message", "send", "ordered.fifo", "a "+needle, "--group", "a", "--deduplication-id", "a-"+needle)
	id := strings.Split(operator.must("message", "peek", "orders", "--json"), `"`)[3]
	for _, command := range []string{
		"message peek orders", "message peek orders --json", "message peek orders --hidden", "message peek ordered.fifo --json",
		"message wait orders --match needle", "log --queue orders --json", "log --queue orders --attribute kind=needle", "message trace " + id + " --json",
		"export orders", "export ordered.fifo", "queue show orders", "queue list --json",
	} {
		args := strings.Fields(command)
		for name, who := range map[string]*shell{"operator": operator, "reader": reader} {
			if r := who.run(t.Context(), "", args...); r.err != nil {
				t.Errorf("%s as %s: %v", command, name, r.err)
			} else if strings.Contains(r.out, needle) == (args[0] == "queue") {
				t.Errorf("%s as %s: got %s", command, name, r.out)
			}
		}
		if r := viewer.run(t.Context(), "", args...); strings.Contains(r.out+r.errors, needle) || r.err != nil && strings.Contains(r.err.Error(), "a "+needle) {
			t.Errorf("%s as a viewer: got %s, %s, %v", command, r.out, r.errors, r.err)
		}
	}
	if out := viewer.must("message", "peek", "orders", "--json=false"); !strings.Contains(out, "(hidden)") {
		t.Errorf("a viewer is shown %s", out)
	}
	for _, command := range []string{"message wait orders --match needle", "message receive orders", "export orders --consume", "log --queue orders --attribute kind=needle"} {
		if r := viewer.run(t.Context(), "", strings.Fields(command)...); r.err == nil {
			t.Errorf("%s as a viewer is not refused: %s", command, r.out)
		}
	}
}

// TestExportWithoutBodies asks for a backup as who may not see what is in it.
func TestExportWithoutBodies(t *testing.T) {
	t.Parallel()
	operator, reader, viewer := startVerifying(t)
	operator.must("queue", "create", "orders")
	operator.must("message", "send", "orders", "a "+needle)
	file := filepath.Join(t.TempDir(), "orders.jsonl")
	if r := viewer.run(t.Context(), "", "export", "orders", file); client.ExitCode(r.err) != client.ExitDenied || !strings.Contains(r.err.Error(), "--bodies") {
		t.Errorf("got %q and %v, exit code %d", r.out, r.err, client.ExitCode(r.err))
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("there is a file that looks like a backup")
	}
	reader.must("export", "orders", file)
	if content, err := os.ReadFile(file); err != nil || !strings.Contains(string(content), needle) {
		t.Errorf("got %s and %v", content, err)
	}
}

// TestTailShowsViewersNoBodies follows a queue as both kinds of viewers.
func TestTailShowsViewersNoBodies(t *testing.T) {
	t.Parallel()
	operator, reader, viewer := startVerifying(t)
	operator.must("queue", "create", "orders")
	readers, endReader := reader.background("tail", "orders", "--json")
	viewers, endViewer := viewer.background("tail", "orders", "--json")
	operator.sendUntil("orders", func() bool {
		return strings.Contains(readers.String(), "first") && strings.Contains(viewers.String(), `"sent"`)
	})
	endReader()
	endViewer()
	if text := viewers.String(); strings.Contains(text, "first") {
		t.Errorf("a viewer is shown %s", text)
	}
}
