package sdktests

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/polymq/polymq/core"
)

// form makes a request of the query protocol to SQS, with parameters in the URL and in the body, signed with a key.
func (v *verifying) form(t *testing.T, key core.Key, path, query, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.url+path+"?"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: string(key.Secret)}, r, hex.EncodeToString(sum[:]), "sqs", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

// What a request says twice, in two ways, is permitted for the one that is done.
func TestParameterConfusion(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	root := v.sqs(by(v.key(t, core.NewKey{Account: accountA})))
	orders, secret := createQueue(t, root, "orders"), createQueue(t, root, "secret")
	ci := v.user(t, accountA, "ci", core.AWS, `{"Effect":"Allow","Action":["sqs:SendMessage","sqs:PurgeQueue"],"Resource":"arn:aws:sqs:us-east-1:111122223333:orders"},{"Effect":"Allow","Action":"sqs:ListQueues","Resource":"*"}`)
	const mine, theirs = "/" + accountA + "/orders", "/" + accountA + "/secret"
	send := "Action=SendMessage&MessageBody=x&QueueUrl="
	for name, r := range map[string]*http.Request{
		"two actions":                v.form(t, ci, "/", "", "Action=SendMessage&Action=DeleteQueue&MessageBody=x&QueueUrl="+url.QueryEscape(secret)),
		"two actions, turned":        v.form(t, ci, "/", "", "Action=DeleteQueue&Action=SendMessage&MessageBody=x&QueueUrl="+url.QueryEscape(orders)),
		"an action in each":          v.form(t, ci, mine, "Action=SendMessage&MessageBody=x", "Action=DeleteQueue"),
		"an action in each, turned":  v.form(t, ci, mine, "Action=DeleteQueue", "Action=SendMessage&MessageBody=x"),
		"two queues":                 v.form(t, ci, "/", "", send+url.QueryEscape(orders)+"&QueueUrl="+url.QueryEscape(secret)),
		"two queues, turned":         v.form(t, ci, "/", "", send+url.QueryEscape(secret)+"&QueueUrl="+url.QueryEscape(orders)),
		"a queue in each":            v.form(t, ci, "/", "QueueUrl="+url.QueryEscape(orders), send+url.QueryEscape(secret)),
		"a queue in each, turned":    v.form(t, ci, "/", "QueueUrl="+url.QueryEscape(secret), send+url.QueryEscape(orders)),
		"the path of one":            v.form(t, ci, mine, "", send+url.QueryEscape(secret)),
		"the path of the other":      v.form(t, ci, theirs, "", send+url.QueryEscape(orders)),
		"an empty queue":             v.form(t, ci, theirs, "", send),
		"escaped":                    v.form(t, ci, "/", "", "Action=SendMessage&MessageBody=x&Queue%55rl="+url.QueryEscape(secret)),
		"a slash at the end":         v.form(t, ci, "/", "", send+url.QueryEscape(secret+"/")),
		"a query in it":              v.form(t, ci, "/", "", send+url.QueryEscape(secret+"?"+mine)),
		"a list for a request":       v.form(t, ci, "/", "", "Action=ListQueues&Action=DeleteQueue&QueueUrl="+url.QueryEscape(secret)),
		"of a batch, another's path": v.form(t, ci, theirs, "", "Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=x"),
	} {
		if _, answer := roundTrip(t, r); strings.Contains(answer, "DeleteQueueResponse") {
			t.Errorf("%s: %s", name, answer)
		}
	}
	for name, body := range map[string]string{
		"two queues":         fmt.Sprintf(`{"QueueUrl":%q,"MessageBody":"x","QueueUrl":%q}`, orders, secret),
		"two queues, turned": fmt.Sprintf(`{"QueueUrl":%q,"MessageBody":"x","QueueUrl":%q}`, secret, orders),
		"in another case":    fmt.Sprintf(`{"QueueUrl":%q,"MessageBody":"x","queueurl":%q}`, orders, secret),
		"escaped":            fmt.Sprintf(`{"QueueUrl":%q,"MessageBody":"x","\u0051ueueUrl":%q}`, orders, secret),
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, v.url+theirs, strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
		sum := sha256.Sum256([]byte(body))
		if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: ci.ID, SecretAccessKey: string(ci.Secret)}, r, hex.EncodeToString(sum[:]), "sqs", "us-east-1", time.Now()); err != nil {
			t.Fatal(err)
		}
		if status, answer := roundTrip(t, r); status >= http.StatusInternalServerError {
			t.Errorf("JSON, %s: %d %s", name, status, answer)
		}
	}
	wantCounts(t, root, secret, 0, 0, 0)
	if _, err := root.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("orders")}); err != nil {
		t.Errorf("orders: %v", err)
	}
}

// A presigned URL is good for what it was made for.
func TestPresignedURLsAreForOneThing(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	ci := v.key(t, core.NewKey{Account: accountA}) // who may do everything
	client := v.sqs(by(ci))
	orders, other := createQueue(t, client, "orders"), createQueue(t, client, "other")
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, orders+"?Action=GetQueueAttributes&AttributeName.1=All&X-Amz-Expires=60", nil)
	empty := sha256.Sum256(nil)
	signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: ci.ID, SecretAccessKey: string(ci.Secret)}, r, hex.EncodeToString(empty[:]), "sqs", "us-east-1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	replaced := func(old, with string) string {
		t.Helper()
		if !strings.Contains(signed, old) {
			t.Fatalf("%s is not in %s", old, signed)
		}
		return strings.Replace(signed, old, with, 1)
	}
	for name, tt := range map[string]struct {
		method, url, body string
		header            map[string]string
		refused           bool
	}{
		"as it is":           {"GET", signed, "", nil, false},
		"another action":     {"GET", replaced("Action=GetQueueAttributes", "Action=DeleteQueue"), "", nil, true},
		"one action more":    {"GET", replaced("?", "?Action=DeleteQueue&"), "", nil, true},
		"and behind":         {"GET", signed + "&Action=DeleteQueue", "", nil, true},
		"another queue":      {"GET", replaced("/orders?", "/other?"), "", nil, true},
		"a queue more":       {"GET", signed + "&QueueUrl=" + url.QueryEscape(other), "", nil, true},
		"for longer":         {"GET", replaced("X-Amz-Expires=60", "X-Amz-Expires=600"), "", nil, true},
		"two lives":          {"GET", signed + "&X-Amz-Expires=600", "", nil, true},
		"another method":     {"POST", signed, "", nil, true},
		"a form":             {"POST", signed, "Action=DeleteQueue", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, true},
		"a form in a GET":    {"GET", signed, "Action=DeleteQueue", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, true},
		"a target":           {"GET", signed, "", map[string]string{"X-Amz-Target": "AmazonSQS.DeleteQueue"}, true},
		"a token":            {"GET", signed + "&X-Amz-Security-Token=x", "", nil, true},
		"another host":       {"GET", signed, "", map[string]string{"Host": "sqs.eu-west-1.amazonaws.com"}, true},
		"another's protocol": {"GET", signed, "", map[string]string{"X-Mns-Version": "2015-06-06"}, true},
		"of SNS":             {"GET", strings.Replace(signed, "%2Fsqs%2F", "%2Fsns%2F", 1), "", nil, true},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, tt.url, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range tt.header {
			if r.Header.Set(key, value); key == "Host" {
				r.Host = value
			}
		}
		if status, answer := roundTrip(t, r); (status >= 400 && status < 500) != tt.refused || status >= 500 {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	for _, queue := range []string{orders, other} {
		wantCounts(t, client, queue, 0, 0, 0)
	}
}

// A header that names a credential beside the one that is signed changes nothing.
func TestCredentialsBesideTheSignedOne(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	r := sigv4(t, v.url, "CreateQueue", `{"QueueName":"orders"}`)
	date := time.Now().UTC().Format("20060102")
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Credential=", "XCredential="+rootKey+"/"+date+"/eu-west-1/sqs/aws4_request, Credential=", 1))
	if status, answer := roundTrip(t, r); status != http.StatusOK {
		t.Logf("refused: %d %s", status, answer)
	}
	elsewhere, err := v.sqs(asRoot, func(o *sqs.Options) { o.Region = "eu-west-1" }).ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil || len(elsewhere.QueueUrls) != 0 {
		t.Errorf("in a region that nobody signed for: %v, %v", elsewhere, err)
	}
}

// Sessions can at most what their makers could give: policies take away, and trust is not enough for strangers.
func TestSessionsDoNotWiden(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	root := v.key(t, core.NewKey{Account: accountA})
	orders := createQueue(t, v.sqs(by(root)), "orders")
	role := func(name, trust string) *string {
		t.Helper()
		made, err := v.iam(root).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: statements(trust)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.iam(root).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: statements(`{"Effect":"Allow","Action":["sqs:SendMessage","sts:AssumeRole"],"Resource":"*"}`)}); err != nil {
			t.Fatal(err)
		}
		return made.Role.Arn
	}
	sender := role("sender", `{"Effect":"Allow","Principal":{"AWS":"`+accountA+`"},"Action":"sts:AssumeRole"}`)
	open := role("open", `{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`)
	ours := role("ours", `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalAccount":"`+accountA+`"}}}`)
	ci := v.user(t, accountA, "ci", core.AWS, `{"Effect":"Allow","Action":["sts:*","sqs:SendMessage"],"Resource":"*"}`)
	stranger := v.user(t, accountB, "eve", core.AWS, `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	nobody := v.user(t, accountB, "mallory", core.AWS, `{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`)
	assume := func(by core.Key, role, policy *string) (core.Key, string) {
		out, err := v.sts(by).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: role, RoleSessionName: aws.String("s1"), Policy: policy})
		if err != nil {
			return core.Key{}, errorCode(err)
		}
		return core.Key{ID: *out.Credentials.AccessKeyId, Secret: core.Secret(*out.Credentials.SecretAccessKey), Token: core.Secret(*out.Credentials.SessionToken)}, ""
	}
	may := func(name string, key core.Key, sends bool) {
		t.Helper()
		client := v.sqs(with(key.ID, string(key.Secret), string(key.Token)))
		if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &orders, MessageBody: aws.String("x")}); (err == nil) != sends {
			t.Errorf("%s sends: %v", name, err)
		}
		if _, err := client.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &orders}); errorCode(err) != "AccessDenied" {
			t.Errorf("%s purges: %v", name, err)
		}
		if _, err := v.sts(key).GetSessionToken(t.Context(), nil); errorCode(err) != "AccessDenied" {
			t.Errorf("%s makes another session: %v", name, err)
		}
	}
	all := statements(`{"Effect":"Allow","Action":"*","Resource":"*"}`)
	wide, code := assume(ci, sender, all)
	if code != "" {
		t.Fatal(code)
	}
	may("a session that asks for everything", wide, true)
	narrow, _ := assume(ci, sender, statements(`{"Effect":"Allow","Action":"sqs:ReceiveMessage","Resource":"*"}`))
	may("a session that asks for less", narrow, false)
	if _, code := assume(narrow, sender, all); code != "AccessDenied" {
		t.Errorf("a bounded session takes the role anew: %q", code)
	}
	federated, err := v.sts(ci).GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("guest"), Policy: all})
	if err != nil {
		t.Fatal(err)
	}
	may("a federated user", core.Key{ID: *federated.Credentials.AccessKeyId, Secret: core.Secret(*federated.Credentials.SecretAccessKey), Token: core.Secret(*federated.Credentials.SessionToken)}, true)
	if _, err := v.iam(root).UpdateUser(t.Context(), &iam.UpdateUserInput{UserName: aws.String("ci"), NewPath: aws.String("/staff/")}); err != nil {
		t.Fatal(err)
	}
	guest := v.sqs(with(*federated.Credentials.AccessKeyId, *federated.Credentials.SecretAccessKey, *federated.Credentials.SessionToken))
	deny := statements(`{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::` + accountA + `:user/staff/ci"},"Action":"sqs:SendMessage","Resource":"*"}`)
	for policy, want := range map[string]string{*deny: "AccessDenied", "": ""} {
		if _, err := v.sqs(by(root)).SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &orders, Attributes: map[string]string{"Policy": policy}}); err != nil {
			t.Fatal(err)
		}
		if _, err := guest.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &orders, MessageBody: aws.String("x")}); errorCode(err) != want {
			t.Errorf("a federated user of one who is denied by an ARN with a path, policy %q: %v", policy, err)
		}
	}
	for name, tt := range map[string]struct {
		who  core.Key
		role *string
		want string
	}{
		"a stranger, by the account's trust":          {stranger, sender, "AccessDenied"},
		"a stranger, by trust in all":                 {stranger, open, ""},
		"who may not assume roles, by trust in all":   {nobody, open, "AccessDenied"},
		"a stranger, by trust in all of the account":  {stranger, ours, "AccessDenied"},
		"the account's own, by trust in all of it":    {ci, ours, ""},
		"a role that is not there":                    {ci, aws.String(strings.Replace(*open, "open", "none", 1)), "AccessDenied"},
		"a role by another path":                      {ci, aws.String(strings.Replace(*open, "role/open", "role/x/open", 1)), "AccessDenied"},
		"a role of another account of the same name ": {ci, aws.String(strings.Replace(*open, accountA, accountB, 1)), "AccessDenied"},
	} {
		if _, code := assume(tt.who, tt.role, nil); code != tt.want {
			t.Errorf("%s: got %q, want %q", name, code, tt.want)
		}
	}
	if _, err := v.iam(root).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("x"), AssumeRolePolicyDocument: statements(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::*:root"},"Action":"sts:AssumeRole"}`)}); errorCode(err) != "MalformedPolicyDocument" {
		t.Errorf("a wildcard in a principal: %v", err)
	}
}

// However a queue is addressed, another account's is out of reach, and answered as one that is not there.
func TestQueueURLsOfOtherAccounts(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	owner, stranger := v.sqs(by(v.key(t, core.NewKey{Account: accountA}))), v.sqs(by(v.key(t, core.NewKey{Account: accountB})))
	queue := createQueue(t, owner, "orders")
	for _, shape := range []string{
		v.url + "/" + accountA + "/NAME", accountA + "/NAME", "/" + accountA + "/NAME", v.url + "/queue/us-east-1/" + accountA + "/NAME", "https://sqs.us-east-1.amazonaws.com/" + accountA + "/NAME",
		"https://us-east-1.queue.amazonaws.com/" + accountA + "/NAME", "https://queue.amazonaws.com/" + accountA + "/NAME", v.url + "//" + accountA + "//NAME", v.url + "/" + accountA + "/NAME/",
		v.url + "/" + accountB + "/../" + accountA + "/NAME", v.url + "/" + accountB + "/" + accountA + "/NAME", v.url + "/" + accountA + "/NAME?x=/" + accountB + "/NAME",
	} {
		told := map[string]string{}
		for _, name := range []string{"orders", "absent"} {
			url := strings.ReplaceAll(shape, "NAME", name)
			_, sent := stranger.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
			_, received := stranger.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url})
			_, deleted := stranger.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &url})
			told[name] = errorCode(sent) + " " + errorCode(received) + " " + errorCode(deleted)
			if sent == nil || received == nil || deleted == nil {
				t.Errorf("%s: %s", url, told[name])
			}
		}
		if told["orders"] != told["absent"] {
			t.Errorf("%s tells what there is: %v", shape, told)
		}
	}
	wantCounts(t, owner, queue, 0, 0, 0)
}

// Paths of the JSON API that are written in unusual ways show a viewer no more than the usual ones.
func TestPathsOfTheAPI(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	broker := v.server.Broker()
	if _, err := broker.CreateIdentity(t.Context(), core.Identity{IdentityName: core.IdentityName{Account: accountA, Kind: core.User, Name: "vera"}, Access: core.Viewer}); err != nil {
		t.Fatal(err)
	}
	viewer, root := v.key(t, core.NewKey{Account: accountA, User: "vera"}), v.sqs(by(v.key(t, core.NewKey{Account: accountA})))
	queue := createQueue(t, root, "orders")
	if _, err := root.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("the body")}); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"GET /api/v1/keys", "GET //api/v1/keys", "GET /api/v1//keys", "GET /api/v1/./keys", "GET /api/v1/queues/../keys", "GET /api/v1/queues%2F..%2Fkeys", "GET /api/v1/%6beys", "GET /api/v1/keys/", "GET /api/v1/keys%00",
		"GET /api/v1/queues/orders%2Fmessages", "GET /api/v1/queues%2Forders/messages", "GET /api/v1/queues/orders/%6dessages", "GET /api/v1/queues/orders/messages", "POST /api/v1/queues/orders/messages%3Areceive",
		"POST /api/v1/queues/orders/messages:receive", "POST /api/v1/queues/orders/messages%3apurge", "POST /api/v1/queues/orders/messages:purge", "DELETE /api/v1/queues/orders%2F", "DELETE /api/v1/queues/orders",
		"DELETE /api/v1/queues/%6frders", "GET /api/v1/queues?account=" + accountB, "GET /api/v1/queues?account=" + accountA + "&account=" + accountB, "GET /api/v1/queues?Account=" + accountB, "GET /api/v1/audit", "GET /metrics/../api/v1/audit",
		"HEAD /api/v1/keys", "PUT /api/v1/keys", "GET http://" + "elsewhere" + "/api/v1/keys",
	} {
		method, target, _ := strings.Cut(line, " ")
		r := &http.Request{Method: method, URL: &url.URL{Scheme: "http", Host: strings.TrimPrefix(v.url, "http://"), Opaque: target}, Header: http.Header{"Authorization": {"Bearer " + viewer.ID + ":" + string(viewer.Secret)}}}
		response, err := httpClient.Transport.RoundTrip(r.WithContext(t.Context()))
		if err != nil {
			continue // refused by the server before it was read
		}
		answer, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if text := string(answer); strings.Contains(text, "the body") || strings.Contains(text, viewer.ID) || strings.Contains(text, accountB+"/") || response.StatusCode >= 500 {
			t.Errorf("%s: %d %s", line, response.StatusCode, text)
		}
	}
	wantCounts(t, root, queue, 1, 0, 0)
}

// What MNS signs is the target as it is on the request line; spelt in another way it means the same or nothing.
func TestSpellingsOfMNSTargets(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	queue := createQueue(t, v.sqs(asRoot), "orders")
	if _, err := v.sqs(asRoot).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("x")}); err != nil {
		t.Fatal(err)
	}
	ask := func(signed, sent string) string {
		date := time.Now().UTC().Format(http.TimeFormat)
		mac := hmac.New(sha1.New, []byte(rootSecret))
		mac.Write([]byte("GET\n\n\n" + date + "\nx-mns-version:2015-06-06\n" + signed))
		return raw(t, v.url, "GET "+sent+" HTTP/1.1\r\nHost: mns\r\nConnection: close\r\nX-Mns-Version: 2015-06-06\r\nDate: "+date+"\r\nAuthorization: MNS "+rootKey+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil))+"\r\n\r\n")
	}
	const peek = "/queues/orders/messages?peekonly=true"
	if status := ask(peek, peek); !strings.HasPrefix(status, "200") {
		t.Fatalf("a peek: %s", status)
	}
	for _, sent := range []string{
		"/queues/orders/messages", "/queues/orders/messages?peekonly%3Dtrue", "/queues/orders/messages%3Fpeekonly=true", "/queues/orders/messages?peekonly=true%26numOfMessages=16", "/queues/orders/messages?peekonly=true&numOfMessages=16",
		"/queues/orders/messages?%70eekonly=true", "/queues/orders/messages?peekonly=false", "/queues/orders/messages?peekonly=true#", "/queues/orders/messages?peekonly=true&", "/queues/orders/messages?peekonly=",
	} {
		if status := ask(peek, sent); strings.HasPrefix(status, "200") || strings.HasPrefix(status, "5") {
			t.Errorf("signed as a peek, %s: %s", sent, status)
		}
	}
	for _, sent := range []string{"/queues/orders%2Fmessages?peekonly=true", "/queues/%6frders/messages?peekonly=true", "//queues/orders/messages?peekonly=true"} {
		_ = ask(peek, sent) // which means the same, or is refused
	}
	wantCounts(t, v.sqs(asRoot), queue, 1, 0, 0)
}
