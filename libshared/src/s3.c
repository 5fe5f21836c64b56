#include "shared/s3.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "backoff.h"
#include "http_list.h"
#include "s3_internal.h"
#include "shared/buffer.h"
#include "shared/http_client.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { CONNECTIONS = 8, LIST_BYTES = 8 << 20, HEADERS = 5, ERROR_BYTES = 1 << 20 };

SH_SETTINGS_DEFINE(sh_s3, "S3", SH_S3_SETTINGS)

struct sh_s3 {
    uv_loop_t *loop;
    const struct sh_s3_config *config;
    struct sh_http_client *client;
    struct http_link calls;
    char scope[96];
    char base[1200]; /* "https://host/bucket" */
};

enum operation { PUT, GET, HEAD, DELETE, LIST };

struct sh_s3_call {
    struct http_link link;
    struct sh_s3 *s3;
    enum operation operation;
    char *url;
    int fd; /* PUT */
    uint64_t size;
    size_t len; /* GET */
    char hash_line[96];
    char type_line[160];
    char range_line[64];
    unsigned tries;
    bool canceled;
    struct sh_http_call *http; /* NULL: waits for its next try */
    uv_timer_t timer;
    sh_s3_done_fn *done;
    void *arg;
};

/* SHA-256 of nothing. */
static const char nothing[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/* --- where
 * ------------------------------------------------------------------------------ */

static bool bucket_ok(const char *name, size_t len)
{
    if (len < 3 || len >= SH_S3_BUCKET_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789.-_", name[i]) == NULL)
            return false;
    return name[0] != '.' && name[0] != '-';
}

bool sh_s3_place_parse(const char *url, struct sh_s3_place *out)
{
    *out = (struct sh_s3_place){0};
    if (strncmp(url, "s3://", 5) != 0)
        return false;
    const char *bucket = url + 5;
    size_t len = strcspn(bucket, "/");
    const char *prefix = bucket + len + (bucket[len] == '/');
    size_t rest = strlen(prefix);
    if (!bucket_ok(bucket, len) || rest + 1 >= sizeof(out->prefix))
        return false;
    memcpy(out->bucket, bucket, len);
    memcpy(out->prefix, prefix, rest);
    if (rest > 0 && prefix[rest - 1] != '/')
        out->prefix[rest] = '/';
    return true;
}

/* As AWS wants it signed: all but unreserved characters, in capital hex. */
static void escape(struct sh_buffer *out, const char *text, const char *keep)
{
    for (const char *at = text; *at != '\0'; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9') || strchr("-_.~", *at) != NULL ||
                     strchr(keep, *at) != NULL;
        if (plain)
            sh_buffer_append(out, at, 1);
        else
            sh_buffer_printf(out, "%%%02X", (unsigned char)*at);
    }
}

/* Whatever lies between would make another path of it. */
static bool key_ok(const char *key)
{
    size_t len = strlen(key);

    if (len == 0 || len > SH_S3_KEY_MAX || key[0] == '/')
        return false;
    for (const char *part = key; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        size_t size = strcspn(part, "/");
        if (size <= 2 && strspn(part, ".") >= size)
            return false; /* empty, "." or ".." */
    }
    return true;
}

static enum sh_err set_base(struct sh_s3 *s3, const char *bucket)
{
    const char *endpoint = s3->config->endpoint;
    char aws[128];
    int len;

    if (endpoint[0] == '\0') {
        (void)snprintf(aws, sizeof(aws), "https://s3.%s.amazonaws.com",
                       s3->config->region);
        endpoint = aws;
    }
    size_t end = strlen(endpoint);
    while (end > 0 && endpoint[end - 1] == '/')
        end--;
    len = snprintf(s3->base, sizeof(s3->base), "%.*s/%s", (int)end, endpoint, bucket);
    bool web = strncasecmp(endpoint, "http://", 7) == 0 ||
               strncasecmp(endpoint, "https://", 8) == 0;
    if (web && strpbrk(endpoint, "?# \r\n") == NULL && len < (int)sizeof(s3->base))
        return SH_OK;
    sh_error(NULL, "S3_ENDPOINT must be http[s]://host[:port]");
    return SH_INVALID;
}

enum sh_err sh_s3_create(uv_loop_t *loop, const struct sh_s3_config *config,
                         const char *bucket, struct sh_s3 **out)
{
    *out = NULL;
    if (config->access_key[0] == '\0' || config->secret_key[0] == '\0' ||
        !bucket_ok(bucket, strlen(bucket))) {
        sh_error(NULL, "S3 needs a bucket, S3_ACCESS_KEY and S3_SECRET_KEY");
        return SH_INVALID;
    }
    struct sh_s3 *s3 = sh_alloc(sizeof(*s3));
    if (s3 == NULL)
        return SH_NOMEM;
    s3->loop = loop;
    s3->config = config;
    http_ring_init(&s3->calls);
    (void)snprintf(s3->scope, sizeof(s3->scope), "aws:amz:%s:s3", config->region);
    enum sh_err err = set_base(s3, bucket);
    if (err == SH_OK)
        err = sh_http_client_create(loop, CONNECTIONS, &s3->client);
    if (err != SH_OK) {
        sh_free(s3);
        return err;
    }
    *out = s3;
    return SH_OK;
}

/* --- the end of a call
 * ------------------------------------------------------------------ */

static void on_timer_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void finish(struct sh_s3_call *call, const struct sh_s3_reply *reply)
{
    http_unlink(&call->link);
    call->done(call->arg, reply);
    if (call->fd >= 0)
        close(call->fd);
    sh_free(call->url);
    uv_close((uv_handle_t *)&call->timer, on_timer_closed);
}

static void fail(struct sh_s3_call *call, enum sh_err err)
{
    finish(call, &(struct sh_s3_reply){.err = err});
}

void sh_s3_close(struct sh_s3 **s3_p)
{
    struct sh_s3 *s3 = *s3_p;

    if (s3 == NULL)
        return;
    *s3_p = NULL;
    sh_http_client_close(&s3->client); /* ends those that are being sent */
    while (!http_ring_empty(&s3->calls))
        fail(SH_CONTAINER_OF(s3->calls.next, struct sh_s3_call, link), SH_CANCELED);
    sh_free(s3);
}

/* --- what S3 said
 * ----------------------------------------------------------------------- */

static enum sh_err meaning(int status)
{
    if (status >= 200 && status <= 299)
        return SH_OK;
    if (status == 404)
        return SH_NOTFOUND;
    if (status == 401 || status == 403)
        return SH_FORBIDDEN;
    if (status == 429 || status >= 500)
        return SH_UNAVAILABLE;
    return status >= 400 ? SH_INVALID : SH_UPSTREAM;
}

static void read_answer(const struct sh_s3_call *call,
                        const struct sh_http_incoming *incoming, struct sh_s3_reply *out,
                        struct s3_listing *listing)
{
    out->status = incoming->status;
    out->err = meaning(incoming->status);
    if (out->err != SH_OK) {
        s3_error_read(incoming->body, out->code, sizeof(out->code));
        if (call->operation == DELETE && out->err == SH_NOTFOUND &&
            strcmp(out->code, "NoSuchBucket") != 0)
            out->err = SH_OK;
        return;
    }
    if (call->operation == HEAD) {
        out->size = (uint64_t)incoming->content_length;
        if (incoming->content_length < 0)
            out->err = SH_UPSTREAM;
    } else if (call->operation == GET) {
        out->body = incoming->body;
        if (incoming->status != 206 || incoming->body.len != call->len)
            out->err = SH_UPSTREAM;
    } else if (call->operation == LIST) {
        out->err = s3_listing_read(incoming->body, listing);
        out->objects = listing->objects;
        out->count = listing->count;
        out->more = listing->more;
    }
}

static bool may_repeat(const struct sh_s3_call *call, const struct sh_s3_reply *reply)
{
    bool passing = reply->err == SH_UNAVAILABLE || reply->err == SH_TIMEOUT ||
                   reply->err == SH_UPSTREAM ||
                   strcmp(reply->code, "RequestTimeout") == 0;
    return passing && !call->canceled && call->tries < call->s3->config->attempts;
}

static enum sh_err send_call(struct sh_s3_call *call);

static void on_again(uv_timer_t *timer)
{
    struct sh_s3_call *call = timer->data;
    enum sh_err err = call->canceled ? SH_CANCELED : send_call(call);

    if (err != SH_OK)
        fail(call, err);
}

static void on_answer(void *arg, enum sh_err err, const struct sh_http_incoming *incoming)
{
    struct sh_s3_call *call = arg;
    struct sh_s3_reply reply = {.err = err};
    struct s3_listing *listing = NULL;

    call->http = NULL;
    if (err == SH_OK && call->operation == LIST &&
        (listing = sh_alloc(sizeof(*listing))) == NULL)
        reply.err = SH_NOMEM;
    else if (err == SH_OK)
        read_answer(call, incoming, &reply, listing);
    else if (err == SH_TOOBIG) /* more than was asked for */
        reply.err = SH_UPSTREAM;
    if (may_repeat(call, &reply)) {
        sh_warning(NULL, "S3: try %u failed: %s (HTTP %d %s%s)", call->tries,
                   sh_err_text(reply.err), reply.status, reply.code, incoming->error);
        (void)uv_timer_start(&call->timer, on_again, backoff_ms(call->tries - 1), 0);
    } else {
        finish(call, &reply);
    }
    if (listing != NULL)
        s3_listing_free(listing);
    sh_free(listing);
}

/* --- sending
 * ---------------------------------------------------------------------------- */

static enum sh_err send_call(struct sh_s3_call *call)
{
    static const char *const methods[] = {"PUT", "GET", "HEAD", "DELETE", "GET"};
    const struct sh_s3_config *config = call->s3->config;
    const struct sh_http_signing signing = {call->s3->scope, config->access_key,
                                            config->secret_key};
    const struct sh_http_file file = {call->fd, call->size};
    const char *headers[HEADERS] = {call->hash_line};
    size_t count = 1;

    if (call->type_line[0] != '\0')
        headers[count++] = call->type_line;
    if (call->range_line[0] != '\0')
        headers[count++] = call->range_line;
    const struct sh_http_outgoing outgoing = {
        .method = methods[call->operation],
        .url = call->url,
        .headers = headers,
        .file = call->operation == PUT ? &file : NULL,
        .signing = &signing,
        .timeout_ms = config->timeout_ms,
        .max_body = call->operation == LIST   ? LIST_BYTES
                    : call->len > ERROR_BYTES ? call->len
                                              : ERROR_BYTES,
    };
    call->tries++;
    return sh_http_client_send(call->s3->client, &outgoing, on_answer, call, &call->http);
}

static struct sh_s3_call *make_call(struct sh_s3 *s3, enum operation operation,
                                    struct sh_buffer *url)
{
    struct sh_s3_call *call = sh_alloc(sizeof(*call));

    sh_buffer_append(url, "", 1); /* its NUL */
    if (call == NULL || url->err != SH_OK || uv_timer_init(s3->loop, &call->timer) != 0) {
        sh_buffer_free(url);
        sh_free(call);
        return NULL;
    }
    *call = (struct sh_s3_call){.s3 = s3,
                                .operation = operation,
                                .url = url->data,
                                .fd = -1,
                                .timer = call->timer};
    call->timer.data = call;
    (void)snprintf(call->hash_line, sizeof(call->hash_line), "x-amz-content-sha256: %s",
                   nothing);
    return call;
}

static struct sh_s3_call *make_key_call(struct sh_s3 *s3, enum operation operation,
                                        const char *key)
{
    struct sh_buffer url = {0};

    sh_buffer_text(&url, s3->base);
    sh_buffer_text(&url, "/");
    escape(&url, key, "/");
    return make_call(s3, operation, &url);
}

static enum sh_err start(struct sh_s3_call *call, sh_s3_done_fn *done, void *arg,
                         struct sh_s3_call **out)
{
    if (call == NULL)
        return SH_NOMEM;
    call->done = done;
    call->arg = arg;
    enum sh_err err = send_call(call);
    if (err != SH_OK) {
        if (call->fd >= 0)
            close(call->fd);
        sh_free(call->url);
        uv_close((uv_handle_t *)&call->timer, on_timer_closed);
        return err;
    }
    http_ring_add(&call->s3->calls, &call->link);
    if (out != NULL)
        *out = call;
    return SH_OK;
}

enum sh_err sh_s3_put(struct sh_s3 *s3, const char *key, const struct sh_s3_put *put,
                      sh_s3_done_fn *done, void *arg, struct sh_s3_call **out)
{
    const char *type = put->type != NULL ? put->type : "application/octet-stream";

    if (!key_ok(key) || strlen(put->sha256) != sizeof(nothing) - 1)
        return SH_INVALID;
    struct sh_s3_call *call = make_key_call(s3, PUT, key);
    if (call == NULL)
        return SH_NOMEM;
    call->size = put->size;
    (void)snprintf(call->hash_line, sizeof(call->hash_line), "x-amz-content-sha256: %s",
                   put->sha256);
    (void)snprintf(call->type_line, sizeof(call->type_line), "Content-Type: %s", type);
    call->fd = fcntl(put->fd, F_DUPFD_CLOEXEC, 0);
    if (call->fd < 0) {
        sh_free(call->url);
        uv_close((uv_handle_t *)&call->timer, on_timer_closed);
        return SH_IO;
    }
    return start(call, done, arg, out);
}

enum sh_err sh_s3_get(struct sh_s3 *s3, const char *key, const struct sh_s3_range *range,
                      sh_s3_done_fn *done, void *arg, struct sh_s3_call **out)
{
    if (!key_ok(key) || range->len == 0 || range->offset > UINT64_MAX - range->len)
        return SH_INVALID;
    struct sh_s3_call *call = make_key_call(s3, GET, key);
    if (call == NULL)
        return SH_NOMEM;
    call->len = range->len;
    (void)snprintf(call->range_line, sizeof(call->range_line),
                   "Range: bytes=%" PRIu64 "-%" PRIu64, range->offset,
                   range->offset + range->len - 1);
    return start(call, done, arg, out);
}

enum sh_err sh_s3_head(struct sh_s3 *s3, const char *key, sh_s3_done_fn *done, void *arg,
                       struct sh_s3_call **out)
{
    if (!key_ok(key))
        return SH_INVALID;
    return start(make_key_call(s3, HEAD, key), done, arg, out);
}

enum sh_err sh_s3_delete(struct sh_s3 *s3, const char *key, sh_s3_done_fn *done,
                         void *arg, struct sh_s3_call **out)
{
    if (!key_ok(key))
        return SH_INVALID;
    return start(make_key_call(s3, DELETE, key), done, arg, out);
}

/* Parameters in the order of their names: so they are signed. */
enum sh_err sh_s3_list(struct sh_s3 *s3, const struct sh_s3_page *page,
                       sh_s3_done_fn *done, void *arg, struct sh_s3_call **out)
{
    struct sh_buffer url = {0};
    unsigned most = page->most;

    if (strlen(page->prefix) > SH_S3_KEY_MAX || strlen(page->after) > SH_S3_KEY_MAX)
        return SH_INVALID;
    if (most == 0 || most > SH_S3_LIST_MAX)
        most = SH_S3_LIST_MAX;
    sh_buffer_printf(&url, "%s?list-type=2&max-keys=%u&prefix=", s3->base, most);
    escape(&url, page->prefix, "");
    if (page->after[0] != '\0') {
        sh_buffer_text(&url, "&start-after=");
        escape(&url, page->after, "");
    }
    return start(make_call(s3, LIST, &url), done, arg, out);
}

void sh_s3_cancel(struct sh_s3_call *call)
{
    call->canceled = true;
    if (call->http != NULL)
        sh_http_client_cancel(call->http);
    else
        (void)uv_timer_start(&call->timer, on_again, 0, 0); /* the callback is set */
}
