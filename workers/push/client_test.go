package push

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/netip"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func post(c *Client, url string) core.PushAnswer {
	return c.Do(context.Background(), core.Push{Way: core.ByHTTP, Method: http.MethodPost, URL: url, Body: []byte("hello"), Timeout: core.MaxPushTimeout})
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	listed := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fd00::/8")}
	tests := map[string]struct{ closed, open, allowed bool }{
		"8.8.8.8":                  {true, true, true},
		"2606:4700::1":             {true, true, true},
		"127.0.0.1":                {false, true, false},
		"127.8.9.10":               {false, true, false},
		"::1":                      {false, true, false},
		"0.0.0.0":                  {false, true, false},
		"::":                       {false, true, false},
		"10.1.2.3":                 {false, true, true},
		"10.2.0.1":                 {false, true, false},
		"172.16.0.1":               {false, true, false},
		"192.168.1.1":              {false, true, false},
		"100.64.0.1":               {false, true, false},
		"198.18.0.1":               {false, true, false},
		"224.0.0.1":                {false, true, false},
		"255.255.255.255":          {false, true, false},
		"fd12::1":                  {false, true, true},
		"fe80::1":                  {false, true, false},
		"fe80::1%eth0":             {false, true, false},
		"169.254.169.254":          {false, false, false},
		"169.254.0.1":              {false, false, false},
		"100.100.100.200":          {false, false, false},
		"fd00:ec2::254":            {false, false, false},
		"fd00:ec2::253":            {false, true, true},
		"fd00:ec2::23":             {false, false, false},
		"fd00:100::100:200":        {false, false, false},
		"fd20:ce::254":             {false, false, false},
		"fd00:c1::a9fe:a9fe":       {false, false, false},
		"168.63.129.16":            {false, false, false},
		"168.63.129.17":            {true, true, true},
		"64:ff9b::a83f:8110":       {false, false, false},
		"64:ff9b:1::808:808":       {false, true, false},
		"::ffff:169.254.169.254":   {false, false, false},
		"::ffff:127.0.0.1":         {false, true, false},
		"::169.254.169.254":        {false, false, false},
		"64:ff9b::a9fe:a9fe":       {false, false, false},
		"64:ff9b::7f00:1":          {false, true, false},
		"64:ff9b::808:808":         {true, true, true},
		"2002:a9fe:a9fe::1":        {false, false, false},
		"2002:6464:64c8:1234::abc": {false, false, false},

		"fe80::a9fe:a9fe":            {false, false, false},
		"fe80::a9fe:a9fe%eth0":       {false, false, false},
		"192.0.0.191":                {false, true, false},
		"192.0.0.192":                {false, false, false},
		"192.0.0.193":                {false, true, false},
		"fd00:a9fe:a9fe::1":          {false, false, false},
		"fd00:42::42":                {false, false, false},
		"fd20:ce::253":               {false, true, true},
		"::ffff:168.63.129.16":       {false, false, false},
		"::ffff:0:169.254.169.254":   {false, false, false},
		"::ffff:0:127.0.0.1":         {false, true, false},
		"::ffff:0:8.8.8.8":           {true, true, true},
		"64:ff9b:1::a9fe:a9fe":       {false, false, false}, // of a prefix of 96 bits
		"64:ff9b:1:2:a9:fea9:fe00:0": {false, false, false}, // of 64
		"64:ff9b:1:a9:fe:a9fe::":     {false, false, false}, // of 56
		"64:ff9b:1:a9fe:a9:fe00::":   {false, false, false}, // of 48
		"64:ff9b:2::808:808":         {true, true, true},
	}
	for address, tt := range tests {
		ip := netip.MustParseAddr(address)
		for name, check := range map[string]struct {
			rule addresses
			want bool
		}{"closed": {addresses{}, tt.closed}, "open": {addresses{open: true}, tt.open}, "allowed": {addresses{allow: listed}, tt.allowed}} {
			if got := check.rule.allowed(ip); got != check.want {
				t.Errorf("%s: %s is allowed: %t, want %t", name, address, got, check.want)
			}
		}
	}
}

func TestInsideEndpointsAreRefused(t *testing.T) {
	t.Parallel()
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(server.Close)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	closed := newClient(t, Options{})
	for _, url := range []string{server.URL, "http://localhost:" + port, "http://2130706433:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://0:" + port} {
		if answer := post(closed, url); answer.Status != 0 {
			t.Errorf("%s was answered %+v", url, answer)
		}
	}
	if answer := post(closed, server.URL); !answer.Refused || strings.Contains(answer.Reason, "127.0.0.1") {
		t.Errorf("answer %+v, want that it is refused, without an address", answer)
	}
	if asked {
		t.Error("the endpoint was reached")
	}
	listed := newClient(t, Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if answer := post(listed, server.URL); answer.Status != http.StatusOK {
		t.Errorf("an address that is listed: %+v", answer)
	}
	for _, url := range []string{"ftp://127.0.0.1/", "http://", "::", "file:///etc/passwd"} {
		if answer := post(newClient(t, Options{Open: true}), url); !answer.Refused {
			t.Errorf("%s: %+v", url, answer)
		}
	}
}

// A name is judged by where it leads at the moment of the connection, each time.
func TestRebinding(t *testing.T) {
	t.Parallel()
	client := newClient(t, Options{})
	for _, url := range []string{"http://localhost:1/", "http://ip6-localhost:1/"} {
		if answer := post(client, url); answer.Status != 0 {
			t.Errorf("%s: %+v", url, answer)
		}
	}
	guard := addresses{}
	if err := guard.control("tcp", "127.0.0.1:80", nil); !errors.Is(err, errForbidden) {
		t.Errorf("the address that is dialled: %v", err)
	}
	for _, address := range []string{"168.63.129.16:80", "[fd20:ce::254]:80", "[::ffff:192.0.0.192]:80", "[64:ff9b::a9fe:a9fe]:80", "[fe80::a9fe:a9fe%eth0]:80"} {
		if err := (addresses{open: true}).control("tcp", address, nil); !errors.Is(err, errForbidden) {
			t.Errorf("%s is dialled: %v", address, err)
		}
	}
	if err := guard.control("tcp", "not an address", nil); !errors.Is(err, errForbidden) {
		t.Errorf("what is no address: %v", err)
	}
}

// A proxy of the environment would be the one whose address is checked, and so lead inside.
func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	t.Parallel()
	client := newClient(t, Options{})
	for name, c := range map[string]*http.Client{"to endpoints": client.http, "to what is configured": client.internal} {
		if transport := c.Transport.(*http.Transport); transport.Proxy != nil || transport.DialContext == nil {
			t.Errorf("%s: by a proxy, or not by a dialer that looks at addresses", name)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	followed := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed = followed || r.URL.Path == "/there"
		http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(server.Close)
	if answer := post(newClient(t, Options{Open: true}), server.URL); answer.Status != http.StatusTemporaryRedirect || followed {
		t.Errorf("answer %+v, followed: %t", answer, followed)
	}
}

func TestRequestGoesOutAsItIs(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	request := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		reader := bufio.NewReader(conn)
		var head strings.Builder
		for line := ""; line != "\r\n"; {
			if line, err = reader.ReadString('\n'); err != nil {
				return
			}
			head.WriteString(line)
		}
		body := make([]byte, 5)
		_, _ = io.ReadFull(reader, body)
		request <- head.String() + string(body)
		_, _ = io.WriteString(conn, "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok")
	}()
	answer := newClient(t, Options{Open: true}).Do(context.Background(), core.Push{
		Way: core.ByHTTP, Method: http.MethodPost, URL: "http://user:pass@" + listener.Addr().String() + "/a%2Fb?c=d", Body: []byte("hello"),
		Header: map[string][]string{"x-mns-topic-name": {"t"}, "Content-md5": {"m"}, "User-Agent": {"agent"}},
	})
	if answer.Status != 202 || answer.Excerpt != "ok" || answer.Latency <= 0 {
		t.Errorf("answer %+v", answer)
	}
	got := <-request
	for _, want := range []string{"POST /a%2Fb?c=d HTTP/1.1\r\n", "x-mns-topic-name: t\r\n", "Content-md5: m\r\n", "User-Agent: agent\r\n",
		"Content-Length: 5\r\n", "Authorization: Basic dXNlcjpwYXNz\r\n", "\r\n\r\nhello"} {
		if !strings.Contains(got, want) {
			t.Errorf("the request lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "Accept-Encoding") {
		t.Error("a header was added")
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			for {
				if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
					return
				}
			}
		case "/headers":
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		case "/binary":
			_, _ = w.Write([]byte{'a', 0, 0xFF, 'b', 0x1B})
		}
	}))
	t.Cleanup(server.Close)
	client := newClient(t, Options{Open: true})
	if answer := post(client, server.URL+"/endless"); answer.Status != 200 || len(answer.Excerpt) != core.MaxExcerptBytes {
		t.Errorf("status %d, %d bytes kept", answer.Status, len(answer.Excerpt))
	}
	if answer := post(client, server.URL+"/headers"); answer.Status != 0 || answer.Reason == "" {
		t.Errorf("headers without end: %+v", answer)
	}
	if answer := post(client, server.URL+"/binary"); answer.Excerpt != "a\uFFFDb" {
		t.Errorf("excerpt %q", answer.Excerpt)
	}
}

func TestFailuresSayWhy(t *testing.T) {
	t.Parallel()
	closes := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(closes.Close)
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(hangs.Close)
	drips := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		<-release
	}))
	t.Cleanup(drips.Close)
	t.Cleanup(func() { close(release) })
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	client := newClient(t, Options{Open: true})
	const briefly, patiently = 300 * time.Millisecond, core.MaxPushTimeout
	for name, tt := range map[string]struct {
		url, want string
		timeout   time.Duration
	}{
		"nobody listens":        {"http://127.0.0.1:1", "the connection was refused", patiently},
		"no such host":          {"http://nobody..invalid/", "the name of the host cannot be resolved", patiently}, // which no resolver is asked for
		"it closes":             {closes.URL, "the connection was closed before the answer was complete", patiently},
		"it hangs":              {hangs.URL, "no answer in time", briefly},
		"it never ends":         {drips.URL, "no answer in time", briefly},
		"its certificate is no": {secure.URL, "the certificate is not trusted", patiently},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := client.Do(context.Background(), core.Push{Way: core.ByHTTP, Method: http.MethodPost, URL: tt.url, Timeout: tt.timeout})
			if answer.Status != 0 || answer.Refused || answer.Reason != tt.want {
				t.Errorf("answer %+v, want %q", answer, tt.want)
			}
		})
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, o := range map[string]Options{"trusted": {Open: true, CA: ca}, "not verified": {Open: true, Insecure: true}} {
		if answer := post(newClient(t, o), server.URL); answer.Status != http.StatusAccepted {
			t.Errorf("%s: %+v", name, answer)
		}
	}
	if _, err := New(Options{CA: []byte("no certificate")}); err == nil {
		t.Error("certificates that are none were taken")
	}
}

func TestWithoutServersPushesAreKept(t *testing.T) {
	t.Parallel()
	client := newClient(t, Options{})
	for way, reason := range map[core.PushWay]string{core.ByMail: core.ReasonNoMailServer, core.ByLambda: core.ReasonNoFunctions, core.Kept: ""} {
		if answer := client.Do(context.Background(), core.Push{Way: way, To: "a@b.example", Function: "f"}); !answer.Kept || answer.Reason != reason {
			t.Errorf("%s: %+v", way, answer)
		}
	}
}

func TestFunctionsAreInvoked(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var path, kind, authorization, body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		path, kind, authorization, body = r.URL.EscapedPath(), r.Header.Get("X-Amz-Invocation-Type"), r.Header.Get("Authorization"), string(text)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	const function = "arn:aws:lambda:eu-west-1:111111111111:function:resize"
	answer := newClient(t, Options{Lambda: server.URL}).Do(context.Background(), core.Push{Way: core.ByLambda, Function: function, Body: []byte(`{"Records":[]}`)})
	mu.Lock()
	defer mu.Unlock()
	if answer.Status != http.StatusAccepted || path != "/2015-03-31/functions/"+function+"/invocations" || kind != "Event" || body != `{"Records":[]}` ||
		!strings.Contains(authorization, "Credential=111111111111/") || !strings.Contains(authorization, "/eu-west-1/lambda/aws4_request") {
		t.Errorf("answer %+v, path %s, kind %s, body %s, authorization %s", answer, path, kind, body, authorization)
	}
}

// Whoever subscribes names the function, and by that no other path of the server that invokes it.
func TestFunctionsLeadNowhereElse(t *testing.T) {
	t.Parallel()
	paths := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths <- r.URL.EscapedPath() }))
	t.Cleanup(server.Close)
	client := newClient(t, Options{Lambda: server.URL + "/behind"})
	for _, name := range []string{"..", "../../..", "../../../../_admin", "a/b", "a%2f..%2fb", "a?b#c", "a:1", "%zz"} {
		function := "arn:aws:lambda:eu-west-1:111111111111:function:" + name
		if answer := client.Do(t.Context(), core.Push{Way: core.ByLambda, Function: function}); answer.Status != http.StatusOK {
			t.Errorf("%s: %+v", name, answer)
			continue
		}
		path := <-paths
		name, inside := strings.CutPrefix(path, "/behind/2015-03-31/functions/")
		name, whole := strings.CutSuffix(name, "/invocations")
		if got, err := url.PathUnescape(name); !inside || !whole || got != function || err != nil {
			t.Errorf("%s was asked for at %s", function, path)
		}
	}
}

// mailbox is a mail server that takes one mail per connection.
type mailbox struct {
	url   string
	mails chan string
}

func newMailbox(t *testing.T, answer string) *mailbox {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	box := &mailbox{"smtp://" + listener.Addr().String(), make(chan string, 10)}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go box.serve(conn, answer)
		}
	}()
	return box
}

func (b *mailbox) serve(conn net.Conn, answer string) {
	defer conn.Close()
	c := textproto.NewConn(conn)
	_ = c.PrintfLine("220 box")
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); verb {
		case "RCPT":
			_ = c.PrintfLine("%s", answer)
		case "DATA":
			_ = c.PrintfLine("354 go on")
			text, _ := io.ReadAll(c.DotReader())
			b.mails <- string(text)
			_ = c.PrintfLine("250 taken")
		case "QUIT":
			_ = c.PrintfLine("221 bye")
			return
		default:
			_ = c.PrintfLine("250 ok")
		}
	}
}

func TestMail(t *testing.T) {
	t.Parallel()
	box := newMailbox(t, "250 ok")
	client := newClient(t, Options{SMTP: box.url, From: "Alerts <alerts@polymq.example>"})
	body := "grüße\n" + strings.Repeat("x", 200)
	answer := client.Do(context.Background(), core.Push{
		Way: core.ByMail, To: "Jane <jane@example.org>", Subject: "disk full\r\nBcc: evil@example.org", Body: []byte(body),
		Header: map[string][]string{"Content-Type": {"application/json; charset=UTF-8"}},
	})
	if answer.Status != 200 {
		t.Fatalf("answer %+v", answer)
	}
	m, err := mail.ReadMessage(strings.NewReader(<-box.mails))
	if err != nil {
		t.Fatal(err)
	}
	encoded, _ := io.ReadAll(m.Body)
	text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(strings.ReplaceAll(string(encoded), "\r", ""), "\n", ""))
	subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || string(text) != body || m.Header.Get("Bcc") != "" || !strings.HasPrefix(subject, "disk full") || m.Header.Get("To") != `"Jane" <jane@example.org>` ||
		m.Header.Get("Content-Type") != "application/json; charset=UTF-8" || !strings.Contains(m.Header.Get("From"), "alerts@polymq.example") {
		t.Errorf("body %q, %v, headers %v", text, err, m.Header)
	}
}

// A mail server that says nothing holds up nobody, nor what a push is given up by.
func TestMailServersThatHang(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	for _, scheme := range []string{"smtp", "smtps"} {
		client := newClient(t, Options{SMTP: scheme + "://" + listener.Addr().String()})
		answer := client.Do(t.Context(), core.Push{Way: core.ByMail, To: "a@b.example", Timeout: 50 * time.Millisecond})
		if answer.Status != 0 || answer.Failure != core.ConnectTimeout {
			t.Errorf("%s: %+v", scheme, answer)
		}
	}
}

func TestMailRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer, to string
		status     int
		refused    bool
	}{
		"no such mailbox": {"550 unknown", "a@b.example", mailRefused, false},
		"full mailbox":    {"452 full", "a@b.example", mailNotNow, false},
		"no address":      {"250 ok", "nobody", 0, true},
		"two addresses":   {"250 ok", "a@b.example, c@d.example", 0, true},
	} {
		client := newClient(t, Options{SMTP: newMailbox(t, tt.answer).url})
		if answer := client.Do(context.Background(), core.Push{Way: core.ByMail, To: tt.to}); answer.Status != tt.status || answer.Refused != tt.refused {
			t.Errorf("%s: %+v", name, answer)
		}
	}
	for _, url := range []string{"http://a", "smtp://", "mail.example.org"} {
		if _, err := New(Options{SMTP: url}); err == nil {
			t.Errorf("%s was taken for a mail server", url)
		}
	}
	if _, err := New(Options{SMTP: "smtp://a", From: "nobody"}); err == nil {
		t.Error("a sender that is no address was taken")
	}
	if _, err := New(Options{Lambda: "a:b"}); err == nil {
		t.Error("an endpoint that is no URL was taken")
	}
}
