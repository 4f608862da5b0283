package sdktests

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// watchedRounds is how often it is looked whether two requests run the same statements, since the server has chores of its
// own: what really differs does so each time.
const watchedRounds = 50

// TestTimeTellsNothing compares what it takes to be denied what another account has, and what nobody has: the same statements
// of the database, however much of it the server remembers. What is left is to read one row, some hundredths of a
// millisecond.
func TestTimeTellsNothing(t *testing.T) {
	t.Parallel()
	database, ran := watchedDatabase(t)
	v := startEnforcing(t, database)
	owner, stranger := v.key(t, core.NewKey{Account: accountA}), v.key(t, core.NewKey{Account: accountB})
	queues := v.sqs(by(owner))
	queue := createQueue(t, queues, present)
	policy := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"777788889999"},"Action":"*","Resource":"*"}}`
	if _, err := queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &queue, Attributes: map[string]string{"Policy": policy}}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.topics(owner).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String(present)}); err != nil {
		t.Fatal(err)
	}
	v.furnishRole(t)
	as := walker{v, stranger}
	for name, tt := range map[string]struct {
		ask   func(string) *http.Request
		reads bool // the database, and not only what the request says of itself
	}{
		"SendMessage":    {func(of string) *http.Request { return as.sqsJSON(t, "SendMessage", accountA, of) }, true},
		"ReceiveMessage": {func(of string) *http.Request { return as.sqsQuery(t, "ReceiveMessage", accountA, of) }, true},
		"GetQueueUrl":    {func(of string) *http.Request { return as.sqsJSON(t, "GetQueueUrl", accountA, of) }, true},
		"DeleteQueue":    {func(of string) *http.Request { return as.sqsJSON(t, "DeleteQueue", accountA, of) }, false},
		"Publish": {func(of string) *http.Request {
			return awsWalk("sns", sns20100331, snsParameters)(as, t, "Publish", accountA, of)
		}, true},
		"AssumeRole": {func(of string) *http.Request {
			return awsWalk("sts", sts20110615, stsParameters)(as, t, "AssumeRole", accountA, of)
		}, true},
		"the JSON API": {func(of string) *http.Request { return v.bearer(t, stranger, "/queues/"+of+"?account="+accountA) }, false},
		"unsigned":     {func(of string) *http.Request { return unsigned(as.sqsQuery(t, "SendMessage", accountA, of)) }, true},
	} {
		costs := func(of string) []string {
			r := tt.ask(of)
			return ran.during(func() {
				if status, answer := as.ask(t, r); status < 400 || status >= 500 {
					t.Fatalf("%s: %d %s", name, status, answer)
				}
			})
		}
		var there, none []string
		for range watchedRounds {
			if there, none = costs(present), costs(missing); slices.Equal(there, none) {
				break
			}
		}
		if !slices.Equal(there, none) || tt.reads && len(there) == 0 {
			t.Errorf("%s: what is there takes%s\nwhat is not%s", name, numbered(there), numbered(none))
		}
	}
}

const sns20100331, sts20110615 = "2010-03-31", "2011-06-15"

// unsigned takes the signature away.
func unsigned(r *http.Request) *http.Request {
	r.Header.Del("Authorization")
	return r
}

func (v *verifying) bearer(t *testing.T, key core.Key, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/api/v1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key.ID+":"+string(key.Secret))
	return r
}

// furnishRole gives the owner a role that trusts somebody else, and denies all others.
func (v *verifying) furnishRole(t *testing.T) {
	t.Helper()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"777788889999"},"Action":"sts:AssumeRole"},` +
		`{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"777788889999"}}}]}`
	name := core.IdentityName{Account: accountA, Kind: core.Role, Cloud: core.AWS, Name: present}
	if _, err := v.server.Broker().CreateIdentity(t.Context(), core.Identity{IdentityName: name, Trust: trust}); err != nil {
		t.Fatal(err)
	}
}

// What a role's trust policy denies strangers reads as if there were no such role.
func TestDeniedRolesLookAbsent(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	v.furnishRole(t)
	stranger := walker{v, v.key(t, core.NewKey{Account: accountB})}
	assume := awsWalk("sts", sts20110615, stsParameters)
	_, there := stranger.ask(t, assume(stranger, t, "AssumeRole", accountA, present))
	_, none := stranger.ask(t, assume(stranger, t, "AssumeRole", accountA, missing))
	if plain(there) != plain(asPresent.Replace(none)) || !strings.Contains(there, "AccessDenied") {
		t.Errorf("got %s\nwhere there is none: %s", there, none)
	}
}

// startPair starts two servers that enforce policies, of one database. Only the first hears of changes by LISTEN where
// alone is set.
func startPair(t *testing.T, alone bool) (first, second *verifying) {
	t.Helper()
	database := pgtest.DatabaseURL(t)
	first = startEnforcing(t, database)
	srv, err := server.Start(t.Context(), server.Config{
		Listen: []string{"127.0.0.1:0"}, DatabaseURL: database, DatabasePooled: alone, LogLevel: "error", TestMode: true, Auth: "enforce", MasterKey: testMasterKey, AdminKey: rootKey + ":" + rootSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(t.Context()) })
	return first, &verifying{polymq{srv.URL(), rootKey}, srv, new(syncBuffer)}
}

// TestChangesReachOtherServers changes what a decision is made of on one server and asks another until it knows: at
// once, by notifications; and where that server hears none, when its memory is a second old. Of several changes of each
// kind the median counts, and the bound leaves time for a machine that is busy; it is half of what a server that waits
// for notifications remembers without one.
func TestChangesReachOtherServers(t *testing.T) {
	t.Parallel()
	const most = 5 * time.Second
	for name, alone := range map[string]bool{"notified": false, "without notifications": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := startPair(t, alone)
			owner, other := first.key(t, core.NewKey{Account: accountA}), first.key(t, core.NewKey{Account: accountB})
			queue := createQueue(t, first.sqs(by(owner)), "orders")
			topic, err := first.topics(owner).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("news")})
			if err != nil {
				t.Fatal(err)
			}
			ci := first.user(t, accountA, "ci", core.AWS, `{"Effect":"Allow","Action":"sqs:GetQueueUrl","Resource":"*"}`)
			policyOf := func(effect, action string) string {
				return `{"Version":"2012-10-17","Statement":{"Effect":"` + effect + `","Principal":{"AWS":"` + accountB + `"},"Action":"` + action + `","Resource":"*"}}`
			}
			looks := func(key core.Key) bool { // which is no statement that finds a queue changed
				_, err := second.sqs(by(key)).GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("orders"), QueueOwnerAWSAccountId: aws.String(accountA)})
				return err == nil
			}
			for what, change := range map[string]struct {
				set  func(allow bool) error
				sees func() bool
			}{
				"a queue's policy": {func(allow bool) error {
					_, err := first.sqs(by(owner)).SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &queue, Attributes: map[string]string{"Policy": policyOf(effects[allow], "sqs:*")}})
					return err
				}, func() bool { return looks(other) }},
				"a topic's policy": {func(allow bool) error {
					_, err := first.topics(owner).SetTopicAttributes(t.Context(), &sns.SetTopicAttributesInput{TopicArn: topic.TopicArn, AttributeName: aws.String("Policy"), AttributeValue: aws.String(policyOf(effects[allow], "SNS:GetTopicAttributes"))})
					return err
				}, func() bool {
					_, err := second.topics(other).GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: topic.TopicArn})
					return err == nil
				}},
				"a user's policy": {func(allow bool) error {
					first.allow(t, accountA, "ci", core.AWS, `{"Effect":"`+effects[allow]+`","Action":"sqs:GetQueueUrl","Resource":"*"}`)
					return nil
				}, func() bool { return looks(ci) }},
				"a key": {func(allow bool) error {
					_, err := first.server.Broker().DisableKey(t.Context(), owner.ID, !allow)
					return err
				}, func() bool { return looks(owner) }},
			} {
				var took []time.Duration
				for i := range 7 {
					allow := i%2 == 1
					if err := change.set(allow); err != nil {
						t.Fatal(err)
					}
					began := time.Now()
					eventually(t, func() bool { return change.sees() == allow })
					took = append(took, time.Since(began))
				}
				if err := change.set(true); err != nil {
					t.Fatal(err)
				}
				if slices.Sort(took); took[len(took)/2] > most {
					t.Errorf("%s was seen after %v", what, took)
				}
			}
		})
	}
}

var effects = map[bool]string{true: "Allow", false: "Deny"}
