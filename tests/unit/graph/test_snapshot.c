/* A graph that was written and read again is the same graph, and goes on like it; bytes
 * that are not as they were written are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <roaring/roaring.h>
#include <xxhash.h>

#include "services/graph/snapshot/format.h"
#include "tests/unit/graph/there.h"

enum { NODES = 300, EDGES = 900, ROUNDS = 30, NAME = 16 };

static const struct caller everything = {.schema = 0};
static const struct caller student = {.role = {"student", 7}, .clearance = 2};

static unsigned draw(unsigned below)
{
    static uint64_t state = 88172645463325252U; /* xorshift64 (Marsaglia 2003) */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below > 0 ? (unsigned)(state >> 33) % below : 0;
}

static void name(char text[NAME], char kind, unsigned number)
{
    (void)snprintf(text, NAME, "%c%u", kind, number);
}

/* The same change to both graphs (the second may be NULL). */
static void apply(struct graph *a, struct graph *b, const struct graph_changes *changes)
{
    assert_int_equal(graph_apply(a, changes), SH_OK);
    if (b != NULL)
        assert_int_equal(graph_apply(b, changes), SH_OK);
}

static void put_node(struct graph *a, struct graph *b, unsigned n)
{
    static const char *const properties[] = {
        "{}", "{\"name\":\"x\",\"n\":-3,\"f\":0.5,\"b\":true,\"z\":null}",
        "{\"list\":[1,\"two\"],\"map\":{\"k\":{}}}"};
    const struct sh_bytes labels[] = {sh_bytes_of("A"), sh_bytes_of("B"),
                                      sh_bytes_of("")};
    char id[NAME];
    name(id, 'n', n);
    struct graph_node_row row = {.id = sh_bytes_of(id),
                                 .labels = labels,
                                 .label_count = draw(4),
                                 .properties = sh_bytes_of(properties[draw(3)]),
                                 .clearance = 1 + draw(4),
                                 .department = sh_bytes_of(draw(2) ? "physics" : ""),
                                 .number = n + 1};
    apply(a, b, &(struct graph_changes){.nodes = &row, .node_count = 1});
}

static void put_edge(struct graph *a, struct graph *b, unsigned e)
{
    static const char *const types[] = {"T", "U", "V"};
    char id[NAME];
    char from[NAME];
    char to[NAME];
    name(id, 'e', e);
    name(from, 'n', draw(NODES));
    name(to, 'n', draw(NODES));
    struct graph_edge_row row = {.id = sh_bytes_of(id),
                                 .type = sh_bytes_of(types[draw(3)]),
                                 .from = sh_bytes_of(from),
                                 .to = sh_bytes_of(to),
                                 .properties = sh_bytes_of("{\"w\":1}"),
                                 .clearance = 1 + draw(4),
                                 .number = e + 1};
    apply(a, b, &(struct graph_changes){.edges = &row, .edge_count = 1});
}

static void drop_node(struct graph *a, struct graph *b, unsigned n)
{
    char id[NAME];
    name(id, 'n', n);
    struct sh_bytes gone = sh_bytes_of(id);
    apply(a, b, &(struct graph_changes){.gone_nodes = &gone, .gone_node_count = 1});
}

static void change_some(struct graph *a, struct graph *b)
{
    for (unsigned i = 0; i < 40; i++) {
        unsigned what = draw(8);
        if (what == 0)
            drop_node(a, b, draw(NODES));
        else if (what < 3)
            put_node(a, b, draw(NODES));
        else
            put_edge(a, b, draw(EDGES));
    }
}

/* --- comparing -------------------------------------------------------------------- */

static void same_bytes(struct sh_bytes a, struct sh_bytes b)
{
    assert_true(sh_bytes_equal(a, b));
}

static void same_edge(const struct graph_reader *a, uint32_t in_a,
                      const struct graph_reader *b, uint32_t in_b)
{
    const struct edge *left = edge_there(a, in_a);
    const struct edge *right = edge_there(b, in_b);
    same_bytes(left->body->id, right->body->id);
    same_bytes(left->body->properties, right->body->properties);
    same_bytes(node_there(a, left->body->from)->body->id,
               node_there(b, right->body->from)->body->id);
    same_bytes(node_there(a, left->body->to)->body->id,
               node_there(b, right->body->to)->body->id);
    assert_int_equal(left->body->type, right->body->type);
    assert_int_equal(left->body->number, right->body->number);
    assert_int_equal(left->access, right->access);
}

/* Links in the order that the format promises, each known by its edge. */
static void same_links(const struct graph_reader *a, const struct links *left,
                       const struct graph_reader *b, const struct links *right)
{
    assert_int_equal(left != NULL, right != NULL);
    if (left == NULL || right == NULL)
        return;
    assert_int_equal(left->count, right->count);
    assert_int_equal(left->group_count, right->group_count);
    for (uint32_t i = 0; i <= left->group_count; i++) {
        assert_int_equal(left->groups[i].type, right->groups[i].type);
        assert_int_equal(left->groups[i].first, right->groups[i].first);
    }
    for (uint32_t i = 0; i < right->count; i++) {
        const struct link *link = &right->links[i];
        const struct edge *edge = edge_there(b, link->edge);
        uint32_t other;
        assert_true(graph_find_edge(a, edge->body->id, &other));
        same_edge(a, other, b, link->edge);
        assert_int_equal(link->access, edge->access);
        assert_true(link->peer == edge->body->to || link->peer == edge->body->from);
    }
}

static void same_node(const struct graph_reader *a, uint32_t in_a,
                      const struct graph_reader *b, uint32_t in_b)
{
    const struct node *left = node_there(a, in_a);
    const struct node *right = node_there(b, in_b);
    const struct node_body *body = left->body;
    uint32_t found;
    same_bytes(body->properties, right->body->properties);
    assert_int_equal(body->number, right->body->number);
    assert_int_equal(left->access, right->access);
    assert_int_equal(body->label_count, right->body->label_count);
    for (uint32_t i = 0; i < body->label_count; i++) {
        assert_int_equal(body->labels[i], right->body->labels[i]);
        const roaring_bitmap_t *const *places =
            pages_at(&b->version->labels, body->labels[i]);
        assert_true(places != NULL && roaring_bitmap_contains(*places, in_b));
    }
    assert_true(graph_find_node_number(b, body->number, &found));
    assert_int_equal(found, in_b);
    same_links(a, left->out, b, right->out);
    same_links(a, left->in, b, right->in);
}

static void same_tally(const struct graph_reader *a, const struct graph_reader *b)
{
    const struct tally_list *left = a->version->tally;
    const struct tally_list *right = b->version->tally;
    assert_int_equal(left->count, right->count);
    for (uint32_t i = 0; i < left->count; i++) {
        assert_memory_equal(&left->items[i].key, &right->items[i].key,
                            sizeof(left->items[i].key));
        assert_int_equal(left->items[i].count, right->items[i].count);
    }
}

static void same_graph(struct graph *left, struct graph *right)
{
    struct graph_reader a;
    struct graph_reader b;
    struct graph_reader some;
    assert_int_equal(graph_enter(left, &everything, &a), SH_OK);
    assert_int_equal(graph_enter(right, &everything, &b), SH_OK);
    assert_int_equal(graph_enter(right, &student, &some), SH_OK);
    assert_int_equal(a.version->node_count, b.version->node_count);
    assert_int_equal(a.version->edge_count, b.version->edge_count);
    for (uint32_t i = 0; i < a.version->node_end; i++) {
        const struct node *node = graph_node(&a, i);
        uint32_t place;
        if (node == NULL)
            continue;
        assert_true(graph_find_node(&b, node->body->id, &place));
        same_node(&a, i, &b, place);
        struct graph_reader own;
        assert_int_equal(graph_enter(left, &student, &own), SH_OK);
        assert_int_equal(graph_node(&own, i) != NULL, graph_node(&some, place) != NULL);
        graph_leave(&own);
    }
    same_tally(&a, &b);
    graph_leave(&a);
    graph_leave(&b);
    graph_leave(&some);
}

/* --- tests ------------------------------------------------------------------------ */

struct written {
    char *bytes;
    size_t len;
};

static struct written write_graph(struct graph *graph)
{
    struct written written;
    struct graph_reader reader;
    FILE *file = open_memstream(&written.bytes, &written.len);
    assert_non_null(file);
    assert_int_equal(graph_enter(graph, &everything, &reader), SH_OK);
    assert_int_equal(snapshot_write(&reader, "the note", file), SH_OK);
    graph_leave(&reader);
    assert_int_equal(fclose(file), 0);
    return written;
}

static enum sh_err read_graph(struct sh_bytes bytes, struct graph **out)
{
    assert_int_equal(graph_create(out), SH_OK);
    enum sh_err err = snapshot_read(*out, bytes);
    if (err != SH_OK)
        graph_free(out);
    return err;
}

static struct graph *example(void)
{
    struct graph *graph;
    assert_int_equal(graph_create(&graph), SH_OK);
    for (unsigned n = 0; n < NODES; n++)
        put_node(graph, NULL, n);
    for (unsigned e = 0; e < EDGES; e++)
        put_edge(graph, NULL, e);
    return graph;
}

static void what_was_written_is_read(void **state)
{
    struct graph *graph = example();
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct graph *again;
        change_some(graph, NULL);
        struct written written = write_graph(graph);
        assert_int_equal(
            read_graph((struct sh_bytes){written.bytes, written.len}, &again), SH_OK);
        free(written.bytes);
        same_graph(graph, again);
        change_some(graph, again);
        same_graph(graph, again);
        graph_free(&again);
    }
    graph_free(&graph);
}

static void an_empty_graph_is_one(void **state)
{
    struct graph *graph;
    struct graph *again;
    (void)state;
    assert_int_equal(graph_create(&graph), SH_OK);
    struct written written = write_graph(graph);
    assert_int_equal(read_graph((struct sh_bytes){written.bytes, written.len}, &again),
                     SH_OK);
    free(written.bytes);
    put_node(graph, again, 1);
    same_graph(graph, again);
    graph_free(&again);
    graph_free(&graph);
}

static void what_was_changed_is_refused(void **state)
{
    struct graph *graph = example();
    struct graph *again;
    struct written written = write_graph(graph);
    (void)state;
    for (size_t len = 0; len < written.len; len += 1 + draw((unsigned)written.len / 50))
        assert_int_equal(read_graph((struct sh_bytes){written.bytes, len}, &again),
                         SH_MALFORMED);
    /* padding between sections is nobody's: it alone may be anything */
    unsigned refused = 0;
    for (unsigned i = 0; i < 300; i++) {
        size_t at = draw((unsigned)written.len);
        char bit = (char)(1 << draw(8));
        written.bytes[at] = (char)(written.bytes[at] ^ bit);
        enum sh_err err =
            read_graph((struct sh_bytes){written.bytes, written.len}, &again);
        if (err == SH_OK) {
            same_graph(graph, again);
            graph_free(&again);
        } else {
            assert_int_equal(err, SH_MALFORMED);
            refused++;
        }
        written.bytes[at] = (char)(written.bytes[at] ^ bit);
    }
    assert_true(refused > 280);
    free(written.bytes);
    graph_free(&graph);
}

/* So many edges that they are read on another thread. */
static struct graph *large_example(void)
{
    enum { MANY_NODES = 300, MANY_EDGES = 40000 };
    static char names[MANY_NODES + MANY_EDGES][NAME];
    static struct graph_node_row nodes[MANY_NODES];
    static struct graph_edge_row edges[MANY_EDGES];
    struct graph *graph = NULL;
    assert_int_equal(graph_create(&graph), SH_OK);
    for (unsigned i = 0; i < MANY_NODES; i++) {
        name(names[i], 'n', i);
        nodes[i] = (struct graph_node_row){.id = sh_bytes_of(names[i]),
                                           .properties = sh_bytes_of("{}"),
                                           .clearance = 1 + draw(4),
                                           .number = i + 1};
    }
    for (unsigned i = 0; i < MANY_EDGES; i++) {
        name(names[MANY_NODES + i], 'e', i);
        edges[i] = (struct graph_edge_row){.id = sh_bytes_of(names[MANY_NODES + i]),
                                           .type = sh_bytes_of(i % 3 == 0 ? "T" : "U"),
                                           .from = nodes[draw(MANY_NODES)].id,
                                           .to = nodes[draw(MANY_NODES)].id,
                                           .properties = sh_bytes_of("{}"),
                                           .clearance = 1 + draw(4),
                                           .number = i + 1};
    }
    const struct graph_changes changes = {.nodes = nodes,
                                          .node_count = MANY_NODES,
                                          .edges = edges,
                                          .edge_count = MANY_EDGES};
    assert_int_equal(graph_apply(graph, &changes), SH_OK);
    return graph;
}

/* The last edge leads nowhere, and every sum is right. */
static void lead_nowhere(struct sh_bytes bytes)
{
    char *data = sh_unconst(bytes.data);
    struct kept_foot foot;
    memcpy(&foot, data + bytes.len - sizeof(foot), sizeof(foot));
    struct sh_section *section = &foot.sections[KEPT_EDGES];
    char *edges = data + section->start;
    struct kept_edge *last = (void *)(edges + section->len - sizeof(*last));
    last->to = UINT32_MAX;
    section->sum = XXH3_64bits(edges, section->len);
    foot.sum = XXH3_64bits(&foot, offsetof(struct kept_foot, sum));
    memcpy(data + bytes.len - sizeof(foot), &foot, sizeof(foot));
}

static void a_large_one_is_read_by_two(void **state)
{
    (void)state;
    struct graph *graph = large_example();
    struct graph *copy = NULL;
    struct written written = write_graph(graph);
    struct sh_bytes bytes = {written.bytes, written.len};
    assert_int_equal(read_graph(bytes, &copy), SH_OK);
    same_graph(graph, copy);
    graph_free(&copy);
    lead_nowhere(bytes);
    assert_int_equal(read_graph(bytes, &copy), SH_MALFORMED);
    free(written.bytes);
    graph_free(&graph);
}

static void memory_may_end_anywhere(void **state)
{
    struct graph *graph = example();
    struct written written = write_graph(graph);
    struct graph *again = NULL;
    enum sh_err err = SH_NOMEM;
    (void)state;
    for (int n = 0; err == SH_NOMEM; n += 1 + n / 20) {
        assert_int_equal(graph_create(&again), SH_OK);
        sh_mem_fail_after(n);
        err = snapshot_read(again, (struct sh_bytes){written.bytes, written.len});
        sh_mem_fail_after(-1);
        if (err != SH_OK)
            graph_free(&again);
    }
    assert_int_equal(err, SH_OK);
    same_graph(graph, again);
    free(written.bytes);
    graph_free(&again);
    graph_free(&graph);
}

static void files_are_written_and_read(void **state)
{
    char dir[] = "/tmp/graph-snapshot-XXXXXX";
    char path[64];
    char note[SNAPSHOT_NOTE + 1];
    struct graph *graph = example();
    struct graph *again;
    struct graph_reader reader;
    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(snapshot_peek(dir, note), SH_NOTFOUND);
    assert_int_equal(graph_enter(graph, &everything, &reader), SH_OK);
    assert_int_equal(snapshot_save(&reader, "the note", dir), SH_OK);
    graph_leave(&reader);
    assert_int_equal(snapshot_peek(dir, note), SH_OK);
    assert_string_equal(note, "the note");
    assert_int_equal(graph_create(&again), SH_OK);
    assert_int_equal(snapshot_load(again, dir), SH_OK);
    same_graph(graph, again);
    graph_free(&again);
    graph_free(&graph);
    (void)snprintf(path, sizeof(path), "%s/graph", dir);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(an_empty_graph_is_one),
        cmocka_unit_test(what_was_changed_is_refused),
        cmocka_unit_test(a_large_one_is_read_by_two),
        cmocka_unit_test(memory_may_end_anywhere),
        cmocka_unit_test(files_are_written_and_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
