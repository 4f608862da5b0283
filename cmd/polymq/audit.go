package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/manage"
)

// auditQuery is what of the audit log is asked for.
type auditQuery struct {
	since, until, user, action, resource, account, format string
	failed, changes, json                                 bool
	limit                                                 int
}

func auditCommand(environ []string) *cobra.Command {
	server := &apiClient{}
	var q auditQuery
	command := &cobra.Command{
		Use:   "audit",
		Short: "Show who managed what, and who was refused",
		Long: `Shows the audit log of a running server, the newest first: every call that manages queues, topics,
subscriptions, keys and the like, and every call that was refused for who made it. With --json each
event is a line in the form of AWS CloudTrail, or with --format actiontrail of Alibaba ActionTrail.`,
		Example: `  polymq audit --since 1h --failed
  polymq audit --resource orders --changes
  polymq audit --since 2026-11-01T00:00:00Z --json --limit 0 > audit.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if q.json {
				return q.each(command.Context(), server, func(event json.RawMessage) error {
					_, err := fmt.Fprintf(command.OutOrStdout(), "%s\n", event)
					return err
				})
			}
			return q.table(command.Context(), server, command.OutOrStdout())
		},
	}
	server.flags(command, environ)
	flags := command.Flags()
	flags.StringVar(&q.since, "since", "", "only from this `TIME` on: 2026-01-31T12:00:00Z, or 1h for that long ago")
	flags.StringVar(&q.until, "until", "", "only before this `TIME`, likewise")
	flags.StringVar(&q.user, "user", "", "only what this `USER` did: a name, an access key id or an ARN")
	flags.StringVar(&q.action, "action", "", "only this `ACTION`, CreateQueue")
	flags.StringVar(&q.resource, "resource", "", "only what this `RESOURCE` was called with: a name or an ARN")
	flags.StringVar(&q.account, "account", variable(environ, "POLYMQ_ACCOUNT"), "only calls in this `ACCOUNT` (default: POLYMQ_ACCOUNT, else all)")
	flags.BoolVar(&q.failed, "failed", false, "only what went wrong")
	flags.BoolVar(&q.changes, "changes", false, "only what was to change something")
	flags.StringVar(&q.format, "format", "cloudtrail", "form of events in JSON: cloudtrail or actiontrail")
	flags.BoolVar(&q.json, "json", false, "print each event as a line of JSON (default: where the output is no terminal)")
	flags.IntVar(&q.limit, "limit", 100, "most events to show, 0: all")
	return command
}

// each gives the events, page by page.
func (q auditQuery) each(ctx context.Context, server *apiClient, show func(json.RawMessage) error) error {
	query, err := q.values()
	if err != nil {
		return err
	}
	const page = 1000
	for left := q.limit; ; {
		size := page
		if q.limit > 0 {
			size = min(left, page)
		}
		query.Set("limit", strconv.Itoa(size))
		var answer struct {
			Events     []json.RawMessage `json:"events"`
			NextCursor string            `json:"next_cursor"`
		}
		if err := server.call(ctx, http.MethodGet, "/audit?"+query.Encode(), nil, &answer); err != nil {
			return err
		}
		for _, event := range answer.Events {
			if err := show(event); err != nil {
				return err
			}
		}
		left -= len(answer.Events)
		if answer.NextCursor == "" || q.limit > 0 && left <= 0 {
			return nil
		}
		query.Set("cursor", answer.NextCursor)
	}
}

// values gives the parameters of the request.
func (q auditQuery) values() (url.Values, error) {
	values := url.Values{"failed": {strconv.FormatBool(q.failed)}, "changes": {strconv.FormatBool(q.changes)}, "format": {q.format}}
	for name, value := range map[string]string{"user": q.user, "action": q.action, "resource": q.resource, "account": q.account} {
		if value != "" {
			values.Set(name, value)
		}
	}
	for name, text := range map[string]string{"from": q.since, "to": q.until} {
		if text == "" {
			continue
		}
		at, err := manage.ParseTime(text)
		if err != nil {
			return nil, err
		}
		values.Set(name, at.UTC().Format(time.RFC3339Nano))
	}
	return values, nil
}

// table shows events to people.
func (q auditQuery) table(ctx context.Context, server *apiClient, out io.Writer) error {
	q.format = "cloudtrail"
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TIME\tWHO\tFROM\tSERVICE\tACTION\tRESOURCE\tRESULT")
	err := q.each(ctx, server, func(text json.RawMessage) error {
		var e struct {
			EventTime       time.Time
			EventSource     string
			EventName       string
			SourceIPAddress string
			ErrorCode       string
			UserIdentity    struct{ Type, UserName, AccessKeyID, AccountID string }
			Resources       []struct{ ARN string }
		}
		if err := json.Unmarshal(text, &e); err != nil {
			return fmt.Errorf("read an event: %w", err)
		}
		resource := "-"
		if len(e.Resources) > 0 {
			resource = e.Resources[0].ARN
		}
		service, _, _ := strings.Cut(e.EventSource, ".")
		who := cmp.Or(e.UserIdentity.UserName, e.UserIdentity.AccessKeyID, e.UserIdentity.Type)
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.EventTime.Format(time.RFC3339), manage.Cell(who), e.SourceIPAddress, service,
			manage.Cell(e.EventName), manage.Cell(resource), cmp.Or(e.ErrorCode, "ok"))
		return err
	})
	if err != nil {
		return err
	}
	return table.Flush()
}
