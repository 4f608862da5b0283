package faults

import (
	"context"
	"errors"
	"flag"
	"net/url"
	"path/filepath"
	"testing"
	"time"
)

var kills = flag.Int("kills", 2, "how often polymq or PostgreSQL is killed in a test")

// The server may be killed at any time, whatever the durability: what it acknowledged was in PostgreSQL.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T) []string{
		"embedded":     func(t *testing.T) []string { return []string{"--data-dir", dataDir(t)} },
		"none":         func(t *testing.T) []string { return []string{"--data-dir", dataDir(t), "--durability", "none"} },
		"database-url": func(t *testing.T) []string { return []string{"--database-url", testDatabase(t)} },
		"relaxed": func(t *testing.T) []string {
			return []string{"--database-url", testDatabase(t), "--durability", "relaxed"}
		},
	}
	for name, args := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, args(t)...)
			createQueue(t, srv.url, "orders")
			load := startLoad(t, newLedger(), clients(srv.url, "orders")...)
			for range *kills {
				load.run(t)
				srv.kill()
				srv.start(t)
			}
			load.run(t)
			mustNotRefuse(t, load.failed())
			load.settle(t, newAPI(srv.url, "orders"))
		})
	}
}

// PostgreSQL may be killed at any time too: the server stays and serves again when PostgreSQL does.
func TestPostgresKilled(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T) (args []string, dir, url string){
		"embedded": func(t *testing.T) ([]string, string, string) {
			dir := dataDir(t)
			return []string{"--data-dir", dir}, dir, embeddedURL(dir)
		},
		"database-url": func(t *testing.T) ([]string, string, string) {
			postgres := startPostgres(t)
			return []string{"--database-url", postgres.url}, postgres.options.DataDir, postgres.url
		},
	}
	for name, start := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args, dir, database := start(t)
			srv := serve(t, args...)
			createQueue(t, srv.url, "orders")
			createQueue(t, srv.url, "quiet")
			polls := startPolls(t, srv.url, "quiet")
			load := startLoad(t, newLedger(), clients(srv.url, "orders")...)
			for range *kills {
				load.run(t)
				killPostgres(t, dir)
				back := awaitDatabase(t, database)
				mustSucceedSoon(t, load, back)
			}
			load.run(t)
			mustBeRetryable(t, load.failed())
			polls.mustReceive(t)
			load.settle(t, newAPI(srv.url, "orders"))
			srv.mustRun(t)
		})
	}
}

// embeddedURL is how the PostgreSQL in a data directory of polymq is reached from outside of it.
func embeddedURL(dir string) string {
	query := url.Values{"host": {filepath.Join(dir, "socket")}, "sslmode": {"disable"}}
	return "postgres://polymq@/polymq?" + query.Encode()
}

// mustSucceedSoon fails the test unless a request succeeds soon after the database is back.
func mustSucceedSoon(t *testing.T, load *load, back time.Time) {
	t.Helper()
	select {
	case first := <-load.firstSuccess():
		took := first.Sub(back)
		t.Logf("first success %v after the database was back", took.Round(time.Millisecond))
		if took > inTime {
			t.Errorf("the first success came %v after the database was back, want at most %v", took, inTime)
		}
	case <-time.After(patience):
		t.Fatalf("no request succeeds %v after the database is back, the last failure: %v", patience, load.lastFailure())
	}
}

// polls are long polls on an empty queue, one of each protocol.
type polls struct {
	clients []client
	answers chan poll
}

// poll is how a long poll ended.
type poll struct {
	protocol string
	messages []message
	err      error
	took     time.Duration
}

// longestPoll is the longest that all protocols allow.
const longestPoll = 20 * time.Second

// startPolls starts the long polls.
func startPolls(t *testing.T, base, queue string) *polls {
	t.Helper()
	p := &polls{clients: clients(base, queue)}
	p.answers = make(chan poll, len(p.clients))
	ctx := context.WithoutCancel(t.Context())
	for _, c := range p.clients {
		go func() { p.answers <- pollUntilAnswered(ctx, c) }()
	}
	return p
}

// pollUntilAnswered polls again when the time of a poll is over, or when one could not begin to wait.
func pollUntilAnswered(ctx context.Context, c client) poll {
	for {
		began := time.Now()
		messages, err := c.receive(ctx, longestPoll)
		took := time.Since(began)
		timedOut := err == nil && len(messages) == 0 && took >= longestPoll
		neverBegan := errors.Is(err, unavailable[c.protocol()]) && took < longestPoll/2
		if !timedOut && !neverBegan {
			return poll{c.protocol(), messages, err, took}
		}
	}
}

// mustReceive sends a message for each poll and fails the test unless all of them get one.
func (p *polls) mustReceive(t *testing.T) {
	t.Helper()
	select {
	case early := <-p.answers:
		t.Fatalf("a long poll ended early: %+v", early)
	default:
	}
	for _, c := range p.clients {
		if err := c.send(t.Context(), "for a poll"); err != nil {
			t.Fatalf("send: %v", err)
		}
		select {
		case got := <-p.answers:
			if got.err != nil || len(got.messages) == 0 {
				t.Errorf("a long poll ended without a message: %+v", got)
			}
		case <-time.After(patience):
			t.Fatal("no long poll gets the message")
		}
	}
}
