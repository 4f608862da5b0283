-- +goose Up
-- Lists of a topic's subscriptions go by the bytes of their names, whatever the order of the database: a prefix is a range then.
CREATE INDEX subscriptions_listed ON subscriptions (topic_id, name COLLATE "C") WHERE gone_at IS NULL;

-- +goose Down
DROP INDEX subscriptions_listed;
