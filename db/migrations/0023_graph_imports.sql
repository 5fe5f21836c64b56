-- Imports of the graph as jobs: what was uploaded, in the portions in which it is stored, until
-- it is. No foreign key to jobs: the portions come first, and whether there will be a job is not
-- known. What never got one goes when it is old (graph_import_stale).
CREATE TABLE graph_import_parts (
    import uuid        NOT NULL,
    number bigint      NOT NULL CHECK (number >= 0),
    part   bytea       NOT NULL,
    bytes  bigint      NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (import, number)
);
CREATE INDEX graph_import_parts_at ON graph_import_parts (at);

-- A day without a job that wants them.
CREATE FUNCTION graph_import_stale() RETURNS bigint LANGUAGE sql AS $$
    WITH gone AS (
        DELETE FROM graph_import_parts p WHERE p.at < now() - interval '1 day'
        AND NOT EXISTS (SELECT FROM jobs j WHERE j.kind = 'graph_import'
            AND j.key = replace(p.import::text, '-', '') AND j.state IN ('queued', 'running'))
        RETURNING 1)
    SELECT count(*) FROM gone
$$;
