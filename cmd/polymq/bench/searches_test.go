package bench

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestSearches has a console of three pages searched while messages are sent.
func TestSearches(t *testing.T) {
	t.Parallel()
	server := newFake()
	var mu sync.Mutex
	var asked []string
	server.before = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/console/") {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		after := r.URL.Query().Get("after")
		asked = append(asked, r.URL.Path+" "+after)
		if after != "b c" {
			next := map[string]string{"": "a", "a": "b%20c"}[after]
			_, _ = fmt.Fprintf(w, `<button hx-get="%s?text=x&amp;after=%s&amp;searched=1">`, r.URL.Path, next)
		}
		return true
	}
	r, _, err := execArgs(t.Context(), t, "--mode", "send", "--endpoint", server.start(t), "--duration", "1s", "--searches", "2", "--rounds", "2", "--queue-name", "orders")
	if err != nil {
		t.Fatal(err)
	}
	if r.Calm == nil || len(r.Calm.Latencies) != 1 || r.Calm.Latencies[0].Count == 0 || r.Run.Searches != 2 {
		t.Fatalf("measured without searches: %+v", r.Calm)
	}
	mu.Lock()
	defer mu.Unlock()
	if got := r.Result.Latencies; len(got) != 2 || got[1].Operation != "search" || int(got[1].Count) > len(asked) || r.Result.Failures != 0 {
		t.Errorf("measured with searches: %+v, %v", got, r.Result.Errors)
	}
	const path = "/console/000000000000/us-east-1/queues/orders/search "
	for _, page := range []string{path, path + "a", path + "b c"} {
		if !slices.Contains(asked, page) {
			t.Errorf("nobody asked for %q, but for %q", page, asked[:min(len(asked), 5)])
		}
	}
}

func TestSearchesThatAreRefused(t *testing.T) {
	t.Parallel()
	server := newFake()
	server.before = func(w http.ResponseWriter, r *http.Request) bool {
		isPage := strings.HasPrefix(r.URL.Path, "/console/")
		if isPage {
			w.WriteHeader(http.StatusSeeOther)
		}
		return isPage
	}
	r, _, err := execArgs(t.Context(), t, "--mode", "send", "--endpoint", server.start(t), "--duration", "1s", "--searches", "1")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Result.Errors) != 1 || r.Result.Errors[0].Kind != "search: status 303" {
		t.Errorf("got %+v", r.Result.Errors)
	}
}
