package core

import "context"

// DeleteInput names messages to delete by their receipt handles.
type DeleteInput struct {
	Queue   QueueName
	Handles []string // at most MaxBatch
	// Newest asks that a handle be the message's newest and its visibility timeout not over
	// (MNS); without it, any handle of the message deletes it (SQS standard queues). FIFO queues always do.
	Newest bool
}

// DeleteMessages deletes messages and gives an error per handle, nil for those deleted:
// ReceiptHandleInvalid, MessageNotFound when the message is gone already, and with Newest also
// ReceiptHandleSuperseded and ReceiptHandleExpired. The call as a whole fails with QueueNotFound.
func (b *Broker) DeleteMessages(ctx context.Context, in DeleteInput) ([]error, error) {
	if err := checkBatch(len(in.Handles)); err != nil {
		return nil, err
	}
	faults := b.inject(ctx, FaultDelete, in.Queue.Account, in.Queue.Name)
	if err := faults.before(ctx); err != nil {
		return nil, err
	}
	var results []error
	err := b.withQueue(ctx, in.Queue, func(queue *Queue) (err error) {
		if !faults.deletes(queue) {
			results, err = b.showAgain(ctx, queue, in.Handles)
			return err
		}
		if results, err = b.store.DeleteMessages(ctx, queue, in.Handles, in.Newest); err == nil {
			b.traffic.countDeletes(queue, results)
			b.logHandled(ctx, queue, EventDeleted, in.Handles, func(i int, _ *Event) bool { return results[i] == nil })
		}
		return err
	})
	return results, faults.after(err)
}

func checkBatch(n int) error {
	if n < 1 || n > MaxBatch {
		return Errorf(InvalidArgument, "a call names 1 to %d receipt handles, this one has %d", MaxBatch, n)
	}
	return nil
}
