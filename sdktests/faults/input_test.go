package faults

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// dialect is how a protocol sends a message to the queue orders.
type dialect struct {
	path, contentType, target string
	before, after             string // around a body
	delay                     string // a message whose delay is %s
	deeper, shallower, around string // around has two %s, for levels of nesting
	control, surrogate        string // a body that XML cannot carry, one that is no text
	codeOf                    func([]byte) string
}

var dialects = map[string]dialect{
	"sqs": {
		path: "/", contentType: "application/x-amz-json-1.0", target: "AmazonSQS.SendMessage",
		before: `{"QueueUrl": "orders", "MessageBody": "`, after: `"}`,
		delay:  `{"QueueUrl": "orders", "MessageBody": "hello", "DelaySeconds": %s}`,
		around: `{"QueueUrl": "orders", "MessageBody": "hello", "Other": %s1%s}`, deeper: `[{"a":`, shallower: `}]`,
		control: `\u0001`, surrogate: `\ud800`,
		codeOf: jsonCode,
	},
	"query": {
		path: "/000000000000/orders", contentType: "application/x-www-form-urlencoded",
		before: "Action=SendMessage&MessageBody=",
		delay:  "Action=SendMessage&MessageBody=hello&DelaySeconds=%s",
		around: "Action=SendMessageBatch&SendMessageBatchRequestEntry%s%s.Id=1", deeper: ".1.a",
		control: "%01", surrogate: "%ED%A0%80",
		codeOf: xmlCode,
	},
	"mns": {
		path: "/queues/orders/messages", contentType: "text/xml",
		before: "<Message><MessageBody>", after: "</MessageBody></Message>",
		delay:  "<Message><MessageBody>hello</MessageBody><DelaySeconds>%s</DelaySeconds></Message>",
		around: "<Message><MessageBody>hello</MessageBody>%s%s</Message>", deeper: "<a>", shallower: "</a>",
		control: "&#1;", surrogate: "&#xD800;",
		codeOf: xmlCode,
	},
	"api": {
		path: "/api/v1/queues/orders/messages", contentType: "application/json",
		before: `{"messages": [{"body": "`, after: `"}]}`,
		delay:  `{"messages": [{"body": "hello", "delay_seconds": %s}]}`,
		around: `{"messages": %s1%s}`, deeper: `[{"a":`, shallower: `}]`,
		control: `\u0001`, surrogate: `\ud800`,
		codeOf: jsonCode,
	},
}

// wrong gives requests that no protocol can accept, by what is wrong with them.
func (d dialect) wrong() map[string]string {
	const levels = 10_000
	return map[string]string{
		"no end":          strings.TrimSuffix(d.before, "MessageBody="), // which would be one in a form
		"not the format":  strings.Repeat("\x00\x01\xff", 100),
		"deep":            fmt.Sprintf(d.around, strings.Repeat(d.deeper, levels), strings.Repeat(d.shallower, levels)),
		"deep, no end":    fmt.Sprintf(d.around, strings.Repeat(d.deeper, levels), ""),
		"not UTF-8":       d.before + "\xff\xfe" + d.after,
		"overlong UTF-8":  d.before + "\xc0\x80" + d.after,
		"half a pair":     d.before + d.surrogate + d.after,
		"control":         d.before + d.control + d.after,
		"negative number": fmt.Sprintf(d.delay, "-1"),
		"large number":    fmt.Sprintf(d.delay, "2147483648"),
		"huge number":     fmt.Sprintf(d.delay, strings.Repeat("9", 1000)),
		"huge exponent":   fmt.Sprintf(d.delay, "1e999999999"),
		"2 MiB":           d.before + strings.Repeat("x", 2<<20) + d.after,
		"entities":        laughter + d.before + "&h;" + d.after,
	}
}

// laughter is a document type whose last entity stands for a gigabyte of text. It is nothing to the protocols without XML either.
var laughter = func() string {
	text := `<!DOCTYPE Message [<!ENTITY z "ha">`
	for c := 'a'; c <= 'h'; c++ {
		before := "&" + string(c-1) + ";"
		if c == 'a' {
			before = "&z;"
		}
		text += fmt.Sprintf(`<!ENTITY %c "%s">`, c, strings.Repeat(before, 14))
	}
	return text + "]>"
}()

// Requests that are wrong get the protocol's own error, and cost no memory to speak of.
func TestBadInput(t *testing.T) {
	t.Parallel()
	srv := serve(t, "--database-url", testDatabase(t))
	createQueue(t, srv.url, "orders")
	memory := watchMemory(t, srv)
	var requests errgroup.Group
	requests.SetLimit(8)
	for protocol, d := range dialects {
		for name, body := range d.wrong() {
			requests.Go(func() error {
				status, code, err := d.post(srv.url, "", strings.NewReader(body))
				if err != nil || status < 400 || status >= 500 || code == "" {
					t.Errorf("%s, %s: got status %d, code %q, %v", protocol, name, status, code, err)
				}
				return nil
			})
		}
	}
	_ = requests.Wait() // reported above
	memory.mustBeBelow(t, 128<<20)
	if stored, err := newAPI(srv.url, "orders").counts(t.Context()); err != nil || stored != (counts{}) {
		t.Errorf("of requests that were refused the queue has %+v, %v", stored, err)
	}
	mustWork(t, srv)
}

// Bodies without end are cut off: they cost no more memory than the largest requests that are allowed.
func TestHugeInput(t *testing.T) {
	t.Parallel()
	srv := serve(t, "--database-url", testDatabase(t))
	createQueue(t, srv.url, "orders")
	memory := watchMemory(t, srv)
	bomb := gzipped(t, 256<<20)
	var requests errgroup.Group
	requests.SetLimit(4)
	for protocol, d := range dialects {
		for range 4 {
			requests.Go(func() error {
				body := io.MultiReader(strings.NewReader(d.before), io.LimitReader(letters{}, 100<<20))
				status, code, err := d.post(srv.url, "", body)
				// A server may close the connection before it has read all, and a client may then miss the answer.
				if err == nil && (status < 400 || status >= 500 || code == "") {
					t.Errorf("%s, 100 MiB: got status %d, code %q", protocol, status, code)
				}
				return nil
			})
			requests.Go(func() error {
				status, code, err := d.post(srv.url, "gzip", bytes.NewReader(bomb))
				if err != nil || status < 400 || status >= 500 || code == "" {
					t.Errorf("%s, gzip bomb: got status %d, code %q, %v", protocol, status, code, err)
				}
				return nil
			})
		}
	}
	_ = requests.Wait()            // reported above
	memory.mustBeBelow(t, 384<<20) // four at a time, of which the JSON API's may have 16 MiB, in a buffer that grows to that
	mustWork(t, srv)
}

// post sends a request and gives the status and the code of the answer.
func (d dialect) post(base, encoding string, body io.Reader) (status int, code string, err error) {
	req, err := http.NewRequest(http.MethodPost, base+d.path, body)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", d.contentType)
	if d.target != "" {
		req.Header.Set("X-Amz-Target", d.target)
	}
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	client := http.Client{Transport: httpClient.Transport, Timeout: requestTimeout}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, d.codeOf(answer), err
}

// letters is an endless text.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// gzipped compresses so many zero bytes.
func gzipped(t *testing.T, size int64) []byte {
	t.Helper()
	var compressed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&compressed, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range size / int64(len(zeros)) {
		if _, err := writer.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return compressed.Bytes()
}

// mustWork fails the test unless the server serves as before.
func mustWork(t *testing.T, srv *process) {
	t.Helper()
	srv.mustRun(t)
	for _, c := range clients(srv.url, "orders") {
		if err := c.send(t.Context(), "hello"); err != nil {
			t.Errorf("%s: %v", c.protocol(), err)
		}
		messages, err := c.receive(t.Context(), time.Second)
		if err != nil || len(messages) != 1 || messages[0].body != "hello" {
			t.Errorf("%s: received %v, %v", c.protocol(), messages, err)
		}
	}
}

// memory watches a server's resident memory.
type memory struct {
	most    atomic.Int64
	stop    chan struct{}
	watcher sync.WaitGroup
}

func watchMemory(t *testing.T, srv *process) *memory {
	t.Helper()
	m := &memory{stop: make(chan struct{})}
	begin := srv.resident(t)
	m.watcher.Go(func() {
		for {
			m.most.Store(max(m.most.Load(), int64(srv.resident(t)-begin)))
			select {
			case <-m.stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return m
}

// mustBeBelow ends the watch and fails the test if the server ever took so much more than at first.
func (m *memory) mustBeBelow(t *testing.T, bytes int64) {
	t.Helper()
	close(m.stop)
	m.watcher.Wait()
	most := m.most.Load()
	t.Logf("resident memory grew by up to %d MiB", most>>20)
	if most > bytes {
		t.Errorf("resident memory grew by %d MiB, want at most %d", most>>20, bytes>>20)
	}
}

// A client that sends a request's header a byte at a time is cut off.
func TestSlowHeader(t *testing.T) {
	t.Parallel()
	srv := serve(t, "--database-url", testDatabase(t))
	conn := dial(t, srv.address)
	defer conn.Close()
	began := time.Now()
	for _, c := range []byte("POST / HTTP/1.1\r\nX-Long: " + strings.Repeat("x", 1000)) {
		_, writing := conn.Write([]byte{c})
		_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, reading := io.ReadAll(conn)
		if writing != nil || !errors.Is(reading, net.ErrClosed) && !isTimeout(reading) {
			t.Logf("cut off after %v", time.Since(began).Round(time.Millisecond))
			return
		}
	}
	t.Errorf("the connection is still open after %v", time.Since(began))
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
