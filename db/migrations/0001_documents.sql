-- The record that the search service answers from: documents, their sections and passages,
-- vectors by model, the glossary, and the outbox by which views follow it.

-- --- outboxes ----------------------------------------------------------------------------
-- An outbox is a table (xid, seq, entity, id, op, at). Sequence numbers are not commit
-- order: readers go in (xid, seq) order and only below the oldest running transaction.

-- What was trimmed, by outbox: rows at or below xid may be gone, and a reader that has not
-- passed it must rebuild its view from the tables.
CREATE TABLE outbox_horizon (
    outbox text PRIMARY KEY,
    xid    xid8 NOT NULL
);

CREATE FUNCTION outbox_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_NAME, '');
    RETURN NULL;
END $$;

-- Statement trigger that writes one row per entity touched, however many rows of the table
-- belong to it. Arguments: outbox, entity, column that holds the entity's id. The changed
-- rows are in the transition table `changed`; updates have the rows before in `before`.
CREATE FUNCTION outbox_record() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    target text := format('%I.%I', TG_TABLE_SCHEMA, TG_ARGV[0]);
BEGIN
    IF TG_OP = 'UPDATE' THEN
        EXECUTE format('INSERT INTO %1$s (entity, id, op) '
                       'SELECT $1, %2$I::text, ''d'' FROM before '
                       'EXCEPT SELECT $1, %2$I::text, ''d'' FROM changed',
                       target, TG_ARGV[2]) USING TG_ARGV[1];
    END IF;
    EXECUTE format('INSERT INTO %s (entity, id, op) SELECT DISTINCT $1, %I::text, $2 FROM changed',
                   target, TG_ARGV[2])
        USING TG_ARGV[1], CASE TG_OP WHEN 'DELETE' THEN 'd' ELSE 'u' END;
    RETURN NULL;
END $$;

-- Same arguments, before TRUNCATE: everything is about to be deleted.
CREATE FUNCTION outbox_record_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.%I (entity, id, op) SELECT DISTINCT $1, %I::text, ''d'' FROM %I.%I',
                   TG_TABLE_SCHEMA, TG_ARGV[0], TG_ARGV[2], TG_TABLE_SCHEMA, TG_TABLE_NAME)
        USING TG_ARGV[1];
    RETURN NULL;
END $$;

-- Removes rows older than `keep`, some 20,000 at a time so that no call takes long, and
-- says how many. Rows of a transaction that may still run are kept, whatever their age.
-- Rows from the future can only come from another cluster's dump; they mean nothing here.
CREATE FUNCTION outbox_trim(outbox name, keep interval) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    kept    xid8;
    last    xid8;
    removed bigint;
    strange bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('outbox_trim'), hashtext(outbox)) THEN
        RETURN 0;
    END IF;
    EXECUTE format('DELETE FROM %I WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()) '
                   'AND xid <> pg_current_xact_id()', outbox);
    GET DIAGNOSTICS strange = ROW_COUNT;
    EXECUTE format('SELECT xid FROM %I WHERE at >= clock_timestamp() - $1 '
                   'OR xid >= pg_snapshot_xmin(pg_current_snapshot()) '
                   'ORDER BY xid, seq LIMIT 1', outbox)
        INTO kept USING keep;
    EXECUTE format('SELECT xid FROM (SELECT xid FROM %I WHERE $1 IS NULL OR xid < $1 '
                   'ORDER BY xid, seq LIMIT 20000) AS oldest ORDER BY xid DESC LIMIT 1', outbox)
        INTO last USING kept;
    IF last IS NULL THEN
        RETURN strange;
    END IF;
    EXECUTE format('DELETE FROM %I WHERE xid <= $1', outbox) USING last;
    GET DIAGNOSTICS removed = ROW_COUNT;
    INSERT INTO outbox_horizon AS h VALUES (outbox, last)
        ON CONFLICT ON CONSTRAINT outbox_horizon_pkey DO UPDATE SET xid = EXCLUDED.xid
        WHERE h.xid < EXCLUDED.xid;
    RETURN removed + strange;
END $$;

CREATE TABLE search_outbox (
    xid    xid8        NOT NULL DEFAULT pg_current_xact_id(),
    seq    bigserial   NOT NULL,
    entity text        NOT NULL,
    id     text        NOT NULL,
    op     "char"      NOT NULL CHECK (op IN ('u', 'd')),
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (xid, seq)
);
CREATE TRIGGER notify AFTER INSERT ON search_outbox
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_notify();

-- --- documents ---------------------------------------------------------------------------

CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END $$;

CREATE TABLE documents (
    id              text        PRIMARY KEY CHECK (octet_length(id) BETWEEN 1 AND 256),
    title           text        NOT NULL DEFAULT '',
    collection      text        NOT NULL DEFAULT 'default',
    department      text,
    campus          text,
    priority        smallint    CHECK (priority BETWEEN 1 AND 5),
    clearance_level smallint    NOT NULL DEFAULT 1 CHECK (clearance_level BETWEEN 1 AND 5),
    last_reviewed   timestamptz,
    language        text,
    metadata        jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    content_hash    bytea,
    chunk_count     integer     NOT NULL DEFAULT 0 CHECK (chunk_count >= 0),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX documents_collection ON documents (collection, updated_at DESC, id);
CREATE INDEX documents_updated ON documents (updated_at DESC, id);
CREATE TRIGGER updated_at BEFORE UPDATE ON documents
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE sections (
    document_id text    NOT NULL REFERENCES documents ON DELETE CASCADE ON UPDATE CASCADE,
    ordinal     integer NOT NULL CHECK (ordinal >= 0),
    title       text    NOT NULL DEFAULT '',
    text        text    NOT NULL,
    page_number integer CHECK (page_number >= 0),
    PRIMARY KEY (document_id, ordinal)
);

-- What is embedded is embed_prefix (title and headings) and text; text_hash is its SHA-256.
CREATE TABLE chunks (
    id            text    PRIMARY KEY,
    document_id   text    NOT NULL REFERENCES documents ON DELETE CASCADE,
    ordinal       integer NOT NULL CHECK (ordinal >= 0),
    section_title text    NOT NULL DEFAULT '',
    text          text    NOT NULL,
    embed_prefix  text    NOT NULL DEFAULT '',
    page_number   integer CHECK (page_number >= 0),
    tokens        integer NOT NULL DEFAULT 0,
    text_hash     bytea,
    UNIQUE (document_id, ordinal),
    CHECK (id = document_id || '#' || ordinal)
);
CREATE INDEX chunks_text_hash ON chunks (text_hash);

-- --- vectors -----------------------------------------------------------------------------

-- The model in use is the one bound last.
CREATE TABLE models (
    fingerprint text        PRIMARY KEY,
    name        text        NOT NULL,
    provider    text        NOT NULL,
    dimension   integer     NOT NULL CHECK (dimension > 0),
    alpha       double precision NOT NULL DEFAULT 0.5,
    card        jsonb       NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    bound_at    timestamptz NOT NULL DEFAULT now()
);

-- vector: float32, little-endian. EXTERNAL: floats do not compress, so it is not tried.
CREATE TABLE chunk_vectors (
    chunk_id    text  NOT NULL REFERENCES chunks ON DELETE CASCADE,
    fingerprint text  NOT NULL REFERENCES models ON DELETE CASCADE,
    vector      bytea NOT NULL CHECK (octet_length(vector) > 0 AND octet_length(vector) % 4 = 0),
    PRIMARY KEY (chunk_id, fingerprint)
);
ALTER TABLE chunk_vectors ALTER COLUMN vector SET STORAGE EXTERNAL;
CREATE INDEX chunk_vectors_fingerprint ON chunk_vectors (fingerprint);

CREATE TABLE pending_embeddings (
    chunk_id        text        PRIMARY KEY REFERENCES chunks ON DELETE CASCADE,
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    error           text
);
CREATE INDEX pending_embeddings_next ON pending_embeddings (next_attempt_at);

-- --- glossary ----------------------------------------------------------------------------

CREATE TABLE glossary_terms (
    id             text        PRIMARY KEY CHECK (octet_length(id) BETWEEN 1 AND 256),
    term           text        NOT NULL CHECK (term <> ''),
    definition     text        NOT NULL DEFAULT '',
    language       text        NOT NULL DEFAULT 'en',
    domain         text,
    part_of_speech text,
    source         text,
    status         text        NOT NULL DEFAULT 'draft',
    metadata       jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX glossary_terms_term ON glossary_terms (lower(term), language);
CREATE TRIGGER updated_at BEFORE UPDATE ON glossary_terms
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- --- what goes into search_outbox --------------------------------------------------------

CREATE TRIGGER outbox_insert AFTER INSERT ON documents
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record('search_outbox', 'document', 'id');
CREATE TRIGGER outbox_update AFTER UPDATE ON documents
    REFERENCING OLD TABLE AS before NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record('search_outbox', 'document', 'id');
CREATE TRIGGER outbox_delete AFTER DELETE ON documents
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record('search_outbox', 'document', 'id');
CREATE TRIGGER outbox_truncate BEFORE TRUNCATE ON documents
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record_truncate('search_outbox', 'document', 'id');

CREATE TRIGGER outbox_insert AFTER INSERT ON glossary_terms
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record('search_outbox', 'term', 'id');
CREATE TRIGGER outbox_update AFTER UPDATE ON glossary_terms
    REFERENCING OLD TABLE AS before NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record('search_outbox', 'term', 'id');
CREATE TRIGGER outbox_delete AFTER DELETE ON glossary_terms
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record('search_outbox', 'term', 'id');
CREATE TRIGGER outbox_truncate BEFORE TRUNCATE ON glossary_terms
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record_truncate('search_outbox', 'term', 'id');

-- Vectors that arrive change their document: one row per document and statement. Vectors
-- that go need none: they go with their chunks, or with a model that no view uses.
CREATE FUNCTION outbox_record_vectors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.search_outbox (entity, id, op) '
                   'SELECT DISTINCT ''document'', c.document_id, ''u''::"char" '
                   'FROM changed AS v JOIN %I.chunks AS c ON c.id = v.chunk_id',
                   TG_TABLE_SCHEMA, TG_TABLE_SCHEMA);
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_insert AFTER INSERT ON chunk_vectors
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record_vectors();
CREATE TRIGGER outbox_update AFTER UPDATE ON chunk_vectors
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record_vectors();
