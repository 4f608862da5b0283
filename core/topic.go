package core

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// TopicName is the full name of a topic. Topics of all protocols share one space of names, which
// is not that of queues; each protocol checks its own rules for Name when it creates.
type TopicName struct {
	Account string // 12 digits
	Region  string
	Name    string
}

// String gives account/region/name, for logs.
func (n TopicName) String() string { return n.Account + "/" + n.Region + "/" + n.Name }

// Bounds that hold for every protocol; protocols have their own, narrower ones.
const (
	MaxPublishBatch      = 10      // messages in one call
	MaxSubscriptions     = 100_000 // of one topic
	MaxFIFOSubscriptions = 100     // of one FIFO topic
	MaxTopicRetention    = 23 * 24 * time.Hour
	MaxArchive           = 365 * 24 * time.Hour
	MaxEndpointBytes     = 4096
	MaxFilterBytes       = 256 << 10
)

// TopicSettings are the settings of a topic that the core acts on.
type TopicSettings struct {
	MaxMessageSize     int                // bytes; the protocols count their own way
	Retention          time.Duration      // after which what could not be delivered is given up, whatever its schedule says; 0: MaxTopicRetention
	DeduplicationScope DeduplicationScope // FIFO topics only
	Logging            bool               // keep a record of what happens to each message
	Archive            time.Duration      // FIFO topics only: how long what was published can be replayed; 0: not at all
}

// Topic is a topic as it was last read. It is shared between callers: do not change it.
type Topic struct {
	ID      int64 // for the life of the topic
	Version int64 // rises with every change of the topic and of its subscriptions
	Name    TopicName
	FIFO    bool
	TopicSettings
	Attributes map[string]string // kept for protocols, which prefix their names ("sns.DisplayName"); the core does not read them
	Tags       map[string]string
	CreatedAt  time.Time
	ModifiedAt time.Time

	ArchiveBegins time.Time   // the earliest that can be replayed, when this was read; zero: there is no archive
	Counts        TopicCounts // filled by DescribeTopic, and by ListTopics when asked for
}

// TopicCounts are exact as of the statement that read them.
type TopicCounts struct {
	Confirmed int64 // subscriptions
	Pending   int64 // subscriptions that wait to be confirmed
	Deleted   int64 // subscriptions that are gone, as long as they are remembered
	Messages  int64 // published and not yet delivered to all that are pushed to
}

// NewTopic describes a topic to create.
type NewTopic struct {
	Name       TopicName
	FIFO       bool
	Settings   TopicSettings
	Attributes map[string]string
	Tags       map[string]string
}

// TopicChange alters a topic; nil fields and absent keys stay as they are.
type TopicChange struct {
	From               *Topic // the topic must still be as it was read here, else ErrTopicChanged; nil: however it is
	MaxMessageSize     *int
	Retention          *time.Duration
	DeduplicationScope *DeduplicationScope
	Logging            *bool
	Archive            *time.Duration     // 0 gives the archive up; replays under way come to their end
	Attributes         map[string]*string // nil removes
	Tags               map[string]*string // nil removes
}

// Apply gives the topic with the change made to it, leaving the topic itself alone.
func (c TopicChange) Apply(t Topic) Topic {
	set(&t.MaxMessageSize, c.MaxMessageSize)
	set(&t.Retention, c.Retention)
	set(&t.DeduplicationScope, c.DeduplicationScope)
	set(&t.Logging, c.Logging)
	set(&t.Archive, c.Archive)
	t.Attributes = merge(t.Attributes, c.Attributes)
	t.Tags = merge(t.Tags, c.Tags)
	return t
}

// Routes are a topic and all its subscriptions that are not deleted, as they were last read. They
// are shared between callers: do not change them. A Store makes them; the Broker compiles their
// filters once.
type Routes struct {
	Topic         Topic
	Subscriptions []Subscription // by ID

	compile    sync.Once
	unfiltered []*Subscription
	matchers   []matcher
	faults     []error // of filters of formats that are not spoken
}

// ListTopicsInput asks for one page of an account's topics, sorted by name (bytes).
type ListTopicsInput struct {
	Account string
	Region  string
	Prefix  string // case-sensitive
	After   string // the Next of the page before; "" starts
	Limit   int    // 1 to MaxListed
	Counts  bool   // fill in Topic.Counts
	Total   bool   // fill in TopicPage.Total
	Listed
}

// TopicPage is one page of topics.
type TopicPage struct {
	Topics []Topic
	Next   string // the After of the next page, "" when this is the last
	Total  int    // behind After, on this page and all that follow, where asked for
}

// DefaultTopicSettings are those of an SNS topic made without attributes (specs/sns.md 2.2);
// MNS passes its own.
func DefaultTopicSettings() TopicSettings {
	return TopicSettings{MaxMessageSize: LargeMessage}
}

// CreateTopic makes a topic. If one of that name exists, it is returned unchanged with created
// false: what then is a conflict is for each protocol to decide.
func (b *Broker) CreateTopic(ctx context.Context, in NewTopic) (topic Topic, created bool, err error) {
	if err := in.check(); err != nil {
		return Topic{}, false, err
	}
	if err := b.anotherTopic(ctx, in.Name); err != nil {
		return Topic{}, false, err
	}
	return b.store.CreateTopic(ctx, in)
}

// Topic gives a topic, possibly from a cache that another server's change has not yet reached:
// good for its settings, not for showing them. TopicNotFound.
func (b *Broker) Topic(ctx context.Context, name TopicName) (*Topic, error) {
	if err := name.check(); err != nil {
		return nil, err
	}
	routes, err := b.store.Routes(ctx, name)
	if err != nil {
		return nil, err
	}
	return &routes.Topic, nil
}

// KnownTopic gives a topic as this server remembers it, nil for one that it does not.
func (b *Broker) KnownTopic(name TopicName) *Topic {
	if routes := b.store.KnownRoutes(name); routes != nil {
		return &routes.Topic
	}
	return nil
}

// ReadTopic reads a topic from the database, in the same time whether it is there or not. TopicNotFound.
func (b *Broker) ReadTopic(ctx context.Context, name TopicName) (Topic, error) {
	if err := name.check(); err != nil {
		return Topic{}, err
	}
	return b.store.ReadTopic(ctx, name)
}

// DescribeTopic reads a topic and its counts from the database. TopicNotFound.
func (b *Broker) DescribeTopic(ctx context.Context, name TopicName) (Topic, error) {
	if err := name.check(); err != nil {
		return Topic{}, err
	}
	return b.store.DescribeTopic(ctx, name)
}

// AlterTopic changes a topic at once and for all servers, and gives the result. TopicNotFound, InvalidArgument, also where
// messages are to become larger than what the topic's subscribers take.
func (b *Broker) AlterTopic(ctx context.Context, name TopicName, change TopicChange) (Topic, error) {
	if err := name.check(); err != nil {
		return Topic{}, err
	}
	altered := change.Apply(Topic{TopicSettings: DefaultTopicSettings()})
	if err := cmp.Or(altered.TopicSettings.check(), checkTexts(altered.Attributes), checkTags(altered.Tags)); err != nil {
		return Topic{}, err
	}
	if change.MaxMessageSize != nil && altered.large() {
		if change.From == nil {
			return b.EditTopic(ctx, name, func(Topic) (TopicChange, error) { return change, nil })
		}
		if err := b.checkBecomesLarge(ctx, change.From); err != nil {
			return Topic{}, err
		}
	}
	return b.store.AlterTopic(ctx, name, change)
}

// EditTopic alters a topic by what edit makes of it as the database has it now. Where somebody else
// alters it meanwhile, edit is called again, so that no change is lost. An error of edit ends it.
// TopicNotFound.
func (b *Broker) EditTopic(ctx context.Context, name TopicName, edit func(Topic) (TopicChange, error)) (Topic, error) {
	for range maxTopicChanges {
		topic, err := b.DescribeTopic(ctx, name)
		if err != nil {
			return Topic{}, err
		}
		change, err := edit(topic)
		if err != nil {
			return Topic{}, err
		}
		change.From = &topic
		if altered, err := b.AlterTopic(ctx, name, change); !errors.Is(err, ErrTopicChanged) {
			return altered, err
		}
	}
	return Topic{}, Errorf(Unavailable, "topic %q keeps changing", name.Name)
}

// maxTopicChanges bounds how often an operation starts anew because its topic keeps changing, as it
// does while subscriptions are made.
const maxTopicChanges = 32

// DeleteTopic deletes a topic; what is still to be delivered is dropped. Its subscriptions become
// Orphaned: they can be shown for as long as MaxRemembered, and deliver nothing. TopicNotFound,
// TopicArchives as long as the topic has an archive.
func (b *Broker) DeleteTopic(ctx context.Context, name TopicName) error {
	if err := name.check(); err != nil {
		return err
	}
	return b.store.DeleteTopic(ctx, name)
}

// ListTopics gives a page of topics.
func (b *Broker) ListTopics(ctx context.Context, in ListTopicsInput) (TopicPage, error) {
	if err := checkPage("topics", in.Limit, in.After); err != nil {
		return TopicPage{}, err
	}
	if err := in.Listed.check(); err != nil {
		return TopicPage{}, err
	}
	if strings.ContainsFunc(in.Prefix, foreignRune) {
		return TopicPage{}, nil
	}
	return b.store.ListTopics(ctx, in)
}

// checkPage checks how long a page is to be, and its cursor, which is a name.
func checkPage(of string, limit int, after string) error {
	if limit < 1 || limit > MaxListed {
		return Errorf(InvalidArgument, "a page holds 1 to %d %s, asked for %d", MaxListed, of, limit)
	}
	if strings.ContainsFunc(after, foreignRune) {
		return Errorf(InvalidArgument, "%q is not a cursor of this list", after)
	}
	return nil
}

func (in NewTopic) check() error {
	if n := len(in.Name.Name); n < 1 || n > MaxNameLength {
		return Errorf(InvalidArgument, "a topic name has 1 to %d characters, this one has %d", MaxNameLength, n)
	}
	for _, r := range in.Name.Name {
		if foreignRune(r) {
			return Errorf(InvalidArgument, "a topic name has letters, digits, '-', '_' and '.', not %q", r)
		}
	}
	if in.Name.Account == "" || in.Name.Region == "" {
		return Errorf(InvalidArgument, "a topic name needs an account and a region")
	}
	if in.Settings.Archive > 0 && !in.FIFO {
		return errArchiveFIFO
	}
	return cmp.Or(in.Settings.check(), checkTexts(in.Attributes), checkTags(in.Tags))
}

var errArchiveFIFO = Errorf(InvalidArgument, "only FIFO topics keep an archive")

// check says TopicNotFound of a name that no topic can have.
func (n TopicName) check() error {
	if n.Name == "" || len(n.Name) > MaxNameLength || strings.ContainsFunc(n.Name, foreignRune) {
		return Errorf(TopicNotFound, "topic %q does not exist", n.Name)
	}
	return nil
}

func (s TopicSettings) check() error {
	switch {
	case s.MaxMessageSize < 1 || s.MaxMessageSize > MaxMessageBytes:
		return Errorf(InvalidArgument, "the maximum message size must be 1 to %d bytes, was %d", MaxMessageBytes, s.MaxMessageSize)
	case s.Retention != 0 && (s.Retention < MinRetention || s.Retention > MaxTopicRetention):
		return Errorf(InvalidArgument, "the retention must be %v to %v, was %v", MinRetention, MaxTopicRetention, s.Retention)
	case s.Archive < 0 || s.Archive > MaxArchive:
		return Errorf(InvalidArgument, "an archive goes back at most %v, asked for %v", MaxArchive, s.Archive)
	case s.DeduplicationScope != DeduplicateInQueue && s.DeduplicationScope != DeduplicateInGroup:
		return Errorf(InvalidArgument, "the scope of deduplication must be empty or group, was %q", s.DeduplicationScope)
	}
	return nil
}
