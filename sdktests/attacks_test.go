package sdktests

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// startGuarded starts a server that verifies, with what else the configuration says.
func startGuarded(t *testing.T, config server.Config) *verifying {
	t.Helper()
	log := new(syncBuffer)
	config.Listen, config.DatabaseURL, config.TestMode = []string{"127.0.0.1:0"}, pgtest.DatabaseURL(t), true
	config.LogLevel, config.LogFormat, config.LogOutput = "trace", "json", log
	config.Auth, config.MasterKey, config.AdminKey = "verify", testMasterKey, rootKey+":"+rootSecret
	srv, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	return &verifying{polymq{srv.URL(), rootKey}, srv, log}
}

// acs3 makes a request of Alibaba's control plane, signed for the host of its URL.
func acs3(t *testing.T, base, action string, query url.Values) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/?"+strings.ReplaceAll(query.Encode(), "+", "%20"), nil)
	if err != nil {
		t.Fatal(err)
	}
	empty := sha256.Sum256(nil)
	r.Header.Set("X-Acs-Action", action)
	r.Header.Set("X-Acs-Version", "2022-01-19")
	r.Header.Set("X-Acs-Date", time.Now().UTC().Format("2006-01-02T15:04:05Z"))
	r.Header.Set("X-Acs-Signature-Nonce", uuid.NewString())
	r.Header.Set("X-Acs-Content-Sha256", hex.EncodeToString(empty[:]))
	signed := []string{"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"}
	canonical := "POST\n/\n" + r.URL.RawQuery + "\n"
	for _, name := range signed {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.URL.Host
		}
		canonical += name + ":" + value + "\n"
	}
	canonical += "\n" + strings.Join(signed, ";") + "\n" + r.Header.Get("X-Acs-Content-Sha256")
	digest := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(rootSecret))
	mac.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(digest[:])))
	r.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential="+rootKey+",SignedHeaders="+strings.Join(signed, ";")+",Signature="+hex.EncodeToString(mac.Sum(nil)))
	return r
}

// sigv4 makes a signed request to SQS.
func sigv4(t *testing.T, base, action, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: rootKey, SecretAccessKey: rootSecret}, r, hex.EncodeToString(sum[:]), "sqs", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

func roundTrip(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	response, err := httpClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// rewriting is an ingress that changes the Host, and says what it was.
func rewriting(t *testing.T, target string) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Transport: ownTransport(), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.SetXForwarded()
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// throughEach makes a call by each kind of signature, and gives how each ended: "" for well.
func throughEach(t *testing.T, base string) map[string]string {
	t.Helper()
	ended := map[string]string{}
	_, err := polymq{base, rootKey}.sqs(asRoot).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders")})
	ended["SigV4"] = errorCode(err)
	ended["MNS"] = mnsThrough(t, base)
	if status, answer := roundTrip(t, acs3(t, base, "ListQueue", url.Values{})); status != http.StatusOK {
		ended["ACS3"] = answer
	} else {
		ended["ACS3"] = ""
	}
	return ended
}

// mnsThrough makes a call with MNS's SDK, or one like its own where that panics, at an address of IPv6.
func mnsThrough(t *testing.T, base string) string {
	t.Helper()
	if strings.Contains(base, "[") {
		status, answer := roundTrip(t, mnsSignedBy(t, base, core.Key{ID: rootKey, Secret: rootSecret}, http.MethodGet, "/queues", time.Now()))
		if status == http.StatusOK {
			return ""
		}
		return answer
	}
	client := ali_mns.NewAliMNSClientWithConfig(ali_mns.AliMNSClientConfig{EndPoint: base + "/.", AccessKeyId: rootKey, AccessKeySecret: rootSecret})
	err := ali_mns.NewMNSQueueManager(client).CreateSimpleQueue("jobs")
	if err == nil || strings.Contains(err.Error(), "already exist") {
		return ""
	}
	return err.Error()
}

func TestSignaturesBehindAnIngressThatRewritesHost(t *testing.T) {
	t.Parallel()
	trusting := startGuarded(t, server.Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	proxy := rewriting(t, trusting.url)
	for scheme, code := range throughEach(t, proxy) {
		if code != "" {
			t.Errorf("%s by a trusted proxy: %s", scheme, code)
		}
	}
	found, err := polymq{proxy, rootKey}.sqs(asRoot).GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("orders")})
	if err != nil || !strings.HasPrefix(*found.QueueUrl, proxy+"/") {
		t.Errorf("the client is told %v, %v, want an address at %s", found, err, proxy)
	}
	wary := startGuarded(t, server.Config{})
	for scheme, code := range throughEach(t, rewriting(t, wary.url)) {
		if signsHost := scheme != "MNS"; signsHost != strings.Contains(code, "SignatureDoesNotMatch") {
			t.Errorf("%s by a proxy that nobody trusts: %q", scheme, code)
		}
	}
}

// A request that was recorded and is sent again, or changed, within what each signature guarantees.
func TestReplayedAndAlteredRequests(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	first := acs3(t, v.url, "CreateQueue", url.Values{"QueueName": {"orders"}})
	if status, answer := roundTrip(t, first); status != http.StatusOK {
		t.Fatalf("the first time: %d %s", status, answer)
	}
	if _, answer := roundTrip(t, first.Clone(t.Context())); !strings.Contains(answer, "SignatureNonceUsed") {
		t.Errorf("ACS3 a second time: %s", answer)
	}
	alter := map[string]func(*http.Request){
		"query":  func(r *http.Request) { r.URL.RawQuery = "QueueName=other" },
		"action": func(r *http.Request) { r.Header.Set("X-Acs-Action", "DeleteQueue") },
		"added":  func(r *http.Request) { r.Header.Add("X-Acs-Action", "DeleteQueue") },
		"path":   func(r *http.Request) { r.URL.Path = "/x" },
		"method": func(r *http.Request) { r.Method = http.MethodGet },
		"signature": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Signature=", "Signature=0", 1))
		},
		"fewer headers signed": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "x-acs-signature-nonce;", "", 1))
		},
		"another algorithm": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", 1))
		},
		"two signatures": func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) },
		"body":           func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("QueueName=x")), 11 },
	}
	for name, change := range alter {
		r := acs3(t, v.url, "GetQueueAttributes", url.Values{"QueueName": {"orders"}})
		change(r)
		if status, answer := roundTrip(t, r); status == http.StatusOK || !strings.Contains(answer, "Signature") {
			t.Errorf("ACS3, %s: %d %s", name, status, answer)
		}
	}
	alter = map[string]func(*http.Request){
		"algorithm HMAC-SHA1": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", 1))
		},
		"algorithm ECDSA": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", 1))
		},
		"algorithm none": func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-NONE Credential="+rootKey+"/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=")
		},
		"as MNS":       func(r *http.Request) { r.Header.Set("Authorization", "MNS "+rootKey+":AAAAAAAAAAAAAAAAAAAAAAAAAAA=") },
		"as a bearer":  func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+rootKey+":wrong") },
		"an empty one": func(r *http.Request) { r.Header.Set("Authorization", "") },
		"two of them":  func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) },
		"a header not signed": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "x-amz-target", "x-amz-target2", 1))
		},
		"a second target":  func(r *http.Request) { r.Header.Add("X-Amz-Target", "AmazonSQS.DeleteQueue") },
		"an unsigned body": func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") },
		"date of tomorrow": func(r *http.Request) {
			r.Header.Set("X-Amz-Date", time.Now().UTC().Add(24*time.Hour).Format("20060102T150405Z"))
		},
	}
	for name, change := range alter {
		r := sigv4(t, v.url, "CreateQueue", `{"QueueName":"stolen"}`)
		change(r)
		if status, answer := roundTrip(t, r); status < 400 || status >= 500 {
			t.Errorf("SigV4, %s: %d %s", name, status, answer)
		}
	}
	if out, err := v.sqs(asRoot).ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil || len(out.QueueUrls) != 1 {
		t.Errorf("queues %v, %v, want only the one that was made in earnest", out, err)
	}
}

// raw sends bytes as they are and gives the status of the answer, "closed" where there is none.
func raw(t *testing.T, base, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		return "closed"
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return "closed"
	}
	_, status, _ := strings.Cut(strings.TrimSpace(line), " ")
	return status
}

// What two parsers could read in two ways is refused, and what a client says of proxies is not believed.
func TestSmuggledHeaders(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	for name, request := range map[string]string{
		"length and chunks":       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"two lengths":             "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"a blank before a colon":  "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 5\r\n\r\nhello",
		"a folded header":         "POST / HTTP/1.1\r\nHost: h\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two hosts":               "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"a length that is signed": "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello",
		"a bare line feed in one": "GET /healthz HTTP/1.1\r\nHost: h\r\nX-A: b\x00c\r\n\r\n",
	} {
		if status := raw(t, v.url, request); !strings.HasPrefix(status, "400") && !strings.HasPrefix(status, "501") && status != "closed" {
			t.Errorf("%s: answered %s", name, status)
		}
	}
	r := sigv4(t, v.url, "CreateQueue", `{"QueueName":"orders"}`)
	for name, value := range map[string]string{"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Real-Ip": "6.6.6.6", "Forwarded": "for=6.6.6.6"} {
		r.Header.Set(name, value)
	}
	status, answer := roundTrip(t, r)
	if status != http.StatusOK || strings.Contains(answer, "evil") || strings.Contains(answer, "https:") {
		t.Errorf("with forwarded headers of nobody's: %d %s", status, answer)
	}
	if events := v.audit(t, "action=CreateQueue"); len(events) != 1 || events[0].SourceIPAddress != "127.0.0.1" {
		t.Errorf("audited as %+v", events)
	}
}

// A session's token is good with its own key alone, and one of any size ends in a refusal.
func TestTokensOfOthers(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	one := v.key(t, core.NewKey{Account: "111122223333", Lasts: time.Hour})
	two := v.key(t, core.NewKey{Account: "444455556666", Lasts: time.Hour})
	for name, tt := range map[string]struct {
		token string
		want  string
	}{
		"its own": {string(one.Token), ""}, "another account's": {string(two.Token), "InvalidClientTokenId"}, "none": {"", "InvalidClientTokenId"},
		"a long one": {strings.Repeat("A", 30_000), "InvalidClientTokenId"}, "with something behind": {string(one.Token) + "A", "InvalidClientTokenId"},
	} {
		_, err := v.sqs(with(one.ID, string(one.Secret), tt.token)).ListQueues(t.Context(), &sqs.ListQueuesInput{})
		if got := errorCode(err); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	if status := raw(t, v.url, "GET / HTTP/1.1\r\nHost: h\r\nX-Amz-Security-Token: "+strings.Repeat("A", 1<<20)+"\r\n\r\n"); !strings.HasPrefix(status, "431") && status != "closed" {
		t.Errorf("a token of a megabyte: %s", status)
	}
}

// Names that would be something else in a path, a header or a log.
func TestNamesThatInject(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, name := range []string{"a\r\nX-Evil: 1", "a%0d%0aX-Evil:%201", "../../etc/passwd", "..", "a/b", "a\x00b", "a?b=c", "a#b", "<x>", "a\u2028b", strings.Repeat("a", 5000)} {
		body, _ := json.Marshal(map[string]string{"QueueName": name})
		requests := map[string]*http.Request{}
		requests["SQS"], _ = http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/", bytes.NewReader(body))
		requests["SQS"].Header.Set("X-Amz-Target", "AmazonSQS.CreateQueue")
		requests["MNS"], _ = http.NewRequestWithContext(t.Context(), http.MethodPut, p.url+"/queues/"+url.PathEscape(name), strings.NewReader("<Queue/>"))
		requests["MNS"].Header.Set("X-Mns-Version", "2015-06-06")
		requests["SNS"], _ = http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/?Action=CreateTopic&Version=2010-03-31&Name="+url.QueryEscape(name), nil)
		requests["JSON API"], _ = http.NewRequestWithContext(t.Context(), http.MethodDelete, p.url+"/api/v1/queues/"+url.PathEscape(name), nil)
		for protocol, r := range requests {
			response, err := httpClient.Do(r)
			if err != nil {
				t.Errorf("%s, %.30q: %v", protocol, name, err)
				continue
			}
			answer, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.StatusCode < 400 || response.StatusCode >= 500 || response.Header.Get("X-Evil") != "" {
				t.Errorf("%s, %.30q: %d %s", protocol, name, response.StatusCode, answer)
			}
			if strings.Contains(string(answer), "<x>") && strings.Contains(response.Header.Get("Content-Type"), "xml") {
				t.Errorf("%s gives %q back as markup: %s", protocol, name, answer)
			}
		}
	}
}

// Requests that do not get on leave the server to others.
func TestSlowRequests(t *testing.T) {
	t.Parallel()
	p := start(t)
	for range 300 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: 1000000\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := p.sqs().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("orders")}); err != nil {
		t.Errorf("beside 300 requests that stand still: %v", err)
	}
}

// Subscriptions lead to nothing inside, by whatever name, and redirects lead nowhere.
func TestSubscriptionsLeadNowhereInside(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	redirected := make(chan struct{}, 1)
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(inside.Close)
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		l, err = net.Listen("tcp", "[::1]:0") // where only one address is this machine's
	}
	if err != nil {
		t.Fatal(err)
	}
	bouncing := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inside.URL, http.StatusTemporaryRedirect)
		select {
		case redirected <- struct{}{}:
		default: // it was before
		}
	})}
	go func() { _ = bouncing.Serve(l) }()
	t.Cleanup(func() { _ = bouncing.Close() })
	allowed := netip.MustParseAddrPort(l.Addr().String()).Addr()
	v := startGuarded(t, server.Config{PushAllow: []netip.Prefix{netip.PrefixFrom(allowed, allowed.BitLen())}})
	client := sns.New(sns.Options{BaseEndpoint: &v.url, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider(rootKey, rootSecret, "")})
	topic, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("news")})
	if err != nil {
		t.Fatal(err)
	}
	endpoints := []string{"127.0.0.1:" + port, "localhost:" + port, "2130706433:" + port, "0x7f000001:" + port, "0177.0.0.1:" + port, "[::ffff:127.0.0.1]:" + port,
		"[::]:" + port, "0:" + port, "169.254.169.254", "[::ffff:169.254.169.254]", "2852039166", "100.100.100.200", "[fd00:ec2::254]", l.Addr().String()}
	for _, endpoint := range endpoints {
		_, err := client.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("http"), Endpoint: aws.String("http://" + endpoint + "/hook")})
		if err != nil && errorCode(err) != "InvalidParameter" {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	select {
	case <-redirected:
	case <-time.After(time.Minute):
		t.Fatal("not even the address that is allowed was pushed to")
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("what is inside was reached %d times", n)
	}
}

// A run with every feature that knows a secret, at its most talkative.
func TestNoFeatureLogsSecrets(t *testing.T) {
	t.Parallel()
	const mail, forwarded, platform, endpoint, chosen, wrong = "mailSecret0123", "forwardSecret0123", "platformSecret0123", "endpointSecret0123", "chosenSecret0123", "wrongSecret0123"
	v := startGuarded(t, server.Config{
		SMTPURL: core.Secret("smtp://user:" + mail + "@127.0.0.1:1"), ForwardUnknown: "http://user:" + forwarded + "@127.0.0.1:1", LambdaEndpoint: "http://user:" + forwarded + "@127.0.0.1:1",
		TLS: "auto", MessageLog: "all",
	})
	v.url = plainly(v.url)
	session := v.key(t, core.NewKey{Account: "000000000000", Lasts: time.Hour})
	v.api(t, http.MethodPost, "/keys", `{"id":"AKIDMADE","secret":"`+chosen+`"}`)
	client := sns.New(sns.Options{BaseEndpoint: &v.url, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider(session.ID, string(session.Secret), string(session.Token))})
	_, err := client.CreatePlatformApplication(t.Context(), &sns.CreatePlatformApplicationInput{Name: aws.String("app"), Platform: aws.String("GCM"), Attributes: map[string]string{"PlatformCredential": platform}})
	if err != nil {
		t.Fatal(err)
	}
	topic, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("news")})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = client.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("http"), Endpoint: aws.String("http://user:" + endpoint + "@127.0.0.1:1/")})
	_, _ = client.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("email"), Endpoint: aws.String("a@example.com")})
	rpc := url.Values{"Action": {"ListQueue"}, "Version": {"2022-01-19"}, "AccessKeyId": {session.ID}, "SecurityToken": {string(session.Token)}, "Signature": {wrong},
		"SignatureMethod": {"HMAC-SHA1"}, "SignatureNonce": {"n1"}, "Timestamp": {time.Now().UTC().Format("2006-01-02T15:04:05Z")}}
	for _, target := range []string{"/?" + rpc.Encode(), "/?Action=ListQueues&X-Amz-Security-Token=" + url.QueryEscape(string(session.Token)), "/2015-03-31/functions/" + wrong} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+target, nil)
		_, _ = roundTrip(t, r)
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/api/v1/keys", nil)
	r.Header.Set("Authorization", "Bearer "+rootKey+":"+wrong+"x")
	if status, _ := roundTrip(t, r); status != http.StatusUnauthorized {
		t.Errorf("a wrong secret: %d", status)
	}
	authority, err := v.server.Broker().FindSecret(t.Context(), "tls_authority")
	if err != nil {
		t.Fatal(err)
	}
	audited := v.api(t, http.MethodGet, "/audit?limit=1000", "")
	if !strings.Contains(audited, "CreatePlatformApplication") || !strings.Contains(v.log.String(), `"smtp-url":"***"`) {
		t.Fatalf("not what it should be:\n%s\n%s", audited, v.log.String())
	}
	if err := v.server.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	token := string(session.Token)
	for _, secret := range []string{testMasterKey, rootSecret, mail, forwarded, platform, endpoint, chosen, wrong + "x", string(session.Secret), token, url.QueryEscape(token),
		url.QueryEscape(url.QueryEscape(token)), string(authority[40:80])} {
		if at := strings.Index(v.log.String(), secret); at >= 0 {
			t.Errorf("the log shows %.12s…: %s", secret, v.log.String()[max(0, at-200):at])
		}
		if strings.Contains(audited, secret) {
			t.Errorf("the audit log shows %.12s…", secret)
		}
	}
}
