/* Documents: store one, list, read, delete. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/refresh.h"
#include "services/gateway/handlers/write_key.h"
#include "services/gateway/json_out.h"
#include "services/gateway/uploads/upload.h"

enum { ID_MAX = 256 };

/* --- POST ------------------------------------------------------------------------- */

struct write_state {
    struct refresh refresh; /* first, see refresh_wait() */
    struct document_put_reply stored;
    struct sh_bytes id;
};

/* False: answered. */
static bool begin_write(struct exchange *x, struct write_state **out)
{
    struct write_state *state = exchange_state(x, sizeof *state);

    if (state == NULL)
        return false;
    *out = state;
    return refresh_read(x, &state->refresh.mode);
}

static void answer_stored(struct exchange *x)
{
    const struct write_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{");
    document_put_members(out, &state->stored);
    refresh_members(out, &state->refresh);
    sh_buffer_text(out, "}");
    exchange_answer(x, 201);
}

static void on_stored(struct exchange *x, const struct sh_rpc_response *response)
{
    struct write_state *state = x->state;
    struct document_put_reply *stored = &state->stored;

    if (!exchange_decode(x, document_put_reply_desc(), response->payload, stored))
        return;
    stored->document_id = sh_arena_copy(&x->arena, stored->document_id);
    x->audit.target = stored->document_id;
    refresh_wait(x, stored->xid, stored->visible, answer_stored);
}

static void fail_with(struct exchange *x, const struct schema_fault *fault)
{
    if (fault->err == SH_INVALID)
        exchange_invalid(x, fault->field, "%s", fault->error);
    else
        exchange_fail_err(x, fault->err, fault->error);
}

void document_post(struct exchange *x, void *arg)
{
    const struct document_body *body = arg;
    struct sh_buffer frame = {0};
    struct schema_fault fault;
    struct write_state *state;
    struct write_key key;

    if (body == NULL) {
        upload_begin(x);
        return;
    }
    if (!begin_write(x, &state) || !write_key_read(x, &key))
        return;
    bool no_wait = state->refresh.mode != REFRESH_OWN;
    if (!document_encode(body, no_wait, &x->arena, &frame, &fault)) {
        fail_with(x, &fault);
    } else {
        exchange_call(x, &(struct exchange_call){
                             .peer = PEER_SEARCH,
                             .method = METHOD_DOCUMENT_PUT,
                             .kind = SH_RPC_WRITE,
                             .raw = sh_buffer_bytes(&frame),
                             .key = write_key_bytes(&key),
                             .timeout_ms = x->edge->gateway->config.write_timeout_ms,
                             .done = on_stored,
                         });
    }
    sh_buffer_free(&frame);
}

/* --- GET, DELETE ------------------------------------------------------------------ */

void document_head(struct sh_buffer *out, const struct document *document)
{
    json_member_text(out, "id", document->id);
    json_member_text(out, "document_id", document->id);
    json_member_text(out, "title", document->title);
    json_member_text(out, "collection", document->collection);
    json_member(out, "metadata");
    json_raw(out, document->metadata, "{}");
    json_member(out, "chunks");
    json_u64(out, document->chunks);
    json_member(out, "pending_embedding");
    json_u64(out, document->pending_embedding);
    json_member_text(out, "content_hash", document->content_hash);
    json_member(out, "has_file");
    sh_buffer_text(out, document->has_file ? "true" : "false");
    json_member(out, "created_at");
    json_time(out, document->created_at);
    json_member(out, "updated_at");
    json_time(out, document->updated_at);
}

static void write_section(struct sh_buffer *out, const struct section *section)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "title", section->title);
    json_member_text(out, "text", section->text);
    if (section->page_number > 0) {
        json_member(out, "page_number");
        json_u64(out, section->page_number);
    }
    sh_buffer_text(out, "}");
}

static void on_document(struct exchange *x, const struct sh_rpc_response *response)
{
    struct document document;

    if (!exchange_decode(x, document_desc(), response->payload, &document))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    document_head(out, &document);
    json_member(out, "sections");
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < document.sections_count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        write_section(out, &document.sections[i]);
    }
    sh_buffer_text(out, "]}");
    exchange_answer(x, 200);
}

static void answer_deleted(struct exchange *x)
{
    const struct write_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{\"deleted\":true");
    json_member_text(out, "document_id", state->id);
    refresh_members(out, &state->refresh);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

static void on_deleted(struct exchange *x, const struct sh_rpc_response *response)
{
    struct document_gone gone;

    if (exchange_decode(x, document_gone_desc(), response->payload, &gone))
        refresh_wait(x, gone.xid, gone.visible, answer_deleted);
}

void document_get(struct exchange *x, void *unused)
{
    struct document_ref ref = {0};

    (void)unused;
    if (!exchange_param_text(x, "id", ID_MAX, &ref.id))
        return;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_DOCUMENT_GET,
                         .kind = SH_RPC_READ,
                         .desc = document_ref_desc(),
                         .msg = &ref,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = on_document,
                     });
}

void document_delete(struct exchange *x, void *unused)
{
    struct write_state *state;

    (void)unused;
    if (!begin_write(x, &state) || !exchange_param_text(x, "id", ID_MAX, &state->id))
        return;
    const struct document_ref ref = {.id = state->id,
                                     .no_wait = state->refresh.mode != REFRESH_OWN};
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_DOCUMENT_DELETE,
                         .kind = SH_RPC_WRITE,
                         .desc = document_ref_desc(),
                         .msg = &ref,
                         .timeout_ms = x->edge->gateway->config.write_timeout_ms,
                         .done = on_deleted,
                     });
}
