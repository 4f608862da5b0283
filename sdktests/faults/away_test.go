package faults

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/rs/zerolog"
)

var away = flag.Duration("away", 8*time.Second, "for how long PostgreSQL is away in TestPostgresAway")

// While PostgreSQL is away, requests say in time that it is a matter of time, and long polls go on
// waiting. One that takes connections and answers nothing is away too.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T, *postgres) (url string, leave, comeBack func()){
		"stopped": func(t *testing.T, p *postgres) (string, func(), func()) {
			return p.url, func() { p.stop(t) }, func() { p.start(t) }
		},
		"frozen": func(t *testing.T, p *postgres) (string, func(), func()) {
			var frozen []int
			thaw := func() { signalAll(frozen, syscall.SIGCONT) }
			t.Cleanup(thaw) // or it could not be stopped
			return p.url, func() {
				frozen = stopStarting(t, p.options.DataDir)
				signalAll(frozen, syscall.SIGSTOP)
			}, thaw
		},
		"unreachable": func(t *testing.T, p *postgres) (string, func(), func()) {
			network := startProxy(t, p.options.ListenAddress)
			return p.urlAt(network.Listen),
				func() { network.add(t, "timeout", "upstream", `{"timeout": 0}`) }, // drops what is sent
				func() { network.remove(t, "timeout", "upstream") }
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			postgres := startPostgres(t)
			url, leave, comeBack := prepare(t, postgres)
			srv := serve(t, "--database-url", url)
			createQueue(t, srv.url, "orders")
			createQueue(t, srv.url, "quiet")
			polls := startPolls(t, srv.url, "quiet")
			load := startLoad(t, newLedger(), clients(srv.url, "orders")...)
			load.run(t)
			leave()
			for end := time.Now().Add(*away); time.Now().Before(end); {
				mustBeAway(t, srv.url)
			}
			comeBack()
			mustSucceedSoon(t, load, awaitDatabase(t, url))
			failures := load.failed()
			if len(failures) == 0 {
				t.Error("no request failed while the database was away")
			}
			mustBeRetryable(t, failures)
			polls.mustReceive(t)
			load.run(t)
			load.settle(t, newAPI(srv.url, "orders"))
			srv.mustRun(t)
		})
	}
}

// What no synchronous standby has confirmed is not acknowledged, though PostgreSQL commits it when it is told to wait no longer.
func TestStandbyAway(t *testing.T) {
	t.Parallel()
	const standbys = "wal_level = replica\nmax_wal_senders = 1\n" // it may have some
	postgres := startPostgres(t, standbys)
	srv := serve(t, "--database-url", postgres.url)
	createQueue(t, srv.url, "orders")
	all := clients(srv.url, "orders")
	sendAll := func() []error {
		errs := make([]error, len(all))
		var sends sync.WaitGroup
		for i, c := range all {
			sends.Go(func() { errs[i] = c.send(t.Context(), "hello") })
		}
		sends.Wait()
		return errs
	}
	postgres.set(t, standbys+"synchronous_standby_names = 'away'")
	eventually(t, "PostgreSQL waits for the standby", func() error {
		if all[0].send(t.Context(), "hello") == nil {
			return errors.New("a send is acknowledged")
		}
		return nil
	})
	for i, err := range sendAll() {
		if want := unavailable[all[i].protocol()]; !errors.Is(err, want) {
			t.Errorf("%s: a send that is not replicated: got %v, want %v", all[i].protocol(), err, want)
		}
	}
	postgres.set(t, standbys)
	eventually(t, "sends are acknowledged again", func() error { return errors.Join(sendAll()...) })
	srv.mustRun(t)
}

func signalAll(pids []int, signal syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, signal) // fails for a session that has ended
	}
}

// mustBeAway fails the test unless the server lets proxies send requests here, which then fail as they should.
func mustBeAway(t *testing.T, base string) {
	t.Helper()
	aws, query, mns, api := newSQS(base, "orders"), newQuery(base, "orders"), newMNS(base, "orders"), newAPI(base, "orders")
	name := "fresh"
	requests := map[string]func(context.Context) error{
		"sqs CreateQueue": func(ctx context.Context) error {
			_, err := aws.sdk.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
			return sdkError(err)
		},
		"sqs ListQueues": func(ctx context.Context) error {
			_, err := aws.sdk.ListQueues(ctx, &sqs.ListQueuesInput{})
			return sdkError(err)
		},
		"query GetQueueAttributes": func(ctx context.Context) error {
			return query.call(ctx, map[string][]string{"Action": {"GetQueueAttributes"}, "AttributeName.1": {"All"}}, nil)
		},
		"mns CreateQueue": func(ctx context.Context) error {
			_, err := mns.do(ctx, "PUT", "/queues/"+name, "text/xml", `<Queue xmlns="http://mns.aliyuncs.com/doc/v1"></Queue>`, xmlCode)
			return err
		},
		"api purge": func(ctx context.Context) error {
			return api.call(ctx, "POST", "/queues/orders/messages:purge", nil, nil)
		},
		"api peek": func(ctx context.Context) error { return api.call(ctx, "GET", "/queues/orders/messages", nil, nil) },
		"api alter": func(ctx context.Context) error {
			return api.call(ctx, "PATCH", "/queues/orders", map[string]int{"delay_seconds": 1}, nil)
		},
		"api clock":  func(ctx context.Context) error { return api.advance(ctx, 0) },
		"api delete": func(ctx context.Context) error { return api.call(ctx, "DELETE", "/queues/"+name, nil, nil) },
	}
	results := make(chan string)
	for what, do := range requests {
		go func() {
			began := time.Now()
			err := do(context.WithoutCancel(t.Context()))
			protocol, _, _ := strings.Cut(what, " ")
			if took := time.Since(began); !errors.Is(err, unavailable[protocol]) || took > inTime {
				results <- fmt.Sprintf("%s: got %v after %v, want %v within %v", what, err, took, unavailable[protocol], inTime)
				return
			}
			results <- ""
		}()
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		resp, err := httpClient.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s, which takes the server out of its proxy", path, resp.Status)
		}
	}
	for range requests {
		if wrong := <-results; wrong != "" {
			t.Error(wrong)
		}
	}
}

// Connections that break in the middle of statements and answers lose nothing.
func TestConnectionsBreak(t *testing.T) {
	t.Parallel()
	postgres := startPostgres(t)
	network := startProxy(t, postgres.options.ListenAddress)
	srv := serve(t, "--database-url", postgres.urlAt(network.Listen))
	createQueue(t, srv.url, "orders")
	load := startLoad(t, newLedger(), clients(srv.url, "orders")...)
	for _, fault := range []struct{ toxic, stream, attributes string }{
		{"limit_data", "upstream", `{"bytes": 30000}`},
		{"limit_data", "downstream", `{"bytes": 20000}`}, // what was committed, nobody hears of
		{"reset_peer", "upstream", `{"timeout": 0}`},
		{"reset_peer", "downstream", `{"timeout": 0}`},
	} {
		load.run(t)
		network.add(t, fault.toxic, fault.stream, fault.attributes)
		load.fail(t)
		network.remove(t, fault.toxic, fault.stream)
		mustSucceedSoon(t, load, time.Now())
	}
	mustBeRetryable(t, load.failed())
	load.settle(t, newAPI(srv.url, "orders"))
	srv.mustRun(t)
}

// On a slow network, where all comes in small pieces, nothing fails.
func TestNetworkSlow(t *testing.T) {
	t.Parallel()
	postgres := startPostgres(t)
	network := startProxy(t, postgres.options.ListenAddress)
	srv := serve(t, "--database-url", postgres.urlAt(network.Listen))
	createQueue(t, srv.url, "orders")
	network.add(t, "latency", "downstream", `{"latency": 20, "jitter": 10}`)
	network.add(t, "slicer", "upstream", `{"average_size": 400, "size_variation": 200, "delay": 50}`)
	load := startLoad(t, newLedger(), clients(srv.url, "orders")...)
	load.run(t)
	load.settle(t, newAPI(srv.url, "orders"))
	for _, f := range load.failed() {
		t.Errorf("%s: %v after %v", f.protocol, f.err, f.took)
	}
}

// proxy is a network between polymq and PostgreSQL that can be made worse.
type proxy struct{ *toxiproxy.Proxy }

func startProxy(t *testing.T, upstream string) *proxy {
	t.Helper()
	owner := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &proxy{toxiproxy.NewProxy(owner, "database", "127.0.0.1:0", upstream)}
	if err := p.Start(); err != nil {
		t.Fatalf("start a proxy: %v", err)
	}
	t.Cleanup(p.Stop)
	return p
}

// add makes the network worse, in what goes upstream to PostgreSQL or downstream to polymq.
func (p *proxy) add(t *testing.T, toxic, stream, attributes string) {
	t.Helper()
	code := fmt.Sprintf(`{"type": %q, "stream": %q, "attributes": %s}`, toxic, stream, attributes)
	if _, err := p.Toxics.AddToxicJson(strings.NewReader(code)); err != nil {
		t.Fatalf("add %s: %v", toxic, err)
	}
}

// remove takes back what add did.
func (p *proxy) remove(t *testing.T, toxic, stream string) {
	t.Helper()
	if err := p.Toxics.RemoveToxic(t.Context(), toxic+"_"+stream); err != nil {
		t.Fatalf("remove %s: %v", toxic, err)
	}
}
