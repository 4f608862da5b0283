-- +goose Up
-- send reads its own text in the same way in every application's session.
ALTER FUNCTION send(text, text, text, text, jsonb, interval, text, text) SET standard_conforming_strings = on;

-- +goose Down
ALTER FUNCTION send(text, text, text, text, jsonb, interval, text, text) RESET standard_conforming_strings;
