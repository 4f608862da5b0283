package filter

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// SyntaxError gives what SNS says of a policy, of filters or another, that is no JSON, the place on a line of its
// own; "" of one that is.
func SyntaxError(source string) string {
	var raw json.RawMessage
	err := (*json.SyntaxError)(nil)
	if !errors.As(json.Unmarshal([]byte(source), &raw), &err) {
		return ""
	}
	what, at := "Unexpected end-of-input", int(err.Offset)-1
	if at < 0 || at >= len(source) || strings.Contains(err.Error(), "unexpected end") {
		at = len(source)
	} else {
		what, at = unexpected(source, at, err.Error())
	}
	return "failed to parse JSON. " + what + "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); " + position(source, at) + "]"
}

// anyValue is what could stand where something else does.
const anyValue = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

// unexpected describes what stands at an offset, and gives the offset at which a reader comes to know it.
func unexpected(source string, at int, reason string) (what string, offset int) {
	found, _ := utf8.DecodeRuneInString(source[at:])
	what = fmt.Sprintf("Unexpected character ('%c' (code %d))", found, found)
	switch {
	case strings.Contains(reason, "object key string"):
		return what + ": was expecting double-quote to start field name", at
	case strings.HasSuffix(reason, "after object key"):
		return what + ": was expecting a colon to separate field name and value", at
	case strings.HasSuffix(reason, "after object key:value pair"):
		return what + ": was expecting comma to separate Object entries", at
	case strings.HasSuffix(reason, "after array element"):
		return what + ": was expecting comma to separate Array entries", at
	case !strings.HasSuffix(reason, "beginning of value") && !strings.Contains(reason, "in literal"):
		return what, at
	}
	from, to := wordAround(source, at)
	if from == to {
		return what + ": expected a valid value " + anyValue, at
	}
	return fmt.Sprintf("Unrecognized token '%.*s': was expecting %s", maxWord, source[from:to], anyValue), to
}

// maxWord bounds the part of a word that an error repeats.
const maxWord = 256

// wordAround gives the word that the offset lies in, from and to the same where it lies in none.
func wordAround(source string, at int) (from, to int) {
	from, to = at, at
	for from > 0 && isWord(source[from-1]) {
		from--
	}
	for to < len(source) && isWord(source[to]) {
		to++
	}
	return from, to
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// position gives line and column of an offset, both counted from 1, columns in characters of UTF-16.
func position(source string, offset int) string {
	before := source[:min(offset, len(source))]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return fmt.Sprintf("line: %d, column: %d", 1+strings.Count(before, "\n"), 1+len(utf16.Encode([]rune(line))))
}
