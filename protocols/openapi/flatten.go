package openapi

import (
	"encoding/json"
	"net/url"
	"strconv"
)

// flatten gives the members of a JSON document as parameters. A list is one element by element too, as NAME.1, and
// where its elements are documents as NAME.1.Key.
func flatten(document []byte) (url.Values, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(document, &members); err != nil {
		return nil, err
	}
	form := url.Values{}
	for name, value := range members {
		put(form, name, value)
		var list []json.RawMessage
		if json.Unmarshal(value, &list) != nil {
			continue
		}
		for i, element := range list[:min(len(list), maxListLength)] {
			numbered := name + "." + strconv.Itoa(i+1)
			put(form, numbered, element)
			var parts map[string]json.RawMessage
			if json.Unmarshal(element, &parts) != nil {
				continue
			}
			for part, of := range parts {
				put(form, numbered+"."+part, of)
			}
		}
	}
	return form, nil
}

// put sets a parameter to what a JSON value says: a text to itself, null to nothing, all else to its document.
func put(form url.Values, name string, value json.RawMessage) {
	var text *string
	switch {
	case json.Unmarshal(value, &text) != nil:
		form.Set(name, string(value))
	case text != nil:
		form.Set(name, *text)
	}
}
