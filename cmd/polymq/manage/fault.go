package manage

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// fault is a fault rule as the JSON API shows it.
type fault struct {
	Name        string    `json:"name"`
	Effect      string    `json:"effect"`
	Queue       string    `json:"queue"`
	Operations  []string  `json:"operations"`
	Protocol    string    `json:"protocol"`
	Code        string    `json:"code"`
	After       bool      `json:"after"`
	MinSeconds  float64   `json:"min_seconds"`
	MaxSeconds  float64   `json:"max_seconds"`
	Probability float64   `json:"probability"`
	Count       int64     `json:"count"`
	Seed        uint64    `json:"seed"`
	Hits        int64     `json:"hits"`
	Until       time.Time `json:"until"`
}

// what says what the rule does.
func (f *fault) what() string {
	switch {
	case f.Effect == "error" && f.After:
		return "error " + f.Code + " after it is done"
	case f.Effect == "error":
		return "error " + f.Code
	case f.MaxSeconds > 0:
		return fmt.Sprintf("%s %g-%gs", f.Effect, f.MinSeconds, f.MaxSeconds)
	}
	return f.Effect
}

// to says which calls it is for.
func (f *fault) to() string {
	text := "all"
	if len(f.Operations) > 0 {
		text = strings.Join(f.Operations, ",")
	}
	if f.Queue != "" {
		text += " of " + f.Queue
	}
	if f.Protocol != "" {
		text += " by " + f.Protocol
	}
	return text
}

// hits says how many calls it has hit, of how many.
func (f *fault) hits() string {
	if f.Count > 0 {
		return fmt.Sprintf("%d of %d", f.Hits, f.Count)
	}
	return fmt.Sprint(f.Hits)
}

func faultCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:     "fault",
		Aliases: []string{"faults"},
		Short:   "Make operations go wrong, to test those who depend on them (test mode)",
		Long: `Fault rules make calls of an account fail, come late, or deliver messages twice or in another order, on a
server in test mode. All servers of a database go by them within a second, each protocol answers with its
own form of the error, and resetting the account ends them.`,
		Example: `  polymq fault create throttled --effect error --code Throttled --queue 'orders*' --operations send --probability 0.3 --seed 7
  polymq fault create lost-answer --effect error --after --operations send --count 1
  polymq fault create slow --effect latency --min 0.2 --max 2 --for 5m
  polymq fault create twice --effect duplicate --operations delete
  polymq fault clear`,
	}
	s := bind(command, environ)
	command.AddCommand(faultList(s), faultCreate(s), faultDelete(s), faultClear(s))
	return command
}

func faultList(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List fault rules and how often they have hit",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return list(s, command, get("faults"), "faults", "NAME\tWHAT\tTO\tPROBABILITY\tSEED\tHITS\tUNTIL", 0, func(f fault) []string {
				return []string{f.Name, f.what(), f.to(), fmt.Sprint(f.Probability), fmt.Sprint(f.Seed), f.hits(), when(f.Until)}
			})
		},
	}
}

func faultCreate(s *Session) *cobra.Command {
	fields := map[string]any{}
	var shortest, longest, probability float64
	var operations []string
	var length span
	var count, seed int
	c := &cobra.Command{
		Use:   "create NAME --effect EFFECT",
		Short: "Make a fault rule, or replace the one of that name",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			for name, value := range given(command.Flags(), faultSettings) {
				fields[name] = value
			}
			for flag, field := range map[string]struct {
				name  string
				value any
			}{
				"min": {"min_seconds", shortest}, "max": {"max_seconds", longest}, "probability": {"probability", probability},
				"operations": {"operations", operations}, "for": {"seconds", int(length)}, "count": {"count", count}, "seed": {"seed", seed},
			} {
				if command.Flags().Changed(flag) {
					fields[field.name] = field.value
				}
			}
			fields["name"] = args[0]
			return s.do(command, post(fields, "faults"), "Fault rule "+args[0]+" is there.")
		},
	}
	flags := c.Flags()
	bindSettings(flags, faultSettings)
	flags.StringSliceVar(&operations, "operations", nil, "send, receive, delete, visibility, publish (default: all)")
	flags.Float64Var(&shortest, "min", 0, "`SECONDS` that a call comes late, at least")
	flags.Float64Var(&longest, "max", 0, "`SECONDS` that a call comes late, or a message may be behind, at most")
	flags.Float64Var(&probability, "probability", 1, "of a call to be hit")
	flags.IntVar(&count, "count", 0, "calls that are hit; 0: any number")
	flags.Var(&length, "for", "`TIME` for which the rule holds, such as 5m (default: until it is deleted)")
	flags.Lookup("for").DefValue = "" // the usage has said it
	flags.IntVar(&seed, "seed", 0, "of the random numbers: the same calls are hit alike (default: a random one, see list)")
	_ = c.MarkFlagRequired("effect") // the flag is there
	return c
}

var faultSettings = []setting{
	{"effect", "effect", "", "error, latency, duplicate or reorder"},
	{"queue", "queue", "", "`PATTERN` of the names of queues, or topics; * and ? stand for others (default: all)"},
	{"protocol", "protocol", "", "only calls by sqs, sns, mns or api"},
	{"code", "code", "Unavailable", "of an error, such as Throttled, Internal, AccessDenied or QueueNotFound"},
	{"after", "after", false, "the error comes when the operation is done, as if its answer was lost"},
}

func faultDelete(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:     "delete NAME",
		Aliases: []string{"rm"},
		Short:   "End a fault rule",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return s.do(command, remove("faults", args[0]), "Fault rule "+args[0]+" is ended.")
		},
	}
}

func faultClear(s *Session) *cobra.Command {
	return &cobra.Command{
		Use:   "clear",
		Short: "End all fault rules of the account",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			var names []string
			for raw, err := range s.server().List(command.Context(), get("faults"), "faults") {
				var f fault
				if err != nil {
					return err
				}
				if err := json.Unmarshal(raw, &f); err != nil {
					return fmt.Errorf("read the server's list: %w", err)
				}
				names = append(names, f.Name)
			}
			for _, name := range names {
				if err := s.do(command, remove("faults", name), "Fault rule "+name+" is ended."); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
