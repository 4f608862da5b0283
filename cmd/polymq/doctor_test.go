package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// examined gives the findings of a doctor by the names of their checks; of several of a check the worst.
func examined(t *testing.T, args ...string) (map[string]pg.Finding, error) {
	t.Helper()
	out, err := polymq(nil, append([]string{"doctor", "--json"}, args...)...)
	findings := map[string]pg.Finding{}
	for line := range strings.Lines(out) {
		var f pg.Finding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if _, worse := findings[f.Check]; !worse {
			findings[f.Check] = f
		}
	}
	return findings, err
}

func TestDoctorOfADatabase(t *testing.T) {
	url := pgtest.DatabaseURL(t)
	findings, _ := examined(t, "--database-url", url, "--durability", "none") // what PostgreSQL tests use is not for the test to say
	for _, check := range []string{"schema", "version", "writable", "encoding", "notifications", "rights", "ownership", "pooler"} {
		if f := findings[check]; f.Severity != pg.Fine {
			t.Errorf("%s: %+v", check, f)
		}
	}
	for _, check := range []string{"round trip", "clock", "connections", "long transactions", "autovacuum", "durability", "size", "transaction ids", "memory", "checkpoints", "synchronous standbys"} {
		if f := findings[check]; f.Found == "" || strings.Contains(f.Found, "could not be looked at") {
			t.Errorf("%s: %+v", check, f)
		}
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `DELETE FROM polymq.goose_db_version WHERE version_id > 5`); err != nil {
		t.Fatal(err)
	}
	if findings, err := examined(t, "--database-url", url); err == nil || findings["schema"].Severity != pg.Fault || !strings.Contains(findings["schema"].Change, "migrate up") {
		t.Errorf("an old schema: %+v, %v", findings["schema"], err)
	}
	if findings, err := examined(t, "--database-url", url, "--database-pooled"); err == nil || findings["pooler"].Severity != pg.Warning || findings["notifications"].Severity != pg.Warning {
		t.Errorf("a pooler that is not there: %+v, %+v, %v", findings["pooler"], findings["notifications"], err)
	}
	if findings, err := examined(t, "--database-url", "postgres://127.0.0.1:1/x"); err == nil || findings["connection"].Severity != pg.Fault {
		t.Errorf("no database: %+v, %v", findings, err)
	}
}

func TestDoctorOfAServer(t *testing.T) {
	srv := startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t), Auth: "verify", MasterKey: testMasterKey, AdminKey: "root:hunter22"})
	findings, err := examined(t, "--endpoint", srv.URL(), "--admin-key", "root:hunter22")
	if err != nil || findings["server"].Severity != pg.Fine || findings["database"].Severity != pg.Fine || findings["clock"].Severity != pg.Fine {
		t.Errorf("%+v, %v", findings, err)
	}
	if findings, err := examined(t, "--endpoint", srv.URL()); err == nil || !strings.Contains(findings["server"].Found, "POLYMQ_ADMIN_KEY") {
		t.Errorf("without a key: %+v, %v", findings, err)
	}
	environ := []string{"POLYMQ_ENDPOINT=" + srv.URL(), "POLYMQ_ADMIN_KEY=root:hunter22"}
	if out, err := polymq(environ, "doctor"); err != nil || !strings.Contains(out, "answers within") {
		t.Errorf("by the variable: %s, %v", out, err)
	}
	if out, _ := polymq(environ, "doctor", "--database-url", "postgres://127.0.0.1:1/x"); strings.Contains(out, "answers within") {
		t.Errorf("with a database that is named: %s", out)
	}
	if out, err := polymq(nil, "doctor", "--endpoint", "http://127.0.0.1:1"); err == nil || !strings.Contains(out, "cannot be reached") {
		t.Errorf("no server: %s, %v", out, err)
	}
}
