package core

import (
	"encoding/hex"
	"strings"
	"time"
)

// MessageID is the public id of a message; it stays the same through receives and moves to a
// dead-letter queue. SQS shows it as a UUID, MNS as 32 upper-case hex digits.
type MessageID [16]byte

// UUID gives the lower-case form with dashes, 36 characters.
func (id MessageID) UUID() string {
	var buf [36]byte
	hex.Encode(buf[0:8], id[0:4])
	hex.Encode(buf[9:13], id[4:6])
	hex.Encode(buf[14:18], id[6:8])
	hex.Encode(buf[19:23], id[8:10])
	hex.Encode(buf[24:36], id[10:16])
	buf[8], buf[13], buf[18], buf[23] = '-', '-', '-', '-'
	return string(buf[:])
}

// Hex gives 32 upper-case hex digits.
func (id MessageID) Hex() string { return strings.ToUpper(hex.EncodeToString(id[:])) }

// ParseMessageID reads either form.
func ParseMessageID(s string) (MessageID, error) {
	digits := strings.ReplaceAll(s, "-", "")
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != len(MessageID{}) || len(s) > 36 {
		return MessageID{}, Errorf(InvalidArgument, "%q is not a message id", s)
	}
	return MessageID(raw), nil
}

// BodyForm says in which form a body was sent, so that each reader can be given the text that
// the sender wrote (DESIGN.md 1). See EncodeBody.
type BodyForm int16

// The body forms.
const (
	FormText   BodyForm = 0 // the text itself, by a protocol whose readers expect text (SQS, JSON)
	FormRaw    BodyForm = 1 // the text itself, by a protocol whose readers may expect either (MNS)
	FormBase64 BodyForm = 2 // base64 that the sender's SDK made by itself (MNS)
)

// Attribute is a message attribute that the sender set.
type Attribute struct {
	Name  string
	Type  string // "String", "Number" or "Binary", with an optional ".label" behind it
	Value []byte // text as UTF-8, binary as it is
}

// DefaultPriority is the priority of a message that names none; 1 is the most urgent, 16 the least.
const (
	DefaultPriority = 8
	MaxPriority     = 16
)

// NewMessage is a message to send.
type NewMessage struct {
	Body            []byte
	Form            BodyForm
	Attributes      []Attribute       // sorted by name
	System          map[string]string // set by SDKs and services rather than the application: AWSTraceHeader, traceparent, …
	GroupID         string            // FIFO queues order by it and require it
	DeduplicationID string            // FIFO queues only; "": every message is new
	Delay           *time.Duration    // nil: the queue's
	Priority        int               // 0: DefaultPriority
	Sender          string            // who sent it; "": the queue's account
	Repeated        bool              // stored whatever its DeduplicationID
	CountsAs        int               // what a topic delivers: its bytes that count for the queue's MaxMessageSize; 0: its Size
}

// Size is what a message counts against the core's limit: the bytes of its body and of its
// attributes' names, types and values.
func (m *NewMessage) Size() int {
	size := len(m.Body)
	for _, a := range m.Attributes {
		size += len(a.Name) + len(a.Type) + len(a.Value)
	}
	return size
}

// Sent is what became of a NewMessage.
type Sent struct {
	ID        MessageID
	SentAt    time.Time
	VisibleAt time.Time
	Handle    string // only of a delayed message: it may be deleted or made visible before it first is
	Sequence  string // FIFO queues only: 20 digits
	Duplicate bool   // nothing was stored: ID, Sequence and SentAt are those of the message sent first
}

// Message is a message as it was received, or peeked at.
type Message struct {
	ID              MessageID
	Handle          string // "" when peeked at
	Body            []byte
	Form            BodyForm
	Attributes      []Attribute // sorted by name
	System          map[string]string
	GroupID         string
	DeduplicationID string
	Sequence        string
	Priority        int
	Sender          string
	Source          string // the queue it was moved from as a dead letter, "account/region/name"; "" otherwise
	ReceiveCount    int    // this receive included
	SentAt          time.Time
	FirstReceivedAt time.Time // zero when never received
	VisibleAt       time.Time
	Size            int
}
