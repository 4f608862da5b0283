package console_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

func TestAlertPages(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	broker.OnNotices(func(_ context.Context, _ core.Notice, to core.Destination) error {
		if to.Secret != "SEC1" {
			return errors.New("another secret")
		}
		return core.Errorf(core.InvalidArgument, "no such robot")
	})
	s := newSite(t, broker, &caller.Options{})
	pgtest.Send(t, broker, pgtest.Queue(t, broker, "orders"), "1", "2")
	s.done(base+"/alerts", "name", "deep", "metric", "depth", "pattern", "ord*", "comparison", ">", "threshold", "1", "for", "0", "way", "dingtalk", "target", "http://127.0.0.1:1/", "secret", "SEC1")
	s.wants(s.get(base+"/alerts"), "deep", "ord* &gt; 1")
	if err := broker.EvaluateAlerts(t.Context()); err != nil {
		t.Fatal(err)
	}
	shown := s.get(base + "/alerts/deep")
	s.wants(shown, "orders", "firing", "dingtalk", "http://127.0.0.1:1/", "polymq alert show deep ", "/api/v1/alerts/deep/series")
	if strings.Contains(shown, "SEC1") {
		t.Error("the secret is shown")
	}
	s.wants(s.post(base+"/alerts/deep/test").text, "not delivered", "no such robot")
	s.done(base+"/alerts/deep/enable", "disabled", "on")
	if a, err := broker.Alert(t.Context(), core.AlertName{Account: pgtest.Account, Region: pgtest.Region, Name: "deep"}); err != nil || !a.Disabled || len(a.To) != 1 || a.To[0].Secret != "SEC1" {
		t.Errorf("disabled: %+v, %v", a, err)
	}
	s.wants(s.get(base+"/alerts/deep"), `value="ord*"`, `value="http://127.0.0.1:1/"`, "as it is")
	s.done(base+"/alerts/deep/edit", "metric", "queue_sent_rate", "pattern", "orders", "comparison", ">=", "threshold", "2.5", "for", "60", "missing", "ok",
		"way", "dingtalk", "target", "http://127.0.0.1:1/", "secret", "", "way", "queue", "target", "ops", "secret", "", "way", "queue", "target", "", "secret", "")
	a, err := broker.Alert(t.Context(), core.AlertName{Account: pgtest.Account, Region: pgtest.Region, Name: "deep"})
	if err != nil || a.Metric != "queue_sent_rate" || a.Queue != "orders" || a.Comparison != ">=" || a.Threshold != 2.5 || a.For != time.Minute || a.Missing != core.MissingOK || !a.Disabled {
		t.Errorf("changed: %+v, %v", a, err)
	}
	if want := []core.Destination{{Type: core.ToDingTalk, Target: "http://127.0.0.1:1/", Secret: "SEC1"}, {Type: core.ToQueue, Target: "ops"}}; !slices.Equal(a.To, want) {
		t.Errorf("told are %+v", a.To)
	}
	s.wants(s.get(base+"/alerts"), "queue_sent_rate orders &gt;= 2.5 /s")
	if got := s.post(base+"/alerts/none/edit", "metric", "depth", "comparison", ">", "threshold", "1"); got.StatusCode != http.StatusNotFound {
		t.Errorf("an alert that is not there: %s", got.Status)
	}
	s.done(base + "/alerts/deep/delete")
	s.wants(s.get(base+"/alerts"), "No alerts")
	for name, fields := range map[string][]string{
		"no number":  {"name", "a", "metric", "depth", "comparison", ">", "threshold", "x"},
		"no metric":  {"name", "a", "metric", "x", "comparison", ">", "threshold", "1"},
		"too long":   {"name", "a", "metric", "depth", "comparison", ">", "threshold", "1", "for", "99999999"},
		"no address": {"name", "a", "metric", "depth", "comparison", ">", "threshold", "1", "way", "email", "target", "x"},
	} {
		if got := s.post(base+"/alerts", fields...); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %s", name, got.Status)
		}
	}
}
