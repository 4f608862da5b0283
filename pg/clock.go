package pg

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const advanceClockSQL = `
INSERT INTO clocks AS c (account, ahead) VALUES (@account, @by)
ON CONFLICT (account) DO UPDATE SET ahead = c.ahead + excluded.ahead
RETURNING now() + ahead`

const readClockSQL = `SELECT now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0')`

// AdvanceClock is of core.Store. What expires by it is removed before it returns, so that counts
// are right.
func (s *Store) AdvanceClock(ctx context.Context, account string, by time.Duration) (now time.Time, err error) {
	sql, args := advanceClockSQL, pgx.StrictNamedArgs{"account": account, "by": by}
	if by == 0 {
		sql, args = readClockSQL, pgx.StrictNamedArgs{"account": account}
	}
	err = s.do(ctx, sql, args, func(rows pgx.Rows) error {
		now, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[time.Time])
		return err
	})
	if err != nil || by == 0 {
		return now, err
	}
	s.accessKeys.forgetAll() // some may have expired; other servers are told to look at everything
	for {
		n, err := s.ExpireMessages(ctx, expireBatch)
		if err != nil || n < expireBatch {
			s.announceAll()
			return now, err
		}
	}
}
