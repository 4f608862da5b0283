package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/client"
)

// Bounds of a tail.
const (
	tailEvery  = 500 * time.Millisecond
	maxTails   = 100  // queues that are followed at once
	maxWatched = 1000 // messages of a queue that are looked at each time
)

// happening is what a tail shows.
type happening struct {
	At           time.Time `json:"at"`
	Queue        string    `json:"queue"`
	Kind         string    `json:"kind"`
	MessageID    string    `json:"message_id"`
	Detail       string    `json:"detail,omitempty"`
	Body         string    `json:"body,omitempty"`
	BodyEncoding string    `json:"body_encoding,omitempty"`
}

func tailCommand(environ []string) *cobra.Command {
	all, count := false, 0
	c := &cobra.Command{
		Use:   "tail QUEUE…",
		Short: "Follow what arrives in queues and what happens to it, without receiving anything",
		Long: `Follows queues: what arrives, and what happens to it. Nothing is received or hidden.

Of a queue whose logging is on (polymq queue edit QUEUE --logging) everything is shown, and who did it.
Of any other, what can be seen by looking at the queue twice a second: a message that comes and goes
between two looks is not seen, and of long queues only the first 1,000 messages are watched.`,
		Example: `  polymq tail orders
  polymq tail orders orders-dead --json
  polymq tail --all`,
	}
	s := bind(c, environ)
	c.ValidArgsFunction = s.queueNames(maxTails)
	c.Flags().BoolVar(&all, "all", false, "follow every queue, up to 100 of them")
	c.Flags().IntVar(&count, "count", 0, "end after so many lines (0: never)")
	c.RunE = func(command *cobra.Command, args []string) error {
		if all == (len(args) > 0) {
			return client.Usagef("name the queues to follow, or --all")
		}
		t := &tail{session: s, command: command, names: args, all: all, left: count, queues: map[string]*watched{}}
		err := t.run(command.Context())
		if errors.Is(err, errEnough) || command.Context().Err() != nil {
			err = nil // that is how it ends
		}
		return err
	}
	return c
}

// errEnough ends a tail that has shown what it was asked for.
var errEnough = errors.New("enough was shown")

// tail follows queues.
type tail struct {
	session *Session
	command *cobra.Command
	names   []string
	all     bool
	left    int // lines to show, 0 for any number
	queues  map[string]*watched
}

// watched is a queue that is followed.
type watched struct {
	name     string
	log      *follower
	logged   bool               // the log tells what happens
	messages map[string]message // that were there at the last look, by id
	partial  bool               // there were more
}

func (t *tail) run(ctx context.Context) error {
	for first := true; ; first = false {
		if err := t.find(ctx, first); err != nil {
			return err
		}
		for _, name := range t.names {
			w, followed := t.queues[name]
			if !followed {
				continue
			}
			if err := t.look(ctx, w); err != nil {
				return err
			}
		}
		if !pause(ctx, tailEvery) {
			return nil
		}
	}
}

// find begins to follow queues: those that are named at the start, and with all also those that come later.
func (t *tail) find(ctx context.Context, first bool) error {
	if t.all {
		t.names = nil
		for raw, err := range t.session.server().List(ctx, get("queues"), "queues") {
			var q queue
			if err != nil {
				return err
			}
			if err := json.Unmarshal(raw, &q); err != nil {
				return fmt.Errorf("read the server's list: %w", err)
			}
			if t.names = append(t.names, q.Name); len(t.names) == maxTails {
				break
			}
		}
	}
	for _, name := range t.names {
		if t.queues[name] != nil {
			continue
		}
		w, err := t.watch(ctx, name, first)
		if t.all && client.IsNotFound(err) {
			continue // it is gone since it was listed
		}
		if err != nil {
			return err
		}
		t.queues[name] = w
	}
	return nil
}

// watch begins to follow a queue. What is in it already is not news, unless the queue itself is.
func (t *tail) watch(ctx context.Context, name string, first bool) (*watched, error) {
	var q queue
	if err := t.session.server().Do(ctx, get("queues", name), &q); err != nil {
		return nil, err
	}
	w := &watched{name: name, logged: q.Logging, messages: map[string]message{}}
	in := get("queues", name, "log")
	in.Query = url.Values{}
	var err error
	if w.log, err = follow(ctx, t.session.server(), in, !first); err != nil || !first {
		return w, err
	}
	w.messages, w.partial, err = t.peek(ctx, name)
	if w.partial && !w.logged {
		fmt.Fprintf(t.command.ErrOrStderr(), "%s has more than %d messages, of which only these are watched: polymq queue edit %s --logging shows all that happens\n", name, maxWatched, name)
	}
	return w, err
}

// look shows what happened in a queue since the last look. One that is gone is followed no more.
func (t *tail) look(ctx context.Context, w *watched) error {
	now, partial, err := t.peek(ctx, w.name)
	if client.IsNotFound(err) && t.all {
		delete(t.queues, w.name)
		return nil
	}
	if err != nil {
		return err
	}
	err = w.log.next(ctx, func(_ json.RawMessage, e *event) error {
		w.logged = true
		h := happening{At: e.At, Queue: e.Queue, Kind: e.Kind, MessageID: e.MessageID, Detail: strings.Trim(e.by()+", "+e.more(), ", ")}
		if m, ok := now[e.MessageID]; ok && e.Kind == "sent" {
			h.Body, h.BodyEncoding = m.Body, m.BodyEncoding
		}
		return t.show(h)
	})
	if err == nil && !w.logged {
		err = t.compare(w, now, partial)
	}
	w.messages, w.partial = now, partial
	return err
}

// compare shows the differences between two looks at a queue.
func (t *tail) compare(w *watched, now map[string]message, partial bool) error {
	var happened []happening
	seen := time.Now().UTC()
	for _, id := range sorted(now) {
		m, old := now[id], w.messages[id]
		h := happening{At: seen, Queue: w.name, MessageID: id}
		switch _, known := w.messages[id]; {
		case !known && !w.partial:
			h.At, h.Kind, h.Body, h.BodyEncoding = m.SentAt, "sent", m.Body, m.BodyEncoding
		case known && m.ReceiveCount > old.ReceiveCount:
			h.Kind, h.Detail = "received", fmt.Sprintf("receive %d, hidden until %s", m.ReceiveCount, when(m.VisibleAt))
		case known && !m.VisibleAt.Equal(old.VisibleAt):
			h.Kind, h.Detail = "visibility-changed", "visible "+when(m.VisibleAt)
		default:
			continue
		}
		happened = append(happened, h)
	}
	for _, id := range sorted(w.messages) {
		if _, still := now[id]; !still && !partial {
			happened = append(happened, happening{At: seen, Queue: w.name, Kind: "gone", MessageID: id, Detail: "deleted, moved or expired"})
		}
	}
	for _, h := range happened {
		if err := t.show(h); err != nil {
			return err
		}
	}
	return nil
}

// peek looks at the messages of a queue, hidden ones too; more says that there are others.
func (t *tail) peek(ctx context.Context, name string) (messages map[string]message, more bool, err error) {
	in := limited(get("queues", name, "messages"), peekPage)
	in.Query.Set("hidden", "true")
	messages = map[string]message{}
	for raw, err := range t.session.server().List(ctx, in, "messages") {
		var m message
		if err != nil {
			return nil, false, err
		}
		if len(messages) == maxWatched {
			return messages, true, nil
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, false, fmt.Errorf("read the server's messages: %w", err)
		}
		messages[m.ID] = m
	}
	return messages, false, nil
}

func (t *tail) show(h happening) error {
	if t.session.json {
		raw, err := json.Marshal(h)
		if err == nil {
			err = t.session.line(t.command, raw)
		}
		if err != nil {
			return err
		}
	} else {
		text := Cell(h.Detail)
		if h.Body != "" {
			m := message{Body: h.Body, BodyEncoding: h.BodyEncoding}
			text = strings.TrimSuffix(printable(m.text())+"  "+text, "  ")
		}
		if err := say(t.command, "%s  %s  %-18s  %s  %s", h.At.UTC().Format(timeOfEvent), h.Queue, h.Kind, h.MessageID, text); err != nil {
			return err
		}
	}
	if t.left > 0 {
		if t.left--; t.left == 0 {
			return errEnough
		}
	}
	return nil
}
