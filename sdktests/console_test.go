package sdktests

import (
	"context"
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// TestConsoleEnforced and TestConsoleVerified show the console to a browser where everybody has to log in, over TLS. POLYMQ_SCREENSHOTS
// names a folder for pictures of every page.
func TestConsoleEnforced(t *testing.T) {
	t.Parallel()
	testConsole(t, "enforce", "enforced")
}

func TestConsoleVerified(t *testing.T) {
	t.Parallel()
	testConsole(t, "verify", "verified")
}

func testConsole(t *testing.T, auth, checks string) {
	t.Helper()
	p := consoleProgram
	if !p.available(t) {
		t.SkipNow() // not to count as passed
	}
	srv, err := server.Start(t.Context(), server.Config{
		Listen: []string{"127.0.0.1:0"}, DatabaseURL: pgtest.DatabaseURL(t), LogLevel: "error", LogOutput: t.Output(), TestMode: true, TLS: "auto",
		Auth: auth, MasterKey: testMasterKey, AdminKey: rootKey + ":" + rootSecret, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, SignOnHeader: "X-User", MessageLog: "all",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	const account = "000000000000"
	people := map[string]map[string]string{"admin": {"id": rootKey, "secret": rootSecret}}
	for name, access := range map[string]core.Access{"olga": core.Operator, "vera": core.Viewer} {
		if _, err := srv.Broker().CreateIdentity(t.Context(), core.Identity{IdentityName: core.IdentityName{Account: account, Kind: core.User, Name: name}, Access: access}); err != nil {
			t.Fatal(err)
		}
		key, err := srv.Broker().CreateKey(t.Context(), core.NewKey{Account: account, User: name})
		if err != nil {
			t.Fatal(err)
		}
		people[string(access)] = map[string]string{"id": key.ID, "secret": string(key.Secret)}
	}
	queue := core.QueueName{Account: account, Region: "us-east-1", Name: "orders"}
	if _, _, err := srv.Broker().CreateQueue(t.Context(), core.NewQueue{Name: queue, Settings: core.DefaultSettings()}); err != nil {
		t.Fatal(err)
	}
	message := core.NewMessage{Body: []byte("a needle"), Attributes: []core.Attribute{{Name: "kind", Type: "String", Value: []byte("needle")}}}
	if _, err := srv.Broker().SendMessages(t.Context(), core.SendInput{Queue: queue, Messages: []core.NewMessage{message}}); err != nil {
		t.Fatal(err)
	}
	topic := core.TopicName{Account: account, Region: "us-east-1", Name: "events"}
	if _, _, err := srv.Broker().CreateTopic(t.Context(), core.NewTopic{Name: topic, Settings: core.DefaultTopicSettings()}); err != nil {
		t.Fatal(err)
	}
	subscription := core.NewSubscription{
		Name: core.SubscriptionName{Topic: topic, Name: "to-orders"}, Format: "sns", Protocol: "sqs", Endpoint: "arn:aws:sqs:us-east-1:000000000000:orders", Queue: queue,
	}
	if _, _, err := srv.Broker().Subscribe(t.Context(), subscription); err != nil {
		t.Fatal(err)
	}
	alert := core.Alert{Name: core.AlertName{Account: account, Region: "us-east-1", Name: "late"}, Metric: "oldest_message_age", Queue: "orders", Comparison: core.Comparisons[0], Threshold: 60}
	if _, err := srv.Broker().CreateAlert(t.Context(), alert); err != nil {
		t.Fatal(err)
	}
	keys, err := json.Marshal(people)
	if err != nil {
		t.Fatal(err)
	}
	p.checks, p.env = []string{checks}, []string{"POLYMQ_PEOPLE=" + string(keys)}
	p.check(t, polymq{srv.URL(), rootKey})
}
