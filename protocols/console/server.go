package console

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// prefix is where the console lives.
const prefix = "/console"

// Bounds of requests.
const (
	maxFormBytes   = 8 << 20 // the largest message as a form sends it
	requestTimeout = 30 * time.Second
)

// Options are what the console needs to know of the server.
type Options struct {
	Version  string
	TestMode bool            // time may be moved forward
	Samples  func() []Sample // of the last minutes, the oldest first
	Depths   func() []Depth  // the queues that hold most
}

// Sample is what the server counted and its queues held at one moment.
type Sample struct {
	At       time.Time
	Traffic  core.Traffic
	Messages int64 // in all queues
	InFlight int64 // of them
}

// Depth is how much a queue holds.
type Depth struct {
	Queue    core.QueueName
	Messages int64
	InFlight int64
	Oldest   time.Duration
}

// Server shows the console.
type Server struct {
	broker  *core.Broker
	callers *caller.Options
	options Options
	mux     *http.ServeMux
	pages   []Page
	logins  caller.Attempts
	search  chan struct{} // has a place for each search that may run

	secretMu sync.Mutex
	secret   []byte // of sessions; nil until it was read
}

// searchesAtOnce bounds what strains a server.
const searchesAtOnce = 2

// New makes a Server.
func New(broker *core.Broker, callers *caller.Options, options Options) *Server {
	s := &Server{
		broker: broker, callers: callers, options: options, mux: http.NewServeMux(),
		search: make(chan struct{}, searchesAtOnce),
	}
	s.routes()
	return s
}

// Register mounts the console.
func (s *Server) Register(engine *gin.Engine) {
	serve := func(c *gin.Context) { s.ServeHTTP(c.Writer, c.Request) }
	engine.Any(prefix, serve)
	engine.Any(prefix+"/*page", serve)
}

// Wants reports whether a request for / is a browser's, and not that of an SDK: it asks for a page, and neither
// names an action nor is signed.
func Wants(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.URL.Path != "/" || r.URL.RawQuery != "" {
		return false
	}
	for _, name := range []string{"Authorization", "X-Amz-Target", "X-Amz-Date", "Smithy-Protocol", "X-Mns-Version", "X-Acs-Action"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	first, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	return strings.TrimSpace(first) == "text/html"
}

// Lead leads a browser to the console.
func Lead(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, prefix+"/", http.StatusFound)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	s.mux.ServeHTTP(w, r.WithContext(ctx))
}

// exchange is one request for a page, and what its answer needs.
type exchange struct {
	w        http.ResponseWriter
	r        *http.Request
	caller   caller.Caller
	session  session
	action   string // what is changed, in the words of SQS and SNS; "" by a page that only shows
	account  string
	region   string
	language string
	theme    string
}

// handler does what a request asks for, and answers it unless it fails.
type handler func(x *exchange) error

// handle mounts a handler of the console that needs somebody who may use the console.
func (s *Server) handle(pattern string, do handler) {
	s.open(pattern, func(x *exchange) error {
		if x.session.grants == nil {
			return s.askToLogIn(x)
		}
		return do(x)
	})
}

// open mounts a handler that anybody may use. What changes something is refused where it comes from another site.
func (s *Server) open(pattern string, do handler) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{w: w, r: r, caller: s.callers.Identify(r), language: languageOf(r), theme: themeOf(r)}
		err := s.begin(x)
		if err == nil && r.Method == http.MethodPost {
			err = s.checkOrigin(x)
		}
		if err == nil {
			err = do(x)
		}
		if err != nil {
			s.fail(x, err)
		}
	})
}

// begin finds out whose request it is, and what it is about.
func (s *Server) begin(x *exchange) error {
	x.account, x.region = x.r.PathValue("account"), x.r.PathValue("region")
	if x.account == "" {
		x.account, x.region = cmp.Or(x.caller.Account, caller.DefaultAccount), x.caller.Region
	}
	if !core.IsAccount(x.account) || !caller.IsRegion(x.region) {
		x.account, x.region = caller.DefaultAccount, x.caller.Region
		return errNotFound
	}
	var err error
	if x.session, err = s.sessionOf(x); x.session.key != nil {
		x.acts(x.session.key)
	}
	return err
}

// acts says whose key the visitor has.
func (x *exchange) acts(key *core.Key) {
	x.caller.Is(key)
	x.caller.AccessKeyID, x.caller.Verified = key.ID, true
}

// ctx gives the request's context, in which the broker knows who acts.
func (x *exchange) ctx() context.Context {
	return core.WithActor(x.r.Context(), x.caller.Actor("console", x.action))
}

// queue names the queue that the path names.
func (x *exchange) queue() core.QueueName {
	return core.QueueName{Account: x.account, Region: x.region, Name: x.r.PathValue("queue")}
}

// topic names the topic that the path names.
func (x *exchange) topic() core.TopicName {
	return core.TopicName{Account: x.account, Region: x.region, Name: x.r.PathValue("topic")}
}

// base is where the pages of the account and region lie.
func (x *exchange) base() string { return prefix + "/" + x.account + "/" + x.region }

// partial says that a part of a page is asked for.
func (x *exchange) partial() bool { return x.r.Header.Get("Hx-Request") != "" }

// field gives a field of the form, without the blanks around it.
func (x *exchange) field(name string) string { return strings.TrimSpace(x.r.PostFormValue(name)) }

// t gives a text in the visitor's language.
func (x *exchange) t(text string, args ...any) string { return translate(x.language, text, args...) }

// done leads to another page of the console after something was changed, and has it say what was done.
func (x *exchange) done(path, notice string) error {
	http.SetCookie(x.w, x.cookie(noticeCookie, url.QueryEscape(notice), noticeLife))
	if x.partial() {
		x.w.Header().Set("Hx-Redirect", x.base()+path)
		return nil
	}
	http.Redirect(x.w, x.r, x.base()+path, http.StatusSeeOther)
	return nil
}

// fail answers with an error: as a page, or as the part of one that was asked for.
func (s *Server) fail(x *exchange, err error) {
	status, text := statusOf(err), x.tell(err)
	if status == http.StatusInternalServerError {
		zerolog.Ctx(x.r.Context()).WithLevel(caller.LogLevel(err)).Err(err).Str("path", x.r.URL.Path).Msg("console page failed")
	}
	if x.partial() {
		s.write(x, status, "error.html", "alert", &page{Data: text})
		return
	}
	s.write(x, status, "error.html", "", &page{Title: "Error", Data: text})
}

// show answers with a page.
func (s *Server) show(x *exchange, template string, p *page) error {
	s.write(x, http.StatusOK, template, "", p)
	return nil
}

// part answers with a part of a page.
func (s *Server) part(x *exchange, template, name string, data any) error {
	s.write(x, http.StatusOK, template, name, &page{Data: data})
	return nil
}

// write renders a page, or the part of it that is named.
func (s *Server) write(x *exchange, status int, template, part string, p *page) {
	s.complete(x, p, part == "")
	var body bytes.Buffer
	name := "layout"
	if part != "" {
		name = part
	}
	if err := templates(x.language, template).ExecuteTemplate(&body, name, p); err != nil {
		zerolog.Ctx(x.r.Context()).Error().Err(fmt.Errorf("render %s: %w", template, err)).Msg("console page failed")
		http.Error(x.w, "internal error", http.StatusInternalServerError)
		return
	}
	x.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	x.w.Header().Set("Cache-Control", "no-store")
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body.Bytes()) // nobody is left to tell
}
