package manage_test

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// entry is an exported message, as far as it is kept by an import.
type entry struct {
	Body            string            `json:"body"`
	Encoding        string            `json:"body_encoding"`
	Attributes      map[string]any    `json:"attributes"`
	System          map[string]string `json:"system"`
	GroupID         string            `json:"group_id"`
	DeduplicationID string            `json:"deduplication_id"`
	Priority        int               `json:"priority"`
}

// entries reads what was exported, in order.
func entries(t *testing.T, text string) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(text) {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		kept, _ := json.Marshal(e) // it has just been read
		all = append(all, string(kept))
	}
	return all
}

func TestExportAndImport(t *testing.T) {
	t.Parallel()
	s := start(t)
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	for name, lines := range map[string][]string{
		"standard": {
			`{"body":"plain","priority":8}`,
			`{"body":"<&> ☃ \" \\ \n","attributes":{"a":{"type":"String.x","value":"é"},"n":{"type":"Number","value":"1.50"},"b":{"type":"Binary","value":"AP8="}},"priority":3}`,
			fmt.Sprintf(`{"body":%q,"body_encoding":"base64","priority":8}`, base64.StdEncoding.EncodeToString(everyByte)),
			`{"body":"traced","system":{"AWSTraceHeader":"Root=1-5759e988-bd862e3fe1be46a994272793"},"priority":8}`,
			fmt.Sprintf(`{"body":"later","visible_at":%q,"priority":8}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)),
		},
		"ordered.fifo": {
			`{"body":"1","group_id":"a","deduplication_id":"x"}`, `{"body":"2","group_id":"b","deduplication_id":"y"}`, `{"body":"3","group_id":"a","deduplication_id":"z"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shell{t, s.server, s.environ}
			copied := strings.Replace(name, ".", "-copy.", 1)
			if copied == name {
				copied += "-copy"
			}
			s.must("queue", "create", name)
			s.must("queue", "create", copied)
			if r := s.run(t.Context(), strings.Join(lines, "\n"), "import", name); r.err != nil {
				t.Fatal(r.err)
			}
			first := s.must("export", name)
			if n := strings.Count(first, "\n"); n != len(lines) {
				t.Fatalf("%d lines are exported, want %d", n, len(lines))
			}
			file := filepath.Join(t.TempDir(), "queue.jsonl.gz")
			s.must("export", name, file)
			s.must("import", copied, file)
			if got, want := entries(t, s.must("export", copied)), entries(t, first); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("the copy has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if name == "standard" && !strings.Contains(s.must("queue", "show", copied), "Delayed:             1\n") {
				t.Error("what was delayed no longer is")
			}
			if _, err := os.Stat(file + "." + copied + ".done"); !os.IsNotExist(err) {
				t.Errorf("the mark of an import that is done: %v", err)
			}
			if r := s.run(t.Context(), "", "export", name, file); r.err == nil || !strings.Contains(r.err.Error(), "--force") {
				t.Errorf("over a file: %v", r.err)
			}
		})
	}
}

func TestExportConsumes(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders")
	var input strings.Builder
	for i := range 250 {
		fmt.Fprintf(&input, "%d\n", i)
	}
	if r := s.run(t.Context(), input.String(), "message", "send", "orders", "--lines"); r.err != nil {
		t.Fatal(r.err)
	}
	file := filepath.Join(t.TempDir(), "orders.jsonl.gz")
	s.must("export", "orders", file, "--consume")
	if out := s.must("message", "peek", "orders", "--hidden", "--json"); out != "" {
		t.Errorf("left is %s", out)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(text)
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]bool{}
	for line := range strings.Lines(string(content)) {
		bodies[entries(t, line)[0]] = true
	}
	if len(bodies) != 250 {
		t.Errorf("%d messages are in the file, want 250", len(bodies))
	}
}

// failing is a way to the server on which the nth request that sends messages fails.
func (s *shell) failing(n int64) string {
	s.t.Helper()
	target, err := url.Parse(s.server.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{} // its own: other tests close idle connections of the default one
	s.t.Cleanup(transport.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	var sends atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/messages") && sends.Add(1) == n {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	s.t.Cleanup(func() { _ = srv.Config.Close() }) // its own Close would close the default client's connections too, which other tests use
	return srv.URL
}

func TestImportGoesOn(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders")
	file := filepath.Join(t.TempDir(), "orders.jsonl")
	var text strings.Builder
	for i := range 450 {
		fmt.Fprintf(&text, "{\"body\":\"%d\"}\n", i)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	endpoint := s.failing(3)
	r := s.run(t.Context(), "", "import", "orders", file, "--endpoint", endpoint)
	if r.err == nil || !strings.Contains(r.err.Error(), "lines 201 to 300") {
		t.Fatalf("the interrupted import: %v", r.err)
	}
	if r = s.run(t.Context(), "", "import", "orders", file, "--endpoint", endpoint); r.err != nil || !strings.Contains(r.errors, "250 messages imported into orders, 200 lines had been sent before") {
		t.Fatalf("the next one: %v, %s", r.err, r.errors)
	}
	bodies := map[string]int{}
	for _, e := range entries(t, s.must("export", "orders")) {
		bodies[e]++
	}
	for body, n := range bodies {
		if n != 1 {
			t.Errorf("%s is there %d times", body, n)
		}
	}
	if len(bodies) != 450 {
		t.Errorf("%d messages, want 450", len(bodies))
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders")
	for name, tt := range map[string]struct{ input, want string }{
		"no JSON":     {"{\"body\":\"x\"}\nnonsense\n", "line 2"},
		"no body":     {"{}\n", "line 1: a message has a body"},
		"not allowed": {`{"body":"x","attributes":{"aws.x":{"type":"String","value":"y"}}}`, "reserved"},
	} {
		if r := s.run(t.Context(), tt.input, "import", "orders"); r.err == nil || !strings.Contains(r.err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, r.err, tt.want)
		}
	}
	if n := len(entries(t, s.must("export", "orders"))); n != 1 {
		t.Errorf("%d messages are stored, want the one before the line that is none", n)
	}
}
