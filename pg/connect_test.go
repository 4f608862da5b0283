package pg_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/embedded"
	"github.com/polymq/polymq/pg/pgtest"
)

// A server that becomes a standby may keep its sessions, which then only read. They end at the first write that is refused, for
// there may be another primary by then. The log tells of it, but not with each request.
func TestSessionsThatOnlyReadEnd(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	var log logLines
	began := time.Now()
	store, err := pg.Open(t.Context(), pg.Options{URL: url, PoolSize: pgtest.PoolSize, Log: zerolog.New(&log)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	queue := newQueue(t, newBroker(t, store))
	send := func() error {
		_, err := queue.broker.SendMessages(t.Context(), core.SendInput{Queue: queue.name, Messages: []core.NewMessage{{Body: []byte("a")}}})
		return err
	}
	conn := database(t, url)
	name := pgx.Identifier{conn.Config().Database}.Sanitize()
	execute(t, conn, `ALTER DATABASE `+name+` SET default_transaction_read_only = on`)
	endSessions := func() {
		t.Helper()
		execute(t, conn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	}
	endSessions()
	refused := 0
	eventually(t, "more sends are refused than there are sessions", func() bool {
		err := send()
		if err == nil { // by a session that was about to begin, and had not come into sight
			endSessions()
			return false
		}
		if core.CodeOf(err) != core.Unavailable {
			t.Fatalf("a send to a database that only reads: %v, want Unavailable", err)
		}
		var server *pgconn.PgError
		if errors.As(err, &server) && server.Code == "25006" {
			refused++
		}
		return refused > pgtest.PoolSize
	})
	if told := log.count("the database fails"); told < 1 || told > 1+int(time.Since(began)/time.Minute) {
		t.Errorf("the log tells %d times that the database fails, want once a minute:\n%s", told, log.text())
	}
	execute(t, conn, `SET default_transaction_read_only = off`)
	execute(t, conn, `ALTER DATABASE `+name+` RESET default_transaction_read_only`)
	eventually(t, "a session that writes", func() bool { return send() == nil })
}

// Of several hosts, those that cannot be reached are passed over, and those that only read.
func TestSeveralHosts(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig(pgtest.DatabaseURL(t))
	if err != nil {
		t.Fatal(err)
	}
	nowhere := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} // no port that was free a moment ago: it may be another's by now
	detour := forward(t, config.Host, config.Port)
	hosts := func(first net.Addr) string {
		host, port, _ := net.SplitHostPort(first.String())
		return fmt.Sprintf("host=%s,%s port=%s,%d user=%s password='%s' dbname=%s sslmode=disable", host, config.Host, port, config.Port, config.User, config.Password, config.Database)
	}
	works(t, pg.Options{URL: hosts(nowhere)})
	works(t, pg.Options{URL: hosts(detour.listener.Addr())})

	conn := database(t, config.ConnString())
	execute(t, conn, `ALTER DATABASE `+pgx.Identifier{config.Database}.Sanitize()+` SET default_transaction_read_only = on`)
	if err := pg.CheckSchema(t.Context(), pg.Options{URL: hosts(detour.listener.Addr())}); !errors.Is(err, pgconn.ErrReadOnlyConnection) || core.CodeOf(err) != core.Unavailable {
		t.Errorf("with two hosts that only read: %v", err)
	}
	if err := pg.CheckSchema(t.Context(), pg.Options{URL: config.ConnString()}); err != nil {
		t.Errorf("with one, which is only looked at: %v", err)
	}
}

// What is said of a URL names the fault, and never the password.
func TestCheckURL(t *testing.T) {
	t.Parallel()
	const form = "it is not a PostgreSQL URL or keyword string"
	for url, want := range map[string]string{
		"postgres://polymq:hunter2@db:5432/polymq":                                    "",
		"postgres://polymq:hunter2@db1,db2:5433/polymq?target_session_attrs=primary":  "",
		"host=db password=hunter2 user=polymq":                                        "",
		"mysql://polymq:hunter2@db/polymq":                                            form,
		"postgres://polymq:hunter2%zz@db/polymq":                                      form,
		"postgres://polymq:`: hunter2%zz@db/polymq":                                   form,
		"postgres://polymq:/hunter2@db/polymq?sslmode=no":                             "sslmode is invalid",
		"postgres://polymq:hunter2@db:70000/polymq":                                   "invalid port",
		"postgres://polymq:hunter2@db/polymq?sslmode=verify-full&sslrootcert=/no.pem": "/no.pem: no such file",
		"postgres://polymq:hunter2@db/polymq?connect_timeout=soon":                    "connect_timeout",
	} {
		err := pg.CheckURL(url)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: got %v, want %q", url, err, want)
		}
	}
}

// The log of a server whose database is away for long has one line when the connection that listens is lost, and one when it is back.
func TestLossOfTheListenerIsLoggedOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	n, forwarded := forwardURL(t, url)
	var log logLines
	store, err := pg.Open(t.Context(), pg.Options{URL: url, DirectURL: forwarded, PoolSize: pgtest.PoolSize, Log: zerolog.New(&log)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	n.away.Store(true)
	n.reset()
	eventually(t, "it has tried more than once", func() bool { return log.count("still cannot listen") > 1 })
	n.away.Store(false)
	eventually(t, "it listens again", func() bool { return log.count("listens for other servers again") > 0 })
	if lost, again := log.count("lost the connection that listens"), log.count("listens for other servers again"); lost != 1 || again != 1 {
		t.Errorf("lost %d times and back %d times:\n%s", lost, again, log.text())
	}
}

// logLines is what was logged.
type logLines struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes.Write(p)
}

func (l *logLines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes.String()
}

func (l *logLines) count(part string) int { return strings.Count(l.text(), part) }

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// network leads to a PostgreSQL by another address, until a test breaks it.
type network struct {
	listener net.Listener
	deaf     atomic.Bool // what PostgreSQL answers next is lost, and the connection with it
	away     atomic.Bool // nobody gets through

	mu     sync.Mutex
	conns  []net.Conn
	broken *atomic.Bool // nothing comes through those of now any more, and nobody says so
}

func forward(t *testing.T, host string, port uint16) *network {
	t.Helper()
	kind, address := "tcp", net.JoinHostPort(host, strconv.Itoa(int(port)))
	if filepath.IsAbs(host) {
		kind, address = "unix", filepath.Join(host, fmt.Sprintf(".s.PGSQL.%d", port))
	}
	n := &network{listener: listen(t), broken: new(atomic.Bool)}
	go func() {
		for {
			client, err := n.listener.Accept()
			if err != nil {
				return
			}
			if n.away.Load() {
				_ = client.Close()
				continue
			}
			server, err := (&net.Dialer{}).DialContext(context.Background(), kind, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			n.join(client, server)
		}
	}()
	return n
}

// forwardURL leads to the database of a URL by another address.
func forwardURL(t *testing.T, url string) (n *network, another string) {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	n = forward(t, config.Host, config.Port)
	host, port, _ := net.SplitHostPort(n.listener.Addr().String())
	return n, fmt.Sprintf("host=%s port=%s user=%s password='%s' dbname=%s sslmode=disable", host, port, config.User, config.Password, config.Database)
}

func (n *network) join(client, server net.Conn) {
	n.mu.Lock()
	n.conns = append(n.conns, client, server)
	broken := n.broken
	n.mu.Unlock()
	answer := func(p []byte) (int, error) {
		if n.deaf.CompareAndSwap(true, false) {
			return 0, net.ErrClosed
		}
		return client.Write(p)
	}
	carry := func(to io.Writer, from net.Conn) {
		_, _ = io.Copy(writer(func(p []byte) (int, error) {
			if broken.Load() {
				return len(p), nil
			}
			return to.Write(p)
		}), from)
		_ = client.Close()
		_ = server.Close()
	}
	go carry(server, client)
	go carry(writer(answer), server)
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// reset ends all connections.
func (n *network) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range n.conns {
		_ = conn.Close()
	}
	n.conns = nil
}

// silence loses what is sent by the connections of now, which stay: as when a machine is gone, or a firewall has forgotten them.
func (n *network) silence() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.broken.Store(true)
	n.broken = new(atomic.Bool)
}

// cut ends all connections for good.
func (n *network) cut() {
	_ = n.listener.Close()
	n.reset()
}

// Statements that wait for others go on with what those have done, whatever the database's transactions are like otherwise.
func TestDatabaseOfAnotherIsolation(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	conn := database(t, url)
	execute(t, conn, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); END $$`)
	q := newQueue(t, newBroker(t, open(t, pg.Options{URL: url})))
	execute(t, conn, `BEGIN`)
	execute(t, conn, `UPDATE queues SET version = version + 1`)
	altered := make(chan error, 1)
	go func() {
		_, err := q.broker.AlterQueue(context.Background(), q.name, core.QueueChange{Delay: ptr(time.Second)})
		altered <- err
	}()
	watcher := database(t, url)
	eventually(t, "the change waits", func() bool { return locksAwaited(t, watcher) == 1 })
	execute(t, conn, `COMMIT`)
	if err := <-altered; err != nil {
		t.Errorf("alter a queue that was being changed: %v", err)
	}
}

// A database that ends sessions with nothing to do leaves alone the connection that listens, and those that wait for work.
func TestDatabaseEndsIdleSessions(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	conn := database(t, url)
	execute(t, conn, `ALTER DATABASE `+pgx.Identifier{conn.Config().Database}.Sanitize()+` SET idle_session_timeout = '300ms'`)
	open(t, pg.Options{URL: url})
	sessions := func() []int {
		rows, _ := conn.Query(t.Context(), `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY pid`)
		pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err != nil {
			t.Fatal(err)
		}
		return pids
	}
	ours := sessions()
	idle := int(database(t, url).PgConn().PID())
	eventually(t, "an idle session is ended", func() bool { return !slices.Contains(sessions(), idle) })
	now := sessions()
	for _, pid := range ours {
		if !slices.Contains(now, pid) {
			t.Errorf("the store's sessions were %v and are %v", ours, now)
		}
	}
	if len(ours) < 2 {
		t.Errorf("the store has the sessions %v", ours)
	}
}

// A borrowed database may read and write texts, times and bytes otherwise, for polymq as for applications that send with it.
func TestDatabaseOfOtherForms(t *testing.T) {
	t.Parallel()
	url := pgtest.EmptyDatabaseURL(t)
	conn := database(t, url)
	name := pgx.Identifier{conn.Config().Database}.Sanitize()
	for _, setting := range []string{"standard_conforming_strings = off", "client_encoding = GBK", "datestyle = SQL", "intervalstyle = sql_standard", "bytea_output = escape", "array_nulls = off"} {
		execute(t, conn, `ALTER DATABASE `+name+` SET `+setting)
	}
	if _, err := pg.Migrate(t.Context(), pg.Options{URL: url}); err != nil {
		t.Fatal(err)
	}
	for _, opts := range []pg.Options{{URL: url}, {URL: url, DirectURL: url, Pooled: true}} {
		broker := newBroker(t, open(t, opts))
		q := newQueue(t, broker, func(s *core.Settings) { s.Delay = time.Hour })
		if _, err := broker.AlterQueue(t.Context(), q.name, core.QueueChange{Delay: ptr(time.Duration(0)), Tags: map[string]*string{"größe": ptr("大 ✓")}}); err != nil {
			t.Fatal(err)
		}
		described, err := broker.DescribeQueue(t.Context(), q.name)
		if err != nil || described.Tags["größe"] != "大 ✓" || described.Delay != 0 {
			t.Errorf("got %+v, %v", described, err)
		}
		works(t, opts)
		fifo := newFIFO(t, broker)
		fifo.sendTo("g", "1")
		fifo.sqlSendTo(application(t, url), "g", "d", "2")
		fifo.wantReceive("1", "2")
		execute(t, application(t, url), `SELECT polymq.send($1, $2, $3, 'a', '{"a.b": 1.5}')`, q.name.Account, q.name.Region, q.name.Name)
		if m := q.one(); len(m.Attributes) != 1 || string(m.Attributes[0].Value) != "1.5" {
			t.Errorf("received %+v", m)
		}
	}
}

// A server that is gone, or stands still, lets go of what it holds within seconds, whatever it was at: PostgreSQL by itself would
// wait for a quarter of an hour where it had not said all, and for two hours where it had.
func TestServersThatAreGoneLetGo(t *testing.T) {
	t.Parallel()
	dir := postgresDir(t)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(12_000+rand.IntN(8_000))) // that is not given to whoever asks for any
	major := versionOf(t, pgtest.DatabaseURL(t)) / 10_000
	server, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir, Major: major, ListenAddress: address, Durability: "none"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	secret, err := os.ReadFile(filepath.Join(dir, "password"))
	if err != nil {
		t.Fatal(err)
	}
	over := "postgres://polymq:" + strings.TrimSpace(string(secret)) + "@" + address + "/polymq?sslmode=disable"
	if _, err := pg.Migrate(t.Context(), pg.Options{URL: over}); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]map[string]string{
		over: {
			"tcp_user_timeout": "15000", "tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3",
			"idle_in_transaction_session_timeout": "15s",
		},
		over + "&tcp_user_timeout=40s": {"tcp_user_timeout": "40000", "tcp_keepalives_count": "3"},
	} {
		store := open(t, pg.Options{URL: url})
		for name, want := range want {
			switch pool, listens, err := pg.Show(t.Context(), store, name); {
			case err != nil:
				t.Fatal(err)
			case pool != want || listens != want:
				t.Errorf("%s: %s where requests are made, %s where others are listened to, want %s", name, pool, listens, want)
			}
		}
	}
}
