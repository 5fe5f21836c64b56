#include "services/gateway/audit/store.h"

/* clang-format off */
const char audit_merge[] =
    AUDIT_TIMEOUT
    "CREATE TEMPORARY TABLE audit_rows ON COMMIT DROP AS "
    "SELECT " AUDIT_COLUMNS " FROM audit_log WITH NO DATA; "
    "COPY audit_rows FROM STDIN; "
    "INSERT INTO audit_log (" AUDIT_COLUMNS ") SELECT " AUDIT_COLUMNS " FROM audit_rows "
    "ON CONFLICT (chain, seq) DO NOTHING; "
    "INSERT INTO audit_heads AS h (chain, seq, hash, updated_at) "
    "SELECT DISTINCT ON (chain) chain, seq, hash, clock_timestamp() FROM audit_rows "
    "ORDER BY chain, seq DESC" AUDIT_MOVE_HEADS;

const struct sh_pg_statement audit_recent_heads = {
    "audit_heads",
    "SELECT chain, seq, hash FROM audit_heads WHERE chain <> $1 "
    "ORDER BY updated_at DESC LIMIT 64"};

const struct sh_pg_statement audit_find_cuts = {
    "audit_cuts",
    "SELECT chain, seq, hash, gone FROM "
    "audit_cuts(clock_timestamp() - make_interval(days => $1::int)) ORDER BY chain"};

const struct sh_pg_statement audit_cut_chain = {
    "audit_cut", "SELECT audit_cut($1, $2::bigint)"};

const struct sh_pg_statement audit_page = {
    "audit_page",
    "SELECT id, at_us, row_to_json(r)::text "
    "FROM (SELECT id, to_char(at AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS timestamp, "
    "user_id, user_role, department, auth, action, target, status, outcome, "
    "success_status, code, query_hash, query, filters_applied, "
    "nullif(results_returned, -1) AS results_returned, response_time, ip_address, "
    "user_agent, request_id, detail, chain, seq, hash, "
    "(extract(epoch FROM at) * 1000000)::bigint AS at_us FROM audit_log "
    "WHERE ($1 = '' OR user_id = $1) AND ($2 = '' OR action = $2) "
    "AND ($3 = '' OR outcome = $3) "
    "AND ($9 = '' OR (action = ANY ($10::text[])) = ($9 = 'in') OR outcome = $11) "
    "AND at >= timestamptz 'epoch' + $4::bigint * interval '1 microsecond' "
    "AND at < timestamptz 'epoch' + $5::bigint * interval '1 microsecond' "
    "AND (at, id) < (timestamptz 'epoch' + $6::bigint * interval '1 microsecond', "
    "$7::bigint) ORDER BY at DESC, id DESC LIMIT $8::int) AS r"};

const char audit_columns[] =
    "chain, seq, (extract(epoch FROM at) * 1000000)::bigint, request_id, user_id, "
    "user_role, department, auth, action, target, status, outcome, code, query_hash, "
    "query, filters_applied, results_returned, response_us, ip_address, user_agent, "
    "detail, key_id, prev, hash";
/* clang-format on */
