package server

import (
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/polymq/polymq/cmd/polymq/server/transport"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/console"
	"github.com/polymq/polymq/protocols/localstack"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/sns"
	"github.com/polymq/polymq/protocols/sqs"
	"github.com/polymq/polymq/workers"
)

// Bounds of a connection. A request may take as long as the longest long poll (30 s), and its body
// some time on top of it.
const (
	readHeaderTimeout = 10 * time.Second // of a connection's TLS handshake, too
	requestTimeout    = 2 * time.Minute  // to read a request, and to answer it
	idleTimeout       = 5 * time.Minute  // a kept connection without requests
	maxHeaderBytes    = 64 << 10
)

// parkFrom is how many receives wait before others wait without what net/http keeps for a connection.
const parkFrom = 200

// stopTimeout bounds each step of Stop after the one that waits for requests.
const stopTimeout = 10 * time.Second

// pushGrace is how long pushes under way may take to end; those of endpoints that hang are made again by
// another server, or after the next start.
const pushGrace = 3 * time.Second

// Start starts a server and returns when it is ready; ctx bounds the start only. Errors say what
// to do about them, and leave nothing running.
func Start(ctx context.Context, config Config) (*Server, error) {
	if err := config.Check(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	s := &Server{config: config.withDefaults(), done: make(chan struct{})}
	s.log = newLogger(s.config)
	s.log.Debug().Fields(s.config.Settings()).Msg("configuration")
	for _, name := range s.config.UnknownVariables {
		s.log.Warn().Str("variable", name).Msg("environment variable sets nothing")
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) (err error) {
	began := time.Now()
	if err := s.readElasticMQ(); err != nil {
		return err
	}
	if s.listeners, err = listen(s.config.Listen); err != nil {
		return err
	}
	s.warnIfExposed()
	s.runScripts(ctx, localstack.Boot)
	if err := s.config.mustHaveData(); err != nil {
		return err
	}
	if s.database, err = OpenDatabase(ctx, s.config); err != nil {
		return err
	}
	s.background.Go(func() { s.database.watch(s.failed) })
	var madeKey string
	if s.database.Options.MasterKey, madeKey, err = s.masterKey(); err != nil {
		return err
	}
	if s.store, err = openStore(ctx, s.config.Migrate, s.database.Options, s.log); err != nil {
		return explainMasterKey(err, madeKey)
	}
	if err := s.ensureAdmin(ctx); err != nil {
		return err
	}
	s.broker = core.NewBroker(s.store)
	s.metrics, s.usage = newMetrics(), newLedger()
	s.metrics.watch(s.store, s.broker, s.exportDropped)
	if *s.config.Console {
		s.samples = &samples{traffic: s.broker.Traffic, depths: s.metrics.depths.latest}
	}
	if err := s.secure(ctx); err != nil {
		return err
	}
	if err := s.startTracing(ctx); err != nil {
		return err
	}
	if err := s.startLogExport(ctx); err != nil {
		return err
	}
	s.handler = s.speak()
	s.watchFilters()
	if err := s.startPushes(); err != nil {
		return err
	}
	s.broker.LimitAccounts(core.Limits{Queues: s.config.LimitQueues, Topics: s.config.LimitTopics, Bytes: s.config.LimitBytes, Requests: s.config.LimitRequests})
	if s.config.ExpireUnusedQueues > 0 {
		s.broker.NoteUses()
	}
	s.workers = newWorkers(s.store, s.broker, s.pushes, s.config, s.log)
	if s.samples != nil {
		s.workers.Add("samples", workers.Every(sampleEvery), shortChore, workers.Samples{Take: s.samples.take})
	}
	s.workers.Add("usage", workers.Every(usageEvery), shortChore, workers.Usage{Write: s.usage.write(s.broker)})
	s.workers.Add("old usage", workers.Every(expireEvery), longChore, workers.Retention{DeleteExpired: s.store.ForgetUsage, Batch: batch})
	s.broker.LogAllMessages(s.config.MessageLog == "all")
	s.watchAlerts()
	s.followFaults()
	s.workers.Start()
	if err := s.declareQueues(ctx); err != nil {
		return err
	}
	if err := s.seed(ctx); err != nil {
		return fmt.Errorf("seed %s: %w", s.config.Seed, err)
	}
	s.runScripts(ctx, localstack.Start)
	s.serve()
	s.runScripts(ctx, localstack.Ready)
	s.log.Info().Str("url", s.URL()).Str("took", time.Since(began).Round(time.Millisecond).String()).Msg("ready")
	return nil
}

// speak makes the handler of all protocols.
func (s *Server) speak() http.Handler {
	queues := sqs.Options{SixtySecondRules: s.config.SQS60sRules, AutoCreateQueues: s.config.AutoCreateQueues}
	account, oneRegion := "", false
	if e := s.elasticMQ; e != nil {
		queues.AutoCreated, account, oneRegion = e.missed, e.account, true
	}
	handler := protocols.New(s.broker, protocols.Options{
		Caller: caller.Options{
			Region: s.config.Region, OneRegion: oneRegion, Account: account, PublicURL: s.config.PublicURL, TrustedProxies: s.config.TrustedProxies,
			SignOnHeader: s.config.SignOnHeader, SignOnAccount: s.config.SignOnAccount,
			Keys: s.broker, Aliases: caller.NewAliases(s.broker), Verify: s.config.Auth != "off", Access: caller.NewAccess(s.broker, s.config.Auth == "enforce"), Observer: s.metrics.observe, Meter: s.usage.meter, Auditor: s.auditor(), Tracer: s.traceAnswers(),
			Limits: s.broker,
		},
		Protocols: s.config.Protocols,
		TestMode:  s.config.TestMode,
		SNS:       sns.Options{CertHost: s.config.SNSCertHost},
		MNS:       mns.Options{Base64MD5: s.config.MNSPushBase64MD5, Accept3xx: s.config.MNSPushAccept3xx},
		SQS:       queues,
		Forward:   s.config.forward(),
		Scripts:   &s.scripts,
		Metrics:   s.metrics.handler(),
		Console:   s.console(),
		Hosts:     s.config.ConsoleHosts,
		Version:   Version(),
		Authority: s.authority,
		Log:       s.log,
	})
	if s.tracer != nil {
		return s.tracer.Handler(handler)
	}
	return handler
}

// console gives what the console needs to know, nil where there is none.
func (s *Server) console() *console.Options {
	if s.samples == nil {
		return nil
	}
	return &console.Options{Version: Version(), TestMode: s.config.TestMode, Samples: s.samples.all, Depths: s.metrics.depths.latest}
}

// serve begins to answer requests.
func (s *Server) serve() {
	requests, abort := context.WithCancel(s.log.WithContext(context.Background())) // protocols log by zerolog.Ctx
	s.abort = abort
	errorLog := stdlog.New(httpLog{s.log}, "", 0)
	s.parking = &transport.Parking{
		Context: requests, Handler: s.handler, Idle: idleTimeout, Address: s.listeners[0].Addr(), Log: errorLog,
		Waits: func(r *http.Request) bool { return protocols.Waits(r) && s.broker.Waiting() >= parkFrom },
	}
	s.http = &http.Server{
		Handler:           s.parking,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          errorLog,
	}
	s.http.RegisterOnShutdown(s.broker.Drain)
	accepted := []net.Listener{s.parking}
	for _, address := range s.listeners {
		accepted = append(accepted, s.handle(address)...)
	}
	for _, l := range accepted {
		s.background.Go(func() {
			if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				s.failed(fmt.Errorf("accept connections on %s: %w", l.Addr(), err))
			}
		})
	}
}

// forward gives the server for other services, nil for none.
func (c Config) forward() *url.URL {
	if c.ForwardUnknown == "" {
		return nil
	}
	u, _ := url.Parse(c.ForwardUnknown) // Check has seen to it
	return u
}

// Stop shuts the server down: it stops accepting, answers long polls empty at once, gives other
// requests until the shutdown timeout, and then ends whatever else runs, in the order that leaves
// nothing without what it needs. A context that ends makes each step end at once. Stop may be
// called again.
func (s *Server) Stop(ctx context.Context) error {
	s.stopping.Do(func() {
		if s.http == nil { // a start that got no further
			s.stopped = s.stop(ctx)
			return
		}
		s.log.Info().Msg("stopping")
		s.runScripts(ctx, localstack.Shutdown)
		s.stopped = s.stop(ctx)
		s.log.Info().Msg("stopped")
	})
	return s.stopped
}

func (s *Server) stop(ctx context.Context) error {
	var errs []error
	step := func(timeout time.Duration, name string, do func(context.Context) error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		if err := do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	if s.http != nil {
		step(s.config.ShutdownTimeout, "answer the last requests", func(ctx context.Context) error {
			return errors.Join(s.http.Shutdown(ctx), s.parking.Wait(ctx))
		})
		s.abort() // who still runs has had its time
		_ = s.http.Close()
	}
	closeAll(s.listeners) // of a start that got no further
	if s.workers != nil {
		step(stopTimeout, "stop the workers", s.workers.Stop)
	}
	if s.pushes != nil {
		step(pushGrace, "finish the last pushes", s.stopPushes)
	}
	if s.stopFaults != nil {
		s.stopFaults()
	}
	if s.broker != nil {
		s.broker.Close()
		step(stopTimeout, "write the last of the message log", s.broker.FlushLog)
		step(stopTimeout, "write what was used last", s.usage.write(s.broker))
		step(stopTimeout, "write the last of the audit log", s.broker.FlushAudit)
	}
	if s.exported != nil {
		step(traceGrace, "export the last of the message log", s.stopLogExport)
	}
	if s.tracer != nil {
		step(traceGrace, "export the last traces", s.stopTracing)
	}
	if s.store != nil {
		s.store.Close()
	}
	if s.database != nil {
		step(stopTimeout, "stop PostgreSQL", s.database.Close)
	}
	s.background.Wait()
	return errors.Join(errs...)
}
