-- +goose Up
CREATE SEQUENCE message_log_ids;

-- What happened to messages of queues that keep a log. Partitions are days of the database's clock, dropped
-- whole; the first day's entries, and those of a day for which none was made in time, are in the default one.
-- "at" is the account's time.
CREATE TABLE message_log (
    id            bigint NOT NULL DEFAULT nextval('message_log_ids'),
    logged_at     timestamptz NOT NULL DEFAULT now(),
    at            timestamptz NOT NULL,
    account       text COLLATE "C" NOT NULL,
    region        text COLLATE "C" NOT NULL,
    queue         text COLLATE "C" NOT NULL,
    message_id    uuid NOT NULL,
    kind          text NOT NULL,
    handle        text,
    visible_at    timestamptz,
    receive_count integer,
    attributes    jsonb,
    detail        text,
    protocol      text,
    action        text,
    access_key_id text,
    address       text,
    request_id    text
) PARTITION BY RANGE (logged_at);
CREATE INDEX message_log_message ON message_log (message_id, id);
CREATE INDEX message_log_queue ON message_log (account, queue, region, id);
CREATE TABLE message_log_default PARTITION OF message_log DEFAULT;

-- +goose Down
DROP TABLE message_log;
DROP SEQUENCE message_log_ids;
