package manage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/seed"
)

func seedCommand(environ []string) *cobra.Command {
	var options seed.Options
	schema := false
	c := &cobra.Command{
		Use:   "seed FILE",
		Short: "Make queues, topics, users, access keys and more as a file declares them",
		Long: `Makes a server have what a YAML file declares. What exists is changed in the fields that the file names;
the same file again changes nothing. Each entry has the fields of the JSON API's request that makes it.

  queues:
    - name: orders-dead
    - name: orders
      visibility_timeout_seconds: 60
      dead_letter: {queue: orders-dead, max_receives: 5}
      tags: {team: payments}
  topics:
    - name: events
      subscriptions:
        - name: to-orders
          queue: orders
          filter: '{"kind": ["order"]}'
  keys:
    - id: orders-service
      secret: ${ORDERS_SECRET}

There are also policies:, groups: and roles:, with the fields of the JSON API (--schema lists all), and accounts:,
with their aliases:

  accounts:
    - id: "111122223333"
      alias: "1234567890123456"   # as hosts of Alibaba's form name it

  users:
    - name: ann
      access: operator
      groups: [devs]
      policies: [AmazonSQSFullAccess]

account: and region: in front of the sections say whose they are, else --account and --region do. Documents
apart by --- can name several. Accounts are never pruned. ${NAME} is an environment variable, ${NAME:-text} has a default, $${ is ${.
An access key that exists keeps its secret. The file is checked whole before anything is changed.`,
		Example: `  polymq seed queues.yaml --dry-run
  polymq dump-config --secrets | polymq seed - --endpoint http://staging:4566
  polymq seed --schema > polymq.schema.json   # for the editor`,
		Args: cobra.MaximumNArgs(1),
	}
	s := bind(c, environ)
	c.Flags().BoolVar(&options.DryRun, "dry-run", false, "only show what would change")
	c.Flags().BoolVar(&options.Prune, "prune", false, "delete what is not declared, of the sections that the file has")
	c.Flags().BoolVar(&schema, "schema", false, "print the JSON schema of the file, for editors")
	c.RunE = func(command *cobra.Command, args []string) error {
		switch {
		case schema:
			text, err := seed.Schema()
			if err != nil {
				return err
			}
			return say(command, "%s", text)
		case len(args) == 0:
			return client.Usagef("name the file, or - for the standard input")
		}
		documents, err := s.readSeed(command, args[0])
		if err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		changes, err := seed.Apply(command.Context(), s.server(), documents, options)
		if err != nil && len(changes) == 0 {
			return err
		}
		return errors.Join(s.showChanges(command, changes, options.DryRun), err)
	}
	return c
}

func (s *Session) readSeed(command *cobra.Command, path string) ([]seed.Document, error) {
	input := standardInput(command)
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }() // it was only read
		input = file
	}
	text, err := io.ReadAll(io.LimitReader(input, seed.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	return seed.Parse(text, s.lookup)
}

// showChanges shows what was changed, or would be.
func (s *Session) showChanges(command *cobra.Command, changes []seed.Change, dryRun bool) error {
	counts := map[seed.Action]int{}
	for _, change := range changes {
		counts[change.Action]++
		if !s.json {
			fmt.Fprint(command.OutOrStdout(), change)
			continue
		}
		raw, err := json.Marshal(change)
		if err != nil {
			return err
		}
		if err := s.line(command, raw); err != nil {
			return err
		}
	}
	if s.json {
		return nil
	}
	done := "created, %d changed, %d deleted"
	if dryRun {
		done = "to create, %d to change, %d to delete"
	}
	return say(command, "%d "+done, counts[seed.Create], counts[seed.Alter], counts[seed.Delete])
}

func dumpCommand(environ []string) *cobra.Command {
	secrets := false
	c := &cobra.Command{
		Use:   "dump-config",
		Short: "Write what a server has as the file that polymq seed takes",
		Long: `Writes queues, topics, subscriptions, policies, groups, users, roles, access keys and alerts of an account and
region, and the account's alias (of all accounts without --account), as YAML, in a pipe too, or with --json as JSON:
polymq seed of either changes nothing here, and makes the same elsewhere.

No secret is in it, so that it can be kept with a program. ${NAME} stands for each, and the standard error says
what it is; polymq seed takes it from the environment variable of that name. For URLs of subscriptions with a
password or a token, and for those of robots and webhooks that alerts go to, --secrets writes what they are. Who
moves access keys needs their secrets from whoever has them: no server tells them again. What alerts are signed
with is not in it either, and added by hand.

What is left out, as administrators' access keys and subscriptions that wait to be confirmed, is listed on the
standard error.`,
		Example: `  polymq dump-config --account 111122223333 > queues.yaml
  polymq dump-config --secrets | polymq seed - --endpoint http://staging:4566`,
		Args: cobra.NoArgs,
	}
	s := bind(c, environ)
	c.Flags().BoolVar(&secrets, "secrets", false, "write URLs with their secrets")
	c.RunE = func(command *cobra.Command, _ []string) error {
		document, notes, err := seed.Dump(command.Context(), s.server(), secrets)
		if err != nil {
			return err
		}
		for _, note := range notes {
			fmt.Fprintln(command.ErrOrStderr(), note)
		}
		if s.json && command.Flags().Changed("json") { // only then: such a file is YAML
			raw, err := document.JSON()
			if err != nil {
				return err
			}
			return s.line(command, raw)
		}
		text, err := document.YAML()
		if err != nil {
			return err
		}
		_, err = command.OutOrStdout().Write(text)
		return err
	}
	return c
}
