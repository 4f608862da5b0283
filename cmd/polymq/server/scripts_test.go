package server

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestInitScripts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, script string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, "ready.d", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(script), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("01-fails.sh", "#!/bin/bash\nexit 3\n", 0o755)
	write("02-queue.sh", `
address=${AWS_ENDPOINT_URL#http://}
exec 3<>/dev/tcp/${address%:*}/${address#*:} # bash itself, for there may be no curl
printf 'GET /?Action=CreateQueue&QueueName=made-by-script HTTP/1.0\r\nHost: %s\r\n\r\n' "$address" >&3
grep -q made-by-script <&3`, 0o644)
	write("03-not-a-script.txt", "x", 0o644)
	write("04-long-line.sh", "head -c 1000000 /dev/zero | tr '\\0' x\n", 0o644) // more than a pipe holds
	write("05-leaves-a-program.sh", "sleep 600 & echo $! > "+filepath.Join(dir, "pid")+"\n", 0o644)
	t.Cleanup(func() { // no test is to leave it either
		text, _ := os.ReadFile(filepath.Join(dir, "pid"))
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	srv := start(t, Config{InitDir: dir})

	var got struct {
		Completed bool
		Scripts   []struct{ Stage, Name, State string }
	}
	getJSON(t, srv.URL()+"/_localstack/init/ready", &got)
	if !got.Completed || len(got.Scripts) != 4 || got.Scripts[0].State != "ERROR" || got.Scripts[1].State != "SUCCESSFUL" ||
		got.Scripts[2].State != "SUCCESSFUL" || got.Scripts[3].State != "SUCCESSFUL" {
		t.Errorf("got %+v, want a script that failed and three that did not", got)
	}
	resp, err := httpClient.Get(srv.URL() + "/api/v1/queues/made-by-script")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the script's queue: %s", resp.Status)
	}
	var health struct{ Services map[string]string }
	getJSON(t, srv.URL()+"/_localstack/health", &health)
	if health.Services["sqs"] != "running" {
		t.Errorf("health: %+v", health)
	}
}

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	resp, err := httpClient.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v in %s", url, err, body)
	}
}
