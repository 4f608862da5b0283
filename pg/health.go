package pg

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Health is what tells whether the database keeps up, for monitoring.
type Health struct {
	Sessions          int           // of all users of the database
	MaxSessions       int           // that the server allows, over all its databases
	OldestTransaction time.Duration // in this database, as far as this role may see; 0 for none
	Tables            []TableHealth // those that grow with messages
}

// TableHealth is the state of one table, its partitions included.
type TableHealth struct {
	Name     string
	Bytes    int64 // with indexes and what is stored out of line
	DeadRows int64 // an estimate of what vacuum has yet to remove
}

// healthSQL takes the sizes from the file system and the rest from the statistics; no table is read.
const healthSQL = `
SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())::integer,
    current_setting('max_connections')::integer,
    COALESCE((SELECT extract(epoch FROM max(clock_timestamp() - xact_start)) * 1000000 FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()), 0)::bigint,
    t.name, COALESCE(sum(pg_total_relation_size(p.relid)), 0)::bigint, COALESCE(sum(s.n_dead_tup), 0)::bigint
FROM unnest(@table::text[]) AS t(name)
CROSS JOIN LATERAL (
    SELECT relid FROM pg_partition_tree(to_regclass(t.name)) WHERE isleaf
    UNION SELECT to_regclass(t.name) -- of which a table without partitions has no tree
) p
LEFT JOIN pg_stat_user_tables s ON s.relid = p.relid
GROUP BY t.name ORDER BY t.name`

// growing are the tables that grow with messages.
var growing = []string{"archived", "audit_log", "counts", "deliveries", "fifo_messages", "groups", "message_log", "messages", "published"}

// Health tells how the database is.
func (s *Store) Health(ctx context.Context) (h Health, err error) {
	err = s.look(ctx, healthSQL, pgx.StrictNamedArgs{"table": growing}, func(rows pgx.Rows) error {
		var oldest int64
		var t TableHealth
		_, err := pgx.ForEachRow(rows, []any{&h.Sessions, &h.MaxSessions, &oldest, &t.Name, &t.Bytes, &t.DeadRows}, func() error {
			h.OldestTransaction = time.Duration(oldest) * time.Microsecond
			h.Tables = append(h.Tables, t)
			return nil
		})
		return err
	})
	return h, err
}
