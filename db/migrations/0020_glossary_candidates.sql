-- Candidates of the glossary by the rights of the documents that they were found in, so
-- that what a caller may not see is not counted; and what people have said of them, which
-- holds whatever is found later.

DROP TABLE glossary_candidates;

-- One row for each candidate and class of rights (clearance and department). Its counts
-- are of the last extraction that found it there. contexts: an array of {"d": document,
-- "o": section, "s": characters before it, "f": as it is written there}; the text itself
-- is read from the document when it is shown.
CREATE TABLE glossary_candidates (
    id              uuid     NOT NULL,
    clearance_level smallint NOT NULL CHECK (clearance_level BETWEEN 1 AND 5),
    department      text     NOT NULL DEFAULT '',
    language        text     NOT NULL,
    term            text     NOT NULL CHECK (term <> '' AND octet_length(term) <= 2048),
    words           smallint NOT NULL CHECK (words > 0),
    frequency       bigint   NOT NULL CHECK (frequency > 0),
    documents       bigint   NOT NULL CHECK (documents > 0),
    score           double precision NOT NULL,
    contexts        jsonb    NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(contexts) = 'array'),
    job_id          text     NOT NULL DEFAULT '',
    found_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, clearance_level, department)
);
CREATE INDEX glossary_candidates_class
    ON glossary_candidates (clearance_level, department, language);

CREATE TABLE glossary_verdicts (
    id        uuid PRIMARY KEY,
    status    text NOT NULL CHECK (status IN ('accepted', 'rejected')),
    term_id   text,
    judged_at timestamptz NOT NULL DEFAULT now(),
    judged_by text NOT NULL DEFAULT ''
);

-- The candidate of these stems.
CREATE FUNCTION glossary_candidate_id(key text, language text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT md5(key || E'\x1f' || language)::uuid
$$;

-- The same as proto/readable.h says.
CREATE FUNCTION glossary_readable(level integer, department text, unlimited boolean,
                                  clearance integer, every_department boolean,
                                  own_department text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (unlimited OR (level <= clearance AND (level <= 2 OR every_department
            OR (department = own_department AND own_department <> '')))) IS TRUE
$$;

-- Whether one of the documents that a candidate was found in is there and may be read.
CREATE FUNCTION glossary_candidate_seen(contexts jsonb, unlimited boolean, clearance integer,
                                        every_department boolean, own_department text)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (SELECT FROM jsonb_array_elements(contexts) AS x
                   JOIN documents AS d ON d.id = x ->> 'd'
                   WHERE glossary_readable(d.clearance_level, d.department, unlimited,
                                           clearance, every_department, own_department))
$$;

-- Says of each what became of it: accepted (an entry was made, or there is one), rejected,
-- open, not_found, conflict (the entry is there and may not be seen; or, of one that is to
-- be rejected or opened, it is an entry). draft: members of the entry that are not to be
-- as they were found.
CREATE FUNCTION glossary_judge(ids uuid[], unlimited boolean, clearance integer,
                               every_department boolean, own_department text,
                               verdict text, judge text, draft jsonb)
RETURNS TABLE (id uuid, outcome text, term_id text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    asked uuid;
    candidate record;
    entry text;
BEGIN
    FOREACH asked IN ARRAY ids LOOP
        SELECT c.term, c.language, c.clearance_level, c.department, v.status, v.term_id,
               EXISTS (SELECT FROM glossary_terms AS t WHERE t.id = v.term_id) AS kept
        INTO candidate
        FROM glossary_candidates AS c LEFT JOIN glossary_verdicts AS v ON v.id = c.id
        WHERE c.id = asked
          AND glossary_readable(c.clearance_level, c.department, unlimited, clearance,
                                every_department, own_department)
          AND glossary_candidate_seen(c.contexts, unlimited, clearance, every_department,
                                      own_department)
        ORDER BY c.clearance_level, c.frequency DESC, c.department LIMIT 1;
        IF NOT FOUND THEN
            RETURN QUERY SELECT asked, 'not_found', NULL::text;
            CONTINUE;
        END IF;
        IF candidate.status = 'accepted' AND candidate.kept THEN
            RETURN QUERY SELECT asked, CASE verdict WHEN 'accepted' THEN 'accepted'
                                       ELSE 'conflict' END, candidate.term_id;
            CONTINUE;
        END IF;
        entry := NULL;
        IF verdict = 'accepted' THEN
            INSERT INTO glossary_terms (id, term, definition, language, domain,
                part_of_speech, source, sense, clearance_level, department)
            VALUES (gen_random_uuid()::text, coalesce(draft ->> 'term', candidate.term),
                coalesce(draft ->> 'definition', ''), candidate.language, draft ->> 'domain',
                draft ->> 'part_of_speech', coalesce(draft ->> 'source', 'extraction'),
                coalesce(draft ->> 'sense', ''),
                coalesce((draft ->> 'clearance_level')::smallint, candidate.clearance_level),
                coalesce(draft ->> 'department', nullif(candidate.department, '')))
            ON CONFLICT DO NOTHING RETURNING glossary_terms.id INTO entry;
            IF entry IS NULL THEN
                SELECT t.id INTO entry FROM glossary_terms AS t
                WHERE glossary_key(t.term, t.language, t.domain, t.sense) =
                      glossary_key(coalesce(draft ->> 'term', candidate.term), candidate.language,
                                   draft ->> 'domain', coalesce(draft ->> 'sense', ''))
                  AND glossary_readable(t.clearance_level, t.department, unlimited,
                                        clearance, every_department, own_department);
            END IF;
            IF entry IS NULL THEN
                RETURN QUERY SELECT asked, 'conflict', NULL::text;
                CONTINUE;
            END IF;
        END IF;
        IF verdict = 'open' THEN
            DELETE FROM glossary_verdicts AS v WHERE v.id = asked;
        ELSE
            INSERT INTO glossary_verdicts AS v (id, status, term_id, judged_by)
            VALUES (asked, verdict, entry, judge)
            ON CONFLICT ON CONSTRAINT glossary_verdicts_pkey DO UPDATE
                SET status = EXCLUDED.status, term_id = EXCLUDED.term_id,
                    judged_at = now(), judged_by = EXCLUDED.judged_by;
        END IF;
        RETURN QUERY SELECT asked, verdict, entry;
    END LOOP;
END $$;
