package server

import (
	"context"
	"errors"
	"time"

	"github.com/polymq/polymq/cmd/polymq/server/tracing"
	"github.com/polymq/polymq/protocols/caller"
)

// traceGrace is how long a server that stops waits for the receiver of its last traces.
const traceGrace = 2 * time.Second

// telemetry says where traces and the message log go.
func (s *Server) telemetry() tracing.Options {
	return tracing.Options{Endpoint: s.config.OTLPEndpoint, Protocol: s.config.OTLPProtocol, Ratio: s.config.TraceRatio, Version: Version(), Log: s.log}
}

// startTracing begins to trace, where that is wanted.
func (s *Server) startTracing(ctx context.Context) (err error) {
	options := s.telemetry()
	if !options.Wanted() {
		return nil
	}
	if s.tracer, err = tracing.New(ctx, options); err == nil {
		s.broker.Trace(s.tracer)
	}
	return err
}

// startLogExport begins to export the message log, where that is wanted.
func (s *Server) startLogExport(ctx context.Context) (err error) {
	options := s.telemetry()
	switch {
	case !s.config.MessageLogOTLP:
		return nil
	case !options.LogWanted():
		return errors.New("message-log-otlp: needs otlp-endpoint, or OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	if s.exported, err = tracing.NewLog(ctx, options); err == nil {
		s.broker.ExportEvents(s.exported.Export)
	}
	return err
}

// stopLogExport exports the last of the message log. That it cannot be is no fault of the server's.
func (s *Server) stopLogExport(ctx context.Context) error {
	if err := s.exported.Close(ctx); err != nil {
		s.log.Warn().Err(err).Msg("could not export the last of the message log")
	}
	return nil
}

// exportDropped gives how many events of the message log were not exported.
func (s *Server) exportDropped() float64 {
	if s.exported == nil {
		return 0
	}
	return float64(s.exported.Dropped())
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
