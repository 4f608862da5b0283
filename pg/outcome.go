package pg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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
	pingTimeout   = time.Second // for a connection that has been idle to say that it lives, before it is used
)

var errNotReplicated = core.Errorf(core.Unavailable, "the database has not replicated it yet")

// cancelling is how connections of the pool end a statement whose context is over.
type cancelling struct {
	conn *pgconn.PgConn
	done chan struct{}
}

func cancelAndListen(conn *pgconn.PgConn) ctxwatch.Handler { return &cancelling{conn: conn} }

// HandleCancel is of ctxwatch.Handler. The cancellation is asked for by a connection of its own, which is left to whom it was asked to end, though the
// statement ends before: that of pgx's own handler is closed then, at which PgBouncer 1.18 ends with an error.
func (c *cancelling) HandleCancel(over context.Context) {
	const settles = 100 * time.Millisecond // in which PostgreSQL, having taken it, cancels this statement and not the next one
	c.done = make(chan struct{})
	deadline := time.Now().Add(answerTimeout)
	_ = c.conn.Conn().SetDeadline(deadline)
	go func() {
		defer close(c.done)
		ctx, cancel := context.WithDeadline(context.WithoutCancel(over), deadline)
		defer cancel()
		if err := c.conn.CancelRequest(ctx); err == nil {
			time.Sleep(settles)
		}
	}()
}

// HandleUnwatchAfterCancel is of ctxwatch.Handler.
func (c *cancelling) HandleUnwatchAfterCancel() {
	<-c.done
	_ = c.conn.Conn().SetDeadline(time.Time{})
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

// isLost has the pool make all connections anew, since one was lost: together they go when PostgreSQL starts anew, and when its machine
// is gone each would have to be waited for.
func (s *Store) isLost() { s.pool.Reset() }

// beforeClose hears of connections that turn out to be lost before they are used.
func (s *Store) beforeClose(conn *pgx.Conn) {
	if conn.IsClosed() {
		s.isLost()
	}
}

// left are connections that were lost, of which pgx is asking PostgreSQL to leave what they were at: for up to 15 s, where nobody answers.
type left struct {
	mu    sync.Mutex
	conns []*pgx.Conn
}

// release gives a connection back to the pool. Of one that was lost the place is free at once, unless as many as the pool has
// places are being left: a PostgreSQL that stands still is not to be filled with connections.
func (s *Store) release(conn *pgxpool.Conn) {
	defer conn.Release()
	if !conn.Conn().IsClosed() {
		return
	}
	s.isLost()
	s.left.mu.Lock()
	defer s.left.mu.Unlock()
	s.left.conns = slices.DeleteFunc(s.left.conns, func(c *pgx.Conn) bool {
		select {
		case <-c.PgConn().CleanupDone():
			return true
		default:
			return false
		}
	})
	if len(s.left.conns) < int(s.pool.Stat().MaxConns()) {
		s.left.conns = append(s.left.conns, conn.Hijack())
	}
}

// using does something by a connection of the pool.
func (s *Store) using(ctx context.Context, do func(*pgxpool.Conn) error) (err error) {
	defer func() { s.complain(err) }()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer s.release(conn)
	return s.outcome(ctx, conn, do(conn))
}

// complain has the log know that the database fails, which clients are told to wait for.
func (s *Store) complain(err error) {
	if err != nil && core.CodeOf(translate(err)) == core.Unavailable {
		s.minute.Warn().Err(err).Msg("the database fails")
	}
}

// send runs a batch as one transaction.
func (s *Store) send(ctx context.Context, batch *pgx.Batch) error {
	return s.using(ctx, func(conn *pgxpool.Conn) error { return conn.SendBatch(ctx, batch).Close() })
}

// outcome completes the error that a transaction ended with.
func (s *Store) outcome(ctx context.Context, conn *pgxpool.Conn, err error) error {
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
