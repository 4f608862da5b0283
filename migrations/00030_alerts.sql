-- +goose Up
-- Alerts: rules, the states of what they watch, and what somebody is still to be told.
CREATE TABLE alerts (
    account      text COLLATE "C" NOT NULL,
    region       text COLLATE "C" NOT NULL,
    name         text COLLATE "C" NOT NULL,
    metric       text COLLATE "C" NOT NULL,
    disabled     boolean NOT NULL,
    rule         jsonb NOT NULL,
    destinations bytea NOT NULL, -- JSON, which holds secrets
    sealed       boolean NOT NULL, -- it is encrypted under the servers' master key
    created_at   timestamptz NOT NULL DEFAULT now(),
    modified_at  timestamptz NOT NULL DEFAULT now(),
    failure      text NOT NULL DEFAULT '',
    failed_at    timestamptz,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE alert_series (
    account     text COLLATE "C" NOT NULL,
    region      text COLLATE "C" NOT NULL,
    alert       text COLLATE "C" NOT NULL,
    series      text COLLATE "C" NOT NULL,
    state       text NOT NULL CHECK (state IN ('ok', 'pending', 'firing', 'no_data')),
    since       timestamptz NOT NULL,
    value       double precision,
    told        text NOT NULL CHECK (told IN ('ok', 'firing', 'no_data')), -- what somebody was told last
    notified_at timestamptz,
    PRIMARY KEY (account, region, alert, series),
    FOREIGN KEY (account, region, alert) REFERENCES alerts ON DELETE CASCADE
);

CREATE TABLE alert_notices (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account     text COLLATE "C" NOT NULL,
    region      text COLLATE "C" NOT NULL,
    alert       text COLLATE "C" NOT NULL,
    destination integer NOT NULL, -- place among the alert's
    notice      jsonb NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    next_at     timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (account, region, alert) REFERENCES alerts ON DELETE CASCADE
);
CREATE INDEX alert_notices_next ON alert_notices (next_at);
CREATE INDEX alert_notices_alert ON alert_notices (account, region, alert);

-- The one evaluation that is under way, or the last one.
CREATE TABLE alert_rounds (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    round      bigint NOT NULL,
    next_at    timestamptz NOT NULL, -- of the time that is furthest ahead
    held_until timestamptz -- NULL: nobody evaluates
);
INSERT INTO alert_rounds (round, next_at) VALUES (0, '-infinity');

-- What servers measured of themselves, as far as alerts watch it.
CREATE TABLE alert_samples (
    server  uuid PRIMARY KEY,
    at      timestamptz NOT NULL,
    samples jsonb NOT NULL
);

-- +goose Down
DROP TABLE alert_samples, alert_rounds, alert_notices, alert_series, alerts;
