package server

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{})
	createQueue(t, srv, "orders")
	if status, body, err := post(srv, "/queues/orders/messages", `{"messages": [{"body": "12345"}, {"body": "1", "delay_seconds": 600}]}`); err != nil || status != http.StatusCreated {
		t.Fatalf("send: %d %s %v", status, body, err)
	}
	for _, form := range []string{"?Action=GetQueueUrl&QueueName=none", "000000000000/orders?Action=Invented"} {
		resp, err := httpClient.Get(srv.URL() + "/" + form)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	got := scrape(t, srv)
	for _, want := range []string{
		`polymq_requests_total{action="send-messages",code="",protocol="api"} 1`,
		`polymq_requests_total{action="GetQueueUrl",code="AWS.SimpleQueueService.NonExistentQueue",protocol="sqs"} 1`,
		`polymq_requests_total{action="unknown",code="InvalidAction",protocol="sqs"} 1`,
		`polymq_request_seconds_count{action="send-messages",protocol="api"} 1`,
		`polymq_queue_messages{account="000000000000",queue="orders",region="us-east-1",state="visible"} 1`,
		`polymq_queue_messages{account="000000000000",queue="orders",region="us-east-1",state="delayed"} 1`,
		`polymq_queue_messages{account="000000000000",queue="orders",region="us-east-1",state="in_flight"} 0`,
		`polymq_queue_oldest_message_seconds{account="000000000000",queue="orders",region="us-east-1"} `,
		`polymq_messages_sent_total 2`, `polymq_messages_received_total 0`, `polymq_messages_deleted_total 0`, `polymq_messages_published_total 0`,
		`polymq_train_seconds_bucket{le="0.1"} `, `polymq_request_seconds_bucket{action="send-messages",protocol="api",le="0.1"} `, `polymq_database_connections_busy `,
		`polymq_queue_bytes{account="000000000000",queue="orders",region="us-east-1"} 6`,
		`polymq_database_up 1`, `polymq_trains_total 1`, `polymq_train_operations_total 1`, `polymq_database_connections `, `polymq_train_size_sum 1`, `polymq_train_seconds_count 1`,
		`polymq_database_sessions `, `polymq_database_sessions_max `, `polymq_database_oldest_transaction_seconds `,
		`polymq_database_table_bytes{table="messages"} `, `polymq_database_table_dead_rows{table="messages"} `, `go_goroutines `,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
}

func scrape(t *testing.T, srv *Server) string {
	t.Helper()
	resp, err := httpClient.Get(srv.URL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestMetricsAreBounded sends what nobody knows: however many names clients invent, no metric has a label of theirs.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{})
	invent := func(n int) {
		t.Helper()
		for _, request := range [][3]string{
			{http.MethodGet, fmt.Sprintf("/?Action=Invented%d", n), ""},
			{http.MethodGet, fmt.Sprintf("/?Action=GetQueueUrl&QueueName=q%d", n), ""},
			{http.MethodPost, "/", fmt.Sprintf("AmazonSQS.Invented%d", n)},
			{http.MethodPost, "/", fmt.Sprintf("Invented_%d.Do", n)},
			{fmt.Sprintf("METHOD%d", n), "/queues/orders/messages", "mns"},
			{http.MethodGet, fmt.Sprintf("/queues/q%d/invented%d", n, n), "mns"},
			{http.MethodGet, fmt.Sprintf("/api/v1/invented%d", n), ""},
			{http.MethodGet, fmt.Sprintf("/invented%d", n), ""},
		} {
			r, err := http.NewRequestWithContext(t.Context(), request[0], srv.URL()+request[1], nil)
			if err != nil {
				t.Fatal(err)
			}
			switch request[2] {
			case "":
			case "mns":
				r.Header.Set("x-mns-version", "2015-06-06")
			default:
				r.Header.Set("Content-Type", "application/x-amz-json-1.0")
				r.Header.Set("X-Amz-Target", request[2])
			}
			resp, err := httpClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		}
	}
	series := func() int { return strings.Count(scrape(t, srv), "\npolymq_request") }
	invent(0)
	before := series()
	for n := 1; n <= 20; n++ {
		invent(n)
	}
	if got := series(); got != before {
		t.Errorf("requests have %d series after 20 rounds of invented names, %d after the first", got, before)
	}
}
