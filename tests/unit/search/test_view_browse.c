/* Random documents, browsed in random order and by pages, against a plain sort of those
 * that the filter and the caller's rights let through. */
#include <stdlib.h>

#include "tests/unit/search/view_fixture.h"

#include "services/search/view/view_browse.h"
#include "tests/support/rng.h"

enum { DOCUMENTS = 300, ROUNDS = 400 };

struct sample {
    char id[16];
    char title[16];
    int kind; /* of `value`: 0 number, 1 text, 2 flag, 3 none */
    int number;
    char text[8];
    int year; /* 0: none */
    uint32_t clearance;
};

static struct sample samples[DOCUMENTS];

static void make_sample(struct rng *rng, uint32_t i, struct sample *sample)
{
    (void)snprintf(sample->id, sizeof(sample->id), "doc-%03u", (i * 7) % DOCUMENTS);
    (void)snprintf(sample->title, sizeof(sample->title), "T%u", rng_below(rng, 20));
    sample->kind = (int)rng_below(rng, 4);
    sample->number =
        sample->kind == 2 ? (int)rng_below(rng, 2) : (int)rng_below(rng, 11) - 5;
    (void)snprintf(sample->text, sizeof(sample->text), "%c%u", 'a' + rng_below(rng, 3),
                   rng_below(rng, 12));
    sample->year = rng_chance(rng, 80) ? 2000 + (int)rng_below(rng, 5) : 0;
    sample->clearance = 1 + rng_below(rng, 2);
}

static void store_sample(struct fixture *f, const struct sample *sample)
{
    char json[160];
    int len = snprintf(json, sizeof(json), "{\"deep\":{\"x\":[null");

    if (sample->kind == 0)
        len += snprintf(json + len, sizeof(json) - (size_t)len, ",%d,77", sample->number);
    else if (sample->kind == 1)
        len += snprintf(json + len, sizeof(json) - (size_t)len, ",\"%s\"", sample->text);
    else if (sample->kind == 2)
        len += snprintf(json + len, sizeof(json) - (size_t)len, ",%s",
                        sample->number ? "true" : "false");
    len += snprintf(json + len, sizeof(json) - (size_t)len, "]}");
    if (sample->year > 0)
        len += snprintf(json + len, sizeof(json) - (size_t)len, ",\"year\":%d",
                        sample->year);
    (void)snprintf(json + len, sizeof(json) - (size_t)len, "}");

    struct view_chunk chunks[2] = {
        {.chunk_id = sh_bytes_of("a"), .text = sh_bytes_of("a")},
        {.chunk_id = sh_bytes_of("b"), .text = sh_bytes_of("b")}};
    struct view_document document = document_of(sample->id, sample->title);
    document.metadata = sh_bytes_of(json);
    document.clearance_level = sample->clearance;
    document.chunks = chunks;
    document.chunk_count = 2;
    assert_int_equal(view_put(f->view, &document), SH_OK);
}

/* --- the plain way ---------------------------------------------------------------- */

static const struct browse_order *plain_orders;
static size_t plain_count;

static int compare_values(const struct sample *a, const struct sample *b, bool descending)
{
    int order = 0;

    if (a->kind == 3 || b->kind == 3)
        return (a->kind == 3) - (b->kind == 3);
    if ((a->kind == 1) != (b->kind == 1))
        order = a->kind == 1 ? 1 : -1;
    else if (a->kind == 1)
        order = strcmp(a->text, b->text);
    else
        order = a->number - b->number;
    return descending ? -order : order;
}

static int compare_years(int a, int b, bool descending)
{
    if (a == 0 || b == 0)
        return (a == 0) - (b == 0);
    return descending ? b - a : a - b;
}

static int compare_samples(const void *left, const void *right)
{
    const struct sample *a = left;
    const struct sample *b = right;
    int order = 0;

    for (size_t i = 0; order == 0 && i < plain_count; i++) {
        bool descending = plain_orders[i].descending;
        if (sh_bytes_is(plain_orders[i].key, "year"))
            order = compare_years(a->year, b->year, descending);
        else if (sh_bytes_is(plain_orders[i].key, "deep.x"))
            order = compare_values(a, b, descending);
        else if (sh_bytes_is(plain_orders[i].key, "title"))
            order = descending ? strcmp(b->title, a->title) : strcmp(a->title, b->title);
    }
    return order != 0 ? order : strcmp(a->id, b->id);
}

/* Those that pass, in front; their number. */
static size_t plain_browse(struct sample *out, uint32_t clearance, int from_year)
{
    size_t count = 0;

    for (size_t i = 0; i < DOCUMENTS; i++)
        if (samples[i].clearance <= clearance &&
            (from_year == 0 || samples[i].year >= from_year))
            out[count++] = samples[i];
    qsort(out, count, sizeof(*out), compare_samples);
    return count;
}

/* --- tests ------------------------------------------------------------------------ */

static size_t make_orders(struct rng *rng, struct browse_order *orders)
{
    static const char *const keys[] = {"year", "deep.x", "title", "nothing"};
    size_t count = rng_below(rng, BROWSE_ORDERS + 1);

    for (size_t i = 0; i < count; i++)
        orders[i] = (struct browse_order){sh_bytes_of(keys[rng_below(rng, 4)]),
                                          rng_chance(rng, 50)};
    return count;
}

static void hold_round(struct fixture *f, struct rng *rng)
{
    static struct sample expected[DOCUMENTS];
    struct browse_order orders[BROWSE_ORDERS];
    struct view_browsed out;
    char filters[64] = "";
    int from_year = rng_chance(rng, 50) ? 2000 + (int)rng_below(rng, 7) : 0;
    struct view_browse asked = {.caller = &f->caller,
                                .orders = orders,
                                .order_count = make_orders(rng, orders),
                                .offset = rng_below(rng, 350),
                                .limit = rng_below(rng, 40),
                                .deadline_ms = sh_now_ms() + 60000};

    f->caller.clearance = 1 + rng_below(rng, 2);
    if (from_year > 0)
        (void)snprintf(filters, sizeof(filters), "{\"metadata\":{\"year\":{\"gte\":%d}}}",
                       from_year);
    asked.filters = sh_bytes_of(filters);
    plain_orders = orders;
    plain_count = asked.order_count;
    size_t total = plain_browse(expected, f->caller.clearance, from_year);
    assert_int_equal(view_browse(f->view, &asked, &f->arena, &out, &f->problem), SH_OK);
    assert_int_equal(out.total, asked.offset + asked.limit > 0 ? total : out.total);
    size_t left = total > asked.offset ? total - asked.offset : 0;
    assert_int_equal(out.count, left < asked.limit ? left : asked.limit);
    for (size_t i = 0; i < out.count; i++)
        assert_true(sh_bytes_is(out.ids[i], expected[asked.offset + i].id));
    sh_arena_free(&f->arena);
}

static void pages_are_those_of_a_plain_sort(void **state)
{
    (void)state;
    struct rng rng = {5};
    struct fixture f;

    fixture_open(&f);
    for (uint32_t i = 0; i < DOCUMENTS; i++) {
        make_sample(&rng, i, &samples[i]);
        store_sample(&f, &samples[i]);
    }
    for (int round = 0; round < ROUNDS; round++)
        hold_round(&f, &rng);
    fixture_close(&f);
}

static size_t titled(struct fixture *f, const char *title)
{
    struct view_browsed out;
    struct view_browse asked = {.title = sh_bytes_of(title),
                                .caller = &f->caller,
                                .limit = 10,
                                .deadline_ms = sh_now_ms() + 60000};

    sh_arena_free(&f->arena);
    assert_int_equal(view_browse(f->view, &asked, &f->arena, &out, &f->problem), SH_OK);
    assert_int_equal(out.total, out.count);
    return out.count;
}

static void titles_are_found_by_parts_of_their_words(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f);
    put_text(&f, document_of("guide-1", "Ärzte: Übersicht Straße"), "words", NULL);
    put_text(&f, document_of("Guide-2", "A Plain Title"), "words", NULL);
    struct view_document secret = document_of("guide-3", "A plain secret");
    secret.clearance_level = 2;
    put_text(&f, secret, "words", NULL);
    assert_int_equal(titled(&f, ""), 2);
    assert_int_equal(titled(&f, "  \t"), 2);
    assert_int_equal(titled(&f, "ubers ARZTE"), 1);
    assert_int_equal(titled(&f, "u\xcc\x88"
                                "bersicht STRASSE"),
                     1); /* decomposed */
    assert_int_equal(titled(&f, "plain"), 1);
    assert_int_equal(titled(&f, "guide-"), 2); /* of ids */
    assert_int_equal(titled(&f, "title guide-2"), 1);
    assert_int_equal(titled(&f, "plain words"), 0);
    f.caller.clearance = 2;
    assert_int_equal(titled(&f, "plain"), 2);
    struct view_browsed out;
    struct view_browse asked = {.title = sh_bytes_of("\xff"),
                                .caller = &f.caller,
                                .limit = 1,
                                .deadline_ms = sh_now_ms() + 60000};
    assert_int_equal(view_browse(f.view, &asked, &f.arena, &out, &f.problem), SH_INVALID);
    assert_string_equal(f.problem.field, "title");
    fixture_close(&f);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    struct fixture f;
    struct view_browsed out;

    fixture_open(&f);
    put_text(&f, document_of("a", "A"), "words", NULL);
    struct view_browse asked = {.filters =
                                    sh_bytes_of("{\"metadata\":{\"x\":{\"no\":1}}}"),
                                .caller = &f.caller,
                                .limit = 1,
                                .deadline_ms = sh_now_ms() + 60000};
    assert_int_equal(view_browse(f.view, &asked, &f.arena, &out, &f.problem), SH_INVALID);
    assert_string_equal(f.problem.field, "filters.metadata.x.no");
    asked.filters = sh_bytes_of("{\"max_clearance\":3}");
    assert_int_equal(view_browse(f.view, &asked, &f.arena, &out, &f.problem),
                     SH_FORBIDDEN);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_those_of_a_plain_sort),
        cmocka_unit_test(titles_are_found_by_parts_of_their_words),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
