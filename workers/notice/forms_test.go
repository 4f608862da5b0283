package notice_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/workers/notice"
	"github.com/polymq/polymq/workers/push"
)

var update = flag.Bool("update", false, "write the golden files")

// signedAt is what a robot's signature and its time are replaced by in golden files; TestRobots checks them.
var signedAt = regexp.MustCompile(`"sign":"[^"]+","timestamp":"\d+"`)

// TestForms compares what each destination gets with a file, byte for byte.
func TestForms(t *testing.T) {
	t.Parallel()
	n := firing("orders", "订单")
	n.Changes[1].State, n.Changes[1].From = core.AlertOK, core.AlertFiring
	n.More = 3
	for to, answer := range map[core.DestinationType]string{
		core.ToSlack: "ok", core.ToDingTalk: `{"errcode":0,"errmsg":"ok"}`, core.ToFeishu: `{"code":0,"msg":"success"}`, core.ToWeCom: `{"errcode":0,"errmsg":"ok"}`, core.ToWebhook: "",
	} {
		secret := core.Secret("")
		if to == core.ToFeishu {
			secret = "SEC43"
		}
		got, _ := deliver(t, n, to, secret, answer)
		golden(t, string(to)+".json", signedAt.ReplaceAll(got.body, []byte(`"sign":"…","timestamp":"…"`)))
		if method, contentType := got.header.Get("X-Method"), got.header.Get("Content-Type"); method != "POST" || contentType != "application/json; charset=utf-8" {
			t.Errorf("%s: %s with %s", to, method, contentType)
		}
	}
	inside := notice.Sender{
		Console: "https://mq.example.com/console",
		Send: func(_ context.Context, in core.SendInput) ([]core.Sent, error) {
			golden(t, "webhook.json", in.Messages[0].Body)
			return nil, nil
		},
		Publish: func(_ context.Context, in core.PublishInput) ([]core.Published, error) {
			golden(t, "webhook.json", in.Messages[0].Body)
			return nil, nil
		},
	}
	for _, to := range []core.DestinationType{core.ToQueue, core.ToTopic} {
		if err := inside.Deliver(t.Context(), n, core.Destination{Type: to, Target: "ops"}); err != nil {
			t.Error(err)
		}
	}
	server, mail := mailbox(t)
	if err := sender(t, push.Options{SMTP: server, From: "polymq@example.com"}).Deliver(t.Context(), n, core.Destination{Type: core.ToEmail, Target: "ops@example.com"}); err != nil {
		t.Fatal(err)
	}
	_, body, _ := bytes.Cut([]byte(<-mail), []byte("\n\n"))
	text, err := base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(body, []byte("\n"), nil)))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "email.txt", text)
}

// golden compares with the file of that name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
	}
}
