-- +goose Up
-- The public id of a row id, as pg/ids.go makes it.
-- +goose StatementBegin
CREATE FUNCTION message_id(id bigint) RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER
AS $$
DECLARE
    key    bytea := (SELECT value FROM secrets WHERE name = 'message_ids');
    tag    bytea;
    cover  bytea;
    public bytea;
BEGIN
    IF key IS NULL THEN
        RAISE EXCEPTION 'no polymq server has started on this schema yet' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    tag := substr(sha256(key || 't' || int8send(id)), 1, 8);
    tag := set_byte(tag, 6, get_byte(tag, 6) & 15 | 64); -- a UUID's version
    cover := substr(sha256(key || 'c' || tag), 1, 8);
    public := tag || int8send(id);
    FOR i IN 8..15 LOOP
        public := set_byte(public, i, get_byte(public, i) # get_byte(cover, i - 8));
    END LOOP;
    RETURN encode(set_byte(public, 8, get_byte(public, 8) & 63 | 128), 'hex')::uuid; -- and its variant
END
$$;
-- +goose StatementEnd

-- One attribute of send, checked as SQS does (specs/sqs.md 5.2), in the form in which messages keep it.
-- +goose StatementBegin
CREATE FUNCTION send_attribute(name text, given jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    type  text := CASE jsonb_typeof(given) WHEN 'string' THEN 'String' WHEN 'number' THEN 'Number' ELSE given ->> 'type' END;
    value text := CASE jsonb_typeof(given) WHEN 'object' THEN given ->> 'value' ELSE given #>> '{}' END;
    kind  text := split_part(type, '.', 1);
BEGIN
    IF name !~ '^[A-Za-z0-9_.-]+$' OR length(name) > 256 OR name ~* '^(aws|amazon)\.' OR name ~ '^\.|\.$|\.\.' THEN
        RAISE EXCEPTION 'attribute name "%" must be 1 to 256 of letters, digits, "_", "-" and ".", without "." at an end or twice in a row, and must not begin with "AWS." or "Amazon."', name
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF jsonb_typeof(given) NOT IN ('string', 'number', 'object') OR value IS NULL OR value = '' THEN
        RAISE EXCEPTION 'attribute "%" must be a text that is not empty, a number, or {"type": …, "value": …}', name
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF kind IS NULL OR kind NOT IN ('String', 'Number', 'Binary') OR length(type) > 256 THEN
        RAISE EXCEPTION 'attribute "%" has type "%": it must be String, Number or Binary, with an optional ".label"', name, type
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF kind = 'Number' AND value !~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$' THEN
        RAISE EXCEPTION 'attribute "%" is no number: "%"', name, value USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF kind = 'Binary' THEN
        RETURN jsonb_build_object('n', name, 't', type, 'b', translate(encode(decode(value, 'base64'), 'base64'), E'\n', ''));
    END IF;
    RETURN jsonb_build_object('n', name, 't', type, 'v', value);
END
$$;
-- +goose StatementEnd

-- Sends a message in the caller's transaction: it exists when that commits, and waiting receivers are woken then.
-- attributes is {"name": "text" | number | {"type": "String" | "Number" | "Binary"[.label], "value": text, base64 for Binary}};
-- delay null means the queue's. It returns the message id.
-- +goose StatementBegin
CREATE FUNCTION send(account text, region text, queue text, body text, attributes jsonb DEFAULT '{}', delay interval DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
AS $$
DECLARE
    q          queues%ROWTYPE;
    moment     timestamptz;
    visible    timestamptz;
    row_id     bigint := nextval('message_blocks') * 4096;
    stored     jsonb;
    total      integer;
BEGIN
    SELECT * INTO q FROM queues t WHERE t.account = send.account AND t.region = send.region AND t.name = send.queue FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'queue "%" does not exist in account % and region %', queue, account, region USING ERRCODE = 'no_data_found';
    END IF;
    IF q.fifo THEN
        RAISE EXCEPTION 'queue "%" is a FIFO queue: send does not order messages yet', queue USING ERRCODE = 'feature_not_supported';
    END IF;
    IF body IS NULL OR body = '' THEN
        RAISE EXCEPTION 'a message must have a body' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF body ~ '[\x01-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]' THEN
        RAISE EXCEPTION 'the body has characters that not every client can receive: only tab, line feed, carriage return and U+0020 to U+FFFD, U+10000 to U+10FFFF'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    delay := COALESCE(delay, q.delay);
    IF delay < '0' OR delay > '7 days' THEN
        RAISE EXCEPTION 'the delay must be 0 to 7 days, was %', delay USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF jsonb_typeof(COALESCE(attributes, '{}')) <> 'object' THEN
        RAISE EXCEPTION 'attributes must be a JSON object' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT jsonb_agg(send_attribute(a.key, a.value) ORDER BY a.key COLLATE "C"),
        octet_length(body) + COALESCE(sum(octet_length(a.key)), 0)
    INTO stored, total FROM jsonb_each(COALESCE(attributes, '{}')) a;
    SELECT total + COALESCE(sum(octet_length(s ->> 't') + COALESCE(octet_length(s ->> 'v'), octet_length(decode(s ->> 'b', 'base64')))), 0)
    INTO total FROM jsonb_array_elements(COALESCE(stored, '[]')) s;
    IF jsonb_array_length(COALESCE(stored, '[]')) > 10 THEN
        RAISE EXCEPTION 'a message has at most 10 attributes, this one has %', jsonb_array_length(stored) USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF total > q.max_message_size THEN
        RAISE EXCEPTION 'a message of this queue has at most % bytes, this one has %', q.max_message_size, total USING ERRCODE = 'program_limit_exceeded';
    END IF;
    moment := now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0');
    visible := moment + delay;
    INSERT INTO messages (storage_id, id, visible_at, sent_at, size, priority, form, attributes, body)
    VALUES (q.storage_id, row_id, visible, moment, total, 8, 0, convert_to(jsonb_build_object('a', stored)::text, 'UTF8'), convert_to(body, 'UTF8'));
    INSERT INTO counts (storage_id, bucket, messages, bytes, delayed)
    VALUES (q.storage_id, CASE WHEN delay > '0' THEN date_bin('1 second', visible, '2000-01-01') ELSE '-infinity' END,
        1, total, CASE WHEN delay > '0' THEN 1 ELSE 0 END);
    IF delay <= '5 seconds' THEN -- later ones are found by the servers' look-ahead
        PERFORM pg_notify('polymq_' || current_schema(), format(';a,%s,%s,1,%s,%s', q.id, q.storage_id,
            (extract(epoch FROM delay) * 1000000)::bigint, (extract(epoch FROM visible) * 1000000)::bigint));
    END IF;
    RETURN message_id(row_id);
END
$$;
-- +goose StatementEnd

-- The functions run with the schema that they were made in, whatever the caller's search_path is.
-- +goose StatementBegin
DO $$
DECLARE
    path text := quote_ident(current_schema()) || ', pg_temp';
BEGIN
    EXECUTE 'ALTER FUNCTION message_id(bigint) SET search_path = ' || path;
    EXECUTE 'ALTER FUNCTION send(text, text, text, text, jsonb, interval) SET search_path = ' || path;
    REVOKE ALL ON FUNCTION message_id(bigint), send_attribute(text, jsonb), send(text, text, text, text, jsonb, interval) FROM PUBLIC;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION send(text, text, text, text, jsonb, interval);
DROP FUNCTION send_attribute(text, jsonb);
DROP FUNCTION message_id(bigint);
