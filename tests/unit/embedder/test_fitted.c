#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "services/embedder/embedder.h"
#include "services/embedder/lsa/fit_methods.h"
#include "services/embedder/lsa/lsa_card.h"
#include "services/embedder/lsa/lsa_fit.h"
#include "services/embedder/lsa/model_files.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/rpc_client.h"
#include "shared/rpc_server.h"
#include "tests/support/servers.h"

/* Fitting over the bus, and an embedder that fetches what it does not hold from a search
 * that is played here. */

static const char *const texts[] = {
    "the wing gives lift in the flow of air",   "lift and drag of a wing in a fast flow",
    "an airfoil gives lift in the flow of air", "flour water and yeast make a dough",
    "bread is baked from flour and yeast",      "the dough of flour and water rises",
};

static struct fixture {
    uv_loop_t loop;
    struct sh_zmq_loop *zmq;
    struct sh_rpc_server *server;
    struct sh_rpc_server *search;
    struct sh_rpc_client *client;
    struct embedder embedder;
    char dir[64];
    /* what search has */
    struct sh_buffer file;
    char fingerprint[CARD_HASH_CHARS + 1];
    bool has_it;
    unsigned asked;
    size_t piece; /* bytes of each */
} fx;

/* What a call came to. */
static struct outcome {
    bool done;
    enum sh_err err;
    char code[64];
    struct sh_arena arena;
    struct fit_state state;
    char text[4][128]; /* of the state, copied */
    struct embed_reply reply;
    float first; /* of the vectors */
    size_t floats;
    struct sh_buffer raw;
} got;

/* --- search ----------------------------------------------------------------------- */

static void on_search_model(void *arg, struct sh_rpc_call *call)
{
    struct model_piece_ref request;
    (void)arg;
    fx.asked++;
    assert_int_equal(sh_rpc_call_decode(call, model_piece_ref_desc(), &request), SH_OK);
    if (!fx.has_it || !sh_bytes_is(request.model, fx.fingerprint)) {
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such model");
        return;
    }
    size_t at = request.offset < fx.file.len ? (size_t)request.offset : fx.file.len;
    size_t len = fx.file.len - at < fx.piece ? fx.file.len - at : fx.piece;
    struct model_piece piece = {.offset = at, .bytes = fx.file.len};
    sh_rpc_reply_raw(call, model_piece_desc(), &piece,
                     (struct sh_bytes){fx.file.data + at, len});
}

static void fit_directly(void)
{
    struct lsa_fit *fit = NULL;
    struct card card = {0};
    assert_int_equal(lsa_fit_create(&(struct lsa_fit_options){.rank = 3}, &fit), SH_OK);
    for (size_t i = 0; i < SH_COUNT(texts); i++)
        assert_int_equal(lsa_fit_add(fit, sh_bytes_of(texts[i])), SH_OK);
    assert_int_equal(lsa_fit_finish(fit, NULL, &fx.file), SH_OK);
    lsa_fit_free(&fit);
    assert_int_equal(lsa_card(&card, sh_buffer_bytes(&fx.file)), SH_OK);
    memcpy(fx.fingerprint, card.fingerprint, sizeof(fx.fingerprint));
}

/* --- the embedder ----------------------------------------------------------------- */

static bool is_ready(void *arg)
{
    (void)arg;
    return sh_rpc_client_ready(fx.client) > 0 &&
           (!fx.embedder.search || sh_rpc_client_ready(fx.embedder.search) > 0);
}

static void open_embedder(bool with_search)
{
    struct embedder *e = &fx.embedder;
    e->config = (struct embedder_config){.provider = "builtin",
                                         .model = "hashing",
                                         .model_dir = "/nowhere",
                                         .kernel = "auto",
                                         .fitted_dir = fx.dir,
                                         .threads = 2,
                                         .queue_max = 1000,
                                         .cache_redis = "off"};
    struct sh_rpc_client_options search = {
        .service = "search", .endpoints = sh_rpc_server_endpoint(fx.search)};
    if (with_search)
        assert_int_equal(sh_rpc_client_create(fx.zmq, &search, &e->search), SH_OK);
    assert_int_equal(lru_create(1 << 20, &e->lru), SH_OK);
    e->shelf = (struct shelf){
        .config = &e->config, .loop = &fx.loop, .lru = e->lru, .search = e->search};
    assert_int_equal(shelf_open(&e->shelf), SH_OK);
    struct fitting_options fitting = {.bytes_max = 64 << 20, .threads = 1};
    assert_int_equal(fitting_create(&fx.loop, &fitting, &e->fitting), SH_OK);
    struct sh_rpc_server_options server = {.service = "embedder",
                                           .bind = "tcp://127.0.0.1:0",
                                           .instance = "x",
                                           .started = 1};
    assert_int_equal(sh_rpc_server_create(fx.zmq, &server, &fx.server), SH_OK);
    assert_int_equal(methods_add(e, fx.server), SH_OK);
    assert_int_equal(fit_methods_add(e->fitting, fx.server), SH_OK);
    struct sh_rpc_client_options client = {
        .service = "embedder", .endpoints = sh_rpc_server_endpoint(fx.server)};
    assert_int_equal(sh_rpc_client_create(fx.zmq, &client, &fx.client), SH_OK);
    assert_true(servers_pump(&fx.loop, is_ready, NULL));
}

static void close_embedder(void)
{
    struct embedder *e = &fx.embedder;
    fitting_close(&e->fitting);
    shelf_close(&e->shelf);
    lru_free(&e->lru);
    sh_rpc_client_close(&e->search);
    sh_rpc_client_close(&fx.client);
    sh_rpc_server_close(&fx.server);
}

static int set_up(void **state)
{
    (void)state;
    memset(&fx, 0, sizeof(fx));
    (void)snprintf(fx.dir, sizeof(fx.dir), "/tmp/test_fitted.XXXXXX");
    assert_non_null(mkdtemp(fx.dir));
    assert_int_equal(uv_loop_init(&fx.loop), 0);
    assert_int_equal(sh_zmq_loop_create(&fx.loop, &fx.zmq), SH_OK);
    struct sh_rpc_server_options search = {
        .service = "search", .bind = "tcp://127.0.0.1:0", .instance = "s", .started = 1};
    assert_int_equal(sh_rpc_server_create(fx.zmq, &search, &fx.search), SH_OK);
    assert_int_equal(sh_rpc_server_add(fx.search, METHOD_SEARCH_MODEL, "search.model", 0,
                                       on_search_model, NULL),
                     SH_OK);
    fit_directly();
    fx.has_it = true;
    fx.piece = 700;
    return 0;
}

static void forget(void)
{
    sh_arena_free(&got.arena);
    sh_buffer_free(&got.raw);
    memset(&got, 0, sizeof(got));
}

static void empty_directory(void)
{
    DIR *dir = opendir(fx.dir);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.')
            (void)unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
}

static int tear_down(void **state)
{
    (void)state;
    forget();
    close_embedder();
    sh_rpc_server_close(&fx.search);
    sh_zmq_loop_close(&fx.zmq);
    uv_run(&fx.loop, UV_RUN_DEFAULT);
    sh_buffer_free(&fx.file);
    empty_directory();
    assert_int_equal(rmdir(fx.dir), 0);
    return uv_loop_close(&fx.loop);
}

/* --- calls ------------------------------------------------------------------------ */

static void on_response(void *arg, const struct sh_rpc_response *response)
{
    uint32_t method = *(const uint32_t *)arg;
    got.done = true;
    got.err = response->err;
    (void)snprintf(got.code, sizeof(got.code), "%s", response->code);
    if (response->err != SH_OK)
        return;
    if (method == METHOD_EMBEDDER_EMBED) {
        assert_int_equal(
            msg_decode(embed_reply_desc(), response->meta, &got.arena, &got.reply),
            SH_OK);
        got.floats = response->payload.len / sizeof(float);
        memcpy(&got.first, response->payload.data, sizeof(got.first));
        (void)snprintf(got.text[0], sizeof(got.text[0]), "%.*s",
                       (int)got.reply.fingerprint.len,
                       (const char *)got.reply.fingerprint.data);
    } else if (method == METHOD_FIT_FILE) {
        sh_buffer_append(&got.raw, response->payload.data, response->payload.len);
    } else if (method != METHOD_EMBEDDER_MODEL && method != METHOD_EMBEDDER_FORGET) {
        assert_int_equal(
            msg_decode(fit_state_desc(), response->payload, &got.arena, &got.state),
            SH_OK);
        const struct sh_bytes words[] = {got.state.state, got.state.fingerprint,
                                         got.state.code};
        for (size_t i = 0; i < SH_COUNT(words); i++)
            (void)snprintf(got.text[i], sizeof(got.text[i]), "%.*s", (int)words[i].len,
                           (const char *)words[i].data);
    }
}

static uint64_t send_off(uint32_t method, const struct msg_desc *desc,
                         const void *message)
{
    static uint32_t asked; /* one at a time */
    struct sh_buffer payload = {0};
    uint64_t id = 0;
    forget();
    asked = method;
    assert_int_equal(msg_encode(desc, message, &payload), SH_OK);
    struct sh_rpc_request ask = {.method = method,
                                 .kind = SH_RPC_READ,
                                 .payload = sh_buffer_bytes(&payload),
                                 .deadline_ms = sh_now_ms() + 60000};
    assert_int_equal(sh_rpc_send(fx.client, &ask, on_response, &asked, &id), SH_OK);
    sh_buffer_free(&payload);
    return id;
}

static void call(uint32_t method, const struct msg_desc *desc, const void *message)
{
    (void)send_off(method, desc, message);
    assert_true(servers_pump(&fx.loop, servers_is_set, &got.done));
}

static void of_session(uint32_t method, const char *session)
{
    struct fit_session message = {.session = sh_bytes_of(session), .dimension = 3};
    call(method, fit_session_desc(), &message);
}

static void add(const char *session, uint64_t first, size_t count)
{
    struct sh_bytes list[SH_COUNT(texts)];
    for (size_t i = 0; i < count; i++)
        list[i] = sh_bytes_of(texts[first + i]);
    struct fit_texts message = {.session = sh_bytes_of(session),
                                .first = first,
                                .texts = list,
                                .texts_count = count};
    call(METHOD_FIT_ADD, fit_texts_desc(), &message);
}

static struct embed_request wish(const char *model, const char *fingerprint)
{
    static struct sh_bytes text;
    text = sh_bytes_of("flour and yeast");
    return (struct embed_request){.model = sh_bytes_of(model),
                                  .fingerprint = sh_bytes_of(fingerprint),
                                  .texts = &text,
                                  .texts_count = 1,
                                  .purpose = 1};
}

static void embed(const char *model, const char *fingerprint)
{
    struct embed_request request = wish(model, fingerprint);
    call(METHOD_EMBEDDER_EMBED, embed_request_desc(), &request);
}

/* --- fitting ---------------------------------------------------------------------- */

static void wait_until_fitted(const char *session)
{
    do
        of_session(METHOD_FIT_STATE, session);
    while (got.err == SH_OK && strcmp(got.text[0], "fitting") == 0);
}

static void a_fit_over_the_bus_makes_the_same_model(void **state)
{
    struct sh_buffer file = {0};
    (void)state;
    open_embedder(false);
    of_session(METHOD_FIT_BEGIN, "job-1");
    assert_int_equal(got.err, SH_OK);
    assert_string_equal(got.text[0], "adding");
    add("job-1", 0, 2);
    add("job-1", 0, 2); /* an answer got lost: nothing is added twice */
    assert_int_equal(got.state.texts, 2);
    add("job-1", 1, 3);
    assert_int_equal(got.state.texts, 4);
    add("job-1", 4, 2);
    assert_int_equal(got.state.texts, SH_COUNT(texts));
    of_session(METHOD_FIT_END, "job-1");
    of_session(METHOD_FIT_END, "job-1");
    assert_int_equal(got.err, SH_OK);
    wait_until_fitted("job-1");
    assert_string_equal(got.text[0], "done");
    assert_string_equal(got.text[1], fx.fingerprint);
    assert_int_equal(got.state.bytes, fx.file.len);
    assert_int_equal(got.state.dimension, 3);
    assert_int_equal(got.state.step, got.state.steps);
    size_t piece = 1;
    while (piece > 0) {
        struct model_piece_ref message = {sh_bytes_of("job-1"), file.len};
        call(METHOD_FIT_FILE, model_piece_ref_desc(), &message);
        assert_int_equal(got.err, SH_OK);
        sh_buffer_append(&file, got.raw.data, got.raw.len);
        piece = got.raw.len;
    }
    assert_int_equal(file.len, fx.file.len);
    assert_memory_equal(file.data, fx.file.data, file.len);
    sh_buffer_free(&file);
    of_session(METHOD_FIT_DROP, "job-1");
    of_session(METHOD_FIT_STATE, "job-1");
    assert_int_equal(got.err, SH_NOTFOUND);
}

static void there_is_one_fit_at_a_time(void **state)
{
    (void)state;
    open_embedder(false);
    of_session(METHOD_FIT_BEGIN, "job-1");
    of_session(METHOD_FIT_BEGIN, "job-2");
    assert_int_equal(got.err, SH_BUSY);
    assert_string_equal(got.code, "fit_busy");
    add("job-2", 0, 1);
    assert_int_equal(got.err, SH_NOTFOUND);
    add("job-1", 2, 1);
    assert_int_equal(got.err, SH_CONFLICT); /* the first two are missing */
    add("job-1", 0, 3);
    of_session(METHOD_FIT_BEGIN, "job-1"); /* the job begins anew */
    assert_int_equal(got.state.texts, 0);
    of_session(METHOD_FIT_DROP, "job-1");
    of_session(METHOD_FIT_BEGIN, "job-2");
    assert_int_equal(got.err, SH_OK);
}

static void too_little_text_fails_in_words(void **state)
{
    (void)state;
    open_embedder(false);
    of_session(METHOD_FIT_BEGIN, "job-1");
    add("job-1", 0, 1);
    of_session(METHOD_FIT_END, "job-1");
    wait_until_fitted("job-1");
    assert_string_equal(got.text[0], "failed");
    assert_string_equal(got.text[2], "too_little_text");
    add("job-1", 1, 1);
    assert_int_equal(got.err, SH_CONFLICT);
    of_session(METHOD_FIT_BEGIN, "job-2");
    assert_int_equal(got.err, SH_BUSY); /* until the first is dropped */
}

static bool is_forgotten(void *arg)
{
    struct fitting_figures figures;
    (void)arg;
    return sh_rpc_client_ready(fx.client) > 0 &&
           fitting_look(fx.embedder.fitting, sh_bytes_of("job-1"), &figures) != SH_OK;
}

static void a_session_nobody_asks_about_is_dropped(void **state)
{
    struct fitting_options options = {.threads = 1, .idle_ms = 1};
    struct fitting *fitting = NULL;
    (void)state;
    open_embedder(false);
    fitting_close(&fx.embedder.fitting);
    assert_int_equal(fitting_create(&fx.loop, &options, &fitting), SH_OK);
    fx.embedder.fitting = fitting;
    assert_int_equal(fitting_begin(fitting, sh_bytes_of("job-0"), 3), SH_OK);
    assert_int_equal(fitting_begin(fitting, sh_bytes_of("job-1"), 3), SH_BUSY);
    /* looking is a sign of life of the session that is looked at: job-1 is none */
    while (fitting_begin(fitting, sh_bytes_of("job-1"), 3) != SH_OK)
        uv_run(&fx.loop, UV_RUN_ONCE);
    fitting_drop(fitting, sh_bytes_of("job-1"));
    assert_true(is_forgotten(NULL));
}

/* --- fetching --------------------------------------------------------------------- */

static bool is_kept(void)
{
    char path[MODEL_FILES_PATH];
    assert_true(model_files_path(fx.dir, fx.fingerprint, ".lsa", path));
    return access(path, R_OK) == 0;
}

static void what_is_not_held_is_fetched(void **state)
{
    (void)state;
    open_embedder(true);
    embed("builtin:lsa", fx.fingerprint);
    assert_int_equal(got.err, SH_OK);
    assert_string_equal(got.text[0], fx.fingerprint);
    assert_int_equal(got.reply.dimension, 3);
    assert_int_equal(got.floats, 3);
    assert_float_equal(got.reply.alpha, 0.5, 1e-6F);
    assert_true(isfinite(got.first));
    assert_true(is_kept());
    unsigned asked = fx.asked;
    assert_in_range(asked, fx.file.len / fx.piece, fx.file.len / fx.piece + 1);
    embed("lsa", fx.fingerprint); /* it is at hand now */
    assert_int_equal(got.err, SH_OK);
    embed("", fx.fingerprint);
    assert_int_equal(got.err, SH_OK);
    assert_int_equal(fx.asked, asked);
    embed("", "");
    assert_int_equal(got.reply.dimension, 512); /* the default is what it was */
}

static void forget_model(const char *fingerprint)
{
    struct model_request request = {.fingerprint = sh_bytes_of(fingerprint)};
    call(METHOD_EMBEDDER_FORGET, model_request_desc(), &request);
    assert_int_equal(got.err, SH_OK);
}

static void a_model_that_is_dropped_is_closed(void **state)
{
    const struct shelf *shelf = &fx.embedder.shelf;
    (void)state;
    open_embedder(true);
    embed("builtin:lsa", fx.fingerprint);
    assert_int_equal(shelf->count, 2);
    forget_model("of nobody");
    forget_model(shelf->models[0]->provider->card.fingerprint); /* the default stays */
    assert_int_equal(shelf->count, 2);
    forget_model(fx.fingerprint);
    assert_int_equal(shelf->count, 1);
    embed("builtin:lsa", fx.fingerprint); /* wanted after all */
    assert_int_equal(got.err, SH_OK);
    assert_int_equal(shelf->count, 2);
}

static void several_that_ask_wait_for_one_file(void **state)
{
    struct model_request request = {sh_bytes_of("builtin:lsa"),
                                    sh_bytes_of(fx.fingerprint)};
    (void)state;
    open_embedder(true);
    struct embed_request first = wish("builtin:lsa", fx.fingerprint);
    uint64_t id = send_off(METHOD_EMBEDDER_EMBED, embed_request_desc(), &first);
    sh_rpc_cancel(fx.client, id); /* this one waits no more */
    call(METHOD_EMBEDDER_MODEL, model_request_desc(), &request);
    assert_int_equal(got.err, SH_OK);
    assert_in_range(fx.asked, 1, fx.file.len / fx.piece + 1);
}

static void a_kept_file_needs_no_search(void **state)
{
    char name[128];
    char path[MODEL_FILES_PATH];
    (void)state;
    assert_true(model_files_path(fx.dir, fx.fingerprint, ".lsa", path));
    assert_int_equal(pack_store(path, sh_buffer_bytes(&fx.file)), SH_OK);
    open_embedder(false);
    (void)snprintf(name, sizeof(name), "builtin:lsa@%s", fx.fingerprint);
    struct model_request request = {sh_bytes_of(name), {0}};
    call(METHOD_EMBEDDER_MODEL, model_request_desc(), &request);
    assert_int_equal(got.err, SH_OK);
    embed(name, "");
    assert_int_equal(got.err, SH_OK);
    assert_string_equal(got.text[0], fx.fingerprint);
    assert_int_equal(fx.asked, 0);
}

static void a_damaged_file_is_fetched_anew(void **state)
{
    char path[MODEL_FILES_PATH];
    (void)state;
    assert_true(model_files_path(fx.dir, fx.fingerprint, ".lsa", path));
    assert_int_equal(pack_store(path, (struct sh_bytes){fx.file.data, 500}), SH_OK);
    open_embedder(true);
    embed("builtin:lsa", fx.fingerprint);
    assert_int_equal(got.err, SH_OK);
    assert_true(fx.asked > 0);
}

static void what_search_has_not_may_come_later(void **state)
{
    (void)state;
    fx.has_it = false;
    open_embedder(true);
    embed("builtin:lsa", fx.fingerprint);
    assert_int_equal(got.err, SH_UNAVAILABLE);
    assert_false(is_kept());
    fx.has_it = true;
    embed("builtin:lsa", fx.fingerprint);
    assert_int_equal(got.err, SH_OK);
}

static void another_model_is_not_taken_for_it(void **state)
{
    char other[CARD_HASH_CHARS + 1];
    (void)state;
    memcpy(other, fx.fingerprint, sizeof(other));
    other[0] = other[0] == 'a' ? 'b' : 'a';
    memcpy(fx.fingerprint, other, sizeof(other)); /* search says that it is this one */
    open_embedder(true);
    embed("builtin:lsa", other);
    assert_int_equal(got.err, SH_UNAVAILABLE);
}

static void nothing_else_becomes_a_path(void **state)
{
    static const char *const bad[] = {"../../etc/passwd", "", "abc",
                                      "../../../../../../../../../../../../../../../../"
                                      "../../tmp/aaaaaa"};
    (void)state;
    open_embedder(true);
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        char name[256];
        (void)snprintf(name, sizeof(name), "builtin:lsa@%s", bad[i]);
        struct model_request request = {sh_bytes_of(name), {0}};
        call(METHOD_EMBEDDER_MODEL, model_request_desc(), &request);
        assert_int_equal(got.err, SH_NOTFOUND);
    }
    embed("builtin:lsa", "");
    assert_int_equal(got.err, SH_NOTFOUND);
    assert_int_equal(fx.asked, 0);
}

static void can_be_closed_while_it_fetches(void **state)
{
    (void)state;
    open_embedder(true);
    struct embed_request request = wish("builtin:lsa", fx.fingerprint);
    (void)send_off(METHOD_EMBEDDER_EMBED, embed_request_desc(), &request);
    while (fx.asked == 0)
        uv_run(&fx.loop, UV_RUN_ONCE);
    close_embedder();
    assert_true(got.done);
    open_embedder(false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fit_over_the_bus_makes_the_same_model),
        TEST(there_is_one_fit_at_a_time),
        TEST(too_little_text_fails_in_words),
        TEST(a_session_nobody_asks_about_is_dropped),
        TEST(what_is_not_held_is_fetched),
        TEST(a_model_that_is_dropped_is_closed),
        TEST(several_that_ask_wait_for_one_file),
        TEST(a_kept_file_needs_no_search),
        TEST(a_damaged_file_is_fetched_anew),
        TEST(what_search_has_not_may_come_later),
        TEST(another_model_is_not_taken_for_it),
        TEST(nothing_else_becomes_a_path),
        TEST(can_be_closed_while_it_fetches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
