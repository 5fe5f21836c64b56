/* bench_filters: the filter columns beside asking every document, which is what they
 * replaced; see bench/bench_filters.py. One JSON object a line. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "services/search/filter/columns.h"
#include "shared/buffer.h"
#include "tests/unit/search/columns_fixture.h"
#include "tests/unit/search/filter_oracle.h"

struct item { /* a document */
    struct filter_row row;
    struct metadata *metadata;
    char id[24];
    uint32_t first; /* slot */
    uint32_t number;
};

struct corpus {
    struct item *items;
    uint32_t count;
    uint32_t each; /* passages a document */
    struct columns *columns;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void must(enum sh_err err, const char *what)
{
    if (err == SH_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, sh_err_text(err));
    exit(1);
}

/* What each filter of the list below lets through is set by these. */
static void make_item(struct rng *rng, uint32_t serial, struct item *item)
{
    static const char *const of_department[] = {
        "IT",      "HR",    "Law",  "Physics", "History",   "Music",   "Estates",
        "Finance", "Arts",  "GIS",  "Biology", "Chemistry", "Geology", "Library",
        "Health",  "Sport", "Math", "Vet",     "Divine",    "Nursing"};
    static const char *const of_campus[] = {"central", "King's Buildings", "easter_bush",
                                            "western_general"};
    struct sh_buffer json = {0};
    uint32_t row = rng_below(rng, 10);
    uint32_t building = rng_below(rng, 20);
    (void)snprintf(item->id, sizeof(item->id), "doc-%u", serial);
    sh_buffer_printf(
        &json,
        "{\"lang\":\"%s\",\"year\":%u,\"created\":\"20%02u-%02u-%02uT%02u:%02u:"
        "%02u\",\"bytes\":%u,\"url\":\"https://example.org/documents/%u\",",
        rng_chance(rng, 90) ? "en" : "de", 1995 + rng_below(rng, 30), rng_below(rng, 25),
        1 + rng_below(rng, 12), 1 + rng_below(rng, 28), rng_below(rng, 24),
        rng_below(rng, 60), rng_below(rng, 60), rng_below(rng, 1000000), serial);
    sh_buffer_printf(&json,
                     "\"author\":\"author %u\",\"tags\":[\"t%u\",\"t%u\",\"t%u\"],",
                     rng_below(rng, 5000), rng_below(rng, 1000), rng_below(rng, 1000),
                     rng_below(rng, 100));
    sh_buffer_printf(&json, "\"building\":{\"lat\":%.3f,\"lon\":%.3f},",
                     55.9 + building / 200.0, -3.3 + row / 100.0);
    sh_buffer_printf(&json, "\"position\":{\"lat\":%.6f,\"lon\":%.6f}}",
                     rng_between(rng, 50, 59), rng_between(rng, -7, 1));
    must(metadata_parse(sh_buffer_bytes(&json), &item->metadata), "metadata");
    sh_buffer_free(&json);
    uint32_t level = rng_below(rng, 10);
    item->row = (struct filter_row){
        .id = sh_bytes_of(item->id),
        .collection = sh_bytes_of(rng_chance(rng, 70) ? "policies" : "news"),
        .department = sh_bytes_of(WORD(rng, of_department)),
        .campus = sh_bytes_of(WORD(rng, of_campus)),
        .priority = rng_below(rng, 6),
        .clearance_level = level < 5   ? 1
                           : level < 8 ? 2
                                       : level - 5,
        .metadata = item->metadata,
    };
}

static void fill(struct corpus *corpus)
{
    struct rng rng = {42};
    uint64_t spent = 0;
    must(columns_create(&corpus->columns), "columns");
    corpus->items = sh_alloc_array(corpus->count, sizeof(*corpus->items));
    if (!corpus->items)
        exit(1);
    uint32_t *slots = sh_alloc_array(corpus->each, sizeof(*slots));
    if (!slots)
        exit(1);
    for (uint32_t i = 0; i < corpus->count; i++) {
        struct item *item = &corpus->items[i];
        make_item(&rng, i, item);
        item->first = i * corpus->each;
        for (uint32_t n = 0; n < corpus->each; n++)
            slots[n] = item->first + n;
        const struct slot_list list = {slots, sizeof(*slots), corpus->each};
        uint64_t start = now_ns();
        must(columns_put(corpus->columns, &item->row, &list, &item->number), "put");
        spent += now_ns() - start;
    }
    sh_free(slots);
    printf("{\"documents\":%u,\"passages\":%u,\"us_per_put\":%.2f,"
           "\"bytes_per_passage\":%.2f}\n",
           corpus->count, corpus->count * corpus->each,
           (double)spent / 1000 / corpus->count,
           (double)columns_bytes(corpus->columns) / corpus->count / corpus->each);
}

/* As the search did before: every document is asked. */
static uint32_t ask_each(const struct corpus *corpus, const struct filter *filter,
                         struct sh_arena *arena)
{
    struct bitmap allowed = {.bits = corpus->count * corpus->each};
    uint32_t count = 0;
    allowed.words =
        sh_arena_array(arena, bitmap_words(allowed.bits) + 1, sizeof(uint64_t));
    if (!allowed.words)
        exit(1);
    for (uint32_t i = 0; i < corpus->count; i++) {
        const struct item *item = &corpus->items[i];
        if (!oracle_match(filter, &item->row))
            continue;
        for (uint32_t n = 0; n < corpus->each; n++)
            bitmap_add(&allowed, item->first + n);
        count += corpus->each;
    }
    return count;
}

static uint32_t select_columns(const struct corpus *corpus, const struct filter *filter,
                               struct sh_arena *arena)
{
    struct selection found;
    must(columns_select(corpus->columns, filter, corpus->count * corpus->each, UINT64_MAX,
                        arena, &found),
         "select");
    return found.count;
}

typedef uint32_t way_fn(const struct corpus *corpus, const struct filter *filter,
                        struct sh_arena *arena);

/* Median of single times, in microseconds. */
static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double measure(const struct corpus *corpus, const struct filter *filter,
                      way_fn *way, int rounds, uint32_t *count)
{
    double us[101] = {0};
    for (int i = 0; i < rounds; i++) {
        struct sh_arena arena = {0};
        uint64_t start = now_ns();
        *count = way(corpus, filter, &arena);
        us[i] = (double)(now_ns() - start) / 1000;
        sh_arena_free(&arena);
    }
    qsort(us, (size_t)rounds, sizeof(us[0]), by_value);
    return us[rounds / 2];
}

static const struct {
    const char *name;
    const char *json;
} filters[] = {
    {"none", "{}"},
    {"collection, 70 %", "{\"collection\":\"policies\"}"},
    {"department, 5 %", "{\"department\":\"Physics\"}"},
    {"three years, 10 %", "{\"metadata\":{\"year\":{\"gte\":2001,\"lte\":2003}}}"},
    {"tag, 1 %", "{\"metadata\":{\"tags\":\"t77\"}}"},
    {"tag, 0.2 %", "{\"metadata\":{\"tags\":\"t777\"}}"},
    {"author and priority, 0.01 %",
     "{\"min_priority\":3,\"metadata\":{\"author\":\"author 4321\"}}"},
    {"dates nobody shares, 10 %",
     "{\"metadata\":{\"created\":{\"gte\":\"2003-01-01\",\"lt\":\"2005-07-01\"}}}"},
    {"numbers nobody shares, 1 %",
     "{\"metadata\":{\"bytes\":{\"gte\":500000,\"lt\":510000}}}"},
    {"numbers nobody shares, 90 %", "{\"metadata\":{\"bytes\":{\"lt\":900000}}}"},
    {"circle, 200 buildings, 10 %",
     "{\"metadata\":{\"building\":{\"geo\":{\"lat\":55.94,\"lon\":-3.25,"
     "\"radius_km\":2.2}}}}"},
    {"circle, each its position, 1 %",
     "{\"metadata\":{\"position\":{\"geo\":{\"lat\":54,\"lon\":-3,\"radius_km\":43}}}}"},
    {"any of 1000 tags and years",
     "{\"any\":[{\"metadata\":{\"tags\":{\"exists\":true}}},{\"none\":[{\"metadata\":"
     "{\"year\":{\"lt\":2010}}}]}]}"},
};

static void run(const struct corpus *corpus, const char *who, const struct caller *caller,
                int rounds)
{
    double passages = (double)corpus->count * corpus->each;
    for (size_t i = 0; i < SH_COUNT(filters); i++) {
        struct sh_arena arena = {0};
        struct filter *filter = NULL;
        struct filter_problem problem;
        uint32_t found = 0;
        uint32_t asked = 0;
        must(filter_compile(sh_bytes_of(filters[i].json), caller, &arena, &filter,
                            &problem),
             "filter");
        double columns_us = measure(corpus, filter, select_columns, rounds, &found);
        double each_us = measure(corpus, filter, ask_each, 3, &asked);
        if (found != asked)
            exit(1);
        printf("{\"caller\":\"%s\",\"filter\":\"%s\",\"allowed\":%u,\"share\":%.5f,"
               "\"columns_us\":%.1f,\"each_us\":%.1f}\n",
               who, filters[i].name, found, found / passages, columns_us, each_us);
        sh_arena_free(&arena);
    }
}

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
    struct corpus corpus = {.count = argc > 1 ? number(argv[1]) : 100000,
                            .each = argc > 2 ? number(argv[2]) : 10};
    const struct caller admin = {.clearance = 5, .all_departments = true};
    const struct caller staff = {.clearance = 3,
                                 .department = sh_bytes_of("IT"),
                                 .campus = sh_bytes_of("central")};
    fill(&corpus);
    run(&corpus, "admin", &admin, 51);
    run(&corpus, "staff", &staff, 51);
    uint64_t start = now_ns();
    for (uint32_t i = 0; i < corpus.count; i++)
        columns_remove(corpus.columns, &corpus.items[i].row, corpus.items[i].number);
    printf("{\"us_per_remove\":%.2f}\n",
           (double)(now_ns() - start) / 1000 / corpus.count);
    for (uint32_t i = 0; i < corpus.count; i++)
        sh_free(corpus.items[i].metadata);
    sh_free(corpus.items);
    columns_free(&corpus.columns);
    return 0;
}
