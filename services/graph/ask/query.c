/* What a query in openCypher finds. */
#include <stdio.h>

#include "services/graph/ask/asked.h"
#include "services/graph/cypher/pack.h"
#include "services/graph/cypher/run.h"
#include "shared/clock.h"

enum {
    SENDING_MS = 50,                         /* kept back for sending the answer */
    ROWS_BYTES = PROTO_TEXT_MAX - (1 << 16), /* of an answer; one row more has to fit */
    ARRAY_HEAD = 5,
};

struct answer {
    struct cy_env *env;
    struct sh_buffer rows;
    uint64_t count;
    uint64_t most;
};

/* --- rows ------------------------------------------------------------------------- */

/* How many they are is not known before the end: a head of a fixed size. */
static void write_head(struct answer *answer)
{
    unsigned char *head = (unsigned char *)answer->rows.data;
    if (answer->rows.err != SH_OK)
        return;
    head[0] = 0xdd; /* array 32 */
    for (int i = 0; i < 4; i++)
        head[1 + i] = (unsigned char)(answer->count >> (24 - 8 * i));
}

/* One that no longer fits is taken back. */
static bool take_row(void *arg, const struct cy_value *values, size_t count)
{
    struct answer *answer = arg;
    size_t before = answer->rows.len;
    if (answer->count >= answer->most)
        return false;
    cy_pack_array(&answer->rows, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        if (!cy_pack(answer->env, values[i], &answer->rows))
            return false;
        if (answer->rows.len > ROWS_BYTES) {
            answer->rows.len = before;
            return false;
        }
    }
    if (answer->rows.err != SH_OK)
        return cy_fail_err(answer->env, answer->rows.err);
    answer->count++;
    return true;
}

static enum sh_err write_reply(struct question *question, struct answer *answer,
                               const struct cy_result *result, uint64_t began_us)
{
    struct cypher_reply *reply = question->reply;
    write_head(answer);
    *reply = (struct cypher_reply){
        .columns = result->columns,
        .columns_count = result->column_count,
        .rows = sh_arena_copy(&question->arena, sh_buffer_bytes(&answer->rows)),
        .row_count = answer->count,
        .truncated = result->truncated,
        .time_ms = (double)(sh_now_us() - began_us) / 1000.0};
    return reply->rows.data != NULL ? answer->rows.err : SH_NOMEM;
}

/* --- failures --------------------------------------------------------------------- */

static enum sh_err fail(struct question *question, const struct cy_env *env)
{
    const struct cy_error *error = &env->error;
    if (env->err != SH_INVALID || error->code == CY_FINE)
        return env->err;
    question->code = cy_code_name(error->code);
    question->field = "query";
    if (error->at.line > 0)
        (void)snprintf(question->message, sizeof(question->message),
                       "line %u, column %u: %.200s", error->at.line, error->at.column,
                       error->message);
    else
        (void)snprintf(question->message, sizeof(question->message), "%.240s",
                       error->message);
    return SH_INVALID;
}

/* --- all -------------------------------------------------------------------------- */

static uint32_t at_most(uint32_t asked, uint32_t limit)
{
    return asked == 0 || asked > limit ? limit : asked;
}

static struct cy_budget budget_of(const struct question *question)
{
    const struct cypher_query *query = question->request;
    const struct query_limits *limits = &question->asker->limits;
    uint64_t now = sh_now_ms();
    uint64_t end = now + at_most(query->timeout_ms, limits->timeout_ms);
    uint64_t wanted = question->deadline_ms > now + SENDING_MS
                          ? question->deadline_ms - SENDING_MS
                          : now + 1;
    return (struct cy_budget){.memory = (size_t)limits->memory_mb << 20,
                              .touches = limits->touched,
                              .deadline_ms = end < wanted ? end : wanted,
                              .cancelled = &question->cancelled};
}

static enum sh_err answer(struct question *question)
{
    const struct cypher_query *query = question->request;
    struct cy_env env = {.reader = &question->reader,
                         .values = question->values,
                         .arena = &question->arena,
                         .budget = budget_of(question)};
    struct answer answer = {
        .env = &env, .most = at_most(query->max_rows, question->asker->limits.rows)};
    struct cy_value parameters;
    struct cy_result result;
    uint64_t began_us = sh_now_us();
    enum sh_err err;
    sh_buffer_append(&answer.rows, "\0\0\0\0\0", ARRAY_HEAD);
    env.parameters = &parameters;
    if (cy_unpack_parameters(&env, query->parameters, &parameters) &&
        cy_run(&env, query->query, take_row, &answer, &result))
        err = write_reply(question, &answer, &result, began_us);
    else
        err = fail(question, &env);
    sh_buffer_free(&answer.rows);
    return err;
}

const struct question_kind query_question = {
    .method = METHOD_GRAPH_QUERY,
    .name = "graph.query",
    .request = cypher_query_desc,
    .reply = cypher_reply_desc,
    .request_size = sizeof(struct cypher_query),
    .reply_size = sizeof(struct cypher_reply),
    .answer = answer,
};
