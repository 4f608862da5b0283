package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// What PostgreSQL, or a pooler in its place, refuses comes with what to do about it, and keeps its own words.
func TestExplainDatabase(t *testing.T) {
	t.Parallel()
	for refused, want := range map[*pgconn.PgError]string{
		{Code: "28P01"}: "check the user and password of database-url",
		{Code: "28000"}: "check the user and password of database-url",
		{Code: "3D000"}: "create it (createdb)",
		{Code: "53300"}: "lower database-pool-size",
		{Code: "42501"}: "needs CREATE on the database",
		{Code: "25006"}: "target_session_attrs=read-write",
		{Code: "08P01", Message: "unsupported startup parameter: "}: "give the way past it as database-direct-url, or set database-pooled",
		{Code: "08P01", Message: "SASL authentication failed "}:     "check the user, password and database",
		{Code: "08P01", Message: "no more connections allowed "}:    "how many clients the pooler takes",
	} {
		refused.Message += "in its own words"
		err := ExplainDatabase(fmt.Errorf("connect: %w", refused))
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "in its own words") || !errors.Is(err, refused) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	other := errors.New("another")
	if got := ExplainDatabase(other); !errors.Is(got, other) || got.Error() != other.Error() {
		t.Errorf("got %v", got)
	}
	if got := ExplainDatabase(nil); got != nil {
		t.Errorf("got %v for no error", got)
	}
}

// Why a connection fails is told by what answers: its certificate is not that of a server that cannot be reached.
func TestExplainDatabaseNobodyTrusts(t *testing.T) {
	t.Parallel()
	database := httptest.NewUnstartedServer(nil)
	database.TLS = &tls.Config{NextProtos: []string{"postgresql"}}
	database.Config.ErrorLog = log.New(io.Discard, "", 0)
	database.StartTLS()
	defer database.Close()
	address := strings.TrimPrefix(database.URL, "https://")
	for _, mode := range []string{"verify-ca", "verify-full"} {
		err := ExplainDatabase(pg.CheckSchema(t.Context(), pg.Options{URL: "postgres://a@" + address + "/a?sslnegotiation=direct&sslmode=" + mode}))
		if err == nil || !strings.Contains(err.Error(), "sslrootcert=FILE") || strings.Contains(err.Error(), "cannot be reached") {
			t.Errorf("%s: got %v", mode, err)
		}
	}
}

func TestExplainDatabaseThatRefusesASetting(t *testing.T) {
	t.Parallel()
	url, err := pgx.ParseConfig(pgtest.DatabaseURL(t))
	if err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s ", url.Host, url.Port, url.User, url.Password, url.Database)
	err = ExplainDatabase(pg.CheckSchema(t.Context(), pg.Options{URL: settings + "nonsense=3"}))
	if err == nil || !strings.Contains(err.Error(), "refuses the connection") || strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("got %v", err)
	}
	if err := pg.CheckSchema(t.Context(), pg.Options{URL: settings + "pool_max_conns=3"}); err != nil {
		t.Errorf("with a setting of pgx's own: %v", err)
	}
}

// A schema that migrations have brought only so far is not said to be up to date.
func TestMigrationsThatStop(t *testing.T) {
	t.Parallel()
	url := pgtest.EmptyDatabaseURL(t)
	pgtest.Execute(t, url, `CREATE SCHEMA polymq CREATE TABLE full_accounts ()`) // which migration 37 makes
	var log strings.Builder
	store, err := openStore(t.Context(), "auto", pg.Options{URL: url}, zerolog.New(&log))
	if err == nil {
		store.Close()
		t.Fatal("the migrations did not stop")
	}
	if !strings.Contains(log.String(), "migration applied") || strings.Contains(log.String(), "up to date") {
		t.Errorf("stopped by %v after saying\n%s", err, log.String())
	}
}
