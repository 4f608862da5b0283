package pg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Severity says what a finding means for the servers of a database.
type Severity string

// The severities.
const (
	Fine    Severity = "ok"
	Warning Severity = "warning" // something is slower or less safe than it could be
	Fault   Severity = "error"   // servers do not work, or not for long
)

// Finding is what an examination says of one thing.
type Finding struct {
	Severity Severity `json:"severity"`
	Check    string   `json:"check"`
	Found    string   `json:"found"`
	Change   string   `json:"change,omitempty"` // what to do about it
}

// Bounds of an examination.
const (
	examineTimeout = 20 * time.Second
	slowTrip       = 5 * time.Millisecond // for which a statement may travel
	maxClockApart  = 2 * time.Second
	listenPatience = 3 * time.Second
)

// Examine looks at a database as its operator would: whether servers can work on it, and what would make them
// faster or safer. It changes nothing. What cannot be looked at is a finding too.
func Examine(ctx context.Context, opts Options) []Finding {
	ctx, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	conn, err := opts.anyConn(ctx)
	if err != nil {
		advice, cause := Advice(err)
		return []Finding{{Fault, "connection", cause.Error(), advice}}
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	findings := []Finding{opts.examineSchema(ctx), examineTrip(ctx, conn), examineClock(ctx, conn)}
	findings = append(findings, opts.examinePooler(ctx), opts.examineListen(ctx))
	for _, c := range checks {
		findings = append(findings, opts.examine(ctx, conn, c)...)
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return worst[a.Severity] - worst[b.Severity] })
	return findings
}

var worst = map[Severity]int{Fault: 0, Warning: 1, Fine: 2}

// examineSchema says whether this program can serve the schema.
func (o Options) examineSchema(ctx context.Context) Finding {
	err := CheckSchema(ctx, o)
	switch {
	case errors.Is(err, ErrSchemaOld):
		return Finding{Fault, "schema", "older than this program, or not there", "polymq migrate up, or serve with --migrate auto"}
	case errors.Is(err, ErrSchemaNew):
		return Finding{Fault, "schema", "newer than this program can serve", "upgrade polymq"}
	case err != nil:
		return Finding{Fault, "schema", err.Error(), "the role needs the schema and its tables to be its own"}
	}
	return Finding{Fine, "schema", o.schema() + ", up to date", ""}
}

// trips is how many statements are sent to find how long one travels.
const trips = 7

func examineTrip(ctx context.Context, conn *pgx.Conn) Finding {
	var took []time.Duration
	for range trips {
		began := time.Now()
		if _, err := conn.Exec(ctx, `SELECT 1`); err != nil {
			return Finding{Fault, "round trip", err.Error(), ""}
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	median := took[trips/2]
	f := Finding{Fine, "round trip", median.Round(10 * time.Microsecond).String(), ""}
	if median > slowTrip {
		f.Severity, f.Change = Warning, "run servers near the database: each request waits for at least one round trip"
	}
	return f
}

func examineClock(ctx context.Context, conn *pgx.Conn) Finding {
	var there time.Time
	began := time.Now()
	if err := conn.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&there); err != nil {
		return Finding{Fault, "clock", err.Error(), ""}
	}
	apart := there.Sub(began.Add(time.Since(began) / 2))
	f := Finding{Fine, "clock", fmt.Sprintf("the database's is %v from this machine's", apart.Round(time.Millisecond)), ""}
	if apart.Abs() > maxClockApart {
		f.Severity, f.Change = Warning, "let both machines keep time by NTP: messages go by the database's clock, signatures and logs by the servers'"
	}
	return f
}

// examinePooler finds a pooler by what the database says of its end of a connection: it is another process
// than the one that the client was told, and in transaction mode two clients share it.
func (o Options) examinePooler(ctx context.Context) Finding {
	const check = "pooler"
	pooled, shared, err := o.poolerBefore(ctx)
	switch {
	case err != nil:
		return Finding{Fault, check, err.Error(), "check database-url"}
	case !pooled && o.Pooled:
		return Finding{Warning, check, "none, though the settings say that there is one", "leave out database-pooled and database-direct-url: prepared statements are quicker"}
	case !pooled:
		return Finding{Fine, check, "none", ""}
	case shared && !o.Pooled:
		return Finding{Fault, check, "database-url leads to a pooler in transaction mode", "--database-pooled, and --database-direct-url past the pooler"}
	case !o.Pooled:
		return Finding{Warning, check, "database-url leads to a pooler", "that works in its session mode only; for transaction mode --database-pooled"}
	}
	return Finding{Fine, check, "in front of the database, as the settings say", ""}
}

// poolerBefore reports whether database-url leads to a pooler, and whether two clients share a connection of it.
func (o Options) poolerBefore(ctx context.Context) (pooled, shared bool, err error) {
	config, err := o.poolConfig()
	if err != nil {
		return false, false, err
	}
	if err := o.beforeConnect(ctx, config.ConnConfig); err != nil {
		return false, false, err
	}
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec // good through a pooler too
	backends := map[uint32]bool{}
	for range 2 {
		conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
		var pid uint32
		if err == nil {
			defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
			err = conn.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&pid)
		}
		if err != nil {
			return false, false, err
		}
		pooled, shared = pooled || pid != conn.PgConn().PID(), backends[pid]
		backends[pid] = true
	}
	return pooled, shared, nil
}

// examineListen finds whether servers hear of each other's messages at once.
func (o Options) examineListen(ctx context.Context) Finding {
	const check = "notifications"
	if o.listenURL() == "" {
		return Finding{Warning, check, "there is no way past the pooler", "name one with --database-direct-url: without LISTEN a message that another server takes wakes receivers here late"}
	}
	if err := o.hearOneself(ctx); err != nil {
		return Finding{Fault, check, err.Error(), "database-direct-url must lead to PostgreSQL itself or to a pooler in session mode"}
	}
	return Finding{Fine, check, "arrive", ""}
}

func (o Options) hearOneself(ctx context.Context) error {
	const channel = "polymq_doctor"
	ctx, cancel := context.WithTimeout(ctx, listenPatience)
	defer cancel()
	hearer, err := o.directConn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = hearer.Close(context.WithoutCancel(ctx)) }()
	if _, err := hearer.Exec(ctx, `LISTEN `+channel); err != nil {
		return err
	}
	if _, err := hearer.Exec(ctx, `SELECT pg_notify($1, '')`, channel); err != nil {
		return err
	}
	if _, err := hearer.WaitForNotification(ctx); err != nil {
		return fmt.Errorf("a notification did not arrive: %w", err)
	}
	return nil
}

// examine runs one check.
func (o Options) examine(ctx context.Context, conn *pgx.Conn, c check) []Finding {
	args := pgx.StrictNamedArgs{}
	if c.schema {
		args["schema"] = o.schema()
	}
	rows, _ := conn.Query(ctx, c.sql, args) // CollectRows returns its error
	findings, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Finding, error) {
		f := Finding{Check: c.name}
		return f, row.Scan(&f.Severity, &f.Found, &f.Change)
	})
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.Code == "42501":
		return []Finding{{Warning, c.name, "the role may not look at it", "GRANT pg_monitor TO the role, or look at it as another"}}
	case err != nil:
		return []Finding{{Warning, c.name, "it could not be looked at: " + err.Error(), ""}}
	case o.Durability != Full && o.Durability != "":
		for i := range findings {
			if c.durability && findings[i].Severity == Fault {
				findings[i].Severity = Warning // it was asked for
			}
		}
	}
	return findings
}
