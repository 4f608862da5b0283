package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/client"
)

// event is an entry of the message log, as the JSON API shows it.
type event struct {
	ID           string            `json:"id"`
	At           time.Time         `json:"at"`
	Kind         string            `json:"kind"`
	Queue        string            `json:"queue"`
	MessageID    string            `json:"message_id"`
	VisibleAt    time.Time         `json:"visible_at"`
	ReceiveCount int               `json:"receive_count"`
	Attributes   map[string]string `json:"attributes"`
	Detail       string            `json:"detail"`
	Protocol     string            `json:"protocol"`
	Action       string            `json:"action"`
	AccessKeyID  string            `json:"access_key_id"`
	Address      string            `json:"address"`
}

const eventHeader = "AT\tQUEUE\tMESSAGE\tWHAT\tBY\tMORE"

func eventRow(e event) []string {
	return []string{e.At.UTC().Format(timeOfEvent), e.Queue, e.MessageID, e.Kind, e.by(), printable(e.more())}
}

// timeOfEvent is how events show their time.
const timeOfEvent = "2006-01-02T15:04:05.000Z"

// by says who did it.
func (e *event) by() string {
	who := strings.TrimSpace(e.Protocol + " " + e.Action)
	if e.AccessKeyID != "" {
		who += " by " + e.AccessKeyID
	}
	if e.Address != "" {
		who += " from " + e.Address
	}
	return who
}

func (e *event) more() string {
	var parts []string
	if e.ReceiveCount > 0 {
		parts = append(parts, fmt.Sprintf("receive %d", e.ReceiveCount))
	}
	if !e.VisibleAt.IsZero() {
		parts = append(parts, "visible "+when(e.VisibleAt))
	}
	if e.Detail != "" {
		parts = append(parts, e.Detail)
	}
	if len(e.Attributes) > 0 {
		parts = append(parts, pairsOf(e.Attributes))
	}
	return strings.Join(parts, ", ")
}

func logCommand(environ []string) *cobra.Command {
	var id, from, to, attribute string
	follow := false
	limit := 0
	c := &cobra.Command{
		Use:   "log [QUEUE]",
		Short: "Show what happened to messages: of a queue, or of one message",
		Long: `Shows the message log: who sent, received, hid, moved and deleted which message when. The log is kept
for queues whose logging is on (polymq queue edit QUEUE --logging), and for all queues of a server that
was started with --message-log all. It is read by a queue, by a message id, or both.`,
		Example: `  polymq log orders --from 1h
  polymq log --id 0b3c8b2e-6f0e-4a55-9d0c-3a54a0a9f1f0
  polymq log orders --attribute customer=4711 --json
  polymq log orders --follow`,
		Args: cobra.MaximumNArgs(1),
	}
	s := bind(c, environ)
	c.ValidArgsFunction = s.queueNames(1)
	flags := c.Flags()
	flags.StringVar(&id, "id", "", "message `ID`, as any protocol shows it")
	flags.StringVar(&from, "from", "", "events from this `TIME` on: 2026-01-31T12:00:00Z, or 1h for an hour ago")
	flags.StringVar(&to, "to", "", "events before this `TIME`")
	flags.StringVar(&attribute, "attribute", "", "`NAME=VALUE` that messages were sent with")
	flags.IntVar(&limit, "limit", 0, "most events to show (0: all)")
	flags.BoolVar(&follow, "follow", false, "go on with what happens from now, until Ctrl-C")
	c.RunE = func(command *cobra.Command, args []string) error {
		in, err := logRequest(args, id)
		if err != nil {
			return err
		}
		if err := between(&in, from, to); err != nil {
			return err
		}
		in.Query.Set("attribute", attribute)
		if follow {
			return s.followLog(command, in, from != "")
		}
		return s.listEvents(command, in, limit)
	}
	return c
}

// listEvents prints a log, and says why it may be empty.
func (s *Session) listEvents(command *cobra.Command, in client.Request, limit int) error {
	found := false
	err := list(s, command, in, "events", eventHeader, limit, func(e event) []string {
		found = true
		return eventRow(e)
	})
	if err != nil || found || s.json {
		return err
	}
	_, err = fmt.Fprintln(command.ErrOrStderr(), "Nothing is logged. A log is kept where polymq queue edit QUEUE --logging was set before, or with polymq serve --message-log all.")
	return err
}

// logRequest asks for the log of a queue, or of a message.
func logRequest(args []string, id string) (client.Request, error) {
	var in client.Request
	switch {
	case len(args) == 1:
		in = get("queues", args[0], "log")
	case id != "":
		in = get("messages", id, "log")
	default:
		return in, errors.New("name a queue, or a message with --id")
	}
	in.Query = url.Values{}
	if len(args) == 1 && id != "" {
		in.Query.Set("id", id)
	}
	return in, nil
}

// between bounds the time of events.
func between(in *client.Request, from, to string) error {
	for name, text := range map[string]string{"from": from, "to": to} {
		if text == "" {
			continue
		}
		at, err := parseTime(text)
		if err != nil {
			return fmt.Errorf("--%s: %w", name, err)
		}
		in.Query.Set(name, at.UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// parseTime reads a point of time, or a duration before now.
func parseTime(text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	ago, err := parseSpan(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a time such as 2026-01-31T12:00:00Z nor a duration such as 1h", text)
	}
	return time.Now().Add(-ago), nil
}

// How a log is followed.
const (
	followEvery = 500 * time.Millisecond
	// Entries get their numbers before they can be seen, so that one may appear behind later ones:
	// what is younger than this is asked for again.
	followAgain = 3 * time.Second
	// A log that is followed from now on is read from a little before, for clocks differ.
	followBefore = 5 * time.Minute
)

// follower reads a log as it grows.
type follower struct {
	server *client.Client
	in     client.Request
	after  string // the entry behind which the next look begins
	seen   []seenEvent
}

type seenEvent struct {
	id string
	at time.Time // when it was seen
}

// follow makes a follower of what happens from now on, or with all of the log that is asked for.
func follow(ctx context.Context, server *client.Client, in client.Request, all bool) (*follower, error) {
	f := &follower{server: server, in: in}
	if all {
		return f, nil
	}
	f.in.Query.Set("from", time.Now().Add(-followBefore).UTC().Format(time.RFC3339Nano))
	err := f.next(ctx, func(json.RawMessage, *event) error { return nil })
	return f, err
}

// next calls do for each event that was not seen before.
func (f *follower) next(ctx context.Context, do func(json.RawMessage, *event) error) error {
	now := time.Now()
	for len(f.seen) > 0 && now.Sub(f.seen[0].at) > followAgain {
		f.after, f.seen = largest(f.after, f.seen[0].id), f.seen[1:]
	}
	known := map[string]bool{}
	for _, s := range f.seen {
		known[s.id] = true
	}
	if f.after != "" {
		f.in.Query.Set("cursor", f.after)
	}
	for raw, err := range f.server.List(ctx, f.in, "events") {
		var e event
		if err != nil {
			return err
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			return fmt.Errorf("read the server's log: %w", err)
		}
		if known[e.ID] {
			continue
		}
		f.seen = append(f.seen, seenEvent{e.ID, now})
		if err := do(raw, &e); err != nil {
			return err
		}
	}
	return nil
}

// largest gives the larger of two numbers.
func largest(a, b string) string {
	m, _ := strconv.ParseInt(a, 10, 64) // 0 for none
	n, _ := strconv.ParseInt(b, 10, 64)
	return strconv.FormatInt(max(m, n), 10)
}

// followLog prints a log until the command is ended.
func (s *Session) followLog(command *cobra.Command, in client.Request, all bool) error {
	ctx := command.Context()
	f, err := follow(ctx, s.server(), in, all)
	if err != nil {
		return err
	}
	out := command.OutOrStdout()
	for {
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		err := f.next(ctx, func(raw json.RawMessage, e *event) error {
			if s.json {
				return s.line(command, raw)
			}
			_, err := fmt.Fprintln(table, strings.Join(eventRow(*e), "\t"))
			return err
		})
		if err := errors.Join(table.Flush(), err); err != nil && ctx.Err() == nil {
			return err
		}
		if !pause(ctx, followEvery) {
			return nil
		}
	}
}

// pause waits; false says that the command is to end.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
