-- A document that is stored with its vectors has one row in the outbox, not two: who reads
-- the first sees all that its transaction did.
CREATE OR REPLACE FUNCTION outbox_record_vectors() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO search_outbox (entity, id, op)
        SELECT 'document', c.document_id, 'u'::"char"
        FROM changed AS v JOIN chunks AS c ON c.id = v.chunk_id
        WHERE v.fingerprint = coalesce((SELECT m.fingerprint FROM models m
                                        WHERE m.state = 'live'), v.fingerprint)
        EXCEPT SELECT o.entity, o.id, o.op FROM search_outbox o
        WHERE o.xid = pg_current_xact_id();
    RETURN NULL;
END $$;

-- No statement looks for it; each passage of a load paid for an entry at a random place.
DROP INDEX chunks_text_hash;
