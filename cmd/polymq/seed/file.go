package seed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/polymq/polymq/protocols/api"
)

// Fields are an entry: the body of the request that makes it, as decoded from JSON.
type Fields map[string]any

// Document declares what one account has in one region. A section that is nil is not declared.
type Document struct {
	Account string // "": the caller's
	Region  string // likewise

	Accounts []Fields
	Queues   []Fields
	Topics   []Fields // with their subscriptions under that name
	Keys     []Fields

	Policies []Fields
	Groups   []Fields
	Users    []Fields
	Roles    []Fields
	Alerts   []Fields
}

// section is a section of a document.
type section struct {
	name    string
	kind    *kind
	entries *[]Fields
}

// sections are in the order in which they are made.
func (d *Document) sections() []section {
	return []section{
		{"accounts", accounts, &d.Accounts}, {"queues", queues, &d.Queues}, {"topics", topics, &d.Topics}, {"policies", policies, &d.Policies}, {"groups", groups, &d.Groups},
		{"users", users, &d.Users}, {"roles", roles, &d.Roles}, {"keys", keys, &d.Keys}, {"alerts", alerts, &d.Alerts},
	}
}

// MaxBytes bounds a file.
const MaxBytes = 16 << 20

// subscriptionsField is where a topic has its subscriptions.
const subscriptionsField = "subscriptions"

// Parse reads a file and checks all of it. variable gives environment variables.
func Parse(text []byte, variable func(string) (string, bool)) ([]Document, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("the file has %d bytes, it may have %d", len(text), MaxBytes)
	}
	var documents []Document
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var node yaml.Node
		if err := decoder.Decode(&node); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if err := substitute(&node, variable); err != nil {
			return nil, err
		}
		document, err := decode(&node)
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	requests := api.NewRequests()
	var faults []error
	for i := range documents {
		faults = append(faults, documents[i].check(requests)...)
	}
	return documents, errors.Join(faults...)
}

// reference is ${NAME}, ${NAME:-text}, or $${ which is ${ itself.
var reference = regexp.MustCompile(`\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`)

// substitute puts environment variables into the texts below a node.
func substitute(node *yaml.Node, variable func(string) (string, bool)) error {
	for _, child := range node.Content {
		if err := substitute(child, variable); err != nil {
			return err
		}
	}
	if node.Kind != yaml.ScalarNode || !strings.Contains(node.Value, "${") {
		return nil
	}
	var missing error
	node.Value = reference.ReplaceAllStringFunc(node.Value, func(match string) string {
		if match == "$${" {
			return "${"
		}
		parts := reference.FindStringSubmatch(match)
		value, ok := variable(parts[1])
		if !ok && parts[2] == "" {
			missing = fmt.Errorf("line %d: the environment variable %s is not set; ${%s:-text} gives it a default", node.Line, parts[1], parts[1])
		}
		if !ok {
			value = parts[3]
		}
		return value
	})
	if node.Style == 0 { // without quotes it may be a number
		node.Tag = ""
	}
	return missing
}

// document is a Document in YAML.
type document struct {
	Account  string               `yaml:"account"`
	Region   string               `yaml:"region"`
	Sections map[string]*[]Fields `yaml:",inline"`
}

func decode(node *yaml.Node) (Document, error) {
	var d document
	if err := node.Decode(&d); err != nil {
		return Document{}, err
	}
	result := Document{Account: d.Account, Region: d.Region}
	known := []string{"account", "region"}
	for _, section := range result.sections() {
		known = append(known, section.name)
		declared := d.Sections[section.name]
		delete(d.Sections, section.name)
		if declared == nil {
			continue
		}
		entries, err := normal(*declared)
		if err != nil {
			return Document{}, err
		}
		if section.kind == keys {
			for _, key := range entries {
				if key["secret"] == "" { // a variable that is not set
					delete(key, "secret")
				}
			}
		}
		*section.entries = entries
	}
	for name := range d.Sections {
		return Document{}, fmt.Errorf("%s: there is no such section, there are %s", name, strings.Join(known, ", "))
	}
	return result, nil
}

// normal gives entries as if they came from JSON, so that they can be compared with what the API shows.
func normal(entries []Fields) ([]Fields, error) {
	text, err := json.Marshal(entries)
	if err != nil {
		return nil, err
	}
	decoded := []Fields{} // declared, even if there are none
	return decoded, json.Unmarshal(text, &decoded)
}

// check says what is wrong with a document.
func (d *Document) check(requests *api.Requests) []error {
	var faults []error
	section := func(k *kind, where string, entries []Fields) {
		known := map[string]bool{}
		for i, entry := range entries {
			name := k.id(entry)
			label := fmt.Sprintf("%s %q", k.name, name)
			if name == "" {
				label = fmt.Sprintf("%s%s %d", where, k.name, i+1)
			}
			if known[name] && name != "" {
				faults = append(faults, fmt.Errorf("%s is declared twice", label))
			}
			known[name] = true
			if err := errors.Join(requests.Check(k.create, entry.without(k.besides...)), k.checkRelations(entry)); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", label, err))
			}
		}
	}
	for _, s := range d.sections() {
		section(s.kind, "", *s.entries)
	}
	for _, topic := range d.Topics {
		declared, err := topic.subscriptions()
		if err != nil {
			faults = append(faults, err)
		}
		section(subscriptions, fmt.Sprintf("topic %q, ", topic.text("name")), declared)
	}
	return faults
}

// subscriptions gives those of a topic, nil where they are not declared.
func (f Fields) subscriptions() ([]Fields, error) {
	declared, ok := f[subscriptionsField]
	if !ok {
		return nil, nil
	}
	list, ok := declared.([]any)
	entries := make([]Fields, 0, len(list))
	for _, element := range list {
		entry, isEntry := element.(map[string]any)
		ok = ok && isEntry
		entries = append(entries, entry)
	}
	if !ok {
		return nil, fmt.Errorf("topic %q: subscriptions must be a list of entries", f.text("name"))
	}
	return entries, nil
}

func (f Fields) text(name string) string {
	text, _ := f[name].(string) // "" where it is none
	return text
}

// without gives the fields but some.
func (f Fields) without(names ...string) Fields {
	rest := Fields{}
	for name, value := range f {
		rest[name] = value
	}
	for _, name := range names {
		delete(rest, name)
	}
	return rest
}
