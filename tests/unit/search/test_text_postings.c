/* The promises of pfor.h and postings.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/text/postings.h"
#include "shared/mem.h"

static void numbers_of_any_size_are_read_as_written(void **state)
{
    (void)state;
    uint32_t values[PFOR_COUNT];
    uint32_t read[PFOR_COUNT];
    uint8_t bytes[PFOR_MOST];
    srand(1);
    for (int round = 0; round < 2000; round++) {
        unsigned bits = (unsigned)rand() % 33;
        for (int i = 0; i < PFOR_COUNT; i++) {
            uint32_t value = (uint32_t)rand() * 2U + (uint32_t)rand() % 2;
            unsigned width = rand() % 10 ? bits : 32;
            values[i] = width == 32 ? value : value & ((1U << width) - 1);
        }
        uint8_t *end = pfor_write(bytes, values);
        assert_true(end - bytes <= PFOR_MOST);
        assert_ptr_equal(pfor_read(bytes, end, read), end);
        assert_memory_equal(read, values, sizeof(values));
    }
}

static void small_numbers_take_little(void **state)
{
    (void)state;
    uint32_t values[PFOR_COUNT] = {0};
    uint8_t bytes[PFOR_MOST];
    assert_int_equal(pfor_write(bytes, values) - bytes, 2);
    values[77] = 1000; /* one exception */
    assert_int_equal(pfor_write(bytes, values) - bytes, 5);
}

static void bad_bytes_are_refused(void **state)
{
    (void)state;
    enum { WIDTH = 4, PACKED = 2 + WIDTH * 16 };
    uint32_t values[PFOR_COUNT];
    uint8_t bytes[PFOR_MOST] = {33, 0};
    assert_null(pfor_read(bytes, bytes + PFOR_MOST, values));
    bytes[0] = WIDTH;
    assert_null(pfor_read(bytes, bytes + PACKED - 1, values));
    bytes[1] = 1; /* an exception that is not there */
    assert_null(pfor_read(bytes, bytes + PACKED, values));
    bytes[PACKED] = PFOR_COUNT; /* or beyond the end */
    assert_null(pfor_read(bytes, bytes + PACKED + 2, values));
}

enum { MANY = 1000, GAP = 37, NUMBERS = MANY * GAP };

static uint32_t body_tf(uint32_t i)
{
    return i % 3 == 0 ? 0 : i % 11;
}

static struct posting posting_of(uint32_t i, uint8_t *bytes)
{
    struct posting posting = {.passage = i * GAP,
                              .tf = {[TEXT_TITLE] = i % 5 == 0,
                                     [TEXT_HEADING] = i % 7 == 0 ? 300 : 0,
                                     [TEXT_BODY] = body_tf(i)}};
    uint8_t *at = bytes;
    for (uint32_t n = posting.tf[0] + posting.tf[1] + posting.tf[2]; n > 0; n--)
        at = varint_put(at, i + n);
    posting.positions = (struct sh_bytes){bytes, (size_t)(at - bytes)};
    return posting;
}

static void fill(struct postings *list, const uint32_t *bodies)
{
    uint8_t bytes[2048];
    for (uint32_t i = 0; i < MANY; i++) {
        struct posting posting = posting_of(i, bytes);
        assert_int_equal(postings_append(list, &posting, bodies), SH_OK);
    }
    assert_int_equal(list->count, MANY);
}

static uint32_t *bodies_of(void)
{
    uint32_t *bodies = sh_alloc_array(NUMBERS, sizeof(*bodies));
    assert_non_null(bodies);
    for (uint32_t i = 0; i < MANY; i++)
        bodies[(size_t)i * GAP] = 70000 - i * 60;
    return bodies;
}

static void postings_keep_what_they_are_given(void **state)
{
    (void)state;
    uint32_t *bodies = bodies_of();
    struct postings list = {0};
    struct postings_cursor cursor;
    uint8_t bytes[2048];
    fill(&list, bodies);
    postings_open(&cursor, &list);
    for (uint32_t i = 0; postings_read(&cursor);) {
        postings_counts(&cursor);
        for (uint32_t at = 0; at < cursor.count; at++, i++) {
            struct posting expected = posting_of(i, bytes);
            assert_int_equal(cursor.passages[at], expected.passage);
            for (int field = 0; field < TEXT_FIELDS; field++)
                assert_int_equal(cursor.tf[field][at], expected.tf[field]);
            assert_true(
                sh_bytes_equal(postings_positions(&cursor, at), expected.positions));
        }
        assert_true(i <= MANY);
    }
    postings_free(&list);
    sh_free(bodies);
}

static void blocks_tell_what_they_hold_at_most(void **state)
{
    (void)state;
    uint32_t *bodies = bodies_of();
    struct postings list = {0};
    fill(&list, bodies);
    assert_int_equal(postings_blocks(&list), (MANY - 1) / POSTINGS_BLOCK);
    for (uint32_t block = 0; block < postings_blocks(&list); block++) {
        uint32_t last = (block + 1) * POSTINGS_BLOCK - 1;
        uint32_t least = bodies[(size_t)last * GAP];
        assert_int_equal(list.blocks[block].last, last * GAP);
        assert_int_equal(list.blocks[block].least_body,
                         least > UINT16_MAX ? UINT16_MAX : least);
        assert_int_equal(list.blocks[block].most[TEXT_TITLE], 1);
        assert_int_equal(list.blocks[block].most[TEXT_HEADING], UINT8_MAX);
        assert_int_equal(list.blocks[block].most[TEXT_BODY], 10);
    }
    postings_free(&list);
    sh_free(bodies);
}

static void a_seek_goes_to_the_block(void **state)
{
    (void)state;
    uint32_t *bodies = bodies_of();
    struct postings list = {0};
    struct postings_cursor cursor;
    fill(&list, bodies);
    postings_open(&cursor, &list);
    postings_seek(&cursor, 500 * GAP);
    assert_true(postings_read(&cursor));
    assert_int_equal(cursor.passages[0], 500 / POSTINGS_BLOCK * POSTINGS_BLOCK * GAP);
    postings_seek(&cursor, 3); /* not back */
    assert_true(postings_read(&cursor));
    assert_true(cursor.passages[0] > 500 * GAP);
    postings_seek(&cursor, UINT32_MAX); /* the tail may hold it */
    assert_true(postings_read(&cursor));
    assert_int_equal(cursor.passages[cursor.count - 1], (MANY - 1) * GAP);
    assert_false(postings_read(&cursor));
    postings_free(&list);
    sh_free(bodies);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    uint32_t *bodies = bodies_of();
    uint8_t bytes[2048];
    struct postings list = {0};
    for (uint32_t i = 0; i < MANY; i++) {
        struct posting posting = posting_of(i, bytes);
        enum sh_err err = SH_NOMEM;
        for (int n = 0; err != SH_OK; n++) {
            sh_mem_fail_after(n);
            err = postings_append(&list, &posting, bodies);
            sh_mem_fail_after(-1);
            assert_true(err == SH_OK || list.count == i);
        }
    }
    struct postings_cursor cursor;
    uint32_t i = 0;
    postings_open(&cursor, &list);
    while (postings_read(&cursor)) {
        for (uint32_t at = 0; at < cursor.count; at++)
            assert_int_equal(cursor.passages[at], i++ * GAP);
    }
    assert_int_equal(i, MANY);
    postings_free(&list);
    sh_free(bodies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_any_size_are_read_as_written),
        cmocka_unit_test(small_numbers_take_little),
        cmocka_unit_test(bad_bytes_are_refused),
        cmocka_unit_test(postings_keep_what_they_are_given),
        cmocka_unit_test(blocks_tell_what_they_hold_at_most),
        cmocka_unit_test(a_seek_goes_to_the_block),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
