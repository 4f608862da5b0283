package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// newTransport returns a transport that keeps up to connections connections to each server.
func newTransport(connections int) *http.Transport {
	return &http.Transport{
		MaxConnsPerHost:     connections,
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

	base   context.Context // ends all requests
	ctx    context.Context // ends when the request in flight has taken too long
	cancel context.CancelCauseFunc
	alarm  *time.Timer

	answer bytes.Buffer // body of the last answer
}

func (c *conn) within(ctx context.Context) {
	c.renew()
	c.base = ctx
}

// do sends a request and reads the whole answer: its status, its header, and into c.answer its
// body. Whatever the answer says, it is no error here. It may take c.timeout and, in a long poll,
// wait more.
func (c *conn) do(method string, u *url.URL, header http.Header, body []byte, wait time.Duration) (int, http.Header, error) {
	c.answer.Reset()
	c.arm(c.timeout + wait)
	defer c.disarm()
	req := (&http.Request{
		Method: method, URL: u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(c.ctx)
	if body != nil { // never reused, for the transport may still read it after an early answer
		req.ContentLength = int64(len(body))
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return 0, nil, c.why(err)
	}
	defer resp.Body.Close()
	if _, err := c.answer.ReadFrom(resp.Body); err != nil {
		return 0, nil, c.why(fmt.Errorf("read the answer: %w", err))
	}
	return resp.StatusCode, resp.Header, nil
}

// arm sees to it that c.ctx ends after d. One context serves many requests, which is cheaper
// than one with a timeout for each.
func (c *conn) arm(d time.Duration) {
	if c.ctx != nil {
		c.alarm.Reset(d)
		return
	}
	ctx, cancel := context.WithCancelCause(c.base)
	c.ctx, c.cancel = ctx, cancel
	c.alarm = time.AfterFunc(d, func() { cancel(errTimeout) })
}

func (c *conn) disarm() {
	if !c.alarm.Stop() { // it went off
		c.renew()
	}
}

// renew makes the next request start with a new context.
func (c *conn) renew() {
	if c.ctx != nil {
		c.cancel(nil)
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
