/* A page from a gateway as a browser gets it, beside the routes of the API. */
#include "gateway_fixture.h"

#include <sys/stat.h>

static char dir[] = "/tmp/cairn-pages-XXXXXX";
static char path[64];

static void pages_of(struct fixture *f)
{
    char why[256];
    FILE *file;

    assert_non_null(mkdtemp(strcpy(dir, "/tmp/cairn-pages-XXXXXX")));
    (void)snprintf(path, sizeof path, "%s/index.html", dir);
    file = fopen(path, "we");
    assert_non_null(file);
    for (int i = 0; i < 100; i++)
        assert_true(fputs("<p>a page</p>\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(web_files_read(dir, &f->gateway.pages, why, sizeof why), SH_OK);
    unlink(path);
    rmdir(dir);
}

static int begin(void **state)
{
    int done = set_up(state);
    pages_of(*state);
    return done;
}

static int end(void **state)
{
    struct fixture *f = *state;
    web_files_free(&f->gateway.pages);
    return tear_down(state);
}

static const char *get_with(struct fixture *f, const char *where, const char *more)
{
    char request[512];

    (void)snprintf(request, sizeof request,
                   "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", where,
                   more);
    return ask(f, request);
}

static void a_page_is_served_beside_the_api(void **state)
{
    struct fixture *f = *state;
    const char *answer = get(f, "/search");

    assert_says(answer, "HTTP/1.1 200 OK");
    assert_says(answer, "Cache-Control: no-cache");
    assert_says(answer, "Vary: Accept-Encoding");
    assert_says(answer, "<p>a page</p>");
    assert_says(get(f, "/api/search?q=x"), "\"results\":[");
    answer = get_with(f, "/nowhere", "Accept: text/html\r\n");
    assert_says(answer, "HTTP/1.1 404");
    assert_says(answer, "<p>a page</p>");
    assert_says(get(f, "/nowhere"), "\"code\":\"not_found\"");
    assert_says(get_with(f, "/api/nowhere", "Accept: text/html\r\n"), "\"not_found\"");
}

static void what_is_known_is_not_sent_again(void **state)
{
    struct fixture *f = *state;
    char more[128];
    const char *tag = strstr(get(f, "/"), "ETag: ");

    assert_non_null(tag);
    (void)snprintf(more, sizeof more, "If-None-Match: %.18s\r\n", tag + 6);
    const char *answer = get_with(f, "/", more);
    assert_says(answer, "HTTP/1.1 304");
    assert_null(strstr(answer, "<p>"));
    answer = get_with(f, "/", "Accept-Encoding: gzip\r\n");
    assert_says(answer, "Content-Encoding: gzip");
    assert_null(strstr(answer, "<p>"));
}

int main(void)
{
    sh_log_set_level(SH_CRITICAL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_page_is_served_beside_the_api, begin, end),
        cmocka_unit_test_setup_teardown(what_is_known_is_not_sent_again, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
