package pg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// faultEndedSQL says of a rule f whether it has had all its hits, or its time.
const faultEndedSQL = `(f.most > 0 AND f.hits >= f.most
    OR COALESCE(f.until <= now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = f.account), '0'), false))`

// A rule that is put over another counts as new: servers know it by its time. Those that have ended make room, the oldest first.
const putFaultSQL = `
WITH others AS (
    SELECT name, ended, row_number() OVER (ORDER BY ended, created_at DESC) AS place
    FROM (SELECT f.name, f.created_at, ` + faultEndedSQL + ` AS ended FROM faults f WHERE f.account = @account AND f.name <> @name) f
), gone AS (
    DELETE FROM faults f USING others o WHERE f.account = @account AND f.name = o.name AND o.ended AND o.place >= @most_rules
), room AS (
    SELECT count(*) < @most_rules AS is_there FROM others WHERE NOT ended
)
INSERT INTO faults (account, name, rule, most, until, created_at)
SELECT @account, @name, @rule, @most, now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0') + @length::interval, clock_timestamp()
FROM room WHERE is_there
ON CONFLICT (account, name) DO UPDATE
SET rule = excluded.rule, most = excluded.most, until = excluded.until, created_at = excluded.created_at, hits = 0
RETURNING until, created_at`

// PutFault is of core.FaultStore.
func (s *Store) PutFault(ctx context.Context, f core.Fault) (core.Fault, error) {
	rule, err := json.Marshal(f)
	if err != nil {
		return f, fmt.Errorf("encode a fault rule: %w", err)
	}
	args := pgx.StrictNamedArgs{"account": f.Account, "name": f.Name, "rule": string(rule), "most": f.Most, "length": nil, "most_rules": core.MaxFaults}
	if f.Length > 0 {
		args["length"] = f.Length
	}
	err = s.do(ctx, putFaultSQL, args, func(rows pgx.Rows) error {
		var until *time.Time
		_, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (struct{}, error) {
			return struct{}{}, row.Scan(&until, &f.CreatedAt)
		})
		if until != nil {
			f.Until = *until
		}
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return f, core.Errorf(core.Throttled, "an account has at most %d fault rules", core.MaxFaults)
	}
	return f, err
}

const deleteFaultSQL = `DELETE FROM faults WHERE account = @account AND name = @name`

// DeleteFault is of core.FaultStore.
func (s *Store) DeleteFault(ctx context.Context, account, name string) error {
	deleted, err := s.exec(ctx, deleteFaultSQL, pgx.StrictNamedArgs{"account": account, "name": name})
	if err == nil && deleted == 0 {
		return core.Errorf(core.FaultNotFound, "there is no fault rule %q", name)
	}
	return err
}

const faultsSQL = `
SELECT account, name, rule, hits, until, created_at FROM faults f
WHERE account = @account OR @account = '' AND NOT ` + faultEndedSQL + ` ORDER BY account, name LIMIT @limit`

// Faults is of core.FaultStore.
func (s *Store) Faults(ctx context.Context, account string, limit int) (faults []core.Fault, err error) {
	err = s.do(ctx, faultsSQL, pgx.StrictNamedArgs{"account": account, "limit": limit}, func(rows pgx.Rows) (err error) {
		faults, err = pgx.CollectRows(rows, scanFault)
		return err
	})
	return faults, err
}

const forgetFaultsSQL = `
WITH old AS (
    SELECT f.ctid AS place FROM faults f
    WHERE f.most > 0 AND f.hits >= f.most AND f.created_at <= now() - @kept::interval
        OR f.until <= now() - @kept::interval + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = f.account), '0')
    LIMIT @limit FOR UPDATE SKIP LOCKED
)
DELETE FROM faults f USING old WHERE f.ctid = old.place`

// ForgetFaults removes up to limit rules that have ended and are old, and gives how many.
func (s *Store) ForgetFaults(ctx context.Context, limit int) (int, error) {
	return s.exec(ctx, forgetFaultsSQL, pgx.StrictNamedArgs{"kept": core.MaxEndedFaultKept, "limit": limit})
}

func scanFault(row pgx.CollectableRow) (core.Fault, error) {
	var f core.Fault
	var account, name string
	var rule []byte
	var hits int64
	var until *time.Time
	var created time.Time
	if err := row.Scan(&account, &name, &rule, &hits, &until, &created); err != nil {
		return f, err
	}
	if err := json.Unmarshal(rule, &f); err != nil {
		return f, fmt.Errorf("decode the fault rule %s: %w", name, err)
	}
	f.Account, f.Name, f.Hits, f.CreatedAt = account, name, hits, created
	if until != nil {
		f.Until = *until
	}
	return f, nil
}

const hitFaultSQL = `
UPDATE faults f SET hits = hits + 1
WHERE account = @account AND name = @name AND (most = 0 OR hits < most)
    AND (until IS NULL OR until > now() + COALESCE((SELECT ahead FROM clocks c WHERE c.account = f.account), '0'))`

// HitFault is of core.FaultStore.
func (s *Store) HitFault(ctx context.Context, account, name string) (bool, error) {
	n, err := s.exec(ctx, hitFaultSQL, pgx.StrictNamedArgs{"account": account, "name": name})
	return n == 1, err
}
