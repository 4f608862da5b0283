package manage

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/progress"
)

// queue is a queue as the JSON API shows it.
type queue struct {
	Name              string            `json:"name"`
	Account           string            `json:"account"`
	Region            string            `json:"region"`
	FIFO              bool              `json:"fifo"`
	Delay             int               `json:"delay_seconds"`
	VisibilityTimeout int               `json:"visibility_timeout_seconds"`
	Retention         int               `json:"retention_seconds"`
	ReceiveWait       int               `json:"receive_wait_seconds"`
	MaxMessageBytes   int               `json:"max_message_bytes"`
	Logging           bool              `json:"logging"`
	BodyRule          string            `json:"body_rule"`
	Deduplication     string            `json:"deduplication_scope"`
	DeadLetter        *deadLetter       `json:"dead_letter"`
	DeadLetterSources *sources          `json:"dead_letter_sources"`
	Tags              map[string]string `json:"tags"`
	CreatedAt         time.Time         `json:"created_at"`
	ModifiedAt        time.Time         `json:"modified_at"`
	Counts            struct {
		Visible  int64 `json:"visible"`
		InFlight int64 `json:"in_flight"`
		Delayed  int64 `json:"delayed"`
		Bytes    int64 `json:"bytes"`
	} `json:"counts"`
}

type deadLetter struct {
	Queue       string `json:"queue"`
	MaxReceives int    `json:"max_receives,omitempty"`
}

type sources struct {
	Allow  string   `json:"allow"`
	Queues []string `json:"queues,omitempty"`
}

func (q *queue) kind() string {
	if q.FIFO {
		return "FIFO"
	}
	return "standard"
}

func (q *queue) messages() int64 { return q.Counts.Visible + q.Counts.InFlight + q.Counts.Delayed }

// deadLetters says where its dead letters go.
func (q *queue) deadLetters() string {
	if q.DeadLetter == nil {
		return ""
	}
	return fmt.Sprintf("%s after %d receives", q.DeadLetter.Queue, q.DeadLetter.MaxReceives)
}

func (q *queue) takes() string {
	if q.DeadLetterSources == nil {
		return ""
	}
	if len(q.DeadLetterSources.Queues) > 0 {
		return strings.Join(q.DeadLetterSources.Queues, ", ")
	}
	return q.DeadLetterSources.Allow
}

// queueSettings are the flags of create and edit. Those of dead letters are two fields each, see deadLetterFields.
var queueSettings = []setting{
	{"delay", "delay_seconds", span(0), "`TIME` until a message can first be received"},
	{"visibility-timeout", "visibility_timeout_seconds", span(30), "`TIME` for which a receive hides a message"},
	{"retention", "retention_seconds", span(4 * 24 * 60 * 60), "`TIME` after which a message is dropped, such as 12h or 4d"},
	{"receive-wait", "receive_wait_seconds", span(0), "`TIME` that a receive waits for a first message"},
	{"max-bytes", "max_message_bytes", 1 << 20, "most bytes of body and attributes of a message"},
	{"logging", "logging", false, "keep a log of what happens to each message (polymq log, polymq tail)"},
	{"body-rule", "body_rule", "auto", "how bodies are handed out: auto, as-sent, text or base64"},
	{"deduplication-scope", "deduplication_scope", "queue", "of a FIFO queue: queue or group"},
}

// deadLetterFlags are the flags of what is one object in the JSON API.
func deadLetterFlags(flags *pflag.FlagSet) {
	flags.String("dead-letter-queue", "", "`QUEUE` for messages that are received again and again; empty: none")
	flags.Int("max-receives", 10, "receives after which a message goes there")
	flags.String("dead-letter-sources", "any", "`QUEUES` whose dead letters this one takes: any, none, or names with commas")
}

// deadLetterFields puts what the flags say of dead letters into the fields of a queue. What they leave out stays as
// the queue has it, nil where it has none.
func deadLetterFields(flags *pflag.FlagSet, fields map[string]any, has *deadLetter) error {
	policy, queue, receives := deadLetter{}, flags.Lookup("dead-letter-queue"), flags.Lookup("max-receives")
	if has != nil {
		policy = *has
	}
	if queue.Changed {
		policy.Queue = queue.Value.String()
	}
	if receives.Changed || policy.MaxReceives == 0 {
		policy.MaxReceives, _ = flags.GetInt(receives.Name) // the flag is there
	}
	if policy.Queue == "" {
		if receives.Changed {
			return client.Usagef("--max-receives says when messages go to a dead-letter queue: name that too, with --dead-letter-queue")
		}
		policy = deadLetter{}
	}
	if queue.Changed || receives.Changed {
		fields["dead_letter"] = policy
	}
	if takes := flags.Lookup("dead-letter-sources"); takes.Changed {
		rule := sources{Allow: takes.Value.String()}
		if rule.Allow != "any" && rule.Allow != "none" {
			rule = sources{"listed", strings.Split(rule.Allow, ",")}
		}
		fields["dead_letter_sources"] = rule
	}
	return nil
}

func queueCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:     "queue",
		Aliases: []string{"queues"},
		Short:   "List, show, make, change, empty and delete queues",
		Example: `  polymq queue list
  polymq queue create orders --dead-letter-queue orders-dead --max-receives 5
  polymq queue edit orders --retention 14d --tag team=payments
  polymq queue move orders-dead --wait`,
	}
	s := bind(command, environ)
	command.AddCommand(queueList(s), queueShow(s), queueCreate(s), queueEdit(s), queueDelete(s), queuePurge(s),
		queueMove(s), queueMoves(s), queueCancelMove(s), queueSources(s))
	return command
}

const queueHeader = "NAME\tKIND\tVISIBLE\tIN FLIGHT\tDELAYED\tBYTES\tDEAD LETTERS TO"

func queueRow(q queue) []string {
	target := ""
	if q.DeadLetter != nil {
		target = q.DeadLetter.Queue
	}
	return []string{q.Name, q.kind(), fmt.Sprint(q.Counts.Visible), fmt.Sprint(q.Counts.InFlight), fmt.Sprint(q.Counts.Delayed), fmt.Sprint(q.Counts.Bytes), target}
}

func queueList(s *Session) *cobra.Command {
	limit := 0
	c := &cobra.Command{
		Use:               "list [PREFIX]",
		Aliases:           []string{"ls"},
		Short:             "List queues with their counts",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			in := get("queues")
			in.Query = url.Values{"counts": {"true"}, "prefix": {strings.Join(args, "")}}
			return list(s, command, in, "queues", queueHeader, limit, queueRow)
		},
	}
	c.Flags().IntVar(&limit, "limit", 0, "most queues to list (0: all)")
	return c
}

func describeQueue(q queue) []string {
	return []string{
		"Name", q.Name, "Kind", q.kind(), "Account", q.Account, "Region", q.Region,
		"Visible", fmt.Sprint(q.Counts.Visible), "In flight", fmt.Sprint(q.Counts.InFlight), "Delayed", fmt.Sprint(q.Counts.Delayed), "Bytes", fmt.Sprint(q.Counts.Bytes),
		"Delay", seconds(q.Delay), "Visibility timeout", seconds(q.VisibilityTimeout), "Retention", seconds(q.Retention), "Receive wait", seconds(q.ReceiveWait),
		"Max message bytes", fmt.Sprint(q.MaxMessageBytes), "Logging", onOff(q.Logging), "Body rule", q.BodyRule, "Deduplication", q.Deduplication,
		"Dead letters to", q.deadLetters(), "Dead letters from", q.takes(), "Tags", pairsOf(q.Tags), "Created", when(q.CreatedAt), "Modified", when(q.ModifiedAt),
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func queueShow(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME",
		Short:             "Show a queue's settings and counts",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			_, err := show(s, command, get("queues", args[0]), describeQueue)
			return err
		},
	}
}

func queueCreate(s *Session) *cobra.Command {
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a queue; one that exists with these settings is fine",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			flags := command.Flags()
			fields := given(flags, queueSettings)
			if err := deadLetterFields(flags, fields, nil); err != nil {
				return err
			}
			addTags(flags, fields)
			fields["name"] = args[0]
			if fifo, _ := flags.GetBool("fifo"); fifo || strings.HasSuffix(args[0], ".fifo") {
				fields["fifo"] = true
			}
			return s.do(command, post(fields, "queues"), "Queue "+args[0]+" is there.")
		},
	}
	c.Flags().Bool("fifo", false, "messages keep their order within groups; implied by a name that ends in .fifo")
	bindSettings(c.Flags(), queueSettings)
	deadLetterFlags(c.Flags())
	tagFlags(c.Flags(), false)
	return s.completes(c)
}

func queueEdit(s *Session) *cobra.Command {
	c := &cobra.Command{
		Use:               "edit NAME",
		Aliases:           []string{"set"},
		Short:             "Change settings of a queue; those that are not named stay",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			flags := command.Flags()
			fields := given(flags, queueSettings)
			var q queue
			if flags.Changed("dead-letter-queue") != flags.Changed("max-receives") { // the JSON API takes both together
				if err := s.server().Do(command.Context(), get("queues", args[0]), &q); err != nil {
					return err
				}
			}
			if err := deadLetterFields(flags, fields, q.DeadLetter); err != nil {
				return err
			}
			addTags(flags, fields)
			if len(fields) == 0 {
				return errNothing
			}
			return s.do(command, patch(fields, "queues", args[0]), "Queue "+args[0]+" is changed.")
		},
	}
	bindChanges(c.Flags(), queueSettings)
	deadLetterFlags(c.Flags())
	withoutDefaults(c.Flags(), "max-receives", "dead-letter-sources")
	tagFlags(c.Flags(), true)
	return s.completes(c)
}

// errNothing is the error of an edit without a change.
var errNothing = client.Usagef("name what to change, see --help")

func queueDelete(s *Session) *cobra.Command {
	return s.asks(&cobra.Command{
		Use:               "delete NAME…",
		Aliases:           []string{"rm"},
		Short:             "Delete queues with their messages",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: s.queueNames(maxCompletions),
		RunE: func(command *cobra.Command, args []string) error {
			for _, name := range args {
				var q queue
				if err := s.server().Do(command.Context(), get("queues", name), &q); err != nil {
					return err
				}
				if err := s.confirm(command, "Delete queue %s with %s?", name, messages(q.messages())); err != nil {
					return err
				}
				if err := s.do(command, remove("queues", name), "Queue "+name+" is deleted."); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

func queuePurge(s *Session) *cobra.Command {
	return s.asks(&cobra.Command{
		Use:               "purge NAME",
		Short:             "Remove all messages of a queue",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			if err := s.confirm(command, "Remove all messages of queue %s?", args[0]); err != nil {
				return err
			}
			return s.do(command, post(nil, "queues", args[0], "messages:purge"), "Queue "+args[0]+" is empty.")
		},
	})
}

func queueSources(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "sources NAME",
		Short:             "List the queues whose dead letters come to a queue",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			return list(s, command, get("queues", args[0], "sources"), "queues", "NAME\tDEAD LETTERS TO", 0, func(q queue) []string {
				return []string{q.Name, q.deadLetters()}
			})
		},
	}
}

// move is a task that moves messages, as the JSON API shows it.
type move struct {
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Destination string    `json:"destination,omitempty"`
	Status      string    `json:"status"`
	Failure     string    `json:"failure,omitempty"`
	Moved       int64     `json:"moved"`
	ToMove      int64     `json:"to_move"`
	StartedAt   time.Time `json:"started_at"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
}

func (m *move) running() bool { return m.Status == "RUNNING" || m.Status == "CANCELLING" }

func (m *move) String() string {
	where := "back to where each came from"
	if m.Destination != "" {
		where = "to " + m.Destination
	}
	return fmt.Sprintf("%s: %d of %d messages moved %s", m.Source, m.Moved, m.ToMove, where)
}

func queueMove(s *Session) *cobra.Command {
	rate, wait := 0, false
	c := &cobra.Command{
		Use:     "move SOURCE [DESTINATION]",
		Aliases: []string{"redrive"},
		Short:   "Move the messages of a dead-letter queue, back to where they came from or elsewhere",
		Long: `Starts to move what is in a dead-letter queue: to DESTINATION, or without one each message back
to the queue that it came from. The server goes on by itself; --wait watches it to the end.`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: s.queueNames(2),
		RunE: func(command *cobra.Command, args []string) error {
			fields := map[string]any{}
			if len(args) == 2 {
				fields["destination"] = args[1]
			}
			if rate > 0 {
				fields["rate"] = rate
			}
			var task move
			if err := s.server().Do(command.Context(), post(fields, "queues", args[0], "moves"), &task); err != nil {
				return err
			}
			if wait {
				if err := s.watchMove(command, &task); err != nil {
					return err
				}
			}
			return s.printMove(command, &task)
		},
	}
	c.Flags().IntVar(&rate, "rate", 0, "messages a second (default: as fast as others do not suffer)")
	c.Flags().BoolVar(&wait, "wait", false, "until all are moved; Ctrl-C leaves the task running")
	return c
}

func (s *Session) printMove(command *cobra.Command, task *move) error {
	if s.json {
		raw, err := json.Marshal(task)
		if err != nil {
			return err
		}
		return s.line(command, raw)
	}
	return say(command, "%v, %s, task %s", task, strings.ToLower(task.Status), task.ID)
}

// moveEvery is how often a task is looked at.
const moveEvery = 250 * time.Millisecond

// watchMove waits for the end of a task. One that fails is an error.
func (s *Session) watchMove(command *cobra.Command, task *move) error {
	shown := make(chan string, 1)
	shown <- task.String()
	stop := progress.New(command.ErrOrStderr()).During(func() string {
		line := <-shown
		shown <- line
		return line
	})
	defer stop()
	for task.running() {
		select {
		case <-time.After(moveEvery):
		case <-command.Context().Done():
			return fmt.Errorf("the task %s goes on: %w", task.ID, command.Context().Err())
		}
		in := get("queues", task.Source, "moves")
		for raw, err := range s.server().List(command.Context(), limited(in, maxMoves), "moves") {
			if err != nil {
				return err
			}
			var found move
			if err := json.Unmarshal(raw, &found); err != nil {
				return fmt.Errorf("read the server's list of moves: %w", err)
			}
			if found.ID == task.ID {
				*task = found
			}
		}
		<-shown
		shown <- task.String()
	}
	if task.Status == "FAILED" {
		return fmt.Errorf("%v, then it failed: %s", task, task.Failure)
	}
	return nil
}

// maxMoves is the longest page of moves.
const maxMoves = 10

// limited gives a list's request with pages of at most n entries.
func limited(in client.Request, n int) client.Request {
	if in.Query == nil {
		in.Query = url.Values{}
	}
	in.Query.Set("limit", fmt.Sprint(n))
	return in
}

func queueMoves(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "moves SOURCE",
		Short:             "List the last tasks that moved messages of a queue",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			return list(s, command, limited(get("queues", args[0], "moves"), maxMoves), "moves", "TASK\tSTATUS\tMOVED\tOF\tTO\tSTARTED\tENDED", 0, func(m move) []string {
				return []string{m.ID, m.Status, fmt.Sprint(m.Moved), fmt.Sprint(m.ToMove), m.Destination, when(m.StartedAt), when(m.EndedAt)}
			})
		},
	}
}

func queueCancelMove(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "cancel-move SOURCE TASK",
		Short:             "End a task that moves messages; what it moved stays moved",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: s.queueNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			return s.do(command, remove("queues", args[0], "moves", args[1]), "Task "+args[1]+" is ended.")
		},
	}
}
