package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

// Bounds of a parked connection.
const (
	maxParkedBody     = 64 << 10        // of a request; larger ones are not parked
	parkedSendTimeout = 2 * time.Minute // for the client to take an answer
)

// Parking lets long polls wait without what net/http keeps for a connection that it serves, most of it buffers.
// It is the handler before all others, and a listener: a connection of a parked request is taken from net/http,
// its answer is written without it, and when the next request comes, net/http accepts the connection again.
type Parking struct {
	Context context.Context // of parked requests
	Handler http.Handler    // of all requests
	Waits   func(*http.Request) bool
	Idle    time.Duration // how long a connection may be without a request once its parked one is answered
	Address net.Addr
	Log     *log.Logger

	ready   sync.Once
	conns   chan net.Conn // that net/http accepts again
	done    chan struct{} // closed with the listener
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
	idle   map[*parked]struct{} // answered, and no next request has come
}

func (p *Parking) init() {
	p.ready.Do(func() {
		p.conns, p.done, p.idle = make(chan net.Conn), make(chan struct{}), map[*parked]struct{}{}
	})
}

// ServeHTTP parks a request if it waits; others are answered at once. Connections over TLS are not parked, for
// net/http tells them by their type, nor are those that end with their request, or whose answer has no body.
func (p *Parking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.TLS != nil || r.Close || r.Method == http.MethodHead || !r.ProtoAtLeast(1, 1) || r.ContentLength < 0 || r.ContentLength > maxParkedBody || !p.Waits(r) {
		p.Handler.ServeHTTP(w, r)
		return
	}
	p.init()
	body := make([]byte, r.ContentLength)
	n, err := io.ReadFull(r.Body, body)
	if err != nil && r.ContentLength > 0 { // whoever reads it meets the same error
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:n]), failing{err}))
		p.Handler.ServeHTTP(w, r)
		return
	}
	if !p.take(w, r, body) {
		r.Body = io.NopCloser(bytes.NewReader(body))
		p.Handler.ServeHTTP(w, r)
	}
}

// failing is the end of a body that cannot be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// take takes the connection from net/http and goes on with it.
func (p *Parking) take(w http.ResponseWriter, r *http.Request, body []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	conn, buffers, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	c := &parked{parking: p}
	if n := buffers.Reader.Buffered(); n > 0 { // the next request, of a client that does not wait for its answers
		next, _ := buffers.Peek(n)
		c.next, c.read = bytes.Clone(next), true
	}
	if again, ok := conn.(*peekedConn); ok && len(again.peeked) == 0 {
		conn = again.Conn
	}
	c.Conn = conn
	ctx, cancel := context.WithCancel(p.Context)
	request := r.WithContext(ctx)
	request.Body = io.NopCloser(bytes.NewReader(body)) // the other one holds the buffers
	p.running.Go(func() {
		defer cancel()
		c.answer(request)
	})
	if !c.read {
		go c.watch(cancel) // ends with the next request, with the connection, after p.Idle, or with the listener
	}
	return true
}

// Accept is of net.Listener.
func (p *Parking) Accept() (net.Conn, error) {
	p.init()
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close is of net.Listener: it closes the connections without a request, and those of requests once they are answered.
func (p *Parking) Close() error {
	p.init()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	close(p.done)
	for c := range p.idle {
		_ = c.Close()
	}
	return nil
}

// Addr is of net.Listener.
func (p *Parking) Addr() net.Addr { return p.Address }

// Wait waits until all parked requests are answered, after Close.
func (p *Parking) Wait(ctx context.Context) error {
	answered := make(chan struct{})
	go func() { // ends when the requests have, whose contexts the server ends after this
		p.running.Wait()
		close(answered)
	}()
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Parking) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// parked is a connection that net/http does not know at the moment. The parking's mutex guards what follows it.
type parked struct {
	net.Conn
	parking *Parking

	next     []byte // what was read of the next request
	read     bool   // so it was, or gone is set
	gone     bool   // the connection cannot be read any more
	answered bool
}

// watch waits for the first byte of the next request, or the end of the connection.
func (c *parked) watch(cancel context.CancelFunc) {
	first := make([]byte, 1)
	n, err := c.Conn.Read(first)
	p := c.parking
	p.mu.Lock()
	delete(p.idle, c)
	c.next, c.read = first[:n], true
	if n == 0 && err != nil {
		c.gone = true
	}
	gone, goOn := c.gone, c.answered
	p.mu.Unlock()
	if gone {
		cancel() // nobody waits for messages any more
	}
	if goOn {
		c.giveBack()
	}
}

// answer has the request answered.
func (c *parked) answer(r *http.Request) {
	w := &parkedAnswer{conn: c, header: http.Header{}}
	kept := c.handle(w, r)
	p := c.parking
	if !kept || c.SetReadDeadline(time.Now().Add(p.Idle)) != nil {
		kept = false
		_ = c.Close() // which ends watch
	}
	p.mu.Lock()
	c.answered = true
	if !kept {
		c.gone = true
	}
	goOn := c.read
	if !goOn {
		p.idle[c] = struct{}{}
		if p.closed {
			_ = c.Close()
		}
	}
	p.mu.Unlock()
	if goOn {
		c.giveBack()
	}
}

// handle reports whether the connection can take another request. A handler that panics gives no answer.
func (c *parked) handle(w *parkedAnswer, r *http.Request) (kept bool) {
	defer func() {
		if reason := recover(); reason != nil && reason != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
			c.parking.Log.Printf("panic answering %v: %v\n%s", c.RemoteAddr(), reason, debug.Stack())
		}
	}()
	c.parking.Handler.ServeHTTP(w, r)
	if !w.began {
		w.WriteHeader(http.StatusOK)
		w.header["Content-Length"] = []string{"0"}
		_, _ = w.Write(nil)
	}
	return w.err == nil && !w.last
}

// giveBack gives a connection with a request to net/http.
func (c *parked) giveBack() {
	if c.gone {
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	select {
	case c.parking.conns <- &peekedConn{Conn: c.Conn, peeked: c.next}:
	case <-c.parking.done:
		_ = c.Close()
	}
}

// parkedAnswer writes an answer to its connection. The handler says how long it is; the connection ends with one
// of which it does not.
type parkedAnswer struct {
	conn   *parked
	header http.Header
	status int
	began  bool // the header is written
	last   bool // the connection ends with the answer
	err    error
}

// Header is of http.ResponseWriter.
func (w *parkedAnswer) Header() http.Header { return w.header }

// WriteHeader is of http.ResponseWriter.
func (w *parkedAnswer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write is of http.ResponseWriter. Header and body leave together.
func (w *parkedAnswer) Write(body []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	out := net.Buffers{body}
	if !w.began {
		w.began = true
		out = net.Buffers{w.head(), body}
	}
	if w.err = w.conn.SetWriteDeadline(time.Now().Add(parkedSendTimeout)); w.err == nil {
		_, w.err = out.WriteTo(w.conn.Conn)
	}
	w.err = errors.Join(w.err, w.conn.SetWriteDeadline(time.Time{}))
	if w.err != nil {
		return 0, w.err
	}
	return len(body), nil
}

// head gives the status line and the header.
func (w *parkedAnswer) head() []byte {
	w.WriteHeader(http.StatusOK)
	w.last = w.header.Get("Content-Length") == "" || w.header.Get("Connection") == "close" || w.conn.parking.isClosed()
	if w.last {
		w.header.Set("Connection", "close")
	}
	w.header["Date"] = []string{time.Now().UTC().Format(http.TimeFormat)}
	head := bytes.NewBufferString("HTTP/1.1 " + strconv.Itoa(w.status) + " " + http.StatusText(w.status) + "\r\n")
	_ = w.header.Write(head) // a buffer takes everything
	head.WriteString("\r\n")
	return head.Bytes()
}
