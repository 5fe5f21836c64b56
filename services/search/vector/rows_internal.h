/* rows_internal: the inside of the rows, for their own files only. */
#ifndef SEARCH_ROWS_INTERNAL_H
#define SEARCH_ROWS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "services/search/vector/region.h"
#include "services/search/vector/rows.h"
#include "shared/mem.h"

/* Memory and file are [head, up to REGION_PAGE][record]…, a record is [floats][checksum]:
 * a machine of another byte order refuses it. */
struct rows {
    uint32_t dimension;
    uint32_t most;
    size_t record;
    struct region region;   /* from the head on */
    struct region states;   /* one _Atomic uint8_t a slot */
    _Atomic uint32_t slots; /* that there is room for */
    uint64_t identity;
    int fd;         /* -1: in memory */
    char *path;     /* of the file, ours */
    uint32_t filed; /* slots that the file had when it was opened */
    pthread_mutex_t growing;
};

/* rows.c: without a file. Errors: SH_INVALID, SH_NOMEM. */
SH_CHECK enum sh_err rows_make(const struct rows_options *options, struct rows **out);
uint32_t rows_in(const struct rows *self, size_t bytes);

/* rows_file.c. Errors: SH_IO, SH_NOMEM. */
SH_CHECK enum sh_err rows_new_file(struct rows *self, const char *dir);
SH_CHECK enum sh_err rows_grow_file(struct rows *self, size_t needed);

#endif
