#include "services/gateway/graphs/portion.h"

#include <xxhash.h>

#include "proto/edge_id.h"

/* Whether the id is new here; it is known from now on. Two ids of one hash only make a
 * portion shorter. */
static bool is_new(struct portion *portion, struct sh_bytes id, uint64_t kind)
{
    uint64_t hash = XXH3_64bits_withSeed(id.data, id.len, kind) | 1;
    size_t place = hash % PORTION_SEEN;

    while (portion->seen[place] != 0) {
        if (portion->seen[place] == hash)
            return false;
        place = (place + 1) % PORTION_SEEN;
    }
    portion->seen[place] = hash;
    return true;
}

static bool has_room(const struct portion *portion)
{
    return portion->node_count + portion->edge_count < PORTION_RECORDS &&
           portion->bytes < PORTION_BYTES;
}

static struct sh_bytes copy(struct portion *portion, struct sh_bytes text)
{
    struct sh_bytes out = {0};

    if (text.len == 0)
        return out;
    out = sh_arena_copy(&portion->arena, text);
    if (out.data == NULL)
        portion->err = SH_NOMEM;
    portion->bytes += text.len;
    return out;
}

static void count_line(struct portion *portion, uint64_t line)
{
    if (portion_is_empty(portion))
        portion->first_line = line;
    portion->last_line = line;
}

bool portion_add_node(struct portion *portion, const struct graph_node_put *node)
{
    if (!has_room(portion) || !is_new(portion, node->id, 0))
        return false;
    struct sh_bytes *labels =
        sh_arena_array(&portion->arena, node->labels_count + 1, sizeof(*labels));
    if (labels == NULL) {
        portion->err = SH_NOMEM;
        return true;
    }
    for (size_t i = 0; i < node->labels_count; i++)
        labels[i] = copy(portion, node->labels[i]);
    count_line(portion, node->line);
    struct graph_node_put *out = &portion->nodes[portion->node_count++];
    *out = *node;
    out->id = copy(portion, node->id);
    out->labels = labels;
    out->properties = copy(portion, node->properties);
    out->department = copy(portion, node->department);
    return true;
}

bool portion_add_edge(struct portion *portion, const struct graph_edge_put *edge)
{
    char made[EDGE_ID_TEXT];
    struct sh_bytes id = edge->id;

    if (!has_room(portion))
        return false;
    if (id.len == 0) {
        edge_id(edge, made);
        id = sh_bytes_of(made);
    }
    if (id.len == 0)
        portion->err = SH_NOMEM;
    if (!is_new(portion, id, 1))
        return false;
    count_line(portion, edge->line);
    struct graph_edge_put *out = &portion->edges[portion->edge_count++];
    *out = *edge;
    out->id = copy(portion, id);
    out->type = copy(portion, edge->type);
    out->from = copy(portion, edge->from);
    out->to = copy(portion, edge->to);
    out->properties = copy(portion, edge->properties);
    out->department = copy(portion, edge->department);
    return true;
}

enum sh_err portion_encode(const struct portion *portion, struct sh_buffer *frame)
{
    const struct graph_put put = {.nodes = portion->nodes,
                                  .nodes_count = portion->node_count,
                                  .edges = portion->edges,
                                  .edges_count = portion->edge_count,
                                  .batch = true,
                                  .no_wait = true};

    return portion->err == SH_OK ? msg_encode(graph_put_desc(), &put, frame)
                                 : portion->err;
}

void portion_clear(struct portion *portion)
{
    sh_arena_free(&portion->arena);
    memset(portion->seen, 0, sizeof(portion->seen));
    portion->node_count = 0;
    portion->edge_count = 0;
    portion->bytes = 0;
    portion->err = SH_OK;
}
