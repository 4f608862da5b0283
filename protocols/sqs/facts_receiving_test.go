package sqs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Section 6 of specs/sqs.md: receiving, deleting, visibility.
func TestFactsReceiving(t *testing.T) {
	facts(t, map[string]func(*client){
		"6.1 bounds": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a")
			for _, n := range []int{0, 11, -1} {
				c.refused("ReceiveMessage", m{"QueueUrl": url, "MaxNumberOfMessages": n}, invalidParameter,
					fmt.Sprintf("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", n))
			}
			for _, n := range []int{-1, 21} {
				c.refused("ReceiveMessage", m{"QueueUrl": url, "WaitTimeSeconds": n}, invalidParameter,
					fmt.Sprintf("Value %d for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.", n))
			}
			for _, n := range []int{-1, 43201} {
				c.refused("ReceiveMessage", m{"QueueUrl": url, "VisibilityTimeout": n}, invalidParameter, "")
			}
			c.refused("ReceiveMessage", m{"QueueUrl": url, "ReceiveRequestAttemptId": strings.Repeat("x", 129)}, invalidParameter, "")
			c.refused("ReceiveMessage", m{"QueueUrl": url, "ReceiveRequestAttemptId": "a b"}, invalidParameter, "")
			c.wantCounts(url, "1", "0", "0")
			got := c.ok("ReceiveMessage", m{"QueueUrl": url, "MaxNumberOfMessages": 1, "WaitTimeSeconds": 20, "VisibilityTimeout": 0})
			if len(got["Messages"].([]any)) != 1 {
				c.Errorf("got %v", got)
			}
			c.receiveOne(url, m{"VisibilityTimeout": 43200, "ReceiveRequestAttemptId": strings.Repeat("x", 128)}) // 10.38: lenient
			c.wait(43190 * time.Second)
			c.wantBodies(url, 0)
			c.wait(10 * time.Second)
			c.wantBodies(url, 0, "a")
		},
		"6.1 one message, unless more are asked for": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k")
			if got := c.ok("ReceiveMessage", m{"QueueUrl": url})["Messages"].([]any); len(got) != 1 {
				c.Errorf("got %d messages", len(got))
			}
			c.wantBodies(url, 30, "b", "c", "d", "e", "f", "g", "h", "i", "j", "k")
		},
		"6.1 a visibility timeout of 0": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a")
			for n := 1; n <= 3; n++ {
				got := c.receiveOne(url, m{"VisibilityTimeout": 0, "AttributeNames": []string{"ApproximateReceiveCount"}})["Attributes"].(m)
				if got["ApproximateReceiveCount"] != strconv.Itoa(n) {
					c.Errorf("got %v, want %d", got, n)
				}
			}
		},
		"6.2 system attributes": func(c *client) { // 10.21
			url := c.newQueue("q")
			before := time.Now().Add(-time.Minute).UnixMilli()
			c.sendTo(url, "b", m{"MessageSystemAttributes": m{"AWSTraceHeader": text("Root=1")}})
			if got := c.receiveOne(url, m{"VisibilityTimeout": 0}); got["Attributes"] != nil || got["MessageAttributes"] != nil || got["MD5OfMessageAttributes"] != nil {
				c.Errorf("nothing asked for: got %v", got)
			}
			all := []string{"AWSTraceHeader", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "SenderId", "SentTimestamp"}
			for _, list := range []string{"AttributeNames", "MessageSystemAttributeNames"} {
				got := c.receiveOne(url, m{"VisibilityTimeout": 0, list: []string{"All"}})["Attributes"].(m)
				if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, all) {
					c.Errorf("%s: got %v", list, got)
				}
				if kombu := c.receiveOne(url, m{"VisibilityTimeout": 0, list: []string{"ALL"}})["Attributes"].(m); len(kombu) != len(all) {
					c.Errorf("%s, ALL: got %v", list, kombu)
				}
				if got["SenderId"] != c.account {
					c.Errorf("%s: got %v", list, got)
				}
				for _, name := range []string{"SentTimestamp", "ApproximateFirstReceiveTimestamp"} {
					if millis, err := strconv.ParseInt(got[name].(string), 10, 64); err != nil || millis < before || millis > before+3_600_000 {
						c.Errorf("%s: got %v", name, got[name])
					}
				}
				if got := c.receiveOne(url, m{"VisibilityTimeout": 0, list: []string{"SenderId", "SequenceNumber", "Nothing"}})["Attributes"].(m); len(got) != 1 {
					c.Errorf("%s: got %v", list, got)
				}
				if got := c.receiveOne(url, m{"VisibilityTimeout": 0, list: []string{"MessageGroupId"}}); got["Attributes"] != nil {
					c.Errorf("%s: got %v", list, got)
				}
			}
			both := c.receiveOne(url, m{"VisibilityTimeout": 0, "AttributeNames": []string{"SenderId"}, "MessageSystemAttributeNames": []string{"All"}})["Attributes"].(m)
			if want := map[string]int{"json": len(all), "query": 1}[c.wire]; len(both) != want {
				c.Errorf("both lists: got %v, want %d attributes", both, want)
			}
		},
		"6.2 selection of message attributes": func(c *client) { // 10.22
			const ofAll, ofTwo, ofHello = "4c360f3fdafd970e05fae2f149d997f5", "fca026605781cb4126a1e9044df24232", "a311262e065454b75da111d535b8dacd"
			url := c.newQueue("q")
			c.sendTo(url, "b", m{"MessageAttributes": m{"Hello": text("There"), "General": text("Kenobi"), "Help.Me": text("Me")}})
			for _, tt := range []struct{ asked, want, digest string }{
				{"All", "General Hello Help.Me", ofAll}, {"*", "General Hello Help.Me", ofAll}, {"ALL", "General Hello Help.Me", ofAll}, {".*", "General Hello Help.Me", ofAll},
				{"Hello", "Hello", ofHello}, {"Hello General", "General Hello", ofTwo}, {"Hel.*", "Hello Help.Me", ""}, {"Help.*", "Help.Me", ""},
				{"Help.Me.*", "Help.Me", ""}, {"Hello AWS. ..foo nothing", "Hello", ofHello}, {"hello", "", ""}, {"Hel", "", ""}, {"Hel*", "", ""}, {"AWS.", "", ""},
			} {
				got := c.receiveOne(url, m{"VisibilityTimeout": 0, "MessageAttributeNames": strings.Fields(tt.asked)})
				attributes, _ := got["MessageAttributes"].(m)
				names := strings.Join(slices.Sorted(maps.Keys(attributes)), " ")
				if names != tt.want || (got["MD5OfMessageAttributes"] != nil) != (tt.want != "") || tt.digest != "" && got["MD5OfMessageAttributes"] != tt.digest {
					c.Errorf("%s: got %v", tt.asked, got)
				}
				if got["MD5OfBody"] != md5Of("b") || got["Attributes"] != nil {
					c.Errorf("%s: got %v", tt.asked, got)
				}
			}
		},
		"6.3 oldest first, each once, with a handle for each receive": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a", "b", "c")
			first := c.wantBodies(url, 0, "a", "b", "c")
			second := c.wantBodies(url, 30, "a", "b", "c")
			for i := range first {
				handle := second[i]["ReceiptHandle"].(string)
				if handle == first[i]["ReceiptHandle"] || len(handle) > 1024 || strings.Trim(handle, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") != "" {
					c.Errorf("got handle %q", handle)
				}
			}
			c.wantBodies(url, 30)
		},
		"6.7 retention": func(c *client) {
			url := c.newQueue("q", "MessageRetentionPeriod", "60")
			c.sendAll(url, "seen", "unseen")
			c.ok("ReceiveMessage", m{"QueueUrl": url, "VisibilityTimeout": 10})
			c.wait(61 * time.Second)
			c.wantBodies(url, 0)
		},
		"6.7 counters": func(c *client) { // 10.37
			url := c.newQueue("q")
			c.sendAll(url, "a", "b", "c")
			c.sendTo(url, "d", m{"DelaySeconds": 60})
			c.wantCounts(url, "3", "0", "1")
			message := c.ok("ReceiveMessage", m{"QueueUrl": url, "VisibilityTimeout": 30})["Messages"].([]any)[0].(m)
			c.wantCounts(url, "2", "1", "1")
			c.delete(url, message)
			c.wantCounts(url, "2", "0", "1")
			c.wait(60 * time.Second)
			c.wantCounts(url, "3", "0", "0")
		},
	})
}

// waits is how a long poll is woken (6.4; 10.28).
func TestFactsLongPolls(t *testing.T) {
	poll := func(c *client, url string) chan m {
		received := make(chan m, 1)
		go func() {
			got := c.call("ReceiveMessage", m{"QueueUrl": url, "WaitTimeSeconds": 20})
			result := m{"status": got.status}
			if got.status == 200 {
				result = c.result("ReceiveMessage", got)
			}
			received <- result
		}()
		return received
	}
	wakes := map[string]func(*client){
		"6.4 a send": func(c *client) {
			url := c.newQueue("q")
			received := poll(c, url)
			c.sendAll(url, "a")
			if got := <-received; got["Messages"] == nil {
				c.Errorf("got %v", got)
			}
		},
		"6.4 a change of visibility": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a")
			message := c.receiveOne(url)
			received := poll(c, url)
			c.hide(url, message, 0)
			if got := <-received; got["Messages"] == nil {
				c.Errorf("got %v", got)
			}
		},
		"6.4 the end of a visibility timeout": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a")
			c.receiveOne(url, m{"VisibilityTimeout": 1})
			if got := <-poll(c, url); got["Messages"] == nil {
				c.Errorf("got %v", got)
			}
		},
		"6.4 the end of a delay": func(c *client) {
			url := c.newQueue("q")
			c.sendTo(url, "a", m{"DelaySeconds": 1})
			if got := <-poll(c, url); got["Messages"] == nil {
				c.Errorf("got %v", got)
			}
		},
		"6.4 one message, though more are asked for": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a")
			if got := c.receiveFrom(url, m{"WaitTimeSeconds": 20}); len(got) != 1 {
				c.Errorf("got %v", got)
			}
		},
		"6.4 the arrival of a dead letter": func(c *client) {
			dlq := c.newQueue("dlq")
			url := c.newQueue("q", "RedrivePolicy", c.redriveTo("dlq", 1))
			c.sendAll(url, "a")
			c.receiveOne(url, m{"VisibilityTimeout": 0})
			received := poll(c, dlq)
			c.wantBodies(url, 0)
			if got := <-received; got["Messages"] == nil {
				c.Errorf("got %v", got)
			}
		},
		"6.4 the arrival of a message by a move task": func(c *client) {
			c.bury("dlq", 1, "q")
			received := poll(c, "q")
			c.startMove("dlq")
			if got := <-received; got["Messages"] == nil {
				c.Errorf("got %v", got)
			}
		},
		"3.3 the deletion of the queue": func(c *client) {
			url := c.newQueue("q")
			received := poll(c, url)
			c.ok("DeleteQueue", m{"QueueUrl": url})
			if got := <-received; got["status"] != 400 {
				c.Errorf("got %v", got)
			}
		},
		"6.1 a wait of 0 overrides the queue's": func(c *client) { // 10.20
			url := c.newQueue("q", "ReceiveMessageWaitTimeSeconds", "20")
			c.wantBodies(url, 0)
		},
		"6.1 the queue's wait": func(c *client) {
			url := c.newQueue("q", "ReceiveMessageWaitTimeSeconds", "20")
			received := make(chan m, 1)
			go func() { received <- c.ok("ReceiveMessage", m{"QueueUrl": url}) }()
			c.sendAll(url, "a")
			if got := <-received; got["Messages"] == nil {
				c.Errorf("got %v", got)
			}
		},
	}
	cases := map[string]func(*client){}
	for name, do := range wakes {
		cases[name] = func(c *client) {
			began := time.Now()
			do(c)
			if took := time.Since(began); took > 15*time.Second {
				c.Errorf("it took %v", took)
			}
		}
	}
	facts(t, cases)
}

func TestFactsHandles(t *testing.T) {
	const noHandle = `The input receipt handle "%s" is not a valid receipt handle.`
	handleOf := func(message m) string { return message["ReceiptHandle"].(string) }
	facts(t, map[string]func(*client){
		"6.5 a handle that is none": func(c *client) {
			url, other := c.newQueue("q"), c.newQueue("other")
			c.sendAll(other, "a")
			foreign := handleOf(c.receiveOne(other))
			for _, handle := range []string{"garbage", "a/b+c==", strings.Repeat("x", 1024), foreign} {
				want := fmt.Sprintf(noHandle, handle)
				c.refused("DeleteMessage", m{"QueueUrl": url, "ReceiptHandle": handle}, receiptHandle, want)
				c.refused("ChangeMessageVisibility", m{"QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": 0}, receiptHandle, want)
				for action, entry := range map[string]m{"DeleteMessageBatch": {}, "ChangeMessageVisibilityBatch": {"VisibilityTimeout": 0}} {
					got := c.ok(action, m{"QueueUrl": url, "Entries": []m{with(entry, m{"Id": "1", "ReceiptHandle": handle})}})
					failure := got["Failed"].([]any)[0].(m)
					if failure["Code"] != "ReceiptHandleIsInvalid" || failure["SenderFault"] != true || failure["Id"] != "1" || failure["Message"] != want || got["Successful"] != nil {
						c.Errorf("%s: got %v", action, got)
					}
				}
			}
			c.wantCounts(other, "0", "1", "0")
		},
		"6.5 no handle": func(c *client) {
			const want = "The request must contain the parameter ReceiptHandle."
			url := c.newQueue("q")
			c.refused("DeleteMessage", m{"QueueUrl": url}, missingParameter, want)
			c.refused("ChangeMessageVisibility", m{"QueueUrl": url, "VisibilityTimeout": 0}, missingParameter, want)
			for action, entry := range map[string]m{"DeleteMessageBatch": {}, "ChangeMessageVisibilityBatch": {"VisibilityTimeout": 0}} {
				got := c.ok(action, m{"QueueUrl": url, "Entries": []m{with(entry, m{"Id": "1"}), with(entry, m{"Id": "2", "ReceiptHandle": ""})}})
				failed, _ := got["Failed"].([]any)
				if len(failed) != 2 || got["Successful"] != nil {
					c.Fatalf("%s: got %v", action, got)
				}
				for _, failure := range failed {
					if failure := failure.(m); failure["Code"] != "MissingParameter" || failure["SenderFault"] != true || failure["Message"] != want {
						c.Errorf("%s: got %v", action, failure)
					}
				}
			}
		},
		"6.5 DeleteMessage": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a")
			message := c.receiveOne(url)
			for range 3 { // already deleted is no error
				if got := c.ok("DeleteMessage", m{"QueueUrl": url, "ReceiptHandle": handleOf(message)}); len(got) != 0 {
					c.Errorf("got %v", got)
				}
			}
			c.wantCounts(url, "0", "0", "0")
		},
		"6.5 a handle whose time is over": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a")
			message := c.receiveOne(url)
			c.wait(time.Minute)
			c.delete(url, message)
			c.wantBodies(url, 0)
		},
		"6.5 an older handle": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a")
			message := c.receiveOne(url, m{"VisibilityTimeout": 0})
			c.receiveOne(url)
			c.delete(url, message)
			c.wantCounts(url, "0", "0", "0")
		},
		"6.5 handles of the extended client for Python": func(c *client) { // it sends back what follows the last dash
			for _, name := range []string{"q", "q.fifo"} {
				url := c.newQueue(name)
				for _, attribute := range []string{"ExtendedPayloadSize", "SQSLargePayloadSize"} {
					in := m{"MessageAttributes": m{"a": text("x"), attribute: m{"DataType": "Number", "StringValue": "300000"}}}
					if name == "q.fifo" {
						in["MessageGroupId"], in["MessageDeduplicationId"] = "g", attribute
					}
					c.sendTo(url, "a", in)
					message := c.receiveOne(url)
					handle := handleOf(message)[strings.LastIndex(handleOf(message), "-")+1:]
					change := m{"ReceiptHandle": handle, "VisibilityTimeout": 20}
					c.ok("ChangeMessageVisibility", with(change, m{"QueueUrl": url}))
					if got := c.ok("ChangeMessageVisibilityBatch", m{"QueueUrl": url, "Entries": []m{with(change, m{"Id": "1"})}}); got["Failed"] != nil {
						c.Errorf("got %v", got)
					}
					if attribute == "ExtendedPayloadSize" {
						c.ok("DeleteMessage", m{"QueueUrl": url, "ReceiptHandle": handle})
					} else if got := c.ok("DeleteMessageBatch", m{"QueueUrl": url, "Entries": []m{{"Id": "1", "ReceiptHandle": handle}}}); got["Failed"] != nil {
						c.Errorf("got %v", got)
					}
					c.wantCounts(url, "0", "0", "0")
					c.refused("ChangeMessageVisibility", with(change, m{"QueueUrl": url}), invalidParameter,
						"Value "+handle+" for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.")
				}
			}
		},
		"6.6 ChangeMessageVisibility": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a")
			message := c.receiveOne(url)
			c.hide(url, message, 100)
			c.wait(90 * time.Second)
			c.wantBodies(url, 0)
			c.hide(url, message, 0)
			message = c.receiveOne(url) // the queue's thirty seconds again
			c.wait(20 * time.Second)
			c.wantBodies(url, 0)
			c.wait(10 * time.Second)
			c.hide(url, message, 50) // its time is over: no error, and nothing happens
			c.wantBodies(url, 0, "a")
		},
		"6.6 bounds": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a")
			message := c.receiveOne(url)
			change := m{"QueueUrl": url, "ReceiptHandle": handleOf(message)}
			for _, n := range []int{-1, 43201} {
				c.refused("ChangeMessageVisibility", with(change, m{"VisibilityTimeout": n}), invalidParameter, "")
			}
			c.refused("ChangeMessageVisibility", change, missingParameter, "The request must contain the parameter VisibilityTimeout.")
			for tries := 1; c.call("ChangeMessageVisibility", with(change, m{"VisibilityTimeout": 43200})).status != 200; tries++ { // in the second of the receive
				if tries == 10 {
					c.Fatal("a message cannot be hidden for twelve hours right behind its receive")
				}
				c.hide(url, message, 0) // the machine was slow
				message = c.receiveOne(url)
				change["ReceiptHandle"] = handleOf(message)
			}
			c.wait(10 * time.Second)
			c.refused("ChangeMessageVisibility", with(change, m{"VisibilityTimeout": 43200}), invalidParameter,
				"Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
			c.refused("ChangeMessageVisibility", with(change, m{"VisibilityTimeout": 43195}), invalidParameter,
				"Value 43195 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
			c.hide(url, message, 43150)
		},
		"6.6 a message that is gone": func(c *client) {
			for _, name := range []string{"q", "q.fifo"} {
				url := c.newQueue(name)
				in := m{}
				if name == "q.fifo" {
					in = m{"MessageGroupId": "g", "MessageDeduplicationId": "d"}
				}
				c.sendTo(url, "a", in)
				message := c.receiveOne(url)
				c.delete(url, message)
				want := "Value " + handleOf(message) + " for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change."
				c.refused("ChangeMessageVisibility", m{"QueueUrl": url, "ReceiptHandle": handleOf(message), "VisibilityTimeout": 0}, invalidParameter, want)
				failure := c.ok("ChangeMessageVisibilityBatch", m{"QueueUrl": url, "Entries": []m{{"Id": "1", "ReceiptHandle": handleOf(message), "VisibilityTimeout": 0}}})["Failed"].([]any)[0].(m)
				if failure["Code"] != "InvalidParameterValue" || failure["Message"] != want {
					c.Errorf("got %v", failure)
				}
			}
		},
		"6.6 batches": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a", "b", "c")
			messages := c.receiveFrom(url)
			got := c.ok("ChangeMessageVisibilityBatch", m{"QueueUrl": url, "Entries": []m{
				{"Id": "bad", "ReceiptHandle": "h", "VisibilityTimeout": 0}, {"Id": "a", "ReceiptHandle": handleOf(messages[0]), "VisibilityTimeout": 0},
				{"Id": "long", "ReceiptHandle": handleOf(messages[1]), "VisibilityTimeout": 43201}, {"Id": "c", "ReceiptHandle": handleOf(messages[2]), "VisibilityTimeout": 60},
				{"Id": "below", "ReceiptHandle": handleOf(messages[1]), "VisibilityTimeout": -1},
			}})
			if len(got["Successful"].([]any)) != 2 || len(got["Failed"].([]any)) != 3 {
				c.Errorf("got %v", got)
			}
			c.wantBodies(url, 30, "a")
			gone := c.ok("DeleteMessageBatch", m{"QueueUrl": url, "Entries": []m{
				{"Id": "a", "ReceiptHandle": handleOf(messages[0])}, {"Id": "bad", "ReceiptHandle": "h"}, {"Id": "b", "ReceiptHandle": handleOf(messages[1])},
				{"Id": "again", "ReceiptHandle": handleOf(messages[1])},
			}})
			if len(gone["Successful"].([]any)) != 3 || len(gone["Failed"].([]any)) != 1 {
				c.Errorf("got %v", gone)
			}
			c.wantCounts(url, "0", "1", "0")
		},
	})
}
