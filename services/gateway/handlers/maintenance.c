/* Maintenance by hand: entered for a time, left before it is over. */
#include <stdio.h>
#include <stdlib.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"
#include "services/gateway/maintenance/maintenance.h"
#include "shared/clock.h"

struct maintenance_body {
    struct sh_bytes reason;
    int64_t minutes;
};

/* clang-format off */
#define AT(member) offsetof(struct maintenance_body, member)
static const struct schema_field fields[] = {
    {.name = "reason", .type = SCHEMA_TEXT, .offset = AT(reason), .most = 500, .bytes = 500,
     .help = "for people"},
    {.name = "minutes", .type = SCHEMA_INTEGER, .offset = AT(minutes), .least = 1,
     .most = 1440, .fallback = "15", .help = "when it ends by itself"},
};
#undef AT

/* One row: what is so now. */
#define STATE                                                                            \
    "SELECT json_build_object('active', m.until IS NOT NULL, "                           \
    "'until', " JSON_TIME_SQL("m.until") ", "                                            \
    "'reason', coalesce(m.reason, ''), 'entered_by', coalesce(m.entered_by, ''), "       \
    "'entered_at', " JSON_TIME_SQL("m.entered_at") ") FROM (SELECT) AS one LEFT JOIN "

static const struct sh_pg_statement ask_statement = {
    "gateway_maintenance_show", STATE "maintenance AS m ON m.until > now()"};
static const struct sh_pg_statement enter_statement = {
    "gateway_maintenance_enter",
    "WITH entered AS (INSERT INTO maintenance (until, reason, entered_by) VALUES "
    "(now() + $1::int * interval '1 minute', $2, $3) ON CONFLICT (one) DO UPDATE SET "
    "until = excluded.until, reason = excluded.reason, entered_by = excluded.entered_by, "
    "entered_at = now() RETURNING *) " STATE "entered AS m ON true"};
static const struct sh_pg_statement leave_statement = {
    "gateway_maintenance_leave",
    "WITH left_now AS (DELETE FROM maintenance) " STATE "maintenance AS m ON false"};
/* clang-format on */

const struct schema maintenance_schema = {
    "MaintenanceRequest", "Until when nothing is to be changed.",
    sizeof(struct maintenance_body), fields, SH_COUNT(fields)};

struct wait { /* outlives an exchange whose client leaves */
    struct exchange *x;
    struct sh_bytes row; /* in the exchange's arena; none: out of memory */
};

static void write_answer(struct exchange *x, struct sh_bytes row)
{
    enum maintenance_why why = maintenance_now(x->edge->gateway->maintenance);
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_printf(out, "{\"restoring\":%s,\"by_hand\":",
                     why == MAINTENANCE_RESTORE ? "true" : "false");
    sh_buffer_append(out, row.data, row.len);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

static void on_looked(void *arg, enum sh_err err)
{
    struct wait *wait = arg;
    struct exchange *x = wait->x;

    if (x != NULL) {
        x->abandoned = NULL;
        if (err == SH_OK && wait->row.data != NULL)
            write_answer(x, wait->row);
        else
            exchange_fail_unsure(x);
    }
    sh_free(wait);
}

/* Who entered, or left, is answered when this gateway goes by it. */
static void look(struct wait *wait)
{
    struct exchange *x = wait->x;

    if (maintenance_look(x->edge->gateway->maintenance, x->edge, on_looked, wait) !=
        SH_OK)
        on_looked(wait, SH_UNAVAILABLE);
}

static void on_row(void *arg, const struct sh_pg_reply *reply)
{
    struct wait *wait = arg;
    struct exchange *x = wait->x;

    if (x != NULL && reply->err == SH_OK && x->route->method != ROUTE_GET) {
        wait->row = sh_arena_copy(&x->arena, sh_pg_text(reply->results[0], 0, 0));
        look(wait);
        return;
    }
    sh_free(wait);
    if (x == NULL)
        return;
    x->abandoned = NULL;
    if (reply->err != SH_OK && reply->maybe_done && x->route->method != ROUTE_GET)
        exchange_fail_unsure(x);
    else if (reply->err == SH_OK)
        write_answer(x, sh_pg_text(reply->results[0], 0, 0));
    else
        exchange_fail_err(x, reply->err == SH_TIMEOUT ? SH_TIMEOUT : SH_UNAVAILABLE,
                          "the database does not answer");
}

static void on_left(struct exchange *x)
{
    ((struct wait *)x->state)->x = NULL;
}

static void ask(struct exchange *x, const struct sh_pg_step *step)
{
    struct wait *wait = sh_alloc(sizeof(*wait)); /* all zero */
    const struct sh_pg_call call = {
        .steps = step,
        .count = 1,
        .deadline_ms = sh_now_ms() + x->edge->gateway->config.read_timeout_ms,
        .trace = sh_http_trace(x->request)};
    enum sh_err err = SH_NOMEM;

    if (wait != NULL) {
        wait->x = x;
        err = sh_pg_run(x->edge->pg, &call, on_row, wait);
    }
    if (err == SH_OK) {
        x->state = wait;
        x->abandoned = on_left;
        return;
    }
    sh_free(wait);
    exchange_fail_err(x, err, "the database does not answer");
}

void maintenance_get(struct exchange *x, void *unused)
{
    (void)unused;
    ask(x, &(struct sh_pg_step){.statement = &ask_statement});
}

void maintenance_post(struct exchange *x, void *body_in)
{
    const struct maintenance_body *body = body_in;
    struct sh_bytes by =
        x->caller.username.len > 0 ? x->caller.username : x->caller.user_id;
    char minutes[24];

    (void)snprintf(minutes, sizeof(minutes), "%lld", (long long)body->minutes);
    const struct sh_pg_param params[] = {
        {sh_bytes_of(minutes), false},
        {body->reason.data != NULL ? body->reason : sh_bytes_of(""), false},
        {by.data != NULL ? by : sh_bytes_of(""), false}};
    ask(x, &(struct sh_pg_step){
               .statement = &enter_statement, .params = params, .count = 3});
}

void maintenance_delete(struct exchange *x, void *unused)
{
    (void)unused;
    ask(x, &(struct sh_pg_step){.statement = &leave_statement});
}
