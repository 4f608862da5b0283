-- +goose Up
-- Tasks that move the messages of a dead-letter queue. Whoever holds the row's lock does the task's next step; all that is
-- known of its progress stands here, so any server goes on where another one stopped.
CREATE TABLE move_tasks (
    id          uuid PRIMARY KEY,
    account     text COLLATE "C" NOT NULL,
    source_id   bigint NOT NULL,
    destination text COLLATE "C" NOT NULL, -- '': each message goes back to the queue that it came from
    rate        integer NOT NULL,          -- messages a second, 0 for no limit
    status      text COLLATE "C" NOT NULL CHECK (status IN ('RUNNING', 'CANCELLING', 'COMPLETED', 'CANCELLED', 'FAILED')),
    failure     text NOT NULL DEFAULT '',
    moved       bigint NOT NULL DEFAULT 0,
    to_move     bigint NOT NULL,
    started_at  timestamptz NOT NULL, -- these are the account's time
    ended_at    timestamptz,
    next_at     timestamptz NOT NULL, -- when the next step is due
    -- How far the walk through the source is: the messages of more urgent priorities, and earlier ones of this one, are
    -- moved; in a FIFO queue those up to a sequence number, and the priority is 1 when there were any.
    at_priority smallint NOT NULL DEFAULT 0,
    at_visible  timestamptz NOT NULL DEFAULT '1970-01-01',
    at_sequence bigint NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX move_tasks_active ON move_tasks (source_id) WHERE status IN ('RUNNING', 'CANCELLING');
CREATE INDEX move_tasks_due ON move_tasks (next_at) WHERE status IN ('RUNNING', 'CANCELLING');
CREATE INDEX move_tasks_source ON move_tasks (source_id, started_at);

-- +goose Down
DROP TABLE move_tasks;
