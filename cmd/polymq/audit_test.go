package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestAuditCommand(t *testing.T) {
	srv := startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t)})
	for _, path := range []string{"/?Action=CreateQueue&QueueName=orders", "/?Action=GetQueueUrl&QueueName=orders", "/?Action=GetQueueUrl&QueueName=none"} {
		response, err := http.Get(srv.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	environ := []string{"POLYMQ_ENDPOINT=" + srv.URL()}
	tests := map[string]struct {
		args []string
		want string // columns of the rows without the first and the address
	}{
		"all":      {nil, "sqs GetQueueUrl arn:aws:sqs:us-east-1:000000000000:none AWS.SimpleQueueService.NonExistentQueue|sqs GetQueueUrl arn:aws:sqs:us-east-1:000000000000:orders ok|sqs CreateQueue arn:aws:sqs:us-east-1:000000000000:orders ok"},
		"changes":  {[]string{"--changes"}, "sqs CreateQueue arn:aws:sqs:us-east-1:000000000000:orders ok"},
		"failed":   {[]string{"--failed"}, "sqs GetQueueUrl arn:aws:sqs:us-east-1:000000000000:none AWS.SimpleQueueService.NonExistentQueue"},
		"resource": {[]string{"--resource", "orders", "--limit", "1"}, "sqs GetQueueUrl arn:aws:sqs:us-east-1:000000000000:orders ok"},
		"long ago": {[]string{"--until", "1h"}, ""},
		"lately":   {[]string{"--since", "1h", "--action", "CreateQueue"}, "sqs CreateQueue arn:aws:sqs:us-east-1:000000000000:orders ok"},
	}
	for name, tt := range tests {
		out, err := polymq(environ, append([]string{"audit"}, tt.args...)...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var rows []string
		for line := range strings.Lines(out) {
			if columns := strings.Fields(line); columns[0] != "TIME" && columns[3] != "api" {
				rows = append(rows, strings.Join(columns[3:], " "))
			}
		}
		if got := strings.Join(rows, "|"); got != tt.want {
			t.Errorf("%s: got\n%s, want\n%s", name, got, tt.want)
		}
	}
	out, err := polymq(environ, "audit", "--json", "--limit", "0", "--action", "CreateQueue")
	var event struct{ EventName string }
	if err != nil || strings.Count(out, "\n") != 1 || json.Unmarshal([]byte(out), &event) != nil || event.EventName != "CreateQueue" {
		t.Errorf("as JSON: %q and %v", out, err)
	}
	response, err := http.Get(srv.URL() + "/?Action=GetQueueUrl&QueueName=none&AWSAccessKeyId=%1b%5b2J%0astranger")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if out, err := polymq(environ, "audit", "--limit", "1"); err != nil || strings.Contains(out, "\x1b") || !strings.Contains(out, "\uFFFD[2J stranger") {
		t.Errorf("of who is named to move the terminal's cursor: %q and %v", out, err)
	}
	if _, err := polymq(environ, "audit", "--since", "yesterday"); err == nil || !strings.Contains(err.Error(), "yesterday") {
		t.Errorf("a bad time: %v", err)
	}
}

func TestAuditIsOff(t *testing.T) {
	srv := startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t), Audit: "off"})
	response, err := http.Get(srv.URL() + "/?Action=CreateQueue&QueueName=orders")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	out, err := polymq([]string{"POLYMQ_ENDPOINT=" + srv.URL()}, "audit")
	if err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("got %q and %v, want the head of the table alone", out, err)
	}
}
