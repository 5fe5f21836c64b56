/* desk_internal: shared by desk.c (one job), desk_list.c, desk_append.c (a job is filled)
 * and desk_wait.c. */
#ifndef SEARCH_DESK_INTERNAL_H
#define SEARCH_DESK_INTERNAL_H

#include "services/search/jobs/desk.h"
#include "services/search/jobs/desk_sql.h"

struct desk_wait;

struct desk {
    struct desk_options options;
    struct desk_wait *waiting;
    uv_timer_t timer; /* runs while somebody waits */
    bool draining;
};

/* One call that the database works on; lives in the call's arena. */
struct desk_call {
    struct desk *desk;
    struct sh_rpc_call *call;
    char id[SH_JOB_ID_TEXT];
    bool wrote; /* the job was changed; only the look at it may still fail */
    void (*found)(struct desk_call *self); /* the job is there and the caller's to see */
    const struct job_append *append;
    struct sh_job_input *inputs; /* of the append */
};

/* A call about the job of this id; NULL: the call has been answered. */
struct desk_call *desk_begin(struct desk *desk, struct sh_rpc_call *call,
                             struct sh_bytes id);
/* Answer with the job as it is now. */
void desk_answer_job(struct desk_call *self);
/* found() if the job is there for the caller. */
void desk_find(struct desk_call *self, void (*found)(struct desk_call *self));
/* The reply to desk_job. False when the call has been answered: there is no such job for
 * the caller. */
bool desk_has_job(struct desk_call *self, const struct sh_pg_reply *reply);
/* What the queue said, when it is not SH_OK. */
void desk_refuse(struct sh_rpc_call *call, enum sh_err err, const char *message);
/* The same of something that changes the job, which may have been done. */
void desk_refuse_write(struct sh_rpc_call *call, const struct sh_job_reply *reply);
/* The columns of a row of desk_job or desk_list. */
void desk_read_job(const PGresult *rows, int row, struct job *out);
/* The errors of desk_errors; false: out of memory. */
bool desk_read_errors(const PGresult *rows, struct sh_arena *arena, struct job *out);
/* Two parameters: whether the caller sees all, and as whom. */
void desk_rights(const struct sh_rpc_call *call, struct sh_pg_param out[static 2]);

void desk_create_job(void *arg, struct sh_rpc_call *call);
void desk_append(void *arg, struct sh_rpc_call *call);
void desk_list(void *arg, struct sh_rpc_call *call);
void desk_wait(void *arg, struct sh_rpc_call *call);

#endif
