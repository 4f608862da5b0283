package core

import (
	"context"
	"time"
)

// Store keeps queues and messages. Each method is atomic: it happens whole or not at all, and
// when it returns without an error it outlives the server and the database process. Errors that
// are no Error are faults of the store; Unavailable means that the database cannot be reached,
// and that whether the operation happened may be unknown.
//
// Methods that take a *Queue answer ErrQueueChanged when the queue has changed since.
type Store interface {
	KeyStore
	IdentityStore
	RecordStore
	FaultStore
	LimitStore
	UnusedStore
	AlertStore

	CreateQueue(ctx context.Context, in NewQueue) (queue Queue, created bool, err error)
	Queue(ctx context.Context, name QueueName) (*Queue, error)
	KnownQueue(name QueueName) *Queue                              // as it was last read; nil: it is not remembered
	ReadQueue(ctx context.Context, name QueueName) (*Queue, error) // by one statement, whether it is there or not
	DescribeQueue(ctx context.Context, name QueueName) (Queue, error)
	AlterQueue(ctx context.Context, name QueueName, change QueueChange) (Queue, error) // ErrQueueChanged when change.From no longer fits
	DeleteQueue(ctx context.Context, name QueueName) (Queue, error)                    // gives what it was
	PurgeQueue(ctx context.Context, name QueueName) (Queue, error)
	ListQueues(ctx context.Context, in ListQueuesInput) (QueuePage, error)

	// DeadLetterSources gives the queues whose dead-letter policy names the queue, by name.
	DeadLetterSources(ctx context.Context, name QueueName, after string, limit int) (QueuePage, error)

	// StartMove begins a task, MoveActive when the source has one, TooManyMoves. It goes on by itself, on
	// any server, until it has ended: each message is moved exactly once.
	StartMove(ctx context.Context, source *Queue, in StartMove) (MoveTask, error)
	ListMoves(ctx context.Context, source *Queue, limit int) ([]MoveTask, error) // the newest first
	CancelMove(ctx context.Context, source *Queue, id string) (MoveTask, error)  // MoveNotFound, MoveEnded

	AccountAttributes(ctx context.Context, account, region string) (map[string]string, error)
	SetAccountAttributes(ctx context.Context, account, region string, change map[string]*string) error
	// ReplaceAccountAttribute changes an attribute that has the value was, "" for none; ok is false for one that has not.
	ReplaceAccountAttribute(ctx context.Context, account, region, name, was, value string) (ok bool, err error)

	StartCooldown(ctx context.Context, name QueueName, what Cooldown, length time.Duration) (started bool, err error)
	CoolingDown(ctx context.Context, name QueueName, what Cooldown) (bool, error)

	// SendMessages stores all messages or none. Delays are set by the caller.
	SendMessages(ctx context.Context, queue *Queue, messages []NewMessage) ([]Sent, error)

	// ReceiveMessages hides up to the limit of visible messages for the timeout and returns them: of
	// standard queues the most urgent priority first, then by the time they became visible, those of the same
	// time in order of sending, except that messages of groups with few of them pass those of groups with many; of FIFO queues in order within
	// their groups, and of a group nothing behind a message that is hidden. No messages is no error. If ctx
	// ends before they could be returned, they are given back.
	ReceiveMessages(ctx context.Context, queue *Queue, in StoreReceive) ([]Message, error)

	// ReturnMessages undoes receives: the messages are visible at once and their receive count is
	// what it was. It gives an error per handle, as DeleteMessages with newest: those that are no longer the newest are passed over.
	ReturnMessages(ctx context.Context, queue *Queue, handles []string) ([]error, error)

	// DeleteMessages gives an error per handle: nil, ReceiptHandleInvalid, MessageNotFound; with
	// newest also ReceiptHandleSuperseded and ReceiptHandleExpired.
	DeleteMessages(ctx context.Context, queue *Queue, handles []string, newest bool) ([]error, error)

	// ChangeVisibility is as DeleteMessages; without newest, a message that is visible again stays
	// as it is, without an error. VisibilityTooLong where MaxTotal forbids the change.
	ChangeVisibility(ctx context.Context, queue *Queue, in ChangeVisibilityInput) ([]VisibilityResult, error)

	// MoveDeadLetters moves those messages to the queue's dead-letter queue that are visible again and were received as
	// often as it allows. Handles that are not their message's newest are passed over, and so is all of a FIFO queue,
	// whose dead letters only receives move.
	MoveDeadLetters(ctx context.Context, queue *Queue, handles []string) error

	PeekMessages(ctx context.Context, queue *Queue, in PeekInput) (PeekPage, error)

	// SearchMessages looks through a part of a queue, within the bounds of a page of a search. FindMessage
	// gives nil for an id that the queue has no message of.
	SearchMessages(ctx context.Context, queue *Queue, in SearchInput) (SearchPage, error)
	FindMessage(ctx context.Context, queue *Queue, id MessageID) (*Message, error)

	// Upcoming tells for each of the queues (by ID) what is visible and what becomes so within
	// the given time. Queues that are gone get an arrival with Messages 0.
	Upcoming(ctx context.Context, queues []int64, within time.Duration) ([]Arrival, error)

	// Notify sets the function that is told of every message that became visible, or will within
	// ArrivalHorizon, through this server or another. Called once, before any other method; the
	// function must not block.
	Notify(func(Arrival))

	// Observe sets the function that is told of what the store does to messages by itself: it moves a dead
	// letter, redrives, or removes a message past its retention. Of queues that are not logged it need not tell.
	// Called once, before any other method; the functions do not block.
	Observe(logged func(*Queue) bool, observe func(*Queue, Event))

	// MessageOf gives the id of the message that a receipt handle of the queue stands for, whether it exists or not.
	MessageOf(queue *Queue, handle string) (id MessageID, ok bool)

	// WriteEvents adds to the message log; ListEvents reads it. done of the events, the first ones, need not be
	// given again: they are written, but for those that were refused for what is in them, as the error then says.
	WriteEvents(ctx context.Context, events []Event) (done, refused int, err error)
	ListEvents(ctx context.Context, in ListEventsInput) (EventPage, error)

	// WriteAudit adds to the audit log as WriteEvents does, in order; ListAudit reads it.
	WriteAudit(ctx context.Context, events []AuditEvent) (done, refused int, err error)
	ListAudit(ctx context.Context, in ListAuditInput) (AuditPage, error)

	// AdvanceClock moves an account's time forward and gives the account's time.
	AdvanceClock(ctx context.Context, account string, by time.Duration) (time.Time, error)

	// ResetAccount removes all that an account has, in all regions, and sets its clock back; ListEvents
	// tells of nothing that was written before. Receives that wait on its queues return.
	ResetAccount(ctx context.Context, account string) error
	// AccountsToReset gives up to MaxScopes accounts that ResetAccount has something to take from, in order.
	AccountsToReset(ctx context.Context) ([]string, error)

	TopicStore

	// SharedSecret stores a value as the secret of that name unless there is one, and gives it. With
	// nil it stores nothing, and gives nil where there is none.
	SharedSecret(ctx context.Context, name string, value []byte) ([]byte, error)

	// Servers and Scopes are as the Broker's.
	Servers(ctx context.Context) ([]ServerInfo, error)
	Scopes(ctx context.Context) ([]Scope, error)

	// AddUsage adds to what accounts have used today; Usage gives what one has, by service.
	AddUsage(ctx context.Context, used []Usage) error
	Usage(ctx context.Context, account string, days int) ([]Usage, error)

	// Ready says whether the database answers.
	Ready(ctx context.Context) error
}

// StoreReceive is a ReceiveInput as a Store sees it.
type StoreReceive struct {
	Limit       int
	Timeout     time.Duration
	Exact       bool   // all that was there before the receive began is found, whichever server did it; else, who waits is told of it in a moment
	Unbounded   bool   // however many messages are in flight
	AttemptID   string // FIFO queues only
	OnePerGroup bool   // FIFO queues only
}

// ArrivalHorizon is how far ahead a Store announces what becomes visible later; what lies
// further away is found by LookAhead, which runs more often than that.
const ArrivalHorizon = 5 * time.Second

// Arrival says that messages of a queue became, or will become, visible.
type Arrival struct {
	Queue    int64         // Queue.ID; 0: any queue may be meant, everyone should look
	Messages int           // 0: the queue is gone or changed, its receivers should look
	In       time.Duration // from now; 0 or less: now
}
