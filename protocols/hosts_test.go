package protocols

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/console"
)

// A site that gives its name this machine's address reaches nothing with a visitor's browser, by any protocol; what is
// no browser uses whatever name it likes.
func TestDNSRebinding(t *testing.T) {
	t.Parallel()
	options := Options{Caller: caller.Options{PublicURL: "https://queues.example.com:8443"}, Hosts: []string{"dev.example.net", "*.team.example.net"}, Console: &console.Options{}}
	open := New(pgtest.Broker(t), options)
	options.Caller.Verify = true
	guarded := New(pgtest.Broker(t), options)
	marks := map[string]http.Header{
		"an origin":          {"Origin": {"http://evil.example:4566"}},
		"no origin":          {"Origin": {"null"}},
		"where it is from":   {"Sec-Fetch-Site": {"same-origin"}},
		"a cookie":           {"Cookie": {"a=b"}},
		"a language":         {"Accept-Language": {"en"}},
		"Mozilla":            {"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64)"}},
		"pretended an SDK's": {"Accept-Language": {""}, "User-Agent": {"aws-sdk-go-v2/1.0"}},
	}
	requests := map[string]func() *http.Request{
		"SQS by query": func() *http.Request {
			return httptest.NewRequest(http.MethodGet, "/?Action=ListQueues&Version=2012-11-05", nil)
		},
		"SQS in JSON": func() *http.Request {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
			r.Header.Set("X-Amz-Target", "AmazonSQS.ListQueues")
			return r
		},
		"SNS": func() *http.Request {
			return httptest.NewRequest(http.MethodGet, "/?Action=ListTopics&Version=2010-03-31", nil)
		},
		"MNS":          func() *http.Request { return httptest.NewRequest(http.MethodGet, "/queues", nil) },
		"the JSON API": func() *http.Request { return httptest.NewRequest(http.MethodGet, "/api/v1/queues", nil) },
		"the console": func() *http.Request {
			return httptest.NewRequest(http.MethodGet, "/console/000000000000/us-east-1/queues", nil)
		},
		"messages": func() *http.Request {
			return httptest.NewRequest(http.MethodGet, "/_aws/sqs/messages?QueueUrl=http://x/000000000000/q", nil)
		},
	}
	status := func(handler http.Handler, request func() *http.Request, host string, mark http.Header) int {
		r := request()
		r.Host = host
		for name, values := range mark {
			r.Header[name] = values
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	for protocol, request := range requests {
		usual := status(open, request, "localhost:4566", nil)
		for name, mark := range marks {
			if got := status(open, request, "evil.example:4566", mark); got != http.StatusMisdirectedRequest {
				t.Errorf("%s with %s: got %d", protocol, name, got)
			}
		}
		for _, host := range []string{
			"localhost", "LOCALHOST:4566", "console.localhost:4566", "127.0.0.1:4566", "192.0.2.1", "[::1]:4566", "polymq", "polymq:4566", "polymq.queues.svc", "polymq.queues.svc.cluster.local:80",
			"host.docker.internal:4566", "laptop.local", "queues.test", "sqs.us-east-1.localhost.localstack.cloud:4566", "localhost.localstack.cloud", "queues.example.com", "Queues.Example.com:4566",
			"dev.example.net", "a.team.example.net", "localhost.:4566",
		} {
			if got := status(open, request, host, marks["a language"]); got != usual && protocol != "the console" {
				t.Errorf("%s under %s: got %d, want %d", protocol, host, got, usual)
			}
		}
		for _, host := range []string{"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "example.com", "evil-test", "xtest.example", "queues.example.com.evil.example", "team.example.net", "evil.example."} {
			if got := status(open, request, host, marks["a language"]); (got == http.StatusMisdirectedRequest) != strings.Contains(host, ".") {
				t.Errorf("%s under %s: got %d", protocol, host, got)
			}
		}
		for name, mark := range map[string]http.Header{"an SDK": {"User-Agent": {"aws-sdk-go-v2/1.0"}}, "Node's fetch": {"Accept-Language": {"*"}, "Sec-Fetch-Mode": {"cors"}, "User-Agent": {"node"}}} {
			if got := status(open, request, "queues.other.example", mark); got == http.StatusMisdirectedRequest {
				t.Errorf("%s by %s: refused", protocol, name)
			}
		}
		if got := status(guarded, request, "evil.example", marks["an origin"]); got == http.StatusMisdirectedRequest {
			t.Errorf("%s where requests are verified: refused for its host", protocol)
		}
	}
	r := requests["the console"]()
	r.Host, r.Header = "evil.example", http.Header{"Accept": {"text/html"}, "User-Agent": {"Mozilla/5.0"}}
	w := httptest.NewRecorder()
	open.ServeHTTP(w, r)
	if text := w.Body.String(); !strings.Contains(text, "evil.example") || !strings.Contains(text, "--console-hosts") || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("a visitor is told %s: %s", w.Header().Get("Content-Type"), text)
	}
}

// What needs no rebinding: a page of another site asks for an image, or sends a form, to the server on this machine.
func TestOtherSitesAreKeptOut(t *testing.T) {
	t.Parallel()
	handler := New(pgtest.Broker(t), Options{Console: &console.Options{}})
	tests := map[string]struct {
		method, target string
		header         http.Header
		refused        bool
	}{
		"an image":                    {"GET", "/?Action=ListQueues", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}}, true},
		"a form":                      {"POST", "/?Action=ListQueues", http.Header{"Origin": {"https://evil.example"}}, true},
		"a form in a sandbox":         {"POST", "/?Action=ListQueues", http.Header{"Origin": {"null"}}, true},
		"a link to an action":         {"GET", "/?Action=ListQueues", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}}, true},
		"a link to a receive":         {"GET", "/queues/orders/messages", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Accept": {"text/html"}}, true},
		"a form to the API":           {"POST", "/api/v1/queues", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}}, true},
		"a link to the console":       {"GET", "/console/000000000000/us-east-1/queues", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}}, false},
		"a page on this machine":      {"POST", "/?Action=ListQueues", http.Header{"Origin": {"http://localhost:3000"}, "Sec-Fetch-Site": {"same-site"}}, false},
		"an older browser there":      {"POST", "/?Action=ListQueues", http.Header{"Origin": {"http://localhost:3000"}}, false},
		"typed into the address":      {"GET", "/?Action=ListQueues", http.Header{"Sec-Fetch-Site": {"none"}, "Sec-Fetch-Mode": {"navigate"}}, false},
		"a page of the server itself": {"GET", "/?Action=ListQueues", http.Header{"Sec-Fetch-Site": {"same-origin"}}, false},
		"an SDK":                      {"GET", "/?Action=ListQueues", nil, false},
		"Node's fetch":                {"GET", "/?Action=ListQueues", http.Header{"Sec-Fetch-Mode": {"cors"}, "Accept-Language": {"*"}}, false},
	}
	for name, tt := range tests {
		r := httptest.NewRequest(tt.method, tt.target, nil)
		r.Host = "localhost:4566"
		for key, values := range tt.header {
			r.Header[key] = values
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if (w.Code == http.StatusForbidden) != tt.refused {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
	}
}
