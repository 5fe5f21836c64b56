/* POST /api/glossary/import: a file of terms, as the body or in a form. RECEIVING: it
 * goes to the spool as fast as the disk takes it. SEALING: the whole of it is on the
 * disk. CLAIMING: search keeps it from being removed. PLACING: to its place in the store.
 * ASKING: search makes a job of it, which ends the claim. WAITING: for the job's end,
 * with ?wait=true. A client that leaves before the job was made leaves nothing behind. */
#include <stdio.h>
#include <string.h>

#include "services/gateway/auth/authorise.h"
#include "services/gateway/handlers/glossary.h"
#include "services/gateway/json_out.h"
#include "services/gateway/uploads/form.h"
#include "services/gateway/uploads/sent_name.h"
#include "services/gateway/uploads/upload.h"
#include "shared/clock.h"
#include "shared/log.h"

enum state { RECEIVING, SEALING, CLAIMING, PLACING, ASKING };

struct importing {
    struct exchange *x; /* NULL: the client has left */
    struct edge *edge;
    enum state state;
    struct form form; /* of a form; */
    bool is_form;
    struct sh_file_writer *writer; /* else of the body itself */
    bool full;
    bool paused;
    bool wait;
    bool may_validate;
    const struct glossary_format *format; /* NULL: to be known by the file's name */
    char file_name[FILE_NAME_MAX];        /* "": nobody said */
    char hash[SH_FILE_HASH_TEXT];
    uint64_t claim; /* 0: none */
};

/* --- the end ---------------------------------------------------------------------- */

static void on_released(void *arg, const struct sh_rpc_response *reply)
{
    (void)arg; /* a claim that is lost ends by its age */
    if (reply->err != SH_OK && reply->err != SH_CANCELED)
        sh_warning(NULL, "the claim of an import stays until it is too old: %s",
                   sh_err_text(reply->err));
}

static void release(struct importing *self)
{
    const struct file_claimed claimed = {self->claim};
    struct sh_buffer frame = {0};
    struct sh_rpc_request request = {
        .method = METHOD_FILE_RELEASE,
        .kind = SH_RPC_WRITE,
        .deadline_ms = sh_now_ms() + self->edge->gateway->config.write_timeout_ms,
    };
    enum sh_err err = msg_encode(file_claimed_desc(), &claimed, &frame);

    request.payload = sh_buffer_bytes(&frame);
    if (err == SH_OK)
        err = sh_rpc_send(self->edge->peers[PEER_SEARCH], &request, on_released, NULL,
                          NULL);
    if (err != SH_OK)
        on_released(NULL, &(struct sh_rpc_response){.err = err});
    sh_buffer_free(&frame);
}

/* The exchange, if the client is there, is the caller's to answer afterwards. */
static struct exchange *leave(struct importing *self, bool release_claim)
{
    struct exchange *x = self->x;

    if (x != NULL) {
        x->abandoned = NULL;
        x->state = NULL;
    }
    if (self->claim != 0 && release_claim)
        release(self);
    if (self->is_form)
        form_close(&self->form);
    sh_file_writer_close(&self->writer);
    sh_free(self);
    return x;
}

static void fail(struct importing *self, enum sh_err err, const char *why)
{
    char text[256];

    (void)snprintf(text, sizeof text, "%s", why != NULL ? why : sh_err_text(err));
    struct exchange *x = leave(self, true);
    if (x != NULL)
        exchange_fail_err(x, err, text);
}

static void fail_reply(struct importing *self, const struct sh_rpc_response *reply)
{
    bool certain = sh_err_http_status(reply->err) < 500 || reply->err == SH_REJECTED ||
                   reply->err == SH_DRAINING || reply->err == SH_BUSY;
    struct exchange *x = leave(self, certain);

    if (x != NULL)
        exchange_fail_call(x, PEER_SEARCH, reply);
}

static void on_abandoned(struct exchange *x)
{
    struct importing *self = x->state;

    self->x = NULL;
    if (self->state <= SEALING)
        (void)leave(self, true);
}

/* --- asking search ---------------------------------------------------------------- */

static void ask(struct importing *self, uint32_t method, const struct msg_desc *desc,
                const void *msg, sh_rpc_done_fn *done)
{
    struct exchange *x = self->x;
    struct sh_buffer frame = {0};
    struct sh_rpc_request request = {
        .method = method,
        .kind = SH_RPC_WRITE,
        .caller = x != NULL ? exchange_caller(x) : NULL,
        .deadline_ms = sh_now_ms() + self->edge->gateway->config.write_timeout_ms,
        .trace = x != NULL ? sh_http_trace(x->request) : NULL,
    };
    enum sh_err err = msg_encode(desc, msg, &frame);

    request.payload = sh_buffer_bytes(&frame);
    if (err == SH_OK)
        err = sh_rpc_send(self->edge->peers[PEER_SEARCH], &request, done, self, NULL);
    sh_buffer_free(&frame);
    if (err != SH_OK)
        fail_reply(self, &(struct sh_rpc_response){.err = err, .retry_after_ms = 1000});
}

static void on_made(void *arg, const struct sh_rpc_response *reply)
{
    struct importing *self = arg;
    struct sh_arena arena = {0};
    struct job_ref job;

    if (reply->err != SH_OK) {
        fail_reply(self, reply);
        return;
    }
    enum sh_err err = msg_decode(job_ref_desc(), reply->payload, &arena, &job);
    bool wait = self->wait;
    struct exchange *x = leave(self, false); /* the claim is the job's */
    if (x != NULL && err == SH_OK)
        glossary_answer_job(x, job.id, wait);
    else if (x != NULL)
        exchange_fail_err(x, SH_UPSTREAM, NULL);
    sh_arena_free(&arena);
}

static void on_placed(void *arg, enum sh_err err)
{
    struct importing *self = arg;
    const struct glossary_import order = {.hash = sh_bytes_of(self->hash),
                                          .claim = self->claim,
                                          .format = sh_bytes_of(self->format->name),
                                          .file_name = sh_bytes_of(self->file_name),
                                          .may_validate = self->may_validate};

    if (err != SH_OK) {
        fail(self, err, "the file cannot be stored at the moment");
    } else if (self->x == NULL) {
        (void)leave(self, true);
    } else {
        self->state = ASKING;
        ask(self, METHOD_GLOSSARY_IMPORT, glossary_import_desc(), &order, on_made);
    }
}

static struct sh_file_writer *writer_of(struct importing *self)
{
    return self->is_form ? self->form.writer : self->writer;
}

static void on_claimed(void *arg, const struct sh_rpc_response *reply)
{
    struct importing *self = arg;
    struct file_claimed claimed;
    struct sh_arena arena = {0};

    if (reply->err != SH_OK) {
        fail_reply(self, reply);
        return;
    }
    enum sh_err err = msg_decode(file_claimed_desc(), reply->payload, &arena, &claimed);
    sh_arena_free(&arena);
    if (err == SH_OK) {
        self->claim = claimed.claim;
        self->state = PLACING;
        err = sh_file_commit(writer_of(self), on_placed);
    }
    if (err != SH_OK)
        fail(self, err == SH_MALFORMED ? SH_UPSTREAM : err, NULL);
}

static void on_sealed(void *arg, enum sh_err err, const char *hash, uint64_t size)
{
    struct importing *self = arg;

    if (err != SH_OK || size == 0) {
        fail(self, err != SH_OK ? err : SH_INVALID,
             err != SH_OK ? "the file cannot be stored at the moment"
                          : "the file is empty");
        return;
    }
    (void)snprintf(self->hash, sizeof self->hash, "%s", hash);
    self->state = CLAIMING;
    const struct file_claim claim = {sh_bytes_of(self->hash)};
    ask(self, METHOD_FILE_CLAIM, file_claim_desc(), &claim, on_claimed);
}

/* --- receiving -------------------------------------------------------------------- */

static void on_drained(void *arg)
{
    struct importing *self = arg;

    self->full = self->form.full = false;
    if (!self->paused || self->x == NULL)
        return;
    self->paused = false;
    sh_http_resume(self->x->request);
}

static void end_body(struct importing *self)
{
    enum sh_err err = self->is_form ? form_end(&self->form) : SH_OK;

    if (err == SH_OK && self->format == NULL)
        self->format = glossary_format_of_name(sh_bytes_of(self->form.file_name));
    if (err == SH_OK && self->file_name[0] == '\0')
        memcpy(self->file_name, self->form.file_name, sizeof self->file_name);
    if (err == SH_OK && self->format == NULL) {
        fail(self, SH_INVALID, "format must be csv, xlsx, json, tbx or skos");
        return;
    }
    self->state = SEALING;
    if (err == SH_OK)
        err = sh_file_finish(writer_of(self), on_sealed);
    if (err != SH_OK)
        fail(self, err, self->is_form ? form_why(&self->form) : NULL);
}

static void on_piece(void *arg, struct sh_http_request *request, enum sh_err err,
                     struct sh_bytes piece)
{
    struct importing *self = arg;

    if (err == SH_OK && piece.len == 0) {
        end_body(self);
        return;
    }
    if (err == SH_OK && self->is_form) {
        err = form_feed(&self->form, piece);
        self->full = self->form.full;
    } else if (err == SH_OK) {
        err = sh_file_append(self->writer, piece, &self->full);
    }
    if (err != SH_OK) {
        fail(self, err,
             err == SH_TOOBIG ? "the file is larger than this server takes"
             : self->is_form  ? form_why(&self->form)
                              : NULL);
    } else if (self->full && !self->paused) {
        self->paused = true;
        sh_http_pause(request);
    }
}

/* --- the start -------------------------------------------------------------------- */

/* False: answered. */
static bool read_format(struct exchange *x, bool is_form,
                        const struct glossary_format **out)
{
    struct sh_bytes name;

    *out = NULL;
    if (!exchange_query_text(x, "format", 16, &name))
        return false;
    *out = name.len > 0 ? glossary_format(name)
           : is_form
               ? NULL
               : glossary_format_of_type(sh_http_header(x->request, "Content-Type"));
    if (*out != NULL || (is_form && name.len == 0))
        return true;
    exchange_invalid(x, "format", "format must be csv, xlsx, json, tbx or skos");
    return false;
}

static enum sh_err open_sink(struct importing *self, uint64_t most)
{
    struct exchange *x = self->x;

    if (self->is_form)
        return form_open(&self->form, sh_http_header(x->request, "Content-Type"),
                         x->edge->files, most, on_drained, self);
    return sh_file_begin(x->edge->files, on_drained, self, &self->writer);
}

void glossary_import_post(struct exchange *x, void *unused)
{
    uint64_t most = (uint64_t)x->edge->gateway->config.max_file_mb << 20;
    bool is_form = upload_is_form(sh_http_header(x->request, "Content-Type"));
    const struct glossary_format *format;
    bool wait;

    (void)unused;
    if (!exchange_body_plain(x) || !read_format(x, is_form, &format) ||
        !exchange_query_flag(x, "wait", &wait))
        return;
    if (sh_http_content_length(x->request) > (int64_t)(most + FORM_EXTRA_BYTES)) {
        exchange_fail_err(x, SH_TOOBIG, "the file is larger than this server takes");
        return;
    }
    struct importing *self = x->edge->files != NULL ? sh_alloc(sizeof *self) : NULL;
    if (self == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    if (!sent_name_read(x, self->file_name)) {
        sh_free(self);
        return;
    }
    self->x = x;
    self->edge = x->edge;
    self->format = format;
    self->wait = wait;
    self->is_form = is_form;
    self->may_validate = authorised(x, PERMIT_VALIDATE_GLOSSARY);
    enum sh_err err = open_sink(self, most);
    if (err != SH_OK) {
        sh_free(self);
        exchange_fail_err(x, err, NULL);
        return;
    }
    x->state = self;
    x->abandoned = on_abandoned;
    sh_http_read_stream(x->request, most + (is_form ? FORM_EXTRA_BYTES : 0), on_piece,
                        self);
}
