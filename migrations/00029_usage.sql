-- +goose Up
-- What accounts have asked for, by day, as clouds would bill it: a unit is a request of up to 64 KiB.
CREATE TABLE usage (
    account        text COLLATE "C" NOT NULL,
    day            date NOT NULL,
    service        text COLLATE "C" NOT NULL,
    requests       bigint NOT NULL,
    units          bigint NOT NULL,
    receives       bigint NOT NULL,
    empty_receives bigint NOT NULL,
    PRIMARY KEY (account, day, service)
);
CREATE INDEX usage_day ON usage (day);

-- +goose Down
DROP TABLE usage;
