-- As before, but vectors are unpacked for passages that miss their row only: the planner
-- asked search_floats() of every vector there is before it looked which rows are missing.
CREATE OR REPLACE FUNCTION search_backfill(model text, most integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    words   bigint;
    vectors bigint;
BEGIN
    INSERT INTO search_words (chunk_id, document_id, config, words)
    SELECT c.id, c.document_id, config,
           search_vectorise(config, d.title, c.section_title, c.text)
    FROM (SELECT c.* FROM chunks AS c
          WHERE NOT EXISTS (SELECT FROM search_words AS w WHERE w.chunk_id = c.id)
          LIMIT most) AS c
    JOIN documents AS d ON d.id = c.document_id, search_config(d.metadata) AS config
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS words = ROW_COUNT;
    WITH missing AS MATERIALIZED (
        SELECT v.chunk_id, v.fingerprint, v.vector FROM chunk_vectors AS v
        WHERE v.fingerprint = model AND NOT EXISTS (
            SELECT FROM search_vectors AS s
            WHERE s.chunk_id = v.chunk_id AND s.fingerprint = v.fingerprint))
    INSERT INTO search_vectors (chunk_id, fingerprint, document_id, embedding)
    SELECT m.chunk_id, m.fingerprint, c.document_id, m.floats::vector
    FROM (SELECT chunk_id, fingerprint, floats
          FROM missing, LATERAL (SELECT search_floats(vector) AS floats OFFSET 0) AS unpacked
          WHERE floats IS NOT NULL LIMIT most) AS m
    JOIN chunks AS c ON c.id = m.chunk_id
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS vectors = ROW_COUNT;
    RETURN words + vectors;
END $$;
