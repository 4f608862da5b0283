-- +goose Up
-- After which entry the message log of an account begins, since it was reset; without a row: with the first.
CREATE TABLE message_log_starts (
    account text COLLATE "C" PRIMARY KEY,
    id      bigint NOT NULL
);

-- +goose Down
DROP TABLE message_log_starts;
