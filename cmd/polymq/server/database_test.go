package server

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// What PostgreSQL, or a pooler in its place, refuses comes with what to do about it, and keeps its own words.
func TestExplainDatabase(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"28P01": "check the user and password of database-url",
		"28000": "check the user and password of database-url",
		"3D000": "create it (createdb)",
		"53300": "lower database-pool-size",
		"42501": "needs CREATE on the database",
		"25006": "target_session_attrs=read-write",
		"08P01": "give the way past it as database-direct-url, or set database-pooled",
	} {
		refused := &pgconn.PgError{Severity: "FATAL", Code: code, Message: "in its own words"}
		err := ExplainDatabase(fmt.Errorf("connect: %w", refused))
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "in its own words") || !errors.Is(err, refused) {
			t.Errorf("%s: got %v, want %q in it", code, err, want)
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
