#include "services/search/meaning/entry_search.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/glossary/terms_sql.h"
#include "services/search/query/record_call.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/pg_array.h"

enum {
    READ_MS = 5000,
    EMBED_MS = 2000,
    PER_PAGE = 20,
    RANKED = 1000, /* by meaning alone */
    FUSED = 200,   /* of each of the two */
    RANK_K = 60,
    AFTER_RIGHTS = 1 + RECORD_RIGHTS,
    FOUND_PARAMS = AFTER_RIGHTS + 3,
    SEARCH_PARAMS = FOUND_PARAMS + 2,
};

struct asking { /* on its own: the call may be gone before the worker is done */
    struct entry_search *search;
    struct sh_rpc_call *call;
    struct glossary_list list;
    struct model model;
    struct held_entries *held;
    bool hybrid;
    size_t most; /* hits that are wanted */
    bool complete;
    bool worded; /* only by words, there is no vector */
    float *vector;
    struct entry_hit hits[RANKED];
    size_t count;
    size_t seen;
    enum sh_err err;
    struct sh_work work;
};

static void destroy(struct asking *self)
{
    entries_release(self->held);
    sh_free(self->vector);
    sh_free(self);
}

static void fail(struct asking *self, enum sh_err err, const char *why)
{
    sh_rpc_fail(self->call, err, NULL, NULL, "%s", why != NULL ? why : sh_err_text(err));
    destroy(self);
}

/* --- the answer ------------------------------------------------------------------- */

struct ranked {
    struct glossary_term term;
    double score;
};

static int by_score(const void *a, const void *b)
{
    const struct ranked *left = a;
    const struct ranked *right = b;
    struct sh_bytes x = left->term.id, y = right->term.id;
    int order = (left->score < right->score) - (left->score > right->score);

    if (order == 0)
        order = memcmp(x.data, y.data, x.len < y.len ? x.len : y.len);
    return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

/* The hit of that id; count: none. */
static size_t hit_of(const struct asking *self, struct sh_bytes id)
{
    for (size_t i = 0; i < self->count; i++)
        if (sh_bytes_equal(self->hits[i].id, id))
            return i;
    return self->count;
}

static double part_of(size_t rank)
{
    return 1.0 / (double)(RANK_K + 1 + rank);
}

/* Entries by meaning, with the part of their rank, or their cosine. */
static size_t take_meant(const struct asking *self, const PGresult *rows,
                         struct ranked *all)
{
    size_t count = 0;

    for (int row = 0; row < PQntuples(rows); row++) {
        struct ranked *one = &all[count];
        size_t rank;
        terms_read(rows, row, false, &one->term);
        rank = hit_of(self, one->term.id);
        if (rank == self->count)
            continue;
        one->score = self->hybrid ? part_of(rank) : self->hits[rank].score;
        count++;
    }
    return count;
}

static size_t take_found(const PGresult *rows, struct ranked *all, size_t count)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        struct glossary_term term;
        size_t i = 0;
        terms_read(rows, row, true, &term);
        while (i < count && !sh_bytes_equal(all[i].term.id, term.id))
            i++;
        if (i == count)
            all[count++] = (struct ranked){.score = 0};
        all[i].score += part_of((size_t)row);
        all[i].term = term;
    }
    return count;
}

static void answer(struct asking *self, const struct sh_pg_reply *reply)
{
    struct sh_arena *arena = sh_rpc_call_arena(self->call);
    uint64_t per_page = self->list.per_page > 0 ? self->list.per_page : PER_PAGE;
    uint64_t first = (self->list.page > 0 ? self->list.page - 1 : 0) * per_page;
    struct ranked *all = sh_arena_array(arena, RANKED + FUSED, sizeof(*all));
    struct glossary_term *terms = sh_arena_array(arena, per_page, sizeof(*terms));
    struct sh_bytes degraded[2];
    struct glossary_page page = {.terms = terms, .degraded = degraded};
    size_t count;

    if (all == NULL || terms == NULL) {
        fail(self, SH_NOMEM, NULL);
        return;
    }
    count = take_meant(self, reply->results[0], all);
    if (self->hybrid)
        count = take_found(reply->results[1], all, count);
    qsort(all, count, sizeof(*all), by_score);
    for (size_t i = first; i < count && page.terms_count < per_page; i++) {
        terms[page.terms_count] = all[i].term;
        terms[page.terms_count++].score = all[i].score;
    }
    /* by meaning every entry that was compared has its rank */
    page.total = self->hybrid ? count : self->seen < RANKED ? self->seen : RANKED;
    if (self->worded)
        degraded[page.degraded_count++] = sh_bytes_of("embedding");
    if (!self->complete)
        degraded[page.degraded_count++] = sh_bytes_of("vectors");
    sh_rpc_reply(self->call, glossary_page_desc(), &page);
    destroy(self);
}

static void on_rows(void *arg, const struct sh_pg_reply *reply)
{
    struct asking *self = arg;

    if (record_failed(self->call, reply))
        destroy(self);
    else
        answer(self, reply);
}

/* The entries of the hits, and in hybrid mode what words find. */
static void fetch(struct asking *self)
{
    struct sh_pg_param meant[FOUND_PARAMS] = {0};
    struct sh_pg_param found[SEARCH_PARAMS] = {0};
    struct sh_pg_step steps[] = {{&terms_of_ids, meant, FOUND_PARAMS, false},
                                 {&terms_search, found, SEARCH_PARAMS, false}};
    struct sh_pg_call work = {.steps = steps,
                              .count = self->hybrid ? 2 : 1,
                              .deadline_ms = record_deadline(self->call, READ_MS),
                              .trace = sh_rpc_call_trace(self->call)};
    struct sh_buffer ids = {0};
    char limit[12];
    enum sh_err err = record_rights(self->call, meant + 1);

    (void)snprintf(limit, sizeof(limit), "%d", FUSED);
    sh_pg_array_begin(&ids, SH_PG_ARRAY_TEXT, self->count);
    for (size_t i = 0; i < self->count; i++)
        sh_pg_array_bytes(&ids, self->hits[i].id);
    meant[0] = sh_pg_array_param(&ids);
    meant[AFTER_RIGHTS] = terms_text_or_null(self->list.language);
    meant[AFTER_RIGHTS + 1] = terms_text_or_null(self->list.domain);
    meant[AFTER_RIGHTS + 2] = terms_text_or_null(self->list.status);
    memcpy(found, meant, sizeof(meant));
    found[0] = terms_text(self->list.q);
    found[FOUND_PARAMS] = terms_text(sh_bytes_of(limit));
    found[FOUND_PARAMS + 1] = terms_text(sh_bytes_of("0"));
    if (err == SH_OK)
        err = ids.err;
    if (err == SH_OK)
        err = sh_pg_run(self->search->pg, &work, on_rows, self);
    sh_buffer_free(&ids);
    if (err != SH_OK)
        fail(self, err, NULL);
}

/* --- the scan --------------------------------------------------------------------- */

static void run_scan(struct sh_work *work)
{
    struct asking *self = SH_CONTAINER_OF(work, struct asking, work);
    const struct entry_query query = {.caller = sh_rpc_call_caller(self->call),
                                      .language = self->list.language,
                                      .domain = self->list.domain,
                                      .status = self->list.status,
                                      .vector = self->vector,
                                      .most = self->most};

    self->err =
        entry_set_search(self->held->set, &query, self->hits, &self->count, &self->seen);
}

static void on_scanned(struct sh_work *work, enum sh_err err)
{
    struct asking *self = SH_CONTAINER_OF(work, struct asking, work);

    if (err == SH_OK)
        err = self->err;
    if (err != SH_OK)
        fail(self, err, NULL);
    else
        fetch(self);
}

static void scan(struct asking *self)
{
    enum sh_err err;

    self->held = self->search->feed != NULL
                     ? entry_feed_hold(self->search->feed, &self->model, &self->complete)
                     : NULL;
    if (self->held == NULL) { /* none has a vector yet */
        fetch(self);
        return;
    }
    self->work = (struct sh_work){.run = run_scan, .done = on_scanned};
    err = sh_workers_submit(self->search->workers, &self->work);
    if (err != SH_OK)
        fail(self, err, NULL);
}

/* --- the question's vector -------------------------------------------------------- */

/* Words are all that there is. */
static void without(struct asking *self, enum sh_err err, const char *why)
{
    if (!self->hybrid) {
        fail(self, err, why);
        return;
    }
    sh_warning(sh_rpc_call_trace(self->call), "the question has no vector: %s", why);
    self->worded = true;
    self->complete = true;
    fetch(self);
}

static enum sh_err take(struct asking *self, const struct sh_rpc_response *response)
{
    struct sh_arena arena = {0};
    struct embed_reply reply;
    const uint8_t *vectors;
    enum sh_err err = embed_decode(response, 1, &arena, &reply, &vectors);

    if (err == SH_OK && (reply.dimension != self->model.dimension ||
                         !sh_bytes_is(reply.fingerprint, self->model.fingerprint)))
        err = SH_UPSTREAM;
    if (err == SH_OK) {
        self->vector = sh_alloc_array(self->model.dimension, sizeof(float));
        if (self->vector != NULL)
            memcpy(self->vector, vectors, self->model.dimension * sizeof(float));
        err = self->vector != NULL ? SH_OK : SH_NOMEM;
    }
    sh_arena_free(&arena);
    return err;
}

static void on_embedded(void *arg, const struct sh_rpc_response *response)
{
    struct asking *self = arg;
    enum sh_err err = response->err == SH_OK ? take(self, response) : response->err;

    if (err == SH_OK)
        scan(self);
    else if (err == SH_INVALID)
        without(self, err, "the model knows no word of the query");
    else
        without(self, SH_UNAVAILABLE, "the embedder does not answer");
}

static enum sh_err ask_embedder(struct asking *self)
{
    struct sh_buffer payload = {0};
    uint64_t half = sh_left_ms(sh_rpc_call_deadline_ms(self->call)) / 2;
    enum sh_err err;

    self->model = *model_current(self->search->model);
    if (self->model.dimension == 0 || sh_rpc_client_ready(self->search->embedder) == 0)
        return SH_UNAVAILABLE;
    err = embed_encode(&self->model, &self->list.q, 1, EMBED_QUERY, &payload);
    if (err == SH_OK) {
        struct sh_rpc_request request = {
            .method = METHOD_EMBEDDER_EMBED,
            .kind = SH_RPC_READ,
            .payload = sh_buffer_bytes(&payload),
            .deadline_ms = sh_now_ms() + (half < EMBED_MS ? half : EMBED_MS),
            .trace = sh_rpc_call_trace(self->call)};
        err = sh_rpc_send(self->search->embedder, &request, on_embedded, self, NULL);
    }
    sh_buffer_free(&payload);
    return err;
}

/* Up to the end of the page. */
static size_t wanted_of(const struct glossary_list *list)
{
    uint64_t per_page = list->per_page > 0 ? list->per_page : PER_PAGE;
    uint64_t page = list->page > 0 ? list->page : 1;

    return page > RANKED || page * per_page > RANKED ? RANKED : page * per_page;
}

void entry_search_handle(void *arg, struct sh_rpc_call *call)
{
    struct entry_search *search = arg;
    struct glossary_list list;
    struct asking *self;

    if (sh_rpc_call_decode(call, glossary_list_desc(), &list) != SH_OK)
        return;
    if (list.mode.len == 0 || list.q.len == 0 || sh_bytes_is(list.mode, "text")) {
        terms_list(search->terms, call, &list);
        return;
    }
    self = sh_alloc(sizeof(*self));
    if (self == NULL) {
        record_no_memory(call);
        return;
    }
    self->search = search;
    self->call = call;
    self->list = list;
    self->hybrid = sh_bytes_is(list.mode, "hybrid");
    self->most = self->hybrid ? FUSED : wanted_of(&list);
    if (ask_embedder(self) != SH_OK)
        without(self, SH_UNAVAILABLE, "the embedder cannot be reached");
}
