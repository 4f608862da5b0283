package sqs

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

// The tests named Facts hold what specs/sqs.md records of the real service, each case on both wires.
// They know the names of the wires by themselves, and not by the tags of the program's structures.

// m is a request or a result: members by their names in JSON. Numbers are ints, lists []any or []string.
type m = map[string]any

// client calls one server on one wire, in an account of its own and so in a time of its own.
type client struct {
	testing.TB
	fixture
	wire    string // "json" or "query"
	account string
}

// facts runs each case on both wires.
func facts(t *testing.T, cases map[string]func(*client)) {
	t.Helper()
	factsWith(t, Options{}, cases)
}

func factsWith(t *testing.T, options Options, cases map[string]func(*client)) {
	t.Helper()
	t.Parallel()
	for _, wire := range []string{"json", "query"} {
		t.Run(wire, func(t *testing.T) {
			t.Parallel()
			broker := pgtest.Broker(t)
			f := fixture{broker, New(broker, &caller.Options{}, options)}
			account := 100_000_000_000
			for name, do := range cases {
				account++
				c := client{fixture: f, wire: wire, account: strconv.Itoa(account)}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					c := c
					c.TB = t
					do(&c)
				})
			}
		})
	}
}

// as gives the same client in another account.
func (c *client) as(account string) *client {
	other := *c
	other.account = account
	return &other
}

// call sends a request. Headers are name, value, name, value.
func (c *client) call(action string, in m, headers ...string) reply {
	c.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	if c.wire == "json" {
		body, err := json.Marshal(in)
		if err != nil {
			c.Fatal(err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		r.ContentLength = int64(len(body))
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		r.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	} else {
		form := url.Values{"Action": {action}, "Version": {"2012-11-05"}}
		flatten(form, action, in)
		body := form.Encode()
		r.Body = io.NopCloser(strings.NewReader(body))
		r.ContentLength = int64(len(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.account+"/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=00")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return c.do(c, r)
}

// The names of lists and maps in the query protocol (specs/sqs.md 1.5).
var (
	queryLists = map[string]string{
		"AttributeNames": "AttributeName", "MessageSystemAttributeNames": "MessageSystemAttributeName",
		"MessageAttributeNames": "MessageAttributeName", "TagKeys": "TagKey", "AWSAccountIds": "AWSAccountId", "Actions": "ActionName",
	}
	queryMaps = map[string][3]string{
		"Attributes": {"Attribute", "Name", "Value"}, "tags": {"Tag", "Key", "Value"}, "Tags": {"Tag", "Key", "Value"},
		"MessageAttributes":       {"MessageAttribute", "Name", "Value"},
		"MessageSystemAttributes": {"MessageSystemAttribute", "Name", "Value"},
	}
)

// flatten writes a request as parameters. The elements of lists have gaps between their numbers.
func flatten(form url.Values, action string, in m) {
	for name, value := range in {
		flattenMember(form, action, "", name, value)
	}
}

func flattenMember(form url.Values, action, prefix, name string, value any) {
	switch value := value.(type) {
	case []string:
		for i, element := range value {
			form.Set(prefix+queryLists[name]+"."+strconv.Itoa(2*i+1), element)
		}
	case []m:
		for i, entry := range value {
			for member, value := range entry {
				flattenMember(form, action, prefix+action+"RequestEntry."+strconv.Itoa(2*i+1)+".", member, value)
			}
		}
	case map[string]string:
		generic := m{}
		for key, text := range value {
			generic[key] = text
		}
		flattenMember(form, action, prefix, name, generic)
	case m:
		names, n := queryMaps[name], 1
		for key, value := range value {
			at := prefix + names[0] + "." + strconv.Itoa(n) + "."
			form.Set(at+names[1], key)
			if members, isStruct := value.(m); isStruct {
				for member, value := range members {
					flattenMember(form, action, at+names[2]+".", member, value)
				}
			} else {
				form.Set(at+names[2], fmt.Sprint(value))
			}
			n += 2
		}
	case []byte:
		form.Set(prefix+name, base64.StdEncoding.EncodeToString(value))
	default:
		form.Set(prefix+name, fmt.Sprint(value))
	}
}

// node is an element of XML.
type node struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
	Nodes   []node `xml:",any"`
}

// Elements that stand for the elements of a list, and those that are entries of a map.
var (
	xmlLists = map[string]string{
		"QueueUrl": "QueueUrls", "Message": "Messages", "BatchResultErrorEntry": "Failed", "ListMessageMoveTasksResultEntry": "Results",
		"SendMessageBatchResultEntry": "Successful", "DeleteMessageBatchResultEntry": "Successful", "ChangeMessageVisibilityBatchResultEntry": "Successful",
	}
	xmlMaps    = map[string]string{"Attribute": "Attributes", "Tag": "Tags", "MessageAttribute": "MessageAttributes"}
	xmlNumbers = []string{"ApproximateNumberOfMessagesMoved", "ApproximateNumberOfMessagesToMove", "MaxNumberOfMessagesPerSecond", "StartedTimestamp"}
)

// members gives an element as the JSON protocol would.
func (n *node) members(action string) m {
	out := m{}
	for i := range n.Nodes {
		child := &n.Nodes[i]
		name := child.XMLName.Local
		switch list := xmlLists[name]; {
		case name == "QueueUrl" && !strings.HasPrefix(action, "List"), name == "Message" && len(child.Nodes) == 0: // one, not a list
			out[name] = child.Text
		case name == "QueueUrl" && action == "ListDeadLetterSourceQueues":
			appendTo(out, "queueUrls", child.Text)
		case name == "QueueUrl":
			appendTo(out, list, child.Text)
		case list != "":
			appendTo(out, list, child.members(action))
		case xmlMaps[name] != "":
			entry, _ := out[xmlMaps[name]].(m)
			if entry == nil {
				entry = m{}
				out[xmlMaps[name]] = entry
			}
			value := &child.Nodes[1]
			if _, again := entry[child.Nodes[0].Text]; again {
				panic("attribute or tag twice: " + child.Nodes[0].Text)
			}
			if entry[child.Nodes[0].Text] = any(value.Text); len(value.Nodes) > 0 {
				entry[child.Nodes[0].Text] = value.members(action)
			}
		case slices.Contains(xmlNumbers, name):
			number, _ := strconv.ParseFloat(child.Text, 64)
			out[name] = number
		case name == "SenderFault":
			out[name] = child.Text == "true"
		default:
			out[name] = child.Text
		}
	}
	return out
}

func appendTo(out m, name string, element any) {
	list, _ := out[name].([]any)
	out[name] = append(list, element)
}

// result decodes an answer, which must be a result of the action.
func (c *client) result(action string, got reply) m {
	c.Helper()
	if got.status != http.StatusOK {
		c.Fatalf("%s: got %d %s", action, got.status, got.body)
	}
	if c.wire == "json" {
		var out m
		if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.header.Get("Content-Type") != "application/x-amz-json-1.0" {
			c.Fatalf("%s: %v in %s of type %s", action, err, got.body, got.header.Get("Content-Type"))
		}
		return out
	}
	var document node
	if err := xml.Unmarshal([]byte(got.body), &document); err != nil || document.XMLName.Space != namespace ||
		document.XMLName.Local != action+"Response" || got.header.Get("Content-Type") != "text/xml" {
		c.Fatalf("%s: %v in %s of type %s", action, err, got.body, got.header.Get("Content-Type"))
	}
	out := m{}
	for i := range document.Nodes {
		if document.Nodes[i].XMLName.Local == action+"Result" {
			out = document.Nodes[i].members(action)
		}
	}
	return out
}

// ok calls an action that must succeed, and gives its result.
func (c *client) ok(action string, in m, headers ...string) m {
	c.Helper()
	return c.result(action, c.call(action, in, headers...))
}

// refused calls an action that must fail. No message: any.
func (c *client) refused(action string, in m, want wireError, message string) {
	c.Helper()
	got := c.call(action, in)
	if got.status == http.StatusOK {
		c.Errorf("%s %.300v: succeeded with %s, want %s", action, in, got.body, want.code)
		return
	}
	if c.wire == "json" {
		got.wantFault(c, want, message)
		return
	}
	if want == queueDoesNotExist {
		message = errQueueDoesNotExist.queryMessage
	}
	got.wantQueryFault(c, want, message)
}

// newQueue makes a queue and gives its URL. Attributes are name, value, name, value.
func (c *client) newQueue(name string, attributes ...string) string {
	c.Helper()
	given := map[string]string{}
	for i := 0; i < len(attributes); i += 2 {
		given[attributes[i]] = attributes[i+1]
	}
	if strings.HasSuffix(name, fifoSuffix) {
		given[fifoQueue] = "true"
	}
	return c.ok("CreateQueue", m{"QueueName": name, "Attributes": given})["QueueUrl"].(string)
}

// with gives a request with more members.
func with(in m, more ...m) m {
	out := m{}
	for _, members := range append([]m{in}, more...) {
		for name, value := range members {
			out[name] = value
		}
	}
	return out
}

// sendTo sends a message and gives the result.
func (c *client) sendTo(queue, body string, more ...m) m {
	c.Helper()
	return c.ok("SendMessage", with(m{"QueueUrl": queue, "MessageBody": body}, more...))
}

// sendAll sends messages that have nothing but a body.
func (c *client) sendAll(queue string, bodies ...string) {
	c.Helper()
	for _, body := range bodies {
		c.sendTo(queue, body)
	}
}

// receiveFrom receives up to ten messages without waiting, unless told otherwise.
func (c *client) receiveFrom(queue string, more ...m) []m {
	c.Helper()
	result := c.ok("ReceiveMessage", with(m{"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0}, more...))
	var messages []m
	list, _ := result["Messages"].([]any)
	for _, message := range list {
		messages = append(messages, message.(m))
	}
	return messages
}

// receiveOne receives the one message that there must be.
func (c *client) receiveOne(queue string, more ...m) m {
	c.Helper()
	messages := c.receiveFrom(queue, more...)
	if len(messages) != 1 {
		c.Fatalf("got %d messages %v, want 1", len(messages), messages)
	}
	return messages[0]
}

// wantBodies receives and compares the bodies, in their order; hide is how long they are hidden.
func (c *client) wantBodies(queue string, hide int, want ...string) []m {
	c.Helper()
	messages := c.receiveFrom(queue, m{"VisibilityTimeout": hide})
	if got := bodiesOf(messages); !slices.Equal(got, want) {
		c.Errorf("got %q, want %q", got, want)
	}
	return messages
}

func bodiesOf(messages []m) []string {
	var bodies []string
	for _, message := range messages {
		bodies = append(bodies, message["Body"].(string))
	}
	return bodies
}

func (c *client) delete(queue string, message m) {
	c.Helper()
	c.ok("DeleteMessage", m{"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]})
}

func (c *client) hide(queue string, message m, seconds int) {
	c.Helper()
	c.ok("ChangeMessageVisibility", m{"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": seconds})
}

// attributesOf gives a queue's attributes: those named, or all.
func (c *client) attributesOf(queue string, names ...string) m {
	c.Helper()
	if len(names) == 0 {
		names = []string{"All"}
	}
	attributes, _ := c.ok("GetQueueAttributes", m{"QueueUrl": queue, "AttributeNames": names})["Attributes"].(m)
	return attributes
}

// setAttributes changes attributes: name, value, name, value.
func (c *client) setAttributes(queue string, attributes ...string) {
	c.Helper()
	given := map[string]string{}
	for i := 0; i < len(attributes); i += 2 {
		given[attributes[i]] = attributes[i+1]
	}
	c.ok("SetQueueAttributes", m{"QueueUrl": queue, "Attributes": given})
}

// counts gives how many messages are visible, in flight and delayed.
func (c *client) counts(queue string) [3]string {
	c.Helper()
	var out [3]string
	attributes := c.attributesOf(queue)
	for i, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
		out[i], _ = attributes[name].(string)
	}
	return out
}

func (c *client) wantCounts(queue, visible, inFlight, delayed string) {
	c.Helper()
	if got, want := c.counts(queue), [3]string{visible, inFlight, delayed}; got != want {
		c.Errorf("got %v messages visible, in flight and delayed, want %v", got, want)
	}
}

// wait moves the account's time.
func (c *client) wait(d time.Duration) {
	c.Helper()
	if _, err := c.broker.AdvanceClock(c.Context(), c.account, d); err != nil {
		c.Fatal(err)
	}
}

// arnOf gives the ARN of a queue of the client's.
func (c *client) arnOf(name string) string { return "arn:aws:sqs:us-east-1:" + c.account + ":" + name }

// text makes an attribute of type String; binary and number likewise.
func text(value string) m   { return m{"DataType": "String", "StringValue": value} }
func number(value string) m { return m{"DataType": "Number", "StringValue": value} }
func binary(value string) m { return m{"DataType": "Binary", "BinaryValue": []byte(value)} }

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
