-- +goose Up
-- What clients sign their requests with. The secret is encrypted under the servers' master key; it
-- is null where the server that made a session's key had none, and then serves only unverified.
CREATE TABLE keys (
    id         text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{3,128}$'),
    account    text COLLATE "C" NOT NULL,
    user_name  text COLLATE "C" NOT NULL,
    admin      boolean NOT NULL,
    session    jsonb NOT NULL, -- role, name and policy of a session
    secret     bytea,
    token_hash bytea, -- SHA-256 of a session's token
    disabled   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    expires_at timestamptz CHECK ((expires_at IS NULL) = (token_hash IS NULL))
);
CREATE INDEX keys_account ON keys (account, id);
CREATE INDEX keys_expiry ON keys (expires_at) WHERE expires_at IS NOT NULL;

-- +goose Down
DROP TABLE keys;
