/* keeper: files that no document refers to any more are removed from the store, and what
 * nobody knows of is found.
 *
 * A reference that goes leaves a row in file_orphans in its own transaction, so no crash
 * loses it. The keeper takes such rows under a lease, removes the files, strikes the rows
 * off. Against an upload of the same bytes at the same moment: an upload claims its hash
 * before it looks whether the bytes are there already, and claims and removals take turns
 * (0010_files.sql). Either the claim comes first, and the file stays; or the removal
 * does, and the upload waits for its end and brings the bytes anew. A service that stands
 * still for longer than its lease while it removes is the one case left.
 *
 * Now and then one replica looks through the whole store for files older than a day that
 * neither documents nor uploads know of. Loop thread only. */
#ifndef SEARCH_KEEPER_FILES_H
#define SEARCH_KEEPER_FILES_H

#include "shared/file_store.h"
#include "shared/pg.h"

struct file_keeper;

struct file_keeper_options {
    struct sh_pg *pg;
    struct sh_file_store *store;
    uint32_t orphan_age_s; /* of files that nobody knows, and of claims */
    uint32_t sweep_s;      /* between two looks through the store */
};

SH_CHECK enum sh_err file_keeper_create(uv_loop_t *loop,
                                        const struct file_keeper_options *options,
                                        struct file_keeper **out);
/* There may be something to remove. NULL is fine. */
void file_keeper_wake(struct file_keeper *self);
/* Begins nothing new; memory goes when what is under way has ended. */
void file_keeper_close(struct file_keeper **self);

#endif
