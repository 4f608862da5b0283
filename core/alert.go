package core

import (
	"context"
	"net/mail"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// Alert is a rule that watches a metric, and tells somebody when it is not as it should be. Each queue that its
// pattern matches, or each value of the label that it is by, is a series with a state of its own.
type Alert struct {
	Name        AlertName
	Description string
	Metric      string            // one of AlertMetrics, or a name of /metrics
	Queue       string            // pattern of names of queues, for metrics of queues: "*" and "?" stand for others; "": all
	Labels      map[string]string // of a metric of /metrics: only its series with these
	By          string            // of a metric of /metrics: a label whose values are apart; "": all are one
	Comparison  Comparison
	Threshold   float64
	For         time.Duration // how long it must hold before the alert fires
	Repeat      time.Duration // how often somebody is told again while it goes on; 0: never
	Missing     Missing
	Disabled    bool
	To          []Destination
	CreatedAt   time.Time
	ModifiedAt  time.Time
	Series      map[AlertState]int // how many are in each state
	Failure     string             // of the last notification that could not be sent; "" when the last one could
	FailedAt    time.Time
}

// AlertName names an alert.
type AlertName struct {
	Account string
	Region  string // of the queues that it watches, and of those that it sends to
	Name    string
}

// Comparison says how a value compares with the threshold when something is wrong.
type Comparison string

// Comparisons lists them.
var Comparisons = []Comparison{">", ">=", "<", "<=", "==", "!="}

// holds reports whether a value compares so.
func (c Comparison) holds(value, threshold float64) bool {
	switch c {
	case ">":
		return value > threshold
	case ">=":
		return value >= threshold
	case "<":
		return value < threshold
	case "<=":
		return value <= threshold
	case "==":
		return value == threshold
	}
	return value != threshold
}

// Missing says what a series is taken for while there is no data of it.
type Missing string

// What missing data is taken for.
const (
	MissingNoData Missing = "no_data" // a state of its own
	MissingOK     Missing = "ok"
	MissingFires  Missing = "firing" // as a value that is wrong
	MissingKeeps  Missing = "keep"   // the state stays as it is
)

// Missings lists them.
var Missings = []Missing{MissingNoData, MissingOK, MissingFires, MissingKeeps}

// AlertState is how a series is.
type AlertState string

// The states.
const (
	AlertOK      AlertState = "ok"
	AlertPending AlertState = "pending" // wrong, but not for long enough
	AlertFiring  AlertState = "firing"
	AlertNoData  AlertState = "no_data"
)

// DestinationType is a way to tell somebody.
type DestinationType string

// The ways.
const (
	ToTopic    DestinationType = "topic"
	ToQueue    DestinationType = "queue"
	ToEmail    DestinationType = "email"
	ToWebhook  DestinationType = "webhook"
	ToSlack    DestinationType = "slack"
	ToDingTalk DestinationType = "dingtalk"
	ToFeishu   DestinationType = "feishu"
	ToWeCom    DestinationType = "wecom"
)

// DestinationTypes lists them.
var DestinationTypes = []DestinationType{ToTopic, ToQueue, ToEmail, ToWebhook, ToSlack, ToDingTalk, ToFeishu, ToWeCom}

// Destination is who is told.
type Destination struct {
	Type   DestinationType
	Target string // a name of a topic or queue, an address of mail, or a URL
	Secret Secret // that webhooks and robots of DingTalk and Feishu are signed with; "": they are not
}

// AlertSeries is the state of one series of an alert.
type AlertSeries struct {
	Name       string // of the queue, or the value of the label; "" where the alert has one series alone
	State      AlertState
	Since      time.Time // the state's
	Value      *float64  // when it was last looked at or, of a series that is ok, changed; nil: there was none
	Told       AlertState
	NotifiedAt time.Time // zero: never
}

// Bounds of alerts.
const (
	MaxAlerts           = 200    // of an account
	MaxAllAlerts        = 2000   // of all accounts
	MaxAlertSeries      = 10_000 // of an alert; those that come later by name are not watched
	MaxAlertDestination = 10     // of an alert
	MaxAlertTime        = 7 * 24 * time.Hour
	MaxAlertText        = 1024 // characters of a description, of a destination and of a secret
	MaxAlertLabels      = 10
	MinAlertRepeat      = time.Minute
)

// AlertStore keeps alerts.
type AlertStore interface {
	// CreateAlert gives EntityExists and EntityLimit, AlterAlert and DeleteAlert EntityNotFound. An altered alert
	// keeps the states of its series.
	CreateAlert(ctx context.Context, a Alert) (Alert, error)
	AlterAlert(ctx context.Context, a Alert) (Alert, error)
	DeleteAlert(ctx context.Context, name AlertName) error
	Alert(ctx context.Context, name AlertName) (Alert, error) // EntityNotFound
	ListAlerts(ctx context.Context, in ListAlertsInput) (AlertPage, error)
	ListAlertSeries(ctx context.Context, in ListAlertSeriesInput) (AlertSeriesPage, error)

	// ClaimAlerts says whether it is time to evaluate and nobody else does: for as long as hold, this caller is
	// the one. Without alerts it never is. The time of accounts counts where it was moved.
	ClaimAlerts(ctx context.Context, every, hold time.Duration) (round int64, ok bool, err error)
	// AlertsToEvaluate gives all alerts that are not disabled with the states of their series, and the time of
	// their accounts.
	AlertsToEvaluate(ctx context.Context) ([]EvaluatedAlert, error)
	// FinishAlerts stores what an evaluation found and ends it; nothing where another one has begun.
	FinishAlerts(ctx context.Context, round int64, found AlertFindings) error
	// ReleaseAlerts ends an evaluation that has failed.
	ReleaseAlerts(ctx context.Context, round int64) error

	// QueueDepths gives the queues of accounts by name; the age of the oldest message only if asked.
	QueueDepths(ctx context.Context, in QueueDepthsInput) ([]QueueDepth, error)
	// WriteSamples replaces what this server said of itself; Samples gives what all servers said within a time.
	WriteSamples(ctx context.Context, samples []Sample) error
	Samples(ctx context.Context, within time.Duration) ([][]Sample, error)
	// DatabaseSamples gives what the database knows of itself.
	DatabaseSamples(ctx context.Context) ([]Sample, error)
	// AlertMetricsInUse gives the metrics of alerts that are not disabled.
	AlertMetricsInUse(ctx context.Context) ([]string, error)

	// ClaimNotices gives up to limit notices that are to be sent now, which for as long as hold nobody else gets.
	ClaimNotices(ctx context.Context, limit int, hold time.Duration) ([]DueNotice, error)
	// SettleNotice ends a notice that was sent, or is given up with why; with again it is tried once more.
	SettleNotice(ctx context.Context, notice DueNotice, failure string, again time.Duration) error
}

// ListAlertsInput is a request for a page of alerts by name.
type ListAlertsInput struct {
	Account, Region string
	After           string // name
	Limit           int
}

// AlertPage is a page of alerts.
type AlertPage struct {
	Alerts []Alert
	Next   string // After of the next page; "": there is none
}

// ListAlertSeriesInput is a request for a page of an alert's series by name.
type ListAlertSeriesInput struct {
	Alert AlertName
	State AlertState // "": all
	After *string    // name; nil: from the beginning
	Limit int
}

// AlertSeriesPage is a page of an alert's series.
type AlertSeriesPage struct {
	Series []AlertSeries
	Next   *string // After of the next page; nil: there is none
}

// MaxAlertPage bounds pages of alerts and series.
const MaxAlertPage = 1000

// CreateAlert makes an alert. InvalidArgument, EntityExists, EntityLimit.
func (b *Broker) CreateAlert(ctx context.Context, a Alert) (Alert, error) {
	if err := a.check(); err != nil {
		return a, err
	}
	return b.store.CreateAlert(ctx, a)
}

// AlterAlert changes an alert by a function that is given the alert as it is. Destinations without a secret keep
// the one that they have. EntityNotFound, InvalidArgument.
func (b *Broker) AlterAlert(ctx context.Context, name AlertName, change func(*Alert)) (Alert, error) {
	a, err := b.store.Alert(ctx, name)
	if err != nil {
		return a, err
	}
	before := slices.Clone(a.To)
	change(&a)
	for i, to := range a.To {
		if to.Secret != "" {
			continue
		}
		for _, old := range before {
			if old.Type == to.Type && old.Target == to.Target {
				a.To[i].Secret = old.Secret
			}
		}
	}
	if err := a.check(); err != nil {
		return a, err
	}
	return b.store.AlterAlert(ctx, a)
}

// DeleteAlert removes an alert. EntityNotFound.
func (b *Broker) DeleteAlert(ctx context.Context, name AlertName) error {
	return b.store.DeleteAlert(ctx, name)
}

// Alert gives an alert. EntityNotFound.
func (b *Broker) Alert(ctx context.Context, name AlertName) (Alert, error) {
	return b.store.Alert(ctx, name)
}

// ListAlerts lists alerts by name.
func (b *Broker) ListAlerts(ctx context.Context, in ListAlertsInput) (AlertPage, error) {
	if in.Limit < 1 || in.Limit > MaxAlertPage {
		return AlertPage{}, Errorf(InvalidArgument, "a page has 1 to %d alerts, asked for %d", MaxAlertPage, in.Limit)
	}
	return b.store.ListAlerts(ctx, in)
}

// ListAlertSeries lists the series of an alert by name. EntityNotFound.
func (b *Broker) ListAlertSeries(ctx context.Context, in ListAlertSeriesInput) (AlertSeriesPage, error) {
	if in.Limit < 1 || in.Limit > MaxAlertPage {
		return AlertSeriesPage{}, Errorf(InvalidArgument, "a page has 1 to %d series, asked for %d", MaxAlertPage, in.Limit)
	}
	page, err := b.store.ListAlertSeries(ctx, in)
	if err == nil && len(page.Series) == 0 { // there may be no such alert
		_, err = b.store.Alert(ctx, in.Alert)
	}
	return page, err
}

// Worst gives the worst state of the alert's series, "" where it has none.
func (a *Alert) Worst() AlertState {
	for _, state := range []AlertState{AlertFiring, AlertNoData, AlertPending, AlertOK} {
		if a.Series[state] > 0 {
			return state
		}
	}
	return ""
}

func (a *Alert) check() error {
	metric, known := metricOf(a.Metric)
	_, patternErr := path.Match(a.Queue, "")
	if a.Missing == "" {
		a.Missing = MissingNoData
	}
	switch name := a.Name.Name; {
	case len(name) < 1 || len(name) > MaxNameLength || slices.ContainsFunc([]rune(name), foreignRune):
		return Errorf(InvalidArgument, "the name of an alert has 1 to %d letters, digits, '-', '_' and '.', unlike %.300q", MaxNameLength, name)
	case len(a.Description) > MaxAlertText:
		return Errorf(InvalidArgument, "the description has at most %d characters", MaxAlertText)
	case !known:
		return Errorf(InvalidArgument, "there is no metric %.300q: the metrics are %s, and the names that /metrics shows", a.Metric, strings.Join(alertMetricNames(), ", "))
	case patternErr != nil || len(a.Queue) > MaxNameLength:
		return Errorf(InvalidArgument, "%.300q is no pattern of names", a.Queue)
	case !metric.OfQueues && a.Queue != "":
		return Errorf(InvalidArgument, "%s is a metric of servers, which queue %.300q has nothing to do with", a.Metric, a.Queue)
	case metric.OfQueues && (a.By != "" || len(a.Labels) > 0 && metric.Name != metricQueueMessages):
		return Errorf(InvalidArgument, "%s is a metric of queues: give a pattern of queues in the place of labels", a.Metric)
	case !slices.Contains(Comparisons, a.Comparison):
		return Errorf(InvalidArgument, "the comparison must be one of %v, was %.300q", Comparisons, a.Comparison)
	case a.Threshold != a.Threshold || a.Threshold-a.Threshold != 0:
		return Errorf(InvalidArgument, "the threshold must be a finite number")
	case a.For < 0 || a.For > MaxAlertTime:
		return Errorf(InvalidArgument, "an alert waits 0 to %v before it fires, was %v", MaxAlertTime, a.For)
	case a.Repeat != 0 && (a.Repeat < MinAlertRepeat || a.Repeat > MaxAlertTime):
		return Errorf(InvalidArgument, "notifications are repeated every %v to %v, or never; was %v", MinAlertRepeat, MaxAlertTime, a.Repeat)
	case !slices.Contains(Missings, a.Missing):
		return Errorf(InvalidArgument, "missing data is taken for one of %v, was %.300q", Missings, a.Missing)
	case len(a.To) > MaxAlertDestination:
		return Errorf(InvalidArgument, "an alert has at most %d destinations, was %d", MaxAlertDestination, len(a.To))
	}
	if err := a.checkLabels(metric); err != nil {
		return err
	}
	for _, to := range a.To {
		if err := to.check(); err != nil {
			return err
		}
	}
	return nil
}

func (a *Alert) checkLabels(metric AlertMetric) error {
	if len(a.Labels) > MaxAlertLabels {
		return Errorf(InvalidArgument, "an alert names at most %d labels, was %d", MaxAlertLabels, len(a.Labels))
	}
	for name, value := range a.Labels {
		if len(name) > MaxNameLength || len(value) > MaxNameLength || strings.ContainsRune(name+value, 0) {
			return Errorf(InvalidArgument, "labels and their values have at most %d characters", MaxNameLength)
		}
	}
	if state, given := a.Labels["state"]; metric.Name == metricQueueMessages && (len(a.Labels) > 1 || len(a.Labels) == 1 && !given || given && queueMessages[state] == nil) {
		return Errorf(InvalidArgument, "%s has the label state alone: visible, in_flight or delayed", metricQueueMessages)
	}
	if len(a.By) > MaxNameLength || strings.ContainsRune(a.By, 0) {
		return Errorf(InvalidArgument, "a label has at most %d characters", MaxNameLength)
	}
	return nil
}

func (d *Destination) check() error {
	if len(d.Target) > MaxAlertText || len(d.Secret) > MaxAlertText {
		return Errorf(InvalidArgument, "a destination and its secret have at most %d characters each", MaxAlertText)
	}
	switch d.Type {
	case ToTopic, ToQueue:
		if d.Target == "" || len(d.Target) > MaxNameLength || slices.ContainsFunc([]rune(d.Target), foreignRune) {
			return Errorf(InvalidArgument, "%.300q is no name of a %s", d.Target, d.Type)
		}
	case ToEmail:
		if address, err := mail.ParseAddress(d.Target); err != nil || address.Address != d.Target {
			return Errorf(InvalidArgument, "%.300q is no address of mail", d.Target)
		}
	case ToWebhook, ToSlack, ToDingTalk, ToFeishu, ToWeCom:
		if u, err := url.Parse(d.Target); err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
			return Errorf(InvalidArgument, "a destination %s has a URL, http:// or https://", d.Type)
		}
	default:
		return Errorf(InvalidArgument, "a destination is one of %v, was %.300q", DestinationTypes, d.Type)
	}
	if d.Secret != "" && d.Type != ToWebhook && d.Type != ToDingTalk && d.Type != ToFeishu {
		return Errorf(InvalidArgument, "a destination %s has no secret", d.Type)
	}
	return nil
}
