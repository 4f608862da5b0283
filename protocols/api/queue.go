package api

import (
	"cmp"
	"context"
	"time"

	"github.com/polymq/polymq/core"
)

// Scope says whose queues are meant. Scope, OfQueue and Settings are exported for huma,
// which does not look into other embedded structs.
type Scope struct {
	Account string `query:"account" pattern:"^[0-9]{12}$" doc:"Account of the queue; else that of the credentials, else 000000000000"`
	Region  string `query:"region" maxLength:"64" pattern:"^[a-z0-9-]+$" doc:"Region of the queue; else that of the credentials, else the server's"`
}

// queue names a queue in the scope.
func (s Scope) queue(ctx context.Context, name string) core.QueueName {
	c := exchangeOf(ctx).caller
	return core.QueueName{Account: cmp.Or(s.Account, c.Account), Region: cmp.Or(s.Region, c.Region), Name: name}
}

// OfQueue is the request of every operation on one queue.
type OfQueue struct {
	Scope
	Name string `path:"name" doc:"Name of the queue"`
}

// Settings are those that a request may name.
type Settings struct {
	DelaySeconds             *int            `json:"delay_seconds,omitempty" minimum:"0" maximum:"604800" doc:"Until a message can first be received, where the message does not say"`
	VisibilityTimeoutSeconds *int            `json:"visibility_timeout_seconds,omitempty" minimum:"0" maximum:"43200" doc:"For which a receive hides a message, where the receive does not say"`
	RetentionSeconds         *int            `json:"retention_seconds,omitempty" minimum:"60" maximum:"1296000" doc:"After which a message is dropped, counted from its sending"`
	ReceiveWaitSeconds       *int            `json:"receive_wait_seconds,omitempty" minimum:"0" maximum:"30" doc:"How long a receive waits for a first message, where it does not say"`
	MaxMessageBytes          *int            `json:"max_message_bytes,omitempty" minimum:"1" maximum:"4194304" doc:"Of body and attributes together"`
	Logging                  *bool           `json:"logging,omitempty" doc:"Keep a log of what happens to each message"`
	BodyRule                 *string         `json:"body_rule,omitempty" enum:"auto,as-sent,text,base64" doc:"How bodies are handed out. auto: each reader gets what shows the sender's text; as-sent: the bytes as they came; text: what a sender's SDK encoded is decoded; base64: what it did not is encoded"`
	DeduplicationScope       *string         `json:"deduplication_scope,omitempty" enum:"queue,group" doc:"Of a FIFO queue: whether a deduplication id must be new in the queue or in the message's group. A change forgets what was sent before"`
	DeadLetter               *deadLetterBody `json:"dead_letter,omitempty" doc:"Where messages go that are received again and again"`
	DeadLetterSources        *sourcesBody    `json:"dead_letter_sources,omitempty" doc:"Whose dead letters this queue takes; any, where nothing was said"`
}

// change gives the settings as a change of a queue.
func (s Settings) change() core.QueueChange {
	c := core.QueueChange{
		Delay:             seconds(s.DelaySeconds),
		VisibilityTimeout: seconds(s.VisibilityTimeoutSeconds),
		Retention:         seconds(s.RetentionSeconds),
		ReceiveWait:       seconds(s.ReceiveWaitSeconds),
		MaxMessageSize:    s.MaxMessageBytes,
		Logging:           s.Logging,
		DeadLetter:        s.DeadLetter.policy(),
		DeadLetterSources: s.DeadLetterSources.rule(),
	}
	if s.DeduplicationScope != nil {
		scope := core.DeduplicationScope(*s.DeduplicationScope)
		if scope == inQueue {
			scope = core.DeduplicateInQueue
		}
		c.DeduplicationScope = &scope
	}
	if s.BodyRule != nil {
		rule := core.BodyRule(*s.BodyRule)
		if rule == bodyAuto {
			rule = core.BodyAuto
		}
		c.Bodies = &rule
	}
	return c
}

// bodyAuto is how core.BodyAuto is written.
const bodyAuto = "auto"

// inQueue is how core.DeduplicateInQueue is written.
const inQueue = "queue"

// seconds gives a number of seconds that the request's schema has bounded.
func seconds(n *int) *time.Duration {
	if n == nil {
		return nil
	}
	d := time.Duration(*n) * time.Second
	return &d
}

// queueBody is a queue on the wire.
type queueBody struct {
	Name                     string            `json:"name" example:"orders"`
	Account                  string            `json:"account" example:"000000000000"`
	Region                   string            `json:"region" example:"us-east-1"`
	FIFO                     bool              `json:"fifo"`
	DelaySeconds             int               `json:"delay_seconds"`
	VisibilityTimeoutSeconds int               `json:"visibility_timeout_seconds"`
	RetentionSeconds         int               `json:"retention_seconds"`
	ReceiveWaitSeconds       int               `json:"receive_wait_seconds"`
	MaxMessageBytes          int               `json:"max_message_bytes"`
	Logging                  bool              `json:"logging"`
	BodyRule                 core.BodyRule     `json:"body_rule" enum:"auto,as-sent,text,base64"`
	DeduplicationScope       string            `json:"deduplication_scope,omitempty" enum:"queue,group" doc:"Of a FIFO queue"`
	DeadLetter               *deadLetterBody   `json:"dead_letter,omitempty"`
	DeadLetterSources        *sourcesBody      `json:"dead_letter_sources,omitempty"`
	Tags                     map[string]string `json:"tags,omitempty"`
	ProtocolAttributes       map[string]string `json:"protocol_attributes,omitempty" doc:"What protocols keep, by their names"`
	CreatedAt                time.Time         `json:"created_at"`
	ModifiedAt               time.Time         `json:"modified_at" doc:"Of the settings"`
	Counts                   *counts           `json:"counts,omitempty"`
}

// counts are exact as of the moment they were read.
type counts struct {
	Visible  int64 `json:"visible" doc:"Messages that can be received now"`
	InFlight int64 `json:"in_flight" doc:"Messages that were received and are hidden"`
	Delayed  int64 `json:"delayed" doc:"Messages that cannot be received for the first time yet"`
	Bytes    int64 `json:"bytes" doc:"Of bodies and attributes of all messages"`
}

func encodeQueue(q core.Queue, withCounts bool) queueBody {
	body := queueBody{
		Name:                     q.Name.Name,
		Account:                  q.Name.Account,
		Region:                   q.Name.Region,
		FIFO:                     q.FIFO,
		DelaySeconds:             int(q.Delay / time.Second),
		VisibilityTimeoutSeconds: int(q.VisibilityTimeout / time.Second),
		RetentionSeconds:         int(q.Retention / time.Second),
		ReceiveWaitSeconds:       int(q.ReceiveWait / time.Second),
		MaxMessageBytes:          q.MaxMessageSize,
		Logging:                  q.Logging,
		BodyRule:                 cmp.Or(q.Bodies, bodyAuto),
		DeadLetter:               encodeDeadLetter(q.DeadLetter),
		DeadLetterSources:        encodeSources(q.DeadLetterSources),
		Tags:                     q.Tags,
		ProtocolAttributes:       q.Attributes,
		CreatedAt:                q.CreatedAt.UTC(),
		ModifiedAt:               q.ModifiedAt.UTC(),
	}
	if q.FIFO {
		body.DeduplicationScope = string(cmp.Or(q.DeduplicationScope, inQueue))
	}
	if withCounts {
		body.Counts = &counts{Visible: q.Counts.Visible, InFlight: q.Counts.InFlight, Delayed: q.Counts.Delayed, Bytes: q.Counts.Bytes}
	}
	return body
}

// ofOneQueue is the response that shows a queue.
type ofOneQueue struct{ Body queueBody }
