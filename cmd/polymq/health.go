package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/client"
)

// healthTimeout bounds how long a health check waits for its answer.
const healthTimeout = 2 * time.Second

func healthCommand(environ []string) *cobra.Command {
	endpoint := ""
	c := &cobra.Command{
		Use:   "health",
		Short: "Say whether a server takes requests",
		Long: `Asks a server's /readyz whether it takes requests, and fails if it does not: the health check of containers
that have neither a shell nor curl. A server whose database is away still takes them, and answers with errors that
SDKs try again after; that is said.`,
		Example: "  polymq health && echo up",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringVar(&endpoint, "endpoint", "", "`URL` of the server (default: POLYMQ_ENDPOINT, else where POLYMQ_LISTEN says, else "+client.DefaultEndpoint+")")
	c.RunE = func(command *cobra.Command, _ []string) error {
		variables := map[string]string{}
		for _, entry := range environ {
			name, value, _ := strings.Cut(entry, "=")
			variables[name] = value
		}
		at := cmp.Or(endpoint, variables["POLYMQ_ENDPOINT"], listening(variables["POLYMQ_LISTEN"]), client.DefaultEndpoint)
		database, err := askHealth(command.Context(), at)
		if err != nil {
			return fmt.Errorf("%s takes no requests: %w", at, err)
		}
		_, err = fmt.Fprintf(command.OutOrStdout(), "%s takes requests, its database is %s\n", at, database)
		return err
	}
	return c
}

// listening gives the URL of a server on this machine that listens on some addresses, "" without one that can be told.
func listening(addresses string) string {
	first, _, _ := strings.Cut(addresses, ",")
	host, port, err := net.SplitHostPort(strings.TrimSpace(first))
	if err != nil || port == "" || port == "0" {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// askHealth asks a server whether it takes requests, and gives how its database is.
func askHealth(ctx context.Context, endpoint string) (database string, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, client.URL(endpoint)+"/readyz", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct{ Database string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("it answers %s, which is not what polymq says", resp.Status)
	}
	return answer.Database, nil
}
