-- +goose Up
-- What FIFO queues were sent lately. A row outlives its message, and counts until expires_at, on the account's clock;
-- a worker removes it some time after written_at, on the database's.
CREATE TABLE deduplication (
    storage_id bigint NOT NULL,
    digest     bytea NOT NULL, -- of the deduplication id, and of the group's where that is the scope
    id         bigint NOT NULL,
    sequence   bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (storage_id, digest)
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);
CREATE INDEX deduplication_written ON deduplication (written_at);

-- What attempts to receive were given: as long as all of it is as it was left, a second one gets the same.
CREATE TABLE receive_attempts (
    storage_id bigint NOT NULL,
    digest     bytea NOT NULL, -- of the attempt's id
    groups     bigint[] NOT NULL,
    sequences  bigint[] NOT NULL,
    versions   integer[] NOT NULL,
    visible_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (storage_id, digest)
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);
CREATE INDEX receive_attempts_written ON receive_attempts (written_at);

-- +goose Down
DROP TABLE receive_attempts, deduplication;
