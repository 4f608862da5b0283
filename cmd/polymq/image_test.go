package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/polymq/polymq/pg/pgtest"
)

// TestImageStandsInForLocalStack does what Testcontainers' module for Java does with LocalStack's image: it
// starts a shell that waits for a script, puts the script there, which runs docker-entrypoint.sh, and waits for
// a line that ends in "Ready.". The image's folders are given by variables; an init script uses awslocal.
func TestImageStandsInForLocalStack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"polymq", "aws", "awslocal"} {
		if err := os.Symlink(absolute(t, os.Args[0]), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	writeScript(t, filepath.Join(dir, "init", "ready.d", "queues.sh"), `
set -e
url=$(awslocal sqs create-queue --queue-name orders --query QueueUrl --output text)
awslocal sqs send-message --queue-url "$url" --message-body 'from a script' > /dev/null
echo made "$url"`)
	starter := filepath.Join(dir, "testcontainers_start.sh")
	shell := exec.CommandContext(t.Context(), "sh", "-c", "while [ ! -f "+starter+" ]; do sleep 0.1; done; "+starter)
	shell.Env = append(os.Environ(), asPolymq+"=1", "PATH="+dir+":"+os.Getenv("PATH"), "POLYMQ_INIT_DIR="+filepath.Join(dir, "init"),
		"POLYMQ_LISTEN=127.0.0.1:0", "POLYMQ_DATABASE_URL="+pgtest.DatabaseURL(t), "DEFAULT_REGION=eu-central-1", "SERVICES=sqs,sns", "LOCALSTACK_HOST=localhost")
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Stderr = t.Output()
	out, err := shell.StdoutPipe()
	if err == nil {
		err = shell.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(-shell.Process.Pid, syscall.SIGTERM)
		_ = shell.Wait()
	}()
	writeScript(t, starter+".new", "export LAMBDA_DOCKER_FLAGS=x\n"+absolute(t, "../../deploy/local/docker-entrypoint.sh"))
	if err := os.Rename(starter+".new", starter); err != nil {
		t.Fatal(err)
	}
	var banner strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasSuffix(lines.Text(), "Ready.") {
		banner.WriteString(lines.Text() + "\n")
	}
	url := endpoint.FindStringSubmatch(banner.String())
	if url == nil {
		t.Fatalf("no endpoint in\n%s", &banner)
	}
	if got := get(t, url[1]+"/_localstack/health"); !strings.Contains(got, `"sqs":"running"`) {
		t.Errorf("health: %s", got)
	}
	if got := get(t, url[1]+"/api/v1/queues/orders/messages?region=eu-central-1"); !strings.Contains(got, "from a script") {
		t.Errorf("what the init script sent: %s", got)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func writeScript(t *testing.T, path, script string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/bash\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// imageTag is the tag of an image of polymq with its own PostgreSQL, versionTag one of the form that it must have.
var (
	imageTag   = regexp.MustCompile(`\bpolymq:([\w.-]*local)\b`)
	versionTag = regexp.MustCompile(`^[1-9]\d*\.\d+\.\d+-local$`)
)

// TestDocumentsTagImagesWithVersions holds the documents to what Testcontainers makes of tags: one that is no
// version stands for LocalStack before 0.11, which its modules do not start, or on other ports.
func TestDocumentsTagImagesWithVersions(t *testing.T) {
	t.Parallel()
	texts := documents(t)
	for _, name := range []string{"deploy/Dockerfile", "deploy/README.md"} {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	seen := 0
	for name, text := range texts {
		for _, found := range imageTag.FindAllStringSubmatch(text, -1) {
			if seen++; !versionTag.MatchString(found[1]) {
				t.Errorf("%s: the tag of %s is no version that Testcontainers takes", name, found[0])
			}
		}
	}
	if seen < 8 {
		t.Errorf("only %d images were found", seen)
	}
}
