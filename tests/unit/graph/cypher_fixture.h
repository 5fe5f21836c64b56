/* cypher_fixture: queries on the random graphs of walk_fixture.h. */
#ifndef TEST_CYPHER_FIXTURE_H
#define TEST_CYPHER_FIXTURE_H

#include "services/graph/cypher/run.h"
#include "services/graph/cypher/value.h"
#include "tests/unit/graph/walk_fixture.h"

struct rows {
    struct cy_value first; /* of the first row */
    int64_t sum;           /* of the first column's numbers */
    unsigned count;
    unsigned most; /* that are wanted; 0: all */
};

static inline bool take(void *arg, const struct cy_value *values, size_t count)
{
    struct rows *rows = arg;
    assert_true(count > 0);
    if (rows->most > 0 && rows->count == rows->most)
        return false;
    if (rows->count++ == 0)
        rows->first = values[0];
    if (values[0].type == CYV_INTEGER)
        rows->sum += values[0].integer;
    return true;
}

static inline bool run(struct fixture *f, struct cy_env *env, const char *text,
                       struct rows *rows)
{
    struct cy_result result;
    env->reader = &f->reader;
    env->arena = &f->arena;
    bool fine = cy_run(env, sh_bytes_of(text), take, rows, &result);
    if (fine)
        assert_int_equal(result.row_count, rows->count);
    return fine;
}

static inline struct rows ask(struct fixture *f, const char *text)
{
    struct cy_env env = {0};
    struct rows rows = {0};
    if (!run(f, &env, text, &rows))
        fail_msg("%s: %s", text, env.error.message);
    return rows;
}

static inline int64_t number(struct fixture *f, const char *text)
{
    struct rows rows = ask(f, text);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.first.type, CYV_INTEGER);
    return rows.first.integer;
}

#endif
