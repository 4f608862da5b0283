package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg/pgtest"
)

// outputCase is a command line, and what it prints: for people, and for programs.
type outputCase struct {
	line  string // $WAY and others stand for what differs between the ways to run it, see way.expand
	input string
	text  string // is in what people see
	field string // of the JSON that programs get; "": nothing is printed for them
	wrong string // the first argument that it is refused with; "-": it takes any. Else one that no name can be
	// until says that the command is run until there is something to see.
	until bool
	// jsonToo says that people see JSON as well, of a kind of file; plain, that programs see the text as well.
	jsonToo, plain bool
	// findings says that the command prints what it finds, also where it fails.
	findings bool
}

const (
	somePolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}]}`
	someTrust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
)

// outputCases are run in this order, in an account that is empty.
var outputCases = []outputCase{
	{line: "queue create orders --logging", text: "Queue orders is there.", field: "name"},
	{line: "queue create dead", text: "Queue dead is there.", field: "name"},
	{line: "queue edit orders --dead-letter-queue dead", text: "is changed", field: "name"},
	{line: "queue list", text: "NAME    KIND", field: "name", wrong: "-"},
	{line: "queue show orders", text: "Name:  ", field: "name"},
	{line: "queue sources dead", text: "orders  dead after", field: "name"},
	{line: "message send orders hello", text: "-", field: "id"},
	{line: "message peek orders", text: "MESSAGE  ", field: "id"},
	{line: "message wait orders", text: "Message: ", field: "id"},
	{line: "message trace $SENT", text: "sent", field: "kind", until: true, wrong: "-"},
	{line: "log orders", text: "sent", field: "kind", until: true},
	{line: "export orders", jsonToo: true, field: "body"},
	{line: "message receive orders --visibility-timeout 0", text: "Receipt handle:", field: "receipt_handle"},
	{line: "message hide orders 10m $HANDLE", text: "Hidden for 10m."},
	{line: "message return orders $HANDLE", text: "Returned."},
	{line: "message delete orders $HANDLE", text: "Deleted."},
	{line: "import dead", input: `{"body":"dead"}`},
	{line: "queue move dead orders", text: "messages moved to orders", field: "status"},
	{line: "queue moves dead", text: "TASK  ", field: "status"},
	{line: "queue cancel-move slow-dead $TASK", text: "is ended", field: "status"},
	{line: "tail orders --count 1", text: "orders", field: "queue"},
	{line: "queue purge orders", text: "is empty"},
	{line: "topic create events", text: "Topic events is there.", field: "name"},
	{line: "topic list", text: "NAME    KIND", field: "name", wrong: "-"},
	{line: "topic show events", text: "Name:  ", field: "name"},
	{line: "topic edit events --retention 1h", text: "is changed", field: "name"},
	{line: "subscription create events --phone +15550100 --name phone", text: "Subscription phone of topic events is there.", field: "name"},
	{line: "subscription create events --url http://127.0.0.1:1/ --name hook --dead-letter-queue dead", text: "Subscription hook", field: "name"},
	{line: "subscription confirm events hook", text: "is confirmed", field: "name"},
	{line: "subscription edit events hook --raw", text: "is changed", field: "name"},
	{line: "subscription list events", text: "NAME   STATE", field: "name"},
	{line: "subscription show events hook", text: "Endpoint:", field: "name"},
	{line: "topic publish events hello", text: "-", field: "id"},
	{line: "topic publish events again", text: "-", field: "id"},
	{line: "subscription outbox", text: "+15550100", field: "to", until: true},
	{line: "subscription attempts", text: "ENDPOINT", field: "endpoint", until: true},
	{line: "subscription deliveries events hook", text: "MESSAGE  ", field: "message"},
	{line: "subscription retry events hook $DELIVERY", text: "Done."},
	{line: "subscription dead-letter events hook $DELIVERY", text: "Done."},
	{line: "subscription delete events hook", text: "is deleted"},
	{line: "alert create late --metric depth --above 1 --to queue=orders", text: "Alert late is there.", field: "name"},
	{line: "alert set late --above 2", text: "is changed", field: "name"},
	{line: "alert list", text: "NAME  STATE", field: "name"},
	{line: "alert show late", text: "Condition:", field: "name"},
	{line: "alert test late", text: "queue=orders: it was taken", field: "destinations"},
	{line: "alert delete late", text: "is deleted"},
	{line: "fault create slow --effect latency --max 0.001 --queue none", text: "is there", field: "name"},
	{line: "fault list", text: "NAME  WHAT", field: "name"},
	{line: "fault delete slow", text: "is ended"},
	{line: "fault create slow --effect latency --max 0.001 --queue none", text: "is there", field: "name"},
	{line: "fault clear", text: "is ended"},
	{line: "policy create send -", input: somePolicy, text: "is made", field: "name"},
	{line: "policy set send -", input: somePolicy, text: "is changed", field: "name"},
	{line: "policy list", text: "NAME  CLOUD", field: "name"},
	{line: "policy show send", text: "Version:", field: "name"},
	{line: "user create ann", text: "User ann is made.", field: "name"},
	{line: "group create devs", text: "Group devs is made.", field: "name"},
	{line: "role create worker --trust -", input: someTrust, text: "Role worker is made.", field: "name"},
	{line: "user set ann --access viewer", text: "is changed", field: "name"},
	{line: "group set devs --rename team", text: "is changed", field: "name"},
	{line: "role set worker --max-session 2h", text: "is changed", field: "name"},
	{line: "user attach ann send", text: "is attached to user ann"},
	{line: "group attach team send", text: "is attached to group team"},
	{line: "role attach worker send", text: "is attached to role worker"},
	{line: "user put ann own -", input: somePolicy, text: "is user ann's own"},
	{line: "group put team own -", input: somePolicy, text: "is group team's own"},
	{line: "role put worker own -", input: somePolicy, text: "is role worker's own"},
	{line: "group add team ann", text: "User ann is in group team."},
	{line: "user list", text: "NAME  ACCESS", field: "name"},
	{line: "group list", text: "NAME  PATH", field: "name"},
	{line: "group members team", text: "ann", field: "name"},
	{line: "role list", text: "NAME    CLOUD", field: "name"},
	{line: "user show ann", text: "Groups:", field: "name"},
	{line: "group show team", text: "Policies:", field: "name"},
	{line: "role show worker", text: "Trust:", field: "name"},
	{line: "policy explain --principal arn:aws:iam::$ACCOUNT:user/ann --action sqs:SendMessage --resource arn:aws:sqs:us-east-1:$ACCOUNT:orders", text: "Decision", field: "decision"},
	{line: "group remove team ann", text: "is no longer in group team"},
	{line: "user unput ann own", text: "is gone from user ann"},
	{line: "group unput team own", text: "is gone from group team"},
	{line: "role unput worker own", text: "is gone from role worker"},
	{line: "user detach ann send", text: "is no longer attached"},
	{line: "group detach team send", text: "is no longer attached"},
	{line: "role detach worker send", text: "is no longer attached"},
	{line: "key create --id AKIDWAY$WAY --user ann", text: "Secret:", field: "secret"},
	{line: "key list", text: "ID        ACCOUNT", field: "id"},
	{line: "key disable AKIDWAY$WAY", text: "is disabled", field: "disabled"},
	{line: "key enable AKIDWAY$WAY", text: "is enabled", field: "id"},
	{line: "dump-config", text: "queues:\n  - name: dead\n", field: "queues", plain: true},
	{line: "seed -", input: "queues: [{name: seeded}]", text: "1 created, 0 changed, 0 deleted", field: "action", wrong: "-"},
	{line: "key delete AKIDWAY$WAY", text: "is deleted"},
	{line: "user delete ann", text: "is deleted"},
	{line: "group delete team", text: "is deleted"},
	{line: "role delete worker", text: "is deleted"},
	{line: "policy delete send", text: "is deleted"},
	{line: "topic delete events", text: "is deleted"},
	{line: "queue delete dead", text: "is deleted"},
	{line: "account create 99999999999$WAY --alias way$WAY", text: "is known", field: "id"},
	{line: "account set 99999999999$WAY --alias other$WAY", text: "is changed", field: "id"},
	{line: "account list", text: "ACCOUNT       ALIAS", field: "id"},
	{line: "account limits $ACCOUNT", text: "WHAT  ", field: "holds"},
	{line: "account delete 99999999999$WAY", text: "is deleted"},
	{line: "audit --account 000000000000", text: "TIME  ", field: "eventName", until: true},
	{line: "doctor", text: "answers within", field: "check", findings: true},
}

// notOfAServer are the commands that no server is managed with, and the tests of what they print.
var notOfAServer = map[string]string{
	"serve": "TestServeSaysWhereItIsAndStops", "bench": "bench.TestReport…", "migrate up": "TestMigrate", "migrate status": "TestMigrate",
	"migrate rotate-master-key": "TestRotateMasterKey", "health": "TestHealth", "version": "TestVersion", "ca": "TestCACommand", "aws": "awscli.TestQueueLife",
}

// TestEveryCommandHasAnOutputCase walks the commands: a new one needs a case.
func TestEveryCommandHasAnOutputCase(t *testing.T) {
	t.Parallel()
	root := rootCommand(nil)
	cases := map[*cobra.Command]bool{}
	for _, c := range outputCases {
		command, _, err := root.Find(strings.Fields(c.line))
		if err != nil {
			t.Fatalf("%s: %v", c.line, err)
		}
		cases[command] = true
	}
	eachCommand(root, func(command *cobra.Command) {
		name := strings.TrimPrefix(command.CommandPath(), "polymq ")
		if !command.HasSubCommands() && !cases[command] && notOfAServer[name] == "" {
			t.Errorf("%s: there is no case", name)
		}
	})
}

// way is how a command is run: to whom it talks, and for which account.
type way struct {
	name     string
	number   int
	terminal bool
	json     bool // --json is given
	environ  []string
	api      *client.Client
}

func (w *way) account() string { return fmt.Sprintf("11111111111%d", w.number) }

// forPrograms says that JSON is to be printed.
func (w *way) forPrograms() bool { return w.json || !w.terminal }

func TestOutputsForPeopleAndPrograms(t *testing.T) {
	t.Parallel()
	url := startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t), DatabasePoolSize: pgtest.PoolSize, TestMode: true, MasterKey: testMasterKey, AuditRetention: time.Hour}).URL()
	for i, w := range []*way{{name: "terminal", terminal: true}, {name: "pipe"}, {name: "terminal with --json", terminal: true, json: true}} {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			w.number = i
			w.environ = []string{"POLYMQ_ENDPOINT=" + url, "POLYMQ_ACCOUNT=" + w.account()}
			w.api = &client.Client{Endpoint: url, Account: w.account()}
			for _, c := range outputCases {
				w.refused(t, c)
				w.runs(t, c)
			}
		})
	}
}

// refused checks that a command that fails prints nothing but its error, and has an exit code that says so.
func (w *way) refused(t *testing.T, c outputCase) {
	t.Helper()
	lines := map[string][]string{"no server": append(strings.Fields(c.line), "--endpoint", "http://127.0.0.1:1")}
	args := strings.Fields(c.line)
	if command, rest, err := rootCommand(nil).Find(args); err == nil && len(rest) > 0 && !strings.HasPrefix(rest[0], "--") && c.wrong != "-" {
		lines["a wrong name"] = slices.Concat(strings.Fields(command.CommandPath())[1:], []string{cmp.Or(c.wrong, "a b/c")}, rest[1:])
	}
	for name, args := range lines {
		out, errors, code := w.run(t, c.input, args)
		if code == 0 || out != "" && !c.findings || !strings.HasPrefix(errors, "polymq: ") {
			t.Errorf("%s: %s: exit code %d, %q on the standard error, %q on the output", strings.Join(args, " "), name, code, errors, out)
		}
	}
}

// runs checks what a command prints.
func (w *way) runs(t *testing.T, c outputCase) {
	t.Helper()
	args := w.expand(t, strings.Fields(c.line))
	if strings.HasPrefix(c.line, "tail ") {
		defer w.sending(t, "orders")()
	}
	for deadline := time.Now().Add(patience); ; {
		out, errors, code := w.run(t, c.input, args)
		if code != 0 {
			t.Fatalf("%s: exit code %d, %s", c.line, code, errors)
		}
		problem := w.problem(c, out)
		if problem == "" {
			return
		}
		if !c.until || time.Now().After(deadline) {
			t.Errorf("%s: %s:\n%s", c.line, problem, out)
			return
		}
	}
}

// problem says what is wrong with an output, "" for nothing.
func (w *way) problem(c outputCase, out string) string {
	if !c.jsonToo && (!w.forPrograms() || c.plain && !w.json) {
		if !strings.Contains(out, c.text) || json.Valid([]byte(out)) && out != "" {
			return fmt.Sprintf("people find no %q in it", c.text)
		}
		return ""
	}
	if c.field == "" && out != "" || c.field != "" && !strings.HasSuffix(out, "\n") {
		return fmt.Sprintf("it should be lines with %q", c.field)
	}
	found := c.field == ""
	for line := range strings.Lines(out) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			return "a line is no JSON: " + line
		}
		_, has := object[c.field]
		found = found || has
	}
	if !found {
		return fmt.Sprintf("no line has %q", c.field)
	}
	return ""
}

// run runs a command line as the program does, with its output to a terminal or a pipe.
func (w *way) run(t *testing.T, input string, args []string) (out, errors string, code int) {
	t.Helper()
	if command, _, err := rootCommand(nil).Find(args); err == nil && w.json && flagsOf(command)["json"] {
		args = append(slices.Clone(args), "--json")
	}
	var stderr bytes.Buffer
	written, to := w.output(t)
	root := rootCommand(w.environ)
	root.SetArgs(args)
	root.SetIn(strings.NewReader(input))
	root.SetOut(to)
	root.SetErr(&stderr)
	code = execute(t.Context(), root)
	to.Close()
	return <-written, stderr.String(), code
}

func TestFlagsThatAreNoNumbers(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"queue create x --max-bytes 1MB":             `--max-bytes must be a whole number, was "1MB"`,
		"queue create x --logging=perhaps":           `--logging must be true or false, was "perhaps"`,
		"alert create x --metric depth --above many": `--above must be a number, was "many"`,
		"queue list --limit 99999999999999999999999": "out of range",
		"queue create x --retention fourteen":        "is no duration",
		"queue list --limit -1":                      "must not be negative",
		"message peek x --limit=-5":                  "must not be negative",
		"audit --limit -2":                           "must not be negative",
		"log --limit -3":                             "must not be negative",
		"queue list --nonsense 5":                    "unknown flag",
	} {
		var errors bytes.Buffer
		root := rootCommand(nil)
		root.SetArgs(strings.Fields(line))
		root.SetErr(&errors)
		if code := execute(t.Context(), root); code != client.ExitUsage || !strings.Contains(errors.String(), want) || strings.Contains(errors.String(), "invalid syntax") {
			t.Errorf("%s: exit code %d, %q; want %q", line, code, errors.String(), want)
		}
	}
}

// TestCtrlCEndsWhatIsRead says that the first Ctrl-C ends a command that waits for its input: for a text, or for the answer to a question.
func TestCtrlCEndsWhatIsRead(t *testing.T) {
	t.Parallel()
	url := startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t), DatabasePoolSize: pgtest.PoolSize, MasterKey: testMasterKey}).URL()
	environ := []string{"POLYMQ_ENDPOINT=" + url}
	api := &client.Client{Endpoint: url}
	if err := api.Do(t.Context(), client.Request{Method: http.MethodPost, Path: []string{"queues"}, Body: map[string]string{"name": "orders"}}, nil); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"message send orders", "message send orders --lines", "topic publish events", "import orders", "seed -", "policy create own -",
		"queue delete orders", "queue purge orders",
	} {
		own, terminal, err := newTerminal()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		root := rootCommand(environ)
		root.SetArgs(strings.Fields(line))
		root.SetIn(terminal)
		root.SetOut(io.Discard)
		var errors bytes.Buffer
		root.SetErr(&errors)
		time.AfterFunc(100*time.Millisecond, cancel)
		ended := make(chan int, 1)
		go func() { ended <- execute(ctx, root) }()
		select {
		case code := <-ended:
			if code != 130 || !strings.HasSuffix(errors.String(), "polymq: interrupted\n") {
				t.Errorf("%s: exit code %d, %q", line, code, errors.String())
			}
		case <-time.After(patience):
			t.Errorf("%s goes on reading", line)
		}
		cancel()
		own.Close() // which ends the reading
		terminal.Close()
	}
}

// output makes a terminal or a pipe to write to, and gives what was written when it is closed.
func (w *way) output(t *testing.T) (written <-chan string, to *os.File) {
	t.Helper()
	var from *os.File
	var err error
	if w.terminal {
		from, to, err = newTerminal()
	} else {
		from, to, err = os.Pipe()
	}
	if err != nil {
		t.Fatal(err)
	}
	all := make(chan string, 1)
	go func() {
		defer from.Close()
		text, _ := io.ReadAll(from) // a terminal that is closed on the other side gives an error
		all <- strings.ReplaceAll(string(text), "\r\n", "\n")
	}()
	return all, to
}

// newTerminal makes a terminal: what is written to it, its own side reads.
func newTerminal() (own, terminal *os.File, err error) {
	if own, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	number, err := unix.IoctlGetInt(int(own.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(own.Fd()), unix.TIOCSPTLCK, 0) // unlocked
	}
	if err == nil {
		terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		own.Close()
	}
	return own, terminal, err
}

// expand puts in what differs between the ways.
func (w *way) expand(t *testing.T, args []string) []string {
	t.Helper()
	expanded := slices.Clone(args)
	for i, arg := range args {
		switch arg {
		case "$SENT":
			expanded[i] = w.ask(t, http.MethodGet, nil, "messages", "id", "queues", "orders", "messages")
		case "$HANDLE":
			w.ask(t, http.MethodPost, map[string]any{"messages": []any{map[string]any{"body": "x"}}}, "messages", "id", "queues", "orders", "messages")
			expanded[i] = w.ask(t, http.MethodPost, map[string]any{}, "messages", "receipt_handle", "queues", "orders", "messages:receive")
		case "$TASK":
			expanded[i] = w.slowMove(t)
		case "$DELIVERY":
			expanded[i] = w.ask(t, http.MethodGet, nil, "deliveries", "message", "topics", "events", "subscriptions", "hook", "deliveries")
		default:
			expanded[i] = strings.NewReplacer("$WAY", fmt.Sprint(w.number), "$ACCOUNT", w.account()).Replace(arg)
		}
	}
	return expanded
}

// ask makes a request, and gives a field of the first entry of the list that is answered, or of what that has as its id.
func (w *way) ask(t *testing.T, method string, body any, list, field string, path ...string) string {
	t.Helper()
	var answer map[string]json.RawMessage
	if err := w.api.Do(t.Context(), client.Request{Method: method, Path: path, Body: body}, &answer); err != nil {
		t.Fatal(err)
	}
	var entries []map[string]any
	if err := json.Unmarshal(answer[list], &entries); err != nil || len(entries) == 0 {
		t.Fatalf("%v: %s, %v", path, answer[list], err)
	}
	if inner, ok := entries[0][field].(map[string]any); ok {
		return fmt.Sprint(inner["id"])
	}
	return fmt.Sprint(entries[0][field])
}

// slowMove begins a task that moves messages for longer than a test takes, and gives its id.
func (w *way) slowMove(t *testing.T) string {
	t.Helper()
	for _, line := range []string{"queue create slow-dead", "queue create slow --dead-letter-queue slow-dead"} {
		if _, err := polymq(w.environ, strings.Fields(line)...); err != nil {
			t.Fatal(err)
		}
	}
	messages := make([]any, 100)
	for i := range messages {
		messages[i] = map[string]any{"body": "x"}
	}
	w.ask(t, http.MethodPost, map[string]any{"messages": messages}, "messages", "id", "queues", "slow-dead", "messages")
	var task struct{ ID string }
	if err := w.api.Do(t.Context(), client.Request{Method: http.MethodPost, Path: []string{"queues", "slow-dead", "moves"}, Body: map[string]any{"rate": 1, "destination": "slow"}}, &task); err != nil {
		t.Fatal(err)
	}
	return task.ID
}

// sending sends messages to a queue until it is ended.
func (w *way) sending(t *testing.T, queue string) (end func()) {
	t.Helper()
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		every := time.NewTicker(50 * time.Millisecond)
		defer every.Stop()
		for {
			body := map[string]any{"messages": []any{map[string]any{"body": "news"}}}
			if err := w.api.Do(t.Context(), client.Request{Method: http.MethodPost, Path: []string{"queues", queue, "messages"}, Body: body}, nil); err != nil {
				t.Errorf("send: %v", err)
				return
			}
			select {
			case <-quit:
				return
			case <-every.C:
			}
		}
	}()
	return func() { close(quit); <-gone }
}

// TestQueuesAndTopicsCompleteEverywhere walks the commands: an argument or a flag that names a queue or a topic completes it.
func TestQueuesAndTopicsCompleteEverywhere(t *testing.T) {
	t.Parallel()
	environ := []string{"POLYMQ_ENDPOINT=" + startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t), DatabasePoolSize: pgtest.PoolSize}).URL()}
	for _, line := range []string{"queue create a-queue", "topic create a-topic"} {
		if _, err := polymq(environ, strings.Fields(line)...); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	completes := func(want string, args ...string) {
		t.Helper()
		seen++
		var out bytes.Buffer
		root := rootCommand(environ)
		root.SetArgs(append([]string{"__complete"}, args...))
		root.SetOut(&out)
		root.SetErr(io.Discard)
		if err := root.ExecuteContext(t.Context()); err != nil || !slices.Contains(strings.Split(out.String(), "\n"), want) {
			t.Errorf("%s completes as %q, %v; want %s", strings.Join(args, " "), &out, err, want)
		}
	}
	eachCommand(rootCommand(environ), func(command *cobra.Command) {
		path := strings.Fields(command.CommandPath())[1:]
		if command.HasSubCommands() || len(path) == 0 {
			return
		}
		if want := firstArgument(command, path); want != "" {
			completes(want, append(path, "a-")...)
		}
		command.Flags().VisitAll(func(flag *pflag.Flag) {
			switch name, _ := pflag.UnquoteUsage(flag); name {
			case "QUEUE":
				completes("a-queue", append(path, "--"+flag.Name, "a-")...)
			case "TOPIC":
				completes("a-topic", append(path, "--"+flag.Name, "a-")...)
			}
		})
	})
	if seen < 30 {
		t.Errorf("only %d arguments and flags were found", seen)
	}
}

// firstArgument gives what the first argument of a command completes as, "" where it names no queue or topic that exists.
func firstArgument(command *cobra.Command, path []string) string {
	fields := strings.Fields(command.Use)
	if len(fields) < 2 || command.Name() == "create" && path[0] != "subscription" {
		return ""
	}
	switch name := strings.Trim(fields[1], "[]…"); {
	case name == "QUEUE", path[0] == "queue":
		return "a-queue"
	case name == "TOPIC", path[0] == "topic":
		return "a-topic"
	}
	return ""
}
