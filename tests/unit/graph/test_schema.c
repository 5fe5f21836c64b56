/* What the schema says of a graph, and to whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/graph/ask/schema.h"

static const struct caller service = {.role = {0}};
static const struct caller anonymous = {.role = {"anonymous", 9}, .clearance = 1};

struct fixture {
    struct graph *graph;
    struct graph_reader reader;
    struct sh_arena arena;
    struct graph_schema_reply schema;
};

static int set_up(void **state)
{
    struct fixture *f = sh_alloc(sizeof(*f));
    assert_non_null(f);
    assert_int_equal(graph_create(&f->graph), SH_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    graph_free(&f->graph);
    sh_free(f);
    return 0;
}

/* And that a message can carry it. */
static void ask(struct fixture *f, const struct caller *caller)
{
    struct sh_buffer wire = {0};
    assert_int_equal(graph_enter(f->graph, caller, &f->reader), SH_OK);
    assert_int_equal(schema_build(&f->reader, &f->arena, &f->schema), SH_OK);
    assert_int_equal(msg_encode(graph_schema_reply_desc(), &f->schema, &wire), SH_OK);
    sh_buffer_free(&wire);
}

static void forget(struct fixture *f)
{
    sh_arena_free(&f->arena);
    graph_leave(&f->reader);
}

static void an_empty_graph_has_an_empty_schema(void **state)
{
    struct fixture *f = *state;
    ask(f, &service);
    assert_int_equal(f->schema.nodes, 0);
    assert_int_equal(f->schema.labels_count, 0);
    assert_int_equal(f->schema.types_count, 0);
    forget(f);
}

static void check_labels(const struct graph_schema_reply *schema)
{
    const struct graph_label *label = schema->labels;

    assert_int_equal(schema->labels_count, 3);
    assert_true(sh_bytes_is(label[0].name, "Empty"));
    assert_int_equal(label[0].count, 1);
    assert_int_equal(label[0].properties_count, 0);
    assert_true(sh_bytes_is(label[1].name, "Person"));
    assert_int_equal(label[1].count, 2);
    assert_int_equal(label[1].properties_count, 2);
    assert_true(sh_bytes_is(label[1].properties[0].name, "age"));
    assert_int_equal(label[1].properties[0].types_count, 2);
    assert_true(sh_bytes_is(label[1].properties[0].types[0], "integer"));
    assert_true(sh_bytes_is(label[1].properties[0].types[1], "string"));
    assert_true(sh_bytes_is(label[1].properties[1].name, "name"));
    assert_int_equal(label[1].properties[1].types_count, 1);
    assert_true(sh_bytes_is(label[2].name, "Staff"));
    assert_int_equal(label[2].count, 1);
    assert_int_equal(label[2].properties_count, 1);
}

static void check_types(const struct graph_schema_reply *schema)
{
    const struct graph_type *type = schema->types;

    assert_int_equal(schema->types_count, 2);
    assert_true(sh_bytes_is(type[0].name, "KNOWS"));
    assert_int_equal(type[0].count, 2);
    assert_int_equal(type[0].from_labels_count, 2);
    assert_true(sh_bytes_is(type[0].from_labels[1], "Staff"));
    assert_int_equal(type[0].to_labels_count, 2);
    assert_true(sh_bytes_is(type[0].to_labels[0], "Empty"));
    /* Between nodes without labels: the type is there, its ends have no names. */
    assert_true(sh_bytes_is(type[1].name, "LOOSE"));
    assert_int_equal(type[1].count, 1);
    assert_int_equal(type[1].from_labels_count, 0);
    assert_int_equal(type[1].to_labels_count, 0);
}

#define TEXT(text)                                                                       \
    {                                                                                    \
        text, sizeof(text) - 1                                                           \
    }

static void put_example(struct fixture *f)
{
    static const struct sh_bytes labels[] = {TEXT("Staff"), TEXT("Person"), TEXT("Empty"),
                                             TEXT("Secret")};
    static const struct graph_node_row nodes[] = {
        {TEXT("p1"), &labels[1], 1, TEXT("{\"name\":\"A\",\"age\":3}"), 1, {0}, 0},
        {TEXT("p2"), &labels[0], 2, TEXT("{\"age\":\"old\"}"), 1, {0}, 0},
        {TEXT("e"), &labels[2], 1, TEXT("{}"), 1, {0}, 0},
        {TEXT("none"), labels, 0, TEXT("{\"x\":1}"), 1, {0}, 0},
    };
    static const struct graph_node_row hidden = {
        TEXT("s"), &labels[3], 1, TEXT("{\"code\":1}"), 4, TEXT("physics"), 0};
    static const struct graph_edge_row edges[] = {
        {TEXT("1"), TEXT("KNOWS"), TEXT("p1"), TEXT("p1"), TEXT("{}"), 1, {0}, 0},
        {TEXT("2"), TEXT("KNOWS"), TEXT("p2"), TEXT("e"), TEXT("{}"), 1, {0}, 0},
        {TEXT("3"), TEXT("LOOSE"), TEXT("none"), TEXT("none"), TEXT("{}"), 1, {0}, 0},
    };
    static const struct graph_edge_row to_hidden = {
        TEXT("4"), TEXT("GUARDS"), TEXT("p1"), TEXT("s"), TEXT("{}"), 1, {0}, 0};
    struct graph_changes seen = {
        .nodes = nodes, .node_count = 4, .edges = edges, .edge_count = 3};
    struct graph_changes unseen = {
        .nodes = &hidden, .node_count = 1, .edges = &to_hidden, .edge_count = 1};
    assert_int_equal(graph_apply(f->graph, &seen), SH_OK);
    assert_int_equal(graph_apply(f->graph, &unseen), SH_OK);
}

static void nobody_hears_of_what_they_may_not_see(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    ask(f, &anonymous);
    assert_int_equal(f->schema.nodes, 4);
    assert_int_equal(f->schema.edges, 3);
    check_labels(&f->schema);
    check_types(&f->schema);
    forget(f);
    ask(f, &service);
    assert_int_equal(f->schema.nodes, 5);
    assert_int_equal(f->schema.edges, 4);
    assert_int_equal(f->schema.labels_count, 4);
    assert_true(sh_bytes_is(f->schema.types[0].name, "GUARDS"));
    assert_true(sh_bytes_is(f->schema.types[0].to_labels[0], "Secret"));
    forget(f);
}

/* Anything that a message cannot carry stays out of it. */
static void what_is_too_long_is_left_out(void **state)
{
    enum { KEYS = 1100 };
    static char json[KEYS * 16];
    static char name[257];
    struct fixture *f = *state;
    struct sh_bytes labels[] = {TEXT("Many"), {name, sizeof(name)}};
    size_t len = 0;
    memset(name, 'x', sizeof(name));
    for (int i = 0; i < KEYS; i++)
        len += (size_t)snprintf(json + len, sizeof(json) - len, "%s\"k%d\":%d",
                                i == 0 ? "{" : ",", i, i);
    json[len++] = '}';
    struct graph_node_row node = {TEXT("n"), labels, 2, {json, len}, 1, {0}, 0};
    struct graph_changes changes = {.nodes = &node, .node_count = 1};
    assert_int_equal(graph_apply(f->graph, &changes), SH_OK);
    ask(f, &service);
    assert_int_equal(f->schema.labels_count, 1);
    assert_int_equal(f->schema.labels[0].count, 1);
    assert_int_equal(f->schema.labels[0].properties_count, 1024);
    forget(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_graph_has_an_empty_schema, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nobody_hears_of_what_they_may_not_see, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_long_is_left_out, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
