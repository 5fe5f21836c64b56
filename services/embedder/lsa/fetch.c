#include "services/embedder/lsa/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "services/embedder/lsa/model_files.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum { PIECE_MS = 10000, PAUSE_MS = 200, PATIENCE = 150 /* half a minute of nobody */ };
#define FILE_MOST ((uint64_t)1 << 30)

/* ASKING for a piece → WRITING it → … → the last one moves the file into place. PAUSING
 * after an answer that may be better in a moment. */
enum state { ASKING, WRITING, PAUSING };

struct fetch {
    struct fetch_order order;
    enum state state;
    char part[MODEL_FILES_PATH];
    char path[MODEL_FILES_PATH];
    int fd;
    uint64_t have;
    uint64_t bytes; /* of the whole file, as the first piece said */
    unsigned failures;
    uint64_t call;
    struct sh_buffer piece;
    enum sh_err err; /* of the writing */
    bool canceled;
    uv_work_t work;
    uv_timer_t timer;
};

static void ask(struct fetch *self);

/* --- ending ----------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void release(struct fetch *self)
{
    if (self->fd >= 0) {
        close(self->fd);
        unlink(self->part); /* it was not moved */
    }
    sh_buffer_free(&self->piece);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}

static void finish(struct fetch *self, enum sh_err err)
{
    struct fetch_order order = self->order;
    release(self);
    order.done(order.arg, err);
}

void fetch_cancel(struct fetch **fetch)
{
    struct fetch *self = *fetch;
    if (!self)
        return;
    *fetch = NULL;
    self->canceled = true;
    if (self->state == ASKING)
        sh_rpc_cancel(self->order.search, self->call);
    uv_timer_stop(&self->timer);
    if (self->state != WRITING) /* else as soon as that is over */
        release(self);
}

static void on_timer(uv_timer_t *timer)
{
    ask(timer->data);
}

static void try_later(struct fetch *self, enum sh_err err)
{
    self->state = PAUSING;
    if (++self->failures > PATIENCE)
        finish(self, err);
    else
        uv_timer_start(&self->timer, on_timer, PAUSE_MS, 0);
}

/* --- writing, on another thread --------------------------------------------------- */

static enum sh_err open_part(struct fetch *self)
{
    enum sh_err err = model_files_prepare(self->order.dir);
    if (err != SH_OK)
        return err;
    self->fd = open(self->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return self->fd < 0 ? sh_err_from_errno(errno) : SH_OK;
}

static enum sh_err write_piece(struct fetch *self)
{
    for (size_t at = 0; at < self->piece.len;) {
        ssize_t put = pwrite(self->fd, self->piece.data + at, self->piece.len - at,
                             (off_t)(self->have + at));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? sh_err_from_errno(errno) : SH_IO;
        at += (size_t)put;
    }
    self->have += self->piece.len;
    return SH_OK;
}

static enum sh_err complete(struct fetch *self)
{
    if (fsync(self->fd) != 0 || rename(self->part, self->path) != 0)
        return SH_IO;
    close(self->fd);
    self->fd = -1;
    model_files_tidy(self->order.dir);
    return SH_OK;
}

static void on_worker(uv_work_t *work)
{
    struct fetch *self = work->data;
    self->err = self->fd < 0 ? open_part(self) : SH_OK;
    if (self->err == SH_OK)
        self->err = write_piece(self);
    if (self->err == SH_OK && self->have == self->bytes)
        self->err = complete(self);
}

static void on_written(uv_work_t *work, int status)
{
    struct fetch *self = work->data;
    if (self->canceled) {
        release(self);
        return;
    }
    self->failures = 0;
    if (status != 0 || self->err != SH_OK)
        finish(self, status != 0 ? SH_CANCELED : self->err);
    else if (self->have == self->bytes)
        finish(self, SH_OK);
    else
        ask(self);
}

/* --- asking ----------------------------------------------------------------------- */

/* The piece is the one asked for, and of the file that the others were of. */
static enum sh_err take(struct fetch *self, const struct sh_rpc_response *response)
{
    struct sh_arena arena = {0};
    struct model_piece piece;
    enum sh_err err = msg_decode(model_piece_desc(), response->meta, &arena, &piece);
    if (err == SH_OK && piece.bytes > FILE_MOST)
        err = SH_TOOBIG;
    if (err == SH_OK && self->have == 0)
        self->bytes = piece.bytes;
    if (err == SH_OK &&
        (piece.offset != self->have || piece.bytes != self->bytes ||
         response->payload.len == 0 || response->payload.len > self->bytes - self->have))
        err = SH_MALFORMED;
    sh_arena_free(&arena);
    if (err != SH_OK)
        return err;
    sh_buffer_clear(&self->piece);
    sh_buffer_append(&self->piece, response->payload.data, response->payload.len);
    return self->piece.err;
}

static void on_piece(void *arg, const struct sh_rpc_response *response)
{
    struct fetch *self = arg;
    enum sh_err err = response->err;
    if (err == SH_OK)
        err = take(self, response);
    else if (err != SH_NOTFOUND && err != SH_CANCELED && err != SH_FORBIDDEN) {
        try_later(self, err);
        return;
    }
    if (err == SH_OK) {
        self->state = WRITING;
        self->work.data = self;
        err = sh_err_from_uv(
            uv_queue_work(self->order.loop, &self->work, on_worker, on_written));
    }
    if (err != SH_OK)
        finish(self, err);
}

static void ask(struct fetch *self)
{
    struct model_piece_ref message = {.model = sh_bytes_of(self->order.fingerprint),
                                      .offset = self->have};
    struct sh_buffer payload = {0};
    enum sh_err err = msg_encode(model_piece_ref_desc(), &message, &payload);
    self->state = ASKING;
    if (err == SH_OK) {
        struct sh_rpc_request request = {.method = METHOD_SEARCH_MODEL,
                                         .kind = SH_RPC_READ,
                                         .payload = sh_buffer_bytes(&payload),
                                         .deadline_ms = sh_now_ms() + PIECE_MS};
        err = sh_rpc_send(self->order.search, &request, on_piece, self, &self->call);
    }
    sh_buffer_free(&payload);
    if (err != SH_OK)
        try_later(self, err);
}

enum sh_err fetch_start(const struct fetch_order *order, struct fetch **out)
{
    char suffix[32];
    struct fetch *self = sh_alloc(sizeof(*self));
    *out = NULL;
    if (!self)
        return SH_NOMEM;
    self->order = *order;
    self->fd = -1;
    (void)snprintf(suffix, sizeof(suffix), ".%d.part", (int)getpid());
    if (!model_files_path(order->dir, order->fingerprint, suffix, self->part) ||
        !model_files_path(order->dir, order->fingerprint, ".lsa", self->path)) {
        sh_free(self);
        return SH_INVALID;
    }
    (void)uv_timer_init(order->loop, &self->timer); /* cannot fail in libuv */
    self->timer.data = self;
    *out = self;
    /* the first question on a later turn: `done` is never called from inside */
    self->state = PAUSING;
    uv_timer_start(&self->timer, on_timer, 0, 0);
    return SH_OK;
}
