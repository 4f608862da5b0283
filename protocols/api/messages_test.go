package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/api"
)

func TestSendAndReceive(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	sent := c.send("orders", `{"body": "héllo \r\n <&> \"", "priority": 3, "group_id": "g-1",
		"attributes": {"n": {"type": "Number.int", "value": "1"}, "b": {"type": "Binary", "value": "AP8="}, "a": {"type": "String", "value": "ä"}}}`)
	got := c.receive("orders")
	if len(got) != 1 {
		t.Fatalf("got %v", got)
	}
	m := got[0]
	if m["id"] != sent[0]["id"] || m["receipt_handle"] == "" || m["sent_at"] != sent[0]["sent_at"] || m["first_received_at"] == nil {
		t.Errorf("got %v, sent %v", m, sent[0])
	}
	for _, name := range []string{"id", "receipt_handle", "sent_at", "first_received_at", "visible_at"} {
		delete(m, name)
	}
	want := fmt.Sprint(object{
		"body": "héllo \r\n <&> \"", "priority": 3, "group_id": "g-1", "receive_count": 1, "sender": "000000000000", "bytes": 15 + 1 + 10 + 1 + 1 + 6 + 2 + 1 + 6 + 2,
		"attributes": object{"n": object{"type": "Number.int", "value": "1"}, "b": object{"type": "Binary", "value": "AP8="}, "a": object{"type": "String", "value": "ä"}},
	})
	if fmt.Sprint(m) != want {
		t.Errorf("got\n%v, want\n%v", m, want)
	}
	if again := c.receive("orders"); len(again) != 0 {
		t.Errorf("a message in flight was received again: %v", again)
	}
}

func TestSendChecks(t *testing.T) {
	t.Parallel()
	attribute := func(name, kind, value string) string {
		return fmt.Sprintf(`{"body": "x", "attributes": {%q: {"type": %q, "value": %q}}}`, name, kind, value)
	}
	var eleven []string
	for i := range 11 {
		eleven = append(eleven, fmt.Sprintf(`"a%d": {"type": "String", "value": "x"}`, i))
	}
	tests := map[string]struct {
		message string
		want    int
	}{
		"text":                     {`{"body": "x"}`, 201},
		"binary":                   {`{"body": "AP8=", "body_encoding": "base64"}`, 201},
		"no body":                  {`{}`, 422},
		"empty body":               {`{"body": ""}`, 422},
		"control character":        {`{"body": "\u0001"}`, 422},
		"pair of surrogates":       {`{"body": "\uD83D\uDE80"}`, 201},
		"high surrogate":           {`{"body": "\ud83d"}`, 400},
		"high surrogate, text":     {`{"body": "\ud83dude80"}`, 400},
		"two high surrogates":      {`{"body": "\ud83d\ud83d"}`, 400},
		"low surrogate":            {`{"body": "\ude80\ud83d"}`, 400},
		"surrogate for a reader":   {`{"body": "\\ud83d"}`, 201}, // the backslash is escaped
		"no UTF-8":                 {"{\"body\": \"\xff\"}", 400},
		"overlong UTF-8":           {"{\"body\": \"\xc0\x80\"}", 400},
		"no base64":                {`{"body": "x", "body_encoding": "base64"}`, 422},
		"other encoding":           {`{"body": "x", "body_encoding": "hex"}`, 422},
		"largest":                  {`{"body": "` + strings.Repeat("x", 1000) + `"}`, 201},
		"too large":                {`{"body": "` + strings.Repeat("x", 1001) + `"}`, 413},
		"too large with attribute": {`{"body": "` + strings.Repeat("x", 992) + `", "attributes": {"a": {"type": "String", "value": "12"}}}`, 413},
		"longest delay":            {`{"body": "x", "delay_seconds": 604800}`, 201},
		"delay too long":           {`{"body": "x", "delay_seconds": 604801}`, 422},
		"negative delay":           {`{"body": "x", "delay_seconds": -1}`, 422},
		"most urgent":              {`{"body": "x", "priority": 1}`, 201},
		"least urgent":             {`{"body": "x", "priority": 16}`, 201},
		"priority 0":               {`{"body": "x", "priority": 0}`, 422},
		"priority 17":              {`{"body": "x", "priority": 17}`, 422},
		"longest group":            {`{"body": "x", "group_id": "` + strings.Repeat("g", 128) + `"}`, 201},
		"group too long":           {`{"body": "x", "group_id": "` + strings.Repeat("g", 129) + `"}`, 422},
		"group with a space":       {`{"body": "x", "group_id": "a b"}`, 422},
		"attribute":                {attribute("a.b-c_d", "String.label", "x"), 201},
		"attribute of other type":  {attribute("a", "Boolean", "true"), 422},
		"attribute ends in a dot":  {attribute("a.", "String", "x"), 422},
		"attribute with two dots":  {attribute("a..b", "String", "x"), 422},
		"attribute reserved":       {attribute("Aws.x", "String", "x"), 422},
		"attribute without name":   {attribute("", "String", "x"), 422},
		"attribute without value":  {attribute("a", "String", ""), 422},
		"attribute no number":      {attribute("a", "Number", "one"), 422},
		"attribute number":         {attribute("a", "Number", "-1.5e3"), 201},
		"attribute of many digits": {attribute("a", "Number", strings.Repeat("7", 400)), 201},
		"attribute not finite":     {attribute("a", "Number", "Inf"), 422},
		"attribute NaN":            {attribute("a", "Number", "NaN"), 422},
		"attribute hexadecimal":    {attribute("a", "Number", "0x1p4"), 422},
		"attribute as in Go":       {attribute("a", "Number", "1_000"), 422},
		"attribute type no text":   {`{"body": "x", "attributes": {"a": {"type": "String.\u0001", "value": "x"}}}`, 422},
		"attribute no base64":      {attribute("a", "Binary", "?"), 422},
		"attribute no text":        {`{"body": "x", "attributes": {"a": {"type": "String", "value": "\u0001"}}}`, 422},
		"attribute name too long":  {attribute(strings.Repeat("n", 257), "String", "x"), 422},
		"eleven attributes":        {`{"body": "x", "attributes": {` + strings.Join(eleven, ",") + `}}`, 422},
		"unknown member":           {`{"body": "x", "ttl": 1}`, 422},
	}
	c := newClient(t)
	c.call(201, "POST", "/queues", `{"name": "orders", "max_message_bytes": 1000}`)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.t = t
			c.call(tt.want, "POST", "/queues/orders/messages", `{"messages": [`+tt.message+`]}`)
		})
	}
}

func TestSendBatch(t *testing.T) {
	t.Parallel()
	messages := func(n int) string {
		return `{"messages": [` + strings.TrimSuffix(strings.Repeat(`{"body": "x"},`, n), ",") + `]}`
	}
	c := newClient(t)
	c.queue("orders")
	c.call(422, "POST", "/queues/orders/messages", messages(0))
	if got := c.call(201, "POST", "/queues/orders/messages", messages(100)); len(objects(got["messages"])) != 100 {
		t.Errorf("got %v", got)
	}
	c.call(422, "POST", "/queues/orders/messages", messages(101))
	c.call(422, "POST", "/queues/orders/messages", `{"messages": [{"body": "good"}, {"body": "\u0000"}]}`)
	c.call(404, "POST", "/queues/parcels/messages", messages(1))
	if counts := c.call(200, "GET", "/queues/orders", "")["counts"].(object); counts["visible"] != 100.0 {
		t.Errorf("got %v, want the 100 messages of the one request that was right", counts)
	}
}

// TestBodies sends as other protocols do and reads as JSON.
func TestBodies(t *testing.T) {
	t.Parallel()
	const text, encoded = "grüße", "Z3LDvMOfZQ==" // the same in base64
	tests := map[string]struct {
		body           string
		form           core.BodyForm
		rule           string
		want, encoding string
	}{
		"text":                    {text, core.FormText, "auto", text, ""},
		"MNS, encoded by the SDK": {encoded, core.FormBase64, "auto", text, ""},
		"MNS, as it is":           {encoded, core.FormRaw, "auto", encoded, ""},
		"binary":                  {"\x00\xff", core.FormText, "auto", "AP8=", "base64"},
		"binary in MNS base64":    {"AP8=", core.FormBase64, "auto", "AP8=", ""},
		"as sent":                 {encoded, core.FormBase64, "as-sent", encoded, ""},
		"base64":                  {text, core.FormText, "base64", encoded, ""},
	}
	c := newClient(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.t = t
			queue := "q-" + strings.Map(func(r rune) rune {
				if r == ' ' || r == ',' {
					return '-'
				}
				return r
			}, name)
			c.call(201, "POST", "/queues", fmt.Sprintf(`{"name": %q, "body_rule": %q}`, queue, tt.rule))
			in := core.SendInput{Queue: pgtest.Name(queue), Messages: []core.NewMessage{{Body: []byte(tt.body), Form: tt.form}}}
			if _, err := c.broker.SendMessages(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			peeked := objects(c.call(200, "GET", "/queues/"+queue+"/messages", "")["messages"])
			for _, got := range append(peeked, c.receive(queue)...) {
				if encoding, _ := got["body_encoding"].(string); got["body"] != tt.want || encoding != tt.encoding {
					t.Errorf("got %q in %q, want %q in %q", got["body"], encoding, tt.want, tt.encoding)
				}
			}
		})
	}
}

func TestReceiveChecks(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want int
	}{
		"nothing asked for": {`{}`, 200},
		"most":              {`{"limit": 100}`, 200},
		"too many":          {`{"limit": 101}`, 422},
		"none":              {`{"limit": 0}`, 422},
		"wait too long":     {`{"wait_seconds": 31}`, 422},
		"longest timeout":   {`{"visibility_timeout_seconds": 43200}`, 200},
		"timeout too long":  {`{"visibility_timeout_seconds": 43201}`, 422},
	}
	c := newClient(t)
	c.queue("orders")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.t = t
			c.call(tt.want, "POST", "/queues/orders/messages:receive", tt.body)
		})
	}
	c.call(404, "POST", "/queues/parcels/messages:receive", `{}`)
}

func TestReceiveWaits(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	received := make(chan *httptest.ResponseRecorder)
	go func() {
		received <- c.serve(httptest.NewRequest("POST", "/api/v1/queues/orders/messages:receive", strings.NewReader(`{"wait_seconds": 30}`)))
	}()
	c.send("orders", `{"body": "hello"}`) // before or after the receive has begun, which must not matter
	if got := <-received; !strings.Contains(got.Body.String(), `"body":"hello"`) {
		t.Errorf("got %s", got.Body)
	}
}

func TestPeekPages(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	for i := range 5 {
		c.send("orders", fmt.Sprintf(`{"body": "%d"}`, i))
	}
	c.send("orders", `{"body": "delayed", "delay_seconds": 60}`)
	c.call(200, "POST", "/queues/orders/messages:receive", `{"limit": 1}`)
	tests := map[string]struct {
		query string
		want  []string
	}{
		"visible": {"", []string{"1", "2", "3", "4"}},
		"hidden":  {"&hidden=true", []string{"1", "2", "3", "4", "0", "delayed"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var bodies []string
			pages := 0
			for cursor := ""; pages == 0 || cursor != ""; pages++ {
				page := c.call(200, "GET", "/queues/orders/messages?limit=2&cursor="+cursor+tt.query, "")
				bodies = append(bodies, values(objects(page["messages"]), "body")...)
				cursor, _ = page["next_cursor"].(string)
			}
			if !slices.Equal(bodies, tt.want) || pages > 4 {
				t.Errorf("got %v in %d pages, want %v", bodies, pages, tt.want)
			}
		})
	}
	if got := c.receive("orders"); len(got) != 4 || got[0]["receive_count"] != 1.0 {
		t.Errorf("a peek changed what there is: %v", got)
	}
	c.call(404, "GET", "/queues/parcels/messages", "")
	c.call(422, "GET", "/queues/orders/messages?limit=101", "")
	c.call(422, "GET", "/queues/orders/messages?cursor=nonsense", "")
}

func TestDeleteMessages(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	c.send("orders", `{"body": "1"}`)
	m := c.receive("orders")[0]
	c.call(200, "POST", "/clock", `{"advance_seconds": 30}`)
	again := c.receive("orders")[0]
	if got := c.call(200, "POST", "/queues/orders/messages:delete", handle(m)); len(objects(got["failed"])) != 0 {
		t.Errorf("an older handle does not delete: %v", got)
	}
	gone := objects(c.call(200, "POST", "/queues/orders/messages:delete", `{"receipt_handles": ["`+again["receipt_handle"].(string)+`", "nonsense"]}`)["failed"])
	if got := values(gone, "code"); !slices.Equal(got, []string{"MessageNotFound", "ReceiptHandleInvalid"}) || gone[1]["receipt_handle"] != "nonsense" {
		t.Errorf("got %v", gone)
	}
	c.call(404, "POST", "/queues/parcels/messages:delete", handle(m))
	c.call(422, "POST", "/queues/orders/messages:delete", `{"receipt_handles": []}`)
}

func TestChangeVisibility(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	c.send("orders", `{"body": "1"}`, `{"body": "2"}`)
	got := c.receive("orders")
	change := func(timeout int, handle any) string {
		return fmt.Sprintf(`{"receipt_handle": %q, "visibility_timeout_seconds": %d}`, handle, timeout)
	}
	answer := c.call(200, "POST", "/queues/orders/messages:visibility", `{"changes": [`+
		change(0, got[0]["receipt_handle"])+","+change(60, got[1]["receipt_handle"])+","+change(1, "nonsense")+`]}`)
	if len(objects(answer["changed"])) != 2 || !slices.Equal(values(objects(answer["failed"]), "code"), []string{"ReceiptHandleInvalid"}) {
		t.Errorf("got %v", answer)
	}
	if again := c.receive("orders"); len(again) != 1 || again[0]["id"] != got[0]["id"] {
		t.Errorf("got %v, want the message that was made visible", again)
	}
	c.call(200, "POST", "/clock", `{"advance_seconds": 59}`)
	c.receive("orders")
	c.call(200, "POST", "/clock", `{"advance_seconds": 1}`)
	if late := c.receive("orders"); len(late) != 1 || late[0]["id"] != got[1]["id"] {
		t.Errorf("got %v, want the message that was hidden for a minute", late)
	}
	c.call(422, "POST", "/queues/orders/messages:visibility", `{"changes": [`+change(43201, got[0]["receipt_handle"])+`]}`)
	c.call(404, "POST", "/queues/parcels/messages:visibility", `{"changes": [`+change(1, got[0]["receipt_handle"])+`]}`)
}

func TestReturnMessages(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	c.send("orders", `{"body": "1"}`)
	received := c.receive("orders")[0]
	if failed := objects(c.call(200, "POST", "/queues/orders/messages:return", handle(received))["failed"]); len(failed) != 0 {
		t.Errorf("failed %v", failed)
	}
	failed := objects(c.call(200, "POST", "/queues/orders/messages:return", handle(received))["failed"])
	if len(failed) != 1 || failed[0]["receipt_handle"] != received["receipt_handle"] || failed[0]["code"] != string(core.ReceiptHandleSuperseded) {
		t.Errorf("returned twice: failed %v", failed)
	}
	if again := c.receive("orders"); len(again) != 1 || again[0]["receive_count"] != 1.0 {
		t.Errorf("got %v, want the message as if it had never been received", again)
	}
}

func TestAdvanceClock(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	c.send("orders", `{"body": "1", "delay_seconds": 60}`)
	if got := c.receive("orders"); len(got) != 0 {
		t.Fatalf("received early: %v", got)
	}
	c.call(200, "POST", "/clock", `{"account": "111122223333", "advance_seconds": 60}`)
	if got := c.receive("orders"); len(got) != 0 {
		t.Fatalf("received after another account's time moved: %v", got)
	}
	if answer := c.call(200, "POST", "/clock", `{"advance_seconds": 60}`); answer["account"] != "000000000000" || answer["now"] == "" {
		t.Errorf("got %v", answer)
	}
	if got := c.receive("orders"); len(got) != 1 {
		t.Errorf("got %v after the delay", got)
	}
	c.call(422, "POST", "/clock", `{"advance_seconds": -1}`)

	there := "?account=111122223333"
	c.call(201, "POST", "/queues"+there, `{"name": "orders"}`)
	c.call(201, "POST", "/queues/orders/messages"+there, `{"messages": [{"body": "1", "delay_seconds": 60}]}`)
	if answer := c.call(200, "POST", "/clock"+there, `{"advance_seconds": 60}`); answer["account"] != "111122223333" {
		t.Errorf("moved the time of %v, want that of the account in the query", answer["account"])
	}
	if got := objects(c.call(200, "POST", "/queues/orders/messages:receive"+there, `{}`)["messages"]); len(got) != 1 {
		t.Errorf("got %v after the delay of the account in the query", got)
	}

	c = newClientOf(t, c.broker, api.Options{})
	if problem := c.call(403, "POST", "/clock", `{"advance_seconds": 1}`); problem["code"] != "AccessDenied" {
		t.Errorf("got %v outside test mode", problem)
	}
}

// brokenWriter is the connection of a client that is gone.
type brokenWriter struct{ *httptest.ResponseRecorder }

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// vanishingReceiver is a store whose caller vanishes at the moment at which it is to be answered.
type vanishingReceiver struct {
	core.Store
	vanish func()
}

func (v *vanishingReceiver) ReceiveMessages(ctx context.Context, queue *core.Queue, in core.StoreReceive) ([]core.Message, error) {
	messages, err := v.Store.ReceiveMessages(ctx, queue, in)
	v.vanish()
	return messages, err
}

func TestMessagesOfVanishedClientsComeBack(t *testing.T) {
	t.Parallel()
	tests := map[string]func(c *client){
		"while the answer is written": func(c *client) {
			c.engine.ServeHTTP(brokenWriter{httptest.NewRecorder()}, httptest.NewRequest("POST", "/api/v1/queues/orders/messages:receive", strings.NewReader(`{}`)))
		},
		"before the answer": func(c *client) {
			ctx, vanish := context.WithCancel(t.Context())
			vanishing := newClientOf(t, core.NewBroker(&vanishingReceiver{c.store, vanish}), api.Options{})
			vanishing.serve(httptest.NewRequestWithContext(ctx, "POST", "/api/v1/queues/orders/messages:receive", strings.NewReader(`{}`)))
		},
	}
	for name, receive := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClient(t)
			c.queue("orders")
			c.send("orders", `{"body": "1"}`)
			receive(c)
			if got := c.receive("orders"); len(got) != 1 || got[0]["receive_count"] != 1.0 {
				t.Errorf("got %v, want the message as if it had never been received", got)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	tests := map[string]struct {
		method, path, contentType, body string
		want                            int
		code                            string
	}{
		"no such queue":     {"GET", "/api/v1/queues/orders", "", "", 404, "QueueNotFound"},
		"no such operation": {"GET", "/api/v1/nothing", "", "", 404, "NotFound"},
		"no such method":    {"PUT", "/api/v1/queues", "", "", 405, "MethodNotAllowed"},
		"no such healing":   {"POST", "/healthz", "", "", 405, "MethodNotAllowed"},
		"no query":          {"GET", "/api/v1/queues?prefix=%zz", "", "", 400, "BadRequest"},
		"half a query":      {"DELETE", "/api/v1/queues/orders?account=1;region=x", "", "", 400, "BadRequest"},
		"no such verb":      {"POST", "/api/v1/queues/orders/messages:publish", "", "", 404, "NotFound"},
		"no JSON":           {"POST", "/api/v1/queues", "application/json", "{", 400, "BadRequest"},
		"a form":            {"POST", "/api/v1/queues", "application/x-www-form-urlencoded", "name=x", 415, "UnsupportedMediaType"},
		"wrong value":       {"POST", "/api/v1/queues", "application/json", `{"name": 7}`, 422, "InvalidArgument"},
		"too much":          {"POST", "/api/v1/queues", "application/json", `{"name": "` + strings.Repeat("n", 17<<20) + `"}`, 413, "BodyTooLong"},
		"bad UTF-8":         {"POST", "/api/v1/queues", "application/json", "{\"name\": \"\xff\"}", 400, "BadRequest"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := *c
			c.t = t
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			if tt.contentType != "" {
				r.Header.Set("Content-Type", tt.contentType)
			}
			w := c.serve(r)
			if w.Code != tt.want || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Fatalf("got %d %s: %.300s", w.Code, w.Header().Get("Content-Type"), w.Body)
			}
			if w.Body.Len() > 1000 {
				t.Errorf("the problem has %d bytes", w.Body.Len())
			}
			if tt.want == http.StatusUnsupportedMediaType && !strings.Contains(w.Body.String(), "Content-Type: application/json") {
				t.Errorf("what to send is not said: %s", w.Body)
			}
			for _, want := range []string{`"code":"` + tt.code + `"`, `"type":"/api/v1/docs#` + tt.code + `"`, fmt.Sprintf(`"status":%d`, tt.want), `"title":"` + http.StatusText(tt.want)} {
				if !bytes.Contains(w.Body.Bytes(), []byte(want)) {
					t.Errorf("%s is not in %s", want, w.Body)
				}
			}
		})
	}
}
