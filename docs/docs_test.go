package docs_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/polymq/polymq/docs"
)

// request is a browser's.
func request(path string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	return r
}

func show(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	docs.Handler().ServeHTTP(w, request(path))
	return w
}

// TestLinks follows every link on every page, and the layout's.
func TestLinks(t *testing.T) {
	t.Parallel()
	pages, err := fs.Glob(docs.Files, "*.md")
	if err != nil || len(pages) < 6 {
		t.Fatalf("pages %v, error %v", pages, err)
	}
	link := regexp.MustCompile(`href="([^"#]*)(#[^"]*)?"`)
	for _, page := range pages {
		answer := show("/docs/" + page)
		if answer.Code != http.StatusOK {
			t.Fatalf("%s: status %d", page, answer.Code)
		}
		for _, found := range link.FindAllStringSubmatch(answer.Body.String(), -1) {
			target := found[1]
			switch {
			case target == "/api/v1/docs", target == "":
				continue
			case !strings.HasPrefix(target, "/"):
				target = path.Join("/docs", target)
			}
			if code := show(target).Code; code != http.StatusOK && target != "/docs/" {
				t.Errorf("%s leads to %s: status %d", page, found[1], code)
			}
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		path string
		code int
		want string // in the answer
		kind string
	}{
		"the first":                {"/docs/", http.StatusOK, `<a href="moving.md">`, "text/html; charset=utf-8"},
		"without the slash":        {"/docs", http.StatusFound, "", ""},
		"tables":                   {"/docs/features.md", http.StatusOK, "<td>VisibilityTimeout</td>", "text/html; charset=utf-8"},
		"flags stay whole":         {"/docs/operating.md", http.StatusOK, `<code class="short">--durability</code>`, "text/html; charset=utf-8"},
		"long code does not":       {"/docs/operating.md", http.StatusOK, `<code>polymq migrate rotate-master-key NEW-FILE</code>`, "text/html; charset=utf-8"},
		"without .md":              {"/docs/testing", http.StatusOK, "<h1", "text/html; charset=utf-8"},
		"a file to copy":           {"/docs/testing/polymq.mjs", http.StatusOK, "export class Polymq", "text/plain; charset=utf-8"},
		"the style sheet":          {"/docs/docs.css", http.StatusOK, "--accent", "text/css; charset=utf-8"},
		"a page that is not":       {"/docs/none.md", http.StatusNotFound, "", ""},
		"a folder":                 {"/docs/testing/", http.StatusNotFound, "", ""},
		"a file that is no page's": {"/docs/docs.go", http.StatusNotFound, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := show(tt.path)
			if got.Code != tt.code || !strings.Contains(got.Body.String(), tt.want) {
				t.Errorf("status %d, body %.200s", got.Code, got.Body)
			}
			if tt.kind != "" && got.Header().Get("Content-Type") != tt.kind {
				t.Errorf("Content-Type %q", got.Header().Get("Content-Type"))
			}
		})
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	change := func(path string, change func(*http.Request)) *http.Request {
		r := request(path)
		change(r)
		return r
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	tests := map[string]struct {
		request *http.Request
		want    bool
	}{
		"a browser":            {request("/docs/moving.md"), true},
		"its style sheet":      {change("/docs/docs.css", header("Accept", "text/css,*/*;q=0.1")), true},
		"a query":              {request("/docs/?list-type=2"), false},
		"another path":         {request("/docsify/"), false},
		"a program":            {change("/docs/", header("Accept", "*/*")), false},
		"a program's file":     {change("/docs/testing/polymq_fixture.py", header("Accept", "*/*")), true},
		"a program's folder":   {change("/docs/testing", header("Accept", "*/*")), false},
		"a program's mistake":  {change("/docs/testing/nothing.py", header("Accept", "*/*")), false},
		"a signed request":     {change("/docs/", header("Authorization", "AWS4-HMAC-SHA256 …")), false},
		"one that writes":      {change("/docs/", func(r *http.Request) { r.Method = http.MethodPut }), false},
		"without the slash":    {request("/docs"), true},
		"another's first page": {request("/"), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := docs.Wants(tt.request); got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
