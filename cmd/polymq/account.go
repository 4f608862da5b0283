package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func accountCommand(environ []string) *cobra.Command {
	server := &apiClient{}
	command := &cobra.Command{
		Use:   "account",
		Short: "Manage accounts",
	}
	server.flags(command, environ)
	server.jsonFlag(command)
	command.AddCommand(accountLimitsCommand(server))
	return command
}

// limitsRow are limits as the JSON API shows them.
type limitsRow struct {
	Queues   *int64 `json:"queues,omitempty"`
	Topics   *int64 `json:"topics,omitempty"`
	Bytes    *int64 `json:"bytes,omitempty"`
	Requests *int64 `json:"requests,omitempty"`
}

type limitsAnswer struct {
	Own   limitsRow `json:"own"`
	Holds limitsRow `json:"holds"`
	Used  limitsRow `json:"used"`
}

func accountLimitsCommand(server *apiClient) *cobra.Command {
	var set limitsRow
	var reset bool
	c := &cobra.Command{
		Use:   "limits ACCOUNT",
		Short: "Show or set what an account may have",
		Long: `Shows what an account may have, and how much of that it has. Flags set limits for this account alone; the
others stay as they are. A limit of 0 is none; what is not set is as the server has it for all (--limit-queues …).`,
		Example: `  polymq account limits 111122223333
  polymq account limits 111122223333 --queues 100 --bytes 1073741824
  polymq account limits 111122223333 --reset`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			path := "/accounts/" + args[0] + "/limits"
			var answer limitsAnswer
			if err := server.call(command.Context(), http.MethodGet, path, nil, &answer); err != nil {
				return err
			}
			changed := reset
			own := answer.Own
			if reset {
				own = limitsRow{}
			}
			for name, at := range map[string]struct{ from, to **int64 }{
				"queues": {&set.Queues, &own.Queues}, "topics": {&set.Topics, &own.Topics}, "bytes": {&set.Bytes, &own.Bytes}, "requests": {&set.Requests, &own.Requests},
			} {
				if command.Flags().Changed(name) {
					*at.to, changed = *at.from, true
				}
			}
			if changed {
				answer = limitsAnswer{}
				if err := server.call(command.Context(), http.MethodPut, path, own, &answer); err != nil {
					return err
				}
			}
			if server.json {
				return json.NewEncoder(command.OutOrStdout()).Encode(answer)
			}
			return writeLimits(command.OutOrStdout(), answer.Own, answer.Holds, answer.Used)
		},
	}
	set.Queues, set.Topics, set.Bytes, set.Requests = new(int64), new(int64), new(int64), new(int64)
	flags := c.Flags()
	flags.Int64Var(set.Queues, "queues", 0, "queues in all regions")
	flags.Int64Var(set.Topics, "topics", 0, "topics in all regions")
	flags.Int64Var(set.Bytes, "bytes", 0, "bytes of the messages in its queues")
	flags.Int64Var(set.Requests, "requests", 0, "requests a second, of which each server gives out its share")
	flags.BoolVar(&reset, "reset", false, "forget what was set before")
	return c
}

// writeLimits shows limits to people.
func writeLimits(out io.Writer, own, holds, used limitsRow) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WHAT\tUSED\tLIMIT\tSET FOR")
	for _, row := range []struct {
		what             string
		own, holds, used *int64
	}{
		{"queues", own.Queues, holds.Queues, used.Queues}, {"topics", own.Topics, holds.Topics, used.Topics},
		{"bytes", own.Bytes, holds.Bytes, used.Bytes}, {"requests a second", own.Requests, holds.Requests, nil},
	} {
		usedText, limit, whom := "-", "none", "all accounts"
		if row.used != nil {
			usedText = strconv.FormatInt(*row.used, 10)
		}
		if row.holds != nil && *row.holds > 0 {
			limit = strconv.FormatInt(*row.holds, 10)
		}
		if row.own != nil {
			whom = "this account"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", row.what, usedText, limit, whom)
	}
	return table.Flush()
}
