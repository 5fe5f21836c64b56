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
          ORDER BY c.id LIMIT most) AS c
    JOIN documents AS d ON d.id = c.document_id, search_config(d.metadata) AS config
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS words = ROW_COUNT;
    INSERT INTO search_vectors (chunk_id, fingerprint, document_id, embedding)
    SELECT v.chunk_id, v.fingerprint, v.document_id, v.floats::vector
    FROM (SELECT v.chunk_id, v.fingerprint, c.document_id, search_floats(v.vector) AS floats
          FROM chunk_vectors AS v JOIN chunks AS c ON c.id = v.chunk_id
          WHERE v.fingerprint = model AND NOT EXISTS (
              SELECT FROM search_vectors AS s
              WHERE s.chunk_id = v.chunk_id AND s.fingerprint = v.fingerprint)
            AND search_floats(v.vector) IS NOT NULL
          ORDER BY v.chunk_id LIMIT most) AS v
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS vectors = ROW_COUNT;
    RETURN words + vectors;
END $$;
