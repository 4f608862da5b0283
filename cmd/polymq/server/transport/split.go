package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// firstByteTimeout bounds how long a connection may take to send its first byte, which tells what it speaks.
const firstByteTimeout = 10 * time.Second

// handshakeRecord is the first byte of a TLS connection.
const handshakeRecord = 22

// Split takes the connections of a listener apart into those that begin as TLS and all others. Both listeners
// must be accepted from; when one is closed, so is the given one.
func Split(from net.Listener) (plain, encrypted net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &splitter{from: from, done: ctx.Done(), cancel: cancel, peeking: map[net.Conn]bool{}}
	p, e := &half{splitter: s, conns: make(chan net.Conn)}, &half{splitter: s, conns: make(chan net.Conn)}
	go s.run(p.conns, e.conns)
	return p, e
}

// splitter is what both halves have in common.
type splitter struct {
	from   net.Listener
	done   <-chan struct{}
	cancel context.CancelFunc
	err    error // why nothing is accepted any more, once done is closed

	mu      sync.Mutex
	peeking map[net.Conn]bool // nil once nothing is accepted any more
}

// run accepts connections and waits for the first byte of each by itself.
func (s *splitter) run(plain, encrypted chan<- net.Conn) {
	for {
		conn, err := s.from.Accept()
		if err != nil {
			var temporary interface{ Temporary() bool }
			if errors.As(err, &temporary) && temporary.Temporary() { // out of descriptors: net/http waits likewise
				select {
				case <-time.After(5 * time.Millisecond):
					continue
				case <-s.done:
				}
			}
			s.stop(err)
			return
		}
		if !s.begin(conn) {
			_ = conn.Close()
			continue
		}
		go func() { // ends with the first byte, after firstByteTimeout, or with the listener
			peeked, err := peek(conn)
			s.end(conn)
			if err != nil {
				_ = conn.Close()
				return
			}
			to := plain
			if peeked.peeked[0] == handshakeRecord {
				to = encrypted
			}
			select {
			case to <- peeked:
			case <-s.done:
				_ = conn.Close()
			}
		}()
	}
}

// begin notes a connection whose first byte is waited for.
func (s *splitter) begin(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peeking == nil {
		return false
	}
	s.peeking[conn] = true
	return true
}

func (s *splitter) end(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.peeking, conn)
}

// stop closes the listener and all connections that have sent nothing yet.
func (s *splitter) stop(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peeking == nil {
		return
	}
	for conn := range s.peeking {
		_ = conn.Close()
	}
	s.peeking, s.err = nil, err
	s.cancel()
	_ = s.from.Close()
}

// half is one of the two listeners.
type half struct {
	*splitter
	conns chan net.Conn
}

// Accept is of net.Listener.
func (h *half) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.done:
		return nil, h.err
	}
}

// Close is of net.Listener.
func (h *half) Close() error {
	h.stop(net.ErrClosed)
	return nil
}

// Addr is of net.Listener.
func (h *half) Addr() net.Addr { return h.from.Addr() }

// peekedConn is a connection of which something has been read that is yet to be given.
type peekedConn struct {
	net.Conn
	peeked []byte
}

func peek(conn net.Conn) (*peekedConn, error) {
	if err := conn.SetReadDeadline(time.Now().Add(firstByteTimeout)); err != nil {
		return nil, err
	}
	first := make([]byte, 1)
	if _, err := io.ReadFull(conn, first); err != nil {
		return nil, err
	}
	return &peekedConn{Conn: conn, peeked: first}, conn.SetReadDeadline(time.Time{})
}

// Read is of net.Conn. Only one goroutine at a time reads.
func (c *peekedConn) Read(p []byte) (int, error) {
	if len(c.peeked) == 0 || len(p) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.peeked)
	c.peeked = c.peeked[n:]
	return n, nil
}
