/* rows: full vectors by slot, in a mapped file or in memory. They never move: readers go
 * on while it grows. Each row carries a checksum of itself and its slot (XXH3); what a
 * file holds is checked when it is first read, and a row that fails counts as missing.
 * The file is live: what is set is in it at once, and safe after rows_sync(). It is
 * called rows-<identity> while it is in use; a snapshot has a second name for it.
 * Several threads may set rows of different slots; a row is read by those who know that
 * nobody is setting it. */
#ifndef SEARCH_ROWS_H
#define SEARCH_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"

struct rows;

struct rows_options {
    uint32_t dimension; /* 1 to 65,536 */
    uint32_t most;      /* slots */
    const char *dir;    /* that a file is made in; NULL: in memory */
};

/* Errors: SH_NOMEM, SH_INVALID, SH_IO (no file, or no room on the disk). */
SH_CHECK enum sh_err rows_create(const struct rows_options *options, struct rows **out);
/* The file that rows_link() called `path` (in the same file system as `dir`), when its
 * identity is this one. Errors: SH_NOTFOUND, SH_CONFLICT (it is another file, or of
 * another dimension), SH_MALFORMED (its head is damaged), SH_IO, SH_NOMEM, SH_INVALID. A
 * file that was cut short has fewer rows. */
SH_CHECK enum sh_err rows_open(const struct rows_options *options, const char *path,
                               uint64_t identity, struct rows **out);
/* The file goes, but for its second names. Takes NULL. */
void rows_free(struct rows **rows);
/* Removes what a process that died has left in `dir`; nobody uses any of it. */
void rows_clean(const char *dir);

/* `dimension` floats, copied. Errors: SH_TOOBIG (slot), SH_NOMEM, SH_IO (no room on the
 * disk); then the slot has the row that it had. */
SH_CHECK enum sh_err rows_set(struct rows *self, uint32_t slot, const float *vector);
/* NULL: never set, or damaged. Valid until the next rows_set() of the slot. */
const float *rows_get(const struct rows *self, uint32_t slot);
/* The row is wanted soon. */
void rows_prefetch(const struct rows *self, uint32_t slot);
/* To the disk. Errors: SH_IO. */
SH_CHECK enum sh_err rows_sync(struct rows *self);
/* Another name for the file, in place of what is there. Errors: SH_INVALID (in memory),
 * SH_IO (another file system, no permission). */
SH_CHECK enum sh_err rows_link(const struct rows *self, const char *path);

/* Random, of each file that is made; 0 in memory. */
uint64_t rows_identity(const struct rows *self);
/* Rows that were refused. */
uint32_t rows_damaged(const struct rows *self);
/* Of memory or of the file. */
size_t rows_bytes(const struct rows *self);

#endif
