package pg

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const advanceClockSQL = `
INSERT INTO clocks AS c (account, ahead) VALUES (@account, @by)
ON CONFLICT (account) DO UPDATE SET ahead = c.ahead + excluded.ahead
RETURNING now() + ahead`

const readClockSQL = `SELECT now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0')`

// AdvanceClock is of core.Store. What expires by it is removed before it returns, so that counts
// are right.
func (s *Store) AdvanceClock(ctx context.Context, account string, by time.Duration) (now time.Time, err error) {
	if by == 0 {
		return s.askTime(ctx, readClockSQL, pgx.StrictNamedArgs{"account": account})
	}
	if now, err = s.moveClock(ctx, account, by); err != nil {
		return now, err
	}
	s.accessKeys.forgetAll() // some may have expired; other servers are told to look at everything
	for {
		n, err := s.ExpireMessages(ctx, expireBatch)
		if err != nil || n < expireBatch {
			s.announceAll()
			return now, err
		}
	}
}

func (s *Store) askTime(ctx context.Context, sql string, args pgx.StrictNamedArgs) (now time.Time, err error) {
	err = s.do(ctx, sql, args, func(rows pgx.Rows) error {
		now, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[time.Time])
		return err
	})
	return now, err
}

// moveClock moves an account's time, and with it what is to be delivered. What is settled here at the same time is settled before or after.
func (s *Store) moveClock(ctx context.Context, account string, by time.Duration) (now time.Time, err error) {
	s.clock.settling.Lock()
	defer s.clock.settling.Unlock()
	if now, err = s.askTime(ctx, advanceClockSQL, pgx.StrictNamedArgs{"account": account, "by": by}); err != nil {
		return now, err
	}
	s.clock.forgetAll()
	return now, s.hastenDeliveries(ctx, account, by)
}

// clock gives the database's time without asking it each time: for the times that messages of
// topics carry, which must be known before they are stored. What is compared with stored times is
// the database's own now().
type clock struct {
	settling sync.RWMutex // held by those who settle deliveries, and alone by who moves time
	mu       sync.Mutex
	accounts map[string]clockReading
}

// clockReading is how far an account's time was ahead of this server's clock.
type clockReading struct {
	ahead time.Duration
	until time.Time // good for so long
}

// Bounds of the clock.
const (
	clockLife        = 10 * time.Second
	maxClockAccounts = 10_000
)

const exactTimeSQL = `SELECT clock_timestamp() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0')`

func (c *clock) init() { c.accounts = map[string]clockReading{} }

func (c *clock) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.accounts)
}

func (c *clock) reading(account string) (clockReading, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.accounts[account]
	return r, ok && time.Now().Before(r.until)
}

// now gives the account's time.
func (c *clock) now(ctx context.Context, s *Store, account string) (time.Time, error) {
	if r, ok := c.reading(account); ok {
		return time.Now().Add(r.ahead), nil
	}
	var there time.Time
	asked := time.Now()
	err := s.do(ctx, exactTimeSQL, pgx.StrictNamedArgs{"account": account}, func(rows pgx.Rows) (err error) {
		there, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[time.Time])
		return err
	})
	if err != nil {
		return there, err
	}
	here := asked.Add(time.Since(asked) / 2) // the answer is of about the middle of the wait
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.accounts) >= maxClockAccounts {
		clear(c.accounts)
	}
	c.accounts[account] = clockReading{there.Sub(here), here.Add(clockLife)}
	return there, nil
}
