package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

// pushPatience is how long a test waits for a push.
const pushPatience = 20 * time.Second

// A whole server pushes what is published, and again when time has moved on.
func TestServerPushes(t *testing.T) {
	bodies := make(chan string, 10)
	status := make(chan int, 2)
	status <- http.StatusServiceUnavailable
	status <- http.StatusOK
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(<-status)
		bodies <- string(body)
	}))
	t.Cleanup(receiver.Close)
	srv := start(t, Config{TestMode: true})
	call := func(path, body string) {
		t.Helper()
		if status, answer, err := post(srv, path, body); err != nil || status >= 300 {
			t.Fatalf("%s: %d %s %v", path, status, answer, err)
		}
	}
	next := func() string {
		t.Helper()
		select {
		case body := <-bodies:
			return body
		case <-time.After(pushPatience):
			t.Fatal("no push came")
		}
		return ""
	}
	call("/topics", `{"name": "alerts"}`)
	call("/topics/alerts/subscriptions", `{"url": "`+receiver.URL+`", "raw": true, "retries": [{"retries": 1, "min_seconds": 3600, "max_seconds": 3600}]}`)
	call("/topics/alerts/messages", `{"messages": [{"body": "disk full"}]}`)
	first := next()
	untilAttempted(t, srv)
	call("/clock", `{"advance_seconds": 3601}`)
	if second := next(); first != "disk full" || second != first {
		t.Errorf("pushed %q, then %q", first, second)
	}
	if got := scrape(t, srv); !strings.Contains(got, `polymq_deliveries_total{protocol="http",result="retry"} 1`) || !strings.Contains(got, `polymq_delivery_seconds_count{protocol="http"}`) {
		t.Errorf("the attempt that failed is not in\n%s", got)
	}
}

// untilAttempted waits until an attempt to deliver has been written down.
func untilAttempted(t *testing.T, srv *Server) {
	t.Helper()
	eventually(t, "no attempt was written down", func() bool {
		var written struct{ Attempts []struct{} }
		getJSON(t, srv.URL()+"/api/v1/attempts", &written)
		return len(written.Attempts) == 1
	})
}

// What Alibaba's sources disagree about is as the server is told, also where it makes at its start what a file declares.
func TestMNSPushChoices(t *testing.T) {
	seed := filepath.Join(t.TempDir(), "seed.yaml")
	if err := os.WriteFile(seed, []byte("queues: [{name: orders}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		config       Config
		digest, came string
	}{
		"by default":  {Config{}, "5D41402ABC4B2A76B9719D911017C592", "retry"},
		"as chosen":   {Config{MNSPushBase64MD5: true, MNSPushAccept3xx: true}, "NWQ0MTQwMmFiYzRiMmE3NmI5NzE5ZDkxMTAxN2M1OTI=", "delivered"},
		"with a seed": {Config{MNSPushBase64MD5: true, MNSPushAccept3xx: true, Seed: seed}, "NWQ0MTQwMmFiYzRiMmE3NmI5NzE5ZDkxMTAxN2M1OTI=", "delivered"},
	} {
		digests := make(chan string, 10) // a receiver for each: what is not taken comes again
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			digests <- r.Header.Get("Content-Md5")
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusFound)
		}))
		t.Cleanup(receiver.Close)
		srv := start(t, tt.config)
		for _, step := range []struct{ method, path, document string }{
			{http.MethodPut, "/topics/news", "<Topic/>"},
			{http.MethodPut, "/topics/news/subscriptions/all", "<Subscription><Endpoint>" + receiver.URL + "</Endpoint><NotifyContentFormat>SIMPLIFIED</NotifyContentFormat></Subscription>"},
			{http.MethodPost, "/topics/news/messages", "<Message><MessageBody>hello</MessageBody></Message>"},
		} {
			req, err := http.NewRequestWithContext(t.Context(), step.method, srv.URL()+step.path, strings.NewReader(step.document))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := httpClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusCreated {
				t.Fatalf("%s: %s is answered with %d", name, step.path, resp.StatusCode)
			}
		}
		select {
		case digest := <-digests:
			if digest != tt.digest {
				t.Errorf("%s: got the digest %q", name, digest)
			}
		case <-time.After(pushPatience):
			t.Fatalf("%s: no push came", name)
		}
		counted := `polymq_deliveries_total{protocol="http",result="` + tt.came + `"} `
		eventually(t, name+": no "+counted, func() bool { return strings.Contains(scrape(t, srv), counted) })
	}
}

func TestPushSettings(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		config Config
		want   string
	}{
		"none":                       {Config{}, ""},
		"mail":                       {Config{SMTPURL: "smtp://user:secret@mail.example:587", SMTPFrom: "a@b.example"}, ""},
		"mail by another protocol":   {Config{SMTPURL: "http://mail.example"}, "smtp-url: "},
		"a sender without a server":  {Config{SMTPFrom: "a@b.example"}, "smtp-from: needs smtp-url"},
		"functions":                  {Config{LambdaEndpoint: "http://127.0.0.1:3001"}, ""},
		"functions without a scheme": {Config{LambdaEndpoint: "127.0.0.1:3001"}, "lambda-endpoint: "},
	} {
		err := tt.config.Check()
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	open, err := Config{Auth: "off"}.pushOptions()
	if err != nil || !open.Open {
		t.Errorf("without authentication: %+v, %v", open, err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte("certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	closed, err := Config{Auth: "verify", PushCA: file, SMTPURL: core.Secret("smtp://a")}.pushOptions()
	if err != nil || closed.Open || string(closed.CA) != "certificate" || closed.SMTP != "smtp://a" {
		t.Errorf("with authentication: %+v, %v", closed, err)
	}
	if _, err := (Config{PushCA: file + "x"}).pushOptions(); err == nil {
		t.Error("a file that is not there was read")
	}
}
