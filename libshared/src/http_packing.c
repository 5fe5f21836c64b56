#include "http_packing.h"

#include "http_internal.h"
#include "shared/mem.h"

enum {
    ZSTD_AT_ONCE = 32768, /* bytes; about 100 µs */
    GZIP_AT_ONCE = 8192,
    BYTES_MAX = 16 << 20, /* longer answers go as they are */
    JOBS_MAX = 16,        /* off the loop at the same time; more answers go as they are */
    TYPE_MAX = 128,
    KEEP_BYTES = 65536,
};

struct http_packing_job {
    uv_work_t work;
    struct sh_http_server *server;
    struct sh_http_request *request; /* NULL: the client left */
    enum http_coding coding;
    int status;
    char type[TYPE_MAX];
    struct sh_buffer body;
    struct sh_buffer packed;
    enum sh_err err;
};

void http_packing_free(struct http_packing *self)
{
    http_packer_free(&self->packer);
    sh_buffer_free(&self->packed);
}

/* --- whether ---------------------------------------------------------------------- */

static enum http_coding wanted(const struct sh_http_request *request)
{
    struct http_wish wish = {0};
    struct sh_bytes line;
    for (size_t nth = 0; nth < 8; nth++) {
        line = http_parse_header_at(&request->parse, "accept-encoding", nth);
        if (!line.data)
            break;
        http_wish_read(&wish, line);
    }
    return http_wish_best(&wish);
}

static bool may_pack(const struct sh_http_request *request, int status,
                     const char *content_type, struct sh_bytes body)
{
    const struct http_packing *packing = &request->conn->server->packing;
    return packing->least > 0 && body.len >= packing->least && !request->unpacked &&
           status >= 200 && status != 204 && status != 206 && status != 304 &&
           content_type && strlen(content_type) < TYPE_MAX &&
           http_is_packable(content_type);
}

/* --- how -------------------------------------------------------------------------- */

static void answer_packed(struct sh_http_request *request, int status, const char *type,
                          enum http_coding coding, struct sh_bytes packed)
{
    sh_http_add_header(request, "Content-Encoding", http_coding_name(coding));
    http_reply_now(request, status, type, packed);
}

static void pack_at_once(struct sh_http_request *request, int status, const char *type,
                         enum http_coding coding, struct sh_bytes body)
{
    struct http_packing *packing = &request->conn->server->packing;
    struct sh_buffer *packed = &packing->packed;
    sh_buffer_clear(packed);
    if (http_pack(&packing->packer, coding, body, packed) == SH_OK)
        answer_packed(request, status, type, coding, sh_buffer_bytes(packed));
    else
        http_reply_now(request, status, type, body);
    if (packed->capacity > KEEP_BYTES)
        sh_buffer_free(packed);
}

static void run(uv_work_t *work)
{
    struct http_packing_job *job = SH_CONTAINER_OF(work, struct http_packing_job, work);
    struct http_packer packer = {0};
    job->err = http_pack(&packer, job->coding, sh_buffer_bytes(&job->body), &job->packed);
    http_packer_free(&packer);
}

static void free_job(struct http_packing_job *job)
{
    sh_buffer_free(&job->body);
    sh_buffer_free(&job->packed);
    sh_free(job);
}

static void done(uv_work_t *work, int status)
{
    struct http_packing_job *job = SH_CONTAINER_OF(work, struct http_packing_job, work);
    struct sh_http_server *server = job->server;
    struct sh_http_request *request = job->request;
    server->packing.under_way--;
    if (request) {
        request->packing = NULL;
        if (status == 0 && job->err == SH_OK)
            answer_packed(request, job->status, job->type, job->coding,
                          sh_buffer_bytes(&job->packed));
        else
            http_reply_now(request, job->status, job->type, sh_buffer_bytes(&job->body));
    }
    free_job(job);
    http_server_release(server);
}

/* False: it cannot be done now. */
static bool pack_later(struct sh_http_request *request, int status, const char *type,
                       enum http_coding coding, struct sh_bytes body)
{
    struct sh_http_server *server = request->conn->server;
    if (server->packing.under_way >= JOBS_MAX)
        return false;
    struct http_packing_job *job = sh_alloc(sizeof(*job));
    if (!job)
        return false;
    *job = (struct http_packing_job){
        .server = server, .request = request, .coding = coding, .status = status};
    memcpy(job->type, type, strlen(type) + 1);
    sh_buffer_append(&job->body, body.data, body.len);
    if (job->body.err != SH_OK ||
        uv_queue_work(server->loop, &job->work, run, done) != 0) {
        free_job(job);
        return false;
    }
    server->packing.under_way++;
    http_server_hold(server);
    request->packing = job;
    request->abort = NULL; /* the handler has done its part, and what it had may go */
    http_reply_tell(request, status, body.len);
    return true;
}

void http_packing_forget(struct sh_http_request *request)
{
    if (request->packing)
        request->packing->request = NULL;
    request->packing = NULL;
}

void http_packing_answer(struct sh_http_request *request, int status,
                         const char *content_type, struct sh_bytes body)
{
    if (!may_pack(request, status, content_type, body)) {
        http_reply_now(request, status, content_type, body);
        return;
    }
    sh_http_add_header(request, "Vary", "Accept-Encoding");
    enum http_coding coding = wanted(request);
    size_t at_once = coding == HTTP_ZSTD ? ZSTD_AT_ONCE : GZIP_AT_ONCE;
    bool packs = coding != HTTP_IDENTITY && body.len <= BYTES_MAX;
    if (packs && body.len <= at_once)
        pack_at_once(request, status, content_type, coding, body);
    else if (!packs || !pack_later(request, status, content_type, coding, body))
        http_reply_now(request, status, content_type, body);
}
