-- What the entries of the glossary mean, as vectors; the relations that an import has
-- read and not stored yet.

CREATE FUNCTION glossary_text(term text, definition text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN definition = '' THEN term ELSE term || ': ' || left(definition, 2000) END
$$;

-- Of one model. scale and vector: a byte for each number, as written by search.
CREATE TABLE glossary_vectors (
    term_id     text PRIMARY KEY REFERENCES glossary_terms ON DELETE CASCADE ON UPDATE CASCADE,
    fingerprint text NOT NULL,
    text_hash   uuid NOT NULL, -- md5 of glossary_text()
    vector      bytea NOT NULL
);

-- Of imports that run: each row is what a batch said, stored when all batches are.
CREATE TABLE glossary_links (
    job_id text   NOT NULL,
    batch  bigint NOT NULL,
    links  jsonb  NOT NULL,
    PRIMARY KEY (job_id, batch)
);

-- What stands for an entry, and for a relation of two nodes, in the graph.
CREATE FUNCTION glossary_node_id(id text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(id) + 5 > 256
        THEN 'term:sha256:' || left(encode(sha256(convert_to(id, 'UTF8')), 'hex'), 40)
        ELSE 'term:' || id END
$$;
CREATE FUNCTION glossary_edge_id(type text, start text, stop text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 'term-relation:' || left(encode(sha256(convert_to(type, 'UTF8')
        || '\x00'::bytea || convert_to(start, 'UTF8') || '\x00'::bytea
        || convert_to(stop, 'UTF8')), 'hex'), 40)
$$;

-- The entry that a name in a file means: an id, how a term of this language is written,
-- or a concept of TBX, whose terms have its id in theirs.
CREATE FUNCTION glossary_named(name text, language text, unlimited boolean,
                               clearance integer, every_department boolean,
                               own_department text)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT id FROM (
        (SELECT t.id, 0 AS place FROM glossary_terms AS t
         WHERE t.id = name AND t.status <> 'rejected'
           AND glossary_readable(t.clearance_level, t.department, unlimited, clearance,
                                 every_department, own_department))
        UNION ALL
        (SELECT t.id, 1 FROM glossary_terms AS t
         WHERE lower(t.term) = lower(name) AND t.term = name AND t.language = $2
           AND t.status <> 'rejected'
           AND glossary_readable(t.clearance_level, t.department, unlimited, clearance,
                                 every_department, own_department)
         ORDER BY t.id LIMIT 1)
        UNION ALL
        (SELECT t.id, 2 FROM glossary_terms AS t
         WHERE t.id = ANY (ARRAY(SELECT name || '-' || $2 || '-' || n
                                 FROM generate_series(1, 9) AS n))
           AND t.status <> 'rejected'
           AND glossary_readable(t.clearance_level, t.department, unlimited, clearance,
                                 every_department, own_department)
         ORDER BY t.id LIMIT 1)) AS found
    ORDER BY place LIMIT 1
$$;

-- Writes relations to the graph as its own routes do: a node for each end, as the entry
-- is; BROADER and NARROWER in pairs, symmetric ones once. given: an array of [own name,
-- language, [type, name], …]. Says how many were asked for, how many name an entry that
-- is not there (or may not be seen), and how many relationships there are new.
CREATE FUNCTION glossary_relate(given jsonb, unlimited boolean, clearance integer,
                                every_department boolean, own_department text)
RETURNS TABLE (asked bigint, missing bigint, created bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    made bigint;
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS glossary_related (type text, a text, b text)
        ON COMMIT DELETE ROWS;
    DELETE FROM glossary_related;
    INSERT INTO glossary_related
    SELECT l.value ->> 0,
           glossary_named(g.value ->> 0, g.value ->> 1, unlimited, clearance,
                          every_department, own_department),
           glossary_named(l.value ->> 1, g.value ->> 1, unlimited, clearance,
                          every_department, own_department)
    FROM jsonb_array_elements(given) AS g,
         jsonb_array_elements(g.value) WITH ORDINALITY AS l
    WHERE l.ordinality > 2;
    SELECT count(*), count(*) FILTER (WHERE a IS NULL OR b IS NULL)
    INTO asked, missing FROM glossary_related;
    DELETE FROM glossary_related WHERE a IS NULL OR b IS NULL OR a = b;
    UPDATE glossary_related SET a = b, b = a
    WHERE type IN ('SYNONYM_OF', 'RELATED', 'TRANSLATION_OF')
      AND glossary_node_id(a) COLLATE "C" > glossary_node_id(b) COLLATE "C";
    INSERT INTO glossary_related
    SELECT CASE type WHEN 'BROADER' THEN 'NARROWER' ELSE 'BROADER' END, b, a
    FROM glossary_related WHERE type IN ('BROADER', 'NARROWER');
    INSERT INTO graph_nodes AS n (id, labels, properties, clearance_level, department)
    SELECT glossary_node_id(t.id), '{Term}', jsonb_build_object(
               'name', t.term, 'term_id', t.id, 'language', t.language,
               'domain', coalesce(t.domain, ''), 'status', t.status),
           t.clearance_level, t.department
    FROM glossary_terms AS t
    WHERE t.id IN (SELECT a FROM glossary_related UNION SELECT b FROM glossary_related)
    ORDER BY 1 ON CONFLICT (id) DO NOTHING;
    INSERT INTO graph_edges (id, type, from_id, to_id, clearance_level, department)
    SELECT glossary_edge_id(r.type, glossary_node_id(r.a), glossary_node_id(r.b)), r.type,
           glossary_node_id(r.a), glossary_node_id(r.b), s.clearance_level, s.department
    FROM (SELECT DISTINCT type, a, b FROM glossary_related) AS r
    JOIN glossary_terms AS x ON x.id = r.a
    JOIN glossary_terms AS y ON y.id = r.b
    CROSS JOIN LATERAL (SELECT x.clearance_level, x.department
                        WHERE x.clearance_level >= y.clearance_level
                        UNION ALL SELECT y.clearance_level, y.department
                        WHERE x.clearance_level < y.clearance_level) AS s
    ORDER BY 1 ON CONFLICT (id) DO NOTHING;
    GET DIAGNOSTICS made = ROW_COUNT;
    created := made;
    RETURN NEXT;
END $$;
