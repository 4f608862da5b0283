package pg_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// sqlSend calls polymq.send as an application does, inside do's transaction.
const sqlSend = `SELECT polymq.send('000000000000', 'us-east-1', $1, $2, $3::jsonb, $4::interval)::text`

func application(t *testing.T, databaseURL string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestSQLSendIsPartOfTheTransaction(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := core.NewBroker(pgtest.Open(t, url))
	t.Cleanup(broker.Close)
	queue := pgtest.Queue(t, broker, "orders")
	conn := application(t, url)
	ctx := context.Background()

	tx, err := conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var id string
	attributes := `{"b": {"type": "Number.int", "value": "7"}, "a": "x", "c": {"type": "Binary", "value": "AP8="}, "d": 1.5}`
	if err := tx.QueryRow(ctx, sqlSend, "orders", "hello ✓", attributes, nil).Scan(&id); err != nil {
		t.Fatal(err)
	}
	pgtest.Send(t, broker, queue, "before the commit") // its visible_at is later, and receiving it moves the mark on
	if got := pgtest.Bodies(pgtest.Receive(t, broker, queue, 10)); !slices.Equal(got, []string{"before the commit"}) {
		t.Fatalf("received %v before the commit", got)
	}
	wait := 10 * time.Second
	type result struct {
		messages []core.Message
		err      error
	}
	received := make(chan result, 1)
	go func() {
		messages, err := broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: queue, Limit: 10, Wait: &wait})
		received <- result{messages, err}
	}()
	start := time.Now()
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	got := <-received
	if got.err != nil || len(got.messages) != 1 {
		t.Fatalf("received %d messages, %v", len(got.messages), got.err)
	}
	t.Logf("woken %v after the commit began", time.Since(start))
	m := got.messages[0]
	if m.ID.UUID() != id {
		t.Errorf("received id %s, the function said %s", m.ID.UUID(), id)
	}
	want := []core.Attribute{{Name: "a", Type: "String", Value: []byte("x")}, {Name: "b", Type: "Number.int", Value: []byte("7")},
		{Name: "c", Type: "Binary", Value: []byte{0, 255}}, {Name: "d", Type: "Number", Value: []byte("1.5")}}
	if string(m.Body) != "hello ✓" || !slices.EqualFunc(m.Attributes, want, func(a, b core.Attribute) bool {
		return a.Name == b.Name && a.Type == b.Type && string(a.Value) == string(b.Value)
	}) {
		t.Errorf("received %q with %v", m.Body, m.Attributes)
	}
	if size := (&core.NewMessage{Body: m.Body, Attributes: m.Attributes}).Size(); m.Size != size {
		t.Errorf("the function counted %d bytes, core %d", m.Size, size)
	}
}

func TestSQLSendDelays(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := core.NewBroker(pgtest.Open(t, url))
	t.Cleanup(broker.Close)
	queue := pgtest.Queue(t, broker, "orders")
	var id string
	if err := application(t, url).QueryRow(context.Background(), sqlSend, "orders", "later", nil, "30 seconds").Scan(&id); err != nil {
		t.Fatal(err)
	}
	counts := func() core.QueueCounts {
		q, err := broker.DescribeQueue(context.Background(), queue)
		if err != nil {
			t.Fatal(err)
		}
		return q.Counts
	}
	if got := counts(); got.Delayed != 1 || got.Visible != 0 {
		t.Errorf("counts %+v", got)
	}
	pgtest.Advance(t, broker, 30*time.Second)
	if got := pgtest.Receive(t, broker, queue, 1); len(got) != 1 {
		t.Errorf("received %d messages after the delay", len(got))
	}
}

func TestSQLSendRefuses(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := core.NewBroker(pgtest.Open(t, url))
	t.Cleanup(broker.Close)
	queue := pgtest.Queue(t, broker, "orders")
	size := 1024
	if _, err := broker.AlterQueue(context.Background(), queue, core.QueueChange{MaxMessageSize: &size}); err != nil {
		t.Fatal(err)
	}
	conn := application(t, url)
	tests := map[string]struct {
		queue, body, attributes, delay string
		code                           string
	}{
		"no such queue":        {"other", "x", "{}", "0", "P0002"},
		"empty body":           {"orders", "", "{}", "0", "22004"},
		"control character":    {"orders", "a\x01b", "{}", "0", "22023"},
		"negative delay":       {"orders", "x", "{}", "-1 second", "22023"},
		"delay too long":       {"orders", "x", "{}", "8 days", "22023"},
		"one byte too long":    {"orders", strings.Repeat("x", 1025), "{}", "0", "54000"},
		"long with attributes": {"orders", strings.Repeat("x", 1024-8), `{"n":"vv"}`, "0", "54000"},
		"reserved name":        {"orders", "x", `{"AWS.x":"y"}`, "0", "22023"},
		"dots":                 {"orders", "x", `{"a..b":"y"}`, "0", "22023"},
		"empty value":          {"orders", "x", `{"a":""}`, "0", "22023"},
		"no number":            {"orders", "x", `{"a":{"type":"Number","value":"x"}}`, "0", "22023"},
		"unknown type":         {"orders", "x", `{"a":{"type":"Date","value":"x"}}`, "0", "22023"},
		"not an object":        {"orders", "x", `[1]`, "0", "22023"},
		"no value":             {"orders", "x", `{"a":{"type":"String"}}`, "0", "22023"},
		"no type":              {"orders", "x", `{"a":{"value":"x"}}`, "0", "22023"},
		"a value of members":   {"orders", "x", `{"a":{"type":"String","value":{"b":1}}}`, "0", "22023"},
		"a type of a number":   {"orders", "x", `{"a":{"type":1,"value":"x"}}`, "0", "22023"},
		"unknown member":       {"orders", "x", `{"a":{"type":"String","value":"x","more":1}}`, "0", "22023"},
		"control in a value":   {"orders", "x", `{"a":"\u0001"}`, "0", "22023"},
		"control in a type":    {"orders", "x", `{"a":{"type":"String.\u0001","value":"x"}}`, "0", "22023"},
		"type of 257 bytes":    {"orders", "x", `{"a":{"type":"String.` + strings.Repeat("é", 125) + `","value":"x"}}`, "0", "22023"},
		"39 digits":            {"orders", "x", `{"a":1.` + strings.Repeat("1", 38) + `}`, "0", "22023"},
		"number too large":     {"orders", "x", `{"a":1.1e126}`, "0", "22023"},
		"number too small":     {"orders", "x", `{"a":{"type":"Number","value":"-1.1e128"}}`, "0", "22023"},
		"no bytes":             {"orders", "x", `{"a":{"type":"Binary","value":"\n"}}`, "0", "22023"},
		"no base64":            {"orders", "x", `{"a":{"type":"Binary","value":"a"}}`, "0", "22023"},
		"very long delay":      {"orders", "x", "{}", "100000 years", "22023"},
		"eleven attributes":    {"orders", "x", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1}`, "0", "22023"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := conn.Exec(context.Background(), sqlSend, tt.queue, tt.body, tt.attributes, tt.delay)
			var refused *pgconn.PgError
			if !errors.As(err, &refused) || refused.Code != tt.code {
				t.Errorf("got %v, want SQLSTATE %s", err, tt.code)
			}
		})
	}
	for name, tt := range map[string][2]string{
		"the limit itself":    {strings.Repeat("x", 1024), "{}"},
		"with attributes":     {strings.Repeat("x", 1024-9), `{"n":"vv"}`}, // 1 + 6 + 2
		"38 digits":           {"x", `{"a":{"type":"Number","value":"-000.` + strings.Repeat("1", 38) + `000e5"}}`},
		"the largest numbers": {"x", `{"a":1e126,"b":-1e128,"c":1e-300}`},
		"odd values":          {"x", `{"a":"\t\n\r\ue000\ufffd"}`},
		"every odd character": {"\t\n\r\u0020\ue000\ufffd\U0010ffff", "{}"},
	} {
		if _, err := conn.Exec(context.Background(), sqlSend, "orders", tt[0], tt[1], "0"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
