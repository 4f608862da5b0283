package caller

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

var errNoText = errors.New("text must be UTF-8, and a surrogate escaped with \\u must be one of a pair")

// CheckJSONText refuses a document in JSON with what encoding/json would quietly change: a message arrives as it was sent,
// or not at all.
func CheckJSONText(document []byte) error {
	if !utf8.Valid(document) || hasHalfPair(document) {
		return errNoText
	}
	return nil
}

// hasHalfPair reports whether a character is escaped that is a surrogate without its other half.
func hasHalfPair(data []byte) bool {
	for {
		i := bytes.IndexByte(data, '\\')
		if i < 0 {
			return false
		}
		data = data[i:]
		first, isUnicode := escaped(data)
		switch {
		case !isUnicode:
			data = data[min(2, len(data)):]
		case !utf16.IsSurrogate(first):
			data = data[escapeLength:]
		default:
			data = data[escapeLength:]
			second, isUnicode := escaped(data)
			if !isUnicode || utf16.DecodeRune(first, second) == utf8.RuneError {
				return true
			}
			data = data[escapeLength:]
		}
	}
}

const escapeLength = len(`\u0000`)

// escaped reads an escape of the form \u0000 that data begins with.
func escaped(data []byte) (rune, bool) {
	if len(data) < escapeLength || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	char, err := strconv.ParseUint(string(data[2:escapeLength]), 16, 16)
	return rune(char), err == nil
}
