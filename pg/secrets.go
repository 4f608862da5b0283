package pg

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// The snapshot of the statement does not show what another server stored at the same moment: then it
// gives nothing, and is asked again.
//
//nolint:gosec // SQL, and no secret itself
const sharedSecretSQL = `
WITH made AS (
    INSERT INTO secrets (name, value) SELECT @name, @value WHERE @value::bytea IS NOT NULL
    ON CONFLICT DO NOTHING RETURNING value
)
SELECT value FROM made UNION ALL SELECT value FROM secrets WHERE name = @name`

// SharedSecret is of core.Store.
func (s *Store) SharedSecret(ctx context.Context, name string, value []byte) ([]byte, error) {
	var found []byte
	for range 2 {
		err := s.do(ctx, sharedSecretSQL, pgx.StrictNamedArgs{"name": name, "value": value}, func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&found}, func() error { return nil })
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read or make the secret %s: %w", name, err)
		}
		if found != nil || value == nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("make the secret %s: somebody else makes and removes it", name)
}
