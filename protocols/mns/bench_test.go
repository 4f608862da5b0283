package mns

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// oneQueueStore has one queue, full of messages with one body. It costs nothing, so that what is
// measured is the protocol.
type oneQueueStore struct {
	core.Store
	body []byte
}

func (oneQueueStore) Notify(func(core.Arrival)) {}

func (oneQueueStore) Observe(func(*core.Queue) bool, func(*core.Queue, core.Event)) {}

func (oneQueueStore) CreateQueue(_ context.Context, in core.NewQueue) (core.Queue, bool, error) {
	return core.Queue{Name: in.Name, Settings: in.Settings}, true, nil
}

func (oneQueueStore) Queue(_ context.Context, name core.QueueName) (*core.Queue, error) {
	return &core.Queue{ID: 1, Name: name, Settings: DefaultSettings()}, nil
}

func (oneQueueStore) DescribeQueue(_ context.Context, name core.QueueName) (core.Queue, error) {
	return core.Queue{Name: name, Settings: DefaultSettings()}, nil
}

func (oneQueueStore) AlterQueue(_ context.Context, name core.QueueName, change core.QueueChange) (core.Queue, error) {
	return change.Apply(core.Queue{Name: name, Settings: DefaultSettings()}), nil
}

func (oneQueueStore) DeleteQueue(_ context.Context, name core.QueueName) (core.Queue, error) {
	return core.Queue{Name: name}, nil
}

func (oneQueueStore) ListQueues(context.Context, core.ListQueuesInput) (core.QueuePage, error) {
	return core.QueuePage{Queues: []core.Queue{{}}, Next: "next"}, nil
}

func (oneQueueStore) SendMessages(_ context.Context, _ *core.Queue, messages []core.NewMessage) ([]core.Sent, error) {
	return make([]core.Sent, len(messages)), nil
}

func (s oneQueueStore) ReceiveMessages(_ context.Context, _ *core.Queue, in core.StoreReceive) ([]core.Message, error) {
	messages := make([]core.Message, in.Limit)
	for i := range messages {
		messages[i] = core.Message{Body: s.body, Handle: "1-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Priority: 8, ReceiveCount: 1}
	}
	return messages, nil
}

func (s oneQueueStore) PeekMessages(ctx context.Context, queue *core.Queue, in core.PeekInput) (core.PeekPage, error) {
	messages, err := s.ReceiveMessages(ctx, queue, core.StoreReceive{Limit: in.Limit})
	return core.PeekPage{Messages: messages}, err
}

func (oneQueueStore) DeleteMessages(_ context.Context, _ *core.Queue, handles []string, _ bool) ([]error, error) {
	return make([]error, len(handles)), nil
}

func (oneQueueStore) ChangeVisibility(_ context.Context, _ *core.Queue, in core.ChangeVisibilityInput) ([]core.VisibilityResult, error) {
	return make([]core.VisibilityResult, len(in.Changes)), nil
}

func (oneQueueStore) AccountAttributes(context.Context, string, string) (map[string]string, error) {
	return nil, nil
}

func (oneQueueStore) SetAccountAttributes(context.Context, string, string, map[string]*string) error {
	return nil
}

func (oneQueueStore) ReturnMessages(_ context.Context, _ *core.Queue, handles []string) ([]error, error) {
	return make([]error, len(handles)), nil
}

func BenchmarkServer(b *testing.B) {
	for _, size := range []int{200, 64 << 10} {
		body := strings.Repeat("x", size)
		server := New(core.NewBroker(oneQueueStore{body: []byte(body)}), new(caller.Options), Options{})
		for _, bm := range []struct{ name, method, query, body string }{
			{"send", http.MethodPost, "", `<?xml version="1.0" encoding="utf-8"?><Message xmlns="` + namespace + `/"><MessageBody>` + body + `</MessageBody><Priority>8</Priority></Message>`},
			{"receive", http.MethodGet, "waitseconds=0", ""},
			{"delete", http.MethodDelete, "ReceiptHandle=1-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ""},
		} {
			b.Run(fmt.Sprintf("%s/body=%d", bm.name, size), func(b *testing.B) { serve(b, server, bm.method, bm.query, bm.body) })
		}
	}
}

// serve has a server answer requests on messages of the queue orders.
func serve(b *testing.B, server *Server, method, query, body string) {
	b.Helper()
	r := httptest.NewRequest(method, "/queues/orders/messages?"+query, nil)
	r.Header = http.Header{"X-Mns-Version": {version}, "Authorization": {"MNS ak:sig"}, "User-Agent": {"aliyun-sdk-go/2.0.1"}}
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		if body != "" {
			r.Body = http.MaxBytesReader(nil, nopCloser{strings.NewReader(body)}, 1<<20)
			r.ContentLength = int64(len(body))
		}
		server.ServeHTTP(w, r)
	}
	if w.status >= 300 {
		b.Fatalf("got %d", w.status)
	}
}

// BenchmarkBatches has batches of 16; a message of one is what to compare with BenchmarkServer.
func BenchmarkBatches(b *testing.B) {
	body := strings.Repeat("x", 200)
	server := New(core.NewBroker(oneQueueStore{body: []byte(body)}), new(caller.Options), Options{})
	const handle = "1-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for _, bm := range []struct{ name, method, query, body string }{
		{"send", http.MethodPost, "", `<Messages xmlns="` + namespace + `/">` + strings.Repeat("<Message><MessageBody>"+body+"</MessageBody><Priority>8</Priority></Message>", maxBatch) + "</Messages>"},
		{"receive", http.MethodGet, "waitseconds=0&numOfMessages=16", ""},
		{"delete", http.MethodDelete, "", `<ReceiptHandles xmlns="` + namespace + `/">` + strings.Repeat("<ReceiptHandle>"+handle+"</ReceiptHandle>", maxBatch) + "</ReceiptHandles>"},
	} {
		b.Run(bm.name, func(b *testing.B) { serve(b, server, bm.method, bm.query, bm.body) })
	}
}

// BenchmarkAuthenticate has what a signature costs, beside the look at its key.
func BenchmarkAuthenticate(b *testing.B) {
	const secret = "hunter22"
	server := &Server{callers: &caller.Options{Keys: oneKey{"GOOD": {ID: "GOOD", Account: "111122223333", Secret: secret}}, Verify: true}}
	for name, sign := range map[string]func(*http.Request){
		"version=2": func(r *http.Request) { sign2(r, "GOOD", secret) },
		"version=4": func(r *http.Request) {
			day, stamp := time.Now().UTC().Format("20060102"), time.Now().UTC().Format("20060102T150405Z")
			key := []byte("aliyun_v4" + secret)
			for _, step := range []string{day, "cn-hangzhou", "mns", "aliyun_v4_request"} {
				key = hmac256(key, step)
			}
			scope := day + "/cn-hangzhou/mns/aliyun_v4_request"
			mac := hmac256(key, "MNS4-HMAC-SHA256\n"+stamp+"\n"+scope+"\n"+canonical4(r, url.PathUnescape))
			r.Header.Set("Authorization", "MNS4-HMAC-SHA256 Credential=GOOD/"+scope+",Signature="+hex.EncodeToString(mac))
		},
	} {
		b.Run(name, func(b *testing.B) {
			r := vectorRequest("GET", "/queues/orders/messages?waitseconds=10", "X-Mns-Version", version, "Content-Type", "text/xml;charset=UTF-8", "Date", time.Now().UTC().Format(http.TimeFormat))
			sign(r)
			c := &call{Caller: server.callers.Identify(r)}
			b.ReportAllocs()
			for b.Loop() {
				if err := server.authenticate(r, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type nopCloser struct{ *strings.Reader }

func (nopCloser) Close() error { return nil }

// discard is a response that nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
