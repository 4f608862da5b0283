package bench

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// A topicClient is a client of a protocol that has topics.
type topicClient interface {
	createTopic(name string) (topic, error)
	deleteTopic(t topic) error
	// subscribeQueue and subscribeURL subscribe under a name that is the topic's alone.
	subscribeQueue(t topic, name string, q queue) error
	subscribeURL(t topic, name, url string) error
	// publish publishes the numbered messages in one request.
	publish(t topic, batch []message) error
	// depth is how many messages a queue has that can be received.
	depth(q queue) (int, error)
}

// A topic is what requests call it: SNS's ARN, MNS's path.
type topic string

// topicState is what the workers of the modes with topics share.
type topicState struct {
	topic     topic
	retries   topic // with deliveries that wait, "" for none
	published atomic.Uint64
	arrived   atomic.Uint64 // deliveries, as they were last counted
	depth     int           // of the queues together, before anything was published
	receivers *receivers
}

func (w *worker) topicClient() topicClient { return w.client.(topicClient) } // complete has seen to it

// publish publishes one batch after another. What each subscription gets counts when the publish is acknowledged.
func publish(w *worker) {
	for !w.stopped() {
		w.newBatch(w.Batch)
		w.recorder.Load().handled(w.publish() * len(w.queues))
	}
}

// push publishes and waits until all the live endpoints have it.
func push(w *worker) {
	for !w.stopped() {
		w.newBatch(w.Batch)
		arrived := w.topics.receivers.expect(w.batch)
		if w.publish() < len(w.batch) {
			w.topics.receivers.forget(w.batch)
			continue
		}
		w.pause.Reset(w.Timeout)
		select {
		case <-arrived:
		case <-w.stop:
		case <-w.pause.C:
			w.topics.receivers.forget(w.batch)
			w.recorder.Load().fail(opDeliver, kindOf(errNotArrived), errNotArrived.Error())
		}
	}
}

// publish publishes w.batch and says how many messages were acknowledged.
func (w *worker) publish() int {
	begin := time.Now()
	if err := w.topicClient().publish(w.topics.topic, w.batch); err != nil {
		w.failed(opSend, err)
		return 0
	}
	w.recorder.Load().done(opSend, time.Since(begin))
	n := w.settle(opSend, w.ledger.acknowledge)
	w.recorder.Load().sent.Add(uint64(n))
	w.topics.published.Add(uint64(n))
	return n
}

// createTopics makes the topic with its subscriptions, and the deliveries that wait.
func (l *load) createTopics(ctx context.Context, prefix string) (err error) {
	l.within(ctx)
	w := l.workers[0]
	if l.topics.topic, err = w.topicClient().createTopic(prefix); err != nil {
		return explain(err, w.endpoint)
	}
	for _, q := range l.queues {
		n, err := w.topicClient().depth(q)
		if err != nil {
			return fmt.Errorf("count the messages of queue %s: %w", q.name, err)
		}
		l.topics.depth += n
	}
	err = l.spread(ctx, len(l.queues), func(w *worker, i int) error {
		return w.topicClient().subscribeQueue(l.topics.topic, fmt.Sprintf("s%d", i), l.queues[i])
	})
	if err == nil && (l.mode == pushMode || l.Scheduled > 0) {
		l.topics.receivers, err = startReceivers(l)
	}
	if err == nil && l.mode == pushMode {
		err = l.subscribeReceivers(ctx, l.topics.topic, "live", l.Receivers)
	}
	if err == nil && l.mode == pushMode {
		err = l.subscribeReceivers(ctx, l.topics.topic, "dead", l.DeadReceivers)
	}
	if err == nil && l.Scheduled > 0 {
		err = l.schedule(ctx, prefix+"-retries")
	}
	return err
}

// subscribeReceivers subscribes n receivers of a kind, and waits until they have confirmed it, where they are asked to.
func (l *load) subscribeReceivers(ctx context.Context, to topic, kind string, n int) error {
	err := l.spread(ctx, n, func(w *worker, i int) error {
		return w.topicClient().subscribeURL(to, fmt.Sprintf("%s%d", kind, i), fmt.Sprintf("%s/%s/%d", l.topics.receivers.url, kind, i))
	})
	if err != nil || !l.protocol.confirms {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	if err := l.topics.receivers.confirmations(wait, n); err != nil {
		return fmt.Errorf("the server asked %s of %s for a confirmation: %w", count(l.topics.receivers.confirmed.Load()), plural(n, "receiver"), err)
	}
	return nil
}

// retryReceivers is over how many receivers, which refuse everything, --scheduled spreads its deliveries.
const retryReceivers = 100

// schedule publishes what cannot be delivered, until so many deliveries wait to be tried again.
func (l *load) schedule(ctx context.Context, name string) (err error) {
	if l.topics.retries, err = l.workers[0].topicClient().createTopic(name); err != nil {
		return err
	}
	if err := l.subscribeReceivers(ctx, l.topics.retries, "refuse", retryReceivers); err != nil {
		return err
	}
	batch := l.protocol.publishes
	publishes := (l.Scheduled + retryReceivers*batch - 1) / (retryReceivers * batch)
	return l.spread(ctx, publishes, func(w *worker, _ int) error {
		w.newBatch(batch)
		return w.topicClient().publish(l.topics.retries, w.batch)
	})
}

// deleteTopics deletes what createTopics made.
func (l *load) deleteTopics(ctx context.Context) error {
	l.within(ctx)
	var errs []error
	for _, t := range []topic{l.topics.topic, l.topics.retries} {
		if t != "" {
			errs = append(errs, l.workers[0].topicClient().deleteTopic(t))
		}
	}
	if l.topics.receivers != nil {
		l.topics.receivers.close()
	}
	return errors.Join(errs...)
}

// expected is how many deliveries there are to be.
func (l *load) expected() uint64 {
	if l.mode == pushMode {
		return l.topics.published.Load() * uint64(l.Receivers)
	}
	return l.topics.published.Load() * uint64(len(l.queues))
}

// delivered counts the deliveries: in the queues, or at the receivers.
func (l *load) delivered(ctx context.Context) (uint64, error) {
	if l.mode == pushMode {
		return l.topics.receivers.delivered.Load(), nil
	}
	var sum atomic.Int64
	err := l.spread(ctx, len(l.queues), func(w *worker, i int) error {
		n, err := w.topicClient().depth(l.queues[i])
		sum.Add(int64(n))
		return err
	})
	return uint64(max(0, int(sum.Load())-l.topics.depth)), err
}

// awaitDeliveries waits until all is delivered, or the limit, and says whether it came to know. A count that the limit cut short leaves
// the one before.
func (l *load) awaitDeliveries(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for counted := false; ; {
		n, err := l.delivered(ctx)
		if err == nil {
			l.topics.arrived.Store(n)
		}
		if err == nil && n >= l.expected() {
			return true
		}
		if err == nil || !interrupted(ctx) {
			counted = err == nil
		}
		pause(ctx, deliveryPoll, nil)
		if interrupted(ctx) {
			return counted
		}
	}
}

// deliveryPoll is how often deliveries are counted.
const deliveryPoll = 50 * time.Millisecond
