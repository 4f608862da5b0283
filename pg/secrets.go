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
    INSERT INTO secrets (name, value, sealed) SELECT @name, @value, @sealed WHERE @value::bytea IS NOT NULL
    ON CONFLICT DO NOTHING RETURNING value, sealed
)
SELECT value, sealed FROM made UNION ALL SELECT value, sealed FROM secrets WHERE name = @name`

// SharedSecret is of core.Store. A server that has a master key encrypts what it stores.
func (s *Store) SharedSecret(ctx context.Context, name string, value []byte) ([]byte, error) {
	given := value != nil
	if given && s.sealer != nil {
		value = s.sealer.seal(string(value), secretRow(name))
	}
	var found []byte
	var sealed bool
	for range 2 {
		err := s.do(ctx, sharedSecretSQL, pgx.StrictNamedArgs{"name": name, "value": value, "sealed": s.sealer != nil}, func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&found, &sealed}, func() error { return nil })
			return err
		})
		switch {
		case err != nil:
			return nil, fmt.Errorf("read or make the secret %s: %w", name, err)
		case found != nil && sealed:
			return s.openSecret(name, found)
		case found != nil || !given:
			return found, nil
		}
	}
	return nil, fmt.Errorf("make the secret %s: somebody else makes and removes it", name)
}

// openSecret decrypts a secret of that name.
func (s *Store) openSecret(name string, sealed []byte) ([]byte, error) {
	if s.sealer == nil {
		return nil, fmt.Errorf("read the secret %s: it is encrypted under a master key, and this server has none (master-key-file)", name)
	}
	text, err := s.sealer.open(sealed, secretRow(name))
	if err != nil {
		return nil, fmt.Errorf("read the secret %s: %w", name, err)
	}
	return []byte(text), nil
}

// secretRow is what a secret is sealed for: its name cannot be an access key's id.
func secretRow(name string) string { return "secret " + name }
