package sqs

import (
	"context"
	"time"

	"github.com/polymq/polymq/core"
)

// cooldown is how long SQS remembers that a queue was deleted or purged.
const cooldown = 60 * time.Second

// rememberDeletion begins the time in which no queue of that name can be made.
func (s *Server) rememberDeletion(ctx context.Context, name core.QueueName) error {
	if !s.options.SixtySecondRules {
		return nil
	}
	_, err := s.broker.StartCooldown(ctx, name, core.AfterDelete, cooldown)
	return err
}

// checkNotJustDeleted refuses the name of a queue that was deleted through SQS a moment ago, unless
// there is such a queue again.
func (s *Server) checkNotJustDeleted(ctx context.Context, name core.QueueName) error {
	if !s.options.SixtySecondRules {
		return nil
	}
	cooling, err := s.broker.CoolingDown(ctx, name, core.AfterDelete)
	if err != nil || !cooling {
		return err
	}
	if _, err := s.broker.DescribeQueue(ctx, name); core.CodeOf(err) != core.QueueNotFound {
		return err
	}
	return queueDeletedRecently.errorf("You must wait 60 seconds after deleting a queue before you can create another with the same name.")
}

// checkNotJustPurged refuses a purge right after another.
func (s *Server) checkNotJustPurged(ctx context.Context, name core.QueueName) error {
	if !s.options.SixtySecondRules {
		return nil
	}
	if _, err := s.broker.DescribeQueue(ctx, name); err != nil {
		return err
	}
	started, err := s.broker.StartCooldown(ctx, name, core.AfterPurge, cooldown)
	if err != nil || started {
		return err
	}
	return purgeInProgress.errorf("Only one PurgeQueue operation on %s is allowed every 60 seconds.", name.Name)
}
