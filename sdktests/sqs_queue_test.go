package sdktests

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

func createQueue(t *testing.T, client *sqs.Client, name string, attributes ...string) string {
	t.Helper()
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String(name), Attributes: pairs(attributes),
	})
	if err != nil {
		t.Fatalf("create queue %s: %v", name, err)
	}
	return *out.QueueUrl
}

// pairs makes a map of name, value, name, value …
func pairs(list []string) map[string]string {
	m := map[string]string{}
	for pair := range slices.Chunk(list, 2) {
		m[pair[0]] = pair[1]
	}
	return m
}

// attributes gives those of the queue's attributes that are asked for.
func attributes(t *testing.T, client *sqs.Client, url string, names ...types.QueueAttributeName) map[string]string {
	t.Helper()
	out, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
	if err != nil {
		t.Fatalf("get attributes of %s: %v", url, err)
	}
	return out.Attributes
}

// wantCounts compares the numbers of visible, in-flight and delayed messages.
func wantCounts(t *testing.T, client *sqs.Client, url string, visible, inFlight, delayed int) {
	t.Helper()
	got := attributes(t, client, url, types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible, types.QueueAttributeNameApproximateNumberOfMessagesDelayed)
	want := map[string]string{
		"ApproximateNumberOfMessages":           fmt.Sprint(visible),
		"ApproximateNumberOfMessagesNotVisible": fmt.Sprint(inFlight),
		"ApproximateNumberOfMessagesDelayed":    fmt.Sprint(delayed),
	}
	if !maps.Equal(got, want) {
		t.Errorf("got counts %v, want %v", got, want)
	}
}

// wantError wants an error of the SDK's type E, with the code that query clients know it by.
func wantError[E error](t *testing.T, err error, code string) {
	t.Helper()
	var typed E
	if !errors.As(err, &typed) {
		t.Errorf("got error %v (%[1]T), want a %T", err, typed)
		return
	}
	wantCode(t, err, code)
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Errorf("got error %v, want one of the service with code %s", err, code)
		return
	}
	if api.ErrorCode() != code {
		t.Errorf("got error code %s (%s), want %s", api.ErrorCode(), api.ErrorMessage(), code)
	}
	if api.ErrorFault() != smithy.FaultClient {
		t.Errorf("got fault %s, want the client's", api.ErrorFault())
	}
}

func TestSQSCreateQueueAnswersItsURL(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client := srv.sqs()
	url := createQueue(t, client, "orders")
	if want := srv.url + "/000000000000/orders"; url != want {
		t.Errorf("got URL %s, want %s", url, want)
	}
	out, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("orders")})
	if err != nil || *out.QueueUrl != url {
		t.Errorf("GetQueueUrl gave %v, %v, want %s", out, err, url)
	}
}

func TestSQSCreateQueueOfAnExistingOne(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders", "VisibilityTimeout", "10", "DelaySeconds", "1")
	_, err := client.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl: &url, Attributes: map[string]string{"VisibilityTimeout": "20"},
	})
	if err != nil {
		t.Fatalf("set attributes: %v", err)
	}
	tests := map[string]struct {
		attributes []string
		exists     bool // in another form
	}{
		"no attributes":               {nil, false},
		"the current value":           {[]string{"VisibilityTimeout", "20"}, false},
		"all current values":          {[]string{"VisibilityTimeout", "20", "DelaySeconds", "1"}, false},
		"the value before it was set": {[]string{"VisibilityTimeout", "10"}, true},
		"another value of a default":  {[]string{"ReceiveMessageWaitTimeSeconds", "5"}, true},
		"the default of another":      {[]string{"ReceiveMessageWaitTimeSeconds", "0"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{
				QueueName: aws.String("orders"), Attributes: pairs(tt.attributes),
			})
			if tt.exists {
				wantError[*types.QueueNameExists](t, err, "QueueAlreadyExists")
			} else if err != nil || *out.QueueUrl != url {
				t.Errorf("got %v, %v, want %s", out, err, url)
			}
		})
	}
}

func TestSQSQueueNames(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	tests := map[string]struct {
		name string
		ok   bool
	}{
		"letters, digits, signs": {"Az09-_", true},
		"80 characters":          {strings.Repeat("q", 80), true},
		"81 characters":          {strings.Repeat("q", 81), false},
		"a blank":                {"my orders", false},
		"a dot":                  {"my.orders", false},
		"a slash":                {"my/orders", false},
		"another alphabet":       {"bestellübersicht", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &tt.name})
			if tt.ok && err != nil {
				t.Errorf("got %v, want none", err)
			}
			if !tt.ok {
				wantCode(t, err, "InvalidParameterValue")
			}
		})
	}
}

func TestSQSMissingQueue(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client, ctx := srv.sqs(), t.Context()
	url, handle := aws.String(srv.url+"/000000000000/nowhere"), aws.String("handle")
	tests := map[string]func() error{
		"GetQueueUrl": func() error {
			_, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("nowhere")})
			return err
		},
		"DeleteQueue": func() error {
			_, err := client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: url})
			return err
		},
		"GetQueueAttributes": func() error {
			_, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"All"}})
			return err
		},
		"SetQueueAttributes": func() error {
			_, err := client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"DelaySeconds": "1"}})
			return err
		},
		"PurgeQueue": func() error {
			_, err := client.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: url})
			return err
		},
		"SendMessage": func() error {
			_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("hello")})
			return err
		},
		"SendMessageBatch": func() error {
			_, err := client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: entries(1)})
			return err
		},
		"ReceiveMessage": func() error {
			_, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 20})
			return err
		},
		"DeleteMessage": func() error {
			_, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: handle})
			return err
		},
		"ChangeMessageVisibility": func() error {
			_, err := client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: handle})
			return err
		},
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			wantError[*types.QueueDoesNotExist](t, call(), "AWS.SimpleQueueService.NonExistentQueue")
		})
	}
}

func TestSQSQueueURLForms(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client := srv.sqs()
	createQueue(t, client, "orders")
	tests := map[string]struct {
		url string
		ok  bool
	}{
		"as answered":           {srv.url + "/000000000000/orders", true},
		"another host and port": {"http://queues.example:1234/000000000000/orders", true},
		"the cloud's":           {"https://sqs.us-east-1.amazonaws.com/000000000000/orders", true},
		"the cloud's old one":   {"https://queue.amazonaws.com/000000000000/orders", true},
		"a path before it":      {srv.url + "/queue/us-east-1/000000000000/orders", true},
		"a bare name":           {"orders", true},
		"another account":       {srv.url + "/111122223333/orders", false},
		"no queue":              {"http://whatever/", false},
		"another case":          {srv.url + "/000000000000/Orders", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &tt.url, MessageBody: aws.String("hello")})
			if tt.ok && err != nil {
				t.Errorf("got %v, want none", err)
			}
			if !tt.ok {
				wantError[*types.QueueDoesNotExist](t, err, "AWS.SimpleQueueService.NonExistentQueue")
			}
		})
	}
}

// A client in a container knows the server by another name than one beside it, on another port.
func TestSQSQueueURLsAreOfTheHostThatTheClientUsed(t *testing.T) {
	t.Parallel()
	srv := start(t)
	createQueue(t, srv.sqs(), "orders")
	const elsewhere = "http://queues.internal:9324"
	mapped := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(srv.url, "http://"))
		}
	})
	client := srv.sqs(func(o *sqs.Options) { o.BaseEndpoint, o.HTTPClient = aws.String(elsewhere), mapped })
	out, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("orders")})
	if err != nil {
		t.Fatalf("get queue URL: %v", err)
	}
	if want := elsewhere + "/000000000000/orders"; *out.QueueUrl != want {
		t.Errorf("got URL %s, want %s", *out.QueueUrl, want)
	}
	list, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil || !slices.Equal(list.QueueUrls, []string{*out.QueueUrl}) {
		t.Errorf("ListQueues gave %v, %v, want %s", list, err, *out.QueueUrl)
	}
	send(t, client, *out.QueueUrl, "hello")
	if got := receive(t, srv.sqs(), *out.QueueUrl); len(got) != 1 {
		t.Errorf("got %d messages by the other client's URL, want 1", len(got))
	}
}

// The cloud's URLs name a region; it counts, whatever region the client is set to.
func TestSQSQueueURLNamesTheRegion(t *testing.T) {
	t.Parallel()
	srv := start(t)
	away := srv.sqs(func(o *sqs.Options) { o.Region = "eu-central-1" })
	createQueue(t, away, "orders")
	for name, url := range map[string]string{
		"the cloud's":         "https://sqs.eu-central-1.amazonaws.com/000000000000/orders",
		"the cloud's old one": "https://eu-central-1.queue.amazonaws.com/000000000000/orders",
		"in the path":         srv.url + "/queue/eu-central-1/000000000000/orders",
	} {
		send(t, srv.sqs(), url, name)
	}
	if got := receive(t, away, srv.url+"/000000000000/orders", upTo(10)); len(got) != 3 {
		t.Errorf("got %d messages, want 3", len(got))
	}
}

// Some SDKs, and some applications, make the queue's URL the endpoint of all its requests.
func TestSQSQueueURLAsEndpoint(t *testing.T) {
	t.Parallel()
	srv := start(t)
	url := createQueue(t, srv.sqs(), "orders")
	client := srv.sqs(func(o *sqs.Options) { o.BaseEndpoint = &url })
	send(t, client, url, "hello")
	messages := receive(t, client, url)
	if len(messages) != 1 {
		t.Fatalf("got %d messages, want 1", len(messages))
	}
	deleteMessage(t, client, url, messages[0])
	wantCounts(t, srv.sqs(), url, 0, 0, 0)
}

func TestSQSAccountsAndRegionsAreApart(t *testing.T) {
	t.Parallel()
	srv := start(t)
	clients := map[string]*sqs.Client{
		"default": srv.sqs(),
		"account": srv.sqs(func(o *sqs.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider("111122223333", "test", "")
		}),
		"region": srv.sqs(func(o *sqs.Options) { o.Region = "eu-central-1" }),
	}
	for name, client := range clients {
		createQueue(t, client, "orders")
		createQueue(t, client, "only-"+name)
	}
	for name, client := range clients {
		out, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
		if err != nil {
			t.Fatalf("list queues: %v", err)
		}
		account := "000000000000"
		if name == "account" {
			account = "111122223333"
		}
		want := []string{account + "/only-" + name, account + "/orders"}
		var got []string
		for _, url := range out.QueueUrls {
			got = append(got, strings.TrimPrefix(url, srv.url+"/"))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got queues %v, want %v", name, got, want)
		}
	}
}

func TestSQSListQueues(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	list := func(prefix string) []string {
		out, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: &prefix})
		if err != nil {
			t.Fatalf("list queues: %v", err)
		}
		return out.QueueUrls
	}
	if got := list(""); len(got) != 0 {
		t.Errorf("got %v of no queues", got)
	}
	second, first, other := createQueue(t, client, "orders-2"), createQueue(t, client, "orders-1"), createQueue(t, client, "bills")
	tests := map[string][]string{"": {other, first, second}, "orders": {first, second}, "orders-2": {second}, "Orders": nil}
	for prefix, want := range tests {
		if got := list(prefix); !slices.Equal(got, want) {
			t.Errorf("prefix %q: got %v, want %v", prefix, got, want)
		}
	}
}

func TestSQSListQueuesInPages(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	var want []string
	for n := range 5 {
		want = append(want, createQueue(t, client, fmt.Sprintf("orders-%d", n)))
	}
	for size, pages := range map[int32]int{1: 5, 2: 3, 4: 2, 5: 1, 1000: 1} {
		var got []string
		count := 0
		pager := sqs.NewListQueuesPaginator(client, &sqs.ListQueuesInput{MaxResults: aws.Int32(size)})
		for pager.HasMorePages() {
			page, err := pager.NextPage(t.Context())
			if err != nil {
				t.Fatalf("pages of %d: %v", size, err)
			}
			got = append(got, page.QueueUrls...)
			count++
		}
		if !slices.Equal(got, want) || count != pages {
			t.Errorf("pages of %d: got %d pages with %v, want %d with %v", size, count, got, pages, want)
		}
	}
}

func TestSQSDeleteQueue(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders", "VisibilityTimeout", "10")
	send(t, client, url, "hello")
	if _, err := client.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &url}); err != nil {
		t.Fatalf("delete queue: %v", err)
	}
	_, err := client.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &url})
	wantError[*types.QueueDoesNotExist](t, err, "AWS.SimpleQueueService.NonExistentQueue")
	createQueue(t, client, "orders", "VisibilityTimeout", "20")
	if got := receive(t, client, url); len(got) != 0 {
		t.Errorf("a queue created again has %d messages of the deleted one", len(got))
	}
}

func TestSQSQueueAttributeDefaults(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	want := map[string]string{
		"DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600",
		"ReceiveMessageWaitTimeSeconds": "0", "VisibilityTimeout": "30", "SqsManagedSseEnabled": "true",
		"QueueArn":                    "arn:aws:sqs:us-east-1:000000000000:orders",
		"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
	}
	got := attributes(t, client, url, types.QueueAttributeNameAll)
	for _, name := range []string{"CreatedTimestamp", "LastModifiedTimestamp"} {
		if len(got[name]) != 10 {
			t.Errorf("%s is %q, want seconds since 1970", name, got[name])
		}
		delete(got, name)
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := attributes(t, client, url); len(got) != 0 {
		t.Errorf("got %v when no attribute was asked for", got)
	}
	if got := attributes(t, client, url, "VisibilityTimeout", "RedrivePolicy"); !maps.Equal(got, map[string]string{"VisibilityTimeout": "30"}) {
		t.Errorf("got %v of a set attribute and an unset one", got)
	}
}

func TestSQSQueueAttributeBounds(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	for name, bounds := range map[string][2]int{
		"DelaySeconds":                  {0, 900},
		"MaximumMessageSize":            {1024, 1048576},
		"MessageRetentionPeriod":        {60, 1209600},
		"ReceiveMessageWaitTimeSeconds": {0, 20},
		"VisibilityTimeout":             {0, 43200},
	} {
		for _, value := range bounds {
			setAttribute(t, client, url, name, fmt.Sprint(value))
			if got := attributes(t, client, url, types.QueueAttributeName(name))[name]; got != fmt.Sprint(value) {
				t.Errorf("%s: got %s, want %d", name, got, value)
			}
		}
		for _, value := range []string{fmt.Sprint(bounds[0] - 1), fmt.Sprint(bounds[1] + 1), "many", ""} {
			_, err := client.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
				QueueUrl: &url, Attributes: map[string]string{name: value},
			})
			wantError[*types.InvalidAttributeValue](t, err, "InvalidAttributeValue")
		}
	}
}

func setAttribute(t *testing.T, client *sqs.Client, url, name, value string) {
	t.Helper()
	_, err := client.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl: &url, Attributes: map[string]string{name: value},
	})
	if err != nil {
		t.Fatalf("set %s to %s: %v", name, value, err)
	}
}

func TestSQSUnknownQueueAttributes(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	for _, name := range []string{"Colour", "QueueArn", "CreatedTimestamp", "ApproximateNumberOfMessages"} {
		set := map[string]string{name: "1", "VisibilityTimeout": "10"}
		_, err := client.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: set})
		wantError[*types.InvalidAttributeName](t, err, "InvalidAttributeName")
		_, err = client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("other"), Attributes: set})
		wantError[*types.InvalidAttributeName](t, err, "InvalidAttributeName")
	}
	if got := attributes(t, client, url, "VisibilityTimeout")["VisibilityTimeout"]; got != "30" {
		t.Errorf("a refused request has set VisibilityTimeout to %s", got)
	}
	_, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"Colour"}})
	wantError[*types.InvalidAttributeName](t, err, "InvalidAttributeName")
}

func TestSQSPurgeQueue(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	send(t, client, url, "visible")
	send(t, client, url, "in flight")
	received := receive(t, client, url)
	send(t, client, url, "delayed", func(in *sqs.SendMessageInput) { in.DelaySeconds = 60 })
	wantCounts(t, client, url, 1, 1, 1)
	if _, err := client.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url}); err != nil {
		t.Fatalf("purge: %v", err)
	}
	wantCounts(t, client, url, 0, 0, 0)
	deleteMessage(t, client, url, received[0]) // of before the purge: gone, and no error
	send(t, client, url, "after")
	if got := receive(t, client, url); len(got) != 1 || *got[0].Body != "after" {
		t.Errorf("got %d messages after the purge, want the one sent then", len(got))
	}
}

func TestSQSDeleteQueueEndsItsLongPolls(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	polls := make(chan error, 1)
	go func() {
		_, err := client.ReceiveMessage(context.WithoutCancel(t.Context()), &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
		polls <- err
	}()
	if _, err := client.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &url}); err != nil {
		t.Fatalf("delete queue: %v", err)
	}
	within(t, polls, "the poll of a deleted queue") // empty or QueueDoesNotExist: SQS's own answer is unknown
}
