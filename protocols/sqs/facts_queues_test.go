package sqs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const badQueueName = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"

// Section 3 of specs/sqs.md: names, attributes, the life of queues.
func TestFactsQueueNames(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	facts(t, map[string]func(*client){
		"names": func(c *client) {
			c.newQueue("aZ09-_")
			c.newQueue(x(80))
			for _, name := range []string{x(81), "a/b", "a.b", "größe", "a b", "a.fifo", ".fifo"} {
				c.refused("CreateQueue", m{"QueueName": name}, invalidParameter, badQueueName)
			}
			if got := c.ok("ListQueues", m{})["QueueUrls"].([]any); len(got) != 2 {
				c.Errorf("got %v, want two queues", got)
			}
		},
		"names of FIFO queues": func(c *client) {
			const bad = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length"
			c.newQueue("a.fifo")
			c.newQueue(x(75) + ".fifo")
			c.ok("CreateQueue", m{"QueueName": "b.fifo", "Attributes": map[string]string{"FifoQueue": "TRUE"}})
			for _, name := range []string{x(76) + ".fifo", "a", ".fifo", "a.FIFO", "a b.fifo"} {
				c.refused("CreateQueue", m{"QueueName": name, "Attributes": map[string]string{"FifoQueue": "true"}}, invalidParameter, bad)
			}
		},
		"names have a case": func(c *client) {
			if c.newQueue("orders") == c.newQueue("Orders") {
				c.Error("orders and Orders are the same queue")
			}
		},
	})
}

func TestFactsQueueAttributes(t *testing.T) {
	facts(t, map[string]func(*client){
		"3.2 all of a standard queue": func(c *client) {
			url := c.newQueue("q")
			got := c.attributesOf(url)
			want := map[string]string{
				"DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0",
				"VisibilityTimeout": "30", "SqsManagedSseEnabled": "true", "QueueArn": c.arnOf("q"), "ApproximateNumberOfMessages": "0",
				"ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
			}
			for name, value := range want {
				if got[name] != value {
					c.Errorf("%s: got %v, want %s", name, got[name], value)
				}
			}
			for _, name := range []string{"CreatedTimestamp", "LastModifiedTimestamp"} {
				seconds, err := strconv.ParseInt(got[name].(string), 10, 64)
				if age := time.Since(time.Unix(seconds, 0)); err != nil || age < -time.Minute || age > time.Hour {
					c.Errorf("%s: got %v", name, got[name])
				}
			}
			if len(got) != len(want)+2 {
				c.Errorf("got %d attributes %v, want %d", len(got), got, len(want)+2)
			}
		},
		"3.2 all of a FIFO queue": func(c *client) {
			got := c.attributesOf(c.newQueue("q.fifo"))
			want := map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"}
			for name, value := range want {
				if got[name] != value {
					c.Errorf("%s: got %v, want %s", name, got[name], value)
				}
			}
			if len(got) != 16 {
				c.Errorf("got %d attributes: %v", len(got), got)
			}
		},
		"3.2 what is set is shown": func(c *client) { // 10.32
			url := c.newQueue("q")
			c.newQueue("dlq")
			redrive := `{"maxReceiveCount": 5,"deadLetterTargetArn":"` + c.arnOf("dlq") + `"}`
			attributes := []string{
				"DelaySeconds", "900", "MaximumMessageSize", "1024", "MessageRetentionPeriod", "1209600", "ReceiveMessageWaitTimeSeconds", "20", "VisibilityTimeout", "43200",
				"Policy", `{"Version":"2012-10-17",  "Statement":[]}`, "RedrivePolicy", redrive, "RedriveAllowPolicy", `{ "redrivePermission" : "denyAll" }`,
				"KmsMasterKeyId", "alias/aws/sqs", "KmsDataKeyReusePeriodSeconds", "86400",
			}
			c.setAttributes(url, attributes...)
			got := c.attributesOf(url)
			for i := 0; i < len(attributes); i += 2 {
				if got[attributes[i]] != attributes[i+1] {
					c.Errorf("%s: got %v, want %s", attributes[i], got[attributes[i]], attributes[i+1])
				}
			}
			c.setAttributes(url, "DelaySeconds", "1") // the others stay
			attributes[1] = "1"
			got = c.attributesOf(url)
			for i := 0; i < len(attributes); i += 2 {
				if got[attributes[i]] != attributes[i+1] {
					c.Errorf("%s after a change of another: got %v, want %s", attributes[i], got[attributes[i]], attributes[i+1])
				}
			}
		},
		"3.2 texts are removed by nothing": func(c *client) { // 10.33
			c.newQueue("dlq")
			url := c.newQueue("q", "Policy", "{}", "RedriveAllowPolicy", `{"redrivePermission":"allowAll"}`, "KmsMasterKeyId", "x",
				"RedrivePolicy", `{"deadLetterTargetArn":"`+c.arnOf("dlq")+`","maxReceiveCount":"3"}`)
			c.setAttributes(url, "Policy", "", "RedriveAllowPolicy", "", "RedrivePolicy", "", "KmsMasterKeyId", "")
			if got := c.ok("GetQueueAttributes", m{"QueueUrl": url, "AttributeNames": []string{"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"}}); len(got) != 0 {
				c.Errorf("got %v", got)
			}
			c.setAttributes(url, "RedrivePolicy", `{"deadLetterTargetArn":"`+c.arnOf("dlq")+`","maxReceiveCount":3}`)
			c.setAttributes(url, "RedrivePolicy", "{}")
			if got := c.attributesOf(url)["RedrivePolicy"]; got != nil {
				c.Errorf("got %v after {}", got)
			}
			c.newQueue("q2", "Policy", "")
		},
		"3.2 both sides of each bound": func(c *client) {
			url := c.newQueue("q", "KmsMasterKeyId", "alias/mine")
			for name, bounds := range map[string][2]int{
				"DelaySeconds": {0, 900}, "MaximumMessageSize": {1024, 1048576}, "MessageRetentionPeriod": {60, 1209600},
				"ReceiveMessageWaitTimeSeconds": {0, 20}, "VisibilityTimeout": {0, 43200}, "KmsDataKeyReusePeriodSeconds": {60, 86400},
			} {
				for _, n := range bounds {
					c.setAttributes(url, name, strconv.Itoa(n))
				}
				for _, value := range []string{strconv.Itoa(bounds[0] - 1), strconv.Itoa(bounds[1] + 1), "1e2", "x", ""} {
					bad := m{"Attributes": map[string]string{name: value}}
					c.refused("SetQueueAttributes", with(bad, m{"QueueUrl": url}), invalidValue, "Invalid value for the parameter "+name+".")
					c.refused("CreateQueue", with(bad, m{"QueueName": "other"}), invalidValue, "Invalid value for the parameter "+name+".")
				}
				if got := c.attributesOf(url)[name]; got != strconv.Itoa(bounds[1]) {
					c.Errorf("%s: got %v, want %d", name, got, bounds[1])
				}
			}
			c.refused("GetQueueUrl", m{"QueueName": "other"}, queueDoesNotExist, "The specified queue does not exist.")
		},
		"3.2 truth in any case": func(c *client) {
			url := c.newQueue("q.fifo", "ContentBasedDeduplication", "True", "SqsManagedSseEnabled", "FALSE")
			if got := c.attributesOf(url); got["ContentBasedDeduplication"] != "true" || got["SqsManagedSseEnabled"] != "false" {
				c.Errorf("got %v", got)
			}
			for _, name := range []string{"ContentBasedDeduplication", "SqsManagedSseEnabled"} {
				c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{name: "yes"}}, invalidValue, "Invalid value for the parameter "+name+".")
			}
		},
		"3.2 unknown names": func(c *client) {
			url := c.newQueue("q")
			for _, name := range []string{"Colour", "QueueArn", "CreatedTimestamp", "ApproximateNumberOfMessages", "All", "delayseconds", ""} {
				c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{name: "1"}}, invalidAttribute, "Unknown Attribute "+name+".")
				c.refused("CreateQueue", m{"QueueName": "other", "Attributes": map[string]string{name: "1"}}, invalidAttribute, "Unknown Attribute "+name+".")
			}
			c.refused("GetQueueAttributes", m{"QueueUrl": url, "AttributeNames": []string{"DelaySeconds", "Colour"}}, invalidAttribute, "Unknown Attribute Colour.")
		},
		"3.2 FIFO attributes of a standard queue": func(c *client) {
			url := c.newQueue("q")
			messages := map[string]string{
				"FifoQueue": "Unknown Attribute FifoQueue.", "ContentBasedDeduplication": "Unknown Attribute ContentBasedDeduplication.",
				"DeduplicationScope":  "You can specify the DeduplicationScope only when FifoQueue is set to true.",
				"FifoThroughputLimit": "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
			}
			for name, value := range map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"} {
				c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{name: value}}, invalidAttribute, messages[name])
				if name != fifoQueue {
					c.refused("CreateQueue", m{"QueueName": "other", "Attributes": map[string]string{name: value}}, invalidAttribute, messages[name])
				}
			}
			c.refused("CreateQueue", m{"QueueName": "other", "Attributes": map[string]string{"FifoQueue": "false"}}, invalidAttribute, messages["FifoQueue"])
			if got := c.ok("GetQueueAttributes", m{"QueueUrl": url, "AttributeNames": []string{"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}}); len(got) != 0 {
				c.Errorf("got %v", got)
			}
		},
		"3.2 FIFO attributes of a FIFO queue": func(c *client) {
			url := c.newQueue("q.fifo")
			c.setAttributes(url, "FifoQueue", "true")
			c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{"FifoQueue": "false"}}, invalidValue,
				"Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
			for name, value := range map[string]string{"FifoQueue": "x", "DeduplicationScope": "Queue", "FifoThroughputLimit": "perGroup"} {
				c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{name: value}}, invalidValue, "Invalid value for the parameter "+name+".")
			}
			c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{"FifoThroughputLimit": "perMessageGroupId"}}, invalidValue, "")
			c.refused("CreateQueue", m{"QueueName": "p.fifo", "Attributes": map[string]string{"FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId"}}, invalidValue, "")
			c.setAttributes(url, "DeduplicationScope", "messageGroup", "FifoThroughputLimit", "perMessageGroupId", "ContentBasedDeduplication", "true")
			c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{"DeduplicationScope": "queue"}}, invalidValue, "")
			got := c.attributesOf(url)
			if got["DeduplicationScope"] != "messageGroup" || got["FifoThroughputLimit"] != "perMessageGroupId" || got["ContentBasedDeduplication"] != "true" {
				c.Errorf("got %v", got)
			}
		},
		"3.2 one encryption at a time": func(c *client) { // 10.41
			url := c.newQueue("q")
			c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{"KmsMasterKeyId": "x", "SqsManagedSseEnabled": "true"}}, invalidAttribute,
				"You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")
			c.setAttributes(url, "KmsMasterKeyId", "x")
			if got := c.attributesOf(url); got["SqsManagedSseEnabled"] != "false" || got["KmsDataKeyReusePeriodSeconds"] != "300" {
				c.Errorf("with a key: got %v", got)
			}
			c.setAttributes(url, "KmsMasterKeyId", "", "KmsDataKeyReusePeriodSeconds", "300")
			got := c.attributesOf(url)
			if got["SqsManagedSseEnabled"] != "false" || got["KmsMasterKeyId"] != nil || got["KmsDataKeyReusePeriodSeconds"] != nil {
				c.Errorf("without it: got %v", got)
			}
		},
		"3.2 the length of a key's name": func(c *client) {
			url := c.newQueue("q", "KmsMasterKeyId", strings.Repeat("k", 2048))
			c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{"KmsMasterKeyId": strings.Repeat("k", 2049)}}, invalidValue, "Invalid value for the parameter KmsMasterKeyId.")
		},
		"3.2 a change that fails is not made in part": func(c *client) {
			url := c.newQueue("q")
			c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{"DelaySeconds": "5", "VisibilityTimeout": "-1"}}, invalidValue, "")
			if got := c.attributesOf(url)["DelaySeconds"]; got != "0" {
				c.Errorf("got a delay of %v", got)
			}
		},
		"3.2 LastModifiedTimestamp": func(c *client) {
			url := c.newQueue("q")
			before := c.attributesOf(url)
			c.wait(time.Hour)
			c.setAttributes(url, "DelaySeconds", "5")
			after := c.attributesOf(url)
			if before["CreatedTimestamp"] != after["CreatedTimestamp"] || before["LastModifiedTimestamp"] == after["LastModifiedTimestamp"] {
				c.Errorf("got %v, then %v", before, after)
			}
		},
		"3.2 a changed delay is for messages to come": func(c *client) {
			url := c.newQueue("q", "DelaySeconds", "100")
			c.sendAll(url, "late")
			c.setAttributes(url, "DelaySeconds", "0")
			c.sendAll(url, "now")
			c.wantBodies(url, 0, "now")
			c.wantCounts(url, "1", "0", "1")
		},
		"3.2 a changed visibility timeout is for receives to come": func(c *client) { // 10.20
			url := c.newQueue("q", "VisibilityTimeout", "100")
			c.sendAll(url, "a")
			c.receiveOne(url)
			c.setAttributes(url, "VisibilityTimeout", "1")
			c.wait(90 * time.Second)
			c.wantBodies(url, 0)
			c.wait(10 * time.Second)
			c.receiveOne(url)
			c.wait(time.Second)
			c.receiveOne(url)
		},
		"3.2 a shorter retention reaches back": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "old")
			c.wait(61 * time.Second)
			c.sendAll(url, "new")
			c.setAttributes(url, "MessageRetentionPeriod", "60")
			c.wantBodies(url, 0, "new")
		},
	})
}

func TestFactsQueueLife(t *testing.T) {
	facts(t, map[string]func(*client){
		"3.3 CreateQueue again": func(c *client) {
			c.newQueue("dlq")
			redrive := `{"deadLetterTargetArn":"` + c.arnOf("dlq") + `","maxReceiveCount":5}`
			url := c.ok("CreateQueue", m{"QueueName": "q", "Attributes": map[string]string{"DelaySeconds": "5", "RedrivePolicy": redrive}, "tags": map[string]string{"a": "1"}})["QueueUrl"].(string)
			c.setAttributes(url, "VisibilityTimeout", "60")
			for _, same := range []map[string]string{
				nil, {"DelaySeconds": "5"}, {"DelaySeconds": "05", "VisibilityTimeout": "60"}, {"MessageRetentionPeriod": "345600"},
				{"RedrivePolicy": `{"maxReceiveCount":"5", "deadLetterTargetArn":"` + c.arnOf("dlq") + `"}`},
			} {
				if got := c.ok("CreateQueue", m{"QueueName": "q", "Attributes": same, "tags": map[string]string{"a": "2", "b": "3"}})["QueueUrl"]; got != url {
					c.Errorf("%v: got %v", same, got)
				}
			}
			for name, value := range map[string]string{"DelaySeconds": "6", "VisibilityTimeout": "30", "Policy": "{}", "RedrivePolicy": strings.Replace(redrive, ":5}", ":4}", 1)} {
				c.refused("CreateQueue", m{"QueueName": "q", "Attributes": map[string]string{name: value}}, queueNameExists,
					"A queue already exists with the same name and a different value for attribute "+name)
			}
			c.refused("CreateQueue", m{"QueueName": "q", "Attributes": map[string]string{"DelaySeconds": "901"}}, invalidValue, "")
			if tags := c.ok("ListQueueTags", m{"QueueUrl": url})["Tags"].(m); len(tags) != 1 || tags["a"] != "1" { // 10.31
				c.Errorf("got tags %v", tags)
			}
		},
		"3.3 CreateQueue again, FIFO": func(c *client) {
			url := c.newQueue("q.fifo", "ContentBasedDeduplication", "true")
			if got := c.newQueue("q.fifo"); got != url {
				c.Errorf("got %v", got)
			}
			c.newQueue("q.fifo", "ContentBasedDeduplication", "TRUE", "DeduplicationScope", "queue")
			for name, value := range map[string]string{"ContentBasedDeduplication": "false", "DeduplicationScope": "messageGroup"} {
				c.refused("CreateQueue", m{"QueueName": "q.fifo", "Attributes": map[string]string{"FifoQueue": "true", name: value}}, queueNameExists,
					"A queue already exists with the same name and a different value for attribute "+name)
			}
			c.refused("CreateQueue", m{"QueueName": "q.fifo"}, invalidParameter, badQueueName)
		},
		"3.3 GetQueueUrl": func(c *client) {
			url := c.newQueue("q")
			if got := c.ok("GetQueueUrl", m{"QueueName": "q"})["QueueUrl"]; got != url {
				c.Errorf("got %v", got)
			}
			other := c.as("999999999999")
			if got := other.ok("GetQueueUrl", m{"QueueName": "q", "QueueOwnerAWSAccountId": c.account})["QueueUrl"]; got != url {
				c.Errorf("of another account: got %v", got)
			}
			other.refused("GetQueueUrl", m{"QueueName": "q"}, queueDoesNotExist, "The specified queue does not exist.")
			c.refused("GetQueueUrl", m{"QueueName": "Q"}, queueDoesNotExist, "The specified queue does not exist.")
		},
		"3.3 ListQueues": func(c *client) { // 10.27
			for _, name := range []string{"b", "a-2", "a-1", "A-1", "a-3"} {
				c.newQueue(name)
			}
			names := func(page m) []string {
				var out []string
				list, _ := page["QueueUrls"].([]any)
				for _, url := range list {
					out = append(out, url.(string)[strings.LastIndex(url.(string), "/")+1:])
				}
				return out
			}
			all := c.ok("ListQueues", m{})
			if got := names(all); !slices.Equal(got, []string{"A-1", "a-1", "a-2", "a-3", "b"}) || all["NextToken"] != nil {
				c.Errorf("got %v and the token %v", got, all["NextToken"])
			}
			first := c.ok("ListQueues", m{"QueueNamePrefix": "a-", "MaxResults": 2})
			token, _ := first["NextToken"].(string)
			if got := names(first); !slices.Equal(got, []string{"a-1", "a-2"}) || token == "" {
				c.Errorf("got %v and the token %q", got, token)
			}
			second := c.ok("ListQueues", m{"QueueNamePrefix": "a-", "MaxResults": 2, "NextToken": token})
			if got := names(second); !slices.Equal(got, []string{"a-3"}) || second["NextToken"] != nil {
				c.Errorf("got %v and the token %v", got, second["NextToken"])
			}
			if exact := c.ok("ListQueues", m{"QueueNamePrefix": "a-", "MaxResults": 3}); exact["NextToken"] != nil {
				c.Errorf("nothing is left: got the token %v", exact["NextToken"])
			}
			if got := c.ok("ListQueues", m{"QueueNamePrefix": "nothing"}); len(got) != 0 {
				c.Errorf("got %v", got)
			}
			c.ok("ListQueues", m{"MaxResults": 1})
			c.ok("ListQueues", m{"MaxResults": 1000})
			for _, n := range []int{0, -1, 1001} {
				c.refused("ListQueues", m{"MaxResults": n}, invalidParameter, "")
				c.refused("ListDeadLetterSourceQueues", m{"QueueUrl": "b", "MaxResults": n}, invalidParameter, "")
			}
			c.refused("ListQueues", m{"NextToken": "*"}, invalidParameter, "")
		},
		"3.3 DeleteQueue": func(c *client) {
			url := c.newQueue("q")
			c.ok("TagQueue", m{"QueueUrl": url, "Tags": map[string]string{"a": "1"}})
			c.sendAll(url, "a")
			message := c.receiveOne(url)
			c.sendAll(url, "b")
			if got := c.ok("DeleteQueue", m{"QueueUrl": url}); len(got) != 0 {
				c.Errorf("got %v", got)
			}
			c.refused("DeleteQueue", m{"QueueUrl": url}, queueDoesNotExist, "The specified queue does not exist.")
			c.refused("ReceiveMessage", m{"QueueUrl": url}, queueDoesNotExist, "The specified queue does not exist.")
			c.newQueue("q") // at once: no sixty seconds
			c.wantBodies(url, 0)
			c.refused("DeleteMessage", m{"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}, receiptHandle, "")
			if got := c.ok("ListQueueTags", m{"QueueUrl": url}); len(got) != 0 {
				c.Errorf("got tags %v", got)
			}
		},
		"3.3 PurgeQueue": func(c *client) {
			url := c.newQueue("q")
			c.sendAll(url, "a", "b")
			c.ok("ReceiveMessage", m{"QueueUrl": url})
			c.sendTo(url, "c", m{"DelaySeconds": 100})
			c.wantCounts(url, "1", "1", "1")
			if got := c.ok("PurgeQueue", m{"QueueUrl": url}); len(got) != 0 {
				c.Errorf("got %v", got)
			}
			c.wantCounts(url, "0", "0", "0")
			c.ok("PurgeQueue", m{"QueueUrl": url})
			c.wait(time.Hour)
			c.wantBodies(url, 0)
		},
	})
}

func TestFactsTags(t *testing.T) {
	facts(t, map[string]func(*client){
		"3.3 tags": func(c *client) { // 10.31
			url := c.ok("CreateQueue", m{"QueueName": "q", "tags": map[string]string{"made": "yes"}})["QueueUrl"].(string)
			if got := c.ok("TagQueue", m{"QueueUrl": url, "Tags": map[string]string{"a": "1", "A": "2", "empty": ""}}); len(got) != 0 {
				c.Errorf("got %v", got)
			}
			c.ok("TagQueue", m{"QueueUrl": url, "Tags": map[string]string{"a": "3"}})
			c.ok("UntagQueue", m{"QueueUrl": url, "TagKeys": []string{"made", "nothing"}})
			if got := c.ok("ListQueueTags", m{"QueueUrl": url})["Tags"].(m); len(got) != 3 || got["a"] != "3" || got["A"] != "2" || got["empty"] != "" {
				c.Errorf("got %v", got)
			}
		},
		"3.3 bounds of tags": func(c *client) {
			url := c.newQueue("q")
			tags := map[string]string{strings.Repeat("k", 128): strings.Repeat("v", 256)}
			for i := range 49 {
				tags[fmt.Sprint(i)] = "v"
			}
			c.ok("TagQueue", m{"QueueUrl": url, "Tags": tags})
			c.refused("TagQueue", m{"QueueUrl": url, "Tags": map[string]string{"one": "more"}}, invalidParameter, "Too many tags added for queue q.")
			tags["one"] = "more"
			c.refused("CreateQueue", m{"QueueName": "other", "tags": tags}, invalidParameter, "Too many tags added for queue other.")
			for key, value := range map[string]string{"": "v", strings.Repeat("k", 129): "v", "k": strings.Repeat("v", 257)} {
				c.refused("TagQueue", m{"QueueUrl": url, "Tags": map[string]string{key: value}}, invalidParameter, "")
				c.refused("CreateQueue", m{"QueueName": "other", "tags": map[string]string{key: value}}, invalidParameter, "")
			}
			c.refused("TagQueue", m{"QueueUrl": url, "Tags": map[string]string{"": "v"}}, invalidParameter, "Tag keys must be between 1 and 128 characters in length.")
			if got := c.ok("ListQueueTags", m{"QueueUrl": url})["Tags"].(m); len(got) != 50 {
				c.Errorf("got %d tags", len(got))
			}
			c.refused("GetQueueUrl", m{"QueueName": "other"}, queueDoesNotExist, "The specified queue does not exist.")
		},
	})
}

func TestFactsPermissions(t *testing.T) {
	facts(t, map[string]func(*client){
		"3.3 a policy comes and goes": func(c *client) {
			url := c.newQueue("q")
			one := `{"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"SQS:ReceiveMessage","Resource":"` + c.arnOf("q") + `"}`
			two := `{"Sid":"two","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:root"]},"Action":["SQS:SendMessage","SQS:DeleteMessage"],"Resource":"` + c.arnOf("q") + `"}`
			head := `{"Version":"2008-10-17","Id":"` + c.arnOf("q") + `/SQSDefaultPolicy","Statement":[`
			want := func(policy string) {
				c.Helper()
				if got := c.attributesOf(url)["Policy"]; got != policy {
					c.Errorf("got  %v\nwant %s", got, policy)
				}
			}
			c.ok("AddPermission", m{"QueueUrl": url, "Label": "one", "AWSAccountIds": []string{"111122223333"}, "Actions": []string{"ReceiveMessage"}})
			want(head + one + "]}")
			c.ok("AddPermission", m{"QueueUrl": url, "Label": "two", "AWSAccountIds": []string{"111122223333", "444455556666"}, "Actions": []string{"SendMessage", "DeleteMessage"}})
			want(head + one + "," + two + "]}")
			c.refused("AddPermission", m{"QueueUrl": url, "Label": "two", "AWSAccountIds": []string{"111122223333"}, "Actions": []string{"SendMessage"}}, invalidParameter,
				"Value two for parameter Label is invalid. Reason: Already exists.")
			c.ok("RemovePermission", m{"QueueUrl": url, "Label": "one"})
			want(head + two + "]}")
			c.refused("RemovePermission", m{"QueueUrl": url, "Label": "one"}, invalidParameter, "Value one for parameter Label is invalid. Reason: can't find label.")
			c.ok("RemovePermission", m{"QueueUrl": url, "Label": "two"})
			if got := c.ok("GetQueueAttributes", m{"QueueUrl": url, "AttributeNames": []string{"Policy"}}); len(got) != 0 {
				c.Errorf("got %v behind the last statement", got)
			}
		},
		"3.3 refusals": func(c *client) {
			url := c.newQueue("q")
			good := m{"QueueUrl": url, "Label": "x", "AWSAccountIds": []string{"111122223333"}, "Actions": []string{"SendMessage"}}
			c.refused("AddPermission", with(good, m{"Actions": []string{"Fly"}}), invalidParameter,
				"Value SQS:Fly for parameter ActionName is invalid. Reason: Please refer to the appropriate WSDL for a list of valid actions. ")
			c.refused("AddPermission", with(good, m{"Actions": []string{"CreateQueue"}}), invalidParameter,
				"Value SQS:CreateQueue for parameter ActionName is invalid. Reason: Only the queue owner is allowed to invoke this action.")
			c.refused("AddPermission", with(good, m{"AWSAccountIds": []string{}}), invalidParameter, "Value [] for parameter PrincipalId is invalid. Reason: Unable to verify.")
			c.refused("AddPermission", with(good, m{"Actions": []string{}}), missingParameter, "The request must contain the parameter Actions.")
			seven := []string{"SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl", "PurgeQueue"}
			c.refused("AddPermission", with(good, m{"Actions": append(slices.Clone(seven), "ListDeadLetterSourceQueues")}), overLimit, "8 Actions were found, maximum allowed is 7.")
			c.refused("AddPermission", with(good, m{"Label": strings.Repeat("x", 81)}), invalidParameter, "")
			if got := c.ok("GetQueueAttributes", m{"QueueUrl": url, "AttributeNames": []string{"Policy"}}); len(got) != 0 {
				c.Errorf("got %v though all were refused", got)
			}
			c.ok("AddPermission", with(good, m{"Actions": seven, "Label": strings.Repeat("x", 80)}))
			fifty := slices.Repeat([]string{"111122223333"}, 50)
			c.refused("AddPermission", with(good, m{"AWSAccountIds": append(slices.Clone(fifty), "444455556666")}), overLimit, "")
			c.ok("AddPermission", with(good, m{"AWSAccountIds": fifty}))
		},
		"9 as many statements as fit": func(c *client) {
			url := c.newQueue("q")
			add := m{"QueueUrl": url, "AWSAccountIds": []string{"111122223333"}, "Actions": []string{"SendMessage"}}
			for i := range 20 {
				c.ok("AddPermission", with(add, m{"Label": fmt.Sprint("l", i)}))
			}
			c.refused("AddPermission", with(add, m{"Label": "more"}), overLimit, "")
			c.refused("SetQueueAttributes", m{"QueueUrl": url, "Attributes": map[string]string{"Policy": `{"Id":"` + strings.Repeat("x", 8192-8) + `"}`}}, invalidValue, "Invalid value for the parameter Policy.")
			c.setAttributes(url, "Policy", `{"Id":"`+strings.Repeat("x", 8192-9)+`"}`)
		},
	})
}

// The rules that are switched on by --sqs-60s-rules (2.2, 3.3, 9).
func TestFactsSixtySeconds(t *testing.T) {
	const recently = "You must wait 60 seconds after deleting a queue before you can create another with the same name."
	factsWith(t, Options{SixtySecondRules: true}, map[string]func(*client){
		"a queue is not made again": func(c *client) {
			url := c.newQueue("q")
			c.newQueue("q") // it is there
			c.ok("DeleteQueue", m{"QueueUrl": url})
			c.refused("CreateQueue", m{"QueueName": "q"}, queueDeletedRecently, recently)
			c.newQueue("other")
			c.wait(50 * time.Second)
			c.refused("CreateQueue", m{"QueueName": "q"}, queueDeletedRecently, recently)
			c.wait(10 * time.Second)
			c.newQueue("q")
		},
		"a queue is not purged again": func(c *client) {
			url := c.newQueue("q")
			c.ok("PurgeQueue", m{"QueueUrl": url})
			c.sendAll(url, "a")
			c.refused("PurgeQueue", m{"QueueUrl": url}, purgeInProgress, "Only one PurgeQueue operation on q is allowed every 60 seconds.")
			c.wantCounts(url, "1", "0", "0")
			c.wait(time.Minute)
			c.ok("PurgeQueue", m{"QueueUrl": url})
			c.wantCounts(url, "0", "0", "0")
			c.refused("PurgeQueue", m{"QueueUrl": "nothing"}, queueDoesNotExist, "The specified queue does not exist.")
		},
	})
}
