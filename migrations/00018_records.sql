-- +goose Up
-- What protocols keep for themselves beside queues, topics and messages, by kinds that they prefix.
CREATE TABLE records (
    account text COLLATE "C" NOT NULL,
    region  text COLLATE "C" NOT NULL,
    kind    text COLLATE "C" NOT NULL,
    name    text COLLATE "C" NOT NULL,
    value   text NOT NULL,
    PRIMARY KEY (account, region, kind, name)
);

-- +goose Down
DROP TABLE records;
