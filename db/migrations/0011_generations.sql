-- Generations: the vectors of one model each, side by side. A row of `models` is one.
--   building  a job makes its vectors
--   ready     every passage has its vector, or was refused by the model
--   live      what searches use; there is one at most
--   retired   was live, or was given up; it may lack what was stored since
--   dropping  its vectors are being removed
ALTER TABLE models
    ADD COLUMN state text NOT NULL DEFAULT 'retired'
        CHECK (state IN ('building', 'ready', 'live', 'retired', 'dropping')),
    ADD COLUMN built_at timestamptz,
    ADD COLUMN activated_at timestamptz,
    ADD COLUMN previous text REFERENCES models ON DELETE SET NULL;
UPDATE models SET built_at = bound_at, activated_at = bound_at;
UPDATE models SET state = 'live'
    WHERE fingerprint = (SELECT fingerprint FROM models ORDER BY bound_at DESC LIMIT 1);
CREATE UNIQUE INDEX models_live ON models (state) WHERE state = 'live';

-- Passages that lack a vector of a generation that is not live; of the live one they are in
-- pending_embeddings.
CREATE TABLE generation_pending (
    fingerprint     text        NOT NULL REFERENCES models ON DELETE CASCADE,
    chunk_id        text        NOT NULL REFERENCES chunks ON DELETE CASCADE,
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    error           text,
    PRIMARY KEY (fingerprint, chunk_id)
);
CREATE INDEX generation_pending_chunk ON generation_pending (chunk_id);
CREATE INDEX generation_pending_next ON generation_pending (fingerprint, next_attempt_at);

-- What is stored while a generation is built, or waits to be activated, is owed to it, too.
CREATE FUNCTION generation_note_chunks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %1$I.generation_pending (fingerprint, chunk_id) '
                   'SELECT m.fingerprint, c.id FROM changed c CROSS JOIN %1$I.models m '
                   'WHERE m.state IN (''building'', ''ready'')', TG_TABLE_SCHEMA);
    RETURN NULL;
END $$;
CREATE TRIGGER generations AFTER INSERT ON chunks
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION generation_note_chunks();

-- Views hold vectors of the live generation only: those of others change nothing for them.
CREATE OR REPLACE FUNCTION outbox_record_vectors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %1$I.search_outbox (entity, id, op) '
                   'SELECT DISTINCT ''document'', c.document_id, ''u''::"char" '
                   'FROM changed AS v JOIN %1$I.chunks AS c ON c.id = v.chunk_id '
                   'WHERE v.fingerprint = coalesce((SELECT m.fingerprint FROM %1$I.models m '
                   'WHERE m.state = ''live''), v.fingerprint)', TG_TABLE_SCHEMA);
    RETURN NULL;
END $$;

-- Replicas listen to this: another generation is live.
CREATE FUNCTION generation_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('generations', '');
    RETURN NULL;
END $$;
CREATE TRIGGER notify AFTER INSERT OR UPDATE OF state OR DELETE ON models
    FOR EACH STATEMENT EXECUTE FUNCTION generation_notify();

-- Make a generation live: 'ok', or why not: 'unknown', 'live' (it is), 'incomplete'. Passages
-- that it lacks become pending. Whoever stores vectors of it locks its row before, so that
-- none is stored without the views being told.
CREATE FUNCTION generation_activate(wanted text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    target record;
    old    text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('generation_activate'));
    SELECT m.state, m.built_at INTO target FROM models m WHERE m.fingerprint = wanted
        FOR NO KEY UPDATE;
    IF target IS NULL THEN
        RETURN 'unknown';
    ELSIF target.state = 'live' THEN
        RETURN 'live';
    ELSIF target.state IN ('building', 'dropping') OR target.built_at IS NULL THEN
        RETURN 'incomplete';
    END IF;
    UPDATE models m SET state = 'retired' WHERE m.state = 'live' RETURNING m.fingerprint INTO old;
    UPDATE models m SET state = 'live', activated_at = clock_timestamp(),
        bound_at = clock_timestamp(), previous = old WHERE m.fingerprint = wanted;
    DELETE FROM pending_embeddings p WHERE EXISTS (SELECT FROM chunk_vectors v
        WHERE v.chunk_id = p.chunk_id AND v.fingerprint = wanted);
    WITH owed AS (DELETE FROM generation_pending g WHERE g.fingerprint = wanted
                  RETURNING g.chunk_id, g.attempts, g.next_attempt_at, g.error)
    INSERT INTO pending_embeddings SELECT * FROM owed ON CONFLICT DO NOTHING;
    RETURN 'ok';
END $$;
