package pg

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// What has ended goes at the next start, up to a hundred rows at a time: an account's time is never
// behind the database's clock, so what has ended by that has ended for every account.
const startCooldownSQL = `
WITH ended AS (
    DELETE FROM cooldowns c USING (
        SELECT account, region, name, what FROM cooldowns WHERE ends_at < now() - interval '1 minute'
        ORDER BY ends_at LIMIT 100 FOR UPDATE SKIP LOCKED
    ) e WHERE (c.account, c.region, c.name, c.what) = (e.account, e.region, e.name, e.what)
        AND (c.account, c.region, c.name, c.what) <> (@account, @region, @name, @what)
)
INSERT INTO cooldowns AS c (account, region, name, what, ends_at)
SELECT @account, @region, @name, @what, t.now + @length::interval
FROM (SELECT now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0') AS now) t
ON CONFLICT (account, region, name, what) DO UPDATE SET ends_at = excluded.ends_at
    WHERE c.ends_at <= excluded.ends_at - @length::interval
RETURNING true`

// StartCooldown is of core.Store.
func (s *Store) StartCooldown(ctx context.Context, name core.QueueName, what core.Cooldown, length time.Duration) (started bool, err error) {
	args := nameArgs(name)
	args["what"], args["length"] = string(what), length
	err = s.do(ctx, startCooldownSQL, args, func(rows pgx.Rows) error {
		started = rows.Next()
		rows.Close()
		return rows.Err()
	})
	return started, err
}

const coolingDownSQL = `
SELECT EXISTS (SELECT FROM cooldowns WHERE account = @account AND region = @region AND name = @name AND what = @what
    AND ends_at > now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0'))`

// CoolingDown is of core.Store.
func (s *Store) CoolingDown(ctx context.Context, name core.QueueName, what core.Cooldown) (cooling bool, err error) {
	args := nameArgs(name)
	args["what"] = string(what)
	err = s.do(ctx, coolingDownSQL, args, func(rows pgx.Rows) error {
		cooling, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
		return err
	})
	return cooling, err
}
