package console

import (
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// subscriptionPage is the data of the page of one subscription.
type subscriptionPage struct {
	Sub        core.Subscription
	Deliveries []deliveryView
	Next       string
	Attempts   []core.Attempt
	Scope      string // of the filter, without a protocol
	Fault      string // of the filter, which cannot be read
}

// deliveryView is a delivery that is still to be made.
type deliveryView struct {
	core.Delivery
	Line string
}

// shownAttempts is how many of the last attempts a page shows.
const shownAttempts = 30

// subscription names the subscription that the path names.
func (x *exchange) subscription() core.SubscriptionName {
	return core.SubscriptionName{Topic: x.topic(), Name: x.r.PathValue("subscription")}
}

// endpoint gives an endpoint as the visitor may see it: who may only look sees no passwords in URLs.
func (x *exchange) endpoint(endpoint string) string {
	if toOperate.meets(x.session.grants) {
		return endpoint
	}
	return caller.WithoutPassword(endpoint)
}

func (s *Server) onSubscription(x *exchange) (subscriptionPage, error) {
	sub, err := s.broker.Subscription(x.ctx(), x.subscription())
	if err != nil {
		return subscriptionPage{}, err
	}
	sub.Endpoint = x.endpoint(sub.Endpoint)
	data := subscriptionPage{Sub: sub}
	data.Scope, _, _ = strings.Cut(sub.Filter.Scope, ":")
	data.Fault = s.broker.FilterFault(&sub)
	in := core.ListDeliveriesInput{Topic: x.topic(), Subscription: sub.Name.Name, Limit: listed}
	attempts := in
	attempts.Limit = shownAttempts
	in.After = x.r.URL.Query().Get("after")
	deliveries, err := s.broker.ListDeliveries(x.ctx(), in)
	if err != nil {
		return data, err
	}
	data.Next = deliveries.Next
	for _, d := range deliveries.Deliveries {
		if !x.session.grants.Bodies {
			data.Deliveries = append(data.Deliveries, deliveryView{Delivery: d})
			continue
		}
		body := core.EncodeBody(d.Message.BodyFor(sub.Protocol), d.Message.Form, core.BodyAuto, core.ReadsText)
		data.Deliveries = append(data.Deliveries, deliveryView{d, shorten(120, strings.Join(strings.Fields(string(body[:min(len(body), 600)])), " "))})
	}
	found, err := s.broker.ListAttempts(x.ctx(), attempts)
	data.Attempts = found.Attempts
	return data, err
}

// showSubscription shows a subscription, what is still to be delivered to it, and the last attempts.
func (s *Server) showSubscription(x *exchange) error {
	data, err := s.onSubscription(x)
	if err != nil {
		return err
	}
	return s.show(x, "subscription.html", &page{Title: "Subscription", Heading: x.topic().Name, Active: "topics", Data: data, Snippets: subscriptionSnippets(x, &data.Sub)})
}

// showDeliveries shows the part that changes all the time.
func (s *Server) showDeliveries(x *exchange) error {
	data, err := s.onSubscription(x)
	if err != nil {
		return err
	}
	return s.part(x, "subscription.html", "deliveries", data)
}

// back gives the path of the subscription's page.
func (x *exchange) subscriptionPath() string {
	return "/topics/" + x.topic().Name + "/subscriptions/" + x.subscription().Name
}

// alterSubscription changes what a subscription gets, and where goes what cannot be delivered to it.
func (s *Server) alterSubscription(x *exchange) error {
	sub, err := s.broker.Subscription(x.ctx(), x.subscription())
	if err != nil {
		return err
	}
	filter, raw, dead := x.filter(sub.Protocol), x.field("raw") != "", core.QueueName{}
	if name := x.field("dead_letter"); name == sub.DeadLetter.Name {
		dead = sub.DeadLetter
	} else if name != "" {
		if dead, err = s.deadLetters(x, name); err != nil {
			return err
		}
	}
	if _, err := s.broker.AlterSubscription(x.ctx(), sub.Name, core.SubscriptionChange{Filter: &filter, Raw: &raw, DeadLetter: &dead}); err != nil {
		return err
	}
	return x.done(x.subscriptionPath(), x.t("The settings were saved. They decide about what is published from now on."))
}

// deadLetters gives the queue for what cannot be delivered, which must be there.
func (s *Server) deadLetters(x *exchange, name string) (core.QueueName, error) {
	queue, err := s.broker.Queue(x.ctx(), core.QueueName{Account: x.account, Region: x.region, Name: name})
	if err != nil {
		return core.QueueName{}, err
	}
	return queue.Name, nil
}

// retryDelivery has a message pushed now.
func (s *Server) retryDelivery(x *exchange) error {
	id, err := core.ParseMessageID(x.field("message"))
	if err == nil {
		err = s.broker.RetryDelivery(x.ctx(), x.subscription(), id)
	}
	if err != nil {
		return err
	}
	return x.done(x.subscriptionPath(), x.t("The message is being delivered now."))
}

// skipDelivery gives a message up: it goes to the dead-letter queue.
func (s *Server) skipDelivery(x *exchange) error {
	id, err := core.ParseMessageID(x.field("message"))
	if err == nil {
		err = s.broker.DeadLetterDelivery(x.ctx(), x.subscription(), id)
	}
	if err != nil {
		return err
	}
	return x.done(x.subscriptionPath(), x.t("The message went to the dead-letter queue."))
}

// unsubscribe ends a subscription.
func (s *Server) unsubscribe(x *exchange) error {
	sub, err := s.broker.Unsubscribe(x.ctx(), x.subscription())
	if err != nil {
		return err
	}
	return x.done("/topics/"+x.topic().Name, x.t("%s is not subscribed any more.", sub.Endpoint))
}
