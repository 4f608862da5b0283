package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/manage"
)

func policyCommand(environ []string) *cobra.Command {
	server := &apiClient{}
	command := &cobra.Command{
		Use:   "policy",
		Short: "Find out what policies allow",
	}
	server.flags(command, environ)
	command.AddCommand(policyExplainCommand(server, environ))
	return command
}

// explainQuestion is what policies are asked.
type explainQuestion struct {
	Key       string              `json:"key,omitempty"`
	Principal string              `json:"principal,omitempty"`
	Action    string              `json:"action"`
	Resource  string              `json:"resource"`
	Context   map[string][]string `json:"context,omitempty"`
}

// explanation is what they answer.
type explanation struct {
	Decision   string `json:"decision"`
	Principal  string `json:"principal"`
	PolicyType string `json:"policy_type"`
	Policy     string `json:"policy"`
	Statement  *int   `json:"statement"`
	Sid        string `json:"sid"`
	Message    string `json:"message"`
}

func policyExplainCommand(server *apiClient, environ []string) *cobra.Command {
	var in explainQuestion
	var context []string
	var account string
	var asJSON bool
	command := &cobra.Command{
		Use:   "explain",
		Short: "Say whether somebody may do something, and which statement decides",
		Long: `Says what a server decides that enforces policies, and which statement of which policy it is that
decides: whether the server enforces them or not.`,
		Example: `  polymq policy explain --key KEYID --action sqs:SendMessage --resource arn:aws:sqs:us-east-1:111122223333:orders
  polymq policy explain --principal arn:aws:iam::111122223333:user/ci --action mns:SendMessage \
    --resource acs:mns:us-east-1:111122223333:/queues/orders/messages --context acs:SourceIp=10.1.2.3`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			in.Context = map[string][]string{}
			for _, pair := range context {
				key, value, ok := strings.Cut(pair, "=")
				if !ok || key == "" {
					return client.Usagef("--context must be KEY=VALUE, such as aws:SourceIp=10.1.2.3, was %q", pair)
				}
				in.Context[key] = append(in.Context[key], value)
			}
			path := "/policies:explain"
			if account != "" {
				path += "?" + url.Values{"account": {account}}.Encode()
			}
			var out explanation
			if err := server.call(command.Context(), http.MethodPost, path, in, &out); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(command.OutOrStdout()).Encode(out)
			}
			return out.write(command.OutOrStdout())
		},
	}
	flags := command.Flags()
	flags.StringVar(&in.Key, "key", "", "access key `ID` of who asks")
	flags.StringVar(&in.Principal, "principal", "", "instead: `ARN` of a user, a role or the account's root, or * for a request without a signature")
	flags.StringVar(&in.Action, "action", "", "what is asked for: sqs:SendMessage, mns:ReceiveMessage")
	flags.StringVar(&in.Resource, "resource", "", "`ARN` of what it is asked for, of either cloud")
	flags.StringArrayVar(&context, "context", nil, "condition key of the request as `KEY=VALUE`; may be given several times")
	flags.StringVar(&account, "account", variable(environ, "POLYMQ_ACCOUNT"), "`ACCOUNT` of who asks (default: POLYMQ_ACCOUNT, else that of the access key the command is run with)")
	flags.BoolVar(&asJSON, "json", false, manage.JSONUsage)
	command.MarkFlagsOneRequired("key", "principal")
	command.MarkFlagsMutuallyExclusive("key", "principal")
	for _, name := range []string{"action", "resource"} {
		_ = command.MarkFlagRequired(name) // there is such a flag
	}
	return command
}

// write shows an explanation to people.
func (e *explanation) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", name, value) // Flush gives its error
		}
	}
	row("Decision", e.Decision)
	row("Principal", e.Principal)
	row("Policy type", e.PolicyType)
	row("Policy", e.Policy)
	if e.Statement != nil {
		row("Statement", strings.TrimSpace(fmt.Sprintf("%d %s", *e.Statement, e.Sid)))
	}
	row("Message", e.Message)
	return table.Flush()
}
