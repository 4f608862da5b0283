package manage_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const seedFile = `
queues:
  - name: orders            # before the queue that it names
    visibility_timeout_seconds: ${TIMEOUT}
    dead_letter: {queue: orders-dead, max_receives: 5}
    tags: {team: payments, cost: "${COST:-none}"}
    protocol_attributes: {sqs.KmsMasterKeyId: "a $${b}"}
  - name: orders-dead
    max_message_bytes: 4194304
    dead_letter_sources: {allow: listed, queues: [orders]}
  - name: steps.fifo
    fifo: true
    deduplication_scope: group
    protocol_attributes: {sqs.ContentBasedDeduplication: "true"}
topics:
  - name: events
    retention_seconds: 3600
    subscriptions:
      - name: to-orders
        queue: orders
        filter: '{"kind": ["order"]}'
        dead_letter_queue: orders-dead
      - url: https://hooks.example/events
        raw: true
        retries: [{retries: 3, min_seconds: 1, max_seconds: 1.5}]
  - name: plain
`

func TestSeed(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.environ = s.environ[:1] // files say whose they are
	s.environ = append(s.environ, "TIMEOUT=60")
	apply := func(file string, args ...string) string {
		t.Helper()
		r := s.run(t.Context(), file, append([]string{"seed", "-"}, args...)...)
		if r.err != nil {
			t.Fatal(r.err)
		}
		return r.out
	}
	dry := apply(seedFile, "--dry-run")
	golden(t, "seed-dry-run", dry)
	if out := s.must("queue", "list", "--json"); out != "" {
		t.Fatalf("a dry run made %s", out)
	}
	if out := apply(seedFile); strings.Replace(dry, "to create, 0 to change, 0 to delete", "created, 0 changed, 0 deleted", 1) != out {
		t.Errorf("done was\n%s\nwhere the dry run said\n%s", out, dry)
	}
	golden(t, "seed-queue", s.must("queue", "show", "orders"))
	dump := s.must("dump-config")
	golden(t, "dump-config", dump)
	for name, file := range map[string]string{"the same file": seedFile, "the dump": dump} {
		if out := apply(file, "--prune"); out != "0 created, 0 changed, 0 deleted\n" {
			t.Errorf("%s changes\n%s", name, out)
		}
	}
	changed := strings.NewReplacer("team: payments, ", "", "max_receives: 5", "max_receives: 6", "raw: true", "raw: false", "  - name: plain\n", "", "retention_seconds: 3600", "").Replace(seedFile)
	golden(t, "seed-changed", apply(changed, "--dry-run", "--prune"))
	apply(changed, "--prune")
	if out := apply(changed, "--prune"); out != "0 created, 0 changed, 0 deleted\n" {
		t.Errorf("the changed file again changes\n%s", out)
	}
	if out := apply(dump, "--account", "111122223333", "--region", "eu-west-1"); !strings.HasPrefix(out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:], "7 created") {
		t.Errorf("elsewhere the dump makes\n%s", out)
	}
	if again := s.must("dump-config", "--account", "111122223333", "--region", "eu-west-1"); !strings.HasSuffix(again, dump) {
		t.Errorf("the dump of the copy is\n%s", again)
	}
	s.must("queue", "create", "other")
	if out := apply("topics: []\n", "--prune"); out != "- topic events\n0 created, 0 changed, 1 deleted\n" {
		t.Errorf("what is not declared: %s", out)
	}
}

// What looks like a variable, be it a tag's value or its name, is none in a dump.
func TestDumpOfWhatLooksLikeAVariable(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.environ = append(s.environ, "TEAM=payments")
	s.must("queue", "create", "orders", "--tag", "${TEAM}=${TEAM}", "--tag", "$${TEAM}=$${TEAM}")
	if r := s.run(t.Context(), s.must("dump-config"), "seed", "-"); r.err != nil || r.out != "0 created, 0 changed, 0 deleted\n" {
		t.Errorf("the dump changes\n%s%v", r.out, r.err)
	}
}

// TestDumpLeavesOut dumps a subscription that waits to be confirmed.
func TestDumpLeavesOut(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("topic", "create", "events")
	response, err := http.PostForm(s.server.URL(), url.Values{
		"Action": {"Subscribe"}, "TopicArn": {"arn:aws:sns:us-east-1:000000000000:events"}, "Protocol": {"email"}, "Endpoint": {"ann@example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	leftOut := regexp.MustCompile(`^left out: subscription [0-9a-f-]{36} of topic events\n$`)
	if r := s.run(t.Context(), "", "dump-config"); r.err != nil || !leftOut.MatchString(r.errors) {
		t.Errorf("%v, %q", r.err, r.errors)
	}
}

func TestSeedOfSeveralAccounts(t *testing.T) {
	t.Parallel()
	s := start(t)
	r := s.run(t.Context(), "account: '111122223333'\nregion: eu-west-1\nqueues: [{name: a}]\n---\nqueues: [{name: b}]\n", "seed", "-", "--json")
	if r.err != nil || strings.Count(r.out, "\n") != 2 {
		t.Fatalf("%v, %s", r.err, r.out)
	}
	if out := s.must("queue", "list", "--account", "111122223333", "--region", "eu-west-1", "--json"); !strings.Contains(out, `"name":"a"`) {
		t.Errorf("the account has %s", out)
	}
	if out := s.must("queue", "list", "--json"); !strings.Contains(out, `"name":"b"`) || strings.Contains(out, `"name":"a"`) {
		t.Errorf("the default account has %s", out)
	}
}

func TestSeedOfAccounts(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.environ = s.environ[:1] // files say whose they are
	apply := func(file string, args ...string) string {
		t.Helper()
		r := s.run(t.Context(), file, append([]string{"seed", "-"}, args...)...)
		if r.err != nil {
			t.Fatal(r.err)
		}
		return r.out
	}
	const unchanged = "0 created, 0 changed, 0 deleted\n"
	const one = "accounts:\n  - id: \"111122223333\"\n    alias: \"1234567890123456\"\n"
	const file = one + "  - id: \"444455556666\"\n"
	const made = "+ account 111122223333\n    alias: \"1234567890123456\"\n+ account 444455556666\n2 "
	if out := apply(file, "--dry-run"); out != made+"to create, 0 to change, 0 to delete\n" {
		t.Errorf("a dry run says\n%s", out)
	}
	if out := apply(file); out != made+"created, 0 changed, 0 deleted\n" {
		t.Errorf("made is\n%s", out)
	}
	dump := s.must("dump-config")
	if !strings.HasPrefix(dump, one+"queues: []\n") {
		t.Errorf("the dump is\n%s", dump)
	}
	for name, file := range map[string]string{"the same file": file, "the dump": dump, "none": "accounts: []\n"} {
		if out := apply(file, "--prune"); out != unchanged {
			t.Errorf("%s changes\n%s", name, out)
		}
	}
	for account, want := range map[string]bool{"111122223333": true, "444455556666": false} {
		if out := s.must("dump-config", "--account", account); strings.Contains(out, one) != want {
			t.Errorf("the dump of %s is\n%s", account, out)
		}
	}
	s.must("queue", "create", "orders", "--account", "111122223333", "--region", "cn-hangzhou")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL()+"/queues/orders", nil)
	r.RequestURI, r.Host = "", "1234567890123456.mns.cn-hangzhou.aliyuncs.com"
	r.Header.Set("x-mns-version", "2015-06-06")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("under the host of the alias the queue is %s", resp.Status)
	}
	if out := apply(strings.Replace(file, "123456", "654321", 1)); out != "~ account 111122223333\n    alias: \"1234567890123456\" -> \"6543217890123456\"\n0 created, 1 changed, 0 deleted\n" {
		t.Errorf("changed is\n%s", out)
	}
	if out := apply(strings.Replace(one, "1234567890123456", "", 1)); !strings.Contains(out, "6543217890123456\" -> \"\"\n") || strings.Contains(s.must("dump-config"), "accounts:") {
		t.Errorf("taken away is\n%s", out)
	}
	for name, tt := range map[string]struct{ file, want string }{
		"no account":    {"accounts: [{id: '1'}]", `account "1"`},
		"a bad alias":   {"accounts: [{id: '111122223333', alias: '-'}]", "an alias has 3 to 63"},
		"another's one": {file + "    alias: team-a\n---\naccounts: [{id: '111122223333', alias: team-a}]", "already exists"},
	} {
		if r := s.run(t.Context(), tt.file, "seed", "-"); r.err == nil || !strings.Contains(r.err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, r.err, tt.want)
		}
	}
}

func TestSeedRefuses(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders")
	for name, tt := range map[string]struct{ file, want string }{
		"no YAML":                {"queues: [", "yaml"},
		"another section":        {"queue: [{name: a}]", "no such section"},
		"another field":          {"queues: [{name: b, visibility: 3}]", `queue "b": visibility: unexpected property`},
		"a bad value":            {"queues: [{name: b, delay_seconds: -1}, {name: c, delay_seconds: x}]", `queue "c"`},
		"no name":                {"queues: [{delay_seconds: 1}]", "queue 1"},
		"twice":                  {"queues: [{name: b}, {name: b}]", "twice"},
		"a variable not set":     {"queues: [{name: '${NOTHING}'}]", "NOTHING"},
		"another kind of queue":  {"queues: [{name: orders, fifo: true}]", "delete it first"},
		"a key without a secret": {"keys: [{id: AKIAIOSFODNN7EXAMPLE}]", "needs a secret"},
		"no list":                {"topics: [{name: a, subscriptions: 3}]", "must be a list"},
		"subscription":           {"topics: [{name: a, subscriptions: [{queue: orders, colour: red}]}]", "colour"},
	} {
		if r := s.run(t.Context(), tt.file, "seed", "-"); r.err == nil || !strings.Contains(r.err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, r.err, tt.want)
		}
	}
	if out := s.must("queue", "list", "--json"); strings.Count(out, "\n") != 1 {
		t.Errorf("what was refused made %s", out)
	}
}

func TestSeedSchema(t *testing.T) {
	t.Parallel()
	s := &shell{t: t}
	var schema struct {
		Properties map[string]struct {
			Items struct{ Properties map[string]any }
		}
		Defs map[string]any `json:"$defs"`
	}
	text := s.must("seed", "--schema")
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		t.Fatal(err)
	}
	for section, field := range map[string]string{"queues": "visibility_timeout_seconds", "topics": "subscriptions", "keys": "disabled", "accounts": "alias"} {
		if schema.Properties[section].Items.Properties[field] == nil {
			t.Errorf("the schema of %s has no %s", section, field)
		}
	}
	for part := range strings.SplitSeq(text, `"$ref": "#/`) {
		name, _, _ := strings.Cut(part, `"`)
		if name, ok := strings.CutPrefix(name, "$defs/"); ok && schema.Defs[name] == nil {
			t.Errorf("the schema refers to %s, which it has not", name)
		}
	}
	if strings.Contains(text, "components") {
		t.Error("the schema refers to what it has not")
	}
}

const identityFile = `
policies:
  - name: send-orders
    text: '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}'
groups:
  - name: senders
    policies: [send-orders]
users:
  - name: ann
    access: operator
    groups: [senders]
    policies: [AmazonSQSReadOnlyAccess]
    boundary: AmazonSQSFullAccess
    tags: {team: payments}
    inline:
      - name: own
        text: '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sqs:PurgeQueue", "Resource": "*"}]}'
roles:
  - name: worker
    max_session_seconds: 7200
    trust: '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}'
    policies: [send-orders]
`

func TestSeedOfUsers(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.environ = s.environ[:1] // files say whose they are
	apply := func(file string, args ...string) string {
		t.Helper()
		r := s.run(t.Context(), file, append([]string{"seed", "-"}, args...)...)
		if r.err != nil {
			t.Fatal(r.err)
		}
		return r.out
	}
	const unchanged = "0 created, 0 changed, 0 deleted\n"
	if out := apply(identityFile); !strings.HasSuffix(out, "4 created, 0 changed, 0 deleted\n") {
		t.Errorf("made is\n%s", out)
	}
	dump := s.must("dump-config")
	golden(t, "dump-config-users", dump)
	for name, file := range map[string]string{"the same file": identityFile, "the dump": dump} {
		if out := apply(file, "--prune"); out != unchanged {
			t.Errorf("%s changes\n%s", name, out)
		}
	}
	changed := strings.NewReplacer("groups: [senders]\n    policies: [AmazonSQSReadOnlyAccess]", "groups: []\n    policies: [send-orders]", "boundary: AmazonSQSFullAccess", "boundary: ''",
		"sqs:PurgeQueue", "sqs:DeleteQueue", "roles:\n  - name: worker", "roles:\n  - name: other").Replace(identityFile)
	golden(t, "seed-users-changed", apply(changed, "--prune"))
	if out := apply(changed, "--prune"); out != unchanged {
		t.Errorf("the changed file again changes\n%s", out)
	}
	if out := apply(dump, "--account", "111122223333"); !strings.HasSuffix(out, "4 created, 0 changed, 0 deleted\n") {
		t.Errorf("in another account the dump makes\n%s", out)
	}
	if again := s.must("dump-config", "--account", "111122223333"); !strings.HasSuffix(again, dump) {
		t.Errorf("the dump of the copy is\n%s", again)
	}
	if out := apply("policies: []\nusers: []\ngroups: []\nroles: []\n", "--prune"); !strings.HasSuffix(out, "0 created, 0 changed, 4 deleted\n") {
		t.Errorf("nothing declared: %s", out)
	}
	for name, tt := range map[string]struct{ file, want string }{
		"no list of policies": {"users: [{name: x, policies: a}]", "list of names"},
		"no policy":           {"users: [{name: x, inline: [{name: y}]}]", "each with name and text"},
		"no such field":       {"roles: [{name: x, groups: [y]}]", "groups"},
	} {
		if r := s.run(t.Context(), tt.file, "seed", "-"); r.err == nil || !strings.Contains(r.err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, r.err, tt.want)
		}
	}
}
