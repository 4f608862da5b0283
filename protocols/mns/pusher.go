package mns

import (
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/signing"
)

// pushTimeout is how long an endpoint has for its answer.
const pushTimeout = 5 * time.Second

// Pusher speaks to MNS's subscribers (specs/mns.md 5).
type Pusher struct {
	signer *signing.Signer
	url    string // of the server; "": the one by which the subscriber reached it

	options Options
}

// CertificatePath is where the certificate of pushes is served.
const CertificatePath = "/mns/x509_public_certificate.pem"

// CompileFilters is of core.Pusher. A filter is a tag, which a message has or not.
func (p *Pusher) CompileFilters(filters []core.Filter) (core.Matcher, error) {
	tags := tagMatcher{}
	for i, f := range filters {
		tags[f.Text] = append(tags[f.Text], i)
	}
	return tags, nil
}

// tagMatcher gives for each tag the filters that want it.
type tagMatcher map[string][]int

// Match is of core.Matcher.
func (t tagMatcher) Match(m *core.PublishedMessage) []int { return t[m.Tag] }

// Retries is of core.Pusher.
func (p *Pusher) Retries(*core.Topic, *core.Subscription) core.RetryPolicy {
	return strategies[strategyBackoff]
}

// Rate is of core.Pusher.
func (*Pusher) Rate(_ *core.Topic, sub *core.Subscription) int { return sub.Rate }

// Judge is of core.Pusher. What is not taken is tried again, whatever the endpoint says: redirects
// are not followed, and no answer of a client's fault ends the attempts.
func (p *Pusher) Judge(_ *core.Subscription, answer core.PushAnswer) core.Verdict {
	end := http.StatusMultipleChoices
	if p.options.Accept3xx {
		end = http.StatusBadRequest
	}
	if answer.Status >= http.StatusOK && answer.Status < end {
		return core.Delivered
	}
	return core.Retry
}

// Render is of core.Pusher.
func (p *Pusher) Render(topic *core.Topic, m *core.PublishedMessage) (core.Rendering, error) {
	return &rendering{pusher: p, topic: topic, message: m}, nil
}

// rendering is a message on its way to MNS's subscribers.
type rendering struct {
	pusher  *Pusher
	topic   *core.Topic
	message *core.PublishedMessage
}

// QueueMessage is of core.Rendering. Properties go with the message, whatever its body's form. What counts for the queue's
// size is what was published, not what stands around it.
func (r *rendering) QueueMessage(sub *core.Subscription) (core.NewMessage, error) {
	published := r.message.BodyFor(sub.Protocol)
	message := core.NewMessage{
		Body: r.body(sub), Form: core.FormRaw, Attributes: r.message.Attributes, System: r.message.System, GroupID: r.message.GroupID, CountsAs: len(published),
	}
	if AttributesOf(sub).NotifyContentFormat == formatSimplified {
		message.Body, message.Form = published, r.message.Form
	}
	return message, nil
}

// Push is of core.Rendering.
func (r *rendering) Push(sub *core.Subscription) (core.Push, error) {
	switch sub.Protocol {
	case protocolHTTP, protocolHTTPS:
		return r.request(sub)
	case protocolMail:
		return r.mail(sub)
	case protocolSMS:
		return r.sms(sub)
	}
	return core.Push{Way: core.Kept, To: sub.Endpoint, Body: r.body(sub)}, nil
}

// body gives the message in the form that the subscription wants, where XML or text must carry it.
func (r *rendering) body(sub *core.Subscription) []byte {
	switch AttributesOf(sub).NotifyContentFormat {
	case formatXML:
		return r.xml(sub)
	case formatJSON:
		return r.json(sub)
	}
	return r.message.BodyFor(sub.Protocol)
}

// text gives the body as text; one that XML cannot carry, which only other protocols can publish, as
// base64.
func (r *rendering) text(sub *core.Subscription) string {
	body := r.message.BodyFor(sub.Protocol)
	if !core.ValidText(body) {
		return base64.StdEncoding.EncodeToString(body)
	}
	return string(body)
}

// member is a part of a notification, in the order in which MNS writes them.
type member struct{ name, value string }

func (r *rendering) members(sub *core.Subscription) []member {
	text := r.text(sub)
	members := []member{
		{"TopicOwner", r.topic.Name.Account},
		{"TopicName", r.topic.Name.Name},
		{"Subscriber", sub.Owner},
		{"SubscriptionName", sub.Name.Name},
		{"MessageId", r.message.ID.Hex()},
		{"Message", text},
		{"MessageMD5", upperMD5([]byte(text))},
	}
	if r.message.Tag != "" {
		members = append(members, member{"MessageTag", r.message.Tag})
	}
	return append(members, member{"PublishTime", strconv.FormatInt(r.message.PublishedAt.UnixMilli(), 10)})
}

func (r *rendering) xml(sub *core.Subscription) []byte {
	doc := []byte(`<?xml version="1.0" encoding="utf-8"?>` + "\n" + `<Notification xmlns="` + namespace + `/">` + "\n")
	for _, m := range r.members(sub) {
		doc = append(doc, "  <"+m.name+">"...)
		doc = appendEscaped(doc, m.value)
		doc = append(doc, "</"+m.name+">\n"...)
	}
	return append(doc, "</Notification>"...)
}

func (r *rendering) json(sub *core.Subscription) []byte {
	doc := []byte{'{'}
	for i, m := range r.members(sub) {
		if i > 0 {
			doc = append(doc, ',')
		}
		doc = append(appendJSON(doc, m.name), ':')
		doc = appendJSON(doc, m.value)
	}
	return append(doc, '}')
}

func upperMD5(text []byte) string {
	sum := md5.Sum(text)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// contentMD5 gives a body's digest as the pushes' header has it.
func (p *Pusher) contentMD5(body []byte) string {
	if p.options.Base64MD5 {
		return base64.StdEncoding.EncodeToString([]byte(strings.ToLower(upperMD5(body))))
	}
	return upperMD5(body)
}

// request is the push to an HTTP endpoint. Receivers look headers up in just this spelling.
func (r *rendering) request(sub *core.Subscription) (core.Push, error) {
	endpoint, err := url.Parse(sub.Endpoint)
	if err != nil {
		return core.Push{}, fmt.Errorf("read the endpoint of %s: %w", sub.Name, err)
	}
	body, contentType := r.body(sub), "text/plain;charset=utf-8"
	if AttributesOf(sub).NotifyContentFormat == formatXML {
		contentType = contentTypeHeader[0]
	}
	base := cmp.Or(r.pusher.url, sub.Attributes[attributeBaseURL])
	header := map[string][]string{
		"Date":                    {time.Now().UTC().Format(http.TimeFormat)}, // of this attempt
		"User-Agent":              {"Aliyun Notification Service Agent"},
		"Accept":                  {"*/*"},
		"Connection":              {"keep-alive"},
		"Content-md5":             {r.pusher.contentMD5(body)},
		"Content-Type":            {contentType},
		"x-mns-version":           versionHeader,
		"x-mns-request-id":        {r.message.ID.Hex()[:24]},
		"x-mns-signing-cert-url":  {base64.StdEncoding.EncodeToString([]byte(base + CertificatePath))},
		"x-mns-message-id":        {r.message.ID.Hex()},
		"x-mns-publish-time":      {strconv.FormatInt(r.message.PublishedAt.UnixMilli(), 10)},
		"x-mns-topic-owner":       {r.topic.Name.Account},
		"x-mns-topic-name":        {r.topic.Name.Name},
		"x-mns-subscriber":        {sub.Owner},
		"x-mns-subscription-name": {sub.Name.Name},
	}
	if r.message.Tag != "" {
		header["x-mns-message-tag"] = []string{headerText(r.message.Tag)}
	}
	signature, err := sign(r.pusher.signer, http.MethodPost, endpoint.RequestURI(), header)
	if err != nil {
		return core.Push{}, fmt.Errorf("sign a push of %s: %w", sub.Name, err)
	}
	header["Authorization"] = []string{signature}
	return core.Push{Way: core.ByHTTP, Method: http.MethodPost, URL: sub.Endpoint, Header: header, Body: body, Timeout: pushTimeout}, nil
}

// headerText gives a text that a header can hold.
func headerText(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.TrimSpace(text))
}

// Names of the documents that say how a message goes to people (messageAttributes).
const (
	extraDirectMail = "mns.DirectMail"
	extraDM         = "mns.DM"
	extraDirectSMS  = "mns.DirectSMS"
	extraDYSMS      = "mns.DYSMS"
	extraPush       = "mns.Push"
)

// dynamic stands in an endpoint for an address that each message names by itself.
const dynamic = "__dynamic"

// addressOf gives the mail address or telephone number in an endpoint.
func addressOf(sub *core.Subscription) string {
	return sub.Endpoint[strings.LastIndexByte(sub.Endpoint, ':')+1:]
}

// document gives what a message says for a kind of endpoint, which has an older form and a newer: of both, the endpoint's own.
func (r *rendering) document(sub *core.Subscription, older, newer string) string {
	if strings.HasPrefix(sub.Endpoint, "smq-ep:") {
		older, newer = newer, older
	}
	return cmp.Or(r.message.Extra[older], r.message.Extra[newer])
}

// mail is the push to a mail address, which a message is written for by DirectMail.
func (r *rendering) mail(sub *core.Subscription) (core.Push, error) {
	var settings struct {
		Subject, MailAddress string
		IsHtml               flag
	}
	document := cmp.Or(r.document(sub, extraDirectMail, extraDM), sub.Attributes[AttributeMail])
	if json.Unmarshal([]byte(document), &settings) != nil {
		return core.Push{}, core.Errorf(core.InvalidArgument, "the message has no DirectMail attributes, and mail needs them")
	}
	contentType := "text/plain;charset=utf-8"
	if settings.IsHtml {
		contentType = "text/html;charset=utf-8"
	}
	to := addressOf(sub)
	if to == dynamic { // only then does the publisher choose
		to = settings.MailAddress
	}
	if to == "" {
		return core.Push{}, core.Errorf(core.InvalidArgument, "the message names no mail address, and the subscription leaves it to the message")
	}
	return core.Push{Way: core.ByMail, To: to, Subject: settings.Subject, Header: map[string][]string{"Content-Type": {contentType}}, Body: r.message.BodyFor(sub.Protocol)}, nil
}

// sms is the push to a telephone, or to all that the message names. There is nobody to send it.
func (r *rendering) sms(sub *core.Subscription) (core.Push, error) {
	var settings struct{ Receiver, PhoneNumber string }
	document := r.document(sub, extraDirectSMS, extraDYSMS)
	if document != "" && json.Unmarshal([]byte(document), &settings) != nil {
		return core.Push{}, core.Errorf(core.InvalidArgument, "the message's DirectSMS attributes cannot be read")
	}
	to := addressOf(sub)
	if to == "anonymous" || to == dynamic {
		to = settings.Receiver + settings.PhoneNumber
	}
	return core.Push{Way: core.Kept, To: to, Body: r.message.BodyFor(sub.Protocol)}, nil
}

// flag is a truth value that clients write as a number, a word or a text of either.
type flag bool

// UnmarshalJSON reads any of them.
func (f *flag) UnmarshalJSON(document []byte) error {
	on, err := strconv.ParseBool(strings.Trim(string(document), `"`))
	*f = flag(on && err == nil)
	return nil
}
