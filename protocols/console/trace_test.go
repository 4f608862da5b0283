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
