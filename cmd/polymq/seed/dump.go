package seed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/protocols/api"
)

// Dump gives what an account has in a region as the document that declares it, and notes: what of it cannot be
// declared, and which variables stand for its secrets. With secrets there are none for those that the server shows.
func Dump(ctx context.Context, server *client.Client, secrets bool) (d Document, notes []string, err error) {
	a := &applying{ctx: ctx, server: server}
	d = Document{Account: server.Account, Region: server.Region}
	section := func(k *kind, path []string) ([]Fields, error) {
		shown, err := a.shown(k, path)
		if k.global && client.CodeOf(err) == "AccessDenied" {
			notes = append(notes, "left out: the accounts, which only administrators of all see")
			return []Fields{}, nil
		}
		entries := []Fields{}
		for _, name := range sorted(shown) {
			if k == accounts && server.Account != "" && name != server.Account {
				continue
			}
			if entry, ok := k.declared(shown[name]); ok {
				entries = append(entries, entry)
			} else if k.missed(shown[name]) {
				notes = append(notes, leftOut(k, name, path))
			}
		}
		return entries, err
	}
	for _, s := range d.sections() {
		if *s.entries, err = section(s.kind, nil); err != nil {
			return d, notes, err
		}
	}
	for _, topic := range d.Topics {
		declared, err := section(subscriptions, []string{topics.path, topic.text("name")})
		if err != nil {
			return d, notes, err
		}
		if len(declared) > 0 {
			topic[subscriptionsField] = declared
		}
	}
	return d, append(notes, d.hideSecrets(secrets)...), nil
}

// leftOut is the note of an entry that cannot be declared, below the path of what it belongs to.
func leftOut(k *kind, name string, path []string) string {
	note := "left out: " + k.name + " " + name
	if len(path) == 2 { // the list and the name of a topic
		note += " of " + strings.TrimSuffix(path[0], "s") + " " + path[1]
	}
	return note
}

// YAML gives the document as a file.
func (d *Document) YAML() ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	add := func(name string, value *yaml.Node) {
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, value)
	}
	for _, scope := range []struct{ name, text string }{{"account", d.Account}, {"region", d.Region}} {
		if scope.text != "" {
			add(scope.name, &yaml.Node{Kind: yaml.ScalarNode, Value: scope.text, Style: yaml.DoubleQuotedStyle})
		}
	}
	for _, section := range d.sections() {
		if section.kind.optional() && len(*section.entries) == 0 {
			continue // where nobody has users, a file need not speak of them
		}
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, entry := range *section.entries {
			node, err := nodeOf(map[string]any(entry))
			if err != nil {
				return nil, err
			}
			list.Content = append(list.Content, node)
		}
		add(section.name, list)
	}
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return b.Bytes(), encoder.Close()
}

// JSON gives the document as a file in JSON, which is read as YAML.
func (d *Document) JSON() ([]byte, error) {
	text, err := d.YAML()
	if err != nil {
		return nil, err
	}
	var document map[string]any
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("read YAML: %w", err)
	}
	return json.Marshal(document)
}

// nodeOf gives a value as YAML, with what names an entry in front.
func nodeOf(value any) (*yaml.Node, error) {
	node := &yaml.Node{}
	switch v := value.(type) {
	case map[string]any:
		node.Kind = yaml.MappingNode
		names := slices.SortedFunc(maps.Keys(v), inOrder)
		for _, name := range names {
			child, err := nodeOf(v[name])
			if err != nil {
				return nil, err
			}
			key := &yaml.Node{}
			key.SetString(strings.ReplaceAll(name, "${", "$${"))
			node.Content = append(node.Content, key, child)
		}
	case []Fields:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = map[string]any(element)
		}
		return nodeOf(list)
	case []any:
		node.Kind = yaml.SequenceNode
		for _, element := range v {
			child, err := nodeOf(element)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
	case variable:
		node.SetString("${" + string(v) + "}")
		node.Style = yaml.DoubleQuotedStyle // its value is no number
	case string: // scalars are made here: Encode starts an encoder and a parser for each
		node.SetString(strings.ReplaceAll(v, "${", "$${"))
	case float64:
		node.Kind, node.Tag, node.Value = yaml.ScalarNode, "!!float", strconv.FormatFloat(v, 'g', -1, 64)
		if whole := int64(v); float64(whole) == v {
			node.Tag, node.Value = "!!int", strconv.FormatInt(whole, 10)
		}
	case bool:
		node.Kind, node.Tag, node.Value = yaml.ScalarNode, "!!bool", strconv.FormatBool(v)
	default:
		return node, node.Encode(v)
	}
	return node, nil
}

// inOrder puts the name first and subscriptions last.
func inOrder(a, b string) int {
	place := func(name string) int {
		switch name {
		case "name", "id":
			return 0
		case subscriptionsField:
			return 2
		}
		return 1
	}
	if d := place(a) - place(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

// Schema gives the JSON schema of a file, for editors.
func Schema() ([]byte, error) {
	requests := api.NewRequests()
	definitions, err := requests.Definitions()
	if err != nil {
		return nil, err
	}
	entries := func(k *kind, more map[string]any) (map[string]any, error) {
		properties, err := requests.Properties(k.create)
		maps.Copy(properties, more)
		items := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
		if k != subscriptions {
			items["required"] = []string{k.key}
		}
		return map[string]any{"type": "array", "items": items}, err
	}
	declaredSubscriptions, err := entries(subscriptions, nil)
	if err != nil {
		return nil, err
	}
	sections := map[string]any{"account": map[string]any{"type": "string", "pattern": "^[0-9]{12}$"}, "region": map[string]any{"type": "string"}}
	more := map[*kind]map[string]any{
		topics: {subscriptionsField: declaredSubscriptions}, keys: {"disabled": map[string]any{"type": "boolean"}},
		groups: relationSchemas(groups), users: relationSchemas(users), roles: relationSchemas(roles),
	}
	for _, section := range new(Document).sections() {
		if sections[section.name], err = entries(section.kind, more[section.kind]); err != nil {
			return nil, err
		}
	}
	text, err := json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "What a polymq server is to have",
		"type": "object", "properties": sections, "additionalProperties": false, "$defs": definitions,
	}, "", "  ")
	return bytes.ReplaceAll(text, []byte("#/components/schemas/"), []byte("#/$defs/")), err
}
