// Package pgtest gives each test a database of its own, on the PostgreSQL of
// POLYMQ_TEST_DATABASE_URL or else on an embedded one that all test processes share, of the major
// version POLYMQ_TEST_POSTGRES_VERSION where that is set (fetched if it is not there). The role of that
// URL makes databases and roles and ends sessions of others (CREATEDB, CREATEROLE with createrole_self_grant, pg_signal_backend). Databases are
// cloned from a template that is migrated once, so that tests run in parallel, and notifications
// and locks of one do not reach another. Time is moved with AdvanceClock, never slept through. What cannot
// run on a machine is told by NotRun.
package pgtest
