package aws

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxParameters bounds a request's parameters, whatever its size; ten messages with ten
// attributes each have less than five hundred.
const maxParameters = 5000

// Parameters are those of a request of the query protocol, sorted by name.
type Parameters []Parameter

// Parameter is one name and its value.
type Parameter struct{ Name, Value string }

// ParseParameters reads the parameters of a request, each text being a URL's query or a form's
// body. Of parameters of the same name the first one counts.
func ParseParameters(texts ...string) (Parameters, error) {
	var all Parameters
	for _, text := range texts {
		for text != "" {
			var pair string
			if pair, text, _ = strings.Cut(text, "&"); pair == "" {
				continue
			}
			if len(all) == maxParameters {
				return nil, &DecodeError{Reason: fmt.Sprintf("there are more than %d parameters", maxParameters), Malformed: true}
			}
			name, value, _ := strings.Cut(pair, "=")
			name, err := url.QueryUnescape(name)
			if err != nil {
				return nil, &DecodeError{Reason: err.Error(), Malformed: true}
			}
			if value, err = url.QueryUnescape(value); err != nil {
				return nil, &DecodeError{Member: name, Reason: err.Error(), Malformed: true}
			}
			all = append(all, Parameter{name, value})
		}
	}
	slices.SortStableFunc(all, func(a, b Parameter) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// Get gives a parameter's value.
func (p Parameters) Get(name string) (value string, ok bool) {
	if i := p.search(name); i < len(p) && p[i].Name == name {
		return p[i].Value, true
	}
	return "", false
}

func (p Parameters) search(name string) int {
	return sort.Search(len(p), func(i int) bool { return p[i].Name >= name })
}

// under gives the parameters whose names begin with prefix.
func (p Parameters) under(prefix string) Parameters {
	p = p[p.search(prefix):]
	return p[:sort.Search(len(p), func(i int) bool { return !strings.HasPrefix(p[i].Name, prefix) })]
}

// indexes gives the numbers N of the parameters prefix.N…, in order. A number that cannot be read is an error: what it
// is of would be missing otherwise, and nobody told.
func (p Parameters) indexes(prefix string) ([]int, error) {
	var found []int
	for _, parameter := range p.under(prefix + ".") {
		digits, _, _ := strings.Cut(parameter.Name[len(prefix)+1:], ".")
		if digits == "" || strings.Trim(digits, "0123456789") != "" {
			continue // a parameter of another kind
		}
		n, err := strconv.ParseUint(digits, 10, 31)
		if err != nil || len(digits) > 1 && digits[0] == '0' {
			return nil, &DecodeError{Member: parameter.Name, Reason: fmt.Sprintf("its number must be at most %d and begin with no 0", math.MaxInt32), Malformed: true}
		}
		found = append(found, int(n))
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// DecodeParameters reads parameters into the structure that into points to. Parameters that the
// structure has no member for are passed over.
func (s *Shape) DecodeParameters(p Parameters, into any) error {
	return s.readParameters(p, "", reflect.ValueOf(into).Elem())
}

// readParameters reads the members of a structure from the parameters that begin with prefix.
func (s *Shape) readParameters(p Parameters, prefix string, into reflect.Value) error {
	for i := range s.fields {
		f := &s.fields[i]
		for _, name := range f.query {
			found, err := f.readParameter(p, prefix+name, into.FieldByIndex(f.index))
			if err != nil {
				return err
			}
			if found {
				break
			}
		}
	}
	return nil
}

func (f *field) readParameter(p Parameters, name string, into reflect.Value) (found bool, err error) {
	switch f.shape.kind {
	case kindList:
		names, err := f.elements(p, name)
		if err != nil {
			return true, err
		}
		for _, name := range names {
			if _, err := f.shape.elem.readValue(p, name, appendZero(into)); err != nil {
				return true, err
			}
		}
		return len(names) > 0, nil
	case kindMap:
		names, err := f.elements(p, name)
		if err != nil {
			return true, err
		}
		for _, name := range names {
			if err := f.readEntry(p, name+".", appendZero(into)); err != nil {
				return true, err
			}
		}
		return len(names) > 0, nil
	}
	return f.shape.readValue(p, name, into)
}

// elements gives the names of the parameters of a list's elements or a map's entries, in order. The only one may be without a
// number, as in "AttributeName=All" and "Attribute.Name=…&Attribute.Value=…" of old clients.
func (f *field) elements(p Parameters, name string) ([]string, error) {
	indexes, err := p.indexes(name)
	if err != nil {
		return nil, err
	}
	if len(indexes) == 0 && f.isAlone(p, name) {
		return []string{name}, nil
	}
	names := make([]string, len(indexes))
	for i, n := range indexes {
		names[i] = name + "." + strconv.Itoa(n)
	}
	return names, nil
}

func (f *field) isAlone(p Parameters, name string) (found bool) {
	if f.shape.kind == kindList {
		_, found = p.Get(name)
		return found && f.shape.elem.kind != kindStruct
	}
	for _, key := range f.key {
		if _, found = p.Get(name + "." + key); found {
			break
		}
	}
	return found
}

// readEntry reads the entry of a map whose parameters begin with prefix.
func (f *field) readEntry(p Parameters, prefix string, pair reflect.Value) error {
	for _, name := range f.key {
		if key, found := p.Get(prefix + name); found {
			if err := setString(pair.Field(0), prefix+name, key); err != nil {
				return err
			}
			break
		}
	}
	for _, name := range f.value {
		if found, err := f.shape.elem.readValue(p, prefix+name, pair.Field(1)); found || err != nil {
			return err
		}
	}
	return nil
}

// readValue reads a value that has a parameter of its own, or a structure of several.
func (s *Shape) readValue(p Parameters, name string, into reflect.Value) (found bool, err error) {
	if s.kind == kindStruct {
		if len(p.under(name+".")) == 0 {
			return false, nil
		}
		return true, s.readParameters(p, name+".", into)
	}
	text, ok := p.Get(name)
	if !ok {
		return false, nil
	}
	if s.pointer {
		value := reflect.New(into.Type().Elem())
		into.Set(value)
		into = value.Elem()
	}
	switch s.kind {
	case kindString:
		return true, setString(into, name, text)
	case kindText:
		into.SetBytes([]byte(text))
	case kindBlob:
		return true, setBlob(into, name, []byte(text))
	case kindInt:
		return true, setInt(into, name, []byte(text))
	case kindBool:
		into.SetBool(strings.EqualFold(text, "true"))
	default:
		panic("aws: a list of lists or maps has no parameters")
	}
	return true, nil
}

func setString(into reflect.Value, name, text string) error {
	if !utf8.ValidString(text) {
		return &DecodeError{Member: name, Reason: "it is not valid UTF-8", Malformed: true}
	}
	into.SetString(text)
	return nil
}
