/* Pages of rows, made by hand, into a real view. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <math.h>

#include "services/search/feed/apply.h"
#include "services/search/store/statements.h"
#include "shared/pg_array.h"

enum { COLUMNS = PAGE_VECTOR + 1 };

static struct view *view;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(view_create(NULL, &view), SH_OK);
    assert_int_equal(view_set_model(view, "fp", 2, 0.5), SH_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    view_free(&view);
    return 0;
}

static PGresult *new_page(void)
{
    PGresult *page = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc columns[COLUMNS] = {0};
    static char names[COLUMNS][16];

    for (int i = 0; i < COLUMNS; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "c%d", i);
        columns[i].name = names[i];
    }
    assert_int_equal(PQsetResultAttrs(page, COLUMNS, columns), 1);
    return page;
}

static void set(PGresult *page, int row, int column, const void *data, int len)
{
    const union {
        const void *given;
        char *wanted; /* libpq only reads it */
    } value = {.given = data};

    assert_int_equal(PQsetvalue(page, row, column, value.wanted, len), 1);
}

static void set_text(PGresult *page, int row, int column, const char *text)
{
    set(page, row, column, text, text ? (int)strlen(text) : -1);
}

static void set_int(PGresult *page, int row, int column, uint32_t value)
{
    uint32_t wire = htonl(value);

    set(page, row, column, &wire, sizeof(wire));
}

static void add_row(PGresult *page, const char *id, const char *title, const char *last,
                    int ordinal, const float *vector)
{
    int row = PQntuples(page);
    char chunk_id[64];

    for (int column = 0; column < COLUMNS; column++)
        set(page, row, column, NULL, -1);
    set_text(page, row, PAGE_ID, id);
    if (title != NULL) {
        set_text(page, row, PAGE_TITLE, title);
        set_text(page, row, PAGE_LAST, last);
        set_text(page, row, PAGE_COLLECTION, "default");
        set_text(page, row, PAGE_METADATA, "{}");
        set_int(page, row, PAGE_CLEARANCE, 1);
    }
    if (ordinal < 0)
        return;
    (void)snprintf(chunk_id, sizeof(chunk_id), "%s#%d", id, ordinal);
    set_text(page, row, PAGE_CHUNK_ID, chunk_id);
    set_int(page, row, PAGE_ORDINAL, (uint32_t)ordinal);
    set_text(page, row, PAGE_SECTION_TITLE, "");
    set_text(page, row, PAGE_TEXT, "zebras graze");
    if (vector != NULL)
        set(page, row, PAGE_VECTOR, vector, 2 * sizeof(float));
}

static struct view_stats stats(void)
{
    struct view_stats out;

    view_stats(view, &out);
    return out;
}

static const float east[] = {1, 0};

static void a_page_goes_into_the_view(void **state)
{
    struct apply_outcome outcome;
    char after[257] = "";
    PGresult *page = new_page();

    (void)state;
    add_row(page, "a", "Title A", "c", 0, east);
    add_row(page, "a", NULL, NULL, 1, NULL);
    add_row(page, "b", "", "c", -1, NULL);
    assert_int_equal(apply_page(view, 2, page, NULL, true, &outcome), SH_OK);
    assert_int_equal(stats().documents, 2);
    assert_int_equal(stats().chunks, 2);
    assert_int_equal(stats().vectors, 1);
    assert_int_equal(outcome.documents, 2);
    assert_string_equal(outcome.sample, "Title A");
    assert_false(apply_is_last(page, true, after));
    assert_string_equal(after, "b");
    PQclear(page);

    page = new_page();
    assert_int_equal(apply_page(view, 2, page, NULL, true, &outcome), SH_OK);
    assert_true(apply_is_last(page, true, after));
    assert_string_equal(after, "b");
    PQclear(page);
}

static struct changed_ids changed_of(struct sh_arena *arena, size_t count,
                                     const char *const *ids)
{
    struct sh_change changes[8] = {0};
    struct changed_ids changed;

    for (size_t i = 0; i < count; i++)
        changes[i] = (struct sh_change){.entity = "document", .id = ids[i], .op = 'u'};
    changes[count] = (struct sh_change){.entity = "term", .id = "not a document"};
    assert_int_equal(changed_collect(changes, count + 1, arena, &changed), SH_OK);
    return changed;
}

static void what_changed_but_is_not_there_is_removed(void **state)
{
    struct sh_arena arena = {0};
    struct apply_outcome outcome;
    char after[257] = "";
    PGresult *page = new_page();
    struct changed_ids changed =
        changed_of(&arena, 4, (const char *[]){"gone", "a", "gone", "never"});

    (void)state;
    add_row(page, "gone", "T", "gone", 0, east);
    assert_int_equal(apply_page(view, 2, page, NULL, true, &outcome), SH_OK);
    PQclear(page);
    assert_int_equal(changed.count, 3);

    page = new_page();
    add_row(page, "a", "T", "a", 0, east);
    assert_int_equal(apply_page(view, 2, page, &changed, false, &outcome), SH_OK);
    assert_true(apply_is_last(page, false, after));
    apply_removals(view, &changed);
    assert_int_equal(stats().documents, 1);
    assert_int_equal(view_remove(view, sh_bytes_of("a")), SH_OK);
    PQclear(page);
    sh_arena_free(&arena);
}

static void changes_are_read_a_slice_at_a_time(void **state)
{
    struct sh_arena arena = {0};
    struct sh_buffer array = {0};
    struct changed_ids slice;
    struct changed_ids changed =
        changed_of(&arena, 5, (const char *[]){"e", "b", "a", "d", "c"});

    (void)state;
    assert_int_equal(changed_slice(&changed, 0, 2, &slice, &array), SH_OK);
    assert_int_equal(slice.count, 2);
    changed_mark(&slice, "b");
    changed_mark(&slice, "c"); /* not in this one */
    size_t two = array.len;
    assert_int_equal(changed_slice(&changed, 4, 2, &slice, &array), SH_OK);
    assert_int_equal(slice.count, 1);
    assert_string_equal(slice.ids[0], "e");
    assert_true(array.len < two);
    for (size_t i = 0; i < changed.count; i++)
        assert_int_equal(changed.found[i], i == 1);
    sh_buffer_free(&array);
    sh_arena_free(&arena);
}

static void vectors_that_cannot_be_do_not_hide_the_text(void **state)
{
    struct apply_outcome outcome;
    const float bad[] = {NAN, 0};
    PGresult *page = new_page();

    (void)state;
    add_row(page, "a", "T", "a", 0, bad);
    add_row(page, "b", "T", "b", 0, NULL);
    set(page, 1, PAGE_VECTOR, east, 4); /* another dimension */
    assert_int_equal(apply_page(view, 2, page, NULL, true, &outcome), SH_OK);
    assert_int_equal(stats().documents, 2);
    assert_int_equal(stats().vectors, 0);
    assert_int_equal(outcome.refused, 0);
    PQclear(page);
}

static void a_document_that_cannot_be_stops_nothing(void **state)
{
    struct apply_outcome outcome;
    PGresult *page = new_page();

    (void)state;
    add_row(page, "a", "T", "b", 0, east);
    set_text(page, 0, PAGE_METADATA, "not json");
    add_row(page, "b", "T", "b", 0, east);
    assert_int_equal(apply_page(view, 2, page, NULL, true, &outcome), SH_OK);
    assert_int_equal(outcome.refused, 1);
    assert_int_equal(stats().documents, 1);
    PQclear(page);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_page_goes_into_the_view),
        TEST(what_changed_but_is_not_there_is_removed),
        TEST(changes_are_read_a_slice_at_a_time),
        TEST(vectors_that_cannot_be_do_not_hide_the_text),
        TEST(a_document_that_cannot_be_stops_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
