package sdktests

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/polymq/polymq/core"
)

// TestPresignedURLs has the presigner of each SDK of AWS's make URLs, with an account's own key and with a session's: they
// do what they were made for, and neither more, nor later, nor without the session's token.
func TestPresignedURLs(t *testing.T) {
	t.Parallel()
	for auth, v := range map[string]*verifying{"verify": startVerifying(t, ""), "enforce": startEnforcing(t, "")} {
		t.Run(auth, func(t *testing.T) {
			t.Run("Go", func(t *testing.T) { v.presigns(t) })
			t.Run("Go's of STS", func(t *testing.T) { v.presignsSTS(t) })
			for _, p := range programs {
				if !slices.Contains([]string{"python", "node", "java-mns-2.0.0"}, p.name) || !p.available(t) {
					continue
				}
				p.checks, p.env = []string{"presigned"}, append(slices.Clone(p.env), "POLYMQ_SECRET_KEY="+rootSecret)
				t.Run(p.name, func(t *testing.T) { p.check(t, v.polymq) })
			}
		})
	}
}

// presigned gives a URL for one action of a queue, good for a minute.
func presigned(t *testing.T, queue string, key core.Key, at time.Time, parameters url.Values) string {
	t.Helper()
	parameters.Set("X-Amz-Expires", "60")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, queue+"?"+strings.ReplaceAll(parameters.Encode(), "+", "%20"), nil)
	if err != nil {
		t.Fatal(err)
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: string(key.Secret), SessionToken: string(key.Token)}, r, empty, "sqs", "us-east-1", at)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// follow does what a link says, and gives the status and the answer.
func follow(t *testing.T, link string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	return roundTrip(t, r)
}

// sessionToken gets a session of the root key.
func (v *verifying) sessionToken(t *testing.T) core.Key {
	t.Helper()
	out, err := v.sts(core.Key{ID: rootKey, Secret: rootSecret}).GetSessionToken(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return core.Key{ID: *out.Credentials.AccessKeyId, Secret: core.Secret(*out.Credentials.SecretAccessKey), Token: core.Secret(*out.Credentials.SessionToken)}
}

var (
	signatureInURL = regexp.MustCompile(`&X-Amz-Signature=[0-9a-f]+`)
	tokenInURL     = regexp.MustCompile(`&X-Amz-Security-Token=[^&]+`)
)

func (v *verifying) presigns(t *testing.T) {
	root, session, another := core.Key{ID: rootKey, Secret: rootSecret}, v.sessionToken(t), v.sessionToken(t)
	foreign := session
	foreign.Token = another.Token
	client, now := v.sqs(asRoot), time.Now()
	queue := createQueue(t, client, "go")
	const body = "by link +1 & Ω"
	send := func(key core.Key, at time.Time) string {
		return presigned(t, queue, key, at, url.Values{"Action": {"SendMessage"}, "MessageBody": {body}})
	}
	for name, key := range map[string]core.Key{"the account's key": root, "a session's": session} {
		status, answer := follow(t, send(key, now))
		if got := bodiesIn(t, client, queue, 10); status != http.StatusOK || !slices.Equal(got, []string{body}) {
			t.Errorf("%s: %d %s, and then %v", name, status, answer, got)
		}
	}
	good := send(session, now)
	for name, tt := range map[string]struct {
		link   string
		status int
		code   string
	}{
		"another action":            {strings.Replace(good, "SendMessage", "PurgeQueue", 1), 403, "SignatureDoesNotMatch"},
		"another body":              {strings.Replace(good, "by%20link", "another", 1), 403, "SignatureDoesNotMatch"},
		"for longer":                {strings.Replace(good, "X-Amz-Expires=60", "X-Amz-Expires=600", 1), 403, "SignatureDoesNotMatch"},
		"one parameter more":        {good + "&DelaySeconds=1", 403, "SignatureDoesNotMatch"},
		"without its signature":     {signatureInURL.ReplaceAllString(good, ""), 400, "IncompleteSignature"},
		"without its token":         {tokenInURL.ReplaceAllString(good, ""), 403, "SignatureDoesNotMatch"},
		"another session's token":   {send(foreign, now), 403, "InvalidClientTokenId"},
		"past its end":              {send(session, now.Add(-time.Hour)), 403, "SignatureDoesNotMatch"},
		"of the account, past that": {send(root, now.Add(-time.Hour)), 403, "SignatureDoesNotMatch"},
	} {
		if status, answer := follow(t, tt.link); status != tt.status || !strings.Contains(answer, "<Code>"+tt.code+"</Code>") {
			t.Errorf("%s: %d %s, want %d %s", name, status, answer, tt.status, tt.code)
		}
	}
	if got := bodiesIn(t, client, queue, 10); len(got) > 0 {
		t.Errorf("what was refused sent %v", got)
	}
}

// presignsSTS has the SDK's presigner of STS, by which clusters of Kubernetes know who somebody is.
func (v *verifying) presignsSTS(t *testing.T) {
	session := v.sessionToken(t)
	made, err := sts.NewPresignClient(v.sts(session)).PresignGetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := follow(t, made.URL); status != http.StatusOK || !strings.Contains(answer, "<Account>000000000000</Account>") {
		t.Errorf("as it is: %d %s", status, answer)
	}
	for name, link := range map[string]string{
		"another action":    strings.Replace(made.URL, "GetCallerIdentity", "GetSessionToken", 1),
		"without its token": tokenInURL.ReplaceAllString(made.URL, ""),
	} {
		if status, answer := follow(t, link); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
}
