package sns

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// twoKeys is a source of two keys.
type twoKeys [2]*core.Key

func (keys twoKeys) Key(_ context.Context, id string) (*core.Key, error) {
	for _, key := range keys {
		if key.ID == id {
			return key, nil
		}
	}
	return nil, core.Errorf(core.KeyNotFound, "no such key")
}

// callAs calls an action with a request that is signed.
func (f fixture) callAs(t *testing.T, key *core.Key, action string, parameters ...string) reply {
	t.Helper()
	r := request(action, parameters...)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	signed := httptest.NewRequest(http.MethodPost, "http://localhost:4566/", strings.NewReader(string(body)))
	signed.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	digest := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: string(key.Secret)}
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, signed, hex.EncodeToString(digest[:]), "sns", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return f.do(t, signed)
}

// What no policy can allow to others is its owner's alone, where it is known who asks.
func TestOwnersOnly(t *testing.T) {
	t.Parallel()
	open := start(t)
	owner := &core.Key{ID: "OWNER", Secret: "secret-of-owner", Account: "000000000000"}
	other := &core.Key{ID: "OTHER", Secret: "secret-of-other", Account: "111122223333"}
	f := fixture{open.broker, New(open.broker, &caller.Options{Verify: true, Keys: twoKeys{owner, other}}, Options{})}
	open.orders(t)
	sub := open.subscribe(t, ordersARN, "sms", "+1234567890")
	application := "arn:aws:sns:us-east-1:000000000000:app/GCM/app"
	open.call(t, "CreatePlatformApplication", "Name", "app", "Platform", "GCM", "Attributes.entry.1.key", "PlatformCredential", "Attributes.entry.1.value", "c").document(t)
	for action, parameters := range map[string][]string{
		"GetSubscriptionAttributes":        {"SubscriptionArn", sub},
		"SetSubscriptionAttributes":        {"SubscriptionArn", sub, "AttributeName", "FilterPolicy", "AttributeValue", ""},
		"GetPlatformApplicationAttributes": {"PlatformApplicationArn", application},
		"CreatePlatformEndpoint":           {"PlatformApplicationArn", application, "Token", "t"},
		"TagResource":                      {"ResourceArn", ordersARN, "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"},
	} {
		f.callAs(t, owner, action, parameters...).document(t)
		f.callAs(t, other, action, parameters...).wantFault(t, wireError{http.StatusForbidden, "AuthorizationError"}, "")
		open.call(t, action, parameters...).document(t)
	}
	endpoint := "arn:aws:sns:us-east-1:000000000000:endpoint/GCM/app/1"
	f.callAs(t, other, "Publish", "TargetArn", endpoint, "Message", "m").wantFault(t, wireError{http.StatusForbidden, "AuthorizationError"}, "")
}
