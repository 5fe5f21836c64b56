#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "s3_call.h"

struct sh_s3_call *s3_call_make_key(struct sh_s3 *s3, enum s3_operation operation,
                                    const char *key, const char *query)
{
    struct sh_buffer url = {0};

    sh_buffer_text(&url, s3->base);
    sh_buffer_text(&url, "/");
    s3_escape(&url, key, "/");
    sh_buffer_text(&url, query);
    return s3_call_make(s3, operation, &url);
}

enum sh_err sh_s3_put(struct sh_s3 *s3, const char *key, const struct sh_s3_put *put,
                      sh_s3_done_fn *done, void *arg, struct sh_s3_call **out)
{
    const char *type = put->type != NULL ? put->type : "application/octet-stream";

    if (!s3_key_ok(key) || strlen(put->sha256) != sizeof(S3_NOTHING) - 1)
        return SH_INVALID;
    struct sh_s3_call *call = s3_call_make_key(s3, S3_PUT, key, "");
    if (call == NULL)
        return SH_NOMEM;
    call->size = put->size;
    (void)snprintf(call->hash_line, sizeof(call->hash_line), "x-amz-content-sha256: %s",
                   put->sha256);
    (void)snprintf(call->type_line, sizeof(call->type_line), "Content-Type: %s", type);
    call->fd = fcntl(put->fd, F_DUPFD_CLOEXEC, 0);
    if (call->fd < 0) {
        s3_call_drop(call);
        return SH_IO;
    }
    return s3_call_start(call, done, arg, out);
}

enum sh_err sh_s3_get(struct sh_s3 *s3, const char *key, const struct sh_s3_range *range,
                      sh_s3_done_fn *done, void *arg, struct sh_s3_call **out)
{
    if (!s3_key_ok(key) || range->len == 0 || range->offset > UINT64_MAX - range->len)
        return SH_INVALID;
    struct sh_s3_call *call = s3_call_make_key(s3, S3_GET, key, "");
    if (call == NULL)
        return SH_NOMEM;
    call->len = range->len;
    (void)snprintf(call->extra_line, sizeof(call->extra_line),
                   "Range: bytes=%" PRIu64 "-%" PRIu64, range->offset,
                   range->offset + range->len - 1);
    return s3_call_start(call, done, arg, out);
}

enum sh_err sh_s3_head(struct sh_s3 *s3, const char *key, sh_s3_done_fn *done, void *arg,
                       struct sh_s3_call **out)
{
    if (!s3_key_ok(key))
        return SH_INVALID;
    return s3_call_start(s3_call_make_key(s3, S3_HEAD, key, ""), done, arg, out);
}

enum sh_err sh_s3_delete(struct sh_s3 *s3, const char *key, sh_s3_done_fn *done,
                         void *arg, struct sh_s3_call **out)
{
    if (!s3_key_ok(key))
        return SH_INVALID;
    return s3_call_start(s3_call_make_key(s3, S3_DELETE, key, ""), done, arg, out);
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
    s3_escape(&url, page->prefix, "");
    if (page->after[0] != '\0') {
        sh_buffer_text(&url, "&start-after=");
        s3_escape(&url, page->after, "");
    }
    return s3_call_start(s3_call_make(s3, S3_LIST, &url), done, arg, out);
}
