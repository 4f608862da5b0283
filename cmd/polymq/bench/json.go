package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// appendJSON appends s as a JSON string.
func appendJSON(b []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return append(b, text...)
}

var errNotJSON = errors.New("the answer is not JSON as expected")

// eachMessage calls found with two string members of each object in an answer such as
// {"Messages":[{"ReceiptHandle":"…","Body":"…"}]}. What else there is, at whatever depth, it
// passes over; it does so at a tenth of encoding/json's cost.
func eachMessage(b []byte, handleName, bodyName string, found func(handle, body []byte)) error {
	const inMessage = 3 // depth: the answer, the array, the message
	var name, handle, body []byte
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth == inMessage {
				found(handle, body)
				handle, body = nil, nil
			}
			depth--
		case '"':
			text, end, err := jsonString(b, i)
			if err != nil {
				return err
			}
			rest := bytes.TrimLeft(b[end:], " \t\r\n")
			switch i = end - 1; {
			case len(rest) > 0 && rest[0] == ':':
				name = text
			case depth == inMessage && string(name) == handleName:
				handle = text
			case depth == inMessage && string(name) == bodyName:
				body = text
			}
		}
	}
	if depth != 0 {
		return errNotJSON
	}
	return nil
}

// jsonString returns the text of the string that begins at b[i], and the index after its end.
func jsonString(b []byte, i int) (text []byte, end int, err error) {
	n := bytes.IndexByte(b[i+1:], '"')
	if n < 0 {
		return nil, 0, errNotJSON
	}
	if text = b[i+1 : i+1+n]; bytes.IndexByte(text, '\\') < 0 {
		return text, i + n + 2, nil
	}
	for end = i + 1; end < len(b) && b[end] != '"'; end++ {
		if b[end] == '\\' {
			end++
		}
	}
	if end++; end > len(b) {
		return nil, 0, errNotJSON
	}
	var s string
	if err := json.Unmarshal(b[i:end], &s); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errNotJSON, err)
	}
	return []byte(s), end, nil
}
