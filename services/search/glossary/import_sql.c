#include "services/search/glossary/import_sql.h"

const struct sh_pg_statement import_store = {
    "glossary_import", "SELECT line, outcome FROM glossary_import($1::jsonb, $2::bool, "
                       "$3::int, $4::bool, $5::text, $6::bool)"};

const struct sh_pg_statement import_links = {
    "glossary_links", "INSERT INTO glossary_links (job_id, batch, links) VALUES ($1, "
                      "$2::bigint, $3::jsonb) ON CONFLICT DO NOTHING"};

const struct sh_pg_statement import_relate = {
    "glossary_relate",
    "WITH next AS (DELETE FROM glossary_links WHERE job_id = $1 AND batch = (SELECT "
    "min(batch) FROM glossary_links WHERE job_id = $1) RETURNING links) "
    "SELECT r.asked, r.missing, r.created FROM next n, LATERAL glossary_relate(n.links, "
    "$2::bool, $3::int, $4::bool, $5::text) AS r"};

const struct sh_pg_statement import_forget = {
    "glossary_links_forget", "DELETE FROM glossary_links WHERE job_id = $1"};
