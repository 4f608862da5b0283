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

// TestSignedRequests recomputes the signatures that a server gets to see.
func TestSignedRequests(t *testing.T) {
	t.Parallel()
	expected := map[string]func(r *http.Request) string{"sqs": expectSigV4, "mns": expectMNS}
	for name, expect := range expected {
		for _, signed := range []bool{true, false} {
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
				args := []string{"--protocol", name, "--messages", "20", "--endpoint", server.start(t), "--access-key", "key", "--secret-key", "secret", "--region", "eu-west-1"}
				if signed {
					args = append(args, "--sign")
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
