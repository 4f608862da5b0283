package mns

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
)

// maxDepth bounds how deep elements of a request may nest. Messages has the deepest document that
// means something: Messages, Message, UserProperties, PropertyValue, Name.
const maxDepth = 16

var byteOrderMark = []byte("\uFEFF")

// scanner reads a request's XML document from front to back: elements, their text, nothing else.
// Prefixes, namespaces and attributes are passed over; comments and processing instructions too;
// document types are refused, and with them all entities but XML's own five. Line ends stay as they
// were sent, against XML's rule, for a body is to be given back byte for byte.
//
// Text is handed out as a part of the document wherever it stands there as it is.
type scanner struct {
	doc    []byte
	at     int
	open   [maxDepth][]byte // the full names of the elements around the current position
	depth  int
	closed bool // the element that was opened last is empty (<a/>), and its end comes next
}

// newScanner checks the document's characters and stands before its root.
func newScanner(doc []byte) (*scanner, error) {
	if !core.ValidText(doc) {
		return nil, malformed("the document holds characters that XML does not allow, or is not UTF-8")
	}
	return &scanner{doc: bytes.TrimPrefix(doc, byteOrderMark)}, nil
}

// root opens the root element and gives its name.
func (s *scanner) root() (string, error) {
	if err := s.declaration(); err != nil {
		return "", err
	}
	for {
		s.blanks()
		if s.at >= len(s.doc) {
			return "", malformed("the document has no root element")
		}
		if s.doc[s.at] != '<' {
			return "", malformed("there is text before the root element")
		}
		if skipped, err := s.aside(); err != nil {
			return "", err
		} else if !skipped {
			return s.start()
		}
	}
}

// end makes sure that nothing but comments follows the root element.
func (s *scanner) end() error {
	for {
		s.blanks()
		if s.at >= len(s.doc) {
			return nil
		}
		if skipped, err := s.aside(); err != nil || !skipped {
			return malformed("there is something behind the root element")
		}
	}
}

// child opens the next element inside the current one and gives its name. ok is false at the end of
// the current element, which is then closed. Text between elements must be blank.
func (s *scanner) child() (name string, ok bool, err error) {
	text, ended, err := s.content()
	switch {
	case err != nil:
		return "", false, err
	case len(bytes.TrimSpace(text)) > 0:
		return "", false, core.Errorf(core.InvalidArgument, "%s holds elements, not text", s.current())
	case ended:
		return "", false, s.close()
	}
	name, err = s.start()
	return name, true, err
}

// text gives the text of the current element, and closes it.
func (s *scanner) text() ([]byte, error) {
	text, ended, err := s.content()
	if err != nil {
		return nil, err
	}
	if !ended {
		parent := s.current()
		if _, err := s.start(); err != nil { // no element either, as in "a < b"
			return nil, err
		}
		return nil, core.Errorf(core.InvalidArgument, "%s holds text, not elements; is a '<' in it not written as &lt;?", parent)
	}
	return text, s.close()
}

// skip passes over what is left of the current element, and closes it.
func (s *scanner) skip() error {
	for outer := s.depth - 1; s.depth > outer; {
		_, ended, err := s.content()
		if err == nil && ended {
			err = s.close()
		} else if err == nil {
			_, err = s.start()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// content reads text up to the next tag: the end of the current element, or the start of another.
func (s *scanner) content() (text []byte, ended bool, err error) {
	if s.closed {
		return nil, true, nil
	}
	var pieces pieces
	for {
		length := bytes.IndexByte(s.doc[s.at:], '<')
		if length < 0 {
			return nil, false, malformed("%s is not closed", s.current())
		}
		plain, err := unescape(s.doc[s.at : s.at+length])
		if err != nil {
			return nil, false, err
		}
		pieces.add(plain)
		s.at += length
		switch {
		case s.ahead("</"):
			return pieces.text, true, nil
		case s.ahead("<![CDATA["):
			section, err := s.until("<![CDATA[", "]]>")
			if err != nil {
				return nil, false, err
			}
			pieces.add(section)
		default:
			if skipped, err := s.aside(); err != nil || !skipped {
				return pieces.text, false, err
			}
		}
	}
}

// pieces puts text together, without a copy as long as there is one piece.
type pieces struct {
	text []byte
	own  bool
}

func (p *pieces) add(piece []byte) {
	switch {
	case len(piece) == 0:
	case len(p.text) == 0:
		p.text = piece
	default:
		if !p.own {
			p.text, p.own = bytes.Clone(p.text), true
		}
		p.text = append(p.text, piece...)
	}
}

// start reads a start tag and gives the local name.
func (s *scanner) start() (string, error) {
	if s.depth == maxDepth {
		return "", malformed("elements nest deeper than %d", maxDepth)
	}
	s.at++ // "<"
	full := s.name()
	if len(full) == 0 {
		return "", malformed("a tag has no name")
	}
	if err := s.attributes(); err != nil {
		return "", err
	}
	if s.ahead("/>") {
		s.at += len("/>")
		s.closed = true
	} else if s.ahead(">") {
		s.at++
	} else {
		return "", malformed("the tag of %s is not closed", full)
	}
	s.open[s.depth] = full
	s.depth++
	return s.current(), nil
}

// close reads the end tag of the current element.
func (s *scanner) close() error {
	full := s.open[s.depth-1]
	s.depth--
	if s.closed {
		s.closed = false
		return nil
	}
	s.at += len("</")
	if name := s.name(); !bytes.Equal(name, full) {
		return malformed("%s is closed by %s", full, name)
	}
	s.blanks()
	if !s.ahead(">") {
		return malformed("the end tag of %s is not closed", full)
	}
	s.at++
	return nil
}

// attributes passes over the attributes of a start tag.
func (s *scanner) attributes() error {
	for {
		before := s.at
		s.blanks()
		if s.at == before || s.ahead("/>") || s.ahead(">") {
			return nil
		}
		name := s.name()
		s.blanks()
		if len(name) == 0 || !s.ahead("=") {
			return malformed("an attribute has no name, or no value")
		}
		s.at++
		s.blanks()
		if !s.ahead(`"`) && !s.ahead(`'`) {
			return malformed("the value of the attribute %s is not quoted", name)
		}
		quote := string(s.doc[s.at])
		value, err := s.until(quote, quote)
		if err != nil {
			return err
		}
		if _, err := unescape(value); err != nil || bytes.IndexByte(value, '<') >= 0 {
			return malformed("the attribute %s has a value that XML does not allow", name)
		}
	}
}

// aside passes over a comment or a processing instruction, if one is next.
func (s *scanner) aside() (skipped bool, err error) {
	switch {
	case s.ahead("<!--"):
		comment, err := s.until("<!--", "-->")
		if err == nil && (bytes.Contains(comment, []byte("--")) || bytes.HasSuffix(comment, []byte("-"))) {
			err = malformed("a comment holds --")
		}
		return true, err
	case s.ahead("<?"):
		instruction, err := s.until("<?", "?>")
		if err == nil && (len(instruction) == 0 || !nameByte(instruction[0], true)) {
			err = malformed("a processing instruction has no name")
		}
		if err == nil && strings.EqualFold(strings.Fields(string(instruction))[0], "xml") {
			err = malformed("the XML declaration is not at the beginning")
		}
		return true, err
	case s.ahead("<!"):
		return false, malformed("document types are not accepted")
	}
	return false, nil
}

// declaration reads the XML declaration, if there is one.
func (s *scanner) declaration() error {
	const opening = "<?xml"
	if !s.ahead(opening) || s.at+len(opening) == len(s.doc) || nameByte(s.doc[s.at+len(opening)], false) {
		return nil
	}
	declaration, err := s.until(opening, "?>")
	if err != nil {
		return err
	}
	_, encoding, found := strings.Cut(string(declaration), "encoding")
	words := strings.FieldsFunc(encoding, func(r rune) bool { return strings.ContainsRune("=\"' \t\r\n", r) })
	if found && (len(words) == 0 || !strings.EqualFold(words[0], "utf-8")) {
		return malformed("the only encoding that is accepted is UTF-8")
	}
	return nil
}

// name reads a name, with its prefix if it has one; nothing where there is no name. Every character
// beyond ASCII passes for a letter.
func (s *scanner) name() []byte {
	from := s.at
	prefixed := s.word() && s.ahead(":")
	if prefixed {
		s.at++
	}
	if prefixed && !s.word() {
		return nil
	}
	return s.doc[from:s.at]
}

func (s *scanner) word() bool {
	from := s.at
	for s.at < len(s.doc) && nameByte(s.doc[s.at], s.at == from) {
		s.at++
	}
	return s.at > from
}

func nameByte(c byte, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c >= utf8.RuneSelf:
		return true
	}
	return !first && (c >= '0' && c <= '9' || c == '-' || c == '.')
}

// until gives what stands between before, which is next, and the next after, and passes over it all.
func (s *scanner) until(before, after string) ([]byte, error) {
	rest := s.doc[s.at+len(before):]
	length := bytes.Index(rest, []byte(after))
	if length < 0 {
		return nil, malformed("%s is not closed by %s", before, after)
	}
	s.at += len(before) + length + len(after)
	return rest[:length], nil
}

func (s *scanner) blanks() {
	for s.at < len(s.doc) && strings.IndexByte(" \t\r\n", s.doc[s.at]) >= 0 {
		s.at++
	}
}

func (s *scanner) ahead(text string) bool {
	return len(s.doc)-s.at >= len(text) && string(s.doc[s.at:s.at+len(text)]) == text
}

// current gives the local name of the current element.
func (s *scanner) current() string {
	full := s.open[s.depth-1]
	return string(full[bytes.LastIndexByte(full, ':')+1:])
}

// unescape replaces references to characters by the characters.
func unescape(text []byte) ([]byte, error) {
	if bytes.Contains(text, []byte("]]>")) {
		return nil, malformed("]]> stands in a text")
	}
	next := bytes.IndexByte(text, '&')
	if next < 0 {
		return text, nil
	}
	plain := make([]byte, 0, len(text))
	for ; next >= 0; next = bytes.IndexByte(text, '&') {
		plain = append(plain, text[:next]...)
		reference, rest, found := bytes.Cut(text[next+1:], []byte(";"))
		r := character(string(reference))
		if !found || r == 0 {
			return nil, malformed("an & begins no character that XML knows; a plain one is written as &amp;")
		}
		plain, text = utf8.AppendRune(plain, r), rest
	}
	return append(plain, text...), nil
}

// character gives the character that a reference means, 0 for none.
func character(reference string) rune {
	switch reference {
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "amp":
		return '&'
	case "quot":
		return '"'
	case "apos":
		return '\''
	}
	digits, base := strings.TrimPrefix(reference, "#"), 10
	if digits == reference {
		return 0
	}
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	r, err := strconv.ParseUint(digits, base, 32)
	if err != nil || r > utf8.MaxRune || !core.ValidText(utf8.AppendRune(nil, rune(r))) || r >= 0xD800 && r < 0xE000 {
		return 0
	}
	return rune(r)
}

func malformed(format string, args ...any) error {
	return wireError{http.StatusBadRequest, "MalformedXML", fmt.Sprintf(format, args...)}
}
