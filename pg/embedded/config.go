package embedded

import "fmt"

// settings is the configuration for the load that polymq brings: many small commits, rows that live for
// milliseconds, few connections, a machine that has other things to do. What was measured is in doc.go.
const settings = `# Written by polymq at every start. What should differ goes into user.conf beside
# this file, which is read after it, or into ALTER SYSTEM, which wins over both.

max_connections = 50
shared_buffers = 128MB
huge_pages = off
wal_level = minimal
max_wal_senders = 0
wal_compression = on
min_wal_size = 256MB
max_wal_size = 512MB # bounds recovery to a few seconds
checkpoint_timeout = 10min
checkpoint_completion_target = 0.9

# Queue tables turn over completely within seconds.
autovacuum_naptime = 10s
autovacuum_vacuum_scale_factor = 0.05
autovacuum_vacuum_insert_scale_factor = 0.1
autovacuum_analyze_scale_factor = 0.05
autovacuum_vacuum_cost_delay = 1ms

# Short statements gain nothing from compilation or from parallel workers.
jit = off
max_parallel_workers_per_gather = 0
max_logical_replication_workers = 0

unix_socket_permissions = 0700
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
logging_collector = off
log_line_prefix = '%m [%p] '
log_min_error_statement = panic # a statement's text may hold a secret
log_checkpoints = off
`

// noDurability is added for durability "none": a crash of the machine may ruin the cluster.
const noDurability = `
fsync = off
full_page_writes = off
synchronous_commit = off
`

// forTests is added for Shared: many packages test at once, each with connections of its own; the errors that
// they provoke are not worth keeping; and after a crash the next start begins afresh.
const forTests = noDurability + `
max_connections = 1000
log_min_messages = panic
restart_after_crash = off
`

// access is pg_hba.conf: the socket's directory lets in nobody else, the network needs a password.
func access(network bool) string {
	rules := "local all all trust\n"
	if network {
		rules += fmt.Sprintf("host %s %s all scram-sha-256\n", database, role)
	}
	return rules
}
