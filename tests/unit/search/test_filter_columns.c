/* The promises of columns.h, held against filter_oracle.h document by document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "services/search/filter/geo.h"
#include "shared/clock.h"
#include "tests/unit/search/columns_fixture.h"
#include "tests/unit/search/filter_oracle.h"

enum { DOCUMENTS = 3000, SLOTS = 150000 };

struct held { /* a document in the columns */
    struct filter_row row;
    struct metadata *metadata;
    char id[24];
    uint32_t *slots;
    size_t slot_count;
    uint32_t number;
};

struct world {
    struct rng rng;
    struct columns *columns;
    struct held *held; /* DOCUMENTS places, by number of the id; id[0] is 0: absent */
    uint32_t *free_slots;
    uint32_t free_count;
    uint32_t split; /* filters that let some through, not all */
};

static void world_make(struct world *world, uint64_t seed)
{
    *world = (struct world){.rng = {seed}, .free_count = SLOTS};
    assert_int_equal(columns_create(&world->columns), SH_OK);
    world->held = sh_alloc_array(DOCUMENTS, sizeof(*world->held));
    world->free_slots = sh_alloc_array(SLOTS, sizeof(uint32_t));
    assert_non_null(world->held);
    assert_non_null(world->free_slots);
    for (uint32_t i = 0; i < SLOTS; i++)
        world->free_slots[i] = SLOTS - 1 - i;
}

static struct slot_list slots_of(const struct held *held)
{
    return (struct slot_list){held->slots, sizeof(uint32_t), held->slot_count};
}

static void forget(struct world *world, struct held *held)
{
    for (size_t i = 0; i < held->slot_count; i++)
        world->free_slots[world->free_count++] = held->slots[i];
    sh_free(held->metadata);
    sh_free(held->slots);
    *held = (struct held){.id = ""};
}

static void remove_one(struct world *world, uint32_t which)
{
    struct held *held = &world->held[which];
    if (!held->id[0])
        return;
    columns_remove(world->columns, &held->row, held->number);
    forget(world, held);
}

static void world_free(struct world *world)
{
    for (uint32_t i = 0; i < DOCUMENTS; i++)
        forget(world, &world->held[i]);
    columns_free(&world->columns);
    sh_free(world->held);
    sh_free(world->free_slots);
}

/* Mostly neighbours, as a view gives them, sometimes from anywhere. */
static void take_slots(struct world *world, struct held *held)
{
    struct rng *rng = &world->rng;
    held->slot_count = rng_chance(rng, 3) ? 0 : 1 + rng_below(rng, 60);
    held->slots = sh_alloc_array(held->slot_count + 1, sizeof(uint32_t));
    assert_non_null(held->slots);
    for (size_t i = 0; i < held->slot_count; i++) {
        uint32_t last = --world->free_count;
        if (rng_chance(rng, 2)) {
            uint32_t other = rng_below(rng, last + 1);
            uint32_t swapped = world->free_slots[other];
            world->free_slots[other] = world->free_slots[last];
            world->free_slots[last] = swapped;
        }
        held->slots[i] = world->free_slots[last];
    }
}

static void make_document(struct world *world, uint32_t which, struct held *held)
{
    struct rng *rng = &world->rng;
    struct sh_buffer json = {0};
    (void)snprintf(held->id, sizeof(held->id), "doc-%u", which);
    make_metadata(rng, rng_below(rng, 4000), &json);
    if (metadata_parse(sh_buffer_bytes(&json), &held->metadata) != SH_OK)
        fail_msg("%.*s", (int)json.len, json.data);
    sh_buffer_free(&json);
    held->row = (struct filter_row){
        .id = sh_bytes_of(held->id),
        .collection = sh_bytes_of(WORD(rng, collections)),
        .department = sh_bytes_of(WORD(rng, departments)),
        .campus = sh_bytes_of(WORD(rng, campuses)),
        .priority = rng_below(rng, 6),
        .clearance_level = 1 + rng_below(rng, 5),
        .metadata = rng_chance(rng, 97) ? held->metadata : NULL,
    };
    take_slots(world, held);
}

static void put_one(struct world *world, uint32_t which)
{
    struct held *held = &world->held[which];
    remove_one(world, which);
    make_document(world, which, held);
    const struct slot_list slots = slots_of(held);
    assert_int_equal(columns_put(world->columns, &held->row, &slots, &held->number),
                     SH_OK);
}

static struct caller random_caller(struct rng *rng)
{
    return (struct caller){
        .clearance = rng_below(rng, 6),
        .all_departments = rng_chance(rng, 30),
        .department = sh_bytes_of(WORD(rng, departments)),
        .campus = sh_bytes_of(WORD(rng, campuses)),
    };
}

/* --- what is expected ------------------------------------------------------------- */

static void note(struct priorities *priorities, uint32_t priority)
{
    if (!priorities->any || priority < priorities->least)
        priorities->least = priority;
    if (!priorities->any || priority > priorities->most)
        priorities->most = priority;
    priorities->any = true;
}

static void expect(const struct world *world, const struct filter *filter,
                   struct selection *expected)
{
    for (uint32_t i = 0; i < DOCUMENTS; i++) {
        const struct held *held = &world->held[i];
        if (!held->id[0] || held->slot_count == 0 || !oracle_match(filter, &held->row))
            continue;
        for (size_t n = 0; n < held->slot_count; n++)
            bitmap_add(&expected->allowed, held->slots[n]);
        expected->count += (uint32_t)held->slot_count;
        note(campus_same(held->row.campus, filter->caller->campus) ? &expected->own
                                                                   : &expected->others,
             held->row.priority);
    }
}

static bool same_priorities(const struct priorities *a, const struct priorities *b)
{
    return a->any == b->any && (!a->any || (a->least == b->least && a->most == b->most));
}

static void compare(struct world *world, const struct filter *filter, const char *json)
{
    struct sh_arena arena = {0};
    struct selection found;
    struct selection expected = {.allowed = {.bits = SLOTS}};
    expected.allowed.words =
        sh_arena_array(&arena, bitmap_words(SLOTS), sizeof(uint64_t));
    assert_non_null(expected.allowed.words);
    expect(world, filter, &expected);
    assert_int_equal(
        columns_select(world->columns, filter, SLOTS, UINT64_MAX, &arena, &found), SH_OK);
    if (found.count != expected.count ||
        memcmp(found.allowed.words, expected.allowed.words,
               bitmap_words(SLOTS) * sizeof(uint64_t)) != 0)
        fail_msg("%s: %u slots, not %u", json, found.count, expected.count);
    if (!same_priorities(&found.own, &expected.own) ||
        !same_priorities(&found.others, &expected.others))
        fail_msg("%s: the priorities differ", json);
    world->split += found.count > 0 && found.own.any && found.count < SLOTS / 4;
    sh_arena_free(&arena);
}

static void compare_random(struct world *world)
{
    struct sh_arena arena = {0};
    struct sh_buffer json = {0};
    struct filter *filter = NULL;
    struct filter_problem problem = {{0}, {0}};
    const struct caller caller = random_caller(&world->rng);
    make_filter(&world->rng, 3, &json);
    sh_buffer_append(&json, "", 1);
    enum sh_err err =
        filter_compile(sh_bytes_of(json.data), &caller, &arena, &filter, &problem);
    if (err == SH_INVALID)
        fail_msg("%s: %s: %s", json.data, problem.field, problem.message);
    if (err == SH_OK)
        compare(world, filter, json.data);
    else
        assert_int_equal(err, SH_FORBIDDEN);
    sh_buffer_free(&json);
    sh_arena_free(&arena);
}

/* --- the promises ----------------------------------------------------------------- */

static void columns_answer_as_each_document_would(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world world;
        world_make(&world, seed);
        for (int i = 0; i < 20; i++)
            compare_random(&world); /* of nothing */
        for (int round = 0; round < 10; round++) {
            for (int i = 0; i < 600; i++)
                put_one(&world, rng_below(&world.rng, DOCUMENTS));
            for (int i = 0; i < 250; i++)
                remove_one(&world, rng_below(&world.rng, DOCUMENTS));
            for (int i = 0; i < 60; i++)
                compare_random(&world);
        }
        for (uint32_t i = 0; i < DOCUMENTS - 20; i++)
            remove_one(&world, i);
        for (int i = 0; i < 60; i++)
            compare_random(&world);
        assert_true(world.split > 100);
        world_free(&world);
    }
}

static struct filter *compiled(const char *json, const struct caller *caller,
                               struct sh_arena *arena)
{
    struct filter *filter = NULL;
    struct filter_problem problem = {{0}, {0}};
    if (filter_compile(sh_bytes_of(json), caller, arena, &filter, &problem) != SH_OK)
        fail_msg("%s: %s: %s", json, problem.field, problem.message);
    return filter;
}

static const struct caller everyone = {
    .clearance = 5, .all_departments = true, .department = {"IT", 2}};

static void memory_is_given_back(void **state)
{
    (void)state;
    struct world world;
    size_t bytes[3];
    world_make(&world, 7);
    size_t empty = columns_bytes(world.columns);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < DOCUMENTS; i++)
            put_one(&world, i);
        assert_true(columns_bytes(world.columns) > empty + (size_t)DOCUMENTS * 100);
        for (uint32_t i = 0; i < DOCUMENTS; i++)
            remove_one(&world, i);
        bytes[round] = columns_bytes(world.columns);
        /* a place for each document's number, and the tables of keys */
        assert_true(bytes[round] < empty + (size_t)DOCUMENTS * 32 + 8192);
    }
    assert_int_equal(bytes[1], bytes[2]);
    world_free(&world);
}

static void a_put_without_memory_changes_nothing(void **state)
{
    (void)state;
    struct world world;
    struct held held = {.id = ""};
    int failures = 0;
    int successes = 0;
    world_make(&world, 11);
    for (uint32_t i = 0; i < 200; i++)
        put_one(&world, i);
    for (uint32_t i = 0; successes < 20; i++) {
        make_document(&world, DOCUMENTS - 1, &held);
        const struct slot_list slots = slots_of(&held);
        size_t bytes = columns_bytes(world.columns);
        enum sh_err err = SH_NOMEM;
        for (int n = 0; err != SH_OK; n++) {
            sh_mem_fail_after(n);
            err = columns_put(world.columns, &held.row, &slots, &held.number);
            sh_mem_fail_after(-1);
            failures += err != SH_OK;
            assert_true(err == SH_OK || err == SH_NOMEM);
            if (err == SH_OK)
                columns_remove(world.columns, &held.row, held.number);
            /* but for tables that had grown already */
            assert_true(columns_bytes(world.columns) < bytes + 16384);
        }
        successes++;
        forget(&world, &held);
        compare_random(&world);
    }
    assert_true(failures > 100);
    world_free(&world);
}

static const char *const wide[] = {
    "{}",
    "{\"metadata\":{\"score\":{\"gte\":-1}}}",
    "{\"metadata\":{\"position\":{\"geo\":{\"lat\":55.9,\"lon\":-3.2,\"radius_km\":20}}}"
    "}",
    "{\"any\":[{\"department\":\"IT\",\"campus\":\"central\"},"
    "{\"metadata\":{\"unique\":{\"exists\":true}}},{\"none\":[{\"min_priority\":2}]}]}",
};

static void a_selection_without_memory_is_refused(void **state)
{
    (void)state;
    struct world world;
    const struct caller staff = {.clearance = 3,
                                 .department = sh_bytes_of("IT"),
                                 .campus = sh_bytes_of("central")};
    world_make(&world, 12);
    for (uint32_t i = 0; i < 500; i++)
        put_one(&world, i);
    for (size_t i = 0; i < SH_COUNT(wide); i++) {
        struct sh_arena arena = {0};
        const struct filter *filter = compiled(wide[i], &staff, &arena);
        enum sh_err err = SH_NOMEM;
        for (int n = 0; err != SH_OK; n++) {
            struct sh_arena scratch = {0};
            struct selection found;
            sh_mem_fail_after(n);
            err = columns_select(world.columns, filter, SLOTS, UINT64_MAX, &scratch,
                                 &found);
            sh_mem_fail_after(-1);
            assert_true(err == SH_OK || (err == SH_NOMEM && n < 100));
            sh_arena_free(&scratch);
        }
        compare(&world, filter, wide[i]);
        sh_arena_free(&arena);
    }
    world_free(&world);
}

static void the_deadline_ends_a_selection(void **state)
{
    (void)state;
    struct world world;
    world_make(&world, 13);
    for (uint32_t i = 0; i < 100; i++)
        put_one(&world, i);
    for (size_t i = 0; i < SH_COUNT(wide); i++) {
        struct sh_arena arena = {0};
        struct selection found;
        const struct filter *filter = compiled(wide[i], &everyone, &arena);
        assert_int_equal(
            columns_select(world.columns, filter, SLOTS, sh_now_ms(), &arena, &found),
            SH_TIMEOUT);
        sh_arena_free(&arena);
    }
    world_free(&world);
}

enum { POINTS = 400 };

/* Each document is one slot, of its own number. */
static enum sh_err take_document(void *arg, const struct slot_set *set)
{
    bool *found = arg;
    for (uint32_t i = 0; slot_set_is_many(set) && i < POINTS; i++)
        found[i] |= roaring_bitmap_contains(set->many->slots, i);
    for (uint32_t i = 0; !slot_set_is_many(set) && i < set->count; i++)
        found[slot_set_documents(set)[i]] = true;
    return SH_OK;
}

struct points {
    double lat[POINTS];
    double lon[POINTS];
    struct ordered cells;
    struct places places;
    size_t bytes;
};

static void scatter(struct points *points, struct rng *rng)
{
    for (uint32_t i = 0; i < POINTS; i++) {
        uint32_t number = 0;
        const struct slot_list slots = {&i, sizeof(i), 1};
        make_point(rng, &points->lat[i], &points->lon[i]);
        assert_int_equal(places_add(&points->places, &slots, &number), SH_OK);
        assert_int_equal(geo_add(&points->cells, &points->places, points->lat[i],
                                 points->lon[i], number, &points->bytes),
                         SH_OK);
    }
}

/* Around anywhere or one of the points, with a radius that ends at another. */
static struct filter_geo make_circle(const struct points *points, struct rng *rng)
{
    struct filter_geo circle = {.lat = rng_between(rng, -90, 90),
                                .lon = rng_between(rng, -360, 360)};
    uint32_t centre = rng_below(rng, POINTS);
    uint32_t edge = rng_below(rng, POINTS);
    if (rng_chance(rng, 50) && fabs(points->lat[centre]) <= 90 &&
        fabs(points->lon[centre]) <= 360) {
        circle.lat = points->lat[centre];
        circle.lon = points->lon[centre];
    }
    circle.radius_km =
        geo_distance_km(circle.lat, circle.lon, points->lat[edge], points->lon[edge]);
    if (rng_chance(rng, 33))
        circle.radius_km = nextafter(circle.radius_km, -1);
    return circle;
}

static void hold_circle(const struct points *points, const struct filter_geo *circle)
{
    bool found[POINTS] = {false};
    assert_int_equal(geo_within(&points->cells, circle, take_document, found), SH_OK);
    for (uint32_t i = 0; i < POINTS; i++) {
        double away =
            distance_km(circle->lat, circle->lon, points->lat[i], points->lon[i]);
        if (found[i] != (away <= circle->radius_km))
            fail_msg("%.17g,%.17g within %.17g km of %.17g,%.17g: not %d", points->lat[i],
                     points->lon[i], circle->radius_km, circle->lat, circle->lon,
                     found[i]);
    }
}

static void circles_end_where_the_formula_says(void **state)
{
    (void)state;
    struct rng rng = {21};
    struct points points = {.bytes = 0};
    scatter(&points, &rng);
    for (int round = 0; round < 2000; round++) {
        const struct filter_geo circle = make_circle(&points, &rng);
        hold_circle(&points, &circle);
    }
    for (uint32_t i = 0; i < POINTS; i++)
        geo_remove(&points.cells, &points.places, points.lat[i], points.lon[i], i,
                   &points.bytes);
    assert_int_equal(points.cells.count, 0);
    assert_int_equal(points.bytes, 0);
    places_free(&points.places);
}

/* As many conditions as there may be, each a wide range: the words in which they come
 * together are one set for all. */
static void the_largest_filters_take_no_more_memory(void **state)
{
    (void)state;
    static const char *const groups[] = {"any", "all", "none"};
    struct world world;
    world_make(&world, 14);
    for (uint32_t i = 0; i < DOCUMENTS; i++)
        put_one(&world, i);
    for (size_t g = 0; g < SH_COUNT(groups); g++) {
        struct sh_buffer json = {0};
        struct sh_arena arena = {0};
        struct sh_arena scratch = {0};
        struct selection found;
        sh_buffer_printf(&json, "{\"%s\":[{}", groups[g]);
        for (int i = 0; i < 400; i++)
            sh_buffer_printf(&json,
                             ",{\"metadata\":{\"score\":{\"gte\":%d,\"lt\":%d.5}}}",
                             i % 9 - 5, i % 10 - 5);
        sh_buffer_text(&json, "]}");
        sh_buffer_append(&json, "", 1);
        const struct filter *filter = compiled(json.data, &everyone, &arena);
        assert_int_equal(
            columns_select(world.columns, filter, SLOTS, UINT64_MAX, &scratch, &found),
            SH_OK);
        assert_true(scratch.total < 4 * SLOTS / 8);
        compare(&world, filter, groups[g]);
        sh_arena_free(&scratch);
        sh_arena_free(&arena);
        sh_buffer_free(&json);
    }
    world_free(&world);
}

/* A document of 64 kB that is nothing but keys, values or positions. */
static void hostile_metadata_costs_what_it_weighs(void **state)
{
    (void)state;
    struct columns *columns = NULL;
    assert_int_equal(columns_create(&columns), SH_OK);
    for (size_t shape = 0; shape < 3; shape++) {
        struct sh_buffer json = {0};
        struct metadata *metadata = NULL;
        uint32_t number = 0;
        const uint32_t slot = 0;
        const struct slot_list slots = {&slot, sizeof(slot), 1};
        size_t before = columns_bytes(columns);
        sh_buffer_text(&json, "{\"x\":1");
        for (unsigned i = 0; json.len < 65000; i++) {
            sh_buffer_text(&json, ",");
            if (shape == 0)
                sh_buffer_printf(&json, "\"k%u\":1", i);
            else if (shape == 1)
                sh_buffer_printf(&json, "\"a%u.lat\":1,\"a%u.lon\":2", i, i);
            else
                sh_buffer_printf(&json, "\"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.%u\":true", i);
        }
        sh_buffer_text(&json, "}");
        assert_int_equal(metadata_parse(sh_buffer_bytes(&json), &metadata), SH_OK);
        struct filter_row row = {
            .id = sh_bytes_of("x"), .clearance_level = 1, .metadata = metadata};
        assert_int_equal(columns_put(columns, &row, &slots, &number), SH_OK);
        assert_true(columns_bytes(columns) - before < json.len * 64);
        columns_remove(columns, &row, number);
        sh_free(metadata);
        sh_buffer_free(&json);
    }
    columns_free(&columns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_answer_as_each_document_would),
        cmocka_unit_test(memory_is_given_back),
        cmocka_unit_test(a_put_without_memory_changes_nothing),
        cmocka_unit_test(a_selection_without_memory_is_refused),
        cmocka_unit_test(the_deadline_ends_a_selection),
        cmocka_unit_test(circles_end_where_the_formula_says),
        cmocka_unit_test(the_largest_filters_take_no_more_memory),
        cmocka_unit_test(hostile_metadata_costs_what_it_weighs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
