/* The number for what searches are answered from: who hears of a write knows of it. */
#include "tests/unit/search/service_case.h"

static int set_up_all(void **state)
{
    assert_int_equal(set_up(state), 0);
    PUMP(&service, glossary_feed_version(service.glossary) != 0);
    return 0;
}

static uint64_t known(void)
{
    return sh_rpc_client_state(service.client);
}

static void put(const char *text)
{
    struct section section = {.text = sh_bytes_of(text)};
    struct document document = {.id = sh_bytes_of("d"),
                                .title = sh_bytes_of("T"),
                                .sections = &section,
                                .sections_count = 1};
    struct document_put message = {.document = &document, .document_count = 1};
    struct document_put_reply reply;
    struct answer answer;

    ask(&service, METHOD_DOCUMENT_PUT, &everybody, document_put_desc(), &message,
        &answer);
    PUMP(&service, answer.done);
    take(&answer, document_put_reply_desc(), &reply);
    assert_true(reply.visible);
    forget(&answer);
}

/* The generation in the answer; *hits: passages found. */
static uint64_t search(const char *query, size_t *hits)
{
    struct search_query message = {
        .query = sh_bytes_of(query), .max_results = 10, .vector_weight = -1, .mode = 2};
    struct search_results results;
    struct answer answer;

    ask(&service, METHOD_SEARCH_QUERY, &everybody, search_query_desc(), &message,
        &answer);
    PUMP(&service, answer.done);
    take(&answer, search_results_desc(), &results);
    *hits = results.hits_count;
    forget(&answer);
    return results.generation;
}

/* Looked at in the moment when the answer to the write has come. */
static void a_write_has_another_generation(void **state)
{
    uint64_t before = 0;
    size_t hits = 0;

    (void)state;
    PUMP(&service, known() != 0);
    for (int i = 0; i < 10; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "walrus number%d", i);
        before = known();
        put(text);
        uint64_t now = known();
        assert_true(now != 0 && now != before);
        (void)snprintf(text, sizeof(text), "number%d", i);
        assert_true(search(text, &hits) == now);
        assert_int_equal(hits, 1);
        assert_true(search(text, &hits) == now); /* reading changes nothing */
    }
}

static void the_same_record_has_the_same_generation_again(void **state)
{
    size_t hits = 0;

    (void)state;
    put("walruses");
    uint64_t before = known();
    assert_true(before != 0);
    feed_rebuild(service.feed); /* as another replica, which starts now */
    assert_true(feed_generation(service.feed) == 0);
    PUMP(&service, feed_current(service.feed));
    PUMP(&service, known() == before);
    assert_true(search("walruses", &hits) == before);
}

static void the_glossary_is_part_of_it(void **state)
{
    size_t hits = 0;

    (void)state;
    PUMP(&service, known() != 0);
    uint64_t before = glossary_feed_version(service.glossary);
    uint64_t generation = known();
    PGresult *done =
        PQexec(service.db, "INSERT INTO glossary_terms (id, term, language, status, "
                           "metadata) VALUES ('t1', 'walrus', 'en', 'validated', "
                           "'{\"synonyms\": [\"odobenus\"]}')");
    assert_int_equal(PQresultStatus(done), PGRES_COMMAND_OK);
    PQclear(done);
    PUMP(&service, glossary_feed_version(service.glossary) != before);
    PUMP(&service, known() != 0 && known() != generation);
    assert_true(search("walrus", &hits) == known());
}

static void settings_are_part_of_it(void **state)
{
    struct search_config config = {.text_k1 = 1.2,
                                   .boost_score = 0.8,
                                   .vector_codes = "int8",
                                   .rerank_url = "",
                                   .rerank_shape = "tei",
                                   .rerank_model = ""};
    (void)state;
    uint64_t one = answer_state_settings(&config);
    assert_true(answer_state_settings(&config) == one);
    config.boost_score = 0.7;
    assert_true(answer_state_settings(&config) != one);
    config.boost_score = 0.8;
    config.rerank_url = "http://127.0.0.1:1/rerank";
    assert_true(answer_state_settings(&config) != one);
}

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_write_has_another_generation, set_up_all,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_same_record_has_the_same_generation_again,
                                        set_up_all, tear_down),
        cmocka_unit_test_setup_teardown(the_glossary_is_part_of_it, set_up_all,
                                        tear_down),
        cmocka_unit_test(settings_are_part_of_it),
    };
    return cmocka_run_group_tests_name("generation", tests, NULL, NULL);
}
