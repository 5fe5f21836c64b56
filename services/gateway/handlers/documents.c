/* Documents: store one, list, read, delete. */
#include <openssl/evp.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

enum { ID_MAX = 256, KEY_TEXT_MAX = 64, KEY_BYTES = 16 };

/* --- POST --------------------------------------------------------------------------- */

static void on_stored(struct exchange *x, const struct sh_rpc_response *response)
{
    struct document_put_reply reply;

    if (!exchange_decode(x, document_put_reply_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    document_put_members(out, &reply);
    sh_buffer_text(out, "}");
    exchange_answer(x, 201);
}

/* The bus takes sixteen bytes; a client's key may be any text. False: answered. */
static bool read_key(struct exchange *x, uint8_t key[static KEY_BYTES], bool *given)
{
    struct sh_bytes text = sh_http_header(x->request, "Idempotency-Key");
    unsigned char digest[EVP_MAX_MD_SIZE];

    *given = text.len > 0;
    if (text.len == 0)
        return true;
    if (text.len > KEY_TEXT_MAX) {
        exchange_invalid(x, "Idempotency-Key",
                         "Idempotency-Key must not be longer than %d bytes",
                         KEY_TEXT_MAX);
        return false;
    }
    if (EVP_Digest(text.data, text.len, digest, NULL, EVP_sha256(), NULL) != 1) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return false;
    }
    memcpy(key, digest, KEY_BYTES);
    return true;
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
    uint8_t key[KEY_BYTES];
    bool keyed;

    if (!read_key(x, key, &keyed))
        return;
    if (!document_encode(body, &x->arena, &frame, &fault)) {
        fail_with(x, &fault);
    } else {
        exchange_call(x, &(struct exchange_call){
                             .peer = PEER_SEARCH,
                             .method = METHOD_DOCUMENT_PUT,
                             .kind = SH_RPC_WRITE,
                             .raw = sh_buffer_bytes(&frame),
                             .key = keyed ? key : NULL,
                             .timeout_ms = x->edge->gateway->config.write_timeout_ms,
                             .done = on_stored,
                         });
    }
    sh_buffer_free(&frame);
}

/* --- GET, DELETE -------------------------------------------------------------------- */

static void write_head(struct sh_buffer *out, const struct document *document)
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
    write_head(out, &document);
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

static void on_deleted(struct exchange *x, const struct sh_rpc_response *response)
{
    (void)response; /* an empty message */
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{\"deleted\":true");
    json_member_text(out, "document_id", *(struct sh_bytes *)x->state);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

/* Ask about the document that the path names. */
static void ask_about(struct exchange *x, uint32_t method, enum sh_rpc_kind kind,
                      exchange_reply_fn *done)
{
    const struct gateway_config *config = &x->edge->gateway->config;
    char *id = sh_arena_alloc(&x->arena, ID_MAX + 1);
    struct sh_bytes *kept = sh_arena_alloc(&x->arena, sizeof *kept);

    if (id == NULL || kept == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    if (!exchange_param(x, "id", id, ID_MAX + 1))
        return;
    *kept = sh_bytes_of(id);
    x->state = kept;
    const struct document_ref ref = {.id = *kept};
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = method,
                         .kind = kind,
                         .desc = document_ref_desc(),
                         .msg = &ref,
                         .timeout_ms = kind == SH_RPC_READ ? config->read_timeout_ms
                                                           : config->write_timeout_ms,
                         .done = done,
                     });
}

void document_get(struct exchange *x, void *unused)
{
    (void)unused;
    ask_about(x, METHOD_DOCUMENT_GET, SH_RPC_READ, on_document);
}

void document_delete(struct exchange *x, void *unused)
{
    (void)unused;
    ask_about(x, METHOD_DOCUMENT_DELETE, SH_RPC_WRITE, on_deleted);
}

/* --- the list ----------------------------------------------------------------------- */

struct list_state {
    uint32_t page;
    uint32_t per_page;
};

static void write_pagination(struct sh_buffer *out, const struct list_state *state,
                             uint64_t total)
{
    uint64_t pages = total / state->per_page + (total % state->per_page > 0);

    json_member(out, "pagination");
    sh_buffer_printf(out,
                     "{\"page\":%u,\"per_page\":%u,\"total_count\":%llu,"
                     "\"total_pages\":%llu,\"has_next\":%s,\"has_prev\":%s}",
                     state->page, state->per_page, (unsigned long long)total,
                     (unsigned long long)pages, state->page < pages ? "true" : "false",
                     state->page > 1 ? "true" : "false");
}

static void on_page(struct exchange *x, const struct sh_rpc_response *response)
{
    struct document_page page;

    if (!exchange_decode(x, document_page_desc(), response->payload, &page))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{\"documents\":[");
    for (size_t i = 0; i < page.documents_count; i++) {
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        write_head(out, &page.documents[i]);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]");
    write_pagination(out, x->state, page.total);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

void document_list(struct exchange *x, void *unused)
{
    (void)unused;
    struct list_state *state = sh_arena_alloc(&x->arena, sizeof *state);
    struct document_list list = {0};

    if (state == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    *state = (struct list_state){.page = 1, .per_page = 20};
    if (!exchange_query_u32(x, "page", 1, 1000000, &state->page) ||
        !exchange_query_u32(x, "per_page", 1, 100, &state->per_page) ||
        !exchange_query_text(x, "collection", 256, &list.collection))
        return;
    list.page = state->page;
    list.per_page = state->per_page;
    x->state = state;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_DOCUMENT_LIST,
                         .kind = SH_RPC_READ,
                         .desc = document_list_desc(),
                         .msg = &list,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = on_page,
                     });
}
