#include "http_fixture.h"

static const char get[] = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n";

static void ok(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    sh_http_respond(request, 200, "text/plain", sh_bytes_of("hello"));
}

static void answers_and_keeps_alive(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, ok);
    int fd = dial(f);
    for (size_t i = 1; i <= 3; i++) {
        say(fd, get);
        pump_until(f,
                   (hear_some(heard, fd), count_of(heard->data, "\r\n\r\nhello") == i));
    }
    assert_int_equal(f->calls, 3);
    assert_int_equal(sh_http_server_connections(f->server), 1);
    assert_int_equal(strncmp(heard->data, "HTTP/1.1 200 OK\r\nDate: ", 23), 0);
    assert_non_null(strstr(heard->data, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(heard->data, "\r\nContent-Length: 5\r\n"));
    assert_non_null(strstr(heard->data, "\r\nX-Request-ID: req_"));
    assert_non_null(strstr(heard->data, "\r\nX-Response-Time: "));
    assert_null(strstr(heard->data, "Connection:"));
    close(fd);
    free(heard);
}

static void echo_parts(void *arg, struct sh_http_request *request)
{
    char out[512];
    struct sh_bytes method = sh_http_method(request);
    struct sh_bytes path = sh_http_path(request);
    struct sh_bytes query = sh_http_query(request);
    struct sh_bytes header = sh_http_header(request, "x-COLOUR");
    (void)arg;
    (void)snprintf(out, sizeof(out), "[%.*s][%.*s][%.*s][%.*s][%s][%d]", (int)method.len,
                   (const char *)method.data, (int)path.len, (const char *)path.data,
                   (int)query.len, query.data ? (const char *)query.data : "",
                   (int)header.len, header.data ? (const char *)header.data : "",
                   sh_http_peer(request), sh_http_header(request, "x-none").data == NULL);
    sh_http_respond(request, 200, NULL, sh_bytes_of(out));
}

static void shows_the_parts_of_a_request(void **state)
{
    static const struct {
        const char *say;
        const char *hear;
    } cases[] = {
        {"GET /a/b?c=d&e HTTP/1.1\r\nHost: x\r\nX-Colour: \t red \t\r\nConnection: "
         "close\r\n\r\n",
         "[GET][/a/b][c=d&e][red][127.0.0.1][1]"},
        {"\r\nGET / HTTP/1.0\r\n\r\n", "[GET][/][][][127.0.0.1][1]"},
        {"GET http://host:80/p?q HTTP/1.1\r\nHost: HOST:80\r\nConnection: close\r\n\r\n",
         "[GET][/p][q][][127.0.0.1][1]"},
        {"GET http://host HTTP/1.0\r\n\r\n", "[GET][/][][][127.0.0.1][1]"},
        {"GET http://host?q HTTP/1.0\r\n\r\n", "[GET][/][q][][127.0.0.1][1]"},
        {"OPTIONS * HTTP/1.0\r\n\r\n", "[OPTIONS][*][][][127.0.0.1][1]"},
        {"BREW /pot HTTP/1.0\r\nX-Colour:\r\n\r\n", "[BREW][/pot][][][127.0.0.1][1]"},
        {"get /pot HTTP/1.0\r\nX-Colour:\r\n\r\n", "[get][/pot][][][127.0.0.1][1]"},
        {"PROPFIND /pot HTTP/1.0\r\n\r\n", "[PROPFIND][/pot][][][127.0.0.1][1]"},
        {"GET /ws HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
         "[GET][/ws][][][127.0.0.1][1]"},
    };
    struct fixture *f = *state;
    serve(f, echo_parts);
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct heard *heard = exchange(f, cases[i].say, strlen(cases[i].say));
        assert_int_equal(status_of(heard), 200);
        const char *body = strstr(heard->data, "\r\n\r\n");
        assert_non_null(body);
        assert_string_equal(body + 4, cases[i].hear);
        free(heard);
    }
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, echo_parts);
    int fd = dial(f);
    char all[16384] = "";
    for (int i = 0; i < 200; i++)
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all),
                       "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
    say(fd, all);
    hear(f, fd, heard, "[/199]");
    const char *at = heard->data;
    for (int i = 0; i < 200; i++) {
        char part[32];
        (void)snprintf(part, sizeof(part), "[/%d]", i);
        at = strstr(at, part);
        assert_non_null(at);
    }
    close(fd);
    free(heard);
}

static void later(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    f->request = request;
}

static void the_next_request_waits_for_a_late_answer(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, later);
    int fd = dial(f);
    say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET");
    pump_until(f, f->request != NULL);
    pump_for(f, 20);
    assert_int_equal(f->calls, 1);
    assert_true(sh_bytes_is(sh_http_path(f->request), "/1"));
    sh_http_respond(f->request, 200, NULL, sh_bytes_of("one"));
    pump_until(f, f->calls == 2);
    assert_true(sh_bytes_is(sh_http_path(f->request), "/2"));
    sh_http_respond(f->request, 404, NULL, sh_bytes_of("two"));
    say(fd, " /3 HTTP/1.1\r\nHost: x\r\n\r\n");
    pump_until(f, f->calls == 3);
    assert_true(sh_bytes_is(sh_http_path(f->request), "/3"));
    sh_http_respond(f->request, 200, NULL, sh_bytes_of("three"));
    hear(f, fd, heard, "\r\n\r\nthree");
    assert_true(strstr(heard->data, "\r\n\r\none") < strstr(heard->data, "\r\n\r\ntwo"));
    close(fd);
    free(heard);
}

static void a_half_closed_client_still_gets_its_answers(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, later);
    int fd = dial(f);
    say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    pump_until(f, f->calls == 1);
    pump_for(f, 20);
    sh_http_respond(f->request, 200, NULL, sh_bytes_of("one"));
    pump_until(f, f->calls == 2);
    sh_http_respond(f->request, 200, NULL, sh_bytes_of("two"));
    hear_end(f, fd, heard);
    assert_non_null(strstr(heard->data, "\r\n\r\none"));
    assert_non_null(strstr(heard->data, "\r\n\r\ntwo"));
    close(fd);
    free(heard);
}

static void echo_lines(void *arg, struct sh_http_request *request)
{
    char out[128];
    size_t at = 0;
    (void)arg;
    for (size_t n = 0;; n++) {
        struct sh_bytes line = sh_http_header_at(request, "x-colour", n);
        if (line.data == NULL)
            break;
        at += (size_t)snprintf(out + at, sizeof(out) - at, "[%.*s]", (int)line.len,
                               (const char *)line.data);
    }
    sh_http_respond(request, 200, NULL, (struct sh_bytes){out, at});
}

static void repeated_headers_are_all_there(void **state)
{
    static const char request[] = "GET / HTTP/1.0\r\nX-Colour: red\r\nX-Form: a\r\n"
                                  "x-colour: blue\r\nX-COLOUR:\r\n\r\n";
    struct fixture *f = *state;
    serve(f, echo_lines);
    struct heard *heard = exchange(f, request, strlen(request));
    assert_non_null(strstr(heard->data, "\r\n\r\n[red][blue][]"));
    free(heard);
}

static void head_gets_the_headers_only(void **state)
{
    static const char say_this[] =
        "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct fixture *f = *state;
    serve(f, ok);
    struct heard *heard = exchange(f, say_this, strlen(say_this));
    assert_int_equal(status_of(heard), 200);
    assert_non_null(strstr(heard->data, "Content-Length: 5\r\n"));
    assert_string_equal(heard->data + heard->len - 4, "\r\n\r\n");
    assert_null(strstr(heard->data, "hello"));
    free(heard);
}

static void http_1_0_keeps_alive_when_asked(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, ok);
    int fd = dial(f);
    say(fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    hear(f, fd, heard, "hello");
    assert_non_null(strstr(heard->data, "\r\nConnection: keep-alive\r\n"));
    say(fd, "GET / HTTP/1.0\r\n\r\n");
    hear_end(f, fd, heard);
    assert_int_equal(count_of(heard->data, "hello"), 2);
    assert_non_null(strstr(heard->data, "\r\nConnection: close\r\n"));
    close(fd);
    free(heard);
}

static void with_headers(void *arg, struct sh_http_request *request)
{
    (void)arg;
    sh_http_add_header(request, "Allow", "GET, HEAD");
    sh_http_add_header(request, "X-Bad", "a\r\nEvil: 1");
    sh_http_add_header(request, "X Bad", "a");
    sh_http_add_header(request, "Content-Length", "99");
    sh_http_fail(request, &(struct sh_problem){.status = 405,
                                               .code = "method_not_allowed",
                                               .field = "a\"b\n",
                                               .error = "say \"GET\" \xff"});
}

static void problems_are_json_and_headers_cannot_be_injected(void **state)
{
    static const char say_this[] =
        "PUT / HTTP/1.1\r\nHost: x\r\nX-Request-ID: me.1\r\nConnection: close\r\n\r\n";
    struct fixture *f = *state;
    serve(f, with_headers);
    struct heard *heard = exchange(f, say_this, strlen(say_this));
    assert_int_equal(status_of(heard), 405);
    assert_non_null(
        strstr(heard->data, "\r\nContent-Type: application/problem+json\r\n"));
    assert_non_null(strstr(heard->data, "\r\nAllow: GET, HEAD\r\n"));
    assert_non_null(strstr(heard->data, "\r\nX-Request-ID: me.1\r\n"));
    assert_null(strstr(heard->data, "Evil"));
    assert_null(strstr(heard->data, "X-Bad"));
    assert_null(strstr(heard->data, "Content-Length: 99"));
    assert_string_equal(strstr(heard->data, "\r\n\r\n") + 4,
                        "{\"type\":\"about:blank\",\"title\":\"Method Not Allowed\","
                        "\"status\":405,\"code\":\"method_not_allowed\","
                        "\"error\":\"say \\\"GET\\\" \xef\xbf\xbd\",\"detail\":"
                        "\"say \\\"GET\\\" \xef\xbf\xbd\","
                        "\"field\":\"a\\\"b\\n\",\"request_id\":\"me.1\"}");
    free(heard);
}

static void never_whole(void *arg, struct sh_http_request *request, enum sh_err err,
                        struct sh_bytes body)
{
    (void)arg, (void)request, (void)err, (void)body;
    fail_msg("%s", "that body was none");
}

static void in_our_words(const struct sh_problem *problem, struct sh_buffer *out)
{
    sh_buffer_printf(out, "%d %s %s: %s", problem->status, problem->code,
                     problem->field ? problem->field : "-", problem->error);
}

static void fail_in_our_words(void *arg, struct sh_http_request *request)
{
    (void)arg;
    sh_http_problem_as(request, in_our_words);
    sh_http_fail(request, &(struct sh_problem){
                              .status = 429, .field = "\xc3", .error = "no \xff more"});
}

static void a_request_can_have_problems_of_its_own_shape(void **state)
{
    static const char say_this[] =
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct fixture *f = *state;
    serve(f, fail_in_our_words);
    struct heard *heard = exchange(f, say_this, strlen(say_this));
    assert_int_equal(status_of(heard), 429);
    assert_non_null(strstr(heard->data, "\r\nRetry-After: 1\r\n"));
    assert_non_null(strstr(heard->data, "\r\nContent-Type: application/json\r\n"));
    assert_string_equal(strstr(heard->data, "\r\n\r\n") + 4,
                        "429 invalid_request ?: no ? more");
    free(heard);
}

static void read_in_our_words(void *arg, struct sh_http_request *request)
{
    sh_http_problem_as(request, in_our_words);
    sh_http_read_all(request, 100, never_whole, arg);
}

static void the_servers_own_faults_have_that_shape_too(void **state)
{
    static const char say_this[] = "POST / HTTP/1.1\r\nHost: x\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n";
    struct fixture *f = *state;
    serve(f, read_in_our_words);
    struct heard *heard = exchange(f, say_this, strlen(say_this));
    assert_int_equal(status_of(heard), 400);
    assert_null(strstr(heard->data, "problem"));
    assert_non_null(strstr(heard->data, "\r\n\r\n400 "));
    free(heard);
}

static void busy(void *arg, struct sh_http_request *request)
{
    (void)arg;
    sh_http_fail_err(request, SH_BUSY, NULL);
}

static void an_err_becomes_its_problem(void **state)
{
    static const char say_this[] = "GET / HTTP/1.0\r\n\r\n";
    struct fixture *f = *state;
    serve(f, busy);
    struct heard *heard = exchange(f, say_this, strlen(say_this));
    assert_int_equal(status_of(heard), 503);
    assert_non_null(strstr(heard->data, "\r\nRetry-After: 1\r\n"));
    assert_non_null(strstr(heard->data, "\"code\":\"overloaded\""));
    assert_non_null(strstr(heard->data, "\"error\":\"at capacity, try later\""));
    free(heard);
}

static void params(void *arg, struct sh_http_request *request)
{
    char value[8];
    char line[128] = "";
    static const char *const names[] = {"a", "b b", "c", "d", "e", "f", "g", "zz"};
    (void)arg;
    for (size_t i = 0; i < SH_COUNT(names); i++) {
        enum sh_err err = sh_http_param(request, names[i], value, sizeof(value));
        size_t at = strlen(line);
        (void)snprintf(line + at, sizeof(line) - at, "%s=%s;", names[i],
                       err == SH_OK ? value : sh_err_code(err));
    }
    sh_http_respond(request, 200, NULL, sh_bytes_of(line));
}

static void query_parameters_are_decoded(void **state)
{
    static const char say_this[] =
        "GET /?aa=0&a=1+2%2B&b%20b=%C3%A9&c=%zz&d=%00&e=%ff&f=12345678&g "
        "HTTP/1.0\r\n\r\n";
    struct fixture *f = *state;
    serve(f, params);
    struct heard *heard = exchange(f, say_this, strlen(say_this));
    assert_string_equal(strstr(heard->data, "\r\n\r\n") + 4,
                        "a=1 2+;b b=\xc3\xa9;c=malformed;d=malformed;e=malformed;"
                        "f=too_large;g=;zz=not_found;");
    char out[8];
    assert_int_equal(sh_http_decode(sh_bytes_of("a+%2f"), out, sizeof(out)), SH_OK);
    assert_string_equal(out, "a+/");
    assert_int_equal(sh_http_decode(sh_bytes_of("%e"), out, sizeof(out)), SH_MALFORMED);
    assert_int_equal(sh_http_decode(sh_bytes_of("1234567"), out, sizeof(out)), SH_OK);
    assert_int_equal(sh_http_decode(sh_bytes_of("12345678"), out, sizeof(out)),
                     SH_TOOBIG);
    free(heard);
}

static void note_end(void *arg, struct sh_http_request *request, int status,
                     uint64_t bytes, uint64_t duration_us)
{
    struct fixture *f = arg;
    assert_true(sh_bytes_is(sh_http_path(request), "/a"));
    assert_true(duration_us < 10000000);
    f->finished_status = status;
    f->finished_bytes = bytes;
}

static void finishing(void *arg, struct sh_http_request *request)
{
    sh_http_on_finished(request, note_end, arg);
    sh_http_respond(request, 201, NULL, sh_bytes_of("made"));
}

static void tells_how_a_request_ended(void **state)
{
    struct fixture *f = *state;
    serve(f, finishing);
    static const char say_this[] = "GET /a HTTP/1.0\r\n\r\n";
    struct heard *heard = exchange(f, say_this, strlen(say_this));
    assert_int_equal(f->finished_status, 201);
    assert_int_equal(f->finished_bytes, heard->len);
    free(heard);
}

static void trace_of(void *arg, struct sh_http_request *request)
{
    char text[56];
    (void)arg;
    sh_trace_format(sh_http_trace(request), text);
    sh_http_respond(request, 200, NULL, sh_bytes_of(text));
}

static void a_trace_goes_on_in_a_new_span(void **state)
{
    static const char say_this[] =
        "GET / HTTP/1.0\r\nTraceparent: "
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
        "X-Request-ID: bad id\r\n\r\n";
    struct fixture *f = *state;
    serve(f, trace_of);
    struct heard *heard = exchange(f, say_this, strlen(say_this));
    assert_non_null(strstr(heard->data, "00-0af7651916cd43dd8448eb211c80319c-"));
    assert_null(strstr(heard->data, "b7ad6b7169203331"));
    assert_non_null(strstr(heard->data, "X-Request-ID: req_"));
    free(heard);
}

static void a_bad_address_or_taken_port_is_told(void **state)
{
    struct fixture *f = *state;
    struct sh_http_server *second = NULL;
    serve(f, ok);
    struct sh_http_server_options options = {.host = "localhost", .handler = ok};
    assert_int_equal(sh_http_server_create(&f->loop, &options, &second), SH_INVALID);
    options.host = "127.0.0.1";
    options.port = sh_http_server_port(f->server);
    assert_int_equal(sh_http_server_create(&f->loop, &options, &second), SH_IO);
    assert_null(second);
}

static void loops_share_a_port(void **state)
{
    struct fixture *f = *state;
    struct sh_http_server *servers[2] = {NULL, NULL};
    struct sh_http_server_options options = {
        .host = "::1", .share_port = true, .handler = ok, .arg = f};
    assert_int_equal(sh_http_server_create(&f->loop, &options, &servers[0]), SH_OK);
    options.port = sh_http_server_port(servers[0]);
    assert_int_equal(sh_http_server_create(&f->loop, &options, &servers[1]), SH_OK);
    assert_int_equal(sh_http_server_port(servers[1]), options.port);
    sh_http_server_close(&servers[0]);
    sh_http_server_close(&servers[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(answers_and_keeps_alive),
        TEST(shows_the_parts_of_a_request),
        TEST(repeated_headers_are_all_there),
        TEST(pipelined_requests_are_answered_in_order),
        TEST(the_next_request_waits_for_a_late_answer),
        TEST(a_half_closed_client_still_gets_its_answers),
        TEST(head_gets_the_headers_only),
        TEST(http_1_0_keeps_alive_when_asked),
        TEST(problems_are_json_and_headers_cannot_be_injected),
        TEST(a_request_can_have_problems_of_its_own_shape),
        TEST(the_servers_own_faults_have_that_shape_too),
        TEST(an_err_becomes_its_problem),
        TEST(query_parameters_are_decoded),
        TEST(tells_how_a_request_ended),
        TEST(a_trace_goes_on_in_a_new_span),
        TEST(a_bad_address_or_taken_port_is_told),
        TEST(loops_share_a_port),
    };
    return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
