-- +goose Up
-- Until then other servers may not have heard of all that stands in the queue behind where they have come to: receives listen first.
ALTER TABLE queues ADD COLUMN listen_until timestamptz NOT NULL DEFAULT '-infinity';

-- +goose Down
ALTER TABLE queues DROP COLUMN listen_until;
