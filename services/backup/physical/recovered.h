/* recovered: a physical set as a private server, recovered to where it was told and
 * compared with what was counted when the set was made. Where recovery ends at the very
 * position at which was counted, the numbers must be equal. Elsewhere they are told, and
 * only tables and vectors that are not there at all count against the set; not even those
 * at a moment that was asked for, by which they may have been removed. One thread. */
#ifndef BACKUP_RECOVERED_H
#define BACKUP_RECOVERED_H

#include "services/backup/physical/recover.h"

struct recovered {
    struct work *work;
    struct tree tree;
    struct chain chain;
    struct until until;
    bool equal; /* the numbers must be */
    bool later; /* than the set: what is not there any more was removed by then */
    struct scratch scratch;
    char path[BACKUP_PATH]; /* the data directory */
    json_t *problems, *result;
};

/* What is stored, and whether it reaches: nothing is made yet. `folder` and `manifest` of
 * the set must stay; `until` as until.h, "": where the numbers can be compared; a time
 * that has passed is waited for while the log is being stored. The struct must stay where
 * it is; recovered_close() in every case. Errors: SH_INVALID, SH_NOTFOUND, SH_MALFORMED
 * (those of recover_reaches()), SH_IO. */
SH_CHECK enum sh_err recovered_choose(struct work *work, int folder,
                                      const json_t *manifest, const char *until,
                                      struct recovered *out);
/* The server runs afterwards, unless there is an error. report: {"problems":[…],
 * "result":{…}} as of verify.h; `result` gets "recovered", "found", "counts" (equal or
 * about) and, of a later moment, "changed" (sentences). Errors: SH_BUSY
 * (BACKUP_SCRATCH_DIR is short), what is wrong with the machine, SH_NOTFOUND (the stored
 * log ends before); those of load_into() and recover.h, which are about the set. */
SH_CHECK enum sh_err recovered_start(struct recovered *recovered, json_t *report);
/* The server ends, and what was made is removed. */
void recovered_close(struct recovered *recovered);

#endif
