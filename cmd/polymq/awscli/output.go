package awscli

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmespath/go-jmespath"
)

// lowered are members that the service spells with a lower-case letter, by the type that has them.
var lowered = map[string]string{"ListDeadLetterSourceQueuesOutput.QueueUrls": "queueUrls"}

// write prints an operation's output. Nothing is printed where there is nothing.
func write(out io.Writer, output reflect.Value, line line) error {
	value := plain(output)
	if object, ok := value.(map[string]any); ok && len(object) == 0 && line.query == "" {
		return nil
	}
	if line.query != "" {
		var err error
		if value, err = jmespath.Search(line.query, value); err != nil {
			return fmt.Errorf("bad value for --query %s: %w", line.query, err)
		}
	}
	switch line.output {
	case "json":
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "    ")
		return encoder.Encode(value)
	case "text":
		var text strings.Builder
		writeText(&text, value, "")
		_, err := io.WriteString(out, text.String())
		return err
	}
	return fmt.Errorf("argument --output: json or text, not %q", line.output)
}

// plain gives a value as JSON knows it, without members that are absent.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	case reflect.Struct:
		if t, isTime := v.Interface().(time.Time); isTime {
			return t.Format(time.RFC3339)
		}
		object := map[string]any{}
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() || field.Name == "ResultMetadata" || isAbsent(v.Field(i)) {
				continue
			}
			name := field.Name
			if low, ok := lowered[v.Type().Name()+"."+name]; ok {
				name = low
			}
			object[name] = plain(v.Field(i))
		}
		return object
	case reflect.Slice:
		if raw, isBytes := v.Interface().([]byte); isBytes {
			return base64.StdEncoding.EncodeToString(raw)
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i))
		}
		return list
	case reflect.Map:
		object := map[string]any{}
		for _, key := range v.MapKeys() {
			object[key.String()] = plain(v.MapIndex(key))
		}
		return object
	case reflect.Int32, reflect.Int64:
		return float64(v.Int()) // as decoded JSON has it, for queries
	case reflect.String:
		return v.String()
	}
	return v.Interface()
}

func isAbsent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return v.IsNil()
	case reflect.String:
		return v.String() == "" // an enumeration without a value
	}
	return false
}

// writeText prints a value as --output text does: scalars of an object or a list in one line, separated by
// tabs, and what is nested in lines of its own behind its name.
func writeText(out *strings.Builder, value any, name string) {
	switch value := value.(type) {
	case map[string]any:
		var scalars, nested []string
		for key, item := range value {
			if isNested(item) {
				nested = append(nested, key)
			} else {
				scalars = append(scalars, key)
			}
		}
		slices.Sort(scalars)
		slices.Sort(nested)
		var words []string
		if name != "" {
			words = append(words, strings.ToUpper(name))
		}
		for _, key := range scalars {
			words = append(words, scalarText(value[key]))
		}
		if len(scalars) > 0 {
			out.WriteString(strings.Join(words, "\t") + "\n")
		}
		for _, key := range nested {
			writeText(out, value[key], key)
		}
	case []any:
		writeTextList(out, value, name)
	default:
		out.WriteString(scalarText(value) + "\n")
	}
}

func writeTextList(out *strings.Builder, list []any, name string) {
	if slices.ContainsFunc(list, isNested) {
		for _, item := range list {
			writeText(out, item, name)
		}
		return
	}
	words := make([]string, len(list))
	for i, item := range list {
		words[i] = scalarText(item)
	}
	if name == "" {
		out.WriteString(strings.Join(words, "\t") + "\n")
		return
	}
	for _, word := range words { // each behind the list's name
		out.WriteString(strings.ToUpper(name) + "\t" + word + "\n")
	}
}

func isNested(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

func scalarText(value any) string {
	switch value := value.(type) {
	case nil:
		return "None"
	case bool:
		return strings.ToUpper(strconv.FormatBool(value)[:1]) + strconv.FormatBool(value)[1:]
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}
