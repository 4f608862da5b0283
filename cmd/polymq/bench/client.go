package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// A client speaks one protocol over one connection. It belongs to one worker and reuses its
// buffers; it is not safe for concurrent use.
type client interface {
	// createQueue makes a queue, or finds the one of that name.
	createQueue(name string) (queue, error)
	deleteQueue(q queue) error
	// send sends the numbered messages in one request. An entry of a batch that the server
	// refuses alone is marked as failed.
	send(q queue, batch []message) error
	// receive appends up to limit messages to batch, waiting up to wait for the first.
	receive(q queue, batch []message, limit int, wait time.Duration) ([]message, error)
	// delete deletes messages by their handles in one request; failed is marked as by send.
	delete(q queue, batch []message) error
}

// A queue is one queue under test.
type queue struct {
	name string
	url  string // what the protocol calls it in requests
}

// A message is one message on its way: out with a number, in with a number and a handle.
type message struct {
	number uint64
	known  bool   // the body is one that this run sent
	handle string // what deletes it
	failed string // the server's code, where it refused this entry of a batch
}

// newClient returns the client of the options' protocol to an endpoint.
func newClient(c *conn, o *options, l *ledger) client {
	return newSQSClient(c, o, l)
}

// newTransport returns a transport that keeps up to connections connections.
func newTransport(connections int) *http.Transport {
	return &http.Transport{
		MaxConnsPerHost:     connections,
		MaxIdleConns:        connections,
		MaxIdleConnsPerHost: connections,
		DisableCompression:  true,
		TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{}, // no HTTP/2
	}
}

// A conn sends requests to one endpoint, one at a time.
type conn struct {
	transport *http.Transport
	endpoint  *url.URL
	timeout   time.Duration
	base      context.Context
	ctx       context.Context // ends when the request in flight has taken too long
	alarm     *time.Timer
	answer    bytes.Buffer // body of the last answer
}

func newConn(ctx context.Context, t *http.Transport, endpoint *url.URL, timeout time.Duration) *conn {
	return &conn{transport: t, endpoint: endpoint, timeout: timeout, base: ctx}
}

var errTimeout = errors.New("no answer in time")

// do sends a request and reads the whole answer into c.answer. Whatever the answer says, it is
// no error here. It waits for c.timeout and, in a long poll, wait more.
func (c *conn) do(method string, u *url.URL, header http.Header, body []byte, wait time.Duration) (*http.Response, error) {
	c.answer.Reset()
	c.arm(c.timeout + wait)
	defer c.disarm()
	req := (&http.Request{
		Method: method, URL: u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(c.ctx)
	if body != nil {
		req.ContentLength = int64(len(body))
		req.Body = io.NopCloser(bytes.NewReader(body)) // the transport may still read it after an early answer: never reused
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, c.why(err)
	}
	defer resp.Body.Close()
	if _, err := c.answer.ReadFrom(resp.Body); err != nil {
		return nil, c.why(fmt.Errorf("read the answer: %w", err))
	}
	return resp, nil
}

// arm sees to it that c.ctx ends after d. One context serves many requests, which is cheaper
// than one with a timeout for each.
func (c *conn) arm(d time.Duration) {
	if c.ctx != nil {
		c.alarm.Reset(d)
		return
	}
	ctx, cancel := context.WithCancelCause(c.base)
	c.ctx = ctx
	c.alarm = time.AfterFunc(d, func() { cancel(errTimeout) })
}

func (c *conn) disarm() {
	if !c.alarm.Stop() { // it went off: the context is spent
		c.ctx = nil
	}
}

// why says why a request failed, where the context knows better than the transport.
func (c *conn) why(err error) error {
	if cause := context.Cause(c.ctx); cause != nil {
		return cause
	}
	return err
}
