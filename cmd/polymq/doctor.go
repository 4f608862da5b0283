package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/embedded"
)

func doctorCommand(environ []string) *cobra.Command {
	var endpoint, adminKey string
	asJSON := false
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look at a database, or at a server, and say what to change",
		Long: `Examines the PostgreSQL that the settings name, as polymq serve would use it: version, schema, rights,
settings, durability, connections, poolers, notifications, replication, long transactions, dead rows, clocks
and disk. Without --database-url it is polymq's own, also while a server runs on its data directory. Nothing
is changed. With --endpoint, or POLYMQ_ENDPOINT where no flag names a database, it looks at a running server
from outside instead.

The exit code is 1 if there is an error among the findings: what keeps servers from working, or soon will.`,
		Example: `  polymq doctor --database-url postgres://polymq@db.example:5432/polymq
  polymq doctor --endpoint http://queues.example:4566`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			var findings []pg.Finding
			if !namesDatabase(command.Flags()) {
				endpoint = cmp.Or(endpoint, variable(environ, "POLYMQ_ENDPOINT"))
			}
			if endpoint != "" {
				findings = examineServer(command.Context(), &client.Client{Endpoint: endpoint, AdminKey: cmp.Or(adminKey, variable(environ, "POLYMQ_ADMIN_KEY"))})
			} else {
				config, err := loadConfig(command.Flags(), environ)
				if err != nil {
					return err
				}
				if findings, err = examineDatabase(command.Context(), config); err != nil {
					return err
				}
			}
			return report(command.OutOrStdout(), findings, asJSON)
		},
	}
	databaseFlags(c.Flags())
	c.Flags().StringVar(&endpoint, "endpoint", "", "`URL` of a server to look at instead of the database (default: POLYMQ_ENDPOINT)")
	c.Flags().StringVar(&adminKey, "admin-key", "", "`ID:SECRET` of an administrator's access key of that server (default: POLYMQ_ADMIN_KEY)")
	c.Flags().BoolVar(&asJSON, "json", false, "print each finding as a line of JSON (default: where the output is no terminal)")
	return c
}

// namesDatabase says that a flag tells which database is meant.
func namesDatabase(flags *pflag.FlagSet) (named bool) {
	flags.Visit(func(f *pflag.Flag) {
		named = named || slices.Contains([]string{"database-url", "data-dir", "config"}, f.Name)
	})
	return named
}

// examineDatabase examines the database that the settings name.
func examineDatabase(ctx context.Context, config server.Config) (findings []pg.Finding, err error) {
	config.LogLevel = "error"
	err = withDatabase(ctx, config, server.FindDatabase, func(options pg.Options) error {
		findings = pg.Examine(ctx, options)
		return nil
	})
	if err == nil && config.DatabaseURL == "" {
		findings = append(findings, examineDisk(config.DataDir))
	}
	return findings, err
}

// How much of a disk should be free.
const (
	diskWarning = 2 << 30
	diskFault   = 256 << 20
)

// examineDisk looks at the disk of the embedded PostgreSQL.
func examineDisk(dir string) pg.Finding {
	var stat syscall.Statfs_t
	var err error
	if dir == "" {
		dir, err = embedded.DefaultDataDir()
	}
	if err = cmp.Or(err, syscall.Statfs(dir, &stat)); err != nil {
		return pg.Finding{Severity: pg.Warning, Check: "disk", Found: err.Error()}
	}
	free := int64(stat.Bavail) * int64(stat.Bsize) //nolint:unconvert // their types differ between systems
	f := pg.Finding{Severity: pg.Fine, Check: "disk", Found: fmt.Sprintf("%.1f GiB are free for %s", float64(free)/(1<<30), dir)}
	if free < diskWarning {
		f.Severity, f.Change = pg.Warning, "make room: PostgreSQL stops when its disk is full"
	}
	if free < diskFault {
		f.Severity = pg.Fault
	}
	return f
}

// examineServer looks at a server from outside.
func examineServer(ctx context.Context, c *client.Client) []pg.Finding {
	var version struct{ Version, Go string }
	began := time.Now()
	err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: []string{"version"}}, &version)
	if err != nil {
		severity, change := pg.Fault, ""
		if client.ExitCode(err) == client.ExitDenied {
			change = "the rest needs an administrator's access key"
		}
		return []pg.Finding{{Severity: severity, Check: "server", Found: err.Error(), Change: change}}
	}
	findings := []pg.Finding{{Severity: pg.Fine, Check: "server", Found: fmt.Sprintf("%s, answers within %v", version.Version, time.Since(began).Round(time.Millisecond))}}
	if version.Version != server.Version() {
		findings = append(findings, pg.Finding{Severity: pg.Warning, Check: "version", Found: "this program is " + server.Version(), Change: "use the command line of the server's version"})
	}
	return append(findings, examineReadiness(ctx, c)...)
}

// examineReadiness asks a server for its database and its clock.
func examineReadiness(ctx context.Context, c *client.Client) []pg.Finding {
	const maxApart = 2 * time.Second // and a second more, for Date has whole ones
	ready, date, err := c.Ready(ctx)
	if err != nil {
		return []pg.Finding{{Severity: pg.Fault, Check: "database", Found: err.Error()}}
	}
	database := pg.Finding{Severity: pg.Fine, Check: "database", Found: ready}
	if ready != "ready" {
		database.Severity, database.Change = pg.Fault, "polymq doctor --database-url … on the server's machine says more"
	}
	apart := time.Until(date).Round(time.Second)
	clock := pg.Finding{Severity: pg.Fine, Check: "clock", Found: "the server's is as this machine's"}
	if apart.Abs() > time.Second { // which Date cannot tell
		clock.Found = fmt.Sprintf("the server's is %v from this machine's", apart)
	}
	if apart.Abs() > maxApart+time.Second {
		clock.Severity, clock.Change = pg.Warning, "let both machines keep time by NTP: signed requests are refused when clocks are 15 minutes apart"
	}
	return []pg.Finding{database, clock}
}

// errUnwell is the error of an examination that found one.
var errUnwell = errors.New("there are errors among the findings")

// report prints findings.
func report(out io.Writer, findings []pg.Finding, asJSON bool) error {
	failed := false
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	encoder := json.NewEncoder(out)
	for _, f := range findings {
		failed = failed || f.Severity == pg.Fault
		if asJSON {
			if err := encoder.Encode(f); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.Severity, f.Check, f.Found)
		if f.Change != "" {
			fmt.Fprintf(table, "\t\t-> %s\n", f.Change)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if failed {
		return errUnwell
	}
	return nil
}
