-- +goose Up
CREATE SEQUENCE audit_log_ids;

-- Calls of the control plane, and calls that were refused. Partitions are days, dropped whole, as those of
-- message_log. found_by has what an event is looked for by: user:…, action:… and resource:…
CREATE TABLE audit_log (
    id            bigint NOT NULL DEFAULT nextval('audit_log_ids'),
    logged_at     timestamptz NOT NULL DEFAULT now(),
    at            timestamptz NOT NULL,
    event_id      uuid NOT NULL,
    source        text NOT NULL,
    action        text NOT NULL,
    account       text COLLATE "C" NOT NULL,
    region        text NOT NULL,
    read_only     boolean NOT NULL,
    denied        boolean NOT NULL,
    identity      text NOT NULL,
    principal     text NOT NULL,
    user_name     text NOT NULL,
    access_key_id text NOT NULL,
    address       text NOT NULL,
    user_agent    text NOT NULL,
    request_id    text NOT NULL,
    parameters    json,
    response      json,
    resources     text[] NOT NULL,
    error_code    text NOT NULL,
    error_text    text NOT NULL,
    found_by      text[] NOT NULL
) PARTITION BY RANGE (logged_at);
CREATE INDEX audit_log_id ON audit_log (id);
CREATE INDEX audit_log_account ON audit_log (account, id);
CREATE INDEX audit_log_found_by ON audit_log USING gin (found_by);
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;

-- +goose Down
DROP TABLE audit_log;
DROP SEQUENCE audit_log_ids;
