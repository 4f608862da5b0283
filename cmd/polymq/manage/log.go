package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
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
	Topic        string            `json:"topic"`
	Subscription string            `json:"subscription"`
	MessageID    string            `json:"message_id"`
	OriginID     string            `json:"origin_id"`
	VisibleAt    time.Time         `json:"visible_at"`
	ReceiveCount int               `json:"receive_count"`
	Attempt      int               `json:"attempt"`
	Status       string            `json:"status"`
	Matched      []string          `json:"matched"`
	Filtered     []string          `json:"filtered"`
	Attributes   map[string]string `json:"attributes"`
	Detail       string            `json:"detail"`
	Protocol     string            `json:"protocol"`
	Action       string            `json:"action"`
	AccessKeyID  string            `json:"access_key_id"`
	Address      string            `json:"address"`
}

const eventHeader = "AT\tWHERE\tMESSAGE\tWHAT\tBY\tMORE"

func eventRow(e event) []string {
	return []string{e.At.UTC().Format(timeOfEvent), e.where(), e.MessageID, e.Kind, e.by(), printableUpTo(e.more(), maxLast)}
}

// timeOfEvent is how events show their time.
const timeOfEvent = "2006-01-02T15:04:05.000Z"

// where says in which queue it happened, or at which topic or subscription.
func (e *event) where() string {
	switch {
	case e.Queue != "":
		return e.Queue
	case e.Subscription != "":
		return "topic " + e.Topic + "/" + e.Subscription
	}
	return "topic " + e.Topic
}

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
		what := "visible "
		if e.Attempt > 0 {
			what = "next attempt "
		}
		parts = append(parts, what+when(e.VisibleAt))
	}
	if e.Attempt > 0 {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("attempt %d %s", e.Attempt, e.Status)))
	}
	if e.Detail != "" {
		parts = append(parts, e.Detail)
	}
	if e.OriginID != "" {
		parts = append(parts, "made of "+e.OriginID)
	}
	if len(e.Matched) > 0 {
		parts = append(parts, "matched: "+strings.Join(e.Matched, " "))
	}
	if len(e.Filtered) > 0 {
		parts = append(parts, "filtered out by: "+strings.Join(e.Filtered, " "))
	}
	if len(e.Attributes) > 0 {
		parts = append(parts, pairsOf(e.Attributes))
	}
	return strings.Join(parts, ", ")
}

// logQuery is which part of the log is asked for.
type logQuery struct{ queue, topic, id, since, until, attribute string }

func logCommand(environ []string) *cobra.Command {
	var q logQuery
	follow := false
	limit := 0
	c := &cobra.Command{
		Use:   "log [QUEUE | MESSAGE-ID]",
		Short: "Show what happened to messages: of a queue, of a topic, or of one message",
		Long: `Shows the message log: who sent, received, hid, moved and deleted which message when, whom what was
published went to, and each attempt to push it. The log is kept for queues and topics whose logging is on
(polymq queue edit QUEUE --logging, polymq topic edit TOPIC --logging), and for all of a server that was
started with --message-log all. Of one message its whole life is shown: that of the copies made of what was
published, and of what was moved out of a dead-letter queue, belongs to it.`,
		Example: `  polymq log orders --since 1h
  polymq log 0b3c8b2e-6f0e-4a55-9d0c-3a54a0a9f1f0
  polymq log --topic alerts
  polymq log orders --attribute customer=4711 --json
  polymq log orders --follow`,
		Args: cobra.MaximumNArgs(1),
	}
	s := bind(c, environ)
	c.ValidArgsFunction = s.queueNames(1)
	flags := c.Flags()
	flags.StringVar(&q.queue, "queue", "", "`QUEUE`, also one whose name looks like the id of a message")
	flags.StringVar(&q.topic, "topic", "", "`TOPIC` that messages came through")
	flags.StringVar(&q.id, "id", "", "message `ID`, as any protocol shows it")
	flags.StringVar(&q.since, "since", "", "only from this `TIME` on: 2026-01-31T12:00:00Z, or 1h for that long ago")
	flags.StringVar(&q.until, "until", "", "only before this `TIME`, likewise")
	for name, value := range map[string]*string{"from": &q.since, "to": &q.until} { // as they were called once
		flags.StringVar(value, name, "", "")
		flags.Lookup(name).Hidden = true
	}
	flags.StringVar(&q.attribute, "attribute", "", "only messages sent with this `NAME=VALUE`; only their sending is found by it")
	flags.IntVar(&limit, "limit", 0, "most events to show, 0: all")
	flags.BoolVar(&follow, "follow", false, "go on with what happens from now, until Ctrl-C")
	c.RunE = func(command *cobra.Command, args []string) error {
		in, err := q.request(args)
		if err != nil {
			return err
		}
		if follow && (limit != 0 || q.until != "") {
			return client.Usagef("--follow goes on until Ctrl-C, it has no --limit and no --until")
		}
		if follow {
			return s.followLog(command, in, q.since != "")
		}
		return s.listEvents(command, in, limit)
	}
	return s.completes(c)
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
	_, err = fmt.Fprintln(command.ErrOrStderr(), s.whyNothing(command.Context(), in))
	return err
}

// whyNothing says why a log is empty: of a queue or topic that is not there, that keeps a log, or that may keep none.
func (s *Session) whyNothing(ctx context.Context, in client.Request) string {
	if kind := strings.TrimSuffix(in.Path[0], "s"); kind != "message" {
		var owner struct {
			Logging bool `json:"logging"`
		}
		err := s.server().Do(ctx, get(in.Path[:2]...), &owner)
		switch {
		case client.ExitCode(err) == client.ExitNotFound:
			return fmt.Sprintf("Nothing is logged, and there is no %s %q (polymq %s list; --account and --region).", kind, in.Path[1], kind)
		case err == nil && owner.Logging:
			return fmt.Sprintf("Nothing of that is logged. The %s %q keeps a log, of what happened since that was set.", kind, in.Path[1])
		}
	}
	return "Nothing is logged. A log is kept where polymq queue edit QUEUE --logging (or topic edit TOPIC --logging) was set before, or with polymq serve --message-log all."
}

// messageIDs are ids of messages, as SQS and SNS show them or as MNS does.
var messageIDs = regexp.MustCompile(`^([0-9A-F]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

// request asks for the log.
func (q logQuery) request(args []string) (client.Request, error) {
	var in client.Request
	for _, arg := range args {
		switch {
		case messageIDs.MatchString(arg) && q.id == "":
			q.id = arg
		case q.queue == "":
			q.queue = arg
		default:
			return in, client.Usagef("a queue was named twice: %s and %s", q.queue, arg)
		}
	}
	switch {
	case q.queue != "" && q.topic != "":
		return in, client.Usagef("name a queue or a topic, not both")
	case q.queue != "":
		in = get("queues", q.queue, "log")
	case q.topic != "":
		in = get("topics", q.topic, "log")
	case q.id != "":
		in = get("messages", q.id, "log")
	default:
		return in, client.Usagef("name a queue, a message's id, or a topic with --topic")
	}
	in.Query = url.Values{"attribute": {q.attribute}}
	if q.id != "" && in.Path[0] != "messages" {
		in.Query.Set("id", q.id)
	}
	for name, text := range map[string]string{"from": q.since, "to": q.until} {
		if text == "" {
			continue
		}
		at, err := ParseTime(text)
		if err != nil {
			return in, err
		}
		in.Query.Set(name, at.UTC().Format(time.RFC3339Nano))
	}
	return in, nil
}

// ParseTime reads a point of time, or a duration before now, as commands take them.
func ParseTime(text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	ago, err := client.ParseSpan(text)
	if err != nil {
		return time.Time{}, client.Usagef("%q is neither a time such as 2026-01-31T12:00:00Z nor a duration such as 1h", text)
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
			_, err := fmt.Fprintln(table, rowOf(eventRow(*e)))
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
