-- What the search service needs when it answers from PostgreSQL (SEARCH_BACKEND=pgvector).
-- Here are functions only, and they are inert: tables, triggers and the index come into
-- being when a service with that setting first starts (search_setup), because only then the
-- vector extension has to be there. Without that setting nothing is stored twice.

-- --- metadata ----------------------------------------------------------------------------
-- What a filter on metadata means: a document's JSON object laid flat, members of objects
-- under dotted names ("position.lat"), every text, number and flag of an array under the
-- array's name, null nowhere. Objects nested deeper than 8 are not looked into. The same is
-- in services/search/filter/metadata.c; tests hold one against the other.

CREATE FUNCTION metadata_scalars(data jsonb) RETURNS SETOF jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 1 AS $$
    SELECT data WHERE jsonb_typeof(data) IN ('string', 'number', 'boolean')
    UNION ALL
    SELECT value FROM jsonb_array_elements(CASE WHEN jsonb_typeof(data) = 'array' THEN data
                                           ELSE '[]' END)
    WHERE jsonb_typeof(value) IN ('string', 'number', 'boolean')
$$;

CREATE FUNCTION metadata_values(data jsonb, key text, depth integer DEFAULT 8)
RETURNS SETOF jsonb LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE ROWS 1 AS $$
DECLARE
    member record;
BEGIN
    IF strpos(key, '.') = 0 THEN
        RETURN QUERY SELECT metadata_scalars(data -> key);
        RETURN;
    END IF;
    FOR member IN SELECT e.key AS name, e.value FROM jsonb_each(data) AS e LOOP
        IF member.name = key THEN
            RETURN QUERY SELECT metadata_scalars(member.value);
        ELSIF depth > 1 AND jsonb_typeof(member.value) = 'object'
              AND starts_with(key, member.name || '.') THEN
            RETURN QUERY SELECT metadata_values(
                member.value, substr(key, length(member.name) + 2), depth - 1);
        END IF;
    END LOOP;
END $$;

-- Does it hold any value at all, however deep?
CREATE FUNCTION metadata_any(data jsonb, depth integer) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF jsonb_typeof(data) <> 'object' THEN
        RETURN EXISTS (SELECT metadata_scalars(data));
    END IF;
    RETURN depth > 0 AND EXISTS (SELECT FROM jsonb_each(data) AS e
                                 WHERE metadata_any(e.value, depth - 1));
END $$;

CREATE FUNCTION metadata_exists(data jsonb, key text, depth integer DEFAULT 8)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    member record;
BEGIN
    FOR member IN SELECT e.key AS name, e.value FROM jsonb_each(data) AS e LOOP
        IF member.name = key OR starts_with(member.name, key || '.') THEN
            IF metadata_any(member.value, depth - 1) THEN
                RETURN true;
            END IF;
        ELSIF depth > 1 AND jsonb_typeof(member.value) = 'object'
              AND starts_with(key, member.name || '.')
              AND metadata_exists(member.value, substr(key, length(member.name) + 2),
                                  depth - 1) THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

-- As double precision, NULL for what is no number; never an error.
CREATE FUNCTION metadata_number(data jsonb) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(data) = 'number' THEN
        CASE WHEN abs(data::numeric) BETWEEN 1e-300 AND 1e308 THEN data::double precision
             WHEN abs(data::numeric) < 1 THEN 0 END
    END
$$;

CREATE FUNCTION metadata_first_number(data jsonb, key text) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT metadata_number(value) FROM metadata_values(data, key) AS v (value)
    WHERE jsonb_typeof(value) = 'number' LIMIT 1
$$;

-- Unix time of "2024-08-15", "2024-08-15T10:30[:00[.5]][Z|+01:00]"; NULL for all else.
CREATE FUNCTION metadata_date(data jsonb) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    given text := data #>> '{}';
    part  text[];
    month date;
BEGIN
    IF jsonb_typeof(data) <> 'string' OR octet_length(given) NOT BETWEEN 10 AND 40 THEN
        RETURN NULL;
    END IF;
    part := regexp_match(given,
        '^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d*))?)?'
        '(?:[Zz]|([+-])(\d\d):?(\d\d))?)?$');
    IF part IS NULL OR part[1] = '0000' OR part[2]::int NOT BETWEEN 1 AND 12
       OR coalesce(part[4]::int, 0) > 23 OR coalesce(part[5]::int, 0) > 59
       OR coalesce(part[6]::int, 0) > 60 OR coalesce(part[9]::int, 0) > 23
       OR coalesce(part[10]::int, 0) > 59 THEN
        RETURN NULL;
    END IF;
    month := make_date(part[1]::int, part[2]::int, 1);
    IF part[3]::int NOT BETWEEN 1 AND extract(day FROM month + interval '1 month - 1 day') THEN
        RETURN NULL;
    END IF;
    RETURN extract(epoch FROM month) + (part[3]::int - 1) * 86400
        + coalesce(part[4]::int, 0) * 3600 + coalesce(part[5]::int, 0) * 60
        + coalesce(part[6]::int, 0) + ('0.' || coalesce(nullif(part[7], ''), '0'))::numeric
        - CASE part[8] WHEN '+' THEN 1 WHEN '-' THEN -1 ELSE 0 END
          * (coalesce(part[9]::int, 0) * 3600 + coalesce(part[10]::int, 0) * 60);
END $$;

-- Great-circle distance by the haversine formula.
CREATE FUNCTION metadata_distance_km(lat1 double precision, lon1 double precision,
                                     lat2 double precision, lon2 double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT 2 * 6371.0088 * asin(sqrt(least(1, greatest(0,
        power(sin(radians(lat2 - lat1) / 2), 2) + cos(radians(lat1)) * cos(radians(lat2))
        * power(sin(radians(lon2 - lon1) / 2), 2)))))
$$;

-- --- words -------------------------------------------------------------------------------

-- Case, compatibility forms and accents go, punctuation becomes space, ideographs and kana
-- stand alone, so that PostgreSQL's parser sees nothing but words and numbers. Cut off where
-- a tsvector could not hold it any more.
CREATE FUNCTION search_fold(body text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(regexp_replace(regexp_replace(
        normalize(replace(lower(left(body, 100000)), 'ß', 'ss'), NFKD),
        '[\u0300-\u036f]+', '', 'g'),
        '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+',
        ' ', 'g'),
        '([\u2e80-\u2fdf\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])',
        ' \1 ', 'g')
$$;

-- The text search configuration of a document: its language's, English where it names none,
-- "simple" where PostgreSQL has no stemmer.
CREATE FUNCTION search_config(metadata jsonb) RETURNS regconfig
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce((SELECT oid::regconfig FROM pg_ts_config
        WHERE cfgnamespace = 'pg_catalog'::regnamespace AND cfgname = CASE
        WHEN code = '' THEN 'english'
        ELSE (SELECT name FROM (VALUES
            ('english', '{en,eng}'), ('arabic', '{ar,ara}'), ('armenian', '{hy,hye,arm}'),
            ('basque', '{eu,eus,baq}'), ('catalan', '{ca,cat}'), ('danish', '{da,dan}'),
            ('dutch', '{nl,nld,dut}'), ('finnish', '{fi,fin}'), ('french', '{fr,fra,fre}'),
            ('german', '{de,deu,ger}'), ('greek', '{el,ell,gre}'), ('hindi', '{hi,hin}'),
            ('hungarian', '{hu,hun}'), ('indonesian', '{id,ind}'), ('irish', '{ga,gle}'),
            ('italian', '{it,ita}'), ('lithuanian', '{lt,lit}'), ('nepali', '{ne,nep}'),
            ('norwegian', '{no,nor,nb}'), ('portuguese', '{pt,por}'),
            ('romanian', '{ro,ron,rum}'), ('russian', '{ru,rus}'), ('serbian', '{sr,srp}'),
            ('spanish', '{es,spa}'), ('swedish', '{sv,swe}'), ('tamil', '{ta,tam}'),
            ('turkish', '{tr,tur}')) AS known (name, codes)
            WHERE code = name OR code = ANY (codes::text[]))
        END), 'pg_catalog.simple'::regconfig)
    FROM (SELECT lower(substring(coalesce(
        (SELECT metadata ->> 'language' WHERE jsonb_typeof(metadata -> 'language') = 'string'),
        (SELECT metadata ->> 'lang' WHERE jsonb_typeof(metadata -> 'lang') = 'string'),
        '') FROM '^[^-_]*')) AS code) AS named
$$;

CREATE FUNCTION search_vectorise(config regconfig, title text, heading text, body text)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE SET client_min_messages = warning AS $$
    SELECT setweight(to_tsvector(config, search_fold(title)), 'A')
        || setweight(to_tsvector(config, search_fold(heading)), 'B')
        || to_tsvector(config, search_fold(body))
$$;

-- float32, little-endian, as PostgreSQL numbers; NULL when one is not finite or all are 0,
-- because then there is no direction.
CREATE FUNCTION search_floats(bytes bytea) RETURNS real[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN bool_and(exponent < 255) AND bool_or(exponent > 0)
        THEN array_agg(CASE WHEN exponent = 0 THEN 0
             WHEN exponent < 255
             THEN sign * (fraction + 8388608) * power(2::double precision, exponent - 150)
             END::real ORDER BY at) END
    FROM (SELECT at, 1 - 2 * (high >> 7) AS sign,
                 ((high & 127) << 1) + (next >> 7) AS exponent,
                 ((next & 127) << 16) + (get_byte(bytes, at + 1) << 8) + get_byte(bytes, at)
                 AS fraction
          FROM (SELECT at, get_byte(bytes, at + 3) AS high, get_byte(bytes, at + 2) AS next
                FROM generate_series(0, octet_length(bytes) - 4, 4) AS at) AS ends) AS floats
$$;

-- --- kept with the record ----------------------------------------------------------------
-- search_words: a passage's words; search_vectors: its vectors in the extension's type.
-- Both go with what they were made from.

CREATE FUNCTION search_words_record() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO search_words (chunk_id, document_id, config, words)
    SELECT c.id, c.document_id, config,
           search_vectorise(config, d.title, c.section_title, c.text)
    FROM changed AS c JOIN documents AS d ON d.id = c.document_id,
         search_config(d.metadata) AS config
    ON CONFLICT (chunk_id) DO UPDATE SET config = EXCLUDED.config, words = EXCLUDED.words;
    RETURN NULL;
END $$;

CREATE FUNCTION search_words_retitle() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE search_words AS w
    SET config = search_config(NEW.metadata),
        words = search_vectorise(search_config(NEW.metadata), NEW.title, c.section_title,
                                 c.text)
    FROM chunks AS c WHERE c.document_id = NEW.id AND w.chunk_id = c.id;
    RETURN NULL;
END $$;

CREATE FUNCTION search_vectors_record() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM search_vectors AS s USING changed AS v
    WHERE s.chunk_id = v.chunk_id AND s.fingerprint = v.fingerprint
      AND search_floats(v.vector) IS NULL;
    INSERT INTO search_vectors (chunk_id, fingerprint, document_id, embedding)
    SELECT v.chunk_id, v.fingerprint, c.document_id, floats::vector
    FROM changed AS v JOIN chunks AS c ON c.id = v.chunk_id,
         search_floats(v.vector) AS floats
    WHERE floats IS NOT NULL
    ON CONFLICT (chunk_id, fingerprint) DO UPDATE SET embedding = EXCLUDED.embedding;
    RETURN NULL;
END $$;

-- Tables, triggers and, for this model, the index: all that is not there yet. `type` is
-- vector or halfvec. Gives the extension's version.
CREATE FUNCTION search_setup(fingerprint text, dimension integer, type text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    installed text;
    wanted    text := format('search_vectors_%s', left(md5(type || fingerprint), 16));
BEGIN
    IF type NOT IN ('vector', 'halfvec') THEN
        RAISE EXCEPTION 'the type must be vector or halfvec';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('search_setup'));
    SELECT extversion INTO installed FROM pg_extension WHERE extname = 'vector';
    IF installed IS NULL THEN
        CREATE EXTENSION vector;
        SELECT extversion INTO installed FROM pg_extension WHERE extname = 'vector';
    END IF;
    IF string_to_array(installed, '.')::int[] < ARRAY[0, 8] THEN
        RAISE EXCEPTION 'pgvector % is too old, 0.8 is needed', installed
            USING HINT = 'ALTER EXTENSION vector UPDATE';
    END IF;
    IF to_regclass('search_words') IS NULL THEN
        CREATE TABLE search_words (
            chunk_id    text      PRIMARY KEY REFERENCES chunks ON DELETE CASCADE,
            document_id text      NOT NULL,
            config      regconfig NOT NULL,
            words       tsvector  NOT NULL
        );
        CREATE INDEX search_words_words ON search_words USING gin (words);
        CREATE INDEX search_words_document ON search_words (document_id);
        CREATE INDEX search_words_config ON search_words (config);
        CREATE TABLE search_vectors (
            chunk_id    text NOT NULL,
            fingerprint text NOT NULL,
            document_id text NOT NULL,
            embedding   vector NOT NULL,
            PRIMARY KEY (chunk_id, fingerprint),
            FOREIGN KEY (chunk_id, fingerprint) REFERENCES chunk_vectors ON DELETE CASCADE
        );
        CREATE INDEX search_vectors_document ON search_vectors (document_id);
        CREATE TRIGGER search_words AFTER INSERT ON chunks REFERENCING NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION search_words_record();
        CREATE TRIGGER search_words_update AFTER UPDATE ON chunks
            REFERENCING NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION search_words_record();
        CREATE TRIGGER search_words AFTER UPDATE ON documents FOR EACH ROW
            WHEN (OLD.title IS DISTINCT FROM NEW.title
                  OR OLD.metadata IS DISTINCT FROM NEW.metadata)
            EXECUTE FUNCTION search_words_retitle();
        CREATE TRIGGER search_vectors AFTER INSERT ON chunk_vectors
            REFERENCING NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION search_vectors_record();
        CREATE TRIGGER search_vectors_update AFTER UPDATE ON chunk_vectors
            REFERENCING NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION search_vectors_record();
    END IF;
    -- An index of the extension's cannot take longer vectors; then every search is exact.
    IF to_regclass(wanted) IS NULL AND dimension > 0
       AND dimension <= (CASE type WHEN 'vector' THEN 2000 ELSE 4000 END) THEN
        EXECUTE format('CREATE INDEX %I ON search_vectors USING hnsw '
                       '((embedding::%s(%s)) %s_cosine_ops) WHERE fingerprint = %L',
                       wanted, type, dimension, type, fingerprint);
    END IF;
    RETURN installed;
END $$;

-- Rows for what was stored before the triggers were there, `most` passages at a time; 0 when
-- there is nothing left to do.
CREATE FUNCTION search_backfill(model text, most integer) RETURNS bigint
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

-- Back to a record without the second copy.
CREATE FUNCTION search_teardown() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('search_words') IS NOT NULL THEN
        DROP TRIGGER search_words ON chunks;
        DROP TRIGGER search_words_update ON chunks;
        DROP TRIGGER search_words ON documents;
        DROP TRIGGER search_vectors ON chunk_vectors;
        DROP TRIGGER search_vectors_update ON chunk_vectors;
        DROP TABLE search_words, search_vectors;
    END IF;
END $$;

-- --- queries -----------------------------------------------------------------------------

-- The configurations that passages have; hops from one to the next in the index.
CREATE FUNCTION search_configs() RETURNS SETOF regconfig LANGUAGE plpgsql STABLE AS $$
DECLARE
    found regconfig;
BEGIN
    SELECT config INTO found FROM search_words ORDER BY config LIMIT 1;
    WHILE found IS NOT NULL LOOP
        RETURN NEXT found;
        SELECT config INTO found FROM search_words WHERE config > found
            ORDER BY config LIMIT 1;
    END LOOP;
END $$;

-- What the text is in any of the languages: its words one after another.
CREATE FUNCTION search_phrase(phrase text, configs regconfig[]) RETURNS tsquery
LANGUAGE plpgsql STABLE SET client_min_messages = warning AS $$
DECLARE
    found  tsquery := '';
    single tsquery;
BEGIN
    FOR single IN SELECT DISTINCT phraseto_tsquery(config, search_fold(phrase))
                  FROM unnest(configs) AS config LOOP
        found := found || single;
    END LOOP;
    RETURN found;
END $$;

-- Words that begin so, unstemmed.
CREATE FUNCTION search_beginning(word text) RETURNS tsquery
LANGUAGE sql STABLE SET client_min_messages = warning AS $$
    SELECT CASE WHEN folded = '' THEN ''::tsquery
           ELSE to_tsquery('simple', quote_literal(folded) || ':*') END
    FROM (SELECT split_part(btrim(search_fold(word)), ' ', 1) AS folded) AS f
$$;

-- Passages with one at least of the words. Those flagged in `starred` match whatever begins
-- so; `open` is the last word, which may not be finished: where no passage has it, what
-- begins so is found.
CREATE FUNCTION search_wish(wished text[], starred boolean[], open integer)
RETURNS tsquery LANGUAGE plpgsql STABLE SET client_min_messages = warning AS $$
DECLARE
    configs regconfig[] := ARRAY(SELECT search_configs());
    found   tsquery := '';
    single  tsquery;
BEGIN
    FOR i IN 1 .. coalesce(array_length(wished, 1), 0) LOOP
        single := search_phrase(wished[i], configs);
        IF starred[i] OR (i = open AND NOT EXISTS (
               SELECT FROM search_words WHERE words @@ single)) THEN
            single := single || search_beginning(wished[i]);
        END IF;
        found := found || single;
    END LOOP;
    RETURN found;
END $$;

-- What must be in a passage, every one, and what must not, none.
CREATE FUNCTION search_rules(required text[], excluded text[]) RETURNS tsquery
LANGUAGE plpgsql STABLE AS $$
DECLARE
    configs regconfig[] := ARRAY(SELECT search_configs());
    found   tsquery := '';
    single  tsquery;
    phrase  text;
BEGIN
    FOREACH phrase IN ARRAY required LOOP
        found := found && search_phrase(phrase, configs);
    END LOOP;
    FOREACH phrase IN ARRAY excluded LOOP
        single := search_phrase(phrase, configs);
        IF numnode(single) > 0 THEN
            found := found && !!single;
        END IF;
    END LOOP;
    RETURN found;
END $$;
