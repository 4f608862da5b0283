package manage

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/core"
)

// message is a message as the JSON API shows it.
type message struct {
	ID              string               `json:"id"`
	ReceiptHandle   string               `json:"receipt_handle"`
	Body            string               `json:"body"`
	BodyEncoding    string               `json:"body_encoding"`
	Hidden          bool                 `json:"hidden"` // the caller may not see the body and the attributes
	Attributes      map[string]attribute `json:"attributes"`
	System          map[string]string    `json:"system"`
	GroupID         string               `json:"group_id"`
	DeduplicationID string               `json:"deduplication_id"`
	Priority        int                  `json:"priority"`
	ReceiveCount    int                  `json:"receive_count"`
	SentAt          time.Time            `json:"sent_at"`
	VisibleAt       time.Time            `json:"visible_at"`
	Bytes           int                  `json:"bytes"`
}

type attribute struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// messageSettings are the flags of a message to send.
var messageSettings = []setting{
	{"delay", "delay_seconds", span(0), "`TIME` until it can be received (default: the queue's)"},
	{"priority", "priority", core.DefaultPriority, "1 is the most urgent, 16 the least"},
	{"group", "group_id", "", "`GROUP` of the message; FIFO queues need it"},
	{"deduplication-id", "deduplication_id", "", "`ID` that makes the message new; FIFO queues only"},
}

func messageCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:     "message",
		Aliases: []string{"messages", "msg"},
		Short:   "Send, look at, receive, delete and trace messages",
		Example: `  polymq message send orders '{"id": 1}' --attribute kind=new --delay 10s
  polymq message peek orders
  polymq message receive orders --limit 10 --wait 20s --delete --json
  polymq message trace 0b3c8b2e-6f0e-4a55-9d0c-3a54a0a9f1f0`,
	}
	s := bind(command, environ)
	command.AddCommand(messageSend(s), messagePeek(s), messageReceive(s), messageDelete(s), messageReturn(s), messageHide(s), messageWait(s), messageTrace(s))
	return command
}

func attributeFlag(flags *pflag.FlagSet) {
	flags.StringArray("attribute", nil, "`NAME=VALUE` of an attribute; NAME:Number=VALUE and NAME:Binary=BASE64 for other types; repeatable")
}

// addMessage puts body and attributes into the fields of a message. The body is the argument, or all of the input.
func addMessage(command *cobra.Command, args []string, fields map[string]any) error {
	body := []byte(strings.Join(args, ""))
	if len(args) == 0 || args[0] == "-" {
		var err error
		if body, err = io.ReadAll(io.LimitReader(standardInput(command), core.MaxMessageBytes+1)); err != nil {
			return fmt.Errorf("read the body: %w", err)
		}
		if len(body) > core.MaxMessageBytes {
			return fmt.Errorf("the body is longer than %d bytes, which no queue takes", core.MaxMessageBytes)
		}
	}
	setBody(fields, body)
	return addAttributes(command, fields)
}

// setBody puts a body into the fields of a message, in base64 where it is no text.
func setBody(fields map[string]any, body []byte) {
	if utf8.Valid(body) && core.ValidText(body) {
		fields["body"] = string(body)
		return
	}
	fields["body"], fields["body_encoding"] = base64.StdEncoding.EncodeToString(body), "base64"
}

func addAttributes(command *cobra.Command, fields map[string]any) error {
	texts, _ := command.Flags().GetStringArray("attribute") // the flag is there
	attributes := map[string]attribute{}
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return client.Usagef("attribute %q must be NAME=VALUE", text)
		}
		name, kind, typed := strings.Cut(name, ":")
		if !typed {
			kind = "String"
		}
		attributes[name] = attribute{kind, value}
	}
	if len(attributes) > 0 {
		fields["attributes"] = attributes
	}
	return nil
}

// sent makes a request that sends or publishes, and prints the ids of the messages.
func (s *Session) sent(command *cobra.Command, in client.Request) error {
	var answer struct {
		Messages []json.RawMessage `json:"messages"`
	}
	if err := s.server().Do(command.Context(), in, &answer); err != nil {
		return err
	}
	for _, raw := range answer.Messages {
		if s.json {
			if err := s.line(command, raw); err != nil {
				return err
			}
			continue
		}
		var m struct {
			ID        string `json:"id"`
			Duplicate bool   `json:"duplicate"`
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
		if m.Duplicate {
			m.ID += " (a duplicate, nothing was stored)"
		}
		if err := say(command, "%s", m.ID); err != nil {
			return err
		}
	}
	return nil
}

func messageSend(s *Session) *cobra.Command {
	lines := false
	c := &cobra.Command{
		Use:   "send QUEUE [BODY]",
		Short: "Send a message, given or read from the standard input, and print its id (in a pipe, a line of JSON with it)",
		Example: `  polymq message send orders 'hello' --attribute region=eu --attribute amount:Number=12
  polymq message send orders < picture.png
  kubectl get events -o json | jq -c '.items[]' | polymq message send events --lines`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			if lines && len(args) == 2 && args[1] != "-" {
				return client.Usagef("--lines sends the lines of the standard input, and a body is given as well")
			}
			if lines {
				return s.sendLines(command, args[0])
			}
			fields := given(command.Flags(), messageSettings)
			if err := addMessage(command, args[1:], fields); err != nil {
				return err
			}
			return s.sent(command, post(map[string]any{"messages": []any{fields}}, "queues", args[0], "messages"))
		},
	}
	bindSettings(c.Flags(), messageSettings)
	attributeFlag(c.Flags())
	c.Flags().BoolVar(&lines, "lines", false, "send each line of the standard input as a message of its own")
	return c
}

// sendLines sends each line of the input, as many at once as the API takes.
func (s *Session) sendLines(command *cobra.Command, queue string) error {
	input := bufio.NewScanner(standardInput(command))
	input.Buffer(nil, core.MaxMessageBytes+1)
	var batch []any
	bytes := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		in := post(map[string]any{"messages": batch}, "queues", queue, "messages")
		batch, bytes = nil, 0
		return s.sent(command, in)
	}
	for input.Scan() {
		fields := given(command.Flags(), messageSettings)
		setBody(fields, input.Bytes())
		if err := addAttributes(command, fields); err != nil {
			return err
		}
		if bytes += len(input.Bytes()); len(batch) == core.MaxBatch || bytes > maxRequest {
			if err := flush(); err != nil {
				return err
			}
			bytes = len(input.Bytes())
		}
		batch = append(batch, fields)
	}
	if err := input.Err(); err != nil {
		return errors.Join(flush(), fmt.Errorf("read the lines to send: %w", err))
	}
	return flush()
}

// maxRequest is how many bytes of bodies go into one request: the API takes 16 MiB, and JSON may escape much.
const maxRequest = 4 << 20

const messageHeader = "MESSAGE\tSENT\tVISIBLE\tRECEIVES\tBYTES\tBODY"

func messageRow(m message) []string {
	return []string{m.ID, when(m.SentAt), when(m.VisibleAt), fmt.Sprint(m.ReceiveCount), fmt.Sprint(m.Bytes), printable(m.text())}
}

// text gives the body to show: of one that is not text to every protocol what a terminal can show of it.
func (m *message) text() string {
	switch {
	case m.Hidden:
		return "(hidden)"
	case m.BodyEncoding == "":
		return m.Body
	}
	if body, err := base64.StdEncoding.DecodeString(m.Body); err == nil && utf8.Valid(body) {
		return string(body)
	}
	return "(" + m.BodyEncoding + ") " + m.Body
}

// peekPage is the longest page of peeked messages.
const peekPage = 100

func messagePeek(s *Session) *cobra.Command {
	limit, hidden := 0, false
	c := &cobra.Command{
		Use:               "peek QUEUE",
		Short:             "Look at messages without receiving them",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			in := limited(get("queues", args[0], "messages"), peekPage)
			in.Query.Set("hidden", fmt.Sprint(hidden))
			return list(s, command, in, "messages", messageHeader, limit, messageRow)
		},
	}
	c.Flags().IntVar(&limit, "limit", 20, "most messages to show (0: all)")
	c.Flags().BoolVar(&hidden, "hidden", false, "show messages in flight and delayed ones too")
	return c
}

var receiveSettings = []setting{
	{"limit", "limit", 1, "most messages to receive, up to 100"},
	{"wait", "wait_seconds", span(0), "`TIME` to wait for a first message, up to 30s (default: the queue's)"},
	{"visibility-timeout", "visibility_timeout_seconds", span(30), "`TIME` to hide the messages for (default: the queue's)"},
}

func messageReceive(s *Session) *cobra.Command {
	deleting := false
	c := &cobra.Command{
		Use:   "receive QUEUE",
		Short: "Receive messages, which hides them from others for the visibility timeout",
		Long: `Receives messages. They are hidden from others until their visibility timeout has passed, or are
deleted at once with --delete, when they have been printed. The receipt handle, printed with each, is what
delete, return and hide take.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			var answer struct {
				Messages []json.RawMessage `json:"messages"`
			}
			if err := s.server().Do(command.Context(), post(given(command.Flags(), receiveSettings), "queues", args[0], "messages:receive"), &answer); err != nil {
				return err
			}
			if len(answer.Messages) == 0 && !s.json {
				fmt.Fprintln(command.ErrOrStderr(), "There is no message to receive.")
			}
			handles, err := s.printReceived(command, answer.Messages)
			if err != nil || !deleting || len(handles) == 0 {
				return err
			}
			return s.deleteMessages(command, args[0], handles)
		},
	}
	bindSettings(c.Flags(), receiveSettings)
	c.Flags().BoolVar(&deleting, "delete", false, "delete the messages when they are printed")
	return c
}

// printReceived prints messages and gives their receipt handles.
func (s *Session) printReceived(command *cobra.Command, messages []json.RawMessage) (handles []string, err error) {
	for i, raw := range messages {
		var m message
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, fmt.Errorf("read the server's answer: %w", err)
		}
		handles = append(handles, m.ReceiptHandle)
		if s.json {
			err = s.line(command, raw)
		} else {
			if i > 0 {
				fmt.Fprintln(command.OutOrStdout())
			}
			err = describe(command, m.describe()...)
		}
		if err != nil {
			return nil, err
		}
	}
	return handles, nil
}

func (m *message) describe() []string {
	pairs := []string{"Message", m.ID, "Sent", when(m.SentAt), "Receives", fmt.Sprint(m.ReceiveCount), "Visible", when(m.VisibleAt), "Group", m.GroupID}
	for _, name := range sorted(m.Attributes) {
		pairs = append(pairs, "Attribute "+name, printable(m.Attributes[name].Value))
	}
	return append(pairs, "Receipt handle", m.ReceiptHandle, "Body", m.text())
}

// escaped gives a text without what a terminal would act on.
func escaped(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return utf8.RuneError
		}
		return r
	}, text)
}

// deleteMessages deletes by receipt handles; those that could not be deleted are an error.
func (s *Session) deleteMessages(command *cobra.Command, queue string, handles []string) error {
	return s.handled(command, post(map[string]any{"receipt_handles": handles}, "queues", queue, "messages:delete"))
}

// handled makes a request about receipt handles, each of which may fail.
func (s *Session) handled(command *cobra.Command, in client.Request) error {
	var answer struct {
		Failed []struct {
			ReceiptHandle string `json:"receipt_handle"`
			Detail        string `json:"detail"`
		} `json:"failed"`
	}
	if err := s.server().Do(command.Context(), in, &answer); err != nil {
		return err
	}
	var failed []error
	for _, f := range answer.Failed {
		failed = append(failed, fmt.Errorf("receipt handle %s: %s", f.ReceiptHandle, f.Detail))
	}
	return errors.Join(failed...)
}

// told says to people what was done, unless it went wrong.
func (s *Session) told(command *cobra.Command, err error, done string) error {
	if err != nil || s.json {
		return err
	}
	return say(command, "%s", done)
}

func messageDelete(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "delete QUEUE RECEIPT-HANDLE…",
		Aliases:           []string{"rm"},
		Short:             "Delete received messages",
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			return s.told(command, s.deleteMessages(command, args[0], args[1:]), "Deleted.")
		},
	}
}

func messageReturn(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "return QUEUE RECEIPT-HANDLE…",
		Short:             "Undo a receive: the messages are visible at once, and it does not count",
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			in := post(map[string]any{"receipt_handles": args[1:]}, "queues", args[0], "messages:return")
			return s.told(command, s.handled(command, in), "Returned.")
		},
	}
}

func messageHide(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "hide QUEUE TIME RECEIPT-HANDLE…",
		Short:             "Change for how long received messages are hidden, from now; 0 shows them",
		Example:           "  polymq message hide orders 10m 1.aGFuZGxl",
		Args:              cobra.MinimumNArgs(3),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			var timeout span
			if err := timeout.Set(args[1]); err != nil {
				return client.UsageError(fmt.Errorf("%w\nusage: %s", err, command.UseLine()))
			}
			var changes []any
			for _, handle := range args[2:] {
				changes = append(changes, map[string]any{"receipt_handle": handle, "visibility_timeout_seconds": int(timeout)})
			}
			in := post(map[string]any{"changes": changes}, "queues", args[0], "messages:visibility")
			return s.told(command, s.handled(command, in), "Hidden for "+timeout.String()+".")
		},
	}
}

func messageWait(s *Session) *cobra.Command {
	timeout, match := span(10), ""
	c := &cobra.Command{
		Use:   "wait QUEUE",
		Short: "Wait for a message without receiving it, on a server in test mode",
		Long: `Waits until there is a message whose body, attributes or id contain a text, and prints it. Nothing is
received. The exit code is 3 when none came in time.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			in := get("queues", args[0], "messages:wait")
			in.Query = url.Values{"match": {match}, "timeout": {fmt.Sprint(int(timeout))}}
			_, err := show(s, command, in, func(m message) []string { return m.describe() })
			return err
		},
	}
	c.Flags().Var(&timeout, "timeout", "`TIME` to wait, up to 100s")
	c.Flags().StringVar(&match, "match", "", "`TEXT` to look for (default: any message)")
	return c
}

func messageTrace(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:   "trace ID",
		Short: "Show what happened to a message, from the message log",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return s.listEvents(command, get("messages", args[0], "log"), 0)
		},
	}
}
