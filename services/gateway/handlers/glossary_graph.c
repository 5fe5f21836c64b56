/* What the handlers of the glossary ask of search, and terms as nodes of the graph. A
 * node stands for a term from its first relation on; its clearance and department are
 * those of the term. */
#include <openssl/evp.h>
#include <stdio.h>

#include "services/gateway/handlers/glossary.h"
#include "services/gateway/json_out.h"
#include "shared/clock.h"

enum { NODE_ID_MAX = 256, DIGEST_BYTES = 20 };

/* --- asking ----------------------------------------------------------------------- */

void glossary_ask(struct exchange *x, uint32_t method, enum sh_rpc_kind kind,
                  const struct msg_desc *desc, const void *msg, exchange_reply_fn *done)
{
    const struct gateway_config *config = &x->edge->gateway->config;

    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = method,
                         .kind = kind,
                         .desc = desc,
                         .msg = msg,
                         .timeout_ms = kind == SH_RPC_WRITE ? config->write_timeout_ms
                                                            : config->read_timeout_ms,
                         .done = done,
                     });
}

static void on_reply(void *arg, const struct sh_rpc_response *reply)
{
    struct exchange *x = arg;
    struct glossary_head *head = x->state;

    x->abandoned = NULL;
    head->done(x, reply);
}

static void on_abandoned(struct exchange *x)
{
    const struct glossary_head *head = x->state;

    sh_rpc_cancel(x->edge->peers[PEER_GRAPH], head->call);
}

void glossary_ask_graph(struct exchange *x, uint32_t method, enum sh_rpc_kind kind,
                        const struct msg_desc *desc, const void *msg,
                        exchange_reply_fn *done)
{
    const struct gateway_config *config = &x->edge->gateway->config;
    struct glossary_head *head = x->state;
    struct sh_buffer frame = {0};
    struct sh_rpc_request request = {
        .method = method,
        .kind = kind,
        .caller = exchange_caller(x),
        .deadline_ms = sh_now_ms() + (kind == SH_RPC_WRITE ? config->write_timeout_ms
                                                           : config->read_timeout_ms),
        .trace = sh_http_trace(x->request),
    };
    enum sh_err err = msg_encode(desc, msg, &frame);

    head->done = done;
    request.payload = sh_buffer_bytes(&frame);
    if (err == SH_OK)
        err = sh_rpc_send(x->edge->peers[PEER_GRAPH], &request, on_reply, x, &head->call);
    sh_buffer_free(&frame);
    if (err == SH_OK)
        x->abandoned = on_abandoned;
    else
        done(x, &(struct sh_rpc_response){.err = err, .retry_after_ms = 1000});
}

/* --- what stands for a term ------------------------------------------------------- */

static struct sh_bytes digest_id(struct exchange *x, const char *prefix,
                                 struct sh_bytes text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct sh_buffer id = {0};
    struct sh_bytes kept = {0};

    if (EVP_Digest(text.data, text.len, digest, NULL, EVP_sha256(), NULL) != 1)
        return kept;
    sh_buffer_text(&id, prefix);
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        sh_buffer_printf(&id, "%02x", digest[i]);
    if (id.err == SH_OK)
        kept = sh_arena_copy(&x->arena, sh_buffer_bytes(&id));
    sh_buffer_free(&id);
    return kept;
}

struct sh_bytes glossary_node_id(struct exchange *x, struct sh_bytes term_id)
{
    static const char prefix[] = "term:";
    char id[NODE_ID_MAX + 1];

    if (term_id.len + sizeof(prefix) - 1 > NODE_ID_MAX)
        return digest_id(x, "term:sha256:", term_id);
    (void)snprintf(id, sizeof id, "%s%.*s", prefix, (int)term_id.len,
                   (const char *)term_id.data);
    return sh_arena_copy(&x->arena, sh_bytes_of(id));
}

struct sh_bytes glossary_edge_id(struct exchange *x, const char *type,
                                 struct sh_bytes from, struct sh_bytes to)
{
    struct sh_buffer text = {0};
    struct sh_bytes id = {0};

    sh_buffer_text(&text, type);
    sh_buffer_append(&text, "\0", 1);
    sh_buffer_append(&text, from.data, from.len);
    sh_buffer_append(&text, "\0", 1);
    sh_buffer_append(&text, to.data, to.len);
    if (text.err == SH_OK)
        id = digest_id(x, "term-relation:", sh_buffer_bytes(&text));
    sh_buffer_free(&text);
    return id;
}

bool glossary_node(struct exchange *x, const struct glossary_term *term,
                   struct graph_node_put *out)
{
    static const struct sh_bytes label = {"Term", 4};
    struct sh_buffer json = {0};

    sh_buffer_text(&json, "{");
    json_member_text(&json, "name", term->term);
    json_member_text(&json, "term_id", term->id);
    json_member_text(&json, "language", term->language);
    json_member_text(&json, "domain", term->domain);
    json_member_text(&json, "status", term->status);
    sh_buffer_text(&json, "}");
    *out = (struct graph_node_put){
        .id = glossary_node_id(x, term->id),
        .labels = &label,
        .labels_count = 1,
        .properties = json.err == SH_OK ? sh_arena_copy(&x->arena, sh_buffer_bytes(&json))
                                        : (struct sh_bytes){0},
        .clearance_level = term->clearance_level,
        .department = term->department,
        .department_said = true};
    sh_buffer_free(&json);
    return out->id.data != NULL && out->properties.data != NULL;
}
