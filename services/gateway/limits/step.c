/* The steps of the gate. */
#include "services/gateway/auth/auth.h"
#include "services/gateway/gate.h"
#include "services/gateway/limits/limits.h"
#include "services/gateway/limits/quota.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/metrics.h"

/* A request whose limits are being decided; it may outlive its exchange. */
struct limits_waiting {
    struct limiter_ask ask;
    struct policy_keys keys;
    struct edge *edge;
    struct exchange *x; /* NULL: the client left */
    struct limits_waiting *next;
};

static struct sh_family limited_family = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_rate_limited_total",
    .help = "Requests answered 429, by the limit and by what is counted",
    .labels = {"limit", "scope"}};

/* --- too much to do --------------------------------------------------------------- */

void limits_shed(struct exchange *x)
{
    enum shed_reason reason = shed_begin(x->edge->limits.shed);

    if (reason == SHED_NOT) {
        x->counted = true;
        gate_next(x);
        return;
    }
    exchange_fail(x, &(struct sh_problem){.status = 503,
                                          .code = "overloaded",
                                          .error = "there is too much to do at the "
                                                   "moment, try again in a second",
                                          .retry_after_s = 1});
}

void limits_end(struct exchange *x)
{
    if (x->counted)
        shed_end(x->edge->limits.shed);
    x->counted = false;
}

/* --- too many requests ------------------------------------------------------------ */

static struct limits_waiting *take(struct edge *edge)
{
    struct limits_waiting *waiting = edge->limits.spare;

    if (waiting == NULL)
        return sh_alloc(sizeof *waiting);
    edge->limits.spare = waiting->next;
    return waiting;
}

static void drop(struct limits_waiting *waiting)
{
    waiting->next = waiting->edge->limits.spare;
    waiting->edge->limits.spare = waiting;
}

static void refuse(struct exchange *x, const struct quota *quota)
{
    sh_count(&limited_family, quota->bucket, x->principal != NULL ? "user" : "address");
    exchange_fail(x, &(struct sh_problem){.status = 429,
                                          .code = "rate_limited",
                                          .error = "too many requests: wait as long as "
                                                   "Retry-After says",
                                          .retry_after_s = quota->retry_after_s});
}

static void decided(struct limits_waiting *waiting)
{
    struct exchange *x = waiting->x;
    bool admitted = waiting->ask.admitted;
    struct quota quota;

    quota_write(&waiting->ask, sh_wall_time(), &quota);
    drop(waiting);
    sh_http_add_lines(x->request, (struct sh_bytes){quota.lines, quota.len});
    if (admitted)
        gate_next(x);
    else
        refuse(x, &quota);
}

static void on_left(struct exchange *x)
{
    struct limits_waiting *waiting = x->state;
    waiting->x = NULL;
}

static void on_decided(struct limiter_ask *ask)
{
    struct limits_waiting *waiting = SH_CONTAINER_OF(ask, struct limits_waiting, ask);

    if (waiting->x != NULL)
        decided(waiting);
    else
        drop(waiting);
}

/* False: nothing limits this request. */
static bool choose(const struct exchange *x, struct limits_waiting *waiting)
{
    const struct gateway *gateway = x->edge->gateway;
    char subject[ADDRESS_TEXT] = "unknown";
    struct address address;
    struct policy_caller caller = {.address = subject};
    const struct role *role = role_anonymous(roles_now(gateway->auth->roles));

    if (x->principal != NULL) {
        caller.user_id = x->principal->user_id;
        role = x->role;
    }
    caller.per_minute = role->requests_per_minute;
    caller.per_hour = role->requests_per_hour;
    /* of somebody known only logging in is counted by address */
    bool logs_in = x->route != NULL && (x->route->flags & ROUTE_LOGIN) != 0;
    bool by_user = caller.user_id.len > 0 && !logs_in;
    if (!by_user && address_read(sh_bytes_of(x->client), &address))
        address_write_subject(&address, subject);
    return policy_choose(&gateway->limits->policy, x->route, &caller, &waiting->keys,
                         &waiting->ask);
}

void limits_count(struct exchange *x)
{
    struct edge *edge = x->edge;

    if (edge->limits.limiter == NULL) {
        gate_next(x);
        return;
    }
    struct limits_waiting *waiting = take(edge);
    if (waiting == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    waiting->edge = edge;
    waiting->x = x;
    waiting->ask.done = on_decided;
    if (!choose(x, waiting)) {
        drop(waiting);
        gate_next(x);
        return;
    }
    x->state = waiting;
    x->abandoned = on_left;
    if (limiter_take(edge->limits.limiter, &waiting->ask))
        decided(waiting);
}

/* --- a loop ----------------------------------------------------------------------- */

enum sh_err limits_edge_open(struct edge *edge, bool first)
{
    struct gateway *gateway = edge->gateway;
    enum sh_err err =
        shed_create(edge->loop, &gateway->limits_config, &edge->limits.shed);

    if (err == SH_OK && gateway->limits->enabled)
        err = limiter_create(edge->loop, edge->redis, &gateway->limits->shared, first,
                             &edge->limits.limiter);
    return err;
}

void limits_edge_close(struct edge *edge)
{
    shed_close(&edge->limits.shed);
    limiter_close(&edge->limits.limiter);
    while (edge->limits.spare != NULL) {
        struct limits_waiting *waiting = edge->limits.spare;
        edge->limits.spare = waiting->next;
        sh_free(waiting);
    }
}
