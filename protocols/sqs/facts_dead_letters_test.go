package sqs

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// redriveTo is a RedrivePolicy.
func (c *client) redriveTo(target string, count any) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":"%s","maxReceiveCount":%v}`, c.arnOf(target), count)
}

// Sections 3.2 and 8.1 of specs/sqs.md: policies.
func TestFactsRedrivePolicies(t *testing.T) {
	facts(t, map[string]func(*client){
		"3.2 kept as given": func(c *client) {
			c.newQueue("dlq")
			url := c.newQueue("q")
			for _, policy := range []string{
				c.redriveTo("dlq", 1), c.redriveTo("dlq", 1000), c.redriveTo("dlq", `"7"`), `{ "maxReceiveCount" : 3 , "deadLetterTargetArn":"` + c.arnOf("dlq") + `" }`,
			} {
				c.setAttributes(url, "RedrivePolicy", policy)
				if got := c.attributesOf(url)["RedrivePolicy"]; got != policy {
					c.Errorf("got %v, want %s", got, policy)
				}
			}
		},
		"3.2 bad ones": func(c *client) {
			c.newQueue("dlq")
			c.newQueue("dlq.fifo")
			url := c.newQueue("q")
			for policy, reason := range map[string]string{
				c.redriveTo("dlq", 0):                              "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive.",
				c.redriveTo("dlq", 1001):                           "Invalid value for maxReceiveCount: 1001, valid values are from 1 to 1000 both inclusive.",
				c.redriveTo("dlq", -1):                             "Invalid value for maxReceiveCount: -1, valid values are from 1 to 1000 both inclusive.",
				c.redriveTo("dlq", `"x"`):                          "Invalid value for maxReceiveCount: x, valid values are from 1 to 1000 both inclusive.",
				c.redriveTo("dlq", 1.5):                            "Invalid value for maxReceiveCount: 1.5, valid values are from 1 to 1000 both inclusive.",
				c.redriveTo("nothing", 1):                          "Dead letter target does not exist.",
				c.redriveTo("dlq.fifo", 1):                         "Dead-letter queue must be same type of queue as the source.",
				`{"maxReceiveCount":1}`:                            "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.",
				`{"deadLetterTargetArn":"` + c.arnOf("dlq") + `"}`: "Redrive policy does not contain mandatory attribute: maxReceiveCount.",
				`dlq`:  "Redrive policy is not a valid JSON map.",
				`[]`:   "Redrive policy is not a valid JSON map.",
				`null`: "Redrive policy is not a valid JSON map.",
				`{"deadLetterTargetArn":"dlq","maxReceiveCount":1}`:                                           "",
				`{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:` + c.account + `:dlq","maxReceiveCount":1}`:   "",
				`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dlq","maxReceiveCount":1}`:        "",
				`{"deadLetterTargetArn":"arn:aws:sns:us-east-1:` + c.account + `:dlq","maxReceiveCount":"1"}`: "",
			} {
				message := ""
				if reason != "" {
					message = "Value " + policy + " for parameter RedrivePolicy is invalid. Reason: " + reason
				}
				c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{"RedrivePolicy": policy, "DelaySeconds": "9"}}, invalidParameter, message)
				c.refused("CreateQueue", m{"QueueName": "other", "Attributes": map[string]string{"RedrivePolicy": policy}}, invalidParameter, message)
			}
			if got := c.attributesOf(url); got["RedrivePolicy"] != nil || got["DelaySeconds"] != "0" {
				c.Errorf("got %v", got)
			}
			c.refused("GetQueueUrl", m{"QueueName": "other"}, queueDoesNotExist, "The specified queue does not exist.")
		},
		"3.2 of itself": func(c *client) {
			url := c.newQueue("q")
			const reason = " for parameter RedrivePolicy is invalid. Reason: Dead letter target must be another queue than the source."
			c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{"RedrivePolicy": c.redriveTo("q", 1)}}, invalidParameter, "Value "+c.redriveTo("q", 1)+reason)
			c.refused("CreateQueue", m{"QueueName": "other", "Attributes": map[string]string{"RedrivePolicy": c.redriveTo("other", 1)}}, invalidParameter, "Value "+c.redriveTo("other", 1)+reason)
			c.refused("GetQueueUrl", m{"QueueName": "other"}, queueDoesNotExist, "The specified queue does not exist.")
		},
		"3.2 of a FIFO queue": func(c *client) {
			c.newQueue("dlq")
			c.newQueue("dlq.fifo")
			url := c.newQueue("q.fifo", "RedrivePolicy", c.redriveTo("dlq.fifo", 5))
			c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{"RedrivePolicy": c.redriveTo("dlq", 1)}}, invalidParameter,
				"Value "+c.redriveTo("dlq", 1)+" for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must be same type of queue as the source.")
		},
		"3.2 RedriveAllowPolicy": func(c *client) {
			dlq, url := c.newQueue("dlq"), c.newQueue("q")
			c.newQueue("r")
			byQueue := func(arns ...string) string {
				return `{"redrivePermission":"byQueue","sourceQueueArns":["` + strings.Join(arns, `","`) + `"]}`
			}
			ten := make([]string, 10)
			for i := range ten {
				ten[i] = c.arnOf(fmt.Sprint("s", i))
			}
			for _, policy := range []string{`{"redrivePermission":"allowAll"}`, byQueue(ten...), byQueue(c.arnOf("r")), ` {"redrivePermission": "denyAll"}`} {
				c.setAttributes(dlq, "RedriveAllowPolicy", policy)
				if got := c.attributesOf(dlq)["RedriveAllowPolicy"]; got != policy {
					c.Errorf("got %v, want %s", got, policy)
				}
			}
			for _, policy := range []string{
				`{}`, `x`, `null`, `[]`, `{"redrivePermission":"some"}`, `{"redrivepermission":"allowAll"}`, `{"redrivePermission":["allowAll"]}`,
				`{"redrivePermission":"byQueue","sourcequeuearns":["` + c.arnOf("q") + `"]}`, `{"redrivePermission":"byQueue","sourceQueueArns":"` + c.arnOf("q") + `"}`,
				`{"redrivePermission":"byQueue","sourceQueueArns":[1]}`, `{"redrivePermission":"allowAll","sourceQueueArns":"` + c.arnOf("q") + `"}`,
				`{"redrivePermission":"byQueue"}`, byQueue(append(slices.Clone(ten), c.arnOf("s10"))...),
				`{"redrivePermission":"allowAll","sourceQueueArns":["` + c.arnOf("q") + `"]}`, `{"redrivePermission":"denyAll","sourceQueueArns":["` + c.arnOf("q") + `"]}`, byQueue("q"),
			} {
				c.refused("SetQueueAttributes", m{"QueueUrl": dlq, "Attributes": map[string]string{"RedriveAllowPolicy": policy}}, invalidParameter, "")
			}
			refused := func() {
				c.Helper()
				c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{"RedrivePolicy": c.redriveTo("dlq", 1)}}, invalidParameter, "")
			}
			refused() // denyAll
			c.setAttributes(dlq, "RedriveAllowPolicy", byQueue(c.arnOf("r")))
			refused()
			c.setAttributes(dlq, "RedriveAllowPolicy", byQueue(c.arnOf("r"), c.arnOf("q")))
			c.setAttributes(url, "RedrivePolicy", c.redriveTo("dlq", 1))
			c.setAttributes(url, "RedrivePolicy", "")
			c.setAttributes(dlq, "RedriveAllowPolicy", "")
			c.setAttributes(url, "RedrivePolicy", c.redriveTo("dlq", 1))
		},
		"3.3 ListDeadLetterSourceQueues": func(c *client) {
			dlq := c.newQueue("dlq")
			got := c.ok("ListDeadLetterSourceQueues", m{"QueueUrl": dlq})
			if list, isThere := got["queueUrls"].([]any); c.wire == "json" && (!isThere || len(list) > 0) || c.wire == "query" && len(got) > 0 {
				c.Errorf("none: got %v", got)
			}
			var want []any
			for _, name := range []string{"a", "b", "c"} {
				want = append(want, c.newQueue(name, "RedrivePolicy", c.redriveTo("dlq", 3)))
			}
			c.newQueue("d")
			if got := c.ok("ListDeadLetterSourceQueues", m{"QueueUrl": dlq}); !slices.Equal(got["queueUrls"].([]any), want) || got["NextToken"] != nil {
				c.Errorf("got %v, want %v", got, want)
			}
			first := c.ok("ListDeadLetterSourceQueues", m{"QueueUrl": dlq, "MaxResults": 2})
			second := c.ok("ListDeadLetterSourceQueues", m{"QueueUrl": dlq, "MaxResults": 2, "NextToken": first["NextToken"]})
			if all := append(slices.Clone(first["queueUrls"].([]any)), second["queueUrls"].([]any)...); !slices.Equal(all, want) || second["NextToken"] != nil {
				c.Errorf("got %v, then %v", first, second)
			}
			if got := c.ok("ListDeadLetterSourceQueues", m{"QueueUrl": dlq, "MaxResults": 1}); !slices.Equal(got["queueUrls"].([]any), want[:1]) || got["NextToken"] == nil {
				c.Errorf("got %v", got)
			}
			c.refused("ListDeadLetterSourceQueues", m{"QueueUrl": dlq, "NextToken": "*"}, invalidParameter, "")
			c.ok("DeleteQueue", m{"QueueUrl": want[0]})
			c.setAttributes(want[1].(string), "RedrivePolicy", "")
			if got := c.ok("ListDeadLetterSourceQueues", m{"QueueUrl": dlq, "MaxResults": 1000}); !slices.Equal(got["queueUrls"].([]any), want[2:]) {
				c.Errorf("got %v", got)
			}
		},
	})
}

// Sections 8.1 and 8.2: when messages are moved, and what of them stays.
func TestFactsDeadLetters(t *testing.T) {
	all := m{"MessageSystemAttributeNames": []string{"All"}, "MessageAttributeNames": []string{"All"}}
	facts(t, map[string]func(*client){
		"8.1 after as many receives as are allowed": func(c *client) { // 10.29
			dlq := c.newQueue("dlq")
			url := c.newQueue("q", "RedrivePolicy", c.redriveTo("dlq", 2))
			c.sendAll(url, "a")
			c.wantBodies(url, 0, "a") // a timeout of 0 counts like any other
			c.wantBodies(url, 0, "a")
			c.wantCounts(dlq, "0", "0", "0") // not before a receive finds it
			c.wantBodies(url, 0)
			c.wantCounts(url, "0", "0", "0")
			c.wantBodies(dlq, 0, "a")
		},
		"8.1 a receive goes on past what it moved": func(c *client) {
			dlq := c.newQueue("dlq")
			url := c.newQueue("q", "RedrivePolicy", c.redriveTo("dlq", 1))
			c.sendAll(url, "a", "b")
			c.wantBodies(url, 0, "a", "b")
			c.sendAll(url, "c", "d")
			c.wantBodies(url, 30, "c", "d")
			c.wantBodies(dlq, 0, "a", "b")
		},
		"8.2 what stays": func(c *client) {
			dlq := c.newQueue("dlq")
			url := c.newQueue("q", "RedrivePolicy", c.redriveTo("dlq", 1))
			sent := c.sendTo(url, "b", m{"MessageGroupId": "g", "MessageAttributes": m{"k": text("x")}, "MessageSystemAttributes": m{"AWSTraceHeader": text("Root=1")}})
			before := c.receiveOne(url, all, m{"VisibilityTimeout": 0})
			c.wait(time.Minute)
			c.wantBodies(url, 0)
			after := c.receiveOne(dlq, all)
			is, was := after["Attributes"].(m), before["Attributes"].(m)
			if after["MessageId"] != sent["MessageId"] || after["Body"] != "b" || after["MD5OfMessageAttributes"] != "a45daa70926828a2f0a1db3418e6feb4" ||
				is["AWSTraceHeader"] != "Root=1" || is["SentTimestamp"] != was["SentTimestamp"] || is["ApproximateFirstReceiveTimestamp"] != was["ApproximateFirstReceiveTimestamp"] ||
				is["ApproximateReceiveCount"] != "2" || is["DeadLetterQueueSourceArn"] != c.arnOf("q") || was["DeadLetterQueueSourceArn"] != nil || is["SenderId"] != was["SenderId"] {
				c.Errorf("got %v, then %v", before, after)
			}
		},
		"8.2 a chain": func(c *client) {
			last := c.newQueue("q3")
			middle := c.newQueue("q2", "RedrivePolicy", c.redriveTo("q3", 1)) // each queue counts its own receives
			url := c.newQueue("q1", "RedrivePolicy", c.redriveTo("q2", 1))
			c.sendAll(url, "a")
			c.wantBodies(url, 0, "a")
			c.wantBodies(url, 0)
			c.wantBodies(middle, 0, "a")
			c.wantBodies(middle, 0)
			if got := c.receiveOne(last, all)["Attributes"].(m); got["DeadLetterQueueSourceArn"] != c.arnOf("q2") {
				c.Errorf("got %v", got)
			}
		},
		"8.2 no queue to move to": func(c *client) {
			dlq := c.newQueue("dlq")
			url := c.newQueue("q", "RedrivePolicy", c.redriveTo("dlq", 1))
			c.sendAll(url, "a")
			c.wantBodies(url, 0, "a")
			c.ok("DeleteQueue", m{"QueueUrl": dlq})
			c.wantBodies(url, 0, "a")
		},
		"8.2 the retention goes on": func(c *client) {
			dlq := c.newQueue("dlq", "MessageRetentionPeriod", "60")
			url := c.newQueue("q", "RedrivePolicy", c.redriveTo("dlq", 1))
			c.sendAll(url, "a")
			c.wantBodies(url, 0, "a")
			c.wait(61 * time.Second)
			c.wantBodies(url, 0)
			c.wantBodies(dlq, 0)
		},
	})
}

// bury gives each source's messages, of the bodies "SOURCE N", to their dead-letter queue.
func (c *client) bury(dlq string, each int, sources ...string) {
	c.Helper()
	c.newQueue(dlq)
	for _, source := range sources {
		url := c.newQueue(source, "RedrivePolicy", c.redriveTo(dlq, 1))
		var want []string
		for i := range each {
			want = append(want, fmt.Sprint(source, " ", i))
			more := m{"MessageAttributes": m{"k": text("x")}}
			if strings.HasSuffix(source, fifoSuffix) {
				more["MessageGroupId"], more["MessageDeduplicationId"] = "g", fmt.Sprint(i)
			}
			c.sendTo(url, want[i], more)
		}
		c.wantBodies(url, 0, want...)
		c.wantBodies(url, 0)
	}
}

// moves gives a queue's move tasks, the newest first.
func (c *client) moves(source string) (tasks []m) {
	c.Helper()
	for _, task := range c.ok("ListMessageMoveTasks", m{"SourceArn": c.arnOf(source), "MaxResults": 10})["Results"].([]any) {
		tasks = append(tasks, task.(m))
	}
	return tasks
}

// startMove starts a task and gives its handle.
func (c *client) startMove(source string, more ...m) string {
	c.Helper()
	return c.ok("StartMessageMoveTask", with(m{"SourceArn": c.arnOf(source)}, more...))["TaskHandle"].(string)
}

// endOfMove gives the newest task once it has ended.
func (c *client) endOfMove(source string) m {
	c.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if task := c.moves(source)[0]; task["Status"] != "RUNNING" && task["Status"] != "CANCELLING" {
			return task
		}
	}
	c.Fatal("the task does not end")
	return nil
}

// Section 8.3: move tasks.
func TestFactsMoveTasks(t *testing.T) {
	const noSource, noDestination = "The resource that you specified for the SourceArn parameter doesn't exist.", "The resource that you specified for the DestinationArn parameter doesn't exist."
	facts(t, map[string]func(*client){
		"8.3 refusals": func(c *client) {
			c.bury("dlq", 1, "q")
			c.newQueue("plain")
			c.newQueue("other.fifo")
			start := func(want wireError, message, source string, more m) {
				c.Helper()
				c.refused("StartMessageMoveTask", with(m{"SourceArn": source}, more), want, message)
			}
			start(resourceNotFound, noSource, c.arnOf("nothing"), nil)
			start(resourceNotFound, noSource, c.arnOf("nothing"), m{"DestinationArn": c.arnOf("nothing")})
			start(resourceNotFound, noDestination, c.arnOf("dlq"), m{"DestinationArn": c.arnOf("nothing")})
			start(invalidParameter, "Source queue must be configured as a Dead Letter Queue.", c.arnOf("plain"), nil)
			start(invalidParameter, "You must use this format to specify the SourceArn: arn:<partition>:<service>:<region>:<account-id>:<resource-id>", "dlq", nil)
			start(invalidParameter, "You must use this format to specify the DestinationArn: arn:<partition>:<service>:<region>:<account-id>:<resource-id>", c.arnOf("dlq"), m{"DestinationArn": "q"})
			start(unsupportedOperation, "", c.arnOf("dlq"), m{"DestinationArn": c.arnOf("other.fifo")})
			start(invalidParameter, "Value "+c.arnOf("dlq")+" for parameter DestinationArn is invalid. Reason: It must be another queue than the source.", c.arnOf("dlq"), m{"DestinationArn": c.arnOf("dlq")})
			for _, n := range []int{0, -1, 501} {
				start(invalidParameter, "", c.arnOf("dlq"), m{"MaxNumberOfMessagesPerSecond": n})
			}
			c.refused("ListMessageMoveTasks", m{"SourceArn": c.arnOf("nothing")}, resourceNotFound, noSource)
			c.refused("ListMessageMoveTasks", m{"SourceArn": "nothing"}, invalidParameter, "")
			for _, n := range []int{0, 11} {
				c.refused("ListMessageMoveTasks", m{"SourceArn": c.arnOf("dlq"), "MaxResults": n}, invalidParameter, "")
			}
			c.ok("ListMessageMoveTasks", m{"SourceArn": c.arnOf("dlq"), "MaxResults": 1})
			if got := c.ok("ListMessageMoveTasks", m{"SourceArn": c.arnOf("dlq"), "MaxResults": 10}); got["Results"] != nil && len(got["Results"].([]any)) > 0 {
				c.Errorf("got %v though all were refused", got)
			}
		},
		"8.3 handles": func(c *client) {
			c.bury("dlq", 1, "q")
			handle := func(id, arn string) string {
				return base64.StdEncoding.EncodeToString([]byte(`{"taskId":"` + id + `","sourceArn":"` + arn + `"}`))
			}
			const id = "11111111-2222-4333-8444-555555555555"
			for _, bad := range []string{"garbage", "*", base64.StdEncoding.EncodeToString([]byte("garbage"))} {
				c.refused("CancelMessageMoveTask", m{"TaskHandle": bad}, invalidParameter, "Value for parameter TaskHandle is invalid.")
			}
			c.refused("CancelMessageMoveTask", m{"TaskHandle": handle(id, c.arnOf("nothing"))}, resourceNotFound, noSource)
			c.refused("CancelMessageMoveTask", m{"TaskHandle": handle(id, "nothing")}, resourceNotFound, noSource)
			c.refused("CancelMessageMoveTask", m{"TaskHandle": handle(id, c.arnOf("dlq"))}, resourceNotFound, "Task does not exist.")
			c.refused("CancelMessageMoveTask", m{"TaskHandle": handle("x", c.arnOf("dlq"))}, resourceNotFound, "Task does not exist.")
		},
		"8.3 back to each message's own source": func(c *client) {
			c.bury("dlq", 2, "q", "r")
			before := c.receiveFrom("dlq", m{"VisibilityTimeout": 0})
			c.startMove("dlq")
			task := c.endOfMove("dlq")
			started, _ := task["StartedTimestamp"].(float64)
			if age := time.Since(time.UnixMilli(int64(started))); task["Status"] != "COMPLETED" || task["SourceArn"] != c.arnOf("dlq") || age < -time.Minute || age > time.Hour ||
				task["ApproximateNumberOfMessagesMoved"] != 4.0 || task["ApproximateNumberOfMessagesToMove"] != 4.0 || len(task) != 5 {
				c.Errorf("got %v", task)
			}
			c.wantCounts("dlq", "0", "0", "0")
			for _, source := range []string{"q", "r"} {
				after := c.receiveFrom(source, m{"VisibilityTimeout": 30, "AttributeNames": []string{"All"}, "MessageAttributeNames": []string{"All"}})
				if got := bodiesOf(after); !slices.Equal(got, []string{source + " 0", source + " 1"}) {
					c.Errorf("%s: got %q", source, got)
				}
				for _, message := range after { // new ones (8.3)
					attributes := message["Attributes"].(m)
					isOld := slices.ContainsFunc(before, func(old m) bool { return old["MessageId"] == message["MessageId"] })
					if isOld || attributes["ApproximateReceiveCount"] != "1" || attributes["DeadLetterQueueSourceArn"] != nil || message["MD5OfMessageAttributes"] != "a45daa70926828a2f0a1db3418e6feb4" {
						c.Errorf("%s: got %v", source, message)
					}
				}
			}
		},
		"8.3 to a destination, at a rate, until it is cancelled": func(c *client) {
			c.bury("dlq", 9, "q")
			c.newQueue("to")
			more := m{"DestinationArn": c.arnOf("to"), "MaxNumberOfMessagesPerSecond": 1}
			handle := c.startMove("dlq", more)
			task := c.moves("dlq")[0]
			if task["Status"] != "RUNNING" || task["TaskHandle"] != handle || task["DestinationArn"] != c.arnOf("to") || task["MaxNumberOfMessagesPerSecond"] != 1.0 || task["FailureReason"] != nil {
				c.Errorf("got %v", task)
			}
			decoded, err := base64.StdEncoding.DecodeString(handle)
			if err != nil || !strings.HasPrefix(string(decoded), `{"taskId":"`) || !strings.HasSuffix(string(decoded), `","sourceArn":"`+c.arnOf("dlq")+`"}`) {
				c.Errorf("got the handle %s, %v", decoded, err)
			}
			c.refused("StartMessageMoveTask", with(more, m{"SourceArn": c.arnOf("dlq")}), invalidParameter,
				"There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
			cancelled := c.ok("CancelMessageMoveTask", m{"TaskHandle": handle})
			if moved, isNumber := cancelled["ApproximateNumberOfMessagesMoved"].(float64); !isNumber || moved > 9 || len(cancelled) != 1 {
				c.Errorf("got %v", cancelled)
			}
			task = c.endOfMove("dlq")
			moved, _ := task["ApproximateNumberOfMessagesMoved"].(float64)
			if task["Status"] != "CANCELLED" || task["TaskHandle"] != nil || moved >= 9 {
				c.Errorf("got %v", task)
			}
			c.wantCounts("to", fmt.Sprint(moved), "0", "0") // what was moved stays moved
			c.wantCounts("dlq", fmt.Sprint(9-moved), "0", "0")
			c.refused("CancelMessageMoveTask", m{"TaskHandle": handle}, unsupportedOperation, "")

			c.startMove("dlq", m{"DestinationArn": c.arnOf("to"), "MaxNumberOfMessagesPerSecond": 500})
			c.endOfMove("dlq")
			c.wantCounts("to", "9", "0", "0")
			if tasks := c.moves("dlq"); len(tasks) != 2 || tasks[0]["Status"] != "COMPLETED" || tasks[1]["Status"] != "CANCELLED" {
				c.Errorf("got %v", tasks)
			}
			if newest := c.ok("ListMessageMoveTasks", m{"SourceArn": c.arnOf("dlq")})["Results"].([]any); len(newest) != 1 || newest[0].(m)["Status"] != "COMPLETED" {
				c.Errorf("got %v", newest)
			}
		},
		"8.3 a destination that goes away": func(c *client) {
			c.bury("dlq", 5, "q")
			to := c.newQueue("to")
			c.startMove("dlq", m{"DestinationArn": c.arnOf("to"), "MaxNumberOfMessagesPerSecond": 1})
			c.ok("DeleteQueue", m{"QueueUrl": to})
			if task := c.endOfMove("dlq"); task["Status"] != "FAILED" || task["FailureReason"] != "AWS.SimpleQueueService.NonExistentQueue" || task["TaskHandle"] != nil {
				c.Errorf("got %v", task)
			}
		},
	})
}
