package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/cmd/polymq/server/tracing"
	"github.com/polymq/polymq/cmd/polymq/server/transport"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/protocols/localstack"
	"github.com/polymq/polymq/workers"
	"github.com/polymq/polymq/workers/push"
)

// Server is a running server.
type Server struct {
	config     Config
	log        zerolog.Logger
	listeners  []net.Listener
	database   *Database
	store      *pg.Store
	broker     *core.Broker
	workers    *workers.Runner
	pushes     *workers.Push
	client     *push.Client
	handler    http.Handler
	http       *http.Server
	parking    *transport.Parking // of long polls
	tls        *tls.Config        // nil: plain HTTP alone
	authority  []byte             // certificate of polymq's own authority, in PEM; nil: there is none
	scripts    localstack.Scripts
	elasticMQ  *elasticMQ // nil: there is no configuration of it
	metrics    *metrics
	usage      *ledger
	tracer     *tracing.Tracer    // nil: nothing is traced
	exported   *tracing.Log       // nil: the message log is not exported
	samples    *samples           // nil without the console
	abort      context.CancelFunc // ends the contexts of all requests
	stopFaults context.CancelFunc // nil outside test mode
	firstAdmin *core.Key          // that was made at this start
	background sync.WaitGroup
	done       chan struct{} // closed when the server cannot go on
	fail       sync.Once
	err        error // why, once done is closed
	stopping   sync.Once
	stopped    error // what Stop gives
}

// URL gives the address of the server as a client on this machine writes it, without a slash at
// the end.
func (s *Server) URL() string {
	if s.tls != nil {
		return "https://" + reachable(s.listeners[0].Addr())
	}
	return s.plainURL()
}

// plainURL is as URL, without encryption, for who is on this machine and does not know the certificate.
func (s *Server) plainURL() string { return "http://" + reachable(s.listeners[0].Addr()) }

// Broker gives the server's queues, for tests that look behind the protocols.
func (s *Server) Broker() *core.Broker { return s.broker }

// FirstAdmin gives the administrator's access key that was made at this start, nil for none. It is the only
// time that its secret can be shown.
func (s *Server) FirstAdmin() *core.Key { return s.firstAdmin }

// Done is closed when the server cannot go on by itself; Err says why. Stop must still be called.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err gives the reason once Done is closed.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

func (s *Server) failed(err error) {
	s.fail.Do(func() {
		s.err = err
		close(s.done)
	})
}
