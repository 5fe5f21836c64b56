#include <stdio.h>
#include <stdlib.h>

#include "services/gateway/audit/verify_cli.h"
#include "services/gateway/auth/auth.h"
#include "services/gateway/auth/first_admin.h"
#include "services/gateway/auth/password.h"
#include "services/gateway/edges.h"
#include "services/gateway/health/watch.h"
#include "services/gateway/history/survey.h"
#include "services/gateway/maintenance/maintenance.h"
#include "services/gateway/openapi.h"
#include "services/gateway/tables.h"
#include "shared/clock.h"
#include "shared/log.h"

/* The process: what all loops share, and what only the main loop needs. */
struct process {
    struct gateway gateway;
    struct sh_service *service;
    uv_timer_t delay; /* between failing readiness and draining */
    struct first_admin *first_admin;
    bool draining;
};

/* --- what all loops read ---------------------------------------------------------- */

static bool open_shell(struct gateway *gateway, char *why, size_t size)
{
    bool production = strcmp(gateway->process.environment, "production") == 0;

    (void)snprintf(why, size, "out of memory");
    return shell_open(&gateway->shell_config, &gateway->config, production,
                      &gateway->shell, why, size) == SH_OK;
}

static enum sh_err start_tables(struct sh_service *service, void *self)
{
    struct process *process = self;
    char why[256];

    process->service = service;
    struct gateway *gateway = &process->gateway;
    if (!settings_check(&gateway->config, why, sizeof why) ||
        !account_settings_check(&gateway->account_config, gateway->process.environment,
                                why, sizeof why) ||
        !auth_settings_check(
            &gateway->auth_config, settings_want_tokens(&gateway->config),
            strcmp(gateway->process.environment, "production") == 0, why, sizeof why) ||
        !ldap_settings_check(&gateway->ldap_config,
                             strcmp(gateway->process.environment, "production") == 0, why,
                             sizeof why) ||
        !open_shell(gateway, why, sizeof why)) {
        sh_error(NULL, "%s", why);
        return SH_INVALID;
    }
    process->gateway.started = sh_wall_time();
    process->gateway.loops = settings_workers(&process->gateway.config);
    gateway->pages = web_files_open(gateway->config.web_dir);
    enum sh_err err = password_start();
    if (err == SH_OK)
        err = tables_open(gateway);
    if (err != SH_OK)
        tables_close(gateway);
    return err;
}

static void stop_tables(struct sh_service *service, void *self)
{
    (void)service;
    tables_close(&((struct process *)self)->gateway);
}

static void reload_tables(struct sh_service *service, void *self)
{
    (void)service;
    shell_reload(&((struct process *)self)->gateway.shell);
}

/* --- who may do what -------------------------------------------------------------- */

static enum sh_err start_auth(struct sh_service *service, void *self)
{
    struct gateway *gateway = &((struct process *)self)->gateway;
    uv_loop_t *loop = sh_service_loop(service);
    enum sh_err err =
        auth_open(&gateway->auth_config, settings_want_tokens(&gateway->config), loop,
                  sh_service_health(service), &gateway->auth);

    if (err == SH_OK)
        err = auth_listen(gateway->auth, loop, &gateway->pg_config);
    if (err != SH_OK)
        auth_close(&gateway->auth);
    return err;
}

static void stop_auth(struct sh_service *service, void *self)
{
    (void)service;
    auth_close(&((struct process *)self)->gateway.auth);
}

static void reload_auth(struct sh_service *service, void *self)
{
    (void)service;
    auth_reload(((struct process *)self)->gateway.auth);
}

/* --- answers that are kept -------------------------------------------------------- */

static enum sh_err start_cache(struct sh_service *service, void *self)
{
    struct gateway *gateway = &((struct process *)self)->gateway;
    (void)service;
    return cache_create(&gateway->cache_config, &gateway->answers);
}

static void stop_cache(struct sh_service *service, void *self)
{
    (void)service;
    cache_free(&((struct process *)self)->gateway.answers);
}

/* --- the last hour ---------------------------------------------------------------- */

static enum sh_err start_history(struct sh_service *service, void *self)
{
    struct gateway *gateway = &((struct process *)self)->gateway;
    return history_open(sh_service_loop(service), sh_service_instance(service),
                        gateway->routes, gateway->route_count, &gateway->history);
}

static void stop_history(struct sh_service *service, void *self)
{
    (void)service;
    history_close(&((struct process *)self)->gateway.history);
}

/* --- who did what ----------------------------------------------------------------- */

static void reopen_audit(void *arg)
{
    audit_reopen(((struct gateway *)arg)->audit);
}

static enum sh_err start_audit(struct sh_service *service, void *self)
{
    struct gateway *gateway = &((struct process *)self)->gateway;
    const struct audit_options options = {.config = &gateway->audit_config,
                                          .pg = &gateway->pg_config,
                                          .log_dir = gateway->process.log_dir,
                                          .chain = sh_service_instance(service)};

    if (!gateway->audit_config.enabled) {
        sh_warning(NULL, "AUDIT_ENABLED is false: nobody will know who did what");
        return SH_OK;
    }
    enum sh_err err = audit_open(&options, &gateway->audit);

    if (err == SH_OK)
        sh_log_on_reopen(reopen_audit, gateway);
    return err;
}

static void stop_audit(struct sh_service *service, void *self)
{
    (void)service;
    sh_log_on_reopen(NULL, NULL);
    audit_close(&((struct process *)self)->gateway.audit);
}

/* --- how much anybody may ask ----------------------------------------------------- */

static enum sh_err start_limits(struct sh_service *service, void *self)
{
    struct gateway *gateway = &((struct process *)self)->gateway;
    char why[256];

    if (limits_open(&gateway->limits_config, gateway->config.auth_mode,
                    sh_service_instance(service), &gateway->limits, why, sizeof why))
        return SH_OK;
    sh_error(NULL, "%s", why);
    return SH_INVALID;
}

static void stop_limits(struct sh_service *service, void *self)
{
    (void)service;
    limits_close(&((struct process *)self)->gateway.limits);
}

/* --- the loops -------------------------------------------------------------------- */

static void on_change(void *arg)
{
    struct process *process = arg;
    struct gateway *gateway = &process->gateway;

    if (gateway->edges == NULL)
        return;
    atomic_store(&gateway->ready, !process->draining && edges_ready(gateway->edges));
    watch_nudge(gateway->watch);
}

static void on_drained(void *arg)
{
    struct process *process = arg;
    sh_service_release(process->service);
}

/* Neither is required: what needs them says so itself when they are away. */
static enum sh_err add_checks(struct gateway *gateway, struct sh_health *health)
{
    gateway->health = health;
    gateway->database = sh_health_add(health, "database", false);
    gateway->cache = sh_health_add(health, "cache", false);
    return gateway->database != NULL && gateway->cache != NULL ? SH_OK : SH_NOMEM;
}

static enum sh_err start_edges(struct sh_service *service, void *self)
{
    struct process *process = self;
    const struct edges_events events = {on_change, on_drained, process};
    enum sh_err err =
        sh_err_from_uv(uv_timer_init(sh_service_loop(service), &process->delay));

    process->delay.data = process;
    if (err == SH_OK)
        err = add_checks(&process->gateway, sh_service_health(service));
    if (err == SH_OK)
        err = edges_open(&process->gateway, service, &events, &process->gateway.edges);
    if (err != SH_OK)
        uv_close((uv_handle_t *)&process->delay, NULL);
    return err;
}

static void on_delay(uv_timer_t *timer)
{
    struct process *process = timer->data;
    edges_drain(process->gateway.edges);
}

/* Readiness fails at once; the listeners follow when load balancers have had time to see
 * it. */
static void drain_edges(struct sh_service *service, void *self)
{
    struct process *process = self;
    const struct gateway *gateway = &process->gateway;
    uint64_t delay =
        settings_drain_delay_ms(&gateway->config, gateway->process.environment);

    sh_service_hold(service);
    process->draining = true;
    atomic_store(&process->gateway.ready, false);
    watch_draining(gateway->watch);
    (void)uv_timer_start(&process->delay, on_delay, delay, 0); /* the callback is set */
}

static void stop_edges(struct sh_service *service, void *self)
{
    struct process *process = self;

    (void)service;
    edges_close(&process->gateway.edges);
    uv_close((uv_handle_t *)&process->delay, NULL);
}

/* --- health ----------------------------------------------------------------------- */

static enum sh_err start_watch(struct sh_service *service, void *self)
{
    struct gateway *gateway = &((struct process *)self)->gateway;
    struct edge *edge = edges_main(gateway->edges);
    enum sh_err err = watch_open(gateway, service, edge, &gateway->watch);

    if (err == SH_OK)
        err = survey_open(edge, gateway->history, &gateway->survey);
    if (err != SH_OK)
        watch_close(&gateway->watch);
    return err;
}

static void stop_watch(struct sh_service *service, void *self)
{
    struct gateway *gateway = &((struct process *)self)->gateway;

    (void)service;
    survey_close(&gateway->survey);
    watch_close(&gateway->watch);
}

/* --- accounts --------------------------------------------------------------------- */

static enum sh_err start_accounts(struct sh_service *service, void *self)
{
    struct process *process = self;

    (void)service;
    return first_admin_open(edges_main(process->gateway.edges), &process->first_admin);
}

static void stop_accounts(struct sh_service *service, void *self)
{
    (void)service;
    first_admin_close(&((struct process *)self)->first_admin);
}

static enum sh_err start_maintenance(struct sh_service *service, void *self)
{
    struct gateway *gateway = &((struct process *)self)->gateway;

    (void)service;
    return maintenance_open(gateway, edges_main(gateway->edges), &gateway->maintenance);
}

static void stop_maintenance(struct sh_service *service, void *self)
{
    (void)service;
    maintenance_close(&((struct process *)self)->gateway.maintenance);
}

/* Order matters: a stage may use the ones above it. */
static const struct sh_stage stages[] = {
    {"tables", start_tables, NULL, stop_tables, reload_tables},
    {"auth", start_auth, NULL, stop_auth, reload_auth},
    {"cache", start_cache, NULL, stop_cache, NULL},
    {"history", start_history, NULL, stop_history, NULL},
    {"audit", start_audit, NULL, stop_audit, NULL},
    {"limits", start_limits, NULL, stop_limits, NULL},
    {"edges", start_edges, drain_edges, stop_edges, NULL},
    {"accounts", start_accounts, NULL, stop_accounts, NULL},
    {"maintenance", start_maintenance, NULL, stop_maintenance, NULL},
    {"watch", start_watch, NULL, stop_watch, NULL},
};

int main(int argc, char **argv)
{
    static struct process process;
    const struct sh_settings settings[] = {
        gateway_settings(&process.gateway.config),
        health_settings(&process.gateway.health_config),
        shell_settings(&process.gateway.shell_config),
        sh_pg_settings(&process.gateway.pg_config),
        sh_redis_settings(&process.gateway.redis_config),
        cache_settings(&process.gateway.cache_config),
        audit_settings(&process.gateway.audit_config),
        account_settings(&process.gateway.account_config),
        auth_settings(&process.gateway.auth_config),
        ldap_settings(&process.gateway.ldap_config),
        bolt_settings(&process.gateway.bolt_config),
        limits_settings(&process.gateway.limits_config),
        sh_file_settings(&process.gateway.file_config),
        sh_s3_settings(&process.gateway.s3_config),
    };
    const struct sh_service_spec spec = {
        .name = "gateway",
        .summary = "HTTP in front of the services: search, documents, embeddings, health",
        .process = &process.gateway.process,
        .settings = settings,
        .settings_count = SH_COUNT(settings),
        .stages = stages,
        .stage_count = SH_COUNT(stages),
        .self = &process,
    };

    if (argc == 3 && strcmp(argv[1], "--create-admin") == 0)
        return first_admin_command(argv[2]);
    if (argc == 2 && strcmp(argv[1], "--openapi") == 0)
        return openapi_print();
    const struct verify_settings verify = {settings, SH_COUNT(settings),
                                           &process.gateway.audit_config,
                                           &process.gateway.pg_config};
    int status;

    if (verify_cli(argc, argv, &verify, &status))
        return status;
    return sh_service_main(argc, argv, &spec);
}
