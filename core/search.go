package core

import (
	"context"
	"time"
)

// SearchInput asks for the messages of a queue that contain a text.
type SearchInput struct {
	Queue QueueName
	Text  string // in the body, or in a name or value of an attribute; upper and lower case differ
	After string // the Next of the page before; "" starts
	Limit int    // messages in a page, 1 to MaxBatch
}

// SearchPage is what one look through a part of a queue found.
type SearchPage struct {
	Messages []Message // in the order of sending, hidden ones too
	Searched int       // messages looked at for this page
	Total    int64     // messages in the queue
	Next     string    // the After of the next page, "" when the whole queue was searched
}

// Bounds of one page of a search.
const (
	MaxSearched   = 50_000                 // messages looked at
	MaxSearchTime = 150 * time.Millisecond // after which no further part of the queue is begun
	MaxSearchText = 256                    // bytes
)

// SearchMessages looks through a part of a queue for messages that contain a text, and changes nothing. It
// looks at no more than MaxSearched messages: Next goes on. QueueNotFound, InvalidArgument.
func (b *Broker) SearchMessages(ctx context.Context, in SearchInput) (SearchPage, error) {
	switch {
	case in.Limit < 1 || in.Limit > MaxBatch:
		return SearchPage{}, Errorf(InvalidArgument, "a page of a search has 1 to %d messages, asked for %d", MaxBatch, in.Limit)
	case in.Text == "" || len(in.Text) > MaxSearchText || !ValidText([]byte(in.Text)):
		return SearchPage{}, Errorf(InvalidArgument, "a search is for a text of 1 to %d bytes", MaxSearchText)
	}
	var page SearchPage
	err := b.withQueue(ctx, in.Queue, func(queue *Queue) (err error) {
		page, err = b.store.SearchMessages(ctx, queue, in)
		return err
	})
	return page, err
}

// FindMessage gives a message of a queue by its id without receiving it, nil when the queue has none of that
// id. QueueNotFound.
func (b *Broker) FindMessage(ctx context.Context, queue QueueName, id MessageID) (*Message, error) {
	var message *Message
	err := b.withQueue(ctx, queue, func(queue *Queue) (err error) {
		message, err = b.store.FindMessage(ctx, queue, id)
		return err
	})
	return message, err
}
