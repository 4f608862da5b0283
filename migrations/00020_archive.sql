-- +goose Up
-- FIFO topics may keep what they publish, to replay it. published_at is the last message's: times rise as sequence numbers do.
ALTER TABLE topics
    ADD COLUMN archive        interval NOT NULL DEFAULT '0' CHECK (archive >= '0'), -- how long
    ADD COLUMN archived_since timestamptz, -- by the account's clock
    ADD COLUMN archived_after bigint NOT NULL DEFAULT 0, -- the last sequence number that is not in the archive
    ADD COLUMN published_at   timestamptz;

CREATE TABLE archived (
    topic_id     bigint NOT NULL,
    sequence     bigint NOT NULL,
    published_id bigint NOT NULL,
    published_at timestamptz NOT NULL, -- by the account's clock
    content      bytea NOT NULL,
    PRIMARY KEY (topic_id, sequence)
) WITH (vacuum_truncate = off, toast.vacuum_truncate = off);
ALTER TABLE archived ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX archived_at ON archived (topic_id, published_at, sequence);

-- Subscriptions that are being replayed to, and get nothing else meanwhile: what lies between next_sequence and
-- last_sequence, and then all behind live_sequence, which was published since the replay began.
CREATE TABLE replays (
    subscription_id bigint PRIMARY KEY,
    topic_id        bigint NOT NULL,
    next_sequence   bigint NOT NULL,
    last_sequence   bigint NOT NULL,
    live_sequence   bigint NOT NULL,
    begun           boolean NOT NULL DEFAULT false,
    due_at          timestamptz NOT NULL DEFAULT now(),
    failures        integer NOT NULL DEFAULT 0 -- in a row
) WITH (fillfactor = 50);
CREATE INDEX replays_due ON replays (due_at, subscription_id);
CREATE INDEX replays_topic ON replays (topic_id, next_sequence);

-- +goose Down
DROP TABLE replays, archived;
ALTER TABLE topics DROP COLUMN archive, DROP COLUMN archived_since, DROP COLUMN archived_after, DROP COLUMN published_at;
