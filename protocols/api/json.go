package api

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/polymq/polymq/protocols/caller"
)

// maxValues bounds the values of a document, whatever its size: huma takes a hundred bytes for each, and hundreds for
// each that is wrong. A hundred messages with all that they may have are six thousand.
const maxValues = 20_000

// jsonFormat is JSON as huma reads and writes it, without what encoding/json would quietly change: a
// message arrives as it was sent, or not at all.
var jsonFormat = huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshalText}

func unmarshalText(data []byte, into any) error {
	if err := caller.CheckJSONText(data); err != nil {
		return err
	}
	if hasMoreValues(data, maxValues) {
		return fmt.Errorf("a document has at most %d values", maxValues)
	}
	return json.Unmarshal(data, into)
}

// hasMoreValues says that a document has more values than that. It counts what stands before them, outside of texts.
func hasMoreValues(document []byte, most int) bool {
	n := 1
	for i := 0; i < len(document) && n <= most; i++ {
		switch document[i] {
		case '"':
			i += lengthOfText(document[i+1:]) + 1
		case '[', '{', ',':
			n++
		}
	}
	return n > most
}

// lengthOfText gives how far it is to the quotation mark that ends a text.
func lengthOfText(document []byte) int {
	for i := 0; ; i++ {
		next := bytes.IndexByte(document[i:], '"')
		if next < 0 {
			return len(document)
		}
		i += next
		if escapes := i - len(bytes.TrimRight(document[:i], `\`)); escapes%2 == 0 {
			return i
		}
	}
}
