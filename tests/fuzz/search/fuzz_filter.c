/* Any bytes as filters and as metadata: refused with a field, or asked of a row. */
#include <stdlib.h>

#include "services/search/filter/filter.h"
#include "tests/unit/search/filter_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sh_arena arena = {0};
    struct metadata *metadata = NULL;
    struct filter *filter = NULL;
    struct filter_problem problem = {{0}, {0}};
    const struct caller caller = {.clearance = 3, .department = {"IT", 2}};
    const uint8_t *split = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t first = split ? (size_t)(split - data) : size;
    struct sh_bytes rest = {data + first, size - first};

    enum sh_err err = filter_compile((struct sh_bytes){data, first}, &caller, &arena,
                                     &filter, &problem);
    if (err == SH_INVALID && problem.field[0] == '\0')
        abort();
    if (metadata_parse(rest, &metadata) == SH_OK && err == SH_OK) {
        struct filter_row row = {.id = rest,
                                 .campus = sh_bytes_of("central"),
                                 .clearance_level = 2,
                                 .metadata = metadata};
        (void)oracle_match(filter, &row); /* no answer is wrong, only a crash */
    }
    sh_free(metadata);
    sh_arena_free(&arena);
    return 0;
}
