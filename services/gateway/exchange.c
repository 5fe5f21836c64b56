#include "services/gateway/exchange.h"

#include <stdarg.h>
#include <stdio.h>

#include "services/gateway/bodies.h"
#include "services/gateway/dialect.h"
#include "services/gateway/gate.h"
#include "services/gateway/json_in.h"
#include "services/gateway/meter_overload.h"
#include "services/gateway/uploads/upload.h"
#include "shared/clock.h"
#include "shared/errors.h"
#include "shared/log.h"

static struct exchange *take(struct edge *edge)
{
    struct exchange *x = edge->spare;

    if (x == NULL)
        return sh_alloc(sizeof *x);
    edge->spare = x->next;
    *x = (struct exchange){0};
    return x;
}

void exchange_free_spare(struct edge *edge)
{
    while (edge->spare != NULL) {
        struct exchange *x = edge->spare;
        edge->spare = x->next;
        sh_free(x);
    }
}

void exchange_done(struct exchange *x)
{
    struct edge *edge = x->edge;

    limits_end(x);
    if (x->json != NULL)
        json_decref(x->json);
    if (x->arena.first != NULL)
        sh_arena_free(&x->arena);
    principal_drop(x->principal);
    x->next = edge->spare;
    edge->spare = x;
}

/* The client left: nobody wants the answer of the service either. */
static void on_abort(void *arg)
{
    struct exchange *x = arg;

    audit_exchange(x, 0, sh_now_us() - x->started_us);
    exchange_cancel(x);
    if (x->abandoned != NULL)
        x->abandoned(x);
    exchange_done(x);
}

static bool is_overload(const struct exchange *x, int status)
{
    return status == 503 && x->code != NULL && strcmp(x->code, sh_err_code(SH_BUSY)) == 0;
}

/* Answered: count, log, record. */
static void on_finished(void *arg, struct sh_http_request *request, int status,
                        uint64_t bytes, uint64_t duration_us)
{
    struct exchange *x = arg;

    if (is_overload(x, status))
        meter_overloaded(x->meter, request, status, duration_us);
    else
        meter_finished(x->meter, request, status, bytes, duration_us);
    audit_exchange(x, status, duration_us);
    if (status >= 500 && x->code != NULL)
        sh_errors_add(SH_ERROR, x->code);
}

/* --- answering -------------------------------------------------------------------- */

struct sh_buffer *exchange_out(struct exchange *x)
{
    sh_buffer_clear(&x->edge->out);
    return &x->edge->out;
}

void exchange_answer_as(struct exchange *x, int status, const char *type,
                        struct sh_bytes body)
{
    sh_http_respond(x->request, status, type, body);
    exchange_done(x);
}

/* A buffer that grew for one huge answer is not kept for the small ones after it. */
enum { KEPT_BYTES = 1 << 20 };

void exchange_answer(struct exchange *x, int status)
{
    struct sh_buffer *out = &x->edge->out;

    if (out->err != SH_OK) {
        exchange_fail_err(x, out->err, NULL);
        return;
    }
    struct edge *edge = x->edge;
    exchange_answer_as(x, status, "application/json", sh_buffer_bytes(out));
    if (edge->out.capacity > KEPT_BYTES)
        sh_buffer_free(&edge->out);
}

void exchange_fail(struct exchange *x, const struct sh_problem *problem)
{
    x->code = problem->code;
    sh_http_fail(x->request, problem);
    exchange_done(x);
}

void exchange_invalid(struct exchange *x, const char *field, const char *format, ...)
{
    char sentence[320];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    exchange_fail(
        x, &(struct sh_problem){.status = 400,
                                .code = "invalid_request",
                                .field = field != NULL && field[0] != '\0' ? field : NULL,
                                .error = sentence});
}

void exchange_fail_err(struct exchange *x, enum sh_err err, const char *error)
{
    x->code = sh_err_code(err);
    sh_http_fail_err(x->request, err, error != NULL ? error : sh_err_text(err));
    exchange_done(x);
}

/* --- the body --------------------------------------------------------------------- */

static void refuse_type(struct exchange *x)
{
    exchange_fail(x, &(struct sh_problem){.status = 415,
                                          .code = "unsupported_media_type",
                                          .error =
                                              "this route takes JSON: send Content-Type: "
                                              "application/json"});
}

bool exchange_body_plain(struct exchange *x)
{
    struct sh_bytes coding = sh_http_header(x->request, "Content-Encoding");

    if (coding.len == 0 ||
        (coding.len == 8 && strncasecmp(coding.data, "identity", 8) == 0))
        return true;
    exchange_fail(x, &(struct sh_problem){.status = 415,
                                          .code = "unsupported_encoding",
                                          .error = "a body must come unpacked: send it "
                                                   "without Content-Encoding"});
    return false;
}

/* What is asked again and again was read before. */
static bool handle_known(struct exchange *x, struct sh_bytes bytes)
{
    const struct schema *schema = x->route->body;
    void *body = NULL;

    if ((x->route->flags & ROUTE_REPEATED) != 0)
        body = sh_arena_alloc(&x->arena, schema->size);
    if (body != NULL)
        x->json = bodies_find(x->edge->bodies, schema, bytes, body);
    if (x->json == NULL)
        return false;
    x->route->handle(x, body);
    return true;
}

static void handle_new(struct exchange *x, struct sh_bytes bytes, void *body)
{
    if ((x->route->flags & ROUTE_REPEATED) != 0)
        bodies_keep(x->edge->bodies, x->route->body, bytes, x->json, body);
    x->route->handle(x, body);
}

static void handle_json(struct exchange *x, struct sh_bytes bytes)
{
    const struct schema *schema = x->route->body;
    struct schema_fault fault;
    char why[160];

    if (handle_known(x, bytes))
        return;
    enum sh_err err = json_in(bytes, &x->json, why, sizeof why);
    if (err != SH_OK) {
        exchange_fail(x, &(struct sh_problem){.status = sh_err_http_status(err),
                                              .code = json_in_code(err),
                                              .error = why});
        return;
    }
    void *body = sh_arena_alloc(&x->arena, schema->size);
    if (body == NULL)
        exchange_fail_err(x, SH_NOMEM, NULL);
    else if ((err = schema_read(schema, x->json, &x->arena, body, &fault)) == SH_OK)
        handle_new(x, bytes, body);
    else if (err == SH_INVALID)
        exchange_invalid(x, fault.field, "%s", fault.error);
    else
        exchange_fail_err(x, err, fault.error);
}

static void on_body(void *arg, struct sh_http_request *request, enum sh_err err,
                    struct sh_bytes body)
{
    struct exchange *x = arg;

    if (err == SH_TOOBIG)
        exchange_fail_err(x, err, "the body is longer than this route takes");
    else if (err != SH_OK)
        exchange_fail_err(x, err, NULL);
    else if (!json_in_accepts(sh_http_header(request, "Content-Type"), body))
        refuse_type(x);
    else
        handle_json(x, body);
}

static void read_body(struct exchange *x)
{
    const struct gateway_config *config = &x->edge->gateway->config;
    size_t max = (x->route->flags & ROUTE_LARGE_BODY) != 0 ? config->max_document_bytes
                                                           : config->max_body_bytes;

    if ((x->route->flags & ROUTE_FORM) != 0 &&
        upload_is_form(sh_http_header(x->request, "Content-Type"))) {
        x->route->handle(x, NULL);
        return;
    }
    if (!exchange_body_plain(x))
        return;
    /* What cannot be JSON whatever it begins with is refused before it is read. */
    if (!json_in_accepts(sh_http_header(x->request, "Content-Type"), sh_bytes_of("{")))
        refuse_type(x);
    else
        sh_http_read_all(x->request, max, on_body, x);
}

/* --- routing ---------------------------------------------------------------------- */

static void no_such_path(struct exchange *x)
{
    exchange_fail(x, &(struct sh_problem){.status = 404,
                                          .code = "not_found",
                                          .error = "there is nothing at this path"});
}

static void no_such_method(struct exchange *x)
{
    sh_http_add_header(x->request, "Allow", x->allow);
    if (sh_bytes_is(sh_http_method(x->request), "OPTIONS"))
        exchange_answer_as(x, 204, NULL, (struct sh_bytes){0});
    else
        exchange_fail(
            x, &(struct sh_problem){.status = 405,
                                    .code = "method_not_allowed",
                                    .error = "this path does not answer to that method"});
}

/* Whether the settings leave the route open on the public port. */
static bool is_open(const struct gateway_config *config, const struct route *route)
{
    return ((route->flags & ROUTE_OPERATOR) == 0 || config->metrics_public) &&
           ((route->flags & ROUTE_DOCS) == 0 || config->docs_enabled);
}

void *exchange_state(struct exchange *x, size_t size)
{
    x->state = sh_arena_alloc(&x->arena, size);
    if (x->state == NULL)
        exchange_fail_err(x, SH_NOMEM, NULL);
    return x->state;
}

void exchange_dispatch(struct exchange *x)
{
    const struct route *route = x->route;

    if (x->page.file != NULL)
        web_answer(x);
    else if (route == NULL && x->allow != NULL)
        no_such_method(x);
    else if (route == NULL || !is_open(&x->edge->gateway->config, route))
        no_such_path(x);
    else if (route->body != NULL)
        read_body(x);
    else
        route->handle(x, NULL);
}

void exchange_begin(void *arg, struct sh_http_request *request)
{
    struct edge *edge = arg;
    struct gateway *gateway = edge->gateway;
    struct router_match match =
        router_find(gateway->router, sh_http_method(request), sh_http_path(request));
    size_t row = match.route != NULL ? (size_t)(match.route - gateway->routes)
                                     : gateway->route_count;

    meter_watch(&edge->meters[row], request);
    dialect_set(request, &match);
    if (shell_enter(&gateway->shell, request, match.allow))
        return;
    struct exchange *x = take(edge);
    if (x == NULL) {
        sh_http_fail_err(request, SH_NOMEM, sh_err_text(SH_NOMEM));
        return;
    }
    x->edge = edge;
    x->request = request;
    x->route = match.route;
    x->meter = &edge->meters[row];
    x->allow = match.allow;
    x->param = match.param;
    if (match.route == NULL && match.allow == NULL)
        x->page = web_choose(gateway->pages, sh_http_method(request),
                             sh_http_path(request), sh_http_header(request, "Accept"));
    x->started_us = sh_now_us();
    const char *peer = sh_http_peer(request);
    memcpy(x->client, peer, strnlen(peer, sizeof x->client - 1)); /* all of it was zero */
    limits_resolve(x);
    sh_http_on_abort(request, on_abort, x);
    sh_http_on_finished(request, on_finished, x);
    gate_enter(x);
}
