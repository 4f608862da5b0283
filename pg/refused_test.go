package pg_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// A role that is renamed, or gets another password before its file does, is a matter of time.
func TestRefusedConnectionsAreUnavailable(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig(pgtest.DatabaseURL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.User = "nobody"
	_, refused := pgx.ConnectConfig(t.Context(), config)
	if server := (*pgconn.PgError)(nil); !errors.As(refused, &server) || core.CodeOf(pg.Translate(refused)) != core.Unavailable {
		t.Errorf("%v became %v", refused, pg.Translate(refused))
	}
}
