#include "services/search/fit/model_file.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/msg.h"
#include "services/search/fit/fit_sql.h"
#include "shared/log.h"

struct asked { /* in the call's arena */
    struct sh_rpc_call *call;
    uint64_t offset;
};

/* Network byte order, as PostgreSQL sends a bigint. */
static uint64_t big_endian(const PGresult *result, int row, int column)
{
    const unsigned char *bytes = (const unsigned char *)PQgetvalue(result, row, column);
    uint64_t value = 0;

    for (int i = 0; i < 8 && PQgetlength(result, row, column) == 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

static void on_read(void *arg, const struct sh_pg_reply *reply)
{
    const struct asked *asked = arg;

    if (reply->err != SH_OK) {
        sh_warning(sh_rpc_call_trace(asked->call), "a fitted model cannot be read: %s",
                   reply->message);
        sh_rpc_fail(asked->call, reply->err == SH_CANCELED ? SH_UNAVAILABLE : reply->err,
                    NULL, NULL, "%s", sh_err_text(reply->err));
        return;
    }
    const PGresult *rows = reply->results[0];
    if (PQntuples(rows) == 0) {
        sh_rpc_fail(asked->call, SH_NOTFOUND, "model_not_found", "model",
                    "there is no such fitted model");
        return;
    }
    struct sh_bytes piece = sh_pg_text(rows, 0, 1);
    uint64_t skip = asked->offset % FIT_PIECE;
    struct model_piece message = {.offset = asked->offset,
                                  .bytes = big_endian(rows, 0, 0)};
    piece.data = (const char *)piece.data + (skip < piece.len ? skip : piece.len);
    piece.len -= skip < piece.len ? skip : piece.len;
    sh_rpc_reply_raw(asked->call, model_piece_desc(), &message, piece);
}

void model_file_handle(void *arg, struct sh_rpc_call *call)
{
    struct model_piece_ref request;
    char seq[24];

    if (sh_rpc_call_decode(call, model_piece_ref_desc(), &request) != SH_OK)
        return; /* answered */
    struct asked *asked = sh_arena_alloc(sh_rpc_call_arena(call), sizeof(*asked));
    uint64_t number = request.offset / FIT_PIECE;
    enum sh_err err = asked == NULL ? SH_NOMEM : SH_OK;
    (void)snprintf(seq, sizeof(seq), "%" PRIu64,
                   number < INT32_MAX ? number : (uint64_t)INT32_MAX);
    struct sh_pg_param params[] = {{request.model, false}, {sh_bytes_of(seq), false}};
    struct sh_pg_step step = {&fit_read, params, 2, true};
    struct sh_pg_call read = {.steps = &step,
                              .count = 1,
                              .read_only = true,
                              .deadline_ms = sh_rpc_call_deadline_ms(call),
                              .trace = sh_rpc_call_trace(call)};
    if (err == SH_OK) {
        *asked = (struct asked){call, request.offset};
        err = sh_pg_run(arg, &read, on_read, asked);
    }
    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}
