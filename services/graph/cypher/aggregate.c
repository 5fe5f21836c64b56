/* Aggregates: each takes in values one by one. Null is passed over. */
#include <math.h>
#include <stdlib.h>

#include "services/graph/cypher/functions_internal.h"
#include "services/graph/cypher/set.h"

enum kind { COUNT, SUM, AVG, LEAST, MOST, COLLECT, SPREAD, SPREAD_ALL, CONT, DISC };

struct cy_aggregate {
    const struct cy_expr *expr;
    enum kind kind;
    uint64_t count;
    struct cy_value value; /* SUM, LEAST, MOST */
    double mean;           /* AVG, SPREAD: Welford 1962 */
    double squares;
    double share; /* CONT, DISC */
    struct cy_value *items;
    size_t room;
    struct cy_set seen; /* DISTINCT */
};

static const struct cy_function functions[] = {
    [COUNT] = {"count", 0, 1, true, true, NULL},
    [SUM] = {"sum", 1, 1, true, true, NULL},
    [AVG] = {"avg", 1, 1, true, true, NULL},
    [LEAST] = {"min", 1, 1, true, true, NULL},
    [MOST] = {"max", 1, 1, true, true, NULL},
    [COLLECT] = {"collect", 1, 1, true, true, NULL},
    [SPREAD] = {"stDev", 1, 1, true, true, NULL},
    [SPREAD_ALL] = {"stDevP", 1, 1, true, true, NULL},
    [CONT] = {"percentileCont", 2, 2, true, true, NULL},
    [DISC] = {"percentileDisc", 2, 2, true, true, NULL},
};

const struct cy_function_table functions_aggregate = {functions, SH_COUNT(functions)};

struct cy_aggregate *cy_aggregate_begin(struct cy_env *env, const struct cy_expr *expr)
{
    struct cy_aggregate *aggregate = cy_alloc(env, sizeof(*aggregate));
    if (aggregate == NULL)
        return NULL;
    aggregate->expr = expr;
    if (expr->function != NULL) /* count(*) may have none */
        aggregate->kind = (enum kind)(expr->function - functions);
    if (aggregate->kind == SUM)
        aggregate->value = cyv_integer(0);
    return aggregate;
}

/* --- taking in -------------------------------------------------------------------- */

static bool keep(struct cy_env *env, struct cy_aggregate *aggregate,
                 struct cy_value value)
{
    if (aggregate->count == aggregate->room) {
        size_t room = aggregate->room ? aggregate->room * 2 : 8;
        struct cy_value *items = cy_array(env, room, sizeof(*items));
        if (items == NULL)
            return false;
        if (aggregate->count > 0)
            memcpy(items, aggregate->items, aggregate->count * sizeof(*items));
        aggregate->items = items;
        aggregate->room = room;
    }
    aggregate->items[aggregate->count] = value;
    return true;
}

static bool add_up(struct cy_env *env, struct cy_aggregate *aggregate,
                   struct cy_value value)
{
    struct cy_value *sum = &aggregate->value;
    if (sum->type == CYV_INTEGER && value.type == CYV_INTEGER)
        return !__builtin_add_overflow(sum->integer, value.integer, &sum->integer) ||
               cy_bad_value(env, aggregate->expr, "the sum does not fit in 64 bits");
    *sum = cyv_float(cyv_real(*sum) + cyv_real(value));
    return true;
}

static void spread(struct cy_aggregate *aggregate, double real)
{
    double off = real - aggregate->mean;
    aggregate->mean += off / (double)(aggregate->count + 1);
    aggregate->squares += off * (real - aggregate->mean);
}

static bool percentile(struct cy_env *env, struct cy_aggregate *aggregate,
                       struct cy_value value)
{
    struct cy_value share;
    if (!cy_eval(env, aggregate->expr->items[1], &share))
        return false;
    if (!cyv_is_number(share))
        return cy_bad_type(env, aggregate->expr, share);
    aggregate->share = cyv_real(share);
    if (!(aggregate->share >= 0 && aggregate->share <= 1))
        return cy_bad_value(env, aggregate->expr, "a percentile lies between 0 and 1");
    return keep(env, aggregate, value);
}

static void choose(struct cy_aggregate *aggregate, struct cy_value value)
{
    int order = aggregate->count ? cyv_sort(value, aggregate->value) : 0;
    if (aggregate->count == 0 || (aggregate->kind == LEAST ? order < 0 : order > 0))
        aggregate->value = value;
}

static bool needs_number(enum kind kind)
{
    return kind == SUM || kind == AVG || kind >= SPREAD;
}

static bool take(struct cy_env *env, struct cy_aggregate *aggregate,
                 struct cy_value value)
{
    if (needs_number(aggregate->kind) && !cyv_is_number(value))
        return cy_bad_type(env, aggregate->expr, value);
    switch (aggregate->kind) {
    case COUNT:
        break;
    case SUM:
        return add_up(env, aggregate, value);
    case LEAST:
    case MOST:
        choose(aggregate, value);
        break;
    case COLLECT:
        return keep(env, aggregate, value);
    case AVG:
    case SPREAD:
    case SPREAD_ALL:
        spread(aggregate, cyv_real(value));
        break;
    case CONT:
    case DISC:
        return percentile(env, aggregate, value);
    }
    return true;
}

bool cy_aggregate_add(struct cy_env *env, struct cy_aggregate *aggregate)
{
    struct cy_value value;
    bool new = true;
    if (aggregate->expr->star) {
        aggregate->count++;
        return cy_step(env);
    }
    if (!cy_eval(env, aggregate->expr->items[0], &value))
        return false;
    if (cyv_is_null(value))
        return true;
    if (aggregate->expr->distinct && !cy_set_add(env, &aggregate->seen, value, &new))
        return false;
    if (!new)
        return true;
    if (!take(env, aggregate, value))
        return false;
    aggregate->count++;
    return true;
}

/* --- the result ------------------------------------------------------------------- */

static int compare_values(const void *left, const void *right)
{
    return cyv_sort(*(const struct cy_value *)left, *(const struct cy_value *)right);
}

static void end_percentile(struct cy_aggregate *aggregate, struct cy_value *out)
{
    *out = cyv_null();
    if (aggregate->count == 0)
        return;
    qsort(aggregate->items, aggregate->count, sizeof(*aggregate->items), compare_values);
    if (aggregate->kind == DISC) { /* nearest rank */
        double rank = ceil(aggregate->share * (double)aggregate->count);
        *out = aggregate->items[rank < 1 ? 0 : (size_t)rank - 1];
        return;
    }
    double at = aggregate->share * (double)(aggregate->count - 1);
    size_t below = (size_t)at;
    size_t above = below + 1 < aggregate->count ? below + 1 : below;
    double low = cyv_real(aggregate->items[below]);
    double high = cyv_real(aggregate->items[above]);
    *out = cyv_float(low + (high - low) * (at - (double)below));
}

static double deviation(const struct cy_aggregate *aggregate)
{
    double count = (double)aggregate->count;
    if (aggregate->kind == SPREAD)
        count--;
    return count > 0 ? sqrt(aggregate->squares / count) : 0;
}

bool cy_aggregate_end(struct cy_env *env, struct cy_aggregate *aggregate,
                      struct cy_value *out)
{
    *out = aggregate->value;
    switch (aggregate->kind) {
    case COUNT:
        *out = cyv_integer((int64_t)aggregate->count);
        break;
    case SUM:
    case LEAST:
    case MOST:
        break;
    case AVG:
        *out = aggregate->count ? cyv_float(aggregate->mean) : cyv_null();
        break;
    case COLLECT:
        return cyv_list(env, aggregate->items, aggregate->count, out);
    case SPREAD:
    case SPREAD_ALL:
        *out = cyv_float(deviation(aggregate));
        break;
    case CONT:
    case DISC:
        end_percentile(aggregate, out);
        break;
    }
    return true;
}
