package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A fake is a queue server with the three protocols on one store, and faults on demand. Its
// receives wait as long as they are asked to; what it hides it never shows again.
type fake struct {
	mu      sync.Mutex
	queues  map[string][]string // bodies that wait, by queue
	flying  map[string]string   // bodies received, by handle
	next    int                 // number of handles given out
	arrived chan struct{}       // closed, and renewed, when a message arrives
	ever    map[string]bool     // queues that existed
	sends   map[string]int      // by queue

	// Faults; all may be nil.
	before func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
	store  func(body string) []string                        // what a sent body becomes
	repeat func(body string) bool                            // a deleted message is to come again
	refuse func(body string) bool                            // an entry of a batch is to be refused
}

func newFake() *fake {
	return &fake{queues: map[string][]string{}, flying: map[string]string{}, ever: map[string]bool{}, sends: map[string]int{}, arrived: make(chan struct{})}
}

// start serves the fake until the test ends; several addresses may serve the same one.
func (f *fake) start(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return server.URL
}

func (f *fake) create(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queues[name], f.ever[name] = []string{}, true
}

func (f *fake) delete(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.queues, name)
}

// left returns the names of the queues that exist.
func (f *fake) left() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.queues))
}

// put stores a body, or refuses it: also in a queue that is not, or no longer, there.
func (f *fake) put(queue, body string) bool {
	if f.refuse != nil && f.refuse(body) {
		return false
	}
	bodies := []string{body}
	if f.store != nil {
		bodies = f.store(body)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.queues[queue]; !ok {
		return false
	}
	f.sends[queue]++
	f.queues[queue] = append(f.queues[queue], bodies...)
	close(f.arrived)
	f.arrived = make(chan struct{})
	return true
}

type fakeMessage struct{ handle, body string }

// take receives up to limit messages.
func (f *fake) take(r *http.Request, queue string, limit int, wait time.Duration) []fakeMessage {
	deadline := time.After(wait)
	for {
		messages, arrived := f.look(queue, limit)
		if len(messages) > 0 || wait == 0 {
			return messages
		}
		select {
		case <-arrived:
		case <-deadline:
			return nil
		case <-r.Context().Done():
			return nil
		}
	}
}

func (f *fake) look(queue string, limit int) ([]fakeMessage, chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(limit, len(f.queues[queue]))
	var messages []fakeMessage
	for _, body := range f.queues[queue][:n] {
		f.next++
		handle := fmt.Sprintf(`%s/%d "<&>+ é`, queue, f.next) // all that needs an escape somewhere
		f.flying[handle] = body
		messages = append(messages, fakeMessage{handle, body})
	}
	if n > 0 {
		f.queues[queue] = f.queues[queue][n:]
	}
	return messages, f.arrived
}

// remove deletes a received message; it says whether there was one.
func (f *fake) remove(handle string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, ok := f.flying[handle]
	if !ok || f.refuse != nil && f.refuse(handle) {
		return false
	}
	delete(f.flying, handle)
	if f.repeat != nil && f.repeat(body) {
		queue, _, _ := strings.Cut(handle, "/")
		if _, ok := f.queues[queue]; ok {
			f.queues[queue] = append(f.queues[queue], body)
		}
	}
	return true
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body)) // for before
	if f.before != nil && f.before(w, r) {
		return
	}
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		f.serveSQS(w, r, body)
	case r.Header.Get("X-Mns-Version") != "":
		f.serveMNS(w, r, body)
	default:
		f.serveAPI(w, r, body)
	}
}

func (f *fake) serveSQS(w http.ResponseWriter, r *http.Request, body []byte) {
	var in struct {
		QueueName, QueueUrl, MessageBody, ReceiptHandle string
		MaxNumberOfMessages, WaitTimeSeconds            int
		Entries                                         []struct{ Id, MessageBody, ReceiptHandle string }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	queue := in.QueueUrl[strings.LastIndexByte(in.QueueUrl, '/')+1:]
	out := map[string]any{}
	batch := func(do func(i int) bool) {
		var successful, failed []any
		for i, e := range in.Entries {
			if do(i) {
				successful = append(successful, map[string]string{"Id": e.Id})
			} else {
				failed = append(failed, map[string]any{"Id": e.Id, "Code": "InvalidParameterValue", "SenderFault": true})
			}
		}
		out["Successful"], out["Failed"] = successful, failed
	}
	switch action := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS."); action {
	case "CreateQueue":
		f.create(in.QueueName)
		out["QueueUrl"] = "http://elsewhere.example/000000000000/" + in.QueueName // clients go on sending to the endpoint
	case "DeleteQueue":
		f.delete(queue)
	case "SendMessage":
		f.put(queue, in.MessageBody)
	case "SendMessageBatch":
		batch(func(i int) bool { return f.put(queue, in.Entries[i].MessageBody) })
	case "ReceiveMessage":
		var messages []map[string]string
		for _, m := range f.take(r, queue, in.MaxNumberOfMessages, time.Duration(in.WaitTimeSeconds)*time.Second) {
			messages = append(messages, map[string]string{"Body": m.body, "ReceiptHandle": m.handle})
		}
		if messages != nil {
			out["Messages"] = messages
		}
	case "DeleteMessage":
		f.remove(in.ReceiptHandle)
	case "DeleteMessageBatch":
		batch(func(i int) bool { return f.remove(in.Entries[i].ReceiptHandle) })
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (f *fake) serveMNS(w http.ResponseWriter, r *http.Request, body []byte) {
	queue, messages := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/queues/"), "/messages")
	switch {
	case r.Method == http.MethodPut:
		f.create(queue)
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodDelete && !messages:
		f.delete(queue)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPost:
		f.sendMNS(w, queue, body)
	case r.Method == http.MethodGet:
		f.receiveMNS(w, r, queue)
	default:
		f.deleteMNS(w, r, body)
	}
}

func (f *fake) sendMNS(w http.ResponseWriter, queue string, body []byte) {
	var in struct {
		MessageBody string
		Message     []struct{ MessageBody string }
	}
	_ = xml.Unmarshal(body, &in)
	if in.MessageBody != "" {
		f.put(queue, in.MessageBody)
		w.WriteHeader(http.StatusCreated)
		return
	}
	status, answer := http.StatusCreated, ""
	for _, m := range in.Message {
		if f.put(queue, m.MessageBody) {
			answer += "<Message><MessageId>1</MessageId></Message>"
		} else {
			status = http.StatusInternalServerError
			answer += "<Message><ErrorCode>InternalError</ErrorCode><ErrorMessage>no</ErrorMessage></Message>"
		}
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0"?><Messages xmlns="http://mns.aliyuncs.com/doc/v1">%s</Messages>`, answer)
}

func (f *fake) receiveMNS(w http.ResponseWriter, r *http.Request, queue string) {
	wait, _ := strconv.Atoi(r.URL.Query().Get("waitseconds"))
	limit, batch := 1, r.URL.Query().Has("numOfMessages")
	if batch {
		limit, _ = strconv.Atoi(r.URL.Query().Get("numOfMessages"))
	}
	messages := f.take(r, queue, limit, time.Duration(wait)*time.Second)
	if len(messages) == 0 {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `<?xml version="1.0"?><Error xmlns="http://mns.aliyuncs.com/doc/v1"><Code>MessageNotExist</Code><Message>none</Message></Error>`)
		return
	}
	if batch {
		fmt.Fprint(w, `<Messages xmlns="http://mns.aliyuncs.com/doc/v1">`)
		defer fmt.Fprint(w, `</Messages>`)
	}
	for _, m := range messages {
		fmt.Fprint(w, `<Message xmlns="http://mns.aliyuncs.com/doc/v1"><MessageId>1</MessageId><ReceiptHandle>`)
		_ = xml.EscapeText(w, []byte(m.handle))
		fmt.Fprint(w, "</ReceiptHandle>\n<MessageBody>")
		_ = xml.EscapeText(w, []byte(m.body))
		fmt.Fprint(w, "</MessageBody></Message>")
	}
}

func (f *fake) deleteMNS(w http.ResponseWriter, r *http.Request, body []byte) {
	var in struct{ ReceiptHandle []string }
	_ = xml.Unmarshal(body, &in)
	if handle := r.URL.Query().Get("ReceiptHandle"); handle != "" {
		in.ReceiptHandle = []string{handle}
	}
	var failed strings.Builder
	for _, handle := range in.ReceiptHandle {
		if !f.remove(handle) {
			failed.WriteString("<Error><ErrorCode>ReceiptHandleError</ErrorCode><ErrorMessage>no</ErrorMessage><ReceiptHandle>")
			_ = xml.EscapeText(&failed, []byte(handle))
			failed.WriteString("</ReceiptHandle></Error>")
		}
	}
	if failed.Len() == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprintf(w, `<Errors xmlns="http://mns.aliyuncs.com/doc/v1">%s</Errors>`, failed.String())
}

func (f *fake) serveAPI(w http.ResponseWriter, r *http.Request, body []byte) {
	var in struct {
		Name           string
		Messages       []struct{ Body string }
		Limit          int
		WaitSeconds    int      `json:"wait_seconds"`
		ReceiptHandles []string `json:"receipt_handles"`
	}
	_ = json.Unmarshal(body, &in)
	queue, action, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v1/queues"), "/"), "/")
	out, failed := []any{}, []any{}
	switch {
	case r.Method == http.MethodDelete:
		f.delete(queue)
		w.WriteHeader(http.StatusNoContent)
		return
	case action == "":
		f.create(in.Name)
		w.WriteHeader(http.StatusCreated)
	case action == "messages":
		w.WriteHeader(http.StatusCreated)
		for _, m := range in.Messages {
			f.put(queue, m.Body)
			out = append(out, map[string]string{"id": "1"})
		}
	case action == "messages:receive":
		for _, m := range f.take(r, queue, in.Limit, time.Duration(in.WaitSeconds)*time.Second) {
			out = append(out, map[string]string{"id": "1", "receipt_handle": m.handle, "body": m.body})
		}
	case action == "messages:delete":
		for _, handle := range in.ReceiptHandles {
			if !f.remove(handle) {
				failed = append(failed, map[string]string{"receipt_handle": handle, "code": "MessageNotFound"})
			}
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"messages": out, "failed": failed})
}

// every returns a function that is true once in n calls.
func every(n int64) func(string) bool {
	var calls atomic.Int64
	return func(string) bool { return calls.Add(1)%n == 0 }
}

// once returns a function that is true at its n-th call alone.
func once(n int64) func(string) bool {
	var calls atomic.Int64
	return func(string) bool { return calls.Add(1) == n }
}
