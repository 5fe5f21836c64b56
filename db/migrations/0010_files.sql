-- Originals: which file a document was made from. The bytes are in the file store, under
-- their SHA-256; here is who refers to them.
ALTER TABLE documents
    ADD COLUMN file_hash  bytea  CHECK (octet_length(file_hash) = 32),
    ADD COLUMN file_name  text   CHECK (octet_length(file_name) <= 1024),
    ADD COLUMN file_type  text   CHECK (octet_length(file_type) <= 128),
    ADD COLUMN file_size  bigint CHECK (file_size >= 0),
    ADD COLUMN page_count integer CHECK (page_count >= 0);
CREATE INDEX documents_file ON documents (file_hash) WHERE file_hash IS NOT NULL;

-- Uploads under way: from before the bytes are put in their place until a document refers
-- to them, or it is known that none will. What is claimed is not removed.
CREATE TABLE file_claims (
    id   bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    hash bytea       NOT NULL CHECK (octet_length(hash) = 32),
    at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX file_claims_hash ON file_claims (hash);
CREATE INDEX file_claims_at ON file_claims (at);

-- Files that may have lost their last document. A file may stand here more than once: so
-- writers never wait for each other. `lease`: a service is removing it, until then.
CREATE TABLE file_orphans (
    id    bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    hash  bytea       NOT NULL,
    at    timestamptz NOT NULL DEFAULT now(),
    lease timestamptz
);
CREATE INDEX file_orphans_hash ON file_orphans (hash);

-- When the whole store is looked through next; whoever moves it on does it.
CREATE TABLE file_sweeps (
    next_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX file_sweeps_one ON file_sweeps ((true));
INSERT INTO file_sweeps VALUES (now());

-- In the transaction that takes the reference away, so that no crash can lose it.
CREATE FUNCTION file_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO file_orphans (hash) VALUES (OLD.file_hash);
    RETURN NULL;
END $$;
CREATE TRIGGER file_left_by_delete AFTER DELETE ON documents
    FOR EACH ROW WHEN (OLD.file_hash IS NOT NULL) EXECUTE FUNCTION file_left();
CREATE TRIGGER file_left_by_update AFTER UPDATE OF file_hash ON documents
    FOR EACH ROW WHEN (OLD.file_hash IS NOT NULL AND OLD.file_hash IS DISTINCT FROM NEW.file_hash)
    EXECUTE FUNCTION file_left();

-- Claims and removals of one file go one after the other: each takes this lock first, and
-- looks only then (each statement of these functions has a snapshot of its own).
CREATE FUNCTION file_lock(hash bytea) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(
        ('x' || encode(substr(hash, 1, 8), 'hex'))::bit(64)::bigint)
$$;

-- The id of a new claim. While the file is being removed it waits, two seconds at most;
-- then NULL: ask again later. (The removal ends without taking the lock.)
CREATE FUNCTION file_claim(which bytea) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    PERFORM file_lock(which);
    FOR attempt IN 1..40 LOOP
        IF NOT EXISTS (SELECT FROM file_orphans o
                       WHERE o.hash = which AND o.lease > clock_timestamp()) THEN
            INSERT INTO file_claims (hash) VALUES (which) RETURNING id INTO made;
            RETURN made;
        END IF;
        PERFORM pg_sleep(0.05);
    END LOOP;
    RETURN NULL;
END $$;

-- The upload has ended, whatever came of it: if nothing refers to the file it goes.
CREATE FUNCTION file_release(claim bigint) RETURNS void LANGUAGE sql AS $$
    WITH gone AS (DELETE FROM file_claims c WHERE c.id = claim RETURNING c.hash)
    INSERT INTO file_orphans (hash) SELECT hash FROM gone
$$;

-- Some files to remove, for `lease_s` seconds nobody else's: nothing refers to them and no
-- upload claims them. What stands among the orphans otherwise is struck off.
CREATE FUNCTION file_collect(most integer, lease_s integer)
RETURNS TABLE (hash bytea, lease timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    candidate bytea;
    until     timestamptz;
BEGIN
    FOR candidate IN
        SELECT DISTINCT o.hash FROM (SELECT f.hash FROM file_orphans f
            WHERE f.lease IS NULL OR f.lease <= clock_timestamp() ORDER BY f.id LIMIT most) AS o
        ORDER BY o.hash
    LOOP
        PERFORM file_lock(candidate);
        IF EXISTS (SELECT FROM documents d WHERE d.file_hash = candidate)
           OR EXISTS (SELECT FROM file_claims c WHERE c.hash = candidate) THEN
            DELETE FROM file_orphans o WHERE o.hash = candidate;
        ELSIF NOT EXISTS (SELECT FROM file_orphans o WHERE o.hash = candidate
                          AND o.lease > clock_timestamp()) THEN
            until := clock_timestamp() + make_interval(secs => lease_s);
            UPDATE file_orphans o SET lease = until WHERE o.hash = candidate;
            RETURN QUERY SELECT candidate, until;
        END IF;
    END LOOP;
END $$;

-- A removal under that lease has ended: well, or to be tried again after `again_s` seconds.
CREATE FUNCTION file_removed(which bytea, held timestamptz, again_s integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF again_s IS NULL THEN
        DELETE FROM file_orphans o WHERE o.hash = which AND o.lease = held;
    ELSE
        UPDATE file_orphans o SET lease = clock_timestamp() + make_interval(secs => again_s)
            WHERE o.hash = which AND o.lease = held;
    END IF;
END $$;
