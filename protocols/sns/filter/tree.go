package filter

import (
	"encoding/json"
	"errors"
	"strings"
)

// kind is what a node of JSON is.
type kind byte

const (
	text    kind = iota // a string
	number              // text as it stands
	literal             // true, false, null
	object
	array
)

// node is a value of a policy's JSON.
type node struct {
	kind     kind
	text     string
	members  []member // of an object, in order
	elements []*node  // of an array
	at       int      // the offset at which a reader knows what it is: behind the quote or bracket that opens it
	end      int      // the offset behind it
}

type member struct {
	key   string
	value *node
}

var (
	errTooDeep = errors.New("too many levels")
	errTooWide = errors.New("too many members")
)

// maxMembers bounds the keys of one object. No policy of as many is simple enough.
const maxMembers = 1000

// readTree reads a text that is valid JSON.
func readTree(source string) (*node, error) {
	decoder := json.NewDecoder(strings.NewReader(source))
	decoder.UseNumber()
	return readNode(decoder, source, 0)
}

func readNode(decoder *json.Decoder, source string, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	before := int(decoder.InputOffset())
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	n := &node{kind: literal, at: int(decoder.InputOffset())}
	switch value := token.(type) {
	case json.Delim:
		if err := n.readInside(decoder, source, value, depth); err != nil {
			return nil, err
		}
	case string:
		n.kind, n.text = text, value
		n.at = before + strings.IndexByte(source[before:], '"') + 1 // nothing else that stands before it has quotes
	case json.Number:
		n.kind, n.text = number, value.String()
	case bool:
		n.text = "false"
		if value {
			n.text = "true"
		}
	default:
		n.text = "null"
	}
	n.end = int(decoder.InputOffset())
	return n, nil
}

func (n *node) readInside(decoder *json.Decoder, source string, open json.Delim, depth int) error {
	n.kind = array
	if open == '{' {
		n.kind = object
	}
	for decoder.More() {
		var key string
		if n.kind == object {
			token, err := decoder.Token()
			if err != nil {
				return err
			}
			key, _ = token.(string)
		}
		value, err := readNode(decoder, source, depth+1)
		if err != nil {
			return err
		}
		if n.kind == array {
			n.elements = append(n.elements, value)
			continue
		}
		if n.members = append(n.members, member{key, value}); len(n.members) > maxMembers {
			return errTooWide
		}
	}
	_, err := decoder.Token() // what closes it
	return err
}

// keys counts the different keys of an object.
func (n *node) keys() int {
	names := map[string]bool{}
	for _, m := range n.members {
		names[m.key] = true
	}
	return len(names)
}

// String gives a node as an error's text names it.
func (n *node) String() string {
	switch n.kind {
	case object:
		return "{"
	case array:
		return "["
	}
	return n.text
}
