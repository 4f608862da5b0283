package mns

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// vectorRequest gives a request with the headers, each followed by its value.
func vectorRequest(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, "/", nil)
	r.URL = &url.URL{}
	path, query, _ := strings.Cut(target, "?")
	r.URL.Path, r.URL.RawQuery, r.RequestURI = path, query, target
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// TestSignature2Vectors has the vectors of specs/mns.md 1.3.
func TestSignature2Vectors(t *testing.T) {
	t.Parallel()
	const june = "Tue, 03 Jun 2025 11:23:48 GMT"
	tests := map[string]struct {
		request               *http.Request
		authorization, secret string
	}{
		"1": {vectorRequest("POST", "/queues/TestQueue", "Date", june, "x-mns-abcDEF", "abcDEF", "x-kkk-def", "def"), "MNS ak1:cAThPWnbphg3hDe3ZHDADTgkgyE=", "sk1"},
		"2": {vectorRequest("GET", "/queues/TestQueue123456", "Date", "Wed, 03 Dec 2025 11:23:48 GMT", "X-MNS-abcDEF", "KKKkkk"), "MNS ak-kkkk1111111111:lPxnfNA+Qo/aj18MYJUnRMqa84I=", "sk-kkkkkk1111111111"},
		"3": {vectorRequest("GET", "/queues/TestQueue", "Date", june), "MNS testAk:uDJQXbk2xOhH95MDXmgbAGdtyE4=", "testSk"},
		"4": {vectorRequest("POST", "/queues/Test Queue@123", "Date", june, "Content-Type", "application/json"), "MNS testAk:GZ/I9UgZsqvbzfzjd0GmA6VHOx4=", "testSk"},
	}
	var derived derivedKeys
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.request.Header.Set("Authorization", tt.authorization)
			at, _ := http.ParseTime(tt.request.Header.Get("Date"))
			s, err := readSignature(tt.request, at)
			if err != nil {
				t.Fatal(err)
			}
			if !s.verify(tt.request, core.Secret(tt.secret), &derived) {
				t.Error("the signature is refused")
			}
			if s.verify(tt.request, core.Secret(tt.secret)+"x", &derived) {
				t.Error("the signature is good with another secret too")
			}
		})
	}
}

// TestSignature4Vectors has those of 1.4, but the one that names a key instead of a secret.
func TestSignature4Vectors(t *testing.T) {
	t.Parallel()
	parameters := "param1=abc&PARAM2=" + url.PathEscape("d  ef") + "&PARAM3=" + url.QueryEscape("[def]#bbb") + "&PARAM4=" + url.QueryEscape("中文参数")
	tests := map[string]struct {
		stamp, region string
		request       *http.Request
		keyID, secret string
		mac           string
	}{
		"parameters": {"20250603T105235Z", "region1", vectorRequest("POST", "/queues/TestQueue/?"+parameters), "ak1", "sk1",
			"1fc6013f158d4c3aba09570895a2a93c8445c2c5213d82a1463baf602cf0d945"},
		"more parameters": {"20250603T105235Z", "region1", vectorRequest("POST", "/queues/TestQueue?num=10&paramx=100&"+parameters), "ak1", "sk1",
			"8d555514e749185d3e6d68df416692e6cc960ba85a089c9d69a2f4d7bb607560"},
		"headers": {"20251203T112348Z", "region2", vectorRequest("PUT", "/queues/TestQueue123456", "x-mns-abc", "kkk", "X-MNS-Sss", "2015-06-06xFFF", "x-kkk-def", "jjj"), "akkkkk1111111111", "skkkkkkk1111111111",
			"04f1e5f929b5aaac3af6a54970f591581ecd2aade2562f926c5f2ec5d5c8cfad"},
		"more headers": {"20251204T063235Z", "eu-west-1", vectorRequest("GET", "/queues", "x-mns-version", "2015-06-30", "x-mns-ttt", "1", "X-MNS-UUUuu", "FALse",
			"content-type", "application/json", "content-md5", "0d9d2ce750000593eb34f00"), "akkkkk222222222", "skkkkkk2222222222",
			"294f776a2d5726df679b54b081ab8126a199a2545c8c8a7a875adff0b386e458"},
		"the root":     {"20250603T105235Z", "testRegion", vectorRequest("GET", "/"), "testAk", "testSk", "63f78964dcd1132bab91b9c38ceebdfb59509149b34874c5b2c9dfc2b12e7291"},
		"path escapes": {"20250603T105235Z", "testRegion", vectorRequest("POST", "/queues/Test Queue@123"), "testAk", "testSk", "87de7499365a31e767cdc0c726a893c72c860e415876f7f92914197ac3795833"},
	}
	var derived derivedKeys
	for name, tt := range tests {
		for _, off := range []time.Duration{0, 2 * time.Second, -2 * time.Second, 3 * time.Second} { // of Date from the signed time
			t.Run(name+" "+off.String(), func(t *testing.T) {
				signed, _ := time.Parse("20060102T150405Z", tt.stamp)
				date := signed.Add(off)
				tt.request.Header.Set("Date", date.Format(http.TimeFormat))
				tt.request.Header.Set("Authorization", "MNS4-HMAC-SHA256 Credential="+tt.keyID+"/"+tt.stamp[:8]+"/"+tt.region+"/mns/aliyun_v4_request,Signature="+tt.mac)
				s, err := readSignature(tt.request, date)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := s.verify(tt.request, core.Secret(tt.secret), &derived), off < 3*time.Second; got != want {
					t.Errorf("good: %v, want %v", got, want)
				}
				if s.verify(tt.request, core.Secret(tt.secret)+"x", &derived) {
					t.Error("the signature is good with another secret too")
				}
			})
		}
	}
}

// The vector of 1.4 that gives a signing key.
func TestSignature4OfAKey(t *testing.T) {
	t.Parallel()
	key, _ := base64.StdEncoding.DecodeString("2HhAzNXcwZJs3dhqkYg7yqkUjS3so+UdhbUR+eKEgtQ=")
	r := vectorRequest("PUT", "/queues/queue-auto-25112417-l0PHHVTHYv", "Content-Type", "text/xml;charset=UTF-8", "x-mns-version", "2015-06-06")
	text := "MNS4-HMAC-SHA256\n20251124T091359Z\n20251124/eu-west-1/mns/aliyun_v4_request\n" + canonical4(r, url.PathUnescape)
	if got := hex.EncodeToString(hmac256(key, text)); got != "63ebcf43397e672c47d48ca5d9ef7245e59626da7a3d58d37c75cde993429e98" {
		t.Errorf("got %s", got)
	}
}

// oneKey knows the keys that a test makes.
type oneKey map[string]*core.Key

func (k oneKey) Key(_ context.Context, id string) (*core.Key, error) {
	if key := k[id]; key != nil {
		return key, nil
	}
	return nil, core.Errorf(core.KeyNotFound, "no such key")
}

// sign2 signs as most SDKs do.
func sign2(r *http.Request, keyID, secret string) {
	date := cmp.Or(r.Header.Get("X-Mns-Date"), r.Header.Get("Date"))
	text := r.Method + "\n" + r.Header.Get("Content-Md5") + "\n" + r.Header.Get("Content-Type") + "\n" + date + "\n" + signedHeaders(r.Header, false) + r.RequestURI
	r.Header.Set("Authorization", "MNS "+keyID+":"+base64.StdEncoding.EncodeToString(hmac1([]byte(secret), text)))
}

// TestAuthenticate has what is refused, by the code of the error, and what forms of one target are good.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	const secret, token = "hunter22", "the token"
	session, _ := core.MakeKey(core.NewKey{ID: "SESSION", Secret: secret, Account: "111122223333", Lasts: time.Hour})
	over := session
	over.Expired = true
	keys := oneKey{
		"GOOD": {ID: "GOOD", Account: "111122223333", Secret: secret}, "DISABLED": {Account: "111122223333", Secret: secret, Disabled: true},
		"NOSECRET": {Account: "111122223333"}, "SESSION": &session, "OVER": &over,
	}
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	dated := func(by time.Duration) func(*http.Request) { // from when the request is made
		return func(r *http.Request) { r.Header.Set("Date", time.Now().Add(by).UTC().Format(http.TimeFormat)) }
	}
	tests := map[string]struct {
		keyID, target string
		before, after func(*http.Request) // it is signed
		want          string
	}{
		"good":                      {"GOOD", "/queues/q/messages?waitseconds=10", nil, nil, ""},
		"two slashes":               {"GOOD", "//queues/q", nil, nil, ""},
		"two slashes, one signed":   {"GOOD", "/queues/q", nil, func(r *http.Request) { r.RequestURI = "//queues/q" }, ""},
		"through a proxy":           {"GOOD", "/queues/q?peekonly=true", nil, func(r *http.Request) { r.RequestURI = "http://mns.local:80/queues/q?peekonly=true" }, ""},
		"decoded query signed":      {"GOOD", "/queues/q/messages?receipthandle=a b", nil, func(r *http.Request) { r.RequestURI = "/queues/q/messages?receipthandle=a%20b" }, ""},
		"decoded path signed":       {"GOOD", "/queues/a!b c/messages?receipthandle=a b", nil, func(r *http.Request) { r.RequestURI = "/queues/a%21b%20c/messages?receipthandle=a%20b" }, ""},
		"broken escapes":            {"GOOD", "/queues/%zz?a=%zz", nil, nil, ""},
		"blanks of a header signed": {"GOOD", "/queues/q", set("X-Mns-Prefix", "a b"), set("X-Mns-Prefix", "a   b"), ""},
		"unsigned header added":     {"GOOD", "/queues/q", nil, set("X-Other", "1"), ""},
		"a date that is none":       {"GOOD", "/queues/q", set("Date", "nonsense"), nil, "InvalidDateHeader"},
		"x-mns-date in its place": {"GOOD", "/queues/q", func(r *http.Request) {
			r.Header.Set("X-Mns-Date", r.Header.Get("Date"))
			r.Header.Set("Date", "nonsense")
		}, nil, ""},
		"another path":             {"GOOD", "/queues/q", nil, func(r *http.Request) { r.RequestURI = "/queues/r" }, "SignatureDoesNotMatch"},
		"another query":            {"GOOD", "/queues/q", nil, func(r *http.Request) { r.RequestURI += "?metaoverride=true" }, "SignatureDoesNotMatch"},
		"another method":           {"GOOD", "/queues/q", nil, func(r *http.Request) { r.Method = "DELETE" }, "SignatureDoesNotMatch"},
		"another date":             {"GOOD", "/queues/q", nil, dated(time.Minute), "SignatureDoesNotMatch"},
		"another digest":           {"GOOD", "/queues/q", set("Content-Md5", "a"), set("Content-Md5", "b"), "SignatureDoesNotMatch"},
		"another type":             {"GOOD", "/queues/q", set("Content-Type", "text/xml"), set("Content-Type", "text/html"), "SignatureDoesNotMatch"},
		"a header of MNS's added":  {"GOOD", "/queues/q", nil, set("X-Mns-Marker", "b"), "SignatureDoesNotMatch"},
		"14 minutes late":          {"GOOD", "/queues/q", dated(-14 * time.Minute), nil, ""},
		"16 minutes late":          {"GOOD", "/queues/q", dated(-16 * time.Minute), nil, "TimeExpired"},
		"16 minutes early":         {"GOOD", "/queues/q", dated(16 * time.Minute), nil, "TimeExpired"},
		"no date":                  {"GOOD", "/queues/q", func(r *http.Request) { r.Header.Del("Date") }, nil, "MissingDateHeader"},
		"the account's host":       {"GOOD", "/queues/q", func(r *http.Request) { r.Host = "111122223333.mns.cn-hangzhou.localhost:80" }, nil, ""},
		"another account's host":   {"GOOD", "/queues/q", func(r *http.Request) { r.Host = "444455556666.mns.cn-hangzhou.localhost:80" }, nil, "AccessDenied"},
		"unknown key":              {"NONE", "/queues/q", nil, nil, "InvalidAccessKeyId"},
		"disabled key":             {"DISABLED", "/queues/q", nil, nil, "InvalidAccessKeyId"},
		"key without a secret":     {"NOSECRET", "/queues/q", nil, nil, "InvalidAccessKeyId"},
		"session":                  {"SESSION", "/queues/q", set("Security-Token", string(session.Token)), nil, ""},
		"session without a token":  {"SESSION", "/queues/q", nil, nil, "InvalidAccessKeyId"},
		"session, another token":   {"SESSION", "/queues/q", set("Security-Token", token), nil, "InvalidAccessKeyId"},
		"session that is over":     {"OVER", "/queues/q", set("Security-Token", string(session.Token)), nil, "AccessDenied"},
		"no signature":             {"GOOD", "/queues/q", nil, func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthorizationHeader"},
		"two signatures":           {"GOOD", "/queues/q", nil, func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, "InvalidAuthorizationHeader"},
		"another scheme":           {"GOOD", "/queues/q", nil, set("Authorization", "Basic GOOD:"+secret), "InvalidAuthorizationHeader"},
		"no key":                   {"GOOD", "/queues/q", nil, set("Authorization", "MNS :uDJQXbk2xOhH95MDXmgbAGdtyE4="), "InvalidAuthorizationHeader"},
		"no base64":                {"GOOD", "/queues/q", nil, set("Authorization", "MNS GOOD:*"), "InvalidAuthorizationHeader"},
		"a short signature":        {"GOOD", "/queues/q", nil, set("Authorization", "MNS GOOD:AAAA"), "InvalidAuthorizationHeader"},
		"version 4, cut off":       {"GOOD", "/queues/q", nil, set("Authorization", "MNS4-HMAC-SHA256 Credential=GOOD/20260101/r/mns,Signature=00"), "InvalidAuthorizationHeader"},
		"version 4, other service": {"GOOD", "/queues/q", nil, set("Authorization", "MNS4-HMAC-SHA256 Credential=GOOD/20260101/r/oss/aliyun_v4_request,Signature="+strings.Repeat("0", 64)), "InvalidAuthorizationHeader"},
		"version 4, wrong":         {"GOOD", "/queues/q", nil, set("Authorization", "MNS4-HMAC-SHA256 Credential=GOOD/20260101/r/mns/aliyun_v4_request,Signature="+strings.Repeat("0", 64)), "SignatureDoesNotMatch"},
	}
	server := &Server{callers: &caller.Options{Keys: keys, Verify: true}}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := vectorRequest("GET", tt.target, "X-Mns-Version", "2015-06-06", "Date", time.Now().UTC().Format(http.TimeFormat))
			if tt.before != nil {
				tt.before(r)
			}
			sign2(r, tt.keyID, secret)
			if tt.after != nil {
				tt.after(r)
			}
			c := &call{Caller: server.callers.Identify(r)}
			err := server.authenticate(r, c)
			var refused wireError
			if errors.As(err, &refused); refused.code != tt.want || err != nil && refused.code == "" {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if accepted := err == nil; accepted != (c.Account == "111122223333") || accepted != c.Verified {
				t.Errorf("account %q, verified %v, error %v", c.Account, c.Verified, err)
			}
		})
	}
}

// The region that version 4 signs is the one of the host, where that names one.
func TestSignature4Region(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ host, region, want string }{
		"no region in the host": {"127.0.0.1:4566", "anything", ""},
		"the host's":            {"1234.mns.cn-hangzhou.aliyuncs.com", "cn-hangzhou", ""},
		"the host's, internal":  {"1234.mns.cn-hangzhou-internal.aliyuncs.com", "cn-hangzhou", ""},
		"another":               {"1234.mns.cn-hangzhou.aliyuncs.com", "cn-beijing", "SignatureDoesNotMatch"},
	}
	const secret = "hunter22"
	server := &Server{callers: &caller.Options{Keys: oneKey{"GOOD": {ID: "GOOD", Account: "111122223333", Secret: secret}}, Verify: true}}
	for name, tt := range tests {
		now := time.Now().UTC()
		day := now.Format("20060102")
		r := vectorRequest("GET", "/queues/q", "X-Mns-Version", "2015-06-06", "Date", now.Format(http.TimeFormat))
		r.Host = tt.host
		key := []byte("aliyun_v4" + secret)
		for _, step := range []string{day, tt.region, "mns", "aliyun_v4_request"} {
			key = hmac256(key, step)
		}
		scope := day + "/" + tt.region + "/mns/aliyun_v4_request"
		mac := hmac256(key, "MNS4-HMAC-SHA256\n"+now.Format("20060102T150405Z")+"\n"+scope+"\nGET\n/queues/q\n\nx-mns-version:2015-06-06\n\n")
		r.Header.Set("Authorization", "MNS4-HMAC-SHA256 Credential=GOOD/"+scope+",Signature="+hex.EncodeToString(mac))
		err := server.authenticate(r, &call{Caller: server.callers.Identify(r)})
		if (err == nil) != (tt.want == "") || err != nil && wireErrorOf(err).code != tt.want {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// FuzzReadSignature reads whatever stands in the headers: no panic, and never a caller.
func FuzzReadSignature(f *testing.F) {
	f.Add("MNS GOOD:uDJQXbk2xOhH95MDXmgbAGdtyE4=", "Tue, 03 Jun 2025 11:23:48 GMT", "/queues/q?a=%zz")
	f.Add("MNS4-HMAC-SHA256 Credential=GOOD/20250603/r/mns/aliyun_v4_request,Signature="+strings.Repeat("0", 64), "", "//?=&")
	server := &Server{callers: &caller.Options{Keys: oneKey{"GOOD": {Account: "111122223333", Secret: "hunter22"}}, Verify: true}}
	f.Fuzz(func(t *testing.T, authorization, date, target string) {
		r := vectorRequest("GET", target, "Authorization", authorization, "Date", time.Now().UTC().Format(http.TimeFormat), "X-Mns-Date", date)
		c := &call{Caller: server.callers.Identify(r)}
		if err := server.authenticate(r, c); err == nil || c.Verified || c.Account != "" {
			t.Errorf("accepted %q %q", authorization, target)
		}
	})
}
