-- The glossary: who may read a term, what makes it the same term as another one, its
-- status, its words for searching; candidates found in documents; answers of outside
-- services.

-- sense: tells homonyms of one language and domain apart ("2", the id of a synset).
ALTER TABLE glossary_terms
    ADD COLUMN sense           text     NOT NULL DEFAULT '' CHECK (octet_length(sense) <= 256),
    ADD COLUMN clearance_level smallint NOT NULL DEFAULT 1 CHECK (clearance_level BETWEEN 1 AND 5),
    ADD COLUMN department      text     CHECK (octet_length(department) BETWEEN 1 AND 256);

-- Rows that were there before and say the same keep apart by their ids.
UPDATE glossary_terms AS t SET sense = t.id
WHERE EXISTS (SELECT FROM glossary_terms AS o WHERE o.id < t.id AND o.term = t.term
              AND o.language = t.language AND o.domain IS NOT DISTINCT FROM t.domain);
UPDATE glossary_terms SET status = 'draft'
WHERE status NOT IN ('draft', 'validated', 'deprecated', 'rejected');
-- As long as messages between services may be.
ALTER TABLE glossary_terms ADD CONSTRAINT glossary_terms_lengths CHECK (
    octet_length(term) <= 2048 AND octet_length(definition) <= 65536
    AND octet_length(language) <= 64 AND octet_length(domain) <= 256
    AND octet_length(part_of_speech) <= 64 AND octet_length(source) <= 1024) NOT VALID;
ALTER TABLE glossary_terms ADD CONSTRAINT glossary_terms_status
    CHECK (status IN ('draft', 'validated', 'deprecated', 'rejected'));

-- What two entries of the same meaning agree in. A digest, since a row of an index is short.
CREATE FUNCTION glossary_key(term text, language text, domain text, sense text)
RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT md5(term || E'\x1f' || language || E'\x1f' || coalesce(domain, '')
               || E'\x1f' || sense)::uuid
$$;
CREATE UNIQUE INDEX glossary_terms_key
    ON glossary_terms (glossary_key(term, language, domain, sense));

-- The stemmer of a language, as far as PostgreSQL has one.
CREATE FUNCTION glossary_stemmer(language text) RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE split_part(lower(language), '-', 1)
        WHEN 'en' THEN 'pg_catalog.english'::regconfig
        WHEN 'de' THEN 'pg_catalog.german'::regconfig
        WHEN 'fr' THEN 'pg_catalog.french'::regconfig
        WHEN 'es' THEN 'pg_catalog.spanish'::regconfig
        WHEN 'it' THEN 'pg_catalog.italian'::regconfig
        WHEN 'pt' THEN 'pg_catalog.portuguese'::regconfig
        WHEN 'nl' THEN 'pg_catalog.dutch'::regconfig
        WHEN 'da' THEN 'pg_catalog.danish'::regconfig
        WHEN 'sv' THEN 'pg_catalog.swedish'::regconfig
        WHEN 'nb' THEN 'pg_catalog.norwegian'::regconfig
        WHEN 'no' THEN 'pg_catalog.norwegian'::regconfig
        WHEN 'fi' THEN 'pg_catalog.finnish'::regconfig
        WHEN 'hu' THEN 'pg_catalog.hungarian'::regconfig
        WHEN 'ro' THEN 'pg_catalog.romanian'::regconfig
        WHEN 'ru' THEN 'pg_catalog.russian'::regconfig
        WHEN 'tr' THEN 'pg_catalog.turkish'::regconfig
        ELSE 'pg_catalog.simple'::regconfig
    END
$$;

-- Each word as it is written and as its language stems it; the term counts more.
CREATE FUNCTION glossary_words(term text, definition text, stemmer regconfig)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('pg_catalog.simple', term), 'A')
        || setweight(to_tsvector(stemmer, term), 'A')
        || setweight(to_tsvector('pg_catalog.simple', definition), 'B')
        || setweight(to_tsvector(stemmer, definition), 'B')
$$;
ALTER TABLE glossary_terms ADD COLUMN words tsvector
    GENERATED ALWAYS AS (glossary_words(term, definition, glossary_stemmer(language))) STORED;
CREATE INDEX glossary_terms_words ON glossary_terms USING gin (words);
CREATE INDEX glossary_terms_prefix ON glossary_terms (lower(term) text_pattern_ops);
CREATE INDEX glossary_terms_sorted ON glossary_terms (lower(term) COLLATE "C", id COLLATE "C");
CREATE INDEX glossary_terms_updated ON glossary_terms (updated_at, id COLLATE "C");
-- Those that widen searches; every replica looks at them every two seconds.
CREATE INDEX glossary_terms_named ON glossary_terms (id)
    WHERE metadata ?| array['acronym', 'synonyms', 'preferred'];

-- Stores many entries at once: `given` is an array of objects, "line" and the columns of a
-- term. One that is there, by its id or by what it says, is changed. The rights of whoever
-- brings them: unlimited (a service), clearance, all departments, department, and whether
-- they may write what is no draft. Says of each line what became of it: created, updated,
-- unchanged, duplicate (of an earlier line), conflict (its id is one entry, what it says
-- another), forbidden, status.
CREATE FUNCTION glossary_import(given jsonb, unlimited boolean, clearance integer,
                                every_department boolean, own_department text,
                                may_validate boolean)
RETURNS TABLE (line bigint, outcome text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS glossary_given (
        line bigint, id text, term text, definition text, language text, domain text,
        part_of_speech text, source text, status text, sense text, clearance_level smallint,
        department text, metadata jsonb, key uuid, place bigint, known text, outcome text,
        twin bigint, id_twin bigint
    ) ON COMMIT DELETE ROWS;
    DELETE FROM glossary_given;
    INSERT INTO glossary_given
    SELECT g.*, row_number() OVER (PARTITION BY g.key ORDER BY g.place),
           CASE WHEN g.id IS NULL THEN 1
                ELSE row_number() OVER (PARTITION BY g.id ORDER BY g.place) END
    FROM (SELECT r.line, r.id, r.term, coalesce(r.definition, ''), coalesce(r.language, 'en'),
                 r.domain, r.part_of_speech, r.source, coalesce(r.status, 'draft'),
                 coalesce(r.sense, ''), coalesce(r.clearance_level, 1), r.department,
                 coalesce(r.metadata, '{}'),
                 glossary_key(r.term, coalesce(r.language, 'en'), r.domain,
                              coalesce(r.sense, '')) AS key,
                 row_number() OVER () AS place, NULL::text, NULL::text
          FROM jsonb_to_recordset(given) AS r(line bigint, id text, term text,
               definition text, language text, domain text, part_of_speech text,
               source text, status text, sense text, clearance_level smallint,
               department text, metadata jsonb)) AS g;
    -- Whom they meet. Locked in the order of their ids, so that nobody dead-locks.
    UPDATE glossary_given AS g SET known = m.known, outcome = m.outcome
    FROM (SELECT i.place, t.id AS known,
              CASE WHEN i.twin > 1 OR i.id_twin > 1 THEN 'duplicate'
                   WHEN by_id.id IS NOT NULL AND by_key.id IS NOT NULL
                        AND by_id.id <> by_key.id THEN 'conflict'
                   WHEN i.id IS NOT NULL AND by_id.id IS NULL AND by_key.id IS NOT NULL
                        THEN 'conflict'
                   WHEN NOT (unlimited OR (i.clearance_level <= clearance
                        AND (i.clearance_level <= 2 OR every_department
                             OR i.department = own_department)
                        AND coalesce(t.clearance_level, 1) <= clearance
                        AND (coalesce(t.clearance_level, 1) <= 2 OR every_department
                             OR t.department = own_department)) IS TRUE) THEN 'forbidden'
                   WHEN NOT may_validate AND (i.status <> 'draft'
                        OR coalesce(t.status, 'draft') <> 'draft') THEN 'status'
                   WHEN t.id IS NULL THEN 'created'
                   WHEN (t.term, t.definition, t.language, t.domain, t.part_of_speech,
                         t.source, t.status, t.sense, t.clearance_level, t.department,
                         t.metadata) IS NOT DISTINCT FROM
                        (i.term, i.definition, i.language, i.domain, i.part_of_speech,
                         i.source, i.status, i.sense, i.clearance_level, i.department,
                         i.metadata) THEN 'unchanged'
                   ELSE 'updated' END AS outcome
          FROM glossary_given AS i
          LEFT JOIN glossary_terms AS by_id ON by_id.id = i.id
          LEFT JOIN glossary_terms AS by_key
              ON glossary_key(by_key.term, by_key.language, by_key.domain, by_key.sense) = i.key
          LEFT JOIN glossary_terms AS t ON t.id = coalesce(by_id.id, by_key.id)) AS m
    WHERE m.place = g.place;
    BEGIN
        UPDATE glossary_terms AS t SET term = g.term, definition = g.definition,
            language = g.language, domain = g.domain, part_of_speech = g.part_of_speech,
            source = g.source, status = g.status, sense = g.sense,
            clearance_level = g.clearance_level, department = g.department,
            metadata = g.metadata
        FROM glossary_given AS g WHERE g.outcome = 'updated' AND t.id = g.known;
    EXCEPTION WHEN unique_violation THEN -- two of them change places
        UPDATE glossary_given AS g SET outcome = 'conflict' WHERE g.outcome = 'updated';
    END;
    WITH stored AS (
        INSERT INTO glossary_terms (id, term, definition, language, domain, part_of_speech,
            source, status, sense, clearance_level, department, metadata)
        SELECT coalesce(g.id, gen_random_uuid()::text), g.term, g.definition, g.language,
            g.domain, g.part_of_speech, g.source, g.status, g.sense, g.clearance_level,
            g.department, g.metadata
        FROM glossary_given AS g WHERE g.outcome = 'created' ORDER BY g.key
        ON CONFLICT DO NOTHING
        RETURNING glossary_key(term, language, domain, sense) AS key)
    UPDATE glossary_given AS g SET outcome = 'conflict'
    WHERE g.outcome = 'created' AND NOT EXISTS (SELECT FROM stored s WHERE s.key = g.key);
    RETURN QUERY SELECT g.line, g.outcome FROM glossary_given AS g ORDER BY g.place;
END $$;

-- --- candidates --------------------------------------------------------------------------
-- Terms that an extraction found in documents and nobody has judged yet, or somebody has.
-- The right to read is that of the strictest document that it was found in.
CREATE TABLE glossary_candidates (
    id              bigint   PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    term            text     NOT NULL CHECK (term <> '' AND octet_length(term) <= 2048),
    language        text     NOT NULL,
    job_id          text     NOT NULL DEFAULT '',
    frequency       bigint   NOT NULL CHECK (frequency > 0),
    documents       bigint   NOT NULL CHECK (documents > 0),
    score           double precision NOT NULL,
    contexts        jsonb    NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(contexts) = 'array'),
    status          text     NOT NULL DEFAULT 'open'
                    CHECK (status IN ('open', 'accepted', 'rejected')),
    term_id         text,
    clearance_level smallint NOT NULL DEFAULT 1 CHECK (clearance_level BETWEEN 1 AND 5),
    department      text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    judged_at       timestamptz,
    judged_by       text
);
CREATE UNIQUE INDEX glossary_candidates_term
    ON glossary_candidates (md5(term || E'\x1f' || language || E'\x1f'
                                || clearance_level || E'\x1f' || coalesce(department, '')));
CREATE INDEX glossary_candidates_open ON glossary_candidates (status, score DESC, id);

-- --- answers of outside services ---------------------------------------------------------
-- May be lost: they are asked again.
CREATE UNLOGGED TABLE glossary_lookups (
    source     text        NOT NULL,
    question   bytea       NOT NULL,
    answer     jsonb       NOT NULL,
    fetched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, question)
);
CREATE INDEX glossary_lookups_fetched ON glossary_lookups (fetched_at);
