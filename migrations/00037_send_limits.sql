-- +goose Up
-- Accounts whose messages took as much as they may when the servers last counted. What an account may store that has no limit of its
-- own is in settings, by the name of account_bytes.
CREATE TABLE full_accounts (
    account text COLLATE "C" PRIMARY KEY
);

-- send refuses as the servers do once an account stores as much as it may: when the servers last counted, or in this queue alone now
-- where that is quick to add up: a transaction that has sent much leaves many counters until it ends.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION send(account text, region text, queue text, body text, attributes jsonb DEFAULT '{}', delay interval DEFAULT NULL,
    group_id text DEFAULT NULL, deduplication_id text DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
AS $$
DECLARE
    q          queues%ROWTYPE;
    moment     timestamptz;
    visible    timestamptz;
    row_id     bigint := nextval('message_blocks') * 4096;
    stored     jsonb;
    total      integer;
    grp        bigint;
    number     bigint;
    made       boolean;
    memory     bytea;
    sent_id    bigint;
    room       bigint;
BEGIN
    SELECT * INTO q FROM queues t WHERE t.account = send.account AND t.region = send.region AND t.name = send.queue FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'queue "%" does not exist in account % and region %', queue, account, region USING ERRCODE = 'no_data_found';
    END IF;
    IF q.fifo AND group_id IS NULL THEN
        RAISE EXCEPTION 'queue "%" is a FIFO queue: a message needs a group_id', queue USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT q.fifo AND deduplication_id IS NOT NULL THEN
        RAISE EXCEPTION 'queue "%" is no FIFO queue: its messages have no deduplication ids', queue USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF group_id !~ '^[!-~]{1,128}$' OR deduplication_id !~ '^[!-~]{1,128}$' THEN
        RAISE EXCEPTION 'group_id and deduplication_id have 1 to 128 letters, digits and punctuation characters' USING ERRCODE = 'invalid_parameter_value';
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
    room := COALESCE((SELECT l.bytes FROM account_limits l WHERE l.account = q.account),
        (SELECT s.value::bigint FROM settings s WHERE s.name = 'account_bytes'), 0);
    IF room > 0 AND (EXISTS (SELECT FROM full_accounts f WHERE f.account = q.account)
        OR (SELECT sum(c.bytes) >= room FROM (SELECT bytes FROM counts WHERE storage_id = q.storage_id LIMIT 100) c HAVING count(*) < 100)) THEN
        RAISE EXCEPTION 'the messages of account % take as much as they may, % bytes: receive and delete some, and try again', account, room
            USING ERRCODE = 'configuration_limit_exceeded';
    END IF;
    moment := now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0');
    visible := moment + delay;
    IF q.fifo THEN
        IF deduplication_id IS NULL AND q.attributes ->> 'sqs.ContentBasedDeduplication' = 'true' THEN
            deduplication_id := encode(sha256(convert_to(body, 'UTF8')), 'hex');
        END IF;
        grp := ('x' || encode(substr(sha256(convert_to(group_id, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint;
        -- As the servers do: the group's lock, then the number, then the deduplication id.
        INSERT INTO groups AS g (storage_id, group_key, due, head)
        VALUES (q.storage_id, grp, visible, (SELECT last_value FROM sequence_blocks) * 1024)
        ON CONFLICT (storage_id, group_key) DO UPDATE SET head = g.head WHERE false;
        made := FOUND;
        number := nextval('sequence_blocks') * 1024 + 1;
        IF deduplication_id IS NOT NULL THEN
            memory := convert_to(deduplication_id, 'UTF8') || '\x00';
            IF q.deduplication_scope = 'group' THEN
                memory := convert_to(group_id, 'UTF8') || '\x00' || memory;
            END IF;
            memory := substr(sha256(memory), 1, 16);
            INSERT INTO deduplication AS d (storage_id, digest, id, sequence, expires_at)
            VALUES (q.storage_id, memory, row_id, number, moment + interval '5 minutes')
            ON CONFLICT (storage_id, digest) DO UPDATE
            SET id = excluded.id, sequence = excluded.sequence, expires_at = excluded.expires_at, written_at = excluded.written_at
            WHERE d.expires_at <= excluded.expires_at - interval '5 minutes';
            IF NOT FOUND THEN
                IF made THEN
                    DELETE FROM groups g WHERE g.storage_id = q.storage_id AND g.group_key = grp;
                END IF;
                SELECT d.id INTO sent_id FROM deduplication d WHERE d.storage_id = q.storage_id AND d.digest = memory;
                RETURN message_id(sent_id);
            END IF;
        END IF;
        INSERT INTO fifo_messages (storage_id, group_key, sequence, id, visible_at, sent_at, size, priority, form, group_id, deduplication_id, attributes, body)
        VALUES (q.storage_id, grp, number, row_id, visible, moment, total, 8, 0, group_id, deduplication_id,
            convert_to(jsonb_build_object('a', stored)::text, 'UTF8'), convert_to(body, 'UTF8'));
        INSERT INTO counts (storage_id, bucket, messages, bytes) VALUES (q.storage_id, '-infinity', 1, total);
        IF delay > '0' THEN
            INSERT INTO counts (storage_id, bucket, delayed) VALUES (q.storage_id, visible, 1);
        END IF;
    ELSE
        INSERT INTO messages (storage_id, id, visible_at, sent_at, size, priority, form, group_id, attributes, body)
        VALUES (q.storage_id, row_id, visible, moment, total, 8, 0, group_id, convert_to(jsonb_build_object('a', stored)::text, 'UTF8'), convert_to(body, 'UTF8'));
        INSERT INTO counts (storage_id, bucket, messages, bytes, delayed)
        VALUES (q.storage_id, CASE WHEN delay > '0' THEN date_bin('1 second', visible, '2000-01-01') ELSE '-infinity' END,
            1, total, CASE WHEN delay > '0' THEN 1 ELSE 0 END);
    END IF;
    IF delay <= '5 seconds' THEN -- later ones are found by the servers' look-ahead
        PERFORM pg_notify('polymq_' || current_schema(), format(';a,%s,%s,1,%s,%s', q.id, q.storage_id,
            (extract(epoch FROM delay) * 1000000)::bigint, (extract(epoch FROM visible) * 1000000)::bigint));
    END IF;
    RETURN message_id(row_id);
END
$$;
-- +goose StatementEnd

-- What replaces a function loses its settings, though not who may call it.
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE 'ALTER FUNCTION send(text, text, text, text, jsonb, interval, text, text) SET search_path = ' || quote_ident(current_schema()) || ', pg_temp';
END
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION send(account text, region text, queue text, body text, attributes jsonb DEFAULT '{}', delay interval DEFAULT NULL,
    group_id text DEFAULT NULL, deduplication_id text DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
AS $$
DECLARE
    q          queues%ROWTYPE;
    moment     timestamptz;
    visible    timestamptz;
    row_id     bigint := nextval('message_blocks') * 4096;
    stored     jsonb;
    total      integer;
    grp        bigint;
    number     bigint;
    made       boolean;
    memory     bytea;
    sent_id    bigint;
BEGIN
    SELECT * INTO q FROM queues t WHERE t.account = send.account AND t.region = send.region AND t.name = send.queue FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'queue "%" does not exist in account % and region %', queue, account, region USING ERRCODE = 'no_data_found';
    END IF;
    IF q.fifo AND group_id IS NULL THEN
        RAISE EXCEPTION 'queue "%" is a FIFO queue: a message needs a group_id', queue USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT q.fifo AND deduplication_id IS NOT NULL THEN
        RAISE EXCEPTION 'queue "%" is no FIFO queue: its messages have no deduplication ids', queue USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF group_id !~ '^[!-~]{1,128}$' OR deduplication_id !~ '^[!-~]{1,128}$' THEN
        RAISE EXCEPTION 'group_id and deduplication_id have 1 to 128 letters, digits and punctuation characters' USING ERRCODE = 'invalid_parameter_value';
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
    IF q.fifo THEN
        IF deduplication_id IS NULL AND q.attributes ->> 'sqs.ContentBasedDeduplication' = 'true' THEN
            deduplication_id := encode(sha256(convert_to(body, 'UTF8')), 'hex');
        END IF;
        grp := ('x' || encode(substr(sha256(convert_to(group_id, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint;
        -- As the servers do: the group's lock, then the number, then the deduplication id.
        INSERT INTO groups AS g (storage_id, group_key, due, head)
        VALUES (q.storage_id, grp, visible, (SELECT last_value FROM sequence_blocks) * 1024)
        ON CONFLICT (storage_id, group_key) DO UPDATE SET head = g.head WHERE false;
        made := FOUND;
        number := nextval('sequence_blocks') * 1024 + 1;
        IF deduplication_id IS NOT NULL THEN
            memory := convert_to(deduplication_id, 'UTF8') || '\x00';
            IF q.deduplication_scope = 'group' THEN
                memory := convert_to(group_id, 'UTF8') || '\x00' || memory;
            END IF;
            memory := substr(sha256(memory), 1, 16);
            INSERT INTO deduplication AS d (storage_id, digest, id, sequence, expires_at)
            VALUES (q.storage_id, memory, row_id, number, moment + interval '5 minutes')
            ON CONFLICT (storage_id, digest) DO UPDATE
            SET id = excluded.id, sequence = excluded.sequence, expires_at = excluded.expires_at, written_at = excluded.written_at
            WHERE d.expires_at <= excluded.expires_at - interval '5 minutes';
            IF NOT FOUND THEN
                IF made THEN
                    DELETE FROM groups g WHERE g.storage_id = q.storage_id AND g.group_key = grp;
                END IF;
                SELECT d.id INTO sent_id FROM deduplication d WHERE d.storage_id = q.storage_id AND d.digest = memory;
                RETURN message_id(sent_id);
            END IF;
        END IF;
        INSERT INTO fifo_messages (storage_id, group_key, sequence, id, visible_at, sent_at, size, priority, form, group_id, deduplication_id, attributes, body)
        VALUES (q.storage_id, grp, number, row_id, visible, moment, total, 8, 0, group_id, deduplication_id,
            convert_to(jsonb_build_object('a', stored)::text, 'UTF8'), convert_to(body, 'UTF8'));
        INSERT INTO counts (storage_id, bucket, messages, bytes) VALUES (q.storage_id, '-infinity', 1, total);
        IF delay > '0' THEN
            INSERT INTO counts (storage_id, bucket, delayed) VALUES (q.storage_id, visible, 1);
        END IF;
    ELSE
        INSERT INTO messages (storage_id, id, visible_at, sent_at, size, priority, form, group_id, attributes, body)
        VALUES (q.storage_id, row_id, visible, moment, total, 8, 0, group_id, convert_to(jsonb_build_object('a', stored)::text, 'UTF8'), convert_to(body, 'UTF8'));
        INSERT INTO counts (storage_id, bucket, messages, bytes, delayed)
        VALUES (q.storage_id, CASE WHEN delay > '0' THEN date_bin('1 second', visible, '2000-01-01') ELSE '-infinity' END,
            1, total, CASE WHEN delay > '0' THEN 1 ELSE 0 END);
    END IF;
    IF delay <= '5 seconds' THEN -- later ones are found by the servers' look-ahead
        PERFORM pg_notify('polymq_' || current_schema(), format(';a,%s,%s,1,%s,%s', q.id, q.storage_id,
            (extract(epoch FROM delay) * 1000000)::bigint, (extract(epoch FROM visible) * 1000000)::bigint));
    END IF;
    RETURN message_id(row_id);
END
$$;
-- +goose StatementEnd

-- What replaces a function loses its settings, though not who may call it.
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE 'ALTER FUNCTION send(text, text, text, text, jsonb, interval, text, text) SET search_path = ' || quote_ident(current_schema()) || ', pg_temp';
END
$$;
-- +goose StatementEnd

DROP TABLE full_accounts;
DELETE FROM settings WHERE name = 'account_bytes';
