package faults

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/polymq/polymq/pg/pgtest"
)

// hub is a topic of MNS, whose subscribers need not confirm.
type hub struct {
	*mnsClient
	base, topic string
}

func newHub(t *testing.T, base, topic string) *hub {
	t.Helper()
	h := &hub{newMNS(base, ""), base, topic}
	if err := h.try(t.Context(), "PUT", "", `<Topic xmlns="http://mns.aliyuncs.com/doc/v1/"></Topic>`); err != nil {
		t.Fatalf("create the topic: %v", err)
	}
	return h
}

func (h *hub) try(ctx context.Context, method, path, body string) error {
	_, err := h.do(ctx, method, "/topics/"+h.topic+path, "text/xml", body, xmlCode)
	return err
}

func (h *hub) subscribe(ctx context.Context, name, endpoint string) error {
	return h.try(ctx, "PUT", "/subscriptions/"+name, `<Subscription xmlns="http://mns.aliyuncs.com/doc/v1/"><Endpoint>`+endpoint+
		`</Endpoint><NotifyStrategy>EXPONENTIAL_DECAY_RETRY</NotifyStrategy><NotifyContentFormat>SIMPLIFIED</NotifyContentFormat></Subscription>`)
}

func (h *hub) mustSubscribe(t *testing.T, name, endpoint string) {
	t.Helper()
	if err := h.subscribe(t.Context(), name, endpoint); err != nil {
		t.Fatalf("subscribe %s: %v", endpoint, err)
	}
}

func (h *hub) publish(ctx context.Context, body string) error {
	return h.try(ctx, "POST", "/messages", `<Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>`+body+`</MessageBody></Message>`)
}

// publishAll publishes n messages and gives their bodies, sorted.
func (h *hub) publishAll(t *testing.T, n int) (bodies []string) {
	t.Helper()
	for i := range n {
		body := fmt.Sprintf("message-%03d", i)
		if err := h.publish(t.Context(), body); err != nil {
			t.Fatalf("publish: %v", err)
		}
		bodies = append(bodies, body)
	}
	return bodies
}

// outstanding is how many messages are still to be delivered to somebody.
func (h *hub) outstanding(ctx context.Context) (int, error) {
	text, err := h.do(ctx, "GET", "/topics/"+h.topic, "text/xml", "", xmlCode)
	if err != nil {
		return 0, err
	}
	var topic struct{ MessageCount int }
	return topic.MessageCount, xml.Unmarshal(text, &topic)
}

// endpoint is an HTTP endpoint that notes what it gets.
type endpoint struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
}

// newEndpoint serves on an address; "" for any.
func newEndpoint(t *testing.T, address string) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // its server was killed
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.bodies = append(e.bodies, string(body))
	}))
	if address != "" {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		e.Listener.Close()
		e.Listener = listener
	}
	e.Start()
	t.Cleanup(e.Close)
	return e
}

// got gives what has arrived, sorted.
func (e *endpoint) got() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(slices.Values(e.bodies))
}

// mustGet waits until all the messages have arrived.
func (e *endpoint) mustGet(t *testing.T, bodies []string) {
	t.Helper()
	eventually(t, "deliver everything", func() error {
		got := e.got()
		for _, body := range bodies {
			if _, ok := slices.BinarySearch(got, body); !ok {
				return fmt.Errorf("%s has not arrived, %d of %d have", body, len(slices.Compact(got)), len(bodies))
			}
		}
		return nil
	})
}

// everyone does something for each of n numbers, several at a time.
func everyone(t *testing.T, n int, do func(ctx context.Context, i int) error) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(16)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// A server that is killed while it fans a message out to a thousand queues goes on after its next start: no queue
// misses a message that was published or has it twice, and one whose publish failed is in all queues or in none. The
// endpoints among them have each message that was published at least once.
func TestFanOutKilled(t *testing.T) {
	t.Parallel()
	const queues = 1000
	database := testDatabase(t)
	srv := serve(t, "--database-url", database)
	h := newHub(t, srv.url, "news")
	endpoints := []*endpoint{newEndpoint(t, ""), newEndpoint(t, "")}
	for i, e := range endpoints {
		h.mustSubscribe(t, fmt.Sprintf("endpoint-%d", i), e.URL)
	}
	name := func(i int) string { return fmt.Sprintf("in-%d", i) }
	everyone(t, queues, func(ctx context.Context, i int) error {
		if err := newAPI(srv.url, "").call(ctx, "POST", "/queues", map[string]any{"name": name(i)}, nil); err != nil {
			return err
		}
		return h.subscribe(ctx, name(i), "acs:mns:us-east-1:000000000000:queues/"+name(i))
	})
	var published []string
	for round := range *kills {
		var killer sync.WaitGroup
		for i := range 4 {
			body := fmt.Sprintf("%d-%d", round, i)
			if i == 3 {
				killer.Go(srv.kill) // during the publish, or right behind it
			}
			if h.publish(t.Context(), body) == nil {
				published = append(published, body)
			}
		}
		killer.Wait()
		srv.start(t)
	}
	pgtest.Execute(t, database, `UPDATE deliveries SET due_at = now() WHERE claimed`) // whose claim would run out in a minute
	eventually(t, "fan out everything", func() error {
		n, err := h.outstanding(t.Context())
		if err == nil && n > 0 {
			err = fmt.Errorf("%d messages are still being fanned out", n)
		}
		return err
	})
	for _, e := range endpoints {
		e.mustGet(t, published)
	}
	contents := make([]string, queues)
	everyone(t, queues, func(ctx context.Context, i int) error {
		var page struct{ Messages []struct{ Body string } }
		if err := newAPI(srv.url, "").call(ctx, "GET", "/queues/"+name(i)+"/messages?limit=100", nil, &page); err != nil {
			return err
		}
		var bodies []string
		for _, m := range page.Messages {
			bodies = append(bodies, m.Body)
		}
		slices.Sort(bodies)
		contents[i] = strings.Join(bodies, " ")
		return nil
	})
	for _, body := range published {
		if strings.Count(contents[0]+" ", body+" ") != 1 {
			t.Errorf("message %s is not once in queue %s, which has %q", body, name(0), contents[0])
		}
	}
	for i, content := range contents {
		if content != contents[0] {
			t.Fatalf("queue %s has %q, but queue %s has %q", name(i), content, name(0), contents[0])
		}
	}
}

// An endpoint that is down for an hour gets everything when it is back, from a server that was started anew meanwhile.
func TestEndpointDownForAnHour(t *testing.T) {
	t.Parallel()
	srv := serve(t, "--database-url", testDatabase(t))
	h := newHub(t, srv.url, "news")
	address := freeAddress(t)
	h.mustSubscribe(t, "s", "http://"+address+"/hook")
	bodies := h.publishAll(t, 20)
	for range 6 {
		if err := newAPI(srv.url, "").advance(t.Context(), 10*time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	srv.signal(t, syscall.SIGTERM)
	if code := srv.exit(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	srv.start(t)
	back := newEndpoint(t, address)
	looks := 0
	eventually(t, "deliver everything", func() error { // each retry is at most 512 s away, from when it failed
		if looks++; looks%200 == 1 {
			if err := newAPI(srv.url, "").advance(t.Context(), 10*time.Minute); err != nil {
				return err
			}
		}
		n, err := h.outstanding(t.Context())
		if err == nil && n > 0 {
			err = fmt.Errorf("%d messages are not delivered", n)
		}
		return err
	})
	if got := back.got(); !slices.Equal(slices.Compact(got), bodies) {
		t.Errorf("got %q, want %q", got, bodies)
	}
}

// An endpoint that accepts and never answers delays nobody, and not the end of the server either.
func TestEndpointThatNeverAnswers(t *testing.T) {
	t.Parallel()
	srv := serve(t, "--database-url", testDatabase(t))
	h := newHub(t, srv.url, "news")
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() }) // the system accepts, and nobody reads
	h.mustSubscribe(t, "silent", "http://"+silent.Addr().String()+"/")
	live := newEndpoint(t, "")
	h.mustSubscribe(t, "live", live.URL)
	live.mustGet(t, h.publishAll(t, 100))
	if n, err := h.outstanding(t.Context()); err != nil || n != 100 {
		t.Errorf("%d messages are still to be delivered, %v", n, err)
	}
	srv.signal(t, syscall.SIGTERM)
	if code := srv.exit(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// Deliveries survive a PostgreSQL that is killed: everything that was published arrives, at least once.
func TestPostgresKilledDuringDeliveries(t *testing.T) {
	t.Parallel()
	postgres := startPostgres(t)
	srv := serve(t, "--database-url", postgres.url)
	h := newHub(t, srv.url, "news")
	live := newEndpoint(t, "")
	for i := range 5 { // of one endpoint, which each message reaches five times
		h.mustSubscribe(t, fmt.Sprintf("s%d", i), fmt.Sprintf("%s/%d", live.URL, i))
	}
	var published []string
	for round := range *kills {
		var killer sync.WaitGroup
		for i := range 40 {
			body := fmt.Sprintf("message-%d-%02d", round, i)
			if i == 20 {
				killer.Go(func() { killPostgres(t, postgres.options.DataDir) })
			}
			if h.publish(t.Context(), body) == nil {
				published = append(published, body)
			}
		}
		killer.Wait()
		eventually(t, "start PostgreSQL again", func() error { _, err := h.outstanding(t.Context()); return err })
	}
	pgtest.Execute(t, postgres.url, `UPDATE deliveries SET due_at = now() WHERE claimed`) // whose claim would run out in a minute
	live.mustGet(t, published)
	srv.mustRun(t)
}
