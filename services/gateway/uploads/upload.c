#include "services/gateway/uploads/upload.h"

#include <stdio.h>
#include <strings.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/write_key.h"
#include "services/gateway/uploads/form_document.h"
#include "services/gateway/uploads/upload_answer.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

enum state { RECEIVING, SEALING, CLAIMING, PLACING, PUTTING };

struct upload {
    struct exchange *x; /* NULL: the client has left */
    struct edge *edge;
    enum state state;
    struct form form;
    bool paused;
    enum refresh_mode refresh;
    struct write_key key;
    char hash[SH_FILE_HASH_TEXT];
    uint64_t size;
    uint64_t claim; /* 0: none */
};

/* --- the end ---------------------------------------------------------------------- */

static void on_released(void *arg, const struct sh_rpc_response *reply)
{
    (void)arg;
    if (reply->err != SH_OK && reply->err != SH_CANCELED)
        sh_warning(NULL, "the claim of an upload stays until it is too old: %s",
                   sh_err_text(reply->err));
}

/* Nobody waits for it: a claim that is lost ends by its age. */
static void release(struct upload *upload)
{
    const struct file_claimed claimed = {upload->claim};
    struct sh_buffer frame = {0};
    struct sh_rpc_request request = {
        .method = METHOD_FILE_RELEASE,
        .kind = SH_RPC_WRITE,
        .deadline_ms = sh_now_ms() + upload->edge->gateway->config.write_timeout_ms,
    };
    enum sh_err err = msg_encode(file_claimed_desc(), &claimed, &frame);

    request.payload = sh_buffer_bytes(&frame);
    if (err == SH_OK)
        err = sh_rpc_send(upload->edge->peers[PEER_SEARCH], &request, on_released, NULL,
                          NULL);
    if (err != SH_OK)
        on_released(NULL, &(struct sh_rpc_response){.err = err});
    sh_buffer_free(&frame);
}

/* The exchange, if the client is there, is the caller's to answer afterwards. */
static struct exchange *leave(struct upload *upload, bool release_claim)
{
    struct exchange *x = upload->x;

    if (x != NULL) {
        x->abandoned = NULL;
        x->state = NULL;
    }
    if (upload->claim != 0 && release_claim)
        release(upload);
    form_close(&upload->form);
    sh_free(upload);
    return x;
}

static void fail(struct upload *upload, const struct sh_problem *problem)
{
    struct sh_problem told = *problem;
    struct exchange *x = upload->x;

    if (x != NULL && told.field != NULL && told.field[0] == '\0')
        told.field = NULL;
    if (x != NULL) { /* what it says may be the form's */
        x->abandoned = NULL;
        x->state = NULL;
        exchange_fail(x, &told);
        upload->x = NULL;
    }
    (void)leave(upload, true);
}

static void fail_err(struct upload *upload, enum sh_err err, const char *why)
{
    fail(upload, &(struct sh_problem){.status = sh_err_http_status(err),
                                      .code = sh_err_code(err),
                                      .error = why != NULL ? why : sh_err_text(err)});
}

static void fail_reply(struct upload *upload, const struct sh_rpc_response *reply,
                       bool release_claim)
{
    struct exchange *x = leave(upload, release_claim);

    if (x != NULL)
        exchange_fail_call(x, PEER_SEARCH, reply);
}

static void on_abandoned(struct exchange *x)
{
    struct upload *upload = x->state;

    upload->x = NULL;
    if (upload->state <= SEALING)
        (void)leave(upload, true);
}

/* --- asking search ---------------------------------------------------------------- */

static void ask(struct upload *upload, uint32_t method, const struct msg_desc *desc,
                const void *msg, sh_rpc_done_fn *done)
{
    struct exchange *x = upload->x;
    struct sh_buffer frame = {0};
    struct sh_rpc_request request = {
        .method = method,
        .kind = SH_RPC_WRITE,
        .caller = x != NULL ? exchange_caller(x) : NULL,
        .deadline_ms = sh_now_ms() + upload->edge->gateway->config.write_timeout_ms,
        .trace = x != NULL ? sh_http_trace(x->request) : NULL,
        .idempotency_key =
            method == METHOD_FILE_PUT ? write_key_bytes(&upload->key) : NULL,
    };
    enum sh_err err = msg_encode(desc, msg, &frame);

    request.payload = sh_buffer_bytes(&frame);
    if (err == SH_OK)
        err = sh_rpc_send(upload->edge->peers[PEER_SEARCH], &request, done, upload, NULL);
    sh_buffer_free(&frame);
    if (err != SH_OK)
        fail_reply(upload, &(struct sh_rpc_response){.err = err, .retry_after_ms = 1000},
                   true);
}

/* Whether it is certain that nothing was stored. */
static bool is_refusal(enum sh_err err)
{
    return sh_err_http_status(err) < 500 || err == SH_REJECTED || err == SH_DRAINING ||
           err == SH_BUSY;
}

static void on_put(void *arg, const struct sh_rpc_response *reply)
{
    struct upload *upload = arg;
    struct upload_stored *stored = NULL;

    if (reply->err != SH_OK) {
        fail_reply(upload, reply, is_refusal(reply->err));
        return;
    }
    if (upload->x != NULL)
        stored = sh_arena_alloc(&upload->x->arena, sizeof *stored);
    if (stored != NULL) {
        *stored =
            (struct upload_stored){.refresh.mode = upload->refresh, .size = upload->size};
        memcpy(stored->hash, upload->hash, sizeof stored->hash);
        memcpy(stored->name, upload->form.file_name, sizeof stored->name);
    }
    struct exchange *x = leave(upload, true);
    if (stored != NULL)
        upload_tell(x, stored, reply->payload);
    else if (x != NULL)
        exchange_fail_err(x, SH_NOMEM, NULL);
}

/* --- to its place ----------------------------------------------------------------- */

static void put(struct upload *upload)
{
    const struct form *form = &upload->form;
    struct file_put file = {
        .hash = sh_bytes_of(upload->hash),
        .name = sh_bytes_of(form->file_name),
        .size = upload->size,
        .declared_type = sh_bytes_of(form->file_type),
        .no_wait = upload->refresh != REFRESH_OWN || upload->x == NULL,
        .document_count = 1,
    };
    struct form_document said;

    if (form_document_read(form, &said)) {
        file.document = &said.document;
        upload->state = PUTTING;
        ask(upload, METHOD_FILE_PUT, file_put_desc(), &file, on_put);
    } else {
        fail(upload, &said.problem);
    }
    form_document_free(&said);
}

static void on_placed(void *arg, enum sh_err err)
{
    struct upload *upload = arg;

    if (err != SH_OK)
        fail_err(upload, err, "the file cannot be stored at the moment");
    else if (upload->x == NULL) /* nobody's any more, and no document was made of it */
        (void)leave(upload, true);
    else
        put(upload);
}

static void on_claimed(void *arg, const struct sh_rpc_response *reply)
{
    struct upload *upload = arg;
    struct file_claimed claimed;
    struct sh_arena arena = {0};

    if (reply->err != SH_OK) {
        fail_reply(upload, reply, true);
        return;
    }
    enum sh_err err = msg_decode(file_claimed_desc(), reply->payload, &arena, &claimed);
    sh_arena_free(&arena);
    if (err == SH_OK) {
        upload->claim = claimed.claim;
        upload->state = PLACING;
        if (upload->x == NULL) {
            (void)leave(upload, true);
            return;
        }
        err = sh_file_commit(upload->form.writer, on_placed);
    }
    if (err != SH_OK)
        fail_err(upload, err == SH_MALFORMED ? SH_UPSTREAM : err, NULL);
}

static void on_sealed(void *arg, enum sh_err err, const char *hash, uint64_t size)
{
    struct upload *upload = arg;

    if (err != SH_OK) {
        fail_err(upload, err, "the file cannot be stored at the moment");
        return;
    }
    if (size == 0) {
        fail(upload, &(struct sh_problem){.status = 422,
                                          .code = "unreadable_document",
                                          .field = "file",
                                          .error = "the file is empty"});
        return;
    }
    (void)snprintf(upload->hash, sizeof upload->hash, "%s", hash);
    upload->size = size;
    upload->state = CLAIMING;
    const struct file_claim claim = {sh_bytes_of(upload->hash)};
    ask(upload, METHOD_FILE_CLAIM, file_claim_desc(), &claim, on_claimed);
}

/* --- receiving -------------------------------------------------------------------- */

static void on_drained(void *arg)
{
    struct upload *upload = arg;

    upload->form.full = false;
    if (!upload->paused || upload->x == NULL)
        return;
    upload->paused = false;
    sh_http_resume(upload->x->request);
}

static void refuse_form(struct upload *upload, enum sh_err err)
{
    const struct form *form = &upload->form;
    bool bad = err == SH_MALFORMED;
    bool theirs = bad || err == SH_INVALID || err == SH_TOOBIG;

    fail(upload, &(struct sh_problem){
                     .status = sh_err_http_status(err),
                     .code = bad ? "malformed_multipart" : sh_err_code(err),
                     .field = form->field,
                     .error = theirs ? form_why(form)
                                     : "the file cannot be stored at the moment"});
}

static void end_form(struct upload *upload)
{
    enum sh_err err = form_end(&upload->form);

    if (err == SH_OK) {
        upload->state = SEALING;
        err = sh_file_finish(upload->form.writer, on_sealed);
    }
    if (err != SH_OK)
        refuse_form(upload, err);
}

static void on_piece(void *arg, struct sh_http_request *request, enum sh_err err,
                     struct sh_bytes piece)
{
    struct upload *upload = arg;

    if (err == SH_TOOBIG) {
        fail_err(upload, err, "the upload is larger than this server takes");
    } else if (err != SH_OK) {
        fail_err(upload, err, NULL);
    } else if (piece.len == 0) {
        end_form(upload);
    } else if ((err = form_feed(&upload->form, piece)) != SH_OK) {
        refuse_form(upload, err);
    } else if (upload->form.full && !upload->paused) {
        upload->paused = true;
        sh_http_pause(request);
    }
}

/* --- the start -------------------------------------------------------------------- */

bool upload_is_form(struct sh_bytes content_type)
{
    static const char form[] = "multipart/form-data";
    const char *data = content_type.data;
    size_t len = sizeof form - 1;

    return content_type.len >= len && strncasecmp(data, form, len) == 0 &&
           (content_type.len == len || strchr("; \t", data[len]) != NULL);
}

static void start(struct exchange *x, struct upload *upload, uint64_t file_max)
{
    enum sh_err err = form_open(&upload->form, sh_http_header(x->request, "Content-Type"),
                                x->edge->files, file_max, on_drained, upload);

    if (err != SH_OK) {
        sh_free(upload);
        exchange_fail(
            x, &(struct sh_problem){.status = err == SH_INVALID ? 400 : 503,
                                    .code = err == SH_INVALID ? "malformed_multipart"
                                                              : sh_err_code(err),
                                    .error = "Content-Type must be multipart/form-data "
                                             "with one good boundary"});
        return;
    }
    x->state = upload;
    x->abandoned = on_abandoned;
    sh_http_read_stream(x->request, file_max + FORM_EXTRA_BYTES, on_piece, upload);
}

void upload_begin(struct exchange *x)
{
    uint64_t file_max = (uint64_t)x->edge->gateway->config.max_file_mb << 20;
    int64_t length = sh_http_content_length(x->request);
    enum refresh_mode refresh;
    struct write_key key;

    if (!exchange_body_plain(x) || !refresh_read(x, &refresh) || !write_key_read(x, &key))
        return;
    if (length > 0 && (uint64_t)length > file_max + FORM_EXTRA_BYTES) {
        exchange_fail_err(x, SH_TOOBIG, "the upload is larger than this server takes");
        return;
    }
    struct upload *upload = x->edge->files != NULL ? sh_alloc(sizeof *upload) : NULL;
    if (upload == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    upload->x = x;
    upload->edge = x->edge;
    upload->refresh = refresh;
    upload->key = key;
    start(x, upload, file_max);
}
