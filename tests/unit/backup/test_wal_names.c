/* Names of segments, positions in the log, and where a recovery is to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/backup/physical/until.h"
#include "services/backup/wal/segment.h"

enum { MB16 = 16 << 20 };

static void names_and_numbers_are_the_same(void **state)
{
    static const struct {
        const char *name;
        uint64_t size, number;
        uint32_t timeline;
    } rows[] = {
        {"000000010000000000000001", MB16, 1, 1},
        {"0000000200000001000000FF", MB16, 511, 2},
        {"000000010000000100000000", 1 << 30, 4, 1},
        {"0000000A0000000000000FFF", 1 << 20, 4095, 10},
    };
    char name[SEGMENT_NAME];
    struct segment segment;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(segment_parse(rows[i].name, rows[i].size, &segment));
        assert_int_equal(segment.number, rows[i].number);
        assert_int_equal(segment.timeline, rows[i].timeline);
        segment_name(segment, rows[i].size, name);
        assert_string_equal(name, rows[i].name);
    }
}

static void other_names_are_none(void **state)
{
    static const char *const names[] = {
        "",
        "00000001",
        "00000001000000000000000",
        "0000000100000000000000010",
        "000000010000000000000100", /* there are 256 of 16 MB */
        "00000000000000000000000A",
        "00000001000000000000000g",
        "000000010000000000000001.partial",
        "00000001/000000000000001",
        "partial-a"};
    struct segment segment;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_false(segment_parse(names[i], MB16, &segment));
    assert_false(segment_parse("000000010000000000000001", 0, &segment));
    assert_false(segment_parse("000000010000000000000001", 3 << 20, &segment));
}

static void positions_are_read_and_written(void **state)
{
    static const char *const wrong[] = {
        "", "1", "/", "1/", "/1", "1/123456789", "g/1", "1/ 1", "1/-1", "1/1/1"};
    char text[LSN_TEXT];
    uint64_t lsn;

    (void)state;
    assert_true(lsn_parse("16/B374D848", &lsn));
    assert_int_equal(lsn, UINT64_C(0x16B374D848));
    lsn_text(lsn, text);
    assert_string_equal(text, "16/B374D848");
    assert_false(lsn_parse(NULL, &lsn));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(lsn_parse(wrong[i], &lsn));
}

static void an_end_is_a_word_a_position_or_a_time(void **state)
{
    struct until until;

    (void)state;
    assert_int_equal(until_parse("", &until), SH_OK);
    assert_int_equal(until.kind, UNTIL_SET);
    assert_int_equal(until_parse("latest", &until), SH_OK);
    assert_int_equal(until.kind, UNTIL_LATEST);
    assert_int_equal(until_parse("0/5000028", &until), SH_OK);
    assert_int_equal(until.kind, UNTIL_POSITION);
    assert_int_equal(until_parse("2026-01-31T12:00:00.5Z", &until), SH_OK);
    assert_int_equal(until.kind, UNTIL_TIME);
    assert_float_equal(until.at, 1769860800.5, 1e-6);
    assert_int_equal(until_parse("2026-01-31 14:30:00+02:30", &until), SH_OK);
    assert_float_equal(until.at, 1769860800, 1e-6);
}

/* It becomes a setting of a server: nothing else gets through. */
static void anything_else_is_no_end(void **state)
{
    static const char *const wrong[] = {
        "yesterday",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00:00Z'",
        "2026-01-31T12:00:00.1234567Z",
        "2026-02-30T12:00:00Z",
        "2026-01-31T12:00:00+2",
        "2026-01-31T12:00:00+25:00",
        "0/1\nfsync = off",
        "LATEST",
        "2026-01-31T12:00:00Z\n",
        "2026-01-31T12:00:00Z2026-01-31T12:00:00Z2026-01-31T12:00:00Z"};
    struct until until;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(until_parse(wrong[i], &until), SH_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_numbers_are_the_same),
        cmocka_unit_test(other_names_are_none),
        cmocka_unit_test(positions_are_read_and_written),
        cmocka_unit_test(an_end_is_a_word_a_position_or_a_time),
        cmocka_unit_test(anything_else_is_no_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
