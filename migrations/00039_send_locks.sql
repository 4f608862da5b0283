-- +goose Up
-- A transaction that sends holds the row of its queue against a purge and the queue's end, and no longer against changes of its settings.
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE replace(pg_get_functiondef('send(text, text, text, text, jsonb, interval, text, text)'::regprocedure), 'FOR SHARE', 'FOR KEY SHARE');
END
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE replace(pg_get_functiondef('send(text, text, text, text, jsonb, interval, text, text)'::regprocedure), 'FOR KEY SHARE', 'FOR SHARE');
END
$$;
-- +goose StatementEnd
