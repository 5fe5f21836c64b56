/* backup: the service as its parts share it. */
#ifndef BACKUP_SERVICE_H
#define BACKUP_SERVICE_H

#include "services/backup/manifest/sets.h"
#include "services/backup/schedule/due.h"
#include "services/backup/service/hook.h"
#include "services/backup/service/runs.h"
#include "services/backup/service/waits.h"
#include "services/backup/service/wal.h"
#include "services/backup/settings.h"
#include "shared/service.h"

struct backup {
    struct sh_process_config process;
    struct backup_all config;
    struct sh_service *service;
    uv_loop_t *loop;
    bool stopped;
    /* look.c */
    struct sh_health_check *check;
    uv_timer_t look_timer;
    bool looking, look_again;
    double latest_full; /* Unix seconds; 0: none */
    double latest_physical;
    double latest_verified; /* by restoring it */
    bool latest_unproven;   /* sets_unproven(), and it should not be so */
    bool looked;            /* the sets were read since a scheduled run ended */
    /* clock.c */
    uv_timer_t clock_timer;
    struct cron cron;
    bool scheduled; /* there is a schedule */
    struct due due;
    char replica[400]; /* whose jitter it is */
    struct wal wal;
    /* tell.c */
    struct runs *runs;
    struct hook *hook; /* NULL: nobody is told */
    struct waits waits;
};

/* look.c: which sets there are, for health and metrics. */
SH_CHECK enum sh_err look_start(struct sh_service *service, void *self);
void look_stop(struct sh_service *service, void *self);
/* Look again, soon. */
void look_now(struct backup *backup);
/* What would be lost now, in seconds: cairn_backup_rpo_seconds. */
void look_at_risk(double seconds);

/* clock.c: starts what is due. */
SH_CHECK enum sh_err clock_start(struct sh_service *service, void *self);
void clock_stop(struct sh_service *service, void *self);
/* When the next full set is due; 0: never. */
double clock_next(const struct backup *backup);
/* A set is late: it was due, and is not there though there was time for it. */
bool clock_late(const struct backup *backup);
void clock_ended(struct backup *backup, const struct run *run);

/* tell.c: the runs, and what their ends are told to. */
SH_CHECK enum sh_err tell_start(struct sh_service *service, void *self);
void tell_drain(struct sh_service *service, void *self);
void tell_stop(struct sh_service *service, void *self);

/* methods.c */
SH_CHECK enum sh_err methods_start(struct sh_service *service, void *self);

#endif
