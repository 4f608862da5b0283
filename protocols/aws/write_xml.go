package aws

import (
	"encoding/base64"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// AppendXML writes the members of the structure that from points to as elements.
func (s *Shape) AppendXML(buf []byte, from any) []byte {
	return s.appendXML(buf, reflect.ValueOf(from).Elem())
}

// appendXML writes what stands inside a value's element.
func (s *Shape) appendXML(buf []byte, v reflect.Value) []byte {
	if s.pointer {
		v = v.Elem()
	}
	switch s.kind {
	case kindString:
		return AppendXMLText(buf, v.String())
	case kindText:
		return AppendXMLText(buf, v.Bytes())
	case kindBlob:
		return base64.StdEncoding.AppendEncode(buf, v.Bytes())
	case kindInt:
		return strconv.AppendInt(buf, v.Int(), 10)
	case kindBool:
		return strconv.AppendBool(buf, v.Bool())
	case kindStruct:
		for i := range s.fields {
			if f := &s.fields[i]; f.nested() || !f.shape.absent(v.FieldByIndex(f.index)) {
				buf = f.appendXML(buf, v.FieldByIndex(f.index))
			}
		}
		return buf
	}
	panic("aws: a list or map in XML stands in a structure")
}

// nested says that a member is a list or map with an element around all its entries, which is there
// also when they are none.
func (f *field) nested() bool {
	return len(f.path) > 1 && (f.shape.kind == kindList || f.shape.kind == kindMap)
}

// appendXML writes a member: elements of its own for each entry of a list or map.
func (f *field) appendXML(buf []byte, v reflect.Value) []byte {
	last := len(f.path) - 1
	for _, name := range f.path[:last] {
		buf = appendStart(buf, name)
	}
	switch f.shape.kind {
	case kindList:
		for i := range v.Len() {
			buf = f.shape.elem.appendElement(buf, f.path[last], v.Index(i))
		}
	case kindMap:
		for i := range v.Len() {
			pair := v.Index(i)
			buf = appendStart(buf, f.path[last])
			buf = appendEnd(AppendXMLText(appendStart(buf, f.key[0]), pair.Field(0).String()), f.key[0])
			buf = f.shape.elem.appendElement(buf, f.value[0], pair.Field(1))
			buf = appendEnd(buf, f.path[last])
		}
	default:
		buf = f.shape.appendElement(buf, f.path[last], v)
	}
	for i := last - 1; i >= 0; i-- {
		buf = appendEnd(buf, f.path[i])
	}
	return buf
}

func (s *Shape) appendElement(buf []byte, name string, v reflect.Value) []byte {
	return appendEnd(s.appendXML(appendStart(buf, name), v), name)
}

func appendStart(buf []byte, name string) []byte {
	return append(append(append(buf, '<'), name...), '>')
}

func appendEnd(buf []byte, name string) []byte {
	return append(append(append(buf, '<', '/'), name...), '>')
}

// AppendXMLText writes text. A carriage return must be a reference, or a parser takes it for the
// end of a line and the body's MD5 no longer fits; SQS escapes quotes as well (specs/sqs.md 1.5).
// What XML cannot carry becomes U+FFFD.
func AppendXMLText[S string | []byte](buf []byte, s S) []byte {
	start := 0
	for i := 0; i < len(s); {
		char, size := rune(s[i]), 1
		if char >= utf8.RuneSelf {
			char, size = decodeRune(s[i:])
		}
		if replacement := xmlReplacement(char, size); replacement != "" {
			buf = append(append(buf, s[start:i]...), replacement...)
			start = i + size
		}
		i += size
	}
	return append(buf, s[start:]...)
}

func xmlReplacement(char rune, size int) string {
	switch char {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&quot;"
	case '\r':
		return "&#xD;"
	case '\t', '\n':
		return ""
	}
	if char < ' ' || char == 0xFFFE || char == 0xFFFF || char == utf8.RuneError && size == 1 {
		return "\uFFFD"
	}
	return ""
}
