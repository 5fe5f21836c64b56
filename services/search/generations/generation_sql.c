#include "services/search/generations/generation_sql.h"

const struct sh_pg_statement generation_list = {
    "generation_list",
    "SELECT m.fingerprint, m.name, m.provider, m.dimension, m.alpha, m.state, "
    "(SELECT count(*) FROM chunk_vectors v WHERE v.fingerprint = m.fingerprint), "
    "CASE WHEN m.state = 'live' THEN (SELECT count(*) FROM pending_embeddings) "
    "ELSE (SELECT count(*) FROM generation_pending g WHERE g.fingerprint = "
    "m.fingerprint) "
    "END, CASE WHEN m.state = 'live' "
    "THEN (SELECT count(*) FROM pending_embeddings WHERE error IS NOT NULL) "
    "ELSE (SELECT count(*) FROM generation_pending g WHERE g.fingerprint = m.fingerprint "
    "AND g.error IS NOT NULL) END, "
    "extract(epoch FROM m.created_at), extract(epoch FROM m.built_at), "
    "extract(epoch FROM m.activated_at), m.previous, m.card::text FROM models m "
    "ORDER BY m.state = 'live' DESC, m.created_at DESC, m.fingerprint LIMIT 64"};

const struct sh_pg_statement generation_states = {
    "generation_states",
    "SELECT m.fingerprint, m.name, m.state, (SELECT count(*) FROM generation_pending g "
    "WHERE g.fingerprint = m.fingerprint) FROM models m ORDER BY m.created_at LIMIT 64"};

/* One that was retired is completed; what it has stays. */
const struct sh_pg_statement generation_begin = {
    "generation_begin",
    "INSERT INTO models AS m (fingerprint, name, provider, dimension, alpha, card, "
    "state) "
    "VALUES ($1, $2, $3, $4, $5, $6, 'building') ON CONFLICT (fingerprint) DO UPDATE "
    "SET alpha = EXCLUDED.alpha, card = EXCLUDED.card, "
    "state = CASE WHEN m.state IN ('live', 'dropping') THEN m.state ELSE 'building' END"};

const struct sh_pg_statement generation_mark = {
    "generation_mark",
    "WITH page AS (SELECT id FROM chunks WHERE id > $2 ORDER BY id LIMIT $3), "
    "owed AS (INSERT INTO generation_pending (fingerprint, chunk_id) "
    "SELECT $1, p.id FROM page p WHERE NOT EXISTS (SELECT FROM chunk_vectors v "
    "WHERE v.chunk_id = p.id AND v.fingerprint = $1) ON CONFLICT DO NOTHING RETURNING 1) "
    "SELECT max(id), (SELECT count(*) FROM owed) FROM page HAVING max(id) IS NOT NULL"};

const struct sh_pg_statement generation_figures = {
    "generation_figures",
    "SELECT m.state, count(g.chunk_id) FILTER (WHERE g.error IS NULL), "
    "count(g.chunk_id) FILTER (WHERE g.error IS NOT NULL) FROM models m "
    "LEFT JOIN generation_pending g ON g.fingerprint = m.fingerprint "
    "WHERE m.fingerprint = $1 GROUP BY m.state"};

const struct sh_pg_statement generation_total = {"generation_total",
                                                 "SELECT count(*) FROM chunks"};

const struct sh_pg_statement generation_finish = {
    "generation_finish",
    "UPDATE models SET state = 'ready', built_at = clock_timestamp() "
    "WHERE fingerprint = $1 AND state = 'building'"};

const struct sh_pg_statement generation_give_up = {
    "generation_give_up",
    "WITH given_up AS (UPDATE models SET state = 'retired' "
    "WHERE fingerprint = $1 AND state = 'building' RETURNING fingerprint) "
    "DELETE FROM generation_pending g USING given_up u "
    "WHERE g.fingerprint = u.fingerprint"};

const struct sh_pg_statement generation_activate = {"generation_activate",
                                                    "SELECT generation_activate($1)"};

const struct sh_pg_statement generation_one = {
    "generation_one",
    "SELECT fingerprint, name, provider, dimension, alpha, (SELECT count(*) "
    "FROM chunk_vectors v WHERE v.fingerprint = m.fingerprint) FROM models m "
    "WHERE fingerprint = $1"};

const struct sh_pg_statement generation_scan = {
    "generation_scan",
    "SELECT v.chunk_id, c.document_id, v.vector FROM chunk_vectors v "
    "JOIN chunks c ON c.id = v.chunk_id WHERE v.fingerprint = $1 AND v.chunk_id > $2 "
    "ORDER BY v.chunk_id LIMIT $3"};

const struct sh_pg_statement generation_previous = {
    "generation_previous",
    "SELECT previous FROM models WHERE state = 'live' AND previous IS NOT NULL"};

/* --- passages that are owed a vector ---------------------------------------------- */

const struct sh_pg_statement generation_claim = {
    "generation_claim",
    "WITH chosen AS (SELECT m.fingerprint FROM models m "
    "WHERE m.state IN ('building', 'ready') AND EXISTS (SELECT FROM generation_pending g "
    "WHERE g.fingerprint = m.fingerprint AND g.next_attempt_at <= now()) "
    "ORDER BY m.created_at LIMIT 1), "
    "picked AS (SELECT g.fingerprint, g.chunk_id FROM generation_pending g "
    "JOIN chosen USING (fingerprint) WHERE g.next_attempt_at <= now() "
    "ORDER BY g.next_attempt_at LIMIT $1 FOR UPDATE OF g SKIP LOCKED), "
    "claimed AS (UPDATE generation_pending g SET attempts = g.attempts + 1, "
    "next_attempt_at = now() + make_interval(secs => $2::int) FROM picked p "
    "WHERE g.fingerprint = p.fingerprint AND g.chunk_id = p.chunk_id "
    "RETURNING g.fingerprint, g.chunk_id) "
    "SELECT c.id, c.embed_prefix || c.text, c.text_hash, m.fingerprint, m.name, "
    "m.provider, m.dimension FROM claimed JOIN chunks c ON c.id = claimed.chunk_id "
    "JOIN models m ON m.fingerprint = claimed.fingerprint"};

/* An activation waits for this, and this for it: whether views are told of the vectors is
 * then certain. */
const struct sh_pg_statement generation_lock = {
    "generation_lock", "SELECT FROM models WHERE fingerprint = $1 FOR SHARE"};

const struct sh_pg_statement generation_done = {
    "generation_done",
    "DELETE FROM generation_pending g USING chunks c, "
    "unnest($1::text[], $2::bytea[]) AS e (id, hash) WHERE g.fingerprint = $3 "
    "AND g.chunk_id = e.id AND c.id = e.id AND c.text_hash IS NOT DISTINCT FROM e.hash"};

const struct sh_pg_statement generation_failed = {
    "generation_failed",
    "UPDATE generation_pending SET error = $2, next_attempt_at = now() + "
    "least(interval '1 hour', interval '15 seconds' * power(2, least(attempts, 10))) "
    "WHERE fingerprint = $3 AND chunk_id = ANY ($1::text[])"};

const struct sh_pg_statement generation_release = {
    "generation_release",
    "UPDATE generation_pending SET attempts = greatest(attempts - 1, 0), "
    "next_attempt_at = now() WHERE fingerprint = $2 AND chunk_id = ANY ($1::text[])"};

/* --- removing --------------------------------------------------------------------- */

const struct sh_pg_statement generation_drop_begin = {
    "generation_drop_begin",
    "UPDATE models SET state = CASE WHEN state IN ('ready', 'retired') THEN 'dropping' "
    "ELSE state END WHERE fingerprint = $1 RETURNING state"};

const struct sh_pg_statement generation_drop_some = {
    "generation_drop_some",
    "WITH gone AS (DELETE FROM chunk_vectors v USING (SELECT chunk_id FROM chunk_vectors "
    "WHERE fingerprint = $1 LIMIT $2::int) AS batch WHERE v.fingerprint = $1 "
    "AND v.chunk_id = batch.chunk_id RETURNING 1) SELECT count(*) FROM gone"};

const struct sh_pg_statement generation_drop_end = {
    "generation_drop_end",
    "DELETE FROM models WHERE fingerprint = $1 AND state = 'dropping'"};
