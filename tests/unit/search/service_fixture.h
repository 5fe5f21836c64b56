/* service_fixture: the parts of the search service on one loop, with a real database, and
 * an embedder of the test's own behind the real bus. Header only. */
#ifndef TESTS_SERVICE_FIXTURE_H
#define TESTS_SERVICE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/search/answer_state.h"
#include "services/search/feed/feed.h"
#include "services/search/generations/generations.h"
#include "services/search/ingest/pending.h"
#include "services/search/ingest/put.h"
#include "services/search/query/backend_memory.h"
#include "services/search/query/documents.h"
#include "services/search/query/query.h"
#include "services/search/query/shown.h"
#include "shared/clock.h"
#include "tests/support/migrate.h"
#include "tests/support/pg_config.h"

enum { DIMENSION = 4, YIELD_MOST_US = 5 * 1000 * 1000 };

/* What the embedder of the test does. */
struct embedder {
    struct sh_rpc_server *server;
    const char *fingerprint; /* of the default */
    const char *other;       /* of one more that it has, named "other"; NULL: none */
    const char *refuse;      /* texts that contain this get no vector */
    bool fails;              /* every call, with INTERNAL */
    size_t texts;            /* embedded for documents so far */
    size_t queries;
};

struct service {
    uv_loop_t loop;
    PGconn *db; /* the test's own session */
    struct sh_zmq_loop *zmq;
    struct embedder embedder;
    struct sh_pg_config pg_config;
    struct sh_workers *searchers;
    struct sh_workers *writer;
    struct sh_workers *checker;
    struct sh_yield *yield;
    struct sh_pg *pg;
    struct sh_rpc_client *to_embedder;
    struct model_binding *model;
    struct feed *feed;
    struct glossary_feed *glossary;
    struct pending *pending;
    struct pending *beside;
    struct generations generations;
    struct sh_jobs_config jobs_config;
    struct sh_jobs *jobs;
    struct putter *putter;
    struct backend_memory memory;
    struct querier querier;
    struct answer_state answer_state;
    struct documents documents;
    struct shown *shown;
    struct sh_rpc_server *server;
    struct sh_rpc_client *client;
};

/* --- the embedder ----------------------------------------------------------------- */

static inline void embedder_tell(struct sh_rpc_call *call, const char *name,
                                 const char *fingerprint)
{
    struct model_card card = {.name = sh_bytes_of(name),
                              .provider = sh_bytes_of("test"),
                              .dimension = DIMENSION,
                              .alpha = 0.5,
                              .fingerprint = sh_bytes_of(fingerprint)};
    struct models_reply reply = {.models = &card, .models_count = 1};

    sh_rpc_reply(call, models_reply_desc(), &reply);
}

static inline void embedder_models(void *arg, struct sh_rpc_call *call)
{
    struct embedder *self = arg;

    embedder_tell(call, "test", self->fingerprint);
}

/* The one that is meant; NULL: the call has been refused. */
static inline const char *embedder_find(const struct embedder *self,
                                        struct sh_rpc_call *call, struct sh_bytes model,
                                        struct sh_bytes fingerprint)
{
    const char *found = sh_bytes_is(model, "other") ? self->other : self->fingerprint;

    if (found == NULL) {
        sh_rpc_fail(call, SH_NOTFOUND, "model_not_found", NULL, "no such model");
        return NULL;
    }
    if (fingerprint.len == 0 || sh_bytes_is(fingerprint, found))
        return found;
    sh_rpc_fail(call, SH_CONFLICT, "model_changed", NULL, "another fingerprint");
    return NULL;
}

static inline void embedder_model(void *arg, struct sh_rpc_call *call)
{
    struct embedder *self = arg;
    struct model_request request;

    if (sh_rpc_call_decode(call, model_request_desc(), &request) != SH_OK)
        return;
    const char *found = embedder_find(self, call, request.model, request.fingerprint);
    if (found != NULL)
        embedder_tell(call, found == self->other ? "other" : "test", found);
}

static inline bool embedder_refuses(const struct embedder *self, struct sh_bytes text)
{
    return self->refuse != NULL &&
           memmem(text.data, text.len, self->refuse, strlen(self->refuse)) != NULL;
}

static inline void embedder_answer(struct embedder *self, struct sh_rpc_call *call,
                                   const struct embed_request *request)
{
    float vectors[2048][DIMENSION] = {0};
    const char *found = embedder_find(self, call, request->model, request->fingerprint);
    struct embed_reply reply = {.fingerprint = sh_bytes_of(found),
                                .dimension = DIMENSION,
                                .count = (uint32_t)request->texts_count};

    if (found == NULL)
        return;
    for (size_t i = 0; i < request->texts_count; i++)
        if (!embedder_refuses(self, request->texts[i]))
            vectors[i][request->texts[i].len % DIMENSION] = 1;
    sh_rpc_reply_raw(
        call, embed_reply_desc(), &reply,
        (struct sh_bytes){vectors, request->texts_count * sizeof(vectors[0])});
}

static inline void embedder_embed(void *arg, struct sh_rpc_call *call)
{
    struct embedder *self = arg;
    struct embed_request request;

    if (sh_rpc_call_decode(call, embed_request_desc(), &request) != SH_OK)
        return;
    if (request.purpose == 2)
        self->texts += request.texts_count;
    else
        self->queries++;
    if (self->fails)
        sh_rpc_fail(call, SH_INTERNAL, NULL, NULL, "it was told to fail");
    else
        embedder_answer(self, call, &request);
}

static inline void embedder_open(struct service *service, const char *bind)
{
    struct sh_rpc_server_options options = {
        .service = "embedder", .bind = bind, .instance = "embedder-of-the-test"};
    struct embedder *self = &service->embedder;

    assert_int_equal(sh_rpc_server_create(service->zmq, &options, &self->server), SH_OK);
    assert_int_equal(sh_rpc_server_add(self->server, METHOD_EMBEDDER_MODELS, "models", 0,
                                       embedder_models, self),
                     SH_OK);
    assert_int_equal(sh_rpc_server_add(self->server, METHOD_EMBEDDER_MODEL, "model", 0,
                                       embedder_model, self),
                     SH_OK);
    assert_int_equal(sh_rpc_server_add(self->server, METHOD_EMBEDDER_EMBED, "embed", 0,
                                       embedder_embed, self),
                     SH_OK);
}

/* --- pumping ---------------------------------------------------------------------- */

#define PUMP(service, condition)                                                         \
    do {                                                                                 \
        uint64_t until_ = sh_now_ms() + SERVERS_PUMP_MS;                                 \
        while (!(condition) && sh_now_ms() < until_)                                     \
            uv_run(&(service)->loop, UV_RUN_NOWAIT);                                     \
        assert_true(condition);                                                          \
    } while (0)

static inline struct view_stats service_stats(struct service *service)
{
    struct held_view *held = feed_hold(service->feed);
    struct view_stats stats;

    view_stats(held->view, &stats);
    held_release(held);
    return stats;
}

/* --- calls to the service --------------------------------------------------------- */

struct answer {
    bool done;
    enum sh_err err;
    char field[64];
    struct sh_buffer payload;
    struct sh_arena arena;
};

static inline void on_answer(void *arg, const struct sh_rpc_response *response)
{
    struct answer *answer = arg;

    answer->done = true;
    answer->err = response->err;
    (void)snprintf(answer->field, sizeof(answer->field), "%s", response->field);
    sh_buffer_append(&answer->payload, response->payload.data, response->payload.len);
}

static inline void ask(struct service *service, uint32_t method,
                       const struct caller *caller, const struct msg_desc *desc,
                       const void *msg, struct answer *answer)
{
    struct sh_buffer payload = {0};
    struct sh_rpc_request request = {.method = method,
                                     .kind = SH_RPC_WRITE,
                                     .caller = caller,
                                     .deadline_ms = sh_now_ms() + SERVERS_PUMP_MS};

    *answer = (struct answer){0};
    assert_int_equal(msg_encode(desc, msg, &payload), SH_OK);
    request.payload = sh_buffer_bytes(&payload);
    assert_int_equal(sh_rpc_send(service->client, &request, on_answer, answer, NULL),
                     SH_OK);
    sh_buffer_free(&payload);
}

static inline void forget(struct answer *answer)
{
    sh_buffer_free(&answer->payload);
    sh_arena_free(&answer->arena);
}

static inline void take(struct answer *answer, const struct msg_desc *desc, void *msg)
{
    assert_int_equal(answer->err, SH_OK);
    assert_int_equal(
        msg_decode(desc, sh_buffer_bytes(&answer->payload), &answer->arena, msg), SH_OK);
}

/* --- life ------------------------------------------------------------------------- */

static inline void service_on_model(void *arg)
{
    feed_rebuild(((struct service *)arg)->feed);
}

static inline void service_on_pending(void *arg)
{
    struct service *service = arg;

    if (service->pending != NULL)
        pending_wake(service->pending);
}

static inline void service_on_other_model(void *arg)
{
    model_check(((struct service *)arg)->model);
}

static inline void service_on_embedder(void *arg)
{
    struct service *service = arg;

    if (service->model != NULL)
        model_check(service->model);
    service_on_pending(service);
}

static inline void service_on_lost(void *arg, const struct model *instead)
{
    generations_lost(&((struct service *)arg)->generations, instead);
}

static inline void service_on_owed(void *arg)
{
    pending_wake(((struct service *)arg)->beside);
}

/* Generations are built by jobs. */
static inline void service_start_generations(struct service *service)
{
    uv_loop_t *loop = &service->loop;
    struct pending_options beside = {.pg = service->pg,
                                     .embedder = service->to_embedder,
                                     .model = service->model,
                                     .first = service->pending,
                                     .share = 1};
    struct generations_options generations = {.loop = loop,
                                              .pg = service->pg,
                                              .embedder = service->to_embedder,
                                              .live = model_current(service->model),
                                              .automatic = true,
                                              .pending = service_on_owed,
                                              .arg = service};
    struct sh_job_kind kinds[GENERATION_KINDS];
    struct sh_jobs_options jobs = {.pg = service->pg,
                                   .pg_config = &service->pg_config,
                                   .config = &service->jobs_config,
                                   .kinds = kinds,
                                   .kind_count = GENERATION_KINDS};

    service->jobs_config = (struct sh_jobs_config){30, 1, 64, 20};
    assert_int_equal(pending_create(loop, &beside, &service->beside), SH_OK);
    generations_start(&service->generations, &generations);
    generations_kinds(&service->generations, kinds);
    assert_int_equal(sh_jobs_create(loop, &jobs, &service->jobs), SH_OK);
}

static inline void service_on_moved(void *arg)
{
    struct service *service = arg;

    if (service->answer_state.rpc != NULL)
        answer_state_refresh(&service->answer_state);
}

static inline void service_ignore(void *arg)
{
    (void)arg;
}

static inline void service_start_parts(struct service *service)
{
    uv_loop_t *loop = &service->loop;
    struct sh_rpc_client_options embedder = {
        .service = "embedder",
        .endpoints = sh_rpc_server_endpoint(service->embedder.server)};

    assert_int_equal(sh_workers_create(loop, "search", 2, 64, &service->searchers),
                     SH_OK);
    assert_int_equal(sh_workers_create(loop, "view", 1, 8, &service->writer), SH_OK);
    assert_int_equal(sh_workers_create(loop, "recall", 1, 1, &service->checker), SH_OK);
    assert_int_equal(sh_yield_create(YIELD_MOST_US, &service->yield), SH_OK);
    assert_int_equal(sh_pg_create(loop, &service->pg_config, NULL, &service->pg), SH_OK);
    assert_int_equal(sh_rpc_client_create(service->zmq, &embedder, &service->to_embedder),
                     SH_OK);
    sh_rpc_client_on_change(service->to_embedder, service_on_embedder, service);
    struct model_binding_options model = {.pg = service->pg,
                                          .pg_config = &service->pg_config,
                                          .embedder = service->to_embedder,
                                          .known = service_on_model,
                                          .changed = service_on_model,
                                          .pending = service_on_pending,
                                          .lost = service_on_lost,
                                          .arg = service};
    assert_int_equal(model_create(loop, &model, &service->model), SH_OK);
    struct feed_options feed = {.pg = service->pg,
                                .pg_config = &service->pg_config,
                                .writer = service->writer,
                                .view = view_defaults(),
                                .model = model_current(service->model),
                                .state_changed = service_ignore,
                                .moved = service_on_moved,
                                .arg = service};
    feed.view.vectors.yield = service->yield;
    assert_int_equal(feed_create(loop, &feed, &service->feed), SH_OK);
    assert_int_equal(
        glossary_feed_create(loop, service->pg, service->searchers, &service->glossary),
        SH_OK);
    struct pending_options pending = {
        .pg = service->pg, .embedder = service->to_embedder, .model = service->model};
    assert_int_equal(pending_create(loop, &pending, &service->pending), SH_OK);
    service_start_generations(service);
    struct putter_options putter = {.pg = service->pg,
                                    .embedder = service->to_embedder,
                                    .workers = service->searchers,
                                    .feed = service->feed,
                                    .model = service->model,
                                    .chunk = {40, 0},
                                    .at_once = 4,
                                    .bytes_max = 1 << 20,
                                    .pending = service_on_pending,
                                    .arg = service};
    assert_int_equal(putter_create(&putter, &service->putter), SH_OK);
}

static inline void service_add(struct service *service, uint32_t method,
                               sh_rpc_handler_fn *handler, void *arg)
{
    assert_int_equal(sh_rpc_server_add(service->server, method, method_name(method),
                                       8 << 20, handler, arg),
                     SH_OK);
}

static inline void service_start_methods(struct service *service)
{
    struct sh_rpc_server_options options = {.service = "search",
                                            .bind = "tcp://127.0.0.1:*",
                                            .instance = "search-of-the-test"};
    struct sh_rpc_client_options client = {.service = "search"};

    service->memory = (struct backend_memory){service->feed, service->searchers};
    service->querier = (struct querier){.backend = backend_memory(&service->memory),
                                        .embedder = service->to_embedder,
                                        .model = feed_model(service->feed),
                                        .glossary = service->glossary,
                                        .yield = service->yield,
                                        .other_model = service_on_other_model,
                                        .arg = service};
    assert_int_equal(query_vectors_create(8, &service->querier.vectors), SH_OK);
    service->documents = (struct documents){service->pg, service->feed, false, NULL};
    assert_int_equal(sh_rpc_server_create(service->zmq, &options, &service->server),
                     SH_OK);
    service_add(service, METHOD_SEARCH_QUERY, query_handle, &service->querier);
    service_add(service, METHOD_DOCUMENT_PUT, putter_handle, service->putter);
    service_add(service, METHOD_DOCUMENT_GET, documents_get, &service->documents);
    service_add(service, METHOD_DOCUMENT_LIST, documents_list, &service->documents);
    service_add(service, METHOD_DOCUMENT_DELETE, documents_delete, &service->documents);
    assert_int_equal(shown_create(&service->loop, service->feed, &service->shown), SH_OK);
    service_add(service, METHOD_VIEW_WAIT, shown_handle, service->shown);
    assert_int_equal(generations_add(&service->generations, service->server), SH_OK);
    service->answer_state = (struct answer_state){.feed = service->feed,
                                                  .glossary = service->glossary,
                                                  .rpc = service->server,
                                                  .querier = &service->querier};
    glossary_feed_on_change(service->glossary, service_on_moved, service);
    client.endpoints = sh_rpc_server_endpoint(service->server);
    assert_int_equal(sh_rpc_client_create(service->zmq, &client, &service->client),
                     SH_OK);
    PUMP(service, sh_rpc_client_ready(service->client) > 0);
}

static inline void service_start(struct service *service)
{
    memset(service, 0, sizeof(*service));
    service->db = servers_connect();
    migrate_afresh(service->db);
    service->pg_config = pg_config_of(getenv("TEST_DATABASE_URL"));
    service->embedder.fingerprint = "fp-one";
    assert_int_equal(uv_loop_init(&service->loop), 0);
    assert_int_equal(sh_zmq_loop_create(&service->loop, &service->zmq), SH_OK);
    embedder_open(service, "tcp://127.0.0.1:*");
    service_start_parts(service);
    service_start_methods(service);
    PUMP(service, feed_current(service->feed) && model_confirmed(service->model));
}

/* However a search ended, nobody gives way to it any more. */
static inline void expect_calm(struct sh_yield *yield)
{
    uint64_t began = sh_now_us();

    sh_yield_pause(yield);
    assert_true(sh_now_us() - began < YIELD_MOST_US);
}

static inline void service_stop(struct service *service)
{
    sh_rpc_client_close(&service->client);
    service->answer_state = (struct answer_state){0};
    service->querier.closing = true;
    query_vectors_free(&service->querier.vectors);
    service->documents.feed = NULL;
    shown_close(&service->shown);
    putter_close(&service->putter);
    generations_stop(&service->generations);
    sh_jobs_close(&service->jobs);
    pending_close(&service->beside);
    pending_close(&service->pending);
    feed_close(&service->feed);
    service->querier.glossary = NULL;
    glossary_feed_close(&service->glossary);
    model_close(&service->model);
    sh_rpc_client_close(&service->to_embedder);
    sh_pg_close(&service->pg);
    sh_workers_close(&service->checker);
    sh_workers_close(&service->writer);
    sh_workers_close(&service->searchers);
    expect_calm(service->yield);
    sh_yield_free(&service->yield);
    sh_rpc_server_close(&service->server);
    sh_rpc_server_close(&service->embedder.server);
    sh_zmq_loop_close(&service->zmq);
    uv_run(&service->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&service->loop), 0);
    PQfinish(service->db);
}

#endif
