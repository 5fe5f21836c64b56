/* What a search answers besides its hits, with the parts of the service together: the
 * glossary from the record. */
#include "tests/unit/search/service_fixture.h"

static struct service service;

static int set_up(void **state)
{
    (void)state;
    service_start(&service);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    service_stop(&service);
    return 0;
}

static const struct caller everybody = {
    .role = {"admin", 5}, .clearance = 5, .all_departments = true};

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

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(the_glossary_widens_what_is_found_and_says_so),
        WITH(it_can_be_switched_off),
        WITH(the_glossary_is_kept_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
