/* Documents in, passages out: the parts of the service together. */
#include "tests/unit/search/service_case.h"

static void put(const char *id, const char *title, const char *text, const char *metadata,
                struct answer *answer)
{
    struct section section = {.text = sh_bytes_of(text)};
    struct document document = {.id = sh_bytes_of(id),
                                .title = sh_bytes_of(title),
                                .metadata = sh_bytes_of(metadata),
                                .sections = &section,
                                .sections_count = text != NULL};
    struct document_put message = {.document = &document, .document_count = 1};

    ask(&service, METHOD_DOCUMENT_PUT, &everybody, document_put_desc(), &message, answer);
}

static struct document_put_reply put_now(const char *id, const char *title,
                                         const char *text)
{
    struct document_put_reply reply;
    struct answer answer;

    put(id, title, text, "", &answer);
    PUMP(&service, answer.done);
    take(&answer, document_put_reply_desc(), &reply);
    forget(&answer); /* but for numbers and flags, which is all that is looked at */
    return reply;
}

/* How many hits; `degraded` gets whether the vector leg was out. */
static size_t search(const char *text, uint32_t mode, bool *degraded, enum sh_err *err)
{
    struct search_query query = {.query = sh_bytes_of(text),
                                 .mode = mode,
                                 .vector_weight = -1,
                                 .max_results = 10,
                                 .similarity_threshold = -1};
    struct search_results results = {0};
    struct answer answer;

    ask(&service, METHOD_SEARCH_QUERY, &everybody, search_query_desc(), &query, &answer);
    PUMP(&service, answer.done);
    *err = answer.err;
    if (answer.err == SH_OK)
        take(&answer, search_results_desc(), &results);
    *degraded = results.degraded_count > 0;
    size_t hits = results.hits_count;
    forget(&answer);
    return hits;
}

static size_t find(const char *text)
{
    bool degraded;
    enum sh_err err;
    size_t hits = search(text, 2, &degraded, &err);

    assert_int_equal(err, SH_OK);
    assert_false(degraded);
    return hits;
}

static const char *count(const char *table)
{
    char sql[64];

    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
    return servers_sql(service.db, sql);
}

#define LONG_TEXT                                                                        \
    "The first paragraph tells of zebras, of what they eat, where they live and why "    \
    "nobody ever managed to ride one for long without regretting it afterwards.\n\n"     \
    "The second paragraph tells of walruses, of the ice that they rest on and of the "   \
    "deep water in which they look for clams whenever they become hungry again.\n\n"     \
    "The third paragraph tells of hedgehogs, of gardens at night and of slugs, which "   \
    "have no opinion on the matter that anybody has written down until this day."

/* --- storing ---------------------------------------------------------------------- */

static void what_is_put_is_found_at_once(void **state)
{
    bool degraded;
    enum sh_err err;
    struct document_put_reply reply = put_now("d1", "Animals", LONG_TEXT);

    (void)state;
    assert_true(reply.created);
    assert_false(reply.unchanged);
    assert_true(reply.chunks >= 3);
    assert_int_equal(reply.pending_embedding, 0);
    assert_int_equal(service.embedder.texts, reply.chunks);
    assert_int_equal(service_stats(&service).vectors, reply.chunks);
    assert_int_equal(find("walruses"), 1);
    assert_true(search("walruses", 0, &degraded, &err) >= 1);
    assert_false(degraded);
    assert_true(search("anything", 1, &degraded, &err) >= 1);
    assert_int_equal(service.embedder.queries, 2);
}

static void the_same_again_costs_nothing(void **state)
{
    char before[1024];

    (void)state;
    put_now("d1", "Animals", LONG_TEXT);
    (void)snprintf(before, sizeof(before), "%s",
                   servers_sql(service.db, "SELECT xmin FROM documents"));
    size_t texts = service.embedder.texts;
    struct document_put_reply reply = put_now("d1", "Animals", LONG_TEXT);
    assert_true(reply.unchanged);
    assert_false(reply.created);
    assert_true(reply.chunks >= 3);
    assert_int_equal(service.embedder.texts, texts);
    assert_string_equal(servers_sql(service.db, "SELECT xmin FROM documents"), before);
}

static void passages_that_stay_keep_their_vectors(void **state)
{
    struct document_put_reply reply = put_now("d1", "Animals", LONG_TEXT);
    size_t texts = service.embedder.texts;

    (void)state;
    assert_int_equal(texts, reply.chunks);
    reply = put_now("d1", "Animals",
                    LONG_TEXT "\n\nA new last one tells of okapis, "
                              "which nobody had thought of until now "
                              "although they are nice to look at too, "
                              "and hard to find when it is dark.");
    assert_false(reply.created);
    assert_false(reply.unchanged);
    assert_true(service.embedder.texts - texts < reply.chunks - 1);
    assert_int_equal(service_stats(&service).vectors, reply.chunks);
    assert_int_equal(find("okapis"), 1);
}

static void a_replaced_document_is_gone_as_a_whole(void **state)
{
    (void)state;
    put_now("d1", "Animals", LONG_TEXT);
    put_now("d1", "Plants", "Only ferns are left.");
    assert_int_equal(find("walruses"), 0);
    assert_int_equal(find("ferns"), 1);
    assert_string_equal(count("chunks"), "1");
    assert_string_equal(count("sections"), "1");
    assert_string_equal(count("chunk_vectors"), "1");
    assert_int_equal(service_stats(&service).documents, 1);
}

static void a_wrong_document_is_refused_with_the_field(void **state)
{
    struct answer answer;

    (void)state;
    put("d1", "T", "text", "{\"priority\":9}", &answer);
    PUMP(&service, answer.done);
    assert_int_equal(answer.err, SH_INVALID);
    assert_string_equal(answer.field, "metadata.priority");
    forget(&answer);
    put("", "", " ", "", &answer);
    PUMP(&service, answer.done);
    assert_int_equal(answer.err, SH_INVALID);
    assert_string_equal(answer.field, "text");
    forget(&answer);
    assert_string_equal(count("documents"), "0");
}

enum { RIVALS = 12 };

static bool all_done(const struct answer *answers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!answers[i].done)
            return false;
    return true;
}

static void rivals_leave_one_whole_document(void **state)
{
    struct answer answers[RIVALS];
    char text[RIVALS][512];

    (void)state;
    for (size_t i = 0; i < RIVALS; i++) {
        int len = 0;
        for (size_t j = 0; j <= i; j++)
            len += snprintf(text[i] + len, sizeof(text[i]) - (size_t)len,
                            "version%zu %zu ", i, j);
        put("d1", "T", text[i], "", &answers[i]);
    }
    PUMP(&service, all_done(answers, RIVALS));
    for (size_t i = 0; i < RIVALS; i++) {
        assert_int_equal(answers[i].err, SH_OK);
        forget(&answers[i]);
    }
    assert_string_equal(count("documents"), "1");
    assert_string_equal(
        servers_sql(service.db, "SELECT bool_and(c.text = btrim(s.text)) FROM sections s "
                                "JOIN chunks c USING (document_id)"),
        "t");
    assert_int_equal(service_stats(&service).documents, 1);
    assert_int_equal(
        find("version0 version1 version2 version3 version4 version5 version6 "
             "version7 version8 version9 version10 version11"),
        1);
}

/* --- reading and deleting --------------------------------------------------------- */

static enum sh_err ask_ref(uint32_t method, const char *id, const struct caller *caller,
                           struct answer *answer)
{
    struct document_ref ref = {.id = sh_bytes_of(id)};

    ask(&service, method, caller, document_ref_desc(), &ref, answer);
    PUMP(&service, answer->done);
    return answer->err;
}

static void a_document_comes_back_as_it_was_put(void **state)
{
    struct answer answer;
    struct document document;

    (void)state;
    put("d1", "Animals", LONG_TEXT, "{\"department\":\"IT\",\"clearance_level\":3}",
        &answer);
    PUMP(&service, answer.done);
    forget(&answer);
    assert_int_equal(ask_ref(METHOD_DOCUMENT_GET, "d1", &everybody, &answer), SH_OK);
    take(&answer, document_desc(), &document);
    assert_true(sh_bytes_is(document.title, "Animals"));
    assert_true(sh_bytes_is(document.collection, "default"));
    assert_int_equal(document.sections_count, 1);
    assert_true(sh_bytes_is(document.sections[0].text, LONG_TEXT));
    assert_true(document.chunks >= 3);
    assert_true(document.updated_at > 1e9);
    assert_int_equal(document.content_hash.len, 64);
    forget(&answer);
}

static void what_one_may_not_read_does_not_exist(void **state)
{
    struct caller stranger = {
        .role = sh_bytes_of("staff"), .clearance = 3, .department = sh_bytes_of("HR")};
    struct document_list list = {0};
    struct document_page page;
    struct answer answer;

    (void)state;
    put("d1", "Animals", "text", "{\"department\":\"IT\",\"clearance_level\":3}",
        &answer);
    PUMP(&service, answer.done);
    forget(&answer);
    assert_int_equal(ask_ref(METHOD_DOCUMENT_GET, "d1", &stranger, &answer), SH_NOTFOUND);
    forget(&answer);
    assert_int_equal(ask_ref(METHOD_DOCUMENT_DELETE, "d1", &stranger, &answer),
                     SH_NOTFOUND);
    forget(&answer);
    ask(&service, METHOD_DOCUMENT_LIST, &stranger, document_list_desc(), &list, &answer);
    PUMP(&service, answer.done);
    take(&answer, document_page_desc(), &page);
    assert_int_equal(page.total, 0);
    assert_int_equal(page.documents_count, 0);
    forget(&answer);
    ask(&service, METHOD_DOCUMENT_LIST, &everybody, document_list_desc(), &list, &answer);
    PUMP(&service, answer.done);
    take(&answer, document_page_desc(), &page);
    assert_int_equal(page.total, 1);
    assert_true(sh_bytes_is(page.documents[0].id, "d1"));
    forget(&answer);
}

static void what_is_deleted_is_not_found_any_more(void **state)
{
    struct answer answer;

    (void)state;
    put_now("d1", "Animals", LONG_TEXT);
    put_now("d2", "More animals", "walruses again");
    assert_int_equal(find("walruses"), 2);
    assert_int_equal(ask_ref(METHOD_DOCUMENT_DELETE, "d1", &everybody, &answer), SH_OK);
    forget(&answer);
    assert_int_equal(find("walruses"), 1);
    assert_int_equal(ask_ref(METHOD_DOCUMENT_DELETE, "d1", &everybody, &answer),
                     SH_NOTFOUND);
    forget(&answer);
    assert_int_equal(ask_ref(METHOD_DOCUMENT_GET, "d1", &everybody, &answer),
                     SH_NOTFOUND);
    forget(&answer);
}

/* --- the embedder is away --------------------------------------------------------- */

static void a_document_without_vectors_gets_them_later(void **state)
{
    bool degraded;
    enum sh_err err;

    (void)state;
    service.embedder.fails = true;
    struct document_put_reply reply = put_now("d1", "Animals", LONG_TEXT);
    assert_true(reply.chunks >= 3);
    assert_int_equal(reply.pending_embedding, reply.chunks);
    assert_int_equal(find("walruses"), 1);
    assert_true(search("walruses", 0, &degraded, &err) >= 1);
    assert_int_equal(err, SH_OK);
    assert_true(degraded);
    search("walruses", 1, &degraded, &err);
    assert_int_equal(err, SH_UNAVAILABLE);

    service.embedder.fails = false;
    PUMP(&service, service_stats(&service).vectors == reply.chunks);
    assert_string_equal(count("pending_embeddings"), "0");
}

static void one_refused_passage_harms_no_other(void **state)
{
    (void)state;
    service.embedder.refuse = "walruses";
    struct document_put_reply reply = put_now("d1", "Animals", LONG_TEXT);
    assert_true(reply.pending_embedding >= 1);
    assert_true(reply.pending_embedding < reply.chunks);
    PUMP(
        &service,
        strcmp(servers_sql(service.db,
                           "SELECT count(*) FROM pending_embeddings WHERE error IS NULL"),
               "0") == 0);
    assert_int_equal(find("walruses"), 1);
    assert_int_equal(service_stats(&service).vectors,
                     reply.chunks - reply.pending_embedding);
}

static void another_model_replaces_all_vectors(void **state)
{
    bool degraded;
    enum sh_err err;
    struct document_put_reply reply = put_now("d1", "Animals", LONG_TEXT);
    size_t texts = service.embedder.texts;

    (void)state;
    service.embedder.fingerprint = "fp-two";
    search("walruses", 0, &degraded, &err);
    assert_int_equal(err, SH_OK);
    assert_true(degraded); /* the vector of the question is of no use */
    PUMP(&service, strcmp(model_current(service.model)->fingerprint, "fp-two") == 0);
    PUMP(&service, service.embedder.texts >= texts + reply.chunks &&
                       service_stats(&service).vectors == reply.chunks &&
                       feed_current(service.feed));
    search("walruses", 0, &degraded, &err);
    assert_false(degraded);
    assert_string_equal(servers_sql(service.db,
                                    "SELECT count(*) FROM chunk_vectors WHERE "
                                    "fingerprint = 'fp-two'"),
                        servers_sql(service.db, "SELECT count(*) FROM chunks"));
}

static void a_question_asked_again_is_not_embedded_again(void **state)
{
    bool degraded;
    enum sh_err err;

    (void)state;
    put_now("d1", "Animals", LONG_TEXT);
    size_t hits = search("walruses on the ice", 1, &degraded, &err);
    assert_int_equal(service.embedder.queries, 1);
    assert_int_equal(search("walruses on the ice", 1, &degraded, &err), hits);
    search("walruses on the ice", 0, &degraded, &err);
    assert_false(degraded);
    assert_int_equal(service.embedder.queries, 1);
    search("walruses on the Ice", 0, &degraded, &err);
    assert_int_equal(service.embedder.queries, 2);

    service.embedder.fingerprint = "fp-two"; /* another model: nothing kept is of use */
    search("walruses", 0, &degraded, &err);
    PUMP(&service, strcmp(model_current(service.model)->fingerprint, "fp-two") == 0 &&
                       feed_current(service.feed) && service_stats(&service).vectors > 0);
    size_t queries = service.embedder.queries;
    search("walruses on the ice", 0, &degraded, &err);
    assert_int_equal(service.embedder.queries, queries + 1);
}

/* --- the database is away --------------------------------------------------------- */

static void pg_ctl(const char *action)
{
    char command[4200];

    (void)snprintf(command, sizeof(command), "\"%s\" %s >/dev/null 2>&1",
                   getenv("TEST_PG_CTL"), action);
    assert_int_equal(system(command),
                     0); /* NOLINT(cert-env33-c): the test's own server */
}

static void queries_go_on_without_the_database(void **state)
{
    struct answer answer;

    (void)state;
    put_now("d1", "Animals", LONG_TEXT);
    pg_ctl("stop -m fast");
    assert_int_equal(find("walruses"), 1);
    uint64_t since = sh_now_ms();
    put("d2", "T", "text", "", &answer);
    PUMP(&service, answer.done);
    assert_int_equal(answer.err, SH_UNAVAILABLE);
    assert_true(sh_now_ms() - since < 20000); /* not the deadline */
    forget(&answer);
    assert_int_equal(find("walruses"), 1);

    pg_ctl("start");
    PQreset(service.db);
    servers_sql(service.db, "INSERT INTO documents (id, title) VALUES ('d3', 'quokka')");
    PUMP(&service, service_stats(&service).documents == 2);
    put_now("d4", "T", "walruses");
    assert_int_equal(find("walruses"), 2);
}

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_is_found_at_once),
        TEST(the_same_again_costs_nothing),
        TEST(passages_that_stay_keep_their_vectors),
        TEST(a_replaced_document_is_gone_as_a_whole),
        TEST(a_wrong_document_is_refused_with_the_field),
        TEST(rivals_leave_one_whole_document),
        TEST(a_document_comes_back_as_it_was_put),
        TEST(what_one_may_not_read_does_not_exist),
        TEST(what_is_deleted_is_not_found_any_more),
        TEST(a_document_without_vectors_gets_them_later),
        TEST(one_refused_passage_harms_no_other),
        TEST(another_model_replaces_all_vectors),
        TEST(a_question_asked_again_is_not_embedded_again),
        TEST(queries_go_on_without_the_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
