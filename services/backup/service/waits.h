/* waits: who waits for a run to change. A clock looks after them, not the changes
 * themselves: a run that tells of itself ten times a second is told of five times. Runs
 * of other replicas are read where they are written down, once a second. Loop thread
 * only.
 */
#ifndef BACKUP_WAITS_H
#define BACKUP_WAITS_H

#include <stdbool.h>
#include <uv.h>

#include "shared/rpc_server.h"
#include "shared/service.h"

struct wait;

struct waits {
    uv_timer_t timer;
    struct wait *first;
    bool draining;
};

/* Stages of a service whose self is a struct backup. */
SH_CHECK enum sh_err waits_start(struct sh_service *service, void *self);
/* Who waits is told so. */
void waits_drain(struct sh_service *service, void *self);
void waits_stop(struct sh_service *service, void *self);

/* backup.run_wait; `arg` is a struct backup. */
void waits_run(void *arg, struct sh_rpc_call *call);

#endif
