package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/embedded"
)

func serveCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:   "serve",
		Short: "Start the server",
		Long: `Starts the server: SQS, SNS, MNS and a JSON API on one port. Without --database-url it starts a
PostgreSQL of its own, which keeps its data between starts.

Each flag can also be set by an environment variable (POLYMQ_DATABASE_URL for --database-url) or
by a key of the same name in a YAML file (--config). Flags win over variables, these over the file;
an empty variable says nothing.

The first Ctrl-C, or SIGTERM, shuts down: requests under way are answered. A second one ends at once.`,
		Example: `  # for development: data in the user's data directory
  polymq serve

  # for CI: nothing needs to outlive the machine, tests may move time forward
  polymq serve --data-dir /tmp/polymq --durability none --test-mode

  # several servers on one PostgreSQL, password from a file
  polymq serve --listen :4566 --public-url https://queues.example \
    --database-url postgres://polymq@db.example:5432/polymq --database-password-file /run/secrets/db`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			config, err := loadConfig(command.Flags(), environ)
			if err != nil {
				return err
			}
			config.LogOutput = command.ErrOrStderr()
			return serve(command.Context(), config, command.OutOrStdout())
		},
	}
	serveFlags(command.Flags())
	return command
}

// serve runs a server until ctx ends or the server cannot go on, and shuts it down.
func serve(ctx context.Context, config server.Config, out io.Writer) error {
	ballast := loadBallast()
	defer runtime.KeepAlive(ballast)
	srv, err := server.Start(ctx, config)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(out, banner(config, srv.URL(), srv.FirstAdmin())+"Ready.\n"); err != nil {
		return errors.Join(fmt.Errorf("say that the server is ready: %w", err), srv.Stop(context.WithoutCancel(ctx)))
	}
	stop := tuneMemory(srv.Broker().Waiting)
	select {
	case <-ctx.Done():
	case <-srv.Done():
	}
	stop()
	return errors.Join(srv.Err(), srv.Stop(context.WithoutCancel(ctx)))
}

// dataDir gives the folder of polymq's own PostgreSQL, nothing where the database is another.
func dataDir(config server.Config) string {
	switch {
	case config.DatabaseURL != "":
		return ""
	case config.DataDir != "":
		return config.DataDir
	}
	dir, _ := embedded.DefaultDataDir() // which the server has started with
	return dir
}

// banner says where the server is and how to use it, with lines to paste.
func banner(config server.Config, url string, admin *core.Key) string {
	if config.PublicURL != "" {
		url = strings.TrimRight(config.PublicURL, "/")
	}
	keyID, secret, first := "test", "test", ""
	if config.Auth != "off" && config.Auth != "" { // an empty variable says nothing
		keyID, secret = "ID", "SECRET"
	}
	if admin != nil {
		first = fmt.Sprintf("\nThe administrator's access key, shown only this once:\nID:       %s\nSecret:   %s\n", admin.ID, string(admin.Secret))
	}
	trust := ""
	if config.TLS == "auto" {
		trust = "Trust:    polymq ca --endpoint " + url + " > polymq-ca.pem, which clients get as AWS_CA_BUNDLE, SSL_CERT_FILE or the like\n"
	}
	page := ""
	if config.Console == nil || *config.Console {
		page = "Console:  " + url + "/console/\n"
	}
	data := ""
	if dir := dataDir(config); dir != "" {
		data = "Data:     " + dir + "\n"
	}
	return strings.NewReplacer("TRUST", trust, "DATA", data, "CONSOLE", page, "URL", url, "REGION", config.Region, "VERSION", server.Version(), "KEYID", keyID, "KEYSECRET", secret, "ADMIN", first).Replace(`polymq VERSION
Endpoint: URL
API:      URL/api/v1/docs
CONSOLEDATATRUSTADMIN
# AWS CLI
AWS_ACCESS_KEY_ID=KEYID AWS_SECRET_ACCESS_KEY=KEYSECRET aws --endpoint-url URL --region REGION sqs create-queue --queue-name orders
# Python, boto3
import boto3; sqs = boto3.client("sqs", endpoint_url="URL", region_name="REGION", aws_access_key_id="KEYID", aws_secret_access_key="KEYSECRET")
# Python, aliyun-mns-sdk
from mns.account import Account; queue = Account("URL", "KEYID", "KEYSECRET").get_queue("orders")

`)
}
