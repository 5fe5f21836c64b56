/* Bolt's handshake, its messages and states, and its values: what needs no connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/gateway/bolt/failures.h"
#include "services/gateway/bolt/request.h"
#include "services/gateway/bolt/values.h"

#define BYTES(...)                                                                       \
    (struct sh_bytes)                                                                    \
    {                                                                                    \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})           \
    }

static const struct bolt_version v44 = {4, 4}, v50 = {5, 0}, v54 = {5, 4};

/* --- handshake -------------------------------------------------------------------- */

static void expect_version(const uint8_t proposals[16], uint8_t major, uint8_t minor)
{
    uint8_t bytes[HANDSHAKE_BYTES] = {0x60, 0x60, 0xb0, 0x17};
    struct bolt_version version;

    memcpy(bytes + 4, proposals, 16);
    assert_true(handshake_choose(bytes, &version));
    assert_int_equal(version.major, major);
    assert_int_equal(version.minor, minor);
}

static void the_first_version_in_common_is_taken(void **state)
{
    const uint8_t driver[16] = {0, 0, 1, 255, 0, 8, 8, 5, 0, 2, 4, 4, 0, 0, 0, 3};
    const uint8_t older[16] = {0, 0, 0, 3, 0, 2, 4, 4, 0, 4, 4, 5, 0, 0, 0, 0};
    const uint8_t exact[16] = {0, 0, 2, 5, 0, 0, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0};
    const uint8_t newer[16] = {0, 2, 8, 5, 0, 0, 1, 4, 0, 0, 0, 6, 0, 0, 0, 0};
    const uint8_t odd[16] = {0, 255, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    uint8_t http[HANDSHAKE_BYTES] = "GET / HTTP/1.1\r\n\r\n";
    struct bolt_version version;

    (void)state;
    expect_version(driver, 5, 4);
    expect_version(older, 4, 4);
    expect_version(exact, 5, 2);
    expect_version(newer, 0, 0); /* 5.8 to 5.6, 4.1, 6.0 */
    expect_version(odd, 5, 3);
    assert_false(handshake_choose(http, &version));
}

/* --- requests and states ---------------------------------------------------------- */

static enum sh_err read_one(struct sh_buffer *out, struct bolt_version version)
{
    struct bolt_request request;
    enum sh_err err = bolt_request_read(sh_buffer_bytes(out), version, &request);

    sh_buffer_free(out);
    return err;
}

static void requests_have_their_fields(void **state)
{
    struct sh_buffer out = {0};

    (void)state;
    ps_struct(&out, BOLT_RUN, 3);
    ps_word(&out, "RETURN 1");
    ps_map(&out, 0);
    ps_map(&out, 0);
    assert_int_equal(read_one(&out, v44), SH_OK);
    ps_struct(&out, BOLT_RUN, 2); /* one is missing */
    ps_word(&out, "RETURN 1");
    ps_map(&out, 0);
    assert_int_equal(read_one(&out, v44), SH_MALFORMED);
    ps_struct(&out, BOLT_RUN, 3);
    ps_word(&out, "RETURN 1");
    ps_list(&out, 0); /* no map */
    ps_map(&out, 0);
    assert_int_equal(read_one(&out, v44), SH_MALFORMED);
    ps_struct(&out, 0x55, 0); /* nothing */
    assert_int_equal(read_one(&out, v54), SH_MALFORMED);
    ps_list(&out, 0);
    assert_int_equal(read_one(&out, v54), SH_MALFORMED);
}

static void messages_belong_to_their_versions(void **state)
{
    struct sh_buffer out = {0};

    (void)state;
    ps_struct(&out, BOLT_LOGOFF, 0);
    assert_int_equal(read_one(&out, v50), SH_MALFORMED);
    ps_struct(&out, BOLT_LOGOFF, 0);
    assert_int_equal(read_one(&out, (struct bolt_version){5, 1}), SH_OK);
    ps_struct(&out, BOLT_TELEMETRY, 1);
    ps_int(&out, 1);
    assert_int_equal(read_one(&out, (struct bolt_version){5, 3}), SH_MALFORMED);
    ps_struct(&out, BOLT_TELEMETRY, 1);
    ps_int(&out, 1);
    assert_int_equal(read_one(&out, v54), SH_OK);
}

static void states_follow_the_specification(void **state)
{
    static const struct {
        enum bolt_state from;
        enum bolt_tag tag;
        enum bolt_state to;
    } good[] = {
        {BOLT_CONNECTED, BOLT_HELLO, BOLT_AUTHENTICATION},
        {BOLT_AUTHENTICATION, BOLT_LOGON, BOLT_READY},
        {BOLT_READY, BOLT_LOGOFF, BOLT_AUTHENTICATION},
        {BOLT_READY, BOLT_RUN, BOLT_STREAMING},
        {BOLT_READY, BOLT_BEGIN, BOLT_TX_READY},
        {BOLT_READY, BOLT_ROUTE, BOLT_READY},
        {BOLT_READY, BOLT_TELEMETRY, BOLT_READY},
        {BOLT_READY, BOLT_RESET, BOLT_READY},
        {BOLT_STREAMING, BOLT_PULL, BOLT_READY},
        {BOLT_STREAMING, BOLT_DISCARD, BOLT_READY},
        {BOLT_TX_READY, BOLT_RUN, BOLT_TX_STREAMING},
        {BOLT_TX_READY, BOLT_COMMIT, BOLT_READY},
        {BOLT_TX_READY, BOLT_ROLLBACK, BOLT_READY},
        {BOLT_TX_STREAMING, BOLT_RUN, BOLT_TX_STREAMING},
        {BOLT_TX_STREAMING, BOLT_PULL, BOLT_TX_READY},
        {BOLT_FAILED, BOLT_RUN, BOLT_FAILED},
        {BOLT_FAILED, BOLT_RESET, BOLT_READY},
        {BOLT_INTERRUPTED, BOLT_PULL, BOLT_INTERRUPTED},
        {BOLT_INTERRUPTED, BOLT_RESET, BOLT_READY},
    };
    static const struct {
        enum bolt_state from;
        enum bolt_tag tag;
    } bad[] = {
        {BOLT_NEGOTIATION, BOLT_HELLO},    {BOLT_CONNECTED, BOLT_RUN},
        {BOLT_CONNECTED, BOLT_LOGON},      {BOLT_AUTHENTICATION, BOLT_RUN},
        {BOLT_AUTHENTICATION, BOLT_HELLO}, {BOLT_READY, BOLT_PULL},
        {BOLT_READY, BOLT_HELLO},          {BOLT_READY, BOLT_LOGON},
        {BOLT_READY, BOLT_COMMIT},         {BOLT_STREAMING, BOLT_RUN},
        {BOLT_STREAMING, BOLT_BEGIN},      {BOLT_TX_READY, BOLT_BEGIN},
        {BOLT_TX_READY, BOLT_PULL},        {BOLT_TX_STREAMING, BOLT_LOGOFF},
        {BOLT_DEFUNCT, BOLT_RESET},
    };

    (void)state;
    for (size_t i = 0; i < SH_COUNT(good); i++)
        assert_int_equal(bolt_after(good[i].from, good[i].tag, v54), good[i].to);
    for (size_t i = 0; i < SH_COUNT(bad); i++)
        assert_int_equal(bolt_after(bad[i].from, bad[i].tag, v54), BOLT_DEFUNCT);
    assert_int_equal(bolt_after(BOLT_CONNECTED, BOLT_HELLO, v44), BOLT_READY);
    assert_int_equal(bolt_after(BOLT_CONNECTED, BOLT_HELLO, v50), BOLT_READY);
}

static void failures_have_codes_that_drivers_know(void **state)
{
    (void)state;
    assert_string_equal(failure_code(SH_INVALID, "cypher_syntax"),
                        "Neo.ClientError.Statement.SyntaxError");
    assert_string_equal(failure_code(SH_FORBIDDEN, "write_refused"),
                        "Neo.ClientError.Statement.AccessMode");
    assert_string_equal(failure_code(SH_UNAVAILABLE, NULL), BOLT_TRY_AGAIN);
    assert_string_equal(failure_code(SH_INTERNAL, ""), BOLT_UNKNOWN);
}

/* --- values ----------------------------------------------------------------------- */

static void parameters_become_msgpack(void **state)
{
    static const uint8_t expected[] = {0x82, 0xa1, 'a', 0x93, 0x01, 0xc0, 0xc4, 0x01,
                                       0xff, 0xa1, 'b', 0x81, 0xa1, 'c',  0xc3};
    struct sh_buffer from = {0}, to = {0};

    (void)state;
    ps_map(&from, 2);
    ps_word(&from, "a");
    ps_list(&from, 3);
    ps_int(&from, 1);
    ps_null(&from);
    ps_bytes(&from, BYTES(0xff));
    ps_word(&from, "b");
    ps_map(&from, 1);
    ps_word(&from, "c");
    ps_bool(&from, true);
    assert_int_equal(values_to_msgpack(ps_over(sh_buffer_bytes(&from)), &to), SH_OK);
    assert_int_equal(to.len, sizeof expected);
    assert_memory_equal(to.data, expected, sizeof expected);
    sh_buffer_clear(&from);
    sh_buffer_clear(&to);
    ps_map(&from, 1);
    ps_word(&from, "when");
    ps_struct(&from, 'D', 1);
    ps_int(&from, 1);
    assert_int_equal(values_to_msgpack(ps_over(sh_buffer_bytes(&from)), &to), SH_TYPE);
    sh_buffer_free(&from);
    sh_buffer_free(&to);
}

/* [7, "n7", ["L"], {"p": 1}] */
#define NODE 0xc7, 12, 1, 0x94, 7, 0xa2, 'n', '7', 0x91, 0xa1, 'L', 0x81, 0xa1, 'p', 1
/* [9, "r9", 7, "n7", 8, "n8", "T", {}] */
#define RELATIONSHIP                                                                     \
    0xc7, 16, 2, 0x98, 9, 0xa2, 'r', '9', 7, 0xa2, 'n', '7', 8, 0xa2, 'n', '8', 0xa1,    \
        'T', 0x80

static void expect_row(struct sh_bytes packed, struct bolt_version version,
                       struct sh_bytes expected)
{
    struct sh_buffer out = {0};
    struct rows rows;

    assert_int_equal(rows_open(packed, &rows), SH_OK);
    assert_int_equal(rows.left, 1);
    assert_int_equal(rows_next(&rows, version, &out), SH_OK);
    assert_int_equal(ps_scan(sh_buffer_bytes(&out)), SH_OK);
    assert_int_equal(out.len, expected.len);
    assert_memory_equal(out.data, expected.data, expected.len);
    sh_buffer_free(&out);
}

static void nodes_and_relationships_are_those_of_the_version(void **state)
{
    (void)state;
    expect_row(
        BYTES(0x91, 0x91, NODE), v54,
        BYTES(0x91, 0xb4, 'N', 7, 0x91, 0x81, 'L', 0xa1, 0x81, 'p', 1, 0x82, 'n', '7'));
    expect_row(BYTES(0x91, 0x91, NODE), v44,
               BYTES(0x91, 0xb3, 'N', 7, 0x91, 0x81, 'L', 0xa1, 0x81, 'p', 1));
    expect_row(BYTES(0x91, 0x91, RELATIONSHIP), v50,
               BYTES(0x91, 0xb8, 'R', 9, 7, 8, 0x81, 'T', 0xa0, 0x82, 'r', '9', 0x82, 'n',
                     '7', 0x82, 'n', '8'));
    expect_row(BYTES(0x91, 0x91, RELATIONSHIP), v44,
               BYTES(0x91, 0xb5, 'R', 9, 7, 8, 0x81, 'T', 0xa0));
}

static void paths_are_nodes_relationships_and_indexes(void **state)
{
    (void)state;
    expect_row(
        BYTES(0x91, 0x91, 0xc7, 40, 3, 0x93, 0x91, NODE, 0x91, RELATIONSHIP, 0x92, 1, 1),
        v54,
        BYTES(0x91, 0xb3, 'P', 0x91, 0xb4, 'N', 7, 0x91, 0x81, 'L', 0xa1, 0x81, 'p', 1,
              0x82, 'n', '7', 0x91, 0xb4, 'r', 9, 0x81, 'T', 0xa0, 0x82, 'r', '9', 0x92,
              1, 1));
}

static void rows_that_are_none_are_refused(void **state)
{
    static const struct {
        uint8_t bytes[16];
        size_t len;
    } bad[] = {
        {{0x91, 0x01}, 2},                /* no row */
        {{0x91, 0x91}, 2},                /* cut */
        {{0x91, 0x91, 0xd4, 9, 0}, 5},    /* an extension that nobody knows */
        {{0x91, 0x91, 0xd4, 1, 0x90}, 5}, /* a node of nothing */
        {{0x91, 0x91, 0xdf, 0xff, 0xff, 0xff, 0xff, 1}, 8}, /* claims to be huge */
        {{0x91, 0x91, 0xd8, 1, 0xdd, 0xff, 0xff, 0xff, 0xff}, 9},
        {{0x91, 0x91, 0x81, 0x01, 0x01}, 5}, /* a key that is no text */
        {{0x91, 0x91, 0xcf, 255, 255, 255, 255, 255, 255, 255, 255}, 11}, /* too large */
    };
    struct sh_buffer out = {0};
    struct rows rows;

    (void)state;
    assert_int_equal(rows_open((struct sh_bytes){0}, &rows), SH_MALFORMED);
    assert_int_equal(rows_open(BYTES(0xdd, 0xff, 0xff, 0xff, 0xff), &rows), SH_MALFORMED);
    assert_int_equal(rows_open(BYTES(0x80), &rows), SH_MALFORMED);
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        assert_int_equal(rows_open((struct sh_bytes){bad[i].bytes, bad[i].len}, &rows),
                         SH_OK);
        assert_int_equal(rows_next(&rows, v54, &out), SH_MALFORMED);
    }
    sh_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_version_in_common_is_taken),
        cmocka_unit_test(requests_have_their_fields),
        cmocka_unit_test(messages_belong_to_their_versions),
        cmocka_unit_test(states_follow_the_specification),
        cmocka_unit_test(failures_have_codes_that_drivers_know),
        cmocka_unit_test(parameters_become_msgpack),
        cmocka_unit_test(nodes_and_relationships_are_those_of_the_version),
        cmocka_unit_test(paths_are_nodes_relationships_and_indexes),
        cmocka_unit_test(rows_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
