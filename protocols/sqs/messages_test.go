package sqs

import (
	"crypto/md5" // #nosec G501 -- what SDKs check
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

func md5Of(s string) string {
	sum := md5.Sum([]byte(s)) // #nosec G401
	return hex.EncodeToString(sum[:])
}

// Bodies come back byte for byte on either wire, with their MD5.
func TestBodiesComeBack(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"plain":          "hello",
		"lines":          "a\r\nb\rc\nd\te",
		"markup":         `<a href="x">&amp;]]></a>`,
		"JSON":           `{"a":"b\\c"}`,
		"not ASCII":      "größer \U0001f600 \u2028 \uFFFD",
		"edges":          "\u0020\uD7FF\uE000\uFFFD\U00010000\U0010FFFF",
		"plus and blank": "a+b c%20d",
		"blanks":         "  ",
	}
	f := start(t)
	f.orders(t)
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			if got := f.ok(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":`+quote(body)+`}`)["MD5OfMessageBody"]; got != md5Of(body) {
				t.Errorf("got MD5 %v of the body sent in JSON", got)
			}
			if got := f.query(t, "SendMessage", parametersOf("QueueUrl", "orders", "MessageBody", body)); !strings.Contains(got.body, md5Of(body)) {
				t.Errorf("got %s for the body sent in a form", got.body)
			}
			for range 2 {
				messages := f.receive(t, `,"VisibilityTimeout":0`)
				if len(messages) != 1 || messages[0]["Body"] != body || messages[0]["MD5OfBody"] != md5Of(body) {
					t.Errorf("got %q in JSON, want %q", messages, body)
				}
				var received struct {
					Message struct{ Body, MD5OfBody, ReceiptHandle string } `xml:"ReceiveMessageResult>Message"`
				}
				if err := xml.Unmarshal([]byte(f.query(t, "ReceiveMessage", "QueueUrl=orders").body), &received); err != nil {
					t.Fatal(err)
				}
				if m := received.Message; m.Body != body || m.MD5OfBody != md5Of(body) {
					t.Errorf("got %q in XML, want %q", m, body)
				}
				f.ok(t, "DeleteMessage", `{"QueueUrl":"orders","ReceiptHandle":`+quote(received.Message.ReceiptHandle)+`}`)
			}
		})
	}
}

// What other protocols sent is shown as text that SQS can carry.
func TestBodiesOfOtherProtocols(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		form core.BodyForm
		want string
	}{
		"text":                     {"grüße", core.FormRaw, "grüße"},
		"text that was encoded":    {base64.StdEncoding.EncodeToString([]byte("grüße")), core.FormBase64, "grüße"},
		"bytes that were encoded":  {"AAH/", core.FormBase64, "AAH/"},
		"bytes":                    {"\x00\x01\xff", core.FormText, "AAH/"},
		"a character that is none": {"\uFFFE", core.FormText, base64.StdEncoding.EncodeToString([]byte("\uFFFE"))},
		"nothing":                  {"", core.FormText, ""},
	}
	f := start(t)
	f.orders(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := core.SendInput{Queue: pgtest.Name("orders"), Messages: []core.NewMessage{{Body: []byte(tt.body), Form: tt.form}}}
			if _, err := f.broker.SendMessages(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			messages := f.receive(t, "")
			if len(messages) != 1 || messages[0]["Body"] != tt.want || messages[0]["MD5OfBody"] != md5Of(tt.want) {
				t.Errorf("got %q, want %q", messages, tt.want)
			}
		})
	}
}

func TestSendMessageRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.ok(t, "CreateQueue", `{"QueueName":"orders","Attributes":{"MaximumMessageSize":"1024"}}`)
	x := func(n int) string { return strings.Repeat("x", n) }
	attributes := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`"a%d":{"DataType":"String","StringValue":"v"}`, i))
		}
		return strings.Join(list, ",")
	}
	const body, tooLong = `"MessageBody":"x"`, "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."
	const group = "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length."
	ok := wireError{}
	tests := map[string]struct {
		members string
		want    wireError
		message string
	}{
		"no body":                  {``, missingParameter, "The request must contain the parameter MessageBody."},
		"an empty body":            {`"MessageBody":""`, missingParameter, ""},
		"at the size":              {`"MessageBody":"` + x(1024) + `"`, ok, ""},
		"above the size":           {`"MessageBody":"` + x(1025) + `"`, invalidParameter, tooLong},
		"in bytes":                 {`"MessageBody":"` + strings.Repeat("ä", 513) + `"`, invalidParameter, tooLong},
		"at the size, attributes":  {`"MessageBody":"` + x(1015) + `","MessageAttributes":{"nn":{"DataType":"String","StringValue":"v"}}`, ok, ""},
		"above it, attributes":     {`"MessageBody":"` + x(1016) + `","MessageAttributes":{"nn":{"DataType":"String","StringValue":"v"}}`, invalidParameter, tooLong},
		"at the size, bytes":       {`"MessageBody":"` + x(1013) + `","MessageAttributes":{"nn":{"DataType":"Binary","BinaryValue":"AAH/"}}`, ok, ""},
		"size before characters":   {`"MessageBody":"` + x(1024) + `\u0000"`, invalidParameter, tooLong},
		"a control character":      {`"MessageBody":"a\u0000"`, invalidContents, ""},
		"another one":              {`"MessageBody":"a\u000b"`, invalidContents, ""},
		"half a pair":              {`"MessageBody":"\ud83d"`, invalidContents, ""},
		"no character":             {`"MessageBody":"\uffff"`, invalidContents, ""},
		"not UTF-8":                {"\"MessageBody\":\"\xff\"", invalidContents, ""},
		"delay":                    {body + `,"DelaySeconds":900`, ok, ""},
		"delay above":              {body + `,"DelaySeconds":901`, invalidParameter, "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."},
		"delay below":              {body + `,"DelaySeconds":-1`, invalidParameter, ""},
		"delay far above":          {body + `,"DelaySeconds":99999999999`, invalidParameter, "Value 99999999999 for parameter DelaySeconds is invalid. Reason: it is not a 32-bit integer."},
		"no delay":                 {body + `,"DelaySeconds":true`, malformedRequest, ""},
		"a group":                  {body + `,"MessageGroupId":"!~"`, ok, ""},
		"a long group":             {body + `,"MessageGroupId":"` + x(128) + `"`, ok, ""},
		"a group too long":         {body + `,"MessageGroupId":"` + x(129) + `"`, invalidParameter, "Value " + x(129) + " for parameter MessageGroupId is invalid. Reason: " + group},
		"an empty group":           {body + `,"MessageGroupId":""`, invalidParameter, "Value  for parameter MessageGroupId is invalid. Reason: " + group},
		"a blank in a group":       {body + `,"MessageGroupId":"a b"`, invalidParameter, ""},
		"deduplication":            {body + `,"MessageDeduplicationId":"a"`, invalidParameter, "Value a for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for this queue type"},
		"a bad deduplication":      {body + `,"MessageDeduplicationId":""`, invalidParameter, ""},
		"ten attributes":           {body + `,"MessageAttributes":{` + attributes(10) + `}`, ok, ""},
		"eleven attributes":        {body + `,"MessageAttributes":{` + attributes(11) + `}`, invalidParameter, "Number of message attributes [11] exceeds the allowed maximum [10]."},
		"a system attribute":       {body + `,"MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"x"}}`, ok, ""},
		"a system attribute apart": {body + `,"MessageSystemAttributes":{"SenderId":{"DataType":"String","StringValue":"x"}}`, invalidParameter, ""},
		"its type":                 {body + `,"MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"Number","StringValue":"1"}}`, invalidParameter, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			members := `"QueueUrl":"orders"`
			if tt.members != "" {
				members += "," + tt.members
			}
			got := f.json(t, "SendMessage", `{`+members+`}`)
			if tt.want == ok {
				if got.status != http.StatusOK {
					t.Errorf("got %d %s", got.status, got.body)
				}
				return
			}
			got.wantFault(t, tt.want, tt.message)
		})
	}
}

func TestMessageAttributesRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	const value = `{"DataType":"String","StringValue":"v"}`
	ok := wireError{}
	tests := map[string]struct {
		attributes string
		want       wireError
	}{
		"name of 256":              {`"` + strings.Repeat("x", 256) + `":` + value, ok},
		"name of 257":              {`"` + strings.Repeat("x", 257) + `":` + value, invalidParameter},
		"no name":                  {`"":` + value, invalidParameter},
		"letters of any kind":      {`"attr.1øßä_-":` + value, ok},
		"a blank":                  {`"a b":` + value, invalidParameter},
		"reserved":                 {`"AWS.x":` + value, invalidParameter},
		"reserved, in any case":    {`"amaZon.x":` + value, invalidParameter},
		"not reserved":             {`"AWSx":` + value, ok},
		"a dot before":             {`".a":` + value, invalidParameter},
		"a dot behind":             {`"a.":` + value, invalidParameter},
		"two dots":                 {`"a..b":` + value, invalidParameter},
		"twice":                    {`"a":` + value + `,"a":` + value, invalidParameter},
		"null":                     {`"a":null`, invalidParameter},
		"no type":                  {`"a":{"StringValue":"v"}`, invalidParameter},
		"unknown type":             {`"a":{"DataType":"Text","StringValue":"v"}`, invalidParameter},
		"a type's beginning":       {`"a":{"DataType":"Stringy","StringValue":"v"}`, invalidParameter},
		"a label":                  {`"a":{"DataType":"String.a.b","StringValue":"v"}`, ok},
		"a type of 257":            {`"a":{"DataType":"String.` + strings.Repeat("x", 250) + `","StringValue":"v"}`, invalidParameter},
		"no value":                 {`"a":{"DataType":"String"}`, invalidParameter},
		"an empty value":           {`"a":{"DataType":"String","StringValue":""}`, invalidParameter},
		"empty bytes":              {`"a":{"DataType":"Binary","BinaryValue":""}`, invalidParameter},
		"text for bytes":           {`"a":{"DataType":"Binary","StringValue":"v"}`, invalidParameter},
		"not base64":               {`"a":{"DataType":"Binary","BinaryValue":"v"}`, invalidParameter},
		"characters":               {`"a":{"DataType":"String","StringValue":"\u0001"}`, invalidParameter},
		"half a pair":              {`"a":{"DataType":"String","StringValue":"\ud83d"}`, invalidParameter},
		"half a pair, a number":    {`"a":{"DataType":"Number","StringValue":"1\ud83d"}`, invalidParameter},
		"not UTF-8":                {"\"a\":{\"DataType\":\"String\",\"StringValue\":\"\xff\"}", invalidParameter},
		"a list":                   {`"a":{"DataType":"String","StringListValues":["v"]}`, unsupportedOperation},
		"empty lists":              {`"a":{"DataType":"String","StringValue":"v","StringListValues":[],"BinaryListValues":[]}`, ok},
		"a whole number":           {`"a":{"DataType":"Number","StringValue":"-0012"}`, ok},
		"the largest number":       {`"a":{"DataType":"Number","StringValue":"1e+126"}`, ok},
		"a larger number":          {`"a":{"DataType":"Number","StringValue":"1.1e126"}`, invalidParameter},
		"the least number":         {`"a":{"DataType":"Number","StringValue":"-1E128"}`, ok},
		"a lesser number":          {`"a":{"DataType":"Number","StringValue":"-1.1e128"}`, invalidParameter},
		"38 digits":                {`"a":{"DataType":"Number","StringValue":"-0` + strings.Repeat("1", 19) + "." + strings.Repeat("2", 19) + `000"}`, ok},
		"39 digits":                {`"a":{"DataType":"Number","StringValue":"` + strings.Repeat("1", 20) + "." + strings.Repeat("2", 19) + `"}`, invalidParameter},
		"a number that is none":    {`"a":{"DataType":"Number","StringValue":"12a"}`, invalidParameter},
		"infinity":                 {`"a":{"DataType":"Number","StringValue":"inf"}`, invalidParameter},
		"hexadecimal":              {`"a":{"DataType":"Number.int","StringValue":"0x1p-2"}`, invalidParameter},
		"a number with two points": {`"a":{"DataType":"Number","StringValue":"1.2.3"}`, invalidParameter},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := f.json(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":"x","MessageAttributes":{`+tt.attributes+`}}`)
			if tt.want == ok {
				if got.status != http.StatusOK {
					t.Errorf("got %d %s", got.status, got.body)
				}
				return
			}
			got.wantFault(t, tt.want, "")
		})
	}
	f.json(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":"x","MessageAttributes":{"ErrorDetails":{"DataType":"String","StringValue":""}}}`).
		wantFault(t, invalidParameter, "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.")
}

// Which attributes a receive shows, and that the digest is of those (specs/sqs.md 6.2).
func TestMessageAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sent := f.query(t, "SendMessage", parametersOf("QueueUrl", "orders", "MessageBody", "x",
		"MessageAttribute.1.Name", "Hello", "MessageAttribute.1.Value.DataType", "String", "MessageAttribute.1.Value.StringValue", "There",
		"MessageAttribute.2.Name", "General", "MessageAttribute.2.Value.DataType", "String", "MessageAttribute.2.Value.StringValue", "Kenobi",
		"MessageAttribute.3.Name", "Help.Me", "MessageAttribute.3.Value.DataType", "String", "MessageAttribute.3.Value.StringValue", "Me"))
	const ofAll, ofTwo, ofHello = "4c360f3fdafd970e05fae2f149d997f5", "fca026605781cb4126a1e9044df24232", "a311262e065454b75da111d535b8dacd"
	if !strings.Contains(sent.body, "<MD5OfMessageAttributes>"+ofAll+"<") {
		t.Errorf("got %s", sent.body)
	}
	tests := map[string]struct {
		names string
		want  []string
		md5   string
	}{
		"none":                {``, nil, ""},
		"All":                 {`"All"`, []string{"General", "Hello", "Help.Me"}, ofAll},
		"star":                {`"*"`, []string{"General", "Hello", "Help.Me"}, ofAll},
		"dot star":            {`".*"`, []string{"General", "Hello", "Help.Me"}, ofAll},
		"one":                 {`"Hello"`, []string{"Hello"}, ofHello},
		"two":                 {`"Hello","General"`, []string{"General", "Hello"}, ofTwo},
		"a beginning":         {`"Hel.*"`, []string{"Hello", "Help.Me"}, ""},
		"a beginning and one": {`"Help.*","Hello","General"`, []string{"General", "Hello", "Help.Me"}, ofAll},
		"another case":        {`"hello"`, nil, ""},
		"names that are none": {`"AWS.","..foo","nothing"`, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			messages := f.receive(t, `,"VisibilityTimeout":0,"MessageAttributeNames":[`+tt.names+`]`)
			if len(messages) != 1 {
				t.Fatalf("got %d messages", len(messages))
			}
			shown, _ := messages[0]["MessageAttributes"].(map[string]any)
			var names []string
			for name := range shown {
				names = append(names, name)
			}
			slices.Sort(names)
			digest, has := messages[0]["MD5OfMessageAttributes"]
			if !slices.Equal(names, tt.want) || has != (len(tt.want) > 0) || tt.md5 != "" && digest != tt.md5 {
				t.Errorf("got %v with digest %v, want %v with %v", names, digest, tt.want, tt.md5)
			}
		})
	}
}

func TestMessageAttributesComeBack(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	const attributes = `{"b":{"DataType":"Binary.png","BinaryValue":"AAH/"},"n":{"DataType":"Number.int","StringValue":"0012"},"s":{"DataType":"String","StringValue":"a\r\n<\""}}`
	f.ok(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":"x","MessageAttributes":`+attributes+`}`)
	got := f.json(t, "ReceiveMessage", `{"QueueUrl":"orders","VisibilityTimeout":0,"MessageAttributeNames":["All"]}`)
	if !strings.Contains(got.body, `"MessageAttributes":`+attributes) {
		t.Errorf("got %s", got.body)
	}
	got = f.query(t, "ReceiveMessage", "QueueUrl=orders&MessageAttributeName.1=All")
	if want := `<MessageAttribute><Name>b</Name><Value><DataType>Binary.png</DataType><BinaryValue>AAH/</BinaryValue></Value></MessageAttribute>` +
		`<MessageAttribute><Name>n</Name><Value><DataType>Number.int</DataType><StringValue>0012</StringValue></Value></MessageAttribute>` +
		`<MessageAttribute><Name>s</Name><Value><DataType>String</DataType><StringValue>a&#xD;` + "\n" + `&lt;&quot;</StringValue></Value></MessageAttribute>`; !strings.Contains(got.body, want) {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
}

func TestSystemAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	const trace, ofTrace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", "5ae4d5d7636402d80f4eb6d213245a88"
	before := time.Now().Add(-time.Minute).UnixMilli()
	sent := f.ok(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":"x","MessageGroupId":"g","MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"`+trace+`"}}}`,
		"X-Amzn-Trace-Id", "Root=other")
	if sent["MD5OfMessageSystemAttributes"] != ofTrace || sent["MD5OfMessageAttributes"] != nil {
		t.Errorf("got %v", sent)
	}
	tests := map[string]struct {
		members string
		want    []string
	}{
		"none":              {``, nil},
		"by the old list":   {`,"AttributeNames":["SenderId","ApproximateReceiveCount"]`, []string{"ApproximateReceiveCount", "SenderId"}},
		"by the new list":   {`,"MessageSystemAttributeNames":["AWSTraceHeader"]`, []string{"AWSTraceHeader"}},
		"by both":           {`,"AttributeNames":["SenderId"],"MessageSystemAttributeNames":["MessageGroupId"]`, []string{"MessageGroupId", "SenderId"}},
		"of queues":         {`,"AttributeNames":["QueueArn","Policy"]`, nil},
		"of FIFO queues":    {`,"AttributeNames":["SequenceNumber","MessageDeduplicationId","DeadLetterQueueSourceArn"]`, nil},
		"All, the old list": {`,"AttributeNames":["All"]`, allSystemAttributes},
		"All, the new list": {`,"MessageSystemAttributeNames":["All"]`, allSystemAttributes},
	}
	received := 0
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			messages := f.receive(t, `,"VisibilityTimeout":0`+tt.members)
			received++
			if len(messages) != 1 {
				t.Fatalf("got %d messages", len(messages))
			}
			shown, _ := messages[0]["Attributes"].(map[string]any)
			var names []string
			for name := range shown {
				names = append(names, name)
			}
			slices.Sort(names)
			if !slices.Equal(names, tt.want) {
				t.Fatalf("got %v, want %v", names, tt.want)
			}
			for name, want := range map[string]string{"AWSTraceHeader": trace, "MessageGroupId": "g", "SenderId": "000000000000", "ApproximateReceiveCount": strconv.Itoa(received)} {
				if value, has := shown[name]; has && value != want {
					t.Errorf("got %s %q, want %q", name, value, want)
				}
			}
			for _, name := range []string{"SentTimestamp", "ApproximateFirstReceiveTimestamp"} {
				if value, has := shown[name]; has {
					if n, err := strconv.ParseInt(value.(string), 10, 64); err != nil || n < before || n > before+10*60_000 {
						t.Errorf("got %s %q, want milliseconds of now", name, value)
					}
				}
			}
		})
	}
}

var allSystemAttributes = []string{"AWSTraceHeader", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "MessageGroupId", "SenderId", "SentTimestamp"}

// The trace of the request is the message's, in a batch every message's that has none of its own.
func TestTraceHeaderOfTheRequest(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sent := f.ok(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":"1"}`, "X-Amzn-Trace-Id", "Root=request")
	if sent["MD5OfMessageSystemAttributes"] != nil {
		t.Errorf("got %v: the request had no system attributes", sent)
	}
	f.ok(t, "SendMessageBatch", `{"QueueUrl":"orders","Entries":[{"Id":"2","MessageBody":"2"},{"Id":"3","MessageBody":"3","MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=own"}}}]}`,
		"X-Amzn-Trace-Id", "Root=request")
	f.ok(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":"4"}`, "X-Amzn-Trace-Id", strings.Repeat("x", maxTraceHeader+1))
	got := map[string]any{}
	for _, m := range f.receive(t, `,"MaxNumberOfMessages":10,"AttributeNames":["AWSTraceHeader"]`) {
		attributes, _ := m["Attributes"].(map[string]any)
		got[m["Body"].(string)] = attributes["AWSTraceHeader"]
	}
	want := map[string]any{"1": "Root=request", "2": "Root=request", "3": "Root=own", "4": nil}
	for body, trace := range want {
		if got[body] != trace {
			t.Errorf("message %s: got trace %v, want %v", body, got[body], trace)
		}
	}
}

func TestReceiveMessageBounds(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	tests := map[string]string{
		`"MaxNumberOfMessages":0`:     "Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
		`"MaxNumberOfMessages":11`:    "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
		`"WaitTimeSeconds":21`:        "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
		`"WaitTimeSeconds":-1`:        "Value -1 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
		`"VisibilityTimeout":43201`:   "",
		`"VisibilityTimeout":-1`:      "",
		`"WaitTimeSeconds":"forever"`: "Value forever for parameter WaitTimeSeconds is invalid. Reason: it is not a 32-bit integer.",
	}
	for member, message := range tests {
		f.json(t, "ReceiveMessage", `{"QueueUrl":"orders",`+member+`}`).wantFault(t, invalidParameter, message)
	}
	f.query(t, "ReceiveMessage", "QueueUrl=orders&MaxNumberOfMessages=x").wantQueryFault(t, invalidParameter, "Value x for parameter MaxNumberOfMessages is invalid. Reason: it is not a 32-bit integer.")
	f.ok(t, "ReceiveMessage", `{"QueueUrl":"orders","MaxNumberOfMessages":10,"WaitTimeSeconds":0,"VisibilityTimeout":43200,"ReceiveRequestAttemptId":"a"}`)
}

// The queue's own wait applies when a receive names none, and a wait of 0 overrides it.
func TestReceiveWaits(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.ok(t, "CreateQueue", `{"QueueName":"orders","Attributes":{"ReceiveMessageWaitTimeSeconds":"20"}}`)
	began := time.Now()
	if got := f.receive(t, `,"WaitTimeSeconds":0`); len(got) != 0 || time.Since(began) > 10*time.Second {
		t.Errorf("got %v after %v", got, time.Since(began))
	}
	received := make(chan []map[string]any)
	go func() { received <- f.receive(t, "") }()
	f.send(t, "hello")
	if got := <-received; len(got) != 1 {
		t.Errorf("got %v from a long poll", got)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the long poll took %v though a message came", took)
	}
}

func TestReceiptHandles(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.ok(t, "CreateQueue", `{"QueueName":"returns"}`)
	f.send(t, "a")
	first := f.receive(t, `,"VisibilityTimeout":0`)[0]["ReceiptHandle"].(string)
	second := f.receive(t, "")[0]["ReceiptHandle"].(string)
	if first == second {
		t.Error("two receives gave the same handle")
	}
	call := func(action, queue, handle, more string) reply {
		return f.json(t, action, `{"QueueUrl":"`+queue+`","ReceiptHandle":`+quote(handle)+more+`}`)
	}
	const timeout = `,"VisibilityTimeout":0`
	for action, more := range map[string]string{"DeleteMessage": "", "ChangeMessageVisibility": timeout} {
		call(action, "orders", `no "handle" ä`, more).wantFault(t, receiptHandle, `The input receipt handle "no "handle" ä" is not a valid receipt handle.`)
		call(action, "orders", strings.Repeat("x", 5000), more).wantFault(t, receiptHandle, "")
		call(action, "orders", "a\x00", more).wantFault(t, receiptHandle, "")
		call(action, "returns", second, more).wantFault(t, receiptHandle, "")
		call(action, "orders", "", more).wantFault(t, missingParameter, "The request must contain the parameter ReceiptHandle.")
	}
	call("ChangeMessageVisibility", "orders", second, "").wantFault(t, missingParameter, "The request must contain the parameter VisibilityTimeout.")
	call("ChangeMessageVisibility", "orders", second, `,"VisibilityTimeout":43201`).wantFault(t, invalidParameter, "")
	call("ChangeMessageVisibility", "orders", second, `,"VisibilityTimeout":-1`).wantFault(t, invalidParameter, "")

	if got := call("DeleteMessage", "orders", first, ""); got.status != http.StatusOK || got.body != "{}" {
		t.Errorf("an older handle: got %d %s", got.status, got.body)
	}
	if got := call("DeleteMessage", "orders", second, ""); got.status != http.StatusOK {
		t.Errorf("a message that is gone: got %d %s", got.status, got.body)
	}
	call("ChangeMessageVisibility", "orders", second, timeout).wantFault(t, invalidParameter,
		"Value "+second+" for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.")
}

func TestChangeMessageVisibility(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.send(t, "a")
	handle := f.receive(t, "")[0]["ReceiptHandle"].(string)
	change := func(timeout string) reply {
		return f.json(t, "ChangeMessageVisibility", `{"QueueUrl":"orders","ReceiptHandle":"`+handle+`","VisibilityTimeout":`+timeout+`}`)
	}
	pgtest.Advance(t, f.broker, 10*time.Second)
	change("43195").wantFault(t, invalidParameter, "Value 43195 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
	if got := change("43185"); got.status != http.StatusOK || got.body != "{}" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	pgtest.Advance(t, f.broker, time.Hour)
	if got := f.receive(t, ""); len(got) != 0 {
		t.Errorf("got %v before the new timeout", got)
	}
	if got := change("0"); got.status != http.StatusOK {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := change("30"); got.status != http.StatusOK { // visible already: stays so, without an error
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := f.receive(t, ""); len(got) != 1 {
		t.Errorf("got %v though the message was made visible", got)
	}
}
