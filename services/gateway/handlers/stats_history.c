/* GET /api/admin/stats/history: the last hour of this gateway, for lines, and sums of its
 * last minutes, and what the services said of themselves. Other gateways are not asked:
 * each tells of itself, and says who it is.
 */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/history/history.h"
#include "services/gateway/json_out.h"
#include "shared/clock.h"

static void figure(struct sh_buffer *out, const char *name, uint64_t value)
{
    json_member(out, name);
    json_u64(out, value);
}

static void number(struct sh_buffer *out, const char *name, double value)
{
    json_member(out, name);
    json_number(out, value, 6);
}

/* Of nothing there are no times: null. */
static void within(struct sh_buffer *out, const char *name,
                   const struct history_times *times, double share)
{
    double seconds = history_within(times, share);

    json_member(out, name);
    if (seconds > 0)
        json_number(out, seconds, 6);
    else
        sh_buffer_text(out, "null");
}

static void time_member(struct sh_buffer *out, const char *name, double unix_seconds)
{
    json_member(out, name);
    json_time(out, unix_seconds);
}

static const char *const said[SAID_COUNT] = {
    [SAID_RECALL] = "search_recall",
    [SAID_SEARCH_LAG] = "search_lag",
    [SAID_GRAPH_LAG] = "graph_lag",
    [SAID_SEARCH_POOL] = "search_pool_size",
    [SAID_SEARCH_USED] = "search_pool_active",
    [SAID_GRAPH_POOL] = "graph_pool_size",
    [SAID_GRAPH_USED] = "graph_pool_active",
};

/* No braces. */
static void write_figures(struct sh_buffer *out, const struct history_figures *of)
{
    time_member(out, "ended_at", of->ended_at);
    number(out, "seconds", of->seconds);
    figure(out, "requests", history_requests(&of->all));
    figure(out, "errors", of->all.errors);
    figure(out, "refused", of->refused);
    within(out, "p50", &of->all, 0.5);
    within(out, "p95", &of->all, 0.95);
    figure(out, "searches", history_requests(&of->searches));
    within(out, "search_p50", &of->searches, 0.5);
    within(out, "search_p95", &of->searches, 0.95);
    figure(out, "cache_hits", of->cache_hits);
    figure(out, "cache_misses", of->cache_misses);
    figure(out, "in_flight", of->in_flight);
    figure(out, "connections", of->connections);
    figure(out, "pool_size", of->pool_size);
    figure(out, "pool_active", of->pool_active);
    for (size_t i = 0; i < SAID_COUNT; i++)
        number(out, said[i], of->said[i]); /* not known: null */
}

static void write_route(struct sh_buffer *out, const struct history_route *one)
{
    const struct history_times *times = &one->times;

    sh_buffer_text(out, "{");
    json_member_text(out, "operation", sh_bytes_of(meter_endpoint(one->route)));
    json_member_text(
        out, "method",
        sh_bytes_of(one->route ? route_method_name(one->route->method) : ""));
    json_member_text(out, "path", sh_bytes_of(one->route ? one->route->path : ""));
    figure(out, "requests", history_requests(times));
    figure(out, "errors", times->errors);
    number(out, "mean", history_mean(times));
    within(out, "p50", times, 0.5);
    within(out, "p95", times, 0.95);
    figure(out, "beyond", times->counts[METER_BOUNDS]);
    sh_buffer_text(out, "}");
}

static void write_view(struct sh_buffer *out, const struct history_view *view)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "instance", sh_bytes_of(view->instance));
    time_member(out, "begun_at", view->begun_at);
    figure(out, "step_seconds", HISTORY_STEP_S);
    number(out, "longest_bound", meter_bounds[METER_BOUNDS - 1]);
    json_member(out, "sums");
    sh_buffer_text(out, "{");
    write_figures(out, &view->sums);
    sh_buffer_text(out, "}");
    json_member(out, "routes");
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < view->route_count; i++) {
        sh_buffer_text(out, i > 0 ? "," : "");
        write_route(out, &view->routes[i]);
    }
    sh_buffer_text(out, "]");
    json_member(out, "steps");
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < view->step_count; i++) {
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        write_figures(out, &view->steps[i]);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]}");
}

void admin_history(struct exchange *x, void *unused)
{
    struct history_view view;
    uint32_t minutes = 15;

    (void)unused;
    if (!exchange_query_u32(x, "minutes", 1, HISTORY_MINUTES, &minutes))
        return;
    if (history_look(x->edge->gateway->history, minutes, &x->arena, &view) != SH_OK) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    sh_http_add_header(x->request, "Cache-Control", "no-store");
    write_view(exchange_out(x), &view);
    exchange_answer(x, 200);
}
