package pg

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/polymq/polymq/core"
)

// A statement whose time is over is cancelled, and its answer is waited for a while longer: it says whether the transaction
// happened. Who does not know it has to expect both.
const (
	answerTimeout = time.Second // for that answer, after which the connection is given up
	freshlyUsed   = time.Second // for which an idle connection is not asked whether it lives
)

var errNotReplicated = core.Errorf(core.Unavailable, "the database has not replicated it yet")

// cancelAndListen is how connections of the pool end a statement whose context is over.
func cancelAndListen(conn *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: answerTimeout}
}

// notReplicated marks a connection whose transaction is committed, but not where it should have been replicated to.
const notReplicated = "polymq.not_replicated"

// hearNotice hears what PostgreSQL says beside its answers. One that is cancelled while it waits for a synchronous standby has
// committed, and answers as if all were well.
func hearNotice(conn *pgconn.PgConn, n *pgconn.Notice) {
	if n.Routine == "SyncRepWaitForLSN" {
		conn.CustomData()[notReplicated] = true
	}
}

// shouldPing says whether a connection is asked whether it lives before it is used: when it has been idle for long, or
// since before another one was lost. Together they go when PostgreSQL starts anew.
func (s *Store) shouldPing(_ context.Context, conn pgxpool.ShouldPingParams) bool {
	lost := s.lost.Load()
	return conn.IdleDuration > freshlyUsed || lost != nil && time.Since(*lost) < conn.IdleDuration
}

// isLost notes that a connection was lost.
func (s *Store) isLost() {
	now := time.Now()
	s.lost.Store(&now)
}

// using does something by a connection of the pool.
func (s *Store) using(ctx context.Context, do func(*pgxpool.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return s.outcome(ctx, conn, do(conn))
}

// send runs a batch as one transaction.
func (s *Store) send(ctx context.Context, batch *pgx.Batch) error {
	return s.using(ctx, func(conn *pgxpool.Conn) error { return conn.SendBatch(ctx, batch).Close() })
}

// outcome completes the error that a transaction ended with.
func (s *Store) outcome(ctx context.Context, conn *pgxpool.Conn, err error) error {
	if conn.Conn().IsClosed() {
		s.isLost()
	}
	if marks := conn.Conn().PgConn().CustomData(); marks[notReplicated] != nil {
		delete(marks, notReplicated)
		if err == nil {
			return errNotReplicated
		}
	}
	if why := ctx.Err(); why != nil && hasCode(err, cancelled) {
		return fmt.Errorf("%w: %w", why, err)
	}
	return err
}

// cancelled is the SQLSTATE of a statement that was cancelled.
const cancelled = "57014"

func hasCode(err error, code string) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == code
}

// isUnknown reports whether a transaction that was sent and ended with an error may have happened: only an answer of PostgreSQL's says
// that it did not, and not one with which the session ended, for that may come after the commit.
func isUnknown(err error) bool {
	var answer *pgconn.PgError
	return err != nil && (!errors.As(err, &answer) || answer.SeverityUnlocalized != "ERROR")
}

// lookAnew has everyone look from the start at the queues of a train of which nobody knows whether it happened. What happens
// so late that they find nothing yet is found by sweeps, and so is what transactions beside the trains leave.
func (s *Store) lookAnew(t *train) {
	seen := map[int64]bool{}
	t.eachQueue(func(queue *core.Queue) {
		if !seen[queue.Storage] {
			seen[queue.Storage] = true
			s.unfolded.add([]int64{queue.Storage})
			s.announce(queue, 1, 0, time.Unix(0, 0))
		}
	})
}
