/* Pages of documents: as they changed, or by filter and in order. */
#include "services/gateway/handlers/asker.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

enum { ORDERS_MAX = 4, ORDER_BYTES = 513 /* of a name, and a sign */ };
enum { TITLE_BYTES = 512, PAGES_END = 10000 /* documents that can be paged to */ };

struct browse_body {
    struct identity_user user;
    bool has_user;
    struct sh_bytes collection;
    json_t *filters; /* NULL when absent */
    struct sh_bytes title;
    struct schema_texts sort;
    int64_t page;
    int64_t per_page;
};

/* clang-format off */
#define AT(member) offsetof(struct browse_body, member)
static const struct schema_field browse_fields[] = {
    {.name = "user", .type = SCHEMA_OBJECT, .offset = AT(user),
     .of = &identity_user_schema, .present = AT(has_user), .help = "who asks"},
    {.name = "collection", .type = SCHEMA_TEXT, .offset = AT(collection), .least = 1,
     .most = 256, .bytes = 256, .help = "only of this collection"},
    {.name = "filters", .type = SCHEMA_FREEFORM, .offset = AT(filters),
     .most = ASKER_FILTERS_BYTES, .help = "as of a search"},
    {.name = "title", .type = SCHEMA_TEXT, .offset = AT(title), .most = TITLE_BYTES,
     .bytes = TITLE_BYTES,
     .help = "each of these words stands in the title or the id, in any case"},
    {.name = "sort", .type = SCHEMA_TEXTS, .offset = AT(sort), .most = ORDERS_MAX,
     .help = "up to four of id, title and dotted names of the metadata; -name for "
             "descending"},
    {.name = "page", .type = SCHEMA_INTEGER, .offset = AT(page), .least = 1,
     .most = 10000, .fallback = "1", .help = "from 1"},
    {.name = "per_page", .type = SCHEMA_INTEGER, .offset = AT(per_page), .least = 1,
     .most = 100, .fallback = "20", .help = "documents of a page"},
};
#undef AT

const struct schema browse_schema = {"DocumentQuery", "Which documents, in which order.",
                                     sizeof(struct browse_body), browse_fields,
                                     SH_COUNT(browse_fields)};
/* clang-format on */

struct list_state {
    uint32_t page;
    uint32_t per_page;
};

static void on_page(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct list_state *state = x->state;
    struct document_page page;

    if (!exchange_decode(x, document_page_desc(), response->payload, &page))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{\"documents\":[");
    for (size_t i = 0; i < page.documents_count; i++) {
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        document_head(out, &page.documents[i]);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]");
    json_pagination(out, state->page, state->per_page, page.total);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

/* --- by filter, in order ---------------------------------------------------------- */

static void browse(struct exchange *x, const struct list_state *wanted,
                   const struct document_query *query)
{
    struct list_state *state = exchange_state(x, sizeof *state);

    if (state == NULL)
        return;
    *state = *wanted;
    x->audit.filters = query->filters;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_DOCUMENT_QUERY,
                         .kind = SH_RPC_READ,
                         .desc = document_query_desc(),
                         .msg = query,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = on_page,
                     });
}

/* A collection that is named is one more filter. False: answered. */
static bool read_filters(struct exchange *x, const struct browse_body *body,
                         struct sh_bytes *out)
{
    json_t *filters = body->filters != NULL ? json_incref(body->filters) : json_object();
    json_t *both = NULL;
    bool fine;

    if (body->collection.len > 0)
        both = json_pack("{s:[O,{s:s%}]}", "all", filters, "collection",
                         body->collection.data, body->collection.len);
    fine = filters != NULL && (body->collection.len == 0 || both != NULL);
    if (fine)
        fine = asker_filters(x, both != NULL ? both : filters, out);
    else
        exchange_fail_err(x, SH_NOMEM, NULL);
    json_decref(both);
    json_decref(filters);
    return fine;
}

/* False: answered. */
static bool check_sort(struct exchange *x, const struct schema_texts *sort)
{
    for (size_t i = 0; i < sort->count; i++) {
        if (sort->items[i].len > 0 && sort->items[i].len <= ORDER_BYTES)
            continue;
        exchange_invalid(x, "sort", "sort must be names of 1 to %d bytes",
                         ORDER_BYTES - 1);
        return false;
    }
    return true;
}

void document_browse(struct exchange *x, void *arg)
{
    struct browse_body *body = arg;
    struct list_state state = {(uint32_t)body->page, (uint32_t)body->per_page};
    struct document_query query = {.sort = body->sort.items,
                                   .sort_count = body->sort.count,
                                   .page = state.page,
                                   .per_page = state.per_page,
                                   .title = body->title};

    if (asker_identify(x, body->has_user ? &body->user : NULL) &&
        check_sort(x, &body->sort) && read_filters(x, body, &query.filters))
        browse(x, &state, &query);
}

/* --- as they changed -------------------------------------------------------------- */

/* The record cannot look titles through quickly; the view can, and has its own order. */
static void list_by_title(struct exchange *x, const struct list_state *wanted,
                          struct sh_bytes title, struct sh_bytes collection)
{
    static const struct sh_bytes sort[] = {{"title", 5}};
    const struct browse_body body = {.collection = collection};
    struct document_query query = {.sort = sort,
                                   .sort_count = SH_COUNT(sort),
                                   .page = wanted->page,
                                   .per_page = wanted->per_page,
                                   .title = title};

    if ((uint64_t)wanted->page * wanted->per_page > PAGES_END)
        exchange_invalid(x, "page", "pages end at the document number %d", PAGES_END);
    else if (read_filters(x, &body, &query.filters))
        browse(x, wanted, &query);
}

void document_list(struct exchange *x, void *unused)
{
    (void)unused;
    struct list_state *state = exchange_state(x, sizeof *state);
    struct document_list list = {0};
    struct sh_bytes title;

    if (state == NULL)
        return;
    *state = (struct list_state){.page = 1, .per_page = 20};
    if (!exchange_query_u32(x, "page", 1, 1000000, &state->page) ||
        !exchange_query_u32(x, "per_page", 1, 100, &state->per_page) ||
        !exchange_query_text(x, "title", TITLE_BYTES, &title) ||
        !exchange_query_text(x, "collection", 256, &list.collection))
        return;
    if (title.len > 0) {
        list_by_title(x, state, title, list.collection);
        return;
    }
    list.page = state->page;
    list.per_page = state->per_page;
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
