-- +goose Up
-- When a queue was last used, by its account's time, where servers are to delete unused ones.
CREATE TABLE queue_uses (
    queue_id bigint PRIMARY KEY,
    used_at  timestamptz NOT NULL
);

-- +goose Down
DROP TABLE queue_uses;
