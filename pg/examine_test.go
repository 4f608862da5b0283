package pg_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/embedded"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestExamineFindsAPooler(t *testing.T) {
	t.Parallel()
	program := findPgBouncer(t)
	url := pgtest.DatabaseURL(t)
	pooler := pgbouncer(t, program, url)
	severities := func(opts pg.Options) map[string]pg.Severity {
		worst := map[string]pg.Severity{}
		for _, f := range pg.Examine(t.Context(), opts) {
			if worst[f.Check] == "" {
				worst[f.Check] = f.Severity
			}
		}
		return worst
	}
	for name, tt := range map[string]struct {
		opts                  pg.Options
		pooler, notifications pg.Severity
	}{
		"told, with a way past it": {pg.Options{URL: pooler, Pooled: true, DirectURL: url}, pg.Fine, pg.Fine},
		"told":                     {pg.Options{URL: pooler, Pooled: true}, pg.Fine, pg.Warning},
	} {
		if got := severities(tt.opts); got["pooler"] != tt.pooler || got["notifications"] != tt.notifications || got["schema"] != pg.Fine {
			t.Errorf("%s: %v", name, got)
		}
	}
	findings := pg.Examine(t.Context(), pg.Options{URL: pooler})
	if f := findings[0]; len(findings) != 1 || f.Check != "connection" || f.Severity != pg.Fault || !strings.Contains(f.Change, "database-direct-url") {
		t.Errorf("a pooler that the settings do not know of: %+v", findings)
	}
}

// Connections that PostgreSQL keeps for others are not to be had.
func TestExamineLeavesOutReservedConnections(t *testing.T) {
	t.Parallel()
	major := versionOf(t, pgtest.DatabaseURL(t)) / 10_000
	settings, want := "max_connections = 40\nsuperuser_reserved_connections = 4\n", " of 36 are in use"
	if major >= 16 {
		settings, want = settings+"reserved_connections = 5\n", " of 31 are in use"
	}
	dir := postgresDir(t)
	start := func() *embedded.Server {
		server, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir, Major: major, Durability: "none"})
		if err != nil {
			t.Fatal(err)
		}
		return server
	}
	stop := func(server *embedded.Server) {
		if err := server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
	server := start()
	err := os.WriteFile(filepath.Join(dir, "pgdata", "user.conf"), []byte(settings), 0o644)
	stop(server)
	if err != nil {
		t.Fatal(err)
	}
	server = start()
	defer stop(server)
	findings := pg.Examine(t.Context(), pg.Options{URL: server.URL()})
	if !slices.ContainsFunc(findings, func(f pg.Finding) bool { return f.Check == "connections" && strings.Contains(f.Found, want) }) {
		t.Errorf("%q is not among %+v", want, findings)
	}
}

// versionOf gives the number of a PostgreSQL's version, such as 150004.
func versionOf(t *testing.T, url string) (number int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if err := conn.QueryRow(t.Context(), `SELECT current_setting('server_version_num')::int`).Scan(&number); err != nil {
		t.Fatal(err)
	}
	return number
}

// postgresDir gives a folder that the user may go into whom PostgreSQL runs as.
func postgresDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "polymq-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}
