ALTER TABLE chunk_vectors RESET (toast_tuple_target);

CREATE OR REPLACE FUNCTION duplicates_mark(most integer, threshold real) RETURNS integer
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    item  record;
    best  record;
    done  integer := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('duplicates_mark')) THEN
        RETURN 0;
    END IF;
    FOR item IN SELECT chunk_id, signature FROM chunk_signatures WHERE state = 'n'
                ORDER BY seq LIMIT most FOR UPDATE SKIP LOCKED LOOP
        SELECT near.chunk_id, signature_similarity(near.signature, item.signature) AS similarity
        INTO best
        FROM (SELECT s.chunk_id, s.signature FROM chunk_signatures AS s WHERE s.state = 'o'
              AND signature_bands(s.signature) && signature_bands(item.signature)
              LIMIT 64) AS near
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

CREATE OR REPLACE FUNCTION signature_bands(signature bytea) RETURNS bigint[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg((band::bigint << 48) + (get_byte(signature, 6 * band)::bigint << 40)
        + (get_byte(signature, 6 * band + 1)::bigint << 32)
        + (get_byte(signature, 6 * band + 2)::bigint << 24)
        + (get_byte(signature, 6 * band + 3) << 16)
        + (get_byte(signature, 6 * band + 4) << 8) + get_byte(signature, 6 * band + 5))
    FROM generate_series(0, 11) AS band
$$;

CREATE OR REPLACE FUNCTION generation_note_chunks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %1$I.generation_pending (fingerprint, chunk_id) '
                   'SELECT m.fingerprint, c.id FROM changed c CROSS JOIN %1$I.models m '
                   'WHERE m.state IN (''building'', ''ready'')', TG_TABLE_SCHEMA);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION outbox_record_vectors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %1$I.search_outbox (entity, id, op) '
                   'SELECT DISTINCT ''document'', c.document_id, ''u''::"char" '
                   'FROM changed AS v JOIN %1$I.chunks AS c ON c.id = v.chunk_id '
                   'WHERE v.fingerprint = coalesce((SELECT m.fingerprint FROM %1$I.models m '
                   'WHERE m.state = ''live''), v.fingerprint)', TG_TABLE_SCHEMA);
    RETURN NULL;
END $$;

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

DO $$
DECLARE
    kept record;
BEGIN
    FOR kept IN SELECT * FROM (VALUES ('documents', 'search_outbox', 'document'),
                                      ('glossary_terms', 'search_outbox', 'term'),
                                      ('graph_nodes', 'graph_outbox', 'node'),
                                      ('graph_edges', 'graph_outbox', 'edge'))
                AS k (name, outbox, entity) LOOP
        EXECUTE format('DROP TRIGGER outbox_insert ON %1$I; '
                       'DROP TRIGGER outbox_update ON %1$I; '
                       'DROP TRIGGER outbox_delete ON %1$I; '
                       'CREATE TRIGGER outbox_insert AFTER INSERT ON %1$I '
                       'REFERENCING NEW TABLE AS changed FOR EACH STATEMENT '
                       'EXECUTE FUNCTION outbox_record(%2$L, %3$L, ''id''); '
                       'CREATE TRIGGER outbox_update AFTER UPDATE ON %1$I '
                       'REFERENCING OLD TABLE AS before NEW TABLE AS changed '
                       'FOR EACH STATEMENT '
                       'EXECUTE FUNCTION outbox_record(%2$L, %3$L, ''id''); '
                       'CREATE TRIGGER outbox_delete AFTER DELETE ON %1$I '
                       'REFERENCING OLD TABLE AS changed FOR EACH STATEMENT '
                       'EXECUTE FUNCTION outbox_record(%2$L, %3$L, ''id'')',
                       kept.name, kept.outbox, kept.entity);
    END LOOP;
END $$;
DROP FUNCTION search_outbox_record();
DROP FUNCTION graph_outbox_record();
