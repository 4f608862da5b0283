package core

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"strings"
	"time"
)

// QueueName is the full name of a queue. Names of all protocols share one space; each
// protocol checks its own rules for Name when it creates.
type QueueName struct {
	Account string // 12 digits
	Region  string
	Name    string
}

// String gives account/region/name, for logs.
func (n QueueName) String() string { return n.Account + "/" + n.Region + "/" + n.Name }

// BodyRule says how a queue hands out bodies, whoever sent them (BodyForm).
type BodyRule string

// The body rules.
const (
	BodyAuto   BodyRule = ""        // each reader gets what its SDK turns into the sender's text
	BodyAsSent BodyRule = "as-sent" // every reader gets the bytes as they came
	BodyText   BodyRule = "text"    // every reader gets text: what a sender's SDK encoded is decoded
	BodyBase64 BodyRule = "base64"  // every reader gets base64: what was not encoded by a sender's SDK is encoded
)

// DeduplicationScope says among which messages of a FIFO queue a deduplication id must be new.
type DeduplicationScope string

// The deduplication scopes.
const (
	DeduplicateInQueue DeduplicationScope = ""      // all of the queue
	DeduplicateInGroup DeduplicationScope = "group" // those of its message group
)

// Settings are the settings of a queue that the core acts on.
type Settings struct {
	Delay             time.Duration // until a message can first be received
	VisibilityTimeout time.Duration // for which a receive hides a message
	Retention         time.Duration // after which a message is dropped, counted from its sending
	ReceiveWait       time.Duration // how long a receive waits for a first message
	MaxMessageSize    int           // bytes; the protocols count their own way
	Logging           bool          // keep a record of what happens to each message
	Bodies            BodyRule

	DeduplicationScope DeduplicationScope // FIFO queues only
	DeadLetter         DeadLetterPolicy
	DeadLetterSources  SourceRule // whose dead letters the queue takes
}

// Bounds that hold for every protocol; protocols have their own, narrower ones.
const (
	MaxNameLength        = 256
	MaxDelay             = 7 * 24 * time.Hour
	MaxVisibilityTimeout = 12 * time.Hour
	MinRetention         = time.Minute
	MaxRetention         = 15 * 24 * time.Hour
	MaxReceiveWait       = 30 * time.Second
	MaxMessageBytes      = 4 << 20 // body and attributes of one message
	MaxBatch             = 100     // messages or handles in one call
	MaxListed            = 1000    // queues in one page
	MaxInFlight          = 120_000 // messages of a queue that are received and not deleted
)

// Queue is a queue as it was last read. It is shared between callers: do not change it.
type Queue struct {
	ID      int64 // for the life of the queue
	Version int64 // rises with every change
	Storage int64 // stands for the present content; a purge gives a new one
	Name    QueueName
	FIFO    bool
	Settings
	Priorities uint32            // bit p is set when a message of priority p was ever sent
	Attributes map[string]string // kept for protocols, which prefix their names ("sqs.Policy"); the core does not read them
	Tags       map[string]string
	CreatedAt  time.Time
	ModifiedAt time.Time
	Counts     QueueCounts // filled by DescribeQueue, and by ListQueues when asked for
}

// QueueCounts are exact as of the statement that read them.
type QueueCounts struct {
	Visible  int64 // can be received now
	InFlight int64 // received and hidden
	Delayed  int64 // not yet visible for the first time
	Bytes    int64 // of bodies and attributes, all messages
}

// NewQueue describes a queue to create.
type NewQueue struct {
	Name       QueueName
	FIFO       bool
	Settings   Settings
	Attributes map[string]string
	Tags       map[string]string
}

// QueueChange alters a queue; nil fields and absent keys stay as they are.
type QueueChange struct {
	From              *Queue // the queue must still be as it was read here, else ErrQueueChanged; nil: however it is
	Delay             *time.Duration
	VisibilityTimeout *time.Duration
	Retention         *time.Duration
	ReceiveWait       *time.Duration
	MaxMessageSize    *int
	Logging           *bool
	Bodies            *BodyRule

	DeduplicationScope *DeduplicationScope
	Attributes         map[string]*string // nil removes
	Tags               map[string]*string // nil removes
	DeadLetter         *DeadLetterPolicy
	DeadLetterSources  *SourceRule
}

// Apply gives the queue with the change made to it, leaving the queue itself alone.
func (c QueueChange) Apply(q Queue) Queue {
	set(&q.Delay, c.Delay)
	set(&q.VisibilityTimeout, c.VisibilityTimeout)
	set(&q.Retention, c.Retention)
	set(&q.ReceiveWait, c.ReceiveWait)
	set(&q.MaxMessageSize, c.MaxMessageSize)
	set(&q.Logging, c.Logging)
	set(&q.Bodies, c.Bodies)
	set(&q.DeduplicationScope, c.DeduplicationScope)
	set(&q.DeadLetter, c.DeadLetter)
	set(&q.DeadLetterSources, c.DeadLetterSources)
	q.Attributes = merge(q.Attributes, c.Attributes)
	q.Tags = merge(q.Tags, c.Tags)
	return q
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func merge(old map[string]string, change map[string]*string) map[string]string {
	merged := make(map[string]string, len(old)+len(change))
	maps.Copy(merged, old)
	for name, value := range change {
		if value == nil {
			delete(merged, name)
		} else {
			merged[name] = *value
		}
	}
	return merged
}

// ListQueuesInput asks for one page of an account's queues, sorted by name (bytes).
type ListQueuesInput struct {
	Account string
	Region  string
	Prefix  string // case-sensitive
	Part    string // that the name contains, in whatever case
	After   string // the Next of the page before; "" starts
	Limit   int    // 1 to MaxListed
	Counts  bool   // fill in Queue.Counts
	Total   bool   // fill in QueuePage.Total
	Listed
}

// Listed narrows a list of queues, or topics, and goes to a page of it by number.
type Listed struct {
	FIFO *bool             // only those that are FIFO, or only those that are not
	Tags map[string]string // that they have; the value "" stands for any
	Skip int               // how many of those that are left to pass over, 0 to MaxSkipped
}

// MaxSkipped bounds how far into a list a page can be: every row before it is read.
const MaxSkipped = 1_000_000

func (l *Listed) check() error {
	if l.Skip < 0 || l.Skip > MaxSkipped {
		return Errorf(InvalidArgument, "a page begins behind at most %d others, asked for %d", MaxSkipped, l.Skip)
	}
	for key, value := range l.Tags {
		if !ValidText([]byte(key + value)) {
			return Errorf(InvalidArgument, "a tag holds characters that are not allowed")
		}
	}
	return nil
}

// QueuePage is one page of queues.
type QueuePage struct {
	Queues []Queue
	Next   string // the After of the next page, "" when this is the last
	Total  int    // behind After, on this page and all that follow, where asked for
}

// CreateQueue makes a queue. If one of that name exists, it is returned unchanged with
// created false: what then is a conflict is for each protocol to decide.
func (b *Broker) CreateQueue(ctx context.Context, in NewQueue) (queue Queue, created bool, err error) {
	if err := in.check(); err != nil {
		return Queue{}, false, err
	}
	if err := b.checkTarget(ctx, in.Name, in.FIFO, in.Settings.DeadLetter); err != nil {
		return Queue{}, false, err
	}
	if err := b.anotherQueue(ctx, in.Name); err != nil {
		return Queue{}, false, err
	}
	return b.store.CreateQueue(ctx, in)
}

// Queue gives a queue, possibly from a cache that another server's change has not yet
// reached: good for its settings, not for showing them. QueueNotFound.
func (b *Broker) Queue(ctx context.Context, name QueueName) (*Queue, error) {
	if err := name.check(); err != nil {
		return nil, err
	}
	return b.store.Queue(ctx, name)
}

// KnownQueue gives a queue as this server remembers it, nil for one that it does not.
func (b *Broker) KnownQueue(name QueueName) *Queue { return b.store.KnownQueue(name) }

// ReadQueue reads a queue from the database, in the same time whether it is there or not. QueueNotFound.
func (b *Broker) ReadQueue(ctx context.Context, name QueueName) (*Queue, error) {
	if err := name.check(); err != nil {
		return nil, err
	}
	return b.store.ReadQueue(ctx, name)
}

// DescribeQueue reads a queue and its counts from the database. QueueNotFound.
func (b *Broker) DescribeQueue(ctx context.Context, name QueueName) (Queue, error) {
	if err := name.check(); err != nil {
		return Queue{}, err
	}
	return b.store.DescribeQueue(ctx, name)
}

// AlterQueue changes a queue at once and for all servers, and gives the result. A new retention
// reaches back to messages sent before, and on FIFO queues so does a new delay; a new visibility timeout
// does not. QueueNotFound.
func (b *Broker) AlterQueue(ctx context.Context, name QueueName, change QueueChange) (Queue, error) {
	if err := name.check(); err != nil {
		return Queue{}, err
	}
	altered := change.Apply(Queue{Settings: DefaultSettings()})
	if err := cmp.Or(altered.Settings.check(), checkTexts(altered.Attributes), checkTags(altered.Tags)); err != nil {
		return Queue{}, err
	}
	if policy := altered.DeadLetter; policy.Target != "" {
		queue, err := b.store.DescribeQueue(ctx, name)
		if err != nil {
			return Queue{}, err
		}
		if err := b.checkTarget(ctx, name, queue.FIFO, policy); err != nil {
			return Queue{}, err
		}
	}
	return b.store.AlterQueue(ctx, name, change)
}

// EditQueue alters a queue by what edit makes of it as the database has it now. Where somebody else
// alters it meanwhile, edit is called again, so that no change is lost. An error of edit ends it.
// QueueNotFound.
func (b *Broker) EditQueue(ctx context.Context, name QueueName, edit func(Queue) (QueueChange, error)) (Queue, error) {
	for range maxQueueChanges {
		queue, err := b.DescribeQueue(ctx, name)
		if err != nil {
			return Queue{}, err
		}
		change, err := edit(queue)
		if err != nil {
			return Queue{}, err
		}
		change.From = &queue
		if altered, err := b.AlterQueue(ctx, name, change); !errors.Is(err, ErrQueueChanged) {
			return altered, err
		}
	}
	return Queue{}, Errorf(Unavailable, "queue %q keeps changing", name.Name)
}

// DeleteQueue deletes a queue with all its messages; receives that wait on it return at once.
// QueueNotFound.
func (b *Broker) DeleteQueue(ctx context.Context, name QueueName) error {
	if err := name.check(); err != nil {
		return err
	}
	queue, err := b.store.DeleteQueue(ctx, name)
	if err == nil {
		b.logPurged(ctx, &queue, detailQueueDeleted)
	}
	return err
}

// PurgeQueue removes all messages of a queue, hidden ones too. QueueNotFound.
func (b *Broker) PurgeQueue(ctx context.Context, name QueueName) error {
	if err := name.check(); err != nil {
		return err
	}
	queue, err := b.store.PurgeQueue(ctx, name)
	if err == nil {
		b.logPurged(ctx, &queue, detailQueuePurged)
	}
	return err
}

// ListQueues gives a page of queues.
func (b *Broker) ListQueues(ctx context.Context, in ListQueuesInput) (QueuePage, error) {
	if err := in.check(); err != nil {
		return QueuePage{}, err
	}
	if strings.ContainsFunc(in.Prefix, foreignRune) {
		return QueuePage{}, nil
	}
	return b.store.ListQueues(ctx, in)
}

func (in ListQueuesInput) check() error {
	switch {
	case in.Limit < 1 || in.Limit > MaxListed:
		return Errorf(InvalidArgument, "a page holds 1 to %d queues, asked for %d", MaxListed, in.Limit)
	case strings.ContainsFunc(in.After, foreignRune):
		return Errorf(InvalidArgument, "%q is not a cursor of this list", in.After)
	}
	return in.Listed.check()
}

// DefaultSettings are those of an SQS queue made without attributes (specs/sqs.md 3.2);
// MNS passes its own.
func DefaultSettings() Settings {
	return Settings{
		VisibilityTimeout: 30 * time.Second,
		Retention:         4 * 24 * time.Hour,
		MaxMessageSize:    1 << 20,
	}
}

func (in NewQueue) check() error {
	if n := len(in.Name.Name); n < 1 || n > MaxNameLength {
		return Errorf(InvalidArgument, "a queue name has 1 to %d characters, this one has %d", MaxNameLength, n)
	}
	for _, r := range in.Name.Name {
		if foreignRune(r) {
			return Errorf(InvalidArgument, "a queue name has letters, digits, '-', '_' and '.', not %q", r)
		}
	}
	if in.Name.Account == "" || in.Name.Region == "" {
		return Errorf(InvalidArgument, "a queue name needs an account and a region")
	}
	return cmp.Or(in.Settings.check(), checkTexts(in.Attributes), checkTags(in.Tags))
}

// checkTags refuses what no protocol takes as tags.
func checkTags(tags map[string]string) error {
	if _, nameless := tags[""]; nameless {
		return Errorf(InvalidArgument, "a tag has a name")
	}
	return checkTexts(tags)
}

// checkTexts refuses names and values that not every protocol can show.
func checkTexts(texts map[string]string) error {
	for name, value := range texts {
		if !ValidText([]byte(name)) || !ValidText([]byte(value)) {
			return Errorf(InvalidArgument, "the attribute or tag %q has characters that are not allowed", name)
		}
	}
	return nil
}

// check says QueueNotFound of a name that no queue can have, so that a store need not be able to
// read whatever bytes a client sends.
func (n QueueName) check() error {
	if n.Name == "" || len(n.Name) > MaxNameLength || strings.ContainsFunc(n.Name, foreignRune) {
		return Errorf(QueueNotFound, "queue %q does not exist", n.Name)
	}
	return nil
}

// foreignRune reports whether a character cannot be part of a queue's name.
func foreignRune(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
}

func (s Settings) check() error {
	switch {
	case s.Delay < 0 || s.Delay > MaxDelay:
		return Errorf(InvalidArgument, "the delay must be 0 to %v, was %v", MaxDelay, s.Delay)
	case s.VisibilityTimeout < 0 || s.VisibilityTimeout > MaxVisibilityTimeout:
		return Errorf(InvalidArgument, "the visibility timeout must be 0 to %v, was %v", MaxVisibilityTimeout, s.VisibilityTimeout)
	case s.Retention < MinRetention || s.Retention > MaxRetention:
		return Errorf(InvalidArgument, "the retention must be %v to %v, was %v", MinRetention, MaxRetention, s.Retention)
	case s.ReceiveWait < 0 || s.ReceiveWait > MaxReceiveWait:
		return Errorf(InvalidArgument, "the receive wait must be 0 to %v, was %v", MaxReceiveWait, s.ReceiveWait)
	case s.MaxMessageSize < 1 || s.MaxMessageSize > MaxMessageBytes:
		return Errorf(InvalidArgument, "the maximum message size must be 1 to %d bytes, was %d", MaxMessageBytes, s.MaxMessageSize)
	}
	switch s.DeduplicationScope {
	case DeduplicateInQueue, DeduplicateInGroup:
	default:
		return Errorf(InvalidArgument, "the deduplication scope must be empty or group, was %q", s.DeduplicationScope)
	}
	switch s.Bodies {
	case BodyAuto, BodyAsSent, BodyText, BodyBase64:
		return cmp.Or(s.DeadLetter.check(), s.DeadLetterSources.check())
	}
	return Errorf(InvalidArgument, "the body rule must be empty, as-sent, text or base64, was %q", s.Bodies)
}
