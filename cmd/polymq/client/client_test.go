package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/protocols/api"
	"github.com/polymq/polymq/protocols/caller"
)

// ways are the two ways to a handler: over the network, and within the process.
func ways(t *testing.T, handler http.HandlerFunc) map[string]*client.Client {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return map[string]*client.Client{
		"network":    {Endpoint: srv.URL, AdminKey: "ID:SECRET", Account: "111122223333", Region: "eu-west-1"},
		"in process": {Transport: client.InProcess(handler), AdminKey: "ID:SECRET", Account: "111122223333", Region: "eu-west-1"},
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	for name, c := range ways(t, func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		_ = json.NewEncoder(w).Encode([]string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Get("User-Agent"), body["a"]})
	}) {
		var got []string
		in := client.Request{Method: http.MethodPost, Path: []string{"queues", "a/b c", "messages:purge"}, Query: map[string][]string{"x": {"1"}}, Body: map[string]string{"a": "<é>"}}
		if err := c.Do(t.Context(), in, &got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := "[POST /api/v1/queues/a%2Fb%20c/messages:purge account=111122223333&region=eu-west-1&x=1 Bearer ID:SECRET polymq <é>]"; fmt.Sprint(got) != want {
			t.Errorf("%s: the server sees %v, want %s", name, got, want)
		}
	}
}

// The account and the region are named wherever the API knows them, and nowhere else: what it does not know it refuses.
func TestScope(t *testing.T) {
	t.Parallel()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	api.New(nil, &caller.Options{}, api.Options{}).Register(engine)
	answer := httptest.NewRecorder()
	engine.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/v1/openapi.json", nil))
	var document struct {
		Paths map[string]map[string]struct{ Parameters []struct{ Name, In string } }
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil || len(document.Paths) == 0 {
		t.Fatalf("%d paths, %v", len(document.Paths), err)
	}
	for name, c := range ways(t, func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(r.URL.Query())
	}) {
		for path, operations := range document.Paths {
			for method, operation := range operations {
				want := map[string][]string{}
				for _, p := range operation.Parameters {
					switch {
					case p.In != "query":
					case p.Name == "account":
						want[p.Name] = []string{c.Account}
					case p.Name == "region":
						want[p.Name] = []string{c.Region}
					}
				}
				var got map[string][]string
				in := client.Request{Method: strings.ToUpper(method), Path: strings.Split(strings.TrimPrefix(path, "/api/v1/"), "/")}
				if err := c.Do(t.Context(), in, &got); err != nil || !maps.EqualFunc(got, want, slices.Equal) {
					t.Errorf("%s: %s %s with %v, want %v (%v)", name, method, path, got, want, err)
				}
			}
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	for name, c := range ways(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("cursor") {
		case "":
			fmt.Fprint(w, `{"things": [1, 2], "next_cursor": "b&b"}`)
		case "b&b":
			fmt.Fprint(w, `{"things": [3], "next_cursor": "c"}`)
		default:
			http.Error(w, `{"code": "Internal", "detail": "internal error"}`, http.StatusInternalServerError)
		}
	}) {
		var got []string
		var failed error
		for raw, err := range c.List(t.Context(), client.Request{Path: []string{"things"}}, "things") {
			if failed = err; err == nil {
				got = append(got, string(raw))
			}
		}
		if strings.Join(got, " ") != "1 2 3" || client.ExitCode(failed) != client.ExitFailed {
			t.Errorf("%s: %v, then %v", name, got, failed)
		}
	}
}

// What another server says to everything is not that something was done: a page for every path, or the way to its https.
func TestAnswersOfOthers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"a page": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!doctype html><title>app</title>") }, "polymq?"},
		"a redirection": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/there" {
				http.Redirect(w, r, "/there", http.StatusMovedPermanently)
			}
		}, "/there"},
	} {
		for way, c := range ways(t, tt.handler) {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
				if err := c.Do(t.Context(), client.Request{Method: method, Path: []string{"queues"}}, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s, %s: %s gives %v", name, way, method, err)
				}
			}
		}
	}
	for way, c := range ways(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"status": "ok"}`) }) {
		for _, err := range c.List(t.Context(), client.Request{Path: []string{"things"}}, "things") {
			if err == nil || !strings.Contains(err.Error(), "no list of things") {
				t.Errorf("a list of other things, %s: %v", way, err)
			}
		}
	}
}

func TestAdminKeyWithoutASecret(t *testing.T) {
	t.Parallel()
	c := client.Client{Endpoint: "http://127.0.0.1:1", AdminKey: "hunter2"}
	err := c.Do(t.Context(), client.Request{Method: http.MethodGet, Path: []string{"queues"}}, nil)
	if client.ExitCode(err) != client.ExitUsage || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, exit code %d", err, client.ExitCode(err))
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int{
		200: 0, 204: 0, 401: client.ExitDenied, 403: client.ExitDenied, 404: client.ExitNotFound, 409: client.ExitConflict, 410: client.ExitNotFound,
		422: client.ExitFailed, 429: client.ExitUnavailable, 500: client.ExitFailed, 503: client.ExitUnavailable,
	} {
		for name, c := range ways(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }) {
			if got := client.ExitCode(c.Do(t.Context(), client.Request{Method: http.MethodGet, Path: []string{"queues"}}, nil)); got != want {
				t.Errorf("%s: %d gives exit code %d, want %d", name, status, got, want)
			}
		}
	}
	gone := &client.Client{Endpoint: "http://127.0.0.1:1"}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	untrusted := client.Client{Endpoint: secure.URL}
	if err := untrusted.Do(t.Context(), client.Request{Method: http.MethodGet, Path: []string{"queues"}}, nil); !errors.Is(err, client.ErrUnreachable) || !strings.Contains(err.Error(), "polymq ca") {
		t.Errorf("of a server with an unknown certificate: %v", err)
	}
	if err := gone.Do(t.Context(), client.Request{Method: http.MethodGet, Path: []string{"queues"}}, nil); !errors.Is(err, client.ErrUnreachable) || client.ExitCode(err) != client.ExitUnavailable {
		t.Errorf("no server: %v", err)
	}
	if got := client.ExitCode(client.UsageError(errors.New("x"))); got != client.ExitUsage {
		t.Errorf("wrong usage gives exit code %d", got)
	}
}
