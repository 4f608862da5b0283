package checks

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// exposed gives the labels of each series that a server shows, by name; scrapes add job and instance.
func exposed(t *testing.T) map[string]map[string]bool {
	t.Helper()
	text := expfmt.NewTextParser(model.UTF8Validation)
	families, err := text.TextToMetricFamilies(strings.NewReader(given(t, "POLYMQ_METRICS")))
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]map[string]bool{"up": {"job": true, "instance": true}}
	for name, family := range families {
		known := map[string]bool{"job": true, "instance": true}
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				known[l.GetName()] = true
			}
		}
		if family.GetType() != dto.MetricType_HISTOGRAM {
			series[name] = known
			continue
		}
		series[name+"_count"], series[name+"_sum"] = known, known
		buckets := map[string]bool{"le": true}
		for l := range known {
			buckets[l] = true
		}
		series[name+"_bucket"] = buckets
	}
	return series
}

// checkQuery checks that all series and labels of a query exist.
func checkQuery(t *testing.T, series map[string]map[string]bool, query string) {
	t.Helper()
	expr, err := parser.ParseExpr(query)
	if err != nil {
		t.Errorf("%s: %v", query, err)
		return
	}
	used := map[string]bool{}
	found := map[string]bool{}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			if series[n.Name] == nil {
				t.Errorf("%s: there is no %s", query, n.Name)
			}
			for l := range series[n.Name] {
				found[l] = true
			}
			for _, m := range n.LabelMatchers {
				if m.Name != labels.MetricName && !series[n.Name][m.Name] {
					t.Errorf("%s: %s has no label %s", query, n.Name, m.Name)
				}
			}
		case *parser.AggregateExpr:
			for _, l := range n.Grouping {
				used[l] = true
			}
		}
		return nil
	})
	for l := range used {
		if !found[l] {
			t.Errorf("%s: none of its series has a label %s", query, l)
		}
	}
}

func TestAlertRules(t *testing.T) {
	t.Parallel()
	groups, errs := rulefmt.ParseFile("../prometheus/polymq.rules.yml", false, model.UTF8Validation)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	series, rules := exposed(t), 0
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			rules++
			checkQuery(t, series, rule.Expr)
			if rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s has no severity, summary or description", rule.Alert)
			}
		}
	}
	if rules == 0 {
		t.Error("there are no rules")
	}
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../grafana/polymq.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title, Type string
			GridPos     struct{ X, Y, W, H int }
			Targets     []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	series := exposed(t)
	variables := strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*", "$account", ".*", "$queue", ".*")
	taken := map[[2]int]string{}
	for _, panel := range dashboard.Panels {
		for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
			for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("panel %q lies over %q, or beyond the edge", panel.Title, other)
				}
				taken[[2]int{x, y}] = panel.Title
			}
		}
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("panel %q shows nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			checkQuery(t, series, variables.Replace(target.Expr))
		}
	}
	for _, variable := range dashboard.Templating.List {
		if query, ok := strings.CutPrefix(variable.Definition, "label_values("); ok {
			selector, label, _ := strings.Cut(strings.TrimSuffix(query, ")"), ", ")
			checkQuery(t, series, "count by ("+label+") ("+variables.Replace(selector)+")")
		}
	}
}
