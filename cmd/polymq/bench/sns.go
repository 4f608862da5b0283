package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const queryContentType = "application/x-www-form-urlencoded; charset=utf-8"

// The SQS client speaks SNS to topics, in its query protocol.

func (c *sqsClient) createTopic(name string) (topic, error) {
	if err := c.query("CreateTopic", url.Values{"Name": {name}}); err != nil {
		return "", err
	}
	arn := text(c.answer.Bytes(), "TopicArn")
	if arn == "" {
		return "", errNoTopics
	}
	return topic(arn), nil
}

func (c *sqsClient) deleteTopic(t topic) error {
	return c.query("DeleteTopic", url.Values{"TopicArn": {string(t)}})
}

// subscribeQueue makes a queue's ARN of the topic's: they are of the same account and region.
func (c *sqsClient) subscribeQueue(t topic, _ string, q queue) error {
	arn := strings.Replace(string(t), ":sns:", ":sqs:", 1)
	return c.subscribe(t, "sqs", arn[:strings.LastIndexByte(arn, ':')+1]+q.name)
}

func (c *sqsClient) subscribeURL(t topic, _, endpoint string) error {
	return c.subscribe(t, "http", endpoint)
}

func (c *sqsClient) subscribe(t topic, protocol, endpoint string) error {
	in := url.Values{"TopicArn": {string(t)}, "Protocol": {protocol}, "Endpoint": {endpoint}}
	if c.Raw {
		in.Set("Attributes.entry.1.key", "RawMessageDelivery")
		in.Set("Attributes.entry.1.value", "true")
	}
	return c.query("Subscribe", in)
}

func (c *sqsClient) publish(t topic, batch []message) error {
	b := make([]byte, 0, 256+len(batch)*(c.BodySize+160))
	if len(batch) == 1 {
		b = append(b, "Action=Publish&Version=2010-03-31&TopicArn="...)
		b = append(append(b, url.QueryEscape(string(t))...), "&Message="...)
		return c.form("Publish", c.appendText(b, batch[0].number))
	}
	b = append(b, "Action=PublishBatch&Version=2010-03-31&TopicArn="...)
	b = append(b, url.QueryEscape(string(t))...)
	for i, m := range batch {
		entry := "&PublishBatchRequestEntries.member." + strconv.Itoa(i+1)
		b = append(append(b, entry+".Id="+strconv.Itoa(i)+entry...), ".Message="...)
		b = c.appendText(b, m.number)
	}
	if err := c.form("PublishBatch", b); err != nil {
		return err
	}
	failed, _, _ := element(c.answer.Bytes(), "Failed")
	for entry := range elements(failed, "member") {
		if i, err := strconv.Atoi(text(entry, "Id")); err == nil && i < len(batch) {
			batch[i].failed = text(entry, "Code")
		}
	}
	return nil
}

// appendText appends message n's body, whose blanks are all that a form has to write differently.
func (c *sqsClient) appendText(b []byte, n uint64) []byte {
	start := len(b)
	b = c.ledger.appendBody(b, n)
	for i := start; i < len(b); i++ {
		if b[i] == ' ' {
			b[i] = '+'
		}
	}
	return b
}

func (c *sqsClient) depth(q queue) (int, error) {
	const name = "ApproximateNumberOfMessages"
	if err := c.call("GetQueueAttributes", append(c.request(q), `,"AttributeNames":["`+name+`"]}`...), 0); err != nil {
		return 0, err
	}
	var answer struct{ Attributes map[string]string }
	if err := json.Unmarshal(c.answer.Bytes(), &answer); err != nil {
		return 0, fmt.Errorf("read GetQueueAttributes' answer: %w", err)
	}
	return strconv.Atoi(answer.Attributes[name])
}

// query sends one request of SNS.
func (c *sqsClient) query(action string, in url.Values) error {
	in.Set("Action", action)
	in.Set("Version", "2010-03-31")
	return c.form(action, []byte(in.Encode()))
}

func (c *sqsClient) form(action string, body []byte) error {
	header, err := c.header("sns", action, body)
	if err != nil {
		return err
	}
	status, _, err := c.do(http.MethodPost, c.endpoint, header, body, 0)
	if err != nil || status == http.StatusOK {
		return err
	}
	return &refusal{status: status, code: text(c.answer.Bytes(), "Code"), message: text(c.answer.Bytes(), "Message")}
}

// errNoTopics is what a server answers that does not speak SNS.
var errNoTopics = errors.New("the server gave no topic")
