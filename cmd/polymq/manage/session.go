package manage

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/progress"
)

// Commands gives the commands of this package.
func Commands(environ []string) []*cobra.Command {
	return []*cobra.Command{
		queueCommand(environ), topicCommand(environ), subscriptionCommand(environ), messageCommand(environ),
		logCommand(environ), tailCommand(environ), exportCommand(environ), importCommand(environ),
		seedCommand(environ), dumpCommand(environ), faultCommand(environ), alertCommand(environ),
		accountCommand(environ), userCommand(environ), groupCommand(environ), roleCommand(environ), policyCommand(environ),
	}
}

// Session is what a command knows of the server it talks to, and of whom it talks for.
type Session struct {
	environ []string
	client  client.Client
	json    bool
	yes     bool
}

// JSONUsage is what the help says of --json.
const JSONUsage = "print JSON as the server answers it, lists as one object on each line (default: where the output is no terminal)"

// bind adds the flags that every command has.
func bind(command *cobra.Command, environ []string) *Session {
	s := &Session{environ: environ}
	flags := command.PersistentFlags()
	flags.StringVar(&s.client.Endpoint, "endpoint", "", "`URL` of the server (default: POLYMQ_ENDPOINT, else "+client.DefaultEndpoint+")")
	flags.StringVar(&s.client.AdminKey, "admin-key", "", "`ID:SECRET` of an administrator's access key (default: POLYMQ_ADMIN_KEY)")
	flags.StringVar(&s.client.Account, "account", "", "`ACCOUNT` of twelve digits that is meant (default: POLYMQ_ACCOUNT, else 000000000000)")
	flags.StringVar(&s.client.Region, "region", "", "`REGION` that is meant (default: POLYMQ_REGION, else the server's)")
	flags.BoolVar(&s.json, "json", false, JSONUsage)
	return s
}

// server gives the client, with what the flags leave open from the environment.
func (s *Session) server() *client.Client {
	c := s.client
	c.Endpoint = cmp.Or(c.Endpoint, s.variable("POLYMQ_ENDPOINT"))
	c.AdminKey = cmp.Or(c.AdminKey, s.variable("POLYMQ_ADMIN_KEY"))
	c.Account = cmp.Or(c.Account, s.variable("POLYMQ_ACCOUNT"))
	c.Region = cmp.Or(c.Region, s.variable("POLYMQ_REGION"))
	return &c
}

func (s *Session) variable(name string) string {
	value, _ := s.lookup(name)
	return value
}

// lookup gives an environment variable, and whether it is set.
func (s *Session) lookup(name string) (string, bool) {
	for _, entry := range s.environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

func get(path ...string) client.Request { return client.Request{Method: http.MethodGet, Path: path} }
func post(body any, path ...string) client.Request {
	return client.Request{Method: http.MethodPost, Path: path, Body: body}
}
func patch(body any, path ...string) client.Request {
	return client.Request{Method: http.MethodPatch, Path: path, Body: body}
}
func remove(path ...string) client.Request {
	return client.Request{Method: http.MethodDelete, Path: path}
}

// do makes a request and says in a line what has been done by it. With --json the answer is printed instead.
func (s *Session) do(command *cobra.Command, in client.Request, done string) error {
	if !s.json {
		if err := s.server().Do(command.Context(), in, nil); err != nil {
			return err
		}
		return say(command, done)
	}
	_, err := show[json.RawMessage](s, command, in, nil)
	return err
}

// say prints a line.
func say(command *cobra.Command, format string, args ...any) error {
	_, err := fmt.Fprintf(command.OutOrStdout(), format+"\n", args...)
	return err
}

// show makes a request and shows its answer: with --json as it is, else by what pairs gives of it, a name and
// a value in turn. It gives the answer too.
func show[T any](s *Session, command *cobra.Command, in client.Request, pairs func(T) []string) (T, error) {
	var raw json.RawMessage
	var answer T
	err := s.server().Do(command.Context(), in, &raw)
	if err != nil || len(raw) == 0 {
		return answer, err
	}
	if s.json {
		return answer, s.line(command, raw)
	}
	if err := json.Unmarshal(raw, &answer); err != nil || pairs == nil {
		return answer, err
	}
	return answer, describe(command, pairs(answer)...)
}

// line prints JSON on a line of its own.
func (s *Session) line(command *cobra.Command, raw json.RawMessage) error {
	if len(raw) == 0 {
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	compact.WriteByte('\n')
	_, err := compact.WriteTo(command.OutOrStdout())
	return err
}

// describe prints names and values, leaving out those that have no value.
func describe(command *cobra.Command, pairs ...string) error {
	table := tabwriter.NewWriter(command.OutOrStdout(), 0, 0, 2, ' ', 0)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(table, "%s:\t%s\n", Cell(pairs[i]), strings.TrimRight(escaped(pairs[i+1]), "\n"))
		}
	}
	return table.Flush()
}

// flushEvery is how many rows of a table are held to find the widths of its columns.
const flushEvery = 1000

// list prints a list, as a table or as JSON lines, no more than limit entries (0: all).
func list[T any](s *Session, command *cobra.Command, in client.Request, field, header string, limit int, row func(T) []string) error {
	table := tabwriter.NewWriter(command.OutOrStdout(), 0, 0, 2, ' ', 0)
	if !s.json {
		fmt.Fprintln(table, header)
	}
	n := 0
	for raw, err := range s.server().List(command.Context(), in, field) {
		if err != nil {
			if n > 0 {
				err = errors.Join(table.Flush(), err)
			}
			return err
		}
		if s.json {
			err = s.line(command, raw)
		} else {
			err = tableRow(table, raw, row)
		}
		if err != nil {
			return err
		}
		if n++; n == limit {
			break
		}
		if n%flushEvery == 0 {
			_ = table.Flush() // the last one reports what is wrong with the output
		}
	}
	return table.Flush()
}

func tableRow[T any](table *tabwriter.Writer, raw json.RawMessage, row func(T) []string) error {
	var entry T
	if err := json.Unmarshal(raw, &entry); err != nil {
		return fmt.Errorf("read the server's list: %w", err)
	}
	_, err := fmt.Fprintln(table, rowOf(row(entry)))
	return err
}

// messages gives a number of messages in words.
func messages(n int64) string {
	if n == 1 {
		return "1 message"
	}
	return fmt.Sprintf("%d messages", n)
}

// confirm asks whether to go on, where somebody is there to be asked.
func (s *Session) confirm(command *cobra.Command, question string, args ...any) error {
	if s.yes || !progress.IsTerminal(command.InOrStdin()) {
		return nil
	}
	fmt.Fprintf(command.ErrOrStderr(), question+" [y/N] ", args...)
	answer, err := bufio.NewReader(standardInput(command)).ReadString('\n')
	if err != nil { // the end of the input is no
		fmt.Fprintln(command.ErrOrStderr())
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}

// standardInput gives the standard input, whose reading ends with the command's context: at the first Ctrl-C.
func standardInput(command *cobra.Command) io.Reader {
	return &interruptible{command.Context(), command.InOrStdin()}
}

type interruptible struct {
	ctx  context.Context
	from io.Reader
}

// Read is of io.Reader. Nothing ends the reading of a terminal, so what still reads when the context ends is left to
// end with the program, and has bytes of its own to read into.
func (i *interruptible) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	own, done := make([]byte, len(p)), make(chan result, 1)
	go func() {
		n, err := i.from.Read(own)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		copy(p, own[:r.n])
		return r.n, r.err
	case <-i.ctx.Done():
		return 0, i.ctx.Err()
	}
}

// asks adds the flag of commands that ask.
func (s *Session) asks(command *cobra.Command) *cobra.Command {
	command.Flags().BoolVarP(&s.yes, "yes", "y", false, "do not ask")
	return command
}

// completion is how cobra completes an argument.
type completion func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

const (
	maxCompletions    = 100
	completionTimeout = 3 * time.Second
)

// names completes names of a list of the server's, for the arguments that come before the given number.
func (s *Session) names(arguments int, path func(args []string) []string, field string) completion {
	return func(command *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= arguments {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmp.Or(command.Context(), context.Background()), completionTimeout)
		defer cancel()
		in := get(path(args)...)
		in.Query = url.Values{"limit": {fmt.Sprint(maxCompletions)}}
		if field == "queues" || field == "topics" || field == "subscriptions" { // of which there may be many
			in.Query.Set("prefix", begun)
		}
		var found []string
		for raw, err := range s.server().List(ctx, in, field) {
			var entry struct {
				Name string `json:"name"`
			}
			if err != nil || json.Unmarshal(raw, &entry) != nil || len(found) >= maxCompletions {
				break
			}
			if strings.HasPrefix(entry.Name, begun) {
				found = append(found, entry.Name)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

func (s *Session) queueNames(arguments int) completion {
	return s.names(arguments, func([]string) []string { return []string{"queues"} }, "queues")
}

// completes makes the flags of a command that name a queue or a topic complete it.
func (s *Session) completes(c *cobra.Command) *cobra.Command {
	c.Flags().VisitAll(func(flag *pflag.Flag) {
		switch name, _ := pflag.UnquoteUsage(flag); name {
		case "QUEUE":
			_ = c.RegisterFlagCompletionFunc(flag.Name, cobra.CompletionFunc(s.queueNames(maxCompletions))) // the flag is there
		case "TOPIC":
			_ = c.RegisterFlagCompletionFunc(flag.Name, cobra.CompletionFunc(s.names(maxCompletions, func([]string) []string { return []string{"topics"} }, "topics"))) // likewise
		}
	})
	return c
}

// topicNames completes a topic, and behind it one of its subscriptions if that is asked for too.
func (s *Session) topicNames(arguments int) completion {
	topics := s.names(1, func([]string) []string { return []string{"topics"} }, "topics")
	subscriptions := s.names(arguments, func(args []string) []string { return []string{"topics", args[0], "subscriptions"} }, "subscriptions")
	return func(command *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return topics(command, args, begun)
		}
		return subscriptions(command, args, begun)
	}
}

// How much of a text a table shows, and of one behind which nothing stands.
const (
	maxShown = 60
	maxLast  = 300
)

// printable gives a text as a cell of a table: without what a terminal would act on, and not too long.
func printable(text string) string { return printableUpTo(text, maxShown) }

func printableUpTo(text string, most int) string {
	runes := []rune(text)
	cut := ""
	if len(runes) > most {
		runes, cut = runes[:most-1], "…"
	}
	return Cell(string(runes)) + cut
}

// Cell gives a text as a cell of a table: without what a terminal would act on. Who asks for something chooses much of what
// logs tell of it, also where it is refused.
func Cell(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// rowOf gives the line of a table with some cells.
func rowOf(cells []string) string {
	for i := range cells {
		cells[i] = Cell(cells[i])
	}
	return strings.Join(cells, "\t")
}

// when shows a time, nothing for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// seconds shows a number of seconds as a duration: 4d, 1h30m, 0s.
func seconds(n int) string {
	const day = 24 * 60 * 60
	if n > 0 && n%day == 0 {
		return fmt.Sprintf("%dd", n/day)
	}
	text := (time.Duration(n) * time.Second).String()
	text = strings.Replace(text, "m0s", "m", 1)
	return strings.Replace(text, "h0m", "h", 1)
}

// pairsOf shows a map as name=value.
func pairsOf(m map[string]string) string {
	var pairs []string
	for _, name := range sorted(m) {
		pairs = append(pairs, name+"="+m[name])
	}
	return strings.Join(pairs, " ")
}
