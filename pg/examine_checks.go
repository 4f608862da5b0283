package pg

// check is a statement that gives findings: severity, what was found, what to change.
type check struct {
	name       string
	sql        string
	schema     bool // it wants the name of the schema
	durability bool // a fault is what durability relaxed and none accept
}

var checks = []check{
	{name: "version", sql: `
SELECT CASE WHEN v < 150000 THEN 'error' WHEN v >= 190000 THEN 'warning' ELSE 'ok' END,
    'PostgreSQL ' || current_setting('server_version'),
    CASE WHEN v < 150000 THEN 'PostgreSQL 15 is the oldest that polymq works on' WHEN v >= 190000 THEN 'polymq is tested on 15 to 18' ELSE '' END
FROM (SELECT current_setting('server_version_num')::int AS v) s`},

	{name: "writable", sql: `
SELECT CASE WHEN pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool THEN 'error' ELSE 'ok' END,
    CASE WHEN pg_is_in_recovery() THEN 'this is a standby, which takes no writes' WHEN current_setting('default_transaction_read_only')::bool
        THEN 'default_transaction_read_only is on' ELSE 'yes' END,
    CASE WHEN pg_is_in_recovery() THEN 'name all hosts in database-url, with target_session_attrs=read-write' WHEN current_setting('default_transaction_read_only')::bool
        THEN 'ALTER DATABASE … SET default_transaction_read_only = off' ELSE '' END`},

	{name: "encoding", sql: `
SELECT CASE WHEN e = 'UTF8' THEN 'ok' ELSE 'error' END, e, CASE WHEN e = 'UTF8' THEN '' ELSE 'make a database with ENCODING ''UTF8''' END
FROM (SELECT current_setting('server_encoding') AS e) s`},

	{name: "durability", durability: true, sql: `
SELECT CASE WHEN bad THEN 'error' ELSE 'ok' END, name || ' = ' || current_setting(name),
    CASE WHEN bad THEN 'turn it on: a crash of the machine can ruin the database; or say --durability none where nothing needs to last' ELSE '' END
FROM (SELECT name, NOT current_setting(name)::bool AS bad FROM unnest(ARRAY['fsync', 'full_page_writes']) AS name) s`},

	{name: "synchronous standbys", sql: `
SELECT CASE WHEN s <> '' AND n = 0 THEN 'error' ELSE 'ok' END,
    CASE WHEN s = '' THEN 'none are asked for' ELSE n || ' of ' || s END,
    CASE WHEN s <> '' AND n = 0 THEN 'every commit waits for a standby that is not there: start it, or empty synchronous_standby_names' ELSE '' END
FROM (SELECT current_setting('synchronous_standby_names') AS s, (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')) AS n) x`},

	{name: "replication", sql: `
SELECT CASE WHEN lag > 256 * 1024 * 1024 THEN 'warning' ELSE 'ok' END, COALESCE(application_name, '') || ' is ' || pg_size_pretty(lag) || ' behind',
    CASE WHEN lag > 256 * 1024 * 1024 THEN 'see what holds the standby up: a failover to it loses what it has not got' ELSE '' END
FROM (SELECT application_name, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) AS lag FROM pg_stat_replication WHERE NOT pg_is_in_recovery()) s
WHERE lag IS NOT NULL`},

	{name: "replication slots", sql: `
SELECT 'warning', 'slot ' || slot_name || ' is used by nobody and keeps ' || COALESCE(pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), '?') || ' of WAL',
    'SELECT pg_drop_replication_slot(' || quote_literal(slot_name) || ') if it is not needed: else the disk fills, and dead rows stay'
FROM pg_replication_slots WHERE NOT active AND NOT pg_is_in_recovery()`},

	{name: "rights", schema: true, sql: `
SELECT CASE WHEN oid IS NULL THEN 'warning' WHEN has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE') THEN 'ok' ELSE 'error' END,
    CASE WHEN oid IS NULL THEN current_user || ' has no schema ' || @schema::text || ' yet'
        WHEN has_schema_privilege(oid, 'CREATE') THEN current_user || ' may migrate the schema' ELSE current_user || ' may not make tables in the schema' END,
    CASE WHEN oid IS NULL OR has_schema_privilege(oid, 'CREATE') THEN '' ELSE format('ALTER SCHEMA %I OWNER TO %I', @schema::text, current_user) END
FROM (SELECT (SELECT oid FROM pg_namespace WHERE nspname = @schema) AS oid) s`},

	{name: "ownership", schema: true, sql: `
SELECT CASE WHEN count(*) FILTER (WHERE NOT own) > 0 THEN 'error' ELSE 'ok' END,
    count(*) FILTER (WHERE NOT own) || ' of ' || count(*) || ' tables belong to others than ' || current_user,
    CASE WHEN count(*) FILTER (WHERE NOT own) > 0 THEN 'REASSIGN OWNED BY … TO ' || quote_ident(current_user) || ': migrations and vacuum need their owner' ELSE '' END
FROM (SELECT pg_has_role(c.relowner, 'USAGE') AS own FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = @schema AND c.relkind IN ('r', 'p')) s`},

	{name: "connections", schema: true, sql: `
SELECT CASE WHEN used > 0.95 * room THEN 'error' WHEN used > 0.8 * room THEN 'warning' ELSE 'ok' END, used || ' of ' || room || ' are in use, ' || ours || ' by polymq',
    CASE WHEN used > 0.8 * room THEN 'raise max_connections, lower database-pool-size (each server takes that many and three more), or put a pooler before it' ELSE '' END
FROM (SELECT count(*) AS used, count(*) FILTER (WHERE application_name LIKE 'polymq%') AS ours,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - CASE
        WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = 'pg_use_reserved_connections' AND pg_has_role(oid, 'USAGE')) THEN 0
        ELSE COALESCE(current_setting('reserved_connections', true)::int, 0) END AS room -- both of PostgreSQL 16
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND @schema::text <> '') s`},

	{name: "long transactions", sql: `
SELECT CASE WHEN age > '1 hour' THEN 'error' WHEN age > '5 minutes' THEN 'warning' ELSE 'ok' END,
    CASE WHEN pid IS NULL THEN 'none' ELSE 'process ' || pid || ' of ' || COALESCE(usename, '?') || ' (' || COALESCE(application_name, '') || ') for ' || date_trunc('second', age) END,
    CASE WHEN age > '5 minutes' THEN 'SELECT pg_terminate_backend(' || pid || '), and set idle_in_transaction_session_timeout: while it lasts no dead row of any queue can be removed' ELSE '' END
FROM (SELECT 1) one LEFT JOIN LATERAL (
    SELECT pid, usename, application_name, clock_timestamp() - xact_start AS age FROM pg_stat_activity
    WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL AND backend_type = 'client backend' AND datname = current_database()
    ORDER BY xact_start LIMIT 1) s ON true`},

	{name: "prepared transactions", sql: `
SELECT 'error', 'the prepared transaction ' || gid || ' is ' || date_trunc('second', clock_timestamp() - prepared) || ' old',
    'ROLLBACK PREPARED ' || quote_literal(gid) || ' or COMMIT it: it holds locks, and dead rows stay'
FROM pg_prepared_xacts WHERE prepared < clock_timestamp() - interval '5 minutes' AND database = current_database()`},

	{name: "locks", sql: `
SELECT CASE WHEN n > 0 THEN 'warning' ELSE 'ok' END, n || ' sessions have waited for a lock for more than 10 s',
    CASE WHEN n > 0 THEN 'SELECT pid, pg_blocking_pids(pid), query FROM pg_stat_activity WHERE wait_event_type = ''Lock'' shows for whom' ELSE '' END
FROM (SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND clock_timestamp() - state_change > '10 s' AND datname = current_database()) s`},

	{name: "autovacuum", sql: `
SELECT CASE WHEN a AND t THEN 'ok' ELSE 'warning' END, CASE WHEN NOT a THEN 'off' WHEN NOT t THEN 'on, but track_counts is off' ELSE 'on' END,
    CASE WHEN a AND t THEN '' ELSE 'turn autovacuum and track_counts on: polymq vacuums its busy tables itself, and only those' END
FROM (SELECT current_setting('autovacuum')::bool AS a, current_setting('track_counts')::bool AS t) s`},

	{name: "dead rows", schema: true, sql: `
SELECT CASE WHEN bad THEN 'warning' ELSE 'ok' END, relname || ' has ' || n_dead_tup || ' dead rows beside ' || n_live_tup || ' others',
    CASE WHEN bad THEN format('VACUUM %I.%I; if they stay, an old transaction or replication slot holds them', schemaname, relname) ELSE '' END
FROM (SELECT *, n_dead_tup > 1000000 AND n_dead_tup > n_live_tup AS bad FROM pg_stat_user_tables WHERE schemaname = @schema ORDER BY n_dead_tup DESC LIMIT 3) s
WHERE bad OR n_dead_tup = (SELECT max(n_dead_tup) FROM pg_stat_user_tables WHERE schemaname = @schema) AND n_dead_tup > 0`},

	{name: "bloat", schema: true, sql: `
SELECT 'warning', format('%s takes %s for %s rows', s.relname, pg_size_pretty(bytes), live),
    format('VACUUM FULL %I.%I when it may be locked for a moment, or pg_repack', nspname, s.relname)
FROM (SELECT n.nspname, c.relname, pg_total_relation_size(c.oid) AS bytes, COALESCE(t.n_live_tup, 0) AS live
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_user_tables t ON t.relid = c.oid
    WHERE n.nspname = @schema AND c.relkind = 'r') s
WHERE bytes > 1024 * 1024 * 1024 AND live < 10000`},

	{name: "indexes", schema: true, sql: `
SELECT 'error', 'index ' || i.relname || ' is not usable', format('REINDEX INDEX CONCURRENTLY %I.%I', n.nspname, i.relname)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace WHERE n.nspname = @schema AND NOT x.indisvalid AND i.relkind = 'i'`},

	{name: "transaction ids", sql: `
SELECT CASE WHEN age > 1500000000 THEN 'error' WHEN age > 1000000000 THEN 'warning' ELSE 'ok' END, age || ' since the last freeze',
    CASE WHEN age > 1000000000 THEN 'VACUUM FREEZE, and see what holds autovacuum up: at 2 billion PostgreSQL refuses writes' ELSE '' END
FROM (SELECT age(datfrozenxid) AS age FROM pg_database WHERE datname = current_database()) s`},

	{name: "memory", sql: `
SELECT CASE WHEN b < 128 * 1024 * 1024 THEN 'warning' ELSE 'ok' END, 'shared_buffers = ' || current_setting('shared_buffers'),
    CASE WHEN b < 128 * 1024 * 1024 THEN 'at least 128MB, better a quarter of the machine''s memory' ELSE '' END
FROM (SELECT setting::bigint * 8192 AS b FROM pg_settings WHERE name = 'shared_buffers') s`},

	{name: "checkpoints", sql: `
SELECT CASE WHEN b < 512 THEN 'warning' ELSE 'ok' END, 'max_wal_size = ' || current_setting('max_wal_size'),
    CASE WHEN b < 512 THEN 'at least 512MB, better 2GB: checkpoints in short intervals write each page again in full' ELSE '' END
FROM (SELECT setting::bigint AS b FROM pg_settings WHERE name = 'max_wal_size') s`},

	{name: "size", sql: `SELECT 'ok', pg_size_pretty(pg_database_size(current_database())), ''`},
}
