package sqs

import (
	"context"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

// modelServer is one of the servers on the database.
type modelServer struct {
	fixture
	store *pg.Store
}

func (s modelServer) close() {
	s.broker.Close()
	s.store.Close()
}

// modelRun sends requests of many clients to two servers, beside the model. Each has an account of its own.
type modelRun struct {
	real     testing.TB
	database string
	account  string
	servers  [2]modelServer
	crashed  []modelServer
	model    modelAccount
	queues   []*modelQueue // two sources and their dead-letter queue
	handles  []modelHandle
	bodies   int

	attempted *modelQueue // the queue of the newest attempt to receive that had an id
	attempt   string
	repeats   int // of attempts that gave the same messages again
}

// modelFailure is a test whose failures are rapid's, which then looks for a smaller one.
type modelFailure struct {
	testing.TB
	rapid *rapid.T
}

func (f modelFailure) Fatalf(format string, args ...any) { f.rapid.Fatalf(format, args...) }
func (f modelFailure) Fatal(args ...any)                 { f.rapid.Fatal(args...) }
func (f modelFailure) Errorf(format string, args ...any) { f.rapid.Errorf(format, args...) }
func (f modelFailure) Error(args ...any)                 { f.rapid.Error(args...) }
func (modelFailure) Helper()                             {}

func openModelServer(t testing.TB, database string) modelServer {
	store, err := pg.Open(context.Background(), pg.Options{URL: database, PoolSize: 3, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	broker := core.NewBroker(store)
	return modelServer{fixture{broker, New(broker, &caller.Options{}, Options{})}, store}
}

// client gives a client of either server, on either wire.
func (run *modelRun) client(t *rapid.T) *client {
	server := run.servers[rapid.IntRange(0, 1).Draw(t, "server")]
	wire := rapid.SampledFrom([]string{"json", "query"}).Draw(t, "wire")
	return &client{TB: modelFailure{run.real, t}, fixture: server.fixture, wire: wire, account: run.account}
}

// try calls an action and gives its result, or the code of its refusal.
func (c *client) try(action string, in m) (result m, refusal string) {
	got := c.call(action, in)
	if got.status == http.StatusOK {
		return c.result(action, got), ""
	}
	code, _, _ := strings.Cut(spelled(got.header, "x-amzn-query-error"), ";")
	if c.wire == "query" {
		var fault struct {
			Code string `xml:"Error>Code"`
		}
		if err := xml.Unmarshal([]byte(got.body), &fault); err != nil {
			c.Fatalf("%s: %v in %s", action, err, got.body)
		}
		code = fault.Code
	}
	return nil, code
}

func minutes(t *rapid.T, label string, most int) time.Duration {
	return time.Duration(rapid.IntRange(0, most).Draw(t, label)) * time.Minute
}

func sampledMinutes(t *rapid.T, label string, some ...int) time.Duration {
	return time.Duration(rapid.SampledFrom(some).Draw(t, label)) * time.Minute
}

func secondsOf(d time.Duration) int { return int(d / time.Second) }

// queue draws a queue, mostly the same one, so that requests meet each other's messages.
func (run *modelRun) queue(t *rapid.T) *modelQueue {
	return run.queues[rapid.SampledFrom([]int{1, 1, 1, 1, 0, 2}).Draw(t, "queue")]
}

// makeQueues makes two queues and their dead-letter queue, with settings that are drawn.
func (run *modelRun) makeQueues(t *rapid.T, fifo bool) {
	c := run.client(t)
	names := []string{"dead", "a", "b"}
	for i, name := range names {
		q := &modelQueue{account: &run.model, name: name, fifo: fifo, sent: map[string]modelSent{}, attempts: map[string]modelAttempt{}}
		q.visibility, q.retention = minutes(t, "visibility timeout", 3), sampledMinutes(t, "retention", 14*24*60, 5)
		attributes := []string{"VisibilityTimeout", strconv.Itoa(secondsOf(q.visibility)), "MessageRetentionPeriod", strconv.Itoa(secondsOf(q.retention))}
		if i > 0 {
			q.deadLetter = run.queues[rapid.IntRange(0, i-1).Draw(t, "dead-letter queue")]
			q.maxReceives = rapid.IntRange(1, 3).Draw(t, "receives")
			q.delay = sampledMinutes(t, "delay", 0, 0, 0, 1)
			attributes = append(attributes, "RedrivePolicy", c.redriveTo(q.deadLetter.name, q.maxReceives), "DelaySeconds", strconv.Itoa(secondsOf(q.delay)))
		}
		if fifo {
			q.name += fifoSuffix
			if q.contentBased = rapid.Bool().Draw(t, "content-based deduplication"); q.contentBased {
				attributes = append(attributes, "ContentBasedDeduplication", "true")
			}
			if q.groupScope = rapid.Bool().Draw(t, "scope of the group"); q.groupScope {
				attributes = append(attributes, "DeduplicationScope", "messageGroup")
			}
		}
		c.newQueue(q.name, attributes...)
		run.queues = append(run.queues, q)
	}
}

// content draws what a client sends.
func (run *modelRun) content(t *rapid.T, q *modelQueue) (content modelContent, members m) {
	run.bodies++
	content.body = strconv.Itoa(run.bodies)
	if q.fifo {
		content.group = rapid.SampledFrom([]string{"g", "g", "g", "h", "i"}).Draw(t, "group")
		if q.contentBased {
			content.body = rapid.SampledFrom([]string{"one", "two", "three", content.body}).Draw(t, "body")
		}
		if !q.contentBased || rapid.Bool().Draw(t, "explicit id") {
			content.deduplicationID = rapid.SampledFrom([]string{"d", "e", "of-" + content.body}).Draw(t, "deduplication id")
		}
	} else {
		content.group = rapid.SampledFrom([]string{"", "", "g", "h"}).Draw(t, "group")
		if rapid.IntRange(0, 3).Draw(t, "delayed") == 0 {
			delay := minutes(t, "delay", 3)
			content.delay = &delay
		}
	}
	members = m{"MessageBody": content.body}
	if content.group != "" {
		members["MessageGroupId"] = content.group
	}
	if content.deduplicationID != "" {
		members["MessageDeduplicationId"] = content.deduplicationID
	}
	if content.delay != nil {
		members["DelaySeconds"] = secondsOf(*content.delay)
	}
	return content, members
}

func (run *modelRun) sent(t *rapid.T, q *modelQueue, content modelContent, result m) {
	sequence, _ := result["SequenceNumber"].(string)
	if err := q.send(content, result["MessageId"].(string), sequence); err != nil {
		t.Fatal(err)
	}
}

func (run *modelRun) send(t *rapid.T) {
	q := run.queue(t)
	content, members := run.content(t, q)
	run.sent(t, q, content, run.client(t).sendTo(q.name, content.body, members))
}

func (run *modelRun) sendBatch(t *rapid.T) {
	q := run.queue(t)
	contents, entries := make([]modelContent, rapid.IntRange(2, 5).Draw(t, "messages")), []m{}
	for i := range contents {
		content, members := run.content(t, q)
		contents[i] = content
		entries = append(entries, with(members, m{"Id": strconv.Itoa(i)}))
	}
	result := run.client(t).ok("SendMessageBatch", m{"QueueUrl": q.name, "Entries": entries})
	successful, _ := result["Successful"].([]any)
	if len(successful) != len(entries) || result["Failed"] != nil {
		t.Fatalf("sent %d messages, got %v", len(entries), result)
	}
	for i := range contents {
		run.sent(t, q, contents[i], successful[i].(m))
	}
}

// drawReceive draws a receive and the request for it.
func (run *modelRun) drawReceive(t *rapid.T, q *modelQueue) (r modelReceive, in m) {
	r = modelReceive{limit: rapid.IntRange(1, 10).Draw(t, "limit"), timeout: q.visibility}
	in = m{"QueueUrl": q.name, "MaxNumberOfMessages": r.limit, "WaitTimeSeconds": 0, "AttributeNames": []string{"All"}}
	if rapid.Bool().Draw(t, "own timeout") {
		r.timeout = minutes(t, "timeout", 3)
		in["VisibilityTimeout"] = secondsOf(r.timeout)
	}
	return r, in
}

// receivedOf reads the answer of a receive.
func receivedOf(c *client, result m) (got []modelReceived) {
	list, _ := result["Messages"].([]any)
	for _, message := range list {
		members := message.(m)
		attribute := func(name string) string {
			text, _ := members["Attributes"].(m)[name].(string)
			return text
		}
		source := attribute("DeadLetterQueueSourceArn")
		got = append(got, modelReceived{
			modelContent: modelContent{body: members["Body"].(string), group: attribute("MessageGroupId"), deduplicationID: attribute("MessageDeduplicationId")},
			id:           members["MessageId"].(string), handle: members["ReceiptHandle"].(string),
			count: attribute("ApproximateReceiveCount"), sequence: attribute("SequenceNumber"), source: strings.TrimPrefix(source, c.arnOf("")),
		})
	}
	return got
}

// judge has the model judge a receive, after it has found what was moved away.
func (run *modelRun) judge(t *rapid.T, c *client, q *modelQueue, r modelReceive, exhausted []*modelMessage) {
	if len(exhausted) > 0 {
		inside := run.inside(c, q)
		for _, m := range exhausted {
			if !slices.ContainsFunc(inside, func(p core.Message) bool { return p.ID.UUID() == m.id }) {
				r.moved = append(r.moved, m.id)
			}
		}
	}
	handles, err := q.receive(r)
	if err != nil {
		t.Fatal(err)
	}
	run.handles = append(run.handles, handles...)
}

// inside looks at all that a queue holds.
func (run *modelRun) inside(c *client, q *modelQueue) (messages []core.Message) {
	in := core.PeekInput{Queue: core.QueueName{Account: run.account, Region: "us-east-1", Name: q.name}, Limit: core.MaxBatch, Hidden: true}
	for {
		page, err := c.broker.PeekMessages(context.Background(), in)
		if err != nil {
			c.Fatal(err)
		}
		messages = append(messages, page.Messages...)
		if in.After = page.Next; in.After == "" {
			return messages
		}
	}
}

func (run *modelRun) receive(t *rapid.T) {
	q, attempt := run.queue(t), ""
	if q.fifo && rapid.Bool().Draw(t, "attempt") {
		attempt = rapid.SampledFrom([]string{"x", "y"}).Draw(t, "attempt id")
		run.attempted, run.attempt = q, attempt
	}
	run.receiveFrom(t, q, attempt)
}

// receiveAgain repeats the newest attempt, as a client does that got no answer. Mostly there is something to receive anew first.
func (run *modelRun) receiveAgain(t *rapid.T) {
	q := run.queue(t)
	switch {
	case !q.fifo:
		t.Skip("no attempts")
	case run.attempted == nil || rapid.IntRange(0, 2).Draw(t, "newest attempt") > 0:
		content, members := run.content(t, q)
		run.sent(t, q, content, run.client(t).sendTo(q.name, content.body, members))
		run.attempted, run.attempt = q, rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "attempt id")
		run.receiveFrom(t, q, run.attempt)
	}
	if attempt := run.attempted.repeated(run.attempt); attempt != nil && len(attempt.messages) > 0 {
		run.repeats++
	}
	run.receiveFrom(t, run.attempted, run.attempt)
}

func (run *modelRun) receiveFrom(t *rapid.T, q *modelQueue, attempt string) {
	c := run.client(t)
	r, in := run.drawReceive(t, q)
	if r.attempt = attempt; attempt != "" {
		r.timeout += time.Minute // else there is nothing to repeat
		in["ReceiveRequestAttemptId"], in["VisibilityTimeout"] = attempt, secondsOf(r.timeout)
	}
	exhausted := q.exhausted()
	r.got = receivedOf(c, c.ok("ReceiveMessage", in))
	run.judge(t, c, q, r, exhausted)
}

// receiveTogether has several clients receive at the same moment: no two get the same message.
func (run *modelRun) receiveTogether(t *rapid.T) {
	q := run.queue(t)
	receives := make([]modelReceive, rapid.IntRange(2, 4).Draw(t, "receivers"))
	clients, answers, exhausted := make([]*client, len(receives)), make([]reply, len(receives)), q.exhausted()
	var wg sync.WaitGroup
	for i := range receives {
		r, in := run.drawReceive(t, q)
		r.timeout += time.Minute
		in["VisibilityTimeout"] = secondsOf(r.timeout)
		r.shared = true
		receives[i], clients[i] = r, run.client(t)
		wg.Go(func() { answers[i] = clients[i].call("ReceiveMessage", in) })
	}
	wg.Wait()
	for i, r := range receives {
		r.got = receivedOf(clients[i], clients[i].result("ReceiveMessage", answers[i]))
		run.judge(t, clients[i], q, r, exhausted)
		exhausted = nil
	}
}

// drawHandle draws a handle, mostly a new one, and a queue, mostly its own.
func (run *modelRun) drawHandle(t *rapid.T) (h modelHandle, q *modelQueue) {
	if len(run.handles) == 0 {
		t.Skip("no handles yet")
	}
	recent := run.handles[max(0, len(run.handles)-5):]
	if rapid.IntRange(0, 3).Draw(t, "old") == 0 {
		recent = run.handles
	}
	h = recent[rapid.IntRange(0, len(recent)-1).Draw(t, "handle")]
	if rapid.IntRange(0, 9).Draw(t, "foreign") == 0 {
		return h, run.queue(t)
	}
	return h, h.queue
}

func (run *modelRun) delete(t *rapid.T) {
	h, q := run.drawHandle(t)
	_, got := run.client(t).try("DeleteMessage", m{"QueueUrl": q.name, "ReceiptHandle": h.text})
	if want := q.delete(h); got != want {
		t.Fatalf("deleting by a handle of %v: %q, want %q", h.message.id, got, want)
	}
}

// batch sends a batch about the messages of up to five handles, each with a timeout, and gives the codes of the refusals.
func (run *modelRun) batch(t *rapid.T, action string) (q *modelQueue, handles []modelHandle, timeouts []time.Duration, refusals []string) {
	h, q := run.drawHandle(t)
	var entries []m
	for i := range rapid.IntRange(1, 5).Draw(t, "entries") {
		if slices.ContainsFunc(handles, func(other modelHandle) bool { return other.message == h.message }) {
			break // in which order its handles take effect is nobody's promise
		}
		timeout := minutes(t, "timeout", 3)
		handles, timeouts = append(handles, h), append(timeouts, timeout)
		entry := m{"Id": strconv.Itoa(i), "ReceiptHandle": h.text}
		if action == "ChangeMessageVisibilityBatch" {
			entry["VisibilityTimeout"] = secondsOf(timeout)
		}
		entries = append(entries, entry)
		h, _ = run.drawHandle(t)
	}
	refusals = make([]string, len(entries))
	result := run.client(t).ok(action, m{"QueueUrl": q.name, "Entries": entries})
	successful, _ := result["Successful"].([]any)
	failed, _ := result["Failed"].([]any)
	if len(successful)+len(failed) != len(entries) {
		t.Fatalf("%d entries, got %v", len(entries), result)
	}
	for _, failure := range failed {
		i, err := strconv.Atoi(failure.(m)["Id"].(string))
		if err != nil {
			t.Fatal(err)
		}
		refusals[i] = failure.(m)["Code"].(string)
	}
	return q, handles, timeouts, refusals
}

func (run *modelRun) deleteBatch(t *rapid.T) {
	q, handles, _, got := run.batch(t, "DeleteMessageBatch")
	for i, h := range handles {
		if want := q.delete(h); got[i] != want {
			t.Fatalf("deleting by a handle of %v: %q, want %q", h.message.id, got[i], want)
		}
	}
}

func (run *modelRun) changeVisibility(t *rapid.T) {
	h, q := run.drawHandle(t)
	timeout := sampledMinutes(t, "timeout", 0, 1, 2, 4, 12*60-2, 12*60)
	if message, _ := q.find(h); message != nil && q.now()+timeout == message.receivedAt+modelMaximum {
		t.Skip("whether the second in which that is good is over, nobody knows")
	}
	_, got := run.client(t).try("ChangeMessageVisibility", m{"QueueUrl": q.name, "ReceiptHandle": h.text, "VisibilityTimeout": secondsOf(timeout)})
	if want := q.changeVisibility(h, timeout); got != want {
		t.Fatalf("changing the visibility of %v to %v: %q, want %q", h.message.id, timeout, got, want)
	}
}

func (run *modelRun) changeVisibilityBatch(t *rapid.T) {
	q, handles, timeouts, got := run.batch(t, "ChangeMessageVisibilityBatch")
	for i, h := range handles {
		if want := q.changeVisibility(h, timeouts[i]); got[i] != want {
			t.Fatalf("changing the visibility of %v to %v: %q, want %q", h.message.id, timeouts[i], got[i], want)
		}
	}
}

// rarely has an action done one time in a few.
func rarely(t *rapid.T, n int) {
	if rapid.IntRange(1, n).Draw(t, "rarely") != n {
		t.Skip("not now")
	}
}

func (run *modelRun) purge(t *rapid.T) {
	rarely(t, 5)
	q := run.queue(t)
	run.client(t).ok("PurgeQueue", m{"QueueUrl": q.name})
	q.purge()
}

// settings changes one of a queue's settings.
func (run *modelRun) settings(t *rapid.T) {
	q, c := run.queue(t), run.client(t)
	switch rapid.SampledFrom([]string{"visibility timeout", "delay", "retention", "policy"}).Draw(t, "setting") {
	case "visibility timeout":
		q.visibility = minutes(t, "visibility timeout", 3)
		c.setAttributes(q.name, "VisibilityTimeout", strconv.Itoa(secondsOf(q.visibility)))
	case "delay":
		if slices.ContainsFunc(q.messages, func(m *modelMessage) bool { return q.fifo && m.redriven }) {
			t.Skip("whether a delay reaches back to what was redriven is nobody's promise")
		}
		q.setDelay(minutes(t, "delay", 2))
		c.setAttributes(q.name, "DelaySeconds", strconv.Itoa(secondsOf(q.delay)))
	case "retention":
		q.retention = sampledMinutes(t, "retention", 600, 10, 2)
		c.setAttributes(q.name, "MessageRetentionPeriod", strconv.Itoa(secondsOf(q.retention)))
		if !q.fifo { // before a worker comes to remove anything
			exhausted := q.exhausted()
			got := receivedOf(c, c.ok("ReceiveMessage", m{"QueueUrl": q.name, "MaxNumberOfMessages": 10, "VisibilityTimeout": 60, "AttributeNames": []string{"All"}}))
			run.judge(t, c, q, modelReceive{limit: 10, timeout: time.Minute, got: got}, exhausted)
		}
	case "policy":
		if q == run.queues[0] {
			t.Skip("the last queue has none")
		}
		policy := ""
		if q.deadLetter = nil; rapid.Bool().Draw(t, "policy") {
			q.deadLetter, q.maxReceives = run.queues[0], rapid.IntRange(1, 3).Draw(t, "receives")
			policy = c.redriveTo(q.deadLetter.name, q.maxReceives)
		}
		c.setAttributes(q.name, "RedrivePolicy", policy)
	}
}

// redrive runs a move task from the dead-letter queue to its end.
func (run *modelRun) redrive(t *rapid.T) {
	rarely(t, 2)
	dead, c := run.queues[0], run.client(t)
	if !slices.ContainsFunc(run.queues, func(q *modelQueue) bool { return q.deadLetter == dead }) {
		t.Skip("no queue has it as its dead-letter queue")
	}
	messages, stray := dead.movable()
	var destination *modelQueue
	var more m
	if stray || rapid.Bool().Draw(t, "destination") {
		destination = run.queues[rapid.IntRange(1, 2).Draw(t, "which")]
		more = m{"DestinationArn": c.arnOf(destination.name)}
	}
	c.startMove(dead.name, more)
	task := c.endOfMove(dead.name)
	if task["Status"] != "COMPLETED" || task["ApproximateNumberOfMessagesMoved"] != float64(len(messages)) {
		t.Fatalf("moved %v, want %v", task, messages)
	}
	for _, message := range messages {
		message.redrive(destination)
	}
	for _, q := range run.queues[1:] {
		for _, inside := range run.inside(c, q) {
			if !q.learn(inside.ID.UUID(), modelContent{body: string(inside.Body), group: inside.GroupID}) {
				t.Fatalf("%s(%s) is in %s, but not in the model", inside.ID.UUID(), inside.Body, q.name)
			}
		}
	}
}

func (run *modelRun) wait(t *rapid.T) {
	by := sampledMinutes(t, "time", 1, 1, 2, 3, 5, 60)
	run.client(t).wait(by)
	run.model.now += by
}

// crash drops a server as it is and starts another in its place.
func (run *modelRun) crash(t *rapid.T) {
	rarely(t, 4)
	i := rapid.IntRange(0, 1).Draw(t, "server")
	run.crashed = append(run.crashed, run.servers[i])
	run.servers[i] = openModelServer(run.real, run.database)
}

// check compares the counts, after what has expired was removed.
func (run *modelRun) check(t *rapid.T) {
	old := false
	for _, q := range run.queues {
		t.Logf("at %v: %v", run.model.now, q)
		old = q.expire() || old
	}
	server := run.servers[rapid.IntRange(0, 1).Draw(t, "server")]
	if old {
		if _, err := server.store.ExpireMessages(context.Background(), 1000); err != nil {
			t.Fatal(err)
		}
	}
	page, err := server.broker.ListQueues(context.Background(), core.ListQueuesInput{Account: run.account, Region: "us-east-1", Limit: 10, Counts: true})
	if err != nil || len(page.Queues) != len(run.queues) {
		t.Fatal(err, page)
	}
	for _, shown := range page.Queues {
		q := run.queues[slices.IndexFunc(run.queues, func(q *modelQueue) bool { return q.name == shown.Name.Name })]
		if got, want := [3]int{int(shown.Counts.Visible), int(shown.Counts.InFlight), int(shown.Counts.Delayed)}, q.counts(); got != want {
			t.Fatalf("%v messages of %s are visible, in flight and delayed, want %v of %v", got, q.name, want, q)
		}
	}
}

func (run *modelRun) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"send": run.send, "send a batch": run.sendBatch, "receive": run.receive, "receive more": run.receive, "receive again": run.receiveAgain,
		"receive together": run.receiveTogether, "delete": run.delete, "delete a batch": run.deleteBatch,
		"change visibility": run.changeVisibility, "change visibility again": run.changeVisibility, "change visibility in a batch": run.changeVisibilityBatch, "purge": run.purge,
		"change settings": run.settings, "redrive": run.redrive, "wait": run.wait, "wait more": run.wait, "crash": run.crash,
		"": run.check,
	}
}

// fewChecks has the models take a few seconds, unless -rapid.checks asks for more; the seed of a failure is printed.
var fewChecks = sync.OnceValue(func() error {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if given {
		return flag.Set("rapid.nofailfile", "true")
	}
	return errors.Join(flag.Set("rapid.checks", "30"), flag.Set("rapid.steps", "40"), flag.Set("rapid.nofailfile", "true"))
})

// modelAccounts numbers the accounts of the runs.
const modelAccounts = 300_000_000_000

func checkModel(t *testing.T, fifo bool) {
	t.Helper()
	t.Parallel()
	if err := fewChecks(); err != nil {
		t.Fatal(err)
	}
	database := pgtest.DatabaseURL(t)
	servers := [2]modelServer{openModelServer(t, database), openModelServer(t, database)}
	t.Cleanup(func() {
		servers[0].close()
		servers[1].close()
	})
	runs, repeats, crashes := 0, 0, 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		run := &modelRun{real: t, database: database, account: fmt.Sprint(modelAccounts + runs), servers: servers}
		defer func() {
			repeats, crashes = repeats+run.repeats, crashes+len(run.crashed)
			servers = run.servers
			for _, server := range run.crashed {
				server.close()
			}
		}()
		run.makeQueues(r, fifo)
		r.Repeat(run.actions())
	})
	t.Logf("%d runs, %d crashes of a server, %d repeated attempts", runs, crashes, repeats)
	if !t.Failed() && runs >= 30 && (crashes == 0 || fifo && repeats == 0) {
		t.Error("the runs had no crash, or repeated no attempt")
	}
}

// TestModelStandard and TestModelFIFO run random requests on two servers that share a database, beside the model.
func TestModelStandard(t *testing.T) { checkModel(t, false) }
func TestModelFIFO(t *testing.T)     { checkModel(t, true) }
