package console

import (
	"net/mail"
	"net/url"
	"regexp"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// topicsPage is the data of topics.html.
type topicsPage struct {
	Topics []core.Topic
	Prefix string
	Next   string
}

// listTopics lists topics by name.
func (s *Server) listTopics(x *exchange) error {
	query := x.r.URL.Query()
	data := topicsPage{Prefix: strings.TrimSpace(query.Get("q"))}
	found, err := s.broker.ListTopics(x.ctx(), core.ListTopicsInput{
		Account: x.account, Region: x.region, Prefix: data.Prefix, After: query.Get("after"), Limit: listed,
	})
	if err != nil {
		return err
	}
	data.Topics, data.Next = found.Topics, found.Next
	if x.partial() {
		return s.part(x, "topics.html", "rows", data)
	}
	return s.show(x, "topics.html", &page{Title: "Topics", Active: "topics", Data: data, Snippets: topicsSnippets(x)})
}

// createTopic makes a topic.
func (s *Server) createTopic(x *exchange) error {
	name, isFIFO := x.field("name"), x.field("fifo") != ""
	if isFIFO && !strings.HasSuffix(name, ".fifo") {
		name += ".fifo"
	} else if strings.HasSuffix(name, ".fifo") {
		isFIFO = true
	}
	topic, created, err := s.broker.CreateTopic(x.ctx(), core.NewTopic{
		Name: core.TopicName{Account: x.account, Region: x.region, Name: name}, FIFO: isFIFO, Settings: core.DefaultTopicSettings(),
	})
	if err != nil {
		return err
	}
	if !created {
		return x.problem(core.TopicExists, x.t("There is a topic %s already.", topic.Name.Name))
	}
	return x.done("/topics/"+name, x.t("Topic %s was created.", name))
}

// topicPage is the data of the pages of one topic.
type topicPage struct {
	Topic         core.Topic
	Tab           string
	Subscriptions []core.Subscription
	Next          string
	Prefix        string
	Tester        testerForm
	Settings      topicForm
}

func (s *Server) onTopic(x *exchange, tab string) (topicPage, error) {
	topic, err := s.broker.DescribeTopic(x.ctx(), x.topic())
	return topicPage{Topic: topic, Tab: tab}, err
}

// showTopic shows a topic and its subscriptions.
func (s *Server) showTopic(x *exchange) error {
	query := x.r.URL.Query()
	data, err := s.onTopic(x, "subscriptions")
	if err != nil {
		return err
	}
	found, err := s.broker.ListSubscriptions(x.ctx(), core.ListSubscriptionsInput{Topic: x.topic(), After: query.Get("after"), Limit: listed})
	if err != nil {
		return err
	}
	data.Subscriptions, data.Next = found.Subscriptions, found.Next
	for i := range data.Subscriptions {
		data.Subscriptions[i].Endpoint = x.endpoint(data.Subscriptions[i].Endpoint)
	}
	if x.partial() {
		return s.part(x, "topic.html", "rows", data)
	}
	return s.show(x, "topic.html", &page{Title: "Topic", Heading: data.Topic.Name.Name, Active: "topics", Data: data, Snippets: topicSnippets(x, &data.Topic)})
}

// deleteTopic removes a topic once its name was typed, unless nobody is subscribed to it.
func (s *Server) deleteTopic(x *exchange) error {
	data, err := s.onTopic(x, "")
	if err != nil {
		return err
	}
	f := x.form()
	if data.Topic.Counts.Confirmed+data.Topic.Counts.Pending > 0 {
		f.confirm(data.Topic.Name.Name)
	}
	if f.err != nil {
		return f.err
	}
	if err := s.broker.DeleteTopic(x.ctx(), x.topic()); err != nil {
		return err
	}
	return x.done("/topics", x.t("Topic %s was deleted.", data.Topic.Name.Name))
}

// publish publishes a message as the form has it.
func (s *Server) publish(x *exchange) error {
	f := x.form()
	message, err := x.publication(f)
	if err != nil {
		return err
	}
	topic, err := s.broker.Topic(x.ctx(), x.topic())
	if err != nil {
		return err
	}
	if err := fits(x, message.Body, message.Size(), topic.MaxMessageSize); err != nil {
		return err
	}
	published, err := s.broker.Publish(x.ctx(), core.PublishInput{Topic: topic.Name, Messages: []core.NewPublication{message}})
	if err != nil {
		return err
	}
	return s.part(x, "topic.html", "published", published[0])
}

// publication reads a message of a topic from a form.
func (x *exchange) publication(f *form) (core.NewPublication, error) {
	message := core.NewPublication{
		Body: []byte(x.r.PostFormValue("body")), Subject: x.field("subject"), Tag: x.field("tag"), GroupID: x.field("group"),
		DeduplicationID: x.field("deduplication"), Attributes: x.attributes(f),
	}
	return message, f.err
}

// subscribe subscribes a queue or an endpoint to a topic.
func (s *Server) subscribe(x *exchange) error {
	in := core.NewSubscription{
		Name: core.SubscriptionName{Topic: x.topic(), Name: x.field("name")}, Format: x.field("format"), Raw: x.field("raw") != "",
	}
	endpoint, isMNS := x.field("endpoint"), in.Format == "mns"
	kind := x.field("kind")
	if kind == "queue" {
		in.Queue = core.QueueName{Account: x.account, Region: x.region, Name: endpoint}
		if _, err := s.broker.Queue(x.ctx(), in.Queue); err != nil {
			return err
		}
	}
	var err error
	if in.Protocol, in.Endpoint, err = x.endpointOf(kind, endpoint, isMNS); err != nil {
		return err
	}
	in.Filter = x.filter(in.Protocol)
	if name := x.field("dead_letter"); name != "" {
		dead, err := s.deadLetters(x, name)
		if err != nil {
			return err
		}
		in.DeadLetter = dead
	}
	in.Attributes = map[string]string{caller.BaseAttribute(in.Format): x.caller.BaseURL}
	if role := x.field("role"); role != "" && in.Protocol == "firehose" {
		in.Attributes[roleAttribute] = role
	} else if in.Protocol == "firehose" {
		return x.problem(core.MissingParameter, x.t("A delivery stream needs the ARN of a role that may write to it."))
	}
	sub, created, err := s.broker.Subscribe(x.ctx(), in)
	if err != nil {
		return err
	}
	if !created {
		return x.problem(core.SubscriptionExists, x.t("%s is subscribed already.", sub.Endpoint))
	}
	return x.done("/topics/"+x.topic().Name, x.t("%s was subscribed.", sub.Endpoint))
}

// roleAttribute is where SNS keeps the role by which a delivery stream is written to.
const roleAttribute = "sns.SubscriptionRoleArn"

// arnForms are the ARNs that can be subscribed, and the kinds of the form that they are of.
var arnForms = map[string]*regexp.Regexp{
	"lambda":      regexp.MustCompile(`^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_:$-]+$`),
	"firehose":    regexp.MustCompile(`^arn:aws[a-z-]*:firehose:[a-z0-9-]+:[0-9]{12}:deliverystream/[A-Za-z0-9_.-]+$`),
	"application": regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:endpoint/[A-Z_]+/[A-Za-z0-9_.-]+/[0-9a-f-]{36}$`),
}

// endpointOf checks an endpoint of a kind, and gives it and its protocol as the format writes them.
func (x *exchange) endpointOf(kind, endpoint string, isMNS bool) (protocol, written string, err error) {
	refuse := func(text string) (string, string, error) { return "", "", x.problem(core.InvalidArgument, text) }
	form, isARN := arnForms[kind]
	switch {
	case kind == "queue" && isMNS:
		return "queue", "acs:mns:" + x.region + ":" + x.account + ":queues/" + endpoint, nil
	case kind == "queue":
		return "sqs", "arn:aws:sqs:" + x.region + ":" + x.account + ":" + endpoint, nil
	case kind == "http":
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return refuse(x.t("The endpoint must begin with http:// or https://."))
		}
		return u.Scheme, endpoint, nil
	case kind == "email":
		if address, err := mail.ParseAddress(endpoint); err != nil || address.Address != endpoint {
			return refuse(x.t("%s is no mail address.", endpoint))
		}
		if isMNS {
			return "mail", "mail:directmail:" + endpoint, nil
		}
		return "email", endpoint, nil
	case kind == "sms":
		number, ok := core.PhoneNumber(endpoint)
		if !ok {
			return refuse(x.t("%s is no phone number, such as +15550100.", endpoint))
		}
		if isMNS {
			return "sms", "sms:directsms:" + number, nil
		}
		return "sms", number, nil
	case isARN && isMNS:
		return refuse(x.t("MNS has no subscriptions of this kind; choose the format SNS."))
	case isARN && !form.MatchString(endpoint):
		return refuse(x.t("%s is not the ARN of such an endpoint.", endpoint))
	case isARN:
		return kind, endpoint, nil
	}
	return refuse(x.t("Choose what is to be subscribed."))
}

// filter reads a filter from a form, as SNS writes that of a subscription with a protocol: protocols may have
// bodies of their own.
func (x *exchange) filter(protocol string) core.Filter {
	text := x.field("filter")
	if text == "" {
		return core.Filter{}
	}
	if x.field("format") == "mns" {
		return core.Filter{Text: text}
	}
	scope := x.field("scope")
	switch {
	case scope == "":
		scope = "MessageAttributes"
	case scope == "MessageBody" && protocol != "":
		scope += ":" + protocol
	}
	return core.Filter{Text: text, Scope: scope}
}

// testerForm is what the filter tester was asked.
type testerForm struct {
	Format, Filter, Scope string
	Body                  string
}

// verdict is what the tester says of one subscription, or of the filter typed in.
type verdict struct {
	Name, Endpoint string
	Filter         string
	Problem        string
	core.Explanation
}

// testerPage is the data of the tester's answer.
type testerPage struct {
	Verdicts []verdict
	More     bool // the topic has more subscriptions than are shown
}

// showTester shows the form in which a filter can be tried out.
func (s *Server) showTester(x *exchange) error {
	data, err := s.onTopic(x, "tester")
	if err != nil {
		return err
	}
	data.Tester = testerForm{
		Format: "sns", Scope: "MessageAttributes", Filter: "{\n  \"kind\": [\"order\"],\n  \"amount\": [{\"numeric\": [\">=\", 100]}]\n}",
		Body: "{\"kind\": \"order\", \"amount\": 120}",
	}
	if name := x.r.URL.Query().Get("subscription"); name != "" {
		sub, err := s.broker.Subscription(x.ctx(), core.SubscriptionName{Topic: x.topic(), Name: name})
		if err != nil {
			return err
		}
		data.Tester.Format, data.Tester.Filter = sub.Format, sub.Filter.Text
		if scope, _, _ := strings.Cut(sub.Filter.Scope, ":"); scope != "" {
			data.Tester.Scope = scope
		}
	}
	return s.show(x, "topic_tester.html", &page{Title: "Filter tester", Heading: data.Topic.Name.Name, Active: "topics", Data: data, Snippets: topicSnippets(x, &data.Topic)})
}

// maxTested is how many subscriptions the tester tells about.
const maxTested = 100

// testFilter tells whether a filter lets a message through, and why; with the subscriptions' own filters where none
// is typed in.
func (s *Server) testFilter(x *exchange) error {
	f := x.form()
	message, err := x.publication(f)
	if err != nil {
		return err
	}
	published := &core.PublishedMessage{NewPublication: message}
	var data testerPage
	if x.field("against") != "subscriptions" {
		explained, err := s.broker.ExplainFilter(x.field("format"), x.filter(""), published)
		if err != nil {
			return err
		}
		data.Verdicts = []verdict{{Filter: x.field("filter"), Explanation: explained}}
		return s.part(x, "topic_tester.html", "verdicts", data)
	}
	found, err := s.broker.ListSubscriptions(x.ctx(), core.ListSubscriptionsInput{Topic: x.topic(), Limit: maxTested})
	if err != nil {
		return err
	}
	data.More = found.Next != ""
	for _, sub := range found.Subscriptions {
		v := verdict{Name: sub.Name.Name, Endpoint: x.endpoint(sub.Endpoint), Filter: sub.Filter.Text}
		if v.Explanation, err = s.broker.ExplainFilter(sub.Format, sub.Filter, published); err != nil {
			v.Problem = x.tell(err)
		}
		data.Verdicts = append(data.Verdicts, v)
	}
	return s.part(x, "topic_tester.html", "verdicts", data)
}
