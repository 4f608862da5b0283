package sdktests

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// A carried message is what every protocol can say of one, in the same words.
type carried struct {
	Body       string
	Attributes map[string]carriedAttribute
	System     map[string]string // what the receiver shows of it
	Group      string
	Priority   int // 0: not said
	Delay      int // seconds; of a message to send
	handle     string
}

// carriedAttribute has its type in SQS's words, and its value as it is.
type carriedAttribute struct{ Type, Value string }

// A wire is one protocol, spoken without an SDK. receive answers nil when there is no message.
type wire struct {
	name    string
	mns     bool // its words are MNS's
	sqs     bool
	send    func(queue string, m carried) error
	receive func(queue string) (*carried, error)
	remove  func(queue, handle string) error
}

// call does one request, and gives what came back. A status of 400 or more is an error, but for those passed.
func (p polymq) call(method, target, body string, pass int, headers ...string) (int, []byte, error) {
	req, err := http.NewRequest(method, p.url+target, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 400 && resp.StatusCode != pass {
		err = fmt.Errorf("%s %s: %d %s", method, target, resp.StatusCode, answer)
	}
	return resp.StatusCode, answer, err
}

func (p polymq) wires() []wire {
	return []wire{p.sqsJSON(), p.sqsQuery(), p.mnsXML(), p.mnsJSON(), p.apiWire()}
}

const sqsURL = "http://127.0.0.1/000000000000/"

type sqsAttribute struct{ DataType, StringValue, BinaryValue string }

func (a sqsAttribute) carried() carriedAttribute {
	if strings.HasPrefix(a.DataType, "Binary") {
		return carriedAttribute{a.DataType, decode64(a.BinaryValue)}
	}
	return carriedAttribute{a.DataType, a.StringValue}
}

func decode64(text string) string {
	value, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "no base64: " + text
	}
	return string(value)
}

func encode64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// isFIFO says that the tests mean a FIFO queue.
func isFIFO(queue string) bool { return strings.HasPrefix(queue, "fifo-") }

func (p polymq) sqsJSON() wire {
	do := func(action string, request, answer any) error {
		body, err := json.Marshal(request)
		if err != nil {
			return err
		}
		_, got, err := p.call("POST", "/", string(body), 0, "X-Amz-Target", "AmazonSQS."+action, "Content-Type", "application/x-amz-json-1.0")
		if err != nil || answer == nil {
			return err
		}
		return json.Unmarshal(got, answer)
	}
	return wire{
		name: "SQS-JSON", sqs: true,
		send: func(queue string, m carried) error {
			request := map[string]any{"QueueUrl": sqsURL + queue, "MessageBody": m.Body}
			if len(m.Attributes) > 0 {
				attributes := map[string]map[string]string{}
				for name, a := range m.Attributes {
					attributes[name] = map[string]string{"DataType": a.Type, "StringValue": a.Value}
					if strings.HasPrefix(a.Type, "Binary") {
						attributes[name] = map[string]string{"DataType": a.Type, "BinaryValue": encode64(a.Value)}
					}
				}
				request["MessageAttributes"] = attributes
			}
			if trace := m.System["AWSTraceHeader"]; trace != "" {
				request["MessageSystemAttributes"] = map[string]any{"AWSTraceHeader": map[string]string{"DataType": "String", "StringValue": trace}}
			}
			if m.Group != "" {
				request["MessageGroupId"] = m.Group
			}
			if isFIFO(queue) {
				request["MessageDeduplicationId"] = strconv.FormatInt(time.Now().UnixNano(), 36)
			} else if m.Delay > 0 {
				request["DelaySeconds"] = m.Delay
			}
			return do("SendMessage", request, nil)
		},
		receive: func(queue string) (*carried, error) {
			var got struct {
				Messages []struct {
					Body, ReceiptHandle string
					Attributes          map[string]string
					MessageAttributes   map[string]sqsAttribute
				}
			}
			err := do("ReceiveMessage", map[string]any{"QueueUrl": sqsURL + queue, "AttributeNames": []string{"All"}, "MessageAttributeNames": []string{"All"}}, &got)
			if err != nil || len(got.Messages) == 0 {
				return nil, err
			}
			m := got.Messages[0]
			c := &carried{Body: m.Body, Group: m.Attributes["MessageGroupId"], System: m.Attributes, handle: m.ReceiptHandle, Attributes: map[string]carriedAttribute{}}
			for name, a := range m.MessageAttributes {
				c.Attributes[name] = a.carried()
			}
			return c, nil
		},
		remove: func(queue, handle string) error {
			return do("DeleteMessage", map[string]any{"QueueUrl": sqsURL + queue, "ReceiptHandle": handle}, nil)
		},
	}
}

func (p polymq) sqsQuery() wire {
	do := func(queue string, parameters url.Values, answer any) error {
		parameters.Set("Version", "2012-11-05")
		parameters.Set("QueueUrl", sqsURL+queue)
		_, got, err := p.call("POST", "/", parameters.Encode(), 0, "Content-Type", "application/x-www-form-urlencoded")
		if err != nil || answer == nil {
			return err
		}
		return xml.Unmarshal(got, answer)
	}
	return wire{
		name: "SQS-query", sqs: true,
		send: func(queue string, m carried) error {
			parameters := url.Values{"Action": {"SendMessage"}, "MessageBody": {m.Body}}
			for i, name := range slices.Sorted(maps.Keys(m.Attributes)) {
				prefix, a := fmt.Sprintf("MessageAttribute.%d.", i+1), m.Attributes[name]
				parameters.Set(prefix+"Name", name)
				parameters.Set(prefix+"Value.DataType", a.Type)
				if strings.HasPrefix(a.Type, "Binary") {
					parameters.Set(prefix+"Value.BinaryValue", encode64(a.Value))
				} else {
					parameters.Set(prefix+"Value.StringValue", a.Value)
				}
			}
			if m.Group != "" {
				parameters.Set("MessageGroupId", m.Group)
			}
			if isFIFO(queue) {
				parameters.Set("MessageDeduplicationId", strconv.FormatInt(time.Now().UnixNano(), 36))
			} else if m.Delay > 0 {
				parameters.Set("DelaySeconds", strconv.Itoa(m.Delay))
			}
			return do(queue, parameters, nil)
		},
		receive: func(queue string) (*carried, error) {
			type pair struct{ Name, Value string }
			type message struct {
				Body, ReceiptHandle string
				Attribute           []pair
				MessageAttribute    []struct {
					Name  string
					Value sqsAttribute
				}
			}
			var got struct {
				Messages []message `xml:"ReceiveMessageResult>Message"`
			}
			err := do(queue, url.Values{"Action": {"ReceiveMessage"}, "AttributeName.1": {"All"}, "MessageAttributeName.1": {"All"}}, &got)
			if err != nil || len(got.Messages) == 0 {
				return nil, err
			}
			m := got.Messages[0]
			c := &carried{Body: m.Body, System: map[string]string{}, handle: m.ReceiptHandle, Attributes: map[string]carriedAttribute{}}
			for _, a := range m.Attribute {
				c.System[a.Name] = a.Value
			}
			c.Group = c.System["MessageGroupId"]
			for _, a := range m.MessageAttribute {
				c.Attributes[a.Name] = a.Value.carried()
			}
			return c, nil
		},
		remove: func(queue, handle string) error {
			return do(queue, url.Values{"Action": {"DeleteMessage"}, "ReceiptHandle": {handle}}, nil)
		},
	}
}

// Types of MNS's properties, and what they are as attributes.
var propertyTypes = map[string]string{"STRING": "String", "NUMBER": "Number", "BINARY": "Binary", "BOOLEAN": "String.Boolean"}

func propertyType(attributeType string) string {
	for property, attribute := range propertyTypes {
		if attribute == attributeType {
			return property
		}
	}
	return attributeType
}

type mnsProperty struct{ Name, Value, Type string }

func (p mnsProperty) carried() carriedAttribute {
	if p.Type == "BINARY" {
		p.Value = decode64(p.Value)
	}
	return carriedAttribute{propertyTypes[p.Type], p.Value}
}

func (p polymq) mnsXML() wire { return p.mnsXMLBy("an application") }

// encodingSDK is what an SDK calls itself that writes bodies in base64 by itself, and decodes what it reads.
const encodingSDK = "aliyun-sdk-python/1.3.0"

// mnsXMLBy is MNS in XML as spoken by what calls itself so.
func (p polymq) mnsXMLBy(agent string) wire {
	target := func(queue string) string { return "/queues/" + queue + "/messages" }
	return wire{
		name: "MNS-XML", mns: true,
		send: func(queue string, m carried) error {
			type properties struct {
				PropertyValue       []mnsProperty `xml:",omitempty"`
				SystemPropertyValue []mnsProperty `xml:",omitempty"`
			}
			document := struct {
				XMLName          xml.Name `xml:"Message"`
				MessageBody      string
				DelaySeconds     int         `xml:",omitempty"`
				Priority         int         `xml:",omitempty"`
				MessageGroupId   string      `xml:",omitempty"`
				UserProperties   *properties `xml:",omitempty"`
				SystemProperties *properties `xml:",omitempty"`
			}{MessageBody: m.Body, DelaySeconds: m.Delay, Priority: m.Priority, MessageGroupId: m.Group}
			if len(m.Attributes) > 0 {
				document.UserProperties = &properties{}
			}
			for name, a := range m.Attributes {
				if a.Type == "Binary" {
					a.Value = encode64(a.Value)
				}
				document.UserProperties.PropertyValue = append(document.UserProperties.PropertyValue, mnsProperty{name, a.Value, propertyType(a.Type)})
			}
			if trace := m.System["traceparent"]; trace != "" {
				document.SystemProperties = &properties{SystemPropertyValue: []mnsProperty{{"traceparent", trace, "STRING"}}}
			}
			body, err := xml.Marshal(document)
			if err != nil {
				return err
			}
			_, _, err = p.call("POST", target(queue), string(body), 0, "x-mns-version", "2015-06-06", "User-Agent", agent)
			return err
		},
		receive: func(queue string) (*carried, error) {
			status, body, err := p.call("GET", target(queue)+"?waitseconds=0", "", 404, "x-mns-version", "2015-06-06", "User-Agent", agent)
			if err != nil || status == 404 {
				return nil, err
			}
			var got struct {
				MessageBody, MessageGroupId, ReceiptHandle string
				Priority                                   int
				User                                       []mnsProperty `xml:"UserProperties>PropertyValue"`
				System                                     []mnsProperty `xml:"SystemProperties>SystemPropertyValue"`
			}
			if err := xml.Unmarshal(body, &got); err != nil {
				return nil, err
			}
			c := &carried{Body: got.MessageBody, Group: got.MessageGroupId, Priority: got.Priority, System: map[string]string{}, handle: got.ReceiptHandle, Attributes: map[string]carriedAttribute{}}
			for _, a := range got.User {
				c.Attributes[a.Name] = a.carried()
			}
			for _, a := range got.System {
				c.System[a.Name] = a.Value
			}
			return c, nil
		},
		remove: func(queue, handle string) error {
			_, _, err := p.call("DELETE", target(queue)+"?ReceiptHandle="+handle, "", 0, "x-mns-version", "2015-06-06", "User-Agent", agent)
			return err
		},
	}
}

func (p polymq) mnsJSON() wire {
	target := func(queue string) string { return "/queues/" + queue + "/messages" }
	return wire{
		name: "MNS-JSON", mns: true,
		send: func(queue string, m carried) error {
			properties := map[string]map[string]string{}
			for name, a := range m.Attributes {
				properties[name] = map[string]string{"DataType": propertyType(a.Type), "StringValue": a.Value}
				if a.Type == "Binary" {
					properties[name] = map[string]string{"DataType": "BINARY", "BinaryValue": encode64(a.Value)}
				}
			}
			body, err := json.Marshal(map[string]any{"MessageBody": m.Body, "DelaySeconds": m.Delay, "Priority": m.Priority, "MessageGroupId": m.Group, "UserProperties": properties})
			if err != nil {
				return err
			}
			_, _, err = p.call("POST", target(queue), string(body), 0, "x-mns-version", "2026-04-09", "Content-Type", "application/json")
			return err
		},
		receive: func(queue string) (*carried, error) {
			status, body, err := p.call("GET", target(queue)+"?waitseconds=0", "", 404, "x-mns-version", "2026-04-09")
			if err != nil || status == 404 {
				return nil, err
			}
			var got struct {
				MessageBody, MessageGroupId, ReceiptHandle string
				Priority                                   int
				UserProperties, SystemProperties           map[string]sqsAttribute
			}
			if err := json.Unmarshal(body, &got); err != nil {
				return nil, err
			}
			c := &carried{Body: got.MessageBody, Group: got.MessageGroupId, Priority: got.Priority, System: map[string]string{}, handle: got.ReceiptHandle, Attributes: map[string]carriedAttribute{}}
			for name, a := range got.UserProperties {
				c.Attributes[name] = mnsProperty{name, a.StringValue + a.BinaryValue, a.DataType}.carried()
			}
			for name, a := range got.SystemProperties {
				c.System[name] = a.StringValue
			}
			return c, nil
		},
		remove: func(queue, handle string) error {
			_, _, err := p.call("DELETE", target(queue)+"?ReceiptHandle="+handle, "", 0, "x-mns-version", "2026-04-09")
			return err
		},
	}
}

func (p polymq) apiWire() wire {
	type attribute struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	type message struct {
		Body          string               `json:"body"`
		BodyEncoding  string               `json:"body_encoding,omitempty"`
		Attributes    map[string]attribute `json:"attributes,omitempty"`
		System        map[string]string    `json:"system,omitempty"`
		GroupID       string               `json:"group_id,omitempty"`
		Priority      int                  `json:"priority,omitempty"`
		DelaySeconds  *int                 `json:"delay_seconds,omitempty"`
		ReceiptHandle string               `json:"receipt_handle,omitempty"`
	}
	return wire{
		name: "JSON-API",
		send: func(queue string, m carried) error {
			out := message{Body: m.Body, GroupID: m.Group, Priority: m.Priority, Attributes: map[string]attribute{}}
			if m.Delay > 0 {
				out.DelaySeconds = &m.Delay
			}
			if strings.ContainsAny(m.Body, "\x00\x07") || !utf8.ValidString(m.Body) {
				out.Body, out.BodyEncoding = encode64(m.Body), "base64"
			}
			for name, a := range m.Attributes {
				if strings.HasPrefix(a.Type, "Binary") {
					a.Value = encode64(a.Value)
				}
				out.Attributes[name] = attribute(a)
			}
			return p.callAPI("POST", "/queues/"+queue+"/messages", map[string]any{"messages": []message{out}}, nil)
		},
		receive: func(queue string) (*carried, error) {
			var got struct{ Messages []message }
			if err := p.callAPI("POST", "/queues/"+queue+"/messages:receive", map[string]int{"wait_seconds": 0}, &got); err != nil || len(got.Messages) == 0 {
				return nil, err
			}
			m := got.Messages[0]
			c := &carried{Body: m.Body, Group: m.GroupID, Priority: m.Priority, System: m.System, handle: m.ReceiptHandle, Attributes: map[string]carriedAttribute{}}
			if m.BodyEncoding == "base64" {
				c.Body = decode64(m.Body)
			}
			for name, a := range m.Attributes {
				if strings.HasPrefix(a.Type, "Binary") {
					a.Value = decode64(a.Value)
				}
				c.Attributes[name] = carriedAttribute(a)
			}
			return c, nil
		},
		remove: func(queue, handle string) error {
			return p.callAPI("POST", "/queues/"+queue+"/messages:delete", map[string][]string{"receipt_handles": {handle}}, nil)
		},
	}
}

// pairs runs a check for each pair of protocols, with a queue of its own that is made with what settings say in the
// words of SMQ's control plane.
func (p polymq) pairs(t *testing.T, prefix string, settings url.Values, check func(t *testing.T, from, to wire, queue string)) {
	t.Helper()
	for _, from := range p.wires() {
		for _, to := range p.wires() {
			name := from.name + "-to-" + to.name
			t.Run(name, func(t *testing.T) {
				p.control(t, "CreateQueue", prefix+name, settings)
				check(t, from, to, prefix+name)
			})
		}
	}
}

// control asks SMQ's control plane for an action on a queue.
func (p polymq) control(t *testing.T, action, queue string, parameters url.Values) {
	t.Helper()
	all := url.Values{"QueueName": {queue}}
	maps.Copy(all, parameters)
	if _, _, err := p.call("POST", "/?"+all.Encode(), "", 0, "x-acs-version", "2022-01-19", "x-acs-action", action); err != nil {
		t.Fatal(err)
	}
}

func mustSend(t *testing.T, w wire, queue string, m carried) {
	t.Helper()
	if err := w.send(queue, m); err != nil {
		t.Fatalf("send: %v", err)
	}
}

// mustReceive receives a message and deletes it.
func mustReceive(t *testing.T, w wire, queue string) *carried {
	t.Helper()
	got, err := w.receive(queue)
	if err != nil || got == nil {
		t.Fatalf("receive: got %v, %v", got, err)
	}
	if err := w.remove(queue, got.handle); err != nil {
		t.Fatalf("delete: %v", err)
	}
	return got
}

func wantNothing(t *testing.T, w wire, queue string) {
	t.Helper()
	if got, err := w.receive(queue); got != nil || err != nil {
		t.Fatalf("got %+v, %v, want no message", got, err)
	}
}

// What every protocol has travels between any two: bodies, attributes and properties of three types, groups, and
// priorities between those that have them.
func TestCarryMessages(t *testing.T) {
	t.Parallel()
	srv := start(t)
	srv.pairs(t, "", nil, func(t *testing.T, from, to wire, queue string) {
		sent := carried{
			Body: "naïve <&> \"日本語\" 🚀\tend\n", Group: "group", Priority: 3,
			Attributes: map[string]carriedAttribute{"text": {"String", "a <b> & c"}, "number": {"Number", "-12.50"}, "bytes": {"Binary", "\x00\xff<"}},
		}
		mustSend(t, from, queue, sent)
		got := mustReceive(t, to, queue)
		if got.Body != sent.Body || !maps.Equal(got.Attributes, sent.Attributes) || got.Group != sent.Group {
			t.Errorf("got %+v, want %+v", got, sent)
		}
		wantPriority := 3
		if from.sqs {
			wantPriority = 8 // SQS has none: it sends MNS's default
		}
		if !to.sqs && got.Priority != wantPriority {
			t.Errorf("got priority %d, want %d", got.Priority, wantPriority)
		}
	})
}

// Every text that SDKs are tried with is the same text on each way between two protocols.
func TestCarryTexts(t *testing.T) {
	t.Parallel()
	srv := start(t)
	srv.pairs(t, "", nil, func(t *testing.T, from, to wire, queue string) {
		for what, text := range texts {
			mustSend(t, from, queue, carried{Body: text})
			if got := mustReceive(t, to, queue).Body; got != text {
				t.Errorf("%s: got %.100q, want %.100q", what, got, text)
			}
		}
	})
}

// What an SDK has encoded by itself is text for other clouds' clients, and what those send it can decode; between
// clients of MNS a body stays as it came. A queue's own rule is above that, whoever reads.
func TestCarryBodyRules(t *testing.T) {
	t.Parallel()
	srv := start(t)
	const text = "hello <&> 日本語"
	coded := encode64(text)
	encoding := srv.mnsXMLBy(encodingSDK)
	encoding.name = "encoding-SDK"
	wires := append(srv.wires(), encoding)
	for rule, ruled := range map[string]string{"auto": "", "as-sent": "", "text": text, "base64": coded} {
		for _, from := range wires {
			for _, to := range wires {
				queue := rule + "-" + from.name + "-to-" + to.name
				t.Run(queue, func(t *testing.T) {
					srv.control(t, "CreateQueue", queue, nil)
					srv.api(t, "PATCH", "/queues/"+queue, map[string]string{"body_rule": rule}, nil)
					sent, want := text, ruled
					if from.name == encoding.name {
						sent = coded
					}
					switch {
					case ruled != "":
					case rule == "as-sent", from.mns && to.mns:
						want = sent
					case to.name == encoding.name:
						want = coded
					default:
						want = text
					}
					mustSend(t, from, queue, carried{Body: sent})
					if got := mustReceive(t, to, queue).Body; got != want {
						t.Errorf("got %q, want %q", got, want)
					}
				})
			}
		}
	}
}

// A delay is a delay, and an urgent message comes first, whoever receives.
func TestCarryDelayAndPriority(t *testing.T) {
	t.Parallel()
	srv := start(t)
	srv.pairs(t, "", nil, func(t *testing.T, from, to wire, queue string) {
		mustSend(t, from, queue, carried{Body: "late", Delay: 60})
		wantNothing(t, to, queue)
		srv.advance(t, time.Minute)
		if got := mustReceive(t, to, queue); got.Body != "late" {
			t.Errorf("got %q", got.Body)
		}
		if from.sqs {
			return
		}
		for body, priority := range map[string]int{"second": 9, "first": 2} {
			mustSend(t, from, queue, carried{Body: body, Priority: priority})
		}
		if first, second := mustReceive(t, to, queue).Body, mustReceive(t, to, queue).Body; first != "first" || second != "second" {
			t.Errorf("got %s, %s", first, second)
		}
	})
}

// FIFO queues of both namings keep a group's order, and hand out its next message when one is deleted.
func TestCarryFIFO(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client := srv.sqs()
	srv.pairs(t, "fifo-", url.Values{"QueueType": {"fifo"}}, func(t *testing.T, from, to wire, queue string) {
		sqsName := queue + ".fifo"
		createQueue(t, client, sqsName, "FifoQueue", "true")
		for _, name := range []string{queue, sqsName} {
			for _, body := range []string{"one", "two"} {
				mustSend(t, from, name, carried{Body: body, Group: "g"})
			}
			first, err := to.receive(name)
			if err != nil || first == nil || first.Body != "one" || first.Group != "g" {
				t.Fatalf("%s: got %+v, %v", name, first, err)
			}
			if err := to.remove(name, first.handle); err != nil {
				t.Fatalf("delete: %v", err)
			}
			if got := mustReceive(t, to, name); got.Body != "two" {
				t.Errorf("%s: got %q", name, got.Body)
			}
		}
	})
}

// A message that one protocol received too often is the dead letter of every other.
func TestCarryDeadLetters(t *testing.T) {
	t.Parallel()
	srv := start(t)
	srv.control(t, "CreateQueue", "dead", nil)
	policy := url.Values{"DlqPolicy": {`{"Enabled":true,"DeadLetterTargetQueue":"dead","MaxReceiveCount":1}`}}
	srv.pairs(t, "", policy, func(t *testing.T, from, to wire, queue string) {
		mustSend(t, from, queue, carried{Body: queue, Attributes: map[string]carriedAttribute{"n": {"Number", "1"}}})
		if got, err := from.receive(queue); got == nil || err != nil {
			t.Fatalf("receive: got %v, %v", got, err)
		}
		srv.advance(t, 30*time.Second)
		wantNothing(t, to, queue)
		if got := mustReceive(t, to, "dead"); got.Body != queue || got.Attributes["n"].Value != "1" {
			t.Errorf("the dead letter is %+v", got)
		}
	})
}

// What cannot be carried, each as docs/between-protocols.md says it.
func TestNotCarried(t *testing.T) {
	t.Parallel()
	srv := start(t)
	srv.pairs(t, "", nil, func(t *testing.T, from, to wire, queue string) {
		if !from.mns { // labels of types are AWS's
			mustSend(t, from, queue, carried{Body: "labels", Attributes: map[string]carriedAttribute{"a": {"String.note", "x"}, "b": {"Number.int", "1"}, "c": {"Binary.gzip", "\x01"}}})
			want := map[string]carriedAttribute{"a": {"String.note", "x"}, "b": {"Number.int", "1"}, "c": {"Binary.gzip", "\x01"}}
			if to.mns {
				want = map[string]carriedAttribute{"a": {"String", "x"}, "b": {"Number", "1"}, "c": {"Binary", "\x01"}}
			}
			if got := mustReceive(t, to, queue).Attributes; !maps.Equal(got, want) {
				t.Errorf("labels: got %v, want %v", got, want)
			}
		}
		if from.mns { // truth values are MNS's; elsewhere they are strings with a label, and come back as they were
			mustSend(t, from, queue, carried{Body: "truth", Attributes: map[string]carriedAttribute{"a": {"String.Boolean", "true"}}})
			if got := mustReceive(t, to, queue).Attributes["a"]; got != (carriedAttribute{"String.Boolean", "true"}) {
				t.Errorf("truth: got %v", got)
			}
		}
		if from.name == "SQS-JSON" {
			mustSend(t, from, queue, carried{Body: "trace", System: map[string]string{"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"}})
			if got := mustReceive(t, to, queue); (got.System["AWSTraceHeader"] != "") == to.mns {
				t.Errorf("AWSTraceHeader: got %v", got.System)
			}
		}
		if from.name == "MNS-XML" {
			mustSend(t, from, queue, carried{Body: "trace", System: map[string]string{"traceparent": "00-1-2-01"}})
			if got := mustReceive(t, to, queue); (got.System["traceparent"] != "") == to.sqs {
				t.Errorf("traceparent: got %v", got.System)
			}
		}
		if from.name == "JSON-API" { // which alone sends bytes that are no text
			mustSend(t, from, queue, carried{Body: "\xff\x00"})
			want := encode64("\xff\x00")
			if to.name == "JSON-API" {
				want = "\xff\x00"
			}
			if got := mustReceive(t, to, queue).Body; got != want {
				t.Errorf("bytes: got %q, want %q", got, want)
			}
		}
		if from.name == "MNS-JSON" || from.name == "JSON-API" {
			mustSend(t, from, queue, carried{Body: "bell \x07"})
			want := encode64("bell \x07")
			if to.name == "MNS-JSON" || to.name == "JSON-API" {
				want = "bell \x07"
			}
			if got := mustReceive(t, to, queue).Body; got != want {
				t.Errorf("control character: got %q, want %q", got, want)
			}
		}
	})
}

// What one protocol allows and another could not send is shown as it is: more attributes, names with any characters,
// longer bodies, equal messages of a FIFO queue.
func TestCarryBeyondTheReadersLimits(t *testing.T) {
	t.Parallel()
	srv := start(t)
	long := strings.Repeat("0123456789", 20_000)
	srv.pairs(t, "", nil, func(t *testing.T, from, to wire, queue string) {
		if from.mns { // SQS's clients send up to ten, with letters, digits and some marks in their names
			sent := map[string]carriedAttribute{"a blank": {"String", "x"}, "名前": {"Number", "1"}, "<&>": {"Binary", "\x00"}}
			for i := range 12 {
				sent[fmt.Sprintf("property-%d", i)] = carriedAttribute{"String", strconv.Itoa(i)}
			}
			mustSend(t, from, queue, carried{Body: "many", Attributes: sent})
			if got := mustReceive(t, to, queue).Attributes; !maps.Equal(got, sent) {
				t.Errorf("got %v, want %v", got, sent)
			}
			return
		}
		srv.api(t, "PATCH", "/queues/"+queue, map[string]int{"max_message_bytes": 1 << 20}, nil) // MNS's clients send 64 KiB
		mustSend(t, from, queue, carried{Body: long})
		if got := mustReceive(t, to, queue).Body; got != long {
			t.Errorf("got %d bytes, want %d", len(got), len(long))
		}
	})
}

// MNS has no deduplication ids: what it sends twice is there twice, also where a queue deduplicates by content.
func TestMNSDeduplicatesNothing(t *testing.T) {
	t.Parallel()
	srv := start(t)
	createQueue(t, srv.sqs(), "fifo-orders.fifo", "FifoQueue", "true", "ContentBasedDeduplication", "true")
	for _, w := range srv.wires() {
		if !w.mns {
			continue
		}
		for range 2 {
			mustSend(t, w, "fifo-orders.fifo", carried{Body: "same", Group: "g"})
		}
		for range 2 {
			if got := mustReceive(t, srv.sqsJSON(), "fifo-orders.fifo"); got.Body != "same" {
				t.Errorf("%s: got %+v", w.name, got)
			}
		}
		wantNothing(t, srv.sqsJSON(), "fifo-orders.fifo")
	}
}

// No protocol has what another one would not store: a request that is refused leaves the queue as it was.
func TestCarryRefusals(t *testing.T) {
	t.Parallel()
	srv := start(t)
	srv.pairs(t, "", url.Values{"MaximumMessageSize": {"1024"}}, func(t *testing.T, from, to wire, queue string) {
		if err := from.send(queue, carried{Body: string(bytes.Repeat([]byte("x"), 1025))}); err == nil {
			t.Error("a body that is too long is taken")
		}
		wantNothing(t, to, queue)
	})
}

// Each row of the documentation names tests that are here.
func TestBetweenProtocolsIsTested(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../docs/between-protocols.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources.Write(source)
	}
	rows := 0
	for line := range strings.Lines(string(document)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], " --- ") || strings.TrimSpace(cells[3]) == "test" {
			continue
		}
		rows++
		for _, name := range strings.Split(cells[3], ",") {
			if !strings.Contains(sources.String(), "\nfunc "+strings.TrimSpace(name)+"(t *testing.T)") {
				t.Errorf("there is no test %s, of %s", strings.TrimSpace(name), cells[1])
			}
		}
	}
	if rows < 20 {
		t.Errorf("only %d rows were found", rows)
	}
}
