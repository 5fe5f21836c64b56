/* http_fixture: a server and raw clients on one loop. Clients are plain sockets, so that
 * tests say exactly which bytes go in and see exactly which come out. */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/http_server.h"

enum { PATIENCE_MS = 60000 }; /* a test that waits longer has failed */

struct fixture {
    uv_loop_t loop;
    struct sh_http_server *server;
    struct sh_http_request *request; /* kept by a handler that answers later */
    int calls;
    int aborts;
    int drains;
    bool drained;
    int finished_status;
    uint64_t finished_bytes;
};

static inline struct fixture *begin(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    *state = f;
    return f;
}

static inline int setup(void **state)
{
    begin(state);
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    sh_http_server_close(&f->server);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static inline void serve_with(struct fixture *f, sh_http_handler_fn *handler,
                              struct sh_http_limits limits)
{
    struct sh_http_server_options options = {
        .host = "127.0.0.1",
        .limits = limits,
        .handler = handler,
        .arg = f,
        .metrics_label = "test",
    };
    assert_int_equal(sh_http_server_create(&f->loop, &options, &f->server), SH_OK);
}

static inline void serve(struct fixture *f, sh_http_handler_fn *handler)
{
    serve_with(f, handler, (struct sh_http_limits){0});
}

/* One turn of the loop; fails the test when patience ends. */
static inline void turn(struct fixture *f, uint64_t deadline_ms)
{
    uv_run(&f->loop, UV_RUN_NOWAIT);
    if (sh_left_ms(deadline_ms) == 0)
        fail_msg("%s", "nothing happened in time");
}

#define pump_until(f, condition)                                                         \
    do {                                                                                 \
        uint64_t deadline_ = sh_now_ms() + PATIENCE_MS;                                  \
        while (!(condition))                                                             \
            turn(f, deadline_);                                                          \
    } while (0)

static inline void pump_for(struct fixture *f, uint64_t ms)
{
    uint64_t end = sh_now_ms() + ms;
    while (sh_left_ms(end) > 0)
        turn(f, end + PATIENCE_MS);
}

static inline int dial_with(struct fixture *f, int receive_buffer)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(sh_http_server_port(f->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const void *address = &to;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (receive_buffer > 0)
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                                    sizeof(receive_buffer)),
                         0);
    assert_int_equal(connect(fd, address, sizeof(to)), 0); /* the backlog takes it */
    return fd;
}

static inline int dial(struct fixture *f)
{
    return dial_with(f, 0);
}

static inline void say_bytes(int fd, const void *data, size_t len)
{
    assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static inline void say(int fd, const char *text)
{
    say_bytes(fd, text, strlen(text));
}

/* What a client has received. */
struct heard {
    char data[1 << 18];
    size_t len;
    bool eof;
    bool reset;
};

static inline void hear_some(struct heard *heard, int fd)
{
    size_t room = sizeof(heard->data) - 1 - heard->len;
    ssize_t got = recv(fd, heard->data + heard->len, room, MSG_DONTWAIT);
    if (got > 0)
        heard->len += (size_t)got;
    heard->data[heard->len] = '\0';
    heard->eof = heard->eof || (got == 0 && room > 0);
    heard->reset = heard->reset || (got < 0 && errno != EAGAIN && errno != EINTR);
}

/* Listen until the text occurs (anywhere in what was heard so far). */
static inline void hear(struct fixture *f, int fd, struct heard *heard, const char *text)
{
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    while (!strstr(heard->data, text)) {
        turn(f, deadline);
        hear_some(heard, fd);
        if (!strstr(heard->data, text) && (heard->eof || heard->reset))
            fail_msg("closed without '%s'; heard: %s", text, heard->data);
    }
}

static inline void hear_end(struct fixture *f, int fd, struct heard *heard)
{
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    while (!heard->eof && !heard->reset) {
        turn(f, deadline);
        hear_some(heard, fd);
    }
    assert_false(heard->reset);
}

static inline size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

/* Say it on a fresh connection and return all that comes until it ends; free it. */
static inline struct heard *exchange(struct fixture *f, const void *data, size_t len)
{
    struct heard *heard = calloc(1, sizeof(*heard));
    assert_non_null(heard);
    int fd = dial(f);
    say_bytes(fd, data, len);
    hear_end(f, fd, heard);
    close(fd);
    return heard;
}

static inline int status_of(const struct heard *heard)
{
    if (strncmp(heard->data, "HTTP/1.1 ", 9) != 0)
        return -1;
    return (int)strtol(heard->data + 9, NULL, 10);
}

#endif
