/* http_call: one outgoing request: what libcurl is told, and what its answer means. */
#include <stdio.h>
#include <strings.h>

#include "http_client_internal.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/spans.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    MAX_BODY = 16 << 20,
};

/* --- receiving -------------------------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct sh_http_call *call = arg;
    size_t len = size * count; /* size is always 1 */
    if (len > call->max_body - call->body.len) {
        call->too_big = true;
        return 0;
    }
    sh_buffer_append(&call->body, data, len);
    return call->body.err == SH_OK ? len : 0;
}

/* --- sending ---------------------------------------------------------------------- */

static bool add_header(struct sh_http_call *call, const char *line)
{
    struct curl_slist *longer = curl_slist_append(call->headers, line);
    if (longer)
        call->headers = longer;
    return longer != NULL;
}

static bool add_traceparent(struct sh_http_call *call, const struct sh_trace *trace)
{
    static const char name[] = "traceparent: ";
    char line[sizeof(name) + 56];
    memcpy(line, name, sizeof(name));
    sh_trace_format(trace, line + sizeof(name) - 1);
    return add_header(call, line);
}

static bool add_headers(struct sh_http_call *call, const struct sh_http_outgoing *out)
{
    bool ok = add_header(call, "Expect:"); /* waiting for a 100 costs a round trip */
    for (const char *const *line = out->headers; ok && line && *line; line++)
        ok = add_header(call, *line);
    if (ok && call->traced)
        ok = add_traceparent(call, &call->trace);
    return ok;
}

#define SET(option, value)                                                               \
    do {                                                                                 \
        if (curl_easy_setopt(call->easy, option, value) != CURLE_OK)                     \
            return false;                                                                \
    } while (0)

static bool set_method(struct sh_http_call *call, const struct sh_http_outgoing *out)
{
    bool post = strcmp(out->method, "POST") == 0;
    if (out->file)
        return true; /* http_upload_create() sees to it */
    if (out->body.len > 0 || post) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)out->body.len);
        SET(CURLOPT_COPYPOSTFIELDS, out->body.len > 0 ? out->body.data : "");
    }
    if (strcmp(out->method, "HEAD") == 0)
        SET(CURLOPT_NOBODY, 1L);
    else if (!post && (out->body.len > 0 || strcmp(out->method, "GET") != 0))
        SET(CURLOPT_CUSTOMREQUEST, out->method);
    return true;
}

static bool set_limits(struct sh_http_call *call, const struct sh_http_outgoing *out)
{
    uint64_t connect_ms = out->connect_timeout_ms;
    if (connect_ms == 0)
        connect_ms = CONNECT_TIMEOUT_MS;
    call->timeout_ms = out->timeout_ms < LONG_MAX ? out->timeout_ms : LONG_MAX;
    call->max_body = out->max_body > 0 ? out->max_body : MAX_BODY;
    SET(CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, connect_ms < LONG_MAX ? (long)connect_ms : LONG_MAX);
    SET(CURLOPT_LOW_SPEED_LIMIT, (long)out->pace.bytes_s);
    SET(CURLOPT_LOW_SPEED_TIME, (long)out->pace.seconds);
    return true;
}

static bool set_signing(struct sh_http_call *call, const struct sh_http_signing *signing)
{
    SET(CURLOPT_AWS_SIGV4, signing->scope);
    SET(CURLOPT_USERNAME, signing->user);
    SET(CURLOPT_PASSWORD, signing->secret);
    SET(CURLOPT_PATH_AS_IS, 1L);
    return true;
}

static bool set_options(struct sh_http_call *call, const struct sh_http_outgoing *out)
{
    SET(CURLOPT_URL, out->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_HTTPHEADER, call->headers);
    SET(CURLOPT_ERRORBUFFER, call->error);
    SET(CURLOPT_PRIVATE, call);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, call);
    SET(CURLOPT_CLOSESOCKETFUNCTION, http_socket_closed);
    SET(CURLOPT_CLOSESOCKETDATA, call->client);
    if (out->signing && !set_signing(call, out->signing))
        return false;
    return set_limits(call, out) && set_method(call, out);
}
#undef SET

/* Texts go to the wire as they are: no line ends that would add lines of their own. */
static bool is_one_line(const char *text)
{
    return strpbrk(text, "\r\n") == NULL;
}

static bool is_valid(const struct sh_http_outgoing *out)
{
    if (!out->method || !out->url || !is_one_line(out->method) || !is_one_line(out->url))
        return false;
    for (const char *const *line = out->headers; line && *line; line++) {
        if (!is_one_line(*line))
            return false;
    }
    return strncasecmp(out->url, "http://", 7) == 0 ||
           strncasecmp(out->url, "https://", 8) == 0;
}

enum sh_err http_call_create(struct sh_http_client *client,
                             const struct sh_http_outgoing *outgoing,
                             struct sh_http_call **out)
{
    if (!is_valid(outgoing))
        return SH_INVALID;
    struct sh_http_call *call = sh_alloc(sizeof(*call));
    if (!call)
        return SH_NOMEM;
    call->client = client;
    call->traced = outgoing->trace != NULL;
    if (outgoing->trace)
        call->trace = sh_trace_child(outgoing->trace);
    (void)snprintf(call->method, sizeof(call->method), "%s", outgoing->method);
    call->start_ms = sh_now_ms();
    call->easy = curl_easy_init();
    enum sh_err err = SH_NOMEM;
    if (call->easy && add_headers(call, outgoing) && set_options(call, outgoing))
        err = SH_OK;
    if (err == SH_OK && outgoing->file)
        err = http_upload_create(client->loop, outgoing->file, call->easy, &call->upload);
    if (err != SH_OK)
        http_call_free(call);
    else
        *out = call;
    return err;
}

void http_call_free(struct sh_http_call *call)
{
    curl_easy_cleanup(call->easy);
    http_upload_free(call->upload);
    curl_slist_free_all(call->headers);
    sh_buffer_free(&call->body);
    sh_free(call);
}

/* --- the end ---------------------------------------------------------------------- */

/* A connection that never came about is not the answer being late. libcurl counts no time
 * for a call that waits for one of its connections, so its figure is not used. */
static enum sh_err which_timeout(const struct sh_http_call *call)
{
    curl_off_t connect_us = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
    uint64_t spent_ms = sh_now_ms() - call->start_ms + 1; /* both round down */
    bool whole = call->timeout_ms > 0 && spent_ms >= call->timeout_ms;
    return connect_us == 0 && !whole ? SH_UNAVAILABLE : SH_TIMEOUT;
}

enum sh_err http_call_result(const struct sh_http_call *call, CURLcode code)
{
    switch ((int)code) {
    case CURLE_OK:
        return SH_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return which_timeout(call);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return SH_UNAVAILABLE;
    case CURLE_WRITE_ERROR:
        if (call->too_big)
            return SH_TOOBIG;
        return call->body.err != SH_OK ? call->body.err : SH_UPSTREAM;
    case CURLE_OUT_OF_MEMORY:
        return SH_NOMEM;
    case CURLE_URL_MALFORMAT:
        return SH_INVALID;
    default:
        return SH_UPSTREAM;
    }
}

static void read_answer(const struct sh_http_call *call,
                        struct sh_http_incoming *incoming)
{
    long status = 0;
    char *type = NULL;
    curl_off_t retry = 0;
    curl_off_t length = -1;
    (void)curl_easy_getinfo(call->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    incoming->content_length = length;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
    (void)curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry);
    incoming->status = (int)status;
    incoming->body = sh_buffer_bytes(&call->body);
    if (type)
        incoming->content_type = type;
    if (retry > 0)
        incoming->retry_after_s = retry < UINT32_MAX ? (unsigned)retry : UINT32_MAX;
}

static void end_span(const struct sh_http_call *call, enum sh_err err, int status)
{
    if (!call->traced)
        return;
    sh_span_ended(
        &call->trace,
        &(struct sh_span){.kind = SH_SPAN_CLIENT,
                          .name = call->method,
                          .took_us = (sh_now_ms() - call->start_ms) * 1000,
                          .failed = err != SH_OK || status >= 400,
                          .notes = {{"http.request.method", call->method, 0},
                                    {"http.response.status_code", NULL, status}}});
}

void http_call_finish(struct sh_http_call *call, enum sh_err err)
{
    struct sh_http_incoming incoming = {
        .content_type = "", .content_length = -1, .error = ""};
    if (err == SH_OK)
        read_answer(call, &incoming);
    else
        incoming.error = call->error[0] ? call->error : sh_err_text(err);
    http_unlink(&call->link);
    end_span(call, err, incoming.status);
    call->done(call->arg, err, &incoming);
    http_call_free(call);
}
