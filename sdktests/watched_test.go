package sdktests

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/polymq/polymq/pg/pgtest"
)

// watched stands between a server and its database, and writes down what SQL the server runs there.
type watched struct {
	mu  sync.Mutex
	ran []string
}

// watchedDatabase gives the URL of a database of its own, which leads through what watches it.
func watchedDatabase(t *testing.T) (databaseURL string, ran *watched) {
	t.Helper()
	to, err := pgconn.ParseConfig(pgtest.DatabaseURL(t))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &watched{}
	var open sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); open.Wait() })
	open.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { s.serve(client, to) })
		}
	})
	through := url.URL{Scheme: "postgres", User: url.UserPassword(to.User, to.Password), Host: l.Addr().String(), Path: "/" + to.Database, RawQuery: "sslmode=disable"}
	return through.String(), s
}

// serve passes a connection on until either side ends it.
func (s *watched) serve(client net.Conn, to *pgconn.Config) {
	defer client.Close()
	network, address := pgconn.NetworkAddress(to.Host, to.Port)
	upstream, err := net.Dial(network, address)
	if err != nil {
		return
	}
	var answers sync.WaitGroup
	answers.Go(func() { _, _ = io.Copy(client, upstream); _ = client.Close() })
	_ = s.pass(client, upstream)
	_ = upstream.Close()
	answers.Wait()
}

// pass writes down each statement before the database gets it, so that it is known before its caller has an answer.
func (s *watched) pass(client io.Reader, upstream io.Writer) error {
	const behindLength = 4
	prepared := map[string]string{}                     // SQL by the names of prepared statements
	for kind := make([]byte, 0, 1); ; kind = kind[:1] { // the first message has none
		if _, err := io.ReadFull(client, kind); err != nil {
			return err
		}
		length := make([]byte, behindLength)
		if _, err := io.ReadFull(client, length); err != nil {
			return err
		}
		body := make([]byte, binary.BigEndian.Uint32(length)-behindLength)
		if _, err := io.ReadFull(client, body); err != nil {
			return err
		}
		first, rest, _ := bytes.Cut(body, []byte{0})
		second, _, _ := bytes.Cut(rest, []byte{0})
		switch string(kind) {
		case "P": // parse: name, SQL
			prepared[string(first)] = string(second)
		case "B": // bind: portal, name
			s.add(prepared[string(second)])
		case "Q": // simple query: SQL
			s.add(string(first))
		}
		if _, err := upstream.Write(slices.Concat(kind, length, body)); err != nil {
			return err
		}
	}
}

func (s *watched) add(sql string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ran = append(s.ran, sql)
}

// during gives the statements that run while do does, in no particular order; those of the server's own chores among
// them.
func (s *watched) during(do func()) []string {
	s.mu.Lock()
	from := len(s.ran)
	s.mu.Unlock()
	do()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.ran[from:]))
}

// numbered gives statements as an error shows them.
func numbered(all []string) (text string) {
	for i, sql := range all {
		text += fmt.Sprintf("\n%d. %.200s", i+1, sql)
	}
	return text
}
