#include "shared/s3.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "backoff.h"
#include "s3_call.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { CONNECTIONS = 8, LIST_BYTES = 8 << 20, HEADERS = 5, ERROR_BYTES = 1 << 20 };

SH_SETTINGS_DEFINE(sh_s3, "S3", SH_S3_SETTINGS)

/* --- life ------------------------------------------------------------------------- */

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
        !s3_bucket_ok(bucket, strlen(bucket))) {
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

/* --- the end of a call ------------------------------------------------------------ */

static void on_timer_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

void s3_call_drop(struct sh_s3_call *call)
{
    if (call->fd >= 0)
        close(call->fd);
    sh_free(call->url);
    sh_buffer_free(&call->body);
    uv_close((uv_handle_t *)&call->timer, on_timer_closed);
}

static void finish(struct sh_s3_call *call, const struct sh_s3_reply *reply)
{
    http_unlink(&call->link);
    call->done(call->arg, reply);
    s3_call_drop(call);
}

static void fail(struct sh_s3_call *call, enum sh_err err)
{
    finish(call, &(struct sh_s3_reply){.err = err, .why = ""});
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

/* --- what S3 said ----------------------------------------------------------------- */

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

static bool lists(const struct sh_s3_call *call)
{
    return call->operation == S3_LIST || call->operation >= S3_BEGIN;
}

static void read_listing(const struct sh_s3_call *call, struct sh_bytes xml,
                         struct sh_s3_reply *out, struct s3_listing *listing)
{
    static const char *const roots[] = {
        [S3_LIST] = "ListBucketResult",
        [S3_BEGIN] = "InitiateMultipartUploadResult",
        [S3_PARTS] = "ListPartsResult",
        [S3_COMPLETE] = "CompleteMultipartUploadResult",
        [S3_UPLOADS] = "ListMultipartUploadsResult",
    };

    out->err = s3_listing_read(xml, roots[call->operation], listing);
    if (out->err != SH_OK) /* HTTP said 200 before S3 knew that it would fail */
        s3_error_read(xml, out->code, sizeof(out->code));
    out->objects = listing->objects;
    out->parts = listing->parts;
    out->uploads = listing->uploads;
    out->count = listing->count;
    out->more = listing->more;
    out->upload = listing->upload;
}

static void read_answer(const struct sh_s3_call *call,
                        const struct sh_http_incoming *incoming, struct sh_s3_reply *out,
                        struct s3_listing *listing)
{
    out->status = incoming->status;
    out->err = meaning(incoming->status);
    if (out->err != SH_OK) {
        s3_error_read(incoming->body, out->code, sizeof(out->code));
        if (call->operation == S3_DELETE && out->err == SH_NOTFOUND &&
            strcmp(out->code, "NoSuchBucket") != 0)
            out->err = SH_OK;
        return;
    }
    if (call->operation == S3_HEAD) {
        out->size = (uint64_t)incoming->content_length;
        if (incoming->content_length < 0)
            out->err = SH_UPSTREAM;
    } else if (call->operation == S3_GET) {
        out->body = incoming->body;
        if (incoming->status != 206 || incoming->body.len != call->len)
            out->err = SH_UPSTREAM;
    } else if (lists(call)) {
        read_listing(call, incoming->body, out, listing);
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
    struct sh_s3_reply reply = {.err = err, .why = incoming->error};
    struct s3_listing *listing = NULL;

    call->http = NULL;
    if (err == SH_OK && lists(call) && (listing = sh_alloc(sizeof(*listing))) == NULL)
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

/* --- sending ---------------------------------------------------------------------- */

/* Putting parts together takes S3 its time, in which it says nothing: only the limit over
 * all holds then. */
static enum sh_err send_call(struct sh_s3_call *call)
{
    static const char *const methods[] = {"PUT",  "GET", "HEAD", "DELETE", "GET",
                                          "POST", "GET", "POST", "GET"};
    const struct sh_s3_config *config = call->s3->config;
    const struct sh_http_signing signing = {call->s3->scope, config->access_key,
                                            config->secret_key};
    const struct sh_http_file file = {call->fd, call->size, call->offset};
    const char *headers[HEADERS] = {call->hash_line};
    size_t count = 1;

    if (call->type_line[0] != '\0')
        headers[count++] = call->type_line;
    if (call->extra_line[0] != '\0')
        headers[count++] = call->extra_line;
    const struct sh_http_outgoing outgoing = {
        .method = methods[call->operation],
        .url = call->url,
        .headers = headers,
        .body = sh_buffer_bytes(&call->body),
        .file = call->operation == S3_PUT ? &file : NULL,
        .signing = &signing,
        .timeout_ms = config->timeout_ms,
        .pace = {config->slow_bytes, call->operation == S3_COMPLETE ? 0 : config->slow_s},
        .max_body = lists(call)               ? LIST_BYTES
                    : call->len > ERROR_BYTES ? call->len
                                              : ERROR_BYTES,
    };
    call->tries++;
    return sh_http_client_send(call->s3->client, &outgoing, on_answer, call, &call->http);
}

struct sh_s3_call *s3_call_make(struct sh_s3 *s3, enum s3_operation operation,
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
                   S3_NOTHING);
    return call;
}

enum sh_err s3_call_start(struct sh_s3_call *call, sh_s3_done_fn *done, void *arg,
                          struct sh_s3_call **out)
{
    if (call == NULL)
        return SH_NOMEM;
    call->done = done;
    call->arg = arg;
    enum sh_err err = send_call(call);
    if (err != SH_OK) {
        s3_call_drop(call);
        return err;
    }
    http_ring_add(&call->s3->calls, &call->link);
    if (out != NULL)
        *out = call;
    return SH_OK;
}

void sh_s3_cancel(struct sh_s3_call *call)
{
    call->canceled = true;
    if (call->http != NULL)
        sh_http_client_cancel(call->http);
    else
        (void)uv_timer_start(&call->timer, on_again, 0, 0); /* the callback is set */
}
