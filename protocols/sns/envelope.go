package sns

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

// kind is the Type of an envelope.
func (r *rendering) kind() string {
	switch r.message.Kind {
	case core.Confirmation:
		return "SubscriptionConfirmation"
	case core.UnsubscribeConfirmation:
		return "UnsubscribeConfirmation"
	}
	return "Notification"
}

// timestamp is a time as SNS writes it.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// base gives the address under which a subscriber reaches the server.
func (r *rendering) base(sub *core.Subscription) string {
	if r.server.callers.PublicURL != "" {
		return strings.TrimRight(r.server.callers.PublicURL, "/")
	}
	return sub.Attributes[baseKey]
}

func (r *rendering) subscribeURL(sub *core.Subscription) string {
	return r.base(sub) + "/?Action=ConfirmSubscription&TopicArn=" + topicARN(r.topic.Name) + "&Token=" + sub.Token
}

func (r *rendering) unsubscribeURL(sub *core.Subscription) string {
	return r.base(sub) + "/?Action=Unsubscribe&SubscriptionArn=" + subscriptionARN(sub.Name)
}

// text gives what an envelope says.
func (r *rendering) text(sub *core.Subscription) string {
	switch r.message.Kind {
	case core.Confirmation:
		return "You have chosen to subscribe to the topic " + topicARN(r.topic.Name) +
			".\nTo confirm the subscription, visit the SubscribeURL included in this message."
	case core.UnsubscribeConfirmation:
		return "You have chosen to deactivate subscription " + subscriptionARN(sub.Name) +
			".\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
	}
	return string(textFor(r.message, sub.Protocol))
}

// envelopeWriter writes an object of JSON in the form of the real service: a line for each member,
// with blanks around the colons.
type envelopeWriter []byte

func (w *envelopeWriter) add(name, value string) {
	w.begin(name)
	*w = aws.AppendJSONString(*w, value)
}

func (w *envelopeWriter) begin(name string) {
	separator := ",\n  \""
	if len(*w) == 0 {
		separator = "{\n  \""
	}
	*w = append(append(append(*w, separator...), name...), "\" : "...)
}

// envelope gives the message with all that SNS tells of it (specs/sns.md 7.1).
func (r *rendering) envelope(sub *core.Subscription) ([]byte, error) {
	if r.message.Kind != core.Notification {
		return r.confirmation(sub)
	}
	common, err := r.notification(sub)
	if err != nil {
		return nil, err
	}
	w := make([]byte, 0, len(common.head)+len(sub.Name.Name)+len(common.tail))
	return append(append(append(w, common.head...), sub.Name.Name...), common.tail...), nil
}

// notification is an envelope around the subscription's name, which is all that differs between subscribers of one address and body.
type notification struct{ head, tail []byte }

// notificationKey says which subscribers have an envelope in common.
type notificationKey struct {
	protocol string // "" for those without a body of their own
	base     string
}

// notification gives what a subscriber's envelope has in common with others, made once.
func (r *rendering) notification(sub *core.Subscription) (n notification, err error) {
	key := notificationKey{base: r.base(sub)}
	if _, own := r.message.Bodies[sub.Protocol]; own {
		key.protocol = sub.Protocol
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n, ok := r.notifications[key]
	if ok {
		return n, nil
	}
	if n, err = r.makeNotification(sub); err != nil {
		return n, err
	}
	if r.notifications == nil {
		r.notifications = map[notificationKey]notification{}
	}
	r.notifications[key] = n
	return n, nil
}

func (r *rendering) makeNotification(sub *core.Subscription) (notification, error) {
	m, text := r.message, r.text(sub)
	w := make(envelopeWriter, 0, len(text)+len(text)/8+2048)
	w.add("Type", r.kind())
	w.add("MessageId", m.ID.UUID())
	if m.Sequence != "" {
		w.add("SequenceNumber", m.Sequence)
	}
	w.add("TopicArn", topicARN(r.topic.Name))
	if m.Subject != "" {
		w.add("Subject", m.Subject)
	}
	w.add("Message", text)
	w.add("Timestamp", timestamp(m.PublishedAt))
	if !r.topic.FIFO {
		if err := r.addSignature(&w, sub, text); err != nil {
			return notification{}, err
		}
	}
	w.add("UnsubscribeURL", r.unsubscribeURL(&core.Subscription{Name: core.SubscriptionName{Topic: sub.Name.Topic}, Attributes: sub.Attributes}))
	end := len(w) - 1 // before the quote, where the subscription's name belongs
	w.addAttributes(m.Attributes)
	if m.Replayed {
		w.begin("Replayed")
		w = append(w, "true"...)
	}
	w = append(w, "\n}"...)
	return notification{head: w[:end:end], tail: w[end:]}, nil
}

// confirmation gives a message about the subscription itself.
func (r *rendering) confirmation(sub *core.Subscription) ([]byte, error) {
	text := r.text(sub)
	w := make(envelopeWriter, 0, len(text)+2048)
	w.add("Type", r.kind())
	w.add("MessageId", r.message.ID.UUID())
	w.add("Token", sub.Token)
	w.add("TopicArn", topicARN(r.topic.Name))
	w.add("Message", text)
	w.add("SubscribeURL", r.subscribeURL(sub))
	w.add("Timestamp", timestamp(r.message.PublishedAt))
	if !r.topic.FIFO {
		if err := r.addSignature(&w, sub, text); err != nil {
			return nil, err
		}
	}
	return append(w, "\n}"...), nil
}

func (r *rendering) addSignature(w *envelopeWriter, sub *core.Subscription, text string) error {
	version := signatureVersion(r.topic)
	signed, err := r.sign(sub, version, text)
	if err != nil {
		return err
	}
	w.add("SignatureVersion", version)
	w.add("Signature", signed.signature)
	w.add("SigningCertURL", r.certificateURL(sub, signed.certificate))
	return nil
}

func (w *envelopeWriter) addAttributes(attributes []core.Attribute) {
	if len(attributes) == 0 {
		return
	}
	w.begin("MessageAttributes")
	for i, a := range attributes {
		separator := ",\n    "
		if i == 0 {
			separator = "{\n    "
		}
		*w = aws.AppendJSONString(append(*w, separator...), a.Name)
		*w = aws.AppendJSONString(append(*w, ` : {"Type":`...), a.Type)
		*w = append(aws.AppendJSONString(append(*w, `,"Value":`...), attributeText(a)), '}')
	}
	*w = append(*w, "\n  }"...)
}

// attributeText gives the value of an attribute as JSON carries it.
func attributeText(a core.Attribute) string {
	if aws.IsBinary(a.Type) {
		return base64.StdEncoding.EncodeToString(a.Value)
	}
	return string(a.Value)
}

// signatureVersion is which digest a topic's messages are signed with.
func signatureVersion(topic *core.Topic) string {
	if version := topic.Attributes[signatureVersionKey]; version != "" {
		return version
	}
	return "1"
}

// sign signs what an envelope says (specs/sns.md 7.2).
func (r *rendering) sign(sub *core.Subscription, version, text string) (signed, error) {
	m := r.message
	members := []string{"Message", text, "MessageId", m.ID.UUID()}
	if m.Kind == core.Notification {
		if m.Subject != "" {
			members = append(members, "Subject", m.Subject)
		}
		members = append(members, "Timestamp", timestamp(m.PublishedAt))
	} else {
		members = append(members, "SubscribeURL", r.subscribeURL(sub), "Timestamp", timestamp(m.PublishedAt), "Token", sub.Token)
	}
	members = append(members, "TopicArn", topicARN(r.topic.Name), "Type", r.kind())
	return r.server.signer.sign(version, strings.Join(members, "\n")+"\n")
}

// certificateURL is where a subscriber finds the certificate.
func (r *rendering) certificateURL(sub *core.Subscription, name string) string {
	if host := r.server.options.CertHost; host != "" {
		return "https://" + strings.ReplaceAll(host, "{region}", r.topic.Name.Region) + name
	}
	return r.base(sub) + name
}

// lambdaEvent gives the event that a function is invoked with. It says that its signature is of version 1 also where
// it is of version 2, as recorded.
func (r *rendering) lambdaEvent(sub *core.Subscription) ([]byte, error) {
	m, text := r.message, r.text(sub)
	signed, err := r.sign(sub, signatureVersion(r.topic), text)
	if err != nil {
		return nil, err
	}
	type attribute struct{ Type, Value string }
	type notification struct {
		Type, MessageId, TopicArn      string
		Subject                        *string
		Message, Timestamp             string
		SignatureVersion, Signature    string
		SigningCertUrl, UnsubscribeUrl string // the spelling of events
		MessageAttributes              map[string]attribute
	}
	type record struct {
		EventSource, EventVersion, EventSubscriptionArn string
		Sns                                             notification
	}
	event := notification{
		Type: r.kind(), MessageId: m.ID.UUID(), TopicArn: topicARN(r.topic.Name), Message: text, Timestamp: timestamp(m.PublishedAt),
		SignatureVersion: "1", Signature: signed.signature, SigningCertUrl: r.certificateURL(sub, signed.certificate),
		UnsubscribeUrl: r.unsubscribeURL(sub), MessageAttributes: map[string]attribute{},
	}
	if m.Subject != "" {
		event.Subject = &m.Subject
	}
	for _, a := range m.Attributes {
		event.MessageAttributes[a.Name] = attribute{a.Type, attributeText(a)}
	}
	return []byte(jsonText(struct{ Records []record }{[]record{{"aws:sns", "1.0", subscriptionARN(sub.Name), event}}})), nil
}
