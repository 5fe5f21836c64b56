/* http_upload: a request's body read from a file while it is sent. libcurl asks for
 * bytes; when none are at hand it is told to pause, and goes on when libuv has read some.
 */
#include <fcntl.h>
#include <unistd.h>

#include "http_client_internal.h"
#include "shared/mem.h"

enum { PIECE = 256 << 10 };

struct http_upload {
    uv_loop_t *loop;
    uv_fs_t read;
    bool reading;
    bool gone;   /* goes when the reading has ended */
    bool paused; /* libcurl waits */
    bool failed;
    CURL *easy;
    int fd;
    uint64_t offset; /* of what is read next */
    uint64_t left;   /* not read yet */
    size_t len;      /* of the piece */
    size_t used;
    char *piece;
};

static void destroy(struct http_upload *upload)
{
    close(upload->fd);
    sh_free(upload->piece);
    sh_free(upload);
}

void http_upload_free(struct http_upload *upload)
{
    if (!upload)
        return;
    upload->gone = true;
    if (!upload->reading)
        destroy(upload);
}

static void on_read(uv_fs_t *req)
{
    struct http_upload *upload = req->data;
    ssize_t got = req->result;
    uv_fs_req_cleanup(req);
    upload->reading = false;
    if (upload->gone) {
        destroy(upload);
        return;
    }
    upload->used = 0;
    upload->len = got > 0 ? (size_t)got : 0;
    upload->offset += upload->len;
    upload->left -= upload->len;
    upload->failed = got <= 0; /* it was said that there is more */
    if (!upload->paused)
        return;
    upload->paused = false;
    (void)curl_easy_pause(upload->easy, CURLPAUSE_CONT); /* a failure ends the call */
}

static bool start_reading(struct http_upload *upload)
{
    size_t want = upload->left < PIECE ? (size_t)upload->left : PIECE;
    uv_buf_t buffer = uv_buf_init(upload->piece, (unsigned)want);
    upload->read.data = upload;
    upload->reading = uv_fs_read(upload->loop, &upload->read, upload->fd, &buffer, 1,
                                 (int64_t)upload->offset, on_read) == 0;
    return upload->reading;
}

static size_t on_wanted(char *out, size_t size, size_t count, void *arg)
{
    struct http_upload *upload = arg;
    size_t room = size * count;
    size_t have = upload->len - upload->used;
    if (upload->failed)
        return CURL_READFUNC_ABORT;
    if (have == 0 && upload->left == 0)
        return 0;
    if (have == 0) {
        if (!upload->reading && !start_reading(upload))
            return CURL_READFUNC_ABORT;
        upload->paused = true;
        return CURL_READFUNC_PAUSE;
    }
    size_t len = have < room ? have : room;
    memcpy(out, upload->piece + upload->used, len);
    upload->used += len;
    return len;
}

static bool set_options(struct http_upload *upload, uint64_t bytes)
{
    CURL *easy = upload->easy;
    return curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)bytes) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_wanted) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READDATA, upload) == CURLE_OK;
}

enum sh_err http_upload_create(uv_loop_t *loop, const struct sh_http_file *file,
                               CURL *easy, struct http_upload **out)
{
    if (file->bytes > INT64_MAX || file->offset > INT64_MAX - file->bytes)
        return SH_INVALID;
    struct http_upload *upload = sh_alloc(sizeof(*upload));
    if (!upload)
        return SH_NOMEM;
    upload->loop = loop;
    upload->easy = easy;
    upload->left = file->bytes;
    upload->offset = file->offset;
    upload->fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    upload->piece = sh_alloc(PIECE);
    enum sh_err err = upload->piece ? SH_OK : SH_NOMEM;
    if (upload->fd < 0)
        err = SH_IO;
    else if (err == SH_OK && !set_options(upload, file->bytes))
        err = SH_NOMEM;
    if (err != SH_OK) {
        if (upload->fd >= 0)
            close(upload->fd);
        sh_free(upload->piece);
        sh_free(upload);
        return err;
    }
    *out = upload;
    return SH_OK;
}
