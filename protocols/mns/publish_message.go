package mns

import (
	"context"
	"net/http"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
)

// maxTagLength bounds the tag of a message and of a subscription, in characters.
const maxTagLength = 16

// publication is a message to publish.
type publication struct {
	MessageBody       text              `xml:"MessageBody"`
	MessageTag        string            `xml:"MessageTag"`
	MessageGroupId    string            `xml:"MessageGroupId"`
	UserProperties    userProperties    `xml:"UserProperties"`
	SystemProperties  systemProperties  `xml:"SystemProperties"`
	MessageAttributes messageAttributes `xml:"MessageAttributes"`
}

// messageAttributes say how a message goes to people: each is a JSON document of its own, which is
// kept for those who deliver it (specs/mns.md 5.8).
type messageAttributes struct {
	DirectMail string `xml:"DirectMail"`
	DirectSMS  string `xml:"DirectSMS"`
	Dayu       string `xml:"Dayu"`
	Push       string `xml:"Push"`
	WebSocket  string `xml:"WebSocket"`
	DYSMS      string `xml:"DYSMS"`
	DM         string `xml:"DM"`
}

func (m *messageAttributes) extra() map[string]string {
	var extra map[string]string
	for name, value := range map[string]string{
		extraDirectMail: m.DirectMail, extraDirectSMS: m.DirectSMS, "mns.Dayu": m.Dayu, extraPush: m.Push,
		"mns.WebSocket": m.WebSocket, extraDYSMS: m.DYSMS, extraDM: m.DM,
	} {
		if value != "" {
			if extra == nil {
				extra = map[string]string{}
			}
			extra[name] = value
		}
	}
	return extra
}

type publishMessageResponse struct {
	published core.Published
	body      []byte
}

func (r *publishMessageResponse) write(a *answer) {
	a.status = http.StatusCreated
	a.root("Message")
	a.digits("MessageId", r.published.ID)
	a.digest(r.body)
	a.end("Message")
}

func (s *Server) publishMessage(ctx context.Context, c *call, req *publication) (*publishMessageResponse, error) {
	topic, err := s.broker.Topic(ctx, c.topic)
	if err != nil {
		return nil, err
	}
	message, err := req.publication(c, topic)
	if err != nil {
		return nil, err
	}
	published, err := s.broker.Publish(ctx, core.PublishInput{Topic: c.topic, Messages: []core.NewPublication{message}})
	if err != nil {
		return nil, err
	}
	return &publishMessageResponse{published[0], message.Body}, nil
}

// publication checks the values and says them in core's terms.
func (m *publication) publication(c *call, topic *core.Topic) (core.NewPublication, error) {
	length, tag := len(m.MessageBody), utf8.RuneCountInString(m.MessageTag)
	err := firstError(
		checkRange("MessageBody", &length, 1, topic.MaxMessageSize, "bytes"),
		checkRange("MessageTag", &tag, 0, maxTagLength, "characters"),
		checkGroup(m.MessageGroupId, topic.FIFO),
	)
	if err != nil {
		return core.NewPublication{}, err
	}
	message := core.NewPublication{
		Body: m.MessageBody, Form: core.FormRaw, Tag: m.MessageTag, GroupID: m.MessageGroupId, Extra: m.MessageAttributes.extra(),
	}
	if c.encodesTopics {
		message.Form = core.FormOf(message.Body)
	}
	if message.Attributes, err = m.UserProperties.attributes(); err != nil {
		return core.NewPublication{}, err
	}
	message.System, err = m.SystemProperties.attributes()
	return message, err
}
