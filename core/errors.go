package core

import (
	"errors"
	"fmt"
)

// Code says what went wrong in the terms of queues. Each protocol has one table that
// turns codes into its own status and names.
type Code string

// The codes, each with what it means for the caller.
const (
	Internal                Code = "Internal"                // a fault of the server; its text never leaves it
	Unavailable             Code = "Unavailable"             // the database cannot be reached; try again
	Throttled               Code = "Throttled"               // a bound of the server is reached; try again later
	InvalidArgument         Code = "InvalidArgument"         // a value outside what all protocols allow
	MissingParameter        Code = "MissingParameter"        // something required is absent
	AccessDenied            Code = "AccessDenied"            // the caller may not do this
	QueueNotFound           Code = "QueueNotFound"           // no queue of that name in the account and region
	QueueExists             Code = "QueueExists"             // the name is taken by a queue that differs
	MessageTooLong          Code = "MessageTooLong"          // body and attributes exceed the limit
	MessageNotFound         Code = "MessageNotFound"         // the message of a valid handle is gone
	ReceiptHandleInvalid    Code = "ReceiptHandleInvalid"    // not a handle, or one of another queue
	ReceiptHandleExpired    Code = "ReceiptHandleExpired"    // its visibility timeout has passed
	ReceiptHandleSuperseded Code = "ReceiptHandleSuperseded" // a newer handle of the message exists
	VisibilityTooLong       Code = "VisibilityTooLong"       // hidden for longer than allowed since the receive
	TopicNotFound           Code = "TopicNotFound"           // no topic of that name in the account and region
	TopicExists             Code = "TopicExists"             // the name is taken by a topic that differs
	TopicArchives           Code = "TopicArchives"           // the topic keeps what it publishes, which a deletion would lose
	SubscriptionNotFound    Code = "SubscriptionNotFound"    // no subscription of that name, or none any more
	SubscriptionExists      Code = "SubscriptionExists"      // the name or the endpoint has a subscription that differs
	SubscriptionLimit       Code = "SubscriptionLimit"       // the topic has as many subscriptions as it may
	DeliveryNotFound        Code = "DeliveryNotFound"        // the message was delivered, given up, or never published
	KeyNotFound             Code = "KeyNotFound"             // no access key of that id
	KeyExists               Code = "KeyExists"               // the id is another access key's
	EntityNotFound          Code = "EntityNotFound"          // no account, user, group, role, policy or alert of that name
	EntityExists            Code = "EntityExists"            // the name is another account's, user's, group's, role's, policy's or alert's
	EntityInUse             Code = "EntityInUse"             // something depends on what is to be deleted
	EntityProtected         Code = "EntityProtected"         // it is built in and cannot be changed
	EntityLimit             Code = "EntityLimit"             // the account has as many users, roles, queues, topics … as it may
	PolicyMalformed         Code = "PolicyMalformed"         // the text is not a policy of its cloud's language
	InFlightLimit           Code = "InFlightLimit"           // too many messages of the queue are received and not deleted
	DeadLetterQueueNotFound Code = "DeadLetterQueueNotFound" // the target of a dead-letter policy does not exist
	DeadLetterDenied        Code = "DeadLetterDenied"        // the target does not take this queue's dead letters
	QueueTypeMismatch       Code = "QueueTypeMismatch"       // one queue is FIFO, the other is not
	NotDeadLetterQueue      Code = "NotDeadLetterQueue"      // no queue's policy names the source of a move
	MoveDestinationNotFound Code = "MoveDestinationNotFound" // the queue to move to does not exist
	MoveActive              Code = "MoveActive"              // another task moves the source's messages
	TooManyMoves            Code = "TooManyMoves"            // the account's active move tasks
	MoveNotFound            Code = "MoveNotFound"            // the source has no move task of that id
	FaultNotFound           Code = "FaultNotFound"           // the account has no fault rule of that name
	MoveEnded               Code = "MoveEnded"               // the move task is not running any more
)

// Codes lists every code that a protocol must be able to say.
var Codes = []Code{
	Internal, Unavailable, Throttled, InvalidArgument, MissingParameter, AccessDenied, QueueNotFound, QueueExists,
	MessageTooLong, MessageNotFound, ReceiptHandleInvalid, ReceiptHandleExpired, ReceiptHandleSuperseded,
	TopicNotFound, TopicExists, TopicArchives, SubscriptionNotFound, SubscriptionExists, SubscriptionLimit, DeliveryNotFound,
	VisibilityTooLong, KeyNotFound, KeyExists, EntityNotFound, EntityExists, EntityInUse, EntityProtected, EntityLimit, PolicyMalformed,
	InFlightLimit, DeadLetterQueueNotFound, DeadLetterDenied, QueueTypeMismatch, NotDeadLetterQueue, MoveDestinationNotFound,
	MoveActive, TooManyMoves, MoveNotFound, MoveEnded, FaultNotFound,
}

// Error is an error that a client may read. Make one with Errorf.
type Error struct {
	Code    Code
	Message string // the client may read it
	Err     error  // the cause, for the log only
}

// Error gives the message and the cause, for logs; protocols show Message alone.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error whose message is formatted as by fmt.Sprintf.
func Errorf(code Code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an Error that keeps its cause for the log.
func Wrap(code Code, cause error, message string) error {
	return &Error{Code: code, Message: message, Err: cause}
}

// CodeOf gives the code of the first Error in err's chain, Internal where there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// MessageOf gives what a client may read of err: nothing of an internal fault but that it is one.
func MessageOf(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Code != Internal {
		return e.Message
	}
	return "internal error"
}

// ErrQueueChanged is what a Store answers when the Queue it was handed is no longer current:
// altered, purged or deleted since it was read. The Broker reads it again and repeats the call;
// it never reaches a protocol.
var ErrQueueChanged = errors.New("queue has changed since it was read")
