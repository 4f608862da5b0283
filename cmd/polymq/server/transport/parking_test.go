package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// patience is how long a test waits for what should happen at once.
const patience = 20 * time.Second

// lot is a server with a parking in which requests for /poll are parked.
type lot struct {
	parking *Parking
	server  *http.Server
	address string
	polls   chan *http.Request // that are parked
	answer  chan string        // for the next of them
}

func newLot(t *testing.T) *lot {
	t.Helper()
	l := &lot{polls: make(chan *http.Request), answer: make(chan string)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	logger := log.New(t.Output(), "", 0)
	l.address = listener.Addr().String()
	l.parking = &Parking{
		Context: ctx, Handler: http.HandlerFunc(l.serve), Idle: patience, Address: listener.Addr(), Log: logger,
		Waits: func(r *http.Request) bool { return r.URL.Path == "/poll" },
	}
	l.server = &http.Server{Handler: l.parking, ErrorLog: logger, ReadHeaderTimeout: patience}
	ended := make(chan error, 2)
	for _, from := range []net.Listener{listener, l.parking} {
		go func() { ended <- l.server.Serve(from) }()
	}
	t.Cleanup(func() {
		cancel()
		_ = l.server.Close()
		for range cap(ended) {
			if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("the server ended with %v", err)
			}
		}
		over, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := l.parking.Wait(over); err != nil {
			t.Errorf("polls go on: %v", err)
		}
	})
	return l
}

// serve answers a poll when it is told what, or when its client is gone.
func (l *lot) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	text := fmt.Sprintf("%s %s %s", r.Method, r.URL.Path, body)
	if err != nil {
		text = "unreadable"
	}
	if _, parked := w.(*parkedAnswer); parked {
		l.polls <- r
		select {
		case answer := <-l.answer:
			text += " " + answer
		case <-r.Context().Done():
			return
		}
	}
	switch {
	case strings.HasSuffix(text, "abort"):
		panic(http.ErrAbortHandler)
	case strings.HasSuffix(text, "panic"):
		panic("on purpose")
	case strings.HasSuffix(text, "nothing"):
		return
	case !strings.HasSuffix(text, "unmeasured"):
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	}
	w.Header()["x-lower"] = []string{"kept"}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, text[:1])
	_, _ = io.WriteString(w, text[1:])
}

// client is a connection to the server.
type client struct {
	net.Conn
	t    *testing.T
	from *bufio.Reader
}

func (l *lot) dial(t *testing.T) *client {
	t.Helper()
	conn, err := net.Dial("tcp", l.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &client{conn, t, bufio.NewReader(conn)}
}

func (c *client) send(path, body string) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: polymq\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body); err != nil {
		c.t.Fatal(err)
	}
}

// read reads an answer.
func (c *client) read(want string) *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.from, nil)
	if err != nil {
		c.t.Fatalf("instead of %q: %v", want, err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != want || err != nil {
		c.t.Errorf("got %q, %v, want %q", body, err, want)
	}
	if resp.Header.Get("Date") == "" {
		c.t.Error("the answer has no date")
	}
	return resp
}

// ended waits for the end of the connection.
func (c *client) ended() {
	c.t.Helper()
	if _, err := c.from.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Errorf("the connection did not end: %v", err)
	}
}

// A connection goes from net/http to the parking and back as often as its requests want.
func TestParkedAnswers(t *testing.T) {
	t.Parallel()
	l := newLot(t)
	c := l.dial(t)
	for i := range 3 {
		c.send("/poll", "first")
		r := <-l.polls
		if got := r.RemoteAddr; got != c.LocalAddr().String() {
			t.Errorf("the poll came from %s, want %s", got, c.LocalAddr())
		}
		l.answer <- fmt.Sprint(i)
		resp := c.read(fmt.Sprintf("POST /poll first %d", i))
		if resp.StatusCode != http.StatusAccepted || resp.Close {
			t.Errorf("the poll was answered %s, the end of the connection: %v", resp.Status, resp.Close)
		}
		c.send("/plain", "second")
		c.read("POST /plain second")
	}
	c.send("/poll", "")
	<-l.polls
	l.answer <- "nothing"
	if resp := c.read(""); resp.StatusCode != http.StatusOK {
		t.Errorf("a handler that says nothing answered %s", resp.Status)
	}
	c.send("/plain", "last")
	c.read("POST /plain last")
}

// Headers are sent in the spelling that the handler gave them.
func TestParkedHeaders(t *testing.T) {
	t.Parallel()
	l := newLot(t)
	c := l.dial(t)
	c.send("/poll", "")
	<-l.polls
	l.answer <- "x"
	var head strings.Builder
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = c.from.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		head.WriteString(line)
	}
	if got := head.String(); !strings.HasPrefix(got, "HTTP/1.1 202 Accepted\r\n") || !strings.Contains(got, "\r\nx-lower: kept\r\n") {
		t.Errorf("the answer begins %q", got)
	}
}

func TestParkedPipeline(t *testing.T) {
	t.Parallel()
	l := newLot(t)
	c := l.dial(t)
	request := func(path string) string { return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" }
	if _, err := io.WriteString(c, request("/poll")+request("/poll")+request("/plain")); err != nil {
		t.Fatal(err)
	}
	for _, answer := range []string{"1", "2"} {
		<-l.polls
		l.answer <- answer
		c.read("POST /poll x " + answer)
	}
	c.read("POST /plain x")
	c.send("/poll", "y")
	<-l.polls
	c.send("/plain", "z") // while the poll waits
	l.answer <- "3"
	c.read("POST /poll y 3")
	c.read("POST /plain z")
}

func TestParkedClientIsGone(t *testing.T) {
	t.Parallel()
	l := newLot(t)
	c := l.dial(t)
	c.send("/poll", "")
	r := <-l.polls
	_ = c.Close()
	select {
	case <-r.Context().Done():
	case <-time.After(patience):
		t.Error("the poll goes on without its client")
	}
}

// Connections that cannot go on end with their answer, or without one.
func TestParkedConnectionEnds(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"unmeasured", "abort", "panic"} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			l := newLot(t)
			c := l.dial(t)
			c.send("/poll", "")
			<-l.polls
			l.answer <- answer
			if answer == "unmeasured" {
				if resp := c.read("POST /poll  unmeasured"); !resp.Close {
					t.Error("the answer does not tell that the connection ends")
				}
			}
			c.ended()
		})
	}
}

// What cannot be parked is answered by net/http.
func TestNotParked(t *testing.T) {
	t.Parallel()
	l := newLot(t)
	const head = "POST /poll HTTP/1.1\r\nHost: a\r\n"
	tests := map[string]struct {
		request string
		want    string
	}{
		"a connection that ends": {head + "Connection: close\r\nContent-Length: 1\r\n\r\nx", "POST /poll x"},
		"HTTP/1.0":               {"POST /poll HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", "POST /poll x"},
		"chunks":                 {head + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "POST /poll x"},
		"a large body":           {fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, maxParkedBody+1, strings.Repeat("x", maxParkedBody+1)), "POST /poll " + strings.Repeat("x", maxParkedBody+1)},
		"half a body":            {head + "Content-Length: 2\r\n\r\nx", "unreadable"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := l.dial(t)
			if _, err := io.WriteString(c, tt.request); err != nil {
				t.Fatal(err)
			}
			if tt.want == "unreadable" {
				if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			c.read(tt.want)
		})
	}
}

// The answer to a HEAD has no body, which the client would take for the answer to its next request.
func TestHeadsAreNotParked(t *testing.T) {
	t.Parallel()
	c := newLot(t).dial(t)
	if _, err := io.WriteString(c, "HEAD /poll HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	c.send("/plain", "")
	resp, err := http.ReadResponse(c.from, &http.Request{Method: http.MethodHead})
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	c.read("POST /plain ")
}

// A stop lets polls be answered, and closes what waits for nothing.
func TestParkingStops(t *testing.T) {
	t.Parallel()
	l := newLot(t)
	idle, polling := l.dial(t), l.dial(t)
	idle.send("/poll", "")
	<-l.polls
	l.answer <- "1"
	idle.read("POST /poll  1")
	polling.send("/poll", "")
	<-l.polls
	if err := l.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	idle.ended()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.parking.Wait(over); !errors.Is(err, context.Canceled) {
		t.Errorf("to wait for a poll that goes on gave %v", err)
	}
	l.answer <- "2"
	if resp := polling.read("POST /poll  2"); !resp.Close {
		t.Error("the answer does not tell that the connection ends")
	}
	polling.ended()
	if err := l.parking.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// A connection that is idle for too long behind its poll is closed.
func TestParkedIdle(t *testing.T) {
	t.Parallel()
	l := newLot(t)
	l.parking.Idle = time.Millisecond
	c := l.dial(t)
	c.send("/poll", "")
	<-l.polls
	l.answer <- "1"
	c.read("POST /poll  1")
	c.ended()
}
