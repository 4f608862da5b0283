-- +goose Up
-- Which signatures were used, as digests of the access key and the nonce, until no request with them is
-- taken any more for its age.
CREATE TABLE nonces (
    digest  bytea PRIMARY KEY,
    ends_at timestamptz NOT NULL -- by the database's clock: signatures know no other time
);
CREATE INDEX nonces_ends_at ON nonces (ends_at);

-- +goose Down
DROP TABLE nonces;
