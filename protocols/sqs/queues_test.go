package sqs

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestParseQueueURL(t *testing.T) {
	t.Parallel()
	tests := map[string]queueURL{
		"https://sqs.eu-west-1.amazonaws.com/111122223333/orders":                    {"eu-west-1", "111122223333", "orders"},
		"https://eu-west-1.queue.amazonaws.com/111122223333/orders":                  {"eu-west-1", "111122223333", "orders"},
		"https://queue.amazonaws.com/111122223333/orders":                            {"", "111122223333", "orders"},
		"http://localhost:4566/000000000000/orders":                                  {"", "000000000000", "orders"},
		"http://localhost:4566/queue/eu-west-1/000000000000/orders":                  {"eu-west-1", "000000000000", "orders"},
		"http://sqs.eu-west-1.localhost.localstack.cloud:4566/000000000000/orders":   {"eu-west-1", "000000000000", "orders"},
		"http://eu-west-1.queue.localhost.localstack.cloud:4566/000000000000/orders": {"eu-west-1", "000000000000", "orders"},
		"http://localhost:4566/prefix/eu-west-1/000000000000/orders":                 {"", "000000000000", "orders"},
		"http://localhost:4566/queue/orders":                                         {"", "", "orders"},
		"http://localhost:4566/orders":                                               {"", "", "orders"},
		"http://localhost:4566/000000000000/orders/?Action=SendMessage":              {"", "000000000000", "orders"},
		"/000000000000/orders.fifo":                                                  {"", "000000000000", "orders.fifo"},
		"orders":                                                                     {"", "", "orders"},
		"http://whatever/":                                                           {},
		"http://whatever":                                                            {},
		"/":                                                                          {},
		"":                                                                           {},
	}
	for text, want := range tests {
		if got, ok := parseQueueURL(text); got != want || ok != (want.name != "") {
			t.Errorf("%q: got %+v and %v, want %+v", text, got, ok, want)
		}
	}
}

func TestQueueOfAnotherAccountAndRegion(t *testing.T) {
	t.Parallel()
	f := start(t)
	signature := func(key, region string) []string {
		return []string{"Authorization", "AWS4-HMAC-SHA256 Credential=" + key + "/20260101/" + region + "/sqs/aws4_request, SignedHeaders=host, Signature=00"}
	}
	f.ok(t, "CreateQueue", `{"QueueName":"orders"}`, signature("111122223333", "eu-west-1")...)
	for _, url := range []string{"orders", "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"} {
		f.ok(t, "SendMessage", `{"QueueUrl":"`+url+`","MessageBody":"x"}`, signature("111122223333", "eu-west-1")...)
	}
	f.ok(t, "SendMessage", `{"QueueUrl":"/queue/eu-west-1/111122223333/orders","MessageBody":"x"}`)
	f.json(t, "SendMessage", `{"QueueUrl":"/111122223333/orders","MessageBody":"x"}`, signature("111122223333", "eu-west-2")...).
		wantFault(t, queueDoesNotExist, "The specified queue does not exist.")
	f.ok(t, "GetQueueUrl", `{"QueueName":"orders","QueueOwnerAWSAccountId":"111122223333"}`, signature("test", "eu-west-1")...)
	received := f.ok(t, "ReceiveMessage", `{"QueueUrl":"/111122223333/orders","MaxNumberOfMessages":10,"AttributeNames":["SenderId"]}`, signature("test", "eu-west-1")...)
	var senders []string
	for _, m := range received["Messages"].([]any) {
		senders = append(senders, m.(map[string]any)["Attributes"].(map[string]any)["SenderId"].(string))
	}
	if slices.Sort(senders); !slices.Equal(senders, []string{"000000000000", "111122223333", "111122223333"}) {
		t.Errorf("got senders %v", senders)
	}
}

func TestMissingQueue(t *testing.T) {
	t.Parallel()
	f := start(t)
	for action := range actionTable() {
		switch action {
		case "CreateQueue", "ListQueues", "GetQueueUrl", "CancelMessageMoveTask", "ListMessageMoveTasks", "StartMessageMoveTask":
			continue // name no queue by its URL
		}
		members := `,"ReceiptHandle":"h","VisibilityTimeout":1,"MessageBody":"x"`
		f.json(t, action, `{"QueueUrl":"http://whatever/"`+members+`}`).wantFault(t, queueDoesNotExist, "The specified queue does not exist.")
		f.json(t, action, `{"QueueUrl":"a\u0000b"`+members+`}`).wantFault(t, queueDoesNotExist, "")
		f.json(t, action, `{"QueueUrl":"/000000000000/nothing"`+members+`}`).wantFault(t, queueDoesNotExist, "")
		f.json(t, action, `{}`).wantFault(t, missingParameter, "The request must contain the parameter QueueUrl.")
		f.query(t, action, "QueueUrl=nothing&ReceiptHandle=h&VisibilityTimeout=1").
			wantQueryFault(t, queueDoesNotExist, "The specified queue does not exist for this wsdl version.")
	}
	f.json(t, "GetQueueUrl", `{"QueueName":"nothing"}`).wantFault(t, queueDoesNotExist, "")
	f.json(t, "GetQueueUrl", `{"QueueName":"a b"}`).wantFault(t, queueDoesNotExist, "")
	f.json(t, "GetQueueUrl", `{}`).wantFault(t, missingParameter, "The request must contain the parameter QueueName.")
}

func TestCreateQueueNames(t *testing.T) {
	t.Parallel()
	f := start(t)
	const badName = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
	const badFIFOName = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length"
	tests := map[string]struct {
		name, fifo string
		want       wireError
		message    string
	}{
		"80 characters":         {strings.Repeat("x", 80), "", wireError{}, ""},
		"all that is allowed":   {"aZ09-_", "", wireError{}, ""},
		"81 characters":         {strings.Repeat("x", 81), "", invalidParameter, badName},
		"none":                  {"", "", missingParameter, "The request must contain the parameter QueueName."},
		"a slash":               {"a/b", "", invalidParameter, badName},
		"a dot":                 {"a.b", "", invalidParameter, badName},
		"not ASCII":             {"größe", "", invalidParameter, badName},
		"suffix without type":   {"a.fifo", "", invalidParameter, badName},
		"type without suffix":   {"a", "true", invalidParameter, badFIFOName},
		"suffix alone":          {".fifo", "true", invalidParameter, badFIFOName},
		"FIFO":                  {"a.fifo", "true", wireError{}, ""},
		"FIFO, 80 characters":   {strings.Repeat("x", 75) + ".fifo", "True", wireError{}, ""},
		"FIFO, 81 characters":   {strings.Repeat("x", 76) + ".fifo", "true", invalidParameter, badFIFOName},
		"explicitly standard":   {"a", "false", invalidAttribute, "Unknown Attribute FifoQueue."},
		"a type that is none":   {"a", "yes", invalidValue, "Invalid value for the parameter FifoQueue."},
		"a type that is no one": {"a.fifo", "", invalidParameter, badName},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			attributes := ""
			if tt.fifo != "" {
				attributes = `,"Attributes":{"FifoQueue":"` + tt.fifo + `"}`
			}
			got := f.json(t, "CreateQueue", `{"QueueName":"`+tt.name+`"`+attributes+`}`)
			if tt.want == (wireError{}) {
				if got.status != http.StatusOK {
					t.Errorf("got %d %s", got.status, got.body)
				}
				return
			}
			got.wantFault(t, tt.want, tt.message)
		})
	}
}

func TestCreateQueueAgain(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.ok(t, "CreateQueue", `{"QueueName":"orders","tags":{"a":"1"},"Attributes":{"DelaySeconds":"5","Policy":"{\"Version\": \"2012-10-17\",\"Statement\":[]}"}}`)
	f.ok(t, "SetQueueAttributes", `{"QueueUrl":"orders","Attributes":{"VisibilityTimeout":"60","KmsMasterKeyId":"alias/a"}}`)
	tests := map[string]struct {
		attributes string
		differs    string // the attribute that is named, "" for none
	}{
		"none":                       {``, ""},
		"as created":                 {`"DelaySeconds":"5"`, ""},
		"another way to write it":    {`"DelaySeconds":"05","Policy":"{\"Statement\":[],\"Version\":\"2012-10-17\"}"`, ""},
		"as changed since":           {`"VisibilityTimeout":"60","SqsManagedSseEnabled":"FALSE"`, ""},
		"as before the change":       {`"VisibilityTimeout":"30"`, "VisibilityTimeout"},
		"a default that is the same": {`"MessageRetentionPeriod":"345600"`, ""},
		"another value":              {`"DelaySeconds":"6"`, "DelaySeconds"},
		"another policy":             {`"Policy":"{}"`, "Policy"},
		"no policy":                  {`"Policy":""`, "Policy"},
		"no key":                     {`"KmsMasterKeyId":""`, "KmsMasterKeyId"},
		"the first that differs":     {`"VisibilityTimeout":"60","DelaySeconds":"6","MaximumMessageSize":"1024"`, "DelaySeconds"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := f.json(t, "CreateQueue", `{"QueueName":"orders","tags":{"b":"2"},"Attributes":{`+tt.attributes+`}}`)
			if tt.differs == "" && got.status != http.StatusOK {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if tt.differs != "" {
				got.wantFault(t, queueNameExists, "A queue already exists with the same name and a different value for attribute "+tt.differs)
			}
		})
	}
	f.json(t, "CreateQueue", `{"QueueName":"orders","Attributes":{"DelaySeconds":"901"}}`).wantFault(t, invalidValue, "Invalid value for the parameter DelaySeconds.")
	if tags := f.ok(t, "ListQueueTags", `{"QueueUrl":"orders"}`)["Tags"].(map[string]any); len(tags) != 1 || tags["a"] != "1" {
		t.Errorf("got tags %v, want those of the first call", tags)
	}
}

// Of an attribute and of a tag that is there twice the last counts.
func TestKeysTwice(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.ok(t, "CreateQueue", `{"QueueName":"json","Attributes":{"VisibilityTimeout":"1","VisibilityTimeout":"2"},"tags":{"a":"1","a":"2"}}`)
	f.query(t, "CreateQueue", "QueueName=form&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=1&Attribute.2.Name=VisibilityTimeout&Attribute.2.Value=2&"+
		"Tag.1.Key=a&Tag.1.Value=1&Tag.2.Key=a&Tag.2.Value=2")
	for _, queue := range []string{"json", "form"} {
		attributes := f.ok(t, "GetQueueAttributes", `{"QueueUrl":"`+queue+`","AttributeNames":["VisibilityTimeout"]}`)["Attributes"]
		tags := f.ok(t, "ListQueueTags", `{"QueueUrl":"`+queue+`"}`)["Tags"]
		if got := fmt.Sprint(attributes, tags); got != "map[VisibilityTimeout:2] map[a:2]" {
			t.Errorf("%s: got %s", queue, got)
		}
	}
}

// attributes gives attributes of orders; names is a list in JSON.
func (f fixture) attributes(t testing.TB, names string) map[string]string {
	t.Helper()
	shown, _ := f.ok(t, "GetQueueAttributes", `{"QueueUrl":"orders","AttributeNames":[`+names+`]}`)["Attributes"].(map[string]any)
	attributes := map[string]string{}
	for name, value := range shown {
		attributes[name] = value.(string)
	}
	return attributes
}

func TestQueueAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	got := f.attributes(t, `"All"`)
	for _, name := range []string{"CreatedTimestamp", "LastModifiedTimestamp"} {
		if n, err := strconv.ParseInt(got[name], 10, 64); err != nil || n < 1_600_000_000 || n > 6_000_000_000 {
			t.Errorf("got %s %q, want seconds", name, got[name])
		}
		delete(got, name)
	}
	want := map[string]string{
		"DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0",
		"VisibilityTimeout": "30", "SqsManagedSseEnabled": "true", "QueueArn": "arn:aws:sqs:us-east-1:000000000000:orders",
		"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}

	f.send(t, "a", "b", "c")
	f.ok(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":"d","DelaySeconds":900}`)
	f.receive(t, "")
	got = f.attributes(t, `"ApproximateNumberOfMessages","ApproximateNumberOfMessagesNotVisible","ApproximateNumberOfMessagesDelayed","RedrivePolicy","FifoQueue","Policy"`)
	want = map[string]string{"ApproximateNumberOfMessages": "2", "ApproximateNumberOfMessagesNotVisible": "1", "ApproximateNumberOfMessagesDelayed": "1"}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	f.json(t, "GetQueueAttributes", `{"QueueUrl":"orders","AttributeNames":["Colour"]}`).wantFault(t, invalidAttribute, "Unknown Attribute Colour.")
	if got := f.json(t, "GetQueueAttributes", `{"QueueUrl":"orders","AttributeNames":["RedrivePolicy"]}`); got.body != "{}" {
		t.Errorf("got %s for an attribute that the queue does not have", got.body)
	}
}

// Every attribute that can be set comes back as it was, alone and after others were set.
func TestSetQueueAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	steps := []struct {
		set  map[string]string
		show map[string]string // nil: as set; "" means absent
	}{
		{map[string]string{"DelaySeconds": "900"}, nil},
		{map[string]string{"MaximumMessageSize": "1024"}, nil},
		{map[string]string{"MessageRetentionPeriod": "60", "ReceiveMessageWaitTimeSeconds": "20", "VisibilityTimeout": "0"}, nil},
		{map[string]string{"MessageRetentionPeriod": "1209600", "VisibilityTimeout": "43200"}, nil},
		{map[string]string{"Policy": `{"Statement": [ {"Sid":"ä <&>","Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"} ]}`}, nil},
		{map[string]string{"RedriveAllowPolicy": `{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:us-east-1:000000000000:a"]}`}, nil},
		{map[string]string{"RedrivePolicy": ""}, nil},
		{map[string]string{"Policy": "", "RedriveAllowPolicy": ""}, nil},
		// Encryption: specs/sqs.md 3.2.
		{map[string]string{"KmsMasterKeyId": "alias/mine"}, map[string]string{"KmsMasterKeyId": "alias/mine", "SqsManagedSseEnabled": "false", "KmsDataKeyReusePeriodSeconds": "300"}},
		{map[string]string{"KmsDataKeyReusePeriodSeconds": "60"}, nil},
		{map[string]string{"KmsMasterKeyId": ""}, map[string]string{"KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "", "SqsManagedSseEnabled": "false"}},
		{map[string]string{"KmsDataKeyReusePeriodSeconds": "61"}, map[string]string{"KmsDataKeyReusePeriodSeconds": ""}}, // of no key, it says nothing
		{map[string]string{"KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "300"}, map[string]string{"KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "", "SqsManagedSseEnabled": "false"}},
		{map[string]string{"SqsManagedSseEnabled": "True"}, map[string]string{"SqsManagedSseEnabled": "true"}},
		{map[string]string{"KmsMasterKeyId": "alias/mine", "SqsManagedSseEnabled": "false"}, map[string]string{"KmsDataKeyReusePeriodSeconds": "300"}},
		{map[string]string{"SqsManagedSseEnabled": "true"}, map[string]string{"SqsManagedSseEnabled": "true", "KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": ""}},
	}
	want := map[string]string{}
	for _, step := range steps {
		members := []string{"QueueUrl", "orders"}
		for i, name := range slices.Sorted(maps.Keys(step.set)) {
			n := strconv.Itoa(i + 1)
			members = append(members, "Attribute."+n+".Name", name, "Attribute."+n+".Value", step.set[name])
		}
		if got := f.query(t, "SetQueueAttributes", parametersOf(members...)); got.status != http.StatusOK {
			t.Fatalf("%v: got %d %s", step.set, got.status, got.body)
		}
		maps.Copy(want, step.set)
		maps.Copy(want, step.show)
		got := f.attributes(t, `"All"`)
		for name, value := range want {
			if got[name] != value {
				t.Errorf("after %v: got %s %q, want %q", step.set, name, got[name], value)
			}
		}
	}
}

func TestSetQueueAttributesRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	const oneSSE = "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."
	tests := map[string]struct {
		attributes string
		want       wireError
		message    string
	}{
		"none":                    {``, missingParameter, ""},
		"null":                    {`"Policy":null`, invalidParameter, ""},
		"a number":                {`"DelaySeconds":5`, malformedRequest, ""},
		"unknown":                 {`"Colour":"red"`, invalidAttribute, "Unknown Attribute Colour."},
		"no name":                 {`"":"red"`, invalidAttribute, "Unknown Attribute ."},
		"read-only":               {`"QueueArn":"x"`, invalidAttribute, "Unknown Attribute QueueArn."},
		"All":                     {`"All":"x"`, invalidAttribute, "Unknown Attribute All."},
		"of FIFO queues":          {`"FifoQueue":"true"`, invalidAttribute, "Unknown Attribute FifoQueue."},
		"of FIFO queues, too":     {`"ContentBasedDeduplication":"true"`, invalidAttribute, "Unknown Attribute ContentBasedDeduplication."},
		"of FIFO queues, newer":   {`"DeduplicationScope":"queue"`, invalidAttribute, "You can specify the DeduplicationScope only when FifoQueue is set to true."},
		"of FIFO queues, as well": {`"FifoThroughputLimit":"perQueue"`, invalidAttribute, "You can specify the FifoThroughputLimit only when FifoQueue is set to true."},
		"delay":                   {`"DelaySeconds":"901"`, invalidValue, "Invalid value for the parameter DelaySeconds."},
		"delay below":             {`"DelaySeconds":"-1"`, invalidValue, ""},
		"delay that is none":      {`"DelaySeconds":"1.5"`, invalidValue, ""},
		"empty delay":             {`"DelaySeconds":""`, invalidValue, ""},
		"size below":              {`"MaximumMessageSize":"1023"`, invalidValue, ""},
		"size above":              {`"MaximumMessageSize":"1048577"`, invalidValue, ""},
		"retention below":         {`"MessageRetentionPeriod":"59"`, invalidValue, ""},
		"retention above":         {`"MessageRetentionPeriod":"1209601"`, invalidValue, ""},
		"wait":                    {`"ReceiveMessageWaitTimeSeconds":"21"`, invalidValue, ""},
		"visibility":              {`"VisibilityTimeout":"43201"`, invalidValue, ""},
		"huge":                    {`"VisibilityTimeout":"99999999999999999999"`, invalidValue, ""},
		"reuse below":             {`"KmsDataKeyReusePeriodSeconds":"59"`, invalidValue, ""},
		"no bool":                 {`"SqsManagedSseEnabled":"yes"`, invalidValue, ""},
		"two encryptions":         {`"SqsManagedSseEnabled":"true","KmsMasterKeyId":"x"`, invalidAttribute, oneSSE},
		"no policy":               {`"Policy":"allow"`, invalidValue, "Invalid value for the parameter Policy."},
		"a list for a policy":     {`"Policy":"[]"`, invalidValue, ""},
		"nothing for a policy":    {`"Policy":"null"`, invalidValue, ""},
		"a long policy":           {`"Policy":"{\"a\":\"` + strings.Repeat("x", maxPolicyLength) + `\"}"`, invalidValue, ""},
		"who may redrive":         {`"RedriveAllowPolicy":"{\"redrivePermission\":\"some\"}"`, invalidParameter, ""},
		"sources for all":         {`"RedriveAllowPolicy":"{\"redrivePermission\":\"allowAll\",\"sourceQueueArns\":[\"a\"]}"`, invalidParameter, ""},
		"sources for none":        {`"RedriveAllowPolicy":"{\"redrivePermission\":\"byQueue\"}"`, invalidParameter, ""},
		"no JSON":                 {`"RedriveAllowPolicy":"all"`, invalidParameter, ""},
		"a key of control":        {`"KmsMasterKeyId":"a\u0000"`, invalidValue, ""},
		"one of two":              {`"DelaySeconds":"5","VisibilityTimeout":"-1"`, invalidValue, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f.json(t, "SetQueueAttributes", `{"QueueUrl":"orders","Attributes":{`+tt.attributes+`}}`).wantFault(t, tt.want, tt.message)
		})
	}
	t.Cleanup(func() { // behind all of them
		if got := f.attributes(t, `"DelaySeconds"`)["DelaySeconds"]; got != "0" {
			t.Errorf("a refused change was made in part: the delay is %s", got)
		}
	})
}

func TestListQueuesInPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, name := range []string{"b", "a-2", "a-1", "A-1", "a-3"} {
		f.ok(t, "CreateQueue", `{"QueueName":"`+name+`"}`)
	}
	var names []string
	token := ""
	for range 4 {
		page := f.ok(t, "ListQueues", `{"QueueNamePrefix":"a-","MaxResults":2,"NextToken":"`+token+`"}`)
		for _, url := range page["QueueUrls"].([]any) {
			names = append(names, strings.TrimPrefix(url.(string), "http://localhost:4566/000000000000/"))
		}
		if token, _ = page["NextToken"].(string); token == "" {
			break
		}
	}
	if !slices.Equal(names, []string{"a-1", "a-2", "a-3"}) || token != "" {
		t.Errorf("got %v and then %q", names, token)
	}
	for _, members := range []string{`"MaxResults":3,"QueueNamePrefix":"a-"`, ``, `"QueueNamePrefix":"a\u0000"`} {
		if page := f.ok(t, "ListQueues", `{`+members+`}`); page["NextToken"] != nil {
			t.Errorf("%s: got a token though nothing is left", members)
		}
	}
	for _, members := range []string{`"MaxResults":0`, `"MaxResults":1001`, `"NextToken":"*"`, `"NextToken":"AA"`} {
		f.json(t, "ListQueues", `{`+members+`}`).wantFault(t, invalidParameter, "")
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	f := start(t)
	tags := func() map[string]any {
		shown, _ := f.ok(t, "ListQueueTags", `{"QueueUrl":"orders"}`)["Tags"].(map[string]any)
		return shown
	}
	f.ok(t, "CreateQueue", `{"QueueName":"orders","tags":{"created":"yes"},"Tags":{"not":"a member"}}`)
	f.ok(t, "TagQueue", `{"QueueUrl":"orders","Tags":{"a":"1","A":"2","empty":""}}`)
	if got := f.query(t, "TagQueue", "QueueUrl=orders&Tags.1.Key=old&Tags.1.Value=sdk&Tag.9.Key=ignored"); got.status != http.StatusOK {
		t.Fatalf("got %s", got.body)
	}
	f.ok(t, "TagQueue", `{"QueueUrl":"orders","Tags":{"a":"3"}}`)
	if got := f.query(t, "UntagQueue", "QueueUrl=orders&TagKey.1=created&TagKey.2=nothing&TagKey.3=ignored"); got.status != http.StatusOK {
		t.Fatalf("got %s", got.body)
	}
	if want := (map[string]any{"a": "3", "A": "2", "empty": ""}); !maps.Equal(tags(), want) {
		t.Errorf("got %v, want %v", tags(), want)
	}
	if got := f.query(t, "ListQueueTags", "QueueUrl=orders"); !strings.Contains(got.body, "<Tag><Key>A</Key><Value>2</Value></Tag><Tag><Key>a</Key>") {
		t.Errorf("got %s", got.body)
	}
	f.ok(t, "UntagQueue", `{"QueueUrl":"orders","TagKeys":["a","A","empty"]}`)
	if got := f.json(t, "ListQueueTags", `{"QueueUrl":"orders"}`); got.body != "{}" {
		t.Errorf("got %s for no tags", got.body)
	}

	var many []string
	for i := range maxTags {
		many = append(many, `"`+strconv.Itoa(i)+`":"v"`)
	}
	f.ok(t, "TagQueue", `{"QueueUrl":"orders","Tags":{`+strings.Join(many, ",")+`}}`)
	f.json(t, "TagQueue", `{"QueueUrl":"orders","Tags":{"one":"more"}}`).wantFault(t, invalidParameter, "Too many tags added for queue orders.")
	f.ok(t, "TagQueue", `{"QueueUrl":"orders","Tags":{"`+strconv.Itoa(maxTags-1)+`":"changed"}}`)
	for members, want := range map[string]wireError{
		``:                 missingParameter,
		`,"Tags":{}`:       missingParameter,
		`,"Tags":{"":"v"}`: invalidParameter,
		`,"Tags":{"` + strings.Repeat("ä", maxTagKeyChars+1) + `":"v"}`:   invalidParameter,
		`,"Tags":{"k":"` + strings.Repeat("ä", maxTagValueChars+1) + `"}`: invalidParameter,
		`,"Tags":{"k":"\u0000"}`: invalidParameter,
		`,"Tags":{"k":null}`:     invalidParameter,
	} {
		f.json(t, "TagQueue", `{"QueueUrl":"orders"`+members+`}`).wantFault(t, want, "")
	}
	f.json(t, "UntagQueue", `{"QueueUrl":"orders"}`).wantFault(t, missingParameter, "The request must contain the parameter TagKeys.")
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	const arn = "arn:aws:sqs:us-east-1:000000000000:orders"
	wantPolicy := func(want string) {
		t.Helper()
		if got := f.attributes(t, `"Policy"`)["Policy"]; !sameJSON(got, want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	one := `{"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"SQS:ReceiveMessage","Resource":"` + arn + `"}`
	two := `{"Sid":"two","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:root"]},"Action":["SQS:SendMessage","SQS:*"],"Resource":"` + arn + `"}`
	head := `{"Version":"2008-10-17","Id":"` + arn + `/SQSDefaultPolicy","Statement":[`

	f.ok(t, "AddPermission", `{"QueueUrl":"orders","Label":"one","AWSAccountIds":["111122223333"],"Actions":["ReceiveMessage"]}`)
	wantPolicy(head + one + `]}`)
	if got := f.query(t, "AddPermission", "QueueUrl=orders&Label=two&AWSAccountId.1=111122223333&AWSAccountId.2=444455556666&ActionName.1=SendMessage&ActionName.2=*"); got.status != http.StatusOK {
		t.Fatalf("got %s", got.body)
	}
	wantPolicy(head + one + `,` + two + `]}`)
	f.json(t, "AddPermission", `{"QueueUrl":"orders","Label":"two","AWSAccountIds":["111122223333"],"Actions":["SendMessage"]}`).
		wantFault(t, invalidParameter, "Value two for parameter Label is invalid. Reason: Already exists.")
	f.ok(t, "RemovePermission", `{"QueueUrl":"orders","Label":"one"}`)
	wantPolicy(head + two + `]}`)
	f.json(t, "RemovePermission", `{"QueueUrl":"orders","Label":"one"}`).
		wantFault(t, invalidParameter, "Value one for parameter Label is invalid. Reason: can't find label.")
	f.ok(t, "RemovePermission", `{"QueueUrl":"orders","Label":"two"}`)
	if _, has := f.attributes(t, `"All"`)["Policy"]; has {
		t.Error("the policy stays behind its last statement")
	}

	f.ok(t, "SetQueueAttributes", `{"QueueUrl":"orders","Attributes":{"Policy":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Sid\":\"mine\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:*\",\"Resource\":\"*\",\"Condition\":{\"StringLike\":{\"aws:username\":\"<b>\"}}}}"}}`)
	f.ok(t, "AddPermission", `{"QueueUrl":"orders","Label":"one","AWSAccountIds":["111122223333"],"Actions":["ReceiveMessage"]}`)
	wantPolicy(`{"Version":"2012-10-17","Statement":[{"Sid":"mine","Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"StringLike":{"aws:username":"<b>"}}},` + one + `]}`)

	const account, actions = `,"AWSAccountIds":["111122223333"]`, `,"Actions":["SendMessage"]`
	tests := map[string]struct {
		members string
		want    wireError
		message string
	}{
		"no label":        {account + actions, missingParameter, "The request must contain the parameter Label."},
		"a bad label":     {`,"Label":"a b"` + account + actions, invalidParameter, ""},
		"no account":      {`,"Label":"x"` + actions, invalidParameter, "Value [] for parameter PrincipalId is invalid. Reason: Unable to verify."},
		"a bad account":   {`,"Label":"x","AWSAccountIds":["me"]` + actions, invalidParameter, ""},
		"no action":       {`,"Label":"x"` + account, missingParameter, "The request must contain the parameter Actions."},
		"unknown action":  {`,"Label":"x","Actions":["Fly"]` + account, invalidParameter, "Value SQS:Fly for parameter ActionName is invalid. Reason: Please refer to the appropriate WSDL for a list of valid actions. "},
		"owner's action":  {`,"Label":"x","Actions":["CreateQueue"]` + account, invalidParameter, "Value SQS:CreateQueue for parameter ActionName is invalid. Reason: Only the queue owner is allowed to invoke this action."},
		"too many":        {`,"Label":"x","Actions":["*","*","*","*","*","*","*","*"]` + account, overLimit, "8 Actions were found, maximum allowed is 7."},
		"all at one time": {`,"Label":"x","Actions":["*","*","*","*","*","*","*"],"AWSAccountIds":["` + strings.Repeat(`111122223333","`, 300) + `111122223333"]`, overLimit, "301 Principals were found, maximum allowed is 50."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f.json(t, "AddPermission", `{"QueueUrl":"orders"`+tt.members+`}`).wantFault(t, tt.want, tt.message)
		})
	}
	f.json(t, "RemovePermission", `{"QueueUrl":"orders"}`).wantFault(t, missingParameter, "The request must contain the parameter Label.")
}

func TestDeleteQueueAndItsMessages(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.send(t, "a")
	if got := f.do(t, httptestGet("/000000000000/orders?Action=DeleteQueue")); got.status != http.StatusOK {
		t.Fatalf("got %s", got.body)
	}
	f.json(t, "ReceiveMessage", `{"QueueUrl":"orders"}`).wantFault(t, queueDoesNotExist, "")
	f.json(t, "DeleteQueue", `{"QueueUrl":"orders"}`).wantFault(t, queueDoesNotExist, "")
	f.orders(t)
	if got := f.receive(t, ""); len(got) != 0 {
		t.Errorf("got %v from a new queue of an old name", got)
	}
}

func TestPurgeQueue(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.send(t, "a", "b")
	f.receive(t, `,"VisibilityTimeout":0`)
	f.receive(t, "")
	f.ok(t, "PurgeQueue", `{"QueueUrl":"orders"}`)
	f.ok(t, "PurgeQueue", `{"QueueUrl":"orders"}`)
	if got := f.attributes(t, `"ApproximateNumberOfMessages","ApproximateNumberOfMessagesNotVisible"`); got["ApproximateNumberOfMessages"] != "0" || got["ApproximateNumberOfMessagesNotVisible"] != "0" {
		t.Errorf("got %v after a purge", got)
	}
}

// A queue that another protocol made shows as it is, though SQS could not have made it.
func TestQueueOfAnotherProtocol(t *testing.T) {
	t.Parallel()
	f := start(t)
	settings := core.DefaultSettings()
	settings.Delay, settings.MaxMessageSize = 30*time.Minute, 4<<20
	name := pgtest.Name("orders.v2")
	if _, _, err := f.broker.CreateQueue(t.Context(), core.NewQueue{Name: name, Settings: settings}); err != nil {
		t.Fatal(err)
	}
	shown := f.ok(t, "GetQueueAttributes", `{"QueueUrl":"/000000000000/orders.v2","AttributeNames":["DelaySeconds","MaximumMessageSize"]}`)["Attributes"].(map[string]any)
	if shown["DelaySeconds"] != "1800" || shown["MaximumMessageSize"] != "4194304" {
		t.Errorf("got %v", shown)
	}
	f.json(t, "SendMessage", `{"QueueUrl":"orders.v2","MessageBody":"`+strings.Repeat("x", maxMessageSize+1)+`"}`).wantFault(t, invalidParameter, "")
}

// What another protocol makes of dead letters shows as SQS's policies, in whatever words they were set before.
func TestDeadLettersOfAnotherProtocol(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.ok(t, "CreateQueue", `{"QueueName":"dead","Attributes":{"RedriveAllowPolicy":"{\"redrivePermission\": \"allowAll\"}"}}`)
	const arn = "arn:aws:sqs:us-east-1:000000000000:"
	f.ok(t, "SetQueueAttributes", `{"QueueUrl":"orders","Attributes":{"RedrivePolicy":"{\"maxReceiveCount\":\"3\",\"deadLetterTargetArn\":\"`+arn+`dead\"}"}}`)
	alter := func(queue string, change core.QueueChange) {
		t.Helper()
		if _, err := f.broker.AlterQueue(t.Context(), pgtest.Name(queue), change); err != nil {
			t.Fatal(err)
		}
	}
	shown := func(queue, attribute, want string) {
		t.Helper()
		result := f.ok(t, "GetQueueAttributes", `{"QueueUrl":"`+queue+`","AttributeNames":["`+attribute+`"]}`)
		attributes, _ := result["Attributes"].(map[string]any)
		if got, _ := attributes[attribute].(string); got != want {
			t.Errorf("%s: got %s, want %s", attribute, got, want)
		}
	}
	alter("orders", core.QueueChange{DeadLetter: &core.DeadLetterPolicy{Target: "dead", MaxReceives: 4}})
	shown("orders", "RedrivePolicy", `{"deadLetterTargetArn":"`+arn+`dead","maxReceiveCount":4}`)
	alter("orders", core.QueueChange{DeadLetter: &core.DeadLetterPolicy{Target: "dead", MaxReceives: 3}})
	shown("orders", "RedrivePolicy", `{"maxReceiveCount":"3","deadLetterTargetArn":"`+arn+`dead"}`)
	alter("orders", core.QueueChange{DeadLetter: &core.DeadLetterPolicy{}})
	shown("orders", "RedrivePolicy", "")
	some, none, all := core.Sources("orders", "returns"), core.NoSource, core.AnySource
	alter("dead", core.QueueChange{DeadLetterSources: &some})
	shown("dead", "RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":["`+arn+`orders","`+arn+`returns"]}`)
	alter("dead", core.QueueChange{DeadLetterSources: &none})
	shown("dead", "RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`)
	alter("dead", core.QueueChange{DeadLetterSources: &all})
	shown("dead", "RedriveAllowPolicy", `{"redrivePermission": "allowAll"}`)
}
