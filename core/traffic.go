package core

import (
	"sync"
	"sync/atomic"
)

// Traffic is what this server has done with messages since it was started.
type Traffic struct {
	Sent          int64 // into queues, by senders and by topics
	Received      int64
	Deleted       int64
	EmptyReceives int64
	Published     int64
}

// QueueTraffic is what this server has done with the messages of a queue since alerts began to watch it.
type QueueTraffic struct {
	Queue                                  QueueName
	Sent, Received, Deleted, EmptyReceives int64
}

// traffic counts it. Counting costs an addition, and of single queues a look while alerts watch them.
type traffic struct {
	traffic64
	published atomic.Int64

	byQueue atomic.Bool
	counted atomic.Int64
	queues  sync.Map // QueueName to *traffic64
}

type traffic64 struct{ sent, received, deleted, emptyReceives atomic.Int64 }

// Traffic gives what this server has done so far.
func (b *Broker) Traffic() Traffic {
	t := &b.traffic
	return Traffic{
		Sent: t.sent.Load(), Received: t.received.Load(), Deleted: t.deleted.Load(),
		EmptyReceives: t.emptyReceives.Load(), Published: t.published.Load(),
	}
}

// QueueTraffic gives what this server has done with the messages of single queues; nothing while no alert watches that.
func (b *Broker) QueueTraffic() []QueueTraffic {
	if !b.traffic.byQueue.Load() {
		return nil
	}
	var all []QueueTraffic
	b.traffic.queues.Range(func(name, counts any) bool {
		t := counts.(*traffic64)
		all = append(all, QueueTraffic{name.(QueueName), t.sent.Load(), t.received.Load(), t.deleted.Load(), t.emptyReceives.Load()})
		return true
	})
	return all
}

// countQueues begins to count the traffic of single queues, or ends it and forgets what was counted.
func (t *traffic) countQueues(on bool) {
	if t.byQueue.Swap(on) && !on {
		t.queues.Clear()
		t.counted.Store(0)
	}
}

// of gives a queue's counts, nil where its traffic is not counted.
func (t *traffic) of(queue *Queue) *traffic64 {
	if !t.byQueue.Load() {
		return nil
	}
	if counts, ok := t.queues.Load(queue.Name); ok {
		return counts.(*traffic64)
	}
	if t.counted.Load() >= MaxWatchedQueues {
		return nil
	}
	counts, known := t.queues.LoadOrStore(queue.Name, &traffic64{})
	if !known {
		t.counted.Add(1)
	}
	return counts.(*traffic64)
}

func (t *traffic) countSent(queue *Queue, messages int) {
	t.sent.Add(int64(messages))
	if of := t.of(queue); of != nil {
		of.sent.Add(int64(messages))
	}
}

func (t *traffic) countReceive(queue *Queue, messages int) {
	of := t.of(queue)
	if messages == 0 {
		t.emptyReceives.Add(1)
		if of != nil {
			of.emptyReceives.Add(1)
		}
		return
	}
	t.received.Add(int64(messages))
	if of != nil {
		of.received.Add(int64(messages))
	}
}

func (t *traffic) countDeletes(queue *Queue, results []error) {
	deleted := int64(0)
	for _, err := range results {
		if err == nil {
			deleted++
		}
	}
	t.deleted.Add(deleted)
	if of := t.of(queue); of != nil {
		of.deleted.Add(deleted)
	}
}

func (t *traffic) countPublished(publications []Publication) {
	t.published.Add(int64(len(publications)))
	t.countCopies(publications)
}

// countCopies counts what topics have put into queues.
func (t *traffic) countCopies(publications []Publication) {
	for i := range publications {
		for j := range publications[i].Queues {
			t.countCopy(&publications[i].Queues[j])
		}
	}
}

func (t *traffic) countCopy(d *QueueDelivery) {
	if d.Sent.ID != (MessageID{}) {
		t.countSent(d.Queue, 1)
	}
}
