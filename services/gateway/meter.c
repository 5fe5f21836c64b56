#include "services/gateway/meter.h"

#include <pthread.h>
#include <stdio.h>

#include "services/gateway/edge.h"
#include "services/gateway/meter_overload.h"
#include "shared/log.h"
#include "shared/spans.h"

const double meter_bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1,  0.25,
                               0.5,   1.0,  2.5,   5.0,  10.0, 0};

static struct sh_family search_total = {
    .kind = SH_COUNTER,
    .name = "vector_search_requests_total",
    .help = "Total requests",
    .labels = {"method", "endpoint", "status"},
};
static struct sh_family search_seconds = {
    .kind = SH_HISTOGRAM,
    .name = "vector_search_request_duration_seconds",
    .help = "Request duration",
    .buckets = meter_bounds,
};
static struct sh_family http_total = {
    .kind = SH_COUNTER,
    .name = "http_requests_total",
    .help = "Total HTTP requests",
    .labels = {"method", "endpoint", "status"},
};
static struct sh_family http_seconds = {
    .kind = SH_HISTOGRAM,
    .name = "http_request_duration_seconds",
    .help = "HTTP request duration by route",
    .labels = {"endpoint"},
    .buckets = meter_bounds,
};
static struct sh_family queries_total = {
    .kind = SH_COUNTER,
    .name = "vector_search_queries_total",
    .help = "Searches by who asked",
    .labels = {"user_role", "department"},
};

static struct sh_family embeddings_total = {
    .kind = SH_COUNTER,
    .name = "vector_search_embedding_requests_total",
    .help = "Requests for vectors at the embedding routes, by how they ended",
    .labels = {"status"},
};

static const char *const methods[] = {"GET", "POST",    "HEAD",  "DELETE",
                                      "PUT", "OPTIONS", "PATCH", "other"};

static int method_index(struct sh_bytes method)
{
    int i = 0;
    while (i < (int)SH_COUNT(methods) - 1 && !sh_bytes_is(method, methods[i]))
        i++;
    return i;
}

const char *meter_endpoint(const struct route *route)
{
    return route != NULL ? route->operation : "unmatched";
}

static const char *endpoint(const struct meter *meter)
{
    return meter_endpoint(meter->route);
}

struct sh_series *meter_seconds(const struct route *route)
{
    return sh_series(&http_seconds, (const char *[]){meter_endpoint(route)});
}

static void open_meter(struct meter *meter, struct edge *edge, const struct route *route)
{
    meter->edge = edge;
    meter->route = route;
    meter->all_seconds = sh_series(&search_seconds, NULL);
    meter->seconds = meter_seconds(route);
}

struct meter *meters_create(struct edge *edge, const struct route *routes, size_t count)
{
    struct meter *meters = sh_alloc_array(count + 1, sizeof *meters);

    /* there, at nothing, before the first: dashboards look for it */
    (void)sh_series(&embeddings_total, (const char *[]){"success"});
    for (size_t i = 0; meters != NULL && i <= count; i++)
        open_meter(&meters[i], edge, i < count ? &routes[i] : NULL);
    return meters;
}

static void count(struct meter *meter, int method, int status)
{
    size_t i = 0;

    while (i < METER_KEPT - 1 && meter->kept[i].status != 0 &&
           (meter->kept[i].status != status || meter->kept[i].method != method))
        i++;
    if (meter->kept[i].status != status || meter->kept[i].method != method) {
        char text[12];
        (void)snprintf(text, sizeof text, "%d", status);
        const char *labels[] = {methods[method], endpoint(meter), text};
        meter->kept[i].status = status;
        meter->kept[i].method = method;
        meter->kept[i].search_total = sh_series(&search_total, labels);
        meter->kept[i].http_total = sh_series(&http_total, labels);
    }
    sh_series_add(meter->kept[i].search_total, 1);
    sh_series_add(meter->kept[i].http_total, 1);
}

/* A copy that ends in NUL; what does not fit is cut. */
static const char *cut(struct sh_bytes text, char *out, size_t size)
{
    size_t len = text.len < size ? text.len : size - 1;
    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = '\0';
    return out;
}

static void log_access(struct sh_http_request *request, int status, uint64_t bytes,
                       uint64_t duration_us)
{
    static const struct sh_log_site site = {"access", "access", 0};
    char method[16], path[256], agent[128];
    const struct sh_log_field fields[] = {
        {"logger", "access", 0},
        {"method", cut(sh_http_method(request), method, sizeof method), 0},
        {"path", cut(sh_http_path(request), path, sizeof path), 0},
        {"status", NULL, status},
        {"bytes", NULL, (double)bytes},
        {"duration_ms", NULL, (double)duration_us / 1000},
        {"client", sh_http_peer(request), 0},
        {"user_agent", cut(sh_http_header(request, "User-Agent"), agent, sizeof agent),
         0},
    };

    sh_log_event(SH_INFO, &site, sh_http_trace(request), "request", fields,
                 SH_COUNT(fields));
}

static bool logs(const struct meter *meter)
{
    bool quiet = meter->route != NULL && (meter->route->flags & ROUTE_QUIET) != 0;
    return !quiet && meter->edge->gateway->config.access_log && sh_log_enabled(SH_INFO);
}

static void note(struct meter *meter, struct sh_http_request *request, int status,
                 uint64_t duration_us)
{
    double seconds = (double)duration_us / 1e6;

    count(meter, method_index(sh_http_method(request)), status);
    sh_span_ended(sh_http_trace(request),
                  &(struct sh_span){
                      .kind = SH_SPAN_SERVER,
                      .name = endpoint(meter),
                      .took_us = duration_us,
                      .failed = status >= 500,
                      .notes = {{"http.request.method",
                                 methods[method_index(sh_http_method(request))], 0},
                                {"http.route", meter->route ? meter->route->path : "", 0},
                                {"http.response.status_code", NULL, status}}});
    sh_series_observe(meter->all_seconds, seconds);
    sh_series_observe(meter->seconds, seconds);
    if (meter->route != NULL && (meter->route->flags & ROUTE_EMBEDS) != 0)
        sh_count(&embeddings_total, status < 400 ? "success" : "error");
}

void meter_finished(void *arg, struct sh_http_request *request, int status,
                    uint64_t bytes, uint64_t duration_us)
{
    struct meter *meter = arg;

    note(meter, request, status, duration_us);
    if (logs(meter))
        log_access(request, status, bytes, duration_us);
}

enum { METHOD_PRINTED = 15, PATH_PRINTED = 255 };
#define PRINTED(text, most) (int)((text).len < (most) ? (text).len : (most))

/* sh_log_write() counts lines that repeat themselves instead of writing them. */
void meter_overloaded(struct meter *meter, struct sh_http_request *request, int status,
                      uint64_t duration_us)
{
    static const struct sh_log_site site = {"access", "overloaded", 0};
    struct sh_bytes method = sh_http_method(request);
    struct sh_bytes path = sh_http_path(request);

    note(meter, request, status, duration_us);
    if (logs(meter))
        sh_log_write(SH_INFO, &site, sh_http_trace(request),
                     "answered %d, there is too much to do: %.*s %.*s of %s", status,
                     PRINTED(method, METHOD_PRINTED), (const char *)method.data,
                     PRINTED(path, PATH_PRINTED), (const char *)path.data,
                     sh_http_peer(request));
}

void meter_watch(struct meter *meter, struct sh_http_request *request)
{
    sh_http_on_finished(request, meter_finished, meter);
}

enum { DEPARTMENTS_MAX = 50, DEPARTMENT_BYTES = 64 };

/* The department as a label; the set is bounded because it comes from requests. */
static const char *department_label(struct sh_bytes department)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char known[DEPARTMENTS_MAX][DEPARTMENT_BYTES + 1];
    static size_t known_count;
    const char *label = "other";

    if (department.len == 0)
        return "none";
    if (department.len > DEPARTMENT_BYTES)
        return label;
    pthread_mutex_lock(&lock);
    size_t i = 0;
    while (i < known_count && !sh_bytes_is(department, known[i]))
        i++;
    if (i == known_count && known_count < DEPARTMENTS_MAX) {
        memcpy(known[i], department.data, department.len);
        known_count++;
    }
    if (i < known_count)
        label = known[i];
    pthread_mutex_unlock(&lock);
    return label;
}

void meter_query(const char *role, struct sh_bytes department)
{
    const char *labels[] = {role, department_label(department)};
    sh_series_add(sh_series(&queries_total, labels), 1);
}

uint64_t meter_requests(void)
{
    return sh_series_count(sh_series(&search_seconds, NULL));
}

double meter_mean_ms(void)
{
    uint64_t requests = meter_requests();
    double seconds = sh_series_value(sh_series(&search_seconds, NULL));
    return requests > 0 ? seconds * 1000 / (double)requests : 0;
}
