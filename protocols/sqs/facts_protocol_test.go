package sqs

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Sections 1 and 2 of specs/sqs.md: the form of requests, answers and errors.
func TestFactsProtocol(t *testing.T) {
	facts(t, map[string]func(*client){
		"1.2 the header of a trace becomes AWSTraceHeader": func(c *client) {
			url := c.newQueue("q")
			c.ok("SendMessage", m{"QueueUrl": url, "MessageBody": "a"}, "X-Amzn-Trace-Id", "Root=1-a")
			c.ok("SendMessageBatch", m{"QueueUrl": url, "Entries": []m{{"Id": "1", "MessageBody": "b"}}}, "X-Amzn-Trace-Id", "Root=1-b")
			sent := c.ok("SendMessage", m{"QueueUrl": url, "MessageBody": "c", "MessageSystemAttributes": m{"AWSTraceHeader": text("Root=own")}}, "X-Amzn-Trace-Id", "Root=1-c")
			if sent["MD5OfMessageSystemAttributes"] == nil || sent["MD5OfMessageAttributes"] != nil {
				c.Errorf("got %v", sent)
			}
			c.sendTo(url, "d")
			want := map[string]any{"a": "Root=1-a", "b": "Root=1-b", "c": "Root=own", "d": nil}
			for _, message := range c.receiveFrom(url, m{"MessageSystemAttributeNames": []string{"AWSTraceHeader"}}) {
				attributes, _ := message["Attributes"].(m)
				if body := message["Body"].(string); attributes["AWSTraceHeader"] != want[body] {
					c.Errorf("%s: got %v, want the trace %v", body, attributes, want[body])
				}
			}
		},
		"1.2 x-amzn-query-mode changes nothing": func(c *client) {
			got := c.call("GetQueueUrl", m{"QueueName": "nothing"}, "X-Amzn-Query-Mode", "true")
			if got.status != http.StatusBadRequest {
				c.Errorf("got %d %s", got.status, got.body)
			}
			if c.wire == "json" {
				got.wantFault(c, queueDoesNotExist, "The specified queue does not exist.")
			}
		},
		"1.3 headers of an answer": func(c *client) {
			got := c.call("ListQueues", m{})
			if spelled(got.header, "x-amzn-RequestId") == "" || got.header.Get("Content-Length") == "" || spelled(got.header, "x-amzn-query-error") != "" {
				c.Errorf("got %v", got.header)
			}
		},
		"1.4 nothing is told by absence": func(c *client) {
			if got := c.ok("ListQueues", m{}); len(got) != 0 {
				c.Errorf("no queues: got %v", got)
			}
			url := c.newQueue("q")
			if got := c.ok("ReceiveMessage", m{"QueueUrl": url}); len(got) != 0 {
				c.Errorf("no messages: got %v", got)
			}
			if got := c.ok("GetQueueAttributes", m{"QueueUrl": url}); len(got) != 0 {
				c.Errorf("no attributes asked for: got %v", got)
			}
			if got := c.ok("GetQueueAttributes", m{"QueueUrl": url, "AttributeNames": []string{"RedrivePolicy"}}); len(got) != 0 {
				c.Errorf("an attribute that is not set: got %v", got)
			}
			if got := c.ok("ListQueueTags", m{"QueueUrl": url}); len(got) != 0 {
				c.Errorf("no tags: got %v", got)
			}
			all := c.ok("SendMessageBatch", m{"QueueUrl": url, "Entries": []m{{"Id": "1", "MessageBody": "b"}}})
			if all["Failed"] != nil || all["Successful"] == nil {
				c.Errorf("all were sent: got %v", all)
			}
			none := c.ok("SendMessageBatch", m{"QueueUrl": url, "Entries": []m{{"Id": "1", "MessageBody": "\x01"}}})
			if none["Failed"] == nil || none["Successful"] != nil {
				c.Errorf("none was sent: got %v", none)
			}
		},
		"1.4 members that are not known are passed over": func(c *client) {
			url := c.newQueue("q")
			c.ok("SendMessage", m{"QueueUrl": url, "MessageBody": "b", "Colour": "red"})
		},
		"1.6 a missing parameter": func(c *client) {
			url := c.newQueue("q")
			for action, parameter := range map[string]string{
				"SendMessage": "MessageBody", "DeleteMessage": "ReceiptHandle", "ChangeMessageVisibility": "ReceiptHandle",
				"UntagQueue": "TagKeys", "TagQueue": "Tags", "RemovePermission": "Label", "AddPermission": "Label",
			} {
				c.refused(action, m{"QueueUrl": url}, missingParameter, "The request must contain the parameter "+parameter+".")
			}
			c.refused("CreateQueue", m{}, missingParameter, "The request must contain the parameter QueueName.")
			c.refused("GetQueueUrl", m{}, missingParameter, "The request must contain the parameter QueueName.")
			c.refused("StartMessageMoveTask", m{}, missingParameter, "The request must contain the parameter SourceArn.")
			c.refused("ListMessageMoveTasks", m{}, missingParameter, "The request must contain the parameter SourceArn.")
			c.refused("CancelMessageMoveTask", m{}, missingParameter, "The request must contain the parameter TaskHandle.")
		},
		"1.7 the last two segments of a QueueUrl count, and a bare name does": func(c *client) {
			c.newQueue("q")
			for _, at := range []string{
				"https://sqs.us-east-1.amazonaws.com/" + c.account + "/q", "https://us-east-1.queue.amazonaws.com/" + c.account + "/q",
				"https://queue.amazonaws.com/" + c.account + "/q", "http://elsewhere:1234/" + c.account + "/q",
				"http://localhost:4566/queue/us-east-1/" + c.account + "/q", "http://localhost:9324/queue/q", "/" + c.account + "/q", "q",
			} {
				c.ok("SendMessage", m{"QueueUrl": at, "MessageBody": "b"})
			}
			c.wantCounts("q", "8", "0", "0")
			for _, at := range []string{"http://whatever/", "nothing", "http://h/" + c.account + "/nothing", "https://sqs.eu-west-1.amazonaws.com/" + c.account + "/q", "a b"} {
				c.refused("SendMessage", m{"QueueUrl": at, "MessageBody": "b"}, queueDoesNotExist, "The specified queue does not exist.")
			}
		},
		"1.7 a QueueUrl has the host that the client used": func(c *client) {
			if got, want := c.newQueue("q"), "http://localhost:4566/"+c.account+"/q"; got != want {
				c.Errorf("got %s, want %s", got, want)
			}
		},
		"2.2 an unknown action": func(c *client) {
			if c.wire == "json" {
				c.refused("Fly", m{}, unknownOperation, "")
				return
			}
			c.refused("Fly", m{}, invalidAction, "The action Fly is not valid for this endpoint.")
		},
		"2.2 a queue that does not exist": func(c *client) {
			for action := range actionTable() {
				switch action {
				case "CreateQueue", "ListQueues", "GetQueueUrl", "StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask":
					continue
				}
				c.refused(action, m{"QueueUrl": "nothing", "ReceiptHandle": "h", "MessageBody": "b", "VisibilityTimeout": 1}, queueDoesNotExist, "The specified queue does not exist.")
			}
			c.refused("GetQueueUrl", m{"QueueName": "nothing"}, queueDoesNotExist, "The specified queue does not exist.")
		},
	})
}

// Values that must come through as they are, whatever the wire makes of them (1.5; 10.35, 10.36).
func TestFactsText(t *testing.T) {
	values := map[string]string{
		"carriage returns": "a\r\nb\rc", "quotes": `"'`, "markup": "<a>&amp;]]>", "plus": "a+b c%20d", "tabs": "\t\n",
		"not ASCII": "größer ☃ \U0001f600", "edges": " \uD7FF\uE000\uFFFD\U00010000\U0010FFFF", "blanks": "  x  ", "backslashes": `\u0041\n\`,
	}
	cases := map[string]func(*client){}
	for name, value := range values {
		cases[name] = func(c *client) {
			url := c.newQueue("q")
			sent := c.sendTo(url, value, m{"MessageAttributes": m{"a": text(value), "b": binary(value)}})
			if sent["MD5OfMessageBody"] != md5Of(value) {
				c.Errorf("sent: got %v", sent)
			}
			got := c.receiveOne(url, m{"MessageAttributeNames": []string{"All"}})
			attributes := got["MessageAttributes"].(m)
			if got["Body"] != value || got["MD5OfBody"] != md5Of(value) || got["MD5OfMessageAttributes"] != sent["MD5OfMessageAttributes"] ||
				attributes["a"].(m)["StringValue"] != value || attributes["b"].(m)["BinaryValue"] != base64Of(value) {
				c.Errorf("got %q, want %q", got, value)
			}
			c.ok("TagQueue", m{"QueueUrl": url, "Tags": map[string]string{"tag": value}})
			if tags := c.ok("ListQueueTags", m{"QueueUrl": url})["Tags"].(m); tags["tag"] != value {
				c.Errorf("got the tag %q, want %q", tags["tag"], value)
			}
		}
	}
	facts(t, cases)
}

// What only the query protocol has: GET, the path of a queue, JSON for who accepts it (1.1, 1.2, 1.6).
func TestFactsPaths(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.ok(t, "CreateQueue", `{"QueueName":"returns"}`)
	const path = "/000000000000/orders"
	get := func(target string, header ...string) reply {
		r := httptestGet(target)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return f.do(t, r)
	}
	if got := get(path, "Accept", "application/json"); got.status != http.StatusNotFound || strings.TrimSpace(got.body) != "<UnknownOperationException/>" {
		t.Errorf("a plain GET: got %d %s", got.status, got.body)
	}
	for _, action := range []string{"CreateQueue", "ListQueues", "Fly"} {
		get(path+"?Action="+action+"&QueueName=x").wantQueryFault(t, invalidAction, "The action "+action+" is not valid for this endpoint.")
	}
	if got := get(path + "?Action=GetQueueUrl&QueueName=returns"); !strings.Contains(got.body, "/returns<") {
		t.Errorf("another queue's URL: got %s", got.body)
	}
	get(path+"?Action=SendMessage").wantQueryFault(t, missingParameter, "The request must contain the parameter MessageBody.")
	if got := get(path + "?Action=SendMessage&MessageBody=a%2Bb"); got.status != http.StatusOK {
		t.Errorf("a send by GET: got %s", got.body)
	}
	if got := get(path + "?Action=SendMessage&MessageBody=x&QueueUrl=" + url.QueryEscape("http://h/000000000000/returns")); got.status != http.StatusOK {
		t.Errorf("QueueUrl and a path: got %s", got.body)
	}
	if got := f.receive(t, `,"MaxNumberOfMessages":10`); len(got) != 1 || got[0]["Body"] != "a+b" {
		t.Errorf("the path's queue has %v, though QueueUrl wins", got)
	}
	if got := get("/?Action=ListQueues&QueueNamePrefix=ret", "Accept", "application/json"); !strings.HasPrefix(got.body, `{"ListQueuesResponse":{"ListQueuesResult":{"queueUrls":["http://localhost:4566/000000000000/returns"]},"ResponseMetadata":{"RequestId":"`) {
		t.Errorf("JSON: got %s", got.body)
	}
	if got := get("/000000000000/returns?Action=ReceiveMessage", "Accept", "application/json"); !strings.HasPrefix(got.body, `{"ReceiveMessageResponse":{"ReceiveMessageResult":{"messages":[{"MessageId":"`) {
		t.Errorf("messages in JSON: got %s", got.body)
	}
	if got := get(path + "?Action=DeleteQueue"); got.status != http.StatusOK {
		t.Errorf("a deletion by GET: got %s", got.body)
	}

	r := httptest.NewRequest(http.MethodPost, "/000000000000/returns", strings.NewReader(`{"QueueUrl":"http://other/000000000000/returns","MessageBody":"x"}`))
	r.Header.Set("x-amz-target", "AmazonSQS.SendMessage") // 10.6: as PHP does
	r.Header.Set("content-type", "APPLICATION/X-AMZ-JSON-1.0")
	if got := f.do(t, r); got.status != http.StatusOK || got.header.Get("Content-Type") != "application/x-amz-json-1.0" {
		t.Errorf("JSON at the path of a queue: got %d %s", got.status, got.body)
	}
}

// Lists and maps of one element without its number, as boto 2 and the manual's oldest examples have them (1.5).
func TestFactsOldShapes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	wants := func(action, parameters, want string) {
		t.Helper()
		if got := f.query(t, action, "QueueUrl=orders&"+parameters); got.status != http.StatusOK || !strings.Contains(got.body, want) {
			t.Errorf("%s: got %s, want %s", parameters, got.body, want)
		}
	}
	wants("SetQueueAttributes", "Attribute.Name=VisibilityTimeout&Attribute.Value=35", "")
	wants("GetQueueAttributes", "AttributeName=VisibilityTimeout", "<Attribute><Name>VisibilityTimeout</Name><Value>35</Value></Attribute>")
	wants("AddPermission", "Label=l&AWSAccountId=111122223333&ActionName=SendMessage", "")
	wants("GetQueueAttributes", "AttributeName=Policy", "arn:aws:iam::111122223333:root")
	wants("TagQueue", "Tag.Key=a&Tag.Value=b", "")
	wants("ListQueueTags", "", "<Tag><Key>a</Key><Value>b</Value></Tag>")
	wants("UntagQueue", "TagKey=a", "")
	wants("ListQueueTags", "", "<ListQueueTagsResult/>")
	wants("SendMessage", "MessageBody=b&MessageAttribute.Name=k&MessageAttribute.Value.DataType=String&MessageAttribute.Value.StringValue=x", "a45daa70926828a2f0a1db3418e6feb4")
	wants("ReceiveMessage", "AttributeName=SenderId&MessageAttributeName=k", "<Attribute><Name>SenderId</Name>")
}

// The host of a request says which region is meant, where no signature does, and is that of the URLs it gets (1.7).
func TestFactsHosts(t *testing.T) {
	t.Parallel()
	f := start(t)
	at := func(host, target string) string {
		recorder := httptest.NewRecorder()
		r := httptestGet(target)
		r.Host = host
		f.server.ServeHTTP(recorder, r)
		return recorder.Body.String()
	}
	const path = "/000000000000/orders"
	for host, region := range map[string]string{
		"sqs.eu-west-1.amazonaws.com": "eu-west-1", "eu-west-2.queue.amazonaws.com": "eu-west-2", "queue.amazonaws.com": "us-east-1",
		"sqs.ap-south-1.localhost:4566": "ap-south-1", "polymq:4566": "us-east-1", "192.0.2.1:80": "us-east-1",
	} {
		if got := at(host, "/?Action=CreateQueue&QueueName=orders"); !strings.Contains(got, "<QueueUrl>http://"+host+path+"</QueueUrl>") {
			t.Errorf("%s: got %s", host, got)
		}
		if got := at(host, path+"?Action=GetQueueAttributes&AttributeName.1=QueueArn"); !strings.Contains(got, "<Value>arn:aws:sqs:"+region+":000000000000:orders</Value>") {
			t.Errorf("%s: got %s, want a queue in %s", host, got, region)
		}
	}
	for name, want := range map[string]string{"cn-north-1": "arn:aws-cn:", "us-gov-west-1": "arn:aws-us-gov:"} {
		at("sqs."+name+".amazonaws.com", "/?Action=CreateQueue&QueueName=orders")
		if got := at("sqs."+name+".amazonaws.com", path+"?Action=GetQueueAttributes&AttributeName.1=QueueArn"); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// Bodies of unknown length, and clients that ask before they send (1.2).
func TestFactsChunkedBodies(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	server := httptest.NewServer(f.server)
	t.Cleanup(server.Close)
	body := strings.Repeat("x", 1<<20)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, io.MultiReader(strings.NewReader(`{"QueueUrl":"orders","MessageBody":"`), strings.NewReader(body+`"}`)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	r.Header.Set("Expect", "100-continue")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(text), md5Of(body)) {
		t.Errorf("got %s, %v", text, err)
	}
}

// Without MaxResults there are at most a thousand queues, and never a token (3.3).
func TestFactsThousandQueues(t *testing.T) {
	t.Parallel()
	f := startOn(&stubStore{})
	all := f.ok(t, "ListQueues", `{}`)
	if n := len(all["QueueUrls"].([]any)); n != 1000 || all["NextToken"] != nil {
		t.Errorf("got %d queues and the token %v", n, all["NextToken"])
	}
	page := f.ok(t, "ListQueues", `{"MaxResults":1000}`)
	if n := len(page["QueueUrls"].([]any)); n != 1000 || page["NextToken"] == nil {
		t.Errorf("got %d queues and the token %v", n, page["NextToken"])
	}
}

// Documents as they stand on the wire (1.5).
func TestFactsXML(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	got := f.query(t, "ReceiveMessage", "QueueUrl=orders")
	id := spelled(got.header, "x-amzn-RequestId")
	if want := `<ReceiveMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><ReceiveMessageResult/><ResponseMetadata><RequestId>` + id +
		`</RequestId></ResponseMetadata></ReceiveMessageResponse>`; strings.TrimPrefix(got.body, xml.Header) != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
	got = f.query(t, "SendMessage", "QueueUrl=orders")
	id = spelled(got.header, "x-amzn-RequestId")
	if want := `<ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error><Type>Sender</Type><Code>MissingParameter</Code>` +
		`<Message>The request must contain the parameter MessageBody.</Message><Detail/></Error><RequestId>` + id + `</RequestId></ErrorResponse>`; got.body != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
	f.query(t, "SendMessage", parametersOf("QueueUrl", "orders", "MessageBody", "a\r\n\"b\""))
	if got := f.query(t, "ReceiveMessage", "QueueUrl=orders"); !strings.Contains(got.body, "<Body>a&#xD;\n&quot;b&quot;</Body>") {
		t.Errorf("got %s", got.body)
	}
}
