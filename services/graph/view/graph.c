#include "services/graph/view/graph.h"

#include <roaring/roaring.h>

#include "proto/access.h"
#include "services/graph/view/graph_internal.h"

/* --- life ------------------------------------------------------------------------- */

static struct graph_version *first_version(void)
{
    struct graph_version *version = sh_alloc(sizeof(*version));
    struct lookup *nodes = lookup_create(0);
    struct lookup *edges = lookup_create(0);
    struct numbers *node_numbers = numbers_create(0);
    struct numbers *edge_numbers = numbers_create(0);
    if (!version || !nodes || !edges || !node_numbers || !edge_numbers) {
        sh_free(version);
        sh_free(nodes);
        sh_free(edges);
        sh_free(node_numbers);
        sh_free(edge_numbers);
        return NULL;
    }
    *version = (struct graph_version){.number = 1,
                                      .nodes.item = sizeof(struct node),
                                      .edges.item = sizeof(struct edge),
                                      .labels.item = sizeof(roaring_bitmap_t *),
                                      .node_ids = nodes,
                                      .edge_ids = edges,
                                      .node_numbers = node_numbers,
                                      .edge_numbers = edge_numbers};
    return version;
}

enum sh_err graph_create(struct graph **out)
{
    struct graph *graph = sh_alloc(sizeof(*graph));
    if (graph == NULL)
        return SH_NOMEM;
    struct symbols **symbols[] = {&graph->labels, &graph->types, &graph->keys,
                                  &graph->classes};
    struct graph_version *version = first_version();
    enum sh_err err = version ? SH_OK : SH_NOMEM;

    sh_epoch_init(&graph->epoch);
    graph->end = &graph->first;
    atomic_init(&graph->current, version);
    for (size_t i = 0; i < SH_COUNT(symbols) && err == SH_OK; i++)
        err = symbols_create(symbols[i]);
    if (err != SH_OK) {
        graph_free(&graph);
        return err;
    }
    *out = graph;
    return SH_OK;
}

static void free_node(const struct node *node)
{
    sh_free(node->body);
    sh_free(node->out);
    sh_free(node->in);
}

static void free_version(struct graph_version *version)
{
    const struct node *node;
    const struct edge *edge;
    roaring_bitmap_t *const *places;
    for (uint32_t i = 0; (node = pages_at(&version->nodes, i)) != NULL; i++)
        free_node(node);
    for (uint32_t i = 0; (edge = pages_at(&version->edges, i)) != NULL; i++)
        sh_free(edge->body);
    for (uint32_t i = 0; (places = pages_at(&version->labels, i)) != NULL; i++)
        if (*places != NULL)
            roaring_bitmap_free(*places);
    pages_free(&version->nodes);
    pages_free(&version->edges);
    pages_free(&version->labels);
    sh_free(version->node_ids);
    sh_free(version->edge_ids);
    sh_free(version->node_numbers);
    sh_free(version->edge_numbers);
    sh_free(version->tally);
    sh_free(version);
}

/* What nobody can look at any more. */
static void release_leftovers(struct graph *graph, uint64_t oldest)
{
    while (graph->first != NULL && graph->first->epoch <= oldest) {
        struct leftover *leftover = graph->first;
        graph->first = leftover->next;
        if (graph->first == NULL)
            graph->end = &graph->first;
        retired_release(&leftover->memory);
        sh_free(leftover);
    }
}

void graph_free(struct graph **graph_p)
{
    struct graph *graph = *graph_p;
    *graph_p = NULL;
    if (graph == NULL)
        return;
    release_leftovers(graph, UINT64_MAX);
    struct graph_version *version = atomic_load(&graph->current);
    if (version != NULL)
        free_version(version);
    symbols_free(&graph->labels);
    symbols_free(&graph->types);
    symbols_free(&graph->keys);
    symbols_free(&graph->classes);
    sh_free(graph->free_nodes.places);
    sh_free(graph->free_edges.places);
    sh_free(graph);
}

void graph_publish(struct graph *graph, struct graph_version *next,
                   struct leftover *leftover)
{
    atomic_store(&graph->current, next);
    leftover->epoch = sh_epoch_advance(&graph->epoch);
    *graph->end = leftover;
    graph->end = &leftover->next;
    release_leftovers(graph, sh_epoch_oldest(&graph->epoch));
}

/* --- readers ---------------------------------------------------------------------- */

uint32_t graph_clearance(const struct graph *graph, uint32_t access,
                         struct sh_bytes *department)
{
    struct sh_bytes text = symbols_text(graph->classes, access);
    const unsigned char *bytes = text.data;
    *department = (struct sh_bytes){bytes + 1, text.len - 1};
    return bytes[0];
}

static bool may_see(const struct graph *graph, uint32_t class,
                    const struct caller *caller)
{
    struct sh_bytes department;
    uint32_t clearance = graph_clearance(graph, class, &department);
    return access_judge(caller, clearance, department).readable;
}

/* After the version was taken: what it holds is of classes that are known by now. */
static enum sh_err permit(struct graph_reader *reader, const struct caller *caller)
{
    uint32_t classes = symbols_count(reader->graph->classes);
    uint64_t *permitted = sh_alloc_array(classes / 64 + 1, sizeof(*permitted));
    uint32_t count = 0;
    if (permitted == NULL)
        return SH_NOMEM;
    for (uint32_t i = 0; i < classes; i++)
        if (may_see(reader->graph, i, caller)) {
            permitted[i / 64] |= UINT64_C(1) << (i % 64);
            count++;
        }
    if (count == classes) {
        sh_free(permitted);
        permitted = NULL;
    }
    reader->permitted = permitted;
    return SH_OK;
}

enum sh_err graph_enter(struct graph *graph, const struct caller *caller,
                        struct graph_reader *reader)
{
    *reader =
        (struct graph_reader){.graph = graph, .seat = sh_epoch_enter(&graph->epoch)};
    reader->version = atomic_load(&graph->current);
    enum sh_err err = permit(reader, caller);
    if (err != SH_OK)
        sh_epoch_leave(&graph->epoch, reader->seat);
    return err;
}

void graph_leave(struct graph_reader *reader)
{
    sh_free(reader->permitted);
    sh_epoch_leave(&reader->graph->epoch, reader->seat);
    reader->version = NULL;
}

/* --- finding ---------------------------------------------------------------------- */

bool graph_version_node(const struct graph_version *version, struct sh_bytes id,
                        uint32_t *place)
{
    struct lookup_probe probe = {lookup_hash(id), 0};
    while (lookup_next(version->node_ids, &probe, place)) {
        const struct node *node = pages_at(&version->nodes, *place);
        if (node && node->body && sh_bytes_equal(node->body->id, id))
            return true;
    }
    return false;
}

bool graph_version_edge(const struct graph_version *version, struct sh_bytes id,
                        uint32_t *place)
{
    struct lookup_probe probe = {lookup_hash(id), 0};
    while (lookup_next(version->edge_ids, &probe, place)) {
        const struct edge *edge = pages_at(&version->edges, *place);
        if (edge && edge->body && sh_bytes_equal(edge->body->id, id))
            return true;
    }
    return false;
}

bool graph_find_node(const struct graph_reader *reader, struct sh_bytes id,
                     uint32_t *place)
{
    return graph_version_node(reader->version, id, place) &&
           graph_node(reader, *place) != NULL;
}

static bool is_whole(const struct graph_reader *reader, uint32_t place)
{
    const struct edge *edge = graph_edge(reader, place);
    return edge && graph_node(reader, edge->body->from) &&
           graph_node(reader, edge->body->to);
}

bool graph_find_edge(const struct graph_reader *reader, struct sh_bytes id,
                     uint32_t *place)
{
    return graph_version_edge(reader->version, id, place) && is_whole(reader, *place);
}

bool graph_find_node_number(const struct graph_reader *reader, uint64_t number,
                            uint32_t *place)
{
    struct numbers_probe probe = {number, 0};
    while (number != 0 && numbers_next(reader->version->node_numbers, &probe, place)) {
        const struct node *node = pages_at(&reader->version->nodes, *place);
        if (node && node->body && node->body->number == number)
            return graph_permits(reader, node->access);
    }
    return false;
}

bool graph_find_edge_number(const struct graph_reader *reader, uint64_t number,
                            uint32_t *place)
{
    struct numbers_probe probe = {number, 0};
    while (number != 0 && numbers_next(reader->version->edge_numbers, &probe, place)) {
        const struct edge *edge = pages_at(&reader->version->edges, *place);
        if (edge && edge->body && edge->body->number == number)
            return is_whole(reader, *place);
    }
    return false;
}

const struct symbols *graph_labels(const struct graph *graph)
{
    return graph->labels;
}

const struct symbols *graph_types(const struct graph *graph)
{
    return graph->types;
}

const struct symbols *graph_keys(const struct graph *graph)
{
    return graph->keys;
}
