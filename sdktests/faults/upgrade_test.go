package faults

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/polymq/polymq/pg/pgtest"
)

var older = flag.String("older", "", "the polymq of the release before, for TestUpgrade; without it the one under test takes its place")

// Two servers on one database are upgraded one after the other while they are used, and one of them is put back: no request is
// refused, nothing is lost, and nothing comes twice. Between the steps both versions serve one schema.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	before := cmp.Or(*older, binary)
	database := pgtest.EmptyDatabaseURL(t)
	awaitSessions(t, database)
	servers := []*process{serveBy(t, before, "--database-url", database), serveBy(t, before, "--database-url", database)}
	base := servers[0].url

	createQueue(t, base, "orders")
	createFIFO(t, base, "orders.fifo")
	short := map[string]string{"VisibilityTimeout": "10"} // for deletes that do not reach a server that stops; time is not moved under the other loads
	if _, err := newSQS(base, "orders.fifo").sdk.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(newSQS(base, "orders.fifo").url), Attributes: short}); err != nil {
		t.Fatalf("set a visibility timeout: %v", err)
	}
	createWithDeadLetters(t, base, "work", "dead")
	var workers []client
	for _, srv := range servers {
		workers = append(workers, poisoned{newSQS(srv.url, "work")})
	}
	news := newNews(t, base)
	standard, work, fifo := startLoad(t, newLedger(), newSQS(base, "orders"), newMNS(servers[1].url, "orders")), startLoad(t, newLedger(), workers...), startFIFOLoad(t, servers)
	stop := news.publishAtAll(t, servers)
	run := func() {
		standard.run(t)
		work.run(t)
		fifo.run(t)
	}
	run()
	for _, step := range []struct {
		server  *process
		program string
	}{{servers[0], binary}, {servers[1], binary}, {servers[0], before}} {
		step.server.signal(t, syscall.SIGTERM)
		if code := step.server.exit(t); code != 0 {
			t.Errorf("exit code %d", code)
		}
		step.server.program = step.program
		fifo.moved() // the messages whose deletes did not reach it
		step.server.start(t)
		run()
	}
	stop()
	standard.stop()
	fifo.stop()
	work.stop()
	for _, l := range []*load{standard, work} {
		mustNotRefuse(t, l.failed())
	}
	standard.settle(t, newAPI(base, "orders"))
	fifo.settle(t)
	exhaust(t, work, newAPI(base, "work"), workers[0])
	letters := len(work.lost())
	work.settle(t, newAPI(base, "dead"))
	t.Logf("%d dead letters", letters)
	news.mustArrive(t)
}

// news is a topic that goes to an endpoint and to a queue, and what was published to it.
type news struct {
	*hub
	live *endpoint

	mu           sync.Mutex
	acknowledged []string
}

func newNews(t *testing.T, base string) *news {
	t.Helper()
	n := &news{hub: newHub(t, base, "news"), live: newEndpoint(t, "")}
	createQueue(t, base, "copies")
	n.mustSubscribe(t, "endpoint", n.live.URL)
	n.mustSubscribe(t, "queue", "acs:mns:us-east-1:000000000000:queues/copies")
	return n
}

// publishAtAll publishes at all servers until stop is called.
func (n *news) publishAtAll(t *testing.T, servers []*process) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var publishers sync.WaitGroup
	for i, srv := range servers {
		at := &hub{newMNS(srv.url, ""), srv.url, n.topic}
		publishers.Go(func() {
			for number := 0; ctx.Err() == nil; number++ {
				body := fmt.Sprintf("%d-%05d", i, number)
				err := at.publish(context.WithoutCancel(ctx), body)
				if err == nil {
					n.mu.Lock()
					n.acknowledged = append(n.acknowledged, body)
					n.mu.Unlock()
				} else if refused := (refusal{}); errors.As(err, &refused) {
					t.Errorf("publish: %v", err)
				}
				select {
				case <-ctx.Done():
				case <-time.After(5 * time.Millisecond):
				}
			}
		})
	}
	stop = func() { cancel(); publishers.Wait() }
	t.Cleanup(stop)
	return stop
}

// mustArrive fails the test unless the endpoint and the queue get all that was published, once.
func (n *news) mustArrive(t *testing.T) {
	t.Helper()
	n.live.mustGet(t, n.acknowledged)
	var copies []string
	queue := newAPI(n.base, "copies")
	drain(t, "receive the copies", func() (int, error) {
		messages, err := queue.receive(t.Context(), 0)
		for _, m := range messages {
			copies = append(copies, m.body)
		}
		return len(messages), err
	})
	slices.Sort(copies)
	for name, got := range map[string][]string{"the endpoint": n.live.got(), "the queue": copies} {
		once := slices.Compact(slices.Clone(got))
		if len(once) < len(got) {
			t.Errorf("%s got %d of %d messages twice", name, len(got)-len(once), len(once))
		}
		missing := 0
		for _, body := range n.acknowledged {
			if _, there := slices.BinarySearch(once, body); !there {
				missing++
			}
		}
		if missing > 0 {
			t.Errorf("%s misses %d of %d messages", name, missing, len(n.acknowledged))
		}
		t.Logf("%s got %d messages", name, len(once))
	}
}
