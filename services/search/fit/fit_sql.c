#include "services/search/fit/fit_sql.h"

const struct sh_pg_statement fit_count = {"fit_count", "SELECT count(*) FROM chunks"};

/* A share of the passages is chosen by their ids: every fit chooses the same ones. */
const struct sh_pg_statement fit_page = {
    "fit_page", "SELECT id, embed_prefix || text FROM chunks WHERE id > $1 "
                "AND mod(abs(hashtext(id)::bigint), 1000000) < $3::bigint "
                "ORDER BY id LIMIT $2"};

const struct sh_pg_statement fit_store = {
    "fit_store", "INSERT INTO fitted_models AS f (fingerprint, dimension, terms, texts, "
                 "corpus, bytes) "
                 "VALUES ($1, $2, $3, $4, $5, $6) "
                 "ON CONFLICT (fingerprint) DO UPDATE SET corpus = EXCLUDED.corpus "
                 "RETURNING complete"};

const struct sh_pg_statement fit_piece = {
    "fit_piece", "INSERT INTO fitted_model_pieces (fingerprint, seq, piece) "
                 "VALUES ($1, $2, $3) ON CONFLICT (fingerprint, seq) "
                 "DO UPDATE SET piece = EXCLUDED.piece"};

const struct sh_pg_statement fit_finish = {
    "fit_finish",
    "UPDATE fitted_models f SET complete = true WHERE f.fingerprint = $1 AND f.bytes = "
    "(SELECT sum(octet_length(p.piece)) FROM fitted_model_pieces p "
    "WHERE p.fingerprint = f.fingerprint) RETURNING 1"};

/* A day is more than any job needs until a generation of the model has begun. */
const struct sh_pg_statement fit_tidy = {
    "fit_tidy",
    "DELETE FROM fitted_models f WHERE f.created_at < now() - interval '1 day' "
    "AND NOT EXISTS (SELECT FROM models m WHERE m.fingerprint = "
    "f.fingerprint)"};

const struct sh_pg_statement fit_read = {
    "fit_read", "SELECT f.bytes, p.piece FROM fitted_models f "
                "LEFT JOIN fitted_model_pieces p ON p.fingerprint = f.fingerprint "
                "AND p.seq = $2 WHERE f.fingerprint = $1 AND f.complete"};

/* Not again soon after a build that was given up, whatever the reason. */
const struct sh_pg_statement fit_growth = {
    "fit_growth",
    "SELECT n.passages, n.corpus FROM (SELECT f.corpus, (SELECT count(*) FROM chunks) AS "
    "passages FROM models m JOIN fitted_models f ON f.fingerprint = m.fingerprint "
    "WHERE m.state = 'live') n "
    "WHERE n.passages > n.corpus * (1 + $1::double precision) AND NOT EXISTS "
    "(SELECT FROM jobs WHERE kind = 'reindex' AND created_at > now() - interval '1 "
    "hour')"};
