#include "services/search/store/statements.h"

#include "proto/readable.h"
#include "shared/changefeed.h"
#include "shared/snapshot_keeper.h"

/* --- a document is put ------------------------------------------------------------ */

/* A row knows the lower half of its transaction's id; the upper half is that of the
 * newest transaction, or the one before. Lateral with OFFSET: one look into the index for
 * each, whatever the planner has heard of the table: while a load fills it, that is of an
 * empty one. */
const struct sh_pg_statement store_documents_lookup = {
    "documents_lookup",
    "SELECT encode(f.content_hash, 'hex'), f.chunk_count, f.pending, "
    "s.next - (s.next - f.xid) % 4294967296, f.clearance_level, f.department, "
    "f.chunk_count IS NOT NULL FROM "
    "(SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next) s, "
    "unnest($1::text[]) WITH ORDINALITY AS w (id, n) LEFT JOIN LATERAL "
    "(SELECT d.content_hash, d.chunk_count, d.clearance_level, d.department, "
    "d.xmin::text::bigint AS xid, (SELECT count(*) FROM chunks c "
    "JOIN pending_embeddings p ON p.chunk_id = c.id WHERE c.document_id = d.id) "
    "AS pending FROM documents d WHERE d.id = w.id OFFSET 0) f ON true ORDER BY w.n"};

const struct sh_pg_statement store_chunk_vectors = {
    "chunk_vectors",
    "SELECT c.text_hash, v.vector FROM chunks c JOIN chunk_vectors v ON v.chunk_id = "
    "c.id WHERE c.document_id = $1 AND v.fingerprint = $2 AND c.text_hash IS NOT NULL"};

/* The row locks that this takes make puts of one document wait for each other; in the
 * order in which others take them, so that nobody dead-locks. */
const struct sh_pg_statement store_documents_upsert = {
    "documents_upsert",
    "INSERT INTO documents AS d (id, title, collection, department, campus, priority, "
    "clearance_level, last_reviewed, language, metadata, content_hash, chunk_count, "
    "file_hash, file_name, file_type, file_size, page_count) "
    "SELECT p.id, p.title, p.collection, p.department, p.campus, p.priority, "
    "p.clearance, p.reviewed::timestamptz, p.language, p.metadata::jsonb, "
    "decode(p.hash, 'hex'), p.chunks, decode(p.file_hash, 'hex'), p.file_name, "
    "p.file_type, p.file_size::bigint, p.pages "
    "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], "
    "$7::int[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int[], "
    "$13::text[], $14::text[], $15::text[], $16::float8[], $17::int[]) AS p (id, title, "
    "collection, department, campus, priority, clearance, reviewed, language, metadata, "
    "hash, chunks, file_hash, file_name, file_type, file_size, pages) ORDER BY p.id "
    "ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, "
    "collection = EXCLUDED.collection, department = EXCLUDED.department, "
    "campus = EXCLUDED.campus, priority = EXCLUDED.priority, "
    "clearance_level = EXCLUDED.clearance_level, "
    "last_reviewed = EXCLUDED.last_reviewed, language = EXCLUDED.language, "
    "metadata = EXCLUDED.metadata, content_hash = EXCLUDED.content_hash, "
    "chunk_count = EXCLUDED.chunk_count, file_hash = EXCLUDED.file_hash, "
    "file_name = EXCLUDED.file_name, file_type = EXCLUDED.file_type, "
    "file_size = EXCLUDED.file_size, page_count = EXCLUDED.page_count "
    "RETURNING d.id, (xmax = 0)"};

const struct sh_pg_statement store_sections_drop = {"sections_drop",
                                                    STORE_DROP_OF_EACH("sections")};

const struct sh_pg_statement store_chunks_drop = {"chunks_drop",
                                                  STORE_DROP_OF_EACH("chunks")};

const struct sh_pg_statement store_sections_insert = {
    "sections_insert",
    "INSERT INTO sections (document_id, ordinal, title, text, page_number) "
    "SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::int[])"};

const struct sh_pg_statement store_chunks_insert = {
    "chunks_insert",
    "INSERT INTO chunks (id, document_id, ordinal, section_title, text, embed_prefix, "
    "page_number, tokens, text_hash) "
    "SELECT document || '#' || ordinal, c.* "
    "FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::int[], "
    "$7::int[], $8::bytea[]) "
    "AS c (document, ordinal, heading, text, prefix, page, tokens, hash)"};

const struct sh_pg_statement store_vectors_insert = {
    "vectors_insert", "INSERT INTO chunk_vectors (chunk_id, fingerprint, vector) "
                      "SELECT document || '#' || ordinal, ($4::text[])[1], vector "
                      "FROM unnest($1::text[], $2::int[], $3::bytea[]) "
                      "AS v (document, ordinal, vector)"};

const struct sh_pg_statement store_pending_insert = {
    "pending_insert", "INSERT INTO pending_embeddings (chunk_id) "
                      "SELECT document || '#' || ordinal "
                      "FROM unnest($1::text[], $2::int[]) AS p (document, ordinal)"};

const struct sh_pg_statement store_xid = {"xid", "SELECT pg_current_xact_id()::text"};

/* --- a document is read, listed, deleted ------------------------------------------ */

#define READABLE STORE_READABLE("d.clearance_level", "d.department")

#define DOCUMENT_COLUMNS                                                                 \
    "d.id, d.title, d.collection, d.metadata::text, extract(epoch FROM d.created_at), "  \
    "extract(epoch FROM d.updated_at), d.chunk_count, "                                  \
    "(SELECT count(*) FROM chunks c JOIN pending_embeddings p ON p.chunk_id = c.id "     \
    "WHERE c.document_id = d.id), encode(d.content_hash, 'hex'), "                       \
    "d.file_hash IS NOT NULL"

/* One statement, so that document and sections are of one moment. */
const struct sh_pg_statement store_document_get = {
    "document_get", "SELECT " DOCUMENT_COLUMNS ", s.title, s.text, s.page_number "
                    "FROM documents d LEFT JOIN sections s ON s.document_id = d.id "
                    "WHERE d.id = $1 AND " READABLE " ORDER BY s.ordinal"};

const struct sh_pg_statement store_document_list = {
    "document_list", "SELECT " DOCUMENT_COLUMNS " FROM documents d "
                     "WHERE ($1::text IS NULL OR d.collection = $1) AND " READABLE
                     " ORDER BY d.updated_at DESC, d.id LIMIT $6 OFFSET $7"};

const struct sh_pg_statement store_document_pick = {
    "document_pick",
    "SELECT " DOCUMENT_COLUMNS " FROM unnest($1::text[]) WITH ORDINALITY AS w (id, n) "
    "JOIN documents d ON d.id = w.id WHERE " READABLE " ORDER BY w.n"};

const struct sh_pg_statement store_document_count = {
    "document_count", "SELECT count(*) FROM documents d "
                      "WHERE ($1::text IS NULL OR d.collection = $1) AND " READABLE};

/* One row at least for a document that there is. */
const struct sh_pg_statement store_passages = {
    "passages",
    "SELECT d.chunk_count, p.page, c.id, c.section_title, c.text, c.page_number "
    "FROM documents d CROSS JOIN LATERAL (SELECT COALESCE((SELECT w.ordinal / $6::int + "
    "1 "
    "FROM chunks w WHERE w.id = $8::text AND w.document_id = d.id), $7::bigint) AS page) "
    "p "
    "LEFT JOIN chunks c ON c.document_id = d.id AND c.ordinal >= (p.page - 1) * $6::int "
    "AND c.ordinal < p.page * $6::int WHERE d.id = $1 AND " READABLE
    " ORDER BY c.ordinal"};

const struct sh_pg_statement store_document_delete = {
    "document_delete",
    "DELETE FROM documents d WHERE d.id = $1 AND " READABLE " RETURNING 1"};

/* --- the view --------------------------------------------------------------------- */

/* The cluster, its timeline (a restored or promoted copy has another one), the database,
 * and the tables, which a restored dump makes anew. */
const struct sh_pg_statement store_record = {
    "record", SH_KEEPER_RECORD_SQL("search_outbox",
                                   "'documents'::regclass::oid, 'chunks'::regclass::oid, "
                                   "'chunk_vectors'::regclass::oid")};

const struct sh_pg_statement store_position = {"position",
                                               SH_CHANGEFEED_START_SQL("search_outbox")};

/* At most so many documents, and about so many chunks, are read at a time. */
#define PAGE_DOCUMENTS "256"
#define PAGE_CHUNKS    "512"

/* What answers show: the columns are there whatever the document said of them. */
#define SHOWN_METADATA                                                                   \
    "(jsonb_build_object('department', d.department, 'campus', d.campus, 'priority', "   \
    "d.priority, 'clearance_level', d.clearance_level, 'last_reviewed', NULL) "          \
    "|| d.metadata)"

/* Lateral as above: pages are read while a load fills the tables. */
#define PAGE_OF(candidates)                                                              \
    "WITH page AS (SELECT id, last FROM (SELECT id, max(id) OVER () AS last, "           \
    "sum(chunk_count) OVER (ORDER BY id) - chunk_count AS before FROM (" candidates      \
    ") AS candidates) AS summed WHERE before < " PAGE_CHUNKS "), "                       \
    "lines AS (SELECT p.id, p.last, c.id AS chunk_id, c.ordinal, c.section_title, "      \
    "c.text, c.page_number, "                                                            \
    "row_number() OVER (PARTITION BY p.id ORDER BY c.ordinal) AS line "                  \
    "FROM page p LEFT JOIN chunks c ON c.document_id = p.id) "                           \
    "SELECT l.id, CASE WHEN l.line = 1 THEN l.last END, d.title, d.collection, "         \
    "d.department, d.campus, d.priority::int, d.clearance_level::int, " SHOWN_METADATA   \
    "::text, d.file_hash IS NOT NULL, l.chunk_id, l.ordinal, l.section_title, l.text, "  \
    "l.page_number, "                                                                    \
    "v.vector FROM lines l LEFT JOIN LATERAL (SELECT * FROM documents o "                \
    "WHERE o.id = l.id AND l.line = 1 OFFSET 0) d ON true "                              \
    "LEFT JOIN chunk_vectors v ON v.chunk_id = l.chunk_id AND v.fingerprint = $2 "       \
    "ORDER BY l.id, l.ordinal"

const struct sh_pg_statement store_page_all = {
    "page_all", PAGE_OF("SELECT id, chunk_count FROM documents WHERE id > $1 "
                        "ORDER BY id LIMIT " PAGE_DOCUMENTS)};

const struct sh_pg_statement store_page_changed = {
    "page_changed",
    PAGE_OF("SELECT d.id, d.chunk_count FROM unnest($3::text[]) AS w (id), "
            "LATERAL (SELECT id, chunk_count FROM documents o "
            "WHERE o.id = w.id AND o.id > $1 OFFSET 0) d")};

/* --- models and vectors that are missing ------------------------------------------ */

const struct sh_pg_statement store_model_live = {
    "model_live", "SELECT fingerprint, name, provider, dimension, alpha FROM models "
                  "WHERE state = 'live'"};

/* Two replicas that bind the first one at once: the index models_live stops the second.
 */
const struct sh_pg_statement store_model_bind = {
    "model_bind",
    "INSERT INTO models AS m (fingerprint, name, provider, dimension, alpha, card, "
    "state, built_at, activated_at) SELECT $1, $2, $3, $4, $5, $6, l.state, "
    "CASE WHEN l.state = 'live' THEN now() END, CASE WHEN l.state = 'live' THEN now() "
    "END FROM (SELECT CASE WHEN EXISTS (SELECT FROM models WHERE state = 'live') "
    "THEN 'retired' ELSE 'live' END) AS l (state) "
    "ON CONFLICT (fingerprint) DO UPDATE SET bound_at = now(), alpha = EXCLUDED.alpha, "
    "card = EXCLUDED.card, "
    "state = CASE WHEN EXCLUDED.state = 'live' THEN 'live' ELSE m.state END, "
    "built_at = coalesce(m.built_at, EXCLUDED.built_at), "
    "activated_at = coalesce(EXCLUDED.activated_at, m.activated_at)"};

const struct sh_pg_statement store_pending_sweep = {
    "pending_sweep",
    "INSERT INTO pending_embeddings (chunk_id) SELECT c.id FROM chunks c "
    "WHERE NOT EXISTS (SELECT FROM chunk_vectors v "
    "WHERE v.chunk_id = c.id AND v.fingerprint = $1) ON CONFLICT DO NOTHING"};

/* A claim is a lease: whoever dies with it loses it when it runs out. */
const struct sh_pg_statement store_pending_claim = {
    "pending_claim",
    "WITH claimed AS (UPDATE pending_embeddings SET attempts = attempts + 1, "
    "next_attempt_at = now() + make_interval(secs => $2::int) WHERE chunk_id IN "
    "(SELECT chunk_id FROM pending_embeddings WHERE next_attempt_at <= now() "
    "ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING chunk_id) "
    "SELECT c.id, c.embed_prefix || c.text, c.text_hash "
    "FROM claimed JOIN chunks c ON c.id = claimed.chunk_id"};

/* Before the next two: in the order in which puts lock, so that nobody dead-locks. */
const struct sh_pg_statement store_pending_lock = {
    "pending_lock", "SELECT FROM documents WHERE id IN (SELECT document_id FROM chunks "
                    "WHERE id = ANY ($1::text[])) ORDER BY id FOR SHARE"};

/* The document may have been replaced meanwhile: the hash must still be the same. */
const struct sh_pg_statement store_pending_store = {
    "pending_store",
    "INSERT INTO chunk_vectors (chunk_id, fingerprint, vector) "
    "SELECT c.id, $3, e.vector "
    "FROM unnest($1::text[], $2::bytea[], $4::bytea[]) AS e (id, hash, vector) "
    "JOIN chunks c ON c.id = e.id AND c.text_hash IS NOT DISTINCT FROM e.hash "
    "ON CONFLICT (chunk_id, fingerprint) DO UPDATE SET vector = EXCLUDED.vector"};

const struct sh_pg_statement store_pending_done = {
    "pending_done",
    "DELETE FROM pending_embeddings p USING chunks c, "
    "unnest($1::text[], $2::bytea[]) AS e (id, hash) WHERE p.chunk_id = e.id "
    "AND c.id = e.id AND c.text_hash IS NOT DISTINCT FROM e.hash"};

const struct sh_pg_statement store_pending_failed = {
    "pending_failed",
    "UPDATE pending_embeddings SET error = $2, next_attempt_at = now() + "
    "least(interval '1 hour', interval '15 seconds' * power(2, least(attempts, 10))) "
    "WHERE chunk_id = ANY ($1::text[])"};

const struct sh_pg_statement store_pending_release = {
    "pending_release",
    "UPDATE pending_embeddings SET attempts = greatest(attempts - 1, 0), "
    "next_attempt_at = now() WHERE chunk_id = ANY ($1::text[])"};

/* --- the glossary ----------------------------------------------------------------- */

/* What widens everybody's searches must be for everybody. */
#define WIDENS                                                                           \
    "metadata ?| array['acronym', 'synonyms', 'preferred'] AND clearance_level = 1 "     \
    "AND status NOT IN ('rejected', 'deprecated') AND octet_length(term) <= 256"

/* A row that is written gets another xmin, so the sum tells whatever order transactions
 * end in; updated_at is when they began. */
const struct sh_pg_statement store_glossary_version = {
    "glossary_version",
    "SELECT count(*) || ':' || coalesce(sum(hashtextextended(id || ' ' || xmin::text, "
    "0)::numeric), 0) FROM glossary_terms WHERE " WIDENS};

const struct sh_pg_statement store_glossary_rows = {
    "glossary_rows",
    "SELECT term, language, jsonb_build_object('acronym', metadata->'acronym', "
    "'synonyms', metadata->'synonyms', 'preferred', metadata->'preferred')::text "
    "FROM glossary_terms WHERE " WIDENS " ORDER BY id LIMIT 100000"};

/* --- upkeep ----------------------------------------------------------------------- */

const struct sh_pg_statement store_figures = {
    "figures", "SELECT (SELECT count(*) FROM pending_embeddings), " SH_CHANGEFEED_LAG_SQL(
                   "search_outbox")};
