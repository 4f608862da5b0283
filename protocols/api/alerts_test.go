package api_test

import (
	"strings"
	"testing"
)

func TestAlerts(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	made := c.call(201, "POST", "/alerts", `{"name": "late", "metric": "oldest_message_age", "queue": "orders*", "threshold": 300, "for_seconds": 60, "repeat_seconds": 3600,
		"to": [{"type": "dingtalk", "target": "https://oapi.dingtalk.com/robot/send?access_token=x", "secret": "SEC1"}, {"type": "queue", "target": "ops"}]}`)
	if made["comparison"] != ">" || made["missing"] != "no_data" || made["for_seconds"] != 60.0 || len(objects(made["to"])) != 2 {
		t.Errorf("made %v", made)
	}
	for _, destination := range objects(made["to"]) {
		if _, shown := destination["secret"]; shown {
			t.Errorf("the secret is shown: %v", destination)
		}
	}
	c.call(409, "POST", "/alerts", `{"name": "late", "metric": "depth", "threshold": 1}`)
	altered := c.call(200, "PATCH", "/alerts/late", `{"threshold": 0, "queue": "", "missing": "ok"}`)
	if altered["threshold"] != 0.0 || altered["queue"] != nil || altered["missing"] != "ok" || altered["repeat_seconds"] != 3600.0 {
		t.Errorf("altered to %v", altered)
	}
	if got := c.call(200, "GET", "/alerts/late", ""); got["metric"] != "oldest_message_age" || got["threshold"] != 0.0 {
		t.Errorf("got %v", got)
	}
	c.call(201, "POST", "/alerts", `{"name": "a", "metric": "error_rate", "threshold": 1}`)
	first := c.call(200, "GET", "/alerts?limit=1", "")
	next, _ := first["next_cursor"].(string)
	if second := c.call(200, "GET", "/alerts?limit=1&cursor="+next, ""); objects(first["alerts"])[0]["name"] != "a" || objects(second["alerts"])[0]["name"] != "late" || second["next_cursor"] != nil {
		t.Errorf("pages are %v and %v", first, second)
	}
	if got := c.call(200, "GET", "/alerts/late/series", ""); len(objects(got["series"])) != 0 {
		t.Errorf("got %v before it was evaluated", got)
	}
	if got := objects(c.call(200, "POST", "/alerts/late/test", "")["destinations"]); len(got) != 2 || got[0]["sent"] != false || got[0]["reason"] == nil {
		t.Errorf("tested: %v", got)
	}
	if got := objects(c.call(200, "GET", "/alerts?region=eu-west-1", "")["alerts"]); len(got) != 0 {
		t.Errorf("another region has %v", got)
	}
	c.call(204, "DELETE", "/alerts/late", "")
	for method, path := range map[string]string{"GET": "/alerts/late", "DELETE": "/alerts/late", "POST": "/alerts/late/test"} {
		if problem := c.call(404, method, path, ""); problem["code"] != "EntityNotFound" {
			t.Errorf("%s %s: %v", method, path, problem)
		}
	}
	c.call(404, "GET", "/alerts/late/series", "")
	c.call(404, "PATCH", "/alerts/late", `{"threshold": 1}`)
}

func TestAlertsThatAreWrong(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for name, tt := range map[string]struct{ fields, want string }{
		"no metric":                     {`"threshold": 1`, "no metric"},
		"another's metric":              {`"metric": "node_load1"`, "no metric"},
		"no pattern":                    {`"metric": "depth", "queue": "["`, "pattern"},
		"a queue of a server's metric":  {`"metric": "sent_rate", "queue": "orders"`, "metric of servers"},
		"labels of a queue's metric":    {`"metric": "depth", "labels": {"a": "b"}`, "metric of queues"},
		"a state that is none":          {`"metric": "polymq_queue_messages", "labels": {"state": "lost"}`, "label state"},
		"a comparison that is none":     {`"metric": "depth", "comparison": "=~"`, ""},
		"repeated too often":            {`"metric": "depth", "repeat_seconds": 59`, "repeated"},
		"a name with blanks":            {`"metric": "depth", "name": "a b"`, "name of an alert"},
		"a destination that is none":    {`"metric": "depth", "to": [{"type": "pager", "target": "x"}]`, ""},
		"a robot without a URL":         {`"metric": "depth", "to": [{"type": "slack", "target": "hooks.slack.com"}]`, "URL"},
		"a robot at a file":             {`"metric": "depth", "to": [{"type": "feishu", "target": "file:///etc/passwd"}]`, "URL"},
		"mail to nobody":                {`"metric": "depth", "to": [{"type": "email", "target": "Ops <ops@example.com>"}]`, "address of mail"},
		"a secret where there is none":  {`"metric": "depth", "to": [{"type": "slack", "target": "https://hooks.slack.com/x", "secret": "s"}]`, "no secret"},
		"a queue of no name":            {`"metric": "depth", "to": [{"type": "queue", "target": "a/b"}]`, "no name of a queue"},
		"more destinations than it may": {`"metric": "depth", "to": [` + strings.Repeat(`{"type": "queue", "target": "a"},`, 10) + `{"type": "queue", "target": "a"}]`, ""},
	} {
		fields := tt.fields
		if !strings.Contains(fields, `"name"`) {
			fields += `, "name": "a"`
		}
		problem := c.call(422, "POST", "/alerts", "{"+fields+"}")
		if detail, _ := problem["detail"].(string); !strings.Contains(detail, tt.want) {
			t.Errorf("%s: %v", name, problem)
		}
	}
	if got := objects(c.call(200, "GET", "/alerts", "")["alerts"]); len(got) != 0 {
		t.Errorf("stored %v", got)
	}
}
