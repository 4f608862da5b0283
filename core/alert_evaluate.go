package core

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of the evaluation of alerts.
const (
	AlertEvery     = 15 * time.Second // between two evaluations
	alertHold      = time.Minute      // after which an evaluation whose server has died is another's
	alertTimeout   = 20 * time.Second // of an evaluation, and so of its queries
	freshValues    = 100              // series of an alert whose values are stored each time; those of more only when something is wrong
	MaxNoticeLines = 50               // series that a notice names
)

// EvaluatedAlert is an alert as an evaluation finds it.
type EvaluatedAlert struct {
	Alert
	Now    time.Time // of its account
	Series map[string]AlertSeries
}

// AlertFindings are what an evaluation changes.
type AlertFindings struct {
	Changed []ChangedSeries
	Gone    []ChangedSeries
	Notices []NewNotice
	Notes   []AlertNote
}

// ChangedSeries is a series as it is now.
type ChangedSeries struct {
	Alert AlertName
	AlertSeries
}

// AlertNote says what of an alert could not be done.
type AlertNote struct {
	Alert AlertName
	Text  string
}

// Notice is what somebody is told of an alert.
type Notice struct {
	Alert   Alert // without destinations
	At      time.Time
	Test    bool // somebody wants to see whether it arrives
	Repeat  bool // nothing has changed
	Changes []Change
	More    int // that are not named
}

// Change is what became of a series.
type Change struct {
	Series string
	From   AlertState
	State  AlertState
	Since  time.Time
	Value  *float64
	Gone   bool // there is no such queue or label any more
}

// NewNotice is a notice to send, once to each of the alert's destinations.
type NewNotice struct {
	Notice       Notice
	Destinations int
}

// DueNotice is a notice that is to be sent to one destination.
type DueNotice struct {
	ID       int64
	Notice   Notice
	To       Destination
	Attempts int // this one included
}

// EvaluateAlerts looks whether all is as the alerts want it, if it is time for that and no other server does.
// What somebody has to be told of is stored with the new states, and sent by SendNotices.
func (b *Broker) EvaluateAlerts(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, alertTimeout)
	defer cancel()
	round, ok, err := b.store.ClaimAlerts(ctx, AlertEvery, alertHold)
	if err != nil || !ok {
		return err
	}
	if err := b.evaluate(ctx, round); err != nil {
		_ = b.store.ReleaseAlerts(context.WithoutCancel(ctx), round) // else it runs out
		return fmt.Errorf("evaluate alerts: %w", err)
	}
	return nil
}

func (b *Broker) evaluate(ctx context.Context, round int64) error {
	alerts, err := b.store.AlertsToEvaluate(ctx)
	if err != nil {
		return err
	}
	measured, err := b.measure(ctx, alerts)
	if err != nil {
		return err
	}
	var found AlertFindings
	for i := range alerts {
		alerts[i].evaluate(measured, &found)
	}
	return b.store.FinishAlerts(ctx, round, found)
}

// measured is what alerts compare.
type measured struct {
	queues   map[Scope][]QueueDepth // by name
	servers  [][]Sample
	database []Sample
}

// measure reads what the alerts need, and nothing else.
func (b *Broker) measure(ctx context.Context, alerts []EvaluatedAlert) (*measured, error) {
	m := &measured{queues: map[Scope][]QueueDepth{}}
	in := QueueDepthsInput{Limit: MaxWatchedQueues}
	ofServers, ofDatabase := false, false
	for i := range alerts {
		a := &alerts[i]
		metric, _ := metricOf(a.Metric)
		ofServers = ofServers || metric.family != ""
		switch {
		case !metric.OfQueues:
			ofDatabase = true
			continue
		case !slices.Contains(in.Accounts, a.Name.Account):
			in.Accounts = append(in.Accounts, a.Name.Account)
		}
		in.Oldest = in.Oldest || a.Metric == metricOldest || a.Metric == metricQueueOldest
	}
	if len(in.Accounts) > 0 {
		depths, err := b.store.QueueDepths(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("read how much queues hold: %w", err)
		}
		for _, d := range depths {
			scope := Scope{d.Queue.Account, d.Queue.Region}
			m.queues[scope] = append(m.queues[scope], d)
		}
	}
	if !ofServers {
		return m, nil
	}
	var err error
	if m.servers, err = b.store.Samples(ctx, SamplesFresh); err != nil {
		return nil, fmt.Errorf("read what servers measured: %w", err)
	}
	if !ofDatabase {
		return m, nil
	}
	if m.database, err = b.store.DatabaseSamples(ctx); err != nil {
		return nil, fmt.Errorf("ask the database how it is: %w", err)
	}
	return m, nil
}

// series gives the values of an alert's series, with nil for those that ought to have one, and whether there are
// more than are watched.
func (a *EvaluatedAlert) series(m *measured) (values map[string]*float64, tooMany bool) {
	values = map[string]*float64{}
	metric, _ := metricOf(a.Metric)
	if !metric.OfQueues {
		for name, value := range a.valuesOf(metric, m) {
			if len(values) == MaxAlertSeries {
				return values, true
			}
			values[name] = &value
		}
		if a.By == "" && metric.by == "" && len(values) == 0 {
			values[""] = nil
		}
		return values, false
	}
	of := metric.of
	if state, given := a.Labels["state"]; given {
		of = number(queueMessages[state])
	}
	scope := Scope{a.Name.Account, a.Name.Region}
	if metric.family != "" {
		rates := m.rates(metric.family, scope)
		of = func(d *QueueDepth) (float64, bool) { return rates[d.Queue.Name], len(m.servers) > 0 }
	}
	queues := m.queues[scope]
	for i := range queues {
		if matches, _ := path.Match(a.Queue, queues[i].Queue.Name); a.Queue != "" && !matches {
			continue
		}
		value, ok := of(&queues[i])
		switch {
		case len(values) == MaxAlertSeries:
			return values, true
		case ok:
			values[queues[i].Queue.Name] = &value
		case a.namesOne():
			values[queues[i].Queue.Name] = nil
		}
	}
	if len(values) == 0 && a.namesOne() {
		values[a.Queue] = nil // it ought to be there
	}
	return values, false
}

// namesOne says that the pattern can match one queue alone.
func (a *Alert) namesOne() bool { return a.Queue != "" && !strings.ContainsAny(a.Queue, `*?[\`) }

// evaluate finds the new states of an alert's series.
func (a *EvaluatedAlert) evaluate(m *measured, found *AlertFindings) {
	values, tooMany := a.series(m)
	if note := fmt.Sprintf("it matches more than the %d series that are watched", MaxAlertSeries); tooMany && a.Failure != note {
		found.Notes = append(found.Notes, AlertNote{a.Name, note})
	}
	a.addMissing(m, values)
	var changes, repeats []Change
	for name, value := range values {
		before, known := a.Series[name]
		after, told := a.next(before, known, value)
		after.Name = name
		if known && after.State == before.State && !told && !(a.storesValue(&after, len(values)) && !sameValue(before.Value, after.Value)) {
			continue
		}
		if told {
			change := Change{Series: name, From: before.Told, State: after.State, Since: after.Since, Value: after.Value}
			if before.Told == after.State {
				repeats = append(repeats, change)
			} else {
				changes = append(changes, change)
			}
			after.Told, after.NotifiedAt = after.State, a.Now
		}
		found.Changed = append(found.Changed, ChangedSeries{a.Name, after})
	}
	for name, before := range a.Series {
		if _, there := values[name]; there {
			continue
		}
		before.Name = name
		found.Gone = append(found.Gone, ChangedSeries{a.Name, before})
		if before.Told == AlertFiring || before.Told == AlertNoData {
			changes = append(changes, Change{Series: name, From: before.Told, State: AlertOK, Since: a.Now, Gone: true})
		}
	}
	a.tell(changes, false, found)
	a.tell(repeats, true, found)
}

// addMissing adds the series of servers that were there before: what is not counted any more is zero, and what is
// not measured has no value.
func (a *EvaluatedAlert) addMissing(m *measured, values map[string]*float64) {
	metric, _ := metricOf(a.Metric)
	if metric.OfQueues {
		return
	}
	for name := range a.Series {
		if _, there := values[name]; there || len(values) >= MaxAlertSeries {
			continue
		}
		values[name] = nil
		if metric.orZero && len(m.servers) > 0 {
			values[name] = new(float64)
		}
	}
}

// storesValue says whether the value of a series is of interest each time.
func (a *Alert) storesValue(s *AlertSeries, series int) bool {
	return s.State != AlertOK || series <= freshValues
}

func sameValue(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }

// next gives a series as it is with a value, nil for none, and whether somebody has to be told.
func (a *EvaluatedAlert) next(s AlertSeries, known bool, value *float64) (after AlertSeries, told bool) {
	if !known {
		s = AlertSeries{State: AlertOK, Since: a.Now, Told: AlertOK}
	}
	after = s
	after.Value = value
	state := a.stateOf(s, value)
	if state != s.State {
		after.State, after.Since = state, a.Now
	}
	switch {
	case state == AlertPending, !known && state == AlertNoData: // it may just not have begun
		return after, false
	case state != s.Told:
		return after, state != s.State || s.Told != AlertOK
	}
	again := a.Repeat > 0 && state != AlertOK && !a.Now.Before(s.NotifiedAt.Add(a.Repeat))
	return after, again
}

// stateOf gives the state of a series with a value.
func (a *EvaluatedAlert) stateOf(s AlertSeries, value *float64) AlertState {
	wrong := a.Missing == MissingFires
	switch {
	case value != nil:
		wrong = a.Comparison.holds(*value, a.Threshold)
	case a.Missing == MissingKeeps:
		return s.State
	case a.Missing == MissingNoData:
		return AlertNoData
	}
	switch {
	case !wrong:
		return AlertOK
	case s.State == AlertFiring, a.For == 0:
		return AlertFiring
	case s.State == AlertPending && !a.Now.Before(s.Since.Add(a.For)):
		return AlertFiring
	}
	return AlertPending
}

// stateOrder has what is worst in front.
var stateOrder = map[AlertState]int{AlertFiring: 0, AlertNoData: 1, AlertOK: 2}

// tell makes one notice of many changes.
func (a *EvaluatedAlert) tell(changes []Change, repeat bool, found *AlertFindings) {
	if len(changes) == 0 || len(a.To) == 0 {
		return
	}
	slices.SortFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(stateOrder[a.State], stateOrder[b.State]), cmp.Compare(a.Series, b.Series))
	})
	n := Notice{Alert: a.Alert, At: a.Now, Repeat: repeat, Changes: changes[:min(len(changes), MaxNoticeLines)]}
	n.More = len(changes) - len(n.Changes)
	n.Alert.To = nil
	found.Notices = append(found.Notices, NewNotice{Notice: n, Destinations: len(a.To)})
}

// NoticeSender sends a notice to a destination. An InvalidArgument says that it is of no use to try again.
type NoticeSender func(ctx context.Context, n Notice, to Destination) error

// OnNotices sets what sends notices, before the first request.
func (b *Broker) OnNotices(send NoticeSender) { b.sendNotice = send }

// Bounds of sending notices.
const (
	noticesAtOnce  = 16
	noticeTimeout  = 15 * time.Second
	noticeHold     = time.Minute // after which a notice whose server has died is another's
	maxNoticeError = 300         // bytes that are kept of why one could not be sent
)

// noticePauses are how long it takes until a notice that could not be sent is tried again; then it is given up.
var noticePauses = []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute}

// SendNotices sends what somebody has to be told, until there is no more that is due.
func (b *Broker) SendNotices(ctx context.Context) error {
	for b.sendNotice != nil {
		due, err := b.store.ClaimNotices(ctx, noticesAtOnce, noticeHold)
		if err != nil || len(due) == 0 {
			return err
		}
		errs := make([]error, len(due))
		var sending sync.WaitGroup
		for i, notice := range due {
			sending.Go(func() { errs[i] = b.settleNotice(ctx, notice) })
		}
		sending.Wait()
		if err := cmp.Or(errs...); err != nil {
			return err
		}
	}
	return nil
}

// settleNotice makes one attempt to send a notice, and stores what came of it.
func (b *Broker) settleNotice(ctx context.Context, notice DueNotice) error {
	sending, cancel := context.WithTimeout(ctx, noticeTimeout)
	defer cancel()
	err := b.sendNotice(sending, notice.Notice, notice.To)
	switch {
	case ctx.Err() != nil: // another server sends it
		return ctx.Err()
	case err == nil:
		return b.store.SettleNotice(ctx, notice, "", 0)
	}
	failure := fmt.Sprintf("%s: %s", notice.To.Type, MessageOf(err))
	failure = failure[:min(len(failure), maxNoticeError)]
	again := time.Duration(0)
	if CodeOf(err) != InvalidArgument && notice.Attempts <= len(noticePauses) {
		again = noticePauses[notice.Attempts-1]
	}
	return b.store.SettleNotice(ctx, notice, strings.ToValidUTF8(failure, ""), again)
}

// TestedDestination is what came of a test notification.
type TestedDestination struct {
	To     Destination
	Reason string // why it failed; "": it did not
}

// TestAlert sends a notification that says it is a test to each destination of an alert, and waits for what
// comes of it. EntityNotFound.
func (b *Broker) TestAlert(ctx context.Context, name AlertName) ([]TestedDestination, error) {
	a, err := b.store.Alert(ctx, name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, noticeTimeout)
	defer cancel()
	now, err := b.store.AdvanceClock(ctx, name.Account, 0)
	if err != nil {
		return nil, err
	}
	n := Notice{Alert: a, At: now, Test: true, Changes: []Change{{Series: a.Queue, From: AlertOK, State: AlertFiring, Since: now, Value: &a.Threshold}}}
	n.Alert.To = nil
	tested := make([]TestedDestination, len(a.To))
	var sending sync.WaitGroup
	for i, to := range a.To {
		tested[i].To = to
		if b.sendNotice == nil {
			tested[i].Reason = "this server sends no notifications"
			continue
		}
		sending.Go(func() {
			if err := b.sendNotice(ctx, n, to); err != nil {
				tested[i].Reason = MessageOf(err)
			}
		})
	}
	sending.Wait()
	return tested, nil
}

func isRateOfQueues(name string) bool {
	m, _ := metricOf(name)
	return m.OfQueues && m.family != ""
}

// SampleServer stores what this server measures of what alerts watch. take is given the names in /metrics.
func (b *Broker) SampleServer(ctx context.Context, take func(families []string) ([]Sample, error)) error {
	metrics, err := b.store.AlertMetricsInUse(ctx)
	if err != nil {
		return fmt.Errorf("read what alerts watch: %w", err)
	}
	families := Families(metrics)
	b.traffic.countQueues(slices.ContainsFunc(metrics, isRateOfQueues))
	if len(families) == 0 {
		return nil
	}
	samples, err := take(families)
	if err != nil {
		return fmt.Errorf("measure this server: %w", err)
	}
	return b.store.WriteSamples(ctx, samples[:min(len(samples), MaxSamples+MaxQueueRates)])
}
