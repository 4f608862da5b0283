-- +goose Up
CREATE TABLE topics (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version             bigint NOT NULL DEFAULT 1, -- of the topic and its subscriptions
    account             text COLLATE "C" NOT NULL,
    region              text COLLATE "C" NOT NULL,
    name                text COLLATE "C" NOT NULL CHECK (name ~ '^[A-Za-z0-9._-]+$' AND length(name) <= 256),
    fifo                boolean NOT NULL,
    max_message_size    integer NOT NULL CHECK (max_message_size > 0),
    retention           interval NOT NULL CHECK (retention >= '0'),
    deduplication_scope text NOT NULL,
    logging             boolean NOT NULL,
    attributes          jsonb NOT NULL,
    tags                jsonb NOT NULL,
    sequence            bigint NOT NULL DEFAULT 0, -- FIFO topics: the last one taken
    created_at          timestamptz NOT NULL,
    modified_at         timestamptz NOT NULL,
    UNIQUE (account, region, name)
);

-- Queues are named as account/region/name, '' for none. What is gone stays for a while, with the name of
-- its topic, which may be gone as well.
CREATE TABLE subscriptions (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic_id     bigint NOT NULL,
    account      text COLLATE "C" NOT NULL,
    region       text COLLATE "C" NOT NULL,
    topic        text COLLATE "C" NOT NULL,
    name         text COLLATE "C" NOT NULL CHECK (name ~ '^[A-Za-z0-9._-]+$' AND length(name) <= 256),
    state        text NOT NULL CHECK (state IN ('pending', 'confirmed', 'unsubscribed', 'orphaned')),
    format       text NOT NULL,
    protocol     text NOT NULL,
    endpoint     text NOT NULL,
    by_endpoint  boolean NOT NULL, -- there is one for each endpoint
    queue        text NOT NULL,
    owner        text COLLATE "C" NOT NULL,
    raw          boolean NOT NULL,
    filter       text NOT NULL,
    filter_scope text NOT NULL,
    retries      jsonb,
    dead_letter  text NOT NULL,
    rate         integer NOT NULL CHECK (rate >= 0),
    token        text NOT NULL,
    token_at     timestamptz,
    attributes   jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    modified_at  timestamptz NOT NULL,
    gone_at      timestamptz CHECK ((gone_at IS NOT NULL) = (state IN ('unsubscribed', 'orphaned')))
);
CREATE UNIQUE INDEX subscriptions_name ON subscriptions (topic_id, name) WHERE gone_at IS NULL;
CREATE UNIQUE INDEX subscriptions_endpoint ON subscriptions (topic_id, format, protocol, md5(endpoint)) WHERE by_endpoint AND gone_at IS NULL;
CREATE INDEX subscriptions_full_name ON subscriptions (account, region, topic, name);
CREATE INDEX subscriptions_owner ON subscriptions (owner, region, id) WHERE gone_at IS NULL AND owner IS NOT NULL;
CREATE INDEX subscriptions_token ON subscriptions (md5(token)) WHERE token <> '';
CREATE INDEX subscriptions_gone ON subscriptions (gone_at) WHERE gone_at IS NOT NULL;

-- +goose Down
DROP TABLE subscriptions, topics;
