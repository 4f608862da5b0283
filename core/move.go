package core

import (
	"context"
	"time"
)

// MoveStatus says how far a move task is.
type MoveStatus string

// The states of a move task. The first two are active.
const (
	MoveRunning    MoveStatus = "RUNNING"
	MoveCancelling MoveStatus = "CANCELLING"
	MoveCompleted  MoveStatus = "COMPLETED"
	MoveCancelled  MoveStatus = "CANCELLED"
	MoveFailed     MoveStatus = "FAILED"
)

// MoveFailure says why a move task failed.
type MoveFailure string

// The reasons.
const (
	MoveDestinationGone MoveFailure = "DestinationGone" // the destination, or the queue that a message came from, does not exist
	MoveSourceUnknown   MoveFailure = "SourceUnknown"   // a message was never moved by a dead-letter policy, and the task has no destination
	MoveTookTooLong     MoveFailure = "TookTooLong"     // longer than MaxMoveTime
)

// StartMove asks for a task that moves the messages of a dead-letter queue.
type StartMove struct {
	Source      QueueName
	Destination string // name of a queue of the same account and region; "": each message goes back to the queue that it came from
	Rate        int    // messages a second, 1 to MaxMoveRate; 0: as fast as others do not suffer
}

// MoveTask is a task as it was read.
type MoveTask struct {
	ID          string // a UUID
	Source      QueueName
	Destination string
	Rate        int
	Status      MoveStatus
	Failure     MoveFailure // of a failed one
	Moved       int64
	ToMove      int64 // that were visible in the source when the task began
	StartedAt   time.Time
	EndedAt     time.Time // zero while active
}

// Bounds of move tasks.
const (
	MaxMoveRate    = 500
	MaxActiveMoves = 100            // per account
	MaxMoveTime    = 36 * time.Hour // from start to end
	MaxMovesListed = 10             // and kept, per source, besides the active one
)

// StartMove starts to move the messages that are visible in a dead-letter queue. They arrive as new ones:
// with a new id and sending time, never received. QueueNotFound for the source, MoveDestinationNotFound, NotDeadLetterQueue
// when no queue's policy names the source, QueueTypeMismatch, MoveActive when another task moves from it,
// TooManyMoves, InvalidArgument.
func (b *Broker) StartMove(ctx context.Context, in StartMove) (MoveTask, error) {
	if in.Rate < 0 || in.Rate > MaxMoveRate {
		return MoveTask{}, Errorf(InvalidArgument, "a move task moves 1 to %d messages a second, not %d", MaxMoveRate, in.Rate)
	}
	source, err := b.DescribeQueue(ctx, in.Source)
	if err != nil {
		return MoveTask{}, err
	}
	if err := b.checkDestination(ctx, source, in.Destination); err != nil {
		return MoveTask{}, err
	}
	sources, err := b.store.DeadLetterSources(ctx, in.Source, "", 1)
	if err != nil {
		return MoveTask{}, err
	}
	if len(sources.Queues) == 0 {
		return MoveTask{}, Errorf(NotDeadLetterQueue, "queue %q is no queue's dead-letter queue", in.Source.Name)
	}
	return b.store.StartMove(ctx, &source, in)
}

// checkDestination refuses a destination that the source's messages cannot go to.
func (b *Broker) checkDestination(ctx context.Context, source Queue, destination string) error {
	if destination == "" {
		return nil
	}
	if destination == source.Name.Name {
		return Errorf(InvalidArgument, "queue %q cannot be the destination of its own messages", destination)
	}
	queue, err := b.DescribeQueue(ctx, QueueName{source.Name.Account, source.Name.Region, destination})
	switch {
	case CodeOf(err) == QueueNotFound:
		return Errorf(MoveDestinationNotFound, "the destination %q does not exist", destination)
	case err != nil:
		return err
	case queue.FIFO != source.FIFO:
		return Errorf(QueueTypeMismatch, "messages of a FIFO queue can only be moved to another one, those of a standard queue not to one")
	}
	return nil
}

// ListMoves gives up to limit tasks of the source, the newest first. QueueNotFound, InvalidArgument.
func (b *Broker) ListMoves(ctx context.Context, source QueueName, limit int) ([]MoveTask, error) {
	if limit < 1 || limit > MaxMovesListed {
		return nil, Errorf(InvalidArgument, "a list holds 1 to %d move tasks, asked for %d", MaxMovesListed, limit)
	}
	queue, err := b.DescribeQueue(ctx, source)
	if err != nil {
		return nil, err
	}
	return b.store.ListMoves(ctx, &queue, limit)
}

// CancelMove ends a running task; what it has moved stays moved. It gives the task, which may move
// a little more before it stands. QueueNotFound, MoveNotFound, MoveEnded when it is not running.
func (b *Broker) CancelMove(ctx context.Context, source QueueName, id string) (MoveTask, error) {
	queue, err := b.DescribeQueue(ctx, source)
	if err != nil {
		return MoveTask{}, err
	}
	return b.store.CancelMove(ctx, &queue, id)
}
