-- +goose Up
-- Servers take message ids in blocks of 4096.
CREATE SEQUENCE message_blocks;

-- Standard queues. visible_at alone says whether a message can be received. No foreign keys: statements join the
-- queue's row instead. The wide columns that are mostly null come last.
CREATE TABLE messages (
    storage_id        bigint NOT NULL,
    id                bigint NOT NULL,
    visible_at        timestamptz NOT NULL,
    sent_at           timestamptz NOT NULL,
    first_received_at timestamptz,
    received_at       timestamptz,
    receive_count     integer NOT NULL DEFAULT 0,
    handle_version    integer NOT NULL DEFAULT 0,
    size              integer NOT NULL,
    key_id            integer,
    priority          smallint NOT NULL CHECK (priority BETWEEN 1 AND 16),
    form              smallint NOT NULL,
    sender            text,
    group_id          text,
    source            text,
    attributes        bytea,
    body              bytea NOT NULL,
    PRIMARY KEY (storage_id, id)
) WITH (fillfactor = 70, vacuum_truncate = off,
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_analyze_scale_factor = 0.2,
    toast.vacuum_truncate = off);
ALTER TABLE messages ALTER COLUMN body SET STORAGE EXTERNAL, ALTER COLUMN attributes SET STORAGE EXTERNAL;
-- Every row has a priority. The condition keeps plans from looking for an id in this index, which would read a whole storage.
CREATE INDEX messages_due ON messages (storage_id, priority, visible_at) WHERE priority IS NOT NULL;

-- Counters: the sum of a storage's rows. What is hidden is counted under the second in which it becomes visible
-- (bucket, '-infinity' for what is not hidden); buckets that lie in the past count for messages and bytes only.
CREATE TABLE counts (
    storage_id bigint NOT NULL,
    bucket     timestamptz NOT NULL,
    messages   bigint NOT NULL DEFAULT 0,
    bytes      bigint NOT NULL DEFAULT 0,
    in_flight  bigint NOT NULL DEFAULT 0,
    delayed    bigint NOT NULL DEFAULT 0
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
CREATE INDEX counts_storage ON counts (storage_id, bucket);

-- +goose Down
DROP TABLE counts, messages;
DROP SEQUENCE message_blocks;
