/* Asking the queue: one transaction each, which also looks at the job, so that what was
 * not to be can be told apart. */
#include "jobs_internal.h"
#include "shared/clock.h"
#include "shared/pg_array.h"

struct asking {
    sh_job_reply_fn *done;
    void *arg;
    /* From the result of the statement that did it (0: nothing was to be done), or of
     * another, and of the look at the job. */
    size_t did[2];
    size_t looked; /* no such step: 0 */
    bool keyed;    /* an add with a write key */
    bool append;
    bool seal;
    uint64_t wanted_total;
};

enum { LOOK_ID, LOOK_STATE, LOOK_TOTAL, LOOK_SEALED, APPEND_ROOM = LOOK_SEALED };

static void read_row(const PGresult *result, struct sh_job_reply *out)
{
    out->id = PQgetvalue(result, 0, LOOK_ID);
    out->state = PQgetvalue(result, 0, LOOK_STATE);
    out->total = sh_pg_u64(result, 0, LOOK_TOTAL);
}

/* The statements that were to do it did nothing. */
static enum sh_err why_not(const struct asking *asking, const PGresult *look,
                           struct sh_job_reply *out)
{
    read_row(look, out);
    if (asking->seal && sh_pg_u64(look, 0, LOOK_SEALED) == 1 &&
        out->total == asking->wanted_total)
        return SH_OK; /* it was before */
    out->message = "the state of the job does not allow it";
    return SH_CONFLICT;
}

static enum sh_err appended(const struct asking *asking, const PGresult *result,
                            struct sh_job_reply *out)
{
    bool room = sh_pg_u64(result, 0, APPEND_ROOM) == 1;

    if (out->total >= asking->wanted_total)
        return SH_OK;
    out->full = !room;
    out->message = room ? "other items were added meanwhile" : "too much waits";
    return room ? SH_CONFLICT : SH_OK;
}

/* With a write key: under the lock, what came before with it, then what was made. */
enum { KEYED_BEFORE = 1, KEYED_MADE };

static enum sh_err judge_keyed(const struct sh_pg_reply *reply, struct sh_job_reply *out)
{
    const PGresult *before = reply->results[KEYED_BEFORE];
    const PGresult *made = reply->results[KEYED_MADE];

    if (PQntuples(before) > 0) {
        read_row(before, out);
        out->key_reused = sh_pg_u64(before, 0, LOOK_SEALED) == 0; /* it is not the same */
        out->message = "the write key was used for another order";
        return out->key_reused ? SH_CONFLICT : SH_OK;
    }
    if (PQntuples(made) == 0) {
        out->message = "there are as many as may be";
        return SH_BUSY;
    }
    read_row(made, out);
    return SH_OK;
}

static enum sh_err judge(const struct asking *asking, const struct sh_pg_reply *reply,
                         struct sh_job_reply *out)
{
    for (size_t i = 0; i < SH_COUNT(asking->did); i++) {
        const PGresult *did = reply->results[asking->did[i]];
        if (PQntuples(did) == 0 || PQnfields(did) < LOOK_TOTAL)
            continue;
        read_row(did, out);
        return asking->append ? appended(asking, did, out) : SH_OK;
    }
    if (asking->looked == 0) {
        out->message = "there are as many as may be";
        return SH_BUSY;
    }
    if (PQntuples(reply->results[asking->looked]) == 0) {
        out->message = "there is no such job";
        return SH_NOTFOUND;
    }
    return why_not(asking, reply->results[asking->looked], out);
}

static void on_reply(void *arg, const struct sh_pg_reply *reply)
{
    struct asking *asking = arg;
    struct sh_job_reply out = {.err = reply->err,
                               .maybe_done = reply->maybe_done,
                               .id = "",
                               .state = "",
                               .message = reply->message};

    if (reply->err == SH_OK && asking->keyed)
        out.err = judge_keyed(reply, &out);
    else if (reply->err == SH_OK)
        out.err = judge(asking, reply, &out);
    else if (asking->looked != 0 && strcmp(reply->sqlstate, "22P02") == 0)
        out.err = SH_NOTFOUND; /* the id is none */
    if (out.err != SH_OK)
        out.id = "";
    asking->done(asking->arg, &out);
    sh_free(asking);
}

static enum sh_err ask(struct sh_pg *pg, const struct sh_pg_step *steps, size_t count,
                       const struct asking *from)
{
    struct sh_pg_call call = {
        .steps = steps, .count = count, .deadline_ms = sh_now_ms() + JOBS_STORE_MS};
    struct asking *asking = sh_alloc(sizeof(*asking));
    enum sh_err err = SH_NOMEM;

    if (asking != NULL) {
        *asking = *from;
        err = sh_pg_run(pg, &call, on_reply, asking);
    }
    if (err != SH_OK)
        sh_free(asking);
    return err;
}

static struct sh_pg_param text_or_null(struct sh_bytes text)
{
    return (struct sh_pg_param){text.len > 0 ? text : (struct sh_bytes){NULL, 0}, false};
}

enum sh_err sh_job_add(struct sh_pg *pg, const struct sh_job_new *order,
                       sh_job_reply_fn *done, void *arg)
{
    char most[24];
    struct sh_bytes none = sh_bytes_of("");
    struct sh_pg_param params[] = {
        {sh_bytes_of(order->kind), false},
        {sh_bytes_of(order->style == SH_JOB_STEPS ? "steps" : "items"), false},
        text_or_null(order->params),
        text_or_null(order->key),
        {order->caller.len > 0 ? order->caller : none, true},
        {order->created_by.len > 0 ? order->created_by : none, false},
        jobs_number(order->most_by_user, most),
        text_or_null(order->file_name),
        {{(const char *)order->write_key, SH_JOB_WRITE_KEY}, true}};
    struct sh_pg_param known[] = {params[8], params[0], params[2]};
    struct sh_pg_step step = {&jobs_add, params, 8, false};
    struct sh_pg_step keyed[] = {{&jobs_key_lock, known, 1, false},
                                 {&jobs_keyed, known, SH_COUNT(known), false},
                                 {&jobs_add_keyed, params, SH_COUNT(params), false}};
    struct asking asking = {.done = done, .arg = arg, .keyed = order->write_key != NULL};

    return asking.keyed ? ask(pg, keyed, SH_COUNT(keyed), &asking)
                        : ask(pg, &step, 1, &asking);
}

/* --- append ----------------------------------------------------------------------- */

struct columns {
    struct sh_buffer labels;
    struct sh_buffer payloads;
    struct sh_buffer codes;
    struct sh_buffer messages;
    struct sh_buffer turns;
};

static void put_text(struct sh_buffer *column, const char *text)
{
    if (text != NULL)
        sh_pg_array_bytes(column, sh_bytes_of(text));
    else
        sh_pg_array_null(column);
}

/* As a bigint: of the 64 bits one is its sign. */
static void put_turn(struct sh_buffer *column, uint64_t turn)
{
    char text[24] = "";

    if (turn != 0)
        (void)snprintf(text, sizeof(text), "%lld", (long long)(turn >> 1));
    sh_pg_array_bytes(column, sh_bytes_of(text));
}

static enum sh_err collect(const struct sh_job_input *items, size_t count,
                           struct columns *out)
{
    sh_pg_array_begin(&out->labels, SH_PG_ARRAY_TEXT, count);
    sh_pg_array_begin(&out->payloads, SH_PG_ARRAY_BYTEA, count);
    sh_pg_array_begin(&out->codes, SH_PG_ARRAY_TEXT, count);
    sh_pg_array_begin(&out->messages, SH_PG_ARRAY_TEXT, count);
    sh_pg_array_begin(&out->turns, SH_PG_ARRAY_TEXT, count);
    for (size_t i = 0; i < count; i++) {
        sh_pg_array_bytes(&out->labels, items[i].label);
        sh_pg_array_bytes(&out->payloads, items[i].payload);
        put_text(&out->codes, items[i].code);
        put_text(&out->messages, items[i].code != NULL ? items[i].message : NULL);
        put_turn(&out->turns, items[i].turn);
    }
    if (out->labels.err != SH_OK || out->payloads.err != SH_OK)
        return out->labels.err != SH_OK ? out->labels.err : out->payloads.err;
    if (out->turns.err != SH_OK)
        return out->turns.err;
    return out->codes.err != SH_OK ? out->codes.err : out->messages.err;
}

enum sh_err sh_job_append(struct sh_pg *pg, const char *id,
                          const struct sh_job_inputs *inputs, sh_job_reply_fn *done,
                          void *arg)
{
    struct columns columns = {0};
    char texts[2][24];
    enum sh_err err = inputs->count <= SH_JOB_ITEMS_MAX
                          ? collect(inputs->items, inputs->count, &columns)
                          : SH_INVALID;
    struct sh_pg_param params[] = {{sh_bytes_of(id), false},
                                   jobs_number(inputs->first, texts[0]),
                                   sh_pg_array_param(&columns.labels),
                                   sh_pg_array_param(&columns.payloads),
                                   sh_pg_array_param(&columns.codes),
                                   sh_pg_array_param(&columns.messages),
                                   jobs_number(inputs->backlog_bytes, texts[1]),
                                   sh_pg_array_param(&columns.turns)};
    struct sh_pg_step steps[] = {{&jobs_lock, params, 1, false},
                                 {&jobs_append, params, SH_COUNT(params), false},
                                 {&jobs_look, params, 1, false}};
    struct asking asking = {.done = done,
                            .arg = arg,
                            .did = {1, 1},
                            .looked = 2,
                            .append = true,
                            .wanted_total = inputs->first + inputs->count};

    if (err == SH_OK)
        err = ask(pg, steps, SH_COUNT(steps), &asking);
    sh_buffer_free(&columns.labels);
    sh_buffer_free(&columns.payloads);
    sh_buffer_free(&columns.codes);
    sh_buffer_free(&columns.messages);
    sh_buffer_free(&columns.turns);
    return err;
}

/* --- the others ------------------------------------------------------------------- */

enum sh_err sh_job_seal(struct sh_pg *pg, const char *id, uint64_t total,
                        sh_job_reply_fn *done, void *arg)
{
    char text[24];
    struct sh_pg_param params[] = {{sh_bytes_of(id), false}, jobs_number(total, text)};
    struct sh_pg_step steps[] = {{&jobs_seal, params, 2, false},
                                 {&jobs_look, params, 1, false}};
    struct asking asking = {
        .done = done, .arg = arg, .looked = 1, .seal = true, .wanted_total = total};

    return ask(pg, steps, SH_COUNT(steps), &asking);
}

enum sh_err sh_job_cancel(struct sh_pg *pg, const char *id, sh_job_reply_fn *done,
                          void *arg)
{
    struct sh_pg_param params[] = {{sh_bytes_of(id), false}};
    struct sh_pg_step steps[] = {{&jobs_cancel, params, 1, false},
                                 {&jobs_look, params, 1, false}};
    struct asking asking = {.done = done, .arg = arg, .looked = 1};

    return ask(pg, steps, SH_COUNT(steps), &asking);
}

enum sh_err sh_job_retry(struct sh_pg *pg, const char *id, sh_job_reply_fn *done,
                         void *arg)
{
    struct sh_pg_param params[] = {{sh_bytes_of(id), false}};
    struct sh_pg_step steps[] = {{&jobs_retry_items, params, 1, false},
                                 {&jobs_retry_run, params, 1, false},
                                 {&jobs_look, params, 1, false}};
    struct asking asking = {.done = done, .arg = arg, .did = {0, 1}, .looked = 2};

    return ask(pg, steps, SH_COUNT(steps), &asking);
}
