package pg

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/polymq/polymq/core"
)

const subscriptionColumns = `s.id, s.account, s.region, s.topic, s.name, s.state, s.format, s.protocol, s.endpoint, s.queue, s.owner, s.raw, s.filter,
    s.filter_scope, s.retries, s.dead_letter, s.rate, s.token, s.token_at, s.attributes, s.created_at, s.modified_at,
    COALESCE((SELECT CASE WHEN r.failures >= 3 THEN 'failing' WHEN r.begun THEN 'replaying' ELSE 'pending' END FROM replays r WHERE r.subscription_id = s.id), '')
        AS replay`

func scanSubscription(row pgx.CollectableRow) (core.Subscription, error) {
	var s core.Subscription
	var queue, deadLetter string
	var retries []byte
	var tokenAt *time.Time
	err := row.Scan(&s.ID, &s.Name.Topic.Account, &s.Name.Topic.Region, &s.Name.Topic.Name, &s.Name.Name, &s.State, &s.Format, &s.Protocol,
		&s.Endpoint, &queue, &s.Owner, &s.Raw, &s.Filter.Text, &s.Filter.Scope, &retries, &deadLetter, &s.Rate, &s.Token, &tokenAt, &s.Attributes,
		&s.CreatedAt, &s.ModifiedAt, &s.Replay)
	if err != nil {
		return s, err
	}
	s.Queue, s.DeadLetter = parseQueueName(queue), parseQueueName(deadLetter)
	if tokenAt != nil {
		s.TokenAt = *tokenAt
	}
	if retries != nil {
		err = json.Unmarshal(retries, &s.Retries)
	}
	return s, err
}

// formatQueueName gives account/region/name, "" for none.
func formatQueueName(name core.QueueName) string {
	if name == (core.QueueName{}) {
		return ""
	}
	return name.String()
}

func parseQueueName(text string) (name core.QueueName) {
	if parts := strings.SplitN(text, "/", 3); len(parts) == 3 {
		name = core.QueueName{Account: parts[0], Region: parts[1], Name: parts[2]}
	}
	return name
}

// retriesJSON gives a policy as JSON, nil for none.
func retriesJSON(policy core.RetryPolicy) *string {
	if policy == nil {
		return nil
	}
	text, err := json.Marshal(policy)
	if err != nil {
		panic(fmt.Sprintf("encode %v: %v", policy, err)) // numbers and words always can be
	}
	code := string(text)
	return &code
}

// lapsed says of a subscription s that it was not confirmed while its token was good (core.MaxRemembered). It is gone, though it
// may still be there.
const lapsed = `(s.state = 'pending' AND s.token_at <= now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = s.account), '0') - interval '48 hours')`

const sameSubscriptionSQL = `
SELECT ` + subscriptionColumns + ` FROM subscriptions s
WHERE topic_id = @topic AND gone_at IS NULL AND CASE WHEN @by_endpoint
    THEN by_endpoint AND format = @format AND protocol = @protocol AND md5(endpoint) = md5(@endpoint) AND endpoint = @endpoint
    ELSE name = @name END
LIMIT 1`

const removeLapsedSQL = `DELETE FROM subscriptions s WHERE id = @id AND ` + lapsed

const countSubscriptionsSQL = `SELECT count(*) FROM subscriptions s WHERE topic_id = @topic AND gone_at IS NULL AND NOT ` + lapsed

const subscribeSQL = `
INSERT INTO subscriptions AS s (topic_id, account, region, topic, name, state, format, protocol, endpoint, by_endpoint, queue, owner, raw, filter,
    filter_scope, retries, dead_letter, rate, token, token_at, attributes, created_at, modified_at)
SELECT @topic, @account, @region, @topic_name, @name, @state, @format, @protocol, @endpoint, @by_endpoint, @queue, @owner, @raw, @filter,
    @filter_scope, @retries::jsonb, @dead_letter, @rate, @token, CASE WHEN @token <> '' THEN c.now END, @attributes::jsonb, c.now, c.now
FROM (SELECT now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0') AS now) c
RETURNING ` + subscriptionColumns

// Subscribe is of core.Store.
func (s *Store) Subscribe(ctx context.Context, in core.NewSubscription) (sub core.Subscription, created bool, err error) {
	byEndpoint := in.Name.Name == ""
	if byEndpoint {
		in.Name.Name = uuid.NewString()
	}
	var topic, touched core.Topic
	counted := 0
	err = s.transaction(ctx, func(tx pgx.Tx) error {
		if topic, err = txTopic(ctx, tx, lockTopicSQL, topicArgs(in.Name.Topic)); err != nil {
			return err
		}
		sub, err = txSubscription(ctx, tx, sameSubscriptionSQL, pgx.StrictNamedArgs{
			"topic": topic.ID, "by_endpoint": byEndpoint, "format": in.Format, "protocol": in.Protocol, "endpoint": in.Endpoint, "name": in.Name.Name,
		})
		if err == nil && sub.State == core.Pending {
			var removed pgconn.CommandTag
			if removed, err = tx.Exec(ctx, removeLapsedSQL, pgx.StrictNamedArgs{"id": sub.ID}); err == nil && removed.RowsAffected() > 0 {
				err = pgx.ErrNoRows
			}
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		count, err := s.countBeside(ctx, tx, &topic, &in)
		if err != nil {
			return err
		}
		if sub, err = txSubscription(ctx, tx, subscribeSQL, subscribeArgs(in, topic.ID, byEndpoint)); err != nil {
			return err
		}
		created = true
		if in.Replay != nil {
			if err := beginReplay(ctx, tx, &topic, &sub, in.Replay); err != nil {
				return err
			}
		}
		touched, err = txTopic(ctx, tx, touchTopicSQL, pgx.StrictNamedArgs{"id": topic.ID})
		counted = count + 1
		return err
	})
	if err != nil {
		return core.Subscription{}, false, s.noTopic(ctx, err, in.Name.Topic)
	}
	if created {
		s.subscribed.put(&touched, counted)
		s.announceTopic(topic.ID)
		s.announceReplay(&sub)
	}
	return sub, created, nil
}

// countBeside gives how many subscriptions a topic has that is locked, unless it cannot have this one beside them. Those that are
// remembered may be too many, for an account that was reset may have had some, which the topic's version does not tell.
func (s *Store) countBeside(ctx context.Context, tx pgx.Tx, topic *core.Topic, in *core.NewSubscription) (count int, err error) {
	if count, known := s.subscribed.of(topic); known && topic.CheckAnother(in, count) == nil {
		return count, nil
	}
	if err := tx.QueryRow(ctx, countSubscriptionsSQL, pgx.StrictNamedArgs{"topic": topic.ID}).Scan(&count); err != nil {
		return 0, err
	}
	return count, topic.CheckAnother(in, count)
}

// subscriptionCounts remember how many subscriptions topics have, as of a version: else each of a hundred thousand subscriptions that
// are made in a row would count all before it.
type subscriptionCounts struct {
	mu   sync.Mutex
	byID map[int64]subscriptionCount
}

type subscriptionCount struct {
	version int64
	count   int
}

// maxCountedTopics bounds the memory; when it is full it starts anew.
const maxCountedTopics = 1000

func (c *subscriptionCounts) of(topic *core.Topic) (count int, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.byID[topic.ID]
	return n.count, ok && n.version == topic.Version
}

func (c *subscriptionCounts) put(topic *core.Topic, count int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil || len(c.byID) >= maxCountedTopics {
		c.byID = map[int64]subscriptionCount{}
	}
	c.byID[topic.ID] = subscriptionCount{topic.Version, count}
}

func subscribeArgs(in core.NewSubscription, topic int64, byEndpoint bool) pgx.StrictNamedArgs {
	state := core.Confirmed
	if in.Pending {
		state = core.Pending
	}
	return pgx.StrictNamedArgs{
		"topic": topic, "account": in.Name.Topic.Account, "region": in.Name.Topic.Region, "topic_name": in.Name.Topic.Name, "name": in.Name.Name,
		"state": string(state), "format": in.Format, "protocol": in.Protocol, "endpoint": in.Endpoint, "by_endpoint": byEndpoint,
		"queue": formatQueueName(in.Queue), "owner": in.Owner, "raw": in.Raw, "filter": in.Filter.Text, "filter_scope": in.Filter.Scope,
		"retries": retriesJSON(in.Retries), "dead_letter": formatQueueName(in.DeadLetter), "rate": in.Rate, "token": in.Token,
		"attributes": jsonObject(in.Attributes),
	}
}

func txSubscription(ctx context.Context, tx pgx.Tx, sql string, args pgx.StrictNamedArgs) (core.Subscription, error) {
	rows, _ := tx.Query(ctx, sql, args) // CollectExactlyOneRow returns its error
	return pgx.CollectExactlyOneRow(rows, scanSubscription)
}

// Of several subscriptions that had the name, one that is there comes first, then the one that went last.
const subscriptionSQL = `
SELECT ` + subscriptionColumns + ` FROM subscriptions s
WHERE account = @account AND region = @region AND topic = @topic AND name = @name AND NOT ` + lapsed + `
ORDER BY gone_at DESC NULLS FIRST LIMIT 1`

const subscriptionOfTokenSQL = `
SELECT ` + subscriptionColumns + ` FROM subscriptions s
WHERE md5(token) = md5(@token) AND token <> '' AND token = @token
    AND token_at > now() + COALESCE((SELECT ahead FROM clocks c WHERE c.account = s.account), '0') - @life::interval
LIMIT 1`

// oneSubscription runs a statement that returns one subscription. SubscriptionNotFound.
func (s *Store) oneSubscription(ctx context.Context, sql string, args pgx.StrictNamedArgs) (sub core.Subscription, err error) {
	sub, err = one(ctx, s, sql, args, scanSubscription)
	return sub, noSubscription(err)
}

func noSubscription(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return core.Errorf(core.SubscriptionNotFound, "the subscription does not exist")
	}
	return err
}

func subscriptionArgs(name core.SubscriptionName) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{"account": name.Topic.Account, "region": name.Topic.Region, "topic": name.Topic.Name, "name": name.Name}
}

// Subscription is of core.Store.
func (s *Store) Subscription(ctx context.Context, name core.SubscriptionName) (core.Subscription, error) {
	return s.oneSubscription(ctx, subscriptionSQL, subscriptionArgs(name))
}

// SubscriptionOfToken is of core.Store.
func (s *Store) SubscriptionOfToken(ctx context.Context, token string) (core.Subscription, error) {
	return s.oneSubscription(ctx, subscriptionOfTokenSQL, pgx.StrictNamedArgs{"token": token, "life": core.MaxRemembered})
}

const alterSubscriptionSQL = `
UPDATE subscriptions s SET state = @state, raw = @raw, filter = @filter, filter_scope = @filter_scope, retries = @retries::jsonb,
    dead_letter = @dead_letter, rate = @rate, attributes = @attributes::jsonb, modified_at = c.now, gone_at = NULL,
    token_at = CASE WHEN @fresh THEN c.now ELSE token_at END, token = @token
FROM (SELECT now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0') AS now) c
WHERE id = @id
RETURNING ` + subscriptionColumns

// AlterSubscription is of core.Store.
func (s *Store) AlterSubscription(ctx context.Context, name core.SubscriptionName, change core.SubscriptionChange) (core.Subscription, error) {
	return s.changeSubscription(ctx, name, func(tx pgx.Tx, topic *core.Topic, current core.Subscription) (core.Subscription, error) {
		if current.State == core.Orphaned || current.State == core.Unsubscribed && change.State == nil {
			return current, pgx.ErrNoRows
		}
		if from := change.From; from != nil && (from.ID != current.ID || from.Filter != current.Filter || !maps.Equal(from.Attributes, current.Attributes)) {
			return current, core.ErrSubscriptionChanged
		}
		altered := change.Apply(current)
		if change.Replay != nil {
			if err := beginReplay(ctx, tx, topic, &current, change.Replay); err != nil {
				return current, err
			}
		}
		return txSubscription(ctx, tx, alterSubscriptionSQL, pgx.StrictNamedArgs{
			"id": current.ID, "account": name.Topic.Account, "state": string(altered.State), "raw": altered.Raw, "filter": altered.Filter.Text,
			"filter_scope": altered.Filter.Scope, "retries": retriesJSON(altered.Retries), "dead_letter": formatQueueName(altered.DeadLetter),
			"rate": altered.Rate, "attributes": jsonObject(altered.Attributes), "fresh": change.Token != nil, "token": altered.Token,
		})
	})
}

const unsubscribeSQL = `
UPDATE subscriptions s SET state = 'unsubscribed', gone_at = now(), token_at = CASE WHEN token <> '' THEN c.now END
FROM (SELECT now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0') AS now) c
WHERE id = @id
RETURNING ` + subscriptionColumns

// Unsubscribe is of core.Store. The token is good again from now on, to undo it.
func (s *Store) Unsubscribe(ctx context.Context, name core.SubscriptionName) (core.Subscription, error) {
	return s.changeSubscription(ctx, name, func(tx pgx.Tx, _ *core.Topic, current core.Subscription) (core.Subscription, error) {
		if current.State == core.Orphaned || current.State == core.Unsubscribed {
			return current, pgx.ErrNoRows
		}
		return txSubscription(ctx, tx, unsubscribeSQL, pgx.StrictNamedArgs{"id": current.ID, "account": name.Topic.Account})
	})
}

// changeSubscription changes a subscription under the lock of its topic.
func (s *Store) changeSubscription(ctx context.Context, name core.SubscriptionName, change func(pgx.Tx, *core.Topic, core.Subscription) (core.Subscription, error)) (sub core.Subscription, err error) {
	var topic core.Topic
	err = s.transaction(ctx, func(tx pgx.Tx) error {
		if topic, err = txTopic(ctx, tx, lockTopicSQL, topicArgs(name.Topic)); err != nil {
			return err
		}
		current, err := txSubscription(ctx, tx, subscriptionSQL, subscriptionArgs(name))
		if err != nil {
			return err
		}
		if sub, err = change(tx, &topic, current); err != nil {
			return err
		}
		_, err = txTopic(ctx, tx, touchTopicSQL, pgx.StrictNamedArgs{"id": topic.ID})
		return err
	})
	if isUnique(err) { // brought back, though its name or endpoint has been subscribed anew
		return core.Subscription{}, core.Errorf(core.SubscriptionExists, "subscription %q has been made anew", name.Name)
	}
	if err != nil {
		return core.Subscription{}, noSubscription(err)
	}
	s.announceTopic(topic.ID)
	s.announceReplay(&sub)
	return sub, nil
}

// ofTopicSQL goes along subscriptions_listed, from the page's beginning to the last name with the prefix: names are a range there,
// for they go by their bytes, whatever the database's own order is.
const ofTopicSQL = `
WHERE topic_id = @topic AND gone_at IS NULL AND name COLLATE "C" > @after AND name COLLATE "C" >= @prefix AND name COLLATE "C" < @upper
    AND starts_with(name, @prefix) AND starts_with(protocol, @protocol) AND (@endpoint = '' OR endpoint = @endpoint) AND NOT ` + lapsed

const listTopicSubscriptionsSQL = `SELECT ` + subscriptionColumns + ` FROM subscriptions s` + ofTopicSQL + ` ORDER BY name COLLATE "C" OFFSET @skip LIMIT @limit`

const countTopicSubscriptionsSQL = `SELECT count(*) FROM subscriptions s` + ofTopicSQL

const listOwnSubscriptionsSQL = `
SELECT ` + subscriptionColumns + ` FROM subscriptions s
WHERE owner = @owner AND region = @region AND gone_at IS NULL AND id > @after_id AND starts_with(name, @prefix) AND NOT ` + lapsed + `
ORDER BY id LIMIT @limit`

// ListSubscriptions is of core.Store.
func (s *Store) ListSubscriptions(ctx context.Context, in core.ListSubscriptionsInput) (core.SubscriptionPage, error) {
	if in.Topic.Name == "" {
		after, err := strconv.ParseInt("0"+in.After, 10, 64)
		if err != nil {
			return core.SubscriptionPage{}, noCursor(in.After)
		}
		return s.subscriptionPage(ctx, listOwnSubscriptionsSQL, pgx.StrictNamedArgs{
			"owner": in.Topic.Account, "region": in.Topic.Region, "after_id": after, "prefix": in.Prefix, "limit": in.Limit + 1,
		}, in.Limit, func(sub *core.Subscription) string { return strconv.FormatInt(sub.ID, 10) })
	}
	topic, err := s.oneTopic(ctx, topicSQL, topicArgs(in.Topic))
	if err != nil {
		return core.SubscriptionPage{}, s.noTopic(ctx, err, in.Topic)
	}
	args := pgx.StrictNamedArgs{
		"topic": topic.ID, "after": in.After, "prefix": in.Prefix, "upper": cmp.Or(prefixEnd(in.Prefix), behindNames), "protocol": in.Protocol, "endpoint": in.Endpoint,
	}
	total := 0
	if in.Total {
		if total, err = s.countListed(ctx, countTopicSubscriptionsSQL, args); err != nil {
			return core.SubscriptionPage{}, err
		}
	}
	args["skip"], args["limit"] = in.Skip, in.Limit+1
	page, err := s.subscriptionPage(ctx, listTopicSubscriptionsSQL, args, in.Limit, func(sub *core.Subscription) string { return sub.Name.Name })
	page.Total = total
	return page, err
}

func (s *Store) subscriptionPage(ctx context.Context, sql string, args pgx.StrictNamedArgs, limit int, cursor func(*core.Subscription) string) (core.SubscriptionPage, error) {
	var page core.SubscriptionPage
	err := s.do(ctx, sql, args, func(rows pgx.Rows) (err error) {
		page.Subscriptions, err = pgx.CollectRows(rows, scanSubscription)
		return err
	})
	if len(page.Subscriptions) > limit {
		page.Subscriptions = page.Subscriptions[:limit]
		page.Next = cursor(&page.Subscriptions[limit-1])
	}
	return page, err
}

// isUnique reports whether a row was refused because there is one with its key.
func isUnique(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.Code == "23505"
}

const subscriptionsByIDSQL = `SELECT ` + subscriptionColumns + ` FROM subscriptions s WHERE id = ANY(@id::bigint[])`

// forgetSubscriptionsSQL drops what was remembered long enough, and what nobody has confirmed.
const forgetSubscriptionsSQL = `
DELETE FROM subscriptions WHERE id = ANY (ARRAY(
    SELECT id FROM subscriptions WHERE gone_at < now() - @life::interval ORDER BY gone_at LIMIT @limit FOR UPDATE SKIP LOCKED
) || ARRAY(
    SELECT id FROM subscriptions s WHERE ` + lapsed + ` LIMIT @limit FOR UPDATE SKIP LOCKED
))`

// ForgetSubscriptions removes up to limit subscriptions that have been gone for core.MaxRemembered, and as many
// that were not confirmed in that time, and gives how many.
func (s *Store) ForgetSubscriptions(ctx context.Context, limit int) (int, error) {
	return s.exec(ctx, forgetSubscriptionsSQL, pgx.StrictNamedArgs{"life": core.MaxRemembered, "limit": limit})
}
