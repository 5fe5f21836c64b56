/* GET /api/glossary/export: the glossary as a file, streamed: search writes it piece by
 * piece, and the next one is asked for when the client has taken the one before. What
 * fails on the way cuts the connection, so that nobody takes a part for the whole. */
#include <stdio.h>

#include "services/gateway/handlers/glossary.h"

struct exporting {
    struct exchange *x;
    const struct glossary_format *format;
    struct glossary_export asked;
    char cursor[4096];
    bool begun;
};

static void ask(struct exporting *self);

static void on_drained(void *arg)
{
    ask(arg);
}

static void finish(struct exporting *self)
{
    sh_http_end(self->x->request);
    exchange_done(self->x);
}

static void begin(struct exporting *self)
{
    struct sh_http_request *request = self->x->request;
    char disposition[64];

    (void)snprintf(disposition, sizeof disposition,
                   "attachment; filename=\"glossary.%s\"", self->format->extension);
    sh_http_add_header(request, "Content-Disposition", disposition);
    sh_http_add_header(request, "Cache-Control", "private, no-store");
    sh_http_on_drained(request, on_drained, self);
    sh_http_begin(request, 200, self->format->type);
    self->begun = true;
}

static void on_piece(struct exchange *x, const struct sh_rpc_response *response)
{
    struct exporting *self = x->state;
    struct glossary_piece piece;

    if (!exchange_decode(x, glossary_piece_desc(), response->payload, &piece))
        return;
    if (!self->begun)
        begin(self);
    memcpy(self->cursor, piece.cursor.len > 0 ? piece.cursor.data : "", piece.cursor.len);
    self->asked.cursor = (struct sh_bytes){self->cursor, piece.cursor.len};
    bool more = piece.cursor.len > 0 && !sh_bytes_is(sh_http_method(x->request), "HEAD");
    bool room = sh_http_send(x->request, piece.piece);
    if (!more)
        finish(self);
    else if (room)
        ask(self);
}

static void ask(struct exporting *self)
{
    struct exchange *x = self->x;

    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_GLOSSARY_EXPORT,
                         .kind = SH_RPC_READ,
                         .desc = glossary_export_desc(),
                         .msg = &self->asked,
                         .timeout_ms = x->edge->gateway->config.write_timeout_ms,
                         .done = on_piece,
                     });
}

void glossary_export_get(struct exchange *x, void *unused)
{
    struct exporting *self = exchange_state(x, sizeof *self);
    struct sh_bytes format;

    (void)unused;
    if (self == NULL)
        return;
    self->x = x;
    if (!exchange_query_text(x, "format", 16, &format) ||
        !glossary_read_filters(x, &self->asked.language, &self->asked.domain,
                               &self->asked.status))
        return;
    self->format = glossary_format(format.len > 0 ? format : sh_bytes_of("json"));
    if (self->format == NULL) {
        exchange_invalid(x, "format", "format must be csv, xlsx, json, tbx or skos");
        return;
    }
    self->asked.format = sh_bytes_of(self->format->name);
    ask(self);
}
