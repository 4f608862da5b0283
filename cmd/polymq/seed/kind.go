package seed

import (
	"strings"

	"github.com/polymq/polymq/protocols/caller"
)

// kind is a kind of entry: how the API makes, shows and changes it.
type kind struct {
	name    string // "queue"
	path    string // of the list
	list    string // the list's field in the answer
	key     string // the field that names an entry
	create  string // the operation
	besides []string
	fixed   []string // fields that cannot be changed
	shown   []string // fields that the API shows and that are no part of an entry
	// entry makes an entry of what the API shows, false where it cannot be declared; nil: it is one already.
	entry func(shown Fields) (Fields, bool)
	// cloud says that entries of one name are apart by cloud, which requests name.
	cloud bool
	// related says that an entry has policies and the like, which a list does not show.
	related bool
	// global says that entries are of no account, and stay where they are not declared.
	global bool
}

var (
	accounts = &kind{
		name: "account", path: "accounts", list: "accounts", key: "id", create: "create-account", global: true,
		shown: []string{"created_at"},
		entry: accountEntry,
	}
	queues = &kind{
		name: "queue", path: "queues", list: "queues", key: "name", create: "create-queue", fixed: []string{"fifo"},
		shown: []string{"account", "region", "created_at", "modified_at", "counts"},
	}
	topics = &kind{
		name: "topic", path: "topics", list: "topics", key: "name", create: "create-topic", besides: []string{subscriptionsField}, fixed: []string{"fifo"},
		shown: []string{"account", "region", "created_at", "modified_at", "counts"},
	}
	subscriptions = &kind{
		name: "subscription", path: subscriptionsField, list: subscriptionsField, key: "name", create: "create-subscription", fixed: []string{"format", "queue", "url", "email", "phone"},
		entry: subscriptionEntry,
	}
	keys = &kind{
		name: "key", path: "keys", list: "keys", key: "id", create: "create-key", besides: []string{"disabled"}, fixed: []string{"account", "user", "admin"},
		shown: []string{"temporary", "role", "session", "created_at", "expires_at", "expired"},
		entry: keyEntry,
	}
)

var alerts = &kind{
	name: "alert", path: "alerts", list: "alerts", key: "name", create: "create-alert",
	shown: []string{"account", "region", "created_at", "modified_at", "state", "series", "failure", "failed_at"},
}

// declared gives an entry as the API shows it in the form that declares it.
func (k *kind) declared(shown Fields) (Fields, bool) {
	if k.entry == nil {
		return shown.without(k.shown...), true
	}
	entry, ok := k.entry(shown)
	return entry.without(k.shown...), ok
}

// missed reports whether it is told that an entry cannot be declared. Keys of sessions are nobody's concern, and an
// account without an alias comes with what it has.
func (k *kind) missed(shown Fields) bool {
	return k != accounts && (k != keys || shown["admin"] == true)
}

// subscriptionEntry makes an entry of a subscription. Not all can be declared: pending ones would be confirmed
// by it, and endpoints of other services are made with those.
func subscriptionEntry(shown Fields) (Fields, bool) {
	entry := shown.without("topic", "state", "protocol", "endpoint", "owner", "created_at", "modified_at", "queue", "dead_letter_queue")
	if kept, ok := entry["protocol_attributes"].(map[string]any); ok { // the address of this server is not that of another
		if kept = Fields(kept).without(caller.SNSBaseAttribute, caller.MNSBaseAttribute); len(kept) == 0 {
			entry = entry.without("protocol_attributes")
		} else {
			entry["protocol_attributes"] = kept
		}
	}
	if state := shown.text("state"); state != "confirmed" {
		return entry, false
	}
	endpoint := shown.text("endpoint")
	switch shown.text("protocol") {
	case "sqs", "queue":
		entry["queue"] = baseName(shown.text("queue"))
		if shown.text("queue") == "" {
			return entry, false
		}
	case "http", "https":
		entry["url"] = endpoint
	case "email", "mail":
		entry["email"] = strings.TrimPrefix(endpoint, "mail:directmail:")
	case "sms":
		entry["phone"] = strings.TrimPrefix(endpoint, "sms:directsms:")
	default:
		return entry, false
	}
	if queue := shown.text("dead_letter_queue"); queue != "" {
		entry["dead_letter_queue"] = baseName(queue)
	}
	return entry, true
}

// baseName gives the name of a queue that is written account/region/name.
func baseName(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// accountEntry makes an entry of an account. What else there is of one comes with its users and access keys.
func accountEntry(shown Fields) (Fields, bool) {
	return shown, shown.text("alias") != ""
}

// keyEntry makes an entry of an access key; those of sessions are not declared, nor are administrators', which are of
// one server.
func keyEntry(shown Fields) (Fields, bool) {
	return shown, shown["temporary"] != true && shown["admin"] != true
}
