-- +goose Up
-- Accounts that are known, and who is in them: users, groups and roles, which both clouds' protocols share.
CREATE TABLE accounts (
    id         text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[0-9]{12}$'),
    alias      text COLLATE "C" UNIQUE, -- null: none
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE identities (
    id          text COLLATE "C" PRIMARY KEY,
    account     text COLLATE "C" NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('user', 'group', 'role')),
    cloud       text COLLATE "C" NOT NULL CHECK ((kind = 'role') = (cloud IN ('aws', 'ram'))),
    name        text COLLATE "C" NOT NULL,
    path        text COLLATE "C" NOT NULL,
    description text NOT NULL DEFAULT '',
    tags        jsonb NOT NULL DEFAULT '{}',
    trust       text NOT NULL DEFAULT '',           -- of a role: who may assume it
    max_session interval NOT NULL DEFAULT '0',      -- of a role
    access      text COLLATE "C" NOT NULL DEFAULT '', -- of a user: viewer, operator, admin
    bodies      boolean NOT NULL DEFAULT false,     -- of a user: a viewer sees bodies
    groups      jsonb NOT NULL DEFAULT '{}',        -- of a user: {id of a group: since when}
    attached    jsonb NOT NULL DEFAULT '{}',        -- {id of a policy: since when}
    inline      jsonb NOT NULL DEFAULT '{}',        -- {name: {cloud, text}}
    boundary    text COLLATE "C" NOT NULL DEFAULT '', -- id of a policy
    version     bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX identities_name ON identities (account, kind, lower(name), cloud);

CREATE TABLE policies (
    id              text COLLATE "C" PRIMARY KEY,
    account         text COLLATE "C" NOT NULL REFERENCES accounts ON DELETE CASCADE,
    cloud           text COLLATE "C" NOT NULL CHECK (cloud IN ('aws', 'ram')),
    name            text COLLATE "C" NOT NULL,
    path            text COLLATE "C" NOT NULL,
    description     text NOT NULL DEFAULT '',
    tags            jsonb NOT NULL DEFAULT '{}',
    versions        jsonb NOT NULL, -- [{number, text, created_at}]
    default_version integer NOT NULL,
    last_version    integer NOT NULL,
    revision        bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX policies_name ON policies (account, lower(name), cloud);

-- Keys had users before there were any.
INSERT INTO accounts (id) SELECT DISTINCT account FROM keys;
INSERT INTO identities (id, account, kind, cloud, name, path)
SELECT DISTINCT ON (account, lower(user_name)) 'AIDA' || upper(substr(md5(account || '/' || user_name), 1, 17)), account, 'user', '', user_name, '/'
FROM keys WHERE user_name <> '' ORDER BY account, lower(user_name), created_at;
CREATE INDEX keys_user ON keys (account, user_name, id) WHERE user_name <> '';

-- +goose Down
DROP INDEX keys_user;
DROP TABLE policies;
DROP TABLE identities;
DROP TABLE accounts;
