package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// page is what a template is rendered with. A handler fills in the first fields, complete the others.
type page struct {
	Title    string // English
	Heading  string // what the page is about, in the visitor's words: a queue's name
	Active   string // key of the navigation
	Data     any
	Snippets []snippet

	Menu     []menuGroup
	Account  string
	Region   string
	Scopes   []core.Scope
	Base     string
	Here     string // the page's own address, to come back to
	Language string
	Theme    string
	Token    string
	Endpoint string
	Version  string
	Verify   bool
	TestMode bool
	KeyID    string // of who is logged in
	User     string // who is logged in, or signed on by a proxy; "" for an account itself
	SignedOn bool   // there is nothing to log out of
	Notice   string // what was just done
	LogsAll  bool   // what happens to each message is recorded, whatever a queue's or topic's settings say

	grants *core.Grants // nil: nobody who may use the console
}

// Open says that somebody is there who may use the console.
func (p *page) Open() bool { return p.grants != nil }

// complete fills in what all pages have in common. A part of a page needs less.
func (s *Server) complete(x *exchange, p *page, whole bool) {
	p.Account, p.Region, p.Base, p.Token = x.account, x.region, x.base(), x.session.token
	p.Language, p.Theme, p.Endpoint = x.language, x.theme, x.caller.BaseURL
	p.Version, p.Verify, p.TestMode = s.options.Version, s.callers.Verify, s.options.TestMode
	p.grants, p.LogsAll = x.session.grants, s.broker.LogsAllMessages()
	if key := x.session.key; key != nil {
		p.KeyID, p.User, p.SignedOn = key.ID, key.User, x.session.signedOn != ""
	}
	if !whole {
		return
	}
	p.Here = prefix + "/"
	if x.r.Method == http.MethodGet {
		p.Here = x.r.URL.RequestURI()
	}
	if p.Open() {
		p.Menu = menuFor(s.options, p.grants)
	}
	if cookie, err := x.r.Cookie(noticeCookie); err == nil {
		p.Notice, _ = url.QueryUnescape(cookie.Value) // "" for what was not written here
		http.SetCookie(x.w, x.cookie(noticeCookie, "", -1))
	}
	if p.Open() {
		p.Scopes, _ = s.broker.Scopes(x.r.Context()) // the picker takes any account and region, these are only suggested
		p.Scopes = slices.DeleteFunc(slices.Clone(p.Scopes), func(scope core.Scope) bool {
			return scope.Account != p.grants.Account && !p.grants.Everywhere
		})
	}
}

//go:embed templates
var templateFiles embed.FS

// templateSets are the parsed templates by language and file. Each has the layout around it.
var templateSets = sync.OnceValue(func() map[string]map[string]*template.Template {
	sets := map[string]map[string]*template.Template{}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err) // of a constant
	}
	for _, language := range languages {
		sets[language.Code] = map[string]*template.Template{}
		common := template.Must(template.New("").Funcs(functions(language.Code)).ParseFS(templateFiles, "templates/layout.html", "templates/icons.html", "templates/common.html"))
		for _, file := range files {
			name := path.Base(file)
			if slices.Contains([]string{"layout.html", "icons.html", "common.html"}, name) {
				continue
			}
			sets[language.Code][name] = template.Must(template.Must(common.Clone()).ParseFS(templateFiles, file))
		}
	}
	return sets
})

func templates(language, name string) *template.Template { return templateSets()[language][name] }

// functions are what templates can call.
func functions(language string) template.FuncMap {
	t := func(text string, args ...any) string { return translate(language, text, args...) }
	return template.FuncMap{
		"t":         t,
		"detail":    func(text string) string { return detail(language, text) },
		"n":         groupDigits,
		"bytes":     showBytes,
		"took":      func(d time.Duration) string { return showDuration(language, d) },
		"time":      showTime,
		"asset":     assetURL,
		"languages": func() []languageName { return languages },
		"dict":      dict,
		"json":      showJSON,
		"hours":     func(d time.Duration) string { return strconv.FormatFloat(d.Hours(), 'f', -1, 64) },
		"periods":   func() []int { return costPeriods },
		"seconds":   func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) },
		"joined":    func(texts []string) string { return strings.Join(texts, ", ") },
		"query":     url.QueryEscape,
		"short":     shorten,
		"indent":    indentJSON,
		"percent":   func(share float64) string { return strconv.FormatFloat(100*share, 'g', 4, 64) },
		"policies":  func(i core.Identity) int { return len(i.Attached) + len(i.Inline) },
		"accesses":  func() []core.Access { return []core.Access{core.Viewer, core.Operator, core.Admin} },
		"bodyrules": func() []bodyRule { return bodyRules },
		"actions":   func() []string { return explainedActions },
		"value":     showValue,
		"number":    showNumber,
		"unit":      core.UnitOf,
		"missing":   func(m core.Missing) string { return missings[m] },
		"failure":   func(text string) string { return failure(language, text) },
	}
}

// dict gives a map of names and values, for templates that take several.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict of %d names and values", len(pairs))
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict with the name %v", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// assetVersion changes with the content of the assets.
var assetVersion = sync.OnceValue(func() string {
	hash := sha256.New()
	files, err := fs.Glob(assets, "assets/*")
	if err != nil {
		panic(err) // of a constant
	}
	for _, file := range files {
		content, err := fs.ReadFile(assets, file)
		if err != nil {
			panic(err) // it is embedded
		}
		hash.Write(content)
	}
	return hex.EncodeToString(hash.Sum(nil)[:6])
})

func assetURL(name string) string { return prefix + "/assets/" + name + "?v=" + assetVersion() }

func bytesReader(content []byte) io.ReadSeeker { return bytes.NewReader(content) }

// groupDigits gives a number with a thin gap between thousands.
func groupDigits(number any) string {
	text := fmt.Sprint(number)
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return sign + text
}

// showBytes gives a size for people.
func showBytes(n any) string {
	size, err := strconv.ParseFloat(fmt.Sprint(n), 64)
	if err != nil {
		return "?"
	}
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for i, unit := range units {
		if size < 1024 || i == len(units)-1 {
			return strconv.FormatFloat(size, 'f', min(i, 1), 64) + " " + unit
		}
		size /= 1024
	}
	return "?"
}

// showTime gives a point in time; the script turns it into the browser's own zone.
func showTime(at time.Time) template.HTML {
	if at.IsZero() {
		return "–"
	}
	at = at.UTC()
	return template.HTML(`<time datetime="` + at.Format("2006-01-02T15:04:05.000Z") + `">` + at.Format("2006-01-02 15:04:05") + ` UTC</time>`) // #nosec G203 -- digits only
}

// showDuration gives a length of time in its two largest units.
func showDuration(language string, d time.Duration) string {
	if d < 0 {
		d = -d
	}
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	units := []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	var parts []string
	for _, unit := range units {
		if n := d / unit.length; n > 0 && len(parts) < 2 {
			parts = append(parts, fmt.Sprintf("%d %s", n, translate(language, unit.name)))
			d %= unit.length
		} else if len(parts) == 1 {
			break
		}
	}
	return strings.Join(parts, " ")
}

// showJSON gives a value as a script reads it from an attribute.
func showJSON(value any) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

// indentJSON lays out a text of JSON, and leaves another as it is.
func indentJSON(text string) string {
	var laidOut bytes.Buffer
	if json.Indent(&laidOut, []byte(text), "", "  ") != nil {
		return text
	}
	return laidOut.String()
}

// showValue gives a number that may be missing.
func showValue(value *float64) string {
	if value == nil {
		return "–"
	}
	if rounded := math.Round(*value*1e4) / 1e4; rounded != 0 || *value == 0 {
		return showNumber(rounded)
	}
	return strconv.FormatFloat(*value, 'g', 2, 64)
}

// showNumber gives a number as one writes it, a million with all its digits.
func showNumber(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// shorten gives the beginning of a text.
func shorten(n int, text string) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n-1]) + "…"
}

func isRegion(region string) bool { return caller.IsRegion(region) }
