package aws

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// keyTable is the keys that a test knows.
type keyTable map[string]*core.Key

func (k keyTable) Key(_ context.Context, id string) (*core.Key, error) {
	if id == "AKIDAWAY" {
		return nil, core.Errorf(core.Unavailable, "the database is away")
	}
	if key := k[id]; key != nil {
		return key, nil
	}
	return nil, core.Errorf(core.KeyNotFound, "no such key")
}

const (
	testAccount = "111122223333"
	testSecret  = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	testToken   = "IQoJ+/=token"
)

var noon = time.Date(2026, 6, 3, 12, 0, 0, 0, time.UTC)

func testKeys() keyTable {
	hash := sha256.Sum256([]byte(testToken))
	keys := keyTable{}
	for _, key := range []core.Key{
		{ID: "AKIDGOOD"}, {ID: "AKIDDISABLED", Disabled: true}, {ID: "AKIDEXPIRED", TokenHash: hash[:], Expired: true}, {ID: "ASIAGOOD", TokenHash: hash[:]},
	} {
		key.Account, key.Secret = testAccount, testSecret
		keys[key.ID] = &key
	}
	keys["AKIDNOSECRET"] = &core.Key{ID: "AKIDNOSECRET", Account: testAccount}
	return keys
}

func newTestAuthenticator(options caller.Options) *Authenticator {
	options.Keys = testKeys()
	a := NewAuthenticator("sqs", &options)
	a.now = func() time.Time { return noon }
	return a
}

// request is one as a test sends it, before and after it is signed.
type request struct {
	method, url, body string
	header            http.Header
	credentials       sdk.Credentials
	service, region   string
	at                time.Time
	presign           bool
	digest            string // "": the body's
}

func newRequest(change func(*request)) request {
	r := request{
		method: "POST", url: "http://localhost:4566/", body: `{"QueueName":"orders"}`,
		header:      http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {"AmazonSQS.CreateQueue"}},
		credentials: sdk.Credentials{AccessKeyID: "AKIDGOOD", SecretAccessKey: testSecret}, service: "sqs", region: "us-east-1", at: noon,
	}
	if change != nil {
		change(&r)
	}
	return r
}

// signed gives the request as it arrives at a server, signed by the AWS SDK.
func (q request) signed(t testing.TB) *http.Request {
	t.Helper()
	r, err := http.NewRequest(q.method, q.url, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	if q.header != nil {
		r.Header = q.header.Clone()
	}
	if q.digest == "" {
		sum := sha256.Sum256([]byte(q.body))
		q.digest = hex.EncodeToString(sum[:])
	}
	target := r.URL.RequestURI()
	if q.presign {
		presigned, header, err := v4.NewSigner().PresignHTTP(t.Context(), q.credentials, r, q.digest, q.service, q.region, q.at)
		if err != nil {
			t.Fatal(err)
		}
		u, _ := r.URL.Parse(presigned)
		target, r.Header = u.RequestURI(), header
	} else if err := v4.NewSigner().SignHTTP(t.Context(), q.credentials, r, q.digest, q.service, q.region, q.at); err != nil {
		t.Fatal(err)
	}
	arrived := httptest.NewRequest(q.method, target, strings.NewReader(q.body))
	arrived.Host, arrived.Header = r.URL.Host, r.Header
	arrived.Header.Del("Host")
	return arrived
}

// authenticate reads the body and authenticates, as a service does.
func (a *Authenticator) authenticate(t testing.TB, r *http.Request) (caller.Caller, error) {
	t.Helper()
	c := a.callers.Identify(r)
	body, err := caller.ReadBody(r, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return c, a.Authenticate(r, body, &c)
}

// checkAuth compares with the query protocol's code, "" for none.
func checkAuth(t *testing.T, c caller.Caller, err error, want string) {
	t.Helper()
	var got string
	if wrong := (*AuthError)(nil); errors.As(err, &wrong) {
		got = wrong.Code
	} else if err != nil {
		got = string(core.CodeOf(err))
	}
	if got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	if accepted := err == nil; accepted != (c.Account == testAccount) || accepted != (c.Key != nil) {
		t.Errorf("account %q, key %v, error %v", c.Account, c.Key, err)
	}
}

// TestAuthenticateSignedBySDK verifies what the AWS SDK signed, as it came and tampered with.
func TestAuthenticateSignedBySDK(t *testing.T) {
	t.Parallel()
	session := func(q *request) {
		q.credentials = sdk.Credentials{AccessKeyID: "ASIAGOOD", SecretAccessKey: testSecret, SessionToken: testToken}
	}
	key := func(id string) func(*request) { return func(q *request) { q.credentials.AccessKeyID = id } }
	presigned := func(q *request) {
		q.method, q.body, q.header, q.presign = "GET", "", nil, true
		q.url = "http://localhost:4566/111122223333/orders?Action=SendMessage&MessageBody=a%20b%2Bc%2F~*&Version=2012-11-05"
	}
	with := func(first, then func(*request)) func(*request) { return func(q *request) { first(q); then(q) } }
	aged := func(by time.Duration) func(*request) { return func(q *request) { q.at = noon.Add(by) } }
	const wrong, unknown = "SignatureDoesNotMatch", "InvalidClientTokenId"
	tests := map[string]struct {
		change func(*request)
		tamper func(*http.Request)
		want   string
	}{
		"plain":               {nil, nil, ""},
		"another region":      {func(q *request) { q.region = "eu-central-1" }, nil, ""},
		"a path with escapes": {func(q *request) { q.url = "http://localhost:4566/1/a%20b/%2525+c" }, nil, ""},
		"a query":             {func(q *request) { q.url = "http://localhost:4566/?b=2&a=%20x&a=1&c=&d&e=%2F" }, nil, ""},
		"a form": {func(q *request) {
			q.header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
			q.body = "Action=ListQueues"
		}, nil, ""},
		"odd headers":                {func(q *request) { q.header["X-Amz-Meta"] = []string{"  a   b ", "c"}; q.header.Set("Accept", "a,  b") }, nil, ""},
		"no body":                    {func(q *request) { q.body = "" }, nil, ""},
		"its digest as a header":     {func(q *request) { q.header.Set("X-Amz-Content-Sha256", digestOf(q.body)) }, nil, ""},
		"another digest as a header": {func(q *request) { q.header.Set("X-Amz-Content-Sha256", digestOf("other")) }, nil, wrong},
		"unsigned empty body": {func(q *request) {
			q.body, q.digest = "", unsignedPayload
			q.header.Set("X-Amz-Content-Sha256", unsignedPayload)
		}, nil, ""},
		"unsigned body":               {func(q *request) { q.digest = unsignedPayload; q.header.Set("X-Amz-Content-Sha256", unsignedPayload) }, nil, wrong},
		"chunks with signatures":      {func(q *request) { q.header.Set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") }, nil, "IncompleteSignature"},
		"session":                     {session, nil, ""},
		"presigned":                   {presigned, nil, ""},
		"presigned, session":          {with(presigned, session), nil, ""},
		"presigned, unsigned payload": {with(presigned, func(q *request) { q.digest = unsignedPayload }), nil, ""},
		"presigned, to the last":      {with(presigned, with(aged(-time.Hour), func(q *request) { q.url += "&X-Amz-Expires=3600" })), nil, ""},
		"presigned, a second late":    {with(presigned, with(aged(-time.Hour-time.Second), func(q *request) { q.url += "&X-Amz-Expires=3600" })), nil, wrong},
		"presigned for a week":        {with(presigned, func(q *request) { q.url += "&X-Amz-Expires=604800" }), nil, ""},
		"presigned for longer":        {with(presigned, func(q *request) { q.url += "&X-Amz-Expires=604801" }), nil, "IncompleteSignature"},
		"presigned for no time":       {with(presigned, func(q *request) { q.url += "&X-Amz-Expires=0" }), nil, "IncompleteSignature"},
		"presigned, no Expires":       {with(presigned, aged(-15*time.Minute)), nil, ""},
		"presigned, no Expires, late": {with(presigned, aged(-15*time.Minute-time.Second)), nil, wrong},
		"presigned, from the future":  {with(presigned, aged(15*time.Minute+time.Second)), nil, wrong},
		"presigned, parameter changed": {presigned, func(r *http.Request) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "SendMessage", "DeleteQueue", 1)
		}, wrong},
		"presigned, parameter added": {presigned, func(r *http.Request) { r.URL.RawQuery += "&QueueUrl=other" }, wrong},
		"presigned, parameter twice": {presigned, func(r *http.Request) { r.URL.RawQuery += "&X-Amz-Expires=3600&X-Amz-Expires=3600" }, "IncompleteSignature"},
		"presigned, body added":      {presigned, replaceBody("Action=DeleteQueue"), wrong},
		"presigned, other method":    {presigned, func(r *http.Request) { r.Method = "POST" }, wrong},
		"presigned, target added":    {presigned, func(r *http.Request) { r.Header.Set("X-Amz-Target", "AmazonSQS.DeleteQueue") }, wrong},
		"presigned, signature removed": {presigned, func(r *http.Request) {
			r.URL.RawQuery, _, _ = strings.Cut(r.URL.RawQuery, "&X-Amz-Signature")
		}, "IncompleteSignature"},
		"15 minutes old":             {aged(-15 * time.Minute), nil, ""},
		"older":                      {aged(-15*time.Minute - time.Second), nil, wrong},
		"15 minutes early":           {aged(15 * time.Minute), nil, ""},
		"earlier":                    {aged(15*time.Minute + time.Second), nil, wrong},
		"another secret":             {func(q *request) { q.credentials.SecretAccessKey = "other" }, nil, wrong},
		"an unknown key":             {key("AKIDNONE"), nil, unknown},
		"a disabled key":             {key("AKIDDISABLED"), nil, unknown},
		"a key without a secret":     {func(q *request) { q.credentials = sdk.Credentials{AccessKeyID: "AKIDNOSECRET"} }, nil, unknown},
		"keys cannot be read":        {key("AKIDAWAY"), nil, "Unavailable"},
		"an expired session":         {with(session, key("AKIDEXPIRED")), nil, "ExpiredToken"},
		"expired, wrong secret":      {with(with(session, key("AKIDEXPIRED")), func(q *request) { q.credentials.SecretAccessKey = "other" }), nil, wrong},
		"a session without a token":  {key("ASIAGOOD"), nil, unknown},
		"a wrong token":              {with(session, func(q *request) { q.credentials.SessionToken += "x" }), nil, unknown},
		"a token with a lasting key": {func(q *request) { q.credentials.SessionToken = testToken }, nil, unknown},
		"another service":            {func(q *request) { q.service = "s3" }, nil, wrong},
		"a region that is none":      {func(q *request) { q.region = "a'b" }, nil, wrong},
		"the host's region":          {func(q *request) { q.url, q.region = "http://sqs.eu-west-1.amazonaws.com/", "eu-west-1" }, nil, ""},
		"not the host's region":      {func(q *request) { q.url = "http://sqs.eu-west-1.amazonaws.com/" }, nil, wrong},
		"body changed":               {nil, replaceBody(`{"QueueName":"Orders"}`), wrong},
		"body removed":               {nil, replaceBody(""), wrong},
		"target changed":             {nil, func(r *http.Request) { r.Header.Set("X-Amz-Target", "AmazonSQS.DeleteQueue") }, wrong},
		"target twice":               {nil, func(r *http.Request) { r.Header.Add("X-Amz-Target", "AmazonSQS.DeleteQueue") }, wrong},
		"host changed":               {nil, func(r *http.Request) { r.Host = "other:4566" }, wrong},
		"path changed":               {nil, func(r *http.Request) { r.URL.Path = "/1/orders" }, wrong},
		"query added":                {nil, func(r *http.Request) { r.URL.RawQuery = "Action=DeleteQueue" }, wrong},
		"date changed":               {nil, func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260603T120001Z") }, wrong},
		"date removed":               {nil, func(r *http.Request) { r.Header.Del("X-Amz-Date") }, "IncompleteSignature"},
		"signed header removed":      {nil, func(r *http.Request) { r.Header.Del("Content-Type") }, wrong},
		"unsigned header added":      {nil, func(r *http.Request) { r.Header.Set("X-Something", "1") }, ""},
		"token added":                {nil, func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", testToken) }, wrong},
		"signature removed":          {nil, func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationToken"},
		"another signature":          {nil, func(r *http.Request) { edit(r, "Authorization", "Signature=", "Signature=0") }, wrong},
		"two signatures":             {nil, func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, "IncompleteSignature"},
		"another algorithm":          {nil, func(r *http.Request) { edit(r, "Authorization", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1") }, "IncompleteSignature"},
		"no algorithm":               {nil, func(r *http.Request) { edit(r, "Authorization", "AWS4-HMAC-SHA256", "None") }, "MissingAuthenticationToken"},
		"host not signed":            {nil, func(r *http.Request) { edit(r, "Authorization", "host;", "") }, wrong},
		"target not signed":          {nil, func(r *http.Request) { edit(r, "Authorization", ";x-amz-target", "") }, wrong},
		"a header signed twice":      {nil, func(r *http.Request) { edit(r, "Authorization", "host;", "host;host;") }, "IncompleteSignature"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newTestAuthenticator(caller.Options{Verify: true})
			r := newRequest(tt.change).signed(t)
			if tt.tamper != nil {
				tt.tamper(r)
			}
			c, err := a.authenticate(t, r)
			checkAuth(t, c, err, tt.want)
		})
	}
}

func digestOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func replaceBody(body string) func(*http.Request) {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
}

func edit(r *http.Request, header, from, to string) {
	r.Header.Set(header, strings.Replace(r.Header.Get(header), from, to, 1))
}

// TestAuthenticateUnsigned tells the kinds of requests that have no signature of version 4.
func TestAuthenticateUnsigned(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ target, authorization, want string }{
		"nothing":              {"/", "", "MissingAuthenticationToken"},
		"another scheme":       {"/", "Basic dGVzdDp0ZXN0", "MissingAuthenticationToken"},
		"signature 2":          {"/?Action=ListQueues&AWSAccessKeyId=AKIDGOOD&SignatureVersion=2&Signature=x", "", "InvalidSecurity"},
		"signature 3":          {"/", "AWS3-HTTPS AWSAccessKeyId=AKIDGOOD,Algorithm=HmacSHA256,Signature=x", "InvalidSecurity"},
		"only the scheme":      {"/", "AWS4-HMAC-SHA256", "IncompleteSignature"},
		"no equal sign":        {"/", "AWS4-HMAC-SHA256 Credential", "IncompleteSignature"},
		"no signed headers":    {"/", "AWS4-HMAC-SHA256 Credential=AKIDGOOD/20260603/us-east-1/sqs/aws4_request, Signature=00", "IncompleteSignature"},
		"a cut off scope":      {"/", "AWS4-HMAC-SHA256 Credential=AKIDGOOD/20260603/us-east-1/sqs, SignedHeaders=host, Signature=00", "IncompleteSignature"},
		"only an algorithm":    {"/?X-Amz-Algorithm=AWS4-HMAC-SHA256", "", "IncompleteSignature"},
		"an unreadable query":  {"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&x=%zz", "", "IncompleteSignature"},
		"another presigned":    {"/?X-Amz-Algorithm=X&X-Amz-Credential=AKIDGOOD/20260603/us-east-1/sqs/aws4_request&X-Amz-Date=20260603T120000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=0", "", "IncompleteSignature"},
		"another day's scope":  {"/", "AWS4-HMAC-SHA256 Credential=AKIDGOOD/20260602/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=" + strings.Repeat("0", 64), "SignatureDoesNotMatch"},
		"another end of scope": {"/", "AWS4-HMAC-SHA256 Credential=AKIDGOOD/20260603/us-east-1/sqs/aws5_request, SignedHeaders=host, Signature=" + strings.Repeat("0", 64), "SignatureDoesNotMatch"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("POST", "/", nil)
			r.URL.RawQuery = strings.TrimPrefix(strings.TrimPrefix(tt.target, "/"), "?")
			r.Header.Set("X-Amz-Date", "20260603T120000Z")
			if tt.authorization != "" {
				r.Header.Set("Authorization", tt.authorization)
			}
			c, err := newTestAuthenticator(caller.Options{Verify: true}).authenticate(t, r)
			checkAuth(t, c, err, tt.want)
		})
	}
}

// A request that is not verified still belongs to the account of its key.
func TestAuthenticateOff(t *testing.T) {
	t.Parallel()
	for keyID, want := range map[string]string{"AKIDGOOD": testAccount, "AKIDEXPIRED": testAccount, "444455556666": "444455556666", "other": caller.DefaultAccount, "AKIDAWAY": ""} {
		r := newRequest(func(q *request) { q.credentials = sdk.Credentials{AccessKeyID: keyID, SecretAccessKey: "wrong"} }).signed(t)
		c, err := newTestAuthenticator(caller.Options{}).authenticate(t, r)
		if away := want == ""; away != (core.CodeOf(err) == core.Unavailable && err != nil) || !away && c.Account != want {
			t.Errorf("%s: account %s, error %v, want %s", keyID, c.Account, err, want)
		}
	}
}

// TestAuthenticateBehindProxies has hosts as proxies leave them.
func TestAuthenticateBehindProxies(t *testing.T) {
	t.Parallel()
	trusted := caller.Options{Verify: true, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	tests := map[string]struct {
		options caller.Options
		signed  string // the host that the client used
		arrived http.Header
		want    string
	}{
		"host kept":                      {trusted, "mq.example.com", nil, ""},
		"host in X-Forwarded-Host":       {trusted, "mq.example.com", http.Header{"X-Forwarded-Host": {"mq.example.com, inner"}}, ""},
		"host and port apart":            {trusted, "mq.example.com:8443", http.Header{"X-Forwarded-Host": {"mq.example.com"}, "X-Forwarded-Port": {"8443"}}, ""},
		"X-Forwarded-Host of a stranger": {caller.Options{Verify: true}, "mq.example.com", http.Header{"X-Forwarded-Host": {"mq.example.com"}}, "SignatureDoesNotMatch"},
		"public URL":                     {caller.Options{Verify: true, PublicURL: "https://mq.example.com/"}, "mq.example.com", nil, ""},
		"another host":                   {trusted, "mq.example.com", http.Header{"X-Forwarded-Host": {"other.example.com"}}, "SignatureDoesNotMatch"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRequest(func(q *request) { q.url = "http://" + tt.signed + "/" }).signed(t) // from 192.0.2.1
			for header, values := range tt.arrived {
				r.Header[header] = values
			}
			if name != "host kept" {
				r.Host = "10.0.0.7:4566"
			}
			c, err := newTestAuthenticator(tt.options).authenticate(t, r)
			checkAuth(t, c, err, tt.want)
		})
	}
}

// The path that is signed may be a tidied one, and the port that the scheme implies left out.
func TestAuthenticateAsClientsDiffer(t *testing.T) {
	t.Parallel()
	for wire, signed := range map[string]string{"//1/orders": "/1/orders", "/./1/../2/": "/2/", "/": "/"} {
		r := newRequest(func(q *request) { q.url = "http://localhost" + signed }).signed(t)
		r.URL.Path, r.Host = wire, "localhost:80"
		c, err := newTestAuthenticator(caller.Options{Verify: true}).authenticate(t, r)
		checkAuth(t, c, err, "")
	}
}

// What is signed of a compressed body is the compressed one.
func TestAuthenticateEncodedBody(t *testing.T) {
	t.Parallel()
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	_, _ = io.WriteString(writer, `{"QueueName":"orders"}`)
	_ = writer.Close()
	for _, body := range []string{compressed.String(), "other"} {
		r := newRequest(func(q *request) {
			q.body = compressed.String()
			q.header.Set("Content-Encoding", "gzip")
		}).signed(t)
		a, want := newTestAuthenticator(caller.Options{Verify: true}), ""
		if body == "other" {
			var other bytes.Buffer
			writer := gzip.NewWriter(&other)
			_, _ = io.WriteString(writer, body)
			_ = writer.Close()
			replaceBody(other.String())(r)
			r.Header.Set("Content-Length", fmt.Sprint(compressed.Len()))
			want = "SignatureDoesNotMatch"
		}
		c, err := a.authenticate(t, r)
		checkAuth(t, c, err, want)
	}
}

// Derived keys are kept, but only of requests that had the secret, and not without bound.
func TestSigningKeysAreBounded(t *testing.T) {
	t.Parallel()
	a := newTestAuthenticator(caller.Options{Verify: true})
	for range 3 {
		if _, err := a.authenticate(t, newRequest(nil).signed(t)); err != nil {
			t.Fatal(err)
		}
		_, _ = a.authenticate(t, newRequest(func(q *request) { q.credentials.SecretAccessKey, q.region = "other", "eu-west-1" }).signed(t))
	}
	if n := len(a.keys.derived); n != 1 {
		t.Errorf("%d keys kept, want 1", n)
	}
	for i := range maxSigningKeys + 10 {
		a.keys.put(testSecret, &signature{date: fmt.Sprint(i)}, [32]byte{})
	}
	if n := len(a.keys.derived); n > maxSigningKeys {
		t.Errorf("%d keys kept", n)
	}
}

// FuzzReadSignature reads whatever stands in the header or the URL: no panic, and never a caller.
func FuzzReadSignature(f *testing.F) {
	valid := newRequest(nil).signed(f)
	f.Add(valid.Header.Get("Authorization"), "", "20260603T120000Z")
	f.Add("AWS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=;,Signature=", "X-Amz-Signature=&X-Amz-Credential=%2F", "")
	f.Add("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDGOOD/20260603/us-east-1/sqs/aws4_request&X-Amz-Date=20260603T120000Z&X-Amz-SignedHeaders=host&X-Amz-Signature="+strings.Repeat("0", 64), "")
	a := newTestAuthenticator(caller.Options{Verify: true})
	f.Fuzz(func(t *testing.T, authorization, query, date string) {
		r := httptest.NewRequest("POST", "/", nil)
		r.URL.RawQuery = query
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		r.Header.Set("X-Amz-Date", date)
		c, err := a.authenticate(t, r)
		if err == nil || c.Key != nil || c.Account != "" {
			t.Errorf("accepted %q %q", authorization, query)
		}
		if wrong := (*AuthError)(nil); !errors.As(err, &wrong) {
			t.Errorf("%v is no AuthError", err)
		} else if strings.Contains(wrong.Message, testSecret) {
			t.Errorf("the secret is in %q", wrong.Message)
		}
	})
}

// BenchmarkAuthenticate is what verifying costs for a request that sends a message of 1 KiB.
func BenchmarkAuthenticate(b *testing.B) {
	body := fmt.Sprintf(`{"QueueUrl":"http://localhost:4566/111122223333/orders","MessageBody":%q}`, strings.Repeat("x", 1024))
	for _, verify := range []bool{false, true} {
		b.Run(fmt.Sprintf("verify=%v", verify), func(b *testing.B) {
			a := newTestAuthenticator(caller.Options{Verify: verify})
			r := newRequest(func(q *request) { q.body = body }).signed(b)
			payload := []byte(body)
			identified := a.callers.Identify(r)
			b.ReportAllocs()
			for b.Loop() {
				c := identified
				if err := a.Authenticate(r, payload, &c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
