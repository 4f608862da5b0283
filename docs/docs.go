package docs

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
)

// Prefix is where a server shows the pages.
const Prefix = "/docs"

const firstPage = "README.md"

// Files are the pages, and the files for people to copy.
//
//go:embed *.md docs.css testing/*
var Files embed.FS

//go:embed page.html
var layoutText string

// layout is around each page.
var layout = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(layoutText)) })

// Wants reports whether a request is a browser's for a page, or anybody's for a file that is there.
func Wants(r *http.Request) bool {
	below, ok := strings.CutPrefix(r.URL.Path, Prefix)
	if !ok || below != "" && below[0] != '/' || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if r.URL.RawQuery != "" || r.Header.Get("Authorization") != "" || r.Header.Get("X-Mns-Version") != "" {
		return false
	}
	first, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	return strings.TrimSpace(first) == "text/html" || isFile(strings.TrimPrefix(below, "/")) // curl -O of a fixture, the style sheet
}

func isFile(name string) bool {
	info, err := fs.Stat(Files, name)
	return err == nil && info.Mode().IsRegular()
}

// contentPolicy lets pages load the style sheet and nothing else.
const contentPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler shows the pages.
func Handler() http.Handler { return http.HandlerFunc(serve) }

func serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == Prefix {
		http.Redirect(w, r, Prefix+"/", http.StatusFound) // links on pages are relative
		return
	}
	name := strings.TrimPrefix(r.URL.Path, Prefix+"/")
	if name == "" {
		name = firstPage
	}
	content, err := Files.ReadFile(name)
	if err != nil {
		name += ".md"
		content, err = Files.ReadFile(name)
	}
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", contentPolicy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch path.Ext(name) {
	case ".md":
		if content, err = render(name, content); err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	case ".css":
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}

// shortCode is code in running text that fits the line of a phone: browsers would break it behind the dashes of a flag.
var shortCode = regexp.MustCompile(`<code>([^<\n]{1,24})</code>`)

// render makes a page of its Markdown.
func render(name string, markdown []byte) ([]byte, error) {
	title, _, _ := strings.Cut(strings.TrimPrefix(string(markdown), "# "), "\n")
	converter := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	var body, page bytes.Buffer
	if err := converter.Convert(markdown, &body); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	text := shortCode.ReplaceAllString(body.String(), `<code class="short">$1</code>`)
	content := template.HTML(text) // #nosec G203 -- of a page that is embedded
	if err := layout().Execute(&page, map[string]any{"Title": title, "Body": content, "First": name == firstPage}); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return page.Bytes(), nil
}
