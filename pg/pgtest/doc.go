// Package pgtest gives each test a database of its own, on the PostgreSQL of
// POLYMQ_TEST_DATABASE_URL or else on an embedded one that all test processes share. Databases are
// cloned from a template that is migrated once, so that tests run in parallel, and notifications
// and locks of one do not reach another. Time is moved with AdvanceClock, never slept through.
package pgtest
