/* Several documents in one transaction, against a real database with the migrations
 * applied; one by itself is in test_statements.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/search/collections/collections_sql.h"
#include "services/search/quality/signature.h"
#include "services/search/store/statements.h"
#include "services/search/store/write.h"
#include "tests/support/migrate.h"
#include "tests/support/servers.h"
#include "tests/support/steps.h"

static int set_up(void **state)
{
    PGconn *db = servers_connect();

    migrate_afresh(db);
    *state = db;
    return 0;
}

static int tear_down(void **state)
{
    PQfinish(*state);
    return 0;
}

static float two_vectors[] = {1, 0, 0, 1};
static const bool both[] = {true, true};
static const bool second_missing[] = {true, false};

static void assert_stored(PGconn *db)
{
    assert_string_equal(
        servers_sql(db, "SELECT string_agg(concat_ws(':', id, chunk_count, priority, "
                        "file_name, file_size, page_count), ' ' ORDER BY id) "
                        "FROM documents"),
        "d:2:4:b.pdf:5000000000:7 e:1 z:0");
    assert_string_equal(servers_sql(db, "SELECT string_agg(document_id || ordinal || "
                                        "text || page_number, ' ') FROM sections"),
                        "d0whole3");
    assert_string_equal(servers_sql(db, "SELECT string_agg(id || text, ' ' ORDER BY id) "
                                        "FROM chunks"),
                        "d#0one d#1two e#0one");
    assert_string_equal(servers_sql(db, "SELECT string_agg(chunk_id, ' ' ORDER BY "
                                        "chunk_id) FROM chunk_vectors"),
                        "d#0 e#0");
    assert_string_equal(servers_sql(db, "SELECT string_agg(chunk_id, ' ') "
                                        "FROM pending_embeddings"),
                        "d#1");
    assert_string_equal(servers_sql(db, "SELECT string_agg(document_id, ' ') "
                                        "FROM document_reports"),
                        "d");
    assert_string_equal(servers_sql(db, "SELECT count(*) FROM chunk_signatures"), "2");
}

/* Of one transaction: each has its own rows, and what is left out of one is no other's.
 */
static void several_documents_are_stored_at_once(void **state)
{
    PGconn *db = *state;
    const uint8_t hashes[2 * WRITE_HASH_BYTES] = {[0] = 3, [WRITE_HASH_BYTES] = 4};
    const uint8_t signatures[2 * SIGNATURE_BYTES] = {[0] = 5, [SIGNATURE_BYTES] = 6};
    const struct section section = {sh_bytes_of(""), sh_bytes_of("whole"), 3};
    const struct chunk chunks[] = {
        {sh_bytes_of(""), sh_bytes_of("one"), sh_bytes_of("P\none"), 0, 0, 1},
        {sh_bytes_of(""), sh_bytes_of("two"), sh_bytes_of("two"), 0, 1, 1}};
    const struct record_file file = {
        sh_bytes_of("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        sh_bytes_of("b.pdf"), sh_bytes_of("application/pdf"), 5000000000, 7};
    const struct record plain = {.title = sh_bytes_of("Z"),
                                 .collection = sh_bytes_of("c"),
                                 .clearance_level = 1,
                                 .metadata = sh_bytes_of("{}"),
                                 .hash = "01"};
    struct record filed = plain;
    const struct write_document documents[] = {
        {.record = &plain, .id = sh_bytes_of("z")},
        {.record = &filed,
         .id = sh_bytes_of("d"),
         .chunks = chunks,
         .hashes = hashes,
         .signatures = signatures,
         .chunk_count = 2,
         .have = second_missing,
         .vectors = two_vectors,
         .report = sh_bytes_of("{\"kept_all\":false}")},
        {.record = &plain,
         .id = sh_bytes_of("e"),
         .chunks = chunks,
         .hashes = hashes,
         .chunk_count = 1,
         .have = both,
         .vectors = two_vectors},
        {.record = &plain,
         .id = sh_bytes_of("d"),
         .chunks = chunks,
         .hashes = hashes,
         .chunk_count = 2,
         .have = both,
         .vectors = two_vectors}};
    struct write before = {
        .documents = documents + 3, .count = 1, .dimension = 2, .fingerprint = "fp1"};
    struct write write = {
        .documents = documents, .count = 3, .dimension = 2, .fingerprint = "fp1"};

    filed.file = &file;
    filed.sections = &section;
    filed.section_count = 1;
    filed.priority = 4;
    PQclear(PQexec(db, "INSERT INTO models (fingerprint, name, provider, dimension) "
                       "VALUES ('fp1', 'hashing', 'builtin', 2);"
                       "INSERT INTO documents (id) VALUES ('z');"
                       "INSERT INTO document_reports VALUES ('z', '{}')"));
    steps_store(db, &before); /* is replaced */
    steps_store(db, &write);
    assert_stored(db);
}

static void what_is_there_is_looked_up_in_the_order_asked(void **state)
{
    PGconn *db = *state;
    struct sh_pg_param names = {sh_bytes_of("{z,a}"), false};
    const struct sh_pg_step step = {&store_documents_lookup, &names, 1, false};
    const struct sh_pg_step said = {&collections_defaults, &names, 1, false};

    PQclear(PQexec(db, "INSERT INTO documents (id) VALUES ('a'); "
                       "INSERT INTO collections (name, priority) VALUES ('a', 3)"));
    PGresult *rows = steps_run(db, &step);
    assert_int_equal(PQntuples(rows), 2);
    assert_string_equal(PQgetvalue(rows, 0, LOOKUP_EXISTS), "f");
    assert_string_equal(PQgetvalue(rows, 1, LOOKUP_EXISTS), "t");
    PQclear(rows);
    rows = steps_run(db, &said);
    assert_int_equal(PQntuples(rows), 2);
    assert_true(PQgetisnull(rows, 0, DEFAULTS_PRIORITY));
    assert_string_equal(PQgetvalue(rows, 1, DEFAULTS_PRIORITY), "3");
    PQclear(rows);
}

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(several_documents_are_stored_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_there_is_looked_up_in_the_order_asked,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
