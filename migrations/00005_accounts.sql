-- +goose Up
-- What protocols keep about an account in a region, by names that they prefix.
CREATE TABLE account_attributes (
    account text COLLATE "C" NOT NULL,
    region  text COLLATE "C" NOT NULL,
    name    text COLLATE "C" NOT NULL,
    value   text NOT NULL,
    PRIMARY KEY (account, region, name)
);

-- +goose Down
DROP TABLE account_attributes;
