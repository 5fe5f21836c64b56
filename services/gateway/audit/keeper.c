/* Happy path: ask the heads → anchor → (retention: ask the cuts → state them → wait until
 * that is stored → cut chain after chain) → rest an hour. Failure modes: PostgreSQL is
 * away: asked again every few seconds; a cut that fails is left for the next round. */
#include "services/gateway/audit/keeper.h"

#include <stdlib.h>

#include "services/gateway/audit/store.h"
#include "services/gateway/json_out.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

enum {
    AGAIN_MS = 2000,
    REST_MS = 3600 * 1000,
    CALL_MS = 60000,
    CUTS_A_RECORD = 50,
    CUTS_MAX = 10000,
};

enum state { ANCHOR, FIND_CUTS, STATED, CUT };

struct cut {
    char chain[AUDIT_CHAIN + 1];
    char seq[24];
};

struct keeper {
    struct keeper_options options;
    uv_timer_t timer;
    enum state state;
    struct cut *cuts; /* to be made */
    size_t count, next;
    bool asked;
    bool closed;
};

static void on_timer_closed(uv_handle_t *handle)
{
    struct keeper *keeper = handle->data;
    sh_free(keeper->cuts);
    sh_free(keeper);
}

static void end(struct keeper *keeper)
{
    uv_close((uv_handle_t *)&keeper->timer, on_timer_closed);
}

static void step(struct keeper *keeper);

static void on_timer(uv_timer_t *timer)
{
    step(timer->data);
}

static void wait_for(struct keeper *keeper, uint64_t ms)
{
    (void)uv_timer_start(&keeper->timer, on_timer, ms, 0); /* the callback is set */
}

static void rest(struct keeper *keeper)
{
    keeper->state = ANCHOR;
    wait_for(keeper, REST_MS);
}

/* --- what is stated --------------------------------------------------------------- */

static struct sh_bytes cell(const PGresult *result, int row, int column)
{
    return sh_pg_text(result, row, column);
}

/* [["chain",seq,"hash"],…] of the rows from `first` on, at most `max` of them. */
static void state_rows(struct keeper *keeper, const char *action, const char *member,
                       const PGresult *rows, int first, int max)
{
    struct sh_buffer detail = {0};

    sh_buffer_printf(&detail, "{\"%s\":[", member);
    for (int i = first; i < PQntuples(rows) && i < first + max; i++) {
        sh_buffer_text(&detail, i > first ? ",[" : "[");
        json_text(&detail, cell(rows, i, 0));
        sh_buffer_printf(&detail, ",%llu,", (unsigned long long)sh_pg_u64(rows, i, 1));
        json_text(&detail, cell(rows, i, 2));
        sh_buffer_text(&detail, "]");
    }
    sh_buffer_text(&detail, "]}");
    if (detail.err == SH_OK)
        keeper->options.add(keeper->options.arg,
                            &(struct audit_record){.action = sh_bytes_of(action),
                                                   .outcome = sh_bytes_of("ok"),
                                                   .results_returned = -1,
                                                   .detail = sh_buffer_bytes(&detail)});
    sh_buffer_free(&detail);
}

static void copy(char *out, size_t size, struct sh_bytes text)
{
    size_t len = text.len < size ? text.len : size - 1;
    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = '\0';
}

static void take_cuts(struct keeper *keeper, const PGresult *rows)
{
    int count = PQntuples(rows) < CUTS_MAX ? PQntuples(rows) : CUTS_MAX;

    sh_free(keeper->cuts);
    keeper->next = keeper->count = 0;
    keeper->cuts = sh_alloc_array(count > 0 ? (size_t)count : 1, sizeof *keeper->cuts);
    if (count == 0 || keeper->cuts == NULL) {
        rest(keeper);
        return;
    }
    for (int i = 0; i < count; i++) {
        struct cut *cut = &keeper->cuts[keeper->count++];
        copy(cut->chain, sizeof cut->chain, cell(rows, i, 0));
        copy(cut->seq, sizeof cut->seq, cell(rows, i, 1));
    }
    for (int i = 0; i < count; i += CUTS_A_RECORD)
        state_rows(keeper, "audit.retention", "cuts", rows, i, CUTS_A_RECORD);
    keeper->state = STATED;
}

/* --- steps ------------------------------------------------------------------------ */

static void on_cut(struct keeper *keeper, const PGresult *rows)
{
    if (sh_pg_u64(rows, 0, 0) == 0)
        keeper->next++;
    if (keeper->next < keeper->count) {
        step(keeper);
        return;
    }
    sh_info(NULL, "audit retention: %zu chains are cut", keeper->count);
    rest(keeper);
}

static void on_answer(void *arg, const struct sh_pg_reply *reply)
{
    struct keeper *keeper = arg;
    const PGresult *rows = reply->err == SH_OK ? reply->results[0] : NULL;

    keeper->asked = false;
    if (keeper->closed) {
        end(keeper);
    } else if (rows == NULL) {
        keeper->state = ANCHOR;
        wait_for(keeper, AGAIN_MS);
    } else if (keeper->state == ANCHOR) {
        state_rows(keeper, "audit.anchor", "heads", rows, 0, INT32_MAX / 2);
        keeper->state = FIND_CUTS;
        step(keeper);
    } else if (keeper->state == FIND_CUTS) {
        take_cuts(keeper, rows);
    } else {
        on_cut(keeper, rows);
    }
}

static void ask(struct keeper *keeper, const struct sh_pg_statement *statement,
                const char *const *texts, unsigned count)
{
    struct sh_pg_param params[2];
    for (unsigned i = 0; i < count; i++)
        params[i] = (struct sh_pg_param){sh_bytes_of(texts[i]), false};
    const struct sh_pg_step pg_step = {
        .statement = statement, .params = params, .count = count};
    const struct sh_pg_call call = {
        .steps = &pg_step, .count = 1, .deadline_ms = sh_now_ms() + CALL_MS};

    keeper->asked = sh_pg_run(keeper->options.pg, &call, on_answer, keeper) == SH_OK;
    if (!keeper->asked)
        wait_for(keeper, AGAIN_MS);
}

static void step(struct keeper *keeper)
{
    char days[16];
    const char *texts[2] = {keeper->options.chain, ""};

    switch (keeper->state) {
    case ANCHOR:
        ask(keeper, &audit_recent_heads, texts, 1);
        return;
    case FIND_CUTS:
        (void)snprintf(days, sizeof days, "%u", keeper->options.days);
        texts[0] = days;
        if (keeper->options.days > 0)
            ask(keeper, &audit_find_cuts, texts, 1);
        else
            rest(keeper);
        return;
    case STATED: /* keeper_stored() goes on from here */
        return;
    case CUT:
    default:
        texts[0] = keeper->cuts[keeper->next].chain;
        texts[1] = keeper->cuts[keeper->next].seq;
        ask(keeper, &audit_cut_chain, texts, 2);
    }
}

void keeper_stored(struct keeper *keeper)
{
    if (keeper->state != STATED || !keeper->options.stored(keeper->options.arg))
        return;
    keeper->state = CUT;
    step(keeper);
}

enum sh_err keeper_open(uv_loop_t *loop, const struct keeper_options *options,
                        struct keeper **out)
{
    struct keeper *keeper = sh_alloc(sizeof *keeper);

    if (keeper == NULL)
        return SH_NOMEM;
    keeper->options = *options;
    if (uv_timer_init(loop, &keeper->timer) != 0) {
        sh_free(keeper);
        return SH_IO;
    }
    keeper->timer.data = keeper;
    *out = keeper;
    step(keeper);
    return SH_OK;
}

void keeper_close(struct keeper **keeper)
{
    struct keeper *self = *keeper;

    if (self == NULL)
        return;
    *keeper = NULL;
    self->closed = true;
    if (!self->asked)
        end(self);
}
