#include "libshared/src/service_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/errors.h"
#include "shared/log.h"
#include "shared/sched.h"

enum { EXIT_CONFIG = 2, CLOSE_PATIENCE_MS = 5000 };

SH_SETTINGS_DEFINE(sh_process, "Process", SH_PROCESS_SETTINGS)

/* --- opening and closing ---------------------------------------------------------- */

static enum sh_err open_all(struct sh_service *service)
{
    enum sh_err err = sh_service_open_handles(service);
    if (err == SH_OK)
        err = sh_health_create(&service->health);
    if (err == SH_OK) {
        service->life = sh_health_add(service->health, "service", true);
        err = service->life ? SH_OK : SH_NOMEM;
    }
    if (err == SH_OK)
        sh_health_set(service->life, SH_UNKNOWN, -1, "starting", NULL);
    if (err == SH_OK)
        err = sh_zmq_loop_create(service->loop, &service->zmq);
    if (err == SH_OK)
        err = sh_metrics_on_scrape(sh_errors_show, NULL);
    if (err == SH_OK)
        err = sh_service_open_sentry(service);
    if (err == SH_OK)
        err = sh_service_open_spans(service);
    if (err == SH_OK && service->spec->rpc)
        err = sh_service_open_rpc(service);
    if (err == SH_OK)
        err = sh_service_open_ops(service);
    if (err != SH_OK)
        sh_error(NULL, "cannot start: %s", sh_err_text(err));
    return err;
}

static enum sh_err start_stages(struct sh_service *service)
{
    const struct sh_service_spec *spec = service->spec;
    enum sh_err err = SH_OK;
    while (service->started < spec->stage_count && err == SH_OK) {
        const struct sh_stage *stage = &spec->stages[service->started];
        err = stage->start(service, spec->self);
        if (err == SH_OK)
            service->started++;
        else
            sh_error(NULL, "cannot start %s: %s", stage->name, sh_err_text(err));
    }
    return err;
}

static void stop_stages(struct sh_service *service)
{
    while (service->started > 0) {
        const struct sh_stage *stage = &service->spec->stages[--service->started];
        if (stage->stop)
            stage->stop(service, service->spec->self);
    }
}

static void name_leak(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        sh_error(NULL, "a handle was left open: %s", uv_handle_type_name(handle->type));
}

static void on_close_patience(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/* Until every close callback has run; what somebody forgot to close must not keep the
 * process. */
static void close_loop(uv_loop_t *loop)
{
    uv_timer_t patience;
    if (uv_timer_init(loop, &patience) == 0 &&
        uv_timer_start(&patience, on_close_patience, CLOSE_PATIENCE_MS, 0) == 0)
        uv_unref((uv_handle_t *)&patience);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&patience, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    int leaked = uv_loop_close(loop);
    if (leaked != 0)
        uv_walk(loop, name_leak, NULL);
#ifndef __OPTIMIZE__
    assert(leaked == 0);
#endif
}

static void close_all(struct sh_service *service)
{
    if (service->ops)
        sh_http_server_close(&service->ops);
    if (service->rpc)
        sh_rpc_server_close(&service->rpc);
    rpc_gate_close(&service->gate);
    if (service->zmq)
        sh_zmq_loop_close(&service->zmq);
    sh_spans_close(&service->spans);
    sh_sentry_close(&service->sentry);
    sh_metrics_off_scrape(sh_errors_show, NULL);
    sh_service_close_handles(service);
    close_loop(service->loop);
    sh_health_close(&service->health);
}

static void say_started(const struct sh_service *service)
{
    if (!service->draining)
        sh_health_set(service->life, SH_HEALTHY, -1, "", NULL);
    sh_info(NULL, "started; ops on %s port %u%s%s", service->spec->process->ops_host,
            sh_http_server_port(service->ops), service->rpc ? ", bus on " : "",
            service->rpc ? sh_rpc_server_endpoint(service->rpc) : "");
}

static int run(struct sh_service *service)
{
    sh_service_prepare_process(service);
    service->loop = uv_default_loop();
    if (!service->loop)
        return EXIT_FAILURE;
    sh_sched_prompt();
    sh_service_name_instance(service->instance);
    service->since = sh_wall_time();
    sh_service_say_starting(service);

    enum sh_err err = open_all(service);
    if (err == SH_OK)
        err = start_stages(service);
    if (err == SH_OK) {
        say_started(service);
        while (!service->finished)
            uv_run(service->loop, UV_RUN_DEFAULT);
    }
    stop_stages(service);
    close_all(service);
    sh_info(NULL, "stopped");
    return err == SH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The rows of every process as this service has them. */
static struct sh_settings process_group(const struct sh_service_spec *spec,
                                        struct sh_setting rows[static SH_ROWS_MAX])
{
    struct sh_settings group = sh_process_settings(spec->process);
    size_t count = 0;
    assert(group.count <= SH_ROWS_MAX);
    for (size_t i = 0; i < group.count; i++) {
        struct sh_setting row = group.rows[i];
        bool bind = strcmp(row.name, "RPC_BIND") == 0;
        bool callers = strcmp(row.name, "RPC_CALLERS") == 0;
        if (bind && spec->rpc_bind)
            row.fallback = spec->rpc_bind;
        if (callers && spec->rpc_callers)
            row.fallback = spec->rpc_callers;
        if (strcmp(row.name, "OPS_PORT") == 0 && spec->ops_port)
            row.fallback = spec->ops_port;
        if ((!bind && !callers) || spec->rpc)
            rows[count++] = row;
    }
    group.rows = rows;
    group.count = count;
    return group;
}

static bool collect_groups(struct sh_service *service)
{
    const struct sh_service_spec *spec = service->spec;
    struct sh_groups *groups = &service->groups;
    size_t own = 3;

    if (spec->settings_count + own > SH_GROUPS_MAX)
        return false;
    groups->list[0] = process_group(spec, groups->rows);
    groups->list[1] = sh_sentry_settings(&service->sentry_config);
    groups->list[2] = sh_spans_settings(&service->spans_config);
    if (spec->settings_count > 0)
        memcpy(groups->list + own, spec->settings,
               spec->settings_count * sizeof(groups->list[0]));
    groups->count = spec->settings_count + own;
    return true;
}

int sh_service_main(int argc, char **argv, const struct sh_service_spec *spec)
{
    struct sh_service service = {.spec = spec};
    int status = EXIT_FAILURE;

    if (!collect_groups(&service)) {
        (void)fprintf(stderr, "cairn-%s: too many groups of settings\n", spec->name);
        return EXIT_FAILURE;
    }
    if (!sh_service_cli(argc, argv, spec, &service.groups, &status))
        return status;
    if (!sh_service_load(&service.groups, spec))
        return EXIT_CONFIG;
    enum sh_err err = sh_service_open_log(spec);
    if (err != SH_OK) {
        (void)fprintf(stderr, "LOG_DIR: %s\n", sh_err_text(err));
        return EXIT_FAILURE;
    }
    status = run(&service);
    rpc_keys_install(NULL);
    sh_log_close();
    return status;
}

/* --- for stages ------------------------------------------------------------------- */

uv_loop_t *sh_service_loop(struct sh_service *service)
{
    return service->loop;
}

struct sh_zmq_loop *sh_service_zmq(struct sh_service *service)
{
    return service->zmq;
}

struct sh_health *sh_service_health(struct sh_service *service)
{
    return service->health;
}

struct sh_rpc_server *sh_service_rpc(struct sh_service *service)
{
    return service->rpc;
}

enum sh_err sh_service_add_peers(struct sh_service *service, struct sh_rpc_client *client)
{
    if (service->peer_count == SH_PEERS_MAX)
        return SH_TOOBIG;
    service->peers[service->peer_count++] = client;
    return SH_OK;
}

bool sh_service_draining(const struct sh_service *service)
{
    return service->draining;
}

const char *sh_service_instance(const struct sh_service *service)
{
    return service->instance;
}

double sh_service_started(const struct sh_service *service)
{
    return service->since;
}
