package api_test

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
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

// Whatever stands in a path or a query is the client's fault, and no fault of the server: bytes that are no text, a
// character 0, numbers without end, cursors of other lists.
func TestHostileParameters(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	c.call(http.StatusCreated, "POST", "/queues", `{"name": "orders.fifo", "fifo": true}`)
	c.call(http.StatusCreated, "POST", "/topics", `{"name": "orders"}`)
	var document struct {
		Paths map[string]map[string]struct{ Parameters []parameter }
	}
	if err := json.Unmarshal(c.serve(httptest.NewRequest("GET", "/api/v1/openapi.json", nil)).Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{
		"string": {"a\x00b", "\xff", "\U0001F600", "'", "8-" + strconv.FormatInt(math.MaxInt64, 10) + "-" + strconv.FormatInt(math.MaxInt64, 10), "32768-0-0", "1-1-1", "YQ", strings.Repeat("a", 300)},
		"integer": {strconv.FormatInt(math.MaxInt64, 10), strconv.FormatInt(math.MinInt64, 10), strconv.FormatInt(math.MaxInt32+1, 10),
			"1e400", strings.Repeat("9", 100)},
	}
	requests := 0
	for path, operations := range document.Paths {
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
