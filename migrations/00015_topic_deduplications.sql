-- +goose Up
-- What FIFO topics have published in the last five minutes.
CREATE TABLE topic_deduplications (
    topic_id     bigint NOT NULL,
    group_id     text COLLATE "C" NOT NULL, -- '' where ids are of the whole topic
    id           text COLLATE "C" NOT NULL,
    published_id bigint NOT NULL,
    sequence     bigint NOT NULL,
    published_at timestamptz NOT NULL, -- by the account's clock
    PRIMARY KEY (topic_id, group_id, id)
);
CREATE INDEX topic_deduplications_age ON topic_deduplications (topic_id, published_at);

-- +goose Down
DROP TABLE topic_deduplications;
