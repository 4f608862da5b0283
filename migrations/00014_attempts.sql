-- +goose Up
-- The last attempts to deliver, for people to look at.
CREATE TABLE attempts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account       text COLLATE "C" NOT NULL,
    region        text COLLATE "C" NOT NULL,
    topic         text COLLATE "C" NOT NULL,
    subscription  text COLLATE "C" NOT NULL,
    message       uuid NOT NULL,
    protocol      text NOT NULL,
    endpoint      text NOT NULL,
    number        integer NOT NULL,
    verdict       smallint NOT NULL,
    status        integer NOT NULL,
    reason        text NOT NULL,
    excerpt       text NOT NULL,
    latency       interval NOT NULL,
    at            timestamptz NOT NULL, -- by the account's clock, as next_at
    next_at       timestamptz,
    dead_lettered boolean NOT NULL,
    kept          boolean NOT NULL,
    recorded_at   timestamptz NOT NULL DEFAULT now()
) WITH (vacuum_truncate = off);
CREATE INDEX attempts_account ON attempts (account, region, id);

-- The outbox: what polymq has nowhere to send.
CREATE TABLE kept_messages (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account      text COLLATE "C" NOT NULL,
    region       text COLLATE "C" NOT NULL,
    topic        text COLLATE "C" NOT NULL,
    subscription text COLLATE "C" NOT NULL,
    message      uuid NOT NULL,
    protocol     text NOT NULL,
    recipient    text NOT NULL,
    subject      text NOT NULL,
    body         bytea NOT NULL,
    extra        jsonb NOT NULL,
    kept_at      timestamptz NOT NULL, -- by the account's clock
    recorded_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX kept_messages_account ON kept_messages (account, region, id);

-- +goose Down
DROP TABLE kept_messages, attempts;
