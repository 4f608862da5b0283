package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A message that nobody can work on ends in the dead-letter queue, once, whatever is killed meanwhile.
func TestDeadLettersKilled(t *testing.T) {
	t.Parallel()
	for name, setUp := range killings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers, kill := setUp(t)
			createWithDeadLetters(t, servers[0].url, "orders", "dead")
			var receivers []client
			for _, srv := range servers {
				for range 2 {
					receivers = append(receivers, poisoned{newSQS(srv.url, "orders")})
				}
			}
			load := startLoad(t, newLedger(), receivers...)
			for round := range *kills {
				load.run(t)
				kill(round)
			}
			load.run(t)
			mustNotRefuse(t, slices.DeleteFunc(load.failed(), func(f failure) bool {
				return errors.Is(f.err, unavailable[f.protocol]) // while PostgreSQL is away
			}))
			load.stop()
			exhaust(t, load, newAPI(servers[0].url, "orders"), receivers[0])
			letters := len(load.lost()) // to this queue, so far
			load.settle(t, newAPI(servers[0].url, "dead"))
			t.Logf("%d dead letters", letters)
			if letters == 0 {
				t.Error("no message became a dead letter")
			}
		})
	}
}

// maxReceives is how often the queues of these tests give a message before it is a dead letter.
const maxReceives = 2

// createWithDeadLetters makes a queue, and the one that its dead letters go to.
func createWithDeadLetters(t *testing.T, base, name, dead string) {
	t.Helper()
	createQueue(t, base, dead)
	c := newSQS(base, name)
	policy := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, arn(dead), maxReceives)
	_, err := c.sdk.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{
		"RedrivePolicy": policy, "VisibilityTimeout": strconv.Itoa(int(visibilityTimeout.Seconds())),
	}})
	if err != nil {
		t.Fatalf("create queue %s: %v", name, err)
	}
}

func arn(queue string) string { return "arn:aws:sqs:us-east-1:000000000000:" + queue }

// poisoned is a client that cannot work on every tenth message: it gives those back.
type poisoned struct{ *sqsClient }

func (c poisoned) receive(ctx context.Context, wait time.Duration) ([]message, error) {
	messages, err := c.sqsClient.receive(ctx, wait)
	return slices.DeleteFunc(messages, func(m message) bool {
		if !strings.HasSuffix(m.body, "0") {
			return false
		}
		// If this fails, it is in flight until its visibility timeout ends.
		_, _ = c.sdk.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &c.url, ReceiptHandle: &m.handle})
		return true
	}), err
}

// exhaust receives until the queue has no message left, and notes what came and what was deleted.
func exhaust(t *testing.T, l *load, queue *apiClient, c client) {
	t.Helper()
	eventually(t, "move time", func() error { return queue.advance(t.Context(), visibilityTimeout+time.Second) })
	eventually(t, "exhaust the queue", func() error {
		if err := l.receive(c); err != nil {
			return err
		}
		left, err := queue.counts(t.Context())
		if err == nil && left != (counts{}) {
			err = fmt.Errorf("messages are left: %+v", left)
		}
		return err
	})
}

// A move task goes on, and moves each message once, when the server that works on it is killed.
func TestRedriveKilled(t *testing.T) {
	t.Parallel()
	for name, setUp := range killings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers, kill := setUp(t)
			base := servers[0].url
			createWithDeadLetters(t, base, "orders", "dead")
			createQueue(t, base, "target")
			load := &load{ledger: newLedger(), ctx: t.Context(), stopped: make(chan struct{})}
			fill(t, load.ledger, newSQS(base, "dead"), redriven)
			admin := newSQS(base, "dead").sdk
			_, err := admin.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{
				SourceArn: aws.String(arn("dead")), DestinationArn: aws.String(arn("target")), MaxNumberOfMessagesPerSecond: aws.Int32(100),
			})
			if err != nil {
				t.Fatalf("start the task: %v", err)
			}
			for round := range *kills {
				moved := awaitMoved(t, servers, redriven*(round+1)/(*kills+2))
				if moved == redriven && round == 0 {
					t.Fatal("the task was over before anything was killed")
				}
				kill(round) // the one of two servers that goes on may have ended the task by the next round
			}
			eventually(t, "move time", func() error { return newAPI(base, "dead").advance(t.Context(), time.Minute) }) // the rest may go at once
			awaitMoved(t, servers, redriven)
			load.settle(t, newAPI(base, "target"))
			if left, err := newAPI(base, "dead").counts(t.Context()); err != nil || left != (counts{}) {
				t.Errorf("left in the dead-letter queue: %+v, %v", left, err)
			}
		})
	}
}

// redriven is how many messages the move tasks of these tests move.
const redriven = 800

// fill sends messages, ten at a time.
func fill(t *testing.T, l *ledger, c *sqsClient, count int) {
	t.Helper()
	for range count / 10 {
		var entries []types.SendMessageBatchRequestEntry
		for i := range 10 {
			entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(l.body())})
		}
		out, err := c.sdk.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &c.url, Entries: entries})
		if err != nil || len(out.Failed) > 0 {
			t.Fatalf("send: %v, %v", out, err)
		}
		for _, e := range entries {
			l.change(*e.MessageBody, func(e *entry) { e.sent = true })
		}
	}
}

// awaitMoved waits until the task has moved so many messages; how many it has by then. When they are all, it
// has ended too.
func awaitMoved(t *testing.T, servers []*process, enough int) (moved int) {
	t.Helper()
	eventually(t, "move messages", func() error {
		var errs []error
		for _, srv := range servers {
			out, err := newSQS(srv.url, "dead").sdk.ListMessageMoveTasks(t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(arn("dead"))})
			if err != nil {
				errs = append(errs, err)
				continue
			}
			task := out.Results[0]
			moved = int(task.ApproximateNumberOfMessagesMoved)
			if moved < enough || enough == redriven && *task.Status != "COMPLETED" {
				return fmt.Errorf("%d messages moved, status %s, %s", moved, *task.Status, aws.ToString(task.FailureReason))
			}
			return nil
		}
		return errors.Join(errs...)
	})
	return moved
}
