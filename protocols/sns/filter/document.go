package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/polymq/polymq/core"
)

// document is what a Set looks at of a message: a tree in which every leaf knows its path. Parts
// that no policy of the Set names are not in it.
type document struct {
	root   branch
	arrays bool // one of its branches is an array
}

// branch is an object, an array, or a leaf.
type branch struct {
	kind     kind
	path     string // of a leaf
	value    value
	passes   []*target // of a leaf, where a Set noted it
	branches []branch
}

func (b *branch) isLeaf() bool { return b.kind != object && b.kind != array }

// escaped is how the service has texts in attributes when it compares them, so that policies escape quotes and
// backslashes twice.
var escaped = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

// attributes gives the document of a message's attributes. Binary ones are not in it.
func (s *Set) attributes(list []core.Attribute) *document {
	d := &document{root: branch{kind: object}}
	for _, a := range list {
		if s.paths[a.Name] == nil {
			continue
		}
		base, _, _ := strings.Cut(a.Type, ".")
		leaf := branch{kind: text, path: a.Name, value: value{kind: text, text: escaped.Replace(string(a.Value))}}
		switch {
		case a.Type == "String.Array", a.Type == "Number.Array":
			leaf = d.arrayOf(a.Name, a.Value)
		case base == "Number":
			leaf.value = numberOf(string(a.Value))
		case base != "String":
			continue
		}
		d.root.branches = append(d.root.branches, leaf)
	}
	return d
}

// arrayOf reads the value of a String.Array or Number.Array. One of a single value is that value; one that is no JSON,
// or an object, is there, and passes no test.
func (d *document) arrayOf(name string, list []byte) branch {
	r := &documentReader{document: d, decoder: json.NewDecoder(bytes.NewReader(list))}
	r.decoder.UseNumber()
	b, err := r.read(name, 0)
	if err != nil || b.kind == object || r.end() != nil {
		return branch{kind: text, path: name, value: value{kind: unreadable}}
	}
	return b
}

// Numbers are compared by six decimals, as the service was seen to do, and what a float64 cannot hold exactly by
// how it is written.
const (
	decimals  = 1e6
	maxScaled = 5e9 // beyond it there are fewer than six decimals
	maxExact  = 1 << 53
)

// numberOf reads a number of JSON.
func numberOf(s string) value {
	f, err := strconv.ParseFloat(s, 64)
	if strings.Trim(s, "+-.0123456789eE") != "" || err != nil && !math.IsInf(f, 0) { // not 0x1p4, NaN
		return value{kind: unreadable}
	}
	v := value{kind: number, number: f}
	switch {
	case math.Abs(f) <= maxScaled:
		v.number = math.Round(f*decimals)/decimals + 0 // -0 is 0
	case math.Abs(f) >= maxExact:
		v.text = s
	}
	return v
}

var errNoObject = errors.New("not an object of JSON")

// body gives the document of a message's body, errNoObject or another error when it is no object
// of JSON.
func (s *Set) body(body []byte) (*document, error) {
	d := new(document)
	r := &documentReader{document: d, set: s, decoder: json.NewDecoder(bytes.NewReader(body))}
	r.decoder.UseNumber()
	var err error
	if d.root, err = r.read("", 0); err != nil {
		return nil, err
	}
	if d.root.kind != object {
		return nil, errNoObject
	}
	return d, r.end()
}

// documentReader reads JSON into a document.
type documentReader struct {
	document *document
	set      *Set // nil: all objects are passed over
	decoder  *json.Decoder
}

// maxNesting bounds the levels of a message that are looked at.
const maxNesting = 1000

func (r *documentReader) read(path string, depth int) (branch, error) {
	if depth > maxNesting {
		return branch{}, errTooDeep
	}
	token, err := r.decoder.Token()
	if err != nil {
		return branch{}, err
	}
	leaf := branch{kind: text, path: path}
	switch v := token.(type) {
	case json.Delim:
		if v == '[' {
			return r.readArray(path, depth)
		}
		return r.readObject(path, depth)
	case string:
		leaf.value = value{kind: text, text: v}
	case json.Number:
		leaf.value = numberOf(v.String())
	case bool:
		leaf.value = value{kind: literal, text: strconv.FormatBool(v)}
	default:
		leaf.value = value{kind: literal, text: "null"}
	}
	return leaf, nil
}

func (r *documentReader) readArray(path string, depth int) (branch, error) {
	r.document.arrays = true
	b := branch{kind: array}
	for r.decoder.More() {
		element, err := r.read(path, depth+1)
		if err != nil {
			return b, err
		}
		b.branches = append(b.branches, element)
	}
	_, err := r.decoder.Token()
	return b, err
}

func (r *documentReader) readObject(path string, depth int) (branch, error) {
	b := branch{kind: object}
	for r.decoder.More() {
		token, err := r.decoder.Token()
		if err != nil {
			return b, err
		}
		key, _ := token.(string)
		if inner := join(path, key); r.set != nil && r.set.named[inner] {
			member, err := r.read(inner, depth+1)
			if err != nil {
				return b, err
			}
			b.branches = append(b.branches, member)
			continue
		}
		var skipped json.RawMessage
		if err := r.decoder.Decode(&skipped); err != nil {
			return b, err
		}
	}
	_, err := r.decoder.Token()
	return b, err
}

// end says that nothing follows.
func (r *documentReader) end() error {
	if _, err := r.decoder.Token(); err != io.EOF {
		return errNoObject
	}
	return nil
}
