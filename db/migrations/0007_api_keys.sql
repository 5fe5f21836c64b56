-- Keys for programs. The key itself is nowhere: a look-up finds the row by the id that is
-- part of the key and compares the SHA-256 of the whole. Revoked ones stay, so that what was
-- done with them can be told later.
CREATE TABLE api_keys (
    id           text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{12}$'),
    secret_hash  bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    name         text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 128),
    user_id      text NOT NULL CHECK (user_id <> ''),
    username     text NOT NULL DEFAULT '',
    role         text NOT NULL CHECK (role <> ''),
    department   text NOT NULL DEFAULT '',
    campus       text NOT NULL DEFAULT '',
    scopes       text[] NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text NOT NULL DEFAULT '',
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);
CREATE INDEX api_keys_created ON api_keys (created_at DESC, id);
