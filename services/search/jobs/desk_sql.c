#include "services/search/jobs/desk_sql.h"

#define COLUMNS                                                                          \
    "id, kind, state, done, failed, total, error_code, error, result, created_by, "      \
    "extract(epoch FROM created_at), extract(epoch FROM started_at), "                   \
    "extract(epoch FROM finished_at), version, file_name"

const struct sh_pg_statement desk_job = {
    "desk_job", "SELECT " COLUMNS " FROM jobs "
                "WHERE id = $1::uuid AND ($2::boolean OR created_by = $3)"};

/* Items are told one by one; a job of steps keeps what it could not take in "errors" of
 * its cursor, and at the end of its result: [{"item", "code", "error"}]. */
const struct sh_pg_statement desk_errors = {
    "desk_errors",
    "(SELECT label, error_code, error FROM job_items "
    "WHERE job_id = $1::uuid AND failed ORDER BY seq LIMIT 100) UNION ALL "
    "(SELECT e.value->>'item', e.value->>'code', e.value->>'error' "
    "FROM jobs j, jsonb_path_query(coalesce(j.result, j.cursor), "
    "'$.errors[*] ? (@.type() == \"object\")') WITH ORDINALITY AS e(value, number) "
    "WHERE j.id = $1::uuid AND j.style = 'steps' ORDER BY e.number LIMIT 100)"};

const struct sh_pg_statement desk_page = {
    "desk_page", "SELECT " COLUMNS ", count(*) OVER () FROM jobs "
                 "WHERE ($1 = '' OR state = $1) AND ($2 = '' OR kind = $2) "
                 "AND ($3::boolean OR created_by = $4) "
                 "ORDER BY created_at DESC, id OFFSET $5::bigint LIMIT $6::int"};
