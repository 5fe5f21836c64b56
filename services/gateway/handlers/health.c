/* Probes, health pages, figures. All from memory but /health/ping/{service}, which goes
 * over the bus and back. */
#include "services/gateway/auth/auth.h"
#include "services/gateway/auth/authorise.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"
#include "shared/clock.h"
#include "shared/metrics.h"

enum {
    REFRESH_MS = 4000, /* longer than a round of the watch, or two, take */
    REFRESH_EVERY_MS = 5,
};

static const char pong[] = "{\"status\":\"ok\",\"message\":\"pong\"}";

static void answer_json(struct exchange *x, int status, const char *text)
{
    exchange_answer_as(x, status, "application/json", sh_bytes_of(text));
}

/* --- pages ------------------------------------------------------------------------ */

static void answer_page(struct exchange *x, enum board_page page)
{
    struct board *board = x->edge->gateway->board;
    struct board_set *set = board_take(board);

    if (set == NULL || set->pages[page].body.err != SH_OK) {
        answer_json(x, 500, "{\"status\":\"error\",\"error\":\"nothing is known yet\"}");
    } else {
        sh_http_add_header(x->request, "Cache-Control", "no-store");
        exchange_answer_as(x, set->pages[page].status, "application/json",
                           sh_buffer_bytes(&set->pages[page].body));
    }
    if (set != NULL)
        board_drop(board, set);
}

/* False when there is no such profile. */
static bool find_profile(const char *name, enum board_page *page)
{
    static const char *const names[] = {"union", "garden", "glossary", "checks",
                                        "vector"};

    for (size_t i = 0; i < SH_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *page = (enum board_page)i;
            return true;
        }
    return false;
}

/* ?refresh: a request that waits for all to be looked at anew. */
struct refresh {
    struct exchange *x;
    enum board_page page;
    uint64_t ticket;
    uint64_t until_ms;
    uv_timer_t timer;
};

static void on_refresh_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void on_refresh_left(struct exchange *x)
{
    struct refresh *refresh = x->state;
    uv_close((uv_handle_t *)&refresh->timer, on_refresh_closed);
}

static void on_refresh_timer(uv_timer_t *timer)
{
    struct refresh *refresh = timer->data;
    struct exchange *x = refresh->x;

    if (!board_is_answered(x->edge->gateway->board, refresh->ticket) &&
        sh_left_ms(refresh->until_ms) > 0)
        return;
    uv_close((uv_handle_t *)timer, on_refresh_closed);
    x->abandoned = NULL;
    answer_page(x, refresh->page);
}

static void wait_for_refresh(struct exchange *x, enum board_page page)
{
    struct refresh *refresh = sh_alloc(sizeof *refresh);

    if (refresh == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    refresh->x = x;
    refresh->page = page;
    refresh->ticket = board_ask(x->edge->gateway->board);
    refresh->until_ms = sh_now_ms() + REFRESH_MS;
    refresh->timer.data = refresh;
    x->state = refresh;
    x->abandoned = on_refresh_left;
    /* neither can fail: the loop is open and the callback is set */
    (void)uv_timer_init(x->edge->loop, &refresh->timer);
    (void)uv_timer_start(&refresh->timer, on_refresh_timer, REFRESH_EVERY_MS,
                         REFRESH_EVERY_MS);
}

/* Looking anew costs the services something. /health is a probe, of whom nobody asks who
 * they are. */
static bool may_refresh(const struct exchange *x)
{
    const struct gateway *gateway = x->edge->gateway;

    return gateway->auth->jwt_mode ? authorised(x, PERMIT_OPERATE)
                                   : gateway->config.metrics_public;
}

/* The page as it is, or as it is once all has been looked at anew: that is for operators.
 */
static void look(struct exchange *x, enum board_page page)
{
    char asked[8] = "";

    if (sh_http_query(x->request).len > 0 &&
        sh_http_param(x->request, "refresh", asked, sizeof asked) == SH_OK &&
        (strcmp(asked, "1") == 0 || strcmp(asked, "true") == 0) && may_refresh(x))
        wait_for_refresh(x, page);
    else
        answer_page(x, page);
}

void health_union(struct exchange *x, void *unused)
{
    (void)unused;
    enum board_page page = PAGE_UNION;
    const char *usual = x->edge->gateway->health_config.profile;
    const char *name = usual;
    char asked[16] = "";
    enum sh_err err = SH_NOTFOUND;

    if (sh_http_query(x->request).len > 0)
        err = sh_http_param(x->request, "profile", asked, sizeof asked);
    if (err != SH_NOTFOUND)
        name = err == SH_OK ? asked : "";
    if (find_profile(name, &page))
        look(x, page);
    else
        exchange_invalid(
            x, "profile",
            "profile must be one of: union, garden, glossary, checks, vector");
}

void health_detailed(struct exchange *x, void *unused)
{
    (void)unused;
    look(x, PAGE_DETAILED);
}

/* --- probes ----------------------------------------------------------------------- */

void health_ready(struct exchange *x, void *unused)
{
    (void)unused;
    struct gateway *gateway = x->edge->gateway;

    if (atomic_load_explicit(&gateway->ready, memory_order_relaxed))
        answer_json(x, 200, "{\"status\":\"ready\",\"ready\":true}");
    else
        answer_json(x, 503, "{\"status\":\"not_ready\",\"ready\":false}");
}

void health_live(struct exchange *x, void *unused)
{
    (void)unused;
    answer_json(x, 200, "{\"status\":\"alive\",\"alive\":true}");
}

void health_ping(struct exchange *x, void *unused)
{
    (void)unused;
    exchange_answer_as(x, 200, "application/json",
                       (struct sh_bytes){pong, sizeof pong - 1});
}

static void on_echo(struct exchange *x, const struct sh_rpc_response *reply)
{
    if (sh_bytes_is(reply->payload, "ping"))
        health_ping(x, NULL);
    else
        exchange_fail_err(x, SH_UPSTREAM, NULL);
}

void health_ping_service(struct exchange *x, void *unused)
{
    (void)unused;
    static const struct sh_bytes payload = {"ping", 4};

    for (int p = 0; p < PEER_COUNT; p++) {
        if (!sh_bytes_is(x->param, peer_name((enum peer)p)))
            continue;
        exchange_call(x, &(struct exchange_call){
                             .peer = (enum peer)p,
                             .method = METHOD_RPC_ECHO,
                             .kind = SH_RPC_READ,
                             .raw = payload,
                             .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                             .done = on_echo,
                         });
        return;
    }
    exchange_fail_err(x, SH_NOTFOUND, "there is no such service");
}

/* --- figures ---------------------------------------------------------------------- */

static bool accepts(const struct exchange *x, const char *type)
{
    struct sh_bytes accept = sh_http_header(x->request, "Accept");
    return accept.len > 0 && memmem(accept.data, accept.len, type, strlen(type)) != NULL;
}

void metrics_text(struct exchange *x, void *unused)
{
    (void)unused;
    bool open = accepts(x, "application/openmetrics-text");
    struct sh_buffer text = {0};

    sh_metrics_render(&text, open);
    if (text.err != SH_OK)
        exchange_fail_err(x, text.err, NULL);
    else
        exchange_answer_as(
            x, 200,
            open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                 : "text/plain; version=0.0.4; charset=utf-8",
            sh_buffer_bytes(&text));
    sh_buffer_free(&text);
}

static void answer_figures(struct exchange *x)
{
    struct board *board = x->edge->gateway->board;
    struct board_set *set = board_take(board);
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{");
    json_member(out, "timestamp");
    sh_buffer_printf(out, "%.3f", sh_wall_time());
    json_member(out, "requests_total");
    json_u64(out, meter_requests());
    json_member(out, "avg_response_time_ms");
    json_number(out, meter_mean_ms(), 6);
    json_member(out, "health");
    json_raw(out,
             set != NULL ? sh_buffer_bytes(&set->pages[PAGE_DETAILED].body)
                         : (struct sh_bytes){0},
             "null");
    sh_buffer_text(out, "}");
    if (set != NULL)
        board_drop(board, set);
    exchange_answer(x, 200);
}

void health_metrics(struct exchange *x, void *unused)
{
    if (accepts(x, "application/json"))
        answer_figures(x);
    else
        metrics_text(x, unused);
}
