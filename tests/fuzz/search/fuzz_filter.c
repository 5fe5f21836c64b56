/* Any bytes as filters and as metadata: refused with a field, or answered by the columns
 * as each document would. */
#include <stdlib.h>

#include "services/search/filter/columns.h"
#include "tests/unit/search/filter_oracle.h"

enum { DOCUMENTS = 40 }; /* more than a list holds, so that they are a bitmap */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static const struct caller caller = {
    .clearance = 3, .department = {"IT", 2}, .campus = {"central", 7}};

/* The first has the metadata, and so have all others when they are to be many. */
static struct filter_row row_of(uint32_t i, bool many, const struct metadata *metadata)
{
    static const char *const campuses[] = {"", "central", "Central Campus", "Mars"};
    static const char *const departments[] = {"IT", "HR", ""};
    return (struct filter_row){.id = sh_bytes_of(i % 2 ? "x" : "doc"),
                               .department = sh_bytes_of(departments[i % 3]),
                               .campus = sh_bytes_of(campuses[i % 4]),
                               .priority = i % 6,
                               .clearance_level = 1 + i % 5,
                               .metadata = i == 0 || many ? metadata : NULL};
}

static void hold(const struct columns *columns, const struct filter *filter, bool many,
                 const struct metadata *metadata)
{
    struct sh_arena arena = {0};
    struct selection found;
    uint32_t count = 0;
    must(columns_select(columns, filter, DOCUMENTS, UINT64_MAX, &arena, &found) == SH_OK);
    for (uint32_t i = 0; i < DOCUMENTS; i++) {
        struct filter_row row = row_of(i, many, metadata);
        bool expected = oracle_match(filter, &row);
        must(bitmap_has(&found.allowed, i) == expected);
        count += expected;
    }
    must(found.count == count);
    sh_arena_free(&arena);
}

static void ask(const struct filter *filter, bool many, const struct metadata *metadata)
{
    struct columns *columns = NULL;
    uint32_t numbers[DOCUMENTS];
    must(columns_create(&columns) == SH_OK);
    for (uint32_t i = 0; i < DOCUMENTS; i++) {
        struct filter_row row = row_of(i, many, metadata);
        const struct slot_list slots = {&i, sizeof(i), 1};
        must(columns_put(columns, &row, &slots, &numbers[i]) == SH_OK);
    }
    hold(columns, filter, many, metadata);
    for (uint32_t i = 0; i < DOCUMENTS; i++) {
        struct filter_row row = row_of(i, many, metadata);
        columns_remove(columns, &row, numbers[i]);
    }
    columns_free(&columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sh_arena arena = {0};
    struct metadata *metadata = NULL;
    struct filter *filter = NULL;
    struct filter_problem problem = {{0}, {0}};
    const uint8_t *split = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t first = split ? (size_t)(split - data) : size;
    struct sh_bytes rest = {data + first, size - first};

    enum sh_err err = filter_compile((struct sh_bytes){data, first}, &caller, &arena,
                                     &filter, &problem);
    if (err == SH_INVALID && problem.field[0] == '\0')
        abort();
    if (metadata_parse(rest, &metadata) == SH_OK && err == SH_OK)
        ask(filter, size % 2 == 0, metadata);
    sh_free(metadata);
    sh_arena_free(&arena);
    return 0;
}
