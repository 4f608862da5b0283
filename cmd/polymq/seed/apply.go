package seed

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/polymq/polymq/cmd/polymq/client"
)

// Options say what Apply may do.
type Options struct {
	DryRun bool // only tell
	Prune  bool // remove what is not declared, of the sections that are
}

// Action is what becomes of an entry.
type Action string

// The actions, as a difference shows them.
const (
	Create Action = "+"
	Alter  Action = "~"
	Delete Action = "-"
)

// Change is what a file makes of one entry.
type Change struct {
	Action Action        `json:"action"`
	Kind   string        `json:"kind"` // "queue"
	Name   string        `json:"name"`
	Fields []FieldChange `json:"fields,omitempty"`
}

// FieldChange is a field of a change, its values in JSON; From is "" for what was not there.
type FieldChange struct {
	Name string `json:"name"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// String gives the change as lines of a difference.
func (c Change) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\n", c.Action, c.Kind, c.Name)
	for _, f := range c.Fields {
		if f.From == "" {
			fmt.Fprintf(&b, "    %s: %s\n", f.Name, f.To)
		} else {
			fmt.Fprintf(&b, "    %s: %s -> %s\n", f.Name, f.From, f.To)
		}
	}
	return b.String()
}

// Apply makes a server have what the documents declare, and gives what it changed. Where it fails, what is
// given has been done; the same again goes on from there.
func Apply(ctx context.Context, server *client.Client, documents []Document, options Options) ([]Change, error) {
	var changes []Change
	if server.Transport == nil {
		own := *server
		transport := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: makersAtOnce}
		defer transport.CloseIdleConnections()
		own.Transport, server = transport, &own
	}
	for i := range documents {
		a := &applying{ctx: ctx, server: documents[i].server(server), options: options}
		err := a.apply(&documents[i])
		changes = append(changes, a.changes...)
		if err != nil {
			return changes, err
		}
	}
	return changes, nil
}

// server gives the client for the document's account and region.
func (d *Document) server(server *client.Client) *client.Client {
	c := *server
	c.Account, c.Region = cmp.Or(d.Account, c.Account), cmp.Or(d.Region, c.Region)
	return &c
}

// applying is one document that is being applied.
type applying struct {
	ctx     context.Context
	server  *client.Client
	options Options
	changes []Change
	later   []func() error // what comes when the queues are made
	removal []func() error // what goes away, last what others depend on
}

func (a *applying) apply(d *Document) error {
	if err := a.section(accounts, nil, d.Accounts, a.make(accounts, nil)); err != nil {
		return err
	}
	if err := a.section(queues, nil, d.Queues, nil); err != nil {
		return err
	}
	if err := a.finish(a.later); err != nil {
		return err
	}
	if err := a.section(topics, nil, d.Topics, a.make(topics, nil)); err != nil {
		return err
	}
	for _, topic := range d.Topics {
		declared, _ := topic.subscriptions() // Parse has checked it
		path := []string{topics.path, topic.text("name")}
		if err := a.section(subscriptions, path, declared, a.make(subscriptions, path)); err != nil {
			return err
		}
	}
	for _, key := range d.Keys {
		if key["account"] == nil && a.server.Account != "" {
			key["account"] = a.server.Account
		}
	}
	for _, s := range []struct {
		kind    *kind
		entries []Fields
		create  func(Fields) error
	}{
		{policies, d.Policies, a.make(policies, nil)}, {groups, d.Groups, a.makeRelated(groups)}, {users, d.Users, a.makeRelated(users)},
		{roles, d.Roles, a.makeRelated(roles)}, {keys, d.Keys, a.makeKey}, {alerts, d.Alerts, a.make(alerts, nil)},
	} {
		if err := a.section(s.kind, nil, s.entries, s.create); err != nil {
			return err
		}
	}
	slices.Reverse(a.removal)
	return a.finish(a.removal)
}

// finish does what was left for later.
func (a *applying) finish(later []func() error) error {
	for _, do := range later {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// shown are the entries of a list that the server has, by name.
func (a *applying) shown(k *kind, path []string) (map[string]Fields, error) {
	shown := map[string]Fields{}
	in := client.Request{Path: append(slices.Clone(path), k.path)}
	for raw, err := range a.server.List(a.ctx, in, k.list) {
		if client.IsNotFound(err) && a.options.DryRun {
			return shown, nil // the topic would have been made
		}
		if err != nil {
			return nil, fmt.Errorf("list the %s: %w", k.list, err)
		}
		var entry Fields
		if err := json.Unmarshal(raw, &entry); err != nil {
			return nil, fmt.Errorf("read the list of %s: %w", k.list, err)
		}
		if k.related {
			if entry, err = a.withRelations(k, entry); err != nil {
				return nil, err
			}
		}
		shown[k.id(entry)] = entry
	}
	return shown, nil
}

// section makes the server have the entries of a section.
func (a *applying) section(k *kind, path []string, declared []Fields, create func(Fields) error) error {
	if declared == nil {
		return nil
	}
	shown, err := a.shown(k, path)
	if err != nil {
		return err
	}
	kept := map[string]bool{}
	var queuesToMake []Fields
	for _, entry := range declared {
		name := k.find(entry, shown)
		kept[name] = true
		if name == "" && k == queues && !a.options.DryRun {
			queuesToMake = append(queuesToMake, entry)
		} else if name == "" {
			a.note(Create, k, entry.text(k.key), newFields(entry.without(subscriptionsField, k.key)))
			err = a.do(k, entry.text(k.key), func() error { return create(entry) })
		} else {
			err = a.alter(k, path, name, entry, shown[name])
		}
		if err != nil {
			return err
		}
	}
	if err := a.makeQueues(queuesToMake); err != nil {
		return err
	}
	for _, name := range sorted(shown) {
		if _, declarable := k.declared(shown[name]); kept[name] || !declarable || !a.options.Prune || k.global || shown[name]["admin"] == true {
			continue
		}
		a.removal = append(a.removal, func() error {
			a.note(Delete, k, name, nil)
			err := a.do(k, name, func() error {
				query := k.query(shown[name])
				if k.related {
					query.Set("all", "true")
				}
				return a.server.Do(a.ctx, client.Request{Method: http.MethodDelete, Path: append(slices.Clone(path), k.path, shown[name].text(k.key)), Query: query}, nil)
			})
			if k == users && client.CodeOf(err) == "EntityInUse" {
				return nil // who administers all accounts
			}
			return err
		})
	}
	return nil
}

// find gives the name under which the server has an entry, "" where it has not.
func (k *kind) find(entry Fields, shown map[string]Fields) string {
	if name := k.id(entry); name != "" || k != subscriptions {
		if _, ok := shown[name]; ok {
			return name
		}
		return ""
	}
	for _, name := range sorted(shown) { // a subscription without a name is known by its endpoint
		there, _ := subscriptionEntry(shown[name])
		same := cmp.Or(entry.text("format"), "sns") == there.text("format")
		for _, field := range []string{"queue", "url", "email", "phone"} {
			same = same && entry.text(field) == there.text(field)
		}
		if same {
			return name
		}
	}
	return ""
}

func (a *applying) note(action Action, k *kind, name string, fields []FieldChange) {
	a.changes = append(a.changes, Change{Action: action, Kind: k.name, Name: cmp.Or(name, "(new)"), Fields: fields})
}

// do makes a change that was noted, unless it was only to be told.
func (a *applying) do(k *kind, name string, change func() error) error {
	if a.options.DryRun {
		return nil
	}
	if err := change(); err != nil {
		a.changes = a.changes[:len(a.changes)-1]
		return fmt.Errorf("%s %s: %w", k.name, name, err)
	}
	return nil
}

// make gives the function that makes an entry of a kind as it is declared.
func (a *applying) make(k *kind, path []string) func(Fields) error {
	return func(entry Fields) error {
		return a.server.Do(a.ctx, client.Request{Method: http.MethodPost, Path: append(slices.Clone(path), k.path), Body: entry.without(k.besides...)}, nil)
	}
}

// makersAtOnce is how many queues are made at once: the server commits together what comes together.
const makersAtOnce = 16

// makeQueues makes queues, and leaves their dead-letter queues, which may not be there yet, for later. Those that were
// made before one could not be are noted.
func (a *applying) makeQueues(entries []Fields) error {
	const field = "dead_letter"
	made := make([]bool, len(entries))
	var failed atomic.Bool
	var makers errgroup.Group
	makers.SetLimit(makersAtOnce)
	for i, entry := range entries {
		makers.Go(func() error {
			if failed.Load() {
				return nil
			}
			if err := a.make(queues, nil)(entry.without(field)); err != nil {
				failed.Store(true)
				return fmt.Errorf("queue %s: %w", entry.text(queues.key), err)
			}
			made[i] = true
			return nil
		})
	}
	err := makers.Wait()
	for i, entry := range entries {
		if !made[i] {
			continue
		}
		a.note(Create, queues, entry.text(queues.key), newFields(entry.without(queues.key)))
		if policy, ok := entry[field]; ok {
			a.later = append(a.later, func() error {
				if err := a.patch(queues, nil, entry, Fields{field: policy}); err != nil {
					return fmt.Errorf("queue %s: %w", entry.text(queues.key), err)
				}
				return nil
			})
		}
	}
	return err
}

// makeKey makes an access key, and its user where the file says nothing of one. A key without a secret would get
// a random one that nobody ever sees.
func (a *applying) makeKey(entry Fields) error {
	if entry.text("secret") == "" {
		return fmt.Errorf("it does not exist, and so needs a secret, such as ${NAME}")
	}
	if err := a.ensureUser(entry.text("account"), entry.text("user")); err != nil {
		return err
	}
	if err := a.make(keys, nil)(entry); err != nil || entry["disabled"] != true {
		return err
	}
	return a.patch(keys, nil, entry, Fields{"disabled": true})
}

// ensureUser makes the user whose key is made, unless it is there or the key is nobody's in particular.
func (a *applying) ensureUser(account, name string) error {
	if name == "" {
		return nil
	}
	server := *a.server
	server.Account = cmp.Or(account, server.Account)
	err := server.Do(a.ctx, client.Request{Method: http.MethodGet, Path: []string{users.path, name}}, nil)
	if client.IsNotFound(err) {
		err = server.Do(a.ctx, client.Request{Method: http.MethodPost, Path: []string{users.path}, Body: Fields{"name": name}}, nil)
	}
	return err
}

func (a *applying) patch(k *kind, path []string, entry, fields Fields) error {
	if len(fields) == 0 {
		return nil
	}
	return a.server.Do(a.ctx, client.Request{Method: http.MethodPatch, Path: append(slices.Clone(path), k.path, entry.text(k.key)), Query: k.query(entry), Body: fields}, nil)
}

// alter changes an entry that is there in the fields that differ.
func (a *applying) alter(k *kind, path []string, name string, declared, shown Fields) error {
	there, _ := k.declared(shown)
	var differ []FieldChange
	change := Fields{}
	for _, field := range sorted(declared.without(append(k.besides, k.key, "secret")...)) {
		from, to := there[field], plain(field, declared[field])
		if same(field, from, to) {
			continue
		}
		if slices.Contains(k.fixed, field) {
			return fmt.Errorf("%s %s: %s is %s, and cannot become %s: delete it first", k.name, name, field, text(from), text(to))
		}
		differ = append(differ, FieldChange{field, text(displayed(from)), text(displayed(to))})
		change[field] = changeOf(field, from, to)
	}
	if disabled, ok := declared["disabled"]; ok && k == keys && disabled != there["disabled"] {
		differ = append(differ, FieldChange{"disabled", text(there["disabled"]), text(disabled)})
		change["disabled"] = disabled
	}
	related, relate := a.relations(k, declared, there)
	if differ = append(differ, related...); len(differ) == 0 {
		return nil
	}
	a.note(Alter, k, name, differ)
	if k == queues { // whose dead-letter queue may be further down in the file
		a.later = append(a.later, func() error { return a.do(k, name, func() error { return a.patch(k, path, shown, change) }) })
		return nil
	}
	return a.do(k, name, func() error { return cmp.Or(a.patch(k, path, shown, change), a.finish(relate)) })
}

// plain gives a declared value as the API would show it, where there are several ways to write one.
func plain(field string, value any) any {
	fields, isObject := value.(map[string]any)
	list, isList := value.([]any)
	switch {
	case field == "dead_letter" && isObject && fields["queue"] == "":
		return nil
	case field == "dead_letter_sources" && isObject && fields["allow"] == "any":
		return nil
	case field == "retries" && isList:
		phases := make([]any, len(list))
		for i, phase := range list {
			phases[i] = phase
			if p, ok := phase.(map[string]any); ok && p["backoff"] == nil {
				withDefault := map[string]any(Fields(p).without())
				withDefault["backoff"] = "linear"
				phases[i] = withDefault
			}
		}
		return phases
	}
	return value
}

// same reports whether a field is as it is declared. What the API does not show is empty.
func same(field string, from, to any) bool {
	if field == "protocol_attributes" { // those that are not named stay
		there, _ := from.(map[string]any)
		declared, _ := to.(map[string]any)
		for name, value := range declared {
			if there[name] != value {
				return false
			}
		}
		return true
	}
	if field == "to" { // whose secrets are not shown
		from, to = withoutSecrets(from), withoutSecrets(to)
	}
	if from == nil || to == nil {
		return empty(from) && empty(to)
	}
	return reflect.DeepEqual(from, to)
}

// withoutSecrets gives a list of objects without what is never shown.
func withoutSecrets(value any) any {
	list, isList := value.([]any)
	if !isList {
		return value
	}
	shown := make([]any, len(list))
	for i, element := range list {
		shown[i] = element
		if fields, ok := element.(map[string]any); ok {
			shown[i] = map[string]any(Fields(fields).without("secret"))
		}
	}
	return shown
}

func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return reflect.ValueOf(value).IsZero()
}

// changeOf gives the value of a field that makes it what it is to be. Of tags those that are not declared
// are removed.
func changeOf(field string, from, to any) any {
	switch {
	case field == "dead_letter" && to == nil:
		return Fields{"queue": ""}
	case field == "dead_letter_sources" && to == nil:
		return Fields{"allow": "any"}
	case field != "tags":
		return to
	}
	tags := Fields{}
	there, _ := from.(map[string]any)
	for name := range there {
		tags[name] = nil
	}
	declared, _ := to.(map[string]any)
	for name, value := range declared {
		tags[name] = value
	}
	return tags
}

// newFields shows the fields of an entry that is made.
func newFields(entry Fields) []FieldChange {
	var fields []FieldChange
	for _, name := range sorted(entry) {
		value := text(displayed(entry[name]))
		if name == "secret" {
			value = "(given)"
		}
		fields = append(fields, FieldChange{Name: name, To: value})
	}
	return fields
}

// text gives a value as JSON, "" for none.
func text(value any) string {
	if value == nil {
		return ""
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // it was JSON before
	}
	return strings.TrimSpace(b.String())
}

func sorted[V any, M ~map[string]V](m M) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
