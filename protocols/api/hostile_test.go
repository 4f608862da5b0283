package api_test

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// parameter is one of an operation's, in the OpenAPI document.
type parameter struct {
	Name   string
	In     string
	Schema struct{ Type string }
}

// operation is what the OpenAPI document says of one; RequestBody is nil where it takes none.
type operation struct {
	Parameters  []parameter
	RequestBody *struct{}
}

// documented gives the operations of the OpenAPI document, by path and method.
func (c *client) documented() map[string]map[string]operation {
	c.t.Helper()
	var document struct {
		Paths map[string]map[string]operation
	}
	if err := json.Unmarshal(c.serve(httptest.NewRequest("GET", "/api/v1/openapi.json", nil)).Body.Bytes(), &document); err != nil {
		c.t.Fatal(err)
	}
	return document.Paths
}

// Whatever stands in a path or a query is the client's fault, and no fault of the server: bytes that are no text, a
// character 0, numbers without end, cursors of other lists.
func TestHostileParameters(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	c.call(http.StatusCreated, "POST", "/queues", `{"name": "orders.fifo", "fifo": true}`)
	c.call(http.StatusCreated, "POST", "/topics", `{"name": "orders"}`)
	values := map[string][]string{
		"string": {"a\x00b", "\xff", "\U0001F600", "'", "8-" + strconv.FormatInt(math.MaxInt64, 10) + "-" + strconv.FormatInt(math.MaxInt64, 10), "32768-0-0", "1-1-1", "YQ", strings.Repeat("a", 300)},
		"integer": {strconv.FormatInt(math.MaxInt64, 10), strconv.FormatInt(math.MinInt64, 10), strconv.FormatInt(math.MaxInt32+1, 10),
			"1e400", strings.Repeat("9", 100)},
	}
	requests := 0
	for path, operations := range c.documented() {
		if strings.HasSuffix(path, ":wait") || strings.HasSuffix(path, "/reset") {
			continue // one waits, the other is done
		}
		for method, operation := range operations {
			for _, p := range operation.Parameters {
				for _, value := range values[p.Schema.Type] {
					target := fill(path, p, value)
					r := httptest.NewRequest(strings.ToUpper(method), target, strings.NewReader("{}"))
					r.Header.Set("Content-Type", "application/json")
					requests++
					if w := c.serve(r); w.Code >= http.StatusInternalServerError {
						t.Errorf("%s %.200s: got %d %s", r.Method, target, w.Code, w.Body)
					}
				}
			}
		}
	}
	if requests < 1000 {
		t.Errorf("the document has too few parameters: there were %d requests", requests)
	}
}

// What is said in the body of an operation that takes none would be passed over: a reset that names its account there was one of
// the default account.
func TestUnexpectedBodies(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	c.send("orders", `{"body": "hello"}`)
	for path, operations := range c.documented() {
		for method, operation := range operations {
			if operation.RequestBody != nil {
				continue
			}
			r := httptest.NewRequest(strings.ToUpper(method), fill(path, parameter{}, ""), strings.NewReader(`{"account": "111122223333"}`))
			r.Header.Set("Content-Type", "application/json")
			w := c.serve(r)
			if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `"location":"body"`) {
				t.Errorf("%s %s: got %d %s", r.Method, r.URL, w.Code, w.Body)
			}
		}
	}
	for _, body := range []string{`{"account": "111122223333"}`, `account=111122223333`, `[]`, `{`} {
		c.call(422, "POST", "/reset", body)
	}
	if got := c.receive("orders"); len(got) != 1 {
		t.Errorf("got %v, want what was sent", got)
	}
	for _, body := range []string{"", "{}", "null", " {}\n"} {
		c.call(204, "POST", "/queues/orders/messages:purge", body)
	}
}

// A parameter that an operation does not know is named, and nothing is done: who resets one region alone, which there is
// not, would lose all of them.
func TestUnknownParameters(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	c.send("orders", `{"body": "hello"}`)
	const known = "account=000000000000"
	for path, operations := range c.documented() {
		for method, operation := range operations {
			query := "?nope=1&Account=000000000000"
			for _, p := range operation.Parameters {
				if p.Name == "account" {
					query += "&" + known
				}
			}
			r := httptest.NewRequest(strings.ToUpper(method), fill(path, parameter{}, "")+query, strings.NewReader("{}"))
			r.Header.Set("Content-Type", "application/json")
			w := c.serve(r)
			const errors = `"errors":[{"location":"query.Account","message":"unknown query parameter"},{"location":"query.nope","message":"unknown query parameter"}]`
			if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `"code":"InvalidArgument"`) || !strings.Contains(w.Body.String(), errors) {
				t.Errorf("%s %s: got %d %s", r.Method, r.URL, w.Code, w.Body)
			}
		}
	}
	c.call(422, "POST", "/reset?region=eu-west-1", "")
	c.call(422, "DELETE", "/queues/orders?=", "")
	c.call(422, "POST", "/queues/orders/messages:purge?region=us-east-1&\xff", "")
	c.call(422, "POST", "/reset?account=", "") // as a script writes it whose variable is not set
	c.call(422, "DELETE", "/queues/orders?account=000000000000&region=", "")
	if got := c.receive("orders"); len(got) != 1 {
		t.Errorf("got %v, want what was sent", got)
	}
	many := url.Values{}
	for i := range 9_000 {
		many.Set("p"+strconv.Itoa(i), "")
	}
	if w := c.serve(httptest.NewRequest("GET", "/api/v1/queues?"+many.Encode(), nil)); w.Code != http.StatusUnprocessableEntity || w.Body.Len() > 4000 {
		t.Errorf("got %d and %d bytes", w.Code, w.Body.Len())
	}
	c.call(200, "GET", "/queues?"+known+"&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00", "") // as a presigned URL has it
}

// A limit is as large as the database keeps it.
func TestHostileLimits(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, name := range []string{"queues", "topics", "requests"} {
		c.call(422, "PUT", "/accounts/111122223333/limits", `{"`+name+`": 2147483648}`)
		c.call(200, "PUT", "/accounts/111122223333/limits", `{"`+name+`": 2147483647}`)
	}
	c.call(200, "PUT", "/accounts/111122223333/limits", `{"bytes": 9223372036854775807}`)
}

// fill gives the address of an operation with one parameter set, and orders for the others in its path.
func fill(path string, p parameter, value string) string {
	if p.In == "path" {
		path = strings.Replace(path, "{"+p.Name+"}", url.PathEscape(value), 1)
	}
	for {
		before, behind, found := strings.Cut(path, "{")
		if !found {
			break
		}
		_, behind, _ = strings.Cut(behind, "}")
		path = before + "orders" + behind
	}
	if p.In == "query" {
		path += "?" + url.Values{p.Name: {value}}.Encode()
	}
	return path
}

// What a document costs is bounded by its size, whatever it looks like: each of millions of values could be wrong, and
// would be told by itself.
func TestHostileDocuments(t *testing.T) { // not parallel: it counts what is allocated
	const size, perByte, fixed = 4 << 20, 20, 1 << 20
	c := newClient(t)
	for name, tt := range map[string]struct{ before, repeated, behind string }{
		"empty objects":   {`{"messages":[`, `{},`, `{}]}`},
		"numbers":         {`{"messages":[`, `0,`, `0]}`},
		"lists":           {`{"messages":[`, `[],`, `[]]}`},
		"unknown members": {`{"messages":[{"body":"x"`, `,"a":0`, `}]}`},
		"levels":          {`{"messages":`, `[`, ``},
		"strings":         {`{"messages":[`, `"",`, `""]}`},
		"behind quotes":   {`{"messages":["\\","\"",`, `0,`, `0]}`},
	} {
		document := tt.before + strings.Repeat(tt.repeated, size/len(tt.repeated)) + tt.behind
		r := httptest.NewRequest("POST", "/api/v1/queues/orders/messages", strings.NewReader(document))
		r.Header.Set("Content-Type", "application/json")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w := c.serve(r)
		runtime.ReadMemStats(&after)
		if w.Code != http.StatusBadRequest && w.Code != http.StatusUnprocessableEntity || w.Body.Len() > 64<<10 {
			t.Errorf("%s: got %d and %d bytes", name, w.Code, w.Body.Len())
		}
		if cost := after.TotalAlloc - before.TotalAlloc; cost > uint64(perByte*len(document)+fixed) {
			t.Errorf("%s: %d bytes were allocated for a document of %d", name, cost, len(document))
		}
	}
}
