-- +goose Up
-- Whether a secret is encrypted under the servers' master key, as the ones made by servers that have one are.
ALTER TABLE secrets ADD COLUMN sealed boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE secrets DROP COLUMN sealed;
