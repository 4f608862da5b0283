package pg

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/singleflight"

	"github.com/polymq/polymq/core"
)

// queueCache keeps queues as they were last read. A stale entry does no harm: hot statements join
// the queue's row on what the entry says, and forget it when that no longer fits.
type queueCache struct {
	mu     sync.RWMutex
	byName map[core.QueueName]*core.Queue
	byID   map[int64]*core.Queue
	reads  singleflight.Group
}

// maxCachedQueues bounds the cache; when it is full it starts anew.
const maxCachedQueues = 100_000

func (c *queueCache) init() {
	c.byName, c.byID = map[core.QueueName]*core.Queue{}, map[int64]*core.Queue{}
}

func (c *queueCache) get(name core.QueueName) *core.Queue {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.byName[name]
}

func (c *queueCache) put(queue *core.Queue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byName) >= maxCachedQueues {
		clear(c.byName)
		clear(c.byID)
	}
	if old := c.byName[queue.Name]; old != nil {
		if old.ID == queue.ID && old.Version > queue.Version {
			return // a slower read
		}
		delete(c.byID, old.ID)
	}
	c.byName[queue.Name], c.byID[queue.ID] = queue, queue
}

// forget drops a queue that turned out to be stale, unless it was read anew since.
func (c *queueCache) forget(queue *core.Queue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byName[queue.Name] == queue {
		delete(c.byName, queue.Name)
		delete(c.byID, queue.ID)
	}
}

func (c *queueCache) forgetID(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if queue := c.byID[id]; queue != nil {
		delete(c.byName, queue.Name)
		delete(c.byID, id)
	}
}

func (c *queueCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.byName)
	clear(c.byID)
}

// ofID gives the cached queue with the ID, nil if it is not cached.
func (c *queueCache) ofID(id int64) *core.Queue {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.byID[id]
}

const queueColumns = `q.id, q.version, q.storage_id, q.account, q.region, q.name, q.fifo, q.delay, q.visibility_timeout, q.retention,
    q.receive_wait, q.max_message_size, q.logging, q.bodies, q.priorities, q.attributes, q.tags, q.created_at, q.modified_at,
    q.dead_letter_target, q.max_receives, q.dead_letter_sources, q.deduplication_scope`

// scanQueue reads queueColumns, and what follows them into more.
func scanQueue(row pgx.CollectableRow, more ...any) (core.Queue, error) {
	var q core.Queue
	var priorities int32
	err := row.Scan(append([]any{&q.ID, &q.Version, &q.Storage, &q.Name.Account, &q.Name.Region, &q.Name.Name, &q.FIFO,
		&q.Delay, &q.VisibilityTimeout, &q.Retention, &q.ReceiveWait, &q.MaxMessageSize, &q.Logging, &q.Bodies,
		&priorities, &q.Attributes, &q.Tags, &q.CreatedAt, &q.ModifiedAt,
		&q.DeadLetter.Target, &q.DeadLetter.MaxReceives, &q.DeadLetterSources, &q.DeduplicationScope}, more...)...)
	q.Priorities = uint32(priorities)
	return q, err
}

const queueSQL = `SELECT ` + queueColumns + ` FROM queues q WHERE account = @account AND region = @region AND name = @name`

// Queue is of core.Store.
func (s *Store) Queue(ctx context.Context, name core.QueueName) (*core.Queue, error) {
	if queue := s.queues.get(name); queue != nil {
		return queue, nil
	}
	read := s.queues.reads.DoChan(name.String(), func() (any, error) {
		queue, err := s.readQueue(context.WithoutCancel(ctx), name)
		if err == nil {
			s.queues.put(queue)
		}
		return queue, err
	})
	select {
	case result := <-read:
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*core.Queue), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Store) readQueue(ctx context.Context, name core.QueueName) (*core.Queue, error) {
	queue, err := s.oneQueue(ctx, queueSQL, nameArgs(name))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, s.queueNotFound(ctx, name)
	}
	return &queue, err
}

// KnownQueue is of core.Store.
func (s *Store) KnownQueue(name core.QueueName) *core.Queue { return s.queues.get(name) }

// ReadQueue is of core.Store.
func (s *Store) ReadQueue(ctx context.Context, name core.QueueName) (*core.Queue, error) {
	queue, err := s.oneQueue(ctx, queueSQL, nameArgs(name))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, core.Errorf(core.QueueNotFound, "queue %q does not exist", name.Name)
	case err != nil:
		return nil, err
	}
	s.queues.put(&queue)
	return &queue, nil
}

const queuesByIDSQL = `SELECT ` + queueColumns + ` FROM queues q WHERE id = ANY(@id::bigint[])`

// queuesByID gives those of the queues that exist, from the cache where they are in it.
func (s *Store) queuesByID(ctx context.Context, ids []int64) (map[int64]*core.Queue, error) {
	found := make(map[int64]*core.Queue, len(ids))
	var missing []int64
	for _, id := range ids {
		if queue := s.queues.ofID(id); queue != nil {
			found[id] = queue
		} else {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	err := s.do(ctx, queuesByIDSQL, pgx.StrictNamedArgs{"id": missing}, func(rows pgx.Rows) error {
		queues, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (core.Queue, error) { return scanQueue(row) })
		for i := range queues {
			s.queues.put(&queues[i])
			found[queues[i].ID] = &queues[i]
		}
		return err
	})
	return found, err
}

// oneQueue runs a statement that returns one queue. pgx.ErrNoRows.
func (s *Store) oneQueue(ctx context.Context, sql string, args pgx.StrictNamedArgs) (queue core.Queue, err error) {
	return one(ctx, s, sql, args, func(row pgx.CollectableRow) (core.Queue, error) { return scanQueue(row) })
}

func nameArgs(name core.QueueName) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{"account": name.Account, "region": name.Region, "name": name.Name}
}

const elsewhereSQL = `SELECT region FROM queues WHERE account = @account AND name = @name AND region <> @region LIMIT 5`

// queueNotFound makes the error, whose cause names the regions that do have such a queue: a
// client set to another region is the usual reason (DESIGN.md 1).
func (s *Store) queueNotFound(ctx context.Context, name core.QueueName) error {
	notFound := &core.Error{Code: core.QueueNotFound, Message: fmt.Sprintf("queue %q does not exist", name.Name)}
	_ = s.do(ctx, elsewhereSQL, nameArgs(name), func(rows pgx.Rows) error {
		regions, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if len(regions) > 0 {
			notFound.Err = fmt.Errorf("it was looked for in region %s and exists in %s", name.Region, strings.Join(regions, ", "))
		}
		return err
	})
	return notFound
}

// An existing queue is read by a second statement: this one's snapshot may be older than the queue.
const createQueueSQL = `
INSERT INTO queues AS q (account, region, name, fifo, delay, visibility_timeout, retention, receive_wait, max_message_size,
    logging, bodies, priorities, attributes, tags, created_at, modified_at, dead_letter_target, max_receives, dead_letter_sources,
    deduplication_scope)
SELECT @account, @region, @name, @fifo, @delay, @visibility_timeout, @retention, @receive_wait, @max_message_size,
    @logging, @bodies, @priorities, @attributes::jsonb, @tags::jsonb, t.now, t.now,
    @dead_letter_target, @max_receives, @dead_letter_sources, @deduplication_scope
FROM (SELECT now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0') AS now) t
ON CONFLICT (account, region, name) DO NOTHING
RETURNING ` + queueColumns

// CreateQueue is of core.Store.
func (s *Store) CreateQueue(ctx context.Context, in core.NewQueue) (core.Queue, bool, error) {
	args := settingsArgs(in.Settings)
	args["account"], args["region"], args["name"] = in.Name.Account, in.Name.Region, in.Name.Name
	args["fifo"], args["priorities"] = in.FIFO, int32(1<<core.DefaultPriority)
	args["attributes"], args["tags"] = jsonObject(in.Attributes), jsonObject(in.Tags)
	for {
		queue, err := s.oneQueue(ctx, createQueueSQL, args)
		if err == nil {
			s.queues.put(&queue)
			return queue, true, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return core.Queue{}, false, err
		}
		existing, err := s.readQueue(ctx, in.Name)
		if err == nil {
			return *existing, false, nil
		}
		if core.CodeOf(err) != core.QueueNotFound { // not found: it was just deleted, try again
			return core.Queue{}, false, err
		}
	}
}

func settingsArgs(settings core.Settings) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"delay": settings.Delay, "visibility_timeout": settings.VisibilityTimeout, "retention": settings.Retention,
		"receive_wait": settings.ReceiveWait, "max_message_size": settings.MaxMessageSize, "logging": settings.Logging,
		"bodies": string(settings.Bodies), "dead_letter_target": settings.DeadLetter.Target,
		"max_receives": settings.DeadLetter.MaxReceives, "dead_letter_sources": string(settings.DeadLetterSources),
		"deduplication_scope": string(settings.DeduplicationScope),
	}
}

// jsonObject gives a map as the text of a JSON object, also for nil.
func jsonObject(m map[string]string) string {
	if len(m) == 0 {
		return "{}"
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("encode %v: %v", m, err)) // strings can always be
	}
	return string(text)
}

const describeQueueSQL = `SELECT ` + queueColumns + `, n.* FROM queues q ` + countsOfQueue + `
WHERE q.account = @account AND q.region = @region AND q.name = @name`

// DescribeQueue is of core.Store.
func (s *Store) DescribeQueue(ctx context.Context, name core.QueueName) (core.Queue, error) {
	var queues []core.Queue
	err := s.do(ctx, describeQueueSQL, nameArgs(name), func(rows pgx.Rows) (err error) {
		queues, err = pgx.CollectRows(rows, scanCountedQueue)
		return err
	})
	if err == nil && len(queues) == 0 {
		err = s.queueNotFound(ctx, name)
	}
	if err != nil {
		return core.Queue{}, err
	}
	return queues[0], nil
}

func scanCountedQueue(row pgx.CollectableRow) (core.Queue, error) {
	var counts core.QueueCounts
	var messages int64
	queue, err := scanQueue(row, &messages, &counts.Bytes, &counts.InFlight, &counts.Delayed)
	counts.Visible = messages - counts.InFlight - counts.Delayed
	queue.Counts = counts
	return queue, err
}

// listedSQL is what the queues, or topics, of a list have.
const listedSQL = `
WHERE account = @account AND region = @region AND name > @after AND name >= @prefix AND starts_with(name, @prefix)
    AND name < @upper AND (@part = '' OR position(@part IN lower(name)) > 0)
    AND (@fifo::boolean IS NULL OR fifo = @fifo) AND tags @> @tags::jsonb AND tags ?& @tagged::text[]`

const listQueuesSQL = `SELECT ` + queueColumns + ` FROM queues q` + listedSQL + ` ORDER BY name OFFSET @skip LIMIT @limit`

const countListedQueuesSQL = `SELECT count(*) FROM queues q` + listedSQL

const listCountedQueuesSQL = `SELECT q.*, n.* FROM (` + listQueuesSQL + `) q ` + countsOfQueue + ` ORDER BY q.name`

// ListQueues is of core.Store.
func (s *Store) ListQueues(ctx context.Context, in core.ListQueuesInput) (core.QueuePage, error) {
	sql, scan := listQueuesSQL, func(row pgx.CollectableRow) (core.Queue, error) { return scanQueue(row) }
	if in.Counts {
		sql, scan = listCountedQueuesSQL, scanCountedQueue
	}
	args := listedArgs(in.Account, in.Region, in.After, in.Prefix, in.Part, &in.Listed)
	var page core.QueuePage
	if in.Total {
		var err error
		if page.Total, err = s.countListed(ctx, countListedQueuesSQL, args); err != nil {
			return core.QueuePage{}, err
		}
	}
	args["skip"], args["limit"] = in.Skip, in.Limit+1
	err := s.do(ctx, sql, args, func(rows pgx.Rows) (err error) {
		page.Queues, err = pgx.CollectRows(rows, scan)
		return err
	})
	if len(page.Queues) > in.Limit {
		page.Queues = page.Queues[:in.Limit]
		page.Next = page.Queues[in.Limit-1].Name.Name
	}
	return page, err
}

// listedArgs are those of listedSQL.
func listedArgs(account, region, after, prefix, part string, in *core.Listed) pgx.StrictNamedArgs {
	exactly, tagged := map[string]string{}, []string{}
	for key, value := range in.Tags {
		if value == "" {
			tagged = append(tagged, key)
		} else {
			exactly[key] = value
		}
	}
	return pgx.StrictNamedArgs{
		"account": account, "region": region, "after": after, "prefix": prefix, "upper": cmp.Or(prefixEnd(prefix), behindNames), "part": strings.ToLower(part),
		"fifo": in.FIFO, "tags": jsonObject(exactly), "tagged": tagged,
	}
}

// countListed counts what is listed, on this page and all that follow.
func (s *Store) countListed(ctx context.Context, sql string, args pgx.StrictNamedArgs) (total int, err error) {
	err = s.do(ctx, sql, args, func(rows pgx.Rows) error {
		total, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
		return err
	})
	return total, err
}

// behindNames is behind all names of queues, topics and subscriptions.
const behindNames = "\x7F"

// prefixEnd gives the first name behind all that begin with the prefix, "" for none: it lets the
// index end the scan there. Names are ASCII.
func prefixEnd(prefix string) string {
	if prefix == "" || prefix[len(prefix)-1] >= 0x7F {
		return ""
	}
	return prefix[:len(prefix)-1] + string(prefix[len(prefix)-1]+1)
}

// lockQueueSQL waits for applications whose transactions have sent to the queue (polymq.send), lockSettingsSQL does not.
const (
	lockQueueSQL    = queueSQL + ` FOR UPDATE`
	lockSettingsSQL = queueSQL + ` FOR NO KEY UPDATE`
)

const alterQueueSQL = `
UPDATE queues q SET version = version + 1, delay = @delay, visibility_timeout = @visibility_timeout, retention = @retention,
    receive_wait = @receive_wait, max_message_size = @max_message_size, logging = @logging, bodies = @bodies,
    dead_letter_target = @dead_letter_target, max_receives = @max_receives, dead_letter_sources = @dead_letter_sources, deduplication_scope = @deduplication_scope,
    attributes = @attributes::jsonb, tags = @tags::jsonb, modified_at = now() + COALESCE((SELECT ahead FROM clocks c WHERE c.account = q.account), '0')
WHERE id = @id
RETURNING ` + queueColumns

// AlterQueue is of core.Store.
func (s *Store) AlterQueue(ctx context.Context, name core.QueueName, change core.QueueChange) (core.Queue, error) {
	var queue core.Queue
	err := s.transaction(ctx, func(tx pgx.Tx) error {
		lock := lockSettingsSQL
		if change.Delay != nil {
			lock = lockQueueSQL // if it is a FIFO queue, a new delay is for all that has been sent with the old one
		}
		current, err := txQueue(ctx, tx, lock, nameArgs(name))
		if err != nil {
			return err
		}
		if from := change.From; from != nil && (from.ID != current.ID || from.Version != current.Version) {
			return core.ErrQueueChanged
		}
		altered := change.Apply(current)
		args := settingsArgs(altered.Settings)
		args["id"], args["attributes"], args["tags"] = current.ID, jsonObject(altered.Attributes), jsonObject(altered.Tags)
		queue, err = txQueue(ctx, tx, alterQueueSQL, args)
		if err == nil && queue.FIFO && queue.Delay != current.Delay {
			_, err = tx.Exec(ctx, delayChangedSQL, pgx.StrictNamedArgs{"queue": queue.ID, "old": current.Delay})
		}
		return err
	})
	if err != nil {
		return core.Queue{}, s.notFound(ctx, err, name)
	}
	s.queues.put(&queue)
	s.announceChange(queue.ID)
	if queue.FIFO && change.Delay != nil { // the same one again finishes what another call began
		err = s.delayFIFO(ctx, &queue)
	}
	return queue, err
}

func txQueue(ctx context.Context, tx pgx.Tx, sql string, args pgx.StrictNamedArgs) (core.Queue, error) {
	rows, _ := tx.Query(ctx, sql, args) // CollectExactlyOneRow returns its error
	return pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (core.Queue, error) { return scanQueue(row) })
}

// notFound names the queue where a statement found none.
func (s *Store) notFound(ctx context.Context, err error, name core.QueueName) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return s.queueNotFound(ctx, name)
	}
	return err
}

const deleteQueueSQL = `
WITH gone AS (
    DELETE FROM queues q WHERE account = @account AND region = @region AND name = @name RETURNING ` + queueColumns + `
), dropped AS (
    INSERT INTO dropped_storages (storage_id) SELECT storage_id FROM gone
)
SELECT * FROM gone`

// DeleteQueue is of core.Store.
func (s *Store) DeleteQueue(ctx context.Context, name core.QueueName) (core.Queue, error) {
	queue, err := s.oneQueue(ctx, deleteQueueSQL, nameArgs(name))
	if err != nil {
		return queue, s.notFound(ctx, err, name)
	}
	s.drop(&queue)
	return queue, nil
}

// A purged queue gets a new storage. Its old one is named by the first row, its new one by the queue.
const purgeQueueSQL = `
WITH old AS (
    SELECT id, storage_id FROM queues WHERE account = @account AND region = @region AND name = @name FOR UPDATE
), dropped AS (
    INSERT INTO dropped_storages (storage_id) SELECT storage_id FROM old
)
UPDATE queues q SET version = q.version + 1, storage_id = nextval('storage_ids'), priorities = @priorities
FROM old WHERE q.id = old.id
RETURNING ` + queueColumns

// PurgeQueue is of core.Store.
func (s *Store) PurgeQueue(ctx context.Context, name core.QueueName) (core.Queue, error) {
	args := nameArgs(name)
	args["priorities"] = int32(1 << core.DefaultPriority)
	queue, err := s.oneQueue(ctx, purgeQueueSQL, args)
	if err != nil {
		return queue, s.notFound(ctx, err, name)
	}
	s.queues.put(&queue)
	s.announceChange(queue.ID)
	return queue, nil
}

// drop forgets a deleted queue and tells who waits for it.
func (s *Store) drop(queue *core.Queue) {
	s.queues.forgetID(queue.ID)
	s.marks.forget(queue.Storage)
	s.announceChange(queue.ID)
}

const prioritiesSQL = `
UPDATE queues q SET version = version + 1, priorities = priorities | @priorities WHERE id = @id AND version = @version
RETURNING ` + queueColumns

// prioritiesIn gives the priorities of messages, as Queue has them.
func prioritiesIn(messages []core.NewMessage) (priorities uint32) {
	for i := range messages {
		priorities |= 1 << messages[i].Priority
	}
	return priorities
}

// withPriorities makes sure that the queue's row names the priorities of its messages, since
// receives look only for those. Each priority costs one change of the queue, the first time.
func (s *Store) withPriorities(ctx context.Context, queue *core.Queue, wanted uint32) (*core.Queue, error) {
	if wanted&^queue.Priorities == 0 || queue.FIFO {
		return queue, nil
	}
	current, err := s.oneQueue(ctx, prioritiesSQL, pgx.StrictNamedArgs{"id": queue.ID, "version": queue.Version, "priorities": int32(wanted)})
	if errors.Is(err, pgx.ErrNoRows) {
		s.queues.forget(queue)
		return nil, core.ErrQueueChanged
	}
	if err != nil {
		return nil, err
	}
	s.queues.put(&current)
	s.announceChange(queue.ID)
	return &current, nil
}
