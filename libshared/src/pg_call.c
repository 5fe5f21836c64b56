#include "pg_call.h"

#include <limits.h>
#include <stdio.h>

#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"
#include "shared/spans.h"

static struct sh_family queries = {.kind = SH_COUNTER,
                                   .name = "cairn_pg_queries_total",
                                   .help = "Statements run, by outcome",
                                   .labels = {"statement", "status"}};
static struct sh_family duration = {.kind = SH_HISTOGRAM,
                                    .name = "cairn_pg_query_duration_seconds",
                                    .help = "From a call's acceptance to its outcome"};

/* --- queue ------------------------------------------------------------------------ */

void pg_queue_push(struct pg_queue *queue, struct pg_call *call)
{
    call->next = NULL;
    *(queue->first ? queue->end : &queue->first) = call;
    queue->end = &call->next;
    queue->count++;
}

void pg_queue_push_front(struct pg_queue *queue, struct pg_call *call)
{
    if (!queue->first)
        queue->end = &call->next;
    call->next = queue->first;
    queue->first = call;
    queue->count++;
}

struct pg_call *pg_queue_pop(struct pg_queue *queue)
{
    struct pg_call *call = queue->first;

    if (call) {
        queue->first = call->next;
        queue->count--;
        call->next = NULL;
    }
    return call;
}

void pg_queue_sift(struct pg_queue *queue,
                   bool (*unwanted)(void *arg, struct pg_call *call), void *arg,
                   struct pg_queue *out)
{
    struct pg_queue kept = {0};
    struct pg_call *call;

    while ((call = pg_queue_pop(queue)))
        pg_queue_push(unwanted(arg, call) ? out : &kept, call);
    *queue = kept;
}

/* --- copy ------------------------------------------------------------------------- */

/* Room in the call's block, by kind so that each is aligned. */
struct sizes {
    size_t params;
    size_t bytes;
};

static enum sh_err measure(const struct sh_pg_call *from, struct sizes *sizes)
{
    if (from->count == 0)
        return SH_INVALID;
    for (size_t i = 0; i < from->count; i++) {
        const struct sh_pg_step *step = &from->steps[i];
        if (!step->statement || step->count > SH_PG_PARAMS_MAX)
            return SH_INVALID;
        for (unsigned p = 0; p < step->count; p++) {
            const struct sh_pg_param *param = &step->params[p];
            const struct sh_bytes *value = &param->value;
            if (value->data && !param->binary && memchr(value->data, 0, value->len))
                return SH_INVALID;
            if (value->len >= INT_MAX ||
                __builtin_add_overflow(sizes->bytes, value->len + 1, &sizes->bytes))
                return SH_NOMEM;
        }
        sizes->params += step->count;
    }
    return SH_OK;
}

struct cursors {
    const char **values;
    int *numbers;
    char *bytes;
};

static void copy_param(const struct sh_pg_param *param, struct cursors *to)
{
    if (!param->value.data) {
        *to->values++ = NULL;
        return;
    }
    *to->values++ = to->bytes;
    memcpy(to->bytes, param->value.data, param->value.len);
    to->bytes += param->value.len;
    *to->bytes++ = '\0';
}

static void copy_step(const struct sh_pg_step *from, struct pg_step *step,
                      struct cursors *to)
{
    int *lengths = to->numbers;
    int *formats = to->numbers + from->count;

    step->statement = from->statement;
    step->values = to->values;
    step->lengths = lengths;
    step->formats = formats;
    step->count = (int)from->count;
    step->result_format = from->binary_result;
    for (unsigned p = 0; p < from->count; p++) {
        lengths[p] = (int)from->params[p].value.len;
        formats[p] = from->params[p].binary;
        copy_param(&from->params[p], to);
    }
    to->numbers += 2 * (size_t)from->count;
}

enum sh_err pg_call_copy(const struct sh_pg_call *from, sh_pg_done_fn *done, void *arg,
                         struct pg_call **out)
{
    struct sizes sizes = {0};
    struct cursors to;
    struct pg_call *call;
    size_t fixed;
    enum sh_err err = measure(from, &sizes);

    if (err != SH_OK)
        return err;
    fixed = sizeof(*call) + from->count * (sizeof(*call->steps) + sizeof(PGresult *)) +
            sizes.params * (sizeof(char *) + 2 * sizeof(int));
    if (__builtin_add_overflow(fixed, sizes.bytes, &fixed))
        return SH_NOMEM;
    call = sh_alloc(fixed);
    if (!call)
        return SH_NOMEM;
    call->steps = (struct pg_step *)(call + 1);
    call->results = (PGresult **)(call->steps + from->count);
    to.values = (void *)(call->results + from->count);
    to.numbers = (int *)(to.values + sizes.params);
    to.bytes = (char *)(to.numbers + 2 * sizes.params);
    for (size_t i = 0; i < from->count; i++)
        copy_step(&from->steps[i], &call->steps[i], &to);
    call->count = call->failed_step = from->count;
    call->done = done;
    call->arg = arg;
    call->read_only = from->read_only;
    call->deadline_ms = from->deadline_ms;
    call->queued_ms = sh_now_ms();
    call->started_us = sh_now_us();
    call->traced = from->trace != NULL;
    if (from->trace)
        call->trace = *from->trace;
    *out = call;
    return SH_OK;
}

/* --- outcome ---------------------------------------------------------------------- */

enum sh_err pg_err_from_sqlstate(const char *sqlstate)
{
    /* Whole codes before the classes that they belong to. */
    static const struct {
        const char *prefix;
        enum sh_err err;
    } table[] = {
        {"22", SH_INVALID},        /* data exception */
        {"23502", SH_INVALID},     /* not null */
        {"23514", SH_INVALID},     /* check */
        {"23", SH_CONFLICT},       /* unique, foreign key, exclusion */
        {"25006", SH_UNAVAILABLE}, /* read-only: the primary became a replica */
        {"25P0", SH_UNAVAILABLE},  /* idle in transaction for too long */
        {"40", SH_CONFLICT},       /* serialisation, deadlock */
        {"54", SH_INVALID},        /* over a limit of the server's */
        {"55P03", SH_CONFLICT},    /* lock not available */
        {"57014", SH_TIMEOUT},     /* statement_timeout */
        {"57P", SH_UNAVAILABLE},   /* shutting down, starting up */
        {"53", SH_UNAVAILABLE},    /* disk full, out of memory, too many connections */
        {"08", SH_UNAVAILABLE},    /* connection */
        {"CJ001", SH_CANCELED},    /* job_hold(): the lease was lost */
    };

    for (size_t i = 0; i < SH_COUNT(table); i++) {
        if (strncmp(sqlstate, table[i].prefix, strlen(table[i].prefix)) == 0)
            return table[i].err;
    }
    return SH_INTERNAL;
}

static void clear_results(struct pg_call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        PQclear(call->results[i]);
        call->results[i] = NULL;
    }
}

void pg_call_reset(struct pg_call *call)
{
    clear_results(call);
    call->err = SH_OK;
    call->maybe_done = false;
    call->failed_step = call->count;
    call->sqlstate[0] = call->message[0] = '\0';
    call->queued_ms = sh_now_ms();
}

void pg_call_fail(struct pg_call *call, enum sh_err err, const char *message)
{
    call->err = err;
    call->sqlstate[0] = '\0';
    (void)snprintf(call->message, sizeof(call->message), "%s", message);
}

/* Steps after the one that failed were not run and are not counted. */
static void measure_outcome(const struct pg_call *call)
{
    const char *status = call->err == SH_OK ? "ok" : sh_err_code(call->err);
    size_t last = call->failed_step < call->count ? call->failed_step : 0;
    double seconds = (double)(sh_now_us() - call->started_us) / 1e6;

    if (call->err == SH_OK) {
        for (size_t i = 0; i < call->count; i++)
            sh_count(&queries, call->steps[i].statement->name, status);
    } else {
        sh_count(&queries, call->steps[last].statement->name, status);
    }
    sh_series_observe(sh_series(&duration, NULL), seconds);
}

/* By the first statement of several. */
static void end_span(const struct pg_call *call)
{
    if (!call->traced)
        return;
    struct sh_trace own = sh_trace_child(&call->trace);
    sh_span_ended(&own, &(struct sh_span){.kind = SH_SPAN_CLIENT,
                                          .name = call->steps[0].statement->name,
                                          .took_us = sh_now_us() - call->started_us,
                                          .failed = call->err != SH_OK,
                                          .notes = {{"db.system.name", "postgresql", 0},
                                                    {"db.operation.batch.size", NULL,
                                                     (int64_t)call->count}}});
}

static void log_outcome(const struct pg_call *call)
{
    const struct sh_trace *trace = call->traced ? &call->trace : NULL;
    const char *name = call->steps[call->failed_step % call->count].statement->name;

    if (call->err == SH_INTERNAL)
        sh_error(trace, "statement %s: %s (SQLSTATE %s)", name, call->message,
                 call->sqlstate);
    else if (call->err != SH_OK && call->err != SH_CANCELED)
        sh_debug(trace, "statement %s: %s (SQLSTATE %s)", name, call->message,
                 call->sqlstate);
}

void pg_call_finish(struct pg_call *call)
{
    struct sh_pg_reply reply = {
        .err = call->err,
        .maybe_done = call->err != SH_OK && call->maybe_done,
        .count = call->err == SH_OK ? call->count : 0,
        .results = call->results,
        .sqlstate = call->sqlstate,
        .message = call->message,
    };

    measure_outcome(call);
    end_span(call);
    log_outcome(call);
    if (call->done)
        call->done(call->arg, &reply);
    clear_results(call);
    sh_free(call);
}
