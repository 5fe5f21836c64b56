#include <stdio.h>

#include "services/gateway/handlers/batch.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_in.h"
#include "services/gateway/json_out.h"

static void begin(struct sh_buffer *result, uint64_t number, const char *status)
{
    sh_buffer_text(result, "{\"line\":");
    json_u64(result, number);
    json_member_text(result, "status", sh_bytes_of(status));
}

void batch_line_failed(uint64_t number, const struct sh_problem *problem,
                       struct sh_buffer *result)
{
    begin(result, number, "error");
    json_member(result, "error");
    sh_buffer_text(result, "{\"type\":\"about:blank\"");
    json_member_text(result, "title", sh_bytes_of(sh_http_status_text(problem->status)));
    json_member(result, "status");
    json_u64(result, (uint64_t)problem->status);
    json_member_text(result, "code", sh_bytes_of(problem->code));
    json_member_text(result, "detail", sh_bytes_of(problem->error));
    json_member_text(result, "error", sh_bytes_of(problem->error));
    if (problem->field != NULL && problem->field[0] != '\0')
        json_member_text(result, "field", sh_bytes_of(problem->field));
    sh_buffer_text(result, "}}\n");
}

bool batch_line_stored(uint64_t number, struct sh_bytes payload, struct sh_buffer *result,
                       uint64_t *xid, bool *visible)
{
    struct document_put_reply reply;
    struct sh_arena arena = {0};
    bool good = msg_decode(document_put_reply_desc(), payload, &arena, &reply) == SH_OK;

    if (!good) {
        const struct sh_problem problem = {.status = 502,
                                           .code = sh_err_code(SH_UPSTREAM),
                                           .error = sh_err_text(SH_UPSTREAM)};
        batch_line_failed(number, &problem, result);
    } else {
        const char *status = reply.created ? "created" : "replaced";
        begin(result, number, reply.unchanged ? "unchanged" : status);
        document_put_members(result, &reply);
        *xid = reply.xid;
        *visible = reply.visible;
    }
    sh_arena_free(&arena);
    return good;
}

void batch_line_end(const struct refresh *refresh, struct sh_buffer *result)
{
    refresh_members(result, refresh);
    sh_buffer_text(result, "}\n");
}

/* FNV-1a; never 0. */
static uint64_t key_of(struct sh_bytes id)
{
    const unsigned char *bytes = id.data;
    uint64_t key = 0xcbf29ce484222325;

    for (size_t i = 0; i < id.len; i++)
        key = (key ^ bytes[i]) * 0x100000001b3;
    return key | 1;
}

static bool blame(struct batch_document *document, enum sh_err err)
{
    document->fault.err = err;
    document->code = json_in_code(err);
    return false;
}

bool batch_line_read(const struct sh_line *line, struct sh_arena *arena,
                     struct batch_document *out)
{
    struct document_body body;
    struct sh_bytes text = line->text;
    struct schema_fault *fault = &out->fault;

    *out = (struct batch_document){.json = NULL};
    if (line->number == 1 && text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        text = (struct sh_bytes){(const char *)text.data + 3, text.len - 3};
    if (line->too_long) {
        (void)snprintf(fault->error, sizeof fault->error,
                       "the line is longer than a document may be");
        return blame(out, SH_TOOBIG);
    }
    enum sh_err err = json_in(text, &out->json, fault->error, sizeof fault->error);
    if (err != SH_OK)
        return blame(out, err);
    if (schema_read(&document_schema, out->json, arena, &body, fault) != SH_OK ||
        !document_fill(&body, true, arena, &out->put, fault)) {
        out->code = sh_err_code(fault->err);
        return false;
    }
    out->key = body.id.len > 0 ? key_of(body.id) : 0;
    return true;
}

bool batch_line_encode(const struct sh_line *line, bool no_wait, struct sh_buffer *frame,
                       uint64_t *key, struct sh_buffer *result)
{
    struct batch_document document;
    struct schema_fault *fault = &document.fault;
    struct sh_arena arena = {0};
    bool good = batch_line_read(line, &arena, &document);

    *key = document.key;
    if (good) {
        document.put.no_wait = no_wait;
        enum sh_err err = msg_encode(document_put_desc(), &document.put, frame);
        good = err == SH_OK;
        if (!good) {
            (void)blame(&document, err);
            (void)snprintf(fault->error, sizeof fault->error,
                           "the document is too large");
        }
    }
    if (!good)
        batch_line_failed(line->number,
                          &(struct sh_problem){.status = sh_err_http_status(fault->err),
                                               .code = document.code,
                                               .field = fault->field,
                                               .error = fault->error},
                          result);
    sh_arena_free(&arena);
    json_decref(document.json);
    return good;
}
