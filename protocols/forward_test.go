package protocols

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/polymq/polymq/pg/pgtest"
)

// An answer is passed on as it is, without a body too: S3 says so that there is no such object.
func TestForwardedAnswers(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Upstream", r.URL.Path)
		if r.URL.Path == "/bucket/there" {
			w.WriteHeader(http.StatusOK)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(upstream.Close)
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(New(pgtest.Broker(t), Options{Forward: target}))
	t.Cleanup(server.Close)
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
