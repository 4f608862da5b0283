package pg

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// Servers on one database tell each other, with NOTIFY, what became visible and which queues
// changed. A payload is the sender's id and then entries, separated by semicolons:
//
//	a,QUEUE,STORAGE,MESSAGES,IN,AT   messages arrived; IN in microseconds from now, AT since 1970
//	c,QUEUE                          the queue changed or is gone
//	t,TOPIC                          the topic or a subscription changed or is gone
//	d,LANE,IN                        a delivery is due; IN in microseconds from now
//	k,ID                             an access key changed or, by an account, what the keys of it are granted
//	l                                look at everything
//	s                                a server came or went
const (
	notifyPause   = 2 * time.Millisecond // in which entries gather
	maxPayload    = 7900                 // bytes; PostgreSQL's limit is 8000
	maxOutbox     = 4096                 // entries; more become one "look at everything"
	listenPing    = 5 * time.Second      // an idle connection is checked this often
	listenRetry   = 500 * time.Millisecond
	rememberAlone = time.Second      // how long a server without notifications believes what it has read
	peerTimeout   = 20 * time.Second // after which a server that is silent is taken to be gone
	HeartbeatTime = 5 * time.Second  // how often Heartbeat is to be called
)

// peers is what this server knows of others, and what it has to tell them.
type peers struct {
	others    atomic.Int32 // servers besides this one
	listening atomic.Int32 // of them, those that hear notifications

	mu       sync.Mutex
	arrivals map[arrivalKey]*arrivalSum
	changes  map[int64]bool
	topics   map[int64]bool
	lanes    map[int64]time.Time // when a delivery is due, by this server's clock
	all      bool
	keys     map[string]bool // access keys that changed, and accounts
	news     bool            // a server came or went
	told     chan struct{}   // closed when all of this is told, or could not be; nil: nobody waits for that
	sending  bool
}

type arrivalKey struct {
	queue, storage int64
	slot           int64 // 5 ms of In, rounded up; 0: now
}

type arrivalSum struct {
	messages int
	ripe     time.Time // when the last of them is visible, by this server's clock
	at       time.Time // when the first one is, by the account's
}

func (p *peers) any() bool { return p.others.Load() > 0 }

// margin is how far before the marks scans start.
func (p *peers) margin() time.Duration {
	if p.any() {
		return markMargin
	}
	return 0
}

// announce makes known that messages of the queue become visible in the given time, at the given
// time of the account: to the marks, to who waits here, and to other servers.
func (s *Store) announce(queue *core.Queue, messages int, in time.Duration, at time.Time) {
	s.marks.lower(queue.Storage, at)
	if in > core.ArrivalHorizon {
		return
	}
	s.notify(core.Arrival{Queue: queue.ID, Messages: messages, In: in})
	s.tell(func(p *peers) {
		key := arrivalKey{queue.ID, queue.Storage, int64((max(in, 0) + 5*time.Millisecond - 1) / (5 * time.Millisecond))}
		ripe := time.Now().Add(in)
		sum := p.arrivals[key]
		if sum == nil {
			sum = &arrivalSum{ripe: ripe, at: at}
			p.arrivals[key] = sum
		}
		sum.messages += messages
		if ripe.After(sum.ripe) {
			sum.ripe = ripe
		}
		if at.Before(sum.at) {
			sum.at = at
		}
	})
}

// announceChange makes known that a queue was altered, purged or deleted.
func (s *Store) announceChange(queue int64) {
	s.notify(core.Arrival{Queue: queue})
	s.tell(func(p *peers) { p.changes[queue] = true })
}

// announceAll makes everyone look at everything.
func (s *Store) announceAll() {
	s.notify(core.Arrival{})
	s.notifyDelivery(core.LaneDue{})
	s.tell(func(p *peers) { p.all = true })
}

// tell puts something into the outbox, unless nobody would hear it, and sees to its being sent.
func (s *Store) tell(put func(*peers)) {
	p := &s.peers
	if p.listening.Load() == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.arrivals == nil {
		p.arrivals, p.changes = map[arrivalKey]*arrivalSum{}, map[int64]bool{}
		p.topics, p.lanes, p.keys = map[int64]bool{}, map[int64]time.Time{}, map[string]bool{}
	}
	put(p)
	if len(p.arrivals)+len(p.changes)+len(p.topics)+len(p.lanes)+len(p.keys) > maxOutbox {
		clear(p.arrivals)
		clear(p.changes)
		clear(p.topics)
		clear(p.lanes)
		clear(p.keys)
		p.all = true
	}
	if !p.sending {
		p.sending = true
		s.running.Go(s.sendOutbox)
	}
}

// untilTold returns when all that is in the outbox has been told, or could not be; at once where nobody would hear it.
func (s *Store) untilTold(ctx context.Context) {
	var told chan struct{}
	s.tell(func(p *peers) {
		if p.told == nil {
			p.told = make(chan struct{})
		}
		told = p.told
	})
	if told == nil {
		return
	}
	select {
	case <-told:
	case <-ctx.Done():
	}
}

// sendOutbox sends until the outbox is empty. What could not be sent is made up for: others are told to look at everything once they
// can be told again.
func (s *Store) sendOutbox() {
	pause := notifyPause
	for {
		time.Sleep(pause)
		payloads, told := s.peers.takeOutbox(s.id.String())
		if len(payloads) == 0 && told == nil {
			return
		}
		err := s.tellOthers(payloads)
		if told != nil {
			close(told)
		}
		pause = notifyPause
		if err != nil {
			s.log.Debug().Err(err).Msg("could not notify other servers")
			s.peers.lost()
			if s.background.Err() != nil {
				return
			}
			pause = listenRetry
		}
	}
}

// lost has others look at everything, since something that they should have been told was not sent.
func (p *peers) lost() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = true
}

// takeOutbox gives the payloads to send and whom to tell when they are; neither means that sending has ended.
func (p *peers) takeOutbox(server string) (payloads []string, told chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var entries []string
	if p.all {
		entries = append(entries, "l")
	}
	if p.news {
		entries = append(entries, "s")
	}
	for name := range p.keys {
		entries = append(entries, "k,"+name)
	}
	for queue := range p.changes {
		entries = append(entries, "c,"+strconv.FormatInt(queue, 10))
	}
	for topic := range p.topics {
		entries = append(entries, "t,"+strconv.FormatInt(topic, 10))
	}
	for lane, due := range p.lanes {
		entries = append(entries, fmt.Sprintf("d,%d,%d", lane, max(0, time.Until(due).Microseconds())))
	}
	for key, sum := range p.arrivals {
		entries = append(entries, fmt.Sprintf("a,%d,%d,%d,%d,%d", key.queue, key.storage, sum.messages, time.Until(sum.ripe).Microseconds(), sum.at.UnixMicro()))
	}
	p.all, p.news = false, false
	clear(p.keys)
	clear(p.changes)
	clear(p.topics)
	clear(p.lanes)
	clear(p.arrivals)
	told, p.told = p.told, nil
	p.sending = len(entries) > 0 || told != nil
	return pack(server, entries), told
}

// pack joins entries to payloads within PostgreSQL's limit.
func pack(server string, entries []string) []string {
	var payloads []string
	payload := server
	for _, entry := range entries {
		if len(payload)+1+len(entry) > maxPayload {
			payloads = append(payloads, payload)
			payload = server
		}
		payload += ";" + entry
	}
	if payload != server {
		payloads = append(payloads, payload)
	}
	return payloads
}

// tellOthers sends payloads to all other servers.
func (s *Store) tellOthers(payloads []string) error {
	if len(payloads) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	return s.sendNotifications(ctx, s.channel(), payloads)
}

// sendNotifications sends payloads in a transaction of their own, which need not wait for the disk.
func (s *Store) sendNotifications(ctx context.Context, channel string, payloads []string) error {
	batch := s.newBatch()
	batch.Queue(`SELECT set_config('synchronous_commit', 'off', true)`)
	for _, payload := range payloads {
		batch.Queue(`SELECT pg_notify($1, $2)`, channel, payload)
	}
	return translate(s.send(ctx, batch))
}

// channel is where the servers of a schema talk; databases have channels of their own.
func (s *Store) channel() string { return channelPrefix + s.opts.schema() }

const channelPrefix = "polymq_"

// firstHearing is how long Open waits for the connection that listens: what is remembered before is dropped then.
const firstHearing = 5 * time.Second

// listen hears what other servers tell, for as long as the Store is open. It calls tried once, when it
// hears or could not connect. The log is told once that the connection is lost, and once that it is back.
func (s *Store) listen(tried func()) {
	lost := false
	hearing := func() {
		if lost {
			s.log.Info().Msg("listens for other servers again")
		}
		lost = false
		tried()
	}
	for s.background.Err() == nil {
		err := s.hear(hearing)
		tried()
		if s.background.Err() != nil {
			return
		}
		if lost {
			s.log.Debug().Err(err).Msg("still cannot listen for other servers")
		} else {
			s.isLost()
			s.log.Warn().Err(err).Msg("lost the connection that listens for other servers; trying again")
		}
		lost = true
		select {
		case <-time.After(listenRetry):
		case <-s.background.Done():
		}
	}
}

// hear connects, drops all that may have become stale meanwhile, learns of servers that came meanwhile,
// calls hearing, and hears until the connection ends.
func (s *Store) hear(hearing func()) error {
	conn, err := s.opts.directConn(s.background)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	for _, channel := range []string{s.channel(), s.id.String()} { // what it tells itself is nobody else's concern
		if _, err := conn.Exec(s.background, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return err
		}
	}
	s.forgetAll()
	if err := s.Heartbeat(s.background); err != nil {
		return err
	}
	hearing()
	for {
		ctx, cancel := context.WithTimeout(s.background, listenPing)
		n, err := conn.WaitForNotification(ctx)
		cancel()
		switch {
		case err == nil && n.Channel == s.id.String():
			s.hearing.cameBack(n.Payload)
		case err == nil:
			s.heard(n.Payload)
		case s.background.Err() == nil && errors.Is(err, context.DeadlineExceeded) && !conn.IsClosed():
			if err := s.pingListener(conn); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

func (s *Store) pingListener(conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(s.background, callTimeout)
	defer cancel()
	return conn.Ping(ctx)
}

// heard takes in a payload. What it does not understand is of a newer server and means: look at everything.
func (s *Store) heard(payload string) {
	sender, entries, _ := strings.Cut(payload, ";")
	if sender == s.id.String() {
		return
	}
	for entry := range strings.SplitSeq(entries, ";") {
		kind, rest, _ := strings.Cut(entry, ",")
		switch numbers := parseNumbers(rest); {
		case kind == "a" && len(numbers) == 5:
			s.marks.lower(numbers[1], time.UnixMicro(numbers[4]))
			s.notify(core.Arrival{Queue: numbers[0], Messages: int(numbers[2]), In: time.Duration(numbers[3]) * time.Microsecond})
		case kind == "c" && len(numbers) == 1:
			s.queues.forgetID(numbers[0])
			s.notify(core.Arrival{Queue: numbers[0]})
		case kind == "k" && rest != "":
			s.accessKeys.forget(rest)
		case kind == "k": // of an older server
			s.accessKeys.forgetAll()
		case kind == "t" && len(numbers) == 1:
			s.routes.forgetID(numbers[0])
		case kind == "d" && len(numbers) == 2:
			s.notifyDelivery(core.LaneDue{Lane: numbers[0], In: time.Duration(numbers[1]) * time.Microsecond})
		case kind == "s":
			s.running.Go(func() { _ = s.Heartbeat(s.background) }) // the worker's next one reports errors
		default:
			s.forgetAll()
		}
	}
}

// forgetOften drops what is remembered of queues and topics, for a server that hears of no changes. Statements that
// use them find out by themselves; who asks a policy of theirs does not.
func (s *Store) forgetOften() {
	tick := time.NewTicker(rememberAlone)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.queues.forgetAll()
			s.routes.forgetAll()
		case <-s.background.Done():
			return
		}
	}
}

// forgetAll drops all that may be stale after something was not heard, and makes who waits look.
func (s *Store) forgetAll() {
	s.queues.forgetAll()
	s.accessKeys.forgetAll()
	s.routes.forgetAll()
	s.clock.forgetAll()
	s.marks.resetAll()
	s.notify(core.Arrival{})
	s.notifyDelivery(core.LaneDue{})
}

func parseNumbers(list string) []int64 {
	var numbers []int64
	for field := range strings.SplitSeq(list, ",") {
		if n, err := strconv.ParseInt(field, 10, 64); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// heartbeatSQL also says whether the others have known all the time that this server lives.
const heartbeatSQL = `
WITH was AS (
    SELECT seen_at > now() - @timeout::interval AS known FROM servers WHERE id = @id
), me AS (
    INSERT INTO servers (id, name, version, listens) VALUES (@id, @name, @version, @listens)
    ON CONFLICT (id) DO UPDATE SET seen_at = now()
), gone AS (
    DELETE FROM servers WHERE seen_at < now() - 3 * @timeout::interval AND id <> @id
)
SELECT count(*), count(*) FILTER (WHERE listens), COALESCE((SELECT known FROM was), false) FROM servers WHERE id <> @id AND seen_at > now() - @timeout::interval`

// Heartbeat tells that this server lives and learns which others do. It is to be called every HeartbeatTime. Where others have taken this
// server to be gone, for it stood still, or the database was away, they are told at once; what they did meanwhile they told nobody.
func (s *Store) Heartbeat(ctx context.Context) error {
	s.signing.Lock()
	defer s.signing.Unlock()
	if s.signedOff {
		return nil
	}
	args := pgx.StrictNamedArgs{"id": s.id, "name": s.opts.Name, "version": s.opts.Version, "listens": s.Listens(), "timeout": peerTimeout}
	known := false
	err := s.do(ctx, heartbeatSQL, args, func(rows pgx.Rows) error {
		var others, listening int32
		_, err := pgx.ForEachRow(rows, []any{&others, &listening, &known}, func() error {
			s.peers.others.Store(others)
			s.peers.listening.Store(listening)
			return nil
		})
		return err
	})
	if err != nil || known {
		return err
	}
	err = s.tellOthers(pack(s.id.String(), []string{"s"}))
	s.forgetAll()
	return err
}

// register makes this server known to the others.
func (s *Store) register(ctx context.Context) error {
	if err := s.Heartbeat(ctx); err != nil {
		return fmt.Errorf("register this server: %w", err)
	}
	return nil
}

// unregister signs off: no heartbeat comes after it, which would bring the server back for as long as peerTimeout.
func (s *Store) unregister(ctx context.Context) error {
	s.signing.Lock()
	defer s.signing.Unlock()
	s.signedOff = true
	if _, err := s.exec(ctx, `DELETE FROM servers WHERE id = @id`, pgx.StrictNamedArgs{"id": s.id}); err != nil {
		return err
	}
	return s.tellOthers(pack(s.id.String(), []string{"s"}))
}
