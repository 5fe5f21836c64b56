#include "services/gateway/maintenance/maintenance.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "services/gateway/health/watch.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum { LOOK_MS = 1000, ASK_MS = 3000, RESTORE_RETRY_S = 5, RETRY_MOST_S = 60 };

/* What was seen last counts for so long while PostgreSQL does not answer: it does not for
 * a moment when a restore swaps databases. */
enum { BELIEVED_MS = 15000 };

struct maintenance {
    struct gateway *gateway;
    struct edge *edge;
    uv_timer_t timer;
    struct sh_health_check *check;
    int holders; /* the timer, and a question under way */
    bool asking, closing;
    uint64_t seen_ms;
    _Atomic int why;
    _Atomic unsigned left_s; /* by hand: until it is over, when looked at last */
};

/* Locks of all databases are seen from each. */
static const struct sh_pg_statement look = {
    "gateway_maintenance",
    "SELECT (EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND classid = hashtext('cairn-maintenance')::oid "
    "AND objid = hashtext(current_database())::oid AND objsubid = 2))::int, "
    "coalesce((SELECT ceil(extract(epoch FROM until - now())) FROM maintenance "
    "WHERE until > now()), 0)::bigint"};

static struct sh_family gauge = {.kind = SH_GAUGE,
                                 .name = "cairn_gateway_maintenance",
                                 .help =
                                     "1 while what would change something is refused.",
                                 .labels = {"reason"}};
static struct sh_family refusals = {.kind = SH_COUNTER,
                                    .name = "cairn_gateway_maintenance_refusals_total",
                                    .help =
                                        "Requests that were refused for maintenance."};

static const char *const names[] = {"", "restore", "by_hand"};
static const char *const messages[] = {
    "", "the database is being restored: nothing can be changed until that is done",
    "maintenance: nothing can be changed until it is over"};

/* --- what is known ---------------------------------------------------------------- */

enum maintenance_why maintenance_now(const struct maintenance *self)
{
    return self != NULL ? (enum maintenance_why)atomic_load(&self->why)
                        : MAINTENANCE_NONE;
}

const char *maintenance_text(enum maintenance_why why)
{
    return why != MAINTENANCE_NONE ? names[why] : NULL;
}

static void learn(struct maintenance *self, enum maintenance_why why, unsigned left_s)
{
    enum maintenance_why before = maintenance_now(self);

    atomic_store(&self->left_s, left_s);
    atomic_store(&self->why, (int)why);
    for (int i = MAINTENANCE_RESTORE; i <= MAINTENANCE_BY_HAND; i++)
        sh_series_set(sh_series(&gauge, &names[i]), (int)why == i);
    if (before == why)
        return;
    watch_nudge(self->gateway->watch);
    sh_health_set(self->check, why ? SH_DEGRADED : SH_HEALTHY, -1, messages[why], NULL);
    if (why != MAINTENANCE_NONE)
        sh_warning(NULL, "%s", messages[why]);
    else
        sh_info(NULL, "maintenance is over");
}

/* --- looking ---------------------------------------------------------------------- */

static void let_go(struct maintenance *self)
{
    if (--self->holders == 0)
        sh_free(self);
}

static void on_seen(void *arg, const struct sh_pg_reply *reply)
{
    struct maintenance *self = arg;

    self->asking = false;
    if (!self->closing && reply->err == SH_OK) {
        const PGresult *row = reply->results[0];
        unsigned long left = strtoul(PQgetvalue(row, 0, 1), NULL, 10);
        bool restore = PQgetvalue(row, 0, 0)[0] == '1';
        self->seen_ms = sh_now_ms();
        learn(self,
              restore    ? MAINTENANCE_RESTORE
              : left > 0 ? MAINTENANCE_BY_HAND
                         : MAINTENANCE_NONE,
              left < UINT32_MAX ? (unsigned)left : UINT32_MAX);
    } else if (!self->closing && sh_now_ms() - self->seen_ms > BELIEVED_MS) {
        learn(self, MAINTENANCE_NONE, 0);
    }
    let_go(self);
}

static void on_timer(uv_timer_t *timer)
{
    struct maintenance *self = timer->data;
    const struct sh_pg_step step = {.statement = &look};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + ASK_MS};

    if (self->asking)
        return;
    self->asking = sh_pg_run(self->edge->pg, &call, on_seen, self) == SH_OK;
    self->holders += self->asking;
}

enum sh_err maintenance_open(struct gateway *gateway, struct edge *edge,
                             struct maintenance **out)
{
    struct maintenance *self = sh_alloc(sizeof(*self));

    *out = NULL;
    if (self == NULL)
        return SH_NOMEM;
    *self = (struct maintenance){
        .gateway = gateway, .edge = edge, .holders = 1, .seen_ms = sh_now_ms()};
    self->check = sh_health_add(gateway->health, "maintenance", false);
    if (self->check == NULL) {
        sh_free(self);
        return SH_NOMEM;
    }
    sh_health_set(self->check, SH_HEALTHY, -1, "", NULL);
    (void)uv_timer_init(edge->loop, &self->timer); /* cannot fail */
    self->timer.data = self;
    (void)uv_timer_start(&self->timer, on_timer, 0, LOOK_MS); /* the callback is set */
    *out = self;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

void maintenance_close(struct maintenance **at)
{
    struct maintenance *self = *at;

    *at = NULL;
    if (self == NULL)
        return;
    self->closing = true;
    uv_close((uv_handle_t *)&self->timer, on_closed);
}

/* --- refusing --------------------------------------------------------------------- */

bool maintenance_concerns(const struct route *route)
{
    if (route == NULL || route->method == ROUTE_GET)
        return false;
    switch (route->permission) {
    case PERMIT_PUBLIC: /* logging in and out */
    case PERMIT_SEARCH:
    case PERMIT_EMBED:
    case PERMIT_BACKUPS: /* what ends it, among others */
    case PERMIT_ADMIN_CACHE:
    case PERMIT_OPERATE:
    case PERMIT_READ_AUDIT:
        return false;
    case PERMIT_READ_DOCUMENTS: /* questions by POST; but jobs are kept */
    case PERMIT_READ_GLOSSARY:
    case PERMIT_READ_GRAPH:
        return route->success == 202;
    case PERMIT_UNSET:
    case PERMIT_SESSION:
    case PERMIT_WRITE_DOCUMENTS:
    case PERMIT_MANAGE_DOCUMENTS:
    case PERMIT_WRITE_GLOSSARY:
    case PERMIT_WRITE_GRAPH:
    case PERMIT_ADMIN_USERS:
    case PERMIT_ADMIN_KEYS:
    case PERMIT_ADMIN_MODELS:
    case PERMIT_IMPERSONATE:
    case PERMIT_VALIDATE_GLOSSARY:
    case PERMIT_COUNT:
    default:
        return true;
    }
}

void maintenance_gate(struct exchange *x)
{
    const struct maintenance *self = x->edge->gateway->maintenance;
    enum maintenance_why why = maintenance_now(self);

    if (why == MAINTENANCE_NONE || !maintenance_concerns(x->route)) {
        gate_next(x);
        return;
    }
    unsigned left = atomic_load(&self->left_s);
    unsigned after = why == MAINTENANCE_RESTORE ? RESTORE_RETRY_S
                     : left < RETRY_MOST_S      ? left
                                                : RETRY_MOST_S;
    sh_series_add(sh_series(&refusals, NULL), 1);
    exchange_fail(x, &(struct sh_problem){.status = 503,
                                          .code = "maintenance",
                                          .error = messages[why],
                                          .retry_after_s = after > 0 ? after : 1});
}
