/* Attacks on the audit log of gateways that wrote it well: somebody who owns the database
 * edits, deletes, swaps, cuts off, forges. */
#include "services/gateway/audit/seal.h"
#include "tests/unit/gateway/audit_fixture.h"

#define A "aaaaaaaa-0000-4000-8000-000000000001"
#define B "bbbbbbbb-0000-4000-8000-000000000002"

#define ANCHORS_OF_B                                                                     \
    "SELECT count(*) FROM audit_log WHERE action = 'audit.anchor' AND chain = '" B "'"

static void whole_chains_hold(void **state)
{
    struct fixture *f = *state;

    live(f, A, 20);
    live(f, B, 1);
    assert_int_equal(number_of(f, "SELECT count(*) FROM audit_log WHERE action = "
                                  "'search_documents'"),
                     21);
    holds(f);
    assert_non_null(strstr(f->said, "in 2 chains, 0 faults"));
    assert_null(strstr(f->said, "has no end"));
}

static void any_edited_column_is_found(void **state)
{
    struct fixture *f = *state;
    static const char *const edits[][2] = {{"at", "at + interval '1 microsecond'"},
                                           {"request_id", "'x'"},
                                           {"user_id", "'eve'"},
                                           {"user_role", "'admin'"},
                                           {"department", "''"},
                                           {"auth", "''"},
                                           {"action", "'x'"},
                                           {"target", "'x'"},
                                           {"status", "403"},
                                           {"outcome", "'denied'"},
                                           {"code", "'x'"},
                                           {"query_hash", "'0'"},
                                           {"query", "'x'"},
                                           {"filters_applied", "'{}'"},
                                           {"results_returned", "8"},
                                           {"response_us", "1"},
                                           {"ip_address", "'::1'"},
                                           {"user_agent", "'curl/9'"},
                                           {"detail", "'{}'"},
                                           {"prev", "repeat('0', 64)"},
                                           {"hash", "repeat('0', 64)"}};

    live(f, A, 5);
    servers_sql(f->db, "CREATE TABLE kept AS SELECT * FROM audit_log");
    for (size_t i = 0; i < SH_COUNT(edits); i++) {
        const char *column = edits[i][0];
        char sql[256];
        (void)snprintf(sql, sizeof sql, "UPDATE audit_log SET %s = %s WHERE seq = 4",
                       column, edits[i][1]);
        tamper(f, sql);
        is_found(f, "record 4: changed");
        (void)snprintf(sql, sizeof sql,
                       "UPDATE audit_log l SET %s = k.%s FROM kept k WHERE k.seq = l.seq",
                       column, column);
        tamper(f, sql);
        holds(f);
    }
}

static void a_deleted_record_is_found(void **state)
{
    struct fixture *f = *state;

    live(f, A, 9);
    tamper(f, "DELETE FROM audit_log WHERE user_id IN ('user-3', 'user-4')");
    is_found(f, "are missing");
}

static void swapped_records_are_found(void **state)
{
    struct fixture *f = *state;

    live(f, A, 9);
    tamper(f,
           "UPDATE audit_log SET seq = CASE user_id WHEN 'user-3' THEN 10003 ELSE 10004 "
           "END WHERE user_id IN ('user-3', 'user-4')");
    tamper(f,
           "UPDATE audit_log SET seq = (SELECT max(seq) FROM audit_log WHERE seq < 10000 "
           "AND seq < (SELECT min(seq) FROM audit_log WHERE user_id = 'user-5')) "
           "+ CASE user_id WHEN 'user-3' THEN 2 ELSE 1 END WHERE seq > 10000");
    is_found(f, "changed");
}

static void a_record_of_another_chain_is_found(void **state)
{
    struct fixture *f = *state;

    live(f, A, 5);
    live(f, B, 5);
    tamper(f, "DELETE FROM audit_log WHERE chain = '" B "' AND user_id = 'user-2'");
    tamper(f,
           "UPDATE audit_log SET chain = '" B "', seq = (SELECT seq + 1 FROM audit_log "
           "WHERE chain = '" B "' AND user_id = 'user-1') WHERE chain = '" A "' AND "
           "user_id = 'user-2'");
    is_found(f, "changed");
}

static void a_lost_beginning_is_found(void **state)
{
    struct fixture *f = *state;

    live(f, A, 5);
    tamper(f, "DELETE FROM audit_log WHERE seq <= 3");
    is_found(f, "records 1 to 3 are missing");
}

/* The table of heads remembers the end, and who cuts both is told on by the next gateway.
 */
static void a_lost_end_is_found(void **state)
{
    struct fixture *f = *state;

    live(f, A, 5);
    tamper(f, "DELETE FROM audit_log WHERE seq > 4");
    is_found(f, "its end is missing");
    tamper(f, "UPDATE audit_heads SET seq = 4, hash = (SELECT hash FROM audit_log WHERE "
              "seq = 4)");
    holds(f); /* nobody else knew of it: that is the limit */
    assert_non_null(strstr(f->said, "has no end"));
}

static void the_next_gateway_remembers_the_end(void **state)
{
    struct fixture *f = *state;

    live(f, A, 5);
    open_as(f, B);
    await_count(f, ANCHORS_OF_B, 1);
    finish(f);
    tamper(f, "DELETE FROM audit_log WHERE chain = '" A "' AND seq > 4");
    tamper(f, "UPDATE audit_heads SET seq = 4, hash = (SELECT hash FROM audit_log WHERE "
              "chain = '" A "' AND seq = 4) WHERE chain = '" A "'");
    is_found(f, "its end is missing");
    tamper(f, "DELETE FROM audit_log WHERE chain = '" A "'");
    tamper(f, "DELETE FROM audit_heads WHERE chain = '" A "'");
    is_found(f, "chain " A ": missing");
}

static void a_changed_head_is_found(void **state)
{
    struct fixture *f = *state;

    live(f, A, 5);
    tamper(f, "UPDATE audit_heads SET hash = repeat('0', 64)");
    is_found(f, "the table of heads was changed");
}

/* Without the key one can chain and hash, but not seal. */
static void a_forged_chain_is_found(void **state)
{
    struct fixture *f = *state;

    live(f, A, 5);
    tamper(f, "DELETE FROM audit_log");
    tamper(f, "DELETE FROM audit_heads");
    f->config.key = "";
    live(f, A, 4);
    holds(f);
    f->config.key = KEY_A;
    is_found(f, "not sealed with a key");
    f->config.key = KEY_B;
    is_found(f, "not sealed with a key");
}

static void a_key_can_be_changed(void **state)
{
    struct fixture *f = *state;

    live(f, A, 5);
    f->config.key = KEY_B;
    live(f, B, 5);
    is_found(f, "AUDIT_KEY_PREVIOUS");
    f->config.old_key = KEY_A;
    holds(f);
}

static void the_table_is_only_added_to(void **state)
{
    struct fixture *f = *state;

    live(f, A, 1);
    assert_non_null(strstr(servers_sql(f->db, "UPDATE audit_log SET user_id = 'x'"),
                           "only added to"));
    assert_non_null(strstr(servers_sql(f->db, "DELETE FROM audit_log"), "only added to"));
    assert_non_null(strstr(servers_sql(f->db, "TRUNCATE audit_log"), "only added to"));
    holds(f);
}

/* --- the retention ---------------------------------------------------------------- */

#define C "cccccccc-0000-4000-8000-000000000003"
#define D "dddddddd-0000-4000-8000-000000000004"

/* The old ones of A go, and all of C, by a gateway that says so before it does so. */
static void retain(struct fixture *f)
{
    leave(f, A, 5, 2);
    leave(f, C, 3, 0);
    open_as(f, B);
    await_count(f, OLD, 8);
    finish(f);
    holds(f);
    f->config.retention_days = 30;
    open_as(f, D);
    await_count(f, OLD, 0);
    await_count(f, "SELECT count(*) FROM audit_heads WHERE chain = '" C "'", 0);
    finish(f);
}

static void old_records_go_and_chains_still_hold(void **state)
{
    struct fixture *f = *state;

    retain(f);
    assert_int_equal(number_of(f, "SELECT min(seq) FROM audit_log WHERE chain = '" A "'"),
                     6);
    holds(f);
    assert_non_null(strstr(f->said, "chain " A " begins at record 6"));
}

/* A later round tells again where chains are cut, so that the first may go. */
static void a_cut_is_told_again(void **state)
{
    struct fixture *f = *state;
    static const char sql[] = "SELECT count(*) FROM audit_log WHERE action = "
                              "'audit.retention' AND detail LIKE '%" A "\",5%'";

    retain(f);
    assert_int_equal(number_of(f, sql), 1);
    open_as(f, "eeeeeeee-0000-4000-8000-000000000005");
    await_count(f, sql, 2);
    finish(f);
    holds(f);
}

static void what_the_retention_did_not_cut_is_missed(void **state)
{
    struct fixture *f = *state;

    retain(f);
    tamper(f, "DELETE FROM audit_log WHERE chain = '" A "' AND seq = 6");
    is_found(f, "records 6 to 6 are missing");
}

static void without_its_statement_a_cut_is_a_fault(void **state)
{
    struct fixture *f = *state;

    retain(f);
    tamper(f, "UPDATE audit_log SET detail = replace(detail, '" A "\",5', '" A "\",6') "
              "WHERE action = 'audit.retention'");
    is_found(f, "records 1 to 5 are missing");
}

/* A chain hashes by what it keeps ready, whoever checks by OpenSSL's HMAC. */
static void a_key_of_any_length_seals(void **state)
{
    static const size_t lengths[] = {0, 1, 63, 64, 65, 300};
    char key[301] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct audit_chain chain;
        struct sh_buffer rows = {0};
        memset(key, 'k', lengths[i]);
        audit_chain_open(&chain, A, key);
        for (int n = 0; n < 3; n++) {
            struct audit_record record = search_by("ann", "");
            assert_int_equal(audit_chain_add(&chain, &record, true, &rows), SH_OK);
            assert_true(audit_seal_holds(&chain.seal, &record));
        }
        audit_chain_close(&chain);
        sh_buffer_free(&rows);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_of_any_length_seals),
        CASE(whole_chains_hold),
        CASE(any_edited_column_is_found),
        CASE(a_deleted_record_is_found),
        CASE(swapped_records_are_found),
        CASE(a_record_of_another_chain_is_found),
        CASE(a_lost_beginning_is_found),
        CASE(a_lost_end_is_found),
        CASE(the_next_gateway_remembers_the_end),
        CASE(a_changed_head_is_found),
        CASE(a_forged_chain_is_found),
        CASE(a_key_can_be_changed),
        CASE(the_table_is_only_added_to),
        CASE(old_records_go_and_chains_still_hold),
        CASE(a_cut_is_told_again),
        CASE(what_the_retention_did_not_cut_is_missed),
        CASE(without_its_statement_a_cut_is_a_fault),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
