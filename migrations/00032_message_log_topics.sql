-- +goose Up
-- The log tells of topics too: what was published, whom it went to and each attempt to push it. origin is the message that another one was
-- made of; took are microseconds.
ALTER TABLE message_log
    ADD COLUMN topic        text COLLATE "C",
    ADD COLUMN subscription text,
    ADD COLUMN origin       uuid,
    ADD COLUMN new_handle   text,
    ADD COLUMN attempt      integer,
    ADD COLUMN status       text,
    ADD COLUMN matched      text[],
    ADD COLUMN filtered     text[],
    ADD COLUMN took         bigint;
CREATE INDEX message_log_origin ON message_log (origin, message_id) WHERE origin IS NOT NULL;
CREATE INDEX message_log_topic ON message_log (account, topic, region, id) WHERE topic IS NOT NULL;

-- +goose Down
DROP INDEX message_log_origin, message_log_topic;
ALTER TABLE message_log DROP COLUMN topic, DROP COLUMN subscription, DROP COLUMN origin, DROP COLUMN new_handle, DROP COLUMN attempt, DROP COLUMN status,
    DROP COLUMN matched, DROP COLUMN filtered, DROP COLUMN took;
