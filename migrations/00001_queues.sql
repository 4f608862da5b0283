-- +goose Up
CREATE TABLE settings (
    name  text PRIMARY KEY,
    value text NOT NULL
);
-- The lowest migration that a server must know to serve this schema; a contracting migration raises it.
INSERT INTO settings (name, value) VALUES ('oldest_server', '1');

CREATE TABLE secrets (
    name  text PRIMARY KEY,
    value bytea NOT NULL
);

-- How far an account's time is ahead of the database's clock.
CREATE TABLE clocks (
    account text COLLATE "C" PRIMARY KEY,
    ahead   interval NOT NULL CHECK (ahead >= '0')
);

CREATE SEQUENCE storage_ids;

CREATE TABLE queues (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version            bigint NOT NULL DEFAULT 1,
    storage_id         bigint NOT NULL DEFAULT nextval('storage_ids'),
    account            text COLLATE "C" NOT NULL,
    region             text COLLATE "C" NOT NULL,
    name               text COLLATE "C" NOT NULL CHECK (name ~ '^[A-Za-z0-9._-]+$' AND length(name) <= 256),
    fifo               boolean NOT NULL,
    delay              interval NOT NULL CHECK (delay >= '0'),
    visibility_timeout interval NOT NULL CHECK (visibility_timeout >= '0'),
    retention          interval NOT NULL CHECK (retention > '0'),
    receive_wait       interval NOT NULL CHECK (receive_wait >= '0'),
    max_message_size   integer NOT NULL CHECK (max_message_size > 0),
    logging            boolean NOT NULL,
    bodies             text NOT NULL,
    priorities         integer NOT NULL DEFAULT 0,
    attributes         jsonb NOT NULL,
    tags               jsonb NOT NULL,
    created_at         timestamptz NOT NULL,
    modified_at        timestamptz NOT NULL,
    UNIQUE (account, region, name)
);
CREATE UNIQUE INDEX queues_storage ON queues (storage_id);

-- Content that nobody can reach any more, for a worker to remove. A row stays for a while after
-- its content is gone, in case a send that had begun before commits late.
CREATE TABLE dropped_storages (
    storage_id bigint PRIMARY KEY,
    dropped_at timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE dropped_storages, queues, clocks, secrets, settings;
DROP SEQUENCE storage_ids;
