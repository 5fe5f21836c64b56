-- The node that stands for a term in the graph is what the term is, from the same
-- transaction on: whoever may not see the term any more does not read its name there, in
-- whichever way it was changed. A term that is deleted takes its node along.

CREATE FUNCTION glossary_nodes_follow(terms text[]) RETURNS void LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
DECLARE
    nodes text[];
BEGIN
    -- in the order in which everybody else locks them
    SELECT array_agg(id) INTO nodes FROM (
        SELECT n.id FROM graph_nodes AS n
        WHERE n.id = ANY (ARRAY(SELECT glossary_node_id(t) FROM unnest(terms) AS t))
        ORDER BY n.id FOR UPDATE) AS locked;
    IF nodes IS NULL THEN
        RETURN;
    END IF;
    UPDATE graph_nodes AS n
    SET properties = n.properties || s.properties, clearance_level = s.clearance_level,
        department = s.department, version = nextval('graph_versions')
    FROM (SELECT glossary_node_id(t.id) AS id, t.clearance_level, t.department,
                 jsonb_build_object('name', t.term, 'term_id', t.id, 'language', t.language,
                                    'domain', coalesce(t.domain, ''), 'status', t.status)
                     AS properties
          FROM glossary_terms AS t WHERE t.id = ANY (terms)) AS s
    WHERE n.id = ANY (nodes) AND n.id = s.id
      AND (n.clearance_level, n.department, n.properties) IS DISTINCT FROM
          (s.clearance_level, s.department, n.properties || s.properties);
    -- a relation is as strict as the stricter of its ends
    UPDATE graph_edges AS e
    SET clearance_level = s.clearance_level, department = s.department,
        version = nextval('graph_versions')
    FROM (SELECT r.id, strict.clearance_level, strict.department
          FROM graph_edges AS r
          JOIN graph_nodes AS a ON a.id = r.from_id
          JOIN graph_nodes AS b ON b.id = r.to_id
          CROSS JOIN LATERAL (
              SELECT x.clearance_level, x.department
              FROM (VALUES (a.clearance_level, a.department, 1),
                           (b.clearance_level, b.department, 2))
                  AS x (clearance_level, department, place)
              ORDER BY x.clearance_level DESC, x.place LIMIT 1) AS strict
          WHERE (r.from_id = ANY (nodes) OR r.to_id = ANY (nodes))
            AND starts_with(r.id, 'term-relation:')
          ORDER BY r.id FOR UPDATE OF r) AS s
    WHERE e.id = s.id AND (e.clearance_level, e.department) IS DISTINCT FROM
                          (s.clearance_level, s.department);
END $$;

CREATE FUNCTION glossary_terms_changed() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM graph_nodes WHERE id IN (SELECT glossary_node_id(id) FROM changed);
    ELSE
        PERFORM glossary_nodes_follow(ARRAY(SELECT id FROM changed));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER node_update AFTER UPDATE ON glossary_terms
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION glossary_terms_changed();
CREATE TRIGGER node_delete AFTER DELETE ON glossary_terms
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION glossary_terms_changed();

-- What was left behind before.
SELECT glossary_nodes_follow(ARRAY(
    SELECT t.id FROM glossary_terms AS t JOIN graph_nodes AS n ON n.id = glossary_node_id(t.id)));
