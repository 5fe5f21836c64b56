/* wal: the process that stores the write-ahead log, started by the service and again when
 * it ends; what it says becomes health and metrics; and the physical sets that the log
 * needs: the first, those after a gap, and those of BACKUP_PHYSICAL_SCHEDULE. Loop thread
 * only. */
#ifndef BACKUP_SERVICE_WAL_H
#define BACKUP_SERVICE_WAL_H

#include <uv.h>

#include "services/backup/schedule/cron.h"
#include "services/backup/service/runs.h"
#include "services/backup/service/teller.h"
#include "shared/service.h"

struct backup;

struct wal {
    struct backup *backup;
    struct teller teller; /* its process */
    bool running, draining, held;
    uv_timer_t timer;
    double begun, retry_at;
    unsigned failures; /* of the process, in a row */
    /* what it said last */
    bool heard, streaming, base, bounded, other; /* other: another replica receives it */
    double recovery_point, heard_at;
    uint64_t missing, behind;
    char slot[16], error[256];
    /* physical sets */
    struct cron cron;
    bool scheduled;
    double base_not_before;
    unsigned base_failures;
    const char *complaint; /* what health was told */
};

SH_CHECK enum sh_err wal_start(struct sh_service *service, void *self);
void wal_drain(struct sh_service *service, void *self);
void wal_stop(struct sh_service *service, void *self);
/* "" where nothing is wrong, or the log is not wanted. */
const char *wal_complaint(const struct backup *backup);
void wal_run_ended(struct backup *backup, const struct run *run);

#endif
