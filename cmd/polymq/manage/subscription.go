package manage

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// subscription is a subscription as the JSON API shows it.
type subscription struct {
	Name        string    `json:"name"`
	Topic       string    `json:"topic"`
	State       string    `json:"state"`
	Format      string    `json:"format"`
	Protocol    string    `json:"protocol"`
	Endpoint    string    `json:"endpoint"`
	Raw         bool      `json:"raw"`
	Filter      string    `json:"filter"`
	FilterScope string    `json:"filter_scope"`
	DeadLetter  string    `json:"dead_letter_queue"`
	Rate        int       `json:"rate"`
	CreatedAt   time.Time `json:"created_at"`
}

var subscriptionSettings = []setting{
	{"raw", "raw", false, "deliver messages as they were published, without an envelope"},
	{"filter", "filter", "", "`POLICY`: of the format sns a filter policy, of mns a tag; empty: every message"},
	{"filter-scope", "filter_scope", "MessageAttributes", "what a filter policy is matched with: MessageAttributes or MessageBody"},
	{"dead-letter-queue", "dead_letter_queue", "", "`QUEUE` for what cannot be delivered; empty: none"},
	{"rate", "rate", 0, "most messages pushed in a second; 0: no limit"},
}

var endpointSettings = []setting{
	{"name", "name", "", "`NAME` of the subscription (default: a UUID)"},
	{"format", "format", "sns", "whose envelope messages get: sns or mns"},
	{"queue", "queue", "", "subscribe this `QUEUE`"},
	{"url", "url", "", "subscribe this HTTP `URL`"},
	{"email", "email", "", "subscribe this `ADDRESS`"},
	{"phone", "phone", "", "subscribe this `NUMBER`"},
}

func subscriptionCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:     "subscription",
		Aliases: []string{"subscriptions", "sub"},
		Short:   "List, show, make, change and delete subscriptions, and see to their deliveries",
		Example: `  polymq subscription create alerts --queue orders --raw
  polymq subscription create alerts --url https://hooks.example/alerts --filter '{"severity": ["high"]}'
  polymq subscription attempts --topic alerts`,
	}
	s := bind(command, environ)
	command.AddCommand(subscriptionList(s), subscriptionShow(s), subscriptionCreate(s), subscriptionEdit(s), subscriptionConfirm(s), subscriptionDelete(s),
		deliveryList(s), deliveryDo(s, "retry", "Push a message now, whatever its schedule says"),
		deliveryDo(s, "dead-letter", "Give a message up: it goes to the dead-letter queue"), attemptList(s), outboxList(s))
	return command
}

func subscriptionList(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "list TOPIC",
		Aliases:           []string{"ls"},
		Short:             "List a topic's subscriptions",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.topicNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			return list(s, command, get("topics", args[0], "subscriptions"), "subscriptions", "NAME\tSTATE\tPROTOCOL\tENDPOINT\tFILTER", 0, func(sub subscription) []string {
				return []string{sub.Name, sub.State, sub.Protocol, printable(sub.Endpoint), printable(sub.Filter)}
			})
		},
	}
}

func subscriptionShow(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "show TOPIC NAME",
		Short:             "Show a subscription",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: s.topicNames(2),
		RunE: func(command *cobra.Command, args []string) error {
			_, err := show(s, command, get("topics", args[0], "subscriptions", args[1]), func(sub subscription) []string {
				rate := ""
				if sub.Rate > 0 {
					rate = fmt.Sprintf("%d messages/s", sub.Rate)
				}
				return []string{
					"Name", sub.Name, "Topic", sub.Topic, "State", sub.State, "Format", sub.Format, "Protocol", sub.Protocol, "Endpoint", sub.Endpoint,
					"Raw", onOff(sub.Raw), "Filter", sub.Filter, "Filter scope", sub.FilterScope, "Dead letters to", sub.DeadLetter, "Rate", rate, "Created", when(sub.CreatedAt),
				}
			})
			return err
		},
	}
}

func subscriptionCreate(s *Session) *cobra.Command {
	c := &cobra.Command{
		Use:               "create TOPIC",
		Short:             "Subscribe a queue, a URL, an address or a number",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.topicNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			fields := given(command.Flags(), append(endpointSettings, subscriptionSettings...))
			sub, err := show(s, command, post(fields, "topics", args[0], "subscriptions"), func(subscription) []string { return nil })
			if err != nil || s.json {
				return err
			}
			return say(command, "Subscription %s of topic %s is there.", sub.Name, args[0])
		},
	}
	bindSettings(c.Flags(), endpointSettings)
	bindSettings(c.Flags(), subscriptionSettings)
	return s.completes(c)
}

func subscriptionEdit(s *Session) *cobra.Command {
	c := &cobra.Command{
		Use:               "edit TOPIC NAME",
		Aliases:           []string{"set"},
		Short:             "Change settings of a subscription; those that are not named stay",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: s.topicNames(2),
		RunE: func(command *cobra.Command, args []string) error {
			fields := given(command.Flags(), subscriptionSettings)
			if len(fields) == 0 {
				return errNothing
			}
			return s.do(command, patch(fields, "topics", args[0], "subscriptions", args[1]), "Subscription "+args[1]+" is changed.")
		},
	}
	bindChanges(c.Flags(), subscriptionSettings)
	return s.completes(c)
}

func subscriptionConfirm(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "confirm TOPIC NAME",
		Short:             "Confirm a subscription in its endpoint's place",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: s.topicNames(2),
		RunE: func(command *cobra.Command, args []string) error {
			return s.do(command, patch(map[string]any{"confirm": true}, "topics", args[0], "subscriptions", args[1]), "Subscription "+args[1]+" is confirmed.")
		},
	}
}

func subscriptionDelete(s *Session) *cobra.Command {
	return s.asks(&cobra.Command{
		Use:               "delete TOPIC NAME",
		Aliases:           []string{"rm"},
		Short:             "Unsubscribe; what is still to be delivered is dropped",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: s.topicNames(2),
		RunE: func(command *cobra.Command, args []string) error {
			if err := s.confirm(command, "Delete subscription %s of topic %s?", args[1], args[0]); err != nil {
				return err
			}
			return s.do(command, remove("topics", args[0], "subscriptions", args[1]), "Subscription "+args[1]+" is deleted.")
		},
	})
}

// delivery is what is still to be pushed, as the JSON API shows it.
type delivery struct {
	Message struct {
		ID          string    `json:"id"`
		Body        string    `json:"body"`
		PublishedAt time.Time `json:"published_at"`
	} `json:"message"`
	Attempts    int       `json:"attempts"`
	NextAttempt time.Time `json:"next_attempt_at"`
}

func deliveryList(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "deliveries TOPIC NAME",
		Short:             "List what is still to be pushed to a subscription",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: s.topicNames(2),
		RunE: func(command *cobra.Command, args []string) error {
			return list(s, command, get("topics", args[0], "subscriptions", args[1], "deliveries"), "deliveries", "MESSAGE\tATTEMPTS\tNEXT\tPUBLISHED\tBODY", 0, func(d delivery) []string {
				return []string{d.Message.ID, fmt.Sprint(d.Attempts), when(d.NextAttempt), when(d.Message.PublishedAt), printable(d.Message.Body)}
			})
		},
	}
}

func deliveryDo(s *Session, what, short string) *cobra.Command {
	return &cobra.Command{
		Use:               what + " TOPIC NAME MESSAGE",
		Short:             short,
		Args:              cobra.ExactArgs(3),
		ValidArgsFunction: s.topicNames(2),
		RunE: func(command *cobra.Command, args []string) error {
			return s.do(command, post(nil, "topics", args[0], "subscriptions", args[1], "deliveries", args[2], what), "Done.")
		},
	}
}

// attempt is an attempt to deliver, as the JSON API shows it.
type attempt struct {
	Message      string    `json:"message"`
	Subscription string    `json:"subscription"`
	Endpoint     string    `json:"endpoint"`
	Number       int       `json:"number"`
	Result       string    `json:"result"`
	Status       int       `json:"status"`
	Reason       string    `json:"reason"`
	Milliseconds float64   `json:"milliseconds"`
	At           time.Time `json:"at"`
}

func (a *attempt) answer() string {
	if a.Status == 0 {
		return a.Reason
	}
	return strings.TrimSpace(fmt.Sprint(a.Status, " ", a.Reason))
}

// maxRecords is how many attempts and kept messages are shown where nothing else is said.
const maxRecords = 100

func attemptList(s *Session) *cobra.Command {
	var limit int
	c, query := recordsCommand("attempts", "List the last attempts to deliver, the newest first", &limit)
	c.RunE = func(command *cobra.Command, _ []string) error {
		in := get("attempts")
		in.Query = query()
		return list(s, command, in, "attempts", "AT\tMESSAGE\tENDPOINT\tATTEMPT\tRESULT\tANSWER\tTOOK", limit, func(a attempt) []string {
			return []string{when(a.At), a.Message, printable(a.Endpoint), fmt.Sprint(a.Number), a.Result, printable(a.answer()), fmt.Sprintf("%.0f ms", a.Milliseconds)}
		})
	}
	return s.completes(c)
}

// kept is a message of the outbox, as the JSON API shows it.
type kept struct {
	Message  string    `json:"message"`
	Protocol string    `json:"protocol"`
	To       string    `json:"to"`
	Subject  string    `json:"subject"`
	Body     string    `json:"body"`
	KeptAt   time.Time `json:"kept_at"`
}

func outboxList(s *Session) *cobra.Command {
	var limit int
	c, query := recordsCommand("outbox", "List what there was nowhere to send to: SMS, mobile pushes, mail without a mail server", &limit)
	c.RunE = func(command *cobra.Command, _ []string) error {
		in := get("outbox")
		in.Query = query()
		return list(s, command, in, "messages", "AT\tPROTOCOL\tTO\tSUBJECT\tBODY", limit, func(k kept) []string {
			return []string{when(k.KeptAt), k.Protocol, printable(k.To), printable(k.Subject), printable(k.Body)}
		})
	}
	return s.completes(c)
}

// recordsCommand makes a command that lists records of deliveries.
func recordsCommand(name, short string, limit *int) (command *cobra.Command, query func() url.Values) {
	var topic, subscription string
	c := &cobra.Command{Use: name, Short: short, Args: cobra.NoArgs}
	c.Flags().StringVar(&topic, "topic", "", "only of this `TOPIC`")
	c.Flags().StringVar(&subscription, "subscription", "", "only of the subscription of this `NAME`")
	c.Flags().IntVar(limit, "limit", maxRecords, "most entries to list (0: all)")
	return c, func() url.Values {
		return url.Values{"topic": {topic}, "subscription": {subscription}}
	}
}
