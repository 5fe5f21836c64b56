/* jobs: one function for each command: what to do in which order. One thread. */
#ifndef BACKUP_JOBS_H
#define BACKUP_JOBS_H

#include "services/backup/restore/pick.h"

struct job_order { /* what the command line says; "" or NULL: nothing */
    const char *id;
    const char *kind, *label, *by, *proof;
    const char *target, *database, *confirm;
    const char *from;
    const char *until, *directory; /* of a physical set */
    const char *next;
    const char *slot; /* Unix seconds: nothing is done when a set is newer */
    struct pick tables, collections; /* of a restore; none: all */
    bool dry, force;
};

/* *result may stay NULL; the caller's. The work has the text of an error. */
typedef enum sh_err job_fn(struct work *work, const struct job_order *order,
                           json_t **result);
job_fn job_create, job_list_sets, job_show, job_verify, job_drill, job_restore, job_undo,
    job_prune, job_delete, job_copy, job_stream, job_fetch, job_schedule, job_keys,
    job_repair;

#endif
