package seed

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/polymq/polymq/protocols/caller"
)

// variable is a value that a file leaves to an environment variable, ${NAME} or ${NAME:-text} without the braces.
type variable string

// hideSecrets puts variables in the place of secrets, of those that the server shows only where shown is false, and
// gives a line for each.
func (d *Document) hideSecrets(shown bool) (notes []string) {
	taken := map[string]bool{}
	hide := func(entry Fields, field, what string, parts ...string) string {
		name := variableName(parts)
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s_%d", variableName(parts), n)
		}
		taken[name] = true
		entry[field] = variable(name)
		notes = append(notes, fmt.Sprintf("secret: %s is %s", name, what))
		return name
	}
	for _, key := range d.Keys {
		id := key.text("id")
		name := hide(key, "secret", "the secret of the access key "+id+", which only who made it knows; a server that has the key needs none", "key", id, "secret")
		key["secret"] = variable(name + ":-")
	}
	if shown {
		return notes
	}
	for _, topic := range d.Topics {
		declared, _ := topic[subscriptionsField].([]Fields) // as Dump has made them
		for _, subscription := range declared {
			if url := subscription.text("url"); caller.WithoutPassword(url) != url {
				name, of := subscription.text("name"), topic.text("name")
				hide(subscription, "url", fmt.Sprintf("the URL of the subscription %s of the topic %s, %s", name, of, caller.WithoutPassword(url)), "subscription", of, name, "url")
			}
		}
	}
	for _, alert := range d.Alerts {
		destinations, _ := alert["to"].([]any) // as the API shows them
		for _, destination := range destinations {
			to, _ := destination.(map[string]any)
			target := Fields(to).text("target")
			if host := caller.OnlyHost(target); host != target {
				name, kind := alert.text("name"), Fields(to).text("type")
				hide(to, "target", fmt.Sprintf("where the alert %s is sent to by %s, %s", name, kind, host), "alert", name, kind)
			}
		}
	}
	return notes
}

var notInVariables = regexp.MustCompile(`[^A-Z0-9]+`)

// variableName gives the name of an environment variable that is made of names.
func variableName(parts []string) string {
	return notInVariables.ReplaceAllString(strings.ToUpper(strings.Join(parts, "_")), "_")
}

// displayed gives a value as it is told, without secrets.
func displayed(value any) any {
	switch v := value.(type) {
	case string:
		return caller.WithoutPassword(v)
	case []any:
		list := withoutSecrets(v).([]any)
		for i, element := range list {
			if fields, ok := element.(map[string]any); ok && Fields(fields).text("target") != "" {
				told := Fields(fields).without()
				told["target"] = caller.OnlyHost(told.text("target"))
				list[i] = map[string]any(told)
			}
		}
		return list
	}
	return value
}
