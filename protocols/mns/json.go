package mns

import (
	"bytes"
	"encoding/json"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// text is what an element holds, as it stands in the request.
type text []byte

// UnmarshalJSON reads a string.
func (t *text) UnmarshalJSON(document []byte) error {
	var s string
	if err := json.Unmarshal(document, &s); err != nil {
		return err
	}
	*t = text(s)
	return nil
}

// maxElements bounds every list of a request. The longest that means something has 50 elements; one
// more than each list's own bound must fit, to be refused by that.
const maxElements = 128

// list is a repeated element: in JSON, an array.
type list[T any] []T

// UnmarshalJSON reads an array of at most maxElements.
func (l *list[T]) UnmarshalJSON(document []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(document))
	if token, err := decoder.Token(); err != nil || token != json.Delim('[') {
		return badJSON(err)
	}
	*l = nil
	for decoder.More() {
		if len(*l) == maxElements {
			return errTooManyElements
		}
		var element T
		if err := decoder.Decode(&element); err != nil {
			return err
		}
		*l = append(*l, element)
	}
	return nil
}

// jsonProperty is a property in JSON, where its name is the member's.
type jsonProperty struct{ DataType, StringValue, BinaryValue string }

// readProperties reads an object of properties.
func readProperties(document []byte) (list[property], error) {
	if bytes.Equal(document, []byte("null")) {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, badJSON(err)
	}
	var properties list[property]
	for decoder.More() {
		if len(properties) == maxElements {
			return nil, errTooManyElements
		}
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value jsonProperty
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		p := property{Name: name.(string), Value: value.StringValue, Type: value.DataType} // a member's name is a string
		if p.Type == typeBinary {
			p.Value = value.BinaryValue
		}
		properties = append(properties, p)
	}
	return properties, nil
}

// UnmarshalJSON reads an object whose members are the properties.
func (u *userProperties) UnmarshalJSON(document []byte) (err error) {
	u.PropertyValue, err = readProperties(document)
	return err
}

// UnmarshalJSON reads an object whose members are the properties.
func (s *systemProperties) UnmarshalJSON(document []byte) (err error) {
	s.SystemPropertyValue, err = readProperties(document)
	return err
}

var errTooManyElements = core.Errorf(core.InvalidArgument, "a list has at most %d elements", maxElements)

// badJSON says that a document is not what the action takes.
func badJSON(err error) error {
	message := "the body is not a JSON document of this action's form"
	if core.CodeOf(err) == core.InvalidArgument {
		return err
	}
	return core.Wrap(core.InvalidArgument, err, message)
}

// readJSON reads a document into an action's parameters; their names are those of the elements.
func readJSON(document []byte, into any) error {
	if err := caller.CheckJSONText(document); err != nil {
		return core.Errorf(core.InvalidArgument, "%v", err)
	}
	if err := json.Unmarshal(document, into); err != nil {
		return badJSON(err)
	}
	return nil
}

// rootOf gives what stands for the root element's name in a JSON document: Messages where there is a
// batch of them, "" otherwise.
func rootOf(document []byte) string {
	var batch struct{ Messages json.RawMessage }
	if json.Unmarshal(document, &batch) == nil && len(batch.Messages) > 0 && batch.Messages[0] == '[' {
		return "Messages"
	}
	return ""
}
