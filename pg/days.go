package pg

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Bounds of a log's partitions.
const (
	logDaysAhead = 3    // for which partitions exist
	logDropBatch = 5000 // entries of the default partition removed at once
)

// The logs that are kept in a partition a day, each by the column logged_at, with a default partition.
const (
	messageLog = "message_log"
	auditLog   = "audit_log"
)

// TurnLog makes the message log's partitions for the days to come and drops those whose entries are all older
// than keep.
func (s *Store) TurnLog(ctx context.Context, keep time.Duration) error {
	return s.turnDays(ctx, messageLog, keep)
}

// TurnAudit is as TurnLog, of the audit log.
func (s *Store) TurnAudit(ctx context.Context, keep time.Duration) error {
	return s.turnDays(ctx, auditLog, keep)
}

const logDaysSQL = `
SELECT current_date, COALESCE(array_agg(p.relname::text) FILTER (WHERE p.relname ~ ('^' || $1 || '_[0-9]{8}$')), '{}')
FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid WHERE i.inhparent = $1::text::regclass`

// turnDays turns the pages of a log. Days begin tomorrow: what is there of today may lie in the default
// partition already.
func (s *Store) turnDays(ctx context.Context, log string, keep time.Duration) error {
	return s.transaction(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1::text::regclass::oid::bigint)`, log); err != nil {
			return err
		}
		var today time.Time
		var partitions []string
		if err := tx.QueryRow(ctx, logDaysSQL, log).Scan(&today, &partitions); err != nil {
			return err
		}
		exists := map[string]bool{}
		for _, name := range partitions {
			exists[name] = true
			day, err := time.Parse("20060102", name[len(log)+1:])
			if err != nil || !day.AddDate(0, 0, 1).Before(today.Add(-keep)) {
				continue
			}
			if _, err := tx.Exec(ctx, `DROP TABLE `+pgx.Identifier{name}.Sanitize()); err != nil {
				return fmt.Errorf("drop %s: %w", name, err)
			}
		}
		for ahead := 1; ahead <= logDaysAhead; ahead++ {
			day := today.AddDate(0, 0, ahead)
			name := log + "_" + day.Format("20060102")
			if exists[name] {
				continue
			}
			sql := fmt.Sprintf(`CREATE TABLE %s PARTITION OF %s FOR VALUES FROM ('%s') TO ('%s')`,
				pgx.Identifier{name}.Sanitize(), log, day.Format(time.DateOnly), day.AddDate(0, 0, 1).Format(time.DateOnly))
			if _, err := tx.Exec(ctx, sql); err != nil {
				return fmt.Errorf("make %s: %w", name, err)
			}
		}
		_, err := tx.Exec(ctx, fmt.Sprintf(`DELETE FROM %[1]s_default WHERE ctid = ANY (ARRAY(
			SELECT ctid FROM %[1]s_default WHERE logged_at < now() - $1::interval LIMIT $2))`, log), keep, logDropBatch)
		return err
	})
}
