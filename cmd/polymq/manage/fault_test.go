package manage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestFaultCommands(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders")
	s.must("fault", "create", "refused", "--effect", "error", "--code", "Throttled", "--queue", "ord*", "--operations", "send", "--count", "1", "--seed", "7", "--for", "1h")
	s.must("fault", "create", "slow", "--effect", "latency", "--min", "0.001", "--max", "0.002", "--seed", "8", "--protocol", "api")
	r := s.run(t.Context(), "", "message", "send", "orders", "x")
	if client.ExitCode(r.err) != client.ExitUnavailable || !strings.Contains(r.err.Error(), `"refused"`) {
		t.Errorf("the first send: %v", r.err)
	}
	s.must("message", "send", "orders", "y") // the rule has had its one hit
	golden(t, "fault-list", s.must("fault", "list"))
	s.must("fault", "delete", "slow")
	if r := s.run(t.Context(), "", "fault", "delete", "slow"); client.ExitCode(r.err) != client.ExitNotFound {
		t.Errorf("deleted again: %v", r.err)
	}
	s.must("fault", "clear")
	if out := s.must("fault", "list", "--json"); out != "" {
		t.Errorf("left is %s", out)
	}
	for name, args := range map[string][]string{
		"no code":       {"x", "--effect", "error", "--code", "Nonsense"},
		"no operation":  {"x", "--effect", "error", "--operations", "list"},
		"no effect":     {"x", "--effect", "chaos"},
		"no delay":      {"x", "--effect", "latency"},
		"no range":      {"x", "--effect", "latency", "--min", "3", "--max", "2"},
		"no pattern":    {"x", "--effect", "error", "--queue", "["},
		"no likelihood": {"x", "--effect", "error", "--probability", "1.1"},
		"no name":       {"a b", "--effect", "error"},
	} {
		if r := s.run(t.Context(), "", append([]string{"fault", "create"}, args...)...); r.err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// bodies gives the bodies of all messages of a queue, in order.
func (s *shell) bodies(queue string) string {
	s.t.Helper()
	var all []string
	for _, e := range entries(s.t, s.must("message", "peek", queue, "--hidden", "--limit", "0", "--json")) {
		_, body, _ := strings.Cut(e, `"body":"`)
		body, _, _ = strings.Cut(body, `"`)
		all = append(all, body)
	}
	return strings.Join(all, " ")
}

func TestFaultEffects(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, name := range []string{"lost", "stored", "received", "deleted", "ordered"} {
		s.must("queue", "create", name, "--visibility-timeout", "1h")
	}
	s.must("queue", "create", "steps.fifo")
	rule := func(name string, args ...string) {
		s.must(append([]string{"fault", "create", name, "--queue", name}, args...)...)
	}
	rule("lost", "--effect", "error", "--after", "--operations", "send", "--count", "1")
	if r := s.run(t.Context(), "", "message", "send", "lost", "x"); r.err == nil || s.bodies("lost") != "x" {
		t.Errorf("a lost answer: %v, the queue has %q", r.err, s.bodies("lost"))
	}
	rule("stored", "--effect", "duplicate", "--operations", "send")
	if out := s.must("message", "send", "stored", "x"); strings.Count(out, "\n") != 1 || s.bodies("stored") != "x x" {
		t.Errorf("stored twice: %s, the queue has %q", out, s.bodies("stored"))
	}
	rule("received", "--effect", "duplicate", "--operations", "receive", "--count", "1")
	s.must("message", "send", "received", "x")
	first, again, never := s.must("message", "receive", "received", "--json"), s.must("message", "receive", "received", "--json"), s.must("message", "receive", "received", "--json")
	if first == "" || again == "" || never != "" {
		t.Errorf("received %q, then %q, then %q", first, again, never)
	}
	rule("deleted", "--effect", "duplicate", "--operations", "delete", "--count", "1")
	s.must("message", "send", "deleted", "x")
	s.must("message", "receive", "deleted", "--delete")
	if out := s.must("message", "receive", "deleted", "--delete", "--json"); !strings.Contains(out, `"receive_count":2`) {
		t.Errorf("what was deleted comes as %q", out)
	}
	if got := s.bodies("deleted"); got != "" {
		t.Errorf("left is %q", got)
	}
	rule("ordered", "--effect", "reorder", "--operations", "send", "--max", "30", "--seed", "3")
	sent := make([]string, 20)
	for i := range sent {
		sent[i] = fmt.Sprint(i)
		s.must("message", "send", "ordered", sent[i])
	}
	if got := s.bodies("ordered"); got == strings.Join(sent, " ") || len(strings.Fields(got)) != len(sent) {
		t.Errorf("in order: %q", got)
	}
	rule("steps.fifo", "--effect", "duplicate")
	s.must("message", "send", "steps.fifo", "x", "--group", "g")
	if got := s.bodies("steps.fifo"); got != "x" {
		t.Errorf("a FIFO queue has %q", got)
	}
}

func TestFaultsAreReproducible(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders")
	run := func(seed string) (outcome string) {
		s.must("fault", "create", "some", "--effect", "error", "--probability", "0.5", "--seed", seed)
		for range 24 {
			if s.run(t.Context(), "", "message", "send", "orders", "x").err != nil {
				outcome += "x"
			} else {
				outcome += "."
			}
		}
		return outcome
	}
	first, second, other := run("7"), run("7"), run("8")
	if first != second || first == other || !strings.Contains(first, "x") || !strings.Contains(first, ".") {
		t.Errorf("with one seed %s and %s, with another %s", first, second, other)
	}
}

func TestFaultsEnd(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders")
	s.must("fault", "create", "all", "--effect", "error", "--for", "1h")
	if r := s.run(t.Context(), "", "message", "send", "orders", "x"); r.err == nil {
		t.Error("the rule does not hit")
	}
	if _, err := s.server.Broker().AdvanceClock(t.Context(), "000000000000", time.Hour); err != nil {
		t.Fatal(err)
	}
	s.must("message", "send", "orders", "x")
	s.must("fault", "create", "all", "--effect", "error")
	if r := s.run(t.Context(), "", "message", "send", "other", "x", "--account", "111122223333"); !client.IsNotFound(r.err) {
		t.Errorf("in another account: %v", r.err)
	}
	if err := s.server.Broker().ResetAccount(t.Context(), "000000000000"); err != nil {
		t.Fatal(err)
	}
	if out := s.must("fault", "list", "--json"); out != "" {
		t.Errorf("after a reset there is %s", out)
	}
}

func TestFaultsNeedTestMode(t *testing.T) {
	t.Parallel()
	srv, err := server.Start(t.Context(), server.Config{Listen: []string{"127.0.0.1:0"}, DatabaseURL: pgtest.DatabaseURL(t), LogLevel: "error"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	s := &shell{t, srv, []string{"POLYMQ_ENDPOINT=" + srv.URL()}}
	for _, args := range [][]string{{"create", "x", "--effect", "error"}, {"list"}, {"delete", "x"}} {
		if r := s.run(t.Context(), "", append([]string{"fault"}, args...)...); client.ExitCode(r.err) != client.ExitDenied || !strings.Contains(r.err.Error(), "--test-mode") {
			t.Errorf("%v: %v", args, r.err)
		}
	}
}

// Each protocol tells of a fault as it tells of any error, on every server of the database.
func TestFaultsOfProtocols(t *testing.T) {
	t.Parallel()
	database := pgtest.DatabaseURL(t)
	var servers []*server.Server
	for range 2 {
		srv, err := server.Start(t.Context(), server.Config{Listen: []string{"127.0.0.1:0"}, DatabaseURL: database, TestMode: true, LogLevel: "disabled"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = srv.Stop(context.Background()) })
		servers = append(servers, srv)
	}
	s := &shell{t, servers[0], []string{"POLYMQ_ENDPOINT=" + servers[0].URL()}}
	s.must("queue", "create", "orders")
	s.must("topic", "create", "events")
	s.must("fault", "create", "away", "--effect", "error", "--code", "Unavailable")
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(servers[1].URL()), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	queue := servers[1].URL() + "/000000000000/orders"
	codeOf := func(err error) string {
		var refused smithy.APIError
		if errors.As(err, &refused) {
			return refused.ErrorCode()
		}
		return fmt.Sprint(err)
	}
	send := func() string {
		_, err := sqs.NewFromConfig(config).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("x")})
		return codeOf(err)
	}
	deadline := time.Now().Add(patience)
	for send() == "<nil>" {
		if time.Now().After(deadline) {
			t.Fatal("the other server has not heard of the rule")
		}
	}
	if code := send(); code != "ServiceUnavailable" {
		t.Errorf("SQS says %s", code)
	}
	_, err := sns.NewFromConfig(config).Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String("arn:aws:sns:us-east-1:000000000000:events"), Message: aws.String("x")})
	if code := codeOf(err); code == "<nil>" || strings.Contains(code, "fault rule") {
		t.Errorf("SNS says %s", code)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, servers[1].URL()+"/queues/orders/messages", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Mns-Version", "2015-06-06")
	request.Header.Set("Authorization", "MNS test:signature")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if answer, _ := io.ReadAll(response.Body); response.StatusCode < 500 || !strings.Contains(string(answer), "<Code>InternalError</Code>") {
		t.Errorf("MNS says %d %s", response.StatusCode, answer)
	}
}
