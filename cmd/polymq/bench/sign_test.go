package bench

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// TestMNSSignature has the vectors of specs/mns.md 1.3.
func TestMNSSignature(t *testing.T) {
	t.Parallel()
	const june = "Tue, 03 Jun 2025 11:23:48 GMT"
	tests := []struct {
		secret, method, contentType, date, headers, target string
		want                                               string
	}{
		{"sk1", "POST", "", june, "x-mns-abcdef:abcDEF\n", "/queues/TestQueue", "cAThPWnbphg3hDe3ZHDADTgkgyE="},
		{"sk-kkkkkk1111111111", "GET", "", "Wed, 03 Dec 2025 11:23:48 GMT", "x-mns-abcdef:KKKkkk\n", "/queues/TestQueue123456", "lPxnfNA+Qo/aj18MYJUnRMqa84I="},
		{"testSk", "GET", "", june, "", "/queues/TestQueue", "uDJQXbk2xOhH95MDXmgbAGdtyE4="},
		{"testSk", "POST", "application/json", june, "", "/queues/Test Queue@123", "GZ/I9UgZsqvbzfzjd0GmA6VHOx4="},
	}
	for _, tt := range tests {
		if got := mnsSignature(tt.secret, tt.method, tt.contentType, tt.date, tt.headers, tt.target); got != tt.want {
			t.Errorf("%s %s: signature %s, want %s", tt.method, tt.target, got, tt.want)
		}
	}
}

// TestMNSAuthorization4 has those of the vectors of specs/mns.md 1.4 whose targets hold nothing to escape.
func TestMNSAuthorization4(t *testing.T) {
	t.Parallel()
	tests := []struct {
		key, secret, region, at, method, headers, target string
		want                                             string
	}{
		{"akkkkk1111111111", "skkkkkkk1111111111", "region2", "20251203T112348Z", "PUT", "x-mns-abc:kkk\nx-mns-sss:2015-06-06xFFF\n", "/queues/TestQueue123456",
			"04f1e5f929b5aaac3af6a54970f591581ecd2aade2562f926c5f2ec5d5c8cfad"},
		{"akkkkk222222222", "skkkkkk2222222222", "eu-west-1", "20251204T063235Z", "GET",
			"content-md5:0d9d2ce750000593eb34f00\ncontent-type:application/json\nx-mns-ttt:1\nx-mns-uuuuu:FALse\nx-mns-version:2015-06-30\n", "/queues",
			"294f776a2d5726df679b54b081ab8126a199a2545c8c8a7a875adff0b386e458"},
		{"testAk", "testSk", "testRegion", "20250603T105235Z", "GET", "", "/", "63f78964dcd1132bab91b9c38ceebdfb59509149b34874c5b2c9dfc2b12e7291"},
	}
	for _, tt := range tests {
		at, err := time.Parse("20060102T150405Z", tt.at)
		if err != nil {
			t.Fatal(err)
		}
		want := "MNS4-HMAC-SHA256 Credential=" + tt.key + "/" + tt.at[:8] + "/" + tt.region + "/mns/aliyun_v4_request,Signature=" + tt.want
		if got := mnsAuthorization4(tt.key, tt.secret, tt.region, at, tt.method, tt.headers, tt.target); got != want {
			t.Errorf("%s %s: got %s, want %s", tt.method, tt.target, got, want)
		}
	}
}

// TestSignedRequests recomputes the signatures that a server gets to see.
func TestSignedRequests(t *testing.T) {
	t.Parallel()
	expected := map[string]func(r *http.Request) string{"sqs": expectSigV4, "mns": expectMNS, "mns --signature 4": expectMNS4}
	for name, expect := range expected {
		for _, signed := range []bool{true, false} {
			protocol, more, _ := strings.Cut(name, " ")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				server := newFake()
				var good, bad atomic.Int64
				server.before = func(_ http.ResponseWriter, r *http.Request) bool {
					if r.Header.Get("Authorization") == expect(r) {
						good.Add(1)
					} else {
						bad.Add(1)
					}
					return false
				}
				args := []string{"--protocol", protocol, "--messages", "20", "--endpoint", server.start(t), "--access-key", "key", "--secret-key", "secret", "--region", "eu-west-1"}
				if signed {
					args = append(append(args, "--sign"), strings.Fields(more)...)
				}
				if _, _, err := execArgs(t.Context(), t, args...); err != nil {
					t.Fatal(err)
				}
				if (good.Load() > 0) != signed || (bad.Load() > 0) == signed {
					t.Errorf("%d good signatures, %d others, signed: %t", good.Load(), bad.Load(), signed)
				}
			})
		}
	}
}

func expectMNS(r *http.Request) string {
	return "MNS key:" + mnsSignature("secret", r.Method, r.Header.Get("Content-Type"), r.Header.Get("Date"), "x-mns-version:2015-06-06\n", r.RequestURI)
}

func expectMNS4(r *http.Request) string {
	at, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return ""
	}
	return mnsAuthorization4("key", "secret", "eu-west-1", at, r.Method, "content-type:"+r.Header.Get("Content-Type")+"\nx-mns-version:2015-06-06\n", r.RequestURI)
}

// expectSigV4 signs a request's signed headers anew.
func expectSigV4(r *http.Request) string {
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	names, _, _ := strings.Cut(rest, ",")
	header := http.Header{}
	for _, name := range strings.Split(names, ";") {
		if values := r.Header.Values(name); len(values) > 0 {
			header[http.CanonicalHeaderKey(name)] = values
		}
	}
	body, _ := io.ReadAll(r.Body)
	hash := sha256.Sum256(body)
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return ""
	}
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.RequestURI, bytes.NewReader(body))
	if err != nil {
		return ""
	}
	again.Header = header
	keys := aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}
	if err := v4.NewSigner().SignHTTP(r.Context(), keys, again, hex.EncodeToString(hash[:]), "sqs", "eu-west-1", at); err != nil {
		return ""
	}
	return again.Header.Get("Authorization")
}
