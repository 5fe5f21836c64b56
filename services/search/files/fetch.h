/* fetch: a file of the store as a descriptor, whichever store it is: a directory's own,
 * or a copy in a file without a name. Loop thread only. */
#ifndef SEARCH_FETCH_H
#define SEARCH_FETCH_H

#include "shared/file_store.h"
#include "shared/workers.h"

struct fetch;

struct fetch_options {
    struct sh_file_store *store;
    struct sh_workers *workers; /* who write the copy */
    const char *spool_dir;      /* where to; empty: TMPDIR, or /tmp */
};

/* SH_OK: `fd` is open until fetch_close(); its position may be anywhere. SH_NOTFOUND,
 * SH_IO, SH_UNAVAILABLE and the like: it cannot be had. Never from inside fetch_start().
 */
typedef void fetch_done_fn(void *arg, enum sh_err err, int fd);

/* Errors: SH_INVALID (no hash), SH_NOMEM, SH_BUSY. */
SH_CHECK enum sh_err fetch_start(const struct fetch_options *options,
                                 struct sh_bytes hash, fetch_done_fn *done, void *arg,
                                 struct fetch **out);
/* At any time; `done` does not come any more. NULL is fine. */
void fetch_close(struct fetch **fetch);

#endif
