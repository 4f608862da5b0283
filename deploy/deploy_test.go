package deploy_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polymq/polymq/cmd/polymq/polymqtest"
	"github.com/polymq/polymq/cmd/polymq/server"
)

// TestDeploy runs the checks of what stands in this folder against a server that has been used.
func TestDeploy(t *testing.T) {
	t.Parallel()
	srv := polymqtest.Start(t)
	use(t, srv)
	help := run(t, exec.CommandContext(t.Context(), "go", "run", "../cmd/polymq", "serve", "--help"))
	checks := exec.CommandContext(t.Context(), "go", "test", "-count=1", "./...")
	checks.Dir = "checks"
	checks.Env = append(os.Environ(), "POLYMQ_HELP="+write(t, "help", help), "POLYMQ_METRICS="+write(t, "metrics", get(t, srv.URL()+"/metrics")))
	t.Logf("%s", run(t, checks))
}

// use sends requests that succeed, requests that fail, and a push that nobody takes, so that each metric has something to show.
func use(t *testing.T, srv *server.Server) {
	t.Helper()
	refused := make(chan struct{}, 1)
	receiver := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		select {
		case refused <- struct{}{}:
		default:
		}
	})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = receiver.Serve(listener) }()
	t.Cleanup(func() { _ = receiver.Close() })
	for _, call := range [][2]string{
		{"/queues", `{"name": "orders"}`},
		{"/queues/orders/messages", `{"messages": [{"body": "a"}]}`},
		{"/topics", `{"name": "alerts"}`},
		{"/topics/alerts/subscriptions", `{"url": "http://` + listener.Addr().String() + `", "raw": true}`},
		{"/topics/alerts/messages", `{"messages": [{"body": "a"}]}`},
	} {
		resp, err := http.Post(srv.URL()+"/api/v1"+call[0], "application/json", strings.NewReader(call[1]))
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode >= 300 {
			t.Fatalf("%s: %s %s", call[0], resp.Status, answer)
		}
	}
	get(t, srv.URL()+"/?Action=GetQueueUrl&QueueName=none")
	<-refused
	for !strings.Contains(get(t, srv.URL()+"/metrics"), "polymq_deliveries_total{") { // it is counted after the answer
		if t.Context().Err() != nil {
			t.Fatal("the delivery was not counted")
		}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func run(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, &out)
	}
	return out.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
