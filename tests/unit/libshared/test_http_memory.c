/* Allocations that fail, and what an idle connection costs. */
#include "http_fixture.h"
#include "shared/mem.h"

static void echo(void *arg, struct sh_http_request *request, enum sh_err err,
                 struct sh_bytes body)
{
    struct fixture *f = arg;
    f->request = NULL;
    if (err == SH_OK)
        sh_http_respond(request, 200, "text/plain", body);
    else
        sh_http_fail_err(request, err, NULL);
}

static void gone(void *arg)
{
    struct fixture *f = arg;
    f->aborts++;
    f->request = NULL;
}

static void handler(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    f->request = request;
    sh_http_on_abort(request, gone, f);
    sh_http_add_header(request, "X-Extra", "yes");
    sh_http_read_all(request, 1000, echo, f);
}

static void creating_survives_every_allocation_failure(void **state)
{
    struct fixture *f = *state;
    struct sh_http_server_options options = {
        .host = "127.0.0.1", .handler = handler, .metrics_label = "memory"};
    int failures = 0;
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = sh_http_server_create(&f->loop, &options, &f->server);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    assert_true(failures > 1);
}

/* Whichever allocation fails: the whole answer, an error, or a closed connection; the
 * next client is served. */
static void serving_survives_every_allocation_failure(void **state)
{
    static const char bytes[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                                "Connection: close\r\n\r\nhe";
    struct fixture *f = *state;
    bool whole = false;
    int failures = 0;
    for (; !whole; failures++) {
        struct heard *heard = calloc(1, sizeof(*heard));
        assert_non_null(heard);
        serve(f, handler);
        int fd = dial(f);
        sh_mem_fail_after(failures);
        say(fd, bytes);
        pump_for(f, 3);
        (void)send(fd, "llo", 3, MSG_NOSIGNAL);
        uint64_t deadline = sh_now_ms() + PATIENCE_MS;
        while (!heard->eof && !heard->reset) {
            turn(f, deadline);
            hear_some(heard, fd);
        }
        sh_mem_fail_after(-1);
        whole = status_of(heard) == 200;
        if (whole)
            assert_non_null(strstr(heard->data, "\r\n\r\nhello"));
        assert_true(whole || status_of(heard) == 503 || heard->len == 0);
        assert_null(f->request);
        close(fd);
        free(heard);
        sh_http_server_close(&f->server);
        pump_for(f, 1);
    }
    assert_true(failures > 3);
}

static size_t resident_bytes(void)
{
    char line[128];
    FILE *file = fopen("/proc/self/statm", "r"); /* "size resident …", in pages */
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    (void)fclose(file);
    char *resident = strchr(line, ' ');
    assert_non_null(resident);
    return strtoul(resident, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void an_idle_connection_is_small(void **state)
{
    enum { IDLE = 400, BYTES_EACH = 8192 };
    static const char bytes[] =
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    int fds[IDLE];
    assert_non_null(heard);
    serve(f, handler);
    size_t before = resident_bytes();
    for (size_t i = 0; i < IDLE; i++) {
        fds[i] = dial(f);
        say(fds[i], bytes);
        heard->len = 0;
        heard->data[0] = '\0';
        hear(f, fds[i], heard, "\r\n\r\nhi");
    }
    assert_int_equal(sh_http_server_connections(f->server), IDLE);
    size_t after = resident_bytes();
#ifndef __SANITIZE_ADDRESS__ /* whose allocator keeps what is freed */
    assert_true(after < before + (size_t)IDLE * BYTES_EACH);
#endif
    (void)after;
    (void)before;
    for (size_t i = 0; i < IDLE; i++)
        close(fds[i]);
    free(heard);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(creating_survives_every_allocation_failure),
        TEST(serving_survives_every_allocation_failure),
        TEST(an_idle_connection_is_small),
    };
    return cmocka_run_group_tests_name("http_memory", tests, NULL, NULL);
}
