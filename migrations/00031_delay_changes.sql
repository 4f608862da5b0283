-- +goose Up
-- Delays that FIFO queues had, and that some of their messages may have still: whoever changed one gives them the new one, and
-- when that server dies, another one does.
CREATE TABLE delay_changes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue_id   bigint NOT NULL REFERENCES queues ON DELETE CASCADE,
    old        interval NOT NULL,
    touched_at timestamptz NOT NULL DEFAULT now() -- when somebody was last at it
);
CREATE INDEX delay_changes_queue ON delay_changes (queue_id);
CREATE INDEX delay_changes_touched ON delay_changes (touched_at);

-- +goose Down
DROP TABLE delay_changes;
