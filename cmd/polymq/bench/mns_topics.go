package bench

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
)

func (c *mnsClient) createTopic(name string) (topic, error) {
	t := topic("/topics/" + name)
	return t, c.call(http.MethodPut, string(t), fmt.Appendf(nil, `<Topic %s></Topic>`, mnsNamespace), 0)
}

func (c *mnsClient) deleteTopic(t topic) error { return c.call(http.MethodDelete, string(t), nil, 0) }

func (c *mnsClient) subscribeQueue(t topic, name string, q queue) error {
	return c.subscribe(t, name, "acs:mns:"+c.Region+":"+c.Account+":queues/"+q.name)
}

func (c *mnsClient) subscribeURL(t topic, name, url string) error { return c.subscribe(t, name, url) }

func (c *mnsClient) subscribe(t topic, name, endpoint string) error {
	format := "XML"
	if c.Raw {
		format = "SIMPLIFIED"
	}
	body := fmt.Appendf(nil, `<Subscription %s><Endpoint>%s</Endpoint><NotifyContentFormat>%s</NotifyContentFormat></Subscription>`,
		mnsNamespace, html.EscapeString(endpoint), format)
	return c.call(http.MethodPut, string(t)+"/subscriptions/"+name, body, 0)
}

// publish publishes one message: MNS has no batches of them.
func (c *mnsClient) publish(t topic, batch []message) error {
	b := c.appendMessage(make([]byte, 0, 128+c.BodySize), " "+mnsNamespace, batch[0].number)
	return c.call(http.MethodPost, string(t)+"/messages", b, 0)
}

func (c *mnsClient) depth(q queue) (int, error) {
	if err := c.call(http.MethodGet, q.url, nil, 0); err != nil {
		return 0, err
	}
	return strconv.Atoi(text(c.answer.Bytes(), "ActiveMessages"))
}
