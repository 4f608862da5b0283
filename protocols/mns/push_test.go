package mns

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/signing"
)

// A push of the real service, as it was received, with the key of its certificate (specs/mns.md 5.6).
func TestPushStringToSign(t *testing.T) {
	t.Parallel()
	header := map[string][]string{
		"Content-md5":             {"4CCBAD7AF2D23C2D00DDECCA59323A8C"},
		"Content-Type":            {"text/plain;charset=utf-8"},
		"Date":                    {"Wed, 29 Mar 2023 08:41:27 GMT"},
		"User-Agent":              {"Aliyun Notification Service Agent"},
		"x-mns-message-id":        {"250EB49D5F8D737A391C93C6ED165396"},
		"x-mns-publish-time":      {"1680079287576"},
		"x-mns-request-id":        {"6423F9B7BF94313030AF5EA0"},
		"x-mns-signing-cert-url":  {"aHR0cHM6Ly9tbnN0ZXN0Lm9zcy1jbi1oYW5nemhvdS5hbGl5dW5jcy5jb20veDUwOV9wdWJsaWNfY2VydGlmaWNhdGUucGVt"},
		"x-mns-subscriber":        {"1321669497458181"},
		"x-mns-subscription-name": {"mns-en-subs-oss-fecdn-internal-pre-1-22849529855680"},
		"x-mns-topic-name":        {"mns-en-topics-oss-fecdn-internal-pre-22849529792243"},
		"x-mns-topic-owner":       {"1321669497458181"},
		"x-mns-version":           {"2015-06-06"},
	}
	modulus, err := hex.DecodeString("B5F4B05568C1CB753404230F261251FD2BA75ACE1CB933E24A74CCD59C0F25CC5DAE4FCEC3D453025768BC21BCD0832CB5AE88B2BA3A1E5E9663A62FC1B2FF93")
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString("LP3cxoTCbhsiLJi0KQdEiRaufaxMfWUdLH064yoVoKl8xNcY+299itGmGsirVMY8vDpuZ1VwS0Uw7R5dNduSXg==")
	if err != nil {
		t.Fatal(err)
	}
	digest := sha1.Sum([]byte(pushStringToSign(http.MethodPost, "/notifications", header)))
	if !opens(modulus, signature, digest[:]) {
		t.Error("the signature of the real service is not one of this string to sign")
	}
	header["x-mns-subscriber"] = []string{"1"}
	digest = sha1.Sum([]byte(pushStringToSign(http.MethodPost, "/notifications", header)))
	if opens(modulus, signature, digest[:]) {
		t.Error("it passes for another subscriber too")
	}
}

// opens verifies an RSA PKCS #1 v1.5 signature by SHA-1 and the exponent 65537. The service's key has 512 bits,
// fewer than crypto/rsa works with.
func opens(modulus, signature, digest []byte) bool {
	opened := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(65537), new(big.Int).SetBytes(modulus)).Bytes()
	return strings.HasSuffix(string(opened), "\x00\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"+string(digest))
}

// pushed gives what is pushed of a message to a subscription.
func pushed(t testing.TB, signer *signing.Signer, sub *core.Subscription, m *core.PublishedMessage, publicURL string) core.Push {
	t.Helper()
	rendering, err := (&Pusher{signer: signer, url: publicURL}).Render(&core.Topic{Name: sub.Name.Topic}, m)
	if err != nil {
		t.Fatal(err)
	}
	p, err := rendering.Push(sub)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// subscribed gives a subscription as it is stored.
func subscribed(t testing.TB, endpoint, format string) *core.Subscription {
	t.Helper()
	attributes := SubscriptionAttributes{Endpoint: endpoint, NotifyContentFormat: format}
	if kind, ok := strings.CutPrefix(endpoint, "smq-ep:"); ok {
		attributes.PushType, _, _ = strings.Cut(kind, ":")
	}
	in, err := attributes.New(core.SubscriptionName{Topic: topicName("news"), Name: "all"}, "http://mq.example.com:4566")
	if err != nil {
		t.Fatal(err)
	}
	return &core.Subscription{Name: in.Name, Format: in.Format, Protocol: in.Protocol, Endpoint: in.Endpoint, Owner: pgtest.Account, Raw: in.Raw, Attributes: in.Attributes}
}

func message(body string) *core.PublishedMessage {
	return &core.PublishedMessage{
		ID: core.MessageID{0x25, 0x0e}, NewPublication: core.NewPublication{Body: []byte(body), Form: core.FormRaw}, PublishedAt: time.UnixMilli(1680079287576),
	}
}

// What the sources disagree about can be chosen.
func TestPusherOptions(t *testing.T) {
	t.Parallel()
	sub := subscribed(t, "https://example.com/notify", "SIMPLIFIED")
	broker := pgtest.Broker(t)
	for name, tt := range map[string]struct {
		options       Options
		md5           string
		last2xx, last core.Verdict // of statuses 299 and 399
	}{
		"as the service is": {Options{}, helloMD5, core.Delivered, core.Retry},
		"base64":            {Options{Base64MD5: true}, "NWQ0MTQwMmFiYzRiMmE3NmI5NzE5ZDkxMTAxN2M1OTI=", core.Delivered, core.Retry},
		"3xx":               {Options{Accept3xx: true}, helloMD5, core.Delivered, core.Delivered},
	} {
		p := &Pusher{signer: signing.New(broker), options: tt.options}
		rendering, err := p.Render(&core.Topic{Name: sub.Name.Topic}, message("hello"))
		if err != nil {
			t.Fatal(err)
		}
		push, err := rendering.Push(sub)
		if err != nil {
			t.Fatal(err)
		}
		if got := push.Header["Content-md5"]; len(got) != 1 || got[0] != tt.md5 {
			t.Errorf("%s: got the digest %q", name, got)
		}
		for status, want := range map[int]core.Verdict{199: core.Retry, 200: core.Delivered, 299: tt.last2xx, 300: tt.last, 399: tt.last, 400: core.Retry, 500: core.Retry} {
			if got := p.Judge(sub, core.PushAnswer{Status: status}); got != want {
				t.Errorf("%s: %d is %v, want %v", name, status, got, want)
			}
		}
	}
}

// What goes to an HTTP endpoint, in the spelling that receivers look for, signed so that the served
// certificate proves it.
func TestPushRequest(t *testing.T) {
	t.Parallel()
	m := message("hello")
	m.Tag = "red"
	signer := signing.New(pgtest.Broker(t))
	push := pushed(t, signer, subscribed(t, "https://example.com/notify?a=b&c", "SIMPLIFIED"), m, "")
	if push.Way != core.ByHTTP || push.Method != "POST" || push.URL != "https://example.com/notify?a=b&c" || push.Timeout != 5*time.Second || string(push.Body) != "hello" {
		t.Errorf("got %+v", push)
	}
	for name, want := range map[string]string{
		"User-Agent":              "Aliyun Notification Service Agent",
		"Accept":                  "*/*",
		"Connection":              "keep-alive",
		"Content-md5":             helloMD5,
		"Content-Type":            "text/plain;charset=utf-8",
		"x-mns-version":           "2015-06-06",
		"x-mns-request-id":        "250E00000000000000000000",
		"x-mns-signing-cert-url":  base64.StdEncoding.EncodeToString([]byte("http://mq.example.com:4566" + CertificatePath)),
		"x-mns-message-id":        "250E0000000000000000000000000000",
		"x-mns-message-tag":       "red",
		"x-mns-publish-time":      "1680079287576",
		"x-mns-topic-owner":       pgtest.Account,
		"x-mns-topic-name":        "news",
		"x-mns-subscriber":        pgtest.Account,
		"x-mns-subscription-name": "all",
	} {
		if got := push.Header[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, err := time.Parse(http.TimeFormat, push.Header["Date"][0]); err != nil {
		t.Error(err)
	}
	served, err := signer.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(served)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString(push.Header["Authorization"][0])
	if err != nil {
		t.Fatal(err)
	}
	digest := sha1.Sum([]byte(pushStringToSign("POST", "/notify?a=b&c", push.Header)))
	if err := rsa.VerifyPKCS1v15(certificate.PublicKey.(*rsa.PublicKey), crypto.SHA1, digest[:], signature); err != nil {
		t.Error(err)
	}
}

func TestPushForms(t *testing.T) {
	t.Parallel()
	signer := signing.New(pgtest.Broker(t))
	tests := map[string]struct{ body, format, contentType, want string }{
		"XML":                        {"a & b", "XML", "text/xml;charset=utf-8", "<Message>a &amp; b</Message>"},
		"XML, no MD5 but the text's": {"hello", "XML", "text/xml;charset=utf-8", "<MessageMD5>" + helloMD5 + "</MessageMD5>\n  <PublishTime>1680079287576</PublishTime>\n</Notification>"},
		"XML, what it cannot carry":  {"\x07", "XML", "text/xml;charset=utf-8", "<Message>Bw==</Message>"},
		"JSON":                       {"a\n\"b\"", "JSON", "text/plain;charset=utf-8", `"Message":"a\n\"b\"","MessageMD5":"`},
		"simplified":                 {"\x07", "SIMPLIFIED", "text/plain;charset=utf-8", "\x07"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			push := pushed(t, signer, subscribed(t, "http://example.com", tt.format), message(tt.body), "https://public.example.com")
			if got := push.Header["Content-Type"][0]; got != tt.contentType || !strings.Contains(string(push.Body), tt.want) {
				t.Errorf("got %s: %s", got, push.Body)
			}
			if strings.Contains(string(push.Body), "MessageTag") {
				t.Errorf("an untagged message has a tag: %s", push.Body)
			}
			if got := push.Header["x-mns-signing-cert-url"][0]; got != base64.StdEncoding.EncodeToString([]byte("https://public.example.com"+CertificatePath)) {
				t.Errorf("got certificate URL %s", got)
			}
		})
	}
}

func TestPushToPeople(t *testing.T) {
	t.Parallel()
	const mail = `{"AccountName": "a@example.com", "Subject": "news", "AddressType": 0, "IsHtml": 1, "ReplyToAddress": 0}`
	const text = `{"FreeSignName": "s", "TemplateCode": "t", "Type": "singleContent", "Receiver": "13900000000,13900000001", "SmsParams": "{}"}`
	tests := map[string]struct {
		endpoint, name, document string
		want                     core.Push
	}{
		"mail": {"mail:directmail:b@example.com", extraDirectMail, mail, core.Push{Way: core.ByMail, To: "b@example.com", Subject: "news"}},
		"mail, as Java 2 has it": {"smq-ep:dm:111122223333:__dynamic", extraDM, `{"Subject": "news", "MailAddress": "c@example.com", "IsHtml": "0"}`,
			core.Push{Way: core.ByMail, To: "c@example.com", Subject: "news"}},
		"mail to another than the subscriber": {"mail:directmail:b@example.com", extraDM, `{"Subject": "news", "MailAddress": "c@example.com"}`,
			core.Push{Way: core.ByMail, To: "b@example.com", Subject: "news"}},
		"SMS to one":            {"sms:directsms:13900000002", extraDirectSMS, text, core.Push{Way: core.Kept, To: "13900000002"}},
		"SMS to many":           {"sms:directsms:anonymous", extraDirectSMS, text, core.Push{Way: core.Kept, To: "13900000000,13900000001"}},
		"SMS, as Java 2 has it": {"sms:directsms:anonymous", extraDYSMS, `{"PhoneNumber": "13900000003"}`, core.Push{Way: core.Kept, To: "13900000003"}},
		"mobile":                {"push:1234", extraPush, `{"Target": "ALL"}`, core.Push{Way: core.Kept, To: "push:1234"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := message("hello")
			m.Extra = map[string]string{tt.name: tt.document}
			got := pushed(t, nil, subscribed(t, tt.endpoint, "SIMPLIFIED"), m, "")
			if got.Way != tt.want.Way || got.To != tt.want.To || got.Subject != tt.want.Subject || string(got.Body) != "hello" {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if html := strings.HasPrefix(strings.Join(got.Header["Content-Type"], ""), "text/html"); html != (tt.document == mail && name == "mail") {
				t.Errorf("got header %v", got.Header)
			}
		})
	}
	for endpoint, document := range map[string]string{"mail:directmail:b@example.com": "", "smq-ep:dm:111122223333:__dynamic": mail} {
		m := message("hello")
		if document != "" {
			m.Extra = map[string]string{extraDirectMail: document}
		}
		rendering, err := new(Pusher).Render(&core.Topic{}, m)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := rendering.Push(subscribed(t, endpoint, "XML")); core.CodeOf(err) != core.InvalidArgument {
			t.Errorf("mail to %s without what it needs: got %+v, %v", endpoint, p, err)
		}
	}
}

// A message may say for both forms of an endpoint, the older and the newer, how it goes to people.
func TestPushInBothForms(t *testing.T) {
	t.Parallel()
	m := message("hello")
	m.Extra = map[string]string{
		extraDirectMail: `{"Subject": "older"}`, extraDM: `{"Subject": "newer", "MailAddress": "c@example.com"}`,
		extraDirectSMS: `{"Receiver": "13900000000,13900000001"}`, extraDYSMS: `{"PhoneNumber": "13900000002"}`,
	}
	for endpoint, want := range map[string][2]string{
		"mail:directmail:b@example.com": {"b@example.com", "older"}, "smq-ep:dm:1:__dynamic": {"c@example.com", "newer"},
		"sms:directsms:anonymous": {"13900000000,13900000001", ""}, "smq-ep:dysms:1:__dynamic": {"13900000002", ""},
	} {
		if got := pushed(t, nil, subscribed(t, endpoint, "SIMPLIFIED"), m, ""); got.To != want[0] || got.Subject != want[1] {
			t.Errorf("%s: got %+v, want %v", endpoint, got, want)
		}
	}
}

// Mail to a subscriber of the control plane has the subject that its subscription names, unless the message has one.
func TestMailOfASubscription(t *testing.T) {
	t.Parallel()
	sub := subscribed(t, "mail:directmail:b@example.com", "SIMPLIFIED")
	sub.Attributes[AttributeMail] = `{"AccountName": "a@example.com", "Subject": "weekly"}`
	for subject, extra := range map[string]map[string]string{"weekly": nil, "news": {extraDirectMail: `{"Subject": "news"}`}} {
		m := message("hello")
		m.Extra = extra
		if got := pushed(t, nil, sub, m, ""); got.Way != core.ByMail || got.To != "b@example.com" || got.Subject != subject || string(got.Body) != "hello" {
			t.Errorf("%s: got %+v", subject, got)
		}
	}
}

// The schedules of retries are the manual's (specs/mns.md 5.2).
func TestNotifyStrategies(t *testing.T) {
	t.Parallel()
	delays := func(policy core.RetryPolicy) (delays []time.Duration) {
		for {
			delay, ok := policy.Delay(len(delays) + 1)
			if !ok {
				return delays
			}
			delays = append(delays, delay)
		}
	}
	backoff := delays(strategies[strategyBackoff])
	if len(backoff) != 3 || slices.Min(backoff) < 10*time.Second || slices.Max(backoff) > 20*time.Second {
		t.Errorf("%s: got %v", strategyBackoff, backoff)
	}
	decay := delays(strategies[strategyExponential])
	var total time.Duration
	for _, delay := range decay {
		total += delay
	}
	if len(decay) != 176 || total != 86015*time.Second || decay[0] != time.Second || decay[3] != 8*time.Second || decay[8] != 256*time.Second || decay[9] != 512*time.Second {
		t.Errorf("%s: got %d retries in %v: %v", strategyExponential, len(decay), total, decay[:10])
	}
	var p Pusher
	if got := delays(p.Retries(nil, nil)); len(got) != 3 {
		t.Errorf("unless told otherwise: got %v", got)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	var p Pusher
	for status, want := range map[int]core.Verdict{0: core.Retry, 199: core.Retry, 200: core.Delivered, 204: core.Delivered, 299: core.Delivered, 302: core.Retry, 400: core.Retry, 404: core.Retry, 500: core.Retry} {
		if got := p.Judge(nil, core.PushAnswer{Status: status}); got != want {
			t.Errorf("%d: got %v, want %v", status, got, want)
		}
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	f := start(t)
	if !Matches(httptest.NewRequest(http.MethodGet, CertificatePath, nil)) {
		t.Error("a request of the certificate is said not to speak MNS")
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+CertificatePath, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, text := exchange(t, req)
	if block, _ := pem.Decode(text); resp.StatusCode != 200 || block == nil || block.Type != "CERTIFICATE" {
		t.Errorf("got %d %s", resp.StatusCode, text)
	}
}

// What an endpoint has not taken at the end of its schedule is found in the subscription's dead-letter queue, in the form that the endpoint was
// to get.
func TestPushesAreDeadLettered(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]func(body string) bool{
		"SIMPLIFIED": func(body string) bool { return body == "hello" },
		"XML":        func(body string) bool { return strings.Contains(body, "<Message>hello</Message>") },
		"JSON":       func(body string) bool { return strings.Contains(body, `"Message":"hello"`) },
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			ctx := t.Context()
			f.createTopic(t, "news", "")
			f.create(t, "dead", "")
			f.subscribe(t, "news", "all", "http://example.com/notify", "<NotifyContentFormat>"+format+"</NotifyContentFormat>")
			dead := pgtest.Name("dead")
			name := core.SubscriptionName{Topic: topicName("news"), Name: "all"}
			if _, err := f.broker.AlterSubscription(ctx, name, core.SubscriptionChange{DeadLetter: &dead}); err != nil {
				t.Fatal(err)
			}
			f.publish(t, "news", "<MessageBody>hello</MessageBody>")
			attempts := 0
			for ; attempts < 10; attempts++ {
				lanes, err := f.broker.DueLanes(ctx, 0)
				if err != nil {
					t.Fatal(err)
				}
				if len(lanes) == 0 {
					break
				}
				deliveries, err := f.broker.ClaimDeliveries(ctx, []core.LaneClaim{{Lane: lanes[0].Lane, Limit: 1}})
				if err != nil || len(deliveries) != 1 {
					t.Fatalf("claimed %v, %v", deliveries, err)
				}
				outcome, err := f.broker.Attempt(ctx, deliveries[0], func(context.Context, core.Push) core.PushAnswer { return core.PushAnswer{Status: 500} })
				if err == nil {
					err = f.broker.Settle(ctx, []core.Outcome{outcome})
				}
				if err != nil {
					t.Fatal(err)
				}
				pgtest.Advance(t, f.broker, time.Minute)
			}
			if attempts != 4 { // BACKOFF_RETRY tries again three times
				t.Errorf("given up after %d attempts", attempts)
			}
			if got := f.receive(t, "dead"); !want(got.MessageBody) {
				t.Errorf("the dead letter is %q", got.MessageBody)
			}
		})
	}
}
