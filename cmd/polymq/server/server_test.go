package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// patience is how long a test waits for what should happen at once.
const patience = 20 * time.Second

// start starts a server on a database of its own, stopped after the test.
func start(t *testing.T, config Config) *Server {
	t.Helper()
	if config.DatabaseURL == "" {
		config.DatabaseURL = pgtest.DatabaseURL(t)
	}
	config.Listen = []string{"127.0.0.1:0"}
	config.DatabasePoolSize = pgtest.PoolSize
	config.LogLevel, config.LogOutput = "warn", t.Output()
	srv, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	return srv
}

// httpClient has connections of its own: servers of httptest close idle ones of the default client as they end, and a request of
// another test's whose answer has no body may fail by that.
var httpClient = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}

// post makes a request of the JSON API and gives the status and the body.
func post(srv *Server, path, body string) (int, string, error) {
	client := &http.Client{Timeout: patience, Transport: httpClient.Transport}
	resp, err := client.Post(srv.URL()+"/api/v1"+path, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func createQueue(t *testing.T, srv *Server, name string) {
	t.Helper()
	if status, body, err := post(srv, "/queues", `{"name": "`+name+`"}`); err != nil || status != http.StatusCreated {
		t.Fatalf("create a queue: %d %s %v", status, body, err)
	}
}

// untilRunning waits until some goroutine runs the function.
func untilRunning(t *testing.T, function string) {
	t.Helper()
	stacks := make([]byte, 8<<20)
	eventually(t, "nothing runs "+function, func() bool {
		return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), function+"(")
	})
}

// eventually waits for something that is known to happen without a sign.
func eventually(t *testing.T, otherwise string, happened func() bool) {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); !happened(); <-poll.C {
		if time.Now().After(deadline) {
			t.Fatal(otherwise)
		}
	}
}

func TestStartAndStop(t *testing.T) {
	srv := start(t, Config{})
	createQueue(t, srv, "orders")
	if err := srv.Stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, _, err := post(srv, "/queues", `{"name": "orders"}`); err == nil {
		t.Error("a stopped server still answers")
	}
	if err := srv.Stop(t.Context()); err != nil {
		t.Errorf("stop again: %v", err)
	}
	if srv.Err() != nil {
		t.Errorf("a server that was stopped did not fail, but Err gives %v", srv.Err())
	}
}

func TestStopAnswersLongPollsEmpty(t *testing.T) {
	srv := start(t, Config{})
	createQueue(t, srv, "orders")
	type answer struct {
		status int
		body   string
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		status, body, err := post(srv, "/queues/orders/messages:receive", `{"wait_seconds": 30}`)
		answers <- answer{status, body, err}
	}()
	untilRunning(t, "core.(*Broker).receive")
	began := time.Now()
	if err := srv.Stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > patience { // the long poll would have been longer
		t.Errorf("Stop took %v with nothing but a long poll to end", took)
	}
	if got := <-answers; got.err != nil || got.status != http.StatusOK || strings.TrimSpace(got.body) != `{"messages":[]}` {
		t.Errorf("the long poll was answered %d %s, %v", got.status, got.body, got.err)
	}
}

// Where many polls wait, others are parked: they are woken, their connections are used again, and a stop answers them.
func TestParkedPolls(t *testing.T) {
	srv := start(t, Config{})
	createQueue(t, srv, "orders")
	createQueue(t, srv, "parked")
	client := &http.Client{Timeout: patience + 20*time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	receive := func(queue string) (string, error) {
		body := fmt.Sprintf(`{"QueueUrl": "%s/000000000000/%s", "WaitTimeSeconds": 20}`, srv.URL(), queue)
		r, err := http.NewRequest(http.MethodPost, srv.URL(), strings.NewReader(body))
		if err != nil {
			return "", err
		}
		r.Header = http.Header{"X-Amz-Target": {"AmazonSQS.ReceiveMessage"}, "Content-Type": {"application/x-amz-json-1.0"}}
		resp, err := client.Do(r)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		return string(answer), err
	}
	var many sync.WaitGroup
	var stopping atomic.Bool
	for range parkFrom {
		many.Go(func() {
			for !stopping.Load() {
				if _, err := receive("orders"); err != nil && !stopping.Load() {
					t.Error(err)
					return
				}
			}
		})
	}
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	untilWaiting := func(want int) {
		t.Helper()
		for deadline := time.Now().Add(patience); srv.broker.Waiting() < want; <-poll.C {
			if time.Now().After(deadline) {
				t.Fatalf("%d receives wait, want %d", srv.broker.Waiting(), want)
			}
		}
	}
	untilWaiting(parkFrom)
	for i := range 2 {
		parked := make(chan string, 1)
		go func() {
			answer, err := receive("parked")
			parked <- fmt.Sprint(answer, err)
		}()
		untilWaiting(parkFrom + 1)
		untilRunning(t, "transport.(*parked).answer")
		text := fmt.Sprintf("hello %d", i)
		if status, body, err := post(srv, "/queues/parked/messages", `{"messages": [{"body": "`+text+`"}]}`); err != nil || status/100 != 2 {
			t.Fatalf("send: %d %s %v", status, body, err)
		}
		if got := <-parked; !strings.Contains(got, text) {
			t.Errorf("the parked poll got %s, want %s", got, text)
		}
	}
	parked := make(chan string, 1)
	go func() {
		answer, err := receive("parked")
		parked <- fmt.Sprint(answer, err)
	}()
	untilWaiting(parkFrom + 1)
	stopping.Store(true)
	if err := srv.Stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	if got := <-parked; got != `{}<nil>` && got != `{"Messages":[]}<nil>` {
		t.Errorf("the parked poll was answered %s", got)
	}
	many.Wait()
}

func TestStopEndsRequestsAtTheDeadline(t *testing.T) {
	srv := start(t, Config{ShutdownTimeout: 100 * time.Millisecond})
	conn, err := net.Dial("tcp", srv.listeners[0].Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /api/v1/queues HTTP/1.1\r\nHost: polymq\r\nContent-Length: 1000\r\n\r\n{") // and never the rest
	untilRunning(t, "net/http.(*body).Read")
	began := time.Now()
	if err := srv.Stop(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop gives %v, want that a request did not end in time", err)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("Stop took %v, want little more than the shutdown timeout", took)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if rest, err := bufio.NewReader(conn).ReadString('\n'); err == nil && !strings.Contains(rest, " 4") {
		t.Errorf("the request that was never finished was answered %q", rest)
	}
}

// What the setting switches on reaches SQS, and is off by default.
func TestSQS60sRules(t *testing.T) {
	for _, on := range []bool{false, true} {
		srv := start(t, Config{SQS60sRules: on})
		call := func(parameters string) int {
			t.Helper()
			client := &http.Client{Timeout: patience, Transport: httpClient.Transport}
			resp, err := client.Post(srv.URL()+"/?"+parameters, "application/x-www-form-urlencoded", nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			return resp.StatusCode
		}
		const create = "Action=CreateQueue&QueueName=orders"
		first, deleted, again := call(create), call("Action=DeleteQueue&QueueUrl=orders"), call(create)
		if first != http.StatusOK || deleted != http.StatusOK || (again != http.StatusOK) != on {
			t.Errorf("with %v: got %d, %d, %d", on, first, deleted, again)
		}
	}
}

func TestStartFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	newer := pgtest.DatabaseURL(t)
	pgtest.Execute(t, newer, `UPDATE polymq.settings SET value = '999' WHERE name = 'oldest_server'`)
	tests := map[string]struct {
		config Config
		want   string
	}{
		"schema too new":       {Config{DatabaseURL: newer}, pg.ErrSchemaNew.Error()},
		"port in use":          {Config{Listen: []string{"127.0.0.1:0", taken.Addr().String()}}, taken.Addr().String() + " is in use"},
		"foreign address":      {Config{Listen: []string{"192.0.2.1:4566"}}, "no address of this machine"},
		"database unreachable": {Config{DatabaseURL: "postgres://polymq:hunter2@127.0.0.1:1/polymq"}, "check that PostgreSQL runs where database-url, or database-direct-url, says"},
		"schema missing":       {Config{DatabaseURL: pgtest.EmptyDatabaseURL(t), Migrate: "check"}, pg.ErrSchemaOld.Error()},
		"configuration":        {Config{Region: "nowhere!", Durability: "sometimes"}, "durability: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.config.Listen == nil {
				tt.config.Listen = []string{"127.0.0.1:0"}
			}
			tt.config.LogOutput = t.Output()
			srv, err := Start(t.Context(), tt.config)
			if err == nil {
				_ = srv.Stop(t.Context())
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %q, want %q in it, and no password", err, tt.want)
			}
		})
	}
}

func TestStartLeavesNothingBehind(t *testing.T) {
	var err error
	for range 5 { // another program may take the port in between, but not each time
		address := freeAddress(t)
		if _, err := Start(t.Context(), Config{Listen: []string{address}, DatabaseURL: "postgres://127.0.0.1:1/polymq", LogOutput: t.Output()}); err == nil {
			t.Fatal("a server started without a database")
		}
		var again net.Listener
		if again, err = net.Listen("tcp", address); err == nil {
			again.Close()
			return
		}
	}
	t.Errorf("the address is still taken: %v", err)
}

// freeAddress gives an address that nobody listens on, which somebody may do the next moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestSeveralServersMakeTheSchema(t *testing.T) {
	url := pgtest.EmptyDatabaseURL(t)
	errs := make(chan error)
	const servers = 3
	for range servers {
		go func() {
			srv, err := Start(context.Background(), Config{Listen: []string{"127.0.0.1:0"}, DatabaseURL: url, DatabasePoolSize: 2, LogLevel: "error", LogOutput: io.Discard})
			if err == nil {
				err = srv.Stop(context.Background())
			}
			errs <- err
		}()
	}
	for range servers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// dataDir gives a directory that the embedded PostgreSQL can enter, which as root it could not do
// with the test's own.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "polymq-server-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestEmbeddedPostgresKeepsItsData(t *testing.T) {
	config := Config{Listen: []string{"127.0.0.1:0"}, DataDir: dataDir(t), Durability: "none", LogOutput: t.Output()}
	status := make([]int, 0, 2)
	for range 2 {
		srv, err := Start(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		s, _, err := post(srv, "/queues", `{"name": "orders"}`)
		if err := errors.Join(err, srv.Stop(t.Context())); err != nil {
			t.Fatal(err)
		}
		status = append(status, s)
	}
	if status[0] != http.StatusCreated || status[1] != http.StatusOK {
		t.Errorf("creating the queue was answered %v, want that it exists the second time", status)
	}
}

func TestScheduleRunsOnTheStore(t *testing.T) {
	srv := start(t, Config{})
	for _, c := range schedule(srv.store, srv.broker, srv.pushes, Config{}.withDefaults()) {
		if err := c.do.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestServersAreNamed(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{})
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	servers, err := srv.broker.Servers(t.Context())
	if err != nil || len(servers) != 1 || servers[0].Name != host || servers[0].Version != Version() {
		t.Errorf("got %+v and %v, want %s of version %s", servers, err, host, Version())
	}
	if got := (Config{Listen: []string{"[::1]:0", ":4566", ":9324"}}).serverName(); got != host+":4566" {
		t.Errorf("a server with a port: got %s", got)
	}
}
