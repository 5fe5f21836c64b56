#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "services/embedder/provider/ollama.h"
#include "shared/breaker.h"
#include "shared/clock.h"
#include "shared/http_client.h"

/* The provider against tests/support/fake_ollama.py: real HTTP, real faults. */

enum { PATIENCE_MS = 60000, TEXTS_MAX = 16 };

static struct fixture {
    uv_loop_t loop;
    uv_timer_t wake; /* so that a turn of the loop ends when nothing comes */
    struct provider *provider;
    struct sh_http_client *http; /* to steer the server */
    char url[128];
    char embed_url[160];
    pid_t pid;
    int control_status;
    char control_body[4096];
    bool control_done;
    uint64_t verify_ms; /* 0: the provider's own */
} fx;

/* --- the server ------------------------------------------------------------------- */

static void start_server(void)
{
    int out[2];
    assert_int_equal(pipe(out), 0);
    fx.pid = fork();
    assert_true(fx.pid >= 0);
    if (fx.pid == 0) {
        dup2(out[1], 1);
        close(out[0]);
        close(out[1]);
        execlp("python3", "python3", "tests/support/fake_ollama.py", "--port", "0",
               "--dimension", "64", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    size_t len = 0;
    ssize_t got = 0;
    while (len + 1 < sizeof(fx.url) && !memchr(fx.url, '\n', len) &&
           (got = read(out[0], fx.url + len, sizeof(fx.url) - 1 - len)) > 0)
        len += (size_t)got;
    close(out[0]);
    fx.url[strcspn(fx.url, "\n")] = '\0';
    assert_true(strncmp(fx.url, "http://", 7) == 0);
    (void)snprintf(fx.embed_url, sizeof(fx.embed_url), "%s/api/embed", fx.url);
}

static void stop_server(void)
{
    if (fx.pid > 0) {
        kill(fx.pid, SIGKILL);
        waitpid(fx.pid, NULL, 0);
    }
    fx.pid = 0;
}

static void on_wake(uv_timer_t *timer)
{
    (void)timer;
}

/* One turn of the loop: until something happens, or 10 ms. */
static void turn(void)
{
    (void)uv_timer_start(&fx.wake, on_wake, 10, 0);
    uv_run(&fx.loop, UV_RUN_ONCE);
}

static void pump(const bool *done)
{
    uint64_t end = sh_now_ms() + PATIENCE_MS;
    while (!*done) {
        if (sh_now_ms() > end)
            fail_msg("nothing happened within %d ms", PATIENCE_MS);
        turn();
    }
}

static void on_control(void *arg, enum sh_err err,
                       const struct sh_http_incoming *incoming)
{
    (void)arg;
    assert_int_equal(err, SH_OK);
    fx.control_status = incoming->status;
    (void)snprintf(fx.control_body, sizeof(fx.control_body), "%.*s",
                   (int)incoming->body.len, (const char *)incoming->body.data);
    fx.control_done = true;
}

static const char *control(const char *method, const char *path, const char *body)
{
    char url[256];
    (void)snprintf(url, sizeof(url), "%s%s", fx.url, path);
    struct sh_http_call *call = NULL;
    fx.control_done = false;
    assert_int_equal(sh_http_client_send(fx.http,
                                         &(struct sh_http_outgoing){
                                             .method = method,
                                             .url = url,
                                             .body = sh_bytes_of(body),
                                             .timeout_ms = PATIENCE_MS,
                                         },
                                         on_control, NULL, &call),
                     SH_OK);
    pump(&fx.control_done);
    assert_int_equal(fx.control_status, 200);
    return fx.control_body;
}

/* --- the provider ----------------------------------------------------------------- */

static void open_provider(uint64_t timeout_ms, unsigned breaker_failures)
{
    assert_int_equal(ollama_create(&fx.loop,
                                   &(struct ollama_options){
                                       .url = fx.embed_url,
                                       .model = "nomic-embed-text",
                                       .query_prefix = "auto",
                                       .document_prefix = "auto",
                                       .timeout_ms = timeout_ms,
                                       .batch_texts = TEXTS_MAX,
                                       .batch_bytes = 1 << 20,
                                       .concurrency = 2,
                                       .retries = 2,
                                       .breaker_failures = breaker_failures,
                                       .poll_ms = 50,
                                       .verify_ms = fx.verify_ms,
                                   },
                                   &fx.provider),
                     SH_OK);
}

static void wait_until_ready(bool ready)
{
    uint64_t end = sh_now_ms() + PATIENCE_MS;
    while (fx.provider->ready != ready) {
        if (sh_now_ms() > end)
            fail_msg("never %sready: %s", ready ? "" : "un", fx.provider->why);
        turn();
    }
}

static int set_up(void **state)
{
    (void)state;
    memset(&fx, 0, sizeof(fx));
    assert_int_equal(uv_loop_init(&fx.loop), 0);
    assert_int_equal(uv_timer_init(&fx.loop, &fx.wake), 0);
    assert_int_equal(sh_http_client_create(&fx.loop, 0, &fx.http), SH_OK);
    start_server();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (fx.provider)
        fx.provider->close(fx.provider);
    sh_http_client_close(&fx.http);
    stop_server();
    uv_close((uv_handle_t *)&fx.wake, NULL);
    for (int i = 0; i < 1000 && uv_loop_alive(&fx.loop); i++)
        uv_run(&fx.loop, UV_RUN_NOWAIT);
    return uv_loop_close(&fx.loop);
}

struct asked {
    struct provider_batch batch;
    struct provider_text texts[TEXTS_MAX];
    float vectors[TEXTS_MAX][64];
    bool done;
};

static void on_done(struct provider_batch *batch)
{
    struct asked *asked = batch->arg;
    asked->done = true;
}

static void submit(struct asked *asked, const char *const *texts, size_t count,
                   uint64_t timeout_ms)
{
    memset(asked, 0, sizeof(*asked));
    for (size_t i = 0; i < count; i++) {
        asked->texts[i] = (struct provider_text){.text = sh_bytes_of(texts[i]),
                                                 .vector = asked->vectors[i]};
    }
    asked->batch.texts = asked->texts;
    asked->batch.count = count;
    asked->batch.dimension = 64;
    asked->batch.deadline_ms = sh_now_ms() + timeout_ms;
    asked->batch.done = on_done;
    asked->batch.arg = asked;
    fx.provider->submit(fx.provider, &asked->batch);
}

static struct asked asked;

static void ask(const char *const *texts, size_t count)
{
    submit(&asked, texts, count, PATIENCE_MS);
    pump(&asked.done);
}

static double dot(const float *a, const float *b)
{
    double sum = 0;
    for (size_t i = 0; i < 64; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* --- tests ------------------------------------------------------------------------ */

static const char *const three[] = {"red roses", "a red rose", "database pool"};

static void learns_the_model_and_embeds(void **state)
{
    (void)state;
    open_provider(5000, 5);
    assert_false(fx.provider->known);
    wait_until_ready(true);
    const struct card *card = &fx.provider->card;
    assert_int_equal(card->dimension, 64);
    assert_int_equal(card->context_length, 8192);
    assert_int_equal(strlen(card->fingerprint), CARD_HASH_CHARS);
    assert_string_equal(card->query_prefix, "search_query: ");
    ask(three, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(asked.texts[i].err, SH_OK);
        assert_true(fabs(dot(asked.vectors[i], asked.vectors[i]) - 1) < 1e-5);
    }
    assert_true(dot(asked.vectors[0], asked.vectors[1]) >
                dot(asked.vectors[0], asked.vectors[2]) + 0.2);
    /* the probe and one call for all three */
    assert_non_null(strstr(control("GET", "/calls", NULL), "\"batches\": [1, 3]"));
}

static void a_bad_text_fails_alone(void **state)
{
    (void)state;
    open_provider(5000, 5);
    wait_until_ready(true);
    for (size_t bad = 0; bad < 10; bad++) {
        const char *texts[10];
        for (size_t i = 0; i < 10; i++)
            texts[i] = i == bad ? "poison" : "harmless";
        control("POST", "/fault", "{\"mode\":\"500\",\"match\":\"poison\"}");
        ask(texts, 10);
        for (size_t i = 0; i < 10; i++)
            assert_int_equal(asked.texts[i].err, i == bad ? SH_UPSTREAM : SH_OK);
    }
}

static void check_nonsense(const char *mode)
{
    char fault[64];
    (void)snprintf(fault, sizeof(fault), "{\"mode\":\"%s\"}", mode);
    control("POST", "/fault", fault);
    ask(three, 3);
    for (size_t j = 0; j < 3; j++) {
        if (asked.texts[j].err != SH_UPSTREAM)
            fail_msg("%s: text %zu: %s", mode, j, sh_err_text(asked.texts[j].err));
    }
    ask(three, 1);
    assert_int_equal(asked.texts[0].err, SH_UPSTREAM);
    control("POST", "/fault", "{\"mode\":\"ok\"}");
    ask(three, 3);
    assert_int_equal(asked.texts[2].err, SH_OK);
}

static void nonsense_is_never_a_vector(void **state)
{
    (void)state;
    static const char *const modes[] = {
        "500", "wrong_dimension", "wrong_count", "half_body", "nan", "zero", "garbage"};
    open_provider(5000, 50);
    wait_until_ready(true);
    for (size_t i = 0; i < SH_COUNT(modes); i++)
        check_nonsense(modes[i]);
}

static void a_passing_fault_is_tried_again(void **state)
{
    (void)state;
    open_provider(5000, 5);
    wait_until_ready(true);
    control("POST", "/fault", "{\"mode\":\"500\",\"times\":1}");
    ask(three, 1);
    assert_int_equal(asked.texts[0].err, SH_OK);
    uint64_t start = sh_now_ms();
    control("POST", "/fault", "{\"mode\":\"429\",\"times\":1}");
    ask(three, 3);
    assert_int_equal(asked.texts[0].err, SH_OK);
    assert_true(sh_now_ms() - start >= 950); /* Retry-After: 1 */
}

static void a_hanging_endpoint_costs_the_timeout(void **state)
{
    (void)state;
    open_provider(300, 2);
    wait_until_ready(true);
    control("POST", "/fault", "{\"mode\":\"hang\"}");
    ask(three, 3);
    assert_int_equal(asked.texts[0].err, SH_TIMEOUT);
    ask(three, 3);
    assert_int_equal(asked.texts[0].err, SH_TIMEOUT);
    ask(three, 3); /* the breaker is open: it is not asked at all */
    assert_int_equal(asked.texts[0].err, SH_UNAVAILABLE);
    control("POST", "/fault", "{\"mode\":\"ok\"}");
    wait_until_ready(true);
    ask(three, 3);
    assert_int_equal(asked.texts[0].err, SH_OK);
}

static void a_deadline_is_kept(void **state)
{
    (void)state;
    open_provider(10L * PATIENCE_MS, 5);
    wait_until_ready(true);
    control("POST", "/fault", "{\"mode\":\"hang\"}");
    submit(&asked, three, 3, 200);
    pump(&asked.done); /* loses patience before the provider's own timeout */
    assert_int_equal(asked.texts[0].err, SH_TIMEOUT);
}

static void comes_back_with_the_endpoint(void **state)
{
    (void)state;
    open_provider(2000, 2);
    wait_until_ready(true);
    stop_server();
    wait_until_ready(false);
    ask(three, 3);
    assert_int_equal(asked.texts[0].err, SH_UNAVAILABLE);
    assert_true(fx.provider->known); /* its vectors can still be compared */
}

/* Steer the server; the provider must notice by itself. */
static void change_model(const char *how)
{
    char before[CARD_HASH_CHARS + 1];
    memcpy(before, fx.provider->card.fingerprint, sizeof(before));
    control("POST", "/model", how);
    uint64_t end = sh_now_ms() + PATIENCE_MS;
    while (strcmp(before, fx.provider->card.fingerprint) == 0) {
        assert_true(sh_now_ms() < end);
        turn();
    }
    assert_true(fx.provider->ready);
}

static void another_model_has_another_fingerprint(void **state)
{
    (void)state;
    open_provider(5000, 5);
    wait_until_ready(true);
    change_model("{\"digest\":\"another\"}");
}

/* Nothing tells but the vectors. */
static void other_vectors_behind_the_same_digest_are_noticed(void **state)
{
    (void)state;
    fx.verify_ms = 50;
    open_provider(5000, 5);
    wait_until_ready(true);
    change_model("{\"seed\":\"other\"}");
    char second[CARD_HASH_CHARS + 1];
    memcpy(second, fx.provider->card.fingerprint, sizeof(second));
    change_model("{\"seed\":\"third\"}");
    assert_string_not_equal(fx.provider->card.fingerprint, second);
    change_model("{\"seed\":\"other\"}"); /* that one again */
    assert_string_equal(fx.provider->card.fingerprint, second);
}

static void closing_ends_what_is_under_way(void **state)
{
    (void)state;
    open_provider(10000, 5);
    wait_until_ready(true);
    control("POST", "/fault", "{\"mode\":\"hang\"}");
    submit(&asked, three, 3, PATIENCE_MS);
    uv_run(&fx.loop, UV_RUN_NOWAIT);
    fx.provider->close(fx.provider);
    fx.provider = NULL;
    assert_true(asked.done);
    assert_int_equal(asked.texts[0].err, SH_CANCELED);
}

static void a_strange_url_is_refused(void **state)
{
    (void)state;
    struct ollama_options options = {.url = "http://localhost/embed",
                                     .model = "m",
                                     .query_prefix = "",
                                     .document_prefix = "",
                                     .concurrency = 1};
    struct provider *provider = NULL;
    assert_int_equal(ollama_create(&fx.loop, &options, &provider), SH_INVALID);
    options.url = "http://localhost/api/embed";
    options.model = "";
    assert_int_equal(ollama_create(&fx.loop, &options, &provider), SH_INVALID);
}

static void the_breaker_lets_one_probe_through(void **state)
{
    (void)state;
    struct sh_breaker b = {.threshold = 3};
    for (unsigned i = 0; i < 3; i++) {
        assert_true(sh_breaker_allow(&b, 100));
        sh_breaker_failure(&b, 100);
    }
    assert_false(sh_breaker_allow(&b, 1099));
    assert_true(sh_breaker_allow(&b, 1100));
    assert_false(sh_breaker_allow(&b, 1101));
    sh_breaker_success(&b);
    assert_true(sh_breaker_allow(&b, 1102));
    assert_true(sh_breaker_allow(&b, 1102));
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_breaker_lets_one_probe_through),
        cmocka_unit_test_setup_teardown(learns_the_model_and_embeds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_text_fails_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nonsense_is_never_a_vector, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_passing_fault_is_tried_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_hanging_endpoint_costs_the_timeout, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_deadline_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(comes_back_with_the_endpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_vectors_behind_the_same_digest_are_noticed,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_model_has_another_fingerprint, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(closing_ends_what_is_under_way, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_strange_url_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("ollama", tests, NULL, NULL);
}
