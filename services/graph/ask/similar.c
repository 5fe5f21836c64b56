/* Nodes whose texts are alike. */
#include "services/graph/ask/asked.h"
#include "services/graph/ask/write.h"
#include "services/graph/vectors/vector_maker.h"

static enum sh_err refuse(struct question *question, const char *code, const char *why)
{
    question->code = code;
    (void)snprintf(question->message, sizeof(question->message), "%s", why);
    return SH_UNAVAILABLE;
}

static bool has_text(const struct question *question, uint32_t place)
{
    const struct node *node = graph_node(&question->reader, place);
    struct node_text_keys keys;
    struct sh_buffer text = {0};
    node_text_read_keys(vector_maker_properties(question->asker->maker),
                        graph_keys(question->reader.graph), &keys);
    if (node != NULL)
        node_text_write(node, &keys, &text);
    bool found = sh_buffer_bytes(&text).len > 0;
    sh_buffer_free(&text);
    return found;
}

static enum sh_err write_similar(struct question *question,
                                 const struct similar_node *found, size_t count)
{
    struct graph_similar *reply = question->reply;
    struct graph_similar_node *nodes =
        sh_arena_array(&question->arena, count + 1, sizeof(*nodes));
    enum sh_err err = nodes ? SH_OK : SH_NOMEM;
    for (size_t i = 0; i < count && err == SH_OK; i++) {
        struct graph_node *node = sh_arena_alloc(&question->arena, sizeof(*node));
        err = node ? write_node(question, found[i].place, node) : SH_NOMEM;
        nodes[i] = (struct graph_similar_node){
            .similarity = found[i].similarity, .node = node, .node_count = 1};
    }
    reply->nodes = nodes;
    reply->nodes_count = count;
    return err;
}

static enum sh_err look(struct question *question, uint32_t place)
{
    const struct graph_similar_query *query = question->request;
    struct walk_scope scope;
    size_t count = 0;
    struct similar_node *found =
        sh_arena_array(&question->arena, (size_t)query->limit + 1, sizeof(*found));
    if (found == NULL)
        return SH_NOMEM;
    if (!read_scope(question, 0, (struct sh_bytes){0}, query->label, &scope))
        scope.label = WALK_NOTHING;
    const struct similar_query wanted = {place, scope.label, query->limit};
    if (!node_vectors_nearest(question->asker->vectors, &question->reader, &wanted, found,
                              &count))
        return refuse(question, "vectors_not_ready",
                      "the vector of this node has not been made yet");
    return write_similar(question, found, count);
}

static enum sh_err answer(struct question *question)
{
    const struct graph_similar_query *query = question->request;
    struct graph_similar *reply = question->reply;
    uint32_t place;
    bool partial;
    enum sh_err err = find_node(question, query->id, &place);
    if (err != SH_OK)
        return err;
    if (question->asker->maker == NULL)
        return refuse(question, "vectors_off", "GRAPH_VECTORS_MAX is 0");
    if (!vector_maker_want(question->asker->maker, &partial))
        return refuse(question, "vectors_not_ready",
                      "the vectors of the nodes are being made");
    reply->partial = partial;
    reply->has_text = has_text(question, place);
    return reply->has_text ? look(question, place) : SH_OK;
}

const struct question_kind similar_question = {
    .method = METHOD_GRAPH_SIMILAR,
    .name = "graph.similar",
    .request = graph_similar_query_desc,
    .reply = graph_similar_desc,
    .request_size = sizeof(struct graph_similar_query),
    .reply_size = sizeof(struct graph_similar),
    .answer = answer,
};
