-- +goose Up
-- Among which messages of a FIFO queue a deduplication id must be new: '' all of the queue, 'group' those of its group.
ALTER TABLE queues ADD COLUMN deduplication_scope text NOT NULL DEFAULT '' CHECK (deduplication_scope IN ('', 'group'));

-- +goose Down
ALTER TABLE queues DROP COLUMN deduplication_scope;
