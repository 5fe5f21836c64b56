DROP TABLE job_items, jobs, job_workers;
DROP FUNCTION jobs_changed();
DROP FUNCTION job_hold(uuid, bigint);
