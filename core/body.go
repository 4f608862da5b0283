package core

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"unicode/utf8"
)

// BodyReader says what the reader's SDK does with a body that it is handed.
type BodyReader int

// The kinds of readers.
const (
	ReadsText   BodyReader = iota // shows the body as it comes, and its service never encodes (SQS, JSON)
	ReadsRaw                      // shows the body as it comes, of a service where others encode (MNS Go, Node)
	ReadsBase64                   // decodes every body from base64 by itself (MNS Java, Python, ali-mns)
)

// EncodeBody gives the body as the reader must be handed it, so that it shows the text that the
// sender wrote (DESIGN.md 1). Within one family of readers a body stays as it came: MNS clients
// get an MNS body as in the cloud. The queue's rule overrides.
func EncodeBody(body []byte, form BodyForm, rule BodyRule, reader BodyReader) []byte {
	switch rule {
	case BodyAsSent:
		return body
	case BodyText:
		return decoded(body, form)
	case BodyBase64:
		return encoded(body, form)
	}
	switch {
	case reader == ReadsText:
		return decoded(body, form)
	case reader == ReadsBase64 && form == FormText:
		return encoded(body, form)
	}
	return body
}

// FormOf gives the form of a body that came from an SDK which encodes by itself: such SDKs can
// also be told not to, and then the body is not base64 of text.
func FormOf(body []byte) BodyForm {
	if text, err := base64.StdEncoding.Strict().DecodeString(string(body)); err != nil || len(text) == 0 {
		return FormRaw
	}
	return FormBase64
}

// decoded undoes the sender's base64, where what is inside is text that every protocol can carry.
func decoded(body []byte, form BodyForm) []byte {
	if form != FormBase64 {
		return body
	}
	text, err := base64.StdEncoding.AppendDecode(nil, body)
	if err != nil || !ValidText(text) {
		return body
	}
	return text
}

func encoded(body []byte, form BodyForm) []byte {
	if form == FormBase64 {
		return body
	}
	return base64.StdEncoding.AppendEncode(nil, body)
}

var decimal = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

// ValidNumber reports whether a text is a decimal number, which attributes of that type have: however many digits it has, and no
// infinity. Protocols may want less.
func ValidNumber(text string) bool { return decimal.MatchString(text) }

// ValidText reports whether all characters are among those that XML and SQS can carry: U+0009,
// U+000A, U+000D, U+0020 to U+D7FF, U+E000 to U+FFFD, U+10000 to U+10FFFF, in valid UTF-8
// (specs/sqs.md 5.1).
func ValidText(text []byte) bool {
	for _, c := range text {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return utf8.Valid(text) && !bytes.Contains(text, []byte("\uFFFE")) && !bytes.Contains(text, []byte("\uFFFF"))
}
