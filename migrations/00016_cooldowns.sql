-- +goose Up
-- What may not be done to a queue of that name before ends_at, in the account's time: make it again
-- after a deletion, purge it again. Names of queues that are gone have rows too.
CREATE TABLE cooldowns (
    account text COLLATE "C" NOT NULL,
    region  text COLLATE "C" NOT NULL,
    name    text COLLATE "C" NOT NULL,
    what    text COLLATE "C" NOT NULL,
    ends_at timestamptz NOT NULL,
    PRIMARY KEY (account, region, name, what)
);
CREATE INDEX cooldowns_ends_at ON cooldowns (ends_at);

-- +goose Down
DROP TABLE cooldowns;
