DROP TABLE job_items, jobs, job_workers;
DROP FUNCTION jobs_changed();
DROP FUNCTION job_hold(uuid, bigint);
CREATE OR REPLACE FUNCTION outbox_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_NAME, '');
    RETURN NULL;
END $$;
