package bench

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// A fakeHub is a fake with topics: SNS's query protocol and MNS's. It delivers in the background, in an envelope.
type fakeHub struct {
	*fake
	mu            sync.Mutex
	subscriptions map[string][]string // endpoints by topic
	confirmed     map[string]bool
	drop          func(body string) bool // a delivery that is lost
	reject        func(body string) bool // an entry of a batch that is refused
	t             *testing.T
	pushes        sync.WaitGroup
}

func newFakeHub(t *testing.T) *fakeHub {
	h := &fakeHub{fake: newFake(), subscriptions: map[string][]string{}, confirmed: map[string]bool{}, t: t}
	h.before = h.serve
	t.Cleanup(h.pushes.Wait)
	return h
}

// serve answers what is about topics.
func (h *fakeHub) serve(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case strings.HasPrefix(r.URL.Path, "/topics/"):
		h.serveMNSTopic(w, r)
	case r.Header.Get("X-Mns-Version") != "" && r.Method == http.MethodGet && !strings.HasSuffix(r.URL.Path, "/messages"):
		fmt.Fprintf(w, "<Queue><ActiveMessages>%d</ActiveMessages></Queue>", h.waiting(strings.TrimPrefix(r.URL.Path, "/queues/")))
	case strings.HasSuffix(r.Header.Get("X-Amz-Target"), "GetQueueAttributes"):
		var in struct{ QueueUrl string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		n := h.waiting(in.QueueUrl[strings.LastIndexByte(in.QueueUrl, '/')+1:])
		fmt.Fprintf(w, `{"Attributes":{"ApproximateNumberOfMessages":"%d"}}`, n)
	case r.Header.Get("X-Amz-Target") == "" && r.Header.Get("X-Mns-Version") == "":
		h.serveSNS(w, r)
	default:
		return false
	}
	return true
}

func (h *fakeHub) waiting(queue string) int {
	h.fake.mu.Lock()
	defer h.fake.mu.Unlock()
	return len(h.queues[queue])
}

func (h *fakeHub) serveSNS(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Authorization"), "/sns/aws4_request") && r.Method == http.MethodPost {
		h.t.Errorf("the request is not for SNS: %s", r.Header.Get("Authorization"))
	}
	_ = r.ParseForm()
	topic := r.FormValue("TopicArn")
	switch action := r.FormValue("Action"); action {
	case "CreateTopic":
		fmt.Fprintf(w, "<TopicArn>arn:aws:sns:us-east-1:000000000000:%s</TopicArn>", r.FormValue("Name"))
	case "Subscribe":
		endpoint := r.FormValue("Endpoint")
		h.subscribe(topic, endpoint)
		if strings.HasPrefix(endpoint, "http") {
			link := "http://" + r.Host + "/?Action=ConfirmSubscription&TopicArn=" + url.QueryEscape(topic) + "&Endpoint=" + url.QueryEscape(endpoint)
			h.pushes.Go(func() { h.push(endpoint, "SubscriptionConfirmation", fmt.Sprintf(`{"SubscribeURL":%q}`, link)) })
		}
	case "ConfirmSubscription":
		h.mu.Lock()
		defer h.mu.Unlock()
		h.confirmed[r.FormValue("Endpoint")] = true
	case "Publish":
		h.publish(topic, r.FormValue("Message"))
	case "PublishBatch":
		fmt.Fprint(w, "<Failed>")
		for i := 1; r.Form.Has(fmt.Sprintf("PublishBatchRequestEntries.member.%d.Id", i)); i++ {
			entry := fmt.Sprintf("PublishBatchRequestEntries.member.%d.", i)
			if body := r.FormValue(entry + "Message"); h.reject != nil && h.reject(body) {
				fmt.Fprintf(w, "<member><Id>%s</Id><Code>InternalError</Code></member>", r.FormValue(entry+"Id"))
			} else {
				h.publish(topic, body)
			}
		}
		fmt.Fprint(w, "</Failed>")
	}
}

func (h *fakeHub) serveMNSTopic(w http.ResponseWriter, r *http.Request) {
	var in struct{ Endpoint, MessageBody string }
	_ = xml.NewDecoder(r.Body).Decode(&in)
	topic, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/topics/"), "/")
	switch {
	case strings.HasPrefix(rest, "subscriptions"):
		h.subscribe(topic, in.Endpoint)
		h.mu.Lock()
		h.confirmed[in.Endpoint] = true
		h.mu.Unlock()
	case rest == "messages":
		h.publish(topic, in.MessageBody)
	}
	w.WriteHeader(http.StatusCreated)
}

func (h *fakeHub) subscribe(topic, endpoint string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subscriptions[topic] = append(h.subscriptions[topic], endpoint)
}

// publish delivers to queues at once and to endpoints in the background.
func (h *fakeHub) publish(topic, body string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, endpoint := range h.subscriptions[topic] {
		envelope := fmt.Sprintf(`{"Message" : %q}`, body)
		switch {
		case h.drop != nil && h.drop(body):
		case !strings.HasPrefix(endpoint, "http"):
			h.put(endpoint[strings.LastIndexAny(endpoint, ":/")+1:], body)
		case h.confirmed[endpoint]:
			h.pushes.Go(func() { h.push(endpoint, "Notification", envelope) })
		}
	}
}

func (h *fakeHub) push(endpoint, kind, body string) {
	req, err := http.NewRequest(http.MethodPost, endpoint, strings.NewReader(body))
	if err != nil {
		h.t.Error(err)
		return
	}
	req.Header["x-amz-sns-message-type"] = []string{kind}
	if resp, err := http.DefaultClient.Do(req); err == nil { // else the run is over
		_ = resp.Body.Close()
	}
}

func TestTopicModes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		each uint64 // deliveries of a message
	}{
		"sqs/publish":       {[]string{"--mode", "publish"}, 1},
		"sqs/publish/batch": {[]string{"--mode", "publish", "--batch", "10", "--raw"}, 1},
		"sqs/backlog":       {[]string{"--mode", "publish", "--backlog", "100"}, 1},
		"sqs/fan-out":       {[]string{"--mode", "fan-out", "--subscriptions", "7"}, 7},
		"sqs/push":          {[]string{"--mode", "push", "--endpoints", "5", "--dead-endpoints", "2"}, 5},
		"sqs/scheduled":     {[]string{"--mode", "publish", "--scheduled", "1000"}, 1},
		"mns/publish":       {[]string{"--mode", "publish", "--protocol", "mns"}, 1},
		"mns/fan-out":       {[]string{"--mode", "fan-out", "--protocol", "mns", "--subscriptions", "3"}, 3},
		"mns/push":          {[]string{"--mode", "push", "--protocol", "mns", "--endpoints", "3"}, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := newFakeHub(t)
			r, _, err := execArgs(t.Context(), t, append(tt.args, "--endpoint", hub.start(t), "--messages", "200")...)
			if err != nil {
				t.Fatal(err)
			}
			o := r.Messages
			if r.Result.Failures != 0 || o.Acknowledged == 0 || o.Delivered != tt.each*o.Acknowledged || o.Expected != o.Delivered || o.Lost != 0 || !o.Checked {
				t.Errorf("result %+v, messages %+v", r.Result, o)
			}
			if r.Result.MessagesPerSecond == 0 || len(r.Result.Latencies) == 0 {
				t.Errorf("result %+v", r.Result)
			}
			if left := hub.left(); len(left) != 0 {
				t.Errorf("the queues %v were not deleted", left)
			}
		})
	}
}

func TestTopicFaults(t *testing.T) {
	t.Parallel()
	hub := newFakeHub(t)
	hub.drop = once(5)
	r, printed, err := execArgs(t.Context(), t, "--mode", "fan-out", "--subscriptions", "3", "--endpoint", hub.start(t), "--messages", "60", "--verify", "1s", "--timeout", "3s")
	if err == nil || r.Messages.Lost != 1 || !strings.Contains(printed, "1 lost") {
		t.Errorf("a lost delivery: %v, %+v\n%s", err, r.Messages, printed)
	}
	hub = newFakeHub(t)
	hub.store = func(body string) []string { return []string{body, body} }
	r, _, err = execArgs(t.Context(), t, "--mode", "publish", "--endpoint", hub.start(t), "--messages", "60")
	if err != nil || r.Messages.Again != r.Messages.Expected {
		t.Errorf("deliveries that come twice: %v, %+v", err, r.Messages)
	}
	hub = newFakeHub(t)
	hub.reject = every(10)
	r, _, err = execArgs(t.Context(), t, "--mode", "publish", "--batch", "5", "--endpoint", hub.start(t), "--messages", "60")
	if err != nil || r.Result.Failures == 0 || r.Messages.Lost != 0 || r.Result.Errors[0].Kind != "send: entry InternalError" {
		t.Errorf("entries that are refused: %v, %+v, %+v", err, r.Result, r.Messages)
	}
}
