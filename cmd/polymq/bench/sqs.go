package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const sqsContentType = "application/x-amz-json-1.0"

// An sqsClient speaks SQS in its AWS JSON protocol.
type sqsClient struct {
	*conn
	*options
	ledger  *ledger
	headers map[string]http.Header // by action, as sent unsigned; never changed once made
	signer  *v4.Signer
}

func newSQSClient(c *conn, o *options, l *ledger) client {
	return &sqsClient{conn: c, options: o, ledger: l, headers: map[string]http.Header{}, signer: v4.NewSigner()}
}

func (c *sqsClient) createQueue(name string) (queue, error) {
	attributes := map[string]string{"VisibilityTimeout": strconv.Itoa(c.Visibility)}
	if c.FIFO {
		name += ".fifo"
		attributes["FifoQueue"] = "true"
	}
	body, err := json.Marshal(map[string]any{"QueueName": name, "Attributes": attributes})
	if err != nil {
		return queue{}, err
	}
	if err := c.call("CreateQueue", body, 0); err != nil {
		return queue{}, err
	}
	var created struct{ QueueUrl string }
	if err := json.Unmarshal(c.answer.Bytes(), &created); err != nil {
		return queue{}, fmt.Errorf("read CreateQueue's answer: %w", err)
	}
	return queue{name: name, url: created.QueueUrl}, nil
}

func (c *sqsClient) deleteQueue(q queue) error {
	return c.call("DeleteQueue", append(c.request(q), '}'), 0)
}

func (c *sqsClient) send(q queue, batch []message) error {
	b := c.request(q)
	if len(batch) == 1 {
		b = append(c.appendMessage(append(b, ','), batch[0].number), '}')
		return c.call("SendMessage", b, 0)
	}
	b = append(b, `,"Entries":[`...)
	for i, m := range batch {
		b = c.appendMessage(appendEntry(b, i), m.number)
		b = append(b, '}')
	}
	return c.callBatch("SendMessageBatch", append(b, `]}`...), batch)
}

// appendMessage appends the members that make up message n.
func (c *sqsClient) appendMessage(b []byte, n uint64) []byte {
	b = append(b, `"MessageBody":"`...)
	b = append(c.ledger.appendBody(b, n), '"')
	if c.FIFO {
		b = append(b, `,"MessageGroupId":"g`...)
		b = strconv.AppendUint(b, n%uint64(c.Groups), 10)
		b = append(b, `","MessageDeduplicationId":"`...)
		b = strconv.AppendUint(b, n, 10)
		b = append(b, '"')
	}
	return b
}

func (c *sqsClient) receive(q queue, batch []message, limit int, wait time.Duration) ([]message, error) {
	b := append(c.request(q), `,"MaxNumberOfMessages":`...)
	b = strconv.AppendInt(b, int64(limit), 10)
	b = append(b, `,"WaitTimeSeconds":`...)
	b = strconv.AppendInt(b, int64(wait.Seconds()), 10)
	if err := c.call("ReceiveMessage", append(b, '}'), wait); err != nil {
		return batch, err
	}
	err := eachMessage(c.answer.Bytes(), "ReceiptHandle", "Body", func(handle, body []byte) {
		batch = append(batch, c.ledger.message(handle, body))
	})
	return batch, err
}

func (c *sqsClient) delete(q queue, batch []message) error {
	b := c.request(q)
	if len(batch) == 1 {
		b = appendJSON(append(b, `,"ReceiptHandle":`...), batch[0].handle)
		return c.call("DeleteMessage", append(b, '}'), 0)
	}
	b = append(b, `,"Entries":[`...)
	for i, m := range batch {
		b = append(appendEntry(b, i), `"ReceiptHandle":`...)
		b = append(appendJSON(b, m.handle), '}')
	}
	return c.callBatch("DeleteMessageBatch", append(b, `]}`...), batch)
}

// request begins the body of a request about a queue, and leaves it open.
func (c *sqsClient) request(q queue) []byte {
	b := make([]byte, 0, 256+c.Batch*(c.BodySize+256))
	return appendJSON(append(b, `{"QueueUrl":`...), q.url)
}

// appendEntry begins the i-th entry of a batch and leaves it open.
func appendEntry(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	b = append(b, `{"Id":"`...)
	b = strconv.AppendInt(b, int64(i), 10)
	return append(b, `",`...)
}

// call sends one request and leaves the answer in c.answer; a status other than 200 is an error.
func (c *sqsClient) call(action string, body []byte, wait time.Duration) error {
	header, err := c.header("sqs", action, body)
	if err != nil {
		return err
	}
	status, answered, err := c.do(http.MethodPost, c.endpoint, header, body, wait)
	if err != nil || status == http.StatusOK {
		return err
	}
	refused := &refusal{status: status}
	var problem struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if json.Unmarshal(c.answer.Bytes(), &problem) == nil { // a proxy may answer with anything
		refused.code, refused.message = problem.Type[strings.LastIndexByte(problem.Type, '#')+1:], problem.Message
	}
	if code, _, ok := strings.Cut(answered.Get("X-Amzn-Query-Error"), ";"); ok {
		refused.code = code
	}
	return refused
}

// callBatch is call for the actions that answer entry by entry; it marks the failed ones.
func (c *sqsClient) callBatch(action string, body []byte, batch []message) error {
	if err := c.call(action, body, 0); err != nil {
		return err
	}
	if !bytes.Contains(c.answer.Bytes(), []byte(`"Failed"`)) { // decoding all that did not took a tenth of the load's own time
		return nil
	}
	var answer struct {
		Failed []struct{ Id, Code string }
	}
	if err := json.Unmarshal(c.answer.Bytes(), &answer); err != nil {
		return fmt.Errorf("read %s's answer: %w", action, err)
	}
	for _, f := range answer.Failed {
		if i, err := strconv.Atoi(f.Id); err == nil && i < len(batch) {
			batch[i].failed = f.Code
		}
	}
	return nil
}

// header returns an action's header, signed or with a credential scope alone.
func (c *sqsClient) header(service, action string, body []byte) (http.Header, error) {
	header := c.headers[service+action]
	if header == nil {
		header = c.unsigned(service, action)
		c.headers[service+action] = header
	}
	if !c.Sign {
		return header, nil
	}
	endpoint := *c.endpoint // the signer writes to it
	signed := &http.Request{Method: http.MethodPost, URL: &endpoint, Host: c.endpoint.Host, Header: header.Clone(), ContentLength: int64(len(body))}
	hash := sha256.Sum256(body)
	keys := aws.Credentials{AccessKeyID: c.AccessKey, SecretAccessKey: c.SecretKey}
	if err := c.signer.SignHTTP(context.Background(), keys, signed, hex.EncodeToString(hash[:]), service, c.Region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign %s: %w", action, err)
	}
	return signed.Header, nil
}

// unsigned returns an action's header with an Authorization that carries no signature, but the
// scope from which a server tells the account and the region.
func (c *sqsClient) unsigned(service, action string) http.Header {
	now := time.Now().UTC()
	scope := c.AccessKey + "/" + now.Format("20060102") + "/" + c.Region + "/" + service + "/aws4_request"
	header := http.Header{
		"Content-Type":  {sqsContentType},
		"X-Amz-Target":  {"AmazonSQS." + action},
		"X-Amz-Date":    {now.Format("20060102T150405Z")},
		"User-Agent":    {userAgent},
		"Authorization": {"AWS4-HMAC-SHA256 Credential=" + scope + ", SignedHeaders=host, Signature=" + strings.Repeat("0", 64)},
	}
	if service == "sns" {
		header.Set("Content-Type", queryContentType)
		header.Del("X-Amz-Target")
	}
	return header
}

// sqsSent is what SendMessage, or SendMessageBatch, answers.
func sqsSent(batch int) string {
	const result = `"MessageId":"219f8380-5770-4cc2-8c3e-5c715e145f5e","MD5OfMessageBody":"fafb00f5732ab283681e124bf8747ed1"}`
	if batch == 1 {
		return "{" + result
	}
	entries := make([]string, batch)
	for i := range entries {
		entries[i] = fmt.Sprintf(`{"Id":"%d",%s`, i, result)
	}
	return `{"Successful":[` + strings.Join(entries, ",") + `]}`
}
