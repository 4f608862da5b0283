package console

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
)

// alertsPage is the data of alerts.html.
type alertsPage struct {
	Alerts []core.Alert
	Next   string
	Form   alertForm
}

// alertForm is what the form of an alert begins with.
type alertForm struct {
	Alert       core.Alert // without a name: a new one
	Metrics     []core.AlertMetric
	Comparisons []core.Comparison
	Missings    []core.Missing
	Ways        []core.DestinationType
	To          []core.Destination // with an empty one, to add another
}

// missings say what missing data is taken for.
var missings = map[core.Missing]string{
	core.MissingNoData: "a state of its own", core.MissingOK: "all is well", core.MissingFires: "something is wrong", core.MissingKeeps: "as it was before",
}

// alertForm fills the form with an alert.
func (x *exchange) alertForm(a core.Alert) alertForm {
	f := alertForm{Alert: a, Comparisons: core.Comparisons, Missings: core.Missings, Ways: core.DestinationTypes, To: a.To}
	if len(f.To) < core.MaxAlertDestination {
		f.To = append(f.To[:len(f.To):len(f.To)], core.Destination{})
	}
	named := a.Metric == ""
	for _, metric := range core.AlertMetrics {
		if metric.OfQueues || x.session.grants.Everywhere {
			f.Metrics = append(f.Metrics, metric)
			named = named || metric.Name == a.Metric
		}
	}
	if !named { // one of /metrics
		f.Metrics = append(f.Metrics, core.AlertMetric{Name: a.Metric, Unit: core.UnitOf(a.Metric)})
	}
	return f
}

// listAlerts lists alerts by name.
func (s *Server) listAlerts(x *exchange) error {
	found, err := s.broker.ListAlerts(x.ctx(), core.ListAlertsInput{Account: x.account, Region: x.region, After: x.r.URL.Query().Get("after"), Limit: listed})
	if err != nil {
		return err
	}
	data := alertsPage{Alerts: found.Alerts, Next: found.Next, Form: x.alertForm(core.Alert{})}
	if x.partial() {
		return s.part(x, "alerts.html", "rows", data)
	}
	return s.show(x, "alerts.html", &page{Title: "Alerts", Active: "alerts", Data: data, Snippets: alertsSnippets(x)})
}

// createAlert makes an alert.
func (s *Server) createAlert(x *exchange) error {
	change, err := x.alertChange()
	if err != nil {
		return err
	}
	a := core.Alert{Name: x.alert(x.field("name"))}
	change(&a)
	if _, err := s.broker.CreateAlert(x.ctx(), a); err != nil {
		return err
	}
	return x.done(alertPath(a.Name.Name), x.t("Alert %s was created.", a.Name.Name))
}

// editAlert changes an alert. What the form does not show, such as labels, stays, and so do secrets that are left empty.
func (s *Server) editAlert(x *exchange) error {
	change, err := x.alertChange()
	if err != nil {
		return err
	}
	a, err := s.broker.AlterAlert(x.ctx(), x.alert(x.r.PathValue("alert")), change)
	if err != nil {
		return err
	}
	return x.done(alertPath(a.Name.Name), x.t("Alert %s was changed.", a.Name.Name))
}

// alertChange reads the form of an alert.
func (x *exchange) alertChange() (func(*core.Alert), error) {
	threshold, err := strconv.ParseFloat(x.field("threshold"), 64)
	if err != nil {
		return nil, x.problem(core.InvalidArgument, x.t("The threshold must be a number."))
	}
	f := x.form()
	holds, repeat := f.duration("for", time.Second, core.MaxAlertTime), f.duration("repeat", time.Second, core.MaxAlertTime)
	if f.err != nil {
		return nil, f.err
	}
	metric := x.field("metric")
	if !core.IsMetricOfQueues(metric) {
		if err := x.may(need{access: core.Operator, everywhere: true}); err != nil {
			return nil, err
		}
	}
	to := x.destinations()
	return func(a *core.Alert) {
		if a.Metric != metric { // other labels belong to it
			a.Labels, a.By = nil, ""
		}
		a.Metric, a.Queue, a.Comparison, a.Threshold = metric, x.field("pattern"), core.Comparison(x.field("comparison")), threshold
		a.Description, a.Missing, a.To = x.field("description"), core.Missing(x.field("missing")), to
		a.For, a.Repeat = 0, 0
		if holds != nil {
			a.For = *holds
		}
		if repeat != nil {
			a.Repeat = *repeat
		}
	}, nil
}

// destinations reads who is told: rows without a target are none.
func (x *exchange) destinations() []core.Destination {
	var to []core.Destination
	ways, secrets := x.r.PostForm["way"], x.r.PostForm["secret"]
	for i, target := range x.r.PostForm["target"] {
		if target = strings.TrimSpace(target); target == "" || i >= len(ways) {
			continue
		}
		d := core.Destination{Type: core.DestinationType(ways[i]), Target: target}
		if i < len(secrets) {
			d.Secret = core.Secret(strings.TrimSpace(secrets[i]))
		}
		to = append(to, d)
	}
	return to
}

func alertPath(name string) string { return "/alerts/" + url.PathEscape(name) }

// alert names an alert of the account and region.
func (x *exchange) alert(name string) core.AlertName {
	return core.AlertName{Account: x.account, Region: x.region, Name: name}
}

// alertPage is the data of alert.html.
type alertPage struct {
	Alert  core.Alert
	Form   alertForm
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
	data := alertPage{Alert: a, Form: x.alertForm(a), Unit: core.UnitOf(a.Metric)}
	for _, state := range []core.AlertState{core.AlertFiring, core.AlertNoData, core.AlertPending, core.AlertOK} {
		if a.Series[state] == 0 || len(data.Series) >= listed { // none are shown; to look for them in vain costs as much as to look at all
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
	return s.show(x, "alert.html", &page{Title: a.Name.Name, Active: "alerts", Data: data, Snippets: alertSnippets(x, a.Name.Name)})
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
