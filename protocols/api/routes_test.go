package api_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

// Each path says what it takes, and gives the head of what it gives.
func TestMethods(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	tests := map[string]struct{ path, allow string }{
		"a list":      {"/api/v1/queues", "GET, HEAD, POST, OPTIONS"},
		"one":         {"/api/v1/queues/orders", "DELETE, GET, HEAD, PATCH, OPTIONS"},
		"a verb":      {"/api/v1/queues/orders/messages:purge", "POST, OPTIONS"},
		"a number":    {"/api/v1/opted-out-numbers/+15550100", "DELETE, PUT, OPTIONS"},
		"a document":  {"/api/v1/openapi.json", "GET, HEAD, OPTIONS"},
		"health":      {"/healthz", "GET, HEAD, OPTIONS"},
		"readiness":   {"/readyz", "GET, HEAD, OPTIONS"},
		"the version": {"/api/v1/version", "GET, HEAD, OPTIONS"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if w := c.serve(httptest.NewRequest(http.MethodOptions, tt.path, nil)); w.Code != http.StatusNoContent || w.Header().Get("Allow") != tt.allow {
				t.Errorf("OPTIONS: got %d and Allow %q, want %q", w.Code, w.Header().Get("Allow"), tt.allow)
			}
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} {
				if strings.Contains(tt.allow, method) {
					continue
				}
				w := c.serve(httptest.NewRequest(method, tt.path, nil))
				if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != tt.allow || w.Header().Get("Content-Type") != "application/problem+json" {
					t.Errorf("%s: got %d, Allow %q, %s", method, w.Code, w.Header().Get("Allow"), w.Header().Get("Content-Type"))
				}
			}
			if !strings.Contains(tt.allow, "GET") {
				return
			}
			get, head := c.serve(httptest.NewRequest(http.MethodGet, tt.path, nil)), c.serve(httptest.NewRequest(http.MethodHead, tt.path, nil))
			if head.Code != http.StatusOK || head.Code != get.Code || head.Header().Get("Content-Type") != get.Header().Get("Content-Type") {
				t.Errorf("HEAD: got %d %s, GET gives %d %s", head.Code, head.Header().Get("Content-Type"), get.Code, get.Header().Get("Content-Type"))
			}
		})
	}
}

// A body may be compressed, and one that cannot be read is the client's fault.
func TestEncodedBodies(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	const message = `{"messages": [{"body": "hello"}]}`
	tests := map[string]struct {
		encoding string
		body     io.Reader
		want     int
		code     string
	}{
		"gzip":          {"gzip", strings.NewReader(zipped(t, message)), http.StatusCreated, ""},
		"identity":      {"identity", strings.NewReader(message), http.StatusCreated, ""},
		"a bomb":        {"gzip", strings.NewReader(zipped(t, strings.Repeat(" ", 17<<20))), http.StatusRequestEntityTooLarge, "BodyTooLong"},
		"no gzip":       {"gzip", strings.NewReader(message), http.StatusUnsupportedMediaType, "UnsupportedMediaType"},
		"another one":   {"br", strings.NewReader(message), http.StatusUnsupportedMediaType, "UnsupportedMediaType"},
		"cut off":       {"", iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(message))), http.StatusBadRequest, "BadRequest"},
		"gzip, cut off": {"gzip", strings.NewReader(zipped(t, message)[:20]), http.StatusUnsupportedMediaType, "UnsupportedMediaType"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/api/v1/queues/orders/messages", tt.body)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Content-Encoding", tt.encoding)
			w := c.serve(r)
			if w.Code != tt.want || tt.code != "" && !strings.Contains(w.Body.String(), `"code":"`+tt.code+`"`) {
				t.Errorf("got %d %.300s, want %d %s", w.Code, w.Body, tt.want, tt.code)
			}
		})
	}
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	if _, err := io.WriteString(writer, text); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return compressed.String()
}
