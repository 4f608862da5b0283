package aws

import (
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of a request, whatever its size: elements of all its lists and maps together, since an
// element takes more memory than it takes on the wire, and levels of what is passed over.
const (
	maxElements = 2000
	maxLevels   = 100
)

// DecodeError says what is wrong with a request.
type DecodeError struct {
	Member string // in which it was found, "" for the request as a whole
	Reason string
	// Malformed says that the request is not of its format; otherwise a value is not one of its
	// member's type.
	Malformed bool
	Value     string // what was found there instead, if it is short
}

// Error says it for logs.
func (e *DecodeError) Error() string {
	if e.Member == "" {
		return "request: " + e.Reason
	}
	return fmt.Sprintf("request member %s: %s", e.Member, e.Reason)
}

// DecodeJSON reads a JSON object into the structure that into points to. Members that the
// structure does not have are passed over, null is as absent. Nothing at all is an empty object.
func (s *Shape) DecodeJSON(data []byte, into any) error {
	r := jsonReader{data: data, elements: maxElements}
	r.space()
	if r.pos == len(data) {
		return nil
	}
	if err := r.read(s, reflect.ValueOf(into).Elem()); err != nil {
		return err
	}
	if r.space(); r.pos < len(r.data) {
		return r.malformed("there is more behind its end")
	}
	return nil
}

// jsonReader stands somewhere in a JSON text.
type jsonReader struct {
	data     []byte
	pos      int
	elements int    // that may still come
	member   string // that is being read
}

func (r *jsonReader) malformed(reason string) error {
	return &DecodeError{Member: r.member, Reason: fmt.Sprintf("%s, at byte %d", reason, r.pos), Malformed: true}
}

func (r *jsonReader) space() {
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// next gives the next byte that is no white space, without going past it; 0 at the end.
func (r *jsonReader) next() byte {
	if r.space(); r.pos < len(r.data) {
		return r.data[r.pos]
	}
	return 0
}

// accept goes past the byte if it is the next.
func (r *jsonReader) accept(c byte) bool {
	if r.next() != c {
		return false
	}
	r.pos++
	return true
}

// null goes past a null.
func (r *jsonReader) null() bool {
	if r.next() == 'n' && len(r.data)-r.pos >= 4 && string(r.data[r.pos:r.pos+4]) == "null" {
		r.pos += 4
		return true
	}
	return false
}

// read reads a value that is not null.
func (r *jsonReader) read(s *Shape, into reflect.Value) error {
	if s.pointer {
		value := reflect.New(into.Type().Elem())
		into.Set(value)
		into = value.Elem()
	}
	switch s.kind {
	case kindStruct:
		return r.readStruct(s, into)
	case kindMap:
		return r.readMap(s, into)
	case kindList:
		return r.readList(s, into)
	case kindInt:
		return r.readInt(into)
	case kindBool:
		return r.readBool(into)
	default:
		return r.readString(s.kind, into)
	}
}

func (r *jsonReader) readStruct(s *Shape, into reflect.Value) error {
	outer := r.member
	return r.object(func(key []byte) error {
		f := s.field(key)
		switch {
		case f == nil:
			return r.skip(0)
		case r.null():
			return nil
		}
		r.member = f.json
		if err := r.read(f.shape, into.FieldByIndex(f.index)); err != nil {
			return err // with the member that it was found in
		}
		r.member = outer
		return nil
	})
}

// field gives the member of that name, nil if there is none.
func (s *Shape) field(name []byte) *field {
	for i := range s.fields {
		if s.fields[i].json == string(name) {
			return &s.fields[i]
		}
	}
	return nil
}

func (r *jsonReader) readMap(s *Shape, into reflect.Value) error {
	into.SetLen(0) // of a member that was named before
	return r.object(func(key []byte) error {
		if r.null() {
			return &DecodeError{Member: r.member, Reason: fmt.Sprintf("the value of %q is null", key), Value: "null"}
		}
		if !utf8.Valid(key) {
			return r.malformed("a key is not valid UTF-8")
		}
		pair, err := r.grow(into)
		if err != nil {
			return err
		}
		pair.Field(0).SetString(string(key))
		return r.read(s.elem, pair.Field(1))
	})
}

// firstElements is how many elements a list has room for at first: as many as a batch has at the most.
const firstElements = 10

func (r *jsonReader) readList(s *Shape, into reflect.Value) error {
	into.SetLen(0)
	if !r.accept('[') {
		return r.malformed("a list is expected")
	}
	into.Grow(firstElements)
	for first := true; !r.accept(']'); first = false {
		if !first && !r.accept(',') {
			return r.malformed("a comma or the list's end is expected")
		}
		if r.null() {
			return &DecodeError{Member: r.member, Reason: "an element is null", Value: "null"}
		}
		elem, err := r.grow(into)
		if err != nil {
			return err
		}
		if err := r.read(s.elem, elem); err != nil {
			return err
		}
	}
	return nil
}

// grow adds an element to a slice and gives it.
func (r *jsonReader) grow(slice reflect.Value) (reflect.Value, error) {
	if r.elements--; r.elements < 0 {
		return reflect.Value{}, r.malformed(fmt.Sprintf("there are more than %d elements", maxElements))
	}
	return appendZero(slice), nil
}

func appendZero(slice reflect.Value) reflect.Value {
	n := slice.Len()
	slice.Grow(1)
	slice.SetLen(n + 1)
	elem := slice.Index(n)
	elem.SetZero()
	return elem
}

// object reads an object and calls member behind each key.
func (r *jsonReader) object(member func(key []byte) error) error {
	if !r.accept('{') {
		return r.malformed("an object is expected")
	}
	for first := true; !r.accept('}'); first = false {
		if !first && !r.accept(',') {
			return r.malformed("a comma or the object's end is expected")
		}
		key, err := r.text()
		if err != nil {
			return err
		}
		if !r.accept(':') {
			return r.malformed("a colon is expected")
		}
		if err := member(key); err != nil {
			return err
		}
	}
	return nil
}

func (r *jsonReader) readString(k kind, into reflect.Value) error {
	text, err := r.text()
	if err != nil {
		return err
	}
	switch k {
	case kindText:
		into.SetBytes(text)
	case kindBlob:
		return setBlob(into, r.member, text)
	default:
		if !utf8.Valid(text) {
			return r.malformed("it is not valid UTF-8")
		}
		into.SetString(string(text))
	}
	return nil
}

func setBlob(into reflect.Value, member string, text []byte) error {
	blob, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return &DecodeError{Member: member, Reason: "it is not base64", Value: short(text)}
	}
	if blob == nil {
		blob = []byte{} // present, though empty
	}
	into.SetBytes(blob)
	return nil
}

// readInt reads a number, also one in a string, which some clients send.
func (r *jsonReader) readInt(into reflect.Value) error {
	var digits []byte
	if r.next() == '"' {
		text, err := r.text()
		if err != nil {
			return err
		}
		digits = text
	} else {
		start := r.pos
		if err := r.number(); err != nil {
			return err
		}
		digits = r.data[start:r.pos]
	}
	return setInt(into, r.member, digits)
}

// setInt sets a 32-bit integer, which is what AWS calls one; 10.0 and 1e1 are integers too.
func setInt(into reflect.Value, member string, digits []byte) error {
	n, err := strconv.ParseInt(string(digits), 10, 32)
	if err != nil {
		float, floatErr := strconv.ParseFloat(string(digits), 64)
		if floatErr != nil || float != math.Trunc(float) || math.Abs(float) > math.MaxInt32 {
			return &DecodeError{Member: member, Reason: "it is not a 32-bit integer", Value: short(digits)}
		}
		n = int64(float)
	}
	into.SetInt(n)
	return nil
}

// short gives a value for an error's text.
func short(text []byte) string {
	const most = 64
	if len(text) > most {
		text = append(text[:most:most], "…"...)
	}
	return string(text)
}

func (r *jsonReader) readBool(into reflect.Value) error {
	switch {
	case r.literal("true"):
		into.SetBool(true)
	case r.literal("false"):
		into.SetBool(false)
	default:
		return r.malformed("true or false is expected")
	}
	return nil
}

func (r *jsonReader) literal(word string) bool {
	if r.space(); len(r.data)-r.pos < len(word) || string(r.data[r.pos:r.pos+len(word)]) != word {
		return false
	}
	r.pos += len(word)
	return true
}

// text reads a string: where nothing in it is escaped, the very bytes of the request.
func (r *jsonReader) text() ([]byte, error) {
	if !r.accept('"') {
		return nil, r.malformed("a string is expected")
	}
	start := r.pos
	for i := start; i < len(r.data); i++ {
		switch c := r.data[i]; {
		case c == '"':
			r.pos = i + 1
			return r.data[start:i:i], nil
		case c == '\\':
			r.pos = i
			return r.unescape(append(make([]byte, 0, i-start+64), r.data[start:i]...))
		case c < ' ':
			r.pos = i
			return nil, r.malformed("a string has a control character")
		}
	}
	r.pos = len(r.data)
	return nil, r.malformed("a string does not end")
}

// unescape reads on in a string behind what is in text already.
func (r *jsonReader) unescape(text []byte) ([]byte, error) {
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		r.pos++
		switch {
		case c == '"':
			return text, nil
		case c < ' ':
			return nil, r.malformed("a string has a control character")
		case c != '\\':
			text = append(text, c)
		case r.pos == len(r.data):
			return nil, r.malformed("a string does not end")
		default:
			c = r.data[r.pos]
			r.pos++
			if plain := unescaped(c); plain != 0 {
				text = append(text, plain)
				continue
			}
			var err error
			if text, err = r.unescapeRune(text, c); err != nil {
				return nil, err
			}
		}
	}
	return nil, r.malformed("a string does not end")
}

// unescaped gives what the letter behind a backslash means, 0 for none or a \u.
func unescaped(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

func (r *jsonReader) unescapeRune(text []byte, c byte) ([]byte, error) {
	char, ok := r.hex()
	if c != 'u' || !ok {
		return nil, r.malformed("a string has an unknown escape")
	}
	if utf16.IsSurrogate(char) {
		back := r.pos
		if len(r.data)-r.pos >= 2 && r.data[r.pos] == '\\' && r.data[r.pos+1] == 'u' {
			r.pos += 2
			if low, ok := r.hex(); ok {
				if pair := utf16.DecodeRune(char, low); pair != utf8.RuneError {
					return utf8.AppendRune(text, pair), nil
				}
			}
			r.pos = back
		}
		// Half of a pair is no character. It is kept in the form that UTF-8 would give it, which
		// is not valid, so that whoever checks the text finds it.
		return append(text, 0xe0|byte(char>>12), 0x80|byte(char>>6)&0x3f, 0x80|byte(char)&0x3f), nil
	}
	return utf8.AppendRune(text, char), nil
}

// hex reads the four digits of a \u.
func (r *jsonReader) hex() (rune, bool) {
	if len(r.data)-r.pos < 4 {
		return 0, false
	}
	var char rune
	for _, c := range r.data[r.pos : r.pos+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		char = char<<4 | rune(c)
	}
	r.pos += 4
	return char, true
}

// number goes past a number.
func (r *jsonReader) number() error {
	r.accept('-')
	start := r.pos
	switch n := r.digits(); {
	case n == 0:
		return r.malformed("a value is expected")
	case n > 1 && r.data[start] == '0':
		return r.malformed("a number begins with 0")
	}
	if r.at('.') && r.digits() == 0 {
		return r.malformed("a number ends early")
	}
	if r.at('e') || r.at('E') {
		_ = r.at('+') || r.at('-')
		if r.digits() == 0 {
			return r.malformed("a number ends early")
		}
	}
	return nil
}

// at goes past the byte if it is the very next.
func (r *jsonReader) at(c byte) bool {
	if r.pos == len(r.data) || r.data[r.pos] != c {
		return false
	}
	r.pos++
	return true
}

// digits goes past digits and says how many there were.
func (r *jsonReader) digits() int {
	start := r.pos
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
	}
	return r.pos - start
}

// skip goes past any value.
func (r *jsonReader) skip(level int) error {
	if level == maxLevels {
		return r.malformed("it has too many levels")
	}
	switch c := r.next(); {
	case c == '"':
		_, err := r.text()
		return err
	case c == '{':
		return r.object(func([]byte) error { return r.skip(level + 1) })
	case c == '[':
		return r.skipList(level)
	case r.literal("true"), r.literal("false"), r.literal("null"):
		return nil
	default:
		return r.number()
	}
}

func (r *jsonReader) skipList(level int) error {
	r.accept('[')
	for first := true; !r.accept(']'); first = false {
		if !first && !r.accept(',') {
			return r.malformed("a comma or the list's end is expected")
		}
		if err := r.skip(level + 1); err != nil {
			return err
		}
	}
	return nil
}
