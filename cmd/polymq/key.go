package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/manage"
)

// keyRow is an access key as the JSON API shows it.
type keyRow struct {
	ID        string     `json:"id,omitempty"`
	Secret    string     `json:"secret,omitempty"`
	Account   string     `json:"account,omitempty"`
	User      string     `json:"user,omitempty"`
	Admin     bool       `json:"admin,omitempty"`
	Disabled  bool       `json:"disabled,omitempty"`
	Expired   bool       `json:"expired,omitempty"`
	Role      string     `json:"role,omitempty"`
	Session   string     `json:"session,omitempty"`
	CreatedAt *time.Time `json:"created_at,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

func keyCommand(environ []string) *cobra.Command {
	server := &apiClient{}
	command := &cobra.Command{ //nolint:gosec // the word secret is all there is of one
		Use:   "key",
		Short: "Manage the access keys that clients sign their requests with",
		Long: `Manages the access keys of a running server, by its JSON API. A server that was started with
--auth verify wants to know who asks: give an administrator's key, best as POLYMQ_ADMIN_KEY=ID:SECRET.
The first one is printed when such a server first starts.`,
		Example: `  polymq key create --user ci
  polymq key list
  polymq key disable AKIAIOSFODNN7EXAMPLE`,
	}
	server.flags(command, environ)
	server.jsonFlag(command)
	command.AddCommand(keyCreateCommand(server, environ), keyListCommand(server, environ), keyDeleteCommand(server),
		keyAlterCommand(server, "disable", "Make an access key unusable", true), keyAlterCommand(server, "enable", "Make an access key usable again", false))
	return command
}

// variable gives the value of an environment variable.
func variable(environ []string, name string) string {
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

func keyCreateCommand(server *apiClient, environ []string) *cobra.Command {
	var in keyRow
	c := &cobra.Command{
		Use:   "create",
		Short: "Make an access key and print its secret, this once",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			var key keyRow
			if err := server.call(command.Context(), http.MethodPost, "/keys", in, &key); err != nil {
				return err
			}
			if server.json {
				return json.NewEncoder(command.OutOrStdout()).Encode(key) //nolint:gosec // the secret is shown this once
			}
			_, err := fmt.Fprintf(command.OutOrStdout(), "ID:      %s\nSecret:  %s\nAccount: %s\n", key.ID, key.Secret, key.Account)
			return err
		},
	}
	c.Flags().StringVar(&in.ID, "id", "", "access key `ID` (default: a random one)")
	c.Flags().StringVar(&in.Secret, "secret", "", "`SECRET` (default: a random one; this one others may see in the list of processes)")
	c.Flags().StringVar(&in.Account, "account", variable(environ, "POLYMQ_ACCOUNT"), "`ACCOUNT` of twelve digits that the key belongs to (default: POLYMQ_ACCOUNT, else 000000000000)")
	c.Flags().StringVar(&in.User, "user", "", "`NAME` of the user whose key it is (default: the account's own)")
	c.Flags().BoolVar(&in.Admin, "admin", false, "the key may use the JSON API, and these commands")
	return c
}

func keyListCommand(server *apiClient, environ []string) *cobra.Command {
	var account string
	var temporary bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List access keys, without their secrets",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			table, lines := tabwriter.NewWriter(command.OutOrStdout(), 0, 0, 2, ' ', 0), json.NewEncoder(command.OutOrStdout())
			if !server.json {
				fmt.Fprintln(table, "ID\tACCOUNT\tWHOSE\tSTATE\tCREATED")
			}
			for cursor := ""; ; {
				query := url.Values{"limit": {"1000"}, "cursor": {cursor}, "temporary": {fmt.Sprint(temporary)}}
				if account != "" {
					query.Set("account", account)
				}
				var page struct {
					Keys       []keyRow `json:"keys"`
					NextCursor string   `json:"next_cursor"`
				}
				if err := server.call(command.Context(), http.MethodGet, "/keys?"+query.Encode(), nil, &page); err != nil {
					return err
				}
				for _, key := range page.Keys {
					if server.json {
						if err := lines.Encode(key); err != nil { //nolint:gosec // lists have no secrets
							return err
						}
						continue
					}
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", key.ID, key.Account, key.whose(), key.state(), key.CreatedAt.Format(time.RFC3339))
				}
				if cursor = page.NextCursor; cursor == "" {
					return table.Flush()
				}
			}
		},
	}
	c.Flags().StringVar(&account, "account", variable(environ, "POLYMQ_ACCOUNT"), "only the keys of this `ACCOUNT` (default: POLYMQ_ACCOUNT, else all)")
	c.Flags().BoolVar(&temporary, "temporary", false, "the keys of sessions, too")
	return c
}

func (k keyRow) whose() string {
	switch {
	case k.Role != "":
		return k.Role + "/" + k.Session
	case k.Session != "":
		return "federated user " + k.Session
	case k.User != "":
		return k.User
	}
	return "the account"
}

func (k keyRow) state() string {
	switch {
	case k.Disabled:
		return "disabled"
	case k.Expired:
		return "expired"
	case k.ExpiresAt != nil:
		return "until " + k.ExpiresAt.Format(time.RFC3339)
	case k.Admin:
		return "administrator"
	}
	return "good"
}

func keyDeleteCommand(server *apiClient) *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID",
		Short: "Delete an access key for good",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if err := server.call(command.Context(), http.MethodDelete, "/keys/"+url.PathEscape(args[0]), nil, nil); err != nil || server.json {
				return err
			}
			_, err := fmt.Fprintf(command.OutOrStdout(), "Access key %s is deleted.\n", args[0])
			return err
		},
	}
}

func keyAlterCommand(server *apiClient, name, short string, disabled bool) *cobra.Command {
	return &cobra.Command{
		Use:   name + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			var key keyRow
			if err := server.call(command.Context(), http.MethodPatch, "/keys/"+url.PathEscape(args[0]), map[string]bool{"disabled": disabled}, &key); err != nil {
				return err
			}
			if server.json {
				return json.NewEncoder(command.OutOrStdout()).Encode(key) //nolint:gosec // it has no secret
			}
			_, err := fmt.Fprintf(command.OutOrStdout(), "Access key %s is %sd.\n", args[0], name)
			return err
		},
	}
}

// apiClient calls the JSON API of a running server.
type apiClient struct {
	endpoint string
	adminKey string // ID:SECRET, "" for none
	json     bool   // answers are printed as JSON, where the command can
}

// flags adds the flags that say which server is meant.
func (a *apiClient) flags(command *cobra.Command, environ []string) {
	flags := command.PersistentFlags()
	flags.StringVar(&a.endpoint, "endpoint", "", "`URL` of the server (default: POLYMQ_ENDPOINT, else "+client.DefaultEndpoint+")")
	flags.StringVar(&a.adminKey, "admin-key", "", "`ID:SECRET` of an administrator's access key (default: POLYMQ_ADMIN_KEY)")
	command.PersistentPreRun = func(*cobra.Command, []string) {
		a.endpoint = cmp.Or(a.endpoint, variable(environ, "POLYMQ_ENDPOINT"), client.DefaultEndpoint)
		a.adminKey = cmp.Or(a.adminKey, variable(environ, "POLYMQ_ADMIN_KEY"))
	}
}

// jsonFlag adds the flag of commands that can print JSON.
func (a *apiClient) jsonFlag(command *cobra.Command) {
	command.PersistentFlags().BoolVar(&a.json, "json", false, manage.JSONUsage)
}

// call makes a request, with the path and query as in a URL, and reads its answer into out, unless that is nil.
// Errors are the server's words.
func (a *apiClient) call(ctx context.Context, method, path string, in, out any) error {
	path, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i := range parts {
		part, partErr := url.PathUnescape(parts[i])
		parts[i], err = part, errors.Join(err, partErr)
	}
	if err != nil {
		return fmt.Errorf("path %s: %w", path, err)
	}
	server := client.Client{Endpoint: a.endpoint, AdminKey: a.adminKey}
	return server.Do(ctx, client.Request{Method: method, Path: parts, Query: values, Body: in}, out)
}
