package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxPushed bounds what a receiver reads of a push.
const maxPushed = 2 << 20

// receivers are the HTTP endpoints that messages are pushed to, on one server on the loopback: /live/N answers at once, /dead/N
// never does, and /refuse/N answers that it cannot.
type receivers struct {
	url    string
	server *http.Server
	load   *load
	closed chan struct{}

	confirmed atomic.Int64
	delivered atomic.Uint64 // to live ones, each message once
	again     atomic.Uint64 // to live ones that had it already

	mu      sync.Mutex
	waiting map[uint64]*pushed // by the message's number
	seen    [][]uint64         // by live receiver: a bit for each message
}

// pushed is a message on its way to all the live receivers.
type pushed struct {
	begin time.Time // of its publish
	left  int       // receivers that do not have it
	batch *pushedBatch
}

type pushedBatch struct {
	left int // messages
	done chan struct{}
}

func startReceivers(l *load) (*receivers, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for pushes: %w", err)
	}
	r := &receivers{
		url: "http://" + listener.Addr().String(), load: l, closed: make(chan struct{}),
		waiting: map[uint64]*pushed{}, seen: make([][]uint64, l.Receivers),
	}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: l.Timeout}
	go func() { _ = r.server.Serve(listener) }() // ends with close
	return r, nil
}

func (r *receivers) close() {
	close(r.closed)
	_ = r.server.Close() // what is in flight is of no use any more
}

// ServeHTTP is one push.
func (r *receivers) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	kind, name, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	i, err := strconv.Atoi(name)
	if err != nil {
		http.NotFound(w, req)
		return
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, maxPushed))
	if err != nil {
		return
	}
	if req.Header.Get("X-Amz-Sns-Message-Type") == "SubscriptionConfirmation" {
		r.confirm(req.Context(), body)
		return
	}
	switch kind {
	case "live":
		r.arrive(i, body)
	case "dead":
		select {
		case <-req.Context().Done():
		case <-r.closed:
		}
	default:
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// confirm follows the link of a confirmation.
func (r *receivers) confirm(ctx context.Context, body []byte) {
	var message struct{ SubscribeURL string }
	if json.Unmarshal(body, &message) != nil {
		return
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, message.SubscribeURL, nil)
	if err != nil {
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return
	}
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		r.confirmed.Add(1)
	}
}

// confirmations waits for n of them, and begins to count anew.
func (r *receivers) confirmations(ctx context.Context, n int) error {
	for r.confirmed.Load() < int64(n) {
		pause(ctx, deliveryPoll, nil)
		if interrupted(ctx) {
			return errNotArrived
		}
	}
	r.confirmed.Store(0)
	return nil
}

// expect begins to wait for messages that are about to be published; the channel is closed when they are everywhere.
func (r *receivers) expect(batch []message) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := &pushedBatch{left: len(batch), done: make(chan struct{})}
	now := time.Now()
	for _, m := range batch {
		r.waiting[m.number] = &pushed{begin: now, left: r.load.Receivers, batch: b}
	}
	return b.done
}

// forget waits for messages no longer.
func (r *receivers) forget(batch []message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range batch {
		delete(r.waiting, m.number)
	}
}

// arrive notes that a receiver has got a message, as it was published or within an envelope.
func (r *receivers) arrive(receiver int, body []byte) {
	now := time.Now()
	i := bytes.Index(body, []byte(r.load.ledger.id+" "))
	if i < 0 || i+r.load.BodySize > len(body) {
		r.load.ledger.damaged.Add(1)
		return
	}
	n, known := r.load.ledger.parse(body[i : i+r.load.BodySize])
	if !known {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if receiver >= len(r.seen) || r.had(receiver, n) {
		r.again.Add(1)
		return
	}
	r.delivered.Add(1)
	recorder := r.load.recorder.Load()
	recorder.handled(1)
	recorder.alive()
	p := r.waiting[n]
	if p == nil {
		return
	}
	recorder.observe(opDeliver, now.Sub(p.begin))
	if p.left--; p.left > 0 {
		return
	}
	delete(r.waiting, n)
	if p.batch.left--; p.batch.left == 0 {
		close(p.batch.done)
	}
}

// had notes that a receiver has a message, and says whether it had it before. The caller holds r.mu.
func (r *receivers) had(receiver int, n uint64) bool {
	word, bit := int(n/64), uint64(1)<<(n%64)
	if missing := word + 1 - len(r.seen[receiver]); missing > 0 {
		r.seen[receiver] = append(r.seen[receiver], make([]uint64, missing)...)
	}
	had := r.seen[receiver][word]&bit != 0
	r.seen[receiver][word] |= bit
	return had
}
