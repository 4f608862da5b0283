package server

import (
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
		resp, err := http.Get(srv.URL() + "/" + form)
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
	resp, err := http.Get(srv.URL() + "/metrics")
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
