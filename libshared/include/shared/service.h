/* service: the life of a process. Loads the settings, opens log, metrics, probes and bus,
 * starts the stages in order, runs the loop, drains on SIGTERM or SIGINT, reloads on
 * SIGHUP, and stops the stages in reverse, once, whatever failed. A main.c is one table:
 *
 *   static const struct sh_stage stages[] = {
 *       {"store", start_store, NULL, stop_store},
 *       {"methods", start_methods, NULL, NULL},
 *   };
 *
 * Command line, the same for all: --help, --version, --check-config, --print-config,
 * --config-markdown, --probe ready|live (asks the running process's ops port; exit 0 when
 * 200). */
#ifndef SHARED_SERVICE_H
#define SHARED_SERVICE_H

#include <uv.h>

#include "shared/config.h"
#include "shared/health.h"

struct sh_service;
struct sh_zmq_loop;
struct sh_rpc_client;
struct sh_rpc_server;

/* Settings that every service has: ENVIRONMENT, LOG_*, OPS_HOST, OPS_PORT, RPC_*,
 * SHUTDOWN_GRACE_SECONDS, CORE_DUMPS. */
#define SH_PROCESS_SETTINGS(S)                                                           \
    S(choice, environment, "ENVIRONMENT", "development", 0, 0, 0,                        \
      "development|staging|production;FLASK_ENV", "production refuses weak set-ups")     \
    S(str, log_level, "LOG_LEVEL", "INFO", 1, 16, SH_RELOAD, "",                         \
      "least level that is logged: DEBUG, INFO, WARNING, ERROR, CRITICAL")               \
    S(choice, log_format, "LOG_FORMAT", "json", 0, 0, 0, "json|text",                    \
      "json: one object a line; text: for people")                                       \
    S(str, log_dir, "LOG_DIR", "", 0, 4096, 0, "",                                       \
      "directory for app.log and errors.log besides stdout")                             \
    S(str, ops_host, "OPS_HOST", "127.0.0.1", 1, 255, 0, "",                             \
      "address of the probes and /metrics")                                              \
    S(u32, ops_port, "OPS_PORT", "9100", 0, 65535, 0, "",                                \
      "port of the probes and /metrics; 0 takes a free one")                             \
    S(str, rpc_bind, "RPC_BIND", "tcp://127.0.0.1:5600", 0, 255, 0, "",                  \
      "where the service listens for its peers: tcp://host:port or ipc://path")          \
    S(str, rpc_key, "RPC_KEY", "", 0, 64, SH_SECRET, "",                                 \
      "this service's secret key (cairn-keys); set, the whole bus is encrypted (CURVE) " \
      "and only known callers are let in; better as RPC_KEY_FILE")                       \
    S(str, rpc_keys_dir, "RPC_KEYS_DIR", "", 0, 4096, SH_RELOAD, "",                     \
      "directory with the public keys of all services, NAME.pub; read again on SIGHUP")  \
    S(str, rpc_callers, "RPC_CALLERS", "", 0, 1024, SH_RELOAD, "",                       \
      "services whose keys are let in, separated by commas")                             \
    S(u32, shutdown_grace_s, "SHUTDOWN_GRACE_SECONDS", "30", 0, 3600, 0, "",             \
      "longest time that accepted work may take to finish after SIGTERM")                \
    S(flag, core_dumps, "CORE_DUMPS", "false", 0, 0, 0, "",                              \
      "true: a crash may leave a core file, and debuggers of the same user may look "    \
      "in; "                                                                             \
      "memory holds keys and documents")

struct sh_process_config {
    SH_PROCESS_SETTINGS(SH_SETTING_MEMBER)
};

struct sh_stage {
    const char *name;
    /* Leaves nothing behind when it fails. What it needs may be absent yet (a database, a
     * peer): it then starts all the same and says so by a health check. */
    enum sh_err (*start)(struct sh_service *service, void *self);
    /* Begin to finish accepted work and refuse new; NULL: nothing to finish. What takes
     * time is bracketed by sh_service_hold() and sh_service_release(). */
    void (*drain)(struct sh_service *service, void *self);
    /* Close handles; their close callbacks still run afterwards. NULL: nothing to do. */
    void (*stop)(struct sh_service *service, void *self);
    /* Settings flagged SH_RELOAD may have changed; NULL: nothing to do. */
    void (*reload)(struct sh_service *service, void *self);
};

struct sh_service_spec {
    const char *name;                   /* "search": the process is cairn-search */
    const char *summary;                /* first line of --help */
    struct sh_process_config *process;  /* filled before the first stage */
    const struct sh_settings *settings; /* the service's own groups */
    size_t settings_count;
    const struct sh_stage *stages;
    size_t stage_count;
    bool rpc; /* binds RPC_BIND and answers `echo` and `health` by itself; without it
                 there is no such setting, and no RPC_CALLERS */
    const char *ops_port; /* defaults of OPS_PORT and RPC_BIND, so that all services can
                             run on one machine, and of RPC_CALLERS; NULL: those above */
    const char *rpc_bind;
    const char *rpc_callers;
    void *self; /* given to the stages */
};

/* Returns the process's exit status. Runs on the calling thread's default loop. */
int sh_service_main(int argc, char **argv, const struct sh_service_spec *spec);

/* For stages; main thread only, but for sh_service_hold/release (any thread). */
uv_loop_t *sh_service_loop(struct sh_service *service);
struct sh_zmq_loop *sh_service_zmq(struct sh_service *service);
struct sh_health *sh_service_health(struct sh_service *service);
/* NULL unless spec.rpc. Methods are added by stages; it answers once all have started. */
struct sh_rpc_server *sh_service_rpc(struct sh_service *service);
/* Show these peers at /peers. The client must live until its stage is stopped. Errors:
 * SH_TOOBIG (16 are there). */
SH_CHECK enum sh_err sh_service_add_peers(struct sh_service *service,
                                          struct sh_rpc_client *client);
/* True from SIGTERM on. */
bool sh_service_draining(const struct sh_service *service);
void sh_service_hold(struct sh_service *service);
void sh_service_release(struct sh_service *service);
/* Begin to drain, as SIGTERM does. */
void sh_service_stop(struct sh_service *service);
/* The uuid of this process, 36 characters, and its start in Unix seconds. */
const char *sh_service_instance(const struct sh_service *service);
double sh_service_started(const struct sh_service *service);

#endif
