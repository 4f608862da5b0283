package pg_test

import (
	"testing"

	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestExamineFindsAPooler(t *testing.T) {
	t.Parallel()
	program := findPgBouncer(t)
	url := pgtest.DatabaseURL(t)
	pooler := pgbouncer(t, program, url)
	severities := func(opts pg.Options) map[string]pg.Severity {
		worst := map[string]pg.Severity{}
		for _, f := range pg.Examine(t.Context(), opts) {
			if worst[f.Check] == "" {
				worst[f.Check] = f.Severity
			}
		}
		return worst
	}
	for name, tt := range map[string]struct {
		opts                  pg.Options
		pooler, notifications pg.Severity
	}{
		"told, with a way past it": {pg.Options{URL: pooler, Pooled: true, DirectURL: url}, pg.Fine, pg.Fine},
		"told":                     {pg.Options{URL: pooler, Pooled: true}, pg.Fine, pg.Warning},
	} {
		if got := severities(tt.opts); got["pooler"] != tt.pooler || got["notifications"] != tt.notifications || got["schema"] != pg.Fine {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := severities(pg.Options{URL: pooler}); got["connection"] != pg.Fault && got["pooler"] == pg.Fine {
		t.Errorf("a pooler that the settings do not know of: %v", got)
	}
}
