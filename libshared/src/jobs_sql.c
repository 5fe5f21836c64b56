#include "jobs_sql.h"

#define ACTIVE "state IN ('queued', 'running')"

const struct sh_pg_statement jobs_enlist = {
    "jobs_enlist", "INSERT INTO job_workers (alive_until) "
                   "VALUES (now() + make_interval(secs => $1::float8)) RETURNING id"};

const struct sh_pg_statement jobs_renew = {
    "jobs_renew", "UPDATE job_workers SET alive_until = now() + "
                  "make_interval(secs => $2::float8) WHERE id = $1::bigint RETURNING id"};

const struct sh_pg_statement jobs_leave = {
    "jobs_leave", "DELETE FROM job_workers WHERE id = $1::bigint"};

/* The next two need a snapshot from after this one: it waits for claims of the worker
 * that are under way. */
const struct sh_pg_statement jobs_reap = {
    "jobs_reap", "DELETE FROM job_workers WHERE alive_until < now()"};

const struct sh_pg_statement jobs_free_items = {
    "jobs_free_items",
    "WITH freed AS (UPDATE job_items SET worker = NULL WHERE worker IS NOT NULL "
    "AND NOT EXISTS (SELECT FROM job_workers w WHERE w.id = worker) RETURNING 1) "
    "SELECT pg_notify('jobs', 'work') WHERE EXISTS (SELECT FROM freed)"};

const struct sh_pg_statement jobs_free_runs = {
    "jobs_free_runs", "UPDATE jobs SET worker = NULL WHERE worker IS NOT NULL "
                      "AND NOT EXISTS (SELECT FROM job_workers w WHERE w.id = worker)"};

const struct sh_pg_statement jobs_abandon = {
    "jobs_abandon",
    "UPDATE jobs SET state = 'cancelled', cancel = true, waiting_bytes = 0, "
    "error_code = 'ABANDONED', error = 'nobody went on adding to it' "
    "WHERE style = 'items' AND NOT sealed AND open_until < now() AND " ACTIVE};

/* Some at a time: no transaction takes long. */
const struct sh_pg_statement jobs_trim_items = {
    "jobs_trim_items",
    "DELETE FROM job_items WHERE (job_id, seq) IN (SELECT i.job_id, i.seq FROM jobs j "
    "JOIN job_items i ON i.job_id = j.id WHERE i.worker IS NULL AND (j.state = "
    "'cancelled' "
    "OR j.finished_at < now() - make_interval(hours => $1::int)) LIMIT 5000)"};

const struct sh_pg_statement jobs_trim = {
    "jobs_trim",
    "DELETE FROM jobs WHERE id IN (SELECT j.id FROM jobs j WHERE j.finished_at < now() - "
    "make_interval(hours => $1::int) AND NOT EXISTS (SELECT FROM job_items i "
    "WHERE i.job_id = j.id) LIMIT 1000)"};

/* --- items ------------------------------------------------------------------------ */

/* One of the jobs that have something, by chance, so that a long one does not hold up the
 * others. The key-share lock on the worker keeps it from being removed meanwhile. */
const struct sh_pg_statement jobs_claim_items = {
    "jobs_claim_items",
    "WITH me AS (SELECT id FROM job_workers WHERE id = $1::bigint FOR KEY SHARE), "
    "picked AS MATERIALIZED (SELECT i.job_id, i.seq, octet_length(i.payload) AS bytes "
    "FROM job_items i WHERE i.job_id = (SELECT j.id FROM jobs j WHERE j.kind = $2 "
    "AND j.style = 'items' AND j.state IN ('queued', 'running') AND EXISTS (SELECT FROM "
    "job_items q WHERE q.job_id = j.id AND q.worker IS NULL AND NOT q.failed "
    "AND q.not_before <= now()) ORDER BY random() LIMIT 1) "
    "AND i.worker IS NULL AND NOT i.failed AND i.not_before <= now() "
    "AND (i.turn IS NULL OR NOT EXISTS (SELECT FROM job_items e WHERE e.job_id = "
    "i.job_id AND e.turn = i.turn AND e.seq < i.seq AND NOT e.failed)) "
    "ORDER BY i.seq LIMIT $3::int FOR UPDATE SKIP LOCKED), "
    "fit AS (SELECT job_id, seq FROM (SELECT job_id, seq, sum(bytes) OVER (ORDER BY seq) "
    "AS upto, row_number() OVER (ORDER BY seq) AS n FROM picked) AS p "
    "WHERE upto <= $4::bigint OR n = 1), "
    "taken AS (UPDATE job_items i SET worker = me.id, attempts = i.attempts + 1 "
    "FROM fit, me WHERE i.job_id = fit.job_id AND i.seq = fit.seq "
    "RETURNING i.job_id, i.seq, i.label, i.payload, i.attempts), "
    "begun AS (UPDATE jobs SET state = 'running', "
    "started_at = coalesce(started_at, clock_timestamp()) "
    "WHERE id IN (SELECT job_id FROM taken) AND state = 'queued') "
    "SELECT t.job_id::text, t.seq::text, t.label, t.payload, t.attempts::text, j.caller "
    "FROM taken t JOIN jobs j ON j.id = t.job_id ORDER BY t.seq"};

/* By this worker, in a form that no index has: items are looked for by their numbers.
 * While a load fills the table the planner thinks that a worker holds next to nothing,
 * and would read all that it ever held. */
#define HELD "worker IS NOT DISTINCT FROM $1::bigint"

/* What another worker took over meanwhile is not there for this one: nothing counts
 * twice.
 */
const struct sh_pg_statement jobs_items_done = {
    "jobs_items_done",
    "WITH gone AS (DELETE FROM job_items WHERE " HELD " AND job_id = $2::uuid "
    "AND seq = ANY ($3::bigint[]) RETURNING octet_length(payload) AS bytes) "
    "UPDATE jobs SET done = done + n, waiting_bytes = greatest(waiting_bytes - b, 0) "
    "FROM (SELECT count(*) AS n, coalesce(sum(bytes), 0) AS b FROM gone) AS g "
    "WHERE id = $2::uuid AND n > 0"};

const struct sh_pg_statement jobs_items_failed = {
    "jobs_items_failed",
    "WITH bad AS (UPDATE job_items i SET failed = true, worker = NULL, "
    "error_code = r.code, error = r.message "
    "FROM unnest($3::bigint[], $4::text[], $5::text[]) AS r(seq, code, message) "
    "WHERE " HELD " AND i.job_id = $2::uuid AND i.seq = r.seq "
    "RETURNING octet_length(i.payload) AS bytes) "
    "UPDATE jobs SET failed = failed + n, waiting_bytes = greatest(waiting_bytes - b, 0) "
    "FROM (SELECT count(*) AS n, coalesce(sum(bytes), 0) AS b FROM bad) AS g "
    "WHERE id = $2::uuid AND n > 0"};

/* After 1, 2, 4 … 60 s. */
const struct sh_pg_statement jobs_items_later = {
    "jobs_items_later",
    "UPDATE job_items i SET worker = NULL, not_before = now() + "
    "make_interval(secs => least(power(2, i.attempts - 1), 60)), "
    "error_code = r.code, error = r.message "
    "FROM unnest($3::bigint[], $4::text[], $5::text[]) AS r(seq, code, message) "
    "WHERE " HELD " AND i.job_id = $2::uuid AND i.seq = r.seq"};

/* --- steps ------------------------------------------------------------------------ */

const struct sh_pg_statement jobs_claim_run = {
    "jobs_claim_run",
    "WITH me AS (SELECT id FROM job_workers WHERE id = $1::bigint FOR KEY SHARE), "
    "picked AS (SELECT id FROM jobs WHERE kind = $2 AND style = 'steps' "
    "AND worker IS NULL AND not_before <= now() AND " ACTIVE
    " ORDER BY created_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) "
    "UPDATE jobs j SET worker = me.id, state = 'running', attempts = attempts + 1, "
    "started_at = coalesce(started_at, clock_timestamp()) FROM picked, me "
    "WHERE j.id = picked.id RETURNING j.id::text, j.params::text, j.cursor::text, "
    "j.caller, j.cancel::int::text, j.attempts::text"};

const struct sh_pg_statement jobs_run_hold = {"jobs_run_hold",
                                              "SELECT job_hold($1::uuid, $2::bigint)"};

const struct sh_pg_statement jobs_run_save = {
    "jobs_run_save",
    "UPDATE jobs SET cursor = $2::jsonb, done = $3::bigint, failed = $4::bigint, "
    "total = $5::bigint, attempts = 0 WHERE id = $1::uuid RETURNING cancel::int"};

const struct sh_pg_statement jobs_run_end = {
    "jobs_run_end",
    "UPDATE jobs SET state = $3, result = coalesce($4::jsonb, result), error_code = $5, "
    "error = $6, worker = NULL, "
    "not_before = now() + make_interval(secs => $7::float8 / 1000), "
    "attempts = CASE $3 WHEN 'queued' THEN greatest(attempts - 1, 0) ELSE attempts END "
    "WHERE id = $1::uuid AND worker = $2::bigint"};

const struct sh_pg_statement jobs_run_wanted = {
    "jobs_run_wanted", "SELECT id FROM jobs WHERE worker = $1::bigint AND cancel"};

/* --- asking ----------------------------------------------------------------------- */

const struct sh_pg_statement jobs_add = {
    "jobs_add",
    "INSERT INTO jobs (kind, style, sealed, params, key, caller, created_by, file_name) "
    "SELECT $1, $2, $2 = 'steps', coalesce($3::jsonb, '{}'), $4, $5, $6, $8 "
    "WHERE $7::bigint = 0 OR (SELECT count(*) FROM jobs WHERE created_by = $6 "
    "AND " ACTIVE ") < $7::bigint RETURNING id, state, total"};

/* The order is what the key stands for. */
#define ORDER_HASH "sha256(convert_to(concat_ws(E'\\n', $1::text, $3::text), 'UTF8'))"

const struct sh_pg_statement jobs_add_keyed = {
    "jobs_add_keyed",
    "WITH old AS (DELETE FROM write_keys WHERE key IN (SELECT key FROM write_keys "
    "WHERE created_at < now() - interval '1 day' ORDER BY created_at LIMIT 20 "
    "FOR UPDATE SKIP LOCKED)), "
    "made AS (INSERT INTO jobs (kind, style, sealed, params, key, caller, created_by, "
    "file_name) SELECT $1::text, $2, $2 = 'steps', coalesce($3::text::jsonb, '{}'), "
    "$4, $5, $6, $8 "
    "WHERE ($7::bigint = 0 OR (SELECT count(*) FROM jobs WHERE created_by = $6 "
    "AND " ACTIVE ") < $7::bigint) AND NOT EXISTS (SELECT FROM write_keys "
    "WHERE key = $9) RETURNING id, state, total), "
    "kept AS (INSERT INTO write_keys (key, document_id, content_hash, chunks) "
    "SELECT $9, id::text, " ORDER_HASH ", 0 FROM made) "
    "SELECT id, state, total FROM made"};

/* Whoever has it sees, in the statements after it, what others made under it. */
const struct sh_pg_statement jobs_key_lock = {
    "jobs_key_lock", "SELECT pg_advisory_xact_lock(hashtext('write_key'), "
                     "hashtext(encode($1::bytea, 'hex')))"};

const struct sh_pg_statement jobs_keyed = {
    "jobs_keyed",
    "SELECT w.document_id, coalesce(j.state, 'done'), coalesce(j.total, 0), "
    "(w.content_hash = sha256(convert_to(concat_ws(E'\\n', $2::text, $3::text), "
    "'UTF8')))::int FROM write_keys w LEFT JOIN jobs j ON j.id::text = w.document_id "
    "WHERE w.key = $1"};

const struct sh_pg_statement jobs_look = {
    "jobs_look", "SELECT id, state, total, sealed::int FROM jobs WHERE id = $1::uuid"};

/* So that the next statement has a snapshot in which nobody else is at work on it. */
const struct sh_pg_statement jobs_lock = {
    "jobs_lock", "SELECT FROM jobs WHERE id = $1::uuid FOR NO KEY UPDATE"};

const struct sh_pg_statement jobs_append = {
    "jobs_append",
    "WITH room AS (SELECT coalesce(sum(waiting_bytes), 0) < $7::bigint AS ok FROM jobs "
    "WHERE " ACTIVE "), "
    "added AS (INSERT INTO job_items (job_id, seq, label, payload, turn, failed, "
    "error_code, error) SELECT j.id, j.total + r.n - 1, r.label, "
    "coalesce(r.payload, ''), nullif(r.turn, '')::bigint, "
    "r.code IS NOT NULL, r.code, r.message FROM room, jobs j, "
    "unnest($3::text[], $4::bytea[], $5::text[], $6::text[], $8::text[]) "
    "WITH ORDINALITY AS r(label, payload, code, message, turn, n) WHERE room.ok AND j.id "
    "= $1::uuid "
    "AND j.total = $2::bigint AND j.style = 'items' AND NOT j.sealed AND j." ACTIVE
    " RETURNING octet_length(payload) AS bytes, failed) "
    "UPDATE jobs j SET total = total + n, failed = j.failed + f, "
    "waiting_bytes = waiting_bytes + b, open_until = now() + interval '2 minutes' "
    "FROM (SELECT count(*) AS n, count(*) FILTER (WHERE failed) AS f, "
    "coalesce(sum(bytes), 0) AS b FROM added) AS a, room "
    "WHERE j.id = $1::uuid AND j.style = 'items' AND NOT j.sealed AND j." ACTIVE
    " RETURNING j.id, j.state, j.total, room.ok::int"};

const struct sh_pg_statement jobs_seal = {
    "jobs_seal", "UPDATE jobs SET sealed = true WHERE id = $1::uuid AND NOT sealed "
                 "AND total = $2::bigint AND " ACTIVE " RETURNING id, state, total"};

const struct sh_pg_statement jobs_cancel = {
    "jobs_cancel",
    "UPDATE jobs SET cancel = true, not_before = now(), "
    "waiting_bytes = CASE style WHEN 'items' THEN 0 ELSE waiting_bytes END, "
    "state = CASE WHEN style = 'items' OR started_at IS NULL THEN 'cancelled' "
    "ELSE state END WHERE id = $1::uuid AND " ACTIVE " RETURNING id, state, total"};

const struct sh_pg_statement jobs_retry_items = {
    "jobs_retry_items",
    "WITH again AS (UPDATE job_items SET failed = false, attempts = 0, not_before = "
    "now(), "
    "error_code = NULL, error = NULL WHERE job_id = $1::uuid AND failed "
    "AND payload <> '' AND EXISTS (SELECT FROM jobs WHERE id = $1::uuid "
    "AND state <> 'cancelled') RETURNING octet_length(payload) AS bytes) "
    "UPDATE jobs SET failed = failed - n, waiting_bytes = waiting_bytes + b, "
    "error_code = NULL, error = NULL, "
    "state = CASE WHEN " ACTIVE " THEN state ELSE 'queued' END "
    "FROM (SELECT count(*) AS n, coalesce(sum(bytes), 0) AS b FROM again) AS a "
    "WHERE id = $1::uuid AND n > 0 RETURNING id, state, total"};

const struct sh_pg_statement jobs_retry_run = {
    "jobs_retry_run",
    "UPDATE jobs SET state = 'queued', attempts = 0, worker = NULL, not_before = now(), "
    "error_code = NULL, error = NULL, result = NULL WHERE id = $1::uuid "
    "AND style = 'steps' AND state = 'failed' AND NOT cancel "
    "RETURNING id, state, total"};
