/* The passages of a document, as searches find them. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

enum { ID_BYTES = 256, PASSAGE_BYTES = 320, PER_PAGE = 20 };

static void write_passage(struct sh_buffer *out, const struct passage *passage)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "chunk_id", passage->chunk_id);
    json_member_text(out, "section_title", passage->section_title);
    json_member_text(out, "text", passage->text);
    json_member(out, "page_number");
    if (passage->page_number > 0)
        json_u64(out, passage->page_number);
    else
        sh_buffer_text(out, "null");
    sh_buffer_text(out, "}");
}

static void on_page(struct exchange *x, const struct sh_rpc_response *response)
{
    const uint32_t *per_page = x->state;
    struct passage_page page;

    if (!exchange_decode(x, passage_page_desc(), response->payload, &page))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{\"passages\":[");
    for (size_t i = 0; i < page.passages_count; i++) {
        sh_buffer_text(out, i > 0 ? "," : "");
        write_passage(out, &page.passages[i]);
    }
    sh_buffer_text(out, "]");
    json_pagination(out, page.page, *per_page, page.total);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

void document_passages(struct exchange *x, void *unused)
{
    char id[ID_BYTES + 1];
    uint32_t *per_page = exchange_state(x, sizeof *per_page);
    struct passage_list list = {.page = 1};

    (void)unused;
    if (per_page == NULL)
        return;
    *per_page = PER_PAGE;
    if (!exchange_param(x, "id", id, sizeof id) ||
        !exchange_query_u32(x, "page", 1, 1000000, &list.page) ||
        !exchange_query_u32(x, "per_page", 1, 100, per_page) ||
        !exchange_query_text(x, "passage", PASSAGE_BYTES, &list.passage))
        return;
    list.document_id = sh_bytes_of(id);
    list.per_page = *per_page;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_PASSAGE_LIST,
                         .kind = SH_RPC_READ,
                         .desc = passage_list_desc(),
                         .msg = &list,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = on_page,
                     });
}
