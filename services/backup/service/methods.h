/* methods: what handlers of the service share. */
#ifndef BACKUP_METHODS_H
#define BACKUP_METHODS_H

#include <jansson.h>

#include "proto/msg.h"
#include "services/backup/service/backup.h"
#include "shared/rpc_server.h"

/* Takes `body`. */
void methods_answer(struct sh_rpc_call *call, json_t *body, const char *run_id);
/* Takes `run`. */
void methods_answer_run(struct sh_rpc_call *call, json_t *run, uint64_t version);
/* Why a run cannot be told of. */
void methods_fail_run(struct sh_rpc_call *call, enum sh_err err);
/* In the call's memory, and so gone with its answer. */
const char *methods_text(struct sh_rpc_call *call, struct sh_bytes bytes);

/* methods_runs.c */
void methods_run(void *arg, struct sh_rpc_call *call);
void methods_runs(void *arg, struct sh_rpc_call *call);
void methods_run_get(void *arg, struct sh_rpc_call *call);
void methods_run_cancel(void *arg, struct sh_rpc_call *call);
/* methods_schedule.c */
void methods_schedule(void *arg, struct sh_rpc_call *call);

#endif
