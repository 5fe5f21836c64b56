/* The Model Context Protocol's server, with an API that answers what a test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cairn/mcp/mcp.h"

#define INITIALIZE(version)                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":"                \
    "{\"protocolVersion\":\"" version "\"}}"
#define REQUEST(id, method, params)                                                      \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}"
#define CALL(tool, arguments)                                                            \
    REQUEST("1", "tools/call", "{\"name\":\"" tool "\",\"arguments\":" arguments "}")

static struct {
    struct mcp mcp;
    const char *says; /* the API */
    long status;
    enum api_end end;
    char path[512]; /* what it was asked last */
    char body[1024];
    json_t *answers;       /* all that were written */
    const char *meanwhile; /* a line that comes while the API is asked */
} world;

static enum api_end ask(void *arg, const struct api_request *request,
                        struct api_reply *reply)
{
    (void)arg;
    size_t len = request->body.len < sizeof(world.body) ? request->body.len : 0;
    (void)snprintf(world.path, sizeof(world.path), "%s", request->path);
    (void)snprintf(world.body, sizeof(world.body), "%.*s", (int)len,
                   len > 0 ? (const char *)request->body.data : "");
    sh_buffer_clear(&reply->body);
    sh_buffer_text(&reply->body, world.says);
    reply->status = world.status;
    if (world.meanwhile)
        mcp_take(&world.mcp, sh_bytes_of(world.meanwhile));
    if (world.mcp.cancelled)
        return API_STOPPED;
    if (world.status != 200 || world.end != API_ANSWERED)
        (void)snprintf(reply->error, sizeof(reply->error), "%s", world.says);
    return world.end;
}

static bool write_line(void *arg, struct sh_bytes line)
{
    (void)arg;
    json_t *answer = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer);
    assert_int_equal(json_array_append_new(world.answers, answer), 0);
    return true;
}

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof(world));
    world.mcp = (struct mcp){.ask = ask, .write = write_line};
    world.says = "{}";
    world.status = 200;
    world.end = API_ANSWERED;
    world.answers = json_array();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mcp_free(&world.mcp);
    json_decref(world.answers);
    return 0;
}

/* What all that was asked until now is answered with last; borrowed. */
static json_t *answer_to(const char *line)
{
    mcp_take(&world.mcp, sh_bytes_of(line));
    while (mcp_serve(&world.mcp))
        continue;
    return json_array_get(world.answers, json_array_size(world.answers) - 1);
}

static const json_t *result_of(const char *line)
{
    const json_t *result = json_object_get(answer_to(line), "result");
    assert_non_null(result);
    return result;
}

static int code_of(const char *line)
{
    const json_t *error = json_object_get(answer_to(line), "error");
    assert_true(json_string_length(json_object_get(error, "message")) > 0);
    return (int)json_integer_value(json_object_get(error, "code"));
}

static const char *text_of(const json_t *from, const char *name)
{
    return json_string_value(json_object_get(from, name));
}

static const char *words_of(const json_t *result)
{
    return text_of(json_array_get(json_object_get(result, "content"), 0), "text");
}

/* --- the protocol ----------------------------------------------------------------- */

static const char *agreed(const char *line)
{
    void *none = NULL;
    tear_down(&none);
    set_up(&none);
    return text_of(result_of(line), "protocolVersion");
}

static void versions_are_agreed(void **state)
{
    (void)state;
    assert_string_equal(agreed(INITIALIZE("2024-11-05")), "2024-11-05");
    assert_string_equal(agreed(INITIALIZE("2025-03-26")), "2025-03-26");
    assert_string_equal(agreed(INITIALIZE("2025-06-18")), "2025-06-18");
    assert_string_equal(agreed(INITIALIZE("2099-01-01")), "2025-06-18");
    assert_int_equal(code_of(INITIALIZE("2025-06-18")), MCP_INVALID); /* twice */
    assert_int_equal(code_of(REQUEST("1", "initialize", "{}")), MCP_BAD_PARAMS);
}

static void what_makes_no_sense_is_refused_in_its_own_way(void **state)
{
    (void)state;
    assert_int_equal(code_of(REQUEST("1", "tools/list", "{}")), MCP_INVALID); /* early */
    (void)result_of(REQUEST("1", "ping", "{}"));
    (void)result_of(INITIALIZE("2025-06-18"));
    assert_int_equal(code_of("{"), MCP_UNREADABLE);
    assert_int_equal(code_of("{\"a\":\"\xff\"}"), MCP_UNREADABLE);
    assert_int_equal(code_of("{\"a\":1,\"a\":2}"), MCP_UNREADABLE);
    assert_int_equal(code_of("7"), MCP_UNREADABLE);
    assert_int_equal(code_of("{}"), MCP_INVALID);
    assert_int_equal(code_of("[]"), MCP_INVALID);
    assert_int_equal(code_of("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}"),
                     MCP_INVALID);
    assert_int_equal(code_of(REQUEST("null", "ping", "{}")), MCP_INVALID);
    assert_int_equal(code_of(REQUEST("{}", "ping", "{}")), MCP_INVALID);
    assert_int_equal(code_of("{\"jsonrpc\":\"2.0\",\"id\":1}"), MCP_INVALID);
    assert_int_equal(code_of(REQUEST("1", "tools/destroy", "{}")), MCP_NO_METHOD);
    assert_int_equal(code_of(REQUEST("1", "tools/list", "[]")), MCP_BAD_PARAMS);
    assert_int_equal(code_of(REQUEST("1", "tools/list", "{\"cursor\":\"2\"}")),
                     MCP_BAD_PARAMS);
    assert_int_equal(code_of(REQUEST("1", "resources/list", "{\"cursor\":\"-2\"}")),
                     MCP_BAD_PARAMS);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char line[2 * MCP_DEPTH_MAX + 3];
    memset(line, '[', MCP_DEPTH_MAX + 1);
    memset(line + MCP_DEPTH_MAX + 1, ']', MCP_DEPTH_MAX + 1);
    line[2 * MCP_DEPTH_MAX + 2] = '\0';
    assert_int_equal(code_of(line), MCP_UNREADABLE);
    assert_int_equal(code_of("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
                             "[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\"]"),
                     MCP_INVALID); /* a batch, with brackets in a text */
}

static void what_asks_nothing_is_not_answered(void **state)
{
    (void)state;
    assert_null(
        answer_to("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"));
    assert_null(answer_to("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/what\"}"));
    assert_null(answer_to("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"));
    assert_null(answer_to("  \r"));
}

static void batches_are_of_one_version(void **state)
{
    (void)state;
    (void)result_of(INITIALIZE("2025-03-26"));
    const json_t *both =
        answer_to("[" REQUEST("1", "ping", "{}") "," REQUEST("2", "no", "{}") "]");
    assert_int_equal(json_array_size(both), 2);
    assert_int_equal(code_of("[]"), MCP_INVALID);
    assert_string_equal(agreed(INITIALIZE("2025-06-18")), "2025-06-18");
    assert_int_equal(code_of("[" REQUEST("1", "ping", "{}") "]"), MCP_INVALID);
}

static void what_waits_can_be_cancelled(void **state)
{
    (void)state;
    (void)result_of(INITIALIZE("2025-06-18"));
    mcp_take(&world.mcp, sh_bytes_of(REQUEST("7", "ping", "{}")));
    mcp_take(&world.mcp, sh_bytes_of(REQUEST("\"7\"", "ping", "{}")));
    mcp_take(&world.mcp, sh_bytes_of(REQUEST("7", "ping", "{}"))); /* the same id */
    const json_t *answer =
        answer_to("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                  "\"params\":{\"requestId\":7}}");
    assert_string_equal(text_of(answer, "id"), "7");
    assert_int_equal(json_array_size(world.answers), 2);
    (void)answer_to("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                    "\"params\":{\"requestId\":\"none\"}}");
    (void)answer_to("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}");
    assert_int_equal(json_array_size(world.answers), 2);
}

static void what_is_being_served_can_be_cancelled(void **state)
{
    (void)state;
    (void)result_of(INITIALIZE("2025-06-18"));
    size_t before = json_array_size(world.answers);
    world.meanwhile = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                      "\"params\":{\"requestId\":1}}";
    mcp_take(&world.mcp, sh_bytes_of(CALL("get_document", "{\"id\":\"x\"}")));
    while (mcp_serve(&world.mcp))
        ;
    assert_int_equal(json_array_size(world.answers), before);
    world.meanwhile = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                      "\"params\":{\"requestId\":\"1\"}}"; /* another one */
    assert_non_null(answer_to(CALL("get_document", "{\"id\":\"x\"}")));
    world.meanwhile = NULL;
    assert_non_null(result_of(REQUEST("1", "ping", "{}"))); /* the same id again */
}

static void what_waits_is_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < MCP_WAITING_MAX; i++) {
        assert_true(mcp_has_room(&world.mcp));
        mcp_take(&world.mcp, sh_bytes_of(REQUEST("1", "ping", "{}")));
    }
    assert_false(mcp_has_room(&world.mcp));
    mcp_take(&world.mcp, sh_bytes_of(REQUEST("2", "ping", "{}")));
    while (mcp_serve(&world.mcp))
        continue;
    assert_int_equal(json_array_size(world.answers), MCP_WAITING_MAX + 1);
    assert_true(mcp_has_room(&world.mcp));
}

/* --- tools ------------------------------------------------------------------------ */

static void tools_say_what_they_take(void **state)
{
    (void)state;
    size_t i = 0;
    const json_t *tool = NULL;
    (void)result_of(INITIALIZE("2025-06-18"));
    const json_t *result = result_of(REQUEST("1", "tools/list", "{}"));
    json_t *tools = json_object_get(result, "tools");
    assert_int_equal(json_array_size(tools), 4);
    json_array_foreach(tools, i, tool)
    {
        const json_t *schema = json_object_get(tool, "inputSchema");
        assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
        assert_true(json_is_true(
            json_object_get(json_object_get(tool, "annotations"), "readOnlyHint")));
    }
}

static void arguments_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {
        CALL("search", "{}"),
        CALL("search", "{\"query\":\"\"}"),
        CALL("search", "{\"query\":7}"),
        CALL("search", "{\"query\":null}"),
        CALL("search", "{\"query\":\"x\",\"max_results\":51}"),
        CALL("search", "{\"query\":\"x\",\"max_results\":1.5}"),
        CALL("search", "{\"query\":\"x\",\"mode\":\"fast\"}"),
        CALL("search", "{\"query\":\"x\",\"mode\":null,\"filters\":[]}"),
        CALL("search", "{\"query\":\"x\",\"quota\":1}"),
        CALL("search", "[]"),
        CALL("destroy", "{}"),
        REQUEST("1", "tools/call", "{}"),
        REQUEST("1", "resources/read", "{}"),
        REQUEST("1", "resources/read", "{\"uri\":\"file:///etc/passwd\"}"),
        REQUEST("1", "resources/read", "{\"uri\":\"cairn://documents/\"}"),
        REQUEST("1", "resources/read", "{\"uri\":\"cairn://documents/a%00b\"}")};
    (void)result_of(INITIALIZE("2025-06-18"));
    for (size_t i = 0; i < SH_COUNT(bad); i++)
        assert_int_equal(code_of(bad[i]), MCP_BAD_PARAMS);
    assert_string_equal(world.path, ""); /* nobody was asked */
}

static void search_asks_and_tells(void **state)
{
    (void)state;
    (void)result_of(INITIALIZE("2025-06-18"));
    world.says = "{\"results\":[{\"document_id\":\"d1\",\"document_title\":\"Staff\","
                 "\"section_title\":\"Leave\",\"page_number\":3,\"text\":\"30 days\"}],"
                 "\"total\":9,\"degraded\":[]}";
    const json_t *result = result_of(
        CALL("search", "{\"query\":\"leave\",\"offset\":4,\"collection\":\"hr\","
                       "\"filters\":{\"collection\":\"all\"}}"));
    assert_string_equal(world.path, "/api/search");
    assert_string_equal(world.body,
                        "{\"query\":\"leave\",\"config\":{\"max_results\":10,"
                        "\"offset\":4},\"filters\":{\"all\":[{\"collection\":\"all\"},"
                        "{\"collection\":\"hr\"}]}}");
    assert_string_equal(words_of(result),
                        "5. Staff: Leave, page 3 (document_id d1)\n30 days\n\n"
                        "There are 9 in all; go on with offset 5.\n");
    const json_t *data = json_object_get(result, "structuredContent");
    assert_int_equal(json_integer_value(json_object_get(data, "total")), 9);
    assert_true(json_is_false(json_object_get(result, "isError")));
}

static void a_document_comes_in_pieces_of_whole_characters(void **state)
{
    (void)state;
    char letters[2 * 150 + 1] = "";
    char says[512];
    for (size_t i = 0; i < 150; i++)
        memcpy(letters + 2 * i, "\xc3\xa9", 3);
    (void)snprintf(says, sizeof(says),
                   "{\"id\":\"d\",\"title\":\"T\",\"sections\":[{\"title\":\"\",\"text\":"
                   "\"%s\"}]}",
                   letters);
    world.says = says;
    (void)result_of(INITIALIZE("2025-06-18"));
    const json_t *result = result_of(
        CALL("get_document", "{\"id\":\"a/../b\",\"max_chars\":100,\"offset\":1}"));
    const json_t *data = json_object_get(result, "structuredContent");
    assert_string_equal(world.path, "/api/documents/a%2F..%2Fb");
    assert_int_equal(json_string_length(json_object_get(data, "text")), 2 + 2 * 98);
    assert_int_equal(json_integer_value(json_object_get(data, "next_offset")), 101);
    assert_int_equal(json_integer_value(json_object_get(data, "total_chars")), 154);
    result = result_of(CALL("get_document", "{\"id\":\"a\",\"offset\":101}"));
    data = json_object_get(result, "structuredContent");
    assert_true(json_is_null(json_object_get(data, "next_offset")));
    result = result_of(CALL("get_document", "{\"id\":\"a\",\"offset\":999}"));
    assert_string_equal(words_of(result), "");
}

static void the_api_says_no_in_words(void **state)
{
    (void)state;
    (void)result_of(INITIALIZE("2025-06-18"));
    world.says = "not yours";
    world.status = 403;
    const json_t *result = result_of(CALL("get_document", "{\"id\":\"a\"}"));
    assert_true(json_is_true(json_object_get(result, "isError")));
    assert_string_equal(words_of(result), "not yours");
    world.status = 401;
    result = result_of(CALL("define_term", "{\"term\":\"a\"}"));
    assert_non_null(strstr(words_of(result), "cairn login"));
    world.end = API_UNREACHABLE;
    result = result_of(CALL("graph_neighbors", "{\"name\":\"a\"}"));
    assert_true(json_is_true(json_object_get(result, "isError")));
    world.end = API_ANSWERED;
    world.status = 200; /* and no JSON */
    result = result_of(CALL("search", "{\"query\":\"a\"}"));
    assert_true(json_is_true(json_object_get(result, "isError")));
    result = result_of(CALL("graph_neighbors", "{}"));
    assert_string_equal(words_of(result), "give id or name");
    world.status = 404;
    assert_int_equal(
        code_of(REQUEST("1", "resources/read", "{\"uri\":\"cairn://documents/a\"}")),
        MCP_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(versions_are_agreed),
        TEST(what_makes_no_sense_is_refused_in_its_own_way),
        TEST(depth_is_bounded),
        TEST(what_asks_nothing_is_not_answered),
        TEST(batches_are_of_one_version),
        TEST(what_waits_can_be_cancelled),
        TEST(what_is_being_served_can_be_cancelled),
        TEST(what_waits_is_bounded),
        TEST(tools_say_what_they_take),
        TEST(arguments_are_checked),
        TEST(search_asks_and_tells),
        TEST(a_document_comes_in_pieces_of_whole_characters),
        TEST(the_api_says_no_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
