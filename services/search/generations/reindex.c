#include "services/search/generations/reindex.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/generations/generation_sql.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { ASK_MS = 10000, LOOK_MS = 500, MARK_ROWS = 2000, PATIENCE = 120 };

enum phase { OPEN, MARK, COUNT, WAIT, FINISH, ACTIVATE };
static const char *const phase_names[] = {"open", "mark",   "count",
                                          "wait", "finish", "activate"};

struct reindex {
    struct runner runner;
    struct reindex_options options;
    enum phase phase;
    char wish[MODEL_WISH_MAX + 1];          /* the model as it was asked for */
    char wanted[MODEL_FINGERPRINT_MAX + 1]; /* "": any */
    bool activate;
    unsigned refusals; /* of the embedder, while it was asked for the model */
    char fingerprint[MODEL_FINGERPRINT_MAX + 1];
    char after[513];
    uint64_t owed; /* passages noted by this pass over all of them */
    uint64_t total;
    uint64_t waiting;
    uint64_t failed;
    char cursor[1024];
};

static struct reindex *of(struct runner *runner)
{
    return SH_CONTAINER_OF(runner, struct reindex, runner);
}

/* --- parameters and cursor -------------------------------------------------------- */

static void take_text(const json_t *json, const char *name, char *out, size_t room)
{
    const char *text = json_string_value(json_object_get(json, name));

    (void)snprintf(out, room, "%s", text != NULL ? text : "");
}

static json_t *parse(struct sh_bytes text)
{
    return text.len > 0 ? json_loadb(text.data, text.len, 0, NULL) : NULL;
}

static void read_job(struct reindex *self)
{
    json_t *params = parse(sh_job_params(self->runner.run));
    json_t *cursor = parse(sh_job_cursor(self->runner.run));
    char phase[16];

    take_text(params, "model", self->wish, sizeof(self->wish));
    take_text(params, "fingerprint", self->wanted, sizeof(self->wanted));
    if (self->wanted[0] == '\0') /* a model was fitted for this job */
        take_text(cursor, "wanted", self->wanted, sizeof(self->wanted));
    self->activate = json_is_true(json_object_get(params, "activate"));
    take_text(cursor, "phase", phase, sizeof(phase));
    take_text(cursor, "fingerprint", self->fingerprint, sizeof(self->fingerprint));
    take_text(cursor, "after", self->after, sizeof(self->after));
    self->owed = (uint64_t)json_integer_value(json_object_get(cursor, "owed"));
    self->total = (uint64_t)json_integer_value(json_object_get(cursor, "total"));
    for (size_t i = 0; i < SH_COUNT(phase_names); i++)
        if (strcmp(phase, phase_names[i]) == 0 && self->fingerprint[0] != '\0')
            self->phase = (enum phase)i;
    json_decref(params);
    json_decref(cursor);
}

/* Empty when out of memory: the checkpoint is then refused, and tried again. */
static struct sh_bytes write_cursor(struct reindex *self)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:I, s:I}", "phase", phase_names[self->phase],
                  "fingerprint", self->fingerprint, "after", self->after, "owed",
                  (json_int_t)self->owed, "total", (json_int_t)self->total);
    size_t len =
        json ? json_dumpb(json, self->cursor, sizeof(self->cursor), JSON_COMPACT) : 0;

    json_decref(json);
    return (struct sh_bytes){self->cursor, len <= sizeof(self->cursor) ? len : 0};
}

/* Go on with `phase` once that is written down. */
static void save(struct reindex *self, enum phase phase,
                 void (*done)(struct runner *runner, enum sh_err err),
                 const struct sh_pg_step *steps, size_t count)
{
    uint64_t left = self->waiting + self->failed;

    self->phase = phase;
    struct sh_job_checkpoint checkpoint = {
        .cursor = write_cursor(self),
        .done = self->total > left && phase >= WAIT ? self->total - left : 0,
        .failed = self->failed,
        .total = self->total,
        .steps = steps,
        .step_count = count};
    runner_save(&self->runner, &checkpoint, done);
}

static void saved(struct runner *runner, enum sh_err err)
{
    (void)err;
    runner_next(runner);
}

/* --- the model is opened ---------------------------------------------------------- */

static void begin(struct reindex *self, const struct model_card *card,
                  const struct model *model)
{
    char text[MODEL_CARD_MAX];
    char dimension[16];
    char alpha[32];

    (void)snprintf(dimension, sizeof(dimension), "%u", (unsigned)model->dimension);
    (void)snprintf(alpha, sizeof(alpha), "%.17g", model->alpha);
    if (!model_describe(card, text)) {
        runner_fail(&self->runner, "upstream_error", "the model's card is of no use");
        return;
    }
    struct sh_pg_param params[] = {
        {card->fingerprint, false},  {card->name, false},
        {card->provider, false},     {sh_bytes_of(dimension), false},
        {sh_bytes_of(alpha), false}, {sh_bytes_of(text), false},
    };
    struct sh_pg_step step = {&generation_begin, params, 6, false};
    memcpy(self->fingerprint, model->fingerprint, sizeof(self->fingerprint));
    self->after[0] = '\0';
    self->owed = 0;
    save(self, MARK, saved, &step, 1);
}

static void refuse(struct reindex *self, const struct sh_rpc_response *response)
{
    if (response->err == SH_NOTFOUND)
        runner_fail(&self->runner, "model_not_found", "the embedder has no such model");
    else if (response->err == SH_CONFLICT)
        runner_fail(&self->runner, "model_changed",
                    "the model has another fingerprint by now");
    else if (++self->refusals >= PATIENCE)
        runner_fail(&self->runner, "model_unavailable", response->message);
    else
        runner_pause(&self->runner, LOOK_MS);
}

static void on_model(void *arg, const struct sh_rpc_response *response)
{
    struct reindex *self = of(arg);
    struct sh_arena arena = {0};
    struct models_reply reply = {0};
    struct model model;

    if (response->err != SH_OK)
        refuse(self, response);
    else if (msg_decode(models_reply_desc(), response->payload, &arena, &reply) !=
                 SH_OK ||
             reply.models_count == 0 || !model_of_card(&reply.models[0], &model))
        runner_fail(&self->runner, "upstream_error", "the model's card is of no use");
    else if (strcmp(model.fingerprint, self->options.live->fingerprint) == 0)
        runner_fail(&self->runner, "generation_live",
                    "the model's generation is live already");
    else
        begin(self, &reply.models[0], &model);
    sh_arena_free(&arena);
}

static void open_model(struct reindex *self)
{
    struct model_request message = {.model = sh_bytes_of(self->wish),
                                    .fingerprint = sh_bytes_of(self->wanted)};
    struct sh_buffer payload = {0};

    if (msg_encode(model_request_desc(), &message, &payload) == SH_OK) {
        struct sh_rpc_request request = {.method = METHOD_EMBEDDER_MODEL,
                                         .kind = SH_RPC_READ,
                                         .payload = sh_buffer_bytes(&payload),
                                         .deadline_ms = sh_now_ms() + ASK_MS};
        runner_call(&self->runner, self->options.embedder, &request, on_model);
    } else {
        runner_fail(&self->runner, "invalid_request", "the model's name is too long");
    }
    sh_buffer_free(&payload);
}

/* --- passages are noted ----------------------------------------------------------- */

static void on_marked(void *arg, const struct sh_pg_reply *reply)
{
    struct reindex *self = of(arg);
    const PGresult *rows = reply->results[0];
    struct sh_bytes last;

    if (PQntuples(rows) == 0) {
        self->phase = COUNT;
        runner_next(&self->runner);
        return;
    }
    last = sh_pg_text(rows, 0, 0);
    (void)snprintf(self->after, sizeof(self->after), "%.*s", (int)last.len,
                   (const char *)last.data);
    self->owed += sh_pg_u64(rows, 0, 1);
    if (self->owed > 0)
        self->options.pending(self->options.arg);
    save(self, MARK, saved, NULL, 0);
}

static void mark(struct reindex *self)
{
    char limit[12];

    (void)snprintf(limit, sizeof(limit), "%d", MARK_ROWS);
    struct sh_pg_param params[] = {{sh_bytes_of(self->fingerprint), false},
                                   {sh_bytes_of(self->after), false},
                                   {sh_bytes_of(limit), false}};
    struct sh_pg_step step = {&generation_mark, params, 3, false};
    runner_query(&self->runner, &step, on_marked);
}

static void on_counted(void *arg, const struct sh_pg_reply *reply)
{
    struct reindex *self = of(arg);

    self->total = sh_pg_u64(reply->results[0], 0, 0);
    self->waiting = self->total;
    save(self, WAIT, saved, NULL, 0);
}

static void count(struct reindex *self)
{
    struct sh_pg_step step = {&generation_total, NULL, 0, false};

    runner_query(&self->runner, &step, on_counted);
}

/* --- vectors are made by whoever has time ----------------------------------------- */

static void look_later(struct runner *runner, enum sh_err err)
{
    (void)err;
    runner_pause(runner, LOOK_MS);
}

/* What was stored while all were looked at may lie behind: again, until nothing does. */
static void all_made(struct reindex *self)
{
    enum phase next = self->owed > 0 ? MARK : FINISH;

    self->owed = 0;
    self->after[0] = '\0';
    save(self, next, saved, NULL, 0);
}

static void on_figures(void *arg, const struct sh_pg_reply *reply)
{
    struct reindex *self = of(arg);
    const PGresult *rows = reply->results[0];
    bool there = PQntuples(rows) > 0;
    struct sh_bytes state = there ? sh_pg_text(rows, 0, 0) : (struct sh_bytes){0};

    if (!sh_bytes_is(state, "building") && !sh_bytes_is(state, "ready")) {
        runner_fail(&self->runner, "generation_gone",
                    "the generation was dropped, or activated, meanwhile");
        return;
    }
    self->waiting = sh_pg_u64(rows, 0, 1);
    self->failed = sh_pg_u64(rows, 0, 2);
    if (self->waiting == 0)
        all_made(self);
    else
        save(self, WAIT, look_later, NULL, 0);
}

static void look(struct reindex *self)
{
    struct sh_pg_param params[] = {{sh_bytes_of(self->fingerprint), false}};
    struct sh_pg_step step = {&generation_figures, params, 1, false};

    runner_query(&self->runner, &step, on_figures);
}

/* --- the end ---------------------------------------------------------------------- */

static void finish(struct reindex *self, bool activated)
{
    char result[512];

    (void)snprintf(result, sizeof(result),
                   "{\"fingerprint\":\"%s\",\"passages\":%" PRIu64 ",\"refused\":%" PRIu64
                   ",\"activated\":%s}",
                   self->fingerprint, self->total, self->failed,
                   activated ? "true" : "false");
    sh_info(NULL, "generation %.16s is %s: %" PRIu64 " passages", self->fingerprint,
            activated ? "live" : "ready", self->total);
    runner_done(&self->runner, sh_bytes_of(result));
}

static void finished(struct runner *runner, enum sh_err err)
{
    struct reindex *self = of(runner);

    (void)err;
    if (self->activate)
        runner_next(runner);
    else
        finish(self, false);
}

static void say_ready(struct reindex *self)
{
    struct sh_pg_param params[] = {{sh_bytes_of(self->fingerprint), false}};
    struct sh_pg_step step = {&generation_finish, params, 1, false};

    save(self, ACTIVATE, finished, &step, 1);
}

static void on_activated(void *arg, const struct sh_pg_reply *reply)
{
    struct reindex *self = of(arg);
    struct sh_bytes outcome = sh_pg_text(reply->results[0], 0, 0);

    if (sh_bytes_is(outcome, "ok") || sh_bytes_is(outcome, "live"))
        finish(self, true);
    else
        runner_fail(&self->runner, "generation_incomplete",
                    "the generation is not complete any more");
}

static void activate(struct reindex *self)
{
    struct sh_pg_param params[] = {{sh_bytes_of(self->fingerprint), false}};
    struct sh_pg_step step = {&generation_activate, params, 1, false};

    if (self->activate)
        runner_query(&self->runner, &step, on_activated);
    else
        finish(self, false);
}

/* --- the run ---------------------------------------------------------------------- */

static void step(struct runner *runner)
{
    static void (*const phases[])(struct reindex *) = {open_model, mark,      count,
                                                       look,       say_ready, activate};
    struct reindex *self = of(runner);

    phases[self->phase](self);
}

static void on_given_up(void *arg, const struct sh_pg_reply *reply)
{
    (void)reply;
    runner_cancelled(arg);
}

/* What was made so far stays, for whoever begins again; it can be dropped. */
static void cancel(struct runner *runner)
{
    struct reindex *self = of(runner);
    struct sh_pg_param params[] = {{sh_bytes_of(self->fingerprint), false}};
    struct sh_pg_step step_ = {&generation_give_up, params, 1, false};

    if (self->fingerprint[0] == '\0')
        runner_cancelled(runner);
    else
        runner_query(runner, &step_, on_given_up);
}

static void free_reindex(struct runner *runner)
{
    sh_free(of(runner));
}

static const struct runner_kind kind = {step, cancel, free_reindex};

struct runner *reindex_run(const struct reindex_options *options, struct sh_job_run *run)
{
    struct reindex *self =
        runner_make(sizeof(*self), &(struct runner){.kind = &kind,
                                                    .pg = options->pg,
                                                    .run = run,
                                                    .gone = options->gone,
                                                    .arg = options->arg});

    if (self == NULL)
        return NULL;
    self->options = *options;
    read_job(self);
    runner_start(&self->runner, options->loop);
    return &self->runner;
}
