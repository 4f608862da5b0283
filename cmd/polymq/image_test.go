package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/polymq/polymq/pg/pgtest"
)

// A module is what one of Testcontainers' modules for LocalStack does with the image.
type module struct {
	env []string // that it sets in the container
	// replaced says that it starts a shell in the place of the image's entrypoint, which waits for a script that it
	// then copies into the container.
	replaced bool
	ready    *regexp.Regexp // that it looks for in the output; nil: it asks /_localstack/health until it answers 200
	key      string         // access key id by which its users' clients are set up
	region   string         // of these
}

// modules are those of Java (1.x and 2.x), Go, Node and Python, as of November 2026. Java and Python want a line to end
// so, Node to have the word.
var modules = map[string]module{
	"java":   {env: []string{"SERVICES=sqs,sns", "LOCALSTACK_HOST=localhost", "HOSTNAME_EXTERNAL=localhost", "HOSTNAME_EXTERNAL_REASON=x"}, replaced: true, ready: regexp.MustCompile(`Ready\.\n`), key: "test", region: "us-east-1"},
	"go":     {env: []string{"LOCALSTACK_HOST=localhost"}, key: "accesskey", region: "us-east-1"},
	"node":   {env: []string{"LOCALSTACK_HOST=localhost"}, ready: regexp.MustCompile(`Ready`), key: "test", region: "us-east-1"},
	"python": {env: []string{"AWS_DEFAULT_REGION=us-west-1", "AWS_ACCESS_KEY_ID=testcontainers-localstack", "AWS_SECRET_ACCESS_KEY=testcontainers-localstack", "SERVICES=sqs"}, ready: regexp.MustCompile(`Ready\.\n`), key: "testcontainers-localstack", region: "us-west-1"},
}

// TestImageStandsInForLocalStack does what Testcontainers' modules do with LocalStack's image, to its entrypoint as a
// process. The image's folders are given by variables; an init script uses awslocal, and what it made is there once
// the module takes the server for ready, in the account and region of its users' clients.
func TestImageStandsInForLocalStack(t *testing.T) {
	t.Parallel()
	for name, m := range modules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startContainer(t, m)
			url := c.wait(t, m)
			if got := get(t, url+"/_localstack/health"); !strings.Contains(got, `"sqs":"running"`) {
				t.Errorf("health: %s", got)
			}
			if got := get(t, url+"/api/v1/queues/orders/messages?region="+m.region); !strings.Contains(got, "from a script") {
				t.Errorf("what the init script sent: %s", got)
			}
			client := sqs.NewFromConfig(aws.Config{BaseEndpoint: &url, Region: m.region, Credentials: credentials.NewStaticCredentialsProvider(m.key, "x", "")})
			queue, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("orders")})
			if err != nil {
				t.Fatal(err)
			}
			received, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl})
			if err != nil || len(received.Messages) != 1 {
				t.Errorf("received %v, %v", received, err)
			}
		})
	}
}

// container is the image's entrypoint as a process; its output and its log are one, as Docker's are.
type container struct {
	output *lockedBuffer
	url    string
}

// lockedBuffer is a buffer that is written and read at once.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// startContainer starts the entrypoint as a module has it started.
func startContainer(t *testing.T, m module) *container {
	t.Helper()
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
	entrypoint, starter := absolute(t, "../../deploy/local/docker-entrypoint.sh"), filepath.Join(dir, "testcontainers_start.sh")
	command := exec.CommandContext(t.Context(), entrypoint)
	if m.replaced {
		command = exec.CommandContext(t.Context(), "sh", "-c", "while [ ! -f "+starter+" ]; do sleep 0.1; done; "+starter)
	}
	port := freePort(t)
	c := &container{output: &lockedBuffer{}, url: "http://127.0.0.1:" + port}
	command.Env = append(cleared(os.Environ()), append([]string{asPolymq + "=1", "PATH=" + dir + ":" + os.Getenv("PATH"), "POLYMQ_INIT_DIR=" + filepath.Join(dir, "init"),
		"POLYMQ_LISTEN=127.0.0.1:" + port, "POLYMQ_DATABASE_URL=" + pgtest.DatabaseURL(t)}, m.env...)...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Stdout, command.Stderr = c.output, c.output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGTERM)
		_ = command.Wait()
		if t.Failed() {
			t.Log(c.output.String())
		}
	})
	if m.replaced {
		writeScript(t, starter+".new", "export LAMBDA_DOCKER_FLAGS=\"-l org.testcontainers=true\"\nexport ECS_DOCKER_FLAGS=x\n"+entrypoint)
		if err := os.Rename(starter+".new", starter); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// cleared leaves out what this machine says of AWS, which is nothing to a container.
func cleared(environ []string) []string {
	return slices.DeleteFunc(environ, func(variable string) bool {
		return strings.HasPrefix(variable, "AWS_") || strings.HasPrefix(variable, "DEFAULT_REGION=")
	})
}

// ports counts those that freePort has looked at.
var ports atomic.Int64

// freePort gives a port that nobody listens on. It is below those that systems give out by themselves, and each is
// given once, so that nobody takes it before it is used.
func freePort(t *testing.T) string {
	t.Helper()
	const first, many = 10_000, 10_000
	for range 100 {
		port := strconv.FormatInt(first+(8*int64(os.Getpid())+ports.Add(1))%many, 10)
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("there is no free port")
	return ""
}

// wait waits as the module does, and gives the address of the server.
func (c *container) wait(t *testing.T, m module) string {
	t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(2 * patience); time.Now().Before(deadline); <-poll.C {
		if m.ready != nil && m.ready.MatchString(c.output.String()) {
			return c.url
		}
		if m.ready == nil {
			if resp, err := http.Get(c.url + "/_localstack/health"); err == nil {
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					c.settle(t)
					return c.url
				}
			}
		}
	}
	t.Fatal("the module would have given up")
	return ""
}

// settle waits for the init scripts: who waits for health alone has to, with LocalStack too.
func (c *container) settle(t *testing.T) {
	t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-poll.C {
		if strings.Contains(get(t, c.url+"/_localstack/init/ready"), `"completed":true`) {
			return
		}
	}
	t.Fatal("the init scripts did not end")
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
	syscall.ForkLock.RLock() // a program that another test starts meanwhile would hold the file open for writing, and it could not be run
	defer syscall.ForkLock.RUnlock()
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

// imageTag is the tag of an image of polymq with its own PostgreSQL.
var imageTag = regexp.MustCompile(`\bpolymq:([\w.-]*local)\b`)

var version = regexp.MustCompile(`^v?(\d+)\.(\d+)(\.\d+)?(-[\w.-]+)?$`)

// notLegacy says that the modules take a tag for that of a LocalStack that they can start: a version from 0.11 on. Go's
// compares semantic versions, Java's the numbers in front.
func notLegacy(tag string) bool {
	parts := version.FindStringSubmatch(tag)
	if parts == nil {
		return false
	}
	minor, err := strconv.Atoi(parts[2])
	return err == nil && (parts[1] != "0" || minor >= 11)
}

// TestDocumentsTagImagesWithVersions holds the documents to what Testcontainers makes of tags: one that is no
// version stands for LocalStack before 0.11, which its modules do not start, or on other ports.
func TestDocumentsTagImagesWithVersions(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]bool{"1.0.0-local": true, "local": false, "0.10.9": false, "0.11.0": true} {
		if got := notLegacy(tag); got != want {
			t.Errorf("%s: got %v", tag, got)
		}
	}
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
			if seen++; !notLegacy(found[1]) {
				t.Errorf("%s: the tag of %s is no version that Testcontainers takes", name, found[0])
			}
		}
		if strings.Contains(text, "LocalStackContainer(DockerImageName") && !strings.Contains(text, `asCompatibleSubstituteFor("localstack/localstack")`) {
			t.Errorf("%s: Java's module takes no image of another name, unless it is said to stand in for LocalStack's", name)
		}
	}
	if seen < 8 {
		t.Errorf("only %d images were found", seen)
	}
}
