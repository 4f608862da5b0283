package mns

import (
	"crypto/md5"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
)

// Bounds of messages (specs/mns.md 7).
const (
	maxBatch       = 16
	maxBatchBytes  = 64 << 10 // all bodies of a batch; more in a queue whose messages may be larger
	maxGroupLength = 128      // of a group's name; as in SQS, for MNS's manual states none
)

// encodingAgents begin the User-Agent of SDKs that encode bodies to base64, and decode them, by
// themselves (specs/mns.md 8.1); ali-mns for Node gives just Node's own.
var encodingAgents = []string{"aliyun-sdk-java/", "aliyun-sdk-python/", "aliyun-sdk-php/", "aliyun-sdk-dotnet/", "Node/"}

// topicEncodingAgents are those of them that do so with what they publish too, or have a class for it.
var topicEncodingAgents = []string{"aliyun-sdk-java/", "aliyun-sdk-php/", "Node/"}

func encodesBodies(agent string) bool { return isOneOf(agent, encodingAgents) }

func encodesTopics(agent string) bool { return isOneOf(agent, topicEncodingAgents) }

func isOneOf(agent string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(agent, prefix) {
			return true
		}
	}
	return false
}

// form gives the form of a body that the client sent.
func (c *call) form(body []byte) core.BodyForm {
	if c.encodes {
		return core.FormOf(body)
	}
	return core.FormRaw
}

// body gives a message's body for the client. One that XML cannot carry, as other protocols may
// have sent it, goes out as base64 whoever reads it.
func (c *call) body(m *core.Message, rule core.BodyRule) []byte {
	reader := core.ReadsRaw
	if c.encodes {
		reader = core.ReadsBase64
	}
	body := core.EncodeBody(m.Body, m.Form, rule, reader)
	if c.json && utf8.Valid(body) {
		return body // with whatever characters
	}
	if !core.ValidText(body) {
		return base64.StdEncoding.AppendEncode(nil, body)
	}
	return body
}

// messageElement is a message to send.
type messageElement struct {
	MessageBody      text             `xml:"MessageBody"`
	DelaySeconds     *int             `xml:"DelaySeconds"`
	Priority         *int             `xml:"Priority"`
	MessageGroupId   string           `xml:"MessageGroupId"`
	UserProperties   userProperties   `xml:"UserProperties"`
	SystemProperties systemProperties `xml:"SystemProperties"`
}

// checkGroup bounds the name of a message's group, which must be there in a FIFO queue or topic.
func checkGroup(group string, fifo bool) error {
	if fifo && group == "" {
		return wireError{http.StatusBadRequest, "FifoMissingMessageGroupId", "a message of a FIFO queue or topic needs a MessageGroupId"}
	}
	length := len(group)
	return checkRange("MessageGroupId", &length, 0, maxGroupLength, "bytes")
}

// message checks the values and says them in core's terms.
func (m *messageElement) message(c *call, queue *core.Queue) (core.NewMessage, error) {
	length := len(m.MessageBody)
	err := firstError(
		checkRange("MessageBody", &length, 1, queue.MaxMessageSize, "bytes"),
		checkRange("DelaySeconds", m.DelaySeconds, 0, maxDelay, "seconds"),
		checkRange("Priority", m.Priority, 0, core.MaxPriority, "(0: the default)"),
		checkGroup(m.MessageGroupId, queue.FIFO),
	)
	if err != nil {
		return core.NewMessage{}, err
	}
	message := core.NewMessage{
		Body: m.MessageBody, Form: c.form(m.MessageBody), GroupID: m.MessageGroupId, Delay: seconds(m.DelaySeconds),
	}
	if m.Priority != nil {
		message.Priority = *m.Priority
	}
	if message.Attributes, err = m.UserProperties.attributes(); err != nil {
		return core.NewMessage{}, err
	}
	message.System, err = m.SystemProperties.attributes()
	return message, err
}

// writeMessage writes a received message inside the current element, or one that was peeked at,
// which has no handle and shows no time.
func (a *answer) writeMessage(c *call, m *core.Message, rule core.BodyRule) {
	body := c.body(m, rule)
	first := m.FirstReceivedAt
	if first.IsZero() {
		first = m.SentAt
	}
	a.digits("MessageId", m.ID)
	if m.Handle != "" {
		a.text("ReceiptHandle", m.Handle)
	}
	a.digest(body)
	a.body("MessageBody", body)
	a.time("EnqueueTime", m.SentAt)
	if m.Handle != "" {
		a.time("NextVisibleTime", m.VisibleAt)
	}
	a.time("FirstDequeueTime", first)
	a.number("DequeueCount", int64(m.ReceiveCount))
	a.number("Priority", int64(m.Priority))
	if m.GroupID != "" {
		a.text("MessageGroupId", readable(m.GroupID))
	}
	a.writeSystemProperties(m)
	a.writeUserProperties(m.Attributes)
}

// digest writes the MD5 of a body as this request, or this answer, carries it.
func (a *answer) digest(body []byte) {
	sum := md5.Sum(body)
	a.digits("MessageBodyMD5", sum)
}

// digits writes 32 upper-case hexadecimal digits.
func (a *answer) digits(name string, value [16]byte) {
	const digits = "0123456789ABCDEF"
	var text [32]byte
	for i, b := range value {
		text[2*i], text[2*i+1] = digits[b>>4], digits[b&0xF]
	}
	a.body(name, text[:])
}

// body writes a text that may be long.
func (a *answer) body(name string, text []byte) {
	if a.json {
		a.text(name, string(text))
		return
	}
	a.tag(name)
	a.doc = appendEscaped(a.doc, text)
	a.end(name)
}

func (a *answer) time(name string, t time.Time) { a.number(name, t.UnixMilli()) }
