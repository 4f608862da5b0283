package mns

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// namespace has no slash at its end: Java reads no error document with another one.
const namespace = "http://mns.aliyuncs.com/doc/v1"

// response is what an action answers; it knows its own form on the wire.
type response interface {
	write(a *answer)
}

// answer is a response on the wire. Its document has a line for each element: some clients cannot
// read elements that follow each other directly, others none that is written as <a/> (specs/mns.md 2.2).
type answer struct {
	status   int // 0: 200
	location string
	doc      []byte
}

// maxPooled is the capacity above which a document's memory is not kept for the next.
const maxPooled = 1 << 20

var answers = sync.Pool{New: func() any { return new(answer) }}

func newAnswer() *answer { return answers.Get().(*answer) }

func (a *answer) release() {
	if cap(a.doc) <= maxPooled {
		*a = answer{doc: a.doc[:0]}
		answers.Put(a)
	}
}

// Header values that never change; net/http does not change them either.
var (
	versionHeader     = []string{version}
	contentTypeHeader = []string{"text/xml;charset=utf-8"}
)

// send writes the answer, and says so when the client is no longer there to read it. Clients look
// for the headers in just this spelling.
func (a *answer) send(w http.ResponseWriter, requestID string) error {
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	header := w.Header()
	header["x-mns-request-id"] = []string{requestID}
	header["x-mns-version"] = versionHeader
	if a.location != "" {
		header["Location"] = []string{a.location}
	}
	if len(a.doc) > 0 {
		header["Content-Type"] = contentTypeHeader
	}
	if status != http.StatusNoContent {
		header["Content-Length"] = []string{strconv.Itoa(len(a.doc))}
	}
	w.WriteHeader(status)
	if len(a.doc) == 0 {
		return nil
	}
	if _, err := w.Write(a.doc); err != nil {
		return err
	}
	return caller.Flush(w)
}

// root begins the document.
func (a *answer) root(name string) {
	a.doc = append(a.doc, `<?xml version="1.0" encoding="utf-8"?>`+"\n<"...)
	a.doc = append(a.doc, name...)
	a.doc = append(a.doc, ` xmlns="`+namespace+"\">\n"...)
}

// open begins an element with elements in it, end ends one.
func (a *answer) open(name string) {
	a.tag(name)
	a.doc = append(a.doc, '\n')
}

func (a *answer) end(name string) {
	a.doc = append(a.doc, "</"...)
	a.doc = append(a.doc, name...)
	a.doc = append(a.doc, ">\n"...)
}

func (a *answer) text(name, value string) {
	a.tag(name)
	a.doc = appendEscaped(a.doc, value)
	a.end(name)
}

func (a *answer) number(name string, n int64) {
	a.tag(name)
	a.doc = strconv.AppendInt(a.doc, n, 10)
	a.end(name)
}

func (a *answer) tag(name string) {
	a.doc = append(a.doc, '<')
	a.doc = append(a.doc, name...)
	a.doc = append(a.doc, '>')
}

// appendEscaped writes a text that XML can carry (core.ValidText) so that every parser gives back
// exactly that text. A carriage return, which parsers would make a line feed, becomes a reference.
func appendEscaped[T string | []byte](doc []byte, text T) []byte {
	from := 0
	for at := range len(text) {
		var escape string
		switch text[at] {
		case '<':
			escape = "&lt;"
		case '>':
			escape = "&gt;"
		case '&':
			escape = "&amp;"
		case '\r':
			escape = "&#13;"
		default:
			continue
		}
		doc = append(append(doc, text[from:at]...), escape...)
		from = at + 1
	}
	return append(doc, text[from:]...)
}

// readable replaces what XML cannot carry, in texts that are for people.
func readable(text string) string {
	return strings.Map(func(r rune) rune {
		if !core.ValidText(utf8.AppendRune(nil, r)) {
			return utf8.RuneError
		}
		return r
	}, text)
}
