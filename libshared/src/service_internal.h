/* service_internal: what the files of the service share. service.c is the life of the
 * process, the others its command line, ops port, methods and watch over the loop. */
#ifndef LIBSHARED_SERVICE_INTERNAL_H
#define LIBSHARED_SERVICE_INTERNAL_H

#include <stdatomic.h>

#include "libshared/src/rpc_curve.h"
#include "shared/http_server.h"
#include "shared/log.h"
#include "shared/metrics.h"
#include "shared/rpc_client.h"
#include "shared/rpc_server.h"
#include "shared/sentry.h"
#include "shared/service.h"
#include "shared/spans.h"
#include "shared/zmq_loop.h"

enum {
    SH_PEERS_MAX = 16,
    SH_GROUPS_MAX = 32,
    SH_ROWS_MAX = 16,
    SH_HANDLES_MAX = 7,
    SH_INSTANCE_LEN = 36
};

/* The process's own group of settings, then those of the spec. */
struct sh_groups {
    struct sh_settings list[SH_GROUPS_MAX];
    size_t count;
    struct sh_setting rows[SH_ROWS_MAX]; /* the process's, with the spec's defaults */
};

/* The lateness of a timer shows how long the loop was kept from turning. */
struct sh_lag {
    uv_timer_t timer;
    struct sh_series *series;
    uint64_t last_us;
    unsigned ticks;
};

struct sh_service {
    const struct sh_service_spec *spec;
    struct sh_groups groups;
    uv_loop_t *loop;
    struct sh_zmq_loop *zmq;
    struct sh_health *health;
    struct sh_health_check *life; /* all stages started, not draining */
    struct rpc_gate *gate;        /* NULL without keys */
    struct sh_rpc_server *rpc;
    struct sh_http_server *ops;
    struct sh_sentry_config sentry_config;
    struct sh_sentry *sentry; /* NULL: nobody is told */
    struct sh_spans_config spans_config;
    struct sh_spans *spans; /* NULL: nobody collects */
    struct sh_lag lag;
    uv_timer_t memory;
    uv_signal_t term;
    uv_signal_t interrupt;
    uv_signal_t hangup;
    uv_timer_t grace;
    uv_async_t released;
    uv_handle_t *handles[SH_HANDLES_MAX]; /* those of the above that are open */
    size_t handle_count;
    struct sh_rpc_client *peers[SH_PEERS_MAX];
    size_t peer_count;
    size_t started; /* stages */
    atomic_size_t holds;
    bool draining;
    bool finished;
    char instance[SH_INSTANCE_LEN + 1];
    double since; /* Unix seconds */
};

struct sh_settings sh_process_settings(struct sh_process_config *into);

/* --- command line; service_cli.c -------------------------------------------------- */

/* True when there is a service to run, else *status is the exit status. */
bool sh_service_cli(int argc, char **argv, const struct sh_service_spec *spec,
                    const struct sh_groups *groups, int *status);
/* Settings loaded and fit for the environment; faults are on stderr otherwise. */
bool sh_service_load(const struct sh_groups *groups, const struct sh_service_spec *spec);
/* What production refuses, one line each in `faults`; false when there is any. */
bool sh_service_strict(const struct sh_service_spec *spec, struct sh_buffer *faults);
/* The keys of the bus from the settings, installed; what is wrong with them is in
 * `faults`, and nothing has changed then. Reads files. */
bool sh_service_read_keys(const struct sh_service_spec *spec, struct sh_buffer *faults);
/* Exit status of --probe: 0 when the path answers 200. */
int sh_service_probe(const char *host, uint32_t port, const char *path);

/* --- service_ops.c, service_rpc.c, service_lag.c, service_memory.c ---------------- */

SH_CHECK enum sh_err sh_service_open_ops(struct sh_service *service);
SH_CHECK enum sh_err sh_service_open_rpc(struct sh_service *service);
/* The timer has been initialised. */
SH_CHECK enum sh_err sh_lag_start(struct sh_lag *lag, const char *service);
/* As before: memory that is free goes back to the system once a minute. */
SH_CHECK enum sh_err sh_memory_start(uv_timer_t *timer);

/* --- service_process.c ------------------------------------------------------------ */

/* Name, signals that must not end it, limit of open files. */
void sh_service_prepare_process(struct sh_service *service);
void sh_service_name_instance(char out[static SH_INSTANCE_LEN + 1]);
/* A DSN that is none is logged, and nobody is told. */
SH_CHECK enum sh_err sh_service_open_sentry(struct sh_service *service);
/* An endpoint that is none is logged, and nobody collects. */
SH_CHECK enum sh_err sh_service_open_spans(struct sh_service *service);
SH_CHECK enum sh_err sh_service_open_log(const struct sh_service_spec *spec);
void sh_service_say_starting(const struct sh_service *service);
/* A log line for each line of text; frees the buffer. */
void sh_service_log_lines(enum sh_log_level level, struct sh_buffer *lines);

/* --- service_signal.c ------------------------------------------------------------- */

SH_CHECK enum sh_err sh_service_open_handles(struct sh_service *service);
void sh_service_close_handles(struct sh_service *service);

#endif
