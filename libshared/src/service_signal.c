#include "libshared/src/service_internal.h"

#include <assert.h>
#include <signal.h>

#include "shared/log.h"

/* --- draining --------------------------------------------------------------------- */

static void finish(struct sh_service *service)
{
    service->finished = true;
    uv_stop(service->loop);
}

static void on_released(uv_async_t *async)
{
    struct sh_service *service = async->data;
    if (service->draining && atomic_load(&service->holds) == 0)
        finish(service);
}

static void on_grace_over(uv_timer_t *timer)
{
    struct sh_service *service = timer->data;
    sh_warning(NULL, "work was left after SHUTDOWN_GRACE_SECONDS");
    finish(service);
}

static void on_rpc_drained(void *arg)
{
    sh_service_release(arg);
}

/* The last stage stands on the others, so it comes to rest first. */
static void drain_stages(struct sh_service *service)
{
    for (size_t i = service->started; i-- > 0;) {
        const struct sh_stage *stage = &service->spec->stages[i];
        if (stage->drain)
            stage->drain(service, service->spec->self);
    }
}

void sh_service_stop(struct sh_service *service)
{
    if (service->draining)
        return;
    service->draining = true;
    sh_health_set(service->life, SH_UNHEALTHY, -1, "draining", NULL);
    sh_info(NULL, "draining");
    uint64_t grace_ms = (uint64_t)service->spec->process->shutdown_grace_s * 1000;
    int failed = uv_timer_start(&service->grace, on_grace_over, grace_ms, 0);
    assert(failed == 0); /* only without a callback */
    (void)failed;

    sh_service_hold(service); /* not at rest before everybody was told */
    drain_stages(service);
    if (service->rpc) {
        sh_service_hold(service);
        sh_rpc_server_drain(service->rpc, on_rpc_drained, service);
    }
    sh_service_release(service);
}

void sh_service_hold(struct sh_service *service)
{
    atomic_fetch_add(&service->holds, 1);
}

void sh_service_release(struct sh_service *service)
{
    if (atomic_fetch_sub(&service->holds, 1) == 1)
        uv_async_send(&service->released);
}

/* --- signals ---------------------------------------------------------------------- */

static void on_terminate(uv_signal_t *handle, int number)
{
    struct sh_service *service = handle->data;
    (void)number;
    if (!service->draining) {
        sh_service_stop(service);
        return;
    }
    sh_warning(NULL, "told again to stop: not waiting for work");
    finish(service);
}

static void take_over(struct sh_service *service)
{
    const struct sh_service_spec *spec = service->spec;
    struct sh_buffer faults = {0};
    enum sh_log_level level;
    if (sh_service_strict(spec, &faults) &&
        sh_log_level_parse(spec->process->log_level, &level))
        sh_log_set_level(level);
    if (!sh_service_read_keys(spec, &faults))
        sh_warning(NULL, "the keys of the bus are kept as they were");
    sh_service_log_lines(SH_ERROR, &faults);
    for (size_t i = 0; i < service->started; i++) {
        if (spec->stages[i].reload)
            spec->stages[i].reload(service, spec->self);
    }
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct sh_service *service = handle->data;
    struct sh_buffer notes = {0};
    (void)number;
    sh_log_reopen();
    enum sh_err err =
        sh_config_reload(service->groups.list, service->groups.count, &notes);
    sh_service_log_lines(err == SH_OK ? SH_WARNING : SH_ERROR, &notes);
    if (err == SH_OK)
        take_over(service);
    sh_info(NULL, "settings %s", err == SH_OK ? "read again" : "kept as they were");
}

/* --- handles ---------------------------------------------------------------------- */

/* What was initialised is closed later, however far that came. */
static enum sh_err own(struct sh_service *service, void *handle, int failed)
{
    if (failed)
        return sh_err_from_uv(failed);
    uv_handle_t *opened = handle;
    opened->data = service;
    service->handles[service->handle_count++] = opened;
    return SH_OK;
}

static enum sh_err watch(struct sh_service *service, uv_signal_t *handle,
                         uv_signal_cb callback, int number)
{
    enum sh_err err = own(service, handle, uv_signal_init(service->loop, handle));
    if (err != SH_OK)
        return err;
    return sh_err_from_uv(uv_signal_start(handle, callback, number));
}

enum sh_err sh_service_open_handles(struct sh_service *service)
{
    uv_loop_t *loop = service->loop;
    enum sh_err err = own(service, &service->released,
                          uv_async_init(loop, &service->released, on_released));
    if (err == SH_OK)
        err = own(service, &service->grace, uv_timer_init(loop, &service->grace));
    if (err == SH_OK)
        err = own(service, &service->lag.timer, uv_timer_init(loop, &service->lag.timer));
    if (err == SH_OK)
        err = sh_lag_start(&service->lag, service->spec->name);
    if (err == SH_OK)
        err = own(service, &service->memory, uv_timer_init(loop, &service->memory));
    if (err == SH_OK)
        err = sh_memory_start(&service->memory);
    if (err == SH_OK)
        err = watch(service, &service->term, on_terminate, SIGTERM);
    if (err == SH_OK)
        err = watch(service, &service->interrupt, on_terminate, SIGINT);
    if (err == SH_OK)
        err = watch(service, &service->hangup, on_hangup, SIGHUP);
    return err;
}

void sh_service_close_handles(struct sh_service *service)
{
    while (service->handle_count > 0)
        uv_close(service->handles[--service->handle_count], NULL);
}
