package api

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/polymq/polymq/core"
)

// inBase64 marks a body that is not text.
const inBase64 = "base64"

// messageBody is a message on the wire.
type messageBody struct {
	ID              string                   `json:"id"`
	ReceiptHandle   string                   `json:"receipt_handle,omitempty" doc:"Of this receive; absent when peeked at"`
	Body            string                   `json:"body"`
	BodyEncoding    string                   `json:"body_encoding,omitempty" enum:"base64" doc:"base64 where the body is no text"`
	Hidden          bool                     `json:"hidden,omitempty" doc:"The caller may not see the body and the attributes"`
	Attributes      map[string]attributeBody `json:"attributes,omitempty"`
	System          map[string]string        `json:"system,omitempty" doc:"Set by SDKs and services rather than the application, such as AWSTraceHeader and traceparent"`
	GroupID         string                   `json:"group_id,omitempty"`
	DeduplicationID string                   `json:"deduplication_id,omitempty"`
	Sequence        string                   `json:"sequence,omitempty"`
	Priority        int                      `json:"priority" doc:"1 is the most urgent, 16 the least"`
	Sender          string                   `json:"sender"`
	Source          string                   `json:"source,omitempty" doc:"The queue from which it was moved as a dead letter"`
	ReceiveCount    int                      `json:"receive_count" doc:"This receive included"`
	SentAt          time.Time                `json:"sent_at"`
	FirstReceivedAt *time.Time               `json:"first_received_at,omitempty"`
	VisibleAt       time.Time                `json:"visible_at" doc:"When it can be received, or can be again"`
	Bytes           int                      `json:"bytes" doc:"Of body and attributes"`
}

// attributeBody is a message attribute on the wire.
type attributeBody struct {
	Type  string `json:"type" pattern:"^(String|Number|Binary)([.].{1,249})?$" patternDescription:"String, Number or Binary, with an optional .label" example:"String"`
	Value string `json:"value" minLength:"1" doc:"In base64 where the type is Binary" example:"eu"`
}

// encodeMessages gives messages as the wire has them, their bodies by the queue's rule, and hidden from who may
// not see them.
func encodeMessages(ctx context.Context, messages []core.Message, rule core.BodyRule) []messageBody {
	bodies := make([]messageBody, len(messages))
	for i := range messages {
		bodies[i] = encodeMessage(&messages[i], rule)
		if !exchangeOf(ctx).grants.Bodies {
			bodies[i].hide()
		}
	}
	return bodies
}

// hide takes away what the sender wrote, and what may be a hash of it.
func (m *messageBody) hide() {
	m.Body, m.BodyEncoding, m.Attributes, m.System, m.DeduplicationID, m.Hidden = "", "", nil, nil, "", true
}

func encodeMessage(m *core.Message, rule core.BodyRule) messageBody {
	body := messageBody{
		ID:              m.ID.UUID(),
		ReceiptHandle:   m.Handle,
		System:          m.System,
		GroupID:         m.GroupID,
		DeduplicationID: m.DeduplicationID,
		Sequence:        m.Sequence,
		Priority:        m.Priority,
		Sender:          m.Sender,
		Source:          m.Source,
		ReceiveCount:    m.ReceiveCount,
		SentAt:          m.SentAt.UTC(),
		VisibleAt:       m.VisibleAt.UTC(),
		Bytes:           m.Size,
	}
	body.Body, body.BodyEncoding = encodeText(core.EncodeBody(m.Body, m.Form, rule, core.ReadsText))
	if !m.FirstReceivedAt.IsZero() {
		at := m.FirstReceivedAt.UTC()
		body.FirstReceivedAt = &at
	}
	if len(m.Attributes) > 0 {
		body.Attributes = make(map[string]attributeBody, len(m.Attributes))
	}
	for _, a := range m.Attributes {
		value := string(a.Value)
		if isBinary(a.Type) {
			value = base64.StdEncoding.EncodeToString(a.Value)
		}
		body.Attributes[a.Name] = attributeBody{Type: a.Type, Value: value}
	}
	return body
}

// encodeText gives a body and its encoding.
func encodeText(body []byte) (text, encoding string) {
	if core.ValidText(body) {
		return string(body), ""
	}
	return base64.StdEncoding.EncodeToString(body), inBase64
}
