package manage

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/polymq/polymq/cmd/polymq/client"
)

// alert is an alert as the JSON API shows it.
type alert struct {
	Name          string             `json:"name"`
	Description   string             `json:"description"`
	Metric        string             `json:"metric"`
	Queue         string             `json:"queue"`
	Labels        map[string]string  `json:"labels"`
	By            string             `json:"by"`
	Comparison    string             `json:"comparison"`
	Threshold     float64            `json:"threshold"`
	ForSeconds    float64            `json:"for_seconds"`
	RepeatSeconds float64            `json:"repeat_seconds"`
	Missing       string             `json:"missing"`
	Disabled      bool               `json:"disabled"`
	To            []alertDestination `json:"to"`
	State         string             `json:"state"`
	Series        map[string]int     `json:"series"`
	Failure       string             `json:"failure"`
	FailedAt      time.Time          `json:"failed_at"`
}

type alertDestination struct {
	Type   string `json:"type"`
	Target string `json:"target"`
	Secret string `json:"secret,omitempty"`
}

// condition says when the alert fires.
func (a *alert) condition() string {
	text := a.Metric
	if a.Queue != "" {
		text += " of " + a.Queue
	}
	for _, name := range sortedKeys(a.Labels) {
		text += " " + name + "=" + a.Labels[name]
	}
	if a.By != "" {
		text += " by " + a.By
	}
	text += " " + a.Comparison + " " + strconv.FormatFloat(a.Threshold, 'f', -1, 64)
	if a.ForSeconds > 0 {
		text += " for " + seconds(int(a.ForSeconds))
	}
	return text
}

// state says how the alert is.
func (a *alert) state() string {
	switch {
	case a.Disabled:
		return "disabled"
	case a.State == "":
		return "-"
	}
	return a.State
}

// series says how many series are in which state, the worst in front.
func (a *alert) series() string {
	var parts []string
	for _, state := range []string{"firing", "no_data", "pending", "ok"} {
		if n := a.Series[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	return strings.Join(parts, ", ")
}

func (a *alert) destinations() string {
	var texts []string
	for _, to := range a.To {
		texts = append(texts, to.Type+"="+to.Target)
	}
	return strings.Join(texts, ", ")
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func alertCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:     "alert",
		Aliases: []string{"alerts"},
		Short:   "Watch queues and servers, and have somebody told when something is wrong",
		Long: `Alerts watch a metric: of each queue that a pattern matches (depth, visible, in_flight, delayed, bytes,
oldest_message_age, dead_letter_depth, queue_sent_rate, queue_received_rate, queue_deleted_rate,
queue_empty_receive_rate), of all servers together (sent_rate, received_rate, deleted_rate,
published_rate, empty_receive_rate, delivery_failure_rate, request_rate, error_rate, latency_p99, commit_p99,
pool_busy, pool_wait_rate, database_lag, database_sessions, database_oldest_transaction), or any name that
/metrics shows. When a state changes, they tell topics, queues, mail, webhooks, and the robots of Slack,
DingTalk, Feishu and WeCom.`,
		Example: `  polymq alert create late --metric oldest_message_age --queue 'orders*' --above 300 --for 2m --to slack=https://hooks.slack.com/services/…
  polymq alert create dead --metric dead_letter_depth --above 0 --to email=ops@example.com --repeat 1d
  polymq alert create errors --metric error_rate --above 5 --for 5m --to dingtalk=https://oapi.dingtalk.com/robot/send?access_token=… --secret SEC…
  polymq alert test late`,
	}
	s := bind(command, environ)
	command.AddCommand(alertList(s), alertShow(s), alertCreate(s), alertAlter(s), alertDelete(s), alertTest(s))
	return command
}

// alertNames completes names of alerts.
func alertNames(s *Session) completion {
	return s.names(1, func([]string) []string { return []string{"alerts"} }, "alerts")
}

func alertList(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List alerts and how they are",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return list(s, command, get("alerts"), "alerts", "NAME\tSTATE\tCONDITION\tSERIES\tTO", 0, func(a alert) []string {
				return []string{a.Name, a.state(), a.condition(), a.series(), a.destinations()}
			})
		},
	}
}

// alertSeries is the state of a series as the JSON API shows it.
type alertSeries struct {
	Name  string    `json:"name"`
	State string    `json:"state"`
	Since time.Time `json:"since"`
	Value *float64  `json:"value"`
}

func alertShow(s *Session) *cobra.Command {
	state := ""
	c := &cobra.Command{
		Use:               "show NAME",
		Short:             "Show an alert and the states of what it watches",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: alertNames(s),
		RunE: func(command *cobra.Command, args []string) error {
			_, err := show(s, command, get("alerts", args[0]), func(a alert) []string {
				failure := a.Failure
				if failure != "" {
					failure += " (" + when(a.FailedAt) + ")"
				}
				repeat := "never"
				if a.RepeatSeconds > 0 {
					repeat = "every " + seconds(int(a.RepeatSeconds))
				}
				return []string{
					"Name", a.Name, "Description", a.Description, "State", a.state(), "Condition", a.condition(), "Missing data", a.Missing,
					"Repeated", repeat, "To", a.destinations(), "Last failure", failure,
				}
			})
			if err != nil {
				return err
			}
			in := get("alerts", args[0], "series")
			in.Query = map[string][]string{}
			if state != "" {
				in.Query.Set("state", state)
			}
			return list(s, command, in, "series", "SERIES\tSTATE\tSINCE\tVALUE", 0, func(series alertSeries) []string {
				name, value := series.Name, "-"
				if name == "" {
					name = "-"
				}
				if series.Value != nil {
					value = strconv.FormatFloat(math.Round(*series.Value*1e4)/1e4, 'f', -1, 64)
				}
				return []string{name, series.State, when(series.Since), value}
			})
		},
	}
	c.Flags().StringVar(&state, "state", "", "only series that are ok, pending, firing or no_data")
	return c
}

var alertSettings = []setting{
	{"description", "description", "", "for people; part of notifications"},
	{"metric", "metric", "", "what is watched, see polymq alert --help"},
	{"queue", "queue", "", "`PATTERN` of the names of queues; * and ? stand for others (default: all)"},
	{"by", "by", "", "`LABEL` of a name of /metrics, whose values are apart"},
	{"for", "for_seconds", span(0), "`TIME` that it must be wrong before the alert fires, such as 5m"},
	{"repeat", "repeat_seconds", span(0), "`TIME` after which somebody is told again while it goes on, such as 1h; 0: never"},
	{"missing", "missing", "no_data", "what missing data is taken for: no_data, ok, firing or keep"},
	{"disabled", "disabled", false, "it is not evaluated"},
}

// alertConditions are the flags that give the comparison and the threshold at once.
var alertConditions = map[string]string{"above": ">", "below": "<", "at-least": ">=", "at-most": "<=", "equal": "==", "not-equal": "!="}

// alertFlags adds the flags of an alert's settings.
func alertFlags(flags *pflag.FlagSet) {
	bindSettings(flags, alertSettings)
	flags.Float64("above", 0, "it is wrong when it is above `VALUE`")
	flags.Float64("below", 0, "it is wrong when it is below `VALUE`")
	flags.Float64("at-least", 0, "it is wrong when it is `VALUE` or more")
	flags.Float64("at-most", 0, "it is wrong when it is `VALUE` or less")
	flags.Float64("equal", 0, "it is wrong when it is `VALUE`")
	flags.Float64("not-equal", 0, "it is wrong when it is not `VALUE`")
	flags.StringToString("label", nil, "`NAME=VALUE` of a label, of a name of /metrics: only series with it")
	flags.Lookup("label").DefValue = "" // instead of []
	flags.StringArray("to", nil, "`TYPE=TARGET` of who is told, may be repeated: topic, queue, email, webhook, slack, dingtalk, feishu or wecom")
	flags.String("secret", "", "that webhooks and robots of DingTalk and Feishu are signed with")
}

// alertFields gives the fields that the flags name.
func alertFields(flags *pflag.FlagSet) (map[string]any, error) {
	fields := given(flags, alertSettings)
	for flag, comparison := range alertConditions {
		if !flags.Changed(flag) {
			continue
		}
		if fields["comparison"] != nil {
			return nil, client.Usagef("only one of --above, --below, --at-least, --at-most, --equal and --not-equal can be given")
		}
		fields["comparison"] = comparison
		fields["threshold"], _ = flags.GetFloat64(flag) // it is one
	}
	if flags.Changed("label") {
		fields["labels"], _ = flags.GetStringToString("label") // likewise
	}
	targets, _ := flags.GetStringArray("to")
	secret, _ := flags.GetString("secret")
	to := []alertDestination{}
	for _, text := range targets {
		d := alertDestination{}
		var ok bool
		if d.Type, d.Target, ok = strings.Cut(text, "="); !ok {
			return nil, client.Usagef("--to %s: it must be TYPE=TARGET, such as email=ops@example.com", text)
		}
		if d.Type == "webhook" || d.Type == "dingtalk" || d.Type == "feishu" {
			d.Secret = secret
		}
		to = append(to, d)
	}
	if flags.Changed("to") {
		fields["to"] = to
	}
	if secret != "" && !slices.ContainsFunc(to, func(d alertDestination) bool { return d.Secret != "" }) {
		return nil, client.Usagef("--secret signs what goes to a webhook, DingTalk or Feishu: name that too, with --to")
	}
	return fields, nil
}

func alertCreate(s *Session) *cobra.Command {
	c := &cobra.Command{
		Use:   "create NAME --metric METRIC --above VALUE --to TYPE=TARGET",
		Short: "Make an alert",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			fields, err := alertFields(command.Flags())
			if err != nil {
				return err
			}
			if fields["threshold"] == nil {
				return client.Usagef("what is wrong must be given, such as --above 100")
			}
			fields["name"] = args[0]
			return s.do(command, post(fields, "alerts"), "Alert "+args[0]+" is there.")
		},
	}
	alertFlags(c.Flags())
	_ = c.MarkFlagRequired("metric") // the flag is there
	return c
}

func alertAlter(s *Session) *cobra.Command {
	c := &cobra.Command{
		Use:               "set NAME",
		Short:             "Change an alert; what is not given stays",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: alertNames(s),
		RunE: func(command *cobra.Command, args []string) error {
			fields, err := alertFields(command.Flags())
			if err != nil {
				return err
			}
			if len(fields) == 0 {
				return errNothing
			}
			return s.do(command, patch(fields, "alerts", args[0]), "Alert "+args[0]+" is changed.")
		},
	}
	alertFlags(c.Flags())
	return c
}

func alertDelete(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "delete NAME",
		Aliases:           []string{"rm"},
		Short:             "Delete an alert",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: alertNames(s),
		RunE: func(command *cobra.Command, args []string) error {
			return s.do(command, remove("alerts", args[0]), "Alert "+args[0]+" is deleted.")
		},
	}
}

func alertTest(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:               "test NAME",
		Short:             "Send a notification to each destination of an alert, and see whether they take it",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: alertNames(s),
		RunE: func(command *cobra.Command, args []string) error {
			var raw json.RawMessage
			if err := s.server().Do(command.Context(), post(nil, "alerts", args[0], "test"), &raw); err != nil {
				return err
			}
			var answer struct {
				Destinations []struct {
					alertDestination
					Sent   bool   `json:"sent"`
					Reason string `json:"reason"`
				} `json:"destinations"`
			}
			if err := json.Unmarshal(raw, &answer); err != nil {
				return fmt.Errorf("read the server's answer: %w", err)
			}
			if s.json {
				if err := s.line(command, raw); err != nil {
					return err
				}
			}
			failed := 0
			for _, d := range answer.Destinations {
				result := "it was taken"
				if !d.Sent {
					failed++
					result = d.Reason
				}
				if !s.json {
					_ = say(command, "%s=%s: %s", d.Type, Cell(d.Target), Cell(result)) // what is wrong with the output shows below
				}
			}
			if failed > 0 {
				return fmt.Errorf("%d of %d destinations did not take the notification", failed, len(answer.Destinations))
			}
			if len(answer.Destinations) == 0 && !s.json {
				return say(command, "Alert %s has no destinations.", args[0])
			}
			return nil
		},
	}
}
