package pg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/singleflight"

	"github.com/polymq/polymq/core"
)

// routesCache keeps topics with their subscriptions as they were last read. As with queues, a stale
// entry does no harm: publishing joins the topic's row on the version.
type routesCache struct {
	mu     sync.RWMutex
	byName map[core.TopicName]*core.Routes
	byID   map[int64]*core.Routes
	size   int // subscriptions
	reads  singleflight.Group
}

// Bounds of the cache; when it is full it starts anew.
const (
	maxCachedTopics        = 10_000
	maxCachedSubscriptions = 500_000
)

func (c *routesCache) init() {
	c.byName, c.byID = map[core.TopicName]*core.Routes{}, map[int64]*core.Routes{}
}

func (c *routesCache) get(name core.TopicName) *core.Routes {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.byName[name]
}

func (c *routesCache) ofID(id int64) *core.Routes {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.byID[id]
}

func (c *routesCache) put(routes *core.Routes) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byName) >= maxCachedTopics || c.size+len(routes.Subscriptions) > maxCachedSubscriptions {
		clear(c.byName)
		clear(c.byID)
		c.size = 0
	}
	if old := c.byName[routes.Topic.Name]; old != nil {
		if old.Topic.ID == routes.Topic.ID && old.Topic.Version > routes.Topic.Version {
			return // a slower read
		}
		c.remove(old)
	}
	c.byName[routes.Topic.Name], c.byID[routes.Topic.ID] = routes, routes
	c.size += len(routes.Subscriptions)
}

// remove drops an entry. The caller holds c.mu.
func (c *routesCache) remove(routes *core.Routes) {
	delete(c.byName, routes.Topic.Name)
	delete(c.byID, routes.Topic.ID)
	c.size -= len(routes.Subscriptions)
}

// forget drops routes that turned out to be stale, unless they were read anew since.
func (c *routesCache) forget(routes *core.Routes) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byName[routes.Topic.Name] == routes {
		c.remove(routes)
	}
}

func (c *routesCache) forgetID(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if routes := c.byID[id]; routes != nil {
		c.remove(routes)
	}
}

func (c *routesCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.byName)
	clear(c.byID)
	c.size = 0
}

const topicColumns = `t.id, t.version, t.account, t.region, t.name, t.fifo, t.max_message_size, t.retention, t.deduplication_scope, t.logging,
    t.archive, t.attributes, t.tags, t.created_at, t.modified_at, CASE WHEN t.archive > '0' THEN
        GREATEST(t.archived_since, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = t.account), '0') - t.archive) END AS archive_begins`

// scanTopic reads topicColumns, and what follows them into more.
func scanTopic(row pgx.CollectableRow, more ...any) (core.Topic, error) {
	var t core.Topic
	var archiveBegins *time.Time
	err := row.Scan(append([]any{&t.ID, &t.Version, &t.Name.Account, &t.Name.Region, &t.Name.Name, &t.FIFO, &t.MaxMessageSize, &t.Retention,
		&t.DeduplicationScope, &t.Logging, &t.Archive, &t.Attributes, &t.Tags, &t.CreatedAt, &t.ModifiedAt, &archiveBegins}, more...)...)
	if archiveBegins != nil {
		t.ArchiveBegins = *archiveBegins
	}
	return t, err
}

func scanPlainTopic(row pgx.CollectableRow) (core.Topic, error) { return scanTopic(row) }

func topicArgs(name core.TopicName) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{"account": name.Account, "region": name.Region, "name": name.Name}
}

const (
	topicSQL           = `SELECT ` + topicColumns + ` FROM topics t WHERE account = @account AND region = @region AND name = @name`
	lockTopicSQL       = topicSQL + ` FOR UPDATE`
	topicByIDSQL       = `SELECT ` + topicColumns + ` FROM topics t WHERE id = @id`
	topicsRoutesSQL    = `SELECT ` + subscriptionColumns + ` FROM subscriptions s WHERE topic_id = @topic AND gone_at IS NULL`
	topicsElsewhereSQL = `SELECT region FROM topics WHERE account = @account AND name = @name AND region <> @region LIMIT 5`
	touchTopicSQL      = `UPDATE topics t SET version = version + 1 WHERE id = @id RETURNING ` + topicColumns
)

// Routes is of core.Store.
func (s *Store) Routes(ctx context.Context, name core.TopicName) (*core.Routes, error) {
	if routes := s.routes.get(name); routes != nil {
		return routes, nil
	}
	read := s.routes.reads.DoChan(name.String(), func() (any, error) {
		return s.readRoutes(context.WithoutCancel(ctx), topicSQL, topicArgs(name))
	})
	select {
	case result := <-read:
		if errors.Is(result.Err, pgx.ErrNoRows) {
			return nil, s.topicNotFound(ctx, name)
		}
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*core.Routes), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// KnownRoutes is of core.Store.
func (s *Store) KnownRoutes(name core.TopicName) *core.Routes { return s.routes.get(name) }

// ReadTopic is of core.Store.
func (s *Store) ReadTopic(ctx context.Context, name core.TopicName) (core.Topic, error) {
	topic, err := s.oneTopic(ctx, topicSQL, topicArgs(name))
	if errors.Is(err, pgx.ErrNoRows) {
		return topic, core.Errorf(core.TopicNotFound, "topic %q does not exist", name.Name)
	}
	return topic, err
}

const topicVersionSQL = `SELECT version FROM topics WHERE id = @id`

// routesByID gives a topic's routes as they are now. Whoever delivers has no statement that would tell that cached
// ones are stale, and a subscription that they do not show as confirmed would lose its messages. pgx.ErrNoRows.
func (s *Store) routesByID(ctx context.Context, id int64) (*core.Routes, error) {
	args := pgx.StrictNamedArgs{"id": id}
	routes := s.routes.ofID(id)
	if routes == nil {
		return s.readRoutes(ctx, topicByIDSQL, args)
	}
	var version int64
	err := s.do(ctx, topicVersionSQL, args, func(rows pgx.Rows) (err error) {
		version, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case version != routes.Topic.Version:
		return s.readRoutes(ctx, topicByIDSQL, args)
	}
	return routes, nil
}

// readRoutes reads a topic and then its subscriptions, so that these are at least as new as its version.
func (s *Store) readRoutes(ctx context.Context, sql string, args pgx.StrictNamedArgs) (*core.Routes, error) {
	topic, err := s.oneTopic(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	routes := &core.Routes{Topic: topic}
	err = s.do(ctx, topicsRoutesSQL, pgx.StrictNamedArgs{"topic": topic.ID}, func(rows pgx.Rows) (err error) {
		routes.Subscriptions, err = pgx.CollectRows(rows, scanSubscription)
		return err
	})
	slices.SortFunc(routes.Subscriptions, func(a, b core.Subscription) int { return cmp.Compare(a.ID, b.ID) })
	if err != nil {
		return nil, err
	}
	s.routes.put(routes)
	return routes, nil
}

// oneTopic runs a statement that returns one topic. pgx.ErrNoRows.
func (s *Store) oneTopic(ctx context.Context, sql string, args pgx.StrictNamedArgs) (topic core.Topic, err error) {
	return one(ctx, s, sql, args, scanPlainTopic)
}

// topicNotFound makes the error, whose cause names the regions that do have such a topic.
func (s *Store) topicNotFound(ctx context.Context, name core.TopicName) error {
	notFound := &core.Error{Code: core.TopicNotFound, Message: fmt.Sprintf("topic %q does not exist", name.Name)}
	_ = s.do(ctx, topicsElsewhereSQL, topicArgs(name), func(rows pgx.Rows) error {
		regions, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if len(regions) > 0 {
			notFound.Err = fmt.Errorf("it was looked for in region %s and exists in %s", name.Region, strings.Join(regions, ", "))
		}
		return err
	})
	return notFound
}

// noTopic names the topic where a statement found none.
func (s *Store) noTopic(ctx context.Context, err error, name core.TopicName) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return s.topicNotFound(ctx, name)
	}
	return err
}

const createTopicSQL = `
INSERT INTO topics AS t (account, region, name, fifo, max_message_size, retention, deduplication_scope, logging, archive, archived_since, attributes, tags,
    created_at, modified_at)
SELECT @account, @region, @name, @fifo, @max_message_size, @retention, @deduplication_scope, @logging, @archive, c.now, @attributes::jsonb, @tags::jsonb,
    c.now, c.now
FROM (SELECT now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0') AS now) c
ON CONFLICT (account, region, name) DO NOTHING
RETURNING ` + topicColumns

// CreateTopic is of core.Store.
func (s *Store) CreateTopic(ctx context.Context, in core.NewTopic) (core.Topic, bool, error) {
	args := topicSettingsArgs(in.Settings)
	args["account"], args["region"], args["name"] = in.Name.Account, in.Name.Region, in.Name.Name
	args["fifo"], args["attributes"], args["tags"] = in.FIFO, jsonObject(in.Attributes), jsonObject(in.Tags)
	for {
		topic, err := s.oneTopic(ctx, createTopicSQL, args)
		if err == nil {
			return topic, true, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return core.Topic{}, false, err
		}
		existing, err := s.oneTopic(ctx, topicSQL, topicArgs(in.Name))
		if !errors.Is(err, pgx.ErrNoRows) { // else it was just deleted, try again
			return existing, false, err
		}
	}
}

func topicSettingsArgs(settings core.TopicSettings) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"max_message_size": settings.MaxMessageSize, "retention": settings.Retention,
		"deduplication_scope": string(settings.DeduplicationScope), "logging": settings.Logging, "archive": settings.Archive,
	}
}

// countsOfTopic joins a topic t with the counts of its subscriptions and of the messages that are not delivered yet.
const countsOfTopic = `
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE s.state = 'confirmed') AS confirmed, count(*) FILTER (WHERE s.state = 'pending' AND NOT ` + lapsed + `) AS pending,
        count(*) FILTER (WHERE s.state = 'unsubscribed') AS deleted,
        (SELECT count(*) FROM published p WHERE p.topic_id = t.id) AS messages
    FROM subscriptions s WHERE s.account = t.account AND s.region = t.region AND s.topic = t.name AND s.topic_id = t.id
) n`

const describeTopicSQL = `SELECT ` + topicColumns + `, n.* FROM topics t ` + countsOfTopic + `
WHERE t.account = @account AND t.region = @region AND t.name = @name`

// DescribeTopic is of core.Store.
func (s *Store) DescribeTopic(ctx context.Context, name core.TopicName) (topic core.Topic, err error) {
	topic, err = one(ctx, s, describeTopicSQL, topicArgs(name), scanCountedTopic)
	return topic, s.noTopic(ctx, err, name)
}

func scanCountedTopic(row pgx.CollectableRow) (core.Topic, error) {
	var counts core.TopicCounts
	topic, err := scanTopic(row, &counts.Confirmed, &counts.Pending, &counts.Deleted, &counts.Messages)
	topic.Counts = counts
	return topic, err
}

// An archive begins when it is asked for, with what is published from then on.
const alterTopicSQL = `
UPDATE topics t SET version = version + 1, max_message_size = @max_message_size, retention = @retention,
    deduplication_scope = @deduplication_scope, logging = @logging, attributes = @attributes::jsonb, tags = @tags::jsonb, archive = @archive,
    archived_since = CASE WHEN t.archive > '0' THEN t.archived_since ELSE c.now END,
    archived_after = CASE WHEN t.archive > '0' THEN t.archived_after ELSE t.sequence END,
    modified_at = c.now
FROM (SELECT now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0') AS now) c
WHERE id = @id
RETURNING ` + topicColumns

// AlterTopic is of core.Store.
func (s *Store) AlterTopic(ctx context.Context, name core.TopicName, change core.TopicChange) (core.Topic, error) {
	var topic core.Topic
	err := s.transaction(ctx, func(tx pgx.Tx) error {
		current, err := txTopic(ctx, tx, lockTopicSQL, topicArgs(name))
		if err != nil {
			return err
		}
		if change.From != nil && (change.From.ID != current.ID || change.From.Version != current.Version) {
			return core.ErrTopicChanged
		}
		altered := change.Apply(current)
		if altered.Archive > 0 && !altered.FIFO {
			return core.Errorf(core.InvalidArgument, "only FIFO topics keep an archive")
		}
		args := topicSettingsArgs(altered.TopicSettings)
		args["account"], args["id"], args["attributes"], args["tags"] = name.Account, current.ID, jsonObject(altered.Attributes), jsonObject(altered.Tags)
		topic, err = txTopic(ctx, tx, alterTopicSQL, args)
		return err
	})
	if err != nil {
		return core.Topic{}, s.noTopic(ctx, err, name)
	}
	s.announceTopic(topic.ID)
	return topic, nil
}

func txTopic(ctx context.Context, tx pgx.Tx, sql string, args pgx.StrictNamedArgs) (core.Topic, error) {
	rows, _ := tx.Query(ctx, sql, args) // CollectExactlyOneRow returns its error
	return pgx.CollectExactlyOneRow(rows, scanPlainTopic)
}

const deleteTopicSQL = `
WITH gone AS (
    DELETE FROM topics t WHERE id = @id RETURNING id, account, region, name
), orphaned AS (
    UPDATE subscriptions s SET state = 'orphaned', gone_at = now() FROM gone g
    WHERE s.account = g.account AND s.region = g.region AND s.topic = g.name AND s.topic_id = g.id AND s.gone_at IS NULL AND NOT ` + lapsed + `
)
DELETE FROM topic_deduplications d USING gone g WHERE d.topic_id = g.id`

// DeleteTopic is of core.Store. The topic is locked first: what deletes it sees who has subscribed until then.
func (s *Store) DeleteTopic(ctx context.Context, name core.TopicName) error {
	var topic core.Topic
	err := s.transaction(ctx, func(tx pgx.Tx) (err error) {
		if topic, err = txTopic(ctx, tx, lockTopicSQL, topicArgs(name)); err != nil {
			return err
		}
		if topic.Archive > 0 {
			return core.Errorf(core.TopicArchives, "topic %q keeps an archive, which is to be given up first", name.Name)
		}
		_, err = tx.Exec(ctx, deleteTopicSQL, pgx.StrictNamedArgs{"id": topic.ID})
		return err
	})
	if err != nil {
		return s.noTopic(ctx, err, name)
	}
	s.announceTopic(topic.ID)
	return nil
}

const listTopicsSQL = `SELECT ` + topicColumns + ` FROM topics t` + listedSQL + ` ORDER BY name OFFSET @skip LIMIT @limit`

const listCountedTopicsSQL = `SELECT t.*, n.* FROM (` + listTopicsSQL + `) t ` + countsOfTopic + ` ORDER BY t.name`

const countListedTopicsSQL = `SELECT count(*) FROM topics t` + listedSQL

// ListTopics is of core.Store.
func (s *Store) ListTopics(ctx context.Context, in core.ListTopicsInput) (core.TopicPage, error) {
	sql, scan := listTopicsSQL, scanPlainTopic
	if in.Counts {
		sql, scan = listCountedTopicsSQL, scanCountedTopic
	}
	args := listedArgs(in.Account, in.Region, in.After, in.Prefix, "", &in.Listed)
	var page core.TopicPage
	if in.Total {
		var err error
		if page.Total, err = s.countListed(ctx, countListedTopicsSQL, args); err != nil {
			return core.TopicPage{}, err
		}
	}
	args["skip"], args["limit"] = in.Skip, in.Limit+1
	err := s.do(ctx, sql, args, func(rows pgx.Rows) (err error) {
		page.Topics, err = pgx.CollectRows(rows, scan)
		return err
	})
	if len(page.Topics) > in.Limit {
		page.Topics = page.Topics[:in.Limit]
		page.Next = page.Topics[in.Limit-1].Name.Name
	}
	return page, err
}

// announceTopic makes known that a topic or one of its subscriptions was changed or deleted.
func (s *Store) announceTopic(id int64) {
	s.routes.forgetID(id)
	s.tell(func(p *peers) { p.topics[id] = true })
}
