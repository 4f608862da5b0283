package main

import (
	"strings"
	"testing"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestAccountLimitsCommand(t *testing.T) {
	srv := startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t), LimitQueues: 7})
	environ := []string{"POLYMQ_ENDPOINT=" + srv.URL()}
	for _, step := range []struct{ args, want string }{
		{"", "queues 0 7 all accounts|topics 0 none all accounts|bytes 0 none all accounts|requests a second - none all accounts"},
		{"--bytes 1000 --topics 3", "queues 0 7 all accounts|topics 0 3 this account|bytes 0 1000 this account|requests a second - none all accounts"},
		{"--queues 0", "queues 0 none this account|topics 0 3 this account|bytes 0 1000 this account|requests a second - none all accounts"},
		{"--reset --requests 50", "queues 0 7 all accounts|topics 0 none all accounts|bytes 0 none all accounts|requests a second - 50 this account"},
		{"--reset", "queues 0 7 all accounts|topics 0 none all accounts|bytes 0 none all accounts|requests a second - none all accounts"},
	} {
		out, err := polymq(environ, append([]string{"account", "limits", "111122223333"}, strings.Fields(step.args)...)...)
		if err != nil {
			t.Fatalf("%s: %v", step.args, err)
		}
		var rows []string
		for line := range strings.Lines(out) {
			if row := strings.Join(strings.Fields(line), " "); !strings.HasPrefix(row, "WHAT") {
				rows = append(rows, row)
			}
		}
		if got := strings.Join(rows, "|"); got != step.want {
			t.Errorf("after %q got\n%s, want\n%s", step.args, got, step.want)
		}
	}
	for name, args := range map[string]string{"a bad account": "1", "a negative limit": "111122223333 --queues -1"} {
		if _, err := polymq(environ, append([]string{"account", "limits"}, strings.Fields(args)...)...); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
