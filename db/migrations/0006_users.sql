-- Accounts of the gateway's own users, and the wrong passwords that were tried.

-- `username_key` is the name folded (NFKC, case), by the gateway. `session_epoch` goes up
-- when what a session vouches for no longer holds: sessions of an older one are over.
CREATE TABLE users (
    id                  uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    username            text        NOT NULL CHECK (char_length(username) BETWEEN 1 AND 64),
    username_key        text        NOT NULL UNIQUE CHECK (username_key <> ''),
    password_hash       text        NOT NULL,
    role                text        NOT NULL CHECK (role <> ''),
    department          text        NOT NULL DEFAULT '',
    campus              text        NOT NULL DEFAULT '',
    active              boolean     NOT NULL DEFAULT true,
    session_epoch       bigint      NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    password_changed_at timestamptz NOT NULL DEFAULT now(),
    last_login_at       timestamptz
);

-- By the hash of the folded name, whether somebody has that name or not: an unknown name is
-- locked as a known one is, and no name that was only tried is kept.
CREATE TABLE login_lockouts (
    name_hash             bytea       PRIMARY KEY CHECK (octet_length(name_hash) = 32),
    failed_login_attempts integer     NOT NULL DEFAULT 0,
    locked_until          timestamptz,
    updated_at            timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX login_lockouts_updated ON login_lockouts (updated_at);

CREATE FUNCTION login_name_hash(username_key text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to(username_key, 'UTF8'))
$$;

-- How long a name is locked, in seconds; 0 when it is not.
CREATE FUNCTION login_locked(username_key text) RETURNS integer LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(max(ceil(extract(epoch FROM locked_until - clock_timestamp()))), 0)::integer
    FROM login_lockouts
    WHERE name_hash = login_name_hash(username_key) AND locked_until > clock_timestamp()
$$;

-- One attempt is over. Attempts for a name are judged one after the other, wherever they were
-- made: of any number that were under way at the same time no more than `most` learn whether
-- their password was wrong, the others find the name locked, the right one among them. Gives
-- how long it was locked already, and whether this attempt locks it. Each failure also takes
-- out a few entries that nobody needs any more, so that they cannot pile up.
CREATE FUNCTION login_judge(username_key text, good boolean, most integer, seconds integer,
                            OUT locked_s integer, OUT locks boolean)
LANGUAGE plpgsql AS $$
DECLARE
    hash  bytea := login_name_hash(username_key);
    state login_lockouts;
BEGIN
    locks := false;
    IF good THEN
        SELECT * INTO state FROM login_lockouts WHERE name_hash = hash FOR UPDATE;
    ELSE
        INSERT INTO login_lockouts AS l (name_hash) VALUES (hash)
            ON CONFLICT (name_hash) DO UPDATE SET updated_at = clock_timestamp()
            RETURNING l.* INTO state;
    END IF;
    locked_s := login_locked(username_key);
    IF locked_s > 0 THEN
        RETURN;
    END IF;
    IF good THEN
        DELETE FROM login_lockouts WHERE name_hash = hash;
        RETURN;
    END IF;
    IF state.locked_until IS NOT NULL THEN
        state.failed_login_attempts := 0; -- that lock is over
    END IF;
    locks := state.failed_login_attempts + 1 >= most;
    UPDATE login_lockouts
        SET failed_login_attempts = state.failed_login_attempts + 1,
            locked_until = CASE WHEN locks
                THEN clock_timestamp() + make_interval(secs => seconds) END
        WHERE name_hash = hash;
    DELETE FROM login_lockouts WHERE name_hash IN (
        SELECT name_hash FROM login_lockouts
        WHERE updated_at < clock_timestamp() - interval '1 day'
            AND (locked_until IS NULL OR locked_until < clock_timestamp())
        ORDER BY updated_at LIMIT 5 FOR UPDATE SKIP LOCKED);
END $$;

-- Somebody must be left who can let others in. The lock makes two who take the role from each
-- other at the same time wait for one another; the count after it sees what the first did.
CREATE FUNCTION users_keep_admin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('users_keep_admin'));
    IF NOT EXISTS (SELECT FROM users WHERE role = 'admin' AND active) THEN
        RAISE EXCEPTION 'the last admin cannot be removed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_admin_update AFTER UPDATE ON users
    FOR EACH ROW WHEN (OLD.role = 'admin' AND OLD.active AND
                       (NEW.role <> 'admin' OR NOT NEW.active))
    EXECUTE FUNCTION users_keep_admin();
CREATE TRIGGER keep_admin_delete AFTER DELETE ON users
    FOR EACH ROW WHEN (OLD.role = 'admin' AND OLD.active)
    EXECUTE FUNCTION users_keep_admin();
