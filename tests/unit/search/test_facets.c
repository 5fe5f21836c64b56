/* What matches, counted by its values: against a plain count of the documents that were
 * put, for callers of different rights. */
#include <jansson.h>
#include <string.h>

#include "tests/unit/search/view_fixture.h"

#include "services/search/filter/columns_facets.h"
#include "tests/support/rng.h"

enum { DOCUMENTS = 400, LONG = FACET_TEXT + 1 };

struct sample {
    uint32_t clearance;
    uint32_t chunks; /* of two, those that hold the word */
    unsigned colour; /* few documents have one of those above 4 */
    int year;        /* 0: none */
    bool open;
    bool collected;
};

static struct sample samples[DOCUMENTS];

static unsigned colour_of(struct rng *rng)
{
    return rng_chance(rng, 80) ? rng_below(rng, 4) : 4 + rng_below(rng, 40);
}

static void store(struct fixture *f, struct rng *rng, uint32_t i)
{
    struct sample *sample = &samples[i];
    char id[16], json[160];
    *sample = (struct sample){
        1 + rng_below(rng, 2), rng_below(rng, 3),
        colour_of(rng),        rng_chance(rng, 70) ? 2000 + (int)rng_below(rng, 9) : 0,
        rng_chance(rng, 50),   rng_chance(rng, 50)};
    (void)snprintf(id, sizeof(id), "doc-%u", i);
    int len = snprintf(json, sizeof(json), "{\"colour\":[\"c%u\"],\"open\":%s",
                       sample->colour, sample->open ? "true" : "false");
    if (sample->year > 0)
        len += snprintf(json + len, sizeof(json) - (size_t)len, ",\"year\":%d",
                        sample->year);
    (void)snprintf(json + len, sizeof(json) - (size_t)len, "}");
    struct view_chunk chunks[2];
    for (uint32_t c = 0; c < 2; c++)
        chunks[c] = (struct view_chunk){
            .chunk_id = sh_bytes_of(c == 0 ? "a" : "b"),
            .text = sh_bytes_of(c < sample->chunks ? "needle in hay" : "only hay"),
            .ordinal = c};
    struct view_document document = document_of(id, "T");
    document.metadata = sh_bytes_of(json);
    document.collection = sh_bytes_of(sample->collected ? "kept" : "");
    document.clearance_level = sample->clearance;
    document.chunks = chunks;
    document.chunk_count = 2;
    assert_int_equal(view_put(f->view, &document), SH_OK);
}

static void open_with_samples(struct fixture *f)
{
    struct rng rng = {11};
    fixture_open(f);
    for (uint32_t i = 0; i < DOCUMENTS; i++)
        store(f, &rng, i);
    f->query.mode = 2;
    f->query.facets = true;
}

/* --- the plain way ---------------------------------------------------------------- */

static bool has_value(const struct sample *sample, const char *field, const json_t *value)
{
    char colour[8];
    (void)snprintf(colour, sizeof(colour), "c%u", sample->colour);
    if (strcmp(field, "colour") == 0)
        return strcmp(colour, json_string_value(value)) == 0;
    if (strcmp(field, "year") == 0)
        return sample->year > 0 && sample->year == json_integer_value(value);
    if (strcmp(field, "open") == 0)
        return sample->open == json_is_true(value);
    assert_string_equal(field, "collection");
    return sample->collected && strcmp(json_string_value(value), "kept") == 0;
}

static json_int_t plain_count(const char *field, const json_t *value, uint32_t clearance,
                              bool every)
{
    json_int_t count = 0;
    for (size_t i = 0; i < DOCUMENTS; i++)
        if (samples[i].clearance <= clearance && has_value(&samples[i], field, value))
            count += every ? 2 : samples[i].chunks;
    return count;
}

static size_t plain_colours(uint32_t clearance)
{
    bool seen[64] = {false};
    size_t count = 0;
    for (size_t i = 0; i < DOCUMENTS; i++)
        if (samples[i].clearance <= clearance && samples[i].chunks > 0 &&
            !seen[samples[i].colour]) {
            seen[samples[i].colour] = true;
            count++;
        }
    return count;
}

/* --- tests ------------------------------------------------------------------------ */

static json_t *facets_of(struct fixture *f, const char *text)
{
    assert_int_equal(search_for(f, text, NULL), SH_OK);
    json_t *facets = json_loadb(f->results.facets.data, f->results.facets.len, 0, NULL);
    assert_non_null(facets);
    return facets;
}

static const json_t *field_of(const json_t *facets, size_t i)
{
    return json_array_get(json_object_get(facets, "fields"), i);
}

static const char *name_of(const json_t *field)
{
    return json_string_value(json_object_get(field, "field"));
}

static void check_field(const json_t *field, uint32_t clearance, bool every)
{
    const json_t *values = json_object_get(field, "values");
    json_int_t before = INT32_MAX;
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *one = json_array_get(values, i);
        json_int_t count = json_integer_value(json_object_get(one, "count"));
        assert_true(count > 0 && count <= before);
        assert_int_equal(count, plain_count(name_of(field), json_object_get(one, "value"),
                                            clearance, every));
        before = count;
    }
}

static void counts_are_those_of_all_that_matches_and_may_be_read(void **state)
{
    (void)state;
    static const struct sh_bytes fields[] = {
        {"colour", 6}, {"year", 4}, {"open", 4}, {"collection", 10}, {"absent", 6}};
    struct fixture f;
    open_with_samples(&f);
    f.query.facet_fields = fields;
    f.query.facet_fields_count = SH_COUNT(fields);
    f.query.facet_values = 50;
    f.query.max_results = 1; /* the page does not matter */
    for (f.caller.clearance = 1; f.caller.clearance <= 2; f.caller.clearance++) {
        json_t *facets = facets_of(&f, "needle");
        assert_string_equal(json_string_value(json_object_get(facets, "over")),
                            "matches");
        assert_int_equal(json_array_size(json_object_get(facets, "fields")), 5);
        for (size_t i = 0; i < 4; i++)
            check_field(field_of(facets, i), f.caller.clearance, false);
        const json_t *colours = field_of(facets, 0);
        size_t distinct = plain_colours(f.caller.clearance);
        assert_int_equal(json_integer_value(json_object_get(colours, "distinct")),
                         distinct);
        assert_int_equal(json_array_size(json_object_get(colours, "values")), distinct);
        assert_int_equal(json_array_size(json_object_get(field_of(facets, 4), "values")),
                         0);
        json_decref(facets);
    }
    fixture_close(&f);
}

static void a_filter_and_a_rule_narrow_what_is_counted(void **state)
{
    (void)state;
    struct fixture f;
    open_with_samples(&f);
    static const struct sh_bytes fields[] = {{"year", 4}};
    f.query.facet_fields = fields;
    f.query.facet_fields_count = 1;
    f.query.filters = sh_bytes_of("{\"collection\":\"kept\"}");
    json_t *facets = facets_of(&f, "needle");
    const json_t *first =
        json_array_get(json_object_get(field_of(facets, 0), "values"), 0);
    json_int_t year = json_integer_value(json_object_get(first, "value"));
    json_int_t expected = 0;
    for (size_t i = 0; i < DOCUMENTS; i++)
        if (samples[i].clearance == 1 && samples[i].collected && samples[i].year == year)
            expected += samples[i].chunks;
    assert_int_equal(json_integer_value(json_object_get(first, "count")), expected);
    json_decref(facets);
    f.query.filters = (struct sh_bytes){0};
    facets = facets_of(&f, "+needle hay"); /* what must be there is all that is counted */
    check_field(field_of(facets, 0), 1, false);
    json_decref(facets);
    facets = facets_of(&f, "hay");
    check_field(field_of(facets, 0), 1, true);
    json_decref(facets);
    fixture_close(&f);
}

static void without_names_it_is_what_divides_the_matches(void **state)
{
    (void)state;
    struct fixture f;
    open_with_samples(&f);
    put_text(&f,
             (struct view_document){.id = sh_bytes_of("secret"),
                                    .title = sh_bytes_of("S"),
                                    .clearance_level = 2,
                                    .metadata = sh_bytes_of("{\"codename\":\"x\"}")},
             "needle", NULL);
    put_text(&f,
             (struct view_document){.id = sh_bytes_of("open"),
                                    .title = sh_bytes_of("S"),
                                    .clearance_level = 1,
                                    .metadata = sh_bytes_of("{\"codename\":\"y\"}")},
             "needle", NULL);
    json_t *facets = facets_of(&f, "needle");
    const json_t *fields = json_object_get(facets, "fields");
    assert_int_equal(json_array_size(fields), 3);
    for (size_t i = 0; i < json_array_size(fields); i++) {
        assert_string_not_equal(name_of(field_of(facets, i)), "codename");
        assert_true(json_array_size(json_object_get(field_of(facets, i), "values")) <=
                    10);
    }
    json_decref(facets);
    f.caller.clearance = 2; /* sees two of them */
    facets = facets_of(&f, "needle");
    assert_int_equal(json_array_size(json_object_get(facets, "fields")), 4);
    assert_string_equal(name_of(field_of(facets, 3)), "codename");
    json_decref(facets);
    fixture_close(&f);
}

static void prose_is_counted_as_different_and_not_named(void **state)
{
    (void)state;
    char json[LONG + 32] = "{\"note\":\"";
    static const struct sh_bytes fields[] = {{"note", 4}};
    struct fixture f;
    fixture_open(&f);
    memset(json + 9, 'x', LONG);
    memcpy(json + 9 + LONG, "\"}", 3);
    struct view_document document = document_of("long", "L");
    document.metadata = sh_bytes_of(json);
    put_text(&f, document, "needle", NULL);
    f.query.mode = 2;
    f.query.facets = true;
    f.query.facet_fields = fields;
    f.query.facet_fields_count = 1;
    json_t *facets = facets_of(&f, "needle");
    const json_t *note = field_of(facets, 0);
    assert_int_equal(json_integer_value(json_object_get(note, "distinct")), 1);
    assert_int_equal(json_array_size(json_object_get(note, "values")), 0);
    json_decref(facets);
    f.query.facets = false; /* nobody asked */
    assert_int_equal(search_for(&f, "needle", NULL), SH_OK);
    assert_int_equal(f.results.facets.len, 0);
    fixture_close(&f);
}

static void with_vectors_it_is_what_either_leg_found(void **state)
{
    (void)state;
    static const float near[] = {1, 0, 0, 0};
    static const float far[] = {-1, 0, 0, 0};
    static const struct sh_bytes fields[] = {{"k", 1}};
    struct fixture f;
    fixture_open(&f);
    struct view_document document = document_of("near", "N");
    document.metadata = sh_bytes_of("{\"k\":\"near\"}");
    put_text(&f, document, "other words", near);
    document = document_of("far", "F");
    document.metadata = sh_bytes_of("{\"k\":\"far\"}");
    put_text(&f, document, "other words", far);
    document = document_of("word", "W");
    document.metadata = sh_bytes_of("{\"k\":\"word\"}");
    put_text(&f, document, "needle", far);
    f.query.facets = true;
    f.query.facet_fields = fields;
    f.query.facet_fields_count = 1;
    f.query.similarity_threshold = 0.5;
    assert_int_equal(search_for(&f, "needle", near), SH_OK);
    json_t *facets = json_loadb(f.results.facets.data, f.results.facets.len, 0, NULL);
    assert_int_equal(f.results.total, 2);
    assert_string_equal(json_string_value(json_object_get(facets, "over")), "matches");
    assert_int_equal(json_integer_value(json_object_get(field_of(facets, 0), "distinct")),
                     2);
    json_decref(facets);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_those_of_all_that_matches_and_may_be_read),
        cmocka_unit_test(a_filter_and_a_rule_narrow_what_is_counted),
        cmocka_unit_test(without_names_it_is_what_divides_the_matches),
        cmocka_unit_test(prose_is_counted_as_different_and_not_named),
        cmocka_unit_test(with_vectors_it_is_what_either_leg_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
