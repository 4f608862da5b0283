package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// registerAlerts mounts the operations on alerts.
func (s *Server) registerAlerts(api huma.API, op func(id, method, path, tag, summary string, status int) huma.Operation) {
	const alerts, alert, tag = prefix + "/alerts", prefix + "/alerts/{alert}", "Alerts"
	huma.Register(api, op("list-alerts", http.MethodGet, alerts, tag, "List alerts and how many of their series are in which state", 200), s.listAlerts)
	huma.Register(api, op("create-alert", http.MethodPost, alerts, tag, "Create an alert", 201), s.createAlert)
	huma.Register(api, op("get-alert", http.MethodGet, alert, tag, "Show an alert", 200), s.getAlert)
	huma.Register(api, op("alter-alert", http.MethodPatch, alert, tag, "Change an alert", 200), s.alterAlert)
	huma.Register(api, op("delete-alert", http.MethodDelete, alert, tag, "Delete an alert", 204), s.deleteAlert)
	huma.Register(api, op("list-alert-series", http.MethodGet, alert+"/series", tag, "List the states of what an alert watches", 200), s.listAlertSeries)
	huma.Register(api, op("test-alert", http.MethodPost, alert+"/test", tag, "Send a notification to each destination, to see whether it arrives", 200), s.testAlert)
}

// OfAlert is the request of every operation on one alert.
type OfAlert struct {
	Scope
	Alert string `path:"alert" maxLength:"256" doc:"Name of the alert"`
}

func (s Scope) alert(ctx context.Context, name string) core.AlertName {
	return core.AlertName(s.queue(ctx, name))
}

// destinationBody is who is told, on the wire.
type destinationBody struct {
	Type   core.DestinationType `json:"type" enum:"topic,queue,email,webhook,slack,dingtalk,feishu,wecom" doc:"How somebody is told"`
	Target string               `json:"target" minLength:"1" maxLength:"1024" doc:"Name of the topic or queue, address of mail, or URL; viewers see no more of a URL than its host" example:"https://hooks.slack.com/services/…"`
	Secret string               `json:"secret,omitempty" maxLength:"1024" doc:"That a robot of DingTalk or Feishu signs with, or a webhook (header X-Polymq-Signature: sha256=HMAC of the body); never shown; absent: as it was for the same type and target"`
}

// AlertSettings are the fields of an alert that can be changed; those that are absent stay. It is exported for huma.
type AlertSettings struct {
	Description   *string            `json:"description,omitempty" maxLength:"1024" doc:"For people; part of notifications"`
	Metric        *string            `json:"metric,omitempty" maxLength:"128" doc:"Of queues: depth, visible, in_flight, delayed, bytes, oldest_message_age (seconds), dead_letter_depth. Of all servers: sent_rate, received_rate, deleted_rate, published_rate, empty_receive_rate, delivery_failure_rate, request_rate, error_rate, latency_p99, commit_p99, pool_busy, pool_wait_rate, database_lag, database_sessions, database_oldest_transaction. Or a name that /metrics shows: counters by their rate in a second, gauges, histograms by their p99. Metrics of servers are for administrators of all accounts" example:"depth"`
	Queue         *string            `json:"queue,omitempty" maxLength:"256" doc:"Of metrics of queues: pattern of names; * and ? stand for others; each queue has a state of its own; empty: all" example:"orders*"`
	Labels        *map[string]string `json:"labels,omitempty" maxProperties:"10" doc:"Of a name of /metrics: only its series with these labels"`
	By            *string            `json:"by,omitempty" maxLength:"256" doc:"Of a name of /metrics: a label whose values are apart, each with a state of its own" example:"action"`
	Comparison    *core.Comparison   `json:"comparison,omitempty" enum:">,>=,<,<=,==,!=" doc:"When it is wrong: value, comparison, threshold; of a new alert >"`
	Threshold     *float64           `json:"threshold,omitempty" example:"1000"`
	ForSeconds    *float64           `json:"for_seconds,omitempty" minimum:"0" maximum:"604800" doc:"How long it must be wrong before the alert fires"`
	RepeatSeconds *float64           `json:"repeat_seconds,omitempty" minimum:"0" maximum:"604800" doc:"How often somebody is told again while it goes on, 60 or more; 0: never"`
	Missing       *core.Missing      `json:"missing,omitempty" enum:"no_data,ok,firing,keep" doc:"What missing data is taken for: a state of its own, a good value, a wrong one, or what it was; of a new alert no_data"`
	Disabled      *bool              `json:"disabled,omitempty" doc:"It is not evaluated"`
	To            *[]destinationBody `json:"to,omitempty" maxItems:"10" doc:"Who is told when a state changes"`
}

func (in *AlertSettings) apply(a *core.Alert) {
	put(&a.Description, in.Description)
	put(&a.Metric, in.Metric)
	put(&a.Queue, in.Queue)
	put(&a.Labels, in.Labels)
	put(&a.By, in.By)
	put(&a.Comparison, in.Comparison)
	put(&a.Threshold, in.Threshold)
	put(&a.Missing, in.Missing)
	put(&a.Disabled, in.Disabled)
	if in.ForSeconds != nil {
		a.For = duration(*in.ForSeconds)
	}
	if in.RepeatSeconds != nil {
		a.Repeat = duration(*in.RepeatSeconds)
	}
	if in.To != nil {
		a.To = make([]core.Destination, len(*in.To))
		for i, to := range *in.To {
			a.To[i] = core.Destination{Type: to.Type, Target: to.Target, Secret: core.Secret(to.Secret)}
		}
	}
}

func put[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// alertBody is an alert on the wire.
type alertBody struct {
	Name          string                  `json:"name"`
	Account       string                  `json:"account"`
	Region        string                  `json:"region"`
	Description   string                  `json:"description,omitempty"`
	Metric        string                  `json:"metric"`
	Queue         string                  `json:"queue,omitempty"`
	Labels        map[string]string       `json:"labels,omitempty"`
	By            string                  `json:"by,omitempty"`
	Comparison    core.Comparison         `json:"comparison"`
	Threshold     float64                 `json:"threshold"`
	ForSeconds    float64                 `json:"for_seconds"`
	RepeatSeconds float64                 `json:"repeat_seconds"`
	Missing       core.Missing            `json:"missing"`
	Disabled      bool                    `json:"disabled"`
	To            []destinationBody       `json:"to" nullable:"false" doc:"Without secrets"`
	State         core.AlertState         `json:"state,omitempty" enum:"ok,pending,firing,no_data" doc:"The worst of its series; absent before it was evaluated"`
	Series        map[core.AlertState]int `json:"series" nullable:"false" doc:"How many series are in which state"`
	Failure       string                  `json:"failure,omitempty" doc:"Why the last notification could not be sent"`
	FailedAt      *time.Time              `json:"failed_at,omitempty"`
	CreatedAt     time.Time               `json:"created_at"`
	ModifiedAt    time.Time               `json:"modified_at"`
}

type ofOneAlert struct{ Body alertBody }

func encodeAlert(ctx context.Context, a core.Alert) alertBody {
	body := alertBody{
		Name: a.Name.Name, Account: a.Name.Account, Region: a.Name.Region, Description: a.Description, Metric: a.Metric, Queue: a.Queue, Labels: a.Labels, By: a.By,
		Comparison: a.Comparison, Threshold: a.Threshold, ForSeconds: a.For.Seconds(), RepeatSeconds: a.Repeat.Seconds(), Missing: a.Missing, Disabled: a.Disabled,
		To: make([]destinationBody, len(a.To)), State: a.Worst(), Series: a.Series, Failure: a.Failure, CreatedAt: a.CreatedAt.UTC(), ModifiedAt: a.ModifiedAt.UTC(),
	}
	if body.Series == nil {
		body.Series = map[core.AlertState]int{}
	}
	for i, to := range a.To {
		body.To[i] = encodeDestination(ctx, to)
	}
	if !a.FailedAt.IsZero() {
		failed := a.FailedAt.UTC()
		body.FailedAt = &failed
	}
	return body
}

// encodeDestination hides from who may only look what is in a URL: who knows it can write to the robot.
func encodeDestination(ctx context.Context, to core.Destination) destinationBody {
	body := destinationBody{Type: to.Type, Target: to.Target}
	if !exchangeOf(ctx).grants.Access.Covers(core.Operator) {
		body.Target = caller.OnlyHost(to.Target)
	}
	return body
}

// mayWatch says whether the caller may watch a metric: those of servers tell of all accounts.
func mayWatch(ctx context.Context, metric string) error {
	if !core.IsMetricOfQueues(metric) && !exchangeOf(ctx).grants.Everywhere {
		return core.Errorf(core.AccessDenied, "metrics of servers are for administrators of all accounts; those of queues are for everybody")
	}
	return nil
}

type createAlertRequest struct {
	Scope
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"256" doc:"Letters, digits, '-', '_' and '.'" example:"orders-are-late"`
		AlertSettings
	}
}

func (s *Server) createAlert(ctx context.Context, req *createAlertRequest) (*ofOneAlert, error) {
	a := core.Alert{Name: req.alert(ctx, req.Body.Name), Comparison: ">"}
	req.Body.apply(&a)
	if err := mayWatch(ctx, a.Metric); err != nil {
		return nil, failed(ctx, err)
	}
	a, err := s.broker.CreateAlert(ctx, a)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneAlert{encodeAlert(ctx, a)}, nil
}

func (s *Server) getAlert(ctx context.Context, req *OfAlert) (*ofOneAlert, error) {
	a, err := s.broker.Alert(ctx, req.alert(ctx, req.Alert))
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneAlert{encodeAlert(ctx, a)}, nil
}

type alterAlertRequest struct {
	OfAlert
	Body struct{ AlertSettings }
}

func (s *Server) alterAlert(ctx context.Context, req *alterAlertRequest) (*ofOneAlert, error) {
	name := req.alert(ctx, req.Alert)
	before, err := s.broker.Alert(ctx, name)
	if err == nil {
		err = mayWatch(ctx, before.Metric)
	}
	if err == nil && req.Body.Metric != nil {
		err = mayWatch(ctx, *req.Body.Metric)
	}
	if err != nil {
		return nil, failed(ctx, err)
	}
	a, err := s.broker.AlterAlert(ctx, name, req.Body.apply)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneAlert{encodeAlert(ctx, a)}, nil
}

func (s *Server) deleteAlert(ctx context.Context, req *OfAlert) (*struct{}, error) {
	if err := s.broker.DeleteAlert(ctx, req.alert(ctx, req.Alert)); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}

type listAlertsRequest struct {
	Scope
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most alerts to list"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
}

type listAlertsResponse struct {
	Body struct {
		Alerts     []alertBody `json:"alerts" nullable:"false"`
		NextCursor string      `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

func (s *Server) listAlerts(ctx context.Context, req *listAlertsRequest) (*listAlertsResponse, error) {
	scope := req.alert(ctx, "")
	page, err := s.broker.ListAlerts(ctx, core.ListAlertsInput{Account: scope.Account, Region: scope.Region, After: req.Cursor, Limit: req.Limit})
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listAlertsResponse
	resp.Body.Alerts = make([]alertBody, len(page.Alerts))
	for i, a := range page.Alerts {
		resp.Body.Alerts[i] = encodeAlert(ctx, a)
	}
	resp.Body.NextCursor = page.Next
	return &resp, nil
}

type listAlertSeriesRequest struct {
	OfAlert
	State  core.AlertState `query:"state" enum:"ok,pending,firing,no_data" doc:"Only series in this state"`
	Limit  int             `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most series to list"`
	Cursor string          `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
}

// seriesBody is the state of a series on the wire.
type seriesBody struct {
	Name       string          `json:"name" doc:"Of the queue, or the value of the label that is apart; empty where there is one series alone"`
	State      core.AlertState `json:"state" enum:"ok,pending,firing,no_data"`
	Since      time.Time       `json:"since" doc:"When the state became so"`
	Value      *float64        `json:"value" nullable:"true" doc:"The last one; of a series that is ok among more than a hundred, when it became so; null: there was no data"`
	NotifiedAt *time.Time      `json:"notified_at,omitempty" doc:"When somebody was told last"`
}

type listAlertSeriesResponse struct {
	Body struct {
		Series     []seriesBody `json:"series" nullable:"false"`
		NextCursor string       `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

// cursors begin with a letter, for a series may have no name.
const seriesCursor = "n"

func (s *Server) listAlertSeries(ctx context.Context, req *listAlertSeriesRequest) (*listAlertSeriesResponse, error) {
	in := core.ListAlertSeriesInput{Alert: req.alert(ctx, req.Alert), State: req.State, Limit: req.Limit}
	if req.Cursor != "" {
		after := req.Cursor[len(seriesCursor):]
		in.After = &after
	}
	page, err := s.broker.ListAlertSeries(ctx, in)
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listAlertSeriesResponse
	resp.Body.Series = make([]seriesBody, len(page.Series))
	for i, series := range page.Series {
		body := seriesBody{Name: series.Name, State: series.State, Since: series.Since.UTC(), Value: series.Value}
		if !series.NotifiedAt.IsZero() {
			notified := series.NotifiedAt.UTC()
			body.NotifiedAt = &notified
		}
		resp.Body.Series[i] = body
	}
	if page.Next != nil {
		resp.Body.NextCursor = seriesCursor + *page.Next
	}
	return &resp, nil
}

type testAlertResponse struct {
	Body struct {
		Destinations []testedBody `json:"destinations" nullable:"false"`
	}
}

type testedBody struct {
	Type   core.DestinationType `json:"type"`
	Target string               `json:"target"`
	Sent   bool                 `json:"sent" doc:"The destination took it"`
	Reason string               `json:"reason,omitempty" doc:"Why it did not"`
}

func (s *Server) testAlert(ctx context.Context, req *OfAlert) (*testAlertResponse, error) {
	tested, err := s.broker.TestAlert(ctx, req.alert(ctx, req.Alert))
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp testAlertResponse
	resp.Body.Destinations = make([]testedBody, len(tested))
	for i, t := range tested {
		to := encodeDestination(ctx, t.To)
		resp.Body.Destinations[i] = testedBody{Type: to.Type, Target: to.Target, Sent: t.Reason == "", Reason: t.Reason}
	}
	return &resp, nil
}
