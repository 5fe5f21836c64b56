#include "libshared/src/service_internal.h"

#include <string.h>

#define JSON        "application/json"
#define TEXT        "text/plain; version=0.0.4; charset=utf-8"
#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

typedef void ops_fn(struct sh_service *service, struct sh_http_request *request);

static void respond(struct sh_http_request *request, int status, const char *type,
                    struct sh_buffer *body)
{
    if (body->err == SH_OK)
        sh_http_respond(request, status, type, sh_buffer_bytes(body));
    else
        sh_http_fail_err(request, body->err, sh_err_text(body->err));
    sh_buffer_free(body);
}

/* It is answered on the loop, so the loop turns. */
static void live(struct sh_service *service, struct sh_http_request *request)
{
    (void)service;
    sh_http_respond(request, 200, JSON, sh_bytes_of("{\"status\":\"alive\"}"));
}

static void ready(struct sh_service *service, struct sh_http_request *request)
{
    if (sh_health_ready(service->health))
        sh_http_respond(request, 200, JSON, sh_bytes_of("{\"status\":\"ready\"}"));
    else
        sh_http_respond(request, 503, JSON, sh_bytes_of("{\"status\":\"not ready\"}"));
}

static void ping(struct sh_service *service, struct sh_http_request *request)
{
    (void)service;
    sh_http_respond(request, 200, JSON,
                    sh_bytes_of("{\"status\":\"ok\",\"message\":\"pong\"}"));
}

static void health(struct sh_service *service, struct sh_http_request *request)
{
    struct sh_buffer body = {0};
    bool unhealthy = sh_health_overall(service->health) == SH_UNHEALTHY;
    sh_health_json(service->health, &body);
    respond(request, unhealthy ? 503 : 200, JSON, &body);
}

static void metrics(struct sh_service *service, struct sh_http_request *request)
{
    struct sh_buffer body = {0};
    struct sh_bytes accept = sh_http_header(request, "Accept");
    static const char wanted[] = "application/openmetrics-text";
    bool openmetrics =
        accept.len > 0 && memmem(accept.data, accept.len, wanted, sizeof(wanted) - 1);
    (void)service;
    sh_metrics_render(&body, openmetrics);
    respond(request, 200, openmetrics ? OPENMETRICS : TEXT, &body);
}

static void peers(struct sh_service *service, struct sh_http_request *request)
{
    struct sh_buffer body = {0};
    sh_buffer_text(&body, "[");
    for (size_t i = 0; i < service->peer_count; i++)
        sh_rpc_client_describe(service->peers[i], &body);
    sh_buffer_text(&body, "]");
    respond(request, 200, JSON, &body);
}

static const struct {
    const char *path;
    ops_fn *handle;
} routes[] = {
    {"/livez", live},       {"/health/live", live},   {"/health/liveness", live},
    {"/readyz", ready},     {"/health/ready", ready}, {"/health", health},
    {"/health/ping", ping}, {"/metrics", metrics},    {"/health/metrics", metrics},
    {"/peers", peers},
};

static ops_fn *find(struct sh_bytes path)
{
    for (size_t i = 0; i < SH_COUNT(routes); i++) {
        if (sh_bytes_is(path, routes[i].path))
            return routes[i].handle;
    }
    return NULL;
}

static void refuse_method(struct sh_http_request *request)
{
    sh_http_add_header(request, "Allow", "GET, HEAD");
    sh_http_fail(request, &(struct sh_problem){
                              .status = 405,
                              .code = "method_not_allowed",
                              .error = "Only GET and HEAD are allowed here.",
                          });
}

static void on_request(void *arg, struct sh_http_request *request)
{
    struct sh_service *service = arg;
    struct sh_bytes method = sh_http_method(request);
    ops_fn *handle = find(sh_http_path(request));
    if (!handle)
        sh_http_fail_err(request, SH_NOTFOUND, "There is no such page on the ops port.");
    else if (!sh_bytes_is(method, "GET") && !sh_bytes_is(method, "HEAD"))
        refuse_method(request);
    else
        handle(service, request);
}

enum sh_err sh_service_open_ops(struct sh_service *service)
{
    const struct sh_process_config *config = service->spec->process;
    struct sh_http_server_options options = {
        .host = config->ops_host,
        .port = (uint16_t)config->ops_port,
        .limits = {.connections = 256},
        .handler = on_request,
        .arg = service,
        .metrics_label = "ops",
    };
    return sh_http_server_create(service->loop, &options, &service->ops);
}
