package server

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/workers"
	"github.com/polymq/polymq/workers/push"
)

// startPushes begins to deliver what is published. The protocols must be there before, for they say what
// is sent and what answers mean.
func (s *Server) startPushes() error {
	options, err := s.config.pushOptions()
	if err != nil {
		return err
	}
	if s.client, err = push.New(options); err != nil {
		return fmt.Errorf("prepare to push: %w", err)
	}
	s.pushes = workers.NewPush(workers.Deliveries{
		DueLanes: s.broker.DueLanes,
		Claim:    s.broker.ClaimDeliveries,
		Attempt: func(ctx context.Context, d *core.Delivery) (core.Outcome, error) {
			began := time.Now()
			outcome, err := s.broker.Attempt(ctx, d, s.client.Do)
			if err == nil {
				took := time.Since(began)
				s.metrics.observeDelivery(outcome, took)
				if s.tracer != nil {
					s.tracer.Pushed(outcome, took)
				}
			}
			return outcome, err
		},
		FailWith: s.broker.FailWith,
		Settle:   s.broker.Settle,
		FanOut:   s.broker.FanOut,
	}, s.log)
	s.broker.OnDeliveries(s.pushes.Due)
	return nil
}

// watchFilters logs each filter that cannot be read, once.
func (s *Server) watchFilters() {
	var told sync.Map // core.Filter, by the subscription's ID
	s.broker.OnUnreadableFilter(func(sub *core.Subscription, fault error) {
		if last, again := told.Swap(sub.ID, sub.Filter); !again || last != sub.Filter {
			s.log.Error().Str("fault", fault.Error()).Str("topic", sub.Name.Topic.String()).Str("subscription", sub.Name.Name).
				Msg("the filter of a subscription cannot be read, so it gets nothing until that is changed")
		}
	})
}

// stopPushes waits for the pushes under way.
func (s *Server) stopPushes(ctx context.Context) error {
	s.pushes.Close(ctx)
	s.client.Close()
	return nil
}

// pushOptions says where pushes may go.
func (c Config) pushOptions() (push.Options, error) {
	o := push.Options{
		Open: c.Auth == "off", Allow: c.PushAllow, Insecure: c.PushInsecure,
		SMTP: string(c.SMTPURL), From: c.SMTPFrom, Lambda: c.LambdaEndpoint,
	}
	if c.PushCA != "" {
		var err error
		if o.CA, err = os.ReadFile(c.PushCA); err != nil {
			return o, fmt.Errorf("read the certificates to trust: %w", err)
		}
	}
	return o, nil
}

// checkPushes finds faults of the settings of pushes.
func (c Config) checkPushes(fault func(name, format string, args ...any)) {
	if c.SMTPURL != "" {
		if _, err := push.ParseURL(string(c.SMTPURL), "smtp", "smtps"); err != nil {
			fault("smtp-url", "%v", err)
		}
	}
	if c.LambdaEndpoint != "" {
		if _, err := push.ParseURL(c.LambdaEndpoint, "http", "https"); err != nil {
			fault("lambda-endpoint", "%v", err)
		}
	}
	if c.SMTPFrom != "" && c.SMTPURL == "" {
		fault("smtp-from", "needs smtp-url: without a mail server mail is kept")
	}
}
