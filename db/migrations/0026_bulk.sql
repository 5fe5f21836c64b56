-- What a bulk load pays for each document and each passage, with less work for the server:
-- the statements of triggers are planned once in a session, and not in each call; the bands
-- of a signature are one expression, not a query.

-- --- outboxes ----------------------------------------------------------------------------
-- Statement triggers that write one row per entity touched, however many rows of the table
-- belong to it. Argument: the entity; its id is in the column `id`. The changed rows are in
-- the transition table `changed`; updates have the rows before in `before`.
CREATE FUNCTION search_outbox_record() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO search_outbox (entity, id, op)
            SELECT TG_ARGV[0], before.id::text, 'd'::"char" FROM before
            EXCEPT SELECT TG_ARGV[0], changed.id::text, 'd'::"char" FROM changed;
    END IF;
    INSERT INTO search_outbox (entity, id, op)
        SELECT DISTINCT TG_ARGV[0], changed.id::text,
            CASE TG_OP WHEN 'DELETE' THEN 'd'::"char" ELSE 'u'::"char" END FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION graph_outbox_record() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO graph_outbox (entity, id, op)
            SELECT TG_ARGV[0], before.id::text, 'd'::"char" FROM before
            EXCEPT SELECT TG_ARGV[0], changed.id::text, 'd'::"char" FROM changed;
    END IF;
    INSERT INTO graph_outbox (entity, id, op)
        SELECT DISTINCT TG_ARGV[0], changed.id::text,
            CASE TG_OP WHEN 'DELETE' THEN 'd'::"char" ELSE 'u'::"char" END FROM changed;
    RETURN NULL;
END $$;

DO $$
DECLARE
    kept record;
BEGIN
    FOR kept IN SELECT * FROM (VALUES ('documents', 'search', 'document'),
                                      ('glossary_terms', 'search', 'term'),
                                      ('graph_nodes', 'graph', 'node'),
                                      ('graph_edges', 'graph', 'edge'))
                AS k (name, outbox, entity) LOOP
        EXECUTE format('DROP TRIGGER outbox_insert ON %1$I; '
                       'DROP TRIGGER outbox_update ON %1$I; '
                       'DROP TRIGGER outbox_delete ON %1$I; '
                       'CREATE TRIGGER outbox_insert AFTER INSERT ON %1$I '
                       'REFERENCING NEW TABLE AS changed '
                       'FOR EACH STATEMENT EXECUTE FUNCTION %2$I(%3$L); '
                       'CREATE TRIGGER outbox_update AFTER UPDATE ON %1$I '
                       'REFERENCING OLD TABLE AS before NEW TABLE AS changed '
                       'FOR EACH STATEMENT EXECUTE FUNCTION %2$I(%3$L); '
                       'CREATE TRIGGER outbox_delete AFTER DELETE ON %1$I '
                       'REFERENCING OLD TABLE AS changed '
                       'FOR EACH STATEMENT EXECUTE FUNCTION %2$I(%3$L)',
                       kept.name, kept.outbox || '_outbox_record', kept.entity);
    END LOOP;
END $$;
DROP FUNCTION outbox_record();

-- Views hold vectors of the live generation only: those of others change nothing for them.
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

CREATE OR REPLACE FUNCTION generation_note_chunks() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO generation_pending (fingerprint, chunk_id)
        SELECT m.fingerprint, c.id FROM changed c CROSS JOIN models m
        WHERE m.state IN ('building', 'ready');
    RETURN NULL;
END $$;

-- --- vectors -----------------------------------------------------------------------------
-- One of 512 numbers is just too long to stay in its row by default, and was cut in two.
ALTER TABLE chunk_vectors SET (toast_tuple_target = 8160);

-- --- near-duplicates ---------------------------------------------------------------------
-- The same bands. Not STRICT: the planner puts the expression where the function is called.
CREATE OR REPLACE FUNCTION signature_bands(signature bytea) RETURNS bigint[]
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE AS $$
    SELECT ARRAY[
        ('x0000' || encode(substr($1, 1, 6), 'hex'))::bit(64)::bigint,
        ('x0001' || encode(substr($1, 7, 6), 'hex'))::bit(64)::bigint,
        ('x0002' || encode(substr($1, 13, 6), 'hex'))::bit(64)::bigint,
        ('x0003' || encode(substr($1, 19, 6), 'hex'))::bit(64)::bigint,
        ('x0004' || encode(substr($1, 25, 6), 'hex'))::bit(64)::bigint,
        ('x0005' || encode(substr($1, 31, 6), 'hex'))::bit(64)::bigint,
        ('x0006' || encode(substr($1, 37, 6), 'hex'))::bit(64)::bigint,
        ('x0007' || encode(substr($1, 43, 6), 'hex'))::bit(64)::bigint,
        ('x0008' || encode(substr($1, 49, 6), 'hex'))::bit(64)::bigint,
        ('x0009' || encode(substr($1, 55, 6), 'hex'))::bit(64)::bigint,
        ('x000a' || encode(substr($1, 61, 6), 'hex'))::bit(64)::bigint,
        ('x000b' || encode(substr($1, 67, 6), 'hex'))::bit(64)::bigint]
$$;

-- Compares `most` passages at most that were not compared yet, the oldest first, and says
-- how many those were. One at a time in the whole cluster; nothing here waits for a lock, so
-- nobody dead-locks with it. What is locked is left for the next time. Most passages share a
-- band neither with an original nor with another of the same call: those are originals, by
-- one statement. The others go one by one, as each may be an original for the next.
CREATE OR REPLACE FUNCTION duplicates_mark(most integer, threshold real) RETURNS integer
LANGUAGE plpgsql SET enable_seqscan = off SET search_path FROM CURRENT AS $$
DECLARE
    taken text[];
    item  record;
    best  record;
    done  integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('duplicates_mark')) THEN
        RETURN 0;
    END IF;
    SELECT array_agg(batch.chunk_id) INTO taken
    FROM (SELECT chunk_id FROM chunk_signatures WHERE state = 'n'
          ORDER BY seq LIMIT most FOR UPDATE SKIP LOCKED) AS batch;
    UPDATE chunk_signatures AS s SET state = 'o'
    WHERE s.chunk_id = ANY (ARRAY(
        SELECT sharing.chunk_id
        FROM (SELECT t.chunk_id, count(*) OVER (PARTITION BY band) AS sharers
              FROM chunk_signatures AS t, unnest(signature_bands(t.signature)) AS band
              WHERE t.chunk_id = ANY (taken)) AS sharing
        GROUP BY sharing.chunk_id HAVING max(sharing.sharers) = 1))
    AND NOT EXISTS (
        SELECT FROM chunk_signatures AS o
        WHERE o.state = 'o' AND signature_bands(o.signature) && signature_bands(s.signature));
    GET DIAGNOSTICS done = ROW_COUNT;
    FOR item IN SELECT chunk_id, signature, signature_bands(signature) AS bands
                FROM chunk_signatures WHERE chunk_id = ANY (taken) AND state = 'n'
                ORDER BY seq LOOP
        SELECT near.chunk_id, signature_similarity(near.signature, item.signature) AS similarity
        INTO best
        FROM (SELECT s.chunk_id, s.signature FROM chunk_signatures AS s WHERE s.state = 'o'
              AND signature_bands(s.signature) && item.bands LIMIT 64) AS near
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
