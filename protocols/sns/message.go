package sns

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

// message is a message as Publish and the entries of its batch name it.
type message struct {
	Message                *string
	Subject                *string
	MessageStructure       string
	MessageAttributes      aws.Map[attributeValue] `query:"MessageAttributes.entry,Name,Value"`
	MessageDeduplicationId *string
	MessageGroupId         *string
}

// Bounds of messages.
const (
	maxSubject = 100
	maxID      = 128
)

// size is what a message counts against the topic's limit.
func (m *message) size() int {
	if m.Message == nil {
		return attributesSize(m.MessageAttributes)
	}
	return len(*m.Message) + attributesSize(m.MessageAttributes)
}

// Faults of which the real service tells entry by entry in a batch.
var (
	errSubject = invalid("Subject")
	errEmpty   = invalid("Empty message")
)

// prepare checks a message in the order of the real service (specs/sns.md 4.1) and gives it as the
// core takes it. The path leads to it in the request; the platform is that of the one device that it goes to, or "".
func (c *call) prepare(m *message, path string, most int, platform string) (core.NewPublication, error) {
	var p core.NewPublication
	switch {
	case m.Subject != nil && !isSubject(*m.Subject):
		return p, errSubject
	case m.Message == nil:
		return p, required(path + "message")
	case *m.Message == "":
		return p, errEmpty
	case m.size() > most:
		return p, invalid("Message too long")
	case !utf8.ValidString(*m.Message):
		return p, invalid("Message Reason: it is not valid UTF-8")
	}
	p.Body = []byte(*m.Message)
	if m.Subject != nil {
		p.Subject = *m.Subject
	}
	if m.MessageStructure == "json" { // any other is plain text
		if err := structure(&p, *m.Message, platform); err != nil {
			return p, err
		}
	}
	var err error
	if p.Attributes, err = messageAttributes(path, m.MessageAttributes); err != nil {
		return p, err
	}
	p.Sender, p.System = c.Account, c.system()
	return p, nil
}

// isSubject says that a text can be a subject: 1 to 100 characters on one line.
func isSubject(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= maxSubject && core.ValidText([]byte(s)) && !strings.ContainsAny(s, "\r\n\t")
}

// structure takes a message apart that has a body for each protocol. Of equal keys the last counts. A device whose
// platform has its own needs no other.
func structure(p *core.NewPublication, text, platform string) error {
	var bodies map[string]any
	if err := json.Unmarshal([]byte(text), &bodies); err != nil {
		return invalid("Message Structure - JSON message body failed to parse")
	}
	body, ok := bodies["default"].(string)
	_, own := bodies[platform].(string)
	switch {
	case !ok && platform == "":
		return invalid("Message Structure - No default entry in JSON message body")
	case !ok && !own:
		return invalid("JSON must contain an entry for 'default' or '%s'.", platform)
	}
	p.Body = []byte(body)
	p.Bodies = map[string]string{}
	for protocol, body := range bodies {
		if body, ok := body.(string); ok && protocol != "default" {
			p.Bodies[protocol] = body
		}
	}
	return nil
}

// maxTraceHeader bounds what is taken from a header.
const maxTraceHeader = 1024

// system gives the attributes that services set, which go on to queues.
func (c *call) system() map[string]string {
	if c.traceID == "" || len(c.traceID) > maxTraceHeader || !core.ValidText([]byte(c.traceID)) {
		return nil
	}
	return map[string]string{"AWSTraceHeader": c.traceID}
}

// group checks the ids of groups and of deduplication, and sets what the topic makes of them.
func (m *message) group(p *core.NewPublication, topic *core.Topic) error {
	if id := m.MessageGroupId; id != nil {
		if !isID(*id) {
			return invalid("MessageGroupId Reason: The MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length")
		}
		p.GroupID = *id
	}
	if id := m.MessageDeduplicationId; id != nil {
		if !topic.FIFO {
			return invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
		}
		if !isID(*id) {
			return invalid("MessageDeduplicationId Reason: The MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length")
		}
		p.DeduplicationID = *id
	}
	switch {
	case !topic.FIFO:
	case m.MessageGroupId == nil:
		return invalid("The MessageGroupId parameter is required for FIFO topics")
	case m.MessageDeduplicationId == nil && showContentBased(topic) == "true":
		sum := sha256.Sum256([]byte(*m.Message))
		p.DeduplicationID = hex.EncodeToString(sum[:])
	case m.MessageDeduplicationId == nil:
		return invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	return nil
}

// isID says that an id has 1 to 128 printable characters of ASCII, and no blank.
func isID(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= maxID
}
