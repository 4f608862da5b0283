package pg

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

const addUsageSQL = `
INSERT INTO usage AS u (account, day, service, requests, units, receives, empty_receives)
SELECT account, current_date, service, requests, units, receives, empty_receives
FROM unnest(@account::text[], @service::text[], @requests::bigint[], @units::bigint[], @receives::bigint[], @empty_receives::bigint[])
    AS n(account, service, requests, units, receives, empty_receives)
ON CONFLICT (account, day, service) DO UPDATE SET requests = u.requests + EXCLUDED.requests, units = u.units + EXCLUDED.units,
    receives = u.receives + EXCLUDED.receives, empty_receives = u.empty_receives + EXCLUDED.empty_receives`

// AddUsage is of core.Store. Rows are locked in key order.
func (s *Store) AddUsage(ctx context.Context, used []core.Usage) error {
	used = slices.Clone(used)
	slices.SortFunc(used, func(a, b core.Usage) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Service, b.Service))
	})
	for part := range slices.Chunk(used, core.MaxUsage) {
		accounts, services, requests := make([]string, len(part)), make([]string, len(part)), make([]int64, len(part))
		units, receives, empty := make([]int64, len(part)), make([]int64, len(part)), make([]int64, len(part))
		for i, u := range part {
			accounts[i], services[i], requests[i], units[i], receives[i], empty[i] = u.Account, u.Service, u.Requests, u.Units, u.Receives, u.EmptyReceives
		}
		if _, err := s.exec(ctx, addUsageSQL, pgx.StrictNamedArgs{
			"account": accounts, "service": services, "requests": requests, "units": units, "receives": receives, "empty_receives": empty,
		}); err != nil {
			return err
		}
	}
	return nil
}

const usageSQL = `
SELECT account, service, sum(requests)::bigint, sum(units)::bigint, sum(receives)::bigint, sum(empty_receives)::bigint
FROM usage WHERE account = @account AND day > current_date - @days::integer GROUP BY account, service ORDER BY service`

// Usage is of core.Store.
func (s *Store) Usage(ctx context.Context, account string, days int) (used []core.Usage, err error) {
	err = s.look(ctx, usageSQL, pgx.StrictNamedArgs{"account": account, "days": days}, func(rows pgx.Rows) (err error) {
		used, err = pgx.CollectRows(rows, pgx.RowToStructByPos[core.Usage])
		return err
	})
	return used, err
}

const forgetUsageSQL = `
DELETE FROM usage WHERE ctid = ANY (ARRAY(SELECT ctid FROM usage WHERE day <= current_date - @days::integer LIMIT @limit FOR UPDATE SKIP LOCKED))`

// ForgetUsage removes up to limit rows that are older than core.MaxUsageDays, and gives how many.
func (s *Store) ForgetUsage(ctx context.Context, limit int) (int, error) {
	return s.exec(ctx, forgetUsageSQL, pgx.StrictNamedArgs{"days": core.MaxUsageDays, "limit": limit})
}
