-- +goose Up
-- What people know a server by; servers of earlier versions say neither.
ALTER TABLE servers ADD COLUMN name text NOT NULL DEFAULT '', ADD COLUMN version text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE servers DROP COLUMN name, DROP COLUMN version;
