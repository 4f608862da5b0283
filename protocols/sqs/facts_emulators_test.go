package sqs

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

// Section 10 of specs/sqs.md lists what emulators get wrong. Its points stand beside the facts that they are
// about, marked 10.N; here are those that are about no single fact. Points 1 to 5 are what facts itself checks:
// both protocols, each with its own form of errors, and 34, an attribute that is there twice.

// 10.7: a form at the path of a queue, without QueueUrl.
func TestFactsFormAtPath(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.ok(t, "CreateQueue", `{"QueueName":"orders.fifo","Attributes":{"FifoQueue":"true","ContentBasedDeduplication":"true"}}`)
	post := func(form string) reply {
		r := httptest.NewRequest(http.MethodPost, "/000000000000/orders.fifo", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return f.do(t, r)
	}
	if got := post("Action=SendMessage&MessageBody=a&MessageGroupId=g"); got.status != http.StatusOK {
		t.Errorf("got %s", got.body)
	}
	if got := post("Action=ReceiveMessage"); !strings.Contains(got.body, "<Body>a</Body>") {
		t.Errorf("got %s", got.body)
	}
}

// 10.39: many receivers at once, each message once.
func TestFactsReceiversAtOnce(t *testing.T) {
	facts(t, map[string]func(*client){
		"standard": func(c *client) { receiveAtOnce(c, c.newQueue("q"), func(int) m { return nil }) },
		"FIFO": func(c *client) {
			receiveAtOnce(c, c.newQueue("q.fifo"), func(i int) m {
				return m{"MessageGroupId": fmt.Sprint(i % 17), "MessageDeduplicationId": fmt.Sprint(i)}
			})
		},
	})
}

func receiveAtOnce(c *client, url string, more func(int) m) {
	const messages, receivers = 100, 8
	for i := 0; i < messages; i += 10 {
		var entries []m
		for n := i; n < i+10; n++ {
			entries = append(entries, with(m{"Id": fmt.Sprint(n), "MessageBody": fmt.Sprint(n)}, more(n)))
		}
		c.ok("SendMessageBatch", m{"QueueUrl": url, "Entries": entries})
	}
	var mu sync.Mutex
	seen := map[string]int{}
	var all sync.WaitGroup
	for range receivers {
		all.Go(func() {
			for {
				got := c.call("ReceiveMessage", m{"QueueUrl": url, "MaxNumberOfMessages": 3})
				if got.status != http.StatusOK {
					c.Errorf("got %s", got.body)
					return
				}
				list, _ := c.result("ReceiveMessage", got)["Messages"].([]any)
				mu.Lock()
				for _, message := range list {
					seen[message.(m)["Body"].(string)]++
				}
				done := len(seen) == messages
				mu.Unlock()
				if len(list) == 0 && (done || strings.HasSuffix(url, fifoSuffix)) {
					return
				}
				for _, message := range list {
					c.call("DeleteMessage", m{"QueueUrl": url, "ReceiptHandle": message.(m)["ReceiptHandle"]})
				}
			}
		})
	}
	all.Wait()
	for { // a group that was locked when the receivers looked
		rest := c.receiveFrom(url)
		if len(rest) == 0 {
			break
		}
		for _, message := range rest {
			seen[message["Body"].(string)]++
			c.delete(url, message)
		}
	}
	for body, n := range seen {
		if n != 1 {
			c.Errorf("message %s was received %d times", body, n)
		}
	}
	if len(seen) != messages {
		c.Errorf("got %d messages of %d", len(seen), messages)
	}
}

// Permissions that are added through two servers at once are all there (5 of each), and so are tags.
func TestFactsTwoServers(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	var servers []fixture
	for range 2 {
		broker := core.NewBroker(pgtest.Open(t, url))
		t.Cleanup(broker.Close)
		servers = append(servers, fixture{broker, New(broker, &caller.Options{}, Options{})})
	}
	servers[0].orders(t)
	var all sync.WaitGroup
	for i, f := range servers {
		all.Go(func() {
			for n := range 5 {
				label := fmt.Sprintf("label%d-%d", i, n)
				if got := f.json(t, "AddPermission", `{"QueueUrl":"orders","Label":"`+label+`","AWSAccountIds":["111122223333"],"Actions":["SendMessage"]}`); got.status != http.StatusOK {
					t.Errorf("got %s", got.body)
				}
				if got := f.json(t, "TagQueue", `{"QueueUrl":"orders","Tags":{"`+label+`":""}}`); got.status != http.StatusOK {
					t.Errorf("got %s", got.body)
				}
			}
		})
	}
	all.Wait()
	for _, f := range servers {
		policy := f.attributes(t, `"Policy"`)["Policy"]
		tags, _ := f.ok(t, "ListQueueTags", `{"QueueUrl":"orders"}`)["Tags"].(map[string]any)
		if n := strings.Count(policy, `"Sid":"label`); n != 10 || len(tags) != 10 {
			t.Errorf("got %d of 10 permissions and %d of 10 tags", n, len(tags))
		}
	}
}

// 6.7: too many messages in flight.
func TestFactsOverLimit(t *testing.T) {
	t.Parallel()
	f := startOn(&stubStore{receiveErr: core.Errorf(core.InFlightLimit, "too many")})
	f.json(t, "ReceiveMessage", `{"QueueUrl":"orders"}`).wantFault(t, overLimit, "")
	f.query(t, "ReceiveMessage", "QueueUrl=orders").wantQueryFault(t, overLimit, "")
}
