package sqs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// put sends a message of a group, with a deduplication id of its own.
func (c *client) put(queue, group, body string) m {
	c.Helper()
	return c.sendTo(queue, body, m{"MessageGroupId": group, "MessageDeduplicationId": "d" + body})
}

func shaOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

const (
	noDeduplicationText = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
	noGroupText         = "The request must contain the parameter MessageGroupId."
)

// Sections 5.1 and 7.1 of specs/sqs.md: ids of groups and of deduplication.
func TestFactsFIFOSending(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	facts(t, map[string]func(*client){
		"5.1 ids": func(c *client) {
			url := c.newQueue("q.fifo")
			body := m{"QueueUrl": url, "MessageBody": "b"}
			c.refused("SendMessage", body, invalidParameter, noDeduplicationText) // before a missing group
			c.refused("SendMessage", with(body, m{"MessageGroupId": "g"}), invalidParameter, noDeduplicationText)
			c.refused("SendMessage", with(body, m{"MessageDeduplicationId": "d"}), missingParameter, noGroupText)
			for _, id := range []string{"", "a b", "ä", x(129)} {
				const ids = " can only include alphanumeric and punctuation characters. 1 to 128 in length."
				c.refused("SendMessage", with(body, m{"MessageGroupId": id, "MessageDeduplicationId": "d"}), invalidParameter,
					"Value "+id+" for parameter MessageGroupId is invalid. Reason: MessageGroupId"+ids)
				c.refused("SendMessage", with(body, m{"MessageGroupId": "g", "MessageDeduplicationId": id}), invalidParameter,
					"Value "+id+" for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId"+ids)
			}
			c.wantCounts(url, "0", "0", "0")
			id := "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~aZ9"
			c.ok("SendMessage", with(body, m{"MessageGroupId": id, "MessageDeduplicationId": id}))
			c.ok("SendMessage", with(body, m{"MessageGroupId": x(128), "MessageDeduplicationId": x(128)}))
			c.setAttributes(url, "ContentBasedDeduplication", "true")
			c.refused("SendMessage", body, missingParameter, noGroupText)
			c.ok("SendMessage", with(body, m{"MessageGroupId": "g"}))
			c.wantCounts(url, "3", "0", "0")
		},
		"5.1 delays": func(c *client) { // 10.19
			url := c.newQueue("q.fifo", "DelaySeconds", "60")
			ids := m{"QueueUrl": url, "MessageBody": "b", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
			for _, n := range []int{1, 900} {
				c.refused("SendMessage", with(ids, m{"DelaySeconds": n}), invalidParameter,
					fmt.Sprintf("Value %d for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.", n))
			}
			c.refused("SendMessage", with(ids, m{"DelaySeconds": -1}), invalidParameter, "")
			c.ok("SendMessage", with(ids, m{"DelaySeconds": 0})) // the queue's
			c.wantCounts(url, "0", "0", "1")
			c.wait(time.Minute)
			c.wantBodies(url, 30, "b")
		},
		"5.4 sequence numbers": func(c *client) { // 10.40
			url := c.newQueue("q.fifo")
			last := ""
			for i := range 5 {
				sent := c.put(url, fmt.Sprint("g", i%2), fmt.Sprint(i))
				sequence, _ := sent["SequenceNumber"].(string)
				if len(sequence) != 20 || sequence <= last || strings.Trim(sequence, "0123456789") != "" {
					c.Errorf("got %v behind %s", sent, last)
				}
				last = sequence
			}
			batch := c.ok("SendMessageBatch", m{"QueueUrl": url, "Entries": []m{{"Id": "1", "MessageBody": "b", "MessageGroupId": "g", "MessageDeduplicationId": "b"}}})
			if sequence, _ := batch["Successful"].([]any)[0].(m)["SequenceNumber"].(string); sequence <= last {
				c.Errorf("got %v behind %s", batch, last)
			}
		},
		"5.5 batches": func(c *client) {
			url := c.newQueue("q.fifo", "MaximumMessageSize", "1024")
			entry := func(id, group, deduplication string) m {
				e := m{"Id": id, "MessageBody": id}
				if group != "" {
					e["MessageGroupId"] = group
				}
				if deduplication != "" {
					e["MessageDeduplicationId"] = deduplication
				}
				return e
			}
			c.refused("SendMessageBatch", m{"QueueUrl": url, "Entries": []m{entry("1", "g", "1"), entry("2", "", "2")}}, invalidParameter, noGroupText)
			c.refused("SendMessageBatch", m{"QueueUrl": url, "Entries": []m{entry("1", "g", "1"), entry("2", "g", "")}}, invalidParameter, noDeduplicationText)
			c.wantCounts(url, "0", "0", "0")
			got := c.ok("SendMessageBatch", m{"QueueUrl": url, "Entries": []m{
				entry("1", "g", "1"), with(entry("2", "g", "2"), m{"MessageBody": x(1025)}), entry("3", "g", "3"), entry("4", "a b", "4"), entry("5", "h", "5"), entry("6", "g", "6"),
			}})
			if len(got["Successful"].([]any)) != 4 || len(got["Failed"].([]any)) != 2 {
				c.Errorf("got %v", got)
			}
			c.wantBodies(url, 30, "1", "3", "6", "5")
		},
		"6.2 system attributes": func(c *client) {
			url := c.newQueue("q.fifo", "ContentBasedDeduplication", "true")
			sent := c.sendTo(url, "b", m{"MessageGroupId": "g"})
			got := c.receiveOne(url, m{"VisibilityTimeout": 0, "MessageSystemAttributeNames": []string{"All"}})["Attributes"].(m)
			if got["MessageGroupId"] != "g" || got["SequenceNumber"] != sent["SequenceNumber"] || got["MessageDeduplicationId"] != shaOf("b") || got["DeadLetterQueueSourceArn"] != nil {
				c.Errorf("got %v", got)
			}
			got = c.receiveOne(url, m{"MessageSystemAttributeNames": []string{"SequenceNumber"}})["Attributes"].(m)
			if len(got) != 1 || got["SequenceNumber"] != sent["SequenceNumber"] {
				c.Errorf("got %v", got)
			}
		},
	})
}

func TestFactsDeduplication(t *testing.T) {
	ids := func(group, id string) m { return m{"MessageGroupId": group, "MessageDeduplicationId": id} }
	facts(t, map[string]func(*client){
		"7.1 a duplicate": func(c *client) { // 10.13
			url := c.newQueue("q.fifo")
			first := c.sendTo(url, "one", ids("g", "d"), m{"MessageAttributes": m{"k": text("x")}})
			second := c.sendTo(url, "two", ids("g", "d"), m{"MessageAttributes": m{"Foo": text("Bar")}})
			if second["MessageId"] != first["MessageId"] || second["SequenceNumber"] != first["SequenceNumber"] ||
				second["MD5OfMessageBody"] != md5Of("two") || second["MD5OfMessageAttributes"] != "ae7155c6026991b6d54b11589678bf9c" {
				c.Errorf("got %v, then %v", first, second)
			}
			c.wantBodies(url, 30, "one")
		},
		"7.1 the window outlives the message": func(c *client) { // 10.14
			url := c.newQueue("q.fifo")
			first := c.sendTo(url, "one", ids("g", "d"))
			c.delete(url, c.receiveOne(url))
			c.wait(290 * time.Second)
			if again := c.sendTo(url, "two", ids("g", "d")); again["MessageId"] != first["MessageId"] {
				c.Errorf("got %v, then %v", first, again)
			}
			c.wantCounts(url, "0", "0", "0")
			c.wait(11 * time.Second)
			c.sendTo(url, "three", ids("g", "d"))
			c.wantBodies(url, 30, "three")
		},
		"7.1 a duplicate does not extend the window": func(c *client) {
			url := c.newQueue("q.fifo")
			c.sendTo(url, "one", ids("g", "d"))
			c.wait(4 * time.Minute)
			c.sendTo(url, "two", ids("g", "d"))
			c.wait(2 * time.Minute)
			c.sendTo(url, "three", ids("g", "d"))
			c.wantBodies(url, 30, "one", "three")
		},
		"7.1 by content": func(c *client) {
			url := c.newQueue("q.fifo", "ContentBasedDeduplication", "true")
			first := c.sendTo(url, "b", m{"MessageGroupId": "g", "MessageAttributes": m{"k": text("x")}})
			second := c.sendTo(url, "b", m{"MessageGroupId": "h"}) // attributes do not count, nor does the group
			third := c.sendTo(url, "b", ids("g", shaOf("b")))
			other := c.sendTo(url, "b", ids("g", "own"))
			if first["MessageId"] != second["MessageId"] || first["MessageId"] != third["MessageId"] || first["MessageId"] == other["MessageId"] {
				c.Errorf("got %v, %v, %v and %v", first, second, third, other)
			}
			c.wantBodies(url, 30, "b", "b")
		},
		"7.1 the scope of the queue": func(c *client) { // 10.15
			url := c.newQueue("q.fifo")
			if one, two := c.sendTo(url, "1", ids("g", "d")), c.sendTo(url, "2", ids("h", "d")); one["MessageId"] != two["MessageId"] {
				c.Errorf("got %v and %v", one, two)
			}
			c.wantBodies(url, 30, "1")
		},
		"7.1 the scope of the group": func(c *client) { // 10.15: whatever the throughput limit
			url := c.newQueue("q.fifo", "DeduplicationScope", "messageGroup")
			one, two := c.sendTo(url, "1", ids("g", "d")), c.sendTo(url, "2", ids("h", "d"))
			if again := c.sendTo(url, "3", ids("g", "d")); one["MessageId"] == two["MessageId"] || again["MessageId"] != one["MessageId"] {
				c.Errorf("got %v, %v and %v", one, two, again)
			}
			c.wantBodies(url, 30, "1", "2")
		},
		"7.1 a changed scope": func(c *client) { // holds at once, where AWS goes on for a while as before
			url := c.newQueue("q.fifo")
			c.sendTo(url, "1", ids("g", "d"))
			c.setAttributes(url, "DeduplicationScope", "messageGroup")
			c.sendTo(url, "2", ids("h", "e"))
			c.sendTo(url, "3", ids("i", "e"))
			c.sendTo(url, "4", ids("i", "e"))
			c.wantBodies(url, 30, "1", "2", "3")
		},
		"7.1 within a batch": func(c *client) {
			url := c.newQueue("q.fifo")
			got := c.ok("SendMessageBatch", m{"QueueUrl": url, "Entries": []m{
				with(ids("g", "d"), m{"Id": "1", "MessageBody": "one"}), with(ids("g", "d"), m{"Id": "2", "MessageBody": "two"}), with(ids("g", "e"), m{"Id": "3", "MessageBody": "three"}),
			}})["Successful"].([]any)
			if len(got) != 3 || got[0].(m)["MessageId"] != got[1].(m)["MessageId"] || got[0].(m)["MessageId"] == got[2].(m)["MessageId"] || got[1].(m)["MD5OfMessageBody"] != md5Of("two") {
				c.Errorf("got %v", got)
			}
			c.wantBodies(url, 30, "one", "three")
		},
		"3.3 a purge forgets": func(c *client) {
			url := c.newQueue("q.fifo")
			c.sendTo(url, "one", ids("g", "d"))
			c.ok("PurgeQueue", m{"QueueUrl": url})
			c.sendTo(url, "two", ids("g", "d"))
			c.wantBodies(url, 30, "two")
		},
	})
}

// Section 7.2: order and locks.
func TestFactsFIFOOrder(t *testing.T) {
	facts(t, map[string]func(*client){
		"7.2 several of a group in one receive": func(c *client) { // 10.16
			url := c.newQueue("q.fifo")
			c.put(url, "1", "g1m1")
			c.put(url, "2", "g2m1")
			c.put(url, "1", "g1m2")
			c.put(url, "1", "g1m3")
			c.wantBodies(url, 30, "g1m1", "g1m2", "g1m3", "g2m1")
		},
		"7.2 a group in flight gives nothing": func(c *client) { // 10.17
			url := c.newQueue("q.fifo")
			c.put(url, "g", "1")
			c.put(url, "g", "2")
			first := c.ok("ReceiveMessage", m{"QueueUrl": url})["Messages"].([]any)
			c.put(url, "g", "3") // a new message does not unlock it
			c.put(url, "h", "4")
			c.wantBodies(url, 30, "4")
			c.wantBodies(url, 30)
			c.wantCounts(url, "2", "2", "0") // locked but visible ones count as visible
			c.delete(url, first[0].(m))
			c.wantBodies(url, 30, "2", "3")
		},
		"7.2 one of several deleted": func(c *client) {
			url := c.newQueue("q.fifo")
			for _, body := range []string{"1", "2", "3", "4"} {
				c.put(url, "g", body)
			}
			messages := c.receiveFrom(url, m{"MaxNumberOfMessages": 3})
			c.delete(url, messages[1])
			c.wantBodies(url, 30)
			c.wait(30 * time.Second)
			c.wantBodies(url, 30, "1", "3", "4")
		},
		"7.2 the first of two made visible": func(c *client) {
			url := c.newQueue("q.fifo")
			c.put(url, "1", "m1")
			c.put(url, "1", "m2")
			messages := c.wantBodies(url, 30, "m1", "m2")
			c.put(url, "1", "m3")
			c.put(url, "2", "other")
			c.hide(url, messages[0], 0)
			got := bodiesOf(c.receiveFrom(url))
			slices.Sort(got)
			if !slices.Equal(got, []string{"m1", "other"}) {
				c.Errorf("got %q", got)
			}
		},
		"7.2 one of three extended": func(c *client) {
			for i, want := range [][]string{nil, {"foo"}, {"foo", "bar"}} {
				url := c.newQueue(fmt.Sprint("q", i, ".fifo"))
				for _, body := range []string{"foo", "bar", "baz"} {
					c.put(url, "g", body)
				}
				messages := c.receiveFrom(url, m{"VisibilityTimeout": 30})
				c.hide(url, messages[i], 600)
				c.wait(30 * time.Second)
				c.wantBodies(url, 0, want...)
			}
		},
		"7.2 receives that hide nothing": func(c *client) {
			url := c.newQueue("q.fifo")
			for _, body := range []string{"1", "2", "3"} {
				c.put(url, "g", body)
			}
			for range 3 {
				c.wantBodies(url, 0, "1", "2", "3")
			}
		},
		"7.2 order is that of sending, whatever expires first": func(c *client) {
			url := c.newQueue("q.fifo")
			for _, body := range []string{"1", "2", "3"} {
				c.put(url, "g", body)
			}
			messages := c.receiveFrom(url, m{"VisibilityTimeout": 60})
			c.hide(url, messages[2], 1)
			c.hide(url, messages[1], 30)
			c.wait(time.Minute)
			c.wantBodies(url, 0, "1", "2", "3")
		},
		"7.2 a limit within a group": func(c *client) {
			url := c.newQueue("q.fifo")
			for _, body := range []string{"1", "2", "3"} {
				c.put(url, "g", body)
			}
			first := c.ok("ReceiveMessage", m{"QueueUrl": url, "MaxNumberOfMessages": 2})["Messages"].([]any)
			for _, message := range first {
				c.delete(url, message.(m))
			}
			c.wantBodies(url, 30, "3")
		},
		"5.6 a delayed message holds up nobody who is visible": func(c *client) { // 10.18
			url := c.newQueue("q.fifo", "DelaySeconds", "60")
			c.put(url, "g", "1")
			c.wait(time.Minute)
			c.put(url, "g", "2")
			c.put(url, "h", "3")
			c.wantCounts(url, "1", "0", "2")
			c.delete(url, c.wantBodies(url, 30, "1")[0])
			c.wantBodies(url, 30)
			c.wait(time.Minute)
			c.wantBodies(url, 30, "2", "3")
		},
		"3.2 a changed delay reaches back": func(c *client) {
			url := c.newQueue("q.fifo", "DelaySeconds", "600")
			c.put(url, "g", "1")
			c.wait(time.Minute)
			c.setAttributes(url, "DelaySeconds", "90")
			c.wantBodies(url, 0)
			c.wait(30 * time.Second)
			c.wantBodies(url, 0, "1")
		},
		"6.4 a long poll wakes when the head is deleted": func(c *client) {
			url := c.newQueue("q.fifo")
			c.put(url, "g", "1")
			c.put(url, "g", "2")
			head := c.ok("ReceiveMessage", m{"QueueUrl": url})["Messages"].([]any)[0].(m)
			received := make(chan m, 1)
			began := time.Now()
			go func() { received <- c.ok("ReceiveMessage", m{"QueueUrl": url, "WaitTimeSeconds": 20}) }()
			c.delete(url, head)
			if got := <-received; got["Messages"] == nil || time.Since(began) > 15*time.Second {
				c.Errorf("got %v after %v", got, time.Since(began))
			}
		},
		"6.5 a handle whose time is over": func(c *client) {
			url := c.newQueue("q.fifo")
			c.put(url, "g", "1")
			message := c.receiveOne(url)
			handle := message["ReceiptHandle"].(string)
			c.wait(time.Minute)
			want := "Value " + handle + " for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
			c.refused("DeleteMessage", m{"QueueUrl": url, "ReceiptHandle": handle}, invalidParameter, want)
			failure := c.ok("DeleteMessageBatch", m{"QueueUrl": url, "Entries": []m{{"Id": "1", "ReceiptHandle": handle}}})["Failed"].([]any)[0].(m)
			if failure["Code"] != "InvalidParameterValue" || failure["Message"] != want || failure["SenderFault"] != true {
				c.Errorf("got %v", failure)
			}
			c.receiveOne(url)
			c.refused("DeleteMessage", m{"QueueUrl": url, "ReceiptHandle": handle}, invalidParameter, want)
		},
		"6.5 a handle that was extended": func(c *client) {
			url := c.newQueue("q.fifo")
			c.put(url, "g", "1")
			message := c.receiveOne(url)
			c.hide(url, message, 600)
			c.wait(time.Minute)
			c.delete(url, message)
			c.delete(url, message) // again: no error
			c.wantCounts(url, "0", "0", "0")
		},
		"6.7 retention unlocks": func(c *client) {
			url := c.newQueue("q.fifo", "MessageRetentionPeriod", "60")
			c.put(url, "g", "1")
			c.ok("ReceiveMessage", m{"QueueUrl": url, "VisibilityTimeout": 43200})
			c.wait(30 * time.Second)
			c.put(url, "g", "2")
			c.wait(31 * time.Second)
			if got := bodiesOf(c.receiveFrom(url, m{"WaitTimeSeconds": 20})); !slices.Equal(got, []string{"2"}) { // the removal may be another client's
				c.Errorf("got %q", got)
			}
		},
	})
}

// Section 7.3.
func TestFactsReceiveAttempts(t *testing.T) {
	handles := func(messages []m) (out []any) {
		for _, message := range messages {
			out = append(out, message["ReceiptHandle"])
		}
		return out
	}
	attempt := m{"ReceiveRequestAttemptId": "a1", "VisibilityTimeout": 60}
	facts(t, map[string]func(*client){
		"7.3 both sides of the bounds of an attempt's id": func(c *client) {
			url := c.newQueue("q.fifo")
			c.put(url, "g", "1")
			for _, id := range []string{"", "a b", "ä", "a\n", strings.Repeat("x", 129)} {
				c.refused("ReceiveMessage", m{"QueueUrl": url, "ReceiveRequestAttemptId": id}, invalidParameter, "")
			}
			for _, id := range []string{strings.Repeat("x", 128), "!", "~"} {
				attempt := m{"ReceiveRequestAttemptId": id, "VisibilityTimeout": 60}
				if first, again := c.receiveFrom(url, attempt), c.receiveFrom(url, attempt); len(first) != 1 || !slices.Equal(handles(first), handles(again)) {
					c.Errorf("got %v, then %v", first, again)
				}
				c.wait(60 * time.Second)
			}
		},
		"7.3 the same messages again": func(c *client) { // 10.38
			url := c.newQueue("q.fifo")
			c.put(url, "g", "1")
			c.put(url, "g", "2")
			first := c.receiveFrom(url, attempt)
			c.wait(30 * time.Second)
			second := c.receiveFrom(url, attempt)
			if len(first) != 2 || !slices.Equal(handles(first), handles(second)) {
				c.Errorf("got %v, then %v", first, second)
			}
			c.wait(45 * time.Second) // the visibility timeout began anew
			c.wantBodies(url, 0)
			c.wantBodies(c.newQueue("other.fifo"), 0)
			if other := c.receiveFrom(url, m{"ReceiveRequestAttemptId": "a2"}); len(other) != 0 {
				c.Errorf("another attempt: got %v", other)
			}
		},
		"7.3 a fresh receive once something changed": func(c *client) {
			url := c.newQueue("q.fifo")
			c.put(url, "g", "1")
			c.put(url, "g", "2")
			first := c.receiveFrom(url, attempt)
			c.delete(url, first[0])
			if again := c.receiveFrom(url, attempt); len(again) != 0 {
				c.Errorf("got %v though the group is in flight", again)
			}
		},
		"7.3 what was moved away is not of the attempt": func(c *client) {
			c.newQueue("dlq.fifo")
			url := c.newQueue("q.fifo", "RedrivePolicy", c.redriveTo("dlq.fifo", 1))
			c.put(url, "g", "1")
			c.wantBodies(url, 0, "1")
			c.put(url, "g", "2")
			first := c.receiveFrom(url, attempt)
			second := c.receiveFrom(url, attempt)
			if !slices.Equal(bodiesOf(first), []string{"2"}) || !slices.Equal(handles(first), handles(second)) {
				c.Errorf("got %v, then %v", first, second)
			}
		},
		"7.3 a fresh receive once they are visible": func(c *client) {
			url := c.newQueue("q.fifo")
			c.put(url, "g", "1")
			first := c.receiveFrom(url, attempt)
			c.wait(61 * time.Second)
			second := c.receiveFrom(url, attempt)
			if len(second) != 1 || slices.Equal(handles(first), handles(second)) {
				c.Errorf("got %v, then %v", first, second)
			}
		},
	})
}

// Section 8.
func TestFactsFIFODeadLetters(t *testing.T) {
	all := m{"MessageSystemAttributeNames": []string{"All"}}
	facts(t, map[string]func(*client){
		"8.1 FIFO": func(c *client) { // 10.17
			dlq := c.newQueue("dlq.fifo")
			url := c.newQueue("q.fifo", "RedrivePolicy", c.redriveTo("dlq.fifo", 1))
			sent := c.put(url, "g", "1")
			c.put(url, "g", "2")
			c.ok("ReceiveMessage", m{"QueueUrl": url, "VisibilityTimeout": 0})
			c.wantBodies(url, 30, "2")
			got := c.receiveOne(dlq, all)
			attributes := got["Attributes"].(m)
			if got["MessageId"] != sent["MessageId"] || got["Body"] != "1" || attributes["MessageGroupId"] != "g" || attributes["ApproximateReceiveCount"] != "2" ||
				attributes["DeadLetterQueueSourceArn"] != c.arnOf("q.fifo") || len(attributes["SequenceNumber"].(string)) != 20 || attributes["MessageDeduplicationId"] != sent["MessageId"] {
				c.Errorf("got %v", got)
			}
			c.put(url, "g", "3") // the queue stays usable
		},
		"8.2 a move begins a FIFO message's retention anew": func(c *client) {
			dlq := c.newQueue("dlq.fifo", "MessageRetentionPeriod", "60")
			url := c.newQueue("q.fifo", "RedrivePolicy", c.redriveTo("dlq.fifo", 1))
			c.put(url, "g", "1")
			before := c.receiveOne(url, all, m{"VisibilityTimeout": 0})["Attributes"].(m)
			c.wait(2 * time.Minute)
			c.wantBodies(url, 0)
			after := c.receiveOne(dlq, all)["Attributes"].(m)
			if before["SentTimestamp"] == after["SentTimestamp"] || before["ApproximateFirstReceiveTimestamp"] != after["ApproximateFirstReceiveTimestamp"] {
				c.Errorf("got %v, then %v", before, after)
			}
		},
		"8.3 a move task keeps the order": func(c *client) {
			c.newQueue("dlq.fifo")
			url := c.newQueue("q.fifo", "RedrivePolicy", c.redriveTo("dlq.fifo", 1))
			for _, body := range []string{"1", "2", "3"} {
				c.put(url, "g", body)
			}
			c.wantBodies(url, 0, "1", "2", "3")
			c.wantBodies(url, 0)
			c.startMove("dlq.fifo")
			if task := c.endOfMove("dlq.fifo"); task["Status"] != "COMPLETED" || task["ApproximateNumberOfMessagesMoved"] != 3.0 {
				c.Errorf("got %v", task)
			}
			c.wantBodies(url, 30, "1", "2", "3")
		},
	})
}
