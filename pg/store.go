package pg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
)

// Durability says what an acknowledged operation outlives.
type Durability string

// The durabilities (DESIGN.md 3).
const (
	Full    Durability = "full"    // the server and PostgreSQL may be killed
	Relaxed Durability = "relaxed" // the last half second may be lost when PostgreSQL dies, never when only the server does
	None    Durability = "none"    // as Relaxed; the embedded PostgreSQL also runs without fsync
)

// Options say how to reach the database.
type Options struct {
	Name         string // of this server, and its version, which the list of servers shows
	Version      string
	URL          string // postgres://…, several hosts allowed; of a pooler when Pooled
	DirectURL    string // past the pooler, for LISTEN and migrations; "": URL, if not Pooled
	Pooled       bool   // URL is a pooler in transaction mode: no session settings, no prepared statements
	Schema       string // "": polymq
	PasswordFile string // read anew for each connection; "": the URL's password
	PoolSize     int    // connections, besides one that listens; 0: DefaultPoolSize
	Durability   Durability
	MasterKey    []byte // of MasterKeySize, under which secrets are encrypted; nil: none can be stored
	Log          zerolog.Logger

	InFlightLimit int // messages of a queue that may be received and not deleted; 0: core.MaxInFlight
}

// Defaults of Options.
const (
	DefaultSchema   = "polymq"
	DefaultPoolSize = 8
)

// Bounds of the Store.
const (
	connectTimeout = 3 * time.Second
	callTimeout    = 3500 * time.Millisecond // after which a statement is cancelled (outcome.go), or the wait for a connection fails
)

// Store is core.Store on PostgreSQL. See the package's documentation.
type Store struct {
	opts   Options
	id     uuid.UUID
	pool   *pgxpool.Pool
	left   left
	log    zerolog.Logger
	minute zerolog.Logger // likewise, for what each request may meet: a line a minute
	keys   keys
	ids    idBlocks
	queues queueCache
	sealer *sealer // nil without a master key

	accessKeys keyCache
	grants     grantsCache
	marks      marks
	fair       fairLines
	hot        *station // everything small
	bulk       *station // big bodies, so that they do not hold up the others
	fifo       *station // of FIFO queues: their statements wait for groups that others have locked
	fifoBulk   *station
	peers      peers
	hearing    hearing

	routes         routesCache
	recent         recentMessages // published, still to be pushed
	clock          clock
	eventTimes     eventTimes
	lookedAt       atomic.Int64  // the last message that RemovePublished looked at
	routing        chan struct{} // a place for each transaction in which messages are routed
	looking        chan struct{} // a place for each statement of pages, logs, metrics and alerts
	publishing     publishLines  // of FIFO topics
	subscribed     subscriptionCounts
	locking        chan struct{}                      // a place for each transaction that waits for message groups
	deliveryHearer atomic.Pointer[func(core.LaneDue)] // nil before NotifyDeliveries

	moving   chan struct{} // has something while this server goes on with move tasks
	moveNext chan struct{} // has something while another goroutine waits to do so
	moveNews chan struct{} // has something when one was started or cancelled
	moveSize atomic.Int64  // messages that a step moves at the most

	searchTime searchTime

	auditWindow int // events of the audit log that are looked at together

	unfolded unfolded

	trains, operations atomic.Int64
	onTrain            func(operations int, took time.Duration)
	lastSequence       atomic.Int64 // of the FIFO messages that this server has sent

	hearer   atomic.Pointer[func(core.Arrival)] // nil before Notify
	observer atomic.Pointer[observer]           // nil before Observe

	background context.Context // ends with Close
	stop       context.CancelFunc
	running    sync.WaitGroup

	signing   sync.Mutex // held while this server writes that it lives, or that it goes
	signedOff bool
}

var _ core.Store = (*Store)(nil)

// Open connects to a migrated database and listens for other servers. It does not wait for long where it
// cannot listen: that is logged and tried again.
func Open(ctx context.Context, opts Options) (*Store, error) {
	config, err := opts.poolConfig()
	if err != nil {
		return nil, err
	}
	sealer, err := newSealer(opts.MasterKey)
	if err != nil {
		return nil, err
	}
	s := &Store{opts: opts, id: uuid.New(), log: opts.Log, sealer: sealer}
	s.minute = s.log.Sample(&zerolog.BurstSampler{Burst: 1, Period: time.Minute})
	config.BeforeClose = s.beforeClose
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("make a pool of connections: %w", err)
	}
	s.pool = pool
	s.background, s.stop = context.WithCancel(context.Background())
	s.ids.take = s.nextBlock
	s.queues.init()
	s.accessKeys.init()
	s.marks.init()
	s.fair.init()
	s.routes.init()
	s.routing = make(chan struct{}, max(1, config.MaxConns/2))
	s.looking = make(chan struct{}, max(1, config.MaxConns/2))
	s.recent.init()
	s.publishing.init()
	s.clock.init()
	s.marks.uncounted = opts.inFlightLimit() / uncountedShare
	s.moving, s.moveNext, s.moveNews = make(chan struct{}, 1), make(chan struct{}, maxNextMoves), make(chan struct{}, 1)
	s.moveSize.Store(moveRows)
	s.auditWindow = auditLooked
	s.unfolded.init()
	s.hot = newStation(s, maxTrains)
	s.bulk = newStation(s, maxTrains)
	s.fifo, s.fifoBulk = newStation(s, maxTrains), newStation(s, 1)
	s.locking = make(chan struct{}, max(1, config.MaxConns/4))
	if s.keys, err = s.loadKeys(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	if err := s.checkMasterKey(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	if err := s.register(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	if s.Listens() {
		tried, cancel := context.WithTimeout(ctx, firstHearing)
		s.running.Go(func() { s.listen(cancel) })
		<-tried.Done()
	} else {
		s.running.Go(s.forgetOften)
	}
	return s, nil
}

// Close waits for what is under way, tells the other servers and closes all connections. It does not wait for the end of those that were
// lost, which pgx has ask PostgreSQL for 15 s to leave their statements.
func (s *Store) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	if err := s.unregister(ctx); err != nil {
		s.log.Warn().Err(err).Msg("could not sign off")
	}
	s.stop()
	s.running.Wait()
	closed, done := context.WithTimeout(context.Background(), answerTimeout)
	go func() {
		defer done()
		s.pool.Close()
	}()
	<-closed.Done()
}

// Notify is of core.Store.
func (s *Store) Notify(hearer func(core.Arrival)) { s.hearer.Store(&hearer) }

// notify passes an arrival on. Other servers may announce some before Notify is called.
func (s *Store) notify(a core.Arrival) {
	if hearer := s.hearer.Load(); hearer != nil {
		(*hearer)(a)
	}
}

// Ready is of core.Store.
func (s *Store) Ready(ctx context.Context) error {
	return s.do(ctx, `SELECT 1`, nil, func(rows pgx.Rows) error {
		for rows.Next() {
		}
		return rows.Err()
	})
}

// Listens reports whether the Store hears of other servers' messages at once; if not, LookAhead
// must run often.
func (s *Store) Listens() bool { return s.opts.listenURL() != "" }

// maxSchemaLength leaves room for the channel of notifications, whose name has at most 63 bytes.
const maxSchemaLength = 63 - len(channelPrefix)

// check refuses what no connection could tell.
func (o Options) check() error {
	if err := CheckSchemaName(o.schema()); err != nil {
		return fmt.Errorf("the name of the schema %w", err)
	}
	return nil
}

// CheckSchemaName says what is wrong with the name of a schema.
func CheckSchemaName(name string) error {
	switch n := len(name); {
	case n > maxSchemaLength:
		return fmt.Errorf("has %d bytes, it may have %d", n, maxSchemaLength)
	case strings.HasPrefix(name, "pg_"):
		return fmt.Errorf("begins with pg_, as only PostgreSQL's own may, was %q", name)
	case strings.ContainsRune(name, 0):
		return errors.New("has a zero byte")
	case name == "$user":
		return errors.New("is $user, which stands for the role's own schema in a search_path, quoted or not")
	}
	return nil
}

// CheckURL says what is wrong with a database URL, without a word of the password in it.
func CheckURL(url string) error {
	_, err := pgxpool.ParseConfig(url)
	return maskURL(err)
}

func (o Options) schema() string {
	if o.Schema == "" {
		return DefaultSchema
	}
	return o.Schema
}

func (o Options) listenURL() string {
	if o.DirectURL != "" || o.Pooled {
		return o.DirectURL
	}
	return o.URL
}

// sessionSettings pin the plans of the hot statements (DESIGN.md 2) and choose the durability. Settings
// alone do not: to a planner that takes a table for empty, since it was when it was last looked at, all
// plans cost the same. So the statements leave it no choice: where rows are found one by one, that is a
// LATERAL with a LIMIT, and where the table to change is joined, the condition is no plain equality, which
// would let the loop be turned round (TestPlans).
func (o Options) sessionSettings() map[string]string {
	settings := map[string]string{
		"search_path":                         pgx.Identifier{o.schema()}.Sanitize() + ", pg_temp",
		"plan_cache_mode":                     "force_generic_plan",
		"jit":                                 "off",
		"enable_seqscan":                      "off",
		"enable_bitmapscan":                   "off",
		"enable_hashjoin":                     "off",
		"enable_mergejoin":                    "off",
		"enable_sort":                         "off",
		"synchronous_commit":                  "on",
		"default_transaction_isolation":       "read committed", // a borrowed database may have another
		"timezone":                            "UTC",
		"client_encoding":                     "UTF8", // from here on, how values and statements are read and written
		"datestyle":                           "ISO",
		"intervalstyle":                       "postgres",
		"bytea_output":                        "hex",
		"array_nulls":                         "on",
		"standard_conforming_strings":         "on",
		"client_min_messages":                 "warning",
		"statement_timeout":                   "60s",
		"lock_timeout":                        "5s",
		"idle_in_transaction_session_timeout": "15s",
		"idle_session_timeout":                "0", // the connection that listens is idle for as long as nothing happens
	}
	if o.Durability == Relaxed || o.Durability == None {
		settings["synchronous_commit"] = "off"
	}
	return settings
}

// unboundedSQL lets the session take its time, whatever its role or database says. PostgreSQL 17 brought the second setting.
const unboundedSQL = `SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')`

// lettingGo has PostgreSQL end the sessions of a server whose machine is gone without a word, or which stands still with an answer
// unread, and with them what they hold. They are of the connection: a pooler has its own, and on a Unix socket they do nothing.
var lettingGo = map[string]string{
	"tcp_user_timeout":        "15s",
	"tcp_keepalives_idle":     "15s",
	"tcp_keepalives_interval": "5s",
	"tcp_keepalives_count":    "3",
}

// settingsLists gives the session's settings as two lists.
func (o Options) settingsLists() (names, values []string) {
	for name, value := range o.sessionSettings() {
		names, values = append(names, name), append(values, value)
	}
	return names, values
}

func (o Options) poolConfig() (*pgxpool.Config, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", maskURL(err))
	}
	config.MaxConns = DefaultPoolSize
	if o.PoolSize > 0 {
		config.MaxConns = int32(o.PoolSize)
	}
	config.MinIdleConns = 1
	config.MaxConnIdleTime = 5 * time.Minute
	config.PingTimeout = pingTimeout
	config.BeforeConnect = o.beforeConnect
	o.configure(config.ConnConfig)
	config.ConnConfig.BuildContextWatcherHandler, config.ConnConfig.OnNotice = cancelAndListen, hearNotice
	if o.Pooled {
		config.ConnConfig.DefaultQueryExecMode, config.AfterConnect = pgx.QueryExecModeExec, knowTypes
		config.ConnConfig.RuntimeParams = map[string]string{"application_name": "polymq"}
	}
	return config, nil
}

// knowTypes tells a connection the types of arguments of ours: behind a pooler pgx has no description of a statement to go by.
func knowTypes(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterDefaultPgType(core.MessageID{}, "uuid")
	conn.TypeMap().RegisterDefaultPgType([]core.MessageID{}, "_uuid")
	for _, object := range []any{map[string]string{}, map[string]time.Time{}, map[string]core.Inline{}, []core.PolicyVersion{}} {
		conn.TypeMap().RegisterDefaultPgType(object, "jsonb")
	}
	return nil
}

func (o Options) configure(config *pgx.ConnConfig) {
	config.ConnectTimeout = connectTimeout
	config.StatementCacheCapacity = 256
	if config.ValidateConnect == nil && hasSeveralHosts(config) {
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	config.OnPgError = endWhereReadOnly(config.OnPgError)
	for name, value := range o.sessionSettings() {
		config.RuntimeParams[name] = value
	}
	for name, value := range lettingGo {
		if config.RuntimeParams[name] == "" {
			config.RuntimeParams[name] = value
		}
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "polymq"
	}
}

// hasSeveralHosts reports whether there is more than one server to connect to. Only one of them takes writes then.
func hasSeveralHosts(config *pgx.ConnConfig) bool {
	return slices.ContainsFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool {
		return f.Host != config.Host || f.Port != config.Port
	})
}

// endWhereReadOnly ends sessions with a server that has become a standby: a new one finds the primary.
func endWhereReadOnly(stays pgconn.PgErrorHandler) pgconn.PgErrorHandler {
	return func(conn *pgconn.PgConn, err *pgconn.PgError) bool { return err.Code != readOnly && stays(conn, err) }
}

// readOnly is the SQLSTATE of a write in a session that may only read, as on a standby.
const readOnly = "25006"

// beforeConnect reads anew what lies in files, the passwords and certificates that the URL names too: operators rotate
// them under a running server.
func (o Options) beforeConnect(_ context.Context, config *pgx.ConnConfig) error {
	fresh, err := pgx.ParseConfig(config.ConnString())
	if err != nil {
		return fmt.Errorf("read the database URL: %w", maskURL(err))
	}
	config.Password, config.TLSConfig, config.Fallbacks = fresh.Password, fresh.TLSConfig, fresh.Fallbacks
	if o.PasswordFile == "" {
		return nil
	}
	password, err := os.ReadFile(o.PasswordFile)
	if err != nil {
		return fmt.Errorf("read the database password: %w", err)
	}
	config.Password = strings.TrimRight(string(password), "\r\n")
	return nil
}

// directConn connects past the pooler.
func (o Options) directConn(ctx context.Context) (*pgx.Conn, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	pool, err := pgxpool.ParseConfig(o.listenURL()) // which knows the pool's settings from PostgreSQL's
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", maskURL(err))
	}
	config := pool.ConnConfig
	o.configure(config)
	if err := o.beforeConnect(ctx, config); err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, config)
}

// maskURL keeps passwords out of messages: pgx quotes the URL that it could not read, and one whose parts it could
// not tell from each other by a part that may well be the password.
func maskURL(err error) error {
	var parse *pgconn.ParseConfigError
	if !errors.As(err, &parse) {
		return err
	}
	unquoted := *parse
	unquoted.ConnString = ""
	_, reason, _ := strings.Cut(unquoted.Error(), ": ")
	if strings.HasPrefix(reason, "failed to parse as ") {
		return errors.New("it is not a PostgreSQL URL or keyword string (postgres://user:password@host:5432/database; in a password, characters " +
			"such as @, / and % are written %40, %2F and %25)")
	}
	return errors.New(reason)
}

// newBatch begins a batch. Behind a pooler it carries the session's settings with it.
func (s *Store) newBatch() *pgx.Batch {
	batch := &pgx.Batch{}
	if s.opts.Pooled {
		names, values := s.opts.settingsLists()
		batch.Queue(`SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS s(name, value)`, names, values)
	}
	return batch
}

// do runs one statement by itself and reads its rows.
func (s *Store) do(ctx context.Context, sql string, args pgx.StrictNamedArgs, read func(pgx.Rows) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	batch := s.newBatch()
	queue(batch, sql, args).Query(read)
	return translate(s.send(ctx, batch))
}

// look is do for pages, logs, searches, metrics and alerts. They may be many, and what they ask may take long; together they get half
// of the connections, so that nobody who sends or receives waits for theirs.
func (s *Store) look(ctx context.Context, sql string, args pgx.StrictNamedArgs, read func(pgx.Rows) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.aside(ctx, func() error { return s.do(ctx, sql, args, read) })
}

// note is exec for them.
func (s *Store) note(ctx context.Context, sql string, args pgx.StrictNamedArgs) (changed int, err error) {
	err = s.aside(ctx, func() error {
		changed, err = s.exec(ctx, sql, args)
		return err
	})
	return changed, err
}

// aside does something for them, once there is a place.
func (s *Store) aside(ctx context.Context, do func() error) error {
	wait, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	select {
	case s.looking <- struct{}{}:
		defer func() { <-s.looking }()
		return do()
	case <-wait.Done():
		return translate(wait.Err())
	}
}

// one runs a statement by itself that finds one row at most. pgx.ErrNoRows is told only after it: what goes wrong while
// it is read makes pgx prepare the statement anew.
func one[T any](ctx context.Context, s *Store, sql string, args pgx.StrictNamedArgs, scan pgx.RowToFunc[T]) (found T, err error) {
	var rows []T
	err = s.do(ctx, sql, args, func(r pgx.Rows) (err error) {
		rows, err = pgx.CollectRows(r, scan)
		return err
	})
	switch {
	case err != nil:
		return found, err
	case len(rows) == 0:
		return found, pgx.ErrNoRows
	}
	return rows[0], nil
}

// exec runs one statement by itself and gives the number of rows it changed.
func (s *Store) exec(ctx context.Context, sql string, args pgx.StrictNamedArgs) (int, error) {
	var tag pgconn.CommandTag
	batch := s.newBatch()
	queue(batch, sql, args).Exec(func(t pgconn.CommandTag) error {
		tag = t
		return nil
	})
	err := s.send(ctx, batch)
	return int(tag.RowsAffected()), translate(err)
}

func queue(batch *pgx.Batch, sql string, args pgx.StrictNamedArgs) *pgx.QueuedQuery {
	if args == nil {
		return batch.Queue(sql)
	}
	return batch.Queue(sql, args)
}

// transaction runs several statements as one.
func (s *Store) transaction(ctx context.Context, do func(pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return translate(s.using(ctx, func(conn *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if s.opts.Pooled {
				if err := tx.SendBatch(ctx, s.newBatch()).Close(); err != nil {
					return err
				}
			}
			return do(tx)
		})
	}))
}

// translate turns the database's errors into core's, where the core has one for them.
func translate(err error) error {
	var known *core.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, core.ErrQueueChanged), errors.Is(err, core.ErrEntityChanged), errors.Is(err, context.Canceled):
		return err
	case isAway(err), errors.As(err, new(*pgconn.ConnectError)): // which refuses us, too, while a password is changed
		return core.Wrap(core.Unavailable, err, "the database cannot be reached at the moment")
	case isNoText(err):
		return core.Wrap(core.InvalidArgument, err, "a text must be UTF-8 and hold no character 0")
	}
	return err
}

// isNoText reports whether the database was given a text that it cannot hold, in a column or in JSON. No protocol lets
// one through to a message; names to look for come as they are.
func isNoText(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && (server.Code == "22021" || server.Code == "22P05")
}

// isAway reports whether the database could not be reached or went away: a matter of time.
func isAway(err error) bool {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		switch server.Code[:2] {
		case "08", "53", "57", "58": // connection, resources, intervention, system
			return true
		}
		return server.Code == readOnly || server.Code == "55P03" // a standby until the failover is over; a lock that an application's send holds
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed")
}

const keysSQL = `
WITH made AS (
    INSERT INTO secrets (name, value) VALUES ('message_ids', @message_ids), ('receipt_handles', @receipt_handles)
    ON CONFLICT DO NOTHING RETURNING name, value
)
SELECT name, value FROM made UNION SELECT name, value FROM secrets`

// loadKeys reads the keys of ids and handles, or makes them on the very first start.
func (s *Store) loadKeys(ctx context.Context) (keys, error) {
	fresh := map[string][]byte{"message_ids": make([]byte, keySize), "receipt_handles": make([]byte, keySize)}
	for _, key := range fresh {
		if _, err := rand.Read(key); err != nil {
			return keys{}, fmt.Errorf("make keys: %w", err)
		}
	}
	var k keys
	for range 2 { // a server that started at the same moment may have been faster
		found := 0
		err := s.do(ctx, keysSQL, pgx.StrictNamedArgs{"message_ids": fresh["message_ids"], "receipt_handles": fresh["receipt_handles"]},
			func(rows pgx.Rows) error {
				var name string
				var value []byte
				_, err := pgx.ForEachRow(rows, []any{&name, &value}, func() error {
					switch name {
					case "message_ids":
						found += copy(k.messageIDs[:], value)
					case "receipt_handles":
						found += copy(k.handles[:], value)
					}
					return nil
				})
				return err
			})
		if err != nil {
			return keys{}, fmt.Errorf("read the keys: %w", err)
		}
		if found == 2*keySize {
			return k, nil
		}
	}
	return keys{}, errors.New("the keys of ids and handles are damaged")
}
