package console

import (
	"net/url"
	"strconv"
	"time"

	"github.com/polymq/polymq/core"
)

// alertsPage is the data of alerts.html.
type alertsPage struct {
	Alerts      []core.Alert
	Next        string
	Metrics     []core.AlertMetric
	Comparisons []core.Comparison
	Ways        []core.DestinationType
}

// listAlerts lists alerts by name.
func (s *Server) listAlerts(x *exchange) error {
	found, err := s.broker.ListAlerts(x.ctx(), core.ListAlertsInput{Account: x.account, Region: x.region, After: x.r.URL.Query().Get("after"), Limit: listed})
	if err != nil {
		return err
	}
	data := alertsPage{Alerts: found.Alerts, Next: found.Next, Comparisons: core.Comparisons, Ways: core.DestinationTypes}
	for _, metric := range core.AlertMetrics {
		if metric.OfQueues || x.session.grants.Everywhere {
			data.Metrics = append(data.Metrics, metric)
		}
	}
	if x.partial() {
		return s.part(x, "alerts.html", "rows", data)
	}
	return s.show(x, "alerts.html", &page{Title: "Alerts", Active: "alerts", Data: data, Snippets: alertSnippets(x)})
}

// createAlert makes an alert. Those with several destinations are made by the API.
func (s *Server) createAlert(x *exchange) error {
	f := x.form()
	a := core.Alert{
		Name: x.alert(x.field("name")), Metric: x.field("metric"), Queue: x.field("pattern"), Comparison: core.Comparison(x.field("comparison")),
		Description: x.field("description"),
	}
	var err error
	if a.Threshold, err = strconv.ParseFloat(x.field("threshold"), 64); err != nil {
		return x.problem(core.InvalidArgument, x.t("The threshold must be a number."))
	}
	for name, to := range map[string]*time.Duration{"for": &a.For, "repeat": &a.Repeat} {
		if d := f.duration(name, time.Second, core.MaxAlertTime); d != nil {
			*to = *d
		}
	}
	if f.err != nil {
		return f.err
	}
	if target := x.field("target"); target != "" {
		a.To = []core.Destination{{Type: core.DestinationType(x.field("way")), Target: target, Secret: core.Secret(x.field("secret"))}}
	}
	if !core.IsMetricOfQueues(a.Metric) {
		if err := x.may(need{access: core.Operator, everywhere: true}); err != nil {
			return err
		}
	}
	if _, err := s.broker.CreateAlert(x.ctx(), a); err != nil {
		return err
	}
	return x.done(alertPath(a.Name.Name), x.t("Alert %s was created.", a.Name.Name))
}

func alertPath(name string) string { return "/alerts/" + url.PathEscape(name) }

// alert names an alert of the account and region.
func (x *exchange) alert(name string) core.AlertName {
	return core.AlertName{Account: x.account, Region: x.region, Name: name}
}

// alertPage is the data of alert.html.
type alertPage struct {
	Alert  core.Alert
	Unit   string
	Series []core.AlertSeries
	More   bool
}

// showAlert shows an alert and the states of what it watches.
func (s *Server) showAlert(x *exchange) error {
	name := x.alert(x.r.PathValue("alert"))
	a, err := s.broker.Alert(x.ctx(), name)
	if err != nil {
		return err
	}
	data := alertPage{Alert: a, Unit: core.UnitOf(a.Metric)}
	for _, state := range []core.AlertState{core.AlertFiring, core.AlertNoData, core.AlertPending, core.AlertOK} {
		if len(data.Series) >= listed {
			data.More = data.More || a.Series[state] > 0
			continue
		}
		found, err := s.broker.ListAlertSeries(x.ctx(), core.ListAlertSeriesInput{Alert: name, State: state, Limit: listed})
		if err != nil {
			return err
		}
		data.Series, data.More = append(data.Series, found.Series...), data.More || found.Next != nil
	}
	if x.partial() {
		return s.part(x, "alert.html", "state", data)
	}
	return s.show(x, "alert.html", &page{Title: a.Name.Name, Active: "alerts", Data: data, Snippets: alertSnippets(x)})
}

// testAlert sends a notification to each destination of an alert.
func (s *Server) testAlert(x *exchange) error {
	tested, err := s.broker.TestAlert(x.ctx(), x.alert(x.r.PathValue("alert")))
	if err != nil {
		return err
	}
	return s.part(x, "alert.html", "tested", tested)
}

// enableAlert has an alert evaluated, or no longer.
func (s *Server) enableAlert(x *exchange) error {
	disabled := x.field("disabled") != ""
	a, err := s.broker.AlterAlert(x.ctx(), x.alert(x.r.PathValue("alert")), func(a *core.Alert) { a.Disabled = disabled })
	if err != nil {
		return err
	}
	if disabled {
		return x.done(alertPath(a.Name.Name), x.t("Alert %s is not evaluated any more.", a.Name.Name))
	}
	return x.done(alertPath(a.Name.Name), x.t("Alert %s is evaluated again.", a.Name.Name))
}

// deleteAlert deletes an alert.
func (s *Server) deleteAlert(x *exchange) error {
	name := x.alert(x.r.PathValue("alert"))
	if err := s.broker.DeleteAlert(x.ctx(), name); err != nil {
		return err
	}
	return x.done("/alerts", x.t("Alert %s was deleted.", name.Name))
}

func alertSnippets(x *exchange) []snippet {
	return []snippet{
		x.snippetOf(curl, `-X POST "{url}/api/v1/alerts?account={account}&region={region}" \
  -H "Content-Type: application/json" \
  -d '{"name": "late", "metric": "oldest_message_age", "queue": "orders*", "threshold": 300, "for_seconds": 60, "to": [{"type": "queue", "target": "ops"}]}'`),
	}
}
