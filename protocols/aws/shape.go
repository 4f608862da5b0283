package aws

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Text is a string that may be large. When read from JSON it may be a part of the request and
// not a copy, and it is not checked: its user says which characters are allowed.
type Text []byte

// Map is a map in the order in which it came, or is to be written. Keys may repeat.
type Map[V any] []Pair[V]

// Pair is one entry of a Map.
type Pair[V any] struct {
	Key   string
	Value V
}

func (Map[V]) isMap() {}

// Get gives the value of the last entry of that key.
func (m Map[V]) Get(key string) (value V, ok bool) {
	for _, pair := range slices.Backward(m) {
		if pair.Key == key {
			return pair.Value, true
		}
	}
	return value, false
}

// kind is how a value travels.
type kind int

const (
	kindString kind = iota
	kindText
	kindBlob // base64 in every form
	kindInt
	kindBool
	kindList
	kindMap
	kindStruct
)

// Shape is how a type of Go travels.
type Shape struct {
	kind    kind
	pointer bool
	elem    *Shape  // of a list, or of a map's values
	fields  []field // of a structure
}

// field is one member of a structure.
type field struct {
	index []int
	json  string
	query []string // the first is what is written
	path  []string // the first, as elements in XML
	key   []string // names of the two parts of a map's entry, likewise
	value []string
	shape *Shape
	shown bool // in JSON also where it is empty
}

// ShapeOf works out the shape of a structure. It panics on a type that does not travel: that is
// a fault of the program.
func ShapeOf[T any]() *Shape { return shapeOf(reflect.TypeFor[T]()) }

// Empty says that a structure has no members.
func (s *Shape) Empty() bool { return len(s.fields) == 0 }

var (
	textType = reflect.TypeFor[Text]()
	blobType = reflect.TypeFor[[]byte]()
	mapType  = reflect.TypeFor[interface{ isMap() }]()
)

func shapeOf(t reflect.Type) *Shape {
	switch {
	case t == textType:
		return &Shape{kind: kindText}
	case t == blobType:
		return &Shape{kind: kindBlob}
	case t.Implements(mapType):
		value, _ := t.Elem().FieldByName("Value")
		return &Shape{kind: kindMap, elem: shapeOf(value.Type)}
	}
	switch t.Kind() {
	case reflect.String:
		return &Shape{kind: kindString}
	case reflect.Int:
		return &Shape{kind: kindInt}
	case reflect.Bool:
		return &Shape{kind: kindBool}
	case reflect.Slice:
		return &Shape{kind: kindList, elem: shapeOf(t.Elem())}
	case reflect.Struct:
		return &Shape{kind: kindStruct, fields: fieldsOf(t)}
	case reflect.Pointer:
		s := shapeOf(t.Elem())
		if s.kind == kindString || s.kind == kindInt || s.kind == kindBool {
			s.pointer = true
			return s
		}
	}
	panic(fmt.Sprintf("aws: a value of type %v does not travel", t))
}

// fieldsOf gives the members of a structure, with those of structures that are embedded in it.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous || !f.IsExported() {
			continue
		}
		member := field{index: f.Index, json: f.Name, shape: shapeOf(f.Type)}
		if name := f.Tag.Get("json"); name != "" {
			member.json = name
		}
		member.shown = f.Tag.Get("shown") == "always"
		member.setQuery(f.Name, f.Tag.Get("query"))
		fields = append(fields, member)
	}
	return fields
}

// setQuery takes "Name|Alternative,Key|Alternative,Value|Alternative" apart.
func (f *field) setQuery(name, tag string) {
	names, parts, _ := strings.Cut(tag, ",")
	key, value, _ := strings.Cut(parts, ",")
	if names == "" {
		names = name
	}
	if f.shape.kind == kindMap && value == "" {
		panic("aws: the map " + name + " needs a tag with names for key and value")
	}
	f.key, f.value = strings.Split(key, "|"), strings.Split(value, "|")
	f.query = strings.Split(names, "|")
	f.path = strings.Split(f.query[0], ".")
}
