-- +goose Up
-- The servers that share this schema. Nobody sends notifications while nobody else would hear them.
CREATE TABLE servers (
    id         uuid PRIMARY KEY,
    listens    boolean NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE servers;
