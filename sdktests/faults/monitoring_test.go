package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// heldUp is longer than what a send takes on a busy machine, and shorter than the logs, the alerts and the console wait for the database, 4 s.
const heldUp = 3500 * time.Millisecond

// TestMonitoringHoldsNothingUp has the tables of the logs and of the alerts locked, while many look at them, and all is logged. Messages are
// sent and received all the same; the log keeps what it has room for, drops the rest with a counter, and goes on afterwards.
func TestMonitoringHoldsNothingUp(t *testing.T) {
	t.Parallel()
	url := testDatabase(t)
	srv := serve(t, "--database-url", url, "--message-log", "all", "--audit", "all")
	createQueue(t, srv.url, "orders")
	api := newAPI(srv.url, "orders")
	alert := map[string]any{"name": "deep", "metric": "depth", "threshold": 1, "to": []any{map[string]string{"type": "queue", "target": "orders"}}}
	if err := api.call(t.Context(), "POST", "/alerts", alert, nil); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), `BEGIN; LOCK TABLE polymq.message_log, polymq.audit_log, polymq.alerts, polymq.alert_series, polymq.alert_rounds, polymq.alert_samples IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	looks := look(t, srv.url)
	const logged = 50_000 // fit in memory, core.MaxLogged
	messages := make([]any, 100)
	for i := range messages {
		messages[i] = map[string]string{"body": "hello"}
	}
	all := clients(srv.url, "orders")
	slow := 0
	mustNotFail := func(what string, do func() error) {
		t.Helper()
		began := time.Now()
		if err := do(); err != nil {
			t.Fatalf("%s: %v after %v", what, err, time.Since(began))
		}
		if took := time.Since(began); took > heldUp {
			slow++
			t.Logf("%s took %v", what, took)
		}
	}
	for sent := 0; sent < logged+1000; sent += len(messages) {
		mustNotFail("a batch", func() error {
			return api.call(t.Context(), "POST", "/queues/orders/messages", map[string]any{"messages": messages}, nil)
		})
		if sent%(10*len(messages)) > 0 {
			continue
		}
		c := all[sent/len(messages)/10%len(all)]
		mustNotFail(c.protocol(), func() error { return c.send(t.Context(), "hello") })
		mustNotFail(c.protocol(), func() error {
			got, err := c.receive(t.Context(), 0)
			if err == nil && len(got) == 0 {
				err = fmt.Errorf("nothing was received of %d messages", sent)
			}
			return err
		})
	}
	if slow > 0 {
		t.Errorf("%d requests were held up", slow)
	}
	if dropped := metric(t, srv.url, "polymq_message_log_dropped_total"); dropped == 0 {
		t.Error("nothing was dropped, or nobody counts it")
	}
	if n := looks(); n == 0 {
		t.Error("nobody looked")
	}
	if got := srv.resident(t); got > 400<<20 {
		t.Errorf("the server takes %d MiB", got>>20)
	}
	if err := conn.Close(context.Background()); err != nil { // which unlocks
		t.Fatal(err)
	}
	eventually(t, "the log goes on", func() error {
		if err := api.call(t.Context(), "POST", "/queues/orders/messages:purge", nil, nil); err != nil {
			return err
		}
		return isLogged(t, api, "purged")
	})
	srv.mustRun(t)
}

// look has many read what is locked, again and again; stop ends that, and gives how many answers there were.
func look(t *testing.T, base string) (stop func() (answers int64)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	var looking sync.WaitGroup
	var answers atomic.Int64
	console := "/console/000000000000/us-east-1"
	for path, people := range map[string]int{
		"/api/v1/queues/orders/log": 8, "/api/v1/audit": 8, "/api/v1/alerts": 8, console + "/trace?queue=orders": 8, console + "/alerts": 8, console + "/audit": 8,
		"/metrics": 1, console: 1, console + "/queues": 1, // which answer
	} {
		for range people {
			looking.Go(func() {
				for ctx.Err() == nil {
					req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
					if err != nil {
						return
					}
					resp, err := httpClient.Do(req)
					if err != nil {
						return // it was ended
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					answers.Add(1)
				}
			})
		}
	}
	return func() int64 {
		cancel()
		looking.Wait()
		return answers.Load()
	}
}

// metric reads a counter without labels.
func metric(t *testing.T, base, name string) float64 {
	t.Helper()
	resp, err := httpClient.Get(base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + name + ` (.*)$`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("no %s in\n%s", name, text)
	}
	value, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// isLogged gives an error unless the queue's log has an event of a kind.
func isLogged(t *testing.T, api *apiClient, kind string) error {
	t.Helper()
	var kinds []string
	for cursor := "0"; cursor != ""; {
		var page struct {
			Events []struct {
				Kind string `json:"kind"`
			} `json:"events"`
			Next string `json:"next_cursor"`
		}
		if err := api.call(t.Context(), "GET", "/queues/"+api.queue+"/log?limit=1000&cursor="+cursor, nil, &page); err != nil {
			return err
		}
		for _, e := range page.Events {
			if e.Kind == kind {
				return nil
			}
			kinds = append(kinds, e.Kind)
		}
		cursor = page.Next
	}
	return fmt.Errorf("%s is not among %d events: %s", kind, len(kinds), strings.Join(kinds[:min(len(kinds), 20)], " "))
}

// TestLogWaitsForPostgres stops PostgreSQL before anything was logged: what was acknowledged until then is told once it is back, and what
// fails meanwhile fails as its protocol has it.
func TestLogWaitsForPostgres(t *testing.T) {
	t.Parallel()
	postgres := startPostgres(t)
	srv := serve(t, "--database-url", postgres.url, "--message-log", "all")
	createQueue(t, srv.url, "orders")
	api := newAPI(srv.url, "orders")
	conn, err := pgx.Connect(t.Context(), postgres.url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `BEGIN; LOCK TABLE polymq.message_log IN ACCESS EXCLUSIVE MODE`); err != nil { // so that they wait in memory
		t.Fatal(err)
	}
	all := clients(srv.url, "orders")
	for _, c := range all {
		if err := c.send(t.Context(), "hello"); err != nil {
			t.Fatal(err)
		}
	}
	postgres.stop(t)
	var sending sync.WaitGroup
	for _, c := range all {
		sending.Go(func() {
			if err := c.send(context.WithoutCancel(t.Context()), "hello"); !errors.Is(err, unavailable[c.protocol()]) {
				t.Errorf("%s: got %v, want %v", c.protocol(), err, unavailable[c.protocol()])
			}
		})
	}
	sending.Wait()
	postgres.start(t)
	awaitDatabase(t, postgres.url)
	eventually(t, "tell what was sent before", func() error {
		var log struct {
			Events []struct {
				Kind     string `json:"kind"`
				Protocol string `json:"protocol"`
			} `json:"events"`
		}
		if err := api.call(t.Context(), "GET", "/queues/orders/log", nil, &log); err != nil {
			return err
		}
		var told []string
		for _, e := range log.Events {
			told = append(told, e.Protocol+" "+e.Kind)
		}
		if got, want := strings.Join(told, ", "), "sqs sent, sqs sent, mns sent, api sent"; got != want {
			return fmt.Errorf("told of %s, want %s", got, want)
		}
		return nil
	})
	if dropped := metric(t, srv.url, "polymq_message_log_dropped_total"); dropped != 0 {
		t.Errorf("%v events were dropped", dropped)
	}
	srv.mustRun(t)
}

// TestAlertsOfAKilledServer has two servers watch one queue, and kills one of them: somebody is told once of each change.
func TestAlertsOfAKilledServer(t *testing.T) {
	t.Parallel()
	told := make(chan string, 100)
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var notice struct {
			State string `json:"state"`
		}
		if err := json.NewDecoder(r.Body).Decode(&notice); err != nil {
			t.Error(err)
		}
		told <- notice.State
	}))
	t.Cleanup(endpoint.Close)
	database := testDatabase(t)
	a, b := serve(t, "--database-url", database), serve(t, "--database-url", database)
	createQueue(t, a.url, "orders")
	api := newAPI(b.url, "orders")
	alert := map[string]any{"name": "deep", "metric": "depth", "queue": "orders", "threshold": 1, "to": []any{map[string]string{"type": "webhook", "target": endpoint.URL}}}
	if err := api.call(t.Context(), "POST", "/alerts", alert, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := api.send(t.Context(), "hello"); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	killed := false
	mustBeTold := func(want string) {
		t.Helper()
		eventually(t, "told that it is "+want, func() error {
			// What the killed server was evaluating, if it was, is another's only after a minute.
			if _, err := conn.Exec(t.Context(), "UPDATE polymq.alert_rounds SET held_until = NULL WHERE $1", killed); err != nil {
				return err
			}
			if err := api.advance(t.Context(), 15*time.Second); err != nil {
				return err
			}
			select {
			case state := <-told:
				if state != want {
					t.Fatalf("told that it is %s, want %s", state, want)
				}
				return nil
			case <-time.After(time.Second):
				return errors.New("nobody was told")
			}
		})
	}
	mustBeTold("firing")
	eventually(t, "write down that it was told", func() error { // or the other server tells it too, in a minute
		var left int
		err := conn.QueryRow(t.Context(), "SELECT count(*) FROM polymq.alert_notices").Scan(&left)
		if err == nil && left > 0 {
			err = fmt.Errorf("%d notices are left", left)
		}
		return err
	})
	a.kill()
	killed = true
	if err := api.call(t.Context(), "POST", "/queues/orders/messages:purge", nil, nil); err != nil {
		t.Fatal(err)
	}
	mustBeTold("ok")
	if err := api.send(t.Context(), "hello"); err != nil {
		t.Fatal(err)
	}
	if err := api.send(t.Context(), "hello"); err != nil {
		t.Fatal(err)
	}
	mustBeTold("firing") // and of nothing twice before
}
