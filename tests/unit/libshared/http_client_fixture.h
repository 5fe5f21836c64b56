/* http_client_fixture: a client, and servers for it to call, on one loop. */
#ifndef TESTS_HTTP_CLIENT_FIXTURE_H
#define TESTS_HTTP_CLIENT_FIXTURE_H

#include "http_fixture.h"
#include "shared/http_client.h"

struct outcome {
    int calls;
    enum sh_err err;
    int status;
    char body[256];
    char type[64];
    unsigned retry_after_s;
    bool has_error;
};

struct both { /* the fixture, and the client on the same loop */
    struct fixture *f;
    struct sh_http_client *client;
    char url[64];
};

static inline void note(void *arg, enum sh_err err,
                        const struct sh_http_incoming *incoming)
{
    struct outcome *outcome = arg;
    size_t len = incoming->body.len;
    outcome->calls++;
    outcome->err = err;
    outcome->status = incoming->status;
    outcome->retry_after_s = incoming->retry_after_s;
    outcome->has_error = incoming->error[0] != '\0';
    if (len > sizeof(outcome->body) - 1)
        len = sizeof(outcome->body) - 1;
    if (len > 0)
        memcpy(outcome->body, incoming->body.data, len);
    (void)snprintf(outcome->type, sizeof(outcome->type), "%s", incoming->content_type);
}

static inline struct both open_client(struct fixture *f, unsigned max_connections)
{
    struct both both = {.f = f};
    assert_int_equal(sh_http_client_create(&f->loop, max_connections, &both.client),
                     SH_OK);
    if (f->server)
        (void)snprintf(both.url, sizeof(both.url), "http://127.0.0.1:%u/x",
                       (unsigned)sh_http_server_port(f->server));
    return both;
}

static inline struct sh_http_outgoing get(const struct both *both)
{
    return (struct sh_http_outgoing){
        .method = "GET", .url = both->url, .timeout_ms = PATIENCE_MS};
}

static inline struct sh_http_call *send_call(const struct both *both,
                                             const struct sh_http_outgoing *outgoing,
                                             struct outcome *outcome)
{
    struct sh_http_call *call = NULL;
    assert_int_equal(sh_http_client_send(both->client, outgoing, note, outcome, &call),
                     SH_OK);
    assert_int_equal(outcome->calls, 0);
    return call;
}

static inline struct outcome call_and_wait(const struct both *both,
                                           const struct sh_http_outgoing *outgoing)
{
    struct outcome outcome = {0};
    send_call(both, outgoing, &outcome);
    pump_until(both->f, outcome.calls > 0);
    return outcome;
}

/* Answers with what it was told. */
static inline void echo_body(void *arg, struct sh_http_request *request, enum sh_err err,
                             struct sh_bytes body)
{
    (void)arg;
    if (err != SH_OK) {
        sh_http_fail_err(request, err, NULL);
        return;
    }
    char text[512];
    struct sh_bytes header = sh_http_header(request, "X-Mine");
    struct sh_bytes trace = sh_http_header(request, "traceparent");
    struct sh_bytes method = sh_http_method(request);
    (void)snprintf(text, sizeof(text), "%.*s|%.*s|%.*s|%.*s", (int)method.len,
                   (const char *)method.data, (int)header.len,
                   header.data ? (const char *)header.data : "", (int)trace.len,
                   trace.data ? (const char *)trace.data : "", (int)body.len,
                   body.data ? (const char *)body.data : "");
    sh_http_add_header(request, "Retry-After", "7");
    sh_http_respond(request, 202, "text/x-echo", sh_bytes_of(text));
}

static inline void echo(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    sh_http_read_all(request, 100, echo_body, f);
}

/* Keeps the request and does not answer. */
static inline void never(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    f->request = request;
}

#endif
