package openapi

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strconv"
)

// Kinds of answers. Clients compare the text of XML's whole.
const (
	jsonType = "application/json;charset=utf-8"
	xmlType  = "text/xml;charset=utf-8"
)

// write answers with a document, in the form that was asked for; root is the name of XML's outermost element.
func (c *Call) write(w http.ResponseWriter, status int, root string, document any) {
	body, err := json.Marshal(document)
	kind := jsonType
	if err == nil && c.xml {
		kind = xmlType
		body, err = toXML(root, body)
	}
	if err != nil {
		panic(err) // texts and numbers always have a form
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // nobody is left to tell
}

// toXML gives a JSON document as XML: each member is an element of its name, each entry of a list one of the
// list's name.
func toXML(root string, document []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	out := bytes.NewBufferString(`<?xml version="1.0" encoding="utf-8"?>`)
	err := appendElement(out, root, decoder)
	return out.Bytes(), err
}

// appendElement reads the next value of the document and writes it as elements of that name.
func appendElement(out *bytes.Buffer, name string, from *json.Decoder) error {
	token, err := from.Token()
	if err != nil {
		return err
	}
	switch token {
	case nil:
		return nil
	case json.Delim('['):
		for from.More() {
			if err := appendElement(out, name, from); err != nil {
				return err
			}
		}
		_, err := from.Token()
		return err
	}
	out.WriteString("<" + name + ">")
	if token == json.Delim('{') {
		err = appendMembers(out, from)
	} else {
		err = appendText(out, token)
	}
	out.WriteString("</" + name + ">")
	return err
}

func appendMembers(out *bytes.Buffer, from *json.Decoder) error {
	for from.More() {
		name, err := from.Token()
		if err != nil {
			return err
		}
		if err := appendElement(out, name.(string), from); err != nil { // JSON has no other names
			return err
		}
	}
	_, err := from.Token()
	return err
}

func appendText(out io.Writer, token json.Token) error {
	switch value := token.(type) {
	case bool:
		return xml.EscapeText(out, []byte(strconv.FormatBool(value)))
	case json.Number:
		return xml.EscapeText(out, []byte(value))
	default:
		return xml.EscapeText(out, []byte(value.(string)))
	}
}
