package server

import (
	"context"
	"time"
)

// faultsEvery is how often a server in test mode looks for fault rules that another has made.
const faultsEvery = 500 * time.Millisecond

// followFaults goes by the fault rules of tests, in test mode.
func (s *Server) followFaults() {
	if !s.config.TestMode {
		return
	}
	ctx, stop := context.WithCancel(s.log.WithContext(context.Background()))
	s.stopFaults = stop
	s.background.Go(func() {
		ticker := time.NewTicker(faultsEvery)
		defer ticker.Stop()
		for {
			if err := s.broker.LoadFaults(ctx); err != nil && ctx.Err() == nil {
				s.log.Debug().Err(err).Msg("could not read the fault rules")
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	})
}
