package pg_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// inbox keeps the notices that a broker sends.
type inbox struct {
	mu      sync.Mutex
	notices []core.Notice
	err     error
}

func (i *inbox) send(_ context.Context, n core.Notice, _ core.Destination) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.err == nil {
		i.notices = append(i.notices, n)
	}
	return i.err
}

// take gives the changes of the notices that came, as "series state".
func (i *inbox) take() (changes []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, n := range i.notices {
		for _, c := range n.Changes {
			changes = append(changes, c.Series+" "+string(c.State))
		}
	}
	i.notices = nil
	slices.Sort(changes)
	return changes
}

// watched is a broker whose alerts are evaluated by tests.
type watched struct {
	*core.Broker
	*inbox
}

func watch(t *testing.T, store *pg.Store) watched {
	t.Helper()
	w := watched{newBroker(t, store), &inbox{}}
	w.OnNotices(w.send)
	return w
}

// after moves the time, evaluates, and gives what somebody was told.
func (w watched) after(t *testing.T, passed time.Duration) []string {
	t.Helper()
	pgtest.Advance(t, w.Broker, passed)
	if err := w.EvaluateAlerts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.SendNotices(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w.take()
}

func (w watched) states(t *testing.T, name core.AlertName) map[string]core.AlertState {
	t.Helper()
	page, err := w.ListAlertSeries(t.Context(), core.ListAlertSeriesInput{Alert: name, Limit: core.MaxAlertPage})
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]core.AlertState{}
	for _, s := range page.Series {
		states[s.Name] = s.State
	}
	return states
}

func alertNamed(name string) core.AlertName {
	queue := pgtest.Name(name)
	return core.AlertName{Account: queue.Account, Region: queue.Region, Name: name}
}

// deep is an alert on queues that hold more than two messages.
func deep(name, pattern string) core.Alert {
	return core.Alert{
		Name: alertNamed(name), Metric: "depth", Queue: pattern, Comparison: ">", Threshold: 2,
		To: []core.Destination{{Type: core.ToQueue, Target: "ops"}},
	}
}

func createAlert(t *testing.T, w watched, a core.Alert) core.Alert {
	t.Helper()
	a, err := w.CreateAlert(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAlertStates(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	w := watch(t, store)
	if round, ok, err := store.ClaimAlerts(t.Context(), core.AlertEvery, time.Minute); ok || err != nil {
		t.Fatalf("without alerts there is the round %d, %v", round, err)
	}
	a := deep("busy", "orders*")
	a.For, a.Repeat = time.Minute, 10*time.Minute
	createAlert(t, w, a)
	orders := pgtest.Queue(t, w.Broker, "orders")
	pgtest.Queue(t, w.Broker, "orders-eu")
	pgtest.Queue(t, w.Broker, "invoices")
	steps := []struct {
		name   string
		passed time.Duration
		do     func()
		told   []string
		want   core.AlertState
	}{
		{"two messages", 0, func() { pgtest.Send(t, w.Broker, orders, "1", "2") }, nil, core.AlertOK},
		{"three messages", 15 * time.Second, func() { pgtest.Send(t, w.Broker, orders, "3") }, nil, core.AlertPending},
		{"not for long enough", 45 * time.Second, nil, nil, core.AlertPending},
		{"too early for another look", time.Second, nil, nil, core.AlertPending},
		{"for long enough", 15 * time.Second, nil, []string{"orders firing"}, core.AlertFiring},
		{"it goes on", 9 * time.Minute, nil, nil, core.AlertFiring},
		{"it is repeated", time.Minute, nil, []string{"orders firing"}, core.AlertFiring},
		{"it ends", 15 * time.Second, func() { purge(t, w.Broker, orders) }, []string{"orders ok"}, core.AlertOK},
		{"and is not repeated", 10 * time.Minute, nil, nil, core.AlertOK},
	}
	for _, step := range steps {
		if step.do != nil {
			step.do()
		}
		if told := w.after(t, step.passed); !slices.Equal(told, step.told) {
			t.Errorf("%s: told %v, want %v", step.name, told, step.told)
		}
		states := w.states(t, a.Name)
		if states["orders"] != step.want || states["orders-eu"] != core.AlertOK || len(states) != 2 {
			t.Errorf("%s: %v, want orders %s and orders-eu ok", step.name, states, step.want)
		}
	}
}

func purge(t *testing.T, broker *core.Broker, queue core.QueueName) {
	t.Helper()
	for _, m := range pgtest.Receive(t, broker, queue, 10) {
		if _, err := broker.DeleteMessages(t.Context(), core.DeleteInput{Queue: queue, Handles: []string{m.Handle}}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAlertsOfMissingData(t *testing.T) {
	t.Parallel()
	tests := map[core.Missing]struct {
		before, after core.AlertState
		told          []string
	}{
		core.MissingNoData: {core.AlertNoData, core.AlertNoData, []string{"lost no_data"}},
		core.MissingOK:     {core.AlertOK, core.AlertOK, []string{"lost ok"}},
		core.MissingFires:  {core.AlertFiring, core.AlertFiring, nil},
		core.MissingKeeps:  {core.AlertOK, core.AlertFiring, nil},
	}
	for missing, tt := range tests {
		t.Run(string(missing), func(t *testing.T) {
			t.Parallel()
			w := watch(t, pgtest.New(t))
			a := deep("gone", "lost")
			a.Missing = missing
			createAlert(t, w, a)
			w.after(t, 0)
			if states := w.states(t, a.Name); states["lost"] != tt.before {
				t.Errorf("before there was a queue: %v, want %s", states, tt.before)
			}
			lost := pgtest.Queue(t, w.Broker, "lost")
			pgtest.Send(t, w.Broker, lost, "1", "2", "3")
			w.after(t, core.AlertEvery)
			if states := w.states(t, a.Name); states["lost"] != core.AlertFiring {
				t.Errorf("with three messages: %v", states)
			}
			if err := w.DeleteQueue(t.Context(), lost); err != nil {
				t.Fatal(err)
			}
			if told := w.after(t, core.AlertEvery); !slices.Equal(told, tt.told) {
				t.Errorf("told %v, want %v", told, tt.told)
			}
			if states := w.states(t, a.Name); states["lost"] != tt.after {
				t.Errorf("when the queue is gone: %v, want %s", states, tt.after)
			}
		})
	}
}

func TestAlertOfAPatternForgetsQueues(t *testing.T) {
	t.Parallel()
	w := watch(t, pgtest.New(t))
	a := createAlert(t, w, deep("all", ""))
	queue := pgtest.Queue(t, w.Broker, "orders")
	pgtest.Send(t, w.Broker, queue, "1", "2", "3")
	if told := w.after(t, 0); !slices.Equal(told, []string{"orders firing"}) {
		t.Fatalf("told %v", told)
	}
	if err := w.DeleteQueue(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	if told := w.after(t, core.AlertEvery); !slices.Equal(told, []string{"orders ok"}) {
		t.Errorf("told %v when the queue was deleted", told)
	}
	if states := w.states(t, a.Name); len(states) != 0 {
		t.Errorf("states of a queue that is gone: %v", states)
	}
}

func TestAlertMetricsOfQueues(t *testing.T) {
	t.Parallel()
	w := watch(t, pgtest.New(t))
	dead := pgtest.Queue(t, w.Broker, "dead")
	queue := pgtest.Queue(t, w.Broker, "orders")
	policy := core.DeadLetterPolicy{Target: dead.Name, MaxReceives: 3}
	if _, err := w.AlterQueue(t.Context(), queue, core.QueueChange{DeadLetter: &policy}); err != nil {
		t.Fatal(err)
	}
	pgtest.Send(t, w.Broker, queue, "1", "2", "3")
	pgtest.Send(t, w.Broker, dead, "a", "b")
	pgtest.Receive(t, w.Broker, queue, 1)
	pgtest.Advance(t, w.Broker, 10*time.Second)
	for metric, want := range map[string]float64{"depth": 3, "in_flight": 1, "visible": 2, "dead_letter_depth": 2, "bytes": 3, "polymq_queue_messages": 3} {
		createAlert(t, w, core.Alert{Name: alertNamed(metric), Metric: metric, Queue: "orders", Comparison: "==", Threshold: want})
	}
	createAlert(t, w, core.Alert{Name: alertNamed("age"), Metric: "oldest_message_age", Queue: "orders", Comparison: ">=", Threshold: 10})
	w.after(t, 0)
	page, err := w.ListAlerts(t.Context(), core.ListAlertsInput{Account: queue.Account, Region: queue.Region, Limit: 100})
	if err != nil || len(page.Alerts) != 7 {
		t.Fatalf("%d alerts, %v", len(page.Alerts), err)
	}
	for _, a := range page.Alerts {
		if a.Series[core.AlertFiring] != 1 || len(a.Series) != 1 {
			t.Errorf("%s: %v, want it to fire", a.Name.Name, a.Series)
		}
	}
}

// TestAlertsOfTwoServers has several servers evaluate at the same moment, and one die in the middle of it.
func TestAlertsOfTwoServers(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	first, second := watch(t, pgtest.Open(t, url)), watch(t, pgtest.Open(t, url))
	createAlert(t, first, deep("busy", "*"))
	pgtest.Send(t, first.Broker, pgtest.Queue(t, first.Broker, "orders"), "1", "2", "3")
	var both sync.WaitGroup
	for _, w := range []watched{first, second} {
		both.Go(func() {
			for range 5 {
				if err := w.EvaluateAlerts(t.Context()); err != nil {
					t.Error(err)
				}
				if err := w.SendNotices(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	both.Wait()
	if told := append(first.take(), second.take()...); !slices.Equal(told, []string{"orders firing"}) {
		t.Errorf("told %v, want it told once", told)
	}

	store := pgtest.Open(t, url)
	pgtest.Advance(t, first.Broker, core.AlertEvery)
	const hold = 300 * time.Millisecond
	dead, ok, err := store.ClaimAlerts(t.Context(), core.AlertEvery, hold)
	if !ok || err != nil {
		t.Fatalf("the next round is not claimed: %v", err)
	}
	pgtest.Advance(t, first.Broker, core.AlertEvery)
	next, ok, err := store.ClaimAlerts(t.Context(), core.AlertEvery, time.Minute)
	for deadline := time.Now().Add(time.Minute); !ok && err == nil && time.Now().Before(deadline); {
		next, ok, err = store.ClaimAlerts(t.Context(), core.AlertEvery, time.Minute)
	}
	if !ok || err != nil || next <= dead {
		t.Fatalf("the round of a server that died is nobody's: %d after %d, %v", next, dead, err)
	}
	late := core.AlertFindings{Changed: []core.ChangedSeries{{Alert: alertNamed("busy"), AlertSeries: core.AlertSeries{Name: "late", State: core.AlertOK, Told: core.AlertOK}}}}
	if err := store.FinishAlerts(t.Context(), dead, late); err != nil {
		t.Fatal(err)
	}
	if states := first.states(t, alertNamed("busy")); len(states) != 1 {
		t.Errorf("a round that is over has stored its states: %v", states)
	}
}

// An alert that is being deleted, as by the reset of its account, does not keep the others from being evaluated.
func TestAlertIsDeletedDuringAnEvaluation(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	w := watch(t, pgtest.Open(t, url))
	for _, name := range []string{"goes", "stays"} {
		createAlert(t, w, deep(name, "orders"))
	}
	pgtest.Send(t, w.Broker, pgtest.Queue(t, w.Broker, "orders"), "1", "2", "3")
	other := database(t, url)
	execute(t, other, `BEGIN`)
	execute(t, other, `DELETE FROM alerts WHERE name = 'goes'`)
	if told := w.after(t, 0); !slices.Equal(told, []string{"orders firing"}) {
		t.Errorf("while an alert is being deleted, %v is told, want that of the other one", told)
	}
	execute(t, other, `COMMIT`)
	if told := w.after(t, time.Minute); told != nil {
		t.Errorf("once it is gone, %v is told", told)
	}
}

func TestNoticesAreTriedAgain(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	w, admin := watch(t, pgtest.Open(t, url)), database(t, url)
	a := createAlert(t, w, deep("busy", "*"))
	pgtest.Send(t, w.Broker, pgtest.Queue(t, w.Broker, "orders"), "1", "2", "3")
	w.err = core.Errorf(core.Unavailable, "nobody answers")
	w.after(t, 0)
	failed, err := w.Alert(t.Context(), a.Name)
	if err != nil || failed.Failure != "queue: nobody answers" || failed.FailedAt.IsZero() {
		t.Errorf("the failure is %q, %v", failed.Failure, err)
	}
	w.err = nil
	if told := w.after(t, 0); told != nil {
		t.Errorf("told %v before the pause is over", told)
	}
	execute(t, admin, `UPDATE alert_notices SET next_at = now()`)
	if told := w.after(t, 0); !slices.Equal(told, []string{"orders firing"}) {
		t.Errorf("told %v", told)
	}
	if again, err := w.Alert(t.Context(), a.Name); err != nil || again.Failure != "" {
		t.Errorf("the failure is still %q, %v", again.Failure, err)
	}
	w.err = core.Errorf(core.InvalidArgument, "no such robot")
	purge(t, w.Broker, pgtest.Name("orders"))
	w.after(t, core.AlertEvery)
	execute(t, admin, `UPDATE alert_notices SET next_at = now()`)
	w.err = nil
	if told := w.after(t, 0); told != nil {
		t.Errorf("told %v of what was given up", told)
	}
}

func TestAlertIsAltered(t *testing.T) {
	t.Parallel()
	w := watch(t, pgtest.New(t))
	a := deep("busy", "*")
	a.To = []core.Destination{{Type: core.ToDingTalk, Target: "https://oapi.dingtalk.com/robot/send?access_token=x", Secret: "SEC1"}}
	a = createAlert(t, w, a)
	if _, err := w.CreateAlert(t.Context(), a); core.CodeOf(err) != core.EntityExists {
		t.Errorf("made twice: %v", err)
	}
	altered, err := w.AlterAlert(t.Context(), a.Name, func(a *core.Alert) {
		a.Threshold = 7
		a.To = []core.Destination{{Type: core.ToDingTalk, Target: a.To[0].Target}, {Type: core.ToEmail, Target: "ops@example.com"}}
	})
	if err != nil {
		t.Fatal(err)
	}
	found, err := w.Alert(t.Context(), a.Name)
	if err != nil || found.Threshold != 7 || !slices.Equal(found.To, altered.To) || found.To[0].Secret != "SEC1" {
		t.Errorf("altered to %+v, found %+v, %v", altered, found, err)
	}
	if err := w.DeleteAlert(t.Context(), a.Name); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"delete": w.DeleteAlert(t.Context(), a.Name),
		"find":   second(w.Alert(t.Context(), a.Name)),
		"alter":  second(w.AlterAlert(t.Context(), a.Name, func(*core.Alert) {})),
		"series": second(w.ListAlertSeries(t.Context(), core.ListAlertSeriesInput{Alert: a.Name, Limit: 1})),
	} {
		if core.CodeOf(err) != core.EntityNotFound {
			t.Errorf("%s what is gone: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAlertsOfServers(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	store, other := pgtest.Open(t, url), pgtest.Open(t, url)
	w := watch(t, store)
	counter := func(labels map[string]string, rate float64) core.Sample {
		return core.Sample{Family: "polymq_requests_total", Kind: core.Counter, Labels: labels, Value: rate}
	}
	histogram := core.Sample{Family: "polymq_request_seconds", Kind: core.Histogram, Labels: map[string]string{"protocol": "sqs", "action": "SendMessage"}}
	for _, b := range [][2]float64{{0.1, 90}, {1, 100}} {
		histogram.Bounds = append(histogram.Bounds, core.Bucket{UpTo: b[0], Rate: b[1]})
	}
	samples := []core.Sample{
		counter(map[string]string{"protocol": "sqs", "code": "AccessDenied"}, 2), counter(map[string]string{"protocol": "sqs", "code": ""}, 50), histogram,
		{Family: "go_goroutines", Kind: core.Gauge, Value: 10},
	}
	alerts := map[string]struct {
		alert  core.Alert
		series string
	}{
		"errors":   {core.Alert{Metric: "error_rate", Comparison: "==", Threshold: 4}, "sqs"},
		"shown":    {core.Alert{Metric: "polymq_requests_total", By: "code", Labels: map[string]string{"protocol": "sqs"}, Comparison: "==", Threshold: 4}, "AccessDenied"},
		"p99":      {core.Alert{Metric: "latency_p99", Comparison: ">", Threshold: 0.9}, "sqs"},
		"gauge":    {core.Alert{Metric: "go_goroutines", Comparison: "==", Threshold: 10}, ""},
		"sent":     {core.Alert{Metric: "sent_rate", Comparison: "<", Threshold: 1}, ""},
		"sessions": {core.Alert{Metric: "database_sessions", Comparison: ">=", Threshold: 1}, ""},
		"table":    {core.Alert{Metric: "polymq_database_table_bytes", By: "table", Comparison: ">", Threshold: 0}, "messages"},
	}
	for name, tt := range alerts {
		tt.alert.Name = alertNamed(name)
		createAlert(t, w, tt.alert)
	}
	for _, server := range []*pg.Store{store, other} {
		broker := newBroker(t, server)
		if err := broker.SampleServer(t.Context(), func(families []string) ([]core.Sample, error) {
			if !slices.Contains(families, "polymq_request_seconds") || slices.Contains(families, "") {
				t.Errorf("asked for %v", families)
			}
			return samples, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	w.after(t, 0)
	for name, tt := range alerts {
		if states := w.states(t, alertNamed(name)); states[tt.series] != core.AlertFiring {
			t.Errorf("%s: %v, want %q to fire", name, states, tt.series)
		}
	}
}

// TestAlertsOfManyQueues looks at 10,000 queues. The bound is far above what it takes, for a busy machine. It runs before the tests that
// run in parallel: each of its statements has four seconds, as any other.
func TestAlertsOfManyQueues(t *testing.T) {
	url := pgtest.DatabaseURL(t)
	w, admin := watch(t, pgtest.Open(t, url)), database(t, url)
	model := pgtest.Queue(t, w.Broker, "q-0")
	execute(t, admin, `INSERT INTO queues (account, region, name, fifo, delay, visibility_timeout, retention, receive_wait, max_message_size, logging, bodies, attributes, tags, created_at, modified_at)
		SELECT account, region, 'q-' || n, fifo, delay, visibility_timeout, retention, receive_wait, max_message_size, logging, bodies, attributes, tags, created_at, modified_at
		FROM queues, generate_series(1, 9999) n WHERE name = $1`, model.Name)
	execute(t, admin, `INSERT INTO counts (storage_id, bucket, messages, bytes) SELECT storage_id, '-infinity', 5, 5 FROM queues`)
	a := deep("all", "q-*")
	createAlert(t, w, a)
	began := time.Now()
	told := w.after(t, 0)
	t.Logf("the first evaluation took %v", time.Since(began))
	if len(told) != core.MaxNoticeLines {
		t.Errorf("told of %d queues in one notice, want %d", len(told), core.MaxNoticeLines)
	}
	began = time.Now()
	if told := w.after(t, core.AlertEvery); told != nil {
		t.Errorf("told of %d queues that have not changed", len(told))
	}
	took := time.Since(began)
	t.Logf("the second evaluation took %v", took)
	if took > core.AlertEvery {
		t.Errorf("an evaluation of 10,000 queues took %v", took)
	}
	if found, err := w.Alert(t.Context(), a.Name); err != nil || found.Series[core.AlertFiring] != 10_000 {
		t.Errorf("%v, %v, want 10,000 to fire", fmt.Sprint(found.Series), err)
	}
}
