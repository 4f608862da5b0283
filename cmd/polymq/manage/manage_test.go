package manage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/manage"
	"github.com/polymq/polymq/cmd/polymq/polymqtest"
	"github.com/polymq/polymq/cmd/polymq/server"
)

var update = flag.Bool("update", false, "write the golden files")

// shell runs commands against a server.
type shell struct {
	t       *testing.T
	server  *server.Server
	environ []string
}

// start starts a server, and a shell where the account and the region are always named: no command may send them to what
// does not know them.
func start(t *testing.T) *shell {
	t.Helper()
	srv := polymqtest.Start(t)
	return &shell{t, srv, []string{"POLYMQ_ENDPOINT=" + srv.URL(), "POLYMQ_ACCOUNT=000000000000", "POLYMQ_REGION=us-east-1"}}
}

// result is what a command did.
type result struct {
	out, errors string
	err         error
}

// run runs a command line with the given input.
func (s *shell) run(ctx context.Context, input string, args ...string) result {
	var out, errors bytes.Buffer
	root := s.root(args)
	root.SetIn(strings.NewReader(input))
	root.SetOut(&out)
	root.SetErr(&errors)
	err := root.ExecuteContext(ctx)
	return result{out.String(), errors.String(), err}
}

// runTo runs a command line that prints to an output while it runs.
func (s *shell) runTo(ctx context.Context, out io.Writer, args ...string) error {
	root := s.root(args)
	root.SetOut(out)
	root.SetErr(io.Discard)
	return root.ExecuteContext(ctx)
}

func (s *shell) root(args []string) *cobra.Command {
	root := &cobra.Command{Use: "polymq", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(manage.Commands(s.environ)...)
	root.SetArgs(args)
	return root
}

// must runs a command that does what it is asked for, and gives its output.
func (s *shell) must(args ...string) string {
	s.t.Helper()
	r := s.run(s.t.Context(), "", args...)
	if r.err != nil {
		s.t.Fatalf("polymq %s: %v", strings.Join(args, " "), r.err)
	}
	return r.out
}

// What differs from run to run, in golden files.
var changing = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "00000000-0000-0000-0000-000000000000"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "2026-01-31T12:00:00Z"},
	{regexp.MustCompile(`(Receipt handle: +)\S+`), "${1}HANDLE"},
}

// golden compares an output with the file of that name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	for _, c := range changing {
		got = c.pattern.ReplaceAllString(got, c.with)
	}
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
	}
}

func TestQueueCommands(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders-dead")
	s.must("queue", "create", "orders", "--delay", "1m", "--visibility-timeout", "45", "--retention", "14d", "--max-bytes", "1000", "--logging",
		"--dead-letter-queue", "orders-dead", "--max-receives", "3", "--tag", "team=payments")
	s.must("queue", "create", "steps.fifo")
	s.must("message", "send", "orders", "hello")
	s.must("message", "send", "steps.fifo", "one", "--group", "g")
	golden(t, "queue-list", s.must("queue", "list"))
	golden(t, "queue-show", s.must("queue", "show", "orders"))
	s.must("queue", "edit", "orders", "--delay", "0", "--dead-letter-queue", "", "--untag", "team", "--tag", "a=b", "--logging=false", "--dead-letter-sources", "orders-dead")
	golden(t, "queue-edited", s.must("queue", "show", "orders"))
	golden(t, "queue-list-prefix", s.must("queue", "list", "steps"))
	s.must("queue", "purge", "orders")
	s.must("queue", "delete", "orders", "steps.fifo")
	golden(t, "queue-deleted", s.must("queue", "list"))
}

// What an edit does not name stays, of dead letters too, which the JSON API has as one.
func TestDeadLettersAreEditedApart(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, name := range []string{"dead", "other", "orders"} {
		s.must("queue", "create", name)
	}
	for _, step := range []struct{ flags, want string }{
		{"--dead-letter-queue dead", "dead after 10 receives"},
		{"--dead-letter-queue dead --max-receives 3", "dead after 3 receives"},
		{"--dead-letter-queue other", "other after 3 receives"},
		{"--max-receives 7", "other after 7 receives"},
		{"--tag a=b", "other after 7 receives"},
	} {
		s.must(append([]string{"queue", "edit", "orders"}, strings.Fields(step.flags)...)...)
		if got := s.must("queue", "show", "orders"); !strings.Contains(got, step.want) {
			t.Errorf("queue edit %s:\n%s\nwant %s", step.flags, got, step.want)
		}
	}
	s.must("queue", "edit", "orders", "--dead-letter-queue", "")
	if got := s.must("queue", "show", "orders"); strings.Contains(got, "Dead letters to") {
		t.Errorf("without a dead-letter queue:\n%s", got)
	}
}

func TestWhatFailsIsNotSaidToBeDone(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, args := range [][]string{{"queue", "create", "a b"}, {"topic", "create", "a b"}, {"queue", "edit", "none", "--delay", "1m"}, {"fault", "delete", "none"}, {"queue", "list", "--account", "1"}} {
		if r := s.run(t.Context(), "", args...); r.err == nil || r.out != "" {
			t.Errorf("%s: %v, and says %q", args, r.err, r.out)
		}
	}
}

func TestALogThatIsEmptySaysWhy(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders")
	id := strings.TrimSpace(s.must("message", "send", "orders", "x"))
	for _, args := range [][]string{{"log", "orders"}, {"message", "trace", id}} {
		if r := s.run(t.Context(), "", args...); r.err != nil || !strings.Contains(r.errors, "--logging") {
			t.Errorf("%s: %v, and says %q", args, r.err, r.errors)
		}
	}
}

func TestListsAsJSONLines(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, name := range []string{"a", "b", "c"} {
		s.must("queue", "create", name)
	}
	lines := strings.Split(strings.TrimSpace(s.must("queue", "list", "--json")), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3", len(lines))
	}
	for i, line := range lines {
		var q struct{ Name string }
		if err := json.Unmarshal([]byte(line), &q); err != nil || q.Name != string("abc"[i]) {
			t.Errorf("line %d is %s, %v", i+1, line, err)
		}
	}
	if out := s.must("queue", "list", "--limit", "2", "--json"); strings.Count(out, "\n") != 2 {
		t.Errorf("with a limit of 2: %s", out)
	}
	if out := s.must("queue", "list", "--json", "--region", "eu-west-1"); out != "" {
		t.Errorf("another region has %s", out)
	}
	if out := s.must("queue", "list", "--json", "--account", "111122223333"); out != "" {
		t.Errorf("another account has %s", out)
	}
}

func TestMessageCommands(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders", "--logging")
	id := strings.TrimSpace(s.must("message", "send", "orders", "hello\x1b[31m\nworld", "--attribute", "kind=new", "--attribute", "amount:Number=12", "--priority", "2"))
	golden(t, "message-peek", s.must("message", "peek", "orders"))
	golden(t, "message-wait", s.must("message", "wait", "orders", "--match", "world"))
	golden(t, "message-receive", s.must("message", "receive", "orders", "--visibility-timeout", "1h", "--delete"))
	s.must("queue", "create", "empty")
	if r := s.run(t.Context(), "", "message", "receive", "empty"); r.err != nil || r.out != "" || r.errors != "There is no message to receive.\n" {
		t.Errorf("of an empty queue: %v, %q, %q", r.err, r.out, r.errors)
	}
	s.must("queue", "delete", "empty", "--yes")
	golden(t, "message-trace", withoutAddress(s.must("message", "trace", id)))
	golden(t, "log", withoutAddress(s.must("log", "orders", "--since", "1h")))
	if out := s.must("log", "orders", "--attribute", "kind=new", "--json"); strings.Count(out, "\n") != 1 || !strings.Contains(out, id) {
		t.Errorf("by attribute: %s", out)
	}
	if out := s.must("log", "orders", "--id", "00000000-0000-0000-0000-000000000001", "--json"); out != "" {
		t.Errorf("of another message: %s", out)
	}
	if r := s.run(t.Context(), "one\ntwo\n\xff\n", "message", "send", "orders", "--lines"); r.err != nil || strings.Count(r.out, "\n") != 3 {
		t.Errorf("lines: %v, %s", r.err, r.out)
	}
	if out := s.must("message", "receive", "orders", "--limit", "10", "--json"); strings.Count(out, "\n") != 3 || !strings.Contains(out, `"base64"`) {
		t.Errorf("received %s", out)
	} else {
		var m struct {
			Handle string `json:"receipt_handle"`
		}
		if err := json.Unmarshal([]byte(strings.Split(out, "\n")[0]), &m); err != nil {
			t.Fatal(err)
		}
		s.must("message", "hide", "orders", "10m", m.Handle)
		s.must("message", "return", "orders", m.Handle)
		s.must("message", "receive", "orders")
		s.must("message", "delete", "orders", m.Handle)
		if r := s.run(t.Context(), "", "message", "delete", "orders", m.Handle); r.err == nil || !strings.Contains(r.err.Error(), "gone") {
			t.Errorf("deleted again: %v", r.err)
		}
	}
	if out := s.must("message", "receive", "orders"); out != "" {
		t.Errorf("an empty receive prints %q", out)
	}
}

func withoutAddress(text string) string {
	return regexp.MustCompile(`from [0-9a-f.:]+`).ReplaceAllString(text, "from ADDRESS")
}

func TestTopicCommands(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders")
	s.must("topic", "create", "alerts", "--tag", "a=b")
	s.must("topic", "edit", "alerts", "--max-bytes", "1000", "--retention", "1d")
	s.must("subscription", "create", "alerts", "--queue", "orders", "--name", "to-orders", "--raw", "--filter", `{"severity": ["high"]}`)
	s.must("topic", "publish", "alerts", "disk full", "--attribute", "severity=high")
	s.must("topic", "publish", "alerts", "disk half full", "--attribute", "severity=low")
	golden(t, "topic-list", s.must("topic", "list"))
	golden(t, "topic-show", s.must("topic", "show", "alerts"))
	golden(t, "subscription-list", s.must("subscription", "list", "alerts"))
	golden(t, "subscription-show", s.must("subscription", "show", "alerts", "to-orders"))
	if out := s.must("message", "peek", "orders", "--json"); strings.Count(out, "\n") != 1 || !strings.Contains(out, "disk full") {
		t.Errorf("the queue has %s", out)
	}
	s.must("subscription", "edit", "alerts", "to-orders", "--filter", "")
	if r := s.run(t.Context(), "from standard input", "topic", "publish", "alerts"); r.err != nil {
		t.Error(r.err)
	}
	if out := s.must("message", "peek", "orders", "--json"); !strings.Contains(out, "from standard input") {
		t.Errorf("the queue has %s", out)
	}
	s.must("subscription", "delete", "alerts", "to-orders")
	s.must("topic", "delete", "alerts")
	if out := s.must("topic", "list", "--json"); out != "" {
		t.Errorf("left is %s", out)
	}
}

func TestDeliveryCommands(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("topic", "create", "alerts")
	s.must("subscription", "create", "alerts", "--phone", "+15550100")
	s.must("topic", "publish", "alerts", "disk full")
	deadline := time.Now().Add(patience)
	for s.must("subscription", "outbox", "--topic", "alerts", "--json") == "" {
		if time.Now().After(deadline) {
			t.Fatal("nothing reached the outbox")
		}
	}
	golden(t, "outbox", s.must("subscription", "outbox"))
	for flag, want := range map[string]string{"--json": `"result":"kept"`, "--json=false": " kept "} {
		if out := s.must("subscription", "attempts", flag); !strings.Contains(out, "+15550100") || !strings.Contains(out, want) || strings.Contains(out, "delivered") {
			t.Errorf("attempts %s", out)
		}
	}
}

func TestMoves(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "dead")
	s.must("queue", "create", "orders", "--dead-letter-queue", "dead", "--max-receives", "1")
	for range 3 {
		s.must("message", "send", "dead", "x")
	}
	golden(t, "queue-sources", s.must("queue", "sources", "dead"))
	golden(t, "queue-move", s.must("queue", "move", "dead", "orders", "--wait"))
	golden(t, "queue-moves", s.must("queue", "moves", "dead"))
	if out := s.must("message", "peek", "orders", "--json"); strings.Count(out, "\n") != 3 {
		t.Errorf("moved %s", out)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders")
	s.must("message", "send", "orders", "hello")
	s.must("queue", "create", "dead")
	s.must("queue", "create", "source", "--dead-letter-queue", "dead", "--max-receives", "3")
	s.must("alert", "create", "late", "--metric", "oldest_message_age", "--above", "300", "--disabled")
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no such queue":     {[]string{"queue", "show", "nothing"}, client.ExitNotFound, "does not exist"},
		"exists":            {[]string{"queue", "create", "orders", "--delay", "1m"}, client.ExitConflict, "other settings"},
		"a bad value":       {[]string{"queue", "create", "other", "--delay", "8d"}, client.ExitUsage, "delay_seconds"},
		"no dead letters":   {[]string{"queue", "edit", "orders", "--dead-letter-queue", "nothing", "--max-receives", "3"}, client.ExitNotFound, "dead-letter queue \"nothing\" does not exist"},
		"nowhere to move":   {[]string{"queue", "move", "dead", "nothing"}, client.ExitNotFound, "nothing"},
		"no server":         {[]string{"queue", "list", "--endpoint", "http://127.0.0.1:1"}, client.ExitUnavailable, "polymq serve"},
		"no message":        {[]string{"message", "wait", "orders", "--match", "x", "--timeout", "0"}, client.ExitNotFound, "no message"},
		"no change":         {[]string{"queue", "edit", "orders"}, client.ExitUsage, "--help"},
		"no polymq":         {[]string{"queue", "list", "--endpoint", s.server.URL() + "/other"}, client.ExitNotFound, "JSON API"},
		"a wrong attribute": {[]string{"message", "send", "orders", "x", "--attribute", "y"}, client.ExitUsage, "NAME=VALUE"},
		"receives of none":  {[]string{"queue", "edit", "orders", "--max-receives", "5", "--delay", "5s"}, client.ExitUsage, "--dead-letter-queue"},
		"one or many":       {[]string{"message", "send", "orders", "hello", "--lines"}, client.ExitUsage, "standard input"},
		"secret of nobody":  {[]string{"alert", "set", "late", "--secret", "x"}, client.ExitUsage, "--to"},
		"secret of mail":    {[]string{"alert", "create", "later", "--metric", "depth", "--above", "1", "--to", "queue=orders", "--secret", "x"}, client.ExitUsage, "--to"},
		"no other alert":    {[]string{"alert", "set", "late"}, client.ExitUsage, "--help"},
		"no other user":     {[]string{"user", "set", "ann"}, client.ExitUsage, "--help"},
		"no other policy":   {[]string{"policy", "set", "send"}, client.ExitUsage, "--help"},
		"now and so many":   {[]string{"log", "orders", "--follow", "--limit", "1"}, client.ExitUsage, "limit"},
		"whose log":         {[]string{"log"}, client.ExitUsage, "a message's id"},
		"which queues":      {[]string{"tail"}, client.ExitUsage, "--all"},
		"no such language":  {[]string{"role", "show", "worker", "--cloud", "gcp"}, client.ExitUsage, "query.cloud"},
		"no such state":     {[]string{"alert", "show", "late", "--state", "nope"}, client.ExitUsage, "query.state"},
		"no such effect":    {[]string{"fault", "create", "slow", "--effect", "nope", "--code", "nope"}, client.ExitUsage, "body.effect"},
		"no such rule":      {[]string{"queue", "create", "other", "--body-rule", "nope"}, client.ExitUsage, "body.body_rule"},
		"no such access":    {[]string{"user", "create", "ann", "--access", "nope"}, client.ExitUsage, "body.access"},
		"no time":           {[]string{"log", "orders", "--since", "nope"}, client.ExitUsage, "neither a time"},
		"no policy":         {[]string{"policy", "create", "broken", "testdata/queue-list.txt"}, client.ExitUsage, "JSON"},
		"no destination":    {[]string{"alert", "create", "late", "--metric", "depth", "--above", "1", "--to", "nope"}, client.ExitUsage, "TYPE=TARGET"},
	} {
		r := s.run(t.Context(), "", tt.args...)
		if client.ExitCode(r.err) != tt.code || r.err == nil || !strings.Contains(r.err.Error(), tt.want) {
			t.Errorf("%s: exit code %d, %v; want %d, %q", name, client.ExitCode(r.err), r.err, tt.code, tt.want)
		}
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, name := range []string{"orders", "orders-dead", "other"} {
		s.must("queue", "create", name)
	}
	s.must("topic", "create", "alerts")
	s.must("subscription", "create", "alerts", "--queue", "orders", "--name", "first")
	for _, name := range []string{"ann", "bob"} {
		s.must("user", "create", name)
	}
	policy := filepath.Join(t.TempDir(), "allow.json")
	if err := os.WriteFile(policy, []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s.must("policy", "create", "readers", policy)
	s.must("alert", "create", "old", "--metric", "oldest_message_age", "--above", "300", "--disabled")
	for line, want := range map[string]string{
		"queue show ord":               "orders\norders-dead\n:4\n",
		"queue delete orders oth":      "other\n:4\n",
		"queue show orders ":           ":4\n",
		"message send ot":              "other\n:4\n",
		"subscription show al":         "alerts\n:4\n",
		"subscription show alerts f":   "first\n:4\n",
		"tail orders-":                 "orders-dead\n:4\n",
		"user show a":                  "ann\n:4\n",
		"policy show r":                "readers\n:4\n",
		"alert show o":                 "old\n:4\n",
		"queue show --region x ord":    ":4\n",
		"queue show --endpoint http:/": ":0\n",
	} {
		r := s.run(t.Context(), "", append([]string{"__complete"}, strings.Split(line, " ")...)...)
		if r.err != nil || r.out != want {
			t.Errorf("%s completes as %q, %v; want %q", line, r.out, r.err, want)
		}
	}
}
