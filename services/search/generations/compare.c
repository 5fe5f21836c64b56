#include "services/search/generations/compare.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/generations/generation_sql.h"
#include "services/search/generations/ranking.h"
#include "services/search/ingest/embed.h"
#include "services/search/vector/dot.h"
#include "shared/clock.h"

enum { EMBED_MS = 60000, SCAN_ROWS = 256, TOLD_BYTES = 200 };
enum { SCAN_CHUNK, SCAN_DOCUMENT, SCAN_VECTOR }; /* columns of generation_scan */

struct side {
    char fingerprint[MODEL_FINGERPRINT_MAX + 1];
    struct model model; /* dimension 0: not read yet */
    uint64_t vectors;   /* that there are */
    float *questions;   /* count × stride; NULL: not embedded yet */
    size_t stride;
    struct ranking *rankings;
    char after[513];
    bool scanned;
};

struct compare {
    struct runner runner;
    struct reindex_options options;
    json_t *params;
    const json_t *judged; /* NULL: only questions */
    struct sh_bytes texts[COMPARE_QUERIES_MAX];
    size_t count;
    struct side sides[2];
    float *row; /* one vector, padded */
    uint64_t rows;
};

static struct compare *of(struct runner *runner)
{
    return SH_CONTAINER_OF(runner, struct compare, runner);
}

/* --- parameters ------------------------------------------------------------------- */

static void read_job(struct compare *self)
{
    struct sh_bytes text = sh_job_params(self->runner.run);
    static const char *const names[] = {"from", "to"};

    self->params = text.len > 0 ? json_loadb(text.data, text.len, 0, NULL) : NULL;
    self->judged = json_object_get(self->params, "judged");
    const json_t *list =
        self->judged != NULL ? self->judged : json_object_get(self->params, "queries");
    self->count = json_array_size(list);
    if (self->count > COMPARE_QUERIES_MAX)
        self->count = COMPARE_QUERIES_MAX;
    for (size_t i = 0; i < self->count; i++) {
        const json_t *entry = json_array_get(list, i);
        const json_t *query = self->judged ? json_object_get(entry, "query") : entry;
        self->texts[i] =
            (struct sh_bytes){json_string_value(query), json_string_length(query)};
    }
    for (size_t i = 0; i < 2; i++) {
        const char *name = json_string_value(json_object_get(self->params, names[i]));
        (void)snprintf(self->sides[i].fingerprint, sizeof(self->sides[i].fingerprint),
                       "%s", name != NULL ? name : "");
    }
}

/* --- the models ------------------------------------------------------------------- */

static struct side *first_without(struct compare *self, bool (*done)(const struct side *))
{
    for (size_t i = 0; i < 2; i++)
        if (!done(&self->sides[i]))
            return &self->sides[i];
    return NULL;
}

static bool is_known(const struct side *side)
{
    return side->model.dimension > 0;
}

static bool is_embedded(const struct side *side)
{
    return side->questions != NULL;
}

static bool is_scanned(const struct side *side)
{
    return side->scanned;
}

static void on_model(void *arg, const struct sh_pg_reply *reply)
{
    struct compare *self = of(arg);
    struct side *side = first_without(self, is_known);
    const PGresult *rows = reply->results[0];

    if (PQntuples(rows) == 0) {
        runner_fail(&self->runner, "generation_not_found", "there is no such generation");
        return;
    }
    model_read(rows, 0, &side->model);
    side->vectors = sh_pg_u64(rows, 0, 5);
    runner_next(&self->runner);
}

static void read_model(struct compare *self, const struct side *side)
{
    struct sh_pg_param param = {sh_bytes_of(side->fingerprint), false};
    struct sh_pg_step step = {&generation_one, &param, 1, false};

    runner_query(&self->runner, &step, on_model);
}

/* --- the questions ---------------------------------------------------------------- */

static float *aligned(size_t count)
{
    size_t bytes = count * sizeof(float);
    void *at = NULL;

    if (posix_memalign(&at, DOT_ALIGN, bytes > 0 ? bytes : DOT_ALIGN) != 0)
        return NULL;
    memset(at, 0, bytes);
    return at;
}

static bool keep_questions(struct compare *self, struct side *side,
                           const uint8_t *vectors)
{
    size_t dimension = side->model.dimension;

    side->stride = (dimension + DOT_STEP - 1) / DOT_STEP * DOT_STEP;
    side->questions = aligned(self->count * side->stride);
    side->rankings = sh_alloc_array(self->count, sizeof(*side->rankings));
    if (side->questions == NULL || side->rankings == NULL)
        return false;
    for (size_t i = 0; i < self->count; i++)
        memcpy(side->questions + i * side->stride,
               vectors + i * dimension * sizeof(float), dimension * sizeof(float));
    return true;
}

static void on_questions(void *arg, const struct sh_rpc_response *response)
{
    struct compare *self = of(arg);
    struct side *side = first_without(self, is_embedded);
    struct sh_arena arena = {0};
    struct embed_reply reply;
    const uint8_t *vectors = NULL;
    enum sh_err err = response->err;

    if (err == SH_OK)
        err = embed_decode(response, self->count, &arena, &reply, &vectors);
    if (err == SH_OK && (!sh_bytes_is(reply.fingerprint, side->fingerprint) ||
                         reply.dimension != side->model.dimension))
        err = SH_CONFLICT;
    if (err != SH_OK)
        runner_fail(&self->runner, "model_unavailable",
                    "the embedder cannot embed the questions with the model of a "
                    "generation");
    else if (!keep_questions(self, side, vectors))
        runner_fail(&self->runner, "internal_error", "out of memory");
    else
        runner_next(&self->runner);
    sh_arena_free(&arena);
}

static void embed_questions(struct compare *self, const struct side *side)
{
    struct sh_buffer payload = {0};

    if (embed_encode(&side->model, self->texts, self->count, EMBED_QUERY, &payload) ==
        SH_OK) {
        struct sh_rpc_request request = {.method = METHOD_EMBEDDER_EMBED,
                                         .kind = SH_RPC_READ,
                                         .payload = sh_buffer_bytes(&payload),
                                         .deadline_ms = sh_now_ms() + EMBED_MS};
        runner_call(&self->runner, self->options.embedder, &request, on_questions);
    } else {
        runner_fail(&self->runner, "invalid_request", "the questions cannot be sent");
    }
    sh_buffer_free(&payload);
}

/* --- the passages ----------------------------------------------------------------- */

static void score_row(struct compare *self, struct side *side, const PGresult *rows,
                      int row)
{
    size_t bytes = side->model.dimension * sizeof(float);
    dot_fn *dot = dot_best()->dot;

    if ((size_t)PQgetlength(rows, row, SCAN_VECTOR) != bytes)
        return;
    memcpy(self->row, PQgetvalue(rows, row, SCAN_VECTOR), bytes);
    for (size_t i = 0; i < self->count; i++)
        ranking_offer(&side->rankings[i], sh_pg_text(rows, row, SCAN_DOCUMENT),
                      dot(self->row, side->questions + i * side->stride, side->stride));
}

static void saved(struct runner *runner, enum sh_err err)
{
    (void)err;
    runner_next(runner);
}

static void on_page(void *arg, const struct sh_pg_reply *reply)
{
    struct compare *self = of(arg);
    struct side *side = first_without(self, is_scanned);
    const PGresult *rows = reply->results[0];
    int count = PQntuples(rows);

    for (int row = 0; row < count; row++)
        score_row(self, side, rows, row);
    self->rows += (uint64_t)count;
    side->scanned = count < SCAN_ROWS;
    if (count > 0)
        (void)snprintf(side->after, sizeof(side->after), "%s",
                       PQgetvalue(rows, count - 1, SCAN_CHUNK));
    if (self->rows / SCAN_ROWS % 16 != 0 && !side->scanned) {
        runner_next(&self->runner);
        return;
    }
    runner_save(&self->runner,
                &(struct sh_job_checkpoint){
                    .cursor = sh_bytes_of("{}"), /* whoever goes on begins anew */
                    .done = self->rows,
                    .total = self->sides[0].vectors + self->sides[1].vectors},
                saved);
}

static void scan(struct compare *self, const struct side *side)
{
    char limit[12];

    (void)snprintf(limit, sizeof(limit), "%d", SCAN_ROWS);
    struct sh_pg_param params[] = {{sh_bytes_of(side->fingerprint), false},
                                   {sh_bytes_of(side->after), false},
                                   {sh_bytes_of(limit), false}};
    struct sh_pg_step step = {&generation_scan, params, 3, true};
    free(self->row); /* the two sides may differ in length */
    self->row = aligned(side->stride);
    if (self->row == NULL)
        runner_fail(&self->runner, "internal_error", "out of memory");
    else
        runner_query(&self->runner, &step, on_page);
}

/* --- the result ------------------------------------------------------------------- */

struct means {
    double overlap;
    double correlation;
    double from;
    double to;
};

static json_t *told_query(struct sh_bytes text)
{
    size_t len = text.len < TOLD_BYTES ? text.len : TOLD_BYTES;
    const char *bytes = text.data;

    while (len < text.len && len > 0 && (bytes[len] & 0xc0) == 0x80)
        len--; /* not within a character */
    return json_stringn(bytes, len);
}

static json_t *pair(double from, double to)
{
    return json_pack("{s:f, s:f}", "from", from, "to", to);
}

static json_t *tell_one(const struct compare *self, size_t i, struct means *sum)
{
    const struct ranking *from = &self->sides[0].rankings[i];
    const struct ranking *to = &self->sides[1].rankings[i];
    double overlap = ranking_overlap(from, to);
    double correlation = ranking_correlation(from, to);
    json_t *one = json_pack("{s:o, s:f, s:f}", "query", told_query(self->texts[i]),
                            "overlap_at_10", overlap, "rank_correlation", correlation);

    sum->overlap += overlap / (double)self->count;
    sum->correlation += correlation / (double)self->count;
    if (self->judged == NULL)
        return one;
    json_t *relevant = json_object_get(json_array_get(self->judged, i), "relevant");
    double before = ranking_ndcg(from, relevant);
    double after = ranking_ndcg(to, relevant);
    sum->from += before / (double)self->count;
    sum->to += after / (double)self->count;
    json_object_set_new(one, "ndcg_at_10", pair(before, after));
    return one;
}

static void tell(struct compare *self)
{
    struct means sum = {0};
    json_t *each = json_array();

    for (size_t i = 0; i < self->count; i++)
        json_array_append_new(each, tell_one(self, i, &sum));
    json_t *result = json_pack(
        "{s:s, s:s, s:I, s:f, s:f, s:o}", "from", self->sides[0].fingerprint, "to",
        self->sides[1].fingerprint, "queries", (json_int_t)self->count, "overlap_at_10",
        sum.overlap, "rank_correlation", sum.correlation, "by_query", each);
    if (result != NULL && self->judged != NULL)
        json_object_set_new(result, "ndcg_at_10", pair(sum.from, sum.to));
    char *text = result != NULL ? json_dumps(result, JSON_COMPACT) : NULL;
    json_decref(result);
    if (text == NULL)
        runner_fail(&self->runner, "internal_error", "out of memory");
    else
        runner_done(&self->runner, sh_bytes_of(text));
    free(text); /* jansson's */
}

/* --- the run ---------------------------------------------------------------------- */

static void step(struct runner *runner)
{
    struct compare *self = of(runner);
    struct side *side;

    if (self->count == 0)
        runner_fail(runner, "invalid_request", "there are no questions");
    else if ((side = first_without(self, is_known)) != NULL)
        read_model(self, side);
    else if ((side = first_without(self, is_embedded)) != NULL)
        embed_questions(self, side);
    else if ((side = first_without(self, is_scanned)) != NULL)
        scan(self, side);
    else
        tell(self);
}

static void free_compare(struct runner *runner)
{
    struct compare *self = of(runner);

    for (size_t i = 0; i < 2; i++) {
        free(self->sides[i].questions); /* posix_memalign's */
        sh_free(self->sides[i].rankings);
    }
    free(self->row);
    json_decref(self->params);
    sh_free(self);
}

static const struct runner_kind kind = {step, runner_cancelled, free_compare};

struct runner *compare_run(const struct reindex_options *options, struct sh_job_run *run)
{
    struct compare *self =
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
