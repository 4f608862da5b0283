package mns

import (
	"bytes"
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/polymq/polymq/core"
)

// action takes its parameters out of a request and does what they ask for.
type action func(s *Server, ctx context.Context, c *call, in *request) (response, error)

// typed makes an action of a function that has its parameters in a struct. Tags on the fields say
// where each comes from: xml:"Element", query:"parameter", header:"name", as the manual spells it. Fields are pointers where
// an absent parameter differs from any value.
func typed[Req any, Resp response](do func(*Server, context.Context, *call, *Req) (Resp, error)) action {
	fields := fieldsOf(reflect.TypeFor[Req]())
	return func(s *Server, ctx context.Context, c *call, in *request) (response, error) {
		req := new(Req)
		if err := bind(in, fields, reflect.ValueOf(req).Elem()); err != nil {
			return nil, err
		}
		c.request = req
		resp, err := do(s, ctx, c, req)
		if err != nil {
			return nil, err
		}
		return resp, nil
	}
}

// field is where one parameter goes.
type field struct {
	index  int
	source string // xml, query or header
	name   string
	key    string  // by which it is found: parameters are known in lower case, headers in Go's own
	fields []field // of the struct, or of the slice's structs, that an element with elements becomes
}

func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := field{index: i}
		for _, f.source = range []string{"xml", "query", "header"} {
			if f.name = t.Field(i).Tag.Get(f.source); f.name != "" {
				break
			}
		}
		switch f.source {
		case "query":
			f.key = strings.ToLower(f.name)
		case "header":
			f.key = http.CanonicalHeaderKey(f.name)
		}
		inner := t.Field(i).Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			f.fields = fieldsOf(inner)
		}
		fields = append(fields, f)
	}
	return fields
}

func bind(in *request, fields []field, into reflect.Value) error {
	if len(in.json) > 0 {
		if err := readJSON(in.json, into.Addr().Interface()); err != nil {
			return err
		}
	}
	for _, f := range fields {
		var value string
		given := false
		switch f.source {
		case "query":
			value, given = in.query.get(f.key)
		case "header":
			value = in.header.Get(f.key)
			given = value != ""
		}
		if !given {
			continue
		}
		if err := set(into.Field(f.index), f.name, []byte(value)); err != nil {
			return err
		}
	}
	if in.doc == nil {
		return nil
	}
	if err := bindElements(in.doc, fields, into); err != nil {
		return err
	}
	return in.doc.end()
}

// bindElements reads what is left of the current element into a struct. Elements may come in any
// order; unknown ones are passed over.
func bindElements(doc *scanner, fields []field, into reflect.Value) error {
	for {
		name, ok, err := doc.child()
		if err != nil || !ok {
			return err
		}
		err = bindElement(doc, name, fields, into)
		if err != nil {
			return err
		}
	}
}

func bindElement(doc *scanner, name string, fields []field, into reflect.Value) error {
	for i := range fields {
		f := &fields[i]
		if f.name != name || f.source != "xml" {
			continue
		}
		value := into.Field(f.index)
		if f.fields == nil {
			text, err := doc.text()
			if err != nil {
				return err
			}
			return set(value, name, text)
		}
		if value.Kind() == reflect.Slice {
			if value.Len() == maxElements {
				return errTooManyElements
			}
			value.Grow(1)
			value.SetLen(value.Len() + 1)
			value = value.Index(value.Len() - 1)
		}
		return bindElements(doc, f.fields, value)
	}
	return doc.skip()
}

// set gives a field the value that a text means.
func set(value reflect.Value, name string, word []byte) error {
	switch to := value.Addr().Interface().(type) {
	case *text:
		*to = word
	case *string:
		*to = string(word)
	case **string:
		s := string(word)
		*to = &s
	case *list[string]:
		if len(*to) == maxElements {
			return errTooManyElements
		}
		*to = append(*to, string(word))
	case **int:
		n, err := strconv.Atoi(string(bytes.TrimSpace(word)))
		if err != nil {
			return core.Errorf(core.InvalidArgument, "%s must be an integer, was %.40q", name, word)
		}
		*to = &n
	case **bool:
		s := string(bytes.TrimSpace(word))
		yes := strings.EqualFold(s, "true")
		if !yes && !strings.EqualFold(s, "false") {
			return core.Errorf(core.InvalidArgument, "%s must be True or False, was %.40q", name, s)
		}
		*to = &yes
	default:
		panic("mns: a parameter of type " + value.Type().String()) // a fault of the struct, found by the first test
	}
	return nil
}
