package pg_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// How large the tables of the topics' plans are: a million retries that are scheduled, for endpoints of
// which each has a thousand.
const (
	scheduledRetries = 1_000_000
	grownLanes       = 1_000
)

// topicStatements are the statements of a topic with 1 as its id and version and no queue.
func topicStatements(queue int64) map[string]plannedStatement {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	publish := pgx.NamedArgs{
		"queue": []int64{queue}, "version": []int64{1}, "topic": []int64{1}, "topic_version": []int64{1},
		"need_publish": []int32{1, 1}, "need_topic": []int32{1, 1}, "need_queue": []int32{0, 1},
		"publish": []int32{1}, "place": []int32{1}, "id": []int64{-1}, "priority": []int16{8}, "delay": []time.Duration{0}, "form": []int16{0},
		"size": []int32{1}, "sender": []string{""}, "group": []string{""}, "attributes": [][]byte{nil}, "body": [][]byte{[]byte("a")}, "at": []*time.Time{nil},
	}
	all := pgx.NamedArgs{
		"published_publish": []int32{1}, "published": []int64{-1}, "published_topic": []int64{1}, "published_at": []time.Time{start}, "content": [][]byte{{}},
		"delivery_publish": []int32{1, 1}, "delivery": []int64{-1, -1}, "subscription": []int64{1, 2}, "lane": []int64{1, 2},
		"fan_publish": []int32{1}, "fan_out": []int64{-1}, "fan_subscriptions": []string{"{3,4,5}"},
	}
	for name, value := range publish {
		all[name] = value
	}
	keys := pgx.NamedArgs{"published": []int64{1, 2, 3}, "subscription": []int64{1, 1, 1}, "claim": []int64{0, 0, 1}, "again": []int64{-1, 1000, -1}}
	return map[string]plannedStatement{
		"publish":          {pg.PublishSQL, publish, 50},
		"publish all":      {pg.PublishAllSQL, all, 50},
		"claim":            {pg.ClaimDeliveriesSQL, pgx.NamedArgs{"lane": []int64{5, 6}, "most": []int32{10, 10}, "life": time.Minute}, 200},
		"claim one":        {pg.ClaimDeliverySQL, pgx.NamedArgs{"published": 1, "subscription": 1, "life": time.Minute}, 10},
		"claim expired":    {pg.ClaimExpiredSQL, pgx.NamedArgs{"limit": 10, "life": time.Minute, "most": core.MaxTopicRetention}, 1000},
		"settle":           {pg.SettleSQL, keys, 50},
		"remove ended":     {pg.RemoveEndedSQL, pgx.NamedArgs{"published": []int64{1, 2, 3}}, 50},
		"remove published": {pg.RemovePublishedSQL, pgx.NamedArgs{"after": 5000, "limit": 100}, 1000},
		"due lanes":        {pg.DueLanesSQL, pgx.NamedArgs{"within": time.Second, "fan_out": core.FanOutLane}, 4*grownLanes + 100},
		"take fan-out":     {pg.TakeFanOutSQL, pgx.NamedArgs{"most": 200}, 10},
		"take replay":      {pg.TakeReplaySQL, pgx.NamedArgs{}, 10},
		"deduplicate": {pg.DeduplicateTopicSQL, pgx.NamedArgs{
			"topic": 1, "group": []string{"", ""}, "id": []string{"a", "b"}, "published": []int64{1, 2}, "sequence": []int64{1, 2}, "now": start, "window": time.Minute,
		}, 20},
		"archived":        {pg.ArchivedSQL, pgx.NamedArgs{"topic": 1, "next": 500, "last": 90_000, "most": 100, "bytes": 1 << 20}, 500},
		"begin replay":    {pg.BeginReplaySQL, pgx.NamedArgs{"subscription": -1, "topic": 1, "from": start, "to": start}, 20},
		"expire archived": {pg.ExpireArchivedSQL, pgx.NamedArgs{"limit": 10}, 1000},
		"messages":        {pg.PublishedSQL, pgx.NamedArgs{"id": []int64{1, 2, 3}}, 20},
		"subscription":    {pg.SubscriptionSQL, pgx.NamedArgs{"account": "grown", "region": "r", "topic": "t", "name": "s5"}, 10},
		"token":           {pg.SubscriptionTokenSQL, pgx.NamedArgs{"token": "token5", "life": time.Hour}, 10},
		"routes":          {pg.TopicsRoutesSQL, pgx.NamedArgs{"topic": 2}, 50},
		"topics": {pg.ListTopicsSQL, pgx.NamedArgs{
			"account": "grown", "region": "r", "after": "t5", "prefix": "", "upper": "\x7F", "part": "", "fifo": nil, "tags": "{}", "tagged": []string{}, "skip": 0, "limit": 10,
		}, 50},
		"topics of a prefix": {pg.ListTopicsSQL, pgx.NamedArgs{
			"account": "grown", "region": "r", "after": "", "prefix": "t50", "upper": "t51", "part": "", "fifo": nil, "tags": "{}", "tagged": []string{}, "skip": 0, "limit": 100,
		}, 50},
		"subscriptions of a prefix": {pg.OfTopicSQL, pgx.NamedArgs{ // of which there are 111
			"topic": 1, "after": "", "prefix": "s123", "upper": "s124", "protocol": "", "endpoint": "", "skip": 0, "limit": 1000,
		}, 500},
		"subscriptions": {pg.OfTopicSQL, pgx.NamedArgs{"topic": 1, "after": "s5", "prefix": "s", "upper": "t", "protocol": "", "endpoint": "", "skip": 0, "limit": 51}, 200},
		"page of subscriptions": {pg.OfTopicSQL, pgx.NamedArgs{ // reads what it skips
			"topic": 1, "after": "", "prefix": "s1", "upper": "s2", "protocol": "http", "endpoint": "", "skip": 1000, "limit": 51,
		}, 2000},
		"an owner's subscriptions": {pg.OfOwnerSQL, pgx.NamedArgs{"owner": "grown", "region": "r", "after_id": 100, "prefix": "", "limit": 51}, 200},
		"attempts": {pg.ListAttemptsSQL, pgx.NamedArgs{
			"account": "grown", "region": "r", "topic": "", "subscription": "", "before": int64(1) << 40, "limit": 10,
		}, 50},
		"forget attempts": {pg.ForgetAttemptsSQL, pgx.NamedArgs{"most": 1 << 40, "life": time.Hour, "limit": 10}, 50},
		"forget kept":     {pg.ForgetKeptSQL, pgx.NamedArgs{"life": time.Hour, "limit": 10}, 50},
		"deliveries":      {pg.ListDeliveriesSQL, pgx.NamedArgs{"account": "grown", "lane": 5, "subscription": 1, "due": start, "published": 0, "limit": 10}, 2000}, // all of the lane,
	}
}

// TestTopicPlans is as TestPlans, for what topics have.
func TestTopicPlans(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	admin := database(t, url)
	for _, table := range []string{"topics", "subscriptions", "published", "deliveries", "fan_outs", "attempts", "archived", "replays"} {
		execute(t, admin, `ALTER TABLE `+table+` SET (autovacuum_enabled = off)`)
	}
	queue, _ := grownQueue(t, admin)
	statements := topicStatements(queue)
	execute(t, admin, `ANALYZE`)
	small := planned(t, url, statements)
	execute(t, admin, `INSERT INTO topics (account, region, name, fifo, max_message_size, retention, deduplication_scope, logging, attributes, tags, created_at, modified_at)
		SELECT 'grown', 'r', 't' || i, false, 1, '0', '', false, '{}', '{}', now(), now() FROM generate_series(1, $1) i`, grownLanes)
	execute(t, admin, `INSERT INTO subscriptions (topic_id, account, region, topic, name, state, format, protocol, endpoint, by_endpoint, queue, owner, raw, filter, filter_scope,
		dead_letter, rate, token, token_at, attributes, created_at, modified_at)
		SELECT 1, 'grown', 'r', 't', 's' || i, 'confirmed', 'f', 'http', 'e' || i, true, '', 'grown', false, '', '', '', 0, 'token' || i, now(), '{}', now(), now()
		FROM generate_series(1, $1) i`, 20*grownLanes)
	execute(t, admin, `INSERT INTO published (id, topic_id, published_at, content) SELECT i, 1 + i % 100, now(), '' FROM generate_series(1, $1) i`, scheduledRetries/50)
	execute(t, admin, `INSERT INTO deliveries (published_id, subscription_id, lane, due_at, attempts)
		SELECT 1 + i / 50, 1 + i % 50, 1 + i % $2, now() + (i - $1 / 2) * interval '1 second', 3 FROM generate_series(1, $1) i`, scheduledRetries, grownLanes)
	execute(t, admin, `INSERT INTO fan_outs (published_id, subscriptions) SELECT i, ARRAY[1, 2, 3] FROM generate_series(1, 1000) i`)
	execute(t, admin, `UPDATE topics SET archive = '1 day'`)
	execute(t, admin, `INSERT INTO archived (topic_id, sequence, published_id, published_at, content)
		SELECT 1 + i % 100, i, i, now() - i * interval '1 millisecond', '' FROM generate_series(1, 100000) i`)
	execute(t, admin, `INSERT INTO replays (subscription_id, topic_id, next_sequence, last_sequence, live_sequence) SELECT i, 1 + i % 100, 1, 1, 1 FROM generate_series(1, 5000) i`)
	execute(t, admin, `INSERT INTO attempts (account, region, topic, subscription, message, protocol, endpoint, number, verdict, status, reason, excerpt, latency, at, dead_lettered, kept)
		SELECT 'grown', 'r', 't', 's', $1, 'http', 'e', 1, 0, 0, '', '', '0', now(), false, false FROM generate_series(1, 20000)`, uuid.Nil.String())
	small.check(t, "planned when small")
	planned(t, url, statements).check(t, "planned without statistics")
	execute(t, admin, `ANALYZE`)
	planned(t, url, statements).check(t, "planned with statistics")
}
