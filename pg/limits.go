package pg

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

const setAccountLimitsSQL = `
INSERT INTO account_limits (account, queues, topics, bytes, requests) VALUES (@account, @queues, @topics, @bytes, @requests)
ON CONFLICT (account) DO UPDATE SET queues = EXCLUDED.queues, topics = EXCLUDED.topics, bytes = EXCLUDED.bytes, requests = EXCLUDED.requests`

const dropAccountLimitsSQL = `DELETE FROM account_limits WHERE account = @account`

// SetAccountLimits is of core.LimitStore.
func (s *Store) SetAccountLimits(ctx context.Context, limits core.AccountLimits) error {
	sql, args := dropAccountLimitsSQL, pgx.StrictNamedArgs{"account": limits.Account}
	if limits != (core.AccountLimits{Account: limits.Account}) {
		sql, args["queues"], args["topics"], args["bytes"], args["requests"] = setAccountLimitsSQL, limits.Queues, limits.Topics, limits.Bytes, limits.Requests
	}
	_, err := s.exec(ctx, sql, args)
	return err
}

const accountLimitsSQL = `SELECT account, queues, topics, bytes, requests FROM account_limits`

// ListAccountLimits is of core.LimitStore.
func (s *Store) ListAccountLimits(ctx context.Context) (limits []core.AccountLimits, err error) {
	err = s.do(ctx, accountLimitsSQL, nil, func(rows pgx.Rows) (err error) {
		limits, err = pgx.CollectRows(rows, pgx.RowToStructByPos[core.AccountLimits])
		return err
	})
	return limits, err
}

// tellLimitsSQL writes only what is different from what is there.
const tellLimitsSQL = `
WITH everybodys AS (
    INSERT INTO settings AS s (name, value) SELECT 'account_bytes', @bytes
    WHERE @bytes <> COALESCE((SELECT value FROM settings WHERE name = 'account_bytes'), '0')
    ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value
), not_full AS (
    DELETE FROM full_accounts WHERE account <> ALL (@full::text[])
)
INSERT INTO full_accounts (account) SELECT unnest(@full::text[]) EXCEPT SELECT account FROM full_accounts
ON CONFLICT DO NOTHING`

// TellLimits is of core.LimitStore.
func (s *Store) TellLimits(ctx context.Context, bytes int64, full []string) error {
	_, err := s.exec(ctx, tellLimitsSQL, pgx.StrictNamedArgs{"bytes": strconv.FormatInt(bytes, 10), "full": full})
	return err
}

// LiveServers is of core.LimitStore.
func (s *Store) LiveServers() int { return int(s.peers.others.Load()) + 1 }

const accountUseSQL = `
SELECT (SELECT count(*) FROM queues WHERE account = @account), (SELECT count(*) FROM topics WHERE account = @account),
    COALESCE((SELECT sum(c.bytes) FROM queues q CROSS JOIN LATERAL (
        SELECT sum(c.bytes) AS bytes FROM counts c WHERE c.storage_id = q.storage_id
    ) c WHERE q.account = @account), 0)::bigint`

// AccountUse is of core.LimitStore.
func (s *Store) AccountUse(ctx context.Context, account string) (use core.AccountUse, err error) {
	err = s.do(ctx, accountUseSQL, pgx.StrictNamedArgs{"account": account}, func(rows pgx.Rows) (err error) {
		use, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[core.AccountUse])
		return err
	})
	return use, err
}

// storedBytesSQL adds up the counters in one pass over them, and finds the queue of each storage.
const storedBytesSQL = `
SELECT q.account, sum(n.bytes)::bigint FROM (SELECT storage_id, sum(bytes) AS bytes FROM counts GROUP BY storage_id) n
CROSS JOIN LATERAL (SELECT q.account FROM queues q WHERE q.storage_id = n.storage_id LIMIT 1) q
GROUP BY q.account`

// StoredBytes is of core.LimitStore.
func (s *Store) StoredBytes(ctx context.Context) (map[string]int64, error) {
	stored := map[string]int64{}
	err := s.do(ctx, storedBytesSQL, nil, func(rows pgx.Rows) error {
		var account string
		var bytes int64
		_, err := pgx.ForEachRow(rows, []any{&account, &bytes}, func() error {
			stored[account] = bytes
			return nil
		})
		return err
	})
	return stored, err
}
