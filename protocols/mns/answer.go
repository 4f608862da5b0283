package mns

import (
	"bytes"
	"encoding/json"
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
// In JSON each element is a member of that name.
type answer struct {
	json     bool
	status   int // 0: 200
	location string
	doc      []byte
}

// maxPooled is the capacity above which a document's memory is not kept for the next.
const maxPooled = 1 << 20

var answers = sync.Pool{New: func() any { return new(answer) }}

func newAnswer(asJSON bool) *answer {
	a := answers.Get().(*answer)
	a.json = asJSON
	return a
}

func (a *answer) release() {
	if cap(a.doc) <= maxPooled {
		*a = answer{doc: a.doc[:0]}
		answers.Put(a)
	}
}

// Header values that never change; net/http does not change them either.
var (
	serverHeader          = []string{"polymq"}
	versionHeader         = []string{version}
	jsonVersionHeader     = []string{jsonVersion}
	contentTypeHeader     = []string{"text/xml;charset=utf-8"}
	jsonContentTypeHeader = []string{"application/json;charset=utf-8"}
)

// send writes the answer, and says so when the client is no longer there to read it. Clients look
// for the headers in just this spelling.
func (a *answer) send(w http.ResponseWriter, requestID string) error {
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	version, contentType := versionHeader, contentTypeHeader
	if a.json {
		version, contentType = jsonVersionHeader, jsonContentTypeHeader
	}
	header := w.Header()
	header["Server"] = serverHeader
	header["x-mns-request-id"] = []string{requestID}
	header["x-mns-version"] = version
	if a.location != "" {
		header["Location"] = []string{a.location}
	}
	if len(a.doc) > 0 {
		header["Content-Type"] = contentType
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
	if a.json {
		a.doc = append(a.doc, '{')
		return
	}
	a.doc = append(a.doc, `<?xml version="1.0" encoding="utf-8"?>`+"\n<"...)
	a.doc = append(a.doc, name...)
	a.doc = append(a.doc, ` xmlns="`+namespace+"\">\n"...)
}

// list begins a document that is a list, endList ends it.
func (a *answer) list(name string) {
	a.root(name)
	if a.json {
		a.tag(name)
		a.doc = append(a.doc, '[')
	}
}

func (a *answer) endList(name string) {
	if a.json {
		a.doc = append(a.doc, ']')
	}
	a.end(name)
}

// item begins an element of a list.
func (a *answer) item(name string) {
	if a.json {
		a.comma()
		a.doc = append(a.doc, '{')
		return
	}
	a.open(name)
}

// open begins an element with elements in it, end ends one, or an item, or the document.
func (a *answer) open(name string) {
	a.tag(name)
	if a.json {
		a.doc = append(a.doc, '{')
	} else {
		a.doc = append(a.doc, '\n')
	}
}

func (a *answer) end(name string) {
	if a.json {
		a.doc = append(a.doc, '}')
		return
	}
	a.doc = append(a.doc, "</"...)
	a.doc = append(a.doc, name...)
	a.doc = append(a.doc, ">\n"...)
}

func (a *answer) text(name, value string) {
	a.tag(name)
	if a.json {
		a.doc = appendJSON(a.doc, value)
		return
	}
	a.doc = appendEscaped(a.doc, value)
	a.end(name)
}

func (a *answer) boolean(name string, yes bool) {
	word := "False"
	if yes {
		word = "True"
	}
	a.text(name, word)
}

func (a *answer) number(name string, n int64) {
	a.tag(name)
	a.doc = strconv.AppendInt(a.doc, n, 10)
	if !a.json {
		a.end(name)
	}
}

func (a *answer) tag(name string) {
	if a.json {
		a.comma()
		a.doc = append(appendJSON(a.doc, name), ':')
		return
	}
	a.doc = append(a.doc, '<')
	a.doc = append(a.doc, name...)
	a.doc = append(a.doc, '>')
}

// comma parts a member or an item from the one before.
func (a *answer) comma() {
	if last := a.doc[len(a.doc)-1]; last != '{' && last != '[' {
		a.doc = append(a.doc, ',')
	}
}

// appendJSON writes a text as JSON has it, and what JSON need not escape as it is.
func appendJSON(doc []byte, text string) []byte {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err) // a text always has a JSON form
	}
	return append(doc, bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))...)
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
