#include "libshared/src/service_internal.h"

#include "shared/clock.h"
#include "shared/metrics.h"

static void echo(void *arg, struct sh_rpc_call *call)
{
    (void)arg;
    struct empty meta = {0};
    sh_rpc_reply_raw(call, empty_desc(), &meta, sh_rpc_call_payload(call));
}

static struct health_check check_message(const struct sh_health_status *status)
{
    return (struct health_check){
        .name = sh_bytes_of(status->name),
        .status = sh_bytes_of(sh_health_state_text(status->state)),
        .required = status->required,
        .response_time_s = status->response_time_s,
        .message = status->message,
        .detail = status->detail,
    };
}

static enum sh_err fill_checks(const struct sh_health *health, struct sh_arena *arena,
                               struct health_reply *reply)
{
    struct sh_health_status *list = NULL;
    size_t count = 0;
    enum sh_err err = sh_health_list(health, arena, &list, &count);
    if (err != SH_OK)
        return err;
    struct health_check *checks = sh_arena_array(arena, count, sizeof(*checks));
    if (!checks)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++)
        checks[i] = check_message(&list[i]);
    reply->checks = checks;
    reply->checks_count = count;
    return SH_OK;
}

/* A gauge that other threads move may be below nothing for a moment. */
static uint32_t figure(const char *family)
{
    double sum = sh_metrics_sum(family);
    return sum > 0 ? (uint32_t)sum : 0;
}

static void health(void *arg, struct sh_rpc_call *call)
{
    const struct sh_service *service = arg;
    struct health_reply reply = {
        .service = sh_bytes_of(service->spec->name),
        .version = sh_bytes_of(CAIRN_VERSION),
        .status = sh_bytes_of(sh_health_state_text(sh_health_overall(service->health))),
        .ready = sh_health_ready(service->health),
        .uptime_s = sh_wall_time() - service->since,
        .resident_bytes = (uint64_t)sh_resident_bytes(),
        .instance = sh_bytes_of(service->instance),
        .cpu_s = sh_cpu_seconds(),
        .requests = (uint64_t)sh_metrics_sum("cairn_rpc_server_requests_total"),
        .in_flight = figure("cairn_rpc_server_in_flight"),
        .db_pool = figure("cairn_pg_pool_size"),
        .db_active = figure("vector_search_active_connections"),
    };
    enum sh_err err = fill_checks(service->health, sh_rpc_call_arena(call), &reply);
    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
    else
        sh_rpc_reply(call, health_reply_desc(), &reply);
}

enum sh_err sh_service_open_rpc(struct sh_service *service)
{
    struct sh_rpc_server_options options = {
        .service = service->spec->name,
        .bind = service->spec->process->rpc_bind,
        .instance = service->instance,
        .started = service->since,
    };
    enum sh_err err = SH_OK;
    if (rpc_keys_on()) /* before the bind: without a gate nobody gets beyond HELLO */
        err = rpc_gate_open(service->zmq, &service->gate);
    if (err == SH_OK)
        err = sh_rpc_server_create(service->zmq, &options, &service->rpc);
    if (err == SH_OK)
        err = sh_rpc_server_add(service->rpc, METHOD_RPC_ECHO, "rpc.echo", 0, echo, NULL);
    if (err == SH_OK)
        err = sh_rpc_server_add(service->rpc, METHOD_RPC_HEALTH, "rpc.health", 0, health,
                                service);
    return err;
}
