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
