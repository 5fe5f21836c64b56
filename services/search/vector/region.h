/* region: memory that grows in place. The addresses are set aside at once, pages are
 * taken as they are needed; readers go on while it grows. One thread at a time grows. */
#ifndef SEARCH_REGION_H
#define SEARCH_REGION_H

#include <stddef.h>

#include "shared/err.h"

struct region {
    char *base;
    size_t usable; /* bytes, zeroed until written */
    size_t most;
};

/* `most` bytes of addresses. Errors: SH_NOMEM. */
SH_CHECK enum sh_err region_open(size_t most, struct region *region);
void region_close(struct region *region);
/* Errors: SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err region_grow(struct region *region, size_t bytes);
/* Puts a file's bytes [offset, offset + bytes) at the start of an empty region: a private
 * copy, page by page as they are written. offset is a multiple of REGION_PAGE. Errors:
 * SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err region_map(struct region *region, int fd, size_t offset,
                                size_t bytes);

enum { REGION_PAGE = 65536 };

#endif
