package console_test

import (
	"strings"
	"testing"

	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

// TestTraceOfAPurge asks where messages are whose queue was emptied.
func TestTraceOfAPurge(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	broker.LogAllMessages(true)
	s := newSite(t, broker, &caller.Options{})
	queue := pgtest.Queue(t, broker, "orders")
	id := pgtest.Send(t, broker, queue, "hello")[0].ID.UUID()
	s.wants(s.get(base+"/trace?id="+id), "It is in the queue orders now")
	s.done(base+"/queues/orders/purge", "confirm", "orders")
	page := s.get(base + "/trace?id=" + id)
	s.wants(page, "kind-purged", "all messages of the queue were removed", "PurgeQueue")
	if strings.Contains(page, "It is in the queue") || strings.Contains(page, "/trace?id=00000000-") {
		t.Errorf("what was purged is shown:\n%s", page)
	}
	s.wants(s.get(base+"/trace?queue=orders"), "kind-sent", "kind-purged")
	s.wants(s.get(base+"/trace?queue=orders", "Accept-Language", "zh-CN"), "已发送", "队列中的消息已全部清除")
}

// TestAllIsLogged says where settings are shown that what happens to messages is recorded whatever they say, and offers it nowhere.
func TestAllIsLogged(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	s := newSite(t, broker, &caller.Options{})
	s.done(base+"/queues", "name", "orders")
	s.done(base+"/topics", "name", "events")
	pages := []string{base + "/queues", base + "/queues/orders/settings", base + "/topics/events/settings"}
	for _, page := range pages {
		if text := s.get(page); strings.Contains(text, "--message-log all") || !strings.Contains(text, "Needed for") {
			t.Errorf("%s, where settings decide:\n%s", page, text)
		}
	}
	s.wants(s.get(base+"/trace?queue=orders"), "Record from now on")
	broker.LogAllMessages(true)
	for _, page := range pages {
		s.wants(s.get(page), "--message-log all")
	}
	if text := s.get(base + "/trace?queue=orders"); strings.Contains(text, "Record from now on") {
		t.Errorf("it is offered to record what is recorded:\n%s", text)
	}
}
