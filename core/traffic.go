package core

import "sync/atomic"

// Traffic is what this server has done with messages since it was started.
type Traffic struct {
	Sent          int64 // into queues, by senders and by topics
	Received      int64
	Deleted       int64
	EmptyReceives int64
	Published     int64
}

// traffic counts it. Counting costs an addition.
type traffic struct {
	sent, received, deleted, emptyReceives, published atomic.Int64
}

// Traffic gives what this server has done so far.
func (b *Broker) Traffic() Traffic {
	t := &b.traffic
	return Traffic{
		Sent: t.sent.Load(), Received: t.received.Load(), Deleted: t.deleted.Load(),
		EmptyReceives: t.emptyReceives.Load(), Published: t.published.Load(),
	}
}

func (t *traffic) countReceive(messages int) {
	if messages == 0 {
		t.emptyReceives.Add(1)
		return
	}
	t.received.Add(int64(messages))
}

func (t *traffic) countDeletes(results []error) {
	deleted := int64(0)
	for _, err := range results {
		if err == nil {
			deleted++
		}
	}
	t.deleted.Add(deleted)
}

func (t *traffic) countPublished(publications []Publication) {
	sent := 0
	for i := range publications {
		sent += len(publications[i].Queues)
	}
	t.published.Add(int64(len(publications)))
	t.sent.Add(int64(sent))
}
