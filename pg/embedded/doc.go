// Package embedded runs a private PostgreSQL: the one behind `polymq serve` when it is given no database, and
// the one behind tests.
//
// [Start] finds the server's programs on the machine, or fetches them once; makes the data directory the first
// time; starts PostgreSQL on a Unix socket that nobody else can reach; and brings it back when it dies, under
// the same URL. [Shared] gives all test processes of a user one server, which stops by itself when unused.
//
//	          ┌──────────── dies ◀───────────┐
//	          ▼                              │
//	locked ─▶ cleared of leftovers ─▶ starting ─▶ ready ─▶ stopping ─▶ done
//	                                   │ seven times in a row            ▲
//	                                   └─────────────────────────────────┘
//
// A data directory (Options.DataDir) holds
//
//	lock          locked while a polymq uses the directory; its process id
//	pgdata/       PostgreSQL's own directory, with user.conf for settings that should differ
//	socket/       the Unix socket; elsewhere when the path is too long for one
//	postgres.log  what PostgreSQL says, 4 MiB, and postgres.log.1 before that
//	password      of the role polymq, once there is a ListenAddress
//
// # Decisions
//
// 2026-11-21. The library embedded-postgres only fetches. Its Start runs pg_ctl, which refuses root, knows
// neither a Unix socket only nor leftovers, and makes a new data directory over one of another version. It
// has no way to download without starting, so it is sent to start a directory that cannot be started; that
// the download succeeded shows in a folder which it makes in between. It reads a download as a whole, so
// that progress can be told in seconds only, not in bytes.
//
// 2026-11-21. Processes are recognised by cluster_name, made of device and inode of the data directory, which
// PostgreSQL puts into every process's title. A postmaster that is killed leaves children that work on for as
// long as their statement takes and keep the shared memory, so that no other can start; they lead sessions of
// their own, and reading the working directory of another user's process takes a capability that root lacks
// in containers. Titles are readable for all, on macOS too.
//
// 2026-11-21. A supervisor in this process instead of pg_ctl: the kernel can then tell PostgreSQL to shut down
// when polymq is killed (Linux), and its end is known at once. Under writes and with a busy session, kill -9
// of the postmaster, of another process or of all of them cost 0.2 to 0.6 s until the next row was written.
//
// 2026-11-21. PostgreSQL that cannot be brought back within six seconds ends polymq, with PostgreSQL's own words. A full
// disk is the exception: it stops PostgreSQL by its WAL, and again in each recovery, but somebody will make room.
// Until then requests fail with what their SDKs try again after. Known by the words of the log, not by the free space,
// which says neither how much a recovery needs nor what a quota leaves.
//
// 2026-11-21. Readiness is read from postmaster.pid, as pg_ctl does, every 2 ms, and then proved by a
// connection: connecting while PostgreSQL recovers would put a line into its log each time. Measured on 2
// cores, fsync 0.15 ms, PostgreSQL 15: first start 1.3 s (initdb 0.85 s, its sync 0.15 s), start on existing
// data 0.12 s, stop 0.03 s, a new shared server 0.8 s, joining one 5 ms.
//
// 2026-11-21. Settings, measured with pgbench and four connections, each cycle inserting, receiving and
// deleting 32 messages of 200 bytes; the processor time per cycle, since the machine was not quiet. It was
// 1.2 to 2.0 ms for every variant, with more between two runs of one than between two variants: wal_level
// minimal or replica; wal_compression off, pglz, lz4; shared_buffers 64, 128, 256 MB; wal_buffers 4 or 16 MB;
// data checksums or not. What did show:
//   - wal_compression: 32 KiB of WAL per cycle instead of 39 with 300,000 messages waiting and a checkpoint
//     just past (28 without a backlog, compressed or not). pglz as good as lz4, and part of every build: on.
//   - wal_buffers of 16 MB cost 12 MB of memory, so they stay at PostgreSQL's choice, 4 MB. After such a run the
//     server holds 13 MB of its own.
//   - Replaying WAL after a crash took 6.5 ms of processor time per MiB, so max_wal_size of 512 MB keeps
//     recovery to about 3.5 s; with 1 GB it would be 7.
//   - wal_level minimal had no cost to save here. It stays because building an index on a big table then
//     writes no WAL, and because a private server has no replicas; user.conf can change it.
//   - Checksums stay as the version has them by default.
//
// 2026-11-21. Nor did these show in what PostgreSQL takes for a message in batches of 10 (35.0 us of processor time, medians of two runs of 60,000
// messages in turn): autovacuum once a minute instead of every 10 s (35.1; all of autovacuum and the server's own
// vacuum together take 1 to 2), and with that wal_compression lz4 and max_wal_size 1GB (36.2; writer and checkpointer take 0.5).
//
// 2026-11-21. initdb syncs what it makes (0.15 s), and the rename that puts it into place is synced: without
// that, the first acknowledged message could outlive a power failure in a cluster that did not.
//
// 2026-11-21. Trust over the socket, whose directory only PostgreSQL's user and root can enter: peer
// authentication would need every user in the user database. Over the network a generated password, by SCRAM.
// polymq's own role is no superuser; `psql -U postgres -h DATADIR/socket` is, for whoever may enter.
//
// 2026-11-21. Shared counts its users by advisory locks held by their sessions, and a session that its client
// has left behind in the server does the watching. Rejected: pid files (wrong across containers that share a
// temporary directory, and ids come again), and a watching process (a test program cannot be made to run
// something else without a hook in this package). The folder is below TMPDIR: where that is in memory, tests
// that make databases run about twice as fast.
package embedded
