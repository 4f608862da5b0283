package sns

import (
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// arn is the name of a thing of AWS's: arn:partition:service:region:account:resource.
type arn struct {
	partition, service, region, account, resource string
}

// String gives the ARN.
func (a arn) String() string {
	return "arn:" + a.partition + ":" + a.service + ":" + a.region + ":" + a.account + ":" + a.resource
}

// arnParts is how many parts an ARN has at least; the resource may have colons of its own.
const arnParts = 6

// readARN reads an ARN, ok false where it is none. n is how many parts it has.
func readARN(text string) (a arn, n int, ok bool) {
	n = strings.Count(text, ":") + 1
	parts := strings.SplitN(text, ":", arnParts)
	if n < arnParts || parts[0] != "arn" {
		return arn{}, n, false
	}
	return arn{parts[1], parts[2], parts[3], parts[4], parts[5]}, n, true
}

// parseARN reads an ARN that a parameter has.
func parseARN(parameter, text string) (arn, error) {
	a, n, ok := readARN(text)
	switch {
	case ok:
		return a, nil
	case n < arnParts:
		return arn{}, invalid("%s Reason: An ARN must have at least 6 elements, not %d", parameter, n)
	}
	return arn{}, invalid("%s", parameter)
}

func makeARN(region, account, resource string) string {
	return "arn:" + aws.Partition(region) + ":sns:" + region + ":" + account + ":" + resource
}

func topicARN(name core.TopicName) string {
	return makeARN(name.Region, name.Account, name.Name)
}

func subscriptionARN(name core.SubscriptionName) string {
	return topicARN(name.Topic) + ":" + name.Name
}

// topicName reads the ARN of a topic, which must be in the region of the request.
func (c *call) topicName(text *string) (core.TopicName, error) {
	if text == nil {
		return core.TopicName{}, required("topicArn")
	}
	return c.readTopicARN("TopicArn", *text)
}

// readTopicARN reads the ARN of a topic that a parameter of that name gives.
func (c *call) readTopicARN(parameter, text string) (core.TopicName, error) {
	a, err := parseARN(parameter, text)
	if err != nil {
		return core.TopicName{}, err
	}
	if a.service != "sns" || a.region != c.Region || !core.IsAccount(a.account) || strings.ContainsAny(a.resource, ":/") {
		return core.TopicName{}, invalid("%s", parameter)
	}
	return core.TopicName{Account: a.account, Region: a.region, Name: a.resource}, nil
}

// subscriptionName reads the ARN of a subscription.
func subscriptionName(text *string) (core.SubscriptionName, error) {
	var name core.SubscriptionName
	if text == nil {
		return name, required("subscriptionArn")
	}
	if *text == "" {
		return name, invalid("SubscriptionArn Reason: no value for required parameter")
	}
	a, err := parseARN("SubscriptionArn", *text)
	if err != nil {
		return name, err
	}
	topic, id, ok := strings.Cut(a.resource, ":")
	if !ok || id == "" || a.service != "sns" || !core.IsAccount(a.account) || !caller.IsRegion(a.region) {
		return name, invalid("SubscriptionId")
	}
	return core.SubscriptionName{Topic: core.TopicName{Account: a.account, Region: a.region, Name: topic}, Name: id}, nil
}

// queueName reads the ARN of a queue.
func queueName(text string) (core.QueueName, bool) {
	a, _, ok := readARN(text)
	if !ok || a.service != "sqs" || !core.IsAccount(a.account) || !caller.IsRegion(a.region) || !isName(a.resource, core.MaxNameLength, "-_.") {
		return core.QueueName{}, false
	}
	return core.QueueName{Account: a.account, Region: a.region, Name: a.resource}, true
}

// isName says that a text has letters of ASCII, digits and the characters given: at least one, and at
// most so many.
func isName(s string, most int, more string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= most
}

const fifoSuffix = ".fifo"

func isFIFO(name string) bool { return strings.HasSuffix(name, fifoSuffix) }
