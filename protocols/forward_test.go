package protocols

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/polymq/polymq/pg/pgtest"
)

// forwarding starts a server that passes requests for other services on to one that answers as is given.
func forwarding(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	upstream := httptest.NewServer(answer)
	t.Cleanup(upstream.Close)
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(New(pgtest.Broker(t), Options{Forward: target}))
	t.Cleanup(server.Close)
	return server
}

// An answer is passed on as it is, without a body too: S3 says so that there is no such object.
func TestForwardedAnswers(t *testing.T) {
	t.Parallel()
	server := forwarding(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Upstream", r.URL.Path)
		if r.URL.Path == "/bucket/there" {
			w.WriteHeader(http.StatusOK)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	for path, want := range map[string]int{"/bucket/there": http.StatusOK, "/bucket/missing": http.StatusNotFound} {
		for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodDelete} {
			r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", scope("s3"))
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Errorf("%s %s: %v", method, path, err)
				continue
			}
			if _ = resp.Body.Close(); resp.StatusCode != want || resp.Header.Get("X-Upstream") != path || resp.Header.Get("Content-Type") != "" {
				t.Errorf("%s %s: got %s %v", method, path, resp.Status, resp.Header)
			}
		}
	}
}

// Requests and answers are passed on as they came: what a signature is made of, and what a client has stored.
func TestForwardedAsTheyCame(t *testing.T) {
	t.Parallel()
	const packed = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xca\x48\xcd\xc9\xc9\x07\x04\x00\x00\xff\xff\x86\xa6\x10\x36\x05\x00\x00\x00"
	answers := map[string]struct{ contentType, encoding, body string }{ // by path
		"/bucket/key":       {"", "", "<html>"},
		"/bucket/a%2Fb//c/": {"text/x-of-its-own", "", "hello"},
		"//bucket/../key":   {"text/plain", "gzip", packed},
	}
	server := forwarding(t, func(w http.ResponseWriter, r *http.Request) {
		answer, header := answers[r.URL.EscapedPath()], w.Header()
		header["X-Asked"], header["X-Accepts"], header["Content-Type"] = []string{r.RequestURI}, r.Header["Accept-Encoding"], nil
		if answer.contentType != "" {
			header.Set("Content-Type", answer.contentType)
		}
		if answer.encoding != "" {
			header.Set("Content-Encoding", answer.encoding)
		}
		_, _ = io.WriteString(w, answer.body)
	})
	plain := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	t.Cleanup(plain.CloseIdleConnections)
	for _, asked := range []string{"/bucket/key?X-Amz-SignedHeaders=host;range&X-Amz-Date=1", "/bucket/key?b=2&a=100%&acl", "/bucket/a%2Fb//c/?prefix=", "//bucket/../key"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		path, query, _ := strings.Cut(asked, "?")
		r.URL.Opaque, r.URL.RawQuery = strings.TrimPrefix(server.URL, "http:")+path, query
		r.Header.Set("Authorization", scope("s3"))
		resp, err := plain.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		want, header := answers[path], resp.Header
		if got := header.Get("X-Asked"); got != asked {
			t.Errorf("asked for %s, the other server for %s", asked, got)
		}
		if header.Get("Content-Type") != want.contentType || header.Get("Content-Encoding") != want.encoding || header.Get("X-Accepts") != "" || string(body) != want.body || err != nil {
			t.Errorf("%s: got %q, %v, %v", asked, body, header, err)
		}
	}
}

// What is refused is refused to a HEAD as well, where there is no such thing too.
func TestRefusedHeads(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(New(pgtest.Broker(t), Options{Protocols: []string{"sqs"}}))
	t.Cleanup(server.Close)
	resp, err := http.Head(server.URL + "/api/v1/queues")
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusNotFound || resp.ContentLength <= 0 {
		t.Errorf("got %s, %d bytes", resp.Status, resp.ContentLength)
	}
}
