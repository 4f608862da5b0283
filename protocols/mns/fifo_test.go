package mns

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// A group gives out its messages one after the other; different groups go on side by side.
func TestFIFOQueue(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createFIFO(t, "orders")
	const target = "/queues/orders/messages"
	f.do(t, http.MethodPost, target, "<Message><MessageBody>x</MessageBody></Message>").want(t, 400, "FifoMissingMessageGroupId")
	f.do(t, http.MethodPost, target, "<Messages><Message><MessageBody>x</MessageBody><MessageGroupId>a</MessageGroupId></Message><Message><MessageBody>x</MessageBody></Message></Messages>").
		want(t, 400, "FifoMissingMessageGroupId")
	// As the Go client has it: a delay and a priority of 0 mean nothing.
	f.send(t, "orders", "<MessageBody>a1</MessageBody><MessageGroupId>a</MessageGroupId><DelaySeconds>0</DelaySeconds><Priority>0</Priority>")
	f.send(t, "orders", "<MessageBody>a2</MessageBody><MessageGroupId>a</MessageGroupId>")
	f.do(t, http.MethodPost, target, "<Messages><Message><MessageBody>b1</MessageBody><MessageGroupId>b</MessageGroupId></Message><Message><MessageBody>b1</MessageBody><MessageGroupId>b</MessageGroupId></Message></Messages>").want(t, 201, "")

	first := f.do(t, http.MethodGet, target+"?numOfMessages=16", "").want(t, 200, "").doc.Messages
	if got := bodies(first); !slices.Equal(got, []string{"a1", "b1"}) {
		t.Fatalf("got %v, want the first of each group", got)
	}
	f.do(t, http.MethodGet, target, "").want(t, 404, "MessageNotExist")
	for _, m := range first {
		if m.MessageGroupId == m.MessageBody[:1] && m.MessageBody == "a1" {
			f.do(t, http.MethodDelete, target+"?ReceiptHandle="+m.ReceiptHandle, "").want(t, 204, "")
		}
	}
	second := f.receive(t, "orders")
	if second.MessageBody != "a2" || second.MessageGroupId != "a" {
		t.Errorf("got %+v, want the next of the group whose message was deleted", second)
	}
	changed := f.do(t, http.MethodPut, target+"?VisibilityTimeout=60&ReceiptHandle="+second.ReceiptHandle, "").want(t, 200, "").doc
	f.do(t, http.MethodDelete, target+"?ReceiptHandle="+second.ReceiptHandle, "").want(t, 404, "MessageNotExist")
	pgtest.Advance(t, f.broker, 30*time.Second)
	again := f.receive(t, "orders")
	if again.MessageBody != "b1" || again.DequeueCount != 2 {
		t.Errorf("got %+v, want the message whose visibility timeout is over", again)
	}
	f.do(t, http.MethodDelete, target+"?ReceiptHandle="+changed.ReceiptHandle, "").want(t, 204, "")
}

// A message that was received as often as it may be is found in the dead-letter queue, with where it
// comes from.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]func(f fixture, t testing.TB, name string){
		"standard": func(f fixture, t testing.TB, name string) { f.create(t, name, "") },
		"FIFO":     fixture.createFIFO,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			create(f, t, "orders")
			create(f, t, "dead")
			policy := core.DeadLetterPolicy{Target: "dead", MaxReceives: 2}
			if _, err := f.broker.AlterQueue(t.Context(), pgtest.Name("orders"), core.QueueChange{DeadLetter: &policy}); err != nil {
				t.Fatal(err)
			}
			sent := f.send(t, "orders", "<MessageBody>hello</MessageBody><MessageGroupId>g</MessageGroupId>")
			for range 2 {
				f.receive(t, "orders")
				pgtest.Advance(t, f.broker, 30*time.Second)
			}
			f.do(t, http.MethodGet, "/queues/orders/messages", "").want(t, 404, "MessageNotExist")
			got := f.receive(t, "dead")
			want := []property{
				{"DLQMessageType", "QueueMessage", "STRING"},
				{"DLQSourceArn", "acs:mns:" + pgtest.Region + ":" + pgtest.Account + ":queues/orders", "STRING"},
				{"DLQOriginMessageId", sent.MessageId, "STRING"},
			}
			if got.MessageBody != "hello" || got.MessageId != sent.MessageId || !slices.Equal(got.SystemProperties, want) {
				t.Errorf("got %+v, want system properties %v", got, want)
			}
			f.do(t, http.MethodPut, "/queues/orders", "<Queue/>").want(t, 204, "") // nothing that XML says differs
			f.do(t, http.MethodDelete, "/queues/dead/messages?ReceiptHandle="+got.ReceiptHandle, "").want(t, 204, "")
		})
	}
}

// What was received for the last time is in the dead-letter queue when its visibility timeout ends, though nobody
// receives from its queue any more (specs/mns.md 4.6).
func TestDeadLettersMoveOnTime(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, f fixture, handle string){
		"the timeout ends": func(*testing.T, fixture, string) {},
		"made visible": func(t *testing.T, f fixture, handle string) {
			f.do(t, http.MethodPut, "/queues/orders/messages?VisibilityTimeout=0&ReceiptHandle="+handle, "").want(t, 200, "")
		},
		"time is moved": func(t *testing.T, f fixture, _ string) { pgtest.Advance(t, f.broker, time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.create(t, "dead", "")
			timeout, wait := 30, ""
			if name == "the timeout ends" {
				timeout, wait = 1, "?waitseconds=30"
			}
			f.create(t, "orders", "<VisibilityTimeout>"+strconv.Itoa(timeout)+"</VisibilityTimeout>")
			policy := core.DeadLetterPolicy{Target: "dead", MaxReceives: 1}
			if _, err := f.broker.AlterQueue(t.Context(), pgtest.Name("orders"), core.QueueChange{DeadLetter: &policy}); err != nil {
				t.Fatal(err)
			}
			sent := f.send(t, "orders", "<MessageBody>hello</MessageBody><Priority>2</Priority>")
			end(t, f, f.receive(t, "orders").ReceiptHandle)
			got := f.do(t, http.MethodGet, "/queues/dead/messages"+wait, "").want(t, 200, "").doc
			if got.MessageId != sent.MessageId || len(got.SystemProperties) != 3 {
				t.Errorf("got %+v, want the dead letter %s", got, sent.MessageId)
			}
			f.do(t, http.MethodGet, "/queues/orders/messages?peekonly=true", "").want(t, 404, "MessageNotExist")
		})
	}
}
