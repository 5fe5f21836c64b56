DROP FUNCTION glossary_judge(uuid[], boolean, integer, boolean, text, text, text, jsonb);
DROP FUNCTION glossary_candidate_seen(jsonb, boolean, integer, boolean, text);
DROP FUNCTION glossary_readable(integer, text, boolean, integer, boolean, text);
DROP FUNCTION glossary_candidate_id(text, text);
DROP TABLE glossary_verdicts;
DROP TABLE glossary_candidates;
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
