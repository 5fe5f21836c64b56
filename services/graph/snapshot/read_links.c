/* Links are not kept: the edges say them. They are put in order by counting (an LSD radix
 * sort, Knuth 5.2.5): by peer, then by type, then by node; each pass keeps the order of
 * the ones before. */
#include "services/graph/snapshot/read.h"

struct sorter {
    const struct kept_edge *edges;
    uint32_t count;
    uint32_t *order; /* indexes of edges */
    uint32_t *next;
    uint32_t *starts;
    uint32_t *types; /* of the links of one node */
    struct link *links;
};

typedef uint32_t key_fn(const struct kept_edge *edge);

static uint32_t key_from(const struct kept_edge *edge)
{
    return edge->from;
}

static uint32_t key_to(const struct kept_edge *edge)
{
    return edge->to;
}

static uint32_t key_type(const struct kept_edge *edge)
{
    return edge->type;
}

/* Keys are below `keys`. */
static void sort_by(struct sorter *sorter, key_fn *key, uint32_t keys)
{
    memset(sorter->starts, 0, ((size_t)keys + 1) * sizeof(*sorter->starts));
    for (uint32_t i = 0; i < sorter->count; i++)
        sorter->starts[key(&sorter->edges[i]) + 1]++;
    for (uint32_t i = 1; i <= keys; i++)
        sorter->starts[i] += sorter->starts[i - 1];
    for (uint32_t i = 0; i < sorter->count; i++) {
        uint32_t edge = sorter->order[i];
        sorter->next[sorter->starts[key(&sorter->edges[edge])]++] = edge;
    }
    uint32_t *order = sorter->order;
    sorter->order = sorter->next;
    sorter->next = order;
}

/* The links of one node, edges order[first …]; how many. */
static uint32_t gather(struct sorter *sorter, uint32_t first, bool outgoing)
{
    key_fn *own = outgoing ? key_from : key_to;
    key_fn *other = outgoing ? key_to : key_from;
    uint32_t node = own(&sorter->edges[sorter->order[first]]);
    uint32_t count = 0;
    while (first + count < sorter->count &&
           own(&sorter->edges[sorter->order[first + count]]) == node) {
        uint32_t number = sorter->order[first + count];
        const struct kept_edge *edge = &sorter->edges[number];
        sorter->types[count] = edge->type;
        sorter->links[count++] = (struct link){other(edge), number, edge->access};
    }
    return count;
}

static enum sh_err lay(struct sorter *sorter, const struct reader *reader, bool outgoing)
{
    uint32_t nodes = reader->node_count;
    for (uint32_t i = 0; i < sorter->count; i++)
        sorter->order[i] = i;
    sort_by(sorter, outgoing ? key_to : key_from, nodes);
    sort_by(sorter, key_type, reader->type_count);
    sort_by(sorter, outgoing ? key_from : key_to, nodes);
    for (uint32_t i = 0; i < sorter->count;) {
        const struct kept_edge *edge = &sorter->edges[sorter->order[i]];
        struct node *node =
            kept_item(&reader->version->nodes, outgoing ? edge->from : edge->to);
        uint32_t count = gather(sorter, i, outgoing);
        struct links *links = links_make(sorter->types, sorter->links, count);
        if (links == NULL)
            return SH_NOMEM;
        *(outgoing ? &node->out : &node->in) = links;
        i += count;
    }
    return SH_OK;
}

static enum sh_err read_links(const struct reader *reader, bool outgoing)
{
    uint32_t count = reader->edge_count;
    uint32_t nodes = reader->node_count;
    uint32_t keys = nodes > reader->type_count ? nodes : reader->type_count;
    struct sorter sorter = {.edges = reader->sections[KEPT_EDGES].data,
                            .count = count,
                            .order = sh_alloc_array((size_t)count + 1, sizeof(uint32_t)),
                            .next = sh_alloc_array((size_t)count + 1, sizeof(uint32_t)),
                            .starts = sh_alloc_array((size_t)keys + 2, sizeof(uint32_t)),
                            .types = sh_alloc_array((size_t)count + 1, sizeof(uint32_t)),
                            .links =
                                sh_alloc_array((size_t)count + 1, sizeof(struct link))};
    enum sh_err err = SH_NOMEM;
    if (sorter.order && sorter.next && sorter.starts && sorter.types && sorter.links)
        err = lay(&sorter, reader, outgoing);
    sh_free(sorter.order);
    sh_free(sorter.next);
    sh_free(sorter.starts);
    sh_free(sorter.types);
    sh_free(sorter.links);
    return err;
}

enum sh_err kept_read_links_out(struct reader *reader)
{
    return read_links(reader, true);
}

enum sh_err kept_read_links_in(struct reader *reader)
{
    return read_links(reader, false);
}
