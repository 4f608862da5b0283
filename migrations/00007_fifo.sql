-- +goose Up
-- Each statement that sends to FIFO queues takes one number, and from it 1024 sequence numbers. It does so while it holds the locks
-- of its groups' rows, and none are kept in a cache: within a group, messages are numbered in the order of the commits.
CREATE SEQUENCE sequence_blocks;

-- The groups of FIFO queues that have messages. Who changes a group's messages holds the lock of its row.
CREATE TABLE groups (
    storage_id bigint NOT NULL,
    group_key  bigint NOT NULL,      -- a hash of the group's id
    due        timestamptz NOT NULL, -- when its first message is visible, or when the group became available; 'infinity': it has none
    head       bigint NOT NULL,      -- no message of the group has a smaller sequence number
    PRIMARY KEY (storage_id, group_key)
) WITH (fillfactor = 70, vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_analyze_scale_factor = 0.2);
-- Every row has a head. The condition keeps plans from looking for a group in this index.
CREATE INDEX groups_due ON groups (storage_id, due) WHERE head IS NOT NULL;

-- FIFO queues. visible_at says whether a message can be received, once those before it in its group can be.
CREATE TABLE fifo_messages (
    storage_id        bigint NOT NULL,
    group_key         bigint NOT NULL,
    sequence          bigint NOT NULL,
    id                bigint NOT NULL,
    visible_at        timestamptz NOT NULL,
    sent_at           timestamptz NOT NULL,
    first_received_at timestamptz,
    received_at       timestamptz,
    receive_count     integer NOT NULL DEFAULT 0,
    prior_receives    integer, -- of the receive_count, those of other queues
    handle_version    integer NOT NULL DEFAULT 0,
    size              integer NOT NULL,
    key_id            integer,
    priority          smallint NOT NULL,
    form              smallint NOT NULL,
    group_id          text NOT NULL,
    deduplication_id  text,
    sender            text,
    source            text,
    attributes        bytea,
    body              bytea NOT NULL,
    PRIMARY KEY (storage_id, group_key, sequence)
) WITH (fillfactor = 70, vacuum_truncate = off,
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_analyze_scale_factor = 0.2,
    toast.vacuum_truncate = off);
ALTER TABLE fifo_messages ALTER COLUMN body SET STORAGE EXTERNAL, ALTER COLUMN attributes SET STORAGE EXTERNAL;
-- A queue's messages in the order of sending, for retention, moves and looking. Every row has a size, see groups_due.
CREATE UNIQUE INDEX fifo_messages_order ON fifo_messages (storage_id, sequence) WHERE size IS NOT NULL;

-- +goose Down
DROP TABLE fifo_messages, groups;
DROP SEQUENCE sequence_blocks;
