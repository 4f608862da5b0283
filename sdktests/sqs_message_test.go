package sdktests

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/polymq/polymq/cmd/polymq/polymqtest"
)

func send(t *testing.T, client *sqs.Client, url, body string, options ...func(*sqs.SendMessageInput)) *sqs.SendMessageOutput {
	t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}
	for _, option := range options {
		option(in)
	}
	out, err := client.SendMessage(t.Context(), in)
	if err != nil {
		t.Fatalf("send: %v", err)
	}
	return out
}

// receive asks for one message and does not wait, unless an option says otherwise.
func receive(t *testing.T, client *sqs.Client, url string, options ...func(*sqs.ReceiveMessageInput)) []types.Message {
	t.Helper()
	in := &sqs.ReceiveMessageInput{QueueUrl: &url}
	for _, option := range options {
		option(in)
	}
	out, err := client.ReceiveMessage(t.Context(), in)
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	return out.Messages
}

func upTo(limit int32) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = limit }
}

func waiting(seconds int32) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = seconds }
}

func deleteMessage(t *testing.T, client *sqs.Client, url string, message types.Message) {
	t.Helper()
	_, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: message.ReceiptHandle})
	if err != nil {
		t.Fatalf("delete message: %v", err)
	}
}

func changeVisibility(t *testing.T, client *sqs.Client, url string, message types.Message, timeout int32) {
	t.Helper()
	_, err := client.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &url, ReceiptHandle: message.ReceiptHandle, VisibilityTimeout: timeout,
	})
	if err != nil {
		t.Fatalf("change visibility: %v", err)
	}
}

// entries gives a batch of n messages to send.
func entries(n int) []types.SendMessageBatchRequestEntry {
	list := make([]types.SendMessageBatchRequestEntry, n)
	for i := range list {
		list[i] = types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprintf("e%d", i)), MessageBody: aws.String(fmt.Sprintf("body %d", i))}
	}
	return list
}

// within takes what the channel gives soon. Only a test that fails waits so long.
func within[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatalf("%s: nothing within a minute", what)
		panic("unreachable")
	}
}

func text(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
}

func TestSQSSendMessageAnswer(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	out := send(t, client, url, "hello")
	if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(*out.MessageId) {
		t.Errorf("message id %s is not a UUID", *out.MessageId)
	}
	if *out.MD5OfMessageBody != "5d41402abc4b2a76b9719d911017c592" {
		t.Errorf("MD5 of the body is %s", *out.MD5OfMessageBody)
	}
	if out.MD5OfMessageAttributes != nil || out.MD5OfMessageSystemAttributes != nil || out.SequenceNumber != nil {
		t.Errorf("got MD5s of no attributes or a sequence number of no FIFO queue: %+v", out)
	}
}

func TestSQSTextsComeBackAsSent(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	for name, body := range texts {
		sum := md5.Sum([]byte(body))
		out := send(t, client, url, body)
		got := receive(t, client, url)
		if len(got) != 1 || *got[0].Body != body || *got[0].MessageId != *out.MessageId || *got[0].MD5OfBody != hex.EncodeToString(sum[:]) {
			t.Fatalf("%s: got %+v", name, got)
		}
		deleteMessage(t, client, url, got[0])
	}
}

func TestSQSBodyCharacters(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	tests := map[string]struct {
		char rune
		ok   bool
	}{
		"tab": {'\t', true}, "line feed": {'\n', true}, "carriage return": {'\r', true}, "blank": {' ', true},
		"null": {0, false}, "bell": {7, false}, "unit separator": {0x1f, false},
		"last below the surrogates": {0xd7ff, true}, "first above them": {0xe000, true},
		"replacement character": {0xfffd, true}, "U+FFFE": {0xfffe, false}, "U+FFFF": {0xffff, false},
		"first of 4 bytes": {0x10000, true}, "last": {0x10ffff, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x" + string(tt.char))})
			if tt.ok && err != nil {
				t.Errorf("got %v, want none", err)
			}
			if !tt.ok {
				wantError[*types.InvalidMessageContents](t, err, "InvalidMessageContents")
			}
		})
	}
}

func TestSQSMessageSize(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	small, large := createQueue(t, client, "small", "MaximumMessageSize", "1024"), createQueue(t, client, "large")
	attribute := map[string]types.MessageAttributeValue{"name": text("value")} // 4 + 6 + 5 bytes
	tests := map[string]struct {
		url        string
		body       string
		attributes map[string]types.MessageAttributeValue
		code       string
	}{
		"empty":                        {small, "", nil, "MissingParameter"},
		"the queue's maximum":          {small, strings.Repeat("x", 1024), nil, ""},
		"one byte more":                {small, strings.Repeat("x", 1025), nil, "InvalidParameterValue"},
		"bytes count, not characters":  {small, strings.Repeat("ü", 513), nil, "InvalidParameterValue"},
		"attributes count":             {small, strings.Repeat("x", 1009), attribute, ""},
		"attributes count, one more":   {small, strings.Repeat("x", 1010), attribute, "InvalidParameterValue"},
		"one mebibyte":                 {large, strings.Repeat("x", 1<<20), nil, ""},
		"one byte more than the limit": {large, strings.Repeat("x", 1<<20+1), nil, "InvalidParameterValue"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &tt.url, MessageBody: &tt.body, MessageAttributes: tt.attributes})
			if tt.code != "" {
				wantCode(t, err, tt.code)
			} else if err != nil {
				t.Errorf("got %v, want none", err)
			}
		})
	}
	if got := receive(t, client, large); len(got) != 1 || len(*got[0].Body) != 1<<20 {
		t.Errorf("the mebibyte did not come back")
	}
}

func TestSQSMessageAttributes(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	bytes := make([]byte, 256)
	for i := range bytes {
		bytes[i] = byte(i)
	}
	sent := map[string]types.MessageAttributeValue{
		"Hello":   text("There\r\n<&>"),
		"Help.Me": {DataType: aws.String("String.note"), StringValue: aws.String("Me")},
		"price":   {DataType: aws.String("Number"), StringValue: aws.String("99.120")},
		"bytes":   {DataType: aws.String("Binary.gzip"), BinaryValue: bytes},
	}
	out := send(t, client, url, "hello", func(in *sqs.SendMessageInput) { in.MessageAttributes = sent })
	tests := map[string]struct {
		asked []string
		want  []string
	}{
		"none":          {nil, nil},
		"All":           {[]string{"All"}, []string{"Hello", "Help.Me", "bytes", "price"}},
		"a dot star":    {[]string{".*"}, []string{"Hello", "Help.Me", "bytes", "price"}},
		"one":           {[]string{"price"}, []string{"price"}},
		"a prefix":      {[]string{"Hel.*"}, []string{"Hello", "Help.Me"}},
		"one not there": {[]string{"colour"}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := receive(t, client, url, func(in *sqs.ReceiveMessageInput) {
				in.MessageAttributeNames = tt.asked
			})
			if len(got) != 1 {
				t.Fatalf("got %d messages, want 1", len(got))
			}
			defer changeVisibility(t, client, url, got[0], 0)
			if names := slices.Sorted(maps.Keys(got[0].MessageAttributes)); !slices.Equal(names, tt.want) {
				t.Errorf("got attributes %v, want %v", names, tt.want)
			}
			for name, value := range got[0].MessageAttributes {
				if fmt.Sprintf("%+v", dereferenced(value)) != fmt.Sprintf("%+v", dereferenced(sent[name])) {
					t.Errorf("%s: got %+v, want %+v", name, dereferenced(value), dereferenced(sent[name]))
				}
			}
			if len(tt.want) == len(sent) && *got[0].MD5OfMessageAttributes != *out.MD5OfMessageAttributes {
				t.Errorf("got MD5 %s of all attributes, sent %s", *got[0].MD5OfMessageAttributes, *out.MD5OfMessageAttributes)
			}
			if len(tt.want) == 0 && got[0].MD5OfMessageAttributes != nil {
				t.Errorf("got MD5 %s of no attributes", *got[0].MD5OfMessageAttributes)
			}
		})
	}
}

// dereferenced gives an attribute's type, text and bytes.
func dereferenced(v types.MessageAttributeValue) [3]string {
	return [3]string{aws.ToString(v.DataType), aws.ToString(v.StringValue), string(v.BinaryValue)}
}

func TestSQSMD5OfMessageAttributes(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	binary := append([]byte("traceparent\x1e"), "00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01"...)
	for want, attributes := range map[string]map[string]types.MessageAttributeValue{ // recorded answers: specs/sqs.md 5.3
		"4c360f3fdafd970e05fae2f149d997f5": {"Hello": text("There"), "General": text("Kenobi"), "Help.Me": text("Me")},
		"ae7155c6026991b6d54b11589678bf9c": {"Foo": text("Bar")},
		"d302007e9aa062660afc85fd0a482472": {"attr1": {DataType: aws.String("Number"), StringValue: aws.String("99.12")}},
		"8cbe4db156db8a94db8b801b7addb984": {"attr1": {DataType: aws.String("Binary"), BinaryValue: binary}},
	} {
		out := send(t, client, url, "hello", func(in *sqs.SendMessageInput) { in.MessageAttributes = attributes })
		if *out.MD5OfMessageAttributes != want {
			t.Errorf("got MD5 %s of %v, want %s", *out.MD5OfMessageAttributes, slices.Sorted(maps.Keys(attributes)), want)
		}
	}
}

func TestSQSInvalidMessageAttributes(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	eleven := map[string]types.MessageAttributeValue{}
	for n := range 11 {
		eleven[fmt.Sprintf("a%d", n)] = text("x")
	}
	one := func(name, dataType, value string) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{name: {DataType: &dataType, StringValue: &value}}
	}
	for name, attributes := range map[string]map[string]types.MessageAttributeValue{
		"eleven": eleven, "unknown type": one("a", "Text", "x"), "no value": one("a", "String", ""),
		"not a number": one("a", "Number", "many"), "reserved name": one("AWS.a", "String", "x"),
		"two dots": one("a..b", "String", "x"), "dot at the end": one("a.", "String", "x"), "blank in the name": one("a b", "String", "x"),
		"control character": one("a", "String", "\x07"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("hello"), MessageAttributes: attributes})
			wantCode(t, err, "InvalidParameterValue")
		})
	}
	wantCounts(t, client, url, 0, 0, 0)
}

func TestSQSSystemAttributes(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	trace := "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	out := send(t, client, url, "hello", func(in *sqs.SendMessageInput) {
		in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: &trace},
		}
	})
	if got := aws.ToString(out.MD5OfMessageSystemAttributes); got != "5ae4d5d7636402d80f4eb6d213245a88" {
		t.Errorf("got MD5 %s of the system attributes", got)
	}
	all := func(in *sqs.ReceiveMessageInput) {
		in.MessageSystemAttributeNames = []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}
	}
	first := receive(t, client, url, all)[0]
	changeVisibility(t, client, url, first, 0)
	second := receive(t, client, url, all)[0]
	if a := second.Attributes; a["AWSTraceHeader"] != trace || a["ApproximateReceiveCount"] != "2" || a["SenderId"] == "" {
		t.Errorf("got %v", a)
	}
	for _, name := range []string{"SentTimestamp", "ApproximateFirstReceiveTimestamp"} {
		if first.Attributes[name] != second.Attributes[name] || len(first.Attributes[name]) != 13 {
			t.Errorf("%s is %q, then %q, want the same milliseconds twice", name, first.Attributes[name], second.Attributes[name])
		}
	}
}

func TestSQSTraceHeaderOfTheRequest(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	const trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
	_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("hello")},
		sqs.WithAPIOptions(smithyhttp.AddHeaderValue("X-Amzn-Trace-Id", trace)))
	if err != nil {
		t.Fatalf("send: %v", err)
	}
	got := receive(t, client, url, func(in *sqs.ReceiveMessageInput) {
		in.MessageSystemAttributeNames = []types.MessageSystemAttributeName{"AWSTraceHeader"}
	})
	if !maps.Equal(got[0].Attributes, map[string]string{"AWSTraceHeader": trace}) {
		t.Errorf("got system attributes %v", got[0].Attributes)
	}
}

func TestSQSReceiveHidesTheMessage(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		after time.Duration // since a receive that hid the message for 30 s
		want  int
	}{
		"in flight":           {20 * time.Second, 0},
		"back at the timeout": {30 * time.Second, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := start(t)
			client := srv.sqs()
			url := createQueue(t, client, "orders")
			send(t, client, url, "hello")
			if got := len(receive(t, client, url)); got != 1 {
				t.Fatalf("got %d messages at first, want 1", got)
			}
			srv.advance(t, tt.after)
			if got := len(receive(t, client, url)); got != tt.want {
				t.Errorf("got %d messages, want %d", got, tt.want)
			}
		})
	}
}

func TestSQSVisibilityTimeouts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		queue, receive string // seconds; "" is not given
		change         string
		want           time.Duration // how long the message stays hidden
	}{
		"the queue's":            {"60", "", "", 60 * time.Second},
		"the receive's":          {"60", "90", "", 90 * time.Second},
		"changed to a later one": {"60", "", "600", 600 * time.Second},
		"changed to an earlier":  {"60", "", "30", 30 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := start(t)
			client := srv.sqs()
			url := createQueue(t, client, "orders", "VisibilityTimeout", tt.queue)
			send(t, client, url, "hello")
			message := receive(t, client, url, func(in *sqs.ReceiveMessageInput) {
				_, _ = fmt.Sscan(tt.receive, &in.VisibilityTimeout)
			})[0]
			if tt.change != "" {
				var seconds int32
				_, _ = fmt.Sscan(tt.change, &seconds)
				changeVisibility(t, client, url, message, seconds)
			}
			srv.advance(t, tt.want-10*time.Second)
			wantCounts(t, client, url, 0, 1, 0)
			srv.advance(t, 10*time.Second)
			wantCounts(t, client, url, 1, 0, 0)
		})
	}
}

func TestSQSVisibilityTimeoutOfZero(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	send(t, client, url, "hello")
	first := receive(t, client, url)
	changeVisibility(t, client, url, first[0], 0)
	second := receive(t, client, url)
	if len(second) != 1 || *second[0].MessageId != *first[0].MessageId || *second[0].ReceiptHandle == *first[0].ReceiptHandle {
		t.Errorf("got %+v, want the same message with another handle", second)
	}
}

func TestSQSChangeVisibilityOfADeletedMessage(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	send(t, client, url, "hello")
	message := receive(t, client, url)[0]
	deleteMessage(t, client, url, message)
	_, err := client.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: message.ReceiptHandle, VisibilityTimeout: 10})
	wantCode(t, err, "InvalidParameterValue")
}

func TestSQSDeleteMessage(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client := srv.sqs()
	tests := map[string]func(t *testing.T, url string, message types.Message){
		"in flight": func(*testing.T, string, types.Message) {},
		"after its visibility timeout": func(t *testing.T, _ string, _ types.Message) {
			srv.advance(t, time.Minute)
		},
		"with an older handle": func(t *testing.T, url string, message types.Message) {
			changeVisibility(t, client, url, message, 0)
			if len(receive(t, client, url)) != 1 {
				t.Fatal("the message did not come a second time")
			}
		},
		"twice": func(t *testing.T, url string, message types.Message) { deleteMessage(t, client, url, message) },
	}
	n := 0
	for name, before := range tests {
		n++
		t.Run(name, func(t *testing.T) {
			url := createQueue(t, client, fmt.Sprintf("orders-%d", n))
			send(t, client, url, "hello")
			message := receive(t, client, url)[0]
			before(t, url, message)
			deleteMessage(t, client, url, message)
			wantCounts(t, client, url, 0, 0, 0)
		})
	}
}

func TestSQSInvalidReceiptHandles(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url, other := createQueue(t, client, "orders"), createQueue(t, client, "other")
	send(t, client, url, "hello")
	valid := *receive(t, client, url)[0].ReceiptHandle
	middle := len(valid) / 2
	tests := map[string]struct{ url, handle string }{
		"none of ours":    {url, "not-a-handle"},
		"another queue's": {other, valid},
		"changed":         {url, valid[:middle] + map[bool]string{true: "B", false: "A"}[valid[middle] == 'A'] + valid[middle+1:]},
		"cut":             {url, valid[:len(valid)-1]},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &tt.url, ReceiptHandle: &tt.handle})
			wantError[*types.ReceiptHandleIsInvalid](t, err, "ReceiptHandleIsInvalid")
			_, err = client.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &tt.url, ReceiptHandle: &tt.handle})
			wantError[*types.ReceiptHandleIsInvalid](t, err, "ReceiptHandleIsInvalid")
		})
	}
	wantCounts(t, client, url, 0, 1, 0)
}

func TestSQSReceiveNeverGivesMoreThanAsked(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	for range 2 {
		if _, err := client.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries(10)}); err != nil {
			t.Fatalf("send: %v", err)
		}
	}
	seen := map[string]bool{}
	for _, limit := range []int32{1, 10, 9} {
		got := receive(t, client, url, upTo(limit))
		if len(got) != int(limit) {
			t.Errorf("got %d messages, want %d", len(got), limit)
		}
		for _, message := range got {
			seen[*message.MessageId] = true
		}
	}
	if len(seen) != 20 {
		t.Errorf("got %d different messages, want 20", len(seen))
	}
}

func TestSQSReceiveBounds(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	for name, option := range map[string]func(*sqs.ReceiveMessageInput){
		"11 messages":                upTo(11),
		"-1 messages":                upTo(-1),
		"a wait of 21 s":             waiting(21),
		"a wait of -1 s":             waiting(-1),
		"a timeout of 12 h and 1 s":  func(in *sqs.ReceiveMessageInput) { in.VisibilityTimeout = 43201 },
		"a timeout less than zero s": func(in *sqs.ReceiveMessageInput) { in.VisibilityTimeout = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			in := &sqs.ReceiveMessageInput{QueueUrl: &url}
			option(in)
			_, err := client.ReceiveMessage(t.Context(), in)
			wantCode(t, err, "InvalidParameterValue")
		})
	}
}

func TestSQSDelay(t *testing.T) {
	t.Parallel()
	delay := func(seconds int32) func(*sqs.SendMessageInput) {
		return func(in *sqs.SendMessageInput) { in.DelaySeconds = seconds }
	}
	tests := map[string]struct {
		queue  string
		option func(*sqs.SendMessageInput)
		want   time.Duration
	}{
		"the message's":              {"0", delay(900), 900 * time.Second},
		"the queue's":                {"60", func(*sqs.SendMessageInput) {}, 60 * time.Second},
		"the message's, over it":     {"60", delay(90), 90 * time.Second},
		"the message's, shorter one": {"60", delay(30), 30 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := start(t)
			client := srv.sqs()
			url := createQueue(t, client, "orders", "DelaySeconds", tt.queue)
			send(t, client, url, "hello", tt.option)
			srv.advance(t, tt.want-10*time.Second)
			if got := receive(t, client, url); len(got) != 0 {
				t.Errorf("got %d messages before the delay is over", len(got))
			}
			wantCounts(t, client, url, 0, 0, 1)
			srv.advance(t, 10*time.Second)
			wantCounts(t, client, url, 1, 0, 0)
			if got := receive(t, client, url); len(got) != 1 {
				t.Errorf("got %d messages after the delay, want 1", len(got))
			}
		})
	}
}

func TestSQSDelayBounds(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	for _, seconds := range []int32{-1, 901} {
		_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("hello"), DelaySeconds: seconds})
		wantCode(t, err, "InvalidParameterValue")
	}
}

func TestSQSRetention(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client := srv.sqs()
	url := createQueue(t, client, "orders", "MessageRetentionPeriod", "60")
	send(t, client, url, "old")
	srv.advance(t, 50*time.Second)
	send(t, client, url, "young")
	srv.advance(t, 10*time.Second)
	got := receive(t, client, url, upTo(10))
	if len(got) != 1 || *got[0].Body != "young" {
		t.Errorf("got %d messages, want only the young one", len(got))
	}
}

func TestSQSLongPollWakes(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, srv polymq, client *sqs.Client, url string, hidden types.Message){
		"at a send": func(t *testing.T, _ polymq, client *sqs.Client, url string, _ types.Message) {
			send(t, client, url, "hello")
		},
		"at a visibility timeout of zero": func(t *testing.T, _ polymq, client *sqs.Client, url string, hidden types.Message) {
			changeVisibility(t, client, url, hidden, 0)
		},
		"when a visibility timeout passes": func(t *testing.T, _ polymq, client *sqs.Client, url string, hidden types.Message) {
			changeVisibility(t, client, url, hidden, 1)
		},
		"when a delay passes": func(t *testing.T, _ polymq, client *sqs.Client, url string, _ types.Message) {
			send(t, client, url, "hello", func(in *sqs.SendMessageInput) { in.DelaySeconds = 1 })
		},
		"when time is moved": func(t *testing.T, srv polymq, _ *sqs.Client, _ string, _ types.Message) {
			srv.advance(t, time.Minute)
		},
	}
	for name, wake := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := start(t)
			client := srv.sqs()
			url := createQueue(t, client, "orders")
			send(t, client, url, "hello")
			hidden := receive(t, client, url)[0]
			polled := make(chan []types.Message, 1)
			go func() {
				out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
				if err != nil {
					t.Errorf("poll: %v", err)
					out = &sqs.ReceiveMessageOutput{}
				}
				polled <- out.Messages
			}()
			wake(t, srv, client, url, hidden)
			if got := within(t, polled, "the poll"); len(got) != 1 || *got[0].Body != "hello" {
				t.Errorf("got %d messages, want 1", len(got))
			}
		})
	}
}

func TestSQSReceiveOfAClientThatGoesAway(t *testing.T) {
	t.Parallel()
	srv := polymqtest.Start(t)
	waits := func(want int) func() bool { return func() bool { return srv.Broker().Waiting() == want } }
	client := polymq{srv.URL(), accessKey}.sqs()
	url := createQueue(t, client, "orders")
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
		left <- err
	}()
	eventually(t, waits(1))
	began := time.Now()
	leave()
	if err := within(t, left, "the poll"); err == nil {
		t.Error("the poll gave no error")
	}
	eventually(t, waits(0)) // the server may hear of it later than the client
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the poll went on for %v without its client", took)
	}
	send(t, client, url, "hello")
	got := receive(t, client, url, waiting(20), func(in *sqs.ReceiveMessageInput) {
		in.MessageSystemAttributeNames = []types.MessageSystemAttributeName{"ApproximateReceiveCount"}
	})
	if len(got) != 1 || got[0].Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("got %+v, want the message as if nobody had received it", got)
	}
}

func TestSQSEveryMessageGoesToOneReceiver(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	const batches, receivers = 20, 8
	for range batches {
		if _, err := client.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries(10)}); err != nil {
			t.Fatalf("send: %v", err)
		}
	}
	received := make(chan string, 2*batches*10)
	done := make(chan error, receivers)
	for range receivers {
		go func() {
			for {
				out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 3})
				if err != nil || len(out.Messages) == 0 {
					done <- err
					return
				}
				for _, message := range out.Messages {
					received <- *message.MessageId
				}
			}
		}()
	}
	for range receivers {
		if err := <-done; err != nil {
			t.Fatalf("receive: %v", err)
		}
	}
	close(received)
	times := map[string]int{}
	for id := range received {
		times[id]++
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("message %s was received %d times", id, n)
		}
	}
	if len(times) != batches*10 {
		t.Errorf("received %d different messages, want %d", len(times), batches*10)
	}
}

// A tenant with ten thousand messages, and consumers that are slow with each of them, do not delay another one's single message.
func TestSQSFairQueue(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	const batch = 10
	for range 10_000 / batch {
		entries := make([]types.SendMessageBatchRequestEntry, batch)
		for i := range entries {
			entries[i] = types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String("noisy"), MessageGroupId: aws.String("noisy")}
		}
		if out, err := client.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries}); err != nil || len(out.Failed) > 0 {
			t.Fatal(err, out)
		}
	}
	for range 5 { // and nothing is deleted
		if got := receive(t, client, url, upTo(10)); len(got) != 10 {
			t.Fatalf("received %d messages", len(got))
		}
	}
	send(t, client, url, "quiet", inGroup("quiet", ""))
	first := receive(t, client, url, upTo(10), func(in *sqs.ReceiveMessageInput) {
		in.MessageSystemAttributeNames = []types.MessageSystemAttributeName{types.MessageSystemAttributeNameMessageGroupId}
	})
	if len(first) == 0 || *first[0].Body != "quiet" || first[0].Attributes["MessageGroupId"] != "quiet" {
		t.Errorf("received %v, want the quiet group's message first", received(first))
	}
}
