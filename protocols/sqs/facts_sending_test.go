package sqs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const tooLongOf = "One or more parameters are invalid. Reason: Message must be shorter than %d bytes."

// Section 5 of specs/sqs.md: sending.
func TestFactsSending(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	const ids = " can only include alphanumeric and punctuation characters. 1 to 128 in length."
	facts(t, map[string]func(*client){
		"5.1 no body": func(c *client) {
			url := c.newQueue("q")
			c.refused("SendMessage", m{"QueueUrl": url}, missingParameter, "The request must contain the parameter MessageBody.")
			c.refused("SendMessage", m{"QueueUrl": url, "MessageBody": ""}, missingParameter, "The request must contain the parameter MessageBody.")
			c.wantCounts(url, "0", "0", "0")
		},
		"5.1 size": func(c *client) { // 10.20, 10.23
			url := c.newQueue("q", "MaximumMessageSize", "1024")
			c.sendAll(url, x(1024), strings.Repeat("ä", 512))
			c.sendTo(url, x(1012), m{"MessageAttributes": m{"ab": text("cdef")}})           // 2 + 6 + 4
			c.sendTo(url, x(1013), m{"MessageAttributes": m{"ab": binary("\x00\xff\x01")}}) // 2 + 6 + 3: bytes, not base64
			c.sendTo(url, x(1024), m{"MessageSystemAttributes": m{"AWSTraceHeader": text("Root=1")}})
			message := fmt.Sprintf(tooLongOf, 1024)
			for _, in := range []m{
				{"MessageBody": x(1025)}, {"MessageBody": strings.Repeat("ä", 513)},
				{"MessageBody": x(1013), "MessageAttributes": m{"ab": text("cdef")}},
				{"MessageBody": x(1014), "MessageAttributes": m{"ab": binary("\x00\xff\x01")}},
			} {
				c.refused("SendMessage", with(in, m{"QueueUrl": url}), invalidParameter, message)
			}
			c.wantCounts(url, "5", "0", "0")
			large := c.newQueue("large")
			c.sendAll(large, x(1<<20), strings.Repeat("%", 1<<20)) // of which a form makes 3 MiB
			c.refused("SendMessage", m{"QueueUrl": large, "MessageBody": x(1<<20 + 1)}, invalidParameter, fmt.Sprintf(tooLongOf, 1<<20))
		},
		"5.1 the largest message, in its longest form": func(c *client) { // base64 of slashes, which a form writes as %2F
			url := c.newQueue("q")
			value := strings.Repeat("\xff", 1<<20-len("xaBinary"))
			sent := c.sendTo(url, "x", m{"MessageAttributes": m{"a": binary(value)}})
			got := c.receiveOne(url, m{"MessageAttributeNames": []string{"All"}})
			if got["MessageAttributes"].(m)["a"].(m)["BinaryValue"] != base64Of(value) || got["MD5OfMessageAttributes"] != sent["MD5OfMessageAttributes"] {
				c.Errorf("got %.300v", got)
			}
		},
		"5.1 characters": func(c *client) {
			url := c.newQueue("q")
			for _, body := range []string{"\x00", "a\x08", "\x0b", "\x1f", "\uFFFE", "\uFFFF"} {
				c.refused("SendMessage", m{"QueueUrl": url, "MessageBody": body}, invalidContents, "")
				c.refused("SendMessage", m{"QueueUrl": url, "MessageBody": "b", "MessageAttributes": m{"a": text(body)}}, invalidParameter, "")
			}
			c.sendAll(url, "\t\n\r \u007f\uD7FF\uE000\uFFFD\U00010000\U0010FFFF")
			c.wantCounts(url, "1", "0", "0")
		},
		"5.1 the order of checks": func(c *client) {
			url := c.newQueue("q", "MaximumMessageSize", "1024")
			bad := m{"QueueUrl": url, "MessageAttributes": m{"AWS.a": text("v")}, "MessageGroupId": "", "DelaySeconds": 901, "MessageDeduplicationId": "d"}
			c.refused("SendMessage", with(bad, m{"QueueUrl": "nothing"}), queueDoesNotExist, "The specified queue does not exist.")
			c.refused("SendMessage", bad, missingParameter, "The request must contain the parameter MessageBody.")
			c.refused("SendMessage", with(bad, m{"MessageBody": "\x01" + x(1024)}), invalidParameter, fmt.Sprintf(tooLongOf, 1024))
			c.refused("SendMessage", with(bad, m{"MessageBody": "\x01"}), invalidContents, "")
			bad["MessageBody"] = "b"
			c.refused("SendMessage", bad, invalidParameter, "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use. Additionally, they cannot start or end with '.'.")
			delete(bad, "MessageAttributes")
			c.refused("SendMessage", bad, invalidParameter, "Value  for parameter MessageGroupId is invalid. Reason: MessageGroupId"+ids)
			bad["MessageGroupId"] = "g"
			c.refused("SendMessage", bad, invalidParameter, "Value d for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for this queue type")
			delete(bad, "MessageDeduplicationId")
			c.refused("SendMessage", bad, invalidParameter, "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.")
			c.wantCounts(url, "0", "0", "0")
		},
		"5.1 delays": func(c *client) {
			url := c.newQueue("q")
			for _, n := range []int{-1, 901} {
				c.refused("SendMessage", m{"QueueUrl": url, "MessageBody": "b", "DelaySeconds": n}, invalidParameter,
					fmt.Sprintf("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", n))
			}
			c.refused("SendMessage", m{"QueueUrl": url, "MessageBody": "b", "DelaySeconds": "soon"}, invalidParameter, "")
			c.sendTo(url, "b", m{"DelaySeconds": 900})
			c.wait(890 * time.Second)
			c.wantBodies(url, 0)
			c.wait(10 * time.Second)
			c.wantBodies(url, 0, "b")
		},
		"5.7 groups of a standard queue": func(c *client) { // 10.26
			url := c.newQueue("q")
			c.sendTo(url, "b", m{"MessageGroupId": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~aZ9"})
			got := c.receiveOne(url, m{"MessageSystemAttributeNames": []string{"All"}})["Attributes"].(m)
			if got["MessageGroupId"] != "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~aZ9" || got["SequenceNumber"] != nil || got["MessageDeduplicationId"] != nil {
				c.Errorf("got %v", got)
			}
			c.sendTo(url, "b", m{"MessageGroupId": x(128)})
			for _, id := range []string{"", "a b", x(129), "ä", "a\n"} {
				c.refused("SendMessage", m{"QueueUrl": url, "MessageBody": "b", "MessageGroupId": id}, invalidParameter,
					"Value "+id+" for parameter MessageGroupId is invalid. Reason: MessageGroupId"+ids)
				c.refused("SendMessage", m{"QueueUrl": url, "MessageBody": "b", "MessageDeduplicationId": id}, invalidParameter,
					"Value "+id+" for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId"+ids)
			}
			for range 3 { // no deduplication, no order, no locks
				c.sendTo(url, "same", m{"MessageGroupId": "g"})
			}
			c.wantBodies(url, 30, "b", "same", "same", "same")
		},
		"5.4 ids of messages": func(c *client) {
			url := c.newQueue("q")
			sent := c.sendTo(url, "b")
			id := sent["MessageId"].(string)
			if len(id) != 36 || id != strings.ToLower(id) || strings.Count(id, "-") != 4 || sent["SequenceNumber"] != nil {
				c.Errorf("got %v", sent)
			}
			for range 2 {
				if got := c.receiveOne(url, m{"VisibilityTimeout": 0})["MessageId"]; got != id {
					c.Errorf("got %v, want %s", got, id)
				}
			}
		},
		"5.6 delays of queue and message": func(c *client) { // 10.20, 10.37
			url := c.newQueue("q", "DelaySeconds", "600")
			c.sendAll(url, "queue's")
			c.sendTo(url, "none", m{"DelaySeconds": 0})
			c.sendTo(url, "own", m{"DelaySeconds": 300})
			c.wantCounts(url, "1", "0", "2")
			c.wantBodies(url, 43200, "none")
			c.wait(5 * time.Minute)
			c.wantBodies(url, 43200, "own")
			c.wantCounts(url, "0", "2", "1")
			c.wait(5 * time.Minute)
			c.wantBodies(url, 43200, "queue's")
		},
	})
}

func TestFactsMessageAttributes(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	ok, bad := map[string]m{}, map[string]m{}
	ok["ten"] = m{}
	bad["eleven"] = m{"K": text("v")}
	for i := range 10 {
		ok["ten"][fmt.Sprint("a", i)] = text("v")
		bad["eleven"][fmt.Sprint("a", i)] = text("v")
	}
	for _, name := range []string{x(256), "aZ09_-.b", "attr.1øßä", "AWSome", "Amazonas", "aws"} {
		ok["name "+name] = m{name: text("v")}
	}
	for _, name := range []string{"", x(257), ".a", "a.", "a..b", "AWS.a", "aws.a", "Amazon.a", "aMaZoN.a", "a b", "a/b", "a*"} {
		bad["name "+name] = m{name: text("v")}
	}
	for _, dataType := range []string{"String", "String.a", "String.a.b ü", "String." + x(249)} {
		ok["type "+dataType] = m{"a": m{"DataType": dataType, "StringValue": "v"}}
	}
	for _, dataType := range []string{"", "string", "Stringy", "Text", ".String", "String." + x(250)} {
		bad["type "+dataType] = m{"a": m{"DataType": dataType, "StringValue": "v"}}
	}
	ok["number with a label"] = m{"a": m{"DataType": "Number.int", "StringValue": "-0.5e-3"}}
	for _, value := range []string{"0", "1e126", "-1e128", "+1.50", "12345678901234567890123456789012345678", "0.00000000001"} {
		ok["number "+value] = m{"a": number(value)}
	}
	for _, value := range []string{"1.1e126", "-1.1e128", "1,5", "0x10", "Infinity", "NaN", "one", " 1", "123456789012345678901234567890123456789", "1e", "--1"} {
		bad["number "+value] = m{"a": number(value)}
	}
	bad["no value"] = m{"a": m{"DataType": "String"}}
	bad["text for bytes"] = m{"a": m{"DataType": "Binary", "StringValue": "v"}}
	bad["bytes for text"] = m{"a": m{"DataType": "String", "BinaryValue": []byte("v")}}
	bad["no base64"] = m{"a": m{"DataType": "Binary", "BinaryValue": "*"}}
	cases := map[string]func(*client){
		"5.2 good ones": func(c *client) {
			url := c.newQueue("q")
			for name, attributes := range ok {
				if got := c.call("SendMessage", m{"QueueUrl": url, "MessageBody": "b", "MessageAttributes": attributes}); got.status != 200 {
					c.Errorf("%.50s: got %s", name, got.body)
				}
			}
		},
		"5.2 bad ones": func(c *client) {
			url := c.newQueue("q")
			for _, attributes := range bad {
				c.refused("SendMessage", m{"QueueUrl": url, "MessageBody": "b", "MessageAttributes": attributes}, invalidParameter, "")
			}
			c.wantCounts(url, "0", "0", "0")
		},
		"5.2 texts of errors": func(c *client) {
			url := c.newQueue("q")
			for _, tt := range []struct {
				attributes m
				message    string
			}{
				{bad["eleven"], "Number of message attributes [11] exceeds the allowed maximum [10]."},
				{m{"ErrorDetails": text("")}, "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'."},
				{m{"a": number("")}, "Message (user) attribute 'a' must contain a non-empty value of type 'Number'."},
				{m{"a": binary("")}, "Message (user) attribute 'a' must contain a non-empty value of type 'Binary'."},
				{m{"x": number("one")}, "Can't cast the value of message (user) attribute 'x' to a number."},
				{m{x(257): text("v")}, "Message (user) attribute names must be shorter than 256 Bytes"},
				{m{"Amazon.a": text("v")}, "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use. Additionally, they cannot start or end with '.'."},
			} {
				c.refused("SendMessage", m{"QueueUrl": url, "MessageBody": "b", "MessageAttributes": tt.attributes}, invalidParameter, tt.message)
			}
		},
		"5.2 system attributes": func(c *client) {
			url := c.newQueue("q")
			for _, attributes := range []m{{"SenderId": text("v")}, {"AWSTraceHeader": number("1")}, {"AWSTraceHeader": text("")}, {"AWSTraceHeader": binary("x")}} {
				c.refused("SendMessage", m{"QueueUrl": url, "MessageBody": "b", "MessageSystemAttributes": attributes}, invalidParameter, "")
			}
		},
	}
	const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	for digest, attributes := range map[string]m{ // 5.3; 10.12
		"4c360f3fdafd970e05fae2f149d997f5": {"Hello": text("There"), "General": text("Kenobi"), "Help.Me": text("Me")},
		"fca026605781cb4126a1e9044df24232": {"Hello": text("There"), "General": text("Kenobi")},
		"a311262e065454b75da111d535b8dacd": {"Hello": text("There")},
		"ae7155c6026991b6d54b11589678bf9c": {"Foo": text("Bar")},
		"a45daa70926828a2f0a1db3418e6feb4": {"k": text("x")},
		"235c5c510d26fb653d073faed50ae77c": {"timestamp": number("1493147359900")},
		"d302007e9aa062660afc85fd0a482472": {"attr1": number("99.12")},
		"8cbe4db156db8a94db8b801b7addb984": {"attr1": binary("traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01")},
	} {
		cases["5.3 digest "+digest] = func(c *client) {
			url := c.newQueue("q")
			sent := c.sendTo(url, "b", m{"MessageAttributes": attributes, "MessageSystemAttributes": m{"AWSTraceHeader": text(trace)}})
			if sent["MD5OfMessageAttributes"] != digest || sent["MD5OfMessageSystemAttributes"] != "5ae4d5d7636402d80f4eb6d213245a88" {
				c.Errorf("sent: got %v", sent)
			}
			batch := c.ok("SendMessageBatch", m{"QueueUrl": url, "Entries": []m{{"Id": "1", "MessageBody": "b", "MessageAttributes": attributes}}})["Successful"].([]any)[0].(m)
			if batch["MD5OfMessageAttributes"] != digest || batch["MD5OfMessageSystemAttributes"] != nil || batch["MD5OfMessageBody"] != md5Of("b") {
				c.Errorf("sent in a batch: got %v", batch)
			}
			for _, message := range c.receiveFrom(url, m{"MessageAttributeNames": []string{"All"}}) {
				if message["MD5OfMessageAttributes"] != digest {
					c.Errorf("received: got %v", message)
				}
				for name, attribute := range message["MessageAttributes"].(m) {
					if attribute.(m)["DataType"] != attributes[name].(m)["DataType"] {
						c.Errorf("got %v, want %v", attribute, attributes[name])
					}
				}
			}
			if plain := c.sendTo(url, "b"); plain["MD5OfMessageAttributes"] != nil || plain["MD5OfMessageSystemAttributes"] != nil {
				c.Errorf("without attributes: got %v", plain)
			}
		}
	}
	cases["5.2 labels and values come back as sent"] = func(c *client) {
		url := c.newQueue("q")
		given := m{"n": m{"DataType": "Number.custom", "StringValue": "+01.50"}, "b": m{"DataType": "Binary.png", "BinaryValue": []byte("\x00\xff")}, "s": m{"DataType": "String.µ", "StringValue": "v"}}
		sent := c.sendTo(url, "b", m{"MessageAttributes": given})
		message := c.receiveOne(url, m{"MessageAttributeNames": []string{".*"}})
		got := message["MessageAttributes"].(m)
		if message["MD5OfMessageAttributes"] != sent["MD5OfMessageAttributes"] || len(got) != 3 || got["n"].(m)["StringValue"] != "+01.50" ||
			got["n"].(m)["DataType"] != "Number.custom" || got["b"].(m)["BinaryValue"] != "AP8=" || got["b"].(m)["DataType"] != "Binary.png" || got["s"].(m)["DataType"] != "String.µ" {
			c.Errorf("sent %v, got %v", sent, message)
		}
	}
	facts(t, cases)
}

// Lists in attributes are reserved (5.2); the query protocol of no SDK writes them.
func TestFactsAttributeLists(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	const empty = `"StringListValues":[],"BinaryListValues":[]`
	f.ok(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":"b","MessageAttributes":{"a":{"DataType":"String","StringValue":"v",`+empty+`}}}`)
	for _, list := range []string{`"StringListValues":["v"]`, `"BinaryListValues":["AA=="]`} {
		f.json(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":"b","MessageAttributes":{"a":{"DataType":"String","StringValue":"v",`+list+`}}}`).wantFault(t, unsupportedOperation, "")
	}
	f.json(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":"b","MessageAttributes":{"a":null}}`).wantFault(t, invalidParameter, "")
	f.json(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":"b","MessageAttributes":{"a":{"DataType":"String","StringValue":null}}}`).wantFault(t, invalidParameter, "")
	f.query(t, "SendMessage", "QueueUrl=orders&MessageBody=b&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringListValue.1=v").
		wantQueryFault(t, unsupportedOperation, "")
}

func TestFactsBatches(t *testing.T) {
	const badID = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
	x := func(n int) string { return strings.Repeat("x", n) }
	actions := map[string]m{
		"SendMessageBatch": {"MessageBody": "b"}, "DeleteMessageBatch": {"ReceiptHandle": "h"}, "ChangeMessageVisibilityBatch": {"ReceiptHandle": "h", "VisibilityTimeout": 1},
	}
	cases := map[string]func(*client){}
	for action, entry := range actions {
		cases["5.5 "+action+" fails as a whole"] = func(c *client) { // 10.25
			url := c.newQueue("q")
			refused := func(want wireError, message string, ids ...string) {
				c.Helper()
				entries := []m{}
				for _, id := range ids {
					entries = append(entries, with(entry, m{"Id": id}))
				}
				c.refused(action, m{"QueueUrl": url, "Entries": entries}, want, message)
			}
			refused(emptyBatch, "There should be at least one "+action+"RequestEntry in the request.")
			eleven := strings.Split("1,2,3,4,5,6,7,8,9,10,11", ",")
			refused(tooManyEntries, "Maximum number of entries per request are 10. You have sent 11.", eleven...)
			refused(tooManyEntries, "Maximum number of entries per request are 10. You have sent 20.", slices.Repeat([]string{"a b"}, 20)...)
			for _, id := range []string{"", "a b", "a.b", "ä", x(81)} {
				refused(invalidEntryID, badID, "1", id, "1")
			}
			refused(idsNotDistinct, "Id 1 repeated.", "1", "2", "1")
			refused(idsNotDistinct, "Id same repeated.", "same", "same")
			c.wantCounts(url, "0", "0", "0")
		}
	}
	cases["5.5 the size of a batch"] = func(c *client) { // 10.24
		url := c.newQueue("q", "MaximumMessageSize", "1024")
		batch := func(sizes ...int) m {
			entries := []m{}
			for i, n := range sizes {
				entries = append(entries, m{"Id": fmt.Sprint(i), "MessageBody": x(n)})
			}
			return m{"QueueUrl": url, "Entries": entries}
		}
		c.refused("SendMessageBatch", batch(1<<19, 1<<19, 1), batchTooLong, "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.")
		got := c.ok("SendMessageBatch", batch(1<<20-1024, 1024))
		if len(got["Successful"].([]any)) != 1 || len(got["Failed"].([]any)) != 1 {
			c.Fatalf("got %v", got)
		}
		failure := got["Failed"].([]any)[0].(m)
		if failure["Id"] != "0" || failure["Code"] != "InvalidParameterValue" || failure["SenderFault"] != true ||
			failure["Message"] != "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes." {
			c.Errorf("got %v", failure)
		}
	}
	cases["5.5 entries fail on their own"] = func(c *client) {
		url := c.newQueue("q")
		got := c.ok("SendMessageBatch", m{"QueueUrl": url, "Entries": []m{
			{"Id": "control", "MessageBody": "\x01"}, {"Id": "one", "MessageBody": "1"}, {"Id": "none"}, {"Id": "late", "MessageBody": "b", "DelaySeconds": 901},
			{"Id": "attribute", "MessageBody": "b", "MessageAttributes": m{"AWS.a": text("v")}}, {"Id": "two", "MessageBody": "2"}, {"Id": x(80), "MessageBody": "3"},
		}})
		codes := map[string]string{}
		for _, failure := range got["Failed"].([]any) {
			codes[failure.(m)["Id"].(string)] = failure.(m)["Code"].(string)
		}
		want := map[string]string{"control": "InvalidMessageContents", "none": "MissingParameter", "late": "InvalidParameterValue", "attribute": "InvalidParameterValue"}
		if fmt.Sprint(codes) != fmt.Sprint(want) || len(got["Successful"].([]any)) != 3 {
			c.Errorf("got %v", got)
		}
		c.wantBodies(url, 0, "1", "2", "3")
	}
	facts(t, cases)
}
