/* Collections: a page of them, one, define, delete. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

enum { NAME_BYTES = 256 };

/* --- the body --------------------------------------------------------------------- */

struct collection_body {
    struct sh_bytes title, description, language, department, campus;
    int64_t chunk_tokens, chunk_overlap_percent, clearance_level, priority;
    bool overlap_said;
};

#define AT(member) offsetof(struct collection_body, member)
#define TEXT(name_, most_, bytes_, help_)                                                \
    {                                                                                    \
        .name = #name_, .type = SCHEMA_TEXT, .offset = AT(name_), .most = (most_),       \
        .bytes = (bytes_), .help = (help_)                                               \
    }
#define NUMBER(name_, least_, most_, help_)                                              \
    {                                                                                    \
        .name = #name_, .type = SCHEMA_INTEGER, .offset = AT(name_), .least = (least_),  \
        .most = (most_), .help = (help_)                                                 \
    }
static const struct schema_field fields[] = {
    TEXT(title, 512, 2048, "for people"),
    TEXT(description, 8192, 8192, "what belongs here"),
    NUMBER(chunk_tokens, 32, 8192, "size aimed at for a passage; else the service's own"),
    {.name = "chunk_overlap_percent",
     .type = SCHEMA_INTEGER,
     .offset = AT(chunk_overlap_percent),
     .least = 0,
     .most = 50,
     .present = AT(overlap_said),
     .help = "how much of a passage is repeated in the next one"},
    TEXT(language, 64, 256, "of documents that do not say theirs"),
    NUMBER(clearance_level, 1, 5,
           "of documents that do not say theirs; none may say a lower one"),
    TEXT(department, 256, 256, "of documents that do not say theirs"),
    TEXT(campus, 256, 256, "of documents that do not say theirs"),
    NUMBER(priority, 1, 5, "of documents that do not say theirs"),
};
const struct schema collection_schema = {
    "Collection", "What holds for its documents that do not say it themselves.",
    sizeof(struct collection_body), fields, SH_COUNT(fields)};

/* --- answers ---------------------------------------------------------------------- */

static void write_text(struct sh_buffer *out, const char *name, struct sh_bytes text)
{
    json_member(out, name);
    if (text.len > 0)
        json_text(out, text);
    else
        sh_buffer_text(out, "null");
}

static void write_number(struct sh_buffer *out, const char *name, bool said,
                         uint32_t number)
{
    json_member(out, name);
    if (said)
        json_u64(out, number);
    else
        sh_buffer_text(out, "null");
}

static void write_collection(struct sh_buffer *out, const struct collection *collection)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "name", collection->name);
    json_member_text(out, "title", collection->title);
    json_member_text(out, "description", collection->description);
    write_number(out, "chunk_tokens", collection->chunk_tokens > 0,
                 collection->chunk_tokens);
    write_number(out, "chunk_overlap_percent", collection->overlap_said,
                 collection->chunk_overlap_percent);
    write_text(out, "language", collection->language);
    write_number(out, "clearance_level", collection->clearance_level > 0,
                 collection->clearance_level);
    write_text(out, "department", collection->department);
    write_text(out, "campus", collection->campus);
    write_number(out, "priority", collection->priority > 0, collection->priority);
    json_member(out, "defined");
    json_bool(out, collection->defined);
    json_member(out, "documents");
    json_u64(out, collection->documents);
    json_member(out, "created_at");
    json_time(out, collection->created_at);
    json_member(out, "updated_at");
    json_time(out, collection->updated_at);
    sh_buffer_text(out, "}");
}

static void fail_unknown(struct exchange *x)
{
    exchange_fail_err(x, SH_NOTFOUND, "there is no such collection");
}

/* --- GET -------------------------------------------------------------------------- */

struct list_state {
    uint32_t page;
    uint32_t per_page;
};

static void ask(struct exchange *x, const struct collection_list *list,
                exchange_reply_fn *done)
{
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_COLLECTION_LIST,
                         .kind = SH_RPC_READ,
                         .desc = collection_list_desc(),
                         .msg = list,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = done,
                     });
}

static void on_page(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct list_state *state = x->state;
    struct collection_page page;

    if (!exchange_decode(x, collection_page_desc(), response->payload, &page))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{\"collections\":[");
    for (size_t i = 0; i < page.collections_count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        write_collection(out, &page.collections[i]);
    }
    sh_buffer_text(out, "]");
    json_pagination(out, state->page, state->per_page, page.total);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

void collection_all(struct exchange *x, void *unused)
{
    struct list_state *state = exchange_state(x, sizeof *state);

    (void)unused;
    if (state == NULL)
        return;
    *state = (struct list_state){.page = 1, .per_page = 20};
    if (!exchange_query_u32(x, "page", 1, 1000000, &state->page) ||
        !exchange_query_u32(x, "per_page", 1, 100, &state->per_page))
        return;
    ask(x, &(struct collection_list){.page = state->page, .per_page = state->per_page},
        on_page);
}

static void on_one(struct exchange *x, const struct sh_rpc_response *response)
{
    struct collection_page page;

    if (!exchange_decode(x, collection_page_desc(), response->payload, &page))
        return;
    if (page.collections_count == 0) {
        fail_unknown(x);
        return;
    }
    write_collection(exchange_out(x), &page.collections[0]);
    exchange_answer(x, 200);
}

void collection_get(struct exchange *x, void *unused)
{
    struct collection_list list = {.page = 1, .per_page = 1};

    (void)unused;
    if (exchange_param_text(x, "name", NAME_BYTES, &list.name))
        ask(x, &list, on_one);
}

/* --- PUT -------------------------------------------------------------------------- */

static void on_put(struct exchange *x, const struct sh_rpc_response *response)
{
    struct collection stored;

    if (!exchange_decode(x, collection_desc(), response->payload, &stored))
        return;
    write_collection(exchange_out(x), &stored);
    exchange_answer(x, stored.created ? 201 : 200);
}

void collection_put(struct exchange *x, void *arg)
{
    const struct collection_body *body = arg;
    struct collection given = {
        .title = body->title,
        .description = body->description,
        .chunk_tokens = (uint32_t)body->chunk_tokens,
        .overlap_said = body->overlap_said,
        .chunk_overlap_percent = (uint32_t)body->chunk_overlap_percent,
        .language = body->language,
        .clearance_level = (uint32_t)body->clearance_level,
        .department = body->department,
        .campus = body->campus,
        .priority = (uint32_t)body->priority,
    };

    if (!exchange_param_text(x, "name", NAME_BYTES, &given.name))
        return;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_COLLECTION_PUT,
                         .kind = SH_RPC_WRITE,
                         .desc = collection_desc(),
                         .msg = &given,
                         .timeout_ms = x->edge->gateway->config.write_timeout_ms,
                         .done = on_put,
                     });
}

/* --- DELETE ----------------------------------------------------------------------- */

static void on_gone(struct exchange *x, const struct sh_rpc_response *response)
{
    struct collection_gone gone;
    struct sh_buffer *out = exchange_out(x);

    if (!exchange_decode(x, collection_gone_desc(), response->payload, &gone))
        return;
    sh_buffer_text(out, "{");
    json_member(out, "deleted");
    json_bool(out, gone.deleted);
    json_member(out, "documents_deleted");
    json_u64(out, gone.documents_deleted);
    json_member(out, "documents_left");
    json_u64(out, gone.documents_left);
    json_member(out, "visible");
    json_bool(out, gone.visible);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

void collection_delete(struct exchange *x, void *unused)
{
    struct collection_delete asked = {0};

    (void)unused;
    if (!exchange_param_text(x, "name", NAME_BYTES, &asked.name) ||
        !exchange_query_flag(x, "documents", &asked.documents))
        return;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_COLLECTION_DELETE,
                         .kind = SH_RPC_WRITE,
                         .desc = collection_delete_desc(),
                         .msg = &asked,
                         .timeout_ms = x->edge->gateway->config.write_timeout_ms,
                         .done = on_gone,
                     });
}
