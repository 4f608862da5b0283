package notice_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/workers/notice"
	"github.com/polymq/polymq/workers/push"
)

var since = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// firing is a notice of some queues that are too deep.
func firing(queues ...string) core.Notice {
	n := core.Notice{
		Alert: core.Alert{
			Name:        core.AlertName{Account: "123456789012", Region: "eu-west-1", Name: "orders-deep"},
			Description: "See <the runbook> & [call] *ops*", Metric: "depth", Comparison: ">", Threshold: 1000, For: time.Minute,
		},
		At: since.Add(time.Minute),
	}
	for _, queue := range queues {
		value := 1234.0
		n.Changes = append(n.Changes, core.Change{Series: queue, From: core.AlertOK, State: core.AlertFiring, Since: since, Value: &value})
	}
	return n
}

// received is a request as a robot got it.
type received struct {
	url    *url.URL
	header http.Header
	body   []byte
}

// robot answers with a body, and keeps the last request.
func robot(t *testing.T, status int, answer string) (target string, last *received) {
	t.Helper()
	last = &received{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Set("X-Method", r.Method)
		*last = received{r.URL, r.Header, body}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/robot/send?access_token=x", last
}

func sender(t *testing.T, options push.Options) *notice.Sender {
	t.Helper()
	client, err := push.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &notice.Sender{Push: client.Do, Console: "https://mq.example.com/console"}
}

func mac(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// deliver sends a notice to a robot that takes it, and gives what it got.
func deliver(t *testing.T, n core.Notice, to core.DestinationType, secret core.Secret, answer string) (*received, map[string]any) {
	t.Helper()
	target, last := robot(t, http.StatusOK, answer)
	if err := sender(t, push.Options{Open: true}).Deliver(t.Context(), n, core.Destination{Type: to, Target: target, Secret: secret}); err != nil {
		t.Fatalf("%s: %v", to, err)
	}
	var body map[string]any
	if err := json.Unmarshal(last.body, &body); err != nil || !strings.HasPrefix(last.header.Get("Content-Type"), "application/json") {
		t.Fatalf("%s got %q: %v", to, last.body, err)
	}
	return last, body
}

// at gives what lies below some keys and places of a decoded body.
func at(t *testing.T, value any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			value = value.(map[string]any)[step]
		case int:
			value = value.([]any)[step]
		}
	}
	return value
}

const link = "https://mq.example.com/console/123456789012/eu-west-1/alerts/orders-deep"

func contains(t *testing.T, what string, text any, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(fmt.Sprint(text), part) {
			t.Errorf("%s: there is no %q in %v", what, part, text)
		}
	}
}

func TestRobots(t *testing.T) {
	t.Parallel()
	n := firing("orders")
	all := []string{"depth", "1000", "1m0s", "orders", "1234", "2026-11-21 12:00:00", link}

	_, slack := deliver(t, n, core.ToSlack, "", "ok")
	contains(t, "slack", at(t, slack, "text"), "[FIRING] orders-deep: orders")
	contains(t, "slack", at(t, slack, "blocks", 0, "text", "text"), "[FIRING] orders-deep: orders")
	contains(t, "slack", at(t, slack, "blocks", 1, "text", "text"), append(all, "See &lt;the runbook&gt; &amp; [call]", "<"+link+"|", "depth &gt; 1000")...)

	request, dingTalk := deliver(t, n, core.ToDingTalk, "SEC42", `{"errcode":0,"errmsg":"ok"}`)
	query := request.url.Query()
	if at(t, dingTalk, "msgtype") != "markdown" || query.Get("access_token") != "x" {
		t.Errorf("dingtalk got %v at %v", dingTalk, request.url)
	}
	if want := base64.StdEncoding.EncodeToString(mac("SEC42", query.Get("timestamp")+"\nSEC42")); query.Get("sign") != want || len(query.Get("timestamp")) != 13 {
		t.Errorf("dingtalk: signed %v, want %s", query, want)
	}
	contains(t, "dingtalk", at(t, dingTalk, "markdown", "title"), "[FIRING] orders-deep: orders")
	contains(t, "dingtalk", at(t, dingTalk, "markdown", "text"), append(all, "]("+link+")")...)

	_, feishu := deliver(t, n, core.ToFeishu, "SEC43", `{"code":0,"msg":"success"}`)
	timestamp := at(t, feishu, "timestamp").(string)
	if want := base64.StdEncoding.EncodeToString(mac(timestamp+"\nSEC43", "")); at(t, feishu, "sign") != want || len(timestamp) != 10 {
		t.Errorf("feishu: signed %v at %v, want %s", at(t, feishu, "sign"), timestamp, want)
	}
	contains(t, "feishu", at(t, feishu, "card", "header", "title", "content"), "[FIRING] orders-deep: orders")
	contains(t, "feishu", at(t, feishu, "card", "elements", 0, "text", "content"), all...)
	if at(t, feishu, "msg_type") != "interactive" || at(t, feishu, "card", "header", "template") != "red" {
		t.Errorf("feishu got %v", feishu)
	}

	_, weCom := deliver(t, n, core.ToWeCom, "", `{"errcode":0,"errmsg":"ok"}`)
	contains(t, "wecom", at(t, weCom, "markdown", "content"), append(all, "FIRING")...)
	if at(t, weCom, "msgtype") != "markdown" {
		t.Errorf("wecom got %v", weCom)
	}

	request, webhook := deliver(t, n, core.ToWebhook, "SEC44", "")
	if want := "sha256=" + hex.EncodeToString(mac("SEC44", string(request.body))); request.header.Get("X-Polymq-Signature") != want {
		t.Errorf("webhook: signed %q, want %s", request.header.Get("X-Polymq-Signature"), want)
	}
	if at(t, webhook, "state") != "firing" || at(t, webhook, "changes", 0, "series") != "orders" || at(t, webhook, "changes", 0, "value") != 1234.0 || at(t, webhook, "url") != link {
		t.Errorf("webhook got %v", webhook)
	}
}

// A notice of very many queues is as long as its destination takes.
func TestLongNotices(t *testing.T) {
	t.Parallel()
	var queues []string
	for i := range core.MaxNoticeLines {
		queues = append(queues, fmt.Sprintf("%03d%s", i, strings.Repeat("订单", 40)))
	}
	n := firing(queues...)
	n.More = 9950
	for to, tt := range map[core.DestinationType]struct {
		most int
		path []any
	}{
		core.ToSlack:    {3000, []any{"blocks", 1, "text", "text"}},
		core.ToDingTalk: {20_000, []any{"markdown", "text"}},
		core.ToFeishu:   {20_000, []any{"card", "elements", 0, "text", "content"}},
		core.ToWeCom:    {4096, []any{"markdown", "content"}},
	} {
		_, body := deliver(t, n, to, "", `{}`)
		text := at(t, body, tt.path...).(string)
		if len(text) > tt.most {
			t.Errorf("%s: %d bytes, it takes %d", to, len(text), tt.most)
		}
		contains(t, string(to), text, "more", link, "000订单")
	}
}

func TestAnswersOfRobots(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		to     core.DestinationType
		status int
		answer string
		want   core.Code
	}{
		"refused by DingTalk":      {core.ToDingTalk, 200, `{"errcode":310000,"errmsg":"sign not match"}`, core.InvalidArgument},
		"too many for DingTalk":    {core.ToDingTalk, 200, `{"errcode":130101,"errmsg":"send too fast"}`, core.Unavailable},
		"refused by Feishu":        {core.ToFeishu, 200, `{"code":19021,"msg":"sign match fail"}`, core.InvalidArgument},
		"refused by WeCom":         {core.ToWeCom, 200, `{"errcode":93000,"errmsg":"invalid webhook url"}`, core.InvalidArgument},
		"too many for WeCom":       {core.ToWeCom, 200, `{"errcode":45009,"errmsg":"api freq out of limit"}`, core.Unavailable},
		"no robot":                 {core.ToWeCom, 200, `<html>`, core.InvalidArgument},
		"no such hook of Slack":    {core.ToSlack, 404, `no_service`, core.InvalidArgument},
		"too many for Slack":       {core.ToSlack, 429, `rate_limited`, core.Unavailable},
		"a webhook that is broken": {core.ToWebhook, 500, ``, core.Unavailable},
		"a webhook that is moved":  {core.ToWebhook, 302, ``, core.InvalidArgument},
	} {
		target, _ := robot(t, tt.status, tt.answer)
		err := sender(t, push.Options{Open: true}).Deliver(t.Context(), firing("orders"), core.Destination{Type: tt.to, Target: target})
		if core.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	inside, last := robot(t, 200, "ok")
	err := sender(t, push.Options{}).Deliver(t.Context(), firing("orders"), core.Destination{Type: core.ToWebhook, Target: inside})
	if core.CodeOf(err) != core.InvalidArgument || last.url != nil {
		t.Errorf("an address that must not be pushed to: %v", err)
	}
	err = sender(t, push.Options{}).Deliver(t.Context(), firing("orders"), core.Destination{Type: core.ToEmail, Target: "ops@example.com"})
	if core.CodeOf(err) != core.InvalidArgument || !strings.Contains(core.MessageOf(err), "smtp-url") {
		t.Errorf("mail without a mail server: %v", err)
	}
}

// mailbox is a mail server that takes one mail.
func mailbox(t *testing.T) (address string, mail <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	got := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		lines := bufio.NewScanner(conn)
		say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
		say("220 mail")
		var body strings.Builder
		isData := false
		for lines.Scan() {
			switch line := lines.Text(); {
			case isData && line == ".":
				isData = false
				got <- body.String()
				say("250 taken")
			case isData:
				body.WriteString(line + "\n")
			case line == "DATA":
				isData = true
				say("354 go on")
			case line == "QUIT":
				say("221 bye")
				return
			default:
				say("250 ok")
			}
		}
	}()
	return "smtp://" + listener.Addr().String(), got
}

func TestMail(t *testing.T) {
	t.Parallel()
	server, mail := mailbox(t)
	n := firing("orders")
	n.Changes[0].State, n.Changes[0].From = core.AlertOK, core.AlertFiring
	if err := sender(t, push.Options{SMTP: server}).Deliver(t.Context(), n, core.Destination{Type: core.ToEmail, Target: "ops@example.com"}); err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(<-mail, "\n\n")
	text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(body, "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "the mail's head", head, "To: <ops@example.com>", "Subject: [OK] orders-deep: orders")
	contains(t, "the mail", string(text), "See <the runbook> & [call] *ops*", "depth > 1000 for 1m0s", "OK orders has 1234", link)
}

func TestTopicsAndQueues(t *testing.T) {
	t.Parallel()
	var sent core.SendInput
	var published core.PublishInput
	s := &notice.Sender{
		Send: func(_ context.Context, in core.SendInput) ([]core.Sent, error) { sent = in; return nil, nil },
		Publish: func(_ context.Context, in core.PublishInput) ([]core.Published, error) {
			published = in
			return nil, nil
		},
	}
	n := firing("orders")
	n.Test = true
	for _, to := range []core.Destination{{Type: core.ToQueue, Target: "ops.fifo"}, {Type: core.ToTopic, Target: "ops"}} {
		if err := s.Deliver(t.Context(), n, to); err != nil {
			t.Fatal(err)
		}
	}
	if sent.Queue != (core.QueueName{Account: "123456789012", Region: "eu-west-1", Name: "ops.fifo"}) || sent.Messages[0].GroupID != "orders-deep" || sent.Messages[0].DeduplicationID == "" {
		t.Errorf("sent %+v", sent)
	}
	if published.Topic.Name != "ops" || published.Messages[0].Subject != "[TEST] [FIRING] orders-deep: orders" || published.Messages[0].GroupID != "" {
		t.Errorf("published %+v", published)
	}
	contains(t, "the message", string(sent.Messages[0].Body), `"alert":"orders-deep"`, `"test":true`, "This is a test")
}
