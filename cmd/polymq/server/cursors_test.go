package server

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// madeUp are cursors that no list has given out, or that belong to another one.
var madeUp = []string{
	"0", "-1", "1", "x", "n", "é", "\xff", "\x00", "a\x00b", "n\x00", "n\xff", "user/\x00/aws", "/", "//", "-", "--", "1-", "-1-1", "1--1", "1-2-3-4", "1-1 ", " 1", "1-2x", "1-2-3x",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "99999999999999999999999999",
	"9223372036854775807-1", "-9223372036854775808-1", "-300000000000000000-1", "9000000000000000000-1", "1-9223372036854775808",
	"8-9223372036854775807-1", "8-9000000000000000000-1", "8--300000000000000000-1", "32768-1-1", "-32769-1-1", "8-1-9223372036854775808",
	"1e9", "0x10", "+1", "aws:", "policy:", "policy:\x00", "111111111111", strings.Repeat("9", 1000), strings.Repeat("a", 1024),
}

// listed gives a server that has something of everything that is listed, and what names it in paths.
func listed(t *testing.T) (*Server, map[string]string) {
	t.Helper()
	srv := start(t, Config{TestMode: true})
	for _, step := range []struct{ path, body string }{
		{"/queues", `{"name": "orders"}`},
		{"/queues", `{"name": "orders.fifo", "fifo": true}`},
		{"/queues/orders/messages", `{"messages": [{"body": "a"}, {"body": "b"}]}`},
		{"/queues/orders.fifo/messages", `{"messages": [{"body": "a", "group_id": "g", "deduplication_id": "1"}]}`},
		{"/topics", `{"name": "news"}`},
		{"/topics/news/subscriptions", `{"name": "hook", "url": "http://127.0.0.1:1/"}`},
		{"/topics/news/messages", `{"messages": [{"body": "a"}]}`},
		{"/groups", `{"name": "staff"}`},
	} {
		if status, body, err := post(srv, step.path, step.body); err != nil || status >= http.StatusMultipleChoices {
			t.Fatalf("%s: %d %s %v", step.path, status, body, err)
		}
	}
	return srv, map[string]string{"name": "orders", "topic": "news", "subscription": "hook", "identity": "staff", "alert": "none", "id": "none", "message": "none"}
}

// refused fails unless a request was understood or refused as the client's fault.
func refused(t *testing.T, srv *Server, r *http.Request, what string) (status int) {
	t.Helper()
	resp, err := httpClient.Do(r)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusInternalServerError {
		t.Errorf("%s: %d %s %v", what, resp.StatusCode, text, err)
	}
	return resp.StatusCode
}

// Whoever makes up a cursor of the JSON API gets a page or an error of his own, in every list that the API's document has.
func TestMadeUpCursors(t *testing.T) {
	t.Parallel()
	srv, names := listed(t)
	resp, err := httpClient.Get(srv.URL() + "/api/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var document struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name, In string }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&document); err != nil {
		t.Fatal(err)
	}
	lists := 0
	for path, methods := range document.Paths {
		get, ok := methods["get"]
		if !ok || !slices.ContainsFunc(get.Parameters, func(p struct{ Name, In string }) bool { return p.Name == "cursor" && p.In == "query" }) {
			continue
		}
		lists++
		for name, value := range names {
			path = strings.ReplaceAll(path, "{"+name+"}", value)
		}
		paths := []string{path, strings.Replace(path, "/orders/", "/orders.fifo/", 1)}
		for _, path := range slices.Compact(paths) {
			for _, cursor := range madeUp {
				target := fmt.Sprintf("%s/api/v1%s?limit=1&cursor=%s", srv.URL(), strings.TrimPrefix(path, "/api/v1"), url.QueryEscape(cursor))
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
				if err != nil {
					t.Fatal(err)
				}
				if status := refused(t, srv, r, fmt.Sprintf("%s, cursor %.60q", path, cursor)); status == http.StatusNotFound && !strings.Contains(path, "none") {
					t.Errorf("%s: there is no such list", path)
				}
			}
		}
	}
	if lists < 15 {
		t.Errorf("the document has %d lists", lists)
	}
}

// The same of the clouds' protocols, whose tokens are mostly in base64.
func TestMadeUpTokens(t *testing.T) {
	t.Parallel()
	srv, _ := listed(t)
	const account = "000000000000"
	aws := func(service string) string {
		return "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=00"
	}
	encodings := map[string]func(string) string{
		"plain":  func(s string) string { return s },
		"base64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"URL":    func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	}
	form := func(service, version, action, token string, more ...string) func(string) *http.Request {
		return func(value string) *http.Request {
			values := url.Values{"Action": {action}, "Version": {version}, token: {value}}
			for i := 0; i < len(more); i += 2 {
				values.Set(more[i], more[i+1])
			}
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+"/", strings.NewReader(values.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if service != "" {
				r.Header.Set("Authorization", aws(service))
			}
			return r
		}
	}
	lists := map[string]func(string) *http.Request{
		"SQS ListQueues":                 form("sqs", "2012-11-05", "ListQueues", "NextToken", "MaxResults", "1"),
		"SQS ListDeadLetterSourceQueues": form("sqs", "2012-11-05", "ListDeadLetterSourceQueues", "NextToken", "QueueUrl", "orders", "MaxResults", "1"),
		"SNS ListSubscriptionsByTopic":   form("sns", "2010-03-31", "ListSubscriptionsByTopic", "NextToken", "TopicArn", "arn:aws:sns:us-east-1:"+account+":news"),
	}
	for _, action := range []string{"ListTopics", "ListSubscriptions", "ListPlatformApplications", "ListSMSSandboxPhoneNumbers", "ListOriginationNumbers"} {
		lists["SNS "+action] = form("sns", "2010-03-31", action, "NextToken")
	}
	lists["SNS ListPhoneNumbersOptedOut"] = form("sns", "2010-03-31", "ListPhoneNumbersOptedOut", "nextToken")
	for _, action := range []string{"ListUsers", "ListGroups", "ListRoles", "ListPolicies", "GetAccountAuthorizationDetails", "ListAccessKeys"} {
		lists["IAM "+action] = form("iam", "2010-05-08", action, "Marker", "MaxItems", "1")
	}
	lists["IAM GetGroup"] = form("iam", "2010-05-08", "GetGroup", "Marker", "GroupName", "staff")
	for _, action := range []string{"ListUsers", "ListGroups", "ListRoles", "ListPolicies"} {
		lists["RAM "+action] = form("", "2015-05-01", action, "Marker", "MaxItems", "1")
	}
	for _, action := range []string{"ListQueue", "ListTopic", "ListSubscriptionByTopic", "ListEventRules"} {
		for _, token := range []string{"NextToken", "PageNum", "PageSize"} {
			lists["SMQ "+action+" "+token] = form("", "2022-01-19", action, token, "TopicName", "news")
		}
	}
	for _, path := range []string{"/queues", "/topics", "/topics/news/subscriptions"} {
		lists["MNS "+path] = func(value string) *http.Request {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL()+path, nil)
			r.Header.Set("x-mns-version", "2015-06-06")
			r.Header["x-mns-marker"] = []string{strings.Map(func(c rune) rune {
				if c < ' ' || c == '�' {
					return '?'
				}
				return c
			}, value)}
			return r
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		understood := false
		for encoding, encode := range encodings {
			for _, token := range append(madeUp, "") {
				status := refused(t, srv, lists[name](encode(token)), fmt.Sprintf("%s, token %.60q, %s", name, token, encoding))
				understood = understood || status == http.StatusOK
			}
		}
		if !understood {
			t.Errorf("%s: even no token is refused", name)
		}
	}
}
