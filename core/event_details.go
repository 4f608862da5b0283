package core

import "fmt"

// What an event's Detail says, with names and numbers for the verbs. Whoever shows events in another language than
// English finds them by these forms (EventDetails); two of them may be joined by DetailSeparator.
const (
	detailQueueDeleted   = "the queue was deleted"
	detailQueuePurged    = "all messages of the queue were removed"
	detailMatched        = "to %v of %v subscriptions"
	detailByTopic        = "by topic %v"
	detailReplayed       = "by topic %v, replayed"
	detailDeadLetterOf   = "as a dead letter of subscription %v"
	detailKept           = "kept in the outbox"
	detailRetried        = "tried again"
	detailGivenUp        = "given up"
	detailGivenUpTo      = "given up, to dead-letter queue %v"
	detailToDeadLetters  = "to dead-letter queue %v"
	detailFromDeadLetter = "as a dead letter of queue %v"
	detailMovedTo        = "to queue %v as %v, by move task %v"
	detailMovedFrom      = "moved from queue %v, by move task %v"
)

// DetailSeparator stands between why an attempt to deliver failed and what comes next.
const DetailSeparator = "; "

// Why there was no answer to a push (PushAnswer.Reason).
const (
	ReasonGone            = "the subscription is gone"
	ReasonRequested       = "given up by request"
	ReasonExpired         = "the topic keeps messages no longer"
	ReasonOutOfReach      = "the endpoint was out of reach for another message"
	ReasonOptedOut        = "Phone number is opted out" // as SNS says it
	ReasonNoURL           = "the endpoint is no URL: %v"
	ReasonNoRequest       = "the request cannot be made"
	ReasonFunctionUnnamed = "the function cannot be named in a URL"
	ReasonUnsigned        = "the request could not be signed"
	ReasonNoRecipient     = "the recipient is no address"
	ReasonForbidden       = "the address must not be pushed to (private ones may, where --push-allow names them)"
	ReasonFailed          = "the connection failed"
	ReasonUnresolved      = "the name of the host cannot be resolved"
	ReasonTimeout         = "no answer in time"
	ReasonUntrusted       = "the certificate is not trusted"
	ReasonRefused         = "the connection was refused"
	ReasonClosed          = "the connection was closed before the answer was complete"
	ReasonNoMailServer    = "there is no mail server to send with, see --smtp-url"
	ReasonNoFunctions     = "there is nowhere to invoke functions, see --lambda-endpoint"
)

// EventDetails lists the forms of details.
var EventDetails = []string{
	detailQueueDeleted, detailQueuePurged, detailMatched, detailByTopic, detailReplayed, detailDeadLetterOf, detailKept, detailRetried, detailGivenUp,
	detailGivenUpTo, detailToDeadLetters, detailFromDeadLetter, detailMovedTo, detailMovedFrom,
	ReasonGone, ReasonRequested, ReasonExpired, ReasonOutOfReach, ReasonOptedOut, ReasonNoURL, ReasonNoRequest, ReasonFunctionUnnamed, ReasonUnsigned, ReasonNoRecipient, ReasonForbidden,
	ReasonFailed, ReasonUnresolved, ReasonTimeout, ReasonUntrusted, ReasonRefused, ReasonClosed, ReasonNoMailServer, ReasonNoFunctions,
}

// DeadLettered gives the events of a message that went to a dead-letter queue: of the queue that it left and of the one it came to.
func DeadLettered(id MessageID, from, to string) (left, came Event) {
	return Event{Kind: EventMoved, MessageID: id, Detail: fmt.Sprintf(detailToDeadLetters, to)},
		Event{Kind: EventMoved, MessageID: id, Detail: fmt.Sprintf(detailFromDeadLetter, from)}
}

// Redriven gives the events of a message that a move task made anew: of the queue that it left and of the one it came to.
func Redriven(was, is MessageID, from, to, task string) (left, came Event) {
	return Event{Kind: EventMoved, MessageID: was, Detail: fmt.Sprintf(detailMovedTo, to, is.UUID(), task)},
		Event{Kind: EventSent, MessageID: is, Origin: was, Detail: fmt.Sprintf(detailMovedFrom, from, task)}
}
