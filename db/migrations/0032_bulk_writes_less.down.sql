CREATE OR REPLACE FUNCTION outbox_record_vectors() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO search_outbox (entity, id, op)
        SELECT DISTINCT 'document', c.document_id, 'u'::"char"
        FROM changed AS v JOIN chunks AS c ON c.id = v.chunk_id
        WHERE v.fingerprint = coalesce((SELECT m.fingerprint FROM models m
                                        WHERE m.state = 'live'), v.fingerprint);
    RETURN NULL;
END $$;
CREATE INDEX chunks_text_hash ON chunks (text_hash);
