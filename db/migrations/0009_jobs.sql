-- Jobs: work that outlives the process that does it (libshared/include/shared/jobs.h).

-- Who does work. Whoever does not renew in time is removed by the others, and with it every
-- claim; its reports are then of no effect, because they name a worker that holds nothing.
CREATE TABLE job_workers (
    id          bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    alive_until timestamptz NOT NULL
);

-- `worker` is who runs a job of style 'steps'; `cursor` where the next runner goes on.
-- `caller` is whose rights the job has, in a form that only its kind reads.
-- `waiting_bytes`: payloads in the queue. `open_until`: while not sealed, when to give up.
CREATE TABLE jobs (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    kind          text        NOT NULL CHECK (kind <> ''),
    style         text        NOT NULL CHECK (style IN ('items', 'steps')),
    state         text        NOT NULL DEFAULT 'queued'
                  CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    key           text,
    params        jsonb       NOT NULL DEFAULT '{}',
    cursor        jsonb,
    result        jsonb,
    done          bigint      NOT NULL DEFAULT 0 CHECK (done >= 0),
    failed        bigint      NOT NULL DEFAULT 0 CHECK (failed >= 0),
    total         bigint      NOT NULL DEFAULT 0 CHECK (total >= 0),
    waiting_bytes bigint      NOT NULL DEFAULT 0,
    error_code    text,
    error         text,
    caller        bytea       NOT NULL DEFAULT '',
    created_by    text        NOT NULL DEFAULT '',
    sealed        boolean     NOT NULL,
    open_until    timestamptz NOT NULL DEFAULT now() + interval '2 minutes',
    cancel        boolean     NOT NULL DEFAULT false,
    worker        bigint,
    attempts      integer     NOT NULL DEFAULT 0,
    not_before    timestamptz NOT NULL DEFAULT now(),
    version       bigint      NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at    timestamptz,
    finished_at   timestamptz,
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (style = 'steps' OR done + failed <= total)
);
CREATE UNIQUE INDEX jobs_key ON jobs (kind, key) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_active ON jobs (kind, created_at) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_created ON jobs (created_at DESC, id);
CREATE INDEX jobs_created_by ON jobs (created_by, created_at DESC, id);
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_worker ON jobs (worker) WHERE worker IS NOT NULL;

-- What is done goes from here; what failed stays, for its error and for a retry. Items of one
-- job and `turn` are done one after the other. No foreign key: it would cost a look-up for each
-- row, and items go in portions, before their job.
CREATE TABLE job_items (
    job_id     uuid        NOT NULL,
    seq        bigint      NOT NULL,
    label      text        NOT NULL DEFAULT '',
    payload    bytea       NOT NULL DEFAULT '',
    turn       bigint,
    worker     bigint,
    attempts   integer     NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT now(),
    failed     boolean     NOT NULL DEFAULT false,
    error_code text,
    error      text,
    PRIMARY KEY (job_id, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);
CREATE INDEX job_items_queued ON job_items (job_id, seq) WHERE worker IS NULL AND NOT failed;
CREATE INDEX job_items_turn ON job_items (job_id, turn, seq) WHERE turn IS NOT NULL AND NOT failed;
CREATE INDEX job_items_failed ON job_items (job_id, seq) WHERE failed;
CREATE INDEX job_items_worker ON job_items (worker) WHERE worker IS NOT NULL;

-- The one place where a job of items ends, and where everybody is told what changed: on the
-- channel 'jobs' the id, and 'work' when there is something to take.
CREATE FUNCTION jobs_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM pg_notify('jobs', 'work');
        RETURN NULL;
    END IF;
    IF NEW.style = 'items' AND NEW.sealed AND NEW.state IN ('queued', 'running')
            AND NEW.done + NEW.failed >= NEW.total THEN
        NEW.state := CASE WHEN NEW.failed > 0 AND NEW.done = 0 THEN 'failed' ELSE 'done' END;
    END IF;
    IF NEW.state IN ('queued', 'running') THEN
        NEW.finished_at := NULL;
    ELSIF NEW.finished_at IS NULL THEN
        NEW.finished_at := clock_timestamp();
    END IF;
    IF (NEW.state, NEW.done, NEW.failed, NEW.total, NEW.cancel, NEW.cursor, NEW.result)
            IS DISTINCT FROM
       (OLD.state, OLD.done, OLD.failed, OLD.total, OLD.cancel, OLD.cursor, OLD.result) THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := clock_timestamp();
        PERFORM pg_notify('jobs', NEW.id::text);
        IF NEW.kind = 'ingest' AND NEW.done > OLD.done THEN
            PERFORM pg_notify('search_outbox', ''); -- for all that were quiet, see below
        END IF;
    END IF;
    IF NEW.state IN ('queued', 'running') AND (NEW.total > OLD.total OR NEW.failed < OLD.failed
            OR OLD.state NOT IN ('queued', 'running')
            OR (NEW.worker IS NULL AND OLD.worker IS NOT NULL)) THEN
        PERFORM pg_notify('jobs', 'work');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER jobs_added AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION jobs_changed();
CREATE TRIGGER jobs_changed BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION jobs_changed();

-- The first statement of a checkpoint: nothing after it happens for a worker that lost the job.
CREATE FUNCTION job_hold(job uuid, holder bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM jobs WHERE id = job AND worker = holder FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the job is not held any more' USING ERRCODE = 'CJ001';
    END IF;
END $$;

-- Transactions that notify commit one after the other, each with its own write to the disk.
-- Those of a bulk load leave it to whoever counts them.
CREATE OR REPLACE FUNCTION outbox_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('cairn.quiet', true) IS DISTINCT FROM 'on' THEN
        PERFORM pg_notify(TG_TABLE_NAME, '');
    END IF;
    RETURN NULL;
END $$;
