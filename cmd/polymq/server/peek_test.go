package server

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestLocalStacksViewOfMessages(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{})
	createQueue(t, srv, "orders")
	if status, body, err := post(srv, "/queues/orders/messages", `{"messages": [{"body": "now"}, {"body": "later", "delay_seconds": 600}]}`); err != nil || status != http.StatusCreated {
		t.Fatalf("send: %d %s %v", status, body, err)
	}
	tests := map[string]struct {
		path, accept, want, not string
	}{
		"by URL":            {"?QueueUrl=http://localhost/000000000000/orders", "", "<Body>now</Body>", "later"},
		"by path, hidden":   {"/us-east-1/000000000000/orders?ShowDelayed=true", "", "<Body>later</Body>", "Fault"},
		"in JSON":           {"?QueueUrl=orders", "application/json", `"Body":"now"`, "<"},
		"never received":    {"?QueueUrl=orders", "application/json", `"ApproximateReceiveCount":"0"`, "FirstReceive"},
		"in another region": {"/eu-west-1/000000000000/orders", "", "NonExistentQueue", "now"},
	}
	for name, tt := range tests {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL()+"/_aws/sqs/messages"+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", tt.accept)
		for range 2 { // nothing is received by it
			resp, err := httpClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if got := string(body); err != nil || !strings.Contains(got, tt.want) || strings.Contains(got, tt.not) {
				t.Errorf("%s: got %s, %v", name, got, err)
			}
		}
	}
}
