package awscli

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
)

// set gives a member the values behind its option.
func set(field reflect.Value, values []string) error {
	if len(values) == 0 {
		return errors.New("expected one argument")
	}
	text, err := content(values[0])
	if err != nil {
		return err
	}
	isList := field.Kind() == reflect.Slice && field.Type().Elem().Kind() != reflect.Uint8
	switch {
	case len(values) == 1 && isCompound(field) && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")):
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			return fmt.Errorf("invalid JSON: %w", err)
		}
		if _, one := value.(map[string]any); one && isList {
			value = []any{value}
		}
		return assign(field, value)
	case isList:
		list := make([]any, len(values))
		for i, text := range values {
			if list[i], err = shorthand(text, field.Type().Elem()); err != nil {
				return err
			}
		}
		return assign(field, list)
	case len(values) > 1:
		return fmt.Errorf("unexpected %q", values[1])
	}
	value, err := shorthand(text, field.Type())
	if err != nil {
		return err
	}
	return assign(field, value)
}

// content reads file://PATH.
func content(text string) (string, error) {
	path, isFile := strings.CutPrefix(text, "file://")
	if path == text {
		path, isFile = strings.CutPrefix(text, "fileb://")
	}
	if !isFile {
		return text, nil
	}
	raw, err := os.ReadFile(path)
	return strings.TrimSpace(string(raw)), err
}

// isCompound reports whether a member is a list, a map or a structure.
func isCompound(field reflect.Value) bool {
	t := field.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Map || t.Kind() == reflect.Struct || t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8
}

// assign puts a value, as JSON or the shorthand gave it, into a member.
func assign(field reflect.Value, value any) error {
	t := field.Type()
	switch t.Kind() {
	case reflect.Pointer:
		target := reflect.New(t.Elem())
		if err := assign(target.Elem(), value); err != nil {
			return err
		}
		field.Set(target)
		return nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			raw, err := base64.StdEncoding.DecodeString(fmt.Sprint(value))
			field.SetBytes(raw)
			return err
		}
		list, ok := value.([]any)
		if !ok {
			return fmt.Errorf("expected a list, got %v", value)
		}
		field.Set(reflect.MakeSlice(t, len(list), len(list)))
		for i, item := range list {
			if err := assign(field.Index(i), item); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		return assignMap(field, value)
	case reflect.Struct:
		object, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf("expected members, got %v", value)
		}
		for name, item := range object {
			inner := member(field, name)
			if !inner.IsValid() {
				return fmt.Errorf("unknown member %q", name)
			}
			if err := assign(inner, item); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	}
	return assignScalar(field, value)
}

func assignMap(field reflect.Value, value any) error {
	object, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("expected a map, got %v", value)
	}
	t := field.Type()
	field.Set(reflect.MakeMapWithSize(t, len(object)))
	for name, item := range object {
		element := reflect.New(t.Elem()).Elem()
		if err := assign(element, item); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		field.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), element)
	}
	return nil
}

func assignScalar(field reflect.Value, value any) (err error) {
	text, isText := value.(string)
	if !isText {
		raw, err := json.Marshal(value) // numbers without an exponent, and maps that a text member takes as JSON
		if err != nil {
			return err
		}
		text = string(raw)
	}
	switch field.Kind() {
	case reflect.String:
		field.SetString(text)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		field.SetBool(b)
	case reflect.Int32, reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(text, 10, field.Type().Bits())
		field.SetInt(n)
	default:
		err = fmt.Errorf("a value of kind %v cannot be given here", field.Kind())
	}
	return err
}

// shorthand reads KEY=VALUE,… where a map or a structure is wanted; any other value is a text.
func shorthand(text string, t reflect.Type) (any, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Map && t.Kind() != reflect.Struct {
		return text, nil
	}
	if strings.HasPrefix(text, "{") {
		var value any
		err := json.Unmarshal([]byte(text), &value)
		return value, err
	}
	p := &parser{rest: text}
	object, err := p.members("")
	if err == nil && p.rest != "" {
		err = fmt.Errorf("expected ',', received %q in %q", p.rest[:1], text)
	}
	return object, err
}

// parser reads the shorthand: KEY=VALUE,KEY={…},KEY=[…,…],KEY='a, b'.
type parser struct{ rest string }

func (p *parser) members(end string) (map[string]any, error) {
	object := map[string]any{}
	for {
		key, rest, ok := strings.Cut(p.rest, "=")
		if !ok {
			return nil, fmt.Errorf("expected '=' behind %q", p.rest)
		}
		p.rest = rest
		value, err := p.value(end)
		if err != nil {
			return nil, err
		}
		object[strings.TrimSpace(key)] = value
		if !p.skip(",") {
			return object, nil
		}
	}
}

// value reads up to a comma or the bracket that is open.
func (p *parser) value(end string) (any, error) {
	switch {
	case p.skip("{"):
		object, err := p.members("}")
		if err == nil && !p.skip("}") {
			err = errors.New("expected '}'")
		}
		return object, err
	case p.skip("["):
		var list []any
		for {
			item, err := p.value("]")
			if err != nil {
				return nil, err
			}
			list = append(list, item)
			if p.skip(",") {
				continue
			}
			if !p.skip("]") {
				return nil, errors.New("expected ']'")
			}
			return list, nil
		}
	case strings.HasPrefix(p.rest, "'"), strings.HasPrefix(p.rest, `"`):
		text, rest, ok := strings.Cut(p.rest[1:], p.rest[:1])
		if !ok {
			return nil, fmt.Errorf("expected %s", p.rest[:1])
		}
		p.rest = rest
		return text, nil
	}
	i := strings.IndexAny(p.rest, ","+end)
	if i < 0 {
		i = len(p.rest)
	}
	text := p.rest[:i]
	p.rest = p.rest[i:]
	return text, nil
}

func (p *parser) skip(token string) bool {
	rest, ok := strings.CutPrefix(p.rest, token)
	p.rest = rest
	return ok
}
