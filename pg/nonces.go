package pg

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// What has ended goes at the next use, up to a hundred rows at a time.
const useNonceSQL = `
WITH ended AS (
    DELETE FROM nonces WHERE digest = ANY (ARRAY(
        SELECT digest FROM nonces WHERE ends_at < now() AND digest <> @digest
        ORDER BY ends_at LIMIT 100 FOR UPDATE SKIP LOCKED))
)
INSERT INTO nonces AS n (digest, ends_at) VALUES (@digest, now() + @life::interval)
ON CONFLICT (digest) DO UPDATE SET ends_at = excluded.ends_at WHERE n.ends_at < now()
RETURNING true`

// UseNonce is of core.Store.
func (s *Store) UseNonce(ctx context.Context, keyID, nonce string, life time.Duration) (first bool, err error) {
	digest := sha256.Sum256([]byte(keyID + "\n" + nonce))
	err = s.do(ctx, useNonceSQL, pgx.StrictNamedArgs{"digest": digest[:], "life": life}, func(rows pgx.Rows) error {
		first = rows.Next()
		rows.Close()
		return rows.Err()
	})
	if err != nil {
		return false, fmt.Errorf("remember a signature's nonce: %w", err)
	}
	return first, nil
}
