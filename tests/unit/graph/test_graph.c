/* Random batches of changes, each compared with a model that does everything the long
 * way: for callers of several rights, and for readers of the version before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <roaring/roaring.h>

#include "proto/access.h"
#include "services/graph/view/graph.h"
#include "tests/unit/graph/there.h"

enum { NODES = 24, EDGES = 60, LABELS = 4, TYPES = 3, KEYS = 3, BATCHES = 400 };

static const char *const departments[] = {"", "physics", "chemistry"};

struct model_node {
    bool there;
    uint64_t number;
    unsigned labels; /* bits */
    unsigned keys;   /* bits; the value of key k is its number */
    uint32_t clearance;
    unsigned department;
};

struct model_edge {
    bool there;
    uint64_t number;
    unsigned type;
    unsigned from;
    unsigned to;
    uint32_t clearance;
    unsigned department;
};

struct model {
    struct model_node nodes[NODES];
    struct model_edge edges[EDGES];
};

static unsigned draw(unsigned below)
{
    static uint64_t state = 88172645463325252U; /* xorshift64 (Marsaglia 2003) */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

/* --- what the model says ---------------------------------------------------------- */

static bool may_see(const struct caller *caller, uint32_t clearance, unsigned department)
{
    return access_judge(caller, clearance, sh_bytes_of(departments[department])).readable;
}

static bool sees_node(const struct caller *caller, const struct model *model, unsigned n)
{
    const struct model_node *node = &model->nodes[n];
    return node->there && may_see(caller, node->clearance, node->department);
}

static bool sees_edge(const struct caller *caller, const struct model *model, unsigned e)
{
    const struct model_edge *edge = &model->edges[e];
    return edge->there && may_see(caller, edge->clearance, edge->department) &&
           sees_node(caller, model, edge->from) && sees_node(caller, model, edge->to);
}

/* --- a batch ---------------------------------------------------------------------- */

struct batch {
    char names[NODES + EDGES][8];
    struct sh_bytes labels[NODES][LABELS + 1];
    char properties[NODES][64];
    struct graph_node_row nodes[NODES];
    struct graph_edge_row edges[EDGES];
    struct sh_bytes gone_nodes[NODES];
    struct sh_bytes gone_edges[EDGES];
    struct graph_changes changes;
};

static const char *const label_names[LABELS] = {"Person", "Paper", "Place", "Project"};
static const char *const type_names[TYPES] = {"KNOWS", "WROTE", "NEAR"};
static const char *const key_names[KEYS] = {"name", "year", "size"};

static struct sh_bytes node_name(struct batch *batch, unsigned n)
{
    (void)snprintf(batch->names[n], sizeof(batch->names[n]), "n%u", n);
    return sh_bytes_of(batch->names[n]);
}

static struct sh_bytes edge_name(struct batch *batch, unsigned e)
{
    char *name = batch->names[NODES + e];
    (void)snprintf(name, sizeof(batch->names[0]), "e%u", e);
    return sh_bytes_of(name);
}

static void describe(struct batch *batch, unsigned n, const struct model_node *node)
{
    struct sh_bytes *labels = batch->labels[n];
    size_t count = 0;
    for (unsigned i = 0; i < LABELS; i++)
        if ((node->labels >> i & 1) != 0)
            labels[count++] = sh_bytes_of(label_names[i]);
    if (count > 0)
        labels[count++] = labels[0]; /* twice counts once */
    char *end = batch->properties[n];
    *end++ = '{';
    for (unsigned i = 0; i < KEYS; i++)
        if ((node->keys >> i & 1) != 0)
            end +=
                sprintf(end, "%s\"%s\":%u", end[-1] == '{' ? "" : ",", key_names[i], i);
    (void)snprintf(end, 2, "}");
    batch->nodes[batch->changes.node_count++] =
        (struct graph_node_row){.number = node->number,
                                .id = node_name(batch, n),
                                .labels = labels,
                                .label_count = count,
                                .properties = sh_bytes_of(batch->properties[n]),
                                .clearance = node->clearance,
                                .department = sh_bytes_of(departments[node->department])};
}

/* What is there keeps its number; what comes (again) has one that was never used. */
static uint64_t keep_number(bool there, uint64_t number)
{
    static uint64_t last;
    return there ? number : ++last;
}

static void put_some_nodes(struct batch *batch, struct model *model)
{
    for (unsigned n = 0; n < NODES; n++) {
        if (draw(6) != 0)
            continue;
        struct model_node *node = &model->nodes[n];
        *node = (struct model_node){true,
                                    keep_number(node->there, node->number),
                                    draw(1 << LABELS),
                                    draw(1 << KEYS),
                                    1 + draw(4),
                                    draw(3)};
        describe(batch, n, node);
    }
}

static void put_some_edges(struct batch *batch, struct model *model)
{
    for (unsigned e = 0; e < EDGES; e++) {
        if (draw(8) != 0)
            continue;
        struct model_edge *old = &model->edges[e];
        struct model_edge edge = {true,        keep_number(old->there, old->number),
                                  draw(TYPES), draw(NODES),
                                  draw(NODES), 1 + draw(4),
                                  draw(3)};
        edge.there = model->nodes[edge.from].there && model->nodes[edge.to].there;
        *old = edge;
        batch->edges[batch->changes.edge_count++] = (struct graph_edge_row){
            .number = edge.number,
            .id = edge_name(batch, e),
            .type = sh_bytes_of(type_names[edge.type]),
            .from = node_name(batch, edge.from),
            .to = node_name(batch, edge.to),
            .properties = sh_bytes_of("{}"),
            .clearance = edge.clearance,
            .department = sh_bytes_of(departments[edge.department])};
    }
}

static void drop_some(struct batch *batch, struct model *model)
{
    for (unsigned e = 0; e < EDGES; e++)
        if (draw(15) == 0) {
            model->edges[e].there = false;
            batch->gone_edges[batch->changes.gone_edge_count++] = edge_name(batch, e);
        }
    for (unsigned n = 0; n < NODES; n++) {
        if (draw(15) != 0)
            continue;
        model->nodes[n].there = false;
        batch->gone_nodes[batch->changes.gone_node_count++] = node_name(batch, n);
        for (unsigned e = 0; e < EDGES; e++)
            if (model->edges[e].from == n || model->edges[e].to == n)
                model->edges[e].there = false;
    }
}

static void draw_batch(struct batch *batch, struct model *model)
{
    *batch = (struct batch){.changes.node_count = 0};
    drop_some(batch, model);
    put_some_nodes(batch, model);
    put_some_edges(batch, model);
    if (batch->changes.edge_count > 0 && batch->changes.edge_count < EDGES)
        batch->edges[batch->changes.edge_count++] = batch->edges[0]; /* once more */
    batch->changes.gone_edges = batch->gone_edges;
    batch->changes.gone_nodes = batch->gone_nodes;
    batch->changes.nodes = batch->nodes;
    batch->changes.edges = batch->edges;
}

/* --- comparing -------------------------------------------------------------------- */

static bool number_of(const char *prefix, struct sh_bytes id, unsigned *number)
{
    char text[16] = "";
    memcpy(text, id.data, id.len < 15 ? id.len : 15);
    *number = (unsigned)strtoul(text + 1, NULL, 10);
    return text[0] == prefix[0];
}

static void compare_node(const struct graph_reader *reader, const struct model_node *want,
                         const struct node *node)
{
    const struct node_body *body = node->body;
    unsigned labels = 0;
    for (uint32_t i = 0; i < body->label_count; i++)
        for (unsigned l = 0; l < LABELS; l++)
            if (sh_bytes_is(symbols_text(graph_labels(reader->graph), body->labels[i]),
                            label_names[l]))
                labels |= 1U << l;
    assert_int_equal(labels, want->labels);
    assert_int_equal(body->label_count, __builtin_popcount(want->labels));
    assert_int_equal(values_count(body->properties), __builtin_popcount(want->keys));
    for (unsigned k = 0; k < KEYS; k++) {
        uint32_t key;
        struct value value;
        bool known =
            symbols_find(graph_keys(reader->graph), sh_bytes_of(key_names[k]), &key);
        bool has = known && values_get(body->properties, key, &value);
        assert_int_equal(has, want->keys >> k & 1);
        if (has) {
            assert_int_equal(value.type, VALUE_INTEGER);
            assert_int_equal(value.integer, k);
        }
    }
}

/* How many links of the node this caller can follow; each must be in the model. */
static unsigned compare_links(const struct graph_reader *reader,
                              const struct caller *caller, const struct model *model,
                              unsigned n, const struct links *links, bool outgoing)
{
    unsigned count = 0;
    for (uint32_t i = 0; links != NULL && i < links->count; i++) {
        const struct link *link = &links->links[i];
        unsigned e;
        unsigned peer;
        if (!graph_follows(reader, link))
            continue;
        const struct edge *edge = edge_there(reader, link->edge);
        assert_true(number_of("e", edge->body->id, &e));
        assert_true(number_of("n", node_there(reader, link->peer)->body->id, &peer));
        assert_true(sees_edge(caller, model, e));
        assert_int_equal(outgoing ? model->edges[e].from : model->edges[e].to, n);
        assert_int_equal(outgoing ? model->edges[e].to : model->edges[e].from, peer);
        count++;
    }
    return count;
}

static void compare_nodes(const struct graph_reader *reader, const struct caller *caller,
                          const struct model *model)
{
    for (unsigned n = 0; n < NODES; n++) {
        char id[8];
        uint32_t place;
        unsigned out = 0;
        unsigned in = 0;
        (void)snprintf(id, sizeof(id), "n%u", n);
        bool found = graph_find_node(reader, sh_bytes_of(id), &place);
        assert_int_equal(found, sees_node(caller, model, n));
        if (!found)
            continue;
        const struct node *node = node_there(reader, place);
        compare_node(reader, &model->nodes[n], node);
        for (unsigned e = 0; e < EDGES; e++) {
            bool seen = sees_edge(caller, model, e);
            out += seen && model->edges[e].from == n;
            in += seen && model->edges[e].to == n;
        }
        assert_int_equal(compare_links(reader, caller, model, n, node->out, true), out);
        assert_int_equal(compare_links(reader, caller, model, n, node->in, false), in);
    }
    for (unsigned e = 0; e < EDGES; e++) {
        char id[8];
        uint32_t place;
        (void)snprintf(id, sizeof(id), "e%u", e);
        assert_int_equal(graph_find_edge(reader, sh_bytes_of(id), &place),
                         sees_edge(caller, model, e));
    }
}

/* What is gone, or hidden, has no number either. */
static void compare_numbers(const struct graph_reader *reader,
                            const struct caller *caller, const struct model *model)
{
    uint32_t place;
    for (unsigned n = 0; n < NODES; n++) {
        uint64_t number = model->nodes[n].number;
        bool found = graph_find_node_number(reader, number, &place);
        assert_int_equal(found, sees_node(caller, model, n));
        if (found)
            assert_int_equal(node_there(reader, place)->body->number, number);
    }
    for (unsigned e = 0; e < EDGES; e++) {
        uint64_t number = model->edges[e].number;
        bool found = graph_find_edge_number(reader, number, &place);
        assert_int_equal(found, sees_edge(caller, model, e));
        if (found)
            assert_int_equal(edge_there(reader, place)->body->number, number);
    }
}

/* The sum of what the caller may see of one kind. */
static int64_t tallied(const struct graph_reader *reader, enum tally_kind kind,
                       const uint32_t what[TALLY_WHAT])
{
    const struct tally_list *list = reader->version->tally;
    int64_t sum = 0;
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const struct tally_key *key = &list->items[i].key;
        if (key->kind == (uint32_t)kind &&
            memcmp(key->what, what, sizeof(key->what)) == 0 &&
            graph_permits(reader, key->access[0]) &&
            graph_permits(reader, key->access[1]) &&
            graph_permits(reader, key->access[2]))
            sum += list->items[i].count;
    }
    return sum;
}

/* A number that nothing has where the text is not known yet. */
static uint32_t number(const struct symbols *symbols, const char *text)
{
    uint32_t found;
    return symbols_find(symbols, sh_bytes_of(text), &found) ? found : UINT32_MAX;
}

static void compare_counts(const struct graph_reader *reader, const struct caller *caller,
                           const struct model *model)
{
    int64_t nodes = 0;
    for (unsigned n = 0; n < NODES; n++)
        nodes += sees_node(caller, model, n);
    assert_int_equal(tallied(reader, TALLY_NODES, (uint32_t[TALLY_WHAT]){0}), nodes);
    for (unsigned l = 0; l < LABELS; l++) {
        uint32_t label = number(graph_labels(reader->graph), label_names[l]);
        int64_t count = 0;
        int64_t named = 0;
        for (unsigned n = 0; n < NODES; n++)
            if (sees_node(caller, model, n) && (model->nodes[n].labels >> l & 1) != 0) {
                count++;
                named += model->nodes[n].keys & 1;
            }
        assert_int_equal(tallied(reader, TALLY_LABEL, (uint32_t[TALLY_WHAT]){label}),
                         count);
        uint32_t what[TALLY_WHAT] = {label, number(graph_keys(reader->graph), "name"),
                                     VALUE_INTEGER};
        assert_int_equal(tallied(reader, TALLY_PROPERTY, what), named);
        const roaring_bitmap_t *const *places =
            pages_at(&reader->version->labels, label == UINT32_MAX ? 0 : label);
        if (reader->permitted == NULL && label != UINT32_MAX && places && *places)
            assert_int_equal(roaring_bitmap_get_cardinality(*places), count);
    }
}

static void compare_joins(const struct graph_reader *reader, const struct caller *caller,
                          const struct model *model)
{
    for (unsigned t = 0; t < TYPES; t++) {
        uint32_t type = number(graph_types(reader->graph), type_names[t]);
        int64_t count = 0;
        int64_t joins = 0; /* Person to Paper */
        for (unsigned e = 0; e < EDGES; e++) {
            const struct model_edge *edge = &model->edges[e];
            if (!sees_edge(caller, model, e) || edge->type != t)
                continue;
            count++;
            joins += (model->nodes[edge->from].labels & 1) != 0 &&
                     (model->nodes[edge->to].labels & 2) != 0;
        }
        assert_int_equal(tallied(reader, TALLY_EDGES, (uint32_t[TALLY_WHAT]){type}),
                         count);
        uint32_t what[TALLY_WHAT] = {type, number(graph_labels(reader->graph), "Person"),
                                     number(graph_labels(reader->graph), "Paper")};
        assert_int_equal(tallied(reader, TALLY_JOIN, what), joins);
    }
}

static const struct caller callers[] = {
    {.role = {0}}, /* a service: everything */
    {.role = {"anonymous", 9}, .clearance = 1},
    {.role = {"staff", 5}, .clearance = 3, .department = {"physics", 7}},
    {.role = {"admin", 5}, .clearance = 5, .all_departments = true},
};

static void compare(const struct graph_reader *reader, const struct caller *caller,
                    const struct model *model)
{
    compare_nodes(reader, caller, model);
    compare_numbers(reader, caller, model);
    compare_counts(reader, caller, model);
    compare_joins(reader, caller, model);
}

static void compare_all(struct graph *graph, const struct model *model)
{
    for (size_t i = 0; i < SH_COUNT(callers); i++) {
        struct graph_reader reader;
        assert_int_equal(graph_enter(graph, &callers[i], &reader), SH_OK);
        compare(&reader, &callers[i], model);
        graph_leave(&reader);
    }
}

/* --- tests ------------------------------------------------------------------------ */

static void every_caller_sees_what_the_model_says(void **state)
{
    static struct batch batch;
    struct graph *graph;
    struct model model = {0};
    (void)state;
    assert_int_equal(graph_create(&graph), SH_OK);
    for (int i = 0; i < BATCHES; i++) {
        struct model before = model;
        struct graph_reader earlier;
        const struct caller *caller = &callers[(size_t)i % SH_COUNT(callers)];
        assert_int_equal(graph_enter(graph, caller, &earlier), SH_OK);
        draw_batch(&batch, &model);
        assert_int_equal(graph_apply(graph, &batch.changes), SH_OK);
        compare(&earlier, caller, &before);
        graph_leave(&earlier);
        compare_all(graph, &model);
    }
    graph_free(&graph);
}

static void a_batch_that_fails_changes_nothing(void **state)
{
    static struct batch batch;
    struct graph *graph;
    struct model model = {0};
    (void)state;
    assert_int_equal(graph_create(&graph), SH_OK);
    for (int i = 0; i < 12; i++) {
        struct model before = model;
        int failures = 0;
        draw_batch(&batch, &model);
        for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
            sh_mem_fail_after(failures);
            err = graph_apply(graph, &batch.changes);
            sh_mem_fail_after(-1);
            assert_true(err == SH_OK || err == SH_NOMEM);
            if (err != SH_OK)
                compare_all(graph, &before);
        }
        assert_true(failures > 1);
        compare_all(graph, &model);
    }
    graph_free(&graph);
}

static const struct node_body *body_of(const struct graph_reader *reader, const char *id)
{
    uint32_t place;
    assert_true(graph_find_node(reader, sh_bytes_of(id), &place));
    return node_there(reader, place)->body;
}

static void numbers_that_nothing_holds_keep_nobody_away(void **state)
{
    struct graph *graph;
    const char *large = "{\"n\":100000000000000000000}";
    const char *beyond = "{\"n\":1e999,\"m\":1}";
    struct graph_node_row rows[] = {
        {.id = {"large", 5}, .properties = sh_bytes_of(large), .clearance = 1},
        {.id = {"beyond", 6}, .properties = sh_bytes_of(beyond), .clearance = 1},
        {.id = {"list", 4}, .properties = {"[1]", 3}, .clearance = 1},
    };
    struct graph_changes changes = {.nodes = rows, .node_count = 3};
    struct graph_reader reader;
    uint32_t key;
    struct value value;
    (void)state;
    assert_int_equal(graph_create(&graph), SH_OK);
    assert_int_equal(graph_apply(graph, &changes), SH_OK);
    assert_int_equal(graph_enter(graph, &callers[0], &reader), SH_OK);
    assert_true(symbols_find(graph_keys(graph), sh_bytes_of("n"), &key));
    assert_true(values_get(body_of(&reader, "large")->properties, key, &value));
    assert_int_equal(value.type, VALUE_FLOAT);
    assert_true(value.real == 1e20);
    assert_int_equal(values_count(body_of(&reader, "beyond")->properties), 0);
    assert_int_equal(values_count(body_of(&reader, "list")->properties), 0);
    graph_leave(&reader);
    graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_caller_sees_what_the_model_says),
        cmocka_unit_test(a_batch_that_fails_changes_nothing),
        cmocka_unit_test(numbers_that_nothing_holds_keep_nobody_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
