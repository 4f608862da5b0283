package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
)

// httpClient has connections of its own: servers of httptest close idle ones of the default client as they end, and a request of
// another test's whose answer has no body may fail by that.
var httpClient = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}

// message is a received message.
type message struct{ body, handle string }

// client sends to and receives from one queue by one protocol. It never tries again by itself. An
// answer that is an error is a refusal; any other error leaves open what happened.
type client interface {
	protocol() string
	send(ctx context.Context, body string) error
	receive(ctx context.Context, wait time.Duration) ([]message, error)
	delete(ctx context.Context, handle string) error
}

// refusal is an error that the server answered.
type refusal struct {
	status int
	code   string // in the protocol's words
}

func (r refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.code) }

// unavailable is what each protocol says while the database is away.
var unavailable = map[string]refusal{
	"sqs":   {503, "ServiceUnavailable"},
	"query": {503, "ServiceUnavailable"},
	"mns":   {500, "InternalError"},
	"api":   {503, "Unavailable"},
}

// requestTimeout is when clients give up, well after the server should have answered.
const requestTimeout = 30 * time.Second

// maxReceived is what receives ask for at most.
const maxReceived = 10

// clients gives a client of each protocol, with connections of its own.
func clients(base, queue string) []client {
	return []client{newSQS(base, queue), newQuery(base, queue), newMNS(base, queue), newAPI(base, queue)}
}

// sqsClient is the AWS SDK, which speaks SQS's JSON protocol.
type sqsClient struct {
	sdk *sqs.Client
	url string
}

func newSQS(base, queue string) *sqsClient {
	return &sqsClient{
		sdk: sqs.New(sqs.Options{
			BaseEndpoint: aws.String(base),
			Region:       "us-east-1",
			Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
			Retryer:      aws.NopRetryer{},
			HTTPClient:   awshttp.NewBuildableClient().WithTimeout(requestTimeout),
		}),
		url: base + "/000000000000/" + queue,
	}
}

func (*sqsClient) protocol() string { return "sqs" }

func (c *sqsClient) send(ctx context.Context, body string) error {
	_, err := c.sdk.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &c.url, MessageBody: &body})
	return sdkError(err)
}

func (c *sqsClient) receive(ctx context.Context, wait time.Duration) ([]message, error) {
	out, err := c.sdk.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &c.url, MaxNumberOfMessages: maxReceived, WaitTimeSeconds: int32(wait / time.Second),
	})
	if err != nil {
		return nil, sdkError(err)
	}
	messages := make([]message, len(out.Messages))
	for i, m := range out.Messages {
		messages[i] = message{*m.Body, *m.ReceiptHandle}
	}
	return messages, nil
}

func (c *sqsClient) delete(ctx context.Context, handle string) error {
	_, err := c.sdk.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &c.url, ReceiptHandle: &handle})
	return sdkError(err)
}

// sdkError finds the server's answer in an error of the SDK's.
func sdkError(err error) error {
	var told smithy.APIError
	var response *awshttp.ResponseError
	if errors.As(err, &told) && errors.As(err, &response) {
		return refusal{response.HTTPStatusCode(), told.ErrorCode()}
	}
	return err
}

// rawClient is an HTTP client for protocols that are written by hand.
type rawClient struct {
	http  *http.Client
	base  string
	queue string
}

func newRaw(base, queue string) rawClient {
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	return rawClient{&http.Client{Transport: transport, Timeout: requestTimeout}, base, queue}
}

// do makes a request and gives the answer's body. codeOf finds the code in that of an error.
func (c *rawClient) do(ctx context.Context, method, path, contentType, body string, codeOf func([]byte) string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	if resp.StatusCode >= 300 {
		return nil, refusal{resp.StatusCode, codeOf(answer)}
	}
	return answer, nil
}

// queryClient speaks SQS's query protocol.
type queryClient struct{ rawClient }

func newQuery(base, queue string) *queryClient { return &queryClient{newRaw(base, queue)} }

func (*queryClient) protocol() string { return "query" }

func (c *queryClient) call(ctx context.Context, form url.Values, answer any) error {
	text, err := c.do(ctx, "POST", "/000000000000/"+c.queue, "application/x-www-form-urlencoded", form.Encode(), xmlCode)
	if err != nil || answer == nil {
		return err
	}
	return xml.Unmarshal(text, answer)
}

func (c *queryClient) send(ctx context.Context, body string) error {
	return c.call(ctx, url.Values{"Action": {"SendMessage"}, "MessageBody": {body}}, nil)
}

func (c *queryClient) receive(ctx context.Context, wait time.Duration) ([]message, error) {
	var answer struct {
		Messages []struct{ Body, ReceiptHandle string } `xml:"ReceiveMessageResult>Message"`
	}
	err := c.call(ctx, url.Values{
		"Action": {"ReceiveMessage"}, "MaxNumberOfMessages": {fmt.Sprint(maxReceived)}, "WaitTimeSeconds": {fmt.Sprint(int(wait.Seconds()))},
	}, &answer)
	messages := make([]message, len(answer.Messages))
	for i, m := range answer.Messages {
		messages[i] = message{m.Body, m.ReceiptHandle}
	}
	return messages, err
}

func (c *queryClient) delete(ctx context.Context, handle string) error {
	return c.call(ctx, url.Values{"Action": {"DeleteMessage"}, "ReceiptHandle": {handle}}, nil)
}

// xmlCode finds the code in an error of SQS's query protocol or of MNS: the element Code, or the only one.
func xmlCode(body []byte) string {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	root := ""
	for {
		token, err := decoder.Token()
		if err != nil {
			return root
		}
		start, ok := token.(xml.StartElement)
		if ok && root == "" {
			root = start.Name.Local
		}
		if ok && start.Name.Local == "Code" {
			var code string
			if decoder.DecodeElement(&code, &start) != nil {
				return ""
			}
			return code
		}
	}
}

// mnsClient speaks MNS.
type mnsClient struct{ rawClient }

func newMNS(base, queue string) *mnsClient { return &mnsClient{newRaw(base, queue)} }

func (*mnsClient) protocol() string { return "mns" }

func (c *mnsClient) call(ctx context.Context, method, query, body string) ([]byte, error) {
	return c.do(ctx, method, "/queues/"+c.queue+"/messages"+query, "text/xml", body, xmlCode)
}

func (c *mnsClient) send(ctx context.Context, body string) error {
	var escaped strings.Builder
	if err := xml.EscapeText(&escaped, []byte(body)); err != nil {
		return err
	}
	_, err := c.call(ctx, "POST", "", `<Message xmlns="http://mns.aliyuncs.com/doc/v1"><MessageBody>`+escaped.String()+`</MessageBody></Message>`)
	return err
}

func (c *mnsClient) receive(ctx context.Context, wait time.Duration) ([]message, error) {
	text, err := c.call(ctx, "GET", fmt.Sprintf("?numOfMessages=%d&waitseconds=%d", maxReceived, int(wait.Seconds())), "")
	if errors.Is(err, refusal{404, "MessageNotExist"}) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var answer struct {
		Messages []struct {
			Body   string `xml:"MessageBody"`
			Handle string `xml:"ReceiptHandle"`
		} `xml:"Message"`
	}
	err = xml.Unmarshal(text, &answer)
	messages := make([]message, len(answer.Messages))
	for i, m := range answer.Messages {
		messages[i] = message{m.Body, m.Handle}
	}
	return messages, err
}

func (c *mnsClient) delete(ctx context.Context, handle string) error {
	_, err := c.call(ctx, "DELETE", "?ReceiptHandle="+url.QueryEscape(handle), "")
	return err
}

// apiClient speaks the JSON API.
type apiClient struct{ rawClient }

func newAPI(base, queue string) *apiClient { return &apiClient{newRaw(base, queue)} }

func (*apiClient) protocol() string { return "api" }

// call makes a request under /api/v1 and decodes the answer, unless answer is nil.
func (c *apiClient) call(ctx context.Context, method, path string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	text, err := c.do(ctx, method, "/api/v1"+path, "application/json", string(body), jsonCode)
	if err != nil || answer == nil {
		return err
	}
	return json.Unmarshal(text, answer)
}

// jsonCode finds the code in an error of SQS's JSON protocol or of the JSON API.
func jsonCode(body []byte) string {
	var fault struct {
		Type string `json:"__type"`
		Code string `json:"code"`
	}
	if json.Unmarshal(body, &fault) != nil {
		return ""
	}
	if _, name, ok := strings.Cut(fault.Type, "#"); ok {
		return name
	}
	return fault.Code
}

func (c *apiClient) send(ctx context.Context, body string) error {
	return c.call(ctx, "POST", "/queues/"+c.queue+"/messages", map[string]any{"messages": []any{map[string]any{"body": body}}}, nil)
}

func (c *apiClient) receive(ctx context.Context, wait time.Duration) ([]message, error) {
	var answer struct {
		Messages []struct {
			Body   string `json:"body"`
			Handle string `json:"receipt_handle"`
		} `json:"messages"`
	}
	request := map[string]any{"limit": maxReceived, "wait_seconds": int(wait.Seconds())}
	err := c.call(ctx, "POST", "/queues/"+c.queue+"/messages:receive", request, &answer)
	messages := make([]message, len(answer.Messages))
	for i, m := range answer.Messages {
		messages[i] = message{m.Body, m.Handle}
	}
	return messages, err
}

func (c *apiClient) delete(ctx context.Context, handle string) error {
	var answer struct {
		Failed []struct {
			Code string `json:"code"`
		} `json:"failed"`
	}
	err := c.call(ctx, "POST", "/queues/"+c.queue+"/messages:delete", map[string]any{"receipt_handles": []string{handle}}, &answer)
	if err == nil && len(answer.Failed) > 0 {
		return refusal{http.StatusOK, answer.Failed[0].Code}
	}
	return err
}

// visibilityTimeout is that of the queues of these tests. Time is moved beyond it, never waited for.
const visibilityTimeout = 60 * time.Second

// createQueue makes a queue.
func createQueue(t *testing.T, base, name string) {
	t.Helper()
	request := map[string]any{"name": name, "visibility_timeout_seconds": int(visibilityTimeout.Seconds())}
	if err := newAPI(base, name).call(t.Context(), "POST", "/queues", request, nil); err != nil {
		t.Fatalf("create queue %s: %v", name, err)
	}
}

// counts are the numbers of a queue's messages.
type counts struct {
	Visible  int `json:"visible"`
	InFlight int `json:"in_flight"`
	Delayed  int `json:"delayed"`
}

func (c *apiClient) counts(ctx context.Context) (counts, error) {
	var answer struct {
		Counts counts `json:"counts"`
	}
	err := c.call(ctx, "GET", "/queues/"+c.queue, nil, &answer)
	return answer.Counts, err
}

// advance moves the server's time forward.
func (c *apiClient) advance(ctx context.Context, by time.Duration) error {
	return c.call(ctx, "POST", "/clock", map[string]any{"advance_seconds": by.Seconds()}, nil)
}
