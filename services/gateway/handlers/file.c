/* The file that a document was made from: GET /api/documents/{id}/file. */
#include <inttypes.h>
#include <stdio.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/uploads/file_name.h"
#include "services/gateway/uploads/range.h"
#include "shared/file_store.h"

enum { ID_MAX = 256, TAG_MAX = SH_FILE_HASH_TEXT + 2, DISPOSITION_MAX = 1100 };

struct sending {
    struct exchange *x;
    struct sh_file_reader *reader;
    char hash[SH_FILE_HASH_TEXT];
    char tag[TAG_MAX]; /* with quotes */
    char type[128];
    char disposition[DISPOSITION_MAX];
    uint64_t size;
    uint64_t next; /* what is read next */
    uint64_t end;  /* behind the last byte that is sent */
    bool slow;     /* the client takes nothing at the moment */
    bool reading;
};

static void on_abandoned(struct exchange *x)
{
    struct sending *sending = x->state;
    sh_file_reader_close(&sending->reader);
}

static void refuse(struct sending *sending, enum sh_err err, const char *why)
{
    sh_file_reader_close(&sending->reader);
    exchange_fail_err(sending->x, err, why);
}

/* --- the bytes
 * -------------------------------------------------------------------------- */

static void finish(struct sending *sending)
{
    struct exchange *x = sending->x;

    sh_file_reader_close(&sending->reader);
    x->abandoned = NULL;
    sh_http_end(x->request); /* cuts the connection where bytes are missing */
    exchange_done(x);
}

static void on_piece(void *arg, enum sh_err err, struct sh_bytes piece);

static void read_on(struct sending *sending)
{
    uint64_t left = sending->end - sending->next;
    size_t len = left < SH_FILE_PIECE ? (size_t)left : SH_FILE_PIECE;

    if (sending->slow || sending->reading)
        return;
    sending->reading =
        left > 0 && sh_file_read(sending->reader, sending->next, len, on_piece) == SH_OK;
    if (!sending->reading)
        finish(sending);
}

static void on_piece(void *arg, enum sh_err err, struct sh_bytes piece)
{
    struct sending *sending = arg;

    sending->reading = false;
    if (err != SH_OK || piece.len == 0) {
        finish(sending);
        return;
    }
    sending->next += piece.len;
    sending->slow = !sh_http_send(sending->x->request, piece);
    read_on(sending);
}

static void on_drained(void *arg)
{
    struct sending *sending = arg;

    sending->slow = false;
    read_on(sending);
}

/* --- the head
 * --------------------------------------------------------------------------- */

/* A PDF may be shown by the browser's own reader, where a link can name the page; that
 * runs nothing of it in this site's name. */
static bool is_shown(const struct sending *sending)
{
    char value[8];

    return strcmp(sending->type, "application/pdf") == 0 &&
           sh_http_param(sending->x->request, "inline", value, sizeof value) == SH_OK &&
           strcmp(value, "true") == 0;
}

/* What a stranger uploaded is never shown in this site's name. */
static void add_headers(const struct sending *sending)
{
    struct sh_http_request *request = sending->x->request;
    bool shown = is_shown(sending);
    const char *name = strchr(sending->disposition, ';');
    char disposition[DISPOSITION_MAX];

    sh_http_leave_unpacked(request); /* If-Range wants a strong tag */
    sh_http_add_header(request, "ETag", sending->tag);
    sh_http_add_header(request, "Accept-Ranges", "bytes");
    sh_http_add_header(request, "Cache-Control", "private, no-cache");
    (void)snprintf(disposition, sizeof disposition, "%s%s",
                   shown ? "inline" : "attachment", name != NULL ? name : "");
    sh_http_add_header(request, "Content-Disposition", disposition);
    /* the reader of a browser does not work in a sandbox */
    sh_http_add_header(request, "Content-Security-Policy",
                       shown ? "default-src 'none'; frame-ancestors 'none'; "
                               "object-src 'self'; style-src 'unsafe-inline'"
                             : "default-src 'none'; frame-ancestors 'none'; sandbox");
}

static enum range_verdict wanted_range(struct sending *sending)
{
    struct sh_http_request *request = sending->x->request;
    struct sh_bytes condition = sh_http_header(request, "If-Range");
    struct sh_bytes range = sh_http_header(request, "Range");
    uint64_t last = 0;

    sending->next = 0;
    sending->end = sending->size;
    /* A date is never the same as our tag: then the whole file is sent. */
    if (range.len == 0 ||
        (condition.len > 0 && !range_names(condition, sending->tag, false)))
        return RANGE_WHOLE;
    enum range_verdict verdict = range_read(range, sending->size, &sending->next, &last);
    if (verdict == RANGE_PART)
        sending->end = last + 1;
    return verdict;
}

static void not_satisfiable(struct sending *sending)
{
    struct exchange *x = sending->x;
    char range[48];

    (void)snprintf(range, sizeof range, "bytes */%" PRIu64, sending->size);
    sh_http_add_header(x->request, "Content-Range", range);
    sh_file_reader_close(&sending->reader);
    exchange_fail(x, &(struct sh_problem){.status = 416,
                                          .code = "range_not_satisfiable",
                                          .error = "the file ends before that range"});
}

static void send_file(struct sending *sending)
{
    struct sh_http_request *request = sending->x->request;
    enum range_verdict verdict = wanted_range(sending);
    char range[96];

    if (verdict == RANGE_NOTHING) {
        not_satisfiable(sending);
        return;
    }
    add_headers(sending);
    if (verdict == RANGE_PART) {
        (void)snprintf(range, sizeof range, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                       sending->next, sending->end - 1, sending->size);
        sh_http_add_header(request, "Content-Range", range);
    }
    sh_http_on_drained(request, on_drained, sending);
    sh_http_begin_sized(request, verdict == RANGE_PART ? 206 : 200, sending->type,
                        sending->end - sending->next);
    if (sh_bytes_is(sh_http_method(request), "HEAD"))
        sending->next = sending->end;
    read_on(sending);
}

static void on_opened(void *arg, enum sh_err err, uint64_t size)
{
    struct sending *sending = arg;

    if (err == SH_OK && size == sending->size)
        send_file(sending);
    else if (err == SH_OK || err == SH_NOTFOUND)
        refuse(sending, SH_INTERNAL, "the file is missing from the store");
    else
        refuse(sending, err == SH_IO ? SH_INTERNAL : err,
               "the file cannot be read at the moment");
}

/* --- which file
 * ------------------------------------------------------------------------- */

static bool is_type(struct sh_bytes type)
{
    const char *data = type.data;

    for (size_t i = 0; i < type.len; i++)
        if (data[i] < ' ' || data[i] > '~')
            return false;
    return type.len > 0 && type.len < sizeof((struct sending *)NULL)->type;
}

static enum sh_err describe(struct sending *sending, const struct file_info *info)
{
    char name[FILE_NAME_MAX];

    if (!sh_file_hash_ok(info->hash))
        return SH_UPSTREAM;
    enum sh_err err = file_name_clean(info->name, name);
    if (err != SH_OK)
        return err;
    memcpy(sending->hash, info->hash.data, info->hash.len);
    (void)snprintf(sending->tag, sizeof sending->tag, "\"%s\"", sending->hash);
    file_name_disposition(name, sending->disposition, sizeof sending->disposition);
    (void)snprintf(sending->type, sizeof sending->type, "%.*s",
                   is_type(info->type) ? (int)info->type.len : 0,
                   (const char *)info->type.data);
    if (sending->type[0] == '\0')
        (void)snprintf(sending->type, sizeof sending->type, "application/octet-stream");
    sending->size = info->size;
    return SH_OK;
}

static void open_file(struct sending *sending)
{
    struct exchange *x = sending->x;
    struct sh_bytes known = sh_http_header(x->request, "If-None-Match");

    if (known.len > 0 && range_names(known, sending->tag, true)) {
        sh_http_leave_unpacked(x->request);
        sh_http_add_header(x->request, "ETag", sending->tag);
        exchange_answer_as(x, 304, NULL, (struct sh_bytes){0});
        return;
    }
    x->state = sending;
    x->abandoned = on_abandoned;
    enum sh_err err = x->edge->files == NULL
                          ? SH_UNAVAILABLE
                          : sh_file_open(x->edge->files, sh_bytes_of(sending->hash),
                                         on_opened, sending, &sending->reader);
    if (err != SH_OK)
        exchange_fail_err(x, err, NULL);
}

static void on_info(struct exchange *x, const struct sh_rpc_response *response)
{
    struct sending *sending = sh_arena_alloc(&x->arena, sizeof *sending);
    struct file_info info;

    if (!exchange_decode(x, file_info_desc(), response->payload, &info))
        return;
    enum sh_err err = SH_NOMEM;
    if (sending != NULL) {
        sending->x = x;
        err = describe(sending, &info);
    }
    if (err == SH_OK)
        open_file(sending);
    else
        exchange_fail_err(x, err, NULL);
}

void document_file(struct exchange *x, void *unused)
{
    struct file_ref ref = {0};
    char id[ID_MAX + 1];

    (void)unused;
    if (!exchange_param(x, "id", id, sizeof id))
        return;
    ref.document_id = sh_bytes_of(id);
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_FILE_INFO,
                         .kind = SH_RPC_READ,
                         .desc = file_ref_desc(),
                         .msg = &ref,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = on_info,
                     });
}
