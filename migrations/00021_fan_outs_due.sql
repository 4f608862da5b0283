-- +goose Up
-- A fan-out that fails is put off, so that the others have their turn.
ALTER TABLE fan_outs
    ADD COLUMN due_at   timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN failures integer NOT NULL DEFAULT 0;
CREATE INDEX fan_outs_due ON fan_outs (due_at, published_id);

-- +goose Down
ALTER TABLE fan_outs DROP COLUMN due_at, DROP COLUMN failures;
