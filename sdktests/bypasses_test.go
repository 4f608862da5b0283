package sdktests

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/smq"
)

// signedV4 gives a request to make a queue that is signed at a time, with the header of the payload's digest where content is
// not "".
func signedV4(t *testing.T, base string, key core.Key, content string, at time.Time) *http.Request {
	t.Helper()
	const body = `{"QueueName":"stolen"}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AmazonSQS.CreateQueue")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	sum := sha256.Sum256([]byte(body))
	digest := hex.EncodeToString(sum[:])
	if content != "" {
		r.Header.Set("X-Amz-Content-Sha256", content)
		digest = content
	}
	who := aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: string(key.Secret), SessionToken: string(key.Token)}
	if err := v4.NewSigner().SignHTTP(t.Context(), who, r, digest, "sqs", "us-east-1", at); err != nil {
		t.Fatal(err)
	}
	return r
}

func edited(r *http.Request, header, old, with string) *http.Request {
	r.Header.Set(header, strings.Replace(r.Header.Get(header), old, with, 1))
	return r
}

// TestSignaturesThatCoverTooLittle are signatures of AWS's with something that matters left out, twice, or as an empty
// secret would make them.
func TestSignaturesThatCoverTooLittle(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	root := core.Key{ID: rootKey, Secret: rootSecret}
	other := v.key(t, core.NewKey{Account: accountB})
	session := v.key(t, core.NewKey{Account: defaultAccount, Lasts: time.Hour})
	now := time.Now()
	plainly := func() *http.Request { return signedV4(t, v.url, root, "", now) }
	date := now.UTC().Format("20060102")
	for name, r := range map[string]*http.Request{
		"UNSIGNED-PAYLOAD with a body":        signedV4(t, v.url, root, "UNSIGNED-PAYLOAD", now),
		"chunks with signatures":              signedV4(t, v.url, root, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", now),
		"chunks without, and a trailer":       signedV4(t, v.url, root, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", now),
		"the digest of nothing":               signedV4(t, v.url, root, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", now),
		"an old one with a new Date":          added(signedV4(t, v.url, root, "", now.Add(-time.Hour)), "Date", now.UTC().Format(http.TimeFormat)),
		"an old one with a second X-Amz-Date": added(signedV4(t, v.url, root, "", now.Add(-time.Hour)), "X-Amz-Date", now.UTC().Format("20060102T150405Z")),
		"the date moved to Date":              edited(moved(plainly(), "X-Amz-Date", "Date"), "Authorization", ";x-amz-date", ""),
		"a token that is not signed":          edited(signedV4(t, v.url, session, "", now), "Authorization", ";x-amz-security-token", ""),
		"headers in capitals":                 edited(plainly(), "Authorization", "SignedHeaders=content-length;content-type;host", "SignedHeaders=Content-Length;Content-Type;Host"),
		"the algorithm in small letters":      edited(plainly(), "Authorization", "AWS4-HMAC-SHA256", "aws4-hmac-sha256"),
		"a tab behind the algorithm":          edited(plainly(), "Authorization", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256\t"),
		"no headers":                          added(plainly(), "Authorization", "AWS4-HMAC-SHA256 Credential="+rootKey+"/"+date+"/us-east-1/sqs/aws4_request, SignedHeaders=, Signature="+strings.Repeat("0", 64)),
		"an empty signature":                  set(plainly(), "Authorization", "AWS4-HMAC-SHA256 Credential="+rootKey+"/"+date+"/us-east-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature="),
		"another region, derived as such":     edited(plainly(), "Authorization", "/us-east-1/", "/eu-west-1/"),
		"a signature of version 2 beside":     withQuery(plainly(), "AWSAccessKeyId="+rootKey+"&SignatureVersion=2&SignatureMethod=HmacSHA256&Signature=x"),
		"an empty secret":                     signedV4(t, v.url, core.Key{ID: rootKey, Secret: " "}, "", now),
		"another method by a header":          set(set(withMethod(plainly(), http.MethodGet), "X-HTTP-Method-Override", "POST"), "X-HTTP-Method", "POST"),
	} {
		if status, answer := roundTrip(t, r); status < 400 || status >= 500 {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	// Who is it that signs twice, in the URL and in a header? Not both, and not the one whose rights count for the other's.
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/?Action=CreateQueue&QueueName=stolen&X-Amz-Expires=60", nil)
	presigned, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: other.ID, SecretAccessKey: string(other.Secret)}, r, "UNSIGNED-PAYLOAD", "sqs", "us-east-1", now)
	if err != nil {
		t.Fatal(err)
	}
	for name, authorization := range map[string]string{"a bearer": "Bearer " + rootKey + ":" + rootSecret, "the root's signature of another request": plainly().Header.Get("Authorization"), "MNS": "MNS " + rootKey + ":AAAAAAAAAAAAAAAAAAAAAAAAAAA="} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, presigned, nil)
		r.Header.Set("Authorization", authorization)
		if status, answer := roundTrip(t, r); status < 400 || status >= 500 {
			t.Errorf("presigned, and %s: %d %s", name, status, answer)
		}
	}
	v.madeNothing(t, root, other)
}

// madeNothing looks for queues of the accounts.
func (v *verifying) madeNothing(t *testing.T, keys ...core.Key) {
	t.Helper()
	for _, key := range keys {
		if out, err := v.sqs(by(key)).ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil || len(out.QueueUrls) > 0 {
			t.Errorf("%s has %v, %v", key.ID, out, err)
		}
	}
}

func added(r *http.Request, header, value string) *http.Request {
	r.Header.Add(header, value)
	return r
}

func set(r *http.Request, header, value string) *http.Request { r.Header.Set(header, value); return r }

func moved(r *http.Request, from, to string) *http.Request {
	r.Header.Set(to, r.Header.Get(from))
	r.Header.Del(from)
	return r
}

func withQuery(r *http.Request, query string) *http.Request { r.URL.RawQuery = query; return r }

func withMethod(r *http.Request, method string) *http.Request { r.Method = method; return r }

// TestPresignedLives are lives of presigned URLs that are none.
func TestPresignedLives(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	ask := func(query string, at time.Time) int {
		t.Helper()
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/?Action=ListQueues&"+query, nil)
		signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: rootKey, SecretAccessKey: rootSecret}, r, "UNSIGNED-PAYLOAD", "sqs", "us-east-1", at)
		if err != nil {
			t.Fatal(err)
		}
		r, _ = http.NewRequestWithContext(t.Context(), http.MethodGet, signed, nil)
		status, _ := roundTrip(t, r)
		return status
	}
	now := time.Now()
	for name, tt := range map[string]struct {
		query string
		at    time.Time
		want  int
	}{
		"a week":                {"X-Amz-Expires=604800", now, 200},
		"near its end":          {"X-Amz-Expires=604800", now.Add(-7*24*time.Hour + time.Minute), 200},
		"a second more":         {"X-Amz-Expires=604801", now, 400},
		"past its end":          {"X-Amz-Expires=604800", now.Add(-7*24*time.Hour - time.Minute), 403},
		"none":                  {"X-Amz-Expires=0", now, 400},
		"below none":            {"X-Amz-Expires=-60", now, 400},
		"part of a second":      {"X-Amz-Expires=60.5", now, 400},
		"a power":               {"X-Amz-Expires=1e3", now, 400},
		"hexadecimal":           {"X-Amz-Expires=0x3c", now, 400},
		"a plus":                {"X-Amz-Expires=%2B60", now, 400},
		"too many digits":       {"X-Amz-Expires=18446744073709551676", now, 400},
		"twice":                 {"X-Amz-Expires=60&X-Amz-Expires=60", now, 400},
		"of tomorrow":           {"X-Amz-Expires=60", now.Add(24 * time.Hour), 403},
		"in small letters only": {"x-amz-expires=604800", now.Add(-time.Hour), 403},
	} {
		if got := ask(tt.query, tt.at); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}

// TestIDsThatAreNone are ids of keys that a pattern, a text of SQL or an end of line could turn into another's, in each
// kind of signature.
func TestIDsThatAreNone(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	for _, id := range []string{"", "*", "%", "AKID%", "AKIDROO_", "akidroot", "AKIDROOT ", "AKIDROOT\x00", "AKIDROOT\n", "AKIDROOT\r\nX-A: b", "' OR '1'='1", "../AKIDROOT", "AKIDROOT,AKIDROOT", "AKIDROOT;", "АKIDROOT",
		"\xff\xfe", strings.Repeat("A", 5000)} {
		key := core.Key{ID: id, Secret: rootSecret}
		date := time.Now().UTC()
		query := url.Values{"Action": {"ListQueues"}, "X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Credential": {id + "/" + date.Format("20060102") + "/us-east-1/sqs/aws4_request"},
			"X-Amz-Date": {date.Format("20060102T150405Z")}, "X-Amz-Expires": {"60"}, "X-Amz-SignedHeaders": {"host"}, "X-Amz-Signature": {strings.Repeat("0", 64)}}
		link, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/?"+query.Encode(), nil)
		rpc := aliyunWalk(smq.Version, func(string, string, string) map[string]string { return nil })(walker{v, key}, t, "ListQueue", "", "")
		requests := map[string]*http.Request{"presigned": link, "RPC": rpc}
		if utf8.ValidString(id) && !strings.ContainsAny(id, "\x00\r\n") { // as a header may be
			requests["SigV4"] = signedV4(t, v.url, key, "", date)
			requests["Bearer"] = v.bearer(t, key, "/queues")
			requests["MNS"] = mnsSignedBy(t, v.url, key, http.MethodGet, "/queues", date)
		}
		for kind, r := range requests {
			if status, answer := roundTrip(t, r); status < 400 || status >= 500 || strings.Contains(answer, rootSecret) {
				t.Errorf("%s, %.20q: %d %s", kind, id, status, answer)
			}
		}
	}
	v.madeNothing(t, core.Key{ID: rootKey, Secret: rootSecret})
}

// mnsSignedBy signs a request without a body as MNS's version 2 does.
func mnsSignedBy(t *testing.T, base string, key core.Key, method, target string, at time.Time) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, base+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	date := at.UTC().Format(http.TimeFormat)
	mac := hmac.New(sha1.New, []byte(key.Secret))
	fmt.Fprintf(mac, "%s\n\n\n%s\nx-mns-version:2015-06-06\n%s", method, date, target)
	r.Header.Set("Date", date)
	r.Header.Set("X-Mns-Version", "2015-06-06")
	r.Header.Set("Authorization", "MNS "+key.ID+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return r
}

// TestMNSSignaturesAreForOneThing changes a request that is signed for MNS: nothing but what was signed is done.
func TestMNSSignaturesAreForOneThing(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	root := core.Key{ID: rootKey, Secret: rootSecret}
	createQueue(t, v.sqs(asRoot), "orders")
	const target = "/queues/orders"
	now := time.Now()
	for name, tt := range map[string]struct {
		change func(*http.Request)
		want   string // in the answer; "": it is done as it was signed
	}{
		"as it is":               {func(*http.Request) {}, ""},
		"another method":         {func(r *http.Request) { r.Method = http.MethodDelete }, "SignatureDoesNotMatch"},
		"a method by a header":   {func(r *http.Request) { r.Header.Set("X-HTTP-Method-Override", "DELETE") }, ""},
		"a query":                {func(r *http.Request) { r.URL.RawQuery = "metaoverride=true" }, "SignatureDoesNotMatch"},
		"another queue":          {func(r *http.Request) { r.URL.Path = "/queues/others" }, "SignatureDoesNotMatch"},
		"a header of MNS's":      {func(r *http.Request) { r.Header.Set("X-Mns-Prefix", "a") }, "SignatureDoesNotMatch"},
		"a date of MNS's":        {func(r *http.Request) { r.Header.Set("X-Mns-Date", now.UTC().Format(http.TimeFormat)) }, "SignatureDoesNotMatch"},
		"another date":           {func(r *http.Request) { r.Header.Set("Date", now.Add(time.Minute).UTC().Format(http.TimeFormat)) }, "SignatureDoesNotMatch"},
		"two dates":              {func(r *http.Request) { r.Header.Add("Date", now.Add(time.Minute).UTC().Format(http.TimeFormat)) }, ""},
		"a type":                 {func(r *http.Request) { r.Header.Set("Content-Type", "text/xml") }, "SignatureDoesNotMatch"},
		"a digest":               {func(r *http.Request) { r.Header.Set("Content-Md5", "x") }, "InvalidDigest"},
		"another key":            {func(r *http.Request) { edited(r, "Authorization", rootKey, "LTAIOTHER") }, "InvalidAccessKeyId"},
		"two signatures":         {func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, "InvalidAuthorizationHeader"},
		"no signature":           {func(r *http.Request) { r.Header.Set("Authorization", "MNS "+rootKey+":") }, "InvalidAuthorizationHeader"},
		"as version 4":           {func(r *http.Request) { edited(r, "Authorization", "MNS ", "MNS4-HMAC-SHA256 ") }, "InvalidAuthorizationHeader"},
		"a token":                {func(r *http.Request) { r.Header.Set("Security-Token", "x") }, "InvalidAccessKeyId"},
		"another's host":         {func(r *http.Request) { r.Host = accountB + ".mns.us-east-1.localhost" }, "AccessDenied"},
		"a target of SQS's":      {func(r *http.Request) { r.Header.Set("X-Amz-Target", "AmazonSQS.DeleteQueue") }, ""},
		"an action in the query": {func(r *http.Request) { r.URL.RawQuery = "Action=DeleteQueue" }, "InvalidQueryString"},
	} {
		r := mnsSignedBy(t, v.url, root, http.MethodGet, target, now)
		tt.change(r)
		status, answer := roundTrip(t, r)
		if done := status == http.StatusOK && strings.Contains(answer, "<QueueName>orders</QueueName>"); tt.want == "" && !done && status < 400 || tt.want != "" && !strings.Contains(answer, "<Code>"+tt.want) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	for age, want := range map[time.Duration]string{16 * time.Minute: "TimeExpired", -16 * time.Minute: "TimeExpired", 14 * time.Minute: "orders", -14 * time.Minute: "orders"} {
		if status, answer := roundTrip(t, mnsSignedBy(t, v.url, root, http.MethodGet, target, now.Add(-age))); !strings.Contains(answer, want) {
			t.Errorf("%v old: %d %s", age, status, answer)
		}
	}
	if _, err := v.sqs(asRoot).GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("orders")}); err != nil {
		t.Errorf("orders: %v", err)
	}
}

// TestSignaturesOfOtherKinds offers Alibaba's control plane what is no signature of a key's.
func TestSignaturesOfOtherKinds(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	root := walker{v, core.Key{ID: rootKey, Secret: rootSecret}}
	make1 := func(extra map[string]string) *http.Request {
		return aliyunWalk(smq.Version, func(string, string, string) map[string]string { return extra })(root, t, "CreateQueue", "", "")
	}
	for name, change := range map[string]map[string]string{
		"another algorithm": {"SignatureMethod": "HMAC-SHA256"}, "no algorithm": {"SignatureMethod": ""}, "none": {"SignatureMethod": "none"}, "no nonce": {"SignatureNonce": ""}, "no time": {"Timestamp": ""},
		"an hour ago": {"Timestamp": time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04:05Z")}, "in an hour": {"Timestamp": time.Now().UTC().Add(time.Hour).Format("2006-01-02T15:04:05Z")},
	} {
		change["QueueName"] = "stolen"
		if status, answer := roundTrip(t, make1(change)); status < 400 || status >= 500 {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	for name, query := range map[string]string{
		"a bearer token":     "SignatureType=BEARERTOKEN&BearerToken=" + rootSecret,
		"a second name":      "QueueName=other",
		"a second action":    "Action=DeleteQueue",
		"a second key":       "AccessKeyId=AKIDNONE",
		"a second signature": "Signature=x",
	} {
		r := make1(map[string]string{"QueueName": "stolen"})
		r.URL.RawQuery += "&" + query
		if status, answer := roundTrip(t, r); status < 400 || status >= 500 {
			t.Errorf("with %s: %d %s", name, status, answer)
		}
	}
	again := make1(map[string]string{"QueueName": "orders"})
	if status, answer := roundTrip(t, again); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	if _, answer := roundTrip(t, again.Clone(t.Context())); !strings.Contains(answer, "SignatureNonceUsed") {
		t.Errorf("a second time: %s", answer)
	}
	if out, err := v.sqs(asRoot).ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil || len(out.QueueUrls) != 1 {
		t.Errorf("queues %v, %v", out, err)
	}
}

// TestSecretsElsewhereThanInTheHeader hands the JSON API a good key in every place where it would end up in logs and
// histories, and the console's cookie.
func TestSecretsElsewhereThanInTheHeader(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	secret := url.QueryEscape(rootKey + ":" + rootSecret)
	for name, change := range map[string]func(*http.Request){
		"access_token":     func(r *http.Request) { r.URL.RawQuery = "access_token=" + secret },
		"token":            func(r *http.Request) { r.URL.RawQuery = "token=" + secret },
		"Authorization":    func(r *http.Request) { r.URL.RawQuery = "Authorization=Bearer%20" + secret },
		"in the URL":       func(r *http.Request) { r.URL.User = url.UserPassword(rootKey, rootSecret) },
		"Basic":            func(r *http.Request) { r.SetBasicAuth(rootKey, rootSecret) },
		"bearer, small":    func(r *http.Request) { r.Header.Set("Authorization", "bearer "+rootKey+":"+rootSecret) },
		"another header":   func(r *http.Request) { r.Header.Set("X-Api-Key", rootKey+":"+rootSecret) },
		"a proxy's header": func(r *http.Request) { r.Header.Set("Proxy-Authorization", "Bearer "+rootKey+":"+rootSecret) },
		"a cookie":         func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "Authorization", Value: "Bearer " + secret}) },
		"two headers": func(r *http.Request) {
			r.Header["Authorization"] = []string{"Bearer AKIDNONE:x", "Bearer " + rootKey + ":" + rootSecret}
		},
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/api/v1/keys", nil)
		change(r)
		if status, answer := roundTrip(t, r); status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	if strings.Contains(v.log.String(), rootSecret) || strings.Contains(v.log.String(), secret) {
		t.Error("the log shows the secret")
	}
}

// TestSignOn has a proxy that signs users on: what it says is believed of it alone, gives each user its own access, and
// is for people, not for the protocols of programs.
func TestSignOn(t *testing.T) {
	t.Parallel()
	var passedOn http.Header
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { passedOn = r.Header.Clone() }))
	t.Cleanup(upstream.Close)
	v := startGuarded(t, server.Config{SignOnHeader: "X-User", SignOnAccount: accountA, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, ForwardUnknown: upstream.URL})
	for name, access := range map[string]core.Access{"vera": core.Viewer, "olga": core.Operator, "ann": core.Admin, "nora": core.NoAccess} {
		if _, err := v.server.Broker().CreateIdentity(t.Context(), core.Identity{IdentityName: core.IdentityName{Account: accountA, Kind: core.User, Name: name}, Access: access}); err != nil {
			t.Fatal(err)
		}
	}
	through := proxy(t, "127.0.0.1", "127.0.0.2", v.url, appends)
	ask := func(base, method, path, body string, header ...string) int {
		t.Helper()
		r, _ := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			r.Header[header[i]] = append(r.Header[header[i]], header[i+1])
		}
		status, _ := roundTrip(t, r)
		return status
	}
	const queues, keys, queue = "/api/v1/queues", "/api/v1/keys", `{"name":"orders"}`
	for name, tt := range map[string]struct {
		got, want int
	}{
		"a viewer looks":               {ask(through, "GET", queues, "", "X-User", "vera"), 200},
		"a viewer changes":             {ask(through, "POST", queues, queue, "X-User", "vera"), 403},
		"an operator changes":          {ask(through, "POST", queues, queue, "X-User", "olga"), 201},
		"an operator sees keys":        {ask(through, "GET", keys, "", "X-User", "olga"), 403},
		"an admin sees keys":           {ask(through, "GET", keys, "", "X-User", "ann"), 200},
		"an admin, another account":    {ask(through, "GET", queues+"?account="+accountB, "", "X-User", "ann"), 403},
		"a user without access":        {ask(through, "GET", queues, "", "X-User", "nora"), 403},
		"a user that is none":          {ask(through, "GET", queues, "", "X-User", "eve"), 403},
		"nobody":                       {ask(through, "GET", queues, ""), 401},
		"an empty name":                {ask(through, "GET", queues, "", "X-User", ""), 401},
		"two names":                    {ask(through, "GET", queues, "", "X-User", "vera", "X-User", "ann"), 401},
		"two names in one":             {ask(through, "GET", queues, "", "X-User", "vera,ann"), 403},
		"another spelling":             {ask(through, "GET", queues, "", "X_User", "ann"), 401},
		"another spelling, and a name": {ask(through, "GET", keys, "", "X_User", "ann", "X-User", "vera"), 403},
		"with a wrong key":             {ask(through, "GET", queues, "", "X-User", "ann", "Authorization", "Bearer "+rootKey+":wrong"), 401},
		"from another site":            {ask(through, "POST", queues, queue, "X-User", "ann", "Sec-Fetch-Site", "cross-site"), 403},
		"past the proxy":               {ask(v.url, "GET", queues, "", "X-User", "ann"), 401},
		"past it, as if by it":         {ask(v.url, "GET", queues, "", "X-User", "ann", "X-Forwarded-For", "127.0.0.2"), 401},
		"past it, metrics":             {ask(v.url, "GET", "/metrics", "", "X-User", "ann"), 401},
		"to SQS":                       {ask(through, "POST", "/", "{}", "X-User", "ann", "X-Amz-Target", "AmazonSQS.ListQueues"), 403},
		"to MNS":                       {ask(through, "GET", "/queues", "", "X-User", "ann"), 400},
		"the console":                  {ask(through, "GET", "/console/"+accountA+"/us-east-1/queues", "", "X-User", "vera"), 200},
		"the console, past the proxy":  {ask(v.url, "GET", "/console/"+accountA+"/us-east-1/queues", "", "X-User", "vera"), 200}, // the login, which it leads to
		"another service":              {ask(through, "POST", "/", "{}", "X-User", "ann", "X-Amz-Target", "DynamoDB_20120810.ListTables"), 200},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %d, want %d", name, tt.got, tt.want)
		}
	}
	if passedOn == nil || passedOn.Get("X-User") != "" {
		t.Errorf("passed on to another server: %v", passedOn)
	}
	if events := v.audit(t, "action=create-queue&account="+accountA); len(events) == 0 || events[len(events)-1].UserIdentity.UserName == "" {
		t.Errorf("audited as %+v", events)
	}
}

const allowsSending = `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}`

// TestPoliciesOfAnySize gives policies that are too long to be one, and such as a naive matcher never comes to an end
// with: the first are refused and change nothing, the others are decided as quickly as any.
func TestPoliciesOfAnySize(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	owner := v.key(t, core.NewKey{Account: accountA})
	queue := createQueue(t, v.sqs(by(owner)), strings.Repeat("a", 80))
	statements10000 := `{"Version":"2012-10-17","Statement":[` + strings.TrimSuffix(strings.Repeat(`{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"},`, 10_000), ",") + `]}`
	setPolicy := func(text string) error {
		_, err := v.sqs(by(owner)).SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &queue, Attributes: map[string]string{"Policy": text}})
		return err
	}
	if err := setPolicy(statements10000); errorCode(err) != "InvalidAttributeValue" {
		t.Errorf("a queue's policy of 10,000 statements: %v", err)
	}
	if _, err := v.iam(owner).CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(strings.ReplaceAll(statements10000, `"Principal":"*",`, ""))}); !slices.Contains([]string{"LimitExceeded", "MalformedInput"}, errorCode(err)) {
		t.Errorf("a managed policy of 10,000 statements: %v", err)
	}
	evil := `"` + strings.Repeat("*a", 100) + `*b"`
	bomb := strings.Repeat(`{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":["arn:aws:sqs:*:*:`+strings.Repeat("a*", 30)+`b"],"Condition":{"StringLike":{"aws:UserAgent":[`+evil+`,`+evil+`]}}},`, 9)
	if err := setPolicy(`{"Version":"2012-10-17","Statement":[` + bomb + `{"Effect":"Allow","Principal":{"AWS":"` + accountB + `"},"Action":"sqs:SendMessage","Resource":"*"}]}`); err != nil {
		t.Fatalf("wildcards: %v", err)
	}
	sender := v.user(t, accountB, "ci", core.AWS, strings.Repeat(`{"Effect":"Deny","Action":"sqs:`+strings.Repeat("s*", 30)+`x","Resource":"arn:aws:sqs:*:*:`+strings.Repeat("*a", 30)+`b"},`, 8)+allowsSending)
	named := func(o *sqs.Options) {
		o.HTTPClient = changing(func(r *http.Request) { r.Header.Set("User-Agent", strings.Repeat("a", 30_000)) })
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // a machine that does much else
	defer cancel()
	for range 20 {
		if _, err := v.sqs(by(sender), named).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("x")}); err != nil {
			t.Fatal(err)
		}
	}
	wantCounts(t, v.sqs(by(owner)), queue, 20, 0, 0)
}

// TestBrowsersUseSQS has a page of another origin in a real browser call SQS with requests that are signed, as AWS's
// SDK for browsers does; it must be let to where signatures are asked for, and kept from where nobody is.
func TestBrowsersUseSQS(t *testing.T) {
	t.Parallel()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		pgtest.NotRun(t, "chromium", "no chromium")
		return
	}
	guarded, open := startVerifying(t, ""), start(t)
	show := func(base string) string {
		t.Helper()
		r := sigv4(t, base, "CreateQueue", `{"QueueName":"by-browser"}`)
		pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<body><script>fetch(%q, {method: 'POST', body: '{"QueueName":"by-browser"}', headers: {
				'Authorization': %q, 'X-Amz-Date': %q, 'X-Amz-Target': 'AmazonSQS.CreateQueue', 'Content-Type': 'application/x-amz-json-1.0'}})
				.then(async (r) => { document.body.textContent = r.status + ' ' + r.headers.get('x-amzn-requestid').length + ' ' + await r.text() }, (e) => { document.body.textContent = 'refused: ' + e })</script>`,
				base+"/", r.Header.Get("Authorization"), r.Header.Get("X-Amz-Date"))
		}))
		defer pages.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		profile, err := os.MkdirTemp("", "polymq-browser-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(profile) // which fails while one of the browser's processes still writes there
		var out, log bytes.Buffer
		cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir="+profile, "--virtual-time-budget=20000", "--dump-dom", strings.Replace(pages.URL, "127.0.0.1", "localhost", 1))
		cmd.Stdout, cmd.Stderr = &out, &log
		cmd.Env = append(os.Environ(), "NO_PROXY=*", "no_proxy=*")
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %s", err, log.String())
		}
		return out.String()
	}
	if page := show(guarded.url); !strings.Contains(page, "200 36 ") || !strings.Contains(page, "/"+defaultAccount+"/by-browser") {
		t.Errorf("where signatures are asked for: %s", page)
	}
	if page := show(open.url); !strings.Contains(page, "refused: ") { // localhost and 127.0.0.1 are two sites
		t.Errorf("where nobody is asked who he is: %s", page)
	}
	if out, err := open.sqs().ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil || len(out.QueueUrls) > 0 {
		t.Errorf("a page of another site has made %v, %v", out, err)
	}
}
