package core

import (
	"sync"
	"time"
)

// lines keeps the receives that wait, a line per queue, first come first. Whoever learns that
// messages became visible calls arrive, which sends as many waiters to look as there are
// messages, and not five thousand for one.
//
// A waiter is either idle or looking. A wake-up that meets only looking waiters is kept for one of
// them, since its look may have begun too early to see the message. A waiter that leaves with a
// wake-up it did not use, or with as many messages as it asked for, passes the turn on.
//
// A receive that joins a line in which nothing has arrived since a look found the queue empty is idle from the
// start: it would find what those found who wait already.
type lines struct {
	mu      sync.Mutex
	byQueue map[int64]*line
	waiting int            // receives in all of them
	fresh   map[int64]bool // queues of whose future nobody knows yet; a look-ahead is on its way when not empty

	watchers map[chan struct{}]int64 // who is told of every arrival, and of which queue
}

type line struct {
	waiters []*waiter // in order of arrival
	timers  map[int64]*ripening
	known   bool        // a look-ahead was asked for, and LookAhead repeats it
	news    int         // how often something arrived, or may have
	empty   int         // news by which a look found nothing
	linger  *time.Timer // removes the line some time after its last waiter left
}

// waiter is one receive that waits; wake holds at most one wake-up.
type waiter struct {
	queue     int64
	limit     int
	wake      chan struct{}
	looking   bool
	news      int  // of the line, when the look began
	satisfied bool // it got all that it asked for, so there may be more
}

// ripening is a timer for messages that become visible at about the same time.
type ripening struct {
	timer    *time.Timer
	messages int
}

// Bounds of a line.
const (
	lingering   = 5 * time.Second      // a line without waiters keeps its timers for the next one
	ripeningGap = 2 * time.Millisecond // what ripens closer together shares a timer
	maxRipening = 512                  // timers per line; the slow poll finds the rest
)

func newLines() *lines {
	return &lines{byQueue: map[int64]*line{}, fresh: map[int64]bool{}, watchers: map[chan struct{}]int64{}}
}

// watch gives a channel that has something whenever messages of the queue arrived, visible or not.
func (l *lines) watch(queue int64) (arrived chan struct{}) {
	arrived = make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers[arrived] = queue
	return arrived
}

func (l *lines) unwatch(arrived chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watchers, arrived)
}

// tellWatchers tells those who watch the queue; 0: all. The caller holds l.mu.
func (l *lines) tellWatchers(queue int64) {
	for arrived, watched := range l.watchers {
		if queue == 0 || queue == watched {
			select {
			case arrived <- struct{}{}:
			default:
			}
		}
	}
}

// join puts a receive at the end of the queue's line, and reports whether it is to look before it waits.
func (l *lines) join(queue int64, limit int) (w *waiter, look bool) {
	w = &waiter{queue: queue, limit: limit, wake: make(chan struct{}, 1), looking: true}
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.byQueue[queue]
	if ln == nil {
		ln = &line{timers: map[int64]*ripening{}, news: 1}
		l.byQueue[queue] = ln
	}
	if ln.linger != nil {
		ln.linger.Stop()
		ln.linger = nil
	}
	ln.waiters = append(ln.waiters, w)
	l.waiting++
	w.news = ln.news
	return w, ln.empty != ln.news || !ln.known
}

// idle says that a waiter goes on waiting; empty, that its look found nothing. It reports whether a look-ahead is to be
// started, for this queue and those that became fresh before it runs.
func (l *lines) idle(w *waiter, empty bool) (start bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.looking = false
	ln := l.byQueue[w.queue]
	if empty && w.news == ln.news {
		ln.empty = ln.news
	}
	if ln.known {
		return false
	}
	ln.known = true
	start = len(l.fresh) == 0
	l.fresh[w.queue] = true
	return start
}

// count gives how many receives wait.
func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting
}

// takeFresh gives the queues that wait for a look-ahead.
func (l *lines) takeFresh() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	queues := make([]int64, 0, len(l.fresh))
	for queue := range l.fresh {
		queues = append(queues, queue)
	}
	clear(l.fresh)
	return queues
}

// waitedFor gives the queues that have waiters, or had some a moment ago.
func (l *lines) waitedFor() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	queues := make([]int64, 0, len(l.byQueue))
	for queue := range l.byQueue {
		queues = append(queues, queue)
	}
	return queues
}

// leave takes a waiter out of its line, and passes its turn on if it had one or may have left
// messages behind.
func (l *lines) leave(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
	ln := l.byQueue[w.queue]
	for i, other := range ln.waiters {
		if other == w {
			ln.waiters = append(ln.waiters[:i], ln.waiters[i+1:]...)
			break
		}
	}
	if len(w.wake) > 0 || w.satisfied {
		ln.wake(1)
	}
	if len(ln.waiters) == 0 {
		ln.linger = time.AfterFunc(lingering, func() { l.remove(w.queue, ln) })
	}
}

func (l *lines) remove(queue int64, ln *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(ln.waiters) > 0 || l.byQueue[queue] != ln {
		return // somebody joined meanwhile
	}
	for _, r := range ln.timers {
		r.timer.Stop()
	}
	delete(l.byQueue, queue)
}

// arrive wakes who waits for what arrived, now or when it becomes visible.
func (l *lines) arrive(a Arrival) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tellWatchers(a.Queue)
	if a.Queue == 0 {
		for _, ln := range l.byQueue {
			ln.startAnew()
		}
		return
	}
	ln := l.byQueue[a.Queue]
	switch {
	case ln == nil:
	case a.Messages == 0:
		ln.startAnew()
	case a.In <= 0:
		ln.wake(a.Messages)
	case a.In <= ArrivalHorizon:
		l.ripen(ln, a)
	}
}

// ripen wakes waiters when the messages become visible. The caller holds l.mu.
func (l *lines) ripen(ln *line, a Arrival) {
	slot := time.Now().Add(a.In).UnixNano()/int64(ripeningGap) + 1 // rounded up: not before it is visible
	if r := ln.timers[slot]; r != nil {
		r.messages += a.Messages
		return
	}
	if len(ln.timers) >= maxRipening {
		ln.news++ // nobody knows when
		return
	}
	r := &ripening{messages: a.Messages}
	ln.timers[slot] = r
	r.timer = time.AfterFunc(time.Until(time.Unix(0, slot*int64(ripeningGap))), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(ln.timers, slot)
		ln.wake(r.messages)
	})
}

// wake sends waiters to look until as many messages are asked for as there are, idle ones first.
func (ln *line) wake(messages int) {
	ln.news++
	for _, looking := range []bool{false, true} {
		for _, w := range ln.waiters {
			if messages <= 0 {
				return
			}
			if w.looking == looking && w.send(ln.news) {
				messages -= w.limit
			}
		}
	}
}

// startAnew wakes everybody, and has those who stay ask again what is to come.
func (ln *line) startAnew() {
	ln.known = false
	ln.news++
	for _, w := range ln.waiters {
		w.send(ln.news)
	}
}

// send leaves a wake-up and reports whether there was room for it. The caller holds lines.mu.
func (w *waiter) send(news int) bool {
	select {
	case w.wake <- struct{}{}:
		if !w.looking {
			w.looking, w.news = true, news // or will be at once
		}
		return true
	default:
		return false
	}
}
