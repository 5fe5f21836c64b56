/* What becomes of a search around the view, with the parts of the service together: the
 * glossary from the record, and tests/support/fake_rerank.py behind real HTTP. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/metrics.h"
#include "tests/unit/search/service_case.h"

static struct endpoint { /* for re-ranking */
    pid_t pid;
    char base[128];
    char url[256];
} endpoint;

static void put(const char *id, const char *text)
{
    struct section section = {.text = sh_bytes_of(text)};
    struct document document = {
        .id = sh_bytes_of(id), .sections = &section, .sections_count = 1};
    struct document_put message = {.document = &document, .document_count = 1};
    struct answer answer;

    ask(&service, METHOD_DOCUMENT_PUT, &everybody, document_put_desc(), &message,
        &answer);
    PUMP(&service, answer.done);
    assert_int_equal(answer.err, SH_OK);
    forget(&answer);
}

static struct search_query question(const char *text)
{
    return (struct search_query){
        .query = sh_bytes_of(text), .mode = 2, .vector_weight = -1, .max_results = 10};
}

/* The results live as long as the answer. */
static void search(const struct search_query *query, struct answer *answer,
                   struct search_results *results)
{
    ask(&service, METHOD_SEARCH_QUERY, &everybody, search_query_desc(), query, answer);
    PUMP(&service, answer->done);
    take(answer, search_results_desc(), results);
}

static size_t count_of(const struct search_query *query, size_t *expanded)
{
    struct answer answer;
    struct search_results results;

    search(query, &answer, &results);
    *expanded = results.expanded_count;
    size_t hits = results.hits_count;
    forget(&answer);
    return hits;
}

/* Ask until the glossary is as it should be: nothing tells when that is. */
static void await_hits(const char *text, size_t expanded, size_t hits)
{
    struct search_query query = question(text);
    uint64_t until = sh_now_ms() + SERVERS_PUMP_MS;
    size_t found = SIZE_MAX;

    while (sh_now_ms() < until) {
        if (count_of(&query, &found) == hits && found == expanded)
            return;
    }
    fail_msg("%zu expansions of \"%s\" did not come about", expanded, text);
}

static void sql(const char *text)
{
    (void)servers_sql(service.db, text);
}

static void the_glossary_widens_what_is_found_and_says_so(void **state)
{
    struct search_query query = question("vpn");
    struct search_results results;
    struct answer answer;

    (void)state;
    put("d1", "a virtual private network for staff");
    put("d2", "the VPN is slow");
    await_hits("vpn", 0, 1);
    sql("INSERT INTO glossary_terms (id, term, metadata) VALUES "
        "('t1', 'virtual private network', '{\"acronym\": \"VPN\"}')");
    await_hits("vpn", 1, 2);
    search(&query, &answer, &results);
    assert_true(sh_bytes_is(results.expanded[0].term, "VPN"));
    assert_true(sh_bytes_is(results.expanded[0].kind, "acronym"));
    assert_int_equal(results.expanded[0].added_count, 1);
    assert_true(sh_bytes_is(results.expanded[0].added[0], "virtual private network"));
    assert_true(
        sh_bytes_is(results.hits[0].document_id, "d2")); /* what was asked first */
    forget(&answer);
}

static void it_can_be_switched_off(void **state)
{
    struct search_query query = question("vpn");
    size_t expanded;

    (void)state;
    put("d1", "a virtual private network for staff");
    sql("INSERT INTO glossary_terms (id, term, metadata) VALUES "
        "('t1', 'virtual private network', '{\"acronym\": \"VPN\"}')");
    await_hits("vpn", 1, 1);
    query.no_expand = true;
    assert_int_equal(count_of(&query, &expanded), 0);
    assert_int_equal(expanded, 0);
    query = question("\"vpn\"");
    assert_int_equal(count_of(&query, &expanded), 0);
    assert_int_equal(expanded, 0);
    query = question("vpn");
    query.mode = 1; /* by vector alone: there is no text leg to widen */
    (void)count_of(&query, &expanded);
    assert_int_equal(expanded, 0);
}

static void the_glossary_is_kept_current(void **state)
{
    (void)state;
    put("d1", "a walrus on the ice");
    sql("INSERT INTO glossary_terms (id, term, metadata) VALUES "
        "('t1', 'tooth walker', '{\"synonyms\": [\"walrus\"]}'), "
        "('t2', 'rejected term', '{\"synonyms\": [\"walrus\"]}')");
    await_hits("tooth walker", 1, 1);
    sql("UPDATE glossary_terms SET status = 'rejected' WHERE id = 't2'");
    await_hits("rejected term", 0, 0);
    sql("UPDATE glossary_terms SET metadata = '{\"synonyms\": [\"seal\"]}' "
        "WHERE id = 't1'");
    await_hits("tooth walker", 1, 0);
    sql("DELETE FROM glossary_terms WHERE id = 't1'");
    await_hits("tooth walker", 0, 0);
}

/* --- re-ranking ------------------------------------------------------------------- */

static int start_endpoint(void **state)
{
    int out[2];
    size_t len = 0;
    ssize_t got = 0;

    (void)state;
    assert_int_equal(pipe(out), 0);
    endpoint.pid = fork();
    assert_true(endpoint.pid >= 0);
    if (endpoint.pid == 0) {
        dup2(out[1], 1);
        close(out[0]);
        close(out[1]);
        execlp("python3", "python3", "tests/support/fake_rerank.py", "--like", "walrus",
               "--key", "sesame", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    while (len + 1 < sizeof(endpoint.base) && !memchr(endpoint.base, '\n', len) &&
           (got = read(out[0], endpoint.base + len, sizeof(endpoint.base) - 1 - len)) > 0)
        len += (size_t)got;
    close(out[0]);
    endpoint.base[strcspn(endpoint.base, "\n")] = '\0';
    assert_true(strncmp(endpoint.base, "http://", 7) == 0);
    return 0;
}

static int stop_endpoint(void **state)
{
    (void)state;
    kill(endpoint.pid, SIGKILL);
    waitpid(endpoint.pid, NULL, 0);
    return 0;
}

/* `path`: "/500/rerank" and the like. */
static void rerank_by(const char *path, enum rerank_shape shape, uint64_t timeout_ms,
                      size_t top)
{
    struct reranker_options options = {.url = endpoint.url,
                                       .shape = shape,
                                       .model = "",
                                       .api_key = "sesame",
                                       .timeout_ms = timeout_ms,
                                       .top = top};

    (void)snprintf(endpoint.url, sizeof(endpoint.url), "%s%s", endpoint.base, path);
    assert_int_equal(reranker_create(&service.loop, &options, &service.querier.reranker),
                     SH_OK);
}

static void rerank_no_more(void)
{
    reranker_close(&service.querier.reranker);
}

/* By words alone "seal" stands first in d1, then in d2 and d3; the endpoint likes d3. */
static void put_seals(void)
{
    put("d1", "seal seal seal");
    put("d2", "seal on the ice, and more words");
    put("d3", "a walrus is no seal, whatever some people say of it");
}

/* The documents of the hits, "132", and whether "rerank" was out. */
static const char *order_of(const struct search_query *query, bool *out)
{
    static char order[16];
    struct search_results results;
    struct answer answer;

    search(query, &answer, &results);
    memset(order, 0, sizeof(order));
    for (size_t i = 0; i < results.hits_count; i++)
        order[i] = ((const char *)results.hits[i].document_id.data)[1];
    for (size_t i = 1; i < results.hits_count; i++)
        assert_true(results.hits[i - 1].combined_score >= results.hits[i].combined_score);
    *out = results.degraded_count > 0 && sh_bytes_is(results.degraded[0], "rerank");
    assert_int_equal(results.degraded_count, *out);
    assert_int_equal(results.total, 3);
    forget(&answer);
    return order;
}

static void the_endpoint_decides_on_the_order(void **state)
{
    struct search_query query = question("seal");
    bool out;

    (void)state;
    put_seals();
    assert_string_equal(order_of(&query, &out), "123");
    rerank_by("/rerank", RERANK_TEI, 60000, 32);
    assert_string_equal(order_of(&query, &out), "312");
    assert_false(out);
    rerank_no_more();
    rerank_by("/v2/rerank", RERANK_COHERE, 60000, 32);
    assert_string_equal(order_of(&query, &out), "312");
    assert_false(out);
    rerank_no_more();
    rerank_by("/logits/rerank", RERANK_TEI, 60000, 32);
    assert_string_equal(order_of(&query, &out), "312");
    assert_false(out);
    rerank_no_more();
}

static void pages_of_what_was_reranked_fit_together(void **state)
{
    struct search_query query = question("seal");
    bool out;

    (void)state;
    put_seals();
    rerank_by("/rerank", RERANK_TEI, 60000, 32);
    query.max_results = 1;
    assert_string_equal(order_of(&query, &out), "3");
    query.offset = 1;
    assert_string_equal(order_of(&query, &out), "1");
    query.max_results = 5;
    assert_string_equal(order_of(&query, &out), "12");
    query.offset = 3;
    assert_string_equal(order_of(&query, &out), "");
    assert_false(out);
    rerank_no_more();
    rerank_by("/rerank", RERANK_TEI, 60000, 2); /* d3 is not looked at */
    query.offset = 0;
    assert_string_equal(order_of(&query, &out), "123");
    query.offset = 2;
    assert_string_equal(order_of(&query, &out), "3");
    assert_false(out);
    rerank_no_more();
}

static void explanations_show_the_endpoints_score(void **state)
{
    struct search_query query = question("seal");
    struct search_results results;
    struct answer answer;

    (void)state;
    put_seals();
    rerank_by("/rerank", RERANK_TEI, 60000, 32);
    query.explain = true;
    search(&query, &answer, &results);
    struct sh_bytes text = results.hits[0].explanation;
    assert_non_null(memmem(text.data, text.len, "\"rerank\":{\"score\":0.91,", 23));
    assert_non_null(memmem(text.data, text.len, "\"rank\":1}", 9));
    forget(&answer);
    rerank_no_more();
}

static void whatever_it_does_the_order_stands_and_the_answer_says_so(void **state)
{
    static const char *const faults[] = {
        "500",      "429",   "404",      "garbage",   "half",     "refuse",
        "empty",    "short", "long",     "duplicate", "stranger", "negative",
        "fraction", "nan",   "infinite", "text",      "huge",     "nothing"};
    struct search_query query = question("seal");
    char path[64];
    bool out;

    (void)state;
    put_seals();
    for (size_t i = 0; i < SH_COUNT(faults); i++) {
        (void)snprintf(path, sizeof(path), "/%s/rerank", faults[i]);
        rerank_by(path, RERANK_TEI, 60000, 32);
        assert_string_equal(order_of(&query, &out), "123");
        assert_true(out);
        rerank_no_more();
    }
    rerank_by("/hang/rerank", RERANK_TEI, 50, 32);
    assert_string_equal(order_of(&query, &out), "123");
    assert_true(out);
    rerank_no_more();
}

static void one_that_is_down_is_not_asked_every_time(void **state)
{
    struct search_query query = question("seal");
    struct sh_bytes text = sh_bytes_of("x");
    struct rerank_job job = {.question = {text, &text, 1}};
    bool out;

    (void)state;
    put_seals();
    rerank_by("/500/rerank", RERANK_TEI, 60000, 32);
    for (int i = 0; i < 20; i++) {
        assert_string_equal(order_of(&query, &out), "123");
        assert_true(out);
    }
    /* no probe is due at a time that is over */
    assert_int_equal(reranker_start(service.querier.reranker, &job), SH_UNAVAILABLE);
    rerank_no_more();
}

static void an_incomplete_answer_can_be_refused(void **state)
{
    struct search_query query = question("seal");
    struct answer answer;

    (void)state;
    put_seals();
    rerank_by("/500/rerank", RERANK_TEI, 60000, 32);
    query.require_complete = true;
    ask(&service, METHOD_SEARCH_QUERY, &everybody, search_query_desc(), &query, &answer);
    PUMP(&service, answer.done);
    assert_int_equal(answer.err, SH_UNAVAILABLE);
    forget(&answer);
    rerank_no_more();
}

static void a_stop_ends_what_is_under_way(void **state)
{
    struct search_query query = question("seal");
    struct answer answer;

    (void)state;
    put_seals();
    rerank_by("/hang/rerank", RERANK_TEI, 60000, 32);
    ask(&service, METHOD_SEARCH_QUERY, &everybody, search_query_desc(), &query, &answer);
    for (int i = 0; i < 200; i++)
        uv_run(&service.loop, UV_RUN_NOWAIT);
    rerank_no_more();
    PUMP(&service, answer.done); /* before or after it was sent: by the fused order */
    assert_int_equal(answer.err, SH_OK);
    forget(&answer);
}

/* --- recall ----------------------------------------------------------------------- */

static bool metrics_say(const char *line)
{
    struct sh_buffer text = {0};

    sh_metrics_render(&text, false);
    bool found = memmem(text.data, text.len, line, strlen(line)) != NULL;
    sh_buffer_free(&text);
    return found;
}

static void a_share_of_the_searches_is_checked(void **state)
{
    struct shadow shadow = {.feed = service.feed,
                            .searchers = service.searchers,
                            .checker = service.checker,
                            .rate = 0};
    struct search_query query = question("seal");
    size_t expanded;

    (void)state;
    put_seals();
    service.querier.shadow = &shadow;
    query.mode = 0;
    query.similarity_threshold = -1;
    (void)count_of(&query, &expanded);
    assert_false(shadow.running); /* rate 0: none */
    shadow.rate = 1;
    shadow.next_us = UINT64_MAX;
    (void)count_of(&query, &expanded);
    assert_false(shadow.running); /* its time is used up */
    shadow.next_us = 0;
    query.mode = 2;
    (void)count_of(&query, &expanded);
    assert_false(shadow.running); /* no vector leg */
    assert_false(metrics_say("cairn_search_recall_ratio_count"));
    query.mode = 0;
    query.filters = sh_bytes_of("{\"collection\":\"default\"}");
    (void)count_of(&query, &expanded);
    PUMP(&service, !shadow.running);
    PUMP(&service, metrics_say("cairn_search_recall_ratio_count{strategy=\"exact\","
                               "selectivity=\"1\"} 1"));
    assert_true(metrics_say("cairn_search_recall_ratio_sum{strategy=\"exact\","
                            "selectivity=\"1\"} 1"));
    assert_true(shadow.next_us > 0);
    uint64_t checks;
    assert_true(recent_recall_mean(&shadow.recent, sh_now_us(), &checks) == 1);
    assert_int_equal(checks, 1);
    service.querier.shadow = NULL;
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
    const struct CMUnitTest tests[] = {
        WITH(the_glossary_widens_what_is_found_and_says_so),
        WITH(it_can_be_switched_off),
        WITH(the_glossary_is_kept_current),
        WITH(the_endpoint_decides_on_the_order),
        WITH(pages_of_what_was_reranked_fit_together),
        WITH(explanations_show_the_endpoints_score),
        WITH(whatever_it_does_the_order_stands_and_the_answer_says_so),
        WITH(one_that_is_down_is_not_asked_every_time),
        WITH(an_incomplete_answer_can_be_refused),
        WITH(a_stop_ends_what_is_under_way),
        WITH(a_share_of_the_searches_is_checked),
    };
    return cmocka_run_group_tests(tests, start_endpoint, stop_endpoint);
}
