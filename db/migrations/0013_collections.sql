-- Collections with defaults of their own, what was left out of each document, and passages
-- that are nearly the same as others.

-- --- collections -------------------------------------------------------------------------
-- A document names its collection; a row here says what holds for documents there that do
-- not say it themselves. NULL: nothing is said. Documents need no row.
CREATE TABLE collections (
    name                  text COLLATE "C" PRIMARY KEY
        CHECK (octet_length(name) BETWEEN 1 AND 256 AND name !~ '[[:cntrl:]/]'
               AND name = btrim(name) AND name NOT IN ('.', '..')),
    title                 text     NOT NULL DEFAULT '' CHECK (octet_length(title) <= 2048),
    description           text     NOT NULL DEFAULT '' CHECK (octet_length(description) <= 8192),
    chunk_tokens          integer  CHECK (chunk_tokens BETWEEN 32 AND 8192),
    chunk_overlap_percent integer  CHECK (chunk_overlap_percent BETWEEN 0 AND 50),
    language              text     CHECK (octet_length(language) BETWEEN 1 AND 256),
    clearance_level       smallint CHECK (clearance_level BETWEEN 1 AND 5),
    department            text     CHECK (octet_length(department) BETWEEN 1 AND 256),
    campus                text     CHECK (octet_length(campus) BETWEEN 1 AND 256),
    priority              smallint CHECK (priority BETWEEN 1 AND 5),
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER updated_at BEFORE UPDATE ON collections
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- --- what was left out of a document -----------------------------------------------------

CREATE TABLE document_reports (
    document_id text  PRIMARY KEY REFERENCES documents ON DELETE CASCADE ON UPDATE CASCADE,
    report      jsonb NOT NULL CHECK (jsonb_typeof(report) = 'object')
);

-- --- near-duplicates ---------------------------------------------------------------------
-- signature: 72 bytes, each the lowest byte of one bin of a one-permutation MinHash of the
-- passage's word shingles (services/search/quality/signature.h). Two passages agree in
-- about as many bytes as they share shingles. state: n, not compared yet; o, an original;
-- d, a duplicate of an original. Only originals are compared with, so a text that is stored
-- ten thousand times is one entry of the index.
CREATE TABLE chunk_signatures (
    chunk_id     text   PRIMARY KEY REFERENCES chunks ON DELETE CASCADE,
    seq          bigserial NOT NULL,
    signature    bytea  NOT NULL CHECK (octet_length(signature) = 72),
    state        "char" NOT NULL DEFAULT 'n' CHECK (state IN ('n', 'o', 'd')),
    duplicate_of text,
    similarity   real,
    CHECK ((state = 'd') = (duplicate_of IS NOT NULL))
);

-- Twelve bands of six bytes: passages that share 85 % of their shingles agree in one band at
-- least 99.6 times of 100, those that share half 17 times.
CREATE FUNCTION signature_bands(signature bytea) RETURNS bigint[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg((band::bigint << 48) + (get_byte(signature, 6 * band)::bigint << 40)
        + (get_byte(signature, 6 * band + 1)::bigint << 32)
        + (get_byte(signature, 6 * band + 2)::bigint << 24)
        + (get_byte(signature, 6 * band + 3) << 16)
        + (get_byte(signature, 6 * band + 4) << 8) + get_byte(signature, 6 * band + 5))
    FROM generate_series(0, 11) AS band
$$;

-- An estimate of the share of shingles in common; one byte in 256 agrees by chance.
CREATE FUNCTION signature_similarity(a bytea, b bytea) RETURNS real
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT greatest(0, (count(*) / 72.0 - 1 / 256.0) / (1 - 1 / 256.0))::real
    FROM generate_series(0, 71) AS i WHERE get_byte(a, i) = get_byte(b, i)
$$;

CREATE INDEX chunk_signatures_bands ON chunk_signatures USING gin (signature_bands(signature))
    WITH (fastupdate = off) WHERE state = 'o';
CREATE INDEX chunk_signatures_new ON chunk_signatures (seq) WHERE state = 'n';
CREATE INDEX chunk_signatures_original ON chunk_signatures (duplicate_of)
    WHERE duplicate_of IS NOT NULL;

-- Compares `most` passages at most that were not compared yet, the oldest first, and says
-- how many those were. One at a time in the whole cluster; nothing here waits for a lock, so
-- nobody dead-locks with it. What is locked is left for the next time.
CREATE FUNCTION duplicates_mark(most integer, threshold real) RETURNS integer
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    item  record;
    best  record;
    done  integer := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('duplicates_mark')) THEN
        RETURN 0;
    END IF;
    FOR item IN SELECT chunk_id, signature FROM chunk_signatures WHERE state = 'n'
                ORDER BY seq LIMIT most FOR UPDATE SKIP LOCKED LOOP
        SELECT near.chunk_id, signature_similarity(near.signature, item.signature) AS similarity
        INTO best
        FROM (SELECT s.chunk_id, s.signature FROM chunk_signatures AS s WHERE s.state = 'o'
              AND signature_bands(s.signature) && signature_bands(item.signature)
              LIMIT 64) AS near
        ORDER BY similarity DESC, near.chunk_id LIMIT 1;
        IF best.similarity >= threshold THEN
            PERFORM FROM chunk_signatures WHERE chunk_id = best.chunk_id AND state = 'o'
                FOR SHARE SKIP LOCKED;
            CONTINUE WHEN NOT FOUND; -- it is about to go
            UPDATE chunk_signatures SET state = 'd', duplicate_of = best.chunk_id,
                similarity = best.similarity WHERE chunk_id = item.chunk_id;
        ELSE
            UPDATE chunk_signatures SET state = 'o' WHERE chunk_id = item.chunk_id;
        END IF;
        done := done + 1;
    END LOOP;
    RETURN done;
END $$;

-- Duplicates of an original that goes are compared anew. Those that are locked go
-- themselves.
CREATE FUNCTION duplicates_orphan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE chunk_signatures SET state = 'n', duplicate_of = NULL, similarity = NULL
    WHERE chunk_id IN (SELECT chunk_id FROM chunk_signatures
                       WHERE duplicate_of = OLD.chunk_id FOR UPDATE SKIP LOCKED);
    RETURN NULL;
END $$;
CREATE TRIGGER orphan AFTER DELETE ON chunk_signatures FOR EACH ROW
    WHEN (OLD.state = 'o') EXECUTE FUNCTION duplicates_orphan();
