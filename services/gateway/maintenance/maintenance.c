#include "services/gateway/maintenance/maintenance.h"

#include <stdatomic.h>

#include "services/gateway/health/watch.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum { LOOK_MS = 1000, ASK_MS = 3000, RESTORE_RETRY_S = 5, RETRY_MOST_S = 60 };

/* What was seen last counts for so long while PostgreSQL does not answer: it does not for
 * a moment when a restore swaps databases. */
enum { BELIEVED_MS = 15000 };

/* What was seen, in one word: the number of the look, then why, then, by hand, for how
 * many seconds more. */
enum { LEFT_BITS = 16, WHY_BITS = 2, LOOK_SHIFT = LEFT_BITS + WHY_BITS };

struct maintenance {
    struct gateway *gateway;
    struct edge *edge;
    uv_timer_t timer;
    struct sh_health_check *check;
    /* Of the main loop alone. */
    enum maintenance_why told; /* to health and the log */
    bool asking, closing;
    uint64_t believed_ms; /* when it was last seen */
    /* Of all loops. */
    _Atomic int holders; /* the timer, and looks under way */
    _Atomic uint64_t looks;
    _Atomic uint64_t seen;
};

struct look { /* a question under way, of any loop */
    struct maintenance *self;
    uint64_t number;
    maintenance_looked_fn *done;
    void *arg;
};

/* Locks of all databases are seen from each. */
static const struct sh_pg_statement state_now = {
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

static enum maintenance_why why_of(uint64_t seen)
{
    return (enum maintenance_why)(seen >> LEFT_BITS & ((1U << WHY_BITS) - 1));
}

static unsigned left_of(uint64_t seen)
{
    return (unsigned)(seen & UINT16_MAX);
}

enum maintenance_why maintenance_now(const struct maintenance *self)
{
    return self != NULL ? why_of(atomic_load(&self->seen)) : MAINTENANCE_NONE;
}

const char *maintenance_text(enum maintenance_why why)
{
    return why != MAINTENANCE_NONE ? names[why] : NULL;
}

/* Any thread. A look that began later has seen more: it is not undone by an earlier one
 * that ends after it. */
static void learn(struct maintenance *self, uint64_t look, enum maintenance_why why,
                  uint64_t left_s)
{
    uint64_t left = left_s < UINT16_MAX ? left_s : UINT16_MAX;
    uint64_t next = look << LOOK_SHIFT | (uint64_t)why << LEFT_BITS | left;
    uint64_t seen = atomic_load(&self->seen);

    do {
        if (seen >> LOOK_SHIFT > look)
            return;
    } while (!atomic_compare_exchange_weak(&self->seen, &seen, next));
    why = maintenance_now(self);
    for (int i = MAINTENANCE_RESTORE; i <= MAINTENANCE_BY_HAND; i++)
        sh_series_set(sh_series(&gauge, &names[i]), (int)why == i);
}

/* Main loop only. */
static void tell(struct maintenance *self)
{
    enum maintenance_why why = maintenance_now(self);

    if (self->told == why)
        return;
    self->told = why;
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
    if (atomic_fetch_sub(&self->holders, 1) == 1)
        sh_free(self);
}

static void on_seen(void *arg, const struct sh_pg_reply *reply)
{
    struct look *look = arg;
    struct maintenance *self = look->self;

    if (reply->err == SH_OK) {
        const PGresult *row = reply->results[0];
        uint64_t left = sh_pg_u64(row, 0, 1);
        bool restore = sh_pg_u64(row, 0, 0) == 1;
        learn(self, look->number,
              restore    ? MAINTENANCE_RESTORE
              : left > 0 ? MAINTENANCE_BY_HAND
                         : MAINTENANCE_NONE,
              left);
    }
    look->done(look->arg, reply->err);
    sh_free(look);
    let_go(self);
}

enum sh_err maintenance_look(struct maintenance *self, struct edge *edge,
                             maintenance_looked_fn *done, void *arg)
{
    const struct sh_pg_step step = {.statement = &state_now};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + ASK_MS};

    if (self == NULL)
        return SH_UNAVAILABLE;
    struct look *look = sh_alloc(sizeof(*look));
    if (look == NULL)
        return SH_NOMEM;
    *look = (struct look){self, atomic_fetch_add(&self->looks, 1) + 1, done, arg};
    enum sh_err err = sh_pg_run(edge->pg, &call, on_seen, look);
    if (err == SH_OK)
        atomic_fetch_add(&self->holders, 1);
    else
        sh_free(look);
    return err;
}

/* Of the timer's look, on the main loop. */
static void on_looked(void *arg, enum sh_err err)
{
    struct maintenance *self = arg;

    self->asking = false;
    if (self->closing)
        return;
    if (err == SH_OK)
        self->believed_ms = sh_now_ms();
    else if (sh_now_ms() - self->believed_ms > BELIEVED_MS)
        learn(self, atomic_load(&self->looks), MAINTENANCE_NONE, 0);
    tell(self);
}

static void on_timer(uv_timer_t *timer)
{
    struct maintenance *self = timer->data;

    if (!self->asking)
        self->asking = maintenance_look(self, self->edge, on_looked, self) == SH_OK;
}

enum sh_err maintenance_open(struct gateway *gateway, struct edge *edge,
                             struct maintenance **out)
{
    struct maintenance *self = sh_alloc(sizeof(*self));

    *out = NULL;
    if (self == NULL)
        return SH_NOMEM;
    *self = (struct maintenance){
        .gateway = gateway, .edge = edge, .holders = 1, .believed_ms = sh_now_ms()};
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
    uint64_t seen = self != NULL ? atomic_load(&self->seen) : 0;
    enum maintenance_why why = why_of(seen);

    if (why == MAINTENANCE_NONE || !maintenance_concerns(x->route)) {
        gate_next(x);
        return;
    }
    unsigned left = left_of(seen);
    unsigned after = why == MAINTENANCE_RESTORE ? RESTORE_RETRY_S
                     : left < RETRY_MOST_S      ? left
                                                : RETRY_MOST_S;
    sh_series_add(sh_series(&refusals, NULL), 1);
    exchange_fail(x, &(struct sh_problem){.status = 503,
                                          .code = "maintenance",
                                          .error = messages[why],
                                          .retry_after_s = after > 0 ? after : 1});
}
