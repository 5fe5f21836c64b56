/* shelf: the stored log in one of BACKUP_PLACES. What could not be sent is sent when the
 * place is there again: which segment was the last is kept beside the store. One thread.
 */
#ifndef BACKUP_SHELF_H
#define BACKUP_SHELF_H

#include "services/backup/place/post.h"
#include "services/backup/wal/store.h"

enum { SHELVES_MOST = 16 };

struct shelf {
    char place[256];
    struct post *post; /* NULL: not open */
    bool behind;       /* something stored was not sent */
    uint64_t retry_ms;
    uint64_t stored;       /* the place has the log up to here */
    double at;             /* what was committed before is there */
    char last[STORE_NAME]; /* the newest whole segment that was sent; "" */
    char error[256];
};

/* Those of BACKUP_PLACES: how many. They begin as behind. */
size_t shelves_open(struct work *work, int store, struct shelf list[static SHELVES_MOST]);
/* A piece that was just stored. False: it is behind from now on. */
bool shelf_send(struct work *work, struct shelf *shelf, int store, const char *system,
                const char *name);
/* What it lacks, when it is time to try again. */
void shelf_catch_up(struct work *work, struct shelf *shelf, int store,
                    const char *system);
void shelf_close(struct shelf *shelf);

/* Names of whole segments and histories that are stored, sorted; strings, the caller's.
 */
json_t *shelf_names(int store);

#endif
