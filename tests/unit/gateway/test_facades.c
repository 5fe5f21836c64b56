/* The routes that clients of Ollama and OpenAI use, and their errors. */
#include "gateway_fixture.h"

#include "services/gateway/dialect.h"

/* --- shapes of errors ------------------------------------------------------------- */

static void assert_writes(sh_http_problem_fn *write, const struct sh_problem *problem,
                          const char *want)
{
    struct sh_buffer out = {0};

    write(problem, &out);
    sh_buffer_append(&out, "", 1);
    assert_int_equal(out.err, SH_OK);
    assert_string_equal(out.data, want);
    sh_buffer_free(&out);
}

static void ollama_has_one_sentence(void **state)
{
    (void)state;
    assert_writes(dialect_ollama,
                  &(struct sh_problem){.status = 404,
                                       .code = "model_not_found",
                                       .field = "model",
                                       .error = "model '\"x' not found"},
                  "{\"error\":\"model '\\\"x' not found\"}");
}

static void openai_has_types_and_codes(void **state)
{
    static const struct {
        struct sh_problem problem;
        const char *want;
    } cases[] = {
        {{400, "invalid_request", "input[3]", "no", 0},
         "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\","
         "\"param\":\"input\",\"code\":null}}"},
        {{401, "unauthorized", NULL, "who?", 0},
         "{\"error\":{\"message\":\"who?\",\"type\":\"invalid_request_error\","
         "\"param\":null,\"code\":\"invalid_api_key\"}}"},
        {{403, "forbidden", NULL, "no", 0},
         "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\","
         "\"param\":null,\"code\":null}}"},
        {{404, "model_not_found", "model", "no", 0},
         "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\","
         "\"param\":\"model\",\"code\":\"model_not_found\"}}"},
        {{429, "rate_limited", NULL, "slow", 5},
         "{\"error\":{\"message\":\"slow\",\"type\":\"requests\","
         "\"param\":null,\"code\":\"rate_limit_exceeded\"}}"},
        {{503, "unavailable", NULL, "away", 1},
         "{\"error\":{\"message\":\"away\",\"type\":\"server_error\","
         "\"param\":null,\"code\":null}}"},
    };

    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++)
        assert_writes(dialect_openai, &cases[i].problem, cases[i].want);
}

/* --- over HTTP -------------------------------------------------------------------- */

static void on_models(void *arg, struct sh_rpc_call *call)
{
    static const struct model_card card = {
        .name = {"tiny", 4},
        .provider = {"builtin", 7},
        .dimension = 2,
        .context_length = 128,
        .alpha = 0.5,
        .fingerprint = {"f00d", 4},
        .size_bytes = 77,
        .family = {"dwarf", 5},
        .format = {"pack", 4},
        .modified_at = 1723717800,
    };
    struct fixture *f = arg;
    struct models_reply reply = {&card, f->refusals > 0 ? 0 : 1};

    sh_rpc_reply(call, models_reply_desc(), &reply);
}

static int set_up_models(void **state)
{
    int failed = set_up(state);
    struct fixture *f = *state;

    return failed != 0 || sh_rpc_server_add(f->embedder, METHOD_EMBEDDER_MODELS,
                                            "embedder.models", 0, on_models, f) != SH_OK;
}

static const char *body_of(const char *answer)
{
    return strstr(answer, "\r\n\r\n") + 4;
}

static void embed_answers_what_it_was_asked_by(void **state)
{
    struct fixture *f = *state;

    assert_says(
        post(f, "/api/embed", "", "{\"model\":\"tiny:latest\",\"input\":[\"a\"]}"),
        "{\"model\":\"tiny:latest\",\"embeddings\":[[0.5,-0.25]],");
    assert_says(post(f, "/api/embed", "", "{\"input\":[]}"),
                "{\"model\":\"tiny\",\"embeddings\":[],");
    assert_string_equal(
        body_of(post(f, "/api/embed", "", "{\"model\":\"big\",\"input\":\"\"}")),
        "{\"error\":\"model 'big' not found\"}");
    assert_string_equal(
        body_of(post(f, "/api/embeddings", "", "{\"model\":\"tiny\",\"prompt\":\"a\"}")),
        "{\"embedding\":[0.5,-0.25]}");
    assert_string_equal(body_of(post(f, "/api/embeddings", "", "{\"model\":\"tiny\"}")),
                        "{\"embedding\":[]}");
}

static void openai_gets_numbers_or_base64(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(
        body_of(post(f, "/v1/embeddings", "",
                     "{\"model\":\"tiny\",\"input\":[\"a\",\"b\"],\"user\":\"u\"}")),
        "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,"
        "\"embedding\":[0.5,-0.25]},{\"object\":\"embedding\",\"index\":1,"
        "\"embedding\":[0.100000001,1]}],\"model\":\"tiny\","
        "\"usage\":{\"prompt_tokens\":9,\"total_tokens\":9}}");
    assert_says(
        post(f, "/v1/embeddings", "",
             "{\"model\":\"tiny\",\"input\":\"a\",\"encoding_format\":\"base64\"}"),
        "\"embedding\":\"AAAAPwAAgL4=\"}]");
}

static void models_are_told_to_both(void **state)
{
    static const char details[] =
        "\"details\":{\"parent_model\":\"\",\"format\":\"pack\",\"family\":\"dwarf\","
        "\"families\":[\"dwarf\"],\"parameter_size\":\"\",\"quantization_level\":\"\"}";
    struct fixture *f = *state;
    const char *tags = get(f, "/api/tags");

    assert_says(tags, "{\"models\":[{\"name\":\"tiny:latest\",\"model\":\"tiny:latest\","
                      "\"modified_at\":\"2024-08-15T10:30:00.000Z\",\"size\":77,"
                      "\"digest\":\"f00d\",");
    assert_says(tags, details);
    const char *shown = post(f, "/api/show", "", "{\"name\":\"tiny:latest\"}");
    assert_says(shown, details);
    assert_says(shown, "\"model_info\":{\"general.architecture\":\"dwarf\","
                       "\"dwarf.context_length\":128,\"dwarf.embedding_length\":2,");
    assert_says(shown, "\"capabilities\":[\"embedding\"]");
    assert_string_equal(body_of(get(f, "/v1/models")),
                        "{\"object\":\"list\",\"data\":[{\"id\":\"tiny\",\"object\":"
                        "\"model\",\"created\":1723717800,\"owned_by\":\"builtin\"}]}");
    assert_string_equal(body_of(get(f, "/v1/models/tiny%3Alatest")),
                        "{\"id\":\"tiny\",\"object\":\"model\",\"created\":1723717800,"
                        "\"owned_by\":\"builtin\"}");
}

static void no_model_is_no_fault_of_the_list(void **state)
{
    struct fixture *f = *state;

    f->refusals = 1; /* the model is not known yet */
    assert_string_equal(body_of(get(f, "/api/tags")), "{\"models\":[]}");
    assert_string_equal(body_of(get(f, "/v1/models")),
                        "{\"object\":\"list\",\"data\":[]}");
    assert_says(post(f, "/api/embed", "", "{\"input\":\"\"}"), "HTTP/1.1 503 ");
    assert_says(get(f, "/v1/models/tiny"), "HTTP/1.1 404 ");
}

/* Whoever refuses, the shape is that of the route. */
static void assert_refused(struct fixture *f, const char *path, const char *more,
                           const char *body, const char *status)
{
    const char *answer = post(f, path, more, body);
    bool openai = strncmp(path, "/v1/", 4) == 0;

    assert_says(answer, status);
    assert_says(answer, "\r\nContent-Type: application/json\r\n");
    assert_says(answer,
                openai ? "\r\n\r\n{\"error\":{\"message\":\"" : "\r\n\r\n{\"error\":\"");
    assert_null(strstr(answer, "about:blank"));
}

static void errors_never_have_our_own_shape(void **state)
{
    static const char bad[] = "HTTP/1.1 400 ", unknown[] = "HTTP/1.1 404 ",
                      method[] = "HTTP/1.1 405 ", media[] = "HTTP/1.1 415 ";
    struct fixture *f = *state;

    assert_refused(f, "/api/embed", "", "{", bad);
    assert_refused(f, "/api/embed", "", "", bad);
    assert_refused(f, "/api/embed", "Content-Type: text/csv\r\n", "a", media);
    assert_refused(f, "/api/embed", "Content-Encoding: gzip\r\n", "a", media);
    assert_refused(f, "/api/tags", "", "{}", method);
    assert_refused(f, "/api/v1/tags", "", "{}", method);
    assert_refused(f, "/api/show", "", "{}", bad);
    assert_refused(f, "/api/show", "", "{\"model\":\"big\"}", unknown);
    assert_refused(f, "/v1/embeddings", "", "{", bad);
    assert_refused(f, "/v1/embeddings", "", "{\"model\":\"tiny\",\"input\":[1]}", bad);
    assert_refused(f, "/v1/embeddings", "", "{\"model\":\"tiny\",\"input\":[\"\"]}", bad);
    assert_refused(f, "/v1/models", "", "{}", method);
    assert_refused(f, "/v1/models/tiny", "", "{}", method);
    assert_refused(f, "/v1/none", "", "{}", unknown);
    assert_says(get(f, "/api/none"), "\r\nContent-Type: application/problem+json\r\n");
}

static void a_lost_embedder_is_told_in_their_shape(void **state)
{
    struct fixture *f = *state;

    sh_rpc_server_close(&f->embedder);
    pump_until(f, sh_rpc_client_ready(f->edge.peers[PEER_EMBEDDER]) == 0);
    assert_says(post(f, "/v1/embeddings", "", "{\"model\":\"tiny\",\"input\":\"a\"}"),
                "\"type\":\"server_error\"");
    assert_says(get(f, "/api/tags"), "HTTP/1.1 503 ");
    assert_says(f->heard, "{\"error\":\"embedder is not available at the moment\"}");
    assert_says(get(f, "/api/version"), "{\"version\":\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_models, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ollama_has_one_sentence),
        cmocka_unit_test(openai_has_types_and_codes),
        TEST(embed_answers_what_it_was_asked_by),
        TEST(openai_gets_numbers_or_base64),
        TEST(models_are_told_to_both),
        TEST(no_model_is_no_fault_of_the_list),
        TEST(errors_never_have_our_own_shape),
        TEST(a_lost_embedder_is_told_in_their_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
