package openapi

import (
	"cmp"
	"context"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/polymq/polymq/protocols/caller"
)

// Typed makes what an Action does of a function that has its parameters in a struct, whose fields have the
// names of the parameters. A field tagged required:"true" must be given. Fields are pointers where an absent
// parameter differs from any value.
func Typed[Req, Document any](do func(context.Context, *Call, *Req) (Document, error)) func(context.Context, *Call) (any, error) {
	return func(ctx context.Context, c *Call) (any, error) {
		req := new(Req)
		if err := bind(c.Parameters, reflect.ValueOf(req).Elem()); err != nil {
			return nil, err
		}
		return do(ctx, c, req)
	}
}

// Parameters are a request's, of the query and the form together.
type Parameters map[string]string

// maxListLength bounds lists that are written as parameters with numbers: Tag.1.Key, Tag.1.Value, …
const maxListLength = 100

// Tag is one of a list of tags.
type Tag struct{ Key, Value string }

func bind(p Parameters, into reflect.Value) error {
	for i := range into.NumField() {
		field, value := into.Type().Field(i), into.Field(i)
		if field.Anonymous {
			if err := bind(p, value); err != nil {
				return err
			}
			continue
		}
		text, given := p[field.Name]
		if list, ok := value.Addr().Interface().(*[]Tag); ok {
			*list = p.Tags(field.Name)
			given = len(*list) > 0
		} else if list, ok := value.Addr().Interface().(*[]string); ok {
			*list = p.List(field.Name)
			given = len(*list) > 0
		} else if given && text != "" {
			if err := set(value, field.Name, text); err != nil {
				return err
			}
		}
		if field.Tag.Get("required") == "true" && (!given || text == "" && value.IsZero()) {
			return Missing(field.Name)
		}
	}
	return nil
}

// set gives a field the value that a text means.
func set(value reflect.Value, name, text string) error {
	switch to := value.Addr().Interface().(type) {
	case *string:
		*to = text
	case **string:
		*to = &text
	case **int:
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return InvalidParameter(name, "must be an integer")
		}
		*to = &n
	case **bool:
		yes, err := parseBool(text)
		if err != nil {
			return InvalidParameter(name, "must be true or false")
		}
		*to = &yes
	default:
		if err := cmp.Or(caller.CheckJSONText([]byte(text)), json.Unmarshal([]byte(text), value.Addr().Interface())); err != nil {
			return InvalidParameter(name, "must be a JSON document of its form")
		}
	}
	return nil
}

// Tags gives a list of tags: NAME.1.Key and NAME.1.Value, and so on.
func (p Parameters) Tags(name string) []Tag {
	var tags []Tag
	for i := 1; i <= maxListLength; i++ {
		key, ok := p[name+"."+strconv.Itoa(i)+".Key"]
		if !ok {
			break
		}
		tags = append(tags, Tag{key, p[name+"."+strconv.Itoa(i)+".Value"]})
	}
	return tags
}

// List gives a list of texts: NAME.1, NAME.2, and so on.
func (p Parameters) List(name string) []string {
	var list []string
	for i := 1; i <= maxListLength; i++ {
		text, ok := p[name+"."+strconv.Itoa(i)]
		if !ok {
			break
		}
		list = append(list, text)
	}
	return list
}

func parseBool(text string) (bool, error) {
	return strconv.ParseBool(strings.ToLower(strings.TrimSpace(text)))
}

// Number is a JSON number, which clients also write as a text.
type Number int

// UnmarshalJSON reads either form.
func (n *Number) UnmarshalJSON(document []byte) error {
	value, err := strconv.Atoi(strings.Trim(string(document), `"`))
	*n = Number(value)
	return err
}

// Boolean is a JSON truth value, which clients also write as a text.
type Boolean bool

// UnmarshalJSON reads either form; an empty text is no.
func (b *Boolean) UnmarshalJSON(document []byte) error {
	text := strings.Trim(string(document), `"`)
	if text == "" {
		return nil
	}
	value, err := parseBool(text)
	*b = Boolean(value)
	return err
}
