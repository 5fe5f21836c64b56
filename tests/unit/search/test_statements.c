/* The SQL of the search service against a real database with the migrations applied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/search/collections/collections_sql.h"
#include "services/search/glossary/terms_sql.h"
#include "services/search/ingest/put_key.h"
#include "services/search/quality/quality_sql.h"
#include "services/search/store/statements.h"
#include "services/search/store/write.h"
#include "tests/support/migrate.h"
#include "tests/support/servers.h"
#include "tests/support/steps.h"

struct fixture {
    PGconn *db;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    fixture->db = servers_connect();
    migrate_afresh(fixture->db);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    PQfinish(fixture->db);
    free(fixture);
    return 0;
}

static char *first_field(PGconn *db, const struct sh_pg_statement *statement,
                         const char *const *params, unsigned count)
{
    struct sh_pg_param list[SH_PG_PARAMS_MAX] = {0};
    struct sh_pg_step step = {.statement = statement, .params = list, .count = count};
    static char text[256];

    for (unsigned i = 0; i < count; i++)
        list[i].value = sh_bytes_of(params[i]);
    PGresult *result = steps_run(db, &step);
    (void)snprintf(
        text, sizeof(text), "%d:%s", PQntuples(result),
        PQntuples(result) > 0 && PQnfields(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return text;
}
#define FIRST(db, statement, ...)                                                        \
    first_field(db, statement, (const char *[]){__VA_ARGS__},                            \
                SH_COUNT(((const char *[]){__VA_ARGS__})))

static const struct sh_pg_statement *const all[] = {
    &store_documents_lookup,
    &put_key_found,
    &put_key_keep,
    &store_chunk_vectors,
    &store_documents_upsert,
    &store_sections_drop,
    &store_chunks_drop,
    &store_sections_insert,
    &store_chunks_insert,
    &store_vectors_insert,
    &store_pending_insert,
    &store_xid,
    &store_document_get,
    &store_document_list,
    &store_document_count,
    &store_document_delete,
    &store_position,
    &store_page_all,
    &store_page_changed,
    &store_model_live,
    &store_model_bind,
    &store_pending_sweep,
    &store_pending_claim,
    &store_pending_lock,
    &store_pending_store,
    &store_pending_done,
    &store_pending_failed,
    &store_pending_release,
    &store_figures,
    &store_glossary_version,
    &store_glossary_rows,
    &collections_defaults,
    &collections_page,
    &collections_count,
    &collections_put,
    &collections_empty,
    &collections_drop,
    &collections_xid,
    &quality_reports_put,
    &quality_reports_drop,
    &quality_report,
    &quality_mark,
    &quality_signatures_insert,
    &terms_get,
    &terms_count,
    &terms_search,
    &terms_found,
    &terms_insert,
    &terms_same,
    &terms_lock,
    &terms_update,
    &terms_delete,
    &terms_xid,
    &terms_export,
    &terms_by_term,
    &terms_by_term_down,
    &terms_by_time,
    &terms_by_time_down,
};

static void every_statement_is_understood(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < SH_COUNT(all); i++) {
        PGresult *result = PQprepare(fixture->db, all[i]->name, all[i]->sql, 0, NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            fail_msg("%s: %s", all[i]->name, PQresultErrorMessage(result));
        PQclear(result);
    }
}

/* --- a document ------------------------------------------------------------------- */

static float two_vectors[] = {1, 0, 0, 1};
static const bool both[] = {true, true};
static const bool second_missing[] = {true, false};

static void store_two_chunks(PGconn *db, const char *id, const bool *have)
{
    const struct section sections[] = {
        {sh_bytes_of("One"), sh_bytes_of("a \"quoted\\ text"), 0},
        {sh_bytes_of(""), sh_bytes_of("b"), 7}};
    const struct chunk chunks[] = {{sh_bytes_of("One"), sh_bytes_of("alpha"),
                                    sh_bytes_of("Title > One\nalpha"), 0, 0, 3},
                                   {sh_bytes_of("Two"), sh_bytes_of("beta, {x}"),
                                    sh_bytes_of("beta, {x}"), 7, 1, 4}};
    const uint8_t hashes[2 * WRITE_HASH_BYTES] = {[0] = 1, [WRITE_HASH_BYTES] = 2};
    const struct record record = {.title = sh_bytes_of("Title"),
                                  .collection = sh_bytes_of("books"),
                                  .department = sh_bytes_of("IT"),
                                  .clearance_level = 3,
                                  .priority = 2,
                                  .last_reviewed = sh_bytes_of("2024-08-15T00:00:00Z"),
                                  .metadata = sh_bytes_of("{\"department\":\"IT\"}"),
                                  .sections = sections,
                                  .section_count = 2,
                                  .hash = "00ff"};
    const struct write_document document = {.record = &record,
                                            .id = sh_bytes_of(id),
                                            .chunks = chunks,
                                            .hashes = hashes,
                                            .chunk_count = 2,
                                            .have = have,
                                            .vectors = two_vectors};
    struct write write = {
        .documents = &document, .count = 1, .dimension = 2, .fingerprint = "fp1"};

    steps_store(db, &write);
}

static void bind_model(PGconn *db, const char *fingerprint)
{
    (void)FIRST(db, &store_model_bind, fingerprint, "hashing", "builtin", "2", "0.1",
                "{}");
}

static void a_document_is_stored_whole_and_replaced_whole(void **state)
{
    PGconn *db = ((struct fixture *)*state)->db;

    bind_model(db, "fp1");
    store_two_chunks(db, "d'1", both);
    store_two_chunks(db, "d'1", second_missing);
    assert_string_equal(servers_sql(db, "SELECT count(*) FROM documents"), "1");
    assert_string_equal(servers_sql(db, "SELECT string_agg(text, '|' ORDER BY ordinal) "
                                        "FROM sections"),
                        "a \"quoted\\ text|b");
    assert_string_equal(servers_sql(db, "SELECT string_agg(id || embed_prefix || "
                                        "coalesce(page_number, 0), '|' ORDER BY ordinal) "
                                        "FROM chunks"),
                        "d'1#0Title > One\n0|d'1#17");
    assert_string_equal(servers_sql(db, "SELECT string_agg(chunk_id, ',') FROM "
                                        "chunk_vectors"),
                        "d'1#0");
    assert_string_equal(
        servers_sql(db, "SELECT encode(vector, 'hex') FROM chunk_vectors"),
        "0000803f00000000");
    assert_string_equal(servers_sql(db, "SELECT string_agg(chunk_id, ',') FROM "
                                        "pending_embeddings"),
                        "d'1#1");
    assert_string_equal(FIRST(db, &store_documents_lookup, "{d'1}"), "1:00ff");
}

static void rights_decide_what_exists(void **state)
{
    PGconn *db = ((struct fixture *)*state)->db;

    bind_model(db, "fp1");
    store_two_chunks(db, "secret", both); /* clearance 3, department IT */
    assert_string_equal(FIRST(db, &store_document_get, "secret", "f", "2", "f", "IT"),
                        "0:");
    assert_string_equal(FIRST(db, &store_document_get, "secret", "f", "3", "f", "HR"),
                        "0:");
    assert_string_equal(FIRST(db, &store_document_get, "secret", "f", "3", "f", ""),
                        "0:");
    assert_string_equal(FIRST(db, &store_document_get, "secret", "f", "3", "f", "IT"),
                        "2:secret");
    assert_string_equal(FIRST(db, &store_document_get, "secret", "f", "3", "t", ""),
                        "2:secret");
    assert_string_equal(FIRST(db, &store_document_get, "secret", "t", "0", "f", ""),
                        "2:secret");
    assert_string_equal(FIRST(db, &store_document_count, NULL, "f", "2", "t", ""), "1:0");
    assert_string_equal(FIRST(db, &store_document_count, "books", "f", "5", "t", ""),
                        "1:1");
    assert_string_equal(
        FIRST(db, &store_document_list, "other", "t", "0", "f", "", "10", "0"), "0:");
    assert_string_equal(
        FIRST(db, &store_document_list, NULL, "t", "0", "f", "", "10", "0"), "1:secret");
    assert_string_equal(FIRST(db, &store_document_delete, "secret", "f", "2", "f", ""),
                        "0:");
    assert_string_equal(FIRST(db, &store_document_delete, "secret", "t", "0", "f", ""),
                        "1:1");
    assert_string_equal(servers_sql(db, "SELECT count(*) FROM chunks"), "0");
}

static void pages_hold_whole_documents(void **state)
{
    PGconn *db = ((struct fixture *)*state)->db;
    struct sh_pg_param params[] = {{sh_bytes_of(""), false}, {sh_bytes_of("fp1"), false}};
    struct sh_pg_step step = {&store_page_all, params, 2, false};

    bind_model(db, "fp1");
    store_two_chunks(db, "a", second_missing);
    store_two_chunks(db, "b", both);
    PQclear(PQexec(db, "INSERT INTO documents (id) VALUES ('c')"));
    PGresult *page = steps_run(db, &step);
    assert_int_equal(PQntuples(page), 5);
    assert_string_equal(PQgetvalue(page, 0, PAGE_TITLE), "Title");
    assert_string_equal(PQgetvalue(page, 0, PAGE_CHUNK_ID), "a#0");
    assert_int_equal(PQgetlength(page, 0, PAGE_VECTOR), 2 + 16);
    assert_true(PQgetisnull(page, 1, PAGE_TITLE));
    assert_true(PQgetisnull(page, 1, PAGE_VECTOR));
    assert_string_equal(PQgetvalue(page, 1, PAGE_TEXT), "beta, {x}");
    assert_string_equal(PQgetvalue(page, 2, PAGE_ID), "b");
    assert_string_equal(PQgetvalue(page, 2, PAGE_LAST), "c");
    assert_string_equal(PQgetvalue(page, 4, PAGE_ID), "c");
    assert_true(PQgetisnull(page, 4, PAGE_CHUNK_ID));
    PQclear(page);
    params[0].value = sh_bytes_of("b");
    page = steps_run(db, &step);
    assert_int_equal(PQntuples(page), 1);
    PQclear(page);
}

/* A page ends with the document that makes it full, so that memory stays bounded. */
static void pages_are_bounded_by_passages(void **state)
{
    PGconn *db = ((struct fixture *)*state)->db;

    PQclear(PQexec(db, "INSERT INTO documents (id, chunk_count) SELECT "
                       "to_char(n, 'FM0000'), 100 FROM generate_series(1, 20) n"));
    assert_string_equal(FIRST(db, &store_page_all, "", "fp"), "6:0001");
    assert_string_equal(FIRST(db, &store_page_all, "0006", "fp"), "6:0007");
    assert_string_equal(FIRST(db, &store_page_all, "0018", "fp"), "2:0019");
    assert_string_equal(FIRST(db, &store_page_changed, "", "fp", "{0003,0019,nope}"),
                        "2:0003");
}

/* --- vectors that are missing ----------------------------------------------------- */

static void a_claim_is_a_lease(void **state)
{
    PGconn *db = ((struct fixture *)*state)->db;

    bind_model(db, "fp1");
    store_two_chunks(db, "a", second_missing);
    assert_string_equal(FIRST(db, &store_pending_claim, "10", "60"), "1:a#1");
    assert_string_equal(FIRST(db, &store_pending_claim, "10", "60"), "0:");
    (void)FIRST(db, &store_pending_release, "{a#1}");
    assert_string_equal(FIRST(db, &store_pending_claim, "10", "60"), "1:a#1");
    (void)FIRST(db, &store_pending_failed, "{a#1}", "why");
    assert_string_equal(servers_sql(db, "SELECT error || attempts || (next_attempt_at > "
                                        "now() + interval '10 seconds') FROM "
                                        "pending_embeddings"),
                        "why1true");
}

static const char *stale = "{\"\\\\x09\"}";
static const char *hash_of_b =
    "{\"\\\\x0200000000000000000000000000000000000000000000000000000000000000\"}";

static void late_vectors_are_for_the_same_text_only(void **state)
{
    PGconn *db = ((struct fixture *)*state)->db;
    const char *vector = "{\"\\\\x0000803f0000803f\"}";

    bind_model(db, "fp1");
    store_two_chunks(db, "a", second_missing);
    (void)FIRST(db, &store_pending_lock, "{a#1}");
    (void)FIRST(db, &store_pending_store, "{a#1}", stale, "fp1", vector);
    (void)FIRST(db, &store_pending_done, "{a#1}", stale);
    assert_string_equal(servers_sql(db, "SELECT count(*) FROM chunk_vectors"), "1");
    assert_string_equal(servers_sql(db, "SELECT count(*) FROM pending_embeddings"), "1");
    PQclear(PQexec(db, "DELETE FROM search_outbox"));
    (void)FIRST(db, &store_pending_store, "{a#1}", hash_of_b, "fp1", vector);
    (void)FIRST(db, &store_pending_done, "{a#1}", hash_of_b);
    assert_string_equal(servers_sql(db, "SELECT count(*) FROM chunk_vectors"), "2");
    assert_string_equal(servers_sql(db, "SELECT count(*) FROM pending_embeddings"), "0");
    assert_string_equal(servers_sql(db, "SELECT id FROM search_outbox"), "a");
}

static void another_model_makes_everything_pending(void **state)
{
    PGconn *db = ((struct fixture *)*state)->db;

    bind_model(db, "fp1");
    store_two_chunks(db, "a", both);
    (void)FIRST(db, &store_pending_sweep, "fp1");
    assert_string_equal(servers_sql(db, "SELECT count(*) FROM pending_embeddings"), "0");
    bind_model(db, "fp2"); /* the first one stays until another one is activated */
    assert_string_equal(first_field(db, &store_model_live, NULL, 0), "1:fp1");
    PQclear(PQexec(db, "UPDATE models SET built_at = now() WHERE fingerprint = 'fp2'"));
    assert_string_equal(servers_sql(db, "SELECT generation_activate('fp2')"), "ok");
    assert_string_equal(first_field(db, &store_model_live, NULL, 0), "1:fp2");
    (void)FIRST(db, &store_pending_sweep, "fp2");
    (void)FIRST(db, &store_pending_sweep, "fp2");
    assert_string_equal(servers_sql(db, "SELECT count(*) FROM pending_embeddings"), "2");
    assert_string_equal(servers_sql(db, "SELECT generation_activate('fp1')"), "ok");
    assert_string_equal(first_field(db, &store_model_live, NULL, 0), "1:fp1");
}

static void the_lag_is_the_age_of_the_oldest_unseen_change(void **state)
{
    PGconn *db = ((struct fixture *)*state)->db;
    char xid[64];

    assert_string_equal(servers_sql(db, "SELECT count(*) FROM search_outbox"), "0");
    PQclear(PQexec(db, "INSERT INTO documents (id) VALUES ('a')"));
    PQclear(PQexec(db, "UPDATE search_outbox SET at = now() - interval '1 hour'"));
    PGresult *result = PQexec(db, "SELECT xid, seq FROM search_outbox");
    (void)snprintf(xid, sizeof(xid), "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    const char *unseen[] = {"0", "0"};
    const char *seen[] = {xid, "9223372036854775807"};
    result = PQexecParams(db, store_figures.sql, 2, NULL, unseen, NULL, NULL, 0);
    assert_true(strtod(PQgetvalue(result, 0, 1), NULL) >= 3600);
    PQclear(result);
    result = PQexecParams(db, store_figures.sql, 2, NULL, seen, NULL, NULL, 0);
    assert_true(strtod(PQgetvalue(result, 0, 1), NULL) < 1);
    PQclear(result);
}

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_statement_is_understood),
        TEST(a_document_is_stored_whole_and_replaced_whole),
        TEST(rights_decide_what_exists),
        TEST(pages_hold_whole_documents),
        TEST(pages_are_bounded_by_passages),
        TEST(a_claim_is_a_lease),
        TEST(late_vectors_are_for_the_same_text_only),
        TEST(another_model_makes_everything_pending),
        TEST(the_lag_is_the_age_of_the_oldest_unseen_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
