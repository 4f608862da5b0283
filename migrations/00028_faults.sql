-- Fault rules: what a test wants to go wrong. Servers in test mode read them twice a second.

-- +goose Up
CREATE TABLE faults (
    account text NOT NULL,
    name text NOT NULL,
    rule jsonb NOT NULL,
    hits bigint NOT NULL DEFAULT 0,
    most bigint NOT NULL DEFAULT 0, -- hits, 0: any number
    until timestamptz, -- of the account's time
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, name)
);

-- +goose Down
DROP TABLE faults;
