-- +goose Up
-- Subscriptions that nobody has confirmed in time are looked for.
CREATE INDEX subscriptions_pending ON subscriptions (token_at) WHERE state = 'pending';

-- +goose Down
DROP INDEX subscriptions_pending;
