-- +goose Up
-- What an account may have, where that differs from what the servers have for all; null: it does not, 0: no limit.
CREATE TABLE account_limits (
    account  text COLLATE "C" PRIMARY KEY,
    queues   integer CHECK (queues >= 0),
    topics   integer CHECK (topics >= 0),
    bytes    bigint CHECK (bytes >= 0),
    requests integer CHECK (requests >= 0)
);

-- +goose Down
DROP TABLE account_limits;
