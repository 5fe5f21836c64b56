#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/envelope.h"

static struct envelope full(void)
{
    struct envelope e = {
        .version = ENVELOPE_VERSION,
        .type = TYPE_REQUEST,
        .flags = ENVELOPE_RAW | ENVELOPE_KEY,
        .epoch = 0x0102030405060708u,
        .sequence = UINT64_MAX - 1,
        .attempt = 3,
        .priority = 9,
        .status = STATUS_OVERLOADED,
        .budget_ms = 2000,
        .method = 20,
        .trace_flags = 1,
        .queue_depth = 65535,
        .credit = 256,
        .retry_after_ms = UINT32_MAX,
        .payload_bytes = 1u << 20,
    };
    memset(e.trace_id, 0xaa, sizeof(e.trace_id));
    memset(e.span_id, 0xbb, sizeof(e.span_id));
    memset(e.idempotency_key, 0xcc, sizeof(e.idempotency_key));
    return e;
}

static void every_member_comes_back(void **state)
{
    (void)state;
    struct envelope in = full();
    uint8_t wire[ENVELOPE_BYTES];
    uint8_t again[ENVELOPE_BYTES];
    struct envelope out;
    envelope_write(&in, wire);
    assert_int_equal(envelope_read((struct sh_bytes){wire, sizeof(wire)}, &out), SH_OK);
    assert_int_equal(out.version, in.version);
    assert_int_equal(out.type, in.type);
    assert_int_equal(out.flags, in.flags);
    assert_true(out.epoch == in.epoch && out.sequence == in.sequence);
    assert_int_equal(out.attempt, in.attempt);
    assert_int_equal(out.priority, in.priority);
    assert_int_equal(out.status, in.status);
    assert_int_equal(out.budget_ms, in.budget_ms);
    assert_int_equal(out.method, in.method);
    assert_int_equal(out.trace_flags, in.trace_flags);
    assert_int_equal(out.queue_depth, in.queue_depth);
    assert_int_equal(out.credit, in.credit);
    assert_int_equal(out.retry_after_ms, in.retry_after_ms);
    assert_int_equal(out.payload_bytes, in.payload_bytes);
    envelope_write(&out, again);
    assert_memory_equal(wire, again, sizeof(wire));
}

/* Peers of other builds and machines read these bytes: they must not move. */
static void layout_is_little_endian_and_fixed(void **state)
{
    (void)state;
    struct envelope in = full();
    uint8_t wire[ENVELOPE_BYTES];
    envelope_write(&in, wire);
    assert_memory_equal(wire, "CARN\x01\x00\x03\x05\x08\x07\x06\x05\x04\x03\x02\x01", 16);
    assert_memory_equal(wire + 28, "\xd0\x07\x00\x00\x14\x00\x00\x00\x00\x00\x10\x00",
                        12);
    assert_memory_equal(wire + 80, "\x01\x00\xff\xff\x00\x01\x00\x00", 8);
    assert_memory_equal(wire + 92, "\0\0\0\0", 4);
}

static void a_state_takes_the_room_of_the_key(void **state)
{
    (void)state;
    struct envelope in = {.type = TYPE_PONG, .flags = ENVELOPE_RAW};
    struct envelope out;
    uint8_t wire[ENVELOPE_BYTES];
    uint64_t changes = 0, told = 0;
    assert_false(envelope_state(&in, &changes, &told));
    envelope_set_state(&in, 7, 0x1122334455667788u);
    envelope_write(&in, wire);
    assert_memory_equal(wire + 64, "\x07\0\0\0\0\0\0\0\x88\x77\x66\x55\x44\x33\x22\x11",
                        16);
    assert_int_equal(envelope_read((struct sh_bytes){wire, sizeof(wire)}, &out), SH_OK);
    assert_int_equal(out.flags, ENVELOPE_RAW | ENVELOPE_STATE);
    assert_true(envelope_state(&out, &changes, &told));
    assert_true(changes == 7 && told == 0x1122334455667788u);
}

static void other_lengths_magic_and_types_are_malformed(void **state)
{
    (void)state;
    struct envelope in = full();
    struct envelope out;
    uint8_t wire[ENVELOPE_BYTES + 1] = {0};
    envelope_write(&in, wire);
    for (size_t len = 0; len <= ENVELOPE_BYTES + 1; len++) {
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, wire, len);
        assert_int_equal(envelope_read((struct sh_bytes){exact, len}, &out),
                         len == ENVELOPE_BYTES ? SH_OK : SH_MALFORMED);
        free(exact);
    }
    struct sh_bytes frame = {wire, ENVELOPE_BYTES};
    wire[3] ^= 1;
    assert_int_equal(envelope_read(frame, &out), SH_MALFORMED);
    wire[3] ^= 1;
    wire[6] = 0;
    assert_int_equal(envelope_read(frame, &out), SH_MALFORMED);
    wire[6] = TYPE_CHUNK + 1;
    assert_int_equal(envelope_read(frame, &out), SH_MALFORMED);
}

static void another_version_is_read(void **state)
{
    (void)state;
    struct envelope in = full();
    struct envelope out;
    uint8_t wire[ENVELOPE_BYTES];
    in.version = 77;
    envelope_write(&in, wire);
    assert_int_equal(envelope_read((struct sh_bytes){wire, sizeof(wire)}, &out), SH_OK);
    assert_int_equal(out.version, 77);
}

static void statuses_map_to_errors_and_back(void **state)
{
    (void)state;
    for (int i = STATUS_OK; i <= STATUS_UNREADABLE; i++) {
        uint16_t status = (uint16_t)i;
        assert_int_equal(envelope_status_of(envelope_status_err(status)), status);
        assert_string_not_equal(envelope_status_name(status), "unknown");
    }
    assert_int_equal(envelope_status_of(SH_MALFORMED), STATUS_INVALID);
    assert_int_equal(envelope_status_of(SH_NOMEM), STATUS_OVERLOADED);
    assert_int_equal(envelope_status_of(SH_IO), STATUS_INTERNAL);
    assert_int_equal(envelope_status_err(4711), SH_INTERNAL);
    assert_string_equal(envelope_status_name(4711), "unknown");
    assert_string_equal(envelope_type_name(TYPE_BYE), "BYE");
    assert_string_equal(envelope_type_name(0), "unknown");
    assert_string_equal(envelope_type_name(255), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_comes_back),
        cmocka_unit_test(layout_is_little_endian_and_fixed),
        cmocka_unit_test(a_state_takes_the_room_of_the_key),
        cmocka_unit_test(other_lengths_magic_and_types_are_malformed),
        cmocka_unit_test(another_version_is_read),
        cmocka_unit_test(statuses_map_to_errors_and_back),
    };
    return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
