package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg"
)

func migrateCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the schema of a database up to date, or look at it",
		Long: `The schema is brought up to date by every server that starts, unless it runs with
--migrate check or --migrate off; then this command does it. Migrations only add, so that servers
of the version before go on serving meanwhile; several may run at the same time.`,
	}
	sub := func(name, short string, open openDatabase, do func(context.Context, io.Writer, pg.Options) error) {
		c := &cobra.Command{
			Use:   name,
			Short: short,
			Args:  cobra.NoArgs,
			RunE: func(command *cobra.Command, _ []string) error {
				config, err := loadConfig(command.Flags(), environ)
				if err != nil {
					return err
				}
				return withDatabase(command.Context(), config, open, func(options pg.Options) error {
					return do(command.Context(), command.OutOrStdout(), options)
				})
			},
		}
		databaseFlags(c.Flags())
		command.AddCommand(c)
	}
	sub("up", "Apply the migrations that are missing", server.OpenDatabase, migrateUp)
	sub("status", "List the migrations and when they were applied", server.FindDatabase, migrateStatus)
	command.AddCommand(rotateMasterKeyCommand(environ))
	return command
}

// rotateMasterKeyCommand is among these commands since it changes what is stored while no server runs.
func rotateMasterKeyCommand(environ []string) *cobra.Command {
	c := &cobra.Command{
		Use:   "rotate-master-key NEW-FILE",
		Short: "Encrypt all secrets in a database anew, under another master key",
		Long: `Encrypts all secrets in a database (those of access keys, of the authority for TLS, of signatures) anew,
under the master key in NEW-FILE, in one transaction. No server may run meanwhile. The key from before is
--master-key-file or POLYMQ_MASTER_KEY; for polymq's own PostgreSQL the one beside it, which NEW-FILE's replaces.`,
		Example: `  openssl rand -hex 32 > new.key
  polymq migrate rotate-master-key new.key --database-url postgres://… --master-key-file old.key`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			config, err := loadConfig(command.Flags(), environ)
			if err != nil {
				return err
			}
			ctx := command.Context()
			database, err := server.TakeDatabase(ctx, config)
			if err != nil {
				return err
			}
			n, err := server.RotateMasterKey(ctx, config, database, args[0])
			if err = errors.Join(server.ExplainDatabase(err), database.Close(context.WithoutCancel(ctx))); err != nil {
				return err
			}
			_, err = fmt.Fprintf(command.OutOrStdout(), "%d secrets are encrypted under the new master key.\n", n)
			return err
		},
	}
	databaseFlags(c.Flags())
	c.Flags().String("master-key-file", "", "`FILE` with the key from before")
	return c
}

// openDatabase is server.OpenDatabase or server.FindDatabase.
type openDatabase func(context.Context, server.Config) (*server.Database, error)

// withDatabase calls do with the database up.
func withDatabase(ctx context.Context, config server.Config, open openDatabase, do func(pg.Options) error) error {
	database, err := open(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(server.ExplainDatabase(do(database.Options)), database.Close(context.WithoutCancel(ctx)))
}

func migrateUp(ctx context.Context, out io.Writer, options pg.Options) error {
	applied, err := pg.Migrate(ctx, options)
	if err != nil {
		return err
	}
	for _, m := range applied {
		fmt.Fprintf(out, "applied %s\n", m.Name)
	}
	if err := pg.CheckSchema(ctx, options); err != nil { // of a newer program
		return err
	}
	_, err = fmt.Fprintln(out, "The schema is up to date.")
	return err
}

func migrateStatus(ctx context.Context, out io.Writer, options pg.Options) error {
	migrations, err := pg.MigrationStatus(ctx, options)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "VERSION\tNAME\tAPPLIED")
	for _, m := range migrations {
		applied := "no"
		if !m.AppliedAt.IsZero() {
			applied = m.AppliedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%d\t%s\t%s\n", m.Version, cmp.Or(m.Name, "(of a newer polymq)"), applied)
	}
	return table.Flush()
}
