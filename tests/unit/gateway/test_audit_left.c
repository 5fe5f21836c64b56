/* What other processes left in AUDIT_DIR: older versions, and such that did not hear what
 * became of what they had sent. */
#include <openssl/hmac.h>

#include "tests/unit/gateway/audit_fixture.h"

#define A "aaaaaaaa-0000-4000-8000-000000000001"
#define B "bbbbbbbb-0000-4000-8000-000000000002"
#define D "dddddddd-0000-4000-8000-000000000004"

/* Their hash, and a line of JSON. */
static void add_old_line(struct fixture *f, struct audit_record *record,
                         char hash[static AUDIT_HASH + 1], struct sh_buffer *lines)
{
    struct sh_buffer canonical = {0};
    uint8_t bytes[32];
    unsigned len = sizeof bytes;

    audit_canonical(record, &canonical);
    assert_non_null(HMAC(EVP_sha256(), f->config.key, (int)strlen(f->config.key),
                         (const unsigned char *)canonical.data, canonical.len, bytes,
                         &len));
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(hash + 2 * i, 3, "%02x", bytes[i]);
    record->hash = sh_bytes_of(hash);
    audit_line(record, false, lines);
    sh_buffer_free(&canonical);
}

static void leave_old_lines(struct fixture *f, const char *chain, int count)
{
    struct sh_buffer lines = {0};
    struct audit_seal seal;
    char path[160], hash[2][AUDIT_HASH + 1];

    audit_seal_open(&seal, f->config.key);
    (void)snprintf(hash[1], sizeof hash[1], "%s", audit_chain_start());
    for (int i = 0; i < count; i++) {
        struct audit_record record = search_by("old \\ \"friend\"", "");
        record.chain = sh_bytes_of(chain);
        record.seq = i + 1;
        record.at_us = (int64_t)(sh_wall_time() * 1e6) + i;
        record.key_id = sh_bytes_of(seal.key_id);
        record.prev = sh_bytes_of(hash[(i + 1) % 2]);
        add_old_line(f, &record, hash[i % 2], &lines);
    }
    (void)mkdir(f->dir, 0700);
    (void)snprintf(path, sizeof path, "%s/%s.journal", f->dir, chain);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(lines.data, 1, lines.len, file), lines.len);
    assert_int_equal(fclose(file), 0);
    sh_buffer_free(&lines);
}

static void what_an_older_gateway_left_is_loaded_and_holds(void **state)
{
    struct fixture *f = *state;

    leave_old_lines(f, A, 5);
    open_as(f, B);
    await_count(
        f, "SELECT count(*) FROM audit_log WHERE user_id = E'old \\\\ \"friend\"'", 5);
    finish(f);
    assert_int_equal(files_in(f->dir), 0);
    holds(f);
    tamper(f, "UPDATE audit_log SET status = 403 WHERE chain = '" A "' AND seq = 4");
    is_found(f, "record 4: changed");
    tamper(f, "UPDATE audit_log SET status = 200 WHERE chain = '" A "' AND seq = 4");
    holds(f);
    tamper(f, "DELETE FROM audit_log WHERE chain = '" A "' AND seq = 4");
    is_found(f, "records 4 to 4 are missing");
}

/* Whoever sends a batch cannot always know what became of it. */
static void rows_that_are_stored_already_do_no_harm(void **state)
{
    struct fixture *f = *state;
    char command[256];

    leave(f, A, 3, 4);
    (void)snprintf(command, sizeof command, "cp %s/%s.rows %s/kept", f->dir, A, f->dir);
    assert_int_equal(system(command), 0);
    live(f, B, 1);
    await_count(f, OLD, 3);
    (void)snprintf(command, sizeof command, "mv %s/kept %s/%s.rows", f->dir, f->dir, A);
    assert_int_equal(system(command), 0);
    live(f, D, 1);
    await_count(f, OLD, 3);
    assert_int_equal(files_in(f->dir), 0);
    holds(f);
}

/* As if the gateway's own rows had been stored without its hearing of it. */
static void own_rows_that_are_stored_already_are_passed_over(void **state)
{
    struct fixture *f = *state;

    live(f, A, 5);
    long before = number_of(f, "SELECT count(*) FROM audit_log");
    live(f, A, 3);
    assert_int_equal(number_of(f, "SELECT count(*) FROM audit_log"), before);
    assert_int_equal(files_in(f->dir), 0);
    holds(f);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(what_an_older_gateway_left_is_loaded_and_holds),
        CASE(rows_that_are_stored_already_do_no_harm),
        CASE(own_rows_that_are_stored_already_are_passed_over),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
