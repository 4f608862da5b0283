package aws

import (
	"encoding/base64"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// AppendJSON writes the structure that from points to as a JSON object.
func (s *Shape) AppendJSON(buf []byte, from any) []byte {
	return s.appendJSON(buf, reflect.ValueOf(from).Elem())
}

func (s *Shape) appendJSON(buf []byte, v reflect.Value) []byte {
	if s.pointer {
		v = v.Elem()
	}
	switch s.kind {
	case kindString:
		return AppendJSONString(buf, v.String())
	case kindText:
		return AppendJSONString(buf, v.Bytes())
	case kindBlob:
		return append(base64.StdEncoding.AppendEncode(append(buf, '"'), v.Bytes()), '"')
	case kindInt:
		return strconv.AppendInt(buf, v.Int(), 10)
	case kindBool:
		return strconv.AppendBool(buf, v.Bool())
	case kindList:
		return s.appendJSONList(buf, v)
	case kindMap:
		return s.appendJSONMap(buf, v)
	default:
		return s.appendJSONStruct(buf, v)
	}
}

func (s *Shape) appendJSONStruct(buf []byte, v reflect.Value) []byte {
	open := byte('{')
	for i := range s.fields {
		f := &s.fields[i]
		member := v.FieldByIndex(f.index)
		if !f.shown && f.shape.absent(member) {
			continue
		}
		buf = append(buf, open, '"')
		buf = append(append(buf, f.json...), '"', ':')
		buf = f.shape.appendJSON(buf, member)
		open = ','
	}
	if open == '{' {
		buf = append(buf, '{')
	}
	return append(buf, '}')
}

func (s *Shape) appendJSONList(buf []byte, v reflect.Value) []byte {
	buf = append(buf, '[')
	for i := range v.Len() {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = s.elem.appendJSON(buf, v.Index(i))
	}
	return append(buf, ']')
}

func (s *Shape) appendJSONMap(buf []byte, v reflect.Value) []byte {
	buf = append(buf, '{')
	for i := range v.Len() {
		if i > 0 {
			buf = append(buf, ',')
		}
		pair := v.Index(i)
		buf = append(AppendJSONString(buf, pair.Field(0).String()), ':')
		buf = s.elem.appendJSON(buf, pair.Field(1))
	}
	return append(buf, '}')
}

// absent says that a member is not written.
func (s *Shape) absent(v reflect.Value) bool {
	switch {
	case s.pointer, s.kind == kindText, s.kind == kindBlob:
		return v.IsNil()
	case s.kind == kindString, s.kind == kindList, s.kind == kindMap:
		return v.Len() == 0
	}
	return false
}

const hexDigits = "0123456789abcdef"

// AppendJSONString writes a string of JSON. What is not valid UTF-8 becomes U+FFFD.
func AppendJSONString[S string | []byte](buf []byte, s S) []byte {
	buf = append(buf, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			buf = appendEscape(append(buf, s[start:i]...), c)
			i++
			start = i
			continue
		}
		char, size := decodeRune(s[i:])
		if char == utf8.RuneError && size == 1 {
			buf = append(append(buf, s[start:i]...), "\uFFFD"...)
			start = i + size
		}
		i += size
	}
	return append(append(buf, s[start:]...), '"')
}

func appendEscape(buf []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(buf, '\\', c)
	case '\n':
		return append(buf, '\\', 'n')
	case '\r':
		return append(buf, '\\', 'r')
	case '\t':
		return append(buf, '\\', 't')
	}
	return append(buf, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}

func decodeRune[S string | []byte](s S) (rune, int) {
	if len(s) > utf8.UTFMax {
		s = s[:utf8.UTFMax]
	}
	return utf8.DecodeRuneInString(string(s))
}
