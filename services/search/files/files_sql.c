#include "services/search/files/files_sql.h"

#include "proto/readable.h"

const struct sh_pg_statement files_info = {
    "files_info",
    "SELECT encode(d.file_hash, 'hex'), d.file_name, d.file_type, d.file_size, "
    "d.page_count, extract(epoch FROM d.updated_at) FROM documents d "
    "WHERE d.id = $1 AND " STORE_READABLE("d.clearance_level", "d.department")};

const struct sh_pg_statement files_twin = {
    "files_twin",
    "SELECT d.id, d.chunk_count, "
    "(SELECT count(*) FROM chunks c JOIN pending_embeddings p ON p.chunk_id = c.id "
    "WHERE c.document_id = d.id), "
    "s.next - (s.next - d.xmin::text::bigint) % 4294967296, d.file_type, d.page_count "
    "FROM documents d, "
    "(SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next) s "
    "WHERE d.file_hash = decode($1, 'hex') AND d.collection = $6 AND " STORE_READABLE(
        "d.clearance_level", "d.department") " ORDER BY d.created_at, d.id LIMIT 1"};

const struct sh_pg_statement files_claim = {"files_claim",
                                            "SELECT file_claim(decode($1, 'hex'))"};

const struct sh_pg_statement files_release = {"files_release", "SELECT file_release($1)"};

const struct sh_pg_statement files_collect = {
    "files_collect", "SELECT encode(hash, 'hex'), lease::text FROM file_collect($1, $2)"};

const struct sh_pg_statement files_removed = {
    "files_removed", "SELECT file_removed(decode($1, 'hex'), $2::timestamptz, $3)"};

const struct sh_pg_statement files_sweep_begin = {
    "files_sweep_begin",
    "UPDATE file_sweeps SET next_at = now() + make_interval(secs => $1::int) "
    "WHERE next_at <= now() RETURNING 1"};

const struct sh_pg_statement files_expire = {
    "files_expire", "WITH gone AS (DELETE FROM file_claims "
                    "WHERE at < now() - make_interval(secs => $1::int) RETURNING hash) "
                    "INSERT INTO file_orphans (hash) SELECT hash FROM gone"};

const struct sh_pg_statement files_unknown = {
    "files_unknown",
    "INSERT INTO file_orphans (hash) SELECT f.hash "
    "FROM (SELECT decode(h, 'hex') AS hash FROM unnest($1::text[]) AS h) AS f "
    "WHERE NOT EXISTS (SELECT FROM documents d WHERE d.file_hash = f.hash) "
    "AND NOT EXISTS (SELECT FROM file_claims c WHERE c.hash = f.hash) "
    "AND NOT EXISTS (SELECT FROM file_orphans o WHERE o.hash = f.hash)"};
