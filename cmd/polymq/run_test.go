package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/embedded"
	"github.com/polymq/polymq/pg/pgtest"
)

// asPolymq makes this test's program run as polymq, for tests that send signals.
const asPolymq = "POLYMQ_RUN_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asPolymq) != "" {
		main()
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for what should happen at once.
const patience = 30 * time.Second

// program is polymq in a process of its own.
type program struct {
	*exec.Cmd
	lines *bufio.Scanner // of its output
	log   bytes.Buffer
}

func startProgram(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience) // ends it where the test fails to
	t.Cleanup(cancel)
	p := &program{Cmd: exec.CommandContext(ctx, os.Args[0], args...)}
	p.Env = append(os.Environ(), asPolymq+"=1")
	p.Stderr = &p.log
	out, err := p.StdoutPipe()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(out)
	return p
}

// untilReady reads the output up to the line that says so.
func (p *program) untilReady(t *testing.T) string {
	t.Helper()
	var banner strings.Builder
	for p.lines.Scan() {
		fmt.Fprintln(&banner, p.lines.Text())
		if p.lines.Text() == "Ready." {
			return banner.String()
		}
	}
	t.Fatalf("ended before it was ready: %v\n%s", p.Wait(), &p.log)
	return ""
}

// end waits for the end and gives the exit code, -1 after a signal.
func (p *program) end(t *testing.T) int {
	t.Helper()
	for p.lines.Scan() { // until it has closed its output
	}
	if err := p.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

var endpoint = regexp.MustCompile(`Endpoint: (http://(\S+))`)

func TestServeWithoutTheConsole(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "serve", "--listen", "127.0.0.1:0", "--database-url", pgtest.DatabaseURL(t), "--console=false")
	banner := p.untilReady(t)
	url := endpoint.FindStringSubmatch(banner)
	if url == nil || strings.Contains(banner, "Console") {
		t.Fatalf("the banner is\n%s", banner)
	}
	response, err := http.Get(url[1] + "/console/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("got %s", response.Status)
	}
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := p.end(t); code != 0 {
		t.Errorf("ended with %d", code)
	}
}

func TestServeSaysWhereItIsAndStops(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "serve", "--listen", "127.0.0.1:0", "--database-url", pgtest.DatabaseURL(t), "--region", "eu-west-1")
	banner := p.untilReady(t)
	url := endpoint.FindStringSubmatch(banner)
	if url == nil {
		t.Fatalf("no endpoint in\n%s", banner)
	}
	for _, want := range []string{"aws --endpoint-url " + url[1] + " --region eu-west-1", `endpoint_url="` + url[1] + `"`, `Account("` + url[1] + `"`, url[1] + "/api/v1/docs", "Console:  " + url[1] + "/console/\n"} {
		if !strings.Contains(banner, want) {
			t.Errorf("%s is not in\n%s", want, banner)
		}
	}
	resp, err := http.Get(url[1] + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("got %d from /readyz", resp.StatusCode)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.end(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0:\n%s", code, &p.log)
	}
}

func TestASecondInterruptEndsAtOnce(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "serve", "--listen", "127.0.0.1:0", "--database-url", pgtest.DatabaseURL(t), "--shutdown-timeout", "1h")
	address := endpoint.FindStringSubmatch(p.untilReady(t))[2]
	held, err := net.Dial("tcp", address) // a request that never ends holds the shutdown up
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	fmt.Fprint(held, "POST /api/v1/queues HTTP/1.1\r\nHost: polymq\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
	if line, err := bufio.NewReader(held).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("got %q, %v, want that the server asks for the body", line, err)
	}
	interrupt := func() {
		if err := p.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	interrupt()
	untilRefused(t, address) // the first one has been heard
	interrupt()
	if code := p.end(t); code != -1 {
		t.Errorf("exit code %d, want an end by the signal:\n%s", code, &p.log)
	}
}

// untilRefused waits until nobody listens on an address.
func untilRefused(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return
		}
		conn.Close()
	}
	t.Fatalf("%s still accepts connections", address)
}

func TestErrorsAreReported(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		code int
		want string
	}{
		"configuration":     {[]string{"serve", "--region", "Nowhere", "--durability", "some"}, client.ExitUsage, "durability: "},
		"its other fault":   {[]string{"serve", "--region", "Nowhere", "--durability", "some"}, client.ExitUsage, "region: "},
		"database's flags":  {[]string{"migrate", "up", "--durability", "some"}, client.ExitUsage, "durability: "},
		"mode of a bench":   {[]string{"bench", "--mode", "nope", "--protocol", "nope"}, client.ExitUsage, "--mode must be"},
		"and its protocol":  {[]string{"bench", "--mode", "nope", "--protocol", "nope"}, client.ExitUsage, "--protocol must be"},
		"load of a bench":   {[]string{"bench", "--batch", "11"}, client.ExitUsage, "--batch must be"},
		"time of the audit": {[]string{"audit", "--since", "nope"}, client.ExitUsage, "neither a time"},
		"pair of a policy":  {[]string{"policy", "explain", "--key", "x", "--action", "a", "--resource", "*", "--context", "nope"}, client.ExitUsage, "KEY=VALUE"},
		"unknown flag":      {[]string{"serve", "--port", "1"}, client.ExitUsage, "unknown flag: --port"},
		"misspelled flag":   {[]string{"serve", "--durabilty", "none"}, client.ExitUsage, "unknown flag: --durabilty, did you mean --durability?, see"},
		"too few arguments": {[]string{"queue", "show"}, client.ExitUsage, "usage: polymq queue show NAME"},
		"a flag is missing": {[]string{"role", "create", "worker"}, client.ExitUsage, "usage: polymq role create NAME --trust FILE"},
		"neither of two":    {[]string{"policy", "explain", "--action", "sqs:SendMessage", "--resource", "*"}, client.ExitUsage, "[key principal]"},
		"unknown command":   {[]string{"server"}, client.ExitUsage, `unknown command "server" for "polymq", did you mean serve?`},
		"unknown below":     {[]string{"queue", "lst"}, client.ExitUsage, `unknown command "lst" for "polymq queue", did you mean list?`},
		"no server":         {[]string{"queue", "list", "--endpoint", "http://127.0.0.1:1"}, client.ExitUnavailable, "polymq serve"},
		"database":          {[]string{"migrate", "status", "--database-url", "postgres://127.0.0.1:1/x"}, 1, "check that PostgreSQL runs where database-url, or database-direct-url, says"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := startProgram(t, tt.args...)
			if code := p.end(t); code != tt.code || !strings.Contains(p.log.String(), tt.want) {
				t.Errorf("exit code %d and %q, want %d and %q", code, &p.log, tt.code, tt.want)
			}
		})
	}
}

// command runs a command line in this process and gives its output.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := rootCommand(nil)
	root.SetArgs(args)
	root.SetOut(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	url := pgtest.EmptyDatabaseURL(t)
	migrate := func(name string) string {
		out, err := command(t, "migrate", name, "--database-url", url, "--log-level", "error")
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if out := migrate("up"); !strings.Contains(out, "applied 00001_queues.sql\n") || !strings.HasSuffix(out, "The schema is up to date.\n") {
		t.Errorf("up says\n%s", out)
	}
	if out := migrate("up"); out != "The schema is up to date.\n" {
		t.Errorf("up says, the second time,\n%s", out)
	}
	if out := migrate("status"); !regexp.MustCompile(`\n1 +00001_queues.sql +20\d\d-`).MatchString(out) || strings.Contains(out, "newer") {
		t.Errorf("status says\n%s", out)
	}
	pgtest.Execute(t, url, `INSERT INTO polymq.goose_db_version (version_id, is_applied) VALUES (99999, true)`)
	if out := migrate("status"); !regexp.MustCompile(`\n99999 +\(of a newer polymq\) +20\d\d-`).MatchString(out) {
		t.Errorf("status says, of a newer schema,\n%s", out)
	}
	if out := migrate("up"); out != "The schema is up to date.\n" {
		t.Errorf("up says, of a newer schema that can be served,\n%s", out)
	}
	pgtest.Execute(t, url, `UPDATE polymq.settings SET value = '99999' WHERE name = 'oldest_server'`)
	if out, err := command(t, "migrate", "up", "--database-url", url, "--log-level", "error"); !errors.Is(err, pg.ErrSchemaNew) {
		t.Errorf("up says, of one that cannot be served, %v and\n%s", err, out)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if out, err := command(t, "version"); err != nil || !strings.HasPrefix(out, "polymq ") {
		t.Errorf("got %q, %v", out, err)
	}
}

// Who only looks at a database makes none.
func TestNoDataDirectoryIsMade(t *testing.T) {
	for name, args := range map[string][]string{
		"status": {"migrate", "status"},
		"check":  {"serve", "--migrate", "check", "--listen", "127.0.0.1:0", "--log-level", "error"},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		if _, err := polymq(nil, append(args, "--data-dir", dir)...); err == nil || !strings.Contains(err.Error(), "there is no data yet") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s made the directory: %v", name, err)
		}
	}
}

func TestBannerNamesTheDataDirectory(t *testing.T) {
	t.Parallel()
	usual, err := embedded.DefaultDataDir()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		config server.Config
		want   string
	}{
		"named":     {server.Config{DataDir: "/srv/queues"}, "\nData:     /srv/queues\n"},
		"usual":     {server.Config{}, "\nData:     " + usual + "\n"},
		"elsewhere": {server.Config{DatabaseURL: "postgres://db", DataDir: "/srv/queues"}, ""},
	} {
		got := banner(tt.config, "http://localhost:4566", nil)
		if !strings.Contains(got, tt.want) || strings.Contains(got, "Data:") != (tt.want != "") {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

func TestBannerNamesCredentialsThatWork(t *testing.T) {
	t.Parallel()
	for auth, want := range map[string]string{"": `aws_access_key_id="test"`, "off": `aws_access_key_id="test"`, "verify": `aws_access_key_id="ID"`} {
		if got := banner(server.Config{Auth: auth}, "http://localhost:4566", nil); !strings.Contains(got, want) {
			t.Errorf("auth %q: there is no %s in\n%s", auth, want, got)
		}
	}
}

// Lengths of time stand in the help of every command as people write them, and none at all where there is none.
func TestHelpShowsTimes(t *testing.T) {
	t.Parallel()
	long := regexp.MustCompile(`\(default [^)]*(?:[hm]0[ms]|\b0s\b|\b0\))`)
	var look func(command *cobra.Command)
	look = func(command *cobra.Command) {
		if found := long.FindString(command.UsageString()); found != "" {
			t.Errorf("%s says %s", command.CommandPath(), found)
		}
		for _, below := range command.Commands() {
			look(below)
		}
	}
	root := rootCommand(nil)
	look(root)
	for flag, want := range map[string]string{
		"serve audit-retention": "2160h, 90 days", "serve message-log-retention": "168h, 7 days", "serve shutdown-timeout": "10s", "bench verify": "1m", "bench interval": "100ms", "queue create retention": "4d",
	} {
		words := strings.Fields(flag)
		command, _, err := root.Find(words[:len(words)-1])
		if err != nil {
			t.Fatal(err)
		}
		if usage := command.UsageString(); !strings.Contains(usage, "(default "+want+")") {
			t.Errorf("%s: (default %s) is not in %s", flag, want, usage)
		}
	}
}

func TestBenchAimsWhereCommandsDo(t *testing.T) {
	t.Parallel()
	for variable, want := range map[string]string{"POLYMQ_ENDPOINT=http://queues.example": "[http://queues.example]", "POLYMQ_ENDPOINT=": "[" + client.DefaultEndpoint + "]"} {
		command, _, err := rootCommand([]string{variable}).Find([]string{"bench"})
		if err != nil {
			t.Fatal(err)
		}
		if got := command.Flags().Lookup("endpoint").DefValue; got != want {
			t.Errorf("%s: %s, want %s", variable, got, want)
		}
	}
}
