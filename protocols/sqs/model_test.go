package sqs

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// This is what specs/sqs.md says of the messages of a few queues, in memory: sections 5 to 8, each rule under its
// number. model_driver_test.go runs random requests on a server and asks here whether the answers are right. Where
// the specification leaves a choice (which of the visible messages a receive gives, which group comes first), the
// answer makes it, and the model only says whether it was allowed to.

// modelAccount has the time of its queues. It moves only by the tests; what takes its course between two
// requests is far less than the minute of which all times here are multiples.
type modelAccount struct {
	now     time.Duration
	changes int // numbers the changes of visibility, to tell those of the same time apart
}

// modelQueue is a queue.
type modelQueue struct {
	account *modelAccount
	name    string

	delay, visibility, retention time.Duration
	deadLetter                   *modelQueue // nil: no policy
	maxReceives                  int

	fifo, contentBased, groupScope bool

	messages []*modelMessage // in the order in which they came, which on a FIFO queue is that of their groups
	sent     map[string]modelSent
	attempts map[string]modelAttempt
	sequence string // of the newest message that was sent
}

// modelMessage is a message. Once it is deleted, purged or expired it is in no queue.
type modelMessage struct {
	modelContent
	queue    *modelQueue
	id       string
	sequence string // "" until it is known
	source   *modelQueue
	sentAt   time.Duration

	visibleAt  time.Duration
	receivedAt time.Duration
	change     int // of its visibility
	count      int // of receives, which clients see
	receives   int // of these in its present queue
	newest     string
	redriven   bool
}

// modelContent is what a client gives a message.
type modelContent struct {
	body, group, deduplicationID string
	delay                        *time.Duration
}

// modelHandle is a receipt handle, of a queue for ever.
type modelHandle struct {
	text    string
	queue   *modelQueue
	message *modelMessage
}

// modelReceived is a message in the answer of a receive.
type modelReceived struct {
	modelContent
	id, handle, count, sequence, source string
}

// modelSent is what is remembered of a deduplication id.
type modelSent struct {
	at           time.Duration
	id, sequence string
}

// modelAttempt is what is remembered of an attempt to receive.
type modelAttempt struct {
	at       time.Duration
	messages []*modelMessage
	changes  []int // as it left them
}

// The window of deduplication and of attempts (7.1, 7.3), and the most that a message can be hidden (6.6).
const (
	modelWindow  = 5 * time.Minute
	modelMaximum = 12 * time.Hour
)

// The codes of refusals; "" is success.
const (
	modelBadHandle = "ReceiptHandleIsInvalid"
	modelBadValue  = "InvalidParameterValue"
)

func (q *modelQueue) now() time.Duration { return q.account.now }

func (m *modelMessage) visible() bool { return m.visibleAt <= m.queue.now() }

func (m *modelMessage) expired() bool { return m.sentAt+m.queue.retention <= m.queue.now() }

// exhausted says that the next receive is to move the message away (8.1).
func (m *modelMessage) exhausted() bool {
	return m.queue.deadLetter != nil && m.receives >= m.queue.maxReceives
}

func (m *modelMessage) String() string {
	state := "visible"
	if !m.visible() {
		state = fmt.Sprintf("hidden for %v", m.visibleAt-m.queue.now())
	}
	if m.exhausted() {
		state += ", exhausted"
	}
	return fmt.Sprintf("%q (%.8s, group %q, %s, %d receives)", m.body, m.id, m.group, state, m.receives)
}

func (q *modelQueue) String() string { return fmt.Sprint(q.name, " ", q.messages) }

// hide sets when a message can be received (again).
func (m *modelMessage) hide(timeout time.Duration) {
	m.queue.account.changes++
	m.visibleAt, m.change = m.queue.now()+timeout, m.queue.account.changes
}

// leave takes a message out of its queue.
func (m *modelMessage) leave() {
	m.queue.messages = slices.DeleteFunc(m.queue.messages, func(other *modelMessage) bool { return other == m })
	m.queue = nil
}

// send is SendMessage, or an entry of a batch: 5.6, 7.1 and 5.4 of what was answered.
func (q *modelQueue) send(content modelContent, id, sequence string) error {
	if q.fifo && content.deduplicationID == "" {
		content.deduplicationID = shaOf(content.body)
	}
	key := content.deduplicationID
	if q.groupScope {
		key = content.group + " " + key
	}
	if before, known := q.sent[key]; known && q.now() < before.at+modelWindow && q.fifo {
		if before.id != id || before.sequence != sequence {
			return fmt.Errorf("a duplicate of %s (%s) was answered %s (%s)", before.id, before.sequence, id, sequence)
		}
		return nil
	}
	for _, before := range q.sent {
		if before.id == id {
			return fmt.Errorf("what is no duplicate was answered the id %s of another message", id)
		}
	}
	if q.fifo && sequence <= q.sequence {
		return fmt.Errorf("sequence number %s behind %s", sequence, q.sequence)
	}
	q.sent[cmp.Or(key, id)], q.sequence = modelSent{q.now(), id, sequence}, sequence
	message := &modelMessage{modelContent: content, queue: q, id: id, sequence: sequence, sentAt: q.now()}
	message.hide(q.delay)
	if content.delay != nil && !q.fifo {
		message.hide(*content.delay)
	}
	q.messages = append(q.messages, message)
	return nil
}

// available gives what a receive may give: on a standard queue all that is visible, on a FIFO queue each
// group's first messages up to one that is hidden (7.2).
func (q *modelQueue) available() (messages []*modelMessage) {
	held := map[string]bool{}
	for _, m := range q.messages {
		switch {
		case m.expired():
		case !m.visible():
			held[m.group] = q.fifo
		case !held[m.group]:
			messages = append(messages, m)
		}
	}
	return messages
}

// exhausted gives those of them that a receive is to move.
func (q *modelQueue) exhausted() []*modelMessage {
	return slices.DeleteFunc(q.available(), func(m *modelMessage) bool { return !m.exhausted() })
}

// modelReceive is a receive with its answer.
type modelReceive struct {
	limit   int
	timeout time.Duration
	attempt string
	got     []modelReceived
	moved   []string // ids of the messages that are in the dead-letter queue since
	shared  bool     // others were receiving meanwhile, so that it may have got less than there was
}

// receive judges an answer (6.3, 7.2, 8.1) and does what it did. It gives the handles that were handed out.
func (q *modelQueue) receive(r modelReceive) (handles []modelHandle, err error) {
	if again := q.repeated(r.attempt); again != nil {
		return nil, q.repeat(r, again)
	}
	available := q.available()
	var taken, received []*modelMessage
	find := func(id string, exhausted bool) (*modelMessage, error) {
		i := slices.IndexFunc(available, func(m *modelMessage) bool { return m.id == id })
		if i < 0 || slices.Contains(taken, available[i]) || available[i].exhausted() != exhausted {
			return nil, fmt.Errorf("%s was received or moved (%v), of %v", id, exhausted, available)
		}
		taken = append(taken, available[i])
		return available[i], nil
	}
	for _, id := range r.moved {
		if _, err := find(id, true); err != nil {
			return nil, err
		}
	}
	moved := slices.Clone(taken)
	for _, got := range r.got {
		m, err := find(got.id, false)
		if err != nil {
			return nil, err
		}
		if err := m.matches(got); err != nil {
			return nil, err
		}
		received = append(received, m)
	}
	if err := q.enough(r, available, taken); err != nil {
		return nil, err
	}
	if err := q.inOrder(available, taken, received); err != nil {
		return nil, err
	}
	for i, m := range received {
		m.count, m.receives, m.receivedAt, m.newest = m.count+1, m.receives+1, q.now(), r.got[i].handle
		m.sequence = r.got[i].sequence
		m.hide(r.timeout)
		handles = append(handles, modelHandle{m.newest, q, m})
	}
	if r.attempt != "" && len(received) > 0 {
		q.attempts[r.attempt] = attemptOf(q.now(), received)
	}
	for _, m := range available { // in their order
		if slices.Contains(moved, m) {
			m.die()
		}
	}
	return handles, nil
}

// matches compares a message with its receive (6.2, 8.2).
func (m *modelMessage) matches(got modelReceived) error {
	want := modelReceived{modelContent: m.modelContent, id: m.id, handle: got.handle, count: fmt.Sprint(m.count + 1), sequence: m.sequence}
	want.delay = nil
	if m.source != nil {
		want.source = m.source.name
	}
	if m.sequence == "" { // it was moved: any that is in order
		want.sequence = got.sequence
	}
	if got != want {
		return fmt.Errorf("received %+v, want %+v", got, want)
	}
	return nil
}

// enough says whether a receive gave what there was: what it moved away counts, but it goes on until it has
// something to give (6.3, 8.1).
func (q *modelQueue) enough(r modelReceive, available, taken []*modelMessage) error {
	if len(r.got) > r.limit {
		return fmt.Errorf("received %d messages, asked for %d", len(r.got), r.limit)
	}
	if r.shared {
		return nil
	}
	left := slices.DeleteFunc(slices.Clone(available), func(m *modelMessage) bool { return slices.Contains(taken, m) })
	living := slices.ContainsFunc(left, func(m *modelMessage) bool { return !m.exhausted() })
	if len(taken) < min(r.limit, len(available)) || len(r.got) == 0 && living {
		return fmt.Errorf("received %d messages and moved %d, though there were %v", len(r.got), len(taken)-len(r.got), available)
	}
	return nil
}

// inOrder says whether a FIFO queue's groups were gone through one by one, each from its beginning (7.2).
func (q *modelQueue) inOrder(available, taken, received []*modelMessage) error {
	if !q.fifo {
		return nil
	}
	open := map[string]bool{}
	inParts := 0
	for _, m := range available {
		switch {
		case slices.Contains(taken, m) && open[m.group]:
			return fmt.Errorf("%v was received or moved, but not one before it in its group", m)
		case !slices.Contains(taken, m) && !open[m.group]:
			open[m.group] = true
			if slices.ContainsFunc(taken, func(other *modelMessage) bool { return other.group == m.group }) {
				inParts++
			}
		}
	}
	if inParts > 1 && len(taken) == len(received) {
		return fmt.Errorf("%d groups were received in parts: %v of %v", inParts, received, available)
	}
	last := map[string]int{}
	for i, m := range received {
		if before, again := last[m.group]; again && (before != i-1 || slices.Index(q.messages, received[before]) > slices.Index(q.messages, m)) {
			return fmt.Errorf("the order within a group was not kept: %v", received)
		}
		last[m.group] = i
	}
	return nil
}

// die moves an exhausted message to the dead-letter queue (8.2).
func (m *modelMessage) die() {
	source := m.queue
	m.leave()
	m.queue, m.source, m.receives, m.newest = source.deadLetter, source, 0, ""
	if source.fifo {
		m.sentAt, m.sequence, m.deduplicationID = m.queue.now(), "", m.id
	}
	m.hide(0)
	m.queue.messages = append(m.queue.messages, m)
}

// repeated gives the attempt that a receive of the same id repeats (7.3): its messages must be as it left them.
func (q *modelQueue) repeated(id string) *modelAttempt {
	attempt, known := q.attempts[id]
	if !known || q.now() >= attempt.at+modelWindow {
		return nil
	}
	for i, m := range attempt.messages {
		if m.queue != q || m.visible() || m.expired() || m.change != attempt.changes[i] {
			return nil
		}
	}
	return &attempt
}

func attemptOf(at time.Duration, messages []*modelMessage) modelAttempt {
	attempt := modelAttempt{at: at, messages: messages}
	for _, m := range messages {
		attempt.changes = append(attempt.changes, m.change)
	}
	return attempt
}

// repeat judges the answer to a repeated attempt: the same messages under the same handles, hidden anew.
func (q *modelQueue) repeat(r modelReceive, attempt *modelAttempt) error {
	last := map[string]int{}
	same := func(got modelReceived) bool {
		i := slices.IndexFunc(attempt.messages, func(m *modelMessage) bool { return got.id == m.id && got.handle == m.newest })
		inOrder := i >= last[got.group]
		last[got.group] = i + 1
		return i >= 0 && inOrder
	}
	if len(r.got) != len(attempt.messages) || slices.ContainsFunc(r.got, func(got modelReceived) bool { return !same(got) }) {
		return fmt.Errorf("the attempt %s was repeated with %+v, want %v", r.attempt, r.got, attempt.messages)
	}
	for _, m := range attempt.messages {
		m.hide(r.timeout)
	}
	q.attempts[r.attempt] = attemptOf(attempt.at, attempt.messages)
	return nil
}

// find gives the message of a handle, nil when it is gone; or why the handle is no good on this queue.
func (q *modelQueue) find(h modelHandle) (m *modelMessage, refusal string) {
	if h.queue != q {
		return nil, modelBadHandle
	}
	if h.message.queue != q {
		return nil, ""
	}
	if q.fifo && (h.text != h.message.newest || h.message.visible()) {
		return nil, modelBadValue
	}
	return h.message, ""
}

// delete is DeleteMessage (6.5).
func (q *modelQueue) delete(h modelHandle) (refusal string) {
	m, refusal := q.find(h)
	if m != nil {
		m.leave()
	}
	return refusal
}

// changeVisibility is ChangeMessageVisibility (6.6). The total is counted from the receive, in whole seconds; what is the very most is not asked for.
func (q *modelQueue) changeVisibility(h modelHandle, timeout time.Duration) (refusal string) {
	m, refusal := q.find(h)
	switch {
	case refusal != "":
		return refusal
	case m == nil:
		return modelBadValue
	case m.visible():
		return ""
	case q.now()+timeout > m.receivedAt+modelMaximum:
		return modelBadValue
	}
	m.hide(timeout)
	return ""
}

// purge is PurgeQueue (3.3), which forgets deduplication ids as well.
func (q *modelQueue) purge() {
	for len(q.messages) > 0 {
		q.messages[0].leave()
	}
	q.sent, q.attempts = map[string]modelSent{}, map[string]modelAttempt{}
}

// setDelay changes DelaySeconds (3.2), which reaches back on FIFO queues.
func (q *modelQueue) setDelay(delay time.Duration) {
	q.delay = delay
	for _, m := range q.messages {
		if q.fifo && m.count == 0 {
			m.hide(m.sentAt + delay - q.now())
		}
	}
}

// movable gives what a move task without a destination or rate moves, from start to end (8.3): what can be received.
// stray says that one of them was never moved here by a policy, and so has no source to go back to.
func (q *modelQueue) movable() (messages []*modelMessage, stray bool) {
	messages = q.available()
	return messages, slices.ContainsFunc(messages, func(m *modelMessage) bool { return m.source == nil })
}

// redrive sends a message anew, to its source or to the destination. Its new id is yet to be learnt.
func (m *modelMessage) redrive(destination *modelQueue) {
	to := cmp.Or(destination, m.source)
	m.leave()
	moved := &modelMessage{modelContent: m.modelContent, queue: to, sentAt: to.now(), redriven: true}
	moved.hide(0)
	to.messages = append(to.messages, moved)
}

// learn takes the new id of a message that was redriven; false when none can have it.
func (q *modelQueue) learn(id string, content modelContent) bool {
	for _, m := range q.messages {
		if m.id == id {
			return true
		}
		if m.id == "" && m.body == content.body && m.group == content.group {
			m.id = id
			return true
		}
	}
	return false
}

// expire drops what is older than the retention (6.7), and says whether there was any.
func (q *modelQueue) expire() bool {
	old := slices.DeleteFunc(slices.Clone(q.messages), func(m *modelMessage) bool { return !m.expired() })
	for _, m := range old {
		m.leave()
	}
	return len(old) > 0
}

// counts gives the messages that are visible, in flight and delayed (3.2, 6.7).
func (q *modelQueue) counts() (counts [3]int) {
	for _, m := range q.messages {
		switch {
		case m.visible():
			counts[0]++
		case m.count > 0:
			counts[1]++
		default:
			counts[2]++
		}
	}
	return counts
}
