/* audit_internal: what the files of the audit share. audit.c is its life and its thread,
 * audit_flush.c the way of a record to the log and the journal. */
#ifndef GATEWAY_AUDIT_INTERNAL_H
#define GATEWAY_AUDIT_INTERNAL_H

#include <uv.h>

#include "services/gateway/audit/audit.h"
#include "services/gateway/audit/journal.h"
#include "services/gateway/audit/keeper.h"
#include "services/gateway/audit/loader.h"
#include "services/gateway/audit/queue.h"
#include "services/gateway/audit/seal.h"
#include "services/gateway/audit/sink.h"

struct audit {
    struct audit_options options;
    struct audit_queue queue;
    atomic_size_t unwritten; /* handed over, and not in the journal */
    atomic_bool hurry;       /* many wait */
    atomic_bool reopen;
    atomic_bool stop;
    uv_async_t wake;
    uv_loop_t loop;
    uv_thread_t thread;
    uv_sem_t started;
    enum sh_err start_err;
    /* the thread's own */
    uv_timer_t tick;
    uv_timer_t patience;
    struct audit_chain chain;
    struct sh_buffer pending; /* rows that the journal has not */
    struct sh_buffer lines;   /* that the log has not */
    struct sh_buffer clean;
    struct audit_sink sink;
    struct journal journal;
    struct sh_pg_config pg_config;
    struct sh_pg *pg;
    struct loader *loader;
    struct keeper *keeper;
    size_t taken; /* from the queue, and not in the journal */
    size_t added; /* to the chain, and not counted yet */
    bool stopping;
    bool complained; /* about the journal */
};

/* All on the audit's thread. */

/* Clean, chain, write to the log; `arg` is the audit. */
void audit_add(void *arg, const struct audit_record *given);
void audit_add_own(struct audit *audit, const char *action, struct sh_bytes detail);
/* The chain's end, to the ordinary log. */
void audit_say_head(const struct audit *audit);
void audit_to_journal(struct audit *audit);
/* All that waits in the queue, to the journal; whether there was any. */
bool audit_flush(struct audit *audit);

#endif
