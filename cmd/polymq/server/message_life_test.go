package server

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// lifeEvent is an event as the JSON API shows it.
type lifeEvent struct {
	ID                                                                          string
	Kind, Queue, Topic, Subscription, Detail, Protocol, Action, Address, Status string
	MessageID                                                                   string `json:"message_id"`
	OriginID                                                                    string `json:"origin_id"`
	NewHandle                                                                   string `json:"new_receipt_handle"`
	Attempt                                                                     int
	Matched, Filtered                                                           []string
	TookMS                                                                      float64 `json:"took_ms"`
	VisibleAt                                                                   string  `json:"visible_at"`
}

// events reads a log by the JSON API.
func events(t *testing.T, srv *Server, path string) []lifeEvent {
	t.Helper()
	var log struct{ Events []lifeEvent }
	if err := json.Unmarshal([]byte(request(t, http.MethodGet, srv.URL()+"/api/v1"+path, "")), &log); err != nil {
		t.Fatal(err)
	}
	return log.Events
}

// inTheEnd reads a log until something holds of it.
func inTheEnd(t *testing.T, srv *Server, path string, holds func([]lifeEvent) bool) []lifeEvent {
	t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); ; <-poll.C {
		log := events(t, srv, path)
		if holds(log) {
			return log
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s tells %+v", path, log)
		}
	}
}

// request makes a request that succeeds, and gives its answer.
func request(t *testing.T, method, url, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	if strings.Contains(url, "/queues/") && !strings.Contains(url, "/api/") {
		r.Header.Set("x-mns-version", "2015-06-06")
	}
	resp, err := httpClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: status %d, %s, error %v", method, url, resp.StatusCode, answer, err)
	}
	return string(answer)
}

func kindsOf(log []lifeEvent) []string {
	kinds := make([]string, len(log))
	for i, e := range log {
		kinds[i] = e.Kind
	}
	return kinds
}

// TestLifeOfAMessage sends by SQS, receives by MNS, has the message become a dead letter and moves it back.
func TestLifeOfAMessage(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{MessageLog: "all", TestMode: true})
	api := srv.URL() + "/api/v1"
	createQueue(t, srv, "dead")
	request(t, http.MethodPost, api+"/queues", `{"name": "orders", "dead_letter": {"queue": "dead", "max_receives": 1}}`)
	sent := request(t, http.MethodGet, srv.URL()+"/?Action=SendMessage&MessageBody=hello&QueueUrl="+srv.URL()+"/000000000000/orders", "")
	_, after, _ := strings.Cut(sent, "<MessageId>")
	id, _, _ := strings.Cut(after, "<")
	request(t, http.MethodGet, srv.URL()+"/queues/orders/messages?peekonly=true", "")
	var received struct{ ReceiptHandle string }
	if err := xml.Unmarshal([]byte(request(t, http.MethodGet, srv.URL()+"/queues/orders/messages", "")), &received); err != nil {
		t.Fatal(err)
	}
	request(t, http.MethodPut, srv.URL()+"/queues/orders/messages?visibilityTimeout=1&receiptHandle="+received.ReceiptHandle, "")
	request(t, http.MethodPost, api+"/clock", `{"advance_seconds": 2}`)
	request(t, http.MethodPost, api+"/queues/orders/messages:receive", `{}`)
	inTheEnd(t, srv, "/messages/"+id+"/log", func(log []lifeEvent) bool { return len(log) == 6 })
	request(t, http.MethodPost, api+"/queues/dead/moves", `{}`)
	log := inTheEnd(t, srv, "/messages/"+id+"/log", func(log []lifeEvent) bool { return len(log) == 8 })
	want := []string{"sent", "peeked", "received", "visibility-changed", "moved", "moved", "moved", "sent"}
	if got := kindsOf(log); !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	var told []string
	for _, e := range log {
		told = append(told, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Protocol, e.Action, e.Queue)))
	}
	if want := []string{"sqs SendMessage orders", "mns PeekMessage orders", "mns ReceiveMessage orders", "mns ChangeMessageVisibility orders", "orders", "dead", "dead", "orders"}; !slices.Equal(told, want) {
		t.Errorf("told of %q, want %q", told, want)
	}
	for _, e := range log[:4] {
		if e.Address != "127.0.0.1" || e.TookMS <= 0 {
			t.Errorf("%+v tells not who did it in which time", e)
		}
	}
	if log[3].NewHandle == "" || log[3].NewHandle == received.ReceiptHandle || log[3].VisibleAt == "" {
		t.Errorf("the change of visibility is %+v", log[3])
	}
	moved := log[7]
	if moved.OriginID != id || moved.MessageID == id || !strings.HasPrefix(moved.Detail, "moved from queue dead") || !strings.Contains(log[6].Detail, "to queue orders as "+moved.MessageID) {
		t.Errorf("the redrive is %+v and %+v", log[6], moved)
	}
	if got := events(t, srv, "/messages/"+moved.MessageID+"/log"); len(got) != len(log) {
		t.Errorf("the life of what was moved back does not begin before: %v", kindsOf(got))
	}
	if got := kindsOf(events(t, srv, "/queues/dead/log")); !slices.Equal(got, []string{"moved", "moved"}) {
		t.Errorf("the dead-letter queue tells %v", got)
	}
}

// TestLifeOfWhatIsPublished has one subscription get a message at once, one filter it out and one refuse it twice.
func TestLifeOfWhatIsPublished(t *testing.T) {
	t.Parallel()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(endpoint.Close)
	srv := start(t, Config{TestMode: true})
	api := srv.URL() + "/api/v1"
	for _, name := range []string{"mails", "bills", "dead"} {
		createQueue(t, srv, name)
	}
	request(t, http.MethodPost, api+"/topics", `{"name": "shop", "logging": true}`)
	for _, subscription := range []string{
		`{"name": "to-mails", "queue": "mails"}`,
		`{"name": "to-bills", "queue": "bills", "filter": "{\"kind\": [\"bill\"]}"}`,
		`{"name": "hook", "url": "` + endpoint.URL + `", "retries": [{"retries": 1, "min_seconds": 3600, "max_seconds": 3600}], "dead_letter_queue": "dead"}`,
	} {
		request(t, http.MethodPost, api+"/topics/shop/subscriptions", subscription)
	}
	request(t, http.MethodPost, api+"/topics/shop/messages", `{"messages": [{"body": "x", "attributes": {"kind": {"type": "String", "value": "order"}}}]}`)
	log := inTheEnd(t, srv, "/topics/shop/log", func(log []lifeEvent) bool { return len(log) == 3 })
	id := log[0].MessageID
	if p := log[0]; p.Kind != "published" || !slices.Equal(p.Matched, []string{"to-mails", "hook"}) || !slices.Equal(p.Filtered, []string{"to-bills"}) || p.Action != "publish-messages" || p.Queue != "" {
		t.Errorf("published: %+v", p)
	}
	if s := log[1]; s.Kind != "sent" || s.Queue != "mails" || s.OriginID != id || s.Subscription != "to-mails" || s.Action != "publish-messages" {
		t.Errorf("sent: %+v", s)
	}
	if f := log[2]; f.Kind != "push-failed" || f.Subscription != "hook" || f.Status != "503" || f.Attempt != 1 || f.VisibleAt == "" || f.MessageID != id {
		t.Errorf("push-failed: %+v", f)
	}
	if got := kindsOf(events(t, srv, "/messages/"+log[1].MessageID+"/log")); !slices.Equal(got, []string{"published", "sent", "push-failed"}) {
		t.Errorf("the life of the copy is %v", got)
	}
	request(t, http.MethodPost, api+"/clock", `{"advance_seconds": 3601}`)
	log = inTheEnd(t, srv, "/messages/"+id+"/log", func(log []lifeEvent) bool { return len(log) == 5 })
	if got, want := kindsOf(log), []string{"published", "sent", "push-failed", "push-failed", "sent"}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if last := log[3]; last.Attempt != 2 || !strings.Contains(last.Detail, "given up, to dead-letter queue dead") {
		t.Errorf("the last attempt is %+v", last)
	}
	if dead := log[4]; dead.Queue != "dead" || dead.OriginID != id || dead.Detail != "as a dead letter of subscription hook" {
		t.Errorf("the dead letter is %+v", dead)
	}
}

// TestLifeEndsWithAPurge empties queues at once: the life of what was in them then ends with that, and no other.
func TestLifeEndsWithAPurge(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{MessageLog: "all", TestMode: true})
	api := srv.URL() + "/api/v1"
	createQueue(t, srv, "dead")
	request(t, http.MethodPost, api+"/queues", `{"name": "orders", "dead_letter": {"queue": "dead", "max_receives": 1}}`)
	send := func(queue string) (id string) {
		t.Helper()
		var sent struct{ Messages []struct{ ID string } }
		if err := json.Unmarshal([]byte(request(t, http.MethodPost, api+"/queues/"+queue+"/messages", `{"messages": [{"body": "x"}]}`)), &sent); err != nil {
			t.Fatal(err)
		}
		return sent.Messages[0].ID
	}
	receive := func(queue string) (handle string) {
		t.Helper()
		var received struct {
			Messages []struct {
				Handle string `json:"receipt_handle"`
			}
		}
		if err := json.Unmarshal([]byte(request(t, http.MethodPost, api+"/queues/"+queue+"/messages:receive", `{}`)), &received); err != nil {
			t.Fatal(err)
		}
		if len(received.Messages) == 0 {
			return ""
		}
		return received.Messages[0].Handle
	}
	life := func(id string) []lifeEvent { return events(t, srv, "/messages/"+id+"/log") }
	deadID := send("orders")
	receive("orders")
	request(t, http.MethodPost, api+"/clock", `{"advance_seconds": 31}`)
	if receive("orders") != "" {
		t.Fatal("a dead letter was received")
	}
	deletedID := send("orders")
	request(t, http.MethodPost, api+"/queues/orders/messages:delete", `{"receipt_handles": ["`+receive("orders")+`"]}`)
	purgedID := send("orders")
	request(t, http.MethodGet, srv.URL()+"/?Action=PurgeQueue&QueueUrl="+srv.URL()+"/000000000000/orders", "")
	laterID := send("orders")
	for name, tt := range map[string]struct {
		id   string
		want []string
	}{
		"was there":        {purgedID, []string{"sent", "purged"}},
		"deleted before":   {deletedID, []string{"sent", "received", "deleted"}},
		"a dead letter":    {deadID, []string{"sent", "received", "moved", "moved"}},
		"came only after":  {laterID, []string{"sent"}},
		"as MNS shows ids": {strings.ToUpper(strings.ReplaceAll(purgedID, "-", "")), []string{"sent", "purged"}},
		"nobody's id":      {"00000000-0000-0000-0000-000000000000", []string{}},
	} {
		if got := kindsOf(life(tt.id)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: the life is %v, want %v", name, got, tt.want)
		}
	}
	purged := life(purgedID)[1]
	if purged.Queue != "orders" || purged.Protocol != "sqs" || purged.Action != "PurgeQueue" || purged.Address != "127.0.0.1" || purged.MessageID != "" {
		t.Errorf("the purge is %+v", purged)
	}
	if got := kindsOf(events(t, srv, "/queues/orders/log?id="+purgedID)); !slices.Equal(got, []string{"sent", "purged"}) {
		t.Errorf("in its queue: %v", got)
	}
	page := events(t, srv, "/messages/"+purgedID+"/log?limit=1")
	if got := kindsOf(events(t, srv, "/messages/"+purgedID+"/log?cursor="+page[0].ID)); !slices.Equal(got, []string{"purged"}) {
		t.Errorf("the second page: %v", got)
	}
	if log := kindsOf(events(t, srv, "/queues/orders/log")); log[len(log)-2] != "purged" {
		t.Errorf("the queue tells %v", log)
	}
	for _, name := range []string{"dead", "orders"} {
		request(t, http.MethodDelete, api+"/queues/"+name, "")
	}
	if got := life(laterID); len(got) != 2 || got[1].Kind != "purged" || got[1].Detail != "the queue was deleted" || got[1].Action != "delete-queue" {
		t.Errorf("when its queue was deleted: %+v", got)
	}
	if got := life(deadID); len(got) != 5 || got[4].Kind != "purged" || got[4].Queue != "dead" {
		t.Errorf("when the dead-letter queue was deleted: %+v", got)
	}
	if got := kindsOf(life(purgedID)); !slices.Equal(got, []string{"sent", "purged"}) {
		t.Errorf("a life ends twice: %v", got)
	}
}

// TestLifeOfPushesWithoutAnAnswer has no endpoint answer, each for another reason; the log says which (specs/mns.md 9.1, NotifyStatus).
func TestLifeOfPushesWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(hangs.Close)
	t.Cleanup(func() { close(release) })
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	srv := start(t, Config{MessageLog: "all", TestMode: true})
	api := srv.URL() + "/api/v1"
	request(t, http.MethodPost, api+"/topics", `{"name": "shop"}`)
	want := map[string]string{"refuses": "ConnectFailure", "hangs": "ConnectTimeout", "nowhere": "InvalidHost", "distrusted": "ConnectFailure", "forbidden": "InvalidHost"}
	for name, url := range map[string]string{"refuses": "http://127.0.0.1:1", "hangs": hangs.URL, "nowhere": "http://nobody..invalid", "distrusted": secure.URL, "forbidden": "http://169.254.169.254"} {
		request(t, http.MethodPost, api+"/topics/shop/subscriptions", `{"name": "`+name+`", "format": "mns", "url": "`+url+`"}`)
	}
	request(t, http.MethodPost, api+"/topics/shop/messages", `{"messages": [{"body": "x"}]}`)
	var got map[string]string // the first failure of each; some are tried again meanwhile
	log := inTheEnd(t, srv, "/topics/shop/log", func(log []lifeEvent) bool {
		got = map[string]string{}
		for _, e := range log {
			if e.Subscription != "" && got[e.Subscription] == "" {
				got[e.Subscription] = e.Status
			}
		}
		return len(got) == len(want)
	})
	for _, e := range log[1:] {
		if e.Kind != "push-failed" || e.Detail == "" {
			t.Errorf("%s: %+v", e.Subscription, e)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
