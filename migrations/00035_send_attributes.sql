-- +goose Up
-- Attributes of polymq.send are checked for all that SQS checks: characters, digits and range of numbers, and what is beside type and value.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION send_attribute(name text, given jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    type  text := CASE jsonb_typeof(given) WHEN 'string' THEN 'String' WHEN 'number' THEN 'Number' ELSE given ->> 'type' END;
    value text := CASE jsonb_typeof(given) WHEN 'object' THEN given ->> 'value' ELSE given #>> '{}' END;
    kind  text := split_part(type, '.', 1);
    wrong text := '[\x01-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]'; -- characters that not every client can receive
    bytes bytea;
BEGIN
    IF name !~ '^[A-Za-z0-9_.-]+$' OR length(name) > 256 OR name ~* '^(aws|amazon)\.' OR name ~ '^\.|\.$|\.\.' THEN
        RAISE EXCEPTION 'attribute name "%" must be 1 to 256 of letters, digits, "_", "-" and ".", without "." at an end or twice in a row, and must not begin with "AWS." or "Amazon."', name
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF jsonb_typeof(given) NOT IN ('string', 'number', 'object') OR value IS NULL OR value = '' THEN
        RAISE EXCEPTION 'attribute "%" must be a text that is not empty, a number, or {"type": …, "value": …}', name
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF jsonb_typeof(given) = 'object' AND (jsonb_typeof(given -> 'value') NOT IN ('string', 'number')
        OR jsonb_typeof(given -> 'type') <> 'string' OR given - '{type,value}'::text[] <> '{}') THEN
        RAISE EXCEPTION 'attribute "%" must be {"type": …, "value": …} with a text as type, a text or a number as value, and nothing else', name
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF kind IS NULL OR kind NOT IN ('String', 'Number', 'Binary') OR octet_length(type) > 256 OR type ~ wrong THEN
        RAISE EXCEPTION 'attribute "%" has type "%": it must be String, Number or Binary, with an optional ".label"', name, type
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF kind = 'Number' AND value !~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$' THEN
        RAISE EXCEPTION 'attribute "%" is no number: "%"', name, value USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF kind = 'Number' THEN
        IF octet_length(trim(BOTH '0' FROM replace(ltrim(regexp_replace(value, '[eE].*', ''), '+-'), '.', ''))) > 38
            OR value::numeric NOT BETWEEN -1e128 AND 1e126 THEN
            RAISE EXCEPTION 'attribute "%" is a number of more than 38 digits, or not within -1e128 and 1e126', name USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END IF;
    IF kind = 'Binary' THEN
        bytes := decode(value, 'base64');
        IF octet_length(bytes) = 0 THEN
            RAISE EXCEPTION 'attribute "%" has no bytes', name USING ERRCODE = 'invalid_parameter_value';
        END IF;
        RETURN jsonb_build_object('n', name, 't', type, 'b', translate(encode(bytes, 'base64'), E'\n', ''));
    END IF;
    IF value ~ wrong THEN
        RAISE EXCEPTION 'attribute "%" has characters that not every client can receive: only tab, line feed, carriage return and U+0020 to U+FFFD, U+10000 to U+10FFFF', name
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN jsonb_build_object('n', name, 't', type, 'v', value);
END
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION send_attribute(name text, given jsonb) RETURNS jsonb
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
