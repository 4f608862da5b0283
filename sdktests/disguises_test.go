package sdktests

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/polymq/polymq/core"
)

// onTheWire gives a request without its body as it is sent, with another target on its first line.
func onTheWire(r *http.Request, target string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", r.Method, target, r.URL.Host)
	for name, values := range r.Header {
		for _, value := range values {
			fmt.Fprintf(&text, "%s: %s\r\n", name, value)
		}
	}
	return text.String()
}

// TestSignedRequestsInDisguise sends what was signed with another target or other lines of headers, as no client of HTTP
// would: what is not refused does what was signed, and nothing else.
func TestSignedRequestsInDisguise(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	key := v.key(t, core.NewKey{Account: accountA})
	client := v.sqs(by(key))
	orders, secret := createQueue(t, client, "orders"), createQueue(t, client, "secret")
	const path, other, body = "/" + accountA + "/orders", "/" + accountA + "/secret", "Action=SendMessage&MessageBody=x"
	host := strings.TrimPrefix(v.url, "http://")
	line := func(old, with string) func(string) string {
		return func(text string) string {
			if !strings.Contains(text, old) {
				t.Fatalf("%q is not in %s", old, text)
			}
			return strings.Replace(text, old, with, 1)
		}
	}
	more := func(header string) func(string) string {
		return line("\r\n\r\n", "\r\n"+header+"\r\n\r\n")
	}
	length := fmt.Sprintf("Content-Length: %d", len(body))
	done := 0
	for name, tt := range map[string]struct {
		target  string
		edit    func(string) string
		refused bool // else it may be as well
	}{
		"as it is":                       {path, nil, false},
		"two slashes":                    {"/" + path, nil, false},
		"another queue":                  {other, nil, true},
		"up from another":                {other + "/../orders", nil, false},
		"up from another, escaped":       {other + "/%2e%2e/orders", nil, true},
		"up from another, escaped twice": {other + "/%252e%252e/orders", nil, true},
		"up to another":                  {path + "/../secret", nil, true},
		"up and out":                     {path + "/../../.." + path, nil, false},
		"a dot":                          {"/" + accountA + "/./orders", nil, false},
		"a slash that is escaped":        {"/" + accountA + "%2Forders", nil, true},
		"a letter that is escaped":       {"/" + accountA + "/%6frders", nil, true},
		"a NUL":                          {path + "%00", nil, true},
		"a parameter of the path":        {path + ";/../secret", nil, true},
		"a fragment":                     {path + "#/../secret", nil, true},
		"an empty query":                 {path + "?", nil, false},
		"a query":                        {path + "?Action=DeleteQueue", nil, true},
		"an action as the last step":     {path + "/DeleteQueue", nil, true},
		"nothing but a star":             {"*", nil, true},
		"absolute":                       {"http://" + host + path, nil, false},
		"absolute, another Host":         {"http://" + host + path, line("Host: "+host, "Host: elsewhere"), false},
		"absolute, another host":         {"http://elsewhere" + path, nil, true},
		"absolute, with a user":          {"http://root@" + host + path, nil, false},
		"absolute, another queue":        {"http://" + host + other, nil, true},
		"without a host":                 {"http:///" + accountA + "/orders", nil, false},
		"a dot behind the host":          {path, line("Host: "+host, "Host: "+host+"."), true},
		"a user before the host":         {path, line("Host: "+host, "Host: root@"+host), true},
		"another port":                   {path, line("Host: "+host, "Host: "+host+"0"), true},
		"the name of this machine":       {path, line("Host: 127.0.0.1", "Host: localhost"), true},
		"a folded header":                {path, line("X-Amz-Date: ", "X-Amz-Date:\r\n "), false},
		"a header folded into one":       {path, line("Authorization: ", "X-A: b\r\n Authorization: "), true},
		"names in small letters":         {path, line("Authorization: ", "authorization: "), false},
		"another Authorization":          {path, more("authorization: Bearer " + key.ID + ":" + string(key.Secret)), true},
		"a target":                       {path, more("x-amz-target: AmazonSQS.DeleteQueue"), true},
		"a token":                        {path, more("X-Amz-Security-Token: x"), true},
		"a digest of another body":       {path, more("X-Amz-Content-Sha256: " + strings.Repeat("0", 64)), true},
		"an unsigned body":               {path, more("X-Amz-Content-Sha256: UNSIGNED-PAYLOAD"), true},
		"an encoding":                    {path, more("Content-Encoding: gzip"), true},
		"chunks":                         {path, line(length+"\r\n\r\n"+body, fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)), true},
		"another protocol":               {path, more("X-Mns-Version: 2015-06-06"), false},
		"another date":                   {path, more("Date: Thu, 01 Jan 2026 00:00:00 GMT"), false},
		"another method, by a header":    {path, more("X-HTTP-Method-Override: DELETE"), false},
		"proxies":                        {path, more("X-Forwarded-Host: elsewhere\r\nX-Forwarded-Proto: https\r\nX-Original-URL: " + other + "\r\nX-Rewrite-URL: " + other), false},
	} {
		r := v.form(t, key, path, "", body)
		text := onTheWire(r, tt.target) + length + "\r\n\r\n" + body
		if tt.edit != nil {
			text = tt.edit(text)
		}
		status := raw(t, v.url, text)
		accepted := strings.HasPrefix(status, "2")
		if accepted {
			done++
		}
		if accepted && tt.refused || strings.HasPrefix(status, "5") && !strings.HasPrefix(status, "501") {
			t.Errorf("%s: %s", name, status)
		}
	}
	if done == 0 {
		t.Error("not even the request as it was signed was done")
	}
	wantCounts(t, client, orders, done, 0, 0)
	wantCounts(t, client, secret, 0, 0, 0)
}

// TestHostsOfOtherAccounts asks MNS, which signs no host, for what another account has at its host in every spelling.
func TestHostsOfOtherAccounts(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	owner, stranger := v.key(t, core.NewKey{Account: accountA}), v.key(t, core.NewKey{Account: accountB})
	queue := createQueue(t, v.sqs(by(owner)), "orders")
	if _, err := v.sqs(by(owner)).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("x")}); err != nil {
		t.Fatal(err)
	}
	const peek, its = "/queues/orders/messages?peekonly=true", accountA + ".mns.us-east-1.localhost"
	ask := func(key core.Key, target, host string) string {
		r := mnsSignedBy(t, v.url, key, http.MethodGet, peek, time.Now())
		return raw(t, v.url, strings.Replace(onTheWire(r, target), "Host: "+r.URL.Host, "Host: "+host, 1)+"\r\n")
	}
	if status := ask(owner, peek, its); !strings.HasPrefix(status, "200") {
		t.Fatalf("the owner: %s", status)
	}
	for _, host := range []string{its, its + ":80", its + ".", its + ".:80", strings.ToUpper(its), "x@" + its, "x:y@" + its + ":80", " " + its, its + "#", its + "/", "[" + its + "]", accountA + ".mns.us-east-1.aliyuncs.com", "%31" + its[1:]} {
		if status := ask(stranger, peek, host); strings.HasPrefix(status, "2") || strings.HasPrefix(status, "5") {
			t.Errorf("at %q: %s", host, status)
		}
		if status := ask(stranger, "http://"+strings.TrimSpace(host)+peek, "127.0.0.1"); strings.HasPrefix(status, "2") || strings.HasPrefix(status, "5") {
			t.Errorf("absolute, at %q: %s", host, status)
		}
	}
}

// TestSessionsThatLostTheirMaker takes away whom sessions stand for: they end with it, and one of the same name that is
// made anew does not bring them back.
func TestSessionsThatLostTheirMaker(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	root := v.key(t, core.NewKey{Account: accountA})
	orders := createQueue(t, v.sqs(by(root)), "orders")
	makes := v.iam(root)
	sends := func(key core.Key) string {
		_, err := v.sqs(with(key.ID, string(key.Secret), string(key.Token))).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &orders, MessageBody: aws.String("x")})
		return errorCode(err)
	}
	const all = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	role := func() *string {
		t.Helper()
		made, err := makes.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("sender"), AssumeRolePolicyDocument: statements(`{"Effect":"Allow","Principal":{"AWS":"` + accountA + `"},"Action":"sts:AssumeRole"}`)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := makes.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("sender"), PolicyName: aws.String("p"), PolicyDocument: statements(all)}); err != nil {
			t.Fatal(err)
		}
		return made.Role.Arn
	}
	assumed, err := v.sts(root).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: role(), RoleSessionName: aws.String("s1")})
	if err != nil {
		t.Fatal(err)
	}
	asRole := core.Key{ID: *assumed.Credentials.AccessKeyId, Secret: core.Secret(*assumed.Credentials.SecretAccessKey), Token: core.Secret(*assumed.Credentials.SessionToken)}
	ann := v.iamUser(t, root, "ann", all)
	got, err := v.sts(ann).GetSessionToken(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	asAnn := core.Key{ID: *got.Credentials.AccessKeyId, Secret: core.Secret(*got.Credentials.SecretAccessKey), Token: core.Secret(*got.Credentials.SessionToken)}
	if a, b := sends(asRole), sends(asAnn); a+b != "" {
		t.Fatalf("while all is there: %q, %q", a, b)
	}
	try := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	policy := "arn:aws:iam::" + accountA + ":policy/ann"
	try(makes.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: aws.String("ann"), AccessKeyId: &ann.ID}))
	try(makes.DetachUserPolicy(t.Context(), &iam.DetachUserPolicyInput{UserName: aws.String("ann"), PolicyArn: &policy}))
	if code := sends(asAnn); code != "AccessDenied" {
		t.Errorf("a user's session, when its policies are taken away: %q", code)
	}
	try(makes.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: aws.String("ann")}))
	try(makes.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("sender"), PolicyName: aws.String("p")}))
	try(makes.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("sender")}))
	wants := func(when string) {
		t.Helper()
		if a, b := sends(asRole), sends(asAnn); a != "AccessDenied" || b != "InvalidClientTokenId" {
			t.Errorf("%s a role's session is answered with %q, a user's with %q", when, a, b)
		}
	}
	wants("deleted:")
	role()
	try(makes.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")}))
	try(makes.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: aws.String("ann"), PolicyArn: &policy}))
	wants("made anew:")
}

// TestTopicsAreNoDeputies subscribes an account's queues, whose policies name a topic or its account, to another account's
// topic of the same name.
func TestTopicsAreNoDeputies(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	owner, stranger := v.key(t, core.NewKey{Account: accountA}), v.key(t, core.NewKey{Account: accountB})
	news := map[string]*string{}
	for account, key := range map[string]core.Key{accountA: owner, accountB: stranger} {
		topic, err := v.topics(key).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("news")})
		if err != nil {
			t.Fatal(err)
		}
		news[account] = topic.TopicArn
	}
	queues := map[string]string{}
	for name, condition := range map[string]string{
		"by-arn": `"ArnEquals":{"aws:SourceArn":"` + *news[accountA] + `"}`, "by-arn-like": `"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:` + accountA + `:*"}`, "by-account": `"StringEquals":{"aws:SourceAccount":"` + accountA + `"}`,
	} {
		queues[name] = createQueue(t, v.sqs(by(owner)), name)
		policy := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*","Condition":{` + condition + `}}}`
		if _, err := v.sqs(by(owner)).SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(queues[name]), Attributes: map[string]string{"Policy": policy}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, by := range []core.Key{stranger, owner} {
		account := by.Account
		for name := range queues {
			_, err := v.topics(by).Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: news[account], Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN(accountA, name))})
			if err != nil {
				t.Errorf("%s subscribes %s: %v", account, name, err)
			}
		}
		if _, err := v.topics(by).Publish(t.Context(), &sns.PublishInput{TopicArn: news[account], Message: aws.String("from " + account)}); err != nil {
			t.Fatal(err)
		}
	}
	for name, queue := range queues {
		got := bodiesIn(t, v.sqs(by(owner)), queue, 1)
		if len(got) != 1 || !strings.Contains(got[0], "from "+accountA) {
			t.Errorf("%s has %v", name, got)
		}
		wantCounts(t, v.sqs(by(owner)), queue, 0, 1, 0)
	}
}
