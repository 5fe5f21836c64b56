#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/graph/schema.h"
#include "tests/support/migrate.h"

static PGconn *db;

static int set_up(void **state)
{
    (void)state;
    db = servers_connect();
    migrate_afresh(db);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    PQfinish(db);
    return 0;
}

struct answers {
    PGresult *results[SCHEMA_STEPS];
    struct sh_arena arena;
    struct graph_schema_reply schema;
};

static void ask(struct answers *answers)
{
    *answers = (struct answers){0};
    for (size_t i = 0; i < SCHEMA_STEPS; i++) {
        answers->results[i] = PQexec(db, schema_steps()[i].statement->sql);
        if (PQresultStatus(answers->results[i]) != PGRES_TUPLES_OK)
            fail_msg("%s", PQresultErrorMessage(answers->results[i]));
    }
    assert_int_equal(schema_build(answers->results, &answers->arena, &answers->schema),
                     SH_OK);
}

static void forget(struct answers *answers)
{
    for (size_t i = 0; i < SCHEMA_STEPS; i++)
        PQclear(answers->results[i]);
    sh_arena_free(&answers->arena);
}

static void an_empty_graph_has_an_empty_schema(void **state)
{
    struct answers answers;

    (void)state;
    ask(&answers);
    assert_int_equal(answers.schema.nodes, 0);
    assert_int_equal(answers.schema.labels_count, 0);
    assert_int_equal(answers.schema.types_count, 0);
    forget(&answers);
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
    assert_true(sh_bytes_is(label[1].properties[0].types[0], "number"));
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

static void labels_types_and_their_ends_are_counted(void **state)
{
    struct answers answers;
    struct sh_buffer wire = {0};

    (void)state;
    assert_string_equal(
        servers_sql(db, "INSERT INTO graph_nodes (id, labels, properties) VALUES "
                        "('p1', '{Person}', '{\"name\":\"A\",\"age\":3}'),"
                        "('p2', '{Person,Staff}', '{\"age\":\"old\"}'),"
                        "('e', '{Empty}', '{}'), ('none', '{}', '{\"x\":1}');"
                        "INSERT INTO graph_edges (id, type, from_id, to_id) VALUES "
                        "('1','KNOWS','p1','p2'), ('2','KNOWS','p2','e'),"
                        "('3','LOOSE','none','none')"),
        "");
    PQclear(PQexec(db, "UPDATE graph_edges SET to_id = 'p1' WHERE id = '1'"));
    ask(&answers);
    assert_int_equal(answers.schema.nodes, 4);
    assert_int_equal(answers.schema.edges, 3);
    check_labels(&answers.schema);
    check_types(&answers.schema);
    assert_int_equal(msg_encode(graph_schema_reply_desc(), &answers.schema, &wire),
                     SH_OK);
    sh_buffer_free(&wire);
    forget(&answers);
}

/* Anything that a message cannot carry stays out of it. */
static void what_is_too_long_is_left_out(void **state)
{
    struct answers answers;
    struct sh_buffer wire = {0};

    (void)state;
    PQclear(PQexec(db,
                   "INSERT INTO graph_nodes (id, labels, properties) SELECT 'n' || n, "
                   "ARRAY['Many', repeat('x', 257)], jsonb_build_object('k' || n, n) "
                   "FROM generate_series(1, 1100) n"));
    ask(&answers);
    assert_int_equal(answers.schema.labels_count, 1);
    assert_int_equal(answers.schema.labels[0].count, 1100);
    assert_int_equal(answers.schema.labels[0].properties_count, 1024);
    assert_int_equal(msg_encode(graph_schema_reply_desc(), &answers.schema, &wire),
                     SH_OK);
    sh_buffer_free(&wire);
    forget(&answers);
}

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_graph_has_an_empty_schema, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(labels_types_and_their_ends_are_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_long_is_left_out, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
