/* The audit log, newest first, a page at a time. The cursor names the last record of the
 * page before, so that pages neither skip nor repeat what is added meanwhile. */
#include <errno.h>
#include <stdlib.h>

#include "services/gateway/audit/kinds.h"
#include "services/gateway/audit/outcome.h"
#include "services/gateway/audit/store.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"
#include "shared/clock.h"
#include "shared/date.h"

enum { LIMIT = 50, LIMIT_MAX = 500, TEXT_MAX = 128, CURSOR_MAX = 48 };
enum {
    P_USER,
    P_ACTION,
    P_OUTCOME,
    P_SINCE,
    P_UNTIL,
    P_BEFORE,
    P_BEFORE_ID,
    P_LIMIT,
    P_AMONG,
    P_NAMES,
    P_BESIDES,
    PARAMS
};

#define FOREVER_US INT64_C(253402300800000000) /* the year 10000 */

struct ask { /* outlives an exchange whose client leaves */
    struct exchange *x;
    uint32_t limit;
};

/* --- the answer ------------------------------------------------------------------- */

static void write_page(struct exchange *x, const PGresult *rows, uint32_t limit)
{
    const struct gateway *gateway = x->edge->gateway;
    struct sh_buffer *out = exchange_out(x);
    int count = PQntuples(rows);
    bool more = count > (int)limit;

    count = more ? (int)limit : count;
    sh_buffer_text(out, "{\"records\":[");
    for (int i = 0; i < count; i++) {
        struct sh_bytes row = sh_pg_text(rows, i, 2);
        sh_buffer_append(out, ",", i > 0);
        sh_buffer_append(out, row.data, row.len);
    }
    sh_buffer_text(out, "],\"next_cursor\":");
    if (more)
        sh_buffer_printf(out, "\"%s-%s\"", PQgetvalue(rows, count - 1, 1),
                         PQgetvalue(rows, count - 1, 0));
    else
        sh_buffer_text(out, "null");
    sh_buffer_text(out, ",\"actions\":");
    audit_actions_json(gateway->routes, gateway->route_count, out);
    sh_buffer_text(out, "}");
}

static void on_page(void *arg, const struct sh_pg_reply *reply)
{
    struct ask *ask = arg;
    struct exchange *x = ask->x;

    if (x != NULL) {
        x->abandoned = NULL;
        if (reply->err == SH_OK) {
            x->audit.results = (uint32_t)PQntuples(reply->results[0]);
            x->audit.counted = true;
            write_page(x, reply->results[0], ask->limit);
            exchange_answer(x, 200);
        } else {
            exchange_fail_err(x, reply->err == SH_TIMEOUT ? SH_TIMEOUT : SH_UNAVAILABLE,
                              "the audit log cannot be read at the moment");
        }
    }
    sh_free(ask);
}

static void on_left(struct exchange *x)
{
    ((struct ask *)x->state)->x = NULL;
}

/* --- the question ----------------------------------------------------------------- */

/* RFC 3339, a day, or seconds since 1970. */
static bool parse_time(const char *text, int64_t *at_us)
{
    double at = 0;
    char *end = NULL;
    long long seconds = strtoll(text, &end, 10);

    if (*end == '\0' && end != text && seconds >= 0 && seconds < FOREVER_US / 1000000) {
        *at_us = seconds * 1000000;
        return true;
    }
    if (!sh_date_parse(sh_bytes_of(text), &at) || at < 0)
        return false;
    *at_us = (int64_t)(at * 1e6 + 0.5);
    return true;
}

/* False: answered. `value` stays when the parameter is absent. */
static bool read_time(struct exchange *x, const char *name, int64_t *value)
{
    struct sh_bytes text;

    if (!exchange_query_text(x, name, TEXT_MAX, &text))
        return false;
    if (text.len == 0 || parse_time(text.data, value))
        return true;
    exchange_invalid(x, name,
                     "%s must be a time as 2026-01-31T12:00:00Z, a day that there is, or "
                     "seconds since "
                     "1970",
                     name);
    return false;
}

/* Digits only, up to `end`. */
static bool parse_number(const char *text, char end, int64_t *value, const char **rest)
{
    char *stop = NULL;

    errno = 0;
    long long number = text[0] >= '0' && text[0] <= '9' ? strtoll(text, &stop, 10) : 0;
    if (stop == NULL || *stop != end || errno != 0 || number > FOREVER_US)
        return false;
    *value = number;
    *rest = stop + 1;
    return true;
}

/* False: answered. */
static bool read_cursor(struct exchange *x, int64_t *at_us, int64_t *id)
{
    struct sh_bytes text;
    const char *rest;

    if (!exchange_query_text(x, "cursor", CURSOR_MAX, &text))
        return false;
    if (text.len == 0 || (parse_number(text.data, '-', at_us, &rest) &&
                          parse_number(rest, '\0', id, &rest)))
        return true;
    exchange_invalid(x, "cursor", "cursor must be the next_cursor of another page");
    return false;
}

/* False: answered. */
static bool read_kinds(struct exchange *x, unsigned *kinds)
{
    struct sh_bytes text;

    if (!exchange_query_text(x, "kind", TEXT_MAX, &text))
        return false;
    if (text.len == 0 || audit_kinds_parse(text, kinds))
        return true;
    exchange_invalid(x, "kind",
                     "kind must be change, login, search, read or denied, or several of "
                     "them by commas");
    return false;
}

struct question {
    struct sh_bytes user, action, outcome;
    int64_t since, until, before, before_id;
    uint32_t limit;
    unsigned kinds; /* 0: any */
};

static bool read_outcome(struct exchange *x, struct sh_bytes *outcome)
{
    if (!exchange_query_text(x, "outcome", TEXT_MAX, outcome))
        return false;
    if (outcome->len == 0 || audit_is_outcome(*outcome))
        return true;
    exchange_invalid(x, "outcome",
                     "outcome must be ok, denied, invalid, failed or abandoned");
    return false;
}

static bool read_question(struct exchange *x, struct question *q)
{
    *q = (struct question){.until = FOREVER_US,
                           .before = FOREVER_US,
                           .before_id = INT64_MAX,
                           .limit = LIMIT};
    return exchange_query_text(x, "user", TEXT_MAX, &q->user) &&
           exchange_query_text(x, "action", TEXT_MAX, &q->action) &&
           read_outcome(x, &q->outcome) && read_kinds(x, &q->kinds) &&
           read_time(x, "since", &q->since) && read_time(x, "until", &q->until) &&
           exchange_query_u32(x, "limit", 1, LIMIT_MAX, &q->limit) &&
           read_cursor(x, &q->before, &q->before_id);
}

static void number_param(struct sh_pg_param *param, char text[static 24], int64_t value)
{
    (void)snprintf(text, 24, "%lld", (long long)value);
    *param = (struct sh_pg_param){sh_bytes_of(text), false};
}

/* The buffer of `choice` is the caller's to free, after the parameters were used. */
static void kind_params(const struct exchange *x, unsigned kinds,
                        struct audit_choice *choice, struct sh_pg_param params[PARAMS])
{
    const struct gateway *gateway = x->edge->gateway;

    audit_choose(gateway->routes, gateway->route_count, kinds, choice);
    params[P_AMONG].value = sh_bytes_of(kinds == 0 ? "" : choice->without ? "out" : "in");
    params[P_NAMES].value = sh_buffer_bytes(&choice->names);
    params[P_BESIDES].value = sh_bytes_of((kinds & AUDIT_DENIED) != 0 ? "denied" : "");
}

static enum sh_err send_question(struct exchange *x, const struct question *q,
                                 struct ask *ask)
{
    char numbers[PARAMS][24];
    struct audit_choice choice;
    struct sh_pg_param params[PARAMS] = {[P_USER] = {q->user, false},
                                         [P_ACTION] = {q->action, false},
                                         [P_OUTCOME] = {q->outcome, false}};
    const struct sh_pg_step step = {
        .statement = &audit_page, .params = params, .count = PARAMS};
    const struct sh_pg_call call = {
        .steps = &step,
        .count = 1,
        .deadline_ms = sh_now_ms() + x->edge->gateway->config.read_timeout_ms,
        .trace = sh_http_trace(x->request)};

    kind_params(x, q->kinds, &choice, params);
    number_param(&params[P_SINCE], numbers[P_SINCE], q->since);
    number_param(&params[P_UNTIL], numbers[P_UNTIL], q->until);
    number_param(&params[P_BEFORE], numbers[P_BEFORE], q->before);
    number_param(&params[P_BEFORE_ID], numbers[P_BEFORE_ID], q->before_id);
    number_param(&params[P_LIMIT], numbers[P_LIMIT], (int64_t)q->limit + 1);
    for (int i = 0; i <= P_OUTCOME; i++)
        if (params[i].value.data == NULL) /* "", not NULL */
            params[i].value.data = "";
    enum sh_err err = choice.names.err;
    if (err == SH_OK)
        err = sh_pg_run(x->edge->pg, &call, on_page, ask);
    sh_buffer_free(&choice.names);
    return err;
}

void audit_list(struct exchange *x, void *unused)
{
    (void)unused;
    struct question question;

    if (!read_question(x, &question))
        return;
    struct ask *ask = sh_alloc(sizeof *ask);
    enum sh_err err = SH_NOMEM;
    if (ask != NULL) {
        *ask = (struct ask){x, question.limit};
        err = send_question(x, &question, ask);
    }
    if (err == SH_OK) {
        x->state = ask;
        x->abandoned = on_left;
        return;
    }
    sh_free(ask);
    exchange_fail_err(x, err, "the audit log cannot be read at the moment");
}
