package server

import (
	"context"
	"time"

	"github.com/polymq/polymq/cmd/polymq/server/tracing"
	"github.com/polymq/polymq/protocols/caller"
)

// traceGrace is how long a server that stops waits for the receiver of its last traces.
const traceGrace = 2 * time.Second

// startTracing begins to trace, where that is wanted.
func (s *Server) startTracing(ctx context.Context) (err error) {
	options := tracing.Options{Endpoint: s.config.OTLPEndpoint, Ratio: s.config.TraceRatio, Version: Version(), Log: s.log}
	if !options.Wanted() {
		return nil
	}
	if s.tracer, err = tracing.New(ctx, options); err == nil {
		s.broker.Trace(s.tracer)
	}
	return err
}

// stopTracing exports the last traces. That they cannot be is no fault of the server's.
func (s *Server) stopTracing(ctx context.Context) error {
	if err := s.tracer.Close(ctx); err != nil {
		s.log.Warn().Err(err).Msg("could not export the last traces")
	}
	return nil
}

// traceAnswers tells the tracer of answers; nil without one.
func (s *Server) traceAnswers() caller.Tracer {
	if s.tracer == nil {
		return nil
	}
	return s.tracer.Answered
}
