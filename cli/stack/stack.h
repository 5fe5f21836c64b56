/* stack: the whole of Cairn on one machine, supervised: a private PostgreSQL and Redis,
 * the schema, the five services. */
#ifndef STACK_STACK_H
#define STACK_STACK_H

#include <uv.h>

#include "cli/stack/layout.h"
#include "cli/stack/process.h"

enum { STACK_PROCESSES = 2 + SERVICES * REPLICAS_MAX };

struct stack {
    uv_loop_t *loop;
    struct layout layout;
    struct process processes[STACK_PROCESSES];
    size_t count;
    struct process tool; /* the child that stack_run() waits for */
    bool interrupted;    /* SIGINT or SIGTERM came */
    uv_signal_t sigint;
    uv_signal_t sigterm;
    uv_timer_t poll;
};

/* Start everything in order and wait until every service is ready. Prints each step. The
 * stack must be stopped also when this fails. Errors: SH_CANCELED (interrupted),
 * SH_TIMEOUT, SH_IO. */
SH_CHECK enum sh_err stack_start(struct stack *stack);
/* Run until interrupted. */
void stack_supervise(struct stack *stack);
/* Services first, then Redis, then PostgreSQL. */
void stack_stop(struct stack *stack);

/* Run the loop until `done` says so. Errors: SH_TIMEOUT, SH_CANCELED. */
typedef bool stack_done_fn(struct stack *stack, void *arg);
SH_CHECK enum sh_err stack_wait(struct stack *stack, uint64_t timeout_ms,
                                stack_done_fn *done, void *arg);
/* A child that is waited for, as the owner of PostgreSQL or as oneself; one at a time.
 * Errors: SH_IO when it fails. */
enum stack_user { STACK_SELF, STACK_POSTGRES };
SH_CHECK enum sh_err stack_run(struct stack *stack, const char *name,
                               const char *const argv[], enum stack_user user,
                               bool visible);
/* GET answers 200. Blocks for at most a second. */
bool stack_probe(const char *url);

/* leftovers.c: end the children of a supervisor that was killed: they may still hold the
 * data and the sockets. */
void stack_end_leftovers(const struct layout *layout);

/* postgres.c: a private cluster, made when absent, started, with the database cairn. */
SH_CHECK enum sh_err postgres_start(struct stack *stack);

#endif
