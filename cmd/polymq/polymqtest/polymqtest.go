// Package polymqtest starts polymq inside a Go test, on a database that only the test has. PostgreSQL comes
// from POLYMQ_TEST_DATABASE_URL, else one is started that all tests of the machine share; the first start
// takes a second or two, the next ones some 50 ms.
//
//	func TestOrders(t *testing.T) {
//		srv := polymqtest.Start(t)
//		client := sqs.NewFromConfig(aws.Config{BaseEndpoint: aws.String(srv.URL()), …})
//		…
//		polymqtest.Advance(t, srv, "000000000000", time.Hour) // a visibility timeout passes at once
//	}
package polymqtest

import (
	"context"
	"testing"
	"time"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg/pgtest"
)

// Start starts a server in test mode that listens on a free port of this machine, and stops it after the
// test. It logs what is worth a warning to the test.
func Start(t testing.TB) *server.Server {
	t.Helper()
	srv, err := server.Start(t.Context(), server.Config{
		Listen:           []string{"127.0.0.1:0"},
		DatabaseURL:      pgtest.DatabaseURL(t),
		DatabasePoolSize: pgtest.PoolSize,
		TestMode:         true,
		LogLevel:         "warn",
		LogOutput:        t.Output(),
	})
	if err != nil {
		t.Fatalf("start polymq: %v", err)
	}
	t.Cleanup(func() {
		if err := srv.Stop(context.Background()); err != nil {
			t.Errorf("stop polymq: %v", err)
		}
	})
	return srv
}

// Advance moves an account's time forward, so that delays, visibility timeouts and retries come due.
func Advance(t testing.TB, srv *server.Server, account string, by time.Duration) {
	t.Helper()
	if _, err := srv.Broker().AdvanceClock(t.Context(), account, by); err != nil {
		t.Fatalf("move the time of account %s: %v", account, err)
	}
}
