#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/search/quality/boilerplate.h"
#include "services/search/quality/lines.h"
#include "shared/buffer.h"

enum { MOST = 12 };

struct world {
    struct sh_arena arena;
    struct chunk_section in[MOST];
    struct chunk_section *out;
    struct drops drops;
    size_t count;
};

static void page(struct world *world, uint32_t number, const char *text)
{
    struct sh_bytes kept = sh_arena_copy(&world->arena, sh_bytes_of(text));

    world->in[world->count++] = (struct chunk_section){{"", 0}, kept, number};
}

static void clean(struct world *world)
{
    assert_int_equal(boilerplate_lines(world->in, world->count, &world->arena,
                                       &world->out, &world->drops),
                     SH_OK);
}

static void expect(const struct world *world, size_t i, const char *text)
{
    struct sh_bytes found = world->out[i].text;

    if (!sh_bytes_is(found, text))
        fail_msg("%zu: '%.*s' instead of '%s'", i, (int)found.len,
                 (const char *)found.data, text);
}

static void headers_and_page_numbers_go(void **state)
{
    struct world world = {0};
    char text[200];

    (void)state;
    for (unsigned i = 1; i <= 5; i++) {
        (void)snprintf(text, sizeof(text),
                       "Handbook 2024, part %u\n\nText of page %c.\nMore of %c.\nAnd %c."
                       "\nEven %c.\nLast %c.\n  - %u -  ",
                       i, 'a' + i, 'a' + i, 'a' + i, 'a' + i, 'a' + i, i + 10);
        page(&world, i, text);
    }
    clean(&world);
    expect(&world, 0,
           "Handbook 2024, part 1\n\nText of page b.\nMore of b.\nAnd b.\nEven "
           "b.\nLast b.\n  \n");
    expect(&world, 4, "\nText of page f.\nMore of f.\nAnd f.\nEven f.\nLast f.\n  \n");
    assert_int_equal(world.drops.total, 4 + 5);
    assert_int_equal(world.drops.items[world.drops.count - 1].reason ==
                             DROP_PAGE_NUMBER ||
                         world.drops.items[0].reason == DROP_PAGE_NUMBER,
                     1);
    sh_arena_free(&world.arena);
}

static void what_few_pages_share_stays(void **state)
{
    struct world world = {0};

    (void)state;
    for (unsigned i = 1; i <= 3; i++) /* too few pages to tell */
        page(&world, i, "Header\nText.\nMore.\n1");
    clean(&world);
    assert_int_equal(world.drops.total, 0);
    assert_ptr_equal(world.out[0].text.data, world.in[0].text.data);
    world.count = 0;
    for (unsigned i = 1; i <= 10; i++) /* the footer is on all, the header on half */
        page(&world, i, i <= 5 ? "Header\nText.\nFooter" : "Other\nText so.\nFooter");
    clean(&world);
    expect(&world, 0, "Header\nText.\nFooter");
    expect(&world, 1, "Header\nText.\n");
    sh_arena_free(&world.arena);
}

/* Cards, slides, entries: each has its own number, and that is what they are about. */
static void what_a_page_is_about_stays(void **state)
{
    struct world world = {0};
    char text[200];

    (void)state;
    for (unsigned i = 1; i <= 6; i++) {
        (void)snprintf(text, sizeof(text), "The otter of part %u eats fish.", i);
        page(&world, i, text);
    }
    clean(&world);
    assert_int_equal(world.drops.total, 0);
    world.count = 0;
    for (unsigned i = 1; i <= 6; i++) {
        (void)snprintf(text, sizeof(text),
                       "Part %c\nThe otter of part %u eats fish.\nIt sleeps %c.", 'a' + i,
                       i, 'a' + i);
        page(&world, i, text);
    }
    clean(&world);
    assert_int_equal(world.drops.total, 0);
    sh_arena_free(&world.arena);
}

static void without_pages_nothing_repeats(void **state)
{
    struct world world = {0};

    (void)state;
    for (unsigned i = 0; i < 8; i++)
        page(&world, 0, "Header\nText.\n17");
    clean(&world);
    assert_int_equal(world.drops.total, 0);
    sh_arena_free(&world.arena);
}

/* The first lines of every page are numbers, which are not those of the pages. */
static void a_column_of_figures_stays(void **state)
{
    static const char *const values[] = {"17\n3\n60", "11\n48\n2", "93\n8\n44",
                                         "40\n9\n1",  "12\n80\n7", "7\n2\n31"};
    struct world world = {0};

    (void)state;
    for (unsigned i = 0; i < SH_COUNT(values); i++)
        page(&world, i + 1, values[i]);
    clean(&world);
    assert_int_equal(world.drops.total, 0);
    sh_arena_free(&world.arena);
}

static void tables_of_contents_go(void **state)
{
    struct world world = {0};

    (void)state;
    page(&world, 0,
         "Contents\nOne ........ 1\n\nTwo . . . . . 3\nThree.....3\nFour...... "
         "20\nText.\n");
    /* A price list: the numbers fall. */
    page(&world, 0,
         "Soup ..... 7\nBread ..... 2\nFish ..... 15\nTea ..... 3\nCake ..... 4");
    page(&world, 0, "One ..... 1\nTwo ..... 2\nThree ..... 3\nand that was it");
    clean(&world);
    expect(&world, 0, "Contents\n\nText.\n");
    expect(&world, 1,
           "Soup ..... 7\nBread ..... 2\nFish ..... 15\nTea ..... 3\nCake ..... 4");
    expect(&world, 2, "One ..... 1\nTwo ..... 2\nThree ..... 3\nand that was it");
    assert_int_equal(world.drops.total, 4);
    sh_arena_free(&world.arena);
}

static void page_numbers_are_known(void **state)
{
    static const char *const are[] = {"17",         "- 17 -", "Page 3 of 12", "p. 4",
                                      "Seite 3/12", "[5]",    "3 | 12"};
    static const char *const are_not[] = {"",      "Page",  "Section 3", "1.2.3",
                                          "12 kg", "第3章", "Room 17",   "page"};

    (void)state;
    for (size_t i = 0; i < SH_COUNT(are); i++)
        if (!line_is_page_number(sh_bytes_of(are[i])))
            fail_msg("%s", are[i]);
    for (size_t i = 0; i < SH_COUNT(are_not); i++)
        if (line_is_page_number(sh_bytes_of(are_not[i])))
            fail_msg("%s", are_not[i]);
}

/* --- passages --------------------------------------------------------------------- */

static void passages_without_words_go(void **state)
{
    static const struct {
        const char *heading, *text;
        uint32_t page;
        bool stays;
    } cases[] = {
        {"", "Some words.", 0, true},
        {"", "*** --- 12", 0, false},
        {"", "???", 0, false},
        {"Phone", "0131 650 1000", 0, true}, /* the heading says what it is */
        {"Phone", "- 17 -", 17, false},      /* but not of a page's number */
        {"***", "12 13", 0, false},
        {"", "12.5 13.25 99.1 14.8 77.2 1.04 3.6", 0, true}, /* a table */
        {"", "漢字", 0, true},
        {"Heading", "-----", 0, false},
    };
    struct chunk chunks[SH_COUNT(cases)];
    size_t count = SH_COUNT(cases);
    struct sh_arena arena = {0};
    struct drops drops = {0};
    size_t kept = 0;

    (void)state;
    for (size_t i = 0; i < count; i++)
        chunks[i] = (struct chunk){.section_title = sh_bytes_of(cases[i].heading),
                                   .text = sh_bytes_of(cases[i].text),
                                   .page_number = cases[i].page,
                                   .ordinal = (uint32_t)i};
    assert_int_equal(boilerplate_passages(chunks, &count, &arena, &drops), SH_OK);
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        if (!cases[i].stays)
            continue;
        assert_true(kept < count);
        assert_int_equal(chunks[kept].ordinal, kept);
        if (!sh_bytes_is(chunks[kept].text, cases[i].text))
            fail_msg("'%s' is missing", cases[i].text);
        kept++;
    }
    assert_int_equal(kept, count);
    assert_int_equal(drops.total, SH_COUNT(cases) - kept);
    sh_arena_free(&arena);
}

static void what_goes_is_told(void **state)
{
    struct sh_arena arena = {0};
    struct drops drops = {0};
    struct sh_buffer umlauts = {0};
    char number[16];

    (void)state;
    for (int i = 0; i < 100; i++)
        sh_buffer_text(&umlauts, "ü");
    struct drop drop = {DROP_CONTENTS, sh_bytes_of("Part"), 3, sh_buffer_bytes(&umlauts),
                        0};
    for (int i = 0; i < 3; i++)
        assert_int_equal(drops_add(&drops, &arena, &drop), SH_OK);
    for (int i = 0; i < 2 * DROPS_KEPT; i++) {
        (void)snprintf(number, sizeof(number), "%d", i);
        drop.text = sh_arena_copy(&arena, sh_bytes_of(number));
        assert_int_equal(drops_add(&drops, &arena, &drop), SH_OK);
    }
    assert_int_equal(drops.total, 3 + 2 * DROPS_KEPT);
    json_t *all = drops_json(&drops);
    assert_int_equal(json_array_size(all), DROPS_KEPT);
    json_t *first = json_array_get(all, 0);
    assert_int_equal(json_string_length(json_object_get(first, "text")), 2 * DROPS_TEXT);
    assert_int_equal(json_integer_value(json_object_get(first, "count")), 3);
    assert_string_equal(json_string_value(json_object_get(first, "reason")), "contents");
    json_decref(all);
    sh_buffer_free(&umlauts);
    sh_arena_free(&arena);
}

static void survives_every_allocation_failure(void **state)
{
    enum sh_err err = SH_NOMEM;

    (void)state;
    for (int failures = 0; err != SH_OK; failures++) {
        struct world world = {0};
        for (unsigned i = 1; i <= 6; i++)
            page(&world, i,
                 "Header\nOne .... 1\nTwo .... 2\nThree .... 3\nFour .... 4\n9");
        sh_mem_fail_after(failures);
        err = boilerplate_lines(world.in, world.count, &world.arena, &world.out,
                                &world.drops);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        sh_arena_free(&world.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_and_page_numbers_go),
        cmocka_unit_test(what_few_pages_share_stays),
        cmocka_unit_test(what_a_page_is_about_stays),
        cmocka_unit_test(without_pages_nothing_repeats),
        cmocka_unit_test(a_column_of_figures_stays),
        cmocka_unit_test(tables_of_contents_go),
        cmocka_unit_test(page_numbers_are_known),
        cmocka_unit_test(passages_without_words_go),
        cmocka_unit_test(what_goes_is_told),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
