package sdktests

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// emulatorsGetWrong is section 8 of specs/sns.md: what emulators of SNS get wrong, point by point, in its order.
var emulatorsGetWrong = []struct {
	name  string
	check func(*testing.T, *subscriber)
}{
	{"01 codes of errors are not the names of exceptions", errorCodes},
	{"02 filter policies count, however they are given", filtersCount},
	{"03 policies match more than exact values", filterOperators},
	{"04 policies can look at the body", filterBodies},
	{"05 dots, arrays, arrays of objects and null in bodies", filterNested},
	{"06 or, and, suffix, equals-ignore-case, cidr", filterCombinations},
	{"07 filters look into String.Array", filterStringArrays},
	{"08 a scope is shown beside a policy, and only there", filterScopeShown},
	{"09 raw delivery in any case, with attributes", rawDelivery},
	{"10 subscribing again is the same subscription, and attributes count", subscribeAgain},
	{"11 queues, functions and streams need not confirm", confirmedAtOnce},
	{"12 three words for what is not confirmed", pendingWords},
	{"13 whether the confirmation was authenticated", confirmationAuthenticated},
	{"14 the link confirms in any region and account", confirmByLink},
	{"15 the default policies of a topic are shown", defaultPolicies},
	{"16 topic attributes come back as they were set", topicAttributes},
	{"17 creating a topic again compares attributes and tags", createAgain},
	{"18 FIFO topics demand groups, deduplication and their suffix", fifoDemands},
	{"19 deduplication ids reach FIFO queues", fifoDeduplicationIDs},
	{"20 all messages of a group arrive", fifoArrivesWhole},
	{"21 the order of a group holds", fifoOrder},
	{"22 standard queues subscribe to FIFO topics", fifoToStandard},
	{"23 standard topics take message groups", groupsOnStandard},
	{"24 sequence numbers, and no signature on FIFO topics", sequenceNumbers},
	{"25 entries of a batch are apart", batchEntries},
	{"26 messages with a text for each protocol", messageStructure},
	{"27 attributes count towards the size", messageSize},
	{"28 binary attributes stay what they are", binaryAttributes},
	{"29 time, subject and link of an envelope", envelopeMembers},
	{"30 signatures are real, by a certificate that can be fetched", signatures},
	{"31 headers of a push", pushHeaders},
	{"32 pushes are tried again", pushRetries},
	{"33 a subscription outlives its queue", queueDeleted},
	{"34 dead letters are what the subscriber would have got", deadLetters},
	{"35 what is gone can be deleted", deletingAgain},
	{"36 other regions are refused, other accounts are not", acrossRegionsAndAccounts},
	{"37 lists have pages", listPages},
	{"38 empty results and empty lists are there", emptyResults},
	{"39 a slow subscriber delays nobody", slowSubscriber},
	{"40 regions are apart", regionsApart},
}

// Each point has an account of its own on one server, which is used as SDKs and subscribers do.
func TestSNSWhatEmulatorsGetWrong(t *testing.T) {
	t.Parallel()
	p, front := startBehindTLS(t)
	for i, point := range emulatorsGetWrong {
		t.Run(point.name, func(t *testing.T) {
			if !strings.HasPrefix(point.name, fmt.Sprintf("%02d ", i+1)) {
				t.Errorf("this is point %d", i+1)
			}
			account := fmt.Sprintf("%012d", 800_000_000_001+i)
			point.check(t, &subscriber{p.as(account), account, front.Client()})
		})
	}
}

// subscriber is an account, and a client that fetches certificates.
type subscriber struct {
	polymq
	account      string
	certificates *http.Client
}

func (s *subscriber) arn(service, resource string) string {
	return "arn:aws:" + service + ":us-east-1:" + s.account + ":" + resource
}

// inRegion gives a client of another region.
func (s *subscriber) inRegion(region string) *sns.Client {
	return sns.New(s.sns().Options(), func(o *sns.Options) { o.Region = region })
}

// topic makes a topic with attributes name, value, name, value.
func (s *subscriber) topic(t *testing.T, name string, attributes ...string) string {
	t.Helper()
	return *topic(t, s.sns(), name, pairs(attributes))
}

// subscribe gives the subscription's ARN.
func (s *subscriber) subscribe(t *testing.T, topic, protocol, endpoint string, attributes ...string) string {
	t.Helper()
	out, err := s.sns().Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: &topic, Protocol: &protocol, Endpoint: &endpoint, Attributes: pairs(attributes), ReturnSubscriptionArn: true,
	})
	if err != nil {
		t.Fatalf("subscribe %s: %v", endpoint, err)
	}
	return *out.SubscriptionArn
}

// queue makes a queue and subscribes it; gives its URL and the subscription's ARN.
func (s *subscriber) queue(t *testing.T, topic, name string, attributes ...string) (url, subscription string) {
	t.Helper()
	return s.newQueue(t, name), s.subscribe(t, topic, "sqs", s.arn("sqs", name), attributes...)
}

func (s *subscriber) newQueue(t *testing.T, name string) (url string) {
	t.Helper()
	if strings.HasSuffix(name, ".fifo") {
		return createQueue(t, s.sqs(), name, "FifoQueue", "true")
	}
	return createQueue(t, s.sqs(), name)
}

// publish publishes a text with attributes.
func (s *subscriber) publish(t *testing.T, topic, text string, attributes ...map[string]types.MessageAttributeValue) *sns.PublishOutput {
	t.Helper()
	in := &sns.PublishInput{TopicArn: &topic, Message: &text}
	for _, some := range attributes {
		in.MessageAttributes = some
	}
	return publish(t, s.sns(), in)
}

// publishFIFO publishes a text in a group; no deduplication id is given where it is "".
func (s *subscriber) publishFIFO(t *testing.T, topic, text, group, deduplication string) *sns.PublishOutput {
	t.Helper()
	in := &sns.PublishInput{TopicArn: &topic, Message: &text, MessageGroupId: &group}
	if deduplication != "" {
		in.MessageDeduplicationId = &deduplication
	}
	return publish(t, s.sns(), in)
}

// attribute is a message with one attribute.
func attribute(name, kind, value string) map[string]types.MessageAttributeValue {
	return map[string]types.MessageAttributeValue{name: {DataType: &kind, StringValue: &value}}
}

// receive gives the messages of a queue that wait now, with all that is known of them.
func (s *subscriber) receive(t *testing.T, url string, options ...func(*sqs.ReceiveMessageInput)) []sqstypes.Message {
	t.Helper()
	return receive(t, s.sqs(), url, append([]func(*sqs.ReceiveMessageInput){upTo(10), func(in *sqs.ReceiveMessageInput) {
		in.MessageAttributeNames = []string{"All"}
		in.MessageSystemAttributeNames = []sqstypes.MessageSystemAttributeName{"All"}
	}}, options...)...)
}

// one gives the only message of a queue.
func (s *subscriber) one(t *testing.T, url string, options ...func(*sqs.ReceiveMessageInput)) sqstypes.Message {
	t.Helper()
	messages := s.receive(t, url, options...)
	if len(messages) != 1 {
		t.Fatalf("%s has %d messages, want 1", url, len(messages))
	}
	return messages[0]
}

// envelope gives the only message of a queue, unwrapped.
func (s *subscriber) envelope(t *testing.T, url string) map[string]any {
	t.Helper()
	var members map[string]any
	if body := *s.one(t, url).Body; json.Unmarshal([]byte(body), &members) != nil {
		t.Fatalf("it is no envelope: %s", body)
	}
	return members
}

// query does a request of the query protocol as it is on the wire.
func (s *subscriber) query(t *testing.T, parameters ...string) (status int, body string) {
	t.Helper()
	form := url.Values{"Version": {"2010-03-31"}}
	for name, value := range pairs(parameters) {
		form.Set(name, value)
	}
	r, err := http.NewRequest(http.MethodPost, s.url, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+s.account+"/20260101/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=00")
	return roundTrip(t, r)
}

// refused does a request that must fail; "" is any text.
func (s *subscriber) refused(t *testing.T, status int, code, text string, parameters ...string) {
	t.Helper()
	got, body := s.query(t, parameters...)
	want := "<Type>Sender</Type><Code>" + code + "</Code><Message>"
	if text != "" {
		want += text + "</Message>"
	}
	if compact := strings.ReplaceAll(strings.ReplaceAll(body, "\n", ""), "&#39;", "'"); got != status || !strings.Contains(compact, want) {
		t.Errorf("%v: got %d %s\nwant %d %s", parameters, got, body, status, want)
	}
}

// follow follows a link, as anybody can.
func (s *subscriber) follow(t *testing.T, link string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	status, body := roundTrip(t, r)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", link, status, body)
	}
	return body
}

// hook subscribes an endpoint, and confirms it by the link that it is sent.
func (s *subscriber) hook(t *testing.T, topic string, attributes ...string) (endpoint *inbox, subscription string) {
	t.Helper()
	endpoint = newInbox(t)
	subscription = s.subscribe(t, topic, "http", endpoint.URL, attributes...)
	s.follow(t, endpoint.next(t).members(t)["SubscribeURL"])
	return endpoint, subscription
}

func (s *subscriber) subscription(t *testing.T, arn string) map[string]string {
	t.Helper()
	return subscriptionAttributes(t, s.polymq, arn)
}

func (s *subscriber) topicAttributes(t *testing.T, arn string) map[string]string {
	t.Helper()
	out, err := s.sns().GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes
}

func (s *subscriber) setSubscription(t *testing.T, arn, name, value string) {
	t.Helper()
	_, err := s.sns().SetSubscriptionAttributes(t.Context(), &sns.SetSubscriptionAttributesInput{SubscriptionArn: &arn, AttributeName: &name, AttributeValue: &value})
	if err != nil {
		t.Fatalf("set %s: %v", name, err)
	}
}

// later moves the account's time.
func (s *subscriber) later(t *testing.T, by time.Duration) {
	t.Helper()
	s.api(t, "POST", "/clock", map[string]any{"account": s.account, "advance_seconds": by.Seconds()}, nil)
}

// inbox is an HTTP endpoint that takes all that it gets.
type inbox struct {
	*httptest.Server
	status   chan int // of the next answers; 200 where there is none
	messages chan pushed
}

// pushed is a message that an endpoint got.
type pushed struct {
	header http.Header
	body   string
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{status: make(chan int, 16), messages: make(chan pushed, 64)}
	in.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // who sent it is gone
		}
		select {
		case status := <-in.status:
			w.WriteHeader(status)
		default:
		}
		in.messages <- pushed{r.Header, string(body)}
	}))
	t.Cleanup(in.Close)
	return in
}

func (in *inbox) next(t *testing.T) pushed {
	t.Helper()
	select {
	case message := <-in.messages:
		return message
	case <-time.After(time.Minute): // the server makes its key first
		t.Fatal("the endpoint got nothing")
		return pushed{}
	}
}

// members gives what the envelope says, but for attributes.
func (p pushed) members(t *testing.T) map[string]string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(p.body), &all); err != nil {
		t.Fatalf("%v in %s", err, p.body)
	}
	texts := map[string]string{}
	for name, value := range all {
		if text, ok := value.(string); ok {
			texts[name] = text
		}
	}
	return texts
}

// matches subscribes one queue for each policy, publishes, and compares which of them have the message.
func (s *subscriber) matches(t *testing.T, scope, body string, attributes map[string]types.MessageAttributeValue, policies map[string]bool) {
	t.Helper()
	arn := s.topic(t, "filtered")
	urls := map[string]string{}
	for i, policy := range slices.Sorted(maps.Keys(policies)) {
		urls[policy], _ = s.queue(t, arn, fmt.Sprintf("filtered-%d", i), "FilterPolicyScope", scope, "FilterPolicy", policy)
	}
	s.publish(t, arn, body, attributes)
	for policy, url := range urls {
		if got := len(s.receive(t, url)) == 1; got != policies[policy] {
			t.Errorf("%s matches: %t", policy, got)
		}
	}
	if _, err := s.sns().DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: &arn}); err != nil {
		t.Fatal(err)
	}
}

func errorCodes(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	s.refused(t, 404, "NotFound", "Topic does not exist", "Action", "GetTopicAttributes", "TopicArn", s.arn("sns", "none"))
	s.refused(t, 400, "InvalidParameter", "Invalid parameter: Topic Name", "Action", "CreateTopic", "Name", "a b")
	s.refused(t, 400, "ParameterValueInvalid", "", "Action", "Publish", "TopicArn", orders, "Message", "x",
		"MessageAttributes.entry.1.Name", "a", "MessageAttributes.entry.1.Value.DataType", "Date", "MessageAttributes.entry.1.Value.StringValue", "x")
	s.refused(t, 404, "ResourceNotFound", "Resource does not exist", "Action", "TagResource", "ResourceArn", s.arn("sns", "none"), "Tags.member.1.Key", "a", "Tags.member.1.Value", "b")
	s.refused(t, 400, "TooManyEntriesInBatchRequest", "", slices.Concat([]string{"Action", "PublishBatch", "TopicArn", orders}, batchEntryParameters(11))...)
	_, err := s.sns().PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: &orders, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: aws.String("a"), Message: aws.String("x")}, {Id: aws.String("a"), Message: aws.String("y")},
	}})
	if typed := (*types.BatchEntryIdsNotDistinctException)(nil); !errors.As(err, &typed) {
		t.Errorf("the SDK has %v", err)
	}
	_, err = s.sns().ListTagsForResource(t.Context(), &sns.ListTagsForResourceInput{ResourceArn: aws.String("orders")})
	if typed := (*types.InvalidParameterException)(nil); !errors.As(err, &typed) {
		t.Errorf("the SDK has %v", err)
	}
}

func batchEntryParameters(n int) (parameters []string) {
	for i := range n {
		prefix := fmt.Sprintf("PublishBatchRequestEntries.member.%d.", i+1)
		parameters = append(parameters, prefix+"Id", fmt.Sprintf("m%d", i), prefix+"Message", "x")
	}
	return parameters
}

func filtersCount(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	given, _ := s.queue(t, orders, "given", "FilterPolicy", `{"kind":["refund"]}`)
	set, subscription := s.queue(t, orders, "set")
	s.setSubscription(t, subscription, "FilterPolicy", `{"kind":["refund"]}`)
	byName := s.newQueue(t, "by-name")
	for _, spelling := range [][2]string{{"Name", "Value"}, {"key", "value"}} { // hand-written clients send the first, SDKs the second
		status, body := s.query(t, "Action", "Subscribe", "TopicArn", orders, "Protocol", "sqs", "Endpoint", s.arn("sqs", "by-name"),
			"Attributes.entry.1."+spelling[0], "FilterPolicy", "Attributes.entry.1."+spelling[1], `{"kind":["refund"]}`)
		if status != 200 {
			t.Fatalf("%v: %d %s", spelling, status, body)
		}
	}
	s.publish(t, orders, "order", attribute("kind", "String", "order"))
	s.publish(t, orders, "none")
	s.publish(t, orders, "refund", attribute("kind", "String", "refund"))
	for _, url := range []string{given, set, byName} {
		if body := *s.one(t, url).Body; !strings.Contains(body, `"refund"`) {
			t.Errorf("%s has %s", url, body)
		}
	}
	s.setSubscription(t, subscription, "FilterPolicy", "")
	s.publish(t, orders, "anything")
	s.one(t, set)
}

func filterOperators(t *testing.T, s *subscriber) {
	s.matches(t, "MessageAttributes", "x", attribute("kind", "String", "order-paid"), map[string]bool{
		`{"kind":["order-paid"]}`:                             true,
		`{"kind":["order"]}`:                                  false,
		`{"kind":[{"prefix":"order-"}]}`:                      true,
		`{"kind":[{"prefix":"paid"}]}`:                        false,
		`{"kind":[{"anything-but":"refund"}]}`:                true,
		`{"kind":[{"anything-but":["refund","order-paid"]}]}`: false,
		`{"kind":[{"anything-but":{"prefix":"order"}}]}`:      false,
		`{"kind":[{"wildcard":"o*-*d"}]}`:                     true,
		`{"kind":[{"exists":true}]}`:                          true,
		`{"kind":[{"exists":false}]}`:                         false,
		`{"other":[{"exists":false}]}`:                        true,
		`{"other":[{"anything-but":"x"}]}`:                    false, // it does not match what is not there
	})
	s.matches(t, "MessageAttributes", "x", attribute("size", "Number", "3.015e2"), map[string]bool{
		`{"size":[301.5]}`:                              true,
		`{"size":["301.5"]}`:                            false,
		`{"size":[{"numeric":["=",301.50]}]}`:           true,
		`{"size":[{"numeric":[">",301.5]}]}`:            false,
		`{"size":[{"numeric":[">=",301.5,"<",302]}]}`:   true,
		`{"size":[{"numeric":[">=",301.5,"<",301.6]}]}`: true,
		`{"size":[{"anything-but":[301.5]}]}`:           false,
	})
}

func filterBodies(t *testing.T, s *subscriber) {
	s.matches(t, "MessageBody", `{"order":{"state":"paid","lines":2}}`, attribute("state", "String", "open"), map[string]bool{
		`{"order":{"state":["paid"]}}`:                                      true,
		`{"order":{"state":["open"]}}`:                                      false,
		`{"order":{"lines":[{"numeric":[">",1]}],"state":["paid","sent"]}}`: true,
		`{"state":["open"]}`:                                                false, // an attribute, which is not looked at
	})
	for _, body := range []string{"no JSON", `["paid"]`, `"paid"`} {
		s.matches(t, "MessageBody", body, nil, map[string]bool{`{"state":[{"exists":false}]}`: false})
	}
}

func filterNested(t *testing.T, s *subscriber) {
	s.matches(t, "MessageBody", `{"a":{"b":"x"},"c.d":"y","list":[["p"],"q"],"none":null,"empty":[]}`, nil, map[string]bool{
		`{"a.b":["x"]}`:                true,
		`{"a":{"b":["x"]}}`:            true,
		`{"c":{"d":["y"]}}`:            true,
		`{"list":["q"]}`:               true,
		`{"list":["p"]}`:               true, // of a list in a list
		`{"list":["r"]}`:               false,
		`{"none":[null]}`:              true,
		`{"missing":[null]}`:           false,
		`{"empty":[{"exists":false}]}`: true,
	})
	s.matches(t, "MessageBody", `{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"a"}}},{"eventName":"ObjectRemoved","s3":{"object":{"key":"b"}}}]}`, nil, map[string]bool{
		`{"Records":{"eventName":[{"prefix":"ObjectCreated:"}],"s3":{"object":{"key":["a"]}}}}`: true,
		`{"Records":{"eventName":[{"prefix":"ObjectCreated:"}],"s3":{"object":{"key":["b"]}}}}`: false, // of another record
	})
}

func filterCombinations(t *testing.T, s *subscriber) {
	attributes := attribute("kind", "String", "Order")
	maps.Copy(attributes, attribute("from", "String", "10.0.0.77"))
	maps.Copy(attributes, attribute("file", "String", "a.png"))
	s.matches(t, "MessageAttributes", "x", attributes, map[string]bool{
		`{"$or":[{"kind":["refund"]},{"file":[{"suffix":".png"}]}]}`:                      true,
		`{"$or":[{"kind":["refund"]},{"file":[{"suffix":".jpg"}]}]}`:                      false,
		`{"from":[{"cidr":"10.0.0.0/24"}],"$or":[{"kind":["Order"]},{"file":["b.png"]}]}`: true,
		`{"from":[{"cidr":"10.0.0.0/26"}],"$or":[{"kind":["Order"]},{"file":["b.png"]}]}`: false,
		`{"kind":[{"equals-ignore-case":"oRDER"}],"file":[{"suffix":".png"}]}`:            true,
		`{"kind":[{"equals-ignore-case":"oRDER"}],"file":[{"suffix":".PNG"}]}`:            false,
		`{"kind":["refund","Order"]}`:                                                     true,  // one of them
		`{"kind":["Order"],"file":["b.png"]}`:                                             false, // both
	})
}

func filterStringArrays(t *testing.T, s *subscriber) {
	s.matches(t, "MessageAttributes", "x", attribute("sports", "String.Array", `["rugby", "baseball", 7, true, null]`), map[string]bool{
		`{"sports":["rugby"]}`:                                    true,
		`{"sports":["soccer"]}`:                                   false,
		`{"sports":[7]}`:                                          true,
		`{"sports":[true]}`:                                       true,
		`{"sports":[null]}`:                                       true,
		`{"sports":[{"prefix":"base"}]}`:                          true,
		`{"sports":[{"anything-but":"rugby"}]}`:                   true, // some element is another
		`{"sports":[{"numeric":[">",6]}]}`:                        true,
		`{"sports":["[\"rugby\", \"baseball\", 7, true, null]"]}`: false,
	})
	s.matches(t, "MessageAttributes", "x", attribute("sports", "String.Array", `["rugby"`), map[string]bool{`{"sports":["rugby"]}`: false})
}

func filterScopeShown(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	_, subscription := s.queue(t, orders, "in", "FilterPolicyScope", "MessageBody")
	for _, step := range []struct{ policy, scope string }{{"-", ""}, {`{"a":["x"]}`, "MessageBody"}, {"", ""}, {`{"a":["y"]}`, "MessageBody"}, {"{}", ""}} {
		if step.policy != "-" {
			s.setSubscription(t, subscription, "FilterPolicy", step.policy)
		}
		if got := s.subscription(t, subscription)["FilterPolicyScope"]; got != step.scope {
			t.Errorf("with %q the scope is %q, want %q", step.policy, got, step.scope)
		}
	}
	_, byAttributes := s.queue(t, orders, "other", "FilterPolicy", `{"a":["x"]}`)
	if got := s.subscription(t, byAttributes)["FilterPolicyScope"]; got != "MessageAttributes" {
		t.Errorf("the default is %q", got)
	}
}

func rawDelivery(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	attributes := attribute("colour", "String", "red")
	maps.Copy(attributes, attribute("size", "Number.int", "7"))
	maps.Copy(attributes, attribute("list", "String.Array", `["a",1]`))
	attributes["bytes"] = types.MessageAttributeValue{DataType: aws.String("Binary"), BinaryValue: []byte{0, 0xff}}
	urls := map[string]string{}
	for i, spelling := range []string{"true", "True", "TRUE"} {
		url, subscription := s.queue(t, orders, fmt.Sprintf("raw-%d", i), "RawMessageDelivery", spelling)
		if got := s.subscription(t, subscription)["RawMessageDelivery"]; got != "true" {
			t.Errorf("%s is shown as %s", spelling, got)
		}
		urls[spelling] = url
	}
	wrapped, _ := s.queue(t, orders, "wrapped", "RawMessageDelivery", "False")
	s.publish(t, orders, "hello", attributes)
	for spelling, url := range urls {
		got := s.one(t, url)
		if *got.Body != "hello" || len(got.MessageAttributes) != len(attributes) {
			t.Errorf("%s: got %s with %v", spelling, *got.Body, got.MessageAttributes)
		}
		for name, want := range attributes {
			kept := got.MessageAttributes[name]
			if aws.ToString(kept.DataType) != *want.DataType || aws.ToString(kept.StringValue) != aws.ToString(want.StringValue) || string(kept.BinaryValue) != string(want.BinaryValue) {
				t.Errorf("%s: attribute %s is %+v", spelling, name, kept)
			}
		}
	}
	if got := s.one(t, wrapped); !strings.HasPrefix(*got.Body, "{") || len(got.MessageAttributes) != 0 {
		t.Errorf("wrapped: %s with %v", *got.Body, got.MessageAttributes)
	}
	s.refused(t, 400, "InvalidParameter", "Invalid parameter: Attributes Reason: RawMessageDelivery: Invalid value [yes]. Must be true or false.",
		"Action", "Subscribe", "TopicArn", orders, "Protocol", "sqs", "Endpoint", s.arn("sqs", "wrapped"), "Attributes.entry.1.key", "RawMessageDelivery", "Attributes.entry.1.value", "yes")
}

func subscribeAgain(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	_, first := s.queue(t, orders, "in", "RawMessageDelivery", "true", "FilterPolicy", `{"a":["x"]}`)
	for _, attributes := range [][]string{nil, {"RawMessageDelivery", "TRUE"}, {"FilterPolicy", `{"a":["x"]}`}} {
		if got := s.subscribe(t, orders, "sqs", s.arn("sqs", "in"), attributes...); got != first {
			t.Errorf("with %v it is %s, want %s", attributes, got, first)
		}
	}
	for _, attributes := range [][2]string{{"RawMessageDelivery", "false"}, {"FilterPolicy", `{"a":["y"]}`}} {
		s.refused(t, 400, "InvalidParameter", "Invalid parameter: Attributes Reason: Subscription already exists with different attributes",
			"Action", "Subscribe", "TopicArn", orders, "Protocol", "sqs", "Endpoint", s.arn("sqs", "in"), "Attributes.entry.1.key", attributes[0], "Attributes.entry.1.value", attributes[1])
	}
	if got := s.topicAttributes(t, orders)["SubscriptionsConfirmed"]; got != "1" {
		t.Errorf("there are %s subscriptions", got)
	}
}

func confirmedAtOnce(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	for protocol, endpoint := range map[string]string{
		"sqs": s.arn("sqs", "not-there-yet"), "lambda": s.arn("lambda", "function:f"), "firehose": s.arn("firehose", "deliverystream/f"), "sms": "+15551234567",
	} {
		var attributes []string
		if protocol == "firehose" {
			attributes = []string{"SubscriptionRoleArn", "arn:aws:iam::" + s.account + ":role/r"}
		}
		arn := s.subscribe(t, orders, protocol, endpoint, attributes...)
		if got := s.subscription(t, arn); got["PendingConfirmation"] != "false" || got["ConfirmationWasAuthenticated"] != "true" || got["SubscriptionArn"] != arn {
			t.Errorf("%s: %v", protocol, got)
		}
	}
	if got := s.topicAttributes(t, orders); got["SubscriptionsConfirmed"] != "4" || got["SubscriptionsPending"] != "0" {
		t.Errorf("the topic has %s confirmed, %s pending", got["SubscriptionsConfirmed"], got["SubscriptionsPending"])
	}
}

func pendingWords(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	in := &sns.SubscribeInput{TopicArn: &orders, Protocol: aws.String("email"), Endpoint: aws.String("me@example.com")}
	out, err := s.sns().Subscribe(t.Context(), in)
	if err != nil || *out.SubscriptionArn != "pending confirmation" {
		t.Errorf("Subscribe answers %+v, %v", out, err)
	}
	in.ReturnSubscriptionArn = true
	if out, err = s.sns().Subscribe(t.Context(), in); err != nil || !strings.HasPrefix(*out.SubscriptionArn, orders+":") {
		t.Errorf("with ReturnSubscriptionArn it answers %+v, %v", out, err)
	}
	arn := *out.SubscriptionArn
	all, err := s.sns().ListSubscriptions(t.Context(), &sns.ListSubscriptionsInput{})
	if err != nil || len(all.Subscriptions) != 1 || *all.Subscriptions[0].SubscriptionArn != "PendingConfirmation" {
		t.Errorf("ListSubscriptions answers %+v, %v", all, err)
	}
	ofTopic, err := s.sns().ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &orders})
	if err != nil || len(ofTopic.Subscriptions) != 1 || *ofTopic.Subscriptions[0].SubscriptionArn != "PendingConfirmation" {
		t.Errorf("ListSubscriptionsByTopic answers %+v, %v", ofTopic, err)
	}
	if got := s.subscription(t, arn); got["PendingConfirmation"] != "true" || got["SubscriptionArn"] != arn {
		t.Errorf("GetSubscriptionAttributes answers %v", got)
	}
}

func confirmationAuthenticated(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	_, queue := s.queue(t, orders, "in")
	endpoint := newInbox(t)
	web := s.subscribe(t, orders, "http", endpoint.URL)
	authenticated := func(arn string) string { return s.subscription(t, arn)["ConfirmationWasAuthenticated"] }
	if got := authenticated(queue); got != "true" {
		t.Errorf("of a queue it is %s", got)
	}
	if got := authenticated(web); got != "false" {
		t.Errorf("while it is pending it is %s", got)
	}
	s.follow(t, endpoint.next(t).members(t)["SubscribeURL"])
	if got := authenticated(web); got != "false" {
		t.Errorf("after the link was followed it is %s", got)
	}
}

func confirmByLink(t *testing.T, s *subscriber) {
	client := s.inRegion("eu-west-1")
	orders := *topic(t, client, "orders", nil)
	endpoint := newInbox(t)
	out, err := client.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &orders, Protocol: aws.String("http"), Endpoint: &endpoint.URL, ReturnSubscriptionArn: true})
	if err != nil {
		t.Fatal(err)
	}
	asked := endpoint.next(t).members(t)
	if got := s.follow(t, asked["SubscribeURL"]); !strings.Contains(got, "<SubscriptionArn>"+*out.SubscriptionArn+"</SubscriptionArn>") {
		t.Errorf("the link answers %s", got)
	}
	again, err := client.ConfirmSubscription(t.Context(), &sns.ConfirmSubscriptionInput{TopicArn: &orders, Token: aws.String(asked["Token"])})
	if err != nil || *again.SubscriptionArn != *out.SubscriptionArn {
		t.Errorf("confirming again: %+v, %v", again, err)
	}
	publish(t, client, &sns.PublishInput{TopicArn: &orders, Message: aws.String("hello")})
	if got := endpoint.next(t).members(t)["Message"]; got != "hello" {
		t.Errorf("the endpoint got %s", got)
	}
	s.refused(t, 400, "InvalidParameter", "Invalid parameter: Token", "Action", "ConfirmSubscription", "TopicArn", orders, "Token", strings.Repeat("ab", 144))
	s.refused(t, 400, "InvalidParameter", "Invalid token", "Action", "ConfirmSubscription", "TopicArn", orders, "Token", "x")
}

func defaultPolicies(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	got := s.topicAttributes(t, orders)
	wantPolicy := `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},` +
		`"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe",` +
		`"SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"` + orders + `","Condition":{"StringEquals":{"AWS:SourceOwner":"` + s.account + `"}}}]}`
	wantDelivery := `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,` +
		`"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`
	if got["Policy"] != wantPolicy || got["EffectiveDeliveryPolicy"] != wantDelivery {
		t.Errorf("got %s\nand %s", got["Policy"], got["EffectiveDeliveryPolicy"])
	}
	want := []string{"DisplayName", "EffectiveDeliveryPolicy", "Owner", "Policy", "SubscriptionsConfirmed", "SubscriptionsDeleted", "SubscriptionsPending", "TopicArn"}
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
		t.Errorf("a new topic shows %v", names)
	}
}

func topicAttributes(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	fifo := s.topic(t, "orders.fifo", "FifoTopic", "true")
	ofAll := map[string]string{
		"DisplayName": "Orders", "KmsMasterKeyId": "alias/aws/sns", "SignatureVersion": "2", "TracingConfig": "Active", "MaximumMessageSize": "1024",
		"Policy":         `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":"*"},"Action":"SNS:Publish","Resource":"*"}]}`,
		"DeliveryPolicy": `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":10,"numRetries":4,"numMaxDelayRetries":1,"numNoDelayRetries":1,"numMinDelayRetries":1,"backoffFunction":"exponential"},"disableSubscriptionOverrides":true}}`,
	}
	for _, service := range []string{"HTTP", "Firehose", "Lambda", "Application", "SQS"} {
		ofAll[service+"SuccessFeedbackRoleArn"] = "arn:aws:iam::" + s.account + ":role/good"
		ofAll[service+"FailureFeedbackRoleArn"] = "arn:aws:iam::" + s.account + ":role/bad"
		ofAll[service+"SuccessFeedbackSampleRate"] = "33"
	}
	for arn, attributes := range map[string]map[string]string{
		orders: ofAll, fifo: {"ContentBasedDeduplication": "true", "FifoThroughputScope": "MessageGroup", "ArchivePolicy": `{"MessageRetentionPeriod":"30"}`},
	} {
		for name, value := range attributes {
			if _, err := s.sns().SetTopicAttributes(t.Context(), &sns.SetTopicAttributesInput{TopicArn: &arn, AttributeName: &name, AttributeValue: &value}); err != nil {
				t.Errorf("set %s: %v", name, err)
			}
		}
		got := s.topicAttributes(t, arn)
		for name, value := range attributes { // after all were set: none drops another
			if got[name] != value {
				t.Errorf("%s: got %s, want %s", name, got[name], value)
			}
		}
	}
}

func createAgain(t *testing.T, s *subscriber) {
	create := func(attributes map[string]string, tags ...types.Tag) (string, error) {
		out, err := s.sns().CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("orders"), Attributes: attributes, Tags: tags})
		if err != nil {
			return "", err
		}
		return *out.TopicArn, nil
	}
	tag := types.Tag{Key: aws.String("team"), Value: aws.String("a")}
	first, err := create(map[string]string{"DisplayName": "Orders", "SignatureVersion": "2"}, tag)
	if err != nil {
		t.Fatal(err)
	}
	for name, again := range map[string]func() (string, error){
		"nothing given": func() (string, error) { return create(nil) },
		"one of them":   func() (string, error) { return create(map[string]string{"SignatureVersion": "2"}) },
		"the same tag":  func() (string, error) { return create(nil, tag) },
	} {
		if got, err := again(); got != first || err != nil {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
	exists := "Invalid parameter: %s Reason: Topic already exists with different %s"
	s.refused(t, 400, "InvalidParameter", fmt.Sprintf(exists, "Attributes", "attributes"), "Action", "CreateTopic", "Name", "orders", "Attributes.entry.1.key", "DisplayName", "Attributes.entry.1.value", "Other")
	s.refused(t, 400, "InvalidParameter", fmt.Sprintf(exists, "Attributes", "attributes"), "Action", "CreateTopic", "Name", "orders", "Attributes.entry.1.key", "KmsMasterKeyId", "Attributes.entry.1.value", "k")
	s.refused(t, 400, "InvalidParameter", fmt.Sprintf(exists, "Tags", "tags"), "Action", "CreateTopic", "Name", "orders", "Tags.member.1.Key", "team", "Tags.member.1.Value", "b")
	s.refused(t, 400, "InvalidParameter", fmt.Sprintf(exists, "Tags", "tags"), "Action", "CreateTopic", "Name", "orders", "Tags.member.1.Key", "cost", "Tags.member.1.Value", "a")
	if _, err := s.sns().DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: &first}); err != nil {
		t.Fatal(err)
	}
	if _, err := create(nil, types.Tag{Key: aws.String("team"), Value: aws.String("b")}); err != nil {
		t.Errorf("anew, with other tags: %v", err)
	}
}

func fifoDemands(t *testing.T, s *subscriber) {
	const name, fifo = "Invalid parameter: Topic Name", "FifoTopic"
	s.refused(t, 400, "InvalidParameter", name, "Action", "CreateTopic", "Name", "orders.fifo")
	s.refused(t, 400, "InvalidParameter", name, "Action", "CreateTopic", "Name", "orders", "Attributes.entry.1.key", fifo, "Attributes.entry.1.value", "true")
	orders := s.topic(t, "orders.fifo", fifo, "true")
	s.refused(t, 400, "InvalidParameter", "Invalid parameter: The MessageGroupId parameter is required for FIFO topics", "Action", "Publish", "TopicArn", orders, "Message", "x", "MessageDeduplicationId", "d")
	s.refused(t, 400, "InvalidParameter", "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
		"Action", "Publish", "TopicArn", orders, "Message", "x", "MessageGroupId", "g")
	s.refused(t, 400, "InvalidParameter", "Invalid parameter: AttributeName", "Action", "SetTopicAttributes", "TopicArn", orders, "AttributeName", fifo, "AttributeValue", "false")
	plain := s.topic(t, "orders", fifo, "false")
	if _, shown := s.topicAttributes(t, plain)[fifo]; shown || s.topicAttributes(t, orders)[fifo] != "true" {
		t.Error("FifoTopic is shown on FIFO topics, and only there")
	}
}

func fifoDeduplicationIDs(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders.fifo", "FifoTopic", "true", "ContentBasedDeduplication", "true")
	url, _ := s.queue(t, orders, "in.fifo", "RawMessageDelivery", "true") // whose own ContentBasedDeduplication is off
	s.publishFIFO(t, orders, "explicit", "a", "mine")
	s.publishFIFO(t, orders, "computed", "b", "")
	s.publishFIFO(t, orders, "computed", "b", "") // a duplicate
	s.publishFIFO(t, orders, "another text", "a", "mine")
	sum := sha256.Sum256([]byte("computed"))
	want := map[string][2]string{"explicit": {"a", "mine"}, "computed": {"b", hex.EncodeToString(sum[:])}}
	got := map[string][2]string{}
	for range 2 { // a receive may give one group only
		for _, m := range s.receive(t, url) {
			got[*m.Body] = [2]string{m.Attributes["MessageGroupId"], m.Attributes["MessageDeduplicationId"]}
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func fifoArrivesWhole(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders.fifo", "FifoTopic", "true", "FifoThroughputScope", "MessageGroup")
	url := createQueue(t, s.sqs(), "in.fifo", "FifoQueue", "true", "DeduplicationScope", "messageGroup", "FifoThroughputLimit", "perMessageGroupId")
	s.subscribe(t, orders, "sqs", s.arn("sqs", "in.fifo"), "RawMessageDelivery", "true")
	want := 0
	for _, group := range []string{"a", "b"} {
		for i := range 4 {
			s.publishFIFO(t, orders, fmt.Sprintf("%s%d", group, i), group, fmt.Sprint("d", i)) // the ids of each group are its own
			want++
		}
	}
	got := map[string]bool{}
	for range 2 * want {
		for _, m := range s.receive(t, url) {
			got[*m.Body] = true
			deleteMessage(t, s.sqs(), url, m)
		}
	}
	if len(got) != want {
		t.Errorf("%d of %d messages arrive: %v", len(got), want, slices.Sorted(maps.Keys(got)))
	}
}

func fifoOrder(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders.fifo", "FifoTopic", "true", "ContentBasedDeduplication", "true")
	url, _ := s.queue(t, orders, "in.fifo", "RawMessageDelivery", "true")
	const rounds, groups = 10, 3
	want := map[string][]string{}
	for round := range rounds { // each group is published by batches and by itself, in turns
		var entries []types.PublishBatchRequestEntry
		for group := range groups {
			for i := range 3 {
				g, text := fmt.Sprint("g", group), fmt.Sprintf("%d-%d-%d", group, round, i)
				want[g] = append(want[g], text)
				entries = append(entries, types.PublishBatchRequestEntry{Id: aws.String(fmt.Sprint("e", len(entries))), Message: &text, MessageGroupId: &g})
			}
		}
		out, err := s.sns().PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: &orders, PublishBatchRequestEntries: entries})
		if err != nil || len(out.Failed) > 0 {
			t.Fatalf("publish: %+v, %v", out, err)
		}
		for group := range groups {
			g, text := fmt.Sprint("g", group), fmt.Sprintf("%d-%d-alone", group, round)
			want[g] = append(want[g], text)
			s.publishFIFO(t, orders, text, g, "")
		}
	}
	got := map[string][]string{}
	for n := 0; n < rounds*groups*4; {
		messages := s.receive(t, url)
		if len(messages) == 0 {
			t.Fatalf("%d messages have arrived", n)
		}
		for _, m := range messages {
			n++
			got[m.Attributes["MessageGroupId"]] = append(got[m.Attributes["MessageGroupId"]], *m.Body)
			deleteMessage(t, s.sqs(), url, m)
		}
	}
	for group, texts := range want {
		if !slices.Equal(got[group], texts) {
			t.Errorf("group %s: got %v, want %v", group, got[group], texts)
		}
	}
}

func fifoToStandard(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders.fifo", "FifoTopic", "true")
	url, _ := s.queue(t, orders, "standard")
	s.publishFIFO(t, orders, "hello", "g", "d")
	got := s.one(t, url)
	for _, name := range []string{"MessageGroupId", "MessageDeduplicationId", "SequenceNumber"} {
		if value, there := got.Attributes[name]; there {
			t.Errorf("a message of a standard queue has %s %s", name, value)
		}
	}
	if !strings.Contains(*got.Body, `"SequenceNumber"`) || strings.Contains(*got.Body, `"Signature"`) {
		t.Errorf("it is not the envelope of a FIFO topic: %s", *got.Body)
	}
	s.refused(t, 400, "InvalidParameter", "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
		"Action", "Subscribe", "TopicArn", s.topic(t, "plain"), "Protocol", "sqs", "Endpoint", s.arn("sqs", "in.fifo"))
}

func groupsOnStandard(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	url, _ := s.queue(t, orders, "in")
	publish(t, s.sns(), &sns.PublishInput{TopicArn: &orders, Message: aws.String("hello"), MessageGroupId: aws.String("tenant")})
	if got := s.one(t, url).Attributes["MessageGroupId"]; got != "tenant" {
		t.Errorf("the queue's message is of group %q", got)
	}
	s.refused(t, 400, "InvalidParameter", "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type",
		"Action", "Publish", "TopicArn", orders, "Message", "x", "MessageDeduplicationId", "d")
}

func sequenceNumbers(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders.fifo", "FifoTopic", "true")
	url, _ := s.queue(t, orders, "in.fifo")
	first, second := s.publishFIFO(t, orders, "one", "a", "1"), s.publishFIFO(t, orders, "two", "b", "2")
	duplicate := s.publishFIFO(t, orders, "three", "b", "2")
	for _, number := range []string{*first.SequenceNumber, *second.SequenceNumber} {
		if !regexp.MustCompile(`^[0-9]{20}$`).MatchString(number) {
			t.Errorf("sequence number %s", number)
		}
	}
	if *first.SequenceNumber >= *second.SequenceNumber || *duplicate.SequenceNumber != *second.SequenceNumber || *duplicate.MessageId != *second.MessageId {
		t.Errorf("got %s, %s, and %s of a duplicate", *first.SequenceNumber, *second.SequenceNumber, *duplicate.SequenceNumber)
	}
	var messages []sqstypes.Message
	for range 2 {
		messages = append(messages, s.receive(t, url)...)
	}
	for _, m := range messages {
		var members map[string]any
		if err := json.Unmarshal([]byte(*m.Body), &members); err != nil {
			t.Fatal(err)
		}
		want := []string{"Message", "MessageId", "SequenceNumber", "Timestamp", "TopicArn", "Type", "UnsubscribeURL"}
		if names := slices.Sorted(maps.Keys(members)); !slices.Equal(names, want) {
			t.Errorf("the envelope has %v", names)
		}
		if number := members["SequenceNumber"]; number != *first.SequenceNumber && number != *second.SequenceNumber || number == m.Attributes["SequenceNumber"] {
			t.Errorf("the envelope has sequence number %s, the queue %s", number, m.Attributes["SequenceNumber"])
		}
	}
	if len(messages) != 2 {
		t.Errorf("%d messages arrive", len(messages))
	}
	if plain := s.topic(t, "plain"); s.publish(t, plain, "x").SequenceNumber != nil {
		t.Error("a standard topic answers a sequence number")
	}
}

func batchEntries(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	url, _ := s.queue(t, orders, "in", "RawMessageDelivery", "true")
	out, err := s.sns().PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: &orders, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: aws.String("a"), Message: aws.String("one"), MessageAttributes: attribute("colour", "String", "red")},
		{Id: aws.String("b"), Message: aws.String("two"), MessageAttributes: attribute("size", "Number", "2")},
		{Id: aws.String("c"), Message: aws.String("three")},
	}})
	if err != nil || len(out.Successful) != 3 || len(out.Failed) != 0 {
		t.Fatalf("publish: %+v, %v", out, err)
	}
	got := map[string]string{}
	for _, m := range s.receive(t, url) {
		got[*m.Body] = strings.Join(slices.Sorted(maps.Keys(m.MessageAttributes)), " ")
	}
	if want := map[string]string{"one": "colour", "two": "size", "three": ""}; !maps.Equal(got, want) {
		t.Errorf("attributes: got %v, want %v", got, want)
	}

	// What is wrong with one entry's attributes is wrong with the batch: none of it is published.
	entry := "PublishBatchRequestEntries.member."
	s.refused(t, 400, "ParameterValueInvalid", "", "Action", "PublishBatch", "TopicArn", orders, entry+"1.Id", "a", entry+"1.Message", "one", entry+"2.Id", "b", entry+"2.Message", "two",
		entry+"2.MessageAttributes.entry.1.Name", "n", entry+"2.MessageAttributes.entry.1.Value.DataType", "String", entry+"2.MessageAttributes.entry.1.Value.StringValue", "")
	if got := s.receive(t, url); len(got) > 0 {
		t.Errorf("of a batch that failed there is %v", got)
	}

	fifo := s.topic(t, "orders.fifo", "FifoTopic", "true")
	line, _ := s.queue(t, fifo, "in.fifo", "RawMessageDelivery", "true")
	out, err = s.sns().PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: &fifo, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: aws.String("a"), Message: aws.String("one"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("d")},
		{Id: aws.String("b"), Message: aws.String("two"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("d")},
	}})
	if err != nil || len(out.Successful) != 2 || *out.Successful[0].MessageId != *out.Successful[1].MessageId {
		t.Errorf("a duplicate in a batch: %+v, %v", out, err)
	}
	if got := s.one(t, line); *got.Body != "one" {
		t.Errorf("the queue has %s", *got.Body)
	}
}

func messageStructure(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	url, _ := s.queue(t, orders, "in", "RawMessageDelivery", "true")
	endpoint, _ := s.hook(t, orders, "RawMessageDelivery", "true")
	for text, want := range map[string][2]string{
		`{"default":"d","sqs":"q","http":"h"}`: {"q", "h"},
		`{"default":"d","lambda":"l"}`:         {"d", "d"},
		`{"default":"d","sqs":{"a":1}}`:        {"d", "d"},
		`{"default":"d","sqs":"q"}`:            {"q", "d"},
	} {
		publish(t, s.sns(), &sns.PublishInput{TopicArn: &orders, Message: &text, MessageStructure: aws.String("json")})
		if got := [2]string{*s.one(t, url).Body, endpoint.next(t).body}; got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	for text, fault := range map[string]string{
		`{"sqs":"q"}`:           "No default entry in JSON message body",
		`{"default":{"a":"b"}}`: "No default entry in JSON message body",
		`{"default":`:           "JSON message body failed to parse",
	} {
		s.refused(t, 400, "InvalidParameter", "Invalid parameter: Message Structure - "+fault, "Action", "Publish", "TopicArn", orders, "Message", text, "MessageStructure", "json")
	}
}

func messageSize(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	const most = 262_144
	s.publish(t, orders, strings.Repeat("x", most))
	tooLong := func(text string, attributes map[string]types.MessageAttributeValue) {
		t.Helper()
		_, err := s.sns().Publish(t.Context(), &sns.PublishInput{TopicArn: &orders, Message: &text, MessageAttributes: attributes})
		invalid := (*types.InvalidParameterException)(nil)
		if !errors.As(err, &invalid) || invalid.ErrorMessage() != "Invalid parameter: Message too long" {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
	tooLong(strings.Repeat("x", most+1), nil)
	tooLong(strings.Repeat("é", most/2)+"x", nil)   // bytes count, not characters
	counted := attribute("name", "String", "value") // 4 + 6 + 5
	s.publish(t, orders, strings.Repeat("x", most-15), counted)
	tooLong(strings.Repeat("x", most-14), counted)
	_, err := s.sns().PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: &orders, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: aws.String("a"), Message: aws.String(strings.Repeat("x", most/2))}, {Id: aws.String("b"), Message: aws.String(strings.Repeat("x", most/2+1))},
	}})
	if long := (*types.BatchRequestTooLongException)(nil); !errors.As(err, &long) {
		t.Errorf("a batch that is too long together: %v", err)
	}
	large := s.topic(t, "large", "MaximumMessageSize", "1048576")
	s.publish(t, large, strings.Repeat("x", 1<<20))
}

func binaryAttributes(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	raw, _ := s.queue(t, orders, "raw", "RawMessageDelivery", "true")
	wrapped, _ := s.queue(t, orders, "wrapped")
	bytes := make([]byte, 256)
	for i := range bytes {
		bytes[i] = byte(i)
	}
	s.publish(t, orders, "hello", map[string]types.MessageAttributeValue{"all": {DataType: aws.String("Binary.png"), BinaryValue: bytes}})
	if got := s.one(t, raw).MessageAttributes["all"]; string(got.BinaryValue) != string(bytes) || aws.ToString(got.DataType) != "Binary.png" {
		t.Errorf("raw: %+v", got)
	}
	got := s.envelope(t, wrapped)["MessageAttributes"]
	if want := map[string]any{"all": map[string]any{"Type": "Binary.png", "Value": encode64(string(bytes))}}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("wrapped: %v", got)
	}
}

func envelopeMembers(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	first, subscription := s.queue(t, orders, "first")
	second, other := s.queue(t, orders, "second")
	sent := s.publish(t, orders, "hello")
	got, also := s.envelope(t, first), s.envelope(t, second)
	want := []string{"Message", "MessageId", "Signature", "SignatureVersion", "SigningCertURL", "Timestamp", "TopicArn", "Type", "UnsubscribeURL"}
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
		t.Errorf("the envelope has %v, want %v", names, want)
	}
	at, _ := got["Timestamp"].(string)
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", at); err != nil || at != also["Timestamp"] || got["MessageId"] != *sent.MessageId {
		t.Errorf("got %v and %v", got, also)
	}
	link, _ := got["UnsubscribeURL"].(string)
	if want := s.url + "/?Action=Unsubscribe&SubscriptionArn=" + subscription; link != want || also["UnsubscribeURL"] == link {
		t.Errorf("the link is %s, want %s", link, want)
	}
	s.follow(t, link)
	s.publish(t, orders, "again")
	if got := s.receive(t, first); len(got) != 0 || s.subscription(t, other)["PendingConfirmation"] != "false" {
		t.Errorf("after the link was followed the queue has %v", got)
	}
	s.one(t, second)
	publish(t, s.sns(), &sns.PublishInput{TopicArn: &orders, Message: aws.String("hello"), Subject: aws.String("About")})
	if got := s.envelope(t, second)["Subject"]; got != "About" {
		t.Errorf("the subject is %v", got)
	}
}

func signatures(t *testing.T, s *subscriber) {
	for _, version := range []string{"1", "2"} {
		orders := s.topic(t, "orders-"+version, "SignatureVersion", version)
		endpoint, _ := s.hook(t, orders)
		for _, text := range texts {
			publish(t, s.sns(), &sns.PublishInput{TopicArn: &orders, Message: &text, Subject: aws.String("About")})
			message := endpoint.next(t).members(t)
			if err := verified(s.certificates, message); err != nil || message["SignatureVersion"] != version || message["Message"] != text {
				t.Errorf("version %s: %v in %v", version, err, message)
			}
			message["Subject"] = "Another"
			if verified(s.certificates, message) == nil {
				t.Error("a message that was changed is verified as well")
			}
		}
	}
	// The host that the validators of SDKs accept is a matter of configuration.
	cloud := &subscriber{startWithCertHost(t, "sns.{region}.amazonaws.com").as(s.account), s.account, nil}
	url, _ := cloud.queue(t, cloud.topic(t, "orders"), "in")
	cloud.publish(t, cloud.arn("sns", "orders"), "hello")
	certificate, _ := cloud.envelope(t, url)["SigningCertURL"].(string)
	match := regexp.MustCompile(`^https://sns\.[a-zA-Z0-9\-]{3,}\.amazonaws\.com(\.cn)?(/SimpleNotificationService-[0-9a-f]{32}\.pem)$`).FindStringSubmatch(certificate)
	if match == nil {
		t.Fatalf("validators refuse %s", certificate)
	}
	if pem := cloud.follow(t, cloud.polymq.url+match[2]); !strings.HasPrefix(pem, "-----BEGIN CERTIFICATE-----") {
		t.Errorf("the certificate is %s", pem)
	}
}

func pushHeaders(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	endpoint := newInbox(t)
	subscription := s.subscribe(t, orders, "http", endpoint.URL)
	asked := endpoint.next(t)
	want := map[string]string{
		"X-Amz-Sns-Message-Type": "SubscriptionConfirmation", "X-Amz-Sns-Message-Id": asked.members(t)["MessageId"], "X-Amz-Sns-Topic-Arn": orders,
		"Content-Type": "text/plain; charset=UTF-8", "User-Agent": "Amazon Simple Notification Service Agent", "Accept-Encoding": "gzip,deflate",
		"Connection": "Keep-Alive",
	}
	check := func(got pushed) {
		t.Helper()
		got.header.Del("Content-Length")
		for name, value := range want {
			if got.header.Get(name) != value {
				t.Errorf("%s: got %q, want %q", name, got.header.Get(name), value)
			}
		}
		if len(got.header) != len(want) {
			t.Errorf("got %v", got.header)
		}
	}
	check(asked)
	s.follow(t, asked.members(t)["SubscribeURL"])
	want["X-Amz-Sns-Message-Type"], want["X-Amz-Sns-Subscription-Arn"] = "Notification", subscription
	want["X-Amz-Sns-Message-Id"] = *s.publish(t, orders, "hello").MessageId
	check(endpoint.next(t))
	s.setSubscription(t, subscription, "RawMessageDelivery", "true")
	s.setSubscription(t, subscription, "DeliveryPolicy", `{"requestPolicy":{"headerContentType":"application/json"}}`)
	want["X-Amz-Sns-Message-Id"] = *s.publish(t, orders, `{"a":1}`, attribute("n", "String", "v")).MessageId
	want["X-Amz-Sns-Rawdelivery"], want["Content-Type"] = "true", "application/json"
	got := endpoint.next(t)
	check(got)
	if got.body != `{"a":1}` {
		t.Errorf("the raw body is %s", got.body)
	}
}

func pushRetries(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	endpoint, _ := s.hook(t, orders)
	for range 3 {
		endpoint.status <- http.StatusServiceUnavailable
	}
	id := *s.publish(t, orders, "hello").MessageId
	first := endpoint.next(t)
	for attempt := range 3 { // the default: three retries, 20 s apart
		got := s.nextAfter(t, endpoint, 20*time.Second)
		if got.members(t)["MessageId"] != id || got.body != first.body {
			t.Errorf("retry %d is another message: %s", attempt+1, got.body)
		}
	}
	// A client's own fault is not tried again.
	endpoint.status <- http.StatusForbidden
	s.publish(t, orders, "refused")
	endpoint.next(t)
	s.later(t, time.Hour)
	s.publish(t, orders, "last")
	if got := endpoint.next(t).members(t)["Message"]; got != "last" {
		t.Errorf("the endpoint got %q", got)
	}
}

// nextAfter gives the next push, which comes when so much time has passed. It passes more than once, for the attempt before may not have
// been written down yet.
func (s *subscriber) nextAfter(t *testing.T, endpoint *inbox, delay time.Duration) pushed {
	t.Helper()
	for range 60 {
		s.later(t, delay)
		select {
		case got := <-endpoint.messages:
			return got
		case <-time.After(500 * time.Millisecond):
		}
	}
	t.Fatal("there is no other push")
	return pushed{}
}

func queueDeleted(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	dead := s.newQueue(t, "dead")
	url, subscription := s.queue(t, orders, "in", "RawMessageDelivery", "true", "RedrivePolicy", `{"deadLetterTargetArn":"`+s.arn("sqs", "dead")+`"}`)
	if _, err := s.sqs().DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &url}); err != nil {
		t.Fatal(err)
	}
	s.publish(t, orders, "lost")
	s.one(t, dead, waiting(20)) // it was not delivered, and will not be
	if got := s.subscription(t, subscription); got["PendingConfirmation"] != "false" || got["Endpoint"] != s.arn("sqs", "in") {
		t.Errorf("the subscription is %v", got)
	}
	list, err := s.sns().ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &orders})
	if err != nil || len(list.Subscriptions) != 1 {
		t.Errorf("the topic has %+v, %v", list, err)
	}
	url = s.newQueue(t, "in")
	s.publish(t, orders, "hello")
	if got := *s.one(t, url).Body; got != "hello" {
		t.Errorf("the queue of that name has %s", got)
	}
}

func deadLetters(t *testing.T, s *subscriber) {
	redrive := func(name string) []string {
		return []string{"RedrivePolicy", `{"deadLetterTargetArn":"` + s.arn("sqs", name) + `"}`}
	}
	orders := s.topic(t, "orders")
	dead, deadRaw := s.newQueue(t, "dead"), s.newQueue(t, "dead-raw")
	wrapped := s.subscribe(t, orders, "sqs", s.arn("sqs", "gone"), redrive("dead")...)
	s.subscribe(t, orders, "sqs", s.arn("sqs", "gone-raw"), append(redrive("dead-raw"), "RawMessageDelivery", "true")...)
	sent := s.publish(t, orders, "hello", attribute("colour", "String", "red"))
	got := s.one(t, dead, waiting(20))
	var members map[string]any
	if err := json.Unmarshal([]byte(*got.Body), &members); err != nil || members["MessageId"] != *sent.MessageId || !strings.HasSuffix(fmt.Sprint(members["UnsubscribeURL"]), wrapped) || len(got.MessageAttributes) > 0 {
		t.Errorf("the envelope is %s with %v", *got.Body, got.MessageAttributes)
	}
	got = s.one(t, deadRaw, waiting(20))
	if len(got.MessageAttributes) != 1 || aws.ToString(got.MessageAttributes["colour"].StringValue) != "red" || *got.Body != "hello" {
		t.Errorf("raw it is %s with %v", *got.Body, got.MessageAttributes)
	}

	fifo := s.topic(t, "orders.fifo", "FifoTopic", "true")
	deadLine := s.newQueue(t, "dead.fifo")
	s.subscribe(t, fifo, "sqs", s.arn("sqs", "gone.fifo"), redrive("dead.fifo")...)
	s.publishFIFO(t, fifo, "hello", "g", "d")
	if got := s.one(t, deadLine, waiting(20)).Attributes; got["MessageGroupId"] != "g" || got["MessageDeduplicationId"] != "d" {
		t.Errorf("of a FIFO topic it has %v", got)
	}
	s.newQueue(t, "in.fifo")
	s.refused(t, 400, "InvalidParameter", "Invalid parameter: Attributes Reason: RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.",
		"Action", "Subscribe", "TopicArn", fifo, "Protocol", "sqs", "Endpoint", s.arn("sqs", "in.fifo"), "Attributes.entry.1.key", "RedrivePolicy", "Attributes.entry.1.value", redrive("dead")[1])
}

func deletingAgain(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	_, subscription := s.queue(t, orders, "in")
	application, err := s.sns().CreatePlatformApplication(t.Context(), &sns.CreatePlatformApplicationInput{
		Name: aws.String("app"), Platform: aws.String("GCM"), Attributes: map[string]string{"PlatformCredential": "c"},
	})
	if err != nil {
		t.Fatal(err)
	}
	device, err := s.sns().CreatePlatformEndpoint(t.Context(), &sns.CreatePlatformEndpointInput{PlatformApplicationArn: application.PlatformApplicationArn, Token: aws.String("t")})
	if err != nil {
		t.Fatal(err)
	}
	ofDevice := s.subscribe(t, orders, "application", *device.EndpointArn)
	for range 2 {
		if _, err := s.sns().Unsubscribe(t.Context(), &sns.UnsubscribeInput{SubscriptionArn: &subscription}); err != nil {
			t.Errorf("unsubscribe: %v", err)
		}
		if _, err := s.sns().DeleteEndpoint(t.Context(), &sns.DeleteEndpointInput{EndpointArn: device.EndpointArn}); err != nil {
			t.Errorf("delete the endpoint: %v", err)
		}
		if _, err := s.sns().DeletePlatformApplication(t.Context(), &sns.DeletePlatformApplicationInput{PlatformApplicationArn: application.PlatformApplicationArn}); err != nil {
			t.Errorf("delete the application: %v", err)
		}
	}
	if got := s.subscription(t, ofDevice); got["Endpoint"] != *device.EndpointArn {
		t.Errorf("the endpoint took its subscription along: %v", got)
	}
	for range 2 {
		if _, err := s.sns().DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: &orders}); err != nil {
			t.Errorf("delete the topic: %v", err)
		}
	}
	never := orders + ":e1097da7-0f72-42e1-bb1e-8df05ad14444"
	if _, err := s.sns().Unsubscribe(t.Context(), &sns.UnsubscribeInput{SubscriptionArn: &never}); err != nil {
		t.Errorf("unsubscribe what never was: %v", err)
	}
}

func acrossRegionsAndAccounts(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	elsewhere := strings.Replace(orders, "us-east-1", "eu-west-1", 1)
	for _, call := range [][]string{
		{"Action", "Publish", "Message", "x"}, {"Action", "GetTopicAttributes"}, {"Action", "DeleteTopic"}, {"Action", "ListSubscriptionsByTopic"},
		{"Action", "Subscribe", "Protocol", "sqs", "Endpoint", s.arn("sqs", "in")}, {"Action", "SetTopicAttributes", "AttributeName", "DisplayName", "AttributeValue", "x"},
		slices.Concat([]string{"Action", "PublishBatch"}, batchEntryParameters(1)),
	} {
		s.refused(t, 400, "InvalidParameter", "Invalid parameter: TopicArn", append(call, "TopicArn", elsewhere)...)
	}
	other := &subscriber{s.as("900000000001"), "900000000001", s.certificates}
	url := other.newQueue(t, "in")
	subscription := s.subscribe(t, orders, "sqs", other.arn("sqs", "in"), "RawMessageDelivery", "true")
	var asked struct{ Type, Token, SubscribeURL string }
	if err := json.Unmarshal([]byte(*other.one(t, url, waiting(20)).Body), &asked); err != nil || asked.Type != "SubscriptionConfirmation" || s.subscription(t, subscription)["PendingConfirmation"] != "true" {
		t.Fatalf("the other account's queue is not asked: %+v, %v", asked, err)
	}
	s.follow(t, asked.SubscribeURL)
	s.publish(t, orders, "hello")
	if got := other.receive(t, url); len(got) != 1 || *got[0].Body != "hello" {
		t.Errorf("the other account's queue has %v", got)
	}
	own := other.subscribe(t, orders, "sqs", other.arn("sqs", "own")) // by the owner of the queue: nobody else has to agree
	if got := other.subscription(t, own); got["PendingConfirmation"] != "false" || got["Owner"] != other.account {
		t.Errorf("the subscription of another account is %v", got)
	}
	publish(t, other.sns(), &sns.PublishInput{TopicArn: &orders, Message: aws.String("from the other account")})
	if got := other.receive(t, url); len(got) != 1 {
		t.Errorf("of another account's publish the queue has %v", got)
	}
}

func listPages(t *testing.T, s *subscriber) {
	orders, second := s.topic(t, "orders"), s.topic(t, "second")
	const most = 100
	for i := range most + 1 {
		s.subscribe(t, orders, "sms", fmt.Sprintf("+1555%07d", i))
	}
	s.subscribe(t, second, "sms", "+15550000000")
	var pages []int
	seen := map[string]bool{}
	for token := (*string)(nil); token != nil || len(pages) == 0; {
		out, err := s.sns().ListSubscriptions(t.Context(), &sns.ListSubscriptionsInput{NextToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, sub := range out.Subscriptions {
			seen[*sub.SubscriptionArn] = true
		}
		pages, token = append(pages, len(out.Subscriptions)), out.NextToken
	}
	if !slices.Equal(pages, []int{most, 2}) || len(seen) != most+2 {
		t.Errorf("the account's pages have %v, %d different ones", pages, len(seen))
	}
	pages = nil
	for p := sns.NewListSubscriptionsByTopicPaginator(s.sns(), &sns.ListSubscriptionsByTopicInput{TopicArn: &orders}); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, len(out.Subscriptions))
	}
	if !slices.Equal(pages, []int{most, 1}) {
		t.Errorf("the topic's pages have %v", pages)
	}
	if _, body := s.query(t, "Action", "ListSubscriptionsByTopic", "TopicArn", second); strings.Contains(body, "NextToken") {
		t.Errorf("the only page has a token: %s", body)
	}
	s.refused(t, 400, "InvalidParameter", "", "Action", "ListSubscriptions", "NextToken", "!")
}

func emptyResults(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	for _, tt := range []struct {
		want       string
		parameters []string
	}{
		{"<TagResourceResult", []string{"Action", "TagResource", "ResourceArn", orders, "Tags.member.1.Key", "a", "Tags.member.1.Value", "b"}},
		{"<UntagResourceResult", []string{"Action", "UntagResource", "ResourceArn", orders, "TagKeys.member.1", "a"}},
		{"<SetSMSAttributesResult", []string{"Action", "SetSMSAttributes", "attributes.entry.1.key", "DefaultSMSType", "attributes.entry.1.value", "Promotional"}},
		{"<OptInPhoneNumberResult", []string{"Action", "OptInPhoneNumber", "phoneNumber", "+15551234567"}},
		{"<Tags></Tags>", []string{"Action", "ListTagsForResource", "ResourceArn", orders}},
		{"<Subscriptions></Subscriptions>", []string{"Action", "ListSubscriptions"}},
		{"<Subscriptions></Subscriptions>", []string{"Action", "ListSubscriptionsByTopic", "TopicArn", orders}},
		{"<PlatformApplications></PlatformApplications>", []string{"Action", "ListPlatformApplications"}},
		{"<phoneNumbers></phoneNumbers>", []string{"Action", "ListPhoneNumbersOptedOut"}},
		{"<Failed></Failed>", slices.Concat([]string{"Action", "PublishBatch", "TopicArn", orders}, batchEntryParameters(1))},
	} {
		if status, body := s.query(t, tt.parameters...); status != 200 || !strings.Contains(body, tt.want) {
			t.Errorf("%v: got %d %s, want %s", tt.parameters, status, body, tt.want)
		}
	}
	for _, parameters := range [][]string{
		{"Action", "SetTopicAttributes", "TopicArn", orders, "AttributeName", "DisplayName", "AttributeValue", "x"}, {"Action", "DeleteTopic", "TopicArn", orders},
	} {
		status, body := s.query(t, parameters...)
		if status != 200 || strings.Contains(body, "Result") || !strings.Contains(body, "<ResponseMetadata><RequestId>") {
			t.Errorf("%v: got %d %s, want no result", parameters, status, body)
		}
	}
}

func slowSubscriber(t *testing.T, s *subscriber) {
	orders := s.topic(t, "orders")
	links, ended := make(chan string, 1), make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var message struct{ SubscribeURL string }
		if json.NewDecoder(r.Body).Decode(&message) == nil && message.SubscribeURL != "" {
			links <- message.SubscribeURL
			return
		}
		<-ended // what it was asked to confirm it answers, and nothing else
	}))
	t.Cleanup(hangs.Close)
	t.Cleanup(func() { close(ended) })
	s.subscribe(t, orders, "http", hangs.URL)
	s.follow(t, within(t, links, "the confirmation"))
	s.subscribe(t, orders, "sqs", s.arn("sqs", "gone"))
	url, _ := s.queue(t, orders, "in")
	endpoint, _ := s.hook(t, orders)
	began := time.Now()
	s.publish(t, orders, "hello")
	if took := time.Since(began); took > 10*time.Second { // the silent one is waited for 15 s
		t.Errorf("the publish took %v", took)
	}
	s.one(t, url)
	endpoint.next(t)
}

func regionsApart(t *testing.T, s *subscriber) {
	here := s.topic(t, "orders")
	client := s.inRegion("eu-west-1")
	there := *topic(t, client, "orders", nil)
	if here == there || !strings.Contains(there, ":eu-west-1:") {
		t.Errorf("the topics are %s and %s", here, there)
	}
	url, _ := s.queue(t, here, "in")
	publish(t, client, &sns.PublishInput{TopicArn: &there, Message: aws.String("from there")})
	if got := s.receive(t, url); len(got) > 0 {
		t.Errorf("the other region's message is here: %v", got)
	}
	for arn, client := range map[string]*sns.Client{here: s.sns(), there: client} {
		if out, err := client.ListTopics(t.Context(), &sns.ListTopicsInput{}); err != nil || len(out.Topics) != 1 || *out.Topics[0].TopicArn != arn {
			t.Errorf("the topics of %s: %+v, %v", arn, out, err)
		}
	}
	if _, err := client.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: &there}); err != nil {
		t.Fatal(err)
	}
	s.publish(t, here, "hello")
	s.one(t, url)
	far := createQueue(t, s.sqs(func(o *sqs.Options) { o.Region = "eu-west-1" }), "in")
	if got := receive(t, s.sqs(func(o *sqs.Options) { o.Region = "eu-west-1" }), far); len(got) > 0 {
		t.Errorf("the queue of that name in the other region has %v", got)
	}
}
