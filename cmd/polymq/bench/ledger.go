package bench

import (
	"bytes"
	"strconv"
	"sync"
	"sync/atomic"
)

// Each message has four bits in the ledger.
const (
	acked          = 1 << iota // its send was acknowledged
	received                   // it arrived at least once
	deleted                    // its delete was acknowledged
	bitsPerMessage = 4
)

const (
	messagesPerWord = 64 / bitsPerMessage
	wordsPerPage    = 1 << 12
	messagesPerPage = wordsPerPage * messagesPerWord
	pages           = 1 << 15 // two billion messages
)

// A ledger numbers the messages of one run and remembers what became of each: that is how lost
// and repeated ones are found. It costs half a byte a message.
type ledger struct {
	id      string // of the run; begins every body
	padding []byte
	size    int

	next   atomic.Uint64
	growth sync.Mutex
	pages  [pages]atomic.Pointer[[wordsPerPage]atomic.Uint64]

	acked, received, matched atomic.Uint64 // matched: acknowledged and arrived
	deleted                  atomic.Uint64
	again, afterDelete       atomic.Uint64
	damaged, foreign         atomic.Uint64
}

// minBodySize leaves room for the run's id, a number and the blanks around them.
const minBodySize = 32

func newLedger(id string, bodySize int) *ledger {
	const text = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_" // needs no escape in JSON or XML
	return &ledger{id: id, padding: bytes.Repeat([]byte(text), bodySize/len(text)+1), size: bodySize}
}

// number gives out the next message's number.
func (l *ledger) number() uint64 { return l.next.Add(1) - 1 }

// appendBody appends message n's body: the run, the number, padding up to the size.
func (l *ledger) appendBody(b []byte, n uint64) []byte {
	end := len(b) + l.size
	b = append(b, l.id...)
	b = append(b, ' ')
	b = strconv.AppendUint(b, n, 10)
	b = append(b, ' ')
	return append(b, l.padding[:end-len(b)]...)
}

// parse reads a message's number from its body. It fails on the body of another run, and
// on one that does not come back as it was sent; both are counted.
func (l *ledger) parse(body []byte) (n uint64, ok bool) {
	rest, ok := bytes.CutPrefix(body, []byte(l.id+" "))
	if !ok {
		l.foreign.Add(1)
		return 0, false
	}
	digits, padding, _ := bytes.Cut(rest, []byte(" "))
	n, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil || n >= l.next.Load() || len(body) != l.size || !bytes.HasPrefix(l.padding, padding) {
		l.damaged.Add(1)
		return 0, false
	}
	return n, true
}

// message makes the message that was received with a handle and a body.
func (l *ledger) message(handle, body []byte) message {
	n, known := l.parse(body)
	return message{number: n, known: known, handle: string(handle)}
}

// acknowledge notes that the send of message n was acknowledged.
func (l *ledger) acknowledge(n uint64) {
	if old := l.mark(n, acked); old&acked == 0 {
		l.acked.Add(1)
		if old&received != 0 {
			l.matched.Add(1)
		}
	}
}

// arrive notes that message n was received.
func (l *ledger) arrive(n uint64) {
	old := l.mark(n, received)
	switch {
	case old&received == 0:
		l.received.Add(1)
		if old&acked != 0 {
			l.matched.Add(1)
		}
	case old&deleted != 0:
		l.afterDelete.Add(1)
		fallthrough
	default:
		l.again.Add(1)
	}
}

// remove notes that the delete of message n was acknowledged.
func (l *ledger) remove(n uint64) {
	if old := l.mark(n, deleted); old&deleted == 0 {
		l.deleted.Add(1)
	}
}

// missing is how many acknowledged messages have not arrived so far.
func (l *ledger) missing() uint64 {
	matched := l.matched.Load() // first: acked may only run ahead of it
	return l.acked.Load() - matched
}

// mark sets a bit of message n and returns the bits that it had before.
func (l *ledger) mark(n uint64, bit uint64) uint64 {
	page := l.page(n / messagesPerPage)
	shift := n % messagesPerWord * bitsPerMessage
	old := page[n/messagesPerWord%wordsPerPage].Or(bit << shift)
	return old >> shift
}

func (l *ledger) page(i uint64) *[wordsPerPage]atomic.Uint64 {
	if page := l.pages[i].Load(); page != nil {
		return page
	}
	l.growth.Lock()
	defer l.growth.Unlock()
	if l.pages[i].Load() == nil {
		l.pages[i].Store(new([wordsPerPage]atomic.Uint64))
	}
	return l.pages[i].Load()
}

// An outcome is what became of a run's messages.
type outcome struct {
	Numbered     uint64 `json:"numbered"`     // sends that were tried
	Acknowledged uint64 `json:"acknowledged"` // sends
	Received     uint64 `json:"received"`     // different messages
	Deleted      uint64 `json:"deleted"`
	Missing      uint64 `json:"missing"`      // acknowledged, not received
	Checked      bool   `json:"checked"`      // the queues were emptied, so that what is missing is lost
	Lost         uint64 `json:"lost"`         // missing, if checked
	Again        uint64 `json:"again"`        // receives of a message that had been received before
	AfterDelete  uint64 `json:"after_delete"` // of these, such whose delete had been acknowledged
	Damaged      uint64 `json:"damaged"`      // bodies that differ from what was sent
	Foreign      uint64 `json:"foreign"`      // bodies of another run

	Expected  uint64 `json:"expected_deliveries,omitempty"` // of the messages published
	Delivered uint64 `json:"deliveries,omitempty"`          // into queues, or to live endpoints, each once
}

// deliveries sums up the deliveries of what was published; what is missing is lost, if checked.
func (o *outcome) deliveries(l *load, checked bool) {
	o.Acknowledged = l.topics.published.Load()
	o.Expected, o.Delivered = l.expected(), l.topics.arrived.Load()
	if r := l.topics.receivers; r != nil {
		o.Again = r.again.Load()
	}
	o.Missing, o.Lost = o.Expected-min(o.Expected, o.Delivered), 0
	if checked {
		o.Lost = o.Missing
	}
	if o.Delivered > o.Expected {
		o.Again += o.Delivered - o.Expected
	}
}

// outcome sums up the ledger; checked says whether all that was there has been received.
func (l *ledger) outcome(checked bool) *outcome {
	o := &outcome{
		Numbered: l.next.Load(), Acknowledged: l.acked.Load(), Received: l.received.Load(), Deleted: l.deleted.Load(),
		Missing: l.missing(), Checked: checked, Again: l.again.Load(), AfterDelete: l.afterDelete.Load(),
		Damaged: l.damaged.Load(), Foreign: l.foreign.Load(),
	}
	if checked {
		o.Lost = o.Missing
	}
	return o
}
