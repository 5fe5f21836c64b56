DROP FUNCTION generation_activate(text);
DROP TRIGGER notify ON models;
DROP FUNCTION generation_notify();
DROP TRIGGER generations ON chunks;
DROP FUNCTION generation_note_chunks();
DROP TABLE generation_pending;
-- Without states the model in use is the one bound last.
UPDATE models SET bound_at = clock_timestamp() WHERE state = 'live';
DROP INDEX models_live;
ALTER TABLE models DROP COLUMN state, DROP COLUMN built_at, DROP COLUMN activated_at,
    DROP COLUMN previous;
CREATE OR REPLACE FUNCTION outbox_record_vectors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.search_outbox (entity, id, op) '
                   'SELECT DISTINCT ''document'', c.document_id, ''u''::"char" '
                   'FROM changed AS v JOIN %I.chunks AS c ON c.id = v.chunk_id',
                   TG_TABLE_SCHEMA, TG_TABLE_SCHEMA);
    RETURN NULL;
END $$;
