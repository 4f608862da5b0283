package manage

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// topic is a topic as the JSON API shows it.
type topic struct {
	Name            string            `json:"name"`
	Account         string            `json:"account"`
	Region          string            `json:"region"`
	FIFO            bool              `json:"fifo"`
	MaxMessageBytes int               `json:"max_message_bytes"`
	Retention       int               `json:"retention_seconds"`
	Logging         bool              `json:"logging"`
	Tags            map[string]string `json:"tags"`
	CreatedAt       time.Time         `json:"created_at"`
	ModifiedAt      time.Time         `json:"modified_at"`
	Counts          struct {
		Confirmed   int64 `json:"confirmed"`
		Pending     int64 `json:"pending"`
		Outstanding int64 `json:"outstanding"`
	} `json:"counts"`
}

func (t *topic) kind() string {
	if t.FIFO {
		return "FIFO"
	}
	return "standard"
}

var topicSettings = []setting{
	{"max-bytes", "max_message_bytes", 256 << 10, "most bytes of body and attributes of a message"},
	{"retention", "retention_seconds", span(0), "`TIME` after which what could not be delivered is given up (default: 23d)"},
	{"logging", "logging", false, "keep a log of what is published, whom it goes to and each push (polymq log --topic)"},
}

func topicCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:     "topic",
		Aliases: []string{"topics"},
		Short:   "List, show, make, change and delete topics, and publish to them",
		Example: `  polymq topic create alerts
  polymq subscription create alerts --queue orders
  polymq topic publish alerts 'disk full' --subject web-1 --attribute severity=high`,
	}
	s := bind(command, environ)
	command.AddCommand(topicList(s), topicShow(s), topicCreate(s), topicEdit(s), topicDelete(s), topicPublish(s))
	return command
}

func topicList(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "list [PREFIX]",
		Aliases:           []string{"ls"},
		Short:             "List topics",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: s.topicNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			in := get("topics")
			in.Query = url.Values{"prefix": {strings.Join(args, "")}}
			return list(s, command, in, "topics", "NAME\tKIND\tMAX BYTES\tTAGS\tCREATED", 0, func(t topic) []string {
				return []string{t.Name, t.kind(), fmt.Sprint(t.MaxMessageBytes), printable(pairsOf(t.Tags)), when(t.CreatedAt)}
			})
		},
	}
}

func topicShow(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME",
		Short:             "Show a topic's settings and counts",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.topicNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			_, err := show(s, command, get("topics", args[0]), func(t topic) []string {
				return []string{
					"Name", t.Name, "Kind", t.kind(), "Account", t.Account, "Region", t.Region,
					"Subscriptions", fmt.Sprint(t.Counts.Confirmed), "To be confirmed", fmt.Sprint(t.Counts.Pending), "Messages to deliver", fmt.Sprint(t.Counts.Outstanding),
					"Max message bytes", fmt.Sprint(t.MaxMessageBytes), "Retention", unlessZero(t.Retention), "Logging", onOff(t.Logging), "Tags", pairsOf(t.Tags), "Created", when(t.CreatedAt), "Modified", when(t.ModifiedAt),
				}
			})
			return err
		},
	}
}

func unlessZero(n int) string {
	if n == 0 {
		return ""
	}
	return seconds(n)
}

func topicCreate(s *Session) *cobra.Command {
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a topic; one that exists with these settings is fine",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			fields := given(command.Flags(), topicSettings)
			addTags(command.Flags(), fields)
			fields["name"] = args[0]
			if fifo, _ := command.Flags().GetBool("fifo"); fifo || strings.HasSuffix(args[0], ".fifo") {
				fields["fifo"] = true
			}
			return s.do(command, post(fields, "topics"), "Topic "+args[0]+" is there.")
		},
	}
	c.Flags().Bool("fifo", false, "keeps the order within groups; implied by a name that ends in .fifo")
	bindSettings(c.Flags(), topicSettings)
	tagFlags(c.Flags(), false)
	return c
}

func topicEdit(s *Session) *cobra.Command {
	c := &cobra.Command{
		Use:               "edit NAME",
		Aliases:           []string{"set"},
		Short:             "Change settings of a topic; those that are not named stay",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.topicNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			fields := given(command.Flags(), topicSettings)
			if addTags(command.Flags(), fields); len(fields) == 0 {
				return errNothing
			}
			return s.do(command, patch(fields, "topics", args[0]), "Topic "+args[0]+" is changed.")
		},
	}
	bindChanges(c.Flags(), topicSettings)
	tagFlags(c.Flags(), true)
	return c
}

func topicDelete(s *Session) *cobra.Command {
	return s.asks(&cobra.Command{
		Use:               "delete NAME…",
		Aliases:           []string{"rm"},
		Short:             "Delete topics; what is still to be delivered is dropped",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: s.topicNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			for _, name := range args {
				var t topic
				if err := s.server().Do(command.Context(), get("topics", name), &t); err != nil {
					return err
				}
				if err := s.confirm(command, "Delete topic %s with %d subscriptions?", name, t.Counts.Confirmed+t.Counts.Pending); err != nil {
					return err
				}
				if err := s.do(command, remove("topics", name), "Topic "+name+" is deleted."); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

// publicationSettings are the flags of a published message.
var publicationSettings = []setting{
	{"subject", "subject", "", "`TEXT` of the subject"},
	{"tag", "tag", "", "`TAG` for MNS subscriptions with a filter tag"},
	{"group", "group_id", "", "`GROUP` of the message; FIFO topics need it"},
	{"deduplication-id", "deduplication_id", "", "`ID` that makes the message new; FIFO topics only"},
}

func topicPublish(s *Session) *cobra.Command {
	c := &cobra.Command{
		Use:   "publish TOPIC [BODY]",
		Short: "Publish a message, given or read from the standard input",
		Example: `  polymq topic publish alerts 'disk full' --subject web-1
  jq -c .event report.json | polymq topic publish events --attribute kind=report`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: s.topicNames(1),
		RunE: func(command *cobra.Command, args []string) error {
			fields := given(command.Flags(), publicationSettings)
			if err := addMessage(command, args[1:], fields); err != nil {
				return err
			}
			return s.sent(command, post(map[string]any{"messages": []any{fields}}, "topics", args[0], "messages"))
		},
	}
	bindSettings(c.Flags(), publicationSettings)
	attributeFlag(c.Flags())
	return c
}
