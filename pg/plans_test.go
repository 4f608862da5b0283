package pg_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// grownRows is how many messages the queue of the plans' tests has; grownQueues how many others there are.
const (
	grownRows   = 100_000
	grownQueues = 2_000
)

// plannedStatement is a statement that must touch few rows however large the tables are.
type plannedStatement struct {
	sql  string
	args pgx.NamedArgs
	most float64 // rows that its scans may read, of all tables together
}

// plannedStatements names ten messages each, where it names any. Row ids 1 to 20 are taken.
func plannedStatements(queue, storage int64) map[string]plannedStatement {
	const n = 10
	ids, odd, dead := make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range n {
		dead[i] = int64(2*i + 21)                   // in flight, and not the ids of other queues' messages
		ids[i], odd[i] = int64(2*i+2), int64(2*i+1) // visible, in flight
	}
	queues, storages := repeat(queue, n), repeat(storage, n)
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return map[string]plannedStatement{
		"send": {pg.SendSQL, pgx.NamedArgs{
			"queue": []int64{queue}, "version": []int64{1}, "delay": []time.Duration{0}, "messages": []int64{n}, "bytes": []int64{n},
			"place": repeat(int32(1), n), "id": []int64{-1, -2, -3, -4, -5, -6, -7, -8, -9, -10}, "priority": repeat(int16(8), n),
			"after": repeat(time.Duration(0), n), "form": repeat(int16(0), n), "size": repeat(int32(1), n), "sender": []string(nil),
			"group": []string(nil), "attributes": [][]byte(nil), "body": repeat([]byte("a"), n), "at": []*time.Time(nil),
		}, 100},
		"send to groups": {pg.SendSQL, pgx.NamedArgs{
			"queue": []int64{queue}, "version": []int64{1}, "delay": []time.Duration{0}, "messages": []int64{n}, "bytes": []int64{n},
			"place": repeat(int32(1), n), "id": []int64{-1, -2, -3, -4, -5, -6, -7, -8, -9, -10}, "priority": repeat(int16(8), n),
			"after": repeat(time.Duration(0), n), "form": repeat(int16(0), n), "size": repeat(int32(1), n), "sender": repeat("", n),
			"group": repeat("g", n), "attributes": repeat([]byte(nil), n), "body": repeat([]byte("a"), n), "at": repeat(&start, n),
		}, 100},
		"front of a line": {pg.FrontSQL, pgx.NamedArgs{"account": "grown", "storage": storage, "priority": int16(8), "from": start}, 10},
		"listen":          {pg.ListenSQL, pgx.NamedArgs{"queue": []int64{queue}, "time": time.Hour}, 10},
		"receive": {pg.ReceiveSQL, pgx.NamedArgs{
			"queue": []int64{queue, queue + 1}, "version": []int64{1, 1}, "first": []int32{1, 2}, "last": []int32{1, 2}, "wanted": []int64{n, n},
			"timeout": []int64{30_000_000, 30_000_000}, "priority": []int16{8, 8}, "mark": []time.Time{start, start}, "move_time": pg.MoveTime,
		}, 200},
		"move dead letters":         {pg.MoveDeadSQL, pgx.NamedArgs{"queue": queue, "storage": storage, "id": dead, "version": repeat(int32(1), n), "due": false}, 100},
		"move dead letters on time": {pg.MoveDeadSQL, pgx.NamedArgs{"queue": queue, "storage": storage, "id": dead, "version": repeat(int32(1), n), "due": true}, 100},
		"move": {pg.MoveBatchSQL, pgx.NamedArgs{
			"priority": []int16{8}, "storage": storage, "until": time.Now().Add(time.Minute), "at_priority": int16(8), "at_visible": start, "oldest": start,
			"limit": int64(n), "bytes": int64(1 << 20), "destination": "grown/r/q2", "first": int64(-100), "now": time.Now(), "logged": false,
		}, 200},
		"dead-letter sources": {pg.DeadLetterSourcesSQL, pgx.NamedArgs{"account": "grown", "region": "r", "name": "q2", "after": "", "limit": n}, 10},
		"delete": {pg.DeleteSQL, pgx.NamedArgs{
			"queue": []int64{queue}, "storage": []int64{storage}, "place": repeat(int32(1), n), "id": ids,
		}, 200},
		"delete newest": {pg.DeleteNewestSQL, pgx.NamedArgs{
			"queue": []int64{queue}, "storage": []int64{storage}, "place": repeat(int32(1), n), "id": odd, "version": repeat(int32(1), n), "newest": repeat(true, n),
		}, 200},
		"change visibility": {pg.ChangeSQL, pgx.NamedArgs{
			"queue": queues, "storage": storages, "id": odd, "version": repeat(int32(1), n), "timeout": repeat(int64(1), n),
			"max_total": repeat(int64(0), n), "newest": repeat(false, n), "rotate": repeat(true, n), "give_back": repeat(false, n),
		}, 200},
		"access key":         {pg.AccessKeySQL, pgx.NamedArgs{"id": "KEY-1"}, 5},
		"use nonce":          {pg.UseNonceSQL, pgx.NamedArgs{"digest": []byte("digest"), "life": time.Hour}, 1000},
		"expire keys":        {pg.ExpireKeysSQL, pgx.NamedArgs{"limit": n, "grace": time.Hour}, 100},
		"granted identities": {pg.GrantedIdentitiesSQL, pgx.NamedArgs{"account": "000000000000", "kind": "user", "cloud": "", "name": "user7", "id": ""}, 20},
		"granted policies":   {pg.GrantedPoliciesSQL, pgx.NamedArgs{"account": "000000000000", "ids": []string{"p1", "p2", "p3"}}, 20},
		"queue":              {pg.QueueSQL, pgx.NamedArgs{"account": "grown", "region": "r", "name": "q1"}, 5},
		"describe queue":     {pg.DescribeQueueSQL, pgx.NamedArgs{"account": "grown", "region": "r", "name": "q1"}, 1000}, // one row of counts for each second
		"list queues": {pg.ListCountedSQL, pgx.NamedArgs{
			"account": "grown", "region": "r", "after": "q1000", "prefix": "q1", "upper": "q2", "part": "", "fifo": nil, "tags": "{}", "tagged": []string{}, "skip": 0, "limit": n,
		}, 1000},
		"page of queues": {pg.ListCountedSQL, pgx.NamedArgs{ // reads what it skips, but counts the messages of no more queues than it shows
			"account": "grown", "region": "r", "after": "", "prefix": "", "upper": "\x7F", "part": "", "fifo": false, "tags": "{}", "tagged": []string{}, "skip": grownQueues / 2, "limit": n,
		}, grownQueues + 1000},
		"count queues": {pg.CountListedSQL, pgx.NamedArgs{
			"account": "grown", "region": "r", "after": "", "prefix": "", "upper": "\x7F", "part": "", "fifo": nil, "tags": "{}", "tagged": []string{},
		}, 2 * grownQueues},
		"list topics": {pg.ListCountedTopicsSQL, pgx.NamedArgs{
			"account": "grown", "region": "r", "after": "", "prefix": "", "upper": "\x7F", "part": "", "fifo": nil, "tags": "{}", "tagged": []string{}, "skip": 0, "limit": n,
		}, 100},
		"upcoming": {pg.UpcomingSQL, pgx.NamedArgs{
			"queue": []int64{queue, queue + 1}, "storage": []int64{storage, storage + 1}, "priority": []int16{8, 8},
			"mark": []time.Time{time.Now(), start}, "within": 5 * time.Second,
		}, 1000},
		"sweep":          {pg.SweepSQL, pgx.NamedArgs{"storage": []int64{storage, storage + 1}, "priority": []int16{8, 8}, "mark": []time.Time{time.Now(), time.Now()}}, 10},
		"expire":         {pg.ExpireSQL, pgx.NamedArgs{"limit": n}, 3*grownQueues + 100}, // every queue, and its first message
		"fold storages":  {pg.FoldStoragesSQL, pgx.NamedArgs{"storage": []int64{1, 2, 3}, "limit": n}, 200},
		"fold places":    {pg.FoldPlacesSQL, pgx.NamedArgs{"after": "(0,0)", "last": "(0,50)", "limit": n}, 200},
		"unfolded":       {pg.UnfoldedSQL, pgx.NamedArgs{"after": "(1,0)", "limit": n, "many": 3}, 100},
		"remove dropped": {pg.RemoveDroppedSQL, pgx.NamedArgs{"limit": n, "grace": time.Hour}, 200},
		"peek": {pg.PeekSQL, pgx.NamedArgs{
			"queue": queue, "version": 1, "priority": []int16{8}, "hidden": false, "limit": n, "mark": start,
			"after_priority": 0, "after_visible": start, "after_id": 0,
		}, 100},
		"search": {pg.SearchSQL, pgx.NamedArgs{
			"queue": queue, "version": 1, "after": int64(40), "rows": int64(50), "limit": n, "text": []byte("nowhere"), "quoted": []byte("nowhere"),
			"start_encoded": []byte("nowhere"), "middle_encoded": []byte("nowhere"), "end_encoded": []byte("nowhere"),
		}, 200},
		"find message":  {pg.FindMessageSQL, pgx.NamedArgs{"queue": queue, "version": 1, "id": int64(41)}, 10},
		"scopes":        {pg.ScopesSQL, pgx.NamedArgs{"limit": 100}, 100},
		"reset":         {pg.AccountsToResetSQL, pgx.NamedArgs{"limit": 100}, 100},
		"stored bytes":  {pg.StoredBytesSQL, pgx.NamedArgs{}, 6*grownQueues + 100}, // every counter, and the queue of each storage
		"account use":   {pg.AccountUseSQL, pgx.NamedArgs{"account": "grown"}, 7*grownQueues + 100},
		"queue depths":  {pg.QueueDepthsSQL, pgx.NamedArgs{"accounts": []string{"grown"}, "oldest": true, "limit": 2 * grownQueues}, 12*grownQueues + 100}, // every queue and counter
		"note uses":     {pg.NoteUsesSQL, pgx.NamedArgs{"queues": []int64{queue}, "gap": time.Minute}, 3*grownQueues + 100},                                // every queue
		"unused":        {pg.UnusedQueuesSQL, pgx.NamedArgs{"unused": -time.Hour, "limit": n}, 3*grownQueues + 100},                                        // every queue, and its first message
		"delete unused": {pg.DeleteUnusedSQL, pgx.NamedArgs{"unused": -time.Hour, "id": queue + 5}, 20},
		"peek at a later page": {pg.PeekSQL, pgx.NamedArgs{
			"queue": queue, "version": 1, "priority": []int16{8, 9}, "hidden": true, "limit": n, "mark": start,
			"after_priority": 8, "after_visible": time.Now().Add(time.Minute), "after_id": 0,
		}, 300},
	}
}

// TestPlans executes the hot statements with generic plans that were made in different states of the
// tables, after which these have grown. No plan may read more than the few rows that concern it.
func TestPlans(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	admin := database(t, url)
	for _, table := range []string{"queues", "messages", "counts"} {
		execute(t, admin, `ALTER TABLE `+table+` SET (autovacuum_enabled = off)`)
	}
	queue, storage := grownQueue(t, admin)
	statements := plannedStatements(queue, storage)
	execute(t, admin, `ANALYZE`)
	small := planned(t, url, statements)

	execute(t, admin, `INSERT INTO queues (account, region, name, fifo, delay, visibility_timeout, retention, receive_wait, max_message_size, logging, bodies,
		priorities, attributes, tags, created_at, modified_at)
		SELECT 'grown', 'r', 'q' || i, false, '0', '30 seconds', '1 minute', '0', 1, false, '', 65535, '{}', '{}', now(), now() FROM generate_series(2, $1) i`, grownQueues)
	execute(t, admin, `INSERT INTO counts (storage_id, bucket, messages, bytes) SELECT storage_id, '-infinity', 1, 1 FROM generate_series(1, $1) storage_id, generate_series(1, 5)`, grownQueues)
	execute(t, admin, `INSERT INTO keys (id, account, user_name, admin, session, token_hash, created_at, expires_at)
		SELECT 'KEY-' || i, 'grown', '', false, '{}', 'x', now(), now() + interval '1 hour' FROM generate_series(1, $1) i`, grownQueues)
	execute(t, admin, `INSERT INTO nonces SELECT sha256(i::text::bytea), now() + interval '1 hour' FROM generate_series(1, $1) i`, grownQueues)
	execute(t, admin, `INSERT INTO accounts (id) VALUES ('000000000000')`)
	execute(t, admin, `INSERT INTO identities (id, account, kind, cloud, name, path, groups, attached) SELECT kind || i, '000000000000', kind, '', kind || i, '/', '{"group1": "2026-01-01", "group2": "2026-01-01"}', '{"p1": "2026-01-01"}'
		FROM generate_series(1, $1) i, unnest(ARRAY['user', 'group']) kind`, grownQueues)
	execute(t, admin, `INSERT INTO policies (id, account, cloud, name, path, versions, default_version, last_version) SELECT 'p' || i, '000000000000', 'aws', 'p' || i, '/', '[]', 1, 1 FROM generate_series(1, $1) i`, grownQueues)
	execute(t, admin, `INSERT INTO dropped_storages SELECT 1 + $1 / 2`, grownQueues)
	execute(t, admin, `INSERT INTO queue_uses SELECT id, now() FROM queues UNION ALL SELECT 0, now()`)
	grow := func() {
		t.Helper()
		execute(t, admin, fillSQL, storage, grownRows)
		execute(t, admin, `INSERT INTO messages (storage_id, id, visible_at, sent_at, size, priority, form, body) SELECT s, p, now(), now() - interval '1 hour', 1, p, 0, 'a'
			FROM generate_series(2, $1) s, generate_series(1, 16, 5) p`, grownQueues)
	}
	grow()
	small.check(t, "planned when small")
	planned(t, url, statements).check(t, "planned without statistics")
	execute(t, admin, `ANALYZE`)
	planned(t, url, statements).check(t, "planned with statistics")

	execute(t, admin, `DELETE FROM messages`)
	execute(t, admin, `VACUUM (ANALYZE, TRUNCATE off) messages`)
	drained := planned(t, url, statements)
	grow()
	drained.check(t, "planned when drained")
	planned(t, url, statements).check(t, "planned with statistics of when it was drained")
}

// grownQueue makes the queue that is going to grow.
func grownQueue(t *testing.T, conn *pgx.Conn) (queue, storage int64) {
	t.Helper()
	err := conn.QueryRow(context.Background(), `INSERT INTO queues (account, region, name, fifo, delay, visibility_timeout, retention, receive_wait, max_message_size,
		logging, bodies, priorities, attributes, tags, created_at, modified_at, dead_letter_target, max_receives)
		VALUES ('grown', 'r', 'q1', false, '0', '30 seconds', '4 days', '0', 1, false, '', 256, '{}', '{}', now(), now(), 'q2', 1) RETURNING id, storage_id`).Scan(&queue, &storage)
	if err != nil {
		t.Fatal(err)
	}
	return queue, storage
}

// plans is a session in which statements are prepared and have been planned.
type plans struct {
	conn       *pgx.Conn
	statements map[string]plannedStatement
}

func planned(t *testing.T, url string, statements map[string]plannedStatement) plans {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range pg.SessionSettings() {
		config.RuntimeParams[name] = value
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // EXECUTE takes no parameters
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	p := plans{conn, statements}
	execute(t, conn, `SELECT setval('sequence_blocks', 1 << 30)`) // from which messages are numbered
	for name, s := range statements {
		positional, _ := pg.Positional(s.sql)
		execute(t, conn, fmt.Sprintf("PREPARE %s AS %s", pgx.Identifier{name}.Sanitize(), positional))
		p.execute(t, "EXPLAIN", name)
	}
	return p
}

// execute explains the execution of a prepared statement, and undoes it.
func (p plans) execute(t *testing.T, explain, name string) string {
	t.Helper()
	s := p.statements[name]
	_, names := pg.Positional(s.sql)
	args, places := make([]any, len(names)), make([]string, len(names))
	for i, name := range names {
		args[i], places[i] = s.args[name], fmt.Sprintf("$%d", i+1)
	}
	call := explain + " EXECUTE " + pgx.Identifier{name}.Sanitize()
	if len(places) > 0 {
		call += "(" + strings.Join(places, ", ") + ")"
	}
	tx, err := p.conn.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	rows, _ := tx.Query(context.Background(), call, args...)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s %s: %v", explain, name, err)
	}
	return strings.Join(lines, "\n")
}

// check executes the statements and fails where a plan reads too much.
func (p plans) check(t *testing.T, when string) {
	for name, s := range p.statements {
		t.Run(when+"/"+name, func(t *testing.T) {
			var explained []struct {
				Plan          planNode
				ExecutionTime float64 `json:"Execution Time"`
			}
			text := p.execute(t, "EXPLAIN (ANALYZE, FORMAT JSON)", name)
			if err := json.Unmarshal([]byte(text), &explained); err != nil || len(explained) != 1 {
				t.Fatalf("%v in %s", err, text)
			}
			read := 0.0
			explained[0].Plan.walk(func(n *planNode) {
				read += n.read()
				if fault := n.fault(readWhole(name)); fault != "" {
					t.Error(fault)
				}
			})
			if read > s.most {
				t.Errorf("it read %.0f rows, want at most %.0f", read, s.most)
			}
			if t.Failed() {
				t.Log(p.execute(t, "EXPLAIN (ANALYZE, COSTS OFF)", name))
			}
			t.Logf("%.0f rows read, %.1f ms", read, explained[0].ExecutionTime)
		})
	}
}

// planNode is a node of a plan that was executed.
type planNode struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Rows     float64 `json:"Actual Rows"`
	Loops    float64 `json:"Actual Loops"`
	Filtered float64 `json:"Rows Removed by Filter"`
	Unjoined float64 `json:"Rows Removed by Join Filter"`
	Plans    []planNode
}

func (n *planNode) walk(visit func(*planNode)) {
	visit(n)
	for i := range n.Plans {
		n.Plans[i].walk(visit)
	}
}

// read gives how many rows of a table a scan has read, and how many pairs of rows a join has thrown away.
func (n *planNode) read() float64 {
	rows := n.Unjoined
	if strings.Contains(n.Type, "Scan") && n.Relation != "" {
		rows += n.Rows + n.Filtered
	}
	return rows * n.Loops
}

// readWhole names the tables that a statement may read as a whole: small ones, and those that it is about.
func readWhole(statement string) []string {
	small := []string{"clocks", "dropped_storages"}
	switch statement {
	case "expire":
		return append(small, "queues")
	case "fold all", "stored bytes":
		return append(small, "counts")
	case "note uses":
		return append(small, "queues")
	case "unused":
		return append(small, "queue_uses")
	}
	return small
}

// fault says what a plan must not do, whatever the tables' sizes.
func (n *planNode) fault(whole []string) string {
	switch {
	case strings.Contains(n.Type, "Seq Scan") && !slices.Contains(whole, n.Relation):
		return "it reads " + n.Relation + " as a whole"
	case n.Type == "Sort" && n.Rows*n.Loops > 1000:
		return fmt.Sprintf("it sorts %.0f rows", n.Rows*n.Loops)
	case n.Type == "Hash Join" || n.Type == "Merge Join":
		return "it has a " + n.Type
	}
	return ""
}
