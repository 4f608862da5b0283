package faults

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// killings are what may be killed, and how: a set-up gives the servers, and what kills one and brings it back.
var killings = map[string]func(*testing.T) (servers []*process, kill func(round int)){
	"the server": func(t *testing.T) ([]*process, func(int)) {
		srv := serve(t, "--data-dir", dataDir(t))
		return []*process{srv}, func(int) { srv.kill(); srv.start(t) }
	},
	"PostgreSQL": func(t *testing.T) ([]*process, func(int)) {
		dir := dataDir(t)
		srv := serve(t, "--data-dir", dir)
		return []*process{srv}, func(int) { killPostgres(t, dir); awaitDatabase(t, embeddedURL(dir)) }
	},
	"one of two servers": func(t *testing.T) ([]*process, func(int)) {
		a, b := pair(t)
		servers := []*process{a, b}
		return servers, func(round int) { srv := servers[round%2]; srv.kill(); srv.start(t) }
	},
}

// A FIFO queue keeps each group's order, its locks and its deduplication whatever is killed.
func TestFIFOKilled(t *testing.T) {
	t.Parallel()
	for name, setUp := range killings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers, kill := setUp(t)
			createFIFO(t, servers[0].url, "orders.fifo")
			load := startFIFOLoad(t, servers)
			for round := range *kills {
				load.run(t)
				kill(round)
				load.advance(t)
			}
			load.run(t)
			load.settle(t)
		})
	}
}

func createFIFO(t *testing.T, base, name string) {
	t.Helper()
	_, err := newSQS(base, name).sdk.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{
		"FifoQueue": "true", "VisibilityTimeout": strconv.Itoa(int(visibilityTimeout.Seconds())),
	}})
	if err != nil {
		t.Fatalf("create queue %s: %v", name, err)
	}
}

// fifoGroups are the message groups, each with a sender of its own. There are more receivers than groups can
// be in flight at once only now and then, so that they meet.
var fifoGroups = []string{"a", "b", "c", "d", "e", "f"}

const fifoReceivers = 6

// A fifoLoad sends to each group in order, receives and deletes until it is stopped.
type fifoLoad struct {
	fifoLedger
	clients []*sqsClient
	ctx     context.Context // of the requests: they are never cut off
	stopped chan struct{}
	workers sync.WaitGroup
}

func startFIFOLoad(t *testing.T, servers []*process) *fifoLoad {
	t.Helper()
	l := &fifoLoad{ctx: context.WithoutCancel(t.Context()), stopped: make(chan struct{})}
	for _, srv := range servers {
		l.clients = append(l.clients, newSQS(srv.url, "orders.fifo"))
	}
	l.groups = map[string]*fifoGroup{}
	for i, name := range fifoGroups {
		l.groups[name] = &fifoGroup{}
		c := l.clients[i%len(l.clients)]
		l.workers.Go(func() { l.repeat(func() error { return l.send(c, name) }) })
	}
	for i := range fifoReceivers {
		c := l.clients[i%len(l.clients)]
		l.workers.Go(func() {
			l.repeat(func() error {
				_, err := l.receive(c, time.Second)
				return err
			})
		})
	}
	t.Cleanup(l.stop)
	return l
}

func (l *fifoLoad) stop() {
	select {
	case <-l.stopped:
	default:
		close(l.stopped)
	}
	l.workers.Wait()
}

// repeat does one thing after the other until the load is stopped, more slowly while it fails.
func (l *fifoLoad) repeat(do func() error) {
	for {
		var pause time.Duration
		if do() != nil {
			pause = 20 * time.Millisecond
		}
		select {
		case <-l.stopped:
			return
		case <-time.After(pause):
		}
	}
}

// send sends the group's next message, or the one before again when nobody knows how that send ended: its
// deduplication id makes them one.
func (l *fifoLoad) send(c *sqsClient, group string) error {
	number := l.next(group)
	body := fmt.Sprintf("%s/%d", group, number)
	out, err := c.sdk.SendMessage(l.ctx, &sqs.SendMessageInput{
		QueueUrl: &c.url, MessageBody: &body, MessageGroupId: &group, MessageDeduplicationId: &body,
	})
	if err != nil {
		return err
	}
	l.sent(group, number, *out.MessageId, *out.SequenceNumber)
	return nil
}

// receive receives messages and deletes them in their order, up to the first that it cannot delete.
func (l *fifoLoad) receive(c *sqsClient, wait time.Duration) (received int, err error) {
	began, epoch := time.Now(), l.now()
	out, err := c.sdk.ReceiveMessage(l.ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &c.url, MaxNumberOfMessages: maxReceived, WaitTimeSeconds: int32(wait / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameMessageGroupId},
	})
	if err != nil {
		return 0, err
	}
	batch := l.arrived(out.Messages, began, epoch)
	for i := range batch.numbers {
		l.deleting(batch, i)
		err := c.delete(l.ctx, *out.Messages[i].ReceiptHandle)
		l.deleted(batch, i, err)
		if err != nil {
			return len(out.Messages), err
		}
	}
	return len(out.Messages), nil
}

// run waits until 200 more messages are deleted.
func (l *fifoLoad) run(t *testing.T) {
	t.Helper()
	enough := l.done() + 200
	eventually(t, "messages go through", func() error {
		if got := l.done(); got < enough {
			return fmt.Errorf("%d of %d messages", got, enough)
		}
		return nil
	})
}

// advance lets the visibility timeouts pass of what was received by those who got no answer.
func (l *fifoLoad) advance(t *testing.T) {
	t.Helper()
	api := newAPI(strings.TrimSuffix(l.clients[0].url, "/000000000000/orders.fifo"), "orders.fifo")
	eventually(t, "move time", func() error {
		l.moves()
		return api.advance(t.Context(), visibilityTimeout+time.Second)
	})
	l.moved()
}

// settle stops the load, empties the queue, and fails the test if anything was lost, came again, or came out of turn.
func (l *fifoLoad) settle(t *testing.T) {
	t.Helper()
	l.stop()
	l.advance(t)
	drain(t, "empty the queue", func() (int, error) { return l.receive(l.clients[0], 0) })
	t.Logf("%d messages deleted", l.done())
	for _, wrong := range l.end() {
		t.Error(wrong)
	}
}

// A fifoLedger remembers of each group what was sent, what is held, and what was deleted.
type fifoLedger struct {
	mu     sync.Mutex
	groups map[string]*fifoGroup
	epoch  int // rises when visibility timeouts pass
	moving int // how often they may pass meanwhile, nobody knows when
	count  int // of deleted messages
	wrong  []string
}

type fifoGroup struct {
	messages []fifoMessage // by number
	holder   *fifoBatch    // who has messages of it in flight, for all that is known
}

type fifoMessage struct {
	id, sequence string    // once its send was acknowledged or it arrived
	sent         bool      // acknowledged
	deleting     int       // how many deletes were tried and not refused, so it may be gone
	deleted      time.Time // when its delete was acknowledged
}

// A fifoBatch is what one receive gave.
type fifoBatch struct {
	epoch   int      // when it was asked for
	names   []string // of the messages' groups
	numbers []int
}

func (l *fifoLedger) isWrong(format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// next gives the number of the message to send: the last one, while its send is not acknowledged.
func (l *fifoLedger) next(group string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.groups[group]
	if last := len(g.messages) - 1; last >= 0 && !g.messages[last].sent {
		return last
	}
	g.messages = append(g.messages, fifoMessage{})
	return len(g.messages) - 1
}

func (l *fifoLedger) sent(group string, number int, id, sequence string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.groups[group]
	m := &g.messages[number]
	if m.id != "" && m.id != id {
		l.isWrong("%s/%d arrived as %s and was sent as %s", group, number, m.id, id)
	}
	if number > 0 && g.messages[number-1].sequence >= sequence {
		l.isWrong("%s/%d has sequence number %s after %s", group, number, sequence, g.messages[number-1].sequence)
	}
	m.id, m.sequence, m.sent = id, sequence, true
}

// now gives the epoch.
func (l *fifoLedger) now() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.epoch
}

// arrived notes what came with a receive that began at the given moment, in the given epoch.
func (l *fifoLedger) arrived(messages []types.Message, began time.Time, epoch int) *fifoBatch {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := &fifoBatch{epoch: epoch}
	before := map[string]int{} // the first number of each group that is not in the batch
	for _, message := range messages {
		name, digits, _ := strings.Cut(*message.Body, "/")
		number, err := strconv.Atoi(digits)
		g := l.groups[name]
		if err != nil || g == nil || number >= len(g.messages) || message.Attributes["MessageGroupId"] != name {
			l.isWrong("%q came of group %q", *message.Body, message.Attributes["MessageGroupId"])
			break
		}
		batch.names, batch.numbers = append(batch.names, name), append(batch.numbers, number)
		if holder := g.holder; holder != nil && holder != batch && holder.epoch == l.epoch && epoch == l.epoch {
			if l.moving == 0 {
				l.isWrong("%s came while another receive had messages of its group in flight", *message.Body)
			} else { // time was moved between the two, and so before what is asked for from now on
				l.moving--
				l.epoch++
			}
		}
		g.holder = batch
		for n := before[name]; n < number; n++ {
			if g.messages[n].deleting == 0 {
				l.isWrong("%s came before %s/%d was deleted", *message.Body, name, n)
			}
		}
		before[name] = number + 1
		m := &g.messages[number]
		if !m.deleted.IsZero() && m.deleted.Before(began) {
			l.isWrong("%s came again after its delete was acknowledged", *message.Body)
		}
		if m.id != "" && m.id != *message.MessageId {
			l.isWrong("%s came as %s, it was %s before", *message.Body, *message.MessageId, m.id)
		}
		m.id = *message.MessageId
	}
	return batch
}

// deleting notes that the delete of a batch's message begins. With the last of a group its lock may end.
func (l *fifoLedger) deleting(batch *fifoBatch, i int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := batch.names[i]
	g := l.groups[name]
	g.messages[batch.numbers[i]].deleting++
	for _, later := range batch.names[i+1:] {
		if later == name {
			return
		}
	}
	if g.holder == batch {
		g.holder = nil
	}
}

func (l *fifoLedger) deleted(batch *fifoBatch, i int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := &l.groups[batch.names[i]].messages[batch.numbers[i]]
	var refused refusal
	switch {
	case err == nil:
		m.deleted = time.Now()
		l.count++
	case errors.As(err, &refused) && refused != unavailable["sqs"]:
		m.deleting-- // its visibility timeout was over
	}
	if err != nil {
		for _, name := range batch.names[i:] { // what is still in flight, nobody knows
			if g := l.groups[name]; g.holder == batch {
				g.holder = nil
			}
		}
	}
}

// moves notes that time is about to be moved, which lets visibility timeouts pass at some moment until it is told that it was.
func (l *fifoLedger) moves() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch++
	l.moving++
}

// moved notes that time has been moved, or that visibility timeouts count as passed.
func (l *fifoLedger) moved() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch++
	l.moving = 0
}

func (l *fifoLedger) done() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// end lists what went wrong, now that the queue is empty.
func (l *fifoLedger) end() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, g := range l.groups {
		for number, m := range g.messages {
			if m.sent && m.deleting == 0 {
				l.isWrong("%s/%d is lost", name, number)
			}
		}
	}
	return l.wrong[:min(len(l.wrong), 10)]
}
