package openapi

import (
	"context"
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

// oneKey is the source of one key: that of the specification's vectors.
type oneKey struct{ key core.Key }

func (k oneKey) Key(_ context.Context, id string) (*core.Key, error) {
	if id != k.key.ID {
		return nil, core.Errorf(core.KeyNotFound, "no such key")
	}
	return &k.key, nil
}

// nonces are those of one server.
type nonces struct{ used map[string]bool }

func (n *nonces) UseNonce(_ context.Context, keyID, nonce string, life time.Duration) (first bool, err error) {
	if life != 30*time.Minute {
		return false, errors.New("the nonce is not remembered for as long as the request may be sent")
	}
	if n.used == nil {
		n.used = map[string]bool{}
	}
	first = !n.used[keyID+nonce]
	n.used[keyID+nonce] = true
	return first, nil
}

func codeOf(err error) string {
	fault, _ := FaultOf(err)
	return fault.Code
}

var vectorKey = core.Key{ID: "LTAI5tEXAMPLEEXAMPLE", Account: "111122223333", Secret: "EXAMPLE-SECRET"}

// The specification's ACS3 vector (specs/mns-openapi.md 3.1).
func acs3Request(change func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/?QueueName=demo-queue", nil)
	r.Host = "127.0.0.1:9324"
	for name, value := range map[string]string{
		"X-Acs-Action": "GetQueueAttributes", "X-Acs-Version": "2022-01-19", "X-Acs-Date": "2026-01-15T08:30:00Z",
		"X-Acs-Signature-Nonce": "3156853299f313e23d1673dc12e1703d",
		"X-Acs-Content-Sha256":  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"Authorization": "ACS3-HMAC-SHA256 Credential=LTAI5tEXAMPLEEXAMPLE,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version," +
			"Signature=3ba2321c09630518b3ad4621690d1a6919a68584e80160816b7e93fe906f1965",
	} {
		r.Header.Set(name, value)
	}
	if change != nil {
		change(r)
	}
	return r
}

// The specification's vector of the RPC form (3.2).
func rpcRequest(inForm bool, change func(url.Values)) *http.Request {
	values := url.Values{
		"AccessKeyId": {"LTAI5tEXAMPLEEXAMPLE"}, "Action": {"GetQueueAttributes"}, "Format": {"JSON"}, "QueueName": {"demo-queue"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureNonce": {"3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"}, "SignatureVersion": {"1.0"}, "Timestamp": {"2026-01-15T08:30:00Z"}, "Version": {"2022-01-19"},
		"Signature": {"WABvn6OGiXrgRfLx5b3NVey4lhU="},
	}
	if change != nil {
		change(values)
	}
	body := ""
	if inForm {
		body = url.Values{"QueueName": values["QueueName"]}.Encode()
		values.Del("QueueName")
	}
	r := httptest.NewRequest(http.MethodPost, "/?"+values.Encode(), strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// rpcTwice has a parameter in the form as well as in the query; it is signed once.
func rpcTwice(value string) *http.Request {
	signed := rpcRequest(false, nil)
	r := httptest.NewRequest(http.MethodPost, signed.URL.String(), strings.NewReader(url.Values{"QueueName": {value}}.Encode()))
	return withHeader(r, "Content-Type", "application/x-www-form-urlencoded")
}

func withHeader(r *http.Request, name, value string) *http.Request {
	r.Header.Set(name, value)
	return r
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 15, 8, 30, 0, 0, time.UTC)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { withHeader(r, name, value) }
	}
	parameter := func(name, value string) func(url.Values) { return func(v url.Values) { v.Set(name, value) } }
	tests := map[string]struct {
		request *http.Request
		after   time.Duration
		code    string // of the refusal; "" for none
	}{
		"ACS3":                    {acs3Request(nil), 0, ""},
		"ACS3, 15 minutes later":  {acs3Request(nil), 15 * time.Minute, ""},
		"ACS3, 15 minutes before": {acs3Request(nil), -15 * time.Minute, ""},
		"ACS3, too late":          {acs3Request(nil), 15*time.Minute + time.Second, "InvalidTimeStamp.Expired"},
		"ACS3, too early":         {acs3Request(nil), -15*time.Minute - time.Second, "InvalidTimeStamp.Expired"},
		"ACS3, no time":           {acs3Request(header("X-Acs-Date", "today")), 0, "InvalidTimeStamp.Format"},
		"ACS3, another action":    {acs3Request(header("X-Acs-Action", "DeleteQueue")), 0, "SignatureDoesNotMatch"},
		"ACS3, another parameter": {acs3Request(func(r *http.Request) { r.URL.RawQuery = "QueueName=demo-queues" }), 0, "SignatureDoesNotMatch"},
		"ACS3, another host":      {acs3Request(func(r *http.Request) { r.Host = "127.0.0.1:9325" }), 0, "SignatureDoesNotMatch"},
		"ACS3, another body":      {acs3Request(func(r *http.Request) { r.Body = http.NoBody; r.Header.Set("X-Acs-Content-Sha256", "00") }), 0, "SignatureDoesNotMatch"},
		"ACS3, header not signed": {acs3Request(func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "x-acs-action;", "", 1))
		}), 0, "IncompleteSignature"},
		"ACS3, nonce not signed": {acs3Request(func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "x-acs-signature-nonce;", "", 1))
		}), 0, "IncompleteSignature"},
		"ACS3, token": {acs3Request(header("X-Acs-Security-Token", "t")), 0, "InvalidSecurityToken.MismatchWithAccessKey"},
		"ACS3, unknown key": {acs3Request(func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "LTAI5t", "LTAI5u", 1))
		}), 0, "InvalidAccessKeyId.NotFound"},
		"another algorithm":       {acs3Request(header("Authorization", "ACS3-RSA-SHA256 Credential=LTAI5tEXAMPLEEXAMPLE,SignedHeaders=host,Signature=0")), 0, "IncompleteSignature"},
		"RPC":                     {rpcRequest(false, nil), 0, ""},
		"RPC, in the form":        {rpcRequest(true, nil), 0, ""},
		"RPC, twice the same":     {rpcTwice("demo-queue"), 0, ""},
		"RPC, twice another":      {rpcTwice("demo-queues"), 0, "SignatureDoesNotMatch"},
		"RPC, another parameter":  {rpcRequest(true, parameter("QueueName", "demo-queues")), 0, "SignatureDoesNotMatch"},
		"RPC, one more parameter": {rpcRequest(true, parameter("DelaySeconds", "1")), 0, "SignatureDoesNotMatch"},
		"RPC, too late":           {rpcRequest(true, nil), time.Hour, "InvalidTimeStamp.Expired"},
		"RPC, no signature":       {rpcRequest(false, parameter("Signature", "")), 0, "MissingSignature"},
		"RPC, another method":     {rpcRequest(false, parameter("SignatureMethod", "HMAC-SHA256")), 0, "IncompleteSignature"},
		"RPC, unknown key":        {rpcRequest(false, parameter("AccessKeyId", "LTAI5t")), 0, "InvalidAccessKeyId.NotFound"},
		"RPC, action in a header": {withHeader(rpcRequest(false, nil), "X-Acs-Action", "DeleteQueue"), 0, "IncompleteSignature"},
		"RPC, a form that is not signed": {func() *http.Request {
			signed := rpcRequest(false, nil)
			r := httptest.NewRequest(http.MethodPost, signed.URL.String(), strings.NewReader("Action=DeleteQueue"))
			return withHeader(r, "Content-Type", "Application/x-www-form-urlencoded")
		}(), 0, "SignatureDoesNotMatch"},
		"unsigned": {httptest.NewRequest(http.MethodGet, "/?Action=ListQueue&Version=2022-01-19", nil), 0, "MissingAccessKeyId"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := NewServer(Service{}, &caller.Options{Keys: oneKey{vectorKey}, Verify: true}, new(nonces))
			server.now = func() time.Time { return at.Add(tt.after) }
			c := &Call{Caller: server.callers.Identify(tt.request)}
			body, err := server.read(tt.request, c)
			if err == nil {
				err = server.authenticate(tt.request, body, c)
			}
			switch {
			case tt.code == "" && (err != nil || c.Account != vectorKey.Account || !c.Verified):
				t.Errorf("got %v and account %q", err, c.Account)
			case tt.code != "" && (err == nil || codeOf(err) != tt.code || c.Verified):
				t.Errorf("got %v, want %s", err, tt.code)
			}
		})
	}
}

// What was sent once is refused the second time; what was refused for its signature uses no nonce up.
func TestNoncesAreUsedOnce(t *testing.T) {
	t.Parallel()
	server := NewServer(Service{}, &caller.Options{Keys: oneKey{vectorKey}, Verify: true}, new(nonces))
	server.now = func() time.Time { return time.Date(2026, 1, 15, 8, 30, 0, 0, time.UTC) }
	forms := map[string]func(valid bool) *http.Request{
		"ACS3": func(valid bool) *http.Request {
			return acs3Request(func(r *http.Request) {
				if !valid {
					r.Host = "another"
				}
			})
		},
		"RPC": func(valid bool) *http.Request {
			return rpcRequest(false, func(v url.Values) {
				if !valid {
					v.Set("QueueName", "another")
				}
			})
		},
	}
	for name, request := range forms {
		for i, want := range []string{"SignatureDoesNotMatch", "", "SignatureNonceUsed", "SignatureNonceUsed"} {
			err := server.authenticate(request(i > 0), nil, new(Call))
			if (err == nil) != (want == "") || err != nil && codeOf(err) != want {
				t.Errorf("%s, request %d: got %v, want %q", name, i, err, want)
			}
		}
	}
}

// Alibaba's old client tells a wrong secret from a wrong request by the string to sign behind the first colon.
func TestWrongSecretShowsTheStringToSign(t *testing.T) {
	t.Parallel()
	key := vectorKey
	key.Secret = "another"
	server := NewServer(Service{}, &caller.Options{Keys: oneKey{key}, Verify: true}, new(nonces))
	server.now = func() time.Time { return time.Date(2026, 1, 15, 8, 30, 0, 0, time.UTC) }
	for want, r := range map[string]*http.Request{
		"ACS3-HMAC-SHA256\n71fe7bf2d5da03aba86647dbb0b1905d401596a34f06b7d21c07e34317d2039b": acs3Request(nil),
		"POST&%2F&AccessKeyId%3DLTAI5tEXAMPLEEXAMPLE%26Action%3DGetQueueAttributes%26Format%3DJSON%26QueueName%3Ddemo-queue%26SignatureMethod%3DHMAC-SHA1" +
			"%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf%26SignatureVersion%3D1.0%26Timestamp%3D2026-01-15T08%253A30%253A00Z%26Version%3D2022-01-19": rpcRequest(false, nil),
	} {
		err := server.authenticate(r, nil, new(Call))
		fault, _ := FaultOf(err)
		if parts := strings.Split(fault.Message, ":"); fault.Code != "SignatureDoesNotMatch" || len(parts) != 2 || parts[1] != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestSignaturesOfKeysThatAreNoUse(t *testing.T) {
	t.Parallel()
	disabled, temporary, expired := vectorKey, vectorKey, vectorKey
	disabled.Disabled = true
	temporary.TokenHash = []byte("hash of another token")
	expired.Expired = true
	for code, key := range map[string]core.Key{"InvalidAccessKeyId.Inactive": disabled, "InvalidSecurityToken.MismatchWithAccessKey": temporary, "InvalidSecurityToken.Expired": expired} {
		server := NewServer(Service{}, &caller.Options{Keys: oneKey{key}, Verify: true}, new(nonces))
		server.now = func() time.Time { return time.Date(2026, 1, 15, 8, 30, 0, 0, time.UTC) }
		r := acs3Request(nil)
		if err := server.authenticate(r, nil, &Call{}); err == nil || codeOf(err) != code {
			t.Errorf("got %v, want %s", err, code)
		}
	}
}

// Blanks come as + and are signed as %20 (3.1).
func TestCanonicalQuery(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/?b=k+1&Tag.1.Value=v%2A~&a=&z=%E9%98%9F", nil)
	if got, want := canonicalQuery(r.URL.Query()), "Tag.1.Value=v%2A~&a=&b=k%201&z=%E9%98%9F"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
