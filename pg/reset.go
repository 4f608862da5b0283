package pg

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// lockTopicsSQL waits for who changes an account's topics, and so their subscriptions: what removes those sees what they have done.
const lockTopicsSQL = `SELECT count(*) FROM (SELECT FROM topics WHERE account = @account ORDER BY region, name FOR UPDATE) t`

const resetAccountSQL = `
WITH gone AS (
    DELETE FROM queues WHERE account = @account RETURNING id, storage_id
), dropped AS (
    INSERT INTO dropped_storages (storage_id) SELECT storage_id FROM gone
), moves AS ( -- also those of queues that were deleted before: the time of their next step is of a clock that is gone
    DELETE FROM move_tasks m WHERE m.account = @account
), kept AS (
    DELETE FROM account_attributes WHERE account = @account
), recorded AS (
    DELETE FROM records WHERE account = @account
), faultless AS (
    DELETE FROM faults WHERE account = @account
), unalarmed AS (
    DELETE FROM alerts WHERE account = @account
), cooled AS (
    DELETE FROM cooldowns WHERE account = @account
), orphaned AS (
    DELETE FROM subscriptions WHERE account = @account OR owner = @account
), topics AS (
    DELETE FROM topics WHERE account = @account RETURNING id
), published AS (
    DELETE FROM topic_deduplications d USING topics t WHERE d.topic_id = t.id
), attempted AS (
    DELETE FROM attempts WHERE account = @account
), outbox AS (
    DELETE FROM kept_messages WHERE account = @account
), forgotten AS ( -- the entries go with their partitions
    INSERT INTO message_log_starts (account, id) SELECT @account, CASE WHEN is_called THEN last_value ELSE 0 END FROM message_log_ids
    ON CONFLICT (account) DO UPDATE SET id = excluded.id
), clock AS (
    DELETE FROM clocks WHERE account = @account
)
SELECT id FROM gone`

// accountsToResetSQL leaps from one account to the next, however much each has.
const accountsToResetSQL = `
WITH RECURSIVE used AS (
    SELECT '' COLLATE "C" AS account
    UNION ALL
    SELECT n.account FROM used u CROSS JOIN LATERAL (SELECT LEAST( -- which passes over what has no more
        (SELECT min(account) FROM queues WHERE account > u.account),
        (SELECT min(account) FROM account_attributes WHERE account > u.account),
        (SELECT min(account) FROM records WHERE account > u.account),
        (SELECT min(account) FROM faults WHERE account > u.account),
        (SELECT min(account) FROM alerts WHERE account > u.account),
        (SELECT min(account) FROM cooldowns WHERE account > u.account),
        (SELECT min(account) FROM subscriptions WHERE account > u.account),
        (SELECT min(owner) FROM subscriptions WHERE owner > u.account AND gone_at IS NULL),
        (SELECT min(account) FROM topics WHERE account > u.account),
        (SELECT min(account) FROM attempts WHERE account > u.account),
        (SELECT min(account) FROM kept_messages WHERE account > u.account),
        (SELECT min(account) FROM clocks WHERE account > u.account)
    ) AS account) n WHERE n.account IS NOT NULL
)
SELECT account FROM used WHERE account <> '' LIMIT @limit`

// AccountsToReset is of core.Store.
func (s *Store) AccountsToReset(ctx context.Context) (accounts []string, err error) {
	err = s.do(ctx, accountsToResetSQL, pgx.StrictNamedArgs{"limit": core.MaxScopes}, func(rows pgx.Rows) (err error) {
		accounts, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return accounts, err
}

// ResetAccount is of core.Store.
func (s *Store) ResetAccount(ctx context.Context, account string) error {
	var gone []int64
	err := s.transaction(ctx, func(tx pgx.Tx) error {
		args := pgx.StrictNamedArgs{"account": account}
		if _, err := tx.Exec(ctx, lockTopicsSQL, args); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, resetAccountSQL, args)
		if err == nil {
			gone, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		}
		return err
	})
	for _, id := range gone {
		if queue := s.queues.ofID(id); queue != nil {
			s.marks.forget(queue.Storage)
		}
		s.queues.forgetID(id)
		s.announceChange(id)
	}
	s.routes.forgetAll()
	s.clock.forgetAll()
	s.announceAll()
	return err
}
