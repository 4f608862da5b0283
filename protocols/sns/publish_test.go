package sns

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

// text gives the parameters of a message attribute.
func attribute(n int, name, kind, value string) []string {
	prefix, member := fmt.Sprintf("MessageAttributes.entry.%d.", n), "StringValue"
	if kind == "Binary" {
		member = "BinaryValue"
	}
	return []string{prefix + "Name", name, prefix + "Value.DataType", kind, prefix + "Value." + member, value}
}

func TestPublishEnvelope(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sub := f.queue(t, ordersARN, "in")
	message := slices.Concat([]string{"TopicArn", ordersARN, "Message", "line\n\"é\" </x>", "Subject", "About"},
		attribute(1, "n", "Number", "99.12"), attribute(2, "b", "Binary", "AAH/"), attribute(3, "l", "String.Array", `["a"]`))
	id := f.ok(t, "Publish", message...).text(t, "MessageId")
	body := f.one(t, "in")
	got := envelope(t, body)
	want := map[string]any{
		"Type": "Notification", "MessageId": id, "TopicArn": ordersARN, "Subject": "About", "Message": "line\n\"é\" </x>", "SignatureVersion": "1",
		"UnsubscribeURL": "http://localhost:4566/?Action=Unsubscribe&SubscriptionArn=" + sub,
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: got %v, want %v", name, got[name], value)
		}
	}
	attributes := fmt.Sprint(got["MessageAttributes"])
	if attributes != `map[b:map[Type:Binary Value:AAH/] l:map[Type:String.Array Value:["a"]] n:map[Type:Number Value:99.12]]` {
		t.Errorf("got %s", attributes)
	}
	order := []string{"Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertURL", "UnsubscribeURL", "MessageAttributes"}
	at := -1
	for _, name := range order {
		next := strings.Index(body, "\n  \""+name+"\" : ")
		if next < at {
			t.Errorf("%s is missing or out of order in %s", name, body)
		}
		at = next
	}
	f.verify(t, got)

	f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "x")
	if got := envelope(t, f.one(t, "in")); got["Subject"] != nil || got["MessageAttributes"] != nil {
		t.Errorf("what was not given is there: %v", got)
	}
}

// verify checks the signature of an envelope as a subscriber would.
func (f fixture) verify(t testing.TB, e map[string]any) {
	t.Helper()
	text := func(name string) string { return fmt.Sprint(e[name]) }
	served := f.follow(t, text("SigningCertURL"))
	block, _ := pem.Decode([]byte(served.body))
	if served.status != http.StatusOK || block == nil {
		t.Fatalf("no certificate at %s: %d %s", text("SigningCertURL"), served.status, served.body)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	members := []string{"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	var signed strings.Builder
	for _, name := range members {
		if _, there := e[name]; there {
			signed.WriteString(name + "\n" + text(name) + "\n")
		}
	}
	signature, err := base64.StdEncoding.DecodeString(text("Signature"))
	if err != nil {
		t.Fatal(err)
	}
	hash, digest := crypto.SHA1, sha1.New()
	if text("SignatureVersion") == "2" {
		hash, digest = crypto.SHA256, sha256.New()
	}
	digest.Write([]byte(signed.String()))
	if err := rsa.VerifyPKCS1v15(certificate.PublicKey.(*rsa.PublicKey), hash, digest.Sum(nil), signature); err != nil {
		t.Errorf("%v: %v", err, e)
	}
}

func TestSignatureVersion2(t *testing.T) {
	t.Parallel()
	f := startWith(t, caller.Options{}, Options{CertHost: "sns.{region}.amazonaws.com"})
	f.orders(t, entries("Attributes", "SignatureVersion", "2")...)
	f.queue(t, ordersARN, "in")
	f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "x", "Subject", "s")
	got := envelope(t, f.one(t, "in"))
	path, ok := strings.CutPrefix(fmt.Sprint(got["SigningCertURL"]), "https://sns.us-east-1.amazonaws.com")
	if !ok || got["SignatureVersion"] != "2" {
		t.Fatalf("got %v", got)
	}
	got["SigningCertURL"] = path
	f.verify(t, got)
	if got := f.follow(t, pathPrefix+strings.Repeat("0", 32)+pathSuffix); got.status != http.StatusNotFound {
		t.Errorf("another certificate: got %d", got.status)
	}
}

func TestPublishRaw(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.queue(t, ordersARN, "in", "RawMessageDelivery", "true")
	f.ok(t, "Publish", slices.Concat([]string{"TopicArn", ordersARN, "Message", "text", "MessageGroupId", "tenant"},
		attribute(1, "n", "Number", "99.12"), attribute(2, "b", "Binary", "AAH/"), attribute(3, "l", "String.Array", `["a"]`))...)
	got := pgtest.Receive(t, f.broker, pgtest.Name("in"), 1)
	if len(got) != 1 || string(got[0].Body) != "text" || got[0].GroupID != "tenant" {
		t.Fatalf("got %+v", got)
	}
	want := []core.Attribute{{Name: "b", Type: "Binary", Value: []byte{0, 1, 0xff}}, {Name: "l", Type: "String.Array", Value: []byte(`["a"]`)}, {Name: "n", Type: "Number", Value: []byte("99.12")}}
	if fmt.Sprint(got[0].Attributes) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got[0].Attributes, want)
	}
}

func TestPublishFiltered(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.queue(t, ordersARN, "all")
	f.queue(t, ordersARN, "attributes", "FilterPolicy", `{"kind":[{"prefix":"or"}],"size":[{"numeric":[">=",10]}]}`)
	f.queue(t, ordersARN, "body", "FilterPolicyScope", "MessageBody", "FilterPolicy", `{"for":["sqs"]}`)
	f.queue(t, ordersARN, "none", "FilterPolicy", `{"kind":[{"exists":false}]}`, "RawMessageDelivery", "true")
	publish := func(parameters ...string) {
		t.Helper()
		f.ok(t, "Publish", append(parameters, "TopicArn", ordersARN)...)
	}
	publish(slices.Concat([]string{"Message", "1"}, attribute(1, "kind", "String", "order"), attribute(2, "size", "Number", "1e1"))...)
	publish(slices.Concat([]string{"Message", "2"}, attribute(1, "kind", "String", "order"), attribute(2, "size", "Number", "9"))...)
	publish(slices.Concat([]string{"Message", `{"default":"no JSON","sqs":"{\"for\":\"sqs\"}"}`, "MessageStructure", "json"}, attribute(1, "other", "String", "x"))...)
	publish("Message", "4") // without attributes no policy matches, not even one that wants one to be absent
	for queue, want := range map[string]int{"all": 4, "attributes": 1, "body": 1, "none": 1} {
		if got := f.bodies(t, queue); len(got) != want {
			t.Errorf("%s: got %d messages, want %d: %s", queue, len(got), want, got)
		}
	}
}

func TestPublishStructure(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.queue(t, ordersARN, "in", "RawMessageDelivery", "true")
	for message, want := range map[string]string{
		`{"default":"d","sqs":"s"}`: "s", `{"default":"d","lambda":"l"}`: "d", `{"default":"d","sqs":{"a":1}}`: "d", `{"default":"d","default":"e"}`: "e",
	} {
		f.ok(t, "Publish", "TopicArn", ordersARN, "Message", message, "MessageStructure", "json")
		if got := f.one(t, "in"); got != want {
			t.Errorf("%s: got %s, want %s", message, got, want)
		}
	}
}

func TestPublishOtherStructures(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.queue(t, ordersARN, "in", "RawMessageDelivery", "true")
	const text = `{"default":"d"}`
	for _, structure := range []string{"", "string", "JSON"} {
		f.ok(t, "Publish", "TopicArn", ordersARN, "Message", text, "MessageStructure", structure)
		if got := f.one(t, "in"); got != text {
			t.Errorf("%s: got %s, want it as it was", structure, got)
		}
	}
}

func TestPublishAtTheLimit(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.ok(t, "Publish", "TopicArn", ordersARN, "Message", strings.Repeat("x", 262144))
	f.ok(t, "Publish", append(attribute(1, "a", "String", "v"), "TopicArn", ordersARN, "Message", strings.Repeat("x", 262144-8))...)
	f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "x", "Subject", strings.Repeat("x", 100))
}

// The largest message is taken in its longest form, too: base64 of slashes, each of which a form writes as %2F.
func TestPublishTheLongestForm(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.ok(t, "SetTopicAttributes", "TopicArn", ordersARN, "AttributeName", "MaximumMessageSize", "AttributeValue", "1048576")
	value := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, maxMessageSize-len("xaBinary")))
	f.ok(t, "Publish", append(attribute(1, "a", "Binary", value), "TopicArn", ordersARN, "Message", "x")...)
}

func TestPublishTraceHeader(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.queue(t, ordersARN, "in")
	r := request("Publish", "TopicArn", ordersARN, "Message", "x")
	r.Header.Set("X-Amzn-Trace-Id", "Root=1-2-3")
	f.do(t, r).document(t)
	got := pgtest.Receive(t, f.broker, pgtest.Name("in"), 1)
	if len(got) != 1 || got[0].System["AWSTraceHeader"] != "Root=1-2-3" {
		t.Errorf("got %+v", got)
	}
}

func TestPublishBatch(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.queue(t, ordersARN, "in", "RawMessageDelivery", "true")
	parameters := params("TopicArn=" + ordersARN + batch(3, "Message=x"))
	parameters = append(parameters, "PublishBatchRequestEntries.member.2.MessageAttributes.entry.1.Name", "a",
		"PublishBatchRequestEntries.member.2.MessageAttributes.entry.1.Value.DataType", "String", "PublishBatchRequestEntries.member.2.MessageAttributes.entry.1.Value.StringValue", "v")
	answer := f.call(t, "PublishBatch", parameters...)
	got := answer.document(t)
	if ids := all(got.Children, "Id"); !slices.Equal(ids, []string{"e1", "e2", "e3"}) || !strings.Contains(answer.body, "<Failed></Failed>") {
		t.Errorf("got %s", answer.body)
	}
	published := all(got.Children, "MessageId")
	slices.Sort(published)
	if len(slices.Compact(published)) != 3 {
		t.Errorf("got ids %v", published)
	}
	with := 0
	messages := pgtest.Receive(t, f.broker, pgtest.Name("in"), 10)
	for _, m := range messages {
		with += len(m.Attributes)
	}
	if len(messages) != 3 || with != 1 {
		t.Errorf("got %d messages with %d attributes, want 3 with 1", len(messages), with)
	}
}

// An entry with a wrong subject, and one without text, fails by itself.
func TestPublishBatchFailsInPart(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.queue(t, ordersARN, "in", "RawMessageDelivery", "true")
	const entry = "PublishBatchRequestEntries.member."
	got := f.ok(t, "PublishBatch", append(params("TopicArn="+ordersARN+batch(4, "Message=x")), entry+"2.Subject", "Invalid\nSubject", entry+"4.Message", "")...)
	if ids := all(got.Children, "Id"); !slices.Equal(ids, []string{"e1", "e3", "e2", "e4"}) || len(all(got.Children, "MessageId")) != 2 {
		t.Errorf("got %v", ids)
	}
	codes, texts, faults := all(got.Children, "Code"), all(got.Children, "Message"), all(got.Children, "SenderFault")
	if !slices.Equal(codes, []string{"InvalidParameter", "InvalidParameter"}) || !slices.Equal(faults, []string{"true", "true"}) ||
		!slices.Equal(texts, []string{"Invalid parameter: Subject", "Invalid parameter: Empty message"}) {
		t.Errorf("got %v %v %v", codes, texts, faults)
	}
	if got := f.bodies(t, "in"); len(got) != 2 {
		t.Errorf("got %d messages, want 2", len(got))
	}
	none := f.ok(t, "PublishBatch", append(params("TopicArn="+ordersARN+batch(1, "Message=x")), entry+"1.Subject", "")...)
	if failed := all(none.Children, "Code"); len(failed) != 1 {
		t.Errorf("got %v, want one that failed", failed)
	}
}

func TestPublishFIFO(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.ok(t, "CreateTopic", params("Name=orders.fifo Attributes.entry.1.key=FifoTopic Attributes.entry.1.value=true Attributes.entry.2.key=ContentBasedDeduplication Attributes.entry.2.value=true")...)
	f.queue(t, fifoARN, "in.fifo")
	f.queue(t, fifoARN, "standard")
	first := f.ok(t, "Publish", "TopicArn", fifoARN, "Message", "1", "MessageGroupId", "g")
	again := f.ok(t, "Publish", "TopicArn", fifoARN, "Message", "1", "MessageGroupId", "another")
	second := f.ok(t, "PublishBatch", params("TopicArn="+fifoARN+batch(2, "Message=x MessageGroupId=g MessageDeduplicationId=d"))...)
	sequence := first.text(t, "SequenceNumber")
	if len(sequence) != 20 || again.text(t, "SequenceNumber") != sequence || again.text(t, "MessageId") != first.text(t, "MessageId") {
		t.Errorf("a duplicate gets other ids: %+v, %+v", first, again)
	}
	if numbers := all(second.Children, "SequenceNumber"); len(numbers) != 2 || numbers[0] <= sequence || numbers[1] != numbers[0] {
		t.Errorf("got %v after %s", numbers, sequence)
	}
	var got []core.Message
	for range 2 { // a group gives out what stands first
		got = append(got, pgtest.Receive(t, f.broker, pgtest.Name("in.fifo"), 10)...)
	}
	if len(got) != 2 || got[0].GroupID != "g" || len(got[0].DeduplicationID) != 64 || got[1].DeduplicationID != "d" || got[0].Sequence == sequence {
		t.Fatalf("got %+v", got)
	}
	e := envelope(t, string(got[0].Body))
	want := []string{"Message", "MessageId", "SequenceNumber", "Timestamp", "TopicArn", "Type", "UnsubscribeURL"}
	if keys := keysOf(e); !slices.Equal(keys, want) || e["SequenceNumber"] != sequence {
		t.Errorf("got %v", e)
	}
	for _, m := range pgtest.Receive(t, f.broker, pgtest.Name("standard"), 10) {
		if m.GroupID != "" || m.DeduplicationID != "" {
			t.Errorf("a standard queue got %+v", m)
		}
	}
}

func TestPublishDeduplicatesInGroups(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.ok(t, "CreateTopic", params("Name=orders.fifo Attributes.entry.1.key=FifoTopic Attributes.entry.1.value=true Attributes.entry.2.key=FifoThroughputScope Attributes.entry.2.value=MessageGroup")...)
	publish := func(group string) string {
		return f.ok(t, "Publish", "TopicArn", fifoARN, "Message", "x", "MessageGroupId", group, "MessageDeduplicationId", "d").text(t, "MessageId")
	}
	if a, b, again := publish("a"), publish("b"), publish("a"); a == b || a != again {
		t.Errorf("got %s, %s, %s", a, b, again)
	}
}

// What cannot be put into the subscribed queue goes to the dead-letter queue as the subscriber would
// have got it.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.queue(t, ordersARN, "spare")
	f.subscribe(t, ordersARN, "sqs", "arn:aws:sqs:us-east-1:000000000000:gone", "RawMessageDelivery", "true",
		"RedrivePolicy", `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead"}`)
	f.queue(t, ordersARN, "dead", "FilterPolicy", `{"never":["x"]}`)
	f.ok(t, "Publish", append(attribute(1, "a", "String", "v"), "TopicArn", ordersARN, "Message", "x")...)
	f.attempt(t, core.PushAnswer{})
	got := pgtest.Receive(t, f.broker, pgtest.Name("dead"), 10)
	if len(got) != 1 || string(got[0].Body) != "x" || len(got[0].Attributes) != 1 {
		t.Errorf("got %+v", got)
	}
	if got := f.bodies(t, "spare"); len(got) != 1 {
		t.Errorf("another subscriber got %s", got)
	}
}
