-- +goose Up
-- A message that is still to be delivered to somebody. Its id is one of the messages' ids.
CREATE TABLE published (
    id           bigint PRIMARY KEY,
    topic_id     bigint NOT NULL,
    published_at timestamptz NOT NULL, -- by the account's clock
    content      bytea NOT NULL
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, toast.vacuum_truncate = off);
ALTER TABLE published ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX published_topic ON published (topic_id, id);

-- What is to be pushed. due_at is by the database's clock: moving an account's time moves it the other way, so
-- that one index serves all accounts. A claim puts it off and voids the claim before.
CREATE TABLE deliveries (
    published_id    bigint NOT NULL,
    subscription_id bigint NOT NULL,
    lane            bigint NOT NULL, -- stands for the endpoint
    due_at          timestamptz NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    claim           bigint NOT NULL DEFAULT 0,
    claimed         boolean NOT NULL DEFAULT false, -- an attempt is being made
    PRIMARY KEY (published_id, subscription_id)
) WITH (fillfactor = 70, vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);
-- The condition always holds. It keeps plans from looking for a message in this index, which would read all of it.
CREATE INDEX deliveries_due ON deliveries (lane, due_at, published_id) WHERE lane IS NOT NULL;

-- Messages that go to more subscriptions than one transaction takes, and how far they have got.
CREATE TABLE fan_outs (
    published_id  bigint PRIMARY KEY,
    subscriptions bigint[] NOT NULL,
    done          integer NOT NULL DEFAULT 0
);

-- +goose Down
DROP TABLE fan_outs, deliveries, published;
