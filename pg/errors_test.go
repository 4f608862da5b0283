package pg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/polymq/polymq/core"
)

func TestTranslate(t *testing.T) {
	server := func(code string) error { return fmt.Errorf("query: %w", &pgconn.PgError{Code: code}) }
	tests := map[string]struct {
		err  error
		want core.Code
	}{
		"connection refused":    {&net.OpError{Op: "dial", Err: errors.New("connection refused")}, core.Unavailable},
		"connection lost":       {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), core.Unavailable},
		"took too long":         {context.DeadlineExceeded, core.Unavailable},
		"caller went away":      {context.Canceled, core.Internal},
		"shutting down":         {server("57P01"), core.Unavailable},
		"starting up":           {server("57P03"), core.Unavailable},
		"too many connections":  {server("53300"), core.Unavailable},
		"disk full":             {server("53100"), core.Unavailable},
		"a standby":             {server("25006"), core.Unavailable},
		"an application's lock": {server("55P03"), core.Unavailable},
		"no UTF-8":              {server("22021"), core.InvalidArgument},
		"a 0 in JSON":           {server("22P05"), core.InvalidArgument},
		"a bad row":             {server("22003"), core.Internal},
		"a missing table":       {server("42P01"), core.Internal},
		"the core's own":        {core.Errorf(core.QueueNotFound, "no"), core.QueueNotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := translate(tt.err)
			if got := core.CodeOf(err); got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%v has code %s, want %s", err, got, tt.want)
			}
		})
	}
	if err := translate(core.ErrQueueChanged); !errors.Is(err, core.ErrQueueChanged) {
		t.Errorf("a changed queue became %v", err)
	}
}

func TestPasswordsStayOutOfMessages(t *testing.T) {
	for _, url := range []string{"postgres://user:secret@host:port/db", "postgres://user:secret@host/db?sslmode=nonsense", "password=secret port=nonsense"} {
		_, err := Open(context.Background(), Options{URL: url})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
		if err := CheckSchema(context.Background(), Options{URL: url}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
