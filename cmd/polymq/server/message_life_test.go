package server

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// lifeEvent is an event as the JSON API shows it.
type lifeEvent struct {
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
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
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
	resp, err := http.DefaultClient.Do(r)
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
	log = inTheEnd(t, srv, "/messages/"+id+"/log", func(log []lifeEvent) bool { // time moves in vain until the failure is written down
		request(t, http.MethodPost, api+"/clock", `{"advance_seconds": 3601}`)
		return len(log) == 5
	})
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
