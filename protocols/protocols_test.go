package protocols

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/schemas"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/console"
)

// httpClient has connections of its own: servers of httptest close idle ones of the default client as they end, and a request of
// another test's whose answer has no body may fail by that.
var httpClient = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}

// scope gives the Authorization of a request to one of AWS's services.
func scope(service string) string {
	return "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=00"
}

// request is a request to the port, and what it is taken for.
type request struct {
	method, target string
	header         []string // name, value, name, value
	body           string
}

func (in request) http() *http.Request {
	r := httptest.NewRequest(in.method, in.target, strings.NewReader(in.body))
	r.Host = "localhost:4566"
	for i := 0; i < len(in.header); i += 2 {
		r.Header.Set(in.header[i], in.header[i+1])
	}
	return r
}

func TestProtocolOf(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	tests := map[string]struct {
		in   request
		want string
	}{
		"SQS in JSON":                 {request{"POST", "/", []string{"X-Amz-Target", "AmazonSQS.SendMessage", "Authorization", scope("sqs")}, ""}, "sqs"},
		"SQS in a form with a target": {request{"POST", "/", []string{"X-Amz-Target", "AmazonSQSv20121105.SendMessage", "Content-Type", form}, "Action=SendMessage"}, "sqs"},
		"SQS in JSON at a queue":      {request{"POST", "/queues/orders", []string{"X-Amz-Target", "AmazonSQS.SendMessage"}, ""}, "sqs"},
		"SQS in CBOR":                 {request{"POST", "/service/AmazonSQS/operation/SendMessage", []string{"Smithy-Protocol", "rpc-v2-cbor"}, ""}, "sqs"},
		"SQS in a form":               {request{"POST", "/", []string{"Content-Type", form, "Authorization", scope("sqs")}, "Action=ListQueues"}, "sqs"},
		"SQS in a form, unsigned":     {request{"POST", "/", []string{"Content-Type", form}, "Action=ListQueues"}, "sqs"},
		"SQS, signed for nothing":     {request{"POST", "/", []string{"Content-Type", form, "Authorization", "AWS4-HMAC-SHA256 Credential=test"}, "Action=ListQueues"}, "sqs"},
		"SNS, signed for nothing":     {request{"POST", "/", []string{"Content-Type", form, "Authorization", "AWS4-HMAC-SHA256 junk"}, "Action=ListTopics&Version=2010-03-31"}, "sns"},
		"S3, signed for nothing":      {request{"PUT", "/bucket/key", []string{"Authorization", "AWS4-HMAC-SHA256 junk"}, ""}, ""},
		"SQS in a URL":                {request{"GET", "/?Action=ListQueues", nil, ""}, "sqs"},
		"SQS at a queue":              {request{"GET", "/000000000000/orders?Action=ReceiveMessage", nil, ""}, "sqs"},
		"SQS at a queue, /queue/":     {request{"GET", "/queue/orders?Action=ReceiveMessage", nil, ""}, "sqs"},
		"SQS at a queue, /queues/":    {request{"GET", "/queues/orders?Action=ReceiveMessage", nil, ""}, "sqs"},
		"SQS presigned":               {request{"GET", "/?Action=ListQueues&X-Amz-Credential=test%2F20260101%2Fus-east-1%2Fsqs%2Faws4_request", nil, ""}, "sqs"},
		"MNS":                         {request{"GET", "/queues/orders", []string{"x-mns-version", "2015-06-06", "Authorization", "MNS test:c2ln"}, ""}, "mns"},
		"MNS by its signature":        {request{"POST", "/queues/orders/messages", []string{"Authorization", "MNS4-HMAC-SHA256 Credential=test/20260101/cn-hangzhou/mns/aliyun_v4_request,Signature=0"}, ""}, "mns"},
		"MNS unsigned":                {request{"GET", "/queues", nil, ""}, "mns"},
		"MNS account":                 {request{"GET", "/?accountmeta=true", []string{"x-mns-version", "2015-06-06"}, ""}, "mns"},
		"JSON API":                    {request{"POST", "/api/v1/queues", []string{"Authorization", scope("sqs")}, ""}, "api"},
		"JSON API, no such path":      {request{"GET", "/api/v2/nothing", nil, ""}, "api"},
		"SNS":                         {request{"POST", "/", []string{"Content-Type", form, "Authorization", scope("sns")}, "Action=Publish"}, "sns"},
		"SNS in a form, unsigned":     {request{"POST", "/", []string{"Content-Type", form}, "TopicArn=a&Version=2010-03-31&Action=Subscribe"}, "sns"},
		"SNS in a URL":                {request{"GET", "/?Action=ConfirmSubscription&Version=2010-03-31", nil, ""}, "sns"},
		"SNS by a link":               {request{"GET", "/?Action=Unsubscribe&SubscriptionArn=a", nil, ""}, "sns"},
		"SNS by its topic":            {request{"POST", "/", []string{"Content-Type", form}, "Action=AddPermission&TopicArn=a"}, "sns"},
		"SQS by its action":           {request{"POST", "/", []string{"Content-Type", form}, "Action=AddPermission&Label=a"}, "sqs"},
		"SNS's certificate":           {request{"GET", "/SimpleNotificationService-00.pem", nil, ""}, "sns"},
		"STS":                         {request{"POST", "/", []string{"Content-Type", form, "Authorization", scope("sts")}, "Action=GetCallerIdentity"}, "sts"},
		"STS in a form, unsigned":     {request{"POST", "/", []string{"Content-Type", form}, "Action=AssumeRole&Version=2011-06-15"}, "sts"},
		"STS in a URL, no version":    {request{"GET", "/?Action=GetCallerIdentity", nil, ""}, "sts"},
		"SQS by version":              {request{"GET", "/?Action=ListQueues&Version=2012-11-05", []string{"Authorization", scope("execute-api")}, ""}, "sqs"},
		"SNS by version":              {request{"POST", "/", []string{"Content-Type", form, "Authorization", scope("127")}, "Action=ListTopics&Version=2010-03-31"}, "sns"},
		"STS by version":              {request{"GET", "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential=test%2F20260101%2Fus-east-1%2Flocalhost%2Faws4_request", nil, ""}, "sts"},
		"IAM by version":              {request{"POST", "/", []string{"Content-Type", form, "Authorization", scope("localhost")}, "Action=GetUser&Version=2010-05-08"}, "iam"},
		"SES by version":              {request{"POST", "/", []string{"Content-Type", form, "Authorization", scope("ses")}, "Action=ListIdentities&Version=2010-12-01"}, ""},
		"S3 with version":             {request{"PUT", "/bucket/key?Version=2010-03-31", []string{"Authorization", scope("s3")}, ""}, ""},
		"Alibaba's by AWS":            {request{"POST", "/", []string{"Content-Type", form, "Authorization", scope("ecs")}, "Action=CreateQueue&Version=2022-01-19"}, ""},
		"a form that begins late":     {request{"POST", "/", []string{"Content-Type", form}, "MessageBody=" + strings.Repeat("x", maxPeeked) + "&Version=2011-06-15"}, "sqs"},
		"a form cut in a parameter":   {request{"POST", "/", []string{"Content-Type", form}, "Action=AssumeRole&x=" + strings.Repeat("x", maxPeeked)}, "sts"},
		"a form that is none":         {request{"POST", "/", []string{"Content-Type", form}, "%zz"}, "sqs"},
		"DynamoDB":                    {request{"POST", "/", []string{"X-Amz-Target", "DynamoDB_20120810.ListTables", "Authorization", scope("dynamodb")}, ""}, ""},
		"CloudWatch in CBOR":          {request{"POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", []string{"Smithy-Protocol", "rpc-v2-cbor"}, ""}, ""},
		"S3":                          {request{"PUT", "/bucket/key", []string{"Authorization", scope("s3")}, ""}, ""},
		"S3 presigned":                {request{"GET", "/bucket/key?X-Amz-Credential=test%2F20260101%2Fus-east-1%2Fs3%2Faws4_request", nil, ""}, ""},
		"S3 unsigned":                 {request{"DELETE", "/bucket", nil, ""}, ""},
		"Lambda":                      {request{"GET", "/2015-03-31/functions", []string{"Authorization", scope("lambda")}, ""}, ""},
		"Alibaba's OpenAPI, new form": {request{"POST", "/?QueueName=orders", []string{"Authorization", "ACS3-HMAC-SHA256 Credential=test,SignedHeaders=host,Signature=0", "x-acs-action", "CreateQueue"}, ""}, ""},
		"Alibaba's OpenAPI, old form": {request{"GET", "/?Action=DescribeInstances&SignatureMethod=HMAC-SHA1&AccessKeyId=test&Version=2014-05-26", nil, ""}, ""},
		"SMQ's control plane":         {request{"POST", "/", []string{"Authorization", "ACS3-HMAC-SHA256 Credential=test,SignedHeaders=host,Signature=0", "x-acs-action", "CreateQueue", "x-acs-version", "2022-01-19"}, ""}, "smq"},
		"SMQ's, old form":             {request{"GET", "/?Action=CreateQueue&SignatureMethod=HMAC-SHA1&AccessKeyId=test&Version=2022-01-19", nil, ""}, "smq"},
		"Alibaba's STS":               {request{"GET", "/?Action=GetCallerIdentity&SignatureMethod=HMAC-SHA1&AccessKeyId=test&Version=2015-04-01", nil, ""}, "aliyunsts"},
		"Alibaba's STS, new form":     {request{"POST", "/", []string{"Authorization", "ACS3-HMAC-SHA256 Credential=test,SignedHeaders=host,Signature=0", "x-acs-action", "AssumeRole", "x-acs-version", "2015-04-01"}, ""}, "aliyunsts"},
		"Alibaba's STS in a form":     {request{"POST", "/", []string{"Content-Type", form}, "Action=AssumeRole&Version=2015-04-01&SignatureMethod=HMAC-SHA1"}, "aliyunsts"},
		"SMQ's in a form":             {request{"POST", "/", []string{"Content-Type", form}, "Action=CreateQueue&Version=2022-01-19&QueueName=q"}, "smq"},
		"Alibaba's OpenAPI, its version in a form": {request{"POST", "/?SignatureMethod=HMAC-SHA1&Action=ListQueue", []string{"Content-Type", form}, "Version=2022-01-19"}, "smq"},
		"receipts of messages":                     {request{"POST", "/?Action=QueryTokenForMnsQueue&Version=2017-05-25", nil, ""}, "dybase"},
		"text messages":                            {request{"POST", "/?Action=SendSms&Version=2017-05-25&SignatureMethod=HMAC-SHA1", nil, ""}, ""},
		"RocketMQ over HTTP":                       {request{"GET", "/topics/t/messages?consumer=c", []string{"x-mq-version", "2015-06-06", "Authorization", "MQ test:c2ln"}, ""}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := tt.in.http()
			if got := protocolOf(r); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if body, err := io.ReadAll(r.Body); string(body) != tt.in.body {
				t.Errorf("the body has become %q, %v", body, err)
			}
		})
	}
}

// Whoever asks for something else is told so in a form that it understands.
func TestWaits(t *testing.T) {
	t.Parallel()
	mns := []string{"x-mns-version", "2015-06-06", "Authorization", "MNS test:c2ln"}
	tests := map[string]struct {
		in   request
		want bool
	}{
		"SQS receives":          {request{"POST", "/", []string{"X-Amz-Target", "AmazonSQS.ReceiveMessage"}, "{}"}, true},
		"SQS sends":             {request{"POST", "/", []string{"X-Amz-Target", "AmazonSQS.SendMessage"}, "{}"}, false},
		"SQS in a form":         {request{"POST", "/", []string{"Content-Type", "application/x-www-form-urlencoded"}, "Action=ReceiveMessage"}, false},
		"MNS receives":          {request{"GET", "/queues/orders/messages?waitseconds=10", mns, ""}, true},
		"MNS sends":             {request{"POST", "/queues/orders/messages", mns, ""}, false},
		"MNS shows a queue":     {request{"GET", "/queues/orders", mns, ""}, false},
		"RocketMQ over HTTP":    {request{"GET", "/topics/t/messages?consumer=c", []string{"x-mq-version", "2015-06-06", "Authorization", "MQ test:c2ln"}, ""}, false},
		"the JSON API's search": {request{"GET", "/api/v1/queues/orders/messages", []string{"Authorization", "Bearer test"}, ""}, false},
	}
	for name, tt := range tests {
		if got := Waits(tt.in.http()); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	mnsRequest := request{"GET", "/queues/orders", []string{"x-mns-version", "2015-06-06"}, ""}
	sqsRequest := request{"POST", "/", []string{"X-Amz-Target", "AmazonSQS.ListQueues"}, ""}
	tests := map[string]struct {
		on          []string // nil: all
		in          request
		status      int
		contentType string
		want        []string
	}{
		"DynamoDB": {nil, request{"POST", "/", []string{"X-Amz-Target", "DynamoDB_20120810.ListTables", "Authorization", scope("dynamodb")}, "{}"}, 400, "application/x-amz-json-1.0",
			[]string{`"__type":"UnknownOperationException"`, `"message":"polymq does not speak DynamoDB_20120810 here. It speaks: ` + strings.Join(Names, ", ") + `."`}},
		"Lambda": {nil, request{"GET", "/2015-03-31/functions", []string{"Authorization", scope("lambda")}, ""}, 400, "application/x-amz-json-1.0",
			[]string{`does not speak lambda here`}},
		"S3": {nil, request{"PUT", "/bucket/a&b", []string{"Authorization", scope("s3")}, "x"}, 501, "application/xml",
			[]string{`<Error><Code>NotImplemented</Code><Message>polymq does not speak s3 here.`, `<Resource>/bucket/a&amp;b</Resource>`}},
		"S3, HEAD": {nil, request{"HEAD", "/bucket", []string{"Authorization", scope("s3")}, ""}, 501, "application/xml", nil},
		"S3, unsigned": {nil, request{"DELETE", "/bucket", nil, ""}, 501, "application/xml",
			[]string{`does not speak DELETE /bucket here`}},
		"SNS": {[]string{"sqs"}, request{"POST", "/", []string{"Content-Type", form, "Authorization", scope("sns")}, "Action=Publish"}, 400, "text/xml",
			[]string{`<Error><Type>Sender</Type><Code>InvalidAction</Code><Message>polymq does not speak sns here.`}},
		"SES": {nil, request{"POST", "/", []string{"Content-Type", form, "Authorization", scope("ses")}, "Action=ListIdentities"}, 400, "text/xml",
			[]string{`<Code>InvalidAction</Code><Message>polymq does not speak ses here.`}},
		"SES, in JSON": {nil, request{"GET", "/v2/email/identities", []string{"Authorization", scope("ses")}, ""}, 400, "application/x-amz-json-1.0",
			[]string{`does not speak ses here`}},
		"CloudFront": {nil, request{"GET", "/2020-05-31/distribution", []string{"Authorization", scope("cloudfront")}, ""}, 400, "text/xml",
			[]string{`<Message>polymq does not speak cloudfront here.`}},
		"CBOR": {nil, request{"POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", []string{"Smithy-Protocol", "rpc-v2-cbor"}, ""}, 400, "application/cbor",
			[]string{"\xa2\x66__type\x79\x00\x19UnknownOperationException\x67message\x79", "GraniteServiceVersion20100801"}},
		"OpenAPI": {nil, request{"POST", "/", []string{"Authorization", "ACS3-HMAC-SHA256 Credential=test", "x-acs-action", "CreateQueue"}, ""}, 400, "application/json;charset=utf-8",
			[]string{`"Code":"MissingVersion"`, `"HostId":"localhost:4566"`, `"RequestId":"`}},
		"OpenAPI, another version": {nil, request{"POST", "/", []string{"Authorization", "ACS3-HMAC-SHA256 Credential=test", "x-acs-action", "DescribeInstances", "x-acs-version", "2014-05-26"}, ""}, 400, "application/json;charset=utf-8",
			[]string{`"Code":"InvalidVersion"`, `does not speak version \"2014-05-26\" of Alibaba's OpenAPI here. It speaks: `}},
		"OpenAPI, another version, in a form": {nil, request{"POST", "/?SignatureMethod=HMAC-SHA1", []string{"Content-Type", form}, "Action=DescribeInstances&Version=2014-05-26"}, 400, "application/json;charset=utf-8",
			[]string{`"Code":"InvalidVersion"`, `\"2014-05-26\"`}},
		"mns-open is off": {[]string{"mns"}, request{"GET", "/?Action=ListQueue&SignatureMethod=HMAC-SHA1&Version=2022-01-19", nil, ""}, 404, "application/json;charset=utf-8",
			[]string{`"Code":"InvalidAction.NotFound"`, `\"2022-01-19\"`}},
		"RocketMQ": {nil, request{"GET", "/topics/t/messages", []string{"x-mq-version", "2015-06-06"}, ""}, 400, "text/xml;charset=utf-8",
			[]string{`<Error xmlns="http://mq.aliyuncs.com/doc/v1"><Code>NotImplemented</Code>`}},
		"SQS is off": {[]string{"mns"}, sqsRequest, 400, "application/x-amz-json-1.0",
			[]string{`polymq does not speak AmazonSQS here. It speaks: mns.`}},
		"SQS is off, a form": {[]string{"mns", "api"}, request{"GET", "/?Action=ListQueues", nil, ""}, 400, "text/xml",
			[]string{`<Code>InvalidAction</Code>`, `It speaks: mns, api.`}},
		"MNS is off": {[]string{"sqs"}, mnsRequest, 400, "text/xml;charset=utf-8",
			[]string{`<Error xmlns="http://mns.aliyuncs.com/doc/v1"><Code>NotImplemented</Code><Message>polymq does not speak MNS here.`, `<HostId>http://localhost:4566</HostId>`}},
		"the API is off": {[]string{"sqs"}, request{"GET", "/api/v1/queues", nil, ""}, 404, "application/problem+json",
			[]string{`"status":404`, `does not speak the JSON API here`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			New(core.NewBroker(panicking{}), Options{Protocols: tt.on}).ServeHTTP(w, tt.in.http())
			if w.Code != tt.status || w.Header().Get("Content-Type") != tt.contentType {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Header().Get("Content-Type"), tt.status, tt.contentType)
			}
			for _, want := range tt.want {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("got %s\nwant %s", w.Body, want)
				}
			}
			if tt.want == nil && w.Body.Len() > 0 {
				t.Errorf("got %s, want no body", w.Body)
			}
			checkDocument(t, tt.contentType, w.Body.Bytes())
		})
	}
}

// Who speaks to an MNS that is switched off finds the id in the header and the document, as MNS writes it.
func TestRefusalsOfMNSHaveItsRequestID(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	New(core.NewBroker(panicking{}), Options{Protocols: []string{"sqs"}}).ServeHTTP(w, request{"GET", "/queues/orders", []string{"x-mns-version", "2015-06-06"}, ""}.http())
	id := w.Header()["x-mns-request-id"] //nolint:staticcheck // as it stands on the wire
	if len(id) != 1 || !regexp.MustCompile(`^[0-9A-F]{24}$`).MatchString(id[0]) || !strings.Contains(w.Body.String(), "<RequestId>"+id[0]+"</RequestId>") {
		t.Errorf("got the id %q in the header of %s", id, w.Body)
	}
}

// checkDocument checks that a body is what its type says.
func checkDocument(t *testing.T, contentType string, body []byte) {
	t.Helper()
	var err error
	switch {
	case len(body) == 0:
	case strings.Contains(contentType, "json"):
		err = json.Unmarshal(body, new(any))
	case strings.Contains(contentType, "xml"):
		err = xml.Unmarshal(body, new(struct{}))
	}
	if err != nil {
		t.Errorf("%v in %s", err, body)
	}
}

// SDKs show what a server says that does not speak their service, and ask once.
func TestRefusalsInSDKs(t *testing.T) {
	t.Parallel()
	asked := 0
	port := New(core.NewBroker(panicking{}), Options{Protocols: []string{"sqs"}, Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.ErrorLevel)})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		port.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	keys := credentials.NewStaticCredentialsProvider("test", "test", "")

	stsClient := sts.New(sts.Options{BaseEndpoint: &server.URL, Region: "us-east-1", Credentials: keys})
	_, err := stsClient.GetCallerIdentity(t.Context(), nil)
	wantAPIError(t, err, "InvalidAction", "polymq does not speak sts here.")

	cbor := sqs.New(sqs.Options{BaseEndpoint: &server.URL, Region: "us-east-1", Credentials: keys},
		func(o *sqs.Options) { o.Protocol = rpcv2.NewCBOR(schemas.AmazonSQS) })
	_, err = cbor.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String("orders"), MessageBody: aws.String("x")})
	wantAPIError(t, err, "UnsupportedOperation", "not in CBOR")

	if asked != 2 {
		t.Errorf("the SDKs asked %d times, want once each", asked)
	}
}

func wantAPIError(t *testing.T, err error, code, message string) {
	t.Helper()
	var apiError smithy.APIError
	if !errors.As(err, &apiError) || !strings.HasSuffix(apiError.ErrorCode(), code) || !strings.Contains(apiError.ErrorMessage(), message) {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

// panicking is a store whose methods panic.
type panicking struct{ core.Store }

func (panicking) Notify(func(core.Arrival)) {}

func (panicking) Observe(func(*core.Queue) bool, func(*core.Queue, core.Event)) {}

func TestPanics(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in   request
		want string
	}{
		"SQS in JSON": {request{"POST", "/", []string{"X-Amz-Target", "AmazonSQS.ReceiveMessage"}, `{"QueueUrl":"orders"}`},
			`{"__type":"com.amazon.coral.service#InternalFailure","message":"internal error"}`},
		"SQS in a form": {request{"GET", "/?Action=ReceiveMessage&QueueUrl=orders", nil, ""}, `<Type>Receiver</Type><Code>InternalError</Code>`},
		"MNS":           {request{"GET", "/queues/orders/messages", []string{"x-mns-version", "2015-06-06"}, ""}, `<Code>InternalError</Code>`},
		"JSON API":      {request{"GET", "/api/v1/queues/orders", nil, ""}, `"code":"Internal`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			logger := zerolog.New(&log)
			r := tt.in.http()
			w := httptest.NewRecorder()
			New(core.NewBroker(panicking{}), Options{Log: logger.Level(zerolog.ErrorLevel)}).ServeHTTP(w, r.WithContext(logger.WithContext(r.Context())))
			if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), tt.want) || strings.Contains(w.Body.String(), "goroutine") {
				t.Errorf("got %d %s, want %s", w.Code, w.Body, tt.want)
			}
			if !strings.Contains(log.String(), "panicking") {
				t.Errorf("logged %s, want the stack", &log)
			}
		})
	}
}

// One queue, three protocols, one port.
func TestOnePort(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	port := New(pgtest.Broker(t), Options{Log: zerolog.New(&log).Level(zerolog.DebugLevel)})
	serve := func(in request) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		port.ServeHTTP(w, in.http())
		return w
	}
	mns := []string{"x-mns-version", "2015-06-06"}
	steps := []struct {
		in       request
		status   int
		want     string
		protocol string
	}{
		{request{"POST", "/", []string{"X-Amz-Target", "AmazonSQS.CreateQueue"}, `{"QueueName":"orders"}`}, 200, `"QueueUrl":"http://localhost:4566/000000000000/orders"`, "sqs"},
		{request{"POST", "/", []string{"X-Amz-Target", "AmazonSQS.SendMessage"}, `{"QueueUrl":"orders","MessageBody":"hello"}`}, 200, `"MessageId"`, "sqs"},
		{request{"GET", "/queues/orders/messages?peekonly=true", mns, ""}, 200, "hello", "mns"},
		{request{"GET", "/api/v1/queues/orders", nil, ""}, 200, `"orders"`, "api"},
		{request{"GET", "/api/v1/nothing", nil, ""}, 404, `"NotFound"`, "api"},
		{request{"GET", "/000000000000/orders?Action=ReceiveMessage", nil, ""}, 200, "<Body>hello</Body>", "sqs"},
		{request{"POST", "/", []string{"X-Amz-Target", "AmazonSQSv20121105.ListQueues", "Content-Type", "application/x-www-form-urlencoded;charset=utf-8"}, "Action=ListQueues&Version=2012-11-05"}, 200,
			"<QueueUrl>http://localhost:4566/000000000000/orders</QueueUrl>", "sqs"},
		{request{"GET", "/", nil, ""}, 404, "<UnknownOperationException/>", "sqs"},
	}
	for _, step := range steps {
		log.Reset()
		w := serve(step.in)
		if w.Code != step.status || !strings.Contains(w.Body.String(), step.want) {
			t.Errorf("%+v: got %d %s, want %d with %s", step.in, w.Code, w.Body, step.status, step.want)
		}
		if !strings.Contains(log.String(), `"protocol":"`+step.protocol+`"`) || !strings.Contains(log.String(), `"message":"request"`) {
			t.Errorf("%+v: logged %s", step.in, &log)
		}
	}
	if w := serve(request{"GET", "/healthz", nil, ""}); w.Code != http.StatusOK {
		t.Errorf("/healthz: got %d", w.Code)
	}
}

// callOfAPI is a call of the JSON API in a text to paste.
var callOfAPI = regexp.MustCompile(`(-X POST )?"http://localhost:4566(/api/v1/[^"]*)"(, method="POST")?`)

// The calls of the JSON API that the console shows are operations, and their parameters known to them.
func TestCallsThatTheConsoleShows(t *testing.T) {
	t.Parallel()
	const root = "/console/000000000000/us-east-1"
	broker := pgtest.Broker(t)
	pgtest.Queue(t, broker, "orders")
	if _, _, err := broker.CreateTopic(t.Context(), core.NewTopic{Name: core.TopicName(pgtest.Name("orders")), Settings: core.DefaultTopicSettings()}); err != nil {
		t.Fatal(err)
	}
	port := New(broker, Options{TestMode: true, Console: &console.Options{TestMode: true}})
	calls := map[string]bool{}
	for _, page := range []string{"/", "/queues", "/queues/orders", "/queues/orders/settings", "/queues/orders/moves", "/trace", "/trace?queue=orders", "/trace?id=5fea7756-0ea4-451a-a703-a558b933e274",
		"/topics", "/topics/orders", "/topics/orders/settings", "/outbox", "/keys", "/clock", "/servers", "/costs", "/users", "/groups", "/roles", "/policies", "/explain", "/faults", "/audit", "/alerts"} {
		w := httptest.NewRecorder()
		port.ServeHTTP(w, request{"GET", root + page, nil, ""}.http())
		found := callOfAPI.FindAllStringSubmatch(html.UnescapeString(w.Body.String()), -1)
		if w.Code != http.StatusOK || len(found) == 0 {
			t.Errorf("%s: got %d and %d calls", page, w.Code, len(found))
		}
		for _, call := range found {
			method := "GET"
			if call[1]+call[3] != "" {
				method = "POST"
			}
			calls[method+" "+call[2]] = true
		}
	}
	for call := range calls {
		method, target, _ := strings.Cut(call, " ")
		w := httptest.NewRecorder()
		port.ServeHTTP(w, request{method, target, []string{"Content-Type", "application/json"}, "{}"}.http())
		if text := w.Body.String(); strings.Contains(text, `"code":"NotFound"`) || strings.Contains(text, "MethodNotAllowed") || strings.Contains(text, "query") {
			t.Errorf("%s: got %d %s", call, w.Code, text)
		}
	}
}

// Health checks are there whatever is spoken, and a refusal in MNS has the headers that its SDKs read.
func TestProtocolsOff(t *testing.T) {
	t.Parallel()
	port := New(pgtest.Broker(t), Options{Protocols: []string{"sqs"}})
	for _, path := range []string{"/healthz", "/readyz"} {
		w := httptest.NewRecorder()
		port.ServeHTTP(w, request{"GET", path, nil, ""}.http())
		if w.Code != http.StatusOK {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	port.ServeHTTP(w, request{"GET", "/queues", []string{"x-mns-version", "2015-06-06"}, ""}.http())
	id := w.Header()["x-mns-request-id"] //nolint:staticcheck // as it stands on the wire
	if len(id) != 1 || id[0] == "" || !strings.Contains(w.Body.String(), id[0]) {
		t.Errorf("refused with %v %s", w.Header(), w.Body)
	}
}

// A client that goes away during a long poll ends it, also behind Gin's writer.
func TestVanishedClient(t *testing.T) {
	t.Parallel()
	broker := pgtest.Broker(t)
	queue := pgtest.Queue(t, broker, "orders")
	began, ended := make(chan struct{}), make(chan struct{})
	port := New(broker, Options{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		defer close(ended)
		port.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/000000000000/orders?Action=ReceiveMessage&WaitTimeSeconds=20", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if response, err := httpClient.Do(r); err == nil {
			_ = response.Body.Close()
		}
	}()
	<-began
	cancel()
	<-ended
	pgtest.Send(t, broker, queue, "hello")
	if got := pgtest.Receive(t, broker, queue, 1); len(got) != 1 || got[0].ReceiveCount != 1 {
		t.Errorf("got %+v, want a message that nobody received", got)
	}
}

// What is no answer of the protocol's does not go out: a request that is too slow gets the protocol's own
// error, and one that the server no longer serves gets none.
func TestUnansweredRequests(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		header, want string
	}{
		"sqs": {"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.ListQueues\r\n", "SerializationException"},
		"mns": {"POST /queues/orders/messages HTTP/1.1\r\nx-mns-version: 2015-06-06\r\n", "<Code>InvalidArgument</Code>"},
		"api": {"POST /api/v1/queues HTTP/1.1\r\nContent-Type: application/json\r\n", "problem+json"},
	}
	port := New(pgtest.Broker(t), Options{})
	slow := httptest.NewUnstartedServer(port)
	slow.Config.ReadHeaderTimeout, slow.Config.ReadTimeout = time.Minute, 200*time.Millisecond // which is for the body then
	slow.Start()
	t.Cleanup(slow.Close)
	aborted := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		port.ServeHTTP(w, r.WithContext(ctx))
	}))
	t.Cleanup(aborted.Close)
	for protocol, tt := range tests {
		if got := exchange(t, slow, tt.header+"Host: localhost\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{"); !strings.Contains(got, tt.want) {
			t.Errorf("%s: a slow request got %q, want %s", protocol, got, tt.want)
		}
		if got := exchange(t, aborted, tt.header+"Host: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"); strings.Contains(got, "page not found") {
			t.Errorf("%s: an aborted request got %q", protocol, got)
		}
	}
}

// exchange sends a request as it is and gives all that the server says before it ends the connection.
func exchange(t *testing.T, server *httptest.Server, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(conn) // a reset ends it as well
	return string(answer)
}

func BenchmarkDispatch(b *testing.B) {
	port := New(core.NewBroker(panicking{}), Options{Log: zerolog.Nop()})
	r := request{"GET", "/", []string{"Authorization", scope("sqs")}, ""}.http()
	b.ReportAllocs()
	for b.Loop() {
		port.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// A browser is led to the console; whatever an SDK asks of / is answered as ever, and so is a browser without one.
func TestBrowsersAreLedToTheConsole(t *testing.T) {
	t.Parallel()
	broker := pgtest.Broker(t)
	with, without := New(broker, Options{Console: &console.Options{}}), New(broker, Options{})
	browser := request{"GET", "/", []string{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}, ""}
	tests := map[string]struct {
		handler http.Handler
		in      request
		status  int
	}{
		"a browser":             {with, browser, http.StatusFound},
		"no console":            {without, browser, http.StatusNotFound},
		"curl":                  {with, request{"GET", "/", []string{"Accept", "*/*"}, ""}, http.StatusNotFound},
		"an SDK":                {with, request{"GET", "/?Action=ListQueues&Version=2012-11-05", []string{"Accept", "text/html"}, ""}, http.StatusOK},
		"the console's page":    {with, request{"GET", "/console/000000000000/us-east-1/queues", nil, ""}, http.StatusOK},
		"a page of no console":  {without, request{"GET", "/console/000000000000/us-east-1/queues", nil, ""}, http.StatusNotFound},
		"a queue named console": {with, request{"POST", "/000000000000/console", []string{"X-Amz-Target", "AmazonSQS.ListQueues"}, "{}"}, http.StatusOK},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			tt.handler.ServeHTTP(w, tt.in.http())
			if w.Code != tt.status {
				t.Errorf("got %d, want %d: %s", w.Code, tt.status, w.Body)
			}
		})
	}
}

// TestHeads has each page answered to a HEAD as to a GET, but for its body, so that who only looks whether a server is
// there finds it; a HEAD does nothing.
func TestHeads(t *testing.T) {
	t.Parallel()
	broker := pgtest.Broker(t)
	ports := map[string]Options{"open": {Console: &console.Options{}}, "verifying": {Console: &console.Options{}, Caller: caller.Options{Verify: true, Keys: broker}}, "without SQS": {Protocols: []string{"mns"}, Console: &console.Options{}}}
	ask := func(t *testing.T, method, url, accept, body string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", accept)
		if body != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		response, err := httpClient.Transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response
	}
	for name, options := range ports {
		server := httptest.NewServer(New(broker, options))
		t.Cleanup(server.Close)
		for _, path := range []string{"/", "/docs", "/docs/", "/docs/testing", "/docs/docs.css", "/docs/none", "/console", "/console/", "/console/login", "/console/000000000000/us-east-1/queues", "/console/assets/console.css", "/console/none", "/healthz", "/readyz"} {
			for _, accept := range []string{"*/*", "text/html"} {
				get, head := ask(t, "GET", server.URL+path, accept, ""), ask(t, "HEAD", server.URL+path, accept, "")
				if head.StatusCode != get.StatusCode || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") || head.Header.Get("Location") != get.Header.Get("Location") {
					t.Errorf("%s, %s, %s: a GET gets %s %v, a HEAD %s %v", name, path, accept, get.Status, get.Header, head.Status, head.Header)
				}
			}
		}
		for query, body := range map[string]string{"?Action=CreateQueue&QueueName=orders": "", "": "Action=CreateQueue&QueueName=orders"} {
			if got := ask(t, "HEAD", server.URL+"/"+query, "*/*", body); got.StatusCode < http.StatusBadRequest {
				t.Errorf("%s, a HEAD that names an action: %s", name, got.Status)
			}
		}
	}
	if _, err := broker.Queue(t.Context(), core.QueueName{Account: caller.DefaultAccount, Region: caller.DefaultRegion, Name: "orders"}); core.CodeOf(err) != core.QueueNotFound {
		t.Errorf("a HEAD made a queue: %v", err)
	}
}
