package api_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestCreateQueue(t *testing.T) {
	t.Parallel()
	const small = `{"name": "small", "delay_seconds": 5, "max_message_bytes": 1024, "body_rule": "text", "tags": {"team": "a"}}`
	tests := map[string]struct {
		body string
		want int
	}{
		"new":                       {`{"name": "new"}`, 201},
		"same request again":        {small, 200},
		"without its settings":      {`{"name": "small"}`, 200},
		"some of its settings":      {`{"name": "small", "delay_seconds": 5}`, 200},
		"other setting":             {`{"name": "small", "delay_seconds": 6}`, 409},
		"setting that has defaults": {`{"name": "small", "max_message_bytes": 1048576}`, 409},
		"other body rule":           {`{"name": "small", "body_rule": "auto"}`, 409},
		"other tag":                 {`{"name": "small", "tags": {"team": "b"}}`, 409},
		"new tag":                   {`{"name": "small", "tags": {"cost": "1"}}`, 409},
		"no name":                   {`{}`, 422},
		"empty name":                {`{"name": ""}`, 422},
		"longest name":              {`{"name": "` + strings.Repeat("n", 256) + `"}`, 201},
		"name too long":             {`{"name": "` + strings.Repeat("n", 257) + `"}`, 422},
		"longest FIFO name":         {`{"name": "` + strings.Repeat("n", 251) + `.fifo", "fifo": true}`, 201},
		"FIFO name too long":        {`{"name": "` + strings.Repeat("n", 252) + `.fifo", "fifo": true}`, 422},
		"name with a dot":           {`{"name": "orders.fifo"}`, 422},
		"name of other letters":     {`{"name": "größe"}`, 422},
		"unknown member":            {`{"name": "x", "kind": true}`, 422},
		"longest delay":             {`{"name": "delay", "delay_seconds": 604800}`, 201},
		"delay too long":            {`{"name": "x", "delay_seconds": 604801}`, 422},
		"negative delay":            {`{"name": "x", "delay_seconds": -1}`, 422},
		"fraction":                  {`{"name": "x", "delay_seconds": 1.5}`, 422},
		"huge number":               {`{"name": "x", "delay_seconds": 1e400}`, 400},
		"longest timeout":           {`{"name": "timeout", "visibility_timeout_seconds": 43200}`, 201},
		"timeout too long":          {`{"name": "x", "visibility_timeout_seconds": 43201}`, 422},
		"shortest retention":        {`{"name": "short", "retention_seconds": 60}`, 201},
		"retention too short":       {`{"name": "x", "retention_seconds": 59}`, 422},
		"longest retention":         {`{"name": "long", "retention_seconds": 1296000}`, 201},
		"retention too long":        {`{"name": "x", "retention_seconds": 1296001}`, 422},
		"longest wait":              {`{"name": "wait", "receive_wait_seconds": 30}`, 201},
		"wait too long":             {`{"name": "x", "receive_wait_seconds": 31}`, 422},
		"smallest message":          {`{"name": "tiny", "max_message_bytes": 1}`, 201},
		"no message":                {`{"name": "x", "max_message_bytes": 0}`, 422},
		"largest message":           {`{"name": "large", "max_message_bytes": 4194304}`, 201},
		"message too large":         {`{"name": "x", "max_message_bytes": 4194305}`, 422},
		"unknown body rule":         {`{"name": "x", "body_rule": "utf-8"}`, 422},
		"no JSON":                   {`name=orders`, 400},
		"array":                     {`["orders"]`, 422},
		"deep":                      {strings.Repeat("[", 100_000), 400},
	}
	c := newClient(t)
	c.call(201, "POST", "/queues", small)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.t = t
			c.call(tt.want, "POST", "/queues", tt.body)
		})
	}
}

func TestGetQueueShowsSettingsAndCounts(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.call(201, "POST", "/queues", `{"name": "orders", "delay_seconds": 1, "visibility_timeout_seconds": 2, "retention_seconds": 90,
		"receive_wait_seconds": 4, "max_message_bytes": 5000, "body_rule": "as-sent", "tags": {"team": "a"}}`)
	c.send("orders", `{"body": "12345", "delay_seconds": 0}`, `{"body": "12345", "delay_seconds": 0}`, `{"body": "12345"}`)
	c.call(200, "POST", "/queues/orders/messages:receive", `{"limit": 1}`)
	got := c.call(200, "GET", "/queues/orders", "")
	delete(got, "created_at")
	delete(got, "modified_at")
	const want = "map[account:000000000000 body_rule:as-sent counts:map[bytes:15 delayed:1 in_flight:1 visible:1] delay_seconds:1 fifo:false logging:false " +
		"max_message_bytes:5000 name:orders receive_wait_seconds:4 region:us-east-1 retention_seconds:90 tags:map[team:a] visibility_timeout_seconds:2]"
	if fmt.Sprint(got) != want {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
	c.call(404, "GET", "/queues/parcels", "")
}

func TestAlterQueue(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.call(201, "POST", "/queues", `{"name": "orders", "delay_seconds": 1, "tags": {"a": "1", "b": "2", "c": "3"}}`)
	c.call(200, "PATCH", "/queues/orders", `{"visibility_timeout_seconds": 7, "body_rule": "base64", "tags": {"a": null, "b": "9"}}`)
	got := c.call(200, "GET", "/queues/orders", "")
	if got["delay_seconds"] != 1.0 || got["visibility_timeout_seconds"] != 7.0 || got["body_rule"] != "base64" || fmt.Sprint(got["tags"]) != "map[b:9 c:3]" {
		t.Errorf("got %v", got)
	}
	c.call(200, "PATCH", "/queues/orders", `{"body_rule": "auto"}`)
	if got := c.call(200, "GET", "/queues/orders", ""); got["body_rule"] != "auto" {
		t.Errorf("got body rule %v, want auto", got["body_rule"])
	}
	c.call(422, "PATCH", "/queues/orders", `{"visibility_timeout_seconds": 43201}`)
	c.call(404, "PATCH", "/queues/parcels", `{"delay_seconds": 1}`)
}

func TestDeleteAndPurgeQueue(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	c.send("orders", `{"body": "1"}`)
	c.call(204, "POST", "/queues/orders/messages:purge", "")
	if got := c.receive("orders"); len(got) != 0 {
		t.Errorf("got %v after the purge", got)
	}
	c.call(204, "DELETE", "/queues/orders", "")
	c.call(404, "DELETE", "/queues/orders", "")
	c.call(404, "POST", "/queues/orders/messages:purge", "")
}

func TestListQueuesPages(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for i := range 5 {
		c.queue(fmt.Sprintf("orders-%d", i))
	}
	c.queue("parcels")
	c.send("orders-3", `{"body": "1"}`)
	var names []string
	path, pages := "/queues?prefix=orders-&limit=2", 0
	for cursor := ""; pages == 0 || cursor != ""; pages++ {
		page := c.call(200, "GET", path+"&cursor="+cursor, "")
		names = append(names, values(objects(page["queues"]), "name")...)
		cursor, _ = page["next_cursor"].(string)
	}
	if want := []string{"orders-0", "orders-1", "orders-2", "orders-3", "orders-4"}; !slices.Equal(names, want) || pages != 3 {
		t.Errorf("got %v in %d pages, want %v in 3", names, pages, want)
	}
	counted := objects(c.call(200, "GET", "/queues?counts=true&prefix=orders-3", "")["queues"])
	if len(counted) != 1 || fmt.Sprint(counted[0]["counts"]) != "map[bytes:1 delayed:0 in_flight:0 visible:1]" {
		t.Errorf("got counts %v", counted)
	}
	c.call(422, "GET", "/queues?limit=0", "")
	c.call(200, "GET", "/queues?limit=1000", "")
	c.call(422, "GET", "/queues?limit=1001", "")
	if none := c.call(200, "GET", "/queues?prefix=none", ""); len(objects(none["queues"])) != 0 {
		t.Errorf("got %v", none)
	}
}

// A cursor stays good whatever becomes of the queue that it names: what was there all the time is listed once.
func TestListQueuesPagesOverChanges(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, name := range []string{"b", "d", "f", "h"} {
		c.queue(name)
	}
	page := c.call(200, "GET", "/queues?limit=2", "")
	names := values(objects(page["queues"]), "name")
	c.call(204, "DELETE", "/queues/d", "")
	c.call(204, "DELETE", "/queues/f", "")
	c.queue("a")
	c.queue("e")
	for cursor, _ := page["next_cursor"].(string); cursor != ""; cursor, _ = page["next_cursor"].(string) {
		page = c.call(200, "GET", "/queues?limit=2&cursor="+cursor, "")
		names = append(names, values(objects(page["queues"]), "name")...)
	}
	if want := []string{"b", "d", "e", "h"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestAccountAndRegion(t *testing.T) {
	t.Parallel()
	const signed = "AWS4-HMAC-SHA256 Credential=111122223333/20261121/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=x"
	tests := map[string]struct{ query, authorization, want string }{
		"default":     {"", "", "000000000000 us-east-1"},
		"query":       {"?account=444455556666&region=cn-hangzhou", "", "444455556666 cn-hangzhou"},
		"credentials": {"", signed, "111122223333 eu-west-1"},
		"query wins":  {"?account=444455556666", signed, "444455556666 eu-west-1"},
		"region only": {"?region=cn-hangzhou", signed, "111122223333 cn-hangzhou"},
	}
	c := newClient(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/api/v1/queues"+tt.query, strings.NewReader(`{"name": "orders"}`))
			r.Header.Set("Authorization", tt.authorization)
			if got := c.serve(r); !strings.Contains(got.Body.String(), fmt.Sprintf(`"account":%q,"region":%q`, tt.want[:12], tt.want[13:])) {
				t.Errorf("got %s, want the queue in %s", got.Body, tt.want)
			}
		})
	}
	c.call(422, "GET", "/queues?account=12", "")
	c.call(422, "GET", "/queues?region=EU", "")
}
