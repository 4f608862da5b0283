package caller

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
)

// Bounds of a request's parameters in the audit log.
const (
	maxShown      = 16 << 10 // bytes of JSON
	maxShownText  = 4 << 10  // of one text
	maxShownItems = 100      // of a list or map
	maxShownDepth = 8
)

// hidden stands where a secret was.
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// secretWords are in the names of what nobody is to read in a log; tokens that are none are cursors of lists and
// of repeated requests. bodies are what clients send to each other.
var (
	secretWords = []string{"secret", "password", "credential", "token", "authorization", "privatekey", "smtp", "signature"}
	noSecrets   = []string{"nexttoken", "clienttoken", "clientrequesttoken", "signatureversion", "tokencode"}
	bodies      = []string{"message", "messagebody", "messages", "body", "entries", "messageattributes", "messagesystemattributes", "userproperties", "systemproperties"}
)

var (
	passwordInURL = regexp.MustCompile(`://[^/@\s]+@`)
	secretInQuery = regexp.MustCompile(`(?i)([?&][a-z_-]*(?:secret|password|token|key|signature|auth)[a-z_-]*=)[^&#\s"]+`)
	hookURL       = regexp.MustCompile(`^(\w+://)(?:[^/?#]*@)?([^/?#@]*).*`)
)

// webhooks are names of URLs that are secrets as a whole: who knows one can write to the robot behind it.
var webhooks = []string{"target"}

// shown gives parameters as a JSON object, without secrets and bodies; nil for none.
func shown(parameters any) []byte {
	return encode(show(reflect.ValueOf(parameters), 0))
}

func encode(value any) []byte {
	if object, ok := value.(map[string]any); !ok || len(object) == 0 {
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil || len(text) > maxShown {
		text = fmt.Appendf(nil, `{"omitted":"%d bytes"}`, len(text))
	}
	return text
}

// show gives a value as JSON knows it, nil for what is empty.
func show(v reflect.Value, depth int) any {
	if !v.IsValid() || v.IsZero() || depth > maxShownDepth {
		return nil
	}
	switch value := v.Interface().(type) {
	case core.Secret:
		return hidden
	case time.Time:
		return value.UTC().Format(time.RFC3339)
	case fmt.Stringer:
		return showText(value.String())
	case []byte:
		return showBytes(value)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return show(v.Elem(), depth)
	case reflect.String:
		return showText(v.String())
	case reflect.Bool, reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float64:
		return v.Interface()
	case reflect.Slice, reflect.Array:
		return showList(v, depth)
	case reflect.Map:
		return showMap(v, depth)
	case reflect.Struct:
		object := map[string]any{}
		showFields(v, depth, object)
		return object
	}
	return nil
}

// WithoutPassword gives a text with stars for names and passwords in URLs, and for what is a secret by its name in
// their queries.
func WithoutPassword(text string) string {
	return secretInQuery.ReplaceAllString(passwordInURL.ReplaceAllString(text, "://***@"), "${1}***")
}

// OnlyHost gives no more of a URL than its host, and a text that is none as it is.
func OnlyHost(text string) string { return hookURL.ReplaceAllString(text, "$1$2/…") }

func showText(text string) any {
	text = WithoutPassword(strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > maxShownText {
		text = strings.ToValidUTF8(text[:maxShownText], "") + "…"
	}
	return text
}

func showBytes(value []byte) any {
	if !utf8.Valid(value) {
		return fmt.Sprintf("%d bytes", len(value))
	}
	return showText(string(value))
}

// showList gives a list; one of keys and values is a map.
func showList(v reflect.Value, depth int) any {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return showBytes(v.Bytes())
	}
	n := min(v.Len(), maxShownItems)
	if isPair(v.Type().Elem()) {
		object := map[string]any{}
		for i := range n {
			pair := v.Index(i)
			put(object, pair.Field(0).String(), pair.Field(1), depth)
		}
		return object
	}
	list := make([]any, n)
	for i := range n {
		list[i] = show(v.Index(i), depth+1)
	}
	return list
}

// isPair says that a structure is an entry of a map.
func isPair(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() == 2 && t.Field(0).Name == "Key" && t.Field(1).Name == "Value" && t.Field(0).Type.Kind() == reflect.String
}

func showMap(v reflect.Value, depth int) any {
	object := map[string]any{}
	for _, key := range v.MapKeys() {
		if len(object) == maxShownItems {
			break
		}
		if key.Kind() == reflect.String {
			put(object, key.String(), v.MapIndex(key), depth)
		}
	}
	return object
}

// showFields adds the fields of a structure, named as CloudTrail does: queueName.
func showFields(v reflect.Value, depth int, object map[string]any) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		switch {
		case field.Anonymous && field.Type.Kind() == reflect.Struct:
			showFields(v.Field(i), depth, object)
		case field.IsExported():
			put(object, strings.ToLower(field.Name[:1])+field.Name[1:], v.Field(i), depth)
		}
	}
}

// separators of the words of a name, which protocols set differently.
var separators = strings.NewReplacer("_", "", "-", "")

// put adds a value under its name, unless it is empty or a body.
func put(object map[string]any, name string, v reflect.Value, depth int) {
	value := show(v, depth+1)
	plain := strings.ToLower(separators.Replace(name))
	isSecret := slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(plain, word) }) && !slices.Contains(noSecrets, plain)
	_, hasMembers := value.(map[string]any) // each of which has a name of its own
	text, isText := value.(string)
	switch {
	case value == nil, slices.Contains(bodies, plain):
	case isSecret && !hasMembers:
		object[clip(name, maxShownText)] = hidden
	case isText && slices.Contains(webhooks, plain):
		object[name] = OnlyHost(text)
	default:
		object[strings.ToValidUTF8(clip(name, maxShownText), "")] = value
	}
}

// idEnds are what the names of ids end with.
var idEnds = []string{"url", "arn", "id", "taskhandle", "name", "expiration", "expires_at"}

// idsOf gives the ids in a result as a JSON object; nil for none.
func idsOf(result any) []byte {
	object, ok := show(reflect.ValueOf(result), 0).(map[string]any)
	if !ok {
		return nil
	}
	return encode(onlyIDs(object))
}

func onlyIDs(object map[string]any) map[string]any {
	kept := map[string]any{}
	for name, value := range object {
		switch value := value.(type) {
		case string:
			lower := strings.ToLower(name)
			if lower != "requestid" && slices.ContainsFunc(idEnds, func(end string) bool { return strings.HasSuffix(lower, end) }) {
				kept[name] = value
			}
		case map[string]any:
			if inner := onlyIDs(value); len(inner) > 0 {
				kept[name] = inner
			}
		}
	}
	return kept
}

// named gives the ARNs among the fields of a structure, and those of queues that are named by name.
func (c *Caller) named(value any) []string {
	object, _ := show(reflect.ValueOf(value), 0).(map[string]any)
	var resources []string
	for name, value := range object {
		text, _ := value.(string)
		switch {
		case text == "":
		case strings.HasSuffix(strings.ToLower(name), "arn") && (strings.HasPrefix(text, "arn:") || strings.HasPrefix(text, "acs:")):
			resources = append(resources, text)
		case name == "queueName":
			resources = append(resources, c.QueueARN(text))
		case name == "topicName":
			resources = append(resources, c.TopicARN(text))
		}
	}
	slices.Sort(resources)
	return resources
}

// QueueARN gives the ARN of a queue of the caller's.
func (c *Caller) QueueARN(name string) string {
	return "arn:aws:sqs:" + c.Region + ":" + c.Account + ":" + name
}

// TopicARN gives the ARN of a topic of the caller's.
func (c *Caller) TopicARN(name string) string {
	return "arn:aws:sns:" + c.Region + ":" + c.Account + ":" + name
}
